//! Classes of values (分级): percentiles, mean ± kσ, multiples of the mean, natural breaks, fixed thresholds, top shares,
//! and matrices of two classes.

use super::scale::mean_sigma;
use serde::{Deserialize, Serialize};

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
    /// The greatest values by number: shares of all values that the classes but the lowest hold, highest first, e.g.
    /// `[0.1, 0.2]`: the first tenth, then the next fifth. Equal values share the class of the first of them.
    TopShare {
        /// Shares, above 0, adding up to less than 1.
        share: Vec<f64>,
    },
    /// Classes of equal shares, by percentiles: where no table of percentiles is given.
    EqualShares {
        /// Number of classes, 2 or more.
        classes: usize,
    },
    /// The class that a matrix gave, as a score: as many as there are classes for the highest, 1 for the lowest.
    Matrix {
        /// Number of classes, 2 or more.
        classes: usize,
    },
}

impl Grading {
    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Grading::Percentile { from } | Grading::Fixed { from } => from.len() + 1,
            Grading::MeanSigma { k } | Grading::MeanMultiple { k } => k.len() + 1,
            Grading::TopShare { share } => share.len() + 1,
            Grading::NaturalBreaks { classes }
            | Grading::EqualShares { classes }
            | Grading::Matrix { classes } => *classes,
        }
    }

    /// True where the thresholds follow from the values graded: grades then rank within the region.
    pub fn is_relative(&self) -> bool {
        !matches!(self, Grading::Fixed { .. } | Grading::Matrix { .. })
    }

    /// What is wrong with the numbers; `None` where they can be used.
    pub fn fault(&self) -> Option<String> {
        let descending =
            |v: &[f64]| v.windows(2).all(|w| w[0] > w[1]) && v.iter().all(|x| x.is_finite());
        let told = |v: &[f64]| format!("{v:?}");
        match self {
            Grading::Percentile { from }
                if from.is_empty()
                    || !descending(from)
                    || from.iter().any(|p| !(0.0..=100.0).contains(p)) =>
            {
                Some(told(from))
            }
            Grading::MeanSigma { k } | Grading::MeanMultiple { k }
                if k.is_empty() || !descending(k) =>
            {
                Some(told(k))
            }
            Grading::Fixed { from } if from.is_empty() || !descending(from) => Some(told(from)),
            Grading::TopShare { share }
                if share.is_empty()
                    || share.iter().any(|s| s.is_nan() || *s <= 0.0)
                    || share.iter().sum::<f64>() >= 1.0 =>
            {
                Some(told(share))
            }
            Grading::NaturalBreaks { classes }
            | Grading::EqualShares { classes }
            | Grading::Matrix { classes }
                if !(2..=20).contains(classes) =>
            {
                Some(classes.to_string())
            }
            _ => None,
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
            Grading::TopShare { share } => {
                let mut sum = 0.0;
                share
                    .iter()
                    .map(|s| {
                        sum += s;
                        // The last of the values that fall to this class or one above it; rounding half up.
                        let n = (sum * sorted.len() as f64 + 0.5).floor() as usize;
                        match n {
                            0 => f64::INFINITY,
                            n => sorted[sorted.len() - n.min(sorted.len())],
                        }
                    })
                    .collect()
            }
            Grading::EqualShares { classes } => (1..*classes)
                .rev()
                .map(|k| percentile(&sorted, 100.0 * k as f64 / *classes as f64))
                .collect(),
            Grading::Matrix { classes } => (2..=*classes).rev().map(|s| s as f64).collect(),
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

/// Fewer values than classes + 2 are filled up with their mean, as the production code of the census does; a single value
/// falls to the lowest class.
fn natural_thresholds(sorted: &[f64], classes: usize) -> Vec<f64> {
    let sample: Vec<f64> = if sorted.len() < classes + 2 {
        let mut padded = sorted.to_vec();
        padded.resize(classes + 2, mean_sigma(sorted).0);
        padded.sort_unstable_by(f64::total_cmp);
        padded
    } else if sorted.len() <= EXACT_BREAKS {
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

/// The class that a matrix gives for two classes, both counted from 1, the highest; 0 where either is 0 (no data).
///
/// # Panics
/// A class beyond the table.
pub fn matrix_class(table: &[Vec<u8>], row: u8, column: u8) -> u8 {
    if row == 0 || column == 0 {
        0
    } else {
        table[row as usize - 1][column as usize - 1]
    }
}
