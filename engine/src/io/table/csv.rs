//! CSV (RFC 4180, leniently): comma, semicolon or tab, told by the first lines; UTF-8, UTF-16 with a mark, or GBK.

use super::{Cells, Table};
use crate::error::{Error, Fault, Result};
use crate::io::{TextEncoding, Value, encoding, write_atomic};
use std::fs;
use std::path::Path;

/// All rows of a file, numbers as numbers.
pub(super) fn cells(path: &Path) -> Result<Cells> {
    parse(path, typed).map(|(cells, _)| cells)
}

/// All rows of a file, every cell as the text that stands in it, and the encoding of the file.
pub(super) fn raw_cells(path: &Path) -> Result<(Cells, TextEncoding)> {
    let as_it_stands = |cell: &str| match cell {
        "" => Value::Null,
        text => Value::Text(text.to_string()),
    };
    parse(path, as_it_stands)
}

fn parse(path: &Path, value: impl Fn(&str) -> Value) -> Result<(Cells, TextEncoding)> {
    let bytes = fs::read(path).map_err(|e| Error::io("reading", path, e))?;
    let (mut text, encoding) = encoding::decode_told(&bytes).map_err(|bad| {
        Error::input(
            Fault::new(
                path,
                format!("bytes that are neither UTF-8 nor GBK ({})", bad.bytes),
                "text in UTF-8 or GBK (GB 18030)",
                "save the file as UTF-8",
            )
            .at(format!("line {}", bad.line)),
        )
    })?;
    // One kind of line end, so that empty lines can be counted.
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n").into();
    }
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut last_breaks = false;
    for record in reader.records() {
        let record = record.map_err(|e| {
            Error::input(Fault::new(
                path,
                e.to_string(),
                "comma-separated text",
                "check the quotes of the file",
            ))
        })?;
        // The reader passes over empty lines, which spreadsheets count; line breaks within cells they do not count.
        let start = record.position().map_or(0, |p| p.byte() as usize);
        let blank = text.as_bytes()[start..]
            .iter()
            .take_while(|b| **b == b'\n')
            .count();
        rows.extend(std::iter::repeat_n(Vec::new(), blank));
        last_breaks = record.iter().any(|field| field.contains('\n'));
        rows.push(record.iter().map(&value).collect());
    }
    // A quote that is never closed swallows the rest of the file into one cell.
    if last_breaks && text.bytes().filter(|&b| b == b'"').count() % 2 == 1 {
        return Err(Error::input(
            Fault::new(
                path,
                "a quote that is never closed",
                "quotes in pairs",
                "delete the quote or double it",
            )
            .at(format!("row {}", rows.len())),
        ));
    }
    let cells = Cells {
        rows,
        faults: Vec::new(),
        strict: true,
    };
    Ok((cells, encoding))
}

/// The separator that stands most often in the first ten lines, outside quotes; the comma where none does.
fn delimiter(text: &str) -> u8 {
    let mut counts = [(b',', 0usize), (b'\t', 0), (b';', 0)];
    let mut quoted = false;
    let mut lines = 0;
    for b in text.bytes() {
        match b {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => {
                lines += 1;
                if lines == 10 {
                    break;
                }
            }
            _ if !quoted => {
                for (d, n) in &mut counts {
                    *n += usize::from(b == *d);
                }
            }
            _ => {}
        }
    }
    // The first of equals, so the comma wins a tie.
    let mut best = counts[0];
    for c in &counts[1..] {
        if c.1 > best.1 {
            best = *c;
        }
    }
    best.0
}

/// A cell of text as a number where it is one. Codes stay text: leading zeros, or more digits than an integer holds.
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
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return Value::Text(text.to_string());
    }
    match text.parse::<f64>() {
        Ok(r) if r.is_finite() => Value::Real(r),
        _ => Value::Text(text.to_string()),
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
            let mut writer = ::csv::WriterBuilder::new()
                .terminator(::csv::Terminator::Any(b'\n'))
                .from_writer(&mut bytes);
            let failed =
                |e: ::csv::Error| Error::Failed(format!("writing {}: {e}", path.display()));
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

/// Writes rows of cells as CSV in an encoding, line feeds, rows of unlike lengths as they are.
///
/// # Errors
/// The file cannot be written.
pub fn write_cells(path: &Path, rows: &[Vec<Value>], encoding: TextEncoding) -> Result<()> {
    let failed = |e: ::csv::Error| Error::Failed(format!("writing {}: {e}", path.display()));
    let mut bytes = Vec::new();
    {
        let mut writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::Any(b'\n'))
            .flexible(true)
            .from_writer(&mut bytes);
        for row in rows {
            writer
                .write_record(row.iter().map(Value::to_string))
                .map_err(failed)?;
        }
        writer.flush().map_err(|e| Error::io("writing", path, e))?;
    }
    let text = String::from_utf8(bytes)
        .map_err(|e| Error::Failed(format!("writing {}: {e}", path.display())))?;
    write_atomic(path, |tmp| {
        fs::write(tmp, encoding.encode(&text)).map_err(|e| Error::io("writing", path, e))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::table::read;

    fn written(bytes: &[u8]) -> Result<Table> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        fs::write(&path, bytes).unwrap();
        read(&path)
    }

    #[test]
    fn cells_know_what_they_are() {
        for (text, value) in [
            ("", Value::Null),
            (" 12 ", Value::Integer(12)),
            ("-3", Value::Integer(-3)),
            ("0", Value::Integer(0)),
            ("0.50", Value::Real(0.5)),
            (".5", Value::Real(0.5)),
            ("1e3", Value::Real(1000.0)),
            ("330106001000", Value::Integer(330_106_001_000)),
        ] {
            assert_eq!(typed(text), value, "{text}");
        }
        for text in [
            "007",
            "0571",
            "1,234",
            "NaN",
            "inf",
            "—",
            "99999999999999999999",
            "-",
            "1e999",
        ] {
            assert_eq!(typed(text), Value::Text(text.into()), "{text}");
        }
    }

    #[test]
    fn encodings_and_separators() {
        let text = "区划代码;名称;人口\n330106;西湖区;1112992\n\n330110;\"余杭;区\";1226673\n";
        let gbk = encoding_rs::GBK.encode(text).0.into_owned();
        let tabs = text.replace("余杭;区", "余杭区").replace(';', "\t");
        let windows = text.replace('\n', "\r\n");
        let utf16: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for bytes in [
            text.as_bytes().to_vec(),
            gbk,
            tabs.into_bytes(),
            windows.into_bytes(),
            utf16,
        ] {
            let table = written(&bytes).unwrap();
            assert_eq!(table.columns, ["区划代码", "名称", "人口"]);
            // The empty line counts.
            assert!(table.rows[1].iter().all(Value::is_null));
            assert_eq!(table.rows[2][2], Value::Integer(1_226_673));
            assert_eq!(table.place(2, 2), "row 4, column 人口 (C4)");
        }
    }

    #[test]
    fn titles_above_the_header_are_passed_over() {
        let table = written(
            "浙江省人口普查表,,\n单位：人,,\n\n区划代码,名称,常住 人口\n330106,西湖区,5\n"
                .as_bytes(),
        );
        let table = table.unwrap();
        assert_eq!(table.columns, ["区划代码", "名称", "常住 人口"]);
        assert_eq!((table.first_row, table.column("常住人口")), (5, Some(2)));
        // Years as names, and a row too wide, do not lead away from the header.
        let years = written(b"name,2019,2020\nA,1,2\n").unwrap();
        assert_eq!(years.columns, ["name", "2019", "2020"]);
        let wide = written(b"a,b\n1,2\n3,4,,,,,,,,9\n").unwrap_err();
        assert_eq!(wide.faults()[0].place, "row 3");
    }

    #[test]
    fn broken_files_are_named() {
        let error = written(b"a,b\n1,\"x\n2,y\n").unwrap_err().to_string();
        assert!(error.contains("quote"), "{error}");
        assert!(written(b"").unwrap_err().to_string().contains("header"));
        assert!(
            written(b"a,b\n")
                .unwrap_err()
                .to_string()
                .contains("no rows")
        );
    }
}
