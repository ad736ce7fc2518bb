//! Python binding: thin functions over the engine and the pipeline. Arrays are NumPy f32, `[rows, cols]`, row 0 in the
//! north; work is done with the interpreter released, so that other Python threads run meanwhile.

mod errors;
mod flood;
mod frequency;
mod grid;
mod hydrology;
mod loss;
mod quality;
mod raster;
mod run;
mod table;
mod vector;
mod zonal;

use pyo3::prelude::*;

/// The compiled half of the package `anlan`.
#[pymodule]
mod _anlan {
    #[pymodule_export]
    use super::flood::flood;
    #[pymodule_export]
    use super::frequency::fit_frequency;
    #[pymodule_export]
    use super::grid::PyGrid;
    #[pymodule_export]
    use super::hydrology::{fill_depressions, flow_accumulation, flow_direction, hand};
    #[pymodule_export]
    use super::loss::{losses, write_events};
    #[pymodule_export]
    use super::quality::quality;
    #[pymodule_export]
    use super::raster::{hillshade, raster_info, read_raster, resample, slope, write_raster};
    #[pymodule_export]
    use super::run::run;
    #[pymodule_export]
    use super::table::{read_parquet, write_parquet};
    #[pymodule_export]
    use super::vector::{read_vector, write_geopackage};
    #[pymodule_export]
    use super::zonal::{rasterize, zonal, zonal_of_file};
}
