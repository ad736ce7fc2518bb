//! A law fitted to a sample by a chosen method, with standard errors and confidence bands.
//!
//! | method | Pearson III | GEV, Gumbel | generalised Pareto |
//! | --- | --- | --- | --- |
//! | curve fitting (适线法) | yes | yes | no |
//! | L-moments (线性矩法) | yes | yes | yes |
//! | maximum likelihood (极大似然法) | no | yes | yes |
//!
//! Pearson III has no maximum-likelihood fit here: its likelihood grows without bound as the lower limit nears the least
//! value of the sample wherever the gamma shape is below 1 (|Cs| > 2), and often has no maximum otherwise.
//!
//! Bands are of two kinds. Parametric bootstrap: samples drawn from the fitted law, refitted by the same method; percentile
//! intervals. Delta method: the gradient of the quantile with the covariance of the parameters, which is the inverse of the
//! observed information for maximum likelihood and the covariance of the bootstrap replicates for the others.
//!
//! # References
//! Coles (2001), §2.6.4 and §3.3.3; Efron and Tibshirani (1993), ch. 6 and 13.

use super::fitting::minimise;
use super::{
    CurveFitting, Gev, Gpd, Gumbel, Interval, Objective, Pearson3, Plotting, l_moments,
    percentile_interval, plotting_positions_with_history, sorted,
};
use crate::distributions::{normal_quantile, poisson_quantile};
use crate::random::Stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A family of laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Pearson III (皮尔逊Ⅲ型).
    #[default]
    Pearson3,
    /// Generalised extreme value (广义极值分布).
    Gev,
    /// Gumbel (耿贝尔分布).
    Gumbel,
    /// Generalised Pareto (广义帕累托分布), for peaks over a threshold.
    Gpd,
}

/// A way of fitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Least deviation from the plotting positions (适线法).
    CurveFitting,
    /// L-moments (线性矩法).
    LMoments,
    /// Maximum likelihood (极大似然法).
    Likelihood,
}

impl Distribution {
    /// Can the method fit this family?
    pub fn allows(self, method: Method) -> bool {
        match self {
            Distribution::Pearson3 => method != Method::Likelihood,
            Distribution::Gpd => method != Method::CurveFitting,
            Distribution::Gev | Distribution::Gumbel => true,
        }
    }

    /// The customary method of this family: curve fitting for Pearson III, else maximum likelihood.
    pub fn customary(self) -> Method {
        match self {
            Distribution::Pearson3 => Method::CurveFitting,
            _ => Method::Likelihood,
        }
    }

    /// Names of the parameters, in the order of [`Law::parameters`].
    pub fn parameter_names(self) -> &'static [&'static str] {
        match self {
            Distribution::Pearson3 => &["mean", "cv", "cs"],
            Distribution::Gev => &["location", "scale", "shape"],
            Distribution::Gumbel => &["location", "scale"],
            Distribution::Gpd => &["scale", "shape"],
        }
    }
}

/// One law with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// Pearson III.
    Pearson3(Pearson3),
    /// Generalised extreme value.
    Gev(Gev),
    /// Gumbel.
    Gumbel(Gumbel),
    /// Generalised Pareto, of the values above its threshold.
    Gpd(Gpd),
}

impl Law {
    /// Value exceeded with probability `exceedance`, 0..1; for the generalised Pareto law, by a value above its threshold.
    pub fn exceeded(&self, exceedance: f64) -> f64 {
        match self {
            Law::Pearson3(c) => c.mean + c.sd * super::pearson3::frequency_factor(exceedance, c.cs),
            // -ln(1 - P) keeps small probabilities.
            Law::Gev(c) => c.at_reduced(-libm::log(-libm::log1p(-exceedance))),
            Law::Gumbel(c) => c.as_gev().at_reduced(-libm::log(-libm::log1p(-exceedance))),
            Law::Gpd(c) => c.at_reduced(-libm::log(exceedance)),
        }
    }

    /// Probability of a value below `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        match self {
            Law::Pearson3(c) => c.cdf(x),
            Law::Gev(c) => c.cdf(x),
            Law::Gumbel(c) => c.cdf(x),
            Law::Gpd(c) => c.cdf(x),
        }
    }

    /// -ln L of a sample; infinite where a value lies outside the support.
    pub fn negative_log_likelihood(&self, values: &[f64]) -> f64 {
        match self {
            Law::Pearson3(c) => c.negative_log_likelihood(values),
            Law::Gev(c) => c.negative_log_likelihood(values),
            Law::Gumbel(c) => c.negative_log_likelihood(values),
            Law::Gpd(c) => c.negative_log_likelihood(values),
        }
    }

    /// Parameters, in the order of [`Distribution::parameter_names`]; a third that the family lacks is 0.
    pub fn parameters(&self) -> [f64; 3] {
        match *self {
            Law::Pearson3(c) => [c.mean, c.cv(), c.cs],
            Law::Gev(c) => [c.loc, c.scale, c.shape],
            Law::Gumbel(c) => [c.loc, c.scale, 0.0],
            Law::Gpd(c) => [c.scale, c.shape, 0.0],
        }
    }

    /// The same family (and threshold) with other parameters.
    fn with(&self, p: [f64; 3]) -> Law {
        match *self {
            Law::Pearson3(_) => Law::Pearson3(Pearson3::new(p[0], p[1], p[2])),
            Law::Gev(_) => Law::Gev(Gev {
                loc: p[0],
                scale: p[1],
                shape: p[2],
            }),
            Law::Gumbel(_) => Law::Gumbel(Gumbel {
                loc: p[0],
                scale: p[1],
            }),
            Law::Gpd(c) => Law::Gpd(Gpd {
                threshold: c.threshold,
                scale: p[0],
                shape: p[1],
            }),
        }
    }

    /// Its family.
    pub fn distribution(&self) -> Distribution {
        match self {
            Law::Pearson3(_) => Distribution::Pearson3,
            Law::Gev(_) => Distribution::Gev,
            Law::Gumbel(_) => Distribution::Gumbel,
            Law::Gpd(_) => Distribution::Gpd,
        }
    }
}

/// How a sample came about: what its replicates imitate.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Design {
    /// Maxima of so many years, each of its own.
    Annual(Plotting),
    /// Annual maxima of a record, with the greatest floods of a longer period.
    History {
        period_years: usize,
        extraordinary: usize,
        record_years: usize,
        within_record: usize,
    },
    /// Peaks over a threshold in a record of some years.
    Peaks {
        threshold: f64,
        years: f64,
        plotting: Plotting,
    },
}

/// A sample with its plotting positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Values, descending.
    pub values: Vec<f64>,
    /// Their exceedance probabilities; for peaks, given that the threshold is exceeded.
    pub exceedance: Vec<f64>,
    design: Design,
}

impl Sample {
    /// Annual maxima; NaN values are left out.
    pub fn annual(values: &[f64], plotting: Plotting) -> Sample {
        let mut values = sorted(values);
        values.reverse();
        Sample {
            exceedance: plotting.positions(values.len()),
            values,
            design: Design::Annual(plotting),
        }
    }

    /// Annual maxima of a record with historic floods (历史洪水) from before it, the greatest of `period_years` years that end
    /// with the record. Values of the record not below the least historic flood rank with the historic ones (特大值处理).
    ///
    /// `None` where there is no historic flood, or the period is not longer than the record.
    pub fn with_history(record: &[f64], historic: &[f64], period_years: usize) -> Option<Sample> {
        let (mut values, historic) = (sorted(record), sorted(historic));
        let least = *historic.first()?;
        let record_years = values.len();
        if period_years < record_years + historic.len() {
            return None;
        }
        let within_record = values.iter().filter(|v| **v >= least).count();
        values.extend(&historic);
        values.sort_by(|a, b| b.total_cmp(a));
        let extraordinary = historic.len() + within_record;
        Some(Sample {
            exceedance: plotting_positions_with_history(
                period_years,
                extraordinary,
                record_years,
                within_record,
            ),
            values,
            design: Design::History {
                period_years,
                extraordinary,
                record_years,
                within_record,
            },
        })
    }

    /// Peaks above a threshold in `years` years; values not above it are left out.
    pub fn peaks(values: &[f64], threshold: f64, years: f64, plotting: Plotting) -> Sample {
        let mut values = sorted(values);
        values.retain(|v| *v > threshold);
        values.reverse();
        Sample {
            exceedance: plotting.positions(values.len()),
            values,
            design: Design::Peaks {
                threshold,
                years,
                plotting,
            },
        }
    }

    /// Exceedances a year: the rate of peaks; `None` for annual maxima.
    pub fn rate_per_year(&self) -> Option<f64> {
        match self.design {
            Design::Peaks { years, .. } => Some(self.values.len() as f64 / years),
            _ => None,
        }
    }

    /// Fits a family by a method; `None` where the family does not allow the method, where the sample is too small or flat
    /// (fewer than five values), or where the fit fails. The generalised Pareto law goes with peaks, the others with annual
    /// maxima; a sample with history is fitted by curve fitting only.
    pub fn fit(
        &self,
        distribution: Distribution,
        method: Method,
        options: &CurveFitting,
    ) -> Option<Law> {
        Some(self.fit_with_covariance(distribution, method, options)?.0)
    }

    fn fit_with_covariance(
        &self,
        distribution: Distribution,
        method: Method,
        options: &CurveFitting,
    ) -> Option<(Law, Option<[[f64; 3]; 3]>)> {
        let threshold = match self.design {
            Design::Peaks { threshold, .. } => Some(threshold),
            _ => None,
        };
        let history = matches!(self.design, Design::History { .. });
        let fits = (distribution == Distribution::Gpd) == threshold.is_some()
            && distribution.allows(method)
            && (!history || method == Method::CurveFitting);
        if !fits || self.values.len() < 5 {
            return None;
        }
        let bare = |law: Law| (law, None);
        let fitted = match (distribution, method) {
            (Distribution::Pearson3, Method::CurveFitting) => bare(Law::Pearson3(
                Pearson3::from_positions(&self.values, &self.exceedance, options)?,
            )),
            (Distribution::Pearson3, _) => bare(Law::Pearson3(Pearson3::from_l_moments(
                &l_moments(&self.values),
            ))),
            (Distribution::Gev, Method::LMoments) => {
                bare(Law::Gev(Gev::from_l_moments(&l_moments(&self.values))))
            }
            (Distribution::Gev, Method::Likelihood) => {
                let fit = Gev::from_likelihood(&self.values)?;
                (Law::Gev(fit.curve), Some(widen(fit.covariance)))
            }
            (Distribution::Gumbel, Method::LMoments) => bare(Law::Gumbel(Gumbel::from_l_moments(
                &l_moments(&self.values),
            ))),
            (Distribution::Gumbel, Method::Likelihood) => {
                let fit = Gumbel::from_likelihood(&self.values)?;
                (Law::Gumbel(fit.curve), Some(widen(fit.covariance)))
            }
            (Distribution::Gev | Distribution::Gumbel, Method::CurveFitting) => {
                bare(self.fit_extreme_value(distribution == Distribution::Gev, options.objective)?)
            }
            (Distribution::Gpd, Method::LMoments) => bare(Law::Gpd(Gpd::from_l_moments(
                &l_moments(&self.values),
                threshold?,
            ))),
            (Distribution::Gpd, _) => {
                let fit = Gpd::from_likelihood(&self.values, threshold?)?;
                (Law::Gpd(fit.curve), Some(widen(fit.covariance)))
            }
        };
        // A flat sample gives a scale of zero or NaN.
        let [a, b, c] = fitted.0.parameters();
        let scale = if distribution == Distribution::Gpd {
            a
        } else {
            b
        };
        (a.is_finite() && b.is_finite() && c.is_finite() && scale > 0.0).then_some(fitted)
    }

    /// GEV (or Gumbel) by the least deviation from the plotting positions.
    fn fit_extreme_value(&self, with_shape: bool, objective: Objective) -> Option<Law> {
        let start = Gev::from_l_moments(&l_moments(&self.values));
        if start.scale.is_nan() || start.scale <= 0.0 {
            return None;
        }
        let law = |p: &[f64; 3]| {
            let (loc, scale) = (p[0], libm::exp(p[1]));
            if with_shape {
                Law::Gev(Gev {
                    loc,
                    scale,
                    shape: p[2],
                })
            } else {
                Law::Gumbel(Gumbel { loc, scale })
            }
        };
        let cost = |p: &[f64; 3]| {
            let law = law(p);
            let pull = if with_shape { 0.0 } else { p[2] * p[2] };
            let deviation = |(&value, &p): (&f64, &f64)| {
                let delta = value - law.exceeded(p);
                match objective {
                    Objective::Squared => delta * delta,
                    Objective::Absolute => delta.abs(),
                    Objective::RelativeSquared => (delta / value) * (delta / value),
                }
            };
            pull + self
                .values
                .iter()
                .zip(&self.exceedance)
                .map(deviation)
                .sum::<f64>()
        };
        let shape = if with_shape {
            start.shape.clamp(-0.4, 0.6)
        } else {
            0.0
        };
        let steps = [0.2 * start.scale, 0.2, 0.1];
        let (p, value) = minimise(cost, [start.loc, libm::log(start.scale), shape], steps);
        (value.is_finite() && (!with_shape || p[2].abs() < 1.0)).then(|| law(&p))
    }

    /// A sample of the same design from a law; `None` where too few peaks were drawn.
    fn replicate(&self, law: &Law, stream: Stream, replicate: u32) -> Option<Sample> {
        let draw = |n: usize| -> Vec<f64> {
            (0..n)
                .map(|i| law.exceeded(stream.uniform(i as u64, 0, replicate)))
                .collect()
        };
        Some(match self.design {
            Design::Annual(plotting) => Sample::annual(&draw(self.values.len()), plotting),
            Design::History {
                period_years,
                extraordinary,
                record_years,
                ..
            } => {
                // The last years are the record; of the others only what ranks among the greatest is known.
                let all = draw(period_years);
                let (before, record) = all.split_at(period_years - record_years);
                let mut ranked = sorted(&all);
                ranked.reverse();
                let least = *ranked.get(extraordinary.checked_sub(1)?)?;
                let historic: Vec<f64> = before.iter().copied().filter(|&v| v >= least).collect();
                if historic.is_empty() {
                    Sample::annual(record, Plotting::Weibull)
                } else {
                    let mut sample = Sample::with_history(record, &historic, period_years)?;
                    let within = record.iter().filter(|&&v| v >= least).count();
                    sample.exceedance = plotting_positions_with_history(
                        period_years,
                        extraordinary,
                        record_years,
                        within,
                    );
                    sample
                }
            }
            Design::Peaks {
                threshold,
                years,
                plotting,
            } => {
                let count =
                    poisson_quantile(stream.uniform(0, 1, replicate), self.values.len() as f64);
                Sample::peaks(&draw(count as usize), threshold, years, plotting)
            }
        })
    }

    /// Fits with standard errors and bands from `replicates` bootstrap samples; `None` as [`Sample::fit`].
    ///
    /// The replicates are the same for any number of threads.
    pub fn fit_with_errors(
        &self,
        distribution: Distribution,
        method: Method,
        options: &CurveFitting,
        replicates: u32,
        stream: Stream,
    ) -> Option<Fitted> {
        let (law, information) = self.fit_with_covariance(distribution, method, options)?;
        let laws: Vec<Option<(Law, f64)>> = (0..replicates)
            .into_par_iter()
            .map(|r| {
                let sample = self.replicate(&law, stream, r)?;
                let fit = sample.fit(distribution, method, options)?;
                Some((fit, sample.rate_per_year().unwrap_or(1.0)))
            })
            .collect();
        let laws: Vec<(Law, f64)> = laws.into_iter().flatten().collect();
        let covariance = information.unwrap_or_else(|| covariance(&laws));
        Some(Fitted {
            law,
            method,
            covariance,
            rate_per_year: self.rate_per_year(),
            peaks: self.values.len(),
            failed: replicates as usize - laws.len(),
            replicates: laws,
        })
    }
}

fn widen<const N: usize>(m: [[f64; N]; N]) -> [[f64; 3]; 3] {
    std::array::from_fn(|i| std::array::from_fn(|j| if i < N && j < N { m[i][j] } else { 0.0 }))
}

/// Covariance of the parameters over the replicates; NaN for fewer than two.
fn covariance(laws: &[(Law, f64)]) -> [[f64; 3]; 3] {
    let n = laws.len() as f64;
    let mut mean = [0.0; 3];
    for (law, _) in laws {
        let p = law.parameters();
        for i in 0..3 {
            mean[i] += p[i] / n;
        }
    }
    let mut sum = [[0.0; 3]; 3];
    for (law, _) in laws {
        let p = law.parameters();
        for i in 0..3 {
            for j in 0..3 {
                sum[i][j] += (p[i] - mean[i]) * (p[j] - mean[j]) / (n - 1.0);
            }
        }
    }
    if laws.len() < 2 {
        [[f64::NAN; 3]; 3]
    } else {
        sum
    }
}

/// A law with the uncertainty of its fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The law.
    pub law: Law,
    /// How it was fitted.
    pub method: Method,
    /// Covariance of the parameters, in the order of [`Law::parameters`].
    pub covariance: [[f64; 3]; 3],
    /// Rate of peaks per year; `None` for annual maxima.
    pub rate_per_year: Option<f64>,
    /// Bootstrap samples that could not be fitted; the bands leave them out.
    pub failed: usize,
    peaks: usize,
    replicates: Vec<(Law, f64)>,
}

impl Fitted {
    /// Standard errors of the parameters.
    pub fn standard_errors(&self) -> [f64; 3] {
        std::array::from_fn(|i| self.covariance[i][i].sqrt())
    }

    /// Value of a return period in years: exceeded in one year of `years` (annual maxima, `years` > 1), or once in `years`
    /// years on average (peaks; NaN where the threshold is exceeded less often than that).
    pub fn return_level(&self, years: f64) -> f64 {
        level(&self.law, self.rate_per_year.unwrap_or(1.0), years)
    }

    /// Return level with its bootstrap percentile interval, `confidence` in 0..1.
    pub fn bootstrap_interval(&self, years: f64, confidence: f64) -> Interval {
        let levels: Vec<f64> = self
            .replicates
            .iter()
            .map(|(law, rate)| level(law, *rate, years))
            .collect();
        percentile_interval(self.return_level(years), &sorted(&levels), confidence)
    }

    /// Return level with its delta-method interval, `confidence` in 0..1; the number of peaks counts as Poisson.
    pub fn delta_interval(&self, years: f64, confidence: f64) -> Interval {
        let rate = self.rate_per_year.unwrap_or(1.0);
        let p = self.law.parameters();
        let size = self.law.distribution().parameter_names().len();
        // What counts as a small step of each parameter.
        let sizes = match self.law.distribution() {
            Distribution::Pearson3 => [p[0].abs(), p[1].abs(), 1.0],
            Distribution::Gev | Distribution::Gumbel => [p[1], p[1], 1.0],
            Distribution::Gpd => [p[0], 1.0, 1.0],
        };
        let mut gradient = [0.0; 3];
        for i in 0..size {
            let h = 1e-5 * sizes[i];
            let at = |d: f64| {
                let mut q = p;
                q[i] += d;
                level(&self.law.with(q), rate, years)
            };
            gradient[i] = (at(h) - at(-h)) / (2.0 * h);
        }
        let mut variance = 0.0;
        for i in 0..size {
            for j in 0..size {
                variance += gradient[i] * self.covariance[i][j] * gradient[j];
            }
        }
        if self.rate_per_year.is_some() {
            let h = 1e-5;
            let up = level(&self.law, rate * (1.0 + h), years);
            let down = level(&self.law, rate * (1.0 - h), years);
            let slope = (up - down) / (2.0 * h);
            variance += slope * slope / self.peaks as f64;
        }
        let value = self.return_level(years);
        let reach = normal_quantile(0.5 * (1.0 + confidence)) * variance.sqrt();
        Interval {
            value,
            low: value - reach,
            high: value + reach,
        }
    }
}

fn level(law: &Law, rate: f64, years: f64) -> f64 {
    let exceedance = 1.0 / (rate * years);
    if exceedance <= 1.0 {
        law.exceeded(exceedance)
    } else {
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PORT_PIRIE, near};
    use super::*;

    fn stream() -> Stream {
        Stream::new(1, 77)
    }

    #[test]
    fn laws_agree_with_their_curves() {
        let sample = Sample::annual(&PORT_PIRIE, Plotting::Weibull);
        let plain = CurveFitting::default();
        let fit = |d, m| sample.fit(d, m, &plain).unwrap();
        // lmoments3 1.0.8 (frequency/portpirie_fits.csv), 1000 years, to its digits; it stops its iteration for the shape of
        // the GEV at 1e-6.
        near(
            fit(Distribution::Gev, Method::LMoments).exceeded(1e-3),
            5.055_444_4,
            1e-5,
        );
        near(
            fit(Distribution::Gumbel, Method::LMoments).exceeded(1e-3),
            5.210_229_1,
            5e-8,
        );
        near(
            fit(Distribution::Pearson3, Method::LMoments).exceeded(1e-3),
            5.028_939_9,
            5e-8,
        );
        near(
            fit(Distribution::Gumbel, Method::Likelihood).exceeded(1e-3),
            5.215_594_7,
            5e-7,
        );
        assert!(
            sample
                .fit(Distribution::Pearson3, Method::Likelihood, &plain)
                .is_none()
        );
        assert!(
            sample
                .fit(Distribution::Gpd, Method::LMoments, &plain)
                .is_none()
        );
        assert!(
            Sample::annual(&[3.0; 9], Plotting::Weibull)
                .fit(Distribution::Gev, Method::CurveFitting, &plain)
                .is_none()
        );
    }

    /// A sample on a curve at its plotting positions gives that curve back.
    #[test]
    fn curve_fitting_of_extreme_values() {
        let truth = Gev {
            loc: 100.0,
            scale: 30.0,
            shape: 0.1,
        };
        let x: Vec<f64> = Plotting::Cunnane
            .positions(20)
            .iter()
            .map(|p| truth.quantile(1.0 - p))
            .collect();
        let sample = Sample::annual(&x, Plotting::Cunnane);
        for objective in [Objective::Squared, Objective::RelativeSquared] {
            let options = CurveFitting {
                objective,
                ..CurveFitting::default()
            };
            let law = sample
                .fit(Distribution::Gev, Method::CurveFitting, &options)
                .unwrap();
            let p = law.parameters();
            near(p[0], 100.0, 1e-3);
            near(p[1], 30.0, 1e-3);
            near(p[2], 0.1, 1e-4);
        }
    }

    /// The delta method of the general fit is that of the GEV's own; the bootstrap lies near it.
    #[test]
    fn bands_of_port_pirie() {
        let sample = Sample::annual(&PORT_PIRIE, Plotting::Weibull);
        let plain = CurveFitting::default();
        let fit = |d, m, n| sample.fit_with_errors(d, m, &plain, n, stream()).unwrap();
        let gev = fit(Distribution::Gev, Method::Likelihood, 200);
        let own = Gev::from_likelihood(&PORT_PIRIE)
            .unwrap()
            .return_level(100.0, 0.95);
        let delta = gev.delta_interval(100.0, 0.95);
        near(delta.low, own.low, 1e-6);
        near(delta.high, own.high, 1e-6);
        let boot = gev.bootstrap_interval(100.0, 0.95);
        // 200 replicates place a 2.5 % quantile to 0.15 of the half-width (4 standard errors of its order statistic).
        assert!(
            (boot.low - delta.low).abs() < 0.3 && (boot.high - delta.high).abs() < 0.3,
            "{boot:?} {delta:?}"
        );
        assert_eq!(gev.failed, 0);
        // L-moments of Gumbel: asymptotic standard error of the scale is 0.8046 σ/√n (Hosking 1990: variance 0.8046 σ²/n is
        // that of the scale), of 200 replicates to 20 %.
        let gumbel = fit(Distribution::Gumbel, Method::LMoments, 200);
        let scale = gumbel.law.parameters()[1];
        let expected = scale * (0.8046_f64 / 65.0).sqrt();
        let found = gumbel.standard_errors()[1];
        assert!((found / expected - 1.0).abs() < 0.2, "{found} {expected}");
        let one = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let again = one.install(|| fit(Distribution::Gumbel, Method::LMoments, 200));
        assert_eq!(again, gumbel);
        let pearson = fit(Distribution::Pearson3, Method::CurveFitting, 40);
        let i = pearson.bootstrap_interval(100.0, 0.9);
        assert!(i.low < i.value && i.value < i.high);
    }

    #[test]
    fn history_steadies_the_tail() {
        let truth = Pearson3::new(100.0, 0.6, 1.8);
        let record: Vec<f64> = super::super::plotting_positions(40)
            .iter()
            .map(|p| truth.quantile(1.0 - p))
            .collect();
        let historic: Vec<f64> = [1.0, 2.0]
            .iter()
            .map(|m| truth.quantile(1.0 - m / 201.0))
            .collect();
        let sample = Sample::with_history(&record, &historic, 200).unwrap();
        assert_eq!((sample.values.len(), sample.exceedance.len()), (42, 42));
        near(sample.exceedance[1], 2.0 / 201.0, 1e-15);
        let plain = CurveFitting::default();
        let of = |s: &Sample| {
            s.fit_with_errors(
                Distribution::Pearson3,
                Method::CurveFitting,
                &plain,
                100,
                stream(),
            )
            .unwrap()
        };
        let (with, without) = (of(&sample), of(&Sample::annual(&record, Plotting::Weibull)));
        near(
            with.return_level(200.0),
            truth.return_level(200.0),
            0.03 * truth.return_level(200.0),
        );
        let width = |f: &Fitted| {
            let i = f.bootstrap_interval(200.0, 0.9);
            i.high - i.low
        };
        assert!(
            width(&with) < 0.8 * width(&without),
            "{} {}",
            width(&with),
            width(&without)
        );
        assert!(
            sample
                .fit(Distribution::Pearson3, Method::LMoments, &plain)
                .is_none()
        );
        assert!(Sample::with_history(&record, &historic, 41).is_none());
        assert!(Sample::with_history(&record, &[], 200).is_none());
    }

    #[test]
    fn peaks_have_a_rate() {
        let truth = Gpd {
            threshold: 30.0,
            scale: 7.0,
            shape: 0.1,
        };
        let x: Vec<f64> = Plotting::Hazen
            .positions(120)
            .iter()
            .map(|p| truth.quantile(1.0 - p))
            .collect();
        let sample = Sample::peaks(&x, 30.0, 40.0, Plotting::Weibull);
        assert_eq!(sample.rate_per_year(), Some(3.0));
        let plain = CurveFitting::default();
        let fit = sample
            .fit_with_errors(Distribution::Gpd, Method::Likelihood, &plain, 60, stream())
            .unwrap();
        let own = Gpd::from_likelihood(&x, 30.0)
            .unwrap()
            .return_level(100.0, 120, 40.0, 0.9);
        let delta = fit.delta_interval(100.0, 0.9);
        near(delta.value, own.value, 1e-9);
        near(delta.low, own.low, 1e-5 * own.low);
        assert!(fit.return_level(0.1).is_nan());
        let boot = fit.bootstrap_interval(100.0, 0.9);
        assert!(boot.low < boot.value && boot.value < boot.high);
    }
}
