//! GeoTIFF: reading through the `geotiff-reader` crate, writing by our own tiled writer.
//!
//! The writer compresses tiles in parallel and knows what the available crate does not: GDAL's metadata, band names and
//! colour tables. It writes classic little-endian TIFF 6.0 with 256 x 256 tiles, Deflate, predictor 3 for floats and 2 for
//! integers, GeoKeys (OGC 19-008r4) with the EPSG code under the key that fits the kind of system. The bytes depend on
//! nothing but the raster.

use crate::crs::Crs;
use crate::error::{Error, Fault, Result};
use crate::grid::{Grid, Window};
use crate::io::write_atomic;
use crate::raster::Raster;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use geotiff_reader::GeoTiffFile;
use ndarray::{Array2, ArrayD};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

/// Metadata of a file, as GDAL shows it.
pub type Tags = BTreeMap<String, String>;

/// Colours of the 256 classes, red green blue.
pub type ColourTable = [[u8; 3]; 256];

const TILE: usize = 256;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// Cells.
    pub grid: Grid,
    /// Number of bands.
    pub bands: usize,
    /// Sample type, e.g. `f32`.
    pub sample: String,
    /// Value of cells without data.
    pub nodata: Option<f64>,
    /// Compression, e.g. `deflate`.
    pub compression: String,
}

/// Reads what a file holds, without its values.
///
/// # Errors
/// As [`read_f32`].
pub fn info(path: &Path) -> Result<Info> {
    open(path).map(|source| source.info)
}

/// Reads one band (from 1) as f32; integers are converted, no-data becomes NaN.
///
/// # Errors
/// The file is missing, no TIFF, truncated, rotated, without a known coordinate system, or has no such band.
pub fn read_f32(path: &Path, band: usize) -> Result<Raster<f32>> {
    let source = open(path)?;
    source.check_band(path, band)?;
    let (rows, cols) = source.info.grid.shape();
    source.read(
        path,
        band,
        Window {
            row: 0,
            col: 0,
            rows,
            cols,
        },
    )
}

/// Reads a window of one band as f32.
///
/// # Errors
/// As [`read_f32`], or the window reaches beyond the raster.
pub fn read_window_f32(path: &Path, band: usize, window: Window) -> Result<Raster<f32>> {
    let source = open(path)?;
    source.check_band(path, band)?;
    let (rows, cols) = source.info.grid.shape();
    if window.row + window.rows > rows || window.col + window.cols > cols {
        return Err(Error::input(Fault::new(
            path,
            format!("window {window:?}"),
            format!("a window within {rows} x {cols} cells"),
            "choose a window within the raster",
        )));
    }
    source.read(path, band, window)
}

/// Reads all bands as f32.
///
/// # Errors
/// As [`read_f32`].
pub fn read_bands_f32(path: &Path) -> Result<Vec<Raster<f32>>> {
    let source = open(path)?;
    let (rows, cols) = source.info.grid.shape();
    let whole = Window {
        row: 0,
        col: 0,
        rows,
        cols,
    };
    (1..=source.info.bands)
        .map(|band| source.read(path, band, whole))
        .collect()
}

/// Reads one band of 8-bit classes.
///
/// # Errors
/// As [`read_f32`], or the samples are not 8-bit.
pub fn read_u8(path: &Path, band: usize) -> Result<Raster<u8>> {
    let source = open(path)?;
    source.check_band(path, band)?;
    if source.info.sample != "u8" {
        return Err(Error::input(Fault::new(
            path,
            format!("samples of type {}", source.info.sample),
            "8-bit classes (u8)",
            "convert the raster to bytes",
        )));
    }
    let array = source
        .file
        .read_band::<u8>(band - 1)
        .map_err(|e| truncated(path, &e.to_string()))?;
    let mut raster = Raster::new(source.info.grid, two_d(path, array)?);
    raster.nodata = source.info.nodata.map(|v| v as u8);
    Ok(raster)
}

struct Source {
    file: GeoTiffFile,
    info: Info,
}

fn open(path: &Path) -> Result<Source> {
    let bytes = fs::metadata(path)
        .map_err(|e| Error::io("reading", path, e))?
        .len();
    let file = GeoTiffFile::open(path).map_err(|e| {
        Error::input(Fault::new(
            path,
            format!("a file of {bytes} bytes that is no readable GeoTIFF ({e})"),
            "a GeoTIFF",
            "check that the file was copied whole and is a GeoTIFF",
        ))
    })?;
    let ifd = file
        .tiff()
        .ifd(file.base_ifd_index())
        .map_err(|e| truncated(path, &e.to_string()))?;
    check_blocks(path, bytes, ifd)?;
    let sample = sample_name(path, ifd)?;
    let compression = match ifd.compression() {
        1 => "none".to_string(),
        5 => "lzw".to_string(),
        8 | 32946 => "deflate".to_string(),
        50000 => "zstd".to_string(),
        other => format!("code {other}"),
    };
    let grid = grid_of(path, &file)?;
    let nodata = file
        .nodata()
        .and_then(|text| text.trim().parse::<f64>().ok());
    let bands = file.band_count() as usize;
    Ok(Source {
        info: Info {
            grid,
            bands,
            sample,
            nodata,
            compression,
        },
        file,
    })
}

/// Every strip or tile must lie within the file: a truncated copy is found before anything is computed from it.
fn check_blocks(path: &Path, bytes: u64, ifd: &tiff_reader::Ifd) -> Result<()> {
    let (offsets, counts) = if ifd.is_tiled() {
        (ifd.tile_offsets(), ifd.tile_byte_counts())
    } else {
        (ifd.strip_offsets(), ifd.strip_byte_counts())
    };
    let (Some(offsets), Some(counts)) = (offsets, counts) else {
        return Err(truncated(path, "the table of strips or tiles is missing"));
    };
    let end = offsets
        .iter()
        .zip(&counts)
        .map(|(o, c)| o + c)
        .max()
        .unwrap_or(0);
    if end > bytes {
        return Err(truncated(
            path,
            &format!(
                "{bytes} bytes, but the last of {} blocks ends at byte {end}",
                offsets.len()
            ),
        ));
    }
    Ok(())
}

fn truncated(path: &Path, detail: &str) -> Error {
    Error::input(Fault::new(
        path,
        format!("a truncated or damaged file: {detail}"),
        "a whole GeoTIFF",
        "copy or download the file again",
    ))
}

fn sample_name(path: &Path, ifd: &tiff_reader::Ifd) -> Result<String> {
    let bits = ifd
        .bits_per_sample()
        .ok()
        .and_then(|b| b.first().copied())
        .unwrap_or(1);
    let format = ifd
        .sample_format()
        .ok()
        .and_then(|f| f.first().copied())
        .unwrap_or(1);
    match (format, bits) {
        (1, 8) => Ok("u8"),
        (1, 16) => Ok("u16"),
        (1, 32) => Ok("u32"),
        (2, 8) => Ok("i8"),
        (2, 16) => Ok("i16"),
        (2, 32) => Ok("i32"),
        (3, 32) => Ok("f32"),
        (3, 64) => Ok("f64"),
        _ => Err(Error::input(Fault::new(
            path,
            format!("samples of format {format} with {bits} bits"),
            "8, 16 or 32-bit integers or 32 or 64-bit floats",
            "convert the raster to one of these types",
        ))),
    }
    .map(str::to_string)
}

fn grid_of(path: &Path, file: &GeoTiffFile) -> Result<Grid> {
    let code = file.epsg().ok_or_else(|| {
        Error::input(Fault::new(
            path,
            "no EPSG code of a coordinate reference system",
            "a GeoTIFF with its system as EPSG code",
            "assign the system, e.g. EPSG:4490 or a CGCS2000 Gauss-Kruger zone",
        ))
    })?;
    let crs = Crs::from_epsg(code).map_err(|e| relabel(path, e))?;
    let t = file.transform().ok_or_else(|| {
        Error::input(Fault::new(
            path,
            "no position on the ground",
            "a georeferenced raster",
            "georeference the raster",
        ))
    })?;
    if t.skew_x != 0.0 || t.skew_y != 0.0 || t.pixel_width <= 0.0 || t.pixel_height >= 0.0 {
        return Err(Error::input(Fault::new(
            path,
            format!(
                "a transform with cell ({}, {}) and rotation ({}, {})",
                t.pixel_width, t.pixel_height, t.skew_x, t.skew_y
            ),
            "a north-up raster without rotation",
            "warp the raster to north-up",
        )));
    }
    let grid = Grid::new(
        crs,
        (t.origin_x, t.origin_y),
        (t.pixel_width, -t.pixel_height),
        (file.height() as usize, file.width() as usize),
    )
    .map_err(|e| relabel(path, e))?;
    let b = grid.bounds();
    for (x, y) in [(b.west, b.north), (b.east, b.south)] {
        if let Some(slip) = crs.implausible(x, y) {
            return Err(Error::input(
                Fault::new(
                    path,
                    format!("corner ({x}, {y}): {slip}"),
                    format!("coordinates of {crs} ({})", crs.name()),
                    "assign the right system or swap the axes",
                )
                .at("georeference"),
            ));
        }
    }
    Ok(grid)
}

fn relabel(path: &Path, error: Error) -> Error {
    match error {
        Error::Input(faults) => Error::Input(
            faults
                .into_iter()
                .map(|mut f| {
                    f.place = f.file.display().to_string();
                    f.file = path.to_path_buf();
                    f
                })
                .collect(),
        ),
        other => other,
    }
}

impl Source {
    fn check_band(&self, path: &Path, band: usize) -> Result<()> {
        if (1..=self.info.bands).contains(&band) {
            return Ok(());
        }
        Err(Error::input(Fault::new(
            path,
            format!("{} bands", self.info.bands),
            format!("band {band}"),
            "choose a band of the file (the first is 1)",
        )))
    }

    fn read(&self, path: &Path, band: usize, w: Window) -> Result<Raster<f32>> {
        macro_rules! band_as {
            ($t:ty) => {{
                let array: ArrayD<$t> = self
                    .file
                    .read_band_window(band - 1, w.row, w.col, w.rows, w.cols)
                    .map_err(|e| truncated(path, &e.to_string()))?;
                let array = two_d(path, array)?;
                match self.info.nodata {
                    Some(n) => array.mapv(|v| {
                        if f64::from(v) == n {
                            f32::NAN
                        } else {
                            v as f32
                        }
                    }),
                    None => array.mapv(|v| v as f32),
                }
            }};
        }
        let data = match self.info.sample.as_str() {
            "u8" => band_as!(u8),
            "i8" => band_as!(i8),
            "u16" => band_as!(u16),
            "i16" => band_as!(i16),
            "u32" => band_as!(u32),
            "i32" => band_as!(i32),
            "f32" => {
                let array: ArrayD<f32> = self
                    .file
                    .read_band_window(band - 1, w.row, w.col, w.rows, w.cols)
                    .map_err(|e| truncated(path, &e.to_string()))?;
                let array = two_d(path, array)?;
                match self.info.nodata.map(|n| n as f32) {
                    Some(n) if !n.is_nan() => array.mapv(|v| if v == n { f32::NAN } else { v }),
                    _ => array,
                }
            }
            _ => band_as!(f64),
        };
        Ok(Raster::new(self.info.grid.window(w), data))
    }
}

fn two_d<T>(path: &Path, array: ArrayD<T>) -> Result<Array2<T>>
where
    T: Clone,
{
    let array = if array.ndim() == 3 {
        array.index_axis_move(ndarray::Axis(2), 0)
    } else {
        array
    };
    array
        .into_dimensionality::<ndarray::Ix2>()
        .map(|a| a.as_standard_layout().into_owned())
        .map_err(|e| truncated(path, &e.to_string()))
}

/// Writes a float raster; NaN is its no-data.
///
/// # Errors
/// The file cannot be written.
pub fn write_f32(path: &Path, raster: &Raster<f32>, tags: &Tags) -> Result<()> {
    write_bands_f32(path, &[("", raster)], tags)
}

/// Writes several float rasters of one grid as named bands.
///
/// # Errors
/// The file cannot be written.
///
/// # Panics
/// No band, or bands on different grids.
pub fn write_bands_f32(path: &Path, bands: &[(&str, &Raster<f32>)], tags: &Tags) -> Result<()> {
    let grid = bands[0].1.grid;
    assert!(
        bands.iter().all(|b| b.1.grid == grid),
        "bands of one file share one grid"
    );
    let planes: Vec<Vec<u8>> = bands
        .iter()
        .map(|(_, r)| r.values().iter().flat_map(|v| v.to_le_bytes()).collect())
        .collect();
    let names: Vec<&str> = bands.iter().map(|b| b.0).collect();
    write(
        path,
        &Image {
            grid: &grid,
            planes: &planes,
            names: &names,
            sample: Sample::F32,
            nodata: Some("nan".into()),
            colours: None,
            tags,
        },
    )
}

/// Writes a class raster, with its colours where given.
///
/// # Errors
/// The file cannot be written.
pub fn write_u8(
    path: &Path,
    raster: &Raster<u8>,
    colours: Option<&ColourTable>,
    tags: &Tags,
) -> Result<()> {
    write(
        path,
        &Image {
            grid: &raster.grid,
            planes: &[raster.values().to_vec()],
            names: &[""],
            sample: Sample::U8,
            nodata: raster.nodata.map(|v| v.to_string()),
            colours,
            tags,
        },
    )
}

/// Writes a raster of 32-bit counts.
///
/// # Errors
/// The file cannot be written.
pub fn write_u32(path: &Path, raster: &Raster<u32>, tags: &Tags) -> Result<()> {
    let plane = raster
        .values()
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    write(
        path,
        &Image {
            grid: &raster.grid,
            planes: &[plane],
            names: &[""],
            sample: Sample::U32,
            nodata: raster.nodata.map(|v| v.to_string()),
            colours: None,
            tags,
        },
    )
}

#[derive(Clone, Copy, PartialEq)]
enum Sample {
    U8,
    U32,
    F32,
}

struct Image<'a> {
    grid: &'a Grid,
    /// Little-endian samples, one plane per band.
    planes: &'a [Vec<u8>],
    names: &'a [&'a str],
    sample: Sample,
    nodata: Option<String>,
    colours: Option<&'a ColourTable>,
    tags: &'a Tags,
}

fn write(path: &Path, image: &Image<'_>) -> Result<()> {
    let (rows, cols) = image.grid.shape();
    let size = if image.sample == Sample::U8 { 1 } else { 4 };
    let across = cols.div_ceil(TILE);
    let down = rows.div_ceil(TILE);
    let blocks: Vec<Vec<u8>> = (0..image.planes.len() * across * down)
        .into_par_iter()
        .map(|i| {
            let (plane, tile) = (i / (across * down), i % (across * down));
            let raw = cut_tile(
                &image.planes[plane],
                (rows, cols),
                size,
                (tile / across, tile % across),
            );
            compress(predict(raw, image.sample))
        })
        .collect();
    write_atomic(path, |tmp| {
        let bytes = assemble(image, &blocks);
        let mut file = fs::File::create(tmp).map_err(|e| Error::io("writing", path, e))?;
        file.write_all(&bytes)
            .map_err(|e| Error::io("writing", path, e))
    })
}

/// One tile of a plane, padded by repeating the last row and column so that the padding compresses to nothing.
fn cut_tile(
    plane: &[u8],
    (rows, cols): (usize, usize),
    size: usize,
    (r, c): (usize, usize),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(TILE * TILE * size);
    for i in 0..TILE {
        let row = (r * TILE + i).min(rows - 1);
        let first = c * TILE;
        let last = (first + TILE).min(cols);
        let line = &plane[(row * cols + first) * size..(row * cols + last) * size];
        out.extend_from_slice(line);
        for _ in last - first..TILE {
            out.extend_from_slice(&line[line.len() - size..]);
        }
    }
    out
}

/// TIFF predictor 2 (integers) or 3 (floats), row by row.
fn predict(mut raw: Vec<u8>, sample: Sample) -> Vec<u8> {
    match sample {
        Sample::U8 => {
            for line in raw.chunks_exact_mut(TILE) {
                for j in (1..TILE).rev() {
                    line[j] = line[j].wrapping_sub(line[j - 1]);
                }
            }
        }
        Sample::U32 => {
            for line in raw.chunks_exact_mut(TILE * 4) {
                let word = |l: &[u8], j: usize| {
                    u32::from_le_bytes([l[4 * j], l[4 * j + 1], l[4 * j + 2], l[4 * j + 3]])
                };
                for j in (1..TILE).rev() {
                    let d = word(line, j).wrapping_sub(word(line, j - 1));
                    line[4 * j..4 * j + 4].copy_from_slice(&d.to_le_bytes());
                }
            }
        }
        Sample::F32 => {
            let mut turned = vec![0; TILE * 4];
            for line in raw.chunks_exact_mut(TILE * 4) {
                // Most significant bytes of the whole row first, then differences byte by byte.
                for j in 0..TILE {
                    for k in 0..4 {
                        turned[k * TILE + j] = line[4 * j + 3 - k];
                    }
                }
                for j in (1..turned.len()).rev() {
                    turned[j] = turned[j].wrapping_sub(turned[j - 1]);
                }
                line.copy_from_slice(&turned);
            }
        }
    }
    raw
}

fn compress(raw: Vec<u8>) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(raw.len() / 4), Compression::new(5));
    encoder
        .write_all(&raw)
        .expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

/// A TIFF field: tag, type, number of values, bytes.
struct Field(u16, u16, u32, Vec<u8>);

fn shorts(tag: u16, values: &[u16]) -> Field {
    Field(
        tag,
        3,
        values.len() as u32,
        values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    )
}

fn longs(tag: u16, values: &[u32]) -> Field {
    Field(
        tag,
        4,
        values.len() as u32,
        values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    )
}

fn doubles(tag: u16, values: &[f64]) -> Field {
    Field(
        tag,
        12,
        values.len() as u32,
        values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    )
}

fn ascii(tag: u16, text: &str) -> Field {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    Field(tag, 2, bytes.len() as u32, bytes)
}

fn assemble(image: &Image<'_>, blocks: &[Vec<u8>]) -> Vec<u8> {
    let bands = image.planes.len();
    let (bits, format, predictor) = match image.sample {
        Sample::U8 => (8, 1, 2),
        Sample::U32 => (32, 1, 2),
        Sample::F32 => (32, 3, 3),
    };
    let counts: Vec<u32> = blocks.iter().map(|b| b.len() as u32).collect();
    let photometric = if image.colours.is_some() { 3 } else { 1 };
    let g = image.grid;
    let mut fields = vec![
        longs(256, &[g.cols as u32]),
        longs(257, &[g.rows as u32]),
        shorts(258, &vec![bits; bands]),
        shorts(259, &[8]),
        shorts(262, &[photometric]),
        shorts(277, &[bands as u16]),
        shorts(284, &[if bands > 1 { 2 } else { 1 }]),
        shorts(317, &[predictor]),
        longs(322, &[TILE as u32]),
        longs(323, &[TILE as u32]),
        longs(324, &vec![0; blocks.len()]),
        longs(325, &counts),
        shorts(339, &vec![format; bands]),
        doubles(33550, &[g.dx, g.dy, 0.0]),
        doubles(33922, &[0.0, 0.0, 0.0, g.west, g.north, 0.0]),
        shorts(34735, &geo_keys(g.crs)),
    ];
    if bands > 1 {
        fields.push(shorts(338, &vec![0; bands - 1]));
    }
    if let Some(colours) = image.colours {
        let map: Vec<u16> = (0..3)
            .flat_map(|k| colours.iter().map(move |c| u16::from(c[k]) * 257))
            .collect();
        fields.push(shorts(320, &map));
    }
    let metadata = gdal_metadata(image.tags, image.names);
    if !metadata.is_empty() {
        fields.push(ascii(42112, &metadata));
    }
    if let Some(nodata) = &image.nodata {
        fields.push(ascii(42113, nodata));
    }
    fields.sort_by_key(|f| f.0);

    // Header, directory, values that do not fit into it, then the tiles: all offsets follow from the lengths.
    let directory = 8 + 2 + 12 * fields.len() + 4;
    let outside = |f: &Field| {
        if f.3.len() > 4 {
            f.3.len().next_multiple_of(2)
        } else {
            0
        }
    };
    let first_block = directory + fields.iter().map(outside).sum::<usize>();
    let mut offset = first_block as u32;
    let offsets: Vec<u32> = counts
        .iter()
        .map(|c| {
            let at = offset;
            offset += c + c % 2;
            at
        })
        .collect();
    for field in &mut fields {
        if field.0 == 324 {
            *field = longs(324, &offsets);
        }
    }
    let mut out = Vec::with_capacity(offset as usize);
    out.extend_from_slice(b"II*\0");
    out.extend_from_slice(&8_u32.to_le_bytes());
    out.extend_from_slice(&(fields.len() as u16).to_le_bytes());
    let mut value_at = directory as u32;
    for field in &fields {
        out.extend_from_slice(&field.0.to_le_bytes());
        out.extend_from_slice(&field.1.to_le_bytes());
        out.extend_from_slice(&field.2.to_le_bytes());
        if field.3.len() > 4 {
            out.extend_from_slice(&value_at.to_le_bytes());
            value_at += outside(field) as u32;
        } else {
            let mut inline = [0; 4];
            inline[..field.3.len()].copy_from_slice(&field.3);
            out.extend_from_slice(&inline);
        }
    }
    out.extend_from_slice(&0_u32.to_le_bytes());
    for field in fields.iter().filter(|f| f.3.len() > 4) {
        out.extend_from_slice(&field.3);
        if field.3.len() % 2 == 1 {
            out.push(0);
        }
    }
    for block in blocks {
        out.extend_from_slice(block);
        if block.len() % 2 == 1 {
            out.push(0);
        }
    }
    out
}

/// GeoKey directory: model type, area cells, and the EPSG code as geographic (2048) or projected (3072) system.
fn geo_keys(crs: Crs) -> Vec<u16> {
    let (model, key) = if crs.is_geographic() {
        (2, 2048)
    } else {
        (1, 3072)
    };
    let code = crs.epsg() as u16;
    vec![
        1, 1, 0, 3, 1024, 0, 1, model, 1025, 0, 1, 1, key, 0, 1, code,
    ]
}

/// GDAL unescapes values once as XML and once more as its own, so they are escaped twice; names only once.
fn gdal_metadata(tags: &Tags, names: &[&str]) -> String {
    let escape = |t: &str| {
        t.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
    };
    let mut items = String::new();
    for (name, value) in tags {
        items += &format!(
            "  <Item name=\"{}\">{}</Item>\n",
            escape(name),
            escape(&escape(value))
        );
    }
    for (i, name) in names.iter().enumerate().filter(|(_, n)| !n.is_empty()) {
        items += &format!(
            "  <Item name=\"DESCRIPTION\" sample=\"{i}\" role=\"description\">{}</Item>\n",
            escape(&escape(name))
        );
    }
    if items.is_empty() {
        items
    } else {
        format!("<GDALMetadata>\n{items}</GDALMetadata>\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(rows: usize, cols: usize, epsg: u32) -> Grid {
        let (origin, cell) = if epsg == 4490 {
            ((119.0, 29.5), 0.01)
        } else {
            ((450_000.0, 3_250_000.0), 90.0)
        };
        Grid::new(
            Crs::from_epsg(epsg).unwrap(),
            origin,
            (cell, cell),
            (rows, cols),
        )
        .unwrap()
    }

    #[test]
    fn floats_come_back_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tif");
        for epsg in [4549, 4490] {
            let g = grid(300, 517, epsg);
            let mut r = Raster::new(
                g,
                Array2::from_shape_fn(g.shape(), |(i, j)| {
                    (i as f32 * 0.37 - j as f32 * 1.3e-5) * 1e3
                }),
            );
            r.data[(7, 9)] = f32::NAN;
            write_f32(
                &path,
                &r,
                &Tags::from([("unit".into(), "m & <more>".into())]),
            )
            .unwrap();
            let back = read_f32(&path, 1).unwrap();
            assert!(back.grid.same_cells(&g));
            for (a, b) in back.values().iter().zip(r.values()) {
                assert_eq!(a.to_bits(), b.to_bits());
            }
            let w = Window {
                row: 250,
                col: 200,
                rows: 20,
                cols: 300,
            };
            assert_eq!(
                read_window_f32(&path, 1, w).unwrap().data[(3, 4)],
                r.data[(253, 204)]
            );
        }
    }

    #[test]
    fn classes_and_bands_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let g = grid(260, 300, 4549);
        let path = dir.path().join("c.tif");
        let classes = Raster::new(
            g,
            Array2::from_shape_fn(g.shape(), |(i, j)| ((i * 7 + j) % 6) as u8),
        )
        .with_nodata(0);
        write_u8(&path, &classes, Some(&[[9, 8, 7]; 256]), &Tags::new()).unwrap();
        assert_eq!(read_u8(&path, 1).unwrap(), classes);
        assert!(read_f32(&path, 1).unwrap().data[(0, 0)].is_nan());
        let a = Raster::filled(g, 1.5_f32);
        let b = Raster::filled(g, -2.0_f32);
        write_bands_f32(&path, &[("one", &a), ("two", &b)], &Tags::new()).unwrap();
        let bands = read_bands_f32(&path).unwrap();
        assert_eq!(
            (
                bands.len(),
                bands[0].data[(5, 5)],
                bands[1].data[(259, 299)]
            ),
            (2, 1.5, -2.0)
        );
        assert!(read_f32(&path, 3).unwrap_err().is_input());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.tif");
        let missing = read_f32(&path, 1).unwrap_err().to_string();
        assert!(missing.contains("no such file"), "{missing}");
        let g = grid(600, 600, 4549);
        write_f32(
            &path,
            &Raster::new(g, Array2::from_shape_fn(g.shape(), |(i, j)| (i * j) as f32)),
            &Tags::new(),
        )
        .unwrap();
        let bytes = fs::read(&path).unwrap();
        for keep in [bytes.len() / 2, 40, 4] {
            fs::write(&path, &bytes[..keep]).unwrap();
            let error = read_f32(&path, 1).unwrap_err();
            assert!(
                error.is_input() && error.to_string().contains("t.tif"),
                "{error}"
            );
        }
        fs::write(&path, "not a raster").unwrap();
        assert!(read_f32(&path, 1).unwrap_err().is_input());
    }

    /// `geotiff` (another reader, on another TIFF core) sees the same values.
    #[test]
    fn an_independent_reader_agrees() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("i.tif");
        let g = grid(270, 280, 4549);
        let r = Raster::new(
            g,
            Array2::from_shape_fn(g.shape(), |(i, j)| i as f32 + j as f32 / 512.0),
        );
        write_f32(&path, &r, &Tags::new()).unwrap();
        let other = geotiff::GeoTiff::read(fs::File::open(&path).unwrap()).unwrap();
        for (row, col) in [(0, 0), (269, 279), (100, 200)] {
            let point = geo_types_coord(g.x(col), g.y(row));
            let value: f64 = other.get_value_at(&point, 0).unwrap();
            assert_eq!(value as f32, r.data[(row, col)]);
        }
    }

    fn geo_types_coord(x: f64, y: f64) -> geo::Coord<f64> {
        geo::Coord { x, y }
    }

    #[test]
    fn metadata_is_escaped_as_gdal_escapes_it() {
        // As GDAL 3.10 writes this tag and this band name.
        let tags = Tags::from([("B&<c".to_string(), "x <y> & \"z\"".to_string())]);
        assert_eq!(
            gdal_metadata(&tags, &["d & e"]),
            "<GDALMetadata>\n  <Item name=\"B&amp;&lt;c\">x &amp;lt;y&amp;gt; &amp;amp; &amp;quot;z&amp;quot;</Item>\n  \
             <Item name=\"DESCRIPTION\" sample=\"0\" role=\"description\">d &amp;amp; e</Item>\n</GDALMetadata>\n"
        );
    }
}
