//! Risk (风险): indices and grades per hazard, cell and unit, by rule packs.
//!
//! | file | holds |
//! | --- | --- |
//! | `pack` | rule packs: thresholds, names, colours with their provenance and hash |
//! | `validation` | hit rates, ROC and AUC with errors, calibration, return period of a reported loss |
//! | `index` | hazard, exposure, vulnerability and risk index; expected annual depth |

pub mod index;
pub mod pack;
pub mod validation;

pub use index::{expected_annual, risk_index};
pub use pack::{RulePack, RulePacks};
