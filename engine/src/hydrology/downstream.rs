//! What lies downstream of each cell: height above the nearest drainage (HAND, 最近排水高差; Nobre et al. 2011,
//! doi:10.1016/j.jhydrol.2011.03.051), distance to it, and the catchment (流域) it belongs to.
//!
//! Water is followed from each cell until it meets a cell whose answer is known; the answer is then carried back up the
//! way it came. Every cell is passed twice, whatever the order, and no order need be stored.

use super::{offsets, receiver};
use crate::raster::Raster;

/// Fills `out` with each cell's answer. `known(cell)` is the answer of a cell where the water stops being followed;
/// `carry(cell, code, below)` the answer of a cell that drains by `code` to one with the answer `below`. Cells whose water
/// leaves the map unanswered keep what `out` holds.
fn carry_up<T: Copy>(
    dirs: &Raster<u8>,
    out: &mut [T],
    known: impl Fn(usize) -> Option<T>,
    carry: impl Fn(usize, u8, T) -> T,
) {
    let codes = dirs.values();
    let offsets = offsets(dirs.grid.cols);
    let mut done = vec![false; codes.len()];
    let mut way: Vec<u32> = Vec::new();
    for start in 0..codes.len() {
        let mut at = start;
        while !done[at] {
            done[at] = true;
            if let Some(answer) = known(at) {
                out[at] = answer;
                break;
            }
            match receiver(at, codes[at], &offsets) {
                Some(next) => {
                    way.push(at as u32);
                    at = next;
                }
                None => break,
            }
        }
        let mut below = out[at];
        while let Some(cell) = way.pop() {
            let cell = cell as usize;
            below = carry(cell, codes[cell], below);
            out[cell] = below;
        }
    }
}

/// Height of each cell above the drainage cell its water reaches first, m; 0 on drainage (cells of `drainage` that are
/// not 0), NaN where the water meets none.
///
/// * With the filled DEM the directions came from it is never negative. With the raw DEM the floors of depressions that
///   were filled can lie below the drainage, and are then negative.
///
/// # Panics
/// The shapes differ.
pub fn hand(dem: &Raster<f32>, dirs: &Raster<u8>, drainage: &Raster<u8>) -> Raster<f32> {
    let shape = dirs.grid.shape();
    assert_eq!(
        dem.grid.shape(),
        shape,
        "elevation and directions differ in shape"
    );
    assert_eq!(
        drainage.grid.shape(),
        shape,
        "drainage and directions differ in shape"
    );
    let (z, river) = (dem.values(), drainage.values());
    let mut out = Raster::filled(dirs.grid, f32::NAN);
    // First the elevation of the drainage cell, then the height above it.
    let base = out.values_mut();
    carry_up(
        dirs,
        base,
        |cell| (river[cell] != 0).then(|| z[cell]),
        |_, _, below| below,
    );
    for (b, z) in base.iter_mut().zip(z) {
        *b = z - *b;
    }
    out
}

/// Length of the way water takes from each cell to the drainage cell it reaches first, m, from centre to centre; 0 on
/// drainage, NaN where it meets none.
///
/// # Panics
/// The shapes differ.
pub fn distance_to_drainage(dirs: &Raster<u8>, drainage: &Raster<u8>) -> Raster<f32> {
    assert_eq!(
        drainage.grid.shape(),
        dirs.grid.shape(),
        "drainage and directions differ in shape"
    );
    let grid = dirs.grid;
    let sizes: Vec<(f64, f64)> = (0..grid.rows).map(|r| grid.cell_size_m(r)).collect();
    let river = drainage.values();
    let mut length = vec![f64::NAN; grid.cells()];
    carry_up(
        dirs,
        &mut length,
        |cell| (river[cell] != 0).then_some(0.0),
        |cell, code, below| {
            let (dx, dy) = sizes[cell / grid.cols];
            below
                + match code {
                    0 | 4 => dx,
                    2 | 6 => dy,
                    _ => (dx * dx + dy * dy).sqrt(),
                }
        },
    );
    let mut out = Raster::filled(grid, f32::NAN);
    for (o, l) in out.values_mut().iter_mut().zip(length) {
        *o = l as f32;
    }
    out
}

/// Which of `outlets` (cell numbers) each cell's water reaches first: its place in the list, counted from 1; 0 where it
/// reaches none. Outlets may lie below one another; each then ends the catchment of the one below. An outlet listed twice
/// goes by its first place.
///
/// # Panics
/// An outlet lies beyond the grid.
pub fn catchments(dirs: &Raster<u8>, outlets: &[u32]) -> Raster<u32> {
    let mut out = Raster::filled(dirs.grid, 0u32).with_nodata(0);
    let mut gauge = vec![0u32; dirs.grid.cells()];
    for (i, &cell) in outlets.iter().enumerate().rev() {
        gauge[cell as usize] = i as u32 + 1;
    }
    carry_up(
        dirs,
        out.values_mut(),
        |cell| (gauge[cell] != 0).then(|| gauge[cell]),
        |_, _, below| below,
    );
    out
}

#[cfg(test)]
mod tests {
    use super::super::OUTLET;
    use super::super::tests::raster;
    use super::*;

    #[test]
    fn heights_lengths_and_catchments_on_paper() {
        let dem = raster(
            3,
            4,
            &[
                9.0, 8.0, 7.0, 6.0, //
                8.0, 6.0, 5.0, 3.0, //
                9.0, 7.0, 4.0, 1.0f32,
            ],
        );
        let dirs = raster(3, 4, &[1, 1, 1, 2, 0, 1, 1, 2, 7, 0, 0, OUTLET]);
        let river = raster(3, 4, &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1]);
        let h = hand(&dem, &dirs, &river);
        // (0,1) falls SE to (1,2), which falls SE to the outlet at 1 m.
        let expected = [
            3.0, 7.0, 6.0, 5.0, //
            2.0, 0.0, 4.0, 2.0, //
            3.0, 3.0, 0.0, 0.0,
        ];
        assert_eq!(h.values(), expected);
        let d = distance_to_drainage(&dirs, &river);
        assert!((d.values()[1] - 2.0 * 14.142_136).abs() < 1e-5);
        assert_eq!((d.values()[3], d.values()[10]), (20.0, 0.0));
        let b = catchments(&dirs, &[11, 5]);
        assert_eq!(b.values(), [2, 1, 1, 1, 2, 2, 1, 1, 2, 1, 1, 1]);
        let none = hand(&dem, &dirs, &raster(3, 4, &[0u8; 12]));
        assert!(none.values().iter().all(|v| v.is_nan()));
    }
}
