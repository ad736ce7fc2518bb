//! Tables: CSV (UTF-8, UTF-16, GBK) and Excel, read by header text, and Parquet; CSV and Excel written.
//!
//! A header may stand below titles and notes, as census templates (普查表) have it: it is the first row in which more
//! than half of the columns are filled, with text among them. Every cell can be named as its program names it.

mod book;
mod csv;
mod excel;
mod raw;

pub use self::csv::{write_cells, write_csv};
pub use book::{BookSheet, Link, Mark, write_book};
pub use excel::{sheet_names, write_xlsx};
pub use raw::{RawSheet, read_raw};

use super::Value;
use crate::error::{Error, Fault, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A table with one header row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The file it was read from.
    pub source: PathBuf,
    /// Column names.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`; a blank row of the file is a row of blank cells.
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

    /// Index of the column of this name; spaces and line breaks do not count where no column has the very name.
    pub fn column(&self, name: &str) -> Option<usize> {
        let tidy = |name: &str| -> String { name.split_whitespace().collect() };
        self.columns
            .iter()
            .position(|c| c.trim() == name)
            .or_else(|| self.columns.iter().position(|c| tidy(c) == tidy(name)))
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
        format!(
            "row {number}, column {name} ({}{number})",
            column_letters(column)
        )
    }
}

/// Spreadsheet letters of a column, from 0 = A.
pub fn column_letters(mut column: usize) -> String {
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

/// Reads a table: `.csv`, `.txt` or `.tsv` as delimited text, `.xlsx`, `.xlsm`, `.xlsb`, `.xls` or `.ods` as a
/// spreadsheet (first sheet), `.parquet` row by row.
///
/// Numbers come as numbers, but digits with a leading zero, or more digits than an integer holds, stay text. Dates of
/// spreadsheets come as ISO 8601 text. Blank rows at the end are left out.
///
/// # Errors
/// The file is missing, of another kind, neither UTF-8 nor GBK, without a header or rows, has rows of other lengths than
/// its header (text), or cells with an Excel error (spreadsheets).
pub fn read(path: &Path) -> Result<Table> {
    read_sheet(path, None)
}

/// Reads a list that may be empty, such as that of hidden-danger sites: a header alone is a list of nothing.
///
/// # Errors
/// As [`read`], but for a table without rows.
pub fn read_list(path: &Path) -> Result<Table> {
    read_rows(path, None, true)
}

/// Reads a table from a named sheet of a spreadsheet; the name is ignored for text.
///
/// # Errors
/// As [`read`]; also a sheet that the workbook does not hold.
pub fn read_sheet(path: &Path, sheet: Option<&str>) -> Result<Table> {
    read_rows(path, sheet, false)
}

fn read_rows(path: &Path, sheet: Option<&str>, may_be_empty: bool) -> Result<Table> {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    match extension.as_str() {
        "csv" | "txt" | "tsv" => build(path, self::csv::cells(path)?, may_be_empty),
        "xlsx" | "xls" | "xlsm" | "xlsb" | "ods" => {
            build(path, excel::cells(path, sheet)?, may_be_empty)
        }
        "parquet" => super::parquet::read_table(path),
        _ => Err(Error::input(Fault::new(
            path,
            format!("a file ending in .{extension}"),
            "a table: .csv, .xlsx, .xls, .ods or .parquet",
            "save the table in one of these formats",
        ))),
    }
}

/// Cells of a file before its header is known.
struct Cells {
    /// All rows from the first of the file; blank ones are empty.
    rows: Vec<Vec<Value>>,
    /// Faults of single cells, with their row counted from 0.
    faults: Vec<(usize, Fault)>,
    /// Must every row be as wide as the header?
    strict: bool,
}

fn build(path: &Path, mut cells: Cells, may_be_empty: bool) -> Result<Table> {
    while let Some(last) = cells.rows.last()
        && last.iter().all(Value::is_null)
    {
        cells.rows.pop();
    }
    let Some(header) = header(&cells.rows) else {
        return Err(Error::input(Fault::new(
            path,
            "no header row",
            "a row with the names of the columns",
            "give the table a header row",
        )));
    };
    let mut body = cells.rows.split_off(header + 1);
    let columns: Vec<String> = cells.rows[header]
        .iter()
        .map(|name| {
            let name = name.to_string();
            name.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    let first_row = header + 2;
    let mut faults: Vec<Fault> = cells
        .faults
        .into_iter()
        .filter(|(row, _)| *row > header)
        .map(|(_, fault)| fault)
        .collect();
    for (i, row) in body.iter_mut().enumerate() {
        if row.len() != columns.len() && cells.strict && !row.is_empty() {
            faults.push(
                Fault::new(
                    path,
                    format!("{} cells", row.len()),
                    format!("{} cells, as the header has", columns.len()),
                    "quote cells that hold the delimiter, and fill missing cells with nothing between delimiters",
                )
                .at(format!("row {}", first_row + i)),
            );
        }
        row.resize(columns.len(), Value::Null);
    }
    if body.is_empty() && !may_be_empty {
        faults.push(Fault::new(
            path,
            "no rows below the header",
            "at least one row",
            "check that the table was saved whole",
        ));
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    Ok(Table {
        source: path.to_path_buf(),
        columns,
        rows: body,
        first_row,
    })
}

/// The first row in which more than half of the columns are filled, with text among them; how many columns there are,
/// the most common number of cells says.
fn header(rows: &[Vec<Value>]) -> Option<usize> {
    let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
    for row in rows {
        let last = row.iter().rposition(|v| !v.is_null());
        let first = row.iter().position(|v| !v.is_null());
        if let (Some(first), Some(last)) = (first, last) {
            *widths.entry(last + 1 - first).or_default() += 1;
        }
    }
    // The widest of equals: the map is in ascending order, and the last maximum wins.
    let width = *widths.iter().max_by_key(|(_, count)| **count)?.0;
    rows.iter().position(|row| {
        let filled = row.iter().filter(|v| !v.is_null()).count();
        let text = row.iter().any(|v| matches!(v, Value::Text(_)));
        text && 2 * filled > width
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
    fn a_list_may_be_empty_and_a_table_may_not() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.csv", "a.xlsx"] {
            let path = dir.path().join(name);
            let nothing = Table::new(&["编号", "名称", "威胁人数"]);
            if name.ends_with("csv") {
                write_csv(&path, &nothing).unwrap();
            } else {
                write_xlsx(&path, &[("隐患点", &nothing)]).unwrap();
            }
            let list = read_list(&path).unwrap();
            assert_eq!(list.columns, nothing.columns);
            assert!(list.rows.is_empty());
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("no rows below the header"), "{error}");
        }
    }

    #[test]
    fn columns_have_spreadsheet_letters() {
        assert_eq!(
            [0, 25, 26, 701, 702].map(column_letters),
            ["A", "Z", "AA", "ZZ", "AAA"]
        );
    }
}
