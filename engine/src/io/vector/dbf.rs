//! The attribute table of a Shapefile (dBASE III/IV `.dbf`).
//!
//! Our own reader, for what the common crate loses: it reads F fields, which ArcGIS writes for doubles, as f32; it
//! knows neither `GB2312` nor `UTF8` as names of encodings; and it cannot name the row and column of a fault.

use crate::error::{Error, Fault, Result};
use crate::io::{Value, encoding};
use encoding_rs::{Encoding, GB18030, UTF_8};
use std::path::Path;

/// The table, with `None` for rows that are marked as deleted.
pub(super) struct Records {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Option<Vec<Value>>>,
    pub(super) notes: Vec<String>,
}

struct Field {
    name: Vec<u8>,
    kind: u8,
    start: usize,
    length: usize,
}

/// Reads a `.dbf` file; `declared` is the content of the `.cpg` file beside it.
pub(super) fn read(path: &Path, declared: Option<&str>) -> Result<Records> {
    let bytes = std::fs::read(path).map_err(|e| Error::io("reading", path, e))?;
    let broken = |found: String| {
        Error::input(Fault::new(
            path,
            found,
            "a dBASE table",
            "copy the Shapefile again with all its parts (.shp, .shx, .dbf, .prj, .cpg)",
        ))
    };
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    if bytes.len() < 33 {
        return Err(broken(format!("{} bytes", bytes.len())));
    }
    let count = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
    let (head, width) = (u16_at(8), u16_at(10));
    if head < 33 || width < 1 || bytes.len() < head {
        return Err(broken("a header cut short".into()));
    }
    let whole = (bytes.len() - head) / width;
    if whole < count {
        return Err(broken(format!("{whole} rows of {count}")));
    }
    let mut fields = Vec::new();
    let mut start = 1;
    for entry in bytes[32..head].chunks_exact(32) {
        if entry[0] == 0x0D {
            break;
        }
        let end = entry[..11].iter().position(|&b| b == 0).unwrap_or(11);
        let length = if entry[11] == b'C' {
            // Long text fields keep the high byte of their length where numbers keep their decimals.
            usize::from(u16::from_le_bytes([entry[16], entry[17]]))
        } else {
            usize::from(entry[16])
        };
        fields.push(Field {
            name: entry[..end].to_vec(),
            kind: entry[11],
            start,
            length,
        });
        start += length;
    }
    if start > width {
        return Err(broken(format!(
            "fields of {start} bytes in rows of {width}"
        )));
    }
    let records: Vec<&[u8]> = bytes[head..].chunks_exact(width).take(count).collect();

    let mut notes = Vec::new();
    let encoding = match declared.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => encoding::by_name(name).ok_or_else(|| {
            Error::input(Fault::new(
                path.with_extension("cpg"),
                format!("the encoding {name:?}"),
                "UTF-8 or GBK",
                "write the name of the encoding into the .cpg file",
            ))
        })?,
        None => guess(bytes[29], &fields, &records, &mut notes),
    };

    let text = |raw: &[u8]| encoding::strict(encoding, raw).map(|t| t.into_owned());
    let mut faults = Vec::new();
    let mut columns = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        columns.push(text(&field.name).unwrap_or_else(|| format!("column {}", i + 1)));
    }
    let mut rows = Vec::with_capacity(records.len());
    for (r, record) in records.iter().enumerate() {
        if record[0] == b'*' {
            rows.push(None);
            continue;
        }
        let mut values = Vec::with_capacity(fields.len());
        for (c, field) in fields.iter().enumerate() {
            let raw = &record[field.start..field.start + field.length];
            match value(field.kind, raw, &text) {
                Ok(value) => values.push(value),
                Err(found) => {
                    faults.push(
                        Fault::new(
                            path,
                            found,
                            if field.kind == b'C' {
                                format!("text in {}", encoding.name())
                            } else {
                                "a number, a date or nothing".to_string()
                            },
                            "correct the value, or name the encoding of the table in a .cpg file",
                        )
                        .at(format!(
                            "row {}, column {}",
                            r + 1,
                            columns[c]
                        )),
                    );
                    values.push(Value::Null);
                }
            }
        }
        rows.push(Some(values));
    }
    if !faults.is_empty() {
        return Err(Error::Input(super::first_few(faults, path)));
    }
    Ok(Records {
        columns,
        rows,
        notes,
    })
}

/// Encoding of a table that does not tell it in words: the language byte where it tells, else UTF-8 where all text is,
/// else GBK, which the strict reading then confirms.
fn guess(
    language: u8,
    fields: &[Field],
    records: &[&[u8]],
    notes: &mut Vec<String>,
) -> &'static Encoding {
    let texts = || {
        fields.iter().map(|f| f.name.as_slice()).chain(
            fields.iter().filter(|f| f.kind == b'C').flat_map(move |f| {
                records
                    .iter()
                    .map(|r| trimmed(&r[f.start..f.start + f.length]))
            }),
        )
    };
    let all_in = |encoding| texts().all(|t| encoding::strict(encoding, t).is_some());
    if texts().all(<[u8]>::is_ascii) {
        return UTF_8;
    }
    // 4D and 7A: code page 936.
    let told = matches!(language, 0x4D | 0x7A);
    if told && all_in(GB18030) {
        return GB18030;
    }
    if all_in(UTF_8) {
        notes.push("no .cpg file: the table was read as UTF-8".into());
        return UTF_8;
    }
    notes.push("no .cpg file: the table was read as GBK".into());
    GB18030
}

/// Without the padding; a character cut at the end of its field would not be text, so it is left in place to be named.
fn trimmed(raw: &[u8]) -> &[u8] {
    let end = raw
        .iter()
        .rposition(|&b| b != b' ' && b != 0)
        .map_or(0, |i| i + 1);
    &raw[..end]
}

fn value(
    kind: u8,
    raw: &[u8],
    text: &dyn Fn(&[u8]) -> Option<String>,
) -> std::result::Result<Value, String> {
    let shown = |raw: &[u8]| String::from_utf8_lossy(trimmed(raw)).trim().to_string();
    let fixed = |n: usize| -> std::result::Result<[u8; 8], String> {
        let mut b = [0; 8];
        b[..n].copy_from_slice(raw.get(..n).ok_or("a field cut short")?);
        Ok(b)
    };
    match kind {
        b'C' => {
            let raw = trimmed(raw);
            let text = text(raw).ok_or_else(|| {
                let bytes: Vec<String> = raw.iter().map(|b| format!("{b:02X}")).collect();
                format!("the bytes {}", bytes.join(" "))
            })?;
            let text = text.trim();
            Ok(if text.is_empty() {
                Value::Null
            } else {
                Value::Text(text.to_string())
            })
        }
        b'N' | b'F' => {
            let text = shown(raw);
            // Stars stand for a number too long for its field, i.e. for none.
            if text.is_empty() || text.bytes().all(|b| b == b'*') {
                return Ok(Value::Null);
            }
            if let Ok(i) = text.parse::<i64>() {
                return Ok(Value::Integer(i));
            }
            match text.parse::<f64>() {
                Ok(r) if r.is_finite() => Ok(Value::Real(r)),
                Ok(_) => Ok(Value::Null),
                Err(_) => Err(format!("{text:?}")),
            }
        }
        b'D' => {
            let text = shown(raw);
            let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
            if text.is_empty() || text == "00000000" {
                Ok(Value::Null)
            } else if digits {
                Ok(Value::Text(format!(
                    "{}-{}-{}",
                    &text[..4],
                    &text[4..6],
                    &text[6..]
                )))
            } else {
                Err(format!("the date {text:?}"))
            }
        }
        b'L' => Ok(match raw.first() {
            Some(b'T' | b't' | b'Y' | b'y' | b'1') => Value::Integer(1),
            Some(b'F' | b'f' | b'N' | b'n' | b'0') => Value::Integer(0),
            _ => Value::Null,
        }),
        b'I' => {
            let b = fixed(4)?;
            Ok(Value::Integer(i64::from(i32::from_le_bytes([
                b[0], b[1], b[2], b[3],
            ]))))
        }
        b'O' | b'B' if raw.len() == 8 => Ok(Value::Real(f64::from_le_bytes(fixed(8)?))),
        _ => Err(format!("a field of type {:?}", char::from(kind))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A table by hand: (name, type, length) and rows of raw cells.
    pub fn table(fields: &[(&[u8], u8, u8)], rows: &[&[&[u8]]]) -> Vec<u8> {
        let width: usize = 1 + fields.iter().map(|f| usize::from(f.2)).sum::<usize>();
        let head = 33 + 32 * fields.len();
        let mut out = vec![3, 126, 1, 1];
        out.extend((rows.len() as u32).to_le_bytes());
        out.extend((head as u16).to_le_bytes());
        out.extend((width as u16).to_le_bytes());
        out.resize(32, 0);
        for (name, kind, length) in fields {
            let mut entry = [0u8; 32];
            entry[..name.len()].copy_from_slice(name);
            entry[11] = *kind;
            entry[16] = *length;
            out.extend(entry);
        }
        out.push(0x0D);
        for row in rows {
            out.push(b' ');
            for (cell, field) in row.iter().zip(fields) {
                let mut padded = cell.to_vec();
                padded.resize(usize::from(field.2), b' ');
                out.extend(padded);
            }
        }
        out.push(0x1A);
        out
    }

    fn read_bytes(bytes: &[u8], cpg: Option<&str>) -> Result<Records> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.dbf");
        std::fs::write(&path, bytes).unwrap();
        read(&path, cpg)
    }

    #[test]
    fn fields_of_all_kinds() {
        let bytes = table(
            &[
                (b"C", b'C', 8),
                (b"N", b'N', 12),
                (b"F", b'F', 20),
                (b"D", b'D', 8),
                (b"L", b'L', 1),
            ],
            &[
                &[
                    b"0571",
                    b"330106001000",
                    b"1.2345678901234e+05",
                    b"20200110",
                    b"T",
                ],
                &[b"", b"************", b"", b"", b"?"],
            ],
        );
        let read = read_bytes(&bytes, None).unwrap();
        assert_eq!(
            read.rows[0].as_ref().unwrap(),
            &[
                Value::Text("0571".into()),
                Value::Integer(330_106_001_000),
                Value::Real(123_456.789_012_34),
                Value::Text("2020-01-10".into()),
                Value::Integer(1),
            ]
        );
        assert_eq!(read.rows[1].as_ref().unwrap(), &vec![Value::Null; 5]);
        assert!(read.notes.is_empty());
    }

    #[test]
    fn gbk_is_found_without_a_code_page_file() {
        let gbk = |t: &str| encoding_rs::GBK.encode(t).0.into_owned();
        let (name, cell) = (gbk("名称"), gbk("西湖区"));
        let bytes = table(&[(&name, b'C', 10)], &[&[&cell]]);
        let read = read_bytes(&bytes, None).unwrap();
        assert_eq!(read.columns, ["名称"]);
        assert_eq!(
            read.rows[0].as_ref().unwrap()[0],
            Value::Text("西湖区".into())
        );
        assert!(read.notes[0].contains("GBK"));
        assert_eq!(
            read_bytes(&bytes, Some("GB2312\r\n")).unwrap().columns,
            ["名称"]
        );
        // Declared as what it is not: named, not replaced.
        let error = read_bytes(&bytes, Some("UTF-8")).err().unwrap();
        assert!(error.to_string().contains("row 1"), "{error}");
        assert!(read_bytes(&bytes, Some("klingon")).is_err());
    }

    #[test]
    fn cut_tables_are_refused() {
        let bytes = table(&[(b"A", b'N', 4)], &[&[b"12"], &[b"x"]]);
        let error = read_bytes(&bytes, None).err().unwrap();
        assert!(error.to_string().contains("row 2, column A"), "{error}");
        for n in 0..bytes.len() - 5 {
            assert!(read_bytes(&bytes[..n], None).is_err(), "{n}");
        }
    }
}
