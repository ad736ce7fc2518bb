//! Errors as Python exceptions. The classes are written in Python (`anlan._errors`), because `InputError` has two bases.

use anlan::engine::{Error, Fault};
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Turns an error of the engine into the exception that fits it.
pub fn raise(py: Python<'_>, error: Error) -> PyErr {
    exception(py, &error).unwrap_or_else(|failure| failure)
}

/// One fault of an argument rather than of a file.
pub fn argument(
    py: Python<'_>,
    name: &str,
    found: impl Into<String>,
    expected: &str,
    remedy: &str,
) -> PyErr {
    raise(py, Error::input(Fault::new(name, found, expected, remedy)))
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let classes = py.import("anlan._errors")?;
    let value = match error {
        Error::Input(faults) => {
            let list = PyList::empty(py);
            for fault in faults {
                let entry = PyDict::new(py);
                entry.set_item("file", fault.file.display().to_string())?;
                entry.set_item("place", &fault.place)?;
                entry.set_item("found", &fault.found)?;
                entry.set_item("expected", &fault.expected)?;
                entry.set_item("remedy", &fault.remedy)?;
                list.append(entry)?;
            }
            classes
                .getattr("InputError")?
                .call1((error.to_string(), list))?
        }
        Error::Io { path, source, .. } => {
            // OSError picks its subclass (PermissionError, ...) by the system's number.
            return Ok(match source.raw_os_error() {
                Some(code) => PyOSError::new_err((code, error.to_string(), path.clone())),
                None => PyOSError::new_err(error.to_string()),
            });
        }
        Error::Cancelled => return Ok(PyKeyboardInterrupt::new_err(())),
        other => classes.getattr("AnlanError")?.call1((other.to_string(),))?,
    };
    Ok(PyErr::from_value(value))
}
