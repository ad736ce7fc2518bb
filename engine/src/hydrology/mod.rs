//! Water on a DEM: filled depressions, flow directions, contributing cells, catchments, height above drainage.
//!
//! | function | gives |
//! | --- | --- |
//! | [`fill_depressions`], [`fill_depressions_epsilon`] | a DEM from which water runs off everywhere |
//! | [`breach_depressions`] | the same by cutting instead of filling |
//! | [`flow_direction`] | D8 directions, flats included |
//! | [`flow_accumulation`], [`upstream_mean`], [`topological_order`] | what lies upstream |
//! | [`hand`], [`distance_to_drainage`], [`catchments`] | what lies downstream |
//! | [`twi`] | topographic wetness |
//!
//! The usual chain: fill, directions of the filled DEM, accumulation, drainage = cells with enough contributing cells,
//! then [`hand`] with the filled DEM. All of it is linear in the number of cells but for the filling, whose priority
//! queue sees only a small part of them.
//!
//! Direction codes 0..=7 are E, SE, S, SW, W, NW, N, NE; [`OUTLET`] marks cells from which water leaves the map (or a
//! pit that was not filled), [`NO_DATA`] cells without elevation. Every code above 7 flows nowhere.

mod accumulate;
mod breach;
mod downstream;
mod fill;
mod flats;
mod flow;

pub use accumulate::{flow_accumulation, topological_order, twi, upstream_mean};
pub use breach::{Breached, breach_depressions};
pub use downstream::{catchments, distance_to_drainage, hand};
pub use fill::{fill_depressions, fill_depressions_epsilon};
pub use flow::flow_direction;

/// Row and column steps of the direction codes 0..=7: E, SE, S, SW, W, NW, N, NE.
pub const STEPS: [(isize, isize); 8] = [
    (0, 1),
    (1, 1),
    (1, 0),
    (1, -1),
    (0, -1),
    (-1, -1),
    (-1, 0),
    (-1, 1),
];

/// Code of a cell that drains to no cell: off the map, into a cell without data, or a pit.
pub const OUTLET: u8 = 255;

/// Code of a cell without elevation.
pub const NO_DATA: u8 = 254;

/// Differences of cell number of the eight directions on a grid of `cols` columns.
fn offsets(cols: usize) -> [isize; 8] {
    STEPS.map(|(r, c)| r * cols as isize + c)
}

/// The cell that `cell` drains to; directions never lead off the grid, or the caller's raster is not one of ours.
#[inline(always)]
fn receiver(cell: usize, code: u8, offsets: &[isize; 8]) -> Option<usize> {
    (code < 8).then(|| cell.wrapping_add_signed(offsets[code as usize]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crs::Crs;
    use crate::grid::Grid;
    use crate::raster::Raster;
    use ndarray::Array2;
    use proptest::prelude::*;

    pub(super) fn raster<T: Copy>(rows: usize, cols: usize, values: &[T]) -> Raster<T> {
        let g = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, rows as f64 * 10.0),
            (10.0, 10.0),
            (rows, cols),
        )
        .unwrap();
        Raster::new(
            g,
            Array2::from_shape_vec((rows, cols), values.to_vec()).unwrap(),
        )
    }

    /// Small DEMs with many ties (flats, pits) and some missing cells.
    fn dems() -> impl Strategy<Value = Raster<f32>> {
        (1usize..14, 1usize..14).prop_flat_map(|(rows, cols)| {
            prop::collection::vec(prop_oneof![9 => (-3i8..6).prop_map(f32::from), 2 => -3.0f32..6.0, 1 => Just(f32::NAN)], rows * cols)
                .prop_map(move |v| raster(rows, cols, &v))
        })
    }

    /// Least level at which water in a cell can leave, by relaxation until nothing changes: slow and plain.
    fn spill_levels(dem: &Raster<f32>) -> Vec<f32> {
        let (rows, cols) = dem.grid.shape();
        let mut level = vec![f32::INFINITY; rows * cols];
        loop {
            let mut changed = false;
            for r in 0..rows {
                for c in 0..cols {
                    let z = dem.data[(r, c)];
                    if z.is_nan() {
                        continue;
                    }
                    let mut best = level[r * cols + c];
                    for (dr, dc) in STEPS {
                        let (nr, nc) = (r.wrapping_add_signed(dr), c.wrapping_add_signed(dc));
                        let beyond = nr >= rows || nc >= cols || dem.data[(nr, nc)].is_nan();
                        let next = if beyond {
                            z
                        } else {
                            level[nr * cols + nc].max(z)
                        };
                        best = best.min(next);
                    }
                    if best < level[r * cols + c] {
                        level[r * cols + c] = best;
                        changed = true;
                    }
                }
            }
            if !changed {
                return level;
            }
        }
    }

    /// Where slopes alone decide, everything can be written down: a valley of straight sides, 3 m a cell, around a
    /// channel that falls by 1 m a cell to the south.
    #[test]
    fn a_valley_by_formula() {
        let (rows, cols, middle) = (40, 31, 15usize);
        let z: Vec<f32> = (0..rows * cols)
            .map(|i: usize| (3 * (i % cols).abs_diff(middle) + rows - i / cols) as f32)
            .collect();
        let dem = raster(rows, cols, &z);
        assert_eq!(fill_depressions(&dem), dem);
        let dirs = flow_direction(&dem);
        let acc = flow_accumulation(&dirs, None);
        let drainage = raster(
            rows,
            cols,
            &(0..rows * cols)
                .map(|i| u8::from(i % cols == middle))
                .collect::<Vec<_>>(),
        );
        let height = hand(&dem, &dirs, &drainage);
        let length = distance_to_drainage(&dirs, &drainage);
        for r in 0..rows {
            for c in 0..cols {
                let off = c.abs_diff(middle);
                let cells = match off {
                    0 => (r + 1) * cols,
                    _ => middle + 1 - off,
                };
                assert_eq!(acc.data[(r, c)], cells as f32);
                assert_eq!(height.data[(r, c)], 3.0 * off as f32);
                assert_eq!(length.data[(r, c)], 10.0 * off as f32);
            }
        }
    }

    /// A plane that falls along the diagonal: each cell drains to the south-east.
    #[test]
    fn a_plane_by_formula() {
        let (rows, cols) = (23, 37);
        let z: Vec<f32> = (0..rows * cols)
            .map(|i| 100.0 - 0.5 * (i / cols + i % cols) as f32)
            .collect();
        let dem = raster(rows, cols, &z);
        let dirs = flow_direction(&dem);
        let acc = flow_accumulation(&dirs, None);
        let rim = |r: usize, c: usize| r + 1 == rows || c + 1 == cols;
        let drainage = raster(
            rows,
            cols,
            &(0..rows * cols)
                .map(|i| u8::from(rim(i / cols, i % cols)))
                .collect::<Vec<_>>(),
        );
        let height = hand(&dem, &dirs, &drainage);
        for r in 0..rows {
            for c in 0..cols {
                // On the southern and eastern rim water turns along it, to the corner.
                if !rim(r, c) {
                    assert_eq!(acc.data[(r, c)], (r.min(c) + 1) as f32);
                }
                let steps = (rows - 1 - r).min(cols - 1 - c);
                assert_eq!(height.data[(r, c)], steps as f32);
            }
        }
        assert_eq!(acc.data[(rows - 1, cols - 1)], (rows * cols) as f32);
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bytes() {
        let mut state = 7_u32;
        let z: Vec<f32> = (0..120 * 90)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 27) as f32
            })
            .collect();
        let dem = raster(120, 90, &z);
        let chain = |threads: usize| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
                .install(|| {
                    let filled = fill_depressions(&dem);
                    let dirs = flow_direction(&filled);
                    let acc = flow_accumulation(&dirs, None);
                    let height = hand(&filled, &dirs, &acc.map(|a| u8::from(a >= 30.0)));
                    let bits = |r: &Raster<f32>| {
                        r.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>()
                    };
                    (bits(&filled), dirs, bits(&acc), bits(&height))
                })
        };
        let one = chain(1);
        assert!(one == chain(2) && one == chain(5));
    }

    proptest! {
        /// Accumulation and HAND against water followed from every cell by itself.
        #[test]
        fn the_forest_agrees_with_single_drops(dem in dems()) {
            let filled = fill_depressions(&dem);
            let dirs = flow_direction(&filled);
            let n = dem.grid.cells();
            let o = offsets(dem.grid.cols);
            let acc = flow_accumulation(&dirs, None);
            let river: Vec<bool> = acc.values().iter().map(|&a| a >= 5.0).collect();
            let drainage = acc.map(|a| u8::from(a >= 5.0));
            let height = hand(&filled, &dirs, &drainage);
            let mut count = vec![0u32; n];
            for cell in (0..n).filter(|&c| !dem.values()[c].is_nan()) {
                let (mut at, mut base) = (Some(cell), f32::NAN);
                while let Some(here) = at {
                    count[here] += 1;
                    if river[here] && base.is_nan() {
                        base = filled.values()[here];
                    }
                    at = receiver(here, dirs.values()[here], &o);
                }
                let (expected, found) = (filled.values()[cell] - base, height.values()[cell]);
                prop_assert!(expected == found || (expected.is_nan() && found.is_nan()));
            }
            for cell in 0..n {
                let a = acc.values()[cell];
                prop_assert!(a == count[cell] as f32 || (a.is_nan() && count[cell] == 0));
            }
        }

        #[test]
        fn filling_gives_the_spill_levels(dem in dems()) {
            let filled = fill_depressions(&dem);
            let expected = spill_levels(&dem);
            for ((f, e), z) in filled.values().iter().zip(&expected).zip(dem.values()) {
                prop_assert_eq!(f.is_nan(), z.is_nan());
                prop_assert!(z.is_nan() || (f == e && f >= z));
            }
            let again = fill_depressions(&filled);
            for (a, b) in again.values().iter().zip(filled.values()) {
                prop_assert_eq!(a.to_bits(), b.to_bits());
            }
        }

        #[test]
        fn epsilon_leaves_a_fall_everywhere(dem in dems()) {
            let (plain, filled) = (fill_depressions(&dem), fill_depressions_epsilon(&dem));
            let (rows, cols) = dem.grid.shape();
            for r in 0..rows {
                for c in 0..cols {
                    let z = filled.data[(r, c)];
                    if z.is_nan() {
                        continue;
                    }
                    prop_assert!(z >= plain.data[(r, c)]);
                    let leaves = STEPS.iter().any(|&(dr, dc)| {
                        let (nr, nc) = (r.wrapping_add_signed(dr), c.wrapping_add_signed(dc));
                        nr >= rows || nc >= cols || filled.data[(nr, nc)].is_nan() || filled.data[(nr, nc)] < z
                    });
                    prop_assert!(leaves);
                }
            }
        }

        /// Every cell of a filled DEM drains off the map without ever climbing; accumulation at the outlets sums to the
        /// number of cells; HAND is never negative and 0 on drainage; the order is topological.
        #[test]
        fn water_leaves_the_map(dem in dems()) {
            let filled = fill_depressions(&dem);
            let dirs = flow_direction(&filled);
            let (rows, cols) = dem.grid.shape();
            let n = rows * cols;
            let o = offsets(cols);
            for cell in 0..n {
                let (mut at, mut steps) = (cell, 0);
                prop_assert_eq!(dirs.values()[cell] == NO_DATA, dem.values()[cell].is_nan());
                while let Some(next) = receiver(at, dirs.values()[at], &o) {
                    prop_assert!(filled.values()[next] <= filled.values()[at]);
                    at = next;
                    steps += 1;
                    prop_assert!(steps <= n);
                }
                let (r, c) = (at / cols, at % cols);
                let at_edge = STEPS.iter().any(|&(dr, dc)| {
                    let (nr, nc) = (r.wrapping_add_signed(dr), c.wrapping_add_signed(dc));
                    nr >= rows || nc >= cols || dem.data[(nr, nc)].is_nan()
                });
                prop_assert!(at_edge || dem.values()[at].is_nan());
            }
            let acc = flow_accumulation(&dirs, None);
            let ones = dem.map(|_| 1.0f32);
            let weighted = flow_accumulation(&dirs, Some(&ones));
            let known = dem.values().iter().filter(|z| !z.is_nan()).count();
            let total: f32 = acc.values().iter().zip(dirs.values()).filter(|(_, d)| **d == OUTLET).map(|(a, _)| a).sum();
            prop_assert_eq!(total as usize, known);
            for (a, w) in acc.values().iter().zip(weighted.values()) {
                prop_assert!(a == w || (a.is_nan() && w.is_nan()));
            }
            let order = topological_order(&dirs);
            prop_assert_eq!(order.len(), known);
            let mut place = vec![usize::MAX; n];
            for (i, &cell) in order.iter().enumerate() {
                place[cell as usize] = i;
            }
            for cell in 0..n {
                if let Some(next) = receiver(cell, dirs.values()[cell], &o) {
                    prop_assert!(place[cell] < place[next]);
                }
            }
            let drainage = acc.map(|a| u8::from(a >= 4.0));
            let height = hand(&filled, &dirs, &drainage);
            for cell in 0..n {
                let h = height.values()[cell];
                prop_assert!(h.is_nan() || h >= 0.0);
                if drainage.values()[cell] == 1 {
                    prop_assert_eq!(h, 0.0);
                }
            }
            let outlets: Vec<u32> = (0..n).filter(|&i| dirs.values()[i] == OUTLET).map(|i| i as u32).collect();
            let basins = catchments(&dirs, &outlets);
            for (i, &outlet) in outlets.iter().enumerate() {
                let size = basins.values().iter().filter(|&&b| b == i as u32 + 1).count();
                prop_assert_eq!(size as f32, acc.values()[outlet as usize]);
            }
        }
    }
}
