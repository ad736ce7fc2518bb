//! Polygons to cells by centre or by touch.

use super::{CellPoint, Span, burn, clamp_cell, ring_edges};
use crate::grid::Grid;
use crate::raster::Raster;
use geo::MultiPolygon;
use rayon::prelude::*;

/// Which cells belong to a polygon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// Cells whose centre lies inside. A centre on a western or southern edge is outside, on an eastern or northern edge
    /// inside, as GDAL rounds; so of two polygons that share a border exactly one takes a centre on it. (GDAL
    /// paints centres on a southern horizontal edge for both; here the northern rule holds alone.)
    #[default]
    Centre,
    /// Cells whose interior meets the polygon. Cells that only share a border or a corner with it are left out.
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

fn polygon_spans(shape: &MultiPolygon<f64>, grid: &Grid, rule: Rule, id: u32) -> Vec<Span> {
    let mut crossings: Vec<(u32, f64)> = Vec::new();
    let mut spans = Vec::new();
    for polygon in shape {
        // Parts of a multi-polygon are painted one by one, so that parts that overlap by mistake do not cancel out.
        crossings.clear();
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            ring_edges(grid, ring, |a, b| {
                let (n, s) = if a.y <= b.y { (a, b) } else { (b, a) };
                edge_crossings(grid, n, s, &mut crossings);
                if rule == Rule::AllTouched {
                    touched_by_edge(grid, n, s, id, &mut spans);
                }
            });
        }
        crossings.sort_unstable_by(|p, q| p.0.cmp(&q.0).then(p.1.total_cmp(&q.1)));
        // Every ring is closed, so that each row has an even number of crossings.
        for pair in crossings.chunks_exact(2) {
            let (row, end_row) = (pair[0].0, pair[1].0);
            debug_assert_eq!(row, end_row);
            // Least column whose centre lies beyond the crossing: x - 0.5 is exact wherever it decides.
            let first = |x: f64| clamp_cell((x - 0.5).floor() + 1.0, grid.cols) as u32;
            let (col, end) = (first(pair[0].1), first(pair[1].1));
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

/// Rows whose centre line the edge crosses (northern end included, southern not), and where.
fn edge_crossings(grid: &Grid, n: CellPoint, s: CellPoint, out: &mut Vec<(u32, f64)>) {
    let first = clamp_cell((n.y - 0.5).ceil(), grid.rows);
    let end = clamp_cell((s.y - 0.5).ceil(), grid.rows);
    let slope = (s.x - n.x) / (s.y - n.y);
    for row in first..end {
        out.push((row as u32, n.x + (row as f64 + 0.5 - n.y) * slope));
    }
}

/// Cells whose interior the edge passes through.
fn touched_by_edge(grid: &Grid, n: CellPoint, s: CellPoint, id: u32, out: &mut Vec<Span>) {
    let first = clamp_cell(n.y.floor(), grid.rows);
    let end = clamp_cell(s.y.ceil(), grid.rows);
    let (west, east) = (n.x.min(s.x), n.x.max(s.x));
    let slope = if s.y > n.y {
        (s.x - n.x) / (s.y - n.y)
    } else {
        0.0
    };
    for row in first..end {
        let (top, bottom) = (row as f64, row as f64 + 1.0);
        let at = |y: f64| (n.x + (y - n.y) * slope).clamp(west, east);
        let xa = if n.y >= top { n.x } else { at(top) };
        let xb = if s.y <= bottom { s.x } else { at(bottom) };
        let col = clamp_cell(xa.min(xb).floor(), grid.cols) as u32;
        let end = clamp_cell(xa.max(xb).ceil(), grid.cols) as u32;
        if end > col {
            out.push(Span {
                row: row as u32,
                col,
                end,
                shape: id,
            });
        }
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
    fn a_border_through_centres_belongs_to_one_side() {
        // The shared borders run through the centres of column 1 and of row 1.
        let quarter = |w: f64, s: f64, e: f64, n: f64| rectangle(w, s, e, n);
        let parts = [
            quarter(0.0, 1.5, 1.5, 3.0),
            quarter(1.5, 1.5, 3.0, 3.0),
            quarter(0.0, 0.0, 1.5, 1.5),
            quarter(1.5, 0.0, 3.0, 1.5),
        ];
        let mut count = [0u8; 9];
        for p in &parts {
            let r = rasterize(&[(p, 1u8)], &unit_grid(3, 3), Rule::Centre, 0);
            for (c, v) in count.iter_mut().zip(r.values()) {
                *c += v;
            }
        }
        assert_eq!(count, [1; 9]);
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
