//! Generalised Pareto distribution of the excess over a threshold (超门限峰值).
//!
//! # References
//! Coles (2001), ch. 4; Hosking and Wallis (1987), Technometrics 29, 339-349, doi:10.1080/00401706.1987.10488243.

use super::fitting::{hessian, inverse, minimise};
use super::gev::LikelihoodFit;
use super::{Interval, LMoments};

/// Generalised Pareto distribution above a threshold; threshold and scale in the unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gpd {
    /// Threshold u: values not above it are not part of the distribution.
    pub threshold: f64,
    /// Scale σ > 0.
    pub scale: f64,
    /// Shape ξ, > 0 for a heavy tail.
    pub shape: f64,
}

impl Gpd {
    /// The curve with these L-moments (of the values above the threshold) and this threshold.
    pub fn from_l_moments(m: &LMoments, threshold: f64) -> Self {
        let excess = m.l1 - threshold;
        let k = excess / m.l2 - 2.0;
        Gpd {
            threshold,
            scale: (1.0 + k) * excess,
            shape: -k,
        }
    }

    /// Maximum-likelihood fit to the values above the threshold; `None` for fewer than five of them, or where no maximum
    /// is found (shape <= -1). Parameters of the covariance: scale, shape.
    pub fn from_likelihood(values: &[f64], threshold: f64) -> Option<LikelihoodFit<Self, 2>> {
        let x: Vec<f64> = values.iter().copied().filter(|&v| v > threshold).collect();
        if x.len() < 5 {
            return None;
        }
        let mean = x.iter().sum::<f64>() / x.len() as f64 - threshold;
        let curve = |p: &[f64; 2]| Gpd {
            threshold,
            scale: libm::exp(p[0]),
            shape: p[1],
        };
        let (p, value) = minimise(
            |p| curve(p).negative_log_likelihood(&x),
            [libm::log(mean), 0.05],
            [0.2, 0.1],
        );
        if !value.is_finite() || p[1] <= -1.0 {
            return None;
        }
        let curve = curve(&p);
        let information = hessian(
            |q| {
                Gpd {
                    threshold,
                    scale: q[0],
                    shape: q[1],
                }
                .negative_log_likelihood(&x)
            },
            [curve.scale, curve.shape],
            [1e-4 * curve.scale, 1e-4],
        );
        Some(LikelihoodFit {
            curve,
            negative_log_likelihood: value,
            covariance: inverse(&information).unwrap_or([[f64::NAN; 2]; 2]),
        })
    }

    /// -ln L of the values above the threshold; infinite outside the support.
    pub fn negative_log_likelihood(&self, values: &[f64]) -> f64 {
        let mut sum = 0.0;
        for v in values.iter().filter(|v| **v > self.threshold) {
            let z = (v - self.threshold) / self.scale;
            sum += libm::log(self.scale);
            if self.shape.abs() < 1e-9 {
                sum += z;
            } else if self.shape * z <= -1.0 {
                return f64::INFINITY;
            } else {
                sum += (1.0 + 1.0 / self.shape) * libm::log1p(self.shape * z);
            }
        }
        sum
    }

    /// Probability of a value below `x`, given that the threshold is exceeded.
    pub fn cdf(&self, x: f64) -> f64 {
        let z = ((x - self.threshold) / self.scale).max(0.0);
        if self.shape.abs() < 1e-9 {
            return -libm::expm1(-z);
        }
        if self.shape * z <= -1.0 {
            return 1.0;
        }
        -libm::expm1(-libm::log1p(self.shape * z) / self.shape)
    }

    /// Value not exceeded with probability `p`, given that the threshold is exceeded.
    pub fn quantile(&self, p: f64) -> f64 {
        self.at_reduced(-libm::log1p(-p))
    }

    pub(super) fn at_reduced(&self, y: f64) -> f64 {
        if self.shape.abs() < 1e-9 {
            self.threshold + self.scale * y
        } else {
            self.threshold + self.scale * libm::expm1(self.shape * y) / self.shape
        }
    }

    /// Value exceeded once in `years` years on average, where the threshold is exceeded `rate_per_year` times a year;
    /// the threshold itself where it is exceeded less often than that.
    pub fn return_level(&self, years: f64, rate_per_year: f64) -> f64 {
        self.at_reduced(libm::log(years * rate_per_year).max(0.0))
    }
}

impl LikelihoodFit<Gpd, 2> {
    /// Return level with a delta-method confidence interval, for `peaks` exceedances in `record_years` years.
    ///
    /// The number of exceedances counts as Poisson: the rate has the variance `peaks` / `record_years`², independent of
    /// scale and shape (Coles 2001, §4.3.3, with Poisson in place of binomial).
    pub fn return_level(
        &self,
        years: f64,
        peaks: usize,
        record_years: f64,
        confidence: f64,
    ) -> Interval {
        let rate = peaks as f64 / record_years;
        let Gpd {
            threshold,
            scale,
            shape,
        } = self.curve;
        let y = libm::log(years * rate).max(0.0);
        let at = |scale, shape, y| {
            Gpd {
                threshold,
                scale,
                shape,
            }
            .at_reduced(y)
        };
        let value = at(scale, shape, y);
        let h = 1e-5;
        let gradient = [
            (value - threshold) / scale,
            (at(scale, shape + h, y) - at(scale, shape - h, y)) / (2.0 * h),
        ];
        // y = ln(years·rate): its variance is that of the rate over the square of the rate, 1/peaks.
        let along = (at(scale, shape, y + h) - at(scale, shape, y - h)) / (2.0 * h);
        self.delta_with(value, gradient, along * along / peaks as f64, confidence)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::near;
    use super::super::{LMoments, l_moments};
    use super::*;

    #[test]
    fn inverse_and_population_l_moments() {
        for shape in [-0.2, 0.0, 0.3] {
            let g = Gpd {
                threshold: 30.0,
                scale: 7.0,
                shape,
            };
            for p in [0.001, 0.5, 0.99] {
                near(g.cdf(g.quantile(p)), p, 1e-13);
            }
            // Hosking and Wallis: l1 = u + σ/(1+k), l2 = σ/((1+k)(2+k)), k = -ξ.
            let m = LMoments {
                l1: 30.0 + 7.0 / (1.0 - shape),
                l2: 7.0 / ((1.0 - shape) * (2.0 - shape)),
                t3: 0.0,
                t4: 0.0,
            };
            let back = Gpd::from_l_moments(&m, 30.0);
            near(back.scale, 7.0, 1e-12);
            near(back.shape, shape, 1e-12);
        }
        // lmoments3: exponential fit of its test vector has location .9527273 = l1 - 2 l2, so k = 0 there.
        let m = l_moments(&[2.0, 3.0, 4.0, 2.4, 5.5, 1.2, 5.4, 2.2, 7.1, 1.3, 1.5]);
        let g = Gpd::from_l_moments(&m, m.l1 - 2.0 * m.l2);
        near(g.threshold, 0.952_727_3, 5e-8);
        near(g.scale, 2.283_636_4, 5e-8);
        near(g.shape, 0.0, 1e-12);
    }

    /// Daily rain above 30 mm in south-west England (Coles 2001, §4.4.1): scipy finds scale 7.44025, shape 0.184496,
    /// 100-year level 106.33 mm.
    #[test]
    fn english_rain() {
        let data = std::env::var("ANLAN_SHARED_DATA").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_string()
        });
        let path = format!("{data}/flood/frequency/rain_daily_sw_england.csv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("SKIPPED: {path} is not there");
            return;
        };
        let rain: Vec<f64> = text
            .lines()
            .filter_map(|l| l.rsplit(',').next()?.trim().parse().ok())
            .collect();
        let fit = Gpd::from_likelihood(&rain, 30.0).unwrap();
        let over = rain.iter().filter(|&&v| v > 30.0).count();
        assert_eq!(over, 152);
        near(fit.curve.scale, 7.440_25, 5e-5);
        near(fit.curve.shape, 0.184_496, 5e-6);
        near(fit.negative_log_likelihood, 485.094, 5e-4);
        let years = rain.len() as f64 / 365.0;
        let rate = over as f64 / years;
        near(fit.curve.return_level(100.0, rate), 106.33, 0.02);
        // Coles (2001, §4.4.1), from memory: standard errors 0.958 and 0.101; 95 % interval [65.5, 147.2] mm, to his rounding.
        let se = fit.standard_errors();
        near(se[0], 0.958, 2e-3);
        near(se[1], 0.101, 1e-3);
        let i = fit.return_level(100.0, over, years, 0.95);
        near(i.low, 65.5, 0.5);
        near(i.high, 147.2, 0.5);
    }
}
