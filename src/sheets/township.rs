//! Flood sheets of townships (乡镇、村级洪水风险图，山洪形势图): depths of a return period with shelters, depots, danger sites, straight lines
//! to the nearest dry shelter, people to move and responsible persons, on one page.
//!
//! All calls to the map sheets stand here.

use super::scene::{PointRow, Scene, people};
use super::{Contact, paper};
use crate::stages::lists::ground::Ground;
use crate::stages::lists::map::{county_border, shade};
use crate::stages::{Context, store};
use anlan_engine::io::Value;
use anlan_engine::io::table::{Table, write_csv};
use anlan_engine::{Bounds, Error, Raster, Result, Window};
use anlan_models::cartography::{
    Border, Colour, Label, LegendEntry, PointSymbol, Sheet, SheetLanguage, render_png,
};
use geo::{LineString, MultiPolygon, Polygon};
use rayon::prelude::*;
use std::path::Path;

/// Ground shown around a township, as a share of its width.
const MARGIN: f64 = 0.06;

/// A shelter as a sheet tells it.
struct Shelter {
    name: String,
    at: (f64, f64),
    capacity: Option<f64>,
    dry: bool,
}

/// From, to, and the distance, m.
type Route = ((f64, f64), (f64, f64), f64);

/// What is computed of a township before it is drawn.
struct Plan {
    township: usize,
    window: Window,
    shelters: Vec<Shelter>,
    /// The greatest hotspots, each to the nearest dry shelter of its county, with the distance in metres.
    routes: Vec<Route>,
    /// Residents at risk and to move by return period.
    by_period: Vec<(f64, f64)>,
}

pub(super) fn write(
    ctx: &Context<'_>,
    ground: &Ground,
    scene: &Scene,
    chosen: &[usize],
    folder: &Path,
) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io("creating", folder, e))?;
    let contacts = super::persons(ctx)?;
    let shade = shade(ctx, ground)?;
    let plans: Vec<Plan> = chosen
        .iter()
        .filter_map(|&t| plan(ctx, ground, scene, t))
        .collect();
    let table = table(ctx, ground, &plans);
    let made: Vec<(String, Vec<u8>)> = plans
        .par_iter()
        .map(|p| {
            let png = draw(ctx, ground, scene, p, &contacts, &shade)?;
            Ok((ground.townships[p.township].code.clone(), png))
        })
        .collect::<Result<Vec<_>>>()?;
    for (code, png) in made {
        paper::save(&folder.join(format!("{code}.png")), &png)?;
    }
    write_csv(&folder.join("townships.csv"), &table)
}

/// `None` for a township without cells.
fn plan(ctx: &Context<'_>, ground: &Ground, scene: &Scene, township: usize) -> Option<Plan> {
    let grid = &ground.grid;
    let bounds = ground
        .township_of
        .iter()
        .enumerate()
        .filter(|(_, t)| **t as usize == township)
        .fold(Bounds::EMPTY, |b, (cell, _)| {
            let (x, y) = ground.middle(cell as u32);
            b.with(x, y)
        });
    if bounds.east < bounds.west {
        return None;
    }
    let margin = (bounds.east - bounds.west).max(bounds.north - bounds.south) * MARGIN + grid.dx;
    let window = grid.window_of(&bounds.expanded(margin))?;
    let here = &ground.townships[township];
    let unit = &ground.units[here.unit].code;
    let risk = scene.rules.people.at_risk_m as f32;
    let shelters: Vec<Shelter> = of_kind(scene, "place")
        .filter(|p| p.hazard == "flood" && p.note.starts_with("避难场所") && p.unit == *unit)
        .map(|p| Shelter {
            name: p.name.clone(),
            at: p.at,
            capacity: p.people,
            dry: p.depth_m < risk,
        })
        .collect();
    let far = |a: (f64, f64), b: (f64, f64)| {
        let (dx, dy) = (a.0 - b.0, a.1 - b.1);
        (dx * dx + dy * dy).sqrt()
    };
    let routes = of_kind(scene, "hotspot")
        .filter(|p| p.township == here.code)
        .take(scene.rules.lines.points)
        .filter_map(|p| {
            let nearest = shelters
                .iter()
                .filter(|s| s.dry)
                .min_by(|a, b| far(a.at, p.at).total_cmp(&far(b.at, p.at)))?;
            Some((p.at, nearest.at, far(nearest.at, p.at)))
        })
        .collect();
    let mut by_period = vec![(0.0, 0.0); store::return_periods(ctx.project).len()];
    for (row, &t) in ground.ledger.rows.iter().zip(&ground.township_of_row) {
        if t as usize != township {
            continue;
        }
        for (k, sums) in by_period.iter_mut().enumerate() {
            let d = f64::from(scene.depth(k, row.cell as usize));
            if d >= scene.rules.people.at_risk_m {
                sums.0 += f64::from(row.population);
            }
            if d >= scene.rules.people.to_move_m {
                sums.1 += f64::from(row.population);
            }
        }
    }
    Some(Plan {
        township,
        window,
        shelters,
        routes,
        by_period,
    })
}

fn of_kind<'s>(scene: &'s Scene, kind: &'s str) -> impl Iterator<Item = &'s PointRow> {
    scene.points.iter().filter(move |p| p.kind == kind)
}

fn within(bounds: &Bounds, at: (f64, f64)) -> bool {
    at.0 >= bounds.west && at.0 <= bounds.east && at.1 >= bounds.south && at.1 <= bounds.north
}

/// The outline of a township as lines along its cells.
fn outline(ground: &Ground, township: usize, window: Window) -> MultiPolygon<f64> {
    let grid = &ground.grid;
    let inside = |r: isize, c: isize| {
        r >= 0
            && c >= 0
            && (r as usize) < grid.rows
            && (c as usize) < grid.cols
            && ground.township_of[r as usize * grid.cols + c as usize] as usize == township
    };
    let mut lines = Vec::new();
    let mut line = |a: (f64, f64), b: (f64, f64)| {
        // A ring there and back again draws as a line.
        lines.push(Polygon::new(LineString::from(vec![a, b, a]), Vec::new()));
    };
    let (x0, y0) = (grid.west, grid.north);
    let (rows, cols) = (
        window.row..window.row + window.rows,
        window.col..window.col + window.cols,
    );
    for r in rows.start..=rows.end {
        let mut from = None;
        for c in cols.start..=cols.end {
            let edge = c < cols.end
                && inside(r as isize, c as isize) != inside(r as isize - 1, c as isize);
            match (edge, from) {
                (true, None) => from = Some(c),
                (false, Some(start)) => {
                    let y = y0 - r as f64 * grid.dy;
                    line(
                        (x0 + start as f64 * grid.dx, y),
                        (x0 + c as f64 * grid.dx, y),
                    );
                    from = None;
                }
                _ => {}
            }
        }
    }
    for c in cols.start..=cols.end {
        let mut from = None;
        for r in rows.start..=rows.end {
            let edge = r < rows.end
                && inside(r as isize, c as isize) != inside(r as isize, c as isize - 1);
            match (edge, from) {
                (true, None) => from = Some(r),
                (false, Some(start)) => {
                    let x = x0 + c as f64 * grid.dx;
                    line(
                        (x, y0 - start as f64 * grid.dy),
                        (x, y0 - r as f64 * grid.dy),
                    );
                    from = None;
                }
                _ => {}
            }
        }
    }
    MultiPolygon(lines)
}

fn draw(
    ctx: &Context<'_>,
    ground: &Ground,
    scene: &Scene,
    plan: &Plan,
    contacts: &[Contact],
    shade: &Raster<f32>,
) -> Result<Vec<u8>> {
    let zh = ctx.project.products.language == SheetLanguage::Zh;
    let here = &ground.townships[plan.township];
    let classes_of = &scene.rules.depth;
    let n = classes_of.from_m.len();
    let depth = scene.depths[scene.at].window(plan.window);
    let classes = depth.map(|d| {
        let k = classes_of.from_m.partition_point(|b| *b <= d);
        if k == 0 { 0_u8 } else { (n - k) as u8 + 1 }
    });
    let legend = (0..n)
        .rev()
        .map(|k| LegendEntry {
            code: (n - k) as u8,
            colour: Colour(classes_of.colours[k]),
            name: match classes_of.from_m.get(k + 1) {
                Some(next) => format!("{} ~ {next} m", classes_of.from_m[k]),
                None => format!("≥ {} m", classes_of.from_m[k]),
            },
        })
        .collect();
    let shade = shade.window(plan.window);
    let bounds = depth.grid.bounds();
    let shown = |at: (f64, f64)| within(&bounds, at);
    let pick = |z: &str, e: &str| if zh { z.to_owned() } else { e.to_owned() };
    let symbol =
        |points: Vec<(f64, f64)>, colour: [u8; 3], radius: f32, name: String| PointSymbol {
            points: points.into_iter().filter(|p| shown(*p)).collect(),
            colour: Colour(colour),
            radius,
            name,
        };
    let at_of = |kind: &'static str| {
        of_kind(scene, kind)
            .filter(|p| p.township == here.code)
            .map(|p| p.at)
            .collect::<Vec<_>>()
    };
    let depots = of_kind(scene, "place")
        .filter(|p| p.hazard == "flood" && p.note.starts_with("救灾物资储备库"))
        .map(|p| p.at)
        .collect();
    let shelters = |dry: bool| {
        plan.shelters
            .iter()
            .filter(|s| s.dry == dry)
            .map(|s| s.at)
            .collect()
    };
    let points: Vec<PointSymbol> = [
        symbol(
            at_of("danger-site"),
            [130, 70, 20],
            7.0,
            pick("地质灾害隐患点", "danger site"),
        ),
        symbol(
            at_of("hotspot"),
            [200, 30, 30],
            9.0,
            pick("易涝（淹没）点", "flooded hotspot"),
        ),
        symbol(
            shelters(true),
            [0, 130, 60],
            12.0,
            pick("避难场所（不受淹）", "shelter, dry"),
        ),
        symbol(
            shelters(false),
            [140, 140, 140],
            12.0,
            pick("避难场所（受淹，不可用）", "shelter, flooded"),
        ),
        symbol(
            depots,
            [20, 20, 20],
            6.0,
            pick("救灾物资储备库", "relief depot"),
        ),
    ]
    .into_iter()
    .filter(|s| !s.points.is_empty())
    .collect();
    let outline = outline(ground, plan.township, plan.window);
    let routes = MultiPolygon(
        plan.routes
            .iter()
            .map(|(a, b, _)| Polygon::new(LineString::from(vec![*a, *b, *a]), Vec::new()))
            .collect(),
    );
    let mut borders = vec![
        county_border(ground, zh),
        Border {
            polygons: vec![&outline],
            width: 3.5,
            colour: Colour([150, 30, 120]),
            dash: "",
            name: pick("本乡镇范围", "this township"),
        },
    ];
    if !plan.routes.is_empty() {
        borders.push(Border {
            polygons: vec![&routes],
            width: 2.0,
            colour: Colour([0, 110, 50]),
            // A ring there and back again: dashes of the one way would fill the gaps of the other.
            dash: "",
            name: pick(
                "转移方向（直线示意，非道路）",
                "straight line to shelter, no road",
            ),
        });
    }
    let labels = plan
        .shelters
        .iter()
        .filter(|s| shown(s.at))
        .map(|s| Label {
            x: s.at.0,
            y: s.at.1 + 1.6 * depth.grid.dy,
            text: s.name.clone(),
            size: 20.0,
        })
        .collect();
    let title = if zh {
        format!(
            "{}洪水风险图（{:.0}年一遇）",
            here.name, scene.return_period
        )
    } else {
        format!(
            "{}: flood sheet, {:.0}-year return period",
            here.name, scene.return_period
        )
    };
    let sheet = Sheet {
        title,
        subtitle: format!(
            "{}　{}",
            ground.units[here.unit].name, ctx.project.products.data_period
        ),
        classes: &classes,
        hillshade: Some(&shade),
        legend_title: pick("淹没水深", "flood depth"),
        legend,
        borders,
        labels,
        points,
        notes: notes(ctx, ground, scene, plan, contacts, zh),
        producer: ctx.project.products.producer.clone(),
        date: ctx.project.products.date.clone(),
        marks: ctx.marks(),
        language: ctx.project.products.language,
    };
    render_png(&sheet, ctx.fonts)
}

/// Right column: people, shelters, persons.
fn notes(
    ctx: &Context<'_>,
    ground: &Ground,
    scene: &Scene,
    plan: &Plan,
    contacts: &[Contact],
    zh: bool,
) -> Vec<String> {
    let here = &ground.townships[plan.township];
    let mut out = Vec::new();
    let periods = store::return_periods(ctx.project);
    let (risk, moved) = plan.by_period[scene.at];
    out.push(if zh {
        format!(
            "常住人口{}人；本情景受威胁{}人，需转移{}人。",
            people(here.population),
            people(risk),
            people(moved)
        )
    } else {
        format!(
            "{} residents; {} at risk, {} to move.",
            people(here.population),
            people(risk),
            people(moved)
        )
    });
    let by: Vec<String> = periods
        .iter()
        .zip(&plan.by_period)
        .map(|(t, (risk, moved))| {
            if zh {
                format!("{t}年{}/{}", people(*risk), people(*moved))
            } else {
                format!("{t} a: {}/{}", people(*risk), people(*moved))
            }
        })
        .collect();
    out.push(if zh {
        format!("各重现期受威胁/需转移（人）：{}。", by.join("，"))
    } else {
        format!("At risk/to move by return period: {}.", by.join(", "))
    });
    let mut shelters: Vec<&Shelter> = plan.shelters.iter().collect();
    let far = |s: &Shelter| {
        let (dx, dy) = (s.at.0 - here.middle.0, s.at.1 - here.middle.1);
        (dx * dx + dy * dy).sqrt()
    };
    shelters.sort_by(|a, b| far(a).total_cmp(&far(b)));
    for s in shelters.iter().take(scene.rules.lines.shelters / 2) {
        let places = s.capacity.map_or_else(String::new, people);
        out.push(match (zh, s.dry) {
            (true, dry) => format!(
                "{}：容量{places}人，距乡镇中心{:.1} km（直线）{}",
                s.name,
                far(s) / 1000.0,
                if dry { "" } else { "，受淹不可用" }
            ),
            (false, dry) => format!(
                "{}: {places} places, {:.1} km (straight){}",
                s.name,
                far(s) / 1000.0,
                if dry { "" } else { ", flooded" }
            ),
        });
    }
    let bounds = ground.grid.window(plan.window).bounds();
    let places: f64 = plan
        .shelters
        .iter()
        .filter(|s| s.dry && within(&bounds, s.at))
        .filter_map(|s| s.capacity)
        .sum();
    let gap = (moved - places).max(0.0);
    out.push(if zh {
        format!(
            "图内不受淹避难场所容量{}人，缺口{}人。",
            people(places),
            people(gap)
        )
    } else {
        format!(
            "Places in dry shelters on this map: {}; {} missing.",
            people(places),
            people(gap)
        )
    });
    let unit = &ground.units[here.unit].code;
    for c in contacts
        .iter()
        .filter(|c| c.at == here.code || c.at == *unit)
        .take(scene.rules.lines.shelters)
    {
        let person = match (c.person.is_empty(), zh) {
            (true, true) => "未落实".to_owned(),
            (true, false) => "not named".to_owned(),
            _ => format!("{} {} {}", c.person, c.post, c.phone),
        };
        out.push(format!(
            "{}：{}",
            if zh { &c.role_zh } else { &c.role },
            person.trim_end()
        ));
    }
    out.push(if zh {
        format!(
            "规则：{}（{}）；不计堤防。",
            scene.rules.id,
            crate::map::told_status(&scene.rules.status, true)
        )
    } else {
        format!(
            "Rules: {} ({}); no dykes.",
            scene.rules.id, scene.rules.status
        )
    });
    out
}

fn table(ctx: &Context<'_>, ground: &Ground, plans: &[Plan]) -> Table {
    let mut columns: Vec<String> = ["township", "name", "unit", "population"]
        .map(str::to_owned)
        .to_vec();
    for t in store::return_periods(ctx.project) {
        let years = t.round() as u64;
        columns.push(format!("at_risk_rp{years:04}"));
        columns.push(format!("to_move_rp{years:04}"));
    }
    columns.extend(
        [
            "shelters",
            "dry_shelters",
            "dry_places",
            "longest_straight_m",
        ]
        .map(str::to_owned),
    );
    let mut table = Table {
        columns,
        first_row: 2,
        ..Table::default()
    };
    for p in plans {
        let here = &ground.townships[p.township];
        let bounds = ground.grid.window(p.window).bounds();
        let near = |s: &&Shelter| within(&bounds, s.at);
        let whole = |v: f64| Value::Integer(v.round() as i64);
        let mut row: Vec<Value> = vec![
            here.code.clone().into(),
            here.name.clone().into(),
            ground.units[here.unit].code.clone().into(),
            whole(here.population),
        ];
        for (risk, moved) in &p.by_period {
            row.extend([whole(*risk), whole(*moved)]);
        }
        let shelters = p.shelters.iter().filter(near);
        let dry: Vec<&Shelter> = p.shelters.iter().filter(near).filter(|s| s.dry).collect();
        row.extend([
            Value::Integer(shelters.count() as i64),
            Value::Integer(dry.len() as i64),
            whole(dry.iter().filter_map(|s| s.capacity).sum()),
            p.routes
                .iter()
                .map(|r| r.2)
                .max_by(f64::total_cmp)
                .map_or(Value::Null, whole),
        ]);
        table.rows.push(row);
    }
    table
}
