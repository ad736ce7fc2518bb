//! D8 flow directions (流向): each cell drains to the neighbour with the steepest fall (O'Callaghan & Mark 1984,
//! doi:10.1016/S0734-189X(84)80011-0); flats drain towards lower and away from higher ground.

use super::{NO_DATA, OUTLET, flats::resolve_flats};
use crate::raster::Raster;
use rayon::prelude::*;

/// Marks a cell of a flat until its way out is found.
pub(super) const UNDECIDED: u8 = 253;

/// D8 direction codes of a filled DEM: see the head of [`crate::hydrology`].
///
/// * Equal falls: the first of E, SE, S, SW, W, NW, N, NE. Lengths are in metres also on geographic grids.
/// * A cell at the edge of the map or beside a missing one drains to its steepest lower neighbour if it has one, else
///   out of the map: [`OUTLET`].
/// * On a DEM that was not filled, pits and flats without a way out are [`OUTLET`] too.
/// * The raster's `nodata` is [`NO_DATA`].
pub fn flow_direction(filled: &Raster<f32>) -> Raster<u8> {
    let grid = filled.grid;
    let (rows, cols) = grid.shape();
    let z = filled.values();
    let mut dirs = Raster::filled(grid, NO_DATA).with_nodata(NO_DATA);
    dirs.values_mut()
        .par_chunks_mut(cols)
        .enumerate()
        .for_each(|(r, out)| {
            let (dx, dy) = grid.cell_size_m(r);
            let diagonal = (dx * dx + dy * dy).sqrt();
            let per_m =
                [dx, diagonal, dy, diagonal, dx, diagonal, dy, diagonal].map(|m| (1.0 / m) as f32);
            let line = |r: usize| &z[r * cols..(r + 1) * cols];
            let here = line(r);
            if r > 0 && r + 1 < rows {
                let (north, south) = (line(r - 1), line(r + 1));
                for c in 1..cols.saturating_sub(1) {
                    let ring = [
                        here[c + 1],
                        south[c + 1],
                        south[c],
                        south[c - 1],
                        here[c - 1],
                        north[c - 1],
                        north[c],
                        north[c + 1],
                    ];
                    out[c] = steepest(here[c], ring, &per_m);
                }
            }
            // The rim of the map, where some neighbours do not exist.
            let rim = |c: usize| {
                let at = |dr: isize, dc: isize| {
                    let (nr, nc) = (r.wrapping_add_signed(dr), c.wrapping_add_signed(dc));
                    if nr < rows && nc < cols {
                        z[nr * cols + nc]
                    } else {
                        f32::NAN
                    }
                };
                steepest(here[c], super::STEPS.map(|(dr, dc)| at(dr, dc)), &per_m)
            };
            if r == 0 || r + 1 == rows {
                for (c, o) in out.iter_mut().enumerate() {
                    *o = rim(c);
                }
            } else {
                out[0] = rim(0);
                out[cols - 1] = rim(cols - 1);
            }
        });
    resolve_flats(filled, &mut dirs);
    dirs
}

/// Code of the steepest fall; without one, [`UNDECIDED`] inside the map and [`OUTLET`] beside a missing cell.
#[inline(always)]
fn steepest(e: f32, ring: [f32; 8], per_m: &[f32; 8]) -> u8 {
    let mut best = 0.0f32;
    let mut code = UNDECIDED;
    let mut sum = 0.0;
    for k in 0..8 {
        let fall = (e - ring[k]) * per_m[k];
        if fall > best {
            best = fall;
            code = k as u8;
        }
        sum += ring[k];
    }
    if e.is_nan() {
        NO_DATA
    } else if code == UNDECIDED && sum.is_nan() {
        OUTLET
    } else {
        code
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::raster;
    use super::*;

    #[test]
    fn directions_on_paper() {
        let dem = raster(
            3,
            4,
            &[
                9.0, 8.0, 7.0, 6.0, //
                8.0, 6.0, 5.0, 3.0, //
                9.0, 7.0, 4.0, 1.0f32,
            ],
        );
        // (1,1): falls 1.0 E, 2/sqrt 2 = 1.41 SE. (1,2): 2.0 E, 4/sqrt 2 = 2.83 SE.
        let expected = [
            1, 1, 1, 2, //
            0, 1, 1, 2, //
            7, 0, 0, OUTLET,
        ];
        assert_eq!(flow_direction(&dem).values(), expected);
    }

    #[test]
    fn a_flat_drains_to_its_outlet_and_away_from_higher_ground() {
        let dem = raster(
            5,
            5,
            &[
                9.0, 9.0, 9.0, 9.0, 9.0, //
                9.0, 5.0, 5.0, 5.0, 9.0, //
                9.0, 5.0, 5.0, 5.0, 4.0, //
                9.0, 5.0, 5.0, 5.0, 9.0, //
                9.0, 9.0, 9.0, 9.0, 9.0f32,
            ],
        );
        let d = flow_direction(&dem);
        let inner: Vec<u8> = [6, 7, 8, 11, 12, 13, 16, 17, 18]
            .iter()
            .map(|&i| d.values()[i])
            .collect();
        // The eastern column falls to the outlet itself; the western corners turn to the middle, away from the walls. The
        // cells north and south of the middle stand before two ways of equal merit and go straight.
        assert_eq!(inner, [1, 0, 1, 0, 0, 0, 7, 0, 7]);
    }

    #[test]
    fn pits_that_were_not_filled_stop_the_water() {
        let mut v = [5.0f32; 25];
        v[12] = 1.0;
        let d = flow_direction(&raster(5, 5, &v));
        assert_eq!(d.values()[12], OUTLET);
        assert_eq!(d.values()[11], 0);
    }
}
