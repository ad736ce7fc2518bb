//! Many fires at once: where they start, how often each cell burns, and with what flames.
//!
//! Fires run on all threads, one task each; their cells are counted in the order of the fires, in integers, so that the
//! result does not depend on threads.
//!
//! # References
//! Finney (2005), The challenge of quantitative risk analysis for wildland fire, For. Ecol. Manage. 211,
//! doi:10.1016/j.foreco.2005.02.010, for burn probability and flame classes.

use crate::fire::landscape::{Conditions, Landscape};
use crate::fire::spread::{Arena, Burn, spread};
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use rayon::prelude::*;
use std::sync::Mutex;

/// Fires simulated before their results are handed on: bounds memory, keeps the threads busy.
const BLOCK: usize = 256;

/// Upper ends of the flame length classes, m: 2, 4, 6, 8, 12 ft; the sixth class is open.
pub const FLAME_CLASS_TO_M: [f32; 5] = [0.6096, 1.2192, 1.8288, 2.4384, 3.6576];

/// Ignition places by weight.
#[derive(Debug, Clone)]
pub struct Ignitions {
    cells: Vec<u32>,
    cumulative: Vec<f64>,
}

impl Ignitions {
    /// From weights per cell (any unit; missing, zero and negative mean never) where `burnable` holds.
    ///
    /// # Errors
    /// No cell with a positive weight and burnable fuel.
    pub fn new(weight: &Raster<f32>, burnable: impl Fn(u32) -> bool) -> Result<Ignitions> {
        let mut cells = Vec::new();
        let mut cumulative = Vec::new();
        let mut sum = 0.0;
        for (cell, &w) in weight.values().iter().enumerate() {
            if w > 0.0 && w.is_finite() && burnable(cell as u32) {
                sum += f64::from(w);
                cells.push(cell as u32);
                cumulative.push(sum);
            }
        }
        if cells.is_empty() {
            return Err(Error::input(
                Fault::new(
                    "fire inputs",
                    "no cell with a positive weight and burnable fuel",
                    "at least one",
                    "check the extents of the ignition and fuel rasters and the fuel codes",
                )
                .at("ignition_weight"),
            ));
        }
        Ok(Ignitions { cells, cumulative })
    }

    /// The cell at probability `u` in (0, 1).
    pub fn pick(&self, u: f64) -> u32 {
        let last = self.cells.len() - 1;
        let at = u * self.cumulative[last];
        self.cells[self.cumulative.partition_point(|&c| c <= at).min(last)]
    }
}

/// One fire to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Ignition cell.
    pub cell: u32,
    /// Duration of free spread, min.
    pub duration_min: f64,
}

/// Simulates fires 0..`count` and hands each to `each` in ascending order. `start` and `weather` must be pure functions
/// of the number of the fire; the weather has one entry per hour, the last valid ever after.
pub fn simulate<S, W>(
    land: &Landscape,
    count: usize,
    start: S,
    weather: W,
    mut each: impl FnMut(usize, Burn),
) where
    S: Fn(usize) -> Start + Sync,
    W: Fn(usize) -> Vec<Conditions> + Sync,
{
    let arenas: Mutex<Vec<Arena>> = Mutex::new(Vec::new());
    for block in (0..count).step_by(BLOCK) {
        let burns: Vec<Burn> = (block..(block + BLOCK).min(count))
            .into_par_iter()
            .map(|fire| {
                let spare = arenas.lock().ok().and_then(|mut a| a.pop());
                let mut arena = spare.unwrap_or_else(|| Arena::new(land.grid().cells()));
                let s = start(fire);
                let burn = spread(land, &weather(fire), s.cell, s.duration_min, &mut arena);
                if let Ok(mut a) = arenas.lock() {
                    a.push(arena);
                }
                burn
            })
            .collect();
        for (i, burn) in burns.into_iter().enumerate() {
            each(block + i, burn);
        }
    }
}

/// How often each cell burned and how high the flames were, over a number of fires.
#[derive(Debug, Clone)]
pub struct BurnCounts {
    grid: Grid,
    fires: u32,
    burned: Vec<u32>,
    classes: [Vec<u32>; 6],
    flame_mm: Vec<u64>,
}

impl BurnCounts {
    /// No fire yet.
    pub fn new(grid: Grid) -> Self {
        let n = grid.cells();
        BurnCounts {
            grid,
            fires: 0,
            burned: vec![0; n],
            classes: std::array::from_fn(|_| vec![0; n]),
            flame_mm: vec![0; n],
        }
    }

    /// Counts one fire: cells and flame lengths in m.
    pub fn add(&mut self, cells: &[u32], flame_m: &[f32]) {
        self.fires += 1;
        for (&cell, &flame) in cells.iter().zip(flame_m) {
            let cell = cell as usize;
            let class = FLAME_CLASS_TO_M.iter().filter(|&&to| flame > to).count();
            self.burned[cell] += 1;
            self.classes[class][cell] += 1;
            self.flame_mm[cell] += (f64::from(flame) * 1000.0).round() as u64;
        }
    }

    /// Number of fires counted.
    pub fn fires(&self) -> u32 {
        self.fires
    }

    fn raster(&self, f: impl Fn(usize) -> f64) -> Raster<f32> {
        let mut out = Raster::filled(self.grid, f32::NAN);
        for (i, v) in out.values_mut().iter_mut().enumerate() {
            *v = f(i) as f32;
        }
        out
    }

    /// Probability that one fire somewhere in the region burns the cell (条件过火概率), 0..=1.
    pub fn conditional_probability(&self) -> Raster<f32> {
        let n = f64::from(self.fires.max(1));
        self.raster(|i| f64::from(self.burned[i]) / n)
    }

    /// Annual burn probability (年过火概率) with so many fires a year on average: 1 - exp(-rate p).
    pub fn annual_probability(&self, fires_per_year: f64) -> Raster<f32> {
        let n = f64::from(self.fires.max(1));
        self.raster(|i| -libm::expm1(-fires_per_year * f64::from(self.burned[i]) / n))
    }

    /// Relative standard error of the burn probability, sqrt((1 - p) / (n p)); NaN where nothing burned.
    pub fn relative_error(&self) -> Raster<f32> {
        let n = f64::from(self.fires.max(1));
        self.raster(|i| {
            let p = f64::from(self.burned[i]) / n;
            if p > 0.0 {
                ((1.0 - p) / (n * p)).sqrt()
            } else {
                f64::NAN
            }
        })
    }

    /// Mean flame length given that the cell burns (条件火焰长度), m; NaN where nothing burned.
    pub fn conditional_flame_m(&self) -> Raster<f32> {
        self.raster(|i| self.flame_mm[i] as f64 / 1000.0 / f64::from(self.burned[i]))
    }

    /// Share of burns with flames of a class 0..=5; NaN where nothing burned.
    ///
    /// # Panics
    /// A class above 5.
    pub fn class_share(&self, class: usize) -> Raster<f32> {
        self.raster(|i| f64::from(self.classes[class][i]) / f64::from(self.burned[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Crs;

    #[test]
    fn places_follow_weights() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (30.0, 30.0),
            (1, 5),
        )
        .unwrap();
        let mut weight = Raster::filled(grid, 1.0_f32);
        weight
            .values_mut()
            .copy_from_slice(&[1.0, f32::NAN, 0.0, 3.0, 9.0]);
        let places = Ignitions::new(&weight, |cell| cell != 4).unwrap();
        let picks: Vec<u32> = (0..8)
            .map(|i| places.pick((f64::from(i) + 0.5) / 8.0))
            .collect();
        assert_eq!(picks, [0, 0, 3, 3, 3, 3, 3, 3]);
        assert!(Ignitions::new(&weight, |_| false).unwrap_err().is_input());
    }

    #[test]
    fn counts_by_hand() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (30.0, 30.0),
            (1, 3),
        )
        .unwrap();
        let mut counts = BurnCounts::new(grid);
        counts.add(&[0, 1], &[0.5, 4.0]);
        counts.add(&[1], &[2.0]);
        counts.add(&[], &[]);
        counts.add(&[1], &[3.0]);
        assert_eq!(counts.conditional_probability().values(), [0.25, 0.75, 0.0]);
        assert_eq!(counts.conditional_flame_m().values()[..2], [0.5, 3.0]);
        assert!(counts.conditional_flame_m().values()[2].is_nan());
        assert_eq!(counts.class_share(3).values()[1], 1.0_f32 / 3.0);
        // sqrt(0.25 / (4 * 0.75))
        assert!((counts.relative_error().values()[1] - 0.288_675).abs() < 1e-6);
        let annual = counts.annual_probability(2.0).values()[1];
        assert!((annual - (1.0 - libm::expf(-1.5))).abs() < 1e-6);
    }
}
