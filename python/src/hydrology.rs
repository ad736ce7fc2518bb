//! Water on a DEM: filled depressions, D8 directions, contributing cells, height above drainage.

use crate::errors::argument;
use crate::grid::PyGrid;
use crate::raster::raster;
use anlan::engine::{Raster, hydrology};
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

type Array<'py> = Bound<'py, PyArray2<f32>>;

/// Directions as raster, none of which leads off the grid.
fn directions(
    py: Python<'_>,
    array: &PyReadonlyArray2<'_, u8>,
    grid: &PyGrid,
) -> PyResult<Raster<u8>> {
    let dirs = raster(py, array, grid)?;
    let (rows, cols) = grid.0.shape();
    let rim = (0..rows).flat_map(|r| {
        let inside = r > 0 && r + 1 < rows;
        let step = if inside { (cols - 1).max(1) } else { 1 };
        (0..cols).step_by(step).map(move |c| (r, c))
    });
    for (r, c) in rim {
        let code = dirs.data[(r, c)];
        let Some((dr, dc)) = hydrology::STEPS.get(usize::from(code)) else {
            continue;
        };
        let (to_row, to_col) = (r.wrapping_add_signed(*dr), c.wrapping_add_signed(*dc));
        if to_row >= rows || to_col >= cols {
            return Err(argument(
                py,
                "directions",
                format!("{code} in row {r}, column {c}, which leads off the grid"),
                "0 to 7 (E, SE, S, SW, W, NW, N, NE) towards a cell of the grid, or 255 where water leaves",
                "use the result of flow_direction, or write 255 there",
            ));
        }
    }
    Ok(dirs.with_nodata(hydrology::NO_DATA))
}

#[pyfunction]
pub fn fill_depressions<'py>(
    py: Python<'py>,
    array: PyReadonlyArray2<'py, f32>,
    grid: &PyGrid,
) -> PyResult<Array<'py>> {
    let r = raster(py, &array, grid)?;
    Ok(py
        .detach(|| hydrology::fill_depressions(&r))
        .data
        .into_pyarray(py))
}

#[pyfunction]
pub fn flow_direction<'py>(
    py: Python<'py>,
    array: PyReadonlyArray2<'py, f32>,
    grid: &PyGrid,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let r = raster(py, &array, grid)?;
    Ok(py
        .detach(|| hydrology::flow_direction(&r))
        .data
        .into_pyarray(py))
}

#[pyfunction]
#[pyo3(signature = (directions, grid, weights=None))]
pub fn flow_accumulation<'py>(
    py: Python<'py>,
    directions: PyReadonlyArray2<'py, u8>,
    grid: &PyGrid,
    weights: Option<PyReadonlyArray2<'py, f32>>,
) -> PyResult<Array<'py>> {
    let dirs = self::directions(py, &directions, grid)?;
    let weights = weights.map(|w| raster(py, &w, grid)).transpose()?;
    Ok(py
        .detach(|| hydrology::flow_accumulation(&dirs, weights.as_ref()))
        .data
        .into_pyarray(py))
}

#[pyfunction]
pub fn hand<'py>(
    py: Python<'py>,
    array: PyReadonlyArray2<'py, f32>,
    directions: PyReadonlyArray2<'py, u8>,
    drainage: PyReadonlyArray2<'py, u8>,
    grid: &PyGrid,
) -> PyResult<Array<'py>> {
    let (z, dirs) = (
        raster(py, &array, grid)?,
        self::directions(py, &directions, grid)?,
    );
    let drainage = raster(py, &drainage, grid)?;
    Ok(py
        .detach(|| hydrology::hand(&z, &dirs, &drainage))
        .data
        .into_pyarray(py))
}
