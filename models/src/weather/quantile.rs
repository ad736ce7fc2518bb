//! Inverse cumulative distribution functions that the year generators draw from many times a second: the normal law
//! by a rational approximation, everything else by tables made once.

/// Standard normal quantile (Wichura 1988, algorithm AS 241, doi:10.2307/2347330, relative accuracy about 1e-16).
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(
            r,
            &[
                3.387_132_872_796_366_5,
                133.141_667_891_784_38,
                1_971.590_950_306_551_3,
                13_731.693_765_509_46,
                45_921.953_931_549_87,
                67_265.770_927_008_7,
                33_430.575_583_588_13,
                2_509.080_928_730_122_7,
            ],
            &[
                1.0,
                42.313_330_701_600_91,
                687.187_007_492_057_9,
                5_394.196_021_424_751,
                21_213.794_301_586_597,
                39_307.895_800_092_71,
                28_729.085_735_721_943,
                5_226.495_278_852_545,
            ],
        );
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let x = if r <= 5.0 {
        ratio(
            r - 1.6,
            &[
                1.423_437_110_749_683_5,
                4.630_337_846_156_546,
                5.769_497_221_460_691,
                3.647_848_324_763_204_5,
                1.270_458_252_452_368_4,
                0.241_780_725_177_450_6,
                0.022_723_844_989_269_184,
                7.745_450_142_783_414e-4,
            ],
            &[
                1.0,
                2.053_191_626_637_759,
                1.676_384_830_183_803_8,
                0.689_767_334_985_1,
                0.148_103_976_427_480_08,
                0.015_198_666_563_616_457,
                5.475_938_084_995_345e-4,
                1.050_750_071_644_416_9e-9,
            ],
        )
    } else {
        ratio(
            r - 5.0,
            &[
                6.657_904_643_501_103,
                5.463_784_911_164_114,
                1.784_826_539_917_291_3,
                0.296_560_571_828_504_87,
                0.026_532_189_526_576_124,
                0.001_242_660_947_388_078_4,
                2.711_555_568_743_487_6e-5,
                2.010_334_399_292_288_1e-7,
            ],
            &[
                1.0,
                0.599_832_206_555_888,
                0.136_929_880_922_735_8,
                0.014_875_361_290_850_615,
                7.868_691_311_456_133e-4,
                1.846_318_317_510_054_8e-5,
                1.421_511_758_316_446e-7,
                2.044_263_103_389_939_8e-15,
            ],
        )
    };
    if q < 0.0 { -x } else { x }
}

/// Standard normal distribution function.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

fn ratio(r: f64, above: &[f64; 8], below: &[f64; 8]) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, &c| sum * r + c);
    horner(above) / horner(below)
}

/// A count by inverse distribution function: Poisson, or negative binomial where counts cluster.
#[derive(Debug, Clone)]
pub(crate) struct Count {
    cumulative: Vec<f64>,
}

impl Count {
    /// Greatest mean for which exp(-mean) is still a normal number.
    pub(crate) const MOST: f64 = 700.0;

    /// Variance = mean + clustering mean²; clustering 0 is Poisson. The table ends where 1e-15 of the law is left.
    pub(crate) fn new(mean: f64, clustering: f64) -> Self {
        let poisson = clustering * mean < 1e-9;
        let mut p = if poisson {
            libm::exp(-mean)
        } else {
            libm::exp(-libm::log1p(clustering * mean) / clustering)
        };
        let mut cumulative = vec![p];
        let mut sum = p;
        let mut n = 0.0;
        while sum < 1.0 - 1e-15 && n < 1e5 {
            p *= if poisson {
                mean / (n + 1.0)
            } else {
                (n + 1.0 / clustering) / (n + 1.0) * (clustering * mean / (1.0 + clustering * mean))
            };
            n += 1.0;
            sum += p;
            cumulative.push(sum);
            // Rounding may keep the sum below the mark for ever.
            if n > mean && p < 1e-18 {
                break;
            }
        }
        Count { cumulative }
    }

    /// The count at probability `u`.
    pub(crate) fn quantile(&self, u: f64) -> usize {
        self.cumulative.partition_point(|&c| c < u)
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

    #[test]
    fn normal_quantiles_match_the_printed_table_and_the_distribution_function() {
        for (p, z) in [(0.999, 3.0902), (0.99, 2.3263), (0.95, 1.6449), (0.5, 0.0)] {
            assert!((normal_quantile(p) - z).abs() < 5e-5);
            assert!((normal_quantile(1.0 - p) + z).abs() < 5e-5);
        }
        for k in 1..400 {
            let p = libm::exp(-0.1 * f64::from(k));
            let back = normal_cdf(normal_quantile(p));
            assert!((back / p - 1.0).abs() < 1e-12, "{p} {back}");
        }
    }

    #[test]
    fn counts_have_the_asked_mean_and_variance() {
        for (mean, clustering) in [(0.3, 0.0), (40.0, 0.0), (12.0, 0.4), (90.0, 0.05)] {
            let c = Count::new(mean, clustering);
            let (mut m, mut s, mut last) = (0.0, 0.0, 0.0);
            for (n, &sum) in c.cumulative.iter().enumerate() {
                m += n as f64 * (sum - last);
                s += (n * n) as f64 * (sum - last);
                last = sum;
            }
            assert!((m / mean - 1.0).abs() < 1e-9, "{m}");
            let variance = mean + clustering * mean * mean;
            assert!(((s - m * m) / variance - 1.0).abs() < 1e-6);
        }
        assert_eq!(Count::new(2.0, 0.0).quantile(0.5), 2);
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
