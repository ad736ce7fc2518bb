//! The one map (一图): units in the colour of their level, the gravest points on it; and the lists as layers.
//!
//! All calls to the map sheets stand here.

use super::entries::Found;
use super::ground::Ground;
use super::tables::hazard_zh;
use crate::stages::{Context, store};
use anlan_engine::io::Value;
use anlan_engine::io::vector::{Feature, Layer};
use anlan_engine::{Grid, Raster, Result};
use anlan_models::cartography::{
    Border, Colour, Label, LegendEntry, PointSymbol, Sheet, SheetLanguage, render_png,
};
use anlan_models::lists::{Kind, ListRules, RiskEntry};
use geo::{Geometry, LineString, MultiPolygon, Point, Polygon};
use std::path::PathBuf;

/// Points that are drawn: those of the two gravest levels.
const DRAWN: u8 = 2;

/// The map of the comprehensive levels of the units with sites, hotspots and places of the two gravest levels.
pub fn one_map(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    entries: &[RiskEntry],
) -> Result<Vec<u8>> {
    let zh = ctx.project.products.language == SheetLanguage::Zh;
    let mut level = vec![0_u8; ground.units.len()];
    for e in entries
        .iter()
        .filter(|e| e.kind == Kind::Unit && e.hazard == "all")
    {
        if let Some(u) = e.unit {
            level[u] = e.level;
        }
    }
    let mut classes = Raster::filled(ground.grid, 0_u8).with_nodata(0);
    for (class, &u) in classes.values_mut().iter_mut().zip(&ground.unit_of) {
        if u != u32::MAX {
            *class = level[u as usize];
        }
    }
    let shade = shade(ctx, ground)?;
    let legend = rules
        .levels
        .iter()
        .map(|l| LegendEntry {
            code: l.code,
            colour: Colour(softened(l.colour)),
            name: if zh {
                format!("{}色", l.zh)
            } else {
                l.en.clone()
            },
        })
        .collect();
    let kinds = [
        (
            Kind::DangerSite,
            "地质灾害隐患点",
            "danger sites",
            [120, 60, 20],
            7.0,
        ),
        (
            Kind::Hotspot,
            "易涝（淹没）点",
            "flooded hotspots",
            [20, 60, 160],
            8.0,
        ),
        (
            Kind::Place,
            "重点场所",
            "critical places",
            [20, 20, 20],
            6.0,
        ),
    ];
    let points = kinds
        .into_iter()
        .map(|(kind, name_zh, name, colour, radius)| PointSymbol {
            points: entries
                .iter()
                .filter(|e| e.kind == kind && e.level <= DRAWN)
                .map(|e| e.at)
                .collect(),
            colour: Colour(colour),
            radius,
            name: if zh {
                format!("{name_zh}（红、橙）")
            } else {
                format!("{name} (red, orange)")
            },
        })
        .filter(|s| !s.points.is_empty())
        .collect();
    let (name, title, note) = if zh {
        (
            &ctx.project.project.name,
            "自然灾害风险一张图",
            format!(
                "单元颜色为综合风险级别；规则：{}（{}）。",
                rules.id,
                crate::map::told_status(&rules.status, true)
            ),
        )
    } else {
        (
            &ctx.project.project.name_en,
            ": one map of natural-hazard risk",
            format!(
                "Units by comprehensive level; rules: {} ({}).",
                rules.id, rules.status
            ),
        )
    };
    let sheet = Sheet {
        title: format!("{name}{title}"),
        subtitle: ctx.project.products.data_period.clone(),
        classes: &classes,
        hillshade: Some(&shade),
        legend_title: if zh {
            "综合风险级别"
        } else {
            "level of risk"
        }
        .into(),
        legend,
        borders: vec![county_border(ground, zh)],
        labels: county_labels(ground),
        points,
        notes: vec![note],
        producer: ctx.project.products.producer.clone(),
        date: ctx.project.products.date.clone(),
        marks: ctx.marks(),
        language: ctx.project.products.language,
    };
    render_png(&sheet, ctx.fonts)
}

/// Level colours lightened, so that names and relief stay readable on them.
fn softened(colour: [u8; 3]) -> [u8; 3] {
    colour.map(|c| (0.55 * f32::from(c) + 0.45 * 255.0) as u8)
}

/// Shading within the units.
pub fn shade(ctx: &Context<'_>, ground: &Ground) -> Result<Raster<f32>> {
    let mut shade = store::raster(ctx, "layers", "hillshade.tif")?;
    for (s, &u) in shade.values_mut().iter_mut().zip(&ground.unit_of) {
        if u == u32::MAX {
            *s = f32::NAN;
        }
    }
    Ok(shade)
}

/// Borders of the counties.
pub fn county_border<'g>(ground: &'g Ground, zh: bool) -> Border<'g> {
    Border {
        polygons: ground.units.iter().map(|u| &u.border).collect(),
        width: 2.0,
        colour: Colour([70, 70, 70]),
        dash: "",
        name: if zh { "县级界" } else { "county border" }.into(),
    }
}

fn county_labels(ground: &Ground) -> Vec<Label> {
    ground
        .units
        .iter()
        .filter_map(|u| {
            let area = |p: &&Polygon<f64>| geo::Area::unsigned_area(*p);
            let main = u.border.iter().max_by(|a, b| area(a).total_cmp(&area(b)))?;
            let p = geo::InteriorPoint::interior_point(main)?;
            Some(Label {
                x: p.x(),
                y: p.y(),
                text: u.name.clone(),
                size: if ground.units.len() > 30 { 17.0 } else { 30.0 },
            })
        })
        .collect()
}

const POINT_COLUMNS: [&str; 16] = [
    "id",
    "kind",
    "kind_zh",
    "code",
    "name",
    "unit",
    "township",
    "hazard",
    "hazard_zh",
    "level",
    "level_zh",
    "people",
    "aal_yuan",
    "return_period_years",
    "depth_m",
    "monitoring",
];

/// Sites, hotspots and places as points.
pub fn points_layer(ground: &Ground, rules: &ListRules, entries: &[RiskEntry]) -> Layer {
    let real = |v: Option<f64>| v.map_or(Value::Null, Value::Real);
    Layer {
        source: PathBuf::new(),
        crs: ground.grid.crs,
        columns: POINT_COLUMNS.map(str::to_owned).to_vec(),
        features: entries
            .iter()
            .filter(|e| !matches!(e.kind, Kind::Unit | Kind::Township))
            .map(|e| Feature {
                geometry: Geometry::Point(Point::new(e.at.0, e.at.1)),
                values: vec![
                    e.id.clone().into(),
                    e.kind.name().into(),
                    e.kind.name_zh().into(),
                    e.code.clone().into(),
                    e.name.clone().into(),
                    e.unit
                        .map_or(Value::Null, |u| ground.units[u].code.clone().into()),
                    e.township
                        .map_or(Value::Null, |t| ground.townships[t].code.clone().into()),
                    e.hazard.into(),
                    hazard_zh(e.hazard).into(),
                    i64::from(e.level).into(),
                    rules.level_name(e.level, true).into(),
                    real(e.people),
                    real(e.aal_yuan),
                    real(e.return_period),
                    real(e.depth_m),
                    i64::from(e.monitoring).into(),
                ],
            })
            .collect(),
    }
}

/// Hotspots as areas: their cells, row by row.
pub fn hotspot_layer(ground: &Ground, rules: &ListRules, found: &Found) -> Layer {
    Layer {
        source: PathBuf::new(),
        crs: ground.grid.crs,
        columns: ["code", "name", "level", "level_zh", "people"]
            .map(str::to_owned)
            .to_vec(),
        features: found
            .hotspots
            .iter()
            .map(|(code, name, spot)| {
                let level = found
                    .entries
                    .iter()
                    .find(|e| e.id == *code)
                    .map_or(4, |e| e.level);
                Feature {
                    geometry: Geometry::MultiPolygon(cells_as_rows(&ground.grid, &spot.cells)),
                    values: vec![
                        code.clone().into(),
                        name.clone().into(),
                        i64::from(level).into(),
                        rules.level_name(level, true).into(),
                        Value::Real(spot.people),
                    ],
                }
            })
            .collect(),
    }
}

/// Rectangles over runs of neighbouring cells of a row; cells ascending.
fn cells_as_rows(grid: &Grid, cells: &[u32]) -> MultiPolygon<f64> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < cells.len() {
        let mut end = at + 1;
        let row = grid.row_col(cells[at]).0;
        while end < cells.len()
            && cells[end] == cells[end - 1] + 1
            && grid.row_col(cells[end]).0 == row
        {
            end += 1;
        }
        let ((r, first), last) = (grid.row_col(cells[at]), grid.row_col(cells[end - 1]).1);
        let (w, e) = (grid.x(first) - grid.dx / 2.0, grid.x(last) + grid.dx / 2.0);
        let (n, s) = (grid.y(r) + grid.dy / 2.0, grid.y(r) - grid.dy / 2.0);
        let ring = LineString::from(vec![(w, s), (e, s), (e, n), (w, n), (w, s)]);
        out.push(Polygon::new(ring, Vec::new()));
        at = end;
    }
    MultiPolygon(out)
}

/// Units with their level under each hazard.
pub fn unit_layer(ground: &Ground, rules: &ListRules, entries: &[RiskEntry]) -> Layer {
    let scopes = ["all", "flood", "convection", "geology", "fire"];
    let mut columns: Vec<String> = ["code", "name"].map(str::to_owned).to_vec();
    for s in scopes {
        columns.extend([
            format!("{s}_level"),
            format!("{s}_level_zh"),
            format!("{s}_people"),
        ]);
    }
    Layer {
        source: PathBuf::new(),
        crs: ground.grid.crs,
        columns,
        features: ground
            .units
            .iter()
            .map(|u| {
                let mut values: Vec<Value> = vec![u.code.clone().into(), u.name.clone().into()];
                for s in scopes {
                    let entry = entries
                        .iter()
                        .find(|e| e.kind == Kind::Unit && e.code == u.code && e.hazard == s);
                    values.extend([
                        entry.map_or(Value::Null, |e| i64::from(e.level).into()),
                        entry.map_or(Value::Null, |e| rules.level_name(e.level, true).into()),
                        entry
                            .and_then(|e| e.people)
                            .map_or(Value::Null, Value::Real),
                    ]);
                }
                Feature {
                    geometry: Geometry::MultiPolygon(u.border.clone()),
                    values,
                }
            })
            .collect(),
    }
}
