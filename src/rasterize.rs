//! Polygons onto the cells of a raster (栅格化): a layer in, a GeoTIFF of labels out, made some rows at a time.

use crate::progress::{Listener, News};
use crate::zonal::{in_system_of, read_zones};
use anlan_engine::io::Value;
use anlan_engine::io::geotiff::{self, Tags};
use anlan_engine::rasterize::{Painting, Rule};
use anlan_engine::{Error, Fault, Result};
use geo::MultiPolygon;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Name of the task in its news.
const TASK: &str = "rasterize";

/// What to paint, and where.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RasterizeOptions {
    /// The GeoTIFF to write.
    pub out: PathBuf,
    /// A raster whose cells are to be painted.
    pub like: PathBuf,
    /// Column of whole numbers to paint with, 1 to 4,294,967,295; the features' numbers from 1 where none is named.
    pub value: Option<String>,
    /// Table of a GeoPackage; the first where none is named.
    pub layer: Option<String>,
    /// Which cells belong to a polygon.
    pub rule: Rule,
}

/// Paints the polygons of a layer onto the cells of a raster and writes them as 32-bit labels, 0 where there is none (the
/// no-data value); where polygons overlap the later one stays. The cells are those that GDAL paints. Gives the path of the
/// file.
///
/// # Errors
/// Faults of the raster and the layer; values that are no such whole numbers, all together.
pub fn run(zones: &Path, options: &RasterizeOptions, listen: &Listener<'_>) -> Result<PathBuf> {
    let start = Instant::now();
    listen(News::Started { task: TASK });
    let grid = geotiff::info(&options.like)?.grid;
    let layer = read_zones(zones, options.layer.as_deref())?;
    let mut values: Vec<u32> = (1..=layer.features.len() as u32).collect();
    if let Some(column) = &options.value {
        let at = layer.require(column)?;
        let mut faults = Vec::new();
        for (i, feature) in layer.features.iter().enumerate() {
            let value = match &feature.values[at] {
                Value::Integer(v) => u32::try_from(*v).ok(),
                other => other
                    .as_f64()
                    .filter(|v| v.fract() == 0.0 && (1.0..4_294_967_296.0).contains(v))
                    .map(|v| v as u32),
            };
            match value {
                Some(v) if v > 0 => values[i] = v,
                _ => faults.push(
                    Fault::new(
                        &layer.source,
                        format!("`{}`", feature.values[at]),
                        "a whole number from 1 to 4294967295",
                        "correct the value, or leave out --value",
                    )
                    .at(format!("feature {}, column {column}", i + 1)),
                ),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
    }
    let shapes = in_system_of(&grid, &layer, TASK, listen)?;
    let refs: Vec<&MultiPolygon<f64>> = shapes.iter().collect();
    let painting = Painting::new(&refs, &grid, options.rule);
    let note = format!("{} zones", refs.len());
    geotiff::write_rows_u32(
        &options.out,
        &grid,
        Some(0),
        &Tags::new(),
        &mut |rows, cells| {
            cells.fill(0);
            let done = rows.end as f64 / grid.rows as f64;
            painting.paint(rows, &values, cells);
            listen(News::Step {
                task: TASK,
                done,
                note: &note,
            });
            Ok(())
        },
    )?;
    listen(News::Finished {
        task: TASK,
        seconds: start.elapsed().as_secs_f64(),
    });
    Ok(options.out.clone())
}
