//! Tables: CSV (UTF-8 with or without BOM, GBK) and Excel, read by header text; CSV and Excel written.

use super::{Value, source_date_epoch, write_atomic};
use crate::error::{Error, Fault, Result};
use calamine::{Data, Reader, open_workbook_auto};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};
use std::fs;
use std::path::{Path, PathBuf};

/// A table with one header row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The file it was read from.
    pub source: PathBuf,
    /// Column names.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// Number of the first row in the file, counted from 1.
    pub first_row: usize,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &[&str]) -> Self {
        Table {
            columns: columns.iter().map(|c| (*c).to_string()).collect(),
            first_row: 2,
            ..Table::default()
        }
    }

    /// Index of the column of this name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.trim() == name)
    }

    /// Index of a column that must be there.
    ///
    /// # Errors
    /// Lists the columns there are.
    pub fn require(&self, name: &str) -> Result<usize> {
        self.column(name).ok_or_else(|| {
            Error::input(Fault::new(
                &self.source,
                format!("columns {}", self.columns.join(", ")),
                format!("a column `{name}`"),
                "add or rename the column",
            ))
        })
    }

    /// Where a cell stands, for messages: `row 12, column 常住人口 (E12)`.
    pub fn place(&self, row: usize, column: usize) -> String {
        let number = self.first_row + row;
        let name = self.columns.get(column).map_or("", String::as_str);
        format!("row {number}, column {name} ({}{number})", letters(column))
    }
}

/// Spreadsheet letters of a column, from 0 = A.
fn letters(mut column: usize) -> String {
    let mut out = Vec::new();
    loop {
        out.push(b'A' + (column % 26) as u8);
        if column < 26 {
            break;
        }
        column = column / 26 - 1;
    }
    out.iter().rev().map(|&b| b as char).collect()
}

/// Reads a table: `.csv` or `.txt` as CSV, `.xlsx`, `.xls` or `.ods` as a spreadsheet (first sheet).
///
/// In spreadsheets the header is the first row in which at least half of the cells hold text; title rows above it are
/// skipped. Numbers come as numbers, but digits with a leading zero stay text.
///
/// # Errors
/// The file is missing, of another kind, neither UTF-8 nor GBK, empty, or has rows of other lengths than its header.
pub fn read(path: &Path) -> Result<Table> {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    match extension.as_str() {
        "csv" | "txt" | "tsv" => read_csv(path),
        "xlsx" | "xls" | "xlsm" | "ods" => read_excel(path),
        _ => Err(Error::input(Fault::new(
            path,
            format!("a file ending in .{extension}"),
            "a table: .csv, .xlsx, .xls or .ods",
            "save the table in one of these formats",
        ))),
    }
}

fn decode(path: &Path, bytes: &[u8]) -> Result<String> {
    let body = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(body) {
        return Ok(text.to_string());
    }
    let (text, faulty) = encoding_rs::GB18030.decode_without_bom_handling(body);
    if !faulty {
        return Ok(text.into_owned());
    }
    let line = text
        .find('\u{FFFD}')
        .map_or(1, |at| text[..at].matches('\n').count() + 1);
    Err(Error::input(
        Fault::new(
            path,
            "bytes that are neither UTF-8 nor GBK",
            "text in UTF-8 or GBK (GB 18030)",
            "save the file as UTF-8",
        )
        .at(format!("line {line}")),
    ))
}

fn read_csv(path: &Path) -> Result<Table> {
    let bytes = fs::read(path).map_err(|e| Error::io("reading", path, e))?;
    let text = decode(path, &bytes)?;
    let head = text.lines().next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|&d| head.bytes().filter(|&b| b == d).count())
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let broken = |e: csv::Error| {
        Error::input(Fault::new(
            path,
            e.to_string(),
            "comma-separated text",
            "check the quotes of the file",
        ))
    };
    let columns: Vec<String> = reader
        .headers()
        .map_err(broken)?
        .iter()
        .map(|h| h.trim().to_string())
        .collect();
    let mut table = Table {
        source: path.to_path_buf(),
        columns,
        rows: Vec::new(),
        first_row: 2,
    };
    let mut faults = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        if record.len() != table.columns.len() {
            faults.push(
                Fault::new(
                    path,
                    format!("{} cells", record.len()),
                    format!("{} cells, as the header has", table.columns.len()),
                    "quote cells that hold the delimiter, and fill missing cells with nothing between delimiters",
                )
                .at(format!("row {}", table.first_row + table.rows.len())),
            );
        }
        table.rows.push(record.iter().map(typed).collect());
    }
    finish(table, faults)
}

/// A cell of text as a number where it is one.
fn typed(cell: &str) -> Value {
    let text = cell.trim();
    if text.is_empty() {
        return Value::Null;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let coded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if coded || !numeric {
        return Value::Text(text.to_string());
    }
    if let Ok(i) = text.parse::<i64>() {
        return Value::Integer(i);
    }
    text.parse::<f64>()
        .map_or_else(|_| Value::Text(text.to_string()), Value::Real)
}

fn read_excel(path: &Path) -> Result<Table> {
    fs::metadata(path).map_err(|e| Error::io("reading", path, e))?;
    let fault = |found: String| {
        Error::input(Fault::new(
            path,
            found,
            "a workbook with a table on its first sheet",
            "open and save the workbook again, or export the sheet as CSV",
        ))
    };
    let mut book = open_workbook_auto(path).map_err(|e| fault(e.to_string()))?;
    let sheet = book
        .sheet_names()
        .first()
        .cloned()
        .ok_or_else(|| fault("a workbook without sheets".into()))?;
    let range = book
        .worksheet_range(&sheet)
        .map_err(|e| fault(e.to_string()))?;
    let offset = range.start().map_or(0, |(row, _)| row as usize);
    let rows: Vec<&[Data]> = range.rows().collect();
    let header = rows
        .iter()
        .position(|row| {
            let texts = row.iter().filter(|c| matches!(c, Data::String(_))).count();
            texts > 1 && 2 * texts >= row.len()
        })
        .ok_or_else(|| fault(format!("no header row on sheet {sheet}")))?;
    let table = Table {
        source: path.to_path_buf(),
        columns: rows[header]
            .iter()
            .map(|c| c.to_string().trim().to_string())
            .collect(),
        rows: rows[header + 1..]
            .iter()
            .map(|row| row.iter().map(cell).collect())
            .collect(),
        first_row: offset + header + 2,
    };
    finish(table, Vec::new())
}

fn cell(data: &Data) -> Value {
    match data {
        Data::Empty => Value::Null,
        Data::String(text) if text.trim().is_empty() => Value::Null,
        Data::String(text) => Value::Text(text.trim().to_string()),
        Data::Int(i) => Value::Integer(*i),
        Data::Float(r) => Value::Real(*r),
        Data::Bool(b) => Value::Integer(i64::from(*b)),
        other => Value::Text(other.to_string()),
    }
}

fn finish(table: Table, mut faults: Vec<Fault>) -> Result<Table> {
    if table.rows.is_empty() {
        faults.push(Fault::new(
            &table.source,
            "no rows below the header",
            "at least one row",
            "check that the table was saved whole",
        ));
    }
    if faults.is_empty() {
        Ok(table)
    } else {
        Err(Error::Input(faults))
    }
}

/// Writes CSV: UTF-8 with BOM (so that spreadsheets read Chinese text), line feeds, numbers in shortest form.
///
/// # Errors
/// The file cannot be written.
pub fn write_csv(path: &Path, table: &Table) -> Result<()> {
    write_atomic(path, |tmp| {
        let mut bytes = b"\xEF\xBB\xBF".to_vec();
        {
            let mut writer = csv::WriterBuilder::new()
                .terminator(csv::Terminator::Any(b'\n'))
                .from_writer(&mut bytes);
            let failed = |e: csv::Error| Error::Failed(format!("writing {}: {e}", path.display()));
            writer.write_record(&table.columns).map_err(failed)?;
            for row in &table.rows {
                writer
                    .write_record(row.iter().map(Value::to_string))
                    .map_err(failed)?;
            }
            writer.flush().map_err(|e| Error::io("writing", path, e))?;
        }
        fs::write(tmp, bytes).map_err(|e| Error::io("writing", path, e))
    })
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

/// Width of a text in characters, hanzi counting two.
fn text_width(text: &str) -> usize {
    text.chars()
        .map(|c| if c as u32 >= 0x2E80 { 2 } else { 1 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut t = Table::new(&["区划代码", "名称", "人口"]);
        t.rows = vec![
            vec![
                Value::Integer(330_702),
                "婺城区".into(),
                Value::Integer(957_055),
            ],
            vec![Value::Integer(330_703), "金东区".into(), Value::Real(0.1)],
            vec![Value::Integer(330_723), "武义, \"县\"".into(), Value::Null],
        ];
        t
    }

    #[test]
    fn csv_and_excel_come_back() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.csv", "a.xlsx"] {
            let path = dir.path().join(name);
            if name.ends_with("csv") {
                write_csv(&path, &sample()).unwrap();
            } else {
                write_xlsx(&path, &[("数据", &sample())]).unwrap();
            }
            let first = fs::read(&path).unwrap();
            let back = read(&path).unwrap();
            assert_eq!(back.columns, sample().columns);
            for (a, b) in back
                .rows
                .iter()
                .flatten()
                .zip(sample().rows.iter().flatten())
            {
                match b {
                    Value::Text(_) | Value::Null => assert_eq!(a, b),
                    _ => assert_eq!(a.as_f64(), b.as_f64()),
                }
            }
            if name.ends_with("xlsx") {
                write_xlsx(&path, &[("数据", &sample())]).unwrap();
                assert_eq!(fs::read(&path).unwrap(), first);
            }
        }
    }

    #[test]
    fn gbk_is_read_and_broken_text_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("g.csv");
        let (bytes, _, _) = encoding_rs::GBK.encode("区划代码,名称\n330702,婺城区\n0571,杭州\n");
        fs::write(&path, &bytes).unwrap();
        let t = read(&path).unwrap();
        assert_eq!(t.rows[0][1], "婺城区".into());
        assert_eq!(t.rows[1][0], "0571".into());
        fs::write(&path, b"a,b\n\xff\xff,1\n").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn short_rows_are_all_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.csv");
        fs::write(&path, "a,b\n1\n2,3\n4,5,6\n").unwrap();
        assert_eq!(read(&path).unwrap_err().faults().len(), 2);
    }

    #[test]
    fn columns_have_spreadsheet_letters() {
        assert_eq!(
            [0, 25, 26, 701, 702].map(letters),
            ["A", "Z", "AA", "ZZ", "AAA"]
        );
    }
}
