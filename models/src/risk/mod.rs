//! Risk (风险): from indicators to grades per hazard, object, cell and unit, by rule packs.
//!
//! | file | holds |
//! | --- | --- |
//! | `pack`, `scheme`, `packs`, `check` | rule packs as data with provenance and hash; schemes of grades; files, selection; faults |
//! | `chain` | a pack evaluated over columns of indicators, with all that was fitted; one row step by step |
//! | `index` | expected annual intensity |
//! | `levels` | township → county → prefecture → province: exact sums, weighted means |
//! | `agreement` | Kendall's τ and Cohen's κ of two gradings |
//! | `ranking` | ranks with their sampling error |
//! | `zoning` | zones of like risk that hang together |
//! | `priority` | classes of areas by rules |
//! | `validation` | hit rates, ROC and AUC with errors, calibration, return period of a reported loss |

pub mod agreement;
pub mod chain;
mod check;
#[cfg(test)]
mod conformance;
pub mod index;
pub mod levels;
pub mod pack;
pub mod packs;
pub mod priority;
pub mod ranking;
pub mod scheme;
pub mod validation;
pub mod zoning;

pub use chain::{Evaluated, Fitted, Steps, evaluate, score};
pub use index::expected_annual;
pub use pack::{Factor, Indicator, RulePack};
pub use packs::RulePacks;
pub use scheme::Scheme;
