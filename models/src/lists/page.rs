//! Pages of text and tables as SVG (预警提示单 and the like): A4 portrait, broken over as many pages as they need.

use crate::cartography::text::escape;
use crate::cartography::{Colour, Fonts};
use anlan_engine::{Error, Result};
use resvg::{tiny_skia, usvg};
use std::fmt::Write as _;

/// A4 portrait at 200 dpi, px.
pub const WIDTH: f32 = 1654.0;
/// Height, px.
pub const HEIGHT: f32 = 2338.0;
const MARGIN: f32 = 120.0;
const TOP: f32 = 95.0;
const FOOT: f32 = 105.0;
const BODY: f32 = 25.0;
const LEADING: f32 = 1.42;

/// A part of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A bar of a colour with a text in it.
    Banner {
        /// The text.
        text: String,
        /// The colour.
        colour: Colour,
    },
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Lines with a number before each.
    List(Vec<String>),
    /// A table; widths are shares of the page.
    Table {
        /// Headings with their widths.
        columns: Vec<(String, f32)>,
        /// Rows.
        rows: Vec<Vec<String>>,
    },
}

/// A document: what stands on its pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Title.
    pub title: String,
    /// Line below the title.
    pub subtitle: String,
    /// Marks in red below that: synthetic, screening.
    pub marks: Vec<String>,
    /// Parts.
    pub blocks: Vec<Block>,
    /// Left foot of every page.
    pub foot: String,
}

/// Lays a document out; one SVG for each page.
///
/// # Errors
/// A character that no font has.
pub fn pages(document: &Document, fonts: &Fonts) -> Result<Vec<String>> {
    let mut p = Pen {
        fonts,
        done: Vec::new(),
        svg: String::new(),
        y: TOP,
    };
    p.text(
        WIDTH / 2.0,
        p.y + 30.0,
        48.0,
        "middle",
        "#000",
        &document.title,
    )?;
    p.y += 75.0;
    p.text(
        WIDTH / 2.0,
        p.y + 14.0,
        26.0,
        "middle",
        "#333",
        &document.subtitle,
    )?;
    p.y += 42.0;
    for mark in &document.marks {
        p.text(WIDTH / 2.0, p.y + 14.0, 24.0, "middle", "#b01818", mark)?;
        p.y += 36.0;
    }
    p.y += 12.0;
    for block in &document.blocks {
        p.block(block)?;
    }
    p.turn();
    let count = p.done.len();
    let mut out = Vec::with_capacity(count);
    for (n, body) in std::mem::take(&mut p.done).into_iter().enumerate() {
        p.svg.clear();
        p.text(MARGIN, HEIGHT - 60.0, 21.0, "start", "#444", &document.foot)?;
        let number = format!("{} / {count}", n + 1);
        p.text(WIDTH - MARGIN, HEIGHT - 60.0, 21.0, "end", "#444", &number)?;
        out.push(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"{}\"><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>{body}{}</svg>",
            escape(fonts.family()),
            p.svg
        ));
    }
    Ok(out)
}

/// A page as PNG, `scale` times 200 dpi.
///
/// # Errors
/// An SVG that cannot be drawn.
pub fn png(svg: &str, fonts: &Fonts, scale: f32) -> Result<Vec<u8>> {
    let tree = usvg::Tree::from_str(svg, &fonts.options())
        .map_err(|e| Error::Failed(format!("drawing a sheet: {e}")))?;
    let (w, h) = ((WIDTH * scale) as u32, (HEIGHT * scale) as u32);
    let mut pixmap = tiny_skia::Pixmap::new(w, h)
        .ok_or_else(|| Error::Failed("a sheet of this size cannot be allocated".into()))?;
    pixmap.fill(tiny_skia::Color::WHITE);
    let size = tree.size();
    let transform =
        tiny_skia::Transform::from_scale(w as f32 / size.width(), h as f32 / size.height());
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    pixmap
        .encode_png()
        .map_err(|e| Error::Failed(format!("encoding a map: {e}")))
}

/// Where the next line goes.
struct Pen<'a> {
    fonts: &'a Fonts,
    /// Finished pages.
    done: Vec<String>,
    svg: String,
    y: f32,
}

impl Pen<'_> {
    fn text(
        &mut self,
        x: f32,
        y: f32,
        size: f32,
        anchor: &str,
        fill: &str,
        text: &str,
    ) -> Result<()> {
        self.fonts.require(text)?;
        let _ = write!(
            self.svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{}</text>",
            escape(text)
        );
        Ok(())
    }

    fn rect(&mut self, x: f32, y: f32, w: f32, h: f32, fill: &str, stroke: &str) {
        let _ = write!(
            self.svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.2\"/>"
        );
    }

    /// Ends the page.
    fn turn(&mut self) {
        self.done.push(std::mem::take(&mut self.svg));
        self.y = TOP;
    }

    /// Makes room; true where that took a new page.
    fn room(&mut self, height: f32) -> bool {
        let full = self.y + height > HEIGHT - FOOT && self.y > TOP;
        if full {
            self.turn();
        }
        full
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        let width = WIDTH - 2.0 * MARGIN;
        match block {
            Block::Banner { text, colour } => {
                self.room(110.0);
                let [r, g, b] = colour.0.map(f32::from);
                let ink = if 0.299 * r + 0.587 * g + 0.114 * b > 140.0 {
                    "#000"
                } else {
                    "#fff"
                };
                self.rect(MARGIN, self.y, width, 84.0, &colour.hex(), "#000");
                self.text(WIDTH / 2.0, self.y + 56.0, 40.0, "middle", ink, text)?;
                self.y += 98.0;
            }
            Block::Heading(text) => {
                // A heading stays with the lines below it.
                self.room(150.0);
                self.y += 8.0;
                self.rect(MARGIN, self.y + 2.0, 10.0, 36.0, "#1f4e79", "none");
                self.text(MARGIN + 24.0, self.y + 32.0, 33.0, "start", "#1f4e79", text)?;
                self.y += 50.0;
            }
            Block::Text(text) => self.lines(text, MARGIN, width)?,
            Block::List(items) => {
                for (n, item) in items.iter().enumerate() {
                    self.room(BODY * LEADING);
                    let y = self.y + BODY;
                    self.text(
                        MARGIN + 8.0,
                        y,
                        BODY,
                        "start",
                        "#000",
                        &format!("{}.", n + 1),
                    )?;
                    self.lines(item, MARGIN + 56.0, width - 56.0)?;
                }
                self.y += 6.0;
            }
            Block::Table { columns, rows } => self.table(columns, rows)?,
        }
        Ok(())
    }

    fn lines(&mut self, text: &str, x: f32, width: f32) -> Result<()> {
        for line in self.fonts.wrap(text, BODY, width) {
            self.room(BODY * LEADING);
            let y = self.y + BODY;
            self.text(x, y, BODY, "start", "#000", &line)?;
            self.y += BODY * LEADING;
        }
        self.y += 4.0;
        Ok(())
    }

    fn table(&mut self, columns: &[(String, f32)], rows: &[Vec<String>]) -> Result<()> {
        let all: f32 = columns.iter().map(|c| c.1).sum();
        let widths: Vec<f32> = columns
            .iter()
            .map(|c| c.1 / all * (WIDTH - 2.0 * MARGIN))
            .collect();
        let head: Vec<String> = columns.iter().map(|c| c.0.clone()).collect();
        self.row(&head, &widths, true)?;
        for row in rows {
            let height = self.height(row, &widths);
            if self.room(height) {
                self.row(&head, &widths, true)?;
            }
            self.row(row, &widths, false)?;
        }
        self.y += 8.0;
        Ok(())
    }

    fn height(&self, row: &[String], widths: &[f32]) -> f32 {
        let lines = row
            .iter()
            .zip(widths)
            .map(|(text, w)| self.fonts.wrap(text, CELL, w - 20.0).len())
            .max();
        lines.unwrap_or(1) as f32 * CELL * 1.35 + 14.0
    }

    fn row(&mut self, row: &[String], widths: &[f32], head: bool) -> Result<()> {
        let height = self.height(row, widths);
        self.room(height);
        let (mut x, y) = (MARGIN, self.y);
        for (text, &w) in row.iter().zip(widths) {
            self.rect(
                x,
                y,
                w,
                height,
                if head { "#e3ecf5" } else { "#fff" },
                "#777",
            );
            for (n, line) in self.fonts.wrap(text, CELL, w - 20.0).iter().enumerate() {
                let at = y + 8.0 + CELL * (0.95 + 1.35 * n as f32);
                self.text(x + 10.0, at, CELL, "start", "#000", line)?;
            }
            x += w;
        }
        self.y += height;
        Ok(())
    }
}

/// Font size in tables, px.
const CELL: f32 = 21.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_goes_on_with_its_heading() {
        let fonts = Fonts::embedded();
        let document = Document {
            title: "洪涝灾害预警提示单".into(),
            subtitle: "婺城区".into(),
            marks: vec!["含合成数据".into()],
            blocks: vec![
                Block::Banner {
                    text: "红色".into(),
                    colour: Colour([255, 0, 0]),
                },
                Block::Heading("一、情景".into()),
                Block::Text("100年一遇设计暴雨。".repeat(30)),
                Block::Table {
                    columns: vec![("地点".into(), 2.0), ("人数".into(), 1.0)],
                    rows: (0..90)
                        .map(|n| vec![format!("第{n}点"), n.to_string()])
                        .collect(),
                },
                Block::List(vec!["转移人员".into()]),
            ],
            foot: "安澜".into(),
        };
        let made = pages(&document, &fonts).unwrap();
        assert!((2..=4).contains(&made.len()));
        let tables = made.iter().filter(|svg| svg.contains("点<")).count();
        let heads = made.iter().filter(|svg| svg.contains(">地点<")).count();
        assert!(heads == tables && heads >= 2, "{heads} of {tables}");
        let rows: usize = (0..90)
            .filter(|n| made.iter().any(|svg| svg.contains(&format!(">第{n}点<"))))
            .count();
        assert_eq!(rows, 90);
        let last = made.last().unwrap();
        assert!(last.contains(&format!(">{0} / {0}<", made.len())) && last.contains("转移人员"));
        // Nothing stands below the foot: every line keeps within the page.
        for svg in &made {
            let lowest = svg
                .split(" y=\"")
                .skip(1)
                .filter_map(|s| s.split('"').next()?.parse::<f32>().ok())
                .fold(0.0, f32::max);
            assert!(lowest < HEIGHT - 50.0, "{lowest}");
        }
        let picture = png(&made[0], &fonts, 0.25).unwrap();
        assert_eq!(&picture[1..4], b"PNG");
        assert!(
            pages(
                &Document {
                    title: "龘".into(),
                    ..document
                },
                &fonts
            )
            .is_err()
        );
    }
}
