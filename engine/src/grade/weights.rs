//! Weights of indicators: entropy (熵权法), the analytic hierarchy process (层次分析法), and the weighted sum.

use crate::error::{Error, Fault, Result};
use serde::{Deserialize, Serialize};

/// Sum of 1 − entropy below which differences are rounding.
const LEAST_INFORMATION: f64 = 1e-12;

/// Entropies and the weights that follow from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entropy {
    /// Information entropy of each indicator, 0..=1; 1 where a column carries no information.
    pub entropy: Vec<f64>,
    /// Weights, adding up to 1.
    pub weights: Vec<f64>,
}

/// Entropy weights (熵权) of indicators, each a column of normalised values ≥ 0 over the same rows.
///
/// - Rows with a NaN take no part.
/// - A column that adds up to 0 gets weight 0.
/// - Where no column carries information (constant columns, or one row, for which entropy is undefined), all weigh the same.
///
/// # Panics
/// Columns of different lengths.
pub fn entropy(columns: &[Vec<f64>]) -> Entropy {
    let rows = columns.first().map_or(0, Vec::len);
    assert!(
        columns.iter().all(|c| c.len() == rows),
        "indicators of one table have the same rows"
    );
    let valid: Vec<usize> = (0..rows)
        .filter(|&i| columns.iter().all(|c| !c[i].is_nan()))
        .collect();
    let scale = 1.0 / libm::log(valid.len() as f64);
    let entropy: Vec<f64> = columns
        .iter()
        .map(|column| {
            let sum: f64 = valid.iter().map(|&i| column[i]).sum();
            if sum <= 0.0 || valid.len() < 2 {
                return 1.0;
            }
            let entropy: f64 = valid
                .iter()
                .map(|&i| column[i] / sum)
                .filter(|p| *p > 0.0)
                .map(|p| -p * libm::log(p))
                .sum();
            // Rounding may lift a column of equal values above 1.
            (entropy * scale).min(1.0)
        })
        .collect();
    let total: f64 = entropy.iter().map(|e| 1.0 - e).sum();
    let weights = if total > LEAST_INFORMATION {
        entropy.iter().map(|e| (1.0 - e) / total).collect()
    } else {
        vec![1.0 / columns.len() as f64; columns.len()]
    };
    Entropy { entropy, weights }
}

/// The entropy weights alone, as [`entropy`] finds them.
///
/// # Panics
/// Columns of different lengths.
pub fn entropy_weights(columns: &[Vec<f64>]) -> Vec<f64> {
    entropy(columns).weights
}

/// Weights by the analytic hierarchy process (AHP, 层次分析法).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ahp {
    /// Weights, adding up to 1.
    pub weights: Vec<f64>,
    /// Greatest eigenvalue.
    pub lambda: f64,
    /// Consistency index (λ − n)/(n − 1).
    pub consistency_index: f64,
    /// Consistency ratio; judgements with more than 0.1 should be revised.
    pub consistency_ratio: f64,
}

/// Random consistency index for n = 1..=10 (Saaty 1980, table of 500 random matrices).
const RANDOM_INDEX: [f64; 10] = [0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49];

/// Principal eigenvector of a matrix of pairwise judgements by power iteration.
///
/// # Errors
/// The matrix is not square, not reciprocal or larger than 10 x 10.
pub fn ahp(matrix: &[Vec<f64>]) -> Result<Ahp> {
    let n = matrix.len();
    let square = (1..=10).contains(&n) && matrix.iter().all(|row| row.len() == n);
    let reciprocal = square
        && (0..n).all(|i| {
            (0..n).all(|j| matrix[i][j] > 0.0 && (matrix[i][j] * matrix[j][i] - 1.0).abs() < 1e-6)
        });
    if !reciprocal {
        return Err(Error::input(Fault::new(
            "AHP matrix",
            format!("{matrix:?}"),
            "a reciprocal square matrix of 1 to 10 indicators: a_ji = 1/a_ij > 0",
            "correct the judgements",
        )));
    }
    let mut weights = vec![1.0 / n as f64; n];
    let mut lambda = n as f64;
    for _ in 0..1000 {
        let product: Vec<f64> = matrix
            .iter()
            .map(|row| row.iter().zip(&weights).map(|(a, w)| a * w).sum())
            .collect();
        lambda = product.iter().sum();
        let next: Vec<f64> = product.iter().map(|p| p / lambda).collect();
        let change: f64 = next.iter().zip(&weights).map(|(a, b)| (a - b).abs()).sum();
        weights = next;
        if change < 1e-16 {
            break;
        }
    }
    let consistency_index = if n > 1 {
        (lambda - n as f64) / (n as f64 - 1.0)
    } else {
        0.0
    };
    let random = RANDOM_INDEX[n - 1];
    Ok(Ahp {
        weights,
        lambda,
        consistency_index,
        consistency_ratio: if random > 0.0 {
            consistency_index / random
        } else {
            0.0
        },
    })
}

/// Weighted sum of columns, row by row; NaN where any is.
pub fn weighted_sum(columns: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let rows = columns.first().map_or(0, Vec::len);
    (0..rows)
        .map(|i| columns.iter().zip(weights).map(|(c, w)| c[i] * w).sum())
        .collect()
}
