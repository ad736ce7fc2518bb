//! Zonal statistics and labels from files: the numbers of exactextract, the same in every kind of table, what is wrong is
//! named, threads do not count.

use anlan::engine::io::geotiff::{self, Tags};
use anlan::engine::io::table::{self, Table};
use anlan::engine::io::vector::{self, Feature, Layer};
use anlan::engine::io::{Value, parquet};
use anlan::engine::rasterize::Rule;
use anlan::engine::{Crs, Grid, Raster};
use anlan::messages::Messages;
use anlan::progress::News;
use anlan::rasterize::RasterizeOptions;
use anlan::zonal::{ZonalTableOptions, run};
use geo::{Geometry, LineString, Point, Polygon};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const ROWS: usize = 7;
const COLS: usize = 8;

fn grid() -> Grid {
    let crs = Crs::from_epsg(4549).unwrap();
    Grid::new(crs, (500_000.0, 3_300_000.0), (10.0, 10.0), (ROWS, COLS)).unwrap()
}

/// Cells of 10 m; positions in cells from the south-western corner.
fn ring(points: &[(f64, f64)]) -> LineString<f64> {
    let south = 3_300_000.0 - 10.0 * ROWS as f64;
    let at = |&(x, y): &(f64, f64)| (500_000.0 + 10.0 * x, south + 10.0 * y);
    let mut ring = LineString::from(points.iter().map(at).collect::<Vec<_>>());
    ring.close();
    ring
}

/// Raster, weights and zones of the case that exactextract was run on.
fn files(dir: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let paths = ["values.tif", "weights.tif", "zones.gpkg"].map(|n| dir.join(n));
    let values = ndarray::Array2::from_shape_fn((ROWS, COLS), |(r, c)| match (r, c) {
        (2, 4) | (5, 1) => f32::NAN,
        _ => ((r * 3 + c * 5) % 7) as f32 + if c == 3 { 0.5 } else { 0.0 },
    });
    let weights =
        ndarray::Array2::from_shape_fn((ROWS, COLS), |(r, c)| (1 + (r + 2 * c) % 4) as f32);
    geotiff::write_f32(&paths[0], &Raster::new(grid(), values), &Tags::new()).unwrap();
    geotiff::write_f32(&paths[1], &Raster::new(grid(), weights), &Tags::new()).unwrap();
    let polygons = [
        Polygon::new(
            ring(&[(1.25, 0.5), (6.75, 1.5), (5.5, 6.25), (2.0, 5.75)]),
            vec![],
        ),
        Polygon::new(
            ring(&[(0.0, 0.0), (3.5, 0.0), (3.5, 7.0), (0.0, 7.0)]),
            vec![],
        ),
        Polygon::new(
            ring(&[(4.25, 3.5), (7.5, 3.5), (7.5, 6.5), (4.25, 6.5)]),
            vec![ring(&[(5.0, 4.0), (6.5, 4.0), (5.75, 5.5)])],
        ),
    ];
    let codes = ["330702001", "330702002", "330781001"];
    layer(&paths[2], polygons.map(Geometry::Polygon).to_vec(), &codes);
    let [raster, weights, zones] = paths;
    (raster, weights, zones)
}

fn layer(path: &Path, shapes: Vec<Geometry<f64>>, codes: &[&str]) {
    let features = shapes
        .into_iter()
        .zip(codes)
        .map(|(geometry, code)| Feature {
            geometry,
            values: vec![(*code).into(), Value::Integer(code.len() as i64)],
        })
        .collect();
    let layer = Layer {
        source: path.to_path_buf(),
        crs: grid().crs,
        columns: vec!["code".into(), "digits".into()],
        features,
    };
    vector::write_gpkg(path, &[("zones", &layer)]).unwrap();
}

fn options(out: PathBuf, statistics: &[&str]) -> ZonalTableOptions {
    ZonalTableOptions {
        out,
        statistics: statistics.iter().map(|s| s.parse().unwrap()).collect(),
        ..ZonalTableOptions::default()
    }
}

fn column(table: &Table, name: &str) -> Vec<f64> {
    let at = table.column(name).unwrap_or_else(|| panic!("{name}"));
    table.rows.iter().map(|r| r[at].as_f64().unwrap()).collect()
}

/// What exactextract 0.3.0 (PyPI) gives for the case. It holds covered shares as f32, hence the tolerance of 1e-7, for
/// quantiles, which divide differences of weights, 1e-6.
#[test]
fn the_numbers_of_exactextract() {
    let expected: [(&str, [f64; 3]); 17] = [
        ("count", [21.080357168335468, 23.5, 7.875]),
        ("sum", [62.1782895156648, 69.25, 23.625]),
        ("mean", [2.9495842513077535, 2.9468085106382977, 3.0]),
        ("min", [0.0, 0.0, 0.0]),
        ("max", [6.5, 6.5, 6.0]),
        (
            "stdev",
            [1.9983981243445221, 1.9549012124825815, 2.0625150312102587],
        ),
        (
            "variance",
            [3.9935950633837045, 3.8216387505658678, 4.253968253968254],
        ),
        (
            "median",
            [2.8805467610653386, 2.9602272727272725, 2.8636363636363638],
        ),
        (
            "q25",
            [1.363669621439921, 1.3605072463768115, 1.4565217391304348],
        ),
        ("q90", [5.732560206813123, 5.559, 5.489189189189189]),
        ("majority", [2.0, 5.0, 2.0]),
        ("minority", [1.5, 0.5, 3.0]),
        ("variety", [14.0, 14.0, 7.0]),
        ("weighted_sum", [160.71228854102083, 167.5, 50.75]),
        (
            "weighted_mean",
            [3.0778097009950987, 3.0454545454545454, 2.5217391304347827],
        ),
        (
            "weighted_stdev",
            [1.992818240766452, 1.9359581308224412, 1.9878105453601977],
        ),
        (
            "weight",
            [160.71228854102083 / 3.0778097009950987, 55.0, 20.125],
        ),
    ];
    let dir = tempfile::tempdir().unwrap();
    let (raster, weights, zones) = files(dir.path());
    let names: Vec<&str> = expected.iter().map(|e| e.0).collect();
    let mut wanted = options(dir.path().join("out.csv"), &names);
    wanted.weights = Some((weights, 1));
    run(&raster, &zones, &wanted, &|_| {}).unwrap();
    let found = table::read(&wanted.out).unwrap();
    for (name, values) in expected {
        let within = if name.starts_with('q') || name == "median" {
            1e-6
        } else {
            1e-7
        };
        for (a, b) in column(&found, name).iter().zip(values) {
            assert!((a - b).abs() <= within * b.abs(), "{name}: {a}, {b}");
        }
    }
}

#[test]
fn every_kind_of_table_holds_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (raster, _, zones) = files(dir.path());
    let told = |name: &str, zh: bool| {
        let out = dir.path().join(name);
        let wanted = ZonalTableOptions {
            code: Some("code".into()),
            classes: true,
            columns: vec!["code".into()],
            zh,
            ..options(out.clone(), &["count", "sum", "mean"])
        };
        run(&raster, &zones, &wanted, &|_| {}).unwrap();
        out
    };
    let csv = table::read(&told("a.csv", true)).unwrap();
    assert_eq!(csv.columns, ["code", "count", "sum", "mean"]);
    let levels = table::read(&dir.path().join("a_levels.csv")).unwrap();
    let classes = table::read(&dir.path().join("a_classes.csv")).unwrap();
    // Two counties, their prefecture, their province: each the sum of its townships.
    let sums = column(&csv, "sum");
    assert_eq!(
        column(&levels, "code"),
        [330_000.0, 330_700.0, 330_702.0, 330_781.0]
    );
    let whole = sums.iter().sum::<f64>();
    assert_eq!(
        column(&levels, "sum"),
        [whole, whole, sums[0] + sums[1], sums[2]]
    );
    assert_eq!(column(&levels, "zones"), [3.0, 3.0, 2.0, 1.0]);
    let cells: f64 = column(&classes, "cells").iter().sum();
    let count: f64 = column(&csv, "count").iter().sum();
    assert!((cells / count - 1.0).abs() < 1e-14);
    let whole = |c: &&Vec<Value>| c[0].as_f64() == Some(330_781_001.0);
    let shares = classes
        .rows
        .iter()
        .filter(whole)
        .map(|r| r[3].as_f64().unwrap());
    assert!((shares.sum::<f64>() - 1.0).abs() < 1e-14);

    let book = told("a.xlsx", true);
    let sheet = table::read_sheet(&book, Some("分区统计")).unwrap();
    assert_eq!(sheet.columns, ["code", "有效像元数", "合计", "均值"]);
    assert_eq!(column(&sheet, "合计"), sums);
    let sheet = table::read_sheet(&book, Some("上级汇总")).unwrap();
    assert_eq!(sheet.rows[0][0], "省级".into());
    assert!(table::read_sheet(&book, Some("分类面积")).is_ok());

    let gpkg = told("a.gpkg", false);
    let layers = vector::layer_names(&gpkg).unwrap();
    assert_eq!(layers.len(), 3);
    let back = vector::read(&gpkg).unwrap();
    let at = back.require("sum").unwrap();
    let of_layer: Vec<f64> = back
        .features
        .iter()
        .map(|f| f.values[at].as_f64().unwrap())
        .collect();
    assert_eq!(of_layer, sums);
    assert_eq!(
        back.features[2].geometry,
        vector::read(&zones).unwrap().features[2].geometry
    );

    let file = told("a.parquet", false);
    let columns = parquet::read(&file).unwrap();
    assert_eq!(columns[2].data, parquet::ColumnData::F64(sums));
}

#[test]
fn bad_input_is_named_in_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    let (raster, weights, zones) = files(dir.path());
    let out = dir.path().join("out.csv");
    let fails = |zones: &Path, wanted: &ZonalTableOptions| {
        let error = run(&raster, zones, wanted, &|_| {}).unwrap_err();
        assert!(!wanted.out.exists(), "nothing is written");
        error
    };
    let plain = options(out.clone(), &["sum"]);
    let mixed = dir.path().join("mixed.gpkg");
    let square = Polygon::new(ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]), vec![]);
    let point = Geometry::Point(Point::new(500_001.0, 3_299_999.0));
    layer(
        &mixed,
        vec![Geometry::Polygon(square.clone()), point],
        &["33070", "330700"],
    );
    let twice = dir.path().join("twice.gpkg");
    layer(
        &twice,
        vec![Geometry::Polygon(square); 2],
        &["330702", "330702"],
    );
    let other_cells = dir.path().join("other.tif");
    let shifted = Grid {
        west: 500_010.0,
        ..grid()
    };
    geotiff::write_f32(&other_cells, &Raster::filled(shifted, 1.0), &Tags::new()).unwrap();
    let coded = ZonalTableOptions {
        code: Some("code".into()),
        ..plain.clone()
    };
    let errors = [
        fails(&zones, &options(dir.path().join("out.doc"), &["sum"])),
        fails(&zones, &options(out.clone(), &["weighted_mean"])),
        fails(&zones, &options(out.clone(), &[])),
        fails(
            &zones,
            &ZonalTableOptions {
                min_coverage: 1.5,
                ..plain.clone()
            },
        ),
        fails(
            &zones,
            &ZonalTableOptions {
                columns: vec!["codes".into()],
                ..plain.clone()
            },
        ),
        fails(
            &zones,
            &ZonalTableOptions {
                band: 2,
                ..plain.clone()
            },
        ),
        fails(
            &zones,
            &ZonalTableOptions {
                weights: Some((other_cells, 1)),
                ..plain.clone()
            },
        ),
        fails(
            &zones,
            &ZonalTableOptions {
                weights: Some((weights, 3)),
                ..plain.clone()
            },
        ),
        fails(&mixed, &plain),
        fails(&mixed, &coded),
        fails(&twice, &coded),
    ];
    let messages = Messages::builtin();
    for error in &errors {
        assert!(error.is_input(), "{error}");
        for f in error.faults() {
            for text in [&f.found, &f.expected, &f.remedy] {
                let zh = messages.translate(text);
                assert!(!text.contains(' ') || !zh.is_ascii(), "{text}");
            }
        }
    }
    assert!(errors[8].to_string().contains("feature 2"), "{}", errors[8]);
}

#[test]
fn what_must_be_known_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (raster, _, _) = files(dir.path());
    let zones = dir.path().join("far.gpkg");
    let far = Polygon::new(ring(&[(50.0, 0.0), (51.0, 0.0), (51.0, 1.0)]), vec![]);
    let half = Polygon::new(
        ring(&[(-3.0, 0.0), (1.0, 0.0), (1.0, 1.0), (-3.0, 1.0)]),
        vec![],
    );
    layer(
        &zones,
        vec![Geometry::Polygon(far), Geometry::Polygon(half)],
        &["330702", "330703"],
    );
    // In degrees: the zones are carried into the raster's system.
    let carried = vector::read(&zones).unwrap().reprojected(Crs::CGCS2000);
    let zones = dir.path().join("far.geojson");
    vector::write_geojson(&zones, &carried).unwrap();
    let wanted = options(dir.path().join("out.csv"), &["count", "mean"]);
    let told = Mutex::new(Vec::new());
    run(&raster, &zones, &wanted, &|news| {
        if let News::Warning { text, .. } = news {
            told.lock().unwrap().push(text.to_owned());
        }
    })
    .unwrap();
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    let messages = Messages::builtin();
    assert!(told.iter().all(|t| messages.translate(t) != *t), "{told:?}");
    let table = table::read(&wanted.out).unwrap();
    assert!(table.rows[0][table.column("mean").unwrap()].is_null());
    assert!((column(&table, "count")[1] - 1.0).abs() < 1e-6);
}

#[test]
fn labels_and_threads() {
    let dir = tempfile::tempdir().unwrap();
    let (raster, _, zones) = files(dir.path());
    let painted = |threads: usize, rule: Rule, value: Option<&str>| {
        let wanted = RasterizeOptions {
            out: dir.path().join("labels.tif"),
            like: raster.clone(),
            value: value.map(String::from),
            layer: None,
            rule,
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| anlan::rasterize::run(&zones, &wanted, &|_| {}))
            .unwrap();
        std::fs::read(&wanted.out).unwrap()
    };
    assert_eq!(
        painted(1, Rule::Centre, None),
        painted(5, Rule::Centre, None)
    );
    let labels = geotiff::read_i32(&dir.path().join("labels.tif"), 1).unwrap();
    assert_eq!(labels.nodata, Some(0));
    // Centres at y = 5.5: zone 2 from 0 to 3.5, a centre on its eastern edge included, zone 3 from 4.25 to 7.5; the hole
    // touches the line in a point.
    assert_eq!(labels.data.row(1).to_vec(), [2, 2, 2, 2, 3, 3, 3, 3]);
    painted(2, Rule::AllTouched, Some("digits"));
    let labels = geotiff::read_i32(&dir.path().join("labels.tif"), 1).unwrap();
    assert!(labels.values().iter().all(|v| [0, 9].contains(v)));

    let zonal = |threads: usize| {
        let wanted = options(dir.path().join("out.csv"), &["sum", "stdev", "median"]);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(&raster, &zones, &wanted, &|_| {}))
            .unwrap();
        std::fs::read(&wanted.out).unwrap()
    };
    assert_eq!(zonal(1), zonal(4));
}
