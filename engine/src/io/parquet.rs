//! Parquet of flat columns through the column writer (no Arrow): zstd level 3, one row group per block.

use super::write_atomic;
use crate::error::{Error, Result};
use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

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

/// Reads all columns of a flat file; signed 32-bit integers come as 64-bit ones.
///
/// # Errors
/// The file is missing, no Parquet file of flat columns, has missing values, or columns of other types (named).
pub fn read(path: &Path) -> Result<Vec<Column>> {
    use ::parquet::column::reader::ColumnReader;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    let file = File::open(path).map_err(|e| Error::io("reading", path, e))?;
    let failed = |e: ::parquet::errors::ParquetError| {
        Error::input(crate::error::Fault::new(
            path,
            e.to_string(),
            "a Parquet file of flat columns",
            "check that the file was copied whole",
        ))
    };
    let reader = SerializedFileReader::new(file).map_err(failed)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let mut columns: Vec<Column> = schema
        .columns()
        .iter()
        .map(|c| {
            let unsigned = format!("{:?}", c.logical_type_ref()).contains("is_signed: false");
            let data = match (c.physical_type(), unsigned) {
                (Physical::INT32, true) => ColumnData::U32(Vec::new()),
                (Physical::INT32, false) => ColumnData::I64(Vec::new()),
                (Physical::INT64, true) => ColumnData::U64(Vec::new()),
                (Physical::INT64, false) => ColumnData::I64(Vec::new()),
                (Physical::FLOAT, _) => ColumnData::F32(Vec::new()),
                (Physical::DOUBLE, _) => ColumnData::F64(Vec::new()),
                _ => ColumnData::Text(Vec::new()),
            };
            Column::new(c.name(), data)
        })
        .collect();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(failed)?;
        let rows = group.metadata().num_rows() as usize;
        for (i, column) in columns.iter_mut().enumerate() {
            let refused = |found: &str, expected: &str, remedy: &str| {
                Error::input(
                    crate::error::Fault::new(path, found, expected, remedy)
                        .at(format!("column {}", column.name)),
                )
            };
            let definition = schema.column(i).max_def_level();
            if definition > 1 || schema.column(i).max_rep_level() > 0 {
                return Err(refused(
                    "a nested column",
                    "flat columns",
                    "write lists and structs as columns of their own",
                ));
            }
            macro_rules! records {
                ($r:expr, $t:ty) => {{
                    let mut values: Vec<$t> = Vec::with_capacity(rows);
                    let mut levels = Vec::new();
                    let levels = (definition > 0).then_some(&mut levels);
                    $r.read_records(rows, levels, None, &mut values)
                        .map_err(failed)?;
                    if values.len() != rows {
                        let missing = format!(
                            "{} missing values of {rows}",
                            rows.saturating_sub(values.len())
                        );
                        return Err(refused(
                            &missing,
                            "a value in every row",
                            "fill the gaps, e.g. with NaN",
                        ));
                    }
                    values
                }};
            }
            match (
                group.get_column_reader(i).map_err(failed)?,
                &mut column.data,
            ) {
                (ColumnReader::Int32ColumnReader(mut r), ColumnData::U32(out)) => {
                    out.extend(records!(r, i32).into_iter().map(|v| v as u32));
                }
                (ColumnReader::Int32ColumnReader(mut r), ColumnData::I64(out)) => {
                    out.extend(records!(r, i32).into_iter().map(i64::from));
                }
                (ColumnReader::Int64ColumnReader(mut r), ColumnData::U64(out)) => {
                    out.extend(records!(r, i64).into_iter().map(|v| v as u64));
                }
                (ColumnReader::Int64ColumnReader(mut r), ColumnData::I64(out)) => {
                    out.extend(records!(r, i64))
                }
                (ColumnReader::FloatColumnReader(mut r), ColumnData::F32(out)) => {
                    out.extend(records!(r, f32))
                }
                (ColumnReader::DoubleColumnReader(mut r), ColumnData::F64(out)) => {
                    out.extend(records!(r, f64))
                }
                (ColumnReader::ByteArrayColumnReader(mut r), ColumnData::Text(out)) => out.extend(
                    records!(r, ByteArray)
                        .iter()
                        .map(|b| String::from_utf8_lossy(b.data()).into_owned()),
                ),
                _ => {
                    return Err(refused(
                        "a type that is not read",
                        "32 or 64-bit integers, floats or text",
                        "convert the column to one of these",
                    ));
                }
            }
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        let block = |k: u32| {
            vec![
                Column::new("event", ColumnData::U32(vec![k, k + 1, u32::MAX])),
                Column::new("cause", ColumnData::U64(vec![1 << 40, 2, 3])),
                Column::new("loss_yuan", ColumnData::F64(vec![0.1, -2.5, f64::MAX])),
                Column::new("depth_m", ColumnData::F32(vec![0.5, 1.0, 2.0])),
                Column::new(
                    "unit",
                    ColumnData::Text(vec!["330702".into(), "婺城".into(), String::new()]),
                ),
            ]
        };
        let mut blocks = vec![block(20), block(10)];
        write_blocks(&path, &block(0), || Ok(blocks.pop())).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(
            back[0].data,
            ColumnData::U32(vec![10, 11, u32::MAX, 20, 21, u32::MAX])
        );
        assert_eq!(back[2].data.len(), 6);
        assert_eq!(
            back[1].data,
            ColumnData::U64(vec![1 << 40, 2, 3, 1 << 40, 2, 3])
        );
        let mut blocks = vec![block(20), block(10)];
        write_blocks(&path, &block(0), || Ok(blocks.pop())).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    /// Signed integers and gaps as other writers store them: kept, or refused by name, never changed.
    #[test]
    fn signed_integers_are_kept_and_gaps_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        let write_i32 = |repetition, levels: Option<&[i16]>, values: &[i32]| {
            let column = Type::primitive_type_builder("count", Physical::INT32)
                .with_repetition(repetition)
                .build()
                .unwrap();
            let root = Type::group_type_builder("other")
                .with_fields(vec![Arc::new(column)])
                .build()
                .unwrap();
            let file = File::create(&path).unwrap();
            let mut writer =
                SerializedFileWriter::new(file, Arc::new(root), Arc::default()).unwrap();
            let mut group = writer.next_row_group().unwrap();
            let mut out = group.next_column().unwrap().unwrap();
            out.typed::<Int32Type>()
                .write_batch(values, levels, None)
                .unwrap();
            out.close().unwrap();
            group.close().unwrap();
            writer.close().unwrap();
            read(&path)
        };
        let signed = ColumnData::I64(vec![-1, 2]);
        assert_eq!(
            write_i32(Repetition::REQUIRED, None, &[-1, 2]).unwrap()[0].data,
            signed
        );
        assert_eq!(
            write_i32(Repetition::OPTIONAL, Some(&[1, 1]), &[-1, 2]).unwrap()[0].data,
            signed
        );
        let gap = write_i32(Repetition::OPTIONAL, Some(&[1, 0, 1]), &[-1, 2]).unwrap_err();
        assert!(gap.is_input() && gap.to_string().contains("count"), "{gap}");
    }
}
