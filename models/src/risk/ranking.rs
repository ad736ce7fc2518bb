//! Ranks of units by average annual loss with their sampling error (排序及抽样误差).
//!
//! The years of the simulation are drawn again with replacement, the same years for all units: losses of one storm in two
//! units are not independent, and what counts for a rank is the error of differences (paired bootstrap, Efron 1979,
//! doi:10.1214/aos/1176344552; ranks: Goldstein & Spiegelhalter 1996, doi:10.2307/2983325).

use anlan_engine::random::Stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Rank of one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankInterval {
    /// Rank by the mean, 1 the greatest; equal means share the better one.
    pub rank: u32,
    /// Mean rank over the replicates.
    pub expected: f64,
    /// Lower end of the interval of ranks.
    pub low: u32,
    /// Upper end.
    pub high: u32,
    /// Share of the replicates in which the unit is first.
    pub first: f64,
    /// Share in which it is among the first three.
    pub first_three: f64,
    /// Share in which it lies above the unit ranked next; ties count half. `None` for the last.
    pub above_next: Option<f64>,
}

/// Means of series of yearly values over years drawn with replacement: one row per replicate, one column per series.
///
/// # Panics
/// Series of different lengths.
pub fn bootstrap_means(series: &[&[f32]], replicates: u32, random: &Stream) -> Vec<Vec<f64>> {
    let years = series.first().map_or(0, |s| s.len());
    assert!(
        series.iter().all(|s| s.len() == years),
        "series of the same years"
    );
    (0..replicates)
        .into_par_iter()
        .map(|r| {
            let mut times = vec![0.0_f64; years];
            for i in 0..years {
                let u = random.uniform(u64::from(r), i as u32, 0);
                times[((u * years as f64) as usize).min(years - 1)] += 1.0;
            }
            series
                .iter()
                .map(|s| {
                    let sum: f64 = s.iter().zip(&times).map(|(&v, t)| f64::from(v) * t).sum();
                    sum / years as f64
                })
                .collect()
        })
        .collect()
}

/// Ranks of units by `means`, with intervals of this confidence from replicates of those means (one row each, the same
/// units).
pub fn rank_intervals(
    means: &[f64],
    replicates: &[Vec<f64>],
    confidence: f64,
) -> Vec<RankInterval> {
    let n = means.len();
    let rank =
        |values: &[f64], u: usize| 1 + values.iter().filter(|v| **v > values[u]).count() as u32;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| means[b].total_cmp(&means[a]).then(a.cmp(&b)));
    let mut next = vec![None; n];
    for pair in order.windows(2) {
        next[pair[0]] = Some(pair[1]);
    }
    let drawn: Vec<Vec<u32>> = replicates
        .iter()
        .map(|values| (0..n).map(|u| rank(values, u)).collect())
        .collect();
    let count = replicates.len().max(1) as f64;
    (0..n)
        .map(|u| {
            let mut ranks: Vec<u32> = drawn.iter().map(|r| r[u]).collect();
            ranks.sort_unstable();
            let own = rank(means, u);
            let at = |p: f64| {
                let place = (p * (ranks.len().max(1) - 1) as f64).round() as usize;
                ranks.get(place).copied().unwrap_or(own)
            };
            let share =
                |f: &dyn Fn(u32) -> bool| ranks.iter().filter(|r| f(**r)).count() as f64 / count;
            RankInterval {
                rank: own,
                expected: ranks.iter().map(|&r| f64::from(r)).sum::<f64>() / count,
                low: at(0.5 - confidence / 2.0),
                high: at(0.5 + confidence / 2.0),
                first: share(&|r| r == 1),
                first_three: share(&|r| r <= 3),
                above_next: next[u].map(|v| {
                    let above: f64 = replicates
                        .iter()
                        .map(|m| match m[u].total_cmp(&m[v]) {
                            std::cmp::Ordering::Greater => 1.0,
                            std::cmp::Ordering::Equal => 0.5,
                            std::cmp::Ordering::Less => 0.0,
                        })
                        .sum();
                    above / count
                }),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::distributions::normal_cdf;

    #[test]
    fn ranks_worked_by_hand() {
        let means = [3.0, 5.0, 1.0];
        let replicates = vec![
            vec![3.0, 5.0, 1.0],
            vec![5.0, 4.0, 1.0],
            vec![3.0, 3.0, 4.0],
            vec![2.0, 6.0, 1.0],
        ];
        let r = rank_intervals(&means, &replicates, 0.9);
        assert_eq!(r.iter().map(|x| x.rank).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!((r[1].first, r[1].first_three), (0.5, 1.0));
        // Unit 1 above unit 0 in two replicates, below in one, level in one.
        assert_eq!(r[1].above_next, Some(0.625));
        assert_eq!(r[2].above_next, None);
        assert_eq!((r[1].low, r[1].high), (1, 2));
        assert_eq!(r[0].expected, (2.0 + 1.0 + 2.0 + 2.0) / 4.0);
    }

    /// Two units of independent years: the chance that the order holds is that of the difference of two normal means.
    #[test]
    fn the_order_of_two_means_follows_the_normal_law() {
        let random = Stream::new(7, 900);
        let years = 400;
        let a: Vec<f32> = (0..years)
            .map(|y| random.uniform(y, 0, 0) as f32 + 0.03)
            .collect();
        let b: Vec<f32> = (0..years).map(|y| random.uniform(y, 1, 0) as f32).collect();
        let moments = |s: &[f32]| {
            let m = s.iter().map(|&v| f64::from(v)).sum::<f64>() / s.len() as f64;
            let square = |v: f64| (v - m) * (v - m);
            let v = s.iter().map(|&v| square(f64::from(v))).sum::<f64>() / s.len() as f64;
            (m, v / s.len() as f64)
        };
        let ((ma, va), (mb, vb)) = (moments(&a), moments(&b));
        let replicates = bootstrap_means(&[&a, &b], 4000, &Stream::new(1, 14));
        let found = rank_intervals(&[ma, mb], &replicates, 0.9);
        let first = usize::from(mb > ma);
        let z = (ma - mb).abs() / (va + vb).sqrt();
        let expected = normal_cdf(z);
        let got = found[first].above_next.unwrap();
        // Sampling error of 4,000 replicates: 0.008; three of them.
        assert!((got - expected).abs() < 0.024, "{got} against {expected}");
    }
}
