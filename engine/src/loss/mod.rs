//! Losses: exposure × vulnerability × footprints, in the mean and sampled.
//!
//! | file | holds |
//! | --- | --- |
//! | `exposure` | [`Exposure`] (承灾体): values by place, class and unit |
//! | `law` | [`Law`]: the distribution of a damage ratio |
//! | `vulnerability` | [`Vulnerability`]: [`Curve`], [`Matrix`], [`Fragility`], checked and ready for the kernels |

mod exposure;
mod law;
mod vulnerability;

pub use exposure::{Exposure, ExposureBuilder, ExposureClass, Measure};
pub use law::Law;
pub use vulnerability::{
    Curve, Family, Fragility, MOST_STATES, Matrix, OutOfRange, Reach, Vulnerability,
};
