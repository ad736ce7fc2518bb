//! Speed of the year loop: rows of the exposure struck per second, cell by cell and block by block.

use anlan_engine::loss::{Exposure, ExposureBuilder, ExposureClass, Measure};
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

criterion_group!(benches, year);
criterion_main!(benches);
