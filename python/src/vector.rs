//! Vector layers as columns, rows and WKB geometries.

use crate::errors::{argument, raise};
use anlan::engine::io::Value;
use anlan::engine::io::vector::{self, Feature, Layer};
use anlan::engine::{Crs, Error, Fault, Result};
use geo::{Geometry, MultiPolygon};
use geozero::wkb::Wkb;
use geozero::{CoordDimensions, ToGeo, ToWkb};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use std::path::PathBuf;

/// Geometry of a WKB; `index` is told from 0, as Python counts.
fn geometry(bytes: &[u8], index: usize) -> Result<Geometry<f64>> {
    Wkb(bytes.to_vec()).to_geo().map_err(|e| {
        Error::input(
            Fault::new(
                "wkb",
                format!("{} bytes that are no geometry ({e})", bytes.len()),
                "well-known binary",
                "write it with shapely.to_wkb",
            )
            .at(format!("item {index}")),
        )
    })
}

/// Polygons of WKBs.
pub fn polygons(wkb: &[Vec<u8>]) -> Result<Vec<MultiPolygon<f64>>> {
    wkb.iter()
        .enumerate()
        .map(|(i, bytes)| match geometry(bytes, i)? {
            Geometry::Polygon(p) => Ok(MultiPolygon(vec![p])),
            Geometry::MultiPolygon(m) => Ok(m),
            _ => Err(Error::input(
                Fault::new(
                    "wkb",
                    "a geometry that is no polygon",
                    "polygons or multipolygons",
                    "leave out points and lines",
                )
                .at(format!("item {i}")),
            )),
        })
        .collect()
}

#[pyfunction]
#[pyo3(signature = (path, layer=None))]
pub fn read_vector<'py>(
    py: Python<'py>,
    path: PathBuf,
    layer: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    let (layer, wkb) = py
        .detach(|| {
            let layer = match layer {
                Some(name) => {
                    vector::read_gpkg(&path, Some(name)).and_then(Layer::check_coordinates)?
                }
                None => vector::read(&path)?,
            };
            let wkb = layer
                .features
                .iter()
                .map(|f| f.geometry.to_wkb(CoordDimensions::xy()))
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(|e| Error::Failed(format!("writing WKB: {e}")))?;
            Ok((layer, wkb))
        })
        .map_err(|e| raise(py, e))?;
    let rows = PyList::empty(py);
    for feature in &layer.features {
        let row = feature
            .values
            .iter()
            .map(|v| to_python(py, v))
            .collect::<PyResult<Vec<_>>>()?;
        rows.append(PyTuple::new(py, row)?)?;
    }
    let out = PyDict::new(py);
    out.set_item("columns", &layer.columns)?;
    out.set_item("rows", rows)?;
    out.set_item(
        "wkb",
        PyList::new(py, wkb.iter().map(|b| PyBytes::new(py, b)))?,
    )?;
    out.set_item("epsg", layer.crs.epsg())?;
    Ok(out)
}

#[pyfunction]
pub fn write_geopackage(
    py: Python<'_>,
    path: PathBuf,
    layer: &str,
    columns: Vec<String>,
    rows: Vec<Vec<Bound<'_, PyAny>>>,
    wkb: Vec<Vec<u8>>,
    epsg: u32,
) -> PyResult<()> {
    if rows.len() != wkb.len() || rows.iter().any(|r| r.len() != columns.len()) {
        return Err(argument(
            py,
            "rows",
            format!(
                "{} rows for {} geometries and {} columns",
                rows.len(),
                wkb.len(),
                columns.len()
            ),
            "one row per geometry and one value per column",
            "give every feature a row with all columns",
        ));
    }
    let values = rows
        .iter()
        .map(|row| row.iter().map(from_python).collect::<PyResult<Vec<_>>>())
        .collect::<PyResult<Vec<_>>>()?;
    py.detach(|| {
        let features = wkb
            .iter()
            .zip(values)
            .enumerate()
            .map(|(i, (bytes, values))| {
                Ok(Feature {
                    geometry: geometry(bytes, i)?,
                    values,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let content = Layer {
            source: path.clone(),
            crs: Crs::from_epsg(epsg)?,
            columns,
            features,
        };
        vector::write_gpkg(&path, &[(layer, &content)])
    })
    .map_err(|e| raise(py, e))
}

fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Text(text) => text.into_pyobject(py)?.into_any(),
        Value::Integer(i) => i.into_pyobject(py)?.into_any(),
        Value::Real(r) => r.into_pyobject(py)?.into_any(),
    })
}

fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() {
        Ok(Value::Null)
    } else if let Ok(text) = value.extract::<String>() {
        Ok(Value::Text(text))
    } else if let Ok(integer) = value.extract::<i64>() {
        Ok(Value::Integer(integer))
    } else {
        value.extract::<f64>().map(Value::Real)
    }
}
