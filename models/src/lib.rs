//! Anlan's models: weather, the four hazards, census, risk, simulation, relief, maps.

pub mod cartography;
pub mod flood;
mod draws;
pub mod fire;
pub mod geology;
pub mod hazard;
pub mod weather;
