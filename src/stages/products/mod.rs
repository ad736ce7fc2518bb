//! `products`: maps, charts and the summary.
//!
//! | file | holds |
//! | --- | --- |
//! | `jobs` | the maps of exposure and hazards |
//! | `grades` | the maps of grades, by cell and by unit |
//! | `sheets` | what all sheets share, and each map as sheets: of the region, and of each unit |
//! | `charts` | the exceedance chart |

mod charts;
mod grades;
mod jobs;
mod sheets;

use super::{Context, store, summary};
use crate::manifest::Draft;
use anlan_engine::io::write_atomic;
use anlan_engine::{Error, Fault, Raster, Result};
use anlan_models::cartography::chart::chart_bytes;
use anlan_models::cartography::{LegendEntry, MapStyles, PointSymbol, SheetLanguage};
use std::path::Path;

/// A map to be drawn.
struct Job {
    file: String,
    /// Title behind the name of the region or unit: hazard, object and kind of grade.
    subject: String,
    legend_title: String,
    classes: Raster<u8>,
    legend: Vec<LegendEntry>,
    points: Vec<PointSymbol>,
    notes: Vec<String>,
    /// Classes to be counted by area and residents; none for a map of residents.
    counted: Option<Raster<u8>>,
    /// A map of grades, of which each unit gets its own where the project asks for grades alone.
    grades: bool,
}

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let zh = ctx.project.products.language == SheetLanguage::Zh;
    let styles = styles(ctx)?;
    let units = store::units(ctx)?;
    let mut jobs = jobs::all(ctx, &styles, zh)?;
    jobs.extend(grades::all(ctx, zh)?);
    let base = sheets::Base::read(ctx, &styles, &units)?;
    let names = sheets::draw(&base, jobs, draft)?;
    ctx.step(0.8, &format!("{} maps", names.maps));
    for (file, lost) in names.dropped {
        ctx.warn(&format!(
            "map {file}: no room for the names {}; choose larger paper or fewer places",
            lost.join(", ")
        ));
    }
    let chart = charts::exceedance(ctx, zh)?;
    for &format in &ctx.project.products.formats {
        let name = format!("charts/exceedance_direct_loss.{}", format.extension());
        save(draft, &name, &chart_bytes(&chart, format, ctx.fonts)?)?;
    }
    let text = summary::text(ctx, &units, zh)?;
    save(draft, "summary.md", text.as_bytes())
}

/// The compiled-in styles and those of the project over them.
pub(super) fn styles(ctx: &Context<'_>) -> Result<MapStyles> {
    styles_of(ctx.project, ctx.project_file)
}

pub(super) fn styles_of(
    project: &crate::project::Project,
    project_file: &Path,
) -> Result<MapStyles> {
    let mut styles = MapStyles::builtin();
    if let Some(file) = &project.products.styles {
        let path = project_file.parent().unwrap_or(Path::new("")).join(file);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
        styles.extend(MapStyles::parse(&text, &path)?);
    }
    Ok(styles)
}

fn save(draft: &Draft, name: &str, bytes: &[u8]) -> Result<()> {
    let path = draft.file(name)?;
    write_atomic(&path, |tmp| {
        std::fs::write(tmp, bytes).map_err(|e| Error::io("writing", &path, e))
    })
}

/// A raster that the sheets need on the grid of the units.
fn on_grid<T: Copy>(raster: Raster<T>, unit: &Raster<f32>, name: &str) -> Result<Raster<T>> {
    if raster.grid.same_cells(&unit.grid) {
        Ok(raster)
    } else {
        Err(Error::input(Fault::new(
            name,
            "another grid than that of the units",
            "one compute grid",
            "delete the output folder and run again",
        )))
    }
}
