//! Writing NetCDF.

use super::on_thread;
use crate::error::{Error, Result};
use crate::grid::Grid;
use crate::io::write_atomic;
use crate::raster::Raster;
use netcdf::Options;
use std::path::Path;

/// Writes a raster as one variable with CF-1.8 metadata: coordinates, units, missing cells as NaN, and a grid mapping
/// with the EPSG code in its attribute `spatial_epsg`.
///
/// # Errors
/// The operating system's; a name that netCDF does not allow.
pub fn write_f32(path: &Path, variable: &str, units: &str, raster: &Raster<f32>) -> Result<()> {
    write_atomic(path, |tmp| {
        let (tmp, path) = (tmp.to_path_buf(), path.to_path_buf());
        let (variable, units, raster) = (variable.to_string(), units.to_string(), raster.clone());
        on_thread(move || {
            let grid = raster.grid;
            let frame = &mut |_| Ok(raster.clone());
            write_here(&tmp, &path, &variable, &units, None, &grid, frame)
        })
    })
}

/// Writes rasters of one grid as one variable along a time axis, s since `since` (e.g. `2026-06-20 00:00:00`). `frame` is
/// asked for one raster after the other, so that one at a time is in memory.
///
/// # Errors
/// The operating system's; a name that netCDF does not allow; those of `frame`.
///
/// # Panics
/// No time, frames of another grid than `grid`.
pub fn write_series_f32(
    path: &Path,
    variable: &str,
    units: &str,
    (seconds, since): (&[f64], &str),
    grid: &Grid,
    frame: impl FnMut(usize) -> Result<Raster<f32>> + Send + 'static,
) -> Result<()> {
    assert!(!seconds.is_empty(), "a series of at least one time");
    write_atomic(path, |tmp| {
        let (tmp, path, grid) = (tmp.to_path_buf(), path.to_path_buf(), *grid);
        let (variable, units) = (variable.to_string(), units.to_string());
        let times = (seconds.to_vec(), format!("seconds since {since}"));
        on_thread(move || {
            let mut frame = frame;
            write_here(
                &tmp,
                &path,
                &variable,
                &units,
                Some(times),
                &grid,
                &mut frame,
            )
        })
    })
}

fn write_here(
    tmp: &Path,
    path: &Path,
    variable: &str,
    units: &str,
    times: Option<(Vec<f64>, String)>,
    grid: &Grid,
    frame: &mut dyn FnMut(usize) -> Result<Raster<f32>>,
) -> Result<()> {
    let mut failed = None;
    let written = write_frames(tmp, variable, units, times, grid, &mut |k| match frame(k) {
        Ok(raster) => {
            assert_eq!(raster.grid, *grid, "frames of one file share one grid");
            Some(raster)
        }
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    match (failed, written) {
        (Some(error), _) => Err(error),
        (None, Err(e)) => Err(Error::Failed(format!("writing {}: {e}", path.display()))),
        (None, Ok(())) => Ok(()),
    }
}

/// `frame` gives nothing where it failed; the file is then not whole.
fn write_frames(
    path: &Path,
    variable: &str,
    units: &str,
    times: Option<(Vec<f64>, String)>,
    grid: &Grid,
    frame: &mut dyn FnMut(usize) -> Option<Raster<f32>>,
) -> std::result::Result<(), netcdf::Error> {
    let geographic = grid.crs.is_geographic();
    let mut file = netcdf::create_with(path, Options::_64BIT_OFFSET)?;
    file.add_attribute("Conventions", "CF-1.8")?;
    let axes = if geographic {
        [
            ("lat", "latitude", "degrees_north", "Y"),
            ("lon", "longitude", "degrees_east", "X"),
        ]
    } else {
        [
            ("y", "projection_y_coordinate", "m", "Y"),
            ("x", "projection_x_coordinate", "m", "X"),
        ]
    };
    let names = [axes[0].0, axes[1].0];
    let mut along = names.to_vec();
    if let Some((seconds, since)) = &times {
        along.insert(0, "time");
        file.add_dimension("time", seconds.len())?;
        let mut coordinate = file.add_variable::<f64>("time", &["time"])?;
        coordinate.put_attribute("standard_name", "time")?;
        coordinate.put_attribute("units", since.as_str())?;
        coordinate.put_attribute("axis", "T")?;
    }
    file.add_dimension(names[0], grid.rows)?;
    file.add_dimension(names[1], grid.cols)?;
    for (name, standard, unit, axis) in axes {
        let mut coordinate = file.add_variable::<f64>(name, &[name])?;
        coordinate.put_attribute("standard_name", standard)?;
        coordinate.put_attribute("units", unit)?;
        coordinate.put_attribute("axis", axis)?;
    }
    let mut mapping = file.add_variable::<i32>("crs", &[])?;
    if geographic {
        mapping.put_attribute("grid_mapping_name", "latitude_longitude")?;
    }
    mapping.put_attribute("long_name", grid.crs.name())?;
    mapping.put_attribute("spatial_epsg", grid.crs.epsg() as i32)?;
    mapping.put_attribute("semi_major_axis", crate::crs::SEMI_MAJOR_M)?;
    mapping.put_attribute("inverse_flattening", 1.0 / grid.crs.flattening())?;
    let mut field = file.add_variable::<f32>(variable, &along)?;
    field.put_attribute("_FillValue", f32::NAN)?;
    field.put_attribute("units", units)?;
    field.put_attribute("grid_mapping", "crs")?;
    file.enddef()?;

    let missing = |name: &str| netcdf::Error::NotFound(name.to_string());
    let ys: Vec<f64> = (0..grid.rows).map(|r| grid.y(r)).collect();
    let xs: Vec<f64> = (0..grid.cols).map(|c| grid.x(c)).collect();
    for (name, values) in [(names[0], ys), (names[1], xs)] {
        let mut coordinate = file.variable_mut(name).ok_or_else(|| missing(name))?;
        coordinate.put_values(&values, ..)?;
    }
    let mut mapping = file.variable_mut("crs").ok_or_else(|| missing("crs"))?;
    mapping.put_value(0i32, ())?;
    let mut field = file
        .variable_mut(variable)
        .ok_or_else(|| missing(variable))?;
    let frames = times.as_ref().map_or(1, |(seconds, _)| seconds.len());
    for k in 0..frames {
        let Some(raster) = frame(k) else {
            return file.close();
        };
        match &times {
            None => field.put_values(raster.values(), ..)?,
            Some(_) => field.put_values(raster.values(), (k..k + 1, .., ..))?,
        }
    }
    if let Some((seconds, _)) = &times {
        let mut time = file.variable_mut("time").ok_or_else(|| missing("time"))?;
        time.put_values(seconds, ..)?;
    }
    file.close()
}
