//! Two-dimensional flood flow by the local-inertial equations (二维洪水演进) on the active cells of a raster.
//!
//! The shallow-water equations without advection, on a staggered grid: depth in the cells, unit flow on the faces
//! (module `kernel` has the discrete equations and their sources). What makes it robust without tuning:
//! * depth is stored, never water level: f32 carries millimetres at any altitude;
//! * Manning friction is solved implicitly, so thin films on steep ground and faces that have just become wet need no
//!   special case;
//! * **positivity**: a cell that is asked for more water than it has gives each neighbour the same share of what was
//!   asked; both sides of a face use the same product, so that mass is kept to rounding;
//! * a compensated depth (two-sum) and an f64 **mass ledger**: initial + inflow - outflow - stored;
//! * dt = alpha sqrt(theta) dx / sqrt(g h_max), at most `dt_max_s`, cut at the ends of inflow steps. The factor sqrt(theta)
//!   is ours: a chequerboard of frictionless waves in two dimensions grows beyond dt = sqrt(theta / 2) dx / c (the mean
//!   of neighbouring flows turns z² - (2 - W) z + 1 into z² - (2 theta - W) z + 2 theta - 1, W = 8 (c dt / dx)²), so that
//!   the published alpha = 0.7 with theta = 0.9 makes a deep lake at rest boil.
//!
//! Work is done by bands of rows in rayon's current pool. Reductions are maxima, or sums per band in band order: the
//! bytes of the result do not depend on the number of threads.

use super::kernel;
use super::layout::{ACTIVE, OUTLET};
use super::state::{Flow, Supply};
use anlan_engine::{Error, Fault, Grid, Raster, Result};

pub use super::layout::{ACTIVE as CELL_ACTIVE, OUTLET as CELL_OUTLET, WALL as CELL_WALL};

/// The ground that water flows over. All rasters share one projected grid with square cells.
#[derive(Debug, Clone, Copy)]
pub struct Domain<'a> {
    /// Bed, m; finite in active cells.
    pub bed_m: &'a Raster<f32>,
    /// Manning's n (糙率), s m^(-1/3); above 0 in active cells.
    pub manning_n: &'a Raster<f32>,
    /// [`CELL_WALL`], [`CELL_ACTIVE`] or [`CELL_OUTLET`] per cell.
    pub kind: &'a Raster<u8>,
}

/// What lies beyond the outermost rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edge {
    /// A wall.
    #[default]
    Closed,
    /// Free outflow at normal depth on the local bed slope.
    Free,
}

/// How to solve. The defaults are meant for every case; none needs tuning per case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InertialOptions {
    /// Length of the simulation, s.
    pub end_s: f64,
    /// Courant factor alpha, above 0, at most 0.7 (Bates et al. 2010); 1/sqrt(2) is the limit in two dimensions.
    pub alpha: f64,
    /// Weight of a face's own old flow against its neighbours', 0.5..=1 (0.9: de Almeida et al. 2012).
    pub theta: f32,
    /// Depth at a face up to which nothing flows, m.
    pub dry_m: f32,
    /// Greatest Froude number of the flow through a face.
    pub froude_max: f32,
    /// Greatest time step, s; it rules while the ground is dry or the water is a film.
    pub dt_max_s: f64,
    /// Depth from which a cell counts as flooded for arrival and duration, m.
    pub flooded_m: f32,
    /// Depth from which velocities are noted, m.
    pub moving_m: f32,
    /// Extremes are looked at this often, s; 0 for every step.
    pub watch_s: f64,
    /// Progress is told this often, s of simulated time.
    pub progress_s: f64,
    /// What lies beyond the grid.
    pub edge: Edge,
    /// Least bed slope assumed where water leaves at normal depth.
    pub outlet_slope_min: f32,
}

impl Default for InertialOptions {
    fn default() -> Self {
        InertialOptions {
            end_s: 3600.0,
            alpha: 0.7,
            theta: 0.9,
            dry_m: 1e-4,
            froude_max: 1.0,
            dt_max_s: 30.0,
            flooded_m: 0.15,
            moving_m: 0.05,
            watch_s: 10.0,
            progress_s: 600.0,
            edge: Edge::Closed,
            outlet_slope_min: 1e-4,
        }
    }
}

/// Water given to cells of the solver: runoff of hillslopes, rain, a river's discharge over its cell's area.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inflow {
    /// Receiving cells (cell numbers), all active.
    pub cells: Vec<u32>,
    /// Length of one step of the series, s.
    pub step_s: f64,
    /// Depth per time, m/s, `[steps, cells]` row by row; nothing after the last step.
    pub rates_m_s: Vec<f32>,
}

impl Inflow {
    /// Steps of the series.
    pub fn steps(&self) -> usize {
        self.rates_m_s
            .len()
            .checked_div(self.cells.len())
            .unwrap_or(0)
    }
}

/// Where the water went, m³.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ledger {
    /// In the domain at the start.
    pub initial_m3: f64,
    /// Given by inflows.
    pub inflow_m3: f64,
    /// Left through openings.
    pub outflow_m3: f64,
    /// In the domain at the end.
    pub stored_m3: f64,
}

impl Ledger {
    /// (initial + inflow - outflow - stored) / (initial + inflow); 0 for a domain that never saw water.
    pub fn error(&self) -> f64 {
        let given = self.initial_m3 + self.inflow_m3;
        if given > 0.0 {
            (given - self.outflow_m3 - self.stored_m3) / given
        } else {
            0.0
        }
    }
}

/// What a run leaves behind: one value per active cell, in the order of `cells`.
#[derive(Debug, Clone, PartialEq)]
pub struct Inundation {
    /// Active cells, ascending.
    pub cells: Vec<u32>,
    /// Depth at the end, m.
    pub depth_m: Vec<f32>,
    /// Greatest depth, m.
    pub max_depth_m: Vec<f32>,
    /// Greatest velocity, m/s, while at least `moving_m` deep.
    pub max_velocity_m_s: Vec<f32>,
    /// Velocity when the depth was greatest, m/s.
    pub velocity_at_peak_m_s: Vec<f32>,
    /// Time at which the depth first reached `flooded_m`, s; NaN where it never did.
    pub arrival_s: Vec<f32>,
    /// Time for which it was at least `flooded_m` deep, s.
    pub duration_s: Vec<f32>,
    /// The water balance.
    pub ledger: Ledger,
    /// Time steps taken.
    pub steps: u64,
}

impl Inundation {
    /// One of the fields as a raster; cells outside the solver are NaN.
    pub fn raster(&self, grid: &Grid, field: &[f32]) -> Raster<f32> {
        let mut out = Raster::filled(*grid, f32::NAN);
        let values = out.values_mut();
        for (&cell, &value) in self.cells.iter().zip(field) {
            values[cell as usize] = value;
        }
        out
    }
}

/// Runs a flood from rest.
///
/// `initial_depth_m`: depth at the start (NaN and missing raster: dry). `progress` hears the simulated time, s.
///
/// # Errors
/// Options out of range, rasters of different cells, geographic or oblong cells, missing bed or friction in an active
/// cell, negative initial depth, inflow to a cell that is not active, all named together. `Failed` when depths cease
/// to be finite.
pub fn simulate(
    domain: &Domain<'_>,
    initial_depth_m: Option<&Raster<f32>>,
    inflows: &[Inflow],
    options: &InertialOptions,
    progress: &mut dyn FnMut(f64),
) -> Result<Inundation> {
    let mut faults = check(domain, initial_depth_m, options);
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let mut flow = Flow::new(domain, initial_depth_m, options);
    let mut supplies = Vec::new();
    for (number, inflow) in inflows.iter().enumerate() {
        match Supply::new(inflow, &flow.layout) {
            Ok(supply) => supplies.push(supply),
            Err(fault) => faults.push(fault.at(format!("inflow {number}"))),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }

    let (mut now, mut watched, mut told) = (0.0f64, 0.0f64, 0.0f64);
    flow.ledger.initial_m3 = flow.volume_m3();
    while now < options.end_s {
        let mut until = options.end_s;
        let mut renew = false;
        for supply in &mut supplies {
            renew |= supply.advance(now);
            until = until.min(supply.next_change());
        }
        if renew {
            flow.set_sources(&supplies);
        }
        let wave = libm::sqrt(f64::from(kernel::GRAVITY) * f64::from(flow.deepest));
        let courant = options.alpha * libm::sqrt(f64::from(options.theta));
        let mut dt = (courant * flow.cell_m / wave).min(options.dt_max_s);
        if now + dt >= until {
            dt = until - now;
            now = until;
        } else {
            now += dt;
        }
        flow.step(dt);
        if now - watched >= options.watch_s || now >= options.end_s {
            flow.watch(now, now - watched);
            watched = now;
        }
        if now - told >= options.progress_s || now >= options.end_s {
            if !flow.volume_m3().is_finite() {
                return Err(Error::Failed(format!(
                    "flood: depths ceased to be finite after {now} s of simulated time"
                )));
            }
            progress(now);
            told = now;
        }
    }
    Ok(flow.finish())
}

fn check(
    domain: &Domain<'_>,
    initial_depth_m: Option<&Raster<f32>>,
    options: &InertialOptions,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut range = |name: &str, value: f64, ok: bool, expected: &str| {
        if !ok {
            faults.push(
                Fault::new(
                    "flood options",
                    value.to_string(),
                    expected,
                    "correct the option",
                )
                .at(name),
            );
        }
    };
    let o = options;
    range(
        "end_s",
        o.end_s,
        o.end_s.is_finite() && o.end_s >= 0.0,
        "0 s or more",
    );
    range(
        "alpha",
        o.alpha,
        o.alpha > 0.0 && o.alpha <= 0.7,
        "above 0, at most 0.7",
    );
    range(
        "theta",
        o.theta.into(),
        (0.5..=1.0).contains(&o.theta),
        "0.5 to 1",
    );
    range(
        "dry_m",
        o.dry_m.into(),
        (1e-6..=0.1).contains(&o.dry_m),
        "0.000001 to 0.1 m",
    );
    range(
        "froude_max",
        o.froude_max.into(),
        o.froude_max > 0.0 && o.froude_max.is_finite(),
        "above 0",
    );
    range(
        "dt_max_s",
        o.dt_max_s,
        o.dt_max_s > 0.0 && o.dt_max_s.is_finite(),
        "above 0 s",
    );
    range(
        "flooded_m",
        o.flooded_m.into(),
        o.flooded_m > 0.0,
        "above 0 m",
    );
    range("moving_m", o.moving_m.into(), o.moving_m > 0.0, "above 0 m");
    range("watch_s", o.watch_s, o.watch_s >= 0.0, "0 s or more");
    range("progress_s", o.progress_s, o.progress_s > 0.0, "above 0 s");
    range(
        "outlet_slope_min",
        o.outlet_slope_min.into(),
        o.outlet_slope_min > 0.0 && o.outlet_slope_min <= 1.0,
        "above 0, at most 1",
    );

    let grid = &domain.bed_m.grid;
    let mut same = |name: &str, other: &Grid| {
        if !grid.same_cells(other) {
            faults.push(
                Fault::new(
                    "flood domain",
                    format!(
                        "{} x {} cells at ({}, {})",
                        other.rows, other.cols, other.west, other.north
                    ),
                    "the cells of the bed raster",
                    "resample it to the compute grid",
                )
                .at(name),
            );
        }
    };
    same("manning_n", &domain.manning_n.grid);
    same("kind", &domain.kind.grid);
    if let Some(depth) = initial_depth_m {
        same("initial depth", &depth.grid);
    }
    if grid.crs.is_geographic() || (grid.dx - grid.dy).abs() > 1e-6 * grid.dx {
        faults.push(Fault::new(
            "flood domain",
            format!(
                "cells of {} x {} in {}",
                grid.dx,
                grid.dy,
                if grid.crs.is_geographic() {
                    "degrees"
                } else {
                    "metres"
                }
            ),
            "square cells of a projected system",
            "resample the terrain to the compute grid of the project",
        ));
    }
    if !faults.is_empty() {
        return faults;
    }
    let (bed, manning, kind) = (
        domain.bed_m.values(),
        domain.manning_n.values(),
        domain.kind.values(),
    );
    let mut cell_fault = |cell: usize, what: &str, found: f32, expected: &str, remedy: &str| {
        let (row, col) = grid.row_col(cell as u32);
        faults.push(
            Fault::new("flood domain", format!("{what} {found}"), expected, remedy)
                .at(format!("row {row}, column {col}")),
        );
        faults.len() < 20
    };
    for cell in 0..kind.len() {
        let mut go_on = true;
        if kind[cell] > OUTLET {
            go_on = cell_fault(
                cell,
                "kind",
                f32::from(kind[cell]),
                "0 (wall), 1 (active) or 2 (outlet)",
                "correct the mask",
            );
        }
        if kind[cell] != ACTIVE {
            continue;
        }
        if !bed[cell].is_finite() {
            go_on &= cell_fault(
                cell,
                "bed",
                bed[cell],
                "an elevation in m",
                "fill the gap in the terrain or take the cell out of the mask",
            );
        }
        if !(manning[cell] > 0.0 && manning[cell] <= 1.0) {
            go_on &= cell_fault(
                cell,
                "Manning's n",
                manning[cell],
                "above 0, at most 1 s/m^(1/3)",
                "give every land cover a roughness",
            );
        }
        if let Some(depth) = initial_depth_m {
            let d = depth.values()[cell];
            if d < 0.0 || d.is_infinite() {
                go_on &= cell_fault(
                    cell,
                    "initial depth",
                    d,
                    "0 m or more",
                    "correct the initial depth",
                );
            }
        }
        if !go_on {
            break;
        }
    }
    faults
}
