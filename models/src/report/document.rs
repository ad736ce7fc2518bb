//! What a report holds, whatever it is written to.

use crate::cartography::{Colour, Fonts, SheetLanguage};
use anlan_engine::Result;

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Language of the furniture: names of tables and figures, contents, page numbers.
    pub language: SheetLanguage,
    /// Title on the cover.
    pub title: String,
    /// Line below it.
    pub subtitle: String,
    /// Short title in the header of each page.
    pub running_title: String,
    /// Lines at the foot of the cover as (name, text): producer, date, release.
    pub cover: Vec<(String, String)>,
    /// Marks in red on the cover and in the header: synthetic, screening.
    pub marks: Vec<String>,
    /// True where a table of contents follows the cover; without it, the title stands on the first page of the text.
    pub contents: bool,
    /// The text.
    pub blocks: Vec<Block>,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading of level 1 to 3.
    Heading {
        /// 1 chapter, 2 section, 3 paragraph heading.
        level: u8,
        /// Text without number.
        text: String,
        /// False for a summary or appendix that carries no number.
        numbered: bool,
    },
    /// A paragraph.
    Paragraph(String),
    /// A small note: sources, columns, caveats.
    Note(String),
    /// Items of a list; numbered where `ordered`.
    List {
        /// Numbered or with dots.
        ordered: bool,
        /// Items.
        items: Vec<String>,
    },
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
    /// What follows begins a page.
    PageBreak,
}

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Short words and grades.
    Centre,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Heading, with the unit.
    pub head: String,
    /// Alignment.
    pub align: Align,
    /// Share of the width relative to the other columns.
    pub weight: f32,
}

impl Column {
    /// A column of text.
    pub fn text(head: impl Into<String>, weight: f32) -> Self {
        Column::new(head, Align::Left, weight)
    }

    /// A column of short words.
    pub fn word(head: impl Into<String>, weight: f32) -> Self {
        Column::new(head, Align::Centre, weight)
    }

    /// A column of numbers.
    pub fn number(head: impl Into<String>, weight: f32) -> Self {
        Column::new(head, Align::Right, weight)
    }

    fn new(head: impl Into<String>, align: Align, weight: f32) -> Self {
        Column {
            head: head.into(),
            align,
            weight,
        }
    }
}

/// A cell; a fill never carries meaning alone, its text says the same.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// Text.
    pub text: String,
    /// Colour behind it.
    pub fill: Option<Colour>,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell {
            text: text.into(),
            fill: None,
        }
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Caption without number.
    pub caption: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows, one cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// Note below: the file and the columns that the figures come from.
    pub note: String,
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Caption without number; also the text for those who cannot see it.
    pub caption: String,
    /// The picture as PNG.
    pub png: Vec<u8>,
    /// Width as a share of the text width, 0..=1.
    pub width: f32,
    /// Note below.
    pub note: String,
}

/// Width and height of a PNG in pixels; `None` where the bytes are no PNG.
pub fn png_size(png: &[u8]) -> Option<(u32, u32)> {
    if png.len() < 24 || png[..8] != *b"\x89PNG\r\n\x1a\n" || png[12..16] != *b"IHDR" {
        return None;
    }
    let at = |i: usize| u32::from_be_bytes([png[i], png[i + 1], png[i + 2], png[i + 3]]);
    Some((at(16), at(20))).filter(|(w, h)| *w > 0 && *h > 0)
}

/// A block with its number as printed: `2.1` of a heading, `表 2-1` of a table; empty where it has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbered<'a> {
    /// The block.
    pub block: &'a Block,
    /// Chapter, section, paragraph, or the number within the chapter; 0 where not counted.
    counts: [u16; 3],
    language: SheetLanguage,
}

impl Numbered<'_> {
    /// The number as printed.
    pub fn number(&self) -> String {
        let [a, b, c] = self.counts;
        match self.block {
            Block::Heading {
                numbered: false, ..
            } => String::new(),
            Block::Heading { level: 1, .. } => format!("{a}"),
            Block::Heading { level: 2, .. } => format!("{a}.{b}"),
            Block::Heading { .. } => format!("{a}.{b}.{c}"),
            Block::Table(_) => self.titled(["表", "Table"]),
            Block::Figure(_) => self.titled(["图", "Figure"]),
            _ => String::new(),
        }
    }

    /// Number and text of a heading, table or figure in one line; empty for other blocks.
    pub fn title(&self) -> String {
        let text = match self.block {
            Block::Heading { text, .. } => text,
            Block::Table(table) => &table.caption,
            Block::Figure(figure) => &figure.caption,
            _ => return String::new(),
        };
        match self.number() {
            number if number.is_empty() => text.clone(),
            // Spaces that no renderer collapses.
            number if self.language == SheetLanguage::Zh => format!("{number}\u{3000}{text}"),
            number => format!("{number}\u{a0}\u{a0}{text}"),
        }
    }

    fn titled(&self, words: [&str; 2]) -> String {
        let word = words[usize::from(self.language == SheetLanguage::En)];
        let [chapter, n, _] = self.counts;
        if chapter == 0 {
            format!("{word}\u{a0}{n}")
        } else {
            format!("{word}\u{a0}{chapter}-{n}")
        }
    }
}

impl Document {
    /// The blocks with their numbers: headings through the document, tables and figures within their chapter.
    pub fn numbered(&self) -> Vec<Numbered<'_>> {
        let mut heads = [0_u16; 3];
        // Tables and figures of the chapter, and of all chapters without a number, which count on.
        let (mut inside, mut apart) = ([0_u16; 2], [0_u16; 2]);
        let mut chapter = 0;
        self.blocks
            .iter()
            .map(|block| {
                let mut count = |kind: usize| {
                    let counts = if chapter > 0 { &mut inside } else { &mut apart };
                    counts[kind] += 1;
                    [chapter, counts[kind], 0]
                };
                let counts = match block {
                    Block::Heading {
                        level, numbered, ..
                    } => {
                        let k = usize::from((*level).clamp(1, 3) - 1);
                        if *numbered {
                            heads[k] += 1;
                            heads[k + 1..].fill(0);
                        }
                        if k == 0 {
                            chapter = if *numbered { heads[0] } else { 0 };
                            inside = [0; 2];
                        }
                        heads
                    }
                    Block::Table(_) => count(0),
                    Block::Figure(_) => count(1),
                    _ => [0; 3],
                };
                Numbered {
                    block,
                    counts,
                    language: self.language,
                }
            })
            .collect()
    }

    /// Refuses a document with a character that no font has, before anything is drawn.
    ///
    /// # Errors
    /// Names the characters and the text.
    pub fn require_glyphs(&self, fonts: &Fonts) -> Result<()> {
        let mut texts: Vec<&str> = vec![&self.title, &self.subtitle, &self.running_title];
        texts.extend(self.cover.iter().flat_map(|(a, b)| [a.as_str(), b]));
        texts.extend(self.marks.iter().map(String::as_str));
        for block in &self.blocks {
            match block {
                Block::Heading { text, .. } | Block::Paragraph(text) | Block::Note(text) => {
                    texts.push(text);
                }
                Block::List { items, .. } => texts.extend(items.iter().map(String::as_str)),
                Block::Table(t) => {
                    texts.extend([t.caption.as_str(), &t.note]);
                    texts.extend(t.columns.iter().map(|c| c.head.as_str()));
                    texts.extend(t.rows.iter().flatten().map(|c| c.text.as_str()));
                }
                Block::Figure(f) => texts.extend([f.caption.as_str(), &f.note]),
                Block::PageBreak => {}
            }
        }
        texts.into_iter().try_for_each(|text| fonts.require(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(level: u8, numbered: bool) -> Block {
        Block::Heading {
            level,
            text: "x".into(),
            numbered,
        }
    }

    fn table() -> Block {
        Block::Table(Table {
            caption: "t".into(),
            columns: Vec::new(),
            rows: Vec::new(),
            note: String::new(),
        })
    }

    #[test]
    fn headings_and_tables_are_numbered_by_chapter() {
        let document = Document {
            language: SheetLanguage::Zh,
            title: String::new(),
            subtitle: String::new(),
            running_title: String::new(),
            cover: Vec::new(),
            marks: Vec::new(),
            contents: true,
            blocks: vec![
                heading(1, false),
                table(),
                heading(1, true),
                table(),
                heading(2, true),
                table(),
                heading(3, true),
                heading(2, true),
                heading(1, true),
                heading(2, true),
                table(),
                heading(1, false),
                table(),
            ],
        };
        let numbers: Vec<String> = document.numbered().iter().map(Numbered::number).collect();
        assert_eq!(
            numbers,
            [
                "",
                "表\u{a0}1",
                "1",
                "表\u{a0}1-1",
                "1.1",
                "表\u{a0}1-2",
                "1.1.1",
                "1.2",
                "2",
                "2.1",
                "表\u{a0}2-1",
                "",
                "表\u{a0}2"
            ]
        );
    }

    #[test]
    fn a_png_tells_its_size() {
        let png = tiny();
        assert_eq!(png_size(&png), Some((3, 2)));
        assert_eq!(png_size(b"GIF89a"), None);
    }

    fn tiny() -> Vec<u8> {
        resvg::tiny_skia::Pixmap::new(3, 2)
            .unwrap()
            .encode_png()
            .unwrap()
    }
}
