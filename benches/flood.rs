//! Speed of the 2-D flood solver, in active cell-steps per second.
//!
//! `rain`: 1000 x 1000 cells of 10 m, all active, rain on rolling ground behind closed walls (the job on which the peers
//! were measured). `valley`: the same ground, of which only valley floors are active.

use anlan_engine::random::Stream;
use anlan_engine::{Crs, Grid, Raster};
use anlan_models::flood::solver::{ACTIVE, Case, Domain, Inflow, SolverOptions, simulate};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;

const SIDE: usize = 1000;

/// Rolling ground: value noise of three scales on a slope to the south-east, m.
fn ground(grid: Grid) -> Raster<f32> {
    let s = Stream::new(11, 910);
    let noise = |r: usize, c: usize, cell: usize| {
        let (r0, c0) = (r / cell, c / cell);
        let (u, v) = (
            (r % cell) as f64 / cell as f64,
            (c % cell) as f64 / cell as f64,
        );
        let at = |dr: usize, dc: usize| s.uniform((r0 + dr) as u64, (c0 + dc) as u32, cell as u32);
        let top = at(0, 0) * (1.0 - v) + at(0, 1) * v;
        let bottom = at(1, 0) * (1.0 - v) + at(1, 1) * v;
        top * (1.0 - u) + bottom * u
    };
    let bed = |(r, c): (usize, usize)| {
        let rough = 8.0 * noise(r, c, 125) + 2.0 * noise(r, c, 25) + 0.3 * noise(r, c, 5);
        (rough - 0.01 * (r + c) as f64) as f32
    };
    Raster::new(grid, Array2::from_shape_fn((SIDE, SIDE), bed))
}

fn bench(c: &mut Criterion) {
    let crs = Crs::from_epsg(4549).expect("a known code");
    let grid = Grid::new(crs, (0.0, 10_000.0), (10.0, 10.0), (SIDE, SIDE)).expect("a valid grid");
    let bed = ground(grid);
    let manning = Raster::filled(grid, 0.03f32);
    let quartile = {
        let mut sorted = bed.values().to_vec();
        sorted.sort_by(f32::total_cmp);
        sorted[sorted.len() / 4]
    };
    let all = Raster::filled(grid, ACTIVE);
    let valley = bed.map(|z| u8::from(z < quartile));
    let mut group = c.benchmark_group("flood");
    group.sample_size(10);
    for (name, kind) in [("rain", &all), ("valley", &valley)] {
        let kinds = kind.values();
        let cells: Vec<u32> = (0..kinds.len() as u32)
            .filter(|&k| kinds[k as usize] == ACTIVE)
            .collect();
        let inflow = Inflow {
            rates_m_s: vec![(50.0 / 3.6e6) as f32; cells.len()],
            step_s: 3600.0,
            cells,
        };
        let domain = Domain {
            bed_m: &bed,
            manning_n: &manning,
            kind,
        };
        let options = SolverOptions {
            end_s: 600.0,
            ..SolverOptions::default()
        };
        let case = Case {
            inflows: std::slice::from_ref(&inflow),
            ..Case::new(domain)
        };
        let run = || simulate(&case, &options, &mut |_| {}).expect("a valid case");
        let steps = run().steps;
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("threads can be made");
            group.throughput(Throughput::Elements(steps * inflow.cells.len() as u64));
            group.bench_function(format!("{name}/{SIDE}/{threads}"), |b| {
                b.iter(|| pool.install(run))
            });
        }
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
