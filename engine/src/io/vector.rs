//! Vector files: GeoPackage, GeoJSON and Shapefile read; GeoPackage and GeoJSON written.
//!
//! Coordinates are always x = easting or longitude, y = northing or latitude, as these formats store them whatever the
//! axis order of the EPSG entry.

use super::{Value, source_date_epoch, write_atomic};
use crate::crs::{Crs, Projector};
use crate::error::{Error, Fault, Result};
use crate::grid::Bounds;
use geo::{CoordsIter, Geometry, MapCoords, MultiPolygon};
use geozero::wkb::GpkgWkb;
use geozero::{CoordDimensions, ToGeo, ToWkb};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::fs;
use std::path::{Path, PathBuf};

/// One feature: a geometry and one value per column.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Geometry in the layer's system.
    pub geometry: Geometry<f64>,
    /// Values, one per column of the layer.
    pub values: Vec<Value>,
}

/// A layer of features.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The file it was read from.
    pub source: PathBuf,
    /// Coordinate reference system.
    pub crs: Crs,
    /// Column names.
    pub columns: Vec<String>,
    /// Features.
    pub features: Vec<Feature>,
}

impl Layer {
    /// Index of the column of this name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
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

    /// Polygons of a feature; `None` where its geometry is no polygon.
    pub fn polygons(&self, feature: usize) -> Option<MultiPolygon<f64>> {
        match &self.features[feature].geometry {
            Geometry::Polygon(p) => Some(MultiPolygon(vec![p.clone()])),
            Geometry::MultiPolygon(m) => Some(m.clone()),
            _ => None,
        }
    }

    /// The smallest rectangle around all features.
    pub fn bounds(&self) -> Bounds {
        self.features
            .iter()
            .flat_map(|f| f.geometry.coords_iter())
            .fold(Bounds::EMPTY, |b, c| b.with(c.x, c.y))
    }

    /// The layer in another system.
    #[must_use]
    pub fn reprojected(&self, crs: Crs) -> Layer {
        let p = Projector::new(self.crs, crs);
        Layer {
            crs,
            features: self
                .features
                .iter()
                .map(|f| Feature {
                    geometry: f.geometry.map_coords(|c| {
                        let (x, y) = p.point(c.x, c.y);
                        geo::Coord { x, y }
                    }),
                    values: f.values.clone(),
                })
                .collect(),
            ..self.clone()
        }
    }

    /// Refuses coordinates that cannot belong to the layer's system: swapped axes, metres for degrees, a wrong zone.
    ///
    /// # Errors
    /// Names the first feature at fault and counts the others.
    pub fn check_coordinates(self) -> Result<Layer> {
        let mut first = None;
        let mut count = 0;
        for (i, feature) in self.features.iter().enumerate() {
            let slip = feature
                .geometry
                .coords_iter()
                .find_map(|c| self.crs.implausible(c.x, c.y).map(|s| (c, s)));
            if let Some(slip) = slip {
                count += 1;
                first.get_or_insert((i, slip));
            }
        }
        let Some((i, (c, slip))) = first else {
            return Ok(self);
        };
        Err(Error::input(
            Fault::new(
                &self.source,
                format!(
                    "coordinate ({}, {}) in {count} of {} features: {slip}",
                    c.x,
                    c.y,
                    self.features.len()
                ),
                format!(
                    "coordinates of {} ({}), x before y",
                    self.crs,
                    self.crs.name()
                ),
                "swap the axes, or assign the right system",
            )
            .at(format!("feature {}", i + 1)),
        ))
    }
}

/// Reads a layer by the ending of the file: `.gpkg` (first feature table), `.geojson` or `.json`, `.shp`.
///
/// # Errors
/// The file is missing, damaged, of another kind, empty, or without a known system; coordinates that cannot belong to it.
pub fn read(path: &Path) -> Result<Layer> {
    fs::metadata(path).map_err(|e| Error::io("reading", path, e))?;
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let layer = match extension.as_str() {
        "geojson" | "json" => read_geojson(path)?,
        "gpkg" => read_gpkg(path, None)?,
        "shp" => read_shapefile(path)?,
        _ => {
            return Err(damaged(path, format!("a file ending in .{extension}")));
        }
    };
    if layer.features.is_empty() {
        return Err(damaged(path, "no features".into()));
    }
    layer.check_coordinates()
}

fn damaged(path: &Path, found: String) -> Error {
    Error::input(Fault::new(
        path,
        found,
        "a GeoPackage (.gpkg), GeoJSON (.geojson) or Shapefile (.shp) with features",
        "check that the file was copied whole, or export it again",
    ))
}

// ---- GeoJSON ----------------------------------------------------------------------------------------------------------

fn read_geojson(path: &Path) -> Result<Layer> {
    let text = fs::read_to_string(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => damaged(path, "text that is not UTF-8".into()),
        _ => Error::io("reading", path, e),
    })?;
    let json: geojson::GeoJson = text.parse().map_err(|e| damaged(path, format!("{e}")))?;
    let geojson::GeoJson::FeatureCollection(collection) = json else {
        return Err(damaged(
            path,
            "a GeoJSON that is no FeatureCollection".into(),
        ));
    };
    let crs = match collection
        .foreign_members
        .as_ref()
        .and_then(|m| m.get("crs"))
    {
        Some(member) => geojson_crs(path, member)?,
        None => Crs::WGS84,
    };
    let mut columns: Vec<String> = Vec::new();
    for feature in &collection.features {
        for key in feature.properties.iter().flat_map(|p| p.keys()) {
            if !columns.contains(key) {
                columns.push(key.clone());
            }
        }
    }
    let mut features = Vec::with_capacity(collection.features.len());
    for (i, feature) in collection.features.into_iter().enumerate() {
        let geometry = feature
            .geometry
            .and_then(|g| Geometry::<f64>::try_from(g).ok())
            .ok_or_else(|| damaged(path, format!("feature {} without a geometry", i + 1)))?;
        let values = columns
            .iter()
            .map(|c| {
                feature
                    .properties
                    .as_ref()
                    .and_then(|p| p.get(c))
                    .map_or(Value::Null, json_value)
            })
            .collect();
        features.push(Feature { geometry, values });
    }
    Ok(Layer {
        source: path.to_path_buf(),
        crs,
        columns,
        features,
    })
}

fn geojson_crs(path: &Path, member: &serde_json::Value) -> Result<Crs> {
    let name = member["properties"]["name"].as_str().unwrap_or_default();
    if name.ends_with("CRS84") {
        return Ok(Crs::WGS84);
    }
    let code = name.rsplit(':').next().and_then(|c| c.parse().ok());
    code.and_then(|c| Crs::from_epsg(c).ok()).ok_or_else(|| {
        Error::input(
            Fault::new(
                path,
                format!("`{name}`"),
                "CRS84 or a known EPSG code",
                "reproject the file, e.g. to EPSG:4490",
            )
            .at("member crs"),
        )
    })
}

fn json_value(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::String(s) => Value::Text(s.clone()),
        serde_json::Value::Number(n) => n
            .as_i64()
            .map(Value::Integer)
            .or_else(|| n.as_f64().map(Value::Real))
            .unwrap_or(Value::Null),
        other => Value::Text(other.to_string()),
    }
}

/// Writes GeoJSON with its system in the `crs` member.
///
/// # Errors
/// The file cannot be written.
pub fn write_geojson(path: &Path, layer: &Layer) -> Result<()> {
    let mut out = format!(
        "{{\"type\":\"FeatureCollection\",\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\"urn:ogc:def:crs:EPSG::{}\"}}}},\"features\":[",
        layer.crs.epsg()
    );
    for (i, feature) in layer.features.iter().enumerate() {
        let geometry = geojson::Geometry::from(&feature.geometry);
        let mut properties = serde_json::Map::new();
        for (name, value) in layer.columns.iter().zip(&feature.values) {
            let json = match value {
                Value::Null => serde_json::Value::Null,
                Value::Text(t) => t.clone().into(),
                Value::Integer(n) => (*n).into(),
                Value::Real(r) => (*r).into(),
            };
            properties.insert(name.clone(), json);
        }
        out += if i == 0 { "\n" } else { ",\n" };
        out += &format!(
            "{{\"type\":\"Feature\",\"properties\":{},\"geometry\":{geometry}}}",
            serde_json::Value::Object(properties)
        );
    }
    out += "\n]}\n";
    write_atomic(path, |tmp| {
        fs::write(tmp, &out).map_err(|e| Error::io("writing", path, e))
    })
}

// ---- GeoPackage -------------------------------------------------------------------------------------------------------

/// Reads a feature table of a GeoPackage: the one named, or the first.
///
/// # Errors
/// The file is no GeoPackage, has no such table, or an unknown system.
pub fn read_gpkg(path: &Path, table: Option<&str>) -> Result<Layer> {
    let failed = |e: rusqlite::Error| damaged(path, format!("a file that is no GeoPackage ({e})"));
    let db = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(failed)?;
    let (table, geometry_column, srs): (String, String, i64) = db
        .query_row(
            "SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns WHERE ?1 IS NULL OR table_name = ?1 ORDER BY rowid",
            [table],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .map_err(failed)?;
    let code: i64 = db
        .query_row(
            "SELECT organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?1",
            [srs],
            |r| r.get(0),
        )
        .map_err(failed)?;
    let crs = Crs::from_epsg(code.unsigned_abs() as u32).map_err(|_| {
        Error::input(Fault::new(
            path,
            format!("EPSG:{code}"),
            "a known coordinate reference system",
            "reproject the layer, e.g. to EPSG:4490",
        ))
    })?;
    let mut statement = db
        .prepare(&format!("SELECT * FROM \"{}\"", table.replace('"', "\"\"")))
        .map_err(failed)?;
    let names: Vec<String> = statement.column_names().map(str::to_string).collect();
    let geometry_at = names
        .iter()
        .position(|n| *n == geometry_column)
        .ok_or_else(|| {
            damaged(
                path,
                format!("table {table} without its geometry column {geometry_column}"),
            )
        })?;
    let kept: Vec<usize> = (0..names.len())
        .filter(|&i| i != geometry_at && names[i] != "fid")
        .collect();
    let mut rows = statement.query([]).map_err(failed)?;
    let mut features = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let blob: Vec<u8> = row.get(geometry_at).map_err(failed)?;
        let geometry = GpkgWkb(blob).to_geo().map_err(|e| {
            damaged(
                path,
                format!("row {} with a damaged geometry ({e})", features.len() + 1),
            )
        })?;
        let mut values = Vec::with_capacity(kept.len());
        for &i in &kept {
            values.push(match row.get_ref(i).map_err(failed)? {
                ValueRef::Integer(n) => Value::Integer(n),
                ValueRef::Real(r) => Value::Real(r),
                ValueRef::Text(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
                _ => Value::Null,
            });
        }
        features.push(Feature { geometry, values });
    }
    Ok(Layer {
        source: path.to_path_buf(),
        crs,
        columns: kept.iter().map(|&i| names[i].clone()).collect(),
        features,
    })
}

/// Writes layers as feature tables of one GeoPackage 1.3. The time of change is `SOURCE_DATE_EPOCH`, so that the same
/// layers give the same bytes.
///
/// # Errors
/// The file cannot be written.
pub fn write_gpkg(path: &Path, layers: &[(&str, &Layer)]) -> Result<()> {
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
    let time = iso_time(source_date_epoch());
    for (name, layer) in layers {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let kinds: Vec<&str> = (0..layer.columns.len())
            .map(|c| sql_type(layer, c))
            .collect();
        let declared: Vec<String> = layer
            .columns
            .iter()
            .zip(&kinds)
            .map(|(c, k)| format!(", \"{}\" {k}", c.replace('"', "\"\"")))
            .collect();
        let geometry_type = geometry_type(layer);
        db.execute_batch(&format!(
            "CREATE TABLE {quoted} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom {geometry_type}{});",
            declared.concat()
        ))?;
        let b = layer.bounds();
        db.execute(
            "INSERT INTO gpkg_contents VALUES (?1, 'features', ?1, '', ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                name,
                &time,
                b.west,
                b.south,
                b.east,
                b.north,
                layer.crs.epsg(),
            ),
        )?;
        db.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?1, 'geom', ?2, ?3, 0, 0)",
            (name, geometry_type, layer.crs.epsg()),
        )?;
        let slots = vec!["?"; layer.columns.len() + 1].join(", ");
        let names: Vec<String> = layer
            .columns
            .iter()
            .map(|c| format!(", \"{}\"", c.replace('"', "\"\"")))
            .collect();
        let transaction = db.transaction()?;
        {
            let mut insert = transaction.prepare(&format!(
                "INSERT INTO {quoted} (geom{}) VALUES ({slots})",
                names.concat()
            ))?;
            for feature in &layer.features {
                let blob = feature
                    .geometry
                    .to_gpkg_wkb(
                        CoordDimensions::xy(),
                        Some(layer.crs.epsg() as i32),
                        Vec::new(),
                    )
                    .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
                let mut row = vec![rusqlite::types::Value::Blob(blob)];
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

/// `2026-01-01T00:00:00.000Z` from seconds since 1970 (days to civil date after Hinnant's algorithm).
fn iso_time(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

// ---- Shapefile --------------------------------------------------------------------------------------------------------

fn read_shapefile(path: &Path) -> Result<Layer> {
    let prj = fs::read_to_string(path.with_extension("prj")).map_err(|_| {
        Error::input(Fault::new(
            path,
            "no .prj file beside it",
            "a .prj file with the coordinate reference system",
            "export the layer with its projection",
        ))
    })?;
    let crs = Crs::from_wkt(&prj).ok_or_else(|| {
        Error::input(Fault::new(
            path.with_extension("prj"),
            prj.chars().take(60).collect::<String>(),
            "CGCS2000 or WGS 84, geographic, Gauss-Kruger or UTM",
            "reproject the layer, e.g. to EPSG:4490",
        ))
    })?;
    let failed = |e: shapefile::Error| damaged(path, format!("a damaged Shapefile ({e})"));
    let mut reader = open_shapefile(path).map_err(failed)?;
    let mut columns: Vec<String> = Vec::new();
    let mut features = Vec::new();
    for item in reader.iter_shapes_and_records() {
        let (shape, record) = item.map_err(failed)?;
        let mut values: Vec<(String, Value)> = record
            .into_iter()
            .map(|(name, value)| (name, dbf_value(value)))
            .collect();
        values.sort_by(|a, b| a.0.cmp(&b.0));
        if columns.is_empty() {
            columns = values.iter().map(|v| v.0.clone()).collect();
        }
        let geometry = Geometry::<f64>::try_from(shape).map_err(|_| {
            damaged(
                path,
                format!("feature {} of a kind that is not read", features.len() + 1),
            )
        })?;
        features.push(Feature {
            geometry,
            values: values.into_iter().map(|v| v.1).collect(),
        });
    }
    Ok(Layer {
        source: path.to_path_buf(),
        crs,
        columns,
        features,
    })
}

/// With a .cpg file its encoding counts; without one, UTF-8 where every byte allows it, otherwise GBK.
fn open_shapefile(
    path: &Path,
) -> Result<
    shapefile::Reader<std::io::BufReader<fs::File>, std::io::BufReader<fs::File>>,
    shapefile::Error,
> {
    if path.with_extension("cpg").exists() {
        return shapefile::Reader::from_path(path);
    }
    let utf8 = fs::read(path.with_extension("dbf"))
        .is_ok_and(|bytes| std::str::from_utf8(&bytes[32.min(bytes.len())..]).is_ok());
    let encoding = if utf8 {
        encoding_rs::UTF_8
    } else {
        encoding_rs::GBK
    };
    let shapes = shapefile::ShapeReader::from_path(path)?;
    let source = std::io::BufReader::new(fs::File::open(path.with_extension("dbf"))?);
    let records = shapefile::dbase::ReaderBuilder::new()
        .with_encoding(shapefile::dbase::encoding::EncodingRs::from(encoding))
        .build(source)?;
    Ok(shapefile::Reader::new(shapes, records))
}

fn dbf_value(value: shapefile::dbase::FieldValue) -> Value {
    use shapefile::dbase::FieldValue;
    match value {
        FieldValue::Character(Some(text)) => Value::Text(text.trim().to_string()),
        FieldValue::Numeric(Some(n)) if n.fract() == 0.0 && n.abs() < 9e15 => {
            Value::Integer(n as i64)
        }
        FieldValue::Numeric(Some(n)) | FieldValue::Double(n) => Value::Real(n),
        FieldValue::Float(Some(n)) => Value::Real(f64::from(n)),
        FieldValue::Integer(n) => Value::Integer(i64::from(n)),
        FieldValue::Logical(Some(b)) => Value::Integer(i64::from(b)),
        FieldValue::Memo(text) => Value::Text(text),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    fn layer(epsg: u32) -> Layer {
        let square = polygon![
            (x: 119.1000000001, y: 29.1), (x: 119.3, y: 29.1), (x: 119.3, y: 29.300000000000004), (x: 119.1, y: 29.3)
        ];
        Layer {
            source: PathBuf::new(),
            crs: Crs::from_epsg(epsg).unwrap(),
            columns: ["code", "name", "area"].map(String::from).to_vec(),
            features: vec![Feature {
                geometry: Geometry::MultiPolygon(MultiPolygon(vec![square])),
                values: vec![Value::Integer(330_702), "婺城区".into(), Value::Real(0.1)],
            }],
        }
    }

    #[test]
    fn layers_come_back_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.gpkg", "a.geojson"] {
            let path = dir.path().join(name);
            let write = || {
                if name.ends_with("gpkg") {
                    write_gpkg(&path, &[("units", &layer(4490))]).unwrap();
                } else {
                    write_geojson(&path, &layer(4490)).unwrap();
                }
            };
            write();
            let bytes = fs::read(&path).unwrap();
            let back = read(&path).unwrap();
            assert_eq!(back.crs.epsg(), 4490);
            assert_eq!(back.features, layer(4490).features);
            write();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn swapped_axes_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.geojson");
        let mut swapped = layer(4490);
        swapped.features[0].geometry = swapped.features[0]
            .geometry
            .map_coords(|c| geo::Coord { x: c.y, y: c.x });
        write_geojson(&path, &swapped).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(
            error.contains("swapped") && error.contains("feature 1"),
            "{error}"
        );
    }

    #[test]
    fn damaged_files_are_faults() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("b.geojson", "{\"type\":"),
            ("b.gpkg", "nothing"),
            ("b.txt", "x"),
        ] {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            assert!(read(&path).unwrap_err().is_input(), "{name}");
        }
    }

    #[test]
    fn times_are_civil() {
        assert_eq!(iso_time(1_767_225_600), "2026-01-01T00:00:00.000Z");
        assert_eq!(iso_time(951_782_400), "2000-02-29T00:00:00.000Z");
    }
}
