//! Writing GeoTIFF: classic little-endian TIFF 6.0 with 256 x 256 tiles, Deflate, predictor 3 for floats and 2 for
//! integers, GeoKeys (OGC 19-008r4) with the EPSG code under the key that fits the kind of system.
//!
//! Our own writer, because it compresses tiles in parallel and knows what the available crate does not: GDAL's
//! metadata, band names and colour tables. The bytes depend on nothing but the raster.

use super::metadata::Metadata;
use super::{ColourTable, Tags};
use crate::crs::Crs;
use crate::error::{Error, Result};
use crate::grid::Grid;
use crate::io::write_atomic;
use crate::raster::Raster;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use rayon::prelude::*;
use std::borrow::Cow;
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

const TILE: usize = 256;

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
    let planes: Vec<Cow<'_, [u8]>> = bands.iter().map(|(_, r)| stored(r.values())).collect();
    let names: Vec<&str> = bands.iter().map(|b| b.0).collect();
    write(
        path,
        &Image {
            grid: &grid,
            planes: &planes,
            names: &names,
            sample: Stored::F32,
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
            planes: &[Cow::Borrowed(raster.values())],
            names: &[""],
            sample: Stored::U8,
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
    write(
        path,
        &Image {
            grid: &raster.grid,
            planes: &[stored(raster.values())],
            names: &[""],
            sample: Stored::U32,
            nodata: raster.nodata.map(|v| v.to_string()),
            colours: None,
            tags,
        },
    )
}

/// Fills some rows of a raster, `[rows, cols]`.
pub type RowMaker<'a> = dyn FnMut(Range<usize>, &mut [u32]) -> Result<()> + 'a;

/// Writes a raster of 32-bit counts or labels that is made some rows at a time, the same file as [`write_u32`]: `rows` is
/// called from the north on with rows and their cells, which hold what they held before. Memory: 256 rows, and the
/// compressed file.
///
/// # Errors
/// Those of `rows`; the file cannot be written.
pub fn write_rows_u32(
    path: &Path,
    grid: &Grid,
    nodata: Option<u32>,
    tags: &Tags,
    rows: &mut RowMaker<'_>,
) -> Result<()> {
    let image = Image {
        grid,
        planes: &[Cow::Borrowed(&[])],
        names: &[""],
        sample: Stored::U32,
        nodata: nodata.map(|v| v.to_string()),
        colours: None,
        tags,
    };
    let mut blocks = Vec::new();
    let mut cells = vec![0u32; TILE.min(grid.rows) * grid.cols];
    for first in (0..grid.rows).step_by(TILE) {
        let end = (first + TILE).min(grid.rows);
        let band = &mut cells[..(end - first) * grid.cols];
        rows(first..end, band)?;
        let shape = (end - first, grid.cols);
        let bytes = stored(&*band);
        let new: Vec<Vec<u8>> = (0..grid.cols.div_ceil(TILE))
            .into_par_iter()
            .map(|c| compress(predict(cut_tile(&bytes, shape, 4, (0, c)), image.sample)))
            .collect();
        blocks.extend(new);
    }
    write_blocks(path, &image, &blocks)
}

/// Values as they are stored, least significant byte first.
fn stored<T: bytemuck::Pod>(values: &[T]) -> Cow<'_, [u8]> {
    let bytes: &[u8] = bytemuck::cast_slice(values);
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(bytes);
    }
    let words = bytes.chunks_exact(size_of::<T>());
    Cow::Owned(words.flat_map(|w| w.iter().rev().copied()).collect())
}

#[derive(Clone, Copy, PartialEq)]
enum Stored {
    U8,
    U32,
    F32,
}

struct Image<'a> {
    grid: &'a Grid,
    /// Little-endian samples, one plane per band.
    planes: &'a [Cow<'a, [u8]>],
    names: &'a [&'a str],
    sample: Stored,
    nodata: Option<String>,
    colours: Option<&'a ColourTable>,
    tags: &'a Tags,
}

fn write(path: &Path, image: &Image<'_>) -> Result<()> {
    let (rows, cols) = image.grid.shape();
    let size = if image.sample == Stored::U8 { 1 } else { 4 };
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
    write_blocks(path, image, &blocks)
}

fn write_blocks(path: &Path, image: &Image<'_>, blocks: &[Vec<u8>]) -> Result<()> {
    write_atomic(path, |tmp| {
        let bytes = assemble(image, blocks);
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
fn predict(mut raw: Vec<u8>, sample: Stored) -> Vec<u8> {
    match sample {
        Stored::U8 => {
            for line in raw.chunks_exact_mut(TILE) {
                for j in (1..TILE).rev() {
                    line[j] = line[j].wrapping_sub(line[j - 1]);
                }
            }
        }
        Stored::U32 => {
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
        Stored::F32 => {
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
        Stored::U8 => (8, 1, 2),
        Stored::U32 => (32, 1, 2),
        Stored::F32 => (32, 3, 3),
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
    let metadata = Metadata {
        tags: image.tags.clone(),
        roles: (0..)
            .zip(image.names)
            .filter(|(_, name)| !name.is_empty())
            .map(|(band, name)| (band, "description".to_string(), (*name).to_string()))
            .collect(),
    };
    if let Some(xml) = metadata.to_xml() {
        fields.push(ascii(42112, &xml));
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
