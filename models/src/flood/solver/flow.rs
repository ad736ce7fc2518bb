//! State of a run and its steps in time.

use super::auto;
use super::channels::Network;
use super::edges::{Faces, Gate, Law, Settled, Supply};
use super::inertial;
use super::kernel::{GRAVITY, add, greatest, hi, lo, pour};
use super::plane::{BAND_ROWS, Blocks, Plane, Shape};
use super::volumes::{self, Order, Stage};
use super::watch::{Flows, Peaks, Watch, look};
use super::{
    ACTIVE, BoundaryLaw, Case, Edge, Inflow, Inundation, Ledger, Link, OUTLET, Probe, Scheme,
    SolverOptions, State, Work,
};
use crate::flood::infiltration::{Infiltration, Rain, Soil};
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use rayon::prelude::*;

/// Height of walls over any bed, m: no water passes, and no product of it leaves f32.
const WALL_M: f32 = 1e20;
/// Steps between two looks at which blocks are active: fewer than a block has rows or columns. While none sleeps, it
/// is only a matter of cost, and looked at less often.
const WAKE_STEPS: u64 = 3;
const SLEEP_STEPS: u64 = 60;
/// Rows of light work that are worth a task.
const ROWS_PER_TASK: usize = 16;

/// What a scheme needs beside the state: room for rows on their way, one set per band.
enum Room {
    Inertial(Vec<inertial::Scratch>),
    Volumes {
        scratch: Vec<volumes::Scratch>,
        /// Change of depth in the first of two stages.
        change: Option<Plane>,
    },
}

/// State of a run. `flow_x`, `flow_y`: flow through the east and south faces of cells (inertial), or of the cells
/// themselves (finite volumes), m²/s.
pub(super) struct Flow {
    shape: Shape,
    pub(super) blocks: Blocks,
    faces: Faces,
    cell_m: f64,
    pub(super) options: SolverOptions,
    /// The scheme in force, and since when, s.
    scheme: (Scheme, f64),
    cells: Vec<u32>,
    bed: Plane,
    manning: Plane,
    /// The present state is `[now]`, the other one is written next.
    depth: [Plane; 2],
    flow_x: [Plane; 2],
    flow_y: [Plane; 2],
    present: usize,
    rest: Plane,
    room: Room,
    peaks: [Plane; 6],
    deepest: f32,
    fastest: f32,
    now: f64,
    watched: f64,
    /// Time up to which rain has fallen and soil has taken water, s.
    wetted: f64,
    soil: Option<Infiltration>,
    links: Vec<Link>,
    channels: Option<Network>,
    /// Step of each inflow in force; `None` after the last.
    in_force: Vec<Option<usize>>,
    ledger: Ledger,
    steps: u64,
    cell_steps: u64,
    computed: u64,
}

impl Flow {
    pub(super) fn new(case: &Case<'_>, options: &SolverOptions) -> Flow {
        let (domain, initial) = (&case.domain, case.initial_depth_m);
        let grid = &domain.bed_m.grid;
        let shape = Shape::new(grid.shape());
        let kind = domain.kind.values();
        let plane = |value| Plane::filled(&shape, value);
        let (mut bed, mut manning, mut depth) = (plane(WALL_M), plane(1.0), plane(0.0));
        let mut cells = Vec::new();
        for cell in (0..kind.len()).filter(|&c| kind[c] == ACTIVE) {
            let at = shape.of_cell(cell);
            bed[at] = domain.bed_m.values()[cell];
            manning[at] = domain.manning_n.values()[cell];
            depth[at] = initial.map_or(0.0, |d| d.values()[cell].max(0.0));
            cells.push(cell as u32);
        }
        let (faces, beyond) = faces_of(case, &shape, options);
        let mut taking_part = vec![false; shape.rows * shape.cols];
        for (row, col) in (cells.iter().map(|&c| shape.row_col(c as usize))).chain(beyond) {
            taking_part[row * shape.cols + col] = true;
        }
        let blocks = Blocks::new(&shape, |row, col| taking_part[row * shape.cols + col]);
        let deepest = greatest(&depth);
        let scheme = match options.scheme {
            Scheme::Auto => auto::first(case, &depth, &bed, &shape, &options.auto),
            chosen => chosen,
        };
        let pair = |first: Plane| [first.clone(), first];
        let place = |cell: usize| {
            let (row, col) = shape.row_col(cell);
            (shape.at(row as isize, col as isize), blocks.of(row, col))
        };
        let mut flow = Flow {
            cell_m: grid.dx,
            options: *options,
            cells,
            bed,
            manning,
            depth: pair(depth),
            flow_x: pair(plane(0.0)),
            flow_y: pair(plane(0.0)),
            present: 0,
            rest: plane(0.0),
            room: room_for(scheme, &shape),
            scheme: (scheme, 0.0),
            peaks: [0.0, 0.0, 0.0, 0.0, -1.0, 0.0].map(plane),
            deepest,
            fastest: (GRAVITY * deepest).sqrt(),
            now: 0.0,
            watched: 0.0,
            wetted: 0.0,
            soil: case.soil.filter(|s| !s.is_none()).cloned(),
            links: case.links.to_vec(),
            channels: case.channels.map(|c| Network::new(case, c, place)),
            in_force: Vec::new(),
            ledger: Ledger::default(),
            steps: 0,
            cell_steps: 0,
            computed: 0,
            shape,
            blocks,
            faces,
        };
        if let Some(velocity) = case.initial_velocity_m_s {
            flow.set_velocity(velocity);
        }
        flow.feed_links();
        flow.wake(true);
        flow.watch(0.0);
        flow.ledger.initial_m3 = flow.volume_m3();
        flow
    }

    fn set_velocity(&mut self, [x, y]: [&Raster<f32>; 2]) {
        for &cell in &self.cells {
            let at = self.shape.of_cell(cell as usize);
            let h = self.depth[self.present][at];
            let (u, v) = (x.values()[cell as usize], y.values()[cell as usize]);
            self.flow_x[self.present][at] = h * u;
            self.flow_y[self.present][at] = h * v;
            let wave = (GRAVITY * h).sqrt() + (u * u + v * v).sqrt();
            self.fastest = hi(wave, self.fastest);
        }
    }

    /// Runs until a time, s, or until told to stop.
    pub(super) fn advance(
        &mut self,
        until: f64,
        case: &Case<'_>,
        stop: &mut dyn FnMut(f64) -> bool,
    ) -> Result<()> {
        let end = until.min(self.options.end_s);
        while self.now < end {
            if stop(self.now) {
                return Err(Error::Cancelled);
            }
            let mut until = self.supply(case.inflows).min(end);
            if case.rain.is_some() || self.soil.is_some() || case.drains.is_some() {
                until = until.min(self.wetted + self.options.hydrology_s);
            }
            self.set_gates(case);
            let every = if self.blocks.all_awake() {
                SLEEP_STEPS
            } else {
                WAKE_STEPS
            };
            if self.steps.is_multiple_of(every) {
                self.wake(false);
            }
            let mut dt = self.longest_step();
            if dt.is_nan() || dt < self.options.dt_min_s {
                return Err(self.too_short(dt));
            }
            if self.now + dt >= until {
                dt = until - self.now;
                self.now = until;
            } else {
                self.now += dt;
            }
            self.carry(dt);
            self.step(dt);
            // Behind the step: a river's discharge falls into its channel before it can run over the ground.
            self.run_channels(dt, case);
            if self.now >= self.wetted + self.options.hydrology_s || self.now >= end {
                self.wet(case);
            }
            if self.now - self.watched >= self.options.watch_s || self.now >= end {
                self.watch(self.now - self.watched);
                self.watched = self.now;
                if self.options.scheme == Scheme::Auto
                    && self.scheme.0 == Scheme::Inertial
                    && self.is_too_fast(&self.options.auto)
                {
                    self.go_over_to_volumes();
                }
            }
        }
        if self.volume_m3().is_finite() {
            Ok(())
        } else {
            Err(self.not_finite())
        }
    }

    /// Why a run is given up whose time step has become too short.
    fn too_short(&self, dt: f64) -> Error {
        let h = &self.depth[self.present];
        let (x, y) = (&self.flow_x[self.present], &self.flow_y[self.present]);
        let wave = |at: usize| {
            let fast = match self.scheme.0 {
                Scheme::Inertial | Scheme::Auto => 0.0,
                Scheme::Fv1 | Scheme::Fv2 if h[at] > self.options.dry_m => {
                    libm::hypotf(x[at], y[at]) / h[at]
                }
                Scheme::Fv1 | Scheme::Fv2 => 0.0,
            };
            fast + (GRAVITY * h[at]).sqrt()
        };
        let worst = (self.cells.iter())
            .max_by(|&&a, &&b| {
                let [a, b] = [a, b].map(|c| wave(self.shape.of_cell(c as usize)));
                a.total_cmp(&b)
            })
            .map_or(0, |&c| c as usize);
        let at = self.shape.of_cell(worst);
        let (row, col) = self.shape.row_col(worst);
        Error::Failed(format!(
            "flood: at {:.1} s the time step fell to {dt:.2e} s (at least {} s): {:.1} m of water over a bed of {:.1} m, waves of {:.0} m/s in row {row}, column {col}. Look for a pit or a no-data value in the terrain there, and for an inflow or a level in another unit",
            self.now,
            self.options.dt_min_s,
            h[at],
            self.bed[at],
            wave(at),
        ))
    }

    fn not_finite(&self) -> Error {
        let h = &self.depth[self.present];
        let worst = (self.cells.iter())
            .find(|&&c| !h[self.shape.of_cell(c as usize)].is_finite())
            .map_or(0, |&c| c as usize);
        let (row, col) = self.shape.row_col(worst);
        Error::Failed(format!(
            "flood: at {:.1} s the depth in row {row}, column {col} ceased to be finite (bed {:.1} m, Manning's n {})",
            self.now,
            self.bed[self.shape.of_cell(worst)],
            self.manning[self.shape.of_cell(worst)],
        ))
    }

    pub(super) fn now(&self) -> f64 {
        self.now
    }

    pub(super) fn depth_now(&self, grid: &Grid) -> Raster<f32> {
        let mut out = Raster::filled(*grid, f32::NAN);
        let values = out.values_mut();
        for &cell in &self.cells {
            values[cell as usize] = self.depth[self.present][self.shape.of_cell(cell as usize)];
        }
        out
    }

    pub(super) fn ledger_now(&self) -> Ledger {
        Ledger {
            stored_m3: self.volume_m3(),
            ..self.ledger
        }
    }

    pub(super) fn probe(&self, cell: u32) -> Option<Probe> {
        self.cells.binary_search(&cell).ok()?;
        let at = self.shape.of_cell(cell as usize);
        let (x, y) = (&self.flow_x[self.present], &self.flow_y[self.present]);
        let depth = self.depth[self.present][at];
        let [qx, qy] = match self.scheme.0 {
            Scheme::Inertial | Scheme::Auto => [
                0.5 * (x[at - 1] + x[at]),
                0.5 * (y[at - self.shape.stride] + y[at]),
            ],
            Scheme::Fv1 | Scheme::Fv2 => [x[at], y[at]],
        };
        let velocity = |q: f32| {
            if depth >= self.options.moving_m {
                f64::from(q) / f64::from(depth)
            } else {
                0.0
            }
        };
        let bed = f64::from(self.bed[at]);
        // Below the bank where the channel is not full: what lies on the cell then is rain that falls into it next.
        let below = (self.channels.as_ref())
            .and_then(|n| n.room_in(cell as usize))
            .filter(|room| *room > 0.0);
        Some(Probe {
            depth_m: f64::from(depth),
            level_m: bed + below.map_or(f64::from(depth), |room| -room),
            velocity_m_s: [velocity(qx), velocity(qy)],
        })
    }

    /// The state now. Which blocks sleep is settled anew, as it is when the state is taken up.
    pub(super) fn save(&mut self) -> State {
        self.wake(true);
        let now = self.present;
        let field = |plane: &Plane| {
            let row = |row: usize| {
                let at = self.shape.at(row as isize, 0);
                &plane[at..at + self.shape.cols]
            };
            (0..self.shape.rows).flat_map(row).copied().collect()
        };
        let planes = [
            &self.depth[now],
            &self.rest,
            &self.flow_x[now],
            &self.flow_y[now],
        ];
        State {
            shape: (self.shape.rows, self.shape.cols),
            cells: self.cells.len(),
            now_s: self.now,
            watched_s: self.watched,
            wetted_s: self.wetted,
            deepest: self.deepest,
            fastest: self.fastest,
            scheme: self.scheme,
            steps: self.steps,
            cell_steps: self.cell_steps,
            ledger: self.ledger,
            fields: planes.into_iter().chain(&self.peaks).map(field).collect(),
            soil: self.soil.as_ref().map_or(&[][..], |s| s.state()).to_vec(),
            channels: (self.channels.iter()).flat_map(Network::state).collect(),
            running: (self.links.iter())
                .map(|l| matches!(&l.work, Work::Pump(p) if p.is_running()))
                .collect(),
        }
    }

    pub(super) fn restore(&mut self, state: &State) -> Result<()> {
        let soil = self.soil.as_ref().map_or(0, |s| s.state().len());
        let channels = self.channels.as_ref().map_or(0, Network::len);
        let (rows, cols) = (self.shape.rows, self.shape.cols);
        let here = [
            rows,
            cols,
            self.cells.len(),
            soil,
            channels,
            self.links.len(),
        ];
        let there = [
            state.shape.0,
            state.shape.1,
            state.cells,
            state.soil.len(),
            state.channels.len(),
            state.running.len(),
        ];
        if here != there {
            let told = |[rows, cols, cells, soil, channels, links]: [usize; 6]| {
                format!(
                    "{} x {} cells, {cells} of them in the solver, {soil} soils, {channels} numbers of channels, {links} works",
                    rows - 2,
                    cols - 2
                )
            };
            return Err(Error::input(Fault::new(
                "restart",
                told(there),
                format!("the case that was saved: {}", told(here)),
                "take the restart file of this case, or start anew",
            )));
        }
        if let Some(network) = &mut self.channels {
            network.restore(&state.channels);
        }
        (self.now, self.watched, self.wetted) = (state.now_s, state.watched_s, state.wetted_s);
        (self.deepest, self.fastest) = (state.deepest, state.fastest);
        (self.steps, self.cell_steps) = (state.steps, state.cell_steps);
        if self.scheme.0 != state.scheme.0 {
            self.room = room_for(state.scheme.0, &self.shape);
        }
        self.scheme = state.scheme;
        self.ledger = state.ledger;
        let put = |plane: &mut Plane, field: &[f32], shape: &Shape| {
            for (row, values) in field.chunks_exact(shape.cols).enumerate() {
                let at = shape.at(row as isize, 0);
                plane[at..at + shape.cols].copy_from_slice(values);
            }
        };
        let shape = &self.shape;
        for (pair, field) in [&mut self.depth, &mut self.flow_x, &mut self.flow_y]
            .into_iter()
            .zip([0, 2, 3])
        {
            pair.iter_mut()
                .for_each(|plane| put(plane, &state.fields[field], shape));
        }
        put(&mut self.rest, &state.fields[1], shape);
        for (plane, field) in self.peaks.iter_mut().zip(&state.fields[4..]) {
            put(plane, field, shape);
        }
        if let Some(soil) = &mut self.soil {
            soil.restore(&state.soil);
        }
        for (link, &running) in self.links.iter_mut().zip(&state.running) {
            if let Work::Pump(pump) = &mut link.work {
                pump.set_running(running);
            }
        }
        self.wake(true);
        Ok(())
    }

    fn longest_step(&self) -> f64 {
        let o = &self.options;
        let dt = match self.scheme.0 {
            Scheme::Inertial | Scheme::Auto => {
                let wave = libm::sqrt(f64::from(GRAVITY) * f64::from(self.deepest));
                o.alpha * libm::sqrt(f64::from(o.theta)) * self.cell_m / wave
            }
            Scheme::Fv1 | Scheme::Fv2 => o.courant * self.cell_m / f64::from(self.fastest),
        };
        let channels = (self.channels.as_ref())
            .map_or(f64::INFINITY, |n| n.longest_step(&self.depth[self.present]));
        dt.min(o.dt_max_s).min(channels)
    }

    /// Shape, depth and flows through the east and south faces.
    pub(super) fn inertial_fields(&self) -> (&Shape, &Plane, &Plane, &Plane) {
        let now = self.present;
        (
            &self.shape,
            &self.depth[now],
            &self.flow_x[now],
            &self.flow_y[now],
        )
    }

    /// Takes flows of cells in place of those of faces, and finite volumes from here on.
    pub(super) fn put_volumes(&mut self, x: Plane, y: Plane, fastest: f32) {
        self.flow_x = [x.clone(), x];
        self.flow_y = [y.clone(), y];
        self.fastest = fastest;
        self.scheme = (Scheme::Fv2, self.now);
        self.room = room_for(Scheme::Fv2, &self.shape);
        self.wake(true);
    }

    /// Puts the steps of the inflows in force that hold now; returns when the next begins.
    fn supply(&mut self, inflows: &[Inflow]) -> f64 {
        let mut until = f64::INFINITY;
        let mut in_force = Vec::with_capacity(inflows.len());
        for inflow in inflows {
            // Steps are multiples of step_s, reached exactly: times are cut to them. The guard covers k * step_s.
            let k = (self.now / inflow.step_s * (1.0 + 4.0 * f64::EPSILON)) as usize;
            let step = (k < inflow.steps()).then_some(k);
            if step.is_some() {
                until = until.min((k + 1) as f64 * inflow.step_s);
            }
            in_force.push(step);
        }
        if in_force == self.in_force && !self.in_force.is_empty() || inflows.is_empty() {
            return until;
        }
        self.in_force = in_force;
        self.blocks.fed.fill(false);
        self.feed_links();
        let mut supplies = Vec::new();
        for (inflow, step) in inflows.iter().zip(&self.in_force) {
            let Some(step) = *step else { continue };
            let n = inflow.cells.len();
            let rates = &inflow.rates_m_s[step * n..(step + 1) * n];
            for (&cell, &rate_m_s) in inflow.cells.iter().zip(rates) {
                if rate_m_s > 0.0 {
                    let (row, col) = self.shape.row_col(cell as usize);
                    let block = self.blocks.of(row, col);
                    self.blocks.fed[block] = true;
                    let col = col + Shape::first_col();
                    supplies.push((row, Supply { col, rate_m_s }));
                }
            }
        }
        self.faces.supply(supplies);
        self.wake(false);
        until
    }

    fn step(&mut self, dt: f64) {
        let sum = match self.scheme.0 {
            Scheme::Inertial | Scheme::Auto => self.step_inertial(dt, inertial::advance),
            Scheme::Fv1 => self.stage(dt, Order::First, volumes::advance),
            Scheme::Fv2 => {
                self.stage(dt, Order::Opening, volumes::advance);
                self.present = 1 - self.present;
                self.stage(dt, Order::Closing, volumes::advance)
            }
        };
        let area = self.cell_m * self.cell_m;
        self.ledger.inflow_m3 += sum.given * area;
        self.ledger.outflow_m3 += sum.left * area;
        (self.deepest, self.fastest) = (sum.deepest, sum.fastest);
        self.present = 1 - self.present;
        self.steps += 1;
        self.cell_steps += self.computed;
    }

    fn step_inertial(&mut self, dt: f64, advance: inertial::Advance) -> Settled {
        let Room::Inertial(scratch) = &mut self.room else {
            unreachable!("the scheme chose its room");
        };
        let o = &self.options;
        let step = inertial::Step::new(dt, self.cell_m, o.theta, o.dry_m, o.froude_max);
        let band = BAND_ROWS * self.shape.stride;
        let body = self.shape.body();
        let (shape, blocks, faces) = (&self.shape, &self.blocks, &self.faces);
        let [h, next_h] = turned(&mut self.depth, self.present);
        let [x, next_x] = turned(&mut self.flow_x, self.present);
        let [y, next_y] = turned(&mut self.flow_y, self.present);
        let old = inertial::State {
            z: &self.bed,
            n: &self.manning,
            h,
            east: x,
            south: y,
        };
        let parts: Vec<Settled> = scratch
            .par_iter_mut()
            .zip(next_h[body.clone()].par_chunks_mut(band))
            .zip(self.rest[body.clone()].par_chunks_mut(band))
            .zip(next_x[body.clone()].par_chunks_mut(band))
            .zip(next_y[body].par_chunks_mut(band))
            .enumerate()
            .map(|(b, ((((scratch, h), rest), east), south))| {
                let rows = b * BAND_ROWS..((b + 1) * BAND_ROWS).min(shape.rows);
                if blocks.all_asleep(&rows) {
                    return Settled::default();
                }
                let next = inertial::Next {
                    h,
                    rest,
                    east,
                    south,
                };
                advance(shape, blocks, faces, rows, old, next, scratch, step)
            })
            .collect();
        parts.into_iter().fold(Settled::default(), Settled::join)
    }

    /// One stage of finite volumes, from the present planes into the others.
    fn stage(&mut self, dt: f64, order: Order, advance: volumes::Advance) -> Settled {
        let Room::Volumes { scratch, change } = &mut self.room else {
            unreachable!("the scheme chose its room");
        };
        let stage = Stage {
            dt: dt as f32,
            dt_dx: (dt / self.cell_m) as f32,
            dry: self.options.dry_m,
            order,
        };
        let band = BAND_ROWS * self.shape.stride;
        let body = self.shape.body();
        let (shape, blocks, faces) = (&self.shape, &self.blocks, &self.faces);
        let [h, next_h] = turned(&mut self.depth, self.present);
        let [x, next_x] = turned(&mut self.flow_x, self.present);
        let [y, next_y] = turned(&mut self.flow_y, self.present);
        let old = volumes::Cells {
            z: &self.bed,
            n: &self.manning,
            h,
            x,
            y,
        };
        let mut none: Vec<&mut [f32]> = Vec::new();
        let changes: Vec<&mut [f32]> = match change {
            Some(plane) => plane[body.clone()].chunks_mut(band).collect(),
            None => {
                none.resize_with(scratch.len(), Default::default);
                none
            }
        };
        let parts: Vec<Settled> = scratch
            .par_iter_mut()
            .zip(next_h[body.clone()].par_chunks_mut(band))
            .zip(self.rest[body.clone()].par_chunks_mut(band))
            .zip(next_x[body.clone()].par_chunks_mut(band))
            .zip(next_y[body].par_chunks_mut(band))
            .zip(changes)
            .enumerate()
            .map(|(b, (((((scratch, h), rest), x), y), change))| {
                let rows = b * BAND_ROWS..((b + 1) * BAND_ROWS).min(shape.rows);
                if blocks.all_asleep(&rows) {
                    return Settled::default();
                }
                let next = volumes::Next {
                    h,
                    rest,
                    x,
                    y,
                    change,
                };
                advance(shape, blocks, faces, rows, old, next, scratch, stage)
            })
            .collect();
        parts.into_iter().fold(Settled::default(), Settled::join)
    }

    /// Keeps the blocks at both ends of links awake.
    fn feed_links(&mut self) {
        for link in &self.links {
            for cell in [Some(link.from), link.to].into_iter().flatten() {
                let (row, col) = self.shape.row_col(cell as usize);
                let block = self.blocks.of(row, col);
                self.blocks.fed[block] = true;
            }
        }
    }

    /// Carries water through the links for a step. A work without a drive of its own never carries more than makes the two
    /// levels equal, and none more than is there.
    fn carry(&mut self, dt: f64) {
        let area = self.cell_m * self.cell_m;
        let h = &mut self.depth[self.present];
        for link in &mut self.links {
            let a = self.shape.of_cell(link.from as usize);
            let b = link.to.map(|cell| self.shape.of_cell(cell as usize));
            let level = |at: usize| f64::from(self.bed[at]) + f64::from(h[at]);
            let (level_a, level_b) = (level(a), b.map_or(f64::from(self.bed[a]), level));
            let mut depth = link.work.flow_m3_s(level_a, level_b, self.now) * dt / area;
            if !matches!(link.work, Work::Pump(_)) {
                let even = 0.5 * (level_a - level_b).abs();
                depth = depth.clamp(-even, even);
            }
            let (giver, taker) = if depth >= 0.0 {
                (Some(a), b)
            } else {
                (b, Some(a))
            };
            let there = giver.map_or(f32::MAX, |at| 0.999_999 * h[at]);
            let carried = lo(depth.abs() as f32, there);
            let mut give = |at: Option<usize>, change: f32| {
                if let Some(at) = at {
                    (h[at], self.rest[at]) = add(h[at], self.rest[at], change);
                }
            };
            give(giver, -carried);
            give(taker, carried);
            if b.is_none() {
                self.ledger.drained_m3 += depth.signum() * f64::from(carried) * area;
            }
        }
    }

    /// Moves the water of the channels for a step, and exchanges it with their cells.
    fn run_channels(&mut self, dt: f64, case: &Case<'_>) {
        let Some(mut network) = self.channels.take() else {
            return;
        };
        let area = self.cell_m * self.cell_m;
        let [h, other] = turned(&mut self.depth, self.present);
        self.ledger.outflow_m3 += network.advance(dt, self.now, case.boundaries, h, area);
        let mut woken = false;
        for (at, block, volume) in network.given() {
            (h[at], self.rest[at]) = add(h[at], self.rest[at], (volume / area) as f32);
            if !self.blocks.is_active(block) {
                // Sleeping blocks hold the same depths in both planes.
                other[at] = h[at];
                woken |= h[at] > self.options.dry_m;
            }
            self.deepest = hi(self.deepest, h[at]);
            self.fastest = hi(self.fastest, (GRAVITY * hi(h[at], 0.0)).sqrt());
        }
        self.channels = Some(network);
        if woken {
            self.wake(true);
        }
    }

    /// Lets the rain of the time since the last call fall, and soil and drains take their part.
    fn wet(&mut self, case: &Case<'_>) {
        let (t0, t1) = (self.wetted, self.now);
        self.wetted = t1;
        let (shape, cols) = (&self.shape, self.shape.cols - 2);
        let rain = case.rain.filter(|r| t0 < r.end_s());
        let uniform = rain.and_then(|r| r.uniform_depth_m(t0, t1));
        let soil = (self.soil.as_ref()).filter(|s| rain.is_some() || !s.takes_of_rain_only());
        if rain.is_none() && soil.is_none() && case.drains.is_none() {
            return;
        }
        let (bed, blocks) = (&self.bed, &self.blocks);
        let body = shape.grid_rows();
        let mut soils: Vec<Option<Soil<'_>>> = match &mut self.soil {
            Some(soil) => soil.soils(cols).into_iter().map(Some).collect(),
            None => Vec::new(),
        };
        soils.resize_with(shape.rows - 2, || None);
        let sums: Vec<[f64; 3]> = self.depth[self.present][body.clone()]
            .par_chunks_mut(shape.stride)
            .zip(self.rest[body].par_chunks_mut(shape.stride))
            .zip(soils)
            .enumerate()
            .with_min_len(ROWS_PER_TASK)
            .map_init(
                || vec![0.0f32; shape.stride],
                |line, (row, ((h, rest), soil))| {
                    let own = Shape::first_col() + 1..Shape::first_col() + 1 + cols;
                    let fallen = &mut line[own.clone()];
                    match (rain, uniform) {
                        (None, _) => fallen.fill(0.0),
                        (_, Some(depth)) => fallen.fill(depth as f32),
                        (Some(field), None) => {
                            field.depth_of_interval_m(t0, t1, row..row + 1, fallen)
                        }
                    }
                    for (depth, &z) in fallen.iter_mut().zip(&bed[shape.grid_row(row)]) {
                        *depth = if z < WALL_M { *depth } else { 0.0 };
                    }
                    let mut sum = [0.0f64; 3];
                    match soil {
                        Some(mut soil) => {
                            let (h, rest) = (&mut h[own.clone()], &mut rest[own.clone()]);
                            let wetting = soil.apply(Rain::Cells(fallen), h, rest, t1 - t0);
                            (sum[0], sum[1]) = (wetting.rain_m, wetting.lost_m);
                        }
                        None if rain.is_some() => {
                            for run in blocks.ground(row + 1) {
                                let run =
                                    run.start + Shape::first_col()..run.end + Shape::first_col();
                                let (h, rest) = (&mut h[run.clone()], &mut rest[run.clone()]);
                                sum[0] += pour(h, rest, &line[run]);
                            }
                        }
                        None => {}
                    }
                    let (h, rest) = (&mut h[own.clone()], &mut rest[own]);
                    if let Some((drains, served)) = case.drains {
                        let served = &served.values()[row * cols..(row + 1) * cols];
                        sum[2] = drains.take(served, h, rest, t1 - t0);
                    }
                    sum
                },
            )
            .collect();
        let area = self.cell_m * self.cell_m;
        for [rain, infiltrated, drained] in sums {
            self.ledger.rain_m3 += rain * area;
            self.ledger.infiltrated_m3 += infiltrated * area;
            self.ledger.drained_m3 += drained * area;
        }
        self.wake(true);
        // Sleeping blocks hold the same depths in both planes.
        for block in (0..self.blocks.rows * self.blocks.cols)
            .filter(|&b| self.blocks.is_inside(b) && !self.blocks.is_active(b))
        {
            let (rows, cols) = self.blocks.cells(block, &self.shape);
            for row in rows {
                let at = self.shape.at(row as isize, cols.start as isize);
                let [h, other] = turned(&mut self.depth, self.present);
                other[at..at + cols.len()].copy_from_slice(&h[at..at + cols.len()]);
            }
        }
        let deepest = self.greatest_depth();
        self.deepest = hi(self.deepest, deepest);
        self.fastest = hi(self.fastest, (GRAVITY * deepest).sqrt());
    }

    fn greatest_depth(&self) -> f32 {
        let h = &self.depth[self.present];
        h.par_chunks(self.shape.stride)
            .map(greatest)
            .reduce(|| 0.0, hi)
    }

    /// Puts levels and crests of the time that is to come.
    fn set_gates(&mut self, case: &Case<'_>) {
        let now = self.now;
        for gate in self.faces.gates_mut() {
            match &mut gate.law {
                Law::Normal { .. } => {}
                Law::Level {
                    depth,
                    bed,
                    boundary,
                } => {
                    if let BoundaryLaw::Level(level) = &case.boundaries[*boundary].law {
                        *depth = (level.at(now) - f64::from(*bed)).max(0.0) as f32;
                    }
                }
                Law::Weir {
                    crest,
                    crest_beyond,
                    beds,
                    dyke,
                    ..
                } => {
                    let top = case.dykes[dyke.0].crest_at(dyke.1, now);
                    let top = top.max(f64::from(hi(beds[0], beds[1])));
                    *crest = (top - f64::from(beds[0])) as f32;
                    *crest_beyond = (top - f64::from(beds[1])) as f32;
                }
            }
        }
    }

    /// Looks which blocks are active. `all`: also at sleeping blocks, whose depths somebody has changed.
    fn wake(&mut self, all: bool) {
        let (shape, blocks, h) = (&self.shape, &self.blocks, &self.depth[self.present]);
        let dry = self.options.dry_m;
        let wet: Vec<bool> = (0..blocks.rows * blocks.cols)
            .into_par_iter()
            .with_min_len(64)
            .map(|block| {
                (blocks.is_active(block) || all && blocks.is_inside(block)) && {
                    let (rows, cols) = blocks.cells(block, shape);
                    rows.into_iter().any(|row| {
                        let at = shape.at(row as isize, cols.start as isize);
                        greatest(&h[at..at + cols.len()]) > dry
                    })
                }
            })
            .collect();
        for block in self.blocks.wake(&wet, &self.shape) {
            let (rows, cols) = self.blocks.cells(block, &self.shape);
            for row in rows {
                let at = self.shape.at(row as isize, cols.start as isize);
                let run = at..at + cols.len();
                let [h, other] = turned(&mut self.depth, self.present);
                other[run.clone()].copy_from_slice(&h[run.clone()]);
                for plane in self.flow_x.iter_mut().chain(&mut self.flow_y) {
                    plane[run.clone()].fill(0.0);
                }
            }
        }
        self.computed = self.blocks.active_cells(&self.shape) as u64;
    }

    /// Water in the domain, m³: f64, summed per row of cells, rows in order.
    fn volume_m3(&self) -> f64 {
        let (shape, h) = (&self.shape, &self.depth[self.present]);
        let rows: Vec<f64> = (0..shape.rows - 2)
            .into_par_iter()
            .with_min_len(ROWS_PER_TASK)
            .map(|row| {
                let run = shape.grid_row(row);
                (h[run.clone()].iter().zip(&self.rest[run]))
                    .map(|(&h, &r)| f64::from(h) + f64::from(r))
                    .sum()
            })
            .collect();
        let below = self.channels.as_ref().map_or(0.0, Network::volume_m3);
        rows.iter().sum::<f64>() * self.cell_m * self.cell_m + below
    }

    fn watch(&mut self, elapsed: f64) {
        let o = &self.options;
        let watch = Watch {
            flooded: o.flooded_m,
            moving: o.moving_m,
            froude: match self.scheme.0 {
                Scheme::Inertial | Scheme::Auto => o.froude_max,
                // The flow of a cell is its own: nothing to cap.
                Scheme::Fv1 | Scheme::Fv2 => 1e6,
            },
            now: self.now as f32,
            elapsed: elapsed as f32,
        };
        let (shape, blocks, scheme) = (&self.shape, &self.blocks, self.scheme.0);
        let h = &self.depth[self.present];
        let (x, y) = (&self.flow_x[self.present], &self.flow_y[self.present]);
        let (body, stride) = (shape.body(), shape.stride);
        let [depth, velocity, at_peak, hazard, arrival, duration] = &mut self.peaks;
        depth[body.clone()]
            .par_chunks_mut(stride)
            .zip(velocity[body.clone()].par_chunks_mut(stride))
            .zip(at_peak[body.clone()].par_chunks_mut(stride))
            .zip(hazard[body.clone()].par_chunks_mut(stride))
            .zip(arrival[body.clone()].par_chunks_mut(stride))
            .zip(duration[body].par_chunks_mut(stride))
            .enumerate()
            .with_min_len(ROWS_PER_TASK)
            .for_each(
                |(row, (((((depth, velocity), at_peak), hazard), arrival), duration))| {
                    for run in blocks.runs(row as isize) {
                        let at = shape.at(row as isize, run.start as isize);
                        let cells = at..at + run.len();
                        let own = Shape::first_col() + run.start..Shape::first_col() + run.end;
                        let shifted = |by: usize| cells.start - by..cells.end - by;
                        let flows = match scheme {
                            Scheme::Inertial | Scheme::Auto => Flows::Faces([
                                &x[shifted(1)],
                                &x[cells.clone()],
                                &y[shifted(stride)],
                                &y[cells.clone()],
                            ]),
                            Scheme::Fv1 | Scheme::Fv2 => {
                                Flows::Cells([&x[cells.clone()], &y[cells.clone()]])
                            }
                        };
                        look(
                            &h[cells.clone()],
                            flows,
                            watch,
                            Peaks {
                                depth: &mut depth[own.clone()],
                                velocity: &mut velocity[own.clone()],
                                velocity_at_peak: &mut at_peak[own.clone()],
                                hazard: &mut hazard[own.clone()],
                                arrival: &mut arrival[own.clone()],
                                duration: &mut duration[own],
                            },
                        );
                    }
                },
            );
    }

    pub(super) fn finish(mut self) -> Inundation {
        self.ledger.stored_m3 = self.volume_m3();
        let positions: Vec<usize> = (self.cells.iter())
            .map(|&c| self.shape.of_cell(c as usize))
            .collect();
        let gather = |plane: &Plane| positions.iter().map(|&at| plane[at]).collect::<Vec<f32>>();
        let [depth, velocity, at_peak, hazard, arrival, duration] = &self.peaks;
        let mut arrival_s = gather(arrival);
        for a in arrival_s.iter_mut().filter(|a| **a < 0.0) {
            *a = f32::NAN;
        }
        Inundation {
            depth_m: gather(&self.depth[self.present]),
            max_depth_m: gather(depth),
            max_velocity_m_s: gather(velocity),
            velocity_at_peak_m_s: gather(at_peak),
            max_hazard_m2_s: gather(hazard),
            arrival_s,
            duration_s: gather(duration),
            ledger: self.ledger,
            scheme: self.scheme,
            steps: self.steps,
            cell_steps: self.cell_steps,
            cells: self.cells,
        }
    }
}

/// Room for the bands of a scheme.
fn room_for(scheme: Scheme, shape: &Shape) -> Room {
    let bands = shape.rows.div_ceil(BAND_ROWS);
    match scheme {
        Scheme::Inertial | Scheme::Auto => {
            Room::Inertial(vec![inertial::Scratch::new(shape); bands])
        }
        Scheme::Fv1 | Scheme::Fv2 => Room::Volumes {
            scratch: vec![volumes::Scratch::new(shape); bands],
            change: (scheme == Scheme::Fv2).then(|| Plane::filled(shape, 0.0)),
        },
    }
}

/// The present plane of a pair, and the other one.
fn turned(pair: &mut [Plane; 2], present: usize) -> [&mut Plane; 2] {
    let [a, b] = pair;
    if present == 0 { [a, b] } else { [b, a] }
}

/// Faces with a law of their own: between an active cell and an outlet, or the edge of the grid where that is open, and
/// those of dykes; with the cells beyond.
fn faces_of(
    case: &Case<'_>,
    shape: &Shape,
    options: &SolverOptions,
) -> (Faces, Vec<(usize, usize)>) {
    let domain = &case.domain;
    let grid = &domain.bed_m.grid;
    let (rows, cols) = grid.shape();
    let (bed, kind) = (&domain.bed_m.data, &domain.kind.data);
    let mut boundary_of = vec![usize::MAX; rows * cols];
    for (number, boundary) in case.boundaries.iter().enumerate() {
        for &cell in &boundary.cells {
            boundary_of[cell as usize] = number;
        }
    }
    let (mut east, mut south, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
    let mut push = |row: usize, col: usize, (dr, dc): (isize, isize), law: Law| {
        // In the plane, where the ring comes first.
        let (row, col) = (row + 1, col + 1);
        let stride = shape.stride as isize;
        let inner = (Shape::first_col() + col) as isize;
        let gate = |face: isize, inner: isize, outer: isize, sign: f32| Gate {
            face: face as usize,
            inner,
            outer,
            sign,
            law,
        };
        match (dr, dc) {
            (0, 1) => east.push((row, gate(inner, inner, inner + 1, 1.0))),
            (0, _) => east.push((row, gate(inner - 1, inner, inner - 1, -1.0))),
            (1, _) => south.push((row, gate(inner, inner, inner + stride, 1.0))),
            _ => south.push((row - 1, gate(inner, inner + stride, inner, -1.0))),
        }
    };
    for (row, col) in (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))) {
        if kind[(row, col)] != ACTIVE {
            continue;
        }
        let boundary = boundary_of[row * cols + col];
        for (dr, dc) in [(0isize, 1isize), (1, 0), (0, -1), (-1, 0)] {
            let at = |dr: isize, dc: isize| {
                let (r, c) = (row.checked_add_signed(dr)?, col.checked_add_signed(dc)?);
                (r < rows && c < cols).then_some((r, c))
            };
            let open = match at(dr, dc) {
                Some(rc) => kind[rc] == OUTLET,
                None => options.edge == Edge::Free || boundary != usize::MAX,
            };
            if !open {
                continue;
            }
            let normal = |slope: f64| {
                let n = f64::from(domain.manning_n.data[(row, col)]);
                Law::Normal {
                    conveyance: (libm::sqrt(slope) / n) as f32,
                }
            };
            let law = match case.boundaries.get(boundary).map(|b| &b.law) {
                Some(BoundaryLaw::NormalDepth { slope }) => normal(*slope),
                Some(BoundaryLaw::Level(_)) => Law::Level {
                    depth: 0.0,
                    bed: bed[(row, col)],
                    boundary,
                },
                None => {
                    let fall = at(-dr, -dc)
                        .filter(|&rc| kind[rc] == ACTIVE)
                        .map_or(0.0, |rc| f64::from(bed[rc] - bed[(row, col)]) / grid.dx);
                    normal(fall.clamp(f64::from(options.outlet_slope_min), 1.0))
                }
            };
            beyond.push((
                (row + 1).wrapping_add_signed(dr),
                (col + 1).wrapping_add_signed(dc),
            ));
            push(row, col, (dr, dc), law);
        }
    }
    for (number, dyke) in case.dykes.iter().enumerate() {
        for (face, &(a, b)) in dyke.faces.iter().enumerate() {
            // From the western or northern cell.
            let (a, b) = (a.min(b), a.max(b));
            let (row, col) = grid.row_col(a);
            let side = if b == a + 1 { (0, 1) } else { (1, 0) };
            let beds = [a, b].map(|cell| domain.bed_m.values()[cell as usize]);
            let law = Law::Weir {
                crest: 0.0,
                crest_beyond: 0.0,
                coefficient: dyke.coefficient as f32,
                beds,
                dyke: (number, face),
            };
            push(row, col, side, law);
        }
    }
    beyond.sort_unstable();
    beyond.dedup();
    let columns = (beyond.iter())
        .map(|&(row, col)| (row, col + Shape::first_col()))
        .collect();
    (Faces::new(shape.rows, east, south, columns), beyond)
}

#[cfg(test)]
mod tests {
    use super::super::{Domain, WALL};
    use super::*;
    use anlan_engine::random::Stream;
    use anlan_engine::{Crs, Grid};
    use ndarray::Array2;

    /// Steps of a flow over rough ground with walls and free edges, by the given inner loops.
    fn bits(scheme: Scheme, wide: bool) -> Vec<u32> {
        let s = Stream::new(3, 902);
        let crs = Crs::from_epsg(4549).unwrap();
        let grid = Grid::new(crs, (0.0, 0.0), (10.0, 10.0), (70, 90)).unwrap();
        let field = |k: u32, low: f64, high: f64| {
            let value = |(r, c): (usize, usize)| {
                (low + (high - low) * s.uniform((r * 90 + c) as u64, k, 0)) as f32
            };
            Raster::new(grid, Array2::from_shape_fn(grid.shape(), value))
        };
        let kind = field(3, 0.0, 1.0).map(|u| if u < 0.1 { WALL } else { ACTIVE });
        let (bed, manning, depth) = (field(0, 0.0, 2.0), field(1, 0.02, 0.1), field(2, 0.0, 3.0));
        let domain = Domain {
            bed_m: &bed,
            manning_n: &manning,
            kind: &kind,
        };
        let options = SolverOptions {
            scheme,
            edge: Edge::Free,
            ..SolverOptions::default()
        };
        let case = Case {
            initial_depth_m: Some(&depth),
            ..Case::new(domain)
        };
        let mut flow = Flow::new(&case, &options);
        for _ in 0..20 {
            let dt = flow.longest_step();
            let sum = match (scheme, wide) {
                (Scheme::Inertial | Scheme::Auto, true) => {
                    flow.step_inertial(dt, inertial::advance)
                }
                (Scheme::Inertial | Scheme::Auto, false) => {
                    flow.step_inertial(dt, inertial::step_band)
                }
                (Scheme::Fv1, true) => flow.stage(dt, Order::First, volumes::advance),
                (Scheme::Fv1, false) => flow.stage(dt, Order::First, volumes::stage_band),
                (Scheme::Fv2, wide) => {
                    let advance = if wide {
                        volumes::advance
                    } else {
                        volumes::stage_band
                    };
                    flow.stage(dt, Order::Opening, advance);
                    flow.present = 1 - flow.present;
                    flow.stage(dt, Order::Closing, advance)
                }
            };
            (flow.deepest, flow.fastest) = (sum.deepest, sum.fastest);
            flow.present = 1 - flow.present;
        }
        [&flow.depth, &flow.flow_x, &flow.flow_y]
            .iter()
            .flat_map(|pair| pair[flow.present].iter().map(|v| v.to_bits()))
            .collect()
    }

    #[test]
    fn all_widths_of_vectors_give_the_same_bytes() {
        for scheme in [Scheme::Inertial, Scheme::Fv1, Scheme::Fv2] {
            assert!(bits(scheme, true) == bits(scheme, false), "{scheme:?}");
        }
    }
}
