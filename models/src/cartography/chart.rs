//! Charts of the reports: exceedance curves with their intervals, lines over time.

use super::drawing::{outlined, overlay};
use super::page::Format;
use super::pdf::pdf_of_svgs;
use super::picture::encode;
use super::sheet::Colour;
use super::text::{Fonts, escape};
use anlan_engine::{Error, Result};
use resvg::tiny_skia;
use std::fmt::Write as _;

/// One curve of a chart: values by return period with their interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Name in the legend.
    pub name: String,
    /// Colour.
    pub colour: Colour,
    /// (return period in years, value, low, high), ascending return period.
    pub points: Vec<(f64, f64, f64, f64)>,
}

const WIDTH: f32 = 1500.0;
const HEIGHT: f32 = 940.0;
const LEFT: f32 = 190.0;
const RIGHT: f32 = 60.0;
const TOP: f32 = 110.0;
const BOTTOM: f32 = 120.0;

/// An exceedance-probability chart as PNG, 1500 x 940; see [`exceedance_svg`].
///
/// # Errors
/// A character that no font has.
pub fn exceedance_png(
    title: &str,
    x_name: &str,
    y_name: &str,
    curves: &[Curve],
    note: &str,
    fonts: &Fonts,
) -> Result<Vec<u8>> {
    let svg = exceedance_svg(title, x_name, y_name, curves, note, fonts)?;
    chart_bytes(&svg, Format::Png, fonts)
}

/// A chart in a format: PNG of 1500 x 940, SVG with letters as paths, PDF of 250 x 157 mm.
///
/// # Errors
/// No SVG.
pub fn chart_bytes(svg: &str, format: Format, fonts: &Fonts) -> Result<Vec<u8>> {
    match format {
        Format::Png => {
            let mut pixmap = tiny_skia::Pixmap::new(WIDTH as u32, HEIGHT as u32)
                .ok_or_else(|| Error::Failed("a chart of this size cannot be allocated".into()))?;
            pixmap.fill(tiny_skia::Color::WHITE);
            overlay(svg, fonts, &mut pixmap)?;
            encode(
                pixmap.data(),
                4,
                (pixmap.width(), pixmap.height()),
                None,
                png::Compression::Balanced,
            )
        }
        Format::Svg => outlined(svg, fonts).map(String::into_bytes),
        Format::Pdf => pdf_of_svgs(&[svg.to_string()], fonts),
    }
}

/// An exceedance-probability chart: return period on a logarithmic axis, value on a linear one from zero. SVG of 250 x 157 mm, a
/// page for [`pdf_of_svgs`].
///
/// # Errors
/// A character that no font has.
pub fn exceedance_svg(
    title: &str,
    x_name: &str,
    y_name: &str,
    curves: &[Curve],
    note: &str,
    fonts: &Fonts,
) -> Result<String> {
    for text in [title, x_name, y_name, note] {
        fonts.require(text)?;
    }
    let all = || curves.iter().flat_map(|c| &c.points);
    let (t0, t1) = all().fold((f64::INFINITY, 1.0_f64), |(lo, hi), p| {
        (lo.min(p.0), hi.max(p.0))
    });
    let t0 = t0.max(1.0);
    let top = all().fold(0.0_f64, |m, p| m.max(p.3)).max(1e-9) * 1.05;
    let span = (libm::log10(t1) - libm::log10(t0)).max(1e-9);
    let px = |t: f64| {
        LEFT + ((libm::log10(t.max(t0)) - libm::log10(t0)) / span) as f32 * (WIDTH - LEFT - RIGHT)
    };
    let py = |v: f64| HEIGHT - BOTTOM - (v / top) as f32 * (HEIGHT - TOP - BOTTOM);
    let mut svg = begin(title, fonts);
    for t in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0] {
        if t >= t0 * 0.999 && t <= t1 * 1.001 {
            line(
                &mut svg,
                (px(t), TOP),
                (px(t), HEIGHT - BOTTOM),
                "#ddd",
                1.0,
            );
            text(
                &mut svg,
                px(t),
                HEIGHT - BOTTOM + 32.0,
                22.0,
                "middle",
                &format!("{t}"),
            );
        }
    }
    let step = nice_step(top / 5.0);
    let mut k = 0.0;
    while k * step <= top {
        let v = k * step;
        line(&mut svg, (LEFT, py(v)), (WIDTH - RIGHT, py(v)), "#ddd", 1.0);
        text(
            &mut svg,
            LEFT - 12.0,
            py(v) + 8.0,
            22.0,
            "end",
            &trim_number(v),
        );
        k += 1.0;
    }
    for curve in curves {
        fonts.require(&curve.name)?;
        let mut band = String::new();
        for (i, p) in curve.points.iter().enumerate() {
            let _ = write!(
                band,
                "{}{:.1} {:.1}",
                if i == 0 { "M" } else { "L" },
                px(p.0),
                py(p.3)
            );
        }
        for p in curve.points.iter().rev() {
            let _ = write!(band, "L{:.1} {:.1}", px(p.0), py(p.2));
        }
        let mut path = String::new();
        for (i, p) in curve.points.iter().enumerate() {
            let _ = write!(
                path,
                "{}{:.1} {:.1}",
                if i == 0 { "M" } else { "L" },
                px(p.0),
                py(p.1)
            );
        }
        let colour = curve.colour.hex();
        let _ = write!(
            svg,
            "<path d=\"{band}Z\" fill=\"{colour}\" fill-opacity=\"0.15\"/><path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"4\"/>"
        );
    }
    legend(&mut svg, curves.iter().map(|c| (c.name.as_str(), c.colour)));
    Ok(finish(svg, (x_name, y_name), note))
}

/// A line of a chart over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Name in the legend.
    pub name: String,
    /// Colour.
    pub colour: Colour,
    /// (time, value), ascending time; NaN leaves a gap.
    pub points: Vec<(f64, f64)>,
}

/// Lines over time on linear axes (过程线). PNG, 1500 x 940.
///
/// # Errors
/// A character that no font has.
pub fn hydrograph_png(
    title: &str,
    x_name: &str,
    y_name: &str,
    traces: &[Trace],
    note: &str,
    fonts: &Fonts,
) -> Result<Vec<u8>> {
    let names = traces.iter().map(|t| t.name.as_str());
    for text in [title, x_name, y_name, note].into_iter().chain(names) {
        fonts.require(text)?;
    }
    let all = || (traces.iter().flat_map(|t| &t.points)).filter(|p| p.1.is_finite());
    let (x1, low, high) = all().fold((0.0f64, f64::INFINITY, f64::NEG_INFINITY), |m, p| {
        (m.0.max(p.0), m.1.min(p.1), m.2.max(p.1))
    });
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let span = (high - low).max(1e-3 * high.abs()).max(1e-6);
    let step = nice_step(span / 6.0);
    let bottom = (low / step).floor() * step;
    let top = ((high / step).ceil() * step).max(bottom + step);
    let right = x1.max(1e-9);
    let px = |t: f64| LEFT + (t / right) as f32 * (WIDTH - LEFT - RIGHT);
    let py =
        |v: f64| HEIGHT - BOTTOM - ((v - bottom) / (top - bottom)) as f32 * (HEIGHT - TOP - BOTTOM);
    let mut svg = begin(title, fonts);
    let x_step = nice_step(right / 8.0);
    for k in 0..=(right / x_step + 1e-9) as usize {
        let t = k as f64 * x_step;
        line(
            &mut svg,
            (px(t), TOP),
            (px(t), HEIGHT - BOTTOM),
            "#ddd",
            1.0,
        );
        let y = HEIGHT - BOTTOM + 32.0;
        text(&mut svg, px(t), y, 22.0, "middle", &trim_number(t));
    }
    for k in 0..=((top - bottom) / step + 0.5) as usize {
        let v = bottom + k as f64 * step;
        line(&mut svg, (LEFT, py(v)), (WIDTH - RIGHT, py(v)), "#ddd", 1.0);
        text(
            &mut svg,
            LEFT - 12.0,
            py(v) + 8.0,
            22.0,
            "end",
            &trim_number(v),
        );
    }
    for trace in traces {
        let mut path = String::new();
        let mut pen_down = false;
        for p in &trace.points {
            if p.1.is_finite() {
                let command = if pen_down { "L" } else { "M" };
                let _ = write!(path, "{command}{:.1} {:.1}", px(p.0), py(p.1));
            }
            pen_down = p.1.is_finite();
        }
        let colour = trace.colour.hex();
        let _ = write!(
            svg,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"3\"/>"
        );
    }
    legend(&mut svg, traces.iter().map(|t| (t.name.as_str(), t.colour)));
    chart_bytes(&finish(svg, (x_name, y_name), note), Format::Png, fonts)
}

fn begin(title: &str, fonts: &Fonts) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.2}mm\" height=\"{:.2}mm\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"{}\">",
        WIDTH / 6.0,
        HEIGHT / 6.0,
        escape(fonts.family())
    );
    text(&mut svg, WIDTH / 2.0, 56.0, 34.0, "middle", title);
    svg
}

/// Names beside their colours, on white, so that lines behind do not hide them.
fn legend<'a>(svg: &mut String, entries: impl ExactSizeIterator<Item = (&'a str, Colour)>) {
    for (i, (name, colour)) in entries.enumerate() {
        let y = TOP + 30.0 + 34.0 * i as f32;
        line(svg, (LEFT + 24.0, y), (LEFT + 74.0, y), &colour.hex(), 5.0);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"23\" fill=\"#222\" stroke=\"#fff\" stroke-width=\"6\" paint-order=\"stroke\">{}</text>",
            LEFT + 86.0,
            y + 8.0,
            escape(name)
        );
    }
}

/// Axes and their names.
fn finish(mut svg: String, names: (&str, &str), note: &str) -> String {
    line(&mut svg, (LEFT, TOP), (LEFT, HEIGHT - BOTTOM), "#000", 2.0);
    line(
        &mut svg,
        (LEFT, HEIGHT - BOTTOM),
        (WIDTH - RIGHT, HEIGHT - BOTTOM),
        "#000",
        2.0,
    );
    text(
        &mut svg,
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - BOTTOM + 70.0,
        25.0,
        "middle",
        names.0,
    );
    text(&mut svg, LEFT, TOP - 22.0, 25.0, "middle", names.1);
    text(&mut svg, WIDTH - RIGHT, HEIGHT - 14.0, 18.0, "end", note);
    svg.push_str("</svg>");
    svg
}

fn text(svg: &mut String, x: f32, y: f32, size: f32, anchor: &str, content: &str) {
    let _ = write!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"#222\">{}</text>",
        escape(content)
    );
}

fn line(svg: &mut String, a: (f32, f32), b: (f32, f32), colour: &str, width: f32) {
    let _ = write!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
        a.0, a.1, b.0, b.1
    );
}

/// The least of 1, 2, 5 times a power of ten that is not below `rough`.
pub(super) fn nice_step(rough: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(rough).floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|k| k * power)
        .find(|&s| s >= rough * 0.999_999)
        .unwrap_or(10.0 * power)
}

fn trim_number(v: f64) -> String {
    let text = format!("{v:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_a_picture() {
        let curve = Curve {
            name: "洪涝".into(),
            colour: Colour([30, 90, 180]),
            points: vec![(2.0, 1.0, 0.5, 1.5), (100.0, 9.0, 7.0, 12.0)],
        };
        let png = exceedance_png(
            "损失超越概率",
            "重现期（年）",
            "亿元",
            &[curve],
            "",
            &Fonts::embedded(),
        )
        .unwrap();
        assert_eq!(&png[1..4], b"PNG");
    }

    #[test]
    fn lines_over_time_are_a_picture() {
        let trace = Trace {
            name: "水位站".into(),
            colour: Colour([30, 90, 180]),
            points: vec![(0.0, 12.0), (0.5, f64::NAN), (1.0, 12.5)],
        };
        let fonts = Fonts::embedded();
        for traces in [vec![trace], Vec::new()] {
            let png = hydrograph_png("水位过程线", "时间（h）", "m", &traces, "", &fonts).unwrap();
            assert_eq!(&png[1..4], b"PNG");
        }
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(nice_step(3.1), 5.0);
        assert_eq!(nice_step(0.17), 0.2);
        assert_eq!(nice_step(1000.0), 1000.0);
    }
}
