//! Workbooks for people: sheets of free rows with a header anywhere, cells coloured and commented, links between sheets.

use crate::error::{Error, Result};
use crate::io::{Value, source_date_epoch, write_atomic};
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Note, Url, Workbook,
    Worksheet, XlsxError,
};
use std::collections::BTreeMap;
use std::path::Path;

/// Notes of one sheet beyond which cells are only coloured: spreadsheets become slow.
pub const MOST_NOTES: usize = 10_000;
/// Links of one sheet; Excel allows 65,530.
const MOST_LINKS: usize = 60_000;

/// A cell that is coloured, and says why.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Row, from 0.
    pub row: usize,
    /// Column, from 0.
    pub column: usize,
    /// Background, 0xRRGGBB.
    pub fill: u32,
    /// Comment on the cell (批注); empty for none.
    pub note: String,
}

/// A cell that leads to a place in the workbook, e.g. `internal:'学校'!E12`.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Row, from 0.
    pub row: usize,
    /// Column, from 0.
    pub column: usize,
    /// Where it leads.
    pub target: String,
}

/// A sheet of a workbook.
#[derive(Debug, Clone)]
pub struct BookSheet<'a> {
    /// Its name.
    pub name: String,
    /// Rows, of unlike lengths.
    pub rows: &'a [Vec<Value>],
    /// Row of the header, from 0: bold, framed, frozen with the few rows above it, with a filter. `None` for a page of text.
    pub header: Option<usize>,
    /// Coloured cells; where a cell has several marks the first gives the colour and the notes are joined.
    pub marks: Vec<Mark>,
    /// Links.
    pub links: Vec<Link>,
    /// Colour of the tab, 0xRRGGBB.
    pub tab: Option<u32>,
    /// Greatest width of a column, characters.
    pub widest: f64,
    /// True: texts longer than their column are broken into lines.
    pub wrap: bool,
    /// Titles above the header are merged over its columns.
    pub merge_titles: bool,
}

impl<'a> BookSheet<'a> {
    /// A sheet of plain rows.
    pub fn new(name: impl Into<String>, rows: &'a [Vec<Value>]) -> Self {
        BookSheet {
            name: name.into(),
            rows,
            header: None,
            marks: Vec::new(),
            links: Vec::new(),
            tab: None,
            widest: 40.0,
            wrap: false,
            merge_titles: false,
        }
    }
}

/// Writes a workbook. The creation time is `SOURCE_DATE_EPOCH`.
///
/// # Errors
/// The file cannot be written, or a sheet name is not allowed.
pub fn write_book(path: &Path, sheets: &[BookSheet<'_>]) -> Result<()> {
    let failed = |e: XlsxError| Error::Failed(format!("writing {}: {e}", path.display()));
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_timestamp(source_date_epoch()).map_err(failed)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    for sheet in sheets {
        write_sheet(book.add_worksheet(), sheet).map_err(failed)?;
    }
    write_atomic(path, |tmp| book.save(tmp).map_err(failed))
}

fn write_sheet(out: &mut Worksheet, sheet: &BookSheet<'_>) -> Result<(), XlsxError> {
    out.set_name(&sheet.name)?;
    if let Some(tab) = sheet.tab {
        out.set_tab_color(Color::RGB(tab));
    }
    let columns = sheet.rows.iter().map(Vec::len).max().unwrap_or(0);
    let plain = match sheet.wrap {
        true => Format::new().set_text_wrap().set_align(FormatAlign::Top),
        false => Format::new(),
    };
    let head = Format::new()
        .set_bold()
        .set_background_color(Color::RGB(0xDD_E6_F0))
        .set_border_bottom(FormatBorder::Thin)
        .set_align(FormatAlign::Center)
        .set_text_wrap();
    let title = Format::new().set_bold().set_align(FormatAlign::Center);
    let mut marked: BTreeMap<(usize, usize), (u32, Vec<&str>)> = BTreeMap::new();
    for mark in &sheet.marks {
        let entry = marked
            .entry((mark.row, mark.column))
            .or_insert((mark.fill, Vec::new()));
        if !mark.note.is_empty() {
            entry.1.push(&mark.note);
        }
    }
    let fills: BTreeMap<u32, Format> = marked
        .values()
        .map(|(fill, _)| (*fill, plain.clone().set_background_color(Color::RGB(*fill))))
        .collect();
    let links: BTreeMap<(usize, usize), &str> = sheet
        .links
        .iter()
        .take(MOST_LINKS)
        .map(|l| ((l.row, l.column), l.target.as_str()))
        .collect();
    for (r, row) in sheet.rows.iter().enumerate() {
        let above = sheet.header.is_some_and(|h| r < h);
        let alone = row.iter().filter(|v| !v.is_null()).count() == 1 && !row.is_empty();
        if above && alone && sheet.merge_titles && columns > 1 && !row[0].is_null() {
            let text = row[0].to_string();
            out.merge_range(r as u32, 0, r as u32, columns as u16 - 1, &text, &title)?;
            continue;
        }
        for (c, value) in row.iter().enumerate() {
            let format = match marked.get(&(r, c)) {
                Some((fill, _)) => Some(&fills[fill]),
                None if sheet.header == Some(r) => Some(&head),
                None => sheet.wrap.then_some(&plain),
            };
            if let Some(target) = links.get(&(r, c)) {
                let url = Url::new(*target).set_text(value.to_string());
                out.write_url(r as u32, c as u16, url)?;
                continue;
            }
            write_value(out, r as u32, c as u16, value, format)?;
        }
    }
    for (n, (&(r, c), (fill, notes))) in marked.iter().enumerate() {
        if sheet.rows.get(r).is_none_or(|row| c >= row.len()) {
            write_value(out, r as u32, c as u16, &Value::Null, Some(&fills[fill]))?;
        }
        if notes.is_empty() || n >= MOST_NOTES {
            continue;
        }
        let text = notes.join("\n");
        let lines: f64 = text
            .lines()
            .map(|line| (text_width(line) as f64 / 44.0).ceil().max(1.0))
            .sum();
        let note = Note::new(text)
            .set_author("anlan")
            .add_author_prefix(false)
            .set_width(320)
            .set_height((18.0 * lines + 12.0).min(360.0) as u32);
        out.insert_note(r as u32, c as u16, &note)?;
    }
    let first = sheet.header.unwrap_or(0);
    for c in 0..columns {
        let width = sheet
            .rows
            .iter()
            .skip(first)
            .take(300)
            .filter_map(|row| row.get(c))
            .map(|v| text_width(&v.to_string()))
            .max()
            .unwrap_or(0);
        out.set_column_width(c as u16, (width as f64 + 2.0).clamp(6.0, sheet.widest))?;
    }
    if let Some(header) = sheet.header {
        // A header far down the page would freeze half of the window.
        if header <= 6 {
            out.set_freeze_panes(header as u32 + 1, 0)?;
        }
        if sheet.rows.len() > header + 1 && columns > 0 {
            let last = sheet.rows.len() as u32 - 1;
            out.autofilter(header as u32, 0, last, columns as u16 - 1)?;
        }
    }
    Ok(())
}

fn write_value(
    out: &mut Worksheet,
    row: u32,
    column: u16,
    value: &Value,
    format: Option<&Format>,
) -> Result<(), XlsxError> {
    match (value, format) {
        (Value::Text(text), Some(f)) => out.write_string_with_format(row, column, text, f)?,
        (Value::Text(text), None) => out.write_string(row, column, text)?,
        (Value::Integer(i), Some(f)) => out.write_number_with_format(row, column, *i as f64, f)?,
        (Value::Integer(i), None) => out.write_number(row, column, *i as f64)?,
        (Value::Real(v), Some(f)) if v.is_finite() => {
            out.write_number_with_format(row, column, *v, f)?
        }
        (Value::Real(v), None) if v.is_finite() => out.write_number(row, column, *v)?,
        (_, Some(f)) => out.write_blank(row, column, f)?,
        _ => return Ok(()),
    };
    Ok(())
}

/// Width of a text in characters, hanzi counting two.
pub(super) fn text_width(text: &str) -> usize {
    text.chars()
        .map(|c| if c as u32 >= 0x2E80 { 2 } else { 1 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn marked_books_are_the_same_bytes_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let rows: Vec<Vec<Value>> = vec![
            vec!["学校调查表".into()],
            vec!["代码".into(), "名称".into(), "人数".into()],
            vec!["990101001".into(), "甲".into(), Value::Integer(-5)],
        ];
        let mut sheet = BookSheet::new("学校", &rows);
        sheet.header = Some(1);
        sheet.merge_titles = true;
        sheet.tab = Some(0xC0_00_00);
        for note in ["小于0", "又一条"] {
            sheet.marks.push(Mark {
                row: 2,
                column: 2,
                fill: 0xFF_C7_CE,
                note: note.into(),
            });
        }
        // A mark beyond the end of its row.
        sheet.marks.push(Mark {
            row: 2,
            column: 4,
            fill: 0xFF_EB_9C,
            note: String::new(),
        });
        sheet.links.push(Link {
            row: 2,
            column: 1,
            target: "internal:'学校'!C3".into(),
        });
        let bytes: Vec<Vec<u8>> = ["a.xlsx", "b.xlsx"]
            .map(|name| {
                let path = dir.path().join(name);
                write_book(&path, std::slice::from_ref(&sheet)).unwrap();
                fs::read(path).unwrap()
            })
            .into();
        assert_eq!(bytes[0], bytes[1]);
        let back = super::super::read_raw(&dir.path().join("a.xlsx"), Some("学校")).unwrap();
        assert_eq!(back.rows[2][2], Value::Integer(-5));
        assert_eq!(back.rows[2][1], "甲".into());
    }
}
