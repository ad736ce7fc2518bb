//! Rivers without survey (无测量资料河道) and the choice of cells for the 2-D solver.
//!
//! * Bankfull width and depth follow from drainage area by a power law (hydraulic geometry, Leopold & Maddock 1953).
//! * A terrain model shows the water surface of a river, not its bed: channels lie below the cells, and what they hold
//!   below their banks is no flood.
//! * The solver gets channels and their valley floors; hillslopes drain into it ([`crate::flood::runoff`]).

use crate::flood::rain::ArealReduction;
use crate::flood::solver::{ACTIVE, Channels, WALL};
use anlan_engine::hydrology::STEPS;
use anlan_engine::{Error, Fault, Raster, Result};
use serde::Deserialize;
use std::path::Path;

/// Bankfull width a A^b and depth c A^d, m, of a drainage area A, km².
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HydraulicGeometry {
    /// Where the numbers come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// a, m.
    pub width_a_m: f64,
    /// b.
    pub width_b: f64,
    /// c, m.
    pub depth_c_m: f64,
    /// d.
    pub depth_d: f64,
}

impl HydraulicGeometry {
    /// Bankfull width, m.
    pub fn width_m(&self, area_km2: f64) -> f64 {
        self.width_a_m * libm::pow(area_km2, self.width_b)
    }

    /// Bankfull depth, m.
    pub fn depth_m(&self, area_km2: f64) -> f64 {
        self.depth_c_m * libm::pow(area_km2, self.depth_d)
    }
}

/// The tables of `standards/rivers.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiverTables {
    /// Channel geometry.
    pub geometry: HydraulicGeometry,
    /// Areal reduction of point rain.
    pub areal_reduction: ArealReduction,
}

impl RiverTables {
    /// The tables that come with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> RiverTables {
        RiverTables::parse(
            include_str!("../../standards/rivers.toml"),
            Path::new("standards/rivers.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, numbers out of range.
    pub fn parse(text: &str, file: &Path) -> Result<RiverTables> {
        let tables: RiverTables = super::runoff::parse_toml(text, file)?;
        let g = &tables.geometry;
        if [g.width_a_m, g.depth_c_m].iter().all(|v| *v > 0.0)
            && [g.width_b, g.depth_d]
                .iter()
                .all(|v| (0.0..=1.0).contains(v))
        {
            return Ok(tables);
        }
        Err(Error::input(
            Fault::new(
                file,
                format!("{g:?}"),
                "positive coefficients and exponents from 0 to 1",
                "correct the power law",
            )
            .at("geometry"),
        ))
    }
}

/// Which cells the 2-D solver gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValleyOptions {
    /// Drainage area from which a cell is a channel, km².
    pub channel_km2: f64,
    /// Height above the nearest drainage up to which ground belongs to the valley floor, m.
    pub hand_m: f32,
}

impl Default for ValleyOptions {
    fn default() -> Self {
        ValleyOptions {
            channel_km2: 5.0,
            hand_m: 15.0,
        }
    }
}

/// Cells of the solver: channels and valley floors are [`ACTIVE`], all others [`WALL`]. Cells without terrain
/// (NaN) are walls; mark the sea as outlet afterwards.
///
/// `hand_m`: height above nearest drainage, m, for channels of the same threshold; `accumulation`: cells drained.
pub fn valley_mask(
    hand_m: &Raster<f32>,
    accumulation: &Raster<f32>,
    options: &ValleyOptions,
) -> Raster<u8> {
    assert_eq!(
        hand_m.grid.shape(),
        accumulation.grid.shape(),
        "HAND and accumulation differ in shape"
    );
    let grid = hand_m.grid;
    let mut mask = Raster::filled(grid, WALL);
    for (row, (mask, (hand, cells))) in mask
        .values_mut()
        .chunks_mut(grid.cols)
        .zip(
            hand_m
                .values()
                .chunks(grid.cols)
                .zip(accumulation.values().chunks(grid.cols)),
        )
        .enumerate()
    {
        let channel = options.channel_km2 * 1e6 / grid.cell_area_m2(row);
        for ((m, &hand), &cells) in mask.iter_mut().zip(hand).zip(cells) {
            if f64::from(cells) >= channel || hand <= options.hand_m {
                *m = ACTIVE;
            }
        }
    }
    mask
}

/// The bed with diagonal ways opened.
///
/// The solver exchanges water across the four edges of a cell. Where an active cell drains diagonally and neither cell
/// beside the step is active and as low, water would pond that in truth runs off: the lower of the two is lowered to the
/// draining cell's bed and joins the active cells of `mask`.
pub fn open_diagonals(
    bed_m: &Raster<f32>,
    directions: &Raster<u8>,
    mask: &mut Raster<u8>,
) -> Raster<f32> {
    assert!(
        [directions.grid, mask.grid] == [bed_m.grid; 2],
        "rasters of one grid"
    );
    let grid = bed_m.grid;
    let mut opened = bed_m.clone();
    for cell in 0..grid.cells() {
        let code = usize::from(directions.values()[cell]);
        if mask.values()[cell] != ACTIVE || code >= 8 || code % 2 == 0 {
            continue;
        }
        let (r, c) = (cell / grid.cols, cell % grid.cols);
        let (down, right) = STEPS[code];
        let beside = [
            r.wrapping_add_signed(down) * grid.cols + c,
            r * grid.cols + c.wrapping_add_signed(right),
        ];
        let bed = opened.values()[cell];
        let z = |k: usize| opened.values()[k];
        let open = |k: usize| mask.values()[k] == ACTIVE && z(k) <= bed;
        if open(beside[0]) || open(beside[1]) {
            continue;
        }
        // A cell without terrain is no way.
        let lower = match (z(beside[0]).is_nan(), z(beside[1]).is_nan()) {
            (true, true) => continue,
            (true, false) => beside[1],
            (false, true) => beside[0],
            _ if z(beside[0]) <= z(beside[1]) => beside[0],
            _ => beside[1],
        };
        let ground = &mut opened.values_mut()[lower];
        *ground = ground.min(bed);
        mask.values_mut()[lower] = ACTIVE;
    }
    opened
}

/// Channels below the cells of the solver where at least `channel_km2` drain: width (at most the cell's) and depth by
/// hydraulic geometry, joined along the drainage. `kind`: cells of the solver are [`ACTIVE`].
pub fn channels_below(
    directions: &Raster<u8>,
    accumulation: &Raster<f32>,
    kind: &Raster<u8>,
    geometry: &HydraulicGeometry,
    channel_km2: f64,
    manning_n: f32,
) -> Channels {
    let grid = kind.grid;
    assert!(
        [directions.grid, accumulation.grid] == [grid; 2],
        "rasters of one grid"
    );
    let mut out = Channels::default();
    let mut reach_of = vec![u32::MAX; grid.cells()];
    for cell in 0..grid.cells() {
        let row = cell / grid.cols;
        let area = f64::from(accumulation.values()[cell]) * grid.cell_area_m2(row) / 1e6;
        if kind.values()[cell] == ACTIVE && area >= channel_km2 {
            reach_of[cell] = out.cells.len() as u32;
            out.cells.push(cell as u32);
            let widest = grid.cell_size_m(row).0;
            out.width_m.push(geometry.width_m(area).min(widest) as f32);
            out.depth_m.push(geometry.depth_m(area) as f32);
            out.manning_n.push(manning_n);
        }
    }
    for (reach, &cell) in out.cells.iter().enumerate() {
        let Some(&(down, right)) = STEPS.get(usize::from(directions.values()[cell as usize]))
        else {
            continue;
        };
        let (row, col) = grid.row_col(cell);
        let next = (row.checked_add_signed(down))
            .zip(col.checked_add_signed(right))
            .filter(|&(r, c)| r < grid.rows && c < grid.cols)
            .map(|(r, c)| reach_of[grid.index(r, c) as usize]);
        if let Some(next) = next.filter(|&n| n != u32::MAX) {
            out.joints.push((reach as u32, next));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};
    use ndarray::arr2;

    #[test]
    fn channels_below_follow_the_drainage() {
        let crs = Crs::from_epsg(4549).unwrap();
        let grid = Grid::new(crs, (0.0, 0.0), (100.0, 100.0), (3, 5)).unwrap();
        // A valley to the east.
        let bed = |(r, c): (usize, usize)| 10.0 - c as f32 + 5.0 * (r as f32 - 1.0).abs();
        let bed = Raster::new(grid, ndarray::Array2::from_shape_fn((3, 5), bed));
        let directions = anlan_engine::hydrology::flow_direction(&bed);
        let accumulation = anlan_engine::hydrology::flow_accumulation(&directions, None);
        let kind = Raster::filled(grid, ACTIVE);
        let geometry = RiverTables::published().geometry;
        let c = channels_below(&directions, &accumulation, &kind, &geometry, 0.03, 0.04);
        assert!(c.cells.iter().all(|&cell| (5..10).contains(&cell)), "{c:?}");
        assert_eq!(c.joints.len() + 1, c.cells.len());
        assert!(c.width_m.windows(2).all(|w| w[0] < w[1]));
        assert!((f64::from(c.depth_m[0]) - geometry.depth_m(0.03)).abs() < 0.1);
    }

    #[test]
    fn channels_and_valley_floors_are_chosen() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (100.0, 100.0),
            (1, 4),
        )
        .unwrap();
        let hand = Raster::new(grid, arr2(&[[0.0, 3.0, 40.0, f32::NAN]]));
        // 10,000 cells of 1 ha = 100 km².
        let acc = Raster::new(grid, arr2(&[[10_000.0, 3.0, 1.0, f32::NAN]]));
        let options = ValleyOptions::default();
        assert_eq!(
            valley_mask(&hand, &acc, &options).values(),
            [ACTIVE, ACTIVE, WALL, WALL]
        );
        let geometry = RiverTables::published().geometry;
        // The discharge that the table is made from, 100 km²: 67.1 m³/s, 7.2 Q^0.5 = 59.0 m and 0.27 Q^0.3 = 0.95 m; the power law
        // through all areas is within a tenth.
        assert!((geometry.width_m(100.0) / 59.0 - 1.0).abs() < 0.1);
        assert!((geometry.depth_m(100.0) / 0.95 - 1.0).abs() < 0.1);
    }

    #[test]
    fn diagonal_ways_are_joined_across_edges() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (100.0, 100.0),
            (2, 2),
        )
        .unwrap();
        // The channel runs from the north-west to the south-east; the south-west cell is the lower bank.
        let bed = Raster::new(grid, arr2(&[[10.0_f32, 20.0], [15.0, 9.0]]));
        let directions = Raster::new(grid, arr2(&[[1_u8, 2], [0, 255]]));
        let acc = Raster::new(grid, arr2(&[[10_000.0_f32, 1.0], [1.0, 10_003.0]]));
        let hand = Raster::new(grid, arr2(&[[0.0_f32, 40.0], [40.0, 0.0]]));
        let options = ValleyOptions::default();
        let mut mask = valley_mask(&hand, &acc, &options);
        assert_eq!(mask.values()[2], WALL);
        let opened = open_diagonals(&bed, &directions, &mut mask);
        assert_eq!(opened.values(), [10.0, 20.0, 10.0, 9.0]);
        assert_eq!((mask.values()[1], mask.values()[2]), (WALL, ACTIVE));
    }

    #[test]
    fn a_negative_width_is_named() {
        let text = include_str!("../../standards/rivers.toml")
            .replace("width_a_m = 13.7", "width_a_m = -1.0");
        let error = RiverTables::parse(&text, Path::new("my.toml")).unwrap_err();
        assert!(error.is_input() && error.to_string().contains("my.toml, geometry"));
    }
}
