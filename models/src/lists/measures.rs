//! The measures list (措施清单): what is to be done, by hazard, level and object, from a table of data.

use super::entry::{Kind, RiskEntry};
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// Measures and the times they are due in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// Name of the table.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where it comes from.
    pub source: String,
    /// Classes of deadlines.
    #[serde(rename = "deadline")]
    pub deadlines: Vec<DeadlineClass>,
    /// Measures.
    #[serde(rename = "measure")]
    pub measures: Vec<Measure>,
}

/// A class of deadlines.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlineClass {
    /// Code.
    pub code: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Days from the day of the list.
    pub days: u32,
}

/// A measure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Code.
    pub code: String,
    /// Chinese text.
    pub zh: String,
    /// English text.
    pub en: String,
    /// Hazards, `all` for the comprehensive grade.
    pub hazards: Vec<String>,
    /// Objects.
    pub kinds: Vec<Kind>,
    /// Levels.
    pub levels: Vec<u8>,
    /// Class: relocation, monitoring, preparation, control, plan, patrol, survey, works.
    pub class: String,
    /// Code of the deadline class.
    pub deadline: String,
    /// Code of the role that carries it out.
    pub role: String,
    /// True where it stands on warning prompt sheets, too.
    #[serde(default)]
    pub warning: bool,
}

/// Names of the classes of measures.
const CLASSES: [(&str, &str); 8] = [
    ("relocation", "转移避险"),
    ("monitoring", "监测预警"),
    ("preparation", "物资队伍"),
    ("control", "管控"),
    ("plan", "预案方案"),
    ("patrol", "巡查排查"),
    ("survey", "勘查核查"),
    ("works", "工程治理"),
];

impl Measure {
    /// Chinese name of its class.
    pub fn class_zh(&self) -> &'static str {
        CLASSES
            .iter()
            .find(|c| c.0 == self.class)
            .map_or("", |c| c.1)
    }

    /// True where it fits a hazard, an object and a level.
    pub fn fits(&self, hazard: &str, kind: Kind, level: u8) -> bool {
        self.hazards.iter().any(|h| h == hazard)
            && self.kinds.contains(&kind)
            && self.levels.contains(&level)
    }
}

impl Measures {
    /// The table compiled in.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        Measures::parse(
            include_str!("../../standards/measures.toml"),
            Path::new("standards/measures.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; codes given twice, unknown hazards, classes or deadlines, levels other than 1 to 4.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let table: Measures = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.message().to_string(),
                "a table of measures",
                "compare with standards/measures.toml",
            ))
        })?;
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        for m in &table.measures {
            let mut check = |ok: bool, found: String, expected: &str| {
                if !ok {
                    faults.push(
                        Fault::new(
                            file,
                            found,
                            expected,
                            "compare with standards/measures.toml",
                        )
                        .at(format!("measure {}", m.code)),
                    );
                }
            };
            check(
                seen.insert(m.code.as_str()),
                "the code twice".into(),
                "each code once",
            );
            let hazards = ["all", "flood", "convection", "geology", "fire"];
            check(
                !m.hazards.is_empty() && m.hazards.iter().all(|h| hazards.contains(&h.as_str())),
                format!("hazards {}", m.hazards.join(", ")),
                "all, flood, convection, geology or fire",
            );
            check(
                CLASSES.iter().any(|c| c.0 == m.class),
                format!("class `{}`", m.class),
                "relocation, monitoring, preparation, control, plan, patrol, survey or works",
            );
            check(
                table.deadlines.iter().any(|d| d.code == m.deadline),
                format!("deadline `{}`", m.deadline),
                "a deadline class of this table",
            );
            check(
                !m.levels.is_empty() && m.levels.iter().all(|l| (1..=4).contains(l)),
                format!("levels {:?}", m.levels),
                "levels of 1 to 4",
            );
        }
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Measures of an entry of the risk list, in the order of the table.
    pub fn of<'a>(&'a self, entry: &'a RiskEntry) -> impl Iterator<Item = &'a Measure> {
        self.measures
            .iter()
            .filter(|m| m.fits(entry.hazard, entry.kind, entry.level))
    }

    /// Measures that a warning for a hazard at a level names, in the order of the table.
    pub fn warned<'a>(
        &'a self,
        hazards: &'a [&str],
        level: u8,
    ) -> impl Iterator<Item = &'a Measure> {
        self.measures.iter().filter(move |m| {
            m.warning
                && m.levels.contains(&level)
                && hazards.iter().any(|h| m.hazards.iter().any(|k| k == h))
        })
    }

    /// Deadline class of a measure.
    ///
    /// # Panics
    /// Never for measures of this table: parsing checks them.
    pub fn deadline(&self, measure: &Measure) -> &DeadlineClass {
        self.deadlines
            .iter()
            .find(|d| d.code == measure.deadline)
            .expect("parse refuses measures without a deadline class")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::entry::sample;
    use crate::lists::standards::ListRules;

    #[test]
    fn every_kind_of_entry_has_measures_and_every_role_is_known() {
        let (table, rules) = (Measures::builtin(), ListRules::builtin());
        assert!(
            table
                .measures
                .iter()
                .all(|m| rules.roles.iter().any(|r| r.code == m.role))
        );
        assert!(table.measures.iter().all(|m| !m.class_zh().is_empty()));
        let made = [
            (
                Kind::Unit,
                &["all", "flood", "convection", "geology", "fire"][..],
            ),
            (
                Kind::Township,
                &["all", "flood", "convection", "geology", "fire"],
            ),
            (Kind::DangerSite, &["geology"]),
            (Kind::Hotspot, &["flood"]),
            (Kind::Place, &["flood", "geology"]),
        ];
        for (kind, hazards) in made {
            for hazard in hazards {
                for level in 1..=4 {
                    let entry = sample("x", kind, hazard, level);
                    assert!(
                        table.of(&entry).next().is_some(),
                        "{kind:?} {hazard} {level}"
                    );
                }
            }
        }
        let site = sample("x", Kind::DangerSite, "geology", 1);
        let codes: Vec<&str> = table.of(&site).map(|m| m.code.as_str()).collect();
        assert_eq!(codes, ["G01", "G02", "G03", "G04", "G05", "G06"]);
        assert!(
            table
                .warned(&["flood"], 1)
                .all(|m| m.warning && m.code.starts_with('F'))
        );
    }

    #[test]
    fn faults_are_named_together() {
        let text = include_str!("../../standards/measures.toml")
            .replace("code = \"F02\"", "code = \"F01\"")
            .replacen("deadline = \"long-term\"", "deadline = \"never\"", 1)
            .replacen("hazards = [\"fire\"]", "hazards = [\"snow\"]", 1);
        let e = Measures::parse(&text, Path::new("m.toml")).unwrap_err();
        assert_eq!(e.faults().len(), 3, "{e}");
    }
}
