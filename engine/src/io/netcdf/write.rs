//! Writing NetCDF.

use super::on_thread;
use crate::error::{Error, Result};
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
            write_here(&tmp, &variable, &units, None, &[raster])
                .map_err(|e| Error::Failed(format!("writing {}: {e}", path.display())))
        })
    })
}

/// Writes rasters of one grid as one variable along a time axis, s since `since` (e.g. `2026-06-20 00:00:00`).
///
/// # Errors
/// The operating system's; a name that netCDF does not allow.
///
/// # Panics
/// No raster, rasters of different grids, another number of times.
pub fn write_series_f32(
    path: &Path,
    variable: &str,
    units: &str,
    (seconds, since): (&[f64], &str),
    rasters: &[Raster<f32>],
) -> Result<()> {
    assert!(!rasters.is_empty() && rasters.len() == seconds.len());
    assert!(rasters.iter().all(|r| r.grid == rasters[0].grid));
    write_atomic(path, |tmp| {
        let (tmp, path) = (tmp.to_path_buf(), path.to_path_buf());
        let (variable, units, rasters) =
            (variable.to_string(), units.to_string(), rasters.to_vec());
        let times = (seconds.to_vec(), format!("seconds since {since}"));
        on_thread(move || {
            write_here(&tmp, &variable, &units, Some(times), &rasters)
                .map_err(|e| Error::Failed(format!("writing {}: {e}", path.display())))
        })
    })
}

fn write_here(
    path: &Path,
    variable: &str,
    units: &str,
    times: Option<(Vec<f64>, String)>,
    rasters: &[Raster<f32>],
) -> std::result::Result<(), netcdf::Error> {
    let grid = &rasters[0].grid;
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
    match &times {
        None => field.put_values(rasters[0].values(), ..)?,
        Some(_) => {
            for (k, raster) in rasters.iter().enumerate() {
                field.put_values(raster.values(), (k..k + 1, .., ..))?;
            }
        }
    }
    if let Some((seconds, _)) = &times {
        let mut time = file.variable_mut("time").ok_or_else(|| missing("time"))?;
        time.put_values(seconds, ..)?;
    }
    file.close()
}
