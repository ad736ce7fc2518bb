//! Averages and exceedance curves of the simulated years, with their sampling errors.
//!
//! AEP (aggregate exceedance probability) speaks of the sum of a year, OEP (occurrence) of its greatest event; both are
//! probabilities of an annual value, taken as order statistics of the simulated years.

use anlan_engine::distributions::order_statistic_interval;

/// A mean with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Standard error of the mean.
    pub standard_error: f64,
}

/// Mean over the years with its standard error; the average annual loss (AAL, 年均损失) of a table of yearly sums.
pub fn annual_average(years: &[f32]) -> Estimate {
    let n = years.len() as f64;
    let mean = years.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let square = years
        .iter()
        .map(|&v| {
            let d = f64::from(v) - mean;
            d * d
        })
        .sum::<f64>();
    Estimate {
        mean,
        standard_error: if n > 1.0 {
            (square / (n - 1.0) / n).sqrt()
        } else {
            f64::NAN
        },
    }
}

/// A loss by return period with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReturnLoss {
    /// Return period, years.
    pub return_period: f64,
    /// Loss that is exceeded once in so many years on average.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end; NaN where the simulated years are too few for one.
    pub high: f64,
}

/// Losses by return period from one value per year; the quantile of probability 1 − 1/T is the order statistic of rank
/// ⌈n(1 − 1/T)⌉. Return periods beyond a tenth of the years are left out: fewer than ten years would carry them.
pub fn return_loss(years: &[f32], return_periods: &[f64]) -> Vec<ReturnLoss> {
    let mut sorted = years.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let n = sorted.len();
    let at = |rank: usize| f64::from(sorted[rank.clamp(1, n) - 1]);
    return_periods
        .iter()
        .filter(|&&t| t * 10.0 <= n as f64)
        .map(|&t| {
            let p = 1.0 - 1.0 / t;
            let (low, high) = order_statistic_interval(n as u32, p, 0.95);
            ReturnLoss {
                return_period: t,
                value: at((n as f64 * p).ceil() as usize),
                low: at(low as usize),
                high: at(high as usize),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_quantiles_of_known_years() {
        let years: Vec<f32> = (1..=1000).map(|i| i as f32).collect();
        let e = annual_average(&years);
        // Uniform 1..1000: mean 500.5, variance 83416.7 (n - 1), standard error 9.1333.
        assert!((e.mean - 500.5).abs() < 1e-9 && (e.standard_error - 9.1333).abs() < 1e-3);
        let r = return_loss(&years, &[10.0, 100.0, 200.0]);
        assert_eq!(r.len(), 2);
        assert_eq!((r[0].value, r[1].value), (900.0, 990.0));
        assert!(r[1].low < 990.0 && r[1].high > 990.0);
    }
}
