//! Exposure (承灾体): the ledger per (unit, cell), made from the census records by dasymetric weights, and the asset
//! classes of the loss engine made from the ledger.
//!
//! Counts are whole numbers and add up to the census exactly; reals add up to 1 ulp. The ledger is the record; rasters
//! are views of it.

use super::dasymetric::{Covariates, Dasymetric, Evenly, Quantity, UnitCells};
use super::economy::{Economy as Figures, Field};
use super::spread::{largest_remainder, proportional};
use super::table::Record;
use anlan_engine::loss::{Exposure, ExposureBuilder, ExposureClass, Measure};
use anlan_engine::{Grid, Raster, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Values by which census counts become exposure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExposureValues {
    /// Name of the data set.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the figures come from.
    pub source: String,
    /// Currency of all money.
    pub currency: String,
    /// Price year of all money.
    pub price_year: u16,
    /// Dwelling structures.
    pub structure: Structures,
    /// How the shares of the structures follow from the census.
    pub structure_shares: StructureShares,
    /// Values of the economy.
    pub economy: Economy,
    /// Output by sector where the census does not give it.
    pub sectors: Sectors,
}

/// The three dwelling structures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structures {
    /// Reinforced concrete (钢筋混凝土结构).
    pub reinforced_concrete: Structure,
    /// Masonry (砖混结构).
    pub masonry: Structure,
    /// Brick and wood, other (砖木及其他).
    pub brick_wood: Structure,
}

/// One dwelling structure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Replacement cost, yuan per m² of floor.
    pub cost_yuan_m2: f64,
}

/// Coefficients of the structure shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StructureShares {
    /// Share of urban dwellings without lift that are of concrete, 0..=1.
    pub concrete_urban: f64,
    /// Share of rural dwellings of brick and wood, 0..=1.
    pub brick_wood_rural: f64,
}

/// Values of the economy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Economy {
    /// Fixed assets and stocks per yuan of GDP.
    pub assets_per_gdp: f64,
    /// Crops, yuan per hectare.
    pub crop_yuan_ha: f64,
    /// Forest, yuan per hectare.
    pub forest_yuan_ha: f64,
    /// Roads, yuan per metre.
    pub road_yuan_m: f64,
}

/// Output by sector (三次产业), primary, secondary, tertiary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sectors {
    /// Shares of GDP where nothing is known of the unit.
    pub shares: [f64; 3],
    /// Output per worker, relative: turns employment by sector into shares of GDP.
    pub output_per_worker: [f64; 3],
}

impl ExposureValues {
    /// The values that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/exposure.toml"))
            .expect("the compiled-in values are read by a test")
    }

    /// Replacement costs of (concrete, masonry, brick-wood) floor, yuan per m².
    pub fn costs(&self) -> [f64; 3] {
        [
            self.structure.reinforced_concrete.cost_yuan_m2,
            self.structure.masonry.cost_yuan_m2,
            self.structure.brick_wood.cost_yuan_m2,
        ]
    }

    /// Share of concrete dwellings with a lift in a unit.
    pub fn lift_share(&self, r: &Record) -> f64 {
        let urban = (r.urban_population as f64 / r.population.max(1) as f64).clamp(0.0, 1.0);
        let lift = (r.lift_households_pct / 100.0).clamp(0.0, urban);
        let concrete = self.shares(r)[0];
        if concrete > 0.0 { lift / concrete } else { 0.0 }
    }

    /// Shares of the three sectors in the GDP of a unit: as the census gives them; else by employment; else the same
    /// everywhere.
    pub fn sector_shares(&self, code: &str, figures: &Figures) -> [f64; 3] {
        let all = |fields: [Field; 3]| -> Option<[f64; 3]> {
            let [a, b, c] = fields.map(|f| figures.get(code, f));
            Some([a?, b?, c?])
        };
        let given = all([Field::GdpPrimary, Field::GdpSecondary, Field::GdpTertiary]);
        let worked = sector_employment(code, figures).map(|people| {
            let per = self.sectors.output_per_worker;
            [people[0] * per[0], people[1] * per[1], people[2] * per[2]]
        });
        let parts = [given, worked]
            .into_iter()
            .flatten()
            .find(|p| p.iter().sum::<f64>() > 0.0)
            .unwrap_or(self.sectors.shares);
        let sum: f64 = parts.iter().sum();
        parts.map(|p| p / sum)
    }

    /// Shares of (concrete, masonry, brick-wood) dwellings of a unit.
    fn shares(&self, r: &Record) -> [f64; 3] {
        let urban = (r.urban_population as f64 / r.population.max(1) as f64).clamp(0.0, 1.0);
        let lift = (r.lift_households_pct / 100.0).clamp(0.0, urban);
        let concrete = lift + self.structure_shares.concrete_urban * (urban - lift);
        let wood = self.structure_shares.brick_wood_rural * (1.0 - urban);
        [concrete, 1.0 - concrete - wood, wood]
    }
}

/// People at work in the three sectors, in the measure of the table (the long form counts a sample).
pub fn sector_employment(code: &str, figures: &Figures) -> Option<[f64; 3]> {
    let get = |f| figures.get(code, f);
    let all = get(Field::Employed).filter(|v| *v > 0.0)?;
    let first = get(Field::EmployedFarming)?;
    let second = get(Field::EmployedManufacturing)? + get(Field::EmployedBuilding)?;
    Some([first, second, (all - first - second).max(0.0)])
}

/// Weights and areas of the cells, all on the compute grid.
#[derive(Debug)]
pub struct CellLayers<'a> {
    /// Unit of each cell: index into the records, 65535 outside.
    pub unit: &'a Raster<u16>,
    /// Sets of weights, and which set spreads what.
    pub dasymetric: &'a Dasymetric,
    /// What the weights look at.
    pub covariates: &'a Covariates<'a>,
    /// What the census says beyond its people.
    pub figures: &'a Figures,
    /// Shares of the three dwelling structures in the units whose houses are known.
    pub structures: &'a BTreeMap<String, [f64; 3]>,
    /// How urban a cell is, 0..=1.
    pub urbanity: &'a Raster<f32>,
    /// Share of the cell under crops, 0..=1.
    pub crop_share: &'a Raster<f32>,
    /// Share of the cell under forest, 0..=1.
    pub forest_share: &'a Raster<f32>,
    /// Length of road, m.
    pub road_m: &'a Raster<f32>,
}

/// Exposure of one unit in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LedgerRow {
    /// Cell number.
    pub cell: u32,
    /// Index of the unit among the records.
    pub unit: u16,
    /// Residents, who are there at night.
    pub population: u32,
    /// People by day (白天人口).
    pub population_day: u32,
    /// People on a holiday (节假日人口).
    pub population_holiday: u32,
    /// Households.
    pub households: u32,
    /// Rooms (间) by structure: concrete, masonry, brick-wood.
    pub rooms: [u32; 3],
    /// Dwelling floor by structure, m².
    pub floor_m2: [f64; 3],
    /// GDP, yuan.
    pub gdp_yuan: f64,
    /// GDP by sector, yuan: primary, secondary, tertiary.
    pub sector_yuan: [f64; 3],
    /// Crops, ha.
    pub crop_ha: f64,
    /// Forest, ha.
    pub forest_ha: f64,
    /// Roads, m.
    pub road_m: f64,
}

/// What a unit's total went by where its set of weights gave no cell any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadNote {
    /// Code of the unit.
    pub unit: String,
    /// What was spread.
    pub quantity: Quantity,
    /// How instead.
    pub evenly: Evenly,
}

/// The ledger of exposure: rows by ascending cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Grid of the cells.
    pub grid: Grid,
    /// Codes of the units, by index.
    pub units: Vec<String>,
    /// Rows by ascending (cell, unit).
    pub rows: Vec<LedgerRow>,
}

impl Ledger {
    /// Spreads the records over the cells of their units, each quantity by its set of weights.
    ///
    /// Rooms go by households, concrete towards urban and brick-wood towards rural cells, floor by rooms. GDP is the sum of
    /// its sectors. Crops, forest and roads keep the census totals of units that have them; elsewhere they are what the
    /// land itself holds. People by day and on holidays are those at night until [`super::daytime`] moves them.
    ///
    /// The second value tells the units whose total no set could place.
    ///
    /// # Panics
    /// A unit with people has no cell (checked on input).
    pub fn spread(
        records: &[Record],
        layers: &CellLayers<'_>,
        values: &ExposureValues,
    ) -> (Ledger, Vec<SpreadNote>) {
        let grid = layers.unit.grid;
        let cells_of = cells_by_unit(layers.unit, records.len());
        let mut rows = Vec::new();
        let mut notes = Vec::new();
        for (index, (record, cells)) in records.iter().zip(&cells_of).enumerate() {
            spread_unit(
                index as u16,
                record,
                cells,
                layers,
                values,
                &mut rows,
                &mut notes,
            );
        }
        rows.sort_by_key(|r| (r.cell, r.unit));
        let units = records
            .iter()
            .map(|r| r.code.as_str().to_string())
            .collect();
        (Ledger { grid, units, rows }, notes)
    }

    /// The sum of a column per unit.
    pub fn totals(&self, column: impl Fn(&LedgerRow) -> f64) -> Vec<f64> {
        let mut totals = vec![0.0; self.units.len()];
        for row in &self.rows {
            totals[row.unit as usize] += column(row);
        }
        totals
    }

    /// A column as a raster, NaN where the ledger has no row.
    pub fn raster(&self, column: impl Fn(&LedgerRow) -> f64) -> Raster<f32> {
        let mut raster = Raster::filled(self.grid, f32::NAN);
        let values = raster.values_mut();
        for row in &self.rows {
            let v = &mut values[row.cell as usize];
            *v = column(row) as f32 + if v.is_nan() { 0.0 } else { *v };
        }
        raster
    }

    /// The exposure table of the loss engine, classes as in [`classes`], with people as they are at a time.
    ///
    /// # Errors
    /// Values that are negative or not finite (not from [`Ledger::spread`]).
    pub fn exposure(&self, values: &ExposureValues, people: PeopleAt) -> Result<Exposure> {
        let mut builder = ExposureBuilder::new(classes(values), self.units.clone());
        let costs = values.costs();
        for row in &self.rows {
            let mut push = |class: AssetClass, value: f64| {
                if value > 0.0 {
                    builder.push(row.cell, class as u16, value, row.unit);
                }
            };
            for (k, class) in AssetClass::DWELLINGS.into_iter().enumerate() {
                push(class, row.floor_m2[k] * costs[k]);
            }
            for (k, class) in AssetClass::ROOMS.into_iter().enumerate() {
                push(class, f64::from(row.rooms[k]));
            }
            push(
                AssetClass::Assets,
                (row.sector_yuan[1] + row.sector_yuan[2]) * values.economy.assets_per_gdp,
            );
            push(AssetClass::Crops, row.crop_ha * values.economy.crop_yuan_ha);
            push(
                AssetClass::Forest,
                row.forest_ha * values.economy.forest_yuan_ha,
            );
            push(AssetClass::Roads, row.road_m * values.economy.road_yuan_m);
            push(AssetClass::People, people.of(row));
        }
        builder.build()
    }
}

/// When people are counted where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeopleAt {
    /// At night: residents.
    #[default]
    Night,
    /// By day.
    Day,
    /// The mean of both.
    Mean,
    /// On a holiday.
    Holiday,
}

impl PeopleAt {
    /// People of a row at this time.
    pub fn of(self, row: &LedgerRow) -> f64 {
        let (night, day) = (f64::from(row.population), f64::from(row.population_day));
        match self {
            PeopleAt::Night => night,
            PeopleAt::Day => day,
            PeopleAt::Mean => 0.5 * (night + day),
            PeopleAt::Holiday => f64::from(row.population_holiday),
        }
    }
}

/// Asset classes of the exposure table; the discriminant is the class index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssetClass {
    /// Dwellings of reinforced concrete, yuan.
    DwellingConcrete,
    /// Dwellings of masonry, yuan.
    DwellingMasonry,
    /// Dwellings of brick and wood, yuan.
    DwellingBrickWood,
    /// Rooms (间) in concrete dwellings.
    RoomsConcrete,
    /// Rooms in masonry dwellings.
    RoomsMasonry,
    /// Rooms in brick-wood dwellings.
    RoomsBrickWood,
    /// Assets of industry and services, yuan.
    Assets,
    /// Crops, yuan.
    Crops,
    /// Forest, yuan.
    Forest,
    /// Roads, yuan.
    Roads,
    /// Residents.
    People,
}

impl AssetClass {
    /// All classes in order of their index.
    pub const ALL: [AssetClass; 11] = [
        AssetClass::DwellingConcrete,
        AssetClass::DwellingMasonry,
        AssetClass::DwellingBrickWood,
        AssetClass::RoomsConcrete,
        AssetClass::RoomsMasonry,
        AssetClass::RoomsBrickWood,
        AssetClass::Assets,
        AssetClass::Crops,
        AssetClass::Forest,
        AssetClass::Roads,
        AssetClass::People,
    ];
    /// Dwellings in money, by structure.
    pub const DWELLINGS: [AssetClass; 3] = [
        AssetClass::DwellingConcrete,
        AssetClass::DwellingMasonry,
        AssetClass::DwellingBrickWood,
    ];
    /// Rooms, by structure.
    pub const ROOMS: [AssetClass; 3] = [
        AssetClass::RoomsConcrete,
        AssetClass::RoomsMasonry,
        AssetClass::RoomsBrickWood,
    ];

    /// True for the index of a class that counts rooms, not money.
    pub fn is_rooms(class: u16) -> bool {
        (Self::RoomsConcrete as u16..=Self::RoomsBrickWood as u16).contains(&class)
    }

    /// English and Chinese name.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            AssetClass::DwellingConcrete => ("dwellings, concrete", "住宅（钢筋混凝土）"),
            AssetClass::DwellingMasonry => ("dwellings, masonry", "住宅（砖混）"),
            AssetClass::DwellingBrickWood => ("dwellings, brick and wood", "住宅（砖木及其他）"),
            AssetClass::RoomsConcrete => ("rooms, concrete", "房间（钢筋混凝土）"),
            AssetClass::RoomsMasonry => ("rooms, masonry", "房间（砖混）"),
            AssetClass::RoomsBrickWood => ("rooms, brick and wood", "房间（砖木及其他）"),
            AssetClass::Assets => ("industry and services", "工商业资产"),
            AssetClass::Crops => ("crops", "农作物"),
            AssetClass::Forest => ("forest", "森林"),
            AssetClass::Roads => ("roads", "道路"),
            AssetClass::People => ("residents", "常住人口"),
        }
    }
}

/// The asset classes as the loss engine wants them.
pub fn classes(values: &ExposureValues) -> Vec<ExposureClass> {
    AssetClass::ALL
        .into_iter()
        .map(|class| {
            let (name, name_zh) = class.names();
            let measure = match class {
                AssetClass::RoomsConcrete
                | AssetClass::RoomsMasonry
                | AssetClass::RoomsBrickWood => Measure::Count("room".into()),
                AssetClass::People => Measure::Count("person".into()),
                _ => Measure::Money {
                    currency: values.currency.clone(),
                    price_year: values.price_year,
                },
            };
            ExposureClass {
                code: class as u16,
                name: name.into(),
                name_zh: name_zh.into(),
                measure,
            }
        })
        .collect()
}

/// Cells of each unit, ascending.
pub fn cells_by_unit(unit: &Raster<u16>, units: usize) -> Vec<Vec<u32>> {
    let mut cells_of: Vec<Vec<u32>> = vec![Vec::new(); units];
    for (cell, &unit) in unit.values().iter().enumerate() {
        if let Some(cells) = cells_of.get_mut(unit as usize) {
            cells.push(cell as u32);
        }
    }
    cells_of
}

#[allow(clippy::too_many_arguments)]
fn spread_unit(
    unit: u16,
    record: &Record,
    cells: &[u32],
    layers: &CellLayers<'_>,
    values: &ExposureValues,
    rows: &mut Vec<LedgerRow>,
    notes: &mut Vec<SpreadNote>,
) {
    assert!(
        !cells.is_empty() || record.population == 0,
        "unit {} has people but no cell",
        record.code
    );
    let code = record.code.as_str();
    let at = |raster: &Raster<f32>, cell: u32| {
        let v = f64::from(raster.values()[cell as usize]);
        if v.is_finite() { v.max(0.0) } else { 0.0 }
    };
    let urban = record.urban_population as f64 / record.population.max(1) as f64;
    let mut weights = |quantity: Quantity, residents: Option<&[f64]>, total: f64| {
        let set = layers.dasymetric.set_of(quantity);
        let place = UnitCells {
            cells,
            urban,
            residents,
        };
        let w = layers.dasymetric.weights(set, layers.covariates, place);
        if let Some(evenly) = w.evenly
            && total > 0.0
        {
            notes.push(SpreadNote {
                unit: code.to_string(),
                quantity,
                evenly,
            });
        }
        w.weights
    };
    let population = largest_remainder(
        record.population,
        &weights(Quantity::Residents, None, record.population as f64),
    );
    let people: Vec<f64> = population.iter().map(|&p| p as f64).collect();
    let households = largest_remainder(
        record.households,
        &weights(Quantity::Dwellings, Some(&people), record.households as f64),
    );
    let urbanity: Vec<f64> = cells
        .iter()
        .map(|&c| at(layers.urbanity, c).min(1.0))
        .collect();
    let shares = layers
        .structures
        .get(code)
        .copied()
        .unwrap_or_else(|| values.shares(record));
    let all_rooms = (record.households as f64 * record.rooms_per_household).round() as u64;
    let room_totals = largest_remainder(all_rooms, &shares);
    let floor_total = record.population as f64 * record.floor_m2_per_head;
    let lean = |k: usize, urban: f64| match k {
        0 => 0.1 + urban,
        1 => 1.0,
        _ => 1.1 - urban,
    };
    let mut rooms: [Vec<u64>; 3] = Default::default();
    let mut floors: [Vec<f64>; 3] = Default::default();
    for k in 0..3 {
        let w: Vec<f64> = households
            .iter()
            .zip(&urbanity)
            .map(|(&h, &u)| h as f64 * lean(k, u))
            .collect();
        rooms[k] = largest_remainder(room_totals[k], &w);
        let by_room: Vec<f64> = rooms[k].iter().map(|&r| r as f64).collect();
        let total = floor_total * shares[k];
        floors[k] = proportional(total, if room_totals[k] > 0 { &by_room } else { &w });
    }
    let sector_totals = values
        .sector_shares(code, layers.figures)
        .map(|share| record.gdp_yuan * share);
    let mut sectors: [Vec<f64>; 3] = Default::default();
    for ((parts, q), total) in sectors
        .iter_mut()
        .zip([
            Quantity::GdpPrimary,
            Quantity::GdpSecondary,
            Quantity::GdpTertiary,
        ])
        .zip(sector_totals)
    {
        *parts = proportional(total, &weights(q, Some(&people), total));
    }
    let sums: Vec<f64> = (0..cells.len())
        .map(|i| sectors[0][i] + sectors[1][i] + sectors[2][i])
        .collect();
    let gdp = proportional(record.gdp_yuan, &sums);
    let area = |cell: u32| {
        let (row, _) = layers.unit.grid.row_col(cell);
        layers.unit.grid.cell_area_m2(row) / 1e4
    };
    let mut land =
        |field: Field, scale: f64, quantity: Quantity, own: &dyn Fn(u32) -> f64| match layers
            .figures
            .get(code, field)
        {
            Some(total) => {
                let w = weights(quantity, Some(&people), total);
                proportional(total * scale, &w)
            }
            None => cells.iter().map(|&c| own(c)).collect(),
        };
    let crops: Vec<f64> = land(Field::CropHa, 1.0, Quantity::Crops, &|c| {
        at(layers.crop_share, c) * area(c)
    });
    let forest: Vec<f64> = land(Field::ForestHa, 1.0, Quantity::Forest, &|c| {
        at(layers.forest_share, c) * area(c)
    });
    let roads: Vec<f64> = land(Field::RoadKm, 1000.0, Quantity::Roads, &|c| {
        at(layers.road_m, c)
    });
    for (i, &cell) in cells.iter().enumerate() {
        let entry = LedgerRow {
            cell,
            unit,
            population: population[i] as u32,
            population_day: population[i] as u32,
            population_holiday: population[i] as u32,
            households: households[i] as u32,
            rooms: [rooms[0][i] as u32, rooms[1][i] as u32, rooms[2][i] as u32],
            floor_m2: [floors[0][i], floors[1][i], floors[2][i]],
            gdp_yuan: gdp[i],
            sector_yuan: [sectors[0][i], sectors[1][i], sectors[2][i]],
            crop_ha: crops[i],
            forest_ha: forest[i],
            road_m: roads[i],
        };
        let empty = LedgerRow {
            cell,
            unit,
            ..LedgerRow::default()
        };
        if entry != empty {
            rows.push(entry);
        }
    }
}
