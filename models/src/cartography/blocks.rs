//! What stands beside the map: legend, scale, tables, small map, notes. Each block is drawn at its own origin for a width, and tells
//! its height, so that the layout can place it.

use super::canvas::{Canvas, Style, dash_attribute};
use super::frame::Frame;
use super::sheet::{Border, Inset, Setting, Sheet, SheetLanguage, SheetTable};
use super::text::Fonts;
use anlan_engine::grid::Bounds;
use anlan_engine::{Crs, Projector, Result};
use geo::{BoundingRect, MultiPolygon};
use std::collections::HashSet;
use std::fmt::Write as _;

/// Colour of the line around the unit of a sheet.
pub(super) const FOCUS: &str = "#7b1fa2";

/// A block with its height, mm.
pub(super) struct Block<'a> {
    pub canvas: Canvas<'a>,
    pub height: f32,
}

/// How large things are: `t` scales letters, `px` is the length of a pixel of the sheet's widths, mm.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    pub t: f32,
    pub px: f32,
}

/// Legend with the north arrow (图例, 指北针): classes from high to low, then symbols, then borders from the highest level down.
pub(super) fn legend<'a>(
    sheet: &Sheet<'_>,
    focused: bool,
    frame: &Frame,
    width: f32,
    m: Measure,
    fonts: &'a Fonts,
) -> Result<Block<'a>> {
    let zh = sheet.language == SheetLanguage::Zh;
    let t = m.t;
    let mut c = Canvas::new(fonts);
    north_arrow(sheet.crs(), frame, &mut c, width - 6.0 * t, 8.5 * t, t)?;
    let heading = Style {
        heavy: 0.08 * t,
        ..Style::new(4.2 * t, "start")
    };
    let name = if zh { "图　例" } else { "Legend" };
    c.text("legend-heading", 0.0, 4.4 * t, heading, name)?;
    let mut y = 10.0 * t;
    let size = 3.1 * t;
    for line in fonts.wrap(&sheet.legend_title, size, width - 14.0 * t) {
        c.text("legend-title", 0.0, y, Style::new(size, "start"), &line)?;
        y += 4.3 * t;
    }
    y = y.max(10.0 * t + 4.3 * t) + 1.6 * t;
    let swatch = 8.0 * t;
    let row = 5.2 * t;
    // Many classes stand in two columns.
    let columns = if sheet.legend.len() > 14 { 2 } else { 1 };
    let share = width / columns as f32;
    let per = sheet.legend.len().div_ceil(columns);
    let (first, mut tallest) = (y, y);
    for (i, entry) in sheet.legend.iter().enumerate() {
        let x = share * (i / per.max(1)) as f32;
        if i % per.max(1) == 0 && i > 0 {
            tallest = tallest.max(y);
            y = first;
        }
        c.rect(
            [x, y - 3.2 * t, x + swatch, y + 0.7 * t],
            &entry.colour.hex(),
            "#444",
            0.12,
        );
        y = entry_text(
            &mut c,
            x + swatch + 2.0 * t,
            y,
            share - swatch - 2.0 * t,
            t,
            row,
            &entry.name,
        )?;
    }
    y = y.max(tallest);
    for symbol in &sheet.points {
        let _ = write!(
            c.out,
            "<circle cx=\"{:.2}\" cy=\"{:.2}\" r=\"{:.2}\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"0.15\"/>",
            swatch / 2.0,
            y - 1.2 * t,
            (symbol.radius * m.px).max(0.7 * t),
            symbol.colour.hex()
        );
        y = entry_text(
            &mut c,
            swatch + 2.0 * t,
            y,
            width - swatch - 2.0 * t,
            t,
            row,
            &symbol.name,
        )?;
    }
    if focused {
        let line = y - 1.2 * t;
        c.line((0.0, line), (swatch * 1.4, line), FOCUS, 0.55 * t, "");
        let x = swatch * 1.4 + 2.0 * t;
        let name = if zh {
            "本图单元范围"
        } else {
            "unit of this map"
        };
        y = entry_text(&mut c, x, y, width - x, t, row, name)?;
    }
    for border in sheet.borders.iter().rev().filter(|b| !b.name.is_empty()) {
        let line = y - 1.2 * t;
        stroke(
            &mut c,
            &format!("M0 {line:.2}H{:.2}", swatch * 1.4),
            border,
            m.px,
        );
        y = entry_text(
            &mut c,
            swatch * 1.4 + 2.0 * t,
            y,
            width - swatch * 1.4 - 2.0 * t,
            t,
            row,
            &border.name,
        )?;
    }
    Ok(Block {
        canvas: c,
        height: y - row + 1.6 * t,
    })
}

/// The name of a legend entry, in as many lines as it needs; returns the baseline of the next entry.
fn entry_text(
    c: &mut Canvas<'_>,
    x: f32,
    y: f32,
    width: f32,
    t: f32,
    row: f32,
    name: &str,
) -> Result<f32> {
    let size = 3.1 * t;
    let mut y = y;
    for (i, line) in c.fonts.wrap(name, size, width).iter().enumerate() {
        if i > 0 {
            y += 4.1 * t;
        }
        c.text("legend", x, y, Style::new(size, "start"), line)?;
    }
    Ok(y + row)
}

/// A border in its style. A dashed line lies on white, so that lines of lower levels do not fill its gaps.
pub(super) fn stroke(c: &mut Canvas<'_>, path: &str, border: &Border<'_>, px: f32) {
    let width = border.width * px;
    if !border.dash.is_empty() {
        let _ = write!(
            c.out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"#fff\" stroke-width=\"{:.2}\" stroke-linejoin=\"round\"/>",
            width + 0.1
        );
    }
    let _ = write!(
        c.out,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width:.2}\" stroke-linejoin=\"round\"{}/>",
        border.colour.hex(),
        dash_attribute(&scaled_dash(border.dash, px))
    );
}

fn scaled_dash(dash: &str, px: f32) -> String {
    dash.split_whitespace()
        .filter_map(|n| n.parse::<f32>().ok())
        .map(|n| format!("{:.2}", n * px))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Arrow towards true north at the middle of the map.
fn north_arrow(crs: Crs, frame: &Frame, c: &mut Canvas<'_>, x: f32, y: f32, t: f32) -> Result<()> {
    let (mx, my) = frame.map(frame.x + frame.width / 2.0, frame.y + frame.height / 2.0);
    let (lon, lat) = Projector::new(crs, Crs::CGCS2000).point(mx, my);
    let (nx, ny) = Projector::new(Crs::CGCS2000, crs).point(lon, lat + 0.01);
    let turn = libm::atan2(nx - mx, ny - my).to_degrees();
    let _ = write!(
        c.out,
        "<g transform=\"translate({x:.2} {y:.2}) rotate({turn:.3}) scale({t:.3})\"><path d=\"M0 -4.6L2.6 4.4L0 2.4Z\" fill=\"#000\"/><path d=\"M0 -4.6L-2.6 4.4L0 2.4Z\" fill=\"#fff\" stroke=\"#000\" stroke-width=\"0.25\" stroke-linejoin=\"round\"/></g>"
    );
    let style = Style {
        heavy: 0.06 * t,
        ..Style::new(3.4 * t, "middle")
    };
    c.text("north", x, y - 5.4 * t, style, "N")
}

/// Scale bar and ratio (比例尺), as printed on this paper.
pub(super) fn scale<'a>(
    sheet: &Sheet<'_>,
    setting: &Setting<'_>,
    frame: &Frame,
    width: f32,
    m: Measure,
    fonts: &'a Fonts,
) -> Result<Block<'a>> {
    let zh = sheet.language == SheetLanguage::Zh;
    let t = m.t;
    let mut c = Canvas::new(fonts);
    let ratio = frame.ratio(sheet.crs());
    let metres_per_mm = ratio / 1000.0;
    let length = bar_length(f64::from(width - 20.0 * t) * metres_per_mm);
    let mm = (length / metres_per_mm) as f32;
    let x = 1.5 * t;
    for k in 0..4 {
        let fill = if k % 2 == 0 { "#000" } else { "#fff" };
        c.rect(
            [
                x + mm * k as f32 / 4.0,
                0.3,
                x + mm * (k + 1) as f32 / 4.0,
                1.6 * t,
            ],
            fill,
            "#000",
            0.18,
        );
    }
    let small = Style::new(2.6 * t, "middle");
    // Lengths below two kilometres read better in metres.
    let (divisor, unit) = match (length < 2000.0, zh) {
        (true, true) => (1.0, "米"),
        (true, false) => (1.0, "m"),
        (false, true) => (1000.0, "千米"),
        (false, false) => (1000.0, "km"),
    };
    for share in [0.0, 0.5, 1.0] {
        let value = format!("{}", length * share / divisor);
        c.text("scale", x + mm * share as f32, 4.6 * t, small, &value)?;
    }
    let last = fonts.width(&format!("{}", length / divisor), 2.6 * t) / 2.0;
    c.text(
        "scale",
        x + mm + last + 1.2 * t,
        4.6 * t,
        Style::new(2.6 * t, "start"),
        unit,
    )?;
    // Exact on a grid in metres; in degrees, true on the middle parallel.
    let label = match (zh, sheet.crs().is_geographic()) {
        (true, false) => "比例尺 ",
        (true, true) => "比例尺（中央纬线）约 ",
        (false, false) => "Scale ",
        (false, true) => "Scale on the middle parallel about ",
    };
    let text = format!(
        "{label}1:{} ({})",
        grouped(ratio.round() as u64),
        setting.page.paper.name()
    );
    let mut y = 9.2 * t;
    for line in fonts.wrap(&text, 3.0 * t, width) {
        c.text("ratio", 0.0, y, Style::new(3.0 * t, "start"), &line)?;
        y += 4.0 * t;
    }
    Ok(Block {
        canvas: c,
        height: y - 4.0 * t + 0.8 * t,
    })
}

/// The greatest of 1, 2, 5 times a power of ten metres that is not above `longest`.
fn bar_length(longest: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(longest.max(1.0)).floor());
    [5.0, 2.0, 1.0]
        .into_iter()
        .map(|k| k * power)
        .find(|&l| l <= longest)
        .unwrap_or(power)
}

/// Digits in groups of three.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// A table with lines above, below the header and at its foot (三线表).
pub(super) fn table<'a>(
    table: &SheetTable,
    width: f32,
    m: Measure,
    fonts: &'a Fonts,
) -> Result<Block<'a>> {
    let t = m.t;
    let mut c = Canvas::new(fonts);
    let columns = table.header.len().max(1);
    let widest = |size: f32| -> Vec<f32> {
        (0..columns)
            .map(|k| {
                table
                    .rows
                    .iter()
                    .chain(std::iter::once(&table.header))
                    .filter_map(|r| r.get(k))
                    .map(|s| fonts.width(s, size))
                    .fold(0.0, f32::max)
            })
            .collect()
    };
    // Letters shrink until the columns stand apart.
    let mut size = 2.7 * t;
    while widest(size).iter().sum::<f32>() + 2.0 * t * (columns as f32 - 1.0) > width
        && size > 1.6 * t
    {
        size *= 0.95;
    }
    let widths = widest(size);
    let spare = (width - widths.iter().sum::<f32>()) / (columns as f32 - 0.5).max(1.0);
    let row = size * 1.5;
    let mut y = 3.2 * t;
    if !table.title.is_empty() {
        for line in fonts.wrap(&table.title, 3.0 * t, width) {
            c.text("table-title", 0.0, y, Style::new(3.0 * t, "start"), &line)?;
            y += 4.0 * t;
        }
        y -= 1.6 * t;
    }
    c.line((0.0, y), (width, y), "#000", 0.3, "");
    for (i, cells) in std::iter::once(&table.header)
        .chain(&table.rows)
        .enumerate()
    {
        y += row;
        let mut right = 0.0;
        for (k, cell) in cells.iter().enumerate() {
            right += widths[k] + if k == 0 { 0.0 } else { spare };
            let (x, anchor) = if k == 0 {
                (0.6 * t, "start")
            } else {
                (right, "end")
            };
            c.text("table", x, y - 0.3 * size, Style::new(size, anchor), cell)?;
        }
        if i == 0 {
            c.line(
                (0.0, y + 0.1 * size),
                (width, y + 0.1 * size),
                "#000",
                0.15,
                "",
            );
            y += 0.2 * size;
        }
    }
    y += 0.15 * size;
    c.line((0.0, y), (width, y), "#000", 0.3, "");
    Ok(Block {
        canvas: c,
        height: y,
    })
}

/// The small map.
pub(super) fn inset<'a>(
    inset: &Inset<'_>,
    main: &Frame,
    width: f32,
    most: f32,
    m: Measure,
    fonts: &'a Fonts,
) -> Result<Block<'a>> {
    let t = m.t;
    let mut c = Canvas::new(fonts);
    let mut ground = inset.window;
    if ground.is_none() {
        for polygon in inset.units.iter().chain(&inset.highlight) {
            if let Some(r) = polygon.bounding_rect() {
                let b = Bounds {
                    west: r.min().x,
                    south: r.min().y,
                    east: r.max().x,
                    north: r.max().y,
                };
                ground = Some(ground.map_or(b, |g| g.union(&b)));
            }
        }
    }
    let Some(ground) = ground else {
        return Ok(Block {
            canvas: c,
            height: 0.0,
        });
    };
    let top = if inset.title.is_empty() { 0.0 } else { 4.4 * t };
    c.text(
        "inset",
        0.0,
        3.0 * t,
        Style::new(3.0 * t, "start"),
        &inset.title,
    )?;
    let (w, h) = (ground.east - ground.west, ground.north - ground.south);
    let wide = width
        .min(62.0 * t)
        .min((most - top).max(10.0 * t) * (w / h.max(1e-9)) as f32);
    let high = wide * (h / w.max(1e-9)) as f32 * 1.0;
    let frame = Frame {
        x: 0.0,
        y: top,
        width: wide,
        height: high,
        scale: w * 1.06 / f64::from(wide),
        west: 0.5 * (ground.west + ground.east) - 0.53 * w,
        north: 0.5 * (ground.north + ground.south) + 0.53 * h,
    };
    let _ = write!(
        c.out,
        "<clipPath id=\"inset\"><rect x=\"0\" y=\"{top:.2}\" width=\"{wide:.2}\" height=\"{high:.2}\"/></clipPath><g clip-path=\"url(#inset)\">"
    );
    let _ = write!(
        c.out,
        "<path d=\"{}\" fill=\"#f1efe8\" stroke=\"#888\" stroke-width=\"0.12\" stroke-linejoin=\"round\"/>",
        outline(&inset.units, &frame)
    );
    let _ = write!(
        c.out,
        "<path d=\"{}\" fill=\"#d9655a\" fill-rule=\"evenodd\" stroke=\"#7a1f18\" stroke-width=\"0.2\" stroke-linejoin=\"round\"/>",
        outline(&inset.highlight, &frame)
    );
    if inset.rectangle {
        let g = main.ground();
        let (x0, y0) = frame.mm(g.west, g.north);
        let (x1, y1) = frame.mm(g.east, g.south);
        c.rect([x0, y0, x1, y1], "none", "#b01818", 0.3);
    }
    c.out.push_str("</g>");
    c.rect([0.0, top, wide, top + high], "none", "#000", 0.25);
    Ok(Block {
        canvas: c,
        height: top + high,
    })
}

/// SVG path of the lines of polygons, each once: where two units share a border, its dashes must not fill each other's gaps.
pub(super) fn lines(polygons: &[&MultiPolygon<f64>], frame: &Frame) -> String {
    let key = |c: &geo::Coord<f64>| (c.x.to_bits(), c.y.to_bits());
    let ground = frame.ground();
    let mut drawn = HashSet::new();
    let mut d = String::new();
    for polygon in polygons.iter().flat_map(|m| m.iter()) {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            // Where the pen last stood, and whether it is down.
            let mut last = (f32::NAN, f32::NAN);
            let mut down = false;
            let n = ring.0.len();
            for (i, pair) in ring.0.windows(2).enumerate() {
                let (a, b) = (key(&pair[0]), key(&pair[1]));
                let known = !drawn.insert(if a < b { (a, b) } else { (b, a) });
                if known || beyond(&pair[0], &pair[1], &ground) {
                    if down {
                        let (x, y) = frame.mm(pair[0].x, pair[0].y);
                        let _ = write!(d, "L{x:.2} {y:.2}");
                    }
                    down = false;
                    continue;
                }
                if !down {
                    last = frame.mm(pair[0].x, pair[0].y);
                    let _ = write!(d, "M{:.2} {:.2}", last.0, last.1);
                    down = true;
                }
                let (x, y) = frame.mm(pair[1].x, pair[1].y);
                if i + 2 == n || (x - last.0).abs() + (y - last.1).abs() >= 0.04 {
                    let _ = write!(d, "L{x:.2} {y:.2}");
                    last = (x, y);
                }
            }
        }
    }
    d
}

/// True where a line lies beyond one side of the ground.
fn beyond(a: &geo::Coord<f64>, b: &geo::Coord<f64>, ground: &Bounds) -> bool {
    (a.x < ground.west && b.x < ground.west)
        || (a.x > ground.east && b.x > ground.east)
        || (a.y < ground.south && b.y < ground.south)
        || (a.y > ground.north && b.y > ground.north)
}

/// SVG path of polygons; vertices closer than 0.04 mm to the last one do not show and are left out.
pub(super) fn outline(polygons: &[&MultiPolygon<f64>], frame: &Frame) -> String {
    let mut d = String::new();
    for polygon in polygons.iter().flat_map(|m| m.iter()) {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            let mut last = (f32::NAN, f32::NAN);
            for (i, c) in ring.coords().enumerate() {
                let (x, y) = frame.mm(c.x, c.y);
                if i > 0 && (x - last.0).abs() + (y - last.1).abs() < 0.04 {
                    continue;
                }
                let _ = write!(d, "{}{x:.2} {y:.2}", if i == 0 { "M" } else { "L" });
                last = (x, y);
            }
            d.push('Z');
        }
    }
    d
}

/// Notes: coordinates, heights, then those of the sheet.
pub(super) fn notes<'a>(
    sheet: &Sheet<'_>,
    setting: &Setting<'_>,
    width: f32,
    m: Measure,
    fonts: &'a Fonts,
) -> Result<Block<'a>> {
    let zh = sheet.language == SheetLanguage::Zh;
    let t = m.t;
    let datum = match (setting.height_datum.is_empty(), zh) {
        (true, true) => "数据源未注明",
        (true, false) => "not stated by the source",
        (false, _) => &setting.height_datum,
    };
    let crs = if zh {
        format!("坐标系：{}；高程基准：{datum}", sheet.crs().name_zh())
    } else {
        format!("CRS: {}; height datum: {datum}", sheet.crs().name())
    };
    let mut c = Canvas::new(fonts);
    let mut y = 2.4 * t;
    let size = 2.5 * t;
    for note in std::iter::once(&crs).chain(&sheet.notes) {
        for line in fonts.wrap(note, size, width) {
            c.text(
                "note",
                0.0,
                y,
                Style::new(size, "start").colour("#333"),
                &line,
            )?;
            y += 3.4 * t;
        }
        y += 0.7 * t;
    }
    Ok(Block {
        canvas: c,
        height: y - 3.4 * t,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_border_is_drawn_once() {
        let square = |x: f64| {
            let ring = vec![(x, 0.0), (x + 10.0, 0.0), (x + 10.0, 10.0), (x, 10.0)];
            MultiPolygon(vec![geo::Polygon::new(ring.into(), Vec::new())])
        };
        let frame = Frame {
            x: 0.0,
            y: 0.0,
            width: 100.0,
            height: 100.0,
            scale: 1.0,
            west: 0.0,
            north: 10.0,
        };
        let (a, b) = (square(0.0), square(10.0));
        let path = lines(&[&a, &b], &frame);
        // Four sides of the first, and of the second all but the shared one: in two strokes about the gap.
        assert_eq!(path.matches('M').count(), 2);
        assert_eq!(
            path,
            "M0.00 10.00L10.00 10.00L10.00 0.00L0.00 0.00L0.00 10.00M10.00 10.00L20.00 10.00L20.00 0.00L10.00 0.00L10.00 0.00"
        );
    }

    #[test]
    fn bars_are_round_and_fit() {
        assert_eq!(bar_length(27_000.0), 20_000.0);
        assert_eq!(bar_length(50_000.0), 50_000.0);
        assert_eq!(bar_length(1_999.0), 1_000.0);
        assert_eq!(grouped(650_000), "650 000");
        assert_eq!(scaled_dash("10 4 2 4", 0.5), "5.00 2.00 1.00 2.00");
    }
}
