//! Bad input: one clear message each, told as the user's to mend, and nothing written.

use crate::region::Region;
use anlan::engine::datum::gcj02_offset;
use anlan::engine::io::geotiff::{self, Tags};
use anlan::engine::io::vector;
use geo::MapCoords;
use std::fs;

/// Runs a spoiled project and returns its message.
fn refused(region: &Region) -> String {
    let out = region.file("out");
    let error = region.run_to(&out, 1).expect_err("bad input is refused");
    assert!(error.is_input(), "{error}");
    assert!(!out.exists(), "something was written");
    for fault in error.faults() {
        assert!(
            !fault.found.is_empty() && !fault.expected.is_empty() && !fault.remedy.is_empty(),
            "{fault:?}"
        );
    }
    error.to_string()
}

fn expect(region: &Region, words: &[&str]) {
    let message = refused(region);
    for word in words {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
}

#[test]
fn missing_file() {
    let region = Region::new();
    fs::remove_file(region.file("dem_30s.tif")).unwrap();
    expect(&region, &["dem_30s.tif", "no such file"]);
}

#[test]
fn geographic_compute_system() {
    let region = Region::new();
    region.edit(|t| t.replace("epsg = 4549", "epsg = 4490"));
    expect(&region, &["[grid] epsg", "4490", "projected"]);
}

#[test]
fn patterns_and_wetness_that_do_not_fit() {
    let region = Region::new();
    region.edit(|t| {
        t.replace(
            "recession_h = 3.0",
            "patterns = [{ shape = \"chicago\", probability = 0.5 }]\nwetness = [{ state = \"wet\", probability = 0.5 }]",
        )
    });
    expect(
        &region,
        &[
            "[flood] patterns 1, peak",
            "[flood] patterns, probability: found [0.5], sum 0.5",
            "[flood] wetness, probability: found [0.5], sum 0.5",
        ],
    );
    let region = Region::new();
    region.edit(|t| {
        t.replace("[grid]", "screening = true\n\n[grid]").replace(
            "recession_h = 3.0",
            "patterns = [{ shape = \"huff-first\" }]",
        )
    });
    expect(&region, &["`huff-first`", "`uniform` alone in a screening"]);
}

#[test]
fn swapped_axes() {
    let region = Region::new();
    let mut layer = vector::read(&region.file("county.geojson")).unwrap();
    for f in &mut layer.features {
        f.geometry = f.geometry.map_coords(|c| geo::Coord { x: c.y, y: c.x });
    }
    vector::write_geojson(&region.file("county.geojson"), &layer).unwrap();
    expect(&region, &["county.geojson", "swapped"]);
}

#[test]
fn borders_shifted_by_gcj02() {
    let region = Region::new();
    let mut layer = vector::read(&region.file("county.geojson")).unwrap();
    for f in &mut layer.features {
        f.geometry = f.geometry.map_coords(|c| {
            let (dx, dy) = gcj02_offset(c.x, c.y);
            geo::Coord {
                x: c.x + dx,
                y: c.y + dy,
            }
        });
    }
    vector::write_geojson(&region.file("county.geojson"), &layer).unwrap();
    expect(&region, &["county.geojson", "GCJ-02"]);
}

fn edit_census(region: &Region, from: &str, to: &str) {
    let path = region.file("census.csv");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn negative_population_and_a_code_of_eleven_digits_are_told_together() {
    let region = Region::new();
    edit_census(&region, "957055", "-957055");
    edit_census(&region, "330703", "33070300000");
    expect(
        &region,
        &[
            "census.csv",
            "-957055",
            "33070300000",
            "常住人口",
            "row 3",
            "6, 9 or 12 digits",
        ],
    );
}

#[test]
fn unknown_key() {
    let region = Region::new();
    region.edit(|t| t.replace("cell_m = 450.0", "cell_m = 450.0\ncellsize = 3"));
    expect(&region, &["project.toml", "line", "cellsize"]);
}

#[test]
fn truncated_raster() {
    let region = Region::new();
    let path = region.file("dem_30s.tif");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    expect(&region, &["dem_30s.tif", "truncated"]);
}

#[test]
fn raster_without_values() {
    let region = Region::new();
    let path = region.file("dem_30s.tif");
    let dem = geotiff::read_f32(&path, 1).unwrap();
    geotiff::write_f32(&path, &dem.map(|_| f32::NAN), &Tags::new()).unwrap();
    expect(&region, &["dem_30s.tif", "NaN"]);
}

#[test]
fn extents_that_do_not_meet() {
    let region = Region::new();
    let path = region.file("dem_30s.tif");
    let mut dem = geotiff::read_f32(&path, 1).unwrap();
    dem.grid.west -= 20.0;
    geotiff::write_f32(&path, &dem, &Tags::new()).unwrap();
    expect(&region, &["dem_30s.tif", "extent"]);
}

#[test]
fn kelvin_labelled_as_celsius() {
    let region = Region::new();
    let path = region.file("era5_t2m_monthly.tif");
    let bands: Vec<_> = geotiff::read_bands_f32(&path)
        .unwrap()
        .into_iter()
        .map(|b| b.map(|v| v + 273.15))
        .collect();
    let named: Vec<_> = bands.iter().map(|b| ("", b)).collect();
    geotiff::write_bands_f32(&path, &named, &Tags::new()).unwrap();
    expect(&region, &["era5_t2m_monthly.tif", "kelvin", "band 1"]);
}

#[test]
fn rain_in_metres() {
    let region = Region::new();
    let path = region.file("era5_tp_monthly.tif");
    let bands: Vec<_> = geotiff::read_bands_f32(&path)
        .unwrap()
        .into_iter()
        .map(|b| b.map(|v| v / 1000.0))
        .collect();
    let named: Vec<_> = bands.iter().map(|b| ("", b)).collect();
    geotiff::write_bands_f32(&path, &named, &Tags::new()).unwrap();
    expect(&region, &["era5_tp_monthly.tif", "monthly rain in mm"]);
}

#[test]
fn a_return_period_too_many_and_an_unknown_profile() {
    let region = Region::new();
    region.edit(|t| t.replace("confidence = 0.85", "confidence = 0.999"));
    expect(&region, &["[relief] confidence", "0.999"]);
}
