//! Anlan's models: weather, the four hazards, census, risk, simulation, relief, maps.

mod draws;
pub mod fire;
pub mod geology;
pub mod hazard;
pub mod weather;
