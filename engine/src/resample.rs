//! Resampling: the values of one grid on the cells of another, which may differ in cell size and reference system.
//!
//! | method | value of a target cell | for |
//! | --- | --- | --- |
//! | [`Method::Nearest`] | the source cell that holds its centre | codes, flow directions |
//! | [`Method::Bilinear`] | bilinear between the four source centres around its centre | smooth fields, finer targets |
//! | [`Method::Average`] | mean over its area | smooth fields, coarser targets |
//! | [`Method::Sum`] | total over its area, each source cell spread evenly | counts, values: totals are kept |
//! | [`ClassMethod::Mode`] | class with the largest share of its area | classes, coarser targets |
//!
//! - Missing source cells (NaN) take no part. A target cell that meets no valid source cell is missing.
//! - **Bilinear**: a centre that lies in a missing source cell, or outside the source, stays missing, so that gaps keep
//!   their shape. Next to gaps and edges the weights are divided by the sum of the weights of the valid cells.
//! - **Average, Sum, Mode, same reference system**: by the exact overlap of the cells. Average and Mode weight by the
//!   area in m², which in geographic systems falls towards the poles.
//! - **Average, Mode, other reference system**: k x k sub-cells per target cell, each taking the source cell at its
//!   centre; k is twice the ratio of target to source cell size, 4 to 64. The sub-cells' places come from the exactly
//!   projected corners of the cell by bilinear interpolation; that bends a cell of 1 km by less than 0.1 m, one of
//!   10 km by less than 5 m. All sub-cells weigh the same.
//! - **Sum, other reference system**: the source cell is cut into k x k sub-cells (k from the ratio of source to target
//!   cell size, as above) and each drops its share into the target cell that holds its centre. What falls into the
//!   target is kept up to the rounding of f64 sums.
//!
//! Sums use global blocks in a fixed order: the bytes do not depend on the number of threads.

use crate::crs::Projector;
use crate::grid::Grid;
use crate::raster::Raster;
use rayon::prelude::*;
use std::ops::Range;

/// How values of a field are resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The source cell that holds the centre.
    Nearest,
    /// Bilinear between source centres.
    Bilinear,
    /// Mean over the area of the target cell.
    Average,
    /// Total over the area of the target cell.
    Sum,
}

/// How classes are resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassMethod {
    /// The source cell that holds the centre.
    Nearest,
    /// The class with the largest share of the area; the lower code where shares are equal.
    Mode,
}

/// Side of the source blocks of a sum between reference systems, sub-cells: 4 MiB of drops. Part of the result:
/// changing it changes the order of additions.
const SUM_BLOCK: usize = 512;
/// Blocks whose drops are held at a time.
const SUM_BATCH: usize = 16;

/// The values of `source` on the cells of `target`; see the head of this module for the rules of each method.
pub fn resample(source: &Raster<f32>, target: &Grid, method: Method) -> Raster<f32> {
    if source.grid.same_cells(target) {
        return Raster {
            grid: *target,
            data: source.data.clone(),
            nodata: None,
        };
    }
    let mut out = Raster::filled(*target, f32::NAN);
    match method {
        Method::Nearest => {
            let values = source.values();
            at_centres(&source.grid, target, out.values_mut(), |u, v| {
                cell(&source.grid, u, v).map_or(f32::NAN, |i| values[i])
            });
        }
        Method::Bilinear => {
            let values = source.values();
            at_centres(&source.grid, target, out.values_mut(), |u, v| {
                bilinear(values, &source.grid, u, v)
            });
        }
        Method::Average => over_areas(
            &source.grid,
            target,
            out.values_mut(),
            || (0.0f64, 0.0f64),
            |(sum, weight), i, w| {
                let value = source.values()[i];
                if !value.is_nan() {
                    *sum += w * f64::from(value);
                    *weight += w;
                }
            },
            |(sum, weight)| {
                let mean = if *weight > 0.0 {
                    (*sum / *weight) as f32
                } else {
                    f32::NAN
                };
                (*sum, *weight) = (0.0, 0.0);
                mean
            },
        ),
        Method::Sum => {
            let wide = Raster::new(source.grid, source.data.mapv(f64::from));
            let sum = resample_sum(&wide, target);
            for (to, from) in out.values_mut().iter_mut().zip(sum.values()) {
                *to = *from as f32;
            }
        }
    }
    out
}

/// Totals of `source` over the cells of `target`, in f64, for ledgers that must keep their sums: the sum over the target
/// equals the sum over the part of the source that it covers, up to the rounding of f64.
pub fn resample_sum(source: &Raster<f64>, target: &Grid) -> Raster<f64> {
    if source.grid.same_cells(target) {
        return Raster {
            grid: *target,
            data: source.data.clone(),
            nodata: None,
        };
    }
    if Projector::new(source.grid.crs, target.crs).is_identity() {
        sum_by_overlap(source, target)
    } else {
        sum_by_drops(source, target)
    }
}

/// The classes of `source` on the cells of `target`.
///
/// - Cells of the no-data class take no part.
/// - A target cell that meets no class gets the no-data value of the source. Where the source has none, the highest
///   code that it does not use becomes the no-data value of the result (255 where all are in use).
pub fn resample_classes(source: &Raster<u8>, target: &Grid, method: ClassMethod) -> Raster<u8> {
    let values = source.values();
    let mut used = [false; 256];
    for &v in values {
        used[usize::from(v)] = true;
    }
    let spare = (0..=255u8).rev().find(|&code| !used[usize::from(code)]);
    let nodata = source.nodata.or(spare).unwrap_or(255);
    let mut out = Raster::filled(*target, nodata);
    match method {
        ClassMethod::Nearest => at_centres(&source.grid, target, out.values_mut(), |u, v| {
            cell(&source.grid, u, v).map_or(nodata, |i| values[i])
        }),
        ClassMethod::Mode => over_areas(
            &source.grid,
            target,
            out.values_mut(),
            || [0.0f64; 256],
            |shares, i, w| shares[usize::from(values[i])] += w,
            |shares| {
                if let Some(code) = source.nodata {
                    shares[usize::from(code)] = 0.0;
                }
                let mut best = (nodata, 0.0);
                for (code, share) in shares.iter_mut().enumerate() {
                    if *share > best.1 {
                        best = (code as u8, *share);
                    }
                    *share = 0.0;
                }
                best.0
            },
        ),
    }
    let has_gaps = source.nodata.is_none() && spare.is_some_and(|s| out.values().contains(&s));
    out.nodata = source.nodata.or(has_gaps.then_some(nodata));
    out
}

/// Number of the source cell at column coordinate `u`, row coordinate `v` (cells from the north-western corner).
fn cell(grid: &Grid, u: f64, v: f64) -> Option<usize> {
    // NaN, a point that cannot be projected, fails every comparison.
    (u >= 0.0 && v >= 0.0 && u < grid.cols as f64 && v < grid.rows as f64)
        .then(|| v as usize * grid.cols + u as usize)
}

fn bilinear(values: &[f32], grid: &Grid, u: f64, v: f64) -> f32 {
    match cell(grid, u, v) {
        Some(i) if !values[i].is_nan() => {}
        _ => return f32::NAN,
    }
    let (left, top) = ((u - 0.5).floor(), (v - 0.5).floor());
    let (fx, fy) = (u - 0.5 - left, v - 0.5 - top);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (row, wy) in [(top, 1.0 - fy), (top + 1.0, fy)] {
        for (col, wx) in [(left, 1.0 - fx), (left + 1.0, fx)] {
            let w = wx * wy;
            if let Some(i) = cell(grid, col, row).filter(|_| w > 0.0)
                && !values[i].is_nan()
            {
                sum += w * f64::from(values[i]);
                weight += w;
            }
        }
    }
    (sum / weight) as f32
}

/// Fills each target cell from the source coordinates (columns and rows from the north-western corner) of its centre.
fn at_centres<T: Send>(
    source: &Grid,
    target: &Grid,
    out: &mut [T],
    value: impl Fn(f64, f64) -> T + Sync,
) {
    let projector = Projector::new(target.crs, source.crs);
    out.par_chunks_mut(target.cols)
        .enumerate()
        .for_each(|(row, out)| {
            let y = target.y(row);
            for (col, out) in out.iter_mut().enumerate() {
                let (x, y) = projector.point(target.x(col), y);
                *out = value(
                    (x - source.west) / source.dx,
                    (source.north - y) / source.dy,
                );
            }
        });
}

/// Fills each target cell from the source cells under it and their weights: `state` makes the accumulator of a row,
/// `add` takes a source cell and its weight, `finish` gives the value and clears the accumulator.
fn over_areas<T: Send, S>(
    source: &Grid,
    target: &Grid,
    out: &mut [T],
    state: impl Fn() -> S + Sync,
    add: impl Fn(&mut S, usize, f64) + Sync,
    finish: impl Fn(&mut S) -> T + Sync,
) {
    let projector = Projector::new(target.crs, source.crs);
    if projector.is_identity() {
        let columns = Overlaps::new(
            (target.west - source.west) / source.dx,
            target.dx / source.dx,
            target.cols,
            source.cols,
        );
        let rows = Overlaps::new(
            (source.north - target.north) / source.dy,
            target.dy / source.dy,
            target.rows,
            source.rows,
        );
        let areas: Vec<f64> = (0..source.rows).map(|r| source.cell_area_m2(r)).collect();
        out.par_chunks_mut(target.cols)
            .enumerate()
            .for_each(|(row, out)| {
                let mut acc = state();
                for (col, out) in out.iter_mut().enumerate() {
                    for (r, wr) in rows.of(row) {
                        for (c, wc) in columns.of(col) {
                            add(&mut acc, r * source.cols + c, wr * wc * areas[r]);
                        }
                    }
                    *out = finish(&mut acc);
                }
            });
        return;
    }

    let ratio = size_ratio(target, source);
    let k = sub_cells(ratio);
    let step = 1.0 / k as f64;
    let corner = |row: usize, col: usize| {
        let x = target.west + col as f64 * target.dx;
        let y = target.north - row as f64 * target.dy;
        let (x, y) = projector.point(x, y);
        (
            (x - source.west) / source.dx,
            (source.north - y) / source.dy,
        )
    };
    out.par_chunks_mut(target.cols)
        .enumerate()
        .for_each(|(row, out)| {
            let mut acc = state();
            let mut west = (corner(row, 0), corner(row + 1, 0));
            for (col, out) in out.iter_mut().enumerate() {
                let east = (corner(row, col + 1), corner(row + 1, col + 1));
                for i in 0..k {
                    let t = (i as f64 + 0.5) * step;
                    let (a, b) = (mix(west.0, west.1, t), mix(east.0, east.1, t));
                    for j in 0..k {
                        let (u, v) = mix(a, b, (j as f64 + 0.5) * step);
                        if let Some(i) = cell(source, u, v) {
                            add(&mut acc, i, 1.0);
                        }
                    }
                }
                *out = finish(&mut acc);
                west = east;
            }
        });
}

fn mix(a: (f64, f64), b: (f64, f64), t: f64) -> (f64, f64) {
    (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
}

/// Sub-cells per side for cells `ratio` times as large as those they are laid on.
fn sub_cells(ratio: f64) -> usize {
    // NaN (a centre that cannot be projected) becomes 4.
    (2.0 * ratio).ceil().clamp(4.0, 64.0).max(4.0) as usize
}

/// Size of the cells of `large` in cells of `small`, the larger of width and height, at the middle of `large`.
fn size_ratio(large: &Grid, small: &Grid) -> f64 {
    let projector = Projector::new(large.crs, small.crs);
    let (x, y) = (large.x(large.cols / 2), large.y(large.rows / 2));
    let (a, b) = projector.point(x - large.dx / 2.0, y - large.dy / 2.0);
    let (c, d) = projector.point(x + large.dx / 2.0, y + large.dy / 2.0);
    ((c - a).abs() / small.dx).max((d - b).abs() / small.dy)
}

/// For each target interval along one axis, the source intervals under it and the share of each that it covers.
struct Overlaps {
    first: Vec<usize>,
    start: Vec<usize>,
    shares: Vec<f64>,
}

impl Overlaps {
    /// `offset` and `size`: begin of the first target interval and length of all, in source intervals.
    fn new(offset: f64, size: f64, targets: usize, sources: usize) -> Overlaps {
        // Edges that meet up to rounding are taken as one edge: a cell must not reach a billionth into its neighbour,
        // where that neighbour may be the only one with a value.
        let edge = |i: usize| {
            let e = offset + i as f64 * size;
            if (e - e.round()).abs() < 1e-9 * e.abs().max(1.0) {
                e.round()
            } else {
                e
            }
        };
        let (mut first, mut start, mut shares) = (Vec::new(), vec![0], Vec::new());
        for i in 0..targets {
            let lo = edge(i).clamp(0.0, sources as f64);
            let hi = edge(i + 1).clamp(0.0, sources as f64);
            let begin = lo.floor() as usize;
            first.push(begin);
            for s in begin..(hi.ceil() as usize) {
                shares.push(hi.min((s + 1) as f64) - lo.max(s as f64));
            }
            start.push(shares.len());
        }
        Overlaps {
            first,
            start,
            shares,
        }
    }

    fn of(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        let shares = &self.shares[self.start[i]..self.start[i + 1]];
        (self.first[i]..).zip(shares.iter().copied())
    }
}

fn sum_by_overlap(source: &Raster<f64>, target: &Grid) -> Raster<f64> {
    let from = &source.grid;
    let columns = Overlaps::new(
        (target.west - from.west) / from.dx,
        target.dx / from.dx,
        target.cols,
        from.cols,
    );
    let rows = Overlaps::new(
        (from.north - target.north) / from.dy,
        target.dy / from.dy,
        target.rows,
        from.rows,
    );
    let values = source.values();
    let mut out = Raster::filled(*target, f64::NAN);
    out.values_mut()
        .par_chunks_mut(target.cols)
        .enumerate()
        .for_each(|(row, out)| {
            for (col, out) in out.iter_mut().enumerate() {
                let mut total = f64::NAN;
                for (r, wr) in rows.of(row) {
                    for (c, wc) in columns.of(col) {
                        add_valid(&mut total, values[r * from.cols + c] * (wr * wc));
                    }
                }
                *out = total;
            }
        });
    out
}

/// A NaN value adds nothing, a NaN total has had nothing yet.
fn add_valid(total: &mut f64, value: f64) {
    if !value.is_nan() {
        *total = if total.is_nan() {
            value
        } else {
            *total + value
        };
    }
}

fn sum_by_drops(source: &Raster<f64>, target: &Grid) -> Raster<f64> {
    let from = &source.grid;
    let k = sub_cells(size_ratio(from, target));
    let side = SUM_BLOCK / k;
    let blocks_across = from.cols.div_ceil(side);
    let blocks = blocks_across * from.rows.div_ceil(side);
    let mut out = Raster::filled(*target, f64::NAN);
    for batch in (0..blocks).step_by(SUM_BATCH) {
        let partials: Vec<_> = (batch..(batch + SUM_BATCH).min(blocks))
            .into_par_iter()
            .map(|b| {
                let (row, col) = (b / blocks_across * side, b % blocks_across * side);
                let rows = row..(row + side).min(from.rows);
                let cols = col..(col + side).min(from.cols);
                drops_of_block(source, target, (rows, cols), k)
            })
            .collect();
        let totals = out.values_mut();
        for (cell, value) in partials.into_iter().flatten() {
            add_valid(&mut totals[cell], value);
        }
    }
    out
}

/// What the source cells of one block drop into target cells, by cell number, one entry per target cell.
fn drops_of_block(
    source: &Raster<f64>,
    target: &Grid,
    (rows, cols): (Range<usize>, Range<usize>),
    k: usize,
) -> Vec<(usize, f64)> {
    let from = &source.grid;
    let projector = Projector::new(from.crs, target.crs);
    let step = 1.0 / k as f64;
    let share = step * step;
    let corner = |row: usize, col: usize| {
        let x = from.west + col as f64 * from.dx;
        let y = from.north - row as f64 * from.dy;
        let (x, y) = projector.point(x, y);
        (
            (x - target.west) / target.dx,
            (target.north - y) / target.dy,
        )
    };
    let mut drops: Vec<(usize, f64)> = Vec::new();
    for row in rows {
        let mut west = (corner(row, cols.start), corner(row + 1, cols.start));
        for col in cols.clone() {
            let east = (corner(row, col + 1), corner(row + 1, col + 1));
            let value = source.data[(row, col)];
            if !value.is_nan() {
                let drop = value * share;
                for i in 0..k {
                    let t = (i as f64 + 0.5) * step;
                    let (a, b) = (mix(west.0, west.1, t), mix(east.0, east.1, t));
                    for j in 0..k {
                        let (u, v) = mix(a, b, (j as f64 + 0.5) * step);
                        let Some(at) = cell(target, u, v) else {
                            continue;
                        };
                        match drops.last_mut() {
                            Some((last, sum)) if *last == at => *sum += drop,
                            _ => drops.push((at, drop)),
                        }
                    }
                }
            }
            west = east;
        }
    }
    // A stable sort keeps the order of additions within a target cell.
    drops.sort_by_key(|(at, _)| *at);
    drops.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    drops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crs::Crs;
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    fn gk(origin: (f64, f64), cell: f64, shape: (usize, usize)) -> Grid {
        Grid::new(Crs::from_epsg(4549).unwrap(), origin, (cell, cell), shape).unwrap()
    }

    /// A degree grid over the middle of Zhejiang, and a metre grid that covers all of it with room to spare.
    fn degrees_and_metres(cell_m: f64) -> (Grid, Grid) {
        let degrees = Grid::new(Crs::CGCS2000, (119.5, 29.5), (0.01, 0.01), (30, 40)).unwrap();
        let bounds = degrees
            .bounds()
            .projected(degrees.crs, Crs::from_epsg(4549).unwrap());
        let metres = Grid::covering(
            Crs::from_epsg(4549).unwrap(),
            &bounds.expanded(2.0 * cell_m),
            cell_m,
        )
        .unwrap();
        (degrees, metres)
    }

    #[test]
    fn small_cases_by_hand() {
        let nan = f32::NAN;
        let source = Raster::new(
            gk((0.0, 4.0), 1.0, (4, 4)),
            array![
                [1., 2., 3., 4.],
                [5., 6., 7., 8.],
                [nan, nan, 1., 1.],
                [nan, nan, nan, 5.]
            ],
        );
        let coarse = gk((0.0, 4.0), 2.0, (2, 2));
        let mean = resample(&source, &coarse, Method::Average);
        assert_eq!(mean.data[(0, 0)], 3.5);
        assert!(mean.data[(1, 0)].is_nan());
        assert_eq!(mean.data[(1, 1)], (7.0f64 / 3.0) as f32);
        let sum = resample(&source, &coarse, Method::Sum);
        assert_eq!(sum.data[(0, 0)], 14.0);
        assert!(sum.data[(1, 0)].is_nan());
        assert_eq!(sum.data[(1, 1)], 7.0);
        // Cells of 2 from x = 1: a quarter of each neighbour where cells are halved.
        let shifted = resample(&source, &gk((0.5, 4.0), 1.0, (1, 1)), Method::Sum);
        assert_eq!(shifted.data[(0, 0)], 1.5);
        let near = resample(&source, &gk((0.2, 3.9), 1.0, (1, 1)), Method::Nearest);
        assert_eq!(near.data[(0, 0)], 1.0);
    }

    #[test]
    fn bilinear_by_hand() {
        let nan = f32::NAN;
        let source = Raster::new(gk((0.0, 2.0), 1.0, (2, 2)), array![[1., 3.], [5., nan]]);
        let at = |x: f64, y: f64| {
            let target = gk((x - 0.05, y + 0.05), 0.1, (1, 1));
            resample(&source, &target, Method::Bilinear).data[(0, 0)]
        };
        assert!((at(1.0, 1.5) - 2.0).abs() < 1e-6, "midway between 1 and 3");
        assert!(
            (at(0.25, 1.75) - 1.0).abs() < 1e-6,
            "beyond the outer centres: the edge value"
        );
        // Weights of the corner point: a quarter each, the missing one divided out.
        assert!((at(0.999_999, 1.000_001) - 3.0).abs() < 1e-4);
        assert!(at(1.5, 0.5).is_nan(), "in the gap");
        assert!(at(2.5, 1.5).is_nan(), "outside");
    }

    #[test]
    fn classes_by_area() {
        let source = Raster::new(
            gk((0.0, 2.0), 1.0, (2, 4)),
            array![[1u8, 1, 9, 4], [2, 3, 9, 3]],
        )
        .with_nodata(9);
        let mode = resample_classes(&source, &gk((0.0, 2.0), 2.0, (1, 3)), ClassMethod::Mode);
        // 3 and 4 share equally: the lower; the third cell lies outside.
        assert_eq!(mode.data, array![[1u8, 3, 9]]);
        assert_eq!(mode.nodata, Some(9));
        let plain = Raster::new(gk((0.0, 1.0), 1.0, (1, 2)), array![[255u8, 1]]);
        let near = resample_classes(&plain, &gk((0.0, 1.0), 1.0, (1, 3)), ClassMethod::Nearest);
        assert_eq!(near.data, array![[255u8, 1, 254]]);
        assert_eq!(near.nodata, Some(254));
        let inside = resample_classes(&plain, &gk((0.5, 1.0), 1.0, (1, 1)), ClassMethod::Nearest);
        assert_eq!(inside.nodata, None);
    }

    #[test]
    fn average_in_degrees_weights_by_area() {
        // Two rows of one degree at 60 and 0 degrees apart would differ; here 59..61: areas from the zone formula.
        let source = Raster::new(
            Grid::new(Crs::CGCS2000, (100.0, 61.0), (1.0, 1.0), (2, 1)).unwrap(),
            array![[0.0f32], [1.0]],
        );
        let target = Grid::new(Crs::CGCS2000, (100.0, 61.0), (1.0, 2.0), (1, 1)).unwrap();
        let mean = resample(&source, &target, Method::Average).data[(0, 0)];
        let (top, low) = (source.grid.cell_area_m2(0), source.grid.cell_area_m2(1));
        assert_eq!(mean, (low / (top + low)) as f32);
        assert!(mean > 0.5);
    }

    #[test]
    fn sums_survive_a_change_of_system() {
        for cell_m in [300.0, 1000.0, 5000.0] {
            let (degrees, metres) = degrees_and_metres(cell_m);
            let mut source = Raster::filled(degrees, 0.0f64);
            for (i, v) in source.values_mut().iter_mut().enumerate() {
                *v = (i * 7919 % 1000) as f64 + 0.1;
            }
            source.data[(3, 3)] = f64::NAN;
            let total = |r: &Raster<f64>| r.values().iter().filter(|v| !v.is_nan()).sum::<f64>();
            let out = resample_sum(&source, &metres);
            assert!(
                (total(&out) / total(&source) - 1.0).abs() < 1e-9,
                "{cell_m}"
            );
            let narrow = resample(&source.map(|v| v as f32), &metres, Method::Sum);
            assert_eq!(narrow.values().len(), out.values().len());
        }
    }

    #[test]
    fn fields_survive_a_change_of_system() {
        // A plane in degrees, brought to metres: each method must give the plane at the centre of the cell. Nearest and
        // Average (here of cells half as large as the source's) may be off by half a source cell, 0.5 + 0.25; Bilinear
        // by the rounding of f32 alone.
        let (degrees, metres) = degrees_and_metres(500.0);
        let plane = |lon: f64, lat: f64| (100.0 * (lon - 119.5) + 50.0 * (lat - 29.0)) as f32;
        let data =
            Array2::from_shape_fn(degrees.shape(), |(r, c)| plane(degrees.x(c), degrees.y(r)));
        let source = Raster::new(degrees, data);
        let back = Projector::new(metres.crs, degrees.crs);
        for (method, tolerance) in [
            (Method::Nearest, 0.76),
            (Method::Bilinear, 1e-3),
            (Method::Average, 0.76),
        ] {
            let out = resample(&source, &metres, method);
            let mut seen = 0;
            for ((r, c), v) in out.data.indexed_iter() {
                let (lon, lat) = back.point(metres.x(c), metres.y(r));
                let inner = lon > 119.52 && lon < 119.88 && lat > 29.22 && lat < 29.48;
                if inner {
                    assert!((v - plane(lon, lat)).abs() < tolerance, "{method:?} {v}");
                    seen += 1;
                }
            }
            assert!(seen > 1000);
        }
    }

    #[test]
    fn the_number_of_threads_does_not_show() {
        let (degrees, metres) = degrees_and_metres(700.0);
        let data = Array2::from_shape_fn(degrees.shape(), |(r, c)| {
            ((r * 31 + c * 17) % 97) as f64 / 7.0
        });
        let source = Raster::new(degrees, data);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let bits = resample_sum(&source, &metres).data.mapv(f64::to_bits);
                let mean = resample(&source.map(|v| v as f32), &metres, Method::Average);
                (bits, mean.data.mapv(f32::to_bits))
            })
        };
        assert_eq!(with(1), with(4));
    }

    proptest! {
        #[test]
        fn same_system(
            west in -3.0f64..3.0, north in 5.0f64..12.0, cell in 0.3f64..4.0,
            values in proptest::collection::vec(-50.0f32..50.0, 64),
        ) {
            let source = Raster::new(
                gk((0.0, 8.0), 1.0, (8, 8)),
                Array2::from_shape_vec((8, 8), values).unwrap(),
            );
            let target = gk((west, north), cell, (6, 6));
            let (lo, hi) = source.range().unwrap();
            for method in [Method::Nearest, Method::Bilinear, Method::Average] {
                let out = resample(&source, &target, method);
                if let Some((a, b)) = out.range() {
                    prop_assert!(a >= lo && b <= hi, "{:?}", method);
                }
                let constant = resample(&Raster::filled(source.grid, 0.1f32), &target, method);
                prop_assert!(constant.values().iter().all(|v| v.is_nan() || *v == 0.1));
            }
            // A target that covers the source keeps its sum.
            let wide = source.map(f64::from);
            let cover = gk((-cell, 8.0 + 0.7 * cell), cell, ((8.0 / cell) as usize + 3, (8.0 / cell) as usize + 3));
            let sum: f64 = resample_sum(&wide, &cover).values().iter().filter(|v| !v.is_nan()).sum();
            let before: f64 = wide.values().iter().sum();
            let scale: f64 = wide.values().iter().map(|v| v.abs()).sum();
            prop_assert!((sum - before).abs() <= 1e-12 * scale, "{} {}", sum, before);
        }
    }
}
