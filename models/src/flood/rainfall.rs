//! Rain in space and time (面雨量): what falls on every cell of the compute grid between two moments.
//!
//! * Intensity is constant within a step of the data. The depth of an interval is the exact integral of that: the steps of
//!   a solver may end anywhere, and nothing is lost or counted twice.
//! * Time 0 is the beginning of the first step.
//! * [`RainField::uniform`]: one hyetograph everywhere. [`RainField::gauges`]: stations with series, interpolated by
//!   inverse distance or to the nearest station (Thiessen), the weights of every cell made once.
//!   [`RainField::gridded`]: frames on a grid of their own (radar, satellite, reanalysis, [`RainField::from_netcdf`]),
//!   brought to the cells by the nearest frame cell or bilinearly.
//! * Frames are held in memory, cut to the surroundings of the compute grid.

use crate::flood::rain::Hyetograph;
use anlan_engine::interpolate::{StationWeights, idw_weights};
use anlan_engine::io::netcdf;
use anlan_engine::{Error, Fault, Grid, Projector, Raster, Result, Window};
use std::ops::Range;
use std::path::Path;

/// Depth fallen since time 0, linear between the ends of equal steps.
#[derive(Debug, Clone, PartialEq)]
struct Cumulative {
    step_s: f64,
    /// At the ends of the steps, from 0, m.
    fallen_m: Vec<f64>,
}

impl Cumulative {
    fn new(step_s: f64, depth_mm: impl Iterator<Item = f64>) -> Cumulative {
        let mut fallen_m = vec![0.0];
        let mut sum = 0.0;
        for d in depth_mm {
            sum += d;
            fallen_m.push(sum * 1e-3);
        }
        Cumulative { step_s, fallen_m }
    }

    fn at(&self, t_s: f64) -> f64 {
        let last = self.fallen_m.len() - 1;
        let x = (t_s / self.step_s).clamp(0.0, last as f64);
        let k = (x as usize).min(last.saturating_sub(1));
        if last == 0 {
            return 0.0;
        }
        self.fallen_m[k] + (x - k as f64) * (self.fallen_m[k + 1] - self.fallen_m[k])
    }
}

/// A rain gauge.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    /// Name, for messages.
    pub name: String,
    /// x in the system of the compute grid.
    pub x: f64,
    /// y in the system of the compute grid.
    pub y: f64,
    /// Depth of each step, mm; NaN where it is missing.
    pub depth_mm: Vec<f64>,
}

/// How gauges are interpolated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// The nearest gauge (Thiessen polygons, 泰森多边形).
    Thiessen,
    /// Inverse distance to the `power` (2 by custom) over the `neighbours` nearest gauges (0: all).
    InverseDistance {
        /// Exponent of the distance, above 0.
        power: f64,
        /// Gauges per cell.
        neighbours: usize,
    },
}

/// What to do where data are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// Refuse them.
    Refuse,
    /// Gauges: from the other gauges of the same step, by inverse squared distance. Frames: no rain. Both are noted.
    Fill,
}

/// How frames are brought to the compute grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// The frame cell that holds the centre: block by block, the totals of the frame are kept best.
    Nearest,
    /// Bilinear between the four frame cells around the centre; the outermost half cell is constant.
    Bilinear,
}

/// What the frame's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Depth of the step, mm.
    DepthMm,
    /// Mean intensity of the step, mm/h.
    IntensityMmH,
}

/// Which end of its step a time stamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// The step begins there.
    Start,
    /// The step ends there.
    End,
}

/// Rain on a compute grid over time.
///
/// # Examples
/// ```
/// use anlan_engine::{Crs, Grid};
/// use anlan_models::flood::rain::Hyetograph;
/// use anlan_models::flood::rainfall::RainField;
///
/// let grid = Grid::new(Crs::from_epsg(4549)?, (0.0, 0.0), (10.0, 10.0), (4, 3))?;
/// let rain = RainField::uniform(&Hyetograph::uniform(60.0, 2.0, 0.5), &grid);
/// let mut depth_m = [0.0f32; 6];
/// rain.depth_of_interval_m(1700.0, 1900.0, 1..3, &mut depth_m);
/// assert!(depth_m.iter().all(|d| (d - 30e-3 / 18.0).abs() < 1e-9));
/// # Ok::<(), anlan_engine::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RainField {
    cells: usize,
    cols: usize,
    end_s: f64,
    source: Source,
    /// What was filled or left out, for the log.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Uniform(Cumulative),
    Gauges {
        series: Vec<Cumulative>,
        weights: StationWeights,
    },
    Gridded(Frames),
}

#[derive(Debug, Clone, PartialEq)]
struct Frames {
    step_s: f64,
    /// Depth of each step, mm, row by row.
    depth_mm: Vec<Vec<f32>>,
    /// Frame cells of each compute cell and their weights: one (nearest) or four.
    from: Vec<u32>,
    weight: Vec<f32>,
    per_cell: usize,
}

impl RainField {
    /// The same rain everywhere.
    pub fn uniform(rain: &Hyetograph, grid: &Grid) -> RainField {
        let series = Cumulative::new(rain.step_h * 3600.0, rain.depth_mm.iter().copied());
        RainField {
            cells: grid.cells(),
            cols: grid.cols,
            end_s: rain.step_h * 3600.0 * rain.depth_mm.len() as f64,
            source: Source::Uniform(series),
            notes: Vec::new(),
        }
    }

    /// Rain of gauges with series of equal steps that begin together.
    ///
    /// # Errors
    /// No gauge, series of different lengths, steps that are not above 0, places or depths that are no numbers, negative
    /// depths, gaps that are refused, a step without any gauge. All faults are told together.
    pub fn gauges(
        gauges: &[Gauge],
        step_h: f64,
        grid: &Grid,
        spread: Spread,
        gaps: Gaps,
    ) -> Result<RainField> {
        let steps = check_gauges(gauges, step_h, gaps)?;
        let mut notes = Vec::new();
        let mut depth: Vec<Vec<f64>> = gauges.iter().map(|g| g.depth_mm.clone()).collect();
        for (g, gauge) in gauges.iter().enumerate() {
            let mut filled = 0;
            for step in 0..steps {
                if gauge.depth_mm[step].is_nan() {
                    depth[g][step] = from_others(gauges, g, step);
                    filled += 1;
                }
            }
            if filled > 0 {
                notes.push(format!(
                    "gauge {}: {filled} of {steps} steps filled from the other gauges",
                    gauge.name
                ));
            }
        }
        let places: Vec<(f64, f64)> = gauges.iter().map(|g| (g.x, g.y)).collect();
        let (power, neighbours) = match spread {
            Spread::Thiessen => (2.0, 1),
            Spread::InverseDistance { power, neighbours } => (power, neighbours),
        };
        if !(power > 0.0 && power.is_finite()) {
            return Err(Error::input(Fault::new(
                "rain gauges",
                format!("an exponent of the distance of {power}"),
                "a number above 0, 2 by custom",
                "correct the exponent",
            )));
        }
        let step_s = step_h * 3600.0;
        Ok(RainField {
            cells: grid.cells(),
            cols: grid.cols,
            end_s: step_s * steps as f64,
            source: Source::Gauges {
                series: depth
                    .into_iter()
                    .map(|d| Cumulative::new(step_s, d.into_iter()))
                    .collect(),
                weights: idw_weights(&places, grid, power, neighbours),
            },
            notes,
        })
    }

    /// Rain of frames, each the depth of a step, mm, or its mean intensity, mm/h, on a grid of their own.
    ///
    /// # Errors
    /// No frame, frames of different grids, steps that are not above 0, a compute grid that reaches beyond the frames,
    /// negative values, missing values under the compute grid that are refused: the first cell and frame named.
    pub fn gridded(
        frames: &[Raster<f32>],
        step_h: f64,
        measure: Measure,
        grid: &Grid,
        sampling: Sampling,
        gaps: Gaps,
    ) -> Result<RainField> {
        RainField::of_frames(
            frames.len(),
            |k| Ok(frames[k].clone()),
            step_h,
            measure,
            grid,
            sampling,
            gaps,
            Path::new("rain frames"),
        )
    }

    /// Rain of a NetCDF variable with axes of time, y and x. The attribute `units` says what its numbers are: `mm`,
    /// `kg m-2` or `m` per step; `mm/h`, `mm h-1`, `mm/hr`, `kg m-2 s-1`, `mm/s` and their like. Times must be equally
    /// spaced, at least two.
    ///
    /// # Errors
    /// As [`RainField::gridded`] and [`netcdf::read_times`]; unknown units; uneven times.
    pub fn from_netcdf(
        path: &Path,
        variable: &str,
        grid: &Grid,
        sampling: Sampling,
        gaps: Gaps,
    ) -> Result<(RainField, NetcdfTimes)> {
        let axis = netcdf::read_times(path, variable)?;
        let fault = |found: String, expected: &str, remedy: &str| {
            Error::input(Fault::new(path, found, expected, remedy).at(variable))
        };
        let n = axis.seconds.len();
        let step_s = if n > 1 {
            (axis.seconds[n - 1] - axis.seconds[0]) / (n - 1) as f64
        } else {
            0.0
        };
        let uneven = axis.seconds.iter().enumerate().position(|(k, t)| {
            let even = axis.seconds[0] + k as f64 * step_s;
            (t - even).abs().partial_cmp(&(1e-3 * step_s)) != Some(std::cmp::Ordering::Less)
        });
        if step_s <= 0.0 || uneven.is_some() {
            return Err(fault(
                match uneven {
                    Some(k) if n > 1 => format!("{n} times, that of slice {k} out of step"),
                    _ => format!("{n} times"),
                },
                "at least two times, equally spaced and ascending",
                "fill the missing slices, or cut the file at the gap",
            ));
        }
        let Some((measure, factor)) = units(&axis.units) else {
            return Err(fault(
                format!("units `{}`", axis.units),
                "mm, m or kg m-2 per step, or mm/h, mm/s, kg m-2 s-1",
                "set the attribute `units` of the variable",
            ));
        };
        let field = RainField::of_frames(
            n,
            |k| {
                let mut frame = netcdf::read_f32(path, variable, &[(&axis.name, k)])?;
                if factor != 1.0 {
                    frame
                        .values_mut()
                        .iter_mut()
                        .for_each(|v| *v = (f64::from(*v) * factor) as f32);
                }
                Ok(frame)
            },
            step_s / 3600.0,
            measure,
            grid,
            sampling,
            gaps,
            path,
        )?;
        let times = NetcdfTimes {
            first_s: axis.seconds[0],
            step_s,
            since: axis.since,
        };
        Ok((field, times))
    }

    fn of_frames(
        count: usize,
        mut frame: impl FnMut(usize) -> Result<Raster<f32>>,
        step_h: f64,
        measure: Measure,
        grid: &Grid,
        sampling: Sampling,
        gaps: Gaps,
        file: &Path,
    ) -> Result<RainField> {
        if count == 0 || !(step_h > 0.0 && step_h.is_finite()) {
            return Err(Error::input(Fault::new(
                file,
                format!("{count} frames in steps of {step_h} h"),
                "at least one frame and a step above 0",
                "check the rain data",
            )));
        }
        let first = frame(0)?;
        let own = first.grid;
        let window = surroundings(&own, grid, file)?;
        let mut out = Frames::new(&own.window(window), grid, sampling);
        out.step_s = step_h * 3600.0;
        let per_step = match measure {
            Measure::DepthMm => 1.0,
            Measure::IntensityMmH => step_h,
        };
        let used = out.used(window.rows * window.cols);
        let mut dry = 0;
        for k in 0..count {
            let frame = if k == 0 { first.clone() } else { frame(k)? };
            if frame.grid != own {
                return Err(Error::input(
                    Fault::new(
                        file,
                        "a grid other than that of the first frame",
                        "one grid for all frames",
                        "resample the frames to one grid",
                    )
                    .at(format!("frame {k}")),
                ));
            }
            let mut part = frame.window(window);
            for (at, v) in part.values_mut().iter_mut().enumerate() {
                let missing = v.is_nan();
                if missing && (gaps == Gaps::Fill || !used[at]) {
                    dry += usize::from(used[at]);
                    *v = 0.0;
                } else if !(*v >= 0.0 && v.is_finite()) {
                    let (row, col) = (at / window.cols, at % window.cols);
                    let remedy = if missing {
                        "fill the gap, or let missing cells count as dry"
                    } else {
                        "correct the frame, or name its marker of missing cells"
                    };
                    return Err(Error::input(
                        Fault::new(file, v.to_string(), "rain of at least 0", remedy).at(format!(
                            "frame {k}, row {}, column {}",
                            row + window.row,
                            col + window.col
                        )),
                    ));
                }
                *v = (f64::from(*v) * per_step) as f32;
            }
            out.depth_mm.push(part.values().to_vec());
        }
        let notes = (dry > 0).then(|| {
            format!(
                "{}: {dry} missing values of {count} frames counted as dry",
                file.display()
            )
        });
        Ok(RainField {
            cells: grid.cells(),
            cols: grid.cols,
            end_s: out.step_s * count as f64,
            source: Source::Gridded(out),
            notes: notes.into_iter().collect(),
        })
    }

    /// End of the last step, s.
    pub fn end_s(&self) -> f64 {
        self.end_s
    }

    /// Depth of an interval where it is the same on all cells, m; `None` for a field that differs in space.
    pub fn uniform_depth_m(&self, t0_s: f64, t1_s: f64) -> Option<f64> {
        match &self.source {
            Source::Uniform(series) => Some(series.at(t1_s) - series.at(t0_s)),
            _ => None,
        }
    }

    /// Depth that falls between `t0_s` and `t1_s` on the cells of some rows of the compute grid, m; 0 beyond the data.
    ///
    /// # Panics
    /// `out` of another length than the rows, rows beyond the grid.
    pub fn depth_of_interval_m(&self, t0_s: f64, t1_s: f64, rows: Range<usize>, out: &mut [f32]) {
        let cells = rows.start * self.cols..rows.end * self.cols;
        assert!(cells.end <= self.cells, "rows beyond the grid");
        assert_eq!(out.len(), cells.len(), "one output per cell");
        match &self.source {
            Source::Uniform(series) => out.fill((series.at(t1_s) - series.at(t0_s)) as f32),
            Source::Gauges { series, weights } => {
                let depth: Vec<f64> = series.iter().map(|s| s.at(t1_s) - s.at(t0_s)).collect();
                weights.apply(cells, &depth, out);
            }
            Source::Gridded(frames) => frames.depth_m(t0_s, t1_s, cells, out),
        }
    }
}

/// Times of the slices of a NetCDF file, to set time 0 of the field into the calendar: the field's time 0 is the first
/// stamp less, for stamps at the ends of the steps, one step.
#[derive(Debug, Clone, PartialEq)]
pub struct NetcdfTimes {
    /// Stamp of the first slice, s since `since`.
    pub first_s: f64,
    /// Step, s.
    pub step_s: f64,
    /// Reference of the file.
    pub since: String,
}

impl NetcdfTimes {
    /// Time 0 of the field, s since the file's reference.
    pub fn start_s(&self, stamp: Stamp) -> f64 {
        match stamp {
            Stamp::Start => self.first_s,
            Stamp::End => self.first_s - self.step_s,
        }
    }
}

/// What a unit says of rain, with the factor to mm or mm/h.
fn units(text: &str) -> Option<(Measure, f64)> {
    let plain: String = text
        .to_lowercase()
        .replace("**", "")
        .replace('^', "")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Some(match plain.as_str() {
        "mm" | "millimeter" | "millimetre" | "millimeters" | "millimetres" | "kg m-2" | "kg/m2" => {
            (Measure::DepthMm, 1.0)
        }
        "m" | "m of water equivalent" => (Measure::DepthMm, 1000.0),
        "mm/h" | "mm/hr" | "mm/hour" | "mm h-1" | "mm hr-1" | "mm hour-1" => {
            (Measure::IntensityMmH, 1.0)
        }
        "mm/s" | "mm s-1" | "kg m-2 s-1" | "kg/m2/s" | "kg/(m2 s)" => {
            (Measure::IntensityMmH, 3600.0)
        }
        "m s-1" | "m/s" => (Measure::IntensityMmH, 3.6e6),
        "mm/day" | "mm day-1" | "mm/d" | "mm d-1" => (Measure::IntensityMmH, 1.0 / 24.0),
        _ => return None,
    })
}

fn check_gauges(gauges: &[Gauge], step_h: f64, gaps: Gaps) -> Result<usize> {
    let fault = |gauge: &Gauge, found: String, expected: String, remedy: &str| {
        Fault::new("rain gauges", found, expected, remedy).at(format!("gauge {}", gauge.name))
    };
    let steps = gauges.first().map_or(0, |g| g.depth_mm.len());
    let mut faults = Vec::new();
    if steps == 0 || !(step_h > 0.0 && step_h.is_finite()) {
        faults.push(Fault::new(
            "rain gauges",
            format!(
                "{} gauges, {steps} steps of {step_h} h in the first",
                gauges.len()
            ),
            "at least one gauge with at least one step above 0",
            "check the table of the gauges",
        ));
    }
    for gauge in gauges {
        if !(gauge.x.is_finite() && gauge.y.is_finite()) {
            faults.push(fault(
                gauge,
                format!("place {}, {}", gauge.x, gauge.y),
                "coordinates".into(),
                "complete the place",
            ));
        }
        if gauge.depth_mm.len() != steps {
            faults.push(fault(
                gauge,
                format!("{} steps", gauge.depth_mm.len()),
                format!("{steps} steps, as the first gauge"),
                "cut or fill the series; mark missing steps",
            ));
            continue;
        }
        let wrong = |d: &f64| *d < 0.0 || d.is_infinite();
        if let Some(k) = gauge.depth_mm.iter().position(wrong) {
            faults.push(fault(
                gauge,
                format!("{} mm in step {}", gauge.depth_mm[k], k + 1),
                "at least 0 mm".into(),
                "correct the step, or mark it as missing",
            ));
        }
        let missing = gauge.depth_mm.iter().filter(|d| d.is_nan()).count();
        if missing > 0 && gaps == Gaps::Refuse {
            let first = gauge.depth_mm.iter().position(|d| d.is_nan());
            faults.push(fault(
                gauge,
                format!(
                    "{missing} missing steps, the first {}",
                    first.map_or(0, |k| k + 1)
                ),
                "a value in every step".into(),
                "fill the gaps, or allow filling from the other gauges",
            ));
        }
    }
    if faults.is_empty() {
        let empty = (0..steps).find(|&k| gauges.iter().all(|g| g.depth_mm[k].is_nan()));
        if let Some(k) = empty {
            faults.push(
                Fault::new(
                    "rain gauges",
                    "no gauge with a value",
                    "at least one in every step",
                    "fill the step",
                )
                .at(format!("step {}", k + 1)),
            );
        }
    }
    if faults.is_empty() {
        Ok(steps)
    } else {
        Err(Error::Input(faults))
    }
}

/// A missing step from the gauges that have it, by inverse squared distance (in units of the system).
fn from_others(gauges: &[Gauge], at: usize, step: usize) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (g, other) in gauges.iter().enumerate() {
        let depth = other.depth_mm[step];
        if g == at || depth.is_nan() {
            continue;
        }
        let (dx, dy) = (other.x - gauges[at].x, other.y - gauges[at].y);
        let d2 = dx * dx + dy * dy;
        if d2 == 0.0 {
            return depth;
        }
        sum += depth / d2;
        weight += 1.0 / d2;
    }
    sum / weight
}

/// The cells of the frames around the compute grid.
fn surroundings(own: &Grid, grid: &Grid, file: &Path) -> Result<Window> {
    let projector = Projector::new(grid.crs, own.crs);
    let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut top, mut bottom) = (f64::INFINITY, f64::NEG_INFINITY);
    for row in 0..grid.rows {
        for col in 0..grid.cols {
            // Extremes lie on the border.
            if row != 0 && row + 1 != grid.rows && col != 0 && col + 1 != grid.cols {
                continue;
            }
            let (x, y) = projector.point(grid.x(col), grid.y(row));
            let (u, v) = ((x - own.west) / own.dx, (own.north - y) / own.dy);
            if !(u >= 0.0 && v >= 0.0 && u <= own.cols as f64 && v <= own.rows as f64) {
                let b = own.bounds();
                return Err(Error::input(
                    Fault::new(
                        file,
                        format!(
                            "frames from {} to {} and from {} to {}",
                            b.west, b.east, b.south, b.north
                        ),
                        format!("cover of the cell centre at {x}, {y}"),
                        "take a larger section of the rain data, or a smaller compute grid",
                    )
                    .at(format!("compute cell row {row}, column {col}")),
                ));
            }
            (left, right) = (left.min(u), right.max(u));
            (top, bottom) = (top.min(v), bottom.max(v));
        }
    }
    // One cell more on each side for bilinear weights.
    let low = |v: f64| (v.floor() as usize).saturating_sub(1);
    let high = |v: f64, n: usize| (v.floor() as usize + 2).min(n);
    let (row, col) = (low(top), low(left));
    Ok(Window {
        row,
        col,
        rows: high(bottom, own.rows) - row,
        cols: high(right, own.cols) - col,
    })
}

impl Frames {
    fn new(own: &Grid, grid: &Grid, sampling: Sampling) -> Frames {
        let projector = Projector::new(grid.crs, own.crs);
        let per_cell = match sampling {
            Sampling::Nearest => 1,
            Sampling::Bilinear => 4,
        };
        let mut from = Vec::with_capacity(grid.cells() * per_cell);
        let mut weight = Vec::with_capacity(grid.cells() * per_cell);
        let (rows, cols) = (own.rows as f64, own.cols as f64);
        for row in 0..grid.rows {
            for col in 0..grid.cols {
                let (x, y) = projector.point(grid.x(col), grid.y(row));
                let u = (x - own.west) / own.dx;
                let v = (own.north - y) / own.dy;
                if sampling == Sampling::Nearest {
                    // A centre on the far edge belongs to the last cell.
                    let r = (v as usize).min(own.rows - 1);
                    let c = (u as usize).min(own.cols - 1);
                    from.push((r * own.cols + c) as u32);
                    weight.push(1.0);
                    continue;
                }
                let (u, v) = (
                    (u - 0.5).clamp(0.0, cols - 1.0),
                    (v - 0.5).clamp(0.0, rows - 1.0),
                );
                let (c, r) = (u as usize, v as usize);
                let (fx, fy) = (u - c as f64, v - r as f64);
                let (c1, r1) = ((c + 1).min(own.cols - 1), (r + 1).min(own.rows - 1));
                for (r, wy) in [(r, 1.0 - fy), (r1, fy)] {
                    for (c, wx) in [(c, 1.0 - fx), (c1, fx)] {
                        from.push((r * own.cols + c) as u32);
                        weight.push((wx * wy) as f32);
                    }
                }
            }
        }
        Frames {
            step_s: 1.0,
            depth_mm: Vec::new(),
            from,
            weight,
            per_cell,
        }
    }

    /// Frame cells that some compute cell takes a share of.
    fn used(&self, cells: usize) -> Vec<bool> {
        let mut used = vec![false; cells];
        for (&cell, &w) in self.from.iter().zip(&self.weight) {
            used[cell as usize] |= w > 0.0;
        }
        used
    }

    fn depth_m(&self, t0_s: f64, t1_s: f64, cells: Range<usize>, out: &mut [f32]) {
        let steps = self.depth_mm.len() as f64;
        let a = (t0_s / self.step_s).clamp(0.0, steps);
        let b = (t1_s / self.step_s).clamp(0.0, steps);
        // Steps that the interval touches, with the share of each.
        let parts: Vec<(&[f32], f64)> = (a as usize..b.ceil() as usize)
            .map(|k| {
                let share = b.min((k + 1) as f64) - a.max(k as f64);
                (self.depth_mm[k].as_slice(), share * 1e-3)
            })
            .filter(|p| p.1 > 0.0)
            .collect();
        let at = cells.start * self.per_cell..cells.end * self.per_cell;
        let from = self.from[at.clone()].chunks_exact(self.per_cell);
        let weight = self.weight[at].chunks_exact(self.per_cell);
        for ((out, from), weight) in out.iter_mut().zip(from).zip(weight) {
            let mut sum = 0.0;
            for &(frame, share) in &parts {
                for (&cell, &w) in from.iter().zip(weight) {
                    sum += share * f64::from(w) * f64::from(frame[cell as usize]);
                }
            }
            *out = sum as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Crs;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn grid(origin: (f64, f64), cell: f64, shape: (usize, usize)) -> Grid {
        let crs = Crs::from_epsg(4549).unwrap();
        Grid::new(crs, origin, (cell, cell), shape).unwrap()
    }

    fn compute() -> Grid {
        grid((0.0, 400.0), 10.0, (40, 30))
    }

    fn gauge(name: &str, x: f64, y: f64, depth_mm: &[f64]) -> Gauge {
        Gauge {
            name: name.into(),
            x,
            y,
            depth_mm: depth_mm.to_vec(),
        }
    }

    fn three() -> Vec<Gauge> {
        vec![
            gauge("上游", 20.0, 380.0, &[5.0, 10.0, 0.0, 20.0]),
            gauge("中游", 150.0, 200.0, &[0.0, 30.0, 2.0, 1.0]),
            gauge("下游", 280.0, 20.0, &[8.0, 3.0, 0.5, 0.0]),
        ]
    }

    fn all_of(field: &RainField, t0: f64, t1: f64) -> Vec<f32> {
        let mut out = vec![0.0; 1200];
        // In uneven runs of rows.
        for rows in [0..7, 7..8, 8..40] {
            field.depth_of_interval_m(
                t0,
                t1,
                rows.clone(),
                &mut out[rows.start * 30..rows.end * 30],
            );
        }
        out
    }

    fn frames() -> Vec<Raster<f32>> {
        let own = grid((-60.0, 460.0), 60.0, (9, 8));
        (0..4)
            .map(|k| {
                Raster::new(
                    own,
                    Array2::from_shape_fn(own.shape(), |(r, c)| {
                        ((r * 3 + c * 5 + k * 7) % 11) as f32
                    }),
                )
            })
            .collect()
    }

    fn fields() -> Vec<RainField> {
        let rain = Hyetograph {
            step_h: 0.5,
            depth_mm: vec![3.0, 0.0, 12.0, 7.0],
        };
        let spread = Spread::InverseDistance {
            power: 2.0,
            neighbours: 2,
        };
        let gridded = |sampling| {
            RainField::gridded(
                &frames(),
                0.5,
                Measure::IntensityMmH,
                &compute(),
                sampling,
                Gaps::Refuse,
            )
        };
        vec![
            RainField::uniform(&rain, &compute()),
            RainField::gauges(&three(), 0.5, &compute(), spread, Gaps::Refuse).unwrap(),
            gridded(Sampling::Nearest).unwrap(),
            gridded(Sampling::Bilinear).unwrap(),
        ]
    }

    #[test]
    fn uniform_rain_is_its_hyetograph() {
        let f = &fields()[0];
        assert_eq!(f.end_s(), 7200.0);
        assert!((f.uniform_depth_m(900.0, 4500.0).unwrap() - (1.5 + 6.0) * 1e-3).abs() < 1e-15);
        assert!(all_of(f, 0.0, 1e6).iter().all(|&d| d == 0.022));
        assert!(all_of(f, 7200.0, 9000.0).iter().all(|&d| d == 0.0));
        assert!(fields()[1].uniform_depth_m(0.0, 1.0).is_none());
    }

    #[test]
    fn gauges_keep_their_values_and_fill_gaps() {
        let thiessen =
            RainField::gauges(&three(), 1.0, &compute(), Spread::Thiessen, Gaps::Refuse).unwrap();
        let out = all_of(&thiessen, 0.0, 4.0 * 3600.0);
        for (row, col, mm) in [(0, 0, 35.0f32), (20, 15, 33.0), (39, 29, 11.5)] {
            assert!((out[row * 30 + col] - mm * 1e-3).abs() < 1e-7);
        }
        assert!(out.iter().all(|d| {
            [0.035f32, 0.033, 0.0115]
                .iter()
                .any(|e| (d - e).abs() < 1e-7)
        }));
        let mut gauges = three();
        gauges[0].depth_mm[1] = f64::NAN;
        let refuse = RainField::gauges(&gauges, 1.0, &compute(), Spread::Thiessen, Gaps::Refuse);
        let told = refuse.unwrap_err().to_string();
        assert!(
            told.contains("gauge 上游") && told.contains("the first 2"),
            "{told}"
        );
        let filled =
            RainField::gauges(&gauges, 1.0, &compute(), Spread::Thiessen, Gaps::Fill).unwrap();
        assert_eq!(filled.notes.len(), 1);
        // Squared distances 130² + 180² and 260² + 360²: weights 4 to 1.
        let fill = all_of(&filled, 3600.0, 7200.0)[0];
        assert!(
            (fill - (4.0 * 30.0 + 3.0) / 5.0 * 1e-3).abs() < 1e-7,
            "{fill}"
        );
        gauges.iter_mut().for_each(|g| g.depth_mm[1] = f64::NAN);
        assert!(RainField::gauges(&gauges, 1.0, &compute(), Spread::Thiessen, Gaps::Fill).is_err());
        // Faults are told together.
        let bad = [
            gauge("a", 0.0, 0.0, &[1.0, -2.0]),
            gauge("b", f64::NAN, 0.0, &[1.0]),
        ];
        let error = RainField::gauges(&bad, 1.0, &compute(), Spread::Thiessen, Gaps::Refuse);
        assert_eq!(error.unwrap_err().faults().len(), 3);
    }

    #[test]
    fn frames_are_checked_and_sampled() {
        let ask = |frames: &[Raster<f32>], grid: &Grid, gaps| {
            RainField::gridded(
                frames,
                1.0,
                Measure::DepthMm,
                grid,
                Sampling::Bilinear,
                gaps,
            )
        };
        // A plane survives bilinear sampling.
        let own = frames()[0].grid;
        let plane = Raster::new(
            own,
            Array2::from_shape_fn(own.shape(), |(r, c)| {
                (own.x(c) + 2.0 * own.y(r) + 500.0) as f32
            }),
        );
        let field = ask(std::slice::from_ref(&plane), &compute(), Gaps::Refuse).unwrap();
        let out = all_of(&field, 0.0, 1800.0);
        for (at, d) in out.iter().enumerate() {
            let (row, col) = (at / 30, at % 30);
            let mm = compute().x(col) + 2.0 * compute().y(row) + 500.0;
            assert!((f64::from(*d) - 0.5e-3 * mm).abs() < 1e-6, "{d} {mm}");
        }
        // Missing values matter where the compute grid looks, and only there.
        let mut holed = plane.clone();
        holed.data[(0, 7)] = f32::NAN;
        assert!(ask(std::slice::from_ref(&holed), &compute(), Gaps::Refuse).is_ok());
        holed.data[(4, 3)] = f32::NAN;
        let told = ask(&[plane.clone(), holed.clone()], &compute(), Gaps::Refuse)
            .unwrap_err()
            .to_string();
        assert!(told.contains("frame 1, row 4, column 3"), "{told}");
        let filled = ask(&[holed], &compute(), Gaps::Fill).unwrap();
        assert!(
            filled.notes[0].contains("1 missing values"),
            "{:?}",
            filled.notes
        );
        let wide = grid((0.0, 400.0), 20.0, (40, 30));
        let told = ask(&[plane], &wide, Gaps::Refuse).unwrap_err().to_string();
        assert!(
            told.contains("compute cell row") && told.contains("larger section"),
            "{told}"
        );
        assert!(ask(&[], &compute(), Gaps::Refuse).is_err());
    }

    #[test]
    fn netcdf_rain_has_units_and_times() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rain.nc");
        let seconds = [1800.0, 3600.0, 5400.0, 7200.0];
        let write = |units: &str, seconds: &[f64]| {
            let times = (seconds, "2026-06-20 00:00:00");
            netcdf::write_series_f32(&path, "rain", units, times, &frames()).unwrap();
            RainField::from_netcdf(&path, "rain", &compute(), Sampling::Nearest, Gaps::Refuse)
        };
        let (field, times) = write("mm h**-1", &seconds).unwrap();
        assert_eq!(
            (times.start_s(Stamp::End), times.start_s(Stamp::Start)),
            (0.0, 1800.0)
        );
        assert_eq!(
            all_of(&field, 100.0, 5000.0),
            all_of(&fields()[2], 100.0, 5000.0)
        );
        let (per_step, _) = write("kg m-2", &seconds).unwrap();
        let (a, b) = (all_of(&per_step, 0.0, 7200.0), all_of(&field, 0.0, 7200.0));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - 2.0 * b).abs() < 1e-7));
        let told = write("dBZ", &seconds).unwrap_err().to_string();
        assert!(told.contains("units `dBZ`"), "{told}");
        let told = write("mm", &[0.0, 1800.0, 3600.0, 9000.0])
            .unwrap_err()
            .to_string();
        assert!(told.contains("out of step"), "{told}");
    }

    proptest! {
        /// The sum over any steps is the whole.
        #[test]
        fn no_rain_is_lost(mut cuts in prop::collection::vec(0.0f64..8000.0, 0..60)) {
            cuts.extend([0.0, 8000.0]);
            cuts.sort_by(f64::total_cmp);
            for field in fields() {
                let whole = all_of(&field, 0.0, 8000.0);
                let mut sum = vec![0.0f64; 1200];
                for w in cuts.windows(2) {
                    for (s, d) in sum.iter_mut().zip(all_of(&field, w[0], w[1])) {
                        prop_assert!(d >= 0.0);
                        *s += f64::from(d);
                    }
                }
                for (s, w) in sum.iter().zip(&whole) {
                    prop_assert!((s - f64::from(*w)).abs() <= 2e-7 * f64::from(*w) + 1e-15, "{} {}", s, w);
                }
            }
        }
    }
}
