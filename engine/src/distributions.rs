//! Distributions by their quantile functions: every random number of the engine is `quantile(uniform)`.
//!
//! All of it rests on `libm`, so that the same address gives the same bytes on every machine. Tails are kept: where a
//! lower probability nears one, the solvers work with its complement.
//!
//! # References
//! - Wichura (1988), Algorithm AS 241, Applied Statistics 37, 477-484, doi:10.2307/2347330 (normal quantile).
//! - Loader (2000), Fast and accurate computation of binomial probabilities (saddle-point form of the densities).
//! - Lentz (1976), Applied Optics 15, 668, doi:10.1364/AO.15.000668 (continued fractions).
//! - Hahn and Meeker (1991), Statistical Intervals, §5.2 (order-statistic intervals for quantiles).

use std::f64::consts::{PI, SQRT_2};

const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// Standard normal probability of a value below `x`.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// Standard normal quantile, relative error about 1e-15 (AS 241). -inf at 0, +inf at 1, NaN outside [0, 1].
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ];
    const B: [f64; 8] = [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&A, r) / polynomial(&B, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return if q < 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    let r = (-libm::log(tail)).sqrt();
    let z = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    if q < 0.0 { -z } else { z }
}

/// Exponential quantile of a given mean.
pub fn exponential_quantile(p: f64, mean: f64) -> f64 {
    -mean * libm::log1p(-p)
}

/// Weibull quantile: scale·(-ln(1-p))^(1/shape).
pub fn weibull_quantile(p: f64, shape: f64, scale: f64) -> f64 {
    scale * libm::pow(-libm::log1p(-p), 1.0 / shape)
}

/// Lognormal quantile from the median and the standard deviation of the logarithm.
pub fn lognormal_quantile(p: f64, median: f64, sigma: f64) -> f64 {
    median * libm::exp(sigma * normal_quantile(p))
}

/// Gumbel (maxima) quantile: loc - scale·ln(-ln p).
pub fn gumbel_quantile(p: f64, loc: f64, scale: f64) -> f64 {
    loc - scale * libm::log(-libm::log(p))
}

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

const LN_2: f64 = std::f64::consts::LN_2;

/// Solves tails(e^u) = (p, q) for u <= `top` by Newton's method on the logarithm of the smaller probability, kept inside
/// a shrinking bracket. `slope` is x·density(x).
fn invert_log(
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

/// Von Mises quantile, rad: `mu` plus a deviation in [-π, π]; concentration `kappa` >= 0 (0: uniform on the circle).
///
/// The cumulative function is its Fourier series; above kappa = 1e5 the deviation is normal with variance 1/kappa
/// (relative error of the deviation below 1/kappa).
///
/// # References
/// Mardia and Jupp (2000), Directional Statistics, eq. 3.5.17.
pub fn von_mises_quantile(p: f64, mu: f64, kappa: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || kappa.is_nan() || kappa < 0.0 {
        return f64::NAN;
    }
    if kappa > 1e5 {
        return mu + (normal_quantile(p) / kappa.sqrt()).clamp(-PI, PI);
    }
    let ratios = bessel_ratios(kappa);
    let cdf = |angle: f64| {
        let series: f64 = ratios
            .iter()
            .enumerate()
            .map(|(j, r)| r * libm::sin((j as f64 + 1.0) * angle) / (j as f64 + 1.0))
            .sum();
        0.5 + (0.5 * angle + series) / PI
    };
    let density = |angle: f64| {
        let series: f64 = ratios
            .iter()
            .enumerate()
            .map(|(j, r)| r * libm::cos((j as f64 + 1.0) * angle))
            .sum();
        (0.5 + series) / PI
    };
    let (mut low, mut high) = (-PI, PI);
    let mut angle = (normal_quantile(p) / kappa.max(0.3).sqrt()).clamp(-PI, PI);
    for _ in 0..100 {
        let excess = cdf(angle) - p;
        if excess > 0.0 {
            high = angle;
        } else {
            low = angle;
        }
        let mut next = angle - excess / density(angle);
        if !(next > low && next < high) {
            next = 0.5 * (low + high);
        }
        let done = (next - angle).abs() <= 1e-15;
        angle = next;
        if done {
            break;
        }
    }
    mu + angle
}

/// I_j(kappa) / I_0(kappa) for j = 1.. until they vanish, by backward recurrence of I_j / I_(j-1).
fn bessel_ratios(kappa: f64) -> Vec<f64> {
    let terms = 30 + (10.0 * kappa.sqrt()) as usize;
    let mut step = vec![0.0; terms + 1];
    let mut r = 0.0;
    for j in (1..=terms + 20).rev() {
        r = kappa / (2.0 * j as f64 + kappa * r);
        if j <= terms {
            step[j] = r;
        }
    }
    let mut product = 1.0;
    step[1..]
        .iter()
        .map(|s| {
            product *= s;
            product
        })
        .take_while(|&v| v > 1e-18)
        .collect()
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

/// True also for NaN: a parameter that no distribution has.
fn not_positive(parameter: f64) -> bool {
    parameter.is_nan() || parameter <= 0.0
}

#[inline]
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Keeps Lentz's denominators away from zero.
#[inline]
fn guarded(x: f64) -> f64 {
    if x.abs() < 1e-300 { 1e-300 } else { x }
}

/// ln Γ(a+1) less Stirling's formula.
fn stirling_error(a: f64) -> f64 {
    if a < 16.0 {
        return libm::lgamma(a + 1.0) - (a + 0.5) * libm::log(a) + a - LN_SQRT_TWO_PI;
    }
    let i2 = 1.0 / (a * a);
    let series = 1.0 / 1188.0 - i2 * (691.0 / 360_360.0 - i2 / 156.0);
    (1.0 / 12.0 - i2 * (1.0 / 360.0 - i2 * (1.0 / 1260.0 - i2 * (1.0 / 1680.0 - i2 * series)))) / a
}

/// Deviance a·ln(a/m) + m - a without cancellation near a = m.
fn deviance(a: f64, m: f64) -> f64 {
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
fn poisson_density(a: f64, m: f64) -> f64 {
    if a < 1e-290 {
        return libm::exp(-m);
    }
    libm::exp(-stirling_error(a) - deviance(a, m)) / (2.0 * PI * a).sqrt()
}

/// x^a y^b / B(a, b).
fn beta_front(x: f64, y: f64, a: f64, b: f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{
        Beta, Binomial, ContinuousCDF, DiscreteCDF, Gamma, NegativeBinomial, Poisson,
    };

    fn close(found: f64, expected: f64, relative: f64) {
        assert!(
            (found - expected).abs() <= relative * expected.abs(),
            "found {found:e}, expected {expected:e}"
        );
    }

    /// mpmath 1.3, 40 digits: (p, normal quantile).
    const NORMAL: &[(f64, f64)] = &[
        (1e-300, -37.0470962993612),
        (1e-50, -14.933337534788489),
        (1e-12, -7.034483825301132),
        (1e-05, -4.264890793922825),
        (0.001, -3.0902323061678136),
        (0.01, -2.326347874040841),
        (0.07, -1.4757910281791706),
        (0.0751, -1.43882539275254),
        (0.2, -0.8416212335729142),
        (0.4, -0.2533471031357997),
        (0.49999, -2.5066282748960008e-05),
        (0.6, 0.2533471031357997),
        (0.95, 1.6448536269514722),
        (0.999, 3.090232306167813),
        (0.999999, 4.753424308817088),
    ];
    /// mpmath: (p, shape, unit-scale gamma quantile).
    const GAMMA: &[(f64, f64, f64)] = &[
        (1e-06, 0.05, 5.844632057286584e-121),
        (0.01, 0.05, 5.844632057286532e-41),
        (0.5, 0.05, 5.573878440746248e-07),
        (0.99, 0.05, 1.0876274000918096),
        (0.999999, 0.05, 8.696862667893743),
        (1e-06, 0.5, 7.853981633978594e-13),
        (0.01, 0.5, 7.854392895485099e-05),
        (0.5, 0.5, 0.2274682115597864),
        (0.99, 0.5, 3.317448300510607),
        (0.999999, 0.5, 11.964063488439734),
        (1e-06, 1.7, 0.000381708721536555),
        (0.01, 1.7, 0.08888853580561874),
        (0.5, 1.7, 1.380762075939121),
        (0.99, 1.7, 6.067966056258357),
        (0.999999, 1.7, 15.889657566584054),
        (1e-06, 12.0, 1.9399860087734906),
        (0.01, 12.0, 5.42818073776614),
        (0.5, 12.0, 11.668363153044766),
        (0.99, 12.0, 21.489910069675815),
        (0.999999, 12.0, 36.11442691003145),
        (1e-06, 350.0, 268.15376551882383),
        (0.01, 350.0, 307.9537348664753),
        (0.5, 350.0, 349.6667231629405),
        (0.99, 350.0, 394.9867531449198),
        (0.999999, 350.0, 446.2311213613687),
        (1e-06, 10000.0, 9531.835117189807),
        (0.01, 10000.0, 9768.836856696591),
        (0.5, 10000.0, 9999.666668642047),
        (0.99, 10000.0, 10234.104379158054),
        (0.999999, 10000.0, 10482.561164638257),
    ];
    /// mpmath: (p, a, b, beta quantile).
    const BETA: &[(f64, f64, f64, f64)] = &[
        (1e-06, 0.05, 0.1, 2.8666978182396807e-117),
        (0.01, 0.05, 0.1, 2.866697818239655e-37),
        (0.5, 0.05, 0.1, 0.0027275039756336247),
        (0.99, 0.05, 0.1, 0.9999999999999994),
        (0.9999, 0.05, 0.1, 1.0),
        (1e-06, 0.3, 4.0, 1.9049653209186664e-21),
        (0.01, 0.3, 4.0, 4.10412375939869e-08),
        (0.5, 0.3, 4.0, 0.019778314565049342),
        (0.99, 0.3, 4.0, 0.5118187304300782),
        (0.9999, 0.3, 4.0, 0.8353981164811275),
        (1e-06, 2.0, 3.0, 0.0004083594602042573),
        (0.01, 2.0, 3.0, 0.04199863562170072),
        (0.5, 2.0, 3.0, 0.38572756813238956),
        (0.99, 2.0, 3.0, 0.859132457305454),
        (0.9999, 2.0, 3.0, 0.9705412504285347),
        (1e-06, 30.0, 0.5, 0.6689631989024646),
        (0.01, 30.0, 0.5, 0.8944929762564698),
        (0.5, 30.0, 0.5, 0.9923834743981206),
        (0.99, 30.0, 0.5, 0.9999973599646244),
        (0.9999, 30.0, 0.5, 0.99999999973601),
        (1e-06, 80.0, 1200.0, 0.03521544260772284),
        (0.01, 80.0, 1200.0, 0.047784870585968225),
        (0.5, 80.0, 1200.0, 0.062272202968733655),
        (0.99, 80.0, 1200.0, 0.07922309012271912),
        (0.9999, 80.0, 1200.0, 0.09055951007597193),
    ];
    /// mpmath: (p, kappa, von Mises quantile about 0.0).
    const VON_MISES: &[(f64, f64, f64)] = &[
        (0.02, 0.5, -2.92213727608271),
        (0.3, 0.5, -0.858893916889824),
        (0.9, 0.5, 2.12847498428033),
        (0.02, 2.5, -1.59581632098512),
        (0.3, 2.5, -0.357384138335936),
        (0.9, 2.5, 0.906675923833224),
        (0.02, 30.0, -0.378845329523264),
        (0.3, 30.0, -0.0961862315182004),
        (0.9, 30.0, 0.235523161409738),
    ];

    #[test]
    fn agrees_with_mpmath() {
        for &(p, z) in NORMAL {
            close(normal_quantile(p), z, 2e-15);
        }
        for &(p, shape, x) in GAMMA {
            close(gamma_quantile(p, shape, 1.0), x, 1e-10);
        }
        for &(p, a, b, x) in BETA {
            let found = beta_quantile(p, a, b);
            // The complement is the accurate one above 1/2.
            if x < 0.5 {
                close(found, x, 1e-10);
            } else {
                close(found, x, 4e-16 + 1e-10 * (1.0 - x));
            }
        }
        for &(p, kappa, angle) in VON_MISES {
            close(von_mises_quantile(p, 0.0, kappa), angle, 1e-12);
        }
    }

    #[test]
    fn exact_cases() {
        // Erlang: P(Γ(1) < x) = 1 - e^-x; Beta(a, 1) = u^(1/a); arcsine law.
        close(
            gamma_quantile(0.3, 1.0, 2.0),
            exponential_quantile(0.3, 2.0),
            1e-14,
        );
        close(beta_quantile(0.2, 0.01, 1.0), libm::pow(0.2, 100.0), 1e-12);
        let s = libm::sin(PI * 0.5 * 0.9);
        close(beta_quantile(0.9, 0.5, 0.5), s * s, 1e-14);
        close(weibull_quantile(0.5, 1.0, 3.0), 3.0 * LN_2, 1e-15);
        close(
            gumbel_quantile(0.99, 0.0, 1.0),
            4.600_149_226_776_579,
            1e-14,
        );
        close(lognormal_quantile(0.5, 2.0, 0.7), 2.0, 1e-15);
        assert_eq!(poisson_quantile(0.5, 0.0), 0);
        assert_eq!(beta_quantile(0.3, 1e-5, 1e-5), 0.0);
    }

    /// Another implementation; statrs agrees to about 1e-9 in its worst corners, ours is held to mpmath above.
    #[test]
    fn agrees_with_statrs() {
        for shape in [0.1, 0.9, 3.0, 40.0, 900.0] {
            let other = Gamma::new(shape, 1.0).unwrap();
            for i in 1..40 {
                let x = shape * f64::from(i) / 10.0;
                assert!((gamma_cdf(x, shape, 1.0) - other.cdf(x)).abs() < 1e-9);
            }
        }
        for (a, b) in [(0.2, 0.7), (2.0, 5.0), (50.0, 3.0), (200.0, 300.0)] {
            let other = Beta::new(a, b).unwrap();
            for i in 1..40 {
                let x = f64::from(i) / 40.0;
                assert!((beta_cdf(x, a, b) - other.cdf(x)).abs() < 1e-9);
            }
        }
        for i in 1..50 {
            // Off the steps of the cumulative function, where the last digit decides.
            let p = f64::from(i) / 50.0 + 0.001_234_567;
            if p >= 1.0 {
                continue;
            }
            for mean in [0.3, 7.0, 49.0, 51.0, 3_000.0] {
                let other = Poisson::new(mean).unwrap();
                assert_eq!(u64::from(poisson_quantile(p, mean)), other.inverse_cdf(p));
            }
            let other = Binomial::new(0.3, 40).unwrap();
            assert_eq!(
                u64::from(binomial_quantile(p, 40, 0.3)),
                other.inverse_cdf(p)
            );
            for (mean, dispersion) in [(4.0, 3.0), (1_219.0, 92.0)] {
                let r = mean / (dispersion - 1.0);
                let other = NegativeBinomial::new(r, 1.0 / dispersion).unwrap();
                let k = u64::from(negative_binomial_quantile(p, mean, dispersion));
                assert!(other.cdf(k) >= p && (k == 0 || other.cdf(k - 1) < p));
            }
        }
    }

    #[test]
    fn order_statistics_of_small_samples() {
        // Hahn and Meeker's example sizes: cdf sums of Bin(10, 1/2) are 11/1024 below rank 2.
        assert_eq!(order_statistic_interval(10, 0.5, 0.95), (2, 9));
        // Too few values to bound the 0.99 quantile from above.
        assert_eq!(order_statistic_interval(100, 0.99, 0.95).1, 101);
        let (low, high) = order_statistic_interval(10_000, 0.99, 0.95);
        let cover = binomial_cdf(high - 1, 10_000, 0.99) - binomial_cdf(low - 1, 10_000, 0.99);
        assert!((0.95..0.957).contains(&cover), "{cover}");
    }

    #[test]
    fn von_mises_is_symmetric_and_uniform_at_zero() {
        close(von_mises_quantile(0.75, 0.0, 0.0), PI / 2.0, 1e-14);
        for kappa in [0.1, 2.5, 40.0, 2_000.0] {
            let x = von_mises_quantile(0.9, 0.0, kappa);
            close(von_mises_quantile(0.1, 0.0, kappa), -x, 1e-9);
        }
    }

    proptest! {
        #[test]
        fn quantiles_invert_cumulative_functions(
            p in 1e-9..1.0_f64, ln_a in -2.0..6.0_f64, ln_b in -2.0..6.0_f64,
        ) {
            let (a, b) = (libm::exp(ln_a), libm::exp(ln_b));
            let x = beta_quantile(p, a, b);
            if x > 1e-300 && x < 1.0 {
                // A quantile is known to half a unit in its last place; times the density that is a probability.
                let rounding = 2.3e-16 * beta_front(x, 1.0 - x, a, b) / (x * (1.0 - x));
                prop_assert!((beta_cdf(x, a, b) - p).abs() < rounding + 2e-12);
            }
            let x = gamma_quantile(p, a, 1.0);
            if x > 1e-300 {
                prop_assert!((gamma_cdf(x, a, 1.0) - p).abs() < 1e-12);
            }
            let z = normal_quantile(p);
            prop_assert!((normal_cdf(z) - p).abs() < 1e-14);
        }

        #[test]
        fn counts_are_the_smallest_that_reach(p in 0.001..0.999_f64, mean in 0.01..9_000.0_f64, d in 1.01..100.0_f64) {
            // The two ways of summing differ in the last digits: a step closer than 1e-11 to p may go either way.
            let k = poisson_quantile(p, mean);
            prop_assert!(poisson_cdf(k, mean) >= p - 1e-11);
            prop_assert!(k == 0 || poisson_cdf(k - 1, mean) < p + 1e-11);
            let k = negative_binomial_quantile(p, mean, d);
            prop_assert!(negative_binomial_cdf(k, mean, d) >= p - 1e-10);
            prop_assert!(k == 0 || negative_binomial_cdf(k - 1, mean, d) < p + 1e-10);
        }
    }
}
