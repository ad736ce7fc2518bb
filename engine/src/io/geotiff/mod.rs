//! GeoTIFF, read and write.
//!
//! Deflate is decoded by our own code (`blocks`), everything else by `geotiff-reader` (strips and tiles; none, Deflate, LZW, ZSTD, PackBits and LERC compression;
//! predictors 1 to 3; bands stored cell by cell or one after the other; windows; either byte order; BigTIFF). What it
//! does beyond decoding:
//!
//! - No-data becomes NaN in float rasters; a no-data value that was written with more digits than the cells have is
//!   rounded as they are. Scale and offset in GDAL's metadata are applied, so that values come in their physical unit.
//! - Strips and tiles that a sparse file leaves out hold no data; without a no-data value they are refused.
//! - South-up files are turned north-up. Rotated and mirrored ones are refused.
//! - The reference system must be an EPSG code that [`crate::Crs`] knows, and the coordinates must be possible in it.
//! - Every strip or tile is checked against the length of the file before a value is returned.
//! - Classes and whole numbers that the wanted type cannot hold are refused, never clamped.
//!
//! Writing is our own: parallel, with GDAL's metadata, band names and colour tables, and the same bytes for the same
//! values whatever the machine and the number of threads.
//!
//! Format: TIFF 6.0 (Adobe 1992), OGC GeoTIFF 1.1 (OGC 19-008r4), GDAL's private tags 42112 (metadata) and 42113
//! (no-data).

mod blocks;
mod metadata;
mod open;
mod read;
mod rows;
mod write;

pub use read::{
    info, read_bands_f32, read_f32, read_f64, read_i32, read_u8, read_values_f32, read_window_f32,
};
pub use rows::Rows;
pub use write::{RowMaker, write_bands_f32, write_f32, write_rows_u32, write_u8, write_u32};

use crate::grid::Grid;
use std::collections::BTreeMap;
use std::fmt;

/// Metadata of a file, as GDAL shows it.
pub type Tags = BTreeMap<String, String>;

/// Colours of the 256 classes, red green blue.
pub type ColourTable = [[u8; 3]; 256];

/// What a file holds, without its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// Cells.
    pub grid: Grid,
    /// Number of bands.
    pub bands: usize,
    /// Sample type, e.g. `f32`.
    pub sample: String,
    /// Value of cells without data, as stored.
    pub nodata: Option<f64>,
    /// Compression, e.g. `deflate`.
    pub compression: String,
    /// How the cells are stored, e.g. `tiles of 256 x 256`.
    pub layout: String,
    /// Metadata of the file.
    pub tags: Tags,
    /// Description of each band; empty text where there is none.
    pub descriptions: Vec<String>,
    /// Scale and offset of each band: value = stored x scale + offset.
    pub scales: Vec<(f64, f64)>,
    /// Colours of the values, where the file has them.
    pub colours: Option<Box<ColourTable>>,
}

/// Type of the stored values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sample {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    F64,
}

impl Sample {
    fn bytes(self) -> usize {
        match self {
            Sample::U8 | Sample::I8 => 1,
            Sample::U16 | Sample::I16 => 2,
            Sample::U32 | Sample::I32 | Sample::F32 => 4,
            Sample::F64 => 8,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sample::U8 => "u8",
            Sample::I8 => "i8",
            Sample::U16 => "u16",
            Sample::I16 => "i16",
            Sample::U32 => "u32",
            Sample::I32 => "i32",
            Sample::F32 => "f32",
            Sample::F64 => "f64",
        })
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod storage_tests;
#[cfg(test)]
mod tests;
