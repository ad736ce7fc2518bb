//! Grading: normalisation, weights, combination and classification, as census practice uses them.
//!
//! Operators are code; thresholds, names and colours are data of a rule pack. Missing values (NaN) take no part and get
//! class 0. Class 1 is the highest (高), as Chinese census convention has it.
//!
//! # References
//! The operators follow the production code of the first national census as documented for this project (min-max, entropy
//! weights, mean ± kσ, percentiles with linear interpolation, Jenks). AHP: Saaty 1980. Natural breaks: Fisher 1958,
//! doi:10.1080/01621459.1958.10501479.

mod classes;
mod scale;
mod weights;

pub use classes::{Grading, class_of, matrix_class, natural_breaks, percentile};
pub use scale::{Normalisation, Scale, mean_sigma, normalise};
pub use weights::{Ahp, Entropy, ahp, entropy, entropy_weights, weighted_sum};

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
    fn top_shares_equal_shares_and_matrices() {
        let v: Vec<f64> = (1..=10).map(f64::from).collect();
        let top = Grading::TopShare {
            share: vec![0.1, 0.2],
        };
        assert_eq!(top.thresholds(&v), [10.0, 8.0]);
        assert_eq!(top.grade(&v), [3, 3, 3, 3, 3, 3, 3, 2, 2, 1]);
        let equal = Grading::EqualShares { classes: 4 };
        assert_eq!(equal.thresholds(&v), [7.75, 5.5, 3.25]);
        let scores = Grading::Matrix { classes: 4 };
        assert_eq!(scores.grade(&[4.0, 3.0, 1.0, f64::NAN]), [1, 2, 4, 0]);
        let table = vec![vec![1, 1], vec![1, 2]];
        assert_eq!(matrix_class(&table, 2, 2), 2);
        assert_eq!(matrix_class(&table, 2, 0), 0);
        assert!(!scores.is_relative() && equal.is_relative());
        assert!(
            Grading::Fixed {
                from: vec![1.0, 2.0]
            }
            .fault()
            .is_some()
        );
        assert!(
            Grading::TopShare {
                share: vec![0.5, 0.5]
            }
            .fault()
            .is_some()
        );
        assert!(top.fault().is_none());
    }

    #[test]
    fn few_values_are_filled_up_with_their_mean() {
        let jenks = Grading::NaturalBreaks { classes: 4 };
        // One value: the lowest class. 1, 2, 9 and three times their mean 4: four values, one class each.
        assert_eq!(jenks.grade(&[7.0]), [4]);
        assert_eq!(jenks.grade(&[1.0, 2.0, 9.0]), [4, 3, 1]);
        assert_eq!(jenks.grade(&[1.0, 3.0]), [4, 1]);
    }

    #[test]
    fn edge_rules() {
        let negative = normalise(&[1.0, 2.0, 3.0], Normalisation::HalfNegative);
        assert_eq!(negative, [1.0, 0.75, 0.5]);
        assert_eq!(Normalisation::None.negative(), None);
        // Entropy of one row is undefined: equal weights.
        assert_eq!(entropy_weights(&[vec![1.0], vec![2.0]]), [0.5, 0.5]);
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
