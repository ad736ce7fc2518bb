//! The raster of a sheet as a picture: colours of classes over the shading, cell by cell, as PNG and over the paper.

use super::frame::Frame;
use super::sheet::Sheet;
use anlan_engine::{Error, Result};
use rayon::prelude::*;
use resvg::tiny_skia::Pixmap;
use std::borrow::Cow;

/// Colour of ground without a class.
pub(super) const GROUND: [u8; 3] = [248, 247, 243];
/// Steps of the shading: with seven classes all colours fit a palette of 256.
const SHADES: f32 = 31.0;

/// Cells of a sheet as colours, and the paper that they cover.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub rows: usize,
    pub cols: usize,
    /// Red, green, blue per cell, row by row from the north.
    pub rgb: Vec<u8>,
    /// West, north, east and south edge on the paper, mm.
    pub area: [f32; 4],
}

/// The cells that the frame shows; none where it shows no cell of the sheet.
pub(super) fn picture(sheet: &Sheet<'_>, frame: &Frame) -> Option<Picture> {
    let grid = sheet.grid();
    let (rows, cols) = frame.cells(grid)?;
    let mut colours = [None; 256];
    for entry in &sheet.legend {
        colours[entry.code as usize] = Some(entry.colour.0);
    }
    let mut rgb = vec![255_u8; rows.len() * cols.len() * 3];
    rgb.par_chunks_exact_mut(cols.len() * 3)
        .zip(rows.clone())
        .for_each(|(line, row)| {
            for (cell, col) in line.chunks_exact_mut(3).zip(cols.clone()) {
                let relief = sheet
                    .hillshade
                    .map(|h| h.data[(row, col)])
                    .filter(|s| s.is_finite());
                // Ground without a class shows its relief, so that a reader knows where it is.
                let colour = match (colours[sheet.classes.data[(row, col)] as usize], relief) {
                    (Some(colour), _) => colour,
                    (None, Some(_)) => GROUND,
                    (None, None) => continue,
                };
                let shade = relief.map_or(1.0, |s| {
                    0.72 + 0.33 * ((s / 255.0).clamp(0.0, 1.0) * SHADES).round() / SHADES
                });
                for k in 0..3 {
                    cell[k] = (f32::from(colour[k]) * shade).min(255.0) as u8;
                }
            }
        });
    let b = grid.bounds();
    let (w, n) = frame.mm(
        b.west + cols.start as f64 * grid.dx,
        b.north - rows.start as f64 * grid.dy,
    );
    let (e, s) = frame.mm(
        b.west + cols.end as f64 * grid.dx,
        b.north - rows.end as f64 * grid.dy,
    );
    Some(Picture {
        rows: rows.len(),
        cols: cols.len(),
        rgb,
        area: [w, n, e, s],
    })
}

impl Picture {
    /// The same picture with no more cells than the paper has pixels: each pixel takes the cell at its middle.
    pub fn at_most(&self, dpi: u32) -> Cow<'_, Picture> {
        let px = |mm: f32| ((mm / 25.4 * dpi as f32).ceil() as usize).max(1);
        let (rows, cols) = (
            self.rows.min(px(self.area[3] - self.area[1])),
            self.cols.min(px(self.area[2] - self.area[0])),
        );
        if (rows, cols) == (self.rows, self.cols) {
            return Cow::Borrowed(self);
        }
        let pick = |i: usize, n: usize, of: usize| ((2 * i + 1) * of / (2 * n)).min(of - 1);
        let at: Vec<usize> = (0..cols).map(|c| 3 * pick(c, cols, self.cols)).collect();
        let mut rgb = Vec::with_capacity(rows * cols * 3);
        for r in 0..rows {
            let from = 3 * self.cols * pick(r, rows, self.rows);
            for &c in &at {
                rgb.extend_from_slice(&self.rgb[from + c..from + c + 3]);
            }
        }
        Cow::Owned(Picture {
            rows,
            cols,
            rgb,
            area: self.area,
        })
    }

    /// Draws the picture over a sheet of pixels within the frame, each pixel as the cell at its middle.
    pub fn draw(&self, frame: &Frame, dpi: u32, pixmap: &mut Pixmap) {
        let per_mm = dpi as f32 / 25.4;
        let [w, n, e, s] = self.area;
        let inside = frame.area();
        // Cell of each pixel along one side; none outside the picture or the frame.
        let cells = |count: u32, from: f32, to: f32, low: f32, high: f32, of: usize| -> Vec<i32> {
            (0..count)
                .map(|p| {
                    let mm = (p as f32 + 0.5) / per_mm;
                    let share = f64::from(mm - from) / f64::from(to - from);
                    let cell = (share * of as f64).floor();
                    if mm < low || mm > high || cell < 0.0 || cell >= of as f64 {
                        -1
                    } else {
                        cell as i32
                    }
                })
                .collect()
        };
        let (width, height) = (pixmap.width(), pixmap.height());
        let cols = cells(width, w, e, inside[0], inside[2], self.cols);
        let rows = cells(height, n, s, inside[1], inside[3], self.rows);
        pixmap
            .data_mut()
            .par_chunks_exact_mut(4 * width as usize)
            .zip(rows)
            .for_each(|(line, row)| {
                if row < 0 {
                    return;
                }
                let from = 3 * self.cols * row as usize;
                let source = &self.rgb[from..from + 3 * self.cols];
                for (pixel, &col) in line.chunks_exact_mut(4).zip(&cols) {
                    if col >= 0 {
                        let at = 3 * col as usize;
                        pixel[..3].copy_from_slice(&source[at..at + 3]);
                    }
                }
            });
    }

    /// The picture as PNG: a palette where 256 colours are enough.
    pub fn png(&self) -> Result<Vec<u8>> {
        encode(
            &self.rgb,
            3,
            (self.cols as u32, self.rows as u32),
            None,
            png::Compression::Balanced,
        )
    }
}

/// Whitens the pixels whose middle lies outside the frame.
pub(super) fn wipe_around(frame: &Frame, dpi: u32, pixmap: &mut Pixmap) {
    let per_mm = dpi as f32 / 25.4;
    let [w, n, e, s] = frame.area();
    let inside = |from: f32, to: f32, of: u32| {
        let first = (from * per_mm - 0.5).ceil().clamp(0.0, of as f32) as usize;
        let end = ((to * per_mm - 0.5).floor() + 1.0).clamp(0.0, of as f32) as usize;
        (first, end.max(first))
    };
    let (left, right) = inside(w, e, pixmap.width());
    let (top, bottom) = inside(n, s, pixmap.height());
    let line = 4 * pixmap.width() as usize;
    for (row, pixels) in pixmap.data_mut().chunks_exact_mut(line).enumerate() {
        if (top..bottom).contains(&row) {
            pixels[..4 * left].fill(255);
            pixels[4 * right..].fill(255);
        } else {
            pixels.fill(255);
        }
    }
}

/// Pixels of `bytes` each, the first three red, green and blue, as PNG with its resolution: a palette where 256 colours are
/// enough.
pub(super) fn encode(
    pixels: &[u8],
    bytes: usize,
    (width, height): (u32, u32),
    dpi: Option<u32>,
    compression: png::Compression,
) -> Result<Vec<u8>> {
    let failed = |e: png::EncodingError| Error::Failed(format!("encoding a map: {e}"));
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(dpi) = dpi {
        let per_metre = (f64::from(dpi) / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: png::Unit::Meter,
        }));
    }
    encoder.set_compression(compression);
    match palette(pixels, bytes) {
        Some((colours, indices)) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(colours);
            // Differences of palette numbers mean nothing: no filter.
            encoder.set_filter(png::Filter::NoFilter);
            let mut writer = encoder.write_header().map_err(failed)?;
            writer.write_image_data(&indices).map_err(failed)?;
            writer.finish().map_err(failed)?;
        }
        None => {
            encoder.set_color(png::ColorType::Rgb);
            let mut writer = encoder.write_header().map_err(failed)?;
            if bytes == 3 {
                writer.write_image_data(pixels).map_err(failed)?;
            } else {
                let rgb: Vec<u8> = (pixels.chunks_exact(bytes))
                    .flat_map(|p| [p[0], p[1], p[2]])
                    .collect();
                writer.write_image_data(&rgb).map_err(failed)?;
            }
            writer.finish().map_err(failed)?;
        }
    }
    Ok(out)
}

/// Colours in the order in which they appear, and the number of each cell's; none where there are more than 256.
fn palette(pixels: &[u8], bytes: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    // Open addressing over 1024 places: at most 256 are taken.
    const PLACES: usize = 1024;
    let mut table = [(u32::MAX, 0_u8); PLACES];
    let mut colours: Vec<u8> = Vec::new();
    let mut indices = Vec::with_capacity(pixels.len() / bytes);
    for c in pixels.chunks_exact(bytes) {
        let key = u32::from(c[0]) << 16 | u32::from(c[1]) << 8 | u32::from(c[2]);
        let mut at = (key.wrapping_mul(0x9E37_79B1) >> 22) as usize % PLACES;
        loop {
            if table[at].0 == key {
                break;
            }
            if table[at].0 == u32::MAX {
                if colours.len() == 3 * 256 {
                    return None;
                }
                table[at] = (key, (colours.len() / 3) as u8);
                colours.extend_from_slice(c);
                break;
            }
            at = (at + 1) % PLACES;
        }
        indices.push(table[at].1);
    }
    Some((colours, indices))
}

/// Base64 (RFC 4648), as data URLs want it.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = u32::from(chunk[0]) << 16
            | u32::from(chunk.get(1).copied().unwrap_or(0)) << 8
            | u32::from(chunk.get(2).copied().unwrap_or(0));
        for k in 0..4 {
            if k <= chunk.len() {
                out.push(DIGITS[(word >> (18 - 6 * k)) as usize & 63] as char);
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, code) in cases {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }

    #[test]
    fn few_colours_make_a_palette_and_many_do_not() {
        let (colours, indices) = palette(&[9, 8, 7, 1, 2, 3, 9, 8, 7], 3).unwrap();
        assert_eq!(colours, [9, 8, 7, 1, 2, 3]);
        assert_eq!(indices, [0, 1, 0]);
        let many: Vec<u8> = (0..=256_u32)
            .flat_map(|i| [i as u8, (i >> 8) as u8, 0])
            .collect();
        assert!(palette(&many, 3).is_none());
        assert!(palette(&many[3..], 3).is_some());
    }

    #[test]
    fn fewer_pixels_take_the_cells_at_their_middle() {
        let picture = Picture {
            rows: 1,
            cols: 4,
            rgb: vec![0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
            area: [0.0, 0.0, 2.0, 25.4],
        };
        // 2 mm at 25 dpi are two pixels: the middles of cells 1 and 3.
        let two = picture.at_most(25);
        assert_eq!((two.rows, two.cols), (1, 2));
        assert_eq!(two.rgb, [1, 1, 1, 3, 3, 3]);
    }
}
