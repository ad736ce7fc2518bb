//! Cells to polygons: the outlines of a mask.

use crate::grid::Grid;
use crate::raster::Raster;
use geo::{Coord, LineString, MultiPolygon, Polygon};

/// Steps along cell borders: east, north, west, south.
const STEPS: [(isize, isize); 4] = [(0, 1), (-1, 0), (0, -1), (1, 0)];

/// Polygons around the cells that are not 0, one for each group of cells that share sides, in the order of their first
/// cells.
///
/// * Borders follow the sides of cells: areas are exact, and [`super::rasterize`] gives the mask back.
/// * Rings are valid: exteriors run counter-clockwise, holes clockwise; where a hole touches the outside at a corner both
///   rings pass there.
///
/// # Examples
/// ```
/// use anlan_engine::rasterize::outlines;
/// use anlan_engine::{Crs, Grid, Raster};
/// use geo::Area;
///
/// let grid = Grid::new(Crs::from_epsg(4549)?, (0.0, 30.0), (10.0, 10.0), (3, 3))?;
/// let mut mask = Raster::filled(grid, 1u8);
/// mask.values_mut()[4] = 0;
/// let around = outlines(&mask);
/// assert_eq!((around.0.len(), around.0[0].interiors().len()), (1, 1));
/// assert_eq!(around.unsigned_area(), 800.0);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
pub fn outlines(mask: &Raster<u8>) -> MultiPolygon<f64> {
    let grid = &mask.grid;
    let (labels, groups) = groups(mask);
    let mut rings = vec![(Vec::new(), Vec::new()); groups];
    // Northern sides that a ring has passed.
    let mut passed = vec![false; labels.len()];
    for cell in 0..labels.len() {
        let is_north =
            labels[cell] != 0 && (cell < grid.cols || labels[cell - grid.cols] != labels[cell]);
        if !is_north || passed[cell] {
            continue;
        }
        let (ring, is_hole) = ring(&labels, grid, cell, &mut passed);
        let (exteriors, holes) = &mut rings[labels[cell] as usize - 1];
        if is_hole { holes } else { exteriors }.push(ring);
    }
    let polygon = |(mut exterior, holes): (Vec<LineString<f64>>, Vec<LineString<f64>>)| {
        Polygon::new(exterior.swap_remove(0), holes)
    };
    MultiPolygon(rings.into_iter().map(polygon).collect())
}

/// Groups of cells that share sides, numbered from 1, 0 outside; and their number.
fn groups(mask: &Raster<u8>) -> (Vec<u32>, usize) {
    let (rows, cols) = mask.grid.shape();
    let values = mask.values();
    let mut labels = vec![0u32; values.len()];
    let (mut count, mut open) = (0u32, Vec::new());
    for start in 0..values.len() {
        if values[start] == 0 || labels[start] != 0 {
            continue;
        }
        count += 1;
        labels[start] = count;
        open.push(start);
        while let Some(cell) = open.pop() {
            let (row, col) = (cell / cols, cell % cols);
            let beside = [
                (row > 0).then(|| cell - cols),
                (row + 1 < rows).then(|| cell + cols),
                (col > 0).then(|| cell - 1),
                (col + 1 < cols).then(|| cell + 1),
            ];
            for near in beside.into_iter().flatten() {
                if values[near] != 0 && labels[near] == 0 {
                    labels[near] = count;
                    open.push(near);
                }
            }
        }
    }
    (labels, count as usize)
}

/// The ring that passes the northern side of a cell, the group on its left; true where it is a hole's.
fn ring(labels: &[u32], grid: &Grid, cell: usize, passed: &mut [bool]) -> (LineString<f64>, bool) {
    let (rows, cols) = grid.shape();
    let group = labels[cell];
    let is_in = |row: isize, col: isize| {
        row >= 0
            && col >= 0
            && (row as usize) < rows
            && (col as usize) < cols
            && labels[row as usize * cols + col as usize] == group
    };
    // Corners by the cell to their south-east. Westward along the northern side first.
    let start = ((cell / cols) as isize, (cell % cols) as isize + 1);
    let (mut at, mut way) = (start, 2usize);
    let mut points = Vec::new();
    let mut twice_area = 0isize;
    loop {
        if way == 2 {
            passed[at.0 as usize * cols + at.1 as usize - 1] = true;
        }
        let next = (at.0 + STEPS[way].0, at.1 + STEPS[way].1);
        // y grows to the north, rows to the south.
        twice_area += at.0 * next.1 - next.0 * at.1;
        at = next;
        let (row, col) = at;
        // Cells ahead of the step, on its left and on its right.
        let (left, right) = match way {
            0 => ((row - 1, col), (row, col)),
            1 => ((row - 1, col - 1), (row - 1, col)),
            2 => ((row, col - 1), (row - 1, col - 1)),
            _ => ((row, col), (row, col - 1)),
        };
        let turn = match (is_in(left.0, left.1), is_in(right.0, right.1)) {
            // Also where two cells of the group touch at the corner: they are joined elsewhere, around a hole.
            (_, true) => Some((way + 3) % 4),
            (true, false) => None,
            (false, false) => Some((way + 1) % 4),
        };
        if let Some(turn) = turn {
            points.push(Coord {
                x: grid.west + col as f64 * grid.dx,
                y: grid.north - row as f64 * grid.dy,
            });
            way = turn;
        }
        if at == start && way == 2 {
            break;
        }
    }
    points.push(points[0]);
    (LineString(points), twice_area < 0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::unit_grid;
    use super::super::{Rule, rasterize};
    use super::*;
    use crate::random::Stream;
    use geo::{Area, Validation};

    fn of(rows: &[&str]) -> MultiPolygon<f64> {
        let grid = unit_grid(rows.len(), rows[0].len());
        let bits = rows.iter().flat_map(|r| r.bytes()).map(|b| b - b'0');
        let data = ndarray::Array2::from_shape_vec(grid.shape(), bits.collect()).unwrap();
        outlines(&Raster::new(grid, data))
    }

    #[test]
    fn rings_turn_at_corners_only() {
        let m = of(&["0110", "0110"]);
        assert_eq!(m.0.len(), 1);
        assert_eq!(m.0[0].exterior().0.len(), 5);
        assert_eq!(m.signed_area(), 4.0);
    }

    #[test]
    fn diagonal_neighbours_are_apart_and_a_hole_may_touch_the_outside() {
        assert_eq!(of(&["10", "01"]).0.len(), 2);
        let m = of(&["110", "101", "111"]);
        assert_eq!((m.0.len(), m.0[0].interiors().len()), (1, 1));
        assert_eq!(m.unsigned_area(), 7.0);
        assert!(m.is_valid());
    }

    #[test]
    fn random_masks_come_back_and_are_valid() {
        let s = Stream::new(1, 905);
        for share in [0.2, 0.5, 0.7] {
            let grid = unit_grid(40, 50);
            let data = ndarray::Array2::from_shape_fn(grid.shape(), |(r, c)| {
                u8::from(s.uniform((r * 50 + c) as u64, 0, 0) < share)
            });
            let mask = Raster::new(grid, data);
            let polygons = outlines(&mask);
            let cells = mask.values().iter().filter(|&&v| v == 1).count();
            assert_eq!(polygons.signed_area(), cells as f64);
            assert!(polygons.0.iter().all(Validation::is_valid));
            let back = rasterize(&[(&polygons, 1u8)], &grid, Rule::Centre, 0);
            assert_eq!(back.values(), mask.values());
        }
    }
}
