//! The hidden-danger ledger (隐患台账，挂账销账) as a file, and what is done with it.
//!
//! | file | holds |
//! | --- | --- |
//! | `file` | JSON lines: a head with department and rules, then one entry a line, only added to; locked while it is changed |
//! | `steps` | steps from tables (registrations, batches of steps, the risk list of a run) |
//! | `outputs` | ledger, history, statistics and hand-over as Excel, CSV and GeoPackage |
//!
//! No clock: every step and every report is given its date.

mod file;
mod outputs;
mod steps;

pub use file::{create, load};
pub use outputs::{export, hand_over, summary};
pub use steps::{Import, Imported, read_steps};

use anlan_engine::{Error, Fault, Result};
use anlan_models::danger_ledger::{DangerLedger, Entry, Step, merge};
use std::path::Path;

/// Takes steps one after the other, all or none.
///
/// # Errors
/// No ledger in the file, a damaged one, or every step that the rules refuse, with its place; the file stays as it was.
pub fn take(path: &Path, steps: Vec<(String, Step)>) -> Result<usize> {
    file::update(path, |ledger| {
        let mut faults = Vec::new();
        let n = steps.len();
        for (place, step) in steps {
            if let Err(refusal) = ledger.apply(step) {
                faults.push(refusal.fault(path, &place));
            }
        }
        if faults.is_empty() {
            Ok(n)
        } else {
            Err(Error::Input(faults))
        }
    })
}

/// Registers what a risk list names and the ledger does not know yet.
///
/// # Errors
/// As [`take`]; a table of another shape.
pub fn import(path: &Path, import: &Import) -> Result<Imported> {
    let steps = steps::from_risk_list(import)?;
    file::update(path, |ledger| {
        let mut told = Imported::default();
        let mut faults = Vec::new();
        for (place, step) in steps {
            let first = ledger.history(&step.item).next().map(|e| e.facts.as_ref());
            if let Some(before) = first {
                told.known += 1;
                let differs = before.zip(step.facts.as_ref());
                if differs.is_some_and(|(f, g)| (f.level, f.people) != (g.level, g.people)) {
                    told.changed.push(step.item);
                }
                continue;
            }
            match ledger.apply(step) {
                Ok(_) => told.registered += 1,
                Err(refusal) => faults.push(refusal.fault(path, &place)),
            }
        }
        if faults.is_empty() {
            Ok(told)
        } else {
            Err(Error::Input(faults))
        }
    })
}

/// Merges two ledgers into a third file.
///
/// # Errors
/// Ledgers of different rules; every item whose histories part ways, with both entries; `out` exists already.
pub fn merge_files(one: &Path, other: &Path, out: &Path) -> Result<usize> {
    let (a, b) = (load(one)?, load(other)?);
    if a.rules() != b.rules() {
        let rules =
            |l: &DangerLedger| format!("rules {} version {}", l.rules().id, l.rules().version);
        return Err(Error::input(Fault::new(
            other,
            rules(&b),
            format!("the {} of {}", rules(&a), one.display()),
            "merge ledgers of the same rules",
        )));
    }
    let merged = merge(&a, &b).map_err(|conflicts| {
        let told = |e: &Entry| format!("{} by {} ({}) on {}", e.action, e.by, e.department, e.on);
        Error::Input(
            conflicts
                .iter()
                .map(|c| {
                    Fault::new(
                        other,
                        told(&c.other),
                        format!("{} as in {}", told(&c.one), one.display()),
                        "agree which step holds, and take the other department's steps again on it",
                    )
                    .at(format!("item {}, step {}", c.item, c.step))
                })
                .collect(),
        )
    })?;
    file::save_new(out, &merged)?;
    Ok(merged.codes().count())
}
