//! A laid-out sheet, and the same sheet as PNG, SVG and PDF.

use super::canvas::TextBox;
use super::frame::Frame;
use super::page::{Format, Page};
use super::pdf::pdf_of_svgs;
use super::picture::{GROUND, Picture, base64, encode, wipe_around};
use super::sheet::{Setting, Sheet};
use super::text::{Fonts, escape};
use anlan_engine::{Error, Result};
use resvg::{tiny_skia, usvg};
use std::fmt::Write as _;

/// A laid-out sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    pub(super) page: Page,
    pub(super) frame: Frame,
    pub(super) picture: Option<Picture>,
    /// What stands over the picture and is cut at the frame.
    pub(super) inside: String,
    /// All else.
    pub(super) body: String,
    pub(super) family: String,
    pub(super) dropped: Vec<String>,
    pub(super) texts: Vec<TextBox>,
    pub(super) ratio: u64,
}

impl Drawing {
    /// Names that found no free place on the map; a caller tells its user.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// Where letters stand, for checks.
    pub fn texts(&self) -> &[TextBox] {
        &self.texts
    }

    /// Denominator of the scale on paper.
    pub fn ratio(&self) -> u64 {
        self.ratio
    }

    /// The sheet as SVG with its size in mm, letters as text of the map font: a page for [`pdf_of_svgs`].
    ///
    /// # Errors
    /// The raster cannot be encoded.
    pub fn page_svg(&self) -> Result<String> {
        let (width, height) = self.page.size_mm();
        let f = self.frame;
        let mut out = self.head();
        let _ = write!(
            out,
            "<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/><clipPath id=\"map\"><rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\"/></clipPath><g clip-path=\"url(#map)\">",
            f.x, f.y, f.width, f.height
        );
        if let Some(picture) = &self.picture {
            let p = picture.at_most(self.page.dpi);
            let [w, n, e, s] = p.area;
            let _ = write!(
                out,
                "<image x=\"{w:.3}\" y=\"{n:.3}\" width=\"{:.3}\" height=\"{:.3}\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" xlink:href=\"data:image/png;base64,{}\"/>",
                e - w,
                s - n,
                base64(&p.png()?)
            );
        }
        out.push_str(&self.inside);
        out.push_str("</g>");
        out.push_str(&self.body);
        out.push_str("</svg>");
        Ok(out)
    }

    /// The opening tag of the sheet.
    fn head(&self) -> String {
        let (width, height) = self.page.size_mm();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{width}mm\" height=\"{height}mm\" viewBox=\"0 0 {width} {height}\" font-family=\"{}\">",
            escape(&self.family)
        )
    }

    /// The sheet in a format.
    ///
    /// # Errors
    /// As [`draw`](super::draw); memory for the pixels.
    pub fn encoded(&self, format: Format, fonts: &Fonts) -> Result<Vec<u8>> {
        match format {
            Format::Png => self.png(fonts),
            Format::Svg => self.svg(fonts).map(String::into_bytes),
            Format::Pdf => self.pdf(fonts),
        }
    }

    /// PNG at the resolution of the page, which the file states, so that it prints at its size.
    ///
    /// # Errors
    /// Memory for the pixels.
    pub fn png(&self, fonts: &Fonts) -> Result<Vec<u8>> {
        let (width, height) = self.page.size_px();
        let mut pixmap = tiny_skia::Pixmap::new(width, height)
            .ok_or_else(|| Error::Failed("a sheet of this size cannot be allocated".into()))?;
        pixmap.fill(tiny_skia::Color::WHITE);
        if let Some(picture) = &self.picture {
            picture.draw(&self.frame, self.page.dpi, &mut pixmap);
        }
        // Cutting by a clip path would take two more pictures of the frame's size; what lies beyond it is wiped instead.
        let layer = |content: &str| format!("{}{content}</svg>", self.head());
        overlay(&layer(&self.inside), fonts, &mut pixmap)?;
        wipe_around(&self.frame, self.page.dpi, &mut pixmap);
        overlay(&layer(&self.body), fonts, &mut pixmap)?;
        encode(
            pixmap.data(),
            4,
            (width, height),
            Some(self.page.dpi),
            png::Compression::Fast,
        )
    }

    /// SVG whose letters are paths, so that it needs no font.
    ///
    /// # Errors
    /// The raster cannot be encoded.
    pub fn svg(&self, fonts: &Fonts) -> Result<String> {
        outlined(&self.page_svg()?, fonts)
    }

    /// PDF of one page.
    ///
    /// # Errors
    /// The raster cannot be encoded.
    pub fn pdf(&self, fonts: &Fonts) -> Result<Vec<u8>> {
        pdf_of_svgs(&[self.page_svg()?], fonts)
    }
}

/// Draws a sheet on A4 landscape and encodes it as PNG at 200 dpi.
///
/// # Errors
/// As [`draw`](super::draw).
pub fn render_png(sheet: &Sheet<'_>, fonts: &Fonts) -> Result<Vec<u8>> {
    super::draw(sheet, &Setting::default(), fonts)?.png(fonts)
}

/// An SVG with its letters as paths, of the same size.
///
/// # Errors
/// No SVG.
pub fn outlined(svg: &str, fonts: &Fonts) -> Result<String> {
    let tree = usvg::Tree::from_str(svg, &fonts.options())
        .map_err(|e| Error::Failed(format!("drawing a sheet: {e}")))?;
    let options = usvg::WriteOptions {
        // 1/1000 of 1/96 inch: finer than any printer.
        coordinates_precision: 3,
        ..usvg::WriteOptions::default()
    };
    let out = tree.to_string(&options);
    // The writer gives the size in pixels; the size on paper is that of the source.
    let (Some(from), Some(to)) = (head(svg), head(&out)) else {
        return Err(Error::Failed("drawing a sheet: no svg element".into()));
    };
    let (w, h) = (tree.size().width(), tree.size().height());
    let size = |name: &str| attribute(from, name).unwrap_or_default();
    let mut start = String::new();
    let _ = write!(
        start,
        "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {w} {h}\" xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">",
        size("width"),
        size("height")
    );
    Ok(start + &out[to.len()..])
}

/// The opening tag.
fn head(svg: &str) -> Option<&str> {
    svg.find('>').map(|end| &svg[..=end])
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

/// Renders an SVG over a picture, as wide as the picture.
pub(super) fn overlay(svg: &str, fonts: &Fonts, pixmap: &mut tiny_skia::Pixmap) -> Result<()> {
    let tree = usvg::Tree::from_str(svg, &fonts.options())
        .map_err(|e| Error::Failed(format!("drawing a sheet: {e}")))?;
    let scale = tiny_skia::Transform::from_scale(
        pixmap.width() as f32 / tree.size().width(),
        pixmap.height() as f32 / tree.size().height(),
    );
    resvg::render(&tree, scale, &mut pixmap.as_mut());
    Ok(())
}

impl Picture {
    /// Cells with a colour other than white or bare ground below an area of the paper.
    pub(super) fn inked(&self, area: [f32; 4]) -> usize {
        let [w, n, e, s] = self.area;
        let range = |from: f32, to: f32, low: f32, high: f32, of: usize| {
            let at = |v: f32| ((v - low) / (high - low) * of as f32).clamp(0.0, of as f32) as usize;
            at(from)..at(to)
        };
        let rows = range(area[1], area[3], n, s, self.rows);
        let cols = range(area[0], area[2], w, e, self.cols);
        let ground = |c: &[u8]| {
            c.iter()
                .zip(&GROUND)
                .all(|(a, g)| u32::from(*a) * 255 >= u32::from(*g) * 180)
                && c.iter()
                    .max()
                    .zip(c.iter().min())
                    .is_none_or(|(a, b)| a - b < 9)
        };
        rows.map(|r| {
            self.rgb[3 * (r * self.cols + cols.start)..3 * (r * self.cols + cols.end)]
                .chunks_exact(3)
                .filter(|c| !ground(c))
                .count()
        })
        .sum()
    }
}
