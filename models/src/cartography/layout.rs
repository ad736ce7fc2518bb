//! Where things stand on a sheet, in millimetres: one layout for PNG, SVG and PDF.

use super::blocks::{self, Block, Measure};
use super::canvas::{Canvas, Style, TextBox};
use super::drawing::Drawing;
use super::frame::Frame;
use super::graticule;
use super::labels;
use super::page::{MM_PER_INCH, Orientation};
use super::picture::{Picture, picture};
use super::sheet::{Mark, Setting, Sheet, SheetLanguage};
use super::text::Fonts;
use anlan_engine::grid::Bounds;
use anlan_engine::{Error, Fault, Result};
use std::fmt::Write as _;

/// Margins and bands of an A4 sheet, mm.
const SIDE: f32 = 9.0;
const HEAD: f32 = 21.0;
const FOOT: f32 = 9.5;
/// Between the frame and its outer edge: room for the numbers of the graticule.
const BAND: f32 = 4.4;
const GAP: f32 = 6.0;
/// Share of the ground shown around it.
const AIR: f64 = 0.02;
/// Letters beside the map shrink by these steps until everything has room.
const SHRINK: [f32; 8] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65];

/// Lays out a sheet.
///
/// - The scale is the largest of two digits at which all ground fits.
/// - Names without a free place are listed by [`Drawing::dropped`].
///
/// # Errors
/// A character that no font has; more beside the map than the paper has room for.
pub fn draw(sheet: &Sheet<'_>, setting: &Setting<'_>, fonts: &Fonts) -> Result<Drawing> {
    let t = setting.page.type_scale();
    let px = t * MM_PER_INCH / 200.0;
    let plan = Plan::of(sheet, setting, t, px, fonts)?;
    let frame = plan.frame;
    let picture = picture(sheet, &frame);
    let (width, height) = setting.page.size_mm();
    let mut canvas = Canvas::new(fonts);
    heading(sheet, width, t, &mut canvas)?;
    let area = frame.area();
    let mut inside = Canvas::new(fonts);
    if let Some(focus) = setting.focus {
        // Even-odd: the frame without the unit.
        let _ = write!(
            inside.out,
            "<path d=\"M{:.2} {:.2}H{:.2}V{:.2}H{:.2}Z{}\" fill=\"#fff\" fill-opacity=\"0.68\" fill-rule=\"evenodd\"/>",
            area[0],
            area[1],
            area[2],
            area[3],
            area[0],
            blocks::outline(&[focus], &frame)
        );
    }
    let mut numbers = Canvas::new(fonts);
    let graticule = graticule::draw(sheet.crs(), &frame, BAND * t, 2.15 * t, &mut numbers)?;
    inside.out.push_str(&graticule);
    for border in &sheet.borders {
        let path = blocks::lines(&border.polygons, &frame);
        blocks::stroke(&mut inside, &path, border, px);
    }
    if let Some(focus) = setting.focus {
        let _ = write!(
            inside.out,
            "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{:.2}\" stroke-opacity=\"0.85\" stroke-linejoin=\"round\"/>",
            blocks::outline(&[focus], &frame),
            blocks::FOCUS,
            0.55 * t
        );
    }
    let mut taken = points(sheet, &frame, px, &mut inside);
    taken.extend(marks(sheet, &frame, t, picture.as_ref(), &mut canvas)?);
    let dropped = labels::draw(sheet, &frame, px, taken, &mut canvas)?;
    canvas.place(numbers, 0.0, 0.0);
    canvas.rect(area, "none", "#000", 0.3 * t);
    let b = BAND * t;
    let outer = [area[0] - b, area[1] - b, area[2] + b, area[3] + b];
    canvas.rect(outer, "none", "#000", 0.6 * t);
    for (block, x, y) in plan.blocks {
        canvas.place(block.canvas, x, y);
    }
    footer(
        sheet,
        setting,
        (outer[0], width - outer[0], height),
        t,
        &mut canvas,
    )?;
    let texts: Vec<TextBox> = canvas.texts;
    Ok(Drawing {
        page: setting.page,
        frame,
        picture,
        inside: inside.out,
        body: canvas.out,
        family: fonts.family().to_string(),
        dropped,
        texts,
        ratio: frame.ratio(sheet.crs()).round() as u64,
    })
}

/// Frame and blocks with their places.
struct Plan<'a> {
    frame: Frame,
    blocks: Vec<(Block<'a>, f32, f32)>,
}

impl<'a> Plan<'a> {
    fn of(
        sheet: &Sheet<'_>,
        setting: &Setting<'_>,
        t: f32,
        px: f32,
        fonts: &'a Fonts,
    ) -> Result<Plan<'a>> {
        let b = setting.window.unwrap_or_else(|| sheet.grid().bounds());
        let (dx, dy) = (
            (b.east - b.west) * AIR / 2.0,
            (b.north - b.south) * AIR / 2.0,
        );
        let ground = Bounds {
            west: b.west - dx,
            south: b.south - dy,
            east: b.east + dx,
            north: b.north + dy,
        };
        let mut needed = (0.0, 0.0);
        for shrink in SHRINK {
            let m = Measure { t: t * shrink, px };
            let plan = match setting.page.orientation {
                Orientation::Landscape => landscape(sheet, setting, &ground, t, m, fonts)?,
                Orientation::Portrait => portrait(sheet, setting, &ground, t, m, fonts)?,
            };
            match plan {
                Ok(plan) => return Ok(plan),
                Err(room) => needed = room,
            }
        }
        Err(Error::input(Fault::new(
            "map sheet",
            format!(
                "{:.0} mm of legend, tables and notes beside the map of `{}`",
                needed.0, sheet.title
            ),
            format!("at most {:.0} mm on this paper", needed.1),
            "choose larger paper, or fewer classes, tables and notes",
        )))
    }
}

/// A plan, or the room that was needed and the room there was, mm.
type Fit<'a> = std::result::Result<Plan<'a>, (f32, f32)>;

/// The map on the left, a column beside it, as wide as the ground leaves it room.
fn landscape<'a>(
    sheet: &Sheet<'_>,
    setting: &Setting<'_>,
    ground: &Bounds,
    t: f32,
    m: Measure,
    fonts: &'a Fonts,
) -> Result<Fit<'a>> {
    let (width, height) = setting.page.size_mm();
    let (side, band, gap) = (SIDE * t, BAND * t, GAP * t);
    let top = HEAD * t + band;
    let high = height - FOOT * t - band - top;
    let aspect = (ground.east - ground.west) / (ground.north - ground.south).max(1e-12);
    let all = width - 2.0 * side - 2.0 * band - gap;
    let column = (all - high * aspect as f32).clamp(48.0 * t, 78.0 * t);
    let left = side + band;
    let frame = Frame::around(
        ground,
        sheet.crs(),
        [left, top, left + all - column, top + high],
    );
    let x = left + frame.width + band + gap;
    let (from, to) = (top - band, top + high + band);
    let blocks = blocks_of(sheet, setting, &frame, column, high * 0.32, m, fonts)?;
    let room = to - from;
    let least = 4.0 * m.t;
    let used: f32 = blocks.iter().map(|b| b.height).sum::<f32>();
    let gaps = blocks.len().saturating_sub(1) as f32;
    if used + least * gaps > room {
        return Ok(Err((used + least * gaps, room)));
    }
    // Notes stand at the foot; what is left is shared between the others.
    let spare = ((room - used) / gaps.max(1.0)).min(13.0 * m.t);
    let last = blocks.len() - 1;
    let mut y = from;
    let mut placed = Vec::new();
    for (i, block) in blocks.into_iter().enumerate() {
        let at = if i == last { to - block.height } else { y };
        y += block.height + spare;
        placed.push((block, x, at));
    }
    Ok(Ok(Plan {
        frame,
        blocks: placed,
    }))
}

/// The map above, three columns below it.
fn portrait<'a>(
    sheet: &Sheet<'_>,
    setting: &Setting<'_>,
    ground: &Bounds,
    t: f32,
    m: Measure,
    fonts: &'a Fonts,
) -> Result<Fit<'a>> {
    const COLUMNS: usize = 3;
    let (width, height) = setting.page.size_mm();
    let (side, band, gap) = (SIDE * t, BAND * t, GAP * t);
    let top = HEAD * t + band;
    let left = side + band;
    let wide = width - 2.0 * left;
    let foot = height - FOOT * t;
    let column = (wide + 2.0 * band - gap * (COLUMNS - 1) as f32) / COLUMNS as f32;
    let aspect = (ground.north - ground.south) / (ground.east - ground.west).max(1e-12);
    let most = 0.45 * height;
    // The scale decides how high the legend is (its bar) and the legend how high the map: the width fixes the scale first.
    let high = (wide * aspect as f32).min(foot - top - band);
    let draft = Frame::around(ground, sheet.crs(), [left, top, left + wide, top + high]);
    let blocks = blocks_of(sheet, setting, &draft, column, 46.0 * t, m, fonts)?;
    let least = 4.0 * m.t;
    let heights: Vec<f32> = blocks.iter().map(|b| b.height + least).collect();
    let (cuts, panel) = columns_of(&heights, COLUMNS);
    if panel > most {
        return Ok(Err((panel, most)));
    }
    let bottom = foot - panel - 1.5 * t - band;
    let frame = Frame::around(ground, sheet.crs(), [left, top, left + wide, bottom]);
    let blocks = blocks_of(sheet, setting, &frame, column, 46.0 * t, m, fonts)?;
    let from = bottom + band + 3.0 * t;
    let mut placed = Vec::new();
    let (mut y, mut k) = (from, 0);
    for (i, block) in blocks.into_iter().enumerate() {
        while k + 1 < COLUMNS && i >= cuts[k] {
            k += 1;
            y = from;
        }
        let x = side + k as f32 * (column + gap);
        let h = block.height;
        placed.push((block, x, y));
        y += h + least;
    }
    Ok(Ok(Plan {
        frame,
        blocks: placed,
    }))
}

/// Ends of the first columns when blocks, in order, are spread over columns as evenly as can be, and the height of the highest.
fn columns_of(heights: &[f32], columns: usize) -> (Vec<usize>, f32) {
    let n = heights.len();
    let mut best = (Vec::new(), f32::INFINITY);
    for a in 0..=n {
        for b in a..=n {
            let ends = [a, b, n];
            let mut start = 0;
            let mut highest = 0.0_f32;
            for end in ends {
                highest = highest.max(heights[start..end].iter().sum());
                start = end;
            }
            if highest < best.1 {
                best = (ends[..columns - 1].to_vec(), highest);
            }
        }
    }
    best
}

fn blocks_of<'a>(
    sheet: &Sheet<'_>,
    setting: &Setting<'_>,
    frame: &Frame,
    width: f32,
    inset_height: f32,
    m: Measure,
    fonts: &'a Fonts,
) -> Result<Vec<Block<'a>>> {
    let mut out = vec![
        blocks::legend(sheet, setting.focus.is_some(), frame, width, m, fonts)?,
        blocks::scale(sheet, setting, frame, width, m, fonts)?,
    ];
    for table in &setting.tables {
        out.push(blocks::table(table, width, m, fonts)?);
    }
    if let Some(inset) = &setting.inset {
        out.push(blocks::inset(inset, frame, width, inset_height, m, fonts)?);
    }
    out.push(blocks::notes(sheet, setting, width, m, fonts)?);
    Ok(out)
}

/// Title and the line below it, shrunk where they are wider than the sheet.
fn heading(sheet: &Sheet<'_>, width: f32, t: f32, canvas: &mut Canvas<'_>) -> Result<()> {
    let fit = |text: &str, size: f32| {
        let room = width - 2.0 * SIDE * t;
        size * (room / canvas.fonts.width(text, size).max(1e-3)).min(1.0)
    };
    let (large, small) = (fit(&sheet.title, 7.2 * t), fit(&sheet.subtitle, 3.4 * t));
    let title = Style {
        heavy: 0.025 * large,
        ..Style::new(large, "middle").colour("#000")
    };
    canvas.text("title", width / 2.0, 11.6 * t, title, &sheet.title)?;
    canvas.text(
        "subtitle",
        width / 2.0,
        17.6 * t,
        Style::new(small, "middle").colour("#333"),
        &sheet.subtitle,
    )
}

/// Producer, approved-map number and date below the frame.
fn footer(
    sheet: &Sheet<'_>,
    setting: &Setting<'_>,
    (left, right, height): (f32, f32, f32),
    t: f32,
    canvas: &mut Canvas<'_>,
) -> Result<()> {
    let zh = sheet.language == SheetLanguage::Zh;
    let named = |zh_name: &str, name: &str, value: &str| match (value.is_empty(), zh) {
        (true, _) => String::new(),
        (false, true) => format!("{zh_name}：{value}"),
        (false, false) => format!("{name}: {value}"),
    };
    let texts = [
        named("制图单位", "Producer", &sheet.producer),
        named("审图号", "Map approval", &setting.approval),
        named("制图日期", "Date", &sheet.date),
    ];
    let mut size = 3.0 * t;
    let room = right - left - 8.0 * t;
    let needed: f32 = texts.iter().map(|s| canvas.fonts.width(s, size)).sum();
    size *= (room / needed.max(1e-3)).min(1.0);
    let y = height - 4.2 * t;
    // The middle one gives way to a long neighbour.
    let w = |k: usize| canvas.fonts.width(&texts[k], size);
    let middle = (left + right) / 2.0;
    let middle = middle
        .max(left + w(0) + 3.0 * t + w(1) / 2.0)
        .min(right - w(2) - 3.0 * t - w(1) / 2.0);
    for (text, x, anchor) in [
        (&texts[0], left, "start"),
        (&texts[1], middle, "middle"),
        (&texts[2], right, "end"),
    ] {
        canvas.text(
            "footer",
            x,
            y,
            Style::new(size, anchor).colour("#222"),
            text,
        )?;
    }
    Ok(())
}

/// Point symbols; returns the paper they take.
fn points(sheet: &Sheet<'_>, frame: &Frame, px: f32, canvas: &mut Canvas<'_>) -> Vec<[f32; 4]> {
    let mut taken = Vec::new();
    for symbol in &sheet.points {
        let r = symbol.radius * px;
        for &(x, y) in &symbol.points {
            let (x, y) = frame.mm(x, y);
            if frame.holds(x, y) {
                taken.push([x - r, y - r, x + r, y + r]);
                let _ = write!(
                    canvas.out,
                    "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{r:.2}\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"0.15\"/>",
                    symbol.colour.hex()
                );
            }
        }
    }
    taken
}

/// Marks in red, in the corner of the map that shows least; returns the paper they take.
fn marks(
    sheet: &Sheet<'_>,
    frame: &Frame,
    t: f32,
    picture: Option<&Picture>,
    canvas: &mut Canvas<'_>,
) -> Result<Vec<[f32; 4]>> {
    let red = "#b01818";
    let mut marks: Vec<Mark> = sheet.marks.clone();
    marks.sort();
    marks.dedup();
    if marks.is_empty() {
        return Ok(Vec::new());
    }
    let size = 3.2 * t;
    let width = |m: &Mark| canvas.fonts.width(m.text(sheet.language), size) + 3.6 * t;
    let widest = marks.iter().map(width).fold(0.0, f32::max);
    let (row, edge) = (6.6 * t, 2.4 * t);
    let all = row * marks.len() as f32;
    let [w, n, e, s] = frame.area();
    let corners = [
        (w + edge, s - edge - all),
        (e - edge - widest, s - edge - all),
        (w + edge, n + edge),
        (e - edge - widest, n + edge),
    ];
    let shown =
        |at: &(f32, f32)| picture.map_or(0, |p| p.inked([at.0, at.1, at.0 + widest, at.1 + all]));
    let at = corners
        .iter()
        .min_by_key(|c| shown(c))
        .copied()
        .unwrap_or(corners[0]);
    let mut taken = Vec::new();
    for (i, mark) in marks.iter().enumerate() {
        let text = mark.text(sheet.language);
        let y = at.1 + row * i as f32;
        let area = [at.0, y, at.0 + width(mark), y + row - 1.2 * t];
        canvas.rect(area, "#fff", red, 0.3 * t);
        canvas.text(
            "mark",
            at.0 + 1.8 * t,
            y + 3.9 * t,
            Style::new(size, "start").colour(red),
            text,
        )?;
        taken.push(area);
    }
    Ok(taken)
}
