//! Plots of a validation: ROC curves, calibration, reported events on the simulated curve. SVG, and PNG from it.

use super::chart::nice_step;
use super::sheet::Colour;
use super::text::{Fonts, escape};
use anlan_engine::{Error, Result};
use resvg::{tiny_skia, usvg};
use std::fmt::Write as _;

/// Size of every plot, px.
const WIDTH: f32 = 1200.0;
const HEIGHT: f32 = 940.0;
const LEFT: f32 = 150.0;
const TOP: f32 = 128.0;
const RIGHT: f32 = 50.0;
const BOTTOM: f32 = 130.0;

/// Colours of curves, in order; told apart by colour-blind readers, too (Okabe and Ito 2008).
pub const COLOURS: [Colour; 5] = [
    Colour([0, 114, 178]),
    Colour([213, 94, 0]),
    Colour([0, 158, 115]),
    Colour([204, 121, 167]),
    Colour([120, 120, 120]),
];

/// Words around a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Words<'a> {
    /// Title.
    pub title: &'a str,
    /// Name of the horizontal axis.
    pub x: &'a str,
    /// Name of the vertical axis.
    pub y: &'a str,
    /// Note below.
    pub note: &'a str,
}

/// A named curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Name in the legend.
    pub name: String,
    /// (x, y) in order.
    pub points: Vec<(f64, f64)>,
}

/// A class of a calibration plot: predicted, observed, low, high, places.
pub type CalibrationMark = (f64, f64, f64, f64, u32);

/// A reported event: name, return period with its interval, value. An infinite return period is drawn at the right edge.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedMark {
    /// Name beside it.
    pub name: String,
    /// Return period, years.
    pub return_period: f64,
    /// Interval.
    pub low: f64,
    /// Interval.
    pub high: f64,
    /// Value.
    pub value: f64,
}

struct Plot<'a> {
    out: String,
    fonts: &'a Fonts,
}

fn px(u: f64) -> f32 {
    LEFT + u as f32 * (WIDTH - LEFT - RIGHT)
}

fn py(v: f64) -> f32 {
    HEIGHT - BOTTOM - v as f32 * (HEIGHT - TOP - BOTTOM)
}

impl<'a> Plot<'a> {
    fn new(words: &Words<'_>, fonts: &'a Fonts) -> Result<Self> {
        let mut plot = Plot {
            out: format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"{}\"><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>",
                escape(fonts.family())
            ),
            fonts,
        };
        plot.text(WIDTH / 2.0, 50.0, 34.0, "middle", "#222", words.title)?;
        plot.text(
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - BOTTOM + 74.0,
            28.0,
            "middle",
            "#222",
            words.x,
        )?;
        plot.text(LEFT - 60.0, TOP - 18.0, 28.0, "start", "#222", words.y)?;
        plot.text(
            WIDTH - RIGHT,
            HEIGHT - 18.0,
            17.0,
            "end",
            "#555",
            words.note,
        )?;
        Ok(plot)
    }

    fn text(
        &mut self,
        x: f32,
        y: f32,
        size: f32,
        anchor: &str,
        colour: &str,
        content: &str,
    ) -> Result<()> {
        self.fonts.require(content)?;
        let _ = write!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{colour}\" stroke=\"#fff\" stroke-width=\"4\" paint-order=\"stroke\">{}</text>",
            escape(content)
        );
        Ok(())
    }

    fn line(&mut self, a: (f32, f32), b: (f32, f32), colour: &str, width: f32, dash: &str) {
        let _ = write!(
            self.out,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{}\"/>",
            a.0,
            a.1,
            b.0,
            b.1,
            if dash.is_empty() { "none" } else { dash }
        );
    }

    fn curve(&mut self, points: impl Iterator<Item = (f32, f32)>, colour: Colour) {
        let mut d = String::new();
        for (i, (x, y)) in points.enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
        }
        let _ = write!(
            self.out,
            "<path d=\"{d}\" fill=\"none\" stroke=\"{}\" stroke-width=\"4\" stroke-linejoin=\"round\"/>",
            colour.hex()
        );
    }

    fn dot(&mut self, x: f32, y: f32, radius: f32, colour: Colour) {
        let _ = write!(
            self.out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"2\"/>",
            colour.hex()
        );
    }

    /// Both axes from 0 to 1 with the diagonal.
    fn unit_axes(&mut self) -> Result<()> {
        for k in 0..=5 {
            let u = f64::from(k) / 5.0;
            self.line((px(u), py(0.0)), (px(u), py(1.0)), "#ddd", 1.0, "");
            self.line((px(0.0), py(u)), (px(1.0), py(u)), "#ddd", 1.0, "");
            let label = format!("{u}");
            self.text(px(u), py(0.0) + 34.0, 26.0, "middle", "#222", &label)?;
            self.text(px(0.0) - 12.0, py(u) + 9.0, 26.0, "end", "#222", &label)?;
        }
        self.line((px(0.0), py(0.0)), (px(1.0), py(1.0)), "#777", 2.0, "8 6");
        self.frame();
        Ok(())
    }

    fn frame(&mut self) {
        self.line((px(0.0), py(0.0)), (px(0.0), py(1.0)), "#000", 2.0, "");
        self.line((px(0.0), py(0.0)), (px(1.0), py(0.0)), "#000", 2.0, "");
    }

    fn finish(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }
}

/// ROC curves from (0, 0) to (1, 1); the diagonal is what chance gives.
///
/// # Errors
/// A character that no font has.
pub fn roc_svg(words: &Words<'_>, curves: &[Named], fonts: &Fonts) -> Result<String> {
    let mut plot = Plot::new(words, fonts)?;
    plot.unit_axes()?;
    for (k, curve) in curves.iter().enumerate() {
        let colour = COLOURS[k % COLOURS.len()];
        plot.curve(curve.points.iter().map(|&(x, y)| (px(x), py(y))), colour);
    }
    // The legend stands over the curves, which may run anywhere.
    let widest = (curves.iter().map(|c| fonts.width(&c.name, 26.0))).fold(0.0, f32::max);
    let top = py(0.0) - 20.0 - 40.0 * curves.len() as f32;
    let _ = write!(
        plot.out,
        "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#fff\" fill-opacity=\"0.85\"/>",
        px(0.32),
        px(0.39) - px(0.32) + widest + 12.0,
        py(0.0) - 8.0 - top
    );
    for (k, curve) in curves.iter().enumerate() {
        let colour = COLOURS[k % COLOURS.len()];
        let y = py(0.0) - 34.0 - 40.0 * (curves.len() - 1 - k) as f32;
        plot.line((px(0.33), y), (px(0.38), y), &colour.hex(), 5.0, "");
        plot.text(px(0.39), y + 9.0, 26.0, "start", "#222", &curve.name)?;
    }
    Ok(plot.finish())
}

/// Predicted probability against the observed share with its interval; the number of places stands beside each class.
///
/// # Errors
/// A character that no font has.
pub fn calibration_svg(
    words: &Words<'_>,
    classes: &[CalibrationMark],
    fonts: &Fonts,
) -> Result<String> {
    let mut plot = Plot::new(words, fonts)?;
    plot.unit_axes()?;
    let colour = COLOURS[0];
    for &(predicted, observed, low, high, places) in classes {
        let x = px(predicted);
        plot.line((x, py(low)), (x, py(high)), &colour.hex(), 3.0, "");
        for end in [low, high] {
            plot.line(
                (x - 9.0, py(end)),
                (x + 9.0, py(end)),
                &colour.hex(),
                3.0,
                "",
            );
        }
        plot.dot(x, py(observed), 9.0, colour);
        let (anchor, shift) = if predicted > 0.9 {
            ("end", -16.0)
        } else {
            ("start", 16.0)
        };
        let label = format!("n={places}");
        plot.text(x + shift, py(observed) - 12.0, 26.0, anchor, "#222", &label)?;
    }
    Ok(plot.finish())
}

/// Reported events on the simulated curve: return period on a logarithmic axis, value from zero.
///
/// # Errors
/// A character that no font has.
pub fn reported_svg(
    words: &Words<'_>,
    curves: &[Named],
    marks: &[ReportedMark],
    fonts: &Fonts,
) -> Result<String> {
    let mut plot = Plot::new(words, fonts)?;
    let points = || curves.iter().flat_map(|c| &c.points);
    let longest = points().fold(10.0_f64, |m, p| m.max(p.0));
    let top = marks
        .iter()
        .map(|m| m.value)
        .chain(points().map(|p| p.1))
        .fold(0.0_f64, f64::max)
        .max(1e-9)
        * 1.08;
    let along = |t: f64| {
        let t = t.clamp(1.0, longest);
        px(libm::log10(t) / libm::log10(longest))
    };
    for t in [
        1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4,
    ] {
        if t <= longest {
            plot.line((along(t), py(0.0)), (along(t), py(1.0)), "#ddd", 1.0, "");
            let label = format!("{t}");
            plot.text(along(t), py(0.0) + 34.0, 26.0, "middle", "#222", &label)?;
        }
    }
    let step = nice_step(top / 5.0);
    for k in 0..=(top / step) as usize {
        let v = k as f64 * step;
        plot.line(
            (px(0.0), py(v / top)),
            (px(1.0), py(v / top)),
            "#ddd",
            1.0,
            "",
        );
        let label = format!("{v:.6}");
        let label = label.trim_end_matches('0').trim_end_matches('.');
        plot.text(
            px(0.0) - 12.0,
            py(v / top) + 7.0,
            20.0,
            "end",
            "#222",
            label,
        )?;
    }
    plot.frame();
    for (k, curve) in curves.iter().enumerate() {
        let colour = COLOURS[k % COLOURS.len()];
        plot.curve(
            curve.points.iter().map(|&(t, v)| (along(t), py(v / top))),
            colour,
        );
        let y = TOP + 24.0 + 40.0 * k as f32;
        plot.line((px(0.02), y), (px(0.06), y), &colour.hex(), 5.0, "");
        plot.text(px(0.07), y + 9.0, 26.0, "start", "#222", &curve.name)?;
    }
    let red = Colour([176, 24, 24]);
    for mark in marks {
        let y = py(mark.value / top);
        plot.line(
            (along(mark.low), y),
            (along(mark.high), y),
            &red.hex(),
            3.0,
            "",
        );
        let x = along(mark.return_period);
        plot.dot(x, y, 9.0, red);
        let (anchor, shift) = if x > px(0.6) {
            ("end", -14.0)
        } else {
            ("start", 14.0)
        };
        plot.text(x + shift, y - 14.0, 25.0, anchor, "#801010", &mark.name)?;
    }
    Ok(plot.finish())
}

/// An SVG as PNG of the same size.
///
/// # Errors
/// No SVG of a size that can be drawn.
pub fn png(svg: &str, fonts: &Fonts) -> Result<Vec<u8>> {
    let failed = |e: &dyn std::fmt::Display| Error::Failed(format!("drawing a plot: {e}"));
    let tree = usvg::Tree::from_str(svg, &fonts.options()).map_err(|e| failed(&e))?;
    let size = tree.size().to_int_size();
    let mut pixmap = tiny_skia::Pixmap::new(size.width(), size.height())
        .ok_or_else(|| failed(&"no memory for a picture of this size"))?;
    pixmap.fill(tiny_skia::Color::WHITE);
    resvg::render(
        &tree,
        tiny_skia::Transform::identity(),
        &mut pixmap.as_mut(),
    );
    pixmap.encode_png().map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words<'_> = Words {
        title: "检验",
        x: "空报率",
        y: "命中率",
        note: "n=9",
    };

    #[test]
    fn plots_are_pictures() {
        let fonts = Fonts::embedded();
        let curve = Named {
            name: "风险指数 AUC 0.82".into(),
            points: vec![(0.0, 0.0), (0.2, 0.7), (1.0, 1.0)],
        };
        let roc = roc_svg(&WORDS, std::slice::from_ref(&curve), &fonts).unwrap();
        assert!(roc.contains("风险指数 AUC 0.82"));
        let classes = [(0.1, 0.2, 0.05, 0.5, 12), (0.95, 0.8, 0.3, 0.99, 5)];
        let calibration = calibration_svg(&WORDS, &classes, &fonts).unwrap();
        assert!(calibration.contains("n=12") && calibration.contains("text-anchor=\"end\""));
        let mark = ReportedMark {
            name: "2011".into(),
            return_period: f64::INFINITY,
            low: 271.0,
            high: f64::INFINITY,
            value: 12.0,
        };
        let reported = reported_svg(&WORDS, &[curve], &[mark], &fonts).unwrap();
        assert!(!reported.contains("inf") && !reported.contains("NaN"));
        for svg in [roc, calibration, reported] {
            assert_eq!(&png(&svg, &fonts).unwrap()[1..4], b"PNG");
        }
        let unknown = Words {
            title: "龘",
            ..WORDS
        };
        assert!(roc_svg(&unknown, &[], &fonts).unwrap_err().is_input());
    }
}
