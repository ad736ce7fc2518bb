//! Anlan's models: weather, the four hazards, census, risk, simulation, relief, maps.

pub mod cartography;
pub mod flood;
pub mod hazard;
pub mod weather;
