//! Sheets as they stand: every cell of a file without a header, a type or a repair, for those who look for faults.

use super::{csv, excel};
use crate::error::{Error, Fault, Result};
use crate::io::{TextEncoding, Value};
use std::path::{Path, PathBuf};

/// All cells of a file or of one sheet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawSheet {
    /// The file.
    pub source: PathBuf,
    /// The sheet; `None` for text.
    pub sheet: Option<String>,
    /// Encoding of a text file.
    pub encoding: TextEncoding,
    /// Rows from the first of the file, of unlike lengths; blank ones are empty. Cells of text files are the texts that
    /// stand there, spaces included; spreadsheets give numbers, ISO dates and Excel's errors as texts.
    pub rows: Vec<Vec<Value>>,
}

/// Reads `.csv`, `.txt`, `.tsv` or a sheet of a spreadsheet (the first where none is named) as it stands; blank rows at
/// the end are left out.
///
/// # Errors
/// The file is missing, of another kind, neither UTF-8 nor GBK, or has no such sheet.
pub fn read_raw(path: &Path, sheet: Option<&str>) -> Result<RawSheet> {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let mut out = RawSheet {
        source: path.to_path_buf(),
        ..RawSheet::default()
    };
    match extension.as_str() {
        "csv" | "txt" | "tsv" => {
            let (cells, encoding) = csv::raw_cells(path)?;
            (out.rows, out.encoding) = (cells.rows, encoding);
        }
        "xlsx" | "xls" | "xlsm" | "xlsb" | "ods" => {
            let (cells, name) = excel::raw_cells(path, sheet)?;
            (out.rows, out.sheet) = (cells.rows, Some(name));
        }
        _ => {
            return Err(Error::input(Fault::new(
                path,
                format!("a file ending in .{extension}"),
                "a table: .csv, .xlsx, .xls or .ods",
                "save the table in one of these formats",
            )));
        }
    }
    while out
        .rows
        .last()
        .is_some_and(|row| row.iter().all(Value::is_null))
    {
        out.rows.pop();
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::table::{BookSheet, write_book, write_cells};

    #[test]
    fn cells_come_as_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        let rows: Vec<Vec<Value>> = vec![
            vec!["普查表".into()],
            vec!["代码".into(), "名称".into(), "人口".into()],
            vec!["330702.0".into(), " 甲 ".into(), "１２".into()],
            vec!["330703".into()],
        ];
        for (name, encoding) in [
            ("a.csv", TextEncoding::Gb18030),
            ("b.csv", TextEncoding::Utf8),
        ] {
            let path = dir.path().join(name);
            write_cells(&path, &rows, encoding).unwrap();
            let sheet = read_raw(&path, None).unwrap();
            assert_eq!((sheet.encoding, &sheet.rows), (encoding, &rows));
        }
        let path = dir.path().join("a.xlsx");
        write_book(&path, &[BookSheet::new("表1", &rows)]).unwrap();
        let sheet = read_raw(&path, None).unwrap();
        assert_eq!(sheet.sheet.as_deref(), Some("表1"));
        assert_eq!(sheet.rows[2][..], rows[2][..]);
        assert!(read_raw(&dir.path().join("a.doc"), None).is_err());
    }
}
