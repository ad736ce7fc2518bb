//! Reading GeoTIFF.

use super::blocks::Scratch;
use super::open::Opened;
use super::{Info, Sample};
use crate::error::{Error, Fault, Result};
use crate::grid::{Grid, Window};
use crate::raster::Raster;
use ndarray::Array2;
use rayon::prelude::*;
use std::ops::Range;
use std::path::Path;

/// Bytes decoded at a time, so that a large raster is held once and not twice.
const CHUNK_BYTES: usize = 32 << 20;

/// What a file holds, without reading its values.
///
/// # Errors
/// A fault where the file is missing, not a GeoTIFF, cut short, without a known reference system, rotated, or of a
/// sample type other than integers of up to 32 bits and floats.
pub fn info(path: &Path) -> Result<Info> {
    let file = Opened::new(path)?;
    let (grid, _) = file.grid()?;
    let description = |band| file.metadata.role(band, "description").unwrap_or("");
    Ok(Info {
        grid,
        bands: file.bands,
        sample: file.sample.to_string(),
        nodata: file.nodata,
        compression: compression_name(file.storage.compression),
        layout: if file.bands > 1 && file.planar {
            format!("{}, band by band", file.layout_name)
        } else {
            file.layout_name.clone()
        },
        scales: (0..file.bands)
            .map(|at| file.scale(at))
            .collect::<Result<_>>()?,
        descriptions: (0..file.bands)
            .map(|b| description(b).to_string())
            .collect(),
        tags: file.metadata.tags,
        colours: file.colours,
    })
}

/// Reads one band (numbered from 1) as f32: no-data becomes NaN, scale and offset are applied, integers
/// beyond ±16,777,216 rounded to the nearest f32 (see [`read_i32`] and [`read_f64`]).
///
/// # Errors
/// As [`info`]; a band that is not there; damaged data; a number beyond the range of f32.
pub fn read_f32(path: &Path, band: usize) -> Result<Raster<f32>> {
    let file = Opened::new(path)?;
    let (grid, south_up) = file.grid()?;
    file.raster_f32(band, grid, south_up, whole(&grid))
}

/// Reads all bands as f32, as [`read_f32`] does.
///
/// # Errors
/// As [`read_f32`].
pub fn read_bands_f32(path: &Path) -> Result<Vec<Raster<f32>>> {
    let file = Opened::new(path)?;
    let (grid, south_up) = file.grid()?;
    (1..=file.bands)
        .map(|band| file.raster_f32(band, grid, south_up, whole(&grid)))
        .collect()
}

/// Reads a window of one band as f32, decoding only the strips or tiles it touches. Rows count from the north.
///
/// # Errors
/// As [`read_f32`]; a window that reaches beyond the raster.
pub fn read_window_f32(path: &Path, band: usize, window: Window) -> Result<Raster<f32>> {
    let file = Opened::new(path)?;
    let (grid, south_up) = file.grid()?;
    let inside = |start: usize, len: usize, of: usize| {
        len > 0 && start.checked_add(len).is_some_and(|end| end <= of)
    };
    if !inside(window.row, window.rows, grid.rows) || !inside(window.col, window.cols, grid.cols) {
        return Err(file.fault(
            format!("window {window:?}"),
            format!("a window within {} rows x {} columns", grid.rows, grid.cols),
            "check that the raster covers the area of the project",
        ));
    }
    file.raster_f32(band, grid, south_up, window)
}

/// Reads one band (numbered from 1) as f64, as [`read_f32`] does.
///
/// # Errors
/// As [`read_f32`], but every stored number fits.
pub fn read_f64(path: &Path, band: usize) -> Result<Raster<f64>> {
    let file = Opened::new(path)?;
    let (grid, south_up) = file.grid()?;
    let at = file.band(band)?;
    let (scale, offset) = file.scale(at)?;
    let nodata = file.nodata_as_stored();
    let data = file.cells(at, south_up, whole(&grid), f64::NAN, |v| {
        Some(if v.is_nan() || Some(v) == nodata {
            f64::NAN
        } else if scale == 1.0 && offset == 0.0 {
            v
        } else {
            v * scale + offset
        })
    })?;
    Ok(Raster::new(grid, data))
}

/// Reads one band (numbered from 1) of integers as i32, no-data kept as a value of the raster.
///
/// # Errors
/// As [`info`]; stored floats; a value or no-data value beyond i32.
pub fn read_i32(path: &Path, band: usize) -> Result<Raster<i32>> {
    let file = Opened::new(path)?;
    let (grid, south_up) = file.grid()?;
    let at = file.integer_band(band)?;
    let fits = |v: f64| (v == f64::from(v as i32)).then_some(v as i32);
    // A no-data value that no cell can have is none.
    let nodata = file.nodata.and_then(fits);
    let data = file.cells(at, south_up, whole(&grid), nodata.unwrap_or(0), fits)?;
    Ok(Raster { grid, data, nodata })
}

/// Reads one band (numbered from 1) of classes as u8. Wider integer types are taken where every value lies in 0..=255;
/// a no-data value outside that range becomes 255.
///
/// # Errors
/// As [`info`]; stored floats; a value outside 0..=255; no-data outside 0..=255 in a band that uses 255.
pub fn read_u8(path: &Path, band: usize) -> Result<Raster<u8>> {
    let file = Opened::new(path)?;
    let (grid, south_up) = file.grid()?;
    let at = file.integer_band(band)?;
    let fits = |v: f64| (v == f64::from(v as u8)).then_some(v as u8);
    let Some(outside) = file
        .nodata
        .filter(|&n| fits(n).is_none() && file.sample != Sample::U8)
    else {
        let nodata = file.nodata.and_then(fits);
        let data = file.cells(at, south_up, whole(&grid), nodata.unwrap_or(0), fits)?;
        return Ok(Raster { grid, data, nodata });
    };
    // i16 takes every u8 and leaves room to tell no-data from 255.
    let wide = file.cells(at, south_up, whole(&grid), -1i16, |v| {
        if v == outside {
            Some(-1)
        } else {
            fits(v).map(i16::from)
        }
    })?;
    if wide.iter().any(|&v| v == 255) && wide.iter().any(|&v| v == -1) {
        return Err(file.fault(
            format!("no-data {outside}, and cells of class 255"),
            "no-data within 0..=255, or class 255 unused",
            "recode class 255 or the no-data value",
        ));
    }
    Ok(Raster {
        grid,
        data: wide.mapv(|v| if v < 0 { 255 } else { v as u8 }),
        nodata: Some(255),
    })
}

/// Reads the values of one band as [`read_f32`] does, `[rows, cols]` as stored, whatever the reference system: for
/// comparisons with files whose system the engine does not know.
///
/// # Errors
/// As [`read_f32`], without the checks of system, rotation and coordinates.
pub fn read_values_f32(path: &Path, band: usize) -> Result<Array2<f32>> {
    let file = Opened::new(path)?;
    let (rows, cols) = file.shape();
    let window = Window {
        row: 0,
        col: 0,
        rows,
        cols,
    };
    file.values_f32(band, false, window)
}

fn whole(grid: &Grid) -> Window {
    Window {
        row: 0,
        col: 0,
        rows: grid.rows,
        cols: grid.cols,
    }
}

impl Opened<'_> {
    fn raster_f32(
        &self,
        band: usize,
        grid: Grid,
        south_up: bool,
        window: Window,
    ) -> Result<Raster<f32>> {
        Ok(Raster::new(
            grid.window(window),
            self.values_f32(band, south_up, window)?,
        ))
    }

    fn values_f32(&self, band: usize, south_up: bool, window: Window) -> Result<Array2<f32>> {
        let at = self.band(band)?;
        self.cells(at, south_up, window, f32::NAN, self.to_f32(at)?)
    }

    /// How a stored value of a band (index from 0) becomes f32: no-data is NaN, scale and offset are applied.
    pub(super) fn to_f32(&self, at: usize) -> Result<impl Fn(f64) -> Option<f32> + Sync + use<>> {
        let (scale, offset) = self.scale(at)?;
        let plain = scale == 1.0 && offset == 0.0;
        let nodata = self.nodata_as_stored();
        Ok(move |v: f64| {
            if v.is_nan() || Some(v) == nodata {
                return Some(f32::NAN);
            }
            // Unscaled values pass untouched: adding 0 would turn -0 into 0.
            let value = if plain {
                v as f32
            } else {
                (v * scale + offset) as f32
            };
            (value.is_finite() || !v.is_finite()).then_some(value)
        })
    }

    /// Decodes a window of a band (index from 0) and converts each cell; `convert` gives `None` for a value that the
    /// wanted type cannot hold. Cells of blocks that the file leaves out become `missing`.
    fn cells<T: Copy + Send + Sync>(
        &self,
        at: usize,
        south_up: bool,
        window: Window,
        missing: T,
        convert: impl Fn(f64) -> Option<T> + Sync,
    ) -> Result<Array2<T>> {
        let height = self.shape().0;
        let first = if south_up {
            height - window.row - window.rows
        } else {
            window.row
        };
        let end = first + window.rows;
        let mut data = Array2::from_elem((window.rows, window.cols), missing);
        let out = data
            .as_slice_mut()
            .expect("a new array is in standard layout");

        // Chunks begin and end on block edges, so that no block is decoded twice.
        let chunk_rows = self.chunk_rows();
        let mut scratch = Scratch::default();
        let mut row = first;
        while row < end {
            let stop = ((row / chunk_rows + 1) * chunk_rows).min(end);
            let target = &mut out[(row - first) * window.cols..(stop - first) * window.cols];
            let cols = window.col..window.col + window.cols;
            self.rows_into(
                at,
                south_up,
                row..stop,
                cols,
                missing,
                &convert,
                &mut scratch,
                target,
            )?;
            row = stop;
        }
        if south_up {
            data.invert_axis(ndarray::Axis(0));
            data = data.as_standard_layout().into_owned();
        }
        Ok(data)
    }

    /// Rows to decode at a time: whole blocks, of about [`CHUNK_BYTES`].
    pub(super) fn chunk_rows(&self) -> usize {
        let width = self.shape().1;
        let row_bytes = width * self.sample.bytes() * if self.planar { 1 } else { self.bands };
        (CHUNK_BYTES / row_bytes.max(1) / self.block.0).max(1) * self.block.0
    }

    /// Decodes some rows, counted as the file has them, and some columns; as [`Opened::cells`].
    pub(super) fn rows_into<T: Copy + Send + Sync>(
        &self,
        at: usize,
        south_up: bool,
        rows: Range<usize>,
        cols: Range<usize>,
        missing: T,
        convert: &(impl Fn(f64) -> Option<T> + Sync),
        scratch: &mut Scratch,
        out: &mut [T],
    ) -> Result<()> {
        let width = cols.len();
        let bad = if self.inflates() {
            self.inflate(at, &rows, &cols, scratch)?;
            let scratch = &*scratch;
            out.par_chunks_mut(width)
                .enumerate()
                .map_init(
                    || (Vec::new(), Vec::new()),
                    |(turned, samples), (i, line)| {
                        let mut bad = None;
                        self.inflated_row(
                            at,
                            rows.start + i,
                            &cols,
                            scratch,
                            turned,
                            samples,
                            |to, len, samples| {
                                let line = &mut line[to..to + len];
                                if samples.is_empty() {
                                    line.fill(missing);
                                } else if let Err(cell) = self.convert(samples, line, convert) {
                                    bad = bad.or(Some((
                                        i * width + to + cell,
                                        self.stored(samples, cell),
                                    )));
                                }
                            },
                        );
                        bad
                    },
                )
                .flatten_iter()
                .min_by_key(|bad| bad.0)
        } else {
            let bytes = self.decoded_elsewhere(at, &rows, &cols)?;
            /// Cells per task of the thread pool.
            const TASK: usize = 1 << 16;
            let size = self.sample.bytes();
            let bad = out
                .par_chunks_mut(TASK)
                .zip(bytes.par_chunks(TASK * size))
                .enumerate()
                .filter_map(|(task, (out, bytes))| {
                    let cell = self.convert(bytes, out, convert).err()?;
                    Some((task * TASK + cell, self.stored(bytes, cell)))
                })
                .min_by_key(|bad| bad.0);
            self.blank_absent(at, &rows, &cols, missing, out);
            bad
        };
        let Some((cell, value)) = bad else {
            return Ok(());
        };
        let (r, c) = (rows.start + cell / width, cols.start + cell % width);
        let r = if south_up { self.shape().0 - 1 - r } else { r };
        Err(Error::input(
            Fault::new(
                self.path,
                format!("{value}"),
                format!("a value that a cell of type {} holds", std::any::type_name::<T>()),
                "check the band and its no-data value; classes lie in 0..=255, numbers for f32 in ±3.4e38",
            )
            .at(format!("band {}, row {r}, column {c}", at + 1)),
        ))
    }

    /// Decodes a window by `geotiff-reader`: samples in the machine's byte order.
    fn decoded_elsewhere(
        &self,
        at: usize,
        rows: &Range<usize>,
        cols: &Range<usize>,
    ) -> Result<Vec<u8>> {
        self.tiff
            .tiff()
            .read_band_window_bytes(
                self.tiff.base_ifd_index(),
                at,
                rows.start,
                cols.start,
                rows.len(),
                cols.len(),
            )
            .map_err(|e| {
                Error::input(
                    Fault::new(
                        self.path,
                        e.to_string(),
                        "strips or tiles that can be decoded",
                        "the file is damaged or uses a variant of TIFF that is not read: export it again, e.g. gdal_translate -co COMPRESS=DEFLATE in.tif out.tif",
                    )
                    .at(format!("band {}, rows {} to {}", at + 1, rows.start, rows.end - 1)),
                )
            })
    }

    /// The decoder fills blocks that the file leaves out with zeros; they hold no data.
    fn blank_absent<T: Copy>(
        &self,
        at: usize,
        rows: &Range<usize>,
        cols: &Range<usize>,
        missing: T,
        out: &mut [T],
    ) {
        let (height, width) = self.shape();
        let across = width.div_ceil(self.block.1);
        let per_plane = across * height.div_ceil(self.block.0);
        let plane = if self.planar { at } else { 0 };
        for block in &self.absent {
            if block / per_plane != plane {
                continue;
            }
            let top = block % per_plane / across * self.block.0;
            let left = block % across * self.block.1;
            let part = left.max(cols.start)..(left + self.block.1).min(cols.end);
            for row in top.max(rows.start)..(top + self.block.0).min(rows.end) {
                if part.start < part.end {
                    let start = (row - rows.start) * cols.len();
                    out[start + part.start - cols.start..start + part.end - cols.start]
                        .fill(missing);
                }
            }
        }
    }

    /// Converts decoded bytes cell by cell; the number of the first cell that cannot be converted is the error.
    fn convert<T: Copy>(
        &self,
        bytes: &[u8],
        out: &mut [T],
        convert: &impl Fn(f64) -> Option<T>,
    ) -> std::result::Result<(), usize> {
        macro_rules! each {
            ($type:ty) => {{
                let (cells, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                for (i, (to, from)) in out.iter_mut().zip(cells).enumerate() {
                    *to = convert(f64::from(<$type>::from_ne_bytes(*from))).ok_or(i)?;
                }
                Ok(())
            }};
        }
        match self.sample {
            Sample::U8 => each!(u8),
            Sample::I8 => each!(i8),
            Sample::U16 => each!(u16),
            Sample::I16 => each!(i16),
            Sample::U32 => each!(u32),
            Sample::I32 => each!(i32),
            Sample::F32 => each!(f32),
            Sample::F64 => each!(f64),
        }
    }

    /// The stored value of a cell of decoded bytes.
    fn stored(&self, bytes: &[u8], cell: usize) -> f64 {
        let size = self.sample.bytes();
        let mut value = [f64::NAN];
        let _ = self.convert(&bytes[cell * size..(cell + 1) * size], &mut value, &|v| {
            Some(v)
        });
        value[0]
    }
}

fn compression_name(code: u16) -> String {
    match code {
        1 => "none",
        5 => "lzw",
        7 => "jpeg",
        8 | 32946 => "deflate",
        32773 => "packbits",
        34887 => "lerc",
        50000 => "zstd",
        50001 => "webp",
        _ => return format!("code {code}"),
    }
    .to_string()
}
