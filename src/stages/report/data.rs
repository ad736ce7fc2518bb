//! What a report is made from: the tables of all stages, read once, and how their figures are printed.

use super::super::{Context, store};
use crate::manifest::Manifest;
use anlan_engine::io::Value;
use anlan_engine::io::table::{self, Table};
use anlan_engine::{Error, Fault, Result};
use anlan_models::census::Ledger;
use anlan_models::risk::RulePacks;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Two languages at once.
#[derive(Clone, Copy)]
pub(super) struct Say {
    pub zh: bool,
}

impl Say {
    /// The text in the language of the report.
    pub fn say(self, zh: &str, en: &str) -> String {
        if self.zh { zh } else { en }.to_string()
    }

    /// Money with its unit: 亿元 and 万元, or millions and billions of yuan, three digits.
    pub fn money(self, yuan: f64) -> String {
        let (value, unit) = match (self.zh, yuan.abs()) {
            (true, v) if v >= 1e8 => (yuan / 1e8, "亿元"),
            (true, _) => (yuan / 1e4, "万元"),
            (false, v) if v >= 1e9 => (yuan / 1e9, "billion yuan"),
            (false, v) if v >= 1e6 => (yuan / 1e6, "million yuan"),
            (false, _) => (yuan / 1e3, "thousand yuan"),
        };
        format!("{}\u{a0}{unit}", digits(value))
    }

    /// Unit and divisor of money in tables.
    pub fn money_unit(self) -> (&'static str, f64) {
        if self.zh {
            ("万元", 1e4)
        } else {
            ("million yuan", 1e6)
        }
    }

    /// Status of a record or a rule.
    pub fn status(self, status: &str) -> String {
        match (status, self.zh) {
            ("unverified", true) => "未核实".into(),
            ("read", true) => "已核对来源".into(),
            ("derived", true) => "推算".into(),
            (other, _) => other.to_string(),
        }
    }
}

/// A number of three significant digits, thousands apart; small ones as they are.
pub(super) fn digits(v: f64) -> String {
    if !v.is_finite() {
        return "—".into();
    }
    if v == 0.0 {
        return "0".into();
    }
    let size = libm::log10(v.abs()).floor() as i32;
    if size >= 2 {
        let step = (0..size - 2).fold(1.0, |s, _| s * 10.0);
        return grouped((v / step).round() * step);
    }
    if size < -4 {
        return format!("{v:.2e}");
    }
    format!("{v:.*}", (2 - size) as usize)
}

/// A return period as it was asked for.
pub(super) fn years(t: f64) -> String {
    if t >= 1e4 { grouped(t) } else { format!("{t}") }
}

/// A whole number, thousands apart.
pub(super) fn grouped(v: f64) -> String {
    let text = format!("{:.0}", v.abs());
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i > 0 && (text.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if v < 0.0 && text != "0" {
        out.insert(0, '-');
    }
    out
}

/// An interval of digits.
pub(super) fn between(low: f64, high: f64) -> String {
    let end = |v: f64| {
        if v == f64::INFINITY {
            "∞".to_string()
        } else {
            digits(v)
        }
    };
    format!("{}–{}", end(low), end(high))
}

/// A method of the report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Method {
    /// What it is about, for whoever edits the file.
    #[allow(dead_code)]
    pub key: String,
    pub when: String,
    pub title_zh: String,
    pub title_en: String,
    pub text_zh: Vec<String>,
    pub text_en: Vec<String>,
    pub equations: Vec<String>,
    pub references: Vec<String>,
}

/// A limit of the report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub when: String,
    pub zh: String,
    pub en: String,
}

/// Texts of methods and limits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    #[allow(dead_code)]
    pub id: String,
    #[allow(dead_code)]
    pub version: u32,
    pub method: Vec<Method>,
    pub limit: Vec<Limit>,
}

/// Provenance of an input, as `PROVENANCE.toml` has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Origin {
    pub kind: String,
    pub licence: String,
    pub package: String,
    pub version: String,
    pub table: String,
    pub trap: String,
}

/// Everything a report reads.
pub(super) struct Data<'a> {
    pub ctx: &'a Context<'a>,
    pub units: Vec<store::UnitRow>,
    pub ledger: Ledger,
    pub average: Table,
    pub exceedance: Table,
    pub indicators: Table,
    pub grades: Table,
    pub reserve: Table,
    pub shelter: Table,
    pub findings: Table,
    pub packs: RulePacks,
    pub manifests: Vec<Manifest>,
    pub texts: Texts,
    pub origins: BTreeMap<String, Origin>,
    /// Tables of the validation by name.
    pub validation: BTreeMap<&'static str, Table>,
}

/// Tables of the validation that the report prints.
const VALIDATION: [&str; 6] = [
    "events",
    "skill",
    "warnings",
    "losses",
    "rates",
    "calibration",
];

impl<'a> Data<'a> {
    pub fn read(ctx: &'a Context<'a>) -> Result<Self> {
        let get = |task: &str, file: &str| table::read(&store::existing(ctx, task, file)?);
        let units = store::units(ctx)?;
        let ledger = store::ledger(ctx, store::grid(ctx)?, &units)?;
        // Tables of events may hold no row, which is no table to the reader.
        let mut validation = BTreeMap::new();
        for name in VALIDATION {
            let path = store::existing(ctx, "validation", &format!("{name}.csv"))?;
            validation.insert(name, table::read_list(&path)?);
        }
        let tasks = super::super::TASKS.iter().filter(|t| t.name != "report");
        let manifests = tasks
            .filter_map(|t| Manifest::read(&ctx.folder(t.name)))
            .collect();
        Ok(Data {
            average: get("losses", "average_annual.csv")?,
            exceedance: get("losses", "exceedance.csv")?,
            indicators: get("losses", "indicators.csv")?,
            grades: get("risk", "grades.csv")?,
            reserve: get("relief", "reserve.csv")?,
            shelter: get("relief", "shelter.csv")?,
            findings: table::read_list(&store::existing(ctx, "layers", "census_findings.csv")?)?,
            packs: super::super::risk::packs(ctx)?,
            texts: toml::from_str(anlan_models::report::TEXTS)
                .map_err(|e| Error::Failed(format!("texts of the report: {e}")))?,
            origins: origins(ctx)?,
            validation,
            manifests,
            ledger,
            units,
            ctx,
        })
    }

    /// True for texts that belong to this project.
    pub fn applies(&self, when: &str) -> bool {
        let screening = self.ctx.project.project.screening;
        match when {
            "full" => !screening,
            "screening" => screening,
            "synthetic" => self.ctx.project.inputs.synthetic,
            _ => true,
        }
    }

    /// Name of the region.
    pub fn region(&self, say: Say) -> &str {
        let about = &self.ctx.project.project;
        if say.zh { &about.name } else { &about.name_en }
    }

    /// Mean and standard error of a yearly metric of a unit or the region.
    pub fn mean(&self, unit: &str, hazard: &str, metric: &str) -> Option<(f64, f64)> {
        let row = find(&self.average, &[unit, "", hazard, metric])?;
        Some((row[4].as_f64()?, row[5].as_f64()?))
    }

    /// Value and interval of a return period.
    pub fn level(
        &self,
        unit: &str,
        hazard: &str,
        metric: &str,
        curve: &str,
        period: f64,
    ) -> Option<[f64; 3]> {
        let keys = [unit, "", hazard, metric, curve];
        let rows = self.exceedance.rows.iter();
        let row = rows
            .filter(|r| r[5].as_f64() == Some(period))
            .find(|r| matches(r, &keys))?;
        let high = row[8].as_f64().unwrap_or(f64::INFINITY);
        Some([row[6].as_f64()?, row[7].as_f64()?, high])
    }

    /// The return period that summaries speak of: 100 years, or the longest there is.
    pub fn headline_period(&self) -> f64 {
        let periods = self.exceedance.rows.iter().filter_map(|r| r[5].as_f64());
        let held: Vec<f64> = periods.filter(|t| *t <= 100.0).collect();
        held.into_iter().fold(f64::NAN, f64::max)
    }

    /// Row of the grades of a unit.
    pub fn grade(&self, unit: &str, hazard: &str) -> Option<&Vec<Value>> {
        find(&self.grades, &[unit, "", hazard])
    }

    /// A table of an earlier task.
    ///
    /// # Errors
    /// It is missing, or damaged.
    pub fn table(&self, task: &str, file: &str) -> Result<Table> {
        table::read_list(&store::existing(self.ctx, task, file)?)
    }

    /// A table that another part of the pipeline may have left.
    pub fn extra(&self, task: &str, file: &str) -> Result<Option<Table>> {
        let path = self.ctx.folder(task).join(file);
        if path.exists() {
            table::read_list(&path).map(Some)
        } else {
            Ok(None)
        }
    }
}

fn matches(row: &[Value], keys: &[&str]) -> bool {
    let mut pairs = keys.iter().zip(row);
    pairs.all(|(k, v)| k.is_empty() || v.to_string() == *k)
}

/// The first row whose leading cells are these; an empty key fits anything.
pub(super) fn find<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Vec<Value>> {
    table.rows.iter().find(|r| matches(r, keys))
}

fn origins(ctx: &Context<'_>) -> Result<BTreeMap<String, Origin>> {
    if ctx.project.inputs.provenance.is_none() {
        return Ok(BTreeMap::new());
    }
    let files = ctx.project.files(ctx.project_file);
    let Some((_, path)) = files.into_iter().find(|(n, _)| *n == "provenance") else {
        return Ok(BTreeMap::new());
    };
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
    let whole: toml::Table = toml::from_str(&text).map_err(|e| {
        Error::input(Fault::new(
            &path,
            e.message().to_string(),
            "a TOML file with a table per input file",
            "compare with data/jinhua/PROVENANCE.toml",
        ))
    })?;
    Ok(whole
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.try_into::<Origin>().ok()?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_their_unit() {
        assert_eq!(digits(1_415_037.0), "1,420,000");
        assert_eq!(digits(303.485), "303");
        assert_eq!(digits(12.3456), "12.3");
        assert_eq!(digits(1.2345), "1.23");
        assert_eq!(digits(0.039_51), "0.0395");
        assert_eq!(digits(-2054.0), "-2,050");
        assert_eq!((digits(0.0), digits(f64::NAN)), ("0".into(), "—".into()));
        assert_eq!(grouped(7_050_683.0), "7,050,683");
        let (zh, en) = (Say { zh: true }, Say { zh: false });
        assert_eq!(zh.money(3.03485e9), "30.3\u{a0}亿元");
        assert_eq!(zh.money(250_000.0), "25.0\u{a0}万元");
        assert_eq!(en.money(3.03485e9), "3.03\u{a0}billion yuan");
        assert_eq!(between(271.0, f64::INFINITY), "271–∞");
    }
}
