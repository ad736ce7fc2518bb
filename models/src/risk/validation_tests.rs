//! Against scikit-learn 1.9.1, SciPy 1.17.1, statsmodels 0.15.0 and confidenceinterval 1.0.5 (DeLong; it sums in f32), and the
//! example of Hanley and McNeil (1982). Newcombe's interval against a root search of his formula by SciPy's brentq.

use super::*;

const SCORES: [f64; 20] = [
    0.12, 0.85, 0.33, 0.61, 0.33, 0.94, 0.05, 0.47, 0.72, 0.28, 0.61, 0.19, 0.55, 0.80, 0.33, 0.66,
    0.08, 0.91, 0.40, 0.23,
];
const STRUCK: [u8; 20] = [0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1];

fn struck() -> Vec<bool> {
    STRUCK.iter().map(|s| *s == 1).collect()
}

fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

fn near2(a: (f64, f64), b: (f64, f64), tolerance: f64) {
    near(a.0, b.0, tolerance);
    near(a.1, b.1, tolerance);
}

/// Ratings 1..5 of 58 normal and 51 abnormal pictures: the area 0.893 and its error 0.032 are printed in the paper.
fn hanley_mcneil() -> (Vec<f64>, Vec<bool>) {
    let (normal, abnormal) = ([33, 6, 6, 11, 2], [3, 2, 2, 11, 33]);
    let mut out = (Vec::new(), Vec::new());
    for (counts, ill) in [(normal, false), (abnormal, true)] {
        for (rating, n) in counts.into_iter().enumerate() {
            out.0.extend(vec![(rating + 1) as f64; n]);
            out.1.extend(vec![ill; n]);
        }
    }
    out
}

#[test]
fn areas_and_errors_are_those_of_others() {
    let a = auc(&SCORES, &struck()).unwrap();
    near(a.value, 0.8232323232323233, 1e-15);
    near(a.delong * a.delong, 0.009340883642906419, 1e-7);
    near2(
        a.interval(0.95),
        (0.5652999419945038, 0.9382272553902526),
        1e-9,
    );
    let (ratings, ill) = hanley_mcneil();
    let a = auc(&ratings, &ill).unwrap();
    near(a.value, 0.8931710615280595, 1e-15);
    near(a.hanley_mcneil, 0.03248657960734214, 1e-12);
    near(a.delong, 0.030724409199394134, 1e-6);
    near2(
        a.interval(0.95),
        (0.8116884072884324, 0.9400061826404441),
        1e-9,
    );
}

/// One event among nine places says next to nothing, also where it took the highest score; the plain errors would say 0.
#[test]
fn one_event_leaves_the_area_open() {
    let scores = [9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let only = |at: usize| -> Vec<bool> { (0..9).map(|i| i == at).collect() };
    let first = auc(&scores, &only(0)).unwrap();
    assert_eq!((first.value, first.hanley_mcneil), (1.0, 0.0));
    assert!(first.delong.is_nan());
    near2(first.interval(0.95), (0.3864448329890797, 1.0), 1e-9);
    let second = auc(&scores, &only(8)).unwrap();
    near(second.value, 0.875, 1e-15);
    near2(
        second.interval(0.95),
        (0.3016238463893745, 0.9899812029012799),
        1e-9,
    );
    assert!(auc(&scores, &[false; 9]).is_none() && auc(&scores, &[true; 9]).is_none());
    // All scores equal: nothing is told apart.
    assert_eq!(auc(&[0.3; 9], &only(4)).unwrap().value, 0.5);
}

#[test]
fn the_curve_is_that_of_scikit_learn() {
    let points = roc(&SCORES, &struck());
    let thresholds = [
        f64::INFINITY,
        0.94,
        0.91,
        0.85,
        0.8,
        0.72,
        0.66,
        0.61,
        0.55,
        0.47,
        0.4,
        0.33,
        0.28,
        0.23,
        0.19,
        0.12,
        0.08,
        0.05,
    ];
    let alarms = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 6, 7, 7, 8, 9, 10, 11];
    let hits = [0, 1, 2, 3, 3, 4, 5, 6, 7, 7, 7, 8, 8, 9, 9, 9, 9, 9];
    assert_eq!(points.len(), 18);
    for (k, p) in points.iter().enumerate() {
        assert_eq!(p.threshold, thresholds[k]);
        near(p.false_alarm_rate, f64::from(alarms[k]) / 11.0, 1e-15);
        near(p.hit_rate, f64::from(hits[k]) / 9.0, 1e-15);
    }
    // The area by trapezoids is the Mann-Whitney statistic.
    let area: f64 = points
        .windows(2)
        .map(|w| {
            0.5 * (w[1].false_alarm_rate - w[0].false_alarm_rate) * (w[0].hit_rate + w[1].hit_rate)
        })
        .sum();
    near(area, 0.8232323232323233, 1e-14);
}

#[test]
fn calibration_and_brier_are_those_of_scikit_learn() {
    let c = calibration(&SCORES, &struck(), &[0.25, 0.5, 0.75], 0.95);
    near(c.brier, 0.16865999999999998, 1e-15);
    let observed = [0.2, 0.16666667, 0.8, 0.75];
    let predicted = [0.134, 0.35666667, 0.63, 0.875];
    for (k, bin) in c.bins.iter().enumerate() {
        near(bin.observed, observed[k], 1e-8);
        near(bin.predicted, predicted[k], 1e-8);
    }
    assert_eq!(c.bins[0].places, 5);
    near2(
        (c.bins[0].low, c.bins[0].high),
        (0.0050507633794680575, 0.7164179361180896),
        1e-9,
    );
    // Murphy: where every class holds one probability, Brier = reliability - resolution + uncertainty.
    let flat = [0.1, 0.1, 0.1, 0.1, 0.6, 0.6, 0.6];
    let outcome = [false, false, true, false, true, true, false];
    let c = calibration(&flat, &outcome, &[0.5], 0.95);
    near(c.brier, c.reliability - c.resolution + c.uncertainty, 1e-15);
    assert_eq!(equal_count_bounds(&flat, 2), [0.6]);
    assert_eq!(
        equal_count_bounds(&[0.0, 0.1, 0.2, 0.3, 0.4, 0.5], 3),
        [0.2, 0.4]
    );
    assert!(equal_count_bounds(&[0.2; 5], 4).is_empty());
}

#[test]
fn shares_counts_and_ranks_are_those_of_others() {
    near2(share_interval(0, 9, 0.95), (0.0, 0.3362671168799429), 1e-9);
    near2(
        share_interval(3, 21, 0.95),
        (0.03048896762151555, 0.363423987016981),
        1e-9,
    );
    near2(share_interval(9, 9, 0.95), (0.6637328831200572, 1.0), 1e-9);
    assert_eq!(share_interval(0, 0, 0.95), (0.0, 1.0));
    near2(count_interval(0, 0.95), (0.0, 3.6888794541139354), 1e-9);
    near2(
        count_interval(3, 0.95),
        (0.6186721228956014, 8.767273069742323),
        1e-8,
    );
    let a = [3.1, 2.2, 5.0, 5.0, 1.0, 4.4, 7.2, 6.1];
    let b = [10.0, 9.0, 14.0, 12.0, 3.0, 15.0, 15.0, 13.0];
    let (r, low, high) = spearman(&a, &b, 0.95).unwrap();
    near(r, 0.7710843373493975, 1e-12);
    assert!(low > 0.0 && low < r && r < high && high < 1.0);
    assert_eq!(spearman(&a, &a, 0.95).unwrap().2, 1.0);
    assert!(spearman(&a, &[1.0; 8], 0.95).is_none());
}

/// By hand: 4 struck of which 3 warned; 6 not struck of which 2 warned.
#[test]
fn the_table_of_warnings() {
    let warned = [
        true, true, true, false, true, true, false, false, false, false,
    ];
    let struck = [
        true, true, true, true, false, false, false, false, false, false,
    ];
    let t = Contingency::of(&warned, &struck);
    assert_eq!(
        (t.hits, t.misses, t.false_alarms, t.correct_negatives),
        (3, 1, 2, 4)
    );
    assert_eq!(
        (t.hit_rate(), t.false_alarm_ratio(), t.critical_success()),
        (0.75, 0.4, 0.5)
    );
    near(t.false_alarm_rate(), 1.0 / 3.0, 1e-15);
    assert!(Contingency::default().hit_rate().is_nan());
    assert_eq!(
        Contingency::default().hit_rate_interval(0.95),
        (0.0, 1.0),
        "nothing seen, nothing known"
    );
}

#[test]
fn a_reported_loss_has_a_return_period_with_an_interval() {
    let years: Vec<f64> = (1..=1000).map(f64::from).collect();
    let p = position(&years, 991.0, 0.95);
    assert_eq!((p.reached, p.years, p.return_period), (10, 1000, 100.0));
    // statsmodels' proportion_confint(10, 1000, method="beta"): 0.0048055, 0.0183132.
    assert!(
        (1.0 / p.high - 0.004805510691049308).abs() < 1e-12
            && (1.0 / p.low - 0.018313243055112453).abs() < 1e-12
    );
    let beyond = position(&years, 2000.0, 0.95);
    assert!(beyond.return_period.is_infinite() && beyond.high.is_infinite());
    // 1 - 0.025^(1/1000) = 0.003682: at least 271 years.
    near(beyond.low, 271.58533808836825, 1e-6);
}
