//! Checks of the 2-D solver against analytic solutions and laws it must keep.
#![allow(clippy::print_stdout)] // skips and measured errors are told to who runs the tests

use super::inertial::{
    CELL_ACTIVE, CELL_OUTLET, Domain, Edge, InertialOptions, Inflow, Inundation, simulate,
};
use anlan_engine::random::Stream;
use anlan_engine::{Crs, Grid, Raster};
use ndarray::Array2;
use proptest::prelude::*;
use std::path::PathBuf;

fn grid(rows: usize, cols: usize, cell_m: f64) -> Grid {
    let crs = Crs::from_epsg(4549).unwrap();
    Grid::new(
        crs,
        (500_000.0, 3_200_000.0),
        (cell_m, cell_m),
        (rows, cols),
    )
    .unwrap()
}

struct Ground {
    bed: Raster<f32>,
    manning: Raster<f32>,
    kind: Raster<u8>,
}

impl Ground {
    fn new(grid: Grid, manning: f32, bed: impl Fn(usize, usize) -> f64) -> Ground {
        Ground {
            bed: Raster::new(
                grid,
                Array2::from_shape_fn(grid.shape(), |(r, c)| bed(r, c) as f32),
            ),
            manning: Raster::filled(grid, manning),
            kind: Raster::filled(grid, CELL_ACTIVE),
        }
    }

    fn domain(&self) -> Domain<'_> {
        Domain {
            bed_m: &self.bed,
            manning_n: &self.manning,
            kind: &self.kind,
        }
    }

    fn run(
        &self,
        initial: Option<&Raster<f32>>,
        inflows: &[Inflow],
        options: &InertialOptions,
    ) -> Inundation {
        simulate(&self.domain(), initial, inflows, options, &mut |_| {}).unwrap()
    }

    fn depth(&self, depth: impl Fn(usize, usize) -> f64) -> Raster<f32> {
        let data = Array2::from_shape_fn(self.bed.grid.shape(), |(r, c)| depth(r, c) as f32);
        Raster::new(self.bed.grid, data)
    }
}

/// Rain on every active cell, mm/h, for a time.
fn rain(ground: &Ground, mm_h: f64, hours: f64) -> Inflow {
    let kinds = ground.kind.values();
    let cells: Vec<u32> = (0..kinds.len() as u32)
        .filter(|&c| kinds[c as usize] == CELL_ACTIVE)
        .collect();
    let rates_m_s = vec![(mm_h / 3.6e6) as f32; cells.len()];
    Inflow {
        cells,
        step_s: hours * 3600.0,
        rates_m_s,
    }
}

/// A file of the shared data; `None` (with a word) where the folder is missing.
fn shared(path: &str) -> Option<Vec<Vec<f64>>> {
    let root = std::env::var_os("ANLAN_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let file = root.join(path);
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("SKIPPED: {} is not there", file.display());
        return None;
    };
    let rows = text
        .lines()
        .skip(1)
        .map(|l| l.split(',').map(|v| v.trim().parse().unwrap()).collect());
    Some(rows.collect())
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
        &InertialOptions {
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
        &InertialOptions {
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
            if u < 0.15 { ground.kind.data[(r, c)] = 0 } else if open && u < 0.17 { ground.kind.data[(r, c)] = CELL_OUTLET }
        }
        let edge = if open { Edge::Free } else { Edge::Closed };
        let inflow = rain(&ground, mm_h, 0.5);
        let end = ground.run(None, &[inflow], &InertialOptions { end_s: 3000.0, edge, ..Default::default() });
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
        &InertialOptions {
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
        &InertialOptions {
            end_s: 60.0,
            ..Default::default()
        },
    );
    assert!(end.ledger.error().abs() < 1e-6);
    assert!(end.max_velocity_m_s.iter().all(|&v| v < 12.0));
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
        &InertialOptions {
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
    ground.kind.data[(0, cols)] = CELL_OUTLET;
    let end = ground.run(
        None,
        &[inflow],
        &InertialOptions {
            end_s: 7200.0,
            ..Default::default()
        },
    );
    let errors: Vec<f64> = (0..cols)
        .map(|c| f64::from(end.depth_m[c]) + f64::from(ground.bed.data[(0, c)]) - rows[c][2])
        .collect();
    let mae = errors.iter().map(|e| e.abs()).sum::<f64>() / cols as f64;
    println!(
        "Mac Donald: MAE {mae:.4} m, at the outlet {:.4} m",
        errors[cols - 1]
    );
    assert!(mae < 0.03, "{mae}");
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
            ground.kind.data[(r, 99)] = CELL_OUTLET;
        }
        ground.run(
            None,
            &[inflow],
            &InertialOptions {
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
    let options = InertialOptions {
        end_s: 900.0,
        edge: Edge::Free,
        ..Default::default()
    };
    let runs: Vec<Inundation> = [1, 2, 8]
        .iter()
        .map(|&threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| ground.run(None, std::slice::from_ref(&inflow), &options))
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
    let error = simulate(
        &ground.domain(),
        None,
        &[],
        &InertialOptions::default(),
        &mut |_| {},
    )
    .unwrap_err();
    assert_eq!(error.faults().len(), 2);
    assert!(error.to_string().contains("row 0, column 1"));
    let options = InertialOptions {
        alpha: 0.0,
        theta: 2.0,
        ..Default::default()
    };
    let error = simulate(&ground.domain(), None, &[], &options, &mut |_| {}).unwrap_err();
    assert_eq!(error.faults().len(), 2);
    let ground = Ground::new(grid(2, 3, 10.0), 0.03, |_, _| 0.0);
    let inflow = Inflow {
        cells: vec![77],
        step_s: 60.0,
        rates_m_s: vec![1.0],
    };
    assert!(
        simulate(
            &ground.domain(),
            None,
            &[inflow],
            &InertialOptions::default(),
            &mut |_| {}
        )
        .is_err()
    );
}
