//! Design rain (设计暴雨): depth of a duration and return period, hyetographs, areal reduction.
//!
//! * Storm formula (暴雨强度公式): q = 167 A1 (1 + C lg P) / (t + b)^n, L/(s ha), t in minutes; as intensity
//!   i = q / 167, mm/min.
//! * Chicago hyetograph (芝加哥雨型; Keifer & Chu 1957, J. Hydraul. Div. 83:1332): each side of the peak is the
//!   depth-duration curve D(x), stretched by r and 1 - r. A block's depth is the difference of D at its ends: exact,
//!   where sampling the intensity at points is not.
//! * Alternating blocks (Chow, Maidment & Mays 1988, section 14.4): the increments of D(t), the greatest at the peak.
//! * Mass curves (Huff's quartiles, a user's own percentages, sections of constant intensity).
//! * Frequency table: depth by duration and return period, interpolated both ways.

use crate::weather::Status;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

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

    /// Alternating blocks of a depth-duration curve `depth_mm(h)`: its increments, the greatest in the block at the share
    /// `peak` (0..1) of the duration, the others after and before it in turn. The total is the curve's depth at the whole
    /// duration; the greatest block is the depth of one step.
    pub fn alternating_block(
        depth_mm: impl Fn(f64) -> f64,
        duration_h: f64,
        peak: f64,
        step_h: f64,
    ) -> Hyetograph {
        let mut rain = Hyetograph::blocks(duration_h, step_h, |from, to| {
            depth_mm(to) - if from > 0.0 { depth_mm(from) } else { 0.0 }
        });
        let mut by_size = rain.depth_mm.clone();
        by_size.sort_by(|a, b| b.total_cmp(a));
        let n = by_size.len();
        let top = ((peak * n as f64 - 1e-9).ceil() as usize).clamp(1, n) - 1;
        let (mut right, mut left) = (top, top);
        for (k, depth) in by_size.into_iter().enumerate() {
            let at = if k == 0 {
                top
            } else if (k % 2 == 1 && right + 1 < n) || left == 0 {
                right += 1;
                right
            } else {
                left -= 1;
                left
            };
            rain.depth_mm[at] = depth;
        }
        rain
    }

    /// A mass curve: cumulative share of the depth at equal steps of the duration, from 0 to 1, linear in between.
    ///
    /// # Panics
    /// A curve of fewer than two points.
    pub fn mass_curve(share: &[f64], depth_mm: f64, duration_h: f64, step_h: f64) -> Hyetograph {
        assert!(share.len() > 1, "a mass curve from 0 to 1");
        let at = |t: f64| {
            let x = (t / duration_h).clamp(0.0, 1.0) * (share.len() - 1) as f64;
            let k = (x as usize).min(share.len() - 2);
            share[k] + (x - k as f64) * (share[k + 1] - share[k])
        };
        Hyetograph::blocks(duration_h, step_h, |from, to| {
            depth_mm * (at(to) - at(from))
        })
    }

    /// A user's own pattern: percent of the depth in each of equal steps of `step_h`.
    ///
    /// # Errors
    /// Percentages that are negative or no number, or do not sum to 100 (to 0.1).
    pub fn percentages(percent: &[f64], depth_mm: f64, step_h: f64) -> Result<Hyetograph> {
        let sum: f64 = percent.iter().sum();
        if let Some(at) = percent.iter().position(|p| !(*p >= 0.0 && p.is_finite())) {
            return Err(Error::input(
                Fault::new(
                    "rain pattern",
                    percent[at].to_string(),
                    "percentages of at least 0",
                    "correct the pattern",
                )
                .at(format!("step {}", at + 1)),
            ));
        }
        if (sum - 100.0).abs() > 0.1 {
            return Err(Error::input(Fault::new(
                "rain pattern",
                format!("percentages that sum to {sum}"),
                "100",
                "complete or correct the pattern",
            )));
        }
        Ok(Hyetograph {
            step_h,
            depth_mm: percent.iter().map(|p| depth_mm * p / sum).collect(),
        })
    }

    /// Sections of constant intensity (均匀段雨型), each `(hours, mm)`, one after the other.
    ///
    /// # Errors
    /// No section, a section that is no longer than 0 or has a negative depth.
    pub fn sections(sections: &[(f64, f64)], step_h: f64) -> Result<Hyetograph> {
        let good = |&(h, mm): &(f64, f64)| h > 0.0 && h.is_finite() && mm >= 0.0 && mm.is_finite();
        if sections.is_empty() || !sections.iter().all(good) {
            return Err(Error::input(Fault::new(
                "rain sections",
                format!("{sections:?}"),
                "at least one section of (hours above 0, mm of at least 0)",
                "correct the sections",
            )));
        }
        let fallen = |t: f64| {
            let (mut begin, mut sum) = (0.0, 0.0);
            for &(h, mm) in sections {
                sum += mm * ((t - begin) / h).clamp(0.0, 1.0);
                begin += h;
            }
            sum
        };
        let duration_h = sections.iter().map(|s| s.0).sum();
        Ok(Hyetograph::blocks(duration_h, step_h, |from, to| {
            fallen(to) - fallen(from)
        }))
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

/// Quarter of the duration in which a storm is heaviest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quartile {
    /// The first.
    First,
    /// The second.
    Second,
    /// The third.
    Third,
    /// The fourth.
    Fourth,
}

/// Huff's median mass curves, from 0 to 1 at equal steps of the duration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HuffCurves {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was read.
    pub status: Status,
    /// Heaviest in the first quarter.
    pub first: Vec<f64>,
    /// Heaviest in the second quarter.
    pub second: Vec<f64>,
    /// Heaviest in the third quarter.
    pub third: Vec<f64>,
    /// Heaviest in the fourth quarter.
    pub fourth: Vec<f64>,
}

/// The tables of `standards/rain_patterns.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RainPatterns {
    /// Huff's quartile curves.
    pub huff: HuffCurves,
}

impl RainPatterns {
    /// The tables that come with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> RainPatterns {
        RainPatterns::parse(
            include_str!("../../standards/rain_patterns.toml"),
            Path::new("standards/rain_patterns.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, a curve that does not rise from 0 to 1.
    pub fn parse(text: &str, file: &Path) -> Result<RainPatterns> {
        let patterns: RainPatterns = super::runoff::parse_toml(text, file)?;
        let faults: Vec<Fault> = [
            ("first", &patterns.huff.first),
            ("second", &patterns.huff.second),
            ("third", &patterns.huff.third),
            ("fourth", &patterns.huff.fourth),
        ]
        .into_iter()
        .filter(|(_, c)| {
            c.len() < 2
                || c[0] != 0.0
                || c[c.len() - 1] != 1.0
                || !c.windows(2).all(|w| w[0] <= w[1])
        })
        .map(|(name, curve)| {
            Fault::new(
                file,
                format!("{curve:?}"),
                "shares that rise from 0 to 1",
                "correct the curve",
            )
            .at(format!("huff.{name}"))
        })
        .collect();
        if faults.is_empty() {
            Ok(patterns)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Hyetograph of one of Huff's quartiles.
    pub fn huff(
        &self,
        quartile: Quartile,
        depth_mm: f64,
        duration_h: f64,
        step_h: f64,
    ) -> Hyetograph {
        let curve = match quartile {
            Quartile::First => &self.huff.first,
            Quartile::Second => &self.huff.second,
            Quartile::Third => &self.huff.third,
            Quartile::Fourth => &self.huff.fourth,
        };
        Hyetograph::mass_curve(curve, depth_mm, duration_h, step_h)
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
    fn alternating_blocks_of_the_worked_example() {
        // Chow, Maidment, Mays (1988), example 14.4.1: Denver, ten years, i = 96.6 / (t^0.97 + 13.90) in/h, t in min;
        // two hours in steps of 10 min, in inches.
        let depth = |h: f64| 96.6 / (libm::pow(h * 60.0, 0.97) + 13.90) * h;
        let rain = Hyetograph::alternating_block(depth, 2.0, 0.5, 1.0 / 6.0);
        let published = [
            0.024, 0.033, 0.050, 0.084, 0.178, 0.693, 0.308, 0.117, 0.063, 0.040, 0.028, 0.021,
        ];
        for (d, p) in rain.depth_mm.iter().zip(published) {
            assert!((d - p).abs() < 6e-4, "{rain:?}");
        }
        assert!((rain.total_mm() - depth(2.0)).abs() < 1e-12);
        // A peak at an end leaves one side empty.
        for peak in [0.0, 1.0] {
            let rain = Hyetograph::alternating_block(depth, 2.0, peak, 1.0 / 6.0);
            assert!((rain.total_mm() - depth(2.0)).abs() < 1e-12);
        }
    }

    #[test]
    fn mass_curves_keep_the_depth() {
        let patterns = RainPatterns::published();
        // First quartile: half of the depth in the first fifth of the duration, 62 % in the first quarter.
        let rain = patterns.huff(Quartile::First, 80.0, 10.0, 0.5);
        assert_eq!(rain.depth_mm.len(), 20);
        assert!((rain.depth_mm[..4].iter().sum::<f64>() - 40.0).abs() < 1e-9);
        assert!((rain.depth_mm[..5].iter().sum::<f64>() - 49.6).abs() < 1e-9);
        let quarters = [
            Quartile::First,
            Quartile::Second,
            Quartile::Third,
            Quartile::Fourth,
        ];
        for (k, quartile) in quarters.into_iter().enumerate() {
            let rain = patterns.huff(quartile, 100.0, 4.0, 1.0);
            assert!((rain.total_mm() - 100.0).abs() < 1e-9);
            let heaviest = (0..4).max_by(|&a, &b| rain.depth_mm[a].total_cmp(&rain.depth_mm[b]));
            assert_eq!(heaviest, Some(k), "{rain:?}");
        }
        let text = include_str!("../../standards/rain_patterns.toml").replacen("0.063", "0.963", 1);
        let told = RainPatterns::parse(&text, Path::new("mine.toml"))
            .unwrap_err()
            .to_string();
        assert!(told.contains("mine.toml, huff.first"), "{told}");
    }

    #[test]
    fn own_patterns_and_sections() {
        let rain = Hyetograph::percentages(&[10.0, 60.0, 30.0], 50.0, 1.0).unwrap();
        assert_eq!(rain.depth_mm, [5.0, 30.0, 15.0]);
        let told = Hyetograph::percentages(&[10.0, 60.0], 50.0, 1.0)
            .unwrap_err()
            .to_string();
        assert!(told.contains("sum to 70"), "{told}");
        assert!(Hyetograph::percentages(&[110.0, -10.0], 50.0, 1.0).is_err());
        let rain = Hyetograph::sections(&[(1.5, 30.0), (1.0, 5.0)], 1.0).unwrap();
        assert_eq!(rain.depth_mm, [20.0, 12.5, 2.5]);
        assert!(Hyetograph::sections(&[], 1.0).is_err());
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
