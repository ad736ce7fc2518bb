//! Lines to cells: every cell that a line passes through.

use super::{CellPoint, Span, burn, near, to_cells};
use crate::grid::Grid;
use crate::raster::Raster;
use geo::MultiLineString;
use rayon::prelude::*;

/// Paints lines (rivers, dykes, roads) onto every cell they pass through; where lines cross the later one stays.
///
/// * A cell holds its northern and western border, so that a line along a border is painted once and never lost.
/// * A line of one point paints the cell that holds it; parts beyond the grid are cut off.
pub fn rasterize_lines<T: Copy + Send + Sync>(
    shapes: &[(&MultiLineString<f64>, T)],
    grid: &Grid,
    background: T,
) -> Raster<T> {
    let spans: Vec<Vec<Span>> = shapes
        .par_iter()
        .enumerate()
        .map(|(i, (shape, _))| {
            let mut spans = Vec::new();
            for line in *shape {
                let points: Vec<CellPoint> = line
                    .0
                    .iter()
                    .map(|&c| to_cells(grid, c))
                    .filter(near)
                    .collect();
                if let [only] = points[..] {
                    segment_spans(grid, only, only, i as u32, &mut spans);
                }
                for ends in points.windows(2) {
                    segment_spans(grid, ends[0], ends[1], i as u32, &mut spans);
                }
            }
            spans
        })
        .collect();
    burn(grid, &spans, |i| shapes[i as usize].1, background)
}

fn segment_spans(grid: &Grid, a: CellPoint, b: CellPoint, id: u32, out: &mut Vec<Span>) {
    let (n, s) = if a.y <= b.y { (a, b) } else { (b, a) };
    let (west, east) = (n.x.min(s.x), n.x.max(s.x));
    if s.y < 0.0 || n.y >= grid.rows as f64 || east < 0.0 || west >= grid.cols as f64 {
        return;
    }
    let slope = if s.y > n.y {
        (s.x - n.x) / (s.y - n.y)
    } else {
        0.0
    };
    let first = n.y.floor().max(0.0) as usize;
    let last = (s.y.floor() as usize).min(grid.rows - 1);
    for row in first..=last {
        let (top, bottom) = (row as f64, row as f64 + 1.0);
        let at = |y: f64| (n.x + (y - n.y) * slope).clamp(west, east);
        let xa = if n.y >= top { n.x } else { at(top) };
        // The southern border belongs to the next row: there the end itself is left out, which matters where it
        // falls on a column border reached from the west.
        let through = s.y >= bottom;
        let xb = if through { at(bottom) } else { s.x };
        let lo = xa.min(xb).floor();
        let hi = if through && xb > xa {
            (xb.ceil() - 1.0).max(lo)
        } else {
            xa.max(xb).floor()
        };
        if hi >= 0.0 && lo < grid.cols as f64 {
            out.push(Span {
                row: row as u32,
                col: lo.max(0.0) as u32,
                end: (hi as usize + 1).min(grid.cols) as u32,
                shape: id,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{picture, unit_grid};
    use super::*;
    use geo::LineString;

    fn paint(lines: &[Vec<(f64, f64)>], rows: usize, cols: usize) -> Vec<String> {
        let m = MultiLineString::new(lines.iter().cloned().map(LineString::from).collect());
        picture(&rasterize_lines(&[(&m, 1u8)], &unit_grid(rows, cols), 0))
    }

    #[test]
    fn lines_paint_the_cells_they_cross() {
        assert_eq!(
            paint(&[vec![(0.5, 2.5), (2.5, 0.5)]], 3, 3),
            ["100", "010", "001"]
        );
        assert_eq!(
            paint(&[vec![(0.2, 2.5), (2.9, 1.9)]], 3, 3),
            ["111", "001", "000"]
        );
        // Along a border: the cells to the south and to the east.
        assert_eq!(
            paint(&[vec![(0.0, 2.0), (2.5, 2.0)]], 3, 3),
            ["000", "111", "000"]
        );
        assert_eq!(
            paint(&[vec![(1.0, 0.5), (1.0, 2.5)]], 3, 3),
            ["010", "010", "010"]
        );
        assert_eq!(paint(&[vec![(1.5, 1.5)]], 3, 3), ["000", "010", "000"]);
    }

    #[test]
    fn lines_reach_in_from_outside() {
        assert_eq!(
            paint(&[vec![(-9.5, 1.5), (9.5, 1.5)]], 3, 3),
            ["000", "111", "000"]
        );
        assert_eq!(
            paint(&[vec![(-10.0, 50.0), (-1.0, -5.0)]], 3, 3),
            ["000", "000", "000"]
        );
    }

    #[test]
    fn both_directions_paint_the_same() {
        let there = vec![(0.3, 0.1), (4.0, 2.0), (2.0, 4.0), (4.9, 4.9)];
        let back: Vec<_> = there.iter().rev().copied().collect();
        assert_eq!(paint(&[there], 5, 5), paint(&[back], 5, 5));
    }
}
