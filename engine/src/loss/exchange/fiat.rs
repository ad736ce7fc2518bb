//! Delft-FIAT: depth-damage curves, the table of objects, the flood map of one event.
//!
//! # References
//! Delft-FIAT 0.4 documentation (Deltares): vulnerability, exposure and hazard data; the table of curves begins with the
//! notes `#UNIT=…` and `#method,…`.

use super::columns::Columns;
use super::falls;
use crate::error::{Error, Fault, Result};
#[cfg(feature = "netcdf")]
use crate::events::Event;
#[cfg(feature = "netcdf")]
use crate::events::set::{Description, EventSetWriter};
#[cfg(feature = "netcdf")]
use crate::grid::Grid;
use crate::loss::{Curve, OutOfRange};
use std::path::Path;

/// Depths up to this are dry, m.
const DRY_M: f64 = 1e-4;

/// How the depths of the wet cells of an object become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverCells {
    /// Their mean; damage is that of the wet share of the object.
    Mean,
    /// The greatest; damage is that of the whole object.
    Greatest,
}

/// Reads `vulnerability_curves.csv`: depths in the first column, then one curve per column. Codes are the names of the
/// columns; the measure is `depth_m`, depths come in metres.
///
/// - Outside its points a curve holds its ends, as FIAT does: also below, where the water stands under the floor.
/// - The note `#method` is not read: FIAT 0.4 joins depths by their mean, whatever stands there.
///
/// # Errors
/// A unit that is not known, cells without a number.
pub fn curves(path: &Path) -> Result<Vec<Curve>> {
    let mut columns = Columns::open(path)?;
    let mut factor = 1.0;
    for note in &columns.notes {
        let lower = note.to_lowercase();
        let Some(unit) = lower.strip_prefix("unit=") else {
            continue;
        };
        factor = match unit.trim_end_matches(',').trim() {
            "m" | "meter" | "meters" | "metre" | "metres" => 1.0,
            "cm" | "centimeter" | "centimeters" => 0.01,
            "mm" | "millimeter" | "millimeters" => 0.001,
            "ft" | "foot" | "feet" => 0.3048,
            other => {
                let expected = "meter, centimeter, millimeter or feet";
                let fault = Fault::new(path, other, expected, "correct the note above the header");
                return Err(Error::input(fault.at(format!("#{note}"))));
            }
        };
    }
    let (mut depths, mut ratios) = (Vec::new(), vec![Vec::new(); columns.names().len()]);
    while columns.next()? {
        depths.push(factor * columns.number(0));
        for (i, list) in ratios.iter_mut().enumerate().skip(1) {
            list.push(columns.number(i));
        }
    }
    let names = columns.names().to_vec();
    columns.end()?;
    let of_columns = names.into_iter().zip(ratios).skip(1);
    Ok(of_columns
        .map(|(code, mdd)| Curve {
            code,
            measure: "depth_m".into(),
            intensity: depths.clone(),
            may_fall: falls(&mdd),
            mdd,
            below: OutOfRange::Hold,
            above: OutOfRange::Hold,
            ..Curve::default()
        })
        .collect())
}

/// One object of the exposure.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// `object_id`: names its geometry.
    pub id: String,
    /// `extract_method`: `area` (all cells that it touches) or `centroid`.
    pub method: String,
    /// Height of the floor above the ground, m.
    pub floor_m: f64,
    /// Height of the ground above the datum, m; of use where the hazard is a water level.
    pub ground_m: f64,
    /// Per kind of damage (`fn_damage_<kind>`, `max_damage_<kind>`): kind, curve, greatest damage.
    pub damages: Vec<(String, String, f64)>,
}

/// Reads the table of objects (`exposure.csv`), in the order of the file. A kind whose curve is blank is left out.
///
/// # Errors
/// A missing column, cells that are not what they should be, a curve without a greatest damage.
pub fn objects(path: &Path) -> Result<Vec<Object>> {
    let mut columns = Columns::open(path)?;
    let [id, method, floor] =
        columns.require([&["object_id"], &["extract_method"], &["ground_flht"]])?;
    let ground = columns.find(&["ground_elevtn"]);
    let mut kinds = Vec::new();
    for (i, name) in columns.names().iter().enumerate() {
        if let Some(kind) = name.strip_prefix("fn_damage_") {
            let greatest = format!("max_damage_{kind}");
            let [greatest] = columns.require([&[&greatest]])?;
            kinds.push((kind.to_string(), i, greatest));
        }
    }
    let mut objects = Vec::new();
    while columns.next()? {
        let mut damages = Vec::new();
        for (kind, curve, greatest) in &kinds {
            let name = columns.cell(*curve).to_string();
            if !name.is_empty() && name != "nan" {
                damages.push((kind.clone(), name, columns.amount(*greatest)));
            }
        }
        objects.push(Object {
            id: columns.cell(id).to_string(),
            method: columns.cell(method).to_string(),
            floor_m: columns.number(floor),
            ground_m: columns.maybe(ground).unwrap_or(0.0),
            damages,
        });
    }
    columns.end()?;
    Ok(objects)
}

/// Depth above the floor of an object, m, and the share of its value that this depth damages; `None` where it is dry.
///
/// `cells`: depths above the ground of the cells that it touches, m; NaN where there is no data.
pub fn object_depth(cells: &[f64], floor_m: f64, how: OverCells) -> Option<(f64, f64)> {
    let wet: Vec<f64> = cells.iter().copied().filter(|d| *d > DRY_M).collect();
    let greatest = wet.iter().copied().reduce(f64::max)?;
    Some(match how {
        OverCells::Greatest => (greatest - floor_m, 1.0),
        OverCells::Mean => {
            let mean = wet.iter().sum::<f64>() / wet.len() as f64;
            (mean - floor_m, wet.len() as f64 / cells.len() as f64)
        }
    })
}

/// Writes the flood map of one event (a NetCDF variable) as an event-set file with the measure `depth_m`: places are the
/// cells of the returned grid that are wet (deeper than 0.1 mm, as in FIAT).
///
/// # Errors
/// Those of [`crate::io::netcdf::read_f32`]; a grid of more than 2^32 cells.
#[cfg(feature = "netcdf")]
pub fn hazard(source: &Path, variable: &str, event: &Event, target: &Path) -> Result<Grid> {
    let raster = crate::io::netcdf::read_f32(source, variable, &[])?;
    if raster.data.len() >= u32::MAX as usize {
        return Err(Error::input(Fault::new(
            source,
            format!("{} cells", raster.data.len()),
            "fewer than 2^32",
            "cut the map into parts",
        )));
    }
    let mut place = Vec::new();
    let mut depth = Vec::new();
    for (i, d) in raster.data.iter().enumerate() {
        if f64::from(*d) > DRY_M {
            place.push(i as u32);
            depth.push(f64::from(*d));
        }
    }
    let description = Description {
        measures: vec!["depth_m".into()],
        double: false,
        probability: false,
        spread: false,
        note: "from a flood map; places are its cells, row by row from the north".into(),
    };
    let mut writer = EventSetWriter::create(target, description)?;
    writer.push(event, &place, &[&depth])?;
    writer.finish()?;
    Ok(raster.grid)
}

#[cfg(test)]
mod tests {
    use super::super::tests::shared;
    use super::*;
    use crate::events::set::EventSet;
    use crate::io::netcdf::read_f32;
    use crate::loss::Vulnerability;
    use crate::rasterize::coverage_runs;

    /// FIAT looks up depths rounded to its step of 1 cm.
    fn rounded(depth_m: f64) -> f64 {
        (100.0 * depth_m).round() / 100.0
    }

    #[cfg(feature = "netcdf")]
    #[test]
    fn objects_and_cells_of_the_test_model() {
        let Some(data) = shared("fiat") else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.events");
        let path = data.join("vulnerability/vulnerability_curves.csv");
        let curves = curves(&path).unwrap();
        let of: Vec<Vulnerability> = curves
            .iter()
            .map(|c| Vulnerability::from_curve(&path, c).unwrap())
            .collect();
        let objects = objects(&data.join("exposure/spatial.csv")).unwrap();
        assert_eq!(objects.len(), 5);
        assert_eq!(
            objects[1].damages,
            [("structure".to_string(), "struct_2".to_string(), 2000.0)]
        );
        let event = Event {
            id: 1,
            cause: 1,
            hazard: 0,
            rate_per_year: 0.01,
        };
        let map = data.join("hazard/event_map.nc");
        let grid = hazard(&map, "Band1", &event, &target).unwrap();
        assert_eq!((grid.rows, grid.cols), (10, 10));
        let set = EventSet::open(&target).unwrap();
        let block = set.block(0).unwrap();
        let mut depth = vec![0.0; 100];
        for i in block.rows(0) {
            depth[block.place[i] as usize] = block.measures[0].get(i);
        }
        // Geometries of the test model, as all cells that they touch.
        let ring = |points: &[[f64; 2]]| {
            let line = points.iter().map(|p| geo::Coord { x: p[0], y: p[1] });
            geo::MultiPolygon(vec![geo::Polygon::new(line.collect(), vec![])])
        };
        let second = ring(&[
            [4.395, 52.005],
            [4.395, 51.975],
            [4.415, 51.975],
            [4.415, 51.985],
            [4.405, 51.985],
            [4.405, 52.005],
        ]);
        let third = ring(&[[4.365, 51.9605], [4.375, 51.9895], [4.385, 51.9605]]);
        for (object, shape, touched, expected) in [
            (&objects[1], second, 10, 740.0),
            (&objects[2], third, 7, 1038.0),
        ] {
            let mut cells = Vec::new();
            for run in coverage_runs(&shape, &grid) {
                let first = (10 * run.row + run.col) as usize;
                cells.extend_from_slice(&depth[first..first + run.len as usize]);
            }
            assert_eq!(cells.len(), touched);
            let (at, share) = object_depth(&cells, object.floor_m, OverCells::Mean).unwrap();
            let (_, name, most) = &object.damages[0];
            let curve = of.iter().find(|v| v.code() == name).unwrap();
            let damage = most * share * curve.mean(rounded(at));
            // Written with two digits.
            assert!((damage - expected).abs() < 0.005, "{damage}");
        }
        // Cell by cell: the greatest damages of a raster; single precision.
        let most = read_f32(&data.join("exposure/spatial.nc"), "Band1", &[]).unwrap();
        let expected = read_f32(&data.join("output.nc"), "Band1", &[]).unwrap();
        for (i, d) in depth.iter().enumerate() {
            let (r, c) = (i / 10, i % 10);
            let damage = match object_depth(&[*d], 0.0, OverCells::Greatest) {
                Some((at, _)) => f64::from(most.data[[r, c]]) * of[0].mean(rounded(at)),
                None => 0.0,
            };
            let expected = f64::from(expected.data[[r, c]]);
            assert!(
                (damage - expected).abs() < 1e-6 * expected.max(1.0) + 1e-9,
                "{r} {c}: {damage} {expected}"
            );
        }
        assert_eq!(expected.data[[2, 4]], 1409.2);
        assert_eq!(expected.data[[7, 3]], 870.0);
    }

    #[test]
    fn depths_of_objects_and_bad_tables() {
        let cells = [0.0, 1.0, 2.0, f64::NAN];
        assert_eq!(object_depth(&cells, 0.5, OverCells::Mean), Some((1.0, 0.5)));
        assert_eq!(
            object_depth(&cells, 0.5, OverCells::Greatest),
            Some((1.5, 1.0))
        );
        assert_eq!(object_depth(&[0.0, f64::NAN], 0.0, OverCells::Mean), None);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.csv");
        std::fs::write(&path, "#UNIT=feet\ndepth,a\n0,0\n10,1\n").unwrap();
        assert!((curves(&path).unwrap()[0].intensity[1] - 3.048).abs() < 1e-15);
        std::fs::write(&path, "#UNIT=fathom\ndepth,a\n0,0\n10,1\n").unwrap();
        assert!(curves(&path).unwrap_err().to_string().contains("fathom"));
        std::fs::write(
            &path,
            "object_id,extract_method,ground_flht,fn_damage_x\n1,area,0,c\n",
        )
        .unwrap();
        assert!(
            objects(&path)
                .unwrap_err()
                .to_string()
                .contains("max_damage_x")
        );
    }
}
