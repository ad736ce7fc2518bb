//! Anlan's engine: hazard-agnostic parallel numerics. It knows no hazard by name.
//!
//! | room | holds |
//! | --- | --- |
//! | [`crs`], [`grid`], [`raster`] | coordinate systems, cells, values on cells |
//! | [`resample`] | rasters on other grids |
//! | [`io`] | GeoTIFF, NetCDF, GeoPackage, GeoJSON, Shapefile, CSV, Excel, Parquet |
//! | [`rasterize`], [`zonal`] | polygons to cells, cells to polygons |
//! | [`terrain`], [`hydrology`] | slope, aspect, shading; filling, drainage, height above drainage |
//! | [`interpolate`] | stations to cells |
//! | [`random`], [`distributions`] | random numbers with addresses; quantiles on `libm` |
//! | [`events`], [`loss`] | events, occurrences, footprints; exposure |
//! | [`error`] | faults of the input, told so that a person can mend them |

pub mod crs;
pub mod datum;
pub mod distributions;
pub mod error;
pub mod events;
pub mod extremes;
pub mod grade;
pub mod grid;
pub mod hydrology;
pub mod interpolate;
pub mod io;
pub mod loss;
pub mod random;
pub mod raster;
pub mod rasterize;
pub mod resample;
pub mod terrain;
#[cfg_attr(not(feature = "vector"), allow(dead_code))]
mod wkt;
pub mod zonal;

pub use crs::{Crs, Projector, degree_lengths_m};
pub use error::{Error, Fault, Result};
pub use events::{Event, ExceedanceCounter, Footprint, Occurrence};
pub use grid::{Bounds, Grid, Window};
pub use raster::Raster;
