//! Ruled papers of hydrology: normal probability paper (海森机率格纸) for frequency curves, logarithmic paper for
//! intensity-duration-frequency curves. As PNG, and as SVG with the letters drawn as paths, so that it needs no font.
//!
//! Probability paper: the abscissa is the normal quantile of the exceedance probability, rare on the left, so that a normal
//! law is a straight line (Hazen 1914, Trans. ASCE 77, 1539-1640). The ordinate is linear.

use super::chart::nice_step;
use super::drawing::overlay;
use super::sheet::{Colour, SheetLanguage};
use super::text::{Fonts, escape};
use anlan_engine::distributions::normal_quantile;
use anlan_engine::{Error, Result};
use resvg::{tiny_skia, usvg};
use std::fmt::Write as _;

/// A picture in two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// SVG, letters as paths.
    pub svg: String,
    /// PNG, 1800 x 1200.
    pub png: Vec<u8>,
}

/// A curve on probability paper.
#[derive(Debug, Clone, PartialEq)]
pub struct FrequencyCurve {
    /// Name in the legend.
    pub name: String,
    /// Colour.
    pub colour: Colour,
    /// (exceedance probability 0..1, value, low, high), rare to frequent; NaN bounds where there is no band.
    pub points: Vec<(f64, f64, f64, f64)>,
}

/// Plotted values of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct FrequencyPoints {
    /// Name in the legend.
    pub name: String,
    /// True: diamonds, else circles.
    pub diamonds: bool,
    /// (exceedance probability 0..1, value).
    pub points: Vec<(f64, f64)>,
}

/// What is on a probability paper.
#[derive(Debug, Clone, PartialEq)]
pub struct FrequencyPlot {
    /// Title.
    pub title: String,
    /// Name and unit of the values.
    pub y_name: String,
    /// Curves, with their bands.
    pub curves: Vec<FrequencyCurve>,
    /// Plotted values.
    pub points: Vec<FrequencyPoints>,
    /// Name of the bands in the legend; empty where there are none.
    pub band_name: String,
    /// Lines of the parameter box.
    pub parameters: Vec<String>,
    /// Note at the foot.
    pub note: String,
    /// Language of the axes.
    pub language: SheetLanguage,
}

const WIDTH: f32 = 1800.0;
const HEIGHT: f32 = 1200.0;
const LEFT: f32 = 150.0;
const RIGHT: f32 = 60.0;
const TOP: f32 = 170.0;
const BOTTOM: f32 = 130.0;
const INK: &str = "#222";

/// Heavy lines of the paper, percent; those that come first have their number first where room is short.
const HEAVY: [f64; 27] = [
    0.01, 0.1, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99, 5.0, 95.0, 20.0, 80.0, 2.0, 98.0, 0.5,
    99.5, 0.2, 99.8, 30.0, 70.0, 40.0, 60.0, 0.05, 99.95, 0.02, 99.98,
];
/// Light lines, percent.
const LIGHT: [f64; 28] = [
    0.03, 0.3, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 12.0, 14.0, 16.0, 18.0, 25.0, 35.0, 45.0, 55.0, 65.0,
    75.0, 82.0, 84.0, 86.0, 88.0, 92.0, 94.0, 96.0, 97.0, 99.7, 99.97,
];
/// Return periods above the paper, years.
const PERIODS: [f64; 12] = [
    10_000.0, 1000.0, 100.0, 10.0, 2.0, 5.0, 20.0, 50.0, 200.0, 500.0, 5000.0, 2000.0,
];

/// Draws a frequency curve on probability paper from 0.01 to 99.99 %.
///
/// # Errors
/// A character that no font has; no value to draw.
pub fn probability_paper(plot: &FrequencyPlot, fonts: &Fonts) -> Result<Picture> {
    let zh = plot.language == SheetLanguage::Zh;
    let edge = normal_quantile(1e-4);
    let px = |p: f64| {
        LEFT + ((normal_quantile(p.clamp(1e-4, 1.0 - 1e-4)) - edge) / (-2.0 * edge)) as f32
            * (WIDTH - LEFT - RIGHT)
    };
    let seen = || {
        let curves = plot
            .curves
            .iter()
            .flat_map(|c| c.points.iter().map(|p| p.1));
        let points = plot
            .points
            .iter()
            .flat_map(|s| s.points.iter().map(|p| p.1));
        curves.chain(points).filter(|v| v.is_finite())
    };
    let (low, high) = seen().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    });
    if low > high {
        return Err(Error::Failed("a frequency plot without values".into()));
    }
    let span = (high - low).max(1e-9 * high.abs()).max(1e-300);
    // From zero where that wastes less than a third of the paper.
    let low = if low > 0.0 && low < 0.5 * span {
        0.0
    } else {
        low
    };
    let step = nice_step((high - low).max(span) / 8.0);
    let (first, last) = ((low / step).floor(), (high / step + 0.2).ceil());
    let (bottom, top) = (first * step, last * step);
    let py =
        |v: f64| HEIGHT - BOTTOM - ((v - bottom) / (top - bottom)) as f32 * (HEIGHT - TOP - BOTTOM);
    let mut pen = Pen::new(fonts);
    pen.text(WIDTH / 2.0, 56.0, 34.0, "middle", &plot.title)?;

    for p in LIGHT {
        pen.line(
            (px(p / 100.0), TOP),
            (px(p / 100.0), HEIGHT - BOTTOM),
            "#e4ecec",
            1.0,
        );
    }
    for k in 0..((last - first) * 5.0).round() as usize {
        let y = py(bottom + k as f64 * step / 5.0);
        pen.line((LEFT, y), (WIDTH - RIGHT, y), "#e4ecec", 1.0);
    }
    let mut numbered: Vec<(f32, f32)> = Vec::new();
    for p in HEAVY {
        let x = px(p / 100.0);
        pen.line((x, TOP), (x, HEIGHT - BOTTOM), "#b9cccc", 1.3);
        let text = format!("{p}");
        let half = 0.5 * fonts.width(&text, 20.0) + 5.0;
        if numbered.iter().all(|&(a, b)| x + half < a || x - half > b) {
            pen.text(x, HEIGHT - BOTTOM + 30.0, 20.0, "middle", &text)?;
            numbered.push((x - half, x + half));
        }
    }
    numbered.clear();
    for t in PERIODS {
        let x = px(1.0 / t);
        let text = format!("{t}");
        let half = 0.5 * fonts.width(&text, 20.0) + 6.0;
        pen.line((x, TOP - 8.0), (x, TOP), INK, 1.5);
        if numbered.iter().all(|&(a, b)| x + half < a || x - half > b) {
            pen.text(x, TOP - 16.0, 20.0, "middle", &text)?;
            numbered.push((x - half, x + half));
        }
    }
    for k in 0..=(last - first).round() as usize {
        let v = bottom + k as f64 * step;
        pen.line((LEFT, py(v)), (WIDTH - RIGHT, py(v)), "#b9cccc", 1.3);
        pen.text(LEFT - 12.0, py(v) + 7.0, 20.0, "end", &trim_number(v, step))?;
    }
    pen.clip(|pen| {
        for curve in &plot.curves {
            let bound =
                |p: &&(f64, f64, f64, f64)| p.1.is_finite() && p.2.is_finite() && p.3.is_finite();
            let banded: Vec<_> = curve.points.iter().filter(bound).collect();
            if banded.len() > 1 {
                let upper = banded.iter().map(|p| (px(p.0), py(p.3)));
                let lower = banded.iter().rev().map(|p| (px(p.0), py(p.2)));
                pen.area(upper.chain(lower), curve.colour, 0.13);
                for side in [
                    |p: &(f64, f64, f64, f64)| p.2,
                    |p: &(f64, f64, f64, f64)| p.3,
                ] {
                    let edge = banded.iter().map(|p| (px(p.0), py(side(p))));
                    pen.path(edge, curve.colour, 1.6, "8 6");
                }
            }
        }
        for series in &plot.points {
            for &(p, v) in &series.points {
                pen.mark(px(p), py(v), series.diamonds);
            }
        }
        for curve in &plot.curves {
            let middle = curve.points.iter().filter(|p| p.1.is_finite());
            pen.path(middle.map(|p| (px(p.0), py(p.1))), curve.colour, 3.5, "");
        }
    });
    pen.frame();
    let x_name = if zh {
        "频率 P（%）"
    } else {
        "Exceedance probability P (%)"
    };
    let t_name = if zh {
        "重现期（年）"
    } else {
        "Return period (years)"
    };
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    pen.text(middle, HEIGHT - BOTTOM + 68.0, 24.0, "middle", x_name)?;
    pen.text(WIDTH - RIGHT, TOP - 46.0, 22.0, "end", t_name)?;
    pen.text(LEFT - 100.0, TOP - 46.0, 24.0, "start", &plot.y_name)?;
    pen.text(WIDTH - RIGHT, HEIGHT - 18.0, 18.0, "end", &plot.note)?;

    // The upper right is free on this paper: curves fall from left to right.
    let mut rows: Vec<(Key, &str)> = Vec::new();
    for s in &plot.points {
        rows.push((Key::Mark(s.diamonds), &s.name));
    }
    for c in &plot.curves {
        rows.push((Key::Line(c.colour), &c.name));
    }
    if let (false, Some(c)) = (plot.band_name.is_empty(), plot.curves.first()) {
        rows.push((Key::Band(c.colour), &plot.band_name));
    }
    for p in &plot.parameters {
        rows.push((Key::None, p));
    }
    pen.legend(&rows, Some(WIDTH - RIGHT - 18.0), TOP + 18.0)?;
    pen.finish()
}

/// Curves of intensity over duration on logarithmic paper.
#[derive(Debug, Clone, PartialEq)]
pub struct IntensityPlot {
    /// Title.
    pub title: String,
    /// Name and unit of the intensity.
    pub y_name: String,
    /// Per return period: name, curve and plotted values, both (duration in min, intensity).
    pub periods: Vec<IntensityCurve>,
    /// Lines of the box: the formula and its errors.
    pub parameters: Vec<String>,
    /// Note at the foot.
    pub note: String,
    /// Language of the axes.
    pub language: SheetLanguage,
}

/// A point of intensity over duration: min, and the unit of the plot.
pub type DurationIntensity = (f64, f64);

/// One return period of an [`IntensityPlot`].
#[derive(Debug, Clone, PartialEq)]
pub struct IntensityCurve {
    /// Name in the legend.
    pub name: String,
    /// The formula.
    pub curve: Vec<DurationIntensity>,
    /// The values that it was fitted to.
    pub points: Vec<DurationIntensity>,
}

/// Rare to frequent: dark to light, still told apart in print.
const SHADES: [[u8; 3]; 10] = [
    [68, 1, 84],
    [72, 40, 120],
    [62, 74, 137],
    [49, 104, 142],
    [38, 130, 142],
    [31, 158, 137],
    [53, 183, 121],
    [110, 196, 75],
    [171, 196, 40],
    [210, 180, 20],
];

/// Draws intensity over duration, both logarithmic.
///
/// # Errors
/// A character that no font has; no value above zero to draw.
pub fn intensity_paper(plot: &IntensityPlot, fonts: &Fonts) -> Result<Picture> {
    let zh = plot.language == SheetLanguage::Zh;
    let seen = || {
        let all = plot
            .periods
            .iter()
            .flat_map(|c| c.curve.iter().chain(&c.points));
        all.filter(|p| p.0 > 0.0 && p.1 > 0.0 && p.1.is_finite())
    };
    let bounds = |of: fn(&DurationIntensity) -> f64| {
        seen().fold((f64::INFINITY, 0.0_f64), |(l, h), p| {
            (l.min(of(p)), h.max(of(p)))
        })
    };
    let ((t0, t1), (low, high)) = (bounds(|p| p.0), bounds(|p| p.1));
    if t0 >= t1 {
        return Err(Error::Failed("an intensity plot without values".into()));
    }
    let share = |v: f64, a: f64, b: f64| (libm::log(v / a) / libm::log(b / a)) as f32;
    let (t0, t1, low, high) = (t0 / 1.15, t1 * 1.15, low / 1.2, high * 1.2);
    let px = |t: f64| LEFT + share(t, t0, t1) * (WIDTH - LEFT - RIGHT);
    let py = |v: f64| HEIGHT - BOTTOM - share(v, low, high) * (HEIGHT - TOP - BOTTOM);
    let mut pen = Pen::new(fonts);
    pen.text(WIDTH / 2.0, 56.0, 34.0, "middle", &plot.title)?;
    let ticks = [
        5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 360.0, 720.0, 1440.0, 2880.0, 4320.0, 20.0, 90.0,
        15.0, 45.0, 150.0, 240.0, 540.0, 1.0, 2.0, 3.0,
    ];
    let mut numbered: Vec<(f32, f32)> = Vec::new();
    for t in ticks.into_iter().filter(|t| (t0..=t1).contains(t)) {
        let (x, text) = (px(t), format!("{t}"));
        pen.line((x, TOP), (x, HEIGHT - BOTTOM), "#d3dede", 1.2);
        let half = 0.5 * fonts.width(&text, 21.0) + 5.0;
        if numbered.iter().all(|&(a, b)| x + half < a || x - half > b) {
            pen.text(x, HEIGHT - BOTTOM + 31.0, 21.0, "middle", &text)?;
            numbered.push((x - half, x + half));
        }
    }
    let mut decade = libm::pow(10.0, libm::log10(low).floor());
    while decade <= high {
        for k in 1..10 {
            let v = decade * f64::from(k);
            if !(low..=high).contains(&v) {
                continue;
            }
            let named = [1, 2, 5].contains(&k);
            let colour = if named { "#b9cccc" } else { "#e4ecec" };
            pen.line((LEFT, py(v)), (WIDTH - RIGHT, py(v)), colour, 1.2);
            if named {
                pen.text(
                    LEFT - 12.0,
                    py(v) + 7.0,
                    21.0,
                    "end",
                    &trim_number(v, decade),
                )?;
            }
        }
        decade *= 10.0;
    }
    let n = plot.periods.len();
    // Spread over the shades, the rarest darkest.
    let shade = |i: usize| {
        let place = (n - 1 - i) * (SHADES.len() - 1) / n.saturating_sub(1).max(1);
        Colour(SHADES[place.min(SHADES.len() - 1)])
    };
    pen.clip(|pen| {
        for (i, period) in plot.periods.iter().enumerate() {
            pen.path(
                period.curve.iter().map(|p| (px(p.0), py(p.1))),
                shade(i),
                3.0,
                "",
            );
            for p in &period.points {
                pen.dot(px(p.0), py(p.1), shade(i));
            }
        }
    });
    pen.frame();
    let x_name = if zh {
        "历时（分钟）"
    } else {
        "Duration (min)"
    };
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    pen.text(middle, HEIGHT - BOTTOM + 70.0, 24.0, "middle", x_name)?;
    pen.text(LEFT - 100.0, TOP - 26.0, 24.0, "start", &plot.y_name)?;
    pen.text(WIDTH - RIGHT, HEIGHT - 18.0, 18.0, "end", &plot.note)?;
    let mut rows: Vec<(Key, &str)> = Vec::new();
    for i in (0..n).rev() {
        rows.push((Key::Line(shade(i)), &plot.periods[i].name));
    }
    for p in &plot.parameters {
        rows.push((Key::None, p));
    }
    // The lower left is free on this paper.
    let foot = HEIGHT - BOTTOM - 18.0 - Pen::legend_height(rows.len());
    pen.legend(&rows, None, foot)?;
    pen.finish()
}

/// Height of a row of the legend, px.
const LEGEND_ROW: f32 = 32.0;

/// Sign before a row of the legend.
#[derive(Clone, Copy)]
enum Key {
    Line(Colour),
    Band(Colour),
    Mark(bool),
    None,
}

/// An SVG under way.
struct Pen<'a> {
    svg: String,
    fonts: &'a Fonts,
}

impl<'a> Pen<'a> {
    fn new(fonts: &'a Fonts) -> Self {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"{}\"><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>",
            escape(fonts.family())
        );
        Pen { svg, fonts }
    }

    fn text(&mut self, x: f32, y: f32, size: f32, anchor: &str, content: &str) -> Result<()> {
        self.fonts.require(content)?;
        let _ = write!(
            self.svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{INK}\">{}</text>",
            escape(content)
        );
        Ok(())
    }

    fn line(&mut self, a: (f32, f32), b: (f32, f32), colour: &str, width: f32) {
        let _ = write!(
            self.svg,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
            a.0, a.1, b.0, b.1
        );
    }

    fn path(
        &mut self,
        points: impl Iterator<Item = (f32, f32)>,
        colour: Colour,
        width: f32,
        dash: &str,
    ) {
        let _ = write!(
            self.svg,
            "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"{}/>",
            steps(points),
            colour.hex(),
            if dash.is_empty() {
                String::new()
            } else {
                format!(" stroke-dasharray=\"{dash}\"")
            }
        );
    }

    fn area(&mut self, points: impl Iterator<Item = (f32, f32)>, colour: Colour, opacity: f32) {
        let _ = write!(
            self.svg,
            "<path d=\"{}Z\" fill=\"{}\" fill-opacity=\"{opacity}\"/>",
            steps(points),
            colour.hex()
        );
    }

    fn mark(&mut self, x: f32, y: f32, diamond: bool) {
        let _ = if diamond {
            write!(
                self.svg,
                "<path d=\"M{:.1} {y:.1}L{x:.1} {:.1}L{:.1} {y:.1}L{x:.1} {:.1}Z\" fill=\"#fff\" stroke=\"#b00\" stroke-width=\"2.5\"/>",
                x - 9.0,
                y - 9.0,
                x + 9.0,
                y + 9.0
            )
        } else {
            write!(
                self.svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5.5\" fill=\"#fff\" stroke=\"{INK}\" stroke-width=\"2\"/>"
            )
        };
    }

    fn dot(&mut self, x: f32, y: f32, colour: Colour) {
        let _ = write!(
            self.svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"#fff\" stroke=\"{}\" stroke-width=\"2.5\"/>",
            colour.hex()
        );
    }

    /// Draws within the frame only.
    fn clip(&mut self, draw: impl FnOnce(&mut Self)) {
        let _ = write!(
            self.svg,
            "<clipPath id=\"paper\"><rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"/></clipPath><g clip-path=\"url(#paper)\">",
            WIDTH - LEFT - RIGHT,
            HEIGHT - TOP - BOTTOM
        );
        draw(self);
        self.svg.push_str("</g>");
    }

    fn frame(&mut self) {
        let _ = write!(
            self.svg,
            "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"2\"/>",
            WIDTH - LEFT - RIGHT,
            HEIGHT - TOP - BOTTOM
        );
    }

    fn legend_height(rows: usize) -> f32 {
        LEGEND_ROW * rows as f32 + 16.0
    }

    /// A box of rows whose upper right corner is given; without `right` it stands at the left edge.
    fn legend(&mut self, rows: &[(Key, &str)], right: Option<f32>, top: f32) -> Result<()> {
        const SIZE: f32 = 21.0;
        let keyed = |k: &Key| !matches!(k, Key::None);
        let width = rows
            .iter()
            .map(|(k, t)| self.fonts.width(t, SIZE) + if keyed(k) { 66.0 } else { 0.0 })
            .fold(0.0, f32::max)
            + 28.0;
        let left = right.map_or(LEFT + 18.0, |right| right - width);
        let _ = write!(
            self.svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"#fff\" fill-opacity=\"0.92\" stroke=\"#888\" stroke-width=\"1\"/>",
            Pen::legend_height(rows.len())
        );
        for (i, (key, name)) in rows.iter().enumerate() {
            let y = top + 24.0 + LEGEND_ROW * i as f32;
            let (a, b) = (left + 14.0, left + 64.0);
            match *key {
                Key::Line(c) => self.line((a, y), (b, y), &c.hex(), 4.0),
                Key::Band(c) => {
                    let edge = [(a, y - 9.0), (b, y - 9.0), (b, y + 9.0), (a, y + 9.0)];
                    self.area(edge.into_iter(), c, 0.2);
                }
                Key::Mark(diamond) => self.mark((a + b) / 2.0, y, diamond),
                Key::None => {}
            }
            let x = if keyed(key) { b + 14.0 } else { a };
            self.text(x, y + 7.0, SIZE, "start", name)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Picture> {
        self.svg.push_str("</svg>");
        let tree = usvg::Tree::from_str(&self.svg, &self.fonts.options())
            .map_err(|e| Error::Failed(format!("drawing a sheet: {e}")))?;
        let mut pixmap = tiny_skia::Pixmap::new(WIDTH as u32, HEIGHT as u32)
            .ok_or_else(|| Error::Failed("a chart of this size cannot be allocated".into()))?;
        overlay(&self.svg, self.fonts, &mut pixmap)?;
        let png = pixmap
            .encode_png()
            .map_err(|e| Error::Failed(format!("encoding a chart: {e}")))?;
        Ok(Picture {
            svg: tree.to_string(&usvg::WriteOptions::default()),
            png,
        })
    }
}

fn steps(points: impl Iterator<Item = (f32, f32)>) -> String {
    let mut path = String::new();
    for (i, (x, y)) in points.enumerate() {
        // Beyond these the renderer's coordinates lose their meaning; the frame clips long before.
        let y = y.clamp(-1e5, 1e5);
        let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
    }
    path
}

/// A number with the decimals that its step needs.
fn trim_number(v: f64, step: f64) -> String {
    let decimals = (-libm::log10(step).floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{v:.decimals$}");
    if text
        .trim_start_matches('-')
        .chars()
        .all(|c| c == '0' || c == '.')
    {
        "0".into()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn papers_are_pictures_without_fonts() {
        let curve = FrequencyCurve {
            name: "皮尔逊Ⅲ型".into(),
            colour: Colour([30, 90, 180]),
            points: vec![
                (1e-4, 9.0, 7.0, 30.0),
                (0.5, 3.0, 2.5, 3.5),
                (0.9999, 1.0, f64::NAN, f64::NAN),
            ],
        };
        let mut plot = FrequencyPlot {
            title: "年最大洪峰流量频率曲线".into(),
            y_name: "流量（m³/s）".into(),
            curves: vec![curve],
            points: vec![FrequencyPoints {
                name: "经验点据".into(),
                diamonds: false,
                points: vec![(0.2, 4.0), (0.8, 2.0)],
            }],
            band_name: "90%置信区间".into(),
            parameters: vec!["均值=3.98 Cv=0.06 Cs=0.84".into()],
            note: String::new(),
            language: SheetLanguage::Zh,
        };
        let fonts = Fonts::embedded();
        let picture = probability_paper(&plot, &fonts).unwrap();
        assert_eq!(&picture.png[1..4], b"PNG");
        assert!(picture.svg.contains("<path") && !picture.svg.contains("<text"));
        assert_eq!(probability_paper(&plot, &fonts).unwrap(), picture);
        plot.curves.clear();
        plot.points.clear();
        assert!(probability_paper(&plot, &fonts).is_err());
    }

    #[test]
    fn numbers_of_axes() {
        assert_eq!(trim_number(0.30000000000000004, 0.1), "0.3");
        assert_eq!(trim_number(1200.0, 200.0), "1200");
        assert_eq!(trim_number(-0.0, 0.5), "0");
    }
}
