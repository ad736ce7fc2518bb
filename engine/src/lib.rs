//! Anlan's engine: hazard-agnostic parallel numerics. It knows no hazard by name.
//!
//! | room | holds |
//! | --- | --- |
//! | [`crs`], [`grid`], [`raster`] | coordinate systems, cells, values on cells |
//! | [`random`] | random numbers with addresses |
//! | [`error`] | faults of the input, told so that a person can mend them |

pub mod crs;
pub mod distributions;
pub mod error;
pub mod events;
pub mod grid;
pub mod io;
pub mod loss;
pub mod random;
pub mod raster;
pub mod resample;
pub mod hydrology;
pub mod interpolate;
pub mod random;
pub mod raster;
pub mod rasterize;
pub mod terrain;
pub mod zonal;

pub use crs::{Crs, Projector};
pub use error::{Error, Fault, Result};
pub use events::{Event, Footprint, Occurrence};
pub use grid::{Bounds, Grid, Window};
pub use raster::Raster;
