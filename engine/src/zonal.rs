//! Statistics of a raster over polygons (zones), each cell weighted by the share of it that the polygon covers.
//!
//! Weights come from [`crate::rasterize::coverage_runs`], so that a zone's sum is exact up to the rounding of f64 and
//! neighbouring zones share a border cell without counting any of it twice. The variance is taken in a second pass
//! about the mean. Zones run in parallel; within a zone sums run in a fixed order, so that results do not depend on
//! the number of threads.

use crate::raster::Raster;
use crate::rasterize::{Run, coverage_runs};
use geo::MultiPolygon;
use rayon::prelude::*;

/// What to count and how.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ZonalOptions {
    /// Weight each cell by its area in m² besides its covered share: for means over geographic grids, whose cells grow
    /// smaller towards the pole, and for sums that are integrals over area (depth in m gives volume in m³).
    pub area_weighted: bool,
    /// Leave out cells of which less than this share (0..=1) is covered.
    pub min_coverage: f64,
    /// Compute the standard deviation, at the price of a second pass.
    pub variance: bool,
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
}

/// Statistics of `raster` over each of `zones`, in their order. Zones are in the raster's system.
///
/// * Cells without data (NaN) are skipped: they add to no statistic, `count` included.
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
    zones
        .par_iter()
        .map(|zone| {
            let mut runs = coverage_runs(zone, &raster.grid);
            runs.retain(|r| r.fraction >= options.min_coverage);
            statistics(raster, &runs, options)
        })
        .collect()
}

/// Number of partial sums of a run: wide enough for the widest vector registers, and fixed, so that the order of
/// additions does not depend on the machine.
const LANES: usize = 8;

fn statistics(raster: &Raster<f32>, runs: &[Run], options: &ZonalOptions) -> ZonalStats {
    let (mut count, mut weight, mut sum) = (0.0, 0.0, 0.0);
    let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
    for_weighted_runs(raster, runs, options, |values, fraction, area| {
        let part = run_sums(values);
        if part.count > 0.0 {
            count += part.count * fraction;
            weight += part.count * fraction * area;
            sum += part.sum * (fraction * area);
            min = min.min(part.min);
            max = max.max(part.max);
        }
    });
    if count <= 0.0 {
        return ZonalStats {
            count: 0.0,
            sum: 0.0,
            mean: f64::NAN,
            min: f32::NAN,
            max: f32::NAN,
            stdev: f64::NAN,
        };
    }
    let mean = sum / weight;
    let mut stdev = f64::NAN;
    if options.variance {
        let (mut squares, mut rest) = (0.0, 0.0);
        for_weighted_runs(raster, runs, options, |values, fraction, area| {
            let (s, d) = run_squares(values, mean);
            squares += s * (fraction * area);
            rest += d * (fraction * area);
        });
        // The second term takes out what the mean's rounding leaves (Chan, Golub & LeVeque 1983, eq. 1.7).
        stdev = ((squares - rest * rest / weight) / weight).max(0.0).sqrt();
    }
    ZonalStats {
        count,
        sum,
        mean,
        min,
        max,
        stdev,
    }
}

/// Calls `f` with the values of each run, its covered share and the cell's area (1 unless asked for).
fn for_weighted_runs(
    raster: &Raster<f32>,
    runs: &[Run],
    options: &ZonalOptions,
    mut f: impl FnMut(&[f32], f64, f64),
) {
    let values = raster.values();
    let mut area_of = (u32::MAX, 1.0);
    for r in runs {
        if options.area_weighted && area_of.0 != r.row {
            area_of = (r.row, raster.grid.cell_area_m2(r.row as usize));
        }
        let at = r.row as usize * raster.grid.cols + r.col as usize;
        f(&values[at..at + r.len as usize], r.fraction, area_of.1);
    }
}

struct RunSums {
    count: f64,
    sum: f64,
    min: f32,
    max: f32,
}

fn run_sums(values: &[f32]) -> RunSums {
    let mut sum = [0.0f64; LANES];
    let mut count = [0u32; LANES];
    let mut min = [f32::INFINITY; LANES];
    let mut max = [f32::NEG_INFINITY; LANES];
    let mut add = |i: usize, v: f32| {
        let known = !v.is_nan();
        sum[i] += if known { f64::from(v) } else { 0.0 };
        count[i] += u32::from(known);
        // Comparisons with NaN are false, so that it never enters.
        min[i] = if v < min[i] { v } else { min[i] };
        max[i] = if v > max[i] { v } else { max[i] };
    };
    let (blocks, tail) = values.as_chunks::<LANES>();
    for block in blocks {
        for (i, &v) in block.iter().enumerate() {
            add(i, v);
        }
    }
    for (i, &v) in tail.iter().enumerate() {
        add(i, v);
    }
    RunSums {
        count: f64::from(count.iter().sum::<u32>()),
        sum: sum.iter().sum(),
        min: min.iter().fold(f32::INFINITY, |a, &b| a.min(b)),
        max: max.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b)),
    }
}

/// Sums of squared and of plain differences from `mean`.
fn run_squares(values: &[f32], mean: f64) -> (f64, f64) {
    let (mut squares, mut rest) = ([0.0f64; LANES], [0.0f64; LANES]);
    let mut add = |i: usize, v: f32| {
        let d = if v.is_nan() { 0.0 } else { f64::from(v) - mean };
        squares[i] += d * d;
        rest[i] += d;
    };
    let (blocks, tail) = values.as_chunks::<LANES>();
    for block in blocks {
        for (i, &v) in block.iter().enumerate() {
            add(i, v);
        }
    }
    for (i, &v) in tail.iter().enumerate() {
        add(i, v);
    }
    (squares.iter().sum(), rest.iter().sum())
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
            pool.install(|| zonal(&r, &refs, &ALL))
        };
        assert_eq!(run(1), run(5));
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
