//! Zonal statistics of a GeoTIFF that is read strip by strip: memory grows with its width, not with its height.

use super::{ZonalOptions, ZonalPass, ZoneSums};
use crate::error::{Error, Fault, Result};
use crate::io::geotiff::Rows;
use geo::MultiPolygon;
use std::path::Path;

/// Sums of one band of a GeoTIFF over each of `zones` (in the raster's system), in one pass; [`super::zonal`] gives the
/// same bytes for the raster in memory. `weights` names the file and band of a raster of weights on the same cells.
/// `progress` is told the share of rows that are done.
///
/// * Each strip or tile is decoded once. Memory: some 50 MB of cells (of wide rasters 64 rows), the zones' vertices at 40
///   bytes each, and with `options.values` 16 bytes for each different value of each zone.
///
/// # Errors
/// As [`crate::io::geotiff::read_f32`]; weights on other cells than the values; with `options.values` whole numbers that
/// f32 does not hold.
pub fn zonal_file(
    raster: (&Path, usize),
    weights: Option<(&Path, usize)>,
    zones: &[&MultiPolygon<f64>],
    options: &ZonalOptions,
    progress: &dyn Fn(f64),
) -> Result<Vec<ZoneSums>> {
    let mut rows = Rows::open(raster.0, raster.1)?;
    let grid = *rows.grid();
    let mut weights = match weights {
        Some((path, band)) => {
            let weights = Rows::open(path, band)?;
            let theirs = weights.grid();
            if *theirs != grid {
                return Err(Error::input(Fault::new(
                    path,
                    format!("cells of {}", cells(theirs)),
                    format!("the cells of the raster of values, {}", cells(&grid)),
                    "resample the weights to the raster of values (people and other counts by sum, the others by mean)",
                )));
            }
            Some(weights)
        }
        None => None,
    };
    let exact = options.values && rows.has_wide_integers();
    let mut pass = ZonalPass::new(&grid, zones, options);
    if weights.is_some() {
        pass = pass.with_weights();
    }
    let reached = pass.rows();
    let stride = rows.stride(ZonalPass::BLOCK_ROWS);
    let (mut values, mut by) = (Vec::new(), Vec::new());
    // Strips begin on multiples of the stride, which are edges of blocks.
    pass.skip(reached.start / stride * stride);
    while pass.next_row() < reached.end {
        let first = pass.next_row();
        let end = (first + stride).min(grid.rows);
        rows.read(first..end, &mut values)?;
        if exact && let Some(cell) = values.iter().position(|v| v.abs() >= EXACT) {
            return Err(Error::input(
                Fault::new(
                    raster.0,
                    format!("a whole number of about {}", values[cell]),
                    format!(
                        "whole numbers within ±{EXACT}, where values are told apart one by one"
                    ),
                    "give classes small numbers and keep the codes in a table",
                )
                .at(format!(
                    "band {}, row {}, column {}",
                    raster.1,
                    first + cell / grid.cols,
                    cell % grid.cols
                )),
            ));
        }
        if let Some(weights) = &mut weights {
            weights.read(first..end, &mut by)?;
        }
        pass.add(&values, weights.is_some().then_some(&by[..]));
        let done = (end.min(reached.end) - reached.start) as f64 / reached.len() as f64;
        progress(done);
    }
    Ok(pass.finish())
}

/// From here on f32 passes over whole numbers.
const EXACT: f32 = 16_777_216.0;

fn cells(g: &crate::grid::Grid) -> String {
    format!(
        "{} x {} from ({}, {}), {} rows x {} columns, {}",
        g.dx, g.dy, g.west, g.north, g.rows, g.cols, g.crs
    )
}
