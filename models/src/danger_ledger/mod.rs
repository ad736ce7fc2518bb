//! The hidden-danger ledger (隐患台账，挂账销账): a state machine whose rules are data, and a history to which is only added.
//!
//! | file | holds |
//! | --- | --- |
//! | `date` | calendar dates; nothing here asks a clock |
//! | `rules` | states, transitions and what each needs, deadlines by level |
//! | `entry` | one line of the history, chained to the one before it by its hash |
//! | `book` | the ledger: replay, steps, refusals that name the rule |
//! | `standing` | where every item stands on a date: deadline, overdue (超期), extensions (延期) |
//! | `merge` | ledgers of two departments as one; conflicts named |
//! | `handover` | statistics, and the two-monthly hand-over (双月交办) |
//!
//! Everything is a pure function of entries and a given date. Files are the caller's.

mod book;
mod date;
mod entry;
mod handover;
mod merge;
mod rules;
mod standing;
#[cfg(test)]
mod tests;

pub use book::{DangerLedger, Refusal, Step};
pub use date::Date;
pub use entry::{Entry, Facts};
pub use handover::{Handover, Turn, UnitCount, handover, statistics};
pub use merge::{Conflict, merge};
pub use rules::{Effect, LedgerRules, LedgerState, Need, Transition};
pub use standing::Standing;
