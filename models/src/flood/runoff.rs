//! From rain to the solver: losses by the SCS curve-number method (径流曲线数法) with its tables by land cover.
//!
//! * S = 25400 / CN - 254 mm, Ia = 0.2 S, Pe = (P - Ia)² / (P - Ia + S) for P > Ia (USDA SCS 1972, NEH-4 ch. 10);
//!   increments of Pe follow cumulative rain. Curve numbers of dry and wet ground by Chow, Maidment & Mays (1988),
//!   Applied Hydrology, eqs. 5.5.7-5.5.8.

use crate::flood::rain::Hyetograph;
use anlan_engine::{Error, Fault, Raster, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Wetness of the ground before a storm (前期土壤湿度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wetness {
    /// AMC I.
    Dry,
    /// AMC II.
    Normal,
    /// AMC III.
    Wet,
}

impl Wetness {
    /// All states, from dry to wet.
    pub const ALL: [Wetness; 3] = [Wetness::Dry, Wetness::Normal, Wetness::Wet];

    /// Name, as project files write it.
    pub fn name(self) -> &'static str {
        match self {
            Wetness::Dry => "dry",
            Wetness::Normal => "normal",
            Wetness::Wet => "wet",
        }
    }
}

/// Effective rain of a cumulative rain, mm; curve number 1..=100.
pub fn effective_rain_mm(rain_mm: f64, curve_number: f64) -> f64 {
    let s = 25_400.0 / curve_number - 254.0;
    let over = rain_mm - 0.2 * s;
    if over > 0.0 {
        over * over / (over + s)
    } else {
        0.0
    }
}

/// Rain that gives an effective rain, mm: the inverse of [`effective_rain_mm`]; Ia for none.
pub fn rain_for_effective_mm(effective_mm: f64, curve_number: f64) -> f64 {
    let s = 25_400.0 / curve_number - 254.0;
    0.2 * s
        + 0.5 * (effective_mm + libm::sqrt(effective_mm * effective_mm + 4.0 * effective_mm * s))
}

/// Curve number under another wetness than normal.
pub fn curve_number_for(normal: f64, wetness: Wetness) -> f64 {
    match wetness {
        Wetness::Dry => 4.2 * normal / (10.0 - 0.058 * normal),
        Wetness::Normal => normal,
        Wetness::Wet => 23.0 * normal / (10.0 + 0.13 * normal),
    }
}

/// Effective rain of every step of a hyetograph, mm.
pub fn effective_hyetograph_mm(rain: &Hyetograph, curve_number: f64) -> Vec<f64> {
    let (mut fallen, mut before) = (0.0, 0.0);
    rain.depth_mm
        .iter()
        .map(|d| {
            fallen += d;
            let total = effective_rain_mm(fallen, curve_number);
            let step = total - before;
            before = total;
            step
        })
        .collect()
}

/// Antecedent rain that makes ground dry or wet.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Antecedent {
    /// Where the numbers come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Antecedent precipitation index below which the ground is dry, mm.
    pub dry_below_mm: f64,
    /// Antecedent precipitation index above which the ground is wet, mm.
    pub wet_above_mm: f64,
}

impl Antecedent {
    /// Wetness at an antecedent precipitation index, mm.
    pub fn wetness(&self, index_mm: f64) -> Wetness {
        if index_mm < self.dry_below_mm {
            Wetness::Dry
        } else if index_mm > self.wet_above_mm {
            Wetness::Wet
        } else {
            Wetness::Normal
        }
    }
}

/// Curve numbers of one land cover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverCurve {
    /// Code of the land cover raster (IGBP).
    pub code: u8,
    /// Name.
    pub name: String,
    /// The cover of the published table that stands for it.
    #[serde(rename = "as")]
    pub stands_for: String,
    /// Curve numbers of soil groups A, B, C, D.
    pub cn: [u8; 4],
}

/// The tables of `standards/curve_numbers.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveNumbers {
    /// Where the numbers come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Wetness thresholds.
    pub antecedent: Antecedent,
    /// One row per land cover.
    pub cover: Vec<CoverCurve>,
}

impl CurveNumbers {
    /// The table that comes with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> CurveNumbers {
        CurveNumbers::parse(
            include_str!("../../standards/curve_numbers.toml"),
            Path::new("standards/curve_numbers.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, curve numbers outside 1..=100, a code twice.
    pub fn parse(text: &str, file: &Path) -> Result<CurveNumbers> {
        let table: CurveNumbers = parse_toml(text, file)?;
        let mut faults = Vec::new();
        for (k, cover) in table.cover.iter().enumerate() {
            if cover.cn.iter().any(|cn| !(1..=100).contains(cn)) {
                faults.push(
                    Fault::new(
                        file,
                        format!("{:?}", cover.cn),
                        "four curve numbers from 1 to 100",
                        "correct the row",
                    )
                    .at(format!("cover {}", cover.code)),
                );
            }
            if table.cover[..k].iter().any(|c| c.code == cover.code) {
                faults.push(Fault::new(
                    file,
                    format!("code {} twice", cover.code),
                    "one row per code",
                    "remove one of the rows",
                ));
            }
        }
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Curve number of a land cover on a soil group (0 A .. 3 D) under normal wetness; `None` for an unknown cover.
    pub fn curve_number(&self, code: u8, soil_group: u8) -> Option<u8> {
        let row = self.cover.iter().find(|c| c.code == code)?;
        row.cn.get(usize::from(soil_group)).copied()
    }

    /// Curve number per cell from land cover and soil group (0..=3; 0xFF and others: group `default_group`).
    ///
    /// # Errors
    /// A land cover without a row in the table; cells without cover (the raster's no-data value) get 0.
    pub fn raster(
        &self,
        cover: &Raster<u8>,
        soil_group: Option<&Raster<u8>>,
        default_group: u8,
    ) -> Result<Raster<u8>> {
        let mut table = [None; 256];
        for (code, slot) in table.iter_mut().enumerate() {
            *slot = self
                .cover
                .iter()
                .find(|c| usize::from(c.code) == code)
                .map(|c| c.cn);
        }
        let mut unknown = [false; 256];
        let mut out = Raster::filled(cover.grid, 0u8);
        for (at, (cn, &code)) in out.values_mut().iter_mut().zip(cover.values()).enumerate() {
            if Some(code) == cover.nodata {
                continue;
            }
            let group = soil_group.map_or(default_group, |g| g.values()[at]);
            let group = if group < 4 {
                group
            } else {
                default_group.min(3)
            };
            match table[usize::from(code)] {
                Some(row) => *cn = row[usize::from(group)],
                None => unknown[usize::from(code)] = true,
            }
        }
        let faults: Vec<Fault> = (0..256)
            .filter(|&c| unknown[c])
            .map(|c| {
                Fault::new(
                    "land cover",
                    format!("class {c}"),
                    "a class of the curve-number table",
                    "add a row to the table or reclassify the raster",
                )
            })
            .collect();
        if faults.is_empty() {
            Ok(out)
        } else {
            Err(Error::Input(faults))
        }
    }
}

/// Roughness of one land cover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverRoughness {
    /// Code of the land cover raster (IGBP).
    pub code: u8,
    /// Name.
    pub name: String,
    /// Manning's n, s m^(-1/3).
    pub manning_n: f32,
    /// Surface of the published table whose speed is used.
    pub surface: String,
    /// Speed of shallow concentrated flow at slope 1, m/s.
    pub k_m_s: f32,
}

/// The tables of `standards/roughness.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roughness {
    /// Where Manning's n comes from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the speeds come from.
    pub velocity_source: String,
    /// `read` or `unverified`.
    pub velocity_status: String,
    /// Least slope at which hillslope runoff moves.
    pub slope_min: f32,
    /// Manning's n of river cells.
    pub channel_n: f32,
    /// One row per land cover.
    pub cover: Vec<CoverRoughness>,
}

impl Roughness {
    /// The table that comes with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> Roughness {
        Roughness::parse(
            include_str!("../../standards/roughness.toml"),
            Path::new("standards/roughness.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, values not above zero.
    pub fn parse(text: &str, file: &Path) -> Result<Roughness> {
        let table: Roughness = parse_toml(text, file)?;
        let bad = |v: f32| !(v > 0.0 && v.is_finite());
        let faults: Vec<Fault> = table
            .cover
            .iter()
            .filter(|c| bad(c.manning_n) || c.manning_n > 1.0 || bad(c.k_m_s))
            .map(|c| {
                Fault::new(
                    file,
                    format!("n {}, k {} m/s", c.manning_n, c.k_m_s),
                    "n above 0, at most 1; k above 0",
                    "correct the row",
                )
                .at(format!("cover {}", c.code))
            })
            .chain((bad(table.slope_min) || bad(table.channel_n)).then(|| {
                Fault::new(
                    file,
                    format!(
                        "slope_min {}, channel_n {}",
                        table.slope_min, table.channel_n
                    ),
                    "both above 0",
                    "correct the values",
                )
            }))
            .collect();
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// The row of a land cover; `None` for an unknown one.
    pub fn of(&self, code: u8) -> Option<&CoverRoughness> {
        self.cover.iter().find(|c| c.code == code)
    }
}

/// Reads a TOML table of ours and names file and place of what is wrong with it.
pub(super) fn parse_toml<T: DeserializeOwned>(text: &str, file: &Path) -> Result<T> {
    toml::from_str(text).map_err(|e| {
        let line = e
            .span()
            .map_or(0, |s| text[..s.start].matches('\n').count() + 1);
        Error::input(
            Fault::new(
                file,
                e.message().to_string(),
                "a table of the documented form",
                "compare it with the table that comes with the program",
            )
            .at(format!("line {line}")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_rain_by_hand() {
        // CN 75: S = 84.667, Ia = 16.933; P 100: 83.0667² / 167.7333 = 41.1373.
        assert!((effective_rain_mm(100.0, 75.0) - 41.137_3).abs() < 1e-3);
        assert_eq!(effective_rain_mm(16.9, 75.0), 0.0);
        assert!((effective_rain_mm(80.0, 100.0) - 80.0).abs() < 1e-12);
        assert!((rain_for_effective_mm(41.137_3, 75.0) - 100.0).abs() < 1e-3);
        assert!((curve_number_for(75.0, Wetness::Dry) - 55.752).abs() < 1e-3);
        assert!((curve_number_for(75.0, Wetness::Wet) - 87.342).abs() < 1e-3);
    }

    #[test]
    fn tables_are_complete() {
        let curves = CurveNumbers::published();
        let roughness = Roughness::published();
        for code in 1..=17 {
            let row: Vec<u8> = (0..4)
                .filter_map(|g| curves.curve_number(code, g))
                .collect();
            assert!(
                row.len() == 4 && row.windows(2).all(|w| w[0] <= w[1]),
                "{code}"
            );
            assert!(roughness.of(code).is_some());
        }
        assert_eq!(curves.curve_number(12, 1), Some(78));
        assert_eq!(curves.antecedent.wetness(10.0), Wetness::Dry);
        assert_eq!(curves.antecedent.wetness(80.0), Wetness::Wet);
        let broken = "source = 1";
        assert!(
            CurveNumbers::parse(broken, Path::new("x.toml"))
                .unwrap_err()
                .to_string()
                .contains("x.toml, line 1")
        );
    }
}
