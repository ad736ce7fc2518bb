//! Design rain (设计暴雨): depth of a duration and return period, hyetographs, areal reduction.
//!
//! * Storm formula (暴雨强度公式): q = 167 A1 (1 + C lg P) / (t + b)^n, L/(s ha), t in minutes; as intensity
//!   i = q / 167, mm/min.
//! * Chicago hyetograph (芝加哥雨型; Keifer & Chu 1957, J. Hydraul. Div. 83:1332): each side of the peak is the
//!   depth-duration curve D(x), stretched by r and 1 - r. A block's depth is the difference of D at its ends: exact,
//!   where sampling the intensity at points is not.
//! * Frequency table: depth by duration and return period, interpolated both ways.

use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;

/// A city's storm formula.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StormFormula {
    /// A1, mm/min for t + b = 1 min and P = 1 year.
    pub a1: f64,
    /// C.
    pub c: f64,
    /// Exponent n.
    pub n: f64,
    /// b, min.
    pub b: f64,
}

impl StormFormula {
    /// Mean intensity over `duration_h`, mm/min.
    pub fn intensity_mm_min(&self, duration_h: f64, return_period: f64) -> f64 {
        self.a1 * (1.0 + self.c * libm::log10(return_period))
            / libm::pow(duration_h * 60.0 + self.b, self.n)
    }

    /// Depth over `duration_h` with a return period in years, mm.
    pub fn depth_mm(&self, duration_h: f64, return_period: f64) -> f64 {
        self.intensity_mm_min(duration_h, return_period) * duration_h * 60.0
    }
}

/// Rain in steps of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyetograph {
    /// Length of a step, h.
    pub step_h: f64,
    /// Depth of each step, mm.
    pub depth_mm: Vec<f64>,
}

impl Hyetograph {
    /// The same intensity all the time; the last step may hold less.
    pub fn uniform(depth_mm: f64, duration_h: f64, step_h: f64) -> Hyetograph {
        Hyetograph::blocks(duration_h, step_h, |from, to| {
            depth_mm * (to - from) / duration_h
        })
    }

    /// Chicago hyetograph of a depth-duration curve `depth_mm(h)` with its peak at the share `peak` (r, 0..1) of the
    /// duration. The total is the curve's depth at the whole duration.
    pub fn chicago(
        depth_mm: impl Fn(f64) -> f64,
        duration_h: f64,
        peak: f64,
        step_h: f64,
    ) -> Hyetograph {
        let top = peak * duration_h;
        let before = |t: f64| {
            if peak > 0.0 {
                peak * depth_mm((top - t).max(0.0) / peak)
            } else {
                0.0
            }
        };
        let after = |t: f64| {
            if peak < 1.0 {
                (1.0 - peak) * depth_mm((t - top).max(0.0) / (1.0 - peak))
            } else {
                0.0
            }
        };
        Hyetograph::blocks(duration_h, step_h, |from, to| {
            (before(from) - before(to)) + (after(to) - after(from))
        })
    }

    fn blocks(duration_h: f64, step_h: f64, depth: impl Fn(f64, f64) -> f64) -> Hyetograph {
        // A whole number of steps must not become one more by rounding.
        let steps = (duration_h / step_h - 1e-9).ceil().max(1.0) as usize;
        let at = |k: usize| (k as f64 * step_h).min(duration_h);
        Hyetograph {
            step_h,
            depth_mm: (0..steps).map(|k| depth(at(k), at(k + 1))).collect(),
        }
    }

    /// Total depth, mm.
    pub fn total_mm(&self) -> f64 {
        self.depth_mm.iter().sum()
    }

    /// The same pattern with another total.
    #[must_use]
    pub fn scaled_to(mut self, total_mm: f64) -> Hyetograph {
        let factor = total_mm / self.total_mm();
        self.depth_mm.iter_mut().for_each(|d| *d *= factor);
        self
    }
}

/// Depth of point rain by duration and return period (暴雨频率).
#[derive(Debug, Clone, PartialEq)]
pub struct RainFrequency {
    durations_h: Vec<f64>,
    log_periods: Vec<f64>,
    depth_mm: Vec<Vec<f64>>,
}

impl RainFrequency {
    /// From a table `depth_mm[duration][return period]`, return periods in years.
    ///
    /// # Errors
    /// Durations or return periods not ascending from above zero, fewer than two return periods, depths that do not
    /// grow with the return period.
    pub fn new(
        durations_h: &[f64],
        return_periods: &[f64],
        depth_mm: &[Vec<f64>],
    ) -> Result<RainFrequency> {
        let rising = |v: &[f64]| {
            v.iter().all(|x| *x > 0.0 && x.is_finite()) && v.windows(2).all(|w| w[0] < w[1])
        };
        let shape = depth_mm.len() == durations_h.len()
            && depth_mm.iter().all(|r| r.len() == return_periods.len());
        if durations_h.is_empty()
            || return_periods.len() < 2
            || !rising(durations_h)
            || !rising(return_periods)
            || !shape
            || !depth_mm.iter().all(|row| rising(row))
        {
            return Err(Error::input(Fault::new(
                "rain frequency",
                format!(
                    "durations {durations_h:?} h, return periods {return_periods:?} years, {} rows of depths",
                    depth_mm.len()
                ),
                "ascending durations and at least two ascending return periods, with depths that grow along every row",
                "sort the table and mend depths that fall with the return period",
            )));
        }
        Ok(RainFrequency {
            durations_h: durations_h.to_vec(),
            log_periods: return_periods.iter().map(|&t| libm::log(t)).collect(),
            depth_mm: depth_mm.to_vec(),
        })
    }

    /// Depth, mm: power law in the duration, linear in the logarithm of the return period; beyond the table the outer
    /// segments go on (a single duration scales with its square root).
    pub fn depth_mm(&self, duration_h: f64, return_period: f64) -> f64 {
        let y = libm::log(return_period);
        let k = segment(&self.log_periods, y);
        let (y0, y1) = (self.log_periods[k], self.log_periods[k + 1]);
        let (d0, d1) = (
            self.at_duration(duration_h, k),
            self.at_duration(duration_h, k + 1),
        );
        (d0 + (d1 - d0) * (y - y0) / (y1 - y0)).max(0.0)
    }

    /// Return period of a depth, years; the inverse of [`RainFrequency::depth_mm`].
    pub fn return_period(&self, duration_h: f64, depth_mm: f64) -> f64 {
        let row: Vec<f64> = (0..self.log_periods.len())
            .map(|k| self.at_duration(duration_h, k))
            .collect();
        let k = segment(&row, depth_mm);
        let y = self.log_periods[k]
            + (self.log_periods[k + 1] - self.log_periods[k]) * (depth_mm - row[k])
                / (row[k + 1] - row[k]);
        libm::exp(y)
    }

    fn at_duration(&self, duration_h: f64, period: usize) -> f64 {
        if self.durations_h.len() == 1 {
            return self.depth_mm[0][period] * libm::sqrt(duration_h / self.durations_h[0]);
        }
        let k = segment(&self.durations_h, duration_h);
        let (t0, t1) = (self.durations_h[k], self.durations_h[k + 1]);
        let (d0, d1) = (self.depth_mm[k][period], self.depth_mm[k + 1][period]);
        d0 * libm::pow(duration_h / t0, libm::log(d1 / d0) / libm::log(t1 / t0))
    }
}

/// The segment of ascending knots in which a value lies; the outer ones beyond the ends. Needs two knots.
fn segment(knots: &[f64], value: f64) -> usize {
    knots
        .partition_point(|&k| k <= value)
        .clamp(1, knots.len() - 1)
        - 1
}

/// Areal reduction of point rain (点面折减): 1 - exp(-a t^b) (1 - exp(-c A)).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArealReduction {
    /// Where the numbers come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// a.
    pub a: f64,
    /// b.
    pub b: f64,
    /// c, 1/km².
    pub c_per_km2: f64,
}

impl ArealReduction {
    /// Factor for an area, km², and a duration, h; 1 for a point.
    pub fn factor(&self, area_km2: f64, duration_h: f64) -> f64 {
        let loss = libm::exp(-self.a * libm::pow(duration_h, self.b));
        1.0 - loss * (1.0 - libm::exp(-self.c_per_km2 * area_km2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chicago_rain_of_the_worked_example() {
        // A 12, C 0.7, n 0.71, b 8, r 0.4, P 20 years, 120 min: 87.78912 mm, peak 5.238231 mm/min = a / b^n.
        let f = StormFormula {
            a1: 12.0,
            c: 0.7,
            n: 0.71,
            b: 8.0,
        };
        assert!((f.depth_mm(2.0, 20.0) - 87.789_12).abs() < 1e-5);
        assert!((f.intensity_mm_min(0.0, 20.0) - 5.238_231).abs() < 1e-6);
        let h = Hyetograph::chicago(|d| f.depth_mm(d, 20.0), 2.0, 0.4, 5.0 / 60.0);
        assert_eq!(h.depth_mm.len(), 24);
        assert!((h.total_mm() - 87.789_12).abs() < 1e-5);
        let greatest = (0..24)
            .max_by(|&a, &b| h.depth_mm[a].total_cmp(&h.depth_mm[b]))
            .unwrap();
        assert!(
            greatest == 9 || greatest == 10,
            "peak at 48 min: {greatest}"
        );
        // Very short blocks approach the peak intensity.
        let fine = Hyetograph::chicago(|d| f.depth_mm(d, 20.0), 2.0, 0.4, 0.01 / 60.0);
        let peak = fine.depth_mm.iter().fold(0.0f64, |m, &d| m.max(d)) / 0.01;
        assert!((peak / 5.238_231 - 1.0).abs() < 5e-3, "{peak}");
    }

    #[test]
    fn uniform_rain_with_a_broken_last_step() {
        let h = Hyetograph::uniform(10.0, 2.5, 1.0);
        assert_eq!(h.depth_mm, [4.0, 4.0, 2.0]);
        assert!((h.scaled_to(25.0).depth_mm[2] - 5.0).abs() < 1e-12);
    }

    #[test]
    fn frequency_table_reads_both_ways() {
        let t = RainFrequency::new(
            &[1.0, 24.0],
            &[2.0, 10.0, 100.0],
            &[vec![35.0, 60.0, 95.0], vec![80.0, 150.0, 260.0]],
        )
        .unwrap();
        assert!((t.depth_mm(24.0, 10.0) - 150.0).abs() < 1e-9);
        for (d, p) in [
            (1.0, 2.0),
            (3.0, 5.0),
            (6.0, 50.0),
            (24.0, 200.0),
            (48.0, 1.5),
        ] {
            let back = t.return_period(d, t.depth_mm(d, p));
            assert!((back / p - 1.0).abs() < 1e-9, "{d} {p} {back}");
        }
        assert!(RainFrequency::new(&[1.0], &[2.0, 10.0], &[vec![60.0, 35.0]]).is_err());
    }

    #[test]
    fn areal_reduction_falls_with_area_and_rises_with_duration() {
        let a = &crate::flood::rivers::RiverTables::published().areal_reduction;
        assert!((a.factor(0.0, 1.0) - 1.0).abs() < 1e-12);
        assert!(a.factor(500.0, 1.0) < a.factor(500.0, 24.0));
        assert!(a.factor(500.0, 6.0) < a.factor(100.0, 6.0));
        // Large areas, 24 h: 1 - exp(-1.1 24^0.25) = 0.9123.
        assert!((a.factor(1e6, 24.0) - 0.912_3).abs() < 1e-3);
    }
}
