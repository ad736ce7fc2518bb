//! The entries of the risk list: units, townships, sites, places, hotspots.

use super::ground::{Ground, depths, period_at};
use super::places::{critical_places, danger_sites};
use crate::stages::{Context, losses, store};
use anlan_engine::io::Value;
use anlan_engine::io::table::{self, Table};
use anlan_engine::{Raster, Result};
use anlan_models::geology::sites::ScaleTable;
use anlan_models::hazard::Hazard;
use anlan_models::lists::{Hotspot, HotspotInput, Kind, ListRules, RiskEntry, hotspots, rank};
use std::collections::BTreeMap;

/// The risk list with what else was found on the way.
pub struct Found {
    /// Entries, the gravest first.
    pub entries: Vec<RiskEntry>,
    /// Hotspots with their codes and names, in order of code.
    pub hotspots: Vec<(String, String, Hotspot)>,
    /// Return period that hotspots are judged at, years.
    pub hotspot_period: f64,
}

/// Residents and assets exposed to each hazard by township; none where it is not assessed.
type Exposed = BTreeMap<&'static str, Option<Vec<(u64, f64)>>>;

pub fn find(ctx: &Context<'_>, ground: &Ground, rules: &ListRules) -> Result<Found> {
    let exposed = exposed(ctx, ground, rules)?;
    let aal = township_losses(ctx, ground)?;
    let depths = depths(ctx)?;
    let slides = slide_probability(ctx)?;
    let mut entries = units(ctx, ground, rules, &exposed)?;
    entries.extend(townships(ctx, ground, rules, &exposed, &aal.by_township)?);
    entries.extend(sites(ctx, ground, rules, slides.as_ref())?);
    entries.extend(places(ctx, ground, rules, &depths, slides.as_ref())?);
    let (points, at) = points(ctx, ground, rules, &depths)?;
    entries.extend(points.iter().map(|(code, name, spot)| {
        point_entry(ctx, ground, rules, (code, name, spot), at, &aal.by_cell)
    }));
    rank(&mut entries);
    Ok(Found {
        entries,
        hotspots: points,
        hotspot_period: store::return_periods(ctx.project)[at],
    })
}

fn blank(id: String, kind: Kind, hazard: &'static str) -> RiskEntry {
    RiskEntry {
        id,
        kind,
        code: String::new(),
        name: String::new(),
        unit: None,
        township: None,
        hazard,
        level: 4,
        grade: None,
        monitoring: false,
        people: None,
        assets_yuan: None,
        aal_yuan: None,
        return_period: None,
        depth_m: None,
        at: (0.0, 0.0),
        rule: String::new(),
        rule_status: String::new(),
        source: String::new(),
        note: String::new(),
    }
}

/// Scopes as the tables name them.
const SCOPES: [&str; 5] = ["all", "flood", "convection", "geology", "fire"];

fn scope(name: &str) -> Option<&'static str> {
    SCOPES.into_iter().find(|s| *s == name)
}

fn exposed(ctx: &Context<'_>, ground: &Ground, rules: &ListRules) -> Result<Exposed> {
    let screening = ctx.project.project.screening;
    let mut out: Exposed = BTreeMap::new();
    let mut any = vec![false; ground.grid.cells()];
    for hazard in Hazard::ALL {
        let ranked = screening && !losses::assessed(ctx, hazard);
        let rule = rules
            .exposed
            .iter()
            .find(|e| e.hazard == hazard && e.screening == ranked);
        let Some(rule) = rule else {
            out.insert(hazard.name(), None);
            continue;
        };
        let file = match rule.return_period {
            Some(t) => {
                let periods = store::return_periods(ctx.project);
                store::rp_file(&rule.measure, ListRules::period(periods, t))
            }
            None => format!("{}.tif", rule.measure),
        };
        let raster = store::raster(ctx, &format!("hazard/{}", hazard.name()), &file)?;
        let values = raster.values();
        let hit = |cell: usize| f64::from(values[cell]) >= rule.at_least;
        for (cell, any) in any.iter_mut().enumerate() {
            *any |= hit(cell);
        }
        out.insert(hazard.name(), Some(ground.exposed(hit)));
    }
    out.insert("all", Some(ground.exposed(|cell| any[cell])));
    Ok(out)
}

/// Average annual loss by cell, and by township.
struct Losses {
    by_cell: Vec<f64>,
    by_township: Vec<f64>,
}

/// What the cells lose goes to the townships of their rows in proportion to the rows' assets.
fn township_losses(ctx: &Context<'_>, ground: &Ground) -> Result<Losses> {
    let raster = store::raster(ctx, "losses", "aal_yuan.tif")?;
    let by_cell: Vec<f64> = raster
        .values()
        .iter()
        .map(|&v| if v.is_nan() { 0.0 } else { f64::from(v) })
        .collect();
    let all = &ground.assets;
    let mut by_township = vec![0.0_f64; ground.townships.len()];
    for ((row, &t), &assets) in ground
        .ledger
        .rows
        .iter()
        .zip(&ground.township_of_row)
        .zip(&ground.assets_of_row)
    {
        let cell = row.cell as usize;
        if let Some(sum) = by_township.get_mut(t as usize)
            && all[cell] > 0.0
        {
            *sum += by_cell[cell] * assets / all[cell];
        }
    }
    Ok(Losses {
        by_cell,
        by_township,
    })
}

fn slide_probability(ctx: &Context<'_>) -> Result<Option<Raster<f32>>> {
    losses::assessed(ctx, Hazard::Geology)
        .then(|| store::raster(ctx, "hazard/geology", "annual_strike_probability.tif"))
        .transpose()
}

/// Grade and its Chinese name of a row of grades.
fn grade(table: &Table, row: &[Value]) -> Result<Option<(u8, String)>> {
    let number = row[table.require("grade")?].as_f64().unwrap_or(0.0) as u8;
    let name = row[table.require("grade_zh")?].to_string();
    Ok((number > 0).then_some((number, name)))
}

fn units(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    exposed: &Exposed,
) -> Result<Vec<RiskEntry>> {
    let table = table::read(&store::existing(ctx, "risk", "grades.csv")?)?;
    let [unit, hazard, aal, pack, status] = [
        "unit",
        "hazard",
        "aal_yuan",
        "rule_pack",
        "rule_pack_status",
    ]
    .map(|c| table.require(c));
    let (unit, hazard, aal, pack, status) = (unit?, hazard?, aal?, pack?, status?);
    let mut out = Vec::new();
    for row in &table.rows {
        let code = row[unit].to_string();
        let place = ground.units.iter().position(|u| u.code == code);
        let (Some(u), Some(hazard)) = (place, scope(&row[hazard].to_string())) else {
            continue;
        };
        let grade = grade(&table, row)?;
        let here = exposed.get(hazard).and_then(|e| e.as_ref());
        let sums = here.map(|townships| ground.of_unit(u, townships));
        out.push(RiskEntry {
            code: code.clone(),
            name: ground.units[u].name.clone(),
            unit: Some(u),
            level: rules.of_grade.of(grade.as_ref().map_or(0, |g| g.0)),
            grade,
            people: sums.map(|s| s.0 as f64),
            assets_yuan: sums.map(|s| s.1),
            aal_yuan: row[aal].as_f64(),
            at: geo::Centroid::centroid(&ground.units[u].border)
                .map_or((0.0, 0.0), |c| (c.x(), c.y())),
            rule: row[pack].to_string(),
            rule_status: row[status].to_string(),
            source: "risk/grades.csv".into(),
            ..blank(format!("U{code}-{hazard}"), Kind::Unit, hazard)
        });
    }
    Ok(out)
}

fn townships(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    exposed: &Exposed,
    aal: &[f64],
) -> Result<Vec<RiskEntry>> {
    let table = table::read(&store::existing(ctx, "risk", "townships.csv")?)?;
    let [code, hazard, pack, status] =
        ["township", "hazard", "rule_pack", "rule_pack_status"].map(|c| table.require(c));
    let (code, hazard, pack, status) = (code?, hazard?, pack?, status?);
    let mut out = Vec::new();
    for row in &table.rows {
        let township = row[code].to_string();
        let place = ground.townships.iter().position(|t| t.code == township);
        let (Some(t), Some(hazard)) = (place, scope(&row[hazard].to_string())) else {
            continue;
        };
        let here = &ground.townships[t];
        let grade = grade(&table, row)?;
        let sums = exposed.get(hazard).and_then(|e| e.as_ref()).map(|e| e[t]);
        out.push(RiskEntry {
            code: township.clone(),
            name: here.name.clone(),
            unit: Some(here.unit),
            township: Some(t),
            level: rules.of_grade.of(grade.as_ref().map_or(0, |g| g.0)),
            grade,
            people: sums.map(|s| s.0 as f64),
            assets_yuan: sums.map(|s| s.1),
            // Losses by cell are of all hazards together: those of one are not told apart.
            aal_yuan: (hazard == "all").then(|| aal[t]),
            at: here.middle,
            rule: row[pack].to_string(),
            rule_status: row[status].to_string(),
            source: "risk/townships.csv".into(),
            note: {
                let mut notes = vec![format!("全部灾种年均损失{:.0}万元", aal[t] / 1e4)];
                if here.provenance == "synthetic" {
                    notes.push("合成乡镇 synthetic township".into());
                }
                notes.join("；")
            },
            ..blank(format!("T{township}-{hazard}"), Kind::Township, hazard)
        });
    }
    Ok(out)
}

fn sites(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    slides: Option<&Raster<f32>>,
) -> Result<Vec<RiskEntry>> {
    let scale = ScaleTable::standard();
    let mut out = Vec::new();
    for site in danger_sites(ctx, ground)? {
        let at = (site.x, site.y);
        let cell = ground.cell(at);
        let (unit, township) = cell.map_or((None, None), |c| ground.place(c));
        let class = scale.class_of(&site);
        let position = scale.classes.iter().position(|c| c == class).unwrap_or(0) as u8 + 1;
        let probability = cell
            .and_then(|c| slides.map(|s| f64::from(s.values()[c])))
            .filter(|p| *p > 0.0);
        let mut notes = vec![site.kind.name_zh().to_owned()];
        if unit.is_none() {
            notes.push("坐标不在任何单元内 outside all units".into());
        }
        out.push(RiskEntry {
            code: site.code.clone(),
            name: site.name.clone(),
            unit,
            township,
            level: rules.of_scale.of(position),
            grade: Some((position, class.name_zh.clone())),
            monitoring: scale.monitored(&site),
            people: Some(site.threatened_people as f64),
            assets_yuan: Some(site.threatened_yuan),
            return_period: probability.map(|p| 1.0 / p),
            at,
            rule: "geohazard_scale".into(),
            rule_status: scale.status.clone(),
            source: "layers/danger_sites.csv".into(),
            note: notes.join("；"),
            ..blank(site.code.clone(), Kind::DangerSite, "geology")
        });
    }
    Ok(out)
}

/// First return period at which a cell is at least so deep.
fn first_flooded(
    ctx: &Context<'_>,
    depths: &[Raster<f32>],
    cell: usize,
    least: f64,
) -> Option<f64> {
    depths
        .iter()
        .zip(store::return_periods(ctx.project))
        .find(|(d, _)| f64::from(d.values()[cell]) >= least)
        .map(|(_, &t)| t)
}

fn places(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    depths: &[Raster<f32>],
    slides: Option<&Raster<f32>>,
) -> Result<Vec<RiskEntry>> {
    let flood = rules.exposed.iter().find(|e| e.hazard == Hazard::Flood);
    let (wanted, least) = flood.map_or((100.0, 0.15), |e| {
        (e.return_period.unwrap_or(100.0), e.at_least)
    });
    let judged = period_at(ctx, wanted);
    let years = store::return_periods(ctx.project)[judged];
    let mut out = Vec::new();
    for place in critical_places(ctx, ground)? {
        let Some(cell) = ground.cell(place.at) else {
            continue;
        };
        let (unit, township) = ground.place(cell);
        let common = |hazard: &'static str| RiskEntry {
            code: place.code.clone(),
            name: place.name.clone(),
            unit,
            township,
            people: place.people,
            at: place.at,
            rule: rules.id.clone(),
            rule_status: rules.status.clone(),
            source: format!("layers/{}", place.source),
            ..blank(format!("P{}-{hazard}", place.code), Kind::Place, hazard)
        };
        let depth = f64::from(depths[judged].values()[cell]);
        let depth = if depth > 0.0 { depth } else { 0.0 };
        let level = rules.point.level(depth, place.people.unwrap_or(0.0));
        let mut note = place.kind.clone();
        if level.is_none() {
            note.push_str(&format!("；{years}年一遇不受淹 dry at {years} years"));
        }
        out.push(RiskEntry {
            level: level.unwrap_or(4),
            return_period: first_flooded(ctx, depths, cell, least),
            depth_m: Some(depth),
            note,
            ..common("flood")
        });
        let probability = slides.map_or(0.0, |s| f64::from(s.values()[cell]));
        if let Some(level) = rules.place.level(probability) {
            out.push(RiskEntry {
                level,
                return_period: Some(1.0 / probability),
                note: place.kind.clone(),
                ..common("geology")
            });
        }
    }
    Ok(out)
}

/// Code, name and hotspot.
type NamedHotspot = (String, String, Hotspot);

/// Hotspots with code and name: by township, the most people first.
fn points(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    depths: &[Raster<f32>],
) -> Result<(Vec<NamedHotspot>, usize)> {
    let rule = &rules.hotspot;
    let deciding = period_at(ctx, rule.return_period);
    let cover = store::classes(ctx, "layers", "land_cover.tif")?;
    let urban: Vec<bool> = cover
        .values()
        .iter()
        .map(|c| rule.urban_cover.contains(c))
        .collect();
    let mut found = hotspots(&HotspotInput {
        depths,
        deciding,
        people: &ground.people,
        township: &ground.township_of,
        urban: &urban,
        least_depth_m: rule.depth_m as f32,
        least_people: rule.least_people as f64,
    });
    found.sort_by(|a, b| {
        a.township
            .cmp(&b.township)
            .then(b.people.total_cmp(&a.people))
            .then(a.peak.cmp(&b.peak))
    });
    let mut numbers = vec![0_u32; ground.townships.len()];
    let named = found
        .into_iter()
        .map(|spot| {
            let township = &ground.townships[spot.township as usize];
            let n = &mut numbers[spot.township as usize];
            *n += 1;
            let kind = if spot.urban_share >= rule.urban_share {
                "城镇内涝点"
            } else {
                "沿河淹没点"
            };
            (
                format!("H{}-{n:03}", township.code),
                format!("{}{kind}{n}", township.name),
                spot,
            )
        })
        .collect();
    Ok((named, deciding))
}

fn point_entry(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    (code, name, spot): (&str, &str, &Hotspot),
    deciding: usize,
    aal: &[f64],
) -> RiskEntry {
    let periods = store::return_periods(ctx.project);
    let least = rules.hotspot.depth_m;
    let first = spot
        .by_period
        .iter()
        .zip(periods)
        .find(|((most, _, _), _)| f64::from(*most) >= least)
        .map(|(_, &t)| t);
    let depth = f64::from(spot.by_period[deciding].0);
    let assets = spot.cells.iter().map(|&c| ground.assets[c as usize]).sum();
    let township = spot.township as usize;
    RiskEntry {
        code: code.to_owned(),
        name: name.to_owned(),
        unit: Some(ground.townships[township].unit),
        township: Some(township),
        level: rules.point.level(depth, spot.people).unwrap_or(4),
        people: Some(spot.people),
        assets_yuan: Some(assets),
        aal_yuan: Some(spot.cells.iter().map(|&c| aal[c as usize]).sum()),
        return_period: first,
        depth_m: Some(depth),
        at: ground.middle(spot.peak),
        rule: rules.id.clone(),
        rule_status: rules.status.clone(),
        source: format!(
            "hazard/flood/{}",
            store::rp_file("depth_m", periods[deciding])
        ),
        ..blank(code.to_owned(), Kind::Hotspot, "flood")
    }
}
