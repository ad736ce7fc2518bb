//! Storm drains (雨水管网) where the network itself is not known: what it was designed for is what it takes.
//!
//! A network laid out for a return period P and a time of concentration t carries the runoff ψ i of the storm formula's
//! intensity i(t, P). As a loss of depth that is a capacity in mm/h on the drained cells. It says nothing of gullies that
//! are blocked, of outfalls that are drowned, or of where the water comes out.

use super::require;
use crate::flood::infiltration::{Wetting, exchange};
use crate::flood::rain::StormFormula;
use anlan_engine::Result;

/// Capacity of the storm drains of an area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StormDrains {
    capacity_mm_h: f64,
}

impl StormDrains {
    /// A known capacity, mm/h.
    ///
    /// # Errors
    /// A capacity that is negative or no number.
    pub fn of_capacity(mm_h: f64) -> Result<StormDrains> {
        let drains = StormDrains {
            capacity_mm_h: mm_h,
        };
        let good = mm_h >= 0.0 && mm_h.is_finite();
        require(
            "storm drains",
            &drains,
            &[(good, "a capacity of at least 0 mm/h")],
        )?;
        Ok(drains)
    }

    /// The runoff that drains of a return period (years) and a time of concentration (h) were laid out for.
    /// `runoff`: runoff coefficient ψ of the design, above 0 and at most 1.
    ///
    /// # Errors
    /// A return period, a time or a coefficient out of range; a formula that gives no intensity there.
    pub fn by_design(
        formula: &StormFormula,
        return_period: f64,
        concentration_h: f64,
        runoff: f64,
    ) -> Result<StormDrains> {
        let capacity = runoff * formula.intensity_mm_min(concentration_h, return_period) * 60.0;
        require(
            "storm drains",
            &(formula, return_period, concentration_h, runoff),
            &[
                (
                    return_period > 0.0 && return_period.is_finite(),
                    "a return period above 0 years",
                ),
                (
                    concentration_h >= 0.0,
                    "a time of concentration of at least 0 h",
                ),
                (
                    runoff > 0.0 && runoff <= 1.0,
                    "a runoff coefficient above 0, at most 1",
                ),
                (
                    capacity >= 0.0 && capacity.is_finite(),
                    "a formula with an intensity at that return period and time",
                ),
            ],
        )?;
        StormDrains::of_capacity(capacity)
    }

    /// Capacity, mm/h.
    pub fn capacity_mm_h(&self) -> f64 {
        self.capacity_mm_h
    }

    /// Takes what the drains carry in `dt_s` from a run of cells, never more than is there, and gives the sum, m. The
    /// water of a cell is `depth_m + rest_m`; `served`: share of each cell that is drained, 0..=1.
    ///
    /// # Panics
    /// Slices of different lengths.
    pub fn take(&self, served: &[f32], depth_m: &mut [f32], rest_m: &mut [f32], dt_s: f64) -> f64 {
        assert!(served.len() == depth_m.len() && rest_m.len() == depth_m.len());
        let most = self.capacity_mm_h * 1e-3 / 3600.0 * dt_s;
        let taken: Wetting = exchange(
            |_| 0.0,
            depth_m,
            rest_m,
            |i, there, _| there.min(most * f64::from(served[i])),
        );
        taken.lost_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drains_take_their_design_storm() {
        // The worked example of the rain module: A 12, C 0.7, n 0.71, b 8; at P 1 and 10 min 12 / 18^0.71 mm/min.
        let f = StormFormula {
            a1: 12.0,
            c: 0.7,
            n: 0.71,
            b: 8.0,
        };
        let drains = StormDrains::by_design(&f, 1.0, 1.0 / 6.0, 0.7).unwrap();
        let expected = 0.7 * 60.0 * 12.0 / libm::pow(18.0, 0.71);
        assert!((drains.capacity_mm_h() - expected).abs() < 1e-9);
        let (mut h, mut rest) = ([0.1f32, 0.1, 0.001], [0.0f32; 3]);
        let taken = drains.take(&[1.0, 0.5, 1.0], &mut h, &mut rest, 600.0);
        let full = expected * 1e-3 / 6.0;
        assert!((taken - (1.5 * full + 0.001)).abs() < 1e-9);
        assert!((f64::from(h[0]) - (0.1 - full)).abs() < 1e-7 && h[2] == 0.0);
        assert!(StormDrains::by_design(&f, 0.0, 0.1, 0.7).is_err());
        assert!(StormDrains::by_design(&f, 0.01, 0.1, 0.7).is_err());
        assert!(StormDrains::of_capacity(-1.0).is_err());
    }
}
