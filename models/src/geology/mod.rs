//! Geological hazards (地质灾害): where slopes may fail, when rain makes them fail, how far the debris runs, and the sites
//! already known.
//!
//! | module | holds |
//! | --- | --- |
//! | [`stability`] | infinite slope with uncertain strength, probability of failure by recharge |
//! | [`trigger`] | the slides of a simulated year, set off by its storms |
//! | [`runout`] | energy line down the steepest path |
//! | [`susceptibility`] | information value, area under the curve |
//! | [`screening`] | susceptibility times rank of rain, for coarse terrain |
//! | [`sites`] | hidden-danger sites (隐患点) |

pub mod runout;
pub mod screening;
pub mod sites;
pub mod stability;
pub mod susceptibility;
pub mod trigger;
