//! Cells to polygons: the outlines of a mask, and of zones that share borders.

use crate::grid::Grid;
use crate::raster::Raster;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use std::collections::BTreeMap;

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
    // Cells that are not 0 are one kind, whatever their value.
    let marked: Vec<bool> = mask.values().iter().map(|&v| v != 0).collect();
    let parts = parts(&mask.grid, &marked, false, false);
    MultiPolygon(parts.into_iter().map(|(_, polygon)| polygon).collect())
}

/// Polygons around the cells of each label but `outside`, ascending by label; the parts of a label that share no side are
/// parts of its multi-polygon, in the order of their first cells.
///
/// * Neighbours have the same vertices along the border that they share, one also wherever a third zone meets it: borders
///   stay the same when the vertices are carried into another system.
/// * Borders follow the sides of cells: areas are exact, and [`super::rasterize`] gives the labels back.
/// * Rings are valid as those of [`outlines`].
///
/// # Examples
/// ```
/// use anlan_engine::rasterize::label_outlines;
/// use anlan_engine::{Crs, Grid, Raster};
/// use geo::Area;
///
/// let grid = Grid::new(Crs::from_epsg(4549)?, (0.0, 20.0), (10.0, 10.0), (2, 2))?;
/// let zones = Raster::new(grid, ndarray::array![[1u32, 1], [2, 3]]);
/// let around = label_outlines(&zones, 0);
/// assert_eq!(around.iter().map(|z| z.0).collect::<Vec<_>>(), [1, 2, 3]);
/// assert_eq!(around[0].1.unsigned_area(), 200.0);
/// // Four corners, the first of them again at the end, and the point where zones 2 and 3 meet zone 1.
/// assert_eq!(around[0].1.0[0].exterior().0.len(), 6);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
pub fn label_outlines(labels: &Raster<u32>, outside: u32) -> Vec<(u32, MultiPolygon<f64>)> {
    let mut zones: BTreeMap<u32, Vec<Polygon<f64>>> = BTreeMap::new();
    for (first_cell, polygon) in parts(&labels.grid, labels.values(), outside, true) {
        let label = labels.values()[first_cell];
        zones.entry(label).or_default().push(polygon);
    }
    let zones = zones.into_iter();
    zones.map(|(label, p)| (label, MultiPolygon(p))).collect()
}

/// The first cell and the polygon of each group of equal cells that share sides, but those `outside`; with vertices also
/// where borders of other groups begin, if `nodes`.
fn parts<T: Copy + PartialEq>(
    grid: &Grid,
    values: &[T],
    outside: T,
    nodes: bool,
) -> Vec<(usize, Polygon<f64>)> {
    let (labels, firsts) = groups(grid, values, outside);
    let mut rings = vec![(Vec::new(), Vec::new()); firsts.len()];
    // Northern sides that a ring has passed.
    let mut passed = vec![false; labels.len()];
    for cell in 0..labels.len() {
        let is_north =
            labels[cell] != 0 && (cell < grid.cols || labels[cell - grid.cols] != labels[cell]);
        if !is_north || passed[cell] {
            continue;
        }
        let (ring, is_hole) = ring(&labels, grid, cell, nodes, &mut passed);
        let (exteriors, holes) = &mut rings[labels[cell] as usize - 1];
        if is_hole { holes } else { exteriors }.push(ring);
    }
    let polygon = |(mut exterior, holes): (Vec<LineString<f64>>, Vec<LineString<f64>>)| {
        Polygon::new(exterior.swap_remove(0), holes)
    };
    let polygons = rings.into_iter().map(polygon);
    firsts.into_iter().zip(polygons).collect()
}

/// Groups of equal cells that share sides, numbered from 1, 0 outside; and the first cell of each.
fn groups<T: Copy + PartialEq>(grid: &Grid, values: &[T], outside: T) -> (Vec<u32>, Vec<usize>) {
    let (rows, cols) = grid.shape();
    let mut labels = vec![0u32; values.len()];
    let (mut firsts, mut open) = (Vec::new(), Vec::new());
    for start in 0..values.len() {
        if values[start] == outside || labels[start] != 0 {
            continue;
        }
        firsts.push(start);
        let label = firsts.len() as u32;
        labels[start] = label;
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
                if values[near] == values[start] && labels[near] == 0 {
                    labels[near] = label;
                    open.push(near);
                }
            }
        }
    }
    (labels, firsts)
}

/// The ring that passes the northern side of a cell, the group on its left; true where it is a hole's.
fn ring(
    labels: &[u32],
    grid: &Grid,
    cell: usize,
    nodes: bool,
    passed: &mut [bool],
) -> (LineString<f64>, bool) {
    let (rows, cols) = grid.shape();
    let group = labels[cell];
    let group_at = |(row, col): (isize, isize)| {
        let inside = row >= 0 && col >= 0 && (row as usize) < rows && (col as usize) < cols;
        if inside {
            labels[row as usize * cols + col as usize]
        } else {
            0
        }
    };
    let is_in = |cell: (isize, isize)| group_at(cell) == group;
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
        let turn = match (is_in(left), is_in(right)) {
            // Also where two cells of the group touch at the corner: they are joined elsewhere, around a hole.
            (_, true) => Some((way + 3) % 4),
            // Straight on; `right` and the cell behind it lie beyond the border.
            (true, false) => {
                let behind = (right.0 - STEPS[way].0, right.1 - STEPS[way].1);
                (nodes && group_at(right) != group_at(behind)).then_some(way)
            }
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
    fn zones_share_their_borders_vertex_by_vertex() {
        let s = Stream::new(1, 906);
        for kinds in [2.0, 3.0, 7.0] {
            let grid = unit_grid(30, 40);
            let data = ndarray::Array2::from_shape_fn(grid.shape(), |(r, c)| {
                (s.uniform((r / 2 * 50 + c / 3) as u64, 0, 0) * kinds) as u32
            });
            let labels = Raster::new(grid, data);
            let zones = label_outlines(&labels, 0);
            let cells = labels.values().iter().filter(|&&v| v != 0).count();
            let area: f64 = zones.iter().map(|z| z.1.signed_area()).sum();
            assert_eq!(area, cells as f64);
            let mut edges = std::collections::BTreeMap::new();
            for (label, zone) in &zones {
                assert!(zone.0.iter().all(Validation::is_valid));
                for polygon in zone {
                    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
                    for edge in rings.flat_map(|r| r.lines()) {
                        let key = |c: Coord<f64>| (c.x as i64, c.y as i64);
                        let old = edges.insert((key(edge.start), key(edge.end)), *label);
                        assert_eq!(old, None);
                    }
                }
            }
            // Beyond each edge lies the same edge of a neighbour, or ground without a label all along it.
            let value = |x: i64, y: i64| {
                let inside = (0..40).contains(&x) && (0..30).contains(&y);
                if inside {
                    labels.data[(29 - y as usize, x as usize)]
                } else {
                    0
                }
            };
            for (&(from, to), &label) in &edges {
                let beyond = edges.get(&(to, from));
                assert_ne!(beyond, Some(&label));
                let (dx, dy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
                let (mut x, mut y) = from;
                while (x, y) != to {
                    // The cell on the right of a unit step from (x, y).
                    let right = match (dx, dy) {
                        (1, _) => (x, y - 1),
                        (-1, _) => (x - 1, y),
                        (_, 1) => (x, y),
                        _ => (x - 1, y - 1),
                    };
                    assert_eq!(value(right.0, right.1), beyond.copied().unwrap_or(0));
                    (x, y) = (x + dx, y + dy);
                }
            }
            let shapes: Vec<_> = zones.iter().map(|(v, z)| (z, *v)).collect();
            let back = rasterize(&shapes, &grid, Rule::Centre, 0);
            assert_eq!(back.values(), labels.values());
        }
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
