//! Quantile functions for addressed random numbers that fire and geology draw from.

/// The number of events of a Poisson law with `mean` at probability `u` in (0, 1).
pub(crate) fn poisson(u: f64, mean: f64) -> u32 {
    if mean.is_nan() || mean <= 0.0 {
        return 0;
    }
    if mean > 400.0 {
        // exp(-mean) nears the end of the range of f64; the normal law is within 1 % of the standard deviation here.
        return (mean + mean.sqrt() * standard_normal(u)).round().max(0.0) as u32;
    }
    let mut term = libm::exp(-mean);
    let mut sum = term;
    let mut n = 0_u32;
    // Beyond this many the term is below the last bit of the sum.
    let limit = (mean + 40.0 * mean.sqrt() + 40.0) as u32;
    while u > sum && n < limit {
        n += 1;
        term *= mean / f64::from(n);
        sum += term;
    }
    n
}

/// Quantile of the standard normal law: Newton's steps on erfc from Hastings' approximation (Abramowitz and Stegun
/// 26.2.23).
pub(crate) fn standard_normal(u: f64) -> f64 {
    let tail = u.min(1.0 - u).max(1e-300);
    let t = (-2.0 * libm::log(tail)).sqrt();
    let mut z = t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328))
            / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    for _ in 0..3 {
        let upper = 0.5 * libm::erfc(z / std::f64::consts::SQRT_2);
        let density = libm::exp(-0.5 * z * z) / 2.506_628_274_631_000_5;
        z += (upper - tail) / density;
    }
    if u < 0.5 { -z } else { z }
}

/// Quantile of the triangular law over `low..=high` with its peak at `mode`.
pub(crate) fn triangular(u: f64, low: f64, mode: f64, high: f64) -> f64 {
    let width = high - low;
    if width <= 0.0 {
        return mode;
    }
    let peak = (mode - low) / width;
    if u < peak {
        low + (u * width * (mode - low)).sqrt()
    } else {
        high - ((1.0 - u) * width * (high - mode)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        for (u, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.001, -3.090_232_306_167_813),
        ] {
            assert!((standard_normal(u) - z).abs() < 1e-12);
        }
        // P(N <= 2) = 0.6767 for mean 2.
        assert_eq!(
            [0.1, 0.5, 0.67, 0.68].map(|u| poisson(u, 2.0)),
            [0, 2, 2, 3]
        );
        assert_eq!(poisson(0.999, 0.0), 0);
        assert_eq!(triangular(0.5, 0.0, 1.0, 2.0), 1.0);
        let mean: f64 = (0..1000)
            .map(|i| triangular((f64::from(i) + 0.5) / 1000.0, 1.0, 2.0, 6.0))
            .sum();
        assert!((mean / 1000.0 - 3.0).abs() < 1e-3);
    }
}
