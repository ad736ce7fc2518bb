//! Resampling between grids, which may differ in cell size and in coordinate system.
//!
//! Every method looks from the target cell back to the source (only `Sum` goes forward, so that nothing is lost):
//! `Nearest` takes the source cell that holds the target's centre, `Bilinear` weighs the four source centres around it
//! (missing ones are left out and the weights renormalised), `Average` and `Mode` look at k × k points of the target
//! cell, k from the ratio of cell sizes and at least 4, and `Sum` splits each source cell into k × k parts and adds each to
//! the target cell it falls into.

use crate::crs::Projector;
use crate::grid::Grid;
use crate::raster::Raster;
use rayon::prelude::*;

/// How values are carried to another grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Value of the source cell at the target's centre.
    Nearest,
    /// Weighted by distance to the four nearest source centres.
    Bilinear,
    /// Mean over the target cell.
    Average,
    /// Shares of source cells added up; the total over the common area is kept.
    Sum,
}

/// How classes are carried to another grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassMethod {
    /// Class of the source cell at the target's centre.
    Nearest,
    /// Most frequent class within the target cell, ties to the smaller code.
    Mode,
}

/// Carries a float raster to another grid; cells without a source value are NaN (0 for `Sum` inside the source's extent
/// counts as a value only where a source cell contributes).
pub fn resample(source: &Raster<f32>, target: &Grid, method: Method) -> Raster<f32> {
    let back = Projector::new(target.crs, source.grid.crs);
    let k = subsamples(target, &source.grid, &back);
    match method {
        Method::Sum => return sum(source, target),
        Method::Nearest | Method::Bilinear | Method::Average => {}
    }
    let mut out = Raster::filled(*target, f32::NAN);
    out.values_mut()
        .par_chunks_mut(target.cols)
        .enumerate()
        .for_each(|(row, line)| {
            for (col, value) in line.iter_mut().enumerate() {
                *value = match method {
                    Method::Bilinear => {
                        let (x, y) = back.point(target.x(col), target.y(row));
                        bilinear(source, x, y)
                    }
                    Method::Average => {
                        let (mut sum, mut n) = (0.0_f64, 0_u32);
                        each_point(target, row, col, k, |x, y| {
                            let (x, y) = back.point(x, y);
                            if let Some(v) = source.at(x, y).filter(|v| !v.is_nan()) {
                                sum += f64::from(v);
                                n += 1;
                            }
                        });
                        if n > 0 { (sum / f64::from(n)) as f32 } else { f32::NAN }
                    }
                    _ => {
                        let (x, y) = back.point(target.x(col), target.y(row));
                        source.at(x, y).unwrap_or(f32::NAN)
                    }
                };
            }
        });
    out
}

/// Carries classes to another grid; cells without a source take its no-data value, or 255.
pub fn resample_classes(source: &Raster<u8>, target: &Grid, method: ClassMethod) -> Raster<u8> {
    let back = Projector::new(target.crs, source.grid.crs);
    let k = match method {
        ClassMethod::Nearest => 1,
        ClassMethod::Mode => subsamples(target, &source.grid, &back),
    };
    let missing = source.nodata.unwrap_or(255);
    let mut out = Raster::filled(*target, missing).with_nodata(missing);
    out.values_mut()
        .par_chunks_mut(target.cols)
        .enumerate()
        .for_each(|(row, line)| {
            for (col, value) in line.iter_mut().enumerate() {
                let mut counts = [0_u32; 256];
                each_point(target, row, col, k, |x, y| {
                    let (x, y) = back.point(x, y);
                    if let Some(class) = source.at(x, y).filter(|&c| c != missing) {
                        counts[class as usize] += 1;
                    }
                });
                let mut best = 0;
                for class in 0..256 {
                    if counts[class] > best {
                        best = counts[class];
                        *value = class as u8;
                    }
                }
            }
        });
    out
}

/// Points per side of a target cell: about two per source cell, 4 to 64.
fn subsamples(target: &Grid, source: &Grid, back: &Projector) -> usize {
    let (row, col) = (target.rows / 2, target.cols / 2);
    let (x, y) = (target.x(col), target.y(row));
    let a = back.point(x, y);
    let b = back.point(x + target.dx, y - target.dy);
    let cells = ((b.0 - a.0) / source.dx).abs().max(((b.1 - a.1) / source.dy).abs());
    ((2.0 * cells).ceil() as usize).clamp(4, 64)
}

fn each_point(grid: &Grid, row: usize, col: usize, k: usize, mut f: impl FnMut(f64, f64)) {
    let west = grid.west + col as f64 * grid.dx;
    let north = grid.north - row as f64 * grid.dy;
    for i in 0..k {
        for j in 0..k {
            let t = |n: usize| (n as f64 + 0.5) / k as f64;
            f(west + t(j) * grid.dx, north - t(i) * grid.dy);
        }
    }
}

fn bilinear(source: &Raster<f32>, x: f64, y: f64) -> f32 {
    let g = &source.grid;
    if g.cell_at(x, y).is_none() {
        return f32::NAN;
    }
    let u = (x - g.west) / g.dx - 0.5;
    let v = (g.north - y) / g.dy - 0.5;
    let (c0, r0) = (u.floor(), v.floor());
    let (fu, fv) = (u - c0, v - r0);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (dr, dc, w) in [
        (0.0, 0.0, (1.0 - fu) * (1.0 - fv)),
        (0.0, 1.0, fu * (1.0 - fv)),
        (1.0, 0.0, (1.0 - fu) * fv),
        (1.0, 1.0, fu * fv),
    ] {
        let (r, c) = (r0 + dr, c0 + dc);
        let inside = r >= 0.0 && c >= 0.0 && r < g.rows as f64 && c < g.cols as f64;
        if w > 0.0 && inside {
            let z = source.data[(r as usize, c as usize)];
            if !z.is_nan() {
                sum += w * f64::from(z);
                weight += w;
            }
        }
    }
    if weight > 0.0 { (sum / weight) as f32 } else { f32::NAN }
}

fn sum(source: &Raster<f32>, target: &Grid) -> Raster<f32> {
    let forward = Projector::new(source.grid.crs, target.crs);
    let k = subsamples(&source.grid, target, &forward);
    let mut totals = vec![f64::NAN; target.cells()];
    let share = 1.0 / (k * k) as f64;
    for row in 0..source.grid.rows {
        for col in 0..source.grid.cols {
            let value = source.data[(row, col)];
            if value.is_nan() {
                continue;
            }
            each_point(&source.grid, row, col, k, |x, y| {
                let (x, y) = forward.point(x, y);
                if let Some((r, c)) = target.cell_at(x, y) {
                    let t = &mut totals[r * target.cols + c];
                    *t = f64::from(value) * share + if t.is_nan() { 0.0 } else { *t };
                }
            });
        }
    }
    let mut out = Raster::filled(*target, f32::NAN);
    for (v, t) in out.values_mut().iter_mut().zip(totals) {
        *v = t as f32;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crs::Crs;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn grid(epsg: u32, origin: (f64, f64), cell: f64, shape: (usize, usize)) -> Grid {
        Grid::new(Crs::from_epsg(epsg).unwrap(), origin, (cell, cell), shape).unwrap()
    }

    #[test]
    fn paper_cases() {
        let g = grid(4549, (0.0, 40.0), 10.0, (4, 4));
        let r = Raster::new(g, Array2::from_shape_fn((4, 4), |(i, j)| (i * 4 + j) as f32));
        let coarse = grid(4549, (0.0, 40.0), 20.0, (2, 2));
        assert_eq!(resample(&r, &coarse, Method::Average).data[(0, 0)], 2.5);
        assert_eq!(resample(&r, &coarse, Method::Sum).data[(1, 1)], 50.0);
        let fine = grid(4549, (0.0, 40.0), 5.0, (8, 8));
        // Between the centres of cells 0 and 1 the plane j + 4 i is met exactly.
        assert_eq!(resample(&r, &fine, Method::Bilinear).data[(2, 3)], 1.25 + 4.0 * 0.75);
        assert_eq!(resample(&r, &fine, Method::Nearest).data[(7, 7)], 15.0);
        let outside = grid(4549, (100.0, 40.0), 5.0, (2, 2));
        assert!(resample(&r, &outside, Method::Average).range().is_none());
    }

    #[test]
    fn modes_and_missing_classes() {
        let g = grid(4549, (0.0, 20.0), 10.0, (2, 2));
        let r = Raster::new(g, ndarray::array![[3, 3], [5, 255]]).with_nodata(255);
        let one = grid(4549, (0.0, 20.0), 20.0, (1, 1));
        assert_eq!(resample_classes(&r, &one, ClassMethod::Mode).data[(0, 0)], 3);
        let far = grid(4549, (500.0, 20.0), 20.0, (1, 1));
        assert_eq!(resample_classes(&r, &far, ClassMethod::Mode).data[(0, 0)], 255);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn sums_are_kept_and_means_stay_between(seed in 0u64..1000) {
            let random = crate::random::Stream::new(seed, 1);
            let g = grid(4490, (119.0, 29.5), 0.05, (6, 7));
            let r = Raster::new(g, Array2::from_shape_fn((6, 7), |(i, j)| random.uniform(0, i as u32, j as u32) as f32));
            let crs = Crs::from_epsg(4549).unwrap();
            let around = g.bounds().projected(g.crs, crs).expanded(3000.0);
            let target = Grid::covering(crs, &around, 2000.0).unwrap();
            let summed = resample(&r, &target, Method::Sum);
            let total = |r: &Raster<f32>| r.values().iter().filter(|v| !v.is_nan()).map(|v| f64::from(*v)).sum::<f64>();
            // f32 cells of about 0.1 hold seven digits each.
            prop_assert!((total(&summed) / total(&r) - 1.0).abs() < 1e-6);
            let (lo, hi) = r.range().unwrap();
            for method in [Method::Average, Method::Bilinear, Method::Nearest] {
                let (a, b) = resample(&r, &target, method).range().unwrap();
                prop_assert!(a >= lo - 1e-6 && b <= hi + 1e-6);
            }
        }
    }
}
