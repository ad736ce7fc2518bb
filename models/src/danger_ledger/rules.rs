//! The rules of a ledger as data: states, transitions and what each needs, deadlines.

use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// Rules of a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerRules {
    /// Name of the rules.
    pub id: String,
    /// Their version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where they come from.
    pub source: String,
    /// Months of one hand-over period (双月交办).
    pub handover_months: u32,
    /// Extensions (延期) that one listing may have.
    pub most_extensions: u32,
    /// Days from listing to the deadline where none is given, by level: 1 red to 4 blue.
    pub deadline_days: [u32; 4],
    /// States.
    #[serde(rename = "state")]
    pub states: Vec<LedgerState>,
    /// Transitions.
    #[serde(rename = "transition")]
    pub transitions: Vec<Transition>,
}

/// A state of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerState {
    /// Code, as files hold it.
    pub code: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// True while there is something left to do.
    pub open: bool,
    /// Days within which the next step is due; none where only the deadline counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_days: Option<u32>,
}

/// What a transition needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A reason (事由).
    Reason,
    /// Evidence (佐证): a document or a photograph.
    Evidence,
    /// A deadline (整改期限); by level where none is given.
    Deadline,
    /// A deadline after the present one.
    LaterDeadline,
    /// A responsible person (责任人).
    Responsible,
    /// Somebody else than who submitted the work (验收人不得为报验人).
    AnotherPerson,
}

/// An allowed transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Code, as files hold it.
    pub code: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// States it starts from; none for the one that makes an item.
    pub from: Vec<String>,
    /// State it leads to.
    pub to: String,
    /// What it needs.
    pub needs: Vec<Need>,
    /// What it counts as, beside the change of state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

/// What a transition counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// A listing (挂账): the deadline runs from here, extensions count anew.
    List,
    /// An extension (延期).
    Extend,
    /// Work handed in for acceptance (报验).
    Submit,
    /// Work sent back (退回).
    Return,
}

impl LedgerRules {
    /// The rules compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        LedgerRules::parse(
            include_str!("../../standards/danger_ledger.toml"),
            Path::new("standards/danger_ledger.toml"),
        )
        .expect("the compiled-in rules are read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; states or transitions given twice, unknown states, none or several ways to make an item, a
    /// state that nothing leads to or an open one that nothing leads out of.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let rules: LedgerRules = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.message().to_string(),
                "rules of a ledger",
                "compare with standards/danger_ledger.toml",
            ))
        })?;
        let faults = rules.faults(file);
        if faults.is_empty() {
            Ok(rules)
        } else {
            Err(Error::Input(faults))
        }
    }

    fn faults(&self, file: &Path) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |place: String, found: String, expected: &str, remedy: &str| {
            faults.push(Fault::new(file, found, expected, remedy).at(place));
        };
        let mut codes = BTreeSet::new();
        for state in &self.states {
            if !codes.insert(state.code.as_str()) {
                fault(
                    format!("state {}", state.code),
                    "the state twice".into(),
                    "each state once",
                    "remove one of them",
                );
            }
        }
        let mut seen = BTreeSet::new();
        for t in &self.transitions {
            let place = || format!("transition {}", t.code);
            if !seen.insert(t.code.as_str()) {
                fault(
                    place(),
                    "the transition twice".into(),
                    "each transition once",
                    "remove one of them",
                );
            }
            for state in t.from.iter().chain([&t.to]) {
                if !codes.contains(state.as_str()) {
                    fault(
                        place(),
                        format!("state `{state}`"),
                        "a state of these rules",
                        "correct the name, or add the state",
                    );
                }
            }
        }
        let makers = self
            .transitions
            .iter()
            .filter(|t| t.from.is_empty())
            .count();
        if makers != 1 {
            fault(
                "transitions".into(),
                format!("{makers} that make an item"),
                "one transition without states to start from",
                "leave `from` empty for the registration alone",
            );
        }
        for state in &self.states {
            if !self.transitions.iter().any(|t| t.to == state.code) {
                fault(
                    format!("state {}", state.code),
                    "no transition that leads to it".into(),
                    "states that can be reached",
                    "add a transition, or remove the state",
                );
            }
            let left = self
                .transitions
                .iter()
                .any(|t| t.from.contains(&state.code));
            if state.open && !left {
                fault(
                    format!("state {}", state.code),
                    "an open state that nothing leads out of".into(),
                    "a way on from every open state",
                    "add a transition, or set `open = false`",
                );
            }
        }
        faults
    }

    /// The transition of this code.
    pub fn transition(&self, code: &str) -> Option<&Transition> {
        self.transitions
            .iter()
            .find(|t| t.code == code || t.zh == code)
    }

    /// The transition that makes an item.
    ///
    /// # Panics
    /// Never: parsing refuses rules without it.
    pub fn maker(&self) -> &Transition {
        self.transitions
            .iter()
            .find(|t| t.from.is_empty())
            .expect("parse refuses rules without one")
    }

    /// The state of this code.
    ///
    /// # Panics
    /// A code that the rules do not know: entries are checked when they are replayed.
    pub fn state(&self, code: &str) -> &LedgerState {
        self.states
            .iter()
            .find(|s| s.code == code)
            .expect("states of entries are checked when they are replayed")
    }

    /// A state's code with its Chinese name, for messages.
    ///
    /// # Panics
    /// As [`LedgerRules::state`].
    pub fn named(&self, code: &str) -> String {
        format!("{code} ({})", self.state(code).zh)
    }

    /// The transitions that start from a state, for messages.
    pub fn from_state(&self, state: &str) -> Vec<String> {
        self.transitions
            .iter()
            .filter(|t| t.from.iter().any(|f| f == state))
            .map(|t| format!("{} ({})", t.code, t.zh))
            .collect()
    }
}
