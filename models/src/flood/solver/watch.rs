//! What a run remembers of every cell: greatest depth and velocity, arrival, duration.

use super::kernel::{GRAVITY, hi, lo, wide};

/// Extremes of a run of cells.
pub(super) struct Peaks<'a> {
    pub depth: &'a mut [f32],
    pub velocity: &'a mut [f32],
    pub velocity_at_peak: &'a mut [f32],
    /// Greatest depth times velocity, m²/s.
    pub hazard: &'a mut [f32],
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

/// Speed from flow and depth, m/s; 0 where it is not worth noting.
#[inline(always)]
fn speed_of(qx: f32, qy: f32, d: f32, watch: &Watch) -> f32 {
    let speed = (qx * qx + qy * qy).sqrt() / hi(d, watch.moving);
    // A cell that fills has the flow of its deep donor over its own shallow depth: capped like the flow through faces.
    let speed = lo(speed, watch.froude * (GRAVITY * hi(d, 0.0)).sqrt());
    if d >= watch.moving { speed } else { 0.0 }
}

#[inline(always)]
fn look_body<'a>(h: &'a [f32], flow: Flows<'a>, watch: Watch, peaks: Peaks<'a>) {
    let len = h.len();
    let (depth, velocity) = (&mut peaks.depth[..len], &mut peaks.velocity[..len]);
    let (at_peak, hazard) = (&mut peaks.velocity_at_peak[..len], &mut peaks.hazard[..len]);
    let (arrival, duration) = (&mut peaks.arrival[..len], &mut peaks.duration[..len]);
    macro_rules! note {
        ($i:ident, $qx:expr, $qy:expr) => {
            let d = h[$i];
            let speed = speed_of($qx, $qy, d, &watch);
            velocity[$i] = hi(speed, velocity[$i]);
            at_peak[$i] = if d > depth[$i] { speed } else { at_peak[$i] };
            hazard[$i] = hi(d * speed, hazard[$i]);
            depth[$i] = hi(d, depth[$i]);
            let flooded = d >= watch.flooded;
            duration[$i] += if flooded { watch.elapsed } else { 0.0 };
            let first = flooded && arrival[$i] < 0.0;
            arrival[$i] = if first { watch.now } else { arrival[$i] };
        };
    }
    match flow {
        Flows::Faces([west, east, north, south]) => {
            let (west, east) = (&west[..len], &east[..len]);
            let (north, south) = (&north[..len], &south[..len]);
            for i in 0..len {
                note!(i, 0.5 * (west[i] + east[i]), 0.5 * (north[i] + south[i]));
            }
        }
        Flows::Cells([x, y]) => {
            let (x, y) = (&x[..len], &y[..len]);
            for i in 0..len {
                note!(i, x[i], y[i]);
            }
        }
    }
}

/// Flows of a run of cells, m²/s: through the four faces, or of the cells themselves.
#[derive(Clone, Copy)]
pub(super) enum Flows<'a> {
    Faces([&'a [f32]; 4]),
    Cells([&'a [f32]; 2]),
}

wide!(
    /// Notes greatest depth, velocity, velocity at greatest depth, depth times velocity, arrival and duration.
    look = look_body, look_avx2, look_avx512, <'a>
    (h: &'a [f32], flow: Flows<'a>, watch: Watch, peaks: Peaks<'a>)
);
