//! Pearson III distribution (皮尔逊Ⅲ型) by mean, Cv and Cs, with the curve fitting of hydrological practice (适线法).
//!
//! # References
//! Hosking and Wallis (1997), app. A.9 (L-moment fit: rational approximation, relative error of the shape < 5e-5);
//! SL 44-2006 (curve fitting by plotting positions m/(n+1); read through a secondary source).

use super::fitting::minimise;
use super::{LMoments, plotting_positions, sorted};
use crate::distributions::{gamma_quantile_tails, gamma_tails, normal_cdf, normal_quantile};
use serde::{Deserialize, Serialize};

/// Pearson III curve: a shifted gamma distribution, mirrored for negative skewness, normal for none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pearson3 {
    /// Mean, in the unit of the data.
    pub mean: f64,
    /// Standard deviation > 0, in the unit of the data.
    pub sd: f64,
    /// Skewness Cs.
    pub cs: f64,
}

/// What curve fitting minimises over the plotting positions; Δ = value - curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Σ Δ².
    #[default]
    Squared,
    /// Σ |Δ|.
    Absolute,
    /// Σ (Δ / value)².
    RelativeSquared,
}

/// Options of curve fitting.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct CurveFitting {
    /// What is minimised.
    pub objective: Objective,
    /// Keep the mean of the sample.
    pub hold_mean: bool,
    /// Keep Cs/Cv at this ratio.
    pub cs_cv_ratio: Option<f64>,
}

/// Frequency factor Φ: the standardised Pearson III value exceeded with probability `exceedance`.
pub fn frequency_factor(exceedance: f64, cs: f64) -> f64 {
    // At this skewness the curve differs from the normal by less than 1e-7 up to six standard deviations.
    if cs.abs() < 1e-8 {
        return -normal_quantile(exceedance);
    }
    let shape = 4.0 / (cs * cs);
    let size = cs.abs();
    // Shape 4/Cs² and scale Cs/2 in units of the standard deviation, shifted to mean 0; mirrored for Cs < 0.
    let upper = if cs > 0.0 {
        gamma_quantile_tails(1.0 - exceedance, exceedance, shape)
    } else {
        gamma_quantile_tails(exceedance, 1.0 - exceedance, shape)
    };
    let factor = 0.5 * size * upper - 2.0 / size;
    if cs > 0.0 { factor } else { -factor }
}

impl Pearson3 {
    /// From mean, coefficient of variation Cv and skewness Cs.
    pub fn new(mean: f64, cv: f64, cs: f64) -> Self {
        Pearson3 {
            mean,
            sd: mean * cv,
            cs,
        }
    }

    /// Coefficient of variation Cv.
    pub fn cv(&self) -> f64 {
        self.sd / self.mean
    }

    /// From the moments of a sample: Cv with n-1, Cs = Σ(x-mean)³ / ((n-3)·sd³) as in Chinese practice.
    pub fn from_moments(values: &[f64]) -> Self {
        let x = sorted(values);
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let (mut m2, mut m3) = (0.0, 0.0);
        for v in &x {
            let d = v - mean;
            m2 += d * d;
            m3 += d * d * d;
        }
        let sd = (m2 / (n - 1.0)).sqrt();
        Pearson3 {
            mean,
            sd,
            cs: m3 / ((n - 3.0) * sd * sd * sd),
        }
    }

    /// The curve with these L-moments; NaN where t3 is not in (-1, 1).
    pub fn from_l_moments(m: &LMoments) -> Self {
        let t = m.t3.abs();
        let pi = std::f64::consts::PI;
        if t < 1e-6 {
            return Pearson3 {
                mean: m.l1,
                sd: m.l2 * pi.sqrt(),
                cs: 0.0,
            };
        }
        let alpha = if t < 1.0 / 3.0 {
            let z = 3.0 * pi * t * t;
            (1.0 + 0.2906 * z) / (z * (1.0 + z * (0.1882 + z * 0.0442)))
        } else if t < 1.0 {
            let z = 1.0 - t;
            z * (0.36067 + z * (-0.59567 + z * 0.25361))
                / (1.0 + z * (-2.78861 + z * (2.56096 + z * -0.77045)))
        } else {
            f64::NAN
        };
        let ratio = libm::exp(libm::lgamma(alpha) - libm::lgamma(alpha + 0.5));
        Pearson3 {
            mean: m.l1,
            sd: (pi * alpha).sqrt() * m.l2 * ratio,
            cs: (2.0 / alpha.sqrt()).copysign(m.t3),
        }
    }

    /// Curve fitting (适线法) at plotting positions m/(n+1), starting from the moments. `None` for fewer than five
    /// values, for a mean that is not positive, or where all values are equal.
    pub fn from_curve_fitting(values: &[f64], options: &CurveFitting) -> Option<Self> {
        let mut x = sorted(values);
        x.reverse();
        Pearson3::from_positions(&x, &plotting_positions(x.len()), options)
    }

    /// Curve fitting at given exceedance probabilities of values in descending order (historic floods:
    /// [`super::plotting_positions_with_history`]).
    pub fn from_positions(
        descending: &[f64],
        exceedance: &[f64],
        options: &CurveFitting,
    ) -> Option<Self> {
        assert_eq!(descending.len(), exceedance.len());
        if descending.len() < 5 {
            return None;
        }
        let start = Pearson3::from_moments(descending);
        if !(start.mean > 0.0 && start.sd > 0.0) {
            return None;
        }
        if options.objective != Objective::Absolute {
            return profile(descending, exceedance, start.mean, options);
        }
        let curve = |p: &[f64; 3]| {
            let mean = if options.hold_mean { start.mean } else { p[0] };
            let cv = p[1];
            Pearson3::new(mean, cv, options.cs_cv_ratio.map_or(p[2], |r| r * cv))
        };
        let cost = |p: &[f64; 3]| {
            let c = curve(p);
            if !(c.mean > 0.0 && c.sd > 0.0) || c.cs.abs() > 20.0 {
                return f64::INFINITY;
            }
            descending
                .iter()
                .zip(exceedance)
                .map(|(&value, &p)| {
                    let delta = value - (c.mean + c.sd * frequency_factor(p, c.cs));
                    match options.objective {
                        Objective::Squared => delta * delta,
                        Objective::Absolute => delta.abs(),
                        Objective::RelativeSquared => (delta / value) * (delta / value),
                    }
                })
                .sum()
        };
        let cs = start.cs.clamp(-4.0, 4.0);
        let steps = [0.05 * start.mean, 0.1 * start.cv(), 0.2];
        let (p, value) = minimise(cost, [start.mean, start.cv(), cs], steps);
        value.is_finite().then(|| curve(&p))
    }

    /// Probability of a value below `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        let z = (x - self.mean) / self.sd;
        if self.cs.abs() < 1e-8 {
            return normal_cdf(z);
        }
        let size = self.cs.abs();
        let signed = if self.cs > 0.0 { z } else { -z };
        let (below, above) = gamma_tails(2.0 * (signed + 2.0 / size) / size, 4.0 / (size * size));
        if self.cs > 0.0 { below } else { above }
    }

    /// Value not exceeded with probability `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        self.mean + self.sd * frequency_factor(1.0 - p, self.cs)
    }

    /// Value exceeded once in `years` years on average (annual maxima), `years` > 1.
    pub fn return_level(&self, years: f64) -> f64 {
        self.mean + self.sd * frequency_factor(1.0 / years, self.cs)
    }

    /// -ln L of a sample; infinite outside the support.
    pub fn negative_log_likelihood(&self, values: &[f64]) -> f64 {
        let size = self.cs.abs();
        let mut sum = 0.0;
        for v in values {
            let z = (v - self.mean) / self.sd;
            if size < 1e-8 {
                sum += 0.5 * z * z + libm::log(self.sd) + 0.918_938_533_204_672_7;
                continue;
            }
            let shape = 4.0 / (size * size);
            let y = 2.0 * (z * self.cs.signum() + 2.0 / size) / size;
            if y <= 0.0 {
                return f64::INFINITY;
            }
            sum += y - (shape - 1.0) * libm::log(y)
                + libm::lgamma(shape)
                + libm::log(0.5 * size * self.sd);
        }
        sum
    }
}

/// Skewness values between which the least sum of squares is looked for.
const SKEWNESS: [f64; 21] = [
    -6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0,
    8.0, 10.0, 14.0, 20.0,
];

/// Least squares for the objectives that are sums of squares: for a given Cs the curve is linear in its mean and standard
/// deviation, so that one dimension is left to search.
fn profile(
    descending: &[f64],
    exceedance: &[f64],
    sample_mean: f64,
    options: &CurveFitting,
) -> Option<Pearson3> {
    let weight = |value: f64| match options.objective {
        Objective::RelativeSquared => 1.0 / (value * value),
        _ => 1.0,
    };
    let at = |cs: f64| -> (Pearson3, f64) {
        let phi: Vec<f64> = exceedance
            .iter()
            .map(|&p| frequency_factor(p, cs))
            .collect();
        let points = || {
            descending
                .iter()
                .zip(&phi)
                .map(|(&v, &f)| (v, f, weight(v)))
        };
        // A ratio of zero leaves Cv free: the normal curve.
        let ratio = options.cs_cv_ratio.filter(|&r| r != 0.0);
        let (mean, sd) = if let Some(ratio) = ratio {
            let cv = cs / ratio;
            let (mut top, mut bottom) = (0.0, 0.0);
            for (v, f, w) in points() {
                let g = 1.0 + cv * f;
                top += w * g * v;
                bottom += w * g * g;
            }
            let mean = if options.hold_mean {
                sample_mean
            } else {
                top / bottom
            };
            (mean, cv * mean)
        } else if options.hold_mean {
            let (mut top, mut bottom) = (0.0, 0.0);
            for (v, f, w) in points() {
                top += w * f * (v - sample_mean);
                bottom += w * f * f;
            }
            (sample_mean, top / bottom)
        } else {
            let (mut sw, mut sf, mut sv) = (0.0, 0.0, 0.0);
            for (v, f, w) in points() {
                sw += w;
                sf += w * f;
                sv += w * v;
            }
            let (mf, mv) = (sf / sw, sv / sw);
            let (mut top, mut bottom) = (0.0, 0.0);
            for (v, f, w) in points() {
                top += w * (f - mf) * (v - mv);
                bottom += w * (f - mf) * (f - mf);
            }
            let sd = top / bottom;
            (mv - sd * mf, sd)
        };
        let cost = if mean > 0.0 && sd > 0.0 {
            points()
                .map(|(v, f, w)| w * (v - mean - sd * f) * (v - mean - sd * f))
                .sum()
        } else {
            f64::INFINITY
        };
        (Pearson3 { mean, sd, cs }, cost)
    };
    if options.cs_cv_ratio == Some(0.0) {
        let (curve, cost) = at(0.0);
        return cost.is_finite().then_some(curve);
    }
    let costs = SKEWNESS.map(|cs| at(cs).1);
    let best = (0..SKEWNESS.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b]))?;
    if !costs[best].is_finite() {
        return None;
    }
    let (mut low, mut high) = (
        SKEWNESS[best.saturating_sub(1)],
        SKEWNESS[(best + 1).min(SKEWNESS.len() - 1)],
    );
    // Golden section; the sum of squares is flat to rounding within 1e-8 of its least.
    let share = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut left, mut right) = (high - share * (high - low), low + share * (high - low));
    let (mut at_left, mut at_right) = (at(left).1, at(right).1);
    while high - low > 1e-8 {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - share * (high - low);
            at_left = at(left).1;
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + share * (high - low);
            at_right = at(right).1;
        }
    }
    let (curve, cost) = at(0.5 * (low + high));
    cost.is_finite().then_some(curve)
}

#[cfg(test)]
mod tests {
    use super::super::l_moments;
    use super::super::tests::{PORT_PIRIE, near};
    use super::*;

    const EXCEEDANCE: [f64; 9] = [0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 0.99];

    /// The Φ table of the textbooks, to its four decimals.
    #[test]
    fn frequency_factors() {
        let table = [
            (
                0.0,
                [
                    3.0902, 2.3263, 2.0537, 1.6449, 1.2816, 0.8416, 0.0, -1.2816, -2.3263,
                ],
            ),
            (
                1.0,
                [
                    4.5311, 3.0226, 2.5421, 1.8768, 1.3404, 0.7575, -0.1640, -1.1276, -1.5884,
                ],
            ),
            (
                2.0,
                [
                    5.9078, 3.6052, 2.9120, 1.9957, 1.3026, 0.6094, -0.3069, -0.8946, -0.9899,
                ],
            ),
            (
                3.5,
                [
                    7.7202, 4.2247, 3.2264, 1.9715, 1.0955, 0.3217, -0.4125, -0.5704, -0.5714,
                ],
            ),
        ];
        for (cs, row) in table {
            for (p, expected) in EXCEEDANCE.iter().zip(row) {
                near(frequency_factor(*p, cs), expected, 5.001e-5);
                // Mirror image.
                near(frequency_factor(1.0 - p, -cs), -expected, 5.001e-5);
            }
        }
        near(
            Pearson3::new(100.0, 0.5, 1.75).return_level(100.0),
            273.601_879,
            5e-7,
        );
        // Next to no skewness joins the normal curve.
        near(frequency_factor(0.01, 1e-4), 2.326_347_874, 1e-4);
    }

    /// lmoments3 1.0.8.
    #[test]
    fn port_pirie_by_l_moments() {
        let c = Pearson3::from_l_moments(&l_moments(&PORT_PIRIE));
        near(c.mean, 3.980_615_4, 5e-8);
        near(c.sd, 0.243_926_97, 5e-9);
        near(c.cs, 0.837_055_98, 5e-9);
        near(c.return_level(100.0), 4.691_837_7, 5e-8);
        near(c.return_level(1_000.0), 5.028_939_9, 5e-8);
        near(c.negative_log_likelihood(&PORT_PIRIE), -4.571_592_3, 5e-8);
        for p in [0.01, 0.5, 0.99] {
            near(c.cdf(c.quantile(p)), p, 1e-12);
        }
    }

    /// A sample that lies on a curve at the plotting positions gives that curve back under every objective.
    #[test]
    fn curve_fitting_recovers_its_own_curve() {
        let truth = Pearson3::new(100.0, 0.5, 1.75);
        let x: Vec<f64> = plotting_positions(12)
            .iter()
            .map(|p| truth.quantile(1.0 - p))
            .collect();
        for objective in [
            Objective::Squared,
            Objective::Absolute,
            Objective::RelativeSquared,
        ] {
            let fit = Pearson3::from_curve_fitting(
                &x,
                &CurveFitting {
                    objective,
                    ..CurveFitting::default()
                },
            )
            .unwrap();
            near(fit.mean, 100.0, 1e-3);
            near(fit.cv(), 0.5, 1e-5);
            near(fit.cs, 1.75, 1e-4);
        }
        let held = CurveFitting {
            hold_mean: true,
            cs_cv_ratio: Some(3.5),
            ..CurveFitting::default()
        };
        let fit = Pearson3::from_curve_fitting(&x, &held).unwrap();
        near(fit.mean, x.iter().sum::<f64>() / 12.0, 1e-10);
        near(fit.cs / fit.cv(), 3.5, 1e-12);
        assert!(Pearson3::from_curve_fitting(&[2.0; 8], &held).is_none());
    }
}
