//! Forest fire (森林火灾): fuels, danger of the day, behaviour of a flame front, spread over the terrain, burn
//! probability, and the fires of a simulated year.
//!
//! | module | holds |
//! | --- | --- |
//! | [`fuels`] | the 53 surface fuel models, land cover to fuel |
//! | [`behaviour`] | Rothermel's spread rate, flame length, fire ellipse |
//! | [`danger`] | Canadian Fire Weather Index system, LY/T 1172 danger grades |
//! | [`landscape`] | fuel and slope of cells, behaviour under the weather of an hour |
//! | [`spread`] | arrival times by a label-setting semi-Lagrangian solver |
//! | [`burn`] | many fires: burn probability, conditional flame length |
//! | [`season`] | danger of the days of a year, configuration |
//! | [`screening`] | days of high danger and flame length, for coarse cells |
//! | [`library`] | fires simulated beforehand, and the fires of a simulated year |

pub mod behaviour;
pub mod burn;
pub mod danger;
pub mod fuels;
pub mod landscape;
pub mod library;
pub mod screening;
pub mod season;
pub mod spread;
mod stencil;
