//! Dasymetric weights (分区密度权重) as data: sums of parts, each a product of covariates of the cell, scaled in every
//! unit to its share of the total. The file says which set spreads which quantity; a user's file replaces it.
//!
//! Method: dasymetric mapping, Mennis (2003), doi:10.1111/0033-0124.10042; the product of light and people is that of
//! LitPop, Eberenz et al. (2020), doi:10.5194/essd-12-817-2020.

use anlan_engine::{Error, Fault, Raster, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Usual residents (常住人口).
    Residents,
    /// Households and rooms.
    Dwellings,
    /// Output of the primary sector (第一产业).
    GdpPrimary,
    /// Of the secondary sector (第二产业).
    GdpSecondary,
    /// Of the tertiary sector (第三产业).
    GdpTertiary,
    /// Sown area.
    Crops,
    /// Forest area.
    Forest,
    /// Length of roads.
    Roads,
}

impl Quantity {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Residents => "residents",
            Quantity::Dwellings => "dwellings",
            Quantity::GdpPrimary => "gdp_primary",
            Quantity::GdpSecondary => "gdp_secondary",
            Quantity::GdpTertiary => "gdp_tertiary",
            Quantity::Crops => "crops",
            Quantity::Forest => "forest",
            Quantity::Roads => "roads",
        }
    }
}

/// A property of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariate {
    /// Land-cover class on the compute grid.
    Cover,
    /// Land-cover class as it was given.
    CoarseCover,
    /// How urban, 0..=1.
    Urbanity,
    /// Slope, degrees.
    SlopeDeg,
    /// Height, m.
    ElevationM,
    /// Height above the drainage, m.
    HandM,
    /// Distance to the nearest settlement, m.
    PlaceM,
    /// Distance to the nearest road, m.
    RoadM,
    /// Distance to the nearest channel, m.
    RiverM,
    /// Residents of the settlements around, by distance.
    PlacePeople,
    /// Share under crops.
    CropShare,
    /// Share under forest.
    ForestShare,
    /// Length of road in the cell, m.
    RoadLengthM,
    /// Residents of the cell, spread before.
    Residents,
    /// The project's raster of people.
    PopulationWeight,
    /// The project's raster of light at night.
    NightLight,
    /// The project's raster of buildings.
    BuildingDensity,
}

impl Covariate {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Covariate::Cover => "cover",
            Covariate::CoarseCover => "coarse_cover",
            Covariate::Urbanity => "urbanity",
            Covariate::SlopeDeg => "slope_deg",
            Covariate::ElevationM => "elevation_m",
            Covariate::HandM => "hand_m",
            Covariate::PlaceM => "place_m",
            Covariate::RoadM => "road_m",
            Covariate::RiverM => "river_m",
            Covariate::PlacePeople => "place_people",
            Covariate::CropShare => "crop_share",
            Covariate::ForestShare => "forest_share",
            Covariate::RoadLengthM => "road_length_m",
            Covariate::Residents => "residents",
            Covariate::PopulationWeight => "population_weight",
            Covariate::NightLight => "night_light",
            Covariate::BuildingDensity => "building_density",
        }
    }

    /// Covariates that only a project's own raster can give, with the field of `[inputs]` that names it.
    pub const GIVEN: [(Covariate, &'static str); 3] = [
        (Covariate::PopulationWeight, "population_weight"),
        (Covariate::NightLight, "night_light"),
        (Covariate::BuildingDensity, "building_density"),
    ];
}

/// The file `standards/dasymetric.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dasymetric {
    /// Name of the data set.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the weights come from.
    pub source: String,
    /// The set of each quantity.
    #[serde(rename = "use")]
    pub chosen: BTreeMap<Quantity, String>,
    /// Cells that carry nothing.
    pub mask: Mask,
    /// How settlements reach into their surroundings.
    pub place_people: PlacePeople,
    /// Weights by land-cover class, by name of the table.
    pub classes: BTreeMap<String, BTreeMap<String, f64>>,
    /// The sets.
    pub set: Vec<WeightSet>,
}

/// Cells without weight in masked sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// Land-cover classes.
    pub classes: Vec<u8>,
    /// Slope from which on, degrees.
    pub steepest_deg: f32,
}

/// How settlements reach into their surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacePeople {
    /// Distance over which their residents count half, m.
    pub halving_m: f64,
    /// Residents of a settlement whose number is not known.
    pub unknown: f64,
}

/// One set of weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSet {
    /// Name.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// What it is made for; the cross-validation compares the sets of one quantity.
    pub quantity: Quantity,
    /// False where the mask does not apply.
    #[serde(default = "yes")]
    pub masked: bool,
    /// The parts, which are added.
    pub part: Vec<Part>,
}

fn yes() -> bool {
    true
}

/// One part of a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Share of the unit's total that it holds.
    pub share: Share,
    /// The factors, which are multiplied; none: every cell alike.
    pub factor: Vec<Factor>,
}

/// Share of a part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Share {
    /// The same in every unit.
    Fixed(f64),
    /// By what the census says of the unit.
    Named(NamedShare),
}

/// Shares that differ between units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedShare {
    /// Residents of towns.
    Urban,
    /// The others.
    Rural,
}

impl Share {
    fn of(self, urban: f64) -> f64 {
        match self {
            Share::Fixed(share) => share,
            Share::Named(NamedShare::Urban) => urban,
            Share::Named(NamedShare::Rural) => 1.0 - urban,
        }
    }
}

/// One factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The property of the cell.
    pub covariate: Covariate,
    /// Power to which it is raised.
    #[serde(default = "one")]
    pub exponent: f64,
    /// Least value before the power.
    #[serde(default)]
    pub floor: f64,
    /// Distance over which it halves.
    #[serde(default)]
    pub halving_m: Option<f64>,
    /// Value at which it has fallen to 0, from 1 at 0.
    #[serde(default)]
    pub zero_at: Option<f64>,
    /// Table of weights by class.
    #[serde(default)]
    pub classes: Option<String>,
}

fn one() -> f64 {
    1.0
}

/// The properties of all cells.
#[derive(Debug, Default)]
pub struct Covariates<'a> {
    classes: Vec<(Covariate, &'a Raster<u8>)>,
    fields: Vec<(Covariate, &'a Raster<f32>)>,
}

impl<'a> Covariates<'a> {
    /// Land cover on the compute grid and as it was given (brought to that grid).
    pub fn new(cover: &'a Raster<u8>, coarse: &'a Raster<u8>) -> Self {
        Covariates {
            classes: vec![(Covariate::Cover, cover), (Covariate::CoarseCover, coarse)],
            fields: Vec::new(),
        }
    }

    /// Adds a property.
    #[must_use]
    pub fn with(mut self, covariate: Covariate, raster: &'a Raster<f32>) -> Self {
        self.fields.push((covariate, raster));
        self
    }

    /// True where a set has all it needs.
    pub fn suffice(&self, set: &WeightSet) -> bool {
        set.part
            .iter()
            .flat_map(|p| &p.factor)
            .all(|f| self.has(f.covariate))
    }

    fn has(&self, covariate: Covariate) -> bool {
        covariate == Covariate::Residents
            || self.classes.iter().any(|c| c.0 == covariate)
            || self.fields.iter().any(|f| f.0 == covariate)
    }
}

/// The cells of one unit.
#[derive(Debug, Clone, Copy)]
pub struct UnitCells<'a> {
    /// Numbers of the cells.
    pub cells: &'a [u32],
    /// Share of residents in towns, 0..=1.
    pub urban: f64,
    /// Residents by cell, where they have been spread.
    pub residents: Option<&'a [f64]>,
}

/// Where a total went because no cell of the unit had a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evenly {
    /// Over the cells outside the mask.
    OutsideMask,
    /// Over all cells: the mask covers the unit.
    Everywhere,
}

/// Weights of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitWeights {
    /// One per cell, 0 or more, of a sum above 0 where there are cells.
    pub weights: Vec<f64>,
    /// Told where the set gave none.
    pub evenly: Option<Evenly>,
}

impl Dasymetric {
    /// The weights that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        Dasymetric::read(
            include_str!("../../standards/dasymetric.toml"),
            Path::new("dasymetric.toml"),
        )
        .expect("the compiled-in weights are read by a test")
    }

    /// Reads and checks a file of weights.
    ///
    /// # Errors
    /// No TOML of this form; sets, classes or quantities that are named but not there; figures out of range.
    pub fn read(text: &str, path: &Path) -> Result<Self> {
        let file: Dasymetric = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                path,
                e.message().to_string(),
                "a file of dasymetric weights",
                "compare with the compiled-in one",
            ))
        })?;
        let faults = file.faults(path);
        if faults.is_empty() {
            Ok(file)
        } else {
            Err(Error::Input(faults))
        }
    }

    fn faults(&self, path: &Path) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |place: String, found: String, expected: String, remedy: &str| {
            faults.push(Fault::new(path, found, expected, remedy).at(place));
        };
        let all = [
            Quantity::Residents,
            Quantity::Dwellings,
            Quantity::GdpPrimary,
            Quantity::GdpSecondary,
            Quantity::GdpTertiary,
            Quantity::Crops,
            Quantity::Forest,
            Quantity::Roads,
        ];
        for quantity in all {
            let name = self.chosen.get(&quantity).map_or("", String::as_str);
            if !self.set.iter().any(|s| s.id == name) {
                let known: Vec<String> = self.set.iter().map(|s| format!("`{}`", s.id)).collect();
                fault(
                    format!("[use] {}", quantity.name()),
                    format!("`{name}`"),
                    known.join(", "),
                    "name one of these sets",
                );
            }
        }
        for (name, table) in &self.classes {
            for (code, weight) in table {
                if code.parse::<u8>().is_err() || !(*weight >= 0.0 && weight.is_finite()) {
                    fault(
                        format!("[classes.{name}]"),
                        format!("class {code} of weight {weight}"),
                        "a class of 0 to 255 with a weight of 0 or more".into(),
                        "correct the line",
                    );
                }
            }
        }
        for set in &self.set {
            if self.set.iter().filter(|s| s.id == set.id).count() > 1 {
                fault(
                    format!("set {}", set.id),
                    "a set twice".into(),
                    "each set once".into(),
                    "give every set a name of its own",
                );
            }
            for part in &set.part {
                if let Share::Fixed(share) = part.share
                    && !(share > 0.0 && share <= 1.0)
                {
                    fault(
                        format!("set {}", set.id),
                        format!("share {share}"),
                        "a share above 0, at most 1, or `urban`, `rural`".into(),
                        "correct the share",
                    );
                }
                for factor in &part.factor {
                    if let Some(wrong) = self.wrong(set, factor) {
                        fault(
                            format!("set {}", set.id),
                            format!("factor `{}`", factor.covariate.name()),
                            wrong.into(),
                            "correct the factor",
                        );
                    }
                }
            }
        }
        faults
    }

    /// What is wrong with a factor.
    fn wrong(&self, set: &WeightSet, f: &Factor) -> Option<&'static str> {
        let class = matches!(f.covariate, Covariate::Cover | Covariate::CoarseCover);
        let changes = [
            f.halving_m.is_some(),
            f.zero_at.is_some(),
            f.classes.is_some(),
        ];
        let positive = |v: Option<f64>| v.is_none_or(|v| v > 0.0 && v.is_finite());
        if class != f.classes.is_some() || changes.iter().filter(|c| **c).count() > 1 {
            Some("a table of classes for land cover, and at most one change of any other covariate")
        } else if f
            .classes
            .as_ref()
            .is_some_and(|c| !self.classes.contains_key(c))
        {
            Some("a table of classes of this file")
        } else if !positive(f.halving_m) || !positive(f.zero_at) {
            Some("a distance or value above 0")
        } else if !(f.exponent >= 0.0 && f.exponent <= 10.0 && f.floor >= 0.0 && f.floor <= 1e6) {
            Some("an exponent of 0 to 10 and a floor of 0 or more")
        } else if f.covariate == Covariate::Residents && set.quantity == Quantity::Residents {
            Some("residents only in sets of other quantities")
        } else {
            None
        }
    }

    /// The set that spreads a quantity.
    ///
    /// # Panics
    /// Never for a file that was read: every quantity has a set.
    pub fn set_of(&self, quantity: Quantity) -> &WeightSet {
        self.chosen
            .get(&quantity)
            .and_then(|name| self.set.iter().find(|s| s.id == *name))
            .expect("every quantity has a set, which reading has checked")
    }

    /// The chosen sets that need a raster that is not among those `given`, as faults.
    pub fn lacking(&self, given: &[Covariate], path: &Path) -> Vec<Fault> {
        let mut faults = Vec::new();
        for &quantity in self.chosen.keys() {
            for f in self.set_of(quantity).part.iter().flat_map(|p| &p.factor) {
                let own = Covariate::GIVEN.iter().find(|g| g.0 == f.covariate);
                if let Some((covariate, field)) = own
                    && !given.contains(covariate)
                {
                    faults.push(
                        Fault::new(
                            path,
                            format!("a set that needs `{field}`"),
                            format!("a raster in [inputs] {field}"),
                            "give the raster, or choose another set",
                        )
                        .at(format!("weights of {}", quantity.name())),
                    );
                }
            }
        }
        faults
    }

    /// Weights of the cells of one unit by a set.
    ///
    /// - A set that gives no cell a weight spreads evenly over the cells outside the mask, or over all where there are
    ///   none, and says so.
    ///
    /// # Panics
    /// A covariate of the set is not there ([`Covariates::suffice`] tells), or residents are wanted and not given.
    pub fn weights(
        &self,
        set: &WeightSet,
        covariates: &Covariates<'_>,
        unit: UnitCells<'_>,
    ) -> UnitWeights {
        let open: Vec<bool> = if set.masked {
            let slope = covariates
                .fields
                .iter()
                .find(|f| f.0 == Covariate::SlopeDeg);
            let cover = covariates.classes.iter().find(|c| c.0 == Covariate::Cover);
            unit.cells
                .par_iter()
                .map(|&c| {
                    let class = cover.map(|r| r.1.values()[c as usize]);
                    let steep =
                        slope.is_some_and(|s| s.1.values()[c as usize] >= self.mask.steepest_deg);
                    !steep && !class.is_some_and(|v| self.mask.classes.contains(&v))
                })
                .collect()
        } else {
            vec![true; unit.cells.len()]
        };
        let mut weights = vec![0.0; unit.cells.len()];
        for part in &set.part {
            let share = part.share.of(unit.urban.clamp(0.0, 1.0));
            if share <= 0.0 {
                continue;
            }
            let factors: Vec<Bound<'_>> = part
                .factor
                .iter()
                .map(|f| self.bind(f, covariates, unit.residents))
                .collect();
            let raw: Vec<f64> = unit
                .cells
                .par_iter()
                .enumerate()
                .map(|(i, &cell)| {
                    if !open[i] {
                        return 0.0;
                    }
                    factors.iter().map(|f| f.at(i, cell)).product()
                })
                .collect();
            let sum: f64 = raw.iter().sum();
            if sum > 0.0 && sum.is_finite() {
                let scale = share / sum;
                for (w, r) in weights.iter_mut().zip(&raw) {
                    *w += r * scale;
                }
            }
        }
        let mut evenly = None;
        if !unit.cells.is_empty() && !weights.iter().any(|w| *w > 0.0) {
            let any = open.iter().any(|o| *o);
            evenly = Some(if any {
                Evenly::OutsideMask
            } else {
                Evenly::Everywhere
            });
            for (w, &o) in weights.iter_mut().zip(&open) {
                *w = f64::from(u8::from(o || !any));
            }
        }
        UnitWeights { weights, evenly }
    }

    fn bind<'b>(
        &self,
        factor: &Factor,
        covariates: &Covariates<'b>,
        residents: Option<&'b [f64]>,
    ) -> Bound<'b> {
        let values = if let Some(name) = &factor.classes {
            let mut table = vec![0.0; 256];
            for (code, weight) in &self.classes[name] {
                if let Ok(code) = code.parse::<u8>() {
                    table[usize::from(code)] = *weight;
                }
            }
            let raster = covariates.classes.iter().find(|c| c.0 == factor.covariate);
            let raster = raster.expect("land cover is always there");
            Values::Classes(raster.1.values(), table)
        } else if factor.covariate == Covariate::Residents {
            Values::Residents(residents.expect("residents are spread before what goes by them"))
        } else {
            let raster = covariates.fields.iter().find(|f| f.0 == factor.covariate);
            let raster = raster.expect("the caller asks whether the covariates suffice");
            Values::Field(raster.1.values())
        };
        Bound {
            values,
            halving: factor.halving_m,
            zero_at: factor.zero_at,
            floor: factor.floor,
            exponent: factor.exponent,
        }
    }
}

enum Values<'a> {
    Classes(&'a [u8], Vec<f64>),
    Field(&'a [f32]),
    Residents(&'a [f64]),
}

/// A factor with the values it looks at.
struct Bound<'a> {
    values: Values<'a>,
    halving: Option<f64>,
    zero_at: Option<f64>,
    floor: f64,
    exponent: f64,
}

impl Bound<'_> {
    fn at(&self, i: usize, cell: u32) -> f64 {
        let v = match &self.values {
            Values::Classes(classes, table) => table[usize::from(classes[cell as usize])],
            Values::Field(field) => f64::from(field[cell as usize]),
            Values::Residents(residents) => residents[i],
        };
        if v.is_nan() {
            return 0.0;
        }
        let v = match (self.halving, self.zero_at) {
            (Some(halving), _) => libm::exp2(-v / halving),
            (_, Some(zero)) => (1.0 - v / zero).max(0.0),
            _ => v.max(0.0),
        };
        let v = v.max(self.floor);
        if self.exponent == 1.0 {
            v
        } else {
            libm::pow(v, self.exponent)
        }
    }
}

/// Residents of settlements around each cell: the sum over settlements (x, y in the compute CRS, residents) of
/// residents × 2^(-distance / halving); cells where `wanted` is false are 0.
pub fn place_people(
    grid: &anlan_engine::Grid,
    places: &[(f64, f64, f64)],
    rule: PlacePeople,
    wanted: &(dyn Fn(usize) -> bool + Sync),
) -> Raster<f32> {
    // Beyond sixteen halvings a settlement counts for a 65,536th.
    let reach = 16.0 * rule.halving_m;
    let mut out = Raster::filled(*grid, 0.0_f32);
    out.values_mut()
        .par_chunks_mut(grid.cols)
        .enumerate()
        .for_each(|(row, line)| {
            let y = grid.y(row);
            let near: Vec<&(f64, f64, f64)> =
                places.iter().filter(|p| (p.1 - y).abs() <= reach).collect();
            for (col, out) in line.iter_mut().enumerate() {
                if !wanted(row * grid.cols + col) {
                    continue;
                }
                let x = grid.x(col);
                let mut sum = 0.0;
                for p in &near {
                    let (dx, dy) = (p.0 - x, p.1 - y);
                    let d = libm::sqrt(dx * dx + dy * dy);
                    if d <= reach {
                        let people = if p.2 > 0.0 { p.2 } else { rule.unknown };
                        sum += people * libm::exp2(-d / rule.halving_m);
                    }
                }
                *out = sum as f32;
            }
        });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::spread::{largest_remainder, proportional};
    use anlan_engine::{Crs, Grid};
    use proptest::prelude::*;

    fn row<T: Copy>(values: &[T]) -> Raster<T> {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 100.0),
            (100.0, 100.0),
            (1, values.len()),
        )
        .unwrap();
        let data = ndarray::Array2::from_shape_vec((1, values.len()), values.to_vec()).unwrap();
        Raster::new(grid, data)
    }

    #[test]
    fn the_builtin_file_is_whole() {
        let file = Dasymetric::builtin();
        assert_eq!(file.chosen.len(), 8);
        assert!(file.set.iter().any(|s| s.id == "litpop"));
    }

    #[test]
    fn litpop_is_light_times_people() {
        // Closed form of LitPop with exponents 1, 1: a cell's share is L·P over the sum of all.
        let light = row(&[10.0_f32, 20.0, 0.0, 5.0]);
        let people = row(&[3.0_f32, 1.0, 9.0, f32::NAN]);
        let cover = row(&[12_u8, 13, 12, 12]);
        let covariates = Covariates::new(&cover, &cover)
            .with(Covariate::NightLight, &light)
            .with(Covariate::PopulationWeight, &people);
        let file = Dasymetric::builtin();
        let set = file.set.iter().find(|s| s.id == "litpop").unwrap();
        assert!(covariates.suffice(set));
        let unit = UnitCells {
            cells: &[0, 1, 2, 3],
            urban: 0.5,
            residents: None,
        };
        let w = file.weights(set, &covariates, unit);
        assert_eq!(w.evenly, None);
        assert_eq!(proportional(1e6, &w.weights), [6e5, 4e5, 0.0, 0.0]);
    }

    #[test]
    fn parts_hold_their_shares_and_masks_hold() {
        let cover = row(&[13_u8, 13, 12, 12, 0, 12]);
        let slope = row(&[0.0_f32, 0.0, 0.0, 15.0, 0.0, 40.0]);
        let near = row(&[0.0_f32; 6]);
        let covariates = Covariates::new(&cover, &cover)
            .with(Covariate::SlopeDeg, &slope)
            .with(Covariate::PlaceM, &near);
        let file = Dasymetric::builtin();
        let set = file.set.iter().find(|s| s.id == "settled").unwrap();
        let unit = |urban| UnitCells {
            cells: &[0, 1, 2, 3, 4, 5],
            urban,
            residents: None,
        };
        let w = file.weights(set, &covariates, unit(0.6)).weights;
        // Towns 0.6 in two equal cells; the rest 0.4 as 1 to 0.5 (slope 15 of 30); water and 40 degrees nothing.
        let expected = [0.3, 0.3, 0.8 / 3.0, 0.4 / 3.0, 0.0, 0.0];
        for (a, b) in w.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15, "{w:?}");
        }
        // A unit of water: evenly, and it says so.
        let wet = UnitCells {
            cells: &[4],
            ..unit(0.6)
        };
        let w = file.weights(set, &covariates, wet);
        assert_eq!((w.weights, w.evenly), (vec![1.0], Some(Evenly::Everywhere)));
    }

    #[test]
    fn faults_are_told_together() {
        let text = include_str!("../../standards/dasymetric.toml")
            .replace("residents = \"settled\"", "residents = \"nobody\"")
            .replace("zero_at = 15.0", "zero_at = -15.0")
            .replace("13 = 12.0", "13 = -12.0");
        let error = Dasymetric::read(&text, Path::new("d.toml")).unwrap_err();
        assert_eq!(error.faults().len(), 3, "{error}");
        let mut file = Dasymetric::builtin();
        file.chosen.insert(Quantity::Residents, "litpop".into());
        assert_eq!(file.lacking(&[], Path::new("d.toml")).len(), 2);
        let given = [Covariate::NightLight, Covariate::PopulationWeight];
        assert!(file.lacking(&given, Path::new("d.toml")).is_empty());
    }

    proptest! {
        /// Whatever the weights, exponents, floors and masks: totals are kept, counts to the last person and reals to
        /// 1 ulp.
        #[test]
        fn totals_are_exact_for_any_weights(
            light in prop::collection::vec(-1.0f32..1e4, 1..60),
            exponent in 0.0..3.0f64, floor in 0.0..2.0f64, share in 0.01..1.0f64, urban in 0.0..1.0f64,
            total in 0u64..5_000_000, gdp in 0.0..1e13f64, classes in prop::collection::vec(0u8..17, 60),
        ) {
            let n = light.len();
            let light = row(&light);
            let cover = row(&classes[..n]);
            let factor = |covariate, classes: Option<&str>| Factor {
                covariate, exponent, floor, halving_m: None, zero_at: None, classes: classes.map(String::from),
            };
            let set = WeightSet {
                id: "x".into(), name_zh: "某".into(), quantity: Quantity::Residents, masked: true,
                part: vec![
                    Part { share: Share::Fixed(share), factor: vec![factor(Covariate::NightLight, None)] },
                    Part { share: Share::Named(NamedShare::Urban), factor: vec![factor(Covariate::Cover, Some("urban"))] },
                ],
            };
            let covariates = Covariates::new(&cover, &cover).with(Covariate::NightLight, &light);
            let cells: Vec<u32> = (0..n as u32).collect();
            let w = Dasymetric::builtin().weights(&set, &covariates, UnitCells { cells: &cells, urban, residents: None });
            prop_assert!(w.weights.iter().all(|w| *w >= 0.0 && w.is_finite()));
            prop_assert_eq!(largest_remainder(total, &w.weights).iter().sum::<u64>(), total);
            let sum: f64 = proportional(gdp, &w.weights).iter().sum();
            prop_assert!((sum - gdp).abs() <= gdp.max(f64::MIN_POSITIVE).next_up() - gdp);
            if w.evenly.is_none() {
                for (w, c) in w.weights.iter().zip(&classes) {
                    prop_assert!(*w == 0.0 || ![0, 15].contains(c));
                }
            }
        }
    }
}
