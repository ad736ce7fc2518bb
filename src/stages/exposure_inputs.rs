//! What a project may give for the exposure beyond the census: weights and rasters, figures of the economy, houses,
//! critical places, lifelines. All optional, all checked before anything is computed.

use super::inputs::Unit;
use crate::project::Project;
use anlan_engine::io::{geotiff, table, vector};
use anlan_engine::{Bounds, Crs, Error, Fault, Projector, Raster, Result};
use anlan_models::census::Crosswalk;
use anlan_models::census::buildings::{BuildingTable, Houses};
use anlan_models::census::dasymetric::{Covariate, Dasymetric};
use anlan_models::census::economy::{Economy, EconomyColumns};
use anlan_models::census::lifelines::LifelineTable;
use anlan_models::census::places::{CriticalPlace, PlaceTable};
use anlan_models::census::table::ColumnDictionary;
use geo::{BoundingRect, Contains, MultiLineString, Point};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Inputs of the exposure.
#[derive(Debug)]
pub struct ExposureInputs {
    /// Sets of weights, with the project's choices.
    pub dasymetric: Dasymetric,
    /// The project's rasters, in their own grids.
    pub rasters: Vec<(Covariate, Raster<f32>)>,
    /// Figures of the units beyond their people.
    pub economy: Economy,
    /// Houses by unit, from a team's own table.
    pub houses: BTreeMap<String, Houses>,
    /// Critical places, if given.
    pub places: Option<Vec<CriticalPlace>>,
    /// Lines with their kinds, in the compute system, if given.
    pub lifelines: Option<Vec<(usize, MultiLineString<f64>)>>,
}

/// Files of `[inputs]` by field.
type FileOf<'a> = dyn Fn(&str) -> PathBuf + 'a;

/// Reads and checks them; faults are added to `faults`, and what is at fault comes back empty.
pub(super) fn read(
    project: &Project,
    file: &FileOf<'_>,
    units: &[Unit],
    crosswalk: &Crosswalk,
    crs: Crs,
    faults: &mut Vec<Fault>,
) -> Option<ExposureInputs> {
    let i = &project.inputs;
    let mut rasters = Vec::new();
    for ((covariate, name), given) in Covariate::GIVEN.into_iter().zip([
        &i.population_weight,
        &i.night_light,
        &i.building_density,
    ]) {
        if given.is_some() {
            rasters.extend(take(faults, weight_raster(&file(name))).map(|r| (covariate, r)));
        }
    }
    let dasymetric = take(faults, weights(project, file));
    let economy = take(faults, economy(project, file)).map(|e| e.resolved(crosswalk));
    let codes: BTreeSet<String> = units.iter().map(|u| u.code.clone()).collect();
    let houses = match i.houses {
        None => Some(BTreeMap::new()),
        Some(_) => {
            let read = |t: table::Table| BuildingTable::builtin().read_houses(&t, &codes);
            take(faults, table::read(&file("houses")).and_then(read))
        }
    };
    let places = i.critical_places.as_ref().and_then(|_| {
        let read = |t: table::Table| read_places(&t, units, crs);
        take(
            faults,
            table::read_list(&file("critical_places")).and_then(read),
        )
    });
    let lifelines = i.lifelines.as_ref().and_then(|_| {
        let read = |l: vector::Layer| LifelineTable::builtin().read(&l.reprojected(crs));
        let checked = vector::read(&file("lifelines")).and_then(vector::Layer::check_coordinates);
        take(faults, checked.and_then(read))
    });
    Some(ExposureInputs {
        dasymetric: dasymetric?,
        rasters,
        economy: economy?,
        houses: houses?,
        places,
        lifelines,
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

/// A raster of weights: values of 0 or more.
fn weight_raster(path: &Path) -> Result<Raster<f32>> {
    let raster = geotiff::read_f32(path, 1)?.require_values(path)?;
    match raster.range() {
        Some((low, high)) if low < 0.0 || !high.is_finite() => Err(Error::input(Fault::new(
            path,
            format!("values of {low} to {high}"),
            "weights of 0 or more",
            "check the no-data value of the raster",
        ))),
        _ => Ok(raster),
    }
}

fn weights(project: &Project, file: &FileOf<'_>) -> Result<Dasymetric> {
    let mut dasymetric = match project.inputs.dasymetric {
        None => {
            let mut builtin = Dasymetric::builtin();
            if project.inputs.population_weight.is_some() {
                builtin.chosen.insert(
                    anlan_models::census::dasymetric::Quantity::Residents,
                    "population-raster".into(),
                );
            }
            builtin
        }
        Some(_) => {
            let path = file("dasymetric");
            let text =
                std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
            Dasymetric::read(&text, &path)?
        }
    };
    let mut faults = Vec::new();
    for (quantity, set) in &project.exposure.sets {
        let known: Vec<String> = dasymetric
            .set
            .iter()
            .filter(|s| s.quantity == *quantity)
            .map(|s| format!("`{}`", s.id))
            .collect();
        if known.contains(&format!("`{set}`")) {
            dasymetric.chosen.insert(*quantity, set.clone());
        } else {
            faults.push(
                Fault::new(
                    "project file",
                    format!("`{set}`"),
                    known.join(", "),
                    "name one of these sets",
                )
                .at(format!("[exposure.sets] {}", quantity.name())),
            );
        }
    }
    let given: Vec<Covariate> = [
        &project.inputs.population_weight,
        &project.inputs.night_light,
        &project.inputs.building_density,
    ]
    .into_iter()
    .zip(Covariate::GIVEN)
    .filter(|(path, _)| path.is_some())
    .map(|(_, (covariate, _))| covariate)
    .collect();
    faults.extend(dasymetric.lacking(&given, Path::new("project file")));
    if faults.is_empty() {
        Ok(dasymetric)
    } else {
        Err(Error::Input(faults))
    }
}

/// Optional columns of the census table, and those of a table of their own in their place.
fn economy(project: &Project, file: &FileOf<'_>) -> Result<Economy> {
    let columns = EconomyColumns::builtin();
    let codes = match project.inputs.columns {
        None => ColumnDictionary::builtin(),
        // A dictionary that cannot be read is told where the census is read with it.
        Some(_) => std::fs::read_to_string(file("columns"))
            .ok()
            .and_then(|text| toml::from_str(&text).ok())
            .unwrap_or_else(ColumnDictionary::builtin),
    };
    let codes = codes
        .field
        .iter()
        .find(|f| f.field == "code")
        .map(|f| f.names.clone())
        .unwrap_or_default();
    let census = Economy::read(&table::read(&file("census"))?, &columns, &codes)?;
    match project.inputs.economy {
        None => Ok(census),
        Some(_) => {
            let own = Economy::read(&table::read(&file("economy"))?, &columns, &codes)?;
            Ok(census.replaced_by(own))
        }
    }
}

fn read_places(table: &table::Table, units: &[Unit], crs: Crs) -> Result<Vec<CriticalPlace>> {
    let boxes: Vec<Bounds> = units
        .iter()
        .map(|u| match u.border.bounding_rect() {
            Some(r) => Bounds::EMPTY
                .with(r.min().x, r.min().y)
                .with(r.max().x, r.max().y),
            None => Bounds::EMPTY,
        })
        .collect();
    let unit_at = |x: f64, y: f64| {
        units
            .iter()
            .zip(&boxes)
            .find(|(u, b)| {
                let near = x >= b.west && x <= b.east && y >= b.south && y <= b.north;
                near && u.border.contains(&Point::new(x, y))
            })
            .map(|(u, _)| u.code.clone())
    };
    let projector = Projector::new(Crs::CGCS2000, crs);
    PlaceTable::builtin().read(table, &projector, &unit_at)
}
