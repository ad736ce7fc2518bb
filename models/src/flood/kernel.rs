//! Inner loops of the local-inertial solver: flat slices, no branches on configuration, written to autovectorise.
//!
//! Flow through a face between cells l and r (positive from l to r), with bed step `dz = z_l - z_r`:
//! * depth at the face `hf = max(h_l + min(dz, 0), h_r - max(dz, 0))` = highest level less highest bed, formed from depths
//!   and one bed difference, so that no absolute level is ever held in f32;
//! * `a = theta q + (1 - theta)/2 (q_before + q_after) - g hf dt S` (de Almeida et al. 2012, eq. 12);
//! * Manning friction is implicit: `q' (1 + k |q'|) = a`, `k = g dt n^2 hf^(-7/3)`, whose root is
//!   `2a / (1 + sqrt(1 + 4 k |a|))`; then |q'| is extended by the transverse flow (de Almeida & Bates 2013) and
//!   `q' = a / (1 + k |q|)`. For small dt this is the semi-implicit form of Bates et al. (2010, eq. 11); for a face that
//!   has just become wet, where the old flow is zero and the published form has no friction, it starts at Manning's
//!   equilibrium;
//! * |q'| <= Fr hf sqrt(g hf): the equations have no advection, so they say nothing about supercritical flow.
//!
//! # References
//! Bates, Horritt, Fewtrell (2010), J. Hydrol. 387:33-45, doi:10.1016/j.jhydrol.2010.03.027.
//! de Almeida, Bates, Freer, Souvignet (2012), Water Resour. Res. 48:W05528, doi:10.1029/2011WR011570.
//! de Almeida, Bates (2013), Water Resour. Res. 49:4833-4844, doi:10.1002/wrcr.20366.

/// Acceleration of gravity, m/s².
pub const GRAVITY: f32 = 9.806_65;

/// Numbers that are the same for all faces in one time step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Weight of the face's own old flow.
    pub theta: f32,
    /// g dt, m/s.
    pub g_dt: f32,
    /// g dt / dx, 1/s.
    pub g_dt_dx: f32,
    /// dt / dx, s/m.
    pub dt_dx: f32,
    /// dt, s.
    pub dt: f32,
    /// Face depth up to which nothing flows, m.
    pub dry: f32,
    /// Greatest Froude number.
    pub froude: f32,
}

/// The greater of two numbers; one machine instruction, unlike `f32::max` with its rule for NaN.
#[inline(always)]
pub(super) fn hi(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
pub(super) fn lo(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// Reciprocal cube root of a positive, normal number: x^(-1/3), relative error below 1e-6.
///
/// First guess from the exponent (a third of the bits by shifts, within 4 %), then three Newton steps, each of which
/// squares the error (times two).
#[inline(always)]
pub fn reciprocal_cube_root(x: f32) -> f32 {
    let bits = x.to_bits();
    let mut third = (bits >> 2) + (bits >> 4);
    third += third >> 4;
    third += third >> 8;
    let mut r = f32::from_bits(0x54a2_1d2a_u32.wrapping_sub(third));
    for _ in 0..3 {
        r *= 1.333_333_4 - 0.333_333_34 * (x * r) * (r * r);
    }
    r
}

/// New flow through a run of faces, m²/s. All slices have the length of `out`.
///
/// `left`, `right`: bed (m, any datum), depth (m) and Manning's n of the two cells; `own`, `before`, `after`: old flow of
/// the face and of its neighbours along the flow; `across`: the four transverse faces.
#[inline(always)]
pub(super) fn faces(
    left: [&[f32]; 3],
    right: [&[f32]; 3],
    [own, before, after]: [&[f32]; 3],
    across: [&[f32]; 4],
    step: Step,
    out: &mut [f32],
) {
    let len = out.len();
    let [zl, hl, nl] = left.map(|s| &s[..len]);
    let [zr, hr, nr] = right.map(|s| &s[..len]);
    let (own, before, after) = (&own[..len], &before[..len], &after[..len]);
    let [ta, tb, tc, td] = across.map(|s| &s[..len]);
    let side = 0.5 * (1.0 - step.theta);
    for i in 0..len {
        let dz = zl[i] - zr[i];
        let face = hi(hl[i] + lo(dz, 0.0), hr[i] - hi(dz, 0.0));
        let hf = hi(face, step.dry);
        let rise = (hr[i] - hl[i]) - dz;
        let a = step.theta * own[i] + side * (before[i] + after[i]) - step.g_dt_dx * hf * rise;
        let n = 0.5 * (nl[i] + nr[i]);
        let r = reciprocal_cube_root(hf);
        let r2 = r * r;
        let k = step.g_dt * (n * n) * (r2 * r2) * (r2 * r);
        let m = a.abs();
        let along = 2.0 * m / (1.0 + (1.0 + 4.0 * k * m).sqrt());
        let t = 0.25 * ((ta[i] + tb[i]) + (tc[i] + td[i]));
        let q = a / (1.0 + k * (along * along + t * t).sqrt());
        let cap = step.froude * hf * (GRAVITY * hf).sqrt();
        let q = hi(-cap, lo(cap, q));
        out[i] = if face > step.dry { q } else { 0.0 };
    }
}

/// Share of the wanted outflow that each cell can give, 0..1; true where some cell cannot give all.
#[inline(always)]
pub(super) fn limits(
    h: &[f32],
    [west, east, north, south]: [&[f32]; 4],
    step: Step,
    out: &mut [f32],
) -> bool {
    let len = out.len();
    let h = &h[..len];
    let (west, east, north, south) = (&west[..len], &east[..len], &north[..len], &south[..len]);
    let mut short = 0u32;
    for i in 0..len {
        let leaving = step.dt_dx
            * ((hi(east[i], 0.0) + hi(-west[i], 0.0)) + (hi(south[i], 0.0) + hi(-north[i], 0.0)));
        // A millionth less than all: rounding of the four products must not take the depth below zero.
        let share = h[i] * 0.999_999 / hi(leaving, 1e-30);
        short |= u32::from(share < 1.0);
        out[i] = lo(share, 1.0);
    }
    short != 0
}

/// Scales flows by the share that their donor can give: the left cell's where positive, the right cell's where negative.
#[inline(always)]
pub(super) fn scale(q: &mut [f32], left: &[f32], right: &[f32]) {
    let len = q.len();
    let (left, right) = (&left[..len], &right[..len]);
    for i in 0..len {
        q[i] *= if q[i] > 0.0 { left[i] } else { right[i] };
    }
}

/// Continuity over a run of cells. The depth is held as the unevaluated sum `h + rest` (two-sum, Knuth), because a
/// millimetre of rain per hour added to metres of water in single precision would be rounded away in every step.
#[inline(always)]
pub(super) fn continuity(
    h: &mut [f32],
    rest: &mut [f32],
    [west, east, north, south]: [&[f32]; 4],
    source: &[f32],
    step: Step,
) {
    let len = h.len();
    let rest = &mut rest[..len];
    let (west, east, north, south) = (&west[..len], &east[..len], &north[..len], &south[..len]);
    let source = &source[..len];
    for i in 0..len {
        let change = step.dt_dx * ((west[i] - east[i]) + (north[i] - south[i]))
            + step.dt * source[i]
            + rest[i];
        let old = h[i];
        let new = old + change;
        let moved = new - old;
        rest[i] = (old - (new - moved)) + (change - moved);
        h[i] = new;
    }
}

/// Greatest value of a run of depths (0 for an empty one).
#[inline(always)]
pub(super) fn greatest(h: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0f32; LANES];
    let chunks = h.chunks_exact(LANES);
    let tail = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = hi(value, *lane);
        }
    }
    let tail = tail.iter().fold(0.0, |m, &v| hi(v, m));
    lanes.iter().fold(tail, |m, &v| hi(v, m))
}

/// Extremes of a run of cells.
pub(super) struct Peaks<'a> {
    pub depth: &'a mut [f32],
    pub velocity: &'a mut [f32],
    pub velocity_at_peak: &'a mut [f32],
    pub arrival: &'a mut [f32],
    pub duration: &'a mut [f32],
}

/// Depths that count, m, and time, s.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    /// Depth from which a cell is flooded (arrival, duration).
    pub flooded: f32,
    /// Depth from which a velocity is worth noting: flow over film depth is a ratio of two small numbers.
    pub moving: f32,
    /// Greatest Froude number.
    pub froude: f32,
    /// Now.
    pub now: f32,
    /// Since the last look.
    pub elapsed: f32,
}

/// Notes greatest depth, greatest velocity, velocity at greatest depth, arrival and duration.
#[inline(always)]
pub(super) fn watch(
    h: &[f32],
    [west, east, north, south]: [&[f32]; 4],
    watch: Watch,
    peaks: Peaks<'_>,
) {
    let len = h.len();
    let (west, east, north, south) = (&west[..len], &east[..len], &north[..len], &south[..len]);
    let (depth, velocity) = (&mut peaks.depth[..len], &mut peaks.velocity[..len]);
    let at_peak = &mut peaks.velocity_at_peak[..len];
    let (arrival, duration) = (&mut peaks.arrival[..len], &mut peaks.duration[..len]);
    for i in 0..len {
        let d = h[i];
        let (qx, qy) = (0.5 * (west[i] + east[i]), 0.5 * (north[i] + south[i]));
        let speed = (qx * qx + qy * qy).sqrt() / hi(d, watch.moving);
        // A cell that fills has the flow of its deep donor over its own shallow depth: capped like the flow through faces.
        let speed = lo(speed, watch.froude * (GRAVITY * hi(d, 0.0)).sqrt());
        let speed = if d >= watch.moving { speed } else { 0.0 };
        velocity[i] = hi(speed, velocity[i]);
        at_peak[i] = if d > depth[i] { speed } else { at_peak[i] };
        depth[i] = hi(d, depth[i]);
        let flooded = d >= watch.flooded;
        duration[i] += if flooded { watch.elapsed } else { 0.0 };
        arrival[i] = if flooded && arrival[i] < 0.0 {
            watch.now
        } else {
            arrival[i]
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocal_cube_roots_are_right_to_a_millionth() {
        let mut worst = 0.0f64;
        let mut x = 1e-6f32;
        while x < 2e4 {
            let exact = 1.0 / libm::cbrt(f64::from(x));
            worst = worst.max((f64::from(reciprocal_cube_root(x)) / exact - 1.0).abs());
            x *= 1.000_37;
        }
        assert!(worst < 1e-6, "{worst:e}");
    }

    #[test]
    fn a_face_reaches_manning_equilibrium_at_once_and_stays() {
        // Sheet of 0.1 m on a slope of 1 %, n = 0.05: q = h^(5/3) sqrt(S) / n.
        let step = Step {
            theta: 1.0,
            g_dt: GRAVITY * 1e4,
            g_dt_dx: GRAVITY * 1e3,
            dt_dx: 1e3,
            dt: 1e4,
            dry: 1e-4,
            froude: 1.0,
        };
        let zero = [0.0f32];
        let mut q = [0.0f32];
        faces(
            [&[0.1], &[0.1], &[0.05]],
            [&[0.0], &[0.1], &[0.05]],
            [&zero, &zero, &zero],
            [&zero; 4],
            step,
            &mut q,
        );
        let manning = libm::pow(0.1, 5.0 / 3.0) * libm::sqrt(0.01) / 0.05;
        // dt of 10^4 s is not infinite: a 1/dt term of about u/(g S dt) = 4e-4 remains.
        assert!((f64::from(q[0]) / manning - 1.0).abs() < 1e-3, "{}", q[0]);
    }

    #[test]
    fn small_rain_on_deep_water_is_not_lost() {
        let (mut h, mut rest) = ([5.0f32], [0.0f32]);
        let step = Step {
            theta: 1.0,
            g_dt: 0.0,
            g_dt_dx: 0.0,
            dt_dx: 0.0,
            dt: 1.0,
            dry: 1e-4,
            froude: 1.0,
        };
        let zero = [0.0f32];
        // 1 mm/h for an hour in steps of one second: each step adds half of a unit in the last place of 5 m.
        for _ in 0..3600 {
            continuity(&mut h, &mut rest, [&zero; 4], &[1e-3 / 3600.0], step);
        }
        let stored = f64::from(h[0]) + f64::from(rest[0]);
        assert!((stored - 5.001).abs() < 1e-9, "{stored}");
    }
}
