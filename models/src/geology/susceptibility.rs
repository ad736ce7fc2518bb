//! Landslide susceptibility (滑坡易发性): information value of factor classes, their sum per cell, and how well it ranks the
//! slides known.
//!
//! With L slide cells among N cells, and l among the n cells of a class: frequency ratio (l/n)/(L/N), information value
//! its logarithm, weights of evidence W+ and W-.
//!
//! # References
//! Yin and Yan (1988), Statistical prediction models for slope instability of metamorphosed rocks (information value);
//! Bonham-Carter (1994), Geographic Information Systems for Geoscientists (weights of evidence); Hanley and McNeil (1982),
//! doi:10.1148/radiology.143.1.7063747 (area under the curve).

use anlan_engine::Raster;
use rayon::prelude::*;

/// Class of cells that a factor does not cover.
pub const NO_CLASS: u8 = 255;

/// Counts and weights of one class of a factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassWeight {
    /// The class.
    pub class: u8,
    /// Cells in it.
    pub cells: u64,
    /// Slide cells in it.
    pub slides: u64,
    /// Frequency ratio.
    pub frequency_ratio: f64,
    /// Information value (信息量), the logarithm of the frequency ratio; -infinity without slides.
    pub information_value: f64,
    /// W+; NaN without slides.
    pub w_plus: f64,
    /// W-; NaN without slides.
    pub w_minus: f64,
}

impl ClassWeight {
    /// From counts of the class and of the whole region.
    pub fn new(class: u8, cells: u64, slides: u64, all_cells: u64, all_slides: u64) -> Self {
        let [n, l, nn, ll] = [cells, slides, all_cells, all_slides].map(|v| v as f64);
        let ratio = l / n / (ll / nn);
        let stable = nn - ll;
        let (w_plus, w_minus) = if slides == 0 {
            (f64::NAN, f64::NAN)
        } else {
            (
                libm::log(l / ll / ((n - l) / stable)),
                libm::log((ll - l) / ll / ((stable - n + l) / stable)),
            )
        };
        ClassWeight {
            class,
            cells,
            slides,
            frequency_ratio: ratio,
            information_value: libm::log(ratio),
            w_plus,
            w_minus,
        }
    }

    /// Contrast W+ - W-.
    pub fn contrast(&self) -> f64 {
        self.w_plus - self.w_minus
    }
}

/// Weights of all classes of a factor that occur, ascending; `slides` marks slide cells by values other than 0. Cells of
/// [`NO_CLASS`] do not count.
///
/// # Panics
/// Slices of different length.
pub fn class_weights(classes: &[u8], slides: &[u8]) -> Vec<ClassWeight> {
    assert_eq!(classes.len(), slides.len(), "classes and slides differ");
    let mut counts = [[0_u64; 2]; 256];
    for (&class, &slide) in classes.iter().zip(slides) {
        counts[usize::from(class)][0] += 1;
        counts[usize::from(class)][1] += u64::from(slide != 0);
    }
    let covered = &counts[..usize::from(NO_CLASS)];
    let all = covered
        .iter()
        .fold([0, 0], |a, c| [a[0] + c[0], a[1] + c[1]]);
    (0..NO_CLASS)
        .zip(covered)
        .filter(|(_, c)| c[0] > 0)
        .map(|(class, c)| ClassWeight::new(class, c[0], c[1], all[0], all[1]))
        .collect()
}

/// Classes of a continuous factor (slope, relief, distance to the nearest river...): the number of rising bounds that the
/// value reaches; missing values get [`NO_CLASS`].
///
/// # Panics
/// More than 254 bounds.
pub fn classify(values: &Raster<f32>, bounds: &[f32]) -> Raster<u8> {
    assert!(bounds.len() < usize::from(NO_CLASS), "too many bounds");
    values
        .map(|v| {
            if v.is_nan() {
                NO_CLASS
            } else {
                bounds.iter().filter(|&&b| v >= b).count() as u8
            }
        })
        .with_nodata(NO_CLASS)
}

/// Sum of information values over factors, each with its classes and weights. Classes without slides count as `least`, so
/// that they rank last; cells without class in any factor are missing.
///
/// # Panics
/// No factor, or factors of different shapes.
pub fn susceptibility(factors: &[(&Raster<u8>, &[ClassWeight])], least: f64) -> Raster<f32> {
    assert!(!factors.is_empty(), "no factor");
    let tables: Vec<(&[u8], [f64; 256])> = factors
        .iter()
        .map(|(raster, weights)| {
            let mut table = [f64::NAN; 256];
            for w in *weights {
                table[usize::from(w.class)] = w.information_value.max(least);
            }
            (raster.values(), table)
        })
        .collect();
    let grid = factors[0].0.grid;
    let mut out = Raster::filled(grid, 0.0_f32);
    for (values, _) in &tables {
        assert_eq!(values.len(), grid.cells(), "factors differ in shape");
    }
    out.values_mut()
        .par_chunks_mut(grid.cols)
        .enumerate()
        .for_each(|(row, out)| {
            for (col, v) in out.iter_mut().enumerate() {
                let i = row * grid.cols + col;
                let sum: f64 = tables.iter().map(|(c, t)| t[usize::from(c[i])]).sum();
                *v = sum as f32;
            }
        });
    out
}

/// Probability by a logistic model: 1 / (1 + exp(-(intercept + sum of coefficient times factor))); missing where a factor is
/// missing.
///
/// # Panics
/// No factor, or factors of different shapes.
pub fn logistic(intercept: f64, factors: &[(&Raster<f32>, f64)]) -> Raster<f32> {
    assert!(!factors.is_empty(), "no factor");
    let grid = factors[0].0.grid;
    for (raster, _) in factors {
        assert_eq!(raster.grid.shape(), grid.shape(), "factors differ in shape");
    }
    let mut out = Raster::filled(grid, 0.0_f32);
    out.values_mut()
        .par_chunks_mut(grid.cols)
        .enumerate()
        .for_each(|(row, out)| {
            for (col, v) in out.iter_mut().enumerate() {
                let sum: f64 = factors
                    .iter()
                    .map(|(r, b)| b * f64::from(r.values()[row * grid.cols + col]))
                    .sum();
                *v = (1.0 / (1.0 + libm::exp(-(intercept + sum)))) as f32;
            }
        });
    out
}

/// Area under the receiver operating curve: the probability that a slide cell ranks above another, ties half. Missing
/// scores are left out; NaN where slides or other cells are wanting.
///
/// # Panics
/// Slices of different length.
pub fn area_under_curve(scores: &[f32], slides: &[u8]) -> f64 {
    assert_eq!(scores.len(), slides.len(), "scores and slides differ");
    let mut ranked: Vec<(f32, bool)> = scores
        .iter()
        .zip(slides)
        .filter(|(s, _)| !s.is_nan())
        .map(|(&s, &l)| (s, l != 0))
        .collect();
    ranked.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut below, mut slides, mut twice_area) = (0_u64, 0_u64, 0_u128);
    for group in ranked.chunk_by(|a, b| a.0 == b.0) {
        let here = group.iter().filter(|g| g.1).count() as u64;
        let others = group.len() as u64 - here;
        twice_area += u128::from(here) * u128::from(2 * below + others);
        below += others;
        slides += here;
    }
    twice_area as f64 / 2.0 / (slides as f64 * below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};

    /// Land cover and slope classes of the Kaghan and Siran valleys (BGR-EGHA/LSAT-TestData 4c229c2), frequency ratio,
    /// information value, W+ and W- computed by another program; 9918 slide cells among 815,262.
    #[test]
    fn weights_of_the_balakot_valleys() {
        for (cells, slides, ratio, iv, plus, minus) in [
            (
                469_413,
                3874,
                0.678_387_13,
                -0.388_037_17,
                -0.391_990_08,
                0.367_612_35,
            ),
            (
                141_784,
                4582,
                2.656_445_8,
                0.976_989_06,
                0.997_599_52,
                -0.433_106_19,
            ),
            (
                1882,
                63,
                2.751_655_3,
                1.012_202_7,
                1.034_010_8,
                -0.004_111_130_7,
            ),
            (
                298,
                5,
                1.379_198_7,
                0.321_502_67,
                0.326_183_53,
                -0.000_140_375_13,
            ),
        ] {
            let w = ClassWeight::new(4, cells, slides, 815_262, 9918);
            for (got, expected) in [
                (w.frequency_ratio, ratio),
                (w.information_value, iv),
                (w.w_plus, plus),
                (w.w_minus, minus),
            ] {
                assert!(
                    (got - expected).abs() < 1e-7 * f64::max(1.0, expected.abs()),
                    "{got} {expected}"
                );
            }
        }
        assert_eq!(
            ClassWeight::new(1, 19, 0, 815_262, 9918).information_value,
            f64::NEG_INFINITY
        );
    }

    #[test]
    fn whole_balakot_tables() {
        let folder = std::env::var("ANLAN_SHARED_DATA").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned()
        });
        for name in ["landcover", "slope10deg"] {
            let path = format!("{folder}/geology/balakot_lsat/expected_bivariate_{name}.csv");
            let Ok(text) = std::fs::read_to_string(&path) else {
                eprintln!("SKIPPED: no geology/balakot_lsat in {folder}");
                return;
            };
            let rows: Vec<Vec<&str>> = text
                .lines()
                .skip(1)
                .map(|l| l.split(',').collect())
                .collect();
            let sum = |c: usize| {
                rows.iter()
                    .map(|r| r[c].parse::<u64>().unwrap())
                    .sum::<u64>()
            };
            let (all, slides) = (sum(2), sum(3));
            for row in &rows {
                let w = ClassWeight::new(
                    row[1].parse().unwrap(),
                    row[2].parse().unwrap(),
                    row[3].parse().unwrap(),
                    all,
                    slides,
                );
                for (text, got) in [
                    (row[4], w.frequency_ratio),
                    (row[5], w.information_value),
                    (row[6], w.w_plus),
                    (row[7], w.w_minus),
                    (row[8], w.contrast()),
                ] {
                    if let Ok(expected) = text.parse::<f64>() {
                        // Eight digits are stored.
                        assert!(
                            (got - expected).abs() <= 1e-7 * expected.abs().max(1e-3),
                            "{name} {row:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn small_map_by_hand() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (30.0, 30.0),
            (1, 6),
        )
        .unwrap();
        let mut slope = Raster::filled(grid, 0.0_f32);
        slope
            .values_mut()
            .copy_from_slice(&[5.0, 12.0, 12.0, 25.0, 25.0, f32::NAN]);
        let classes = classify(&slope, &[10.0, 20.0]);
        assert_eq!(classes.values(), [0, 1, 1, 2, 2, 255]);
        let slides = [0, 0, 1, 1, 1, 1];
        let weights = class_weights(classes.values(), &slides);
        assert_eq!(weights.len(), 3);
        // Three slides among five cells: class 2 has ratio 1 / 0.6.
        assert!((weights[2].frequency_ratio - 1.0 / 0.6).abs() < 1e-12);
        let score = susceptibility(&[(&classes, &weights)], -5.0);
        assert_eq!(score.values()[0], -5.0);
        assert!(score.values()[5].is_nan());
        // Pairs (slide, other): (1,0) 1, (1,1) 1/2, (2,0) 1, (2,1) 1, twice each for class 2.
        let auc = area_under_curve(score.values(), &slides);
        assert!((auc - 5.5 / 6.0).abs() < 1e-12);
        let p = logistic(-2.0, &[(&slope, 0.16)]);
        assert!((p.values()[1] - 0.480_01).abs() < 1e-4);
    }
}
