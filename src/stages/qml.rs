//! QGIS styles beside the rasters of a run: `name.qml` for `name.tif`, with Chinese names in a Chinese project.
//!
//! They are no outputs of the tasks: a change of language or of map styles makes them anew and runs nothing again.

use super::products::styles_of;
use super::risk::project_packs;
use crate::map::pack_legend;
use crate::project::Project;
use anlan_engine::io::{geotiff, write_atomic};
use anlan_engine::{Error, Result};
use anlan_models::cartography::{Colour, LegendEntry, MapStyles, SheetLanguage, qml};
use anlan_models::risk::{RulePack, RulePacks};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes a style beside every GeoTIFF below the folders of the finished tasks, where it is missing or differs.
///
/// # Errors
/// A style or pack file of the project that cannot be read; the file system refuses.
pub(crate) fn beside_rasters(
    project: &Project,
    project_file: &Path,
    out: &Path,
    tasks: &[String],
) -> Result<()> {
    let styles = styles_of(project, project_file)?;
    let packs = project_packs(project, project_file)?;
    let zh = project.products.language == SheetLanguage::Zh;
    let mut rasters = Vec::new();
    for task in tasks {
        collect(&out.join(task), &mut rasters)?;
    }
    rasters.sort();
    for raster in rasters {
        let text = style(&raster, &styles, &packs, zh)?;
        let path = raster.with_extension("qml");
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        write_atomic(&path, |tmp| {
            fs::write(tmp, &text).map_err(|e| Error::io("writing", &path, e))
        })?;
    }
    Ok(())
}

fn collect(dir: &Path, rasters: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(dir).map_err(|e| Error::io("listing", dir, e))?;
    for entry in entries {
        let path = entry.map_err(|e| Error::io("listing", dir, e))?.path();
        if path.is_dir() {
            collect(&path, rasters)?;
        } else if path.extension().is_some_and(|e| e == "tif") {
            rasters.push(path);
        }
    }
    Ok(())
}

/// The style of one raster: of the pack that its metadata names, of the map styles by its name, else grey.
fn style(raster: &Path, styles: &MapStyles, packs: &RulePacks, zh: bool) -> Result<String> {
    let stem = raster
        .file_stem()
        .and_then(|s| s.to_str())
        .unwrap_or_default();
    let info = geotiff::info(raster)?;
    if stem.ends_with("_grade")
        && let Some(pack) = info
            .tags
            .get("ANLAN_RULE_PACK")
            .and_then(|id| packs.pack.iter().find(|p: &&RulePack| &p.id == id))
    {
        return Ok(qml::paletted(&pack_legend(pack, zh)));
    }
    if let Some(classes) = styles.classes_of_file(stem) {
        let entries: Vec<LegendEntry> = classes
            .class
            .iter()
            .map(|c| LegendEntry {
                code: c.code,
                colour: Colour(c.colour),
                name: if zh { c.zh.clone() } else { c.en.clone() },
            })
            .collect();
        return Ok(qml::paletted(&entries));
    }
    if let Some(scale) = styles.scale_of_file(stem) {
        return Ok(qml::graduated(scale));
    }
    let (low, high) = geotiff::read_f32(raster, 1)?.range().unwrap_or((0.0, 1.0));
    let high = if high > low { high } else { low + 1.0 };
    Ok(qml::grey(f64::from(low), f64::from(high)))
}
