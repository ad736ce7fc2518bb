//! A screening (筛查): the Jinhua inputs on cells as coarse as the elevation.

use crate::region::Region;
use anlan::engine::io::{geotiff, table};
use std::path::Path;

fn rows(file: &Path) -> Vec<Vec<String>> {
    table::read(file)
        .unwrap()
        .rows
        .iter()
        .map(|r| r.iter().map(ToString::to_string).collect())
        .collect()
}

#[test]
fn a_screening_ranks_slides_and_fire_and_tells_no_losses_of_them() {
    let region = Region::new();
    region.edit(|text| {
        text.replace("cell_m = 450.0", "cell_m = 900.0")
            .replace("[grid]", "screening = true\n\n[grid]")
            .replace(
                "recession_h = 3.0",
                "wetness = [{ state = \"dry\" }, { state = \"normal\" }, { state = \"wet\" }]",
            )
    });
    let out = region.file("out");
    region.run_to(&out, 2).unwrap();

    // Indices under their own names, and no probability that nobody computed.
    for (file, method) in [
        ("hazard/flood/depth_m_rp0005.tif", "rating curve"),
        ("hazard/flood/depth_stack_m.tif", "rating curve"),
        ("hazard/flood/expected_annual_depth_m.tif", "rating curve"),
        ("hazard/geology/susceptibility_index.tif", "susceptibility"),
        ("hazard/fire/fire_danger_index.tif", "flame length"),
    ] {
        let tags = geotiff::info(&out.join(file)).unwrap().tags;
        assert!(tags.contains_key("ANLAN_SCREENING"), "{file}");
        assert!(tags["ANLAN_METHOD"].starts_with("screening: "), "{file}");
        assert!(tags["ANLAN_METHOD"].contains(method), "{file}");
    }
    for file in [
        "hazard/flood/velocity_m_s_rp0005.tif",
        "hazard/geology/annual_probability.tif",
        "hazard/fire/burn_probability.tif",
    ] {
        assert!(!out.join(file).exists(), "{file}");
    }
    let index = geotiff::read_f32(&out.join("hazard/geology/susceptibility_index.tif"), 1).unwrap();
    assert!(
        index
            .values()
            .iter()
            .all(|v| v.is_nan() || (0.0..=1.0).contains(v))
    );
    assert!(index.values().iter().any(|&v| v > 0.8));

    // Coarse cells close gorges: filled, the basins above were lakes. They are cut open, which raises no cell.
    let [dem, drained] = ["layers/dem_m.tif", "layers/filled_m.tif"]
        .map(|f| geotiff::read_f32(&out.join(f), 1).unwrap());
    let mut heights = dem.values().iter().zip(drained.values());
    assert!(heights.all(|(d, f)| d.is_nan() || f <= d));

    // The library has the floods of dry, normal and wet ground, each wider than the one before.
    let flooded: Vec<u64> = ["dry", "normal", "wet"]
        .iter()
        .map(|w| {
            let file = format!("hazard/flood/library/d0180min_rp0020_uniform_{w}.bin");
            std::fs::metadata(out.join(file)).unwrap().len()
        })
        .collect();
    assert!(flooded.windows(2).all(|w| w[0] < w[1]), "{flooded:?}");
    let errors = rows(&out.join("hazard/flood/interpolation_error.csv"));
    assert_eq!(errors.len(), 3, "one of two return periods on each ground");
    assert!(
        out.join("hazard/flood/expected_annual_depth_m.tif")
            .exists()
    );

    // Losses from flood and convection; none, not even zero, from the others.
    for file in ["losses/average_annual.csv", "losses/exceedance.csv"] {
        let rows = rows(&out.join(file));
        for (hazard, told) in [
            ("all", true),
            ("flood", true),
            ("convection", true),
            ("geology", false),
            ("fire", false),
        ] {
            assert_eq!(rows.iter().any(|r| r[2] == hazard), told, "{file} {hazard}");
        }
    }
    let covered: Vec<_> = rows(&out.join("losses/hazards.csv"))
        .into_iter()
        .map(|r| r[2] == "assessed")
        .collect();
    assert_eq!(covered, [true, true, false, false]);

    // All four are graded.
    let grades = rows(&out.join("risk/grades.csv"));
    for hazard in ["flood", "convection", "geology", "fire"] {
        let of: Vec<_> = grades.iter().filter(|r| r[2] == hazard).collect();
        assert_eq!(of.len(), 9);
        assert!(of.iter().all(|r| r[7] != "0"), "{hazard}");
        let lossless = matches!(hazard, "geology" | "fire");
        assert!(of.iter().all(|r| r[10].is_empty() == lossless), "{hazard}");
    }
    let summary = std::fs::read_to_string(out.join("products/summary.md")).unwrap();
    assert!(summary.contains("筛查方法") && summary.contains("未评估"));
}
