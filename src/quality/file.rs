//! The case file of a quality check: one TOML, unknown keys refused, paths relative to the file.

use crate::project::toml_fault;
use anlan_engine::{Error, Fault, Result};
use anlan_models::census::quality::{CensusDay, Severity, date_parts};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A quality check as the user wrote it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityFile {
    /// Name, in the title of outputs.
    pub name: String,
    /// First digits that all division codes share, e.g. `["3307"]`; any province where empty.
    #[serde(default)]
    pub region: Vec<String>,
    /// Day of the census (普查标准时点), e.g. `2020-12-31`: later dates are errors.
    #[serde(default)]
    pub date: Option<String>,
    /// Tables to check.
    pub table: Vec<TableEntry>,
    /// Borders of units.
    #[serde(default)]
    pub borders: Vec<BorderEntry>,
    /// Rule files in place of compiled-in ones of the same id, or for further kinds of tables.
    #[serde(default)]
    pub rules: Vec<PathBuf>,
    /// Severity of rules in place of that of their files: `error`, `warning`, `note` or `off`.
    #[serde(default)]
    pub severity: BTreeMap<String, SeverityName>,
    /// Findings that were verified and are right (核实名单): a table with `rule`, `table`, `key`, `field`, `reason`.
    #[serde(default)]
    pub accepted: Option<PathBuf>,
    /// What is written.
    #[serde(default)]
    pub output: Output,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEntry {
    /// Kind: `units`, `buildings`, `schools` … or the id of a rule file.
    pub kind: String,
    /// CSV (UTF-8, UTF-16 with a mark, GBK) or Excel.
    pub file: PathBuf,
    /// Sheet of a workbook; the first where none is named.
    #[serde(default)]
    pub sheet: Option<String>,
    /// Name for people; the kind's where none is given.
    #[serde(default)]
    pub name: String,
    /// The same table of an earlier year.
    #[serde(default)]
    pub earlier: Option<PathBuf>,
    /// Its sheet.
    #[serde(default)]
    pub earlier_sheet: Option<String>,
    /// Headers by field, for columns that the dictionary does not know.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

/// A file of borders.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BorderEntry {
    /// GeoPackage, Shapefile or GeoJSON with polygons.
    pub file: PathBuf,
    /// Layer of a GeoPackage; the first where none is named.
    #[serde(default)]
    pub layer: Option<String>,
    /// Column of division codes.
    #[serde(default = "code")]
    pub code: String,
    /// Column of names.
    #[serde(default = "name")]
    pub name: String,
}

fn code() -> String {
    "code".into()
}

fn name() -> String {
    "name".into()
}

/// A severity, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeverityName {
    /// Exit code 2.
    Error,
    /// Told.
    Warning,
    /// Told.
    Note,
    /// Not told.
    Off,
}

impl SeverityName {
    /// The severity; none for `off`.
    pub fn severity(self) -> Option<Severity> {
        match self {
            SeverityName::Error => Some(Severity::Error),
            SeverityName::Warning => Some(Severity::Warning),
            SeverityName::Note => Some(Severity::Note),
            SeverityName::Off => None,
        }
    }
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// The workbook with marked cells.
    pub workbook: bool,
    /// Tables with the certain fixes made.
    pub fixed: bool,
}

impl Default for Output {
    fn default() -> Self {
        Output {
            workbook: true,
            fixed: true,
        }
    }
}

impl QualityFile {
    /// Reads a case file.
    ///
    /// # Errors
    /// A missing file, wrong syntax, unknown keys; values that cannot be, all together.
    pub fn read(path: &Path) -> Result<QualityFile> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
        let file: QualityFile = toml::from_str(&text).map_err(|e| toml_fault(path, &text, &e))?;
        let mut faults = Vec::new();
        let mut fault = |place: &str, found: String, expected: &str, remedy: &str| {
            faults.push(Fault::new(path, found, expected, remedy).at(place));
        };
        if file.table.is_empty() {
            fault(
                "table",
                "no tables".into(),
                "one table or more",
                "add an entry [[table]]",
            );
        }
        for prefix in &file.region {
            let digits = prefix.bytes().all(|b| b.is_ascii_digit());
            if !digits || !(2..=12).contains(&prefix.len()) {
                fault(
                    "region",
                    format!("`{prefix}`"),
                    "the first 2 to 12 digits of division codes",
                    "give the digits that all codes of the region share",
                );
            }
        }
        if let Some(date) = &file.date
            && day(date).is_none()
        {
            fault(
                "date",
                format!("`{date}`"),
                "a date, year first: 2020-05-01",
                "correct the date",
            );
        }
        match faults.is_empty() {
            true => Ok(file),
            false => Err(Error::Input(faults)),
        }
    }

    /// The day of the census.
    pub fn census(&self) -> Option<CensusDay> {
        self.date.as_deref().and_then(day)
    }
}

fn day(text: &str) -> Option<CensusDay> {
    let (y, m, d) = date_parts(text)?;
    CensusDay::new(y, m, d)
}
