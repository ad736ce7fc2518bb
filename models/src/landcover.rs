//! Land cover on the fine grid, and what it says of a cell: how urban, how much under crops and forest.
//!
//! A coarse land-cover class (0.05°, MODIS) says little about a 90 m cell. The refinement puts forest on slopes, crops on
//! the flat, and towns on the flattest land nearest to the settlements, until the urban residents of each unit have
//! their space. It is synthetic and marked so. Classes keep the IGBP codes.

use anlan_engine::resample::{ClassMethod, resample_classes};
use anlan_engine::{Grid, Raster};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// IGBP codes that the refinement uses.
pub mod igbp {
    /// Water.
    pub const WATER: u8 = 0;
    /// Mixed forest.
    pub const MIXED_FOREST: u8 = 5;
    /// Woody savanna: most hill forest of east China in MODIS.
    pub const WOODY_SAVANNA: u8 = 8;
    /// Grassland.
    pub const GRASSLAND: u8 = 10;
    /// Permanent wetland.
    pub const WETLAND: u8 = 11;
    /// Cropland.
    pub const CROPLAND: u8 = 12;
    /// Urban and built-up.
    pub const URBAN: u8 = 13;
    /// Cropland and natural vegetation mosaic.
    pub const MOSAIC: u8 = 14;
    /// No data.
    pub const NONE: u8 = 255;
}

/// The file `standards/land_cover.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandCover {
    /// Name of the data set.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the figures come from.
    pub source: String,
    /// Rules of the refinement.
    pub refine: Refine,
    /// The classes.
    pub class: Vec<Class>,
}

/// One class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// IGBP code.
    pub code: u8,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
}

/// Rules of the refinement; units in the names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refine {
    /// Forest stands on slopes from here, degrees.
    pub forest_slope_deg: f32,
    /// Or from this height above the drainage, m.
    pub forest_hand_m: f32,
    /// Ground taken up per urban resident, m².
    pub urban_m2_per_head: f64,
    /// Towns stand on slopes up to this, degrees.
    pub urban_slope_deg: f32,
    /// And at least this high above the drainage, m.
    pub urban_hand_m: f32,
    /// Distance from a settlement counts this many times where the coarse class is urban, 0..=1.
    pub urban_seen_factor: f32,
    /// Distance from a settlement over which land is half as urban, m.
    pub urbanity_halving_m: f32,
    /// Share of a cropland cell under crops.
    pub crop_share: f32,
    /// Share of a forest cell under trees.
    pub forest_share: f32,
}

impl LandCover {
    /// The classes and rules that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../standards/land_cover.toml"))
            .expect("the compiled-in land cover is read by a test")
    }
}

/// What the refinement looks at, all on the compute grid.
#[derive(Debug, Clone, Copy)]
pub struct Terrain<'a> {
    /// Slope, degrees.
    pub slope_deg: &'a Raster<f32>,
    /// Height above nearest drainage, m.
    pub hand_m: &'a Raster<f32>,
    /// Distance to the nearest settlement, m.
    pub settlement_m: &'a Raster<f32>,
    /// Unit of each cell, 65535 outside.
    pub unit: &'a Raster<u16>,
}

/// Fine land cover from coarse classes, terrain and the urban residents of each unit.
///
/// Within each unit the urban cells are the `urban_m2_per_head × residents` of land with the least
/// (distance to settlement × (1 + slope/4°) × `urban_seen_factor` where the coarse class is urban), ties by cell number.
pub fn refine(
    coarse: &Raster<u8>,
    grid: &Grid,
    terrain: &Terrain<'_>,
    urban_population: &[u64],
    rules: &Refine,
) -> Raster<u8> {
    let mut cover = resample_classes(coarse, grid, ClassMethod::Nearest);
    let seen: Vec<bool> = cover.values().iter().map(|&c| c == igbp::URBAN).collect();
    let slope = terrain.slope_deg.values();
    let hand = terrain.hand_m.values();
    cover
        .values_mut()
        .par_iter_mut()
        .enumerate()
        .for_each(|(i, class)| {
            if *class == igbp::NONE || slope[i].is_nan() {
                return;
            }
            let hilly = slope[i] >= rules.forest_slope_deg || hand[i] >= rules.forest_hand_m;
            let flat =
                slope[i] < 0.5 * rules.forest_slope_deg && hand[i] < 0.5 * rules.forest_hand_m;
            *class = match *class {
                igbp::WATER | igbp::WETLAND => *class,
                1..=8 if flat => igbp::CROPLAND,
                1..=8 => *class,
                _ if hilly => igbp::WOODY_SAVANNA,
                igbp::URBAN => igbp::CROPLAND,
                other => other,
            };
        });
    place_towns(&mut cover, terrain, &seen, urban_population, rules);
    cover
}

fn place_towns(
    cover: &mut Raster<u8>,
    terrain: &Terrain<'_>,
    seen: &[bool],
    urban_population: &[u64],
    rules: &Refine,
) {
    let mut candidates: Vec<Vec<(f32, u32)>> = vec![Vec::new(); urban_population.len()];
    let (slope, hand) = (terrain.slope_deg.values(), terrain.hand_m.values());
    let distance = terrain.settlement_m.values();
    for (i, &unit) in terrain.unit.values().iter().enumerate() {
        let Some(list) = candidates.get_mut(unit as usize) else {
            continue;
        };
        let dry = cover.values()[i] != igbp::WATER;
        if dry && slope[i] <= rules.urban_slope_deg && hand[i] >= rules.urban_hand_m {
            let far = distance[i] * (1.0 + slope[i] / 4.0);
            let factor = if seen[i] {
                rules.urban_seen_factor
            } else {
                1.0
            };
            list.push((far * factor, i as u32));
        }
    }
    for (list, &people) in candidates.iter_mut().zip(urban_population) {
        list.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut wanted_m2 = people as f64 * rules.urban_m2_per_head;
        for &(_, cell) in list.iter() {
            if wanted_m2 <= 0.0 {
                break;
            }
            cover.values_mut()[cell as usize] = igbp::URBAN;
            let (row, _) = cover.grid.row_col(cell);
            wanted_m2 -= cover.grid.cell_area_m2(row);
        }
    }
}

/// What land cover says of a cell, for the exposure ledger.
#[derive(Debug, Clone)]
pub struct Shares {
    /// How urban, 0..=1.
    pub urbanity: Raster<f32>,
    /// Share under crops.
    pub crop_share: Raster<f32>,
    /// Share under forest.
    pub forest_share: Raster<f32>,
}

/// Urbanity and the shares of crops and forest from fine land cover: towns are wholly urban, land beside a settlement half.
pub fn shares(cover: &Raster<u8>, settlement_m: &Raster<f32>, rules: &Refine) -> Shares {
    let grid = cover.grid;
    let cells = cover.values();
    let distance = settlement_m.values();
    let map = |f: &(dyn Fn(usize) -> f32 + Sync)| {
        let mut out = Raster::filled(grid, 0.0);
        out.values_mut()
            .par_iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v = f(i));
        out
    };
    Shares {
        urbanity: map(&|i| match cells[i] {
            igbp::URBAN => 1.0,
            _ => 0.5 * libm::exp2f(-distance[i] / rules.urbanity_halving_m),
        }),
        crop_share: map(&|i| match cells[i] {
            igbp::CROPLAND => rules.crop_share,
            igbp::MOSAIC => 0.6 * rules.crop_share,
            _ => 0.0,
        }),
        forest_share: map(&|i| match cells[i] {
            1..=8 => rules.forest_share,
            igbp::MOSAIC => 0.3,
            _ => 0.0,
        }),
    }
}

/// Distance in metres from every cell centre to the nearest of some points, by a chamfer sweep over the grid (5-7-11
/// weights: within 2 % of the straight line; Borgefors 1986, doi:10.1016/S0734-189X(86)80047-0). Points outside the grid
/// do not count; without any point every distance is infinite.
pub fn distance_to_points(grid: &Grid, points: &[(f64, f64)]) -> Raster<f32> {
    let mut seeds = Raster::filled(*grid, 0_u8);
    for &(x, y) in points {
        if let Some(cell) = grid.cell_at(x, y) {
            seeds.data[cell] = 1;
        }
    }
    distance_to_cells(&seeds)
}

/// Distance in metres from every cell to the nearest cell that is not 0; method as [`distance_to_points`].
pub fn distance_to_cells(seeds: &Raster<u8>) -> Raster<f32> {
    let grid = seeds.grid;
    let (rows, cols) = grid.shape();
    let (dx, dy) = grid.cell_size_m(rows / 2);
    let unit = (0.5 * (dx + dy) / 5.0) as f32;
    let mut out = Raster::filled(grid, f32::INFINITY);
    for (d, &s) in out.values_mut().iter_mut().zip(seeds.values()) {
        if s != 0 {
            *d = 0.0;
        }
    }
    let forward: [(i64, i64, f32); 8] = [
        (0, -1, 5.0),
        (-1, -1, 7.0),
        (-1, 0, 5.0),
        (-1, 1, 7.0),
        (-1, -2, 11.0),
        (-1, 2, 11.0),
        (-2, -1, 11.0),
        (-2, 1, 11.0),
    ];
    let mut sweep = |order: &mut dyn Iterator<Item = usize>, sign: i64| {
        for i in order {
            let (r, c) = ((i / cols) as i64, (i % cols) as i64);
            let mut best = out.values()[i];
            for (dr, dc, w) in forward {
                let (a, b) = (r + sign * dr, c + sign * dc);
                if a >= 0 && b >= 0 && a < rows as i64 && b < cols as i64 {
                    best = best.min(out.values()[a as usize * cols + b as usize] + w * unit);
                }
            }
            out.values_mut()[i] = best;
        }
    };
    sweep(&mut (0..rows * cols), 1);
    sweep(&mut (0..rows * cols).rev(), -1);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Crs;

    #[test]
    fn distances_are_those_of_straight_lines_to_two_percent() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 9000.0),
            (90.0, 90.0),
            (100, 100),
        )
        .unwrap();
        let d = distance_to_points(&grid, &[(grid.x(50), grid.y(50))]);
        for (r, c) in [(50, 90), (10, 50), (80, 80), (20, 35), (99, 0)] {
            let (a, b) = (r as f64 - 50.0, c as f64 - 50.0);
            let exact = 90.0 * (a * a + b * b).sqrt();
            // The 5-7-11 mask errs by at most 2.02 %.
            assert!((f64::from(d.data[(r, c)]) / exact - 1.0).abs() < 0.0203);
        }
    }

    #[test]
    fn towns_get_their_space() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 900.0),
            (90.0, 90.0),
            (10, 10),
        )
        .unwrap();
        let rules = LandCover::builtin().refine;
        let slope = Raster::filled(grid, 1.0);
        let hand = Raster::filled(grid, 5.0);
        let unit = Raster::filled(grid, 0_u16);
        let distance = distance_to_points(&grid, &[(450.0, 450.0)]);
        let terrain = Terrain {
            slope_deg: &slope,
            hand_m: &hand,
            settlement_m: &distance,
            unit: &unit,
        };
        let coarse = Raster::filled(grid, igbp::CROPLAND).with_nodata(igbp::NONE);
        let cover = refine(&coarse, &grid, &terrain, &[1000], &rules);
        let towns = cover.values().iter().filter(|&&c| c == igbp::URBAN).count();
        // 1000 people at 110 m² are 13.6 cells of 8100 m².
        assert_eq!(towns, 14);
        // Where the coarse class is urban, towns come first: at the edge, with the one cell at the settlement.
        let mut built = coarse.clone();
        for c in 0..20 {
            built.values_mut()[c] = igbp::URBAN;
        }
        let moved = refine(&built, &grid, &terrain, &[1000], &rules);
        let there = moved.values()[..20].iter().filter(|&&c| c == igbp::URBAN);
        assert_eq!(there.count(), 13);
        let shares = shares(&cover, &distance, &rules);
        for (&c, (&u, &crop)) in cover.values().iter().zip(
            shares
                .urbanity
                .values()
                .iter()
                .zip(shares.crop_share.values()),
        ) {
            let town = c == igbp::URBAN;
            assert!(if town {
                u == 1.0 && crop == 0.0
            } else {
                u <= 0.5 && crop > 0.0
            });
        }
    }
}
