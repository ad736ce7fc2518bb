//! Generalised extreme value and Gumbel distributions of annual maxima.
//!
//! F(x) = exp{-[1 + ξ(x-μ)/σ]^(-1/ξ)}, shape ξ > 0 for a heavy upper tail (the opposite sign of Hosking's k and of
//! scipy's c).
//!
//! # References
//! Hosking, Wallis and Wood (1985), Technometrics 27, 251-261, doi:10.1080/00401706.1985.10488049; Coles (2001), ch. 3.

use super::fitting::{hessian, inverse, minimise};
use super::{Interval, LMoments, l_moments, probability};
use crate::distributions::normal_quantile;

const EULER: f64 = 0.577_215_664_901_532_9;
/// Below this the shape counts as zero in the formulas: their error is of the order of its square.
const FLAT: f64 = 1e-9;

/// Generalised extreme value distribution; location and scale in the unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gev {
    /// Location μ.
    pub loc: f64,
    /// Scale σ > 0.
    pub scale: f64,
    /// Shape ξ.
    pub shape: f64,
}

/// Gumbel distribution of maxima: the GEV of shape 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gumbel {
    /// Location.
    pub loc: f64,
    /// Scale > 0.
    pub scale: f64,
}

/// A fit by maximum likelihood: the curve, its standard errors and covariance from the observed information.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikelihoodFit<C, const N: usize> {
    /// The fitted curve.
    pub curve: C,
    /// Negative log-likelihood at the fit.
    pub negative_log_likelihood: f64,
    /// Covariance of the parameters in the order of the fields; NaN where the information is not positive definite.
    pub covariance: [[f64; N]; N],
}

impl<C, const N: usize> LikelihoodFit<C, N> {
    /// Standard errors of the parameters, in the order of the fields of the curve.
    pub fn standard_errors(&self) -> [f64; N] {
        std::array::from_fn(|i| self.covariance[i][i].sqrt())
    }

    fn delta(&self, value: f64, gradient: [f64; N], confidence: f64) -> Interval {
        self.delta_with(value, gradient, 0.0, confidence)
    }

    /// Delta-method interval where the value has a further variance of its own.
    pub(super) fn delta_with(
        &self,
        value: f64,
        gradient: [f64; N],
        further: f64,
        confidence: f64,
    ) -> Interval {
        let mut variance = further;
        for i in 0..N {
            for j in 0..N {
                variance += gradient[i] * self.covariance[i][j] * gradient[j];
            }
        }
        let reach = normal_quantile(0.5 * (1.0 + confidence)) * variance.sqrt();
        Interval {
            value,
            low: value - reach,
            high: value + reach,
        }
    }
}

impl Gev {
    /// The curve with these L-moments; t3 solved by Newton from Hosking's approximation. NaN where t3 is not in (-1, 1).
    pub fn from_l_moments(m: &LMoments) -> Self {
        if !(m.t3 > -1.0 && m.t3 < 1.0) {
            return Gev {
                loc: f64::NAN,
                scale: f64::NAN,
                shape: f64::NAN,
            };
        }
        let ln2 = std::f64::consts::LN_2;
        let ln3 = libm::log(3.0);
        let c = 2.0 / (3.0 + m.t3) - ln2 / ln3;
        let mut k = 7.8590 * c + 2.9554 * c * c;
        for _ in 0..30 {
            if k.abs() < 1e-6 {
                // 0/0 of the exact formula; the approximation above is good to 1e-9 here.
                break;
            }
            let (a, b) = (libm::exp(-k * ln3), libm::exp(-k * ln2));
            let value = 2.0 * (1.0 - a) / (1.0 - b) - 3.0 - m.t3;
            let slope = 2.0 * (ln3 * a * (1.0 - b) - (1.0 - a) * ln2 * b) / ((1.0 - b) * (1.0 - b));
            let step = value / slope;
            k -= step;
            if step.abs() < 1e-13 {
                break;
            }
        }
        if k.abs() < FLAT {
            let g = Gumbel::from_l_moments(m);
            return Gev {
                loc: g.loc,
                scale: g.scale,
                shape: 0.0,
            };
        }
        let gamma = libm::tgamma(1.0 + k);
        let scale = m.l2 * k / (gamma * (1.0 - libm::exp(-k * ln2)));
        Gev {
            loc: m.l1 - scale * (1.0 - gamma) / k,
            scale,
            shape: -k,
        }
    }

    /// Maximum-likelihood fit; `None` for fewer than five distinct values or where no maximum is found (shape <= -1).
    pub fn from_likelihood(values: &[f64]) -> Option<LikelihoodFit<Gev, 3>> {
        let x = distinct_enough(values)?;
        let start = Gev::from_l_moments(&l_moments(&x));
        let cost = |p: &[f64; 3]| {
            Gev {
                loc: p[0],
                scale: libm::exp(p[1]),
                shape: p[2],
            }
            .negative_log_likelihood(&x)
        };
        // The shape of the L-moments may leave a value outside the support: begin flat then.
        let mut shape = start.shape.clamp(-0.4, 0.6);
        if !cost(&[start.loc, libm::log(start.scale), shape]).is_finite() {
            shape = 1e-3;
        }
        let s = start.scale;
        let (p, value) = minimise(cost, [start.loc, libm::log(s), shape], [0.2 * s, 0.2, 0.1]);
        if !value.is_finite() || p[2] <= -1.0 {
            return None;
        }
        let curve = Gev {
            loc: p[0],
            scale: libm::exp(p[1]),
            shape: p[2],
        };
        let information = hessian(
            |q| {
                Gev {
                    loc: q[0],
                    scale: q[1],
                    shape: q[2],
                }
                .negative_log_likelihood(&x)
            },
            [curve.loc, curve.scale, curve.shape],
            [1e-4 * curve.scale, 1e-4 * curve.scale, 1e-4],
        );
        Some(LikelihoodFit {
            curve,
            negative_log_likelihood: value,
            covariance: inverse(&information).unwrap_or([[f64::NAN; 3]; 3]),
        })
    }

    /// -ln L of a sample; infinite where a value lies outside the support or the scale is not positive.
    pub fn negative_log_likelihood(&self, values: &[f64]) -> f64 {
        if self.scale.is_nan() || self.scale <= 0.0 {
            return f64::INFINITY;
        }
        let mut sum = values.len() as f64 * libm::log(self.scale);
        for v in values {
            let z = (v - self.loc) / self.scale;
            let y = if self.shape.abs() < FLAT {
                z
            } else if self.shape * z <= -1.0 {
                return f64::INFINITY;
            } else {
                libm::log1p(self.shape * z) / self.shape
            };
            sum += (1.0 + self.shape) * y + libm::exp(-y);
        }
        sum
    }

    /// Probability of a value below `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        let z = (x - self.loc) / self.scale;
        if self.shape.abs() < FLAT {
            return libm::exp(-libm::exp(-z));
        }
        let t = self.shape * z;
        if t <= -1.0 {
            return if self.shape > 0.0 { 0.0 } else { 1.0 };
        }
        libm::exp(-libm::exp(-libm::log1p(t) / self.shape))
    }

    /// Value not exceeded with probability `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        let y = -libm::log(-libm::log(p));
        self.at_reduced(y)
    }

    pub(super) fn at_reduced(&self, y: f64) -> f64 {
        if self.shape.abs() < FLAT {
            self.loc + self.scale * y
        } else {
            self.loc + self.scale * libm::expm1(self.shape * y) / self.shape
        }
    }

    /// Value exceeded once in `years` years on average (annual maxima), `years` > 1.
    pub fn return_level(&self, years: f64) -> f64 {
        self.quantile(probability(years))
    }
}

impl LikelihoodFit<Gev, 3> {
    /// Return level with a delta-method confidence interval (Coles 2001, §3.3.3).
    pub fn return_level(&self, years: f64, confidence: f64) -> Interval {
        let Gev { loc, scale, shape } = self.curve;
        let y = -libm::log(-libm::log(probability(years)));
        let at = |loc, scale, shape| Gev { loc, scale, shape }.at_reduced(y);
        let value = at(loc, scale, shape);
        let h = 1e-5;
        let gradient = [
            1.0,
            (value - loc) / scale,
            (at(loc, scale, shape + h) - at(loc, scale, shape - h)) / (2.0 * h),
        ];
        self.delta(value, gradient, confidence)
    }
}

impl Gumbel {
    /// The curve with these L-moments.
    pub fn from_l_moments(m: &LMoments) -> Self {
        let scale = m.l2 / std::f64::consts::LN_2;
        Gumbel {
            loc: m.l1 - EULER * scale,
            scale,
        }
    }

    /// Maximum-likelihood fit by Newton's method on the scale; `None` for fewer than five distinct values.
    pub fn from_likelihood(values: &[f64]) -> Option<LikelihoodFit<Gumbel, 2>> {
        let x = distinct_enough(values)?;
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        // exp(-(x - least)/scale) cannot overflow.
        let least = x[0];
        let mut scale = Gumbel::from_l_moments(&l_moments(&x)).scale;
        let (mut low, mut high) = (1e-6 * scale, 1e3 * scale);
        for _ in 0..200 {
            let (mut s0, mut s1, mut s2) = (0.0, 0.0, 0.0);
            for v in &x {
                let d = v - least;
                let e = libm::exp(-d / scale);
                s0 += e;
                s1 += d * e;
                s2 += d * d * e;
            }
            // Root of g(scale) = scale - mean + Σxe/Σe, which rises with the scale.
            let g = scale - (mean - least) + s1 / s0;
            if g > 0.0 {
                high = scale;
            } else {
                low = scale;
            }
            let slope = 1.0 + (s2 / s0 - (s1 / s0) * (s1 / s0)) / (scale * scale);
            let mut next = scale - g / slope;
            if !(next > low && next < high) {
                next = 0.5 * (low + high);
            }
            let done = (next - scale).abs() <= 1e-15 * scale;
            scale = next;
            if done {
                break;
            }
        }
        let mean_e = x
            .iter()
            .map(|v| libm::exp(-(v - least) / scale))
            .sum::<f64>()
            / n;
        let curve = Gumbel {
            loc: least - scale * libm::log(mean_e),
            scale,
        };
        let cost = |p: &[f64; 2]| {
            Gumbel {
                loc: p[0],
                scale: p[1],
            }
            .negative_log_likelihood(&x)
        };
        let information = hessian(cost, [curve.loc, scale], [1e-4 * scale; 2]);
        Some(LikelihoodFit {
            curve,
            negative_log_likelihood: curve.negative_log_likelihood(&x),
            covariance: inverse(&information).unwrap_or([[f64::NAN; 2]; 2]),
        })
    }

    /// -ln L of a sample.
    pub fn negative_log_likelihood(&self, values: &[f64]) -> f64 {
        self.as_gev().negative_log_likelihood(values)
    }

    /// The same curve as a GEV of shape 0.
    pub fn as_gev(&self) -> Gev {
        Gev {
            loc: self.loc,
            scale: self.scale,
            shape: 0.0,
        }
    }

    /// Probability of a value below `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        self.as_gev().cdf(x)
    }

    /// Value not exceeded with probability `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        self.as_gev().quantile(p)
    }

    /// Value exceeded once in `years` years on average (annual maxima), `years` > 1.
    pub fn return_level(&self, years: f64) -> f64 {
        self.quantile(probability(years))
    }
}

impl LikelihoodFit<Gumbel, 2> {
    /// Return level with a delta-method confidence interval.
    pub fn return_level(&self, years: f64, confidence: f64) -> Interval {
        let y = -libm::log(-libm::log(probability(years)));
        self.delta(self.curve.return_level(years), [1.0, y], confidence)
    }
}

/// Ascending values, if there are at least five different ones.
fn distinct_enough(values: &[f64]) -> Option<Vec<f64>> {
    let x = super::sorted(values);
    let distinct = 1 + x.windows(2).filter(|w| w[0] < w[1]).count();
    (!x.is_empty() && distinct >= 5 && x.iter().all(|v| v.is_finite())).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PORT_PIRIE, near};
    use super::*;

    /// lmoments3 1.0.8 on Port Pirie.
    #[test]
    fn l_moment_fits() {
        let m = l_moments(&PORT_PIRIE);
        let g = Gev::from_l_moments(&m);
        near(g.loc, 3.873_15, 5e-6);
        near(g.scale, 0.203_222, 5e-7);
        near(g.shape, -0.051_21, 5e-6);
        near(g.return_level(100.0), 4.706_0, 5e-5);
        near(g.return_level(1_000.0), 5.055_44, 1e-5);
        near(g.negative_log_likelihood(&PORT_PIRIE), -4.294_95, 5e-6);
        let g = Gumbel::from_l_moments(&m);
        near(g.loc, 3.868_490_9, 5e-8);
        near(g.scale, 0.194_250_56, 5e-9);
        near(g.return_level(100.0), 4.762_072_5, 5e-8);
        near(g.negative_log_likelihood(&PORT_PIRIE), -4.216_710_1, 5e-8);
    }

    /// scipy 's maxima, Extremes.jl (loc 3.874750, ln scale -1.619272, shape -0.050107) and Coles (2001, §3.4.1:
    /// standard errors 0.028, 0.020, 0.098; 100-year level 4.69).
    #[test]
    fn maximum_likelihood_fits() {
        let fit = Gev::from_likelihood(&PORT_PIRIE).unwrap();
        near(fit.negative_log_likelihood, -4.339_058_2, 5e-7);
        // Two published optimisers differ by 2e-5 in the location: the maximum is that flat.
        near(fit.curve.loc, 3.874_75, 1e-5);
        near(fit.curve.scale, 0.198_04, 1e-5);
        near(fit.curve.shape, -0.050_11, 1e-5);
        // Of Extremes.jl's parameters; scipy stopped a little short of the maximum, at 4.68834.
        near(fit.curve.return_level(100.0), 4.688_407, 1e-5);
        let se = fit.standard_errors();
        near(se[0], 0.028, 5e-4);
        near(se[1], 0.020, 5e-4);
        near(se[2], 0.098, 5e-4);
        // Coles: delta-method 95 % interval of the 100-year level is [4.377, 5.000] to his rounding.
        let i = fit.return_level(100.0, 0.95);
        near(i.low, 4.38, 0.01);
        near(i.high, 5.00, 0.01);

        let fit = Gumbel::from_likelihood(&PORT_PIRIE).unwrap();
        near(fit.curve.loc, 3.869_443_5, 5e-7);
        near(fit.curve.scale, 0.194_889_45, 5e-7);
        near(fit.negative_log_likelihood, -4.217_681_9, 5e-8);
        near(fit.return_level(100.0, 0.9).value, 4.765_964_1, 1e-6);
        assert!(Gev::from_likelihood(&[1.0; 20]).is_none());
        assert!(Gumbel::from_likelihood(&[1.0, 2.0]).is_none());
    }

    #[test]
    fn quantile_and_cdf_are_inverse() {
        for shape in [-0.3, -1e-12, 0.0, 0.2] {
            let g = Gev {
                loc: 10.0,
                scale: 2.0,
                shape,
            };
            for p in [0.01, 0.5, 0.999] {
                near(g.cdf(g.quantile(p)), p, 1e-13);
            }
        }
        // Population L-moments of a GEV come back: k = 0.2 has t3 = 2(1-3^-k)/(1-2^-k) - 3.
        let k = 0.2;
        let t3 = 2.0 * (1.0 - libm::pow(3.0, -k)) / (1.0 - libm::pow(2.0, -k)) - 3.0;
        let m = LMoments {
            l1: 1.0,
            l2: 0.3,
            t3,
            t4: 0.0,
        };
        near(Gev::from_l_moments(&m).shape, -0.2, 1e-12);
    }
}
