//! Steps from tables.

use anlan_engine::io::Value;
use anlan_engine::io::table::{self, Table};
use anlan_engine::{Error, Fault, Result};
use anlan_models::danger_ledger::{Date, Facts, Step};
use std::path::PathBuf;

/// Columns of a table of steps, each with the Chinese headings accepted beside it; the first four must be there.
const COLUMNS: [(&str, &[&str]); 21] = [
    ("item", &["编号", "隐患编号"]),
    ("action", &["操作", "动作"]),
    ("on", &["日期", "办理日期"]),
    ("by", &["经办人"]),
    ("department", &["部门"]),
    ("reason", &["事由", "原因"]),
    ("evidence", &["佐证", "佐证材料"]),
    ("responsible", &["责任人"]),
    ("deadline", &["期限", "整改期限"]),
    ("name", &["名称", "隐患名称"]),
    ("kind", &["类别"]),
    ("hazard", &["灾种"]),
    ("unit", &["县级代码", "区划代码"]),
    ("unit_name", &["县级名称"]),
    ("township", &["乡镇代码"]),
    ("level", &["级别"]),
    ("lon", &["经度"]),
    ("lat", &["纬度"]),
    ("people", &["受威胁人口", "威胁人数"]),
    ("assets_yuan", &["受威胁资产", "威胁财产_元"]),
    ("description", &["隐患描述", "描述"]),
];
const NEEDED: usize = 4;

/// Steps of a table, each with its place in the file. A registration takes what the danger is from the further columns.
///
/// # Errors
/// All faults together: columns missing, dates that are none, figures that are no numbers.
pub fn read_steps(table: &Table) -> Result<Vec<(String, Step)>> {
    let mut faults = Vec::new();
    let at = COLUMNS.map(|(english, chinese)| {
        std::iter::once(&english)
            .chain(chinese)
            .find_map(|name| table.column(name))
    });
    for (place, (english, chinese)) in at.iter().zip(COLUMNS).take(NEEDED) {
        if place.is_none() {
            faults.push(
                Fault::new(
                    &table.source,
                    format!("columns {}", table.columns.join(", ")),
                    format!("a column `{english}` ({})", chinese[0]),
                    "add or rename the column",
                )
                .at("header"),
            );
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let column = |name: &str| COLUMNS.iter().position(|c| c.0 == name).and_then(|k| at[k]);
    let mut out = Vec::new();
    for (i, row) in table.rows.iter().enumerate() {
        if row.iter().all(Value::is_null) {
            continue;
        }
        let text = |name: &str| {
            column(name).map_or_else(String::new, |c| row[c].to_string().trim().to_owned())
        };
        let mut fault = |name: &str, expected: &str| {
            let place = column(name).map_or_else(String::new, |c| table.place(i, c));
            faults.push(
                Fault::new(
                    &table.source,
                    format!("`{}`", text(name)),
                    expected,
                    "correct the cell",
                )
                .at(place),
            );
        };
        let mut date = |name: &str| match text(name) {
            t if t.is_empty() => None,
            t => Date::parse(&t).or_else(|| {
                fault(name, "a date such as 2026-03-15");
                None
            }),
        };
        let (on, deadline) = (date("on"), date("deadline"));
        let mut figure = |name: &str| match text(name) {
            t if t.is_empty() => None,
            t => t.parse::<f64>().ok().or_else(|| {
                fault(name, "a number");
                None
            }),
        };
        let [lon, lat, people, assets_yuan] =
            ["lon", "lat", "people", "assets_yuan"].map(&mut figure);
        let level = match text("level").as_str() {
            "红" => 1,
            "橙" => 2,
            "黄" => 3,
            "蓝" => 4,
            _ => figure("level").map_or(0, |v| v.clamp(0.0, 255.0) as u8),
        };
        let registers = ["register", "登记"].contains(&text("action").as_str());
        let facts = registers.then(|| Facts {
            name: text("name"),
            kind: text("kind"),
            hazard: text("hazard"),
            unit: text("unit"),
            unit_name: text("unit_name"),
            township: text("township"),
            level,
            lon,
            lat,
            people,
            assets_yuan,
            description: text("description"),
            source: table
                .source
                .file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
        });
        out.push((
            format!("row {}", table.first_row + i),
            Step {
                item: text("item"),
                action: text("action"),
                on,
                by: text("by"),
                department: text("department"),
                reason: text("reason"),
                evidence: text("evidence"),
                responsible: text("responsible"),
                deadline,
                facts,
            },
        ));
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(Error::Input(faults))
    }
}

/// What is registered from a risk list.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The risk list: `lists/risk_list.csv` of a run.
    pub list: PathBuf,
    /// Kinds of objects; all where empty.
    pub kinds: Vec<String>,
    /// Levels from 1 to this one.
    pub up_to_level: u8,
    /// Day.
    pub on: Date,
    /// Who.
    pub by: String,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Items registered.
    pub registered: usize,
    /// Items that the ledger knew.
    pub known: usize,
    /// Of these, the ones whose level or people differ from those of their registration; the ledger is not changed.
    pub changed: Vec<String>,
}

/// Registrations from a risk list.
pub(super) fn from_risk_list(import: &Import) -> Result<Vec<(String, Step)>> {
    let table = table::read(&import.list)?;
    let names = [
        "id",
        "kind",
        "name",
        "unit",
        "unit_name",
        "township",
        "hazard",
        "level",
        "lon",
        "lat",
        "people",
        "assets_yuan",
        "note",
        "depth_m",
    ];
    let at = names
        .iter()
        .map(|name| table.require(name))
        .collect::<Result<Vec<_>>>()?;
    let known: Vec<String> = {
        let mut kinds: Vec<String> = table.rows.iter().map(|r| r[at[1]].to_string()).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    };
    if let Some(unknown) = import.kinds.iter().find(|k| !known.contains(k)) {
        return Err(Error::input(
            Fault::new(
                &import.list,
                format!("`{unknown}`"),
                format!("one of {}", known.join(", ")),
                "name a kind that the list holds",
            )
            .at("--kinds"),
        ));
    }
    let mut out = Vec::new();
    for (i, row) in table.rows.iter().enumerate() {
        let text = |k: usize| row[at[k]].to_string();
        let number = |k: usize| row[at[k]].as_f64();
        let level = number(7).unwrap_or(0.0) as u8;
        let wanted = import.kinds.is_empty() || import.kinds.contains(&text(1));
        if !wanted || level > import.up_to_level {
            continue;
        }
        let depth = number(13).map_or_else(String::new, |d| format!("水深{d} m"));
        let description: Vec<String> = [text(12), depth]
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect();
        out.push((
            format!("{}, row {}", import.list.display(), table.first_row + i),
            Step {
                item: text(0),
                action: "register".into(),
                on: Some(import.on),
                by: import.by.clone(),
                facts: Some(Facts {
                    name: text(2),
                    kind: text(1),
                    hazard: text(6),
                    unit: text(3),
                    unit_name: text(4),
                    township: text(5),
                    level,
                    lon: number(8),
                    lat: number(9),
                    people: number(10),
                    assets_yuan: number(11),
                    description: description.join("；"),
                    source: import
                        .list
                        .file_name()
                        .map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
                }),
                ..Step::default()
            },
        ));
    }
    Ok(out)
}
