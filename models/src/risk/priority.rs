//! Priority prevention areas (重点防治区): classes of townships by rules that are data.

use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file `standards/priority.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorityRule {
    /// Where the rule comes from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Classes, the most urgent first; the last has no condition and takes the rest.
    pub class: Vec<PriorityClass>,
}

/// A class of areas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorityClass {
    /// Name in tables.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Conditions of which one suffices.
    #[serde(default)]
    pub when: Vec<Condition>,
}

/// A condition: all that it names must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// `all` (the comprehensive risk), `any` hazard, or the name of one.
    pub scope: String,
    /// Grade of this number or higher (1 is the highest).
    pub grade: u8,
    /// Least number of hazards that must fulfil it, where the scope is `any`.
    #[serde(default = "one")]
    pub hazards: usize,
    /// Least number of residents in cells of the two highest risk grades of these hazards.
    #[serde(default)]
    pub least_people: f64,
}

fn one() -> usize {
    1
}

/// What is known of a township: grades and people at risk of each hazard, by name, and its comprehensive grade; 0 for none.
#[derive(Debug, Clone, PartialEq)]
pub struct Threat {
    /// Comprehensive grade.
    pub all: u8,
    /// (hazard, grade, residents in cells of the two highest grades).
    pub hazards: Vec<(&'static str, u8, f64)>,
}

impl PriorityRule {
    /// The compiled-in rule.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        PriorityRule::parse(
            include_str!("../../standards/priority.toml"),
            Path::new("standards/priority.toml"),
        )
        .expect("the compiled-in rule is read by a test")
    }

    /// A rule from TOML text.
    ///
    /// # Errors
    /// Text of another shape, or a last class with conditions.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let fault = |found: String| {
            Error::input(Fault::new(
                file,
                found,
                "classes with conditions, the last without any",
                "compare with the compiled-in file",
            ))
        };
        let rule: PriorityRule =
            toml::from_str(text).map_err(|e| fault(e.message().to_string()))?;
        match rule.class.last() {
            Some(last) if last.when.is_empty() => Ok(rule),
            _ => Err(fault(format!("{} classes", rule.class.len()))),
        }
    }

    /// Class of a township (an index), and the hazards and `all` that put it there.
    pub fn classify(&self, threat: &Threat) -> (usize, Vec<&'static str>) {
        for (k, class) in self.class.iter().enumerate() {
            for condition in &class.when {
                if let Some(why) = condition.holds(threat) {
                    return (k, why);
                }
            }
        }
        (self.class.len() - 1, Vec::new())
    }
}

impl Condition {
    fn holds(&self, threat: &Threat) -> Option<Vec<&'static str>> {
        let graded = |grade: u8| grade > 0 && grade <= self.grade;
        if self.scope == "all" {
            let people = threat.hazards.iter().map(|h| h.2).fold(0.0, f64::max);
            return (graded(threat.all) && people >= self.least_people).then(|| vec!["all"]);
        }
        let found: Vec<&'static str> = threat
            .hazards
            .iter()
            .filter(|(name, grade, people)| {
                (self.scope == "any" || self.scope == *name)
                    && graded(*grade)
                    && *people >= self.least_people
            })
            .map(|h| h.0)
            .collect();
        (found.len() >= self.hazards.max(1)).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_rule_sorts_townships() {
        let rule = PriorityRule::builtin();
        let class = |all, flood, people| {
            let threat = Threat {
                all,
                hazards: vec![("flood", flood, people), ("fire", 4, 0.0)],
            };
            let (k, why) = rule.classify(&threat);
            (rule.class[k].id.clone(), why)
        };
        assert_eq!(class(1, 4, 5000.0), ("key".into(), vec!["all"]));
        assert_eq!(class(3, 1, 5000.0), ("key".into(), vec!["flood"]));
        // The grade of a place where hardly anyone lives in danger does not make it a key area.
        assert_eq!(class(3, 1, 10.0).0, "secondary");
        assert_eq!(class(4, 4, 0.0), ("general".into(), vec![]));
        assert_eq!(class(0, 0, 0.0).0, "general");
        assert!(
            PriorityRule::parse("source = 1", Path::new("p"))
                .unwrap_err()
                .is_input()
        );
    }
}
