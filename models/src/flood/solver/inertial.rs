//! One time step of the local-inertial equations over a band of rows.
//!
//! Flow through a face between cells l and r (positive from l to r), with bed step `dz = z_l - z_r`:
//! * depth at the face `hf = max(h_l + min(dz, 0), h_r - max(dz, 0))` = highest level less highest bed, formed from depths
//!   and one bed difference, so that no absolute level is ever held in f32;
//! * `a = theta q + (1 - theta)/2 (q_before + q_after) - g hf dt S` (de Almeida et al. 2012, eq. 12), in which a
//!   neighbour that is shut counts as q;
//! * Manning friction is implicit: `q (1 + k |q|) = a`, `k = g dt n^2 hf^(-7/3)`, has the root `q = 2a / (1 + D)`,
//!   `D = sqrt(1 + 4 k |a|)`; the transverse flow t lengthens |q| (de Almeida & Bates 2013):
//!   `q = a / (1 + sqrt(((D - 1)/2)^2 + (k t)^2))`. For small dt this is the semi-implicit form of Bates et al. (2010,
//!   eq. 11); for a face that has just become wet, where the old flow is zero and the published form has no friction, it
//!   starts at Manning's equilibrium;
//! * |q| <= Fr hf sqrt(g hf): the equations have no advection, so they say nothing about supercritical flow.
//!
//! A step reads one state and writes another in a single sweep over rows: faces of row i, the share that its cells can
//! give, then the balance of row i - 1, all while the rows are in the cache. At the ends of a band the faces and
//! shares of its neighbours are computed again from the same numbers.
//!
//! # References
//! Bates, Horritt, Fewtrell (2010), J. Hydrol. 387:33-45, doi:10.1016/j.jhydrol.2010.03.027.
//! de Almeida, Bates, Freer, Souvignet (2012), Water Resour. Res. 48:W05528, doi:10.1029/2011WR011570.
//! de Almeida, Bates (2013), Water Resour. Res. 49:4833-4844, doi:10.1002/wrcr.20366.

use super::edges::{Faces, Gate, Law, Settled, normal_flow, weir_flow};
use super::kernel::{
    GRAVITY, LANES, add, for_lanes, hi, lanes, lanes_mut, lo, reciprocal_sixth_root, wide,
};
use super::plane::{Blocks, Shape};
use std::ops::Range;

/// Numbers that are the same for all faces in one time step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// dt, s.
    pub dt: f32,
    /// dt / dx, s/m.
    pub dt_dx: f32,
    /// A quarter of g dt, m/s.
    quarter_g_dt: f32,
    /// g dt / dx, 1/s.
    g_dt_dx: f32,
    /// Weight of the face's own old flow, and of each of its two neighbours.
    theta: f32,
    side: f32,
    /// Face depth up to which nothing flows, m.
    pub dry: f32,
    /// Greatest Froude number times the root of g.
    froude: f32,
}

impl Step {
    pub fn new(dt: f64, cell_m: f64, theta: f32, dry: f32, froude_max: f32) -> Step {
        let g = f64::from(GRAVITY);
        Step {
            dt: dt as f32,
            dt_dx: (dt / cell_m) as f32,
            quarter_g_dt: (0.25 * g * dt) as f32,
            g_dt_dx: (g * dt / cell_m) as f32,
            theta,
            side: 0.5 * (1.0 - theta),
            dry,
            froude: (f64::from(froude_max) * libm::sqrt(g)) as f32,
        }
    }
}

/// What a step reads: bed (m), Manning's n, depth (m), flow through the east and south face of each cell, m²/s.
#[derive(Clone, Copy)]
pub(super) struct State<'a> {
    pub z: &'a [f32],
    pub n: &'a [f32],
    pub h: &'a [f32],
    pub east: &'a [f32],
    pub south: &'a [f32],
}

/// What a step writes: whole rows of the band.
pub(super) struct Next<'a> {
    pub h: &'a mut [f32],
    pub rest: &'a mut [f32],
    pub east: &'a mut [f32],
    pub south: &'a mut [f32],
}

/// Rows that are on their way, one set per band.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    east: [Vec<f32>; 2],
    south: [Vec<f32>; 3],
    share: [Vec<f32>; 2],
}

impl Scratch {
    pub fn new(shape: &Shape) -> Scratch {
        let row = |value| vec![value; shape.stride];
        Scratch {
            east: [row(0.0), row(0.0)],
            south: [row(0.0), row(0.0), row(0.0)],
            share: [row(1.0), row(1.0)],
        }
    }
}

/// One side of a face: bed, depth, Manning's n.
type Side = (f32, f32, f32);

/// Sum of the flows through the faces before and after one along its row. A face that is shut counts as the face itself: a
/// channel that turns from cell to cell would otherwise lose a tenth of its flow at every step of time.
#[inline(always)]
fn beside(own: f32, before: f32, after: f32) -> f32 {
    let open = |q: f32| if q == 0.0 { own } else { q };
    open(before) + open(after)
}

/// New flow through a face, m²/s. `beside`, `across`: sums of the two neighbours along the flow and of the four across.
#[inline(always)]
fn flow(
    (zl, hl, nl): Side,
    (zr, hr, nr): Side,
    (own, beside): (f32, f32),
    across: f32,
    step: &Step,
) -> f32 {
    let dz = zl - zr;
    let face = hi(hl + lo(dz, 0.0), hr - hi(dz, 0.0));
    let hf = hi(face, step.dry);
    let inertia = step.theta.mul_add(own, step.side * beside);
    let a = (-step.g_dt_dx * hf).mul_add((hr - hl) - dz, inertia);
    let n = nl + nr;
    let y = reciprocal_sixth_root(hf);
    let (y2, y3) = (y * y, y * y * y);
    let y4 = y2 * y2;
    let k = step.quarter_g_dt * (n * n) * (y4 * y4 * y4 * y2);
    let half = (4.0 * k).mul_add(a.abs(), 1.0).sqrt().mul_add(0.5, -0.5);
    let kt = 0.25 * k * across;
    let q = a / (1.0 + half.mul_add(half, kt * kt).sqrt());
    let cap = step.froude * (hf * hf) * y3;
    let q = hi(-cap, lo(cap, q));
    if face > step.dry { q } else { 0.0 }
}

/// Flow through the faces of a row that have a law of their own. `start`: position of the row; `own`: old flows.
#[inline(always)]
fn inertial_gates(
    gates: &[Gate],
    s: &State<'_>,
    start: usize,
    step: &Step,
    own: &[f32],
    out: &mut [f32],
) {
    for gate in gates {
        let cell = start.wrapping_add_signed(gate.inner);
        let (h, n) = (s.h[cell], s.n[cell]);
        let leaving = match gate.law {
            Law::Level { depth, .. } => {
                let old = gate.sign * own[start + gate.face];
                flow((0.0, h, n), (0.0, depth, n), (old, 2.0 * old), 0.0, step)
            }
            Law::Normal { conveyance } => normal_flow(h, conveyance, step.dry),
            Law::Weir {
                crest,
                crest_beyond,
                coefficient,
                ..
            } => {
                let beyond = start.wrapping_add_signed(gate.outer);
                weir_flow(h - crest, s.h[beyond] - crest_beyond, coefficient)
            }
        };
        out[gate.face] = gate.sign * leaving;
    }
}

/// East faces of a row over the columns of a run.
#[inline(always)]
fn east_faces(
    s: &State<'_>,
    shape: &Shape,
    row: isize,
    run: &Range<usize>,
    step: &Step,
    out: &mut [f32],
) {
    let (at, first) = (
        shape.at(row, run.start as isize),
        Shape::first_col() + run.start,
    );
    let up = at - shape.stride;
    for_lanes!(
        run.len() / LANES;
        zl = &s.z[at..], hl = &s.h[at..], nl = &s.n[at..],
        zr = &s.z[at + 1..], hr = &s.h[at + 1..], nr = &s.n[at + 1..],
        before = &s.east[at - 1..], own = &s.east[at..], after = &s.east[at + 1..],
        sl = &s.south[at..], sr = &s.south[at + 1..], nwl = &s.south[up..], nwr = &s.south[up + 1..];
        mut out = &mut out[first..];
        i => {
            out[i] = flow(
                (zl[i], hl[i], nl[i]),
                (zr[i], hr[i], nr[i]),
                (own[i], beside(own[i], before[i], after[i])),
                (sl[i] + sr[i]) + (nwl[i] + nwr[i]),
                step,
            );
        }
    );
}

/// South faces of a row over the columns of a run.
#[inline(always)]
fn south_faces(
    s: &State<'_>,
    shape: &Shape,
    row: isize,
    run: &Range<usize>,
    step: &Step,
    out: &mut [f32],
) {
    let (at, first) = (
        shape.at(row, run.start as isize),
        Shape::first_col() + run.start,
    );
    let (up, down) = (at - shape.stride, at + shape.stride);
    for_lanes!(
        run.len() / LANES;
        zl = &s.z[at..], hl = &s.h[at..], nl = &s.n[at..],
        zr = &s.z[down..], hr = &s.h[down..], nr = &s.n[down..],
        before = &s.south[up..], own = &s.south[at..], after = &s.south[down..],
        ew = &s.east[at - 1..], ee = &s.east[at..], fw = &s.east[down - 1..], fe = &s.east[down..];
        mut out = &mut out[first..];
        i => {
            out[i] = flow(
                (zl[i], hl[i], nl[i]),
                (zr[i], hr[i], nr[i]),
                (own[i], beside(own[i], before[i], after[i])),
                (ee[i] + fe[i]) + (ew[i] + fw[i]),
                step,
            );
        }
    );
}

/// South faces of a row: those of its runs and those with a law of their own.
#[inline(always)]
fn south_row(
    s: &State<'_>,
    shape: &Shape,
    blocks: &Blocks,
    faces: &Faces,
    row: isize,
    step: &Step,
    out: &mut [f32],
) {
    if !blocks.is_full(row, shape) {
        out.fill(0.0);
    }
    for run in blocks.runs(row) {
        south_faces(s, shape, row, run, step, out);
    }
    inertial_gates(
        faces.south(row),
        s,
        shape.row(row).start,
        step,
        s.south,
        out,
    );
}

/// What is asked of a cell, as a depth.
#[inline(always)]
fn asked(west: f32, east: f32, north: f32, south: f32, dt_dx: f32) -> f32 {
    dt_dx * ((hi(east, 0.0) + hi(-west, 0.0)) + (hi(south, 0.0) + hi(-north, 0.0)))
}

/// A millionth less than all: rounding of the four products must not take the depth below zero.
const ALL: f32 = 0.999_999;

/// True where some cell is asked for more than it has. `east` begins one face before the cells.
#[inline(always)]
pub(super) fn is_short(h: &[f32], east: &[f32], north: &[f32], south: &[f32], dt_dx: f32) -> bool {
    let mut most = [0u32; LANES];
    for_lanes!(h.len() / LANES; h = h, west = east, east = &east[1..], north = north, south = south;; i => {
        let asked = asked(west[i], east[i], north[i], south[i], dt_dx);
        most[i] |= u32::from(asked > ALL * h[i]);
    });
    most.iter().any(|&m| m != 0)
}

/// Share of what is asked that each cell can give, 0..1. `east` begins one face before the cells.
#[inline(always)]
pub(super) fn shares(
    h: &[f32],
    east: &[f32],
    north: &[f32],
    south: &[f32],
    dt_dx: f32,
    out: &mut [f32],
) {
    for_lanes!(
        h.len() / LANES;
        h = h, west = east, east = &east[1..], north = north, south = south;
        mut out = out;
        i => {
            let asked = asked(west[i], east[i], north[i], south[i], dt_dx);
            out[i] = lo(1.0, ALL * h[i] / hi(asked, 1e-30));
        }
    );
}

/// Scales flows by the share that their donor can give: the left cell's where positive, the right cell's where negative.
#[inline(always)]
fn scale(q: &mut [f32], left: &[f32], right: &[f32]) {
    for_lanes!(q.len() / LANES; left = left, right = right; mut q = q; i => {
        q[i] *= if q[i] > 0.0 { left[i] } else { right[i] };
    });
}

/// [`advance`], and its narrow version for tests.
pub(super) type Advance = for<'a> fn(
    &'a Shape,
    &'a Blocks,
    &'a Faces,
    Range<usize>,
    State<'a>,
    Next<'a>,
    &'a mut Scratch,
    Step,
) -> Settled;

#[inline(always)]
pub(super) fn step_band<'a>(
    shape: &'a Shape,
    blocks: &'a Blocks,
    faces: &'a Faces,
    rows: Range<usize>,
    old: State<'a>,
    next: Next<'a>,
    scratch: &'a mut Scratch,
    step: Step,
) -> Settled {
    let (first, end) = (rows.start as isize, rows.end as isize);
    let Scratch {
        east: [east_here, east_next],
        south: [south_before, south_here, south_next],
        share: [share_here, share_next],
    } = scratch;
    let (mut short_here, mut sum) = (false, Settled::default());

    south_row(&old, shape, blocks, faces, first - 2, &step, south_here);
    for row in first - 1..=end {
        if !blocks.is_full(row, shape) {
            east_next.fill(0.0);
        }
        // The face before the first column: no loop writes it.
        east_next[Shape::first_col() - 1] = 0.0;
        for run in blocks.runs(row) {
            east_faces(&old, shape, row, run, &step, east_next);
        }
        inertial_gates(
            faces.east(row),
            &old,
            shape.row(row).start,
            &step,
            old.east,
            east_next,
        );
        south_row(&old, shape, blocks, faces, row, &step, south_next);

        let mut short_next = false;
        for run in blocks.runs(row) {
            let at = shape.at(row, run.start as isize);
            let c = Shape::first_col() + run.start;
            let (cells, len) = (at..at + run.len(), run.len());
            let (east, north, south) = (
                &east_next[c - 1..c + len],
                &south_here[c..c + len],
                &south_next[c..c + len],
            );
            short_next |= is_short(&old.h[cells], east, north, south, step.dt_dx);
        }
        if short_next {
            share_next.fill(1.0);
            for run in blocks.runs(row) {
                let at = shape.at(row, run.start as isize);
                let c = Shape::first_col() + run.start;
                let (cells, len) = (at..at + run.len(), run.len());
                shares(
                    &old.h[cells],
                    &east_next[c - 1..c + len],
                    &south_here[c..c + len],
                    &south_next[c..c + len],
                    step.dt_dx,
                    &mut share_next[c..c + len],
                );
            }
            faces.free_shares(row, share_next);
            let last = shape.stride - LANES;
            scale(
                &mut east_next[..last],
                &share_next[..last],
                &share_next[1..],
            );
        } else if short_here {
            share_next.fill(1.0);
        }
        if short_here || short_next {
            if !short_here {
                share_here.fill(1.0);
            }
            scale(south_here, share_here, share_next);
        }

        let done = row - 1;
        if done >= first {
            let base = (done - first) as usize * shape.stride;
            let own = base..base + shape.stride;
            let (h, rest) = (&mut next.h[own.clone()], &mut next.rest[own.clone()]);
            let (east, south) = (&mut next.east[own.clone()], &mut next.south[own]);
            for run in blocks.runs(done) {
                let at = shape.at(done, run.start as isize);
                let c = Shape::first_col() + run.start;
                let (cells, len) = (c..c + run.len(), run.len());
                let peak = balance(
                    &old.h[at..at + len],
                    &east_here[c - 1..c + len],
                    &south_before[cells.clone()],
                    &south_here[cells.clone()],
                    step.dt_dx,
                    (&mut h[cells.clone()], &mut rest[cells.clone()]),
                    (&mut east[cells.clone()], &mut south[cells]),
                );
                sum.deepest = hi(peak, sum.deepest);
            }
            faces.settle(done, step.dt, h, rest, &mut sum);
        }
        // Rows move up.
        std::mem::swap(east_here, east_next);
        std::mem::swap(share_here, share_next);
        std::mem::swap(south_before, south_here);
        std::mem::swap(south_here, south_next);
        short_here = short_next;
    }
    sum
}

/// Continuity over a run of cells, and the flows handed on; returns the greatest depth.
#[inline(always)]
fn balance(
    old: &[f32],
    east: &[f32],
    north: &[f32],
    south: &[f32],
    dt_dx: f32,
    (h, rest): (&mut [f32], &mut [f32]),
    (new_east, new_south): (&mut [f32], &mut [f32]),
) -> f32 {
    let mut most = [0.0f32; LANES];
    for_lanes!(
        old.len() / LANES;
        old = old, west = east, east = &east[1..], north = north, south = south;
        mut h = h, mut rest = rest, mut new_east = new_east, mut new_south = new_south;
        i => {
            let change = dt_dx * ((west[i] - east[i]) + (north[i] - south[i]));
            (h[i], rest[i]) = add(old[i], rest[i], change);
            new_east[i] = east[i];
            new_south[i] = south[i];
            most[i] = hi(h[i], most[i]);
        }
    );
    most.iter().fold(0.0, |m, &v| hi(v, m))
}

wide!(
    /// One step of the rows of a band; returns the greatest depth.
    advance = step_band, step_band_avx2, step_band_avx512, <'a>
    (
        shape: &'a Shape,
        blocks: &'a Blocks,
        faces: &'a Faces,
        rows: Range<usize>,
        old: State<'a>,
        next: Next<'a>,
        scratch: &'a mut Scratch,
        step: Step,
    ) -> Settled
);
