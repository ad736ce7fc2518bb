//! Delft-FIAT: depth-damage curves, the table of objects, the flood map of one event.
//!
//! # References
//! Delft-FIAT 0.4 documentation (Deltares): vulnerability, exposure and hazard data; the table of curves begins with the
//! notes `#UNIT=…` and `#method,…`.

use super::columns::Columns;
use super::falls;
use crate::error::{Error, Fault, Result};
use crate::events::Event;
use crate::events::set::{Description, EventSetWriter};
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

/// Reads `vulnerability_curves.csv`: depths in the first column, then one curve per column, with the way in which depths
/// of an object are joined. Codes are the names of the columns; the measure is `depth_m`, depths come in metres.
///
/// Outside its points a curve holds its ends, as FIAT does: also below, where the water stands under the floor.
///
/// # Errors
/// A unit or a method that is not known, cells without a number.
pub fn curves(path: &Path) -> Result<Vec<(Curve, OverCells)>> {
    let mut columns = Columns::open(path)?;
    let mut factor = 1.0;
    let mut methods = vec![OverCells::Mean; columns.names().len()];
    for note in columns.notes.clone() {
        let lower = note.to_lowercase();
        let bad = |found: &str, expected: &str| {
            let fault = Fault::new(path, found, expected, "correct the notes above the header");
            Err(Error::input(fault.at(format!("#{note}"))))
        };
        if let Some(unit) = lower.strip_prefix("unit=") {
            factor = match unit.trim().trim_end_matches(',') {
                "m" | "meter" | "meters" | "metre" | "metres" => 1.0,
                "cm" | "centimeter" | "centimeters" => 0.01,
                "mm" | "millimeter" | "millimeters" => 0.001,
                "ft" | "foot" | "feet" => 0.3048,
                other => return bad(other, "meter, centimeter, millimeter or feet"),
            };
        } else if let Some(list) = lower.strip_prefix("method,") {
            for (i, method) in list.split(',').enumerate() {
                let slot = methods.get_mut(i + 1);
                match (method.trim(), slot) {
                    ("mean", Some(slot)) => *slot = OverCells::Mean,
                    ("max", Some(slot)) => *slot = OverCells::Greatest,
                    ("", _) => {}
                    (other, _) => return bad(other, "mean or max, one per curve"),
                }
            }
        }
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
    let of_columns = names.into_iter().zip(ratios).zip(methods).skip(1);
    Ok(of_columns
        .map(|((code, mdd), method)| {
            let curve = Curve {
                code,
                measure: "depth_m".into(),
                intensity: depths.clone(),
                may_fall: falls(&mdd),
                mdd,
                below: OutOfRange::Hold,
                above: OutOfRange::Hold,
                ..Curve::default()
            };
            (curve, method)
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
    use crate::loss::Vulnerability;

    /// FIAT looks up depths rounded to its step of 1 cm.
    fn rounded(depth_m: f64) -> f64 {
        (100.0 * depth_m).round() / 100.0
    }

    #[test]
    fn objects_and_cells_of_the_test_model() {
        let Some(data) = shared("fiat") else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.events");
        let path = data.join("vulnerability/vulnerability_curves.csv");
        let curves = curves(&path).unwrap();
        assert_eq!(curves[0].1, OverCells::Mean);
        assert_eq!(curves[1].1, OverCells::Greatest);
        let of: Vec<Vulnerability> = curves
            .iter()
            .map(|c| Vulnerability::from_curve(&path, &c.0).unwrap())
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
        println!("{depth:?}");
    }
}
