//! Hazard classes of flood water (洪水危险性等级) by depth, velocity and their product.

use crate::cartography::Colour;
use crate::weather::Status;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

/// A class and what it means.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// Code.
    pub code: String,
    /// What it means.
    pub meaning: String,
    /// The same in Chinese.
    pub meaning_zh: String,
    /// Colour on maps.
    pub colour: Colour,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: String,
    meaning: String,
    meaning_zh: String,
    colour: Colour,
    depth_m: f32,
    velocity_m_s: f32,
    product_m2_s: f32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    source: String,
    status: Status,
    class: Vec<Row>,
    beyond: Meaning,
}

/// The classes of `standards/flood_hazard.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct DangerClasses {
    /// Where the limits come from.
    pub source: String,
    /// Whether the source was read.
    pub status: Status,
    limits: Vec<[f32; 3]>,
    meanings: Vec<Meaning>,
}

impl DangerClasses {
    /// The table that comes with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> DangerClasses {
        DangerClasses::parse(
            include_str!("../../standards/flood_hazard.toml"),
            Path::new("standards/flood_hazard.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, limits that fall from one class to the next, more than 100 classes.
    pub fn parse(text: &str, file: &Path) -> Result<DangerClasses> {
        let table: Table = super::runoff::parse_toml(text, file)?;
        let limits: Vec<[f32; 3]> = (table.class.iter())
            .map(|c| [c.depth_m, c.velocity_m_s, c.product_m2_s])
            .collect();
        let rises = |w: &[[f32; 3]]| (0..3).all(|k| w[0][k] <= w[1][k]);
        let positive = limits.iter().flatten().all(|v| *v > 0.0 && v.is_finite());
        if !limits.windows(2).all(rises) || !positive || limits.is_empty() || limits.len() > 100 {
            return Err(Error::input(
                Fault::new(
                    file,
                    format!("{limits:?}"),
                    "limits above 0 that do not fall from one class to the next",
                    "correct the table",
                )
                .at("class"),
            ));
        }
        let meaning = |c: Row| Meaning {
            code: c.code,
            meaning: c.meaning,
            meaning_zh: c.meaning_zh,
            colour: c.colour,
        };
        Ok(DangerClasses {
            source: table.source,
            status: table.status,
            limits,
            meanings: (table.class.into_iter().map(meaning))
                .chain([table.beyond])
                .collect(),
        })
    }

    /// What the classes mean, from the mildest.
    pub fn meanings(&self) -> &[Meaning] {
        &self.meanings
    }

    /// Class of water, 1 the mildest; 0 where it is dry.
    pub fn class(&self, depth_m: f32, velocity_m_s: f32, product_m2_s: f32) -> u8 {
        if depth_m.is_nan() || depth_m <= 0.0 {
            return 0;
        }
        let water = [depth_m, velocity_m_s, product_m2_s];
        let within = |limit: &[f32; 3]| (0..3).all(|k| water[k] <= limit[k]);
        let class = self.limits.iter().position(within);
        class.unwrap_or(self.limits.len()) as u8 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_limits_count() {
        let classes = DangerClasses::published();
        assert_eq!(classes.meanings().len(), 6);
        let class = |d, v| classes.class(d, v, d * v);
        assert_eq!(class(0.0, 0.0), 0);
        assert_eq!(class(0.3, 1.0), 1);
        assert_eq!(class(0.31, 0.1), 2);
        assert_eq!(class(0.1, 2.5), 5);
        assert_eq!(class(1.0, 0.5), 3);
        assert_eq!(class(1.0, 0.8), 4);
        assert_eq!(class(2.0, 1.9), 5);
        assert_eq!(class(4.1, 0.0), 6);
        assert_eq!(class(1.2, 4.0), 6);
        assert_eq!(classes.class(f32::NAN, 0.0, 0.0), 0);
    }
}
