//! Validation and report: what a finished run leaves, and grades of a user's own against recorded disasters.

use anlan::engine::io::table;
use anlan::engine::{Crs, Grid, Raster, io::geotiff};
use anlan::validation::ValidateOptions;
use std::path::Path;

/// Called by the pipeline's test on its run: report and validation are whole and agree with the tables.
pub fn check(out: &Path) {
    let folder = out.join("validation");
    let events = table::read(&folder.join("events.csv")).unwrap();
    let used = events.require("used").unwrap();
    let taken = events.rows.iter().filter(|r| r[used].as_f64() == Some(1.0));
    assert_eq!(
        (events.rows.len(), taken.count()),
        (11, 5),
        "6 of the record are of the province as a whole"
    );
    // 兰溪 alone has floods on record: its AUC comes from one unit of nine, and the interval says how little that is.
    let skill = table::read(&folder.join("skill.csv")).unwrap();
    let row = skill
        .rows
        .iter()
        .find(|r| r[0].to_string() == "flood" && r[2].to_string() == "risk_index")
        .unwrap();
    let number = |i: usize| row[i].as_f64().unwrap();
    assert_eq!((number(3), number(4)), (9.0, 1.0));
    let (auc, low, high) = (number(5), number(8), number(9));
    assert!(
        low < auc && auc <= high && high - low > 0.4,
        "{low} {auc} {high}"
    );
    let grades = table::read(&out.join("risk/grades.csv")).unwrap();
    let risk = |code: &str| {
        let of = |r: &&Vec<_>| format!("{} {}", r[0], r[2]) == format!("{code} flood");
        grades.rows.iter().find(of).unwrap()[6].as_f64().unwrap()
    };
    let lanxi = risk("330781");
    let codes: Vec<String> = (grades.rows.iter())
        .filter(|r| r[2].to_string() == "flood")
        .map(|r| r[0].to_string())
        .collect();
    let below = codes.iter().filter(|c| risk(c) < lanxi).count();
    assert!(
        (auc - below as f64 / 8.0).abs() < 1e-12,
        "{auc} from {below} below"
    );
    // The flood of 2011: 11.39 亿元 reported.
    let losses = table::read(&folder.join("losses.csv")).unwrap();
    let flood = losses
        .rows
        .iter()
        .find(|r| r[0].to_string() == "2011-06-16" && r[4].to_string() == "direct_loss_yuan")
        .unwrap();
    assert!((flood[5].as_f64().unwrap() - 1.139e9).abs() < 1.0);
    assert_eq!(flood[6].as_f64(), Some(100.0), "simulated years");
    for plot in ["roc_unit_flood", "calibration", "reported_00"] {
        for ending in ["png", "svg"] {
            let path = folder.join(format!("plots/{plot}.{ending}"));
            assert!(path.exists(), "{}", path.display());
        }
    }
    report(&out.join("report"), &grades);
}

fn report(folder: &Path, grades: &table::Table) {
    let html = std::fs::read_to_string(folder.join("report_zh.html")).unwrap();
    assert!(html.contains("含合成数据，不得用于实际决策") && html.contains("2011-06-16"));
    for heading in [
        "摘要",
        "区域与数据",
        "方法",
        "危险性",
        "承灾体",
        "损失",
        "风险等级",
        "救灾需求与缺口",
        "局限",
        "历史灾害检验",
        "附录：溯源清单",
    ] {
        assert!(html.contains(&format!("{heading}</h2>")), "{heading}");
    }
    // Every unit stands in the tables, every pack says that it is unverified, every input has its hash.
    for code in [
        "330702", "330723", "330726", "330727", "330781", "330782", "330783", "330784",
    ] {
        assert!(html.contains(code), "{code}");
    }
    assert!(html.matches("未核实").count() >= 6);
    let manifest = anlan::manifest::Manifest::read(&folder.join("../layers")).unwrap();
    for input in &manifest.inputs {
        assert!(html.contains(&input.sha256), "{}", input.path);
    }
    // The risk index of a unit as the table has it, to three digits.
    let row = grades
        .rows
        .iter()
        .find(|r| r[2].to_string() == "all")
        .unwrap();
    let value = row[6].as_f64().unwrap();
    let digits = (2.0 - libm::log10(value).floor()).max(0.0) as usize;
    assert!(html.contains(&format!("{value:.digits$}")), "{value}");
    let pdf = std::fs::read(folder.join("report_zh.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 100_000);
    let docx = std::fs::read(folder.join("report_zh.docx")).unwrap();
    assert!(docx.starts_with(b"PK"));
}

/// Short reports of all nine units, each with a map per hazard.
pub fn check_units(folder: &Path) {
    for code in ["330702", "330723", "330781", "330784"] {
        let unit = std::fs::read_to_string(folder.join(format!("{code}_zh.html"))).unwrap();
        assert!(unit.contains(code) && unit.contains("隐患点"), "{code}");
        assert_eq!(unit.matches("<figure>").count(), 4, "{code}");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 9);
}

/// A score that rises eastward, and events in the east: by hand, 3 of 4 struck cells lie above all others but one.
#[test]
fn a_raster_of_the_users_own_against_points() {
    let dir = tempfile::tempdir().unwrap();
    let crs = Crs::from_epsg(4490).unwrap();
    let grid = Grid::new(crs, (119.0, 29.0), (0.1, 0.1), (1, 10)).unwrap();
    let mut raster = Raster::filled(grid, 0.0_f32);
    for (i, v) in raster.values_mut().iter_mut().enumerate() {
        *v = i as f32;
    }
    raster.values_mut()[0] = f32::NAN;
    let file = dir.path().join("score.tif");
    geotiff::write_f32(&file, &raster, &std::collections::BTreeMap::new()).unwrap();
    let history = dir.path().join("history.csv");
    let mut text = String::from("date,code,hazard,lon,lat\n");
    // Cells 9, 8, 7 and 3; two events in cell 9 are one struck cell; one outside, one of another hazard.
    for lon in [119.95, 119.96, 119.85, 119.75, 119.35, 125.0] {
        text += &format!("2020-07-01,330781,flood,{lon},28.95\n");
    }
    text += "2020-07-01,330781,hail,119.15,28.95\n";
    std::fs::write(&history, text).unwrap();
    let options = ValidateOptions {
        hazard: Some(anlan::models::hazard::Hazard::Flood),
        ..ValidateOptions::default()
    };
    let out = anlan::validation::run(&file, &history, &options).unwrap();
    let skill = table::read(&out.join("skill.csv")).unwrap();
    let number = |i: usize| skill.rows[0][i].as_f64().unwrap();
    assert_eq!((number(3), number(4)), (9.0, 4.0));
    // Struck 9, 8, 7, 3 against quiet 1, 2, 4, 5, 6: 5 + 5 + 5 + 2 of 20 pairs.
    assert!((number(5) - 17.0 / 20.0).abs() < 1e-12);
    assert!(out.join("roc.png").exists() && out.join("roc.svg").exists());
    let summary = std::fs::read_to_string(out.join("summary.md")).unwrap();
    assert!(summary.contains("4 of 9 places") && summary.contains("1 events met no place"));
    // Nothing to compare is a fault, not an empty table.
    let geology = ValidateOptions {
        hazard: Some(anlan::models::hazard::Hazard::Geology),
        ..ValidateOptions::default()
    };
    assert!(
        anlan::validation::run(&file, &history, &geology)
            .unwrap_err()
            .is_input()
    );
}

/// Slides of the NASA catalogue against the elevation of Zhejiang: the area under the curve as scikit-learn 1.9.1 has it. It lies
/// below one half: reports are placed at the towns they come from, so that such points must not be held against fine grades.
#[test]
fn slides_of_a_catalogue_against_the_terrain() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("ANLAN_SHARED_DATA")
        .map_or_else(|| root.join("../shared/data"), std::path::PathBuf::from);
    let catalogue = shared.join("geology/glc/nasa_glc_china_2007_2016.csv");
    if !catalogue.exists() {
        eprintln!("SKIPPED: no {}", catalogue.display());
        return;
    }
    let slides = table::read(&catalogue).unwrap();
    let at = |name: &str| slides.require(name).unwrap();
    let (date, lon, lat) = (at("date"), at("longitude"), at("latitude"));
    let mut text = String::from("date,code,hazard,lon,lat\n");
    for r in &slides.rows {
        let day = r[date].to_string();
        let parts: Vec<&str> = day.split('/').collect();
        text += &format!(
            "{}-{}-{},330000,landslide,{},{}\n",
            parts[2], parts[0], parts[1], r[lon], r[lat]
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let history = dir.path().join("slides.csv");
    std::fs::write(&history, text).unwrap();
    let dem = root.join("data/zhejiang/dem_30s.tif");
    let out = anlan::validation::run(&dem, &history, &ValidateOptions::default()).unwrap();
    let skill = table::read(&out.join("skill.csv")).unwrap();
    let number = |i: usize| skill.rows[0][i].as_f64().unwrap();
    assert_eq!((number(3), number(4)), (217_291.0, 21.0));
    assert!(
        (number(5) - 0.372_464_806_790_760_7).abs() < 1e-9,
        "{}",
        number(5)
    );
    assert!(number(9) < 0.5, "{}", number(9));
}
