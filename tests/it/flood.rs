//! Flood cases of their own: a valley with everything that a case file knows, killed runs, faults.

use anlan::engine::io::geotiff;
use anlan::engine::io::netcdf;
use anlan::engine::io::vector;
use anlan::engine::{Crs, Error, Grid, Raster};
use anlan::flood::{FloodOptions, run};
use anlan::progress::News;
use ndarray::Array2;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A valley of 60 x 80 cells of 10 m that falls to the east, with a river bed in the middle and a hole in the terrain.
fn terrain(folder: &Path) -> Grid {
    let crs = Crs::from_epsg(4549).unwrap();
    let grid = Grid::new(crs, (500_000.0, 3_200_600.0), (10.0, 10.0), (60, 80)).unwrap();
    let bed = Raster::new(
        grid,
        Array2::from_shape_fn(grid.shape(), |(r, c)| {
            let across = (r as f64 - 29.5).abs();
            let z = 20.0 - 0.05 * c as f64 + 0.2 * across - if across < 2.0 { 1.5 } else { 0.0 };
            if (r, c) == (0, 0) { f32::NAN } else { z as f32 }
        }),
    );
    geotiff::write_f32(&folder.join("dem.tif"), &bed, &Default::default()).unwrap();
    grid
}

const CASE: &str = r#"
name = "河谷"
terrain = "dem.tif"
end_h = 2.0

[roughness]
n = 0.04

[rain]
kind = "design"
formula = { a1 = 10.0, c = 0.8, n = 0.7, b = 10.0 }
return_period = 50.0
duration_h = 1.0

[losses]
kind = "curve-number"
number = 75.0

[drains]
capacity_mm_h = 10.0
area = "town.geojson"

[[inflow]]
name = "river"
line = [[500005, 3200290], [500005, 3200310]]
discharge_m3_s = "river.csv"

[[boundary]]
name = "lake"
line = [[500795, 3200280], [500795, 3200320]]
level_m = 15.0

[[dyke]]
name = "left bank"
line = [[500100, 3200340], [500700, 3200340]]
height_m = 1.0
[[dyke.breach]]
at = [500400, 3200340]
width_m = 40
start_h = 0.5
duration_h = 0.2

[[culvert]]
name = "road"
from = [500500, 3200400]
to = [500500, 3200310]
diameter_m = 1.0
invert_m = [20.0, 18.0]
inlet = "pipe, concrete, square edge with headwall"

[[pump]]
name = "station"
from = [500600, 3200400]
on_m = 20.0
off_m = 19.0
curve = [[0.0, 0.5]]

[[channel]]
name = "ditch"
line = [[500005, 3200105], [500795, 3200105]]
width_m = 2.0
depth_m = 0.5

[drainage]
channel_km2 = 0.1

[[gauge]]
name = "bridge"
at = [500400, 3200300]
[[gauge]]
name = "field"
at = [500400, 3200360]

[output]
depth_min = 30
gauge_min = 5
save_h = 0.5
restart = true
"#;

fn valley(folder: &Path) -> PathBuf {
    terrain(folder);
    fs::write(
        folder.join("river.csv"),
        "time_min,discharge_m3_s\n0,5\n30,60\n60,20\n120,5\n",
    )
    .unwrap();
    let town = r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4549"}},
        "features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":
        [[[500200,3200100],[500300,3200100],[500300,3200200],[500200,3200200],[500200,3200100]]]}}]}"#;
    fs::write(folder.join("town.geojson"), town).unwrap();
    let case = folder.join("case.toml");
    fs::write(&case, CASE).unwrap();
    case
}

fn options(out: &Path) -> FloodOptions {
    FloodOptions {
        out: Some(out.to_path_buf()),
        zh: true,
        ..FloodOptions::default()
    }
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| {
            (
                p.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&p).unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_case_with_everything_runs_and_a_killed_run_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let case = valley(folder.path());
    let whole = folder.path().join("whole");
    let made = run(&case, &options(&whole), &|_| {}).unwrap();

    // Water balance: the table's last row, by its own sums.
    let text = fs::read_to_string(made.join("balance.csv")).unwrap();
    let last: Vec<f64> = (text.lines().last().unwrap().split(','))
        .map(|v| v.parse().unwrap())
        .collect();
    let [time, initial, inflow, rain, soil, drained, left, stored] = last[..] else {
        panic!("{text}");
    };
    assert_eq!((time, initial), (2.0, 0.0));
    // 5 to 60, 60 to 20, 20 to 5 m³/s over 30, 30 and 60 min.
    let river = 1800.0 * 32.5 + 1800.0 * 40.0 + 3600.0 * 12.5;
    assert!((inflow / river - 1.0).abs() < 1e-6, "{inflow} {river}");
    // The formula's depth of an hour on 4,799 cells.
    let depth = 10.0 * (1.0 + 0.8 * libm::log10(50.0)) / libm::pow(70.0, 0.7) * 60.0;
    assert!((rain / (depth * 1e-3 * 4799.0 * 100.0) - 1.0).abs() < 1e-6);
    assert!(soil > 0.0 && drained > 0.0 && left != 0.0);
    let error = initial + inflow + rain - soil - drained - left - stored;
    assert!(error.abs() < 1e-6 * (inflow + rain), "{error}");

    // The dyke holds until its breach opens at half an hour.
    let text = fs::read_to_string(made.join("gauges.csv")).unwrap();
    let field: Vec<(f64, f64)> = (text.lines().skip(1))
        .map(|l| l.split(',').collect::<Vec<_>>())
        .filter(|l| l[1] == "field")
        .map(|l| (l[0].parse().unwrap(), l[3].parse().unwrap()))
        .collect();
    assert_eq!(field.len(), 25);
    let deepest = |from: f64, to: f64| {
        (field.iter().filter(|(t, _)| (from..=to).contains(t))).fold(0.0f64, |m, p| m.max(p.1))
    };
    assert!(deepest(0.6, 2.0) > 2.0 * deepest(0.0, 0.45), "{field:?}");

    let depth = geotiff::read_f32(&made.join("depth_max_m.tif"), 1).unwrap();
    assert!(depth.data[(0, 0)].is_nan() && depth.data[(30, 40)] > 0.5);
    let class = geotiff::read_u8(&made.join("hazard_class.tif"), 1).unwrap();
    assert!(class.data[(30, 40)] >= 2);
    let frames = netcdf::read_times(&made.join("depth.nc"), "depth").unwrap();
    assert_eq!(frames.seconds, [0.0, 1800.0, 3600.0, 5400.0, 7200.0]);
    let end = netcdf::read_f32(&made.join("depth.nc"), "depth", &[("time", 4)]).unwrap();
    let at_end = geotiff::read_f32(&made.join("depth_end_m.tif"), 1).unwrap();
    assert_eq!(end.data[(30, 40)], at_end.data[(30, 40)]);
    // The extent is the area of the cells that count as flooded.
    let extent = vector::read(&made.join("extent.gpkg")).unwrap();
    let area: f64 = extent
        .features
        .iter()
        .filter_map(|f| f.values[1].as_f64())
        .sum();
    let cells = depth.values().iter().filter(|d| **d >= 0.15).count();
    assert_eq!(area, cells as f64 * 100.0);

    // A run that is killed: the listener panics on its way, as a signal would stop it.
    let killed = folder.path().join("killed");
    let steps = AtomicUsize::new(0);
    let stopped = std::panic::catch_unwind(|| {
        run(&case, &options(&killed), &|news| {
            if matches!(news, News::Step { .. }) && steps.fetch_add(1, Ordering::Relaxed) == 15 {
                panic!("killed");
            }
        })
    });
    assert!(stopped.is_err());
    let taken_up = AtomicUsize::new(0);
    let again = run(&case, &options(&killed), &|news| {
        if let News::Warning { text, .. } = news {
            taken_up.fetch_add(usize::from(text == "taken up at 1.00 h"), Ordering::Relaxed);
        }
    })
    .unwrap();
    assert_eq!(taken_up.load(Ordering::Relaxed), 1);
    for ((name, a), (other, b)) in files(&made).into_iter().zip(files(&again)) {
        assert!(name == other && a == b, "{name} {other}");
    }

    // A finished run is kept.
    let kept = AtomicUsize::new(0);
    run(&case, &options(&killed), &|news| {
        kept.fetch_add(
            usize::from(matches!(news, News::Kept { .. })),
            Ordering::Relaxed,
        );
    })
    .unwrap();
    assert_eq!(kept.load(Ordering::Relaxed), 1);

    // The restart file carries the case on.
    let later = CASE.replace("end_h = 2.0", "end_h = 2.5")
        + "\n[start]\nrestart = \"whole/flood/restart.anlan\"\n";
    fs::write(&case, later).unwrap();
    let made = run(&case, &options(&folder.path().join("later")), &|_| {}).unwrap();
    let text = fs::read_to_string(made.join("balance.csv")).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with("2,"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("2.5,"));
}

fn faults(case: &Path) -> Vec<String> {
    match run(case, &options(&case.with_file_name("none")), &|_| {}) {
        Err(Error::Input(faults)) => faults.iter().map(|f| format!("{} {f}", f.place)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn faults_name_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let case = valley(folder.path());
    let with = |from: &str, to: &str| {
        assert!(CASE.contains(from), "{from}");
        fs::write(&case, CASE.replace(from, to)).unwrap();
        faults(&case).join("\n")
    };
    for (from, to, place, word) in [
        ("end_h = 2.0", "end_h = -2.0", "end_h", "above 0 h"),
        ("end_h = 2.0", "end_hour = 2.0", "line", "end_hour"),
        (
            "at = [500400, 3200360]",
            "at = [3200360, 500400]",
            "gauge field",
            "x before y",
        ),
        (
            "line = [[500005, 3200290], [500005, 3200310]]",
            "line = [[1, 1], [2, 2]]",
            "inflow river",
            "no cell",
        ),
        (
            "line = [[500795, 3200280], [500795, 3200320]]",
            "line = [[500495, 3200280], [500495, 3200320]]",
            "boundary lake",
            "edge",
        ),
        (
            "at = [500400, 3200340]",
            "at = [500400, 3200440]",
            "dyke left bank",
            "breach",
        ),
        (
            "duration_h = 1.0\n\n[losses]",
            "duration_h = 1.0\nareal_km2 = -5.0\n\n[losses]",
            "rain.areal_km2",
            "above 0 km²",
        ),
        (
            "height_m = 1.0",
            "height_m = 1.0\ncrest_m = 3.0",
            "dyke left bank",
            "one of",
        ),
        (
            "to = [500500, 3200310]",
            "to = [500501, 3200399]",
            "culvert road",
            "one cell",
        ),
        (
            "return_period = 50.0\n",
            "",
            "rain.return_period",
            "with a formula",
        ),
        (
            "n = 0.04",
            "n = 0.04\ncover = \"a.tif\"",
            "roughness",
            "cover",
        ),
        (
            "capacity_mm_h = 10.0",
            "runoff = 0.5",
            "drains",
            "capacity_mm_h",
        ),
    ] {
        let told = with(from, to);
        assert!(
            told.contains(place) && told.contains(word),
            "{from} -> {to}: {told}"
        );
    }
    fs::write(&case, CASE).unwrap();
    fs::write(
        folder.path().join("river.csv"),
        "time_min,q\n0,5\n30,x\n20,4\n",
    )
    .unwrap();
    let told = faults(&case).join("\n");
    assert!(
        told.contains("row 3, column q (B3)") && told.contains("row 4, column time_min"),
        "{told}"
    );
    fs::write(folder.path().join("river.csv"), "time_min,q\n0,5\n30,-7\n").unwrap();
    assert!(faults(&case).join("\n").contains("-7 m³/s"));
    assert!(!folder.path().join("none/flood").exists());
}
