//! Flood protection standards (防洪标准) where the dykes themselves are not known: by the size of the town, and in the
//! country by the size of the river.

use crate::landcover::igbp;
use crate::weather::Status;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

const SHIPPED: &str = include_str!("../../standards/flood_protection.toml");

/// Built-up ground of units with so many urban residents or more.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrbanStandard {
    /// Urban residents of the unit.
    pub least_residents: u64,
    /// Return period of the flood that is kept out, years.
    pub years: f64,
}

/// Other ground along rivers that drain so much or more.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuralStandard {
    /// Drainage area, km².
    pub least_area_km2: f64,
    /// Return period of the flood that is kept out, years.
    pub years: f64,
}

/// The table of protection standards.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtectionTable {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
    /// By ascending residents.
    pub urban: Vec<UrbanStandard>,
    /// By ascending area.
    pub rural: Vec<RuralStandard>,
}

impl ProtectionTable {
    /// The compiled-in table.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED, Path::new("standards/flood_protection.toml"))
            .expect("the compiled-in table is read by a test")
    }

    /// Reads a table; `file` is named in faults.
    ///
    /// # Errors
    /// Not of the documented form; rows that do not ascend; return periods outside 1..=10,000 years.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let table: ProtectionTable = super::runoff::parse_toml(text, file)?;
        let urban: Vec<(f64, f64)> = table
            .urban
            .iter()
            .map(|u| (u.least_residents as f64, u.years))
            .collect();
        let rural: Vec<(f64, f64)> = table
            .rural
            .iter()
            .map(|r| (r.least_area_km2, r.years))
            .collect();
        let faults: Vec<Fault> = [("urban", urban), ("rural", rural)]
            .into_iter()
            .filter(|(_, rows)| {
                rows.windows(2).any(|w| w[0].0 >= w[1].0)
                    || rows.iter().any(|r| !(1.0..=10_000.0).contains(&r.1))
            })
            .map(|(key, rows)| {
                Fault::new(
                    file,
                    format!("{rows:?}"),
                    "rows that ascend, each with 1 to 10,000 years",
                    "sort the rows and correct the years",
                )
                .at(key)
            })
            .collect();
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Return period, years, of the flood that is kept out of a cell; 0 for none. `cover`: IGBP class; `urban_residents`:
    /// of the cell's unit; `river_km2`: drainage area of the channel that the cell drains to.
    pub fn years(&self, cover: u8, urban_residents: u64, river_km2: f64) -> f64 {
        if cover == igbp::URBAN {
            let n = self
                .urban
                .partition_point(|u| u.least_residents <= urban_residents);
            self.urban[..n].last().map_or(0.0, |u| u.years)
        } else {
            let n = self
                .rural
                .partition_point(|r| r.least_area_km2 <= river_km2);
            self.rural[..n].last().map_or(0.0, |r| r.years)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_by_size_and_country_by_river() {
        let t = ProtectionTable::shipped();
        assert_eq!(t.years(igbp::URBAN, 150_000, 3.0), 20.0);
        assert_eq!(t.years(igbp::URBAN, 700_000, 3.0), 100.0);
        assert_eq!(t.years(igbp::CROPLAND, 700_000, 19.0), 0.0);
        assert_eq!(t.years(igbp::CROPLAND, 700_000, 250.0), 10.0);
        let swapped = SHIPPED.replace("least_area_km2 = 200.0", "least_area_km2 = 2.0");
        let e = ProtectionTable::parse(&swapped, Path::new("mine.toml")).unwrap_err();
        assert!(e.to_string().contains("mine.toml, rural"), "{e}");
    }
}
