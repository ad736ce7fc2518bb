//! Two-dimensional flood flow (二维洪水演进) on a raster: depth and flow from rain, rivers, tides and works.
//!
//! Two schemes share inputs, outputs and layout ([`Scheme`]): `inertial` (local inertial equations, for rain, river and
//! coastal floods) and `volumes` (finite volumes with shocks, for dam breaks and steep channels). What makes both robust
//! without tuning:
//! * depth is stored, never water level: f32 carries millimetres at any altitude;
//! * Manning friction is solved implicitly, so thin films on steep ground and faces that have just become wet need no
//!   special case;
//! * **positivity**: a cell that is asked for more water than it has gives each neighbour the same share of what was
//!   asked; both sides of a face use the same product, so that mass is kept to rounding;
//! * a compensated depth (two-sum) and an f64 **mass ledger**: initial + inflow - outflow - stored;
//! * `auto` begins with the inertial equations and goes over to finite volumes when deep water runs too fast for them;
//! * the time step follows the deepest water or the fastest wave, and is cut at the ends of inflow steps.
//!
//! Rivers narrower than a cell run in [`Channels`] of their own below it.
//!
//! Only blocks of cells that hold water, or touch one that does, cost time. Work is done by bands of rows in rayon's
//! current pool. Reductions are maxima, or sums per band in band order: the bytes of the result do not depend on the
//! number of threads.

mod auto;
#[cfg(test)]
mod cases;
mod channels;
mod check;
mod edges;
mod flow;
mod inertial;
mod kernel;
mod plane;
mod state;
#[cfg(test)]
mod tests;
mod volumes;
mod watch;

use super::infiltration::Infiltration;
use super::rainfall::RainField;
use super::works::breach::BreachGrowth;
use super::works::culverts::Culvert;
use super::works::drains::StormDrains;
use super::works::pumps::Pump;
use super::works::weirs::{Bridge, Opening, Weir};
use anlan_engine::{Error, Grid, Raster, Result};
use flow::Flow;
pub use state::State;

/// A cell outside the solver: hillslope or no data; a wall to the flow.
pub const WALL: u8 = 0;
/// A cell of the solver.
pub const ACTIVE: u8 = 1;
/// Sea, lake of fixed outlet or the world beyond: water that enters it has left the domain.
pub const OUTLET: u8 = 2;

/// The ground that water flows over. All rasters share one projected grid with square cells.
#[derive(Debug, Clone, Copy)]
pub struct Domain<'a> {
    /// Bed, m; finite in active cells.
    pub bed_m: &'a Raster<f32>,
    /// Manning's n (糙率), s m^(-1/3); above 0 in active cells.
    pub manning_n: &'a Raster<f32>,
    /// [`WALL`], [`ACTIVE`] or [`OUTLET`] per cell.
    pub kind: &'a Raster<u8>,
}

/// What lies beyond the outermost rows and columns, and beyond outlet cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edge {
    /// A wall. Outlet cells take what normal depth gives.
    #[default]
    Closed,
    /// Free outflow at normal depth on the local bed slope.
    Free,
}

/// Equations and their scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Local inertial: no advection, flow at most critical. The fastest, for rain, river and coastal floods.
    #[default]
    Inertial,
    /// Finite volumes of first order: shocks and supercritical flow.
    Fv1,
    /// Finite volumes of second order in space and time.
    Fv2,
    /// `Inertial` for as long as its equations hold, then `Fv2`: from the start where the case breaks a dam or a dyke or
    /// begins with a front of water, later when deep water runs near its critical speed ([`AutoRule`]).
    Auto,
}

/// When [`Scheme::Auto`] leaves the inertial equations. Only deep cells count: sheet flow on a hillslope is fast for its
/// depth and right without advection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AutoRule {
    /// Depth from which a cell counts as deep, m.
    pub deep_m: f32,
    /// Froude number from which deep water is fast.
    pub froude: f32,
    /// Share of the deep cells that are fast, above 0, at most 1.
    pub share: f64,
    /// Least difference of level between two neighbouring wet cells, as a share of the greater depth, that is a front at
    /// the start.
    pub front: f32,
}

impl Default for AutoRule {
    fn default() -> Self {
        AutoRule {
            deep_m: 0.3,
            froude: 0.8,
            share: 0.01,
            front: 0.3,
        }
    }
}

/// How to solve. The defaults are meant for every case; none needs tuning per case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SolverOptions {
    /// The equations.
    pub scheme: Scheme,
    /// The rule of `Scheme::Auto`.
    pub auto: AutoRule,
    /// Length of the simulation, s.
    pub end_s: f64,
    /// Courant factor alpha of the inertial scheme, above 0, at most 0.7 (Bates et al. 2010); 1/sqrt(2) is the limit in
    /// two dimensions.
    ///
    /// dt = alpha sqrt(theta) dx / sqrt(g h_max). The factor sqrt(theta) is ours: a chequerboard of frictionless waves in
    /// two dimensions grows beyond dt = sqrt(theta / 2) dx / c (the mean of neighbouring flows turns z² - (2 - W) z + 1
    /// into z² - (2 theta - W) z + 2 theta - 1, W = 8 (c dt / dx)²), so that the published alpha = 0.7 with theta = 0.9
    /// makes a deep lake at rest boil.
    pub alpha: f64,
    /// Courant number of finite volumes, above 0, at most 0.5: dt = courant dx / max(|u| + sqrt(g h)).
    pub courant: f64,
    /// Weight of a face's own old flow against its neighbours', 0.5..=1 (0.9: de Almeida et al. 2012).
    pub theta: f32,
    /// Depth at a face up to which nothing flows, m.
    pub dry_m: f32,
    /// Greatest Froude number of the flow through a face.
    pub froude_max: f32,
    /// Rain falls, soil and drains take water this often, s: shares of the interval's water, each in full.
    pub hydrology_s: f64,
    /// Greatest time step, s; it rules while the ground is dry or the water is a film.
    pub dt_max_s: f64,
    /// Time step below which a run is given up, s: such water is too deep or too fast to be meant.
    pub dt_min_s: f64,
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

impl Default for SolverOptions {
    fn default() -> Self {
        SolverOptions {
            scheme: Scheme::default(),
            auto: AutoRule::default(),
            end_s: 3600.0,
            alpha: 0.7,
            courant: 0.45,
            theta: 0.9,
            dry_m: 1e-4,
            froude_max: 1.0,
            hydrology_s: 10.0,
            dt_max_s: 30.0,
            dt_min_s: 1e-3,
            flooded_m: 0.15,
            moving_m: 0.05,
            watch_s: 10.0,
            progress_s: 600.0,
            edge: Edge::Closed,
            outlet_slope_min: 1e-4,
        }
    }
}

/// Water given to cells of the solver: runoff of hillslopes, a river's discharge over its cell's area.
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

/// Cells at the edge of the grid, or beside outlet cells, with a law of their own for the water that passes there.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    /// Active cells (cell numbers); every side of theirs that faces the edge or an outlet cell is open.
    pub cells: Vec<u32>,
    /// What passes.
    pub law: BoundaryLaw,
}

/// What passes through a boundary.
#[derive(Debug, Clone, PartialEq)]
pub enum BoundaryLaw {
    /// Out at normal depth on a bed slope above 0, at most 1.
    NormalDepth {
        /// The slope.
        slope: f64,
    },
    /// To and from a water level (tide, lake, sea).
    Level(Series),
}

/// Values over time, linear between the knots, the outer ones kept before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Ascending times, s.
    pub times_s: Vec<f64>,
    /// One value per time.
    pub values: Vec<f64>,
}

impl Series {
    /// The value at a time.
    pub fn at(&self, time_s: f64) -> f64 {
        let k = self.times_s.partition_point(|&t| t <= time_s);
        let n = self.times_s.len();
        if k == 0 {
            return self.values[0];
        }
        if k == n {
            return self.values[n - 1];
        }
        let (t0, t1) = (self.times_s[k - 1], self.times_s[k]);
        let w = (time_s - t0) / (t1 - t0);
        self.values[k - 1] + w * (self.values[k] - self.values[k - 1])
    }
}

/// A dyke or wall (堤防) along faces between cells: water passes over its crest as over a broad weir, q = C H^1.5, drowned
/// after Villemonte (1947).
#[derive(Debug, Clone, PartialEq)]
pub struct Dyke {
    /// Pairs of cells that share a side, both active.
    pub faces: Vec<(u32, u32)>,
    /// Crest of each face, m, in the datum of the bed.
    pub crest_m: Vec<f64>,
    /// C, m^(1/2)/s: 1.7 for a broad crest, 1.9 for a sharp one.
    pub coefficient: f64,
    /// Faces that breach (溃口): index into `faces`, and the crest over time, m. Never below the beds beside it.
    pub breaches: Vec<(usize, Series)>,
}

impl Dyke {
    /// Crest of a face at a time, m.
    fn crest_at(&self, face: usize, time_s: f64) -> f64 {
        (self.breaches.iter().find(|b| b.0 == face))
            .map_or(self.crest_m[face], |(_, crest)| crest.at(time_s))
    }
}

/// A work that carries water from one cell to another (涵洞、桥、闸、泵、溃坝).
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Cell on the first side: upstream of a culvert, intake of a pump.
    pub from: u32,
    /// Cell on the other side; `None`: out of the domain, over a level as low as the bed (pumps).
    pub to: Option<u32>,
    /// What it is.
    pub work: Work,
}

/// Kinds of works between two cells.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Pipe or box under a road.
    Culvert(Culvert),
    /// Opening under a deck, and flow over it.
    Bridge(Bridge),
    /// Gate, flap or orifice.
    Opening(Opening),
    /// Pump with levels at which it starts and stops.
    Pump(Pump),
    /// Breach of a dam between its reservoir and the valley.
    Breach(Weir, BreachGrowth),
}

impl Work {
    /// Discharge from the first side to the other, m³/s.
    fn flow_m3_s(&mut self, level_a_m: f64, level_b_m: f64, time_s: f64) -> f64 {
        match self {
            Work::Culvert(w) => w.flow_m3_s(level_a_m, level_b_m),
            Work::Bridge(w) => w.flow_m3_s(level_a_m, level_b_m),
            Work::Opening(w) => w.flow_m3_s(level_a_m, level_b_m),
            Work::Pump(w) => w.flow_m3_s(level_a_m, level_b_m),
            Work::Breach(weir, growth) => growth
                .at(time_s)
                .map_or(0.0, |opened| opened.flow_m3_s(weir, level_a_m, level_b_m)),
        }
    }
}

/// Channels narrower than a cell (亚网格河道): one reach per cell, below the bed of its cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Channels {
    /// Active cells (cell numbers), each once.
    pub cells: Vec<u32>,
    /// Width of each reach, m, above 0, at most the cell's.
    pub width_m: Vec<f32>,
    /// Depth of its bottom below the bed of the cell, m, above 0.
    pub depth_m: Vec<f32>,
    /// Manning's n, s m^(-1/3), above 0.
    pub manning_n: Vec<f32>,
    /// Pairs of reaches (numbers in `cells`) in neighbouring cells, from the upper to the lower. A reach without a next
    /// one, at the edge or beside an outlet cell, lets its water out at normal depth; one in a cell of a level boundary
    /// has its level.
    pub joints: Vec<(u32, u32)>,
}

/// A case to solve: the ground, what is on it at the start, what comes in and what stands in the way.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The ground.
    pub domain: Domain<'a>,
    /// Depth at the start, m (NaN and none: dry).
    pub initial_depth_m: Option<&'a Raster<f32>>,
    /// Velocity to the east and to the south at the start, m/s; finite volumes only.
    pub initial_velocity_m_s: Option<[&'a Raster<f32>; 2]>,
    /// Water given to cells.
    pub inflows: &'a [Inflow],
    /// Laws of parts of the edge.
    pub boundaries: &'a [Boundary],
    /// Dykes and walls.
    pub dykes: &'a [Dyke],
    /// Works between two cells.
    pub links: &'a [Link],
    /// Channels narrower than a cell.
    pub channels: Option<&'a Channels>,
    /// Rain on the grid.
    pub rain: Option<&'a RainField>,
    /// What the soil takes, with its state at the start.
    pub soil: Option<&'a Infiltration>,
    /// Storm drains (雨水管网), and the share of each cell that they serve, 0..=1.
    pub drains: Option<(&'a StormDrains, &'a Raster<f32>)>,
}

impl<'a> Case<'a> {
    /// Dry ground without anything else.
    pub fn new(domain: Domain<'a>) -> Self {
        Case {
            domain,
            initial_depth_m: None,
            initial_velocity_m_s: None,
            inflows: &[],
            boundaries: &[],
            dykes: &[],
            links: &[],
            channels: None,
            rain: None,
            soil: None,
            drains: None,
        }
    }
}

/// Where the water went, m³.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ledger {
    /// In the domain at the start.
    pub initial_m3: f64,
    /// Given by inflows.
    pub inflow_m3: f64,
    /// Fallen as rain.
    pub rain_m3: f64,
    /// Taken by the soil.
    pub infiltrated_m3: f64,
    /// Carried away by storm drains and by pumps out of the domain.
    pub drained_m3: f64,
    /// Left through openings, less what came in through them.
    pub outflow_m3: f64,
    /// In the domain at the end.
    pub stored_m3: f64,
}

impl Ledger {
    /// What is not accounted for, as a share of all water given, also by what came in through openings on balance; 0 for a
    /// domain that never saw water.
    pub fn error(&self) -> f64 {
        let given = self.initial_m3 + self.inflow_m3 + self.rain_m3 + (-self.outflow_m3).max(0.0);
        let gone = self.infiltrated_m3 + self.drained_m3 + self.outflow_m3.max(0.0);
        if given > 0.0 {
            (given - gone - self.stored_m3) / given
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
    /// Greatest depth times velocity at one time, m²/s.
    pub max_hazard_m2_s: Vec<f32>,
    /// Time at which the depth first reached `flooded_m`, s; NaN where it never did.
    pub arrival_s: Vec<f32>,
    /// Time for which it was at least `flooded_m` deep, s.
    pub duration_s: Vec<f32>,
    /// The water balance.
    pub ledger: Ledger,
    /// The scheme at the end, and since when it ruled, s.
    pub scheme: (Scheme, f64),
    /// Time steps taken.
    pub steps: u64,
    /// Cells that were computed, over all steps: walls and dry cells of active blocks count, those of sleeping blocks
    /// do not.
    pub cell_steps: u64,
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

/// Runs a flood. `progress` hears the simulated time, s.
///
/// # Errors
/// As [`Simulation::new`] and [`Simulation::advance`].
pub fn simulate(
    case: &Case<'_>,
    options: &SolverOptions,
    progress: &mut dyn FnMut(f64),
) -> Result<Inundation> {
    simulate_until(case, options, progress, &mut |_| false)
}

/// Runs a flood as [`simulate`] does; `stop` hears the simulated time, s, before every time step and ends the run when it
/// says so.
///
/// # Errors
/// As [`simulate`]; `Cancelled` where `stop` ended the run.
pub fn simulate_until(
    case: &Case<'_>,
    options: &SolverOptions,
    progress: &mut dyn FnMut(f64),
    stop: &mut dyn FnMut(f64) -> bool,
) -> Result<Inundation> {
    let mut run = Simulation::new(*case, options)?;
    while run.now_s() < options.end_s {
        let until = run.now_s() + options.progress_s;
        run.flow.advance(until, case, stop)?;
        progress(run.now_s());
    }
    Ok(run.finish())
}

/// Water at a cell at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Depth on the cell, m.
    pub depth_m: f64,
    /// Water level, m; the bed where it is dry. Below the bed in a channel that is not full.
    pub level_m: f64,
    /// Velocity to the east and to the south, m/s.
    pub velocity_m_s: [f64; 2],
}

/// A run that its caller leads: it stops where the caller wants to look, and can be saved and taken up again.
///
/// Where a run stops its time step is cut: two runs give the same bytes where they stop at the same times. A run that is
/// saved and taken up gives the bytes of one that was saved at the same times and went on.
pub struct Simulation<'a> {
    case: Case<'a>,
    flow: Flow,
}

impl<'a> Simulation<'a> {
    /// A run at its start.
    ///
    /// # Errors
    /// Options out of range, rasters of different cells, geographic or oblong cells, missing bed or friction in an active
    /// cell, negative initial depth, inflow to a cell that is not active, boundary cells that lie at no edge, dyke faces
    /// between cells that are not neighbours, series that do not ascend, all named together.
    pub fn new(case: Case<'a>, options: &SolverOptions) -> Result<Simulation<'a>> {
        let faults = check::check(&case, options);
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        let flow = Flow::new(&case, options);
        Ok(Simulation { case, flow })
    }

    /// Takes a run up where it was saved. The case and the options are those of the saved run, but for `end_s`.
    ///
    /// # Errors
    /// As [`Simulation::new`]; a state of another case: other cells, soil or works.
    pub fn resume(
        case: Case<'a>,
        options: &SolverOptions,
        state: &State,
    ) -> Result<Simulation<'a>> {
        let mut run = Simulation::new(case, options)?;
        run.flow.restore(state)?;
        Ok(run)
    }

    /// Simulated time, s.
    pub fn now_s(&self) -> f64 {
        self.flow.now()
    }

    /// End of the options, s.
    pub fn end_s(&self) -> f64 {
        self.flow.options.end_s
    }

    /// Runs until a time, s, at the latest to the end of the options.
    ///
    /// # Errors
    /// `Failed` when the time step falls below `dt_min_s` or depths cease to be finite, with the cell that is to blame.
    pub fn advance(&mut self, until_s: f64) -> Result<()> {
        self.flow.advance(until_s, &self.case, &mut |_| false)
    }

    /// Depth now, m; cells outside the solver are NaN.
    pub fn depth_m(&self) -> Raster<f32> {
        self.flow.depth_now(&self.case.domain.bed_m.grid)
    }

    /// Water at a cell now; `None` outside the solver.
    pub fn probe(&self, cell: u32) -> Option<Probe> {
        self.flow.probe(cell)
    }

    /// The water balance so far.
    pub fn ledger(&self) -> Ledger {
        self.flow.ledger_now()
    }

    /// All that is needed to take the run up from here.
    pub fn state(&mut self) -> State {
        self.flow.save()
    }

    /// Ends the run.
    pub fn finish(self) -> Inundation {
        self.flow.finish()
    }
}
