//! Units of several levels (township → county → prefecture → province): sums that are equal at every level, and means of
//! cells weighted by what they hold.

use crate::census::Level;
use anlan_engine::{Error, Result};
use std::iter::Sum;

/// Name of a level in tables.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Province => "province",
        Level::Prefecture => "prefecture",
        Level::County => "county",
        Level::Township => "township",
        Level::Village => "village",
    }
}

/// Chinese name of a level.
pub fn level_name_zh(level: Level) -> &'static str {
    match level {
        Level::Province => "省级",
        Level::Prefecture => "地级",
        Level::County => "县级",
        Level::Township => "乡镇级",
        Level::Village => "村级",
    }
}

/// All units of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelUnits {
    /// The level.
    pub level: Level,
    /// Codes.
    pub codes: Vec<String>,
    /// Names.
    pub names: Vec<String>,
    /// For each unit the one above it, as an index into the next level; empty at the top.
    pub parent: Vec<usize>,
}

/// The levels, lowest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchy {
    /// The levels.
    pub levels: Vec<LevelUnits>,
}

impl Hierarchy {
    /// Sums at every level of values of the lowest level. Real numbers are added in the order of the units, level by level.
    ///
    /// # Panics
    /// Not one value per unit of the lowest level.
    pub fn sums<T: Copy + Default + Sum<T>>(&self, lowest: Vec<T>) -> Vec<Vec<T>> {
        assert_eq!(
            lowest.len(),
            self.levels[0].codes.len(),
            "one value per unit"
        );
        let mut all = vec![lowest];
        for (below, above) in self.levels.iter().zip(&self.levels[1..]) {
            let of = all.last().map_or(&[][..], Vec::as_slice);
            let sums = (0..above.codes.len())
                .map(|u| {
                    let parts = below.parent.iter().zip(of).filter(|(p, _)| **p == u);
                    parts.map(|(_, v)| *v).sum()
                })
                .collect();
            all.push(sums);
        }
        all
    }

    /// Sums of counts at every level, proved equal to the count of all cells.
    ///
    /// # Errors
    /// Levels that differ: a mistake of ours, told and not hidden.
    pub fn counts(&self, what: &str, lowest: Vec<u64>, all: u64) -> Result<Vec<Vec<u64>>> {
        let sums = self.sums(lowest);
        for (level, sum) in self.levels.iter().zip(&sums) {
            let found: u64 = sum.iter().sum();
            if found != all {
                return Err(Error::Failed(format!(
                    "{what}: the units of level {} add up to {found}, the cells to {all}",
                    level_name(level.level)
                )));
            }
        }
        Ok(sums)
    }
}

/// Sums of value × weight and of weight by unit of the lowest level; `unit[i]` of row i, `u32::MAX` for rows outside all
/// units. Rows without a value (NaN) count as 0: nothing threatens what they hold.
///
/// # Panics
/// Slices of different lengths.
pub fn weighted(unit: &[u32], values: &[f64], weights: &[f64], units: usize) -> Vec<[f64; 2]> {
    assert!(
        unit.len() == values.len() && unit.len() == weights.len(),
        "rows of one table"
    );
    let mut sums = vec![[0.0; 2]; units];
    for ((&u, &v), &w) in unit.iter().zip(values).zip(weights) {
        if let Some(sum) = sums.get_mut(u as usize) {
            sum[0] += if v.is_nan() { 0.0 } else { v * w };
            sum[1] += w;
        }
    }
    sums
}

/// Means at every level of sums as [`weighted`] gives them; NaN for units without weight.
pub fn means(hierarchy: &Hierarchy, lowest: &[[f64; 2]]) -> Vec<Vec<f64>> {
    let part = |k: usize| hierarchy.sums(lowest.iter().map(|s| s[k]).collect());
    part(0)
        .into_iter()
        .zip(part(1))
        .map(|(sum, weight)| {
            sum.iter()
                .zip(&weight)
                .map(|(s, w)| if *w > 0.0 { s / w } else { f64::NAN })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_levels() -> Hierarchy {
        let level = |level, codes: &[&str], parent: &[usize]| LevelUnits {
            level,
            codes: codes.iter().map(ToString::to_string).collect(),
            names: codes.iter().map(ToString::to_string).collect(),
            parent: parent.to_vec(),
        };
        Hierarchy {
            levels: vec![
                level(Level::Township, &["1", "2", "3"], &[0, 1, 0]),
                level(Level::County, &["A", "B"], &[0, 0]),
                level(Level::Prefecture, &["P"], &[]),
            ],
        }
    }

    #[test]
    fn sums_are_equal_at_every_level() {
        let h = two_levels();
        assert_eq!(
            h.counts("people", vec![5, 7, 11], 23).unwrap(),
            [vec![5, 7, 11], vec![16, 7], vec![23]]
        );
        let error = h.counts("people", vec![5, 7, 11], 24).unwrap_err();
        assert!(error.to_string().contains("add up to 23"));
    }

    #[test]
    fn means_weigh_cells_and_count_those_without_risk() {
        let h = two_levels();
        // Township 1: (0.5 x 2 + nothing x 2)/4; 2: no weight; 3: 1.0; the last row is outside.
        let sums = weighted(
            &[0, 0, 1, 2, u32::MAX],
            &[0.5, f64::NAN, 0.9, 1.0, 9.0],
            &[2.0, 2.0, 0.0, 1.0, 9.0],
            3,
        );
        let m = means(&h, &sums);
        assert_eq!((m[0][0], m[0][2], m[1][0], m[2][0]), (0.25, 1.0, 0.4, 0.4));
        assert!(m[0][1].is_nan() && m[1][1].is_nan());
    }
}
