//! `Grid`: where the cells of an array lie.

use crate::errors::{argument, raise};
use anlan::engine::{Crs, Grid};
use pyo3::prelude::*;

/// Where the cells of an array lie: north-up, row 0 in the north, column 0 in the west.
///
/// Lengths are in the unit of the coordinate reference system (degrees or metres).
#[pyclass(name = "Grid", module = "anlan", frozen, eq)]
#[derive(PartialEq)]
pub struct PyGrid(pub Grid);

#[pymethods]
impl PyGrid {
    #[new]
    fn new(
        py: Python<'_>,
        epsg: u32,
        west: f64,
        north: f64,
        dx: f64,
        dy: f64,
        rows: usize,
        cols: usize,
    ) -> PyResult<Self> {
        Crs::from_epsg(epsg)
            .and_then(|crs| Grid::new(crs, (west, north), (dx, dy), (rows, cols)))
            .map(PyGrid)
            .map_err(|e| raise(py, e))
    }

    /// The grid of an affine transform `(a, b, c, d, e, f)` as rasterio gives it, and a shape `(rows, cols)`.
    #[staticmethod]
    fn from_transform(
        py: Python<'_>,
        epsg: u32,
        transform: (f64, f64, f64, f64, f64, f64),
        shape: (usize, usize),
    ) -> PyResult<Self> {
        let (a, b, c, d, e, f) = transform;
        if b != 0.0 || d != 0.0 || e >= 0.0 {
            return Err(argument(
                py,
                "transform",
                format!("{transform:?}"),
                "a north-up transform (dx, 0, west, 0, -dy, north)",
                "flip or warp the raster to north-up",
            ));
        }
        PyGrid::new(py, epsg, c, f, a, -e, shape.0, shape.1)
    }

    /// EPSG code.
    #[getter]
    fn epsg(&self) -> u32 {
        self.0.crs.epsg()
    }

    /// x of the western edge.
    #[getter]
    fn west(&self) -> f64 {
        self.0.west
    }

    /// y of the northern edge.
    #[getter]
    fn north(&self) -> f64 {
        self.0.north
    }

    /// Cell width, positive.
    #[getter]
    fn dx(&self) -> f64 {
        self.0.dx
    }

    /// Cell height, positive.
    #[getter]
    fn dy(&self) -> f64 {
        self.0.dy
    }

    /// Number of rows.
    #[getter]
    fn rows(&self) -> usize {
        self.0.rows
    }

    /// Number of columns.
    #[getter]
    fn cols(&self) -> usize {
        self.0.cols
    }

    /// `(rows, cols)`.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    /// Affine transform `(dx, 0, west, 0, -dy, north)`, in rasterio's order.
    #[getter]
    fn transform(&self) -> (f64, f64, f64, f64, f64, f64) {
        (self.0.dx, 0.0, self.0.west, 0.0, -self.0.dy, self.0.north)
    }

    /// `(west, south, east, north)`.
    #[getter]
    fn bounds(&self) -> (f64, f64, f64, f64) {
        let b = self.0.bounds();
        (b.west, b.south, b.east, b.north)
    }

    fn __repr__(&self) -> String {
        let g = &self.0;
        format!(
            "Grid(epsg={}, west={:?}, north={:?}, dx={:?}, dy={:?}, rows={}, cols={})",
            g.crs.epsg(),
            g.west,
            g.north,
            g.dx,
            g.dy,
            g.rows,
            g.cols
        )
    }

    fn __getnewargs__(&self) -> (u32, f64, f64, f64, f64, usize, usize) {
        let g = &self.0;
        (g.crs.epsg(), g.west, g.north, g.dx, g.dy, g.rows, g.cols)
    }
}
