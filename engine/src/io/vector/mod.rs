//! Vector files: GeoPackage, GeoJSON and Shapefile read; GeoPackage and GeoJSON written.
//!
//! Coordinates are always x = easting or longitude, y = northing or latitude, as these formats store them whatever the
//! axis order of the EPSG entry. What a reader had to assume or leave out is said by [`read_noted`]; what it cannot
//! trust is a fault.

mod dbf;
mod geojson;
mod geopackage;
mod shapefile;
mod wkb;

pub use geojson::write_geojson;
pub use geopackage::write_gpkg;

use super::Value;
use crate::crs::{Crs, Projector};
use crate::error::{Error, Fault, Result};
use crate::grid::Bounds;
use geo::{CoordsIter, Geometry, GeometryCollection, MapCoords, MultiPolygon};
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
/// The file is missing, damaged, of another kind, empty, or without a known system; coordinates that cannot belong to
/// it; features without a shape.
pub fn read(path: &Path) -> Result<Layer> {
    let (layer, _) = read_noted(path, None)?;
    if layer.features.is_empty() {
        return Err(damaged(path, "no features".into()));
    }
    shaped(layer)?.check_coordinates()
}

/// Reads a feature table of a GeoPackage: the one named, or the first.
///
/// # Errors
/// The file is no GeoPackage, has no such table, an unknown system, or features without a shape.
pub fn read_gpkg(path: &Path, table: Option<&str>) -> Result<Layer> {
    geopackage::read(path, table).and_then(|(layer, _)| shaped(layer))
}

/// Reads a layer as it stands, with what the reader assumed or left out: an encoding that no file tells, deleted rows,
/// binary values, rings that were open. A feature without a shape has the empty collection. Only a GeoPackage holds
/// several layers; `layer` is ignored for other files.
///
/// # Errors
/// As [`read`], but the layer may be empty, lack shapes, or lie where its system does not reach.
pub fn read_noted(path: &Path, layer: Option<&str>) -> Result<(Layer, Vec<String>)> {
    fs::metadata(path).map_err(|e| Error::io("reading", path, e))?;
    match extension(path).as_str() {
        "geojson" | "json" => geojson::read(path),
        "gpkg" => geopackage::read(path, layer),
        "shp" => shapefile::read(path),
        other => Err(damaged(path, format!("a file ending in .{other}"))),
    }
}

/// Names of the feature tables of a GeoPackage; one name (the file's stem) for other files.
///
/// # Errors
/// An unreadable file.
pub fn layer_names(path: &Path) -> Result<Vec<String>> {
    match extension(path).as_str() {
        "gpkg" => geopackage::layer_names(path),
        _ => Ok(path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .into_iter()
            .collect()),
    }
}

fn extension(path: &Path) -> String {
    path.extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}

/// Stands for "no shape" in a [`Feature`].
fn no_geometry() -> Geometry<f64> {
    Geometry::GeometryCollection(GeometryCollection(Vec::new()))
}

fn shaped(layer: Layer) -> Result<Layer> {
    let shapeless = |f: &Feature| f.geometry == no_geometry();
    let Some(first) = layer.features.iter().position(shapeless) else {
        return Ok(layer);
    };
    let count = layer.features.iter().filter(|f| shapeless(f)).count();
    Err(Error::input(
        Fault::new(
            &layer.source,
            format!(
                "no geometry in {count} of {} features",
                layer.features.len()
            ),
            "a geometry in every feature",
            "draw the missing shapes or delete these features",
        )
        .at(format!("feature {}", first + 1)),
    ))
}

fn damaged(path: &Path, found: String) -> Error {
    Error::input(Fault::new(
        path,
        found,
        "a GeoPackage (.gpkg), GeoJSON (.geojson) or Shapefile (.shp) with features",
        "check that the file was copied whole, or export it again",
    ))
}

/// The first few faults, and one that counts the others.
fn first_few(mut faults: Vec<Fault>, file: &Path) -> Vec<Fault> {
    const SHOWN: usize = 5;
    let all = faults.len();
    if all > SHOWN {
        faults.truncate(SHOWN);
        faults.push(Fault::new(
            file,
            format!("{} more of the same kind ({all} in all)", all - SHOWN),
            "none",
            "mend the named ones first: most have one cause",
        ));
    }
    faults
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
}
