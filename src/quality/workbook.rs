//! The workbook of a quality check: summary, findings, fixes, and every table as it stands with the offending cells marked.

use super::Given;
use super::outputs::{
    RuleNames, cell_name, findings_table, fixes_table, heading, rules_table, severity_word,
    table_name, tables_table, units_table,
};
use crate::manifest::RELEASE;
use anlan_engine::Result;
use anlan_engine::io::Value;
use anlan_engine::io::table::{BookSheet, Link, Mark, Table, write_book};
use anlan_models::census::quality::{Inspection, Severity, report};
use std::collections::BTreeSet;
use std::path::Path;

/// Colour of a severity, 0xRRGGBB.
fn colour(given: &Given, severity: Severity) -> u32 {
    let [error, warning, note] = &given.book.common.mark_colours;
    let text = match severity {
        Severity::Error => error,
        Severity::Warning => warning,
        Severity::Note => note,
    };
    // A team's own file may hold something else than six hexadecimal digits; the mark is then grey.
    u32::from_str_radix(text, 16).unwrap_or(0xD9_D9_D9)
}

/// The value of a cell as a number where its field holds numbers; codes stay text.
pub(super) fn typed(
    given: &Given,
    found: &Inspection,
    table: usize,
    column: usize,
    text: &str,
) -> Value {
    let rules = &given.book.tables[&given.tables[table].kind];
    let field = found.tables[table]
        .columns
        .iter()
        .position(|c| *c == Some(column));
    let numeric = field.is_some_and(|f| {
        use anlan_models::census::quality::rules::FieldType;
        let kind = rules.field[f].kind;
        kind.is_number() && kind != FieldType::Date
    });
    if !numeric {
        return Value::Text(text.to_owned());
    }
    let plain = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    match text.parse::<f64>() {
        Ok(v) if plain && v.is_finite() => match text.parse::<i64>() {
            Ok(i) => Value::Integer(i),
            Err(_) => Value::Real(v),
        },
        _ => Value::Text(text.to_owned()),
    }
}

/// Rows of a table with its header in a language.
fn rows_of(table: Table, zh: bool) -> Vec<Vec<Value>> {
    let head = table
        .columns
        .iter()
        .map(|c| heading(c, zh).into())
        .collect();
    std::iter::once(head).chain(table.rows).collect()
}

/// A name that Excel allows for a sheet, each once.
fn sheet_name(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = wanted
        .chars()
        .map(|c| if "[]:*?/\\'".contains(c) { '_' } else { c })
        .take(28)
        .collect();
    let mut name = plain.clone();
    let mut n = 2;
    // Excel does not tell upper from lower case.
    while !taken.insert(name.to_lowercase()) {
        name = format!("{plain}{n}");
        n += 1;
    }
    name
}

pub(super) fn write(
    given: &Given,
    found: &Inspection,
    names: &RuleNames,
    zh: bool,
    path: &Path,
) -> Result<()> {
    let mut taken = BTreeSet::new();
    let word = |zh_word: &str, en: &str| {
        if zh {
            zh_word.to_owned()
        } else {
            en.to_owned()
        }
    };
    let mut name = |wanted: String| sheet_name(&wanted, &mut taken);
    let first = [
        name(word("汇总", "Summary")),
        name(word("按单元", "By unit")),
        name(word("按规则", "By rule")),
        name(word("问题清单", "Findings")),
        name(word("修正记录", "Fixes")),
    ];
    let shown: Vec<usize> = (0..given.tables.len())
        .filter(|i| {
            let earlier = given.tables[*i].earlier_of.is_some();
            !earlier || found.findings.iter().any(|f| f.at.table == *i)
        })
        .collect();
    let table_sheets: Vec<(usize, String)> = shown
        .iter()
        .map(|i| (*i, name(table_name(given, *i, zh))))
        .collect();
    let sheet_of = |table: usize| {
        let at = table_sheets.iter().find(|(i, _)| *i == table);
        at.map_or("", |(_, name)| name.as_str())
    };

    let (front, front_marks, front_header) = front(given, found, zh);
    let units = rows_of(units_table(given, found, zh), zh);
    let rules = rows_of(rules_table(found, names, zh), zh);
    let list = findings_table(given, found, names, zh);
    let cell = list.column("cell").unwrap_or(0);
    let findings = rows_of(list, zh);
    let fixes = rows_of(fixes_table(given, found, names, zh), zh);
    let bodies: Vec<Vec<Vec<Value>>> = shown
        .iter()
        .map(|&i| {
            let text = |c: usize, v: &Value| match v {
                Value::Text(t) => typed(given, found, i, c, t),
                other => other.clone(),
            };
            let header = found.tables[i].header;
            (given.tables[i].sheet.rows.iter().enumerate())
                .map(|(r, row)| match r <= header {
                    true => row.clone(),
                    false => row.iter().enumerate().map(|(c, v)| text(c, v)).collect(),
                })
                .collect()
        })
        .collect();

    let plain = |name: &str, rows| {
        let mut sheet = BookSheet::new(name, rows);
        sheet.header = Some(0);
        sheet
    };
    let mut summary = BookSheet::new(first[0].as_str(), &front);
    (summary.marks, summary.widest) = (front_marks, 46.0);
    summary.header = Some(front_header);
    let mut listed = plain(&first[3], &findings);
    for (n, f) in found.findings.iter().enumerate() {
        listed.marks.push(Mark {
            row: n + 1,
            column: 0,
            fill: colour(given, f.severity),
            note: String::new(),
        });
        let to = sheet_of(f.at.table);
        let at = cell_name(f.at);
        if !to.is_empty() && !at.is_empty() {
            listed.links.push(Link {
                row: n + 1,
                column: cell,
                target: format!("internal:'{to}'!{at}"),
            });
        }
    }
    let mut sheets = vec![
        summary,
        plain(&first[1], &units),
        plain(&first[2], &rules),
        listed,
        plain(&first[4], &fixes),
    ];
    for ((i, name), rows) in table_sheets.iter().zip(&bodies) {
        let mut sheet = plain(name, rows);
        sheet.header = Some(found.tables[*i].header);
        sheet.merge_titles = true;
        let mut worst = None;
        for f in found.findings.iter().filter(|f| f.at.table == *i) {
            let Some(row) = f.at.row else { continue };
            worst = worst.max(Some(f.severity));
            let severity = severity_word(f.severity, zh);
            let rule = names.of(&f.rule, zh);
            let (what, wanted, remedy) = (f.found.get(zh), f.expected.get(zh), f.remedy.get(zh));
            let accepted = f
                .accepted
                .as_deref()
                .map_or_else(String::new, |reason| match zh {
                    true => format!("（已核实：{reason}）"),
                    false => format!(" (accepted: {reason})"),
                });
            let note = match zh {
                true => {
                    format!("【{severity}】{rule}：{what}。应为：{wanted}。{remedy}。{accepted}")
                }
                false => {
                    format!("[{severity}] {rule}: {what}. Expected: {wanted}. {remedy}.{accepted}")
                }
            };
            sheet.marks.push(Mark {
                row,
                column: f.at.column.unwrap_or(0),
                fill: colour(given, f.severity),
                note,
            });
        }
        // The gravest colour first where a cell has several marks.
        let rank = |m: &Mark| {
            [Severity::Error, Severity::Warning, Severity::Note]
                .iter()
                .position(|s| colour(given, *s) == m.fill)
        };
        sheet.marks.sort_by_key(|m| (m.row, m.column, rank(m)));
        sheet.tab = worst.map(|s| colour(given, s));
        sheets.push(sheet);
    }
    write_book(path, &sheets)
}

/// The first sheet: what was checked, how many findings, what the colours mean; its marks and the row of its table's header.
fn front(given: &Given, found: &Inspection, zh: bool) -> (Vec<Vec<Value>>, Vec<Mark>, usize) {
    let tally = report::overall(&found.findings);
    let title = match zh {
        true => format!("{}：数据质检结果", given.file.name),
        false => format!("{}: data quality", given.file.name),
    };
    let mut rows: Vec<Vec<Value>> = vec![vec![title.into()], Vec::new()];
    let mut marks = Vec::new();
    let counts = [
        (
            Severity::Error,
            tally.errors,
            "必须更正",
            "must be corrected",
        ),
        (
            Severity::Warning,
            tally.warnings,
            "应核实",
            "should be verified",
        ),
        (
            Severity::Note,
            tally.notes,
            "供参考，多已自动修正",
            "for information, mostly mended",
        ),
    ];
    for (severity, count, meaning_zh, meaning) in counts {
        marks.push(Mark {
            row: rows.len(),
            column: 0,
            fill: colour(given, severity),
            note: String::new(),
        });
        rows.push(vec![
            severity_word(severity, zh).into(),
            Value::Integer(count as i64),
            if zh { meaning_zh } else { meaning }.into(),
        ]);
    }
    let more = [
        (
            tally.fixed,
            "自动修正",
            "mended",
            "见“修正记录”和fixed文件夹",
            "see Fixes and the folder fixed",
        ),
        (
            tally.accepted,
            "核实属实",
            "accepted",
            "按核实名单不再计入",
            "by the list of accepted findings",
        ),
    ];
    for (count, word_zh, word, where_zh, place) in more {
        rows.push(vec![
            if zh { word_zh } else { word }.into(),
            Value::Integer(count as i64),
            if zh { where_zh } else { place }.into(),
        ]);
    }
    let hint = match zh {
        true => {
            "各表工作表与原表行列一致，单元格编号可直接对照原表；有问题的单元格按颜色标出，批注写明问题、应为和处理。"
        }
        false => {
            "Sheets of tables keep rows and columns of their files, so that cells have the same names; marked cells say in a note what is wrong, what was expected and what to do."
        }
    };
    rows.extend([
        Vec::new(),
        vec![hint.into()],
        vec![RELEASE.into()],
        Vec::new(),
    ]);
    let header = rows.len();
    rows.extend(rows_of(tables_table(given, found, zh), zh));
    (rows, marks, header)
}
