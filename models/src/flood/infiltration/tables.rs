//! Tables of infiltration by soil and cover.

use super::{Infiltration, place};
use crate::flood::runoff::parse_toml;
use crate::weather::Status;
use anlan_engine::{Error, Fault, Raster, Result};
use serde::Deserialize;
use std::path::Path;

/// Green-Ampt parameters of a texture class.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texture {
    /// Code of the texture raster (HWSD).
    pub code: u8,
    /// Name.
    pub name: String,
    /// Total porosity.
    pub porosity: f32,
    /// Porosity less residual moisture.
    pub effective_porosity: f32,
    /// Suction head at the wetting front, mm.
    pub suction_mm: f32,
    /// Hydraulic conductivity for Green-Ampt, mm/h.
    pub conductivity_mm_h: f32,
}

/// Green-Ampt parameters by texture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextureTable {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was read.
    pub status: Status,
    /// One row per texture.
    pub texture: Vec<Texture>,
}

/// Horton parameters of a soil group.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HortonGroup {
    /// A, B, C or D.
    pub name: String,
    /// Capacity of dry soil, mm/h.
    pub initial_mm_h: f32,
    /// Capacity after long rain, mm/h.
    pub final_mm_h: f32,
    /// Decay, 1/h.
    pub decay_per_h: f32,
}

/// Horton parameters by soil group.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HortonTable {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was read.
    pub status: Status,
    /// Pace of drying as a share of the decay.
    pub recovery: f64,
    /// Groups A, B, C, D.
    pub group: Vec<HortonGroup>,
}

/// Steady loss of a land cover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverLoss {
    /// Code of the land cover raster (IGBP).
    pub code: u8,
    /// Rate, mm/h.
    pub rate_mm_h: f32,
}

/// Steady losses by land cover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossTable {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was read.
    pub status: Status,
    /// One row per cover.
    pub cover: Vec<CoverLoss>,
}

/// The tables of `standards/infiltration.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfiltrationTables {
    /// Green-Ampt.
    pub green_ampt: TextureTable,
    /// Horton.
    pub horton: HortonTable,
    /// Constant losses.
    pub constant: LossTable,
}

impl InfiltrationTables {
    /// The tables that come with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> InfiltrationTables {
        InfiltrationTables::parse(
            include_str!("../../../standards/infiltration.toml"),
            Path::new("standards/infiltration.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, numbers out of range, a code twice, soil groups other than A, B, C, D.
    pub fn parse(text: &str, file: &Path) -> Result<InfiltrationTables> {
        let tables: InfiltrationTables = parse_toml(text, file)?;
        let mut faults = Vec::new();
        let mut fault = |place: String, found: String, expected: &str| {
            faults.push(Fault::new(file, found, expected, "correct the row").at(place));
        };
        let positive = |v: f32| v > 0.0 && v.is_finite();
        let textures = &tables.green_ampt.texture;
        for (k, t) in textures.iter().enumerate() {
            let shares = positive(t.effective_porosity)
                && t.effective_porosity <= t.porosity
                && t.porosity < 1.0;
            if !(shares && positive(t.suction_mm) && positive(t.conductivity_mm_h)) {
                fault(
                    format!("green_ampt.texture {}", t.code),
                    format!("{t:?}"),
                    "effective porosity above 0 and at most the porosity, which is below 1; suction and conductivity above 0",
                );
            }
            if textures[..k].iter().any(|u| u.code == t.code) {
                fault(
                    format!("green_ampt.texture {}", t.code),
                    "the code twice".into(),
                    "one row per code",
                );
            }
        }
        let names: Vec<&str> = tables
            .horton
            .group
            .iter()
            .map(|g| g.name.as_str())
            .collect();
        if names != ["A", "B", "C", "D"] || !(0.0..=1.0).contains(&tables.horton.recovery) {
            fault(
                "horton".into(),
                format!("groups {names:?}, recovery {}", tables.horton.recovery),
                "groups A, B, C, D in this order and a recovery from 0 to 1",
            );
        }
        for g in &tables.horton.group {
            if !(positive(g.initial_mm_h)
                && g.final_mm_h >= 0.0
                && g.final_mm_h <= g.initial_mm_h
                && positive(g.decay_per_h))
            {
                fault(
                    format!("horton.group {}", g.name),
                    format!("{g:?}"),
                    "a final capacity from 0 to the initial one, which is above 0; a decay above 0",
                );
            }
        }
        let covers = &tables.constant.cover;
        for (k, c) in covers.iter().enumerate() {
            if !(c.rate_mm_h >= 0.0 && c.rate_mm_h.is_finite())
                || covers[..k].iter().any(|d| d.code == c.code)
            {
                fault(
                    format!("constant.cover {}", c.code),
                    format!("{} mm/h", c.rate_mm_h),
                    "a rate of at least 0, and one row per code",
                );
            }
        }
        if faults.is_empty() {
            Ok(tables)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Green-Ampt from textures. `saturation`: effective saturation before the storm, 0..=1; the deficit is the effective
    /// porosity times what is missing. Cells of the raster's no-data value take nothing.
    ///
    /// # Errors
    /// A texture without a row, a saturation out of range.
    pub fn green_ampt(
        &self,
        texture: &Raster<u8>,
        saturation: f32,
        ponded_head: bool,
    ) -> Result<Infiltration> {
        if !(0.0..=1.0).contains(&saturation) {
            return Err(Error::input(Fault::new(
                "effective saturation",
                saturation.to_string(),
                "0 to 1",
                "correct the value",
            )));
        }
        let row = |code: u8| self.green_ampt.texture.iter().find(|t| t.code == code);
        known("soil texture", texture, |code| row(code).is_some())?;
        let of = |value: fn(&Texture) -> f32| {
            texture.map(|code| match row(code) {
                Some(t) if Some(code) != texture.nodata => value(t),
                _ => 0.0,
            })
        };
        let mut deficit = of(|t| t.effective_porosity);
        for d in deficit.values_mut() {
            *d *= 1.0 - saturation;
        }
        Infiltration::green_ampt(
            &of(|t| t.conductivity_mm_h),
            &of(|t| t.suction_mm),
            &deficit,
            ponded_head,
        )
    }

    /// Horton from soil groups (0 A .. 3 D). Cells of the raster's no-data value take nothing.
    ///
    /// # Errors
    /// A group above 3.
    pub fn horton(&self, soil_group: &Raster<u8>) -> Result<Infiltration> {
        known("soil group", soil_group, |code| code < 4)?;
        let of = |value: fn(&HortonGroup) -> f32, missing: f32| {
            soil_group.map(|code| match self.horton.group.get(usize::from(code)) {
                Some(g) if Some(code) != soil_group.nodata => value(g),
                _ => missing,
            })
        };
        Infiltration::horton(
            &of(|g| g.initial_mm_h, 0.0),
            &of(|g| g.final_mm_h, 0.0),
            &of(|g| g.decay_per_h, 1.0),
            self.horton.recovery,
        )
    }

    /// Constant losses from land cover. Cells of the raster's no-data value take nothing.
    ///
    /// # Errors
    /// A cover without a row.
    pub fn constant(&self, cover: &Raster<u8>) -> Result<Infiltration> {
        let row = |code: u8| self.constant.cover.iter().find(|c| c.code == code);
        known("land cover", cover, |code| row(code).is_some())?;
        Infiltration::constant(&cover.map(|code| match row(code) {
            Some(c) if Some(code) != cover.nodata => c.rate_mm_h,
            _ => 0.0,
        }))
    }
}

/// Refuses codes without a row; each is named once, with its first cell.
fn known(what: &str, raster: &Raster<u8>, is_known: impl Fn(u8) -> bool) -> Result<()> {
    let mut first = [None; 256];
    for (at, &code) in raster.values().iter().enumerate() {
        if Some(code) != raster.nodata {
            first[usize::from(code)].get_or_insert(at);
        }
    }
    let faults: Vec<Fault> = (0..=255u8)
        .filter(|&code| !is_known(code))
        .filter_map(|code| {
            let at = first[usize::from(code)]?;
            Some(
                Fault::new(
                    what,
                    format!("class {code}"),
                    "a class of the infiltration table",
                    "add a row to the table, reclassify the raster, or set its no-data value",
                )
                .at(place(&raster.grid, at)),
            )
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}
