//! Whole-kernel checks with closed forms: thresholds come from exact sampling distributions, none is tuned.
//!
//! Numbers are those of the engine's list of fifteen reference cases; the others stand beside the code that they test.

use super::exposure::{ExposureBuilder, ExposureClass, Measure};
use super::kernel::{Portfolio, Sampler, Scratch, Uncertainty};
use super::vulnerability::{Matrix, Vulnerability};
use crate::distributions::{beta_cdf, normal_cdf};
use crate::events::Event;
use crate::events::set::{Description, EventSet, EventSetWriter};
use crate::random::Stream;
use std::path::Path;

/// Two-sided normal bound of one of a hundred checks at 1e-6 overall (Bonferroni).
const Z: f64 = 5.73;
/// sqrt(n) D of the Kolmogorov-Smirnov statistic at the same chance, 2 exp(-2t²) = 1e-8.
const KS: f64 = 3.09;

/// Distance between a sample and a distribution function, times sqrt(n).
fn ks(mut x: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    x.sort_by(f64::total_cmp);
    let n = x.len() as f64;
    let far = x.iter().enumerate().map(|(i, &v)| {
        let f = cdf(v);
        (f - i as f64 / n).max((i as f64 + 1.0) / n - f)
    });
    far.fold(0.0, f64::max) * n.sqrt()
}

/// Three matrices of ten intensity bins and eight damage bins with point masses at both ends.
fn matrices() -> Vec<Matrix> {
    let mut bins = vec![(0.0, 0.0)];
    bins.extend((0..6).map(|d| (f64::from(d) / 6.0, f64::from(d + 1) / 6.0)));
    bins.push((1.0, 1.0));
    (0..3)
        .map(|v| Matrix {
            code: v.to_string(),
            measure: "depth_m".into(),
            edges: (0..=10).map(|b| f64::from(b) * 0.5).collect(),
            probability: (0..10)
                .map(|b| {
                    let mean = 0.1 + 0.08 * f64::from(b) - 0.02 * f64::from(v);
                    let (none, all) = (0.2 * (1.0 - mean), 0.1 * mean);
                    let t = 3.0 + f64::from(v);
                    let at = |x: f64| beta_cdf(x, mean * t, (1.0 - mean) * t);
                    let mut row = vec![none];
                    row.extend(
                        bins[1..7]
                            .iter()
                            .map(|d| (at(d.1) - at(d.0)) * (1.0 - none - all)),
                    );
                    row.push(all);
                    row
                })
                .collect(),
            bins: bins.clone(),
        })
        .collect()
}

/// A small workload: items of lognormal-like values, events that strike a tenth of them, closed-form moments.
struct Workload {
    set: EventSet,
    portfolio: Portfolio,
    /// Mean and standard deviation of each event's loss, computed from the tables of the matrices alone.
    exact: Vec<(f64, f64)>,
}

fn workload(items: u32, events: u64) -> Workload {
    let draws = Stream::new(77, 1);
    let matrices = matrices();
    let moment = |v: usize, b: usize, of: fn(f64, f64) -> f64| -> f64 {
        let row = matrices[v].probability[b].iter().zip(&matrices[v].bins);
        row.map(|(p, d)| p * of(d.0, d.1)).sum()
    };
    let value = |i: u32| 1e5 * libm::exp(2.0 * draws.uniform(0, i, 0));
    let classes = (0..3)
        .map(|code| ExposureClass {
            code,
            name: code.to_string(),
            name_zh: "住宅".into(),
            measure: Measure::Count("room".into()),
        })
        .collect();
    let mut builder = ExposureBuilder::new(classes, vec!["330702".into()]);
    for i in 0..items {
        builder.push(i, (i % 3) as u16, value(i), 0);
    }
    let exposure = builder.build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.events");
    let description = Description {
        measures: vec!["depth_m".into()],
        double: false,
        probability: false,
        spread: false,
        note: String::new(),
    };
    let mut writer = EventSetWriter::create(&path, description).unwrap();
    let mut exact = Vec::new();
    for id in 0..events {
        let struck: Vec<u32> = (0..items)
            .filter(|&i| draws.uniform(1 + id, i, 0) < 0.1)
            .collect();
        let bins: Vec<usize> = struck
            .iter()
            .map(|&i| (10.0 * draws.uniform(1 + id, i, 1)) as usize)
            .collect();
        let depth: Vec<f64> = bins.iter().map(|&b| 0.25 + 0.5 * b as f64).collect();
        let (mut mean, mut variance) = (0.0, 0.0);
        for (&i, &b) in struck.iter().zip(&bins) {
            let v = (i % 3) as usize;
            let m = moment(v, b, |a, b| 0.5 * (a + b));
            let s = moment(v, b, |a, b| (a * a + a * b + b * b) / 3.0);
            mean += value(i) * m;
            variance += value(i) * value(i) * (s - m * m);
        }
        exact.push((mean, variance.sqrt()));
        let event = Event {
            id,
            cause: id,
            hazard: 0,
            rate_per_year: 0.01,
        };
        writer.push(&event, &struck, &[&depth]).unwrap();
    }
    writer.finish().unwrap();
    let vulnerabilities = matrices
        .iter()
        .map(|m| Vulnerability::from_matrix(Path::new("t"), m).unwrap())
        .collect();
    let of = [Some(0), Some(1), Some(2)];
    Workload {
        set: EventSet::open(&path).unwrap(),
        portfolio: Portfolio::new(&exposure, vulnerabilities, &of, |_| 0).unwrap(),
        exact,
    }
}

/// Losses `[event][round × samples + sample]`.
fn sampled(w: &Workload, samples: u32, rounds: u32, seed: u64) -> Vec<Vec<f64>> {
    let kernel = w.portfolio.with(&w.set).unwrap();
    let sampler = Sampler::new(&kernel, Uncertainty::default(), samples, seed).unwrap();
    let block = w.set.block(0).unwrap();
    let mut scratch = Scratch::default();
    let mut out = vec![0.0; samples as usize];
    (0..block.len())
        .map(|event| {
            let mut all = Vec::new();
            for round in 0..rounds {
                sampler.losses(&block, event, round, &mut scratch, &mut out);
                all.extend_from_slice(&out);
            }
            all
        })
        .collect()
}

/// Cases 3 and 15. One sample of each round is plain Monte Carlo: the means of the events are normal about the exact ones, and
/// their spreads have the exact size. All samples of the rounds are better, and unbiased.
#[test]
fn a_workload_with_known_moments() {
    let w = workload(2_000, 400);
    let (samples, rounds) = (5_u32, 60_u32);
    let losses = sampled(&w, samples, rounds, 15);
    let n = f64::from(rounds);
    let plain: Vec<f64> = losses
        .iter()
        .zip(&w.exact)
        .map(|(x, (mean, sd))| {
            let one: f64 = x.iter().skip(2).step_by(samples as usize).sum::<f64>() / n;
            (one - mean) / (sd / n.sqrt())
        })
        .collect();
    // A sum of two hundred items times sixty rounds is normal to 1 in a thousand.
    let far = ks(plain.clone(), normal_cdf);
    assert!(far < KS, "{far}");
    let spread = |z: &[f64]| (z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64).sqrt();
    // Of 400 normal scores the mean square is 1 within sqrt(2/400) times Z.
    let found = spread(&plain) * spread(&plain);
    assert!(
        (found - 1.0).abs() < Z * (2.0 / 400.0_f64).sqrt(),
        "{found}"
    );
    let stratified: Vec<f64> = losses
        .iter()
        .zip(&w.exact)
        .map(|(x, (mean, sd))| {
            let size = x.len() as f64;
            (x.iter().sum::<f64>() / size - mean) / (sd / size.sqrt())
        })
        .collect();
    let mean = stratified.iter().sum::<f64>() / 400.0;
    assert!(mean.abs() < Z * spread(&stratified) / 20.0, "{mean}");
    // Case 8: five strata leave less than a third of the variance of as many plain samples.
    assert!(spread(&stratified) < 0.55, "{}", spread(&stratified));
    // Spreads between samples: their mean square over the events is the exact one within the bound for 400 × 60
    // independent samples of nearly normal sums.
    let ratio: f64 = losses
        .iter()
        .zip(&w.exact)
        .map(|(x, (mean, sd))| {
            let one = x.iter().skip(2).step_by(samples as usize);
            one.map(|v| (v - mean) * (v - mean)).sum::<f64>() / n / (sd * sd)
        })
        .sum::<f64>()
        / 400.0;
    assert!(
        (ratio - 1.0).abs() < Z * (2.0 / (400.0 * n)).sqrt() * 1.05,
        "{ratio}"
    );
}

/// Case 3: nothing hangs together that should not: events, rounds, neighbouring seeds.
#[test]
fn events_rounds_and_seeds_are_unrelated() {
    let w = workload(300, 300);
    let score = |x: &[Vec<f64>], event: usize, k: usize| {
        let (mean, sd) = w.exact[event];
        (x[event][k] - mean) / sd
    };
    let (one, other) = (sampled(&w, 4, 12, 8), sampled(&w, 4, 12, 9));
    let product = |pairs: Vec<(f64, f64)>| {
        let n = pairs.len() as f64;
        // Scores of variance one: their products have variance one, too.
        pairs.iter().map(|(a, b)| a * b).sum::<f64>() / n.sqrt()
    };
    // Sample 0 of each round: independent draws.
    let rounds = || (0..12).map(|r| 4 * r);
    let events = (0..150).flat_map(|e| rounds().map(move |k| (2 * e, k)));
    let events = events
        .map(|(e, k)| (score(&one, e, k), score(&one, e + 1, k)))
        .collect();
    assert!(product(events).abs() < Z);
    let seeds = (0..300).flat_map(|e| rounds().map(move |k| (e, k)));
    let seeds = seeds
        .map(|(e, k)| (score(&one, e, k), score(&other, e, k)))
        .collect();
    assert!(product(seeds).abs() < Z);
    let between = (0..300).flat_map(|e| (0..6).map(move |r| (e, 8 * r)));
    let between = between
        .map(|(e, k)| (score(&one, e, k), score(&one, e, k + 4)))
        .collect();
    assert!(product(between).abs() < Z);
}

/// Case 10: the error of plain samples (one per round) falls with the root of their number.
#[test]
fn errors_fall_with_the_root() {
    let w = workload(200, 300);
    let losses = sampled(&w, 2, 1024, 10);
    let mut points = Vec::new();
    for k in 3..=10_u32 {
        let n = 1_usize << k;
        let squares: f64 = losses
            .iter()
            .zip(&w.exact)
            .map(|(x, (mean, sd))| {
                let found = x.iter().step_by(2).take(n).sum::<f64>() / n as f64;
                (found - mean) / sd * ((found - mean) / sd)
            })
            .sum();
        points.push((f64::from(k), 0.5 * libm::log2(squares / 300.0)));
    }
    let m = points.len() as f64;
    let x = points.iter().map(|p| p.0).sum::<f64>() / m;
    let sxx: f64 = points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum();
    let slope = points.iter().map(|p| (p.0 - x) * p.1).sum::<f64>() / sxx;
    // ln(RMSE) of 300 events has standard deviation 1/sqrt(600), in base 2 divided by ln 2; samples are nested, so that the
    // points are not independent: the sum of their weights bounds the spread of the slope.
    let weights: f64 = points.iter().map(|p| (p.0 - x).abs()).sum::<f64>() / sxx;
    let bound = Z * weights / (600.0_f64.sqrt() * std::f64::consts::LN_2);
    assert!(
        (slope + 0.5).abs() < bound.min(0.05),
        "slope {slope}, bound {bound}"
    );
}
