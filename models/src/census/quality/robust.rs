//! Robust statistics: median, median absolute deviation, medcouple, and the thresholds that go with a rate of false alarms.
//!
//! References: Rousseeuw and Croux 1993 (MAD and its efficiency of 37 % at the normal); Croux and Rousseeuw 1992 (its
//! correction for small samples, n / (n - 0.8)); Brys, Hubert and Struyf 2004 (medcouple); Hubert and Vandervieren 2008
//! (adjusted boxplot).

use anlan_engine::distributions::{beta_quantile, normal_quantile};

/// Makes the MAD of normal values their standard deviation.
const NORMAL: f64 = 1.482_602_218_505_602;
/// Efficiency of the MAD at the normal: its scatter is that of a standard deviation of 0.37 n values.
const EFFICIENCY: f64 = 0.367_5;

/// Middle of sorted values; NaN for none.
pub fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

/// Quantile of sorted values, linear between order statistics.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (at - low as f64) * (sorted[high] - sorted[low])
}

/// Median absolute deviation of sorted values around their median, scaled to the standard deviation of normal values and
/// corrected for small samples.
pub fn mad(sorted: &[f64]) -> f64 {
    let middle = median(sorted);
    let mut away: Vec<f64> = sorted.iter().map(|v| (v - middle).abs()).collect();
    away.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    NORMAL * median(&away) * n / (n - 0.8).max(0.2)
}

/// Distance from the median in units of [`mad`] that a value of `n` normal ones passes with probability `rate` (both
/// sides together): the quantile of Student's t with 0.37 (n - 1) degrees of freedom, since the MAD is itself a guess.
pub fn mad_threshold(n: usize, rate: f64) -> f64 {
    student_quantile(1.0 - 0.5 * rate, EFFICIENCY * (n as f64 - 1.0))
}

/// Quantile of Student's t for p > 0.5, by the incomplete beta function.
fn student_quantile(p: f64, freedom: f64) -> f64 {
    // t² = ν (1/x - 1) with x the quantile of Beta(ν/2, 1/2) at 2 (1 - p).
    let x = beta_quantile(2.0 * (1.0 - p), 0.5 * freedom, 0.5);
    libm::sqrt(freedom * (1.0 / x - 1.0))
}

/// Medcouple of sorted values: skewness of -1 to 1 that a quarter of outliers does not sway.
///
/// The kernel ((x_i - m) - (m - x_j)) / (x_i - x_j) over x_j <= m <= x_i falls along rows and columns, so that the number
/// of pairs above a level is counted in one pass; the median is found by halving the interval of levels.
pub fn medcouple(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    if n < 3 {
        return 0.0;
    }
    let middle = median(sorted);
    // Above: descending; below: descending too, so that both indices run from the greatest kernel values.
    let above: Vec<f64> = sorted
        .iter()
        .rev()
        .copied()
        .filter(|v| *v >= middle)
        .collect();
    let below: Vec<f64> = sorted
        .iter()
        .rev()
        .copied()
        .filter(|v| *v <= middle)
        .collect();
    let ties = sorted.iter().filter(|v| **v == middle).count();
    let (p, q) = (above.len(), below.len());
    let kernel = |i: usize, j: usize| {
        let (x, y) = (above[i], below[j]);
        if x == y {
            // Both are the median: by rank, as the authors define it. The last `ties` of above, the first of below.
            let (a, b) = (i + ties - p, j);
            return match (a + b + 1).cmp(&ties) {
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.0,
                std::cmp::Ordering::Greater => -1.0,
            };
        }
        ((x - middle) - (middle - y)) / (x - y)
    };
    // Pairs whose kernel is at least a level: for each i the first so many j; they do not grow with i.
    let at_least = |level: f64| {
        let mut count = 0_u64;
        let mut j = q;
        for i in 0..p {
            while j > 0 && kernel(i, j - 1) < level {
                j -= 1;
            }
            if j == 0 {
                break;
            }
            count += j as u64;
        }
        count
    };
    let total = p as u64 * q as u64;
    // The r-th greatest: the greatest level that at least r pairs reach.
    let ranked = |r: u64| {
        let (mut low, mut high) = (-1.0_f64, 1.0_f64);
        if at_least(high) >= r {
            return high;
        }
        for _ in 0..60 {
            let level = 0.5 * (low + high);
            if at_least(level) >= r {
                low = level;
            } else {
                high = level;
            }
        }
        low
    };
    match total % 2 {
        1 => ranked(total / 2 + 1),
        _ => 0.5 * (ranked(total / 2) + ranked(total / 2 + 1)),
    }
}

/// Fences of the adjusted boxplot of sorted values, outside which a normal value falls with probability `rate`: quartiles
/// and c times their distance, c chosen for that rate, stretched by exp(3 M) and exp(-4 M) with the medcouple M as the
/// authors found.
///
/// A medcouple within twice its own scatter at the normal (variance 1.25 / n) counts as none, a greater one by what is
/// beyond: the skewness of a small sample by chance would draw one fence in, and false alarms with it (ten times as many
/// among groups of a hundred).
pub fn adjusted_fences(sorted: &[f64], rate: f64) -> (f64, f64) {
    let (q1, q3) = (quantile(sorted, 0.25), quantile(sorted, 0.75));
    let skew = medcouple(sorted);
    let scatter = libm::sqrt(1.25 / sorted.len() as f64);
    let m = (skew.abs() - 2.0 * scatter).max(0.0).copysign(skew);
    let quartile = normal_quantile(0.75);
    // Quartiles are as uncertain as the MAD: the same Student quantile in place of the normal one.
    let z = mad_threshold(sorted.len(), rate);
    let reach = (z - quartile) / (2.0 * quartile) * (q3 - q1);
    let (low, high) = match m >= 0.0 {
        true => (libm::exp(-4.0 * m), libm::exp(3.0 * m)),
        false => (libm::exp(-3.0 * m), libm::exp(4.0 * m)),
    };
    (q1 - reach * low, q3 + reach * high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::random::Stream;

    #[test]
    fn on_paper() {
        let v = [1.0, 2.0, 3.0, 4.0, 100.0];
        assert_eq!(median(&v), 3.0);
        assert_eq!(median(&v[..4]), 2.5);
        assert_eq!(quantile(&v, 0.25), 2.0);
        // |v - 3| = 2 1 0 1 97, median 1; times 1.4826 times 5/4.2.
        assert!((mad(&v) - 1.482_602_218_505_602 * 5.0 / 4.2).abs() < 1e-12);
        // R: qt(0.975, 10) = 2.228139, qt(0.9995, 30) = 3.645959.
        assert!((student_quantile(0.975, 10.0) - 2.228_139).abs() < 1e-5);
        assert!((student_quantile(0.9995, 30.0) - 3.645_959).abs() < 1e-5);
    }

    /// The definition, pair by pair.
    fn slow_medcouple(v: &[f64]) -> f64 {
        let m = median(v);
        let above: Vec<f64> = v.iter().copied().filter(|x| *x >= m).collect();
        let below: Vec<f64> = v.iter().copied().filter(|x| *x <= m).collect();
        let mut all = Vec::new();
        for &x in &above {
            for &y in &below {
                if x > y {
                    all.push(((x - m) - (m - y)) / (x - y));
                } else {
                    // Ties at the median: a distinct median pairs with itself only.
                    all.push(0.0);
                }
            }
        }
        all.sort_by(f64::total_cmp);
        median(&all)
    }

    #[test]
    fn the_medcouple_is_that_of_its_definition() {
        let stream = Stream::new(3, 9);
        for n in [3_u64, 10, 11, 50, 101] {
            let mut v: Vec<f64> = (0..n)
                .map(|i| libm::exp(normal_quantile(stream.uniform(n, i as u32, 0))))
                .collect();
            v.sort_by(f64::total_cmp);
            let (fast, slow) = (medcouple(&v), slow_medcouple(&v));
            assert!((fast - slow).abs() < 1e-12, "{n}: {fast} {slow}");
        }
        let symmetric: Vec<f64> = (-20..=20).map(f64::from).collect();
        assert!(medcouple(&symmetric).abs() < 1e-12);
        // statsmodels.stats.stattools.medcouple([1, 2, 4, 8, 16]): pairs by hand give median 0.5.
        assert!(
            (medcouple(&[1.0, 2.0, 4.0, 8.0, 16.0]) - slow_medcouple(&[1.0, 2.0, 4.0, 8.0, 16.0]))
                .abs()
                < 1e-12
        );
    }

    /// A hundred thousand clean normal values in groups: the thresholds keep the stated rate.
    #[test]
    fn false_alarms_are_as_stated() {
        let stream = Stream::new(11, 7);
        for (size, groups) in [(30_usize, 2000_u64), (100, 600), (1000, 60)] {
            let rate = 1e-3;
            let (mut by_mad, mut by_box) = (0, 0);
            for g in 0..groups {
                let mut v: Vec<f64> = (0..size)
                    .map(|i| normal_quantile(stream.uniform(g, i as u32, size as u32)))
                    .collect();
                v.sort_by(f64::total_cmp);
                let (m, s, z) = (median(&v), mad(&v), mad_threshold(size, rate));
                by_mad += v.iter().filter(|x| (*x - m).abs() > z * s).count();
                let (low, high) = adjusted_fences(&v, rate);
                by_box += v.iter().filter(|x| **x < low || **x > high).count();
            }
            let expected = rate * (size as u64 * groups) as f64;
            // 60 expected. Those of one group come together, as its scale is too small: twice the spread of a count,
            // and four times that.
            assert!(
                (by_mad as f64) < 2.0 * expected,
                "{size}: {by_mad} of {expected}"
            );
            assert!(
                (by_mad as f64) > 0.2 * expected,
                "{size}: {by_mad} of {expected}"
            );
            assert!(
                (by_box as f64) < 2.0 * expected,
                "{size}: {by_box} of {expected}"
            );
        }
    }
}
