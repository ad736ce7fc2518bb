//! The whole pipeline.

use crate::errors::{argument, raise};
use anlan::engine::Error;
use anlan::progress::News;
use anlan::run::{RunOptions, run as run_project};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::Mutex;

#[pyfunction]
#[pyo3(signature = (project, out=None, only=None, threads=None, seed=None, progress=None))]
pub fn run<'py>(
    py: Python<'py>,
    project: PathBuf,
    out: Option<PathBuf>,
    only: Option<Vec<String>>,
    threads: Option<usize>,
    seed: Option<u64>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    if threads == Some(0) {
        return Err(argument(
            py,
            "threads",
            "0",
            "at least 1, or None for all",
            "name a number of threads",
        ));
    }
    let options = RunOptions {
        out,
        only: only.unwrap_or_default(),
        seed,
        ..RunOptions::default()
    };
    // A listener cannot stop a run, so what a callback raises waits for the end.
    let raised: Mutex<Option<PyErr>> = Mutex::new(None);
    let listener = |news: News<'_>| {
        let Some(callback) = &progress else { return };
        let failed = Python::attach(|py| tell(py, callback, &news)).err();
        if let (Some(e), Ok(mut slot)) = (failed, raised.lock()) {
            slot.get_or_insert(e);
        }
    };
    let outcome = py
        .detach(|| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads.unwrap_or(0))
                .build()
                .map_err(|e| Error::Failed(format!("starting threads: {e}")))?
                .install(|| run_project(&project, &options, &listener))
        })
        .map_err(|e| raise(py, e))?;
    if let Some(e) = raised.into_inner().unwrap_or(None) {
        return Err(e);
    }
    let manifests = serde_json::to_string(&outcome.manifests)
        .map_err(|e| raise(py, Error::Failed(format!("telling the manifests: {e}"))))?;
    let summary = PyDict::new(py);
    summary.set_item("out", outcome.out)?;
    summary.set_item("ran", outcome.ran)?;
    summary.set_item("kept", outcome.kept)?;
    summary.set_item(
        "tasks",
        py.import("json")?.call_method1("loads", (manifests,))?,
    )?;
    Ok(summary)
}

/// Calls the listener with one dict: `event`, `task` and what belongs to the event.
fn tell(py: Python<'_>, callback: &Py<PyAny>, news: &News<'_>) -> PyResult<()> {
    let d = PyDict::new(py);
    let (event, task) = match news {
        News::Started { task } => ("started", task),
        News::Kept { task } => ("kept", task),
        News::Step { task, done, note } => {
            d.set_item("done", done)?;
            d.set_item("note", note)?;
            ("step", task)
        }
        News::Warning { task, text } => {
            d.set_item("text", text)?;
            ("warning", task)
        }
        News::Finished { task, seconds } => {
            d.set_item("seconds", seconds)?;
            ("finished", task)
        }
    };
    d.set_item("event", event)?;
    d.set_item("task", task)?;
    callback.call1(py, (d,)).map(|_| ())
}
