//! Reading Parquet as columns, each of one type and without gaps.

use super::{Column, ColumnData, open, unreadable};
use crate::error::{Error, Fault, Result};
use ::parquet::basic::{ConvertedType, Type as Physical};
use ::parquet::column::reader::ColumnReader;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::FileReader;
use std::path::Path;

/// Reads all columns of a flat file; signed 32-bit integers come as 64-bit ones.
///
/// # Errors
/// The file is missing, no Parquet file of flat columns, has missing values, or columns of other types (named).
pub fn read(path: &Path) -> Result<Vec<Column>> {
    let failed = |e: ParquetError| unreadable(path, &e);
    let reader = open(path)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let mut columns: Vec<Column> = schema
        .columns()
        .iter()
        .map(|c| {
            use ConvertedType as C;
            let data = match (c.physical_type(), c.converted_type()) {
                (Physical::INT32, C::UINT_8 | C::UINT_16 | C::UINT_32) => {
                    ColumnData::U32(Vec::new())
                }
                (Physical::INT32, C::NONE | C::INT_8 | C::INT_16 | C::INT_32) => {
                    ColumnData::I64(Vec::new())
                }
                (Physical::INT64, C::UINT_64) => ColumnData::U64(Vec::new()),
                (Physical::INT64, C::INT_64) => ColumnData::I64(Vec::new()),
                // Times have a logical type and sometimes no converted one.
                (Physical::INT64, C::NONE) if c.logical_type_ref().is_none() => {
                    ColumnData::I64(Vec::new())
                }
                (Physical::FLOAT, _) => ColumnData::F32(Vec::new()),
                (Physical::DOUBLE, _) => ColumnData::F64(Vec::new()),
                (Physical::BYTE_ARRAY, C::UTF8 | C::ENUM | C::JSON) => ColumnData::Text(Vec::new()),
                (physical, converted) => {
                    return Err(Error::input(
                        Fault::new(
                            path,
                            format!("the type {physical} ({converted})"),
                            "32 or 64-bit integers, floats or text",
                            "convert the column to one of these",
                        )
                        .at(format!("column {}", c.path().string())),
                    ));
                }
            };
            Ok(Column::new(c.name(), data))
        })
        .collect::<Result<_>>()?;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(failed)?;
        let rows = group.metadata().num_rows() as usize;
        for (i, column) in columns.iter_mut().enumerate() {
            let refused = |found: &str, expected: &str, remedy: &str| {
                Error::input(
                    Fault::new(path, found, expected, remedy).at(format!("column {}", column.name)),
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
    use crate::io::parquet::{write, write_blocks};
    use ::parquet::basic::Repetition;
    use ::parquet::data_type::Int32Type;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::types::Type;
    use std::fs::File;
    use std::sync::Arc;

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

    #[test]
    fn damaged_files_are_faults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        write(
            &path,
            &[Column::new("n", ColumnData::I64((0..500).collect()))],
        )
        .unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for keep in [0, 3, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..keep]).unwrap();
            assert!(read(&path).unwrap_err().is_input());
        }
        assert!(read(&dir.path().join("none")).unwrap_err().is_input());
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
