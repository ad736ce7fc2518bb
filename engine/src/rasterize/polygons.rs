//! Polygons to cells by centre or by touch, with the very arithmetic of GDAL (`GDALRasterizeGeometries`, read at 3.9), so
//! that the cells are the same to the last one, those on borders included: positions by GDAL's inverse geotransform,
//! crossings with its order of operations, and its treatment of edges that run along a line of centres.

use super::touched::touched_by_edge;
use super::{CellPoint, Sorted, Span, burn, clamp_cell, near};
use crate::grid::Grid;
use crate::raster::Raster;
use geo::{Coord, LineString, MultiPolygon};
use rayon::prelude::*;
use std::ops::Range;

/// Which cells belong to a polygon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// Cells whose centre lies inside, as GDAL's `gdal_rasterize`. A centre on a western edge is outside, on an eastern
    /// edge inside; on a level edge it is inside, whether the polygon lies south or north of it. So each centre on the
    /// border of two polygons goes to one of them, but for level borders through centres: there both take it, and where
    /// both are painted the later one stays.
    #[default]
    Centre,
    /// Cells whose interior meets the polygon, as GDAL's `gdal_rasterize -at`. Cells that only share a border or a corner
    /// with it are left out (borders are held to be the same within 0.0001 cells). An edge less than 0.01 cells wide or
    /// high is taken for one column or row of cells, as GDAL takes it.
    AllTouched,
}

/// Paints polygons onto a grid; where shapes overlap the later one stays.
///
/// * Rings count by the even-odd rule: holes stay unpainted, the orientation of rings does not matter.
/// * Parts beyond the grid are cut off; vertices with coordinates that are not finite are left out.
///
/// # Examples
/// ```
/// use anlan_engine::rasterize::{Rule, rasterize};
/// use anlan_engine::{Crs, Grid};
/// use geo::{MultiPolygon, polygon};
///
/// let grid = Grid::new(Crs::from_epsg(4549)?, (0.0, 3.0), (1.0, 1.0), (3, 3))?;
/// let lot = MultiPolygon::from(polygon![(x: 0.0, y: 0.0), (x: 2.0, y: 0.0), (x: 2.0, y: 2.0), (x: 0.0, y: 2.0)]);
/// let painted = rasterize(&[(&lot, 7u8)], &grid, Rule::Centre, 0);
/// assert_eq!(painted.values(), [0, 0, 0, 7, 7, 0, 7, 7, 0]);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
pub fn rasterize<T: Copy + Send + Sync>(
    shapes: &[(&MultiPolygon<f64>, T)],
    grid: &Grid,
    rule: Rule,
    background: T,
) -> Raster<T> {
    let spans: Vec<Vec<Span>> = shapes
        .par_iter()
        .enumerate()
        .map(|(i, (shape, _))| polygon_spans(shape, grid, rule, i as u32))
        .collect();
    burn(grid, &spans, |i| shapes[i as usize].1, background)
}

/// Polygons ready to be painted onto a grid some rows at a time, as [`rasterize`] paints them: for grids that are larger
/// than memory. Memory: 16 bytes for each row of each polygon.
#[derive(Debug, Clone)]
pub struct Painting {
    sorted: Sorted,
    cols: usize,
}

impl Painting {
    /// The cells of each polygon.
    pub fn new(shapes: &[&MultiPolygon<f64>], grid: &Grid, rule: Rule) -> Self {
        let spans: Vec<Vec<Span>> = shapes
            .par_iter()
            .enumerate()
            .map(|(i, shape)| polygon_spans(shape, grid, rule, i as u32))
            .collect();
        Painting {
            sorted: Sorted::new(grid, &spans),
            cols: grid.cols,
        }
    }

    /// Paints some rows, `[rows, columns of the grid]`, each polygon by its value; cells of none are left as they are.
    ///
    /// # Panics
    /// Rows beyond the grid, or another number of cells.
    pub fn paint<T: Copy + Send + Sync>(&self, rows: Range<usize>, values: &[T], out: &mut [T]) {
        assert_eq!(out.len(), rows.len() * self.cols, "cells of the rows");
        out.par_chunks_mut(self.cols)
            .zip(rows)
            .for_each(|(row, r)| self.sorted.paint(r, row, |shape| values[shape as usize]));
    }
}

fn polygon_spans(shape: &MultiPolygon<f64>, grid: &Grid, rule: Rule, id: u32) -> Vec<Span> {
    let mut crossings: Vec<(u32, u32)> = Vec::new();
    let mut spans = Vec::new();
    let mut points = Vec::new();
    for polygon in shape {
        // Parts of a multi-polygon are painted one by one, so that parts that overlap by mistake do not cancel out.
        crossings.clear();
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            ring_points(ring, grid, &mut points);
            // Read clockwise, level edges below the ring's inside run west.
            let clockwise = is_clockwise(&ring.0);
            for pair in points.windows(2) {
                let (a, b) = (pair[0], pair[1]);
                if rule == Rule::AllTouched {
                    touched_by_edge(a, b, grid.shape(), id, &mut spans);
                }
                if a.y < b.y {
                    edge_crossings(grid, a, b, &mut crossings);
                } else if b.y < a.y {
                    edge_crossings(grid, b, a, &mut crossings);
                } else {
                    let (from, to) = if clockwise { (a, b) } else { (b, a) };
                    if from.x > to.x {
                        level_span(grid, to, from, id, &mut spans);
                    }
                }
            }
        }
        crossings.sort_unstable();
        // Every ring is closed, so that each row has an even number of crossings.
        for pair in crossings.chunks_exact(2) {
            let ((row, col), (end_row, end)) = (pair[0], pair[1]);
            debug_assert_eq!(row, end_row);
            if end > col {
                spans.push(Span {
                    row,
                    col,
                    end,
                    shape: id,
                });
            }
        }
    }
    spans
}

/// The points of a ring in cells, closed, without those that are not finite or too far away. Positions are computed as
/// GDAL's inverse geotransform does: by a product with the reciprocal of the cell size, not by a quotient.
fn ring_points(ring: &LineString<f64>, grid: &Grid, points: &mut Vec<CellPoint>) {
    let (ox, oy) = (-grid.west / grid.dx, -grid.north / -grid.dy);
    let (kx, ky) = (1.0 / grid.dx, 1.0 / -grid.dy);
    points.clear();
    points.extend(
        ring.0
            .iter()
            .map(|c| CellPoint {
                x: ox + c.x * kx,
                y: oy + c.y * ky,
            })
            .filter(near),
    );
    if let Some(&first) = points.first()
        && points.last() != Some(&first)
    {
        points.push(first);
    }
}

/// Whether a ring runs clockwise, as OGR judges it, so that rings that cross themselves are painted as GDAL paints them
/// too: by the turn at the lowest vertex (of several the easternmost), by the area where that vertex is doubtful.
fn is_clockwise(ring: &[Coord<f64>]) -> bool {
    /// Vertices this near to each other, in the unit of the system, tell no direction.
    const NEAR: f64 = 1e-5;
    let ring = match ring {
        [first, middle @ .., last] if first == last => &ring[..=middle.len()],
        _ => ring,
    };
    let (mut lowest, mut doubtful) = (0, ring.len() < 3);
    for (i, c) in ring.iter().enumerate().skip(1) {
        let low = ring[lowest];
        if c.y < low.y || (c.y == low.y && c.x > low.x) {
            (lowest, doubtful) = (i, ring.len() < 3);
        } else if *c == low {
            doubtful = true;
        }
    }
    if !doubtful {
        let n = ring.len();
        let at = ring[lowest];
        let (before, after) = (ring[(lowest + n - 1) % n] - at, ring[(lowest + 1) % n] - at);
        let near = |d: Coord<f64>| d.x.abs() < NEAR && d.y.abs() < NEAR;
        let turn = after.x * before.y - before.x * after.y;
        if !near(before) && !near(after) && turn != 0.0 {
            return turn < 0.0;
        }
    }
    // Twice the area, about the first vertex against cancellation; below 0 where y falls to the right.
    let o = ring.first().copied().unwrap_or_default();
    let next = ring.iter().skip(1).chain(ring.first());
    let twice: f64 = ring
        .iter()
        .zip(next)
        .map(|(&a, &b)| (a.x - o.x) * (b.y - o.y) - (b.x - o.x) * (a.y - o.y))
        .sum();
    twice < 0.0
}

/// The least column whose centre lies beyond a position; a centre on it does not.
fn first_column(x: f64, cols: usize) -> u32 {
    clamp_cell((x + 0.5).floor(), cols) as u32
}

/// Rows whose centre line an edge crosses (northern end included, southern not), and the column that begins there.
fn edge_crossings(grid: &Grid, n: CellPoint, s: CellPoint, out: &mut Vec<(u32, u32)>) {
    let first = clamp_cell((n.y - 0.5).ceil(), grid.rows);
    let end = clamp_cell((s.y - 0.5).ceil(), grid.rows);
    let (run, fall) = (s.x - n.x, s.y - n.y);
    for row in first..end {
        let x = (row as f64 + 0.5 - n.y) * run / fall + n.x;
        out.push((row as u32, first_column(x, grid.cols)));
    }
}

/// The cells over a level edge that runs through centres, the ring's inside to the north.
fn level_span(grid: &Grid, west: CellPoint, east: CellPoint, id: u32, out: &mut Vec<Span>) {
    let row = west.y - 0.5;
    if row != row.floor() || row < 0.0 || row >= grid.rows as f64 {
        return;
    }
    let (col, end) = (
        first_column(west.x, grid.cols),
        first_column(east.x, grid.cols),
    );
    if end > col {
        out.push(Span {
            row: row as u32,
            col,
            end,
            shape: id,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{picture, unit_grid};
    use super::*;
    use geo::{LineString, Polygon, polygon};
    use proptest::prelude::*;

    fn rectangle(w: f64, s: f64, e: f64, n: f64) -> MultiPolygon<f64> {
        polygon![(x: w, y: s), (x: e, y: s), (x: e, y: n), (x: w, y: n)].into()
    }

    #[test]
    fn centres_with_a_hole() {
        let outer = LineString::from(vec![(0.6, 0.4), (4.6, 0.4), (4.6, 4.6), (0.6, 4.6)]);
        let hole = LineString::from(vec![(2.0, 2.0), (2.0, 3.0), (3.0, 3.0), (3.0, 2.0)]);
        let shape = MultiPolygon::from(Polygon::new(outer, vec![hole]));
        let r = rasterize(&[(&shape, 1u8)], &unit_grid(5, 5), Rule::Centre, 0);
        assert_eq!(picture(&r), ["01111", "01111", "01011", "01111", "01111"]);
    }

    #[test]
    fn touch_leaves_out_cells_that_share_only_a_border() {
        let aligned = rectangle(2.0, 2.0, 6.0, 6.0);
        let r = rasterize(&[(&aligned, 1u8)], &unit_grid(8, 8), Rule::AllTouched, 0);
        assert_eq!(r.values().iter().filter(|&&v| v == 1).count(), 16);
        let inside_one_cell = rectangle(0.1, 0.1, 0.2, 0.2);
        let r = rasterize(
            &[(&inside_one_cell, 1u8)],
            &unit_grid(2, 2),
            Rule::AllTouched,
            0,
        );
        assert_eq!(picture(&r), ["00", "10"]);
        let diagonal: MultiPolygon<f64> =
            polygon![(x: 0.0, y: 3.0), (x: 3.0, y: 0.0), (x: 0.0, y: 0.0)].into();
        let r = rasterize(&[(&diagonal, 1u8)], &unit_grid(3, 3), Rule::AllTouched, 0);
        assert_eq!(picture(&r), ["100", "110", "111"]);
    }

    #[test]
    fn later_shapes_win_and_shapes_beyond_the_grid_are_cut() {
        let a = rectangle(-100.0, -100.0, 2.0, 100.0);
        let b = rectangle(1.0, 1.0, 100.0, 2.0);
        for rule in [Rule::Centre, Rule::AllTouched] {
            let r = rasterize(&[(&a, 1u8), (&b, 2)], &unit_grid(3, 4), rule, 0);
            assert_eq!(picture(&r), ["1100", "1222", "1100"]);
        }
        let away = rectangle(50.0, 50.0, 60.0, 60.0);
        let r = rasterize(&[(&away, 1u8)], &unit_grid(3, 4), Rule::AllTouched, 0);
        assert!(r.values().iter().all(|&v| v == 0));
    }

    #[test]
    fn a_border_through_centres_goes_where_gdal_puts_it() {
        // The shared borders run through the centres of column 1 and of row 1.
        let parts = [
            rectangle(0.0, 1.5, 1.5, 3.0),
            rectangle(1.5, 1.5, 3.0, 3.0),
            rectangle(0.0, 0.0, 1.5, 1.5),
            rectangle(1.5, 0.0, 3.0, 1.5),
        ];
        // Column 1 goes to the west; row 1 goes to both sides, and the later one stays. As GDAL 3.10.3 paints them.
        let mut count = [0u8; 9];
        for p in &parts {
            let r = rasterize(&[(p, 1u8)], &unit_grid(3, 3), Rule::Centre, 0);
            for (c, v) in count.iter_mut().zip(r.values()) {
                *c += v;
            }
        }
        assert_eq!(count, [1, 1, 1, 2, 2, 2, 1, 1, 1]);
        let shapes: Vec<_> = parts.iter().zip(1u8..).collect();
        let r = rasterize(&shapes, &unit_grid(3, 3), Rule::Centre, 0);
        assert_eq!(picture(&r), ["112", "334", "334"]);
        // Rings run either way: the same cells.
        let mut turned = parts[0].clone();
        turned.0[0].exterior_mut(|ring| ring.0.reverse());
        let once = rasterize(&[(&parts[0], 1u8)], &unit_grid(3, 3), Rule::Centre, 0);
        let again = rasterize(&[(&turned, 1u8)], &unit_grid(3, 3), Rule::Centre, 0);
        assert_eq!(once, again);
    }

    /// Rings that cross themselves, of cells of 0.3 m, with a level edge through centres: cells as GDAL 3.10.3 paints them
    /// (rasterio 1.4.4).
    #[test]
    fn crossed_rings_are_painted_as_gdal_paints_them() {
        let g = Grid::new(
            crate::crs::Crs::from_epsg(4549).unwrap(),
            (500_000.0, 4_000_000.0),
            (0.3, 0.3),
            (24, 24),
        )
        .unwrap();
        let shape = |cells: &[(f64, f64)]| {
            let at = |&(x, y): &(f64, f64)| (500_000.0 + x * 0.3, 4_000_000.0 - y * 0.3);
            let ring = LineString::from(cells.iter().map(at).collect::<Vec<_>>());
            MultiPolygon::from(Polygon::new(ring, vec![]))
        };
        let crossed = shape(&[
            (22.5, 13.5),
            (18.0, 13.5),
            (14.5, 16.0),
            (11.5, 15.5),
            (9.0, 19.5),
            (17.5, 8.0),
        ]);
        assert!(is_clockwise(
            &shape(&[(0.0, 0.0), (2.0, 0.0), (2.0, 2.0)]).0[0]
                .exterior()
                .0
        ));
        assert!(!is_clockwise(
            &shape(&[(0.0, 0.0), (2.0, 2.0), (2.0, 0.0)]).0[0]
                .exterior()
                .0
        ));
        assert!(!is_clockwise(&crossed.0[0].exterior().0));
        let r = rasterize(&[(&crossed, 1u8)], &g, Rule::Centre, 0);
        let row: String = picture(&r)[13].clone();
        assert_eq!(row, "000000000000011111000000");
    }

    /// Edges less than 0.01 cells wide and high, one on a border between columns within 0.0001 cells, slanting ones: cells
    /// as GDAL 3.10.3 paints them (rasterio 1.4.4).
    #[test]
    fn narrow_edges_are_painted_as_gdal_paints_them() {
        let shape: MultiPolygon<f64> = polygon![
            (x: 0.995, y: 7.3), (x: 1.003, y: 2.2), (x: 3.0, y: 2.0), (x: 6.00005, y: 0.4),
            (x: 6.00005, y: 4.0), (x: 7.6, y: 5.503), (x: 3.2, y: 5.497), (x: 2.5, y: 6.5)
        ]
        .into();
        let paint = |rule| picture(&rasterize(&[(&shape, 1u8)], &unit_grid(8, 8), rule, 0));
        assert_eq!(
            paint(Rule::Centre),
            [
                "00000000", "01100000", "01100111", "01111110", "01111100", "01111100", "00001100",
                "00000000"
            ]
        );
        assert_eq!(
            paint(Rule::AllTouched),
            [
                "11000000", "01100000", "01111111", "01111111", "01111110", "01111100", "00011100",
                "00001110"
            ]
        );
    }

    #[test]
    fn rows_at_a_time_are_the_whole() {
        let shapes = [rectangle(0.2, 0.3, 3.3, 5.2), rectangle(1.1, 2.2, 7.7, 3.9)];
        let refs: Vec<_> = shapes.iter().collect();
        let g = unit_grid(6, 8);
        for rule in [Rule::Centre, Rule::AllTouched] {
            let painting = Painting::new(&refs, &g, rule);
            let mut out = vec![9u8; 48];
            painting.paint(0..1, &[1, 2], &mut out[..8]);
            painting.paint(1..6, &[1, 2], &mut out[8..]);
            let whole = rasterize(&[(refs[0], 1u8), (refs[1], 2)], &g, rule, 9);
            assert_eq!(out, whole.values());
        }
    }

    proptest! {
        /// A wavy border, many of whose vertices lie on centres, splits a rectangle: every cell goes to exactly one side.
        #[test]
        fn neighbours_partition_the_cells(border in prop::collection::vec((0u8..=16, 0.0f64..8.0, any::<bool>()), 1..30)) {
            let mut wave: Vec<(f64, f64)> = vec![(4.0, 0.0)];
            let n = border.len() as f64;
            for (i, (half, real, on_centre)) in border.iter().enumerate() {
                let x = if *on_centre { f64::from(*half) / 2.0 } else { *real };
                wave.push((x, (i as f64 + 1.0) / (n + 1.0) * 8.0));
            }
            wave.push((4.0, 8.0));
            let mut west: Vec<(f64, f64)> = vec![(0.0, 8.0), (0.0, 0.0)];
            west.extend(&wave);
            let mut east: Vec<(f64, f64)> = vec![(8.0, 0.0), (8.0, 8.0)];
            east.extend(wave.iter().rev());
            let g = unit_grid(8, 8);
            let paint = |ring: Vec<(f64, f64)>| {
                let shape = MultiPolygon::from(Polygon::new(LineString::from(ring), vec![]));
                rasterize(&[(&shape, 1u8)], &g, Rule::Centre, 0)
            };
            let (w, e) = (paint(west), paint(east));
            for (a, b) in w.values().iter().zip(e.values()) {
                prop_assert_eq!(a + b, 1);
            }
        }
    }
}
