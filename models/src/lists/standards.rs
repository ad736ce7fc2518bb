//! The rules of the lists as data.

use super::entry::Kind;
use crate::hazard::Hazard;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

/// Rules of the lists.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRules {
    /// Name of the rules.
    pub id: String,
    /// Their version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where they come from.
    pub source: String,
    /// Levels, gravest first.
    #[serde(rename = "level")]
    pub levels: Vec<LevelName>,
    /// Level by the grade of a unit.
    pub of_grade: Levels,
    /// Level by the scale class of a site.
    pub of_scale: Levels,
    /// When residents and assets count as exposed.
    pub exposed: Vec<Exposed>,
    /// Hotspots.
    pub hotspot: HotspotRule,
    /// Level of a point by depth and people.
    pub point: PointRule,
    /// Critical places.
    pub place: PlaceRule,
    /// The table of events.
    pub events: EventRule,
    /// Roles of responsible persons.
    #[serde(rename = "role")]
    pub roles: Vec<Role>,
}

/// A level with its names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelName {
    /// 1 is the gravest.
    pub code: u8,
    /// Chinese name: 红, 橙, 黄, 蓝.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Colour.
    pub colour: [u8; 3],
}

/// Levels of classes, gravest class first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Levels; a class beyond the list takes the last.
    pub levels: Vec<u8>,
}

impl Levels {
    /// Level of a class, 1 the gravest; the last for 0, a class that was not given.
    ///
    /// # Panics
    /// Never for parsed rules, which have a level.
    pub fn of(&self, class: u8) -> u8 {
        let n = self.levels.len();
        let at = match class {
            0 => n - 1,
            c => usize::from(c).min(n) - 1,
        };
        self.levels[at]
    }
}

/// When residents and assets of a cell count as exposed to a hazard.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposed {
    /// Hazard.
    pub hazard: Hazard,
    /// Raster of the hazard, without return period and ending.
    pub measure: String,
    /// Return period, years; of the project's, the greatest not above it. None for rasters of all years.
    #[serde(default)]
    pub return_period: Option<f64>,
    /// Least value.
    pub at_least: f64,
    /// True for a screening.
    #[serde(default)]
    pub screening: bool,
}

/// What a hotspot is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotspotRule {
    /// Return period, years; of the project's, the greatest not above it.
    pub return_period: f64,
    /// Least depth, m.
    pub depth_m: f64,
    /// Residents that a hotspot has at least.
    pub least_people: u64,
    /// Land-cover classes that are built up.
    pub urban_cover: Vec<u8>,
    /// Share of such cells from which a hotspot is one of a town (城镇内涝点).
    pub urban_share: f64,
}

/// Level by depth and people.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointRule {
    /// Least depths of the rows, m, falling.
    pub depth_from_m: Vec<f64>,
    /// Least people of the columns, falling.
    pub people_from: Vec<u64>,
    /// Levels.
    pub levels: Vec<Vec<u8>>,
}

impl PointRule {
    /// Level of a point; `None` where it is not as deep as the last row.
    pub fn level(&self, depth_m: f64, people: f64) -> Option<u8> {
        let row = self.depth_from_m.iter().position(|&d| depth_m >= d)?;
        let column = self.people_from.iter().position(|&p| people >= p as f64)?;
        Some(self.levels[row][column])
    }
}

/// Critical places.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceRule {
    /// Annual probability of slides from which a place is on the list.
    pub slide_probability: f64,
    /// Bounds of the levels, gravest first.
    pub probability_from: Vec<f64>,
}

impl PlaceRule {
    /// Level by the probability of slides; `None` below the least bound.
    pub fn level(&self, probability: f64) -> Option<u8> {
        let at = self
            .probability_from
            .iter()
            .position(|&p| probability >= p)?;
        (probability >= self.slide_probability).then_some(at as u8 + 1)
    }
}

/// The table of events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRule {
    /// Events told, the greatest first.
    pub listed: usize,
}

/// Where the person of a role is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// At the code of the whole region.
    Region,
    /// At the code of the county.
    Unit,
    /// At the code of the township.
    Township,
    /// At the code of the object itself.
    Object,
}

/// A role of responsible persons.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Code.
    pub code: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Where the person is looked for.
    pub at: At,
    /// Objects that need one.
    pub kinds: Vec<Kind>,
}

impl ListRules {
    /// The rules compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        ListRules::parse(
            include_str!("../../standards/lists.toml"),
            Path::new("standards/lists.toml"),
        )
        .expect("the compiled-in rules are read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; levels other than 1 to 4; a matrix of another size than its bounds, or bounds that do not fall.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let rules: ListRules = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.message().to_string(),
                "rules of the lists",
                "compare with standards/lists.toml",
            ))
        })?;
        let mut faults = Vec::new();
        let mut check = |ok: bool, place: &str, found: String, expected: &str| {
            if !ok {
                let remedy = "compare with standards/lists.toml";
                faults.push(Fault::new(file, found, expected, remedy).at(place));
            }
        };
        let codes: Vec<u8> = rules.levels.iter().map(|l| l.code).collect();
        check(
            codes == [1, 2, 3, 4],
            "level",
            format!("levels {codes:?}"),
            "levels 1, 2, 3, 4",
        );
        let known =
            |levels: &[u8]| !levels.is_empty() && levels.iter().all(|l| (1..=4).contains(l));
        for (place, levels) in [("of_grade", &rules.of_grade), ("of_scale", &rules.of_scale)] {
            check(
                known(&levels.levels),
                place,
                format!("{:?}", levels.levels),
                "levels of 1 to 4",
            );
        }
        let p = &rules.point;
        let size = p.levels.len() == p.depth_from_m.len()
            && p.levels
                .iter()
                .all(|row| row.len() == p.people_from.len() && known(row));
        check(
            size,
            "point levels",
            format!("{:?}", p.levels),
            "levels of 1 to 4, a row for each depth and a column for each number of people",
        );
        let falling = p.depth_from_m.windows(2).all(|w| w[0] > w[1])
            && p.people_from.windows(2).all(|w| w[0] > w[1])
            && p.people_from.last() == Some(&0);
        check(
            falling,
            "point",
            format!("{:?}, {:?}", p.depth_from_m, p.people_from),
            "falling bounds, the last of people 0",
        );
        let bounds = &rules.place.probability_from;
        check(
            bounds.len() == 4 && bounds.windows(2).all(|w| w[0] > w[1]),
            "place probability_from",
            format!("{bounds:?}"),
            "four falling bounds",
        );
        if faults.is_empty() {
            Ok(rules)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Name of a level.
    pub fn level_name(&self, level: u8, zh: bool) -> &str {
        self.levels
            .iter()
            .find(|l| l.code == level)
            .map_or("", |l| if zh { &l.zh } else { &l.en })
    }

    /// The greatest of the project's return periods that is not above the wanted one; the first where all are.
    ///
    /// # Panics
    /// No return periods, which a project always has.
    pub fn period(periods: &[f64], wanted: f64) -> f64 {
        *periods
            .iter()
            .rfind(|&&t| t <= wanted)
            .unwrap_or(&periods[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_by_grade_scale_and_matrix() {
        let rules = ListRules::builtin();
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|g| rules.of_grade.of(g)),
            [4, 1, 2, 3, 4, 4]
        );
        assert_eq!(rules.point.level(2.5, 10.0), Some(2));
        assert_eq!(rules.point.level(0.5, 1000.0), Some(1));
        assert_eq!(rules.point.level(0.49, 1000.0), Some(2));
        assert_eq!(rules.point.level(0.14, 1000.0), None);
        assert_eq!(rules.place.level(0.01), Some(2));
        assert_eq!(rules.place.level(0.0009), None);
        assert_eq!(rules.level_name(1, true), "红");
        assert_eq!(ListRules::period(&[5.0, 20.0, 100.0], 50.0), 20.0);
        assert_eq!(ListRules::period(&[50.0, 100.0], 20.0), 50.0);
    }

    #[test]
    fn rules_at_fault_are_named_together() {
        let text = include_str!("../../standards/lists.toml")
            .replace("levels = [1, 2, 3, 4]", "levels = [9]")
            .replace(
                "people_from = [1000, 500, 100, 0]",
                "people_from = [1, 5, 7]",
            );
        let e = ListRules::parse(&text, Path::new("l.toml")).unwrap_err();
        assert_eq!(e.faults().len(), 4, "{e}");
    }
}
