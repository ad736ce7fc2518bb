//! Data quality of census tables.

use crate::errors::raise;
use anlan::engine::Error;
use anlan::quality::{QualityOptions, run};
use pyo3::prelude::*;
use std::path::PathBuf;

#[pyfunction]
#[pyo3(signature = (case, out=None, chinese=false, threads=None))]
pub fn quality<'py>(
    py: Python<'py>,
    case: PathBuf,
    out: Option<PathBuf>,
    chinese: bool,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = QualityOptions { out, zh: chinese };
    let outcome = py
        .detach(|| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads.unwrap_or(0))
                .build()
                .map_err(|e| Error::Failed(format!("starting threads: {e}")))?
                .install(|| run(&case, &options, &|_| {}))
        })
        .map_err(|e| raise(py, e))?;
    py.import("json")?
        .call_method1("loads", (outcome.json().to_string(),))
}
