//! What a run remembers of every cell: greatest depth and velocity, arrival, duration.

use super::kernel::{GRAVITY, LANES, hi, lanes, lanes_mut, lo, wide};

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

/// Notes the cells of a run, [`LANES`] at a time; `flow(k)`: unit discharge to the east and south of group k.
///
/// Where none of a group moves or is flooded, which is so of most of the ground under rain, only its depths are looked at: the
/// other planes would be read and written as they are.
#[inline(always)]
fn note(
    h: &[[f32; LANES]],
    flow: impl Fn(usize) -> [[f32; LANES]; 2],
    watch: &Watch,
    peaks: Peaks<'_>,
) {
    let depth = &mut lanes_mut(peaks.depth)[..h.len()];
    let velocity = &mut lanes_mut(peaks.velocity)[..h.len()];
    let at_peak = &mut lanes_mut(peaks.velocity_at_peak)[..h.len()];
    let hazard = &mut lanes_mut(peaks.hazard)[..h.len()];
    let arrival = &mut lanes_mut(peaks.arrival)[..h.len()];
    let duration = &mut lanes_mut(peaks.duration)[..h.len()];
    for (k, &d) in h.iter().enumerate() {
        let (mut moves, mut is_flooded) = (0u32, 0u32);
        for i in 0..LANES {
            moves |= u32::from(d[i] >= watch.moving);
            is_flooded |= u32::from(d[i] >= watch.flooded);
        }
        let mut most = depth[k];
        if moves != 0 {
            let [qx, qy] = flow(k);
            let (mut fast, mut then, mut product) = (velocity[k], at_peak[k], hazard[k]);
            for i in 0..LANES {
                let speed = speed_of(qx[i], qy[i], d[i], watch);
                fast[i] = hi(speed, fast[i]);
                then[i] = if d[i] > most[i] { speed } else { then[i] };
                product[i] = hi(d[i] * speed, product[i]);
            }
            (velocity[k], at_peak[k], hazard[k]) = (fast, then, product);
        }
        for i in 0..LANES {
            most[i] = hi(d[i], most[i]);
        }
        depth[k] = most;
        if is_flooded != 0 {
            let (mut first, mut long) = (arrival[k], duration[k]);
            for i in 0..LANES {
                let flooded = d[i] >= watch.flooded;
                long[i] += if flooded { watch.elapsed } else { 0.0 };
                first[i] = if flooded && first[i] < 0.0 {
                    watch.now
                } else {
                    first[i]
                };
            }
            (arrival[k], duration[k]) = (first, long);
        }
    }
}

#[inline(always)]
fn look_body<'a>(h: &'a [f32], flow: Flows<'a>, watch: Watch, peaks: Peaks<'a>) {
    let h = lanes(h);
    match flow {
        Flows::Faces(faces) => {
            let [west, east, north, south] = faces.map(|f| &lanes(f)[..h.len()]);
            let mean = |a: [f32; LANES], b: [f32; LANES]| {
                let mut out = [0.0f32; LANES];
                for i in 0..LANES {
                    out[i] = 0.5 * (a[i] + b[i]);
                }
                out
            };
            let flow = |k: usize| [mean(west[k], east[k]), mean(north[k], south[k])];
            note(h, flow, &watch, peaks);
        }
        Flows::Cells(cells) => {
            let [x, y] = cells.map(|f| &lanes(f)[..h.len()]);
            note(h, |k| [x[k], y[k]], &watch, peaks);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`look`] leaves, cell by cell and without passing over any.
    fn plainly(h: &[f32], x: &[f32], y: &[f32], watch: &Watch, peaks: &mut [Vec<f32>; 6]) {
        for i in 0..h.len() {
            let speed = speed_of(x[i], y[i], h[i], watch);
            if h[i] > peaks[0][i] {
                peaks[2][i] = speed;
            }
            peaks[0][i] = peaks[0][i].max(h[i]);
            peaks[1][i] = peaks[1][i].max(speed);
            peaks[3][i] = peaks[3][i].max(h[i] * speed);
            if h[i] >= watch.flooded {
                peaks[5][i] += watch.elapsed;
                if peaks[4][i] < 0.0 {
                    peaks[4][i] = watch.now;
                }
            }
        }
    }

    #[test]
    fn films_are_passed_over_without_a_trace() {
        // A flood that rises from films to 30 cm and falls again, a little shifted from cell to cell.
        let start = || [0.0f32, 0.0, 0.0, 0.0, -1.0, 0.0].map(|v| vec![v; 64]);
        let (mut noted, mut expected) = (start(), start());
        for step in 0..40 {
            let depth =
                |i: usize| (0.3 - 0.02 * (step as f32 - 12.0 - 0.2 * i as f32).abs()).max(0.001);
            let h: Vec<f32> = (0..64).map(depth).collect();
            let x: Vec<f32> = h.iter().map(|d| d * (0.5 + 0.02 * step as f32)).collect();
            let y: Vec<f32> = h.iter().map(|d| -0.3 * d).collect();
            let watch = Watch {
                flooded: 0.15,
                moving: 0.05,
                froude: 1.0,
                now: 10.0 * step as f32,
                elapsed: 10.0,
            };
            plainly(&h, &x, &y, &watch, &mut expected);
            let [depth, velocity, velocity_at_peak, hazard, arrival, duration] = &mut noted;
            let peaks = Peaks {
                depth,
                velocity,
                velocity_at_peak,
                hazard,
                arrival,
                duration,
            };
            look(&h, Flows::Cells([&x, &y]), watch, peaks);
            assert_eq!(noted, expected, "step {step}");
        }
        assert!(noted[4].iter().all(|a| *a > 0.0) && noted[2].iter().all(|v| *v > 0.3));
    }
}
