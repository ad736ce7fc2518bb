//! Return-period stack (重现期水深栈) and expected annual depth (年期望淹没水深).
//!
//! The stack holds the greatest depth of each cell at ascending return periods T, so d(f) at the annual exceedance
//! probabilities f = 1 / T. Expected annual depth is the mean of the year's greatest depth,
//!
//! EAD = ∫ d(f) df, from f = 1 / T_dry (nothing is flooded yet) down to f = 1 / T_n, and with the tail down to f = 0.
//!
//! Between levels d is linear in ln T, as the storm library reads it, and the integral of that line is exact
//! (Rosbjerg 2024, piecewise log-linear; Olsen et al. 2015). On [T0, T1] with L = ln(T1 / T0)
//!
//! ∫ d df = d0 (1/T0 - 1/T1) + (d1 - d0) (1 - (1 + L) e^-L) / (L T0).
//!
//! The *tail* is what floods rarer than T_n add if they are as deep as that of T_n: d_n / T_n, the usual lower bound.
//! The sum without it counts those years as dry.
//!
//! EAD is therefore a fixed weight per level. For d = a ln(T / T_dry) it is exact: a (1/T_dry - 1/T_n) with the tail, short of
//! a / T_dry of all floods by a / T_n. For other curves the error of the rule falls with the square of the distance of
//! the levels in ln T (tested on d = a (1 - (T_dry / T)^½): 3.2 % of EAD too little at 5, 10, 20, 50, 100 years). The trapezoid in f,
//! also in use, takes each chord above the log line: 6.5 % more for d = a ln(T / 2) at these levels.
//!
//! # References
//! * Rosbjerg (2024), Estimation of expected annual damage, EAD, Proc. IAHS 385:25-30, doi:10.5194/piahs-385-25-2024.
//! * Olsen, Zhou, Linde, Arnbjerg-Nielsen (2015), Comparing methods of calculating expected annual damage in urban
//!   pluvial flood risk assessments, Water 7(1):255-270, doi:10.3390/w7010255.

use anlan_engine::{Error, Fault, Raster, Result};
use rayon::prelude::*;

/// Share of a year, by level, for which a cell is as deep as at that level's return period.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthWeights {
    /// Weight of each level up to the greatest return period, 1/a.
    pub weights: Vec<f64>,
    /// Further weight of the last level for all rarer floods, 1/a: 1 / T_n.
    pub tail: f64,
}

impl DepthWeights {
    /// Weights of levels at `return_periods` (years), with nothing flooded at `dry_period`.
    ///
    /// # Errors
    /// No level; return periods that are not ascending from above `dry_period`, or not finite.
    pub fn new(return_periods: &[f64], dry_period: f64) -> Result<DepthWeights> {
        let rising = return_periods.windows(2).all(|w| w[0] < w[1]);
        let finite = return_periods.iter().all(|t| t.is_finite());
        let above = return_periods.first().is_some_and(|t| *t > dry_period) && dry_period > 0.0;
        if !(rising && finite && above) {
            return Err(Error::input(Fault::new(
                "return-period stack",
                format!("return periods {return_periods:?}"),
                format!("ascending return periods above {dry_period} years"),
                "correct the return periods",
            )));
        }
        let mut weights = vec![0.0; return_periods.len()];
        let mut t0 = dry_period;
        for (level, &t1) in return_periods.iter().enumerate() {
            let l = libm::log(t1 / t0);
            let upper = (-libm::expm1(-l) - l * libm::exp(-l)) / (l * t0);
            weights[level] += upper;
            if level > 0 {
                weights[level - 1] += 1.0 / t0 - 1.0 / t1 - upper;
            }
            t0 = t1;
        }
        Ok(DepthWeights {
            weights,
            tail: 1.0 / t0,
        })
    }

    /// Expected annual depth of one cell without and with the tail, m; NaN where a level is NaN.
    ///
    /// # Panics
    /// Another number of levels.
    ///
    /// # Examples
    /// ```
    /// use anlan_models::flood::stack::DepthWeights;
    /// // 1 m deep from the 2-year flood on, which is all of what happens once in two years.
    /// let w = DepthWeights::new(&[2.0, 100.0], 1.999_999)?;
    /// let (without, with) = w.expected_m(&[1.0, 1.0]);
    /// assert!((with - 0.5).abs() < 1e-6 && (without - 0.49).abs() < 1e-6);
    /// # Ok::<(), anlan_engine::Error>(())
    /// ```
    pub fn expected_m(&self, depth_m: &[f32]) -> (f64, f64) {
        assert_eq!(depth_m.len(), self.weights.len(), "one depth per level");
        let sum: f64 = (self.weights.iter().zip(depth_m))
            .map(|(w, &d)| w * f64::from(d))
            .sum();
        let last = depth_m.last().map_or(0.0, |&d| f64::from(d));
        (sum, sum + self.tail * last)
    }
}

/// Expected annual depth per cell, m: the mean of the year's greatest depth.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedDepth {
    /// Floods rarer than the greatest return period count as dry.
    pub without_tail_m: Raster<f32>,
    /// Floods rarer than the greatest return period are as deep as at it.
    pub with_tail_m: Raster<f32>,
}

/// Expected annual depth of a stack (depth in m, one raster per return period); sums in f64.
///
/// * A cell that is NaN at any level is NaN.
///
/// # Errors
/// As [`DepthWeights::new`].
///
/// # Panics
/// Another number of rasters than of return periods, or rasters on different grids.
pub fn expected_annual_depth(
    stack: &[Raster<f32>],
    return_periods: &[f64],
    dry_period: f64,
) -> Result<ExpectedDepth> {
    let weights = DepthWeights::new(return_periods, dry_period)?;
    assert_eq!(
        stack.len(),
        return_periods.len(),
        "one raster per return period"
    );
    let grid = stack[0].grid;
    assert!(
        stack.iter().all(|r| r.grid == grid),
        "the levels of a stack share one grid"
    );
    let mut out = ExpectedDepth {
        without_tail_m: Raster::filled(grid, 0.0),
        with_tail_m: Raster::filled(grid, 0.0),
    };
    out.without_tail_m
        .values_mut()
        .par_chunks_mut(grid.cols)
        .zip(out.with_tail_m.values_mut().par_chunks_mut(grid.cols))
        .enumerate()
        .for_each(|(row, (without, with))| {
            let mut depth = vec![0f32; stack.len()];
            for col in 0..grid.cols {
                for (d, level) in depth.iter_mut().zip(stack) {
                    *d = level.values()[row * grid.cols + col];
                }
                let (a, b) = weights.expected_m(&depth);
                (without[col], with[col]) = (a as f32, b as f32);
            }
        });
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};

    const LEVELS: [f64; 5] = [5.0, 10.0, 20.0, 50.0, 100.0];
    const DRY: f64 = 2.0;

    /// Sum of the rule for a curve of depth over return period, exact to f32 of the depth.
    fn rule(levels: &[f64], depth: impl Fn(f64) -> f64) -> (f64, f64) {
        let w = DepthWeights::new(levels, DRY).unwrap();
        let d: Vec<f32> = levels.iter().map(|&t| depth(t) as f32).collect();
        w.expected_m(&d)
    }

    #[test]
    fn a_logarithm_of_the_return_period_is_integrated_exactly() {
        let a = 0.75;
        let (without, with) = rule(&LEVELS, |t| a * libm::log(t / DRY));
        // ∫ a ln(1 / (f T0)) df over [1/Tn, 1/T0].
        let tn = 100.0;
        let exact = a * (1.0 / DRY - (1.0 + libm::log(tn / DRY)) / tn);
        assert!((without - exact).abs() < 1e-7, "{without} {exact}");
        assert!((with - a * (1.0 / DRY - 1.0 / tn)).abs() < 1e-7, "{with}");
        // All floods: a / T0; a constant tail misses a / Tn of it, 2 % here.
        let missed = (a / DRY - with) / (a / DRY);
        assert!((missed - DRY / tn).abs() < 1e-6, "{missed}");
        // One level only, and levels closer than they need be, give the same.
        let (few, _) = rule(&[100.0], |t| a * libm::log(t / DRY));
        let many: Vec<f64> = (1..=980).map(|k| 2.0 + 0.1 * f64::from(k)).collect();
        let (fine, _) = rule(&many, |t| a * libm::log(t / DRY));
        assert!((few - exact).abs() < 1e-7 && (fine - exact).abs() < 1e-6);
        // The trapezoid in f lies above.
        let mut trapezoid = 0.0;
        let mut before = (1.0 / DRY, 0.0);
        for t in LEVELS {
            let here = (1.0 / t, a * libm::log(t / DRY));
            trapezoid += 0.5 * (before.1 + here.1) * (before.0 - here.0);
            before = here;
        }
        let above = trapezoid / exact - 1.0;
        assert!((0.06..0.07).contains(&above), "{above}");
    }

    #[test]
    fn the_error_of_the_rule_falls_with_the_square_of_the_spacing() {
        // d = 1 - (T0/T)^½: ∫ over [1/Tn, 1/T0] = [f - T0^½ f^(3/2) / 1.5].
        let (tn, depth) = (100.0, |t: f64| 1.0 - libm::sqrt(DRY / t));
        let primitive = |f: f64| f - libm::sqrt(DRY) * f * libm::sqrt(f) / 1.5;
        let exact = primitive(1.0 / DRY) - primitive(1.0 / tn);
        let error = |n: i32| {
            let step = libm::log(tn / DRY) / f64::from(n);
            let levels: Vec<f64> = (1..=n)
                .map(|k| {
                    if k == n {
                        tn
                    } else {
                        DRY * libm::exp(step * f64::from(k))
                    }
                })
                .collect();
            (rule(&levels, depth).0 - exact).abs()
        };
        let order = libm::log2(error(8) / error(16));
        assert!((order - 2.0).abs() < 0.1, "{order}");
        let usual = rule(&LEVELS, depth).0 / exact - 1.0;
        assert!(usual < -0.03 && usual > -0.034, "{usual}");
    }

    #[test]
    fn the_weights_are_shares_of_years() {
        let w = DepthWeights::new(&LEVELS, DRY).unwrap();
        let floods: f64 = w.weights.iter().sum::<f64>() + w.tail;
        // Some flood or other between 2 and 5 years counts in part.
        assert!(floods > 1.0 / 5.0 && floods < 1.0 / DRY, "{floods}");
        assert!(w.weights.iter().all(|&x| x > 0.0) && w.tail == 0.01);
        for bad in [
            &[] as &[f64],
            &[2.0, 5.0],
            &[10.0, 5.0],
            &[5.0, 5.0],
            &[5.0, f64::INFINITY],
            &[f64::NAN],
        ] {
            let told = DepthWeights::new(bad, DRY).unwrap_err().to_string();
            assert!(told.contains("return-period stack"), "{told}");
        }
    }

    #[test]
    fn cells_without_a_value_have_none() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 20.0),
            (10.0, 10.0),
            (2, 2),
        )
        .unwrap();
        let level = |v: [f32; 4]| {
            let mut r = Raster::filled(grid, 0.0);
            r.values_mut().copy_from_slice(&v);
            r
        };
        let stack = [
            level([0.0, 0.0, f32::NAN, f32::NAN]),
            level([0.0, 1.0, 1.0, f32::NAN]),
        ];
        let ead = expected_annual_depth(&stack, &[10.0, 100.0], DRY).unwrap();
        let (a, b) = (ead.without_tail_m.values(), ead.with_tail_m.values());
        assert_eq!((a[0], b[0]), (0.0, 0.0));
        // A straight line in ln T from 0 at 10 years to 1 m at 100 years.
        let l = libm::log(10.0);
        let line = (1.0 - (1.0 + l) * libm::exp(-l)) / (l * 10.0);
        assert!((f64::from(a[1]) - line).abs() < 1e-8);
        assert!((f64::from(b[1]) - line - 0.01).abs() < 1e-8);
        assert!(a[2].is_nan() && b[2].is_nan() && a[3].is_nan() && b[3].is_nan());
    }
}
