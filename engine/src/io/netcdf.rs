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

use super::write_atomic;
use crate::crs::Crs;
use crate::error::{Error, Fault, Result};
use crate::grid::Grid;
use crate::raster::Raster;
use ndarray::{Array2, Axis, concatenate, s};
use netcdf::{AttributeValue, Extent, Extents, Options, Variable};
use std::collections::BTreeMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

/// netCDF's default fill value of floats (NC_FILL_FLOAT).
const DEFAULT_FILL: f64 = 9.969_209_968_386_869e36;

type Job = Box<dyn FnOnce() + Send>;

/// Runs `job` on the thread of netCDF-C and waits for its result.
fn on_thread<T: Send + 'static>(job: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
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

/// Reads a horizontal slice of a variable; `at` gives the index of each further axis by name, e.g. `[("time", 3)]`.
///
/// # Errors
/// A fault where the file is missing or no NetCDF, the variable or an axis is not there, an index is missing or out of
/// range, the spacing is uneven, or the reference system is unknown.
pub fn read_f32(path: &Path, variable: &str, at: &[(&str, usize)]) -> Result<Raster<f32>> {
    check_kind(path)?;
    let (path, variable) = (path.to_path_buf(), variable.to_string());
    let at: Vec<(String, usize)> = at.iter().map(|(n, i)| ((*n).to_string(), *i)).collect();
    on_thread(move || read_here(&path, &variable, &at))
}

fn read_here(path: &Path, variable: &str, at: &[(String, usize)]) -> Result<Raster<f32>> {
    let reader = Reader { path };
    let file = netcdf::open(path).map_err(|e| reader.damaged(e))?;
    let all: Vec<Variable> = file.variables().collect();
    let Some(var) = all.iter().find(|v| v.name() == variable) else {
        let names: Vec<String> = all.iter().map(Variable::name).collect();
        return Err(reader.fault(
            format!("no variable `{variable}`"),
            format!("one of: {}", names.join(", ")),
            "correct the name of the variable in the project file",
        ));
    };
    let attributes = attributes(var);
    let dims: Vec<(String, usize)> = var
        .dimensions()
        .iter()
        .map(|d| (d.name(), d.len()))
        .collect();
    let axis = |wanted: Side| {
        dims.iter().position(|(name, _)| {
            let coordinate = all.iter().find(|v| v.name() == *name);
            side(name, coordinate.map(attributes_of).as_ref()) == Some(wanted)
        })
    };
    let (Some(y_dim), Some(x_dim)) = (axis(Side::Y), axis(Side::X)) else {
        let names: Vec<&str> = dims.iter().map(|(n, _)| n.as_str()).collect();
        return Err(reader.fault(
            format!("variable `{variable}` on the axes ({})", names.join(", ")),
            "a latitude or y axis and a longitude or x axis, each one-dimensional",
            "bring the field to a regular grid: gdalwarp, or cdo remapbil",
        ));
    };
    let extents = reader.extents(variable, &dims, (y_dim, x_dim), at)?;
    let (ys, y_kind) = reader.coordinates(&all, &dims[y_dim])?;
    let (xs, x_kind) = reader.coordinates(&all, &dims[x_dim])?;
    let crs = reader.crs(&all, &attributes, y_kind || x_kind)?;

    let raw = var
        .get_values::<f64, _>(Extents::Extent(extents))
        .map_err(|e| reader.damaged(e))?;
    drop(file);
    let values = reader.unpack(&raw, &attributes, variable)?;
    let (rows, cols) = (ys.len(), xs.len());
    let shape = if y_dim < x_dim {
        (rows, cols)
    } else {
        (cols, rows)
    };
    let mut data = Array2::from_shape_vec(shape, values).map_err(|e| reader.damaged(e))?;
    if y_dim > x_dim {
        data = data.reversed_axes();
    }
    reader.north_up(crs, (&ys, &dims[y_dim].0), (&xs, &dims[x_dim].0), data)
}

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
            write_here(&tmp, &variable, &units, &raster)
                .map_err(|e| Error::Failed(format!("writing {}: {e}", path.display())))
        })
    })
}

fn write_here(
    path: &Path,
    variable: &str,
    units: &str,
    raster: &Raster<f32>,
) -> std::result::Result<(), netcdf::Error> {
    let grid = &raster.grid;
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
    let mut field = file.add_variable::<f32>(variable, &names)?;
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
    field.put_values(raster.values(), ..)?;
    file.close()
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
fn check_kind(path: &Path) -> Result<()> {
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

struct Reader<'a> {
    path: &'a Path,
}

impl Reader<'_> {
    fn fault(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Error {
        Error::input(Fault::new(self.path, found, expected, remedy))
    }

    fn damaged(&self, error: impl std::fmt::Display) -> Error {
        self.fault(
            error.to_string(),
            "a whole, undamaged NetCDF file",
            "the file is cut short or damaged: copy or download it again",
        )
    }

    /// What to read along each axis.
    fn extents(
        &self,
        variable: &str,
        dims: &[(String, usize)],
        (y_dim, x_dim): (usize, usize),
        at: &[(String, usize)],
    ) -> Result<Vec<Extent>> {
        let others = || {
            dims.iter()
                .enumerate()
                .filter(|(i, _)| *i != y_dim && *i != x_dim)
        };
        let listed: Vec<String> = others()
            .map(|(_, (name, len))| format!("{name} (length {len})"))
            .collect();
        if let Some((name, _)) = at
            .iter()
            .find(|(name, _)| !others().any(|(_, (dim, _))| dim == name))
        {
            return Err(self.fault(
                format!("an index for the axis `{name}`, which `{variable}` does not have"),
                format!("indices for: {}", listed.join(", ")),
                "correct the name of the axis",
            ));
        }
        dims.iter()
            .enumerate()
            .map(|(i, (name, len))| {
                if i == y_dim || i == x_dim {
                    return Ok(Extent::from(0..*len));
                }
                let index = at.iter().find(|(n, _)| n == name).map(|(_, index)| *index);
                match index.or((*len == 1).then_some(0)) {
                    Some(index) if index < *len => Ok(Extent::from(index)),
                    Some(index) => Err(self.fault(
                        format!("index {index} for the axis `{name}`"),
                        format!("0 to {}, the length being {len}", len.saturating_sub(1)),
                        "correct the index",
                    )),
                    None => Err(self.fault(
                        format!("no index for the axis `{name}` of `{variable}`"),
                        format!("indices for: {}", listed.join(", ")),
                        "say which slice is meant",
                    )),
                }
            })
            .collect()
    }

    /// Values of a coordinate variable, and whether they are known to be metres.
    fn coordinates(
        &self,
        all: &[Variable],
        (name, len): &(String, usize),
    ) -> Result<(Vec<f64>, bool)> {
        let variable = all.iter().find(|v| v.name() == *name);
        let Some(variable) = variable.filter(|v| v.dimensions().len() == 1) else {
            return Err(self.fault(
                format!("no coordinates for the axis `{name}`"),
                format!("a variable `{name}` of length {len} with the places of the cell centres"),
                "add the coordinates, e.g. by gdalwarp -of netCDF",
            ));
        };
        let values = variable
            .get_values::<f64, _>(..)
            .map_err(|e| self.damaged(e))?;
        let uneven = |found: String| {
            self.fault(
                found,
                format!("at least two evenly spaced values of `{name}`"),
                "bring the field to a regular grid: gdalwarp, or cdo remapbil",
            )
        };
        if values.len() < 2 {
            return Err(uneven(format!(
                "an axis `{name}` of length {}",
                values.len()
            )));
        }
        let step = (values[values.len() - 1] - values[0]) / (values.len() - 1) as f64;
        // Coordinates are often stored as f32: two of its rounding steps besides a thousandth of a cell.
        let greatest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let tolerance = 1e-3 * step.abs() + 2.0 * f64::from(f32::EPSILON) * greatest;
        for (i, v) in values.iter().enumerate() {
            let even = values[0] + i as f64 * step;
            // A tolerance below a quarter cell keeps the order.
            let off = (v - even).abs();
            if off.is_nan() || off > tolerance.min(0.25 * step.abs()) || step == 0.0 {
                return Err(uneven(format!(
                    "`{name}` with {v} at {i}, where {even} would be even"
                )));
            }
        }
        let attributes = attributes(variable);
        let units = text(&attributes, "units").unwrap_or_default();
        let standard = text(&attributes, "standard_name").unwrap_or_default();
        if matches!(
            units.as_str(),
            "km" | "kilometer" | "kilometre" | "kilometers"
        ) {
            return Err(self.fault(
                format!("coordinates `{name}` in {units}"),
                "metres or degrees",
                "multiply the coordinates by 1000 and set their units to m",
            ));
        }
        let metres = standard.starts_with("projection_")
            || matches!(
                units.as_str(),
                "m" | "meter" | "metre" | "meters" | "metres"
            );
        Ok((values, metres))
    }

    fn crs(&self, all: &[Variable], attributes: &Attributes, metres: bool) -> Result<Crs> {
        let mapping = text(attributes, "grid_mapping");
        // `crs: x y` names the coordinates behind the variable.
        let mapping = mapping.and_then(|m| {
            m.split_whitespace()
                .next()
                .map(|m| m.trim_end_matches(':').to_string())
        });
        let mapping = mapping
            .and_then(|m| all.iter().find(|v| v.name() == m))
            .map(attributes_of);
        let mapping = mapping.unwrap_or_default();
        let code = number(&mapping, "spatial_epsg")
            .or_else(|| number(&mapping, "epsg_code"))
            .map(|code| code as u32)
            .or_else(|| {
                let code =
                    text(&mapping, "epsg_code").or_else(|| text(&mapping, "spatial_epsg"))?;
                code.trim_start_matches("EPSG:").trim().parse().ok()
            })
            .or_else(|| {
                ["crs_wkt", "spatial_ref"]
                    .iter()
                    .find_map(|key| epsg_of_wkt(&text(&mapping, key)?))
            });
        match code {
            Some(code) => Crs::from_epsg(code).map_err(|e| self.named(e)),
            None => {
                let kind = text(&mapping, "grid_mapping_name").unwrap_or_default();
                if metres || !(kind.is_empty() || kind == "latitude_longitude") {
                    return Err(self.fault(
                        format!("a projected field without EPSG code (grid mapping `{kind}`)"),
                        "an attribute spatial_epsg of the grid mapping",
                        "add the code, or bring the field to degrees: gdalwarp -t_srs EPSG:4490",
                    ));
                }
                Ok(Crs::WGS84)
            }
        }
    }

    /// Puts the file into faults that the grid or the reference system found.
    fn named(&self, error: Error) -> Error {
        let Error::Input(faults) = error else {
            return error;
        };
        let name = |fault: Fault| Fault {
            place: fault.file.display().to_string(),
            file: self.path.to_path_buf(),
            ..fault
        };
        Error::Input(faults.into_iter().map(name).collect())
    }

    /// Stored numbers to physical ones.
    fn unpack(&self, raw: &[f64], attributes: &Attributes, variable: &str) -> Result<Vec<f32>> {
        if text(attributes, "_Unsigned").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
            return Err(self.fault(
                format!("`{variable}` marked as _Unsigned"),
                "signed integers or netCDF-4's unsigned ones",
                "convert the file: ncks -4, or cdo -b F32 copy in.nc out.nc",
            ));
        }
        let scale = number(attributes, "scale_factor").unwrap_or(1.0);
        let offset = number(attributes, "add_offset").unwrap_or(0.0);
        let mut missing = numbers(attributes, "_FillValue").unwrap_or_default();
        missing.extend(numbers(attributes, "missing_value").unwrap_or_default());
        missing.push(DEFAULT_FILL);
        missing.push(f64::from(DEFAULT_FILL as f32));
        let (mut least, mut greatest) = (
            number(attributes, "valid_min").unwrap_or(f64::NEG_INFINITY),
            number(attributes, "valid_max").unwrap_or(f64::INFINITY),
        );
        if let Some([a, b]) = numbers(attributes, "valid_range").as_deref() {
            (least, greatest) = (*a, *b);
        }
        raw.iter()
            .enumerate()
            .map(|(i, &v)| {
                if v.is_nan() || missing.contains(&v) || v < least || v > greatest {
                    return Ok(f32::NAN);
                }
                let value = (v * scale + offset) as f32;
                if value.is_finite() || v.is_infinite() {
                    return Ok(value);
                }
                Err(self.fault(
                    format!("{v} in `{variable}` at place {i} of the slice"),
                    "a number within f32",
                    "if it marks missing cells, name it in the attribute _FillValue",
                ))
            })
            .collect()
    }

    /// Turns the data north-up with longitudes from -180 to 180.
    fn north_up(
        &self,
        crs: Crs,
        (ys, y_name): (&[f64], &str),
        (xs, x_name): (&[f64], &str),
        mut data: Array2<f32>,
    ) -> Result<Raster<f32>> {
        let (rows, cols) = (ys.len(), xs.len());
        let dy = (ys[rows - 1] - ys[0]) / (rows - 1) as f64;
        let dx = (xs[cols - 1] - xs[0]) / (cols - 1) as f64;
        if dy > 0.0 {
            data.invert_axis(Axis(0));
        }
        if dx < 0.0 {
            data.invert_axis(Axis(1));
        }
        let north = ys[0].max(ys[rows - 1]) + dy.abs() / 2.0;
        let cell = dx.abs();
        let mut west = xs[0].min(xs[cols - 1]) - cell / 2.0;
        let centre = |col: usize, west: f64| west + (col as f64 + 0.5) * cell;
        if crs.is_geographic() && centre(cols - 1, west) > 180.0 {
            let round = ((cols as f64 * cell) - 360.0).abs() < 0.5 * cell;
            let first = (0..cols)
                .find(|&c| centre(c, west) >= 180.0)
                .unwrap_or(cols);
            if first == 0 {
                west -= 360.0;
            } else if round {
                data = concatenate![
                    Axis(1),
                    data.slice(s![.., first..]),
                    data.slice(s![.., ..first])
                ];
                west += first as f64 * cell - 360.0;
            } else {
                return Err(self.fault(
                    format!(
                        "longitudes `{x_name}` from {} to {}, across 180",
                        centre(0, west),
                        centre(cols - 1, west)
                    ),
                    "a field on one side of the 180th meridian, or around the globe",
                    "cut out the region: cdo sellonlatbox",
                ));
            }
        }
        let grid = Grid::new(crs, (west, north), (cell, dy.abs()), (rows, cols))
            .map_err(|e| self.named(e))?;
        for (row, col) in [(0, 0), (rows - 1, cols - 1)] {
            let (x, y) = (grid.x(col), grid.y(row));
            if let Some(why) = crs.implausible(x, y) {
                return Err(self.fault(
                    format!("`{x_name}` {x}, `{y_name}` {y}: {why}"),
                    format!("coordinates of {crs} ({})", crs.name()),
                    "correct the coordinates or the grid mapping of the file",
                ));
            }
        }
        Ok(Raster::new(grid, data.as_standard_layout().into_owned()))
    }
}

/// The code of the system as a whole: the last identifier of a well-known text stands at its outermost level.
fn epsg_of_wkt(wkt: &str) -> Option<u32> {
    let at = wkt.rfind("\"EPSG\",")?;
    let rest = wkt[at + 7..].trim_start_matches(['"', ' ']);
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    // Behind the identifier only its own bracket and that of the system may close, or it belongs to an inner part.
    let closing = rest[end..].trim_start_matches('"');
    let brackets = closing.chars().filter(|c| matches!(c, ']' | ')')).count();
    let outermost = brackets == 2 && !closing.contains(char::is_alphanumeric);
    outermost.then(|| rest[..end].parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn message(result: Result<Raster<f32>>) -> String {
        let error = result.unwrap_err();
        assert!(error.is_input(), "{error}");
        error.to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("降雨.nc");
        for (crs, origin, cell) in [
            (Crs::CGCS2000, (119.0, 30.0), (0.1, 0.2)),
            (
                Crs::from_epsg(4549).unwrap(),
                (450_000.0, 3_300_000.0),
                (30.0, 25.0),
            ),
        ] {
            let grid = Grid::new(crs, origin, cell, (2, 3)).unwrap();
            let raster = Raster::new(grid, array![[1.5f32, -2.0, f32::NAN], [0.0, 7.25, 1e-9]]);
            write_f32(&path, "rain_mm", "mm", &raster).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            let back = read_f32(&path, "rain_mm", &[]).unwrap();
            assert!(back.grid.same_cells(&grid), "{:?}", back.grid);
            assert_eq!(back.data.mapv(f32::to_bits), raster.data.mapv(f32::to_bits));
            write_f32(&path, "rain_mm", "mm", &raster).unwrap();
            assert_eq!(bytes, std::fs::read(&path).unwrap(), "the same bytes again");
        }
    }

    /// A file as climate archives write them: packed, south to north, 0 to 360 degrees, several times.
    fn packed(path: &Path, lons: &[f64]) {
        let (path, lons) = (path.to_path_buf(), lons.to_vec());
        on_thread(move || {
            pack(&path, &lons);
            Ok(())
        })
        .unwrap();
    }

    fn pack(path: &Path, lons: &[f64]) {
        let mut file = netcdf::create(path).unwrap();
        file.add_dimension("time", 2).unwrap();
        file.add_dimension("latitude", 2).unwrap();
        file.add_dimension("longitude", lons.len()).unwrap();
        let mut lat = file.add_variable::<f64>("latitude", &["latitude"]).unwrap();
        lat.put_values(&[-45.0, 45.0], ..).unwrap();
        let mut lon = file
            .add_variable::<f64>("longitude", &["longitude"])
            .unwrap();
        lon.put_values(lons, ..).unwrap();
        let mut t2m = file
            .add_variable::<i16>("t2m", &["time", "latitude", "longitude"])
            .unwrap();
        t2m.put_attribute("scale_factor", 0.5f64).unwrap();
        t2m.put_attribute("add_offset", 10.0f64).unwrap();
        t2m.put_attribute("missing_value", -9i16).unwrap();
        let n = lons.len() as i16;
        let values: Vec<i16> = (0..4 * n)
            .map(|i| if i == 3 * n { -9 } else { i })
            .collect();
        t2m.put_values(&values, ..).unwrap();
    }

    #[test]
    fn archives_are_turned_upright() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("era5.nc");
        packed(&path, &[0.0, 90.0, 180.0, 270.0]);
        let raster = read_f32(&path, "t2m", &[("time", 1)]).unwrap();
        assert_eq!(raster.grid.crs, Crs::WGS84);
        assert_eq!((raster.grid.x(0), raster.grid.y(0)), (-180.0, 45.0));
        // Packed 14, 15, (missing 12), 13 in the north; 10, 11, 8, 9 in the south.
        assert_eq!(raster.data.row(0).to_vec()[..2], [17.0, 17.5]);
        assert!(raster.data[(0, 2)].is_nan());
        assert_eq!(raster.data[(0, 3)], 16.5);
        assert_eq!(raster.data.row(1).to_vec(), [15.0, 15.5, 14.0, 14.5]);

        packed(&path, &[200.0, 210.0, 220.0]);
        assert_eq!(
            read_f32(&path, "t2m", &[("time", 0)]).unwrap().grid.x(0),
            -160.0
        );
        packed(&path, &[170.0, 180.0, 190.0]);
        assert!(message(read_f32(&path, "t2m", &[("time", 0)])).contains("across 180"));
        packed(&path, &[100.0, 110.0, 125.0]);
        assert!(message(read_f32(&path, "t2m", &[("time", 0)])).contains("even"));
    }

    #[test]
    fn faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nc");
        assert!(message(read_f32(&path, "t2m", &[])).contains("no such file"));
        std::fs::write(&path, "GRIB....").unwrap();
        assert!(message(read_f32(&path, "t2m", &[])).contains("does not begin"));
        packed(&path, &[100.0, 110.0]);
        assert!(message(read_f32(&path, "tp", &[])).contains("latitude, longitude, t2m"));
        assert!(message(read_f32(&path, "t2m", &[])).contains("no index for the axis `time`"));
        assert!(message(read_f32(&path, "t2m", &[("time", 2)])).contains("0 to 1"));
        assert!(message(read_f32(&path, "t2m", &[("level", 0)])).contains("does not have"));
        assert!(message(read_f32(&path, "latitude", &[])).contains("longitude or x axis"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(message(read_f32(&path, "t2m", &[("time", 0)])).contains("cut short"));
    }

    #[test]
    fn well_known_text_gives_the_outermost_code() {
        let wkt = r#"PROJCS["x",GEOGCS["y",AUTHORITY["EPSG","4490"]],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AUTHORITY["EPSG","4549"]]"#;
        assert_eq!(epsg_of_wkt(wkt), Some(4549));
        assert_eq!(
            epsg_of_wkt(r#"GEOGCRS["WGS 84",ID["EPSG",4326]]"#),
            Some(4326)
        );
        assert_eq!(
            epsg_of_wkt(r#"GEOGCS["y",UNIT["degree",AUTHORITY["EPSG","9122"]],X["a"]]"#),
            None
        );
        assert_eq!(epsg_of_wkt(""), None);
    }
}
