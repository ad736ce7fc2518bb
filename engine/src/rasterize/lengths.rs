//! Lines to cells by length: how much of a line lies in each cell.

use super::{CellPoint, near, to_cells};
use crate::grid::Grid;
use geo::MultiLineString;

/// Length of a line in each cell that it passes through, in the units of the grid's system, by ascending cell.
///
/// * Every stretch between two cell borders counts for the cell that holds its middle; a stretch along a border counts
///   for the cell to the south or east. The lengths add up to that of the part of the line inside the grid.
/// * A line of one point has no length.
pub fn line_lengths(line: &MultiLineString<f64>, grid: &Grid) -> Vec<(u32, f64)> {
    let mut out: Vec<(u32, f64)> = Vec::new();
    let mut cuts: Vec<f64> = Vec::new();
    for part in line {
        for ends in part.0.windows(2) {
            let (dx, dy) = (ends[1].x - ends[0].x, ends[1].y - ends[0].y);
            let length = libm::sqrt(dx * dx + dy * dy);
            let (a, b) = (to_cells(grid, ends[0]), to_cells(grid, ends[1]));
            if length == 0.0 || !near(&a) || !near(&b) {
                continue;
            }
            cuts.clear();
            cuts.extend([0.0, 1.0]);
            borders(a.x, b.x, grid.cols, &mut cuts);
            borders(a.y, b.y, grid.rows, &mut cuts);
            cuts.sort_by(f64::total_cmp);
            for t in cuts.windows(2).filter(|t| t[1] > t[0]) {
                let middle = 0.5 * (t[0] + t[1]);
                let at = CellPoint {
                    x: a.x + middle * (b.x - a.x),
                    y: a.y + middle * (b.y - a.y),
                };
                let inside = at.x >= 0.0
                    && at.y >= 0.0
                    && at.x < grid.cols as f64
                    && at.y < grid.rows as f64;
                if inside {
                    out.push((
                        grid.index(at.y as usize, at.x as usize),
                        (t[1] - t[0]) * length,
                    ));
                }
            }
        }
    }
    out.sort_by_key(|c| c.0);
    let mut sums: Vec<(u32, f64)> = Vec::with_capacity(out.len());
    for (cell, length) in out {
        match sums.last_mut() {
            Some(last) if last.0 == cell => last.1 += length,
            _ => sums.push((cell, length)),
        }
    }
    sums
}

/// Where a coordinate that runs from `a` to `b` crosses whole numbers from 0 to `n`, as shares of the way.
fn borders(a: f64, b: f64, n: usize, cuts: &mut Vec<f64>) {
    let (low, high) = (a.min(b), a.max(b));
    let first = low.ceil().max(0.0);
    let last = high.floor().min(n as f64);
    let mut k = first;
    while k <= last && high > low {
        let t = (k - a) / (b - a);
        if t > 0.0 && t < 1.0 {
            cuts.push(t);
        }
        k += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::unit_grid;
    use super::*;
    use geo::LineString;
    use proptest::prelude::*;

    fn lengths(points: Vec<(f64, f64)>) -> Vec<(u32, f64)> {
        line_lengths(
            &MultiLineString(vec![LineString::from(points)]),
            &unit_grid(3, 3),
        )
    }

    #[test]
    fn a_diagonal_is_cut_at_the_borders() {
        let root = libm::sqrt(2.0);
        let all = lengths(vec![(0.5, 2.5), (2.5, 0.5)]);
        let cells: Vec<u32> = all.iter().map(|c| c.0).collect();
        assert_eq!(cells, [0, 4, 8]);
        for ((_, l), want) in all.iter().zip([root / 2.0, root, root / 2.0]) {
            assert!((l - want).abs() < 1e-12);
        }
        // Out of the grid and back: half a cell eastward, and a fifth of the way home from (5, 9), which meets the corner.
        let all = lengths(vec![(2.5, 1.5), (5.0, 1.5), (5.0, 9.0), (2.5, 1.5)]);
        let inside: f64 = all.iter().map(|c| c.1).sum();
        let want = 0.5 + 0.2 * libm::sqrt(2.5 * 2.5 + 7.5 * 7.5);
        assert!((inside - want).abs() < 1e-12, "{all:?}");
        assert_eq!(lengths(vec![(1.5, 1.5)]), []);
    }

    proptest! {
        #[test]
        fn nothing_of_a_line_inside_is_lost(points in prop::collection::vec((0.001..2.999f64, 0.001..2.999f64), 2..30)) {
            let whole: f64 = points.windows(2).map(|p| libm::hypot(p[1].0 - p[0].0, p[1].1 - p[0].1)).sum();
            let sum: f64 = lengths(points).iter().map(|c| c.1).sum();
            prop_assert!((sum - whole).abs() < 1e-9, "{} {}", sum, whole);
        }
    }
}
