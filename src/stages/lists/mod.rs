//! `lists`: one map, three lists (一图三清单): risk list, responsibility list, measures list, with hotspots and the greatest events.

pub mod entries;
pub mod events;
pub mod ground;
pub mod map;
pub mod places;
pub mod standards;
pub mod tables;

use super::Context;
use crate::manifest::Draft;
use anlan_engine::Result;
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::vector::write_gpkg;
use anlan_models::lists::assign;
use ground::Ground;

/// Columns of the files that the workbook leaves out.
const CODES: [&str; 7] = [
    "kind", "hazard", "hazards", "level", "grade", "role", "deadline",
];

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let rules = standards::rules(ctx)?;
    let measures = standards::measures(ctx)?;
    let persons = standards::persons(ctx, &rules)?;
    let ground = Ground::read(ctx)?;
    ctx.step(0.1, "risk list");
    let found = entries::find(ctx, &ground, &rules)?;
    let risk = tables::risk(&ground, &rules, &found.entries);
    let hotspots = tables::hotspots(ctx, &ground, (&rules, &measures), &found);
    ctx.step(0.5, "responsibility and measures");
    let objects = tables::objects(&ground, &found.entries);
    let (lines, left) = assign(&objects, &ctx.project.project.code, &rules, &persons);
    let responsibility = tables::responsibility(&lines);
    let missing = tables::missing(&rules, &lines);
    if !left.is_empty() {
        ctx.warn(&format!(
            "{} responsible persons belong to no object of the lists: see sheet 未匹配 of lists.xlsx",
            left.len()
        ));
    }
    let unmatched = tables::unmatched(&left);
    let todo = tables::measures(&rules, &measures, &found.entries);
    let table = events::EventTable::read(ctx)?;
    let events = tables::events(ctx, &table.events(), rules.events.listed);
    ctx.step(0.8, "files");
    for (file, table) in [
        ("risk_list.csv", &risk),
        ("responsibility.csv", &responsibility),
        ("measures.csv", &todo),
        ("hotspots.csv", &hotspots),
        ("events.csv", &events),
    ] {
        write_csv(&draft.file(file)?, table)?;
    }
    let about = tables::about(ctx, &rules, &measures, &found);
    let sheets: Vec<(&str, Table)> = [
        ("风险清单", &risk),
        ("责任清单", &responsibility),
        ("措施清单", &todo),
        ("一点一策", &hotspots),
        ("责任落实统计", &missing),
        ("未匹配", &unmatched),
        ("最大事件", &events),
        ("说明", &about),
    ]
    .into_iter()
    .map(|(name, table)| (name, tables::chinese(&tables::without(table, &CODES))))
    .collect();
    let sheets: Vec<(&str, &Table)> = sheets.iter().map(|(name, table)| (*name, table)).collect();
    write_xlsx(&draft.file("lists.xlsx")?, &sheets)?;
    let (points, areas, units) = (
        map::points_layer(&ground, &rules, &found.entries),
        map::hotspot_layer(&ground, &rules, &found),
        map::unit_layer(&ground, &rules, &found.entries),
    );
    let mut layers = vec![("risk_points", &points), ("units", &units)];
    if !areas.features.is_empty() {
        layers.push(("hotspots", &areas));
    }
    write_gpkg(&draft.file("lists.gpkg")?, &layers)?;
    draft.state("entries", found.entries.len());
    draft.state("hotspots", found.hotspots.len());
    draft.state(
        "roles_without_person",
        lines.iter().filter(|l| l.person.is_none()).count(),
    );
    let picture = map::one_map(ctx, &ground, &rules, &found.entries)?;
    let path = draft.file("one_map.png")?;
    anlan_engine::io::write_atomic(&path, |tmp| {
        std::fs::write(tmp, &picture).map_err(|e| anlan_engine::Error::io("writing", &path, e))
    })?;
    Ok(())
}
