//! Rules of warning prompt sheets (预警提示单) and township flood sheets as data.

use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

/// Rules of the sheets.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptRules {
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
    pub levels: Vec<PromptLevel>,
    /// Depths that decide who is at risk.
    pub people: PeopleRule,
    /// Classes of depth on maps.
    pub depth: DepthClasses,
    /// Lengths of tables.
    pub lines: Lines,
}

/// A level of a sheet.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptLevel {
    /// 1 red to 4 blue.
    pub level: u8,
    /// People to move from which it holds.
    pub people_from: u64,
    /// Return period of the scenario, years, from which it holds where anybody is at risk.
    pub return_period_from: f64,
}

/// Depths that decide who is at risk.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleRule {
    /// Least depth of cells whose residents are at risk, m.
    pub at_risk_m: f64,
    /// Least depth of cells whose residents are to be moved, m.
    pub to_move_m: f64,
}

/// Classes of depth.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthClasses {
    /// Lower bounds, m, rising.
    pub from_m: Vec<f32>,
    /// Colours.
    pub colours: Vec<[u8; 3]>,
}

/// Lines of the tables at most.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// Townships.
    pub townships: usize,
    /// Hotspots, and danger sites.
    pub points: usize,
    /// Critical places.
    pub places: usize,
    /// Measures.
    pub measures: usize,
    /// Responsible persons.
    pub persons: usize,
    /// Shelters on a map.
    pub shelters: usize,
}

impl PromptRules {
    /// The rules compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        PromptRules::parse(
            include_str!("../../standards/prompt.toml"),
            Path::new("standards/prompt.toml"),
        )
        .expect("the compiled-in rules are read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; levels that are not of falling gravity, classes of depth that do not rise or lack a colour.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let fault = |found: String, expected: &str| {
            Error::input(Fault::new(
                file,
                found,
                expected,
                "compare with standards/prompt.toml",
            ))
        };
        let rules: PromptRules = toml::from_str(text)
            .map_err(|e| fault(e.message().to_string(), "rules of prompt sheets"))?;
        let falling = rules.levels.windows(2).all(|w| {
            w[0].level < w[1].level
                && w[0].people_from > w[1].people_from
                && w[0].return_period_from > w[1].return_period_from
        });
        if rules.levels.is_empty()
            || !falling
            || rules.levels.iter().any(|l| !(1..=4).contains(&l.level))
        {
            return Err(fault(
                format!("{} levels out of order", rules.levels.len()),
                "levels of 1 to 4 with falling bounds",
            ));
        }
        let d = &rules.depth;
        if d.from_m.is_empty()
            || d.colours.len() != d.from_m.len()
            || !d.from_m.windows(2).all(|w| w[0] < w[1])
        {
            return Err(fault(
                format!("depths {:?}", d.from_m),
                "rising depths, a colour for each",
            ));
        }
        Ok(rules)
    }

    /// Level of a sheet; none where nobody is at risk, or for less than the least bounds.
    pub fn level(&self, at_risk: f64, to_move: f64, return_period: f64) -> Option<u8> {
        self.levels
            .iter()
            .find(|l| {
                to_move >= l.people_from as f64
                    || (at_risk >= 1.0 && return_period >= l.return_period_from)
            })
            .map(|l| l.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_level_reached_by_people_or_return_period() {
        let r = PromptRules::builtin();
        assert_eq!(r.level(2000.0, 1000.0, 5.0), Some(1));
        assert_eq!(r.level(10.0, 0.0, 50.0), Some(2));
        assert_eq!(r.level(10.0, 120.0, 5.0), Some(3));
        assert_eq!(r.level(10.0, 0.0, 5.0), Some(4));
        assert_eq!(r.level(0.0, 0.0, 1000.0), None);
        let broken = include_str!("../../standards/prompt.toml")
            .replace("people_from = 500", "people_from = 5000");
        assert!(
            PromptRules::parse(&broken, Path::new("p.toml"))
                .unwrap_err()
                .is_input()
        );
    }
}
