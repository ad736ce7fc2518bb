//! Statistics by unit and state, and the two-monthly hand-over (双月交办).

use super::book::DangerLedger;
use super::date::Date;
use super::rules::LedgerRules;
use super::standing::Standing;
use std::collections::BTreeMap;

/// Items of one unit on a date.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnitCount {
    /// Division code; empty for all units together.
    pub unit: String,
    /// Its name.
    pub name: String,
    /// Items by state, in the order of the rules.
    pub states: Vec<u64>,
    /// All items.
    pub items: u64,
    /// Items with something left to do.
    pub open: u64,
    /// Open items past their deadline (超期).
    pub overdue: u64,
    /// Open items whose next step is late (办理超时).
    pub late: u64,
    /// Open items of level 1, red, and 2, orange.
    pub grave: u64,
    /// Items that were ever listed and are closed.
    pub cancelled: u64,
    /// Of these, closed in time.
    pub in_time: u64,
    /// Items that are or were listed.
    pub listed: u64,
    /// People threatened by open items.
    pub people: f64,
}

impl UnitCount {
    fn add(&mut self, s: &Standing, rules: &LedgerRules) {
        self.states.resize(rules.states.len(), 0);
        if let Some(k) = rules.states.iter().position(|r| r.code == s.state) {
            self.states[k] += 1;
        }
        self.items += 1;
        self.listed += u64::from(s.listed_on.is_some());
        if s.open {
            self.open += 1;
            self.overdue += u64::from(s.overdue_days > 0);
            self.late += u64::from(s.late_days > 0);
            self.grave += u64::from(s.facts.level <= 2);
            self.people += s.facts.people.unwrap_or(0.0);
        } else if s.listed_on.is_some() {
            self.cancelled += 1;
            self.in_time += u64::from(s.overdue_days == 0);
        }
    }
}

/// Counts by unit in order of code; all together last, with an empty code.
pub fn statistics(standing: &[Standing], rules: &LedgerRules) -> Vec<UnitCount> {
    let mut units: BTreeMap<&str, UnitCount> = BTreeMap::new();
    let mut all = UnitCount {
        states: vec![0; rules.states.len()],
        ..UnitCount::default()
    };
    for s in standing {
        let count = units.entry(&s.facts.unit).or_default();
        count.unit = s.facts.unit.clone();
        if count.name.is_empty() {
            count.name = s.facts.unit_name.clone();
        }
        count.add(s, rules);
        all.add(s, rules);
    }
    units.into_values().chain([all]).collect()
}

/// Why an item is on the hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Open and past its deadline (超期).
    Overdue,
    /// Open, the deadline falls into the next period (将到期).
    Due,
    /// Listed in the period (新增挂账).
    New,
    /// Open from earlier (结转).
    Carried,
    /// Not listed yet (未挂账).
    Unlisted,
    /// Closed in the period (销账).
    Closed,
}

impl Turn {
    /// Chinese name.
    pub fn name_zh(self) -> &'static str {
        match self {
            Turn::Overdue => "超期",
            Turn::Due => "将到期",
            Turn::New => "新增挂账",
            Turn::Carried => "结转",
            Turn::Unlisted => "未挂账",
            Turn::Closed => "销账",
        }
    }
}

/// A hand-over: the period and its items.
#[derive(Debug, Clone, PartialEq)]
pub struct Handover {
    /// First day of the period.
    pub from: Date,
    /// Last day: the date asked for.
    pub to: Date,
    /// Last day of the next period.
    pub next: Date,
    /// Items with why they are on it: gravest turn first, then by unit, level and code. Items closed before the period are
    /// not on it.
    pub items: Vec<(Turn, Standing)>,
}

/// The hand-over of the period that ends on a date.
pub fn handover(ledger: &DangerLedger, as_of: Date) -> Handover {
    let months = ledger.rules().handover_months as i32;
    let from = as_of.plus_months(-months).plus_days(1);
    let next = as_of.plus_months(months);
    let mut items: Vec<(Turn, Standing)> = ledger
        .standing(as_of)
        .into_iter()
        .filter_map(|s| {
            let turn = match s.listed_on {
                _ if !s.open => (s.since >= from).then_some(Turn::Closed)?,
                None => Turn::Unlisted,
                Some(_) if s.overdue_days > 0 => Turn::Overdue,
                Some(_) if s.deadline.is_some_and(|d| d <= next) => Turn::Due,
                Some(listed) if listed >= from => Turn::New,
                Some(_) => Turn::Carried,
            };
            Some((turn, s))
        })
        .collect();
    items.sort_by(|(t, a), (u, b)| {
        let key =
            |t: &Turn, s: &Standing| (*t, s.facts.unit.clone(), s.facts.level, s.item.clone());
        key(t, a).cmp(&key(u, b))
    });
    Handover {
        from,
        to: as_of,
        next,
        items,
    }
}
