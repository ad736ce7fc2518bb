//! Distributions of counts: Poisson, negative binomial, binomial; order statistics by the binomial.
//!
//! # References
//! Hahn and Meeker (1991), Statistical Intervals, §5.2 (order-statistic intervals for quantiles).

use super::beta::beta_tails;
use super::gamma::{gamma_quantile, gamma_tails};
use super::normal::normal_quantile;
use super::special::not_positive;

/// Poisson probability of at most `k`.
pub fn poisson_cdf(k: u32, mean: f64) -> f64 {
    gamma_tails(mean, f64::from(k) + 1.0).1
}

/// Poisson quantile: the smallest count whose cumulative probability reaches `p`; 0 for a mean of 0.
pub fn poisson_quantile(p: f64, mean: f64) -> u32 {
    if not_positive(mean) {
        return 0;
    }
    if mean < 50.0 {
        return sum_to(p, libm::exp(-mean), |k| mean / (k + 1.0));
    }
    let guess = mean + mean.sqrt() * normal_quantile(p).clamp(-10.0, 10.0);
    count_reaching(p, guess, u32::MAX - 1, |k| poisson_cdf(k, mean))
}

/// Negative binomial probability of at most `k`, by mean and `dispersion` = variance / mean.
pub fn negative_binomial_cdf(k: u32, mean: f64, dispersion: f64) -> f64 {
    if dispersion <= 1.0 {
        return poisson_cdf(k, mean);
    }
    let success = 1.0 / dispersion;
    beta_tails(
        success,
        1.0 - success,
        mean / (dispersion - 1.0),
        f64::from(k) + 1.0,
    )
    .0
}

/// Negative binomial (gamma-mixed Poisson) quantile, by mean and `dispersion` = variance / mean (1 or less: Poisson).
pub fn negative_binomial_quantile(p: f64, mean: f64, dispersion: f64) -> u32 {
    if not_positive(mean) {
        return 0;
    }
    if dispersion.is_nan() || dispersion <= 1.0 {
        return poisson_quantile(p, mean);
    }
    let size = mean / (dispersion - 1.0);
    let zero = libm::exp(-size * libm::log(dispersion));
    if zero > 1e-100 && mean * dispersion < 2_000.0 {
        let miss = 1.0 - 1.0 / dispersion;
        return sum_to(p, zero, |k| miss * (k + size) / (k + 1.0));
    }
    let guess = gamma_quantile(p.clamp(1e-15, 1.0 - 1e-15), size, mean / size);
    count_reaching(p, guess, u32::MAX - 1, |k| {
        negative_binomial_cdf(k, mean, dispersion)
    })
}

/// Binomial probability of at most `k` successes in `n` trials.
pub fn binomial_cdf(k: u32, n: u32, chance: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    beta_tails(1.0 - chance, chance, f64::from(n - k), f64::from(k) + 1.0).0
}

/// Binomial quantile: the smallest number of successes whose cumulative probability reaches `p`.
pub fn binomial_quantile(p: f64, n: u32, chance: f64) -> u32 {
    if not_positive(chance) || n == 0 {
        return 0;
    }
    if chance >= 1.0 {
        return n;
    }
    let (m, size) = (f64::from(n) * chance, f64::from(n));
    let guess = m + (size * chance * (1.0 - chance)).sqrt() * normal_quantile(p).clamp(-10.0, 10.0);
    count_reaching(p, guess, n, |k| binomial_cdf(k, n, chance))
}

/// Ranks of the two order statistics (1 = smallest of `n`) that enclose the `alpha` quantile of the parent distribution
/// with at least this confidence, whatever that distribution is.
///
/// Rank 0, or rank `n` + 1, says that the sample is too small for a bound on that side.
///
/// # Examples
/// ```
/// // The median of 10 values lies between the 2nd and the 9th with probability 0.979.
/// assert_eq!(anlan_engine::distributions::order_statistic_interval(10, 0.5, 0.95), (2, 9));
/// ```
pub fn order_statistic_interval(n: u32, alpha: f64, confidence: f64) -> (u32, u32) {
    let tail = 0.5 * (1.0 - confidence);
    // P(at most k-1 values below the quantile) < tail for the first, P(at least k) <= tail for the second.
    let low = binomial_quantile(tail, n, alpha);
    let high = n - binomial_quantile(tail, n, 1.0 - alpha) + 1;
    (low, high)
}

/// Walks a probability series from 0 until it reaches `p`; `ratio(k)` = P(k+1) / P(k).
fn sum_to(p: f64, zero: f64, ratio: impl Fn(f64) -> f64) -> u32 {
    let mut term = zero;
    let mut sum = zero;
    let mut k = 0_u32;
    // Rounding keeps the sum of all terms a little below one: stop as well where terms no longer count.
    while sum < p && (term > 1e-18 || sum < 0.5) && k < 10_000_000 {
        term *= ratio(f64::from(k));
        sum += term;
        k += 1;
    }
    k
}

/// Smallest k in 0..=top with cdf(k) >= p, galloping from a guess and then bisecting.
fn count_reaching(p: f64, guess: f64, top: u32, cdf: impl Fn(u32) -> f64) -> u32 {
    let mut k = guess.clamp(0.0, f64::from(top)) as u32;
    let mut step = 1_u32;
    // (low, high]: cdf(low) < p <= cdf(high); low = -1 is written as None.
    let (mut low, mut high);
    if cdf(k) >= p {
        high = k;
        low = loop {
            if k == 0 {
                break None;
            }
            k = k.saturating_sub(step);
            if cdf(k) < p {
                break Some(k);
            }
            high = k;
            step = step.saturating_mul(2);
        };
    } else {
        low = Some(k);
        high = loop {
            if k >= top {
                break top;
            }
            k = k.saturating_add(step).min(top);
            if cdf(k) >= p {
                break k;
            }
            low = Some(k);
            step = step.saturating_mul(2);
        };
    }
    loop {
        let bottom = low.map_or(0, |l| l + 1);
        if bottom >= high {
            return high;
        }
        let middle = bottom + (high - bottom) / 2;
        if cdf(middle) >= p {
            high = middle;
        } else {
            low = Some(middle);
        }
    }
}
