//! Data quality of the census (普查数据质检): rules over tables, every breach with its cell, certain fixes, counts.
//!
//! | file | holds |
//! | --- | --- |
//! | `rules` | rule files: fields, types, code lists, rules, as data |
//! | `schema`, `view` | the header found by the dictionary; a table mended where certain, and typed |
//! | `cell`, `numbers` | one cell: certain fixes, numbers, dates, degrees; check digits |
//! | `fields`, `relations` | ranges, lists, dates; parts, sums, quotients, order, conditions within a record |
//! | `keys`, `hierarchy` | what stands twice; division codes, sums of units, sums and references across tables |
//! | `robust`, `outliers` | robust statistics; values far from those of like records, slips of units |
//! | `change`, `geometry` | against an earlier year; coordinates and borders |
//! | `finding`, `report` | findings and fixes in both languages; counts |
//!
//! Nothing here reads or writes files.

mod cell;
mod change;
mod fields;
pub mod finding;
pub mod geometry;
mod hierarchy;
mod keys;
pub mod numbers;
mod outliers;
mod relations;
pub mod report;
pub mod robust;
pub mod rules;
mod schema;
mod view;

pub use cell::{clean, date_parts, days};
pub use fields::CensusDay;
pub use finding::{CellAt, Finding, Fix, Said, Severity};
pub use geometry::{Border, Borders};
pub use hierarchy::Region;
pub use rules::{RuleBook, TableRules};
pub use view::{Role, TableInput};

use anlan_engine::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// What a person has verified and accepts as right (核实名单).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accepted {
    /// Id of the rule.
    pub rule: String,
    /// Kind of the table.
    pub table: String,
    /// Key of the record.
    pub key: String,
    /// Field; empty for any.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// What a check is told beside its tables.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Region of the codes.
    pub region: Region,
    /// Day of the census; without it no date is in the future.
    pub census: Option<CensusDay>,
    /// Severity of rules in place of that of their files; none: the rule is off.
    pub severity: BTreeMap<String, Option<Severity>>,
    /// What was verified.
    pub accepted: Vec<Accepted>,
}

/// How a table was read.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFacts {
    /// Row of the header, from 0.
    pub header: usize,
    /// What the rows below it are.
    pub roles: Vec<Role>,
    /// Records.
    pub records: usize,
    /// Records by county or higher unit.
    pub by_unit: BTreeMap<String, usize>,
    /// Names of units, in tables of units.
    pub names: BTreeMap<String, String>,
    /// Column of each field.
    pub columns: Vec<Option<usize>>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inspection {
    /// Findings by table and place in it.
    pub findings: Vec<Finding>,
    /// Certain fixes by table and place in it.
    pub fixes: Vec<Fix>,
    /// How many records or cells each rule judged.
    pub judged: BTreeMap<String, u64>,
    /// How the tables were read.
    pub tables: Vec<TableFacts>,
    /// Entries of the list of accepted findings that fit none.
    pub idle: Vec<Accepted>,
}

/// Checks tables against their rules, each other, an earlier year and borders.
///
/// # Errors
/// Tables of a kind without rules; sheets without a header of their kind. All of them together.
pub fn inspect(
    tables: &[TableInput],
    borders: &Borders,
    book: &RuleBook,
    options: &Options,
) -> Result<Inspection> {
    let mut sink = view::Sink::new(book, &options.severity);
    let mut views = Vec::new();
    let mut faults = Vec::new();
    for (index, input) in tables.iter().enumerate() {
        if !book.tables.contains_key(&input.kind) {
            let kinds: Vec<&str> = book.tables.keys().map(String::as_str).collect();
            faults.push(anlan_engine::Fault::new(
                &input.sheet.source,
                format!("kind `{}`", input.kind),
                format!("one of {}", kinds.join(", ")),
                "correct the kind, or add a rule file for it",
            ));
            continue;
        }
        match view::view(index, input, book, &mut sink) {
            Ok(view) => views.push(view),
            Err(Error::Input(more)) => faults.extend(more),
            Err(other) => return Err(other),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    for view in views.iter_mut().filter(|v| v.input.earlier_of.is_none()) {
        keys::check(view, &mut sink);
    }
    for view in views.iter().filter(|v| v.input.earlier_of.is_none()) {
        fields::check(view, options.census, &mut sink);
        relations::check(view, &mut sink);
        hierarchy::codes(view, &options.region, &mut sink);
        hierarchy::tree(view, &mut sink);
        hierarchy::across(view, &views, &mut sink);
        hierarchy::total_rows(view, &mut sink);
        outliers::check(view, &mut sink);
        let earlier = views
            .iter()
            .find(|v| v.input.earlier_of == Some(view.index));
        let shifted = earlier.map_or_else(Vec::new, |e| change::check(view, e, &mut sink));
        geometry::check(view, borders, &shifted, &mut sink);
        geometry::borders(view, borders, &mut sink);
        keys::places(view, &mut sink);
    }
    let view::Sink {
        mut findings,
        mut fixes,
        judged,
        ..
    } = sink;
    let idle = accept(&mut findings, tables, &options.accepted);
    findings.sort_by(|a, b| (a.at, &a.rule).cmp(&(b.at, &b.rule)));
    fixes.sort_by_key(|f| f.at);
    Ok(Inspection {
        findings,
        fixes,
        judged,
        tables: views.iter().map(facts).collect(),
        idle,
    })
}

fn facts(view: &view::View<'_>) -> TableFacts {
    let mut by_unit: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = BTreeMap::new();
    for row in view.records() {
        *by_unit.entry(view.unit(row)).or_default() += 1;
        if view.rules.units
            && let Some(code) = view.code(row)
        {
            names.insert(code.to_string(), view.title(row).into_owned());
        }
    }
    TableFacts {
        header: view.header,
        roles: view.roles.clone(),
        records: view.records().count(),
        by_unit,
        names,
        columns: view.fields.iter().map(|f| f.column).collect(),
    }
}

/// Marks findings that a person has accepted; the entries that fit none come back.
fn accept(findings: &mut [Finding], tables: &[TableInput], accepted: &[Accepted]) -> Vec<Accepted> {
    let mut used = BTreeSet::new();
    for finding in findings {
        let kind = &tables[finding.at.table].kind;
        let fits = accepted.iter().position(|a| {
            a.rule == finding.rule
                && a.table == *kind
                && a.key == finding.key
                && (a.field.is_empty() || a.field == finding.field)
        });
        if let Some(i) = fits {
            finding.accepted = Some(accepted[i].reason.clone());
            used.insert(i);
        }
    }
    (accepted.iter().enumerate())
        .filter(|(i, _)| !used.contains(i))
        .map(|(_, a)| a.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::io::Value;

    fn table(kind: &str, rows: &[&[&str]]) -> TableInput {
        let cell = |t: &&str| match *t {
            "" => Value::Null,
            t => t.into(),
        };
        let mut input = TableInput {
            kind: kind.into(),
            ..TableInput::default()
        };
        input.sheet.rows = rows.iter().map(|r| r.iter().map(cell).collect()).collect();
        input
    }

    fn found(tables: &[TableInput]) -> Vec<(String, usize, Option<usize>, Option<usize>)> {
        let options = Options {
            region: Region {
                prefixes: vec!["99".into()],
            },
            census: CensusDay::new(2020, 12, 31),
            ..Options::default()
        };
        let book = RuleBook::builtin();
        let out = inspect(tables, &Borders::default(), &book, &options).unwrap();
        (out.findings.into_iter())
            .map(|f| (f.rule, f.at.table, f.at.row, f.at.column))
            .collect()
    }

    /// A prefecture of two counties: the second is a household short, and a school of the other table misses.
    #[test]
    fn sums_of_units_and_tables() {
        let units = |households: &str, schools: &str| {
            table(
                "units",
                &[
                    &["区划代码", "名称", "常住人口", "户数", "学校数"],
                    &["990100", "合成市", "300", "100", schools],
                    &["990101", "合成一县", "100", "40", "1"],
                    &["990102", "合成二县", "200", households, "1"],
                ],
            )
        };
        let schools = table(
            "schools",
            &[
                &[
                    "学校代码",
                    "学校名称",
                    "区划代码",
                    "学校类别",
                    "学生数",
                    "经度",
                    "纬度",
                ],
                &[
                    "9900000001",
                    "合成小学",
                    "990101",
                    "小学",
                    "50",
                    "100.12345",
                    "40.12345",
                ],
                &[
                    "9900000002",
                    "合成中学",
                    "990102",
                    "高中",
                    "50",
                    "100.22345",
                    "40.12345",
                ],
            ],
        );
        let clean = found(&[units("60", "2"), schools.clone()]);
        let alias = ("alias".to_string(), 1, Some(2), Some(3));
        assert_eq!(clean, std::slice::from_ref(&alias));
        let off = found(&[units("59", "3"), schools]);
        let at = |rule: &str, column| (rule.to_string(), 0, Some(1), Some(column));
        assert_eq!(
            off,
            [
                at("children-counts", 3),
                at("children-counts", 4),
                at("schools-total", 4),
                alias
            ]
        );
    }

    #[test]
    fn rows_of_totals_and_remarks_are_no_records() {
        let rows: &[&[&str]] = &[
            &[
                "机构代码",
                "机构名称",
                "区划代码",
                "床位数",
                "入住人数",
                "经度",
                "纬度",
            ],
            &["甲", "乙", "丙", "1", "2", "3", "4"],
            &[
                "Y1",
                "合成敬老院",
                "990101",
                "10",
                "4",
                "100.12345",
                "40.12345",
            ],
            &[
                "Y2",
                "合成福利院",
                "990101",
                "20",
                "5",
                "100.22345",
                "40.12345",
            ],
            &[
                "Y2",
                "合成福利院",
                "990101",
                "20",
                "5",
                "100.22345",
                "40.12345",
            ],
            &["合计", "", "", "30", "10", "", ""],
            &["填表人：某某", "", "", "", "", "", ""],
        ];
        let told = found(&[table("homes", rows)]);
        let at = |rule: &str, row, column| (rule.to_string(), 0, Some(row), Some(column));
        assert_eq!(told, [at("identical-row", 4, 0), at("total-row", 5, 4)]);
    }
}
