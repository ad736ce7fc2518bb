//! How far two gradings of the same units agree: Kendall's τ-b of their order and Cohen's κ of their grades.

/// Kendall's rank correlation τ-b of two series; NaN where one of them has no two different values.
///
/// # References
/// Kendall 1945, doi:10.1093/biomet/33.3.239.
///
/// # Panics
/// Series of different lengths.
pub fn kendall_tau(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "two series of the same units");
    let (mut score, mut pairs_a, mut pairs_b) = (0_i64, 0_u64, 0_u64);
    for i in 0..a.len() {
        for j in 0..i {
            let x = a[i].total_cmp(&a[j]) as i64;
            let y = b[i].total_cmp(&b[j]) as i64;
            score += x * y;
            pairs_a += u64::from(x != 0);
            pairs_b += u64::from(y != 0);
        }
    }
    score as f64 / (pairs_a as f64 * pairs_b as f64).sqrt()
}

/// Cohen's κ with linear weights of two gradings, classes from 1 to `classes`: 1 full agreement, 0 that of chance. Units
/// that either does not grade (0) take no part; NaN where chance alone agrees fully.
///
/// # References
/// Cohen 1968, doi:10.1037/h0026256.
///
/// # Panics
/// Gradings of different lengths, or a class beyond `classes`.
pub fn weighted_kappa(a: &[u8], b: &[u8], classes: usize) -> f64 {
    assert_eq!(a.len(), b.len(), "two gradings of the same units");
    let mut table = vec![vec![0.0_f64; classes]; classes];
    let mut n = 0.0;
    for (&x, &y) in a.iter().zip(b).filter(|(x, y)| **x > 0 && **y > 0) {
        table[x as usize - 1][y as usize - 1] += 1.0;
        n += 1.0;
    }
    let row: Vec<f64> = table.iter().map(|r| r.iter().sum()).collect();
    let column: Vec<f64> = (0..classes)
        .map(|j| table.iter().map(|r| r[j]).sum())
        .collect();
    let (mut seen, mut chance) = (0.0, 0.0);
    for i in 0..classes {
        for j in 0..classes {
            let apart = i.abs_diff(j) as f64;
            seen += apart * table[i][j];
            chance += apart * row[i] * column[j] / n;
        }
    }
    1.0 - seen / chance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy.stats.kendalltau (variant b), to the digits printed.
    #[test]
    fn tau_equals_scipy() {
        let a = [12.0, 2.0, 1.0, 12.0, 2.0];
        let b = [1.0, 4.0, 7.0, 1.0, 0.0];
        assert!((kendall_tau(&a, &b) + 0.471_404_520_791_031_7).abs() < 1e-12);
        assert_eq!(kendall_tau(&[1.0, 2.0, 3.0], &[2.0, 5.0, 9.0]), 1.0);
        assert!(kendall_tau(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
    }

    #[test]
    fn kappa_worked_by_hand() {
        // Table [[2, 1], [0, 1]]: seen apart 1 of 4; by chance (3 x 2 + 1 x 2)/4/4 = 0.5; κ = 1 - 0.25/0.5.
        assert_eq!(weighted_kappa(&[1, 1, 1, 2], &[1, 1, 2, 2], 2), 0.5);
        assert_eq!(weighted_kappa(&[1, 2, 3, 0], &[1, 2, 3, 3], 3), 1.0);
    }
}
