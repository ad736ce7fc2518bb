//! All inputs of a project, read and checked before anything is computed or written.

use super::exposure_inputs::{self, ExposureInputs};
use crate::map::{interior, window_of};
use crate::project::Project;
use anlan_engine::datum::{Shift, detect_shift};
use anlan_engine::io::vector::{Feature, Layer};
use anlan_engine::io::{Value, geotiff, table, vector};
use anlan_engine::{Bounds, Crs, Error, Fault, Grid, Projector, Raster, Result};
use anlan_models::census::check::{check, resolve};
use anlan_models::census::table::ColumnDictionary;
use anlan_models::census::township::Township;
use anlan_models::census::{
    Crosswalk, Finding, HistoryDictionary, HistoryEvent, Record, Severity, read_history,
    read_records,
};
use anlan_models::geology::sites::read_sites;
use anlan_models::relief::{Depot, Shelter, read_depots, read_shelters};
use geo::{Centroid, MultiPolygon};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A statistical unit: its census record and its border.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Division code.
    pub code: String,
    /// Name, from the border file.
    pub name: String,
    /// Census record, resolved to the border's code.
    pub record: Record,
    /// Border in the compute CRS.
    pub border: MultiPolygon<f64>,
}

/// A settlement.
#[derive(Debug, Clone)]
pub struct Place {
    /// Name.
    pub name: String,
    /// x in the compute CRS, m.
    pub x: f64,
    /// y in the compute CRS, m.
    pub y: f64,
    /// Residents; 0 where unknown.
    pub population: f64,
}

/// Everything a project is made from.
#[derive(Debug)]
pub struct Inputs {
    /// The compute grid.
    pub grid: Grid,
    /// Elevation, m, in its own grid.
    pub dem: Raster<f32>,
    /// Land cover, in its own grid.
    pub land_cover: Raster<u8>,
    /// Units in order of code.
    pub units: Vec<Unit>,
    /// Townships with their borders, if given, in order of code.
    pub townships: Option<Vec<(Township, MultiPolygon<f64>)>>,
    /// Borders of the level above, compute CRS.
    pub region: Vec<MultiPolygon<f64>>,
    /// Settlements within the grid.
    pub places: Vec<Place>,
    /// Relief depots, if given.
    pub depots: Option<Vec<Depot>>,
    /// Shelters, if given.
    pub shelters: Option<Vec<Shelter>>,
    /// Hidden-danger sites, if given: the checked table.
    pub danger_sites: Option<table::Table>,
    /// Historical disasters, if given.
    pub history: Option<Vec<HistoryEvent>>,
    /// What the project gives for the exposure beyond the census.
    pub exposure: ExposureInputs,
    /// Findings of the census check.
    pub findings: Vec<Finding>,
    /// What was normalised or filled in.
    pub notes: Vec<String>,
}

/// Reads and checks all inputs of a project.
///
/// # Errors
/// All faults that could be found, together: missing or damaged files, wrong systems, swapped axes, shifted borders,
/// extents that do not meet, wrong units, and every fault of the tables.
pub fn read(project: &Project, project_file: &Path) -> Result<Inputs> {
    let crs = Crs::from_epsg(project.grid.epsg)?;
    let mut faults = Vec::new();
    let file = |name: &str| -> PathBuf {
        project
            .files(project_file)
            .into_iter()
            .find(|(n, _)| *n == name)
            .map(|(_, p)| p)
            .unwrap_or_default()
    };
    let dem = take(&mut faults, read_dem(&file("dem")));
    let land_cover = take(&mut faults, read_land_cover(&file("land_cover")));
    let climate = [
        (
            "temperature",
            12,
            -45.0,
            45.0,
            "monthly mean temperature in °C",
            "the values look like kelvin: subtract 273.15",
        ),
        (
            "rain",
            12,
            0.0,
            3000.0,
            "monthly rain in mm",
            "multiply metres by 1000, or check the unit",
        ),
        (
            "rain_rate",
            1,
            1.0,
            250.0,
            "rain rate in mm/h",
            "check the unit of the raster",
        ),
    ];
    for (name, bands, low, high, what, remedy) in climate {
        take(
            &mut faults,
            check_climate(&file(name), bands, (low, high), what, remedy),
        );
    }
    let borders = take(&mut faults, vector::read(&file("units")));
    let region = take(&mut faults, vector::read(&file("region")));
    let census = take(&mut faults, read_census(project, &file));
    let (
        Some(dem),
        Some(land_cover),
        Some(borders),
        Some(region),
        Some((records, notes, crosswalk)),
    ) = (dem, land_cover, borders, region, census)
    else {
        return Err(Error::Input(faults));
    };
    take(&mut faults, check_shift(&borders, &region));
    let all = take(&mut faults, border_units(&borders.reprojected(crs)));
    let Some(all) = all else {
        return Err(Error::Input(faults));
    };
    let codes: BTreeSet<String> = all.iter().map(|u| u.0.clone()).collect();
    let findings = check(&records, &file("census"), &codes, &crosswalk);
    faults.extend(
        findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .map(|f| f.fault.clone()),
    );
    let bounds = all
        .iter()
        .flat_map(|u| geo::CoordsIter::coords_iter(&u.2))
        .fold(Bounds::EMPTY, |b, c| b.with(c.x, c.y));
    let grid = Grid::covering(
        crs,
        &bounds.expanded(project.grid.margin_m),
        project.grid.cell_m,
    )?;
    for (name, source) in [("dem", &dem.grid), ("land_cover", &land_cover.grid)] {
        let here = grid.bounds().projected(crs, source.crs);
        if !source.bounds().intersects(&here) {
            faults.push(Fault::new(
                file(name),
                format!("extent {:?}", source.bounds()),
                format!(
                    "an extent that meets the units ({here:?} in {})",
                    source.crs
                ),
                "give a raster of the same region",
            ));
        }
    }
    let places = take(&mut faults, read_places(&file("places"), &grid));
    let depots = project.inputs.depots.as_ref().and_then(|_| {
        let table = take(&mut faults, table::read(&file("depots")))?;
        take(&mut faults, read_depots(&table, &codes))
    });
    let shelters = project.inputs.shelters.as_ref().and_then(|_| {
        let table = take(&mut faults, table::read(&file("shelters")))?;
        take(&mut faults, read_shelters(&table, &codes))
    });
    let danger_sites = project
        .inputs
        .danger_sites
        .as_ref()
        .and_then(|_| take(&mut faults, read_danger_sites(&file("danger_sites"))));
    take(
        &mut faults,
        super::lists::standards::check(project, project_file, &codes),
    );
    let history = take(&mut faults, read_history_file(project, &file)).flatten();
    let resolved = resolve(&records, &codes, &crosswalk);
    let units: Vec<Unit> = all
        .into_iter()
        .filter_map(|(code, name, border)| {
            let record = resolved.iter().find(|r| r.code.as_str() == code)?.clone();
            Some(Unit {
                code,
                name,
                record,
                border,
            })
        })
        .collect();
    let townships = project.inputs.townships.as_ref().and_then(|_| {
        let layer = take(&mut faults, vector::read(&file("townships")))?;
        take(&mut faults, read_townships(&layer.reprojected(crs), &units))
    });
    let exposure = exposure_inputs::read(project, &file, &units, &crosswalk, crs, &mut faults);
    let Some(exposure) = exposure.filter(|_| faults.is_empty()) else {
        return Err(Error::Input(faults));
    };
    let region = region.reprojected(crs);
    Ok(Inputs {
        grid,
        dem,
        land_cover,
        units,
        townships,
        region: (0..region.features.len())
            .filter_map(|i| region.polygons(i))
            .collect(),
        places: places.unwrap_or_default(),
        depots,
        shelters,
        danger_sites,
        history,
        exposure,
        findings,
        notes,
    })
}

/// The historical disasters of a project, by its dictionary; `None` where it names no table.
///
/// # Errors
/// Every fault of the table, or of the dictionary.
pub(crate) fn read_history_file(
    project: &Project,
    file: &dyn Fn(&str) -> PathBuf,
) -> Result<Option<Vec<HistoryEvent>>> {
    if project.inputs.history.is_none() {
        return Ok(None);
    }
    let dictionary = match &project.inputs.history_columns {
        None => HistoryDictionary::builtin(),
        Some(_) => read_history_dictionary(&file("history_columns"))?,
    };
    read_history(&table::read(&file("history"))?, &dictionary).map(Some)
}

/// A dictionary of the user's own.
pub(crate) fn read_history_dictionary(path: &Path) -> Result<HistoryDictionary> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
    toml::from_str(&text).map_err(|e| {
        Error::input(Fault::new(
            path,
            e.message().to_string(),
            "a dictionary of the history table",
            "compare with the compiled-in one",
        ))
    })
}

fn take<T>(faults: &mut Vec<Fault>, result: Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Error::Input(found)) => {
            faults.extend(found);
            None
        }
        Err(other) => {
            faults.push(Fault::new(
                "inputs",
                other.to_string(),
                "readable inputs",
                "see the message",
            ));
            None
        }
    }
}

fn read_dem(path: &Path) -> Result<Raster<f32>> {
    let dem = geotiff::read_f32(path, 1)?.require_values(path)?;
    let (low, high) = dem.range().unwrap_or((0.0, 0.0));
    if low < -500.0 || high > 9000.0 {
        return Err(Error::input(Fault::new(
            path,
            format!("heights of {low} to {high}"),
            "elevation in metres, -500 to 9000",
            "check the unit and the no-data value",
        )));
    }
    Ok(dem)
}

fn read_land_cover(path: &Path) -> Result<Raster<u8>> {
    let cover = geotiff::read_u8(path, 1)?;
    if let Some(&bad) = cover
        .values()
        .iter()
        .find(|&&c| c > 16 && Some(c) != cover.nodata && c != 255)
    {
        return Err(Error::input(Fault::new(
            path,
            format!("class {bad}"),
            "IGBP classes 0 to 16 (255 none)",
            "reclassify the raster to the IGBP legend",
        )));
    }
    Ok(cover.with_nodata(255))
}

fn check_climate(
    path: &Path,
    bands: usize,
    (low, high): (f32, f32),
    what: &str,
    remedy: &str,
) -> Result<()> {
    let rasters = geotiff::read_bands_f32(path)?;
    if rasters.len() != bands {
        return Err(Error::input(Fault::new(
            path,
            format!("{} bands", rasters.len()),
            format!("{bands} bands ({what})"),
            "give one band per month, January first",
        )));
    }
    for (i, raster) in rasters.into_iter().enumerate() {
        let raster = raster.require_values(path)?;
        let (a, b) = raster.range().unwrap_or((low, high));
        // All twelve months below a millimetre are metres, not a desert.
        let metres = what.starts_with("monthly rain") && b < 2.0;
        if a < low || b > high || metres {
            return Err(Error::input(
                Fault::new(
                    path,
                    format!("values of {a} to {b}"),
                    format!("{what}, {low} to {high}"),
                    remedy,
                )
                .at(format!("band {}", i + 1)),
            ));
        }
    }
    Ok(())
}

fn border_units(layer: &Layer) -> Result<Vec<(String, String, MultiPolygon<f64>)>> {
    let (code, name) = (layer.require("code")?, layer.require("name")?);
    let mut out = Vec::new();
    let mut faults = Vec::new();
    for (i, feature) in layer.features.iter().enumerate() {
        match layer.polygons(i) {
            Some(border) => out.push((
                feature.values[code].to_string(),
                feature.values[name].to_string(),
                border,
            )),
            None => faults.push(
                Fault::new(
                    &layer.source,
                    "a geometry that is no polygon",
                    "polygons",
                    "remove the feature",
                )
                .at(format!("feature {}", i + 1)),
            ),
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    for pair in out.windows(2).filter(|p| p[0].0 == p[1].0) {
        faults.push(Fault::new(
            &layer.source,
            format!("code {} twice", pair[0].0),
            "each code once",
            "dissolve the polygons of one unit into one feature",
        ));
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(Error::Input(faults))
    }
}

/// Townships with the units that their codes name; each unit has one or more, and each lies where its unit lies.
fn read_townships(layer: &Layer, units: &[Unit]) -> Result<Vec<(Township, MultiPolygon<f64>)>> {
    let mut faults = Vec::new();
    let mut out = Vec::new();
    for (code, name, border) in border_units(layer)? {
        let digits = [9, 12].contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        let unit = units.iter().position(|u| code.starts_with(&u.code));
        let (Some(unit), true) = (unit, digits) else {
            faults.push(Fault::new(
                &layer.source,
                format!("code {code} of {name}"),
                "9 or 12 digits that begin with the code of a unit",
                "correct the code, or remove townships of other regions",
            ));
            continue;
        };
        let inside = interior(&border).unwrap_or((f64::NAN, f64::NAN));
        let near = window_of(&units[unit].border, 0.05);
        if !(inside.0 >= near.west
            && inside.0 <= near.east
            && inside.1 >= near.south
            && inside.1 <= near.north)
        {
            faults.push(Fault::new(
                &layer.source,
                format!("{code} {name} about ({:.0}, {:.0})", inside.0, inside.1),
                format!("a border within {} {}", units[unit].code, units[unit].name),
                "check the coordinate system and the code",
            ));
        }
        let (x, y) = inside;
        out.push((
            Township {
                code,
                name,
                unit,
                x,
                y,
            },
            border,
        ));
    }
    for (k, unit) in units.iter().enumerate() {
        if !out.iter().any(|(t, _)| t.unit == k) {
            faults.push(Fault::new(
                &layer.source,
                format!("no township of {} {}", unit.code, unit.name),
                "one or more townships of each unit",
                "add them, or leave `townships` out of [inputs]: they are then made up",
            ));
        }
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(Error::Input(faults))
    }
}

/// Borders of units and of the region must lie over each other: the centroids of each region's units are held against
/// the centroid of the region, and a shift by the offset of Chinese web maps is refused by name.
fn check_shift(units: &Layer, region: &Layer) -> Result<()> {
    let (units_ll, region_ll) = (
        units.reprojected(Crs::CGCS2000),
        region.reprojected(Crs::CGCS2000),
    );
    let (unit_code, region_code) = (units.require("code")?, region.require("code")?);
    let centroid =
        |parts: Vec<geo::Polygon<f64>>| MultiPolygon(parts).centroid().map(|c| (c.x(), c.y()));
    let (mut reference, mut candidate) = (Vec::new(), Vec::new());
    for (i, feature) in region_ll.features.iter().enumerate() {
        let code = feature.values[region_code].to_string();
        let prefix = code.trim_end_matches("00").to_string();
        let parts: Vec<_> = (0..units_ll.features.len())
            .filter(|&u| {
                units_ll.features[u].values[unit_code]
                    .to_string()
                    .starts_with(&prefix)
            })
            .filter_map(|u| units_ll.polygons(u))
            .flat_map(|m| m.0)
            .collect();
        let whole = region_ll.polygons(i).map(|m| m.0).unwrap_or_default();
        if let (Some(a), Some(b)) = (centroid(whole), centroid(parts)) {
            reference.push(a);
            candidate.push(b);
        }
    }
    for (file, shift) in [
        (&units.source, detect_shift(&reference, &candidate)),
        (&region.source, detect_shift(&candidate, &reference)),
    ] {
        let name = match shift {
            Shift::Gcj02 => "GCJ-02 (火星坐标)",
            Shift::Bd09 => "BD-09 (百度坐标)",
            Shift::None | Shift::Unknown { .. } => continue,
        };
        return Err(Error::input(Fault::new(
            file,
            format!("borders that lie against the other border file as {name} shifts them"),
            "borders in CGCS2000 or WGS 84",
            "take borders from a source without the web-map shift (e.g. Tianditu 天地图); shifted data is not corrected silently",
        )));
    }
    if let Shift::Unknown { dx_m, dy_m } = detect_shift(&reference, &candidate)
        && dx_m.abs().max(dy_m.abs()) > 500.0
    {
        return Err(Error::input(Fault::new(
            &units.source,
            format!(
                "borders {dx_m:.0} m east and {dy_m:.0} m north of those in {}",
                region.source.display()
            ),
            "units and region that lie over each other",
            "check that both files are of the same region and system",
        )));
    }
    Ok(())
}

type Census = (Vec<Record>, Vec<String>, Crosswalk);

fn read_census(project: &Project, file: &dyn Fn(&str) -> PathBuf) -> Result<Census> {
    let dictionary = match project.inputs.columns {
        None => ColumnDictionary::builtin(),
        Some(_) => {
            let path = file("columns");
            let text =
                std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
            toml::from_str(&text).map_err(|e| {
                Error::input(Fault::new(
                    &path,
                    e.message().to_string(),
                    "a column dictionary",
                    "compare with the compiled-in one",
                ))
            })?
        }
    };
    let (records, notes) = read_records(&table::read(&file("census"))?, &dictionary)?;
    let crosswalk = match project.inputs.crosswalk {
        None => Crosswalk::default(),
        Some(_) => Crosswalk::read(&table::read(&file("crosswalk"))?)?,
    };
    Ok((records, notes, crosswalk))
}

/// The table of hidden-danger sites, after its check.
fn read_danger_sites(path: &Path) -> Result<table::Table> {
    let table = table::read_list(path)?;
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect();
    read_sites(path, &table.columns, &rows, table.first_row)?;
    Ok(table)
}

fn read_places(path: &Path, grid: &Grid) -> Result<Vec<Place>> {
    let table = table::read(path)?;
    let (name, lon, lat, population) = (
        table.require("name")?,
        table.require("lon")?,
        table.require("lat")?,
        table.require("population")?,
    );
    let projector = Projector::new(Crs::CGCS2000, grid.crs);
    let mut places = Vec::new();
    let mut faults = Vec::new();
    for (i, row) in table.rows.iter().enumerate() {
        // A blank line.
        if row.iter().all(|v| *v == Value::Null) {
            continue;
        }
        let (Some(x), Some(y)) = (row[lon].as_f64(), row[lat].as_f64()) else {
            faults.push(
                Fault::new(
                    path,
                    format!("({}, {})", row[lon], row[lat]),
                    "longitude and latitude in degrees",
                    "fill the cells in",
                )
                .at(table.place(i, lon)),
            );
            continue;
        };
        if let Some(slip) = Crs::CGCS2000.implausible(x, y) {
            faults.push(
                Fault::new(
                    path,
                    format!("({x}, {y}): {slip}"),
                    "longitude, then latitude",
                    "swap the columns",
                )
                .at(table.place(i, lon)),
            );
            continue;
        }
        let (x, y) = projector.point(x, y);
        if grid.cell_at(x, y).is_some() {
            places.push(Place {
                name: row[name].to_string(),
                x,
                y,
                population: row[population].as_f64().unwrap_or(0.0),
            });
        }
    }
    if faults.is_empty() {
        Ok(places)
    } else {
        Err(Error::Input(faults))
    }
}

/// The units as a layer, with chosen columns.
pub(crate) fn units_layer(
    units: &[Unit],
    crs: Crs,
    columns: &[&str],
    values: impl Fn(usize) -> Vec<Value>,
) -> Layer {
    let mut names = vec!["code".to_string(), "name".to_string()];
    names.extend(columns.iter().map(|c| (*c).to_string()));
    Layer {
        source: PathBuf::new(),
        crs,
        columns: names,
        features: units
            .iter()
            .enumerate()
            .map(|(i, unit)| {
                let mut row = vec![
                    Value::Text(unit.code.clone()),
                    Value::Text(unit.name.clone()),
                ];
                row.extend(values(i));
                Feature {
                    geometry: geo::Geometry::MultiPolygon(unit.border.clone()),
                    values: row,
                }
            })
            .collect(),
    }
}
