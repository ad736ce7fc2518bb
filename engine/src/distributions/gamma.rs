//! The gamma distribution: incomplete gamma function by series and continued fraction, quantile by Newton's method.

use super::normal::normal_quantile;
use super::special::{guarded, invert_log, not_positive, poisson_density};

/// Lower and upper probabilities of the gamma distribution of unit scale at `x`; the smaller of the two is accurate in
/// relative terms. NaN for `shape` <= 0.
pub fn gamma_tails(x: f64, shape: f64) -> (f64, f64) {
    if not_positive(shape) || x.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    // x^a e^-x / Γ(a+1)
    let front = poisson_density(shape, x);
    if x < shape + 1.0 {
        let mut term = 1.0;
        let mut sum = 1.0;
        let mut a = shape;
        loop {
            a += 1.0;
            term *= x / a;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        let lower = (front * sum).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let mut b = x + 1.0 - shape;
        let mut c = 1e300;
        let mut d = 1.0 / b;
        let mut h = d;
        for i in 1..100_000 {
            let i = f64::from(i);
            let a = -i * (i - shape);
            b += 2.0;
            d = 1.0 / guarded(a * d + b);
            c = guarded(b + a / c);
            let factor = c * d;
            h *= factor;
            if (factor - 1.0).abs() < 1e-16 {
                break;
            }
        }
        let upper = (front * shape * h).min(1.0);
        (1.0 - upper, upper)
    }
}

/// Probability of a gamma variable below `x`.
pub fn gamma_cdf(x: f64, shape: f64, scale: f64) -> f64 {
    gamma_tails(x / scale, shape).0
}

/// Gamma quantile, relative error below 1e-10 (0 where the quantile underflows).
pub fn gamma_quantile(p: f64, shape: f64, scale: f64) -> f64 {
    gamma_quantile_tails(p, 1.0 - p, shape) * scale
}

/// Unit-scale gamma quantile from both the lower probability `p` and the upper probability `q` = 1 - `p`, for callers
/// who know a tiny `q` better than `1 - p` can say it.
pub fn gamma_quantile_tails(p: f64, q: f64, shape: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || not_positive(shape) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    if q == 0.0 {
        return f64::INFINITY;
    }
    // Wilson-Hilferty, or the leading term of the lower tail where that cube is no guide.
    let z = if p < 0.5 {
        normal_quantile(p)
    } else {
        -normal_quantile(q)
    };
    let cube = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
    let start = if cube > 0.3 {
        libm::log(shape) + 3.0 * libm::log(cube)
    } else {
        (libm::log(p) + libm::lgamma(shape + 1.0)) / shape
    };
    let top = libm::log(shape + 40.0 * shape.sqrt() + 800.0);
    invert_log(
        p,
        q,
        start,
        top,
        |x| gamma_tails(x, shape),
        |x| shape * poisson_density(shape, x),
    )
}
