//! The whole chain behind a grade (等级溯源): of a cell or of a unit, from the raw value of each indicator and the file it
//! stands in, through normalisation, weights and combination, to the thresholds and the rule pack.
//!
//! What was fitted to all cells is read from `risk/chains.json`; raw values are read from the layers again and the chain is
//! computed anew, so that what is told can be held against the rasters and tables that the stage wrote.

mod cell;
mod text;
mod told;
mod unit;

pub use text::text;
pub use told::{
    Aggregation, ChainTold, Explanation, FactorTold, FileTold, IndicatorTold, PackTold, PlaceTold,
    Reason,
};

use crate::manifest::Manifest;
use crate::project::Project;
use crate::stages::risk::OBJECTS;
use crate::stages::risk::record::{Chain, Chains};
use crate::stages::risk::sources::{self, Values};
use anlan_engine::io::geotiff;
use anlan_engine::{Error, Fault, Grid, Result};
use anlan_models::hazard::Hazard;
use anlan_models::risk::pack::{Combine, Weighting};
use anlan_models::risk::{Fitted, RulePack, Steps};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ExplainOptions {
    /// Output folder of the run; `out` beside the project file where `None`.
    pub out: Option<PathBuf>,
    /// The place.
    pub place: Place,
    /// Hazard, or `all` for the comprehensive risk; every one where `None`.
    pub hazard: Option<String>,
    /// Object (`hazard`, `comprehensive`, `population` …); the comprehensive risk where `None`.
    pub object: Option<String>,
}

/// A cell or a unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// Coordinates of the compute system, m, or longitude and latitude in degrees (CGCS2000).
    At(f64, f64),
    /// Code of a unit of any level.
    Unit(String),
}

/// Tells the chains behind the grades of a place.
///
/// # Errors
/// A project or an output folder that cannot be read, a place outside the units, a hazard or object that nobody knows.
pub fn explain(project_file: &Path, options: &ExplainOptions) -> Result<Explanation> {
    let project = Project::read(project_file)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| project_file.parent().unwrap_or(Path::new("")).join("out"));
    let chains = Chains::read(&out)?;
    let manifest = Manifest::read(&out.join("risk"));
    let grid = geotiff::info(&out.join("layers/unit.tif"))?.grid;
    let case = Case {
        project: &project,
        out: &out,
        chains: &chains,
        grid,
        hazards: hazards(options.hazard.as_deref())?,
        all: options.hazard.as_deref().is_none_or(|h| h == "all")
            && options
                .object
                .as_deref()
                .is_none_or(|o| o == "comprehensive"),
        object: object(options.object.as_deref())?,
        told: options.hazard.clone(),
    };
    let (place, chains) = match &options.place {
        Place::At(x, y) => cell::explain(&case, (*x, *y))?,
        Place::Unit(code) => unit::explain(&case, code)?,
    };
    Ok(Explanation {
        release: manifest.map_or_else(String::new, |m| m.release),
        place,
        chains,
    })
}

/// What one question needs.
struct Case<'a> {
    project: &'a Project,
    out: &'a Path,
    chains: &'a Chains,
    grid: Grid,
    hazards: Vec<Hazard>,
    /// Whether the comprehensive risk of all hazards is told.
    all: bool,
    object: &'static str,
    told: Option<String>,
}

fn unknown(option: &str, found: &str, known: &[&str]) -> Error {
    let known: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
    Error::input(
        Fault::new(
            "command line",
            format!("`{found}`"),
            known.join(", "),
            "name one of these",
        )
        .at(option),
    )
}

fn hazards(named: Option<&str>) -> Result<Vec<Hazard>> {
    match named {
        None | Some("all") => Ok(Hazard::ALL.to_vec()),
        Some(name) => match Hazard::ALL.into_iter().find(|h| h.name() == name) {
            Some(h) => Ok(vec![h]),
            None => {
                let mut known: Vec<&str> = Hazard::ALL.map(Hazard::name).to_vec();
                known.push("all");
                Err(unknown("--hazard", name, &known))
            }
        },
    }
}

fn object(named: Option<&str>) -> Result<&'static str> {
    let known: Vec<&'static str> = OBJECTS.into_iter().chain(["hazard"]).collect();
    match named {
        None => Ok("comprehensive"),
        Some(name) => known
            .iter()
            .copied()
            .find(|o| *o == name)
            .ok_or_else(|| unknown("--object", name, &known)),
    }
}

impl Case<'_> {
    fn chain(&self, level: &str, hazard: &str, object: &str) -> Result<&Chain> {
        self.chains.find(level, hazard, object).ok_or_else(|| {
            Error::Failed(format!(
                "chains.json has no chain of level {level}, hazard {hazard}, object {object}"
            ))
        })
    }

    fn pack(&self, chain: &Chain) -> Result<(&RulePack, PackTold)> {
        let record = self.chains.pack(chain)?;
        let p = &record.pack;
        Ok((
            p,
            PackTold {
                id: p.id.clone(),
                title_zh: p.title_zh.clone(),
                title_en: p.title_en.clone(),
                issuer: p.issuer.clone(),
                standard: p.standard.clone(),
                year: p.year,
                status: p.status.clone(),
                hash: record.hash.clone(),
                source: p.source.clone(),
            },
        ))
    }

    /// Files of a layer with their hashes; results of other packs name the file in which they stand.
    fn files(&self, layer: &str, period: Option<f64>, hazard: &str) -> Result<Vec<FileTold>> {
        let mut files = sources::files(self.project, layer, period)?;
        if files.is_empty() {
            let result = match layer {
                "hazard-index" => Some(format!("risk/{hazard}_hazard_index.tif")),
                "hazard-score" => Some(format!("risk/{hazard}_hazard_grade.tif")),
                _ => layer
                    .strip_suffix("-risk-index")
                    .map(|h| format!("risk/{h}_risk_index.tif"))
                    .or_else(|| {
                        let h = layer.strip_suffix("-risk-score")?;
                        Some(format!("risk/{h}_risk_grade.tif"))
                    }),
            };
            files.extend(result.map(|f| (f, "band 1".to_string())));
        }
        Ok(files
            .into_iter()
            .map(|(path, part)| FileTold {
                sha256: self.hash(&path),
                path,
                part,
            })
            .collect())
    }

    /// The hash that the manifest of its task has of a file.
    fn hash(&self, path: &str) -> String {
        path.match_indices('/')
            .filter_map(|(i, _)| {
                let manifest = Manifest::read(&self.out.join(&path[..i]))?;
                let file = manifest.outputs.iter().find(|f| f.path == path[i + 1..])?;
                Some(file.sha256.clone())
            })
            .next()
            .unwrap_or_default()
    }

    /// Reads what a pack needs of the layers.
    fn load(&self, pack: &RulePack, values: &mut Values<'_>) -> Result<()> {
        for i in &pack.indicators {
            values.load(&i.layer, i.return_period)?;
        }
        Ok(())
    }

    /// A chain without a place in it: names, files, scales, weights, thresholds.
    fn told(&self, chain: &Chain) -> Result<ChainTold> {
        let (pack, head) = self.pack(chain)?;
        let f = &chain.fitted;
        let indicators = pack
            .indicators
            .iter()
            .zip(&f.indicators)
            .map(|(rule, fitted)| {
                let entry = sources::entry(&rule.layer)?;
                let period = matches!(entry.source, sources::Source::Period(..))
                    .then(|| sources::period(self.project, rule.return_period));
                Ok(IndicatorTold {
                    id: rule.id.clone(),
                    name_zh: rule.name_zh.clone(),
                    name_en: rule.name_en.clone(),
                    factor: rule.factor,
                    layer: rule.layer.clone(),
                    unit: entry.unit.into(),
                    return_period: period,
                    files: self.files(&rule.layer, rule.return_period, &chain.hazard)?,
                    raw: None,
                    transform: word(&rule.transform),
                    transformed: None,
                    normalisation: word(&fitted.scale.method),
                    min: fitted.scale.low,
                    max: fitted.scale.high,
                    mean: fitted.scale.mean,
                    sigma: fitted.scale.sigma,
                    constant: fitted.constant,
                    normalised: None,
                    weight: fitted.weight,
                    entropy: fitted.entropy,
                })
            })
            .collect::<Result<_>>()?;
        let factors = f
            .factors
            .iter()
            .map(|factor| FactorTold {
                factor: factor.factor,
                weighting: weighting(&pack.rule(factor.factor).weights).into(),
                ahp: factor.ahp.clone(),
                joined: None,
                coefficient: None,
                index: None,
                rescale: word(&factor.scale.method),
                min: factor.scale.low,
                max: factor.scale.high,
                rescaled: None,
                power: factor.power,
                class: None,
                thresholds: factor.thresholds.clone(),
            })
            .collect();
        Ok(ChainTold {
            level: chain.level.clone(),
            hazard: chain.hazard.clone(),
            object: chain.object.clone(),
            pack: head,
            rows: f.rows,
            means: false,
            indicators,
            environment: pack.environment,
            factors,
            combination: combination(&pack.combine),
            combined: None,
            index: None,
            aggregation: None,
            grading: grading(pack),
            thresholds: f.thresholds.clone(),
            grade: 0,
            grade_zh: String::new(),
            grade_en: String::new(),
            reason: None,
            stored: None,
        })
    }
}

/// Fills a chain with the steps of one row of raw values.
fn fill(told: &mut ChainTold, pack: &RulePack, fitted: &Fitted, raw: &[f64]) {
    for (i, &v) in told.indicators.iter_mut().zip(raw) {
        i.raw = (!v.is_nan()).then_some(v);
    }
    if let Some((indicator, absent)) = fitted.invalid(pack, raw) {
        let name = indicator.id.clone();
        told.reason = Some(if absent {
            Reason::Absent(name)
        } else {
            Reason::Unknown(name)
        });
        return;
    }
    let steps: Steps = fitted.steps(pack, raw);
    for (i, s) in told.indicators.iter_mut().zip(&steps.indicators) {
        i.transformed = Some(s.transformed);
        i.normalised = Some(s.normalised);
    }
    for (f, s) in told.factors.iter_mut().zip(&steps.factors) {
        f.joined = Some(s.joined);
        f.coefficient = s.coefficient;
        f.index = Some(s.index);
        f.rescaled = Some(s.rescaled);
        f.class = s.class;
    }
    told.combined = Some(steps.combined);
    told.index = Some(steps.index);
    grade(told, pack, steps.grade);
}

fn grade(told: &mut ChainTold, pack: &RulePack, grade: u8) {
    told.grade = grade;
    told.grade_zh = pack.name(grade, true).to_string();
    told.grade_en = pack.name(grade, false).to_string();
}

/// A name as packs write it.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

fn weighting(rule: &Weighting) -> &'static str {
    match rule {
        Weighting::Equal => "equal",
        Weighting::Entropy => "entropy",
        Weighting::Expert { .. } => "expert",
        Weighting::Ahp { .. } => "ahp",
        Weighting::Greatest => "greatest",
        Weighting::Fold { .. } => "fold",
    }
}

fn combination(rule: &Combine) -> String {
    match rule {
        Combine::Hazard => "hazard".into(),
        Combine::WeightedSum { weights } => format!("weighted-sum, {}", weighting(weights)),
        Combine::Product { .. } => "product".into(),
        Combine::Matrix { .. } => "matrix".into(),
    }
}

fn grading(pack: &RulePack) -> String {
    match serde_json::to_value(&pack.grading) {
        Ok(serde_json::Value::Object(map)) => {
            let told: Vec<String> = map
                .iter()
                .map(|(k, v)| match v {
                    serde_json::Value::String(s) if k == "method" => s.clone(),
                    v => format!("{k} {v}"),
                })
                .collect();
            told.join(", ")
        }
        _ => String::new(),
    }
}
