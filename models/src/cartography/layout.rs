//! Where things stand on a sheet: the raster drawn cell by cell, the furniture as SVG over it.

use super::sheet::{Colour, Mark, Sheet, SheetLanguage};
use super::text::{Fonts, escape};
use anlan_engine::{Crs, Error, Projector, Result};
use geo::MultiPolygon;
use resvg::{tiny_skia, usvg};
use std::fmt::Write as _;

/// A4 landscape at 200 dpi.
const WIDTH: f32 = 2338.0;
const HEIGHT: f32 = 1654.0;
const DPI: f32 = 200.0;
const COLUMN: f32 = 470.0;
const MARGIN: f32 = 70.0;
const HEAD: f32 = 150.0;
const FOOT: f32 = 90.0;

/// Position of the map on the sheet.
struct Frame {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    /// Map units per pixel.
    scale: f64,
    west: f64,
    north: f64,
}

impl Frame {
    fn of(sheet: &Sheet<'_>) -> Frame {
        let (width, height) = (WIDTH - 2.0 * MARGIN - COLUMN, HEIGHT - HEAD - FOOT);
        let b = sheet.grid().bounds();
        let (w, h) = (b.east - b.west, b.north - b.south);
        let scale = (w / f64::from(width)).max(h / f64::from(height)) * 1.02;
        Frame {
            x: MARGIN,
            y: HEAD,
            width,
            height,
            scale,
            west: 0.5 * (b.west + b.east) - 0.5 * f64::from(width) * scale,
            north: 0.5 * (b.north + b.south) + 0.5 * f64::from(height) * scale,
        }
    }

    fn px(&self, x: f64, y: f64) -> (f32, f32) {
        (
            self.x + ((x - self.west) / self.scale) as f32,
            self.y + ((self.north - y) / self.scale) as f32,
        )
    }

    fn map(&self, px: f32, py: f32) -> (f64, f64) {
        (
            self.west + f64::from(px - self.x) * self.scale,
            self.north - f64::from(py - self.y) * self.scale,
        )
    }

    fn holds(&self, px: f32, py: f32) -> bool {
        px >= self.x && px <= self.x + self.width && py >= self.y && py <= self.y + self.height
    }

    /// Metres on the ground per map unit, at the middle of the map.
    fn metres_per_unit(&self, crs: Crs) -> f64 {
        if !crs.is_geographic() {
            return 1.0;
        }
        let lat = self.north - 0.5 * f64::from(self.height) * self.scale;
        111_320.0 * libm::cos(lat.to_radians())
    }
}

/// Draws a sheet and encodes it as PNG (2338 x 1654 px, A4 landscape at 200 dpi).
///
/// # Errors
/// A character that no font has.
pub fn render_png(sheet: &Sheet<'_>, fonts: &Fonts) -> Result<Vec<u8>> {
    let frame = Frame::of(sheet);
    let svg = furniture(sheet, &frame, fonts)?;
    let mut pixmap = tiny_skia::Pixmap::new(WIDTH as u32, HEIGHT as u32)
        .ok_or_else(|| Error::Failed("a sheet of this size cannot be allocated".into()))?;
    pixmap.fill(tiny_skia::Color::WHITE);
    draw_raster(sheet, &frame, &mut pixmap);
    overlay(&svg, fonts, &mut pixmap)?;
    pixmap
        .encode_png()
        .map_err(|e| Error::Failed(format!("encoding a map: {e}")))
}

/// Renders an SVG over a picture.
pub(super) fn overlay(svg: &str, fonts: &Fonts, pixmap: &mut tiny_skia::Pixmap) -> Result<()> {
    let tree = usvg::Tree::from_str(svg, &fonts.options())
        .map_err(|e| Error::Failed(format!("drawing a sheet: {e}")))?;
    resvg::render(
        &tree,
        tiny_skia::Transform::identity(),
        &mut pixmap.as_mut(),
    );
    Ok(())
}

/// Colour of ground without a class.
const GROUND: [u8; 3] = [248, 247, 243];

fn draw_raster(sheet: &Sheet<'_>, frame: &Frame, pixmap: &mut tiny_skia::Pixmap) {
    let mut colours = [None; 256];
    for entry in &sheet.legend {
        colours[entry.code as usize] = Some(entry.colour.0);
    }
    let width = pixmap.width() as usize;
    let data = pixmap.data_mut();
    for py in frame.y as usize..(frame.y + frame.height) as usize {
        for px in frame.x as usize..(frame.x + frame.width) as usize {
            let (x, y) = frame.map(px as f32 + 0.5, py as f32 + 0.5);
            let Some(cell) = sheet.grid().cell_at(x, y) else {
                continue;
            };
            let relief = sheet
                .hillshade
                .map(|h| h.data[cell])
                .filter(|s| s.is_finite());
            // Ground without a class shows its relief, so that a reader knows where it is.
            let colour = match (colours[sheet.classes.data[cell] as usize], relief) {
                (Some(colour), _) => colour,
                (None, Some(_)) => GROUND,
                (None, None) => continue,
            };
            let shade = relief.map_or(1.0, |s| 0.72 + 0.33 * (s / 255.0));
            let at = 4 * (py * width + px);
            for k in 0..3 {
                data[at + k] = (f32::from(colour[k]) * shade).min(255.0) as u8;
            }
        }
    }
}

fn furniture(sheet: &Sheet<'_>, frame: &Frame, fonts: &Fonts) -> Result<String> {
    let mut svg = Svg {
        out: format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"{}\">",
            escape(fonts.family())
        ),
        fonts,
    };
    let _ = write!(
        svg.out,
        "<clipPath id=\"frame\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>",
        frame.x, frame.y, frame.width, frame.height
    );
    graticule(sheet, frame, &mut svg)?;
    borders(sheet, frame, &mut svg);
    points(sheet, frame, &mut svg);
    labels(sheet, frame, &mut svg)?;
    svg.rect(
        frame.x,
        frame.y,
        frame.width,
        frame.height,
        "none",
        "#000",
        3.0,
    );
    svg.rect(
        frame.x - 34.0,
        frame.y - 34.0,
        frame.width + 68.0,
        frame.height + 68.0,
        "none",
        "#000",
        1.2,
    );
    svg.text(WIDTH / 2.0, 68.0, 52.0, "middle", "#000", &sheet.title)?;
    svg.text(WIDTH / 2.0, 108.0, 26.0, "middle", "#333", &sheet.subtitle)?;
    column(sheet, frame, &mut svg)?;
    marks(sheet, frame, &mut svg)?;
    svg.out.push_str("</svg>");
    Ok(svg.out)
}

/// An SVG in the making.
struct Svg<'a> {
    out: String,
    fonts: &'a Fonts,
}

impl Svg<'_> {
    fn rect(&mut self, x: f32, y: f32, w: f32, h: f32, fill: &str, stroke: &str, width: f32) {
        let _ = write!(
            self.out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>"
        );
    }

    fn text(
        &mut self,
        x: f32,
        y: f32,
        size: f32,
        anchor: &str,
        colour: &str,
        text: &str,
    ) -> Result<()> {
        self.fonts.require(text)?;
        let _ = write!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{}</text>",
            escape(text)
        );
        Ok(())
    }

    fn halo(&mut self, x: f32, y: f32, size: f32, text: &str) -> Result<()> {
        self.fonts.require(text)?;
        let _ = write!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"middle\" fill=\"#111\" stroke=\"#fff\" stroke-width=\"5\" stroke-linejoin=\"round\" paint-order=\"stroke\">{}</text>",
            escape(text)
        );
        Ok(())
    }
}

fn path_of(polygons: &[&MultiPolygon<f64>], frame: &Frame) -> String {
    let mut d = String::new();
    for polygon in polygons.iter().flat_map(|m| m.iter()) {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            let mut last = (f32::NAN, f32::NAN);
            for (i, c) in ring.coords().enumerate() {
                let (x, y) = frame.px(c.x, c.y);
                // Vertices closer than half a pixel to the last one do not show.
                if i > 0 && (x - last.0).abs() + (y - last.1).abs() < 0.5 {
                    continue;
                }
                let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
                last = (x, y);
            }
            d.push('Z');
        }
    }
    d
}

fn borders(sheet: &Sheet<'_>, frame: &Frame, svg: &mut Svg<'_>) {
    for border in &sheet.borders {
        let _ = write!(
            svg.out,
            "<path clip-path=\"url(#frame)\" d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-dasharray=\"{}\" stroke-linejoin=\"round\"/>",
            path_of(&border.polygons, frame),
            border.colour.hex(),
            border.width,
            if border.dash.is_empty() {
                "none"
            } else {
                border.dash
            }
        );
    }
}

fn points(sheet: &Sheet<'_>, frame: &Frame, svg: &mut Svg<'_>) {
    for symbol in &sheet.points {
        for &(x, y) in &symbol.points {
            let (px, py) = frame.px(x, y);
            if frame.holds(px, py) {
                let _ = write!(
                    svg.out,
                    "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"{}\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"1\"/>",
                    symbol.radius,
                    symbol.colour.hex()
                );
            }
        }
    }
}

/// Labels in the order given; each takes the first free of nine places around its point, or is left out.
fn labels(sheet: &Sheet<'_>, frame: &Frame, svg: &mut Svg<'_>) -> Result<()> {
    let mut taken: Vec<[f32; 4]> = Vec::new();
    for label in &sheet.labels {
        let (px, py) = frame.px(label.x, label.y);
        let half = svg.fonts.width(&label.text, label.size) / 2.0;
        let shift = label.size * 1.1;
        let places = [
            (0.0, 0.0),
            (0.0, -shift),
            (0.0, shift),
            (half, 0.0),
            (-half, 0.0),
            (half, -shift),
            (-half, -shift),
            (half, shift),
            (-half, shift),
        ];
        for (dx, dy) in places {
            let (x, y) = (px + dx, py + dy + 0.36 * label.size);
            let area = [
                x - half - 4.0,
                y - label.size,
                x + half + 4.0,
                y + 0.3 * label.size,
            ];
            let inside = frame.holds(area[0], area[1]) && frame.holds(area[2], area[3]);
            let free = taken
                .iter()
                .all(|t| area[0] > t[2] || area[2] < t[0] || area[1] > t[3] || area[3] < t[1]);
            if inside && free {
                svg.halo(x, y, label.size, &label.text)?;
                taken.push(area);
                break;
            }
        }
    }
    Ok(())
}

/// Lines of longitude and latitude with their values at the frame.
fn graticule(sheet: &Sheet<'_>, frame: &Frame, svg: &mut Svg<'_>) -> Result<()> {
    let to_degrees = Projector::new(sheet.crs(), Crs::CGCS2000);
    let from_degrees = Projector::new(Crs::CGCS2000, sheet.crs());
    let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(u, v)| {
        let (x, y) = frame.map(frame.x + u * frame.width, frame.y + v * frame.height);
        to_degrees.point(x, y)
    });
    let range = |f: &dyn Fn(&(f64, f64)) -> f64| {
        corners
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), c| {
                (lo.min(f(c)), hi.max(f(c)))
            })
    };
    let (lon0, lon1) = range(&|c| c.0);
    let (lat0, lat1) = range(&|c| c.1);
    let span = (lon1 - lon0).max(lat1 - lat0);
    let step = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0]
        .into_iter()
        .find(|s| span / s <= 7.0)
        .unwrap_or(10.0);
    let mut line = |along_lat: bool, value: f64| -> Result<()> {
        let mut d = String::new();
        let mut ends: Option<((f32, f32), (f32, f32))> = None;
        for i in 0..=60 {
            let t = f64::from(i) / 60.0;
            let (lon, lat) = if along_lat {
                (value, lat0 + t * (lat1 - lat0))
            } else {
                (lon0 + t * (lon1 - lon0), value)
            };
            let (x, y) = from_degrees.point(lon, lat);
            let p = frame.px(x, y);
            let _ = write!(d, "{}{:.1} {:.1}", if i == 0 { "M" } else { "L" }, p.0, p.1);
            if frame.holds(p.0, p.1) {
                ends = Some(ends.map_or((p, p), |(first, _)| (first, p)));
            }
        }
        let _ = write!(
            svg.out,
            "<path clip-path=\"url(#frame)\" d=\"{d}\" fill=\"none\" stroke=\"#7a8a99\" stroke-width=\"0.8\" stroke-opacity=\"0.7\"/>"
        );
        if let Some((first, last)) = ends {
            let text = degrees(value, if along_lat { "E" } else { "N" });
            if along_lat {
                svg.text(
                    first.0,
                    frame.y + frame.height + 24.0,
                    19.0,
                    "middle",
                    "#333",
                    &text,
                )?;
                svg.text(last.0, frame.y - 10.0, 19.0, "middle", "#333", &text)?;
            } else {
                for (x, y) in [
                    (frame.x - 10.0, first.1),
                    (frame.x + frame.width + 24.0, last.1),
                ] {
                    let _ = write!(
                        svg.out,
                        "<text transform=\"translate({x:.1} {y:.1}) rotate(-90)\" font-size=\"19\" text-anchor=\"middle\" fill=\"#333\">{text}</text>"
                    );
                }
            }
        }
        Ok(())
    };
    let mut k = (lon0 / step).ceil();
    while k * step < lon1 {
        line(true, k * step)?;
        k += 1.0;
    }
    let mut k = (lat0 / step).ceil();
    while k * step < lat1 {
        line(false, k * step)?;
        k += 1.0;
    }
    Ok(())
}

fn degrees(value: f64, side: &str) -> String {
    let minutes = (value * 60.0).round() as i64;
    format!("{}°{:02}′{side}", minutes / 60, minutes % 60)
}

/// North arrow, legend, scale bar, notes, producer: the right column.
fn column(sheet: &Sheet<'_>, frame: &Frame, svg: &mut Svg<'_>) -> Result<()> {
    let zh = sheet.language == SheetLanguage::Zh;
    let x = frame.x + frame.width + 64.0;
    let right = WIDTH - 40.0;
    let mut y = frame.y + 10.0;
    north_arrow(sheet, frame, svg, right - 60.0, y)?;
    y += 20.0;
    svg.text(
        x,
        y + 20.0,
        30.0,
        "start",
        "#000",
        if zh { "图 例" } else { "Legend" },
    )?;
    y += 62.0;
    for line in svg.fonts.wrap(&sheet.legend_title, 23.0, right - x - 130.0) {
        svg.text(x, y, 23.0, "start", "#000", &line)?;
        y += 30.0;
    }
    y += 6.0;
    for entry in &sheet.legend {
        svg.rect(x, y - 6.0, 56.0, 30.0, &entry.colour.hex(), "#444", 1.0);
        svg.text(x + 70.0, y + 18.0, 23.0, "start", "#000", &entry.name)?;
        y += 42.0;
    }
    for symbol in &sheet.points {
        let _ = write!(
            svg.out,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{}\" fill=\"{}\" stroke=\"#fff\"/>",
            x + 28.0,
            y + 9.0,
            symbol.radius.max(6.0),
            symbol.colour.hex()
        );
        svg.text(x + 70.0, y + 18.0, 23.0, "start", "#000", &symbol.name)?;
        y += 40.0;
    }
    for border in sheet.borders.iter().filter(|b| !b.name.is_empty()) {
        let _ = write!(
            svg.out,
            "<line x1=\"{x:.1}\" y1=\"{0:.1}\" x2=\"{1:.1}\" y2=\"{0:.1}\" stroke=\"{2}\" stroke-width=\"{3}\" stroke-dasharray=\"{4}\"/>",
            y + 9.0,
            x + 56.0,
            border.colour.hex(),
            border.width,
            if border.dash.is_empty() {
                "none"
            } else {
                border.dash
            }
        );
        svg.text(x + 70.0, y + 18.0, 23.0, "start", "#000", &border.name)?;
        y += 38.0;
    }
    y += 22.0;
    y = scale_bar(sheet, frame, svg, x, y)?;
    y += 24.0;
    let crs_note = if zh {
        format!("坐标系：{}；高程基准：数据源未注明", sheet.crs().name_zh())
    } else {
        format!(
            "CRS: {}; height datum: not stated by the source",
            sheet.crs().name()
        )
    };
    let mut notes = vec![crs_note];
    notes.extend(sheet.notes.iter().cloned());
    for note in &notes {
        for line in svg.fonts.wrap(note, 19.0, right - x) {
            svg.text(x, y, 19.0, "start", "#333", &line)?;
            y += 25.0;
        }
        y += 7.0;
    }
    let foot = HEIGHT - 24.0;
    let (maker, date) = if zh {
        (
            format!("制图单位：{}", sheet.producer),
            format!("制图日期：{}", sheet.date),
        )
    } else {
        (
            format!("Producer: {}", sheet.producer),
            format!("Date: {}", sheet.date),
        )
    };
    svg.text(frame.x, foot, 21.0, "start", "#333", &maker)?;
    svg.text(WIDTH - MARGIN, foot, 21.0, "end", "#333", &date)
}

/// Arrow towards true north at the middle of the map.
fn north_arrow(sheet: &Sheet<'_>, frame: &Frame, svg: &mut Svg<'_>, x: f32, y: f32) -> Result<()> {
    let (mx, my) = frame.map(frame.x + frame.width / 2.0, frame.y + frame.height / 2.0);
    let (lon, lat) = Projector::new(sheet.crs(), Crs::CGCS2000).point(mx, my);
    let (nx, ny) = Projector::new(Crs::CGCS2000, sheet.crs()).point(lon, lat + 0.01);
    let turn = libm::atan2(nx - mx, ny - my).to_degrees();
    let _ = write!(
        svg.out,
        "<g transform=\"translate({x:.1} {:.1}) rotate({turn:.3})\"><path d=\"M0 -44L22 44L0 26Z\" fill=\"#000\"/><path d=\"M0 -44L-22 44L0 26Z\" fill=\"#fff\" stroke=\"#000\" stroke-width=\"2\"/></g>",
        y + 70.0
    );
    svg.text(x, y + 18.0, 28.0, "middle", "#000", "N")
}

/// A bar of a round length and the ratio, as printed on A4.
fn scale_bar(sheet: &Sheet<'_>, frame: &Frame, svg: &mut Svg<'_>, x: f32, y: f32) -> Result<f32> {
    let metres_per_px = frame.scale * frame.metres_per_unit(sheet.crs());
    let longest = 300.0 * metres_per_px;
    let mut length = 1.0;
    'found: for power in 0..7 {
        for k in [1.0, 2.0, 5.0] {
            let candidate = k * [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6][power];
            if candidate > longest {
                break 'found;
            }
            length = candidate;
        }
    }
    let px = (length / metres_per_px) as f32;
    for k in 0..4 {
        let fill = if k % 2 == 0 { "#000" } else { "#fff" };
        svg.rect(
            x + px * k as f32 / 4.0,
            y,
            px / 4.0,
            11.0,
            fill,
            "#000",
            1.5,
        );
    }
    let zh = sheet.language == SheetLanguage::Zh;
    let unit = if zh { "千米" } else { "km" };
    for (t, value) in [(0.0, 0.0), (0.5, length / 2000.0), (1.0, length / 1000.0)] {
        svg.text(
            x + px * t,
            y + 36.0,
            19.0,
            "middle",
            "#000",
            &format!("{value}"),
        )?;
    }
    svg.text(x + px + 30.0, y + 36.0, 19.0, "start", "#000", unit)?;
    let ratio = metres_per_px / (0.0254 / f64::from(DPI));
    // Two significant digits: a sheet is not measured closer than that.
    let digits = 10_f64.max(libm::pow(10.0, libm::log10(ratio).floor() - 1.0));
    let rounded = (ratio / digits).round() * digits;
    let label = if zh { "比例尺 约" } else { "Scale about" };
    svg.text(
        x,
        y + 70.0,
        21.0,
        "start",
        "#000",
        &format!("{label} 1:{} (A4)", grouped(rounded as u64)),
    )?;
    Ok(y + 86.0)
}

fn grouped(n: u64) -> String {
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

/// Marks in red at the lower left of the map.
fn marks(sheet: &Sheet<'_>, frame: &Frame, svg: &mut Svg<'_>) -> Result<()> {
    let mut y = frame.y + frame.height - 20.0;
    let red = Colour([176, 24, 24]).hex();
    let mut marks: Vec<Mark> = sheet.marks.clone();
    marks.sort();
    marks.dedup();
    for mark in marks {
        let text = mark.text(sheet.language);
        let width = svg.fonts.width(text, 25.0) + 28.0;
        svg.rect(frame.x + 18.0, y - 40.0, width, 42.0, "#ffffff", &red, 2.5);
        svg.text(frame.x + 32.0, y - 10.0, 25.0, "start", &red, text)?;
        y -= 54.0;
    }
    Ok(())
}
