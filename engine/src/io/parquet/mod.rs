//! Parquet of flat columns (no Arrow): written with zstd level 3, one row group per block; read as columns of one type
//! each, or row by row with gaps, dates and decimals as a [`Table`](super::table::Table).

mod columns;
mod info;
mod rows;
mod write;

pub use columns::read;
pub use info::{Info, info};
pub use rows::read_table;
pub use write::{write, write_blocks};

use crate::error::{Error, Fault, Result};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::SerializedFileReader;
use std::fs::File;
use std::path::Path;

/// Values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// Text.
    Text(Vec<String>),
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name, with the unit.
    pub name: String,
    /// Values.
    pub data: ColumnData,
}

impl Column {
    /// A column.
    pub fn new(name: &str, data: ColumnData) -> Self {
        Column {
            name: name.to_string(),
            data,
        }
    }
}

impl ColumnData {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            ColumnData::U32(v) => v.len(),
            ColumnData::U64(v) => v.len(),
            ColumnData::I64(v) => v.len(),
            ColumnData::F32(v) => v.len(),
            ColumnData::F64(v) => v.len(),
            ColumnData::Text(v) => v.len(),
        }
    }

    /// True without values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn open(path: &Path) -> Result<SerializedFileReader<File>> {
    let file = File::open(path).map_err(|e| Error::io("reading", path, e))?;
    SerializedFileReader::new(file).map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &Path, error: &ParquetError) -> Error {
    Error::input(Fault::new(
        path,
        error.to_string(),
        "a Parquet file of flat columns",
        "check that the file was copied whole",
    ))
}
