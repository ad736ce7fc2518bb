//! Importance sampling of rare events: fewer events, those that matter more often, with weights that undo it.

use super::ep::{Estimate, total};
use crate::random::Stream;

/// Stream of the picks.
const STREAM: u16 = 0x4C06;

/// Events picked with chances other than their rates.
#[derive(Debug, Clone, PartialEq)]
pub struct Picks {
    /// Indices of the picked events, ascending; an event may come several times.
    pub events: Vec<usize>,
    /// Rate that each pick stands for, per year: the sum over picks of weight × f(loss) estimates the sum over events of
    /// rate × f(loss).
    pub weights: Vec<f64>,
}

impl Picks {
    /// Picks `count` events with chances in proportion to rate × score, one in each of as many equal strata of the
    /// cumulative chance. With the mean loss as the score, the estimate of the average annual loss has no error from the
    /// picks where losses are their means; with a score that grows faster, the tail is better known. Events of score or rate
    /// 0 are never picked: their losses must be 0.
    pub fn new(rates: &[f64], scores: &[f64], count: u32, seed: u64) -> Picks {
        assert_eq!(rates.len(), scores.len(), "one score per event");
        let mut cumulative = Vec::with_capacity(rates.len());
        let mut sum = 0.0;
        for (rate, score) in rates.iter().zip(scores) {
            sum += rate * score;
            cumulative.push(sum);
        }
        let draws = Stream::new(seed, STREAM);
        let n = f64::from(count);
        let mut picks = Picks {
            events: Vec::new(),
            weights: Vec::new(),
        };
        if sum <= 0.0 {
            return picks;
        }
        for k in 0..count {
            let u = (f64::from(k) + draws.uniform(0, k, 0)) / n;
            let event = cumulative.partition_point(|&c| c <= u * sum);
            let event = event.min(rates.len() - 1);
            picks.events.push(event);
            picks.weights.push(sum / (n * scores[event]));
        }
        picks
    }

    /// Sum over picks of weight × value, with a standard error as of independent picks (an upper bound for strata).
    pub fn estimate(&self, value: impl Fn(usize) -> f64) -> Estimate {
        let n = self.events.len() as f64;
        let terms: Vec<f64> = (0..self.events.len())
            .map(|k| self.weights[k] * value(k))
            .collect();
        let sum = total(terms.iter().copied());
        let mean = sum / n;
        let squares = total(terms.iter().map(|t| (t - mean) * (t - mean)));
        Estimate {
            value: sum,
            standard_error: (squares * n / (n - 1.0)).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::exponential_quantile;

    /// Reference case 9: unbiased, the weights add up to the rates, and the tail is known better than with plain picks.
    #[test]
    fn weights_undo_the_picks() {
        let draws = Stream::new(9, 1);
        let n = 5_000;
        let rates: Vec<f64> = (0..n).map(|i| 0.002 * draws.uniform(1, i, 0)).collect();
        let losses: Vec<f64> = (0..n)
            .map(|i| {
                let x = exponential_quantile(draws.uniform(2, i, 0), 1.0);
                x * x * x
            })
            .collect();
        let exact_rate = total(rates.iter().copied());
        let exact = total(rates.iter().zip(&losses).map(|(r, l)| r * l));
        let far = 150.0;
        let exact_far: f64 = rates
            .iter()
            .zip(&losses)
            .filter(|(_, l)| **l > far)
            .map(|(r, _)| r)
            .sum();
        let (mut weights, mut means, mut tails, mut plain) = (vec![], vec![], vec![], vec![]);
        for seed in 0..200 {
            let picks = Picks::new(
                &rates,
                &losses.iter().map(|l| 1.0 + l).collect::<Vec<_>>(),
                250,
                seed,
            );
            let loss = |k: usize| losses[picks.events[k]];
            weights.push(picks.estimate(|_| 1.0).value);
            means.push(picks.estimate(loss).value);
            tails.push(picks.estimate(|k| f64::from(u8::from(loss(k) > far))).value);
            let even = Picks::new(&rates, &vec![1.0; n as usize], 250, seed);
            plain.push(
                even.estimate(|k| f64::from(u8::from(losses[even.events[k]] > far)))
                    .value,
            );
        }
        let spread = |x: &[f64]| {
            let m = x.iter().sum::<f64>() / x.len() as f64;
            let v = x.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / (x.len() as f64 - 1.0);
            (m, v.sqrt())
        };
        for (found, exact) in [
            (&weights, exact_rate),
            (&means, exact),
            (&tails, exact_far),
            (&plain, exact_far),
        ] {
            let (mean, sd) = spread(found);
            assert!(
                (mean - exact).abs() < 5.0 * sd / 200.0_f64.sqrt(),
                "{mean} {exact}"
            );
        }
        assert!(spread(&tails).1 < 0.3 * spread(&plain).1);
        // With the loss itself as the score every term is the same: no error at all.
        let picks = Picks::new(&rates, &losses, 40, 1);
        let found = picks.estimate(|k| losses[picks.events[k]]);
        assert!((found.value / exact - 1.0).abs() < 1e-12 && found.standard_error < 1e-12 * exact);
    }
}
