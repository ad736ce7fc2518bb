//! Division codes and what they bind together: levels, parents, sums of units, sums across tables, references.

use super::super::code::{DivisionCode, Level};
use super::fields::short;
use super::finding::{CellAt, said};
use super::rules::{Children, Exists, FieldType, LevelName, Rule, Total};
use super::view::{Role, Sink, View};
use std::collections::{BTreeMap, BTreeSet};

/// What a case says about the codes of its region.
#[derive(Debug, Clone, Default)]
pub struct Region {
    /// First digits that all codes share, e.g. `3307`; none where empty.
    pub prefixes: Vec<String>,
}

/// The significant digits of a code: those of its own level and the levels above.
pub fn stem(code: &str) -> &str {
    match code.len() {
        6 if code.ends_with("0000") => &code[..2],
        6 if code.ends_with("00") => &code[..4],
        _ => code,
    }
}

/// The unit above, counties directly below a province included.
fn parent_of(code: &DivisionCode, direct: &[String]) -> Option<DivisionCode> {
    let parent = code.parent()?;
    let is_direct = code.level() == Level::County
        && direct
            .iter()
            .any(|d| code.as_str().get(2..4) == Some(d.as_str()));
    if is_direct {
        parent.parent()
    } else {
        Some(parent)
    }
}

/// Checks the codes of a table by themselves: known provinces, the region, the level, the parent's code.
pub fn codes(view: &View<'_>, region: &Region, sink: &mut Sink<'_>) {
    for (f, rule) in view.rules.field.iter().enumerate() {
        if rule.kind != FieldType::Division || view.fields[f].column.is_none() {
            continue;
        }
        let is_parent = view.rules.parent.as_deref() == Some(rule.field.as_str());
        sink.judge("division-code", view.records().count());
        for row in view.records() {
            let Some(code) = &view.fields[f].codes[row] else {
                continue;
            };
            let text = code.as_str();
            let within = region
                .prefixes
                .iter()
                .any(|p| text.starts_with(p.as_str()) || p.starts_with(stem(text)));
            if region.prefixes.is_empty() {
                if !view
                    .common
                    .provinces
                    .iter()
                    .any(|p| text.starts_with(p.as_str()))
                {
                    let texts = [
                        said!(
                            "no province has a code that begins so",
                            "前两位不是任何省级代码"
                        ),
                        said!("a code of GB/T 2260", "GB/T 2260中的代码"),
                        said!(
                            "correct the code from the list of divisions",
                            "按区划代码表更正"
                        ),
                    ];
                    sink.builtin(view, "unknown-province", row, f, texts);
                    continue;
                }
            } else if !within && !is_parent {
                let list = region.prefixes.join(", ");
                let texts = [
                    said!("a unit outside the region", "不属于本区域"),
                    said!("a code that begins with {list}", "以{list}开头的代码"),
                    said!(
                        "correct the code, or hand the record to its region",
                        "更正代码，或将记录移交所属地区"
                    ),
                ];
                sink.builtin(view, "outside-region", row, f, texts);
                continue;
            }
            let level = LevelName::from(code.level());
            if !rule.levels.is_empty() && !rule.levels.contains(&level) {
                let names = |zh: bool, join: &str| {
                    let names: Vec<&str> = rule.levels.iter().map(|l| l.label(zh)).collect();
                    names.join(join)
                };
                let (en, zh) = (names(false, " or "), names(true, "或"));
                let texts = [
                    said!(
                        "a code of a {l}",
                        "{l_zh}代码",
                        l = level.label(false),
                        l_zh = level.label(true)
                    ),
                    said!("a code of a {en}", "{zh}代码"),
                    said!(
                        "give the code of the unit that the record lies in",
                        "填写记录所在单元的代码"
                    ),
                ];
                sink.builtin(view, "code-level", row, f, texts);
            }
        }
    }
    parent_column(view, sink);
}

fn parent_column(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(field) = view.rules.parent.as_ref().and_then(|p| view.present(p)) else {
        return;
    };
    for row in view.records() {
        let (Some(code), Some(told)) = (view.code(row), &view.fields[field].codes[row]) else {
            continue;
        };
        let by_code = [code.parent(), parent_of(code, &view.common.direct_counties)];
        let fits = by_code.iter().flatten().any(|p| p == told);
        if fits {
            continue;
        }
        let wanted = by_code[1]
            .as_ref()
            .map_or_else(|| "-".to_owned(), DivisionCode::to_string);
        let texts = [
            said!(
                "the unit above of {code} is not {told}",
                "{code}的上级不是{told}"
            ),
            said!(
                "{wanted}, by the digits of the code",
                "{wanted}（按代码前几位）"
            ),
            said!("correct the code or its parent", "更正代码或上级代码"),
        ];
        sink.builtin(view, "parent-code", row, field, texts);
    }
}

/// Rows of a table of units by code; the first of a code that stands twice.
pub fn units<'v>(view: &'v View<'_>) -> BTreeMap<&'v str, usize> {
    let mut out = BTreeMap::new();
    for row in view.records() {
        if let Some(code) = view.code(row) {
            out.entry(code.as_str()).or_insert(row);
        }
    }
    out
}

fn cell(view: &View<'_>, row: usize, field: usize) -> CellAt {
    CellAt {
        table: view.index,
        row: Some(view.sheet_row(row)),
        column: view.fields[field].column,
    }
}

/// Checks a table of units: parents are there, children add up.
pub fn tree(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.rules.units {
        return;
    }
    let Some(field) = view.rules.division.as_ref().and_then(|d| view.present(d)) else {
        return;
    };
    let units = units(view);
    let levels: BTreeSet<Level> = view
        .records()
        .filter_map(|r| view.code(r))
        .map(DivisionCode::level)
        .collect();
    let direct = &view.common.direct_counties;
    sink.judge("parent-missing", units.len());
    for (&code, &row) in &units {
        let Some(parent) = view.code(row).and_then(|c| parent_of(c, direct)) else {
            continue;
        };
        // A table of a county alone has no row of its prefecture, and need not have one.
        if !levels.contains(&parent.level()) || units.contains_key(parent.as_str()) {
            continue;
        }
        let texts = [
            said!(
                "{code} has no row of its unit above, {parent}",
                "{code}的上级{parent}不在表中"
            ),
            said!("a row of {parent}", "表中有{parent}一行"),
            said!(
                "correct the code, or add the unit above",
                "更正代码，或补充上级单元"
            ),
        ];
        sink.builtin(view, "parent-missing", row, field, texts);
    }
    for rule in &view.rules.rule {
        if let Some(c) = &rule.children {
            children(view, rule, c, &units, sink);
        }
    }
}

fn children(
    view: &View<'_>,
    rule: &Rule,
    c: &Children,
    units: &BTreeMap<&str, usize>,
    sink: &mut Sink<'_>,
) {
    // Children belong to the nearest unit above that has a row. A row without a code hangs below its parent column.
    let mut below: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in view.records() {
        let Some(code) = view.code(row) else { continue };
        if units.get(code.as_str()) != Some(&row) {
            continue;
        }
        let mut above = code.parent();
        while let Some(parent) = above {
            if let Some((key, _)) = units.get_key_value(parent.as_str()) {
                below.entry(key).or_default().push(row);
                break;
            }
            above = parent.parent();
        }
    }
    for name in &c.fields {
        let Some(field) = view.present(name) else {
            continue;
        };
        let mut judged = 0;
        for (code, rows) in &below {
            let parent = units[code];
            let whole = view.number(field, parent);
            let values: Vec<f64> = rows.iter().map(|r| view.number(field, *r)).collect();
            // A blank child makes the sum unknown; that it is blank is told where it must not be.
            if !whole.is_finite() || values.iter().any(|v| !v.is_finite()) {
                continue;
            }
            judged += 1;
            let sum: f64 = values.iter().sum();
            let allowed = c.rounding * (rows.len() + 1) as f64 + 1e-9 * whole.abs();
            if (sum - whole).abs() <= allowed {
                continue;
            }
            let (n, sum_text, away) = (rows.len(), short(sum), short((sum - whole).abs()));
            let (word, word_zh) = match sum < whole {
                true => ("short", "少"),
                false => ("over", "多"),
            };
            let name = view.title(parent).into_owned();
            let own = short(whole);
            let texts = [
                said!(
                    "the {n} units below {code} {name} add up to {sum_text}, {away} {word}",
                    "{code}{name}的{n}个下级合计{sum_text}，{word_zh}{away}"
                ),
                said!("{own}, the figure of the unit itself", "本级数{own}"),
                said!(
                    "look for a unit that misses or stands twice, a zone without a code, or a wrong figure",
                    "查找遗漏或重复的单元、没有代码的开发区或填错的数值"
                ),
            ];
            let others: Vec<CellAt> = rows.iter().map(|r| cell(view, *r, field)).collect();
            if let Some(finding) = sink.rule(view, rule, parent, field, texts) {
                finding.others = others;
            }
        }
        sink.judge(&rule.id, judged);
    }
}

/// Checks what binds a table to others: totals by unit, references.
pub fn across(view: &View<'_>, all: &[View<'_>], sink: &mut Sink<'_>) {
    let of = |kind: &str| {
        all.iter()
            .filter(|v| v.rules.id == kind && v.input.earlier_of.is_none())
            .collect::<Vec<_>>()
    };
    for rule in &view.rules.rule {
        if let Some(t) = &rule.total {
            let others = of(&t.table);
            if !others.is_empty() {
                total(view, rule, t, &others, sink);
            }
        }
        if let Some(e) = &rule.exists {
            let others = of(&e.table);
            if !others.is_empty() {
                exists(view, rule, e, &others, sink);
            }
        }
    }
}

fn total(view: &View<'_>, rule: &Rule, t: &Total, others: &[&View<'_>], sink: &mut Sink<'_>) {
    let Some(field) = view.present(&t.field) else {
        return;
    };
    // By every stem of the record's code, so that any level finds its sum.
    let mut sums: BTreeMap<String, (f64, usize)> = BTreeMap::new();
    for other in others {
        let added = match &t.sum {
            None => None,
            Some(name) => match other.present(name) {
                Some(f) => Some(f),
                None => return,
            },
        };
        for row in other.records() {
            let Some(code) = other.code(row) else {
                continue;
            };
            let value = added.map_or(1.0, |f| other.number(f, row));
            for end in [2, 4, 6, 9, 12] {
                if let Some(stem) = code.as_str().get(..end) {
                    let sum = sums.entry(stem.to_owned()).or_default();
                    sum.0 += value;
                    sum.1 += 1;
                }
            }
        }
    }
    let table = others[0].rules;
    let mut judged = 0;
    for row in view.records() {
        let (Some(code), own) = (view.code(row), view.number(field, row)) else {
            continue;
        };
        if !own.is_finite() {
            continue;
        }
        let (sum, n) = sums.get(stem(code.as_str())).copied().unwrap_or((0.0, 0));
        if !sum.is_finite() {
            continue;
        }
        judged += 1;
        if (sum - own).abs() <= t.tolerance * own.abs() + 1e-9 * own.abs() {
            continue;
        }
        let (sum_text, own_text) = (short(sum), short(own));
        let texts = [
            said!(
                "table {k} gives {sum_text} in this unit ({n} records)",
                "“{k_zh}”表在本单元合计{sum_text}（{n}条记录）",
                k = table.name,
                k_zh = table.name_zh
            ),
            said!("{own_text}, as this table says", "本表{own_text}"),
            said!(
                "look for records that miss, stand twice or have a wrong unit code",
                "查找遗漏、重复或单元代码有误的记录"
            ),
        ];
        sink.rule(view, rule, row, field, texts);
    }
    sink.judge(&rule.id, judged);
}

fn exists(view: &View<'_>, rule: &Rule, e: &Exists, others: &[&View<'_>], sink: &mut Sink<'_>) {
    let Some(field) = view.present(&e.field) else {
        return;
    };
    let table = others[0].rules;
    let division = view.rules.field[field].kind == FieldType::Division;
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut levels: BTreeSet<Level> = BTreeSet::new();
    for other in others {
        let Some(f) = other.present(&e.in_field) else {
            return;
        };
        for row in other.records() {
            match other.fields[f].codes.get(row) {
                Some(Some(code)) => {
                    levels.insert(code.level());
                    known.insert(code.to_string());
                }
                Some(None) => {}
                None => {
                    known.insert(other.text(f, row).into_owned());
                }
            }
        }
    }
    let mut judged = 0;
    for row in view.records() {
        let text = match division {
            false => view.text(field, row).into_owned(),
            true => {
                // The unit itself, or the nearest above of a level that the other table has.
                let mut at = view.fields[field].codes[row].clone();
                while let Some(code) = &at {
                    if levels.contains(&code.level()) {
                        break;
                    }
                    at = code.parent();
                }
                at.map_or_else(String::new, |c| c.to_string())
            }
        };
        if text.is_empty() {
            continue;
        }
        judged += 1;
        if known.contains(&text) {
            continue;
        }
        let texts = [
            said!(
                "{text} is not in table {k}",
                "“{k_zh}”表中没有{text}",
                k = table.name,
                k_zh = table.name_zh
            ),
            said!(
                "a value of table {k}",
                "“{k_zh}”表中已有的值",
                k = table.name,
                k_zh = table.name_zh
            ),
            said!(
                "correct the value, or add it to that table",
                "更正该值，或在该表中补充"
            ),
        ];
        sink.rule(view, rule, row, field, texts);
    }
    sink.judge(&rule.id, judged);
}

/// Checks rows of totals against the records above them.
pub fn total_rows(view: &View<'_>, sink: &mut Sink<'_>) {
    // Units of several levels in one table have no plain total.
    if view.rules.units {
        return;
    }
    let totals: Vec<usize> = (0..view.rows())
        .filter(|r| view.roles[*r] == Role::Total)
        .collect();
    for &row in &totals {
        for (f, rule) in view.rules.field.iter().enumerate() {
            let told = view.number(f, row);
            if rule.kind != FieldType::Count || view.fields[f].column.is_none() || !told.is_finite()
            {
                continue;
            }
            let sum: f64 = view
                .records()
                .map(|r| view.number(f, r))
                .filter(|v| v.is_finite())
                .sum();
            sink.judge("total-row", 1);
            if (sum - told).abs() <= 1e-9 * told.abs() {
                continue;
            }
            let (sum_text, told_text) = (short(sum), short(told));
            let texts = [
                said!("the records add up to {sum_text}", "各记录合计{sum_text}"),
                said!(
                    "{told_text}, as the row of totals says",
                    "合计行为{told_text}"
                ),
                said!(
                    "correct the row of totals, or the records",
                    "更正合计行或记录"
                ),
            ];
            sink.builtin(view, "total-row", row, f, texts);
        }
    }
}
