//! Checks of the 2-D solver against analytic solutions and laws it must keep.
#![allow(clippy::print_stdout)] // skips and measured errors are told to who runs the tests

use super::{
    ACTIVE, Boundary, BoundaryLaw, Case, Channels, Domain, Dyke, Edge, Inflow, Inundation, Link,
    OUTLET, Scheme, Series, Simulation, SolverOptions, State, Work, simulate, simulate_until,
};
use crate::flood::infiltration::Infiltration;
use crate::flood::rain::Hyetograph;
use crate::flood::rainfall::{Gaps, Gauge, RainField, Spread};
use crate::flood::runoff::Wetness;
use crate::flood::works::drains::StormDrains;
use crate::flood::works::pumps::Pump;
use crate::flood::works::weirs::Opening;
use anlan_engine::random::Stream;
use anlan_engine::{Crs, Error, Grid, Raster};
use ndarray::Array2;
use proptest::prelude::*;
use std::path::PathBuf;

pub(super) fn grid(rows: usize, cols: usize, cell_m: f64) -> Grid {
    let crs = Crs::from_epsg(4549).unwrap();
    Grid::new(
        crs,
        (500_000.0, 3_200_000.0),
        (cell_m, cell_m),
        (rows, cols),
    )
    .unwrap()
}

pub(super) struct Ground {
    pub(super) bed: Raster<f32>,
    pub(super) manning: Raster<f32>,
    pub(super) kind: Raster<u8>,
}

impl Ground {
    pub(super) fn new(grid: Grid, manning: f32, bed: impl Fn(usize, usize) -> f64) -> Ground {
        Ground {
            bed: Raster::new(
                grid,
                Array2::from_shape_fn(grid.shape(), |(r, c)| bed(r, c) as f32),
            ),
            manning: Raster::filled(grid, manning),
            kind: Raster::filled(grid, ACTIVE),
        }
    }

    pub(super) fn domain(&self) -> Domain<'_> {
        Domain {
            bed_m: &self.bed,
            manning_n: &self.manning,
            kind: &self.kind,
        }
    }

    pub(super) fn run(
        &self,
        initial: Option<&Raster<f32>>,
        inflows: &[Inflow],
        options: &SolverOptions,
    ) -> Inundation {
        let case = Case {
            initial_depth_m: initial,
            inflows,
            ..Case::new(self.domain())
        };
        simulate(&case, options, &mut |_| {}).unwrap()
    }

    pub(super) fn depth(&self, depth: impl Fn(usize, usize) -> f64) -> Raster<f32> {
        let data = Array2::from_shape_fn(self.bed.grid.shape(), |(r, c)| depth(r, c) as f32);
        Raster::new(self.bed.grid, data)
    }
}

/// Rain on every active cell, mm/h, for a time.
fn rain(ground: &Ground, mm_h: f64, hours: f64) -> Inflow {
    let kinds = ground.kind.values();
    let cells: Vec<u32> = (0..kinds.len() as u32)
        .filter(|&c| kinds[c as usize] == ACTIVE)
        .collect();
    let rates_m_s = vec![(mm_h / 3.6e6) as f32; cells.len()];
    Inflow {
        cells,
        step_s: hours * 3600.0,
        rates_m_s,
    }
}

/// A file of the shared data; `None` (with a word) where the folder is missing.
pub(super) fn shared_file(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("ANLAN_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let file = root.join(path);
    let bytes = std::fs::read(&file).ok();
    if bytes.is_none() {
        println!("SKIPPED: {} is not there", file.display());
    }
    bytes
}

/// The numbers of a table of the shared data, without its heading.
pub(super) fn shared(path: &str) -> Option<Vec<Vec<f64>>> {
    let text = String::from_utf8(shared_file(path)?).unwrap();
    let rows = text
        .lines()
        .skip(1)
        .map(|l| l.split(',').map(|v| v.trim().parse().unwrap()).collect());
    Some(rows.collect())
}

#[test]
fn a_run_stops_when_told() {
    let ground = Ground::new(grid(4, 4, 10.0), 0.03, |_, _| 0.0);
    let deep = ground.depth(|_, _| 1.0);
    let case = Case {
        initial_depth_m: Some(&deep),
        ..Case::new(ground.domain())
    };
    let mut last = -1.0;
    let mut stop = |now: f64| {
        assert!(now > last);
        last = now;
        now > 60.0
    };
    let stopped = simulate_until(&case, &SolverOptions::default(), &mut |_| {}, &mut stop);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert!(last < 70.0);
}

#[test]
fn lake_at_rest_stays_at_rest() {
    // Level 512.3 m above sea; an island that rises out of it and a sill under it.
    let ground = Ground::new(grid(24, 31, 10.0), 0.03, |r, c| {
        500.0
            + 20.0
                * libm::exp(
                    -((r as f64 - 9.0) * (r as f64 - 9.0) + (c as f64 - 12.0) * (c as f64 - 12.0))
                        / 20.0,
                )
            + if c > 22 { 6.1 } else { 0.0 }
    });
    let lake = ground.depth(|r, c| (512.3 - f64::from(ground.bed.data[(r, c)])).max(0.0));
    let end = ground.run(
        Some(&lake),
        &[],
        &SolverOptions {
            end_s: 3600.0,
            watch_s: 0.0,
            ..Default::default()
        },
    );
    let fastest = end.max_velocity_m_s.iter().fold(0.0f32, |m, &v| m.max(v));
    // Levels differ by the rounding of a bed at 500 m in f32 (3e-5 m): sqrt(2 g 3e-5) would be 2e-2 m/s without care.
    assert!(fastest < 1e-4, "{fastest:e}");
    let moved = end
        .depth_m
        .iter()
        .zip(lake.values())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0f32, f32::max);
    assert!(moved < 5e-5, "{moved:e}");
    assert!(end.ledger.error().abs() < 1e-9);

    // The same with a bed and a level that f32 holds exactly: nothing moves at all.
    let ground = Ground::new(grid(20, 20, 10.0), 0.03, |r, c| {
        500.0 + ((r * 5 + c * 3) % 17) as f64 * 0.5
    });
    let lake = ground.depth(|r, c| (506.0 - f64::from(ground.bed.data[(r, c)])).max(0.0));
    let end = ground.run(
        Some(&lake),
        &[],
        &SolverOptions {
            end_s: 3600.0,
            ..Default::default()
        },
    );
    assert!(end.max_velocity_m_s.iter().all(|&v| v == 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Rain on random rough ground with holes in the domain, open or closed: the ledger closes to a millionth.
    #[test]
    fn no_water_is_lost_or_made(seed in 0u64..1000, relief in 0.1f64..40.0, mm_h in 5.0f64..200.0, open in any::<bool>()) {
        let s = Stream::new(seed, 900);
        let mut ground = Ground::new(grid(30, 40, 20.0), 0.04, |r, c| 800.0 + relief * s.uniform(r as u64, c as u32, 0));
        for (r, c) in (0..30).flat_map(|r| (0..40).map(move |c| (r, c))) {
            let u = s.uniform(r as u64, c as u32, 1);
            if u < 0.15 { ground.kind.data[(r, c)] = 0 } else if open && u < 0.17 { ground.kind.data[(r, c)] = OUTLET }
        }
        let edge = if open { Edge::Free } else { Edge::Closed };
        let inflow = rain(&ground, mm_h, 0.5);
        let end = ground.run(None, &[inflow], &SolverOptions { end_s: 3000.0, edge, ..Default::default() });
        prop_assert!(end.ledger.error().abs() < 1e-6, "{:?} {:e}", end.ledger, end.ledger.error());
        let rained = end.cells.len() as f64 * 400.0 * mm_h * 0.5e-3;
        prop_assert!((end.ledger.inflow_m3 / rained - 1.0).abs() < 1e-6);
        prop_assert!(end.depth_m.iter().all(|d| *d >= 0.0 && d.is_finite()));
        prop_assert!(open == (end.ledger.outflow_m3 > 0.0));
    }
}

#[test]
fn a_dam_break_of_ten_metres_finishes() {
    // Stoker 10/1: the equations without advection cannot have the shock right, but must stay bounded and keep mass.
    let ground = Ground::new(grid(3, 200, 10.0), 0.01, |_, _| 0.0);
    let start = ground.depth(|_, c| if c < 100 { 10.0 } else { 1.0 });
    let end = ground.run(
        Some(&start),
        &[],
        &SolverOptions {
            end_s: 60.0,
            watch_s: 0.0,
            ..Default::default()
        },
    );
    assert!(end.ledger.error().abs() < 1e-6, "{:e}", end.ledger.error());
    assert!(end.max_depth_m.iter().all(|&d| d < 10.01));
    assert!(end.depth_m.iter().all(|&d| d > 0.9), "no hole is torn");
    // Without advection the middle state is not Stoker's 3.96 m: rarefaction q = 2/3 sqrt(g) (10^1.5 - h^1.5) meets the
    // jump q² = g/2 (h² - 1)(h - 1) at 6.37 m, or q² = g h (h - 1)² (upstream depth in the pressure term) at 5.83 m.
    let middle = f64::from(end.depth_m[100]);
    assert!((5.83 * 0.98..6.37 * 1.02).contains(&middle), "{middle}");
    // Dry bed downstream: the case in which others abort.
    let start = ground.depth(|_, c| if c < 100 { 10.0 } else { 0.0 });
    let end = ground.run(
        Some(&start),
        &[],
        &SolverOptions {
            end_s: 60.0,
            ..Default::default()
        },
    );
    assert!(end.ledger.error().abs() < 1e-6);
    assert!(end.max_velocity_m_s.iter().all(|&v| v < 12.0));
}

/// A strip of three rows along x, cells of `dx` from `west` on.
fn strip(
    dx: f64,
    west: f64,
    east: f64,
    manning: f32,
    depth: impl Fn(f64) -> f64,
) -> (Ground, Raster<f32>) {
    let cols = ((east - west) / dx).round() as usize;
    let ground = Ground::new(grid(3, cols, dx), manning, |_, _| 0.0);
    let depth = ground.depth(|_, c| depth(west + (c as f64 + 0.5) * dx));
    (ground, depth)
}

/// Depth of a dam break at x = 0 over a frictionless flat bed, 10 m to the west: Ritter (1892) over a dry bed, Stoker
/// (1957) over 1 m of water, with the middle state 3.961748168 m, 7.340769044 m/s and the shock at 9.8192947753 m/s.
fn dam_break(downstream_wet: bool, x: f64, t: f64) -> f64 {
    let (g, c0) = (9.806_65, libm::sqrt(9.806_65 * 10.0));
    let fan = |x: f64| {
        let c = (2.0 * c0 - x / t) / 3.0;
        c * c / g
    };
    let (middle, speed, shock) = (3.961_748_168, 7.340_769_044, 9.819_294_775_3);
    let tail = if downstream_wet {
        speed - libm::sqrt(g * middle)
    } else {
        2.0 * c0
    };
    if x < -c0 * t {
        10.0
    } else if x < tail * t {
        fan(x)
    } else if !downstream_wet {
        0.0
    } else if x < shock * t {
        middle
    } else {
        1.0
    }
}

/// Mean |h - exact| over the mean exact depth after 20 s.
fn dam_break_error(scheme: Scheme, wet: bool, dx: f64) -> f64 {
    let start = |x: f64| {
        if x < 0.0 {
            10.0
        } else if wet {
            1.0
        } else {
            0.0
        }
    };
    let (ground, depth) = strip(dx, -300.0, 500.0, 1e-9, start);
    let options = SolverOptions {
        scheme,
        end_s: 20.0,
        watch_s: 20.0,
        ..Default::default()
    };
    let end = ground.run(Some(&depth), &[], &options);
    assert!(end.ledger.error().abs() < 1e-6);
    let cols = ground.bed.grid.cols;
    let (mut off, mut sum) = (0.0, 0.0);
    for c in 0..cols {
        let exact = dam_break(wet, -300.0 + (c as f64 + 0.5) * dx, 20.0);
        off += (f64::from(end.depth_m[cols + c]) - exact).abs();
        sum += exact;
    }
    off / sum
}

#[test]
fn dam_breaks_converge_to_ritter_and_stoker() {
    for (file, wet) in [("ritter_hl10", false), ("stoker_hl10_hr1", true)] {
        if let Some(rows) = shared(&format!("flood/analytic/{file}_t20.csv")) {
            let off = rows
                .iter()
                .map(|r| (r[1] - dam_break(wet, r[0], 20.0)).abs());
            // Four digits of the file; cells at the shock itself may fall on either side.
            assert!(off.filter(|&e| e > 2e-3).count() <= 1);
        }
        for (scheme, least_order) in [(Scheme::Fv1, 0.7), (Scheme::Fv2, 0.8)] {
            let errors = [2.0, 1.0, 0.5].map(|dx| dam_break_error(scheme, wet, dx));
            let order = libm::log2(errors[0] / errors[2]) / 2.0;
            println!(
                "{file}, {scheme:?}: L1 {errors:.5?} of the mean depth at 2, 1, 0.5 m, order {order:.2}"
            );
            assert!(errors[1] < 0.02, "{file} {scheme:?} {errors:?}");
            assert!(order > least_order, "{file} {scheme:?} {order}");
        }
    }
}

#[test]
fn finite_volumes_keep_a_lake_at_rest() {
    // An island, a sill under water, and a step; level 12.5 m. Beds in steps of 1/1024 m, which single precision holds
    // exactly, or as they come: then the level itself is uneven by its rounding, 1e-6 m, and such a wave moves the
    // least water that is looked at (0.05 m) at 1e-6 sqrt(g / 0.05) = 1.4e-5 m/s; four of them may meet.
    for (exact, scheme) in [true, false]
        .into_iter()
        .flat_map(|e| [(e, Scheme::Fv1), (e, Scheme::Fv2)])
    {
        let ground = Ground::new(grid(40, 60, 10.0), 0.03, |r, c| {
            let (dr, dc) = (r as f64 - 20.0, c as f64 - 25.0);
            let z = 20.0 * libm::exp(-(dr * dr + dc * dc) / 40.0) + if c > 45 { 6.1 } else { 0.0 };
            if exact {
                (z * 1024.0).round() / 1024.0
            } else {
                z
            }
        });
        let lake = ground.depth(|r, c| (12.5 - f64::from(ground.bed.data[(r, c)])).max(0.0));
        let options = SolverOptions {
            scheme,
            end_s: 600.0,
            watch_s: 0.0,
            ..Default::default()
        };
        let end = ground.run(Some(&lake), &[], &options);
        let fastest = end.max_velocity_m_s.iter().fold(0.0f32, |m, &v| m.max(v));
        println!("lake at rest, {scheme:?}, exact bed {exact}: fastest {fastest:e} m/s");
        assert!(
            fastest < if exact { 1e-12 } else { 6e-5 },
            "{scheme:?} {fastest:e}"
        );
        assert!(end.ledger.error().abs() < 1e-9);
    }
}

/// Thacker's (1981) planar surface in a paraboloid, after SWASHES (Delestre et al. 2013): a = 1 m, h0 = 0.1 m, eta = 0.5.
fn thacker(x: f64, y: f64, t: f64) -> f64 {
    let w = libm::sqrt(2.0 * 9.806_65 * 0.1);
    let (x, y) = (x - 2.0, y - 2.0);
    let z = -0.1 * (1.0 - x * x - y * y);
    (0.05 * (2.0 * x * libm::cos(w * t) + 2.0 * y * libm::sin(w * t) - 0.5) - z).max(0.0)
}

#[test]
fn thackers_bowl_swings_three_times() {
    let period = 2.0 * std::f64::consts::PI / libm::sqrt(2.0 * 9.806_65 * 0.1);
    if let Some(rows) = shared("flood/analytic/thacker_planar_y2_t0T.csv") {
        let off = rows.iter().map(|r| (r[2] - thacker(r[0], 2.0, 0.0)).abs());
        assert!(off.fold(0.0, f64::max) < 1e-6);
    }
    let n = 160;
    let dx = 4.0 / n as f64;
    let middle = |k: usize| (k as f64 + 0.5) * dx;
    let ground = Ground::new(grid(n, n, dx), 1e-9, |r, c| {
        let (x, y) = (middle(c) - 2.0, middle(r) - 2.0);
        -0.1 * (1.0 - x * x - y * y)
    });
    // Rows run south: y here is measured southwards, as the solver's second direction.
    let start = ground.depth(|r, c| thacker(middle(c), middle(r), 0.0));
    let w = libm::sqrt(2.0 * 9.806_65 * 0.1);
    for (scheme, most) in [(Scheme::Fv1, 0.5), (Scheme::Fv2, 0.03)] {
        let options = SolverOptions {
            scheme,
            end_s: 3.0 * period,
            dry_m: 1e-6,
            watch_s: 1e9,
            ..Default::default()
        };
        // The water moves as one at the start: u = 0, v = eta w in the direction in which y grows.
        let velocity = ground.depth(|r, c| {
            if thacker(middle(c), middle(r), 0.0) > 0.0 {
                0.5 * w
            } else {
                0.0
            }
        });
        let still = Raster::filled(ground.bed.grid, 0.0f32);
        let end = {
            let case = Case {
                initial_depth_m: Some(&start),
                initial_velocity_m_s: Some([&still, &velocity]),
                ..Case::new(ground.domain())
            };
            simulate(&case, &options, &mut |_| {}).unwrap()
        };
        let (mut off, mut sum) = (0.0, 0.0);
        for (k, &h) in end.depth_m.iter().enumerate() {
            let exact = thacker(middle(k % n), middle(k / n), 3.0 * period);
            off += (f64::from(h) - exact).abs();
            sum += exact;
        }
        println!(
            "Thacker, {scheme:?}: L1 {:.4} of the mean depth after 3 periods",
            off / sum
        );
        assert!(off / sum < most, "{scheme:?} {}", off / sum);
        assert!(end.ledger.error().abs() < 1e-6);
    }
}

#[test]
fn a_round_dam_breaks_like_the_reference() {
    // 10 m of water within 50 m of the middle, dry around, after 2 s; profile of depth over radius from ANUGA.
    let Some(rows) = shared("flood/radial_dam_break_dry_t2.csv") else {
        return;
    };
    let n = 200;
    let radius = |r: usize, c: usize| {
        let (x, y) = (c as f64 + 0.5 - 100.0, r as f64 + 0.5 - 100.0);
        libm::sqrt(x * x + y * y)
    };
    let ground = Ground::new(grid(n, n, 1.0), 1e-9, |_, _| 0.0);
    let start = ground.depth(|r, c| if radius(r, c) < 50.0 { 10.0 } else { 0.0 });
    let options = SolverOptions {
        scheme: Scheme::Fv2,
        end_s: 2.0,
        watch_s: 2.0,
        ..Default::default()
    };
    let end = ground.run(Some(&start), &[], &options);
    let reference = |at: f64| {
        let near = rows
            .iter()
            .min_by(|a, b| (a[0] - at).abs().total_cmp(&(b[0] - at).abs()));
        near.map_or(0.0, |r| r[1])
    };
    let (mut square, mut count) = (0.0, 0.0);
    for (k, &h) in end.depth_m.iter().enumerate() {
        let at = radius(k / n, k % n);
        if at < 95.0 {
            let off = f64::from(h) - reference(at);
            square += off * off;
            count += 1.0;
        }
    }
    let rmse = libm::sqrt(square / count) / 10.0;
    println!("round dam break, Fv2: RMSE {rmse:.4} of the first depth");
    assert!(rmse < 0.02, "{rmse}");
}

/// Depth of Hunter's wave over a flat bed, u = 1 m/s: h = [7/3 n² u² (u t - x)]^(3/7).
fn hunter(n: f64, x: f64, t: f64) -> f64 {
    if t > x {
        libm::pow(7.0 / 3.0 * n * n * (t - x), 3.0 / 7.0)
    } else {
        0.0
    }
}

/// RMSE after an hour over the depth at the inlet, which lies at x = 0.
fn hunter_error(n: f64, dx: f64) -> f64 {
    let cols = (4500.0 / dx) as usize;
    let ground = Ground::new(grid(1, cols, dx), n as f32, |_, _| 0.0);
    let step_s = 5.0;
    // Discharge of the western face, u h(0, t), as depth per time of the first cell.
    let rates_m_s = (0..720)
        .map(|k| (hunter(n, 0.0, (f64::from(k) + 0.5) * step_s) / dx) as f32)
        .collect();
    let inflow = Inflow {
        cells: vec![0],
        step_s,
        rates_m_s,
    };
    let end = ground.run(
        None,
        &[inflow],
        &SolverOptions {
            end_s: 3600.0,
            ..Default::default()
        },
    );
    let error = |c: usize| f64::from(end.depth_m[c]) - hunter(n, (c as f64 + 0.5) * dx, 3600.0);
    let rmse = libm::sqrt((0..cols).map(|c| error(c) * error(c)).sum::<f64>() / cols as f64);
    let relative = rmse / hunter(n, 0.0, 3600.0);
    println!(
        "Hunter, n {n}, dx {dx} m: RMSE {rmse:.5} m = {:.3} % of the depth at the inlet",
        100.0 * relative
    );
    relative
}

#[test]
fn hunters_wave_runs_over_a_dry_bed() {
    // Hunter et al. (2005), Adv. Water Resour. 28:975, non-breaking wave.
    if let Some(rows) = shared("flood/analytic/hunter_u1_n0.01_t3600.csv") {
        assert!(
            rows.iter()
                .all(|r| (r[1] - hunter(0.01, r[0], 3600.0)).abs() < 1e-6)
        );
    }
    // n 0.03 (Bates et al. 2010): Froude² is 0.04 at the inlet.
    assert!(hunter_error(0.03, 25.0) < 0.02);
    // n 0.01: the analytic wave obeys the full equations. Without advection the slope of the surface is 1/(1 - Froude²)
    // times as steep, and Froude² is 0.11 at the inlet and 1 at the front: the model, not its solution, is 5 % off.
    assert!(hunter_error(0.01, 25.0) < 0.05);
}

#[test]
fn mac_donalds_channel_settles() {
    // SWASHES, long channel without rain (Delestre et al. 2013): n 0.033, 2 m²/s, 1000 m, steady and subcritical.
    let Some(rows) = shared("flood/macdonald/mcdo_norain.csv") else {
        return;
    };
    let cols = rows.len();
    let inflow = Inflow {
        cells: vec![0],
        step_s: 7200.0,
        rates_m_s: vec![0.4],
    };
    // Only the eastern edge is free: an outlet cell stands there.
    let mut ground = Ground::new(grid(1, cols + 1, 5.0), 0.033, |_, c| {
        rows[c.min(cols - 1)][1]
    });
    ground.kind.data[(0, cols)] = OUTLET;
    for (scheme, most) in [
        (Scheme::Inertial, 0.03),
        (Scheme::Fv1, 0.01),
        (Scheme::Fv2, 0.01),
    ] {
        let options = SolverOptions {
            scheme,
            end_s: 7200.0,
            ..Default::default()
        };
        let end = ground.run(None, std::slice::from_ref(&inflow), &options);
        let errors: Vec<f64> = (0..cols)
            .map(|c| f64::from(end.depth_m[c]) + f64::from(ground.bed.data[(0, c)]) - rows[c][2])
            .collect();
        let mae = errors.iter().map(|e| e.abs()).sum::<f64>() / cols as f64;
        let last = errors[cols - 1];
        println!("Mac Donald, {scheme:?}: MAE {mae:.4} m, at the outlet {last:.4} m");
        assert!(mae < most, "{scheme:?} {mae}");
    }
}

#[test]
fn a_uniform_channel_flows_at_normal_depth() {
    // 1 m²/s on 1 in 1000, n 0.03: h = (q n / sqrt(S))^(3/5) = 0.9693 m.
    let ground = Ground::new(grid(4, 100, 20.0), 0.03, |_, c| 100.0 - 0.02 * c as f64);
    let cells: Vec<u32> = (0..4).map(|r| r * 100).collect();
    let inflow = Inflow {
        cells,
        step_s: 20_000.0,
        rates_m_s: vec![0.05; 4],
    };
    let end = {
        let mut ground = ground;
        for r in 0..4 {
            ground.kind.data[(r, 99)] = OUTLET;
        }
        ground.run(
            None,
            &[inflow],
            &SolverOptions {
                end_s: 20_000.0,
                ..Default::default()
            },
        )
    };
    let normal = libm::pow(0.03 / libm::sqrt(0.001), 0.6);
    for c in [20, 50, 80] {
        let h = f64::from(end.depth_m[99 + c]);
        assert!((h / normal - 1.0).abs() < 2e-3, "{h} {normal}");
    }
    // Steady: what comes in goes out (4 m³ per m of width and 20 m of row: 4 x 20 m²/s).
    assert!(end.ledger.outflow_m3 > 0.9 * end.ledger.inflow_m3);
}

#[test]
fn bytes_do_not_depend_on_threads() {
    let s = Stream::new(5, 901);
    let mut ground = Ground::new(grid(260, 260, 30.0), 0.05, |r, c| {
        0.02 * c as f64
            + 4.0 * s.uniform(r as u64 / 9, c as u32 / 9, 0)
            + s.uniform(r as u64, c as u32, 1)
    });
    for (r, c) in (0..260).flat_map(|r| (0..260).map(move |c| (r, c))) {
        if s.uniform(r as u64 / 5, c as u32 / 5, 2) < 0.2 {
            ground.kind.data[(r, c)] = 0;
        }
    }
    let inflow = rain(&ground, 120.0, 0.2);
    let options = SolverOptions {
        end_s: 900.0,
        edge: Edge::Free,
        ..Default::default()
    };
    // Channels below the cells of every other row: enough of them to be cut into tasks.
    let mut brooks = Channels::default();
    for (r, c) in (0..260)
        .step_by(2)
        .flat_map(|r| (0..260).map(move |c| (r, c)))
    {
        if ground.kind.data[(r, c)] == 0 {
            continue;
        }
        let reach = brooks.cells.len() as u32;
        let cell = (r * 260 + c) as u32;
        if c > 0 && brooks.cells.last() == Some(&(cell - 1)) {
            brooks.joints.push((reach, reach - 1));
        }
        brooks.cells.push(cell);
        brooks.width_m.push(3.0);
        brooks.depth_m.push(0.2);
        brooks.manning_n.push(0.04);
    }
    assert!(brooks.cells.len() > 20_000);
    let case = Case {
        inflows: std::slice::from_ref(&inflow),
        channels: Some(&brooks),
        ..Case::new(ground.domain())
    };
    let runs: Vec<Inundation> = [1, 2, 8]
        .iter()
        .map(|&threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| simulate(&case, &options, &mut |_| {}).unwrap())
        })
        .collect();
    for other in &runs[1..] {
        let bits = |r: &Inundation| {
            [
                &r.depth_m,
                &r.max_depth_m,
                &r.max_velocity_m_s,
                &r.arrival_s,
                &r.duration_s,
            ]
            .iter()
            .flat_map(|f| f.iter().map(|v| v.to_bits()))
            .collect::<Vec<u32>>()
        };
        assert!(bits(&runs[0]) == bits(other));
        assert_eq!(runs[0].ledger, other.ledger);
    }
}

#[test]
fn faults_are_named_together() {
    let mut ground = Ground::new(grid(2, 3, 10.0), 0.03, |_, _| 0.0);
    ground.bed.data[(0, 1)] = f32::NAN;
    ground.manning.data[(1, 2)] = -0.1;
    let options = SolverOptions::default();
    let fault = |case: &Case<'_>, options: &SolverOptions| {
        simulate(case, options, &mut |_| {}).unwrap_err()
    };
    let error = fault(&Case::new(ground.domain()), &options);
    assert_eq!(error.faults().len(), 2);
    assert!(error.to_string().contains("row 0, column 1"));
    let bad = SolverOptions {
        alpha: 0.0,
        theta: 2.0,
        ..options
    };
    assert_eq!(fault(&Case::new(ground.domain()), &bad).faults().len(), 2);

    let ground = Ground::new(grid(4, 3, 10.0), 0.03, |_, _| 0.0);
    let inflow = Inflow {
        cells: vec![77],
        step_s: 60.0,
        rates_m_s: vec![1.0],
    };
    let level = |times_s: Vec<f64>| {
        BoundaryLaw::Level(Series {
            values: vec![1.0; times_s.len()],
            times_s,
        })
    };
    let boundaries = [
        Boundary {
            cells: vec![4],
            law: BoundaryLaw::NormalDepth { slope: 0.0 },
        },
        Boundary {
            cells: vec![0],
            law: level(vec![5.0, 1.0]),
        },
    ];
    let dyke = Dyke {
        faces: vec![(0, 1), (0, 4)],
        crest_m: vec![1.0, 1.0],
        coefficient: 1.7,
        breaches: vec![(
            9,
            Series {
                times_s: vec![0.0],
                values: vec![0.5],
            },
        )],
    };
    let case = Case {
        inflows: &[inflow],
        boundaries: &boundaries,
        dykes: std::slice::from_ref(&dyke),
        ..Case::new(ground.domain())
    };
    // The inflow; slope and cell of the first boundary; times of the second; a pair that shares no side; a breach.
    assert_eq!(fault(&case, &options).faults().len(), 6);
}

#[test]
fn a_dyke_holds_overflows_and_breaches() {
    // A basin of 20 x 20 cells filled to 3 m behind a dyke of 5 m along column 10; the land beyond is dry.
    let ground = Ground::new(grid(20, 40, 10.0), 0.03, |_, _| 0.0);
    let start = ground.depth(|_, c| if c < 10 { 3.0 } else { 0.0 });
    let faces: Vec<(u32, u32)> = (0..20).map(|r| (r * 40 + 9, r * 40 + 10)).collect();
    let mut dyke = Dyke {
        crest_m: vec![5.0; 20],
        faces,
        coefficient: 1.7,
        breaches: Vec::new(),
    };
    for scheme in [Scheme::Inertial, Scheme::Fv1, Scheme::Fv2] {
        let options = SolverOptions {
            scheme,
            end_s: 600.0,
            ..Default::default()
        };
        let run = |dyke: &Dyke| {
            let case = Case {
                initial_depth_m: Some(&start),
                dykes: std::slice::from_ref(dyke),
                ..Case::new(ground.domain())
            };
            let end = simulate(&case, &options, &mut |_| {}).unwrap();
            assert!(
                end.ledger.error().abs() < 1e-6,
                "{scheme:?} {:e}",
                end.ledger.error()
            );
            end
        };
        dyke.breaches.clear();
        let held = run(&dyke);
        assert!(
            held.depth_m
                .iter()
                .zip(start.values())
                .all(|(a, b)| (a - b).abs() < 1e-3),
            "{scheme:?}"
        );
        // Overflow: the crest 0.5 m under the water gives 1.7 * 0.5^1.5 = 0.601 m²/s over 200 m at first.
        dyke.crest_m.fill(2.5);
        let first = SolverOptions {
            end_s: 0.2,
            ..options
        };
        let case = Case {
            initial_depth_m: Some(&start),
            dykes: std::slice::from_ref(&dyke),
            ..Case::new(ground.domain())
        };
        let end = simulate(&case, &first, &mut |_| {}).unwrap();
        let over: f64 = (0..800)
            .filter(|k| k % 40 >= 10)
            .map(|k| f64::from(end.depth_m[k]) * 100.0)
            .sum();
        assert!(
            (over / (0.601 * 200.0 * 0.2) - 1.0).abs() < 0.05,
            "{scheme:?} {over}"
        );
        // A breach of two faces down to the bed, from 100 s to 200 s, drains the basin to one level on both sides.
        dyke.crest_m.fill(5.0);
        let crest = Series {
            times_s: vec![100.0, 200.0],
            values: vec![5.0, 0.0],
        };
        dyke.breaches = vec![(9, crest.clone()), (10, crest)];
        let end = run(&dyke);
        let arrival = end.arrival_s[10 * 40 + 12];
        assert!((100.0..200.0).contains(&arrival), "{scheme:?} {arrival}");
        let inside = end.depth_m[10 * 40 + 2];
        assert!(inside < 2.8, "{scheme:?} {inside}");
    }
}

#[test]
fn a_tide_fills_and_drains_a_harbour() {
    // A flat harbour of 1 m depth, 500 m long, open to the west; a tide of 0.5 m in 2 h that begins at rest: long against the 160 s that a
    // wave takes through it, so that the whole harbour rises and falls with the sea.
    let ground = Ground::new(grid(6, 50, 10.0), 0.02, |_, _| -1.0);
    let start = ground.depth(|_, _| 1.0);
    let times_s: Vec<f64> = (0..=720).map(|k| f64::from(k) * 10.0).collect();
    let tide = |t: f64| 0.25 * (1.0 - libm::cos(2.0 * std::f64::consts::PI * t / 7200.0));
    let values = times_s.iter().map(|&t| tide(t)).collect();
    let boundary = Boundary {
        cells: (0..6).map(|r| r * 50).collect(),
        law: BoundaryLaw::Level(Series { times_s, values }),
    };
    for scheme in [Scheme::Inertial, Scheme::Fv1, Scheme::Fv2] {
        for end_s in [1800.0, 5400.0] {
            let options = SolverOptions {
                scheme,
                end_s,
                ..Default::default()
            };
            let case = Case {
                initial_depth_m: Some(&start),
                boundaries: std::slice::from_ref(&boundary),
                ..Case::new(ground.domain())
            };
            let end = simulate(&case, &options, &mut |_| {}).unwrap();
            assert!(end.ledger.error().abs() < 1e-6);
            let off = (end.depth_m.iter()).map(|&h| (f64::from(h) - 1.0 - tide(end_s)).abs());
            let worst = off.fold(0.0, f64::max);
            println!("harbour, {scheme:?}, {end_s} s: at most {worst:.4} m off the tide");
            assert!(worst < 0.02, "{scheme:?} {end_s} {worst}");
        }
    }
}

#[test]
fn every_pair_of_rain_and_loss_keeps_its_ledger() {
    let ground = Ground::new(grid(40, 50, 10.0), 0.05, |r, c| {
        0.05 * c as f64 + 2.0 * libm::sin(0.7 * r as f64) * libm::cos(0.5 * c as f64)
    });
    let g = ground.bed.grid;
    let burst = Hyetograph {
        step_h: 0.25,
        depth_mm: vec![10.0, 30.0, 0.0, 5.0],
    };
    let even = RainField::uniform(&burst, &g);
    let gauges = [(100.0, 900.0, 1.0), (400.0, -300.0, 2.0)].map(|(dx, dy, k)| Gauge {
        name: format!("g{k}"),
        x: 500_000.0 + dx,
        y: 3_200_000.0 + dy - 400.0,
        depth_mm: burst.depth_mm.iter().map(|d| k * d).collect(),
    });
    let uneven = RainField::gauges(
        &gauges,
        0.25,
        &g,
        Spread::InverseDistance {
            power: 2.0,
            neighbours: 0,
        },
        Gaps::Refuse,
    )
    .unwrap();
    let map = |value: f32| Raster::filled(g, value);
    let soils = [
        Infiltration::none(2000),
        Infiltration::constant(&map(8.0)).unwrap(),
        Infiltration::curve_number(&Raster::filled(g, 75u8), Wetness::Normal, 0.2).unwrap(),
        Infiltration::green_ampt(&map(6.5), &map(167.0), &map(0.3), true).unwrap(),
        Infiltration::horton(&map(75.0), &map(10.0), &map(4.0), 0.1).unwrap(),
    ];
    let drains = StormDrains::of_capacity(10.0).unwrap();
    let served = map(0.5);
    for (rain, uniform) in [(&even, true), (&uneven, false)] {
        for (number, soil) in soils.iter().enumerate() {
            for scheme in [Scheme::Inertial, Scheme::Fv1, Scheme::Fv2] {
                let options = SolverOptions {
                    scheme,
                    end_s: 5400.0,
                    edge: Edge::Free,
                    ..Default::default()
                };
                let case = Case {
                    rain: Some(rain),
                    soil: Some(soil),
                    drains: Some((&drains, &served)),
                    ..Case::new(ground.domain())
                };
                let end = simulate(&case, &options, &mut |_| {}).unwrap();
                let l = end.ledger;
                assert!(
                    l.error().abs() < 1e-6,
                    "{scheme:?} {number} {l:?} {:e}",
                    l.error()
                );
                if uniform {
                    // 45 mm on 2,000 cells of 100 m².
                    assert!(
                        (l.rain_m3 / (0.045 * 2000.0 * 100.0) - 1.0).abs() < 1e-6,
                        "{l:?}"
                    );
                }
                assert!((number == 0) == (l.infiltrated_m3 == 0.0) && l.drained_m3 > 0.0);
                assert!(end.depth_m.iter().all(|d| *d >= 0.0));
            }
        }
    }
}

#[test]
fn a_roof_of_rain_runs_off_at_the_kinematic_rate() {
    // Plane of 200 m at 1 in 50, n 0.05, 36 mm/h: at equilibrium the outflow is what falls, and the depth at the foot is
    // that of Manning's normal flow, (q n / sqrt(S))^(3/5), q = i L.
    let ground = {
        let mut g = Ground::new(grid(3, 101, 2.0), 0.05, |_, c| -0.04 * c as f64);
        for r in 0..3 {
            g.kind.data[(r, 100)] = OUTLET;
        }
        g
    };
    let rain = RainField::uniform(&Hyetograph::uniform(36.0, 1.0, 1.0), &ground.bed.grid);
    for scheme in [Scheme::Inertial, Scheme::Fv1, Scheme::Fv2] {
        let options = SolverOptions {
            scheme,
            end_s: 3000.0,
            hydrology_s: 2.0,
            ..Default::default()
        };
        let case = Case {
            rain: Some(&rain),
            ..Case::new(ground.domain())
        };
        let end = simulate(&case, &options, &mut |_| {}).unwrap();
        for (c, tolerance) in [(30usize, 0.03), (60, 0.03), (90, 0.03)] {
            let q = 36.0 / 3.6e6 * 2.0 * (c as f64 + 0.5);
            let normal = libm::pow(q * 0.05 / libm::sqrt(0.02), 0.6);
            let h = f64::from(end.depth_m[100 + c]);
            println!(
                "plane in rain, {scheme:?}, {} m: {h:.5} m, normal {normal:.5} m",
                2 * c
            );
            assert!(
                (h / normal - 1.0).abs() < tolerance,
                "{scheme:?} {c} {h} {normal}"
            );
        }
    }
}

/// A channel along a row of cells, downstream to the east.
fn channel(cells: impl Iterator<Item = u32>, width: f32, depth: f32, n: f32) -> Channels {
    let cells: Vec<u32> = cells.collect();
    let reaches = cells.len();
    Channels {
        width_m: vec![width; reaches],
        depth_m: vec![depth; reaches],
        manning_n: vec![n; reaches],
        joints: (1..reaches as u32).map(|k| (k - 1, k)).collect(),
        cells,
    }
}

#[test]
fn water_in_a_channel_below_the_ground_flows_at_normal_depth() {
    // 5 m wide in cells of 20 m: Q = A R^(2/3) sqrt(S) / n, R = w h / (w + 2 h).
    let ground = Ground::new(grid(3, 60, 20.0), 0.05, |_, c| 10.0 - 0.02 * c as f64);
    let river = channel((0..60).map(|c| 60 + c), 5.0, 3.0, 0.03);
    let inflow = Inflow {
        cells: vec![60],
        step_s: 1e6,
        rates_m_s: vec![8.0 / 400.0],
    };
    let case = Case {
        inflows: std::slice::from_ref(&inflow),
        channels: Some(&river),
        ..Case::new(ground.domain())
    };
    let options = SolverOptions {
        end_s: 7200.0,
        edge: Edge::Free,
        ..Default::default()
    };
    let mut run = Simulation::new(case, &options).unwrap();
    run.advance(7200.0).unwrap();
    let (mut low, mut high) = (0.0, 3.0);
    for _ in 0..60 {
        let h: f64 = 0.5 * (low + high);
        let radius = 5.0 * h / (5.0 + 2.0 * h);
        let q = 5.0 * h * libm::pow(radius, 2.0 / 3.0) * libm::sqrt(0.001) / 0.03;
        if q < 8.0 { low = h } else { high = h }
    }
    for col in [20, 30, 40] {
        let probe = run.probe(60 + col).unwrap();
        let depth = probe.level_m - (10.0 - 0.02 * f64::from(col) - 3.0);
        assert!((depth / low - 1.0).abs() < 0.005, "{depth} {low}");
        assert_eq!(probe.depth_m, 0.0);
    }
    let end = run.finish();
    assert!(end.ledger.error().abs() < 1e-6, "{:?}", end.ledger);
    let held = 5.0 * low * 1200.0;
    assert!((end.ledger.stored_m3 / held - 1.0).abs() < 0.01, "{held}");
}

#[test]
fn a_channel_of_half_a_cell_floods_its_plain_as_one_of_many_cells() {
    // A river 20 m wide and 1 m deep in a plain of 200 m, resolved by cells of 5 m, and below cells of 40 m.
    let hydrograph = |t: f64| 10.0 + 140.0 * (1.0 - (t / 3600.0 - 1.0).abs()).max(0.0);
    let run = |cell: f64, below: bool| {
        let (rows, cols) = ((200.0 / cell) as usize, (2000.0 / cell) as usize);
        let half = (100.0 / cell) as usize;
        let in_river = |r: usize| !below && ((r as f64 + 0.5) * cell - 100.0).abs() < 10.0;
        let ground = Ground::new(grid(rows, cols, cell), 0.03, |r, c| {
            let fall = 0.001 * (c as f64 + 0.5) * cell;
            10.0 - fall - if in_river(r) { 1.0 } else { 0.0 }
        });
        let entry: Vec<u32> = (0..rows)
            .filter(|&r| if below { r == half } else { in_river(r) })
            .map(|r| (r * cols) as u32)
            .collect();
        let area = cell * cell * entry.len() as f64;
        let rate = |k: usize| (hydrograph(60.0 * k as f64 + 30.0) / area) as f32;
        let inflow = Inflow {
            rates_m_s: (0..180).flat_map(|k| vec![rate(k); entry.len()]).collect(),
            step_s: 60.0,
            cells: entry,
        };
        let river = channel((0..cols).map(|c| (half * cols + c) as u32), 20.0, 1.0, 0.03);
        let case = Case {
            inflows: std::slice::from_ref(&inflow),
            channels: below.then_some(&river),
            ..Case::new(ground.domain())
        };
        let options = SolverOptions {
            end_s: 3.0 * 3600.0,
            edge: Edge::Free,
            watch_s: 0.0,
            ..Default::default()
        };
        let end = simulate(&case, &options, &mut |_| {}).unwrap();
        assert!(end.ledger.error().abs() < 1e-6, "{:?}", end.ledger);
        // Greatest depth on the plain, 60 m off the river, at three places.
        let at = |x: f64| {
            let (row, col) = ((40.0 / cell) as usize, (x / cell) as usize);
            f64::from(end.max_depth_m[row * cols + col])
        };
        [500.0, 1000.0, 1500.0].map(at)
    };
    let (fine, coarse) = (run(5.0, false), run(40.0, true));
    println!(
        "plain beside a river: {fine:.3?} m resolved, {coarse:.3?} m with channels below cells"
    );
    for (a, b) in fine.iter().zip(&coarse) {
        // The channel's walls, which the fine raster does not feel (R is h there), slow it by some hundredths.
        assert!(*a > 0.05 && (a - b).abs() < 0.05 * a, "{fine:?} {coarse:?}");
    }
}

#[test]
fn a_saved_run_goes_on_as_if_it_had_not_stopped() {
    // Half of the ground stays dry: blocks sleep. The pump runs when the state is saved.
    let ground = Ground::new(grid(60, 70, 10.0), 0.05, |r, c| {
        0.3 * (r as f64 - 30.0).abs() + 0.05 * c as f64
    });
    let map = |value: f32| Raster::filled(ground.bed.grid, value);
    let soil = Infiltration::green_ampt(&map(6.5), &map(167.0), &map(0.3), true).unwrap();
    let river = Inflow {
        cells: vec![30 * 70 + 60],
        step_s: 700.0,
        rates_m_s: vec![0.05, 0.1, 0.02],
    };
    let burst = RainField::uniform(&Hyetograph::uniform(5.0, 0.5, 0.5), &ground.bed.grid);
    let brook = channel((0..70).rev().map(|c| 32 * 70 + c), 2.0, 0.3, 0.04);
    let pump = Link {
        from: 30 * 70 + 20,
        to: Some(10 * 70 + 20),
        work: Work::Pump(Pump::new(0.1, 0.01, &[(0.0, 0.2)]).unwrap()),
    };
    for scheme in [Scheme::Inertial, Scheme::Fv1, Scheme::Fv2] {
        for rain in [None, Some(&burst)] {
            let options = SolverOptions {
                scheme,
                end_s: 2400.0,
                edge: Edge::Free,
                ..Default::default()
            };
            let case = Case {
                inflows: std::slice::from_ref(&river),
                links: std::slice::from_ref(&pump),
                channels: Some(&brook),
                rain,
                soil: Some(&soil),
                ..Case::new(ground.domain())
            };
            let mut first = Simulation::new(case, &options).unwrap();
            first.advance(1500.0).unwrap();
            let bytes = first.state().to_bytes();
            first.advance(2400.0).unwrap();
            let first = first.finish();
            let state = State::from_bytes(&bytes, "a".as_ref()).unwrap();
            assert_eq!(state.now_s(), 1500.0);
            let mut second = Simulation::resume(case, &options, &state).unwrap();
            second.advance(2400.0).unwrap();
            let second = second.finish();
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            for (a, b) in [
                (&first.depth_m, &second.depth_m),
                (&first.max_depth_m, &second.max_depth_m),
                (&first.max_velocity_m_s, &second.max_velocity_m_s),
                (&first.arrival_s, &second.arrival_s),
                (&first.duration_s, &second.duration_s),
            ] {
                assert!(bits(a) == bits(b), "{scheme:?}");
            }
            assert_eq!((first.ledger, first.steps), (second.ledger, second.steps));
            assert_eq!(first.cell_steps, second.cell_steps);
            assert!(first.ledger.error().abs() < 1e-6);
        }
    }
}

#[test]
fn a_state_of_another_case_is_refused_and_damage_is_seen() {
    let ground = Ground::new(grid(6, 7, 10.0), 0.05, |_, _| 0.0);
    let other = Ground::new(grid(7, 6, 10.0), 0.05, |_, _| 0.0);
    let options = SolverOptions::default();
    let state = Simulation::new(Case::new(ground.domain()), &options)
        .unwrap()
        .state();
    let refused = Simulation::resume(Case::new(other.domain()), &options, &state);
    let text = refused.err().unwrap().to_string();
    assert!(text.contains("6 x 7") && text.contains("7 x 6"), "{text}");
    let mut bytes = state.to_bytes();
    for at in [0, 9, 100, bytes.len() - 1] {
        bytes[at] ^= 1;
        assert!(State::from_bytes(&bytes, "a".as_ref()).is_err());
        bytes[at] ^= 1;
    }
    assert!(State::from_bytes(&bytes[..50], "a".as_ref()).is_err());
    assert_eq!(State::from_bytes(&bytes, "a".as_ref()).unwrap(), state);
}

#[test]
fn a_run_that_is_given_up_says_where_and_why() {
    let ground = Ground::new(grid(4, 5, 1.0), 0.03, |r, c| {
        if (r, c) == (2, 3) { -1e7 } else { 0.0 }
    });
    let start = ground.depth(|r, c| if (r, c) == (2, 3) { 1e7 } else { 1.0 });
    for scheme in [Scheme::Inertial, Scheme::Fv2] {
        let options = SolverOptions {
            scheme,
            ..Default::default()
        };
        let case = Case {
            initial_depth_m: Some(&start),
            ..Case::new(ground.domain())
        };
        let text = simulate(&case, &options, &mut |_| {})
            .unwrap_err()
            .to_string();
        assert!(text.contains("row 3, column 4"), "{text}");
        assert!(
            text.contains("time step") && text.contains("-10000000.0 m"),
            "{text}"
        );
    }
}

#[test]
fn a_pump_empties_a_pit_and_a_culvert_evens_two_ponds() {
    let ground = Ground::new(
        grid(5, 11, 10.0),
        0.03,
        |_, c| if c == 5 { 3.0 } else { 0.0 },
    );
    let start = ground.depth(|_, c| if c < 5 { 2.0 } else { 0.0 });
    let pump = Link {
        from: 24,
        to: None,
        work: Work::Pump(Pump::new(0.5, 0.2, &[(0.0, 1.0), (10.0, 1.0)]).unwrap()),
    };
    for scheme in [Scheme::Inertial, Scheme::Fv1] {
        let options = SolverOptions {
            scheme,
            end_s: 600.0,
            ..Default::default()
        };
        let case = Case {
            initial_depth_m: Some(&start),
            links: std::slice::from_ref(&pump),
            ..Case::new(ground.domain())
        };
        let end = simulate(&case, &options, &mut |_| {}).unwrap();
        // 1 m³/s for 600 s from 5,000 m³.
        assert!(
            (end.ledger.drained_m3 - 600.0).abs() < 1.0,
            "{:?}",
            end.ledger
        );
        assert!(end.ledger.error().abs() < 1e-6);
        let sluice = Opening {
            width_m: 2.0,
            sill_m: 0.0,
            height_m: 1.0,
            discharge: 0.6,
            one_way: false,
        };
        let link = Link {
            from: 24,
            to: Some(28),
            work: Work::Opening(sluice),
        };
        let options = SolverOptions {
            end_s: 7200.0,
            ..options
        };
        let case = Case {
            initial_depth_m: Some(&start),
            links: std::slice::from_ref(&link),
            ..Case::new(ground.domain())
        };
        let end = simulate(&case, &options, &mut |_| {}).unwrap();
        // 5 x 5 cells on both sides: 1 m each.
        assert!((end.depth_m[24] - 1.0).abs() < 0.01 && (end.depth_m[28] - 1.0).abs() < 0.01);
        assert!(end.ledger.error().abs() < 1e-6);
    }
}
