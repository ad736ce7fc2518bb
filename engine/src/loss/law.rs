//! The distribution of a damage ratio at one intensity, as its quantile function.

use crate::distributions::{beta_cdf, beta_quantile, lognormal_quantile, normal_cdf};

/// Interior knots of a tabulated distribution, and halvings of the tail probability beyond them, with knots per halving.
const INTERIOR: u32 = 64;
const HALVINGS: u32 = 26;
const PER_HALVING: u32 = 4;
/// Equal parts of (0, 1) from which a look-up starts.
const PARTS: usize = 64;

/// A distribution on the damage ratios (0..=1; above 1 only where the user's law has such a tail): its quantile function,
/// linear between knots. Point masses are level pieces, gaps are steps.
///
/// What is not piecewise uniform by itself (beta, lognormal) is tabulated: knots narrow towards both tails down to a
/// probability of 2^-32, and the ratios are scaled so that the mean is exact. Sampled moments are those of the table:
/// [`Law::mean`] and [`Law::second`] are computed from it. The standard deviation of a tabulated law is within 1e-3 of
/// that of the family (tested).
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    knots: Vec<(f64, f64)>,
    /// Pieces with a width, ascending: upper end, value at probability 0, slope.
    pieces: Vec<Piece>,
    start: Vec<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    end: f64,
    base: f64,
    slope: f64,
}

impl Law {
    /// One ratio for sure.
    pub fn certain(ratio: f64) -> Law {
        Law::from_knots(vec![(0.0, ratio), (1.0, ratio)])
    }

    /// From (cumulative probability, ratio), both never falling, from probability 0 to 1.
    ///
    /// # Panics
    /// Knots that do not go from 0 to 1.
    pub(crate) fn from_knots(knots: Vec<(f64, f64)>) -> Law {
        assert!(
            knots.first().is_some_and(|k| k.0 == 0.0) && knots.last().is_some_and(|k| k.0 == 1.0),
            "cumulative probabilities from 0 to 1"
        );
        let mut pieces: Vec<Piece> = knots
            .windows(2)
            .filter(|w| w[1].0 > w[0].0)
            .map(|w| {
                let slope = (w[1].1 - w[0].1) / (w[1].0 - w[0].0);
                Piece {
                    end: w[1].0,
                    base: w[0].1 - slope * w[0].0,
                    slope,
                }
            })
            .collect();
        if let Some(last) = pieces.last_mut() {
            last.end = f64::INFINITY;
        }
        let mut law = Law {
            knots,
            pieces,
            start: Vec::new(),
        };
        law.start = law.starts(PARTS);
        law
    }

    /// Piece in which each of `parts` equal parts of (0, 1) starts.
    pub(crate) fn starts(&self, parts: usize) -> Vec<u16> {
        (0..parts)
            .map(|j| {
                let u = j as f64 / parts as f64;
                self.pieces.partition_point(|p| p.end <= u) as u16
            })
            .collect()
    }

    /// Bins of damage: (from, to, probability), uniform inside; bins with equal ends are point masses. Bins that overlap
    /// are not sorted out: the order is that of the list, as peers take it. Probabilities are scaled to add up to one.
    pub fn bins(bins: &[(f64, f64, f64)]) -> Law {
        let total: f64 = bins.iter().map(|b| b.2).sum();
        let mut knots = Vec::with_capacity(2 * bins.len() + 1);
        let mut sum = 0.0;
        for &(from, to, probability) in bins {
            if probability > 0.0 {
                knots.push((sum / total, from));
                sum += probability;
                knots.push((sum / total, to));
            }
        }
        if let Some(first) = knots.first_mut() {
            first.0 = 0.0;
        }
        if let Some(last) = knots.last_mut() {
            last.0 = 1.0;
        }
        Law::from_knots(knots)
    }

    /// Beta with a mean and a standard deviation; total loss with chance `mean` and none otherwise where the standard
    /// deviation is as great as that or greater; one value without a spread.
    pub fn beta(mean: f64, sd: f64) -> Law {
        if !(mean > 0.0 && mean < 1.0) || sd <= 0.0 {
            return Law::certain(mean);
        }
        let sum = mean * (1.0 - mean) / (sd * sd) - 1.0;
        // Shapes below 1e-3 hold all but a thousandth of their mass at 0 and 1: the limit says the same.
        if sum * mean.min(1.0 - mean) < 1e-3 {
            return Law::bins(&[(0.0, 0.0, 1.0 - mean), (1.0, 1.0, mean)]);
        }
        let (a, b) = (mean * sum, (1.0 - mean) * sum);
        // Of a piece of the quantile function the mean over it is known, too: E[X; X < x] is the mean times the
        // distribution function of the beta with one more in its first shape.
        Law::tabulated(
            mean,
            |u| beta_quantile(u, a, b),
            |x| mean * beta_cdf(x, a + 1.0, b),
        )
    }

    /// Lognormal with a mean and a standard deviation; ratios above 1 are kept, as OpenQuake keeps them.
    pub fn lognormal(mean: f64, sd: f64) -> Law {
        if mean <= 0.0 || sd <= 0.0 {
            return Law::certain(mean);
        }
        let variance = libm::log1p(sd * sd / (mean * mean));
        let sigma = variance.sqrt();
        let median = mean * libm::exp(-0.5 * variance);
        Law::tabulated(
            mean,
            |u| lognormal_quantile(u, median, sigma),
            |x| mean * normal_cdf(libm::log(x / median) / sigma - sigma),
        )
    }

    /// Tabulates a quantile function with a known mean and partial mean E[X; X < x].
    ///
    /// Each piece is a uniform distribution with the mean that the law has over it, between its quantiles.
    fn tabulated(mean: f64, quantile: impl Fn(f64) -> f64, partial: impl Fn(f64) -> f64) -> Law {
        let mut edges: Vec<f64> = vec![0.0];
        let tail = 1.0 / f64::from(INTERIOR);
        for k in (1..=HALVINGS * PER_HALVING).rev() {
            edges.push(tail * libm::exp2(-f64::from(k) / f64::from(PER_HALVING)));
        }
        edges.extend((1..INTERIOR).map(|k| f64::from(k) * tail));
        for k in 1..=HALVINGS * PER_HALVING {
            edges.push(1.0 - tail * libm::exp2(-f64::from(k) / f64::from(PER_HALVING)));
        }
        edges.push(1.0);
        let mut at: Vec<f64> = edges
            .iter()
            .map(|&u| {
                if u < 1.0 {
                    quantile(u)
                } else {
                    quantile(1.0 - f64::EPSILON / 2.0)
                }
            })
            .collect();
        // Where the spread is next to nothing, rounding may put a quantile below the one before it.
        let mut reached = f64::NEG_INFINITY;
        for x in &mut at {
            reached = reached.max(*x);
            *x = reached;
        }
        let share: Vec<f64> = edges
            .iter()
            .zip(&at)
            .map(|(&u, &x)| match u {
                0.0 => 0.0,
                1.0 => mean,
                _ => partial(x),
            })
            .collect();
        let mut knots = Vec::with_capacity(2 * edges.len());
        for k in 0..edges.len() - 1 {
            let width = edges[k + 1] - edges[k];
            let own = ((share[k + 1] - share[k]) / width).clamp(at[k], at[k + 1]);
            // As wide as the quantiles allow on both sides of the mean.
            let half = (own - at[k]).min(at[k + 1] - own).max(0.0);
            knots.push((edges[k], own - half));
            knots.push((edges[k + 1], own + half));
        }
        let found = moment(&knots, |a, b| 0.5 * (a + b));
        let scale = if found > 0.0 { mean / found } else { 1.0 };
        for knot in &mut knots {
            knot.1 *= scale;
        }
        Law::from_knots(knots)
    }

    /// Mean.
    pub fn mean(&self) -> f64 {
        moment(&self.knots, |a, b| 0.5 * (a + b))
    }

    /// Mean of the square.
    pub fn second(&self) -> f64 {
        moment(&self.knots, |a, b| (a * a + a * b + b * b) / 3.0)
    }

    /// Mean of the product of the quantiles of two laws at one probability.
    pub fn cross(&self, other: &Law) -> f64 {
        let mut cuts: Vec<f64> = self.knots.iter().chain(&other.knots).map(|k| k.0).collect();
        cuts.sort_unstable_by(f64::total_cmp);
        cuts.dedup();
        let line = |law: &Law, from: f64, to: f64| {
            let middle = 0.5 * (from + to);
            let piece = law.pieces[law.pieces.partition_point(|p| p.end <= middle)];
            (
                piece.base + piece.slope * from,
                piece.base + piece.slope * to,
            )
        };
        cuts.windows(2)
            .map(|w| {
                let ((a, b), (c, d)) = (line(self, w[0], w[1]), line(other, w[0], w[1]));
                (w[1] - w[0]) * (2.0 * (a * c + b * d) + a * d + b * c) / 6.0
            })
            .sum()
    }

    /// The ratio, where there is only one.
    pub fn only(&self) -> Option<f64> {
        let first = self.knots[0].1;
        self.knots
            .iter()
            .all(|k| k.1 == first || first.is_nan())
            .then_some(first)
    }

    /// Ratio at a probability in (0, 1); NaN for NaN.
    #[inline]
    pub fn quantile(&self, u: f64) -> f64 {
        let mut i = usize::from(self.start[((u * PARTS as f64) as usize).min(PARTS - 1)]);
        // Also ends for NaN: nothing is below it.
        while self.pieces[i].end < u {
            i += 1;
        }
        self.pieces[i].base + self.pieces[i].slope * u
    }

    /// Ratios at ascending probabilities, `u(j)` in stratum j of `out.len()` equal ones; `starts` as [`Law::starts`]
    /// gives them for as many.
    #[inline]
    pub(crate) fn quantiles(&self, starts: &[u16], u: impl Fn(usize) -> f64, out: &mut [f64]) {
        let mut reached = 0;
        for (j, (out, &start)) in out.iter_mut().zip(starts).enumerate() {
            let u = u(j);
            reached = reached.max(usize::from(start));
            while self.pieces[reached].end < u {
                reached += 1;
            }
            let piece = &self.pieces[reached];
            *out = piece.base + piece.slope * u;
        }
    }
}

/// Sum over the pieces of width times a function of their ends.
fn moment(knots: &[(f64, f64)], of: impl Fn(f64, f64) -> f64) -> f64 {
    knots
        .windows(2)
        .map(|w| (w[1].0 - w[0].0) * of(w[0].1, w[1].1))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::beta_cdf;

    fn sd(law: &Law) -> f64 {
        (law.second() - law.mean() * law.mean()).sqrt()
    }

    /// The documented bounds of the tables.
    #[test]
    fn tables_keep_mean_and_spread() {
        for mean in [0.001, 0.05, 0.3, 0.5, 0.9] {
            for cv in [0.05, 0.3, 1.0, 3.0] {
                let law = Law::beta(mean, cv * mean);
                assert!((law.mean() / mean - 1.0).abs() < 1e-12, "{mean} {cv}");
                let exact = (cv * mean).min((mean * (1.0 - mean)).sqrt());
                assert!(
                    (sd(&law) / exact - 1.0).abs() < 1e-3,
                    "{mean} {cv}: {} {exact}",
                    sd(&law)
                );
                let law = Law::lognormal(mean, cv * mean);
                assert!((law.mean() / mean - 1.0).abs() < 1e-12);
                // Of a lognormal of cv 3 a part of the second moment lies beyond the last knot.
                let slack = if cv > 1.0 { 1e-2 } else { 1e-3 };
                assert!(
                    (sd(&law) / (cv * mean) - 1.0).abs() < slack,
                    "{mean} {cv}: {}",
                    sd(&law)
                );
            }
        }
    }

    /// A spread next to nothing, as the ends of published curves have it.
    #[test]
    fn hardly_any_spread() {
        for mean in [1e-8, 0.3, 0.99999] {
            for law in [
                Law::beta(mean, 1e-8 * mean),
                Law::lognormal(mean, 1e-8 * mean),
            ] {
                assert!((law.mean() / mean - 1.0).abs() < 1e-12);
                assert!((law.quantile(0.99) / mean - 1.0).abs() < 1e-6);
            }
        }
    }

    /// The table's distribution function stays near that of the beta: within the width of a piece.
    #[test]
    fn tables_are_near_the_family() {
        let (mean, cv) = (0.3, 0.6);
        let sum = mean * (1.0 - mean) / (cv * cv * mean * mean) - 1.0;
        let law = Law::beta(mean, cv * mean);
        let mut before = 0.0;
        for i in 1..2000 {
            let u = f64::from(i) / 2000.0;
            let x = law.quantile(u);
            assert!(x >= before);
            before = x;
            assert!((beta_cdf(x, mean * sum, (1.0 - mean) * sum) - u).abs() < 1.0 / 128.0);
        }
    }

    /// Reference cases 1 and 2: a uniform bin, and point masses at both ends.
    #[test]
    fn bins_and_point_masses() {
        let law = Law::bins(&[(0.2, 0.6, 1.0)]);
        assert!(
            (law.mean() - 0.4).abs() < 1e-15 && (sd(&law) * sd(&law) - 0.16 / 12.0).abs() < 1e-15
        );
        let law = Law::bins(&[(0.0, 0.0, 0.7), (1.0, 1.0, 0.3)]);
        assert!((law.mean() - 0.3).abs() < 1e-15 && (sd(&law) * sd(&law) - 0.21).abs() < 1e-15);
        assert_eq!((law.quantile(0.699), law.quantile(0.701)), (0.0, 1.0));
        assert_eq!(Law::beta(0.3, 9.0).quantile(0.701), 1.0);
        assert_eq!(Law::certain(0.4).only(), Some(0.4));
        assert_eq!(law.only(), None);
        assert!(law.quantile(f64::NAN).is_nan());
        // Mean of the product with itself is the second moment.
        let beta = Law::beta(0.3, 0.1);
        assert!((beta.cross(&beta) - beta.second()).abs() < 1e-15);
        assert!((beta.cross(&Law::certain(0.5)) - 0.5 * 0.3).abs() < 1e-14);
    }

    #[test]
    fn strata_find_the_same_quantiles() {
        let law = Law::bins(&[
            (0.0, 0.0, 0.15),
            (0.0, 0.3, 0.33),
            (0.3, 0.9, 0.5),
            (1.0, 1.0, 0.02),
        ]);
        for n in [2_usize, 7, 100] {
            let u = |j: usize| (j as f64 + [0.3, 0.7][j & 1]) / n as f64;
            let mut out = vec![0.0; n];
            law.quantiles(&law.starts(n), u, &mut out);
            for j in 0..n {
                assert_eq!(out[j], law.quantile(u(j)), "{n} {j}");
            }
        }
    }
}
