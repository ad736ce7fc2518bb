//! Shapefile (ESRI 1998): `.shp` with its `.dbf`, `.prj` and `.cpg`.

use super::{Feature, Layer, dbf, no_geometry};
use crate::crs::Crs;
use crate::error::{Error, Fault, Result};
use crate::wkt;
use ::shapefile::record::polygon::GenericPolygon;
use ::shapefile::{PolygonRing, Shape, ShapeReader};
use geo::coordinate_position::{CoordPos, CoordinatePosition};
use geo::{Area, BoundingRect, Coord, Geometry, LineString, MultiPolygon, Polygon};
use std::path::{Path, PathBuf};

/// Reads a Shapefile.
pub(super) fn read(path: &Path) -> Result<(Layer, Vec<String>)> {
    let crs = system(path)?;
    let shapes = shapes(path)?;
    let cpg = match companion(path, "cpg") {
        Some(cpg) => Some(
            std::fs::read(&cpg)
                .map(|b| String::from_utf8_lossy(&b).into_owned())
                .map_err(|e| Error::io("reading", &cpg, e))?,
        ),
        None => None,
    };
    let mut layer = Layer {
        source: path.to_path_buf(),
        crs,
        columns: Vec::new(),
        features: Vec::with_capacity(shapes.len()),
    };
    let mut notes = Vec::new();
    let records = match companion(path, "dbf") {
        Some(dbf) => {
            let read = dbf::read(&dbf, cpg.as_deref())?;
            if read.rows.len() != shapes.len() {
                return Err(Error::input(Fault::new(
                    path,
                    format!("{} shapes and {} rows", shapes.len(), read.rows.len()),
                    "one row in the .dbf for every shape in the .shp",
                    "copy the Shapefile again with all its parts, or export it again",
                )));
            }
            layer.columns = read.columns;
            notes = read.notes;
            read.rows
        }
        None => {
            notes.push("no .dbf file: no attributes".into());
            vec![Some(Vec::new()); shapes.len()]
        }
    };
    let (mut shapeless, mut deleted, mut orphans) = (0, 0, 0);
    for (shape, values) in shapes.into_iter().zip(records) {
        let Some(values) = values else {
            deleted += 1;
            continue;
        };
        let geometry = convert(shape, &mut orphans);
        if geometry == no_geometry() {
            shapeless += 1;
        }
        layer.features.push(Feature { geometry, values });
    }
    for (n, what) in [
        (shapeless, "features without a shape"),
        (deleted, "features marked as deleted were left out"),
        (
            orphans,
            "holes without a polygon around them were read as polygons",
        ),
    ] {
        if n > 0 {
            notes.push(format!("{n} {what}"));
        }
    }
    Ok((layer, notes))
}

/// The file beside `path` with another extension, in lower or upper case.
fn companion(path: &Path, extension: &str) -> Option<PathBuf> {
    [extension.to_string(), extension.to_uppercase()]
        .into_iter()
        .map(|e| path.with_extension(e))
        .find(|p| p.is_file())
}

fn system(path: &Path) -> Result<Crs> {
    let Some(prj) = companion(path, "prj") else {
        // A missing .shp should be told as such.
        std::fs::metadata(path).map_err(|e| Error::io("reading", path, e))?;
        return Err(Error::input(Fault::new(
            path.with_extension("prj"),
            "no .prj file",
            "the coordinate system in a .prj file beside the .shp",
            "copy the .prj too, or export the layer with its projection",
        )));
    };
    let bytes = std::fs::read(&prj).map_err(|e| Error::io("reading", &prj, e))?;
    wkt::recognise(&String::from_utf8_lossy(&bytes)).map_err(|unknown| {
        Error::input(Fault::new(
            &prj,
            unknown.found,
            "CGCS2000 or WGS 84, geographic, Gauss-Kruger or UTM",
            unknown.remedy,
        ))
    })
}

fn shapes(path: &Path) -> Result<Vec<Shape>> {
    let file = std::fs::File::open(path).map_err(|e| Error::io("reading", path, e))?;
    let broken = |place: String, e: ::shapefile::Error| {
        Error::input(
            Fault::new(
                path,
                e.to_string(),
                "a Shapefile",
                "copy the Shapefile again with all its parts, or export it again",
            )
            .at(place),
        )
    };
    let mut reader =
        ShapeReader::new(std::io::BufReader::new(file)).map_err(|e| broken("header".into(), e))?;
    let mut shapes = Vec::new();
    for shape in reader.iter_shapes() {
        shapes.push(shape.map_err(|e| broken(format!("feature {}", shapes.len() + 1), e))?);
    }
    Ok(shapes)
}

fn convert(shape: Shape, orphans: &mut usize) -> Geometry<f64> {
    match shape {
        Shape::Polygon(p) => polygon(p, orphans),
        Shape::PolygonM(p) => polygon(p, orphans),
        Shape::PolygonZ(p) => polygon(p, orphans),
        other => match Geometry::try_from(other) {
            // One part is a plain line.
            Ok(Geometry::MultiLineString(mut m)) if m.0.len() == 1 => m.0.remove(0).into(),
            Ok(geometry) => geometry,
            // Only the null shape (and a multipatch of loose triangles) has no counterpart.
            Err(_) => no_geometry(),
        },
    }
}

/// Rings to polygons. A Shapefile does not say which hole belongs to which ring, nor in which order they stand: a hole
/// goes to the smallest ring around it; one with no ring around it was turned the wrong way and is a polygon itself.
fn polygon<P>(shape: GenericPolygon<P>, orphans: &mut usize) -> Geometry<f64>
where
    Coord<f64>: From<P>,
{
    let mut outer: Vec<Polygon<f64>> = Vec::new();
    let mut holes: Vec<LineString<f64>> = Vec::new();
    for ring in shape.into_inner() {
        let (points, hole) = match ring {
            PolygonRing::Outer(points) => (points, false),
            PolygonRing::Inner(points) => (points, true),
        };
        let line: LineString<f64> = points.into_iter().map(Coord::from).collect();
        if line.0.is_empty() {
            continue;
        }
        if hole {
            holes.push(line);
        } else {
            outer.push(Polygon::new(line, Vec::new()));
        }
    }
    let solid: Vec<(Polygon<f64>, f64)> = outer
        .iter()
        .map(|p| (p.clone(), p.unsigned_area()))
        .collect();
    for hole in holes {
        let home = if solid.len() == 1 {
            Some(0)
        } else {
            solid
                .iter()
                .enumerate()
                .filter(|(_, (p, _))| surrounds(p, &hole))
                .min_by(|a, b| a.1.1.total_cmp(&b.1.1))
                .map(|(i, _)| i)
        };
        match home {
            Some(i) => outer[i].interiors_push(hole),
            None => {
                *orphans += 1;
                outer.push(Polygon::new(hole, Vec::new()));
            }
        }
    }
    match outer.len() {
        0 => no_geometry(),
        1 => outer.remove(0).into(),
        _ => MultiPolygon(outer).into(),
    }
}

/// Does the ring surround the hole? Rings do not cross, so the first vertex off the boundary decides.
fn surrounds(polygon: &Polygon<f64>, hole: &LineString<f64>) -> bool {
    let (Some(a), Some(b)) = (polygon.bounding_rect(), hole.bounding_rect()) else {
        return false;
    };
    if b.min().x < a.min().x
        || b.max().x > a.max().x
        || b.min().y < a.min().y
        || b.max().y > a.max().y
    {
        return false;
    }
    hole.0
        .iter()
        .map(|c| polygon.coordinate_position(c))
        .find(|position| *position != CoordPos::OnBoundary)
        != Some(CoordPos::Outside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Value;
    use crate::io::vector::{dbf::tests::table, read_noted};
    use ::shapefile::{Point, ShapeWriter};

    fn ring(x: f64, y: f64, r: f64) -> Vec<Point> {
        [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)]
            .into_iter()
            .map(|(a, b)| Point::new(x + r * a, y + r * b))
            .collect()
    }

    fn write(
        dir: &Path,
        shapes: &[::shapefile::Polygon],
        prj: Option<Crs>,
        rows: usize,
    ) -> PathBuf {
        let path = dir.join("区县.shp");
        ShapeWriter::from_path(&path)
            .unwrap()
            .write_shapes(shapes)
            .unwrap();
        if let Some(crs) = prj {
            std::fs::write(path.with_extension("prj"), crs.wkt()).unwrap();
        }
        let cell: &[&[u8]] = &["西湖区".as_bytes()];
        let rows: Vec<&[&[u8]]> = vec![cell; rows];
        std::fs::write(
            path.with_extension("dbf"),
            table(&[(b"NAME", b'C', 12)], &rows),
        )
        .unwrap();
        path
    }

    #[test]
    fn holes_find_their_rings() {
        let dir = tempfile::tempdir().unwrap();
        // A lake in the first ring, an island in the lake, a lake on the island; the holes stand last and in the wrong
        // order.
        let shape = ::shapefile::Polygon::with_rings(vec![
            PolygonRing::Outer(ring(0.0, 0.0, 10.0)),
            PolygonRing::Outer(ring(4.0, 4.0, 2.0)),
            PolygonRing::Inner(ring(4.5, 4.5, 0.5)),
            PolygonRing::Inner(ring(2.0, 2.0, 6.0)),
        ]);
        let path = write(dir.path(), &[shape], Some(Crs::CGCS2000), 1);
        let layer = read_noted(&path, None).unwrap().0;
        assert_eq!(layer.crs, Crs::CGCS2000);
        assert_eq!(layer.features[0].values, [Value::Text("西湖区".into())]);
        let m = layer.polygons(0).unwrap();
        assert_eq!(m.0.len(), 2);
        assert_eq!(m.0[0].unsigned_area(), 100.0 - 36.0);
        assert_eq!(m.0[1].unsigned_area(), 4.0 - 0.25);
    }

    #[test]
    fn parts_that_lack_or_disagree_are_faults() {
        let dir = tempfile::tempdir().unwrap();
        let square = ::shapefile::Polygon::new(PolygonRing::Outer(ring(119.0, 29.0, 1.0)));
        let path = write(dir.path(), std::slice::from_ref(&square), None, 1);
        let error = read_noted(&path, None).unwrap_err();
        assert!(error.to_string().contains("no .prj"), "{error}");
        let path = write(dir.path(), &[square], Some(Crs::CGCS2000), 2);
        let error = read_noted(&path, None).unwrap_err();
        assert!(error.to_string().contains("1 shapes and 2 rows"), "{error}");
        let bytes = std::fs::read(&path).unwrap();
        for n in (0..bytes.len()).step_by(7) {
            std::fs::write(&path, &bytes[..n]).unwrap();
            assert!(read_noted(&path, None).is_err());
        }
        assert!(
            read_noted(&dir.path().join("none.shp"), None)
                .unwrap_err()
                .is_input()
        );
    }
}
