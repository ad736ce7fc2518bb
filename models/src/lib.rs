//! Anlan's models: weather, the four hazards, census, risk, simulation, relief, maps.

pub mod cartography;
pub mod census;
pub mod convection;
pub mod downscale;
pub mod fire;
pub mod flood;
pub mod geology;
pub mod hazard;
pub mod landcover;
pub mod relief;
pub mod report;
pub mod risk;
pub mod simulation;
pub mod vulnerability;
pub mod weather;
