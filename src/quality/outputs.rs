//! Lists, summary and corrected tables of a quality check.

use super::Given;
use super::workbook;
use crate::manifest::{Draft, RELEASE};
use anlan_engine::io::table::{
    BookSheet, Table, column_letters, write_book, write_cells, write_csv,
};
use anlan_engine::io::{Value, write_atomic};
use anlan_engine::{Error, Result};
use anlan_models::census::quality::report::{self, Tally};
use anlan_models::census::quality::{CellAt, Finding, Inspection, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

pub(super) fn write(given: &Given, found: &Inspection, zh: bool, draft: &Draft) -> Result<()> {
    let names = RuleNames::new(given);
    write_csv(
        &draft.file("findings.csv")?,
        &findings_table(given, found, &names, zh),
    )?;
    write_csv(
        &draft.file("fixes.csv")?,
        &fixes_table(given, found, &names, zh),
    )?;
    write_csv(&draft.file("by_unit.csv")?, &units_table(given, found, zh))?;
    write_csv(&draft.file("by_rule.csv")?, &rules_table(found, &names, zh))?;
    let path = draft.file("summary.md")?;
    let text = summary(given, found, &names, zh);
    write_atomic(&path, |tmp| {
        std::fs::write(tmp, &text).map_err(|e| Error::io("writing", &path, e))
    })?;
    if given.file.output.workbook {
        let name = if zh {
            "质检结果.xlsx"
        } else {
            "quality.xlsx"
        };
        workbook::write(given, found, &names, zh, &draft.file(name)?)?;
    }
    if given.file.output.fixed {
        fixed(given, found, draft)?;
    }
    Ok(())
}

/// Names of rules, built in or of tables.
pub(super) struct RuleNames(BTreeMap<String, (String, String)>);

impl RuleNames {
    fn new(given: &Given) -> Self {
        let own = given
            .book
            .tables
            .values()
            .flat_map(|t| t.rule.iter().map(|r| (&r.id, &r.name, &r.name_zh)));
        let common = given.book.common.rule.iter();
        let all = common.map(|r| (&r.id, &r.name, &r.name_zh)).chain(own);
        RuleNames(
            all.map(|(id, en, zh)| (id.clone(), (en.clone(), zh.clone())))
                .collect(),
        )
    }

    /// The name of a rule; its id where it has none.
    pub(super) fn of(&self, id: &str, zh: bool) -> &str {
        match self.0.get(id) {
            Some((_, name)) if zh => name,
            Some((name, _)) => name,
            None => "",
        }
    }
}

pub(super) fn severity_word(severity: Severity, zh: bool) -> &'static str {
    match (severity, zh) {
        (Severity::Error, true) => "错误",
        (Severity::Warning, true) => "警告",
        (Severity::Note, true) => "提示",
        (Severity::Error, false) => "error",
        (Severity::Warning, false) => "warning",
        (Severity::Note, false) => "note",
    }
}

/// Name of a table for people.
pub(super) fn table_name(given: &Given, table: usize, zh: bool) -> String {
    let input = &given.tables[table];
    let rules = &given.book.tables[&input.kind];
    let name = match (input.name.is_empty(), zh) {
        (false, _) => input.name.clone(),
        (true, true) => rules.name_zh.clone(),
        (true, false) => rules.name.clone(),
    };
    match (input.earlier_of, zh) {
        (None, _) => name,
        (Some(_), true) => format!("{name}（上年度）"),
        (Some(_), false) => format!("{name} (earlier)"),
    }
}

/// A cell as spreadsheets name it.
pub(super) fn cell_name(at: CellAt) -> String {
    match (at.row, at.column) {
        (Some(r), Some(c)) => format!("{}{}", column_letters(c), r + 1),
        (Some(r), None) => format!("{0}:{0}", r + 1),
        _ => String::new(),
    }
}

fn file_name(given: &Given, table: usize) -> String {
    let source = &given.tables[table].sheet.source;
    source
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

fn number(n: Option<usize>) -> Value {
    n.map_or(Value::Null, |n| Value::Integer(n as i64 + 1))
}

/// Name of the county or higher unit of a code, from tables of units.
pub(super) fn unit_names(found: &Inspection) -> BTreeMap<&str, &str> {
    let all = found.tables.iter().flat_map(|t| &t.names);
    all.map(|(code, name)| (code.as_str(), name.as_str()))
        .collect()
}

/// All findings, the columns that name a finding as the list of accepted ones wants them.
pub(super) fn findings_table(
    given: &Given,
    found: &Inspection,
    names: &RuleNames,
    zh: bool,
) -> Table {
    let mut table = Table::new(&[
        "severity",
        "rule",
        "rule_name",
        "table",
        "table_name",
        "file",
        "sheet",
        "cell",
        "row",
        "column",
        "key",
        "field",
        "unit",
        "unit_name",
        "value",
        "found",
        "expected",
        "remedy",
        "fixed",
        "accepted",
        "other_cells",
    ]);
    let units = unit_names(found);
    for f in &found.findings {
        let input = &given.tables[f.at.table];
        let yes = if zh { "是" } else { "yes" };
        table.rows.push(vec![
            severity_word(f.severity, zh).into(),
            f.rule.as_str().into(),
            names.of(&f.rule, zh).into(),
            input.kind.as_str().into(),
            table_name(given, f.at.table, zh).into(),
            file_name(given, f.at.table).into(),
            input.sheet.sheet.clone().map_or(Value::Null, Value::Text),
            cell_name(f.at).into(),
            number(f.at.row),
            header_of(given, found, f).into(),
            f.key.as_str().into(),
            f.field.as_str().into(),
            f.unit.as_str().into(),
            units.get(f.unit.as_str()).copied().unwrap_or("").into(),
            f.value.as_str().into(),
            f.found.get(zh).into(),
            f.expected.get(zh).into(),
            f.remedy.get(zh).into(),
            if f.fixed { yes } else { "" }.into(),
            f.accepted.clone().unwrap_or_default().into(),
            others(given, f, zh).into(),
        ]);
    }
    table
}

/// Cells of a finding beside its own; of many the first.
fn others(given: &Given, f: &Finding, zh: bool) -> String {
    const MOST: usize = 12;
    let mut out: Vec<String> = (f.others.iter().take(MOST))
        .map(|at| match at.table == f.at.table {
            true => cell_name(*at),
            false => format!("{}!{}", table_name(given, at.table, zh), cell_name(*at)),
        })
        .collect();
    if f.others.len() > MOST {
        out.push(format!("… ({})", f.others.len()));
    }
    out.join(" ")
}

fn header_of(given: &Given, found: &Inspection, f: &Finding) -> String {
    let Some(column) = f.at.column else {
        return String::new();
    };
    let row = found.tables[f.at.table].header;
    given.tables[f.at.table].sheet.rows[row]
        .get(column)
        .map_or_else(String::new, |v| v.to_string().trim().to_owned())
}

pub(super) fn fixes_table(given: &Given, found: &Inspection, names: &RuleNames, zh: bool) -> Table {
    let mut table = Table::new(&[
        "table",
        "table_name",
        "file",
        "sheet",
        "cell",
        "row",
        "rule",
        "rule_name",
        "old",
        "new",
    ]);
    for fix in &found.fixes {
        let input = &given.tables[fix.at.table];
        let name: Vec<&str> = fix.rule.split(", ").map(|r| names.of(r, zh)).collect();
        let gone = if zh {
            "（整行删除）"
        } else {
            "(row taken out)"
        };
        table.rows.push(vec![
            input.kind.as_str().into(),
            table_name(given, fix.at.table, zh).into(),
            file_name(given, fix.at.table).into(),
            input.sheet.sheet.clone().map_or(Value::Null, Value::Text),
            cell_name(fix.at).into(),
            number(fix.at.row),
            fix.rule.as_str().into(),
            name.join(if zh { "、" } else { ", " }).into(),
            shown(&fix.old).into(),
            if fix.at.column.is_none() {
                gone.into()
            } else {
                shown(&fix.new).into()
            },
        ]);
    }
    table
}

/// A text in which characters that do not print are seen.
fn shown(text: &str) -> String {
    let strange = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}'
            )
    };
    let edge = text.trim() != text;
    let mut out: String = text
        .chars()
        .flat_map(|c| match strange(c) {
            true => format!("<U+{:04X}>", c as u32).chars().collect::<Vec<_>>(),
            false => vec![c],
        })
        .collect();
    if edge {
        out = format!("“{out}”");
    }
    out
}

fn tallies(t: &Tally) -> [Value; 5] {
    [t.errors, t.warnings, t.notes, t.fixed, t.accepted].map(|n| Value::Integer(n as i64))
}

/// Findings by county or higher unit.
pub(super) fn units_table(given: &Given, found: &Inspection, zh: bool) -> Table {
    let mut table = Table::new(&[
        "unit",
        "unit_name",
        "records",
        "errors",
        "warnings",
        "notes",
        "fixed",
        "accepted",
        "per_1000_records",
    ]);
    let names = unit_names(found);
    let mut records: BTreeMap<&str, usize> = BTreeMap::new();
    for (input, facts) in given.tables.iter().zip(&found.tables) {
        for (unit, n) in facts.by_unit.iter().filter(|_| input.earlier_of.is_none()) {
            *records.entry(unit).or_default() += n;
        }
    }
    let by_unit = report::by(&found.findings, |f| f.unit.as_str());
    let units: BTreeSet<&str> = records.keys().chain(by_unit.keys()).copied().collect();
    for unit in units {
        let tally = by_unit.get(unit).copied().unwrap_or_default();
        let n = records.get(unit).copied().unwrap_or(0);
        let name = match (unit.is_empty(), zh) {
            (true, true) => "（无单元代码或整表）",
            (true, false) => "(no unit, or whole tables)",
            _ => names.get(unit).copied().unwrap_or(""),
        };
        let stand = (tally.errors + tally.warnings) as f64;
        let share = match n {
            0 => Value::Null,
            n => Value::Real((stand / n as f64 * 10_000.0).round() / 10.0),
        };
        let mut row = vec![unit.into(), name.into(), Value::Integer(n as i64)];
        row.extend(tallies(&tally));
        row.push(share);
        table.rows.push(row);
    }
    table
}

/// Findings by rule, with rules that found nothing.
pub(super) fn rules_table(found: &Inspection, names: &RuleNames, zh: bool) -> Table {
    let mut table = Table::new(&[
        "rule",
        "rule_name",
        "judged",
        "errors",
        "warnings",
        "notes",
        "fixed",
        "accepted",
    ]);
    let by_rule = report::by(&found.findings, |f| f.rule.as_str());
    let rules: BTreeSet<&str> = (found.judged.keys().map(String::as_str))
        .chain(by_rule.keys().copied())
        .collect();
    for rule in rules {
        let tally = by_rule.get(rule).copied().unwrap_or_default();
        let judged = found.judged.get(rule).copied();
        let mut row = vec![
            rule.into(),
            names.of(rule, zh).into(),
            judged.map_or(Value::Null, |n| Value::Integer(n as i64)),
        ];
        row.extend(tallies(&tally));
        table.rows.push(row);
    }
    table
}

/// Findings by table.
pub(super) fn tables_table(given: &Given, found: &Inspection, zh: bool) -> Table {
    let mut table = Table::new(&[
        "table_name",
        "file",
        "sheet",
        "encoding",
        "header_row",
        "records",
        "errors",
        "warnings",
        "notes",
        "fixed",
        "accepted",
    ]);
    let by_table = report::by(&found.findings, |f| f.at.table);
    for (i, (input, facts)) in given.tables.iter().zip(&found.tables).enumerate() {
        let tally = by_table.get(&i).copied().unwrap_or_default();
        let encoding = match input.sheet.sheet {
            Some(_) => "Excel",
            None => input.sheet.encoding.name(),
        };
        let mut row = vec![
            table_name(given, i, zh).into(),
            file_name(given, i).into(),
            input.sheet.sheet.clone().map_or(Value::Null, Value::Text),
            encoding.into(),
            number(Some(facts.header)),
            Value::Integer(facts.records as i64),
        ];
        row.extend(tallies(&tally));
        table.rows.push(row);
    }
    table
}

/// Columns of the tables in Chinese.
pub(super) fn heading(name: &str, zh: bool) -> &str {
    if !zh {
        return name;
    }
    match name {
        "severity" => "严重程度",
        "rule" => "规则",
        "rule_name" => "规则名称",
        "table" => "表类",
        "table_name" => "表",
        "file" => "文件",
        "sheet" => "工作表",
        "encoding" => "编码",
        "header_row" => "表头行",
        "cell" => "单元格",
        "row" => "行",
        "column" => "列",
        "key" => "记录编码",
        "field" => "字段",
        "unit" => "单元代码",
        "unit_name" => "单元名称",
        "value" => "原值",
        "found" => "问题",
        "expected" => "应为",
        "remedy" => "处理",
        "fixed" => "自动修正",
        "accepted" => "核实属实",
        "other_cells" => "相关单元格",
        "old" => "原值",
        "new" => "修正值",
        "records" => "记录数",
        "judged" => "检查数",
        "errors" => "错误",
        "warnings" => "警告",
        "notes" => "提示",
        "per_1000_records" => "每千条记录错误与警告",
        other => other,
    }
}

/// A table as Markdown.
fn markdown(table: &Table, columns: &[&str], zh: bool, most: usize) -> String {
    let at: Vec<usize> = columns.iter().filter_map(|c| table.column(c)).collect();
    let mut out = String::new();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let heads = at
        .iter()
        .map(|c| heading(&table.columns[*c], zh).to_owned());
    out.push_str(&line(heads.collect()));
    out.push_str(&line(vec!["---".to_owned(); at.len()]));
    for row in table.rows.iter().take(most) {
        let cell = |c: &usize| row[*c].to_string().replace('|', "\\|").replace('\n', " ");
        out.push_str(&line(at.iter().map(cell).collect()));
    }
    if table.rows.len() > most {
        let more = table.rows.len() - most;
        let _ = match zh {
            true => writeln!(out, "\n另有{more}行，见CSV。"),
            false => writeln!(out, "\n{more} more rows in the CSV."),
        };
    }
    out
}

/// Leaves rows of a table of counts in which something was found.
fn only_told(table: &mut Table) {
    let counts: Vec<usize> = ["errors", "warnings", "notes", "accepted"]
        .iter()
        .filter_map(|c| table.column(c))
        .collect();
    (table.rows).retain(|row| counts.iter().any(|c| row[*c] != Value::Integer(0)));
}

fn summary(given: &Given, found: &Inspection, names: &RuleNames, zh: bool) -> String {
    let tally = report::overall(&found.findings);
    let mut out = String::new();
    let title = &given.file.name;
    let records: usize = (given.tables.iter().zip(&found.tables))
        .filter(|(t, _)| t.earlier_of.is_none())
        .map(|(_, f)| f.records)
        .sum();
    let verdict = match (tally.errors, zh) {
        (0, true) => "**没有错误**。".to_owned(),
        (0, false) => "**No errors stand.**".to_owned(),
        (n, true) => format!("**尚有{n}处错误，应更正或核实后再上报。**"),
        (n, false) => format!("**{n} errors stand: correct or verify them before handing in.**"),
    };
    let _ = match zh {
        true => writeln!(
            out,
            "# {title}：数据质检\n\n检查{records}条记录：错误{}，警告{}，提示{}；其中自动修正{}处，核实属实{}处。{verdict}\n\n## 各表\n",
            tally.errors, tally.warnings, tally.notes, tally.fixed, tally.accepted
        ),
        false => writeln!(
            out,
            "# {title}: data quality\n\n{records} records checked: {} errors, {} warnings, {} notes; {} mended, {} accepted. {verdict}\n\n## Tables\n",
            tally.errors, tally.warnings, tally.notes, tally.fixed, tally.accepted
        ),
    };
    out.push_str(&markdown(
        &tables_table(given, found, zh),
        &[
            "table_name",
            "file",
            "sheet",
            "records",
            "errors",
            "warnings",
            "notes",
            "fixed",
        ],
        zh,
        100,
    ));
    let mut rules = rules_table(found, names, zh);
    only_told(&mut rules);
    out.push_str(if zh {
        "\n## 按规则\n\n"
    } else {
        "\n## By rule\n\n"
    });
    out.push_str(&markdown(
        &rules,
        &[
            "rule",
            "rule_name",
            "judged",
            "errors",
            "warnings",
            "notes",
            "fixed",
        ],
        zh,
        100,
    ));
    let mut units = units_table(given, found, zh);
    only_told(&mut units);
    out.push_str(if zh {
        "\n## 按单元\n\n"
    } else {
        "\n## By unit\n\n"
    });
    out.push_str(&markdown(
        &units,
        &[
            "unit",
            "unit_name",
            "records",
            "errors",
            "warnings",
            "notes",
            "per_1000_records",
        ],
        zh,
        60,
    ));
    let mut first = findings_table(given, found, names, zh);
    let grave = severity_word(Severity::Error, zh);
    first.rows.retain(|row| row[0] == grave.into());
    if !first.rows.is_empty() {
        out.push_str(if zh {
            "\n## 错误\n\n"
        } else {
            "\n## Errors\n\n"
        });
        out.push_str(&markdown(
            &first,
            &["table_name", "cell", "key", "value", "found", "expected"],
            zh,
            40,
        ));
    }
    let status: BTreeSet<&str> = (given.tables.iter())
        .map(|t| given.book.tables[&t.kind].status.as_str())
        .chain([given.book.common.status.as_str()])
        .collect();
    if status.contains("unverified") {
        out.push_str(match zh {
            true => "\n规则文件的范围、代码表和阈值中有未经核对的（`unverified`），正式使用前应由主管部门确认。\n",
            false => "\nRanges, lists and thresholds of the rule files are partly `unverified`: have them confirmed before official use.\n",
        });
    }
    let _ = writeln!(out, "\n{RELEASE}");
    out
}

/// Writes the tables that certain fixes changed; workbooks come back with all of their checked sheets.
fn fixed(given: &Given, found: &Inspection, draft: &Draft) -> Result<()> {
    /// Tables of one file, each with its rows.
    type Sheets = Vec<(usize, Vec<Vec<Value>>)>;
    let mut files: BTreeMap<PathBuf, Sheets> = BTreeMap::new();
    for (i, input) in given.tables.iter().enumerate() {
        if input.earlier_of.is_some() {
            continue;
        }
        let mut rows = input.sheet.rows.clone();
        let mut gone = BTreeSet::new();
        let mut changed = false;
        for fix in found.fixes.iter().filter(|f| f.at.table == i) {
            changed = true;
            match (fix.at.row, fix.at.column) {
                (Some(r), Some(c)) => rows[r][c] = workbook::typed(given, found, i, c, &fix.new),
                (Some(r), None) => {
                    gone.insert(r);
                }
                _ => {}
            }
        }
        let mut number = 0;
        rows.retain(|_| {
            number += 1;
            !gone.contains(&(number - 1))
        });
        if changed || input.sheet.sheet.is_some() {
            let entry = files.entry(input.sheet.source.clone()).or_default();
            entry.push((i, rows));
        }
    }
    for (source, tables) in files {
        let any = |i: usize| found.fixes.iter().any(|f| f.at.table == i);
        if !tables.iter().any(|(i, _)| any(*i)) {
            continue;
        }
        let stem = source
            .file_stem()
            .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let first = &given.tables[tables[0].0].sheet;
        if first.sheet.is_none() {
            let name = source
                .file_name()
                .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
            let path = draft.file(&format!("fixed/{name}"))?;
            write_cells(&path, &tables[0].1, first.encoding)?;
            continue;
        }
        let sheets: Vec<BookSheet<'_>> = tables
            .iter()
            .map(|(i, rows)| {
                let name = given.tables[*i].sheet.sheet.clone().unwrap_or_default();
                let mut sheet = BookSheet::new(name, rows);
                sheet.header = Some(found.tables[*i].header);
                sheet.merge_titles = true;
                sheet
            })
            .collect();
        write_book(&draft.file(&format!("fixed/{stem}.xlsx"))?, &sheets)?;
    }
    Ok(())
}
