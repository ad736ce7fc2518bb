//! Many fires at once: where they start, how often each cell burns, and with what flames.
//!
//! Fires run on all threads, one task each; their cells are added up in the order of the fires, so that the result does
//! not depend on threads.
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

/// How often each cell burns in a year and how high the flames are, from fires of several danger classes, each with its
/// own number of fires a year.
#[derive(Debug, Clone)]
pub struct BurnRates {
    grid: Grid,
    /// Burns a year by flame class.
    classes: [Vec<f64>; 6],
    /// Sum of rate times flame length, m/a.
    flame: Vec<f64>,
    /// Sampling variance of the burns a year.
    variance: Vec<f64>,
}

impl BurnRates {
    /// No fire yet.
    pub fn new(grid: Grid) -> Self {
        let zero = || vec![0.0; grid.cells()];
        BurnRates {
            grid,
            classes: std::array::from_fn(|_| zero()),
            flame: zero(),
            variance: zero(),
        }
    }

    /// Adds one danger class: `fires_per_year` of it, and a sample of them as cells with flame lengths in m.
    pub fn add<'a>(
        &mut self,
        fires_per_year: f64,
        fires: impl ExactSizeIterator<Item = (&'a [u32], &'a [f32])>,
    ) {
        let n = fires.len() as f64;
        let rate = fires_per_year / n;
        let mut burned = vec![0_u32; self.grid.cells()];
        for (cells, flame_m) in fires {
            for (&cell, &flame) in cells.iter().zip(flame_m) {
                let cell = cell as usize;
                let class = FLAME_CLASS_TO_M.iter().filter(|&&to| flame > to).count();
                burned[cell] += 1;
                self.classes[class][cell] += rate;
                self.flame[cell] += rate * f64::from(flame);
            }
        }
        for (variance, burned) in self.variance.iter_mut().zip(burned) {
            let p = f64::from(burned) / n;
            if burned > 0 {
                *variance += fires_per_year * fires_per_year * p * (1.0 - p) / n;
            }
        }
    }

    fn raster(&self, f: impl Fn(usize) -> f64) -> Raster<f32> {
        let mut out = Raster::filled(self.grid, f32::NAN);
        for (i, v) in out.values_mut().iter_mut().enumerate() {
            *v = f(i) as f32;
        }
        out
    }

    fn rate(&self, cell: usize) -> f64 {
        self.classes.iter().map(|c| c[cell]).sum()
    }

    /// Annual burn probability (年过火概率), 1 - exp(-burns a year).
    pub fn annual_probability(&self) -> Raster<f32> {
        self.raster(|i| -libm::expm1(-self.rate(i)))
    }

    /// Annual probability of burning with flames of a class 0..=5 of [`FLAME_CLASS_TO_M`] (火焰长度等级概率).
    ///
    /// # Panics
    /// A class above 5.
    pub fn class_probability(&self, class: usize) -> Raster<f32> {
        self.raster(|i| -libm::expm1(-self.classes[class][i]))
    }

    /// Relative standard error of the burns a year, from the binomial errors of the danger classes; NaN where nothing
    /// burned.
    pub fn relative_error(&self) -> Raster<f32> {
        self.raster(|i| self.variance[i].sqrt() / self.rate(i))
    }

    /// Mean flame length given that the cell burns (条件火焰长度), m; NaN where nothing burned.
    pub fn conditional_flame_m(&self) -> Raster<f32> {
        self.raster(|i| self.flame[i] / self.rate(i))
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
    fn rates_by_hand() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (30.0, 30.0),
            (1, 3),
        )
        .unwrap();
        let mut rates = BurnRates::new(grid);
        let fires: [(&[u32], &[f32]); 4] = [
            (&[0, 1], &[0.5, 4.0]),
            (&[1], &[2.0]),
            (&[], &[]),
            (&[1], &[3.0]),
        ];
        rates.add(2.0, fires.into_iter());
        let annual = rates.annual_probability();
        assert!((annual.values()[1] - (1.0 - libm::expf(-1.5))).abs() < 1e-6);
        assert_eq!(annual.values()[2], 0.0);
        assert_eq!(rates.conditional_flame_m().values()[..2], [0.5, 3.0]);
        assert!(rates.conditional_flame_m().values()[2].is_nan());
        let class = rates.class_probability(3).values()[1];
        assert!((class - (1.0 - libm::expf(-0.5))).abs() < 1e-6);
        // sqrt(0.25 / (4 * 0.75)), whatever the rate.
        assert!((rates.relative_error().values()[1] - 0.288_675).abs() < 1e-6);

        // A second danger class: 6 fires a year, one of two burns cell 1; variances add up.
        let fires: [(&[u32], &[f32]); 2] = [(&[1], &[1.0]), (&[], &[])];
        rates.add(6.0, fires.into_iter());
        assert_eq!(
            rates.conditional_flame_m().values()[1],
            ((1.5 * 3.0 + 3.0 * 1.0) / 4.5) as f32
        );
        let error = (4.0 * 0.75 * 0.25 / 4.0 + 36.0 * 0.25 / 2.0_f64).sqrt() / 4.5;
        assert!((f64::from(rates.relative_error().values()[1]) - error).abs() < 1e-6);
    }
}
