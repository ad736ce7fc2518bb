//! Works in the way of water (水工建筑物): laws of flow as pure functions of water levels, in SI units.
//!
//! | room | holds |
//! | --- | --- |
//! | [`weirs`] | weirs, dykes overtopped, openings (gates, bridges, orifices) |
//! | [`breach`] | breaches that grow, in dams and in river dykes |
//! | [`dams`] | size, time and peak flow of a breach from dam and reservoir |
//! | [`culverts`] | box and pipe culverts under inlet and outlet control |
//! | [`pumps`] | pumps with levels of start and stop and a head-discharge curve |
//! | [`drains`] | storm drains as a capacity, mm/h |
//!
//! Conventions:
//! * Water levels, crests, inverts and sills are heights above one datum, m; flows are m³/s, or m²/s per metre of crest.
//! * A law takes the levels on its sides a and b; flow is positive from a to b, negative back, 0 at equal levels and where
//!   neither level reaches the work.
//! * Flow is continuous in both levels, never falls with the higher one and never grows with the lower one.
//! * What is there to flow is not known here: the caller caps a flow by the water of its donor.

pub mod breach;
pub mod culverts;
pub mod dams;
pub mod drains;
pub mod pumps;
pub mod weirs;

use crate::flood::runoff::parse_toml;
use crate::weather::Status;
use anlan_engine::{Error, Fault, Result};
use culverts::{Inlet, InletForm};
use serde::Deserialize;
use std::path::Path;
use weirs::Weir;

/// Acceleration of gravity, m/s².
pub const GRAVITY: f64 = 9.806_65;

/// A kind of weir in the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeirRow {
    name: String,
    discharge: f64,
    modular_limit: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeirTable {
    source: String,
    status: Status,
    kind: Vec<WeirRow>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct InletRow {
    name: String,
    form: u8,
    k: f64,
    m: f64,
    c: f64,
    y: f64,
    slope: f64,
    entrance_loss: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct InletTable {
    source: String,
    status: Status,
    kind: Vec<InletRow>,
}

/// The tables of `standards/works.toml`: coefficients by name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorksTables {
    weir: WeirTable,
    culvert_inlet: InletTable,
}

impl WorksTables {
    /// The tables that come with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> WorksTables {
        WorksTables::parse(
            include_str!("../../../standards/works.toml"),
            Path::new("standards/works.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, coefficients out of range.
    pub fn parse(text: &str, file: &Path) -> Result<WorksTables> {
        let tables: WorksTables = parse_toml(text, file)?;
        let mut faults = Vec::new();
        for row in &tables.weir.kind {
            if !(row.discharge > 0.0
                && row.discharge <= 1.0
                && (0.0..1.0).contains(&row.modular_limit))
            {
                faults.push(
                    Fault::new(
                        file,
                        format!("{row:?}"),
                        "a discharge coefficient above 0, at most 1; a modular limit from 0, below 1",
                        "correct the row",
                    )
                    .at(format!("weir.kind {}", row.name)),
                );
            }
        }
        for row in &tables.culvert_inlet.kind {
            let numbers = [row.k, row.m, row.c, row.y];
            if !(numbers.iter().all(|v| *v > 0.0 && v.is_finite())
                && (1..=2).contains(&row.form)
                && row.entrance_loss >= 0.0
                && row.slope.abs() <= 1.0)
            {
                faults.push(
                    Fault::new(
                        file,
                        format!("{row:?}"),
                        "form 1 or 2, constants above 0, an entrance loss of at least 0, a slope factor from -1 to 1",
                        "correct the row",
                    )
                    .at(format!("culvert_inlet.kind {}", row.name)),
                );
            }
        }
        if faults.is_empty() {
            Ok(tables)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// A weir by the name of its row.
    ///
    /// # Errors
    /// An unknown name; the fault lists the known ones.
    pub fn weir(&self, name: &str) -> Result<Weir> {
        let rows = &self.weir.kind;
        match rows.iter().find(|r| r.name == name) {
            Some(r) => Ok(Weir {
                discharge: r.discharge,
                modular_limit: r.modular_limit,
            }),
            None => Err(unknown("weir", name, rows.iter().map(|r| &*r.name))),
        }
    }

    /// A culvert inlet by the name of its row.
    ///
    /// # Errors
    /// An unknown name; the fault lists the known ones.
    pub fn inlet(&self, name: &str) -> Result<Inlet> {
        let rows = &self.culvert_inlet.kind;
        match rows.iter().find(|r| r.name == name) {
            Some(r) => Ok(Inlet {
                form: if r.form == 1 {
                    InletForm::SpecificHead
                } else {
                    InletForm::Power
                },
                k: r.k,
                m: r.m,
                c: r.c,
                y: r.y,
                slope: r.slope,
                entrance_loss: r.entrance_loss,
            }),
            None => Err(unknown(
                "culvert inlet",
                name,
                rows.iter().map(|r| &*r.name),
            )),
        }
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    Error::input(Fault::new(
        what,
        format!("`{name}`"),
        format!("one of: {}", known.collect::<Vec<_>>().join("; ")),
        "correct the name, or add a row to the table of works",
    ))
}

/// Refuses a work whose numbers are out of range: `what` names it, each check is (good, what is meant).
fn require(what: &str, found: &impl std::fmt::Debug, checks: &[(bool, &str)]) -> Result<()> {
    let faults: Vec<Fault> = checks
        .iter()
        .filter(|(good, _)| !good)
        .map(|(_, expected)| Fault::new(what, format!("{found:?}"), *expected, "correct the work"))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}

fn above_zero(v: f64) -> bool {
    v > 0.0 && v.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_and_faults_named() {
        let tables = WorksTables::published();
        assert_eq!(tables.weir("dyke crest").unwrap().modular_limit, 0.8);
        assert_eq!(
            tables
                .inlet("pipe, concrete, square edge with headwall")
                .unwrap()
                .c,
            0.0398
        );
        let told = tables.inlet("hole").unwrap_err().to_string();
        assert!(told.contains("one of: ") && told.contains("box"), "{told}");
        let text =
            include_str!("../../../standards/works.toml").replacen("form = 1", "form = 3", 1);
        let told = WorksTables::parse(&text, Path::new("mine.toml"))
            .unwrap_err()
            .to_string();
        assert!(told.contains("mine.toml, culvert_inlet.kind"), "{told}");
    }
}
