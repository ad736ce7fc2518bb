//! One simulated year.
//!
//! Hazards whose fields are smooth come on blocks of cells. All rows of one (block, class, unit) then lose the same ratio,
//! so that a group of rows is damaged by one multiplication: what is left of a row is its own remainder times the
//! remainder of its group, and the group keeps the sum of its rows' own remainders. This is the same arithmetic as row by
//! row, not an approximation of it.

use crate::census::exposure::AssetClass;
use crate::hazard::{Blocks, Hazard, HazardModel, Incident, Lattice, stream};
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

/// A row of the exposure, packed for the loop.
#[derive(Debug, Clone, Copy)]
struct Row {
    value: f64,
    group: u32,
    class: u16,
    unit: u16,
}

/// The rows of one (block, class, unit).
#[derive(Debug, Clone, Copy)]
struct Group {
    value: f64,
    class: u16,
    unit: u16,
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
    rows: Vec<Row>,
    /// Cells with exposure, ascending; the rows of the k-th are `first_row[k]..first_row[k + 1]`.
    cells: Vec<u32>,
    first_row: Vec<u32>,
    /// Position of each grid cell in `cells`; `u32::MAX` without exposure.
    place: Vec<u32>,
    /// By ascending (block, class, unit); those of block b are `first_group[b]..first_group[b + 1]`.
    groups: Vec<Group>,
    first_group: Vec<u32>,
    random: Stream,
    /// Unit as whose part each unit draws its damage.
    draws_as: Vec<u16>,
    crop_yuan_ha: f64,
    forest_yuan_ha: f64,
}

/// What is left of a row in the current year, and how many of its people the current cause has struck. Epoch stamps
/// avoid clearing.
#[derive(Debug, Clone, Copy, Default)]
struct RowState {
    year: u32,
    left: f32,
    cause: u32,
    affected: f32,
    relocated: f32,
}

#[derive(Debug, Clone, Copy, Default)]
struct GroupState {
    /// Sum over the rows of value times own remainder.
    value: f64,
    /// Remainder by the hazards on blocks.
    left: f64,
    year: u32,
    cause: u32,
    affected: f64,
    relocated: f64,
}

/// Scratch of one thread.
#[derive(Debug)]
pub struct Scratch {
    year: u32,
    cause: u32,
    rows: Vec<RowState>,
    groups: Vec<GroupState>,
    /// Rows of people that the current cause has struck cell by cell.
    struck: Vec<u32>,
    uniforms: Vec<f64>,
    units: Vec<UnitLoss>,
    touched: Vec<bool>,
}

/// Money lost, for the map of average annual losses.
#[derive(Debug, Clone, PartialEq)]
pub struct Places {
    /// By hazards on cells: of each cell with exposure, yuan.
    pub cells: Vec<f64>,
    /// By hazards on blocks: of each group of rows, yuan.
    groups: Vec<f64>,
}

impl Places {
    /// Adds other losses.
    pub fn add(&mut self, other: &Places) {
        for (a, b) in self.cells.iter_mut().zip(&other.cells) {
            *a += b;
        }
        for (a, b) in self.groups.iter_mut().zip(&other.groups) {
            *a += b;
        }
    }
}

impl<'a> Simulator<'a> {
    /// A simulator.
    ///
    /// `blocks` are those of the models whose footprints are on blocks; `crop_yuan_ha` and `forest_yuan_ha` turn values back
    /// into areas.
    pub fn new(
        exposure: &'a Exposure,
        blocks: &Blocks,
        models: Vec<&'a dyn HazardModel>,
        damage: [HazardDamage; 4],
        seed: u64,
        (crop_yuan_ha, forest_yuan_ha): (f64, f64),
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
        let n = exposure.place.len();
        let key = |row: usize| {
            (
                blocks.of(exposure.place[row]),
                exposure.class[row],
                exposure.unit[row],
            )
        };
        let mut keys: Vec<(u32, u16, u16)> = (0..n).map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut groups: Vec<Group> = keys
            .iter()
            .map(|&(_, class, unit)| Group {
                value: 0.0,
                class,
                unit,
            })
            .collect();
        let first_group = (0..=blocks.grid.cells() as u32)
            .map(|b| keys.partition_point(|k| k.0 < b) as u32)
            .collect();
        let rows = (0..n)
            .map(|row| {
                let group = keys.partition_point(|k| *k < key(row));
                groups[group].value += exposure.value[row];
                Row {
                    value: exposure.value[row],
                    group: group as u32,
                    class: exposure.class[row],
                    unit: exposure.unit[row],
                }
            })
            .collect();
        let mut place = vec![u32::MAX; blocks.cells.cells()];
        let (mut cells, mut first_row) = (Vec::new(), Vec::new());
        for (row, &cell) in exposure.place.iter().enumerate() {
            if cells.last() != Some(&cell) {
                place[cell as usize] = cells.len() as u32;
                cells.push(cell);
                first_row.push(row as u32);
            }
        }
        first_row.push(n as u32);
        Simulator {
            exposure,
            models,
            damage,
            ratios,
            ratio_of,
            rows,
            cells,
            first_row,
            place,
            groups,
            first_group,
            random: Stream::new(seed, stream::DAMAGE),
            draws_as: (0..exposure.units.len() as u16).collect(),
            crop_yuan_ha,
            forest_yuan_ha,
        }
    }

    /// Each unit draws its damage as a part of another: townships of an exposure as their county, so that their losses add up to
    /// those of a simulation by counties.
    ///
    /// # Panics
    /// Not one number for each unit.
    #[must_use]
    pub fn drawing_as(mut self, units: Vec<u16>) -> Self {
        assert_eq!(
            units.len(),
            self.exposure.units.len(),
            "one number for each unit"
        );
        self.draws_as = units;
        self
    }

    /// Scratch for one thread.
    pub fn scratch(&self) -> Scratch {
        let units = self.exposure.units.len();
        Scratch {
            year: 0,
            cause: 0,
            rows: vec![RowState::default(); self.rows.len()],
            groups: vec![GroupState::default(); self.groups.len()],
            struck: Vec::new(),
            uniforms: vec![f64::NAN; units * CLASSES],
            units: vec![UnitLoss::default(); units],
            touched: vec![false; units],
        }
    }

    /// No losses anywhere.
    pub fn places(&self) -> Places {
        Places {
            cells: vec![0.0; self.cells.len()],
            groups: vec![0.0; self.groups.len()],
        }
    }

    /// Money lost in each cell with exposure: (cells, yuan). What a group of rows lost is split by value.
    pub fn cell_losses(&self, places: &Places) -> (&[u32], Vec<f64>) {
        let mut out = places.cells.clone();
        for (k, loss) in out.iter_mut().enumerate() {
            for row in &self.rows[self.first_row[k] as usize..self.first_row[k + 1] as usize] {
                let group = &self.groups[row.group as usize];
                if group.value > 0.0 {
                    *loss += places.groups[row.group as usize] * (row.value / group.value);
                }
            }
        }
        (&self.cells, out)
    }

    /// Simulates one year: rows of the event loss table in order of (day, cause, hazard, event, unit). `places` receives
    /// the money lost.
    pub fn year(
        &self,
        weather: &WeatherYear,
        scratch: &mut Scratch,
        places: &mut Places,
        out: &mut Vec<LossRow>,
    ) {
        let mut incidents: Vec<(Hazard, Incident)> = Vec::new();
        for model in &self.models {
            let hazard = model.hazard();
            incidents.extend(model.year(weather).into_iter().map(|i| (hazard, i)));
        }
        // What one cause brings stands together, so that its people are counted once.
        incidents.sort_by_key(|(h, i)| (i.occurrence.day, i.event.cause, h.code(), i.event.id));
        scratch.year += 1;
        let mut cause = None;
        for (hazard, incident) in &incidents {
            if cause != Some(incident.event.cause) {
                cause = Some(incident.event.cause);
                scratch.cause += 1;
                scratch.struck.clear();
            }
            scratch.uniforms.fill(f64::NAN);
            match incident.lattice {
                Lattice::Cells => self.on_cells(*hazard, incident, scratch, places),
                Lattice::Blocks => self.on_blocks(*hazard, incident, scratch, places),
            }
            for unit in 0..scratch.units.len() {
                if !std::mem::take(&mut scratch.touched[unit]) {
                    continue;
                }
                let loss = std::mem::take(&mut scratch.units[unit]);
                if loss.values().iter().any(|v| *v > 0.0) {
                    out.push(LossRow {
                        year: weather.year,
                        day: incident.occurrence.day,
                        hazard: hazard.code(),
                        event: incident.event.id,
                        cause: incident.event.cause,
                        unit: unit as u16,
                        loss,
                    });
                }
            }
        }
    }

    /// Damage ratio of a class in a unit: one draw per event, unit and class.
    #[inline]
    fn ratio(
        &self,
        hazard: Hazard,
        event: u64,
        (class, unit): (u16, u16),
        mean: f64,
        uniforms: &mut [f64],
    ) -> f64 {
        let u = &mut uniforms[usize::from(unit) * CLASSES + usize::from(class)];
        if u.is_nan() {
            *u = self.random.uniform(
                event,
                u32::from(self.draws_as[usize::from(unit)]),
                u32::from(class),
            );
        }
        let table = &self.ratios[self.ratio_of[hazard as usize][usize::from(class)]];
        (mean * table.factor(mean, *u)).min(1.0) * self.damage[hazard as usize].struck_share
    }

    #[inline]
    fn group<'s>(&self, scratch: &'s mut Scratch, number: u32) -> &'s mut GroupState {
        let (year, cause) = (scratch.year, scratch.cause);
        let state = &mut scratch.groups[number as usize];
        if state.year != year {
            state.year = year;
            state.value = self.groups[number as usize].value;
            state.left = 1.0;
        }
        if state.cause != cause {
            state.cause = cause;
            (state.affected, state.relocated) = (0.0, 0.0);
        }
        state
    }

    fn on_cells(
        &self,
        hazard: Hazard,
        incident: &Incident,
        scratch: &mut Scratch,
        places: &mut Places,
    ) {
        let damage = &self.damage[hazard as usize];
        let footprint = &incident.footprint;
        for (i, &cell) in footprint.cells.iter().enumerate() {
            let place = self.place[cell as usize];
            if place == u32::MAX || damage.harmless(&footprint.values, i) {
                continue;
            }
            let place = place as usize;
            for number in self.first_row[place]..self.first_row[place + 1] {
                let row = self.rows[number as usize];
                let (year, cause) = (scratch.year, scratch.cause);
                let before = *self.group(scratch, row.group);
                let state = &mut scratch.rows[number as usize];
                if state.year != year {
                    state.year = year;
                    state.left = 1.0;
                }
                if row.class == AssetClass::People as u16 {
                    let shares = damage.people(&footprint.values, i);
                    if state.cause != cause {
                        state.cause = cause;
                        (state.affected, state.relocated) = (0.0, 0.0);
                        scratch.struck.push(number);
                    }
                    let loss = &mut scratch.units[usize::from(row.unit)];
                    let known = before.affected.max(f64::from(state.affected));
                    loss.affected += row.value * (shares.affected - known).max(0.0);
                    let known = before.relocated.max(f64::from(state.relocated));
                    loss.relocated += row.value * (shares.relocated - known).max(0.0);
                    state.affected = state.affected.max(shares.affected as f32);
                    state.relocated = state.relocated.max(shares.relocated as f32);
                    scratch.touched[usize::from(row.unit)] = true;
                    continue;
                }
                let mean = damage.mean_ratio(usize::from(row.class), &footprint.values, i);
                if mean <= 0.0 {
                    continue;
                }
                let ratio = self.ratio(
                    hazard,
                    incident.event.id,
                    (row.class, row.unit),
                    mean,
                    &mut scratch.uniforms,
                );
                let own = row.value * f64::from(state.left);
                let left = (f64::from(state.left) * (1.0 - ratio)) as f32;
                state.left = left;
                scratch.groups[row.group as usize].value -= own - row.value * f64::from(left);
                let lost = own * before.left * ratio;
                let struck = row.value * damage.struck_share;
                self.book(
                    hazard,
                    (row.class, row.unit),
                    (lost, ratio, struck),
                    scratch,
                );
                if !AssetClass::is_rooms(row.class) {
                    places.cells[place] += lost;
                }
            }
        }
    }

    fn on_blocks(
        &self,
        hazard: Hazard,
        incident: &Incident,
        scratch: &mut Scratch,
        places: &mut Places,
    ) {
        let damage = &self.damage[hazard as usize];
        let footprint = &incident.footprint;
        let mut people = Vec::new();
        for (i, &block) in footprint.cells.iter().enumerate() {
            if damage.harmless(&footprint.values, i) {
                continue;
            }
            let numbers = self.first_group[block as usize]..self.first_group[block as usize + 1];
            for number in numbers {
                let group = self.groups[number as usize];
                let state = *self.group(scratch, number);
                if group.class == AssetClass::People as u16 {
                    people.push((number, i));
                    continue;
                }
                let mean = damage.mean_ratio(usize::from(group.class), &footprint.values, i);
                if mean <= 0.0 {
                    continue;
                }
                let ratio = self.ratio(
                    hazard,
                    incident.event.id,
                    (group.class, group.unit),
                    mean,
                    &mut scratch.uniforms,
                );
                let lost = state.value * state.left * ratio;
                scratch.groups[number as usize].left = state.left * (1.0 - ratio);
                let struck = group.value * damage.struck_share;
                self.book(
                    hazard,
                    (group.class, group.unit),
                    (lost, ratio, struck),
                    scratch,
                );
                if !AssetClass::is_rooms(group.class) {
                    places.groups[number as usize] += lost;
                }
            }
        }
        self.people_on_blocks(damage, incident, &people, scratch);
    }

    /// People of groups struck: as many as the shares say, less those whom the cause has struck before, group by group
    /// or cell by cell.
    fn people_on_blocks(
        &self,
        damage: &HazardDamage,
        incident: &Incident,
        people: &[(u32, usize)],
        scratch: &mut Scratch,
    ) {
        for &(number, i) in people {
            let group = self.groups[number as usize];
            let shares = damage.people(&incident.footprint.values, i);
            let state = &scratch.groups[number as usize];
            let affected = (shares.affected - state.affected).max(0.0);
            let relocated = (shares.relocated - state.relocated).max(0.0);
            let loss = &mut scratch.units[usize::from(group.unit)];
            loss.affected += group.value * affected;
            loss.relocated += group.value * relocated;
            scratch.touched[usize::from(group.unit)] = true;
        }
        let struck = std::mem::take(&mut scratch.struck);
        for &number in &struck {
            let row = self.rows[number as usize];
            let Ok(at) = people.binary_search_by_key(&row.group, |p| p.0) else {
                continue;
            };
            let shares = damage.people(&incident.footprint.values, people[at].1);
            let before = scratch.groups[row.group as usize];
            let state = scratch.rows[number as usize];
            // Taken with the group a moment ago, though struck before: from the group's level up to the row's own.
            let twice = |now: f64, group: f64, own: f32| {
                (now.min(f64::from(own)) - group).max(0.0) * row.value
            };
            let loss = &mut scratch.units[usize::from(row.unit)];
            loss.affected -= twice(shares.affected, before.affected, state.affected);
            loss.relocated -= twice(shares.relocated, before.relocated, state.relocated);
        }
        scratch.struck = struck;
        for &(number, i) in people {
            let shares = damage.people(&incident.footprint.values, i);
            let state = &mut scratch.groups[number as usize];
            state.affected = state.affected.max(shares.affected);
            state.relocated = state.relocated.max(shares.relocated);
        }
    }

    /// Books what a row or a group lost: (money or rooms, ratio, value struck).
    #[inline]
    fn book(
        &self,
        hazard: Hazard,
        (class, unit): (u16, u16),
        (lost, ratio, struck): (f64, f64, f64),
        scratch: &mut Scratch,
    ) {
        scratch.touched[usize::from(unit)] = true;
        let loss = &mut scratch.units[usize::from(unit)];
        match class {
            0..=2 => loss.dwellings_yuan += lost,
            c if AssetClass::is_rooms(c) => loss.collapsed_rooms += lost,
            c if c == AssetClass::Assets as u16 => loss.assets_yuan += lost,
            c if c == AssetClass::Crops as u16 => {
                loss.crops_yuan += lost;
                if ratio >= 0.1 {
                    loss.crop_ha += struck / self.crop_yuan_ha;
                }
            }
            c if c == AssetClass::Forest as u16 => {
                loss.forest_yuan += lost;
                if hazard == Hazard::Fire || ratio >= 0.1 {
                    loss.forest_ha += struck / self.forest_yuan_ha;
                }
            }
            _ => loss.roads_yuan += lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vulnerability::VulnerabilityFile;
    use anlan_engine::loss::{ExposureBuilder, ExposureClass, Measure};
    use anlan_engine::{Crs, Event, Footprint, Grid, Occurrence};
    use std::path::Path;

    /// Floods on cells, and gales that are the same over each block: on blocks, or spelled out cell by cell.
    struct Storms {
        hazard: Hazard,
        incidents: Vec<Incident>,
    }

    impl HazardModel for Storms {
        fn hazard(&self) -> Hazard {
            self.hazard
        }
        fn year(&self, _: &WeatherYear) -> Vec<Incident> {
            self.incidents.clone()
        }
    }

    fn incident(
        hazard: Hazard,
        id: u64,
        cause: u64,
        lattice: Lattice,
        footprint: Footprint,
    ) -> Incident {
        Incident {
            event: Event {
                id,
                cause,
                hazard: hazard.code(),
                rate_per_year: 1.0,
            },
            occurrence: Occurrence {
                year: 0,
                day: 100 + cause as u16,
                duration_h: 3.0,
                event: id,
            },
            footprint,
            lattice,
        }
    }

    #[test]
    fn groups_of_rows_lose_what_their_rows_would() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 1800.0),
            (100.0, 100.0),
            (18, 21),
        )
        .unwrap();
        let blocks = Blocks::new(grid, 600.0);
        assert_eq!(blocks.grid.shape(), (3, 4));
        let draws = Stream::new(5, 1);
        let classes = AssetClass::ALL
            .iter()
            .enumerate()
            .map(|(i, c)| ExposureClass {
                code: i as u16,
                name: c.names().0.into(),
                name_zh: c.names().1.into(),
                measure: Measure::Count("unit".into()),
            })
            .collect();
        let mut builder = ExposureBuilder::new(classes, vec!["a".into(), "b".into()]);
        for cell in 0..grid.cells() as u32 {
            for class in 0..CLASSES as u16 {
                let u = draws.uniform2(u64::from(cell), u32::from(class), 0);
                if u[0] < 0.6 {
                    builder.push(cell, class, 1000.0 * u[1], (cell % 21 / 10) as u16 % 2);
                }
            }
        }
        let exposure = builder.build().unwrap();
        let (mut floods, mut gales, mut spelled) = (Vec::new(), Vec::new(), Vec::new());
        for cause in 0..6_u64 {
            let mut depth = Footprint::new(2);
            for cell in 0..grid.cells() as u32 {
                let u = draws.uniform2(cause, cell, 1);
                if u[0] < 0.4 {
                    depth.push(cell, &[4.0 * u[1] as f32, 0.5]);
                }
            }
            floods.push(incident(Hazard::Flood, cause, cause, Lattice::Cells, depth));
            // Two gales of one cause, so that people struck before by either lattice are met.
            for k in 0..2 {
                let id = 100 + 2 * cause + k;
                let mut on_blocks = Footprint::new(4);
                for block in 0..blocks.grid.cells() as u32 {
                    let u = draws.uniform2(id, block, 2);
                    if u[0] < 0.7 {
                        on_blocks.push(block, &[20.0 + 40.0 * u[1] as f32, 30.0, -1.0, 0.0]);
                    }
                }
                let mut on_cells = Footprint::new(4);
                for cell in 0..grid.cells() as u32 {
                    if let Ok(i) = on_blocks.cells.binary_search(&blocks.of(cell)) {
                        let values: Vec<f32> = on_blocks.values.iter().map(|v| v[i]).collect();
                        on_cells.push(cell, &values);
                    }
                }
                let gale = |lattice, f| incident(Hazard::Convection, id, cause, lattice, f);
                gales.push(gale(Lattice::Blocks, on_blocks));
                spelled.push(gale(Lattice::Cells, on_cells));
            }
        }
        let file = VulnerabilityFile::builtin();
        let run = |convection: Vec<Incident>| {
            let flood = Storms {
                hazard: Hazard::Flood,
                incidents: floods.clone(),
            };
            let convection = Storms {
                hazard: Hazard::Convection,
                incidents: convection,
            };
            let damage = Hazard::ALL.map(|h| HazardDamage::new(&file, Path::new("v"), h).unwrap());
            let simulator = Simulator::new(
                &exposure,
                &blocks,
                vec![&flood, &convection],
                damage,
                9,
                (30_000.0, 20_000.0),
            );
            let weather = WeatherYear {
                year: 0,
                days: Vec::new(),
                storms: Vec::new(),
            };
            let (mut scratch, mut rows) = (simulator.scratch(), Vec::new());
            let mut places = simulator.places();
            simulator.year(&weather, &mut scratch, &mut places, &mut rows);
            // A second year must not remember the first.
            let mut again = Vec::new();
            simulator.year(&weather, &mut scratch, &mut simulator.places(), &mut again);
            assert_eq!(rows, again);
            let total: f64 = simulator.cell_losses(&places).1.iter().sum();
            (rows, total)
        };
        let (grouped, total) = run(gales);
        let (plain, plain_total) = run(spelled);
        assert_eq!(grouped.len(), plain.len());
        // What is left of a row is kept in f32: 6e-8 a step, some dozen steps.
        let close = |a: f64, b: f64| (a - b).abs() <= 2e-6 * a.abs().max(b.abs()) + 1e-6;
        for (a, b) in grouped.iter().zip(&plain) {
            assert_eq!((a.event, a.unit, a.cause), (b.event, b.unit, b.cause));
            for (x, y) in a.loss.values().into_iter().zip(b.loss.values()) {
                assert!(close(x, y), "{a:?} {b:?}");
            }
        }
        assert!(close(total, plain_total), "{total} {plain_total}");
        let money: f64 = grouped.iter().map(|r| r.loss.money_yuan()).sum();
        assert!(close(money, total) && money > 0.0);
    }
}
