//! One simulated year.

use crate::census::exposure::AssetClass;
use crate::hazard::{Hazard, HazardModel, Incident, stream};
use crate::vulnerability::{HazardDamage, RatioTable};
use crate::weather::WeatherYear;
use anlan_engine::loss::Exposure;
use anlan_engine::random::Stream;

const CLASSES: usize = AssetClass::ALL.len();

/// Losses of one incident in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct UnitLoss {
    /// Dwellings, yuan.
    pub dwellings_yuan: f64,
    /// Industry and services, yuan.
    pub assets_yuan: f64,
    /// Crops, yuan.
    pub crops_yuan: f64,
    /// Forest, yuan.
    pub forest_yuan: f64,
    /// Roads, yuan.
    pub roads_yuan: f64,
    /// Affected people (受灾人口).
    pub affected: f64,
    /// Relocated people (紧急转移安置人口).
    pub relocated: f64,
    /// Collapsed rooms (倒塌房屋，间).
    pub collapsed_rooms: f64,
    /// Crop area with 10 % damage or more, ha (农作物受灾面积).
    pub crop_ha: f64,
    /// Forest area burned or struck, ha (受害森林面积).
    pub forest_ha: f64,
}

impl UnitLoss {
    /// Names of the columns, with units.
    pub const COLUMNS: [&'static str; 10] = [
        "dwellings_yuan",
        "assets_yuan",
        "crops_yuan",
        "forest_yuan",
        "roads_yuan",
        "affected_people",
        "relocated_people",
        "collapsed_rooms",
        "crop_ha",
        "forest_ha",
    ];

    /// The columns in the order of [`UnitLoss::COLUMNS`].
    pub fn values(&self) -> [f64; 10] {
        [
            self.dwellings_yuan,
            self.assets_yuan,
            self.crops_yuan,
            self.forest_yuan,
            self.roads_yuan,
            self.affected,
            self.relocated,
            self.collapsed_rooms,
            self.crop_ha,
            self.forest_ha,
        ]
    }

    /// Direct economic loss (直接经济损失), yuan.
    pub fn money_yuan(&self) -> f64 {
        self.dwellings_yuan
            + self.assets_yuan
            + self.crops_yuan
            + self.forest_yuan
            + self.roads_yuan
    }

    /// Adds another loss.
    pub fn add(&mut self, other: &UnitLoss) {
        self.dwellings_yuan += other.dwellings_yuan;
        self.assets_yuan += other.assets_yuan;
        self.crops_yuan += other.crops_yuan;
        self.forest_yuan += other.forest_yuan;
        self.roads_yuan += other.roads_yuan;
        self.affected += other.affected;
        self.relocated += other.relocated;
        self.collapsed_rooms += other.collapsed_rooms;
        self.crop_ha += other.crop_ha;
        self.forest_ha += other.forest_ha;
    }
}

/// One row of the event loss table: an incident in a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossRow {
    /// Year.
    pub year: u32,
    /// Day of the year.
    pub day: u16,
    /// Hazard code.
    pub hazard: u16,
    /// Event.
    pub event: u64,
    /// Cause: all events of one storm share it.
    pub cause: u64,
    /// Index of the unit.
    pub unit: u16,
    /// Losses.
    pub loss: UnitLoss,
}

/// Everything that does not change from year to year.
pub struct Simulator<'a> {
    /// Exposure, rows by ascending cell.
    pub exposure: &'a Exposure,
    /// Hazard models, in the order of [`Hazard::ALL`] (missing ones left out).
    pub models: Vec<&'a dyn HazardModel>,
    damage: [HazardDamage; 4],
    ratios: Vec<RatioTable>,
    ratio_of: [[usize; CLASSES]; 4],
    first_row: Vec<u32>,
    random: Stream,
    crop_yuan_ha: f64,
    forest_yuan_ha: f64,
}

/// Scratch of one thread: what is left of each exposure row in the current year. Epoch stamps avoid clearing.
#[derive(Debug)]
pub struct Scratch {
    epoch: u32,
    stamp: Vec<u32>,
    left: Vec<f32>,
    cause: Vec<u64>,
    hit: Vec<[f32; 2]>,
    factors: Vec<f64>,
    units: Vec<UnitLoss>,
    touched: Vec<u16>,
}

impl<'a> Simulator<'a> {
    /// A simulator.
    ///
    /// `cells` is the number of cells of the grid; `crop_yuan_ha` and `forest_yuan_ha` turn values back into areas.
    pub fn new(
        exposure: &'a Exposure,
        cells: usize,
        models: Vec<&'a dyn HazardModel>,
        damage: [HazardDamage; 4],
        seed: u64,
        crop_yuan_ha: f64,
        forest_yuan_ha: f64,
    ) -> Self {
        let mut ratios: Vec<RatioTable> = Vec::new();
        let mut ratio_of = [[0; CLASSES]; 4];
        for (h, d) in damage.iter().enumerate() {
            for (class, slot) in ratio_of[h].iter_mut().enumerate() {
                let cv = d.cv(class);
                *slot = ratios.iter().position(|t| t.cv == cv).unwrap_or_else(|| {
                    ratios.push(RatioTable::new(cv));
                    ratios.len() - 1
                });
            }
        }
        let mut first_row = vec![0_u32; cells + 1];
        for &cell in &exposure.cell {
            first_row[cell as usize + 1] += 1;
        }
        for i in 0..cells {
            first_row[i + 1] += first_row[i];
        }
        Simulator {
            exposure,
            models,
            damage,
            ratios,
            ratio_of,
            first_row,
            random: Stream::new(seed, stream::DAMAGE),
            crop_yuan_ha,
            forest_yuan_ha,
        }
    }

    /// Scratch for one thread.
    pub fn scratch(&self) -> Scratch {
        let rows = self.exposure.cell.len();
        let units = self.exposure.units.len();
        Scratch {
            epoch: 0,
            stamp: vec![0; rows],
            left: vec![0.0; rows],
            cause: vec![u64::MAX; rows],
            hit: vec![[0.0; 2]; rows],
            factors: vec![f64::NAN; units * CLASSES],
            units: vec![UnitLoss::default(); units],
            touched: Vec::new(),
        }
    }

    /// Simulates one year: rows of the event loss table in order of (day, hazard, event, unit). `row_loss` receives the
    /// money lost by each exposure row.
    pub fn year(
        &self,
        weather: &WeatherYear,
        scratch: &mut Scratch,
        row_loss: &mut [f64],
        out: &mut Vec<LossRow>,
    ) {
        let mut incidents: Vec<(Hazard, Incident)> = Vec::new();
        for model in &self.models {
            let hazard = model.hazard();
            incidents.extend(model.year(weather).into_iter().map(|i| (hazard, i)));
        }
        incidents.sort_by_key(|(h, i)| (i.occurrence.day, h.code(), i.event.id));
        scratch.epoch += 1;
        for (hazard, incident) in &incidents {
            self.incident(*hazard, incident, scratch, row_loss);
            scratch.touched.sort_unstable();
            scratch.touched.dedup();
            for &unit in &scratch.touched {
                let loss = std::mem::take(&mut scratch.units[unit as usize]);
                if loss.values().iter().any(|v| *v > 0.0) {
                    out.push(LossRow {
                        year: weather.year,
                        day: incident.occurrence.day,
                        hazard: hazard.code(),
                        event: incident.event.id,
                        cause: incident.event.cause,
                        unit,
                        loss,
                    });
                }
            }
            scratch.touched.clear();
        }
    }

    fn incident(
        &self,
        hazard: Hazard,
        incident: &Incident,
        scratch: &mut Scratch,
        row_loss: &mut [f64],
    ) {
        let damage = &self.damage[hazard as usize];
        let footprint = &incident.footprint;
        let cause = incident.event.cause;
        let share = damage.struck_share;
        scratch.factors.fill(f64::NAN);
        for (i, &cell) in footprint.cells.iter().enumerate() {
            let rows =
                self.first_row[cell as usize] as usize..self.first_row[cell as usize + 1] as usize;
            for row in rows {
                let class = self.exposure.class[row] as usize;
                let unit = self.exposure.unit[row];
                let value = self.exposure.value[row];
                if scratch.stamp[row] != scratch.epoch {
                    scratch.stamp[row] = scratch.epoch;
                    scratch.left[row] = 1.0;
                    scratch.cause[row] = u64::MAX;
                }
                if class == AssetClass::People as usize {
                    let shares = damage.people(&footprint.values, i);
                    if scratch.cause[row] != cause {
                        scratch.cause[row] = cause;
                        scratch.hit[row] = [0.0; 2];
                    }
                    let before = scratch.hit[row];
                    let loss = &mut scratch.units[unit as usize];
                    loss.affected += value * (shares.affected - f64::from(before[0])).max(0.0);
                    loss.relocated += value * (shares.relocated - f64::from(before[1])).max(0.0);
                    scratch.hit[row] = [
                        before[0].max(shares.affected as f32),
                        before[1].max(shares.relocated as f32),
                    ];
                    scratch.touched.push(unit);
                    continue;
                }
                let mean = damage.mean_ratio(class, &footprint.values, i);
                if mean <= 0.0 {
                    continue;
                }
                let slot = unit as usize * CLASSES + class;
                if scratch.factors[slot].is_nan() {
                    scratch.factors[slot] =
                        self.random
                            .uniform(incident.event.id, u32::from(unit), class as u32);
                }
                let table = &self.ratios[self.ratio_of[hazard as usize][class]];
                let ratio = (mean * table.factor(mean, scratch.factors[slot])).min(1.0) * share;
                let left = f64::from(scratch.left[row]);
                let lost = value * left * ratio;
                scratch.left[row] = (left * (1.0 - ratio)) as f32;
                if scratch.units[unit as usize] == UnitLoss::default()
                    || scratch.touched.last() != Some(&unit)
                {
                    scratch.touched.push(unit);
                }
                let loss = &mut scratch.units[unit as usize];
                match class {
                    0..=2 => loss.dwellings_yuan += lost,
                    3..=5 => loss.collapsed_rooms += lost,
                    c if c == AssetClass::Assets as usize => loss.assets_yuan += lost,
                    c if c == AssetClass::Crops as usize => {
                        loss.crops_yuan += lost;
                        if ratio >= 0.1 {
                            loss.crop_ha += value / self.crop_yuan_ha * share;
                        }
                    }
                    c if c == AssetClass::Forest as usize => {
                        loss.forest_yuan += lost;
                        if hazard == Hazard::Fire || ratio >= 0.1 {
                            loss.forest_ha += value / self.forest_yuan_ha * share;
                        }
                    }
                    _ => loss.roads_yuan += lost,
                }
                if !(3..=5).contains(&class) {
                    row_loss[row] += lost;
                }
            }
        }
    }
}
