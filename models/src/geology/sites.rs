//! Hidden-danger sites (地质灾害隐患点): the table census teams keep, its checks, and the scale class of each site.

use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Kind of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteKind {
    /// Landslide (滑坡).
    Landslide,
    /// Collapse, rockfall (崩塌).
    Collapse,
    /// Debris flow (泥石流).
    DebrisFlow,
}

impl SiteKind {
    /// From the census's Chinese name or the English one.
    pub fn from_name(name: &str) -> Option<SiteKind> {
        match name.trim() {
            "滑坡" | "landslide" => Some(SiteKind::Landslide),
            "崩塌" | "collapse" | "rockfall" => Some(SiteKind::Collapse),
            "泥石流" | "debris-flow" | "debris flow" => Some(SiteKind::DebrisFlow),
            _ => None,
        }
    }

    /// Chinese name.
    pub fn name_zh(self) -> &'static str {
        match self {
            SiteKind::Landslide => "滑坡",
            SiteKind::Collapse => "崩塌",
            SiteKind::DebrisFlow => "泥石流",
        }
    }
}

/// One hidden-danger site.
#[derive(Debug, Clone, PartialEq)]
pub struct HiddenSite {
    /// Code (编号), unique.
    pub code: String,
    /// Name (名称).
    pub name: String,
    /// Kind (灾害类型).
    pub kind: SiteKind,
    /// x in the system of the table.
    pub x: f64,
    /// y in the system of the table.
    pub y: f64,
    /// Volume (体积), m³.
    pub volume_m3: f64,
    /// People threatened (威胁人数).
    pub threatened_people: u64,
    /// Property threatened (威胁财产), yuan.
    pub threatened_yuan: f64,
}

/// Columns of the table, each with the Chinese heading accepted beside it.
pub const COLUMNS: [(&str, &str); 8] = [
    ("code", "编号"),
    ("name", "名称"),
    ("kind", "灾害类型"),
    ("x", "经度或X"),
    ("y", "纬度或Y"),
    ("volume_m3", "体积_m3"),
    ("threatened_people", "威胁人数"),
    ("threatened_yuan", "威胁财产_元"),
];

/// Sites from the cells of a table as text; `first_row` is the row number of the first record in the file, for messages.
///
/// # Errors
/// All faults of the table together: missing columns, unknown kinds, figures that are no numbers or negative, codes given
/// twice or empty.
pub fn read_sites(
    file: &Path,
    columns: &[String],
    rows: &[Vec<String>],
    first_row: usize,
) -> Result<Vec<HiddenSite>> {
    let mut faults = Vec::new();
    let places = COLUMNS.map(|(english, chinese)| {
        let at = columns
            .iter()
            .position(|c| c.trim() == english || c.trim() == chinese);
        if at.is_none() {
            faults.push(
                Fault::new(
                    file,
                    format!("columns {columns:?}"),
                    format!("a column {english} ({chinese})"),
                    "add the column or rename its heading",
                )
                .at("header"),
            );
        }
        at.unwrap_or(usize::MAX)
    });
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut sites = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let number = first_row + i;
        let text = |c: usize| row.get(places[c]).map_or("", |v| v.trim());
        let before = faults.len();
        let mut fault = |c: usize, expected: &str, remedy: &str| {
            let found = match text(c) {
                "" => "nothing".to_owned(),
                other => format!("`{other}`"),
            };
            faults.push(
                Fault::new(file, found, expected, remedy)
                    .at(format!("row {number}, {}", COLUMNS[c].0)),
            );
        };
        if text(0).is_empty() {
            fault(0, "a code", "give the site its census code");
        } else if let Some(first) = seen.insert(text(0), number) {
            let expected = format!("a code used once (row {first} has it too)");
            fault(0, &expected, "delete the double record or correct its code");
        }
        let kind = SiteKind::from_name(text(2));
        if kind.is_none() {
            fault(2, "滑坡, 崩塌 or 泥石流", "correct the kind");
        }
        let mut figures = [0.0; 5];
        for (k, figure) in figures.iter_mut().enumerate() {
            let c = k + 3;
            match text(c).parse::<f64>() {
                Ok(v) if v.is_finite() && (k < 2 || v >= 0.0) => *figure = v,
                _ if k < 2 => fault(c, "a coordinate", "give the site's place"),
                _ => fault(
                    c,
                    "a number, not negative",
                    "correct the figure; 0 where there is none",
                ),
            }
        }
        let people = figures[3];
        if (people - people.floor()).abs() > 0.0 {
            fault(6, "a whole number of people", "correct the figure");
        }
        if let (Some(kind), true) = (kind, faults.len() == before) {
            sites.push(HiddenSite {
                code: text(0).to_owned(),
                name: text(1).to_owned(),
                kind,
                x: figures[0],
                y: figures[1],
                volume_m3: figures[2],
                threatened_people: people as u64,
                threatened_yuan: figures[4],
            });
        }
    }
    if faults.is_empty() {
        Ok(sites)
    } else {
        Err(Error::Input(faults))
    }
}

/// Scale classes by threat (险情等级).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleTable {
    /// Where the figures come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Sites that threaten more people than this get automatic monitoring.
    pub monitoring_above_people: u64,
    /// Classes, the greatest first.
    #[serde(rename = "class")]
    pub classes: Vec<ScaleClass>,
}

/// One scale class; it holds where either bound is reached.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleClass {
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Least number of people threatened.
    pub people_from: u64,
    /// Least potential loss, yuan.
    pub loss_from_yuan: f64,
}

impl ScaleTable {
    /// The classes compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn standard() -> Self {
        ScaleTable::parse(
            include_str!("../../standards/geohazard_scale.toml"),
            Path::new("standards/geohazard_scale.toml"),
        )
        .expect("the compiled-in scale table is read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; classes not from the greatest to one that holds always.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let fault = |found: String| {
            Error::input(Fault::new(
                file,
                found,
                "classes with falling bounds, the last from 0 people",
                "compare with standards/geohazard_scale.toml",
            ))
        };
        let table: ScaleTable = toml::from_str(text).map_err(|e| fault(e.to_string()))?;
        let falling = table.classes.windows(2).all(|c| {
            c[0].people_from > c[1].people_from && c[0].loss_from_yuan > c[1].loss_from_yuan
        });
        if !falling || table.classes.last().is_none_or(|c| c.people_from > 0) {
            return Err(fault(format!(
                "{} classes out of order",
                table.classes.len()
            )));
        }
        Ok(table)
    }

    /// The class of a site: the greatest of which it reaches either bound.
    pub fn class_of(&self, site: &HiddenSite) -> &ScaleClass {
        let reaches = |c: &&ScaleClass| {
            site.threatened_people >= c.people_from || site.threatened_yuan >= c.loss_from_yuan
        };
        self.classes
            .iter()
            .find(reaches)
            .expect("the last class starts at 0 people, as parse checks")
    }

    /// True where automatic monitoring is due (自动化监测).
    pub fn monitored(&self, site: &HiddenSite) -> bool {
        site.threatened_people > self.monitoring_above_people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 8]]) -> Result<Vec<HiddenSite>> {
        let columns: Vec<String> = COLUMNS.iter().map(|c| c.0.to_owned()).collect();
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|r| r.iter().map(|v| (*v).to_owned()).collect())
            .collect();
        read_sites(Path::new("sites.csv"), &columns, &rows, 2)
    }

    #[test]
    fn classes_by_people_or_property() {
        let sites = table(&[
            ["A1", "a", "滑坡", "120.1", "29.2", "5000", "99", "4999999"],
            ["A2", "b", "崩塌", "120.1", "29.2", "50", "100", "0"],
            ["A3", "c", "泥石流", "120.1", "29.2", "0", "3", "60000000"],
            ["A4", "d", "滑坡", "120.1", "29.2", "0", "1000", "0"],
        ])
        .unwrap();
        let scale = ScaleTable::standard();
        let names: Vec<&str> = sites
            .iter()
            .map(|s| scale.class_of(s).name_zh.as_str())
            .collect();
        assert_eq!(names, ["小型", "中型", "大型", "特大型"]);
        let monitored: Vec<bool> = sites.iter().map(|s| scale.monitored(s)).collect();
        assert_eq!(monitored, [false, false, false, true]);
    }

    #[test]
    fn all_faults_at_once_with_row_and_column() {
        let e = table(&[
            ["A1", "a", "滑坡", "120.1", "29.2", "5000", "99", "1"],
            ["A1", "b", "地陷", "", "29.2", "-3", "1.5", "x"],
        ])
        .unwrap_err();
        assert_eq!(e.faults().len(), 6);
        let text = e.to_string();
        assert!(
            text.contains("row 3, code") && text.contains("row 2 has it too"),
            "{text}"
        );
        assert!(text.contains("row 3, kind: found `地陷`"));
        let e = read_sites(Path::new("s.csv"), &["code".to_owned()], &[], 2).unwrap_err();
        assert_eq!(e.faults().len(), 7);
    }
}
