//! What a Parquet file holds, without its values.

use super::{open, unreadable};
use crate::error::Result;
use ::parquet::basic::ConvertedType;
use ::parquet::file::reader::FileReader;
use std::collections::BTreeMap;
use std::path::Path;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// Number of rows.
    pub rows: u64,
    /// Number of row groups.
    pub groups: usize,
    /// Compression of the first column, e.g. `ZSTD(ZstdLevel(3))`; empty for a file without rows.
    pub compression: String,
    /// Name and type of each column, e.g. `INT32 (UINT_32)`.
    pub columns: Vec<(String, String)>,
    /// Entries of the file's metadata; the Arrow schema, which is binary, left out.
    pub tags: BTreeMap<String, String>,
}

/// Reads what a file holds.
///
/// # Errors
/// The file is missing or no Parquet file.
pub fn info(path: &Path) -> Result<Info> {
    let reader = open(path)?;
    let metadata = reader.metadata();
    let mut rows = 0;
    for group in metadata.row_groups() {
        rows += u64::try_from(group.num_rows()).map_err(|_| {
            unreadable(
                path,
                &::parquet::errors::ParquetError::General("a negative number of rows".into()),
            )
        })?;
    }
    let compression = metadata
        .row_groups()
        .first()
        .and_then(|g| g.columns().first())
        .map_or_else(String::new, |c| format!("{:?}", c.compression()));
    let file = metadata.file_metadata();
    Ok(Info {
        rows,
        groups: metadata.num_row_groups(),
        compression,
        columns: file
            .schema_descr()
            .columns()
            .iter()
            .map(|c| {
                let kind = match c.converted_type() {
                    ConvertedType::NONE => c.physical_type().to_string(),
                    converted => format!("{} ({converted})", c.physical_type()),
                };
                (c.path().string(), kind)
            })
            .collect(),
        tags: file
            .key_value_metadata()
            .into_iter()
            .flatten()
            .filter(|entry| !entry.key.starts_with("ARROW:"))
            .filter_map(|entry| Some((entry.key.clone(), entry.value.clone()?)))
            .collect(),
    })
}
