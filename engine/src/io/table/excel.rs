//! Excel workbooks: `.xlsx`, `.xls` and their kin in, `.xlsx` out.

use super::book::text_width;
use super::{Cells, Table, column_letters};
use crate::error::{Error, Fault, Result};
use crate::io::{Value, source_date_epoch, write_atomic};
use calamine::{Data, Reader, open_workbook_auto};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};
use std::fs;
use std::path::Path;

/// Beyond this a double loses whole numbers, and Excel knows only doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;

type Book = calamine::Sheets<std::io::BufReader<fs::File>>;

fn fault(path: &Path, found: String) -> Error {
    Error::input(Fault::new(
        path,
        found,
        "a workbook with a table on its first sheet",
        "open and save the workbook again without a password, or export the sheet as CSV",
    ))
}

fn open(path: &Path) -> Result<Book> {
    fs::metadata(path).map_err(|e| Error::io("reading", path, e))?;
    open_workbook_auto(path).map_err(|e| fault(path, e.to_string()))
}

/// Names of the sheets of a workbook, in order.
///
/// # Errors
/// The file is missing or no workbook.
pub fn sheet_names(path: &Path) -> Result<Vec<String>> {
    open(path).map(|book| book.sheet_names())
}

/// All cells of a sheet, the first one where none is named, from A1 on.
pub(super) fn cells(path: &Path, sheet: Option<&str>) -> Result<Cells> {
    parse(path, sheet, cell).map(|(cells, _)| cells)
}

/// All cells of a sheet with their texts untrimmed and Excel's errors as texts (`#DIV/0!`), and the name of the sheet.
pub(super) fn raw_cells(path: &Path, sheet: Option<&str>) -> Result<(Cells, String)> {
    let as_it_stands = |data: &Data| match data {
        Data::Error(e) => Value::Text(e.to_string()),
        Data::String(s) if s.is_empty() => Value::Null,
        Data::String(s) => Value::Text(s.clone()),
        data => cell(data),
    };
    parse(path, sheet, as_it_stands)
}

fn parse(
    path: &Path,
    sheet: Option<&str>,
    value: impl Fn(&Data) -> Value,
) -> Result<(Cells, String)> {
    let mut book = open(path)?;
    let names = book.sheet_names();
    let name = match sheet {
        None => names.first(),
        Some(name) => names.iter().find(|n| *n == name),
    };
    let Some(name) = name else {
        return Err(fault(
            path,
            match sheet {
                Some(name) => format!("no sheet `{name}` (there are: {})", names.join(", ")),
                None => "a workbook without sheets".into(),
            },
        ));
    };
    let range = book
        .worksheet_range(name)
        .map_err(|e| fault(path, e.to_string()))?;
    // Rows and columns of margin are kept, so that places are those that Excel shows.
    let (top, left) = range
        .start()
        .map_or((0, 0), |(r, c)| (r as usize, c as usize));
    let mut out = Cells {
        rows: vec![Vec::new(); top],
        faults: Vec::new(),
        strict: false,
    };
    for row in range.rows() {
        let number = out.rows.len();
        let mut values = vec![Value::Null; left];
        for data in row {
            if let Data::Error(e) = data {
                let place = format!(
                    "sheet {name}, cell {}{}",
                    column_letters(values.len()),
                    number + 1
                );
                let fault = Fault::new(
                    path,
                    e.to_string(),
                    "a value",
                    "correct the formula in Excel, or clear the cell",
                );
                out.faults.push((number, fault.at(place)));
            }
            values.push(value(data));
        }
        out.rows.push(values);
    }
    Ok((out, name.clone()))
}

fn cell(data: &Data) -> Value {
    match data {
        Data::Empty | Data::Error(_) => Value::Null,
        Data::Int(i) => Value::Integer(*i),
        Data::Float(v) => number(*v),
        Data::Bool(b) => Value::Integer(i64::from(*b)),
        Data::String(s) | Data::DateTimeIso(s) | Data::DurationIso(s) => match s.trim() {
            "" => Value::Null,
            text => Value::Text(text.to_string()),
        },
        Data::DateTime(t) if t.is_datetime() => {
            let (y, mo, d, h, mi, s, _) = t.to_ymd_hms_milli();
            Value::Text(if (h, mi, s) == (0, 0, 0) {
                format!("{y:04}-{mo:02}-{d:02}")
            } else {
                format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}")
            })
        }
        Data::DateTime(t) => number(t.as_f64()),
    }
}

/// Excel stores every number as a double; whole ones within the exact range are integers.
fn number(v: f64) -> Value {
    if v.trunc() == v && v.abs() <= EXACT {
        Value::Integer(v as i64)
    } else {
        Value::Real(v)
    }
}

/// Writes a workbook, one sheet per table: bold frozen header, columns as wide as their text. The creation time is
/// `SOURCE_DATE_EPOCH`.
///
/// # Errors
/// The file cannot be written, or a sheet name is not allowed.
pub fn write_xlsx(path: &Path, sheets: &[(&str, &Table)]) -> Result<()> {
    let failed =
        |e: rust_xlsxwriter::XlsxError| Error::Failed(format!("writing {}: {e}", path.display()));
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_timestamp(source_date_epoch()).map_err(failed)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let bold = Format::new().set_bold();
    for (name, table) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).map_err(failed)?;
        for (c, title) in table.columns.iter().enumerate() {
            let column = c as u16;
            sheet
                .write_string_with_format(0, column, title, &bold)
                .map_err(failed)?;
            let mut width = text_width(title);
            for (r, row) in table.rows.iter().enumerate() {
                let at = r as u32 + 1;
                match &row[c] {
                    Value::Null => continue,
                    Value::Text(text) => sheet.write_string(at, column, text),
                    Value::Integer(i) => sheet.write_number(at, column, *i as f64),
                    Value::Real(v) if v.is_finite() => sheet.write_number(at, column, *v),
                    Value::Real(_) => continue,
                }
                .map_err(failed)?;
                if r < 200 {
                    width = width.max(text_width(&row[c].to_string()));
                }
            }
            sheet
                .set_column_width(column, (width as f64 + 2.0).min(60.0))
                .map_err(failed)?;
        }
        sheet.set_freeze_panes(1, 0).map_err(failed)?;
    }
    write_atomic(path, |tmp| book.save(tmp).map_err(failed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::table::{read, read_sheet};

    #[test]
    fn titles_margins_dates_and_error_cells() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.xlsx");
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let plain = Format::new();
        sheet
            .merge_range(1, 1, 1, 4, "第一次全国自然灾害综合风险普查", &plain)
            .unwrap();
        for (c, name) in ["区划代码", "常住\n人口", "GDP", "日期"].iter().enumerate() {
            sheet.write_string(3, 1 + c as u16, *name).unwrap();
        }
        sheet.write_string(4, 1, "330106").unwrap();
        sheet.write_number(4, 2, 12.0).unwrap();
        sheet
            .write_formula(
                4,
                3,
                rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!"),
            )
            .unwrap();
        let day = ExcelDateTime::from_ymd(2020, 1, 10).unwrap();
        let date = Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_datetime_with_format(4, 4, &day, &date).unwrap();
        sheet.write_string(6, 1, "330110").unwrap();
        sheet.write_number(6, 2, 0.5).unwrap();
        book.add_worksheet().set_name("备注").unwrap();
        book.save(&path).unwrap();
        let error = read(&path).unwrap_err();
        assert_eq!(error.faults().len(), 1);
        assert_eq!(error.faults()[0].place, "sheet Sheet1, cell D5");
        let sheet = book.worksheet_from_index(0).unwrap();
        sheet.write_number(4, 3, 7.25).unwrap();
        book.save(&path).unwrap();
        let table = read(&path).unwrap();
        assert_eq!(table.columns, ["", "区划代码", "常住 人口", "GDP", "日期"]);
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.place(2, 2), "row 7, column 常住 人口 (C7)");
        assert_eq!(table.rows[0][2], Value::Integer(12));
        assert_eq!(table.rows[0][3], Value::Real(7.25));
        assert_eq!(table.rows[0][4], "2020-01-10".into());
        assert!(table.rows[1].iter().all(Value::is_null));
        assert_eq!(sheet_names(&path).unwrap(), ["Sheet1", "备注"]);
        let error = read_sheet(&path, Some("third")).unwrap_err().to_string();
        assert!(error.contains("备注"), "{error}");
    }

    #[test]
    fn what_is_no_workbook_is_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.xlsx");
        fs::write(&path, b"PK\x03\x04 not a workbook").unwrap();
        assert!(read(&path).unwrap_err().is_input());
        assert!(read(&dir.path().join("none.xlsx")).unwrap_err().is_input());
    }
}
