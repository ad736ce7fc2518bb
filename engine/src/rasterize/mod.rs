//! Vector shapes onto cells: by cell centre, by touch, and by the exact share of each cell that is covered.
//!
//! Shapes are in the coordinates of the grid's system; reproject them first. All work is done in cell units (column
//! and row as real numbers, row axis to the south), each edge taken from its northern end, so that the border two
//! polygons share is computed once and the same for both. Cost: edges + rows they cross + cells written.
//!
//! | function | rule |
//! | --- | --- |
//! | [`rasterize`] with [`Rule::Centre`] | even-odd at cell centres, the same cells as GDAL's `gdal_rasterize` |
//! | [`rasterize`] with [`Rule::AllTouched`] | every cell whose interior the polygon meets, the same cells as GDAL's `-at` |
//! | [`coverage`], [`coverage_runs`] | signed-area accumulation, exact to the rounding of f64 |
//! | [`rasterize_lines`] | every cell that a line passes through |
//! | [`line_lengths`] | the length of a line in each cell |
//!
//! [`outlines`] and [`label_outlines`] go the other way: polygons around the cells of a mask, or of zones.

mod coverage;
mod lengths;
mod lines;
mod outlines;
mod polygons;
mod touched;

pub use coverage::{Coverage, Edges, Run, coverage, coverage_runs};
pub use lengths::line_lengths;
pub use lines::rasterize_lines;
pub use outlines::{label_outlines, outlines};
pub use polygons::{Painting, Rule, rasterize};

use crate::grid::Grid;
use crate::raster::Raster;
use geo::{Coord, LineString};
use rayon::prelude::*;

/// A point in cell units: `x` columns east of the western edge, `y` rows south of the northern edge.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CellPoint {
    x: f64,
    y: f64,
}

/// Some columns of one row, to be written with the value of shape `shape`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    row: u32,
    col: u32,
    end: u32,
    shape: u32,
}

fn to_cells(grid: &Grid, c: Coord<f64>) -> CellPoint {
    CellPoint {
        x: (c.x - grid.west) / grid.dx,
        y: (grid.north - c.y) / grid.dy,
    }
}

/// Farthest position, in cells, that a vertex may have: beyond it f64 cannot tell a cell's parts apart.
const FARTHEST: f64 = 1e12;

/// Calls `f` with both ends of every edge in cell units, closing the ring if it is not. Vertices that are not finite or
/// farther than [`FARTHEST`] are left out and their neighbours joined, so that the ring stays closed.
fn ring_edges(grid: &Grid, ring: &LineString<f64>, mut f: impl FnMut(CellPoint, CellPoint)) {
    let points = || ring.0.iter().map(|&c| to_cells(grid, c)).filter(near);
    // A closed ring begins with an edge of no length, which is left out.
    let Some(mut a) = points().next_back() else {
        return;
    };
    for b in points() {
        if a != b {
            f(a, b);
        }
        a = b;
    }
}

fn near(p: &CellPoint) -> bool {
    // False for NaN too.
    p.x.abs() < FARTHEST && p.y.abs() < FARTHEST
}

/// Whole cells from a real position, held to `0..=limit`.
fn clamp_cell(position: f64, limit: usize) -> usize {
    position.clamp(0.0, limit as f64) as usize
}

/// Spans by row, in the order of shapes within each row.
#[derive(Debug, Clone)]
struct Sorted {
    spans: Vec<Span>,
    /// Where each row's spans begin; one more than there are rows.
    start: Vec<usize>,
}

impl Sorted {
    fn new(grid: &Grid, spans: &[Vec<Span>]) -> Self {
        // Counting sort by row keeps the order of shapes.
        let mut start = vec![0usize; grid.rows + 1];
        for s in spans.iter().flatten() {
            start[s.row as usize + 1] += 1;
        }
        for r in 0..grid.rows {
            start[r + 1] += start[r];
        }
        let blank = Span {
            row: 0,
            col: 0,
            end: 0,
            shape: 0,
        };
        let mut sorted = vec![blank; start[grid.rows]];
        let mut next = start.clone();
        for s in spans.iter().flatten() {
            let slot = &mut next[s.row as usize];
            sorted[*slot] = *s;
            *slot += 1;
        }
        Sorted {
            spans: sorted,
            start,
        }
    }

    /// Paints one row.
    fn paint<T: Copy>(&self, r: usize, row: &mut [T], value: impl Fn(u32) -> T) {
        for s in &self.spans[self.start[r]..self.start[r + 1]] {
            row[s.col as usize..s.end as usize].fill(value(s.shape));
        }
    }
}

/// Writes spans, in the order of shapes within each row, onto a raster; rows in parallel.
fn burn<T: Copy + Send + Sync>(
    grid: &Grid,
    spans: &[Vec<Span>],
    value: impl Fn(u32) -> T + Sync,
    background: T,
) -> Raster<T> {
    let sorted = Sorted::new(grid, spans);
    let mut out = Raster::filled(*grid, background);
    out.values_mut()
        .par_chunks_mut(grid.cols)
        .enumerate()
        .for_each(|(r, row)| sorted.paint(r, row, &value));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crs::Crs;

    pub(super) fn unit_grid(rows: usize, cols: usize) -> Grid {
        Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, rows as f64),
            (1.0, 1.0),
            (rows, cols),
        )
        .unwrap()
    }

    pub(super) fn picture(r: &Raster<u8>) -> Vec<String> {
        r.data
            .rows()
            .into_iter()
            .map(|row| row.iter().map(|&v| char::from(b'0' + v)).collect())
            .collect()
    }

    #[test]
    fn open_and_closed_rings_have_the_same_edges() {
        let g = unit_grid(4, 4);
        let open = LineString::from(vec![(0.0, 0.0), (2.0, 0.0), (2.0, 2.0)]);
        let mut closed = open.clone();
        closed.close();
        let edges = |ring: &LineString<f64>| {
            let mut out = Vec::new();
            ring_edges(&g, ring, |a, b| out.push([a.x, a.y, b.x, b.y]));
            out.sort_by(|p, q| p.partial_cmp(q).unwrap());
            out
        };
        assert_eq!(edges(&open), edges(&closed));
        assert_eq!(edges(&open).len(), 3);
        closed.0.insert(
            2,
            Coord {
                x: f64::NAN,
                y: 0.0,
            },
        );
        assert_eq!(edges(&open), edges(&closed));
    }
}
