//! Laws that the year generators draw from by their inverse distribution functions: counts, seasons, lengths, and laws
//! given by a density.

use anlan_engine::distributions::{negative_binomial_quantile, normal_cdf, normal_quantile};

/// A count by inverse distribution function: Poisson, or negative binomial where counts cluster. Any mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    mean: f64,
    /// Variance over mean.
    dispersion: f64,
}

impl Count {
    /// Variance = mean + clustering mean²; clustering 0 is Poisson.
    pub(crate) fn new(mean: f64, clustering: f64) -> Self {
        Count {
            mean,
            dispersion: 1.0 + clustering * mean,
        }
    }

    /// The count at probability `u`.
    pub(crate) fn quantile(&self, u: f64) -> usize {
        negative_binomial_quantile(u, self.mean, self.dispersion) as usize
    }

    /// The count that is exceeded once in 10^12 draws.
    pub(crate) fn most(&self) -> usize {
        self.quantile(1.0 - 1e-12)
    }
}

/// A variable given by equal steps of probability, linear between: for laws whose inverse has no closed form.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    values: Vec<f64>,
}

impl Steps {
    const N: usize = 512;

    /// From a density on `[from, to]`, up to a factor, integrated by the trapezoid rule over 4096 strips.
    pub(crate) fn from_density(from: f64, to: f64, density: impl Fn(f64) -> f64) -> Self {
        const STRIPS: usize = 4096;
        let step = (to - from) / STRIPS as f64;
        let mut cumulative = Vec::with_capacity(STRIPS + 1);
        let mut sum = 0.0;
        cumulative.push(0.0);
        let mut last = density(from);
        for i in 1..=STRIPS {
            let next = density(from + step * i as f64);
            sum += 0.5 * (last + next);
            cumulative.push(sum);
            last = next;
        }
        let values = (0..=Self::N)
            .map(|i| {
                let target = sum * i as f64 / Self::N as f64;
                let k = cumulative.partition_point(|&c| c < target).clamp(1, STRIPS);
                let (a, b) = (cumulative[k - 1], cumulative[k]);
                let t = if b > a { (target - a) / (b - a) } else { 0.0 };
                from + step * (k as f64 - 1.0 + t)
            })
            .collect();
        Steps { values }
    }

    /// Value at probability `u` in (0, 1).
    pub(crate) fn quantile(&self, u: f64) -> f64 {
        let x = u * Self::N as f64;
        let k = (x as usize).min(Self::N - 1);
        let t = x - k as f64;
        self.values[k] + t * (self.values[k + 1] - self.values[k])
    }
}

/// Day of the year of a normal law cut at two days: probability of each day, and draws.
#[derive(Debug, Clone)]
pub(crate) struct Season {
    first: u16,
    cumulative: Vec<f64>,
}

impl Season {
    pub(crate) fn new(mean: f64, sd: f64, first: u16, last: u16) -> Self {
        let at = |d: f64| normal_cdf((d - mean) / sd);
        let (low, high) = (at(f64::from(first) - 0.5), at(f64::from(last) + 0.5));
        let cumulative = (first..=last)
            .map(|d| (at(f64::from(d) + 0.5) - low) / (high - low))
            .collect();
        Season { first, cumulative }
    }

    /// Day of the year, 1..=365.
    pub(crate) fn quantile(&self, u: f64) -> u16 {
        let k = self.cumulative.partition_point(|&c| c < u);
        self.first + k.min(self.cumulative.len() - 1) as u16
    }

    /// Days with their probabilities.
    pub(crate) fn days(&self) -> impl Iterator<Item = (u16, f64)> + '_ {
        self.cumulative.iter().enumerate().map(|(i, &c)| {
            let before = if i == 0 { 0.0 } else { self.cumulative[i - 1] };
            (self.first + i as u16, c - before)
        })
    }
}

/// A lognormal length cut at 2.5 standard deviations: every length has a bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length {
    median: f64,
    log_sd: f64,
}

/// Where lognormal lengths are cut, in standard deviations.
const CUT: f64 = 2.5;

impl Length {
    pub(crate) fn new(median: f64, log_sd: f64) -> Self {
        Length { median, log_sd }
    }

    pub(crate) fn quantile(&self, u: f64) -> f64 {
        let low = normal_cdf(-CUT);
        let z = normal_quantile(low + u * (1.0 - 2.0 * low));
        self.median * libm::exp(self.log_sd * z)
    }

    /// Greatest length.
    pub(crate) fn most(&self) -> f64 {
        self.median * libm::exp(self.log_sd * CUT)
    }

    /// Mean of the square.
    pub(crate) fn mean_square(&self) -> f64 {
        let s = self.log_sd;
        let kept = normal_cdf(CUT - 2.0 * s) - normal_cdf(-CUT - 2.0 * s);
        self.median * self.median * libm::exp(2.0 * s * s) * kept
            / (normal_cdf(CUT) - normal_cdf(-CUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17 `poisson.ppf` and `nbinom.ppf`.
    #[test]
    fn counts_of_any_mean_match_another_program() {
        const P: [f64; 5] = [1e-6, 0.01, 0.5, 0.99, 1.0 - 1e-9];
        for (mean, clustering, expected) in [
            (40.0, 0.0, [14, 26, 40, 55, 83]),
            (1045.0, 0.0, [895, 971, 1045, 1121, 1245]),
            (20_000.0, 0.0, [19_331, 19_672, 20_000, 20_330, 20_854]),
            (699.0, 0.5, [0, 51, 586, 2322, 8378]),
            (1045.0, 0.2, [33, 265, 976, 2429, 6591]),
            (5000.0, 0.4, [12, 553, 4351, 15_089, 50_704]),
        ] {
            let count = Count::new(mean, clustering);
            assert_eq!(
                P.map(|p| count.quantile(p)),
                expected,
                "{mean} {clustering}"
            );
        }
    }

    #[test]
    fn counts_have_the_asked_mean_and_variance() {
        for (mean, clustering) in [(0.3, 0.0), (40.0, 0.0), (12.0, 0.4), (1500.0, 0.05)] {
            let count = Count::new(mean, clustering);
            let n = 40_000;
            let draws: Vec<f64> = (0..n)
                .map(|i| count.quantile((f64::from(i) + 0.5) / f64::from(n)) as f64)
                .collect();
            let m = draws.iter().sum::<f64>() / f64::from(n);
            let s = draws.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / f64::from(n);
            // Equal steps of probability: the tails beyond 1/80,000 are cut.
            assert!((m / mean - 1.0).abs() < 1e-3, "{m} {mean}");
            let variance = mean + clustering * mean * mean;
            assert!((s / variance - 1.0).abs() < 5e-3, "{s} {variance}");
            assert!(count.most() >= draws[draws.len() - 1] as usize);
        }
    }

    #[test]
    fn lengths_stay_below_their_bound_and_keep_their_mean_square() {
        let l = Length::new(10.0, 0.4);
        let n = 20_000;
        let mean = (0..n)
            .map(|i| {
                let x = l.quantile((f64::from(i) + 0.5) / f64::from(n));
                assert!(x <= l.most());
                x * x
            })
            .sum::<f64>()
            / f64::from(n);
        assert!((mean / l.mean_square() - 1.0).abs() < 1e-4);
    }

    #[test]
    fn steps_follow_a_density() {
        // Density 2x on (0, 1): quantile sqrt(u).
        let s = Steps::from_density(0.0, 1.0, |x| 2.0 * x);
        for u in [0.1, 0.37, 0.5, 0.93] {
            assert!((s.quantile(u) - f64::sqrt(u)).abs() < 1e-4);
        }
    }
}
