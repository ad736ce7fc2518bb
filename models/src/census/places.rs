//! Critical places (重点场所): schools, hospitals, homes for the aged, reservoirs, bridges: read and checked, or made up
//! and marked; and what each hazard does at them.

use super::daytime::DayPlace;
use super::exposure::LedgerRow;
use anlan_engine::datum::gcj02_offset;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::random::Stream;
use anlan_engine::{Crs, Error, Fault, Grid, Projector, Raster, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The file `standards/critical_places.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceTable {
    /// Name of the data set.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the figures come from.
    pub source: String,
    /// Names of columns.
    pub columns: PlaceColumns,
    /// Limits of the checks.
    pub checks: PlaceChecks,
    /// The kinds.
    pub kind: Vec<Kind>,
    /// What hazards do at a place, and its grades.
    pub measure: Vec<PlaceMeasure>,
}

/// Names under which columns may stand.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceColumns {
    /// Code.
    pub code: Vec<String>,
    /// Name.
    pub name: Vec<String>,
    /// Kind.
    pub kind: Vec<String>,
    /// Longitude.
    pub lon: Vec<String>,
    /// Latitude.
    pub lat: Vec<String>,
    /// People or capacity; may be missing.
    pub people: Vec<String>,
    /// Code of the unit; may be missing.
    pub unit: Vec<String>,
    /// System of the coordinates; may be missing.
    pub datum: Vec<String>,
}

/// Limits of the checks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceChecks {
    /// Systems that are taken.
    pub datums: Vec<String>,
    /// How far a place may lie outside the border of its unit, m.
    pub border_m: f64,
    /// Distance below which two places of one kind and name are one, m.
    pub same_m: f64,
}

/// A kind of place.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Name in tables.
    pub id: String,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Names in a team's table.
    pub aliases: Vec<String>,
    /// What the figure of people counts: `pupils`, `beds`, `residents`; empty where it counts none.
    #[serde(default)]
    pub capacity: String,
    /// Who is there by day: `pupils`, `visitors`, or nobody beyond the night's.
    #[serde(default)]
    pub day: String,
    /// Visitors at a time per place.
    #[serde(default)]
    pub visitors_per_capacity: f64,
    /// Synthetic ones per 10,000 residents; 0: none is made.
    #[serde(default)]
    pub per_10000: f64,
    /// Capacity of a synthetic one.
    #[serde(default)]
    pub typical: f64,
}

/// A measure of a hazard at places.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceMeasure {
    /// Hazard, as folders name it.
    pub hazard: String,
    /// Measure, as files name it.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Unit of measure.
    pub unit: String,
    /// First value of each grade from 1, ascending.
    pub grades: Vec<f64>,
}

impl PlaceMeasure {
    /// Grade of a value: 0 below the first limit.
    pub fn grade(&self, value: f64) -> usize {
        self.grades.iter().filter(|g| value >= **g).count()
    }
}

/// A critical place.
#[derive(Debug, Clone, PartialEq)]
pub struct CriticalPlace {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Index of the kind.
    pub kind: usize,
    /// Longitude, degrees (CGCS2000).
    pub lon: f64,
    /// Latitude, degrees (CGCS2000).
    pub lat: f64,
    /// People or capacity; `None` where the table does not say.
    pub people: Option<f64>,
    /// Code of the unit, as the table says or as the borders do.
    pub unit: String,
    /// `given` or `synthetic`.
    pub provenance: &'static str,
}

impl PlaceTable {
    /// The kinds that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/critical_places.toml"))
            .expect("the compiled-in kinds are read by a test")
    }

    /// Reads a table of critical places and checks it against the borders. `unit_at` gives the code of the unit at a point
    /// in the compute system, `projector` brings longitude and latitude there.
    ///
    /// # Errors
    /// All faults together: columns missing; codes empty or twice; kinds that are not known; coordinates that are no
    /// degrees or swapped; places outside all units, or in another than the table says; places twice; a shifted system
    /// (GCJ-02), said in the table or shown by where its places lie; people below 0.
    pub fn read(
        &self,
        table: &Table,
        projector: &Projector,
        unit_at: &dyn Fn(f64, f64) -> Option<String>,
    ) -> Result<Vec<CriticalPlace>> {
        let find = |names: &[String]| names.iter().find_map(|n| table.column(n));
        let c = &self.columns;
        let required = [&c.code, &c.name, &c.kind, &c.lon, &c.lat];
        let missing: Vec<Fault> = required
            .iter()
            .filter(|names| find(names).is_none())
            .map(|names| {
                Fault::new(
                    &table.source,
                    format!("columns {}", table.columns.join(", ")),
                    format!("a column {}", names.join(" or ")),
                    "add or rename the column",
                )
            })
            .collect();
        let at: Vec<usize> = required.iter().filter_map(|names| find(names)).collect();
        if !missing.is_empty() {
            return Err(Error::Input(missing));
        }
        let (people_at, unit_column, datum_at) = (find(&c.people), find(&c.unit), find(&c.datum));
        let mut reader = Reader {
            table,
            faults: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        let mut places: Vec<(usize, CriticalPlace)> = Vec::new();
        let mut outside = Vec::new();
        for (i, row) in table.rows.iter().enumerate() {
            if row.iter().all(Value::is_null) {
                continue;
            }
            let text = |column: usize| row[column].to_string().trim().to_string();
            let code = text(at[0]);
            if code.is_empty() || !seen.insert(code.clone()) {
                reader.fault(
                    i,
                    at[0],
                    "a code, each used once",
                    "give every place a code of its own",
                );
            }
            let word = text(at[2]);
            let kind = self
                .kind
                .iter()
                .position(|k| k.id == word || k.aliases.contains(&word));
            if kind.is_none() {
                let known: Vec<&str> = self.kind.iter().map(|k| k.name_zh.as_str()).collect();
                reader.fault(
                    i,
                    at[2],
                    &known.join(", "),
                    "name one of these kinds (场所类型)",
                );
            }
            if let Some(column) = datum_at {
                let datum = text(column);
                if !datum.is_empty() && !self.checks.datums.contains(&datum) {
                    reader.fault(
                        i,
                        column,
                        "CGCS2000 or WGS 84",
                        "bring the coordinates to CGCS2000; shifted data is not corrected silently",
                    );
                }
            }
            let people = match people_at.map(|column| (column, &row[column])) {
                None | Some((_, Value::Null)) => None,
                Some((column, value)) => {
                    let n = value.as_f64().filter(|v| (0.0..=1e6).contains(v));
                    if n.is_none() {
                        reader.fault(
                            i,
                            column,
                            "a number of people, 0 or more",
                            "correct the cell",
                        );
                    }
                    n
                }
            };
            let (Some(lon), Some(lat)) = (row[at[3]].as_f64(), row[at[4]].as_f64()) else {
                reader.fault(
                    i,
                    at[3],
                    "longitude and latitude in degrees",
                    "fill the cells in",
                );
                continue;
            };
            if let Some(slip) = Crs::CGCS2000.implausible(lon, lat) {
                reader.faults.push(
                    Fault::new(
                        &table.source,
                        format!("({lon}, {lat}): {slip}"),
                        "longitude, then latitude",
                        "swap the columns",
                    )
                    .at(table.place(i, at[3])),
                );
                continue;
            }
            let said = unit_column
                .map(|column| &row[column])
                .filter(|v| !v.is_null())
                .map(|v| {
                    super::DivisionCode::parse(v)
                        .map_or_else(|_| v.to_string(), |c| c.0.as_str().to_string())
                });
            let found = self.unit_of(projector, unit_at, (lon, lat), said.as_deref());
            let column = unit_column.unwrap_or(at[3]);
            match (&found, &said) {
                (Some(f), Some(s)) if f == s => {}
                (Some(_), None) => {}
                _ => outside.push((i, column, lon, lat, said.clone(), found.clone())),
            }
            if let Some(kind) = kind {
                places.push((
                    i,
                    CriticalPlace {
                        code,
                        name: text(at[1]),
                        kind,
                        lon,
                        lat,
                        people,
                        unit: found.or(said).unwrap_or_default(),
                        provenance: "given",
                    },
                ));
            }
        }
        self.shifted(&mut reader, &outside, places.len(), projector, unit_at);
        for (i, column, lon, lat, said, found) in &outside {
            let found = found.as_deref().unwrap_or("none");
            reader.faults.push(
                Fault::new(
                    &table.source,
                    format!("({lon}, {lat}) in unit {found}"),
                    match said {
                        Some(code) => format!("a place inside unit {code}"),
                        None => "a place inside a unit of the borders".to_string(),
                    },
                    "correct the coordinates or the code of the unit",
                )
                .at(table.place(*i, *column)),
            );
        }
        self.twice(&mut reader, &places, projector, at[1]);
        if reader.faults.is_empty() {
            Ok(places.into_iter().map(|p| p.1).collect())
        } else {
            Err(Error::Input(reader.faults))
        }
    }

    /// The unit in which a point lies; the one the table says where it lies within `border_m` of the point.
    fn unit_of(
        &self,
        projector: &Projector,
        unit_at: &dyn Fn(f64, f64) -> Option<String>,
        (lon, lat): (f64, f64),
        said: Option<&str>,
    ) -> Option<String> {
        let (x, y) = projector.point(lon, lat);
        let here = unit_at(x, y);
        let Some(said) = said else { return here };
        if here.as_deref() == Some(said) {
            return here;
        }
        let d = self.checks.border_m;
        let near = (0..8).any(|k| {
            let angle = std::f64::consts::FRAC_PI_4 * f64::from(k);
            unit_at(x + d * libm::cos(angle), y + d * libm::sin(angle)).as_deref() == Some(said)
        });
        if near { Some(said.to_string()) } else { here }
    }

    /// A table whose places lie outside their units, and inside once the shift of Chinese web maps is taken away.
    fn shifted(
        &self,
        reader: &mut Reader<'_>,
        outside: &[Outside],
        all: usize,
        projector: &Projector,
        unit_at: &dyn Fn(f64, f64) -> Option<String>,
    ) {
        if outside.len() < 5 || outside.len() * 50 < all {
            return;
        }
        let still = outside
            .iter()
            .filter(|(_, _, lon, lat, said, _)| {
                let (dx, dy) = gcj02_offset(*lon, *lat);
                let (x, y) = projector.point(lon - dx, lat - dy);
                match (unit_at(x, y), said) {
                    (Some(f), Some(s)) => f != *s,
                    (found, _) => found.is_none(),
                }
            })
            .count();
        if still * 3 <= outside.len() {
            reader.faults.push(Fault::new(
                &reader.table.source,
                format!(
                    "{} places outside their units, of which {} lie inside once the shift of GCJ-02 (火星坐标) is taken away",
                    outside.len(),
                    outside.len() - still
                ),
                "places in CGCS2000 or WGS 84",
                "bring the coordinates to CGCS2000; shifted data is not corrected silently",
            ));
        }
    }

    fn twice(
        &self,
        reader: &mut Reader<'_>,
        places: &[(usize, CriticalPlace)],
        projector: &Projector,
        column: usize,
    ) {
        let mut named: BTreeMap<(usize, &str), Vec<&(usize, CriticalPlace)>> = BTreeMap::new();
        for p in places {
            named
                .entry((p.1.kind, p.1.name.as_str()))
                .or_default()
                .push(p);
        }
        for group in named.values() {
            for (n, b) in group.iter().enumerate() {
                let (x, y) = projector.point(b.1.lon, b.1.lat);
                let same = group[..n].iter().find(|a| {
                    let (u, v) = projector.point(a.1.lon, a.1.lat);
                    (u - x) * (u - x) + (v - y) * (v - y) < self.checks.same_m * self.checks.same_m
                });
                if let Some(a) = same {
                    reader.faults.push(
                        Fault::new(
                            &reader.table.source,
                            format!(
                                "{} twice, also in row {}",
                                b.1.name,
                                reader.table.first_row + a.0
                            ),
                            "each place once",
                            "delete one of the rows",
                        )
                        .at(reader.table.place(b.0, column)),
                    );
                }
            }
        }
    }

    /// Made-up places for a unit, where its people live: `rows` are its rows of the ledger, by ascending cell. Names are
    /// numbers.
    ///
    /// The places of a kind stand at equal steps through the residents, moved by a random number, and hold between half
    /// and one and a half of the typical capacity.
    pub fn synthetic(
        &self,
        random: &Stream,
        (unit, code, name): (usize, &str, &str),
        rows: &[LedgerRow],
        grid: &Grid,
        back: &Projector,
    ) -> Vec<CriticalPlace> {
        let residents: u64 = rows.iter().map(|r| u64::from(r.population)).sum();
        let mut out = Vec::new();
        for (k, kind) in self.kind.iter().enumerate() {
            let wanted = (residents as f64 / 10_000.0 * kind.per_10000).round() as usize;
            let mut row = 0;
            let mut below = 0_u64;
            for n in 0..wanted {
                let u = random.uniform4(((unit as u64) << 24) | n as u64, 1 + k as u32, 0);
                let target = (n as f64 + u[0]) / wanted as f64 * residents as f64;
                while row + 1 < rows.len()
                    && (below + u64::from(rows[row].population)) as f64 <= target
                {
                    below += u64::from(rows[row].population);
                    row += 1;
                }
                let (r, c) = grid.row_col(rows[row].cell);
                // Within the cell, off its edges.
                let x = grid.x(c) + (u[1] - 0.5) * 0.8 * grid.dx;
                let y = grid.y(r) + (u[2] - 0.5) * 0.8 * grid.dy;
                let (lon, lat) = back.point(x, y);
                let round = |v: f64| (v * 1e6).round() / 1e6;
                out.push(CriticalPlace {
                    code: format!("P{code}{:02}{:03}", k + 1, n + 1),
                    name: format!("{name}合成{}{:03}", kind.name_zh, n + 1),
                    kind: k,
                    lon: round(lon),
                    lat: round(lat),
                    people: Some((kind.typical * (0.5 + u[3])).round()),
                    unit: code.to_string(),
                    provenance: "synthetic",
                });
            }
        }
        out
    }

    /// Where people of the units are by day: schools and hospitals with the cell and unit of each place.
    pub fn by_day(&self, places: &[(CriticalPlace, u32, u16)]) -> Vec<DayPlace> {
        places
            .iter()
            .filter_map(|(p, cell, unit)| {
                let kind = &self.kind[p.kind];
                let capacity = p.people.unwrap_or(kind.typical);
                let (pupils, visitors) = match kind.day.as_str() {
                    "pupils" => (capacity, 0.0),
                    "visitors" => (0.0, capacity * kind.visitors_per_capacity),
                    _ => return None,
                };
                Some(DayPlace {
                    cell: *cell,
                    unit: *unit,
                    pupils,
                    visitors,
                })
            })
            .collect()
    }
}

type Outside = (usize, usize, f64, f64, Option<String>, Option<String>);

struct Reader<'a> {
    table: &'a Table,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, row: usize, column: usize, expected: &str, remedy: &str) {
        self.faults.push(
            Fault::new(
                &self.table.source as &Path,
                format!("`{}`", self.table.rows[row][column]),
                expected,
                remedy,
            )
            .at(self.table.place(row, column)),
        );
    }
}

/// Value and grade of a measure at each cell; `None` where the raster has no value there.
pub fn at_places(
    measure: &PlaceMeasure,
    raster: &Raster<f32>,
    cells: &[u32],
) -> Vec<Option<(f64, usize)>> {
    cells
        .iter()
        .map(|&cell| {
            let v = f64::from(*raster.values().get(cell as usize)?);
            (!v.is_nan()).then(|| (v, measure.grade(v)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: [&str; 7]) -> Vec<Value> {
        values
            .map(|v| match v.parse::<f64>() {
                Ok(n) => Value::Real(n),
                Err(_) if v.is_empty() => Value::Null,
                Err(_) => Value::from(v),
            })
            .to_vec()
    }

    fn table(rows: &[[&str; 7]]) -> Table {
        let mut t = Table::new(&["编号", "名称", "类型", "经度", "纬度", "人数", "区划代码"]);
        t.rows = rows.iter().map(|r| row(*r)).collect();
        t
    }

    fn read(rows: &[[&str; 7]]) -> Result<Vec<CriticalPlace>> {
        let crs = Crs::from_epsg(4549).unwrap();
        let p = Projector::new(Crs::CGCS2000, crs);
        // Unit 330702 lies west of 119.65 degrees, 330703 east of it.
        let back = Projector::new(crs, Crs::CGCS2000);
        let unit_at = move |x: f64, y: f64| {
            let (lon, _) = back.point(x, y);
            (119.0..120.0)
                .contains(&lon)
                .then(|| if lon < 119.65 { "330702" } else { "330703" }.to_string())
        };
        PlaceTable::builtin().read(&table(rows), &p, &unit_at)
    }

    #[test]
    fn places_are_read_by_chinese_names() {
        let places = read(&[
            ["X1", "甲小学", "小学", "119.60", "29.10", "900", "330702"],
            ["X2", "乙敬老院", "敬老院", "119.70", "29.10", "", ""],
        ])
        .unwrap();
        assert_eq!(places[0].people, Some(900.0));
        assert_eq!(
            (places[1].people, places[1].unit.as_str()),
            (None, "330703")
        );
        let kinds = PlaceTable::builtin().kind;
        assert_eq!(kinds[places[1].kind].id, "care-home");
    }

    #[test]
    fn every_fault_is_named() {
        let error = read(&[
            ["X1", "甲小学", "小学", "119.60", "29.10", "900", "330703"],
            ["X1", "丁", "游乐园", "119.60", "29.10", "-4", "330702"],
            ["X3", "甲小学", "小学", "119.6001", "29.10", "", ""],
            ["X4", "戊", "医院", "29.10", "119.60", "", ""],
            ["X5", "己", "医院", "121.00", "29.10", "", ""],
        ])
        .unwrap_err();
        let text = error.to_string();
        // Wrong unit; code twice, kind, people; one place twice; swapped axes; outside all units.
        assert_eq!(error.faults().len(), 7, "{text}");
        for word in ["330703", "游乐园", "-4", "twice", "swap", "unit none"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn a_shifted_table_is_refused_by_name() {
        // Places just west of the border; the shift of GCJ-02 (some 450 m east) brings them over it.
        let lon = 119.65 - 0.0005;
        let shift = gcj02_offset(lon, 29.1).0;
        let rows: Vec<(String, String)> = (0..6)
            .map(|n| (format!("X{n}"), format!("{:.6}", lon + shift)))
            .collect();
        let rows: Vec<[&str; 7]> = rows
            .iter()
            .map(|(code, lon)| [code, code, "小学", lon, "29.10", "10", "330702"])
            .collect();
        let error = read(&rows).unwrap_err();
        assert!(error.to_string().contains("GCJ-02"), "{error}");
    }

    #[test]
    fn synthetic_places_stand_where_people_live() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (450_000.0, 3_230_000.0),
            (100.0, 100.0),
            (1, 4),
        )
        .unwrap();
        let rows: Vec<LedgerRow> = [0_u32, 90_000, 10_000, 0]
            .iter()
            .enumerate()
            .map(|(i, &population)| LedgerRow {
                cell: i as u32,
                population,
                ..LedgerRow::default()
            })
            .collect();
        let t = PlaceTable::builtin();
        let crs = grid.crs;
        let made = t.synthetic(
            &Stream::new(1, 4),
            (0, "330702", "甲区"),
            &rows,
            &grid,
            &Projector::new(crs, Crs::CGCS2000),
        );
        let p = Projector::new(Crs::CGCS2000, crs);
        let mut cells = [0; 4];
        for place in made.iter().filter(|p| t.kind[p.kind].id == "kindergarten") {
            let (x, y) = p.point(place.lon, place.lat);
            cells[grid.cell_at(x, y).unwrap().1] += 1;
        }
        // Eleven for 100,000 residents, nine tenths of whom live in the second cell.
        assert_eq!(cells.iter().sum::<i32>(), 11);
        assert!(cells[0] == 0 && cells[3] == 0 && cells[1] >= 9, "{cells:?}");
        assert!(
            made.iter()
                .all(|p| p.provenance == "synthetic" && p.name.contains("合成"))
        );
    }

    #[test]
    fn grades_count_the_limits_reached() {
        let t = PlaceTable::builtin();
        let depth = &t.measure[0];
        assert_eq!([0.0, 0.15, 0.7, 9.0].map(|v| depth.grade(v)), [0, 1, 2, 4]);
    }
}
