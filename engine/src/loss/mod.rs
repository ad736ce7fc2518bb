//! Losses: the exposure table and what is computed from it without knowing any hazard.
//!
//! The year loop, the vulnerability curves and the tables per unit are the models' (they know hazards by name).

mod exposure;

pub use exposure::{Exposure, ExposureBuilder, ExposureClass, Measure};
