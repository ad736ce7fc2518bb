//! What a NetCDF file holds, without its values.

use super::read::Reader;
use super::{Attributes, Side, attributes, attributes_of, check_kind, on_thread, side, text};
use crate::crs::Crs;
use crate::error::Result;
use crate::grid::Bounds;
use netcdf::Variable;
use netcdf::types::{FloatType, IntType, NcVariableType};
use std::path::Path;

/// What a file holds.
#[derive(Debug)]
pub struct Info {
    /// Its variables, coordinates among them, in the order of the file.
    pub variables: Vec<VariableInfo>,
    /// Text attributes of the file, e.g. `Conventions`.
    pub attributes: Vec<(String, String)>,
    /// Where the first variable with horizontal axes lies; an error where that cannot be said, `None` where no variable
    /// has them.
    pub frame: Option<Result<Frame>>,
}

/// One variable.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableInfo {
    /// Name.
    pub name: String,
    /// Type as stored, e.g. `i16`.
    pub kind: String,
    /// Names and lengths of the axes.
    pub dimensions: Vec<(String, usize)>,
    /// Unit, where told.
    pub units: String,
    /// Long or standard name, where told.
    pub title: String,
}

/// Where the cells of a variable lie, longitudes as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The variable.
    pub variable: String,
    /// Coordinate reference system.
    pub crs: Crs,
    /// Rows and columns.
    pub shape: (usize, usize),
    /// Cell width and height, in the unit of the system.
    pub cell: (f64, f64),
    /// Rectangle around all cells.
    pub bounds: Bounds,
}

/// Reads what a file holds.
///
/// # Errors
/// The file is missing, no NetCDF, or damaged.
pub fn info(path: &Path) -> Result<Info> {
    check_kind(path)?;
    let path = path.to_path_buf();
    on_thread(move || info_here(&path))
}

fn info_here(path: &Path) -> Result<Info> {
    let reader = Reader { path };
    let file = netcdf::open(path).map_err(|e| reader.damaged(e))?;
    let all: Vec<Variable> = file.variables().collect();
    let variables = all
        .iter()
        .map(|v| {
            let about = attributes(v);
            let say = |key: &str| text(&about, key);
            VariableInfo {
                name: v.name(),
                kind: kind(&v.vartype()),
                dimensions: v.dimensions().iter().map(|d| (d.name(), d.len())).collect(),
                units: say("units").unwrap_or_default(),
                title: say("long_name")
                    .or_else(|| say("standard_name"))
                    .unwrap_or_default(),
            }
        })
        .collect();
    let global: Attributes = file
        .attributes()
        .filter_map(|a| Some((a.name().to_string(), a.value().ok()?)))
        .collect();
    let frame = all
        .iter()
        .find_map(|v| axes(&all, v).map(|at| frame(&reader, &all, v, at)));
    Ok(Info {
        variables,
        attributes: global
            .keys()
            .filter_map(|key| Some((key.clone(), text(&global, key)?)))
            .collect(),
        frame,
    })
}

/// Positions of the y and the x axis of a variable.
fn axes(all: &[Variable], variable: &Variable) -> Option<(usize, usize)> {
    let position = |wanted: Side| {
        variable.dimensions().iter().position(|d| {
            let coordinate = all.iter().find(|v| v.name() == d.name());
            side(&d.name(), coordinate.map(attributes_of).as_ref()) == Some(wanted)
        })
    };
    Some((position(Side::Y)?, position(Side::X)?))
}

fn frame(
    reader: &Reader<'_>,
    all: &[Variable],
    variable: &Variable,
    (y, x): (usize, usize),
) -> Result<Frame> {
    let dims = variable.dimensions();
    let axis = |i: usize| (dims[i].name(), dims[i].len());
    let (ys, y_metres) = reader.coordinates(all, &axis(y))?;
    let (xs, x_metres) = reader.coordinates(all, &axis(x))?;
    let crs = reader.crs(all, &attributes(variable), y_metres || x_metres)?;
    // Evenly spaced, at least two of each: `coordinates` has seen to it.
    let span = |v: &[f64]| {
        let (a, b) = (v[0].min(v[v.len() - 1]), v[0].max(v[v.len() - 1]));
        let cell = (b - a) / (v.len() - 1) as f64;
        (a - 0.5 * cell, b + 0.5 * cell, cell)
    };
    let ((south, north, dy), (west, east, dx)) = (span(&ys), span(&xs));
    Ok(Frame {
        variable: variable.name(),
        crs,
        shape: (ys.len(), xs.len()),
        cell: (dx, dy),
        bounds: Bounds {
            west,
            south,
            east,
            north,
        },
    })
}

fn kind(stored: &NcVariableType) -> String {
    match stored {
        NcVariableType::Int(IntType::U8) => "u8",
        NcVariableType::Int(IntType::U16) => "u16",
        NcVariableType::Int(IntType::U32) => "u32",
        NcVariableType::Int(IntType::U64) => "u64",
        NcVariableType::Int(IntType::I8) => "i8",
        NcVariableType::Int(IntType::I16) => "i16",
        NcVariableType::Int(IntType::I32) => "i32",
        NcVariableType::Int(IntType::I64) => "i64",
        NcVariableType::Float(FloatType::F32) => "f32",
        NcVariableType::Float(FloatType::F64) => "f64",
        NcVariableType::Char | NcVariableType::String => "text",
        _ => "another type",
    }
    .to_string()
}
