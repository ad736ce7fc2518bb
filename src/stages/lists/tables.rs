//! The lists as tables.

use super::entries::Found;
use super::events::{EventSum, return_period};
use super::ground::Ground;
use crate::stages::{Context, store};
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_models::fire::danger::month_of;
use anlan_models::lists::responsible::Object;
use anlan_models::lists::{Assignment, Kind, ListRules, Measures, Person, RiskEntry};
use anlan_models::relief::norm::Triggers;
use std::collections::{BTreeMap, BTreeSet};

/// Chinese names of the columns.
const NAMES: [(&str, &str); 69] = [
    ("rank", "序号"),
    ("id", "编号"),
    ("kind", "对象类别代码"),
    ("kind_zh", "对象类别"),
    ("code", "对象代码"),
    ("name", "对象名称"),
    ("unit", "县级代码"),
    ("unit_name", "县级名称"),
    ("township", "乡镇代码"),
    ("township_name", "乡镇名称"),
    ("hazard", "灾种代码"),
    ("hazard_zh", "灾种"),
    ("level", "级别"),
    ("level_zh", "风险级别（红橙黄蓝）"),
    ("grade", "等级"),
    ("grade_zh", "等级名称"),
    ("monitoring", "自动化监测"),
    ("people", "受威胁人口（人）"),
    ("assets_yuan", "受威胁资产（元）"),
    ("aal_yuan", "年均损失（元）"),
    ("return_period_years", "重现期（年）"),
    ("depth_m", "水深（m）"),
    ("lon", "经度"),
    ("lat", "纬度"),
    ("rule", "规则"),
    ("rule_status", "规则状态"),
    ("source", "来源文件"),
    ("note", "说明"),
    ("role", "责任层级代码"),
    ("role_zh", "责任层级"),
    ("at", "责任区代码"),
    ("person", "责任人"),
    ("post", "职务"),
    ("phone", "电话"),
    ("state", "落实情况"),
    ("objects", "对象数"),
    ("assigned", "已落实"),
    ("missing", "未落实"),
    ("share", "落实率"),
    ("row", "原表行号"),
    ("measure", "措施代码"),
    ("measure_zh", "措施"),
    ("class_zh", "措施类别"),
    ("deadline", "时限代码"),
    ("deadline_zh", "完成时限"),
    ("days", "时限（天）"),
    ("status", "状态"),
    ("area_km2", "面积（km²）"),
    ("policy", "一点一策（措施）"),
    ("event", "事件编号"),
    ("year", "模拟年"),
    ("day", "年内日序"),
    ("month", "月份"),
    ("hazards", "灾种代码"),
    ("hazards_zh", "灾种"),
    ("direct_loss_yuan", "直接经济损失（元）"),
    ("affected_people", "受灾人口（人）"),
    ("relocated_people", "紧急转移安置人口（人）"),
    ("collapsed_rooms", "倒塌房屋（间）"),
    ("response", "响应等级"),
    ("entry", "条目"),
    ("value", "内容"),
    ("field", "指标代码"),
    ("field_zh", "指标"),
    ("modelled", "模型值"),
    ("reported", "上报值"),
    ("difference", "差值"),
    ("ratio", "比值"),
    ("flagged", "差异标记"),
];

/// The table under its Chinese headings; depths by return period are named by their pattern.
pub fn chinese(table: &Table) -> Table {
    let mut out = table.clone();
    for column in &mut out.columns {
        let known = NAMES
            .iter()
            .find(|(en, _)| en == column)
            .map(|(_, zh)| (*zh).to_owned());
        let by_period = || {
            let (what, years) = column.split_once("_rp")?;
            let years: u64 = years.parse().ok()?;
            let zh = match what {
                "depth_max_m" => "最大水深（m）",
                "depth_mean_m" => "平均水深（m）",
                "people" => "受淹人口（人）",
                _ => return None,
            };
            Some(format!("{years}年一遇{zh}"))
        };
        if let Some(zh) = known.or_else(by_period) {
            *column = zh;
        }
    }
    out
}

/// The table without columns that only programs want: codes beside which the name stands.
pub fn without(table: &Table, columns: &[&str]) -> Table {
    let kept: Vec<usize> = (0..table.columns.len())
        .filter(|&c| !columns.contains(&table.columns[c].as_str()))
        .collect();
    Table {
        columns: kept.iter().map(|&c| table.columns[c].clone()).collect(),
        rows: table
            .rows
            .iter()
            .map(|row| kept.iter().map(|&c| row[c].clone()).collect())
            .collect(),
        ..table.clone()
    }
}

/// Chinese name of a hazard or of all.
pub fn hazard_zh(name: &str) -> &'static str {
    anlan_models::hazard::Hazard::ALL
        .into_iter()
        .find(|h| h.name() == name)
        .map_or("综合", |h| h.name_zh())
}

fn number(v: Option<f64>, digits: i32) -> Value {
    let scale = libm::pow(10.0, f64::from(digits));
    match v {
        Some(v) if v.is_finite() => {
            let rounded = (v * scale).round() / scale;
            if digits == 0 && rounded.abs() < 9e15 {
                Value::Integer(rounded as i64)
            } else {
                Value::Real(rounded)
            }
        }
        _ => Value::Null,
    }
}

fn degrees(ground: &Ground, at: (f64, f64)) -> [Value; 2] {
    let (lon, lat) = ground.to_degrees.point(at.0, at.1);
    [number(Some(lon), 6), number(Some(lat), 6)]
}

fn unit_cells(ground: &Ground, unit: Option<usize>, township: Option<usize>) -> [Value; 4] {
    let text = |v: Option<&String>| v.map_or(Value::Null, |t| t.clone().into());
    let (u, t) = (
        unit.map(|u| &ground.units[u]),
        township.map(|t| &ground.townships[t]),
    );
    [
        text(u.map(|u| &u.code)),
        text(u.map(|u| &u.name)),
        text(t.map(|t| &t.code)),
        text(t.map(|t| &t.name)),
    ]
}

/// The risk list (风险清单).
pub fn risk(ground: &Ground, rules: &ListRules, entries: &[RiskEntry]) -> Table {
    let mut table = Table::new(&[
        "rank",
        "id",
        "kind",
        "kind_zh",
        "code",
        "name",
        "unit",
        "unit_name",
        "township",
        "township_name",
        "hazard",
        "hazard_zh",
        "level",
        "level_zh",
        "grade",
        "grade_zh",
        "monitoring",
        "people",
        "assets_yuan",
        "aal_yuan",
        "return_period_years",
        "depth_m",
        "lon",
        "lat",
        "rule",
        "rule_status",
        "source",
        "note",
    ]);
    for (n, e) in entries.iter().enumerate() {
        let [unit, unit_name, township, township_name] = unit_cells(ground, e.unit, e.township);
        let [lon, lat] = degrees(ground, e.at);
        table.rows.push(vec![
            Value::Integer(n as i64 + 1),
            e.id.clone().into(),
            e.kind.name().into(),
            e.kind.name_zh().into(),
            e.code.clone().into(),
            e.name.clone().into(),
            unit,
            unit_name,
            township,
            township_name,
            e.hazard.into(),
            hazard_zh(e.hazard).into(),
            i64::from(e.level).into(),
            rules.level_name(e.level, true).into(),
            e.grade
                .as_ref()
                .map_or(Value::Null, |g| i64::from(g.0).into()),
            e.grade.as_ref().map_or(Value::Null, |g| g.1.clone().into()),
            if e.monitoring { "是" } else { "否" }.into(),
            number(e.people, 0),
            number(e.assets_yuan, 0),
            number(e.aal_yuan, 0),
            number(e.return_period, 1),
            number(e.depth_m, 2),
            lon,
            lat,
            e.rule.clone().into(),
            e.rule_status.clone().into(),
            e.source.clone().into(),
            e.note.clone().into(),
        ]);
    }
    table
}

/// Objects of the list, each once.
pub fn objects(ground: &Ground, entries: &[RiskEntry]) -> Vec<Object> {
    let set: BTreeSet<Object> = entries
        .iter()
        .map(|e| Object {
            kind: e.kind,
            code: e.code.clone(),
            name: e.name.clone(),
            unit: e
                .unit
                .map_or_else(String::new, |u| ground.units[u].code.clone()),
            township: e
                .township
                .map_or_else(String::new, |t| ground.townships[t].code.clone()),
        })
        .collect();
    set.into_iter().collect()
}

/// The responsibility list (责任清单).
pub fn responsibility(lines: &[Assignment<'_>]) -> Table {
    let mut table = Table::new(&[
        "kind_zh", "code", "name", "unit", "township", "role", "role_zh", "at", "person", "post",
        "phone", "state",
    ]);
    for l in lines {
        let text =
            |f: fn(&Person) -> &String| l.person.map_or(Value::Null, |p| f(p).clone().into());
        table.rows.push(vec![
            l.object.kind.name_zh().into(),
            l.object.code.clone().into(),
            l.object.name.clone().into(),
            l.object.unit.clone().into(),
            l.object.township.clone().into(),
            l.role.code.clone().into(),
            l.role.zh.clone().into(),
            l.at.into(),
            text(|p| &p.name),
            text(|p| &p.post),
            text(|p| &p.phone),
            if l.person.is_some() {
                "已落实"
            } else {
                "未落实"
            }
            .into(),
        ]);
    }
    table
}

/// How many objects of each kind have a person in each role.
pub fn missing(rules: &ListRules, lines: &[Assignment<'_>]) -> Table {
    let mut table = Table::new(&[
        "kind_zh", "role_zh", "objects", "assigned", "missing", "share",
    ]);
    for kind in Kind::ALL {
        for role in rules.roles.iter().filter(|r| r.kinds.contains(&kind)) {
            let mut of: BTreeMap<&str, bool> = BTreeMap::new();
            for l in lines
                .iter()
                .filter(|l| l.object.kind == kind && l.role == role)
            {
                *of.entry(&l.object.code).or_default() |= l.person.is_some();
            }
            if of.is_empty() {
                continue;
            }
            let assigned = of.values().filter(|a| **a).count();
            table.rows.push(vec![
                kind.name_zh().into(),
                role.zh.clone().into(),
                Value::Integer(of.len() as i64),
                Value::Integer(assigned as i64),
                Value::Integer((of.len() - assigned) as i64),
                number(Some(assigned as f64 / of.len() as f64), 4),
            ]);
        }
    }
    table
}

/// Persons of the user's table that no object asks for.
pub fn unmatched(left: &[&Person]) -> Table {
    let mut table = Table::new(&["row", "at", "role", "person", "post", "phone"]);
    for p in left {
        table.rows.push(vec![
            Value::Integer(p.row as i64),
            p.code.clone().into(),
            p.role.clone().into(),
            p.name.clone().into(),
            p.post.clone().into(),
            p.phone.clone().into(),
        ]);
    }
    table
}

/// The measures list (措施清单): every entry of the risk list with each of its measures.
pub fn measures(rules: &ListRules, measures: &Measures, entries: &[RiskEntry]) -> Table {
    let mut table = Table::new(&[
        "id",
        "kind_zh",
        "name",
        "hazard_zh",
        "level_zh",
        "measure",
        "measure_zh",
        "class_zh",
        "deadline",
        "deadline_zh",
        "days",
        "role",
        "role_zh",
        "source",
        "status",
    ]);
    for e in entries {
        for m in measures.of(e) {
            let deadline = measures.deadline(m);
            let role = rules.roles.iter().find(|r| r.code == m.role);
            table.rows.push(vec![
                e.id.clone().into(),
                e.kind.name_zh().into(),
                e.name.clone().into(),
                hazard_zh(e.hazard).into(),
                rules.level_name(e.level, true).into(),
                m.code.clone().into(),
                m.zh.clone().into(),
                m.class_zh().into(),
                deadline.code.clone().into(),
                deadline.zh.clone().into(),
                i64::from(deadline.days).into(),
                m.role.clone().into(),
                role.map_or(Value::Null, |r| r.zh.clone().into()),
                measures.id.clone().into(),
                measures.status.clone().into(),
            ]);
        }
    }
    table
}

/// Hotspots with depths and people by return period (一点一策).
pub fn hotspots(
    ctx: &Context<'_>,
    ground: &Ground,
    (rules, measures): (&ListRules, &Measures),
    found: &Found,
) -> Table {
    let periods = store::return_periods(ctx.project);
    let mut columns: Vec<String> = [
        "code",
        "name",
        "unit",
        "unit_name",
        "township",
        "township_name",
        "level",
        "level_zh",
        "return_period_years",
        "area_km2",
        "people",
        "lon",
        "lat",
    ]
    .map(str::to_owned)
    .to_vec();
    for what in ["depth_max_m", "depth_mean_m", "people"] {
        columns.extend(
            periods
                .iter()
                .map(|t| format!("{what}_rp{:04}", t.round() as u64)),
        );
    }
    columns.push("policy".into());
    let mut table = Table {
        columns,
        first_row: 2,
        ..Table::default()
    };
    let km2 = ground.grid.dx * ground.grid.dy / 1e6;
    for (code, name, spot) in &found.hotspots {
        let entry = found.entries.iter().find(|e| e.id == *code);
        let township = spot.township as usize;
        let [unit, unit_name, t, t_name] = unit_cells(
            ground,
            Some(ground.townships[township].unit),
            Some(township),
        );
        let [lon, lat] = degrees(ground, ground.middle(spot.peak));
        let mut row = vec![
            code.clone().into(),
            name.clone().into(),
            unit,
            unit_name,
            t,
            t_name,
            entry.map_or(Value::Null, |e| i64::from(e.level).into()),
            entry.map_or(Value::Null, |e| rules.level_name(e.level, true).into()),
            number(entry.and_then(|e| e.return_period), 1),
            number(Some(spot.cells.len() as f64 * km2), 4),
            number(Some(spot.people), 0),
            lon,
            lat,
        ];
        row.extend(
            spot.by_period
                .iter()
                .map(|p| number(Some(f64::from(p.0)), 2)),
        );
        row.extend(spot.by_period.iter().map(|p| number(Some(p.1), 2)));
        row.extend(spot.by_period.iter().map(|p| number(Some(p.2), 0)));
        let policy: Vec<&str> = entry
            .iter()
            .flat_map(|e| measures.of(e))
            .map(|m| m.zh.as_str())
            .collect();
        row.push(policy.join("；").into());
        table.rows.push(row);
    }
    table
}

/// The greatest events, from which reports and prompt sheets are made.
pub fn events(ctx: &Context<'_>, events: &[EventSum], listed: usize) -> Table {
    let mut table = Table::new(&[
        "rank",
        "event",
        "year",
        "day",
        "month",
        "hazards",
        "hazards_zh",
        "direct_loss_yuan",
        "affected_people",
        "relocated_people",
        "collapsed_rooms",
        "return_period_years",
        "response",
    ]);
    let triggers = Triggers::builtin();
    for (n, e) in events.iter().take(listed).enumerate() {
        let names = |f: fn(&anlan_models::hazard::Hazard) -> &'static str, by: &str| {
            e.hazards.iter().map(f).collect::<Vec<_>>().join(by)
        };
        let level = triggers.level(0.0, e.loss[6], e.loss[7]);
        table.rows.push(vec![
            Value::Integer(n as i64 + 1),
            e.id().into(),
            i64::from(e.year).into(),
            i64::from(e.day).into(),
            Value::Integer(month_of(e.day as u16) as i64),
            names(|h| h.name(), " ").into(),
            names(|h| h.name_zh(), "、").into(),
            number(Some(e.direct_yuan()), 0),
            number(Some(e.loss[5]), 0),
            number(Some(e.loss[6]), 0),
            number(Some(e.loss[7]), 0),
            number(Some(return_period(ctx.project.losses.years, n)), 1),
            response_zh(&triggers, level).into(),
        ]);
    }
    table
}

/// Chinese name of a response level.
pub fn response_zh(triggers: &Triggers, level: Option<u8>) -> String {
    level
        .and_then(|l| triggers.level.iter().find(|t| t.level == l))
        .map_or_else(
            || "未达启动条件".to_owned(),
            |t| format!("{}响应", t.name_zh),
        )
}

/// What a reader must know: rules with their status, return periods, what is not assessed, marks.
pub fn about(ctx: &Context<'_>, rules: &ListRules, measures: &Measures, found: &Found) -> Table {
    let mut table = Table::new(&["entry", "value"]);
    let mut line = |entry: &str, value: String| table.rows.push(vec![entry.into(), value.into()]);
    line(
        "区域",
        format!("{} {}", ctx.project.project.code, ctx.project.project.name),
    );
    line(
        "清单规则",
        format!(
            "{}，版本{}，{}；{}",
            rules.id, rules.version, rules.status, rules.source
        ),
    );
    line(
        "措施表",
        format!(
            "{}，版本{}，{}；{}",
            measures.id, measures.version, measures.status, measures.source
        ),
    );
    line(
        "易涝（淹没）点",
        format!(
            "{}年一遇水深不小于{} m、有人居住或与居住格网相邻的连片格网，不跨乡镇，人口不少于{}人，共{}处",
            found.hotspot_period,
            rules.hotspot.depth_m,
            rules.hotspot.least_people,
            found.hotspots.len()
        ),
    );
    for e in &rules.exposed {
        if e.screening == ctx.project.project.screening || !e.screening {
            line(
                &format!("受威胁口径：{}", e.hazard.name_zh()),
                format!("{} ≥ {}", e.measure, e.at_least),
            );
        }
    }
    line(
        "年均损失",
        "县级为模拟年均值；乡镇、易涝点按格网年均损失汇总（全部灾种）；其余对象未评估，留空".into(),
    );
    line(
        "责任清单",
        "只列用户提供的责任人；没有的标“未落实”，不作推测".into(),
    );
    line("模拟年数", ctx.project.losses.years.to_string());
    for mark in ctx.marks() {
        line(
            "标记",
            mark.text(anlan_models::cartography::SheetLanguage::Zh)
                .to_owned(),
        );
    }
    line("软件", crate::manifest::RELEASE.to_owned());
    table
}
