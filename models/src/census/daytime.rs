//! People by day and on holidays (昼夜人口、节假日人口): whole people moved between the rows of the ledger.
//!
//! Night: residents. Day: people at work go to cells by output of industry and services, a part of them across units;
//! farmers to the fields; pupils and visitors to schools and hospitals of their unit. What leaves one cell arrives in
//! another: the region's total is kept but for what a table says comes in or goes out. Holiday: a part of those in
//! collective households goes home, in part beyond the region, and that part is told.

use super::economy::{Economy, Field};
use super::exposure::{ExposureValues, Ledger, LedgerRow, sector_employment};
use super::spread::largest_remainder;
use super::table::Record;
use anlan_engine::Raster;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file `standards/population_time.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationTime {
    /// Name of the data set.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the figures come from.
    pub source: String,
    /// People at work.
    pub work: Work,
    /// Pupils.
    pub school: School,
    /// Holidays.
    pub holiday: Holiday,
}

/// People at work.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Residents at work where the census does not say, 0..=1.
    pub employed_share: f64,
    /// Of those outside farming: at home, 0..=1.
    pub at_home: f64,
    /// Of those who leave home: to any unit of the region, 0..=1.
    pub across_units: f64,
    /// Of those in farming: in the fields, 0..=1.
    pub in_fields: f64,
}

/// Pupils.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct School {
    /// Share of children of 0 to 14.
    pub of_0_14: f64,
    /// Older ones, as a share of residents.
    pub older_of_residents: f64,
}

/// Holidays.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Share of residents in collective households who go home.
    pub leave_of_collective: f64,
    /// Share of those who leave the region.
    pub out_of_region: f64,
}

impl PopulationTime {
    /// The figures that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/population_time.toml"))
            .expect("the compiled-in figures are read by a test")
    }
}

/// A place where people of the unit are by day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayPlace {
    /// Its cell.
    pub cell: u32,
    /// Its unit.
    pub unit: u16,
    /// Pupils it has room for.
    pub pupils: f64,
    /// Visitors at a time.
    pub visitors: f64,
}

/// What moved in and out of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moves {
    /// Residents, who are there at night.
    pub night: u64,
    /// People by day.
    pub day: u64,
    /// People on a holiday.
    pub holiday: u64,
    /// Residents who leave home for work, fields included.
    pub to_work: u64,
    /// People who come to work, fields included.
    pub at_work: u64,
    /// Residents at school.
    pub pupils: u64,
    /// Residents who visit hospitals.
    pub visitors: u64,
    /// Net inflow by day from beyond the region.
    pub from_outside: i64,
    /// Residents who go home over the holiday.
    pub leave: u64,
    /// People who come home from other units of the region.
    pub come: u64,
    /// Of those who leave: beyond the region.
    pub out_of_region: u64,
}

/// Sets people by day and on holidays in the rows of the ledger; what moved, by unit.
///
/// - Day: the sum over all units is that of the night plus the inflow that the table gives; holiday: that of the night
///   less those who leave the region, or what the factors of the table make of each unit. Both to the last person.
/// - A unit without schools keeps its pupils at home; one without output of a sector has its workers where people live.
pub fn move_people(
    ledger: &mut Ledger,
    records: &[Record],
    figures: &Economy,
    values: &ExposureValues,
    urbanity: &Raster<f32>,
    places: &[DayPlace],
    table: &PopulationTime,
) -> Vec<Moves> {
    make_rows(ledger, places);
    let mut of_unit: Vec<Vec<usize>> = vec![Vec::new(); records.len()];
    for (i, row) in ledger.rows.iter().enumerate() {
        of_unit[row.unit as usize].push(i);
    }
    let mut moves = vec![Moves::default(); records.len()];
    let mut here = Vec::with_capacity(records.len());
    let mut pool = [0_u64; 2];
    for (u, record) in records.iter().enumerate() {
        let people: Vec<u32> = of_unit[u]
            .iter()
            .map(|&i| ledger.rows[i].population)
            .collect();
        let mut plan = Plan::of(record, figures, values, table, places, u as u16);
        if of_unit[u].is_empty() {
            plan.inflow = 0;
        }
        let gone = take(plan.leaving(), &people, &people);
        let across = plan
            .workers
            .map(|n| (n as f64 * table.work.across_units).round() as u64);
        for (all, n) in pool.iter_mut().zip(across) {
            *all += n;
        }
        moves[u] = Moves {
            night: record.population,
            to_work: plan.workers[0] + plan.workers[1] + plan.fields + plan.out,
            pupils: plan.pupils,
            visitors: plan.visitors,
            from_outside: plan.inflow as i64 - plan.out as i64,
            ..Moves::default()
        };
        here.push((plan, gone, across));
    }
    // Those who work anywhere in the region, by the output of its units.
    let mut arriving = [Vec::new(), Vec::new()];
    for (s, list) in arriving.iter_mut().enumerate() {
        let mut output = ledger.totals(|r| r.sector_yuan[s + 1]);
        if !output.iter().any(|o| *o > 0.0) {
            output = ledger.totals(|r| f64::from(r.population));
        }
        *list = largest_remainder(pool[s], &output);
    }
    let mut rooms: BTreeMap<(u32, u16), [f64; 2]> = BTreeMap::new();
    for p in places {
        let room = rooms.entry((p.cell, p.unit)).or_default();
        room[0] += p.pupils;
        room[1] += p.visitors;
    }
    for (u, (plan, gone, across)) in here.iter().enumerate() {
        let rows = &of_unit[u];
        let mut day: Vec<u64> = rows
            .iter()
            .zip(gone)
            .map(|(&i, g)| u64::from(ledger.rows[i].population) - g)
            .collect();
        let come = |day: &mut Vec<u64>, n: u64, weight: &dyn Fn(&LedgerRow) -> f64| {
            let mut weights: Vec<f64> = rows.iter().map(|&i| weight(&ledger.rows[i])).collect();
            if !weights.iter().any(|w| *w > 0.0) {
                weights = rows
                    .iter()
                    .map(|&i| f64::from(ledger.rows[i].population))
                    .collect();
            }
            for (d, part) in day.iter_mut().zip(largest_remainder(n, &weights)) {
                *d += part;
            }
        };
        let inflow = largest_remainder(
            plan.inflow,
            &[plan.workers[0] as f64, plan.workers[1] as f64],
        );
        for s in 0..2 {
            let n = plan.workers[s] - across[s] + arriving[s][u] + inflow[s];
            come(&mut day, n, &|r| r.sector_yuan[s + 1]);
            moves[u].at_work += n;
        }
        come(&mut day, plan.fields, &|r| r.crop_ha);
        moves[u].at_work += plan.fields;
        let room = |r: &LedgerRow| rooms.get(&(r.cell, r.unit)).copied().unwrap_or_default();
        come(&mut day, plan.pupils, &|r| room(r)[0]);
        come(&mut day, plan.visitors, &|r| room(r)[1]);
        moves[u].day = day.iter().sum();
        for (&i, d) in rows.iter().zip(day) {
            ledger.rows[i].population_day = d as u32;
        }
    }
    holidays(
        ledger, records, figures, urbanity, &of_unit, table, &mut moves,
    );
    moves
}

/// A row for each place in a cell where nobody lives.
fn make_rows(ledger: &mut Ledger, places: &[DayPlace]) {
    let mut new: Vec<(u32, u16)> = places
        .iter()
        .map(|p| (p.cell, p.unit))
        .filter(|key| {
            ledger
                .rows
                .binary_search_by_key(key, |r| (r.cell, r.unit))
                .is_err()
        })
        .collect();
    new.sort_unstable();
    new.dedup();
    ledger
        .rows
        .extend(new.into_iter().map(|(cell, unit)| LedgerRow {
            cell,
            unit,
            ..LedgerRow::default()
        }));
    ledger.rows.sort_by_key(|r| (r.cell, r.unit));
}

/// Who leaves home in a unit.
struct Plan {
    /// To work in industry, in services; those who leave the region are not among them.
    workers: [u64; 2],
    fields: u64,
    pupils: u64,
    visitors: u64,
    /// Residents who work beyond the region.
    out: u64,
    /// People from beyond the region who work here.
    inflow: u64,
}

impl Plan {
    fn of(
        record: &Record,
        figures: &Economy,
        values: &ExposureValues,
        table: &PopulationTime,
        places: &[DayPlace],
        unit: u16,
    ) -> Plan {
        let code = record.code.as_str();
        let residents = record.population as f64;
        let employed = match (
            figures.get(code, Field::Employed),
            figures.get(code, Field::LongFormHouseholds),
        ) {
            (Some(n), Some(households)) if households > 0.0 => {
                n / households * record.households as f64
            }
            (Some(n), None) => n,
            _ => table.work.employed_share * residents,
        };
        let sectors = sector_employment(code, figures).unwrap_or_else(|| {
            let s = values.sectors;
            [0, 1, 2].map(|k| s.shares[k] / s.output_per_worker[k])
        });
        let sum: f64 = sectors.iter().sum();
        let people = |share: f64| (employed.min(residents) * share).max(0.0);
        let fields = people(sectors[0] / sum) * table.work.in_fields;
        let leave = 1.0 - table.work.at_home;
        let workers = [sectors[1], sectors[2]].map(|s| people(s / sum) * leave);
        let own = || places.iter().filter(move |p| p.unit == unit);
        let desks: f64 = own().map(|p| p.pupils).sum();
        let pupils = if desks > 0.0 {
            table.school.of_0_14 * record.age_0_14 as f64
                + table.school.older_of_residents * residents
        } else {
            0.0
        };
        let visitors: f64 = own().map(|p| p.visitors).sum();
        // Nobody leaves twice: where the shares ask for more than there are, all are cut alike.
        let wanted = fields + workers[0] + workers[1] + pupils + visitors;
        let cut = (residents / wanted.max(1.0)).min(1.0);
        let whole = |v: f64| (v * cut).floor() as u64;
        let mut plan = Plan {
            workers: workers.map(whole),
            fields: whole(fields),
            pupils: whole(pupils),
            visitors: whole(visitors),
            out: 0,
            inflow: 0,
        };
        let net = figures.get(code, Field::DayInflow).unwrap_or(0.0).round() as i64;
        if net >= 0 {
            plan.inflow = net as u64;
        } else {
            let all = plan.workers[0] + plan.workers[1];
            plan.out = net.unsigned_abs().min(all);
            let out = take(
                plan.out,
                &plan.workers.map(|n| n as u32),
                &plan.workers.map(|n| n as u32),
            );
            plan.workers[0] -= out[0];
            plan.workers[1] -= out[1];
        }
        plan
    }

    fn leaving(&self) -> u64 {
        self.workers[0] + self.workers[1] + self.fields + self.pupils + self.visitors + self.out
    }
}

/// Splits `total` by weights with no part above its limit.
///
/// # Panics
/// `total` is above the sum of the limits.
fn take(total: u64, limits: &[u32], weights: &[u32]) -> Vec<u64> {
    let room: u64 = limits.iter().map(|&l| u64::from(l)).sum();
    assert!(total <= room, "{total} to be taken from {room}");
    let weights: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
    let mut parts = if limits.is_empty() {
        Vec::new()
    } else {
        largest_remainder(total, &weights)
    };
    let mut over = 0;
    for (part, &limit) in parts.iter_mut().zip(limits) {
        let most = u64::from(limit);
        over += part.saturating_sub(most);
        *part = (*part).min(most);
    }
    for (part, &limit) in parts.iter_mut().zip(limits) {
        let more = over.min(u64::from(limit) - *part);
        *part += more;
        over -= more;
    }
    parts
}

fn holidays(
    ledger: &mut Ledger,
    records: &[Record],
    figures: &Economy,
    urbanity: &Raster<f32>,
    of_unit: &[Vec<usize>],
    table: &PopulationTime,
    moves: &mut [Moves],
) {
    let mut home = 0;
    for (u, record) in records.iter().enumerate() {
        let code = record.code.as_str();
        if figures.get(code, Field::HolidayFactor).is_some() {
            continue;
        }
        let family = figures
            .get(code, Field::HouseholdPopulation)
            .unwrap_or(record.population as f64);
        let collective = (record.population as f64 - family).max(0.0);
        let leave = (collective * table.holiday.leave_of_collective).floor() as u64;
        let out = (leave as f64 * table.holiday.out_of_region).round() as u64;
        (moves[u].leave, moves[u].out_of_region) = (leave, out);
        home += leave - out;
    }
    // Where no unit has villages, nobody comes home to them.
    let villages = records.iter().any(|r| {
        r.population > r.urban_population
            && figures.get(r.code.as_str(), Field::HolidayFactor).is_none()
    });
    if !villages {
        for m in moves.iter_mut() {
            m.out_of_region = m.leave;
        }
        home = 0;
    }
    // To the villages: by rural residents of the units without a factor of their own.
    let rural: Vec<f64> = records
        .iter()
        .map(|r| {
            let own = figures.get(r.code.as_str(), Field::HolidayFactor).is_some();
            let n = r.population.saturating_sub(r.urban_population);
            if own { 0.0 } else { n as f64 }
        })
        .collect();
    let come = largest_remainder(home, &rural);
    for (u, record) in records.iter().enumerate() {
        moves[u].come = come[u];
        if let Some(factor) = figures.get(record.code.as_str(), Field::HolidayFactor) {
            let there = (record.population as f64 * factor).round() as u64;
            moves[u].leave = record.population.saturating_sub(there);
            moves[u].out_of_region = moves[u].leave;
            moves[u].come += there.saturating_sub(record.population);
        }
        let rows = &of_unit[u];
        let people: Vec<u32> = rows.iter().map(|&i| ledger.rows[i].population).collect();
        let urban: Vec<f64> = rows
            .iter()
            .map(|&i| {
                let v = f64::from(urbanity.values()[ledger.rows[i].cell as usize]);
                if v.is_nan() { 0.0 } else { v.clamp(0.0, 1.0) }
            })
            .collect();
        let towards = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
            people
                .iter()
                .zip(&urban)
                .map(|(&p, &u)| f64::from(p) * f(u))
                .collect()
        };
        let gone = take_by(moves[u].leave, &people, &towards(&|u| 0.1 + u));
        let mut villages = towards(&|u| 1.1 - u);
        if !villages.iter().any(|w| *w > 0.0) {
            villages = vec![1.0; rows.len()];
        }
        let arrive = if moves[u].come == 0 {
            vec![0; rows.len()]
        } else {
            largest_remainder(moves[u].come, &villages)
        };
        for (k, &i) in rows.iter().enumerate() {
            let n = u64::from(people[k]) - gone[k] + arrive[k];
            ledger.rows[i].population_holiday = n as u32;
            moves[u].holiday += n;
        }
    }
}

/// As [`take`], by real weights.
fn take_by(total: u64, limits: &[u32], weights: &[f64]) -> Vec<u64> {
    let mut parts = vec![0_u64; limits.len()];
    let mut left = total;
    while left > 0 {
        let open: Vec<f64> = parts
            .iter()
            .zip(limits)
            .zip(weights)
            .map(|((&p, &l), &w)| if p < u64::from(l) { w.max(1e-9) } else { 0.0 })
            .collect();
        assert!(
            open.iter().any(|w| *w > 0.0),
            "{left} more to be taken than there are"
        );
        let mut given = 0;
        for ((p, &l), n) in parts
            .iter_mut()
            .zip(limits)
            .zip(largest_remainder(left, &open))
        {
            let more = n.min(u64::from(l) - *p);
            *p += more;
            given += more;
        }
        left -= given;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::DivisionCode;
    use anlan_engine::io::Value;
    use anlan_engine::io::table::Table;
    use anlan_engine::{Crs, Grid};
    use proptest::prelude::*;

    fn record(code: i64, population: u64) -> Record {
        Record {
            code: DivisionCode::parse(&Value::Integer(code)).unwrap().0,
            name: "甲".into(),
            place: "row 2".into(),
            population,
            households: population / 3,
            urban_population: population / 2,
            age_0_14: population / 7,
            age_65_plus: population / 8,
            rooms_per_household: 3.0,
            floor_m2_per_head: 40.0,
            lift_households_pct: 10.0,
            gdp_yuan: 1e9,
        }
    }

    fn case(cells: &[(u16, u32, f64, f64)]) -> (Ledger, Raster<f32>) {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 100.0),
            (100.0, 100.0),
            (1, cells.len() + 1),
        )
        .unwrap();
        let rows = cells
            .iter()
            .enumerate()
            .map(|(i, &(unit, population, works, crop_ha))| LedgerRow {
                cell: i as u32,
                unit,
                population,
                sector_yuan: [0.0, works, works],
                crop_ha,
                ..LedgerRow::default()
            })
            .collect();
        let ledger = Ledger {
            grid,
            units: vec!["330702".into(), "330703".into()],
            rows,
        };
        (ledger, Raster::filled(grid, 0.5))
    }

    fn economy(rows: &[[f64; 4]]) -> Economy {
        use crate::census::economy::EconomyColumns;
        let mut t = Table::new(&["code", "家庭户人口", "节假日人口系数", "白天净流入人口"]);
        t.rows = rows
            .iter()
            .map(|r| {
                r.iter()
                    .map(|v| {
                        if v.is_nan() {
                            Value::Null
                        } else {
                            Value::Real(*v)
                        }
                    })
                    .collect()
            })
            .collect();
        Economy::read(&t, &EconomyColumns::builtin(), &["code".into()]).unwrap()
    }

    #[test]
    fn a_town_fills_by_day_and_villages_empty() {
        let (mut ledger, urbanity) =
            case(&[(0, 1000, 9e6, 0.0), (0, 1000, 0.0, 1.0), (1, 500, 1e6, 0.0)]);
        let records = [record(330_702, 2000), record(330_703, 500)];
        let nan = f64::NAN;
        let figures = economy(&[[330_702.0, 1800.0, nan, 50.0], [330_703.0, nan, 1.2, nan]]);
        let school = DayPlace {
            cell: 3,
            unit: 0,
            pupils: 300.0,
            visitors: 0.0,
        };
        let moves = move_people(
            &mut ledger,
            &records,
            &figures,
            &ExposureValues::builtin(),
            &urbanity,
            &[school],
            &PopulationTime::builtin(),
        );
        let day = |cell: u32| {
            let rows = ledger.rows.iter().filter(|r| r.cell == cell);
            rows.map(|r| r.population_day).sum::<u32>()
        };
        assert!(day(0) > 1000 && day(1) < 1000, "{} {}", day(0), day(1));
        // Pupils: 0.8 of 285 and 4.5 % of 2000 residents, all in the cell of the school where nobody lives.
        assert_eq!((moves[0].pupils, day(3)), (318, 318));
        assert_eq!(moves[0].day + moves[1].day, 2550);
        assert_eq!(moves[0].from_outside, 50);
        // 200 in collective households: 120 go, 90 of them beyond the region, 30 to villages (none but their own unit's).
        assert_eq!((moves[0].leave, moves[0].out_of_region), (120, 90));
        assert_eq!(moves[0].holiday, 2000 - 120 + 30);
        assert_eq!(moves[1].holiday, 600);
    }

    proptest! {
        #[test]
        fn nobody_is_lost(
            cells in prop::collection::vec((0u16..2, 0u32..5000, 0.0..1e9f64, 0.0..2.0f64), 2..40),
            pupils in 0.0..1e5f64, visitors in 0.0..1e5f64, family in 0.0..1e5f64, inflow in -3000.0..3000.0f64,
            factor in 0.0..2.0f64,
        ) {
            let (mut ledger, urbanity) = case(&cells);
            let sum = |u: u16| cells.iter().filter(|c| c.0 == u).map(|c| u64::from(c.1)).sum::<u64>();
            // Both units have a cell.
            prop_assume!(cells.iter().any(|c| c.0 == 0) && cells.iter().any(|c| c.0 == 1));
            let records = [record(330_702, sum(0)), record(330_703, sum(1))];
            let figures = economy(&[[330_702.0, family, f64::NAN, inflow], [330_703.0, f64::NAN, factor, f64::NAN]]);
            let place = DayPlace { cell: cells.len() as u32, unit: 0, pupils, visitors };
            let moves = move_people(&mut ledger, &records, &figures, &ExposureValues::builtin(), &urbanity, &[place],
                &PopulationTime::builtin());
            let total = |f: fn(&LedgerRow) -> u32| ledger.rows.iter().map(|r| u64::from(f(r))).sum::<u64>();
            let night = sum(0) + sum(1);
            let outside: i64 = moves.iter().map(|m| m.from_outside).sum();
            prop_assert_eq!(total(|r| r.population_day) as i64, night as i64 + outside);
            prop_assert_eq!(total(|r| r.population_holiday), moves.iter().map(|m| m.holiday).sum::<u64>());
            for m in &moves {
                prop_assert_eq!(m.holiday, m.night - m.leave + m.come);
            }
            prop_assert_eq!(total(|r| r.population), night);
        }
    }
}
