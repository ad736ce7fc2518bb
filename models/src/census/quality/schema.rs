//! The header of a table: found by the names of the dictionary, below titles and in one row or two.

use super::finding::said;
use super::rules::{Common, Presence, TableRules};
use super::view::{Sink, TableInput, View};
use anlan_engine::io::Value;
use anlan_engine::{Error, Fault, Result};
use std::collections::BTreeMap;

/// Where the header is and what its columns are.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Its (last) row in the sheet, from 0.
    pub row: usize,
    /// Column of each field.
    pub columns: Vec<Option<usize>>,
    /// What values are multiplied by to come in the unit of the field.
    pub scales: Vec<f64>,
    /// Columns with a unit that is not that of the field: (column, field, unit, can it be converted?).
    pub units: Vec<(usize, usize, String, bool)>,
    /// Columns of a field that another column is already taken for.
    pub twice: Vec<(usize, usize)>,
    /// Columns with a name that is not known.
    pub unknown: Vec<usize>,
}

/// A name as it is compared: without spaces, in half width and lower case.
pub fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '\u{FEFF}' && *c != '*')
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '〔' | '【' => '(',
            '〕' | '】' => ')',
            '²' => '2',
            c => c,
        })
        .collect::<String>()
        .to_lowercase()
}

/// A header split into its name and the text in the brackets at its end, or behind its last `_`.
fn split(name: &str) -> Option<(&str, &str)> {
    if let Some(body) = name.strip_suffix(')') {
        return body.rsplit_once('(');
    }
    name.rsplit_once('_')
}

struct Names<'a> {
    fields: BTreeMap<String, usize>,
    units: BTreeMap<String, (&'a str, f64)>,
    own: Vec<Option<(&'a str, f64)>>,
}

/// A field for a header, its scale, and the unit where it is another than the field's.
type Match = (usize, f64, Option<(String, bool)>);

impl<'a> Names<'a> {
    fn new(input: &TableInput, rules: &'a TableRules, common: &'a Common) -> Self {
        let mut fields = BTreeMap::new();
        for (f, field) in rules.field.iter().enumerate() {
            for name in field.names.iter().chain([&field.field]) {
                fields.entry(plain(name)).or_insert(f);
            }
        }
        for (field, name) in &input.columns {
            if let Some(f) = rules.index(field) {
                fields.insert(plain(name), f);
            }
        }
        let units: BTreeMap<String, (&str, f64)> = (common.unit.iter())
            .flat_map(|u| u.names.iter().map(|n| (plain(n), (u.of.as_str(), u.size))))
            .collect();
        let own = (rules.field.iter())
            .map(|f| units.get(&plain(&f.unit)).copied())
            .collect();
        Names { fields, units, own }
    }

    fn matched(&self, header: &str) -> Option<Match> {
        let name = plain(header);
        if let Some(&f) = self.fields.get(&name) {
            return Some((f, 1.0, None));
        }
        let (base, tail) = split(&name)?;
        let &f = self.fields.get(base)?;
        match (self.units.get(tail), self.own[f]) {
            (Some((of, size)), Some((own, unit))) if *of == own => match *size == unit {
                true => Some((f, 1.0, None)),
                false => Some((f, size / unit, Some((tail.to_owned(), true)))),
            },
            (Some(_), _) => Some((f, 1.0, Some((tail.to_owned(), false)))),
            // Words in brackets that are no unit explain the name.
            (None, _) => Some((f, 1.0, None)),
        }
    }
}

/// Names that the columns may have when the header ends in a row: the row alone, or with the groups of the row above.
fn candidates(rows: &[Vec<Value>], row: usize, two: bool) -> Vec<Vec<String>> {
    let text = |r: usize, c: usize| {
        rows[r]
            .get(c)
            .map_or_else(String::new, |v| v.to_string().trim().to_owned())
    };
    let mut group = String::new();
    (0..rows[row].len())
        .map(|c| {
            let name = text(row, c);
            if !two {
                return vec![name];
            }
            let above = text(row - 1, c);
            if !above.is_empty() {
                group.clone_from(&above);
            }
            match name.is_empty() {
                true => vec![above],
                false => vec![format!("{group}{name}"), format!("{group}_{name}"), name],
            }
        })
        .collect()
}

/// Finds the header: the row (or pair of rows) among the first that names most fields.
///
/// # Errors
/// No row names two fields; columns of the case file that are not there.
pub fn find(input: &TableInput, rules: &TableRules, common: &Common) -> Result<Header> {
    let names = Names::new(input, rules, common);
    let rows = &input.sheet.rows;
    let mut best: Option<(usize, usize, Vec<Vec<String>>)> = None;
    for row in 0..rows.len().min(common.header_rows) {
        for two in [false, true] {
            if two && row == 0 {
                continue;
            }
            let columns = candidates(rows, row, two);
            let mut known: Vec<usize> = columns
                .iter()
                .filter_map(|c| c.iter().find_map(|n| names.matched(n)))
                .map(|m| m.0)
                .collect();
            known.sort_unstable();
            known.dedup();
            // Two rows only where they tell more than any one row.
            if best.as_ref().is_none_or(|b| known.len() > b.0) {
                best = Some((known.len(), row, columns));
            }
        }
    }
    let Some((count, row, columns)) = best.filter(|b| b.0 >= 2.min(rules.field.len())) else {
        let wanted: Vec<&str> = (rules.field.iter())
            .filter(|f| f.presence != Presence::Optional)
            .map(|f| f.label(true))
            .collect();
        return Err(Error::input(Fault::new(
            &input.sheet.source,
            format!("no header row among the first {} rows", common.header_rows),
            format!(
                "columns of the table kind `{}`: {}",
                rules.id,
                wanted.join(", ")
            ),
            "check the kind and the sheet, or name the columns in [table.columns]",
        )));
    };
    debug_assert!(count <= rules.field.len());
    let mut header = Header {
        row,
        columns: vec![None; rules.field.len()],
        scales: vec![1.0; rules.field.len()],
        units: Vec::new(),
        twice: Vec::new(),
        unknown: Vec::new(),
    };
    let ignored: Vec<String> = common.ignored_columns.iter().map(|n| plain(n)).collect();
    for (column, candidates) in columns.iter().enumerate() {
        let Some((f, scale, unit)) = candidates.iter().find_map(|n| names.matched(n)) else {
            let name = plain(candidates.last().map_or("", String::as_str));
            let filled = rows[row + 1..]
                .iter()
                .any(|r| r.get(column).is_some_and(|v| !v.is_null()));
            if (!name.is_empty() || filled) && !ignored.contains(&name) {
                header.unknown.push(column);
            }
            continue;
        };
        if header.columns[f].is_some() {
            header.twice.push((column, f));
            continue;
        }
        header.columns[f] = Some(column);
        header.scales[f] = scale;
        if let Some((unit, convertible)) = unit {
            header.units.push((column, f, unit, convertible));
        }
    }
    Ok(header)
}

/// Tells what is wrong with the header.
pub(super) fn tell(view: &View<'_>, header: &Header, sink: &mut Sink<'_>) {
    for (f, rule) in view.rules.field.iter().enumerate() {
        if header.columns[f].is_some() || rule.presence == Presence::Optional {
            continue;
        }
        let id = match rule.presence {
            Presence::Required => "missing-column",
            _ => "missing-expected-column",
        };
        let (name, names) = (&rule.field, rule.names.join("、"));
        let texts = [
            said!(
                "no column of `{name}`",
                "缺少“{zh}”列",
                zh = rule.label(true)
            ),
            said!("one of {names}", "列名为下列之一：{names}"),
            said!(
                "add the column, or name it in [table.columns]",
                "补充该列，或在[table.columns]中指明列名"
            ),
        ];
        let texts = texts.map(|mut t| {
            // The names of the field are the same in both languages.
            t.en = t.en.replace('、', ", ");
            t
        });
        sink.header(view, id, None, texts);
        if let Some(last) = sink.findings.last_mut().filter(|l| l.rule == id) {
            last.field.clone_from(&rule.field);
        }
    }
    for &(column, f) in &header.twice {
        let rule = &view.rules.field[f];
        let texts = [
            said!(
                "a second column of `{n}`",
                "“{zh}”列重复",
                n = rule.field,
                zh = rule.label(true)
            ),
            said!("each field once", "每个字段一列"),
            said!(
                "delete or rename one; the first is used",
                "删除或改名其一；检查用的是前一列"
            ),
        ];
        sink.header(view, "duplicate-column", Some(column), texts);
    }
    for &column in &header.unknown {
        let texts = [
            said!("a column that is not known", "未知的列"),
            said!("a name of the dictionary", "词典中的列名"),
            said!(
                "correct the name, add it to the rule file, or map it in [table.columns]",
                "更正列名，或加入规则文件，或在[table.columns]中对应"
            ),
        ];
        sink.header(view, "unknown-column", Some(column), texts);
    }
    for (column, f, unit, convertible) in &header.units {
        let own = &view.rules.field[*f].unit;
        let (id, remedy) = match convertible {
            true => (
                "column-unit",
                said!(
                    "values are converted for the checks; change the column to {own}",
                    "检查时已换算；请将该列改为{own}"
                ),
            ),
            false => (
                "wrong-column-unit",
                said!("correct the unit of the header", "更正列名中的单位"),
            ),
        };
        let texts = [
            said!("a column in {unit}", "该列单位为{unit}"),
            said!("values in {own}", "单位应为{own}"),
            remedy,
        ];
        sink.header(view, id, Some(*column), texts);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::RuleBook;
    use super::*;

    fn input(rows: &[&[&str]]) -> TableInput {
        let mut input = TableInput {
            kind: "units".into(),
            ..TableInput::default()
        };
        let cell = |t: &&str| match *t {
            "" => Value::Null,
            t => t.into(),
        };
        input.sheet.rows = rows.iter().map(|r| r.iter().map(cell).collect()).collect();
        input
    }

    fn header(rows: &[&[&str]]) -> Result<Header> {
        let book = RuleBook::builtin();
        find(&input(rows), &book.tables["units"], &book.common)
    }

    #[test]
    fn headers_below_titles_in_one_row_or_two() {
        let book = RuleBook::builtin();
        let units = &book.tables["units"];
        let of = |h: &Header, name: &str| h.columns[units.index(name).unwrap()];
        let h = header(&[
            &["普查表", "", ""],
            &["单位：人", "", ""],
            &["区划代码", " 名　称 ", "常住人口（人）"],
            &["990000", "甲", "5"],
        ])
        .unwrap();
        assert_eq!(
            (h.row, of(&h, "code"), of(&h, "name"), of(&h, "population")),
            (2, Some(0), Some(1), Some(2))
        );
        let h = header(&[
            &["区划代码", "名称", "常住人口", "", ""],
            &["", "", "合计", "男", "女"],
            &["990000", "甲", "5", "3", "2"],
        ])
        .unwrap();
        assert_eq!(
            (
                h.row,
                of(&h, "population"),
                of(&h, "male"),
                of(&h, "female")
            ),
            (1, Some(2), Some(3), Some(4))
        );
        assert!(h.unknown.is_empty());
        assert!(header(&[&["a", "b"], &["1", "2"]]).is_err());
    }

    #[test]
    fn units_of_headers_are_converted() {
        let book = RuleBook::builtin();
        let units = &book.tables["units"];
        let h = header(&[&[
            "区划代码",
            "名称",
            "GDP（亿元）",
            "面积(公顷)",
            "常住人口(万元)",
        ]])
        .unwrap();
        let scale = |name: &str| h.scales[units.index(name).unwrap()];
        // The rules want 万元 and km².
        assert_eq!((scale("gdp"), scale("area")), (1e4, 0.01));
        assert_eq!(h.units.len(), 3);
        assert!(h.units.iter().any(|u| u.0 == 4 && !u.3));
    }

    #[test]
    fn names_given_twice_or_unknown() {
        let h = header(&[&["区划代码", "名称", "常住人口", "总人口", "幸福指数", "备注"]]).unwrap();
        assert_eq!(h.twice.len(), 1);
        assert_eq!(h.unknown, [4]);
    }
}
