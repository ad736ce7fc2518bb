//! Grading: normalisation, weights, combination and classification, as census practice uses them.
//!
//! Operators are code; thresholds, names and colours are data of a rule pack. Missing values (NaN) take no part and get
//! class 0. Class 1 is the highest (高), as Chinese census convention has it.
//!
//! # References
//! The operators follow the production code of the first national census as documented for this project (min-max, entropy
//! weights, mean ± kσ, percentiles with linear interpolation, Jenks). AHP: Saaty 1980. Natural breaks: Fisher 1958,
//! doi:10.1080/01621459.1958.10501479.

use crate::error::{Error, Fault, Result};
use serde::{Deserialize, Serialize};

/// How an indicator is brought to a common scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// (x − min)/(max − min); 0 everywhere where max = min.
    MinMax,
    /// (max − x)/(max − min) for indicators of which more is better; 0 everywhere where max = min.
    MinMaxNegative,
    /// 0.5 + 0.5 (x − min)/(max − min); 0.5 everywhere where max = min. Products of such factors never vanish.
    Half,
    /// (x − mean)/σ with the population σ; 0 everywhere where σ = 0.
    ZScore,
    /// As it is.
    None,
}

/// Brings values to a common scale; NaN stays NaN.
pub fn normalise(values: &[f64], method: Normalisation) -> Vec<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &v in values.iter().filter(|v| !v.is_nan()) {
        low = low.min(v);
        high = high.max(v);
    }
    let span = high - low;
    let (mean, sigma) = mean_sigma(values);
    let scaled = |v: f64| if span > 0.0 { (v - low) / span } else { 0.0 };
    values
        .iter()
        .map(|&v| match method {
            _ if v.is_nan() => f64::NAN,
            Normalisation::MinMax => scaled(v),
            Normalisation::MinMaxNegative => {
                if span > 0.0 {
                    (high - v) / span
                } else {
                    0.0
                }
            }
            Normalisation::Half => 0.5 + 0.5 * scaled(v),
            Normalisation::ZScore => {
                if sigma > 0.0 {
                    (v - mean) / sigma
                } else {
                    0.0
                }
            }
            Normalisation::None => v,
        })
        .collect()
}

/// Mean and population standard deviation of the values that are not NaN.
pub fn mean_sigma(values: &[f64]) -> (f64, f64) {
    let (mut n, mut sum) = (0.0, 0.0);
    for &v in values.iter().filter(|v| !v.is_nan()) {
        n += 1.0;
        sum += v;
    }
    let mean = sum / n;
    let square: f64 = values
        .iter()
        .filter(|v| !v.is_nan())
        .map(|v| (v - mean) * (v - mean))
        .sum();
    (mean, (square / n).sqrt())
}

/// Entropy weights (熵权) of indicators, each a column of normalised values ≥ 0 over the same rows.
///
/// Rows with a NaN take no part; a column that adds up to 0 gets weight 0; where no column carries information, all
/// weigh the same.
///
/// # Panics
/// Columns of different lengths.
pub fn entropy_weights(columns: &[Vec<f64>]) -> Vec<f64> {
    let rows = columns.first().map_or(0, Vec::len);
    assert!(
        columns.iter().all(|c| c.len() == rows),
        "indicators of one table have the same rows"
    );
    let valid: Vec<usize> = (0..rows)
        .filter(|&i| columns.iter().all(|c| !c[i].is_nan()))
        .collect();
    let scale = 1.0 / libm::log(valid.len() as f64);
    let spread: Vec<f64> = columns
        .iter()
        .map(|column| {
            let sum: f64 = valid.iter().map(|&i| column[i]).sum();
            if sum <= 0.0 || valid.len() < 2 {
                return 0.0;
            }
            let entropy: f64 = valid
                .iter()
                .map(|&i| column[i] / sum)
                .filter(|p| *p > 0.0)
                .map(|p| -p * libm::log(p))
                .sum();
            1.0 - entropy * scale
        })
        .collect();
    let total: f64 = spread.iter().sum();
    if total > 0.0 {
        spread.iter().map(|s| s / total).collect()
    } else {
        vec![1.0 / columns.len() as f64; columns.len()]
    }
}

/// Weights by the analytic hierarchy process (AHP, 层次分析法).
#[derive(Debug, Clone, PartialEq)]
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

/// How values become classes. Bounds belong to the class above them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Grading {
    /// Percentiles from which the classes but the lowest begin, highest first, e.g. `[90, 70, 30]`.
    Percentile {
        /// Descending percentiles, 0..=100.
        from: Vec<f64>,
    },
    /// Mean plus these multiples of the population standard deviation, highest first, e.g. `[1, 0, -1]`.
    MeanSigma {
        /// Descending multiples.
        k: Vec<f64>,
    },
    /// These multiples of the mean, highest first, e.g. `[2.5, 1.5, 1]`.
    MeanMultiple {
        /// Descending multiples.
        k: Vec<f64>,
    },
    /// Natural breaks (Jenks) into so many classes.
    NaturalBreaks {
        /// Number of classes, 2 or more.
        classes: usize,
    },
    /// Fixed values from which the classes but the lowest begin, highest first.
    Fixed {
        /// Descending thresholds.
        from: Vec<f64>,
    },
}

impl Grading {
    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Grading::Percentile { from } | Grading::Fixed { from } => from.len() + 1,
            Grading::MeanSigma { k } | Grading::MeanMultiple { k } => k.len() + 1,
            Grading::NaturalBreaks { classes } => *classes,
        }
    }

    /// Values from which the classes but the lowest begin, highest first.
    pub fn thresholds(&self, values: &[f64]) -> Vec<f64> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        if sorted.is_empty() {
            return vec![f64::NAN; self.classes() - 1];
        }
        match self {
            Grading::Percentile { from } => from.iter().map(|p| percentile(&sorted, *p)).collect(),
            Grading::MeanSigma { k } => {
                let (mean, sigma) = mean_sigma(&sorted);
                k.iter().map(|k| mean + k * sigma).collect()
            }
            Grading::MeanMultiple { k } => {
                let (mean, _) = mean_sigma(&sorted);
                k.iter().map(|k| mean * k).collect()
            }
            Grading::Fixed { from } => from.clone(),
            Grading::NaturalBreaks { classes } => natural_thresholds(&sorted, *classes),
        }
    }

    /// Class of each value: 1 the highest, 0 for NaN.
    pub fn grade(&self, values: &[f64]) -> Vec<u8> {
        let thresholds = self.thresholds(values);
        values.iter().map(|&v| class_of(v, &thresholds)).collect()
    }
}

/// Class of one value by thresholds, highest first: 1 the highest, 0 for NaN.
pub fn class_of(value: f64, thresholds: &[f64]) -> u8 {
    if value.is_nan() {
        return 0;
    }
    thresholds
        .iter()
        .position(|t| value >= *t)
        .map_or(thresholds.len() as u8 + 1, |i| i as u8 + 1)
}

/// Percentile with linear interpolation of ascending values, p in 0..=100.
pub fn percentile(sorted: &[f64], p: f64) -> f64 {
    let at = p / 100.0 * (sorted.len() - 1) as f64;
    let i = at.floor() as usize;
    let next = (i + 1).min(sorted.len() - 1);
    sorted[i] + (sorted[next] - sorted[i]) * (at - i as f64)
}

/// Most values for which breaks are exact; more are represented by equally spaced order statistics.
const EXACT_BREAKS: usize = 2048;

fn natural_thresholds(sorted: &[f64], classes: usize) -> Vec<f64> {
    let sample: Vec<f64> = if sorted.len() <= EXACT_BREAKS {
        sorted.to_vec()
    } else {
        (0..EXACT_BREAKS)
            .map(|i| sorted[i * (sorted.len() - 1) / (EXACT_BREAKS - 1)])
            .collect()
    };
    let breaks = natural_breaks(&sample, classes);
    // A class begins above the upper end of the class below it.
    breaks[1..breaks.len() - 1]
        .iter()
        .rev()
        .map(|b| b.next_up())
        .collect()
}

/// Natural breaks of ascending values: the least value, then the greatest value of each class, lowest first (Fisher's
/// exact partition of least squares). Fewer different values than classes repeat the last break.
pub fn natural_breaks(sorted: &[f64], classes: usize) -> Vec<f64> {
    let n = sorted.len();
    let mut prefix = vec![(0.0, 0.0); n + 1];
    for (i, v) in sorted.iter().enumerate() {
        prefix[i + 1] = (prefix[i].0 + v, prefix[i].1 + v * v);
    }
    let cost = |from: usize, to: usize| {
        let m = (to - from) as f64;
        let sum = prefix[to].0 - prefix[from].0;
        (prefix[to].1 - prefix[from].1) - sum * sum / m
    };
    let k = classes.min(n);
    let mut best = vec![f64::INFINITY; n + 1];
    let mut start = vec![vec![0_usize; n + 1]; k + 1];
    best[0] = 0.0;
    let mut previous = best.clone();
    for class in 1..=k {
        let mut current = vec![f64::INFINITY; n + 1];
        for to in class..=n {
            for from in class - 1..to {
                let c = previous[from] + cost(from, to);
                if c < current[to] {
                    current[to] = c;
                    start[class][to] = from;
                }
            }
        }
        previous = current;
    }
    let mut ends = vec![n];
    let mut at = n;
    for class in (2..=k).rev() {
        at = start[class][at];
        ends.push(at);
    }
    ends.reverse();
    let mut breaks = vec![sorted[0]];
    breaks.extend(ends.iter().map(|&e| sorted[e - 1]));
    while breaks.len() < classes + 1 {
        breaks.push(sorted[n - 1]);
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        for (x, y) in a.iter().zip(b) {
            // The golden values are printed with six decimals.
            assert!((x - y).abs() < 5.1e-7, "{a:?} against {b:?}");
        }
    }

    fn columns(method: Normalisation) -> Vec<Vec<f64>> {
        [
            [1.0, 2.0, 3.0, 5.0, 8.0],
            [10.0, 20.0, 15.0, 40.0, 12.0],
            [5.0, 5.5, 9.0, 7.0, 6.0],
        ]
        .iter()
        .map(|c| normalise(c, method))
        .collect()
    }

    /// Golden values of the project's standards page, section 1.1.
    #[test]
    fn golden_values_of_the_standards() {
        let c = columns(Normalisation::MinMax);
        let w = entropy_weights(&c);
        near(&w, &[0.286_216, 0.405_320, 0.308_464]);
        near(
            &weighted_sum(&c, &w),
            &[0.0, 0.214_553, 0.457_793, 0.723_104, 0.390_353],
        );
        let c = columns(Normalisation::Half);
        let w = entropy_weights(&c);
        near(&w, &[0.318_498, 0.357_840, 0.323_662]);
        near(
            &weighted_sum(&c, &w),
            &[0.5, 0.602_619, 0.737_151, 0.850_835, 0.711_635],
        );
        let a = ahp(&[
            vec![1.0, 2.0, 3.0],
            vec![0.5, 1.0, 2.0],
            vec![1.0 / 3.0, 0.5, 1.0],
        ])
        .unwrap();
        near(&a.weights, &[0.539_615, 0.296_961, 0.163_424]);
        near(
            &[a.lambda, a.consistency_index, a.consistency_ratio],
            &[3.009_203, 0.004_601, 0.007_933],
        );
        let v = [
            4.1, 5.0, 5.2, 9.8, 10.1, 10.4, 15.9, 16.2, 22.5, 23.0, 23.1, 30.0,
        ];
        assert_eq!(natural_breaks(&v, 4), [4.1, 5.2, 10.4, 16.2, 30.0]);
        let (mean, sigma) = mean_sigma(&v);
        near(&[mean, sigma], &[14.608_333, 8.156_435]);
    }

    #[test]
    fn classes_count_from_the_highest_and_own_their_lower_bound() {
        let v = [0.0, 1.0, 2.0, 3.0, f64::NAN];
        let fixed = Grading::Fixed {
            from: vec![3.0, 1.0],
        };
        assert_eq!(fixed.grade(&v), [3, 2, 2, 1, 0]);
        let percentile = Grading::Percentile {
            from: vec![90.0, 50.0],
        };
        assert_eq!(percentile.thresholds(&v), [2.7, 1.5]);
        assert_eq!(percentile.grade(&v), [3, 3, 2, 1, 0]);
        let jenks = Grading::NaturalBreaks { classes: 2 };
        assert_eq!(jenks.grade(&[1.0, 1.1, 9.0, 9.2]), [2, 2, 1, 1]);
        let sigma = Grading::MeanSigma {
            k: vec![1.0, 0.0, -1.0],
        };
        assert_eq!(sigma.grade(&[5.0, 5.0, 5.0]), [1, 1, 1]);
    }

    #[test]
    fn edge_rules() {
        assert_eq!(
            normalise(&[2.0, 2.0, f64::NAN], Normalisation::MinMax)[..2],
            [0.0, 0.0]
        );
        assert_eq!(
            entropy_weights(&[vec![0.0, 0.0], vec![0.0, 1.0]]),
            [0.0, 1.0]
        );
        assert!(
            ahp(&[vec![1.0, 2.0], vec![2.0, 1.0]])
                .unwrap_err()
                .is_input()
        );
    }
}
