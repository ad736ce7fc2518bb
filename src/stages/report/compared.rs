//! What stands beside the grades: critical places, methods of the comprehensive risk side by side, ranks with their errors,
//! priority areas, and the three lists.

use super::build::{Build, filled};
use super::data::{digits, grouped};
use anlan_engine::Result;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_models::report::{Cell, Column};

/// Priority areas told one by one.
const MOST_AREAS: usize = 30;

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap_or(f64::NAN)
}

/// Values of a column, each once, in the order in which they come.
fn kinds(rows: &[&Vec<Value>], column: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for row in rows {
        let text = row[column].to_string();
        if !out.contains(&text) {
            out.push(text);
        }
    }
    out
}

/// Critical places (重点场所) by unit and kind: number and people.
pub fn places(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    let table = d.table("layers", "critical_places.csv")?;
    let (kind, kind_zh) = (table.require("kind")?, table.require("kind_zh")?);
    let (unit, capacity) = (table.require("unit")?, table.require("capacity")?);
    let rows: Vec<&Vec<Value>> = table.rows.iter().collect();
    let keys = kinds(&rows, kind);
    if keys.is_empty() {
        return Ok(());
    }
    let mut columns = vec![Column::text(b.t("单元", "Unit"), 1.2)];
    for key in &keys {
        let zh = rows.iter().find(|r| r[kind].to_string() == *key);
        let zh = zh.map_or(key.clone(), |r| r[kind_zh].to_string());
        columns.push(Column::number(b.t(&zh, &key.replace('-', " ")), 1.0));
    }
    let line = |name: String, code: Option<&str>| -> Vec<Cell> {
        let mut line: Vec<Cell> = vec![name.into()];
        line.extend(keys.iter().map(|key| {
            let of: Vec<f64> = rows
                .iter()
                .filter(|r| code.is_none_or(|c| r[unit].to_string() == c))
                .filter(|r| r[kind].to_string() == *key)
                .map(|r| number(&r[capacity]))
                .collect();
            let people: f64 = of.iter().filter(|v| v.is_finite()).sum();
            Cell::from(format!("{} / {}", of.len(), grouped(people)))
        }));
        line
    };
    let mut lines: Vec<Vec<Cell>> = Vec::new();
    // A province has too many counties for a row each: the sums are enough.
    if d.units.len() <= 25 {
        lines.extend(
            d.units
                .iter()
                .map(|u| line(u.name.clone(), Some(u.code.as_str()))),
        );
    }
    lines.push(line(d.region(b.say).to_string(), None));
    let note = b.source("layers/critical_places.csv: kind, capacity");
    let caption = b.t(
        "各单元重点场所（处数 / 人数或床位数）",
        "Critical places by unit (number / people or beds)",
    );
    b.table(caption, columns, lines, note);
    Ok(())
}

/// The comprehensive grade of each unit by every method.
pub fn methods(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    let table = d.table("risk", "comprehensive.csv")?;
    let (unit, method) = (table.require("unit")?, table.require("method")?);
    let (method_zh, grade) = (table.require("method_zh")?, table.require("grade")?);
    let (zh, en) = (table.require("grade_zh")?, table.require("grade_en")?);
    let pack = table.require("pack")?;
    let own = |r: &&Vec<Value>| d.units.iter().any(|u| u.code == r[unit].to_string());
    let rows: Vec<&Vec<Value>> = table.rows.iter().filter(own).collect();
    let keys = kinds(&rows, method);
    let mut columns = vec![Column::text(b.t("单元", "Unit"), 1.2)];
    for key in &keys {
        let name = rows.iter().find(|r| r[method].to_string() == *key);
        let name = name.map_or(key.clone(), |r| r[method_zh].to_string());
        columns.push(Column::word(b.t(&name, &key.replace('-', " ")), 1.0));
    }
    let cell = |row: Option<&&Vec<Value>>| -> Cell {
        let Some(row) = row else {
            return "—".into();
        };
        let rank = number(&row[grade]) as usize;
        let text = row[if b.say.zh { zh } else { en }].to_string();
        let pack = d.packs.get(&row[pack].to_string()).ok();
        let colour = pack.and_then(|p| p.colours.get(rank.checked_sub(1)?).copied());
        filled(if text.is_empty() { "—".into() } else { text }, colour)
    };
    let lines: Vec<Vec<Cell>> = d
        .units
        .iter()
        .map(|u| {
            let mut line: Vec<Cell> = vec![u.name.clone().into()];
            line.extend(keys.iter().map(|key| {
                cell(
                    rows.iter()
                        .find(|r| r[unit].to_string() == u.code && r[method].to_string() == *key),
                )
            }));
            line
        })
        .collect();
    b.section("多种综合方法对比", "Methods side by side");
    let note = b.source("risk/comprehensive.csv; risk/agreement.csv; risk/disagreement.csv");
    let caption = b.t(
        "综合风险等级：多种合成方法并列",
        "Comprehensive grade by several methods",
    );
    b.table(caption, columns, lines, note);
    Ok(())
}

/// Ranks of the units by average annual loss with their intervals.
pub fn ranks(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    let table = d.table("risk", "ranking.csv")?;
    let (unit, hazard) = (table.require("unit")?, table.require("hazard")?);
    let (basis, value) = (table.require("basis")?, table.require("value")?);
    let (rank, low) = (table.require("rank")?, table.require("rank_low")?);
    let (high, confidence) = (table.require("rank_high")?, table.require("confidence")?);
    let of = |code: &str, name: &str| {
        table.rows.iter().find(|r| {
            r[unit].to_string() == code
                && r[hazard].to_string() == "all"
                && r[basis].to_string() == name
        })
    };
    let bases = kinds(&table.rows.iter().collect::<Vec<_>>(), basis);
    let (unit_name, scale) = b.say.money_unit();
    let told = |name: &str| match name {
        "yuan" => b.t(
            &format!("年均损失（{unit_name}）"),
            &format!("AAL ({unit_name})"),
        ),
        "permille_of_gdp" => b.t("按损失/GDP", "by loss per GDP"),
        "yuan_per_km2" => b.t("按损失/km²", "by loss per km²"),
        other => other.to_string(),
    };
    let mut columns = vec![Column::text(b.t("单元", "Unit"), 1.2)];
    columns.push(Column::number(told("yuan"), 1.0));
    for name in &bases {
        columns.push(Column::word(
            if name == "yuan" {
                b.t("位次（区间）", "rank (interval)")
            } else {
                told(name)
            },
            1.0,
        ));
    }
    let mut lines: Vec<(f64, Vec<Cell>)> = d
        .units
        .iter()
        .filter_map(|u| {
            let first = of(&u.code, "yuan")?;
            let mut line: Vec<Cell> = vec![u.name.clone().into()];
            line.push(digits(number(&first[value]) / scale).into());
            line.extend(bases.iter().map(|name| match of(&u.code, name) {
                Some(r) => Cell::from(format!("{} ({}–{})", r[rank], r[low], r[high])),
                None => "—".into(),
            }));
            Some((number(&first[rank]), line))
        })
        .collect();
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    let share = table
        .rows
        .first()
        .map_or(f64::NAN, |r| number(&r[confidence]));
    let note = b.source("risk/ranking.csv")
        + &b.t(
            "；区间只含抽样误差",
            "; intervals hold the sampling error only",
        );
    let caption = b.t(
        &format!("损失位次及其{:.0}%区间", 100.0 * share),
        &format!("Ranks by loss with {:.0} % intervals", 100.0 * share),
    );
    let lines = lines.into_iter().map(|l| l.1).collect();
    b.table(caption, columns, lines, note);
    Ok(())
}

/// Priority areas (重点防治区): the townships of the first class, with reasons.
pub fn priority(b: &mut Build<'_>) -> Result<()> {
    let table = b.data.table("risk", "priority.csv")?;
    let class = table.require("class")?;
    let class_name = table.require(if b.say.zh { "class_zh" } else { "class_en" })?;
    let reason = table.require(if b.say.zh { "reason_zh" } else { "reason_en" })?;
    let (name, unit) = (table.require("name")?, table.require("unit_name")?);
    let (people, at_risk) = (
        table.require("population")?,
        table.require("people_at_risk")?,
    );
    let rows: Vec<&Vec<Value>> = table.rows.iter().collect();
    let classes = kinds(&rows, class_name);
    let counted: Vec<String> = classes
        .iter()
        .map(|c| {
            let n = rows.iter().filter(|r| r[class_name].to_string() == *c);
            format!("{c} {}", n.count())
        })
        .collect();
    b.section("重点防治区", "Priority areas");
    b.text(b.t(
        &format!("乡镇单元按规则分为：{}。", counted.join("，")),
        &format!("Townships by class: {}.", counted.join(", ")),
    ));
    let mut marked: Vec<&&Vec<Value>> = rows
        .iter()
        .filter(|r| r[class].to_string() != "general")
        .collect();
    // The key areas first, in each class those with most people at risk.
    marked.sort_by(|a, b| {
        let key = |r: &[Value]| r[class].to_string() != "key";
        (key(a).cmp(&key(b))).then(number(&b[at_risk]).total_cmp(&number(&a[at_risk])))
    });
    let left = marked.len().saturating_sub(MOST_AREAS);
    let lines = marked
        .into_iter()
        .take(MOST_AREAS)
        .map(|r| {
            vec![
                r[name].to_string().into(),
                r[unit].to_string().into(),
                r[class_name].to_string().into(),
                r[reason].to_string().into(),
                grouped(number(&r[people])).into(),
                grouped(number(&r[at_risk])).into(),
            ]
        })
        .collect();
    let columns = vec![
        Column::text(b.t("乡镇", "Township"), 1.3),
        Column::text(b.t("单元", "Unit"), 0.9),
        Column::text(b.t("类别", "Class"), 1.0),
        Column::text(b.t("理由", "Reason"), 2.4),
        Column::number(b.t("常住人口", "Residents"), 0.8),
        Column::number(b.t("受威胁人口", "At risk"), 0.8),
    ];
    let mut note = b.source("risk/priority.csv");
    if left > 0 {
        note += &b.t(
            &format!("；另有{left}处见该表"),
            &format!("; {left} more in the table"),
        );
    }
    b.table(b.t("重点防治区", "Priority areas"), columns, lines, note);
    Ok(())
}

/// The three lists (一图三清单): entries by kind and level, and the one map.
pub fn lists(b: &mut Build<'_>) -> Result<()> {
    let table: Table = b.data.table("lists", "risk_list.csv")?;
    let kind = table.require(if b.say.zh { "kind_zh" } else { "kind" })?;
    let level = table.require("level")?;
    let level_name = table.require("level_zh")?;
    let monitoring = table.require("monitoring")?;
    let rows: Vec<&Vec<Value>> = table.rows.iter().collect();
    let mut levels: Vec<(i64, String)> = Vec::new();
    for row in &rows {
        let entry = (number(&row[level]) as i64, row[level_name].to_string());
        if !levels.contains(&entry) {
            levels.push(entry);
        }
    }
    levels.sort();
    let english = ["", "red", "orange", "yellow", "blue"];
    let mut columns = vec![Column::text(b.t("类别", "Kind"), 1.4)];
    for (n, name) in &levels {
        let en = english.get(*n as usize).copied().unwrap_or("");
        columns.push(Column::number(b.t(name, en), 0.8));
    }
    columns.push(Column::number(b.t("合计", "All"), 0.8));
    columns.push(Column::number(b.t("需自动监测", "To be monitored"), 1.0));
    let lines = kinds(&rows, kind)
        .into_iter()
        .map(|key| {
            let of: Vec<&&Vec<Value>> =
                rows.iter().filter(|r| r[kind].to_string() == key).collect();
            let mut line: Vec<Cell> = vec![key.clone().into()];
            for (n, _) in &levels {
                let at = of.iter().filter(|r| number(&r[level]) as i64 == *n);
                line.push(grouped(at.count() as f64).into());
            }
            line.push(grouped(of.len() as f64).into());
            let yes =
                |r: &&&&Vec<Value>| ["是", "yes"].contains(&r[monitoring].to_string().as_str());
            line.push(grouped(of.iter().filter(yes).count() as f64).into());
            line
        })
        .collect();
    b.section("一图三清单", "One map, three lists");
    let note = b.source("lists/risk_list.csv; responsibility.csv; measures.csv; lists.xlsx");
    b.table(
        b.t(
            "风险清单：各类条目数",
            "Risk list: entries by kind and level",
        ),
        columns,
        lines,
        note,
    );
    let note = b.source("lists/one_map.png");
    let caption = b.t("自然灾害风险一张图", "One map of natural-hazard risk");
    b.picture("lists", "one_map.png", caption, 0.92, note)?;
    Ok(())
}
