//! Geometries as GeoPackage stores them: a header with the envelope, then well-known binary (OGC 12-128r18, 2.1.3;
//! OGC 06-103r4, 8.2). Third and fourth coordinates are read over.
//!
//! Our own reader, because a file may lie: counts are held against the bytes that are left before anything is
//! allocated, and nesting is bounded. Tests compare it with `geozero`.

use super::no_geometry;
use geo::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon,
};

const NESTING: u32 = 16;

/// What a blob held besides its shape.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded {
    pub(super) geometry: Geometry<f64>,
    /// Rings that were not closed, and are now.
    pub(super) closed_rings: usize,
}

/// Reads a GeoPackage blob.
///
/// # Errors
/// What is wrong with the blob, in words.
pub(super) fn decode(blob: &[u8]) -> Result<Decoded, String> {
    let mut r = Reader {
        left: blob,
        little: true,
        closed_rings: 0,
    };
    if r.take(2)? != b"GP" {
        return Err("a blob without the GeoPackage mark".into());
    }
    r.take(1)?;
    let flags = r.take(1)?[0];
    r.take(4)?;
    let envelope = match flags >> 1 & 7 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        n => return Err(format!("the envelope kind {n}")),
    };
    r.take(envelope)?;
    if flags & 0x20 != 0 {
        return Err("an extended geometry".into());
    }
    let geometry = r.geometry(0)?;
    Ok(Decoded {
        geometry,
        closed_rings: r.closed_rings,
    })
}

struct Reader<'a> {
    left: &'a [u8],
    little: bool,
    closed_rings: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        if n > self.left.len() {
            return Err("a geometry cut short".into());
        }
        let (head, tail) = self.left.split_at(n);
        self.left = tail;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32, String> {
        let mut b = [0; 4];
        b.copy_from_slice(self.take(4)?);
        Ok(if self.little {
            u32::from_le_bytes(b)
        } else {
            u32::from_be_bytes(b)
        })
    }

    fn f64(&mut self) -> Result<f64, String> {
        let mut b = [0; 8];
        b.copy_from_slice(self.take(8)?);
        Ok(if self.little {
            f64::from_le_bytes(b)
        } else {
            f64::from_be_bytes(b)
        })
    }

    /// A count of things that take at least `size` bytes each.
    fn count(&mut self, size: usize) -> Result<usize, String> {
        let n = self.u32()? as usize;
        if n.saturating_mul(size) > self.left.len() {
            return Err(format!("a count of {n} that the geometry cannot hold"));
        }
        Ok(n)
    }

    /// Kind (1..=7) and coordinates per vertex.
    fn head(&mut self) -> Result<(u32, usize), String> {
        self.little = self.take(1)?[0] != 0;
        let code = self.u32()?;
        // ISO adds thousands for z and m; EWKB, which some programs write, sets high bits.
        let ewkb = usize::from(code & 0x8000_0000 != 0) + usize::from(code & 0x4000_0000 != 0);
        if code & 0x2000_0000 != 0 {
            self.take(4)?;
        }
        let code = code & 0x0FFF_FFFF;
        let dimensions = match code / 1000 {
            0 => 2 + ewkb,
            1 | 2 => 3,
            3 => 4,
            _ => return Err(format!("the geometry type {code}")),
        };
        match code % 1000 {
            kind @ 1..=7 => Ok((kind, dimensions)),
            kind => Err(format!("the geometry type {kind} (a curve or surface)")),
        }
    }

    fn geometry(&mut self, depth: u32) -> Result<Geometry<f64>, String> {
        if depth > NESTING {
            return Err("collections nested too deep".into());
        }
        let (kind, dimensions) = self.head()?;
        Ok(match kind {
            1 => {
                let c = self.coord(dimensions)?;
                if c.x.is_nan() && c.y.is_nan() {
                    no_geometry()
                } else {
                    Point(c).into()
                }
            }
            2 => LineString(self.line(dimensions)?).into(),
            3 => {
                let n = self.count(4)?;
                let mut rings = Vec::with_capacity(n);
                for _ in 0..n {
                    let ring = self.line(dimensions)?;
                    if ring.first() != ring.last() {
                        self.closed_rings += 1;
                    }
                    rings.push(LineString(ring));
                }
                if rings.is_empty() {
                    Polygon::new(LineString(Vec::new()), Vec::new()).into()
                } else {
                    let outer = rings.remove(0);
                    Polygon::new(outer, rings).into()
                }
            }
            _ => {
                let n = self.count(9)?;
                let mut parts = Vec::with_capacity(n);
                for _ in 0..n {
                    parts.push(self.geometry(depth + 1)?);
                }
                assemble(kind, parts)?
            }
        })
    }

    fn line(&mut self, dimensions: usize) -> Result<Vec<Coord<f64>>, String> {
        let n = self.count(8 * dimensions)?;
        (0..n).map(|_| self.coord(dimensions)).collect()
    }

    fn coord(&mut self, dimensions: usize) -> Result<Coord<f64>, String> {
        let c = Coord {
            x: self.f64()?,
            y: self.f64()?,
        };
        self.take(8 * (dimensions - 2))?;
        Ok(c)
    }
}

fn assemble(kind: u32, parts: Vec<Geometry<f64>>) -> Result<Geometry<f64>, String> {
    let wrong = || "a collection with a part of another type".to_string();
    Ok(match kind {
        4 => MultiPoint(
            parts
                .into_iter()
                .map(|p| p.try_into().map_err(|_| wrong()))
                .collect::<Result<_, _>>()?,
        )
        .into(),
        5 => MultiLineString(
            parts
                .into_iter()
                .map(|p| p.try_into().map_err(|_| wrong()))
                .collect::<Result<_, _>>()?,
        )
        .into(),
        6 => MultiPolygon(
            parts
                .into_iter()
                .map(|p| p.try_into().map_err(|_| wrong()))
                .collect::<Result<_, _>>()?,
        )
        .into(),
        _ => Geometry::GeometryCollection(GeometryCollection(parts)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::CoordsIter;
    use geozero::{CoordDimensions, ToWkb};
    use proptest::prelude::*;

    fn shapes() -> Vec<Geometry<f64>> {
        let ring = |x: f64| {
            LineString::from(vec![
                (x, 0.0),
                (x + 1.0, 0.1),
                (x + 0.3, 1.0 / 3.0),
                (x, 0.0),
            ])
        };
        let hole = LineString::from(vec![(0.2, 0.1), (0.3, 0.1), (0.3, 0.15), (0.2, 0.1)]);
        let polygon = Polygon::new(ring(0.0), vec![hole]);
        vec![
            Point::new(120.1, 30.2).into(),
            LineString::from(vec![(0.1, 0.2), (1e-300, -1e300)]).into(),
            polygon.clone().into(),
            MultiPoint::from(vec![(1.0, 2.0), (3.0, 4.0)]).into(),
            MultiLineString(vec![ring(0.0), ring(5.0)]).into(),
            MultiPolygon(vec![polygon.clone(), Polygon::new(ring(7.0), vec![])]).into(),
            Geometry::GeometryCollection(GeometryCollection(vec![
                Point::new(1.0, 2.0).into(),
                polygon.into(),
            ])),
        ]
    }

    /// We read what geozero 0.15 writes.
    #[test]
    fn agrees_with_geozero() {
        for shape in shapes() {
            let theirs = encode(&shape);
            assert_eq!(decode(&theirs).unwrap().geometry, shape);
        }
    }

    fn encode(shape: &Geometry<f64>) -> Vec<u8> {
        shape
            .to_gpkg_wkb(CoordDimensions::xy(), Some(4490), vec![])
            .unwrap()
    }

    fn head(out: &mut Vec<u8>, kind: u32) {
        out.push(1);
        out.extend(kind.to_le_bytes());
    }

    #[test]
    fn open_rings_are_closed_and_counted() {
        let mut blob = b"GP\0\x01\0\0\0\0".to_vec();
        head(&mut blob, 3);
        blob.extend(1_u32.to_le_bytes());
        blob.extend(3_u32.to_le_bytes());
        for v in [0.0f64, 0.0, 1.0, 0.0, 1.0, 1.0] {
            blob.extend(v.to_le_bytes());
        }
        let read = decode(&blob).unwrap();
        assert_eq!(read.closed_rings, 1);
        assert_eq!(read.geometry.coords_count(), 4);
    }

    #[test]
    fn lying_counts_are_refused() {
        let mut blob = b"GP\0\x01\0\0\0\0".to_vec();
        head(&mut blob, 6);
        blob.extend(u32::MAX.to_le_bytes());
        assert!(decode(&blob).unwrap_err().contains("cannot hold"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..200, with in any::<u8>()) {
            let _ = decode(&bytes);
            bytes.splice(0..0, b"GP\0\x01\0\0\0\0\x01".iter().copied());
            let _ = decode(&bytes);
            for shape in shapes() {
                let mut blob = encode(&shape);
                let n = blob.len();
                blob[at % n] = with;
                let _ = decode(&blob);
                let _ = decode(&blob[..at % n]);
            }
        }
    }
}
