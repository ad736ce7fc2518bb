//! Findings counted: by rule, by unit, by table.

use super::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// Findings of one kind, by severity; accepted ones are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Errors that stand.
    pub errors: u64,
    /// Warnings that stand.
    pub warnings: u64,
    /// Notes.
    pub notes: u64,
    /// Mended by a certain fix, of any severity.
    pub fixed: u64,
    /// Accepted by a person.
    pub accepted: u64,
}

impl Tally {
    /// Adds a finding.
    pub fn add(&mut self, finding: &Finding) {
        if finding.accepted.is_some() {
            self.accepted += 1;
            return;
        }
        if finding.fixed {
            self.fixed += 1;
        }
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.errors + self.warnings + self.notes + self.accepted
    }
}

/// All findings together.
pub fn overall(findings: &[Finding]) -> Tally {
    let mut tally = Tally::default();
    findings.iter().for_each(|f| tally.add(f));
    tally
}

/// Findings by what a function names.
pub fn by<'f, K: Ord>(
    findings: &'f [Finding],
    key: impl Fn(&'f Finding) -> K,
) -> BTreeMap<K, Tally> {
    let mut out: BTreeMap<K, Tally> = BTreeMap::new();
    for finding in findings {
        out.entry(key(finding)).or_default().add(finding);
    }
    out
}
