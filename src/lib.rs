//! Anlan (安澜): natural-hazard risk census and simulation.
//!
//! One project file goes in (terrain, land cover, climate, census), graded maps, losses and a relief plan come out:
//!
//! ```text
//! inputs ─► layers ─► weather ─► hazard ─► losses ─► risk ─► relief ─► products ─► validation, report
//! ```
//!
//! This crate is the pipeline: [`project`] reads the project file, [`run`] runs it, [`manifest`] says what every output was
//! made from. [`flood`] runs a flood
//! case of its own, [`frequency`] fits laws to a station's series, [`portfolio`] runs a user's own exposure, events and curves
//! through the loss engine alone, [`validation`] compares grades of a user's own with recorded disasters. The numerics are in [`engine`], the hazards and the census in [`models`].

pub mod flood;
pub mod frequency;
pub mod manifest;
pub mod messages;
pub mod portfolio;
pub mod progress;
pub mod project;
pub mod run;
pub mod stages;
pub mod validation;

pub use anlan_engine as engine;
pub use anlan_models as models;
