//! NetCDF with the CF conventions (1.8), read and write, through netCDF-C.
//!
//! Reading gives one horizontal slice of a variable as a north-up raster:
//!
//! - The horizontal axes are found by `standard_name`, `axis`, `units` or the usual names, in either order; latitudes
//!   may ascend or descend. Their spacing must be even. Curvilinear and unstructured grids are refused.
//! - Longitudes of 0 to 360 degrees are turned to -180 to 180; a field around the whole globe is rolled.
//! - Every other axis needs an index, except where it has length 1.
//! - `scale_factor`, `add_offset`, `_FillValue`, `missing_value` and `valid_min`, `valid_max`, `valid_range` are
//!   applied. Floats equal to netCDF's default fill value (9.969e36) are missing even without `_FillValue`.
//! - The reference system is the EPSG code of the grid mapping (`spatial_epsg`, `epsg_code`, or the last identifier in
//!   `crs_wkt` or `spatial_ref`); degrees without one are taken as WGS 84; metres without one are refused.
//!
//! Writing makes netCDF's 64-bit-offset format (CDF-2): no compression, but its bytes depend on no library version
//! and hold no date. All calls of netCDF-C run on one thread of their own: it is not thread-safe, and it silences the
//! diagnoses that HDF5 prints to the standard error only on the thread that called it first. Attributes are looked up in
//! the list of attributes, for asking for one that is not there is such an error.

mod info;
mod read;
mod time;
mod write;

pub use info::{Frame, Info, VariableInfo, info};
pub use read::read_f32;
pub use time::{TimeAxis, read_times};
pub use write::{write_f32, write_series_f32};

use crate::error::{Error, Fault, Result};
use netcdf::{AttributeValue, Variable};
use std::collections::BTreeMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// Runs `job` on the thread of netCDF-C and waits for its result.
pub(crate) fn on_thread<T: Send + 'static>(
    job: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    static THREAD: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let thread = THREAD.get_or_init(|| {
        let (sender, jobs) = channel::<Job>();
        std::thread::spawn(move || {
            for job in jobs {
                // The wrapper of netCDF-C panics on some damaged files: the caller is told below, the thread goes on.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        });
        Mutex::new(sender)
    });
    let (reply, result) = channel();
    let sent = thread
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(Box::new(move || {
            // The caller waits, so somebody receives.
            let _ = reply.send(job());
        }));
    match sent.ok().and_then(|()| result.recv().ok()) {
        Some(result) => result,
        None => Err(Error::Failed("netCDF-C failed on this file".into())),
    }
}

type Attributes = BTreeMap<String, AttributeValue>;

fn attributes(variable: &Variable) -> Attributes {
    variable
        .attributes()
        .filter_map(|a| Some((a.name().to_string(), a.value().ok()?)))
        .collect()
}

fn attributes_of(variable: &Variable<'_>) -> Attributes {
    attributes(variable)
}

fn text(attributes: &Attributes, name: &str) -> Option<String> {
    match attributes.get(name)? {
        AttributeValue::Str(s) => Some(s.trim_end_matches('\0').to_string()),
        AttributeValue::Strs(s) => s.first().cloned(),
        _ => None,
    }
}

fn numbers(attributes: &Attributes, name: &str) -> Option<Vec<f64>> {
    use AttributeValue as A;
    let many = |v: &[f64]| Some(v.to_vec());
    match attributes.get(name)? {
        A::Uchar(v) => many(&[f64::from(*v)]),
        A::Schar(v) => many(&[f64::from(*v)]),
        A::Ushort(v) => many(&[f64::from(*v)]),
        A::Short(v) => many(&[f64::from(*v)]),
        A::Uint(v) => many(&[f64::from(*v)]),
        A::Int(v) => many(&[f64::from(*v)]),
        A::Ulonglong(v) => many(&[*v as f64]),
        A::Longlong(v) => many(&[*v as f64]),
        A::Float(v) => many(&[f64::from(*v)]),
        A::Double(v) => many(&[*v]),
        A::Uchars(v) => Some(v.iter().map(|&v| f64::from(v)).collect()),
        A::Schars(v) => Some(v.iter().map(|&v| f64::from(v)).collect()),
        A::Ushorts(v) => Some(v.iter().map(|&v| f64::from(v)).collect()),
        A::Shorts(v) => Some(v.iter().map(|&v| f64::from(v)).collect()),
        A::Uints(v) => Some(v.iter().map(|&v| f64::from(v)).collect()),
        A::Ints(v) => Some(v.iter().map(|&v| f64::from(v)).collect()),
        A::Ulonglongs(v) => Some(v.iter().map(|&v| v as f64).collect()),
        A::Longlongs(v) => Some(v.iter().map(|&v| v as f64).collect()),
        A::Floats(v) => Some(v.iter().map(|&v| f64::from(v)).collect()),
        A::Doubles(v) => Some(v.clone()),
        A::Str(_) | A::Strs(_) => None,
    }
}

fn number(attributes: &Attributes, name: &str) -> Option<f64> {
    numbers(attributes, name)?.first().copied()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    X,
    Y,
}

/// Which horizontal axis a dimension is, by the attributes of its coordinate variable, else by its name.
fn side(name: &str, attributes: Option<&Attributes>) -> Option<Side> {
    if let Some(attributes) = attributes {
        let says = |key: &str| text(attributes, key).unwrap_or_default();
        match says("standard_name").as_str() {
            "latitude" | "projection_y_coordinate" | "grid_latitude" => return Some(Side::Y),
            "longitude" | "projection_x_coordinate" | "grid_longitude" => return Some(Side::X),
            _ => {}
        }
        match says("axis").as_str() {
            "Y" | "y" => return Some(Side::Y),
            "X" | "x" => return Some(Side::X),
            _ => {}
        }
        match says("units").as_str() {
            "degrees_north" | "degree_north" | "degrees_N" => return Some(Side::Y),
            "degrees_east" | "degree_east" | "degrees_E" => return Some(Side::X),
            _ => {}
        }
    }
    match name.to_ascii_lowercase().as_str() {
        "lat" | "latitude" | "y" | "northing" => Some(Side::Y),
        "lon" | "long" | "longitude" | "x" | "easting" => Some(Side::X),
        _ => None,
    }
}

/// Refuses what is missing, a folder, or does not begin as a NetCDF file does, before netCDF-C sees it.
pub(crate) fn check_kind(path: &Path) -> Result<()> {
    let io = |e| Error::io("reading", path, e);
    let file = std::fs::File::open(path).map_err(io)?;
    let mut head = Vec::new();
    if file.metadata().map_err(io)?.is_file() {
        file.take(8).read_to_end(&mut head).map_err(io)?;
    }
    let known = head.starts_with(b"CDF") || head.starts_with(b"\x89HDF\r\n\x1a\n");
    if known {
        return Ok(());
    }
    Err(Error::input(Fault::new(
        path,
        "a file that does not begin as a NetCDF file does",
        "NetCDF (classic, 64-bit or netCDF-4)",
        "check the path; GRIB can be converted: cdo -f nc copy in.grib out.nc",
    )))
}

#[cfg(test)]
mod tests;
