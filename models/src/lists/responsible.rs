//! The responsibility list (责任清单): persons from the user's table, joined to objects by code. A missing person is told, never
//! made up.

use super::entry::Kind;
use super::standards::{At, ListRules, Role};
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::{Error, Fault, Result};
use std::collections::{BTreeMap, BTreeSet};

/// A responsible person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Code of the region, county, township or object (代码).
    pub code: String,
    /// Code of the role (责任层级).
    pub role: String,
    /// Name (姓名).
    pub name: String,
    /// Post (职务).
    pub post: String,
    /// Telephone (电话).
    pub phone: String,
    /// Row of the table, for messages.
    pub row: usize,
}

/// Columns of the table, each with the Chinese headings accepted beside it.
pub const COLUMNS: [(&str, &[&str]); 5] = [
    ("code", &["代码", "区划代码", "单元代码"]),
    ("role", &["责任层级", "角色"]),
    ("name", &["姓名", "责任人"]),
    ("post", &["职务", "单位及职务"]),
    ("phone", &["电话", "联系电话"]),
];

/// Persons from a table with the columns of [`COLUMNS`]; a role by its code or its Chinese name. Several persons may share a
/// role.
///
/// # Errors
/// All faults together: columns missing, codes or names empty, roles unknown, telephone numbers without digits, the same
/// person twice in one role.
pub fn read_persons(table: &Table, rules: &ListRules) -> Result<Vec<Person>> {
    let mut faults = Vec::new();
    let places = COLUMNS.map(|(english, chinese)| {
        let names = std::iter::once(&english).chain(chinese);
        let at = names.into_iter().find_map(|name| table.column(name));
        if at.is_none() {
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
        at.unwrap_or(usize::MAX)
    });
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let mut seen = BTreeSet::new();
    let mut persons = Vec::new();
    for (i, row) in table.rows.iter().enumerate() {
        if row.iter().all(Value::is_null) {
            continue;
        }
        let text = |c: usize| row[places[c]].to_string().trim().to_owned();
        let mut fault = |c: usize, expected: String, remedy: &str| {
            let found = match text(c) {
                found if found.is_empty() => "nothing".to_owned(),
                found => format!("`{found}`"),
            };
            faults.push(
                Fault::new(&table.source, found, expected, remedy).at(table.place(i, places[c])),
            );
        };
        if text(0).is_empty() {
            fault(
                0,
                "a code of a unit, township or object".into(),
                "give the code",
            );
        }
        let role = rules
            .roles
            .iter()
            .find(|r| r.code == text(1) || r.zh == text(1));
        if role.is_none() {
            let known: Vec<&str> = rules.roles.iter().map(|r| r.zh.as_str()).collect();
            fault(
                1,
                format!("one of {}", known.join(", ")),
                "correct the role",
            );
        }
        if text(2).is_empty() {
            fault(
                2,
                "the name of a person".into(),
                "name the person, or delete the row",
            );
        }
        let digits = text(4).bytes().filter(u8::is_ascii_digit).count();
        let plain = text(4)
            .chars()
            .all(|c| c.is_ascii_digit() || "+-() /、,;".contains(c));
        if !text(4).is_empty() && (digits < 3 || !plain) {
            fault(
                4,
                "a telephone number".into(),
                "correct the number, or leave it empty",
            );
        }
        if !seen.insert((text(0), text(1), text(2))) {
            fault(
                2,
                "each person once in a role".into(),
                "delete the double row",
            );
        }
        persons.push(Person {
            code: text(0),
            role: role.map_or_else(String::new, |r| r.code.clone()),
            name: text(2),
            post: text(3),
            phone: text(4),
            row: table.first_row + i,
        });
    }
    if faults.is_empty() {
        Ok(persons)
    } else {
        Err(Error::Input(faults))
    }
}

/// An object and the codes at which its persons are looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Kind.
    pub kind: Kind,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Code of its county.
    pub unit: String,
    /// Code of its township; empty where it has none.
    pub township: String,
}

/// A role that an object needs, with the person, or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment<'a> {
    /// The object.
    pub object: &'a Object,
    /// The role.
    pub role: &'a Role,
    /// Code at which the person was looked for.
    pub at: &'a str,
    /// The person; none where the table names nobody (未落实).
    pub person: Option<&'a Person>,
}

/// Every role of every object, with all persons of the table in that role at that code, or one line without a person; and the
/// persons whose code belongs to no object.
pub fn assign<'a>(
    objects: &'a [Object],
    region: &'a str,
    rules: &'a ListRules,
    persons: &'a [Person],
) -> (Vec<Assignment<'a>>, Vec<&'a Person>) {
    let mut by_code: BTreeMap<(&str, &str), Vec<&Person>> = BTreeMap::new();
    for p in persons {
        by_code.entry((&p.code, &p.role)).or_default().push(p);
    }
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut out = Vec::new();
    for object in objects {
        for role in rules
            .roles
            .iter()
            .filter(|r| r.kinds.contains(&object.kind))
        {
            let at = match role.at {
                At::Region => region,
                At::Unit => &object.unit,
                At::Township => &object.township,
                At::Object => &object.code,
            };
            let line = |person| Assignment {
                object,
                role,
                at,
                person,
            };
            match by_code.get(&(at, role.code.as_str())) {
                Some(found) => {
                    used.insert((at, &role.code));
                    out.extend(found.iter().map(|p| line(Some(*p))));
                }
                None => out.push(line(None)),
            }
        }
    }
    let left = persons
        .iter()
        .filter(|p| !used.contains(&(p.code.as_str(), p.role.as_str())))
        .collect();
    (out, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 5]]) -> Table {
        let mut t = Table::new(&["代码", "责任层级", "姓名", "职务", "联系电话"]);
        t.rows = rows
            .iter()
            .map(|r| r.iter().map(|v| (*v).into()).collect())
            .collect();
        t
    }

    #[test]
    fn persons_are_joined_and_missing_ones_are_told() {
        let rules = ListRules::builtin();
        let persons = read_persons(
            &table(&[
                ["330702", "县级责任人", "甲", "副区长", "0579-1234567"],
                ["330702001", "township-lead", "乙", "镇长", ""],
                ["330702001", "township-lead", "丙", "副镇长", "110"],
                ["330799", "县级责任人", "丁", "", ""],
            ]),
            &rules,
        )
        .unwrap();
        let objects = [
            Object {
                kind: Kind::Township,
                code: "330702001".into(),
                name: "某镇".into(),
                unit: "330702".into(),
                township: "330702001".into(),
            },
            Object {
                kind: Kind::DangerSite,
                code: "S1".into(),
                name: "某点".into(),
                unit: "330702".into(),
                township: "330702001".into(),
            },
        ];
        let (lines, left) = assign(&objects, "330700", &rules, &persons);
        let told: Vec<(&str, &str, Option<&str>)> = lines
            .iter()
            .map(|l| {
                (
                    l.object.code.as_str(),
                    l.role.code.as_str(),
                    l.person.map(|p| p.name.as_str()),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("330702001", "unit-lead", Some("甲")),
                ("330702001", "township-lead", Some("乙")),
                ("330702001", "township-lead", Some("丙")),
                ("S1", "unit-lead", Some("甲")),
                ("S1", "township-lead", Some("乙")),
                ("S1", "township-lead", Some("丙")),
                ("S1", "site-lead", None),
                ("S1", "site-monitor", None),
            ]
        );
        assert_eq!(
            left.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
            ["丁"]
        );
    }

    #[test]
    fn faults_of_the_table_come_together() {
        let rules = ListRules::builtin();
        let e = read_persons(
            &table(&[
                ["", "县级责任人", "甲", "", ""],
                ["330702", "省长", "", "", "call me"],
                ["330702", "县级责任人", "乙", "", ""],
                ["330702", "县级责任人", "乙", "", ""],
            ]),
            &rules,
        )
        .unwrap_err();
        assert_eq!(e.faults().len(), 5, "{e}");
        assert!(e.to_string().contains("row 3, column 责任层级 (B3)"), "{e}");
        let bare = Table::new(&["代码", "姓名"]);
        assert_eq!(read_persons(&bare, &rules).unwrap_err().faults().len(), 3);
    }
}
