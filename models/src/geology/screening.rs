//! Screening of landslides (滑坡筛查) where the terrain is too coarse for slope stability: susceptibility from slope, height
//! and cover, times the rank of the heavy rain of the place.
//!
//! Everything is a rank within the region: it orders places and is no probability.
//!
//! # References
//! Kirschbaum and Stanley (2018), Satellite-based assessment of rainfall-triggered landslide hazard for situational
//! awareness, doi:10.1002/2017EF000715 (susceptibility crossed with the percentile of the rain).

use anlan_engine::{Error, Fault, Raster, Result};
use rayon::prelude::*;
use serde::Deserialize;
use std::path::Path;

/// What makes a place susceptible. The default is the data file `standards/landslide_screening.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreeningTable {
    /// Where the figures come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Slope below which a cell is plain, degrees, 0..=30.
    pub least_slope_deg: f64,
    /// Weight of the rank of the slope, 0..=1.
    pub slope_weight: f64,
    /// Weight of the rank of the height above the drainage, 0..=1.
    pub height_weight: f64,
    /// Weight of the score of the land cover, 0..=1.
    pub cover_weight: f64,
    /// Score of land cover that is not listed, 0..=1.
    pub other_score: f64,
    /// Scores of land cover.
    pub cover: Vec<CoverScore>,
}

/// Score of some land cover classes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverScore {
    /// English name.
    pub name: String,
    /// IGBP codes.
    pub codes: Vec<u8>,
    /// 0 holds the slope best, 1 worst.
    pub score: f64,
}

impl ScreeningTable {
    /// The compiled-in table.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn standard() -> Self {
        ScreeningTable::parse(
            include_str!("../../standards/landslide_screening.toml"),
            Path::new("standards/landslide_screening.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; weights and scores out of range or weights that do not sum to 1.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let table: ScreeningTable = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.to_string(),
                "the keys of standards/landslide_screening.toml",
                "compare with the standard file",
            ))
        })?;
        let mut faults = Vec::new();
        let mut check = |key: &str, value: f64, low: f64, high: f64| {
            if !(low..=high).contains(&value) {
                faults.push(
                    Fault::new(
                        file,
                        value.to_string(),
                        format!("{low} to {high}"),
                        "correct the figure",
                    )
                    .at(key),
                );
            }
        };
        let t = &table;
        check("least_slope_deg", t.least_slope_deg, 0.0, 30.0);
        check("slope_weight", t.slope_weight, 0.0, 1.0);
        check("height_weight", t.height_weight, 0.0, 1.0);
        check("cover_weight", t.cover_weight, 0.0, 1.0);
        let sum = t.slope_weight + t.height_weight + t.cover_weight;
        check("sum of the three weights", sum, 1.0 - 1e-9, 1.0 + 1e-9);
        check("other_score", t.other_score, 0.0, 1.0);
        for c in &t.cover {
            check(&format!("cover `{}`", c.name), c.score, 0.0, 1.0);
        }
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }

    fn scores(&self) -> [f64; 256] {
        let mut scores = [self.other_score; 256];
        for c in &self.cover {
            for &code in &c.codes {
                scores[usize::from(code)] = c.score;
            }
        }
        scores
    }
}

/// Susceptibility (易发性), 0..=1: the rank, among the sloping cells of a region, of the weighted sum of the ranks of slope and
/// height and the score of the land cover. 0 on the plain, NaN outside the region or where terrain is missing.
///
/// - `slope_deg`, `height_m`: slope in degrees, height above the drainage in m; a missing height counts as 0.
/// - `cover`: IGBP classes.
/// - `inside`: cells of the region, row by row.
///
/// # Panics
/// Layers of different shapes.
pub fn terrain_susceptibility(
    slope_deg: &Raster<f32>,
    height_m: &Raster<f32>,
    cover: &Raster<u8>,
    inside: &[bool],
    table: &ScreeningTable,
) -> Raster<f32> {
    let n = slope_deg.grid.cells();
    assert!(
        height_m.values().len() == n && cover.values().len() == n && inside.len() == n,
        "layers differ in shape"
    );
    let known = |i: usize| inside[i] && !slope_deg.values()[i].is_nan();
    let sloping = |i: usize| known(i) && f64::from(slope_deg.values()[i]) >= table.least_slope_deg;
    let on_slopes = |values: &dyn Fn(usize) -> f32| {
        let mut out = Raster::filled(slope_deg.grid, f32::NAN);
        for (i, v) in out.values_mut().iter_mut().enumerate() {
            if sloping(i) {
                *v = values(i);
            }
        }
        percentile_rank(&out)
    };
    let slope = on_slopes(&|i| slope_deg.values()[i]);
    let height = on_slopes(&|i| height_m.values()[i].max(0.0));
    let scores = table.scores();
    let mut rank = on_slopes(&|i| {
        (table.slope_weight * f64::from(slope.values()[i])
            + table.height_weight * f64::from(height.values()[i])
            + table.cover_weight * scores[usize::from(cover.values()[i])]) as f32
    });
    for (i, v) in rank.values_mut().iter_mut().enumerate() {
        if known(i) && !sloping(i) {
            *v = 0.0;
        }
    }
    rank
}

/// Rank of every value among all, 0..=1 (share of values below plus half of the equal ones); missing stays missing.
pub fn percentile_rank(values: &Raster<f32>) -> Raster<f32> {
    let mut sorted: Vec<f32> = values
        .values()
        .iter()
        .copied()
        .filter(|v| !v.is_nan())
        .collect();
    sorted.par_sort_unstable_by(f32::total_cmp);
    let n = sorted.len() as f64;
    values.map(|v| {
        if v.is_nan() {
            return f32::NAN;
        }
        let below = sorted.partition_point(|&s| s < v);
        let upto = sorted.partition_point(|&s| s <= v);
        (0.5 * (below + upto) as f64 / n) as f32
    })
}

/// Screening index, 0..=1: susceptibility times the percentile of the rain, which is either the rank of a place among
/// others or the share of past storms with less. It orders places or days and is no probability.
///
/// # Panics
/// Rasters of different shapes.
pub fn screening_index(susceptibility: &Raster<f32>, rain_percentile: &Raster<f32>) -> Raster<f32> {
    assert_eq!(
        susceptibility.grid.shape(),
        rain_percentile.grid.shape(),
        "susceptibility and rain differ in shape"
    );
    let mut out = susceptibility.clone();
    for (v, &p) in out.values_mut().iter_mut().zip(rain_percentile.values()) {
        *v *= p.clamp(0.0, 1.0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};

    fn row<T: Copy>(values: &[T]) -> Raster<T> {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (800.0, 800.0),
            (1, values.len()),
        )
        .unwrap();
        let mut out = Raster::filled(grid, values[0]);
        out.values_mut().copy_from_slice(values);
        out
    }

    #[test]
    fn ranks_count_half_of_the_equal_ones() {
        let rank = percentile_rank(&row(&[3.0, 1.0, f32::NAN, 3.0, 7.0]));
        assert_eq!(rank.values()[..2], [0.5, 0.125]);
        assert!(rank.values()[2].is_nan());
        assert_eq!(rank.values()[3..], [0.5, 0.875]);
    }

    #[test]
    fn susceptibility_by_hand() {
        let mut table = ScreeningTable::standard();
        (table.slope_weight, table.height_weight, table.cover_weight) = (0.5, 0.0, 0.5);
        // Sea, plain, gentle forest, steep forest, gentle crops, outside.
        let slope = row(&[f32::NAN, 0.5, 5.0, 20.0, 5.0, 30.0]);
        let height = row(&[0.0, 1.0, 50.0, 200.0, f32::NAN, 9.0]);
        let cover = row(&[0, 13, 4, 4, 12, 4]);
        let inside = [true, true, true, true, true, false];
        let rank = terrain_susceptibility(&slope, &height, &cover, &inside, &table);
        let v = rank.values();
        assert!(v[0].is_nan() && v[5].is_nan());
        assert_eq!(v[1], 0.0);
        // Sums 1/6 + 0.1, 5/12 + 0.1 and 1/6 + 0.4: ranks 1/6, 1/2 and 5/6.
        for (got, expected) in [(v[2], 1.0 / 6.0), (v[3], 0.5), (v[4], 5.0 / 6.0)] {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
        let index = screening_index(&rank, &row(&[0.5; 6]));
        assert!((index.values()[3] - 0.25).abs() < 1e-6);
    }

    #[test]
    fn more_slope_never_ranks_lower() {
        let table = ScreeningTable::standard();
        let slope: Vec<f32> = (0..40).map(|i| 0.7 * i as f32).collect();
        let n = slope.len();
        let rank = terrain_susceptibility(
            &row(&slope),
            &row(&vec![10.0; n]),
            &row(&vec![4_u8; n]),
            &vec![true; n],
            &table,
        );
        assert!(rank.values().windows(2).all(|w| w[0] <= w[1]));
        assert!(rank.values().iter().all(|v| (0.0..=1.0).contains(v)));
    }

    #[test]
    fn faults_of_the_table_are_listed_together() {
        let text = include_str!("../../standards/landslide_screening.toml")
            .replace("cover_weight = 0.2", "cover_weight = 0.4")
            .replace("other_score = 0.5", "other_score = 1.5");
        let faults = ScreeningTable::parse(&text, Path::new("x.toml")).unwrap_err();
        assert_eq!(faults.faults().len(), 2);
    }
}
