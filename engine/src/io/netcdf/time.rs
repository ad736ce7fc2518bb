//! The time axis of a variable.

use super::read::Reader;
use super::{attributes, attributes_of, check_kind, on_thread, text};
use crate::error::{Error, Fault, Result};
use netcdf::Variable;
use std::path::Path;

/// Times of a variable's slices.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeAxis {
    /// Name of the axis, to be given to [`super::read_f32`].
    pub name: String,
    /// Time of each slice, s since `since`.
    pub seconds: Vec<f64>,
    /// The reference of the file, e.g. `2026-06-20 00:00:00`.
    pub since: String,
    /// Unit of the variable itself, where told.
    pub units: String,
}

/// Reads the time axis of a variable: the axis whose coordinates have units such as `hours since 2026-06-20`.
///
/// # Errors
/// A fault where the file is missing or no NetCDF, the variable is not there or has no time axis, or the unit is a month
/// or a year, which have no fixed length.
pub fn read_times(path: &Path, variable: &str) -> Result<TimeAxis> {
    check_kind(path)?;
    let (path, variable) = (path.to_path_buf(), variable.to_string());
    on_thread(move || read_here(&path, &variable))
}

fn read_here(path: &Path, variable: &str) -> Result<TimeAxis> {
    let reader = Reader { path };
    let fault = |found: String, expected: &str, remedy: &str| {
        Error::input(Fault::new(path, found, expected, remedy))
    };
    let file = netcdf::open(path).map_err(|e| reader.damaged(e))?;
    let all: Vec<Variable> = file.variables().collect();
    let Some(var) = all.iter().find(|v| v.name() == variable) else {
        let names: Vec<String> = all.iter().map(Variable::name).collect();
        return Err(fault(
            format!("no variable `{variable}`"),
            &format!("one of: {}", names.join(", ")),
            "correct the name of the variable in the project file",
        ));
    };
    let axis = var.dimensions().iter().find_map(|d| {
        let coordinate = all.iter().find(|v| v.name() == d.name())?;
        let units = text(&attributes_of(coordinate), "units")?;
        let (unit, since) = units.split_once(" since ")?;
        Some((
            coordinate,
            unit.trim().to_lowercase(),
            since.trim().to_string(),
        ))
    });
    let Some((coordinate, unit, since)) = axis else {
        return Err(fault(
            format!("`{variable}` without a time axis"),
            "an axis whose coordinates have units such as `hours since 2026-06-20 00:00:00`",
            "set the units of the time coordinate",
        ));
    };
    let per_unit = match unit.as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => {
            return Err(fault(
                format!("times in `{unit} since {since}`"),
                "seconds, minutes, hours or days",
                "convert the time coordinate",
            ));
        }
    };
    let values = coordinate
        .get_values::<f64, _>(..)
        .map_err(|e| reader.damaged(e))?;
    Ok(TimeAxis {
        name: coordinate.name(),
        seconds: values.iter().map(|v| v * per_unit).collect(),
        since,
        units: text(&attributes(var), "units").unwrap_or_default(),
    })
}
