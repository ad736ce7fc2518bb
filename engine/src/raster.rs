//! `Raster<T>`: a grid with one value per cell.

use crate::error::{Error, Fault, Result};
use crate::grid::{Grid, Window};
use ndarray::{Array2, s};
use std::path::Path;

/// Values on a grid, `[rows, cols]`, row 0 in the north.
///
/// Float rasters mark missing cells by NaN and have `nodata: None`; integer rasters may carry an explicit value.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster<T> {
    /// Where the cells lie.
    pub grid: Grid,
    /// One value per cell, `[rows, cols]`.
    pub data: Array2<T>,
    /// Value of integer cells without data.
    pub nodata: Option<T>,
}

impl<T: Copy> Raster<T> {
    /// A raster from its values.
    ///
    /// # Panics
    /// The shapes differ.
    pub fn new(grid: Grid, data: Array2<T>) -> Self {
        assert_eq!(data.dim(), grid.shape(), "values and grid differ in shape");
        Raster {
            grid,
            data,
            nodata: None,
        }
    }

    /// The same value in every cell.
    pub fn filled(grid: Grid, value: T) -> Self {
        Raster::new(grid, Array2::from_elem(grid.shape(), value))
    }

    /// Sets the value of cells without data.
    #[must_use]
    pub fn with_nodata(mut self, nodata: T) -> Self {
        self.nodata = Some(nodata);
        self
    }

    /// Value at a point; `None` outside the grid.
    pub fn at(&self, x: f64, y: f64) -> Option<T> {
        self.grid.cell_at(x, y).map(|rc| self.data[rc])
    }

    /// All values, row by row.
    ///
    /// # Panics
    /// Never: rasters are made in standard layout.
    pub fn values(&self) -> &[T] {
        self.data
            .as_slice()
            .expect("rasters are in standard layout")
    }

    /// All values, row by row, to change.
    ///
    /// # Panics
    /// Never: rasters are made in standard layout.
    pub fn values_mut(&mut self) -> &mut [T] {
        self.data
            .as_slice_mut()
            .expect("rasters are in standard layout")
    }

    /// A copy of a window.
    #[must_use]
    pub fn window(&self, w: Window) -> Raster<T> {
        Raster {
            grid: self.grid.window(w),
            data: self
                .data
                .slice(s![w.row..w.row + w.rows, w.col..w.col + w.cols])
                .to_owned(),
            nodata: self.nodata,
        }
    }

    /// Another raster on the same cells.
    pub fn map<U: Copy>(&self, f: impl Fn(T) -> U) -> Raster<U> {
        Raster::new(self.grid, self.data.mapv(f))
    }
}

impl Raster<f32> {
    /// Least and greatest value; `None` where every cell is missing.
    pub fn range(&self) -> Option<(f32, f32)> {
        let mut range = None;
        for &v in self.values() {
            if !v.is_nan() {
                let (lo, hi) = range.get_or_insert((v, v));
                *lo = lo.min(v);
                *hi = hi.max(v);
            }
        }
        range
    }

    /// Refuses a raster in which every cell is missing.
    ///
    /// # Errors
    /// Names the file.
    pub fn require_values(self, file: &Path) -> Result<Self> {
        if self.range().is_some() {
            return Ok(self);
        }
        Err(Error::input(Fault::new(
            file,
            "no cell with a value (all NaN or no-data)",
            "at least one cell with a value",
            "check the no-data value and the extent of the raster",
        )))
    }
}
