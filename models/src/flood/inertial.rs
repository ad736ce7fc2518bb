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

use super::kernel::{self, Peaks, Step, Watch};
use super::layout::{ACTIVE, Band, Layout, OUTLET, Opening, Segment, Side};
use super::simd;
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use rayon::prelude::*;

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

/// An inflow with its cells found in the compact arrays.
struct Supply<'a> {
    inflow: &'a Inflow,
    positions: Vec<usize>,
    /// Step in force; `None` before the first and after the last.
    step: Option<usize>,
    begun: bool,
}

impl<'a> Supply<'a> {
    fn new(inflow: &'a Inflow, layout: &Layout) -> Result<Self, Fault> {
        let fault = |found: String, expected: &str| {
            Fault::new(
                "flood inflow",
                found,
                expected,
                "build the inflow on the solver's cells",
            )
        };
        if !(inflow.step_s > 0.0 && inflow.step_s.is_finite()) {
            return Err(fault(
                format!("step of {} s", inflow.step_s),
                "a step above 0 s",
            ));
        }
        if inflow.steps() * inflow.cells.len() != inflow.rates_m_s.len() {
            return Err(fault(
                format!(
                    "{} rates for {} cells",
                    inflow.rates_m_s.len(),
                    inflow.cells.len()
                ),
                "as many rates as cells in every step",
            ));
        }
        if let Some(rate) = inflow
            .rates_m_s
            .iter()
            .find(|r| !(r.is_finite() && **r >= 0.0))
        {
            return Err(fault(format!("rate {rate} m/s"), "0 m/s or more"));
        }
        let positions = inflow
            .cells
            .iter()
            .map(|&cell| {
                let cell = cell as usize;
                layout
                    .position(cell / layout.cols, cell % layout.cols)
                    .ok_or_else(|| fault(format!("cell {cell}"), "an active cell of the solver"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Supply {
            inflow,
            positions,
            step: None,
            begun: false,
        })
    }

    /// Moves to the step in force at `now`; true where it changed.
    fn advance(&mut self, now: f64) -> bool {
        // Steps are multiples of step_s, reached exactly: times are cut to them. The half-ulp guard covers k * step_s.
        let k = (now / self.inflow.step_s * (1.0 + 4.0 * f64::EPSILON)) as usize;
        let step = (k < self.inflow.steps()).then_some(k);
        let changed = !self.begun || step != self.step;
        (self.step, self.begun) = (step, true);
        changed
    }

    fn next_change(&self) -> f64 {
        match self.step {
            Some(k) => (k + 1) as f64 * self.inflow.step_s,
            None => f64::INFINITY,
        }
    }
}

/// State of a run, in the compact layout.
struct Flow {
    layout: Layout,
    cell_m: f64,
    options: InertialOptions,
    bed: Vec<f32>,
    manning: Vec<f32>,
    depth: Vec<f32>,
    rest: Vec<f32>,
    source: Vec<f32>,
    /// Sum of `source`, m/s, f64.
    source_sum: f64,
    /// Flow through the east, south and north face of each cell, m²/s, positive to the east and south.
    east: Vec<f32>,
    south: Vec<f32>,
    north: Vec<f32>,
    new_east: Vec<f32>,
    new_south: Vec<f32>,
    /// Share of the wanted outflow that a cell can give.
    share: Vec<f32>,
    max_depth: Vec<f32>,
    max_velocity: Vec<f32>,
    velocity_at_peak: Vec<f32>,
    arrival: Vec<f32>,
    duration: Vec<f32>,
    /// Greatest depth per segment and over all, m.
    segment_depth: Vec<f32>,
    deepest: f32,
    ledger: Ledger,
    steps: u64,
}

impl Flow {
    fn new(domain: &Domain<'_>, initial: Option<&Raster<f32>>, options: &InertialOptions) -> Flow {
        let grid = &domain.bed_m.grid;
        let mut layout = Layout::new(domain.kind);
        layout.open(openings(domain, &layout, options));
        let len = layout.elements;
        let gather = |raster: &Raster<f32>, pad: f32| {
            let mut out = vec![pad; len];
            let values = raster.values();
            layout.for_each(|at, row, col| out[at] = values[row * grid.cols + col]);
            out
        };
        let bed = gather(domain.bed_m, 0.0);
        let manning = gather(domain.manning_n, 1.0);
        let mut depth = initial.map_or_else(|| vec![0.0; len], |d| gather(d, 0.0));
        depth
            .iter_mut()
            .filter(|d| d.is_nan())
            .for_each(|d| *d = 0.0);
        let segment_depth: Vec<f32> = layout
            .segments
            .iter()
            .map(|s| simd::greatest(&depth[s.cells.clone()]))
            .collect();
        let deepest = simd::greatest(&segment_depth);
        let zeros = || vec![0.0f32; len];
        let mut flow = Flow {
            cell_m: grid.dx,
            options: *options,
            bed,
            manning,
            depth,
            rest: zeros(),
            source: zeros(),
            source_sum: 0.0,
            east: zeros(),
            south: zeros(),
            north: zeros(),
            new_east: zeros(),
            new_south: zeros(),
            share: vec![1.0; len],
            max_depth: zeros(),
            max_velocity: zeros(),
            velocity_at_peak: zeros(),
            arrival: vec![-1.0; len],
            duration: zeros(),
            segment_depth,
            deepest,
            ledger: Ledger::default(),
            steps: 0,
            layout,
        };
        flow.watch(0.0, 0.0);
        flow
    }

    /// Water in the domain, m³: f64, summed per band, bands in order.
    fn volume_m3(&self) -> f64 {
        let parts: Vec<f64> = self
            .layout
            .bands
            .par_iter()
            .map(|b| {
                let (h, rest) = (
                    &self.depth[b.elements.clone()],
                    &self.rest[b.elements.clone()],
                );
                h.iter()
                    .zip(rest)
                    .map(|(&h, &r)| f64::from(h) + f64::from(r))
                    .sum()
            })
            .collect();
        parts.iter().sum::<f64>() * self.cell_m * self.cell_m
    }

    fn set_sources(&mut self, supplies: &[Supply<'_>]) {
        self.source.fill(0.0);
        for supply in supplies {
            let Some(step) = supply.step else { continue };
            let n = supply.positions.len();
            let rates = &supply.inflow.rates_m_s[step * n..(step + 1) * n];
            for (&at, &rate) in supply.positions.iter().zip(rates) {
                self.source[at] += rate;
            }
        }
        self.source_sum = self.source.iter().map(|&s| f64::from(s)).sum();
    }

    fn step(&mut self, dt: f64) {
        let step = Step {
            theta: self.options.theta,
            g_dt: kernel::GRAVITY * dt as f32,
            g_dt_dx: (f64::from(kernel::GRAVITY) * dt / self.cell_m) as f32,
            dt_dx: (dt / self.cell_m) as f32,
            dt: dt as f32,
            dry: self.options.dry_m,
            froude: self.options.froude_max,
        };
        // The ledger books what the cells are given: the step as single precision has it.
        let area = self.cell_m * self.cell_m;
        self.ledger.inflow_m3 += self.source_sum * f64::from(step.dt) * area;
        self.momentum(step);
        let short = self.limit(step);
        let outflow_m2 = self.mass(step, &short);
        self.ledger.outflow_m3 += outflow_m2 * f64::from(step.dt_dx) * area;
        std::mem::swap(&mut self.east, &mut self.new_east);
        std::mem::swap(&mut self.south, &mut self.new_south);
        self.steps += 1;
    }

    /// New flow through all faces but the northern ones, which are the southern ones of the row above.
    fn momentum(&mut self, step: Step) {
        let layout = &self.layout;
        let (z, h, n) = (&self.bed[..], &self.depth[..], &self.manning[..]);
        let (east, south, north) = (&self.east[..], &self.south[..], &self.north[..]);
        let wet = &self.segment_depth[..];
        layout
            .bands
            .par_iter()
            .zip(split(&mut self.new_east, &layout.bands))
            .zip(split(&mut self.new_south, &layout.bands))
            .for_each(|((band, new_east), new_south)| {
                let base = band.elements.start;
                for (segment, &peak) in layout.segments[band.segments.clone()]
                    .iter()
                    .zip(&wet[band.segments.clone()])
                {
                    let (s, e) = (segment.cells.start, segment.cells.end);
                    let out = &mut new_east[s - 1 - base..e - base];
                    if peak <= step.dry {
                        out.fill(0.0);
                        continue;
                    }
                    out[0] = 0.0;
                    out[e - s] = 0.0;
                    simd::faces(
                        [&z[s..e - 1], &h[s..e - 1], &n[s..e - 1]],
                        [&z[s + 1..e], &h[s + 1..e], &n[s + 1..e]],
                        [&east[s..e - 1], &east[s - 1..e - 2], &east[s + 1..e]],
                        [
                            &south[s..e - 1],
                            &south[s + 1..e],
                            &north[s..e - 1],
                            &north[s + 1..e],
                        ],
                        step,
                        &mut out[1..e - s],
                    );
                }
                new_south.fill(0.0);
                for link in &layout.links[band.below.clone()] {
                    if wet[link.upper_segment] <= step.dry && wet[link.lower_segment] <= step.dry {
                        continue;
                    }
                    let (c, d, len) = (link.upper, link.lower, link.len);
                    simd::faces(
                        [&z[c..c + len], &h[c..c + len], &n[c..c + len]],
                        [&z[d..d + len], &h[d..d + len], &n[d..d + len]],
                        [&south[c..c + len], &north[c..c + len], &south[d..d + len]],
                        [
                            &east[c..c + len],
                            &east[c - 1..c - 1 + len],
                            &east[d..d + len],
                            &east[d - 1..d - 1 + len],
                        ],
                        step,
                        &mut new_south[c - base..c - base + len],
                    );
                }
                for o in &layout.openings[band.openings.clone()] {
                    let q = normal_flow(o, h[o.cell], step);
                    match o.side {
                        Side::East => new_east[o.cell - base] = q,
                        Side::West => new_east[o.cell - 1 - base] = -q,
                        Side::South => new_south[o.cell - base] = q,
                        Side::North => {}
                    }
                }
            });
    }

    /// Fills the northern flows and the shares; tells which bands hold a cell that cannot give all that is asked.
    fn limit(&mut self, step: Step) -> Vec<bool> {
        let layout = &self.layout;
        let h = &self.depth[..];
        let (new_east, new_south) = (&self.new_east[..], &self.new_south[..]);
        layout
            .bands
            .par_iter()
            .zip(split(&mut self.north, &layout.bands))
            .zip(split(&mut self.share, &layout.bands))
            .map(|((band, north), share)| {
                let base = band.elements.start;
                north.fill(0.0);
                for link in &layout.links[band.above.clone()] {
                    let at = link.lower - base;
                    north[at..at + link.len]
                        .copy_from_slice(&new_south[link.upper..link.upper + link.len]);
                }
                for o in &layout.openings[band.openings.clone()] {
                    if o.side == Side::North {
                        north[o.cell - base] = -normal_flow(o, h[o.cell], step);
                    }
                }
                let mut short = false;
                for segment in &layout.segments[band.segments.clone()] {
                    let (s, e) = (segment.cells.start, segment.cells.end);
                    short |= simd::limits(
                        &h[s..e],
                        [
                            &new_east[s - 1..e - 1],
                            &new_east[s..e],
                            &north[s - base..e - base],
                            &new_south[s..e],
                        ],
                        step,
                        &mut share[s - base..e - base],
                    );
                }
                short
            })
            .collect()
    }

    /// Scales flows where cells run short, moves the water; returns the sum of outflows, m²/s.
    fn mass(&mut self, step: Step, short: &[bool]) -> f64 {
        let layout = &self.layout;
        let bands = &layout.bands;
        let share = &self.share[..];
        let source = &self.source[..];
        let parts: Vec<(f32, f64)> = bands
            .par_iter()
            .enumerate()
            .zip(split(&mut self.new_east, bands))
            .zip(split(&mut self.new_south, bands))
            .zip(split(&mut self.north, bands))
            .zip(split(&mut self.depth, bands))
            .zip(split(&mut self.rest, bands))
            .zip(split_segments(&mut self.segment_depth, bands))
            .map(
                |(((((((number, band), east), south), north), depth), rest), peaks)| {
                    let base = band.elements.start;
                    let near = number.saturating_sub(1)..(number + 2).min(short.len());
                    if short[near].iter().any(|&s| s) {
                        scale_band(layout, band, share, east, south, north);
                    }
                    let mut deepest = 0.0;
                    for (segment, peak) in layout.segments[band.segments.clone()].iter().zip(peaks)
                    {
                        let (s, e) = (segment.cells.start - base, segment.cells.end - base);
                        simd::continuity(
                            &mut depth[s..e],
                            &mut rest[s..e],
                            [&east[s - 1..e - 1], &east[s..e], &north[s..e], &south[s..e]],
                            &source[segment.cells.clone()],
                            step,
                        );
                        *peak = simd::greatest(&depth[s..e]);
                        deepest = kernel::hi(*peak, deepest);
                    }
                    let left = layout.openings[band.openings.clone()].iter().map(|o| {
                        let at = o.cell - base;
                        f64::from(match o.side {
                            Side::East => east[at],
                            Side::West => -east[at - 1],
                            Side::South => south[at],
                            Side::North => -north[at],
                        })
                    });
                    (deepest, left.sum())
                },
            )
            .collect();
        self.deepest = parts.iter().fold(0.0, |m, p| kernel::hi(p.0, m));
        parts.iter().map(|p| p.1).sum()
    }

    fn watch(&mut self, now: f64, elapsed: f64) {
        let layout = &self.layout;
        let bands = &layout.bands;
        let look = Watch {
            flooded: self.options.flooded_m,
            moving: self.options.moving_m,
            froude: self.options.froude_max,
            now: now as f32,
            elapsed: elapsed as f32,
        };
        let (h, east, south, north) = (
            &self.depth[..],
            &self.east[..],
            &self.south[..],
            &self.north[..],
        );
        bands
            .par_iter()
            .zip(split(&mut self.max_depth, bands))
            .zip(split(&mut self.max_velocity, bands))
            .zip(split(&mut self.velocity_at_peak, bands))
            .zip(split(&mut self.arrival, bands))
            .zip(split(&mut self.duration, bands))
            .for_each(
                |(((((band, depth), velocity), at_peak), arrival), duration)| {
                    for Segment { cells, .. } in &layout.segments[band.segments.clone()] {
                        let (s, e) = (cells.start, cells.end);
                        let own = s - band.elements.start..e - band.elements.start;
                        kernel::watch(
                            &h[s..e],
                            [&east[s - 1..e - 1], &east[s..e], &north[s..e], &south[s..e]],
                            look,
                            Peaks {
                                depth: &mut depth[own.clone()],
                                velocity: &mut velocity[own.clone()],
                                velocity_at_peak: &mut at_peak[own.clone()],
                                arrival: &mut arrival[own.clone()],
                                duration: &mut duration[own],
                            },
                        );
                    }
                },
            );
    }

    fn finish(mut self) -> Inundation {
        self.ledger.stored_m3 = self.volume_m3();
        for a in self.arrival.iter_mut().filter(|a| **a < 0.0) {
            *a = f32::NAN;
        }
        let expand = |field: &[f32]| self.layout.expand(field);
        Inundation {
            cells: self.layout.cell_numbers(),
            depth_m: expand(&self.depth),
            max_depth_m: expand(&self.max_depth),
            max_velocity_m_s: expand(&self.max_velocity),
            velocity_at_peak_m_s: expand(&self.velocity_at_peak),
            arrival_s: expand(&self.arrival),
            duration_s: expand(&self.duration),
            ledger: self.ledger,
            steps: self.steps,
        }
    }
}

/// Scales the flows of a band by the share of their donors. A face between two bands is held by both; both multiply the
/// same numbers.
fn scale_band(
    layout: &Layout,
    band: &Band,
    share: &[f32],
    east: &mut [f32],
    south: &mut [f32],
    north: &mut [f32],
) {
    let base = band.elements.start;
    for Segment { cells, .. } in &layout.segments[band.segments.clone()] {
        let (s, e) = (cells.start, cells.end);
        simd::scale(
            &mut east[s - 1 - base..e - base],
            &share[s - 1..e],
            &share[s..e + 1],
        );
    }
    for link in &layout.links[band.below.clone()] {
        let (c, d, len) = (link.upper, link.lower, link.len);
        simd::scale(
            &mut south[c - base..c - base + len],
            &share[c..c + len],
            &share[d..d + len],
        );
    }
    for link in &layout.links[band.above.clone()] {
        let (c, d, len) = (link.upper, link.lower, link.len);
        simd::scale(
            &mut north[d - base..d - base + len],
            &share[c..c + len],
            &share[d..d + len],
        );
    }
    for o in &layout.openings[band.openings.clone()] {
        match o.side {
            Side::South => south[o.cell - base] *= share[o.cell],
            Side::North => north[o.cell - base] *= share[o.cell],
            // Along the row an opening lies between its cell and a pad, whose share is 1.
            Side::East | Side::West => {}
        }
    }
}

/// Outflow at normal depth, m²/s: h^(5/3) sqrt(S0) / n, at most critical.
fn normal_flow(opening: &Opening, depth: f32, step: Step) -> f32 {
    if depth <= step.dry {
        return 0.0;
    }
    let q = depth * depth * kernel::reciprocal_cube_root(depth) * opening.conveyance;
    q.min(depth * (kernel::GRAVITY * depth).sqrt())
}

/// Faces between an active cell and an outlet, or the edge of the grid where that is free.
fn openings(domain: &Domain<'_>, layout: &Layout, options: &InertialOptions) -> Vec<Opening> {
    let grid = &domain.bed_m.grid;
    let (rows, cols) = grid.shape();
    let (bed, kind) = (&domain.bed_m.data, &domain.kind.data);
    let mut found = Vec::new();
    layout.for_each(|cell, row, col| {
        for (side, dr, dc) in [
            (Side::East, 0isize, 1isize),
            (Side::South, 1, 0),
            (Side::West, 0, -1),
            (Side::North, -1, 0),
        ] {
            let at = |dr: isize, dc: isize| {
                let (r, c) = (row.checked_add_signed(dr)?, col.checked_add_signed(dc)?);
                (r < rows && c < cols).then_some((r, c))
            };
            let open = match at(dr, dc) {
                Some(rc) => kind[rc] == OUTLET,
                None => options.edge == Edge::Free,
            };
            if !open {
                continue;
            }
            let fall = at(-dr, -dc)
                .filter(|&rc| kind[rc] == ACTIVE)
                .map_or(0.0, |rc| f64::from(bed[rc] - bed[(row, col)]) / grid.dx);
            let slope = fall.clamp(f64::from(options.outlet_slope_min), 1.0);
            found.push(Opening {
                cell,
                side,
                conveyance: (libm::sqrt(slope) / f64::from(domain.manning_n.data[(row, col)]))
                    as f32,
            });
        }
    });
    found
}

/// A field cut into the parts of the bands.
fn split<'a>(field: &'a mut [f32], bands: &[Band]) -> Vec<&'a mut [f32]> {
    cut(field, bands.iter().map(|b| b.elements.end))
}

fn split_segments<'a>(field: &'a mut [f32], bands: &[Band]) -> Vec<&'a mut [f32]> {
    cut(field, bands.iter().map(|b| b.segments.end))
}

fn cut<'a>(mut field: &'a mut [f32], ends: impl Iterator<Item = usize>) -> Vec<&'a mut [f32]> {
    let mut start = 0;
    ends.map(|end| {
        let (part, rest) = std::mem::take(&mut field).split_at_mut(end - start);
        (start, field) = (end, rest);
        part
    })
    .collect()
}
