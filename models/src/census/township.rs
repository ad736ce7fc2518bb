//! Township cells (乡镇单元) where no township borders are given: the cells of a unit by their nearest large settlement.
//!
//! The cells are made up and carry numbers for names: no real township gets an invented border under its own name.

use anlan_engine::Raster;
use rayon::prelude::*;
use serde::Deserialize;

/// The file `standards/townships.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TownshipRule {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened: `read` or `unverified`.
    pub status: String,
    /// Residents of a township.
    pub residents_per_township: f64,
    /// Fewest townships of a unit.
    pub least: usize,
    /// Most townships of a unit.
    pub most: usize,
    /// Least share of the residents for whom shelters have a place.
    pub least_shelter_share: f64,
    /// Greatest share.
    pub greatest_shelter_share: f64,
}

impl TownshipRule {
    /// The compiled-in file.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/townships.toml"))
            .expect("the compiled-in table is read by a test")
    }
}

/// A township cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Township {
    /// Nine digits: the unit's six and a number.
    pub code: String,
    /// A number for a name.
    pub name: String,
    /// Index of the unit.
    pub unit: usize,
    /// x of the settlement it grew around, compute CRS, m.
    pub x: f64,
    /// y of it.
    pub y: f64,
}

/// Townships of a unit around its largest settlements, (x, y, residents) in the compute CRS; around `middle` where there
/// are none. Settlements of equal size keep their order.
pub fn townships(
    rule: &TownshipRule,
    unit: usize,
    (code, name, residents): (&str, &str, u64),
    settlements: &[(f64, f64, f64)],
    middle: (f64, f64),
) -> Vec<Township> {
    let wanted = (residents as f64 / rule.residents_per_township).round() as usize;
    let mut order: Vec<usize> = (0..settlements.len()).collect();
    order.sort_by(|&a, &b| settlements[b].2.total_cmp(&settlements[a].2));
    order.truncate(wanted.clamp(rule.least, rule.most));
    let mut centres: Vec<(f64, f64)> = order
        .iter()
        .map(|&i| (settlements[i].0, settlements[i].1))
        .collect();
    if centres.is_empty() {
        centres.push(middle);
    }
    centres
        .into_iter()
        .enumerate()
        .map(|(n, (x, y))| Township {
            code: format!("{code}{:03}", n + 1),
            name: format!("{name}合成乡镇{:02}", n + 1),
            unit,
            x,
            y,
        })
        .collect()
}

/// Index of the township of each cell: the nearest of its unit; `u16::MAX` outside the units. `unit`: index of the unit.
pub fn township_cells(unit: &Raster<u16>, townships: &[Township]) -> Raster<u16> {
    let grid = unit.grid;
    let units = townships.iter().map(|t| t.unit + 1).max().unwrap_or(0);
    let of_unit: Vec<Vec<usize>> = (0..units)
        .map(|u| {
            (0..townships.len())
                .filter(|&t| townships[t].unit == u)
                .collect()
        })
        .collect();
    let mut out = Raster::filled(grid, u16::MAX);
    out.values_mut()
        .par_chunks_mut(grid.cols)
        .enumerate()
        .for_each(|(row, line)| {
            let y = grid.y(row);
            for (col, out) in line.iter_mut().enumerate() {
                let Some(near) = of_unit.get(unit.data[(row, col)] as usize) else {
                    continue;
                };
                let x = grid.x(col);
                let away = |t: usize| {
                    let (dx, dy) = (townships[t].x - x, townships[t].y - y);
                    dx * dx + dy * dy
                };
                if let Some(t) = near
                    .iter()
                    .copied()
                    .min_by(|&a, &b| away(a).total_cmp(&away(b)))
                {
                    *out = t as u16;
                }
            }
        });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};
    use ndarray::arr2;

    #[test]
    fn cells_go_to_the_nearest_settlement_of_their_own_unit() {
        let mut rule = TownshipRule::builtin();
        (rule.least, rule.most) = (1, 2);
        let a = townships(
            &rule,
            0,
            ("330702", "甲", 90_000),
            &[(60.0, 50.0, 10.0), (250.0, 50.0, 900.0), (10.0, 10.0, 1.0)],
            (0.0, 0.0),
        );
        assert_eq!(a.len(), 2);
        assert_eq!(
            (a[0].code.as_str(), a[0].x, a[1].x),
            ("330702001", 250.0, 60.0)
        );
        let b = townships(&rule, 1, ("330703", "乙", 10), &[], (350.0, 50.0));
        let all: Vec<Township> = a.into_iter().chain(b).collect();
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 100.0),
            (100.0, 100.0),
            (1, 5),
        )
        .unwrap();
        let unit = Raster::new(grid, arr2(&[[0_u16, 0, 0, 1, u16::MAX]]));
        // The fourth cell lies nearer to 250 m, but belongs to the other unit.
        assert_eq!(township_cells(&unit, &all).values(), [1, 1, 0, 2, u16::MAX]);
    }
}
