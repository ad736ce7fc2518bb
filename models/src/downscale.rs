//! Terrain detail below the cells of a coarse DEM: synthetic, seeded, the mean of every coarse cell kept.
//!
//! A 30" DEM flattens slopes and hides small valleys, so that slope stability and shallow flow cannot be computed on it.
//! The finer DEM is (1) the coarse one interpolated bilinearly, (2) fractal noise of wavelengths between the coarse and
//! the fine cell, its amplitude proportional to the local relief, (3) valleys cut by the drainage that results, and (4) a
//! smooth correction that restores the mean of each coarse cell. Noise values have addresses in world coordinates, so
//! that neighbouring regions fit together. The detail is synthetic and every product made from it must say so.

use crate::hazard::stream;
use anlan_engine::hydrology::{fill_depressions, flow_accumulation, flow_direction};
use anlan_engine::random::Stream;
use anlan_engine::resample::{Method, resample};
use anlan_engine::{Grid, Projector, Raster};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How much detail is added.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TerrainDetail {
    /// Standard deviation of the noise per metre of local relief (standard deviation of the coarse heights within
    /// three cells), 0..=1. Default 0.35: raises the median slope of hills about as much as 90 m data stand above 30" data.
    pub roughness: f64,
    /// Hurst exponent of the noise, 0..=1; default 0.8, usual for fluvial hills.
    pub hurst: f64,
    /// Depth in metres to which a valley that drains 1 km² is cut into hills; grows with area to the power 0.3.
    pub incision_m: f64,
    /// Rounds of mean correction; default 12.
    pub rounds: usize,
}

impl Default for TerrainDetail {
    fn default() -> Self {
        TerrainDetail {
            roughness: 0.35,
            hurst: 0.8,
            incision_m: 6.0,
            rounds: 12,
        }
    }
}

/// The fine DEM on `grid`, and the greatest departure in metres of a coarse cell's mean that is left.
///
/// The coarse cells are those of `coarse`, in its own system; a fine cell belongs to the coarse cell that holds its
/// centre. Cells outside the coarse raster or over its no-data are NaN.
pub fn terrain(
    coarse: &Raster<f32>,
    grid: &Grid,
    options: &TerrainDetail,
    seed: u64,
) -> (Raster<f32>, f64) {
    let smooth = resample(coarse, grid, Method::Bilinear);
    let relief = resample(&local_relief(coarse), grid, Method::Bilinear);
    let parents = parents(&coarse.grid, grid);
    let (dx, dy) = coarse.grid.cell_size_m(coarse.grid.rows / 2);
    let mut fine = smooth.clone();
    add_noise(&mut fine, &relief, options, 2.0 * dx.max(dy), seed);
    cut_valleys(&mut fine, &relief, options);
    let left = keep_means(&mut fine, coarse, &parents, options.rounds);
    (fine, left)
}

/// Standard deviation of the heights in 3 x 3 cells.
fn local_relief(dem: &Raster<f32>) -> Raster<f32> {
    let (rows, cols) = dem.grid.shape();
    let mut out = Raster::filled(dem.grid, f32::NAN);
    out.values_mut()
        .par_chunks_mut(cols)
        .enumerate()
        .for_each(|(r, line)| {
            for (c, v) in line.iter_mut().enumerate() {
                if dem.data[(r, c)].is_nan() {
                    continue;
                }
                let (mut n, mut sum, mut square) = (0.0, 0.0, 0.0);
                for i in r.saturating_sub(1)..(r + 2).min(rows) {
                    for j in c.saturating_sub(1)..(c + 2).min(cols) {
                        let z = f64::from(dem.data[(i, j)]);
                        if !z.is_nan() {
                            n += 1.0;
                            sum += z;
                            square += z * z;
                        }
                    }
                }
                *v = ((square - sum * sum / n) / n).max(0.0).sqrt() as f32;
            }
        });
    out
}

/// Index of the coarse cell that holds each fine cell's centre; `u32::MAX` outside.
fn parents(coarse: &Grid, fine: &Grid) -> Vec<u32> {
    let projector = Projector::new(fine.crs, coarse.crs);
    let mut out = vec![u32::MAX; fine.cells()];
    out.par_chunks_mut(fine.cols)
        .enumerate()
        .for_each(|(r, line)| {
            for (c, parent) in line.iter_mut().enumerate() {
                let (x, y) = projector.point(fine.x(c), fine.y(r));
                if let Some((i, j)) = coarse.cell_at(x, y) {
                    *parent = coarse.index(i, j);
                }
            }
        });
    out
}

/// Adds value noise in octaves from `longest_m` down to twice the cell.
fn add_noise(
    dem: &mut Raster<f32>,
    relief: &Raster<f32>,
    options: &TerrainDetail,
    longest_m: f64,
    seed: u64,
) {
    let grid = dem.grid;
    let random = Stream::new(seed, stream::TERRAIN);
    let mut octaves = Vec::new();
    let mut wavelength = longest_m;
    while wavelength >= 2.0 * grid.dx {
        let amplitude = libm::pow(wavelength / longest_m, options.hurst);
        octaves.push((wavelength, amplitude));
        wavelength /= 2.0;
    }
    let power: f64 = octaves.iter().map(|(_, a)| a * a).sum();
    // Uniform lattice values smoothed by a quintic have a variance of about 0.1.
    let scale = options.roughness / (power.sqrt() * 0.32).max(1e-9);
    dem.values_mut()
        .par_chunks_mut(grid.cols)
        .enumerate()
        .for_each(|(r, line)| {
            let y = grid.y(r);
            for (c, z) in line.iter_mut().enumerate() {
                let local = relief.data[(r, c)];
                if z.is_nan() || local.is_nan() {
                    continue;
                }
                let x = grid.x(c);
                let mut noise = 0.0;
                for (k, &(wavelength, amplitude)) in octaves.iter().enumerate() {
                    noise += amplitude
                        * lattice_noise(&random, k as u32, x / wavelength, y / wavelength);
                }
                *z += (noise * scale) as f32 * local;
            }
        });
}

/// Smooth noise in -0.5..0.5 through random values on the integer lattice.
fn lattice_noise(random: &Stream, octave: u32, x: f64, y: f64) -> f64 {
    let (x0, y0) = (x.floor(), y.floor());
    let fade = |t: f64| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (u, v) = (fade(x - x0), fade(y - y0));
    let value = |i: f64, j: f64| {
        // Lattice numbers of metres-sized waves within a zone stay far below 2^20 in size.
        let address = ((i + 1_048_576.0) as u64) << 22 | (j + 1_048_576.0) as u64;
        random.uniform(address, octave, 0) - 0.5
    };
    let (a, b) = (value(x0, y0), value(x0 + 1.0, y0));
    let (c, d) = (value(x0, y0 + 1.0), value(x0 + 1.0, y0 + 1.0));
    let low = a + (b - a) * u;
    let high = c + (d - c) * u;
    low + (high - low) * v
}

/// Lowers cells by their drainage area, so that valleys connect and ridges stand out.
fn cut_valleys(dem: &mut Raster<f32>, relief: &Raster<f32>, options: &TerrainDetail) {
    let filled = fill_depressions(dem);
    let directions = flow_direction(&filled);
    let accumulation = flow_accumulation(&directions, None);
    let cell_km2 = dem.grid.dx * dem.grid.dy / 1e6;
    let cols = dem.grid.cols;
    dem.values_mut()
        .par_chunks_mut(cols)
        .enumerate()
        .for_each(|(r, line)| {
            for (c, z) in line.iter_mut().enumerate() {
                let area_km2 = f64::from(accumulation.data[(r, c)]) * cell_km2;
                let local = f64::from(relief.data[(r, c)]);
                if z.is_nan() || local.is_nan() || area_km2 < 4.0 * cell_km2 {
                    continue;
                }
                let depth = options.incision_m * libm::pow(area_km2, 0.3);
                *z -= depth.min(0.6 * local + 1.0) as f32;
            }
        });
}

/// Restores the mean of every coarse cell: the mean error, interpolated bilinearly so that no steps arise, is taken off
/// in rounds; the last round takes off what is left cell by cell. Returns the greatest error left, m.
fn keep_means(fine: &mut Raster<f32>, coarse: &Raster<f32>, parents: &[u32], rounds: usize) -> f64 {
    for round in 0..=rounds {
        let error = mean_errors(fine, coarse, parents);
        if round < rounds {
            let correction = resample(&error, &fine.grid, Method::Bilinear);
            fine.values_mut()
                .par_iter_mut()
                .zip(correction.values().par_iter())
                .for_each(|(z, e)| {
                    if !e.is_nan() {
                        *z -= e;
                    }
                });
        } else {
            let error = error.values();
            fine.values_mut()
                .par_iter_mut()
                .zip(parents.par_iter())
                .for_each(|(z, &p)| {
                    if p != u32::MAX && !error[p as usize].is_nan() {
                        *z -= error[p as usize];
                    }
                });
        }
    }
    let left = mean_errors(fine, coarse, parents);
    left.values()
        .iter()
        .filter(|e| !e.is_nan())
        .fold(0.0, |m, e| f64::from(e.abs()).max(m))
}

/// Mean of the fine cells less the coarse value, per coarse cell; NaN where there are none.
fn mean_errors(fine: &Raster<f32>, coarse: &Raster<f32>, parents: &[u32]) -> Raster<f32> {
    let mut sums = vec![(0.0_f64, 0_u32); coarse.grid.cells()];
    for (&z, &p) in fine.values().iter().zip(parents) {
        if p != u32::MAX && !z.is_nan() {
            let s = &mut sums[p as usize];
            s.0 += f64::from(z);
            s.1 += 1;
        }
    }
    let mut out = Raster::filled(coarse.grid, f32::NAN);
    for ((e, (sum, n)), z) in out.values_mut().iter_mut().zip(sums).zip(coarse.values()) {
        if n > 0 && !z.is_nan() {
            *e = (sum / f64::from(n) - f64::from(*z)) as f32;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Crs;
    use ndarray::Array2;

    fn hills() -> Raster<f32> {
        let grid = Grid::new(
            Crs::CGCS2000,
            (119.0, 29.2),
            (1.0 / 120.0, 1.0 / 120.0),
            (20, 24),
        )
        .unwrap();
        let data = Array2::from_shape_fn((20, 24), |(r, c)| {
            (200.0 + 150.0 * libm::sin(r as f64 / 3.0) * libm::cos(c as f64 / 4.0)).round() as f32
        });
        Raster::new(grid, data)
    }

    #[test]
    fn means_of_coarse_cells_are_kept_and_slopes_grow() {
        let coarse = hills();
        let crs = Crs::from_epsg(4549).unwrap();
        let bounds = coarse
            .grid
            .bounds()
            .projected(coarse.grid.crs, crs)
            .expanded(-1500.0);
        let grid = Grid::covering(crs, &bounds, 90.0).unwrap();
        let (fine, left) = terrain(&coarse, &grid, &TerrainDetail::default(), 7);
        // f32 heights near 350 m are good to 3e-5 m; a mean over some 90 cells does not lose more.
        assert!(left < 1e-3, "{left}");
        let steps = |r: &Raster<f32>| {
            let d = &r.data;
            let mut sum = 0.0;
            for i in 0..r.grid.rows {
                for j in 1..r.grid.cols {
                    sum += f64::from((d[(i, j)] - d[(i, j - 1)]).abs());
                }
            }
            sum / r.grid.cells() as f64
        };
        let smooth = resample(&coarse, &grid, Method::Bilinear);
        assert!(steps(&fine) > 1.3 * steps(&smooth));
        let (again, _) = terrain(&coarse, &grid, &TerrainDetail::default(), 7);
        assert_eq!(fine, again);
    }
}
