//! CLIMADA: hazards, centroids, impact functions, exposures.
//!
//! # References
//! Aznar-Siguan and Bresch (2019), GMD 12, 3085, doi:10.5194/gmd-12-3085-2019; CLIMADA 6.1 documentation, Hazard,
//! ImpactFunc and Exposures. Tables: `events.csv` (event_index, event_id, frequency), `footprint.csv` (event_index,
//! centroid_index, intensity), `centroids.csv` (lat, lon), `impact_functions.csv` (impf_id, intensity, mdd, paa),
//! `exposure.csv` (lat, lon, value, impf_…, centr_…).

#[cfg(feature = "netcdf")]
pub use super::climada_hdf5::hazard;

use super::columns::Columns;
use super::falls;
use crate::error::{Error, Fault, Result};
use crate::events::Event;
use crate::events::set::{Description, EventSetWriter};
use crate::loss::{Curve, OutOfRange};
use std::path::Path;

/// What a hazard file says besides its footprints.
#[derive(Debug, Clone, PartialEq)]
pub struct Hazard {
    /// Unit of the intensity, as written; empty where there is none.
    pub unit: String,
    /// Names of the events, in their order; empty where there are none.
    pub names: Vec<String>,
    /// Number of centroids: places are 0 to one less.
    pub centroids: usize,
    /// (longitude, latitude) of the centroids, degrees, where the file holds them as numbers.
    pub coordinates: Option<Vec<[f64; 2]>>,
}

pub(super) fn description(measure: &str) -> Description {
    Description {
        measures: vec![measure.into()],
        double: true,
        probability: false,
        spread: false,
        note: "from a CLIMADA hazard; places are centroids".into(),
    }
}

pub(super) fn event(id: u64, rate_per_year: f64) -> Event {
    Event {
        id,
        cause: id,
        hazard: 0,
        rate_per_year,
    }
}

#[cfg(feature = "netcdf")]
pub(super) fn check_frequency_unit(source: &Path, unit: &str) -> Result<()> {
    if unit.is_empty() || matches!(unit, "1/year" | "1/y" | "annual" | "per year") {
        return Ok(());
    }
    Err(Error::input(
        Fault::new(
            source,
            format!("`{unit}`"),
            "`1/year`",
            "bring the frequencies to occurrences per year",
        )
        .at("frequency_unit"),
    ))
}

/// Writes a hazard kept as two tables as an event-set file of one measure, f64: events (`event_index` from 0 in steps of
/// 1, `event_id`, `frequency` per year) and a footprint (`event_index`, `centroid_index`, and one more column, the
/// intensity). Places are centroid indices. Returns the event ids in their order.
///
/// - Intensities of 0 are left out, as in a sparse matrix.
/// - Memory for the table of events, and for one event's footprint.
///
/// # Errors
/// A missing column, cells that are not what they should be, rows of the footprint that do not ascend by event, an event
/// that is not in the table, a centroid twice in an event.
pub fn event_set(
    events: &Path,
    footprint: &Path,
    measure: &str,
    target: &Path,
) -> Result<Vec<u64>> {
    let mut columns = Columns::open(events)?;
    let [index, id, rate] =
        columns.require([&["event_index"], &["event_id"], &["frequency", "rate"]])?;
    let mut list: Vec<(u64, f64)> = Vec::new();
    while columns.next()? {
        let at = columns.whole(index, 0, u64::from(u32::MAX));
        if at != list.len() as u64 {
            let found = format!("index {at}");
            let expected = format!("{}, the next one", list.len());
            columns.fault(Some(index), found, &expected, "number the events from 0");
        }
        list.push((columns.whole(id, 0, u64::MAX), columns.amount(rate)));
    }
    columns.end()?;

    let mut columns = Columns::open(footprint)?;
    let [index, centroid] =
        columns.require([&["event_index"], &["centroid_index", "centroid_id"]])?;
    let value = other_column(footprint, &columns, &[index, centroid])?;
    let mut writer = EventSetWriter::create(target, description(measure))?;
    let mut next = 0;
    let mut rows: Vec<(u32, f64)> = Vec::new();
    let mut flush = |until: usize, next: &mut usize, rows: &mut Vec<(u32, f64)>| -> Result<()> {
        while *next < until {
            rows.sort_by_key(|r| r.0);
            rows.retain(|r| r.1 != 0.0);
            let place: Vec<u32> = rows.iter().map(|r| r.0).collect();
            let values: Vec<f64> = rows.iter().map(|r| r.1).collect();
            let (id, rate) = list[*next];
            writer.push(&event(id, rate), &place, &[&values])?;
            rows.clear();
            *next += 1;
        }
        Ok(())
    };
    while columns.next()? {
        let at = columns.whole(index, 0, list.len().saturating_sub(1) as u64) as usize;
        let row = (
            columns.whole(centroid, 0, u64::from(u32::MAX) - 1) as u32,
            columns.number(value),
        );
        if at < next && columns.sound() {
            let found = format!("event {at} after event {next}");
            let remedy = "sort the footprint by event_index";
            columns.fault(Some(index), found, "rows by ascending event", remedy);
        }
        if columns.sound() {
            // The rows belong to event `next`; what lies between strikes nothing.
            flush(at, &mut next, &mut rows)?;
            rows.push(row);
        }
    }
    columns.end()?;
    flush(list.len(), &mut next, &mut rows)?;
    writer.finish()?;
    Ok(list.into_iter().map(|e| e.0).collect())
}

/// The one column that is none of the others.
fn other_column(path: &Path, columns: &Columns, known: &[usize]) -> Result<usize> {
    let others: Vec<usize> = (0..columns.names().len())
        .filter(|c| !known.contains(c))
        .collect();
    if let [one] = others[..] {
        return Ok(one);
    }
    Err(Error::input(Fault::new(
        path,
        format!("columns {}", columns.names().join(", ")),
        "one column more, with the intensity",
        "leave out other columns",
    )))
}

/// Reads `centroids.csv` (`lat` and `lon`, degrees; also `latitude`, `longitude`) in its order: (longitude, latitude).
///
/// # Errors
/// A missing column, cells without a number.
pub fn centroids(path: &Path) -> Result<Vec<[f64; 2]>> {
    let mut columns = Columns::open(path)?;
    let [lon, lat] = columns.require([&["lon", "longitude"], &["lat", "latitude"]])?;
    let mut out = Vec::new();
    while columns.next()? {
        out.push([columns.number(lon), columns.number(lat)]);
    }
    columns.end()?;
    Ok(out)
}

/// Reads impact functions: `impf_id`, `mdd`, `paa` and one more column, the intensity; the rows of a function stand
/// together. One curve per function, its code the id, its measure `measure`.
///
/// Outside its points a function holds its ends, as numpy's `interp` does. Functions that fall are marked so.
///
/// # Errors
/// A missing column, cells that are not what they should be, a function in two places.
pub fn impact_functions(path: &Path, measure: &str) -> Result<Vec<Curve>> {
    let mut columns = Columns::open(path)?;
    let [id, mdd, paa] = columns.require([&["impf_id", "id"], &["mdd"], &["paa"]])?;
    let intensity = match columns.find(&["intensity"]) {
        Some(c) => c,
        None => other_column(path, &columns, &[id, mdd, paa])?,
    };
    let mut curves: Vec<Curve> = Vec::new();
    while columns.next()? {
        let code = columns.cell(id).to_string();
        if curves.last().is_none_or(|c| c.code != code) {
            if curves.iter().any(|c| c.code == code) {
                let found = format!("function {code} again");
                let remedy = "sort the rows by function";
                columns.fault(Some(id), found, "all rows of a function together", remedy);
            }
            curves.push(Curve {
                code,
                measure: measure.into(),
                below: OutOfRange::Hold,
                above: OutOfRange::Hold,
                ..Curve::default()
            });
        }
        let point = [intensity, mdd, paa].map(|c| columns.number(c));
        if let Some(curve) = curves.last_mut() {
            curve.intensity.push(point[0]);
            curve.mdd.push(point[1]);
            curve.paa.push(point[2]);
        }
    }
    columns.end()?;
    for curve in &mut curves {
        let means: Vec<f64> = curve
            .mdd
            .iter()
            .zip(&curve.paa)
            .map(|(d, p)| d * p)
            .collect();
        curve.may_fall = falls(&means);
    }
    Ok(curves)
}

/// One point of an exposure.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Longitude, degrees.
    pub lon: f64,
    /// Latitude, degrees.
    pub lat: f64,
    /// Value, in the unit of the exposure.
    pub value: f64,
    /// Id of its impact function: the code of its curve.
    pub function: String,
    /// Centroid that it belongs to, where the table says so; -1 in the table (none near) gives `None`.
    pub centroid: Option<u32>,
}

/// Reads an exposure: `lat` and `lon` (also `latitude`, `longitude`; degrees), `value`, the id of the impact function
/// (`impf_id`, or the first column that begins with `impf_` or `if_`) and, where it is there, the centroid
/// (`centroid_index`, or the first column that begins with `centr_`). In the order of the file.
///
/// # Errors
/// A missing column, cells that are not what they should be, negative values.
pub fn exposure(path: &Path) -> Result<Vec<Point>> {
    let mut columns = Columns::open(path)?;
    let begins = |prefixes: &[&str]| -> Option<usize> {
        let named = |n: &String| prefixes.iter().any(|p| n.to_lowercase().starts_with(p));
        columns.names().iter().position(named)
    };
    let function = columns
        .find(&["impf_id"])
        .or_else(|| begins(&["impf_", "if_"]));
    let centroid = columns
        .find(&["centroid_index"])
        .or_else(|| begins(&["centr_"]));
    let [lon, lat, value] =
        columns.require([&["lon", "longitude"], &["lat", "latitude"], &["value"]])?;
    let Some(function) = function else {
        return columns
            .require([&["impf_id", "impf_…"]])
            .map(|_| Vec::new());
    };
    let mut points = Vec::new();
    while columns.next()? {
        let near = match centroid {
            Some(c) if columns.maybe(centroid).is_some_and(|v| v != -1.0) => {
                Some(columns.whole(c, 0, u64::from(u32::MAX) - 1) as u32)
            }
            _ => None,
        };
        // Written as `1.0` where the column was one of floats.
        let id = columns.cell(function);
        let id = id.strip_suffix(".0").unwrap_or(id).to_string();
        points.push(Point {
            lon: columns.number(lon),
            lat: columns.number(lat),
            value: columns.amount(value),
            function: id,
            centroid: near,
        });
    }
    columns.end()?;
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::super::columns;
    use super::super::tests::shared;
    use super::*;
    use crate::events::set::EventSet;
    use crate::loss::Vulnerability;
    #[cfg(feature = "netcdf")]
    use std::path::PathBuf;

    #[test]
    fn tropical_cyclones_of_the_atlantic() {
        let Some(data) = shared("climada_tc") else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("tc.events");
        let (events, footprint) = (data.join("events.csv.gz"), data.join("footprint.csv.gz"));
        let ids = event_set(&events, &footprint, "wind_m_s", &target).unwrap();
        let set = EventSet::open(&target).unwrap();
        assert_eq!(
            (ids.len(), set.events(), set.rows()),
            (14_450, 14_450, 116_581)
        );
        assert_eq!(
            centroids(&data.join("centroids.csv")).unwrap()[1],
            [-84.0, 22.0]
        );

        let table = data.join("impact_functions.csv");
        let curves = impact_functions(&table, "wind_m_s").unwrap();
        assert_eq!(curves.len(), 2);
        let checked: Vec<Vulnerability> = curves
            .iter()
            .map(|c| Vulnerability::from_curve(&table, c).unwrap())
            .collect();
        let points = exposure(&data.join("exposure.csv")).unwrap();
        assert_eq!(points.len(), 50);
        let of_point: Vec<usize> = points
            .iter()
            .map(|p| curves.iter().position(|c| c.code == p.function).unwrap())
            .collect();

        let mut losses = vec![0.0; set.events()];
        let mut by_point = vec![0.0; points.len()];
        for b in 0..set.blocks() {
            let block = set.block(b).unwrap();
            for e in 0..block.len() {
                let rows = block.rows(e);
                for (p, point) in points.iter().enumerate() {
                    let places = &block.place[rows.clone()];
                    let Ok(at) = places.binary_search(&point.centroid.unwrap()) else {
                        continue;
                    };
                    let wind = block.measures[0].get(rows.start + at);
                    let loss = point.value * checked[of_point[p]].mean(wind);
                    losses[block.first_event + e] += loss;
                    by_point[p] += block.rate_per_year[e] * loss;
                }
            }
        }
        // 1e-12: sums of up to 1e5 positive doubles in another order, and polynomials in place of products of lines.
        let near = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        };
        near(by_point.iter().sum(), 6.512_201_157_564_421e9);
        near(losses[13_809], 1.472_482_938_320_243e8);
        near(losses[12_147], 7.076_504_723_057_62e10);
        let mut expected = columns::Columns::open(&data.join("expected_elt.csv.gz")).unwrap();
        let mut of_events = vec![0.0; losses.len()];
        while expected.next().unwrap() {
            let event = expected.whole(0, 0, 20_000) as usize;
            of_events[event] = expected.number(1);
        }
        for (found, expected) in losses.iter().zip(&of_events) {
            if *expected == 0.0 {
                assert_eq!(*found, 0.0);
            } else {
                near(*found, *expected);
            }
        }
        let mut expected = columns::Columns::open(&data.join("expected_eai.csv")).unwrap();
        for found in by_point {
            assert!(expected.next().unwrap());
            near(found, expected.number(0));
        }
    }

    #[cfg(feature = "netcdf")]
    fn fixture(name: &str, dir: &Path) -> PathBuf {
        use std::io::Read;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/climada");
        let mut bytes = Vec::new();
        columns::open_text(&source.join(name))
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        // One file, written anew in place: its second content must not be taken for the first.
        let path = dir.join("hazard.h5");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[cfg(feature = "netcdf")]
    #[test]
    fn hazards_in_hdf5() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.events");
        // (file, values of the first event): in the older one the fraction at centroid 3 is missing.
        for (name, first) in [
            ("hazard.h5.gz", vec![(1, 31.5), (3, 42.25)]),
            ("legacy.h5", vec![(1, 31.5)]),
            ("hazard.h5.gz", vec![(1, 31.5), (3, 42.25)]),
        ] {
            let source = fixture(name, dir.path());
            let said = hazard(&source, "wind_m_s", &target).unwrap();
            assert_eq!((said.unit.as_str(), said.centroids), ("m/s", 4));
            assert_eq!(said.names, ["first", "second", "fünfzehn"]);
            assert_eq!(said.coordinates.is_some(), name == "legacy.h5");
            if let Some(at) = said.coordinates {
                assert_eq!(at[2], [-83.0, 23.0]);
            }
            let set = EventSet::open(&target).unwrap();
            let block = set.block(0).unwrap();
            assert_eq!(block.id, [11, 12, 15]);
            assert_eq!(block.rate_per_year, [0.1, 0.02, 0.005]);
            let of = |e: usize| -> Vec<(u32, f64)> {
                let rows = block.rows(e);
                rows.map(|i| (block.place[i], block.measures[0].get(i)))
                    .collect()
            };
            assert_eq!(of(0), first);
            assert_eq!(of(1), []);
            assert_eq!(of(2), [(0, 20.125), (2, 55.0), (3, 0.1)]);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        let other = dir.path().join("a.h5");
        std::fs::write(&other, "not HDF5").unwrap();
        assert!(hazard(&other, "wind_m_s", &target).unwrap_err().is_input());
    }

    #[test]
    fn bad_tables_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let events = write(
            "e.csv",
            "event_index,event_id,frequency\n0,5,0.1\n1,6,0.2\n",
        );
        let target = dir.path().join("t.events");
        let footprint = write(
            "f.csv",
            "event_index,centroid_index,wind\n1,3,20\n0,1,30\n7,1,x\n",
        );
        let e = event_set(&events, &footprint, "wind_m_s", &target).unwrap_err();
        assert_eq!(e.faults().len(), 3, "{e}");
        assert!(e.to_string().contains("line 3") && !target.exists(), "{e}");
        let table = write(
            "p.csv",
            "lat,lon,value,impf_TC,centr_TC\n1,2,3,1.0,-1\n1,2,-3,1,0\n",
        );
        let e = exposure(&table).unwrap_err();
        assert!(e.to_string().contains("line 3, column value"), "{e}");
        let table = write("q.csv", "latitude,longitude,value\n1,2,3\n");
        assert!(
            exposure(&table)
                .unwrap_err()
                .to_string()
                .contains("impf_id")
        );
        let table = write(
            "i.csv",
            "impf_id,intensity,mdd,paa\n1,0,0,1\n2,0,0,1\n1,1,1,1\n",
        );
        assert!(impact_functions(&table, "x").unwrap_err().is_input());
    }
}
