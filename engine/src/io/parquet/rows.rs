//! Reading Parquet row by row, whatever the types of its columns.

use super::{open, unreadable};
use crate::error::{Error, Fault, Result};
use crate::io::Value;
use crate::io::table::Table;
use crate::io::timestamp::{iso_clock, iso_date, iso_time};
use ::parquet::basic::{LogicalType, TimeUnit};
use ::parquet::data_type::Decimal;
use ::parquet::file::reader::FileReader;
use ::parquet::record::Field;
use std::path::Path;

/// Reads all rows of a file of flat columns.
///
/// - A missing value is a blank cell, true and false are 1 and 0.
/// - Dates and times come as ISO 8601 text (times as stored, without zone), decimals as integers where they have no
///   decimals, otherwise as the nearest real.
/// - Integers beyond 64 signed bits come as text.
///
/// # Errors
/// The file is missing, damaged, nested, or has binary values that are no UTF-8 text (named by row and column).
pub fn read_table(path: &Path) -> Result<Table> {
    let reader = open(path)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let mut columns = Vec::new();
    let mut nanoseconds = Vec::new();
    for descriptor in schema.columns() {
        if descriptor.max_rep_level() > 0 || descriptor.path().parts().len() != 1 {
            return Err(Error::input(
                Fault::new(
                    path,
                    "a nested column",
                    "flat columns",
                    "write lists and structs as columns of their own",
                )
                .at(format!("column {}", descriptor.path().string())),
            ));
        }
        columns.push(descriptor.name().to_string());
        // The row reader knows milliseconds and microseconds only.
        nanoseconds.push(matches!(
            descriptor.logical_type_ref(),
            Some(LogicalType::Timestamp(t)) if t.unit == TimeUnit::NANOS
        ));
    }
    let mut rows = Vec::new();
    for row in reader
        .get_row_iter(None)
        .map_err(|e| unreadable(path, &e))?
    {
        let row = row.map_err(|e| unreadable(path, &e))?;
        let mut values = Vec::with_capacity(columns.len());
        for (c, (_, field)) in row.get_column_iter().enumerate() {
            values.push(match field {
                Field::Long(v) if nanoseconds[c] => Value::Text(iso_time(*v, 1_000_000_000)),
                field => value(field).ok_or_else(|| {
                    Error::input(
                        Fault::new(
                            path,
                            "a binary value",
                            "numbers, text, dates or times",
                            "convert the column to one of these or leave it out",
                        )
                        .at(format!(
                            "row {}, column {}",
                            rows.len() + 1,
                            columns[c]
                        )),
                    )
                })?,
            });
        }
        rows.push(values);
    }
    Ok(Table {
        source: path.to_path_buf(),
        columns,
        rows,
        first_row: 1,
    })
}

fn value(field: &Field) -> Option<Value> {
    Some(match field {
        Field::Null => Value::Null,
        Field::Bool(v) => Value::Integer(i64::from(*v)),
        Field::Byte(v) => Value::Integer(i64::from(*v)),
        Field::Short(v) => Value::Integer(i64::from(*v)),
        Field::Int(v) => Value::Integer(i64::from(*v)),
        Field::Long(v) => Value::Integer(*v),
        Field::UByte(v) => Value::Integer(i64::from(*v)),
        Field::UShort(v) => Value::Integer(i64::from(*v)),
        Field::UInt(v) => Value::Integer(i64::from(*v)),
        Field::ULong(v) => match i64::try_from(*v) {
            Ok(v) => Value::Integer(v),
            Err(_) => Value::Text(v.to_string()),
        },
        Field::Float16(v) => Value::Real(f64::from(*v)),
        Field::Float(v) => Value::Real(f64::from(*v)),
        Field::Double(v) => Value::Real(*v),
        Field::Decimal(v) => decimal(v)?,
        Field::Str(v) => Value::Text(v.clone()),
        Field::Bytes(v) => Value::Text(std::str::from_utf8(v.data()).ok()?.to_string()),
        Field::Date(days) => Value::Text(iso_date(i64::from(*days))),
        Field::TimeMillis(v) => Value::Text(clock(i64::from(*v), 1_000)),
        Field::TimeMicros(v) => Value::Text(clock(*v, 1_000_000)),
        Field::TimestampMillis(v) => Value::Text(iso_time(*v, 1_000)),
        Field::TimestampMicros(v) => Value::Text(iso_time(*v, 1_000_000)),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => return None,
    })
}

fn clock(units: i64, per_second: i64) -> String {
    let digits = per_second.ilog10() as usize;
    format!(
        "{}.{:0digits$}",
        iso_clock(units.div_euclid(per_second)),
        units.rem_euclid(per_second)
    )
}

/// Unscaled big-endian two's complement with a number of decimals; `None` beyond 38 digits.
fn decimal(decimal: &Decimal) -> Option<Value> {
    let bytes = decimal.data();
    let mut wide = [if bytes.first()? & 0x80 == 0 { 0 } else { 0xFF }; 16];
    let start = 16_usize.checked_sub(bytes.len())?;
    wide[start..].copy_from_slice(bytes);
    let unscaled = i128::from_be_bytes(wide);
    if decimal.scale() == 0 {
        return Some(match i64::try_from(unscaled) {
            Ok(v) => Value::Integer(v),
            Err(_) => Value::Text(unscaled.to_string()),
        });
    }
    // Through text, for the nearest real.
    let text = format!("{unscaled}e{}", -i64::from(decimal.scale()));
    text.parse().ok().map(Value::Real)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::parquet::data_type::{
        BoolType, ByteArrayType, DataType, FixedLenByteArrayType, Int32Type, Int64Type,
    };
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;
    use std::fs::File;
    use std::sync::Arc;

    /// One optional column of three rows, the second without a value.
    fn column<T: DataType>(declared: &str, values: &[T::T]) -> Result<Vec<Value>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        let schema = parse_message_type(&format!("message m {{ optional {declared}; }}")).unwrap();
        let file = File::create(&path).unwrap();
        let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut out = group.next_column().unwrap().unwrap();
        out.typed::<T>()
            .write_batch(values, Some(&[1, 0, 1]), None)
            .unwrap();
        out.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        let table = read_table(&path)?;
        assert_eq!(
            (table.columns.as_slice(), table.rows.len()),
            (&["c".to_string()][..], 3)
        );
        assert!(table.rows[1][0].is_null());
        // The reader of columns takes none of these: gaps are refused, never filled.
        assert!(crate::io::parquet::read(&path).unwrap_err().is_input());
        Ok(vec![table.rows[0][0].clone(), table.rows[2][0].clone()])
    }

    #[test]
    fn every_type_is_read() {
        let text = |a: &str, b: &str| vec![Value::from(a), Value::from(b)];
        let integers = |a: i64, b: i64| vec![Value::Integer(a), Value::Integer(b)];
        assert_eq!(
            column::<BoolType>("boolean c", &[true, false]).unwrap(),
            integers(1, 0)
        );
        assert_eq!(
            column::<Int32Type>("int32 c (INT_8)", &[-5, 7]).unwrap(),
            integers(-5, 7)
        );
        assert_eq!(
            column::<Int32Type>("int32 c (UINT_32)", &[-1, 7]).unwrap(),
            integers(4_294_967_295, 7)
        );
        assert_eq!(
            column::<Int64Type>("int64 c (UINT_64)", &[-1, 7]).unwrap(),
            vec![
                Value::Text("18446744073709551615".into()),
                Value::Integer(7)
            ]
        );
        assert_eq!(
            column::<Int32Type>("int32 c (DATE)", &[18_271, -1]).unwrap(),
            text("2020-01-10", "1969-12-31")
        );
        assert_eq!(
            column::<Int64Type>("int64 c (TIMESTAMP_MILLIS)", &[1_578_614_400_123, i64::MAX])
                .unwrap()[0],
            "2020-01-10T00:00:00.123".into()
        );
        assert_eq!(
            column::<Int64Type>("int64 c (TIMESTAMP(NANOS,true))", &[1, 2]).unwrap()[1],
            "1970-01-01T00:00:00.000000002".into()
        );
        assert_eq!(
            column::<Int32Type>("int32 c (TIME_MILLIS)", &[3_723_004, 0]).unwrap(),
            text("01:02:03.004", "00:00:00.000")
        );
        assert_eq!(
            column::<Int32Type>("int32 c (DECIMAL(9,2))", &[-12_345, 10]).unwrap(),
            vec![Value::Real(-123.45), Value::Real(0.1)]
        );
        let wide = vec![0xFF_u8; 16];
        assert_eq!(
            column::<FixedLenByteArrayType>(
                "fixed_len_byte_array(16) c (DECIMAL(38,0))",
                &[wide.clone().into(), wide.into()]
            )
            .unwrap(),
            integers(-1, -1)
        );
        assert_eq!(
            column::<ByteArrayType>("binary c (UTF8)", &["婺城区".into(), "".into()]).unwrap(),
            text("婺城区", "")
        );
        let error = column::<ByteArrayType>("binary c", &["a".into(), vec![0xFF, 0xFE].into()]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("row 3, column c"), "{error}");
    }

    #[test]
    fn nested_columns_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        let schema =
            parse_message_type("message m { required group g { required int32 c; } }").unwrap();
        let file = File::create(&path).unwrap();
        SerializedFileWriter::new(file, Arc::new(schema), Arc::default())
            .unwrap()
            .close()
            .unwrap();
        let error = read_table(&path).unwrap_err().to_string();
        assert!(
            error.contains("column g.c") || error.contains("g\".\"c"),
            "{error}"
        );
    }
}
