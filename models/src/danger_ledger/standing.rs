//! Where every item stands on a date: what was known then, and what was late.

use super::book::{DangerLedger, Item};
use super::date::Date;
use super::entry::Facts;

/// An item on a date.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Item (隐患编号).
    pub item: String,
    /// What was known of it.
    pub facts: Facts,
    /// Code of its state.
    pub state: String,
    /// True while there was something left to do.
    pub open: bool,
    /// Day of its registration.
    pub registered_on: Date,
    /// Day of the step that led to the state.
    pub since: Date,
    /// Day of the listing (挂账日期).
    pub listed_on: Option<Date>,
    /// Deadline (整改期限), of an item that was listed.
    pub deadline: Option<Date>,
    /// Days past the deadline (超期天数): of an open item until the date asked for, of a closed one until it was closed; 0
    /// where it was in time or has no deadline.
    pub overdue_days: i64,
    /// Days past the time that the state allows for the next step (办理超时); 0 where in time.
    pub late_days: i64,
    /// Extensions of the present listing (延期次数).
    pub extensions: u32,
    /// Times that its work was sent back (退回次数).
    pub returns: u32,
    /// Responsible person; empty where nobody is named.
    pub responsible: String,
    /// Steps taken until the date.
    pub steps: usize,
}

impl DangerLedger {
    /// All items that were registered on the date or before, in order of their code, as they stood at the end of that day.
    pub fn standing(&self, as_of: Date) -> Vec<Standing> {
        self.items
            .iter()
            .filter_map(|(code, item)| self.stood(code, item, as_of))
            .collect()
    }

    fn stood(&self, code: &str, item: &Item, as_of: Date) -> Option<Standing> {
        let known = item
            .entries
            .partition_point(|&n| self.entries()[n].on <= as_of);
        let first = &self.entries()[*item.entries[..known].first()?];
        let then;
        let item = if known == item.entries.len() {
            item
        } else {
            // Steps taken since then are left out: the state is folded from those before.
            let mut past = Item {
                state: String::new(),
                listed_on: None,
                deadline: None,
                extensions: 0,
                returns: 0,
                responsible: String::new(),
                submitter: String::new(),
                since: first.on,
                facts: Facts::default(),
                entries: item.entries[..known].to_vec(),
            };
            for &n in &item.entries[..known] {
                past.take(&self.entries()[n], self.rules());
            }
            then = past;
            &then
        };
        let state = self.rules().state(&item.state);
        let until = if state.open { as_of } else { item.since };
        let overdue = item.deadline.map_or(0, |d| d.days_to(until).max(0));
        let late = match state.limit_days {
            Some(limit) if state.open => (item.since.days_to(as_of) - i64::from(limit)).max(0),
            _ => 0,
        };
        Some(Standing {
            item: code.to_owned(),
            facts: item.facts.clone(),
            state: item.state.clone(),
            open: state.open,
            registered_on: first.on,
            since: item.since,
            listed_on: item.listed_on,
            deadline: item.deadline,
            overdue_days: overdue,
            late_days: late,
            extensions: item.extensions,
            returns: item.returns,
            responsible: item.responsible.clone(),
            steps: known,
        })
    }
}
