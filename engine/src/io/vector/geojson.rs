//! GeoJSON (RFC 7946), with the older `crs` member (GeoJSON 2008, section 3), which GIS programs still write for other
//! systems than WGS 84. x stands first whatever the system says.

use super::{Feature, Layer, first_few, no_geometry};
use crate::crs::Crs;
use crate::error::{Error, Fault, Result};
use crate::io::{Value, write_atomic};
use ::geojson::{Geometry as Json, GeometryValue, PointType};
use geo::{Coord, Geometry, LineString, MultiPolygon, Polygon};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use std::fmt;
use std::path::Path;

/// The parts of a document that we read; foreign members pass.
#[derive(Deserialize)]
struct Document {
    r#type: String,
    crs: Option<serde_json::Value>,
    features: Option<Vec<Record>>,
    geometry: Option<serde_json::Value>,
    properties: Option<Pairs>,
}

#[derive(Deserialize)]
struct Record {
    geometry: Option<serde_json::Value>,
    properties: Option<Pairs>,
}

/// Properties in the order of the file, which a JSON map of the library does not keep.
#[derive(Default)]
struct Pairs(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of properties")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Seen)
    }
}

/// Reads a feature collection or one feature.
pub(super) fn read(path: &Path) -> Result<(Layer, Vec<String>)> {
    let bytes = std::fs::read(path).map_err(|e| Error::io("reading", path, e))?;
    let body = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let fault = |found: String, expected: &str| {
        Error::input(Fault::new(
            path,
            found,
            expected,
            "write the file again as GeoJSON (RFC 7946, UTF-8) with a GIS",
        ))
    };
    let document: Document = serde_json::from_slice(body)
        .map_err(|e| fault(e.to_string(), "a GeoJSON feature collection"))?;
    let crs = match &document.crs {
        None | Some(serde_json::Value::Null) => Crs::WGS84,
        Some(member) => named_system(member)
            .map_err(|found| fault(found, "CRS84 or an EPSG code of CGCS2000 or WGS 84"))?,
    };
    let records = match (document.r#type.as_str(), document.features) {
        ("FeatureCollection", Some(records)) => records,
        ("Feature", _) => vec![Record {
            geometry: document.geometry,
            properties: document.properties,
        }],
        (other, _) => {
            return Err(fault(
                format!("a document of type {other:?} without features"),
                "a FeatureCollection or a Feature",
            ));
        }
    };
    let mut layer = Layer {
        source: path.to_path_buf(),
        crs,
        columns: columns(&records),
        features: Vec::with_capacity(records.len()),
    };
    let mut notes = Vec::new();
    let mut faults = Vec::new();
    let mut seen = Care::default();
    for (i, record) in records.into_iter().enumerate() {
        let geometry = match record.geometry {
            None | Some(serde_json::Value::Null) => {
                seen.shapeless += 1;
                Ok(no_geometry())
            }
            Some(shape) => seen.geometry(shape),
        };
        match geometry {
            Ok(geometry) => {
                let mut values = vec![Value::Null; layer.columns.len()];
                for (name, value) in record.properties.unwrap_or_default().0 {
                    if let Some(column) = layer.columns.iter().position(|c| *c == name) {
                        values[column] = seen.value(value);
                    }
                }
                layer.features.push(Feature { geometry, values });
            }
            Err(found) => faults.push(
                Fault::new(
                    path,
                    found,
                    "a GeoJSON geometry with at least two numbers per position",
                    "write the file again with a GIS",
                )
                .at(format!("feature {}", i + 1)),
            ),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(first_few(faults, path)));
    }
    for (n, what) in [
        (seen.closed_rings, "rings were not closed and have been"),
        (seen.shapeless, "features without a shape"),
        (
            seen.nested,
            "lists or objects among the properties were kept as text",
        ),
    ] {
        if n > 0 {
            notes.push(format!("{n} {what}"));
        }
    }
    Ok((layer, notes))
}

/// Names of the properties in order of first appearance.
fn columns(records: &[Record]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for pairs in records.iter().filter_map(|r| r.properties.as_ref()) {
        // Nearly always the same names in the same order.
        let same = pairs.0.len() <= columns.len()
            && pairs.0.iter().zip(&columns).all(|((name, _), c)| name == c);
        if same {
            continue;
        }
        for (name, _) in &pairs.0 {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    columns
}

/// System of a `crs` member: `CRS84`, `EPSG:4490`, `urn:ogc:def:crs:EPSG::4490`, `http://.../EPSG/0/4490`.
fn named_system(member: &serde_json::Value) -> Result<Crs, String> {
    let name = member
        .pointer("/properties/name")
        .and_then(serde_json::Value::as_str)
        .ok_or_else(|| format!("the crs member {member}"))?;
    let upper = name.to_ascii_uppercase();
    if upper.ends_with("CRS84") {
        return Ok(Crs::WGS84);
    }
    let unknown = || format!("the coordinate system {name:?}");
    if !upper.contains("EPSG") {
        return Err(unknown());
    }
    upper
        .rsplit([':', '/', '#'])
        .next()
        .and_then(|code| code.parse().ok())
        .and_then(|code| Crs::from_epsg(code).ok())
        .ok_or_else(unknown)
}

/// Counts what the reader had to bend.
#[derive(Default)]
struct Care {
    closed_rings: usize,
    shapeless: usize,
    nested: usize,
}

impl Care {
    fn geometry(&mut self, shape: serde_json::Value) -> Result<Geometry<f64>, String> {
        let shape: Json = serde_json::from_value(shape).map_err(|e| e.to_string())?;
        self.convert(&shape.value)
    }

    fn convert(&mut self, shape: &GeometryValue) -> Result<Geometry<f64>, String> {
        Ok(match shape {
            GeometryValue::Point { coordinates } => {
                if coordinates.as_slice().is_empty() {
                    no_geometry()
                } else {
                    geo::Point(coord(coordinates)?).into()
                }
            }
            GeometryValue::MultiPoint { coordinates } => geo::MultiPoint(
                coordinates
                    .iter()
                    .map(|c| coord(c).map(geo::Point))
                    .collect::<Result<_, _>>()?,
            )
            .into(),
            GeometryValue::LineString { coordinates } => line(coordinates)?.into(),
            GeometryValue::MultiLineString { coordinates } => geo::MultiLineString(
                coordinates
                    .iter()
                    .map(|c| line(c))
                    .collect::<Result<_, _>>()?,
            )
            .into(),
            GeometryValue::Polygon { coordinates } => self.polygon(coordinates)?.into(),
            GeometryValue::MultiPolygon { coordinates } => MultiPolygon(
                coordinates
                    .iter()
                    .map(|rings| self.polygon(rings))
                    .collect::<Result<_, _>>()?,
            )
            .into(),
            GeometryValue::GeometryCollection { geometries } => {
                Geometry::GeometryCollection(geo::GeometryCollection(
                    geometries
                        .iter()
                        .map(|g| self.convert(&g.value))
                        .collect::<Result<_, _>>()?,
                ))
            }
        })
    }

    fn polygon(&mut self, rings: &[Vec<PointType>]) -> Result<Polygon<f64>, String> {
        let mut rings: Vec<LineString<f64>> =
            rings.iter().map(|r| line(r)).collect::<Result<_, _>>()?;
        self.closed_rings += rings.iter().filter(|r| r.0.first() != r.0.last()).count();
        if rings.is_empty() {
            return Ok(Polygon::new(LineString(Vec::new()), Vec::new()));
        }
        let outer = rings.remove(0);
        Ok(Polygon::new(outer, rings))
    }

    fn value(&mut self, value: serde_json::Value) -> Value {
        use serde_json::Value as J;
        match value {
            J::Null => Value::Null,
            J::Bool(b) => Value::Integer(i64::from(b)),
            J::String(s) => Value::Text(s),
            J::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(i), _) => Value::Integer(i),
                (None, Some(r)) => Value::Real(r),
                (None, None) => Value::Text(n.to_string()),
            },
            nested => {
                self.nested += 1;
                Value::Text(nested.to_string())
            }
        }
    }
}

fn coord(position: &PointType) -> Result<Coord<f64>, String> {
    match position.as_slice() {
        &[x, y, ..] => Ok(Coord { x, y }),
        short => Err(format!("the position {short:?}")),
    }
}

fn line(positions: &[PointType]) -> Result<LineString<f64>, String> {
    positions.iter().map(coord).collect()
}

/// Writes GeoJSON with its system in the `crs` member. A feature without a shape gets a null geometry, a real that is
/// not a number becomes null.
///
/// # Errors
/// The file cannot be written.
pub fn write_geojson(path: &Path, layer: &Layer) -> Result<()> {
    let mut out = format!(
        "{{\"type\":\"FeatureCollection\",\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\"urn:ogc:def:crs:EPSG::{}\"}}}},\"features\":[",
        layer.crs.epsg()
    );
    for (i, feature) in layer.features.iter().enumerate() {
        let geometry = if feature.geometry == no_geometry() {
            "null".to_string()
        } else {
            ::geojson::Geometry::from(&feature.geometry).to_string()
        };
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
        std::fs::write(tmp, &out).map_err(|e| Error::io("writing", path, e))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::vector::read_noted;
    use geo::{point, polygon};

    fn written(text: &str) -> Result<(Layer, Vec<String>)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.geojson");
        std::fs::write(&path, text).unwrap();
        read_noted(&path, None)
    }

    #[test]
    fn a_layer_goes_out_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.geojson");
        let layer = Layer {
            source: path.clone(),
            crs: Crs::CGCS2000,
            columns: vec!["名称".into(), "gdp".into(), "n".into()],
            features: vec![
                Feature {
                    geometry: polygon![(x: 0.1, y: 0.0), (x: 0.0, y: 1.0), (x: 1.0 / 3.0, y: 0.0)]
                        .into(),
                    values: vec![
                        Value::Text("西湖区\n\"".into()),
                        Value::Real(3.0),
                        Value::Integer(3),
                    ],
                },
                Feature {
                    geometry: no_geometry(),
                    values: vec![Value::Null, Value::Real(f64::NAN), Value::Null],
                },
            ],
        };
        write_geojson(&path, &layer).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("urn:ogc:def:crs:EPSG::4490"));
        let (read, notes) = read_noted(&path, None).unwrap();
        assert_eq!(read.crs, Crs::CGCS2000);
        assert_eq!(read.columns, layer.columns);
        assert_eq!(read.features[0], layer.features[0]);
        assert_eq!(read.features[1].values, vec![Value::Null; 3]);
        assert_eq!(read.features[1].geometry, no_geometry());
        assert_eq!(notes, ["1 features without a shape"]);
    }

    #[test]
    fn systems_are_told_in_many_ways() {
        let with = |crs: &str| {
            written(&format!(
                r#"{{"type":"FeatureCollection",{crs}"features":[{{"type":"Feature","properties":null,"geometry":{{"type":"Point","coordinates":[120,30,5]}}}}]}}"#
            ))
        };
        let named = |name: &str| {
            with(&format!(
                r#""crs":{{"type":"name","properties":{{"name":"{name}"}}}},"#
            ))
        };
        assert_eq!(with("").unwrap().0.crs, Crs::WGS84);
        assert_eq!(
            with("").unwrap().0.features[0].geometry,
            point!(x: 120.0, y: 30.0).into()
        );
        assert_eq!(
            named("urn:ogc:def:crs:OGC:1.3:CRS84").unwrap().0.crs,
            Crs::WGS84
        );
        assert_eq!(
            named("urn:ogc:def:crs:EPSG::4549").unwrap().0.crs.epsg(),
            4549
        );
        assert_eq!(named("EPSG:4490").unwrap().0.crs, Crs::CGCS2000);
        assert!(named("urn:ogc:def:crs:EPSG::2437").unwrap_err().is_input());
        assert!(named("GCJ-02").is_err());
    }

    #[test]
    fn faults_have_a_place() {
        let bad = written(
            r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[120,30]}},{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[1],[2]]}}]}"#,
        )
        .unwrap_err();
        assert!(bad.to_string().contains("feature 2"), "{bad}");
        assert!(
            written("{\"type\":\"FeatureCollection\"")
                .unwrap_err()
                .is_input()
        );
        assert!(written("{\"type\":\"Topology\"}").unwrap_err().is_input());
        let (open, notes) = written(
            r#"{"type":"Feature","properties":{"b":true,"a":[1]},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}}"#,
        )
        .unwrap();
        assert_eq!(open.columns, ["b", "a"]);
        assert_eq!(open.features[0].values[0], Value::Integer(1));
        assert_eq!(notes.len(), 2);
    }
}
