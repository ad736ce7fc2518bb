//! Floods on arrays: the 2-D solver.

use crate::errors::{argument, raise};
use crate::grid::PyGrid;
use crate::raster::raster;
use anlan::engine::{Error, Raster, Result};
use anlan::models::flood::infiltration::Infiltration;
use anlan::models::flood::rain::Hyetograph;
use anlan::models::flood::rainfall::{Gaps, Measure, RainField, Sampling};
use anlan::models::flood::solver::{
    ACTIVE, Boundary, BoundaryLaw, Case, Domain, Edge, Inflow, Inundation, OUTLET, Scheme, Series,
    SolverOptions, WALL, simulate_until,
};
use ndarray::Axis;
use numpy::{IntoPyArray, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Time between two looks at signals and at the progress.
const LISTEN: Duration = Duration::from_millis(100);

/// The same everywhere, or a value per cell.
#[derive(FromPyObject)]
pub enum Field<'py> {
    Cells(PyReadonlyArray2<'py, f32>),
    Number(f32),
}

impl Field<'_> {
    fn raster(&self, py: Python<'_>, grid: &PyGrid) -> PyResult<Raster<f32>> {
        match self {
            Field::Cells(array) => raster(py, array, grid),
            Field::Number(value) => Ok(Raster::filled(grid.0, *value)),
        }
    }
}

/// Intensity of each step, mm/h: everywhere the same, or `[steps, rows, cols]`.
#[derive(FromPyObject)]
pub enum Rain<'py> {
    Frames(PyReadonlyArray3<'py, f32>),
    Series(Vec<f64>),
}

impl Rain<'_> {
    fn field(&self, step_s: f64, grid: &PyGrid) -> Result<RainField> {
        let step_h = step_s / 3600.0;
        match self {
            Rain::Series(values) => Ok(RainField::uniform(
                &Hyetograph {
                    step_h,
                    depth_mm: values.iter().map(|v| v * step_h).collect(),
                },
                &grid.0,
            )),
            Rain::Frames(values) => {
                let frames: Vec<_> = (values.as_array().axis_iter(Axis(0)))
                    .map(|f| Raster::new(grid.0, f.as_standard_layout().into_owned()))
                    .collect();
                RainField::gridded(
                    &frames,
                    step_h,
                    Measure::IntensityMmH,
                    &grid.0,
                    Sampling::Nearest,
                    Gaps::Refuse,
                )
            }
        }
    }
}

/// Inflows come as cells, step, s, and discharges, m³/s, shared evenly by the cells; levels as cells, times, s, and
/// levels, m. Shapes of arrays and ranges of rain, discharges and levels have been checked.
#[pyfunction]
#[pyo3(signature = (bed, grid, duration_s, manning, scheme, rain, infiltration, initial_depth, inflows, levels, edge, flooded_m, threads, progress))]
pub fn flood<'py>(
    py: Python<'py>,
    bed: PyReadonlyArray2<'py, f32>,
    grid: &PyGrid,
    duration_s: f64,
    manning: Field<'py>,
    scheme: &str,
    rain: Option<(f64, Rain<'py>)>,
    infiltration: Option<Field<'py>>,
    initial_depth: Option<Field<'py>>,
    inflows: Vec<(Vec<u32>, f64, Vec<f64>)>,
    levels: Vec<(Vec<u32>, Vec<f64>, Vec<f64>)>,
    edge: &str,
    flooded_m: f32,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let choose = |name: &str, found: &str, expected: &str| {
        argument(
            py,
            name,
            format!("`{found}`"),
            expected,
            "choose one of these",
        )
    };
    let scheme = match scheme {
        "inertial" => Scheme::Inertial,
        "fv1" => Scheme::Fv1,
        "fv2" => Scheme::Fv2,
        "auto" => Scheme::Auto,
        other => {
            return Err(choose(
                "scheme",
                other,
                "`inertial`, `fv1`, `fv2` or `auto`",
            ));
        }
    };
    let (edge, missing) = match edge {
        "closed" => (Edge::Closed, WALL),
        "free" => (Edge::Free, OUTLET),
        other => return Err(choose("edge", other, "`closed` or `free`")),
    };
    let options = SolverOptions {
        scheme,
        end_s: duration_s,
        edge,
        flooded_m,
        ..SolverOptions::default()
    };
    let bed_m = raster(py, &bed, grid)?;
    let manning_n = manning.raster(py, grid)?;
    let kind = bed_m.map(|z| if z.is_nan() { missing } else { ACTIVE });
    let initial = (initial_depth.map(|d| d.raster(py, grid))).transpose()?;
    let rain = (rain.map(|(step_s, rain)| rain.field(step_s, grid)))
        .transpose()
        .map_err(|e| raise(py, e))?;
    let soil = (infiltration.map(|rate| rate.raster(py, grid)))
        .transpose()?
        .map(|rate_mm_h| Infiltration::constant(&rate_mm_h))
        .transpose()
        .map_err(|e| raise(py, e))?;
    let inflows: Vec<Inflow> = (inflows.into_iter())
        .map(|(cells, step_s, discharge)| spread(cells, step_s, &discharge, grid))
        .collect();
    let boundaries: Vec<Boundary> = (levels.into_iter())
        .map(|(cells, times_s, values)| Boundary {
            cells,
            law: BoundaryLaw::Level(Series { times_s, values }),
        })
        .collect();
    let case = Case {
        initial_depth_m: initial.as_ref(),
        inflows: &inflows,
        boundaries: &boundaries,
        rain: rain.as_ref(),
        soil: soil.as_ref(),
        ..Case::new(Domain {
            bed_m: &bed_m,
            manning_n: &manning_n,
            kind: &kind,
        })
    };
    let run = solve(py, &case, &options, threads.unwrap_or(0), progress.as_ref())?;
    told(py, &run, grid)
}

fn spread(cells: Vec<u32>, step_s: f64, discharge_m3_s: &[f64], grid: &PyGrid) -> Inflow {
    let area = grid.0.dx * grid.0.dy * cells.len() as f64;
    let rate = |q: &f64| std::iter::repeat_n((q / area) as f32, cells.len());
    Inflow {
        rates_m_s: discharge_m3_s.iter().flat_map(rate).collect(),
        cells,
        step_s,
    }
}

/// Solves on a thread of its own, while this one, which may be the main thread, hears signals and tells the progress.
/// A signal or a callback that fails ends the run.
fn solve(
    py: Python<'_>,
    case: &Case<'_>,
    options: &SolverOptions,
    threads: usize,
    progress: Option<&Py<PyAny>>,
) -> PyResult<Inundation> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| raise(py, Error::Failed(format!("starting threads: {e}"))))?;
    let (stop, now) = (AtomicBool::new(false), AtomicU64::new(0));
    let (outcome, raised) = py.detach(|| {
        std::thread::scope(|scope| {
            let (done, ended) = channel::<()>();
            let (pool, stop, now) = (&pool, &stop, &now);
            let solver = scope.spawn(move || {
                // Dropped at the end, also by a panic.
                let _done = done;
                pool.install(|| {
                    simulate_until(case, options, &mut |_| {}, &mut |time_s: f64| {
                        now.store(time_s.to_bits(), Ordering::Relaxed);
                        stop.load(Ordering::Relaxed)
                    })
                })
            });
            let mut raised: Option<PyErr> = None;
            let mut last = 0.0;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LISTEN) {
                if raised.is_some() {
                    continue;
                }
                let time_s = f64::from_bits(now.load(Ordering::Relaxed));
                let heard = Python::attach(|py| {
                    py.check_signals()?;
                    match progress {
                        Some(callback) if time_s > last => {
                            callback.call1(py, (time_s,)).map(|_| ())
                        }
                        _ => Ok(()),
                    }
                });
                last = time_s;
                if let Err(e) = heard {
                    stop.store(true, Ordering::Relaxed);
                    raised = Some(e);
                }
            }
            (solver.join(), raised)
        })
    });
    if let Some(e) = raised {
        return Err(e);
    }
    let run = outcome
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        .map_err(|e| raise(py, e))?;
    if let Some(callback) = progress {
        callback.call1(py, (options.end_s,))?;
    }
    Ok(run)
}

fn told<'py>(py: Python<'py>, run: &Inundation, grid: &PyGrid) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    for (name, field) in [
        ("max_depth_m", &run.max_depth_m),
        ("depth_m", &run.depth_m),
        ("max_velocity_m_s", &run.max_velocity_m_s),
        ("max_hazard_m2_s", &run.max_hazard_m2_s),
        ("arrival_s", &run.arrival_s),
        ("duration_s", &run.duration_s),
    ] {
        let cells = py.detach(|| run.raster(&grid.0, field));
        out.set_item(name, cells.data.into_pyarray(py))?;
    }
    let (scheme, since_s) = run.scheme;
    let name = match scheme {
        Scheme::Inertial => "inertial",
        Scheme::Fv1 => "fv1",
        Scheme::Fv2 => "fv2",
        Scheme::Auto => "auto",
    };
    out.set_item("scheme", name)?;
    out.set_item("scheme_since_s", since_s)?;
    out.set_item("steps", run.steps)?;
    out.set_item("cell_steps", run.cell_steps)?;
    let water = &run.ledger;
    for (name, value) in [
        ("initial_m3", water.initial_m3),
        ("inflow_m3", water.inflow_m3),
        ("rain_m3", water.rain_m3),
        ("infiltrated_m3", water.infiltrated_m3),
        ("outflow_m3", water.outflow_m3),
        ("stored_m3", water.stored_m3),
        ("balance_error", water.error()),
    ] {
        out.set_item(name, value)?;
    }
    Ok(out)
}
