//! Statistics of a raster over polygons (zones), each cell weighted by the share of it that the polygon covers.
//!
//! Weights come from [`crate::rasterize::Edges`], so that a zone's sum is exact up to the rounding of f64 and
//! neighbouring zones share a border cell without counting any of it twice.
//!
//! | file | holds |
//! | --- | --- |
//! | `sums`, `tally` | kernels: sums over stretches of cells, which values there are |
//! | `pass` | the schedule: [`ZonalPass`] takes rows from the north and gives [`ZoneSums`] |
//! | `file` | [`zonal_file`]: rows from a GeoTIFF, read strip by strip |
//!
//! Results do not depend on the number of threads, nor on whether the rows come from memory or from a file. Cells
//! without data (NaN) are skipped, as exactextract skips them: they add to no statistic, `count` included.

#[cfg(feature = "geotiff")]
mod file;
mod pass;
mod sums;
mod tally;

#[cfg(feature = "geotiff")]
pub use file::zonal_file;
pub use pass::{ZonalPass, ZoneSums};
pub use tally::Tally;

use crate::raster::Raster;
use geo::MultiPolygon;

/// What to count and how.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ZonalOptions {
    /// Weight each cell by its area in m² besides its covered share: for means over geographic grids, whose cells grow
    /// smaller towards the pole, and for sums that are integrals over area (depth in m gives volume in m³).
    pub area_weighted: bool,
    /// Leave out cells of which less than this share (0..=1) is covered.
    pub min_coverage: f64,
    /// Compute the standard deviation, at the price of a second look at each cell.
    pub variance: bool,
    /// Keep which values there are, for quantiles and classes.
    pub values: bool,
}

/// Statistics of one zone over its cells with data. Without any such cell `count` and `sum` are 0 and the others NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZonalStats {
    /// Sum of covered shares, in cells.
    pub count: f64,
    /// Weighted sum of values; the weight is the covered share, times the cell's area in m² if so asked.
    pub sum: f64,
    /// Weighted mean.
    pub mean: f64,
    /// Least value of any cell that counts.
    pub min: f32,
    /// Greatest value of any cell that counts.
    pub max: f32,
    /// Weighted standard deviation of the population; NaN unless asked for.
    pub stdev: f64,
    /// Sum of weights of a second raster, each times the covered share (and area); NaN without one, or where a cell with
    /// a value has no weight.
    pub weight: f64,
    /// Sum of values times those weights.
    pub weighted_sum: f64,
    /// Mean by those weights.
    pub weighted_mean: f64,
    /// Standard deviation by those weights; NaN unless asked for.
    pub weighted_stdev: f64,
}

impl ZonalStats {
    /// Of a zone without a cell that has data.
    const EMPTY: ZonalStats = ZonalStats {
        count: 0.0,
        sum: 0.0,
        mean: f64::NAN,
        min: f32::NAN,
        max: f32::NAN,
        stdev: f64::NAN,
        weight: f64::NAN,
        weighted_sum: f64::NAN,
        weighted_mean: f64::NAN,
        weighted_stdev: f64::NAN,
    };
}

/// Statistics of `raster` over each of `zones`, in their order. Zones are in the raster's system.
/// [`ZonalPass`] does the same with weights, for rows that come one after the other, and keeps the sums for merging.
///
/// # Examples
/// ```
/// use anlan_engine::zonal::{ZonalOptions, zonal};
/// use anlan_engine::{Crs, Grid, Raster};
/// use geo::{MultiPolygon, polygon};
///
/// let grid = Grid::new(Crs::from_epsg(4549)?, (0.0, 2.0), (1.0, 1.0), (2, 2))?;
/// let people = Raster::new(grid, ndarray::array![[4.0f32, 8.0], [2.0, 6.0]]);
/// let town = MultiPolygon::from(polygon![(x: 0.5, y: 0.0), (x: 2.0, y: 0.0), (x: 2.0, y: 2.0), (x: 0.5, y: 2.0)]);
/// let s = zonal(&people, &[&town], &ZonalOptions::default())[0];
/// assert_eq!((s.count, s.sum), (3.0, 17.0));
/// # Ok::<(), anlan_engine::Error>(())
/// ```
pub fn zonal(
    raster: &Raster<f32>,
    zones: &[&MultiPolygon<f64>],
    options: &ZonalOptions,
) -> Vec<ZonalStats> {
    let mut pass = ZonalPass::new(&raster.grid, zones, options);
    pass.add(raster.values(), None);
    pass.finish().iter().map(ZoneSums::stats).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crs::Crs;
    use crate::grid::Grid;
    use geo::{Area, polygon};
    use ndarray::Array2;
    use proptest::prelude::*;

    fn rectangle(w: f64, s: f64, e: f64, n: f64) -> MultiPolygon<f64> {
        polygon![(x: w, y: s), (x: e, y: s), (x: e, y: n), (x: w, y: n)].into()
    }

    fn numbered(rows: usize, cols: usize) -> Raster<f32> {
        let g = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, rows as f64),
            (1.0, 1.0),
            (rows, cols),
        )
        .unwrap();
        Raster::new(
            g,
            Array2::from_shape_fn((rows, cols), |(r, c)| (r * cols + c) as f32),
        )
    }

    const ALL: ZonalOptions = ZonalOptions {
        area_weighted: false,
        min_coverage: 0.0,
        variance: true,
        values: false,
    };

    #[test]
    fn weights_on_paper() {
        // 0 1 2 / 3 4 5: quarter of 1 and of 4, half of 2 and of 5.
        let r = numbered(2, 3);
        let s = zonal(&r, &[&rectangle(1.75, 0.5, 2.5, 1.5)], &ALL)[0];
        // Shares: 1 -> 0.125, 2 -> 0.25, 4 -> 0.125, 5 -> 0.25.
        assert_eq!(s.count, 0.75);
        assert_eq!(s.sum, 0.125 + 0.5 + 0.5 + 1.25);
        assert_eq!(s.mean, 2.375 / 0.75);
        assert_eq!((s.min, s.max), (1.0, 5.0));
        let m = s.mean;
        let var = [(1.0, 0.125), (2.0, 0.25), (4.0, 0.125), (5.0, 0.25)]
            .map(|(v, w)| w * (v - m) * (v - m));
        let expected = (var.iter().sum::<f64>() / 0.75).sqrt();
        assert!((s.stdev - expected).abs() < 1e-14);
        let most = ZonalOptions {
            min_coverage: 0.2,
            ..ALL
        };
        let s = zonal(&r, &[&rectangle(1.75, 0.5, 2.5, 1.5)], &most)[0];
        assert_eq!((s.count, s.sum, s.min), (0.5, 1.75, 2.0));
    }

    #[test]
    fn missing_cells_and_empty_zones() {
        let mut r = numbered(2, 3);
        r.data[(0, 1)] = f32::NAN;
        let away = rectangle(50.0, 50.0, 60.0, 60.0);
        let missing = rectangle(1.0, 1.0, 2.0, 2.0);
        let all = rectangle(-1.0, -1.0, 9.0, 9.0);
        let s = zonal(&r, &[&away, &missing, &all], &ALL);
        for empty in &s[..2] {
            assert_eq!((empty.count, empty.sum), (0.0, 0.0));
            assert!(empty.mean.is_nan() && empty.min.is_nan() && empty.stdev.is_nan());
        }
        assert_eq!(
            (s[2].count, s[2].sum, s[2].min, s[2].max),
            (5.0, 14.0, 0.0, 5.0)
        );
    }

    #[test]
    fn area_weights_shrink_towards_the_pole() {
        let g = Grid::new(Crs::CGCS2000, (110.0, 60.0), (1.0, 60.0), (1, 1)).unwrap();
        let two = Grid {
            dy: 30.0,
            rows: 2,
            ..g
        };
        let r = Raster::new(two, ndarray::array![[1.0f32], [0.0]]);
        let zone = rectangle(110.0, 0.0, 111.0, 60.0);
        let weighted = ZonalOptions {
            area_weighted: true,
            ..ALL
        };
        let s = zonal(&r, &[&zone], &weighted)[0];
        // On a sphere the band 30..60 deg holds (sin 60 - sin 30) / sin 60 of the area up to 60 deg: 0.42265. The
        // ellipsoid differs by its flattening, 1/298, times a factor below 1.
        assert!((s.mean - 0.422_65).abs() < 1.0 / 298.0, "{}", s.mean);
        assert!((s.sum / two.cell_area_m2(0) - 1.0).abs() < 1e-12);
        assert_eq!(s.count, 2.0);
    }

    #[test]
    fn the_thread_count_does_not_matter() {
        let r = numbered(60, 60);
        let zones: Vec<_> = (0..40)
            .map(|i| rectangle(f64::from(i) * 0.37, 3.3, f64::from(i) + 7.7, 51.1))
            .collect();
        let refs: Vec<_> = zones.iter().collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            // As text: statistics that were not asked for are NaN.
            pool.install(|| format!("{:?}", zonal(&r, &refs, &ALL)))
        };
        assert_eq!(run(1), run(5));
    }

    fn sums_of(
        r: &Raster<f32>,
        weights: Option<&Raster<f32>>,
        zones: &[&MultiPolygon<f64>],
        strips: &[usize],
    ) -> Vec<ZoneSums> {
        let options = ZonalOptions {
            values: true,
            ..ALL
        };
        let mut pass = ZonalPass::new(&r.grid, zones, &options);
        if weights.is_some() {
            pass = pass.with_weights();
        }
        let cols = r.grid.cols;
        for rows in strips {
            let first = pass.next_row() * cols;
            let cells = first..(first + rows * cols).min(r.values().len());
            pass.add(
                &r.values()[cells.clone()],
                weights.map(|w| &w.values()[cells]),
            );
        }
        pass.finish()
    }

    #[test]
    fn strips_of_rows_make_no_difference() {
        let r = numbered(300, 40).map(|v| {
            if v % 7.0 == 3.0 {
                f32::NAN
            } else {
                libm::sinf(v)
            }
        });
        let w = r.map(|v| if v.is_nan() { 2.0 } else { v + 2.0 });
        let zones = [
            rectangle(-3.0, -3.0, 22.2, 280.7),
            polygon![(x: 1.0, y: 1.0), (x: 39.5, y: 140.3), (x: 4.4, y: 299.0)].into(),
        ];
        let refs: Vec<_> = zones.iter().collect();
        let whole = sums_of(&r, Some(&w), &refs, &[300]);
        for strips in [&[64; 5][..], &[128, 192], &[64, 128, 128]] {
            assert_eq!(sums_of(&r, Some(&w), &refs, strips), whole);
        }
        assert!(whole[0].stats().weighted_mean.is_finite());
    }

    #[test]
    fn weights_of_a_second_raster_on_paper() {
        let r = numbered(1, 3);
        let w = r.map(|v| [2.0, 1.0, 4.0][v as usize]);
        // Shares 1, 1, 0.5; weights 2, 1, 2.
        let zone = rectangle(0.0, 0.0, 2.5, 1.0);
        let s = sums_of(&r, Some(&w), &[&zone], &[1])[0].stats();
        assert_eq!((s.weight, s.weighted_sum, s.weighted_mean), (5.0, 5.0, 1.0));
        // (2·1 + 1·0 + 2·1) / 5.
        assert_eq!(s.weighted_stdev, 0.8f64.sqrt());
        assert_eq!((s.count, s.sum), (2.5, 2.0));
        // A value without a weight: the weighted statistics are not known, the others are.
        let gap = w.map(|v| if v == 1.0 { f32::NAN } else { v });
        let s = sums_of(&r, Some(&gap), &[&zone], &[1])[0].stats();
        assert!(s.weight.is_nan() && s.weighted_mean.is_nan() && s.weighted_stdev.is_nan());
        assert_eq!((s.count, s.mean), (2.5, 0.8));
        // A weight without a value counts for nothing.
        let hole = r.map(|v| if v == 1.0 { f32::NAN } else { v });
        let s = sums_of(&hole, Some(&w), &[&zone], &[1])[0].stats();
        assert_eq!((s.weight, s.weighted_sum), (4.0, 4.0));
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let r = numbered(130, 50).map(|v| (v * 0.37).floor());
        let parts = [
            rectangle(0.0, 0.0, 20.3, 130.0),
            rectangle(20.3, 0.0, 33.3, 130.0),
            rectangle(33.3, 0.0, 50.0, 130.0),
        ];
        let whole = rectangle(0.0, 0.0, 50.0, 130.0);
        let sums = sums_of(&r, None, &[&parts[0], &parts[1], &parts[2], &whole], &[130]);
        let mut merged = sums[0].clone();
        merged.merge(&sums[1]);
        merged.merge(&sums[2]);
        let (a, b) = (merged.stats(), sums[3].stats());
        // The sum of the county is the sum of its townships, to the bit.
        assert_eq!(a.sum, sums[..3].iter().map(|s| s.stats().sum).sum::<f64>());
        for (x, y) in [(a.count, b.count), (a.sum, b.sum), (a.stdev, b.stdev)] {
            assert!((x / y - 1.0).abs() < 1e-13, "{x} {y}");
        }
        let (t, u) = (merged.tally().unwrap(), sums[3].tally().unwrap());
        assert_eq!((t.variety(), t.majority()), (u.variety(), u.majority()));
        assert!((t.quantile(0.3) - u.quantile(0.3)).abs() < 1e-9);
    }

    #[test]
    fn the_spread_of_large_numbers_is_kept() {
        // Mean 1e7, spread 1: the squares of the values would need 15 digits.
        let r = numbered(128, 8).map(|v| 1e7 + if v % 2.0 == 0.0 { 1.0 } else { -1.0 });
        let s = zonal(&r, &[&rectangle(0.0, 0.0, 8.0, 128.0)], &ALL)[0];
        assert_eq!((s.mean, s.stdev), (1e7, 1.0));
    }

    proptest! {
        /// Zones that share borders add up to the zone they make up; a constant raster has the constant's mean and no
        /// spread.
        #[test]
        fn parts_add_up(cuts in prop::collection::vec(0.0f64..12.0, 1..6)) {
            let r = numbered(12, 12);
            let mut edges = cuts.clone();
            edges.extend([0.0, 12.0]);
            edges.sort_by(f64::total_cmp);
            let zones: Vec<_> = edges.windows(2).map(|w| rectangle(w[0], 0.3, w[1], 11.6)).collect();
            let refs: Vec<_> = zones.iter().filter(|z| z.unsigned_area() > 0.0).collect();
            let whole = zonal(&r, &[&rectangle(0.0, 0.3, 12.0, 11.6)], &ALL)[0];
            let parts = zonal(&r, &refs, &ALL);
            let sum: f64 = parts.iter().map(|p| p.sum).sum();
            prop_assert!((sum / whole.sum - 1.0).abs() < 1e-12);
            let flat = r.map(|_| 3.7f32);
            for p in zonal(&flat, &refs, &ALL) {
                prop_assert!((p.mean - f64::from(3.7f32)).abs() < 1e-12 && p.stdev < 1e-12);
            }
        }
    }
}
