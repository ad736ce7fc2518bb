//! The von Mises distribution of directions.

use super::normal::normal_quantile;
use std::f64::consts::PI;

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
