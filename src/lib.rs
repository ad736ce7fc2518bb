//! Anlan (安澜): natural-hazard risk census and simulation.
//!
//! One project file goes in (terrain, land cover, climate, census), graded maps, losses and a relief plan come out:
//!
//! ```text
//! inputs ─► layers ─► weather ─► hazard ─► losses ─► risk ─► relief ─► lists ─► products ─► validation, report
//! ```
//!
//! This crate is the pipeline: [`project`] reads the project file, [`run`] runs it, [`manifest`] says what every output was
//! made from, [`explain`] tells the chain behind a grade, [`export`] gives the exposure of a run to other programs.
//! [`map`] draws one map, [`flood`] runs a flood case of its own,
//! [`frequency`] fits laws to a station's series, [`portfolio`] runs a user's own exposure, events and curves through the
//! loss engine alone, [`zonal`] counts a raster over zones and [`rasterize`] paints them, [`quality`] checks the tables of a census; [`danger_ledger`],
//! [`fast_report`] and [`sheets`] serve the daily work of a bureau, [`validation`] compares grades of a user's own with
//! recorded disasters. The numerics are in [`engine`], the hazards and the census in [`models`].

pub mod danger_ledger;
pub mod explain;
pub mod export;
pub mod fast_report;
pub mod flood;
pub mod frequency;
pub mod manifest;
pub mod map;
pub mod messages;
pub mod portfolio;
pub mod progress;
pub mod project;
pub mod quality;
pub mod rasterize;
pub mod run;
pub mod sheets;
pub mod stages;
pub mod validation;
pub mod zonal;

pub use anlan_engine as engine;
pub use anlan_models as models;
