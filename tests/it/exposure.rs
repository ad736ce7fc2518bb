//! The exposure: what a project gives is used to the last person and metre, on any number of threads.

use crate::region::{Region, bytes};
use anlan::engine::datum::gcj02_offset;
use anlan::engine::io::Value;
use anlan::engine::io::geotiff::{self, Tags};
use anlan::engine::io::parquet::{self, ColumnData};
use anlan::engine::io::table::{self, Table, write_csv};
use anlan::engine::io::vector::{self, Feature, Layer};
use anlan::engine::{Crs, Grid, Projector, Raster};
use anlan::export::{ExposureExport, exposure};
use anlan::models::census::exposure::PeopleAt;
use anlan::progress::News;
use anlan::run::{RunOptions, run};
use geo::{BooleanOps, BoundingRect, Geometry, MultiPolygon, Rect};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn layers(region: &Region, out: &str, threads: usize) -> PathBuf {
    let out = region.file(out);
    let options = RunOptions {
        out: Some(out.clone()),
        only: vec!["layers".into()],
        ..RunOptions::default()
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| run(&region.project(), &options, &|_: News<'_>| {}))
        .unwrap();
    out
}

fn sums(table: &Table, column: &str, weight: impl Fn(&[Value]) -> bool) -> BTreeMap<String, f64> {
    let (unit, at) = (
        table.require("unit").unwrap(),
        table.require(column).unwrap(),
    );
    let mut out = BTreeMap::new();
    for row in table.rows.iter().filter(|r| weight(r)) {
        *out.entry(row[unit].to_string()).or_insert(0.0) += row[at].as_f64().unwrap();
    }
    out
}

fn column(path: &Path, name: &str) -> Vec<f64> {
    let columns = parquet::read(path).unwrap();
    match &columns.iter().find(|c| c.name == name).unwrap().data {
        ColumnData::U32(v) => v.iter().map(|&v| f64::from(v)).collect(),
        ColumnData::F64(v) => v.clone(),
        _ => panic!("{name}"),
    }
}

#[test]
fn what_is_not_given_is_made_and_marked() {
    let region = Region::new();
    let out = layers(&region, "out", 2);
    let file = |name: &str| out.join("layers").join(name);
    // Nobody is lost: by day those of the night; on a holiday those less who leave.
    let people = table::read(&file("population_units.csv")).unwrap();
    let all = |name: &str| sums(&people, name, |_| true).values().sum::<f64>();
    assert_eq!(all("night"), 7_050_683.0);
    assert_eq!(all("day"), 7_050_683.0);
    assert_eq!(all("holiday") + all("holiday_out_of_region"), 7_050_683.0);
    let ledger = file("exposure.parquet");
    for (name, map, told) in [
        ("population", "population_night.tif", "night"),
        ("population_day", "population_day.tif", "day"),
        ("population_holiday", "population_holiday.tif", "holiday"),
    ] {
        let sum: f64 = column(&ledger, name).iter().sum();
        assert_eq!(sum, all(told), "{name}");
        let raster = geotiff::read_f32(&file(map), 1).unwrap();
        let values = raster.values().iter().filter(|v| !v.is_nan());
        let sum: f64 = values.map(|&v| f64::from(v)).sum();
        assert_eq!(sum, all(told), "{map}");
    }
    // Sectors add up to the output, floor of buildings to that of dwellings.
    let gdp: f64 = column(&ledger, "gdp_yuan").iter().sum();
    let sectors: f64 = ["primary", "secondary", "tertiary"]
        .iter()
        .map(|s| {
            column(&ledger, &format!("gdp_{s}_yuan"))
                .iter()
                .sum::<f64>()
        })
        .sum();
    assert!((sectors / gdp - 1.0).abs() < 1e-12);
    let floor: f64 = ["concrete", "masonry", "brick_wood"]
        .iter()
        .map(|s| {
            column(&ledger, &format!("floor_{s}_m2"))
                .iter()
                .sum::<f64>()
        })
        .sum();
    let built: f64 = column(&file("buildings.parquet"), "floor_m2").iter().sum();
    assert!((built / floor - 1.0).abs() < 1e-12);
    // Made-up things say so.
    let places = table::read(&file("critical_places.csv")).unwrap();
    let at = places.require("provenance").unwrap();
    assert!(places.rows.len() > 500);
    assert!(places.rows.iter().all(|r| r[at].to_string() == "synthetic"));
    let lines = table::read(&file("lifelines_units.csv")).unwrap();
    let at = lines.require("provenance").unwrap();
    assert!(lines.rows.iter().all(|r| r[at].to_string() == "synthetic"));

    // The weights are held against the census: settlements tell more than area.
    let check = table::read(&file("disaggregation_check.csv")).unwrap();
    let (set, quantity, wrong) = (
        check.require("set").unwrap(),
        check.require("quantity").unwrap(),
        check.require("misplaced_share").unwrap(),
    );
    let misplaced = |name: &str| {
        let row = check
            .rows
            .iter()
            .find(|r| r[set].to_string() == name && r[quantity].to_string() == "residents");
        row.unwrap()[wrong].as_f64().unwrap()
    };
    assert!(misplaced("settled") < misplaced("area"));

    // As a portfolio: the same totals, with people by day and buildings by class.
    let target = region.file("portfolio");
    let export = ExposureExport {
        people: PeopleAt::Day,
        buildings: true,
        csv: false,
    };
    let portfolio = exposure(&out, &target, export).unwrap();
    let text = std::fs::read_to_string(portfolio).unwrap();
    let value: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(value["classes"].as_array().unwrap().len(), 11 - 3 + 20);
    let items = target.join("exposure.parquet");
    let (class, values) = (column(&items, "class"), column(&items, "value"));
    let total = |c: &dyn Fn(f64) -> bool| -> f64 {
        class
            .iter()
            .zip(&values)
            .filter(|(k, _)| c(**k))
            .map(|(_, v)| v)
            .sum()
    };
    assert_eq!(total(&|c| c == 10.0), 7_050_683.0);
    let built: f64 = column(&file("buildings.parquet"), "value_yuan")
        .iter()
        .sum();
    assert!((total(&|c| c >= 100.0) / built - 1.0).abs() < 1e-12);
}

/// Tables and layers of a project's own for Jinhua.
fn give(region: &Region) {
    let mut economy = Table::new(&[
        "区划代码",
        "第一产业_亿元",
        "第二产业_亿元",
        "第三产业_亿元",
        "公路里程(公里)",
        "耕地面积(公顷)",
        "节假日人口系数",
        "白天净流入人口",
    ]);
    economy.rows.push(
        [330_702.0, 10.0, 200.0, 290.0, 1234.5, 9876.5, 0.9, 5000.0]
            .map(Value::Real)
            .to_vec(),
    );
    write_csv(&region.file("economy.csv"), &economy).unwrap();

    let mut houses = Table::new(&["区划代码", "结构类型", "层数", "栋数", "建筑面积"]);
    for (structure, storeys, count, floor) in [
        ("钢混", 18, 500, 9_000_000.0),
        ("砖混", 3, 90_000, 30_000_000.0),
        ("土木", 1, 1200, 90_000.5),
    ] {
        houses.rows.push(vec![
            Value::Integer(330_702),
            structure.into(),
            Value::Integer(storeys),
            Value::Integer(count),
            Value::Real(floor),
        ]);
    }
    write_csv(&region.file("houses.csv"), &houses).unwrap();

    let mut places = Table::new(&["编号", "名称", "类型", "经度", "纬度", "人数", "区划代码"]);
    for (code, kind, lon, lat, people) in [
        ("A1", "小学", 119.64, 29.09, 1500.0),
        ("A2", "医院", 119.65, 29.10, 800.0),
    ] {
        places.rows.push(vec![
            code.into(),
            format!("示例{kind}").into(),
            kind.into(),
            Value::Real(lon),
            Value::Real(lat),
            Value::Real(people),
            Value::Integer(330_702),
        ]);
    }
    write_csv(&region.file("places_critical.csv"), &places).unwrap();

    let line =
        |points: &[(f64, f64)]| geo::Geometry::LineString(geo::LineString::from(points.to_vec()));
    let lines = Layer {
        source: PathBuf::new(),
        crs: Crs::CGCS2000,
        columns: vec!["类型".into()],
        features: vec![
            Feature {
                geometry: line(&[(119.5, 29.05), (119.7, 29.12)]),
                values: vec!["国道".into()],
            },
            Feature {
                geometry: line(&[(119.5, 29.15), (119.7, 29.05)]),
                values: vec!["输电线路".into()],
            },
        ],
    };
    vector::write_geojson(&region.file("lines.geojson"), &lines).unwrap();

    // People in one block of a tenth of a degree of 婺城区 only, a little elsewhere.
    let grid = Grid::new(Crs::CGCS2000, (119.0, 29.8), (0.05, 0.05), (28, 40)).unwrap();
    let mut people = Raster::filled(grid, 1e-6_f32);
    for (i, v) in people.values_mut().iter_mut().enumerate() {
        let (r, c) = (i / 40, i % 40);
        if (12..=14).contains(&r) && (11..=13).contains(&c) {
            *v = 1000.0;
        }
    }
    geotiff::write_f32(&region.file("people.tif"), &people, &Tags::new()).unwrap();
    region.edit(|t| {
        t.replace(
            "census = \"census.csv\"",
            "census = \"census.csv\"\neconomy = \"economy.csv\"\nhouses = \"houses.csv\"\n\
             critical_places = \"places_critical.csv\"\nlifelines = \"lines.geojson\"\npopulation_weight = \"people.tif\"",
        )
    });
}

#[test]
fn what_is_given_is_used_on_any_number_of_threads() {
    let region = Region::new();
    give(&region);
    let out = layers(&region, "out1", 1);
    let other = layers(&region, "out3", 3);
    assert!(bytes(&out.join("layers")) == bytes(&other.join("layers")));
    let file = |name: &str| out.join("layers").join(name);
    let of = |table: &Table, name: &str| sums(table, name, |_| true)["330702"];

    // People where the raster has them, and all of the unit's.
    let ledger = file("exposure.parquet");
    let (unit, people) = (column(&ledger, "unit"), column(&ledger, "population"));
    let own: Vec<f64> = unit
        .iter()
        .zip(&people)
        .filter(|(u, _)| **u == 0.0)
        .map(|(_, p)| *p)
        .collect();
    assert_eq!(own.iter().sum::<f64>(), 957_055.0);
    let crowded: f64 = own.iter().filter(|p| **p > 100.0).sum();
    assert!(crowded > 0.99 * 957_055.0, "{crowded}");
    let sum = |name: &str| -> f64 {
        unit.iter()
            .zip(column(&ledger, name))
            .filter(|(u, _)| **u == 0.0)
            .map(|(_, v)| v)
            .sum()
    };
    // 537.71 亿元 shared 10 : 200 : 290; length of road and sown area as given.
    assert!((sum("gdp_secondary_yuan") / (537.71e8 * 0.4) - 1.0).abs() < 1e-12);
    assert!((sum("road_m") / 1_234_500.0 - 1.0).abs() < 1e-12);
    assert!((sum("crop_ha") / 9876.5 - 1.0).abs() < 1e-12);

    let moved = table::read(&file("population_units.csv")).unwrap();
    assert_eq!(of(&moved, "holiday"), (957_055.0_f64 * 0.9).round());
    assert_eq!(of(&moved, "from_outside"), 5000.0);
    let day: f64 = sums(&moved, "day", |_| true).values().sum();
    assert_eq!(day, 7_050_683.0 + 5000.0);

    let buildings = table::read(&file("buildings_units.csv")).unwrap();
    assert_eq!(of(&buildings, "count"), 500.0 + 90_000.0 + 1200.0);
    assert!((of(&buildings, "floor_m2") / 39_090_000.5 - 1.0).abs() < 1e-12);

    let places = table::read(&file("critical_places.csv")).unwrap();
    assert_eq!(places.rows.len(), 2);
    let township = places.require("township").unwrap();
    assert!(
        places
            .rows
            .iter()
            .all(|r| r[township].to_string().starts_with("330702"))
    );
    assert_eq!(
        vector::read(&file("critical_places.gpkg"))
            .unwrap()
            .features
            .len(),
        2
    );

    // Lengths to the metre: 20.97 km and 22.40 km on the ellipsoid, within the grid's scale.
    let lines = table::read(&file("lifelines_units.csv")).unwrap();
    let kind = lines.require("kind").unwrap();
    let length = |name: &str| {
        sums(&lines, "length_m", |r| r[kind].to_string() == name)
            .values()
            .sum::<f64>()
    };
    for (name, dlat) in [("national-road", 0.07), ("power-line", 0.10)] {
        // Degrees at 29.1 N: 110,853 m and 97,380 m (GRS80).
        let plane = libm::hypot(0.2 * 97_380.0, dlat * 110_853.0);
        assert!(
            (length(name) / plane - 1.0).abs() < 1e-3,
            "{name} {}",
            length(name)
        );
    }
    assert_eq!(
        column(&file("lifelines.parquet"), "length_m")
            .iter()
            .sum::<f64>()
            .round(),
        (length("national-road") + length("power-line")).round()
    );
}

#[test]
fn what_is_wrong_is_told_before_anything_is_written() {
    let region = Region::new();
    give(&region);
    // Two places shifted as web maps shift them: outside their unit, which the table says.
    let mut places = table::read(&region.file("places_critical.csv")).unwrap();
    places.rows[0][2] = "游乐园".into();
    places.rows[1][3] = Value::Real(119.65 + gcj02_offset(119.65, 29.1).0 + 2.0);
    write_csv(&region.file("places_critical.csv"), &places).unwrap();
    region.edit(|t| {
        t.replace(
            "[losses]",
            "[exposure.sets]\nresidents = \"litpop\"\ncrops = \"corn\"\n\n[losses]",
        )
    });
    let out = region.file("out");
    let error = region.run_to(&out, 1).unwrap_err();
    assert!(error.is_input() && !out.exists());
    let text = error.to_string();
    for word in [
        "游乐园",
        "330702",
        "night_light",
        "`corn`",
        "[exposure.sets] crops",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

/// What a hazard does at places is what its maps say there.
pub fn places_at_hazards(out: &Path) {
    let places = table::read(&out.join("layers/critical_places.csv")).unwrap();
    let (code, cell) = (
        places.require("code").unwrap(),
        places.require("cell").unwrap(),
    );
    let cells: BTreeMap<String, usize> = places
        .rows
        .iter()
        .map(|r| (r[code].to_string(), r[cell].as_f64().unwrap() as usize))
        .collect();
    let told = table::read(&out.join("hazard/places/place_hazard.csv")).unwrap();
    let at = |name: &str| told.require(name).unwrap();
    let depth = geotiff::read_f32(&out.join("hazard/flood/depth_m_rp0020.tif"), 1).unwrap();
    let mut wet = 0;
    for row in &told.rows {
        let own = row[at("measure")].to_string() == "depth_m"
            && row[at("return_period_years")].as_f64() == Some(20.0);
        if own {
            let map = depth.values()[cells[&row[at("code")].to_string()]];
            assert_eq!(
                row[at("intensity")].as_f64().map(|v| v as f32),
                (!map.is_nan()).then_some(map)
            );
            let grade = row[at("grade")].as_f64().unwrap();
            assert_eq!(grade > 0.0, map >= 0.15, "{map}");
            wet += u32::from(grade > 0.0);
        }
    }
    assert!(wet > 0, "no school near a river");
    let units = table::read(&out.join("hazard/places/place_hazard_units.csv")).unwrap();
    let reached = units.require("places_reached").unwrap();
    let (measure, period) = (
        units.require("measure").unwrap(),
        units.require("return_period_years").unwrap(),
    );
    let sum: f64 = units
        .rows
        .iter()
        .filter(|r| r[measure].to_string() == "depth_m" && r[period].as_f64() == Some(20.0))
        .map(|r| r[reached].as_f64().unwrap())
        .sum();
    assert_eq!(sum, f64::from(wet));
}

/// A polygon layer of townships: each county cut in a western and an eastern half at the middle of its extent.
fn halves(region: &Region) -> Layer {
    let counties = vector::read(&region.file("county.geojson")).unwrap();
    let (code, name) = (
        counties.require("code").unwrap(),
        counties.require("name").unwrap(),
    );
    let mut features = Vec::new();
    for (i, county) in counties.features.iter().enumerate() {
        let border = counties.polygons(i).unwrap();
        let r = border.bounding_rect().unwrap();
        for (n, side) in ["西", "东"].iter().enumerate() {
            let middle = r.center().x;
            let (from, to) = [(r.min().x - 1.0, middle), (middle, r.max().x + 1.0)][n];
            let half = Rect::new((from, r.min().y - 1.0), (to, r.max().y + 1.0)).to_polygon();
            features.push(Feature {
                geometry: Geometry::MultiPolygon(border.intersection(&MultiPolygon(vec![half]))),
                values: vec![
                    format!("{}{:03}", county.values[code], n + 1).into(),
                    format!("{}{side}部镇", county.values[name]).into(),
                ],
            });
        }
    }
    Layer {
        features,
        columns: vec!["code".into(), "name".into()],
        ..counties
    }
}

#[test]
fn townships_are_those_given_and_hold_everybody() {
    let region = Region::new();
    let mut layer = halves(&region);
    vector::write_geojson(&region.file("townships.geojson"), &layer).unwrap();
    region.edit(|t| t.replace("[inputs]", "[inputs]\ntownships = \"townships.geojson\""));
    let out = layers(&region, "out", 2);
    let list = table::read(&out.join("layers/townships.csv")).unwrap();
    assert_eq!(list.rows.len(), 18);
    let provenance = list.require("provenance").unwrap();
    assert!(
        list.rows
            .iter()
            .all(|r| r[provenance].to_string() == "given")
    );
    let name = list.require("name").unwrap();
    assert_eq!(list.rows[1][name].to_string(), "婺城区东部镇");
    let people = sums(&list, "population", |_| true);
    assert_eq!(people["330702"], 957_055.0);
    assert_eq!(people.values().sum::<f64>(), 7_050_683.0);
    // West of the county's middle its first township, east of it the second, but for cells on the cut.
    let cells = geotiff::read_f32(&out.join("layers/township.tif"), 1).unwrap();
    let unit = geotiff::read_f32(&out.join("layers/unit.tif"), 1).unwrap();
    let (mut right, mut all) = (0, 0);
    let degrees = Projector::new(unit.grid.crs, Crs::CGCS2000);
    for (i, (&t, &u)) in cells.values().iter().zip(unit.values()).enumerate() {
        assert_eq!(t.is_nan(), u.is_nan());
        if u.is_nan() {
            continue;
        }
        assert_eq!((t as usize) / 2, u as usize);
        let (row, col) = unit.grid.row_col(i as u32);
        let (lon, _) = degrees.point(unit.grid.x(col), unit.grid.y(row));
        let border = layer.polygons(2 * u as usize).unwrap();
        let middle = border.bounding_rect().unwrap().max().x;
        right += usize::from((lon > middle) == (t as usize % 2 == 1));
        all += 1;
    }
    assert!(right as f64 > 0.99 * f64::from(all), "{right} of {all}");

    // A township of another region, and a county without any, are told together.
    layer
        .features
        .retain(|f| !f.values[0].to_string().starts_with("330784"));
    layer.features[0].values[0] = "110101001".into();
    vector::write_geojson(&region.file("townships.geojson"), &layer).unwrap();
    let error = run(&region.project(), &RunOptions::default(), &|_: News<'_>| {}).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("110101001") && message.contains("no township of 330784"),
        "{message}"
    );
}
