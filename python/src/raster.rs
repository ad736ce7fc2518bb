//! Rasters: GeoTIFF in and out, terrain, resampling.

use crate::errors::{argument, raise};
use crate::grid::PyGrid;
use anlan::engine::Raster;
use anlan::engine::io::geotiff::{self, Tags};
use anlan::engine::resample::{self as carry, Method};
use anlan::engine::terrain::{self, Edge};
use numpy::{Element, IntoPyArray, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

type Array<'py> = Bound<'py, PyArray2<f32>>;

/// A copy of an array as raster; the interpreter may change the array while it is released.
pub fn raster<T: Element + Copy>(
    py: Python<'_>,
    array: &PyReadonlyArray2<'_, T>,
    grid: &PyGrid,
) -> PyResult<Raster<T>> {
    let view = array.as_array();
    if view.dim() != grid.0.shape() {
        return Err(argument(
            py,
            "array",
            format!("shape {:?}", view.dim()),
            &format!("the grid's shape {:?}", grid.0.shape()),
            "pass the grid that belongs to the array",
        ));
    }
    Ok(Raster::new(grid.0, view.as_standard_layout().into_owned()))
}

fn edge(py: Python<'_>, name: &str) -> PyResult<Edge> {
    match name {
        "replicate" => Ok(Edge::Replicate),
        "nodata" => Ok(Edge::NoData),
        _ => Err(argument(
            py,
            "edge",
            format!("`{name}`"),
            "`replicate` or `nodata`",
            "choose one of these",
        )),
    }
}

#[pyfunction]
#[pyo3(signature = (path, band=1))]
pub fn read_raster(py: Python<'_>, path: PathBuf, band: usize) -> PyResult<(Array<'_>, PyGrid)> {
    let r = py
        .detach(|| geotiff::read_f32(&path, band))
        .map_err(|e| raise(py, e))?;
    Ok((r.data.into_pyarray(py), PyGrid(r.grid)))
}

#[pyfunction]
#[pyo3(signature = (path, array, grid, tags=None))]
pub fn write_raster(
    py: Python<'_>,
    path: PathBuf,
    array: PyReadonlyArray2<'_, f32>,
    grid: &PyGrid,
    tags: Option<Tags>,
) -> PyResult<()> {
    let r = raster(py, &array, grid)?;
    py.detach(|| geotiff::write_f32(&path, &r, &tags.unwrap_or_default()))
        .map_err(|e| raise(py, e))
}

#[pyfunction]
pub fn raster_info(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let info = py
        .detach(|| geotiff::info(&path))
        .map_err(|e| raise(py, e))?;
    let out = PyDict::new(py);
    out.set_item("grid", PyGrid(info.grid))?;
    out.set_item("bands", info.bands)?;
    out.set_item("sample", info.sample)?;
    out.set_item("nodata", info.nodata)?;
    out.set_item("compression", info.compression)?;
    Ok(out)
}

#[pyfunction]
#[pyo3(signature = (array, grid, edge="replicate"))]
pub fn slope<'py>(
    py: Python<'py>,
    array: PyReadonlyArray2<'py, f32>,
    grid: &PyGrid,
    edge: &str,
) -> PyResult<Array<'py>> {
    let (r, edge) = (raster(py, &array, grid)?, self::edge(py, edge)?);
    Ok(py
        .detach(|| terrain::slope_deg(&r, edge))
        .data
        .into_pyarray(py))
}

#[pyfunction]
#[pyo3(signature = (array, grid, azimuth_deg=315.0, altitude_deg=45.0, z_factor=1.0, edge="replicate"))]
pub fn hillshade<'py>(
    py: Python<'py>,
    array: PyReadonlyArray2<'py, f32>,
    grid: &PyGrid,
    azimuth_deg: f64,
    altitude_deg: f64,
    z_factor: f64,
    edge: &str,
) -> PyResult<Array<'py>> {
    let (r, edge) = (raster(py, &array, grid)?, self::edge(py, edge)?);
    Ok(py
        .detach(|| terrain::hillshade(&r, azimuth_deg, altitude_deg, z_factor, edge))
        .data
        .into_pyarray(py))
}

#[pyfunction]
#[pyo3(signature = (array, grid, target, method="bilinear"))]
pub fn resample<'py>(
    py: Python<'py>,
    array: PyReadonlyArray2<'py, f32>,
    grid: &PyGrid,
    target: &PyGrid,
    method: &str,
) -> PyResult<Array<'py>> {
    let method = match method {
        "nearest" => Method::Nearest,
        "bilinear" => Method::Bilinear,
        "average" => Method::Average,
        "sum" => Method::Sum,
        _ => {
            return Err(argument(
                py,
                "method",
                format!("`{method}`"),
                "`nearest`, `bilinear`, `average` or `sum`",
                "choose one of these",
            ));
        }
    };
    let (r, target) = (raster(py, &array, grid)?, target.0);
    Ok(py
        .detach(|| carry::resample(&r, &target, method))
        .data
        .into_pyarray(py))
}
