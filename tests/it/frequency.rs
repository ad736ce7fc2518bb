//! Frequency analysis from files: published fits come back through the tables, what is wrong is named, threads do not count.

use anlan::engine::extremes::peaks::Declustering;
use anlan::engine::extremes::{Distribution, Method};
use anlan::engine::io::table::{self, Table};
use anlan::frequency::{Band, FrequencyOptions, IdfOptions, Kind, RainUnit, run, run_idf};
use anlan::models::flood::idf::Weighing;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of the shared reference data; `None`, told, where it is absent.
fn shared(name: &str) -> Option<PathBuf> {
    let data = std::env::var("ANLAN_SHARED_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").to_string());
    let path = Path::new(&data).join("flood/frequency").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there", path.display());
    None
}

fn number(table: &Table, keys: &[(&str, &str)], column: &str) -> f64 {
    let row = table
        .rows
        .iter()
        .find(|r| {
            keys.iter()
                .all(|(c, v)| r[table.column(c).unwrap()].to_string() == *v)
        })
        .unwrap();
    row[table.column(column).unwrap()].as_f64().unwrap()
}

fn near(found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within,
        "found {found}, expected {expected}"
    );
}

#[test]
fn port_pirie_by_all_laws() {
    let Some(path) = shared("portpirie.csv") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let options = FrequencyOptions {
        distributions: vec![
            Distribution::Pearson3,
            Distribution::Gev,
            Distribution::Gumbel,
        ],
        replicates: 50,
        confidence: 0.95,
        band: Band::Delta,
        out: Some(dir.path().to_path_buf()),
        zh: true,
        ..FrequencyOptions::default()
    };
    let made = run(&path, &options).unwrap();
    let levels = table::read(&made.join("return_levels.csv")).unwrap();
    let gev = [("distribution", "GEV"), ("return_period_years", "100")];
    // scipy: 4.6883376, a little short of the maximum; Extremes.jl's parameters give 4.688407.
    near(number(&levels, &gev, "value"), 4.688_407, 1e-5);
    // Coles (2001, §3.4.1): [4.377, 5.000].
    near(number(&levels, &gev, "low"), 4.377, 5e-3);
    near(number(&levels, &gev, "high"), 5.000, 5e-3);
    let gumbel = [("distribution", "Gumbel"), ("return_period_years", "1000")];
    near(number(&levels, &gumbel, "value"), 5.215_594_7, 1e-6);
    let parameters = table::read(&made.join("parameters.csv")).unwrap();
    let shape = [("distribution", "GEV"), ("parameter", "shape")];
    near(number(&parameters, &shape, "standard_error"), 0.098, 5e-4);
    for name in [
        "frequency.png",
        "frequency.svg",
        "frequency.xlsx",
        "positions.csv",
        "summary.md",
        "manifest.json",
    ] {
        assert!(made.join(name).exists(), "{name}");
    }
    let l_moments = FrequencyOptions {
        method: Some(Method::LMoments),
        distributions: vec![Distribution::Pearson3],
        ..options
    };
    let made = run(&path, &l_moments).unwrap();
    let levels = table::read(&made.join("return_levels.csv")).unwrap();
    // lmoments3 1.0.8 (portpirie_fits.csv).
    for (years, expected) in [("100", 4.691_837_7), ("1000", 5.028_939_9)] {
        near(
            number(&levels, &[("return_period_years", years)], "value"),
            expected,
            1e-7,
        );
    }
}

#[test]
fn english_daily_rain_over_thirty_millimetres() {
    let Some(path) = shared("rain_daily_sw_england.csv") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let options = FrequencyOptions {
        kind: Kind::DailyPeaks(Declustering {
            threshold: 30.0,
            run: 0,
            separation: 0,
        }),
        replicates: 50,
        out: Some(dir.path().to_path_buf()),
        ..FrequencyOptions::default()
    };
    let made = run(&path, &options).unwrap();
    let parameters = table::read(&made.join("parameters.csv")).unwrap();
    // scipy's maximum likelihood; Coles (2001, §4.4.1).
    near(
        number(&parameters, &[("parameter", "scale")], "value"),
        7.440_25,
        5e-5,
    );
    near(
        number(&parameters, &[("parameter", "shape")], "value"),
        0.184_496,
        5e-6,
    );
    near(
        number(&parameters, &[("parameter", "scale")], "sample_size"),
        152.0,
        0.0,
    );
    // Of consecutive days one remains: fewer peaks.
    let declustered = FrequencyOptions {
        kind: Kind::DailyPeaks(Declustering {
            threshold: 30.0,
            run: 1,
            separation: 3,
        }),
        ..options
    };
    let made = run(&path, &declustered).unwrap();
    let parameters = table::read(&made.join("parameters.csv")).unwrap();
    let n = number(&parameters, &[("parameter", "scale")], "sample_size");
    assert!((130.0..152.0).contains(&n), "{n}");
    assert!(made.join("thresholds.csv").exists());
    let annual = FrequencyOptions {
        kind: Kind::DailyMaxima,
        distributions: vec![Distribution::Gumbel],
        ..declustered
    };
    let made = run(&path, &annual).unwrap();
    let positions = table::read(&made.join("positions.csv")).unwrap();
    // 1914 to 1961, but for years with days missing at the ends.
    assert!(
        (47..=48).contains(&positions.rows.len()),
        "{}",
        positions.rows.len()
    );
}

#[test]
fn toronto_storm_formula() {
    let Some(path) = shared("idf_6158731.csv") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut options = IdfOptions {
        unit: RainUnit::PerHour,
        method: Some(Method::LMoments),
        weighing: Weighing::Relative,
        out: Some(dir.path().to_path_buf()),
        zh: true,
        ..IdfOptions::default()
    };
    let message = run_idf(&path, &options).unwrap_err().to_string();
    assert!(
        message.contains("no row for 1952-1953") && message.contains("--gaps"),
        "{message}"
    );
    options.gaps = true;
    options.areas_km2 = vec![0.0];
    let message = run_idf(&path, &options).unwrap_err().to_string();
    assert!(message.contains("areas above 0 km²"), "{message}");
    options.areas_km2 = vec![1.0, 500.0];
    let made = run_idf(&path, &options).unwrap();
    let values = table::read(&made.join("idf.csv")).unwrap();
    // An hour over 500 km²: 1 - exp(-1.1) (1 - exp(-0.003861 · 500)) of what falls at the station.
    let areal = table::read(&made.join("areal.csv")).unwrap();
    assert_eq!(areal.rows.len(), 2 * 9 * 8);
    let hour = [("duration_min", "60"), ("return_period_years", "10")];
    let over = [("area_km2", "500"), hour[0], hour[1]];
    let factor = 1.0 - libm::exp(-1.1) * (1.0 - libm::exp(-0.003_861 * 500.0));
    near(number(&areal, &over, "factor"), factor, 1e-12);
    near(
        number(&areal, &over, "depth_mm"),
        factor * number(&values, &hour, "depth_mm"),
        1e-9,
    );
    assert_eq!(values.rows.len(), 9 * 8);
    let formula = table::read(&made.join("formula.csv")).unwrap();
    let of = |name: &str| number(&formula, &[("quantity", name)], "value");
    assert!(of("mean relative rms error") < 0.05);
    assert!((0.5..1.2).contains(&of("n")) && of("b") >= 0.0);
    assert!(made.join("idf.png").exists() && made.join("idf.svg").exists());
}

#[test]
fn threads_do_not_change_a_byte_and_history_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floods.csv");
    let rows: String = (0..40)
        .map(|i| format!("{},{}\n", 1980 + i, 1000 + (i * 7919) % 2311))
        .collect();
    fs::write(&path, format!("年份,流量（m³/s）\n{rows}")).unwrap();
    let made = |threads: usize| {
        let options = FrequencyOptions {
            historic: vec![5200.0, 4400.0],
            since: Some(1850),
            replicates: 40,
            out: Some(dir.path().join(format!("out{threads}"))),
            zh: true,
            ..FrequencyOptions::default()
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(&path, &options)).unwrap()
    };
    let (one, two) = (made(1), made(2));
    for name in [
        "parameters.csv",
        "return_levels.csv",
        "positions.csv",
        "frequency.png",
        "frequency.svg",
        "summary.md",
        "frequency.xlsx",
    ] {
        assert!(
            fs::read(one.join(name)).unwrap() == fs::read(two.join(name)).unwrap(),
            "{name}"
        );
    }
    let positions = table::read(&one.join("positions.csv")).unwrap();
    assert_eq!(positions.rows.len(), 42);
    // M/(N+1) of 170 years, 1850 to 2019.
    near(
        number(&positions, &[("rank", "1")], "exceedance_percent"),
        100.0 / 171.0,
        1e-12,
    );
    assert!(
        fs::read_to_string(one.join("summary.md"))
            .unwrap()
            .contains("历史洪水2场")
    );
}

#[test]
fn what_is_wrong_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.csv");
    fs::write(&path, "year,q\n1990,5\n1990,6\n1992,-1\n1993,abc\n").unwrap();
    let told = |options: FrequencyOptions| run(&path, &options).unwrap_err();
    let error = told(FrequencyOptions::default());
    assert!(error.is_input());
    assert_eq!(error.faults().len(), 4, "{error}");
    let message = error.to_string();
    for part in [
        "row 3, column year (A3)",
        "row 4, column q (B4)",
        "row 5, column q (B5)",
        "no row for 1991",
    ] {
        assert!(message.contains(part), "{part} not in\n{message}");
    }
    assert!(!dir.path().join("out").exists());
    let refused = |options: FrequencyOptions, part: &str| {
        let message = told(options).to_string();
        assert!(message.contains(part), "{message}");
    };
    let standard = FrequencyOptions::default;
    refused(
        FrequencyOptions {
            method: Some(Method::Likelihood),
            ..standard()
        },
        "--method",
    );
    refused(
        FrequencyOptions {
            distributions: vec![Distribution::Gpd],
            ..standard()
        },
        "--distribution",
    );
    refused(
        FrequencyOptions {
            confidence: 90.0,
            return_periods: vec![1.0],
            ..standard()
        },
        "--return-periods",
    );
    fs::write(&path, "year,q\n1990,5\n1991,6\n1992,7\n").unwrap();
    refused(standard(), "10 or more");
    let same: String = (0..20).map(|i| format!("{},5\n", 1990 + i)).collect();
    fs::write(&path, format!("year,q\n{same}")).unwrap();
    refused(standard(), "cannot be fitted");
}
