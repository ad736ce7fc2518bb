//! Flood (洪涝): design rain, runoff, the 2-D solver, rivers without survey, the storm library and the year simulation.

pub mod inertial;
pub mod kernel;
mod layout;

#[cfg(test)]
mod verification;
