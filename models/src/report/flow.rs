//! Blocks as pieces that stand on pages one below the other: lines of text, rows of tables, figures. Each piece is drawn in its
//! own system, from the left edge of the text and its own top, in points.

use super::document::{Align, Block, Cell, Document, Figure, Numbered, Table, png_size};
use super::lines::{Line, Measure, is_wide};
use crate::cartography::SheetLanguage;
use crate::cartography::text::escape;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::rc::Rc;

/// Width of the text on A4 with margins of 24 mm.
pub(super) const TEXT_WIDTH: f32 = 459.0;
/// Height of the text.
pub(super) const TEXT_HEIGHT: f32 = 692.0;

const BODY: f32 = 10.5;
const LEADING: f32 = 17.5;
const SMALL: f32 = 8.0;
const SMALL_LEADING: f32 = 11.5;
const INK: &str = "#1c1c1c";
const FAINT: &str = "#555";
pub(super) const BLUE: &str = "#1f3a5f";
const RULE: &str = "#1f3a5f";

/// A piece of a page.
pub(super) struct Piece {
    /// Height without the space before.
    pub height: f32,
    /// Space before it, dropped at the top of a page.
    pub space: f32,
    /// It must not be the last of its page.
    pub keep_next: bool,
    /// It begins a page, or, where it begins a chapter, goes on where little of the page is used.
    pub new_page: bool,
    /// What it draws.
    pub drawn: Drawn,
    /// Drawn above it where it begins a page in the middle of a table.
    pub repeat: Option<Rc<(f32, String)>>,
    /// Heading of level 1 or 2 with its title, for the contents and the header.
    pub entry: Option<(u8, String)>,
}

/// What a piece draws.
pub(super) enum Drawn {
    /// SVG.
    Svg(String),
    /// A picture that may be made a little smaller to fit: width, height, its file as a link, caption and note below.
    Picture {
        /// Width, pt.
        width: f32,
        /// Height, pt.
        height: f32,
        /// `data:` link.
        link: Rc<String>,
        /// Caption and note.
        below: (f32, String),
    },
}

impl Piece {
    fn new(height: f32, space: f32, svg: String) -> Piece {
        Piece {
            height,
            space,
            keep_next: false,
            new_page: false,
            drawn: Drawn::Svg(svg),
            repeat: None,
            entry: None,
        }
    }
}

/// A text element; `justify` stretches it to this width where little is missing.
pub(super) fn text(x: f32, y: f32, size: f32, colour: &str, content: &str) -> String {
    format!(
        "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" fill=\"{colour}\">{}</text>",
        escape(content)
    )
}

/// A text that ends at `x`, or is centred on it.
pub(super) fn anchored(
    anchor: &str,
    x: f32,
    y: f32,
    size: f32,
    colour: &str,
    content: &str,
) -> String {
    format!(
        "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" fill=\"{colour}\" text-anchor=\"{anchor}\">{}</text>",
        escape(content)
    )
}

/// A line of a paragraph spread to the width of the text, unless it is the last or too short.
fn justified(line: &Line, x: f32, y: f32, size: f32, width: f32) -> String {
    let missing = width - line.width;
    let chars = line.text.chars().count();
    let wide = line.text.chars().filter(|c| is_wide(*c)).count();
    let spaces = line.text.matches(' ').count();
    let (kind, gaps, most) = if 2 * wide > chars {
        ("letter", chars.saturating_sub(1), 0.2 * size)
    } else {
        ("word", spaces, 0.8 * size)
    };
    let each = missing / gaps.max(1) as f32;
    if line.last || gaps == 0 || missing <= 0.05 || each > most {
        return text(x, y, size, INK, &line.text);
    }
    format!(
        "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" fill=\"{INK}\" {kind}-spacing=\"{each:.4}\">{}</text>",
        escape(&line.text)
    )
}

fn rule(y: f32, width: f32, colour: &str, thickness: f32) -> String {
    format!(
        "<line x1=\"0\" y1=\"{y:.2}\" x2=\"{width:.2}\" y2=\"{y:.2}\" stroke=\"{colour}\" stroke-width=\"{thickness}\"/>"
    )
}

/// All pieces of a document in order.
pub(super) fn pieces(document: &Document, measure: &Measure<'_>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut new_page = false;
    for (i, numbered) in document.numbered().into_iter().enumerate() {
        let before = out.len();
        match numbered.block {
            Block::Heading { level, .. } => {
                heading(&mut out, &numbered, *level, document, measure);
                // A chapter begins a page, but a report without contents is short and runs on.
                if *level == 1 && document.contents && i > 0 {
                    new_page = true;
                }
            }
            Block::Paragraph(content) => paragraph(&mut out, content, document.language, measure),
            Block::Note(content) => {
                // A note stays with what it belongs to.
                if let Some(piece) = out.last_mut() {
                    piece.keep_next = true;
                }
                out.extend(small(content, measure, 3.0));
            }
            Block::List { ordered, items } => list(&mut out, *ordered, items, measure),
            Block::Table(table) => self::table(&mut out, table, &numbered, document, measure),
            Block::Figure(figure) => picture(&mut out, figure, &numbered, measure),
            Block::PageBreak => new_page = true,
        }
        if new_page && out.len() > before {
            out[before].new_page = true;
            new_page = false;
        }
    }
    out
}

fn heading(
    out: &mut Vec<Piece>,
    numbered: &Numbered<'_>,
    level: u8,
    document: &Document,
    measure: &Measure<'_>,
) {
    let (size, leading, space) = match level {
        1 => (17.0, 24.0, 16.0),
        2 => (13.0, 19.0, 13.0),
        _ => (11.0, 17.0, 9.0),
    };
    let title = numbered.title();
    let lines = measure.wrap(&title, size, TEXT_WIDTH, 0.0);
    let mut svg = String::new();
    for (k, line) in lines.iter().enumerate() {
        let y = leading * k as f32 + 0.8 * leading;
        svg.push_str(&text(0.0, y, size, BLUE, &line.text));
    }
    let mut height = leading * lines.len() as f32;
    if level == 1 {
        svg.push_str(&rule(height + 2.0, TEXT_WIDTH, RULE, 1.2));
        height += 8.0;
    }
    let mut piece = Piece::new(height + 3.0, space, svg);
    piece.keep_next = true;
    if level <= 2 && document.contents {
        piece.entry = Some((level, title));
    }
    out.push(piece);
}

fn paragraph(out: &mut Vec<Piece>, content: &str, language: SheetLanguage, measure: &Measure<'_>) {
    // Chinese paragraphs begin two characters in; others are told apart by a space.
    let (indent, space) = if language == SheetLanguage::Zh {
        (2.0 * BODY, 4.0)
    } else {
        (0.0, 7.0)
    };
    let lines = measure.wrap(content, BODY, TEXT_WIDTH, indent);
    let n = lines.len();
    let mut begins = true;
    for (k, line) in lines.iter().enumerate() {
        let inset = if begins { indent } else { 0.0 };
        let svg = justified(line, inset, 0.76 * LEADING, BODY, TEXT_WIDTH - inset);
        let mut piece = Piece::new(LEADING, if k == 0 { space } else { 0.0 }, svg);
        // No first line alone at the foot, no last line alone at the head of a page.
        piece.keep_next = n > 1 && (k == 0 || k + 2 == n);
        out.push(piece);
        begins = line.last;
    }
    // What announces a list or a table stays with it.
    if content.ends_with(['：', ':'])
        && let Some(piece) = out.last_mut()
    {
        piece.keep_next = true;
    }
}

/// A note in small type, one piece.
fn small(content: &str, measure: &Measure<'_>, space: f32) -> Option<Piece> {
    let (height, svg) = small_lines(content, measure, TEXT_WIDTH)?;
    Some(Piece::new(height, space, svg))
}

fn small_lines(content: &str, measure: &Measure<'_>, width: f32) -> Option<(f32, String)> {
    if content.is_empty() {
        return None;
    }
    let lines = measure.wrap(content, SMALL, width, 0.0);
    let mut svg = String::new();
    for (k, line) in lines.iter().enumerate() {
        let y = SMALL_LEADING * k as f32 + 0.78 * SMALL_LEADING;
        svg.push_str(&text(0.0, y, SMALL, FAINT, &line.text));
    }
    Some((SMALL_LEADING * lines.len() as f32, svg))
}

fn list(out: &mut Vec<Piece>, ordered: bool, items: &[String], measure: &Measure<'_>) {
    let inset = 20.0;
    for (i, item) in items.iter().enumerate() {
        let lines = measure.wrap(item, BODY, TEXT_WIDTH - inset, 0.0);
        let n = lines.len();
        for (k, line) in lines.iter().enumerate() {
            let mut svg = justified(line, inset, 0.76 * LEADING, BODY, TEXT_WIDTH - inset);
            if k == 0 {
                let sign = if ordered {
                    format!("{}.", i + 1)
                } else {
                    "·".to_string()
                };
                svg.push_str(&text(6.0, 0.76 * LEADING, BODY, INK, &sign));
            }
            let mut piece = Piece::new(LEADING, if k == 0 { 2.0 } else { 0.0 }, svg);
            piece.keep_next = n > 1 && (k == 0 || k + 2 == n);
            out.push(piece);
        }
    }
}

/// Type sizes of tables, the first that has room.
const SIZES: [f32; 5] = [8.8, 8.2, 7.6, 7.0, 6.4];
/// Padding of a cell, pt.
const PAD: f32 = 3.5;
/// Lines of a row that are drawn as one piece: longer rows go on in the next.
const ROW_LINES: usize = 30;

fn table(
    out: &mut Vec<Piece>,
    table: &Table,
    numbered: &Numbered<'_>,
    document: &Document,
    measure: &Measure<'_>,
) {
    let (size, widths) = columns(table, measure);
    let leading = size * 1.38;
    let caption = |continued: bool| {
        let zh = document.language == SheetLanguage::Zh;
        let title = match (continued, zh) {
            (false, _) => numbered.title(),
            (true, true) => format!("续{}", numbered.title()),
            (true, false) => format!("{} (continued)", numbered.title()),
        };
        let lines = measure.wrap(&title, 9.5, TEXT_WIDTH, 0.0);
        let mut svg = String::new();
        for (k, line) in lines.iter().enumerate() {
            let y = 14.0 * k as f32 + 10.5;
            let x = TEXT_WIDTH / 2.0;
            svg.push_str(&anchored("middle", x, y, 9.5, BLUE, &line.text));
        }
        (14.0 * lines.len() as f32 + 3.0, svg)
    };
    let head: Vec<Cell> = table
        .columns
        .iter()
        .map(|c| Cell::from(c.head.clone()))
        .collect();
    let (head_height, head_svg) = {
        let mut parts = row(&head, table, &widths, size, leading, measure, true);
        let (height, svg) = parts.remove(0);
        let fill = format!(
            "<rect x=\"0\" y=\"0\" width=\"{TEXT_WIDTH}\" height=\"{height:.2}\" fill=\"#e9eef5\"/>"
        );
        let rules = rule(0.0, TEXT_WIDTH, RULE, 1.0) + &rule(height, TEXT_WIDTH, RULE, 0.6);
        (height, fill + &svg + &rules)
    };
    let headed = |continued: bool| {
        let (height, svg) = caption(continued);
        let body = format!("{svg}<g transform=\"translate(0 {height:.2})\">{head_svg}</g>");
        (height + head_height, body)
    };
    let (height, svg) = headed(false);
    let mut piece = Piece::new(height, 9.0, svg);
    piece.keep_next = true;
    out.push(piece);
    let repeat = Rc::new(headed(true));
    let first = out.len();
    let last = table.rows.len().saturating_sub(1);
    for (i, cells) in table.rows.iter().enumerate() {
        let parts = row(cells, table, &widths, size, leading, measure, false);
        let n = parts.len();
        for (k, (height, mut svg)) in parts.into_iter().enumerate() {
            if k + 1 == n {
                let (colour, thickness) = if i == last {
                    (RULE, 1.0)
                } else {
                    ("#c9d1db", 0.4)
                };
                svg.push_str(&rule(height, TEXT_WIDTH, colour, thickness));
            }
            let mut piece = Piece::new(height, 0.0, svg);
            piece.repeat = Some(repeat.clone());
            out.push(piece);
        }
    }
    // Neither the first row alone below the head nor the last alone on the next page; the note stays with the last.
    let rows = out.len() - first;
    if rows > 2 {
        out[first].keep_next = true;
        out[first + rows - 2].keep_next = true;
    }
    if let Some(note) = small(&table.note, measure, 2.5) {
        if let Some(piece) = out.last_mut() {
            piece.keep_next = true;
        }
        out.push(note);
    }
    if let Some(piece) = out.last_mut() {
        piece.height += 6.0;
    }
}

/// Type size and column widths: no column narrower than its short texts and its widest unbreakable part while there is room
/// (small type where they need it); what is left goes to columns whose text would like more, then by weight.
fn columns(table: &Table, measure: &Measure<'_>) -> (f32, Vec<f32>) {
    let n = table.columns.len();
    let widest = |column: usize, f: &dyn Fn(&str) -> f32| {
        let texts = table.rows.iter().map(|r| r[column].text.as_str());
        texts.fold(0.0_f32, |m, t| m.max(f(t)))
    };
    for size in SIZES {
        // Parts longer than this are paths and hashes, which may be broken.
        let most = 0.3 * TEXT_WIDTH;
        // A name of a few characters is read at a glance: it is not broken, though hanzi could be anywhere.
        let whole = |t: &str, ems: f32| {
            let width = measure.width(t, size);
            let short = width <= ems * size;
            if short {
                width
            } else {
                measure.widest_part(t, size)
            }
        };
        let least: Vec<f32> = (0..n)
            .map(|c| {
                let head = whole(&table.columns[c].head, 3.2);
                widest(c, &|t| whole(t, 7.0)).max(head).min(most) + 2.0 * PAD
            })
            .collect();
        let needed: f32 = least.iter().sum();
        if needed > TEXT_WIDTH && size > SIZES[SIZES.len() - 1] {
            continue;
        }
        let squeeze = (TEXT_WIDTH / needed).min(1.0);
        let spare = (TEXT_WIDTH - needed).max(0.0);
        let wish: Vec<f32> = (0..n)
            .map(|c| {
                let head = measure.width(&table.columns[c].head, size);
                let natural = widest(c, &|t| measure.width(t, size)).max(head);
                (natural + 2.0 * PAD - least[c]).max(0.0)
            })
            .collect();
        let wished: f32 = wish.iter().sum();
        let granted = if wished > spare { spare / wished } else { 1.0 };
        let rest = (spare - wished).max(0.0);
        let weights: f32 = table.columns.iter().map(|c| c.weight).sum();
        let widths = (0..n)
            .map(|c| {
                let share = table.columns[c].weight / weights.max(1e-6);
                least[c] * squeeze + wish[c] * granted + rest * share
            })
            .collect();
        return (size, widths);
    }
    (SIZES[0], vec![TEXT_WIDTH / n.max(1) as f32; n])
}

/// A row as pieces of at most [`ROW_LINES`] lines: height and SVG.
fn row(
    cells: &[Cell],
    table: &Table,
    widths: &[f32],
    size: f32,
    leading: f32,
    measure: &Measure<'_>,
    head: bool,
) -> Vec<(f32, String)> {
    let wrapped: Vec<Vec<Line>> = cells
        .iter()
        .zip(widths)
        .map(|(cell, w)| measure.wrap(&cell.text, size, w - 2.0 * PAD, 0.0))
        .collect();
    let most = wrapped.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let mut out = Vec::new();
    let mut from = 0;
    while from < most {
        let count = (most - from).min(ROW_LINES);
        let height = leading * count as f32 + 2.0 * PAD;
        let (mut svg, mut x) = (String::new(), 0.0);
        for (c, lines) in wrapped.iter().enumerate() {
            let width = widths[c];
            if let Some(colour) = cells[c].fill {
                let _ = write!(
                    svg,
                    "<rect x=\"{:.2}\" y=\"1\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{}\" fill-opacity=\"0.45\"/>",
                    x + 1.0,
                    width - 2.0,
                    height - 2.0,
                    colour.hex()
                );
            }
            // Short cells stand in the middle of tall rows of one piece.
            let drop = if most <= ROW_LINES {
                0.5 * leading * (most - lines.len()) as f32
            } else {
                0.0
            };
            for (k, line) in lines.iter().skip(from).take(count).enumerate() {
                let y = PAD + drop + leading * k as f32 + 0.76 * leading;
                let align = if head && table.columns[c].align == Align::Right {
                    Align::Right
                } else {
                    table.columns[c].align
                };
                svg.push_str(&match align {
                    Align::Left => text(x + PAD, y, size, INK, &line.text),
                    Align::Centre => anchored("middle", x + 0.5 * width, y, size, INK, &line.text),
                    Align::Right => anchored("end", x + width - PAD, y, size, INK, &line.text),
                });
            }
            x += width;
        }
        out.push((height, svg));
        from += count;
    }
    out
}

fn picture(out: &mut Vec<Piece>, figure: &Figure, numbered: &Numbered<'_>, measure: &Measure<'_>) {
    let Some((w, h)) = png_size(&figure.png) else {
        return;
    };
    let mut below = String::new();
    let mut y = 5.0;
    for line in measure.wrap(&numbered.title(), 9.5, TEXT_WIDTH, 0.0) {
        below.push_str(&anchored(
            "middle",
            TEXT_WIDTH / 2.0,
            y + 9.0,
            9.5,
            BLUE,
            &line.text,
        ));
        y += 13.5;
    }
    if let Some((height, svg)) = small_lines(&figure.note, measure, TEXT_WIDTH) {
        let _ = write!(below, "<g transform=\"translate(0 {y:.2})\">{svg}</g>");
        y += height;
    }
    let most = TEXT_HEIGHT - y - 10.0;
    let width = TEXT_WIDTH * figure.width.clamp(0.1, 1.0);
    let scale = (width / w as f32).min(most / h as f32);
    let (width, height) = (w as f32 * scale, h as f32 * scale);
    out.push(Piece {
        height: height + y + 6.0,
        space: 8.0,
        keep_next: false,
        new_page: false,
        drawn: Drawn::Picture {
            width,
            height,
            link: Rc::new(format!(
                "data:image/png;base64,{}",
                STANDARD.encode(&figure.png)
            )),
            below: (y + 6.0, below),
        },
        repeat: None,
        entry: None,
    });
}

/// Draws a picture at a share of its size; the height it takes, and the SVG.
pub(super) fn draw_picture(
    (width, height): (f32, f32),
    link: &str,
    below: &(f32, String),
    scale: f32,
) -> (f32, String) {
    let (w, h) = (width * scale, height * scale);
    let svg = format!(
        "<image x=\"{:.2}\" y=\"0\" width=\"{w:.2}\" height=\"{h:.2}\" href=\"{link}\"/><g transform=\"translate(0 {h:.2})\">{}</g>",
        0.5 * (TEXT_WIDTH - w),
        below.1
    );
    (h + below.0, svg)
}
