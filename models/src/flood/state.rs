//! State of a run of the local-inertial solver in the compact layout, and one time step of it in three parallel passes:
//! flow through faces, what cells can give, continuity.

use super::inertial::{Domain, Edge, InertialOptions, Inflow, Inundation, Ledger};
use super::kernel::{self, Peaks, Step, Watch};
use super::layout::{ACTIVE, Band, Layout, OUTLET, Opening, Segment, Side};
use super::simd;
use anlan_engine::{Fault, Raster, Result};
use rayon::prelude::*;

/// An inflow with its cells found in the compact arrays.
pub(super) struct Supply<'a> {
    inflow: &'a Inflow,
    positions: Vec<usize>,
    /// Step in force; `None` before the first and after the last.
    step: Option<usize>,
    begun: bool,
}

impl<'a> Supply<'a> {
    pub(super) fn new(inflow: &'a Inflow, layout: &Layout) -> Result<Self, Fault> {
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
    pub(super) fn advance(&mut self, now: f64) -> bool {
        // Steps are multiples of step_s, reached exactly: times are cut to them. The half-ulp guard covers k * step_s.
        let k = (now / self.inflow.step_s * (1.0 + 4.0 * f64::EPSILON)) as usize;
        let step = (k < self.inflow.steps()).then_some(k);
        let changed = !self.begun || step != self.step;
        (self.step, self.begun) = (step, true);
        changed
    }

    pub(super) fn next_change(&self) -> f64 {
        match self.step {
            Some(k) => (k + 1) as f64 * self.inflow.step_s,
            None => f64::INFINITY,
        }
    }
}

/// State of a run, in the compact layout.
pub(super) struct Flow {
    pub(super) layout: Layout,
    pub(super) cell_m: f64,
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
    pub(super) deepest: f32,
    pub(super) ledger: Ledger,
    steps: u64,
}

impl Flow {
    pub(super) fn new(
        domain: &Domain<'_>,
        initial: Option<&Raster<f32>>,
        options: &InertialOptions,
    ) -> Flow {
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
    pub(super) fn volume_m3(&self) -> f64 {
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

    pub(super) fn set_sources(&mut self, supplies: &[Supply<'_>]) {
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

    pub(super) fn step(&mut self, dt: f64) {
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
    pub(super) fn momentum(&mut self, step: Step) {
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
    pub(super) fn limit(&mut self, step: Step) -> Vec<bool> {
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
    pub(super) fn mass(&mut self, step: Step, short: &[bool]) -> f64 {
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

    pub(super) fn watch(&mut self, now: f64, elapsed: f64) {
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

    pub(super) fn finish(mut self) -> Inundation {
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

fn cut(mut field: &mut [f32], ends: impl Iterator<Item = usize>) -> Vec<&mut [f32]> {
    let mut start = 0;
    ends.map(|end| {
        let (part, rest) = std::mem::take(&mut field).split_at_mut(end - start);
        (start, field) = (end, rest);
        part
    })
    .collect()
}
