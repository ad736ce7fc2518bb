//! How damages, or intensities, of one event hang together: Gaussian copulas with addresses.
//!
//! - By group: the normal scores of the items of a group have a common part.
//! - By distance: scores with the correlation exp(-distance / range). The field of an event and sample is a sum of
//!   [`WAVES`] cosines whose frequencies are drawn from the spectrum of that correlation in the plane, f(k) ∝
//!   (1 + (k range)²)^(-3/2), so that it can be asked at any place, at a cost that does not depend on the number of places.
//!   The sum of so many cosines is not quite normal: its own distribution function (by inversion of J0^n) makes every
//!   place exactly uniform. The joint distribution of two places is that of the Gaussian copula but for terms of the order
//!   of 1/[`WAVES`]; the chance that both exceed their medians is off by less than 0.002 (tested).
//!
//! # References
//! Random cosines: Shinozuka (1971), J. Acoust. Soc. Am. 49, 357, doi:10.1121/1.1912338; Mantoglou and Wilson (1982), Water
//! Resour. Res. 18, 1379, doi:10.1029/WR018i005p01379. Sums of random-phase cosines: Kluyver (1906).

use super::strata::Strata;
use crate::distributions::{normal_cdf, normal_quantile};
use crate::error::{Error, Fault, Result};
use crate::random::Stream;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// Cosines in a field.
pub const WAVES: usize = 64;

/// Dependence between the items (or places) of one event.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Correlation {
    /// Every item for itself.
    #[default]
    Independent,
    /// Normal scores within a group correlate by this coefficient, 0..=1; 1: one draw per group.
    Group(f64),
    /// Normal scores correlate by exp(-distance / range), range in m.
    Distance(f64),
}

impl Correlation {
    /// Checks the parameter; `source` is named in the fault.
    ///
    /// # Errors
    /// A coefficient outside 0..=1, a range that is not positive.
    pub fn validate(&self, source: &str) -> Result<()> {
        let (found, expected) = match self {
            Correlation::Group(rho) if !(0.0..=1.0).contains(rho) => {
                (format!("correlation {rho}"), "a coefficient of 0 to 1")
            }
            Correlation::Distance(range) if !(*range > 0.0 && range.is_finite()) => {
                (format!("range {range} m"), "a positive range in metres")
            }
            _ => return Ok(()),
        };
        Err(Error::input(Fault::new(
            source,
            found,
            expected,
            "0 is independent, 1 is common; the range is the distance at which the correlation is 0.37",
        )))
    }
}

/// Streams of an uncertainty: of its items, of what they share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams {
    pub own: Stream,
    pub shared: Stream,
}

/// Scratch of one thread: the waves of the current event, and normal scores.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waves {
    event: Option<(u64, u32)>,
    /// Per sample: frequencies (turns per m) east, north, and phases (turns), [`WAVES`] each.
    waves: Vec<[[f64; WAVES]; 3]>,
}

/// An item, its group and its place, for a draw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address {
    pub event: u64,
    pub round: u32,
    pub item: u32,
    pub group: u32,
    pub xy_m: [f64; 2],
}

/// Uniform numbers by sample, one per sample of `strata`.
pub(crate) fn uniforms(
    correlation: Correlation,
    streams: Streams,
    strata: &Strata,
    at: Address,
    waves: &mut Waves,
    out: &mut [f64],
) {
    let own = || strata.draw(streams.own, at.event, at.item, at.round);
    let shared = || strata.draw(streams.shared, at.event, at.group, at.round);
    match correlation {
        Correlation::Independent | Correlation::Group(0.0) => own().by_sample(out),
        Correlation::Group(1.0) => shared().by_sample(out),
        Correlation::Group(rho) => {
            shared().by_sample(out);
            let (a, b) = (rho.sqrt(), (1.0 - rho).sqrt());
            let own = own();
            for j in 0..out.len() {
                let out = &mut out[own.sample(j)];
                let z = a * score(*out) + b * score(own.uniform(j));
                *out = inside(probability(z));
            }
        }
        Correlation::Distance(range) => {
            waves.start(streams.shared, at.event, at.round, range, out.len());
            for (out, waves) in out.iter_mut().zip(&waves.waves) {
                *out = inside(wave_cdf(height(waves, at.xy_m)));
            }
        }
    }
}

/// Rounding must not reach 0 or 1.
fn inside(u: f64) -> f64 {
    u.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0)
}

impl Waves {
    /// Draws the waves of an event and round, once.
    fn start(&mut self, stream: Stream, event: u64, round: u32, range: f64, samples: usize) {
        if self.event == Some((event, round)) && self.waves.len() == samples {
            return;
        }
        self.event = Some((event, round));
        self.waves.resize(samples, [[0.0; WAVES]; 3]);
        let scale = 1.0 / (std::f64::consts::TAU * range);
        for (sample, [east, north, phase]) in self.waves.iter_mut().enumerate() {
            let sample = (round as usize * samples + sample) as u32;
            for wave in 0..WAVES {
                let [radius, direction, start, _] = stream.uniform4(event, wave as u32, sample);
                // Inverse of the share of the spectrum within a radius, 1 - (1 + k²)^(-1/2).
                let k = scale * (1.0 / (radius * radius) - 1.0).max(0.0).sqrt();
                let turn = std::f64::consts::TAU * direction;
                east[wave] = k * libm::cos(turn);
                north[wave] = k * libm::sin(turn);
                phase[wave] = start;
            }
        }
    }
}

/// Height of a field at a place, of variance one. Compiled twice, for any x86-64 and for AVX2: only the width of the vectors
/// differs, so that both give the same bytes (tested).
#[allow(unsafe_code)]
fn height(waves: &[[f64; WAVES]; 3], xy_m: [f64; 2]) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide(waves: &[[f64; WAVES]; 3], xy_m: [f64; 2]) -> f64 {
            sum_of_waves(waves, xy_m)
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, the only thing that the function asks for beyond its safe body.
            return unsafe { wide(waves, xy_m) };
        }
    }
    sum_of_waves(waves, xy_m)
}

#[inline(always)]
fn sum_of_waves([east, north, phase]: &[[f64; WAVES]; 3], [x, y]: [f64; 2]) -> f64 {
    // One pass that vectors can take whole, then sums in a fixed tree.
    let mut heights = [0.0; WAVES];
    for i in 0..WAVES {
        heights[i] = cos_turns(east[i] * x + north[i] * y + phase[i]);
    }
    let mut width = WAVES / 2;
    while width > 0 {
        for i in 0..width {
            heights[i] += heights[i + width];
        }
        width /= 2;
    }
    let sum = heights[0];
    sum * (2.0 / WAVES as f64).sqrt()
}

/// Cosine of an angle in turns; to 1e-10.
#[inline(always)]
fn cos_turns(turns: f64) -> f64 {
    // The nearest whole number by the magic constant 1.5 × 2^52: exact below 2^51 turns.
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    let t = turns - ((turns + MAGIC) - MAGIC);
    // cos(2πt) = 1 - 2 sin²(πt), the sine by its series on |πt| <= π/2.
    let a = std::f64::consts::PI * t;
    let q = a * a;
    let sine = a
        * (1.0
            + q * (-1.0 / 6.0
                + q * (1.0 / 120.0
                    + q * (-1.0 / 5_040.0
                        + q * (1.0 / 362_880.0
                            + q * (-1.0 / 39_916_800.0
                                + q * (1.0 / 6_227_020_800.0 - q / 1_307_674_368_000.0)))))));
    1.0 - 2.0 * sine * sine
}

/// A function tabulated with its slopes in equal steps, cubic between them.
struct Cubic {
    from: f64,
    per: f64,
    /// Value, and slope times step.
    points: Vec<[f64; 2]>,
}

impl Cubic {
    /// From value and slope at `from`, `from` + `step`, ..., `count` steps in all.
    fn new(from: f64, step: f64, count: usize, of: impl Fn(f64) -> [f64; 2]) -> Cubic {
        let at = |i: usize| of(from + i as f64 * step);
        let points = (0..=count)
            .map(at)
            .map(|[value, slope]| [value, slope * step]);
        Cubic {
            from,
            per: 1.0 / step,
            points: points.collect(),
        }
    }

    /// Value at `x` within the range of the table.
    #[inline]
    fn at(&self, x: f64) -> f64 {
        let place = (x - self.from) * self.per;
        let i = (place as usize).min(self.points.len() - 2);
        let t = place - i as f64;
        let ([p0, d0], [p1, d1]) = (self.points[i], self.points[i + 1]);
        let rise = p1 - p0;
        p0 + t * (d0 + t * ((3.0 * rise - 2.0 * d0 - d1) + t * (d0 + d1 - 2.0 * rise)))
    }
}

/// Density of the standard normal distribution.
fn density(z: f64) -> f64 {
    libm::exp(-0.5 * z * z) / libm::sqrt(std::f64::consts::TAU)
}

/// Normal score of a probability: off by less than 1e-7 between 1/64 and 63/64 (tested), exact beyond.
#[inline]
fn score(u: f64) -> f64 {
    const TAIL: f64 = 1.0 / 64.0;
    static TABLE: OnceLock<Cubic> = OnceLock::new();
    if !(TAIL..=1.0 - TAIL).contains(&u) {
        return normal_quantile(u);
    }
    let table = TABLE.get_or_init(|| {
        Cubic::new(TAIL, 1.0 / 1024.0, 1024 - 32, |u| {
            let z = normal_quantile(u);
            [z, 1.0 / density(z)]
        })
    });
    table.at(u)
}

/// Normal probability of a score: off by less than 1e-8 (tested), with the digits of the tails.
#[inline]
fn probability(z: f64) -> f64 {
    static TABLE: OnceLock<Cubic> = OnceLock::new();
    let table =
        TABLE.get_or_init(|| Cubic::new(-8.0, 1.0 / 32.0, 256, |z| [normal_cdf(z), density(z)]));
    mirrored(z, 8.0, |below| table.at(below))
}

/// Distribution function of the height of a field: tabulated once.
#[inline]
fn wave_cdf(z: f64) -> f64 {
    static TABLE: OnceLock<Cubic> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        Cubic::new(-7.0, 1.0 / 32.0, 224, |z| {
            let [above, density] = exact_wave_cdf(-z);
            [above, density]
        })
    });
    mirrored(z, 7.0, |below| table.at(below))
}

/// A symmetric distribution function from its lower half, 0 below `-end`.
#[inline]
fn mirrored(z: f64, end: f64, lower: impl Fn(f64) -> f64) -> f64 {
    let below = -z.abs();
    let tail = if below > -end {
        lower(below).max(0.0)
    } else {
        0.0 * z
    };
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// Chance above `z` and density at it, of the sum of [`WAVES`] random-phase cosines scaled to variance one, by inversion of
/// its characteristic function J0(t sqrt(2/n))^n with the trapezium rule (exact to rounding for such functions).
fn exact_wave_cdf(z: f64) -> [f64; 2] {
    const DT: f64 = 0.05;
    let n = WAVES as f64;
    let scale = (2.0 / n).sqrt();
    let (mut below, mut density) = (0.5 * z, 0.5);
    for i in 1..400 {
        let t = f64::from(i) * DT;
        let f = libm::pow(libm::j0(t * scale).abs(), n);
        below += f * libm::sin(t * z) / t;
        density += f * libm::cos(t * z);
    }
    let per = DT / std::f64::consts::PI;
    [0.5 - per * below, per * density]
}

#[cfg(test)]
mod tests {
    use super::*;

    const Z: f64 = 5.73;

    fn streams(seed: u64) -> Streams {
        Streams {
            own: Stream::new(seed, 1),
            shared: Stream::new(seed, 2),
        }
    }

    /// Reference case 4: P(both above the median) = 1/4 + asin(rho)/2π, by group and by distance.
    #[test]
    fn both_above_their_medians() {
        let strata = Strata::new(8);
        let n = 6_000_u64;
        let both = |correlation, xy: [[f64; 2]; 2]| {
            let mut waves = Waves::default();
            let mut u = [[0.0; 8]; 2];
            let mut hits = 0;
            for event in 0..n {
                for k in 0..2 {
                    let at = Address {
                        event,
                        round: 0,
                        item: k as u32,
                        group: 9,
                        xy_m: xy[k],
                    };
                    uniforms(correlation, streams(4), &strata, at, &mut waves, &mut u[k]);
                }
                hits += (0..8).filter(|&s| u[0][s] > 0.5 && u[1][s] > 0.5).count();
            }
            hits as f64 / (8 * n) as f64
        };
        let expected = |rho: f64| 0.25 + libm::asin(rho) / std::f64::consts::TAU;
        // Within an event the samples are stratified or share nothing: the binomial error is an upper bound for groups.
        let error = |p: f64| Z * (p * (1.0 - p) / (8 * n) as f64).sqrt();
        for rho in [0.0, 0.3, 0.8, 1.0] {
            let p = expected(rho);
            let found = both(Correlation::Group(rho), [[0.0; 2]; 2]);
            assert!((found - p).abs() < error(p), "group {rho}: {found} {p}");
        }
        for distance in [0.0, 500.0, 2_000.0] {
            let p = expected(libm::exp(-distance / 1_000.0));
            let xy = [[3e5, 3.2e6], [3e5 + 0.6 * distance, 3.2e6 - 0.8 * distance]];
            let found = both(Correlation::Distance(1_000.0), xy);
            // 0.002: the documented bound of the sum of cosines.
            assert!(
                (found - p).abs() < error(p) + 0.002,
                "distance {distance}: {found} {p}"
            );
        }
    }

    /// Every place is uniform on its own: Kolmogorov-Smirnov.
    #[test]
    fn fields_are_uniform_at_a_place() {
        let strata = Strata::new(50);
        let mut waves = Waves::default();
        let mut all = Vec::new();
        for event in 0..400 {
            let mut u = [0.0; 50];
            let at = Address {
                event,
                round: 1,
                item: 0,
                group: 0,
                xy_m: [5e5, 3e6],
            };
            uniforms(
                Correlation::Distance(900.0),
                streams(1),
                &strata,
                at,
                &mut waves,
                &mut u,
            );
            all.extend(u);
        }
        all.sort_by(f64::total_cmp);
        let n = all.len() as f64;
        let ks = all
            .iter()
            .enumerate()
            .map(|(i, u)| (u - i as f64 / n).max((i as f64 + 1.0) / n - u))
            .fold(0.0, f64::max);
        // P(sqrt(n) D > t) = 2 exp(-2t²): 1e-8 at 3.09.
        assert!(ks * n.sqrt() < 3.09, "{ks}");
    }

    /// The documented bounds of the tables.
    #[test]
    fn tables_of_the_normal_distribution() {
        for i in 1..100_000 {
            let u = f64::from(i) / 100_000.0;
            let z = normal_quantile(u);
            assert!((score(u) - z).abs() < 1e-7, "{u}");
            assert!((probability(z) - u).abs() < 1e-8, "{u}");
        }
        for z in [-7.5, -6.0, -5.0] {
            assert!((probability(z) / normal_cdf(z) - 1.0).abs() < 1e-4, "{z}");
            assert_eq!(probability(-z), 1.0 - probability(z));
        }
        assert_eq!((probability(-9.0), probability(9.0)), (0.0, 1.0));
        assert!(probability(f64::NAN).is_nan());
    }

    #[test]
    fn vectors_of_any_width_give_the_same_bytes() {
        let mut waves = Waves::default();
        waves.start(Stream::new(3, 3), 1, 0, 800.0, 4);
        for (i, w) in waves.waves.iter().enumerate() {
            let at = [4e5 + 77.7 * i as f64, 3.2e6];
            assert_eq!(height(w, at).to_bits(), sum_of_waves(w, at).to_bits());
        }
    }

    #[test]
    fn the_distribution_of_a_field() {
        // Symmetric, nearly normal, and with the variance of a sum of cosines; against the sixth digit of a direct
        // inversion at other points than those of the table.
        for z in [0.013, 0.77, 1.9, 3.333] {
            let [above, _] = exact_wave_cdf(z);
            // A cubic on steps of 1/32: 1/32^4 / 384 times the fourth derivative.
            assert!((wave_cdf(z) - (1.0 - above)).abs() < 4e-9);
            assert!((wave_cdf(z) + wave_cdf(-z) - 1.0).abs() < 1e-15);
            assert!((wave_cdf(z) - normal_cdf(z)).abs() < 2e-3);
        }
        let variance: f64 = (-800..800)
            .map(|i| {
                let z = (f64::from(i) + 0.5) * 0.01;
                z * z * (wave_cdf(z + 0.005) - wave_cdf(z - 0.005))
            })
            .sum();
        assert!((variance - 1.0).abs() < 1e-4, "{variance}");
        for t in [-3.7_f64, -0.5, 0.0, 0.123, 0.5, 1234.25] {
            assert!(
                (cos_turns(t) - libm::cos(t * std::f64::consts::TAU)).abs() < 1e-9,
                "{t}"
            );
        }
    }
}
