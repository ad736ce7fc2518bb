//! An SVG in the making, in millimetres, that remembers where its letters stand.

use super::text::{Fonts, escape};
use anlan_engine::Result;
use std::fmt::Write as _;

/// Where letters of a sheet stand.
#[derive(Debug, Clone, PartialEq)]
pub struct TextBox {
    /// The letters.
    pub text: String,
    /// What they belong to: `title`, `legend`, `label`, `graticule`, …
    pub role: &'static str,
    /// West, north, east and south edge, mm from the upper left corner of the sheet.
    pub area: [f32; 4],
}

/// Height of letters above the baseline, and depth below it, per font size.
pub(super) const ASCENT: f32 = 0.88;
pub(super) const DESCENT: f32 = 0.14;

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Font size, mm.
    pub size: f32,
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
    /// Colour.
    pub colour: &'static str,
    /// Width of a white edge around the letters, mm; 0 for none.
    pub halo: f32,
    /// Width by which letters are made heavier, mm: the font has one weight.
    pub heavy: f32,
}

impl Style {
    pub const fn new(size: f32, anchor: &'static str) -> Style {
        Style {
            size,
            anchor,
            colour: "#111",
            halo: 0.0,
            heavy: 0.0,
        }
    }

    pub const fn colour(self, colour: &'static str) -> Style {
        Style { colour, ..self }
    }
}

/// An SVG in the making.
pub(super) struct Canvas<'a> {
    pub out: String,
    pub texts: Vec<TextBox>,
    pub fonts: &'a Fonts,
}

impl<'a> Canvas<'a> {
    pub fn new(fonts: &'a Fonts) -> Self {
        Canvas {
            out: String::new(),
            texts: Vec::new(),
            fonts,
        }
    }

    /// Area of letters set at a point.
    pub fn area(&self, x: f32, y: f32, style: &Style, text: &str) -> [f32; 4] {
        let width = self.fonts.width(text, style.size);
        let west = match style.anchor {
            "middle" => x - width / 2.0,
            "end" => x - width,
            _ => x,
        };
        [
            west,
            y - ASCENT * style.size,
            west + width,
            y + DESCENT * style.size,
        ]
    }

    /// Letters on a baseline; refuses characters that no font has.
    pub fn text(
        &mut self,
        role: &'static str,
        x: f32,
        y: f32,
        style: Style,
        text: &str,
    ) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.fonts.require(text)?;
        let area = self.area(x, y, &style, text);
        self.texts.push(TextBox {
            text: text.to_string(),
            role,
            area,
        });
        self.letters(&format!("x=\"{x:.2}\" y=\"{y:.2}\""), style, text);
        Ok(())
    }

    /// Letters that run upwards, centred on a point of their middle line.
    pub fn upright(
        &mut self,
        role: &'static str,
        x: f32,
        y: f32,
        style: Style,
        text: &str,
    ) -> Result<()> {
        self.fonts.require(text)?;
        let half = self.fonts.width(text, style.size) / 2.0;
        let middle = 0.5 * (ASCENT - DESCENT) * style.size;
        self.texts.push(TextBox {
            text: text.to_string(),
            role,
            area: [
                x - 0.5 * style.size,
                y - half,
                x + 0.5 * style.size,
                y + half,
            ],
        });
        self.letters(
            &format!(
                "transform=\"translate({:.2} {y:.2}) rotate(-90)\"",
                x + middle
            ),
            style,
            text,
        );
        Ok(())
    }

    fn letters(&mut self, place: &str, style: Style, text: &str) {
        let mut more = String::new();
        if style.halo > 0.0 {
            let _ = write!(
                more,
                " stroke=\"#fff\" stroke-width=\"{:.2}\" stroke-linejoin=\"round\" paint-order=\"stroke\"",
                style.halo
            );
        } else if style.heavy > 0.0 {
            let _ = write!(
                more,
                " stroke=\"{}\" stroke-width=\"{:.2}\" stroke-linejoin=\"round\"",
                style.colour, style.heavy
            );
        }
        let _ = write!(
            self.out,
            "<text {place} font-size=\"{:.2}\" text-anchor=\"{}\" fill=\"{}\"{more}>{}</text>",
            style.size,
            style.anchor,
            style.colour,
            escape(text)
        );
    }

    /// A rectangle.
    pub fn rect(&mut self, area: [f32; 4], fill: &str, stroke: &str, width: f32) {
        let [w, n, e, s] = area;
        let edge = if width > 0.0 {
            format!(" stroke=\"{stroke}\" stroke-width=\"{width:.2}\"")
        } else {
            String::new()
        };
        let _ = write!(
            self.out,
            "<rect x=\"{w:.2}\" y=\"{n:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{fill}\"{edge}/>",
            e - w,
            s - n
        );
    }

    /// A straight line.
    pub fn line(&mut self, a: (f32, f32), b: (f32, f32), colour: &str, width: f32, dash: &str) {
        let dash = dash_attribute(dash);
        let _ = write!(
            self.out,
            "<line x1=\"{:.2}\" y1=\"{:.2}\" x2=\"{:.2}\" y2=\"{:.2}\" stroke=\"{colour}\" stroke-width=\"{width:.2}\"{dash}/>",
            a.0, a.1, b.0, b.1
        );
    }

    /// Another canvas, moved.
    pub fn place(&mut self, other: Canvas<'_>, x: f32, y: f32) {
        let _ = write!(
            self.out,
            "<g transform=\"translate({x:.2} {y:.2})\">{}</g>",
            other.out
        );
        self.texts.extend(other.texts.into_iter().map(|mut t| {
            t.area = [t.area[0] + x, t.area[1] + y, t.area[2] + x, t.area[3] + y];
            t
        }));
    }
}

/// The attribute of a dash pattern; none for a solid line.
pub(super) fn dash_attribute(dash: &str) -> String {
    if dash.is_empty() {
        String::new()
    } else {
        format!(" stroke-dasharray=\"{dash}\"")
    }
}

/// True where two areas share more than their edges.
pub(super) fn overlap(a: &[f32; 4], b: &[f32; 4]) -> bool {
    a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1]
}
