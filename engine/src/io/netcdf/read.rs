//! Reading NetCDF.

use super::{
    Attributes, Side, attributes, attributes_of, check_kind, number, numbers, on_thread, side, text,
};
use crate::crs::Crs;
use crate::error::{Error, Fault, Result};
use crate::grid::Grid;
use crate::raster::Raster;
use ndarray::{Array2, Axis, concatenate, s};
use netcdf::{Extent, Extents, Variable};
use std::path::Path;

/// netCDF's default fill value of floats (NC_FILL_FLOAT).
const DEFAULT_FILL: f64 = 9.969_209_968_386_869e36;

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

pub(super) struct Reader<'a> {
    pub path: &'a Path,
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

    pub fn damaged(&self, error: impl std::fmt::Display) -> Error {
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
    pub fn coordinates(
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

    pub fn crs(&self, all: &[Variable], attributes: &Attributes, metres: bool) -> Result<Crs> {
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
        let described = || {
            ["crs_wkt", "spatial_ref"]
                .iter()
                .find_map(|key| Crs::from_wkt(&text(&mapping, key)?))
        };
        if let Some(code) = code {
            return Crs::from_epsg(code).map_err(|e| self.named(e));
        }
        match described() {
            Some(crs) => Ok(crs),
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
pub(super) fn epsg_of_wkt(wkt: &str) -> Option<u32> {
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
