//! What a file holds, in the words of a list: for people who have been handed a file, before they put it into a project.

use super::Value;
#[cfg(any(feature = "geotiff", feature = "netcdf", feature = "vector"))]
use crate::crs::Crs;
use crate::error::{Error, Fault, Result};
#[cfg(any(feature = "geotiff", feature = "netcdf", feature = "vector"))]
use crate::grid::Bounds;
use std::path::Path;

/// Facts about a file in reading order: name and value. Names may repeat between layers of one file, where they begin
/// with the layer (`roads: features`).
pub type Facts = Vec<(String, Value)>;

/// Describes a file by its ending: GeoTIFF, NetCDF, GeoPackage, GeoJSON, Shapefile, CSV, Excel or Parquet.
///
/// Every list begins with `kind` (`raster`, `grids`, `vector` or `table`), `format` and `bytes`. Where they apply follow
/// size, system, cell, bounds, no-data, compression, and one fact for each band, variable, column and tag. What a
/// pipeline would refuse or a reader had to assume is told as `warning` and `note`, so that a doubtful file can still be
/// looked at.
///
/// # Errors
/// The file is missing, damaged, or of another kind.
pub fn describe(path: &Path) -> Result<Facts> {
    let metadata = std::fs::metadata(path).map_err(|e| Error::io("reading", path, e))?;
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let (kind, format, facts) = match extension.as_str() {
        #[cfg(feature = "geotiff")]
        "tif" | "tiff" => ("raster", "GeoTIFF", raster(path)?),
        #[cfg(feature = "netcdf")]
        "nc" | "nc4" | "cdf" => ("grids", "NetCDF", grids(path)?),
        #[cfg(feature = "vector")]
        "gpkg" => ("vector", "GeoPackage", layers(path)?),
        #[cfg(feature = "vector")]
        "geojson" | "json" => ("vector", "GeoJSON", layers(path)?),
        #[cfg(feature = "vector")]
        "shp" => ("vector", "Shapefile", layers(path)?),
        #[cfg(feature = "table")]
        "csv" | "txt" | "tsv" => ("table", "CSV", text_table(path)?),
        #[cfg(feature = "table")]
        "xlsx" | "xls" | "xlsm" | "xlsb" | "ods" => ("table", "spreadsheet", workbook(path)?),
        #[cfg(feature = "table")]
        "parquet" => ("table", "Parquet", parquet(path)?),
        other => {
            return Err(Error::input(Fault::new(
                path,
                format!("a file ending in .{other}"),
                ".tif, .nc, .gpkg, .geojson, .shp, .csv, .xlsx or .parquet",
                "convert the file to one of these formats",
            )));
        }
    };
    let mut out: Facts = Vec::new();
    fact(&mut out, "kind", kind);
    fact(&mut out, "format", format);
    fact(&mut out, "bytes", count(metadata.len()));
    out.extend(facts);
    Ok(out)
}

fn fact(out: &mut Facts, name: &str, value: impl Into<Value>) {
    out.push((name.to_string(), value.into()));
}

fn count(n: impl TryInto<i64>) -> Value {
    // No file and no memory holds 2^63 of anything.
    Value::Integer(n.try_into().unwrap_or(i64::MAX))
}

#[cfg(any(feature = "geotiff", feature = "netcdf", feature = "vector"))]
fn place(out: &mut Facts, prefix: &str, crs: Crs, cell: Option<(f64, f64)>, bounds: Bounds) {
    let unit = if crs.is_geographic() { "deg" } else { "m" };
    fact(out, &format!("{prefix}crs"), crs.to_string());
    fact(out, &format!("{prefix}crs_name"), crs.name());
    if let Some((dx, dy)) = cell {
        fact(out, &format!("{prefix}cell_width_{unit}"), dx);
        fact(out, &format!("{prefix}cell_height_{unit}"), dy);
    }
    for (name, value) in [
        ("west", bounds.west),
        ("south", bounds.south),
        ("east", bounds.east),
        ("north", bounds.north),
    ] {
        fact(out, &format!("{prefix}{name}"), value);
    }
}

#[cfg(feature = "geotiff")]
fn raster(path: &Path) -> Result<Facts> {
    let info = super::geotiff::info(path)?;
    let mut out = Facts::new();
    fact(&mut out, "rows", count(info.grid.rows));
    fact(&mut out, "columns", count(info.grid.cols));
    fact(&mut out, "bands", count(info.bands));
    fact(&mut out, "sample", info.sample);
    match info.nodata {
        // Text, for JSON has no word for it.
        Some(v) if v.is_nan() => fact(&mut out, "nodata", "nan"),
        Some(v) => fact(&mut out, "nodata", v),
        None => fact(&mut out, "nodata", Value::Null),
    }
    fact(&mut out, "compression", info.compression);
    fact(&mut out, "layout", info.layout);
    let cell = (info.grid.dx, info.grid.dy);
    place(&mut out, "", info.grid.crs, Some(cell), info.grid.bounds());
    for (i, (name, scale)) in info.descriptions.iter().zip(&info.scales).enumerate() {
        let mut words = Vec::new();
        if !name.is_empty() {
            words.push(name.clone());
        }
        if *scale != (1.0, 0.0) {
            words.push(format!("value = stored x {} + {}", scale.0, scale.1));
        }
        if !words.is_empty() {
            fact(&mut out, &format!("band {}", i + 1), words.join(", "));
        }
    }
    if info.colours.is_some() {
        fact(&mut out, "colours", "a colour table");
    }
    for (name, value) in info.tags {
        fact(&mut out, &format!("tag {name}"), value);
    }
    Ok(out)
}

#[cfg(feature = "netcdf")]
fn grids(path: &Path) -> Result<Facts> {
    let info = super::netcdf::info(path)?;
    let mut out = Facts::new();
    match info.frame {
        Some(Ok(frame)) => {
            fact(&mut out, "rows", count(frame.shape.0));
            fact(&mut out, "columns", count(frame.shape.1));
            place(&mut out, "", frame.crs, Some(frame.cell), frame.bounds);
        }
        Some(Err(error)) => fact(&mut out, "warning", error.to_string()),
        None => fact(&mut out, "warning", "no variable on horizontal axes"),
    }
    for v in info.variables {
        let axes: Vec<String> = v
            .dimensions
            .iter()
            .map(|(name, len)| format!("{name} {len}"))
            .collect();
        let mut words = vec![format!("{} ({})", v.kind, axes.join(", "))];
        words.extend([v.units, v.title].into_iter().filter(|w| !w.is_empty()));
        fact(&mut out, &format!("variable {}", v.name), words.join(", "));
    }
    for (name, value) in info.attributes {
        fact(&mut out, &format!("tag {name}"), value);
    }
    Ok(out)
}

#[cfg(feature = "vector")]
fn layers(path: &Path) -> Result<Facts> {
    use super::vector;
    let names = vector::layer_names(path)?;
    let mut out = Facts::new();
    if names.is_empty() {
        fact(&mut out, "warning", "no feature table");
    }
    for name in &names {
        let prefix = if names.len() > 1 {
            format!("{name}: ")
        } else {
            fact(&mut out, "layer", name.as_str());
            String::new()
        };
        let (layer, notes) = vector::read_noted(path, Some(name))?;
        fact(
            &mut out,
            &format!("{prefix}features"),
            count(layer.features.len()),
        );
        let mut kinds: Vec<(&str, usize)> = Vec::new();
        for feature in &layer.features {
            let kind = geometry_name(&feature.geometry);
            match kinds.iter_mut().find(|(k, _)| *k == kind) {
                Some((_, n)) => *n += 1,
                None => kinds.push((kind, 1)),
            }
        }
        let kinds: Vec<String> = kinds.iter().map(|(k, n)| format!("{n} {k}")).collect();
        fact(&mut out, &format!("{prefix}geometries"), kinds.join(", "));
        if layer.features.is_empty() {
            fact(&mut out, &format!("{prefix}crs"), layer.crs.to_string());
        } else {
            place(&mut out, &prefix, layer.crs, None, layer.bounds());
        }
        for (c, column) in layer.columns.iter().enumerate() {
            let values = layer.features.iter().map(|f| &f.values[c]);
            fact(
                &mut out,
                &format!("{prefix}column {column}"),
                filled(values),
            );
        }
        for note in &notes {
            fact(&mut out, &format!("{prefix}note"), note.as_str());
        }
        if let Err(error) = layer.check_coordinates() {
            fact(&mut out, &format!("{prefix}warning"), error.to_string());
        }
    }
    Ok(out)
}

#[cfg(feature = "vector")]
fn geometry_name(geometry: &geo::Geometry<f64>) -> &'static str {
    use geo::Geometry as G;
    match geometry {
        G::Point(_) => "point",
        G::MultiPoint(_) => "multipoint",
        G::Line(_) | G::LineString(_) => "line",
        G::MultiLineString(_) => "multiline",
        G::Polygon(_) | G::Rect(_) | G::Triangle(_) => "polygon",
        G::MultiPolygon(_) => "multipolygon",
        G::GeometryCollection(parts) if parts.0.is_empty() => "without a shape",
        G::GeometryCollection(_) => "collection",
    }
}

#[cfg(feature = "table")]
fn text_table(path: &Path) -> Result<Facts> {
    let mut out = Facts::new();
    sheet(&mut out, "", &super::table::read(path)?);
    Ok(out)
}

#[cfg(feature = "table")]
fn workbook(path: &Path) -> Result<Facts> {
    use super::table::{read_sheet, sheet_names};
    let names = sheet_names(path)?;
    let mut out = Facts::new();
    for name in &names {
        let prefix = if names.len() > 1 {
            format!("{name}: ")
        } else {
            fact(&mut out, "sheet", name.as_str());
            String::new()
        };
        // A sheet of notes is no reason to hide the others.
        match read_sheet(path, Some(name)) {
            Ok(table) => sheet(&mut out, &prefix, &table),
            Err(error) => fact(&mut out, &format!("{prefix}warning"), error.to_string()),
        }
    }
    Ok(out)
}

#[cfg(feature = "table")]
fn sheet(out: &mut Facts, prefix: &str, table: &super::table::Table) {
    fact(out, &format!("{prefix}rows"), count(table.rows.len()));
    fact(out, &format!("{prefix}columns"), count(table.columns.len()));
    fact(out, &format!("{prefix}first_row"), count(table.first_row));
    for (c, column) in table.columns.iter().enumerate() {
        let values = table.rows.iter().map(|row| &row[c]);
        fact(out, &format!("{prefix}column {column}"), filled(values));
    }
}

#[cfg(feature = "table")]
fn parquet(path: &Path) -> Result<Facts> {
    let info = super::parquet::info(path)?;
    let mut out = Facts::new();
    fact(&mut out, "rows", count(info.rows));
    fact(&mut out, "columns", count(info.columns.len()));
    fact(&mut out, "row_groups", count(info.groups));
    fact(&mut out, "compression", info.compression);
    for (name, kind) in info.columns {
        fact(&mut out, &format!("column {name}"), kind);
    }
    for (name, value) in info.tags {
        fact(&mut out, &format!("tag {name}"), value);
    }
    Ok(out)
}

/// Type of a column by its values, and how many of them are there: `integers, 88 of 90, 330102 to 331181`.
#[cfg(any(feature = "vector", feature = "table"))]
fn filled<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let (mut all, mut texts, mut integers, mut reals) = (0, 0, 0, 0);
    let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        all += 1;
        match value {
            _ if value.is_null() => continue,
            Value::Text(_) => texts += 1,
            Value::Integer(_) => integers += 1,
            _ => reals += 1,
        }
        if let (Value::Integer(_) | Value::Real(_), Some(v)) = (value, value.as_f64()) {
            least = least.min(v);
            greatest = greatest.max(v);
        }
    }
    let there = texts + integers + reals;
    let kind = match (texts, integers, reals) {
        (0, 0, 0) => return format!("empty, 0 of {all}"),
        (0, _, 0) => "integers",
        (0, ..) => "reals",
        (_, 0, 0) => "text",
        _ => "text and numbers",
    };
    if least <= greatest {
        format!("{kind}, {there} of {all}, {least} to {greatest}")
    } else {
        format!("{kind}, {there} of {all}")
    }
}

#[cfg(test)]
#[cfg(all(
    feature = "geotiff",
    feature = "netcdf",
    feature = "vector",
    feature = "table"
))]
mod tests {
    use super::*;
    use crate::grid::Grid;
    use crate::io::parquet::{Column, ColumnData};
    use crate::io::table::Table;
    use crate::io::vector::{Feature, Layer};
    use crate::io::{geotiff, netcdf, parquet, table, vector};
    use crate::raster::Raster;
    use geo::point;
    use std::path::PathBuf;

    fn get<'a>(facts: &'a Facts, name: &str) -> &'a Value {
        let found = facts.iter().find(|(n, _)| n == name);
        &found.unwrap_or_else(|| panic!("{name}: {facts:?}")).1
    }

    fn raster() -> Raster<f32> {
        let crs = Crs::from_epsg(4549).unwrap();
        let grid = Grid::new(crs, (450_000.0, 3_300_000.0), (30.0, 25.0), (4, 5)).unwrap();
        Raster::filled(grid, 1.5)
    }

    #[test]
    fn rasters_and_grids() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tif");
        let tags = geotiff::Tags::from([("unit".to_string(), "m".to_string())]);
        let (depth, speed) = (raster(), raster());
        geotiff::write_bands_f32(&path, &[("depth_m", &depth), ("", &speed)], &tags).unwrap();
        let facts = describe(&path).unwrap();
        assert_eq!(facts[0], ("kind".into(), "raster".into()));
        assert_eq!(get(&facts, "rows"), &Value::Integer(4));
        assert_eq!(get(&facts, "columns"), &Value::Integer(5));
        assert_eq!(get(&facts, "crs"), &"EPSG:4549".into());
        assert_eq!(get(&facts, "cell_height_m"), &Value::Real(25.0));
        assert_eq!(get(&facts, "south"), &Value::Real(3_299_900.0));
        assert_eq!(get(&facts, "sample"), &"f32".into());
        assert_eq!(get(&facts, "nodata"), &"nan".into());
        assert_eq!(get(&facts, "compression"), &"deflate".into());
        assert_eq!(get(&facts, "band 1"), &"depth_m".into());
        assert_eq!(get(&facts, "tag unit"), &"m".into());

        let path = dir.path().join("a.nc");
        netcdf::write_f32(&path, "rain_mm", "mm", &raster()).unwrap();
        let facts = describe(&path).unwrap();
        assert_eq!(get(&facts, "kind"), &"grids".into());
        assert_eq!(get(&facts, "crs"), &"EPSG:4549".into());
        assert_eq!(get(&facts, "east"), &Value::Real(450_150.0));
        assert_eq!(
            get(&facts, "variable rain_mm"),
            &"f32 (y 4, x 5), mm".into()
        );
        assert_eq!(get(&facts, "tag Conventions"), &"CF-1.8".into());
    }

    #[test]
    fn layers_with_what_is_wrong_with_them() {
        let dir = tempfile::tempdir().unwrap();
        let layer = |x: f64, y: f64| Layer {
            source: PathBuf::new(),
            crs: Crs::CGCS2000,
            columns: vec!["代码".into(), "name".into()],
            features: vec![
                Feature {
                    geometry: point!(x: x, y: y).into(),
                    values: vec![Value::Integer(330_702), "婺城区".into()],
                },
                Feature {
                    geometry: point!(x: 120.0, y: 30.0).into(),
                    values: vec![Value::Integer(330_703), Value::Null],
                },
            ],
        };
        let path = dir.path().join("a.gpkg");
        vector::write_gpkg(
            &path,
            &[("towns", &layer(119.0, 29.0)), ("bad", &layer(29.0, 119.0))],
        )
        .unwrap();
        let facts = describe(&path).unwrap();
        assert_eq!(get(&facts, "towns: features"), &Value::Integer(2));
        assert_eq!(get(&facts, "towns: geometries"), &"2 point".into());
        assert_eq!(get(&facts, "towns: crs"), &"EPSG:4490".into());
        assert_eq!(
            get(&facts, "towns: column 代码"),
            &"integers, 2 of 2, 330702 to 330703".into()
        );
        assert_eq!(get(&facts, "towns: column name"), &"text, 1 of 2".into());
        assert!(get(&facts, "bad: warning").to_string().contains("swapped"));
        assert!(!facts.iter().any(|(n, _)| n == "towns: warning"));

        let path = dir.path().join("b.geojson");
        vector::write_geojson(&path, &layer(119.0, 29.0)).unwrap();
        let facts = describe(&path).unwrap();
        assert_eq!(get(&facts, "layer"), &"b".into());
        assert_eq!(get(&facts, "west"), &Value::Real(119.0));
    }

    #[test]
    fn tables() {
        let dir = tempfile::tempdir().unwrap();
        let mut people = Table::new(&["名称", "人口"]);
        people.rows = vec![
            vec!["婺城区".into(), Value::Integer(957_055)],
            vec!["金东区".into(), Value::Real(0.5)],
        ];
        let path = dir.path().join("a.csv");
        table::write_csv(&path, &people).unwrap();
        let facts = describe(&path).unwrap();
        assert_eq!(get(&facts, "rows"), &Value::Integer(2));
        assert_eq!(get(&facts, "first_row"), &Value::Integer(2));
        assert_eq!(
            get(&facts, "column 人口"),
            &"reals, 2 of 2, 0.5 to 957055".into()
        );
        let path = dir.path().join("a.xlsx");
        let empty = Table::new(&["x"]);
        table::write_xlsx(&path, &[("数据", &people), ("说明", &empty)]).unwrap();
        let facts = describe(&path).unwrap();
        assert_eq!(get(&facts, "数据: rows"), &Value::Integer(2));
        assert!(get(&facts, "说明: warning").to_string().contains("no rows"));

        let path = dir.path().join("a.parquet");
        let columns = [
            Column::new("event", ColumnData::U32(vec![1, 2, 3])),
            Column::new("unit", ColumnData::Text(vec!["a".into(); 3])),
        ];
        parquet::write(&path, &columns).unwrap();
        let facts = describe(&path).unwrap();
        assert_eq!(get(&facts, "rows"), &Value::Integer(3));
        assert_eq!(get(&facts, "column event"), &"INT32 (UINT_32)".into());
        assert_eq!(get(&facts, "column unit"), &"BYTE_ARRAY (UTF8)".into());
        assert!(get(&facts, "compression").to_string().contains("ZSTD"));
    }

    #[test]
    fn other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.docx");
        assert!(
            describe(&path)
                .unwrap_err()
                .to_string()
                .contains("no such file")
        );
        std::fs::write(&path, "x").unwrap();
        assert!(describe(&path).unwrap_err().to_string().contains(".docx"));
    }
}
