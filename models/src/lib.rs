//! Anlan's models: weather, the four hazards, census, risk, simulation, relief, maps.

pub mod convection;
pub mod hazard;
pub mod weather;
