//! Where the indicators of rule packs come from: the catalogue of layers by name, and their values on some cells.

use super::super::store;
use crate::project::Project;
use anlan_engine::io::geotiff;
use anlan_engine::io::parquet::{self, ColumnData};
use anlan_engine::{Error, Result, Window};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a layer comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// A band of a raster of a task.
    Raster(&'static str, &'static str, usize),
    /// A raster of a task for each return period.
    Period(&'static str, &'static str),
    /// The product of two rasters of a task; 0 where either is 0 or unknown.
    Product(&'static str, [&'static str; 2]),
    /// Columns of the ledger.
    Ledger(&'static [&'static str]),
    /// Another pack's result: given by the caller.
    Result,
}

/// A layer that packs may name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerEntry {
    /// Name in packs.
    pub name: &'static str,
    /// Unit of measure.
    pub unit: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Where it comes from.
    pub source: Source,
}

const fn layer(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    source: Source,
) -> LayerEntry {
    LayerEntry {
        name,
        unit,
        meaning,
        source,
    }
}

const FLOOD: &str = "hazard/flood";
const CONVECTION: &str = "hazard/convection";
const GEOLOGY: &str = "hazard/geology";
const FIRE: &str = "hazard/fire";
const LAYERS: &str = "layers";

/// Layers of cells, of the hazard in hand, and of units.
#[rustfmt::skip]
pub const CATALOGUE: [LayerEntry; 39] = [
    layer("hazard-index", "index", "index of the hazard pack", Source::Result),
    layer("hazard-score", "score", "class of the hazard pack as a score, the number of classes for the highest", Source::Result),
    layer("unit-mean", "index", "mean risk index of a unit", Source::Result),
    layer("flood-risk-index", "index", "risk index, flood", Source::Result),
    layer("convection-risk-index", "index", "risk index, strong convection", Source::Result),
    layer("geology-risk-index", "index", "risk index, geological hazards", Source::Result),
    layer("fire-risk-index", "index", "risk index, forest fire", Source::Result),
    layer("flood-risk-score", "score", "risk grade as a score, flood", Source::Result),
    layer("convection-risk-score", "score", "risk grade as a score, strong convection", Source::Result),
    layer("geology-risk-score", "score", "risk grade as a score, geological hazards", Source::Result),
    layer("fire-risk-score", "score", "risk grade as a score, forest fire", Source::Result),
    layer("aal-yuan", "yuan/a", "average annual loss of all hazards assessed", Source::Raster("losses", "aal_yuan.tif", 1)),
    layer("aal-per-gdp-permille", "permille/a", "average annual loss per GDP", Source::Result),
    layer("aal-yuan-km2", "yuan/(a km2)", "average annual loss per area", Source::Result),
    layer("expected-annual-depth-m", "m", "expected annual depth, with the tail", Source::Raster(FLOOD, store::EXPECTED_DEPTH, 2)),
    layer("expected-annual-depth-no-tail-m", "m", "expected annual depth, without the tail", Source::Raster(FLOOD, store::EXPECTED_DEPTH, 1)),
    layer("depth-m", "m", "flood depth of a return period", Source::Period(FLOOD, "depth_m")),
    layer("gust-m-s", "m/s", "gust of a return period", Source::Period(CONVECTION, "gust_m_s")),
    layer("hail-mm", "mm", "hail diameter of a return period", Source::Period(CONVECTION, "hail_mm")),
    layer("rain-mm-h", "mm/h", "hourly rain of a return period", Source::Period(CONVECTION, "rain_mm_h")),
    layer("tornado-strike-probability", "1/a", "annual probability of a tornado", Source::Raster(CONVECTION, "tornado_strike_probability.tif", 1)),
    layer("landslide-strike-probability", "1/a", "annual probability of being struck by a slide", Source::Raster(GEOLOGY, "annual_strike_probability.tif", 1)),
    layer("landslide-release-probability", "1/a", "annual probability that a slide starts", Source::Raster(GEOLOGY, "annual_release_probability.tif", 1)),
    layer("landslide-susceptibility", "index", "screening index of slides", Source::Raster(GEOLOGY, "susceptibility_index.tif", 1)),
    layer("burn-probability", "1/a", "annual burn probability", Source::Raster(FIRE, "burn_probability.tif", 1)),
    layer("burn-flame-m", "m/a", "burn probability x conditional flame length", Source::Product(FIRE, ["burn_probability.tif", "conditional_flame_m.tif"])),
    layer("fire-danger-index", "index", "screening index of fire", Source::Raster(FIRE, "fire_danger_index.tif", 1)),
    layer("elevation-m", "m", "elevation", Source::Raster(LAYERS, "dem_m.tif", 1)),
    layer("slope-deg", "degree", "slope", Source::Raster(LAYERS, "slope_deg.tif", 1)),
    layer("hand-m", "m", "height above the nearest drainage", Source::Raster(LAYERS, "hand_m.tif", 1)),
    layer("population", "person", "residents", Source::Ledger(&["population"])),
    layer("households", "household", "households", Source::Ledger(&["households"])),
    layer("rooms", "room", "rooms", Source::Ledger(&["rooms_concrete", "rooms_masonry", "rooms_brick_wood"])),
    layer("weak-room-share", "0..1", "brick-wood rooms, and half the masonry ones, per room; 0.5 without rooms", Source::Ledger(&["rooms_concrete", "rooms_masonry", "rooms_brick_wood"])),
    layer("floor-m2", "m2", "dwelling floor", Source::Ledger(&["floor_concrete_m2", "floor_masonry_m2", "floor_brick_wood_m2"])),
    layer("gdp-yuan", "yuan", "GDP", Source::Ledger(&["gdp_yuan"])),
    layer("crop-ha", "ha", "crops", Source::Ledger(&["crop_ha"])),
    layer("forest-ha", "ha", "forest", Source::Ledger(&["forest_ha"])),
    layer("road-m", "m", "roads", Source::Ledger(&["road_m"])),
];

/// Weights of cells in the mean of a unit, besides layers of the ledger.
pub const AREA: &str = "area";

/// The entry of a layer.
///
/// # Errors
/// No such layer (packs are checked when read).
pub fn entry(name: &str) -> Result<&'static LayerEntry> {
    CATALOGUE
        .iter()
        .find(|l| l.name == name)
        .ok_or_else(|| Error::Failed(format!("layer `{name}` of a rule pack is not known")))
}

/// Names of all layers, and those that may weigh cells.
pub fn names() -> (Vec<&'static str>, Vec<&'static str>) {
    let all = CATALOGUE.iter().map(|l| l.name).collect();
    let ledger = CATALOGUE
        .iter()
        .filter(|l| matches!(l.source, Source::Ledger(_)) && l.name != "weak-room-share");
    let mut weights: Vec<&str> = ledger.map(|l| l.name).collect();
    weights.push(AREA);
    (all, weights)
}

/// The return period of the maps that is nearest below what a pack asks for, or the least.
pub fn period(project: &Project, wanted: Option<f64>) -> f64 {
    let periods = store::return_periods(project);
    let wanted = wanted.unwrap_or(f64::INFINITY);
    *periods
        .iter()
        .rfind(|&&t| t <= wanted)
        .unwrap_or(&periods[0])
}

/// Files behind a layer, relative to the output folder, with what is read of them.
pub fn files(
    project: &Project,
    name: &str,
    return_period: Option<f64>,
) -> Result<Vec<(String, String)>> {
    Ok(match entry(name)?.source {
        Source::Raster(task, file, band) => {
            vec![(format!("{task}/{file}"), format!("band {band}"))]
        }
        Source::Period(task, measure) => {
            let file = store::rp_file(measure, period(project, return_period));
            vec![(format!("{task}/{file}"), "band 1".into())]
        }
        Source::Product(task, both) => both
            .iter()
            .map(|f| (format!("{task}/{f}"), "band 1".into()))
            .collect(),
        Source::Ledger(columns) => columns
            .iter()
            .map(|c| ("layers/exposure.parquet".into(), (*c).to_string()))
            .collect(),
        Source::Result => Vec::new(),
    })
}

/// Values of layers on some cells of an output folder, read when first asked for.
pub struct Values<'a> {
    project: &'a Project,
    out: &'a Path,
    /// Number of columns of the compute grid.
    cols: usize,
    /// Cells, ascending.
    cells: Vec<u32>,
    ledger: BTreeMap<&'static str, Vec<f64>>,
    kept: BTreeMap<(String, u64), Vec<f64>>,
}

impl<'a> Values<'a> {
    /// Values on these cells, ascending, of a grid of so many columns.
    pub fn new(project: &'a Project, out: &'a Path, cols: usize, cells: Vec<u32>) -> Self {
        Values {
            project,
            out,
            cols,
            cells,
            ledger: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }

    /// The cells.
    pub fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// Puts the result of another pack under its layer's name.
    pub fn put(&mut self, name: &str, values: Vec<f64>) {
        self.kept.insert((name.to_string(), 0), values);
    }

    /// Forgets the rasters of one hazard, and the results put.
    pub fn forget(&mut self) {
        self.kept.retain(|(name, _), _| {
            entry(name)
                .is_ok_and(|e| matches!(e.source, Source::Ledger(_) | Source::Raster(LAYERS, ..)))
        });
    }

    fn key(&self, name: &str, return_period: Option<f64>) -> Result<(String, u64)> {
        let period = match entry(name)?.source {
            Source::Period(..) => period(self.project, return_period).to_bits(),
            _ => 0,
        };
        Ok((name.to_string(), period))
    }

    /// Reads a layer, so that [`Values::get`] finds it.
    ///
    /// # Errors
    /// A file that cannot be read; a result that nobody has put.
    pub fn load(&mut self, name: &str, return_period: Option<f64>) -> Result<()> {
        let key = self.key(name, return_period)?;
        if self.kept.contains_key(&key) {
            return Ok(());
        }
        let values = match entry(name)?.source {
            Source::Raster(task, file, band) => {
                self.raster(&self.out.join(task).join(file), band)?
            }
            Source::Period(task, measure) => {
                let file = store::rp_file(measure, period(self.project, return_period));
                self.raster(&self.out.join(task).join(file), 1)?
            }
            Source::Product(task, [a, b]) => {
                let a = self.raster(&self.out.join(task).join(a), 1)?;
                let b = self.raster(&self.out.join(task).join(b), 1)?;
                let both = |(a, b): (&f64, &f64)| if *a > 0.0 && *b > 0.0 { a * b } else { 0.0 };
                a.iter().zip(&b).map(both).collect()
            }
            Source::Ledger(columns) => {
                self.read_ledger()?;
                let of: Vec<&Vec<f64>> = columns.iter().map(|c| &self.ledger[c]).collect();
                let sum = |i: usize| of.iter().map(|c| c[i]).sum::<f64>();
                let value = |i: usize| match name {
                    "weak-room-share" if sum(i) > 0.0 => (of[2][i] + 0.5 * of[1][i]) / sum(i),
                    "weak-room-share" => 0.5,
                    _ => sum(i),
                };
                (0..self.cells.len()).map(value).collect()
            }
            Source::Result => {
                return Err(Error::Failed(format!(
                    "layer `{name}` has no value here: it is the result of another pack"
                )));
            }
        };
        self.kept.insert(key, values);
        Ok(())
    }

    /// A layer that was loaded or put.
    ///
    /// # Errors
    /// A layer that was not.
    pub fn get(&self, name: &str, return_period: Option<f64>) -> Result<&[f64]> {
        self.kept
            .get(&self.key(name, return_period)?)
            .map(Vec::as_slice)
            .ok_or_else(|| Error::Failed(format!("layer `{name}` was not loaded")))
    }

    /// Values of a raster on the cells; of the rows that hold them alone.
    fn raster(&self, path: &Path, band: usize) -> Result<Vec<f64>> {
        let (Some(&first), Some(&last)) = (self.cells.first(), self.cells.last()) else {
            return Ok(Vec::new());
        };
        if !path.exists() {
            return Err(super::super::missing(path));
        }
        let row = first as usize / self.cols;
        let window = Window {
            row,
            col: 0,
            rows: last as usize / self.cols + 1 - row,
            cols: self.cols,
        };
        let raster = geotiff::read_window_f32(path, band, window)?;
        let from = row * self.cols;
        let of = |&c: &u32| f64::from(raster.values()[c as usize - from]);
        Ok(self.cells.iter().map(of).collect())
    }

    /// All columns of the ledger that layers are made of, added up by cell.
    fn read_ledger(&mut self) -> Result<()> {
        if !self.ledger.is_empty() {
            return Ok(());
        }
        let path: PathBuf = self.out.join("layers/exposure.parquet");
        let columns = parquet::read(&path)?;
        let find = |name: &str| {
            columns
                .iter()
                .find(|c| c.name == name)
                .map(|c| &c.data)
                .ok_or_else(|| {
                    Error::Failed(format!("{}: column {name} is missing", path.display()))
                })
        };
        let ColumnData::U32(cell) = find("cell")? else {
            return Err(Error::Failed(format!(
                "{}: column cell is of another type",
                path.display()
            )));
        };
        // Rows and cells both ascend.
        let mut place = vec![usize::MAX; cell.len()];
        let mut at = 0;
        for (p, &c) in place.iter_mut().zip(cell) {
            while at < self.cells.len() && self.cells[at] < c {
                at += 1;
            }
            if self.cells.get(at) == Some(&c) {
                *p = at;
            }
        }
        for entry in &CATALOGUE {
            let Source::Ledger(names) = entry.source else {
                continue;
            };
            for &name in names {
                let mut sums = vec![0.0; self.cells.len()];
                let mut add = |i: usize, v: f64| {
                    if place[i] != usize::MAX {
                        sums[place[i]] += v;
                    }
                };
                match find(name)? {
                    ColumnData::U32(v) => v
                        .iter()
                        .enumerate()
                        .for_each(|(i, &v)| add(i, f64::from(v))),
                    ColumnData::F64(v) => v.iter().enumerate().for_each(|(i, &v)| add(i, v)),
                    _ => {
                        return Err(Error::Failed(format!(
                            "{}: column {name} is of another type",
                            path.display()
                        )));
                    }
                }
                self.ledger.insert(name, sums);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_models::risk::RulePacks;

    #[test]
    fn the_catalogue_holds_what_the_packs_name() {
        let (all, weights) = names();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), CATALOGUE.len(), "no name stands twice");
        RulePacks::builtin().check_layers(&all, &weights).unwrap();
        assert!(entry("cows").is_err());
    }
}
