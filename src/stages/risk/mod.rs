//! `risk`: indices and grades by rule packs, of cells and of units at every level; zones, priority areas, ranks; the
//! comprehensive multi-hazard risk by several methods.
//!
//! | file | holds |
//! | --- | --- |
//! | `sources` | the catalogue of layers that packs may name, and their values on cells |
//! | `cells` | chains over cells, hazard by hazard |
//! | `units`, `tables` | levels, totals, grades of units; their tables and layers |
//! | `comprehensive` | methods side by side, agreement |
//! | `zones`, `rank` | zoning and priority areas; ranks with errors |
//! | `record` | `chains.json`, from which `explain` tells a grade |
//! | `write` | rasters and borders |

mod cells;
mod comprehensive;
mod rank;
pub(crate) mod record;
pub(crate) mod sources;
mod tables;
mod units;
mod write;
mod zones;

pub(crate) use cells::OBJECTS;
pub use cells::hazard_pack;

use super::{Context, store};
use crate::manifest::Draft;
use anlan_engine::io::Value;
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::vector::{Layer, write_gpkg};
use anlan_engine::{Error, Result};
use anlan_models::hazard::Hazard;
use anlan_models::risk::RulePacks;
use cells::Cells;
use record::Chains;
use sources::Values;
use std::path::Path;

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let packs = packs(ctx)?;
    let grid = store::grid(ctx)?;
    let rows = store::units(ctx)?;
    ctx.step(0.0, "levels");
    let (levels, placed) = units::levels(ctx, &grid, &rows)?;
    let mut cells = Cells {
        grid,
        values: Values::new(ctx.project, ctx.out, grid.cols, placed.cells),
        units: levels.hierarchy.levels[0].codes.len(),
        lowest: placed.lowest,
        area_km2: placed.area_km2,
    };
    let totals = units::totals(&levels, &mut cells)?;
    let mut chains = Chains {
        units: units::recorded(&levels),
        ..Chains::default()
    };
    let mut hazards = Vec::new();
    let mut graded = Vec::new();
    for (n, hazard) in Hazard::ALL.into_iter().enumerate() {
        ctx.step(0.1 + 0.15 * n as f64, hazard.name());
        let sums = cells::hazard(ctx, draft, &packs, &mut cells, hazard, &mut chains)?;
        graded.extend(units::graded(&levels, &packs, &sums, &mut chains)?);
        hazards.push(sums);
    }
    ctx.step(0.75, "comprehensive risk");
    let aal = units::AverageAnnual::read(ctx)?;
    let told = comprehensive::units(
        &packs,
        &levels,
        &mut cells,
        &graded,
        &totals,
        &aal,
        &mut chains,
    )?;
    comprehensive::rasters(ctx, draft, &packs, &mut cells, &mut hazards, &mut chains)?;
    let all = comprehensive::first(&told, &packs)?;
    ctx.step(0.85, "zones and ranks");
    let (zones, zone_layer) = zones::zoning(&grid, &cells, &totals, &graded, &all)?;
    let priority = zones::priority(&levels, &totals, &hazards, &graded, &all);
    let ranking = rank::table(ctx, &levels, &totals)?;
    ctx.step(0.95, "writing");
    let main: Vec<&units::Graded> = graded
        .iter()
        .filter(|g| g.object == "comprehensive")
        .chain([&all])
        .collect();
    let grades = tables::unit_table(&levels, &hazards, &graded, &all, &aal);
    let townships = tables::township_table(&levels, &graded);
    let objects = tables::object_table(&levels, &graded);
    let level_table = tables::level_table(&levels, &totals, &main);
    let methods = comprehensive::table(ctx, &levels, &told);
    let agreement = comprehensive::agreement(&levels, &told);
    let disagreement = comprehensive::disagreement(&levels, &told);
    for (name, table) in [
        ("grades", &grades),
        ("townships", &townships),
        ("object_grades", &objects),
        ("levels", &level_table),
        ("zones", &zones),
        ("priority", &priority),
        ("ranking", &ranking),
        ("comprehensive", &methods),
        ("agreement", &agreement),
        ("disagreement", &disagreement),
    ] {
        write_csv(&draft.file(&format!("{name}.csv"))?, table)?;
    }
    let sheets = tables::sheets(&[
        ("风险等级 grades", &grades),
        ("乡镇 townships", &townships),
        ("承灾体 objects", &objects),
        ("各级单元 levels", &level_table),
        ("综合风险 comprehensive", &methods),
        ("方法一致性 agreement", &agreement),
        ("方法分歧 disagreement", &disagreement),
        ("区划 zones", &zones),
        ("防治区 priority", &priority),
        ("排序 ranking", &ranking),
        ("规则包 packs", &pack_table(&packs)),
    ]);
    let sheets: Vec<(&str, &Table)> = sheets.iter().map(|(n, t)| (n.as_str(), t)).collect();
    write_xlsx(&draft.file("grades.xlsx")?, &sheets)?;
    let by_level = tables::level_layers(&grid, &levels, &level_table);
    let layers: Vec<(&str, &Layer)> = by_level.iter().map(|(n, l)| (n.as_str(), l)).collect();
    write_gpkg(&draft.file("levels.gpkg")?, &layers)?;
    write_gpkg(&draft.file("zones.gpkg")?, &[("zones", &zone_layer)])?;
    let layer = tables::grades_layer(&grid, &rows, &grades);
    write_gpkg(&draft.file("grades.gpkg")?, &[("grades", &layer)])?;
    let path = draft.file(record::FILE)?;
    std::fs::write(&path, chains.text()? + "\n").map_err(|e| Error::io("writing", &path, e))
}

/// The compiled-in packs with those of the project, in the scheme that it chose.
///
/// # Errors
/// Faults of the project's packs.
pub fn packs(ctx: &Context<'_>) -> Result<RulePacks> {
    project_packs(ctx.project, ctx.project_file)
}

/// As [`packs`], outside a run.
///
/// # Errors
/// Faults of the project's packs, and hazards and packs that the project names and nobody knows.
pub fn project_packs(project: &crate::project::Project, project_file: &Path) -> Result<RulePacks> {
    let mut packs = RulePacks::builtin();
    for file in &project.risk.packs {
        let path = project_file.parent().unwrap_or(Path::new("")).join(file);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
        packs.extend(RulePacks::parse(&text, &path)?, &path)?;
    }
    if let Some(scheme) = &project.risk.scheme {
        packs.select(scheme)?;
    }
    let (layers, weights) = sources::names();
    packs.check_layers(&layers, &weights)?;
    for id in project.risk.hazards.values() {
        packs.get(id)?;
    }
    Ok(packs)
}

fn pack_table(packs: &RulePacks) -> Table {
    let mut table = Table::new(&[
        "id", "hazard", "object", "title_zh", "title_en", "issuer", "standard", "year", "status",
        "hash", "scheme", "source",
    ]);
    for p in &packs.pack {
        let text = |t: &str| -> Value { t.into() };
        table.rows.push(vec![
            text(&p.id),
            text(&p.hazard),
            text(&p.object),
            text(&p.title_zh),
            text(&p.title_en),
            text(&p.issuer),
            text(&p.standard),
            i64::from(p.year).into(),
            text(&p.status),
            p.hash().into(),
            text(&p.scheme),
            text(&p.source),
        ]);
    }
    table
}
