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

mod frames;
mod gauges;
#[cfg(test)]
mod tests;

pub use gauges::Gauge;

use crate::flood::rain::Hyetograph;
use anlan_engine::interpolate::{StationWeights, idw_weights};
use anlan_engine::io::netcdf;
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use frames::{Frames, surroundings, units};
use gauges::{check_gauges, from_others};
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
