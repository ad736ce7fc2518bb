//! Rasters and polygons of the stage.

use super::super::Context;
use super::cells::Cells;
use crate::manifest::Draft;
use anlan_engine::grade::mean_sigma;
use anlan_engine::io::geotiff;
use anlan_engine::rasterize::outlines;
use anlan_engine::{Grid, Raster, Result, Window};
use anlan_models::risk::RulePack;
use geo::MultiPolygon;
use std::collections::BTreeMap;

fn tags(ctx: &Context<'_>, name: &str, pack: &RulePack) -> BTreeMap<String, String> {
    let mut tags = ctx.tags(name, "index");
    tags.insert("ANLAN_RULE_PACK".into(), pack.id.clone());
    tags.insert("ANLAN_RULE_PACK_HASH".into(), pack.hash());
    tags.insert("ANLAN_RULE_PACK_STATUS".into(), pack.status.clone());
    tags
}

/// Values of the cells as a raster, NaN elsewhere.
pub fn index(
    ctx: &Context<'_>,
    draft: &Draft,
    cells: &Cells<'_>,
    name: &str,
    values: &[f64],
    pack: &RulePack,
) -> Result<()> {
    let mut raster = Raster::filled(cells.grid, f32::NAN);
    for (&cell, &v) in cells.values.cells().iter().zip(values) {
        raster.values_mut()[cell as usize] = v as f32;
    }
    let mut tags = tags(ctx, name, pack);
    let (mean, sigma) = mean_sigma(values);
    tags.insert("ANLAN_MEAN".into(), mean.to_string());
    tags.insert("ANLAN_SIGMA".into(), sigma.to_string());
    geotiff::write_f32(&draft.file(&format!("{name}.tif"))?, &raster, &tags)
}

/// Grades of the cells as a raster with the pack's colours and names, 0 elsewhere.
pub fn grades(
    ctx: &Context<'_>,
    draft: &Draft,
    cells: &Cells<'_>,
    name: &str,
    grades: &[u8],
    pack: &RulePack,
) -> Result<()> {
    let mut raster = Raster::filled(cells.grid, 0_u8).with_nodata(0);
    for (&cell, &g) in cells.values.cells().iter().zip(grades) {
        raster.values_mut()[cell as usize] = g;
    }
    let mut colours = [[255; 3]; 256];
    for (k, c) in pack.colours.iter().enumerate() {
        colours[k + 1] = *c;
    }
    let mut tags = tags(ctx, name, pack);
    for (k, n) in pack.names_zh.iter().enumerate() {
        tags.insert(format!("ANLAN_GRADE_{}", k + 1), n.clone());
    }
    geotiff::write_u8(
        &draft.file(&format!("{name}.tif"))?,
        &raster,
        Some(&colours),
        &tags,
    )
}

/// Borders of labelled cells: `label[i]` of cell `cells[i]`, below `count`.
pub fn borders(grid: &Grid, cells: &[u32], label: &[u32], count: usize) -> Vec<MultiPolygon<f64>> {
    // Row and column ranges first, so that each label looks at its own window alone.
    let mut boxes = vec![[usize::MAX, usize::MAX, 0, 0]; count];
    let place = |cell: u32| grid.row_col(cell);
    for (&cell, &l) in cells.iter().zip(label) {
        if let Some(b) = boxes.get_mut(l as usize) {
            let (r, c) = place(cell);
            *b = [b[0].min(r), b[1].min(c), b[2].max(r), b[3].max(c)];
        }
    }
    let mut masks: Vec<Option<Raster<u8>>> = boxes
        .iter()
        .map(|b| {
            (b[0] != usize::MAX).then(|| {
                let window = Window {
                    row: b[0],
                    col: b[1],
                    rows: b[2] - b[0] + 1,
                    cols: b[3] - b[1] + 1,
                };
                Raster::filled(grid.window(window), 0)
            })
        })
        .collect();
    for (&cell, &l) in cells.iter().zip(label) {
        if let Some(Some(mask)) = masks.get_mut(l as usize) {
            let (r, c) = place(cell);
            let b = boxes[l as usize];
            mask.data[(r - b[0], c - b[1])] = 1;
        }
    }
    masks
        .iter()
        .map(|m| m.as_ref().map_or(MultiPolygon(Vec::new()), outlines))
        .collect()
}
