//! Two ledgers as one: histories that one side has gone on with are taken on, histories that part ways are conflicts.

use super::book::DangerLedger;
use super::entry::Entry;

/// An item of which two ledgers tell different histories.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Item.
    pub item: String,
    /// Number of the first step that differs, from 0.
    pub step: u32,
    /// The first ledger's entry.
    pub one: Entry,
    /// The second's.
    pub other: Entry,
}

/// Merges two ledgers of the same rules. Items of one side are taken; of an item of both, the longer history, if it goes on
/// from the shorter one. The result does not depend on which ledger comes first.
///
/// # Errors
/// Every item whose histories part ways, with both entries.
///
/// # Panics
/// Ledgers of different rules: the caller compares them.
pub fn merge(one: &DangerLedger, other: &DangerLedger) -> Result<DangerLedger, Vec<Conflict>> {
    assert_eq!(one.rules(), other.rules(), "ledgers of one set of rules");
    let mut codes: Vec<&str> = one.codes().chain(other.codes()).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut conflicts = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    for code in codes {
        let a: Vec<&Entry> = one.history(code).collect();
        let b: Vec<&Entry> = other.history(code).collect();
        let parted = a.iter().zip(&b).find(|(x, y)| x.hash != y.hash);
        if let Some((x, y)) = parted {
            conflicts.push(Conflict {
                item: code.to_owned(),
                step: x.step,
                one: (*x).clone(),
                other: (*y).clone(),
            });
        }
        let longer = if a.len() >= b.len() { a } else { b };
        entries.extend(longer.into_iter().cloned());
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    entries.sort_by(|x, y| (x.on, &x.item, x.step).cmp(&(y.on, &y.item, y.step)));
    let mut departments: Vec<&str> = [one, other]
        .iter()
        .flat_map(|l| l.department().split('、'))
        .collect();
    departments.sort_unstable();
    departments.dedup();
    let merged = DangerLedger::replay(one.rules().clone(), &departments.join("、"), entries);
    Ok(merged.expect("whole histories of checked ledgers, in the order of their steps"))
}
