//! Average annual loss and exceedance curves from simulated years, with their sampling errors.
//!
//! Definitions, over N simulated years, years without loss included:
//! - **AAL** (年均损失): mean of the annual sums; its standard error is s/√N.
//! - **AEP** curve: exceedance *probability* of the annual sum. **OEP** curve: of the annual maximum of one occasion.
//! - The k-th largest of N years has exceedance probability k/N and return period N/k; in between the loss is linear in
//!   the probability.
//! - **TVaR** at T: mean of the worst N/T years.
//! - An exceedance *rate* λ (events per year above a loss) and a probability are not the same: p = 1 - exp(-λ) for
//!   Poisson events. Curves of other engines at return periods below about 10 years differ for that reason.

use crate::distributions::order_statistic_interval;
use crate::extremes::Interval;

/// A mean with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error; NaN for fewer than two years.
    pub standard_error: f64,
}

/// Average annual loss with its sampling error. NaN without years.
pub fn average_annual_loss(annual: &[f64]) -> Estimate {
    let n = annual.len() as f64;
    let value = total(annual.iter().copied()) / n;
    let squares = total(annual.iter().map(|v| (v - value) * (v - value)));
    Estimate {
        value,
        standard_error: (squares / (n - 1.0) / n).sqrt(),
    }
}

/// Sum with the rounding carried along (Neumaier 1974): the error does not grow with the number of terms.
pub fn total(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut carried) = (0.0_f64, 0.0);
    for v in values {
        let next = sum + v;
        carried += if sum.abs() >= v.abs() {
            (sum - next) + v
        } else {
            (v - next) + sum
        };
        sum = next;
    }
    sum + carried
}

/// Exceedance curve of one value per simulated year: AEP from annual sums, OEP from annual maxima.
#[derive(Debug, Clone, PartialEq)]
pub struct ExceedanceCurve {
    descending: Vec<f64>,
}

impl ExceedanceCurve {
    /// Sorts the years; all of them must be given, those without loss as 0.
    pub fn new(annual: &[f64]) -> Self {
        let mut descending = annual.to_vec();
        descending.sort_unstable_by(|a, b| b.total_cmp(a));
        ExceedanceCurve { descending }
    }

    /// Number of years.
    pub fn years(&self) -> usize {
        self.descending.len()
    }

    /// Annual values, largest first: the k-th (from 1) has return period years / k.
    pub fn descending(&self) -> &[f64] {
        &self.descending
    }

    /// Share of years whose value is above `loss`.
    pub fn probability_above(&self, loss: f64) -> f64 {
        self.descending.partition_point(|&v| v > loss) as f64 / self.descending.len() as f64
    }

    /// Loss of a return period, a; NaN below 1 and above the number of years.
    pub fn loss(&self, return_period: f64) -> f64 {
        let rank = self.descending.len() as f64 / return_period;
        if !(rank >= 1.0 && return_period >= 1.0) {
            return f64::NAN;
        }
        let k = rank.floor() as usize;
        let here = self.descending[k - 1];
        match self.descending.get(k) {
            Some(next) => here + (next - here) * (rank - k as f64),
            None => here,
        }
    }

    /// Loss of a return period with its confidence interval by order statistics (no assumption on the distribution).
    /// The lower bound is 0 and the upper one infinite where there are too few years to say.
    pub fn interval(&self, return_period: f64, confidence: f64) -> Interval {
        let n = self.descending.len();
        let value = self.loss(return_period);
        if value.is_nan() {
            return Interval {
                value,
                low: f64::NAN,
                high: f64::NAN,
            };
        }
        let (low, high) = order_statistic_interval(n as u32, 1.0 - 1.0 / return_period, confidence);
        // Rank r from below is place n - r from above.
        let at = |rank: u32, missing: f64| {
            n.checked_sub(rank as usize)
                .and_then(|place| self.descending.get(place))
                .copied()
                .unwrap_or(missing)
        };
        Interval {
            value,
            low: at(low, 0.0),
            high: at(high, f64::INFINITY),
        }
    }

    /// Mean of the worst years, a share 1/T of all of them (a year cut by that share counts in part); NaN as
    /// [`ExceedanceCurve::loss`].
    pub fn tail_mean(&self, return_period: f64) -> f64 {
        let rank = self.descending.len() as f64 / return_period;
        if !(rank >= 1.0 && return_period >= 1.0) {
            return f64::NAN;
        }
        let k = rank.floor() as usize;
        let whole = total(self.descending[..k].iter().copied());
        let part = self
            .descending
            .get(k)
            .map_or(0.0, |v| v * (rank - k as f64));
        (whole + part) / rank
    }
}

/// Exceedance rates from event losses and their rates: (loss, rate of events with at least that loss), largest first.
pub fn rate_curve(losses: &[f64], rates_per_year: &[f64]) -> Vec<(f64, f64)> {
    assert_eq!(losses.len(), rates_per_year.len());
    let mut rows: Vec<(f64, f64)> = losses
        .iter()
        .copied()
        .zip(rates_per_year.iter().copied())
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let mut sum = 0.0;
    for row in &mut rows {
        sum += row.1;
        row.1 = sum;
    }
    rows
}

/// Probability of at least one Poisson event in a year at this rate.
pub fn probability_of_rate(rate_per_year: f64) -> f64 {
    -libm::expm1(-rate_per_year)
}

/// Rate of Poisson events whose yearly probability this is.
pub fn rate_of_probability(probability: f64) -> f64 {
    -libm::log1p(-probability)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::{
        beta_cdf, binomial_cdf, binomial_quantile, exponential_quantile, gamma_tails,
        poisson_quantile,
    };
    use crate::random::Stream;

    /// One of fifty checks at 1e-6 overall (Bonferroni), two-sided.
    const CHANCE: f64 = 2e-8;
    const Z: f64 = 5.61;

    fn within_binomial(count: usize, n: u32, p: f64) {
        let low = binomial_quantile(0.5 * CHANCE, n, p);
        let high = binomial_quantile(1.0 - 0.5 * CHANCE, n, p);
        assert!(
            (low..=high).contains(&(count as u32)),
            "{count} of {n} at {p}: [{low}, {high}]"
        );
    }

    #[test]
    fn ten_years_by_hand() {
        let c = ExceedanceCurve::new(&[0.0, 5.0, 0.0, 10.0, 0.0, 2.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(c.loss(10.0), 10.0);
        assert_eq!(c.loss(5.0), 5.0);
        assert_eq!(c.loss(4.0), 3.5);
        assert_eq!(c.loss(1.0), 0.0);
        assert!(c.loss(11.0).is_nan() && c.loss(0.5).is_nan());
        assert_eq!(c.probability_above(0.0), 0.4);
        assert_eq!(c.tail_mean(5.0), 7.5);
        assert_eq!(c.tail_mean(4.0), 16.0 / 2.5);
        assert_eq!(c.interval(10.0, 0.95).high, f64::INFINITY);
        let a = average_annual_loss(c.descending());
        assert_eq!(a.value, 1.8);
        // Sum of squares 130 - 10·1.8² = 97.6.
        assert!((a.standard_error - libm::sqrt(97.6 / 90.0)).abs() < 1e-15);
        assert!(ExceedanceCurve::new(&[]).loss(10.0).is_nan());
        assert_eq!(
            ExceedanceCurve::new(&[0.0; 100]).interval(10.0, 0.9).value,
            0.0
        );
    }

    /// Reference cases 6 and 7: compound Poisson years (rate 2, exponential losses of mean 1). AAL = λ, annual variance
    /// λE[X²] = 4, P(max > x) = 1 - exp(-λe^-x), P(sum > x) = Σ P(n)·Q(n, x).
    #[test]
    fn compound_poisson_years() {
        let (lambda, years) = (2.0, 20_000_u32);
        let s = Stream::new(6, 11);
        let mut losses = Vec::new();
        let (mut sums, mut maxima) = (vec![0.0; years as usize], vec![0.0_f64; years as usize]);
        for y in 0..years {
            let n = poisson_quantile(s.uniform(u64::from(y), u32::MAX, 0), lambda);
            for i in 0..n {
                let x = exponential_quantile(s.uniform(u64::from(y), i, 0), 1.0);
                losses.push(x);
                sums[y as usize] += x;
                maxima[y as usize] = maxima[y as usize].max(x);
            }
        }
        let a = average_annual_loss(&sums);
        let n = f64::from(years);
        assert!((a.value - lambda).abs() < Z * libm::sqrt(2.0 * lambda / n));
        // Kurtosis of the sum: E[(S-μ)^4] = 3·4² + λE[X^4] = 96, so Var(s²) = (96 - 16)/n.
        let variance = a.standard_error * a.standard_error * n;
        assert!((variance - 4.0).abs() < Z * libm::sqrt(80.0 / n));
        let (oep, aep) = (ExceedanceCurve::new(&maxima), ExceedanceCurve::new(&sums));
        let rates = rate_curve(&losses, &vec![1.0 / n; losses.len()]);
        for x in [0.0, 0.5, 1.0, 3.0, 6.0] {
            let rate = lambda * libm::exp(-x);
            let p = probability_of_rate(rate);
            within_binomial((oep.probability_above(x) * n).round() as usize, years, p);
            let mut sum = 0.0;
            let mut chance = libm::exp(-lambda);
            for k in 1..60 {
                chance *= lambda / f64::from(k);
                sum += chance * gamma_tails(x, f64::from(k)).1;
            }
            within_binomial((aep.probability_above(x) * n).round() as usize, years, sum);
            // The rate is another thing than the probability, and the larger one: Poisson count of mean N·rate.
            let found = rates.partition_point(|r| r.0 > x);
            let found = if found == 0 { 0.0 } else { rates[found - 1].1 };
            assert!((found - rate).abs() < Z * libm::sqrt(rate / n) + 1.0 / n);
            assert!(found >= oep.probability_above(x));
        }
        assert!((rate_of_probability(probability_of_rate(0.1)) - 0.1).abs() < 1e-16);
        // The order of years must not matter to the curve.
        let mut reversed = sums.clone();
        reversed.reverse();
        assert_eq!(ExceedanceCurve::new(&reversed), aep);
    }

    /// Reference case 11: over 2,000 replicates the 95 % intervals cover the exact value as often as they say.
    #[test]
    fn intervals_cover() {
        let (n, replicates) = (200_u32, 2_000_u32);
        let s = Stream::new(11, 11);
        let (mut mean_covers, mut quantile_covers) = (0, 0);
        for r in 0..replicates {
            let x: Vec<f64> = (0..n).map(|i| s.uniform(u64::from(r), i, 0)).collect();
            let a = average_annual_loss(&x);
            mean_covers += usize::from((a.value - 0.5).abs() < 1.959_964 * a.standard_error);
            let i = ExceedanceCurve::new(&x).interval(20.0, 0.95);
            quantile_covers += usize::from(i.low <= 0.95 && 0.95 <= i.high);
        }
        let (low, high) = order_statistic_interval(n, 0.95, 0.95);
        let exact = binomial_cdf(high - 1, n, 0.95) - binomial_cdf(low - 1, n, 0.95);
        assert!(exact >= 0.95);
        within_binomial(quantile_covers, replicates, exact);
        // Student's t with n - 1 degrees of freedom; the uniform parent is near enough to normal at n = 200 (its
        // kurtosis moves the coverage by O(1/n²)).
        let (t2, df) = (1.959_964 * 1.959_964, f64::from(n - 1));
        let student = 1.0 - beta_cdf(df / (df + t2), 0.5 * df, 0.5);
        within_binomial(mean_covers, replicates, student);
    }

    /// Reference case 13: ten million small losses keep every digit.
    #[test]
    fn small_losses_add_up() {
        let n = 10_000_000;
        let sum = total((0..n).map(|_| 0.1));
        assert_eq!(sum, 0.1 * f64::from(n));
        assert_eq!(total([1e16, 1.0, -1e16].into_iter()), 1.0);
    }
}
