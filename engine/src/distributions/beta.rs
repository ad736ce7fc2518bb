//! The beta distribution: incomplete beta function by continued fraction, quantile by Newton's method.

use super::special::{deviance, guarded, invert_log, not_positive, stirling_error};
use std::f64::consts::{LN_2, PI};

/// Lower and upper probabilities of the beta distribution at `x`, given with its complement `y` = 1 - `x`; the smaller
/// of the two is accurate in relative terms.
pub fn beta_tails(x: f64, y: f64, a: f64, b: f64) -> (f64, f64) {
    if not_positive(a) || not_positive(b) || x.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    let front = beta_front(x, y, a, b);
    if x < (a + 1.0) / (a + b + 2.0) {
        let lower = (front * beta_fraction(x, a, b) / a).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (front * beta_fraction(y, b, a) / b).min(1.0);
        (1.0 - upper, upper)
    }
}

/// Probability of a beta variable below `x`.
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    beta_tails(x, 1.0 - x, a, b).0
}

/// Beta quantile, relative error below 1e-10 in the quantile or its complement, whichever is smaller (0 where it
/// underflows).
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || not_positive(a) || not_positive(b) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    let q = 1.0 - p;
    let (lower, upper) = beta_tails(0.5, 0.5, a, b);
    let below = if p <= 0.5 { p <= lower } else { q >= upper };
    if below {
        half_beta_quantile(p, q, a, b)
    } else {
        1.0 - half_beta_quantile(q, p, b, a)
    }
}

/// Quantile of Beta(a, b) known to lie in (0, 1/2].
fn half_beta_quantile(p: f64, q: f64, a: f64, b: f64) -> f64 {
    let ln_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let start = ((libm::log(p) + libm::log(a) + ln_beta) / a).min(-LN_2);
    invert_log(
        p,
        q,
        start,
        -LN_2,
        |x| beta_tails(x, 1.0 - x, a, b),
        |x| beta_front(x, 1.0 - x, a, b) / (1.0 - x),
    )
}

/// x^a y^b / B(a, b).
pub(super) fn beta_front(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y);
    libm::exp(exponent) * (a * b / (2.0 * PI * n)).sqrt()
}

/// Continued fraction of the incomplete beta function.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / guarded(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guarded(1.0 + even * d);
        c = guarded(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guarded(1.0 + odd * d);
        c = guarded(1.0 + odd / c);
        let factor = d * c;
        h *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}
