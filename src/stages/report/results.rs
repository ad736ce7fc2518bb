//! Hazard maps and their areas, exposure, losses.

use super::super::losses::assessed;
use super::super::{store, summary};
use super::build::{Build, filled};
use super::data::{between, digits, find, grouped, years};
use super::opening::hazard_name;
use anlan_engine::Result;
use anlan_models::cartography::SheetLanguage;
use anlan_models::hazard::Hazard;
use anlan_models::report::{Cell, Column};

/// Maps in print where the project names none: by hazard, file and titles.
const MAPS: [(Hazard, &str, &str, &str); 12] = [
    (
        Hazard::Flood,
        "flood_depth_rp0100",
        "100年一遇洪涝最大水深",
        "Greatest flood depth, 100-year return period",
    ),
    (
        Hazard::Flood,
        "flood_expected_annual_depth",
        "年期望淹没水深",
        "Expected annual flood depth",
    ),
    (
        Hazard::Flood,
        "flood_hazard_grade",
        "洪涝灾害危险性等级",
        "Flood hazard grade",
    ),
    (
        Hazard::Convection,
        "convection_gust",
        "雷暴大风阵风",
        "Convective gust",
    ),
    (
        Hazard::Convection,
        "convection_hail",
        "冰雹直径",
        "Hail diameter",
    ),
    (
        Hazard::Convection,
        "convection_hazard_grade",
        "强对流灾害危险性等级",
        "Strong convection hazard grade",
    ),
    (
        Hazard::Geology,
        "geology_probability",
        "滑坡年到达概率",
        "Annual probability of being struck by a slide",
    ),
    (
        Hazard::Geology,
        "geology_susceptibility_index",
        "滑坡易发性筛查指数",
        "Landslide screening index",
    ),
    (
        Hazard::Geology,
        "geology_hazard_grade",
        "地质灾害危险性等级",
        "Geological hazard grade",
    ),
    (
        Hazard::Fire,
        "fire_burn_probability",
        "森林火灾年过火概率",
        "Annual burn probability",
    ),
    (
        Hazard::Fire,
        "fire_high_danger_days",
        "年均高火险日数",
        "Days of high fire danger a year",
    ),
    (
        Hazard::Fire,
        "fire_hazard_grade",
        "森林火灾危险性等级",
        "Forest fire hazard grade",
    ),
];

/// A map of the products, if the project wants it.
pub(super) fn map(b: &mut Build<'_>, file: &str, zh: &str, en: &str) -> Result<bool> {
    let wanted = &b.data.ctx.project.report.maps;
    if !wanted.is_empty() && !wanted.iter().any(|m| m == file) {
        return Ok(false);
    }
    let caption = b.t(zh, en);
    let own = b.say.zh == (b.data.ctx.project.products.language == SheetLanguage::Zh);
    let note = b.source(&format!("products/maps/{file}.png"))
        + &if own {
            String::new()
        } else {
            b.t(
                "（图件语言为成果语言）",
                " (the map is in the language of the products)",
            )
        };
    b.picture("products", &format!("maps/{file}.png"), caption, 0.92, note)
}

/// Chapter 3: per hazard its areas and maps.
pub fn hazard(b: &mut Build<'_>) -> Result<()> {
    b.chapter("危险性", "Hazard");
    let inside = store::inside(b.data.ctx)?;
    let cell_km2 = b.data.ledger.grid.dx * b.data.ledger.grid.dy / 1e6;
    for hazard in Hazard::ALL {
        b.section(hazard.name_zh(), &capital(hazard.name()));
        if hazard == Hazard::Flood {
            flood(b)?;
        }
        grade_areas(b, hazard, &inside, cell_km2)?;
        let mut shown = 0;
        for (_, file, zh, en) in MAPS.iter().filter(|m| m.0 == hazard) {
            shown += usize::from(map(b, file, zh, en)?);
        }
        if shown == 0 && b.data.ctx.project.report.maps.is_empty() {
            b.note(b.t(
                "成果中没有该灾种的PNG地图（产品格式未含png），图件见products/maps。",
                "No map of this hazard is among the products as PNG (the formats leave it out); see products/maps.",
            ));
        }
    }
    // Maps that the project names and the choice above does not know.
    let wanted = b.data.ctx.project.report.maps.clone();
    for file in wanted
        .iter()
        .filter(|w| !MAPS.iter().any(|m| m.1 == w.as_str()))
    {
        map(b, file, file, file)?;
    }
    Ok(())
}

fn capital(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn flood(b: &mut Build<'_>) -> Result<()> {
    let depths = summary::flooded(b.data.ctx)?;
    let rows: Vec<Vec<Cell>> = depths
        .by_period
        .iter()
        .map(|(t, km2, mean)| {
            vec![
                years(*t).into(),
                digits(*km2).into(),
                format!("{mean:.2}").into(),
            ]
        })
        .collect();
    b.table(
        b.t(
            "各重现期淹没面积与平均水深",
            "Flooded area and mean depth by return period",
        ),
        vec![
            Column::number(b.t("重现期（年）", "Return period (years)"), 1.0),
            Column::number(b.t("淹没面积（km²）", "Flooded area (km²)"), 1.0),
            Column::number(b.t("平均水深（m）", "Mean depth (m)"), 1.0),
        ],
        rows,
        b.source("hazard/flood/depth_stack_m.tif"),
    );
    b.text(depths.expected_text(b.say.zh));
    b.text(summary::interpolation_of(b.data.ctx, b.say.zh)?);
    Ok(())
}

/// Area and residents by hazard grade.
fn grade_areas(b: &mut Build<'_>, hazard: Hazard, inside: &[bool], cell_km2: f64) -> Result<()> {
    let d = b.data;
    let name = hazard.name();
    let file = format!("{name}_hazard_grade.tif");
    let classes = store::classes(d.ctx, "risk", &file)?;
    let pack = d
        .packs
        .get(&super::super::risk::hazard_pack(d.ctx, hazard))?;
    let n = pack.grading.classes();
    let mut people = vec![0.0; n + 1];
    for row in &d.ledger.rows {
        let grade = usize::from(classes.values()[row.cell as usize]).min(n);
        people[grade] += f64::from(row.population);
    }
    let mut cells = vec![0_usize; n + 1];
    for (&grade, _) in classes.values().iter().zip(inside).filter(|(_, i)| **i) {
        cells[usize::from(grade).min(n)] += 1;
    }
    let (all, everyone) = (
        cells.iter().sum::<usize>().max(1) as f64,
        people.iter().sum::<f64>().max(1.0),
    );
    let rows: Vec<Vec<Cell>> = (1..=n)
        .chain([0])
        .map(|g| {
            let (label, fill) = if g == 0 {
                (b.t("无", "none"), None)
            } else {
                let label = pack.name(g as u8, b.say.zh).to_string();
                (label, Some(pack.colours[g - 1]))
            };
            vec![
                filled(label, fill),
                digits(cells[g] as f64 * cell_km2).into(),
                format!("{:.1}", 100.0 * cells[g] as f64 / all).into(),
                digits(people[g]).into(),
                format!("{:.1}", 100.0 * people[g] / everyone).into(),
            ]
        })
        .collect();
    let title = if b.say.zh {
        &pack.title_zh
    } else {
        &pack.title_en
    }
    .clone();
    b.table(
        b.t(
            &format!("{title}的面积与人口"),
            &format!("Area and residents by {title}"),
        ),
        vec![
            Column::word(b.t("等级", "Grade"), 1.0),
            Column::number(b.t("面积（km²）", "Area (km²)"), 1.0),
            Column::number(b.t("占比（%）", "Share (%)"), 1.0),
            Column::number(b.t("常住人口", "Residents"), 1.0),
            Column::number(b.t("占比（%）", "Share (%)"), 1.0),
        ],
        rows,
        b.source(&format!(
            "risk/{file}; layers/exposure.parquet: population; {} {} ({})",
            b.t("规则包", "rule pack"),
            pack.id,
            b.say.status(&pack.status)
        )),
    );
    Ok(())
}

/// Chapter 4: exposure by unit.
pub fn exposure(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    b.chapter("承灾体", "Exposure");
    b.text(b.t(
        "下表由格网承灾体台账按单元汇总；计数与普查数逐单元一致。",
        "The table sums the ledger of cells by unit; counts equal the census unit by unit.",
    ));
    let mut sums = vec![[0.0_f64; 9]; d.units.len()];
    for r in &d.ledger.rows {
        let s = &mut sums[usize::from(r.unit)];
        let floor: f64 = r.floor_m2.iter().sum();
        let values = [
            f64::from(r.population),
            f64::from(r.households),
            f64::from(r.rooms[0]),
            f64::from(r.rooms[1]),
            f64::from(r.rooms[2]),
            floor / 1e4,
            r.gdp_yuan / 1e8,
            r.crop_ha,
            r.road_m / 1e3,
        ];
        for (s, v) in s.iter_mut().zip(values) {
            *s += v;
        }
    }
    let row = |name: String, s: &[f64; 9], forest: f64| -> Vec<Cell> {
        let rooms = (s[2] + s[3] + s[4]).max(1.0);
        vec![
            name.into(),
            grouped(s[0]).into(),
            grouped(s[1]).into(),
            grouped(s[2] + s[3] + s[4]).into(),
            format!(
                "{:.0}/{:.0}/{:.0}",
                100.0 * s[2] / rooms,
                100.0 * s[3] / rooms,
                100.0 * s[4] / rooms
            )
            .into(),
            digits(s[5]).into(),
            digits(s[6]).into(),
            digits(s[7]).into(),
            digits(forest).into(),
            digits(s[8]).into(),
        ]
    };
    let mut rows: Vec<Vec<Cell>> = d
        .units
        .iter()
        .zip(&sums)
        .map(|(u, s)| row(u.name.clone(), s, u.forest_ha))
        .collect();
    let mut total = [0.0; 9];
    for s in &sums {
        for (t, v) in total.iter_mut().zip(s) {
            *t += v;
        }
    }
    let forest = d.units.iter().map(|u| u.forest_ha).sum();
    rows.push(row(d.region(b.say).to_string(), &total, forest));
    b.table(
        b.t("各单元承灾体", "Exposure by unit"),
        vec![
            Column::text(b.t("单元", "Unit"), 1.2),
            Column::number(b.t("常住人口", "Residents"), 1.0),
            Column::number(b.t("户数", "Households"), 1.0),
            Column::number(b.t("房屋（间）", "Rooms"), 1.0),
            Column::word(
                b.t("钢混/砖混/砖木（%）", "Concrete / masonry / brick-wood (%)"),
                1.2,
            ),
            Column::number(b.t("建筑面积（万m²）", "Floor area (10,000 m²)"), 1.0),
            Column::number(b.t("GDP（亿元）", "GDP (100 M yuan)"), 0.9),
            Column::number(b.t("耕地（ha）", "Crops (ha)"), 0.9),
            Column::number(b.t("林地（ha）", "Forest (ha)"), 0.9),
            Column::number(b.t("道路（km）", "Roads (km)"), 0.9),
        ],
        rows,
        b.source("layers/exposure.parquet; layers/units.gpkg: forest_ha"),
    );
    map(b, "exposure_population", "常住人口分布", "Residents")?;
    super::compared::places(b)
}

/// Chapter 5: average annual losses, exceedance, people, indicators.
pub fn losses(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    let code = d.ctx.project.project.code.clone();
    b.chapter("损失", "Losses");
    b.section("年均损失", "Average annual losses");
    let (unit_name, scale) = b.say.money_unit();
    let hazards: Vec<Hazard> = (Hazard::ALL.into_iter())
        .filter(|h| assessed(d.ctx, *h))
        .collect();
    let mut columns = vec![Column::text(b.t("单元", "Unit"), 1.3)];
    for h in &hazards {
        columns.push(Column::number(capital(&hazard_name(b, *h)), 1.0));
    }
    columns.push(Column::number(b.t("合计", "All"), 1.0));
    columns.push(Column::number(b.t("±（95%）", "± (95 %)"), 0.8));
    columns.push(Column::number(b.t("占GDP（‰）", "of GDP (‰)"), 0.8));
    let region = (code.clone(), d.region(b.say).to_string());
    let places: Vec<(String, String)> = (d.units.iter())
        .map(|u| (u.code.clone(), u.name.clone()))
        .chain([region])
        .collect();
    let rows: Vec<Vec<Cell>> = places
        .iter()
        .map(|(code, name)| {
            let of = |key: &str| d.mean(code, key, "direct_loss_yuan");
            let mut row: Vec<Cell> = vec![name.clone().into()];
            for h in &hazards {
                row.push(
                    of(h.name())
                        .map_or("—".into(), |v| digits(v.0 / scale))
                        .into(),
                );
            }
            let all = of("all");
            row.push(all.map_or("—".into(), |v| digits(v.0 / scale)).into());
            row.push(
                all.map_or("—".into(), |v| digits(1.96 * v.1 / scale))
                    .into(),
            );
            let share = find(&d.indicators, &[code]).and_then(|r| r[2].as_f64());
            row.push(share.map_or("—".into(), digits).into());
            row
        })
        .collect();
    b.table(
        b.t(
            &format!("年均直接经济损失（{unit_name}，2020年价）"),
            &format!("Average annual direct loss ({unit_name}, prices of 2020)"),
        ),
        columns,
        rows,
        b.source("losses/average_annual.csv: direct_loss_yuan, mean, standard_error; losses/indicators.csv"),
    );
    b.section("超越概率", "Exceedance");
    exceedance(b, &code, scale, unit_name);
    b.picture(
        "products",
        "charts/exceedance_direct_loss.png",
        b.t(
            "直接经济损失超越概率曲线",
            "Exceedance curves of the yearly direct loss",
        ),
        0.9,
        b.source("losses/exceedance.csv: direct_loss_yuan, aep"),
    )?;
    b.section("人口影响", "People");
    people(b, &places);
    Ok(())
}

fn exceedance(b: &mut Build<'_>, code: &str, scale: f64, unit_name: &str) {
    let d = b.data;
    let rows: Vec<Vec<Cell>> = d
        .ctx
        .project
        .losses
        .return_periods
        .iter()
        .filter_map(|&t| {
            let aep = d.level(code, "all", "direct_loss_yuan", "aep", t)?;
            let oep = d.level(code, "all", "direct_loss_yuan", "oep", t)?;
            let interval = |v: [f64; 3]| between(v[1] / scale, v[2] / scale);
            Some(vec![
                years(t).into(),
                digits(aep[0] / scale).into(),
                interval(aep).into(),
                digits(oep[0] / scale).into(),
                interval(oep).into(),
            ])
        })
        .collect();
    let (aep, oep) = (
        b.t("年合计损失 AEP", "Sum of the year, AEP"),
        b.t("最大一次事件 OEP", "Greatest event, OEP"),
    );
    let interval = b.t("95%区间", "95 % interval");
    b.table(
        b.t(
            &format!("全区域直接经济损失超越概率（{unit_name}）"),
            &format!("Direct loss of the region by return period ({unit_name})"),
        ),
        vec![
            Column::number(b.t("重现期（年）", "Return period (years)"), 1.0),
            Column::number(aep, 1.0),
            Column::number(interval.clone(), 1.2),
            Column::number(oep, 1.0),
            Column::number(interval, 1.2),
        ],
        rows,
        b.source("losses/exceedance.csv: value, low_95, high_95")
            + &b.t(
                "；重现期超过模拟年数十分之一的不列",
                "; return periods beyond a tenth of the simulated years are left out",
            ),
    );
}

fn people(b: &mut Build<'_>, places: &[(String, String)]) {
    let d = b.data;
    let period = d.headline_period();
    let rows: Vec<Vec<Cell>> = places
        .iter()
        .map(|(code, name)| {
            let mut row: Vec<Cell> = vec![name.clone().into()];
            for metric in ["affected_people", "relocated_people", "collapsed_rooms"] {
                let mean = d.mean(code, "all", metric);
                row.push(mean.map_or("—".into(), |v| digits(v.0)).into());
                let level = d.level(code, "all", metric, "oep", period);
                row.push(
                    level
                        .map_or("—".into(), |v| {
                            format!("{} ({})", digits(v[0]), between(v[1], v[2]))
                        })
                        .into(),
                );
            }
            row
        })
        .collect();
    let t = years(period);
    let event = b.t(
        &format!("{t}年一遇事件"),
        &format!("event of 1 in {t} years"),
    );
    let columns = vec![
        Column::text(b.t("单元", "Unit"), 1.0),
        Column::number(b.t("受灾人口：年均", "Affected: mean year"), 0.8),
        Column::number(event.clone(), 1.4),
        Column::number(b.t("转移安置：年均", "Relocated: mean year"), 0.8),
        Column::number(event.clone(), 1.4),
        Column::number(b.t("倒塌房间：年均", "Rooms collapsed: mean year"), 0.8),
        Column::number(event, 1.4),
    ];
    b.table(
        b.t(
            "受灾人口、转移安置与倒塌房屋",
            "People affected, relocated, and rooms collapsed",
        ),
        columns,
        rows,
        b.source(
            "losses/average_annual.csv: mean; losses/exceedance.csv: oep, value (low_95–high_95)",
        ),
    );
}
