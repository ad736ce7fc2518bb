//! What the gamma and the beta family share: Loader's saddle-point parts and Newton's method on a logarithm.
//!
//! # References
//! - Loader (2000), Fast and accurate computation of binomial probabilities (saddle-point form of the densities).
//! - Lentz (1976), Applied Optics 15, 668, doi:10.1364/AO.15.000668 (continued fractions).

use std::f64::consts::PI;

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// Solves tails(e^u) = (p, q) for u <= `top` by Newton's method on the logarithm of the smaller probability, kept inside
/// a shrinking bracket. `slope` is x·density(x).
pub(super) fn invert_log(
    p: f64,
    q: f64,
    start: f64,
    top: f64,
    tails: impl Fn(f64) -> (f64, f64),
    slope: impl Fn(f64) -> f64,
) -> f64 {
    let (mut low, mut high) = (-745.0, top);
    if start < low {
        return 0.0;
    }
    let mut u = start.min(high);
    for _ in 0..200 {
        let x = libm::exp(u);
        let (lower, upper) = tails(x);
        let (excess, gradient) = if p <= 0.5 {
            (libm::log(lower / p), slope(x) / lower)
        } else {
            (-libm::log(upper / q), slope(x) / upper)
        };
        if excess == 0.0 {
            return x;
        }
        if excess > 0.0 {
            high = u;
        } else {
            low = u;
        }
        let mut next = u - excess / gradient;
        if !(next > low && next < high) {
            next = 0.5 * (low + high);
        }
        if (next - u).abs() <= 1e-15 * u.abs().max(1.0) {
            return libm::exp(next);
        }
        u = next;
    }
    libm::exp(u)
}

/// True also for NaN: a parameter that no distribution has.
pub(super) fn not_positive(parameter: f64) -> bool {
    parameter.is_nan() || parameter <= 0.0
}

/// Keeps Lentz's denominators away from zero.
#[inline]
pub(super) fn guarded(x: f64) -> f64 {
    if x.abs() < 1e-300 { 1e-300 } else { x }
}

/// ln Γ(a+1) less Stirling's formula.
pub(super) fn stirling_error(a: f64) -> f64 {
    if a < 16.0 {
        return libm::lgamma(a + 1.0) - (a + 0.5) * libm::log(a) + a - LN_SQRT_TWO_PI;
    }
    let i2 = 1.0 / (a * a);
    let series = 1.0 / 1188.0 - i2 * (691.0 / 360_360.0 - i2 / 156.0);
    (1.0 / 12.0 - i2 * (1.0 / 360.0 - i2 * (1.0 / 1260.0 - i2 * (1.0 / 1680.0 - i2 * series)))) / a
}

/// Deviance a·ln(a/m) + m - a without cancellation near a = m.
pub(super) fn deviance(a: f64, m: f64) -> f64 {
    let difference = a - m;
    if difference.abs() < 0.1 * (a + m) {
        let v = difference / (a + m);
        let v2 = v * v;
        let mut sum = difference * v;
        let mut power = 2.0 * a * v;
        let mut j = 1.0;
        loop {
            power *= v2;
            j += 2.0;
            let next = sum + power / j;
            if next == sum || j > 2_001.0 {
                return next;
            }
            sum = next;
        }
    }
    a * libm::log(a / m) + m - a
}

/// m^a e^-m / Γ(a+1).
pub(super) fn poisson_density(a: f64, m: f64) -> f64 {
    if a < 1e-290 {
        return libm::exp(-m);
    }
    libm::exp(-stirling_error(a) - deviance(a, m)) / (2.0 * PI * a).sqrt()
}
