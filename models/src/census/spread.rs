//! Dasymetric disaggregation (分区密度制图): unit totals spread over cells by weights, totals kept exactly.

/// Splits a whole number by weights so that the parts add up to it: floors first, then one more to the greatest
/// remainders, ties to the earlier part. Weights are 0 or more; where all are 0, every part counts the same.
///
/// # Panics
/// No weights at all for a number above 0.
pub fn largest_remainder(total: u64, weights: &[f64]) -> Vec<u64> {
    if total == 0 || weights.is_empty() {
        assert!(total == 0, "{total} to be split over no parts");
        return vec![0; weights.len()];
    }
    let sum: f64 = weights.iter().sum();
    let share = |w: f64| {
        if sum > 0.0 {
            w / sum
        } else {
            1.0 / weights.len() as f64
        }
    };
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(f64, u32)> = Vec::with_capacity(weights.len());
    let mut given = 0;
    for (i, &w) in weights.iter().enumerate() {
        let exact = total as f64 * share(w);
        let floor = (exact.floor() as u64).min(total - given);
        given += floor;
        parts.push(floor);
        remainders.push((exact - floor as f64, i as u32));
    }
    let missing = (total - given) as usize;
    // Only the first `missing` are wanted; the order is total, so the choice is unique.
    let by_remainder = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if missing > 0 && missing < remainders.len() {
        remainders.select_nth_unstable_by(missing - 1, by_remainder);
    }
    for k in 0..missing {
        parts[remainders[k % remainders.len()].1 as usize] += 1;
    }
    parts
}

/// Splits a real number by weights; the rounding residual goes to the greatest part, so that the parts, added in
/// order, give the total to 1 ulp.
pub fn proportional(total: f64, weights: &[f64]) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    if weights.is_empty() {
        return Vec::new();
    }
    let mut parts: Vec<f64> = if sum > 0.0 {
        weights.iter().map(|w| total * (w / sum)).collect()
    } else {
        vec![total / weights.len() as f64; weights.len()]
    };
    let greatest = (0..parts.len())
        .max_by(|&a, &b| parts[a].total_cmp(&parts[b]).then(b.cmp(&a)))
        .unwrap_or(0);
    // One correction leaves at most the rounding of the last addition; a second one removes what the first shifted.
    for _ in 0..3 {
        let residual = total - parts.iter().sum::<f64>();
        if residual == 0.0 {
            break;
        }
        parts[greatest] += residual;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seats_of_a_small_parliament() {
        // Hamilton's method, worked by hand: quotas 3.5, 3.5, 2.0 and 1.0 of 10.
        assert_eq!(largest_remainder(10, &[7.0, 7.0, 4.0, 2.0]), [4, 3, 2, 1]);
        assert_eq!(largest_remainder(2, &[0.0, 0.0, 0.0]), [1, 1, 0]);
        assert_eq!(largest_remainder(0, &[]), [0; 0]);
    }

    proptest! {
        #[test]
        fn totals_are_kept(total in 0u64..10_000_000, weights in prop::collection::vec(0.0..5.0f64, 1..300)) {
            let parts = largest_remainder(total, &weights);
            prop_assert_eq!(parts.iter().sum::<u64>(), total);
            let sum: f64 = weights.iter().sum();
            if sum > 0.0 {
                for (p, w) in parts.iter().zip(&weights) {
                    prop_assert!((*p as f64 - total as f64 * w / sum).abs() < 1.0 + 1e-6);
                }
            }
        }

        #[test]
        fn reals_add_up_to_one_ulp(total in 0.0..1e13f64, weights in prop::collection::vec(0.0..5.0f64, 1..300)) {
            let sum: f64 = proportional(total, &weights).iter().sum();
            let ulp = total.max(f64::MIN_POSITIVE).next_up() - total;
            prop_assert!((sum - total).abs() <= ulp, "{} against {}", sum, total);
        }
    }
}
