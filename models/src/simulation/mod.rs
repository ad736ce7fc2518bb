//! The year simulation (逐年模拟): all hazards on one clock, footprints made lazily, losses per unit.
//!
//! | file | holds |
//! | --- | --- |
//! | `year` | one year: incidents in order of time → losses per unit, several hazards on one asset |
//! | `run` | all years in global blocks; what is kept: event rows, year tables, loss per exposure row |
//! | `statistics` | averages, exceedance curves and their sampling errors |
//!
//! Rules for several hazards on one asset within a year: damage acts on what is left, so that it never exceeds the value;
//! people hit again by the same cause count once; the heavy rain of a convective storm is an intensity of that incident
//! and books no flood loss of its own (floods come from the flood model of the same storm).

pub mod run;
pub mod statistics;
pub mod year;

pub use run::{BlockResult, Totals, run_block};
pub use statistics::{Estimate, ReturnLoss, annual_average, return_loss};
pub use year::{LossRow, Simulator, UnitLoss};

/// Years in one global block; part of the definition of the results, not of the machine.
pub const BLOCK_YEARS: u32 = 100;
