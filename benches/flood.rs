//! Speed of the 2-D flood solver, in cell-steps per second, beside what the memory gives.
//!
//! * `inertial`, `fv1`, `fv2` / `rain`: rolling ground behind closed walls, cells of 10 m, in the middle of a rain of
//!   50 mm/h: water begins as deep as half an hour of it has made it.
//! * `dam`: water 10 m deep in the west, 1 m in the east, flat bed: every cell wet and moving.
//! * `inertial/valley`: the rain where only valley floors, a quarter of the cells, take part.
//! * `triad`: a = b + s c over arrays far beyond the caches, in bytes per second, those read and those written. An inertial
//!   step in single precision that passes twice over the cells moves 48 bytes for each, so that bytes per second over 48
//!   is the roof of such a solver.
//!
//! The clock runs from step [`WARM`] to the last, without setting up and gathering results: the first steps also pay for
//! the memory they are the first to touch (on 4000 x 4000 cells as much as 4 steps). Greatest depths and velocities are
//! noted every 10 s as in every run; on 4000 x 4000 cells that costs as much as a step.

use anlan_engine::random::Stream;
use anlan_engine::{Crs, Grid, Raster};
use anlan_models::flood::rain::Hyetograph;
use anlan_models::flood::rainfall::RainField;
use anlan_models::flood::solver::{
    ACTIVE, Case, Domain, Inundation, Scheme, SolverOptions, simulate_until,
};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use rayon::prelude::*;
use std::time::{Duration, Instant};

const SIDE: usize = 1000;
/// Steps before the clock starts.
const WARM: u64 = 6;
/// Elements of each array of the triad.
const TRIAD: usize = 1 << 26;

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
    Raster::new(grid, Array2::from_shape_fn(grid.shape(), bed))
}

fn grid(side: usize) -> Grid {
    let crs = Crs::from_epsg(4549).expect("a known code");
    let north = 10.0 * side as f64;
    Grid::new(crs, (0.0, north), (10.0, 10.0), (side, side)).expect("a valid grid")
}

/// A larger raster of mirror images of this one, so that it has no seams.
fn mirrored(one: &Raster<f32>, side: usize) -> Raster<f32> {
    let n = one.grid.rows;
    let fold = |i: usize| match (i / n) % 2 {
        0 => i % n,
        _ => n - 1 - i % n,
    };
    let value = |(r, c): (usize, usize)| one.data[(fold(r), fold(c))];
    Raster::new(grid(side), Array2::from_shape_fn((side, side), value))
}

/// Bed, depth at the start and cells that take part.
struct Place {
    bed: Raster<f32>,
    depth: Raster<f32>,
    kind: Raster<u8>,
    rain: Option<RainField>,
}

impl Place {
    /// Ground under rain for another hour.
    fn rainy(bed: Raster<f32>, depth: Raster<f32>, kind: Raster<u8>) -> Place {
        let rain = RainField::uniform(&Hyetograph::uniform(50.0, 1.0, 1.0), &bed.grid);
        Place {
            bed,
            depth,
            kind,
            rain: Some(rain),
        }
    }

    /// A run, and the time from its step [`WARM`] to its last.
    fn run(&self, scheme: Scheme, end_s: f64) -> (Inundation, Duration) {
        let manning = Raster::filled(self.bed.grid, 0.03f32);
        let case = Case {
            initial_depth_m: Some(&self.depth),
            rain: self.rain.as_ref(),
            ..Case::new(Domain {
                bed_m: &self.bed,
                manning_n: &manning,
                kind: &self.kind,
            })
        };
        let options = SolverOptions {
            scheme,
            end_s,
            ..SolverOptions::default()
        };
        let (mut count, mut first, mut last) = (0, Instant::now(), Instant::now());
        let mut clock = |_| {
            last = Instant::now();
            if count == WARM {
                first = last;
            }
            count += 1;
            false
        };
        let run = simulate_until(&case, &options, &mut |_| {}, &mut clock).expect("a valid case");
        (run, last - first)
    }
}

fn bench(c: &mut Criterion) {
    let bed = ground(grid(SIDE));
    let all = Raster::filled(bed.grid, ACTIVE);
    let dry = Raster::filled(bed.grid, 0.0f32);
    let rain = {
        let start = Place::rainy(bed.clone(), dry.clone(), all.clone());
        let (run, _) = start.run(Scheme::Inertial, 1800.0);
        let depth = run.raster(&bed.grid, &run.depth_m);
        Place::rainy(bed.clone(), depth, all.clone())
    };
    let valley = {
        let mut sorted = bed.values().to_vec();
        sorted.sort_by(f32::total_cmp);
        let quartile = sorted[sorted.len() / 4];
        let kind = bed.map(|z| u8::from(z < quartile));
        let (run, _) =
            Place::rainy(bed.clone(), dry.clone(), kind.clone()).run(Scheme::Inertial, 1800.0);
        let depth = run.raster(&bed.grid, &run.depth_m);
        Place::rainy(bed.clone(), depth, kind)
    };
    let wide = {
        let side = 4 * SIDE;
        let all = Raster::filled(grid(side), ACTIVE);
        Place::rainy(mirrored(&rain.bed, side), mirrored(&rain.depth, side), all)
    };
    let dam = {
        let level = |(_, c): (usize, usize)| if c < SIDE / 2 { 10.0 } else { 1.0 };
        Place {
            depth: Raster::new(bed.grid, Array2::from_shape_fn((SIDE, SIDE), level)),
            bed: dry,
            kind: all,
            rain: None,
        }
    };
    let cases = [
        ("inertial/rain", &rain, Scheme::Inertial, 120.0),
        ("inertial/dam", &dam, Scheme::Inertial, 20.0),
        ("inertial/valley", &valley, Scheme::Inertial, 120.0),
        ("fv1/rain", &rain, Scheme::Fv1, 40.0),
        ("fv1/dam", &dam, Scheme::Fv1, 8.0),
        ("fv2/rain", &rain, Scheme::Fv2, 20.0),
        ("fv2/dam", &dam, Scheme::Fv2, 6.0),
        ("inertial/rain", &wide, Scheme::Inertial, 45.0),
    ];
    let mut group = c.benchmark_group("flood");
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(4));
    let pools = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        (threads, pool.expect("threads can be made"))
    });
    for (name, place, scheme, end_s) in cases {
        let side = place.bed.grid.rows;
        let active = place.kind.values().iter().filter(|&&k| k == ACTIVE).count();
        for (threads, pool) in &pools {
            // Also the warm-up.
            let (run, _) = pool.install(|| place.run(scheme, end_s));
            group.throughput(Throughput::Elements((run.steps - 1 - WARM) * active as u64));
            group.bench_function(format!("{name}/{side}/{threads}"), |b| {
                b.iter_custom(|runs| {
                    (0..runs)
                        .map(|_| pool.install(|| place.run(scheme, end_s)).1)
                        .sum()
                })
            });
        }
    }
    let (b, c) = (vec![1.0f32; TRIAD], vec![2.0f32; TRIAD]);
    let mut a = vec![0.0f32; TRIAD];
    for (threads, pool) in &pools {
        group.throughput(Throughput::Bytes(12 * TRIAD as u64));
        group.bench_function(format!("triad/{TRIAD}/{threads}"), |bencher| {
            bencher.iter(|| {
                pool.install(|| {
                    (a.par_chunks_mut(1 << 16))
                        .zip(b.par_chunks(1 << 16))
                        .zip(c.par_chunks(1 << 16))
                        .for_each(|((a, b), c)| {
                            for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                                *a = b + 3.0 * c;
                            }
                        });
                });
                std::hint::black_box(&mut a);
            })
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
