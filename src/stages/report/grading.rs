//! Grades by unit and township, and relief needs.

use super::build::{Build, filled};
use super::compared;
use super::data::{digits, find, grouped};
use super::opening::hazard_name;
use super::results::map;
use anlan_engine::Result;
use anlan_engine::io::Value;
use anlan_engine::io::table;
use anlan_models::hazard::Hazard;
use anlan_models::relief::ReliefNorms;
use anlan_models::report::{Cell, Column};

/// A grade as a cell with the colour of its pack.
pub(super) fn grade_cell(b: &Build<'_>, row: Option<&Vec<Value>>) -> Cell {
    let Some(row) = row else {
        return "—".into();
    };
    let grade = row[7].as_f64().unwrap_or(0.0) as usize;
    let text = row[if b.say.zh { 8 } else { 9 }].to_string();
    let pack = b.data.packs.get(&row[12].to_string()).ok();
    let colour = pack.and_then(|p| p.colours.get(grade.checked_sub(1)?).copied());
    filled(if text.is_empty() { "—".into() } else { text }, colour)
}

/// Chapter 6.
pub fn grades(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    b.chapter("风险等级", "Risk grades");
    b.section("县级单元", "Counties");
    let mut columns = vec![
        Column::word(b.t("代码", "Code"), 0.8),
        Column::text(b.t("单元", "Unit"), 1.0),
    ];
    for h in Hazard::ALL {
        columns.push(Column::word(hazard_name(b, h), 1.0));
    }
    columns.push(Column::word(b.t("综合", "all hazards"), 1.0));
    columns.push(Column::number(b.t("综合指数", "Index, all"), 0.9));
    let mut order: Vec<usize> = (0..d.units.len()).collect();
    let index = |u: usize| {
        let row = d.grade(&d.units[u].code, "all");
        row.and_then(|r| r[6].as_f64()).unwrap_or(f64::NEG_INFINITY)
    };
    order.sort_by(|&a, &b| index(b).total_cmp(&index(a)));
    let rows: Vec<Vec<Cell>> = order
        .iter()
        .map(|&u| {
            let unit = &d.units[u];
            let mut row: Vec<Cell> = vec![unit.code.clone().into(), unit.name.clone().into()];
            for h in Hazard::ALL {
                row.push(grade_cell(b, d.grade(&unit.code, h.name())));
            }
            row.push(grade_cell(b, d.grade(&unit.code, "all")));
            row.push(digits(index(u)).into());
            row
        })
        .collect();
    b.table(
        b.t(
            "各单元风险等级（按综合指数排序）",
            "Risk grades by unit (in order of the comprehensive index)",
        ),
        columns,
        rows,
        b.source("risk/grades.csv: grade_zh, grade_en, risk_index"),
    );
    map(
        b,
        "unit_all_grade",
        "自然灾害综合风险等级",
        "Comprehensive risk grade",
    )?;
    for h in Hazard::ALL {
        let zh = format!("{}风险等级（格网）", h.name_zh());
        let en = format!("Risk grade of cells: {}", h.name());
        map(b, &format!("{}_risk_grade", h.name()), &zh, &en)?;
    }
    townships(b)?;
    compared::methods(b)?;
    compared::ranks(b)?;
    compared::priority(b)?;
    compared::lists(b)?;
    Ok(())
}

/// Number of townships by grade.
fn townships(b: &mut Build<'_>) -> Result<()> {
    let Some(list) = b.data.extra("risk", "townships.csv")? else {
        return Ok(());
    };
    let d = b.data;
    let (Ok(hazard), Ok(unit), Ok(grade)) = (
        list.require("hazard"),
        list.require("unit"),
        list.require("grade"),
    ) else {
        return Ok(());
    };
    let pack = d.packs.get("unit-risk")?;
    let n = pack.grading.classes();
    b.section("乡镇", "Townships");
    let mut columns = vec![Column::text(b.t("单元", "Unit"), 1.0)];
    columns.extend(Hazard::ALL.map(|h| Column::word(hazard_name(b, h), 1.0)));
    // A province has too many counties for a row each: the sums are enough.
    let groups: Vec<(String, Option<&str>)> = if d.units.len() <= 25 {
        let of = |u: &'_ super::super::store::UnitRow| u.name.clone();
        let codes = d.units.iter().map(|u| (of(u), Some(u.code.as_str())));
        codes.chain([(d.region(b.say).to_string(), None)]).collect()
    } else {
        vec![(d.region(b.say).to_string(), None)]
    };
    let rows: Vec<Vec<Cell>> = groups
        .into_iter()
        .map(|(name, code)| {
            let mut row: Vec<Cell> = vec![name.into()];
            for h in Hazard::ALL {
                let counts: Vec<String> = (1..=n)
                    .map(|g| {
                        let of_grade = list
                            .rows
                            .iter()
                            .filter(|r| code.is_none_or(|c| r[unit].to_string() == c))
                            .filter(|r| r[hazard].to_string() == h.name())
                            .filter(|r| r[grade].as_f64() == Some(g as f64));
                        of_grade.count().to_string()
                    })
                    .collect();
                row.push(counts.join(" / ").into());
            }
            row
        })
        .collect();
    let names: Vec<&str> = (1..=n).map(|g| pack.name(g as u8, b.say.zh)).collect();
    let names = names.join(" / ");
    b.table(
        b.t(
            &format!("各等级乡镇数（{names}）"),
            &format!("Number of townships by grade ({names})"),
        ),
        columns,
        rows,
        b.source("risk/townships.csv: grade")
            + &b.t(
                "；无乡镇界线时乡镇为合成单元",
                "; townships are made up where no borders are given",
            ),
    );
    Ok(())
}

/// Chapter 7.
pub fn relief(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    let options = &d.ctx.project.relief;
    b.chapter("救灾需求与缺口", "Relief needs and gaps");
    let norms = ReliefNorms::builtin();
    let profile = norms.profile(&options.profile)?;
    b.text(b.t(
        &format!(
            "需求定额采用“{}”（{}，{}），储备按覆盖当年最大一次事件的概率{}%确定，转移安置人口中{}%投亲靠友。",
            profile.name_zh,
            profile.id,
            b.say.status(&profile.status),
            digits(100.0 * options.confidence),
            digits(100.0 * options.elsewhere_share)
        ),
        &format!(
            "Norms: {} ({}); the reserve covers the greatest event of a year with probability {} %; {} % of those relocated stay with relatives.",
            profile.id,
            b.say.status(&profile.status),
            digits(100.0 * options.confidence),
            digits(100.0 * options.elsewhere_share)
        ),
    ));
    let code = d.ctx.project.project.code.as_str();
    b.section("统筹储备", "Pooled reserve");
    reserve_table(
        b,
        code,
        b.t("全区域统筹储备", "Pooled reserve of the region"),
    );
    b.section("分单元缺口", "Gaps by unit");
    let mut items: Vec<(String, String)> = Vec::new();
    for r in &d.reserve.rows {
        let title = if b.say.zh {
            format!("{}（{}）", r[3], r[4])
        } else {
            r[2].to_string()
        };
        let item = (r[2].to_string(), title);
        if !items.contains(&item) {
            items.push(item);
        }
    }
    let mut columns = vec![Column::text(b.t("单元", "Unit"), 1.2)];
    columns.extend(items.iter().map(|i| Column::number(i.1.clone(), 1.0)));
    let rows: Vec<Vec<Cell>> = d
        .units
        .iter()
        .map(|u| {
            let mut row: Vec<Cell> = vec![u.name.clone().into()];
            for (item, _) in &items {
                let found = find(&d.reserve, &[&u.code, "", item]);
                row.push(
                    found
                        .map_or("—".into(), |r| {
                            let v = |c: usize| r[c].as_f64().map_or("—".into(), grouped);
                            format!("{} / {}", v(5), v(9))
                        })
                        .into(),
                );
            }
            row
        })
        .collect();
    b.table(
        b.t("建议储备量 / 缺口", "Reserve / gap"),
        columns,
        rows,
        b.source("relief/reserve.csv: reserve, gap"),
    );
    b.section("避难场所", "Shelters");
    shelters(b, None);
    Ok(())
}

/// Reserve, stock, gap and cost of a unit or the region.
pub(super) fn reserve_table(b: &mut Build<'_>, code: &str, caption: String) {
    let d = b.data;
    let rows: Vec<Vec<Cell>> = d
        .reserve
        .rows
        .iter()
        .filter(|r| r[0].to_string() == code)
        .map(|r| {
            let v = |c: usize| r[c].as_f64().map_or("—".into(), grouped);
            vec![
                r[if b.say.zh { 3 } else { 2 }].to_string().into(),
                r[4].to_string().into(),
                v(5).into(),
                format!("{}–{}", v(6), v(7)).into(),
                v(8).into(),
                v(9).into(),
                r[12]
                    .as_f64()
                    .map_or("—".into(), |y| digits(y / 1e4))
                    .into(),
            ]
        })
        .collect();
    b.table(
        caption,
        vec![
            Column::text(b.t("物资", "Item"), 1.4),
            Column::word(b.t("单位", "Unit"), 0.6),
            Column::number(b.t("建议储备量", "Reserve"), 1.0),
            Column::number(b.t("95%区间", "95 % interval"), 1.2),
            Column::number(b.t("现有库存", "Stock"), 1.0),
            Column::number(b.t("缺口", "Gap"), 1.0),
            Column::number(
                b.t("补足费用（万元）", "Cost of the gap (10,000 yuan)"),
                1.1,
            ),
        ],
        rows,
        b.source("relief/reserve.csv: reserve, low_95, high_95, stock, gap, cost_yuan"),
    );
}

/// People in need of a shelter against places, of all units or one.
pub(super) fn shelters(b: &mut Build<'_>, code: Option<&str>) {
    let d = b.data;
    let rows: Vec<Vec<Cell>> = d
        .shelter
        .rows
        .iter()
        .filter(|r| code.is_none_or(|c| r[0].to_string() == c))
        .map(|r| {
            let v = |c: usize| r[c].as_f64().map_or("—".into(), grouped);
            vec![
                r[1].to_string().into(),
                v(2).into(),
                format!("{}–{}", v(3), v(4)).into(),
                v(5).into(),
                v(6).into(),
            ]
        })
        .collect();
    b.table(
        b.t("避难场所需求与容量", "Shelters: need and places"),
        vec![
            Column::text(b.t("单元", "Unit"), 1.2),
            Column::number(b.t("需安置人数", "People in need"), 1.0),
            Column::number(b.t("95%区间", "95 % interval"), 1.0),
            Column::number(b.t("避难容量（人）", "Places"), 1.0),
            Column::number(b.t("缺口", "Gap"), 1.0),
        ],
        rows,
        b.source("relief/shelter.csv: people, low_95, high_95, places, gap"),
    );
}

/// Hidden-danger sites of a unit: number by kind, and the largest.
pub(super) fn danger_sites(b: &mut Build<'_>, unit: usize) -> Result<()> {
    let d = b.data;
    let path = d.ctx.folder("layers").join("danger_sites.csv");
    if !path.exists() {
        return Ok(());
    }
    let sites = table::read_list(&path)?;
    let find = |names: &[&str]| names.iter().find_map(|n| sites.column(n));
    let (Some(x), Some(y), Some(kind), Some(name), Some(people)) = (
        find(&["经度或X", "lon", "x"]),
        find(&["纬度或Y", "lat", "y"]),
        find(&["灾害类型", "kind"]),
        find(&["名称", "name"]),
        find(&["威胁人数", "people"]),
    ) else {
        return Ok(());
    };
    let owner = super::super::store::raster(d.ctx, "layers", "unit.tif")?;
    let grid = owner.grid;
    let projector = anlan_engine::Projector::new(anlan_engine::Crs::CGCS2000, grid.crs);
    let mut of_unit: Vec<(f64, String, String)> = Vec::new();
    for r in &sites.rows {
        let (Some(mut px), Some(mut py)) = (r[x].as_f64(), r[y].as_f64()) else {
            continue;
        };
        if (-180.0..=180.0).contains(&px) && (-90.0..=90.0).contains(&py) {
            (px, py) = projector.point(px, py);
        }
        let inside = grid
            .cell_at(px, py)
            .is_some_and(|(row, col)| owner.data[(row, col)] == unit as f32);
        if inside {
            let threatened = r[people].as_f64().unwrap_or(0.0);
            of_unit.push((threatened, r[name].to_string(), r[kind].to_string()));
        }
    }
    let total: f64 = of_unit.iter().map(|s| s.0).sum();
    let n = of_unit.len();
    let synthetic = sites
        .column("provenance")
        .is_some_and(|c| sites.rows.iter().any(|r| r[c].to_string() == "synthetic"));
    let made_up = if synthetic {
        b.t("（含合成记录）", " (synthetic records among them)")
    } else {
        String::new()
    };
    b.text(b.t(
        &format!(
            "台账内地质灾害隐患点{n}处，威胁{}人{made_up}。",
            grouped(total)
        ),
        &format!(
            "The ledger holds {n} hidden-danger sites, threatening {} people{made_up}.",
            grouped(total)
        ),
    ));
    of_unit.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let rows: Vec<Vec<Cell>> = of_unit
        .into_iter()
        .take(10)
        .map(|(people, name, kind)| vec![name.into(), kind.into(), grouped(people).into()])
        .collect();
    b.table(
        b.t(
            "威胁人数最多的隐患点",
            "Hidden-danger sites that threaten most people",
        ),
        vec![
            Column::text(b.t("名称", "Name"), 1.6),
            Column::word(b.t("类型", "Kind"), 1.0),
            Column::number(b.t("威胁人数", "People threatened"), 1.0),
        ],
        rows,
        b.source("layers/danger_sites.csv"),
    );
    Ok(())
}
