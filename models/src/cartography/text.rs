//! Text of maps and charts: the embedded font, further fonts, widths, and the refusal of missing glyphs.

use anlan_engine::{Error, Fault, Result};
use resvg::usvg;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use std::path::Path;
use std::sync::Arc;

const EMBEDDED: &[u8] = include_bytes!("../../assets/font/AnlanMapSans-Regular.otf");

/// Fonts, in the order in which they are asked for a glyph: those the user gave, then the embedded one.
#[derive(Debug, Clone)]
pub struct Fonts {
    data: Vec<Arc<Vec<u8>>>,
    database: Arc<usvg::fontdb::Database>,
    family: String,
}

impl Fonts {
    /// The embedded font alone.
    ///
    /// # Panics
    /// Never: a test loads it.
    pub fn embedded() -> Self {
        Fonts::with_files(&[]).expect("the embedded font loads, as a test shows")
    }

    /// The embedded font behind some font files (`--font`).
    ///
    /// # Errors
    /// A file that cannot be read or holds no font.
    pub fn with_files(files: &[&Path]) -> Result<Self> {
        let mut data = Vec::new();
        for file in files {
            let bytes = std::fs::read(file).map_err(|e| Error::io("reading", file, e))?;
            if FontRef::from_index(&bytes, 0).is_err() {
                return Err(Error::input(Fault::new(
                    file,
                    "no font",
                    "an OpenType or TrueType font",
                    "give a .otf, .ttf or .ttc file",
                )));
            }
            data.push(Arc::new(bytes));
        }
        data.push(Arc::new(EMBEDDED.to_vec()));
        let mut database = usvg::fontdb::Database::new();
        for bytes in &data {
            database.load_font_source(usvg::fontdb::Source::Binary(bytes.clone()));
        }
        let family = database
            .faces()
            .next()
            .and_then(|face| face.families.first())
            .map(|(name, _)| name.clone())
            .unwrap_or_default();
        Ok(Fonts {
            data,
            database: Arc::new(database),
            family,
        })
    }

    /// Family name for the SVG.
    pub fn family(&self) -> &str {
        &self.family
    }

    /// Options for the SVG renderer with these fonts and no others.
    pub fn options(&self) -> usvg::Options<'static> {
        usvg::Options {
            fontdb: self.database.clone(),
            font_family: self.family.clone(),
            ..usvg::Options::default()
        }
    }

    fn advance(&self, c: char, size: f32) -> Option<f32> {
        self.data.iter().find_map(|bytes| {
            let font = FontRef::from_index(bytes, 0).ok()?;
            let glyph = font.charmap().map(c)?;
            font.glyph_metrics(Size::new(size), LocationRef::default())
                .advance_width(glyph)
        })
    }

    /// Width of a text at a font size, px.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars()
            .map(|c| self.advance(c, size).unwrap_or(size))
            .sum()
    }

    /// Refuses a text with a character that no font has.
    ///
    /// # Errors
    /// Names the characters.
    pub fn require(&self, text: &str) -> Result<()> {
        let mut missing: Vec<char> = text
            .chars()
            .filter(|&c| c != '\n' && self.advance(c, 16.0).is_none())
            .collect();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = missing
            .iter()
            .map(|c| format!("{c} (U+{:04X})", *c as u32))
            .collect();
        Err(Error::input(Fault::new(
            "map text",
            format!("`{text}` with {}", list.join(", ")),
            "characters of the embedded map font",
            "add a font that has them with --font FILE",
        )))
    }

    /// Breaks a text into lines no wider than `width`; breaks at spaces of Latin text and between any two hanzi.
    pub fn wrap(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let mut line = String::new();
            for word in words(paragraph) {
                let candidate = format!("{line}{word}");
                if !line.is_empty() && self.width(candidate.trim_end(), size) > width {
                    lines.push(line.trim_end().to_string());
                    line = word.trim_start().to_string();
                } else {
                    line = candidate;
                }
            }
            lines.push(line.trim_end().to_string());
        }
        lines
    }
}

/// Pieces between which a line may break: after spaces, and around every character of a wide script, but never
/// before closing punctuation.
fn words(text: &str) -> Vec<String> {
    let wide = |c: char| c as u32 >= 0x2E80;
    let closing = |c: char| "，。；：、！？）》」』】%".contains(c);
    let mut out: Vec<String> = Vec::new();
    let mut previous: Option<char> = None;
    for c in text.chars() {
        let breaks = match previous {
            None => true,
            Some(p) => !closing(c) && (p == ' ' || wide(p) || wide(c)),
        };
        if breaks {
            out.push(String::new());
        }
        if let Some(last) = out.last_mut() {
            last.push(c);
        }
        previous = Some(c);
    }
    out
}

/// Text with the characters that XML reserves escaped.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_font_has_the_words_of_the_census() {
        let fonts = Fonts::embedded();
        fonts
            .require("金华市洪涝灾害危险性等级图 婺城区 浦江县 磐安县 100年一遇 ≥0.5 m 高 较高 中 较低 低 ㎡ ° ′")
            .unwrap();
        assert!(fonts.width("洪涝", 20.0) > 39.0);
    }

    #[test]
    fn a_missing_glyph_is_an_error_that_names_it() {
        let message = Fonts::embedded().require("龘").unwrap_err().to_string();
        assert!(
            message.contains("U+9F98") && message.contains("--font"),
            "{message}"
        );
    }

    #[test]
    fn lines_break_between_hanzi_but_not_before_a_comma() {
        let fonts = Fonts::embedded();
        let lines = fonts.wrap("合成地形，筛查方法", 20.0, 85.0);
        assert!(lines.iter().all(|l| !l.starts_with('，')), "{lines:?}");
        assert!(lines.len() >= 2);
    }
}
