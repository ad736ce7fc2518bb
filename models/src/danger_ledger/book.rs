//! The ledger: entries replayed to where every item stands, steps allowed by the rules, refusals that name the rule.

use super::date::Date;
use super::entry::{Entry, Facts};
use super::rules::{Effect, LedgerRules, Need, Transition};
use anlan_engine::Fault;
use std::collections::BTreeMap;
use std::path::Path;

/// What somebody wants to do to an item.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Item (隐患编号).
    pub item: String,
    /// Transition: its code or its Chinese name.
    pub action: String,
    /// Day; must be given.
    pub on: Option<Date>,
    /// Who.
    pub by: String,
    /// For which department.
    pub department: String,
    /// Why.
    pub reason: String,
    /// Evidence.
    pub evidence: String,
    /// Responsible person from here on.
    pub responsible: String,
    /// Deadline from here on.
    pub deadline: Option<Date>,
    /// What is known of the danger; needed where the item is made.
    pub facts: Option<Facts>,
}

/// Why a step is refused: the rule, what was found, what the rule wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Item.
    pub item: String,
    /// Rule, e.g. `transition cancel`.
    pub rule: String,
    /// What was found.
    pub found: String,
    /// What the rule wants.
    pub expected: String,
    /// What can be done.
    pub remedy: String,
}

impl Refusal {
    /// The refusal as a fault of a file.
    pub fn fault(&self, file: &Path, place: &str) -> Fault {
        let at = match place {
            "" => format!("item {}, {}", self.item, self.rule),
            _ => format!("{place}, item {}, {}", self.item, self.rule),
        };
        Fault::new(file, &self.found, &self.expected, &self.remedy).at(at)
    }
}

/// Where an item stands after its last entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub facts: Facts,
    pub state: String,
    /// Entries of the item, as positions in the ledger.
    pub entries: Vec<usize>,
    pub since: Date,
    pub listed_on: Option<Date>,
    pub deadline: Option<Date>,
    pub extensions: u32,
    pub returns: u32,
    pub responsible: String,
    /// Who submitted the work last.
    pub submitter: String,
}

/// A ledger: rules, and a history to which is only added.
#[derive(Debug, Clone, PartialEq)]
pub struct DangerLedger {
    rules: LedgerRules,
    department: String,
    entries: Vec<Entry>,
    pub(super) items: BTreeMap<String, Item>,
}

impl DangerLedger {
    /// An empty ledger of a department.
    pub fn new(rules: LedgerRules, department: &str) -> Self {
        DangerLedger {
            rules,
            department: department.to_owned(),
            entries: Vec::new(),
            items: BTreeMap::new(),
        }
    }

    /// A ledger from its entries, each of which must be allowed after those before it and carry the hash it was written with.
    ///
    /// # Errors
    /// Every entry that was changed, lost, or that the rules do not allow: (position from 0, why).
    pub fn replay(
        rules: LedgerRules,
        department: &str,
        entries: Vec<Entry>,
    ) -> Result<Self, Vec<(usize, Refusal)>> {
        let mut ledger = DangerLedger::new(rules, department);
        let mut refused = Vec::new();
        for (n, entry) in entries.into_iter().enumerate() {
            match ledger
                .check_entry(&entry)
                .and_then(|()| ledger.check(&step_of(&entry)).map(|_| ()))
            {
                Ok(()) => ledger.push(entry),
                Err(refusal) => refused.push((n, refusal)),
            }
        }
        if refused.is_empty() {
            Ok(ledger)
        } else {
            Err(refused)
        }
    }

    /// Its rules.
    pub fn rules(&self) -> &LedgerRules {
        &self.rules
    }

    /// The department that keeps it.
    pub fn department(&self) -> &str {
        &self.department
    }

    /// The whole history, in the order in which it was written.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Items, in order of their code.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.items.keys().map(String::as_str)
    }

    /// True where the ledger knows the item.
    pub fn knows(&self, item: &str) -> bool {
        self.items.contains_key(item)
    }

    /// History of an item, oldest first; empty for an unknown one.
    pub fn history(&self, item: &str) -> impl Iterator<Item = &Entry> {
        self.items
            .get(item)
            .into_iter()
            .flat_map(|i| &i.entries)
            .map(|&n| &self.entries[n])
    }

    /// State of an item after its last entry.
    pub fn state(&self, item: &str) -> Option<&str> {
        self.items.get(item).map(|i| i.state.as_str())
    }

    /// Takes a step: adds an entry, or leaves everything as it is.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn apply(&mut self, step: Step) -> Result<&Entry, Refusal> {
        let (transition, on) = self.check(&step)?;
        let (action, to) = (transition.code.clone(), transition.to.clone());
        let before = self.items.get(&step.item);
        let default = || {
            let level = before.map_or(4, |i| i.facts.level).clamp(1, 4);
            on.plus_days(self.rules.deadline_days[usize::from(level) - 1])
        };
        let deadline = match step.deadline {
            None if transition.needs.contains(&Need::Deadline) => Some(default()),
            given => given,
        };
        let last = before
            .and_then(|i| i.entries.last())
            .map(|&n| &self.entries[n]);
        let department = match step.department.trim() {
            "" => self.department.clone(),
            given => given.to_owned(),
        };
        let mut entry = Entry {
            item: step.item,
            step: last.map_or(0, |e| e.step + 1),
            action,
            to,
            on,
            by: step.by,
            department,
            reason: step.reason,
            evidence: step.evidence,
            responsible: step.responsible,
            deadline,
            facts: step.facts,
            previous: last.map_or_else(String::new, |e| e.hash.clone()),
            hash: String::new(),
        };
        entry.hash = entry.digest();
        self.push(entry);
        Ok(&self.entries[self.entries.len() - 1])
    }

    /// An entry's place in its item's history.
    fn check_entry(&self, entry: &Entry) -> Result<(), Refusal> {
        let refuse = |found: String, expected: String| {
            Err(Refusal {
                item: entry.item.clone(),
                rule: format!("step {}", entry.step),
                found,
                expected,
                remedy: "the history was altered: take the ledger from a copy".into(),
            })
        };
        let last = self.history(&entry.item).last();
        let (step, previous) = last.map_or((0, ""), |e| (e.step + 1, e.hash.as_str()));
        if entry.step != step {
            return refuse(format!("step {}", entry.step), format!("step {step}"));
        }
        let leads = self.rules.transition(&entry.action).map(|t| t.to.as_str());
        if leads.is_some_and(|to| to != entry.to) {
            return refuse(
                format!("state {}", entry.to),
                "the state that the transition leads to".into(),
            );
        }
        if entry.previous != previous || entry.hash != entry.digest() {
            return refuse(
                "an entry that was changed after it was written".into(),
                "entries whose hashes chain".into(),
            );
        }
        Ok(())
    }

    /// The transition of a step, if the rules allow it now.
    fn check(&self, step: &Step) -> Result<(&Transition, Date), Refusal> {
        let refuse = |rule: String, found: String, expected: String, remedy: &str| {
            Err(Refusal {
                item: step.item.clone(),
                rule,
                found,
                expected,
                remedy: remedy.into(),
            })
        };
        let Some(transition) = self.rules.transition(&step.action) else {
            let known: Vec<&str> = self
                .rules
                .transitions
                .iter()
                .map(|t| t.code.as_str())
                .collect();
            return refuse(
                "transitions".into(),
                format!("action `{}`", step.action),
                format!("one of {}", known.join(", ")),
                "correct the action",
            );
        };
        let rule = || format!("transition {}", transition.code);
        let Some(on) = step.on else {
            return refuse(
                rule(),
                "no date".into(),
                "the day of the step".into(),
                "give the date",
            );
        };
        if step.item.trim().is_empty() || step.by.trim().is_empty() {
            return refuse(
                rule(),
                "no item or nobody who acts".into(),
                "an item and a person".into(),
                "give both",
            );
        }
        let item = self.items.get(&step.item);
        match item {
            None if !transition.from.is_empty() => {
                return refuse(
                    rule(),
                    "an item that is not registered".into(),
                    format!("an item in state {}", transition.from.join(", ")),
                    "register it first",
                );
            }
            Some(item) if !transition.from.contains(&item.state) => {
                let allowed = self.rules.from_state(&item.state).join(", ");
                return refuse(
                    rule(),
                    format!("state {}", self.rules.named(&item.state)),
                    if transition.from.is_empty() {
                        "an item that is not registered yet".into()
                    } else {
                        let from: Vec<String> = transition
                            .from
                            .iter()
                            .map(|s| self.rules.named(s))
                            .collect();
                        format!("state {}", from.join(", "))
                    },
                    &if allowed.is_empty() {
                        "nothing leads out of this state".to_owned()
                    } else {
                        format!("allowed now: {allowed}")
                    },
                );
            }
            Some(item) if on < item.since => {
                return refuse(
                    rule(),
                    format!("the day {on}"),
                    format!("{}, the day of the step before, or later", item.since),
                    "correct the date: history is not rewritten",
                );
            }
            _ => {}
        }
        if item.is_none() && step.facts.is_none() {
            return refuse(
                rule(),
                "nothing of what the danger is".into(),
                "name, kind, unit and level".into(),
                "describe the danger",
            );
        }
        if let Some(facts) = &step.facts {
            let numbers = [facts.lon, facts.lat, facts.people, facts.assets_yuan];
            let sound = numbers.iter().flatten().all(|v| v.is_finite())
                && numbers[2..].iter().flatten().all(|v| *v >= 0.0);
            if !(1..=4).contains(&facts.level) || facts.unit.trim().is_empty() || !sound {
                return refuse(
                    rule(),
                    format!("level {}, unit `{}`", facts.level, facts.unit),
                    "a level of 1 to 4, the code of a unit, and figures that are numbers".into(),
                    "correct what is known of the danger",
                );
            }
        }
        if let Some(deadline) = step.deadline {
            let sets = transition.needs.contains(&Need::Deadline);
            if !sets && !transition.needs.contains(&Need::LaterDeadline) {
                return refuse(
                    rule(),
                    format!("the deadline {deadline}"),
                    "no deadline: this step sets none".into(),
                    "extend the item instead",
                );
            }
            if sets && deadline < on {
                return refuse(
                    rule(),
                    format!("the deadline {deadline}"),
                    format!("a deadline on {on} or later"),
                    "correct the deadline",
                );
            }
        }
        for need in &transition.needs {
            self.need(*need, step, item, on)
                .map_err(|(found, expected, remedy)| Refusal {
                    item: step.item.clone(),
                    rule: rule(),
                    found,
                    expected,
                    remedy: remedy.into(),
                })?;
        }
        Ok((transition, on))
    }

    /// One need of a transition: what was found, what is expected, what can be done.
    fn need(
        &self,
        need: Need,
        step: &Step,
        item: Option<&Item>,
        on: Date,
    ) -> Result<(), (String, String, &'static str)> {
        let empty = |text: &str| text.trim().is_empty();
        match need {
            Need::Reason if empty(&step.reason) => Err((
                "no reason".into(),
                "the reason of the step".into(),
                "say why",
            )),
            Need::Evidence if empty(&step.evidence) => Err((
                "no evidence".into(),
                "a document or a photograph".into(),
                "name the evidence",
            )),
            Need::Responsible
                if empty(&step.responsible) && item.is_none_or(|i| empty(&i.responsible)) =>
            {
                Err((
                    "nobody responsible".into(),
                    "a responsible person".into(),
                    "name the person; nobody is made up",
                ))
            }
            Need::LaterDeadline => {
                let (before, extensions) = item.map_or((None, 0), |i| (i.deadline, i.extensions));
                if extensions >= self.rules.most_extensions {
                    return Err((
                        format!("extension {} of this listing", extensions + 1),
                        format!("at most {} extensions", self.rules.most_extensions),
                        "finish the work, or report the item upwards",
                    ));
                }
                match step.deadline {
                    Some(d) if before.is_none_or(|b| d > b) && d >= on => Ok(()),
                    found => Err((
                        found.map_or("no deadline".into(), |d| format!("the deadline {d}")),
                        before.map_or("a deadline".into(), |b| format!("a deadline after {b}")),
                        "give a later deadline",
                    )),
                }
            }
            Need::AnotherPerson if item.is_some_and(|i| i.submitter == step.by.trim()) => Err((
                format!("{}, who submitted the work", step.by.trim()),
                "acceptance by somebody else".into(),
                "have another person accept it",
            )),
            _ => Ok(()),
        }
    }

    fn push(&mut self, entry: Entry) {
        let n = self.entries.len();
        let item = self
            .items
            .entry(entry.item.clone())
            .or_insert_with(|| Item {
                facts: Facts::default(),
                state: String::new(),
                entries: Vec::new(),
                since: entry.on,
                listed_on: None,
                deadline: None,
                extensions: 0,
                returns: 0,
                responsible: String::new(),
                submitter: String::new(),
            });
        item.take(&entry, &self.rules);
        item.entries.push(n);
        self.entries.push(entry);
    }
}

impl Item {
    /// What an entry changes.
    pub(super) fn take(&mut self, entry: &Entry, rules: &LedgerRules) {
        let effect = rules.transition(&entry.action).and_then(|t| t.effect);
        let was_open = self.state.is_empty() || rules.state(&self.state).open;
        if let Some(facts) = &entry.facts {
            self.facts = facts.clone();
        }
        if !was_open {
            // Opened again: it has to be listed anew.
            (self.listed_on, self.deadline) = (None, None);
        }
        match effect {
            Some(Effect::List) => {
                self.listed_on = Some(entry.on);
                (self.extensions, self.returns) = (0, 0);
            }
            Some(Effect::Extend) => self.extensions += 1,
            Some(Effect::Submit) => self.submitter = entry.by.trim().to_owned(),
            Some(Effect::Return) => self.returns += 1,
            None => {}
        }
        if entry.deadline.is_some() {
            self.deadline = entry.deadline;
        }
        if !entry.responsible.trim().is_empty() {
            self.responsible = entry.responsible.trim().to_owned();
        }
        self.state = entry.to.clone();
        self.since = entry.on;
    }
}

fn step_of(entry: &Entry) -> Step {
    Step {
        item: entry.item.clone(),
        action: entry.action.clone(),
        on: Some(entry.on),
        by: entry.by.clone(),
        department: entry.department.clone(),
        reason: entry.reason.clone(),
        evidence: entry.evidence.clone(),
        responsible: entry.responsible.clone(),
        deadline: entry.deadline,
        facts: entry.facts.clone(),
    }
}
