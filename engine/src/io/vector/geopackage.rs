//! GeoPackage (OGC 12-128r18): an SQLite file with feature tables. Vertices keep all their bits; equal layers give equal
//! bytes, with `SOURCE_DATE_EPOCH` for the time of change.

use super::{Feature, Layer, no_geometry, wkb};
use crate::crs::Crs;
use crate::error::{Error, Fault, Result};
use crate::io::timestamp::{iso_time, source_date_epoch};
use crate::io::{Value, write_atomic};
use crate::wkt;
use geo::Geometry;
use geozero::{CoordDimensions, ToWkb};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::path::Path;

fn open(path: &Path) -> Result<Connection> {
    // SQLite's own message for a missing file does not name it.
    std::fs::metadata(path).map_err(|e| Error::io("reading", path, e))?;
    Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &Path, e: &rusqlite::Error) -> Error {
    Error::input(Fault::new(
        path,
        e.to_string(),
        "a GeoPackage (SQLite file with gpkg_contents)",
        "write the file again with a GIS; a copy cut short or still open in another program reads like this",
    ))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names of the feature tables, in the order of their rows.
pub(super) fn layer_names(path: &Path) -> Result<Vec<String>> {
    names(&open(path)?).map_err(|e| unreadable(path, &e))
}

fn names(db: &Connection) -> rusqlite::Result<Vec<String>> {
    db.prepare("SELECT table_name FROM gpkg_contents WHERE data_type = 'features' ORDER BY rowid")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Reads one feature table: the one named, or the first.
pub(super) fn read(path: &Path, name: Option<&str>) -> Result<(Layer, Vec<String>)> {
    let db = open(path)?;
    let names = names(&db).map_err(|e| unreadable(path, &e))?;
    let asked = name;
    let name = match asked {
        Some(name) if names.iter().any(|n| n == name) => name.to_string(),
        None if !names.is_empty() => names[0].clone(),
        _ => {
            return Err(Error::input(Fault::new(
                path,
                match asked {
                    Some(name) => format!("no layer {name:?}"),
                    None => "no feature table".to_string(),
                },
                format!("one of: {}", names.join(", ")),
                "name a layer that the file holds",
            )));
        }
    };
    let (geometry_column, crs) = geometry_column(&db, path, &name)?;
    let (layer, mut notes) = rows(&db, path, &name, &geometry_column, crs)?;
    if asked.is_none() && names.len() > 1 {
        notes.push(format!("layers {}; read: {name}", names.join(", ")));
    }
    Ok((layer, notes))
}

fn geometry_column(db: &Connection, path: &Path, name: &str) -> Result<(String, Crs)> {
    let (column, organization, code, text): (String, String, i64, String) = db
        .query_row(
            "SELECT g.column_name, s.organization, s.organization_coordsys_id, s.definition \
             FROM gpkg_geometry_columns g JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id \
             WHERE g.table_name = ?1",
            [name],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .map_err(|e| unreadable(path, &e))?;
    let epsg = organization.eq_ignore_ascii_case("EPSG");
    if epsg
        && let Some(crs) = u32::try_from(code)
            .ok()
            .and_then(|code| Crs::from_epsg(code).ok())
    {
        return Ok((column, crs));
    }
    match wkt::recognise(&text) {
        Ok(crs) => Ok((column, crs)),
        Err(unknown) => Err(Error::input(
            Fault::new(
                path,
                if code <= 0 {
                    "an undefined coordinate system".to_string()
                } else {
                    format!("{organization}:{code}, {}", unknown.found)
                },
                "CGCS2000 or WGS 84, geographic, Gauss-Kruger or UTM",
                unknown.remedy,
            )
            .at(format!("layer {name}")),
        )),
    }
}

fn rows(
    db: &Connection,
    path: &Path,
    name: &str,
    geometry: &str,
    crs: Crs,
) -> Result<(Layer, Vec<String>)> {
    let bad = |e: rusqlite::Error| unreadable(path, &e);
    let mut key = None;
    let mut columns = Vec::new();
    {
        let mut statement = db
            .prepare(&format!("PRAGMA table_info({})", quoted(name)))
            .map_err(bad)?;
        let mut info = statement.query([]).map_err(bad)?;
        while let Some(row) = info.next().map_err(bad)? {
            let column: String = row.get(1).map_err(bad)?;
            let kind: String = row.get(2).map_err(bad)?;
            let primary: i64 = row.get(5).map_err(bad)?;
            if primary == 1 && kind.eq_ignore_ascii_case("INTEGER") {
                key = Some(column);
            } else if !column.eq_ignore_ascii_case(geometry) {
                columns.push(column);
            }
        }
    }
    let list: Vec<String> = std::iter::once(quoted(geometry))
        .chain(columns.iter().map(|c| quoted(c)))
        .collect();
    let order = key.map_or("rowid".to_string(), |k| quoted(&k));
    let mut statement = db
        .prepare(&format!(
            "SELECT {} FROM {} ORDER BY {order}",
            list.join(", "),
            quoted(name)
        ))
        .map_err(bad)?;
    let mut rows = statement.query([]).map_err(bad)?;

    let mut layer = Layer {
        source: path.to_path_buf(),
        crs,
        columns,
        features: Vec::new(),
    };
    let mut notes = Vec::new();
    let (mut closed_rings, mut shapeless) = (0, 0);
    let mut blobs = vec![0usize; layer.columns.len()];
    while let Some(row) = rows.next().map_err(bad)? {
        let number = layer.features.len();
        let fault = |found: String, expected: &str, place: String| {
            Error::input(
                Fault::new(path, found, expected, "write the layer again with a GIS").at(place),
            )
        };
        let geometry = match row.get_ref(0).map_err(bad)? {
            ValueRef::Null => {
                shapeless += 1;
                no_geometry()
            }
            ValueRef::Blob(blob) => {
                let read = wkb::decode(blob).map_err(|found| {
                    fault(
                        found,
                        "a point, line, polygon or collection of these",
                        format!("feature {}", number + 1),
                    )
                })?;
                closed_rings += read.closed_rings;
                read.geometry
            }
            other => {
                return Err(fault(
                    format!("{} for a shape", other.data_type()),
                    "a GeoPackage blob",
                    format!("feature {}", number + 1),
                ));
            }
        };
        let mut values = Vec::with_capacity(layer.columns.len());
        for column in 0..layer.columns.len() {
            values.push(match row.get_ref(column + 1).map_err(bad)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(i) => Value::Integer(i),
                ValueRef::Real(r) => Value::Real(r),
                ValueRef::Text(t) => Value::Text(
                    std::str::from_utf8(t)
                        .map_err(|_| {
                            fault(
                                "text that is not UTF-8".into(),
                                "UTF-8",
                                format!("feature {}, column {}", number + 1, layer.columns[column]),
                            )
                        })?
                        .to_string(),
                ),
                ValueRef::Blob(_) => {
                    blobs[column] += 1;
                    Value::Null
                }
            });
        }
        layer.features.push(Feature { geometry, values });
    }
    if closed_rings > 0 {
        notes.push(format!(
            "{closed_rings} rings were not closed and have been"
        ));
    }
    if shapeless > 0 {
        notes.push(format!("{shapeless} features without a shape"));
    }
    for (column, n) in blobs.iter().enumerate().filter(|(_, n)| **n > 0) {
        notes.push(format!(
            "{n} binary values of column {} were left out",
            layer.columns[column]
        ));
    }
    Ok((layer, notes))
}

/// Writes layers as feature tables of one GeoPackage 1.3. The time of change is `SOURCE_DATE_EPOCH`, so that the same
/// layers give the same bytes.
///
/// - A feature without a shape gets a NULL geometry, a real that is not a number becomes NULL.
/// - A column that holds text anywhere is TEXT, else REAL where it holds a real, else INTEGER.
///
/// # Errors
/// Layers or columns whose names differ only in letter case or not at all; the file cannot be written.
pub fn write_gpkg(path: &Path, layers: &[(&str, &Layer)]) -> Result<()> {
    let mut faults = duplicates(path, "layer", layers.iter().map(|(name, _)| *name));
    for (name, layer) in layers {
        faults.extend(duplicates(
            path,
            &format!("layer {name}, column"),
            layer.columns.iter().map(String::as_str),
        ));
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    write_atomic(path, |tmp| {
        // SQLite must make the file itself, with its own page size.
        let _ = fs::remove_file(tmp);
        fill_gpkg(tmp, layers)
            .map_err(|e| Error::Failed(format!("writing {}: {e}", path.display())))
    })
}

fn fill_gpkg(path: &Path, layers: &[(&str, &Layer)]) -> rusqlite::Result<()> {
    let mut db = Connection::open(path)?;
    db.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA application_id = 0x47504B47; PRAGMA user_version = 10300;
         CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
           organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
         CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
           description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
           srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
         CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
           srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL, PRIMARY KEY (table_name, column_name));
         INSERT INTO gpkg_spatial_ref_sys VALUES ('Undefined Cartesian', -1, 'NONE', -1, 'undefined', NULL);
         INSERT INTO gpkg_spatial_ref_sys VALUES ('Undefined geographic', 0, 'NONE', 0, 'undefined', NULL);",
    )?;
    let mut systems: Vec<Crs> = layers.iter().map(|(_, l)| l.crs).collect();
    systems.push(Crs::WGS84);
    systems.sort();
    systems.dedup();
    for crs in systems {
        db.execute(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?1, ?2, 'EPSG', ?2, ?3, NULL)",
            (crs.name(), crs.epsg(), crs.wkt()),
        )?;
    }
    let time = iso_time(source_date_epoch().saturating_mul(1000), 1000) + "Z";
    for (name, layer) in layers {
        let table = quoted(name);
        let key = quoted(&free_name(&["fid", "ogc_fid"], &layer.columns));
        let geometry_column = free_name(&["geom", "geometry"], &layer.columns);
        let kinds: Vec<&str> = (0..layer.columns.len())
            .map(|c| sql_type(layer, c))
            .collect();
        let declared: Vec<String> = layer
            .columns
            .iter()
            .zip(&kinds)
            .map(|(c, k)| format!(", {} {k}", quoted(c)))
            .collect();
        let geometry_type = geometry_type(layer);
        db.execute_batch(&format!(
            "CREATE TABLE {table} ({key} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {} {geometry_type}{});",
            quoted(&geometry_column),
            declared.concat()
        ))?;
        let b = layer.bounds();
        let finite = |v: f64| v.is_finite().then_some(v);
        db.execute(
            "INSERT INTO gpkg_contents VALUES (?1, 'features', ?1, '', ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                name,
                &time,
                finite(b.west),
                finite(b.south),
                finite(b.east),
                finite(b.north),
                layer.crs.epsg(),
            ),
        )?;
        db.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?1, ?2, ?3, ?4, 0, 0)",
            (name, &geometry_column, geometry_type, layer.crs.epsg()),
        )?;
        let slots = vec!["?"; layer.columns.len() + 1].join(", ");
        let names: Vec<String> = layer
            .columns
            .iter()
            .map(|c| format!(", {}", quoted(c)))
            .collect();
        let transaction = db.transaction()?;
        {
            let mut insert = transaction.prepare(&format!(
                "INSERT INTO {table} ({}{}) VALUES ({slots})",
                quoted(&geometry_column),
                names.concat()
            ))?;
            for feature in &layer.features {
                let shape = if feature.geometry == no_geometry() {
                    rusqlite::types::Value::Null
                } else {
                    let srs = Some(layer.crs.epsg() as i32);
                    feature
                        .geometry
                        .to_gpkg_wkb(CoordDimensions::xy(), srs, Vec::new())
                        .map(rusqlite::types::Value::Blob)
                        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?
                };
                let mut row = vec![shape];
                row.extend(feature.values.iter().map(|v| match v {
                    Value::Null => rusqlite::types::Value::Null,
                    Value::Text(t) => rusqlite::types::Value::Text(t.clone()),
                    Value::Integer(i) => rusqlite::types::Value::Integer(*i),
                    Value::Real(r) => rusqlite::types::Value::Real(*r),
                }));
                insert.execute(rusqlite::params_from_iter(row))?;
            }
        }
        transaction.commit()?;
    }
    db.close().map_err(|(_, e)| e)
}

fn sql_type(layer: &Layer, column: usize) -> &'static str {
    let mut kind = "INTEGER";
    for feature in &layer.features {
        match &feature.values[column] {
            Value::Text(_) => return "TEXT",
            Value::Real(_) => kind = "REAL",
            _ => {}
        }
    }
    kind
}

fn geometry_type(layer: &Layer) -> &'static str {
    let of = |g: &Geometry<f64>| match g {
        Geometry::Point(_) => "POINT",
        Geometry::LineString(_) => "LINESTRING",
        Geometry::Polygon(_) => "POLYGON",
        Geometry::MultiPoint(_) => "MULTIPOINT",
        Geometry::MultiLineString(_) => "MULTILINESTRING",
        Geometry::MultiPolygon(_) => "MULTIPOLYGON",
        _ => "GEOMETRY",
    };
    let first = layer
        .features
        .first()
        .map_or("GEOMETRY", |f| of(&f.geometry));
    if layer.features.iter().all(|f| of(&f.geometry) == first) {
        first
    } else {
        "GEOMETRY"
    }
}

fn duplicates<'a>(path: &Path, what: &str, names: impl Iterator<Item = &'a str>) -> Vec<Fault> {
    let mut seen: Vec<String> = Vec::new();
    let mut faults = Vec::new();
    for name in names {
        let key = name.to_ascii_lowercase();
        if name.is_empty() || seen.contains(&key) {
            faults.push(Fault::new(
                path,
                format!("{what} {name:?} twice or without a name"),
                "names that differ in more than letter case",
                "rename one of them",
            ));
        }
        seen.push(key);
    }
    faults
}

fn free_name(wanted: &[&str], taken: &[String]) -> String {
    let free = |name: &str| !taken.iter().any(|t| t.eq_ignore_ascii_case(name));
    if let Some(name) = wanted.iter().find(|name| free(name)) {
        return name.to_string();
    }
    let mut number = 1usize;
    loop {
        let name = format!("{}_{number}", wanted[0]);
        if free(&name) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::vector::{layer_names, read as read_any, read_gpkg, read_noted};
    use geo::{CoordsIter, LineString, MultiPolygon, Polygon, point};
    use std::path::PathBuf;

    fn counties() -> Layer {
        let ring = |k: f64| {
            LineString::from(vec![
                (119.0 + k / 3.0, 29.0 + 0.1 * k),
                (119.5 + k / 7.0, 29.0 - 1e-15),
                (119.3, 29.4 + f64::EPSILON * 64.0),
                (119.0 + k / 3.0, 29.0 + 0.1 * k),
            ])
        };
        let feature = |k: f64, name: &str, value: Value| Feature {
            geometry: MultiPolygon(vec![Polygon::new(ring(k), vec![])]).into(),
            values: vec![Value::Text(name.into()), value, Value::Integer(7)],
        };
        Layer {
            source: PathBuf::new(),
            crs: Crs::CGCS2000,
            columns: vec!["名称".into(), "gdp \"x\"".into(), "fid".into()],
            features: vec![
                feature(0.0, "西湖区", Value::Real(0.1)),
                feature(1.0, "临安'区", Value::Null),
                Feature {
                    geometry: no_geometry(),
                    values: vec![Value::Null, Value::Real(-1e300), Value::Null],
                },
            ],
        }
    }

    #[test]
    fn a_layer_comes_back_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("区划.gpkg");
        let layer = counties();
        write_gpkg(&path, &[("county", &layer)]).unwrap();
        let (read, notes) = read_noted(&path, None).unwrap();
        assert_eq!(read.crs, layer.crs);
        assert_eq!(read.columns, layer.columns);
        assert_eq!(read.features, layer.features);
        for (a, b) in layer.features.iter().zip(&read.features) {
            for (p, q) in a.geometry.coords_iter().zip(b.geometry.coords_iter()) {
                assert_eq!(
                    (p.x.to_bits(), p.y.to_bits()),
                    (q.x.to_bits(), q.y.to_bits())
                );
            }
        }
        assert_eq!(notes, ["1 features without a shape"]);
        // Nobody hears notes of a plain read.
        let error = read_any(&path).unwrap_err().to_string();
        assert!(error.contains("feature 3"), "{error}");
    }

    #[test]
    fn equal_layers_give_equal_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a.gpkg"), dir.path().join("b.gpkg"));
        for path in [&a, &b] {
            write_gpkg(path, &[("county", &counties())]).unwrap();
        }
        assert_eq!(std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());
        assert_eq!(&std::fs::read(&a).unwrap()[68..72], b"GPKG");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn several_layers_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("two.gpkg");
        let points = Layer {
            source: PathBuf::new(),
            crs: Crs::from_epsg(4549).unwrap(),
            columns: vec![],
            features: vec![Feature {
                geometry: point!(x: 5e5, y: 3.2e6).into(),
                values: vec![],
            }],
        };
        write_gpkg(&path, &[("county", &counties()), ("站点", &points)]).unwrap();
        assert_eq!(layer_names(&path).unwrap(), ["county", "站点"]);
        assert_eq!(read_gpkg(&path, Some("站点")).unwrap().crs.epsg(), 4549);
        let (first, notes) = read_noted(&path, None).unwrap();
        assert_eq!(first.columns, counties().columns);
        assert!(notes.iter().any(|n| n.contains("county, 站点")));
        let error = read_gpkg(&path, Some("town")).unwrap_err();
        assert!(error.to_string().contains("county, 站点"), "{error}");
    }

    #[test]
    fn bad_files_and_bad_layers_are_faults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("broken.gpkg");
        assert!(read_any(&path).unwrap_err().is_input());
        std::fs::write(&path, b"SQLite format 3\0 and then nothing").unwrap();
        assert!(read_any(&path).unwrap_err().is_input());
        let mut twice = counties();
        twice.columns[2] = "GDP \"X\"".into();
        let error = write_gpkg(&dir.path().join("c.gpkg"), &[("a", &twice), ("A", &twice)]);
        assert_eq!(error.unwrap_err().faults().len(), 3);
    }
}
