//! Speed of the engine's raster kernels, in cells per second: `kernel/size/threads`.
//!
//! `ANLAN_BENCH_LARGE=1` adds 4096 x 4096 cells, for the group `hydrology` 4000 x 4000 to its 2000 x 2000.

mod fixtures;

use anlan_engine::hydrology::{
    fill_depressions, fill_depressions_epsilon, flow_accumulation, flow_direction, hand,
};
use anlan_engine::io::geotiff::{self, Tags};
use anlan_engine::rasterize::{Rule, label_outlines, rasterize};
use anlan_engine::terrain::{Edge, aspect_deg, hillshade, slope_deg};
use anlan_engine::zonal::{ZonalOptions, zonal, zonal_file};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use geo::MultiPolygon;
use std::hint::black_box;

fn sizes() -> Vec<usize> {
    let mut sizes = vec![256, 1024];
    if std::env::var_os("ANLAN_BENCH_LARGE").is_some() {
        sizes.push(4096);
    }
    sizes
}

/// Runs `work` at one thread and at all of them.
fn measure<R>(c: &mut Criterion, kernel: &str, size: usize, work: impl Fn() -> R + Send + Sync)
where
    R: Send,
{
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let mut group = c.benchmark_group(kernel);
    group.throughput(Throughput::Elements((size * size) as u64));
    group.sample_size(10);
    let mut counts = vec![1, all];
    counts.dedup();
    for threads in counts {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads are to be had");
        group.bench_function(BenchmarkId::new(size.to_string(), threads), |b| {
            b.iter(|| pool.install(|| black_box(work())));
        });
    }
    group.finish();
}

fn vector(c: &mut Criterion) {
    for size in sizes() {
        let dem = fixtures::fractal_valley(size);
        let zones = fixtures::wavy_zones(&dem.grid, 16);
        let shapes: Vec<(&MultiPolygon<f64>, u32)> = zones.iter().zip(1u32..).collect();
        let zones: Vec<&MultiPolygon<f64>> = zones.iter().collect();
        for (kernel, rule) in [
            ("rasterize_centre", Rule::Centre),
            ("rasterize_all_touched", Rule::AllTouched),
        ] {
            measure(c, kernel, size, || rasterize(&shapes, &dem.grid, rule, 0));
        }
        for (kernel, variance) in [("zonal", false), ("zonal_with_stdev", true)] {
            let options = ZonalOptions {
                variance,
                ..ZonalOptions::default()
            };
            measure(c, kernel, size, || zonal(&dem, &zones, &options));
        }
        let folder = tempfile::tempdir().expect("a folder for the raster");
        let path = folder.path().join("dem.tif");
        geotiff::write_f32(&path, &dem, &Tags::new()).expect("the raster is written");
        let options = ZonalOptions {
            variance: true,
            ..ZonalOptions::default()
        };
        measure(c, "zonal_of_file", size, || {
            zonal_file((&path, 1), None, &zones, &options, &|_| {}).expect("the raster is read")
        });
        let labels = rasterize(&shapes, &dem.grid, Rule::Centre, 0);
        measure(c, "label_outlines", size, || label_outlines(&labels, 0));
    }
}

fn terrain(c: &mut Criterion) {
    for size in sizes() {
        let dem = fixtures::fractal_valley(size);
        let edge = Edge::default();
        measure(c, "slope", size, || slope_deg(&dem, edge));
        measure(c, "aspect", size, || aspect_deg(&dem, edge));
        measure(c, "hillshade", size, || {
            hillshade(&dem, 315.0, 45.0, 1.0, edge)
        });
    }
}

fn hydrology(c: &mut Criterion) {
    let mut sizes = vec![2000];
    if std::env::var_os("ANLAN_BENCH_LARGE").is_some() {
        sizes.push(4000);
    }
    for size in sizes {
        let dem = fixtures::fractal_valley(size);
        let filled = fill_depressions(&dem);
        let dirs = flow_direction(&filled);
        let acc = flow_accumulation(&dirs, None);
        let drainage = acc.map(|a| u8::from(a >= 1000.0));
        measure(c, "hydrology/fill", size, || fill_depressions(&dem));
        measure(c, "hydrology/fill_epsilon", size, || {
            fill_depressions_epsilon(&dem)
        });
        measure(c, "hydrology/flow_direction", size, || {
            flow_direction(&filled)
        });
        measure(c, "hydrology/flow_accumulation", size, || {
            flow_accumulation(&dirs, None)
        });
        measure(c, "hydrology/hand", size, || {
            hand(&filled, &dirs, &drainage)
        });
    }
}

criterion_group!(benches, vector, terrain, hydrology);
criterion_main!(benches);
