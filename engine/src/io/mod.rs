//! Files: rasters, vectors, tables. Every writer writes a temporary file in the same folder and renames it.
//!
//! | file | reads | writes |
//! | --- | --- | --- |
//! | [`geotiff`] | all integer and float samples, strips, tiles, sparse files, predictors, bands either way, windows | tiled deflate, no-data, colours, metadata |
//! | [`netcdf`] | CF grids | CF grids |
//! | [`vector`] | GeoPackage (all layers), GeoJSON, Shapefile (UTF-8, GBK) | GeoPackage, GeoJSON |
//! | [`table`] | CSV (UTF-8, UTF-16, GBK), Excel, Parquet row by row | CSV, Excel |
//! | [`parquet`] | flat columns, tables of any flat type | flat columns, in blocks |
//!
//! [`describe()`] lists what any of them holds.

mod describe;
#[cfg(any(feature = "vector", feature = "table"))]
#[cfg_attr(not(feature = "table"), allow(dead_code))]
mod encoding;
#[cfg(feature = "geotiff")]
pub mod geotiff;
#[cfg(feature = "netcdf")]
pub mod netcdf;
#[cfg(feature = "table")]
pub mod parquet;
#[cfg(feature = "table")]
pub mod table;
mod timestamp;
#[cfg(feature = "vector")]
pub mod vector;

pub use describe::{Facts, describe};
#[cfg(any(feature = "vector", feature = "table"))]
pub use encoding::{TextEncoding, misread};
pub use timestamp::source_date_epoch;

use crate::error::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};

/// One value of a table or of a feature's attributes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// A blank cell.
    #[default]
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
}

impl Value {
    /// True for a blank cell (also for text of spaces only).
    pub fn is_null(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// The number, also where it was stored as text.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Integer(i) => Some(*i as f64),
            Value::Real(r) => Some(*r),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Null => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => Ok(()),
            Value::Text(text) => f.write_str(text),
            Value::Integer(i) => write!(f, "{i}"),
            Value::Real(r) => write!(f, "{r}"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_string())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Real(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Integer(number)
    }
}

/// A file under a temporary name in the folder of its target, which takes the target's name when it is whole; dropped
/// before that, nothing is left.
#[derive(Debug)]
pub struct Staged {
    temporary: tempfile::TempPath,
    target: PathBuf,
}

impl Staged {
    /// An empty file beside the target.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn new(target: &Path) -> Result<Staged> {
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let extension = target
            .extension()
            .map(|e| format!(".{}", e.to_string_lossy()))
            .unwrap_or_default();
        let temporary = tempfile::Builder::new()
            .prefix(".anlan-")
            .suffix(&extension)
            .tempfile_in(folder)
            .map_err(|e| Error::io("creating a file in", folder, e))?
            .into_temp_path();
        Ok(Staged {
            temporary,
            target: target.to_path_buf(),
        })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// The name that it will have; messages name this one.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Flushes the file and gives it its name.
    ///
    /// # Errors
    /// The system's.
    pub fn keep(self) -> Result<()> {
        let path = &self.target;
        let failed = |e| Error::io("flushing", path, e);
        let file =
            std::fs::File::open(&self.temporary).map_err(|e| Error::io("opening", path, e))?;
        file.sync_all().map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(&self.temporary, mode).map_err(failed)?;
        }
        self.temporary
            .persist(path)
            .map_err(|e| Error::io("renaming to", path, e.error))
    }
}

/// Writes a file under a temporary name in the same folder and renames it when it is whole; on failure nothing is left.
///
/// # Errors
/// Those of `write`, or the system's.
pub fn write_atomic(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let staged = Staged::new(path)?;
    write(staged.path())?;
    staged.keep()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        let failed = write_atomic(&path, |tmp| {
            std::fs::write(tmp, "half").unwrap();
            Err(Error::Failed("disk on fire".into()))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        write_atomic(&path, |tmp| {
            std::fs::write(tmp, "whole").unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
    }
}
