//! Opening a GeoTIFF: its directory, its georeference, and whether all of its blocks are there.

use super::blocks::Storage;
use super::metadata::Metadata;
use super::{ColourTable, Sample};
use crate::crs::Crs;
use crate::error::{Error, Fault, Result};
use crate::grid::Grid;
use geotiff_reader::{GeoTiffFile, GeoTiffOpenOptions};
use std::fs::File;
use std::io::Read;
use std::path::Path;

const GDAL_METADATA: u16 = 42112;
const NEW_SUBFILE_TYPE: u16 = 254;
/// Bit of tag 254 that marks a transparency mask.
const MASK_FLAG: u64 = 4;

/// A file whose directory has been read and whose blocks have been found whole.
pub(super) struct Opened<'a> {
    pub path: &'a Path,
    pub tiff: GeoTiffFile,
    pub metadata: Metadata,
    pub colours: Option<Box<ColourTable>>,
    pub storage: Storage,
    pub sample: Sample,
    pub bands: usize,
    /// Bands stored one after the other, not cell by cell.
    pub planar: bool,
    /// How the cells are stored, in words.
    pub layout_name: String,
    pub nodata: Option<f64>,
    /// Height and width of a strip or tile, cells.
    pub block: (usize, usize),
    /// Tiles, not strips.
    pub tiled: bool,
    /// Blocks that the file leaves out because they hold no data, in ascending order, numbered as in the file.
    pub absent: Vec<usize>,
}

impl<'a> Opened<'a> {
    pub fn new(path: &'a Path) -> Result<Self> {
        let (file_bytes, little_endian) = check_header(path)?;
        let fault = |found: String, expected: &str, remedy: &str| {
            Error::input(Fault::new(path, found, expected, remedy))
        };
        let damaged = |e: &dyn std::fmt::Display| {
            fault(
                format!("{e} (the file has {file_bytes} bytes)"),
                "a whole GeoTIFF",
                "the file is truncated or damaged: copy or export it again",
            )
        };
        let options = GeoTiffOpenOptions {
            // We decode in chunks; only a single strip or tile may be larger than one.
            decode_output_bytes: usize::MAX,
            ..GeoTiffOpenOptions::default()
        };
        let tiff = GeoTiffFile::open_with_options(path, options).map_err(|e| match e {
            geotiff_reader::Error::NotGeoTiff => fault(
                "a TIFF without georeference".into(),
                "a GeoTIFF with reference system, origin and cell size in the file itself",
                "where a world file (.tfw) lies beside it, merge the two: gdal_translate -a_srs EPSG:4490 in.tif out.tif",
            ),
            e => damaged(&e),
        })?;
        let ifd = tiff
            .tiff()
            .ifd(tiff.base_ifd_index())
            .map_err(|e| damaged(&e))?;
        if tiff.tiff().ifds().iter().any(|ifd| {
            let flags = ifd.tag(NEW_SUBFILE_TYPE).and_then(|t| t.value.as_u64());
            flags.is_some_and(|f| f & MASK_FLAG != 0)
        }) {
            return Err(fault(
                "a transparency mask within the file".into(),
                "missing cells marked by a no-data value",
                "write one: gdalwarp -dstnodata -9999 in.tif out.tif",
            ));
        }
        let layout = ifd.raster_layout().map_err(|e| damaged(&e))?;
        let sample = match (layout.sample_format, layout.bits_per_sample) {
            (1 | 4, 8) => Sample::U8,
            (1 | 4, 16) => Sample::U16,
            (1 | 4, 32) => Sample::U32,
            (2, 8) => Sample::I8,
            (2, 16) => Sample::I16,
            (2, 32) => Sample::I32,
            (3, 32) => Sample::F32,
            (3, 64) => Sample::F64,
            (format, bits) => {
                return Err(fault(
                    format!("values of {bits} bits in sample format {format}"),
                    "integers of 8, 16 or 32 bits, or floats of 32 or 64 bits",
                    "convert the values: gdal_translate -ot Float32 in.tif out.tif",
                ));
            }
        };
        let (height, width) = (layout.height, layout.width);
        let block = if ifd.is_tiled() {
            let size = |n: Option<u32>| n.unwrap_or(0) as usize;
            (size(ifd.tile_height()), size(ifd.tile_width()))
        } else {
            ((ifd.rows_per_strip() as usize).min(height), width)
        };
        if height == 0 || width == 0 || block.0 == 0 || block.1 == 0 {
            return Err(damaged(&"an empty raster or empty tiles"));
        }
        let planar = layout.planar_configuration == 2 && layout.samples_per_pixel > 1;
        let planes = if planar { layout.samples_per_pixel } else { 1 };
        let expected = height.div_ceil(block.0) * width.div_ceil(block.1) * planes;
        let kind = if ifd.is_tiled() { "tiles" } else { "strips" };
        let (offsets, sizes) = if ifd.is_tiled() {
            (ifd.tile_offsets(), ifd.tile_byte_counts())
        } else {
            (ifd.strip_offsets(), ifd.strip_byte_counts())
        };
        let (offsets, sizes) = (offsets.unwrap_or_default(), sizes.unwrap_or_default());
        if offsets.len() != expected || sizes.len() != expected {
            return Err(damaged(&format!(
                "{} of {expected} {kind} listed",
                offsets.len().min(sizes.len())
            )));
        }
        let ends = || {
            offsets
                .iter()
                .zip(&sizes)
                .map(|(o, n)| o.saturating_add(*n))
        };
        let beyond = ends().filter(|&end| end > file_bytes).count();
        if beyond > 0 {
            let needed = ends().max().unwrap_or(0);
            return Err(fault(
                format!("{file_bytes} bytes, with {beyond} of {expected} {kind} cut off"),
                &format!("at least {needed} bytes, the end of the last of {expected} {kind}"),
                "the file is truncated: copy or download it again",
            ));
        }
        let absent: Vec<usize> = (0..expected)
            .filter(|&i| offsets[i] == 0 || sizes[i] == 0)
            .collect();
        let nodata = tiff.nodata().map(str::trim).filter(|text| !text.is_empty());
        let nodata = nodata.map(|text| {
            parse_nodata(text).ok_or_else(|| {
                fault(
                    format!("no-data value `{text}`"),
                    "a number or nan in tag 42113",
                    "set it: gdal_edit.py -a_nodata -9999",
                )
            })
        });
        let nodata = nodata.transpose()?;
        if !absent.is_empty() && nodata.is_none() {
            return Err(fault(
                format!(
                    "{} of {expected} {kind} left out, and no no-data value",
                    absent.len()
                ),
                "every strip or tile, or a no-data value for those left out",
                "the writing of the file was broken off, or it is sparse: export it again, or set gdal_edit.py -a_nodata",
            ));
        }
        let layout_name = if ifd.is_tiled() {
            format!("tiles of {} x {}", block.0, block.1)
        } else {
            format!("strips of {} rows", block.0)
        };
        let metadata = ifd.tag(GDAL_METADATA).and_then(|t| t.value.as_str());
        let metadata = metadata.map(Metadata::parse).unwrap_or_default();
        let map = ifd
            .color_map()
            .ok()
            .flatten()
            .filter(|map| map.len() <= 256);
        let colours = map.map(|map| {
            let mut table: Box<ColourTable> = Box::new([[0; 3]; 256]);
            for (i, rgb) in table.iter_mut().enumerate().take(map.len()) {
                for (to, from) in rgb.iter_mut().zip([map.red(), map.green(), map.blue()]) {
                    *to = (from[i] >> 8) as u8;
                }
            }
            table
        });
        let bands = layout.samples_per_pixel;
        let storage = Storage {
            offsets,
            sizes,
            compression: ifd.compression(),
            predictor: ifd.predictor(),
            little_endian,
            bits_reversed: ifd.fill_order() != 1,
        };
        let tiled = ifd.is_tiled();
        Ok(Opened {
            path,
            tiff,
            metadata,
            colours,
            storage,
            sample,
            bands,
            planar,
            layout_name,
            nodata,
            block,
            tiled,
            absent,
        })
    }

    pub fn fault(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Error {
        Error::input(Fault::new(self.path, found, expected, remedy))
    }

    pub fn shape(&self) -> (usize, usize) {
        (self.tiff.height() as usize, self.tiff.width() as usize)
    }

    /// Index of a band numbered from 1.
    pub fn band(&self, band: usize) -> Result<usize> {
        if (1..=self.bands).contains(&band) {
            return Ok(band - 1);
        }
        Err(self.fault(
            format!("band {band} asked for"),
            format!("a band from 1 to {}", self.bands),
            "correct the band number in the project file",
        ))
    }

    pub fn integer_band(&self, band: usize) -> Result<usize> {
        let at = self.band(band)?;
        if matches!(self.sample, Sample::F32 | Sample::F64) {
            return Err(self.fault(
                format!("values of type {}", self.sample),
                "whole numbers, for classes or codes",
                "convert the values: gdal_translate -ot Byte (or Int32) in.tif out.tif",
            ));
        }
        Ok(at)
    }

    /// Scale and offset of a band: value = stored x scale + offset.
    pub fn scale(&self, at: usize) -> Result<(f64, f64)> {
        let read = |role: &str, default: f64| match self.metadata.role(at, role) {
            None => Ok(default),
            Some(text) => text
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|v| v.is_finite())
                .ok_or_else(|| {
                    self.fault(
                        format!("{role} `{text}` of band {}", at + 1),
                        "a number",
                        "correct it: gdal_edit.py -scale 1 -offset 0",
                    )
                }),
        };
        Ok((read("scale", 1.0)?, read("offset", 0.0)?))
    }

    /// No-data in the type of the values: the tag is decimal text, often cut to the digits of a float.
    pub fn nodata_as_stored(&self) -> Option<f64> {
        self.nodata.map(|n| match self.sample {
            Sample::F32 => f64::from(n as f32),
            _ => n,
        })
    }

    /// The grid, and whether the file's first row lies in the south.
    pub fn grid(&self) -> Result<(Grid, bool)> {
        let crs = self.crs()?;
        let Some(t) = self.tiff.transform() else {
            return Err(self.fault(
                "no origin and cell size (control points only, or none)",
                "an affine transform, north up",
                "rectify the raster: gdalwarp -t_srs EPSG:4490 in.tif out.tif",
            ));
        };
        let (rows, cols) = self.shape();
        // A skew that moves no cell by a millionth of its size is rounding.
        let skewed = |skew: f64, n: usize, cell: f64| (skew * n as f64).abs() > 1e-6 * cell.abs();
        if skewed(t.skew_x, rows, t.pixel_width) || skewed(t.skew_y, cols, t.pixel_height) {
            return Err(self.fault(
                format!("a rotated raster (skew {}, {})", t.skew_x, t.skew_y),
                "rows along the x axis, north up",
                "rectify the raster: gdalwarp in.tif out.tif",
            ));
        }
        if t.pixel_width < 0.0 {
            return Err(self.fault(
                format!("a mirrored raster (cell width {})", t.pixel_width),
                "columns counted from west to east",
                "rectify the raster: gdalwarp in.tif out.tif",
            ));
        }
        let south_up = t.pixel_height > 0.0;
        let north = if south_up {
            t.origin_y + t.pixel_height * rows as f64
        } else {
            t.origin_y
        };
        let cell = (t.pixel_width, t.pixel_height.abs());
        let grid =
            Grid::new(crs, (t.origin_x, north), cell, (rows, cols)).map_err(|e| self.named(e))?;
        for (row, col) in [(0, 0), (rows - 1, cols - 1)] {
            let (x, y) = (grid.x(col), grid.y(row));
            if let Some(why) = crs.implausible(x, y) {
                return Err(Error::input(
                    Fault::new(
                        self.path,
                        format!("centre ({x}, {y}): {why}"),
                        format!("coordinates of {crs} ({})", crs.name()),
                        "correct the reference system (gdal_edit.py -a_srs) or the transform of the file",
                    )
                    .at(format!("row {row}, column {col}")),
                ));
            }
        }
        Ok((grid, south_up))
    }

    fn crs(&self) -> Result<Crs> {
        let info = self.tiff.crs();
        if let Some(code) = info.epsg() {
            return Crs::from_epsg(code).map_err(|e| self.named(e));
        }
        let keys = self.tiff.geokeys();
        // GT citation, geographic citation, projection citation.
        let citation = [3073, 1026, 2049]
            .iter()
            .find_map(|&key| keys.get_ascii(key));
        let found = match (citation, info.horizontal()) {
            (Some(text), _) => format!(
                "a user-defined reference system, `{}`, without EPSG code",
                text.trim_end_matches(['|', '\0'])
            ),
            (None, Some(_)) => "a user-defined reference system without EPSG code".into(),
            (None, None) => "no reference system".into(),
        };
        Err(self.fault(
            found,
            "the EPSG code of the reference system in the GeoKeys",
            "find out the system and name it: gdal_edit.py -a_srs EPSG:4490 (CGCS2000), 4513-4554 (its 3-degree zones) or 4326",
        ))
    }

    /// Puts the file into faults that the grid or the reference system found.
    fn named(&self, error: Error) -> Error {
        match error {
            Error::Input(faults) => Error::Input(
                faults
                    .into_iter()
                    .map(|fault| Fault {
                        place: fault.file.display().to_string(),
                        file: self.path.to_path_buf(),
                        ..fault
                    })
                    .collect(),
            ),
            e => e,
        }
    }
}

/// Length of the file in bytes and whether it is little-endian, after a look at its first bytes and at the place of its
/// directory.
fn check_header(path: &Path) -> Result<(u64, bool)> {
    let io = |e| Error::io("reading", path, e);
    let mut file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let mut head = Vec::new();
    if metadata.is_file() {
        (&mut file).take(16).read_to_end(&mut head).map_err(io)?;
    }
    let number = |bytes: &[u8], little: bool| {
        let fold = |n: u64, b: &u8| n << 8 | u64::from(*b);
        if little {
            bytes.iter().rev().fold(0, fold)
        } else {
            bytes.iter().fold(0, fold)
        }
    };
    let directory = match head.get(..4) {
        Some([b'I', b'I', 42, 0]) => head.get(4..8).map(|b| number(b, true)),
        Some([b'M', b'M', 0, 42]) => head.get(4..8).map(|b| number(b, false)),
        Some([b'I', b'I', 43, 0]) => head.get(8..16).map(|b| number(b, true)),
        Some([b'M', b'M', 0, 43]) => head.get(8..16).map(|b| number(b, false)),
        _ => {
            let found = if metadata.is_dir() {
                "a folder".to_string()
            } else if head.is_empty() {
                "an empty file".to_string()
            } else {
                "a file that does not begin as a TIFF does".to_string()
            };
            return Err(Error::input(Fault::new(
                path,
                found,
                "a GeoTIFF",
                "check the path; other formats can be converted: gdal_translate -of GTiff in out.tif",
            )));
        }
    };
    let bytes = metadata.len();
    match directory {
        Some(at) if at != 0 && at + 2 <= bytes => Ok((bytes, head[0] == b'I')),
        at => Err(Error::input(Fault::new(
            path,
            format!("{bytes} bytes, without the directory of the tiles"),
            match at {
                Some(at) if at != 0 => {
                    format!("more than {at} bytes: the directory stands at byte {at}")
                }
                _ => "a directory".to_string(),
            },
            "the file is truncated, or its writing was broken off: copy or export it again",
        ))),
    }
}

/// No-data as writers spell it; `None` where it is not a number.
fn parse_nodata(text: &str) -> Option<f64> {
    match text {
        // What older C libraries on Windows print for NaN.
        "-1.#IND" | "1.#QNAN" | "-1.#QNAN" => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}
