//! The exact share of each cell that a polygon covers.
//!
//! Every edge leaves two numbers in each cell it crosses: how far it climbs or falls there (its cover) and the area
//! between it and the cell's eastern border. Summed along a row from the west, the covers give the winding number of
//! the cells that no edge enters, and covers with areas give the covered share of the others: Green's theorem, cell by
//! cell. Records are kept only for cells with an edge, so that memory grows with the border and not with the area.

use super::{CellPoint, clamp_cell, ring_edges};
use crate::grid::{Grid, Window};
use geo::{LineString, MultiPolygon};
use ndarray::Array2;
use std::ops::Range;

/// Covered shares on the part of a grid that a polygon reaches.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// Where in the grid the shares lie; no rows and no columns where the polygon misses the grid.
    pub window: Window,
    /// Covered share of each cell, 0..=1, `[window.rows, window.cols]`.
    pub fractions: Array2<f32>,
}

/// Neighbouring cells of one row with the same covered share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Row.
    pub row: u32,
    /// First column.
    pub col: u32,
    /// Number of columns.
    pub len: u32,
    /// Covered share, above 0 and at most 1.
    pub fraction: f64,
}

/// What the edges leave in one cell.
#[derive(Debug, Clone, Copy)]
struct Trace {
    row: u32,
    col: u32,
    /// An edge passes through the interior; otherwise it runs along the western border or west of the grid.
    interior: bool,
    cover: f64,
    area: f64,
}

/// An edge from its northern end to its southern end, with the sign that it counts by.
#[derive(Debug, Clone, Copy)]
struct Edge {
    n: CellPoint,
    s: CellPoint,
    sign: f64,
}

/// A polygon's edges in the cells of a grid: gives the polygon's coverage of any rows, so that a grid can be worked
/// through strip by strip. Rows are independent of each other: strips together give what the whole grid gives, to the bit.
///
/// Memory: 40 bytes an edge.
#[derive(Debug, Clone)]
pub struct Edges {
    edges: Vec<Edge>,
    rows: Range<usize>,
    cols: usize,
}

impl Edges {
    /// The edges of a polygon in the grid's system.
    pub fn new(shape: &MultiPolygon<f64>, grid: &Grid) -> Self {
        let mut edges = Vec::new();
        for polygon in shape {
            push_ring(grid, polygon.exterior(), 1.0, &mut edges);
            for hole in polygon.interiors() {
                push_ring(grid, hole, -1.0, &mut edges);
            }
        }
        let north = edges.iter().fold(f64::INFINITY, |y, e| y.min(e.n.y));
        let south = edges.iter().fold(f64::NEG_INFINITY, |y, e| y.max(e.s.y));
        let rows = if edges.is_empty() {
            0..0
        } else {
            clamp_cell(north.floor(), grid.rows)..clamp_cell(south.ceil(), grid.rows)
        };
        Edges {
            edges,
            rows,
            cols: grid.cols,
        }
    }

    /// The rows that the polygon reaches.
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// The cells of some rows that the polygon covers, as [`coverage_runs`] gives them for the whole grid.
    pub fn runs(&self, rows: Range<usize>) -> Vec<Run> {
        let rows = rows.start.max(self.rows.start)..rows.end.min(self.rows.end);
        let mut traces = Vec::new();
        for edge in &self.edges {
            edge_traces(self.cols, &rows, edge, &mut traces);
        }
        // Stable, so that sums run in the order of edges.
        traces.sort_by_key(|t| u64::from(t.row) << 32 | u64::from(t.col));
        let mut runs = Vec::with_capacity(traces.len());
        let mut rest = &traces[..];
        while let Some(first) = rest.first() {
            let row = first.row;
            let len = rest.partition_point(|t| t.row == row);
            row_runs(&rest[..len], self.cols as u32, &mut runs);
            rest = &rest[len..];
        }
        runs
    }
}

/// The cells a polygon covers, wholly or in part, row by row from the north, each row from the west.
///
/// * Exact to the rounding of f64; holes and parts count with their sign whatever the orientation of their rings.
/// * Parts beyond the grid are cut off.
/// * A multi-polygon whose parts overlap, or a ring that crosses itself, is not valid; shares are then held to 0..=1.
pub fn coverage_runs(shape: &MultiPolygon<f64>, grid: &Grid) -> Vec<Run> {
    let edges = Edges::new(shape, grid);
    edges.runs(edges.rows())
}

/// The covered share of each cell, as an array on the window of the grid that the polygon reaches. Where only sums
/// over cells are wanted, [`coverage_runs`] says the same in memory that grows with the border only.
pub fn coverage(shape: &MultiPolygon<f64>, grid: &Grid) -> Coverage {
    let runs = coverage_runs(shape, grid);
    let (mut row1, mut col0, mut col1) = (0u32, u32::MAX, 0u32);
    let row0 = runs.first().map_or(0, |r| r.row);
    for r in &runs {
        row1 = row1.max(r.row + 1);
        col0 = col0.min(r.col);
        col1 = col1.max(r.col + r.len);
    }
    if runs.is_empty() {
        col0 = 0;
    }
    let window = Window {
        row: row0 as usize,
        col: col0 as usize,
        rows: (row1 - row0) as usize,
        cols: (col1 - col0) as usize,
    };
    let mut fractions = Array2::zeros((window.rows, window.cols));
    let flat: &mut [f32] = fractions
        .as_slice_mut()
        .expect("a new array is in standard layout");
    for r in &runs {
        let at = (r.row - row0) as usize * window.cols + (r.col - col0) as usize;
        flat[at..at + r.len as usize].fill(r.fraction as f32);
    }
    Coverage { window, fractions }
}

/// Sums the traces of one row, sorted by column.
fn row_runs(traces: &[Trace], cols: u32, runs: &mut Vec<Run>) {
    let row = traces[0].row;
    let mut winding = 0.0;
    let mut i = 0;
    while i < traces.len() {
        let col = traces[i].col;
        let (mut cover, mut area, mut interior) = (0.0, 0.0, false);
        while i < traces.len() && traces[i].col == col {
            cover += traces[i].cover;
            area += traces[i].area;
            interior |= traces[i].interior;
            i += 1;
        }
        let mut next = col;
        if interior {
            push(runs, row, col, 1, (winding + area).clamp(0.0, 1.0));
            next += 1;
        }
        winding += cover;
        let end = traces.get(i).map_or(cols, |t| t.col);
        // No edge enters these cells: their winding number is whole, and rounding it sheds the dust of the sum.
        if end > next && winding.round() >= 1.0 {
            push(runs, row, next, end - next, 1.0);
        }
    }
}

fn push(runs: &mut Vec<Run>, row: u32, col: u32, len: u32, fraction: f64) {
    if fraction <= 0.0 {
        return;
    }
    if let Some(last) = runs.last_mut()
        && last.row == row
        && last.col + last.len == col
        && last.fraction == fraction
    {
        last.len += len;
        return;
    }
    runs.push(Run {
        row,
        col,
        len,
        fraction,
    });
}

/// Edges of a ring that shall count with `sign` whatever its orientation.
fn push_ring(grid: &Grid, ring: &LineString<f64>, sign: f64, out: &mut Vec<Edge>) {
    // Twice the area under the convention of the traces, about the first vertex against cancellation.
    let mut twice = 0.0;
    let mut origin = None;
    ring_edges(grid, ring, |a, b| {
        let o = *origin.get_or_insert(a);
        twice -= (b.y - a.y) * ((a.x - o.x) + (b.x - o.x));
    });
    let sign = if twice < 0.0 { -sign } else { sign };
    ring_edges(grid, ring, |a, b| {
        out.push(if a.y <= b.y {
            Edge { n: a, s: b, sign }
        } else {
            Edge {
                n: b,
                s: a,
                sign: -sign,
            }
        });
    });
}

/// Follows an edge from its northern end to its southern end through some rows, row by row.
fn edge_traces(cols: usize, rows: &Range<usize>, edge: &Edge, out: &mut Vec<Trace>) {
    let Edge { n, s, sign } = *edge;
    let first = clamp_cell(n.y.floor(), rows.end).max(rows.start);
    let end = clamp_cell(s.y.ceil(), rows.end);
    if first >= end {
        return;
    }
    let (west, east) = (n.x.min(s.x), n.x.max(s.x));
    let fall = s.y - n.y;
    let slope = if fall > 0.0 { (s.x - n.x) / fall } else { 0.0 };
    for row in first..end {
        let (top, bottom) = (row as f64, row as f64 + 1.0);
        let at = |y: f64| (n.x + (y - n.y) * slope).clamp(west, east);
        let a = if n.y >= top {
            CellPoint {
                x: n.x,
                y: n.y - top,
            }
        } else {
            CellPoint { x: at(top), y: 0.0 }
        };
        let b = if s.y <= bottom {
            CellPoint {
                x: s.x,
                y: s.y - top,
            }
        } else {
            CellPoint {
                x: at(bottom),
                y: 1.0,
            }
        };
        row_traces(cols, row as u32, a, b, sign, out);
    }
}

/// Traces of the piece `a`..`b` of an edge within one row; y from the row's northern border, `a.y <= b.y`.
fn row_traces(cols: usize, row: u32, a: CellPoint, b: CellPoint, sign: f64, out: &mut Vec<Trace>) {
    let limit = cols as f64;
    let (lo, hi) = (a.x.min(b.x), a.x.max(b.x));
    if lo >= limit {
        return;
    }
    let (mut x, mut y) = (a.x, a.y);
    let run = b.x - a.x;
    // Height at which the piece reaches a column border, between its ends.
    let height_at = |border: f64| a.y + ((border - a.x) / run).clamp(0.0, 1.0) * (b.y - a.y);
    let west_of_grid = |from: f64, to: f64, out: &mut Vec<Trace>| {
        if to > from {
            let cover = sign * (to - from);
            out.push(Trace {
                row,
                col: 0,
                interior: false,
                cover,
                area: cover,
            });
        }
    };
    if hi <= 0.0 {
        west_of_grid(a.y, b.y, out);
        return;
    }
    let mut leave = None;
    let mut stop = b.x;
    if run > 0.0 {
        if x < 0.0 {
            let at = height_at(0.0);
            west_of_grid(y, at, out);
            (x, y) = (0.0, at);
        }
        stop = stop.min(limit);
    } else if run < 0.0 {
        if x > limit {
            (x, y) = (limit, height_at(limit));
        }
        if stop < 0.0 {
            leave = Some(height_at(0.0));
            stop = 0.0;
        }
    }
    let step = if run < 0.0 { -1.0 } else { 1.0 };
    loop {
        // The column the piece lies in from x on, in its direction.
        let col = if run < 0.0 { x.ceil() - 1.0 } else { x.floor() };
        let border = if run < 0.0 { col } else { col + 1.0 };
        let last = (stop - border) * step <= 0.0;
        let nx = if last { stop } else { border };
        // Where the whole piece ends in the grid, its own end is taken, not one computed.
        let ny = if last && stop == b.x {
            b.y
        } else {
            height_at(nx).max(y)
        };
        if col >= 0.0 && col < limit {
            let cover = sign * (ny - y);
            let mean = 0.5 * ((x - col) + (nx - col));
            // A vertical piece on the column's western border, or a level one on the row's northern or southern
            // border, does not enter the cell.
            let on_border = (mean == 0.0) || (ny == y && (y == 0.0 || y == 1.0));
            if cover != 0.0 || !on_border {
                out.push(Trace {
                    row,
                    col: col as u32,
                    interior: !on_border,
                    cover,
                    area: cover * (1.0 - mean),
                });
            }
        }
        (x, y) = (nx, ny);
        if last {
            break;
        }
    }
    if let Some(at) = leave {
        west_of_grid(at, b.y, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::unit_grid;
    use super::*;
    use crate::crs::Crs;
    use geo::{Area, BooleanOps, Polygon, polygon};
    use proptest::prelude::*;

    fn area_of(runs: &[Run], g: &Grid) -> f64 {
        runs.iter()
            .map(|r| r.fraction * f64::from(r.len) * g.dx * g.dy)
            .sum()
    }

    #[test]
    fn a_rectangle_between_the_lines() {
        let g = unit_grid(3, 3);
        let shape: MultiPolygon<f64> =
            polygon![(x: 0.5, y: 0.5), (x: 2.25, y: 0.5), (x: 2.25, y: 2.75), (x: 0.5, y: 2.75)]
                .into();
        let c = coverage(&shape, &g);
        assert_eq!(
            c.window,
            Window {
                row: 0,
                col: 0,
                rows: 3,
                cols: 3
            }
        );
        let expected = [
            0.375, 0.75, 0.1875, //
            0.5, 1.0, 0.25, //
            0.25, 0.5, 0.125f32,
        ];
        assert_eq!(c.fractions.as_slice().unwrap(), expected);
    }

    #[test]
    fn aligned_polygons_take_no_neighbours() {
        let g = unit_grid(5, 5);
        let shape: MultiPolygon<f64> =
            polygon![(x: 1.0, y: 1.0), (x: 4.0, y: 1.0), (x: 4.0, y: 4.0), (x: 1.0, y: 4.0)].into();
        let runs = coverage_runs(&shape, &g);
        assert_eq!(
            runs,
            (1..4)
                .map(|row| Run {
                    row,
                    col: 1,
                    len: 3,
                    fraction: 1.0
                })
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_triangle_with_a_hole_in_either_orientation() {
        let g = unit_grid(2, 2);
        let outer = vec![(0.0, 0.0), (2.0, 0.0), (0.0, 2.0)];
        let hole = vec![(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)];
        for (flip_outer, flip_hole) in [(false, false), (true, false), (false, true), (true, true)]
        {
            let ring = |v: &[(f64, f64)], flip: bool| {
                let mut v = v.to_vec();
                if flip {
                    v.reverse();
                }
                LineString::from(v)
            };
            let shape = MultiPolygon::from(Polygon::new(
                ring(&outer, flip_outer),
                vec![ring(&hole, flip_hole)],
            ));
            let c = coverage(&shape, &g);
            assert_eq!(c.fractions.as_slice().unwrap(), [0.5, 0.0, 0.75, 0.5f32]);
        }
    }

    #[test]
    fn a_polygon_around_the_grid_covers_it_whole() {
        let g = unit_grid(4, 7);
        let around: MultiPolygon<f64> =
            polygon![(x: -30.0, y: -50.0), (x: 90.0, y: -40.0), (x: 20.0, y: 99.0)].into();
        let c = coverage(&around, &g);
        assert_eq!(c.fractions, Array2::from_elem((4, 7), 1.0));
        let away: MultiPolygon<f64> =
            polygon![(x: 30.0, y: 0.0), (x: 90.0, y: 0.0), (x: 30.0, y: 3.0)].into();
        assert!(coverage_runs(&away, &g).is_empty());
        assert_eq!(coverage(&away, &g).fractions.len(), 0);
    }

    /// A star-shaped ring about (cx, cy), never crossing itself.
    fn star(cx: f64, cy: f64, radii: &[f64]) -> LineString<f64> {
        let n = radii.len() as f64;
        LineString::from(
            radii
                .iter()
                .enumerate()
                .map(|(i, r)| {
                    let t = i as f64 / n * std::f64::consts::TAU;
                    (cx + r * libm::cos(t), cy + r * libm::sin(t))
                })
                .collect::<Vec<_>>(),
        )
    }

    proptest! {
        /// Fans of triangles about a point, which share every edge, cover each cell of the grid once.
        #[test]
        fn partitions_cover_each_cell_once(
            (cx, cy) in (0.0f64..9.0, 0.0f64..7.0),
            turns in prop::collection::vec(0.0f64..1.0, 3..12),
        ) {
            let g = unit_grid(7, 9);
            let mut turns = turns;
            turns.sort_by(f64::total_cmp);
            prop_assume!(turns.windows(2).all(|t| t[1] - t[0] > 1e-9 && t[1] - t[0] < 0.49));
            prop_assume!(turns[0] + 1.0 - turns[turns.len() - 1] < 0.49);
            let rim = |t: f64| {
                let a = t * std::f64::consts::TAU;
                (cx + 1e3 * libm::cos(a), cy + 1e3 * libm::sin(a))
            };
            let mut shares = vec![0.0; 63];
            for i in 0..turns.len() {
                let (a, b) = (rim(turns[i]), rim(turns[(i + 1) % turns.len()]));
                let ring = LineString::from(vec![(cx, cy), a, b]);
                let part = MultiPolygon::from(Polygon::new(ring, vec![]));
                for r in coverage_runs(&part, &g) {
                    for c in r.col..r.col + r.len {
                        shares[(r.row * 9 + c) as usize] += r.fraction;
                    }
                }
            }
            for s in shares {
                prop_assert!((s - 1.0).abs() < 1e-11, "{}", s);
            }
        }

        /// Strips of rows give what the whole grid gives, to the bit.
        #[test]
        fn rows_are_independent(radii in prop::collection::vec(0.5f64..9.0, 5..20), cut in 0usize..11) {
            let g = unit_grid(11, 8);
            let shape = MultiPolygon::from(Polygon::new(star(4.0, 5.0, &radii), vec![]));
            let edges = Edges::new(&shape, &g);
            let mut strips = edges.runs(0..cut);
            strips.extend(edges.runs(cut..11));
            prop_assert_eq!(strips, coverage_runs(&shape, &g));
        }

        /// Covered area = the polygon's area (shoelace formula of `geo`), hole and second part included, to 1e-9.
        #[test]
        fn the_cells_add_up_to_the_polygon(
            radii in prop::collection::vec(3.0f64..20.0, 3..40),
            hole in prop::collection::vec(0.2f64..1.4, 3..9),
            (dx, dy) in (0.05f64..7.0, 0.05f64..7.0),
            (ox, oy) in (0.0f64..1.0, 0.0f64..1.0),
        ) {
            let first = Polygon::new(star(500_040.0, 3_300_040.0, &radii), vec![star(500_040.0, 3_300_040.0, &hole)]);
            let second = Polygon::new(star(500_090.0, 3_300_040.0, &radii), vec![]);
            let shape = MultiPolygon::new(vec![first, second]);
            // Wide radii could let the hole cross a thin outer ring of three vertices; those are not valid polygons.
            prop_assume!(radii.len() > 5);
            let g = Grid::new(Crs::from_epsg(4549).unwrap(), (500_000.0 - ox * dx, 3_300_080.0 + oy * dy), (dx, dy),
                ((82.0 / dy) as usize + 2, (130.0 / dx) as usize + 2)).unwrap();
            let (found, expected) = (area_of(&coverage_runs(&shape, &g), &g), shape.unsigned_area());
            prop_assert!((found / expected - 1.0).abs() < 1e-9, "{} {}", found, expected);
        }

        /// Each share = the area of the polygon cut by the cell with `geo`'s boolean operations. That library works on a
        /// grid of integers over the shapes' extent, hence 1e-6; ours is far finer. The star reaches beyond the grid.
        #[test]
        fn shares_agree_with_clipping(radii in prop::collection::vec(0.5f64..5.0, 6..20), cx in 0.0f64..5.0, cy in 0.0f64..5.0) {
            let g = unit_grid(5, 5);
            let shape = MultiPolygon::from(Polygon::new(star(cx, cy, &radii), vec![]));
            let mut shares = [0.0; 25];
            for r in coverage_runs(&shape, &g) {
                for c in r.col..r.col + r.len {
                    shares[(r.row * 5 + c) as usize] = r.fraction;
                }
            }
            for row in 0..5usize {
                for col in 0..5usize {
                    let (w, n) = (col as f64, 5.0 - row as f64);
                    let cell: MultiPolygon<f64> =
                        polygon![(x: w, y: n), (x: w, y: n - 1.0), (x: w + 1.0, y: n - 1.0), (x: w + 1.0, y: n)].into();
                    let expected = shape.intersection(&cell).unsigned_area();
                    prop_assert!((shares[row * 5 + col] - expected).abs() < 1e-6, "{} {}", shares[row * 5 + col], expected);
                }
            }
        }
    }
}
