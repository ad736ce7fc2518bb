//! The whole pipeline: the same bytes on any number of threads, resume, exact totals, one clock.

use crate::region::{Region, bytes};
use anlan::engine::Raster;
use anlan::engine::io::parquet::{self, ColumnData};
use anlan::engine::io::{geotiff, table};
use anlan::models::flood::stack::DepthWeights;
use std::collections::BTreeSet;
use std::path::Path;

fn same(a: &Path, b: &Path) {
    let (a, b) = (bytes(a), bytes(b));
    let names = |m: &std::collections::BTreeMap<_, _>| m.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&a), names(&b));
    let differing: Vec<_> = a
        .iter()
        .filter(|(k, v)| b[*k] != **v)
        .map(|(k, _)| k)
        .collect();
    assert!(
        differing.is_empty(),
        "files with other bytes: {differing:?}"
    );
}

#[test]
fn threads_do_not_change_a_byte_and_a_finished_run_is_kept() {
    let region = Region::new();
    region.edit(|t| {
        t.replace(
            "recession_h = 3.0",
            "recession_h = 3.0\npatterns = [{ shape = \"uniform\", probability = 0.5 }, \
             { shape = \"chicago\", peak = 0.4, probability = 0.5 }]",
        )
    });
    let outs = [1, 2, 8].map(|n| (n, region.file(&format!("out{n}"))));
    for (threads, out) in &outs {
        // A pause, so that a time of day in any file would show.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let outcome = region.run_to(out, *threads).unwrap();
        assert_eq!(outcome.ran.len(), 12);
    }
    same(&outs[0].1, &outs[1].1);
    same(&outs[0].1, &outs[2].1);

    let out = &outs[0].1;
    check_products(out);
    crate::report::check(out);
    let again = region.run_to(out, 2).unwrap();
    assert!(again.ran.is_empty(), "{:?}", again.ran);

    // A lost folder is made again, byte for byte, and with it nothing to its left.
    std::fs::remove_dir_all(out.join("risk")).unwrap();
    std::fs::create_dir_all(out.join(".tmp/risk")).unwrap();
    std::fs::write(out.join(".tmp/risk/half.tif"), "half").unwrap();
    let resumed = region.run_to(out, 2).unwrap();
    assert_eq!(resumed.ran, ["risk"]);
    std::fs::remove_dir_all(out.join(".tmp")).ok();
    std::fs::remove_dir_all(outs[1].1.join(".tmp")).ok();
    same(out, &outs[1].1);

    // A changed option runs again what depends on it and nothing else.
    region.edit(|t| t.replace("confidence = 0.85", "confidence = 0.8"));
    let changed = region.run_to(out, 2).unwrap();
    assert_eq!(changed.ran, ["relief", "products", "report"]);

    // Reports of the units are made when they are asked for, from what is there.
    region.edit(|t| t.replace("units = false", "units = true\nformats = [\"html\"]"));
    assert_eq!(region.run_to(out, 2).unwrap().ran, ["report"]);
    crate::report::check_units(&out.join("report/units"));
}

fn check_products(out: &Path) {
    let summary = std::fs::read_to_string(out.join("products/summary.md")).unwrap();
    let grades = table::read(&out.join("risk/grades.csv")).unwrap();
    let codes: BTreeSet<String> = grades.rows.iter().map(|r| r[0].to_string()).collect();
    assert_eq!(codes.len(), 9);
    for code in &codes {
        assert!(summary.matches(code.as_str()).count() >= 3, "{code}");
    }
    let maps = std::fs::read_dir(out.join("products/maps"))
        .unwrap()
        .count();
    assert!(maps >= 18, "{maps} maps");

    // Unit totals of the ledger equal the census to the last person.
    let ledger = parquet::read(&out.join("layers/exposure.parquet")).unwrap();
    let column = |name: &str| {
        ledger
            .iter()
            .find(|c| c.name == name)
            .map(|c| &c.data)
            .unwrap()
    };
    let ColumnData::U32(people) = column("population") else {
        panic!()
    };
    assert_eq!(people.iter().map(|&p| u64::from(p)).sum::<u64>(), 7_050_683);
    let ColumnData::F64(gdp) = column("gdp_yuan") else {
        panic!()
    };
    let census =
        table::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/jinhua/census.csv")).unwrap();
    let gdp_column = census.require("GDP_亿元").unwrap();
    let counties: f64 = census
        .rows
        .iter()
        .skip(1)
        .map(|r| r[gdp_column].as_f64().unwrap() * 1e8)
        .sum();
    // Nine exact unit totals, added in another order.
    assert!((gdp.iter().sum::<f64>() / counties - 1.0).abs() < 1e-12);

    // Water balance of every library storm: 1e-5 of what was given, as promised.
    let balance = table::read(&out.join("hazard/flood/water_balance.csv")).unwrap();
    let error = balance.require("mass_error").unwrap();
    assert_eq!(balance.rows.len(), 4, "two return periods, two patterns");
    assert!(
        balance
            .rows
            .iter()
            .all(|r| r[error].as_f64().unwrap().abs() < 1e-5)
    );

    flood_depths(out, &summary);
    one_clock(out);
}

/// The stack is the depth maps; the expected annual depth is what its weights make of them; the library's error is told.
fn flood_depths(out: &Path, summary: &str) {
    let flood = out.join("hazard/flood");
    let file = flood.join("depth_stack_m.tif");
    let info = geotiff::info(&file).unwrap();
    assert_eq!(info.descriptions, ["rp0005", "rp0020"]);
    assert_eq!(info.tags["ANLAN_RETURN_PERIOD_YEARS"], "5 20");
    let stack = geotiff::read_bands_f32(&file).unwrap();
    for (band, name) in stack
        .iter()
        .zip(["depth_m_rp0005.tif", "depth_m_rp0020.tif"])
    {
        assert_eq!(band, &geotiff::read_f32(&flood.join(name), 1).unwrap());
    }
    let expected = flood.join("expected_annual_depth_m.tif");
    let tags = geotiff::info(&expected).unwrap().tags;
    assert_eq!(tags["ANLAN_LAYER"], "expected_annual_depth");
    assert!(tags["ANLAN_TAIL"].contains("20 years") && tags.contains_key("ANLAN_SYNTHETIC"));
    let expected = geotiff::read_bands_f32(&expected).unwrap();
    let weights = DepthWeights::new(&[5.0, 20.0], 2.0).unwrap();
    let mut wet = 0;
    for cell in 0..stack[0].grid.cells() {
        let at = |r: &Raster<f32>| r.values()[cell];
        let (without, with) = weights.expected_m(&[at(&stack[0]), at(&stack[1])]);
        assert_eq!(at(&expected[0]), without as f32);
        assert_eq!(at(&expected[1]), with as f32);
        wet += usize::from(with > 0.0);
    }
    assert!(wet > 1000, "{wet} cells flooded");

    // One storm of each pattern has neighbours: the 5-year one, between the dry period and 20 years.
    let errors = table::read(&flood.join("interpolation_error.csv")).unwrap();
    let column = |name: &str| -> Vec<String> {
        let k = errors.require(name).unwrap();
        errors.rows.iter().map(|r| r[k].to_string()).collect()
    };
    assert_eq!(column("pattern"), ["chicago", "uniform"]);
    assert_eq!(column("between_low_years"), ["2", "2"]);
    let rmse: Vec<f64> = column("rmse_m")
        .iter()
        .map(|v| v.parse().unwrap())
        .collect();
    assert!(rmse.iter().all(|r| (0.001..2.0).contains(r)), "{rmse:?}");
    let manifest = anlan::manifest::Manifest::read(&flood).unwrap();
    let stated = manifest.stated["interpolation_rmse_m"].as_array().unwrap();
    assert!((stated[1].as_f64().unwrap() - rmse[0].max(rmse[1])).abs() < 1e-9);
    assert!(summary.contains("年期望淹没水深") && summary.contains("情景库插值误差（2个情景"));
    assert!(
        out.join("products/maps/flood_expected_annual_depth.png")
            .exists()
    );
}

/// Flood and slides of one storm share its cause and day.
fn one_clock(out: &Path) {
    let columns = parquet::read(&out.join("losses/event_loss.parquet")).unwrap();
    let find = |name: &str| {
        columns
            .iter()
            .find(|c| c.name == name)
            .map(|c| &c.data)
            .unwrap()
    };
    let (
        ColumnData::U32(year),
        ColumnData::U32(day),
        ColumnData::U32(hazard),
        ColumnData::U64(cause),
    ) = (find("year"), find("day"), find("hazard"), find("cause"))
    else {
        panic!("columns of other types")
    };
    let of = |code: u32| -> BTreeSet<(u32, u64, u32)> {
        (0..year.len())
            .filter(|&i| hazard[i] == code)
            .map(|i| (year[i], cause[i], day[i]))
            .collect()
    };
    let (flood, slides) = (of(1), of(3));
    let shared: Vec<_> = flood.intersection(&slides).collect();
    assert!(
        !shared.is_empty(),
        "no storm that both floods and slides in {} and {}",
        flood.len(),
        slides.len()
    );
    let causes =
        |s: &BTreeSet<(u32, u64, u32)>| s.iter().map(|e| (e.0, e.1)).collect::<BTreeSet<_>>();
    let both = causes(&flood).intersection(&causes(&slides)).count();
    assert_eq!(
        both,
        shared.len(),
        "a storm's flood and slides on different days"
    );
}
