//! Speed of the loss kernels: pairs of event and item per second in the mean, samples per second, and of the year loop: rows of
//! the exposure struck per second, cell by cell and block by block.

use anlan_engine::events::set::{Description, EventSet, EventSetWriter};
use anlan_engine::loss::{
    Correlation, Curve, EventMoments, Exposure, ExposureBuilder, ExposureClass, Matrix, Measure,
    Portfolio, Run, Sampled, Uncertainty, Vulnerability,
};
use anlan_engine::random::Stream;
use anlan_engine::{Crs, Event, Footprint, Grid, Occurrence};
use anlan_models::census::exposure::AssetClass;
use anlan_models::hazard::{Blocks, Hazard, HazardModel, Incident, Lattice};
use anlan_models::simulation::Simulator;
use anlan_models::vulnerability::{HazardDamage, VulnerabilityFile};
use anlan_models::weather::WeatherYear;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::path::Path;

/// Ten storms a year that each strike a tenth of the cells, or of the blocks.
struct Storms {
    hazard: Hazard,
    incidents: Vec<Incident>,
}

impl HazardModel for Storms {
    fn hazard(&self) -> Hazard {
        self.hazard
    }

    fn year(&self, _: &WeatherYear) -> Vec<Incident> {
        self.incidents.clone()
    }
}

fn storms(hazard: Hazard, lattice: Lattice, cells: u32) -> Storms {
    let draws = Stream::new(3, 7);
    let incidents = (0..10_u64)
        .map(|event| {
            let mut footprint = Footprint::new(hazard.measures().len());
            let mut values = vec![0.0_f32; hazard.measures().len()];
            // A band of neighbouring cells, as a river's flood or a swath is.
            let first = (u64::from(cells) * event / 11) as u32;
            for cell in first..first + cells / 10 {
                let u = draws.uniform(event, cell, 0) as f32;
                values[0] = match hazard {
                    Hazard::Flood => 0.1 + 2.0 * u,
                    _ => 18.0 + 20.0 * u,
                };
                footprint.push(cell, &values);
            }
            Incident {
                event: Event {
                    id: event,
                    cause: event,
                    hazard: hazard.code(),
                    rate_per_year: 1.0,
                },
                occurrence: Occurrence {
                    year: 0,
                    day: 150 + event as u16,
                    duration_h: 3.0,
                    event,
                },
                footprint,
                lattice,
            }
        })
        .collect();
    Storms { hazard, incidents }
}

fn exposure(cells: u32) -> Exposure {
    let classes = AssetClass::ALL
        .iter()
        .zip(0..)
        .map(|(c, code)| ExposureClass {
            code,
            name: c.names().0.into(),
            name_zh: c.names().1.into(),
            measure: Measure::Count("unit".into()),
        })
        .collect();
    let mut builder = ExposureBuilder::new(classes, vec!["a".into(), "b".into()]);
    for cell in 0..cells {
        for class in 0..AssetClass::ALL.len() as u16 {
            builder.push(cell, class, 1e5, (cell % 2) as u16);
        }
    }
    builder.build().expect("rows in range")
}

fn year(c: &mut Criterion) {
    let grid = Grid::new(
        Crs::from_epsg(4549).expect("a known system"),
        (0.0, 40_000.0),
        (90.0, 90.0),
        (440, 440),
    )
    .expect("a sound grid");
    let blocks = Blocks::new(grid, 900.0);
    let exposure = exposure(grid.cells() as u32);
    let file = VulnerabilityFile::builtin();
    let weather = WeatherYear {
        year: 0,
        days: Vec::new(),
        storms: Vec::new(),
    };
    for (name, hazard, lattice, cells) in [
        ("cells", Hazard::Flood, Lattice::Cells, grid.cells()),
        (
            "blocks",
            Hazard::Convection,
            Lattice::Blocks,
            blocks.grid.cells(),
        ),
    ] {
        let model = storms(hazard, lattice, cells as u32);
        let damage = Hazard::ALL.map(|h| {
            HazardDamage::new(&file, Path::new("vulnerability.toml"), h).expect("sound curves")
        });
        let simulator = Simulator::new(&exposure, &blocks, vec![&model], damage, 1, (3e4, 2e4));
        let mut scratch = simulator.scratch();
        let mut places = simulator.places();
        let mut group = c.benchmark_group("year_loop");
        // Rows struck: ten storms of a tenth of the cells each.
        group.throughput(Throughput::Elements(exposure.place.len() as u64));
        group.sample_size(10);
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut rows = Vec::new();
                simulator.year(&weather, &mut scratch, &mut places, &mut rows);
                rows
            });
        });
        group.finish();
    }
}

/// Footprints of a fiftieth of 100,000 places each, as one run of neighbours.
fn footprints(events: u64) -> EventSet {
    let draws = Stream::new(5, 7);
    let dir = tempfile::tempdir().expect("a folder for the events");
    let path = dir.path().join("bench.events");
    let description = Description {
        measures: vec!["depth_m".into()],
        double: false,
        probability: false,
        spread: false,
        note: String::new(),
    };
    let mut writer = EventSetWriter::create(&path, description).expect("a file to write");
    for id in 0..events {
        let first = (98_000.0 * draws.uniform(id, 0, 0)) as u32;
        let places: Vec<u32> = (first..first + 2_000).collect();
        let depth: Vec<f64> = places
            .iter()
            .map(|&p| 4.9 * draws.uniform(id, p, 1))
            .collect();
        let event = Event {
            id,
            cause: id,
            hazard: 0,
            rate_per_year: 0.01,
        };
        writer.push(&event, &places, &[&depth]).expect("sound rows");
    }
    writer.finish().expect("a file to write");
    EventSet::open(&path).expect("the file just written")
}

fn portfolio(vulnerability: Vulnerability) -> Portfolio {
    let class = ExposureClass {
        code: 0,
        name: "house".into(),
        name_zh: "住宅".into(),
        measure: Measure::Count("unit".into()),
    };
    let mut builder = ExposureBuilder::new(vec![class], vec!["a".into()]);
    for place in 0..100_000 {
        builder.push(place, 0, 1e5 + f64::from(place), 0);
    }
    let exposure = builder.build().expect("rows in range");
    let places = (0..100_000)
        .map(|p| [f64::from(p % 300) * 90.0, f64::from(p / 300) * 90.0])
        .collect();
    Portfolio::new(&exposure, vec![vulnerability], &[Some(0)], |_| 0)
        .and_then(|p| p.with_places(places))
        .expect("a sound portfolio")
}

fn kernels(c: &mut Criterion) {
    let from = Path::new("bench");
    let curve = |cv: f64| Curve {
        code: "curve".into(),
        measure: "depth_m".into(),
        intensity: (0..10).map(|i| f64::from(i) * 0.6).collect(),
        mdd: (0..10).map(|i| f64::from(i) / 10.0).collect(),
        cv: vec![cv; 10],
        ..Curve::default()
    };
    let matrix = Matrix {
        code: "matrix".into(),
        measure: "depth_m".into(),
        edges: (0..=25).map(|i| f64::from(i) * 0.2).collect(),
        bins: (0..20)
            .map(|d| (f64::from(d) / 20.0, f64::from(d + 1) / 20.0))
            .collect(),
        probability: vec![vec![0.05; 20]; 25],
    };
    let matrix = Vulnerability::from_matrix(from, &matrix).expect("a sound matrix");
    let line = Vulnerability::from_curve(from, &curve(0.0)).expect("a sound curve");
    let spread = Vulnerability::from_curve(from, &curve(0.4)).expect("a sound curve");
    let events = 500;
    let set = footprints(events);
    let pairs = events * 2_000;
    let mut group = c.benchmark_group("losses");
    group.sample_size(10);
    group.throughput(Throughput::Elements(pairs));
    for (name, vulnerability) in [("mean_curve", &line), ("mean_matrix", &matrix)] {
        let portfolio = portfolio(vulnerability.clone());
        let kernel = portfolio.with(&set).expect("depths");
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut sum = 0.0;
                for block in 0..set.blocks() {
                    let block = set.block(block).expect("a whole block");
                    kernel.means(&block, |_, losses| sum += losses[0]);
                }
                sum
            });
        });
    }
    // Means and both standard deviations of as many pairs as the common workload has (20 million), on all threads, as
    // `anlan loss` computes them.
    {
        let set = footprints(10_000);
        let portfolio = portfolio(matrix.clone());
        let run = Run {
            set: &set,
            portfolio: &portfolio,
            groups: &[],
            terms: None,
            uncertainty: Uncertainty::default(),
            samples: 2,
            seed: 1,
        };
        group.throughput(Throughput::Elements(20_000_000));
        group.bench_function("moments_all_threads", |b| {
            b.iter(|| {
                let mut sum = 0.0;
                let each = |events: Vec<EventMoments>| {
                    sum += events
                        .iter()
                        .flat_map(|e| &e.slots)
                        .map(|s| s.1)
                        .sum::<f64>();
                    Ok(())
                };
                run.moments(0..set.blocks(), each).expect("losses");
                sum
            });
        });
    }
    for (name, vulnerability, correlation, samples) in [
        ("sampled_matrix", &matrix, Correlation::Independent, 100_u32),
        ("sampled_curve", &spread, Correlation::Independent, 100),
        ("sampled_group", &matrix, Correlation::Group(0.5), 10),
        ("sampled_distance", &matrix, Correlation::Distance(1e3), 10),
    ] {
        let portfolio = portfolio(vulnerability.clone());
        let run = Run {
            set: &set,
            portfolio: &portfolio,
            groups: &[anlan_engine::loss::Group {
                name: "total".into(),
                slots: vec![0],
            }],
            terms: None,
            uncertainty: Uncertainty {
                damage: Sampled {
                    sampled: true,
                    correlation,
                },
                ..Uncertainty::default()
            },
            samples,
            seed: 1,
        };
        group.throughput(Throughput::Elements(pairs * u64::from(samples)));
        group.bench_function(name, |b| {
            b.iter(|| run.round(0..set.blocks(), 0, None).expect("losses"))
        });
    }
    group.finish();
}

criterion_group!(benches, kernels, year);
criterion_main!(benches);
