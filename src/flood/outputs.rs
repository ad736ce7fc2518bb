//! What a flood run writes: rasters, the flooded extent, depths over time, tables, map, chart and summary.

use super::FloodOptions;
use super::assemble::Assembled;
use super::record::{Record, frames};
use crate::manifest::{Draft, RELEASE};
use crate::messages::Messages;
use anlan_engine::io::table::{Table, write_csv};
use anlan_engine::io::vector::{Feature, Layer, write_gpkg};
use anlan_engine::io::{Value, geotiff, netcdf, write_atomic};
use anlan_engine::rasterize::outlines;
use anlan_engine::terrain::{self, hillshade};
use anlan_engine::{Error, Raster, Result};
use anlan_models::cartography::chart::{Trace, hydrograph_png};
use anlan_models::cartography::{
    Colour, Fonts, Label, LegendEntry, PointSymbol, Sheet, SheetLanguage, render_png,
};
use anlan_models::flood::danger::DangerClasses;
use anlan_models::flood::solver::{Inundation, Scheme};
use geo::{Area, Geometry};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Depths from which the colours of the map begin, m.
const DEPTHS: [(f32, [u8; 3]); 6] = [
    (0.05, [222, 235, 247]),
    (0.15, [198, 219, 239]),
    (0.5, [107, 174, 214]),
    (1.0, [49, 130, 189]),
    (2.0, [8, 81, 156]),
    (4.0, [8, 40, 90]),
];

/// Lines of a chart that can be told apart.
const COLOURS: [[u8; 3]; 8] = [
    [31, 119, 180],
    [214, 39, 40],
    [44, 160, 44],
    [255, 127, 14],
    [148, 103, 189],
    [140, 86, 75],
    [23, 190, 207],
    [127, 127, 127],
];

pub(super) fn write(
    assembled: &Assembled,
    run: &Inundation,
    record: &Record,
    options: &FloodOptions,
    draft: &Draft,
) -> Result<()> {
    let grid = &assembled.bed.grid;
    let on_grid = |field: &[f32]| run.raster(grid, field);
    let depth = on_grid(&run.max_depth_m);
    let tag = |what: &str, unit: &str| {
        BTreeMap::from([
            ("ANLAN_LAYER".to_string(), what.to_string()),
            ("ANLAN_UNIT".to_string(), unit.to_string()),
            ("ANLAN_RELEASE".to_string(), RELEASE.to_string()),
            ("ANLAN_CASE".to_string(), assembled.file.name.clone()),
        ])
    };
    let hours = |seconds: &[f32]| seconds.iter().map(|s| s / 3600.0).collect::<Vec<f32>>();
    let mut level = assembled.bed.clone();
    for (z, &d) in level.values_mut().iter_mut().zip(depth.values()) {
        *z = if d > 0.0 { *z + d } else { f32::NAN };
    }
    for (name, unit, raster) in [
        ("depth_max_m", "m", &depth),
        ("level_max_m", "m", &level),
        ("velocity_max_m_s", "m/s", &on_grid(&run.max_velocity_m_s)),
        (
            "velocity_at_peak_m_s",
            "m/s",
            &on_grid(&run.velocity_at_peak_m_s),
        ),
        (
            "depth_velocity_max_m2_s",
            "m2/s",
            &on_grid(&run.max_hazard_m2_s),
        ),
        ("arrival_h", "h", &on_grid(&hours(&run.arrival_s))),
        ("duration_h", "h", &on_grid(&hours(&run.duration_s))),
        ("depth_end_m", "m", &on_grid(&run.depth_m)),
    ] {
        geotiff::write_f32(
            &draft.file(&format!("{name}.tif"))?,
            raster,
            &tag(name, unit),
        )?;
    }
    let classes = DangerClasses::published();
    let danger = danger(assembled, run, &classes);
    let meanings = classes.meanings();
    let mut colours = [[255u8; 3]; 256];
    for (k, m) in meanings.iter().enumerate() {
        colours[k + 1] = m.colour.0;
    }
    let mut tags = tag("hazard_class", "");
    tags.insert("ANLAN_METHOD".into(), classes.source.clone());
    geotiff::write_u8(
        &draft.file("hazard_class.tif")?,
        &danger,
        Some(&colours),
        &tags,
    )?;

    let flooded = extent(assembled, &depth);
    write_gpkg(&draft.file("extent.gpkg")?, &[("extent", &flooded)])?;
    if !record.frames_s.is_empty() {
        let frame = frames(draft, record.frames_s.len(), *grid)?;
        let times = (&record.frames_s[..], "2000-01-01 00:00:00");
        netcdf::write_series_f32(&draft.file("depth.nc")?, "depth", "m", times, grid, frame)?;
    }
    write_csv(&draft.file("balance.csv")?, &balance(record))?;
    let fonts = Fonts::with_files(
        &options
            .fonts
            .iter()
            .map(|p| p.as_path())
            .collect::<Vec<_>>(),
    )?;
    if !assembled.gauges.is_empty() {
        write_csv(&draft.file("gauges.csv")?, &gauges(assembled, record))?;
        save(
            draft,
            "gauges.png",
            &chart(assembled, record, options.zh, &fonts)?,
        )?;
    }
    let text = summary(assembled, run, &danger, &classes, &flooded, options.zh);
    save(draft, "summary.md", text.as_bytes())?;
    let shade = hillshade(&assembled.bed, 315.0, 45.0, 1.0, terrain::Edge::Replicate);
    let map = |classes: Raster<u8>, titles: [&str; 2], legend: Vec<LegendEntry>, note: String| {
        let sheet = sheet(
            assembled, &classes, &shade, titles, legend, note, options.zh,
        );
        render_png(&sheet, &fonts)
    };
    let zh = options.zh;
    let said = |zh_text: &'static str, text: &'static str| if zh { zh_text } else { text };
    let titles = [
        said("最大水深", "greatest depth"),
        said("水深（m）", "depth, m"),
    ];
    let picture = map(by_depth(&depth), titles, depth_legend(), String::new())?;
    save(draft, "depth_max.png", &picture)?;
    let legend = (meanings.iter().enumerate().rev())
        .map(|(k, m)| LegendEntry {
            code: k as u8 + 1,
            colour: m.colour,
            name: m.code.clone(),
        })
        .collect();
    let titles = [
        said("洪水危险性等级", "flood hazard classes"),
        said("等级", "class"),
    ];
    let words: Vec<String> = (meanings.iter())
        .map(|m| format!("{} {}", m.code, if zh { &m.meaning_zh } else { &m.meaning }))
        .collect();
    let picture = map(danger, titles, legend, words.join(said("；", "; ")))?;
    save(draft, "hazard_class.png", &picture)
}

pub(super) fn save(draft: &Draft, name: &str, bytes: &[u8]) -> Result<()> {
    let path = draft.file(name)?;
    write_atomic(&path, |tmp: &Path| {
        std::fs::write(tmp, bytes).map_err(|e| Error::io("writing", &path, e))
    })
}

/// Hazard classes from the greatest depth, velocity and product, each at its own time: on the safe side.
fn danger(assembled: &Assembled, run: &Inundation, classes: &DangerClasses) -> Raster<u8> {
    let mut out = Raster::filled(assembled.bed.grid, 0u8).with_nodata(0);
    let values = out.values_mut();
    // Films are no flood: what is too shallow for a velocity has no class either.
    let least = assembled.options.moving_m;
    for (k, &cell) in run.cells.iter().enumerate() {
        let depth = run.max_depth_m[k];
        if depth >= least {
            let (v, product) = (run.max_velocity_m_s[k], run.max_hazard_m2_s[k]);
            values[cell as usize] = classes.class(depth, v, product);
        }
    }
    out
}

/// Polygons of the cells that were at least as deep as the depth that counts as flooded, largest first.
fn extent(assembled: &Assembled, depth: &Raster<f32>) -> Layer {
    let least = assembled.options.flooded_m;
    let mut polygons = outlines(&depth.map(|d| u8::from(d >= least))).0;
    let area = |p: &geo::Polygon<f64>| p.unsigned_area();
    polygons.sort_by(|a, b| area(b).total_cmp(&area(a)));
    let features = (polygons.into_iter().enumerate())
        .map(|(k, p)| Feature {
            values: vec![
                Value::Integer(k as i64 + 1),
                Value::Real(area(&p)),
                Value::Real(f64::from(least)),
            ],
            geometry: Geometry::Polygon(p),
        })
        .collect();
    Layer {
        source: "extent.gpkg".into(),
        crs: assembled.bed.grid.crs,
        columns: ["number", "area_m2", "least_depth_m"]
            .map(String::from)
            .into(),
        features,
    }
}

fn balance(record: &Record) -> Table {
    let mut table = Table::new(&[
        "time_h",
        "initial_m3",
        "inflow_m3",
        "rain_m3",
        "infiltrated_m3",
        "drained_m3",
        "outflow_m3",
        "stored_m3",
    ]);
    for (time, sums) in record.times_s.iter().zip(&record.balance) {
        let row = std::iter::once(time / 3600.0).chain(sums.iter().copied());
        table.rows.push(row.map(Value::Real).collect());
    }
    table
}

fn gauges(assembled: &Assembled, record: &Record) -> Table {
    let mut table = Table::new(&[
        "time_h",
        "gauge",
        "level_m",
        "depth_m",
        "velocity_east_m_s",
        "velocity_north_m_s",
    ]);
    for (time, row) in record.times_s.iter().zip(&record.gauges) {
        for ((name, _), [level, depth, east, south]) in assembled.gauges.iter().zip(row) {
            table.rows.push(vec![
                Value::Real(time / 3600.0),
                Value::Text(name.clone()),
                Value::Real(*level),
                Value::Real(*depth),
                Value::Real(*east),
                Value::Real(-*south + 0.0),
            ]);
        }
    }
    table
}

fn chart(assembled: &Assembled, record: &Record, zh: bool, fonts: &Fonts) -> Result<Vec<u8>> {
    let shown = assembled.gauges.len().min(COLOURS.len());
    // Levels over the ground, not depths: below zero is the water of a channel within its banks.
    let bed = assembled.case().domain.bed_m.values();
    let traces: Vec<Trace> = (0..shown)
        .map(|k| Trace {
            name: assembled.gauges[k].0.clone(),
            colour: Colour(COLOURS[k]),
            points: (record.times_s.iter().zip(&record.gauges))
                .map(|(t, row)| {
                    let ground = f64::from(bed[assembled.gauges[k].1 as usize]);
                    (t / 3600.0, row[k][0] - ground)
                })
                .collect(),
        })
        .collect();
    let name = &assembled.file.name;
    let more = assembled.gauges.len() - shown;
    let note = match (more, zh) {
        (0, _) => RELEASE.to_string(),
        (_, true) => format!("另有{more}个测点见表 · {RELEASE}"),
        (_, false) => format!("{more} more in the table · {RELEASE}"),
    };
    let (title, x, y) = if zh {
        (
            format!("{name}：测点水位过程线"),
            "时间（h）",
            "水位高出地面（m）",
        )
    } else {
        (
            format!("{name}: water level at gauges"),
            "time, h",
            "above the ground, m",
        )
    };
    hydrograph_png(&title, x, y, &traces, &note, fonts)
}

/// Classes of depth, 1 the shallowest.
fn by_depth(depth: &Raster<f32>) -> Raster<u8> {
    let class = |d: f32| DEPTHS.iter().take_while(|(from, _)| d >= *from).count() as u8;
    depth.map(class).with_nodata(0)
}

fn depth_legend() -> Vec<LegendEntry> {
    (0..DEPTHS.len())
        .rev()
        .map(|k| LegendEntry {
            code: k as u8 + 1,
            colour: Colour(DEPTHS[k].1),
            name: match DEPTHS.get(k + 1) {
                Some((to, _)) => format!("{}–{to}", DEPTHS[k].0),
                None => format!("≥{}", DEPTHS[k].0),
            },
        })
        .collect()
}

fn sheet<'a>(
    assembled: &Assembled,
    classes: &'a Raster<u8>,
    shade: &'a Raster<f32>,
    [title, legend_title]: [&str; 2],
    legend: Vec<LegendEntry>,
    note: String,
    zh: bool,
) -> Sheet<'a> {
    let file = &assembled.file;
    let (mark, colon) = if zh {
        ("测点", "：")
    } else {
        ("gauge", ": ")
    };
    let points: Vec<(f64, f64)> = file.gauge.iter().map(|g| (g.at[0], g.at[1])).collect();
    // Beside the points.
    let aside = 0.015 * classes.grid.dy * classes.grid.rows as f64;
    let labels = (file.gauge.iter())
        .map(|g| Label {
            x: g.at[0],
            y: g.at[1] + aside,
            text: g.name.clone(),
            size: 20.0,
        })
        .collect();
    let symbols = if points.is_empty() {
        Vec::new()
    } else {
        vec![PointSymbol {
            points,
            colour: Colour([200, 30, 30]),
            radius: 6.0,
            name: mark.into(),
        }]
    };
    let scheme = if zh {
        format!("二维水动力模型，{} h", file.end_h)
    } else {
        format!("2-D flood solver, {} h", file.end_h)
    };
    Sheet {
        title: format!("{}{colon}{title}", file.name),
        subtitle: scheme,
        classes,
        hillshade: Some(shade),
        legend_title: legend_title.into(),
        legend,
        borders: Vec::new(),
        labels,
        points: symbols,
        notes: [note, RELEASE.to_string()]
            .into_iter()
            .filter(|n| !n.is_empty())
            .collect(),
        producer: String::new(),
        date: String::new(),
        marks: Vec::new(),
        language: if zh {
            SheetLanguage::Zh
        } else {
            SheetLanguage::En
        },
    }
}

fn scheme_name(scheme: Scheme, zh: bool) -> &'static str {
    match (scheme, zh) {
        (Scheme::Inertial | Scheme::Auto, true) => "局部惯性方程",
        (Scheme::Inertial | Scheme::Auto, false) => "local inertial equations",
        (Scheme::Fv1, true) => "一阶有限体积",
        (Scheme::Fv1, false) => "finite volumes of first order",
        (Scheme::Fv2, true) => "二阶有限体积",
        (Scheme::Fv2, false) => "finite volumes of second order",
    }
}

fn summary(
    assembled: &Assembled,
    run: &Inundation,
    danger: &Raster<u8>,
    classes: &DangerClasses,
    flooded: &Layer,
    zh: bool,
) -> String {
    let mut out = String::new();
    let mut say = |zh_text: String, text: String| {
        let _ = writeln!(out, "{}\n", if zh { zh_text } else { text });
    };
    let (file, grid) = (&assembled.file, &assembled.bed.grid);
    let name = &file.name;
    say(
        format!("# {name}：洪水演进"),
        format!("# {name}: flood simulation"),
    );
    let km2 = grid.dx * grid.dy * 1e-6;
    let (cells, cell) = (run.cells.len(), grid.dx);
    let (scheme, since) = run.scheme;
    let told = |zh: bool| match (since > 0.0, zh) {
        (false, _) => scheme_name(scheme, zh).to_string(),
        (true, true) => format!(
            "局部惯性方程，{:.2} h起{}",
            since / 3600.0,
            scheme_name(scheme, zh)
        ),
        (true, false) => format!(
            "local inertial equations, from {:.2} h {}",
            since / 3600.0,
            scheme_name(scheme, zh)
        ),
    };
    say(
        format!(
            "{cells}个计算单元，{cell} m，{:.2} km²；{}；模拟{} h，{}步，{:.2e}单元步。{RELEASE}。",
            cells as f64 * km2,
            told(true),
            file.end_h,
            run.steps,
            run.cell_steps as f64
        ),
        format!(
            "{cells} cells of {cell} m, {:.2} km²; {}; {} h in {} steps, {:.2e} cell-steps. {RELEASE}.",
            cells as f64 * km2,
            told(false),
            file.end_h,
            run.steps,
            run.cell_steps as f64
        ),
    );
    let area: f64 = (flooded.features.iter())
        .filter_map(|f| f.values[1].as_f64())
        .sum();
    let deepest = (run.cells.iter().zip(&run.max_depth_m))
        .max_by(|a, b| a.1.total_cmp(b.1))
        .map_or((0, 0.0), |(c, d)| (*c, *d));
    let (row, col) = grid.row_col(deepest.0);
    let (x, y) = (grid.x(col), grid.y(row));
    let (least, depth) = (file.flooded_m, deepest.1);
    say(
        format!(
            "淹没面积（水深不小于{least} m）{:.3} km²；最大水深{depth:.2} m，位于（{x:.1}，{y:.1}）。",
            area * 1e-6
        ),
        format!(
            "Flooded (at least {least} m deep): {:.3} km²; greatest depth {depth:.2} m at ({x:.1}, {y:.1}).",
            area * 1e-6
        ),
    );
    let mut table = if zh {
        "| 等级 | 面积（km²） | 含义 |\n| --- | --- | --- |".to_string()
    } else {
        "| hazard class | area, km² | meaning |\n| --- | --- | --- |".to_string()
    };
    for (k, m) in classes.meanings().iter().enumerate().rev() {
        let count = danger
            .values()
            .iter()
            .filter(|&&c| usize::from(c) == k + 1)
            .count();
        let meaning = if zh { &m.meaning_zh } else { &m.meaning };
        let _ = write!(
            table,
            "\n| {} | {:.3} | {meaning} |",
            m.code,
            count as f64 * km2
        );
    }
    say(table.clone(), table);
    let l = &run.ledger;
    let mut table = if zh {
        "| 水量平衡 | m³ |\n| --- | --- |".to_string()
    } else {
        "| water balance | m³ |\n| --- | --- |".to_string()
    };
    for (name_zh, name, value) in [
        ("初始蓄水", "at the start", l.initial_m3),
        ("入流", "inflow", l.inflow_m3),
        ("降雨", "rain", l.rain_m3),
        ("下渗", "infiltrated", l.infiltrated_m3),
        ("管网与泵站排出", "drains and pumps", l.drained_m3),
        ("边界净流出", "left through openings, net", l.outflow_m3),
        ("末时蓄水", "at the end", l.stored_m3),
    ] {
        let _ = write!(
            table,
            "\n| {} | {value:.1} |",
            if zh { name_zh } else { name }
        );
    }
    say(table.clone(), table);
    say(
        format!("水量平衡误差{:.1e}（占总水量）。", l.error()),
        format!("Error of the balance: {:.1e} of all water.", l.error()),
    );
    let messages = Messages::builtin();
    for note in &assembled.notes {
        say(
            format!("注意：{}", messages.translate(note)),
            format!("Note: {note}"),
        );
    }
    out
}
