//! How the solver lays out its fields: rows of equal, padded length, cut into bands for parallel work and into blocks for
//! skipping what is dry.
//!
//! * A *plane* is one f32 field in row order with a margin of guard cells on all sides, so that inner loops need neither
//!   bounds checks nor cases for the edge. Rows start at a cache line.
//! * *Blocks* of 4 x 16 cells (narrow valleys waste little) are active where they or a neighbour hold water that can flow,
//!   or where water comes in. Per row of blocks, neighbouring active blocks form *runs* of columns: all loops go over
//!   runs. Water moves one cell in a step, and activity is looked at anew every 3 steps, so it never leaves the active
//!   blocks.
//! * *Bands* of 64 rows are the unit of parallel work. Blocks and bands depend on the grid only, never on threads.

use std::ops::{Deref, DerefMut, Range};

/// Guard rows above and below, guard columns to the left (a cache line of f32) and at least as many to the right.
const GUARD_ROWS: usize = 3;
const GUARD_COLS: usize = 16;
/// Rows and columns of a block.
const BLOCK_ROWS: usize = 4;
const BLOCK_COLS: usize = 16;
/// Rows of a band: whole rows of blocks.
pub(super) const BAND_ROWS: usize = 64;

/// Shape of a plane: the grid with a ring of one cell around it, which stands for the world beyond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub rows: usize,
    pub cols: usize,
    /// Elements from one row to the next.
    pub stride: usize,
}

impl Shape {
    /// Of a grid of so many rows and columns.
    pub fn new((rows, cols): (usize, usize)) -> Shape {
        let (rows, cols) = (rows + 2, cols + 2);
        let stride = (cols + 2 * GUARD_COLS).next_multiple_of(GUARD_COLS);
        Shape { rows, cols, stride }
    }

    /// Elements of a plane.
    pub fn len(&self) -> usize {
        (self.rows + 2 * GUARD_ROWS) * self.stride
    }

    /// Position of a cell; rows and columns from -1 to the shape, guards included, are allowed.
    #[inline(always)]
    pub fn at(&self, row: isize, col: isize) -> usize {
        (row + GUARD_ROWS as isize) as usize * self.stride + (col + GUARD_COLS as isize) as usize
    }

    /// Columns up to a whole cache line: loops run over these, guards included, so that no run ends in single cells.
    pub fn padded_cols(&self) -> usize {
        self.cols.next_multiple_of(GUARD_COLS)
    }

    /// Position of column 0 within a row.
    pub const fn first_col() -> usize {
        GUARD_COLS
    }

    /// Elements of the whole row, guards included; rows from -3.
    #[inline(always)]
    pub fn row(&self, row: isize) -> Range<usize> {
        let start = (row + GUARD_ROWS as isize) as usize * self.stride;
        start..start + self.stride
    }

    /// Elements of all rows of cells, without the guard rows.
    pub fn body(&self) -> Range<usize> {
        GUARD_ROWS * self.stride..(GUARD_ROWS + self.rows) * self.stride
    }

    /// Elements of the rows of the grid, without ring and guards above and below.
    pub fn grid_rows(&self) -> Range<usize> {
        (GUARD_ROWS + 1) * self.stride..(GUARD_ROWS + self.rows - 1) * self.stride
    }

    /// Row and column of a cell by its number in the grid.
    pub fn row_col(&self, cell: usize) -> (usize, usize) {
        let cols = self.cols - 2;
        (cell / cols + 1, cell % cols + 1)
    }

    /// Position of a cell by its number in the grid.
    pub fn of_cell(&self, cell: usize) -> usize {
        let (row, col) = self.row_col(cell);
        self.at(row as isize, col as isize)
    }

    /// Positions of the cells of a row of the grid, from 0.
    pub fn grid_row(&self, row: usize) -> Range<usize> {
        let start = self.at(row as isize + 1, 1);
        start..start + self.cols - 2
    }
}

/// One field, aligned to cache lines.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    data: Vec<f32>,
    start: usize,
    len: usize,
}

impl Plane {
    pub fn filled(shape: &Shape, value: f32) -> Plane {
        let len = shape.len();
        let data = vec![value; len + 15];
        let start = data.as_ptr().align_offset(64).min(15);
        Plane { data, start, len }
    }
}

impl Deref for Plane {
    type Target = [f32];
    #[inline(always)]
    fn deref(&self) -> &[f32] {
        &self.data[self.start..self.start + self.len]
    }
}

impl DerefMut for Plane {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[self.start..self.start + self.len]
    }
}

/// Which blocks take part.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    pub rows: usize,
    pub cols: usize,
    /// The block has cells of the solver.
    inside: Vec<bool>,
    /// Water comes in here whatever the depth.
    pub fed: Vec<bool>,
    active: Vec<bool>,
    /// Columns of the active blocks per row of blocks, as runs.
    runs: Vec<Vec<Range<usize>>>,
    /// The same of all blocks with cells of the solver.
    ground: Vec<Vec<Range<usize>>>,
}

impl Blocks {
    /// No block is active at first; `inside(row, column)` tells the cells that take part.
    pub fn new(shape: &Shape, inside: impl Fn(usize, usize) -> bool) -> Blocks {
        let (rows, cols) = (
            shape.rows.div_ceil(BLOCK_ROWS),
            shape.cols.div_ceil(BLOCK_COLS),
        );
        let mut blocks = Blocks {
            rows,
            cols,
            inside: vec![false; rows * cols],
            fed: vec![false; rows * cols],
            active: vec![false; rows * cols],
            runs: vec![Vec::new(); rows],
            ground: vec![Vec::new(); rows],
        };
        for row in 0..shape.rows {
            for col in (0..shape.cols).filter(|&col| inside(row, col)) {
                let block = blocks.of(row, col);
                blocks.inside[block] = true;
            }
        }
        for (line, runs) in blocks.inside.chunks(cols).zip(&mut blocks.ground) {
            runs_of(line, shape, runs);
        }
        blocks
    }

    /// Runs of columns of a row of cells whose blocks have cells of the solver, awake or not.
    pub fn ground(&self, row: usize) -> &[Range<usize>] {
        &self.ground[row / BLOCK_ROWS]
    }

    /// The block of a cell.
    pub fn of(&self, row: usize, col: usize) -> usize {
        row / BLOCK_ROWS * self.cols + col / BLOCK_COLS
    }

    /// Runs of active columns of a row of cells; none outside the grid.
    #[inline(always)]
    pub fn runs(&self, row: isize) -> &[Range<usize>] {
        usize::try_from(row)
            .ok()
            .and_then(|r| self.runs.get(r / BLOCK_ROWS))
            .map_or(&[], Vec::as_slice)
    }

    /// True where all columns of a row are active.
    #[inline(always)]
    pub fn is_full(&self, row: isize, shape: &Shape) -> bool {
        matches!(self.runs(row), [run] if run.len() == shape.padded_cols())
    }

    pub fn is_active(&self, block: usize) -> bool {
        self.active[block]
    }

    pub fn is_inside(&self, block: usize) -> bool {
        self.inside[block]
    }

    /// Makes the wet and fed blocks and their neighbours the active ones; returns the blocks that fell asleep.
    ///
    /// One thread's work between the steps of all: whole rows of blocks at a time, and runs only where something changed.
    pub fn wake(&mut self, wet: &[bool], shape: &Shape) -> Vec<usize> {
        let cols = self.cols;
        // Along the rows of blocks, with a block of nothing at both ends, then across them.
        let mut source = vec![false; cols + 2];
        let mut along = vec![false; (self.rows + 2) * cols];
        for row in 0..self.rows {
            let own = row * cols..(row + 1) * cols;
            for ((to, &wet), &fed) in (source[1..].iter_mut())
                .zip(&wet[own.clone()])
                .zip(&self.fed[own.clone()])
            {
                *to = wet | fed;
            }
            let line = &mut along[own.start + cols..own.end + cols];
            for (to, three) in line.iter_mut().zip(source.windows(3)) {
                *to = three[0] | three[1] | three[2];
            }
        }
        let mut asleep = Vec::new();
        let mut active = vec![false; cols];
        for row in 0..self.rows {
            let own = row * cols..(row + 1) * cols;
            let line = |by: usize| &along[own.start + by * cols..own.end + by * cols];
            let (above, here, below) = (line(0), line(1), line(2));
            let inside = &self.inside[own.clone()];
            for (c, to) in active.iter_mut().enumerate() {
                *to = (above[c] | here[c] | below[c]) & inside[c];
            }
            let before = &mut self.active[own.clone()];
            if *before == active[..] {
                continue;
            }
            asleep.extend(
                (own.zip(before.iter().zip(&active)))
                    .filter_map(|(block, (&before, &now))| (before && !now).then_some(block)),
            );
            before.copy_from_slice(&active);
            runs_of(&active, shape, &mut self.runs[row]);
        }
        asleep
    }

    /// True where no block with cells of the solver sleeps.
    pub fn all_awake(&self) -> bool {
        self.active == self.inside
    }

    /// True where none of these rows of cells has an active block.
    pub fn all_asleep(&self, rows: &Range<usize>) -> bool {
        (rows.start / BLOCK_ROWS..rows.end.div_ceil(BLOCK_ROWS)).all(|r| self.runs[r].is_empty())
    }

    /// Rows and columns of a block's cells.
    pub fn cells(&self, block: usize, shape: &Shape) -> (Range<usize>, Range<usize>) {
        let (row, col) = (
            block / self.cols * BLOCK_ROWS,
            block % self.cols * BLOCK_COLS,
        );
        (
            row..(row + BLOCK_ROWS).min(shape.rows),
            col..(col + BLOCK_COLS).min(shape.cols),
        )
    }

    /// Cells of the active blocks.
    pub fn active_cells(&self, shape: &Shape) -> usize {
        (self.runs.iter().enumerate())
            .map(|(row, runs)| {
                let rows = BLOCK_ROWS.min(shape.rows - row * BLOCK_ROWS);
                rows * runs.iter().map(Range::len).sum::<usize>()
            })
            .sum()
    }
}

/// Columns of neighbouring blocks of a row of blocks that are marked, as runs.
fn runs_of(marked: &[bool], shape: &Shape, runs: &mut Vec<Range<usize>>) {
    runs.clear();
    let mut col = 0;
    while col < marked.len() {
        let len = marked[col..].iter().take_while(|&&m| m).count();
        if len > 0 {
            runs.push(col * BLOCK_COLS..((col + len) * BLOCK_COLS).min(shape.padded_cols()));
        }
        col += len.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_at_cache_lines_and_guards_surround_the_cells() {
        let shape = Shape::new((3, 68));
        let plane = Plane::filled(&shape, 1.0);
        assert_eq!((shape.rows, shape.cols, shape.stride % 16), (5, 70, 0));
        assert_eq!(plane.as_ptr().align_offset(64), 0);
        assert_eq!(shape.at(0, 0) % 16, 0);
        assert!(shape.at(-2, -1) > 0 && shape.at(6, 71) < plane.len());
        assert_eq!(shape.of_cell(69), shape.at(2, 2));
        assert_eq!(shape.grid_row(1).start, shape.of_cell(68));
    }

    #[test]
    fn neighbours_of_wet_blocks_are_awake_and_runs_join() {
        let shape = Shape::new((10, 78));
        let mut blocks = Blocks::new(&shape, |_, col| col < 60);
        assert_eq!((blocks.rows, blocks.cols), (3, 5));
        let mut wet = vec![false; 15];
        wet[2] = true;
        assert!(blocks.wake(&wet, &shape).is_empty());
        assert_eq!(blocks.ground(9), std::slice::from_ref(&(0..64)));
        assert_eq!(blocks.runs(0), std::slice::from_ref(&(16..64)));
        assert_eq!(blocks.runs(5), blocks.runs(0));
        assert!(blocks.runs(9).is_empty() && blocks.runs(-1).is_empty());
        assert_eq!(blocks.active_cells(&shape), 8 * 48);
        assert!(!blocks.all_awake());
        wet[2] = false;
        wet[14] = true;
        // The last block has no cells of the solver: only its neighbours wake.
        assert_eq!(blocks.wake(&wet, &shape).len(), 5);
        assert_eq!(blocks.runs(9), std::slice::from_ref(&(48..64)));
    }
}
