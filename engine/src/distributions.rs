//! Quantiles and distribution functions, on `libm` only, for sampling by inverse cumulative distribution functions.
//!
//! Normal: Acklam's rational start, one Halley step on `erfc` (relative error near 1e-15). Gamma and beta: bisection-guarded
//! Newton on the regularised incomplete functions (series and Lentz's continued fractions; Press et al. 2007, sections
//! 6.2 and 6.4). Poisson, binomial, negative binomial: cumulative sums.

use libm::{erfc, exp, expm1, lgamma, log, log1p, pow, sqrt};
use std::f64::consts::{PI, SQRT_2};

/// Standard normal distribution function.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// Standard normal quantile, p in (0, 1).
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
    ];
    let tail = |q: f64| {
        (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5])
            / ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1.0)
    };
    if !(p > 0.0 && p < 1.0) {
        return if p == 0.0 {
            f64::NEG_INFINITY
        } else if p == 1.0 {
            f64::INFINITY
        } else {
            f64::NAN
        };
    }
    let start = if p < 0.024_25 {
        tail(sqrt(-2.0 * log(p)))
    } else if p > 1.0 - 0.024_25 {
        -tail(sqrt(-2.0 * log1p(-p)))
    } else {
        let q = p - 0.5;
        let r = q * q;
        (((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q
            / (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1.0)
    };
    let error = normal_cdf(start) - p;
    let u = error * sqrt(2.0 * PI) * exp(0.5 * start * start);
    start - u / (1.0 + 0.5 * start * u)
}

/// Exponential quantile.
pub fn exponential_quantile(p: f64, mean: f64) -> f64 {
    -mean * log1p(-p)
}

/// Gumbel quantile (largest values).
pub fn gumbel_quantile(p: f64, location: f64, scale: f64) -> f64 {
    location - scale * log(-log(p))
}

/// Weibull quantile.
pub fn weibull_quantile(p: f64, shape: f64, scale: f64) -> f64 {
    scale * pow(-log1p(-p), 1.0 / shape)
}

/// Lognormal quantile by median and standard deviation of the logarithm.
pub fn lognormal_quantile(p: f64, median: f64, sigma: f64) -> f64 {
    median * exp(sigma * normal_quantile(p))
}

/// Quantile of the generalised Pareto distribution above a threshold of 0; `shape` ξ.
pub fn pareto_quantile(p: f64, scale: f64, shape: f64) -> f64 {
    let e = log1p(-p);
    if shape.abs() < 1e-9 {
        -scale * e
    } else {
        scale * expm1(-shape * e) / shape
    }
}

/// Von Mises quantile, radians in (μ − π, μ + π): bisection on the Fourier series of the distribution function.
pub fn von_mises_quantile(p: f64, mu: f64, kappa: f64) -> f64 {
    // Ratios I_n/I_0 by backward recurrence.
    const TERMS: usize = 60;
    let mut ratio = [0.0; TERMS + 2];
    for n in (1..=TERMS).rev() {
        ratio[n] = 1.0 / (2.0 * n as f64 / kappa.max(1e-12) + ratio[n + 1]);
    }
    let cdf = |t: f64| {
        let mut sum = 0.5 + t / (2.0 * PI);
        let mut product = 1.0;
        for (n, r) in ratio.iter().enumerate().take(TERMS + 1).skip(1) {
            product *= r;
            if product < 1e-18 {
                break;
            }
            sum += product * libm::sin(n as f64 * t) / (n as f64 * PI);
        }
        sum
    };
    let (mut low, mut high) = (-PI, PI);
    for _ in 0..60 {
        let mid = 0.5 * (low + high);
        if cdf(mid) < p {
            low = mid;
        } else {
            high = mid;
        }
    }
    mu + 0.5 * (low + high)
}

/// Regularised lower incomplete gamma function P(a, x).
pub fn gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = exp(a * log(x) - x - lgamma(a));
    if x < a + 1.0 {
        let (mut sum, mut term, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..10_000 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return (front * sum).min(1.0);
    }
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b, tiny);
        c = nonzero(b + an / c, tiny);
        let delta = d * c;
        h *= delta;
        if (delta - 1.0).abs() < 1e-16 {
            break;
        }
    }
    1.0 - front * h
}

/// Regularised incomplete beta function I_x(a, b).
pub fn beta_i(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn nonzero(v: f64, tiny: f64) -> f64 {
    if v.abs() < tiny { tiny } else { v }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let tiny = 1e-300;
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0), tiny);
    let mut h = d;
    for m in 1..2_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d, tiny);
        c = nonzero(1.0 + even / c, tiny);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d, tiny);
        c = nonzero(1.0 + odd / c, tiny);
        let delta = d * c;
        h *= delta;
        if (delta - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

/// Gamma quantile.
pub fn gamma_quantile(p: f64, shape: f64, scale: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    // Wilson-Hilferty start, then Newton in the logarithm between brackets.
    let z = normal_quantile(p);
    let c = 1.0 / (9.0 * shape);
    let cube = 1.0 - c + z * sqrt(c);
    let start = if cube > 0.1 {
        shape * cube * cube * cube
    } else {
        exp((log(p) + lgamma(shape + 1.0)) / shape)
    };
    let density = |x: f64| exp((shape - 1.0) * log(x) - x - lgamma(shape));
    scale * solve(p, start.max(1e-300), f64::INFINITY, |x| gamma_p(shape, x), density)
}

/// Beta quantile.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let front = lgamma(a + b) - lgamma(a) - lgamma(b);
    let density = |x: f64| exp(front + (a - 1.0) * log(x) + (b - 1.0) * log1p(-x));
    // Start from the lower tail where the left power rules, otherwise from the mean.
    let tail = exp((log(p) + log(a) - front) / a);
    let start = if tail < 0.5 * a / (a + b) { tail } else { a / (a + b) };
    solve(p, start.max(1e-300), 1.0, |x| beta_i(a, b, x), density)
}

/// Root of cdf(x) = p in (0, top): Newton steps, halved into the bracket where they leave it.
fn solve(p: f64, start: f64, top: f64, cdf: impl Fn(f64) -> f64, density: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, top);
    let mut x = start;
    for _ in 0..200 {
        let f = cdf(x) - p;
        if f > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let d = density(x);
        let mut next = x - f / d;
        if !(next > low && next < high) || !d.is_finite() || d <= 0.0 {
            next = if high.is_finite() {
                // Between brackets of very different size the geometric mean converges faster.
                if low > 0.0 && high / low > 4.0 { sqrt(low * high) } else { 0.5 * (low + high) }
            } else {
                2.0 * x
            };
        }
        if (next - x).abs() <= 1e-15 * x.abs() || next == 0.0 {
            return next;
        }
        x = next;
    }
    x
}

/// Poisson quantile: the least k with P(X ≤ k) ≥ p. Means above 600 use the normal approximation with continuity
/// correction, whose error there is below one count in the body.
pub fn poisson_quantile(p: f64, mean: f64) -> u32 {
    if mean <= 0.0 {
        return 0;
    }
    if mean > 600.0 {
        return (mean + sqrt(mean) * normal_quantile(p) + 0.5).max(0.0) as u32;
    }
    let mut term = exp(-mean);
    let mut sum = term;
    let mut k = 0_u32;
    while sum < p && k < 10_000 {
        k += 1;
        term *= mean / f64::from(k);
        sum += term;
    }
    k
}

/// Negative-binomial quantile by mean and dispersion index (variance over mean, above 1); Poisson at 1 and below.
pub fn negative_binomial_quantile(p: f64, mean: f64, dispersion: f64) -> u32 {
    if dispersion <= 1.0 + 1e-9 {
        return poisson_quantile(p, mean);
    }
    if mean <= 0.0 {
        return 0;
    }
    let r = mean / (dispersion - 1.0);
    let q = 1.0 - 1.0 / dispersion;
    let mut term = exp(-r * log(dispersion));
    let mut sum = term;
    let mut k = 0_u32;
    while sum < p && k < 100_000 {
        term *= q * (r + f64::from(k)) / (f64::from(k) + 1.0);
        k += 1;
        sum += term;
    }
    k
}

/// Ranks (from 1) of the order statistics of n values that enclose the quantile of probability `p` with at least the
/// confidence asked for, as far as the ranks 1 and n allow: from the binomial distribution, free of any other assumption.
pub fn order_statistic_interval(n: usize, p: f64, confidence: f64) -> (usize, usize) {
    let tail = 0.5 * (1.0 - confidence);
    let low = binomial_quantile(tail, n, p);
    let high = binomial_quantile(1.0 - tail, n, p) + 1;
    (low.clamp(1, n), high.clamp(1, n))
}

/// Binomial quantile: the least k with P(X ≤ k) ≥ u.
pub fn binomial_quantile(u: f64, n: usize, p: f64) -> usize {
    // P(X ≤ k) = I_{1-p}(n - k, k + 1); bisection over k.
    let (mut low, mut high) = (0, n);
    while low < high {
        let mid = low + (high - low) / 2;
        let cdf = if mid == n { 1.0 } else { beta_i((n - mid) as f64, mid as f64 + 1.0, 1.0 - p) };
        if cdf >= u {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Beta, ContinuousCDF, DiscreteCDF, Gamma, NegativeBinomial, Normal, Poisson};

    #[test]
    fn normal_quantiles_are_exact() {
        let n = Normal::new(0.0, 1.0).unwrap();
        for p in [1e-12, 1e-6, 0.01, 0.3, 0.5, 0.9, 0.999_999] {
            // statrs inverts to about 1e-13.
            assert!((normal_quantile(p) - n.inverse_cdf(p)).abs() < 1e-9, "{p}");
            assert!((normal_cdf(normal_quantile(p)) / p - 1.0).abs() < 1e-13, "{p}");
        }
        // Wichura 1988: 1.959963984540054 at 0.975.
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
    }

    #[test]
    fn incomplete_functions_agree_with_statrs() {
        for (a, b) in [(0.3, 0.7), (2.0, 5.0), (40.0, 3.0), (500.0, 900.0)] {
            let beta = Beta::new(a, b).unwrap();
            let gamma = Gamma::new(a, 1.0).unwrap();
            for x in [0.01, 0.2, 0.5, 0.9] {
                assert!((beta_i(a, b, x) - beta.cdf(x)).abs() < 1e-11, "beta {a} {b} {x}");
                assert!((gamma_p(a, x * 2.0 * a) - gamma.cdf(x * 2.0 * a)).abs() < 1e-11, "gamma {a} {x}");
            }
            for p in [1e-6, 0.05, 0.5, 0.95, 0.999_9] {
                assert!((beta_i(a, b, beta_quantile(p, a, b)) - p).abs() < 1e-11, "{a} {b} {p}");
                assert!((gamma_p(a, gamma_quantile(p, a, 1.0)) - p).abs() < 1e-11, "{a} {p}");
            }
        }
    }

    #[test]
    fn counts_agree_with_statrs() {
        for mean in [0.2, 3.0, 57.0, 400.0] {
            let d = Poisson::new(mean).unwrap();
            for p in [0.01, 0.4, 0.9, 0.999] {
                assert_eq!(u64::from(poisson_quantile(p, mean)), d.inverse_cdf(p), "{mean} {p}");
            }
        }
        // Mean 6, dispersion 3: r = 3, success probability 1/3.
        let d = NegativeBinomial::new(3.0, 1.0 / 3.0).unwrap();
        for p in [0.05, 0.5, 0.95] {
            let k = negative_binomial_quantile(p, 6.0, 3.0);
            assert!(d.cdf(u64::from(k)) >= p && (k == 0 || d.cdf(u64::from(k) - 1) < p));
        }
    }

    #[test]
    fn von_mises_concentrates() {
        assert!((von_mises_quantile(0.5, 1.0, 2.5) - 1.0).abs() < 1e-12);
        // kappa 0 is uniform.
        assert!((von_mises_quantile(0.75, 0.0, 0.0) - PI / 2.0).abs() < 1e-9);
        // Mean resultant length of kappa 2.5 is I1/I0 = 0.764997 (Mardia & Jupp 2000, appendix).
        let n = 20_000;
        let r: f64 = (0..n)
            .map(|i| libm::cos(von_mises_quantile((f64::from(i) + 0.5) / f64::from(n), 0.0, 2.5)))
            .sum::<f64>()
            / f64::from(n);
        assert!((r - 0.764_997).abs() < 1e-5, "{r}");
    }

    #[test]
    fn intervals_of_the_median_match_the_table() {
        // Conover 1999, table A3: n = 20, 95 % interval of the median is ranks 6 to 15.
        assert_eq!(order_statistic_interval(20, 0.5, 0.95), (6, 15));
    }
}
