//! Reserves at a stated confidence: the quantile of the greatest demand of a year, with its interval.

use anlan_engine::distributions::order_statistic_interval;
use anlan_engine::{Error, Fault, Result};

/// A reserve with the interval of its sampling error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reserve {
    /// Quantile of the yearly greatest demand.
    pub quantity: f64,
    /// Lower end of the 95 % interval by order statistics.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The reserve that covers the greatest event of a year with probability `confidence`, from one value per simulated year.
///
/// The quantile is the order statistic of rank ⌈confidence × n⌉; its interval is distribution-free (ranks from the
/// binomial distribution).
///
/// # Errors
/// A confidence that the number of years cannot carry: above 1 − 10/n, or not within 0..1.
pub fn reserve(yearly_greatest: &mut [f64], confidence: f64) -> Result<Reserve> {
    let n = yearly_greatest.len();
    if !(confidence > 0.0 && confidence <= 1.0 - 10.0 / n as f64) {
        return Err(Error::input(
            Fault::new(
                "project file",
                format!("{confidence} with {n} years"),
                format!("a confidence above 0 and up to 1 - 10/{n}"),
                "lower the confidence or simulate more years",
            )
            .at("[relief] confidence"),
        ));
    }
    yearly_greatest.sort_unstable_by(f64::total_cmp);
    let rank = ((confidence * n as f64).ceil() as usize).clamp(1, n);
    let (low, high) = order_statistic_interval(n as u32, confidence, 0.95);
    let at = |rank: usize| yearly_greatest[rank.clamp(1, n) - 1];
    Ok(Reserve {
        quantity: at(rank),
        low: at(low as usize),
        high: at(high as usize),
    })
}

/// What pooling saves: the sum of the units' reserves less the reserve of their common demand.
pub fn pooling_gain(units: &[Reserve], pooled: &Reserve) -> f64 {
    units.iter().map(|r| r.quantity).sum::<f64>() - pooled.quantity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_an_order_statistic() {
        let mut years: Vec<f64> = (1..=1000).rev().map(f64::from).collect();
        let r = reserve(&mut years, 0.95).unwrap();
        assert_eq!(r.quantity, 950.0);
        // Binomial(1000, 0.95): sd 6.89, so 1.96 sd is 13.5 ranks on either side.
        assert!(
            (934.0..=938.0).contains(&r.low) && (962.0..=966.0).contains(&r.high),
            "{r:?}"
        );
        assert!(reserve(&mut years, 0.995).unwrap_err().is_input());
    }

    #[test]
    fn demands_that_never_meet_pool_best() {
        // Two units, each struck in other years: together they need no more than one alone.
        let mut a: Vec<f64> = (0..1000)
            .map(|y| if y % 2 == 0 { 100.0 } else { 0.0 })
            .collect();
        let mut b: Vec<f64> = (0..1000)
            .map(|y| if y % 2 == 1 { 100.0 } else { 0.0 })
            .collect();
        let mut both: Vec<f64> = a.iter().zip(&b).map(|(x, y)| x + y).collect();
        let units = [reserve(&mut a, 0.9).unwrap(), reserve(&mut b, 0.9).unwrap()];
        let pooled = reserve(&mut both, 0.9).unwrap();
        assert_eq!(pooling_gain(&units, &pooled), 100.0);
    }
}
