//! Stratified samples (Latin hypercube, 拉丁超立方) with addresses.
//!
//! The samples of one round are as many equal strata of (0, 1), one draw in each, in an order of its own for every item.
//! An item draws four words once per event and round: which of a fixed set of random orders it takes, where in it it
//! starts, and one offset r. Even strata take r, odd ones 1 - r as the place within the stratum, so that errors of the
//! slope cancel between neighbours.
//!
//! - Each sample of an item is uniform, because the start is; each stratum holds one draw, for each item and round.
//! - In any one sample the draws of different items are independent, because their starts and offsets are: sums over items
//!   have their exact distribution in every sample. Samples of one round are not independent of one another: that is what
//!   makes their mean good. Errors are therefore judged between rounds.
//!
//! # References
//! McKay, Beckman and Conover (1979), Technometrics 21, 239, doi:10.2307/1268522.

use crate::random::Stream;

/// Number of different orders of the strata.
const ORDERS: usize = 64;

/// The strata of one round of samples, and the orders in which items may take them.
#[derive(Debug, Clone)]
pub struct Strata {
    samples: usize,
    /// Each order twice in a row, so that any start reads on to its end.
    orders: Vec<u16>,
    inverse: f64,
}

/// One item's draws in one event and round.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    order: &'a [u16],
    offset: [f64; 2],
    inverse: f64,
}

impl Strata {
    /// Strata for rounds of `samples` (2 to 65,535) samples. The orders are the same for every seed.
    ///
    /// # Panics
    /// Other numbers of samples.
    pub fn new(samples: u32) -> Strata {
        assert!((2..=65_535).contains(&samples), "2 to 65,535 samples");
        let samples = samples as usize;
        let draws = Stream::new(0, u16::MAX);
        let mut orders = Vec::with_capacity(2 * ORDERS * samples);
        for order in 0..ORDERS {
            let from = orders.len();
            orders.extend(0..samples as u16);
            for i in (1..samples).rev() {
                let [u, ..] = draws.uniform4(order as u64, i as u32, samples as u32);
                orders.swap(from + i, from + (u * (i + 1) as f64) as usize);
            }
            orders.extend_from_within(from..);
        }
        Strata {
            samples,
            orders,
            inverse: 1.0 / samples as f64,
        }
    }

    /// Samples per round.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The draws at an address; `event` below 2^48.
    #[inline]
    pub fn draw(&self, stream: Stream, event: u64, item: u32, round: u32) -> Draw<'_> {
        let [start, order, high, low] = stream.words(event, item, round);
        // Multiply and shift instead of a remainder: off from uniform by 1 in 2^32 per stratum.
        let start = ((u64::from(start) * self.samples as u64) >> 32) as usize;
        let first = 2 * self.samples * (order as usize % ORDERS) + start;
        let offset = crate::random::open01(high, low);
        Draw {
            order: &self.orders[first..first + self.samples],
            offset: [offset, 1.0 - offset],
            inverse: self.inverse,
        }
    }
}

impl Draw<'_> {
    /// Uniform number in stratum `j`.
    #[inline]
    pub fn uniform(&self, j: usize) -> f64 {
        (j as f64 + self.offset[j & 1]) * self.inverse
    }

    /// Sample that takes stratum `j`.
    #[inline]
    pub fn sample(&self, j: usize) -> usize {
        usize::from(self.order[j])
    }

    /// The sample of each stratum, in the order of the strata.
    #[inline]
    pub fn samples(&self) -> &[u16] {
        self.order
    }

    /// Uniform numbers by sample.
    pub fn by_sample(&self, out: &mut [f64]) {
        for j in 0..self.order.len() {
            out[self.sample(j)] = self.uniform(j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference case 8: one draw per stratum, marginals uniform, independent items within a sample.
    #[test]
    fn one_draw_per_stratum_and_uniform_samples() {
        let samples = 20;
        let strata = Strata::new(samples);
        let stream = Stream::new(5, 1);
        let n = samples as usize;
        let items = 4000_u32;
        // Counts of (stratum of item, stratum of its neighbour) in one sample, and of the stratum in each sample.
        let mut joint = vec![0_u32; n * n];
        let mut own = vec![0_u32; n * n];
        let (mut u, mut v) = (vec![0.0; n], vec![0.0; n]);
        for item in 0..items {
            strata.draw(stream, 3, 2 * item, 0).by_sample(&mut u);
            strata.draw(stream, 3, 2 * item + 1, 0).by_sample(&mut v);
            let mut seen = vec![false; n];
            for s in 0..n {
                let k = (u[s] * n as f64) as usize;
                assert!(!std::mem::replace(&mut seen[k], true) && u[s] > 0.0 && u[s] < 1.0);
                own[s * n + k] += 1;
            }
            joint[(u[7] * n as f64) as usize * n + (v[7] * n as f64) as usize] += 1;
        }
        let chi2 = |counts: &[u32], cells: f64| {
            let expected = f64::from(counts.iter().sum::<u32>()) / cells;
            let sum: f64 = counts
                .iter()
                .map(|&c| (f64::from(c) - expected) * (f64::from(c) - expected) / expected)
                .sum();
            // Wilson-Hilferty: a normal score for chi-square with cells - 1 degrees of freedom.
            let f = cells - 1.0;
            (libm::cbrt(sum / f) - (1.0 - 2.0 / (9.0 * f))) / libm::sqrt(2.0 / (9.0 * f))
        };
        // One of a hundred checks at 1e-6 overall.
        for s in 0..n {
            assert!(chi2(&own[s * n..(s + 1) * n], n as f64) < 5.73);
        }
        assert!(chi2(&joint, (n * n) as f64) < 5.73);
        // Another round is another draw; the same address the same one.
        strata.draw(stream, 3, 0, 1).by_sample(&mut v);
        strata.draw(stream, 3, 0, 0).by_sample(&mut u);
        assert_ne!(u, v);
        strata.draw(stream, 3, 0, 0).by_sample(&mut v);
        assert_eq!(u, v);
    }
}
