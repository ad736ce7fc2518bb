//! Short reports of the units (县级简报): grades, maps of the unit, losses, relief needs, hidden dangers.

use super::super::losses::assessed;
use super::super::{Context, store};
use super::build::Build;
use super::data::{Data, Say, between, digits, grouped, years};
use super::grading::{danger_sites, grade_cell, reserve_table, shelters};
use super::opening::hazard_name;
use crate::manifest::RELEASE;
use anlan_engine::grid::Bounds;
use anlan_engine::{Raster, Result};
use anlan_models::cartography::{
    Border, Colour, LegendEntry, Page, Setting, Sheet, SheetLanguage, draw,
};
use anlan_models::hazard::Hazard;
use anlan_models::report::{Cell, Column, Document};
use geo::BoundingRect;
use rayon::prelude::*;

/// Resolution of the maps, which are printed at half the width of their sheet.
const DPI: u32 = 130;

/// Rasters that the maps of all units share.
struct Layers {
    shade: Raster<f32>,
    /// Risk grades by hazard.
    grades: Vec<(Hazard, Raster<u8>)>,
}

/// The reports of all units in order, by code.
pub fn all(data: &Data<'_>, say: Say) -> Result<Vec<(String, Document)>> {
    let ctx = data.ctx;
    let grades = (Hazard::ALL.into_iter())
        .map(|h| {
            Ok((
                h,
                store::classes(ctx, "risk", &format!("{}_risk_grade.tif", h.name()))?,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let layers = Layers {
        shade: store::raster(ctx, "layers", "hillshade.tif")?,
        grades,
    };
    (0..data.units.len())
        .into_par_iter()
        .map(|u| Ok((data.units[u].code.clone(), one(data, say, &layers, u)?)))
        .collect()
}

fn one(data: &Data<'_>, say: Say, layers: &Layers, unit: usize) -> Result<Document> {
    let u = &data.units[unit];
    let project = data.ctx.project;
    let mut b = Build::new(data, say);
    b.chapter("概况与等级", "The unit and its grades");
    b.text(b.t(
        &format!(
            "{}（{}）常住人口{}人，地区生产总值{}。等级在本区域{}个单元间比较。",
            u.name,
            u.code,
            grouped(u.population),
            say.money(u.gdp_yuan),
            data.units.len()
        ),
        &format!(
            "{} ({}) has {} residents and a GDP of {}. Grades compare the {} units of the region.",
            u.name,
            u.code,
            grouped(u.population),
            say.money(u.gdp_yuan),
            data.units.len()
        ),
    ));
    let period = data.headline_period();
    let t = years(period);
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for hazard in Hazard::ALL.into_iter().map(Some).chain([None]) {
        let key = hazard.map_or("all", Hazard::name);
        let name = hazard.map_or_else(|| b.t("综合", "all hazards"), |h| hazard_name(&b, h));
        let row = data.grade(&u.code, key);
        let index = row.and_then(|r| r[6].as_f64());
        let mean = data.mean(&u.code, key, "direct_loss_yuan");
        let level = data.level(&u.code, key, "direct_loss_yuan", "aep", period);
        let (_, scale) = say.money_unit();
        rows.push(vec![
            name.into(),
            grade_cell(&b, row),
            index.map_or("—".into(), digits).into(),
            mean.map_or("—".into(), |(v, e)| {
                format!("{} ± {}", digits(v / scale), digits(1.96 * e / scale))
            })
            .into(),
            level
                .map_or("—".into(), |v| {
                    format!(
                        "{} ({})",
                        digits(v[0] / scale),
                        between(v[1] / scale, v[2] / scale)
                    )
                })
                .into(),
        ]);
    }
    let (money, _) = say.money_unit();
    let columns = vec![
        Column::word(b.t("灾种", "Hazard"), 0.8),
        Column::word(b.t("风险等级", "Grade"), 0.8),
        Column::number(b.t("指数", "Index"), 0.7),
        Column::number(
            b.t(
                &format!("年均损失（{money}）"),
                &format!("Average annual loss ({money})"),
            ),
            1.2,
        ),
        Column::number(
            b.t(
                &format!("{t}年一遇年损失（{money}）"),
                &format!("Loss of 1 in {t} years ({money})"),
            ),
            1.6,
        ),
    ];
    let caption = b.t("风险等级与损失", "Grades and losses");
    let note = b.source("risk/grades.csv; losses/average_annual.csv; losses/exceedance.csv: aep")
        + &b.t("；区间为95%抽样误差", "; 95 % sampling intervals");
    b.table(caption, columns, rows, note);
    b.chapter("分布图", "Maps");
    maps(&mut b, layers, unit)?;
    b.chapter("人口影响与救灾需求", "People and relief needs");
    let mut items = Vec::new();
    for (metric, zh, en) in [
        ("affected_people", "受灾人口", "people affected"),
        ("relocated_people", "转移安置人口", "people relocated"),
    ] {
        if let Some([v, low, high]) = data.level(&u.code, "all", metric, "oep", period) {
            let (v, interval) = (digits(v), between(low, high));
            items.push(b.t(
                &format!("{t}年一遇事件{zh}约{v}人（{interval}）。"),
                &format!("Event of 1 in {t} years: {v} {en} ({interval})."),
            ));
        }
    }
    b.list(items);
    let caption = b.t(
        "救灾物资建议储备与缺口",
        "Reserve of relief material and gaps",
    );
    reserve_table(&mut b, &u.code, caption);
    shelters(&mut b, Some(&u.code));
    b.chapter("隐患点", "Hidden dangers");
    danger_sites(&mut b, unit)?;
    b.note(b.t(
        "区间只含抽样误差；状态为“未核实”的阈值与定额见区域报告。方法、局限与检验见区域报告。",
        "Intervals hold sampling errors alone; for methods, limits, validation and unverified thresholds see the report of the region.",
    ));
    let region = data.region(say).to_string();
    let title = b.t(
        &format!("{}自然灾害风险简报", u.name),
        &format!("{}: natural-hazard risk in brief", u.name),
    );
    let cover = vec![
        (b.t("编制单位", "Organisation"), super::organisation(data)),
        (b.t("日期", "Date"), project.products.date.clone()),
        (b.t("软件", "Software"), RELEASE.to_string()),
    ];
    Ok(b.finish(title.clone(), region, title, cover, false))
}

/// Maps of the unit's risk grades, one per hazard.
fn maps(b: &mut Build<'_>, layers: &Layers, unit: usize) -> Result<()> {
    let data = b.data;
    let u = &data.units[unit];
    let Some(rect) = u.border.bounding_rect() else {
        return Ok(());
    };
    let bounds = Bounds {
        west: rect.min().x,
        south: rect.min().y,
        east: rect.max().x,
        north: rect.max().y,
    };
    let reach = 0.06 * (bounds.east - bounds.west).max(bounds.north - bounds.south);
    let window = bounds.expanded(reach);
    for (hazard, grades) in &layers.grades {
        let pack = data.packs.get("risk")?;
        let name = hazard_name(b, *hazard);
        let title = b.t(
            &format!("{}{name}风险等级图", u.name),
            &format!("{}: risk grade, {name}", u.name),
        );
        let sheet = Sheet {
            title: title.clone(),
            subtitle: data.ctx.project.products.data_period.clone(),
            classes: grades,
            hillshade: Some(&layers.shade),
            legend_title: b.t("等级", "grade"),
            legend: (0..pack.grading.classes())
                .map(|k| LegendEntry {
                    code: k as u8 + 1,
                    colour: Colour(pack.colours[k]),
                    name: pack.name(k as u8 + 1, b.say.zh).to_string(),
                })
                .collect(),
            borders: vec![Border {
                polygons: data.units.iter().map(|u| &u.border).collect(),
                width: 2.5,
                colour: Colour([60, 60, 60]),
                dash: "",
                name: b.t("县级界", "county border"),
            }],
            labels: Vec::new(),
            points: Vec::new(),
            notes: notes(data.ctx, b, pack),
            producer: data.ctx.project.products.producer.clone(),
            date: data.ctx.project.products.date.clone(),
            marks: data.ctx.marks(),
            language: if b.say.zh {
                SheetLanguage::Zh
            } else {
                SheetLanguage::En
            },
        };
        let setting = Setting {
            page: Page {
                dpi: DPI,
                ..Page::default()
            },
            window: Some(window),
            focus: Some(&u.border),
            approval: data.ctx.project.products.map_approval.clone(),
            ..Setting::default()
        };
        let png = draw(&sheet, &setting, data.ctx.fonts)?.png(data.ctx.fonts)?;
        let note = if assessed(data.ctx, *hazard) {
            String::new()
        } else {
            b.t(
                "筛查：只作区域内排序",
                "screening: a ranking within the region",
            )
        };
        b.figure(title, png, 0.74, note);
    }
    Ok(())
}

fn notes(ctx: &Context<'_>, b: &Build<'_>, pack: &anlan_models::risk::RulePack) -> Vec<String> {
    let status = b.say.status(&pack.status);
    let mut out = vec![b.t(
        &format!("规则包：{}（{status}，{}）", pack.id, pack.hash()),
        &format!("Rule pack: {} ({status}, {})", pack.id, pack.hash()),
    )];
    if ctx.project.inputs.synthetic {
        out.push(b.t("含合成数据", "Contains synthetic data"));
    }
    out
}
