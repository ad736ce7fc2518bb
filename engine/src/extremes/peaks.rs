//! Independent peaks over a threshold (超门限峰值取样): declustering of a series, and what helps to choose the threshold.
//!
//! # References
//! Coles (2001), §4.3.1 (mean excess), §4.3.4 (stability of the shape), §5.3.2 (runs declustering); Lang, Ouarda and Bobée
//! (1999), J. Hydrol. 225, 103-117, doi:10.1016/S0022-1694(99)00167-5 (independence of peaks).

use super::Gpd;

/// How a series is cut into independent events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Declustering {
    /// Threshold, in the unit of the series: an event lies above it.
    pub threshold: f64,
    /// Values not above the threshold that end an event. 1: neighbours above it are one event; 0: each value is one.
    pub run: usize,
    /// Least distance between two peaks, in steps of the series: of two nearer ones the greater stays. 0 or 1: no limit.
    pub separation: usize,
}

/// The greatest value of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Place in the series.
    pub index: usize,
    /// Value.
    pub value: f64,
}

/// Peaks of a series of equal steps, in the order of time.
///
/// - A missing value (NaN) counts as one that is not above the threshold.
/// - Of equal values the first is the peak.
pub fn peaks(values: &[f64], how: &Declustering) -> Vec<Peak> {
    let mut found: Vec<Peak> = Vec::new();
    let mut below = usize::MAX;
    for (index, &value) in values.iter().enumerate() {
        if value > how.threshold {
            match found.last_mut() {
                Some(last) if below < how.run => {
                    if value > last.value {
                        *last = Peak { index, value };
                    }
                }
                _ => found.push(Peak { index, value }),
            }
            below = 0;
        } else {
            below = below.saturating_add(1);
        }
    }
    if how.separation < 2 {
        return found;
    }
    let mut by_size: Vec<usize> = (0..found.len()).collect();
    by_size.sort_by(|&a, &b| found[b].value.total_cmp(&found[a].value).then(a.cmp(&b)));
    let mut stays = vec![false; found.len()];
    for i in by_size {
        let near = |j: &usize| found[*j].index.abs_diff(found[i].index) < how.separation;
        // Events stand in the order of time: only the nearest kept ones on either side can be too near.
        let before = (0..i).rev().find(|&j| stays[j]);
        let after = (i + 1..found.len()).find(|&j| stays[j]);
        stays[i] = !before.as_ref().is_some_and(near) && !after.as_ref().is_some_and(near);
    }
    let mut kept = stays.iter();
    found.retain(|_| *kept.next().unwrap_or(&false));
    found
}

/// What a threshold would give: a straight mean excess and a steady shape above it speak for a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdCheck {
    /// Threshold, in the unit of the data.
    pub threshold: f64,
    /// Values above it.
    pub count: usize,
    /// Mean excess over it, in the unit of the data; NaN without values.
    pub mean_excess: f64,
    /// Standard error of the mean excess; NaN for fewer than two values.
    pub mean_excess_error: f64,
    /// Shape of the generalised Pareto distribution above it (maximum likelihood); NaN where it cannot be fitted.
    pub shape: f64,
    /// Standard error of the shape.
    pub shape_error: f64,
    /// Scale less shape times threshold: steady above a sound threshold.
    pub modified_scale: f64,
}

/// Mean excess and fitted shape over each of some thresholds.
pub fn threshold_checks(values: &[f64], thresholds: &[f64]) -> Vec<ThresholdCheck> {
    let check = |&threshold: &f64| {
        let excess: Vec<f64> = super::sorted(values)
            .into_iter()
            .filter(|&v| v > threshold)
            .map(|v| v - threshold)
            .collect();
        let n = excess.len() as f64;
        let mean = excess.iter().sum::<f64>() / n;
        let squares: f64 = excess.iter().map(|e| (e - mean) * (e - mean)).sum();
        let fit = Gpd::from_likelihood(values, threshold);
        let of = |f: &dyn Fn(&super::gev::LikelihoodFit<Gpd, 2>) -> f64| {
            fit.as_ref().map_or(f64::NAN, f)
        };
        ThresholdCheck {
            threshold,
            count: excess.len(),
            mean_excess: mean,
            mean_excess_error: (squares / (n - 1.0) / n).sqrt(),
            shape: of(&|f| f.curve.shape),
            shape_error: of(&|f| f.standard_errors()[1]),
            modified_scale: of(&|f| f.curve.scale - f.curve.shape * threshold),
        }
    };
    thresholds.iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::near;
    use super::*;

    fn found(values: &[f64], run: usize, separation: usize) -> Vec<(usize, f64)> {
        let how = Declustering {
            threshold: 1.0,
            run,
            separation,
        };
        peaks(values, &how)
            .iter()
            .map(|p| (p.index, p.value))
            .collect()
    }

    #[test]
    fn runs_and_separation_by_hand() {
        let x = [0.0, 2.0, 3.0, 0.0, 4.0, 0.0, 0.0, 5.0, 5.0, f64::NAN, 2.0];
        assert_eq!(found(&x, 1, 0), [(2, 3.0), (4, 4.0), (7, 5.0), (10, 2.0)]);
        assert_eq!(found(&x, 0, 0).len(), 6);
        // One value below no longer ends an event.
        assert_eq!(found(&x, 2, 0), [(4, 4.0), (7, 5.0)]);
        // 5 at 7 stays; 4 at 4 is three steps away; 3 at 2 and 2 at 10 are nearer than four to a kept one or not.
        assert_eq!(found(&x, 1, 3), [(4, 4.0), (7, 5.0), (10, 2.0)]);
        assert_eq!(found(&x, 1, 4), [(2, 3.0), (7, 5.0)]);
        assert!(found(&[], 1, 0).is_empty());
    }

    #[test]
    fn mean_excess_by_hand() {
        let c = threshold_checks(&[1.0, 2.0, 3.0, 5.0], &[1.5])[0];
        assert_eq!(c.count, 3);
        near(c.mean_excess, 11.0 / 6.0, 1e-15);
        // Sample variance of 0.5, 1.5, 3.5 is 7/3; over three values 7/9.
        near(c.mean_excess_error, (7.0_f64 / 9.0).sqrt(), 1e-15);
        assert!(c.shape.is_nan());
    }
}
