//! Flood (洪涝): design rain, runoff, the 2-D solver, rivers without survey, the storm library, the year simulation, and screening.

pub mod danger;
pub mod hillslope;
pub mod idf;
pub mod infiltration;
pub mod interpolation;
pub mod library;
pub mod model;
pub mod pattern;
pub mod protection;
pub mod rain;
pub mod rainfall;
pub mod rivers;
pub mod runoff;
pub mod screening;
pub mod solver;
pub mod stack;
pub mod works;
