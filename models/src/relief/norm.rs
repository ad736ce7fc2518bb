//! Needs per person (需求定额) by profile, the demand that follows, and the response level of an event.

use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};

/// Whom a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Relocated people (紧急转移安置人口).
    Relocated,
    /// Relocated households.
    Household,
    /// Relocated people of an event that floods; 0 for other hazards.
    Flooded,
}

/// One item of the reserve list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Code.
    pub code: String,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Unit of count.
    pub unit: String,
    /// Whom the rate counts.
    pub basis: Basis,
    /// Units per head (per day where `per_day`).
    pub rate: f64,
    /// Days for which the reserve must last.
    pub days: f64,
    /// True where the rate is per day.
    pub per_day: bool,
    /// Factor by month, January first.
    pub season: [f64; 12],
    /// Volume of one unit in store, m³.
    pub volume_m3: f64,
    /// Price of one unit, yuan.
    pub price_yuan: f64,
    /// Shelf life, years.
    pub shelf_life_years: f64,
    /// Units per carton; plans are rounded up to cartons only at the end.
    pub carton: u32,
    /// Hours within which it must arrive.
    pub deadline_h: f64,
}

/// One alternative set of needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name in the project file.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the rates come from.
    pub source: String,
    /// Its items.
    pub item: Vec<Item>,
}

/// The file `standards/relief_items.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliefNorms {
    /// Name of the data set.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// The profiles.
    pub profile: Vec<Profile>,
}

impl ReliefNorms {
    /// The norms that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/relief_items.toml"))
            .expect("the compiled-in norms are read by a test")
    }

    /// The profile of this name.
    ///
    /// # Errors
    /// No such profile; the message lists those there are.
    pub fn profile(&self, id: &str) -> Result<&Profile> {
        self.profile.iter().find(|p| p.id == id).ok_or_else(|| {
            let known: Vec<&str> = self.profile.iter().map(|p| p.id.as_str()).collect();
            Error::input(
                Fault::new(
                    "project file",
                    id,
                    known.join(", "),
                    "name one of these profiles",
                )
                .at("[relief] profile"),
            )
        })
    }
}

/// People of one event in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct People {
    /// Relocated people.
    pub relocated: f64,
    /// Of these, by flood.
    pub flooded: f64,
    /// Persons per household of the unit.
    pub household_size: f64,
}

impl Item {
    /// Units wanted for some people in a month (1..=12); `elsewhere` is the share housed by relatives (分散安置), 0..=1.
    pub fn demand(&self, people: &People, month: usize, elsewhere: f64) -> f64 {
        let heads = match self.basis {
            Basis::Relocated => people.relocated,
            Basis::Household => people.relocated / people.household_size.max(1.0),
            Basis::Flooded => people.flooded,
        };
        let days = if self.per_day { self.days } else { 1.0 };
        heads * (1.0 - elsewhere) * self.rate * days * self.season[(month - 1) % 12]
    }
}

/// Response triggers of a jurisdiction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// Name of the table.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the bounds come from.
    pub source: String,
    /// Levels, gravest first.
    pub level: Vec<TriggerLevel>,
}

/// One response level; any bound reached triggers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerLevel {
    /// 1 is the gravest.
    pub level: u8,
    /// Chinese name.
    pub name_zh: String,
    /// Dead and missing people.
    pub deaths: f64,
    /// Relocated people or people in need of urgent aid.
    pub relocated: f64,
    /// Collapsed and severely damaged rooms.
    pub rooms: f64,
}

impl Triggers {
    /// The national table.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/response_triggers.toml"))
            .expect("the compiled-in triggers are read by a test")
    }

    /// Response level of an event; `None` below all levels.
    pub fn level(&self, deaths: f64, relocated: f64, rooms: f64) -> Option<u8> {
        self.level
            .iter()
            .find(|l| deaths >= l.deaths || relocated >= l.relocated || rooms >= l.rooms)
            .map(|l| l.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// InaSAFE's report for 979,000 displaced people (standards.md section 4.3).
    #[test]
    fn needs_of_the_published_example() {
        let norms = ReliefNorms::builtin();
        let people = People {
            relocated: 979_000.0,
            household_size: 5.0,
            ..People::default()
        };
        let expected = [2_741_200.0, 17_132_500.0, 65_593_000.0, 195_800.0, 48_950.0];
        for (item, want) in norms.profile("bnpb").unwrap().item.iter().zip(expected) {
            let got = item.demand(&people, 7, 0.0);
            // Products of decimals in f64: exact to a few ulp.
            assert!((got - want).abs() < 1e-6 * want, "{}: {got}", item.code);
        }
        assert!(
            norms
                .profile("none")
                .unwrap_err()
                .to_string()
                .contains("bnpb")
        );
    }

    #[test]
    fn triggers_include_their_lower_bounds() {
        let t = Triggers::builtin();
        assert_eq!(t.level(200.0, 0.0, 0.0), Some(1));
        assert_eq!(t.level(0.0, 999_999.0, 0.0), Some(3));
        assert_eq!(t.level(0.0, 0.0, 200_000.0), Some(2));
        assert_eq!(t.level(1.0, 1.0, 1.0), None);
    }
}
