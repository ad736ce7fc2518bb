//! Cells that an edge passes through, as GDAL's `-at` walks them (`GDALdllImageLineAllTouched`, read at 3.9). The walk is
//! GDAL's step for step, since where it ends and which cells a corner counts for follow from its rounding.

use super::{CellPoint, Span};

/// Ends this near to a border between cells lie on it.
const ALIGNED: f64 = 1e-4;
/// Edges less wide or high than this are walked in one column or row.
const STRAIGHT: f64 = 0.01;
/// Least step across a border, so that the walk goes on.
const LEAST_STEP: f64 = 1e-9;

/// Adds the cells that an edge passes through, on a grid of `shape` rows and columns.
pub(super) fn touched_by_edge(
    a: CellPoint,
    b: CellPoint,
    shape: (usize, usize),
    id: u32,
    out: &mut Vec<Span>,
) {
    let (rows, cols) = (shape.0 as f64, shape.1 as f64);
    let beyond = |p: f64, q: f64, limit: f64| (p < 0.0 && q < 0.0) || (p > limit && q > limit);
    if beyond(a.y, b.y, rows) || beyond(a.x, b.x, cols) {
        return;
    }
    let aligned = |v: f64| (v - v.round()).abs() < ALIGNED;
    let (w, e) = if a.x > b.x { (b, a) } else { (a, b) };
    let mut push = |row: f64, col: f64, last: f64| {
        if last >= col {
            out.push(Span {
                row: row as u32,
                col: col as u32,
                end: last as u32 + 1,
                shape: id,
            });
        }
    };
    if w.x.floor() == e.x.floor() || (w.x - e.x).abs() < STRAIGHT {
        if aligned(w.x) && aligned(e.x) {
            return;
        }
        let (north, south) = (w.y.min(e.y), w.y.max(e.y));
        let col = e.x.floor();
        if col < 0.0 || col >= cols {
            return;
        }
        let mut row = north.floor().max(0.0);
        let last = (south - ALIGNED).floor().min(rows - 1.0);
        while row <= last {
            push(row, col, col);
            row += 1.0;
        }
        return;
    }
    if w.y.floor() == e.y.floor() || (w.y - e.y).abs() < STRAIGHT {
        if aligned(w.y) && aligned(e.y) {
            return;
        }
        let row = w.y.floor();
        if row >= 0.0 && row < rows {
            let last = (e.x - ALIGNED).floor().min(cols - 1.0);
            push(row, w.x.floor().max(0.0), last);
        }
        return;
    }
    slanting(w, e, (rows, cols), push);
}

/// Walks an edge that spans several rows and columns from its western end `w` to its eastern end `e`.
fn slanting(
    mut w: CellPoint,
    mut e: CellPoint,
    (rows, cols): (f64, f64),
    mut push: impl FnMut(f64, f64, f64),
) {
    let slope = (e.y - w.y) / (e.x - w.x);
    if e.x > cols {
        e.y -= (e.x - cols) * slope;
        e.x = cols;
    }
    if w.x < 0.0 {
        w.y += (0.0 - w.x) * slope;
        w.x = 0.0;
    }
    if e.y > w.y {
        if w.y < 0.0 {
            w.x += (0.0 - w.y) / slope;
            w.y = 0.0;
        }
        if e.y >= rows {
            // As GDAL has it, which clips towards the east here: the end is held by the rows below.
            e.x = (e.x + (e.y - rows) / slope).min(cols);
        }
    } else {
        if w.y >= rows {
            w.x += (rows - w.y) / slope;
            w.y = rows;
        }
        if e.y < 0.0 {
            e.x -= e.y / slope;
        }
    }
    while w.x >= 0.0 && w.x < e.x {
        let (col, row) = (w.x.floor(), w.y.floor());
        if row >= 0.0 && row < rows {
            // Columns beyond the grid cannot be reached: the end is held to it.
            push(row, col, col);
        }
        let (mut across, mut down) = ((w.x + 1.0).floor() - w.x, 0.0);
        let along = across * slope;
        if (w.y + along).floor() == row {
            down += along;
        } else {
            down = if slope < 0.0 {
                (row - w.y).min(-LEAST_STEP)
            } else {
                (row + 1.0 - w.y).max(LEAST_STEP)
            };
            across = down / slope;
        }
        w.x += across;
        w.y += down;
    }
}
