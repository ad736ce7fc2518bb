//! The report as files.

use super::Report;
use super::reported::Reported;
use crate::stages::Context;
use crate::stages::lists::ground::Ground;
use crate::stages::lists::tables::response_zh;
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::{Value, write_atomic};
use anlan_engine::{Error, Result};
use anlan_models::cartography::SheetLanguage;
use anlan_models::fire::danger::month_of;
use anlan_models::lists::fast_report::{Figures, compare};
use std::fmt::Write as _;
use std::path::Path;

/// A line of the report: level (1 region, 2 county, 3 township), code, name, figures.
struct Line<'a> {
    level: u8,
    code: &'a str,
    name: &'a str,
    figures: &'a [Option<u64>],
}

fn lines<'a>(ctx: &'a Context<'_>, ground: &'a Ground, report: &'a Report) -> Vec<Line<'a>> {
    let f = &report.figures;
    let mut out = vec![Line {
        level: 1,
        code: &ctx.project.project.code,
        name: &ctx.project.project.name,
        figures: &f.region,
    }];
    for (u, unit) in ground.units.iter().enumerate() {
        out.push(Line {
            level: 2,
            code: &unit.code,
            name: &unit.name,
            figures: &f.counties[u],
        });
        for (k, &t) in report.members[u].iter().enumerate() {
            out.push(Line {
                level: 3,
                code: &ground.townships[t].code,
                name: &ground.townships[t].name,
                figures: &f.townships[u][k],
            });
        }
    }
    out
}

fn shown(report: &Report, field: usize, steps: Option<u64>) -> Option<f64> {
    steps.map(|s| Figures::shown(&report.form, field, s))
}

fn cell(v: Option<f64>) -> Value {
    match v {
        Some(v) if v.fract() == 0.0 && v.abs() < 9e15 => Value::Integer(v as i64),
        Some(v) => Value::Real(v),
        None => Value::Null,
    }
}

fn main_table(lines: &[Line<'_>], report: &Report, zh: bool) -> Table {
    let mut columns: Vec<&str> = if zh {
        vec!["层级", "区划代码", "名称"]
    } else {
        vec!["level", "code", "name"]
    };
    columns.extend(
        report
            .form
            .fields
            .iter()
            .map(|f| (if zh { &f.zh } else { &f.code }).as_str()),
    );
    let mut table = Table::new(&columns);
    for l in lines {
        let level = match (zh, l.level) {
            (true, 1) => "地市",
            (true, 2) => "区县",
            (true, _) => "乡镇",
            (false, 1) => "region",
            (false, 2) => "county",
            (false, _) => "township",
        };
        let mut row: Vec<Value> = vec![level.into(), l.code.into(), l.name.into()];
        row.extend(
            l.figures
                .iter()
                .enumerate()
                .map(|(k, &s)| cell(shown(report, k, s))),
        );
        table.rows.push(row);
    }
    table
}

fn about(ctx: &Context<'_>, report: &Report) -> Table {
    let mut table = Table::new(&["条目", "内容"]);
    let mut line = |a: &str, b: String| table.rows.push(vec![a.into(), b.into()]);
    let e = &report.event;
    let hazards: Vec<&str> = e.hazards.iter().map(|h| h.name_zh()).collect();
    line(
        "性质",
        "模型估算，不是上报数；随机模拟事件，不对应历史或实时灾害".into(),
    );
    line(
        "事件",
        format!(
            "{}（模拟第{}年，{}月，{}）",
            e.id(),
            e.year,
            month_of(e.day as u16),
            hazards.join("、")
        ),
    );
    line(
        "重现期",
        format!(
            "约{:.1}年（按直接经济损失在{}个模拟年中的排位）",
            report.return_period, ctx.project.losses.years
        ),
    );
    line(
        "响应等级",
        format!(
            "{}（{}，{}；死亡失踪未计）",
            response_zh(&report.triggers, report.response),
            report.triggers.id,
            report.triggers.status
        ),
    );
    line(
        "报表",
        format!(
            "{}，版本{}，{}；{}",
            report.form.id, report.form.version, report.form.status, report.form.source
        ),
    );
    for f in report.form.fields.iter().filter(|f| !f.unknown.is_empty()) {
        line(&format!("留空：{}", f.zh), f.unknown.clone());
    }
    line(
        "集中与分散安置",
        format!(
            "分散安置（投亲靠友）比例{:.0}%（项目参数）",
            100.0 * ctx.project.relief.elsewhere_share
        ),
    );
    line("倒塌户数", "倒塌间数除以该县户均间数".into());
    line(
        "合计",
        "乡镇之和等于区县，区县之和等于地市；四舍五入余数按最大余数法分配".into(),
    );
    line("受灾面积", "损坏10%及以上的农作物面积".into());
    for mark in ctx.marks() {
        line("标记", mark.text(SheetLanguage::Zh).to_owned());
    }
    line("软件", crate::manifest::RELEASE.to_owned());
    table
}

fn indicators(ctx: &Context<'_>, ground: &Ground, report: &Report) -> Table {
    let limit = 100.0 * report.form.gdp_share;
    let above = format!("损失超GDP {limit}%");
    let mut table = Table::new(&[
        "区划代码",
        "名称",
        "本次损失/GDP（%）",
        &above,
        "年损失超GDP 1%的概率",
    ]);
    let names = ground
        .units
        .iter()
        .map(|u| (&u.code, &u.name))
        .chain([(&ctx.project.project.code, &ctx.project.project.name)]);
    for (n, (code, name)) in names.enumerate() {
        let share = report.per_gdp[n];
        table.rows.push(vec![
            code.clone().into(),
            name.clone().into(),
            ((share * 1e6).round() / 1e4).into(),
            if share > report.form.gdp_share {
                "是"
            } else {
                "否"
            }
            .into(),
            report.above[n].map_or(Value::Null, Value::Real),
        ]);
    }
    table
}

fn comparison(lines: &[Line<'_>], report: &Report, reported: &Reported) -> Table {
    let mut table = Table::new(&[
        "code",
        "name",
        "field",
        "field_zh",
        "modelled",
        "reported",
        "difference",
        "ratio",
        "flagged",
    ]);
    for l in lines {
        let Some(told) = reported.get(l.code) else {
            continue;
        };
        for (k, field) in report.form.fields.iter().enumerate() {
            if told[k].is_none() {
                continue;
            }
            let c = compare(
                shown(report, k, l.figures[k]),
                told[k],
                report.form.flag_factor,
            );
            let real =
                |v: Option<f64>| v.map_or(Value::Null, |v| Value::Real((v * 1e4).round() / 1e4));
            table.rows.push(vec![
                l.code.into(),
                l.name.into(),
                field.code.clone().into(),
                field.zh.clone().into(),
                cell(c.modelled),
                cell(c.reported),
                real(c.difference),
                real(c.ratio),
                match (c.modelled, c.flagged) {
                    (None, _) => "模型未估算",
                    (_, true) => "差异大",
                    (_, false) => "",
                }
                .into(),
            ]);
        }
    }
    table
}

pub(super) fn write(
    ctx: &Context<'_>,
    ground: &Ground,
    report: &Report,
    reported: Option<&Reported>,
    folder: &Path,
    zh: bool,
) -> Result<()> {
    let lines = lines(ctx, ground, report);
    write_csv(
        &folder.join("fast_report.csv"),
        &main_table(&lines, report, false),
    )?;
    let comparison = reported.map(|r| comparison(&lines, report, r));
    let mut sheets: Vec<(&str, Table)> = vec![
        ("灾情快报", main_table(&lines, report, true)),
        ("指标", indicators(ctx, ground, report)),
    ];
    if let Some(table) = &comparison {
        write_csv(&folder.join("comparison.csv"), table)?;
        sheets.push((
            "模型与上报对比",
            crate::stages::lists::tables::chinese(table),
        ));
    }
    sheets.push(("说明", about(ctx, report)));
    let sheets: Vec<(&str, &Table)> = sheets.iter().map(|(n, t)| (*n, t)).collect();
    write_xlsx(&folder.join("fast_report.xlsx"), &sheets)?;
    let path = folder.join("summary.md");
    let text = summary(ctx, report, &lines, comparison.as_ref(), zh);
    write_atomic(&path, |tmp| {
        std::fs::write(tmp, text).map_err(|e| Error::io("writing", &path, e))
    })
}

fn summary(
    ctx: &Context<'_>,
    report: &Report,
    lines: &[Line<'_>],
    comparison: Option<&Table>,
    zh: bool,
) -> String {
    let mut out = String::new();
    let e = &report.event;
    let name = if zh {
        &ctx.project.project.name
    } else {
        &ctx.project.project.name_en
    };
    let hazards: Vec<&str> = e
        .hazards
        .iter()
        .map(|h| if zh { h.name_zh() } else { h.name() })
        .collect();
    let _ = writeln!(
        out,
        "# {name}{}\n",
        if zh {
            "灾情快报（模型估算）"
        } else {
            ": loss fast report (modelled)"
        }
    );
    for mark in ctx.marks() {
        let language = if zh {
            SheetLanguage::Zh
        } else {
            SheetLanguage::En
        };
        let _ = writeln!(out, "> **{}**\n", mark.text(language));
    }
    let level = match (report.response, zh) {
        (level, true) => response_zh(&report.triggers, level),
        (Some(level), false) => format!("level {level}"),
        (None, false) => "none reached".into(),
    };
    let _ = writeln!(
        out,
        "{}\n",
        if zh {
            format!(
                "事件{}：{}；直接经济损失重现期约{:.0}年；{level}（{}）。",
                e.id(),
                hazards.join("、"),
                report.return_period,
                report.triggers.id
            )
        } else {
            format!(
                "Event {}: {}; its direct loss comes once in about {:.0} years; response: {level} ({}).",
                e.id(),
                hazards.join(", "),
                report.return_period,
                report.triggers.id
            )
        }
    );
    let told: Vec<usize> = (0..report.form.fields.len())
        .filter(|&k| {
            report.form.fields[k].unknown.is_empty()
                && !report.form.fields[k].code.starts_with("loss_")
        })
        .collect();
    let head: Vec<&str> = told
        .iter()
        .map(|&k| {
            let f = &report.form.fields[k];
            if zh { f.zh.as_str() } else { f.en.as_str() }
        })
        .collect();
    let _ = writeln!(
        out,
        "| {} | {} |\n| --- |{}",
        if zh { "单元" } else { "unit" },
        head.join(" | "),
        " --- |".repeat(head.len())
    );
    for l in lines.iter().filter(|l| l.level <= 2) {
        let cells: Vec<String> = told
            .iter()
            .map(|&k| shown(report, k, l.figures[k]).map_or_else(String::new, |v| format!("{v}")))
            .collect();
        let _ = writeln!(out, "| {} {} | {} |", l.code, l.name, cells.join(" | "));
    }
    let share = report.per_gdp.last().copied().unwrap_or(f64::NAN);
    let above = report.above.last().copied().flatten();
    let above = above.map_or_else(|| "–".to_owned(), |p| format!("{:.2}%", 100.0 * p));
    let blank: Vec<&str> = report
        .form
        .fields
        .iter()
        .filter(|f| !f.unknown.is_empty())
        .map(|f| if zh { f.zh.as_str() } else { f.en.as_str() })
        .collect();
    let _ = writeln!(
        out,
        "\n{}",
        if zh {
            format!(
                "本次损失占GDP {:.3}%；年损失超GDP 1%的概率{above}。\n\n留空（模型不估算）：{}。",
                100.0 * share,
                blank.join("、")
            )
        } else {
            format!(
                "Loss over GDP: {:.3} %; probability that a year's loss exceeds 1 % of the GDP: {above}.\n\nLeft blank (not modelled): {}.",
                100.0 * share,
                blank.join(", ")
            )
        }
    );
    if let Some(table) = comparison {
        let flagged = table
            .rows
            .iter()
            .filter(|r| r[8].to_string() == "差异大")
            .count();
        let _ = writeln!(
            out,
            "\n{}",
            if zh {
                format!(
                    "与上报数对比{}项，差异大（超过{}倍）{flagged}项。",
                    table.rows.len(),
                    report.form.flag_factor
                )
            } else {
                format!(
                    "{} reported figures compared, {flagged} differ by more than a factor of {}.",
                    table.rows.len(),
                    report.form.flag_factor
                )
            }
        );
    }
    out
}
