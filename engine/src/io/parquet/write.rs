//! Writing Parquet through the column writer: zstd level 3, one row group per block, a fixed `created_by`.

use super::{Column, ColumnData};
use crate::error::{Error, Result};
use crate::io::write_atomic;
use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Writes blocks of columns, each as one row group; `next` gives the blocks until `None`, all of the same schema. Nothing
/// stands under the final name until the last block is written.
///
/// # Errors
/// The file cannot be written, or `next` fails.
///
/// # Panics
/// Blocks of different schemas or columns of different lengths.
pub fn write_blocks(
    path: &Path,
    schema: &[Column],
    mut next: impl FnMut() -> Result<Option<Vec<Column>>>,
) -> Result<()> {
    let failed = |e: ::parquet::errors::ParquetError| {
        Error::Failed(format!("writing {}: {e}", path.display()))
    };
    let fields = schema
        .iter()
        .map(|c| field(c).map(Arc::new))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    let root = Type::group_type_builder("anlan")
        .with_fields(fields)
        .build()
        .map_err(failed)?;
    let level = ZstdLevel::try_new(3).map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by(concat!("anlan ", env!("CARGO_PKG_VERSION")).to_string())
        .build();
    write_atomic(path, |tmp| {
        let file = File::create(tmp).map_err(|e| Error::io("writing", path, e))?;
        let mut writer = SerializedFileWriter::new(file, Arc::new(root), Arc::new(properties))
            .map_err(failed)?;
        while let Some(block) = next()? {
            assert_eq!(
                block.len(),
                schema.len(),
                "blocks of one file share a schema"
            );
            if block.first().is_none_or(|c| c.data.is_empty()) {
                continue;
            }
            let mut group = writer.next_row_group().map_err(failed)?;
            for column in &block {
                let mut out = group
                    .next_column()
                    .map_err(failed)?
                    .ok_or_else(|| Error::Failed("a Parquet schema with too few columns".into()))?;
                match &column.data {
                    ColumnData::U32(v) => {
                        let v: Vec<i32> = v.iter().map(|&x| x as i32).collect();
                        out.typed::<Int32Type>().write_batch(&v, None, None)
                    }
                    ColumnData::U64(v) => {
                        let v: Vec<i64> = v.iter().map(|&x| x as i64).collect();
                        out.typed::<Int64Type>().write_batch(&v, None, None)
                    }
                    ColumnData::I64(v) => out.typed::<Int64Type>().write_batch(v, None, None),
                    ColumnData::F32(v) => out.typed::<FloatType>().write_batch(v, None, None),
                    ColumnData::F64(v) => out.typed::<DoubleType>().write_batch(v, None, None),
                    ColumnData::Text(v) => {
                        let v: Vec<ByteArray> =
                            v.iter().map(|s| s.as_bytes().to_vec().into()).collect();
                        out.typed::<ByteArrayType>().write_batch(&v, None, None)
                    }
                }
                .map_err(failed)?;
                out.close().map_err(failed)?;
            }
            group.close().map_err(failed)?;
        }
        writer.close().map_err(failed)?;
        Ok(())
    })
}

/// Writes one block of columns.
///
/// # Errors
/// As [`write_blocks`].
pub fn write(path: &Path, columns: &[Column]) -> Result<()> {
    let mut block = Some(columns.to_vec());
    write_blocks(path, columns, || Ok(block.take()))
}

fn field(column: &Column) -> Result<Type, ::parquet::errors::ParquetError> {
    let (physical, logical) = match column.data {
        ColumnData::U32(_) => (Physical::INT32, Some(LogicalType::integer(32, false))),
        ColumnData::U64(_) => (Physical::INT64, Some(LogicalType::integer(64, false))),
        ColumnData::I64(_) => (Physical::INT64, None),
        ColumnData::F32(_) => (Physical::FLOAT, None),
        ColumnData::F64(_) => (Physical::DOUBLE, None),
        ColumnData::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(logical)
        .build()
}
