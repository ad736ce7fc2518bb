//! A band read from north to south, some rows at a time, in memory that does not grow with the raster.

use super::blocks::Scratch;
use super::open::Opened;
use crate::error::Result;
use crate::grid::Grid;
use std::ops::Range;
use std::path::Path;

/// One band (numbered from 1) of a file, to be read row by row; values as [`super::read_f32`] gives them.
///
/// Each strip or tile is decoded once where rows are asked for in order. Memory: the rows asked for, and the row of blocks
/// that holds the last of them, compressed and decoded.
pub struct Rows<'a> {
    file: Opened<'a>,
    at: usize,
    grid: Grid,
    south_up: bool,
    scratch: Scratch,
}

impl<'a> Rows<'a> {
    /// Opens a file without reading a value.
    ///
    /// # Errors
    /// As [`super::info`]; a band that is not there.
    pub fn open(path: &'a Path, band: usize) -> Result<Self> {
        let file = Opened::new(path)?;
        let (grid, south_up) = file.grid()?;
        let at = file.band(band)?;
        Ok(Rows {
            file,
            at,
            grid,
            south_up,
            scratch: Scratch::default(),
        })
    }

    /// Where the cells lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// True where every value of the band is a whole number that f32 may round: integers of 32 bits.
    pub fn has_wide_integers(&self) -> bool {
        matches!(self.file.sample, super::Sample::U32 | super::Sample::I32)
    }

    /// Rows that are cheap to read at a time: a multiple of `multiple`, of whole blocks where these fit it.
    pub fn stride(&self, multiple: usize) -> usize {
        let chunk = self.file.chunk_rows().min(self.grid.rows);
        if chunk.is_multiple_of(multiple) {
            return chunk;
        }
        (chunk / multiple).max(1) * multiple
    }

    /// Reads some rows, counted from the north, into `out`, `[rows, cols]`.
    ///
    /// # Errors
    /// As [`super::read_f32`].
    ///
    /// # Panics
    /// Rows beyond the grid.
    pub fn read(&mut self, rows: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        assert!(rows.end <= self.grid.rows, "rows beyond the grid");
        let cols = self.grid.cols;
        out.resize(rows.len() * cols, 0.0);
        let stored = if self.south_up {
            self.grid.rows - rows.end..self.grid.rows - rows.start
        } else {
            rows
        };
        let convert = self.file.to_f32(self.at)?;
        self.file.rows_into(
            self.at,
            self.south_up,
            stored,
            0..cols,
            f32::NAN,
            &convert,
            &mut self.scratch,
            out,
        )?;
        if self.south_up {
            let n = out.len() / cols;
            for i in 0..n / 2 {
                let (head, tail) = out.split_at_mut((n - 1 - i) * cols);
                head[i * cols..(i + 1) * cols].swap_with_slice(&mut tail[..cols]);
            }
        }
        Ok(())
    }
}
