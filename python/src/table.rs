//! Parquet of flat columns as a dict of arrays.

use crate::errors::{argument, raise};
use anlan::engine::io::parquet::{self, Column, ColumnData};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

#[pyfunction]
pub fn read_parquet(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let columns = py
        .detach(|| parquet::read(&path))
        .map_err(|e| raise(py, e))?;
    let out = PyDict::new(py);
    for Column { name, data } in columns {
        match data {
            ColumnData::U32(v) => out.set_item(name, v.into_pyarray(py))?,
            ColumnData::U64(v) => out.set_item(name, v.into_pyarray(py))?,
            ColumnData::I64(v) => out.set_item(name, v.into_pyarray(py))?,
            ColumnData::F32(v) => out.set_item(name, v.into_pyarray(py))?,
            ColumnData::F64(v) => out.set_item(name, v.into_pyarray(py))?,
            ColumnData::Text(v) => out.set_item(name, v)?,
        }
    }
    Ok(out)
}

#[pyfunction]
pub fn write_parquet(py: Python<'_>, path: PathBuf, columns: &Bound<'_, PyDict>) -> PyResult<()> {
    let mut out = Vec::with_capacity(columns.len());
    for (name, values) in columns {
        let name: String = name.extract()?;
        let data = data(&values).map_err(|_| {
            argument(
                py,
                &name,
                values.get_type().to_string(),
                "a one-dimensional array of u32, u64, i64, f32 or f64, or a list of str",
                "convert the column, e.g. with numpy.asarray(values, dtype)",
            )
        })?;
        out.push(Column { name, data });
    }
    if let Some(odd) = out.iter().find(|c| c.data.len() != out[0].data.len()) {
        return Err(argument(
            py,
            &odd.name,
            format!("{} values", odd.data.len()),
            &format!("{} values, as in `{}`", out[0].data.len(), out[0].name),
            "give all columns the same length",
        ));
    }
    py.detach(|| parquet::write(&path, &out))
        .map_err(|e| raise(py, e))
}

fn data(values: &Bound<'_, PyAny>) -> PyResult<ColumnData> {
    macro_rules! try_array {
        ($($t:ty => $variant:ident),*) => {
            $(if let Ok(array) = values.extract::<PyReadonlyArray1<'_, $t>>() {
                return Ok(ColumnData::$variant(array.as_array().to_vec()));
            })*
        };
    }
    try_array!(u32 => U32, u64 => U64, i64 => I64, f32 => F32, f64 => F64);
    values.extract().map(ColumnData::Text)
}
