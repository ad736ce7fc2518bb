//! Entries of the risk list (风险清单) and their order.

use serde::{Deserialize, Serialize};

/// Kind of an object (对象类别).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A county.
    Unit,
    /// A township.
    Township,
    /// A hidden-danger site (隐患点).
    DangerSite,
    /// A flooded hotspot (易涝点).
    Hotspot,
    /// A critical place (重点场所): school, hospital, home for the aged, shelter, depot.
    Place,
}

impl Kind {
    /// All kinds, in the order of the tables.
    pub const ALL: [Kind; 5] = [
        Kind::Unit,
        Kind::Township,
        Kind::DangerSite,
        Kind::Hotspot,
        Kind::Place,
    ];

    /// Name in files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Unit => "unit",
            Kind::Township => "township",
            Kind::DangerSite => "danger-site",
            Kind::Hotspot => "hotspot",
            Kind::Place => "place",
        }
    }

    /// Chinese name.
    pub fn name_zh(self) -> &'static str {
        match self {
            Kind::Unit => "县级单元",
            Kind::Township => "乡镇单元",
            Kind::DangerSite => "地质灾害隐患点",
            Kind::Hotspot => "易涝（淹没）点",
            Kind::Place => "重点场所",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|k| k.name() == name || k.name_zh() == name)
    }
}

/// An entry of the risk list: an object under one hazard.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskEntry {
    /// Number of the entry (编号): object and hazard, the same in every run of the same inputs.
    pub id: String,
    /// Kind of object.
    pub kind: Kind,
    /// Code of the object.
    pub code: String,
    /// Name of the object.
    pub name: String,
    /// Index of its county; none for a point outside all counties.
    pub unit: Option<usize>,
    /// Index of its township; none for a county and outside all townships.
    pub township: Option<usize>,
    /// Hazard, or `all`.
    pub hazard: &'static str,
    /// Level: 1 red to 4 blue.
    pub level: u8,
    /// Grade of the rule pack and its Chinese name, or the scale class and its name.
    pub grade: Option<(u8, String)>,
    /// True where automatic monitoring is due (自动化监测).
    pub monitoring: bool,
    /// People exposed or threatened; none where not assessed.
    pub people: Option<f64>,
    /// Assets exposed or threatened, yuan.
    pub assets_yuan: Option<f64>,
    /// Average annual loss, yuan.
    pub aal_yuan: Option<f64>,
    /// Return period at which the object is first struck, years.
    pub return_period: Option<f64>,
    /// Depth that the level is judged by, m.
    pub depth_m: Option<f64>,
    /// x and y in the system of the project.
    pub at: (f64, f64),
    /// Rule pack or table behind the level.
    pub rule: String,
    /// Its status: `read` or `unverified`.
    pub rule_status: String,
    /// File that the entry comes from.
    pub source: String,
    /// What else a reader must know.
    pub note: String,
}

/// Orders a list: level, then people, then average annual loss, then number; unknown figures come last.
pub fn rank(entries: &mut [RiskEntry]) {
    let figure = |v: Option<f64>| v.unwrap_or(-1.0);
    entries.sort_by(|a, b| {
        a.level
            .cmp(&b.level)
            .then(figure(b.people).total_cmp(&figure(a.people)))
            .then(figure(b.aal_yuan).total_cmp(&figure(a.aal_yuan)))
            .then(a.id.cmp(&b.id))
    });
}

#[cfg(test)]
pub(super) fn sample(id: &str, kind: Kind, hazard: &'static str, level: u8) -> RiskEntry {
    RiskEntry {
        id: id.into(),
        kind,
        code: id.into(),
        name: id.into(),
        unit: Some(0),
        township: Some(0),
        hazard,
        level,
        grade: None,
        monitoring: false,
        people: None,
        assets_yuan: None,
        aal_yuan: None,
        return_period: None,
        depth_m: None,
        at: (0.0, 0.0),
        rule: String::new(),
        rule_status: String::new(),
        source: String::new(),
        note: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_come_first() {
        let entry = |id: &str, level, people: Option<f64>, aal| RiskEntry {
            people,
            aal_yuan: aal,
            ..sample(id, Kind::Unit, "flood", level)
        };
        let mut list = vec![
            entry("a", 2, Some(900.0), None),
            entry("b", 1, None, Some(5.0)),
            entry("c", 1, Some(3.0), Some(1.0)),
            entry("d", 1, Some(3.0), Some(2.0)),
            entry("e", 1, Some(3.0), Some(2.0)),
        ];
        rank(&mut list);
        let order: Vec<&str> = list.iter().map(|e| e.id.as_str()).collect();
        assert_eq!(order, ["d", "e", "c", "b", "a"]);
        assert!(
            Kind::ALL
                .iter()
                .all(|k| Kind::from_name(k.name()) == Some(*k))
        );
    }
}
