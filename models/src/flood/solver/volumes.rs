//! One stage of the finite-volume scheme over a band of rows: the full shallow-water equations, with shocks.
//!
//! * Godunov fluxes of Harten, Lax & van Leer with Einfeldt's speeds, and the contact wave for the transverse momentum
//!   (Toro 2001, *Shock-Capturing Methods for Free-Surface Shallow Flows*, ch. 10): mass and momentum along the face by
//!   HLL, momentum across carried by the mass flux.
//! * Hydrostatic reconstruction (Audusse et al. 2004; Chen & Noelle 2017): the bed at a face is the higher of the two, but
//!   at most the lower water level, `z_f = min(max(z_l, z_r), min(z_l + h_l, z_r + h_r))`, and depths are taken over it,
//!   `h*_l = h_l - max(0, z_f - z_l)`. A film on a slope of steps deeper than itself is then drawn by the whole step,
//!   g h (z_l - z_f), where the older form lets it fall as over a weir. Momentum fluxes are held as their *difference* from g/2 h*² of each side,
//!   `P - g/2 h*_l² = [s_r h*_l u_l² - s_l h*_r u_r² - s_l g/2 (h*_r² - h*_l²) + s_l s_r (h*_r u_r - h*_l u_l)] / (s_r - s_l)`,
//!   so that over a lake at rest nothing is left to cancel in single precision.
//! * First order: depth and velocity are constant in a cell; where the bed falls by more than the depth, level and bed
//!   slope by minmod (after Xia et al. 2017), so that a slope is a plane and no staircase to a film. Second order: piecewise linear level, depth and velocity, limited by minmod, and Heun's two stages (Gottlieb &
//!   Shu 1998). Where a neighbour is dry the cell stays constant.
//! * Manning friction is point-implicit, `u' = 2u / (1 + sqrt(1 + 4 dt g n² h^(-4/3) |u|))`: it never turns the flow
//!   (Xia & Liang 2018 discuss why explicit friction fails on films).
//! * A cell that is asked for more water than it has scales the fluxes through its faces, as in the inertial scheme.
//!
//! # References
//! Audusse, Bouchut, Bristeau, Klein, Perthame (2004), SIAM J. Sci. Comput. 25:2050-2065, doi:10.1137/S1064827503431090.
//! Chen, Noelle (2017), SIAM J. Numer. Anal. 55:758-784, doi:10.1137/15M1053074.
//! Liang, Borthwick (2009), Comput. Fluids 38:221-234, doi:10.1016/j.compfluid.2008.02.008.
//! Xia, Liang, Ming, Hou (2017), Water Resour. Res. 53:3730-3759, doi:10.1002/2016WR020055.
//! Xia, Liang (2018), Adv. Water Resour. 117:87-97, doi:10.1016/j.advwatres.2018.05.004.

use super::edges::{Faces, Gate, Law, Settled, normal_flow, weir_flow};
use super::inertial::{is_short, shares};
use super::kernel::{
    GRAVITY, LANES, add, for_lanes, hi, lanes, lanes_mut, lo, reciprocal_sixth_root, wide,
};
use super::plane::{Blocks, Shape};
use std::ops::Range;

/// Numbers that are the same for all cells in one stage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    pub dt: f32,
    pub dt_dx: f32,
    /// Depth up to which a cell holds no momentum, m.
    pub dry: f32,
    /// Which stage of which order.
    pub order: Order,
}

/// Stages of a time step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// The only stage of the first-order scheme.
    First,
    /// First stage of Heun's method, on piecewise linear cells.
    Opening,
    /// Second stage: the mean of the base state and of the state after another step.
    Closing,
}

/// What a stage reads: bed, Manning's n, depth (m), unit discharge of cells to the east and south, m²/s.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub z: &'a [f32],
    pub n: &'a [f32],
    pub h: &'a [f32],
    pub x: &'a [f32],
    pub y: &'a [f32],
}

/// What a stage writes: whole rows of the band. In the closing stage it holds the base state before.
pub(super) struct Next<'a> {
    pub h: &'a mut [f32],
    pub rest: &'a mut [f32],
    pub x: &'a mut [f32],
    pub y: &'a mut [f32],
    /// Change of depth in the opening stage; empty at first order.
    pub change: &'a mut [f32],
}

/// Half differences of cells towards the next along one direction: depth, level, normal and transverse velocity.
type Slopes = [Vec<f32>; 4];

/// Fluxes through a row of faces: mass; momentum along the normal less g/2 h*², for the cell before and the cell behind;
/// momentum across.
#[derive(Debug, Clone)]
struct Fluxes {
    mass: Vec<f32>,
    before: Vec<f32>,
    behind: Vec<f32>,
    across: Vec<f32>,
}

impl Fluxes {
    fn each(&mut self) -> [&mut Vec<f32>; 4] {
        [
            &mut self.mass,
            &mut self.before,
            &mut self.behind,
            &mut self.across,
        ]
    }
}

/// Rows that are on their way, one set per band.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    /// Velocities to the east and south of four rows.
    velocity: [[Vec<f32>; 2]; 4],
    slopes_x: Slopes,
    slopes_y: [Slopes; 2],
    east: [Fluxes; 2],
    south: [Fluxes; 3],
    share: [Vec<f32>; 2],
    spare: Vec<f32>,
}

impl Scratch {
    pub fn new(shape: &Shape) -> Scratch {
        let row = || vec![0.0f32; shape.stride];
        let slopes = || [row(), row(), row(), row()];
        let fluxes = || Fluxes {
            mass: row(),
            before: row(),
            behind: row(),
            across: row(),
        };
        let pair = || [row(), row()];
        Scratch {
            velocity: [pair(), pair(), pair(), pair()],
            slopes_x: slopes(),
            slopes_y: [slopes(), slopes()],
            east: [fluxes(), fluxes()],
            south: [fluxes(), fluxes(), fluxes()],
            share: pair(),
            spare: row(),
        }
    }
}

/// One side of a face: depth, normal and transverse velocity.
#[derive(Clone, Copy)]
struct Side {
    h: f32,
    u: f32,
    v: f32,
}

/// Flux through a face with bed step `dz` = bed before less bed behind: mass, momentum before and behind, momentum across.
#[inline(always)]
fn flux(l: Side, r: Side, dz: f32) -> (f32, f32, f32, f32) {
    const DRY: f32 = 1e-6;
    // The bed at the face over that of either side.
    let over_l = lo(hi(-dz, 0.0), lo(l.h, r.h - dz));
    let over_r = over_l + dz;
    let hl = l.h - hi(over_l, 0.0);
    let hr = hi(r.h - hi(over_r, 0.0), 0.0);
    // What falls down a step deeper than the water is drawn by the whole step.
    let (fall_l, fall_r) = (
        GRAVITY * l.h * lo(over_l, 0.0),
        GRAVITY * r.h * lo(over_r, 0.0),
    );
    let (wet_l, wet_r) = (hl > DRY, hr > DRY);
    let (cl, cr) = ((GRAVITY * hl).sqrt(), (GRAVITY * hr).sqrt());
    let (um, cm) = (
        0.5 * (l.u + r.u) + cl - cr,
        0.5 * (cl + cr) + 0.25 * (l.u - r.u),
    );
    let slow = lo(l.u - cl, um - cm);
    let fast = hi(r.u + cr, um + cm);
    let slow = if wet_l { slow } else { r.u - 2.0 * cr };
    let slow = if wet_r { slow } else { l.u - cl };
    let fast = if wet_r { fast } else { l.u + 2.0 * cl };
    let fast = if wet_l { fast } else { r.u + cr };
    let (slow, fast) = (lo(slow, 0.0), hi(fast, 0.0));
    let scale = 1.0 / hi(fast - slow, 1e-20);
    let (ml, mr) = (hl * l.u, hr * r.u);
    let step = (hr - hl) * (hr + hl) * (0.5 * GRAVITY);
    let mass = (fast * ml - slow * mr + slow * fast * (hr - hl)) * scale;
    let before = (fast * (ml * l.u) - slow * (mr * r.u + step) + slow * fast * (mr - ml)) * scale;
    let across = mass * if mass > 0.0 { l.v } else { r.v };
    if wet_l || wet_r {
        (mass, before + fall_l, before - step + fall_r, across)
    } else {
        (0.0, 0.0, 0.0, 0.0)
    }
}

#[inline(always)]
fn minmod_half(a: f32, b: f32) -> f32 {
    let least = lo(a.abs(), b.abs());
    let signed = if a > 0.0 { least } else { -least };
    if a * b > 0.0 { 0.5 * signed } else { 0.0 }
}

/// Velocities of a row.
#[inline(always)]
fn velocity_row(
    s: &Cells<'_>,
    shape: &Shape,
    blocks: &Blocks,
    row: isize,
    dry: f32,
    out: &mut [Vec<f32>; 2],
) {
    let [u, v] = out;
    if !blocks.is_full(row, shape) {
        u.fill(0.0);
        v.fill(0.0);
    }
    for run in blocks.runs(row) {
        let at = shape.at(row, run.start as isize);
        let (len, c) = (run.len(), Shape::first_col() + run.start);
        for_lanes!(
            len / LANES;
            h = &s.h[at..], x = &s.x[at..], y = &s.y[at..];
            mut u = &mut u[c..], mut v = &mut v[c..];
            i => {
                let inverse = if h[i] > dry { 1.0 / h[i] } else { 0.0 };
                u[i] = x[i] * inverse;
                v[i] = y[i] * inverse;
            }
        );
    }
}

/// Slopes of the cells of a row from three neighbours `[before, here, behind]` of bed, depth and velocities (normal first).
#[inline(always)]
fn slopes<const SECOND: bool>(
    z: [&[f32]; 3],
    h: [&[f32]; 3],
    u: [&[f32]; 3],
    v: [&[f32]; 3],
    dry: f32,
    out: [&mut [f32]; 4],
) {
    let [dh, de, du, dv] = out;
    for_lanes!(
        dh.len() / LANES;
        za = z[0], zb = z[1], zc = z[2], ha = h[0], hb = h[1], hc = h[2],
        ua = u[0], ub = u[1], uc = u[2], va = v[0], vb = v[1], vc = v[2];
        mut dh = dh, mut de = de, mut du = du, mut dv = dv;
        i => {
            let wet = lo(lo(ha[i], hb[i]), hc[i]) > dry;
            let keep = if wet { 1.0 } else { 0.0 };
            let (back, ahead) = (hb[i] - ha[i], hc[i] - hb[i]);
            // Walls are 1e20 high: their products with 0 are 0, not NaN.
            // First order: where the bed falls by more than the water's depth, only there. In deep water a sloping level
            // would want a second stage in time.
            let steep = SECOND || (zc[i] - za[i]).abs() > 2.0 * hb[i];
            let level = minmod_half(back + (zb[i] - za[i]), ahead + (zc[i] - zb[i]));
            de[i] = if steep { keep * level } else { 0.0 };
            if SECOND {
                dh[i] = keep * minmod_half(back, ahead);
                du[i] = keep * minmod_half(ub[i] - ua[i], uc[i] - ub[i]);
                dv[i] = keep * minmod_half(vb[i] - va[i], vc[i] - vb[i]);
            }
        }
    );
}

/// Slices of one side of a run of faces.
struct Sides<'a> {
    z: &'a [f32],
    h: &'a [f32],
    u: &'a [f32],
    v: &'a [f32],
    slopes: [&'a [f32]; 4],
}

/// Beds above this are walls, m.
const WALL: f32 = 1e19;

#[inline(always)]
fn fluxes<const SECOND: bool>(l: Sides<'_>, r: Sides<'_>, out: &mut Fluxes, to: Range<usize>) {
    let [mass, before, behind, across] = out.each().map(|f| &mut f[to.clone()]);
    let ([lh, le, lu, lv], [rh, re, ru, rv]) = (l.slopes, r.slopes);
    for_lanes!(
        to.len() / LANES;
        zl = l.z, hl = l.h, ul = l.u, vl = l.v, zr = r.z, hr = r.h, ur = r.u, vr = r.v,
        lh = lh, le = le, lu = lu, lv = lv, rh = rh, re = re, ru = ru, rv = rv;
        mut mass = mass, mut before = before, mut behind = behind, mut across = across;
        i => {
        let mut dz = zl[i] - zr[i];
        let mut a = Side {
            h: hl[i],
            u: ul[i],
            v: vl[i],
        };
        let mut b = Side {
            h: hr[i],
            u: ur[i],
            v: vr[i],
        };
        // Walls mirror the flow; their cells have no slopes, and neither have those beside them.
        let (wall_l, wall_r) = (zl[i] > WALL, zr[i] > WALL);
        dz = if wall_l || wall_r { 0.0 } else { dz };
        (a.h, a.u) = if wall_l { (b.h, -b.u) } else { (a.h, a.u) };
        (b.h, b.u) = if wall_r { (a.h, -a.u) } else { (b.h, b.u) };
        dz += le[i] + re[i];
        if SECOND {
            dz -= lh[i] + rh[i];
            a = Side { h: a.h + lh[i], u: a.u + lu[i], v: a.v + lv[i] };
            b = Side { h: b.h - rh[i], u: b.u - ru[i], v: b.v - rv[i] };
        }
        // Half of g h d(level) of each cell, the rest of its bed slope, is taken up by each of its two faces.
        let (tilt_l, tilt_r) = (GRAVITY * hl[i] * le[i], GRAVITY * hr[i] * re[i]);
        let (m, p, q, t) = flux(a, b, dz);
        mass[i] = m;
        before[i] = p + tilt_l;
        behind[i] = q - tilt_r;
        across[i] = t;
    });
}

/// Everything about a row of the band that the functions below share.
#[derive(Clone, Copy)]
struct Place<'a> {
    shape: &'a Shape,
    blocks: &'a Blocks,
    faces: &'a Faces,
}

#[inline(always)]
fn east_row<const SECOND: bool>(
    s: &Cells<'_>,
    p: Place<'_>,
    row: isize,
    velocity: &[Vec<f32>; 2],
    slopes_x: &mut Slopes,
    stage: &Stage,
    out: &mut Fluxes,
) {
    let shape = p.shape;
    if !p.blocks.is_full(row, shape) {
        out.each().into_iter().for_each(|f| f.fill(0.0));
    }
    out.each()
        .into_iter()
        .for_each(|f| f[Shape::first_col() - 1] = 0.0);
    for run in p.blocks.runs(row) {
        let at = shape.at(row, run.start as isize);
        let (len, c) = (run.len(), Shape::first_col() + run.start);
        // One cell more behind the run, in whole groups: its slope belongs to the last face.
        let more = len + LANES.min(shape.stride - 1 - c - len);
        let cut = |f| three_of(f, at, more);
        let cut_row = |f| three_of(f, c, more);
        let [a, b, d, e] = slopes_x;
        let own = c..c + more;
        slopes::<SECOND>(
            cut(s.z),
            cut(s.h),
            cut_row(&velocity[0]),
            cut_row(&velocity[1]),
            stage.dry,
            [
                &mut a[own.clone()],
                &mut b[own.clone()],
                &mut d[own.clone()],
                &mut e[own],
            ],
        );
        let side = |by: usize| Sides {
            z: &s.z[at + by..at + by + len],
            h: &s.h[at + by..at + by + len],
            u: &velocity[0][c + by..c + by + len],
            v: &velocity[1][c + by..c + by + len],
            slopes: slopes_x.each_ref().map(|f| &f[c + by..c + by + len]),
        };
        fluxes::<SECOND>(side(0), side(1), out, c..c + len);
    }
    gates(
        p.faces.east(row),
        s,
        shape.row(row).start,
        |c| (s.x[c], s.y[c]),
        stage,
        out,
    );
}

/// A run and the runs one element before and behind.
#[inline(always)]
fn three_of(f: &[f32], at: usize, len: usize) -> [&[f32]; 3] {
    [
        &f[at - 1..at - 1 + len],
        &f[at..at + len],
        &f[at + 1..at + 1 + len],
    ]
}

/// Slopes of a row along y.
#[inline(always)]
fn slopes_row<const SECOND: bool>(
    s: &Cells<'_>,
    p: Place<'_>,
    row: isize,
    velocity: [&[Vec<f32>; 2]; 3],
    dry: f32,
    out: &mut Slopes,
) {
    if !p.blocks.is_full(row, p.shape) {
        out.iter_mut().for_each(|f| f.fill(0.0));
    }
    for run in p.blocks.runs(row) {
        let at = p.shape.at(row, run.start as isize);
        let (len, c, stride) = (run.len(), Shape::first_col() + run.start, p.shape.stride);
        let around = [at - stride, at, at + stride];
        let z = around.map(|a| &s.z[a..a + len]);
        let h = around.map(|a| &s.h[a..a + len]);
        let [a, b, d, e] = out;
        let own = c..c + len;
        slopes::<SECOND>(
            z,
            h,
            velocity.map(|w| &w[1][own.clone()]),
            velocity.map(|w| &w[0][own.clone()]),
            dry,
            [
                &mut a[own.clone()],
                &mut b[own.clone()],
                &mut d[own.clone()],
                &mut e[own.clone()],
            ],
        );
    }
}

#[inline(always)]
fn south_row<const SECOND: bool>(
    s: &Cells<'_>,
    p: Place<'_>,
    row: isize,
    velocity: [&[Vec<f32>; 2]; 2],
    slopes_y: [&Slopes; 2],
    stage: &Stage,
    out: &mut Fluxes,
) {
    let shape = p.shape;
    if !p.blocks.is_full(row, shape) {
        out.each().into_iter().for_each(|f| f.fill(0.0));
    }
    for run in p.blocks.runs(row) {
        let at = shape.at(row, run.start as isize);
        let (len, c) = (run.len(), Shape::first_col() + run.start);
        let side = |k: usize| {
            let at = at + k * shape.stride;
            Sides {
                z: &s.z[at..at + len],
                h: &s.h[at..at + len],
                u: &velocity[k][1][c..c + len],
                v: &velocity[k][0][c..c + len],
                slopes: slopes_y[k].each_ref().map(|f| &f[c..c + len]),
            }
        };
        fluxes::<SECOND>(side(0), side(1), out, c..c + len);
    }
    gates(
        p.faces.south(row),
        s,
        shape.row(row).start,
        |c| (s.y[c], s.x[c]),
        stage,
        out,
    );
}

/// Fluxes through the faces of a row that have a law of their own. `flow(cell)`: unit discharge along the normal and
/// across.
#[inline(always)]
fn gates(
    gates: &[Gate],
    s: &Cells<'_>,
    start: usize,
    flow: impl Fn(usize) -> (f32, f32),
    stage: &Stage,
    out: &mut Fluxes,
) {
    for gate in gates {
        let cell = start.wrapping_add_signed(gate.inner);
        let h = s.h[cell];
        let wet = h > stage.dry;
        let (normal, across) = flow(cell);
        let inverse = if wet { gate.sign / h } else { 0.0 };
        // Velocity out of the inner cell.
        let inner = Side {
            h,
            u: normal * inverse,
            v: gate.sign * across * inverse,
        };
        let (mass, inside, outside) = match gate.law {
            Law::Level { depth, .. } => {
                let beyond = Side {
                    h: depth,
                    u: inner.u,
                    v: inner.v,
                };
                let (m, p, q, _) = flux(inner, beyond, 0.0);
                (m, p, q)
            }
            // Given discharge: momentum of the flow, and no pressure but the cell's own.
            Law::Normal { conveyance } => {
                let m = normal_flow(h, conveyance, stage.dry);
                (m, if wet { m * m / h } else { 0.0 }, 0.0)
            }
            Law::Weir {
                crest,
                crest_beyond,
                coefficient,
                ..
            } => {
                let beyond = start.wrapping_add_signed(gate.outer);
                let m = weir_flow(h - crest, s.h[beyond] - crest_beyond, coefficient);
                (m, 0.0, 0.0)
            }
        };
        out.mass[gate.face] = gate.sign * mass;
        let (before, behind) = if gate.sign > 0.0 {
            (inside, outside)
        } else {
            (outside, inside)
        };
        out.before[gate.face] = before;
        out.behind[gate.face] = behind;
        out.across[gate.face] = gate.sign * mass * if mass > 0.0 { inner.v } else { 0.0 };
    }
}

/// Scales the fluxes of faces by the share that their donor can give.
#[inline(always)]
fn scale(f: &mut Fluxes, before: &[f32], behind: &[f32]) {
    let [mass, p, q, across] = f.each().map(|f| &mut f[..before.len()]);
    for_lanes!(
        before.len() / LANES;
        before = before, behind = behind;
        mut mass = mass, mut p = p, mut q = q, mut across = across;
        i => {
            let share = if mass[i] > 0.0 { before[i] } else { behind[i] };
            mass[i] *= share;
            p[i] *= share;
            q[i] *= share;
            across[i] *= share;
        }
    );
}

/// What a run of cells holds before and after a stage.
struct Run<'a> {
    /// Stage state.
    h: &'a [f32],
    x: &'a [f32],
    y: &'a [f32],
    n: &'a [f32],
    new_h: &'a mut [f32],
    rest: &'a mut [f32],
    new_x: &'a mut [f32],
    new_y: &'a mut [f32],
    /// Change of depth in the first of two stages.
    change: &'a mut [f32],
    /// Stands in for the change where there is one stage only.
    spare: &'a mut [f32],
}

/// Balance of mass and momentum over a run, with friction; greatest depth and wave speed. `OPENING`, `CLOSING`: first and
/// second of two stages; both: the only one.
#[inline(always)]
fn balance<const OPENING: bool, const CLOSING: bool>(
    run: Run<'_>,
    (east, south_before, south): (&Fluxes, &Fluxes, &Fluxes),
    c: usize,
    stage: &Stage,
) -> (f32, f32) {
    let len = run.h.len();
    let single = OPENING && CLOSING;
    // The only stage has no change to keep: another field stands in and is left alone.
    let change = if single {
        &mut run.spare[..]
    } else {
        &mut run.change[..]
    };
    let drag = GRAVITY * stage.dt;
    let (mut deepest, mut fastest) = ([0.0f32; LANES], [0.0f32; LANES]);
    for_lanes!(
        len / LANES;
        h = run.h, x = run.x, y = run.y, n = run.n,
        wm = &east.mass[c - 1..], wq = &east.behind[c - 1..], wa = &east.across[c - 1..],
        em = &east.mass[c..], ep = &east.before[c..], ea = &east.across[c..],
        nm = &south_before.mass[c..], nq = &south_before.behind[c..], na = &south_before.across[c..],
        sm = &south.mass[c..], sp = &south.before[c..], sa = &south.across[c..];
        mut new_h = run.new_h, mut rest = run.rest, mut new_x = run.new_x, mut new_y = run.new_y, mut change = change;
        i => {
        let dm = stage.dt_dx * ((wm[i] - em[i]) + (nm[i] - sm[i]));
        let dx = stage.dt_dx * ((wq[i] - ep[i]) + (na[i] - sa[i]));
        let dy = stage.dt_dx * ((wa[i] - ea[i]) + (nq[i] - sp[i]));
        // The water of this stage, before the mean with the base state.
        let (staged, depth);
        if CLOSING && !OPENING {
            staged = h[i] + dm;
            (depth, rest[i]) = add(new_h[i], rest[i], 0.5 * (change[i] + dm));
        } else if OPENING && !CLOSING {
            change[i] = dm;
            depth = add(h[i], rest[i], dm).0;
            staged = depth;
        } else {
            (depth, rest[i]) = add(h[i], rest[i], dm);
            staged = depth;
        }
        let (mut qx, mut qy) = (x[i] + dx, y[i] + dy);
        let deep = hi(staged, stage.dry);
        let r = reciprocal_sixth_root(deep);
        let (r2, c) = (r * r, GRAVITY.sqrt() * deep * (r * r * r));
        let r4 = r2 * r2;
        // h^(-7/3) |q| = h^(-4/3) |u|
        let k = drag * (n[i] * n[i]) * (r4 * r4 * r4 * r2);
        let flow = (qx * qx + qy * qy).sqrt();
        let slowed = 2.0 / (1.0 + (1.0 + 4.0 * k * flow).sqrt());
        // A film of a few dry depths that is faster than twice its waves is rounding, not water.
        let film = if deep < 4.0 * stage.dry { 2.0 * c * deep } else { 1e30 };
        let slowed = slowed * lo(1.0, film / hi(flow * slowed, 1e-30));
        let slowed = if staged > stage.dry { slowed } else { 0.0 };
        (qx, qy) = (qx * slowed, qy * slowed);
        if CLOSING && !OPENING {
            (qx, qy) = (0.5 * (new_x[i] + qx), 0.5 * (new_y[i] + qy));
            let deep = hi(depth, stage.dry);
            let fast = (qx * qx + qy * qy).sqrt() / deep + (GRAVITY * deep).sqrt();
            fastest[i] = hi(if depth > stage.dry { fast } else { 0.0 }, fastest[i]);
        } else if CLOSING {
            let fast = flow * slowed / deep + c;
            fastest[i] = hi(if depth > stage.dry { fast } else { 0.0 }, fastest[i]);
        }
        new_h[i] = depth;
        new_x[i] = qx;
        new_y[i] = qy;
        deepest[i] = hi(depth, deepest[i]);
    });
    let most = |lanes: [f32; LANES]| lanes.iter().fold(0.0, |m, &v| hi(v, m));
    (most(deepest), most(fastest))
}

#[inline(always)]
fn stage_rows<const SECOND: bool, const OPENING: bool, const CLOSING: bool>(
    p: Place<'_>,
    rows: Range<usize>,
    old: &Cells<'_>,
    next: Next<'_>,
    scratch: &mut Scratch,
    stage: &Stage,
) -> Settled {
    let (shape, blocks) = (p.shape, p.blocks);
    let (first, end) = (rows.start as isize, rows.end as isize);
    let Scratch {
        velocity: [v0, v1, v2, v3],
        slopes_x,
        slopes_y: [d1, d2],
        east: [east_here, east_next],
        south: [south_before, south_here, south_next],
        share: [share_here, share_next],
        spare,
    } = scratch;
    let (mut short_here, mut sum) = (false, Settled::default());
    // v0..v3: velocities of rows row - 1 .. row + 2; d1, d2: slopes of rows row and row + 1. Begun so that the first turn
    // below finds row = first - 2.
    velocity_row(old, shape, blocks, first - 3, stage.dry, v1);
    velocity_row(old, shape, blocks, first - 2, stage.dry, v2);
    velocity_row(old, shape, blocks, first - 1, stage.dry, v3);
    slopes_row::<SECOND>(old, p, first - 2, [&*v1, &*v2, &*v3], stage.dry, d2);
    for row in first - 2..=end {
        std::mem::swap(v0, v1);
        std::mem::swap(v1, v2);
        std::mem::swap(v2, v3);
        velocity_row(old, shape, blocks, row + 2, stage.dry, v3);
        std::mem::swap(d1, d2);
        slopes_row::<SECOND>(old, p, row + 1, [&*v1, &*v2, &*v3], stage.dry, d2);
        south_row::<SECOND>(old, p, row, [&*v1, &*v2], [&*d1, &*d2], stage, south_next);
        if row == first - 2 {
            std::mem::swap(south_here, south_next);
            continue;
        }
        east_row::<SECOND>(old, p, row, v1, slopes_x, stage, east_next);

        let mut short_next = false;
        for run in blocks.runs(row) {
            let at = shape.at(row, run.start as isize);
            let (c, len) = (Shape::first_col() + run.start, run.len());
            short_next |= is_short(
                &old.h[at..at + len],
                &east_next.mass[c - 1..c + len],
                &south_here.mass[c..c + len],
                &south_next.mass[c..c + len],
                stage.dt_dx,
            );
        }
        if short_next {
            share_next.fill(1.0);
            for run in blocks.runs(row) {
                let at = shape.at(row, run.start as isize);
                let (c, len) = (Shape::first_col() + run.start, run.len());
                shares(
                    &old.h[at..at + len],
                    &east_next.mass[c - 1..c + len],
                    &south_here.mass[c..c + len],
                    &south_next.mass[c..c + len],
                    stage.dt_dx,
                    &mut share_next[c..c + len],
                );
            }
            p.faces.free_shares(row, share_next);
            let last = shape.stride - LANES;
            scale(east_next, &share_next[..last], &share_next[1..]);
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
            for run in blocks.runs(done) {
                let at = shape.at(done, run.start as isize);
                let (c, len) = (Shape::first_col() + run.start, run.len());
                let own = base + c..base + c + len;
                let change = if SECOND { own.clone() } else { 0..0 };
                let run = Run {
                    h: &old.h[at..at + len],
                    x: &old.x[at..at + len],
                    y: &old.y[at..at + len],
                    n: &old.n[at..at + len],
                    new_h: &mut next.h[own.clone()],
                    rest: &mut next.rest[own.clone()],
                    new_x: &mut next.x[own.clone()],
                    new_y: &mut next.y[own],
                    change: &mut next.change[change],
                    spare: &mut spare[..len],
                };
                let (deepest, fastest) = balance::<OPENING, CLOSING>(
                    run,
                    (east_here, south_before, south_here),
                    c,
                    stage,
                );
                sum.deepest = hi(deepest, sum.deepest);
                sum.fastest = hi(fastest, sum.fastest);
            }
            let own = base..base + shape.stride;
            let (h, rest) = (&mut next.h[own.clone()], &mut next.rest[own]);
            if CLOSING {
                p.faces.settle(done, stage.dt, h, rest, &mut sum);
            } else {
                p.faces.clear(done, h);
            }
        }
        std::mem::swap(east_here, east_next);
        std::mem::swap(share_here, share_next);
        std::mem::swap(south_before, south_here);
        std::mem::swap(south_here, south_next);
        short_here = short_next;
    }
    // Waves of water that was just poured in.
    sum.fastest = hi(sum.fastest, (GRAVITY * sum.deepest).sqrt());
    sum
}

/// [`advance`], and its narrow version for tests.
pub(super) type Advance = for<'a> fn(
    &'a Shape,
    &'a Blocks,
    &'a Faces,
    Range<usize>,
    Cells<'a>,
    Next<'a>,
    &'a mut Scratch,
    Stage,
) -> Settled;

#[inline(always)]
pub(super) fn stage_band<'a>(
    shape: &'a Shape,
    blocks: &'a Blocks,
    faces: &'a Faces,
    rows: Range<usize>,
    old: Cells<'a>,
    next: Next<'a>,
    scratch: &'a mut Scratch,
    stage: Stage,
) -> Settled {
    let p = Place {
        shape,
        blocks,
        faces,
    };
    match stage.order {
        Order::First => stage_rows::<false, true, true>(p, rows, &old, next, scratch, &stage),
        Order::Opening => stage_rows::<true, true, false>(p, rows, &old, next, scratch, &stage),
        Order::Closing => stage_rows::<true, false, true>(p, rows, &old, next, scratch, &stage),
    }
}

wide!(
    /// One stage of the rows of a band; returns the greatest depth and wave speed.
    advance = stage_band, stage_band_avx2, stage_band_avx512, <'a>
    (
        shape: &'a Shape,
        blocks: &'a Blocks,
        faces: &'a Faces,
        rows: Range<usize>,
        old: Cells<'a>,
        next: Next<'a>,
        scratch: &'a mut Scratch,
        stage: Stage,
    ) -> Settled
);
