//! `relief`: demand per event and unit, reserves at a stated confidence, gaps to stock, allocation to depots.

use super::bilingual::bilingual;
use super::{Context, missing, store};
use crate::manifest::Draft;
use anlan_engine::io::Value;
use anlan_engine::io::parquet::{self, ColumnData};
use anlan_engine::io::table::{self, Table, write_csv, write_xlsx};
use anlan_engine::{Crs, Error, Projector, Result};
use anlan_models::hazard::Hazard;
use anlan_models::relief::norm::Triggers;
use anlan_models::relief::{
    Depot, Logistics, People, ReliefNorms, Reserve, allocate, pooling_gain, read_depots,
    read_shelters, reserve,
};
use std::collections::BTreeMap;

/// People of one event in one unit.
#[derive(Clone, Copy, Default)]
struct Struck {
    relocated: f64,
    flooded: f64,
    rooms: f64,
    month: usize,
}

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let units = store::units(ctx)?;
    let norms = ReliefNorms::builtin();
    let profile = norms.profile(&ctx.project.relief.profile)?;
    let years = ctx.project.losses.years as usize;
    let events = events(ctx)?;
    let items = profile.item.len();
    // Greatest demand of each year, per unit and item, and for the region as a whole.
    let mut greatest = vec![vec![vec![0.0_f64; years]; items]; units.len() + 1];
    for ((year, _), struck) in &events {
        let mut whole = vec![0.0; items];
        for (u, s) in struck {
            let people = People {
                relocated: s.relocated,
                flooded: s.flooded,
                household_size: units[*u].population / units[*u].households.max(1.0),
            };
            for (k, item) in profile.item.iter().enumerate() {
                let demand = item.demand(&people, s.month, ctx.project.relief.elsewhere_share);
                whole[k] += demand;
                let slot = &mut greatest[*u][k][*year as usize];
                *slot = slot.max(demand);
            }
        }
        for (k, w) in whole.into_iter().enumerate() {
            let slot = &mut greatest[units.len()][k][*year as usize];
            *slot = slot.max(w);
        }
    }
    let confidence = ctx.project.relief.confidence;
    let shelters = shelter_table(ctx, &units, &events, confidence)?;
    let mut reserves: Vec<Vec<Reserve>> = Vec::new();
    for unit in &mut greatest {
        reserves.push(
            unit.iter_mut()
                .map(|v| reserve(v, confidence))
                .collect::<Result<Vec<_>>>()?,
        );
    }
    let codes = units.iter().map(|u| u.code.clone()).collect();
    let table = table::read(&store::existing(ctx, "layers", "depots.csv")?)?;
    let depots = read_depots(&table, &codes)?;
    // Stock of a unit: what serves `people_served` people by the same norms, summer month.
    let stock = |u: usize, k: usize| {
        let served: f64 = depots
            .iter()
            .filter(|d| d.unit == units[u].code)
            .map(|d| d.people_served)
            .sum();
        let people = People {
            relocated: served,
            flooded: served,
            household_size: units[u].population / units[u].households.max(1.0),
        };
        profile.item[k].demand(&people, 7, 0.0)
    };
    let mut table = Table::new(&[
        "unit",
        "name",
        "item",
        "item_zh",
        "count_unit",
        "reserve",
        "low_95",
        "high_95",
        "stock",
        "gap",
        "cartons",
        "volume_m3",
        "cost_yuan",
        "confidence",
        "profile",
        "profile_status",
    ]);
    let mut plan: Vec<Vec<f64>> = Vec::new();
    for (u, list) in reserves.iter().enumerate() {
        let (code, name) = if u < units.len() {
            (units[u].code.clone(), units[u].name.clone())
        } else {
            (
                ctx.project.project.code.clone(),
                format!("{}（统筹）", ctx.project.project.name),
            )
        };
        let mut row_plan = Vec::new();
        for (k, (item, r)) in profile.item.iter().zip(list).enumerate() {
            let have = if u < units.len() {
                stock(u, k)
            } else {
                (0..units.len()).map(|v| stock(v, k)).sum()
            };
            let gap = (r.quantity - have).max(0.0);
            let cartons = (r.quantity / f64::from(item.carton)).ceil();
            row_plan.push(r.quantity);
            table.rows.push(vec![
                code.clone().into(),
                name.clone().into(),
                item.code.clone().into(),
                item.name_zh.clone().into(),
                item.unit.clone().into(),
                r.quantity.ceil().into(),
                r.low.floor().into(),
                r.high.ceil().into(),
                have.floor().into(),
                gap.ceil().into(),
                cartons.into(),
                (r.quantity * item.volume_m3).into(),
                (gap * item.price_yuan).into(),
                confidence.into(),
                profile.id.clone().into(),
                profile.status.clone().into(),
            ]);
        }
        if u < units.len() {
            plan.push(row_plan);
        }
    }
    let allocation = allocation_table(ctx, &units, profile, &plan, &depots)?;
    let mut pooling = Table::new(&["item", "item_zh", "sum_of_units", "pooled", "gain"]);
    for (k, item) in profile.item.iter().enumerate() {
        let parts: Vec<Reserve> = reserves[..units.len()].iter().map(|r| r[k]).collect();
        let whole = reserves[units.len()][k];
        pooling.rows.push(vec![
            item.code.clone().into(),
            item.name_zh.clone().into(),
            parts.iter().map(|r| r.quantity).sum::<f64>().into(),
            whole.quantity.into(),
            pooling_gain(&parts, &whole).into(),
        ]);
    }
    let levels = response_levels(&events, years);
    write_csv(&draft.file("reserve.csv")?, &table)?;
    write_csv(&draft.file("allocation.csv")?, &allocation)?;
    write_csv(&draft.file("shelter.csv")?, &shelters)?;
    write_xlsx(
        &draft.file("relief.xlsx")?,
        &[
            ("储备清单 reserve", &bilingual(&table)),
            ("调拨方案 allocation", &bilingual(&allocation)),
            ("避难场所 shelters", &bilingual(&shelters)),
            ("统筹效益 pooling", &bilingual(&pooling)),
            ("响应等级 response", &bilingual(&levels)),
        ],
    )
}

/// People of the greatest event of a year who need a place in a shelter, at the confidence of the reserve, against the
/// places of each unit.
fn shelter_table(
    ctx: &Context<'_>,
    units: &[store::UnitRow],
    events: &Events,
    confidence: f64,
) -> Result<Table> {
    let codes = units.iter().map(|u| u.code.clone()).collect();
    let table = table::read(&store::existing(ctx, "layers", "shelters.csv")?)?;
    let shelters = read_shelters(&table, &codes)?;
    let years = ctx.project.losses.years as usize;
    let mut greatest = vec![vec![0.0_f64; years]; units.len()];
    for ((year, _), struck) in events {
        for (u, s) in struck {
            let slot = &mut greatest[*u][*year as usize];
            *slot = slot.max(s.relocated * (1.0 - ctx.project.relief.elsewhere_share));
        }
    }
    let mut out = Table::new(&[
        "unit",
        "name",
        "people",
        "low_95",
        "high_95",
        "places",
        "gap",
        "confidence",
    ]);
    for (unit, years) in units.iter().zip(&mut greatest) {
        let need = reserve(years, confidence)?;
        let places: f64 = shelters
            .iter()
            .filter(|s| s.unit == unit.code)
            .map(|s| s.capacity_people)
            .sum();
        out.rows.push(vec![
            unit.code.clone().into(),
            unit.name.clone().into(),
            need.quantity.ceil().into(),
            need.low.floor().into(),
            need.high.ceil().into(),
            places.into(),
            (need.quantity - places).max(0.0).ceil().into(),
            confidence.into(),
        ]);
    }
    Ok(out)
}

type Events = BTreeMap<(u32, u64), BTreeMap<usize, Struck>>;

/// People by event (all hazards of one cause in a year) and unit, from the event loss table.
fn events(ctx: &Context<'_>) -> Result<Events> {
    let path = store::existing(ctx, "losses", "event_loss.parquet")?;
    let columns = parquet::read(&path)?;
    let column = |name: &str| {
        columns
            .iter()
            .find(|c| c.name == name)
            .map(|c| &c.data)
            .ok_or_else(|| missing(&path))
    };
    let u32s = |name: &str| match column(name)? {
        ColumnData::U32(v) => Ok(v),
        _ => Err(missing(&path)),
    };
    let f64s = |name: &str| match column(name)? {
        ColumnData::F64(v) => Ok(v),
        _ => Err(missing(&path)),
    };
    let ColumnData::U64(cause) = column("cause")? else {
        return Err(Error::Failed(format!(
            "{}: causes of another type",
            path.display()
        )));
    };
    let (year, day, hazard, unit) = (u32s("year")?, u32s("day")?, u32s("hazard")?, u32s("unit")?);
    let (relocated, rooms) = (f64s("relocated_people")?, f64s("collapsed_rooms")?);
    let mut out: Events = BTreeMap::new();
    for i in 0..year.len() {
        if relocated[i] <= 0.0 && rooms[i] <= 0.0 {
            continue;
        }
        let s = out
            .entry((year[i], cause[i]))
            .or_default()
            .entry(unit[i] as usize)
            .or_default();
        s.relocated += relocated[i];
        s.rooms += rooms[i];
        if hazard[i] == u32::from(Hazard::Flood.code()) {
            s.flooded += relocated[i];
        }
        s.month = anlan_models::fire::danger::month_of(day[i] as u16);
    }
    Ok(out)
}

/// How often each response level is reached by an event of the region.
fn response_levels(events: &Events, years: usize) -> Table {
    let triggers = Triggers::builtin();
    let mut counts: BTreeMap<u8, u32> = triggers.level.iter().map(|l| (l.level, 0)).collect();
    for struck in events.values() {
        let relocated: f64 = struck.values().map(|s| s.relocated).sum();
        let rooms: f64 = struck.values().map(|s| s.rooms).sum();
        if let Some(level) = triggers.level(0.0, relocated, rooms) {
            *counts.entry(level).or_default() += 1;
        }
    }
    let mut table = Table::new(&["level", "events", "events_per_year", "table", "status"]);
    for (level, n) in counts {
        table.rows.push(vec![
            i64::from(level).into(),
            i64::from(n).into(),
            (f64::from(n) / years as f64).into(),
            triggers.id.clone().into(),
            triggers.status.clone().into(),
        ]);
    }
    table
}

fn allocation_table(
    ctx: &Context<'_>,
    units: &[store::UnitRow],
    profile: &anlan_models::relief::Profile,
    plan: &[Vec<f64>],
    depots: &[Depot],
) -> Result<Table> {
    let travel = Logistics::builtin().travel;
    let projector = Projector::new(Crs::CGCS2000, store::grid(ctx)?.crs);
    let minutes: Vec<Vec<f64>> = units
        .iter()
        .map(|u| {
            let c = geo::Centroid::centroid(&u.border);
            depots
                .iter()
                .map(|d| {
                    let (x, y) = projector.point(d.lon, d.lat);
                    let (dx, dy) = c.map_or((0.0, 0.0), |c| (c.x() - x, c.y() - y));
                    travel.minutes((dx * dx + dy * dy).sqrt())
                })
                .collect()
        })
        .collect();
    let capacity: Vec<f64> = depots.iter().map(|d| d.capacity_m3).collect();
    let volume: Vec<f64> = profile.item.iter().map(|i| i.volume_m3).collect();
    let deadline: Vec<f64> = profile.item.iter().map(|i| i.deadline_h).collect();
    let mut table = Table::new(&[
        "unit", "name", "item", "item_zh", "depot", "quantity", "minutes", "note",
    ]);
    for a in allocate(plan, &minutes, &capacity, &volume, &deadline) {
        let item = &profile.item[a.item];
        let (depot, note): (Value, Value) = match a.depot {
            Some(d) => (depots[d].code.clone().into(), Value::Null),
            None => (
                Value::Null,
                "无库容或超时限 no room within the deadline".into(),
            ),
        };
        table.rows.push(vec![
            units[a.unit].code.clone().into(),
            units[a.unit].name.clone().into(),
            item.code.clone().into(),
            item.name_zh.clone().into(),
            depot,
            a.quantity.ceil().into(),
            a.minutes.round().into(),
            note,
        ]);
    }
    Ok(table)
}
