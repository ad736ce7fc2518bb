//! Values at stations onto cells: inverse distance weighting (反距离加权; Shepard 1968, doi:10.1145/800186.810616).
//!
//! The nearest stations are found through a grid of buckets, searched in rings around each cell until no nearer station
//! can follow. Distances are in metres also on geographic grids, by the length of a degree at the cell's row: right for
//! stations a few degrees away. Equal distances go by the order of stations, so that results do not depend on threads.

use crate::crs::degree_lengths_m;
use crate::grid::Grid;
use crate::raster::Raster;
use rayon::prelude::*;
use std::ops::Range;

/// Inverse distance weighting of `(x, y, value)` stations in the grid's system: each cell takes the mean of the
/// `neighbours` nearest stations (0: all), weighted by distance to the power of `-power`.
///
/// * Exact at stations: a cell whose centre is a station's place takes its value (the mean of several in one place).
/// * Stations with a coordinate or a value that is not finite are left out; without any station the raster is NaN.
///
/// # Examples
/// ```
/// use anlan_engine::interpolate::idw;
/// use anlan_engine::{Crs, Grid};
///
/// let grid = Grid::new(Crs::from_epsg(4549)?, (0.0, 1.0), (1.0, 1.0), (1, 3))?;
/// let rain_mm = idw(&[(0.5, 0.5, 10.0), (2.5, 0.5, 30.0)], &grid, 2.0, 8);
/// assert_eq!(rain_mm.values(), [10.0, 20.0, 30.0]);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
pub fn idw(
    stations: &[(f64, f64, f64)],
    grid: &Grid,
    power: f64,
    neighbours: usize,
) -> Raster<f32> {
    let known: Vec<(f64, f64, f64)> = stations
        .iter()
        .copied()
        .filter(|s| s.0.is_finite() && s.1.is_finite() && s.2.is_finite())
        .collect();
    let mut out = Raster::filled(*grid, f32::NAN);
    if known.is_empty() {
        return out;
    }
    let wanted = if neighbours == 0 {
        known.len()
    } else {
        neighbours.min(known.len())
    };
    let buckets = Buckets::new(&known);
    out.values_mut()
        .par_chunks_mut(grid.cols)
        .enumerate()
        .for_each_init(Vec::new, |nearest, (r, line)| {
            let y = grid.y(r);
            let per_unit = if grid.crs.is_geographic() {
                degree_lengths_m(y, grid.crs.flattening())
            } else {
                (1.0, 1.0)
            };
            for (c, v) in line.iter_mut().enumerate() {
                buckets.nearest(&known, (grid.x(c), y), per_unit, wanted, nearest);
                *v = weighted_mean(&known, nearest, power) as f32;
            }
        });
    out
}

/// Weights of the stations around every cell, for series of which each step is interpolated in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct StationWeights {
    neighbours: usize,
    station: Vec<u32>,
    weight: Vec<f32>,
}

/// The weights of [`idw`] for stations `(x, y)`; with one neighbour the areas of Thiessen's method.
///
/// * A cell whose centre is a station's place takes the mean of the stations there.
/// * Weights of a cell sum to 1, up to the rounding of f32.
///
/// # Panics
/// No station, or coordinates that are not finite.
///
/// # Examples
/// ```
/// use anlan_engine::interpolate::idw_weights;
/// use anlan_engine::{Crs, Grid};
///
/// let grid = Grid::new(Crs::from_epsg(4549)?, (0.0, 1.0), (1.0, 1.0), (1, 3))?;
/// let weights = idw_weights(&[(0.5, 0.5), (2.5, 0.5)], &grid, 2.0, 2);
/// let mut rain_mm = [0.0; 3];
/// weights.apply(0..3, &[10.0, 30.0], &mut rain_mm);
/// assert_eq!(rain_mm, [10.0, 20.0, 30.0]);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
pub fn idw_weights(
    stations: &[(f64, f64)],
    grid: &Grid,
    power: f64,
    neighbours: usize,
) -> StationWeights {
    assert!(
        !stations.is_empty() && stations.iter().all(|s| s.0.is_finite() && s.1.is_finite()),
        "stations with coordinates"
    );
    let known: Vec<(f64, f64, f64)> = stations.iter().map(|s| (s.0, s.1, 0.0)).collect();
    let wanted = if neighbours == 0 {
        known.len()
    } else {
        neighbours.min(known.len())
    };
    let buckets = Buckets::new(&known);
    let mut out = StationWeights {
        neighbours: wanted,
        station: vec![0; grid.cells() * wanted],
        weight: vec![0.0; grid.cells() * wanted],
    };
    let line = grid.cols * wanted;
    out.station
        .par_chunks_mut(line)
        .zip(out.weight.par_chunks_mut(line))
        .enumerate()
        .for_each_init(Vec::new, |nearest, (r, (station, weight))| {
            let y = grid.y(r);
            let per_unit = if grid.crs.is_geographic() {
                degree_lengths_m(y, grid.crs.flattening())
            } else {
                (1.0, 1.0)
            };
            for c in 0..grid.cols {
                buckets.nearest(&known, (grid.x(c), y), per_unit, wanted, nearest);
                let here = nearest.partition_point(|n| n.0 == 0.0);
                let unit = nearest[0].0;
                let raw = |k: usize| match here {
                    0 => libm::pow(unit / nearest[k].0, 0.5 * power),
                    n => f64::from(u8::from(k < n)),
                };
                let sum: f64 = (0..wanted).map(raw).sum();
                for k in 0..wanted {
                    station[c * wanted + k] = nearest[k].1;
                    weight[c * wanted + k] = (raw(k) / sum) as f32;
                }
            }
        });
    out
}

impl StationWeights {
    /// Interpolates one value per station onto a run of cells.
    ///
    /// # Panics
    /// `out` of another length than the run, a run beyond the grid, too few values.
    pub fn apply(&self, cells: Range<usize>, values: &[f64], out: &mut [f32]) {
        assert_eq!(out.len(), cells.len(), "one output per cell");
        let k = self.neighbours;
        let at = cells.start * k..cells.end * k;
        let stations = self.station[at.clone()].chunks_exact(k);
        let weights = self.weight[at].chunks_exact(k);
        for ((out, stations), weights) in out.iter_mut().zip(stations).zip(weights) {
            let terms = stations.iter().zip(weights);
            *out = terms
                .map(|(&s, &w)| f64::from(w) * values[s as usize])
                .sum::<f64>() as f32;
        }
    }
}

/// Mean over `(squared distance, station)`, nearest first.
fn weighted_mean(stations: &[(f64, f64, f64)], nearest: &[(f64, u32)], power: f64) -> f64 {
    let value = |&(_, i): &(f64, u32)| stations[i as usize].2;
    let here = nearest.partition_point(|n| n.0 == 0.0);
    if here > 0 {
        return nearest[..here].iter().map(value).sum::<f64>() / here as f64;
    }
    // Distances relative to the nearest: weights neither overflow nor vanish together.
    let unit = nearest[0].0;
    let (mut sum, mut weight) = (0.0, 0.0);
    for n in nearest {
        let ratio = unit / n.0;
        let w = if power == 2.0 {
            ratio
        } else {
            libm::pow(ratio, 0.5 * power)
        };
        sum += w * value(n);
        weight += w;
    }
    sum / weight
}

/// Stations sorted into square buckets, about two to each.
struct Buckets {
    west: f64,
    south: f64,
    width: f64,
    cols: usize,
    rows: usize,
    /// First place in `order` of each bucket.
    start: Vec<u32>,
    order: Vec<u32>,
}

impl Buckets {
    fn new(stations: &[(f64, f64, f64)]) -> Buckets {
        let (mut west, mut east) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut south, mut north) = (f64::INFINITY, f64::NEG_INFINITY);
        for s in stations {
            (west, east) = (west.min(s.0), east.max(s.0));
            (south, north) = (south.min(s.1), north.max(s.1));
        }
        let (w, h) = (east - west, north - south);
        // The second bound keeps stations on a line from making one bucket each of a wide empty square.
        let width = (w * h * 2.0 / stations.len() as f64)
            .sqrt()
            .max(w.max(h) * 2.0 / stations.len() as f64);
        let width = if width > 0.0 && width.is_finite() {
            width
        } else {
            1.0
        };
        let count = |length: f64| ((length / width) as usize).min(stations.len()) + 1;
        let (cols, rows) = (count(w), count(h));
        let mut b = Buckets {
            west,
            south,
            width,
            cols,
            rows,
            start: vec![0; cols * rows + 1],
            order: vec![0; stations.len()],
        };
        let place: Vec<usize> = stations.iter().map(|s| b.bucket(s.0, s.1)).collect();
        for &p in &place {
            b.start[p + 1] += 1;
        }
        for i in 1..b.start.len() {
            b.start[i] += b.start[i - 1];
        }
        let mut next = b.start.clone();
        for (i, &p) in place.iter().enumerate() {
            b.order[next[p] as usize] = i as u32;
            next[p] += 1;
        }
        b
    }

    fn col_row(&self, x: f64, y: f64) -> (f64, f64) {
        (
            ((x - self.west) / self.width).floor(),
            ((y - self.south) / self.width).floor(),
        )
    }

    fn bucket(&self, x: f64, y: f64) -> usize {
        let (c, r) = self.col_row(x, y);
        (r as usize).min(self.rows - 1) * self.cols + (c as usize).min(self.cols - 1)
    }

    /// The `wanted` nearest stations as (squared distance in m², number), nearest first.
    fn nearest(
        &self,
        stations: &[(f64, f64, f64)],
        (x, y): (f64, f64),
        (x_m, y_m): (f64, f64),
        wanted: usize,
        out: &mut Vec<(f64, u32)>,
    ) {
        out.clear();
        let nearer = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        // The search starts at the bucket nearest to the point.
        let (pc, pr) = self.col_row(x, y);
        let col = pc.clamp(0.0, (self.cols - 1) as f64) as isize;
        let row = pr.clamp(0.0, (self.rows - 1) as f64) as isize;
        for ring in 0..self.cols.max(self.rows) as isize {
            if out.len() == wanted {
                // Every station of this ring lies beyond the borders of the last one, along x or along y; on the outer
                // side of the area there are none, but a bound that is too near costs time only.
                let edge = |low: f64, high: f64, at: f64| (at - low).min(high - at).max(0.0);
                let half = (ring - 1) as f64;
                let reach_x = edge(
                    self.west + (col as f64 - half) * self.width,
                    self.west + (col as f64 + half + 1.0) * self.width,
                    x,
                );
                let reach_y = edge(
                    self.south + (row as f64 - half) * self.width,
                    self.south + (row as f64 + half + 1.0) * self.width,
                    y,
                );
                let reach = (reach_x * x_m).min(reach_y * y_m);
                if reach * reach > out[wanted - 1].0 {
                    break;
                }
            }
            for r in (row - ring).max(0)..=(row + ring).min(self.rows as isize - 1) {
                let full = (r - row).abs() == ring;
                let step = if full || ring == 0 { 1 } else { 2 * ring };
                let mut c = col - ring;
                while c <= col + ring {
                    if c >= 0 && c < self.cols as isize {
                        let b = r as usize * self.cols + c as usize;
                        let members = self.start[b] as usize..self.start[b + 1] as usize;
                        for &i in &self.order[members] {
                            let s = stations[i as usize];
                            let (dx, dy) = ((s.0 - x) * x_m, (s.1 - y) * y_m);
                            let entry = (dx * dx + dy * dy, i);
                            if out.len() == wanted {
                                if nearer(&entry, &out[wanted - 1]).is_ge() {
                                    continue;
                                }
                                out.pop();
                            }
                            let at = out.partition_point(|o| nearer(o, &entry).is_lt());
                            out.insert(at, entry);
                        }
                    }
                    c += step;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crs::Crs;
    use proptest::prelude::*;

    fn grid(n: usize) -> Grid {
        Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, n as f64),
            (1.0, 1.0),
            (n, n),
        )
        .unwrap()
    }

    #[test]
    fn weights_by_hand() {
        let s = [(0.5, 0.5, 1.0), (3.5, 0.5, 4.0), (0.5, 2.5, f64::NAN)];
        let g = grid(4);
        // One cell from the first, two from the second: weights 4 and 1, or with power 1 weights 2 and 1.
        assert_eq!(idw(&s, &g, 2.0, 0).data[(3, 1)], 1.6);
        assert_eq!(idw(&s, &g, 1.0, 9).data[(3, 1)], 2.0);
        assert_eq!(idw(&s, &g, 2.0, 1).data[(3, 1)], 1.0);
        assert!(idw(&s[2..], &g, 2.0, 0).values().iter().all(|v| v.is_nan()));
        let twice = [(0.5, 0.5, 1.0), (0.5, 0.5, 3.0), (2.5, 2.5, 9.0)];
        assert_eq!(idw(&twice, &g, 2.0, 0).data[(3, 0)], 2.0);
    }

    #[test]
    fn degrees_of_longitude_are_short_in_the_north() {
        // At 60 deg N a station one degree to the east is nearer than one 0.6 degrees to the north.
        let g = Grid::new(Crs::CGCS2000, (110.0, 60.0005), (0.001, 0.001), (1, 1)).unwrap();
        let (x, y) = (g.x(0), g.y(0));
        let s = [(x + 1.0, y, 1.0), (x, y + 0.6, 2.0)];
        assert_eq!(idw(&s, &g, 2.0, 1).values(), [1.0]);
    }

    #[test]
    fn weights_interpolate_like_the_rasters() {
        let s = [
            (0.5, 0.5, 1.0),
            (3.5, 0.5, 4.0),
            (0.5, 2.5, 7.0),
            (0.5, 2.5, 9.0),
        ];
        let g = grid(4);
        let places: Vec<(f64, f64)> = s.iter().map(|s| (s.0, s.1)).collect();
        let values: Vec<f64> = s.iter().map(|s| s.2).collect();
        for (power, neighbours) in [(2.0, 0), (1.0, 3), (2.0, 1)] {
            let weights = idw_weights(&places, &g, power, neighbours);
            let raster = idw(&s, &g, power, neighbours);
            for row in 0..4 {
                let mut line = [0.0; 4];
                weights.apply(row * 4..row * 4 + 4, &values, &mut line);
                for (a, b) in line.iter().zip(raster.data.row(row)) {
                    assert!((a - b).abs() < 1e-5, "{a} {b}");
                }
            }
        }
    }

    proptest! {
        /// The buckets find what a search through all stations finds, also from cells far outside of them.
        #[test]
        fn nearest_stations(
            s in prop::collection::vec((-3.0f64..9.0, -3.0f64..5.0, 0.0f64..1.0), 1..60),
            line in any::<bool>(), k in 1usize..9, x in -40.0f64..40.0, y in -40.0f64..40.0, x_m in 0.3f64..1.0,
        ) {
            let mut s = s;
            if line {
                s.iter_mut().for_each(|p| p.1 = 2.0);
            }
            let wanted = k.min(s.len());
            let mut found = Vec::new();
            Buckets::new(&s).nearest(&s, (x, y), (x_m, 1.0), wanted, &mut found);
            let mut all: Vec<(f64, u32)> = s.iter().enumerate().map(|(i, p)| {
                let (dx, dy) = ((p.0 - x) * x_m, p.1 - y);
                (dx * dx + dy * dy, i as u32)
            }).collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            all.truncate(wanted);
            prop_assert_eq!(found, all);
        }

        /// A mean lies between the least and the greatest value.
        #[test]
        fn means_stay_within(s in prop::collection::vec((0.0f64..6.0, 0.0f64..6.0, -5.0f64..5.0), 1..20), power in 0.5f64..6.0) {
            let (lo, hi) = s.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p.2), b.max(p.2)));
            for &v in idw(&s, &grid(6), power, 4).values() {
                prop_assert!(f64::from(v) >= lo - 1e-6 && f64::from(v) <= hi + 1e-6);
            }
        }
    }
}
