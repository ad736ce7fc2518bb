//! Losses: exposure × vulnerability × footprints, in the mean and sampled.
//!
//! | file | holds |
//! | --- | --- |
//! | `exposure` | [`Exposure`] (承灾体): values by place, class and unit |
//! | `law` | [`Law`]: the distribution of a damage ratio |
//! | `strata`, `correlation` | stratified samples with addresses; copulas by group and by distance |
//! | `kernel` | [`Portfolio`], [`Kernel`], [`Sampler`]: an event over the exposure, in the mean and sampled |
//! | `ep` | average annual loss, OEP and AEP curves, TVaR, with their sampling errors |
//! | [`exchange`] | what users of other loss engines have |
//! | `importance` | [`Picks`]: rare events more often, with weights |
//! | `run` | [`Run`]: all blocks of an event set, rounds of samples, when to stop; [`Terms`] of insurance |
//! | `vulnerability` | [`Vulnerability`]: [`Curve`], [`Matrix`], [`Fragility`], checked and ready for the kernels |

mod correlation;
mod ep;
#[cfg(feature = "exchange")]
pub mod exchange;
mod exposure;
mod importance;
mod kernel;
mod law;
mod run;
mod strata;
#[cfg(test)]
mod verification;
mod vulnerability;

pub use correlation::Correlation;
pub use ep::{
    Estimate, ExceedanceCurve, average_annual_loss, probability_of_rate, rate_curve,
    rate_of_probability, total,
};
pub use exposure::{Exposure, ExposureBuilder, ExposureClass, Measure, Row};
pub use importance::Picks;
pub use kernel::{Kernel, Portfolio, Sampled, Sampler, Scratch, Uncertainty};
pub use law::Law;
pub use run::{
    Curves, EventMoments, Goal, Group, PeriodLosses, Round, Run, Stop, Terms, curves, over_rounds,
};
pub use strata::{Draw, Strata};
pub use vulnerability::{
    Curve, Family, Fragility, MOST_STATES, Matrix, OutOfRange, Reach, Vulnerability,
};
