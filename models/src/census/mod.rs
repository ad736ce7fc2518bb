//! The census (普查): administrative units, their tables, the checks on them, and their spread over the cells.
//!
//! | file | holds |
//! | --- | --- |
//! | `code` | division codes (行政区划代码) of 6, 9 or 12 digits |
//! | `table` | the census table of a team: columns by name, typed records, every fault with its cell |
//! | `check` | checks across rows and against the borders; the crosswalk between code years |
//! | `history` | tables of historical disasters (历史灾害) |
//! | `spread` | dasymetric disaggregation with exact unit totals |
//! | `township` | township cells where no borders are given |
//! | `exposure` | the ledger per (unit, cell) and the asset classes made from it |

pub mod check;
pub mod code;
pub mod exposure;
pub mod history;
pub mod spread;
pub mod table;
pub mod township;

pub use check::{Crosswalk, Finding, Severity};
pub use code::{DivisionCode, Level};
pub use exposure::{Ledger, LedgerRow};
pub use history::{HistoryDictionary, HistoryEvent, read_history};
pub use table::{Record, read_records};
