//! Terrain detail below the cells of a coarse DEM: synthetic, seeded, drained, the mean of every coarse cell kept.
//!
//! A 30" DEM flattens slopes and hides small valleys, so that slope stability and shallow flow cannot be computed on it.
//! The finer DEM is the coarse one interpolated by cubic B-splines at places moved by noise (so that no ridge or river
//! follows the lattice of the coarse cells), plus fractal noise of wavelengths between the coarse and the fine cell whose
//! amplitude follows the local relief, with valleys cut and floored by the drainage that results. Rounds of
//! breaching (no pit is left) and of mean correction (interpolated, so that no steps arise) come first. Once the valleys
//! lie, corrections stretch the heights above the nearest channel: the channels, and so the drainage, stay.
//! Noise values have addresses in world coordinates, so that neighbouring regions fit together. The detail is synthetic
//! and every product made from it must say so.

use crate::hazard::stream;
use anlan_engine::hydrology::{Breached, breach_depressions};
use anlan_engine::random::Stream;
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
    /// Least standard deviation of the noise, m, 0..=10; default 0.4: plains are not billiard tables.
    pub least_noise_m: f64,
    /// Standard deviation of the places moved, coarse cells, 0..=1; default 0.35.
    pub warp_cells: f64,
    /// Hurst exponent of the noise, 0..=1; default 0.8, usual for fluvial hills.
    pub hurst: f64,
    /// Depth in metres to which a valley that drains 1 km² is cut into hills; grows with area to the power 0.3.
    pub incision_m: f64,
    /// Half width of the valley floor of a stream that drains 1 km², m, 0..=1000; grows with area to the power 0.35 and
    /// shrinks in gorges. Default 40: 90 m at 10 km², 450 m at 1,000 km².
    pub floor_m: f64,
    /// Fall along every way of water, m per m of cell, 0..=0.01; default 1e-5.
    pub least_slope: f64,
    /// Rounds of mean correction before and after the valleys are laid, 1..=50; default 4.
    pub rounds: usize,
}

impl Default for TerrainDetail {
    fn default() -> Self {
        TerrainDetail {
            roughness: 0.35,
            least_noise_m: 0.4,
            warp_cells: 0.35,
            hurst: 0.8,
            incision_m: 6.0,
            floor_m: 40.0,
            least_slope: 1e-5,
            rounds: 4,
        }
    }
}

/// What was reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    /// Greatest departure of a coarse cell's mean, m.
    pub worst_m: f64,
    /// Mean departure, m.
    pub mean_m: f64,
    /// Share of the coarse cells whose mean is kept to a centimetre.
    pub within_1_cm: f64,
}

/// Plain corrections of the means before the first breaching.
const SMOOTH_ROUNDS: usize = 6;
/// Drainage area from which a valley counts as a channel here, km².
const CHANNEL_KM2: f64 = 0.25;
/// Standard deviation of [`lattice_noise`], about.
const LATTICE_SD: f64 = 0.2;
/// First octave number of the noise that moves places, apart from those of the heights.
const WARP: u32 = 16;
/// Growth of the valley floor's width with the drainage area.
const FLOOR_GROWTH: f64 = 0.35;
/// Local relief, m, that halves the width of a valley floor: gorges have none.
const FLOOR_RELIEF_M: f64 = 20.0;
/// Rise of the valley floor away from the channel, and of the valley side beyond it.
const FLOOR_SLOPE: f64 = 0.005;
const SIDE_SLOPE: f64 = 0.35;
/// Bounds of the factor by which heights above the channel change in the last correction.
const STRETCH: (f64, f64) = (0.5, 2.0);

/// The fine DEM on `grid`, and how well the means of the coarse cells are kept.
///
/// The coarse cells are those of `coarse`, in its own system; a fine cell belongs to the coarse cell that holds its
/// centre. Cells outside the coarse raster or over its no-data are NaN.
pub fn terrain(
    coarse: &Raster<f32>,
    grid: &Grid,
    options: &TerrainDetail,
    seed: u64,
) -> (Raster<f32>, Kept) {
    let random = Stream::new(seed, stream::TERRAIN);
    let nest = Nest::new(&coarse.grid, grid);
    let (dx, dy) = coarse.grid.cell_size_m(coarse.grid.rows / 2);
    let mut relief = local_relief(coarse);
    let least = (options.least_noise_m / options.roughness.max(1e-6)) as f32;
    for v in relief.values_mut() {
        *v = v.max(least);
    }
    let relief = nest.interpolate(&relief, &nest.at);
    let moved = nest.moved(options.warp_cells, 3.0 * dx.max(dy), &random);
    let mut fine = nest.interpolate(coarse, &moved);
    drop(moved);
    add_noise(&mut fine, &relief, options, 2.0 * dx.max(dy), &random);
    for _ in 0..SMOOTH_ROUNDS {
        nest.correct(&mut fine, coarse);
    }
    let fall_m = (options.least_slope * grid.dx) as f32;
    for _ in 0..options.rounds {
        fine = breach_depressions(&fine, fall_m).dem;
        nest.correct(&mut fine, coarse);
    }
    let breached = breach_depressions(&fine, fall_m);
    let area = breached.accumulation();
    fine = breached.dem;
    cut_valleys(&mut fine, &area, &relief, options);
    lay_floors(&mut fine, &area, &relief, options);
    // From here on channels stay where they are, and the ground above them is stretched.
    for round in 0..=options.rounds {
        let breached = breach_depressions(&fine, fall_m);
        let base = channel_level(&breached);
        fine = breached.dem;
        nest.stretch(&mut fine, &base, coarse, round < options.rounds);
    }
    // Where factors of neighbours differ much, the stretch dams a few ways.
    let fine = breach_depressions(&fine, fall_m).dem;
    let kept = nest.kept(&fine, coarse);
    (fine, kept)
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

/// Where the fine cells lie among the coarse ones.
struct Nest {
    /// Row and column of each fine cell's centre, in cells from the centre of the first coarse cell.
    at: Vec<(f32, f32)>,
    fine: Grid,
    coarse: Grid,
}

impl Nest {
    fn new(coarse: &Grid, fine: &Grid) -> Self {
        let projector = Projector::new(fine.crs, coarse.crs);
        let mut at = vec![(0.0, 0.0); fine.cells()];
        at.par_chunks_mut(fine.cols)
            .enumerate()
            .for_each(|(r, line)| {
                for (c, at) in line.iter_mut().enumerate() {
                    let (x, y) = projector.point(fine.x(c), fine.y(r));
                    *at = (
                        ((coarse.y(0) - y) / coarse.dy) as f32,
                        ((x - coarse.x(0)) / coarse.dx) as f32,
                    );
                }
            });
        Nest {
            at,
            fine: *fine,
            coarse: *coarse,
        }
    }

    /// The coarse cell that holds a fine cell's centre.
    fn parent(&self, cell: usize) -> Option<usize> {
        let (row, col) = self.at[cell];
        let (row, col) = (row + 0.5, col + 0.5);
        let inside = row >= 0.0
            && col >= 0.0
            && row < self.coarse.rows as f32
            && col < self.coarse.cols as f32;
        inside.then(|| row as usize * self.coarse.cols + col as usize)
    }

    /// Places moved by smooth noise of three octaves from `longest_m` down.
    fn moved(&self, cells: f64, longest_m: f64, random: &Stream) -> Vec<(f32, f32)> {
        let grid = self.fine;
        let octaves = [(1.0, 1.0), (0.5, 0.57), (0.25, 0.33)];
        let power: f64 = octaves.iter().map(|(_, a)| a * a).sum();
        let scale = cells / (power.sqrt() * LATTICE_SD);
        let mut moved = self.at.clone();
        moved
            .par_chunks_mut(grid.cols)
            .enumerate()
            .for_each(|(r, line)| {
                for (c, (row, col)) in line.iter_mut().enumerate() {
                    let (mut down, mut right) = (0.0, 0.0);
                    for (k, (wave, amplitude)) in octaves.into_iter().enumerate() {
                        let (x, y) = (
                            grid.x(c) / (longest_m * wave),
                            grid.y(r) / (longest_m * wave),
                        );
                        let k = WARP + 2 * k as u32;
                        down += amplitude * lattice_noise(random, k, x, y);
                        right += amplitude * lattice_noise(random, k + 1, x, y);
                    }
                    *row += (scale * down) as f32;
                    *col += (scale * right) as f32;
                }
            });
        moved
    }

    /// Cubic B-spline values of a coarse raster at places (rows and columns of the coarse grid), over the coarse cells
    /// that have one; NaN where the parent has none. It smooths: means are mended by [`Nest::correct`].
    fn interpolate(&self, coarse: &Raster<f32>, at: &[(f32, f32)]) -> Raster<f32> {
        let z = coarse.values();
        let (rows, cols) = (self.coarse.rows, self.coarse.cols);
        let weights = |t: f32| {
            let u = 1.0 - t;
            [
                u * u * u / 6.0,
                (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
                (3.0 * u * u * u - 6.0 * u * u + 4.0) / 6.0,
                t * t * t / 6.0,
            ]
        };
        let mut out = Raster::filled(self.fine, f32::NAN);
        out.values_mut()
            .par_iter_mut()
            .enumerate()
            .for_each(|(cell, out)| {
                if self.parent(cell).is_none_or(|p| z[p].is_nan()) {
                    return;
                }
                let (row, col) = at[cell];
                let row = row.clamp(0.0, (rows - 1) as f32);
                let col = col.clamp(0.0, (cols - 1) as f32);
                let (r, c) = (row as usize, col as usize);
                let (down, right) = (weights(row - r as f32), weights(col - c as f32));
                let (mut sum, mut weight) = (0.0, 0.0);
                for (i, v) in down.into_iter().enumerate() {
                    let line = (r + i).saturating_sub(1).min(rows - 1) * cols;
                    for (j, u) in right.into_iter().enumerate() {
                        let value = z[line + (c + j).saturating_sub(1).min(cols - 1)];
                        if !value.is_nan() {
                            sum += v * u * value;
                            weight += v * u;
                        }
                    }
                }
                // Moved places may lie among cells without data; the parent has a value and stands in.
                *out = if weight > 0.0 {
                    sum / weight
                } else {
                    self.parent(cell).map_or(f32::NAN, |p| z[p])
                };
            });
        out
    }

    /// Mean of the fine values of each coarse cell; NaN where there are none.
    fn means(&self, fine: &[f32]) -> Vec<f64> {
        let mut sums = vec![(0.0_f64, 0_u32); self.coarse.cells()];
        for (cell, &z) in fine.iter().enumerate() {
            if let (Some(p), false) = (self.parent(cell), z.is_nan()) {
                sums[p].0 += f64::from(z);
                sums[p].1 += 1;
            }
        }
        sums.iter().map(|&(sum, n)| sum / f64::from(n)).collect()
    }

    /// Takes the error of the means off, interpolated.
    fn correct(&self, fine: &mut Raster<f32>, coarse: &Raster<f32>) {
        let mut error = Raster::filled(self.coarse, f32::NAN);
        let means = self.means(fine.values());
        for ((e, mean), z) in error
            .values_mut()
            .iter_mut()
            .zip(means)
            .zip(coarse.values())
        {
            // A coarse cell without fine ones stands at the edge and pulls at nothing.
            *e = if mean.is_nan() && !z.is_nan() {
                0.0
            } else {
                (mean - f64::from(*z)) as f32
            };
        }
        let error = self.interpolate(&error, &self.at);
        fine.values_mut()
            .par_iter_mut()
            .zip(error.values().par_iter())
            .for_each(|(z, e)| *z -= e);
    }

    /// Multiplies the heights above the channel level so that the mean of each coarse cell is right: by one factor per
    /// coarse cell, or by those factors made smooth.
    fn stretch(&self, fine: &mut Raster<f32>, base: &[f32], coarse: &Raster<f32>, smooth: bool) {
        let above: Vec<f32> = fine.values().iter().zip(base).map(|(z, b)| z - b).collect();
        let mut factors = Raster::filled(self.coarse, 1.0_f32);
        for (factor, ((base, above), &z)) in factors.values_mut().iter_mut().zip(
            self.means(base)
                .into_iter()
                .zip(self.means(&above))
                .zip(coarse.values()),
        ) {
            let wanted = (f64::from(z) - base) / above;
            if wanted.is_finite() {
                *factor = wanted.clamp(STRETCH.0, STRETCH.1) as f32;
            }
        }
        let smoothed = smooth.then(|| self.interpolate(&factors, &self.at));
        for (cell, z) in fine.values_mut().iter_mut().enumerate() {
            if let Some(p) = self.parent(cell) {
                let factor = match &smoothed {
                    Some(field) => field.values()[cell],
                    None => factors.values()[p],
                };
                *z = base[cell] + above[cell] * factor;
            }
        }
    }

    fn kept(&self, fine: &Raster<f32>, coarse: &Raster<f32>) -> Kept {
        let errors: Vec<f64> = self
            .means(fine.values())
            .into_iter()
            .zip(coarse.values())
            .map(|(mean, &z)| (mean - f64::from(z)).abs())
            .filter(|e| !e.is_nan())
            .collect();
        let good = errors.iter().filter(|e| **e <= 0.01).count();
        Kept {
            worst_m: errors.iter().fold(0.0, |m, &e| e.max(m)),
            mean_m: errors.iter().sum::<f64>() / errors.len().max(1) as f64,
            within_1_cm: good as f64 / errors.len().max(1) as f64,
        }
    }
}

/// Height of the channel that each cell drains to.
fn channel_level(breached: &Breached) -> Vec<f32> {
    let grid = breached.dem.grid;
    let area = breached.accumulation();
    let channel = (CHANNEL_KM2 * 1e6 / (grid.dx * grid.dy)).max(2.0) as u32;
    let z = breached.dem.values();
    let mut base = z.to_vec();
    for &cell in &breached.order {
        let to = breached.receiver[cell as usize];
        if area[cell as usize] < channel && to != cell {
            base[cell as usize] = base[to as usize].min(z[cell as usize]);
        }
    }
    base
}

/// Adds value noise in octaves from `longest_m` down to twice the cell.
fn add_noise(
    dem: &mut Raster<f32>,
    relief: &Raster<f32>,
    options: &TerrainDetail,
    longest_m: f64,
    random: &Stream,
) {
    let grid = dem.grid;
    let mut octaves = Vec::new();
    let mut wavelength = longest_m;
    while wavelength >= 2.0 * grid.dx {
        let amplitude = libm::pow(wavelength / longest_m, options.hurst);
        octaves.push((wavelength, amplitude));
        wavelength /= 2.0;
    }
    let power: f64 = octaves.iter().map(|(_, a)| a * a).sum();
    let scale = options.roughness / (power.sqrt() * LATTICE_SD);
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
                    noise +=
                        amplitude * lattice_noise(random, k as u32, x / wavelength, y / wavelength);
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

/// Lowers cells by their drainage area (cells), so that valleys connect and ridges stand out.
fn cut_valleys(dem: &mut Raster<f32>, area: &[u32], relief: &Raster<f32>, options: &TerrainDetail) {
    let cell_km2 = dem.grid.dx * dem.grid.dy / 1e6;
    dem.values_mut()
        .par_iter_mut()
        .zip(area.par_iter().zip(relief.values().par_iter()))
        .for_each(|(z, (&cells, &relief))| {
            if cells >= 4 && !z.is_nan() {
                let depth = options.incision_m * libm::pow(f64::from(cells) * cell_km2, 0.3);
                *z -= depth.min(0.6 * f64::from(relief) + 1.0) as f32;
            }
        });
}

/// Lays valley floors along the channels: ground near one stands no higher than a gentle rise over the floor and a
/// steep one beyond. `area`: cells drained.
fn lay_floors(dem: &mut Raster<f32>, area: &[u32], relief: &Raster<f32>, options: &TerrainDetail) {
    let (rows, cols) = dem.grid.shape();
    let cell_m = dem.grid.dx;
    let cell_km2 = dem.grid.dx * dem.grid.dy / 1e6;
    let channel = (CHANNEL_KM2 / cell_km2).max(2.0) as u32;
    let bed = dem.values().to_vec();
    let z = dem.values_mut();
    for (cell, &cells) in area.iter().enumerate() {
        if cells < channel || bed[cell].is_nan() {
            continue;
        }
        let confined = 1.0 + f64::from(relief.values()[cell]) / FLOOR_RELIEF_M;
        let floor_m =
            options.floor_m * libm::pow(f64::from(cells) * cell_km2, FLOOR_GROWTH) / confined;
        let reach = (floor_m / cell_m) as usize + 1;
        let (r, c) = (cell / cols, cell % cols);
        for i in r.saturating_sub(reach)..(r + reach + 1).min(rows) {
            for j in c.saturating_sub(reach)..(c + reach + 1).min(cols) {
                let (di, dj) = (i.abs_diff(r) as f64, j.abs_diff(c) as f64);
                let away = cell_m * (di * di + dj * dj).sqrt();
                let rise = FLOOR_SLOPE * away.min(floor_m) + SIDE_SLOPE * (away - floor_m).max(0.0);
                let most = bed[cell] + rise as f32;
                let z = &mut z[i * cols + j];
                if *z > most {
                    *z = most;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Crs;
    use anlan_engine::hydrology::fill_depressions;
    use anlan_engine::resample::{Method, resample};
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
        let (fine, kept) = terrain(&coarse, &grid, &TerrainDetail::default(), 7);
        // f32 heights near 350 m are good to 3e-5 m; a mean over some 90 cells does not lose more.
        // Where a coarse cell is lower than what it drains to, drainage goes before the mean.
        assert!(kept.mean_m < 0.05 && kept.within_1_cm > 0.95, "{kept:?}");
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

    #[test]
    fn a_closed_basin_is_drained_through_its_rim() {
        // A plain at 20 m behind a gorge whose coarse mean is 60 m: the coarse DEM holds water, the fine one must not.
        let mut coarse = hills();
        for v in coarse.values_mut() {
            *v += 100.0;
        }
        for r in 8..12 {
            for c in 8..14 {
                coarse.data[(r, c)] = 20.0;
            }
        }
        for c in 14..24 {
            coarse.data[(10, c)] = if c < 17 { 60.0 } else { 10.0 };
        }
        let crs = Crs::from_epsg(4549).unwrap();
        let bounds = coarse
            .grid
            .bounds()
            .projected(coarse.grid.crs, crs)
            .expanded(-1500.0);
        let grid = Grid::covering(crs, &bounds, 90.0).unwrap();
        let (fine, kept) = terrain(&coarse, &grid, &TerrainDetail::default(), 7);
        let filled = fill_depressions(&fine);
        let ponded: f64 = filled
            .values()
            .iter()
            .zip(fine.values())
            .filter(|(f, _)| !f.is_nan())
            .map(|(f, z)| f64::from(f - z))
            .sum::<f64>()
            / grid.cells() as f64;
        let coarse_filled = fill_depressions(&resample(&coarse, &grid, Method::Bilinear));
        let before = coarse_filled
            .values()
            .iter()
            .zip(resample(&coarse, &grid, Method::Bilinear).values())
            .map(|(f, z)| f64::from(f - z))
            .filter(|d| !d.is_nan())
            .sum::<f64>()
            / grid.cells() as f64;
        assert!(before > 1.0 && kept.within_1_cm > 0.9, "{before} {kept:?}");
        assert_eq!(ponded, 0.0, "of {before}");
    }
}
