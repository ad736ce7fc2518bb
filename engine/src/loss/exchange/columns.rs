//! Delimited text with named columns, row by row, plain or gzipped: what the readers of this folder share.

use crate::error::{Error, Fault, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Faults after which reading stops.
const MOST_FAULTS: usize = 50;

/// A table that is read row by row. Faults of cells are collected; [`Columns::end`] tells them.
pub(super) struct Columns {
    path: PathBuf,
    reader: csv::Reader<Box<dyn BufRead>>,
    names: Vec<String>,
    record: csv::StringRecord,
    faults: Vec<Fault>,
    /// Lines above the header that begin with `#`, without it.
    pub notes: Vec<String>,
    above: u64,
}

impl Columns {
    /// Opens a table and reads its header; lines above it that begin with `#` become notes.
    pub fn open(path: &Path) -> Result<Columns> {
        let failed = |e| Error::io("reading", path, e);
        let mut source = open_text(path)?;
        let mut notes = Vec::new();
        let mut above = 0;
        let header = loop {
            let mut line = String::new();
            let bytes = source
                .read_line(&mut line)
                .map_err(|e| text_fault(path, e))?;
            above += 1;
            let line = line.trim_start_matches('\u{feff}').trim_end();
            if bytes == 0 {
                return Err(Error::input(Fault::new(
                    path,
                    "an empty table",
                    "a row with the names of the columns",
                    "check that the file was saved whole",
                )));
            } else if let Some(note) = line.strip_prefix('#') {
                notes.push(note.to_string());
            } else if !line.trim().is_empty() {
                break line.to_string();
            }
        };
        let delimiter = b",;\t"
            .iter()
            .rev()
            .max_by_key(|d| header.bytes().filter(|b| b == *d).count())
            .map_or(b',', |d| *d);
        let mut names = csv::StringRecord::new();
        csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .from_reader(header.as_bytes())
            .read_record(&mut names)
            .map_err(|e| failed(e.into()))?;
        Ok(Columns {
            path: path.to_path_buf(),
            reader: csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .trim(csv::Trim::All)
                .from_reader(source),
            names: names.iter().map(str::to_string).collect(),
            record: csv::StringRecord::new(),
            faults: Vec::new(),
            notes,
            above,
        })
    }

    /// Names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Column of the first of some names that is there; letters of either case.
    pub fn find(&self, names: &[&str]) -> Option<usize> {
        let at = |name: &&str| self.names.iter().position(|n| n.eq_ignore_ascii_case(name));
        names.iter().find_map(at)
    }

    /// Columns that must be there, each by its possible names.
    pub fn require<const N: usize>(&self, wanted: [&[&str]; N]) -> Result<[usize; N]> {
        let missing: Vec<String> = wanted
            .iter()
            .filter(|names| self.find(names).is_none())
            .map(|names| names.join(" or "))
            .collect();
        if missing.is_empty() {
            return Ok(wanted.map(|names| self.find(names).unwrap_or_default()));
        }
        Err(Error::input(Fault::new(
            &self.path,
            format!("columns {}", self.names.join(", ")),
            format!("also {}", missing.join(", ")),
            "add or rename the columns",
        )))
    }

    /// Reads the next row; false at the end, or where there are so many faults that reading on says nothing new.
    pub fn next(&mut self) -> Result<bool> {
        loop {
            if self.faults.len() >= MOST_FAULTS {
                return Ok(false);
            }
            let read = self.reader.read_record(&mut self.record).map_err(|e| {
                Error::input(Fault::new(
                    &self.path,
                    e.to_string(),
                    "delimited text in UTF-8",
                    "check the quotes, and save the file as UTF-8",
                ))
            })?;
            if !read {
                return Ok(false);
            }
            if self.record.get(0).is_some_and(|c| c.starts_with('#')) {
                continue;
            }
            if self.record.len() != self.names.len() {
                let found = format!("{} cells", self.record.len());
                let expected = format!("{} cells, as the header has", self.names.len());
                self.fault(
                    None,
                    found,
                    &expected,
                    "check the delimiters and quotes of the row",
                );
                continue;
            }
            return Ok(true);
        }
    }

    /// A cell of the row, without spaces around it.
    pub fn cell(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    /// A finite number; NaN, with a fault, where there is none.
    pub fn number(&mut self, column: usize) -> f64 {
        match self.cell(column).parse::<f64>() {
            Ok(v) if v.is_finite() => v,
            _ => {
                self.bad(column, "a finite number");
                f64::NAN
            }
        }
    }

    /// A number of 0 or more.
    pub fn amount(&mut self, column: usize) -> f64 {
        match self.cell(column).parse::<f64>() {
            Ok(v) if v.is_finite() && v >= 0.0 => v,
            _ => {
                self.bad(column, "a finite number of 0 or more");
                f64::NAN
            }
        }
    }

    /// A number in a cell that may be blank; `None` without such a column, too.
    pub fn maybe(&mut self, column: Option<usize>) -> Option<f64> {
        let column = column?;
        (!self.cell(column).is_empty()).then(|| self.number(column))
    }

    /// A whole number from `least` to `most`; also written as `12.0`. 0, with a fault, where there is none.
    pub fn whole(&mut self, column: usize, least: u64, most: u64) -> u64 {
        let text = self.cell(column);
        let value = text.parse::<u64>().ok().or_else(|| {
            let real = text.parse::<f64>().ok()?;
            // Up to 2^53 every whole number is a double.
            (real >= 0.0 && real.fract() == 0.0 && real <= 9_007_199_254_740_992.0)
                .then_some(real as u64)
        });
        match value {
            Some(v) if (least..=most).contains(&v) => v,
            _ => {
                self.bad(column, &format!("a whole number from {least} to {most}"));
                0
            }
        }
    }

    fn bad(&mut self, column: usize, expected: &str) {
        let found = match self.cell(column) {
            "" => "a blank cell".to_string(),
            text => format!("`{text}`"),
        };
        self.fault(Some(column), found, expected, "correct the cell");
    }

    /// Notes a fault of the row, or of one of its cells.
    pub fn fault(&mut self, column: Option<usize>, found: String, expected: &str, remedy: &str) {
        let line = self.record.position().map_or(0, |p| p.line()) + self.above;
        let place = match column {
            Some(c) => format!("line {line}, column {}", self.names[c]),
            None => format!("line {line}"),
        };
        self.faults
            .push(Fault::new(&self.path, found, expected, remedy).at(place));
    }

    /// True where no fault was found so far: rows with faults are not to be used.
    pub fn sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// All faults together.
    pub fn end(self) -> Result<()> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Input(self.faults))
        }
    }
}

/// Text of a file that may be gzipped.
pub(super) fn open_text(path: &Path) -> Result<Box<dyn BufRead>> {
    let failed = |e| Error::io("reading", path, e);
    let mut source = BufReader::new(File::open(path).map_err(failed)?);
    let head = source.fill_buf().map_err(failed)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(source))));
    }
    Ok(Box::new(source))
}

/// All text of a file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let mut text = String::new();
    open_text(path)?
        .read_to_string(&mut text)
        .map_err(|e| text_fault(path, e))?;
    Ok(text)
}

fn text_fault(path: &Path, error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::InvalidData {
        return Error::input(Fault::new(
            path,
            "bytes that are not UTF-8",
            "text in UTF-8",
            "save the file as UTF-8",
        ));
    }
    Error::io("reading", path, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn plain_and_gzipped_with_notes_and_faults() {
        let dir = tempfile::tempdir().unwrap();
        let text = "\u{feff}#unit=m\nid;Value\n1;2.5\n2.0;x\n;1;1\n-3;\n";
        let plain = dir.path().join("a.csv");
        std::fs::write(&plain, text).unwrap();
        let packed = dir.path().join("a.csv.gz");
        let mut gz = flate2::write::GzEncoder::new(
            File::create(&packed).unwrap(),
            flate2::Compression::default(),
        );
        gz.write_all(text.as_bytes()).unwrap();
        gz.finish().unwrap();
        for path in [plain, packed] {
            let mut c = Columns::open(&path).unwrap();
            assert_eq!(c.notes, ["unit=m"]);
            let [id, value] = c.require([&["ID"], &["amount", "value"]]).unwrap();
            assert!(c.next().unwrap());
            assert_eq!((c.whole(id, 0, 9), c.number(value)), (1, 2.5));
            assert!(c.sound() && c.next().unwrap());
            assert_eq!(c.whole(id, 0, 9), 2);
            assert!(c.number(value).is_nan());
            // The row of three cells is passed over.
            assert!(c.next().unwrap());
            c.whole(id, 0, 9);
            assert_eq!(c.maybe(Some(value)), None);
            assert!(!c.next().unwrap());
            let e = c.end().unwrap_err();
            let text = e.to_string();
            assert_eq!(e.faults().len(), 3, "{text}");
            assert!(text.contains("line 4, column Value: found `x`"), "{text}");
            assert!(text.contains("line 5: found 3 cells"), "{text}");
            assert!(text.contains("line 6, column id: found `-3`"), "{text}");
        }
        let e = Columns::open(&dir.path().join("none.csv")).err().unwrap();
        assert!(e.is_input());
        let other = dir.path().join("b.csv");
        std::fs::write(&other, "a,b\n1,2\n").unwrap();
        let c = Columns::open(&other).unwrap();
        let e = c.require([&["x"], &["a"], &["y", "z"]]).unwrap_err();
        assert!(e.to_string().contains("also x, y or z"), "{e}");
    }
}
