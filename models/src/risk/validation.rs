//! Validation (检验) of grades and losses against what happened: scores of yes/no warnings, ROC and AUC with their errors,
//! calibration, rank correlation, and the place of a reported loss on the simulated curve. Pure functions over slices.
//!
//! | quantity | method |
//! | --- | --- |
//! | hit rate (命中率), false-alarm ratio (空报率), critical success index | 2 × 2 table (Wilks 2011, chapter 8) |
//! | interval of a share | exact binomial, Clopper and Pearson (1934) |
//! | interval of a count | exact Poisson, Garwood (1936) |
//! | AUC | Mann–Whitney statistic with ties as one half |
//! | its standard error | DeLong et al. (1988) by ranks (Sun and Xu 2014), and Hanley and McNeil (1982) |
//! | its interval | Newcombe (2006), method 5: holds at few events and at an AUC of 0 or 1, where the errors above are 0 |
//! | Brier score and its parts | Brier (1950), Murphy (1973) |
//! | rank correlation | Spearman with midranks; interval by Fisher's z, Bonett and Wright (2000) |
//!
//! # References
//! DeLong, DeLong, Clarke-Pearson 1988, doi:10.2307/2531595. Hanley, McNeil 1982, doi:10.1148/radiology.143.1.7063747.
//! Newcombe 2006, doi:10.1002/sim.2324. Murphy 1973, J. Appl. Meteor. 12, 595.

use anlan_engine::distributions::{beta_quantile, gamma_quantile, normal_quantile};

/// Exact binomial interval of a share: `k` of `n` (Clopper and Pearson). (0, 1) where `n` is 0: nothing is known.
///
/// # Panics
/// `k` above `n`.
pub fn share_interval(k: u32, n: u32, confidence: f64) -> (f64, f64) {
    assert!(k <= n, "{k} of {n}");
    let tail = 0.5 * (1.0 - confidence);
    let (k, n) = (f64::from(k), f64::from(n));
    let low = if k == 0.0 {
        0.0
    } else {
        beta_quantile(tail, k, n - k + 1.0)
    };
    let high = if k == n {
        1.0
    } else {
        beta_quantile(1.0 - tail, k + 1.0, n - k)
    };
    (low, high)
}

/// Exact Poisson interval of the mean behind a count (Garwood).
pub fn count_interval(k: u32, confidence: f64) -> (f64, f64) {
    let tail = 0.5 * (1.0 - confidence);
    let k = f64::from(k);
    let low = if k == 0.0 {
        0.0
    } else {
        gamma_quantile(tail, k, 1.0)
    };
    (low, gamma_quantile(1.0 - tail, k + 1.0, 1.0))
}

/// A 2 × 2 table of warnings against events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contingency {
    /// Warned and struck (命中).
    pub hits: u32,
    /// Not warned, yet struck (漏报).
    pub misses: u32,
    /// Warned, not struck (空报).
    pub false_alarms: u32,
    /// Neither.
    pub correct_negatives: u32,
}

impl Contingency {
    /// Counts places that were warned of against those that were struck.
    ///
    /// # Panics
    /// Slices of different lengths.
    pub fn of(warned: &[bool], struck: &[bool]) -> Self {
        assert_eq!(warned.len(), struck.len(), "one warning per place");
        let mut out = Contingency::default();
        for pair in warned.iter().zip(struck) {
            match pair {
                (true, true) => out.hits += 1,
                (false, true) => out.misses += 1,
                (true, false) => out.false_alarms += 1,
                (false, false) => out.correct_negatives += 1,
            }
        }
        out
    }

    /// Share of the struck that were warned: hits / (hits + misses). NaN without events.
    pub fn hit_rate(&self) -> f64 {
        ratio(self.hits, self.hits + self.misses)
    }

    /// Share of the warnings without event: false alarms / (hits + false alarms). NaN without warnings.
    pub fn false_alarm_ratio(&self) -> f64 {
        ratio(self.false_alarms, self.hits + self.false_alarms)
    }

    /// Share of the unstruck that were warned. NaN where all were struck.
    pub fn false_alarm_rate(&self) -> f64 {
        ratio(
            self.false_alarms,
            self.false_alarms + self.correct_negatives,
        )
    }

    /// Critical success index (临界成功指数): hits / (hits + misses + false alarms).
    pub fn critical_success(&self) -> f64 {
        ratio(self.hits, self.hits + self.misses + self.false_alarms)
    }

    /// Exact interval of the hit rate.
    pub fn hit_rate_interval(&self, confidence: f64) -> (f64, f64) {
        share_interval(self.hits, self.hits + self.misses, confidence)
    }

    /// Exact interval of the false-alarm ratio.
    pub fn false_alarm_interval(&self, confidence: f64) -> (f64, f64) {
        share_interval(self.false_alarms, self.hits + self.false_alarms, confidence)
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    if whole == 0 {
        f64::NAN
    } else {
        f64::from(part) / f64::from(whole)
    }
}

/// A point of the ROC curve: places with at least this score are warned of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// Least score of a warning; infinite at the first point.
    pub threshold: f64,
    /// Share of the unstruck that are warned of.
    pub false_alarm_rate: f64,
    /// Share of the struck that are warned of.
    pub hit_rate: f64,
}

/// The ROC curve from (0, 0) to (1, 1), one point per different score. Empty where all or none were struck.
///
/// # Panics
/// Slices of different lengths, or a score that is NaN.
pub fn roc(scores: &[f64], struck: &[bool]) -> Vec<RocPoint> {
    let order = descending(scores, struck);
    let positives = struck.iter().filter(|s| **s).count() as f64;
    let negatives = struck.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Vec::new();
    }
    let mut out = vec![RocPoint {
        threshold: f64::INFINITY,
        false_alarm_rate: 0.0,
        hit_rate: 0.0,
    }];
    let (mut hits, mut alarms) = (0.0, 0.0);
    for (i, &at) in order.iter().enumerate() {
        if struck[at] {
            hits += 1.0;
        } else {
            alarms += 1.0;
        }
        if order.get(i + 1).is_none_or(|&n| scores[n] != scores[at]) {
            out.push(RocPoint {
                threshold: scores[at],
                false_alarm_rate: alarms / negatives,
                hit_rate: hits / positives,
            });
        }
    }
    out
}

fn descending(scores: &[f64], struck: &[bool]) -> Vec<usize> {
    assert_eq!(scores.len(), struck.len(), "one score per place");
    assert!(scores.iter().all(|s| !s.is_nan()), "a score that is NaN");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order
}

/// Area under the ROC curve with what few events leave unsure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auc {
    /// The area: the chance that a struck place scores above one that was not, ties as one half.
    pub value: f64,
    /// Places struck.
    pub positives: u32,
    /// Places not struck.
    pub negatives: u32,
    /// Standard error by DeLong; NaN with fewer than two of either kind.
    pub delong: f64,
    /// Standard error by Hanley and McNeil.
    pub hanley_mcneil: f64,
}

/// AUC of scores (higher = more dangerous) against what was struck; `None` where all or none were struck.
///
/// # Panics
/// Slices of different lengths, or a score that is NaN.
pub fn auc(scores: &[f64], struck: &[bool]) -> Option<Auc> {
    assert_eq!(scores.len(), struck.len(), "one score per place");
    let pick = |kind: bool| -> Vec<f64> {
        let of_kind = scores.iter().zip(struck).filter(|(_, s)| **s == kind);
        of_kind.map(|(v, _)| *v).collect()
    };
    let (struck_scores, quiet) = (pick(true), pick(false));
    let (m, n) = (struck_scores.len() as f64, quiet.len() as f64);
    if struck_scores.is_empty() || quiet.is_empty() {
        return None;
    }
    let all = midranks(scores);
    let (within_struck, within_quiet) = (midranks(&struck_scores), midranks(&quiet));
    let ranks = |kind: bool| all.iter().zip(struck).filter(move |(_, s)| **s == kind);
    // Share of the quiet below each struck place, and of the struck above each quiet one.
    let of_struck: Vec<f64> = ranks(true)
        .zip(&within_struck)
        .map(|((r, _), own)| (r - own) / n)
        .collect();
    let of_quiet: Vec<f64> = ranks(false)
        .zip(&within_quiet)
        .map(|((r, _), own)| 1.0 - (r - own) / m)
        .collect();
    let value = of_struck.iter().sum::<f64>() / m;
    let spread = |v: &[f64]| {
        let k = v.len() as f64;
        v.iter().map(|x| (x - value) * (x - value)).sum::<f64>() / (k - 1.0) / k
    };
    let delong = if m > 1.0 && n > 1.0 {
        (spread(&of_struck) + spread(&of_quiet)).sqrt()
    } else {
        f64::NAN
    };
    Some(Auc {
        value,
        positives: m as u32,
        negatives: n as u32,
        delong,
        hanley_mcneil: variance(value, m, n, m - 1.0, n - 1.0).sqrt(),
    })
}

/// Variance of an AUC by the negative-exponential model of Hanley and McNeil.
fn variance(a: f64, m: f64, n: f64, m_star: f64, n_star: f64) -> f64 {
    let of_struck = m_star * (1.0 - a) / (2.0 - a);
    let of_quiet = n_star * a / (1.0 + a);
    a * (1.0 - a) * (1.0 + of_struck + of_quiet) / (m * n)
}

impl Auc {
    /// Interval by Newcombe's method 5: the areas from which the one found lies within `z` standard errors, with the mean of
    /// both counts in the error.
    pub fn interval(&self, confidence: f64) -> (f64, f64) {
        let z = normal_quantile(0.5 + 0.5 * confidence);
        let (m, n) = (f64::from(self.positives), f64::from(self.negatives));
        let star = 0.5 * (m + n) - 1.0;
        let distance = |a: f64| z * variance(a, m, n, star, star).max(0.0).sqrt();
        // The bound between the estimate and the end of the scale where the distance is just bridged.
        let bound = |end: f64| {
            let (mut near, mut far) = (self.value, end);
            for _ in 0..200 {
                let middle = 0.5 * (near + far);
                if (self.value - middle).abs() <= distance(middle) {
                    near = middle;
                } else {
                    far = middle;
                }
            }
            0.5 * (near + far)
        };
        (bound(0.0), bound(1.0))
    }
}

/// Ranks from 1, equal values sharing the mean of theirs.
pub fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut out = vec![0.0; values.len()];
    let mut i = 0;
    while i < order.len() {
        let mut end = i + 1;
        while end < order.len() && values[order[end]] == values[order[i]] {
            end += 1;
        }
        let rank = 0.5 * (i + 1 + end) as f64;
        for &at in &order[i..end] {
            out[at] = rank;
        }
        i = end;
    }
    out
}

/// Spearman's rank correlation with its interval; `None` with fewer than 4 pairs or where one side does not vary.
///
/// # Panics
/// Slices of different lengths.
pub fn spearman(a: &[f64], b: &[f64], confidence: f64) -> Option<(f64, f64, f64)> {
    assert_eq!(a.len(), b.len(), "pairs");
    let n = a.len() as f64;
    if a.len() < 4 {
        return None;
    }
    let (x, y) = (midranks(a), midranks(b));
    let mean = 0.5 * (n + 1.0);
    let cross = |u: &[f64], v: &[f64]| -> f64 {
        u.iter().zip(v).map(|(p, q)| (p - mean) * (q - mean)).sum()
    };
    let scale = (cross(&x, &x) * cross(&y, &y)).sqrt();
    if scale <= 0.0 {
        return None;
    }
    let r = (cross(&x, &y) / scale).clamp(-1.0, 1.0);
    let z = normal_quantile(0.5 + 0.5 * confidence) * ((1.0 + 0.5 * r * r) / (n - 3.0)).sqrt();
    // Fisher's z does not exist at ±1; there the interval closes on that side.
    let centre = 0.5 * (libm::log1p(r) - libm::log1p(-r));
    let (low, high) = (libm::tanh(centre - z), libm::tanh(centre + z));
    Some((
        r,
        if low.is_nan() { r } else { low },
        if high.is_nan() { r } else { high },
    ))
}

/// One class of predicted probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Places in the class.
    pub places: u32,
    /// Places struck.
    pub struck: u32,
    /// Mean of the predicted probabilities.
    pub predicted: f64,
    /// Share struck.
    pub observed: f64,
    /// Exact interval of the share.
    pub low: f64,
    /// Exact interval of the share.
    pub high: f64,
}

/// Predicted probabilities against what was struck.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Classes that hold any place, ascending.
    pub bins: Vec<CalibrationBin>,
    /// Brier score: mean squared difference of probability and outcome; 0 is perfect.
    pub brier: f64,
    /// Reliability (Murphy): weighted squared distance of the classes from the diagonal; 0 is perfect.
    pub reliability: f64,
    /// Resolution: weighted squared distance of the classes' shares from the overall share; high is good.
    pub resolution: f64,
    /// Uncertainty: share × (1 - share), the Brier score of always predicting the overall share.
    pub uncertainty: f64,
}

/// Calibration by classes with these ascending bounds; a probability on a bound belongs to the class above it.
///
/// # Panics
/// Slices of different lengths, no place at all, or probabilities outside 0..=1.
pub fn calibration(
    predicted: &[f64],
    struck: &[bool],
    bounds: &[f64],
    confidence: f64,
) -> Calibration {
    assert_eq!(predicted.len(), struck.len(), "one probability per place");
    assert!(
        !predicted.is_empty() && predicted.iter().all(|p| (0.0..=1.0).contains(p)),
        "probabilities"
    );
    let mut sums = vec![(0_u32, 0_u32, 0.0_f64); bounds.len() + 1];
    let mut brier = 0.0;
    for (&p, &s) in predicted.iter().zip(struck) {
        let sum = &mut sums[bounds.partition_point(|b| *b <= p)];
        sum.0 += 1;
        sum.1 += u32::from(s);
        sum.2 += p;
        let d = p - f64::from(u8::from(s));
        brier += d * d;
    }
    let n = predicted.len() as f64;
    let bins: Vec<CalibrationBin> = sums
        .into_iter()
        .filter(|s| s.0 > 0)
        .map(|(places, struck, sum)| {
            let (low, high) = share_interval(struck, places, confidence);
            CalibrationBin {
                places,
                struck,
                predicted: sum / f64::from(places),
                observed: ratio(struck, places),
                low,
                high,
            }
        })
        .collect();
    let share = struck.iter().filter(|s| **s).count() as f64 / n;
    let weighed = |f: &dyn Fn(&CalibrationBin) -> f64| -> f64 {
        let squares = bins.iter().map(|b| f64::from(b.places) * f(b) * f(b));
        squares.sum::<f64>() / n
    };
    Calibration {
        brier: brier / n,
        reliability: weighed(&|b| b.predicted - b.observed),
        resolution: weighed(&|b| b.observed - share),
        uncertainty: share * (1.0 - share),
        bins,
    }
}

/// Bounds that split probabilities into classes of about equal count, equal values staying together.
pub fn equal_count_bounds(predicted: &[f64], classes: usize) -> Vec<f64> {
    let mut sorted = predicted.to_vec();
    sorted.sort_by(f64::total_cmp);
    let least = sorted.first().copied().unwrap_or(0.0);
    let mut bounds: Vec<f64> = (1..classes)
        .filter_map(|k| {
            let at = sorted.get(k * sorted.len() / classes).copied()?;
            // Many equal least values (often 0) are a class of their own.
            let above = sorted.iter().copied().find(|v| *v > least)?;
            Some(at.max(above))
        })
        .collect();
    bounds.dedup();
    bounds
}

/// Where a reported value stands among simulated years.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Simulated years whose value is at least the reported one.
    pub reached: u32,
    /// Simulated years.
    pub years: u32,
    /// Return period, years; infinite where no simulated year reaches the value.
    pub return_period: f64,
    /// Interval from the number of simulated years alone.
    pub low: f64,
    /// Upper end; infinite where no simulated year reaches the value.
    pub high: f64,
}

/// The return period of a reported value on the curve of the simulated years, with its sampling interval.
///
/// # Panics
/// No years.
pub fn position(yearly: &[f64], reported: f64, confidence: f64) -> Position {
    assert!(!yearly.is_empty(), "simulated years");
    let reached = yearly.iter().filter(|v| **v >= reported).count() as u32;
    let years = yearly.len() as u32;
    let (low, high) = share_interval(reached, years, confidence);
    Position {
        reached,
        years,
        return_period: f64::from(years) / f64::from(reached),
        low: 1.0 / high,
        high: 1.0 / low,
    }
}

#[cfg(test)]
#[path = "validation_tests.rs"]
mod tests;
