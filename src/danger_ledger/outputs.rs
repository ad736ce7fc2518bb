//! Ledger, history, statistics and hand-over as files.

use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::vector::{Feature, Layer, write_gpkg};
use anlan_engine::io::{Value, write_atomic};
use anlan_engine::{Crs, Error, Result};
use anlan_models::danger_ledger::{
    DangerLedger, Date, Handover, LedgerRules, Standing, Turn, UnitCount, handover, statistics,
};
use geo::{Geometry, GeometryCollection, Point};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Columns of the ledger as files hold them, and their Chinese headings.
const LEDGER: [(&str, &str); 25] = [
    ("item", "隐患编号"),
    ("name", "隐患名称"),
    ("kind", "类别"),
    ("hazard", "灾种"),
    ("unit", "县级代码"),
    ("unit_name", "县级名称"),
    ("township", "乡镇代码"),
    ("level", "级别"),
    ("level_zh", "级别名称"),
    ("people", "受威胁人口（人）"),
    ("assets_yuan", "受威胁资产（元）"),
    ("state", "状态代码"),
    ("state_zh", "状态"),
    ("overdue", "是否超期"),
    ("overdue_days", "超期天数"),
    ("late_days", "办理超时天数"),
    ("registered_on", "登记日期"),
    ("listed_on", "挂账日期"),
    ("deadline", "整改期限"),
    ("since", "最近办理日期"),
    ("extensions", "延期次数"),
    ("returns", "退回次数"),
    ("responsible", "责任人"),
    ("description", "隐患描述"),
    ("source", "来源"),
];

const HISTORY: [(&str, &str); 14] = [
    ("item", "隐患编号"),
    ("step", "步序"),
    ("action", "操作代码"),
    ("action_zh", "操作"),
    ("to", "状态代码"),
    ("to_zh", "状态"),
    ("on", "日期"),
    ("by", "经办人"),
    ("department", "部门"),
    ("reason", "事由"),
    ("evidence", "佐证材料"),
    ("responsible", "责任人"),
    ("deadline", "整改期限"),
    ("hash", "校验值"),
];

fn table_of(columns: &[(&str, &str)]) -> Table {
    Table::new(&columns.iter().map(|c| c.0).collect::<Vec<_>>())
}

/// The same table under Chinese headings.
fn chinese(table: &Table, columns: &[(&str, &str)]) -> Table {
    let mut out = table.clone();
    for (name, (_, zh)) in out.columns.iter_mut().zip(columns) {
        *name = (*zh).to_owned();
    }
    out
}

fn level_zh(level: u8) -> &'static str {
    ["", "红", "橙", "黄", "蓝"]
        .get(usize::from(level))
        .copied()
        .unwrap_or("")
}

fn date(d: Option<Date>) -> Value {
    d.map_or(Value::Null, |d| d.to_string().into())
}

fn row(s: &Standing, rules: &LedgerRules) -> Vec<Value> {
    let real = |v: Option<f64>| v.map_or(Value::Null, Value::Real);
    let f = &s.facts;
    let overdue = s.open && s.overdue_days > 0;
    vec![
        s.item.clone().into(),
        f.name.clone().into(),
        f.kind.clone().into(),
        f.hazard.clone().into(),
        f.unit.clone().into(),
        f.unit_name.clone().into(),
        f.township.clone().into(),
        i64::from(f.level).into(),
        level_zh(f.level).into(),
        real(f.people),
        real(f.assets_yuan),
        s.state.clone().into(),
        rules.state(&s.state).zh.clone().into(),
        if overdue { "是" } else { "否" }.into(),
        s.overdue_days.into(),
        s.late_days.into(),
        date(Some(s.registered_on)),
        date(s.listed_on),
        date(s.deadline),
        date(Some(s.since)),
        i64::from(s.extensions).into(),
        i64::from(s.returns).into(),
        s.responsible.clone().into(),
        f.description.clone().into(),
        f.source.clone().into(),
    ]
}

fn ledger_table<'s>(standing: impl Iterator<Item = &'s Standing>, rules: &LedgerRules) -> Table {
    let mut table = table_of(&LEDGER);
    table.rows = standing.map(|s| row(s, rules)).collect();
    table
}

fn history_table(ledger: &DangerLedger, as_of: Date) -> Table {
    let mut table = table_of(&HISTORY);
    let rules = ledger.rules();
    for e in ledger.entries().iter().filter(|e| e.on <= as_of) {
        let action = rules.transition(&e.action).map_or("", |t| &t.zh);
        table.rows.push(vec![
            e.item.clone().into(),
            i64::from(e.step).into(),
            e.action.clone().into(),
            action.into(),
            e.to.clone().into(),
            rules.state(&e.to).zh.clone().into(),
            date(Some(e.on)),
            e.by.clone().into(),
            e.department.clone().into(),
            e.reason.clone().into(),
            e.evidence.clone().into(),
            e.responsible.clone().into(),
            date(e.deadline),
            e.hash.clone().into(),
        ]);
    }
    table
}

/// Statistics by unit; headings are Chinese, for people.
fn statistics_table(counts: &[UnitCount], rules: &LedgerRules) -> Table {
    let mut columns: Vec<&str> = vec!["县级代码", "县级名称", "隐患总数"];
    columns.extend(rules.states.iter().map(|s| s.zh.as_str()));
    columns.extend([
        "未销账",
        "超期",
        "办理超时",
        "红橙未销账",
        "曾挂账",
        "已销账数",
        "按期销账",
        "销账率",
        "按期率",
        "未销账受威胁人口（人）",
    ]);
    let mut table = Table::new(&columns);
    let whole = |n: u64| Value::Integer(n as i64);
    let share = |a: u64, b: u64| {
        if b == 0 {
            Value::Null
        } else {
            Value::Real((a as f64 / b as f64 * 1e4).round() / 1e4)
        }
    };
    for c in counts {
        let all = c.unit.is_empty();
        let mut row = vec![
            if all {
                "合计".into()
            } else {
                c.unit.clone().into()
            },
            c.name.clone().into(),
            whole(c.items),
        ];
        row.extend(c.states.iter().map(|&n| whole(n)));
        row.extend([
            whole(c.open),
            whole(c.overdue),
            whole(c.late),
            whole(c.grave),
            whole(c.listed),
            whole(c.cancelled),
            whole(c.in_time),
            share(c.cancelled, c.listed),
            share(c.in_time, c.cancelled),
            Value::Real(c.people),
        ]);
        table.rows.push(row);
    }
    table
}

fn rules_table(ledger: &DangerLedger, as_of: Date) -> Table {
    let rules = ledger.rules();
    let mut table = Table::new(&["条目", "内容"]);
    let mut line = |a: &str, b: String| table.rows.push(vec![a.into(), b.into()]);
    line("部门", ledger.department().to_owned());
    line("统计日期", as_of.to_string());
    line(
        "规则",
        format!("{}，版本{}，{}", rules.id, rules.version, rules.status),
    );
    line("规则来源", rules.source.clone());
    for t in &rules.transitions {
        let name = |code: &str| rules.state(code).zh.clone();
        let from: Vec<String> = t.from.iter().map(|f| name(f)).collect();
        line(
            &format!("允许的操作：{}", t.zh),
            format!(
                "{} → {}",
                if from.is_empty() {
                    "（新）".to_owned()
                } else {
                    from.join("、")
                },
                name(&t.to)
            ),
        );
    }
    line("软件", crate::manifest::RELEASE.to_owned());
    table
}

fn folder(out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).map_err(|e| Error::io("creating", out, e))
}

fn text(path: &Path, text: &str) -> Result<()> {
    write_atomic(path, |tmp| {
        std::fs::write(tmp, text).map_err(|e| Error::io("writing", path, e))
    })
}

/// Writes the ledger as it stood on a date: `ledger.xlsx` (台账, 历史, 统计, 规则), `ledger.csv`, `history.csv`, `ledger.gpkg`, and
/// `summary.md`.
///
/// # Errors
/// A damaged ledger; the folder cannot be written.
pub fn export(path: &Path, as_of: Date, out: &Path, zh: bool) -> Result<()> {
    let ledger = super::load(path)?;
    let standing = ledger.standing(as_of);
    let rules = ledger.rules();
    let counts = statistics(&standing, rules);
    let (items, history) = (
        ledger_table(standing.iter(), rules),
        history_table(&ledger, as_of),
    );
    folder(out)?;
    write_csv(&out.join("ledger.csv"), &items)?;
    write_csv(&out.join("history.csv"), &history)?;
    write_xlsx(
        &out.join("ledger.xlsx"),
        &[
            ("台账", &chinese(&items, &LEDGER)),
            ("历史", &chinese(&history, &HISTORY)),
            ("统计", &statistics_table(&counts, rules)),
            ("规则", &rules_table(&ledger, as_of)),
        ],
    )?;
    let layer = Layer {
        source: PathBuf::new(),
        crs: Crs::CGCS2000,
        columns: items.columns.clone(),
        features: standing
            .iter()
            .zip(items.rows)
            .map(|(s, values)| Feature {
                geometry: match (s.facts.lon, s.facts.lat) {
                    (Some(lon), Some(lat)) => Geometry::Point(Point::new(lon, lat)),
                    _ => Geometry::GeometryCollection(GeometryCollection::default()),
                },
                values,
            })
            .collect(),
    };
    write_gpkg(&out.join("ledger.gpkg"), &[("ledger", &layer)])?;
    text(&out.join("summary.md"), &told(&ledger, &counts, as_of, zh))
}

/// Statistics of a ledger on a date, for people.
///
/// # Errors
/// A damaged ledger.
pub fn summary(path: &Path, as_of: Date, zh: bool) -> Result<String> {
    let ledger = super::load(path)?;
    let counts = statistics(&ledger.standing(as_of), ledger.rules());
    Ok(told(&ledger, &counts, as_of, zh))
}

fn told(ledger: &DangerLedger, counts: &[UnitCount], as_of: Date, zh: bool) -> String {
    let rules = ledger.rules();
    let mut out = String::new();
    let department = ledger.department();
    let _ = writeln!(
        out,
        "# {}\n",
        if zh {
            format!("隐患台账（{department}），截至{as_of}")
        } else {
            format!("Hidden-danger ledger ({department}) as of {as_of}")
        }
    );
    let mut head: Vec<String> = if zh {
        vec!["单元".into(), "总数".into()]
    } else {
        vec!["unit".into(), "items".into()]
    };
    head.extend(
        rules
            .states
            .iter()
            .map(|s| if zh { s.zh.clone() } else { s.en.clone() }),
    );
    head.extend(
        if zh {
            ["超期", "按期率"]
        } else {
            ["overdue", "in time"]
        }
        .map(str::to_owned),
    );
    let _ = writeln!(
        out,
        "| {} |\n|{}",
        head.join(" | "),
        " --- |".repeat(head.len())
    );
    for c in counts {
        let name = match (c.unit.is_empty(), zh) {
            (true, true) => "合计".to_owned(),
            (true, false) => "all".to_owned(),
            _ => format!("{} {}", c.unit, c.name),
        };
        let states: Vec<String> = c.states.iter().map(u64::to_string).collect();
        let in_time = if c.cancelled == 0 {
            "–".to_owned()
        } else {
            format!("{:.0}%", 100.0 * c.in_time as f64 / c.cancelled as f64)
        };
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {in_time} |",
            c.items,
            states.join(" | "),
            c.overdue
        );
    }
    out
}

/// Writes the two-monthly hand-over (双月交办) of the period that ends on a date: `handover.xlsx` with a sheet for each turn,
/// `handover.csv`, and `summary.md`.
///
/// # Errors
/// As [`export`].
pub fn hand_over(path: &Path, as_of: Date, out: &Path, zh: bool) -> Result<()> {
    let ledger = super::load(path)?;
    let rules = ledger.rules();
    let h = handover(&ledger, as_of);
    let turns = [
        Turn::Overdue,
        Turn::Due,
        Turn::New,
        Turn::Carried,
        Turn::Unlisted,
        Turn::Closed,
    ];
    let mut all = table_of(&LEDGER);
    all.columns.insert(0, "turn_zh".into());
    for (turn, s) in &h.items {
        let mut cells = row(s, rules);
        cells.insert(0, turn.name_zh().into());
        all.rows.push(cells);
    }
    folder(out)?;
    write_csv(&out.join("handover.csv"), &all)?;
    let counts = by_unit(&h, &turns);
    let mut sheets: Vec<(String, Table)> = vec![("交办汇总".into(), counts.clone())];
    for turn in turns {
        let items = h.items.iter().filter(|(t, _)| *t == turn).map(|(_, s)| s);
        sheets.push((
            turn.name_zh().into(),
            chinese(&ledger_table(items, rules), &LEDGER),
        ));
    }
    sheets.push(("规则".into(), rules_table(&ledger, as_of)));
    let sheets: Vec<(&str, &Table)> = sheets.iter().map(|(n, t)| (n.as_str(), t)).collect();
    write_xlsx(&out.join("handover.xlsx"), &sheets)?;
    let mut md = String::new();
    let _ = writeln!(
        md,
        "# {}\n",
        if zh {
            format!(
                "隐患双月交办（{}），{}至{}；下一期至{}",
                ledger.department(),
                h.from,
                h.to,
                h.next
            )
        } else {
            format!(
                "Hand-over ({}), {} to {}; next period to {}",
                ledger.department(),
                h.from,
                h.to,
                h.next
            )
        }
    );
    let _ = writeln!(
        md,
        "| {} |\n|{}",
        counts.columns.join(" | "),
        " --- |".repeat(counts.columns.len())
    );
    for r in &counts.rows {
        let cells: Vec<String> = r.iter().map(ToString::to_string).collect();
        let _ = writeln!(md, "| {} |", cells.join(" | "));
    }
    text(&out.join("summary.md"), &md)
}

/// Items by unit and turn, all together last.
fn by_unit(h: &Handover, turns: &[Turn]) -> Table {
    let mut columns = vec!["县级代码", "县级名称"];
    columns.extend(turns.iter().map(|t| t.name_zh()));
    columns.push("合计");
    let mut table = Table::new(&columns);
    let mut units: Vec<(&str, &str)> = h
        .items
        .iter()
        .map(|(_, s)| (s.facts.unit.as_str(), s.facts.unit_name.as_str()))
        .collect();
    units.sort_unstable();
    units.dedup_by_key(|u| u.0);
    for unit in units.iter().map(|u| Some(*u)).chain([None]) {
        let of = |turn: Option<Turn>| {
            let n = h
                .items
                .iter()
                .filter(|(t, s)| {
                    turn.is_none_or(|k| *t == k) && unit.is_none_or(|u| s.facts.unit == u.0)
                })
                .count();
            Value::Integer(n as i64)
        };
        let (code, name) = unit.unwrap_or(("合计", ""));
        let mut row: Vec<Value> = vec![code.into(), name.into()];
        row.extend(turns.iter().map(|t| of(Some(*t))));
        row.push(of(None));
        table.rows.push(row);
    }
    table
}
