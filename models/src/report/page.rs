//! Pages: pieces set one below the other on A4, with cover, contents, header and footer, as SVG in points.

use super::document::Document;
use super::flow::{
    BLUE, Drawn, Piece, TEXT_HEIGHT, TEXT_WIDTH, anchored, draw_picture, pieces, text,
};
use super::lines::Measure;
use crate::cartography::text::escape;
use crate::cartography::{Fonts, SheetLanguage};
use anlan_engine::Result;
use std::fmt::Write as _;

/// A4 in points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const LEFT: f32 = 0.5 * (WIDTH - TEXT_WIDTH);
const TOP: f32 = 78.0;
const RED: &str = "#b01818";

/// Least share of its size to which a picture shrinks to stay on a page.
const LEAST_SCALE: f32 = 0.78;

/// Share of a page from which a chapter begins the next one.
const FULL: f32 = 0.55;

/// A page of the text.
#[derive(Default)]
struct Page {
    svg: String,
    used: f32,
}

/// The pages of a report as SVG, A4 upright: cover, contents, text; or the text alone where the document has no contents.
///
/// # Errors
/// A character that no font has.
pub fn svg_pages(document: &Document, fonts: &Fonts) -> Result<Vec<String>> {
    document.require_glyphs(fonts)?;
    let measure = Measure::new(fonts);
    let (pages, entries) = set(pieces(document, &measure), document, &measure);
    let mut out = Vec::new();
    if document.contents {
        out.push(framed(&cover(document, &measure), fonts));
        for page in contents(document, &entries, &measure) {
            out.push(framed(&(header(document, &measure) + &page), fonts));
        }
    }
    let total = pages.len();
    for (i, page) in pages.into_iter().enumerate() {
        let body = format!(
            "{}<g transform=\"translate({LEFT:.2} {TOP})\">{}</g>{}",
            header(document, &measure),
            page.svg,
            footer(document, i + 1, total)
        );
        out.push(framed(&body, fonts));
    }
    Ok(out)
}

fn framed(body: &str, fonts: &Fonts) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"{}\"><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>{body}</svg>",
        escape(fonts.family())
    )
}

/// An entry of the contents: level, title, page.
type Entry = (u8, String, usize);

/// Sets the pieces on pages. Pieces that must stay together move together.
fn set(pieces: Vec<Piece>, document: &Document, measure: &Measure<'_>) -> (Vec<Page>, Vec<Entry>) {
    let mut pages = vec![Page::default()];
    let mut entries = Vec::new();
    if !document.contents {
        let (height, svg) = banner(document, measure);
        pages[0] = Page { svg, used: height };
    }
    let fresh = if document.contents {
        0.0
    } else {
        pages[0].used
    };
    let mut i = 0;
    while i < pieces.len() {
        let mut end = i;
        while pieces[end].keep_next && end + 1 < pieces.len() && !pieces[end + 1].new_page {
            end += 1;
        }
        let group = &pieces[i..=end];
        let at_top = |page: &Page, first: bool| page.used <= if first { fresh } else { 0.0 };
        let first = pages.len() == 1;
        let page = &pages[pages.len() - 1];
        let chapter = matches!(group[0].entry, Some((1, _))) && page.used < FULL * TEXT_HEIGHT;
        if group[0].new_page && !chapter && !at_top(page, first) {
            pages.push(Page::default());
        }
        let page = &pages[pages.len() - 1];
        let room = TEXT_HEIGHT - page.used;
        let top = at_top(page, pages.len() == 1);
        let needed: f32 = group
            .iter()
            .enumerate()
            .map(|(k, p)| p.height + if k == 0 && top { 0.0 } else { p.space })
            .sum();
        // A picture at the end of the group may give way a little.
        let slack = match &group[group.len() - 1].drawn {
            Drawn::Picture { height, .. } => (1.0 - LEAST_SCALE) * height,
            Drawn::Svg(_) => 0.0,
        };
        let scale = if needed <= room {
            1.0
        } else if needed - slack <= room {
            match &group[group.len() - 1].drawn {
                Drawn::Picture { height, .. } => 1.0 - (needed - room) / height,
                Drawn::Svg(_) => 1.0,
            }
        } else {
            if !top {
                pages.push(Page::default());
            }
            1.0
        };
        for piece in group {
            place(piece, scale, &mut pages, &mut entries);
        }
        i = end + 1;
    }
    (pages, entries)
}

/// Draws a piece at the foot of the last page, or on a new one where a group is longer than a page.
fn place(piece: &Piece, scale: f32, pages: &mut Vec<Page>, entries: &mut Vec<Entry>) {
    let (height, svg) = match &piece.drawn {
        Drawn::Svg(svg) => (piece.height, svg.clone()),
        Drawn::Picture {
            width,
            height,
            link,
            below,
        } => draw_picture((*width, *height), link, below, scale),
    };
    let used = pages[pages.len() - 1].used;
    if used > 0.0 && used + piece.space + height > TEXT_HEIGHT + 0.01 {
        pages.push(Page::default());
    }
    let number = pages.len();
    let page = &mut pages[number - 1];
    if page.used <= 0.0 {
        if let Some(repeat) = &piece.repeat {
            page.svg.push_str(&repeat.1);
            page.used = repeat.0;
        }
    } else {
        page.used += piece.space;
    }
    let _ = write!(
        page.svg,
        "<g transform=\"translate(0 {:.2})\">{svg}</g>",
        page.used
    );
    page.used += height;
    if let Some((level, title)) = &piece.entry {
        entries.push((*level, title.clone(), number));
    }
}

fn header(document: &Document, measure: &Measure<'_>) -> String {
    let mut out = text(LEFT, 50.0, 8.5, "#555", &document.running_title);
    let marks = document.marks.join(" · ");
    if !marks.is_empty() {
        let right = LEFT + TEXT_WIDTH;
        // The running title may be long: then the marks stand in a line of their own.
        let both = measure.width(&document.running_title, 8.5) + measure.width(&marks, 8.5);
        let y = if both + 12.0 > TEXT_WIDTH { 38.0 } else { 50.0 };
        out.push_str(&anchored("end", right, y, 8.5, RED, &marks));
    }
    let _ = write!(
        out,
        "<line x1=\"{LEFT:.2}\" y1=\"56\" x2=\"{:.2}\" y2=\"56\" stroke=\"#9aa7b8\" stroke-width=\"0.6\"/>",
        LEFT + TEXT_WIDTH
    );
    out
}

fn footer(document: &Document, page: usize, total: usize) -> String {
    let label = if document.language == SheetLanguage::Zh {
        format!("第 {page} 页 共 {total} 页")
    } else {
        format!("{page} / {total}")
    };
    anchored("middle", WIDTH / 2.0, HEIGHT - 40.0, 8.5, "#555", &label)
}

/// Red boxes with the marks, centred; their height and SVG.
fn mark_boxes(document: &Document, measure: &Measure<'_>, size: f32) -> (f32, String) {
    let (mut out, mut y) = (String::new(), 0.0);
    for mark in &document.marks {
        let width = measure.width(mark, size) + 2.0 * size;
        let x = 0.5 * (TEXT_WIDTH - width);
        let _ = write!(
            out,
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{:.2}\" fill=\"none\" stroke=\"{RED}\" stroke-width=\"1.2\"/>",
            2.0 * size
        );
        let middle = TEXT_WIDTH / 2.0;
        out.push_str(&anchored(
            "middle",
            middle,
            y + 1.36 * size,
            size,
            RED,
            mark,
        ));
        y += 2.6 * size;
    }
    (y, out)
}

fn cover(document: &Document, measure: &Measure<'_>) -> String {
    let mut body = String::new();
    let middle = TEXT_WIDTH / 2.0;
    let mut y = 120.0;
    // One line if any size has room, else two.
    let size = [28.0, 26.0, 24.0, 22.0]
        .into_iter()
        .find(|s| measure.width(&document.title, *s) <= TEXT_WIDTH)
        .unwrap_or(26.0);
    for line in measure.wrap(&document.title, size, TEXT_WIDTH, 0.0) {
        body.push_str(&anchored("middle", middle, y, size, BLUE, &line.text));
        y += 42.0;
    }
    let _ = write!(
        body,
        "<line x1=\"{:.2}\" y1=\"{y:.2}\" x2=\"{:.2}\" y2=\"{y:.2}\" stroke=\"{BLUE}\" stroke-width=\"2\"/>",
        middle - 90.0,
        middle + 90.0
    );
    y += 32.0;
    for line in measure.wrap(&document.subtitle, 14.0, TEXT_WIDTH, 0.0) {
        body.push_str(&anchored("middle", middle, y, 14.0, "#333", &line.text));
        y += 22.0;
    }
    let (_, boxes) = mark_boxes(document, measure, 13.0);
    let _ = write!(
        body,
        "<g transform=\"translate(0 {:.2})\">{boxes}</g>",
        y + 26.0
    );
    // Names end and texts begin on both sides of one line.
    let widest = document
        .cover
        .iter()
        .fold(0.0_f32, |m, (name, _)| m.max(measure.width(name, 11.5)));
    let inset = 90.0;
    let room = TEXT_WIDTH - inset - widest - 14.0;
    let lines: Vec<Vec<_>> = document
        .cover
        .iter()
        .map(|(_, value)| measure.wrap(value, 11.5, room, 0.0))
        .collect();
    let count: usize = lines.iter().map(Vec::len).sum();
    let mut y = TEXT_HEIGHT - 20.0 * count as f32;
    for ((name, _), lines) in document.cover.iter().zip(&lines) {
        body.push_str(&anchored("end", inset + widest, y, 11.5, "#555", name));
        for line in lines {
            let x = inset + widest + 14.0;
            body.push_str(&text(x, y, 11.5, "#1c1c1c", &line.text));
            y += 20.0;
        }
    }
    format!("<g transform=\"translate({LEFT:.2} {TOP})\">{body}</g>")
}

/// Title of a short report on its first page; its height and SVG.
fn banner(document: &Document, measure: &Measure<'_>) -> (f32, String) {
    let (mut body, mut y) = (String::new(), 14.0);
    let middle = TEXT_WIDTH / 2.0;
    for line in measure.wrap(&document.title, 19.0, TEXT_WIDTH, 0.0) {
        body.push_str(&anchored("middle", middle, y, 19.0, BLUE, &line.text));
        y += 27.0;
    }
    for line in measure.wrap(&document.subtitle, 10.5, TEXT_WIDTH, 0.0) {
        body.push_str(&anchored("middle", middle, y, 10.5, "#333", &line.text));
        y += 16.0;
    }
    let (height, boxes) = mark_boxes(document, measure, 10.0);
    let _ = write!(body, "<g transform=\"translate(0 {y:.2})\">{boxes}</g>");
    y += height + 8.0;
    let facts: Vec<String> = document
        .cover
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    for line in measure.wrap(&facts.join("   "), 8.5, TEXT_WIDTH, 0.0) {
        body.push_str(&anchored("middle", middle, y, 8.5, "#555", &line.text));
        y += 12.5;
    }
    (y + 4.0, body)
}

/// Pages of the contents.
fn contents(document: &Document, entries: &[Entry], measure: &Measure<'_>) -> Vec<String> {
    let title = if document.language == SheetLanguage::Zh {
        "目　录"
    } else {
        "Contents"
    };
    let mut pages = Vec::new();
    let mut body = anchored("middle", TEXT_WIDTH / 2.0, 16.0, 17.0, BLUE, title);
    let mut y = 52.0;
    // Contents a little longer than a page are set closer rather than on two.
    let step_of = |level: u8| if level == 1 { 21.0 } else { 17.0 };
    let whole: f32 = entries.iter().map(|e| step_of(e.0)).sum();
    let closer = (TEXT_HEIGHT - y) / whole;
    let closer = if (0.74..1.0).contains(&closer) {
        closer
    } else {
        1.0
    };
    for (level, title, page) in entries {
        let step = closer * step_of(*level);
        let (inset, size, colour) = match level {
            1 => (0.0, 11.0, "#1c1c1c"),
            _ => (22.0, 10.0, "#444"),
        };
        let lines = measure.wrap(title, size, TEXT_WIDTH - inset - 50.0, 0.0);
        if y + step * lines.len() as f32 > TEXT_HEIGHT {
            pages.push(std::mem::take(&mut body));
            y = 16.0;
        }
        for line in &lines {
            body.push_str(&text(inset, y, size, colour, &line.text));
            if line.last {
                let number = page.to_string();
                let left = inset + line.width + 6.0;
                let right = TEXT_WIDTH - measure.width(&number, size) - 6.0;
                let _ = write!(
                    body,
                    "<line x1=\"{left:.2}\" y1=\"{0:.2}\" x2=\"{right:.2}\" y2=\"{0:.2}\" stroke=\"#999\" stroke-width=\"0.8\" stroke-dasharray=\"0.8 3\"/>",
                    y - 2.0
                );
                body.push_str(&anchored("end", TEXT_WIDTH, y, size, colour, &number));
            }
            y += step;
        }
    }
    pages.push(body);
    pages
        .into_iter()
        .map(|body| format!("<g transform=\"translate({LEFT:.2} {TOP})\">{body}</g>"))
        .collect()
}
