//! Depots, shelters, townships and hidden-danger sites: those given, or made-up ones that say so.

use super::Context;
use super::inputs::Inputs;
use crate::manifest::Draft;
use anlan_engine::io::table::{Table, write_csv};
use anlan_engine::io::{Value, geotiff};
use anlan_engine::random::Stream;
use anlan_engine::rasterize::{Rule, rasterize};
use anlan_engine::{Crs, Projector, Raster, Result};
use anlan_models::census::Ledger;
use anlan_models::census::township::{Township, TownshipRule, township_cells, townships};
use anlan_models::hazard::stream;
use anlan_models::relief::{Depot, Logistics, Shelter};
use geo::MultiPolygon;

/// Item numbers of draws for shelters, apart from those of depots.
const SHELTERS: u32 = 1;

/// Depots: those given, or a synthetic one per unit at its largest settlement.
pub fn write_depots(ctx: &Context<'_>, draft: &Draft, inputs: &Inputs) -> Result<()> {
    let made;
    let depots = match &inputs.depots {
        Some(given) => given,
        None => {
            made = synthetic_depots(ctx, inputs);
            &made
        }
    };
    let mut table = Table::new(&Depot::COLUMNS);
    for d in depots {
        table.rows.push(vec![
            d.code.clone().into(),
            d.name.clone().into(),
            d.unit.clone().into(),
            d.lon.into(),
            d.lat.into(),
            d.capacity_m3.into(),
            d.people_served.into(),
            d.provenance.clone().into(),
        ]);
    }
    write_csv(&draft.file("depots.csv")?, &table)
}

fn synthetic_depots(ctx: &Context<'_>, inputs: &Inputs) -> Vec<Depot> {
    let back = Projector::new(inputs.grid.crs, Crs::CGCS2000);
    let random = Stream::new(ctx.project.project.seed, stream::RELIEF);
    let rule = Logistics::builtin().synthetic;
    let mut depots = Vec::new();
    for (i, unit) in inputs.units.iter().enumerate() {
        let inside = inputs
            .places
            .iter()
            .filter(|p| geo::Contains::contains(&unit.border, &geo::Point::new(p.x, p.y)));
        let best = inside.max_by(|a, b| {
            a.population
                .total_cmp(&b.population)
                .then(b.name.cmp(&a.name))
        });
        let (x, y) = match best {
            Some(p) => (p.x, p.y),
            None => geo::Centroid::centroid(&unit.border).map_or((0.0, 0.0), |c| (c.x(), c.y())),
        };
        let (lon, lat) = back.point(x, y);
        let u = random.uniform(i as u64, 0, 0);
        let share = rule.least_share + (rule.greatest_share - rule.least_share) * u;
        let served = (unit.record.population as f64 * share).round();
        depots.push(Depot {
            code: format!("D{}", unit.code),
            name: format!("{}合成库", unit.name),
            unit: unit.code.clone(),
            lon: (lon * 1e5).round() / 1e5,
            lat: (lat * 1e5).round() / 1e5,
            capacity_m3: (served * rule.m3_per_person).round(),
            people_served: served,
            provenance: "synthetic".into(),
        });
    }
    depots
}

/// Least slope (degrees) of ground that a synthetic hidden-danger site may lie on, how near to people (m), and how many there are to
/// a unit at most.
const SITE_SLOPE_DEG: f32 = 12.0;
const SITE_NEAR_M: f64 = 200.0;
const SITES_PER_UNIT: usize = 40;

/// The steepest ground in the cells around one.
fn steepest(slope: &Raster<f32>, cell: u32, reach: usize) -> f32 {
    let (row, col) = slope.grid.row_col(cell);
    let rows = row.saturating_sub(reach)..(row + reach + 1).min(slope.grid.rows);
    let cols = col.saturating_sub(reach)..(col + reach + 1).min(slope.grid.cols);
    slope
        .data
        .slice(ndarray::s![rows, cols])
        .iter()
        .fold(f32::NEG_INFINITY, |a, b| a.max(*b))
}

/// Hidden-danger sites: those given, or synthetic ones where people live below steep slopes. There may be none.
pub fn write_danger_sites(
    ctx: &Context<'_>,
    draft: &Draft,
    inputs: &Inputs,
    slope: &Raster<f32>,
    ledger: &Ledger,
) -> Result<()> {
    let path = draft.file("danger_sites.csv")?;
    if let Some(given) = &inputs.danger_sites {
        return write_csv(&path, given);
    }
    let random = Stream::new(ctx.project.project.seed, stream::GEOLOGY);
    let grid = inputs.grid;
    let mut table = Table::new(&[
        "编号",
        "名称",
        "灾害类型",
        "经度或X",
        "纬度或Y",
        "体积_m3",
        "威胁人数",
        "威胁财产_元",
        "provenance",
    ]);
    let reach = (SITE_NEAR_M / grid.dx).ceil() as usize;
    let mut chosen: Vec<(f64, usize)> = ledger
        .rows
        .iter()
        .enumerate()
        .filter(|(_, r)| r.population > 0 && steepest(slope, r.cell, reach) >= SITE_SLOPE_DEG)
        .map(|(i, r)| {
            (
                random.uniform(u64::from(r.cell), 1, 0) / f64::from(r.population),
                i,
            )
        })
        .collect();
    chosen.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (n, &(_, i)) in chosen
        .iter()
        .take(SITES_PER_UNIT * inputs.units.len())
        .enumerate()
    {
        let row = &ledger.rows[i];
        let (r, c) = grid.row_col(row.cell);
        let u = random.uniform4(u64::from(row.cell), 2, 0);
        let kind = ["滑坡", "崩塌", "泥石流"][((u[0] * 3.0) as usize).min(2)];
        let volume = libm::exp(5.0 + 5.0 * u[1]).round();
        table.rows.push(vec![
            format!("S{:05}", n + 1).into(),
            format!("合成隐患点{}", n + 1).into(),
            kind.into(),
            grid.x(c).into(),
            grid.y(r).into(),
            volume.into(),
            Value::Integer(i64::from(row.population)),
            (f64::from(row.population) * 150_000.0).into(),
            "synthetic".into(),
        ]);
    }
    write_csv(&path, &table)
}

/// Townships around the largest settlements of each unit.
fn made_townships(inputs: &Inputs, rule: &TownshipRule, unit: &Raster<u16>) -> Vec<Township> {
    let mut list: Vec<Township> = Vec::new();
    for (u, here) in inputs.units.iter().enumerate() {
        let settlements: Vec<(f64, f64, f64)> = inputs
            .places
            .iter()
            .filter(|p| {
                let cell = inputs.grid.cell_at(p.x, p.y);
                cell.is_some_and(|rc| unit.data[rc] == u as u16)
            })
            .map(|p| (p.x, p.y, p.population))
            .collect();
        let middle = geo::Centroid::centroid(&here.border).map_or((0.0, 0.0), |c| (c.x(), c.y()));
        let record = (
            here.code.as_str(),
            here.name.as_str(),
            here.record.population,
        );
        list.extend(townships(rule, u, record, &settlements, middle));
    }
    list
}

/// The townships given, each at its largest settlement, and their cells. Cells of a unit that no township of that unit covers, since
/// borders of two sources never meet, go to the nearest of them.
fn given_townships(
    inputs: &Inputs,
    given: &[(Township, MultiPolygon<f64>)],
    unit: &Raster<u16>,
) -> (Vec<Township>, Raster<u16>) {
    let shapes: Vec<(&MultiPolygon<f64>, u16)> =
        given.iter().zip(0..).map(|((_, b), t)| (b, t)).collect();
    let painted = rasterize(&shapes, &inputs.grid, Rule::Centre, u16::MAX);
    let mut list: Vec<Township> = given.iter().map(|(t, _)| t.clone()).collect();
    let mut cells = township_cells(unit, &list);
    for ((cell, &t), &u) in (cells.values_mut().iter_mut())
        .zip(painted.values())
        .zip(unit.values())
    {
        if u != u16::MAX && t != u16::MAX && list[t as usize].unit == usize::from(u) {
            *cell = t;
        }
    }
    let mut largest = vec![0.0_f64; list.len()];
    for place in &inputs.places {
        let Some(rc) = inputs.grid.cell_at(place.x, place.y) else {
            continue;
        };
        let t = usize::from(cells.data[rc]);
        if t < list.len() && place.population > largest[t] {
            largest[t] = place.population;
            (list[t].x, list[t].y) = (place.x, place.y);
        }
    }
    (list, cells)
}

/// Township cells with what the census says of them, and the shelters: those given, or a synthetic one per township.
/// The townships come back, with the index of each cell's (65535 outside).
pub fn write_townships(
    ctx: &Context<'_>,
    draft: &Draft,
    inputs: &Inputs,
    unit: &Raster<u16>,
    ledger: &Ledger,
) -> Result<(Vec<Township>, Raster<u16>)> {
    let rule = TownshipRule::builtin();
    let (list, cells) = match &inputs.townships {
        Some(given) => given_townships(inputs, given, unit),
        None => {
            let list = made_townships(inputs, &rule, unit);
            let cells = township_cells(unit, &list);
            (list, cells)
        }
    };
    let provenance = if inputs.townships.is_some() {
        "given"
    } else {
        "synthetic"
    };
    geotiff::write_f32(
        &draft.file("township.tif")?,
        &cells.map(|t| {
            if t == u16::MAX {
                f32::NAN
            } else {
                f32::from(t)
            }
        }),
        &ctx.tags("township", "row of townships.csv, from 0"),
    )?;
    let mut people = vec![0_u64; list.len()];
    let mut sums = vec![[0.0_f64; 3]; list.len()];
    for row in &ledger.rows {
        let t = cells.values()[row.cell as usize] as usize;
        if t < list.len() {
            people[t] += u64::from(row.population);
            for (sum, value) in sums[t]
                .iter_mut()
                .zip([row.gdp_yuan, row.crop_ha, row.forest_ha])
            {
                *sum += value;
            }
        }
    }
    let mut table = Table::new(&[
        "code",
        "name",
        "unit",
        "population",
        "gdp_yuan",
        "crop_ha",
        "forest_ha",
        "provenance",
    ]);
    for (t, township) in list.iter().enumerate() {
        table.rows.push(vec![
            township.code.clone().into(),
            township.name.clone().into(),
            inputs.units[township.unit].code.clone().into(),
            Value::Integer(people[t] as i64),
            sums[t][0].into(),
            sums[t][1].into(),
            sums[t][2].into(),
            provenance.into(),
        ]);
    }
    write_csv(&draft.file("townships.csv")?, &table)?;
    let made;
    let shelters = match &inputs.shelters {
        Some(given) => given,
        None => {
            made = synthetic_shelters(ctx, inputs, &rule, &list, &people);
            &made
        }
    };
    let mut table = Table::new(&Shelter::COLUMNS);
    for s in shelters {
        table.rows.push(vec![
            s.code.clone().into(),
            s.name.clone().into(),
            s.unit.clone().into(),
            s.lon.into(),
            s.lat.into(),
            s.capacity_people.into(),
            s.provenance.clone().into(),
        ]);
    }
    write_csv(&draft.file("shelters.csv")?, &table)?;
    Ok((list, cells))
}

fn synthetic_shelters(
    ctx: &Context<'_>,
    inputs: &Inputs,
    rule: &TownshipRule,
    list: &[Township],
    people: &[u64],
) -> Vec<Shelter> {
    let back = Projector::new(inputs.grid.crs, Crs::CGCS2000);
    let random = Stream::new(ctx.project.project.seed, stream::RELIEF);
    list.iter()
        .zip(people)
        .enumerate()
        .map(|(t, (township, &people))| {
            let (lon, lat) = back.point(township.x, township.y);
            let u = random.uniform(t as u64, SHELTERS, 0);
            let share = rule.least_shelter_share
                + (rule.greatest_shelter_share - rule.least_shelter_share) * u;
            Shelter {
                code: format!("B{}", township.code),
                name: format!("{}避难场所", township.name),
                unit: inputs.units[township.unit].code.clone(),
                lon: (lon * 1e5).round() / 1e5,
                lat: (lat * 1e5).round() / 1e5,
                capacity_people: (people as f64 * share).round(),
                provenance: "synthetic".into(),
            }
        })
        .collect()
}
