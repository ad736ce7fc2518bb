//! One map from a raster, as `anlan map` draws it, and the QGIS styles beside the rasters of a run.

use anlan::engine::io::geotiff;
use anlan::engine::io::vector;
use anlan::engine::{Crs, Grid, Raster};
use anlan::map::{MapOptions, Style, draw};
use anlan::models::cartography::{Format, Page, SheetLanguage};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/jinhua")
        .join(name)
}

/// Depths that deepen towards the south-east over Jinhua, 2 km cells.
fn depths(file: &Path) {
    let crs = Crs::from_epsg(4549).unwrap();
    let layer = vector::read(&data("county.geojson"))
        .unwrap()
        .reprojected(crs);
    let grid = Grid::covering(crs, &layer.bounds(), 2000.0).unwrap();
    let mut raster = Raster::filled(grid, 0.0_f32);
    for ((row, col), v) in raster.data.indexed_iter_mut() {
        *v = 5.0 * (row + col) as f32 / (grid.rows + grid.cols) as f32;
    }
    let tags = BTreeMap::from([("ANLAN_SYNTHETIC".to_string(), "yes".to_string())]);
    geotiff::write_f32(file, &raster, &tags).unwrap();
}

fn options(dir: &Path) -> MapOptions {
    MapOptions {
        raster: dir.join("depth_m_rp0100.tif"),
        band: 1,
        style: Style::OfFile,
        packs: None,
        styles: None,
        units: Some(data("county.geojson")),
        region: Some(data("prefecture.geojson")),
        unit: Some("婺城区".into()),
        hillshade: None,
        title: "婺城区百年一遇洪涝淹没水深图".into(),
        subtitle: String::new(),
        producer: String::new(),
        date: String::new(),
        approval: String::new(),
        height_datum: String::new(),
        notes: Vec::new(),
        page: Page {
            dpi: 60,
            ..Page::default()
        },
        formats: vec![Format::Png, Format::Svg, Format::Pdf],
        out: dir.join("map"),
        fonts: Vec::new(),
        language: SheetLanguage::Zh,
    }
}

#[test]
fn one_map_of_a_unit_in_three_formats() {
    let dir = tempfile::tempdir().unwrap();
    depths(&dir.path().join("depth_m_rp0100.tif"));
    let made = draw(&options(dir.path())).unwrap();
    assert_eq!(made.files.len(), 3);
    for (file, start) in made
        .files
        .iter()
        .zip([&b"\x89PNG"[..], b"<svg width=\"297mm\"", b"%PDF-"])
    {
        let bytes = std::fs::read(file).unwrap();
        assert!(bytes.starts_with(start), "{}", file.display());
    }
    // Wucheng is some 60 km across: between 1:300 000 and 1:600 000 on A4.
    assert!((300_000..600_000).contains(&made.ratio), "{}", made.ratio);
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let dir = tempfile::tempdir().unwrap();
    depths(&dir.path().join("depth_m_rp0100.tif"));
    let told = |change: &dyn Fn(&mut MapOptions)| {
        let mut options = options(dir.path());
        change(&mut options);
        draw(&options).unwrap_err().to_string()
    };
    let unit = told(&|o| o.unit = Some("婺州".into()));
    assert!(
        unit.contains("婺州") && unit.contains("330702 婺城区"),
        "{unit}"
    );
    let scale = told(&|o| o.style = Style::Scale("depth".into()));
    assert!(scale.contains("flood-depth"), "{scale}");
    let glyph = told(&|o| o.title = "龘".into());
    assert!(
        glyph.contains("U+9F98") && glyph.contains("--font"),
        "{glyph}"
    );
    std::fs::copy(
        dir.path().join("depth_m_rp0100.tif"),
        dir.path().join("nameless.tif"),
    )
    .unwrap();
    let style = told(&|o| o.raster = dir.path().join("nameless.tif"));
    assert!(style.contains("--scale"), "{style}");
    assert!(!dir.path().join("map.png").exists());
}

/// A style lies beside every raster of a run, with what QGIS reads from it.
pub fn check_qgis_styles(out: &Path) {
    let mut rasters = 0;
    let mut stack = vec![out.to_path_buf()];
    while let Some(dir) = stack.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == "tif") {
                rasters += 1;
                check_style(&path);
            }
        }
    }
    assert!(rasters > 30, "{rasters}");
}

fn check_style(raster: &Path) {
    let text = std::fs::read_to_string(raster.with_extension("qml")).unwrap();
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let doc = roxmltree::Document::parse_with_options(&text, options).unwrap();
    let root = doc.root_element();
    assert!(root.has_tag_name("qgis") && root.attribute("version").is_some());
    let renderer = doc
        .descendants()
        .find(|n| n.has_tag_name("rasterrenderer"))
        .unwrap();
    for name in ["type", "band", "opacity", "alphaBand"] {
        assert!(renderer.attribute(name).is_some(), "{name}");
    }
    let entries: Vec<_> = doc
        .descendants()
        .filter(|n| n.has_tag_name("paletteEntry") || n.has_tag_name("item"))
        .collect();
    assert!(entries.len() >= 3, "{}", raster.display());
    for e in &entries {
        assert!(e.attribute("value").is_some() && e.attribute("alpha").is_some());
        let colour = e.attribute("color").unwrap();
        assert!(colour.len() == 7 && colour.starts_with('#'), "{colour}");
    }
    if raster.to_string_lossy().ends_with("_risk_grade.tif") {
        assert_eq!(renderer.attribute("type"), Some("paletted"));
        // Names differ from pack to pack; all have these two.
        for name in ["高", "低"] {
            let found = entries.iter().any(|e| e.attribute("label") == Some(name));
            assert!(found, "{name}: {}", raster.display());
        }
    }
}
