//! Frequency analysis of extremes (频率分析): L-moments, GEV, Gumbel, Pearson III, generalised Pareto.
//!
//! | file | holds |
//! | --- | --- |
//! | here | L-moments, plotting positions, goodness of fit, parametric bootstrap |
//! | [`gev`] | [`Gev`] and [`Gumbel`]: L-moments, maximum likelihood with standard errors, delta-method intervals |
//! | [`pearson3`] | [`Pearson3`] (皮尔逊Ⅲ型): L-moments and curve fitting (适线法) |
//! | [`gpd`] | [`Gpd`]: L-moments, maximum likelihood, delta-method intervals |
//! | [`peaks`] | independent peaks of a series, choice of the threshold |
//! | [`fit`] | any of them to a sample by any method, with confidence bands |
//! | [`fitting`] | Nelder-Mead and observed information |
//!
//! # References
//! Hosking and Wallis (1997), Regional Frequency Analysis; Coles (2001), An Introduction to Statistical Modeling of
//! Extreme Values, doi:10.1007/978-1-4471-3675-0.

pub mod fit;
pub mod fitting;
pub mod gev;
pub mod gpd;
pub mod peaks;
pub mod pearson3;

pub use fit::{Distribution, Fitted, Law, Method, Sample};
pub use gev::{Gev, Gumbel};
pub use gpd::Gpd;
pub use pearson3::{CurveFitting, Objective, Pearson3};

use crate::random::Stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Sample L-moments: l1 and l2 in the unit of the data, the ratios t3 and t4 without one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LMoments {
    /// Mean.
    pub l1: f64,
    /// L-scale: half the mean difference of two values.
    pub l2: f64,
    /// L-skewness, -1..1.
    pub t3: f64,
    /// L-kurtosis, -1/4..1.
    pub t4: f64,
}

/// Unbiased sample L-moments by probability-weighted moments (Hosking and Wallis 1997, eqs 2.57-2.60).
///
/// - NaN values are left out.
/// - NaN throughout for fewer than four values; NaN ratios where all values are equal.
pub fn l_moments(values: &[f64]) -> LMoments {
    let x = sorted(values);
    let n = x.len() as f64;
    if x.len() < 4 {
        return LMoments {
            l1: f64::NAN,
            l2: f64::NAN,
            t3: f64::NAN,
            t4: f64::NAN,
        };
    }
    let mut b = [0.0; 4];
    for (i, &v) in x.iter().enumerate() {
        let i = i as f64;
        let w1 = i / (n - 1.0);
        let w2 = w1 * (i - 1.0) / (n - 2.0);
        let w3 = w2 * (i - 2.0) / (n - 3.0);
        b[0] += v;
        b[1] += w1 * v;
        b[2] += w2 * v;
        b[3] += w3 * v;
    }
    let [b0, b1, b2, b3] = b.map(|sum| sum / n);
    let l2 = 2.0 * b1 - b0;
    let ratio = |l: f64| if l2 > 0.0 { l / l2 } else { f64::NAN };
    LMoments {
        l1: b0,
        l2,
        t3: ratio(6.0 * b2 - 6.0 * b1 + b0),
        t4: ratio(20.0 * b3 - 30.0 * b2 + 12.0 * b1 - b0),
    }
}

/// The values that are numbers, ascending.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut x: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    x.sort_by(f64::total_cmp);
    x
}

/// Non-exceedance probability of the value with a return period of `years` years in annual maxima.
#[inline]
pub fn probability(years: f64) -> f64 {
    1.0 - 1.0 / years
}

/// Exceedance probabilities m/(n+1) of the m-th largest of `n` values, largest first (期望公式).
pub fn plotting_positions(n: usize) -> Vec<f64> {
    (1..=n).map(|m| m as f64 / (n as f64 + 1.0)).collect()
}

/// Formula of the plotting positions (经验频率公式): exceedance probability (m - a)/(n + 1 - 2a) of the m-th largest of n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plotting {
    /// m/(n+1): the mean of the exceedance probability, a = 0 (期望公式; Weibull). That of Chinese practice.
    #[default]
    Weibull,
    /// (m - 0.5)/n (Hazen).
    Hazen,
    /// (m - 0.44)/(n + 0.12): for Gumbel (Gringorten 1963).
    Gringorten,
    /// (m - 0.4)/(n + 0.2) (Cunnane 1978).
    Cunnane,
    /// (m - 0.375)/(n + 0.25): for the normal law (Blom 1958).
    Blom,
}

impl Plotting {
    /// Exceedance probabilities of `n` values, largest first.
    pub fn positions(self, n: usize) -> Vec<f64> {
        let a = match self {
            Plotting::Weibull => return plotting_positions(n),
            Plotting::Hazen => 0.5,
            Plotting::Gringorten => 0.44,
            Plotting::Cunnane => 0.4,
            Plotting::Blom => 0.375,
        };
        let n = n as f64;
        (1..=n as usize)
            .map(|m| (m as f64 - a) / (n + 1.0 - 2.0 * a))
            .collect()
    }
}

/// Exceedance probabilities of a series with historic floods (不连续系列), largest first.
///
/// `extraordinary` floods rank first in `period_years` years; `within_record` of them belong to the record of
/// `record_years` years, whose other values follow. Historic: M/(N+1). Record: p_a + (1 - p_a)(m - l)/(n - l + 1) with
/// p_a = a/(N+1) (SL 44-2006, unified-sample formula; `status = "unverified"`).
pub fn plotting_positions_with_history(
    period_years: usize,
    extraordinary: usize,
    record_years: usize,
    within_record: usize,
) -> Vec<f64> {
    let span = period_years as f64 + 1.0;
    let base = extraordinary as f64 / span;
    let ordinary = record_years.saturating_sub(within_record);
    (1..=extraordinary)
        .map(|m| m as f64 / span)
        .chain((1..=ordinary).map(|m| base + (1.0 - base) * m as f64 / (ordinary as f64 + 1.0)))
        .collect()
}

/// How well a curve fits a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goodness {
    /// Kolmogorov-Smirnov distance between the curve and the steps of the sample.
    pub ks: f64,
    /// Root mean square difference between ordered values and the curve at m/(n+1), in the unit of the data.
    pub rmse: f64,
    /// Nash-Sutcliffe efficiency of the same differences (确定性系数), 1 for a perfect fit.
    pub efficiency: f64,
}

/// Goodness of a curve given by its cumulative function and its quantiles; NaN for an empty sample.
pub fn goodness(
    values: &[f64],
    cdf: impl Fn(f64) -> f64,
    quantile: impl Fn(f64) -> f64,
) -> Goodness {
    let x = sorted(values);
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let (mut ks, mut squares, mut spread) = (0.0_f64, 0.0, 0.0);
    for (i, &v) in x.iter().enumerate() {
        let f = cdf(v);
        let i = i as f64;
        ks = ks.max((f - i / n).abs()).max(((i + 1.0) / n - f).abs());
        let d = v - quantile((i + 1.0) / (n + 1.0));
        squares += d * d;
        spread += (v - mean) * (v - mean);
    }
    Goodness {
        ks: if x.is_empty() { f64::NAN } else { ks },
        rmse: (squares / n).sqrt(),
        efficiency: 1.0 - squares / spread,
    }
}

/// A value with its confidence bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Point estimate.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// Parametric bootstrap of any statistic: draws `replicates` samples of `n` values from `quantile`, refits each with
/// `statistic` and returns the results ascending (NaN results of failed fits are left out).
///
/// The interval of confidence c runs from element (1-c)/2·len to element (1+c)/2·len.
pub fn bootstrap(
    n: usize,
    replicates: u32,
    stream: Stream,
    quantile: impl Fn(f64) -> f64 + Sync,
    statistic: impl Fn(&[f64]) -> f64 + Sync,
) -> Vec<f64> {
    let results: Vec<f64> = (0..replicates)
        .into_par_iter()
        .map(|r| {
            let sample: Vec<f64> = (0..n)
                .map(|i| quantile(stream.uniform(i as u64, 0, r)))
                .collect();
            statistic(&sample)
        })
        .collect();
    sorted(&results)
}

/// Percentile interval of an ascending bootstrap sample; NaN bounds where it is empty.
pub fn percentile_interval(value: f64, ascending: &[f64], confidence: f64) -> Interval {
    let at = |p: f64| -> f64 {
        let last = ascending.len().saturating_sub(1) as f64;
        let place = p * last;
        let below = place.floor() as usize;
        match (ascending.get(below), ascending.get(below + 1)) {
            (Some(a), Some(b)) => a + (b - a) * (place - below as f64),
            (Some(a), None) => *a,
            _ => f64::NAN,
        }
    };
    Interval {
        value,
        low: at(0.5 * (1.0 - confidence)),
        high: at(0.5 * (1.0 + confidence)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Port Pirie annual maximum sea levels 1923-1987, m (Coles 2001, §1.2.1).
    pub(crate) const PORT_PIRIE: [f64; 65] = [
        4.03, 3.83, 3.65, 3.88, 4.01, 4.08, 4.18, 3.80, 4.36, 3.96, 3.98, 4.69, 3.85, 3.96, 3.85,
        3.93, 3.75, 3.63, 3.57, 4.25, 3.97, 4.05, 4.24, 4.22, 3.73, 4.37, 4.06, 3.71, 3.96, 4.06,
        4.55, 3.79, 3.89, 4.11, 3.85, 3.86, 3.86, 4.21, 4.01, 4.11, 4.24, 3.96, 4.21, 3.74, 3.85,
        3.88, 3.66, 4.11, 3.71, 4.18, 3.90, 3.78, 3.91, 3.72, 4.00, 3.66, 3.62, 4.33, 4.55, 3.75,
        4.08, 3.90, 3.88, 3.94, 4.33,
    ];

    pub(crate) fn near(found: f64, expected: f64, half_digit: f64) {
        assert!(
            (found - expected).abs() <= half_digit,
            "found {found}, expected {expected}"
        );
    }

    /// lmoments3 1.0.8: its own test vector, and Port Pirie.
    #[test]
    fn l_moments_of_published_samples() {
        let m = l_moments(&[2.0, 3.0, 4.0, 2.4, 5.5, 1.2, 5.4, 2.2, 7.1, 1.3, 1.5]);
        near(m.l1, 3.236_363_64, 5e-9);
        near(m.l2, 1.141_818_18, 5e-9);
        near(m.t3, 0.273_885_35, 5e-9);
        near(m.t4, 0.023_354_56, 5e-9);
        let m = l_moments(&PORT_PIRIE);
        near(m.l1, 3.980_615_385, 5e-10);
        near(m.l2, 0.134_644_230_8, 5e-11);
        near(m.t3, 0.137_433_135_1, 5e-11);
        near(m.t4, 0.132_831_202_6, 5e-11);
        assert!(l_moments(&[1.0, 2.0, f64::NAN]).l1.is_nan());
        assert!(l_moments(&[1.0; 9]).t3.is_nan());
    }

    #[test]
    fn positions() {
        assert_eq!(plotting_positions(3), [0.25, 0.5, 0.75]);
        assert_eq!(Plotting::Hazen.positions(2), [0.25, 0.75]);
        near(Plotting::Gringorten.positions(10)[0], 0.56 / 10.12, 1e-15);
        // No history: the formula must fall back to m/(n+1).
        assert_eq!(
            plotting_positions_with_history(99, 0, 3, 0),
            [0.25, 0.5, 0.75]
        );
        // One flood in 99 years, outside a record of 3.
        let p = plotting_positions_with_history(99, 1, 3, 0);
        near(p[0], 0.01, 1e-15);
        near(p[2], 0.01 + 0.99 * 0.5, 1e-15);
    }

    #[test]
    fn goodness_of_a_perfect_fit() {
        // Values at the plotting positions of U(0, 1).
        let g = goodness(&[0.25, 0.5, 0.75], |x| x, |p| p);
        near(g.ks, 0.25, 1e-15);
        near(g.rmse, 0.0, 1e-15);
        near(g.efficiency, 1.0, 1e-15);
    }

    #[test]
    fn bootstrap_brackets_the_fit_whatever_the_threads() {
        let fit = Gumbel::from_l_moments(&l_moments(&PORT_PIRIE));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                bootstrap(
                    65,
                    200,
                    Stream::new(1, 14),
                    |p| fit.quantile(p),
                    |x| Gumbel::from_l_moments(&l_moments(x)).return_level(100.0),
                )
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        let i = percentile_interval(fit.return_level(100.0), &one, 0.95);
        assert!(i.low < i.value && i.value < i.high);
    }
}
