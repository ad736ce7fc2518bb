//! Zones added up to the units above them (township, county, prefecture, province) by division code.

use anlan_engine::io::vector::Layer;
use anlan_engine::zonal::ZoneSums;
use anlan_engine::{Error, Fault, Result};
use anlan_models::census::{DivisionCode, Level};
use std::collections::BTreeMap;

/// A unit above the zones.
pub(super) struct Unit {
    pub code: DivisionCode,
    /// Zones below it.
    pub zones: usize,
    /// Merged in the order of the zones, so that counts and sums are the sums of the zones'.
    pub sums: ZoneSums,
}

/// The division codes of zones.
///
/// # Errors
/// Values that are no codes, codes that come twice, zones that lie within another zone; all together.
pub(super) fn codes(zones: &Layer, column: &str) -> Result<Vec<DivisionCode>> {
    let at = zones.require(column)?;
    let mut faults = Vec::new();
    let mut codes = Vec::with_capacity(zones.features.len());
    let mut first: BTreeMap<DivisionCode, usize> = BTreeMap::new();
    for (i, feature) in zones.features.iter().enumerate() {
        let fault = |found: String, expected: &str, remedy: &str| {
            Fault::new(&zones.source, found, expected, remedy)
                .at(format!("feature {}, column {column}", i + 1))
        };
        match DivisionCode::parse(&feature.values[at]) {
            Ok((code, _)) => {
                if let Some(before) = first.insert(code.clone(), i) {
                    faults.push(fault(
                        format!("{code}, as feature {}", before + 1),
                        "each unit once",
                        "join the parts of the unit to one feature",
                    ));
                }
                codes.push(code);
            }
            Err(expected) => faults.push(fault(
                format!("`{}`", feature.values[at]),
                expected,
                "correct the code, or leave out --code",
            )),
        }
    }
    for (code, &i) in &first {
        let mut above = code.parent();
        while let Some(unit) = above {
            if first.contains_key(&unit) {
                faults.push(
                    Fault::new(
                        &zones.source,
                        format!("{code} beside {unit}, of which it is a part"),
                        "zones that do not contain each other",
                        "keep the units of one level: those above are added up",
                    )
                    .at(format!("feature {}, column {column}", i + 1)),
                );
                break;
            }
            above = unit.parent();
        }
    }
    if faults.is_empty() {
        Ok(codes)
    } else {
        Err(Error::Input(faults))
    }
}

/// The units above the zones, provinces first, each level by code.
pub(super) fn above(codes: &[DivisionCode], sums: &[ZoneSums]) -> Vec<Unit> {
    let mut units: BTreeMap<(Level, DivisionCode), Unit> = BTreeMap::new();
    for (code, zone) in codes.iter().zip(sums) {
        let mut next = code.parent();
        while let Some(code) = next {
            next = code.parent();
            units
                .entry((code.level(), code.clone()))
                .and_modify(|unit| {
                    unit.zones += 1;
                    unit.sums.merge(zone);
                })
                .or_insert_with(|| Unit {
                    code,
                    zones: 1,
                    sums: zone.clone(),
                });
        }
    }
    units.into_values().collect()
}

/// Name of a level.
pub(super) fn level_name(level: Level, zh: bool) -> &'static str {
    match (level, zh) {
        (Level::Province, true) => "省级",
        (Level::Prefecture, true) => "地级",
        (Level::County, true) => "县级",
        (Level::Township, true) => "乡级",
        (Level::Village, true) => "村级",
        (Level::Province, false) => "province",
        (Level::Prefecture, false) => "prefecture",
        (Level::County, false) => "county",
        (Level::Township, false) => "township",
        (Level::Village, false) => "village",
    }
}
