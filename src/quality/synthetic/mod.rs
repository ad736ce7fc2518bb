//! A made-up census (合成普查表): thirteen kinds of tables of a province that does not exist, in all the shapes in which
//! teams bring them, with planted faults and clean twins: records that look as suspicious and are right.
//!
//! The codes begin with 99, which is no province; all names say 合成. The same size gives the same bytes.
//!
//! | file | holds |
//! | --- | --- |
//! | `tables`, `units`, `works` | clean tables, twins included |
//! | `plants` | the faults |

mod plants;
mod tables;
mod units;
mod works;

use anlan_engine::io::table::{BookSheet, Table, write_book, write_cells, write_csv};
use anlan_engine::io::{TextEncoding, Value, vector, write_atomic};
use anlan_engine::random::Stream;
use anlan_engine::{Crs, Error, Result};
use anlan_models::census::quality::RuleBook;
use geo::{Geometry, LineString, MultiPolygon, Polygon};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A fault that was planted, or a clean twin, and the cell that a check must (or must not) name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planted {
    /// What was done.
    pub what: String,
    /// Rule that must find it; for twins: rules that must not.
    pub rule: String,
    /// File.
    pub file: String,
    /// Sheet; empty for CSV.
    pub sheet: String,
    /// Row of the sheet, from 0; `None` where no cell can be named.
    pub row: Option<usize>,
    /// Column of the sheet, from 0; `None` for whole rows.
    pub column: Option<usize>,
}

/// A table as it will be written.
#[derive(Debug, Clone)]
struct Made {
    kind: &'static str,
    file: &'static str,
    sheet: &'static str,
    encoding: TextEncoding,
    /// Rows above the header.
    titles: Vec<Vec<Value>>,
    header: Vec<String>,
    fields: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
    earlier: bool,
}

/// A census before it is written.
pub struct Synthetic {
    tables: Vec<Made>,
    borders: vector::Layer,
    /// Faults.
    pub planted: Vec<Planted>,
    /// Records that look wrong and are right.
    pub twins: Vec<Planted>,
}

/// Random numbers in order.
struct Dice {
    stream: Stream,
    at: u64,
}

impl Dice {
    fn new(id: u16) -> Self {
        Dice {
            stream: Stream::new(99, id),
            at: 0,
        }
    }

    /// Even between two bounds.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.at += 1;
        low + (high - low) * self.stream.uniform(self.at, 0, 0)
    }

    /// A whole number of `low..high`.
    fn whole(&mut self, low: i64, high: i64) -> i64 {
        (self.between(low as f64, high as f64).floor() as i64).min(high - 1)
    }

    /// A lognormal value.
    fn around(&mut self, median: f64, sigma: f64) -> f64 {
        self.at += 1;
        let p = self.stream.uniform(self.at, 0, 0);
        anlan_engine::distributions::lognormal_quantile(p, median, sigma)
    }
}

fn rounded(v: f64, decimals: i32) -> Value {
    let ten = libm::pow(10.0, f64::from(decimals));
    Value::Real((v * ten).round() / ten)
}

impl Made {
    /// An empty table with the Chinese headers of these fields.
    fn new(
        book: &RuleBook,
        kind: &'static str,
        file: &'static str,
        sheet: &'static str,
        encoding: TextEncoding,
        fields: &[&'static str],
    ) -> Self {
        let rules = &book.tables[kind];
        let label = |f: &&str| {
            let index = rules
                .index(f)
                .unwrap_or_else(|| panic!("{kind} has no field {f}"));
            rules.field[index].names[0].clone()
        };
        Made {
            kind,
            file,
            sheet,
            encoding,
            titles: Vec::new(),
            header: fields.iter().map(label).collect(),
            fields: fields.to_vec(),
            rows: Vec::new(),
            earlier: false,
        }
    }

    fn column(&self, field: &str) -> usize {
        (self.fields.iter().position(|f| *f == field))
            .unwrap_or_else(|| panic!("{} has no field {field}", self.kind))
    }

    fn get(&self, row: usize, field: &str) -> &Value {
        &self.rows[row][self.column(field)]
    }

    fn number(&self, row: usize, field: &str) -> f64 {
        self.get(row, field).as_f64().unwrap_or(0.0)
    }

    fn set(&mut self, row: usize, field: &str, value: impl Into<Value>) {
        let column = self.column(field);
        self.rows[row][column] = value.into();
    }

    /// The place of a cell, for the lists of faults and twins.
    fn place(&self, what: &str, rule: &str, row: usize, field: &str) -> Planted {
        Planted {
            what: what.into(),
            rule: rule.into(),
            file: self.file.into(),
            sheet: self.sheet.into(),
            row: Some(self.titles.len() + 1 + row),
            column: Some(self.column(field)),
        }
    }

    fn cells(&self) -> Vec<Vec<Value>> {
        let head = self.header.iter().map(|h| h.as_str().into()).collect();
        (self.titles.iter().cloned())
            .chain([head])
            .chain(self.rows.iter().cloned())
            .collect()
    }
}

/// Makes a census of about so many records, with faults or clean; at least 2,000.
pub fn make(records: usize, faulty: bool) -> Synthetic {
    let mut out = tables::clean(records.max(2000));
    if faulty {
        plants::plant(&mut out);
    }
    out
}

impl Synthetic {
    fn index(&self, kind: &str, earlier: bool) -> usize {
        (self
            .tables
            .iter()
            .position(|t| t.kind == kind && t.earlier == earlier))
        .unwrap_or_else(|| panic!("no table {kind}"))
    }

    fn table(&mut self, kind: &str) -> &mut Made {
        let at = self.index(kind, false);
        &mut self.tables[at]
    }

    fn earlier(&mut self, kind: &str) -> &mut Made {
        let at = self.index(kind, true);
        &mut self.tables[at]
    }

    /// Records of all tables, those of the earlier year not counted.
    pub fn records(&self) -> usize {
        let now = self.tables.iter().filter(|t| !t.earlier);
        now.map(|t| t.rows.len()).sum()
    }

    /// Writes the census with its case file `quality.toml`, `planted.csv` and `twins.csv` into a folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        fs::create_dir_all(dir).map_err(|e| Error::io("creating", dir, e))?;
        /// Sheets of a workbook: name, rows of titles, cells.
        type Sheets<'a> = Vec<(&'a str, usize, Vec<Vec<Value>>)>;
        let mut books: BTreeMap<&str, Sheets<'_>> = BTreeMap::new();
        for table in &self.tables {
            match table.sheet {
                "" => write_cells(&dir.join(table.file), &table.cells(), table.encoding)?,
                sheet => books.entry(table.file).or_default().push((
                    sheet,
                    table.titles.len(),
                    table.cells(),
                )),
            }
        }
        for (file, sheets) in &books {
            let sheets: Vec<BookSheet<'_>> = sheets
                .iter()
                .map(|(name, header, rows)| {
                    let mut sheet = BookSheet::new(*name, rows);
                    sheet.header = Some(*header);
                    sheet.merge_titles = true;
                    sheet
                })
                .collect();
            write_book(&dir.join(file), &sheets)?;
        }
        vector::write_geojson(&dir.join("borders.geojson"), &self.borders)?;
        for (name, list) in [("planted.csv", &self.planted), ("twins.csv", &self.twins)] {
            write_csv(&dir.join(name), &list_of(list))?;
        }
        let case = dir.join("quality.toml");
        write_atomic(&case, |tmp| {
            fs::write(tmp, self.case()).map_err(|e| Error::io("writing", &case, e))
        })
    }

    fn case(&self) -> String {
        let mut out = String::from(
            "# A made-up census, for tests and training; no such province exists.\n# 合成普查数据，供测试和培训用，并无此省。\nname = \"合成省普查\"\nregion = [\"99\"]\ndate = \"2020-12-31\"\n\n",
        );
        for table in self.tables.iter().filter(|t| !t.earlier) {
            out += &format!(
                "[[table]]\nkind = \"{}\"\nfile = \"{}\"\n",
                table.kind, table.file
            );
            if !table.sheet.is_empty() {
                out += &format!("sheet = \"{}\"\n", table.sheet);
            }
            let old = self
                .tables
                .iter()
                .find(|t| t.earlier && t.kind == table.kind);
            if let Some(old) = old {
                out += &format!("earlier = \"{}\"\n", old.file);
                if !old.sheet.is_empty() {
                    out += &format!("earlier_sheet = \"{}\"\n", old.sheet);
                }
            }
            out.push('\n');
        }
        out + "[[borders]]\nfile = \"borders.geojson\"\n"
    }
}

fn list_of(list: &[Planted]) -> Table {
    let mut table = Table::new(&["what", "rule", "file", "sheet", "cell"]);
    for p in list {
        let at = anlan_models::census::quality::CellAt {
            table: 0,
            row: p.row,
            column: p.column,
        };
        table.rows.push(vec![
            p.what.as_str().into(),
            p.rule.as_str().into(),
            p.file.as_str().into(),
            p.sheet.as_str().into(),
            super::outputs::cell_name(at).into(),
        ]);
    }
    table
}

/// A polygon of rectangles (west, south, east, north), each side with points between its corners, and holes.
fn rectangles(outer: &[[f64; 4]], holes: &[[f64; 4]]) -> Geometry<f64> {
    let ring = |r: &[f64; 4]| {
        let corners = [(r[0], r[1]), (r[2], r[1]), (r[2], r[3]), (r[0], r[3])];
        let mut points = Vec::new();
        for i in 0..4 {
            let (a, b) = (corners[i], corners[(i + 1) % 4]);
            for k in 0..10 {
                let t = f64::from(k) / 10.0;
                points.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
            }
        }
        points.push(corners[0]);
        LineString::from(points)
    };
    let inside =
        |h: &&[f64; 4], o: &[f64; 4]| h[0] > o[0] && h[1] > o[1] && h[2] < o[2] && h[3] < o[3];
    let polygons = outer.iter().map(|o| {
        let inner = holes.iter().filter(|h| inside(h, o)).map(&ring).collect();
        Polygon::new(ring(o), inner)
    });
    Geometry::MultiPolygon(MultiPolygon(polygons.collect()))
}

fn layer() -> vector::Layer {
    vector::Layer {
        source: "borders.geojson".into(),
        crs: Crs::CGCS2000,
        columns: vec!["code".into(), "name".into()],
        features: Vec::new(),
    }
}
