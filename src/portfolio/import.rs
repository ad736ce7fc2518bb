//! Portfolios of other loss engines, written as ours: an event-set file, tables and a portfolio file to run.

use super::assemble::VulnerabilityFile;
use anlan_engine::events::occurrences::Occurrences;
use anlan_engine::events::set::EventSet;
use anlan_engine::io::table::{Table, write_csv};
use anlan_engine::io::write_atomic;
use anlan_engine::loss::exchange::{climada, nearest, nrml, oasis, openquake};
use anlan_engine::{Error, Fault, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The engine that a portfolio comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Oasis LMF: `footprint`, `vulnerability`, `damage_bin_dict`, `items`, `coverages` (each `.bin` or `.csv`),
    /// `occurrence.csv` or `occurrence_lt.csv`, and `intensity_bin_dict.csv` where there is one.
    Oasis,
    /// CLIMADA: `hazard.h5` or `events.csv` with `footprint.csv`; `impact_functions.csv`, `exposure.csv`; tables also
    /// gzipped.
    Climada,
    /// OpenQuake, scenario from ground-motion fields: `gmf*.csv`, `sites.csv`, `exposure*.xml`, `vulnerability*.xml`, and
    /// `taxonomy_mapping.csv` where there is one. The events get the rate 1 per year: losses are those of one event.
    OpenQuake,
}

/// What the files of other engines do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Currency of the values.
    pub currency: String,
    /// Year of the prices.
    pub price_year: u16,
    /// Name of the intensity measure with its unit (CLIMADA), e.g. `wind_m_s`.
    pub measure: String,
}

/// Farthest that an asset of OpenQuake may lie from its site, km: its default `asset_hazard_distance`.
const MOST_KM: f64 = 15.0;

/// What is written.
#[derive(Default)]
struct Ours {
    vulnerabilities: VulnerabilityFile,
    /// (item, place, class, value, group); the class is the code of the vulnerability.
    rows: Vec<(u64, u32, String, f64, u64)>,
    /// Policy of each row, and the limit of each policy; empty where none is needed.
    policies: Vec<u32>,
    limits: BTreeMap<u32, f64>,
    classes: Vec<String>,
    occurrences: Option<Occurrences>,
}

/// Reads the folders of a portfolio (each file is looked for in all of them, in the order given) and writes it as ours into
/// `out`: `portfolio.toml` and the files that it names. Returns the portfolio file.
///
/// # Errors
/// Files that are missing, and all that their readers refuse. A folder that holds a portfolio already.
pub fn import(source: Source, folders: &[PathBuf], said: &Said, out: &Path) -> Result<PathBuf> {
    let file = out.join("portfolio.toml");
    if file.exists() {
        return Err(Error::input(Fault::new(
            &file,
            "an existing portfolio",
            "a folder without one",
            "choose another folder",
        )));
    }
    std::fs::create_dir_all(out).map_err(|e| Error::io("creating", out, e))?;
    let events = out.join("footprints.events");
    let found = Found { folders };
    let ours = match source {
        Source::Oasis => from_oasis(&found, &events)?,
        Source::Climada => from_climada(&found, said, &events)?,
        Source::OpenQuake => from_openquake(&found, &events)?,
    };
    write(&ours, source, said, out)?;
    Ok(file)
}

/// Files by name in some folders.
struct Found<'a> {
    folders: &'a [PathBuf],
}

impl Found<'_> {
    /// The first of some names that stands in one of the folders.
    fn any(&self, names: &[&str]) -> Option<PathBuf> {
        let all = self
            .folders
            .iter()
            .flat_map(|f| names.iter().map(move |n| f.join(n)));
        all.into_iter().find(|p| p.is_file())
    }

    fn one(&self, names: &[&str]) -> Result<PathBuf> {
        self.any(names)
            .ok_or_else(|| self.missing(&names.join(", ")))
    }

    /// The file whose name begins and ends so; more than one is a fault.
    fn like(&self, begin: &str, end: &str) -> Result<PathBuf> {
        let mut all = Vec::new();
        for folder in self.folders {
            let list = std::fs::read_dir(folder).map_err(|e| Error::io("reading", folder, e))?;
            for entry in list {
                let path = entry.map_err(|e| Error::io("reading", folder, e))?.path();
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
                if name.is_some_and(|n| n.starts_with(begin) && n.ends_with(end)) {
                    all.push(path);
                }
            }
        }
        all.sort();
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => Err(self.missing(&format!("one file {begin}*{end}"))),
        }
    }

    fn missing(&self, wanted: &str) -> Error {
        let folders: Vec<String> = self
            .folders
            .iter()
            .map(|f| f.display().to_string())
            .collect();
        Error::input(Fault::new(
            folders.join(", "),
            "no such file",
            wanted,
            "name the folders that hold the files",
        ))
    }
}

fn from_oasis(found: &Found<'_>, events: &Path) -> Result<Ours> {
    let either = |name: &str| found.one(&[&format!("{name}.csv"), &format!("{name}.bin")]);
    let occurrences =
        oasis::occurrences(&found.one(&["occurrence.csv", "occurrence_lt.csv"])?, None)?;
    let footprint = found.one(&["footprint.bin", "footprint.csv", "footprint.csv.gz"])?;
    let places = oasis::footprint(&footprint, &occurrences, events)?;
    let matrices = oasis::matrices(
        &either("vulnerability")?,
        &either("damage_bin_dict")?,
        found.any(&["intensity_bin_dict.csv"]).as_deref(),
    )?;
    let items = oasis::items(&either("items")?, &either("coverages")?)?;
    let rows = oasis::rows(&items, &places, &matrices)?;
    let mut ours = Ours {
        rows: rows
            .iter()
            .map(|r| {
                let class = matrices[usize::from(r.class)].code.clone();
                (
                    u64::from(r.item),
                    r.place,
                    class,
                    r.value,
                    u64::from(r.group),
                )
            })
            .collect(),
        occurrences: Some(occurrences),
        ..Ours::default()
    };
    // Items of several perils share a coverage: their sum is capped at its value, event by event.
    let coverages: BTreeMap<u32, f64> = items.iter().map(|i| (i.coverage, i.value)).collect();
    if coverages.len() < items.len() {
        ours.policies = items.iter().map(|i| i.coverage).collect();
        ours.limits = coverages;
    }
    ours.classes = matrices.iter().map(|m| m.code.clone()).collect();
    ours.vulnerabilities.matrix = matrices;
    Ok(ours)
}

fn from_climada(found: &Found<'_>, said: &Said, events: &Path) -> Result<Ours> {
    match found.any(&["hazard.h5", "hazard.hdf5"]) {
        Some(path) => {
            climada::hazard(&path, &said.measure, events)?;
        }
        None => {
            let table = |name: &str| found.one(&[name, &format!("{name}.gz")]);
            climada::event_set(
                &table("events.csv")?,
                &table("footprint.csv")?,
                &said.measure,
                events,
            )?;
        }
    }
    let curves = climada::impact_functions(&found.one(&["impact_functions.csv"])?, &said.measure)?;
    let path = found.one(&["exposure.csv"])?;
    let points = climada::exposure(&path)?;
    let centroids = match found.any(&["centroids.csv"]) {
        Some(path) => climada::centroids(&path)?,
        None => Vec::new(),
    };
    // Points that no centroid is near suffer nothing in CLIMADA: they come behind the last place.
    let behind = EventSet::open(events)?.places() as u32;
    let mut rows = Vec::new();
    let mut placed = 0;
    for (i, point) in points.iter().enumerate() {
        let at = [point.lon, point.lat];
        let place = point
            .centroid
            .or_else(|| nearest(&centroids, at, 100.0).map(|n| n.0));
        placed += usize::from(place.is_some());
        let number = i as u64 + 1;
        let class = point.function.clone();
        rows.push((number, place.unwrap_or(behind), class, point.value, number));
    }
    if placed == 0 {
        return Err(Error::input(Fault::new(
            path,
            "points without centroids",
            "a column of centroids, or centroids.csv within 100 km",
            "write the centroids of the hazard with Centroids.write_csv",
        )));
    }
    let mut ours = Ours {
        rows,
        ..Ours::default()
    };
    ours.classes = curves.iter().map(|c| c.code.clone()).collect();
    ours.vulnerabilities.curve = curves;
    Ok(ours)
}

fn from_openquake(found: &Found<'_>, events: &Path) -> Result<Ours> {
    let sites = openquake::sites(&found.one(&["sites.csv"])?)?;
    openquake::ground_motion(&found.like("gmf", ".csv")?, &sites, 1.0, events)?;
    let curves = nrml::vulnerability(&found.like("vulnerability", ".xml")?)?;
    let mapping = match found.any(&["taxonomy_mapping.csv"]) {
        Some(path) => openquake::taxonomy_mapping(&path)?,
        None => BTreeMap::new(),
    };
    let path = found.like("exposure", ".xml")?;
    let places: Vec<[f64; 2]> = sites.iter().map(|s| [s.lon, s.lat]).collect();
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    for (i, asset) in nrml::exposure(&path)?.iter().enumerate() {
        let Some((place, _)) = nearest(&places, [asset.lon, asset.lat], MOST_KM) else {
            faults.push(
                Fault::new(
                    &path,
                    "no site near",
                    format!("one within {MOST_KM} km"),
                    "add the site",
                )
                .at(format!("asset {}", asset.id)),
            );
            continue;
        };
        let own = [(asset.taxonomy.clone(), 1.0)];
        let functions = mapping.get(&asset.taxonomy).map_or(&own[..], Vec::as_slice);
        for (function, weight) in functions {
            let cost = asset.costs.iter().find(|c| c.kind == "structural");
            let value = cost.or(asset.costs.first()).map_or(0.0, |c| c.value);
            let number = rows.len() as u64 + 1;
            rows.push((
                number,
                place,
                function.clone(),
                weight * value,
                i as u64 + 1,
            ));
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let mut ours = Ours {
        rows,
        ..Ours::default()
    };
    ours.classes = curves.iter().map(|c| c.code.clone()).collect();
    ours.vulnerabilities.curve = curves;
    Ok(ours)
}

fn write(ours: &Ours, source: Source, said: &Said, out: &Path) -> Result<()> {
    let text = |name: &str, text: &str| {
        let path = out.join(name);
        write_atomic(&path, |tmp| {
            std::fs::write(tmp, text).map_err(|e| Error::io("writing", &path, e))
        })
    };
    let toml = toml::to_string(&ours.vulnerabilities)
        .map_err(|e| Error::Failed(format!("writing vulnerabilities: {e}")))?;
    text("vulnerability.toml", &toml)?;
    let mut exposure = Table::new(&["item", "place", "class", "value", "unit", "group"]);
    if !ours.policies.is_empty() {
        exposure.columns.push("policy".into());
    }
    for (i, (item, place, class, value, group)) in ours.rows.iter().enumerate() {
        exposure.rows.push(vec![
            (*item as i64).into(),
            i64::from(*place).into(),
            class.as_str().into(),
            (*value).into(),
            "all".into(),
            (*group as i64).into(),
        ]);
        if let (Some(policy), Some(row)) = (ours.policies.get(i), exposure.rows.last_mut()) {
            row.push(format!("coverage {policy}").into());
        }
    }
    write_csv(&out.join("exposure.csv"), &exposure)?;
    let mut file = String::new();
    let name = match source {
        Source::Oasis => "from Oasis LMF",
        Source::Climada => "from CLIMADA",
        Source::OpenQuake => "from OpenQuake",
    };
    let _ = write!(
        file,
        "name = \"{name}\"\nevents = \"footprints.events\"\nexposure = \"exposure.csv\"\nvulnerability = \"vulnerability.toml\"\n"
    );
    if !ours.limits.is_empty() {
        let mut table = Table::new(&["policy", "deductible", "limit", "share"]);
        for (policy, limit) in &ours.limits {
            let name = format!("coverage {policy}");
            table
                .rows
                .push(vec![name.into(), 0.0.into(), (*limit).into(), 1.0.into()]);
        }
        write_csv(&out.join("policies.csv"), &table)?;
        file.push_str("policies = \"policies.csv\"\n");
    }
    if let Some(occurrences) = &ours.occurrences {
        let mut table = Table::new(&["event", "year", "day"]);
        for o in &occurrences.rows {
            table.rows.push(vec![
                (o.event as i64).into(),
                (i64::from(o.year) + 1).into(),
                i64::from(o.day).into(),
            ]);
        }
        write_csv(&out.join("occurrences.csv"), &table)?;
        let years = occurrences.years;
        let _ = write!(file, "occurrences = \"occurrences.csv\"\nyears = {years}\n");
    }
    let _ = write!(
        file,
        "\n[sampling]\nsamples = 20\nseed = 1\nstop = {{ rounds = 4 }}\n"
    );
    for class in &ours.classes {
        let code = toml::Value::String(class.clone());
        let currency = toml::Value::String(said.currency.clone());
        let _ = write!(
            file,
            "\n[[classes]]\ncode = {code}\nvulnerability = {code}\ncurrency = {currency}\nprice_year = {}\n",
            said.price_year
        );
    }
    text("portfolio.toml", &file)
}
