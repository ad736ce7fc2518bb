//! What lies upstream of each cell: contributing cells (汇流累积量), sums and means of a raster, wetness.
//!
//! Directions make a forest whose roots are the outlets. Cells are taken from the springs down: a cell's sum is passed on
//! once all that drains into it has come in. Each spring is followed as far as it is the last to arrive, which walks the
//! whole forest in one pass of linear cost and with good locality.

use super::{NO_DATA, offsets, receiver};
use crate::raster::Raster;

/// What [`downstream`] leaves at a cell that it has visited.
const VISITED: u8 = u8::MAX;

/// Visits every cell after all cells that drain to it: `visit(cell, receiver)`.
///
/// Returns [`VISITED`] for each cell but those without data and those that water going in circles reaches (directions that
/// are not ours).
fn downstream(dirs: &Raster<u8>, mut visit: impl FnMut(usize, Option<usize>)) -> Vec<u8> {
    let codes = dirs.values();
    let offsets = offsets(dirs.grid.cols);
    // Number of donors still to come; at most 8.
    let mut waiting = vec![0u8; codes.len()];
    for (cell, &code) in codes.iter().enumerate() {
        if let Some(next) = receiver(cell, code, &offsets) {
            waiting[next] += 1;
        }
    }
    for start in 0..codes.len() {
        let mut at = start;
        while waiting[at] == 0 && codes[at] != NO_DATA {
            waiting[at] = VISITED;
            let next = receiver(at, codes[at], &offsets);
            visit(at, next);
            let Some(next) = next else { break };
            waiting[next] -= 1;
            at = next;
        }
    }
    waiting
}

/// Cell numbers, each after all cells that drain to it; cells without data are left out.
pub fn topological_order(dirs: &Raster<u8>) -> Vec<u32> {
    let mut order = Vec::with_capacity(dirs.grid.cells());
    downstream(dirs, |cell, _| order.push(cell as u32));
    order
}

/// Contributing cells, the cell itself included; or the sum of `weights` over them.
///
/// * Cells without data are NaN, and so are cells that water going in circles reaches. A missing weight counts as 0.
/// * Counts are exact to 16,777,216 cells, then rounded to f32; weighted sums are formed in f64.
///
/// # Panics
/// The shapes differ.
pub fn flow_accumulation(dirs: &Raster<u8>, weights: Option<&Raster<f32>>) -> Raster<f32> {
    let mut out = Raster::filled(dirs.grid, f32::NAN);
    let values = out.values_mut();
    match weights {
        None => {
            // Counts stand in the result itself until they are final, which spares a second array.
            let count: &mut [u32] = bytemuck::cast_slice_mut(values);
            count.fill(1);
            let visited = downstream(dirs, |cell, next| {
                let cells = count[cell];
                count[cell] = (cells as f32).to_bits();
                if let Some(next) = next {
                    count[next] += cells;
                }
            });
            for (v, &left) in values.iter_mut().zip(&visited) {
                if left != VISITED {
                    *v = f32::NAN;
                }
            }
        }
        Some(w) => {
            let sum = weighted_sum(dirs, w);
            downstream(dirs, |cell, _| values[cell] = sum[cell] as f32);
        }
    }
    out
}

/// Mean of `values` over the contributing cells with a value, the cell itself included; NaN where there are none.
///
/// # Panics
/// The shapes differ.
pub fn upstream_mean(dirs: &Raster<u8>, values: &Raster<f32>) -> Raster<f32> {
    let sum = weighted_sum(dirs, values);
    let count = weighted_sum(dirs, &values.map(|v| if v.is_nan() { 0.0 } else { 1.0 }));
    let mut out = Raster::filled(dirs.grid, f32::NAN);
    let mean = out.values_mut();
    downstream(dirs, |cell, _| {
        mean[cell] = (sum[cell] / count[cell]) as f32;
    });
    out
}

fn weighted_sum(dirs: &Raster<u8>, weights: &Raster<f32>) -> Vec<f64> {
    assert_eq!(
        dirs.grid.shape(),
        weights.grid.shape(),
        "directions and weights differ in shape"
    );
    let mut sum: Vec<f64> = weights
        .values()
        .iter()
        .map(|&v| if v.is_nan() { 0.0 } else { f64::from(v) })
        .collect();
    downstream(dirs, |cell, next| {
        if let Some(next) = next {
            sum[next] += sum[cell];
        }
    });
    sum
}

/// Topographic wetness index ln(a / tan b) (Beven & Kirkby 1979, doi:10.1080/02626667909491834).
///
/// `accumulation` in cells; a is the contributing area per metre of contour, taken as the cell's side (the root of its
/// area), m; `slope_deg` from [`crate::terrain::slope_deg`]. Slopes below `least_slope_deg` count as that (level ground
/// would be infinitely wet; 0.1 deg is usual).
///
/// # Panics
/// The shapes differ.
pub fn twi(
    accumulation: &Raster<f32>,
    slope_deg: &Raster<f32>,
    least_slope_deg: f32,
) -> Raster<f32> {
    use rayon::prelude::*;
    let grid = accumulation.grid;
    assert_eq!(
        grid.shape(),
        slope_deg.grid.shape(),
        "accumulation and slope differ in shape"
    );
    let mut out = accumulation.clone();
    out.values_mut()
        .par_chunks_mut(grid.cols)
        .zip(slope_deg.values().par_chunks(grid.cols))
        .enumerate()
        .for_each(|(r, (line, slopes))| {
            let side_m = grid.cell_area_m2(r).sqrt();
            for (v, &s) in line.iter_mut().zip(slopes) {
                // A missing slope stays missing: f32::max would drop it.
                let s = if s < least_slope_deg {
                    least_slope_deg
                } else {
                    s
                };
                let tangent = libm::tan(f64::from(s).to_radians());
                *v = libm::log(f64::from(*v) * side_m / tangent) as f32;
            }
        });
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::raster;
    use super::super::{OUTLET, flow_direction};
    use super::*;

    #[test]
    fn accumulation_on_paper() {
        let dirs = raster(3, 4, &[1, 1, 1, 2, 0, 1, 1, 2, 7, 0, 0, OUTLET]);
        let acc = flow_accumulation(&dirs, None);
        let expected = [
            1.0, 1.0, 1.0, 1.0, //
            1.0, 4.0, 2.0, 3.0, //
            1.0, 1.0, 6.0, 12.0,
        ];
        assert_eq!(acc.values(), expected);
        let rain = raster(3, 4, &[1.5f32; 12]);
        let w = flow_accumulation(&dirs, Some(&rain));
        assert_eq!(w.values()[11], 18.0);
        let mut part = [f32::NAN; 12];
        part[0] = 6.0;
        part[5] = 2.0;
        let mean = upstream_mean(&dirs, &raster(3, 4, &part));
        assert_eq!((mean.values()[0], mean.values()[11]), (6.0, 4.0));
        assert!(mean.values()[1].is_nan());
    }

    #[test]
    fn water_in_circles_is_missing() {
        // Two cells that drain to each other, one that drains to them, one apart from all.
        let dirs = raster(1, 4, &[0, 0, 4, OUTLET]);
        let acc = flow_accumulation(&dirs, None);
        assert_eq!(acc.values()[0], 1.0);
        assert!(acc.values()[1].is_nan() && acc.values()[2].is_nan());
        assert_eq!(acc.values()[3], 1.0);
        assert_eq!(topological_order(&dirs), [0, 3]);
    }

    #[test]
    fn missing_cells_have_no_accumulation() {
        let dem = raster(1, 4, &[3.0, 2.0, f32::NAN, 1.0]);
        let acc = flow_accumulation(&flow_direction(&dem), None);
        assert_eq!(acc.values()[..2], [1.0, 2.0]);
        assert!(acc.values()[2].is_nan());
        assert_eq!(acc.values()[3], 1.0);
    }

    #[test]
    fn wetness_by_hand() {
        let acc = raster(1, 3, &[100.0f32, 100.0, 1.0]);
        let slope = raster(1, 3, &[45.0f32, 0.0, f32::NAN]);
        let w = twi(&acc, &slope, 0.1);
        // ln(100 cells * 10 m / 1) and ln(1000 m / tan 0.1 deg).
        assert!((w.values()[0] - 6.907_755).abs() < 1e-5);
        assert!((w.values()[1] - 13.25857).abs() < 1e-4);
        assert!(w.values()[2].is_nan());
    }
}
