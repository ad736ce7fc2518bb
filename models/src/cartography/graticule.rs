//! Meridians and parallels (经纬网) with their values between the frame and its outer edge.

use super::canvas::{Canvas, Style, overlap};
use super::frame::Frame;
use anlan_engine::{Crs, Projector, Result};
use std::fmt::Write as _;

/// Steps between lines, minutes of arc.
const STEPS: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0,
];
/// Lines across the longer side, at most.
const MOST: f64 = 6.0;
/// Points of a line.
const POINTS: usize = 60;

/// The lines, which are to be cut at the frame. They are numbered on all four sides on `canvas`; numbers that would touch
/// another or the corner are left out.
pub(super) fn draw(
    crs: Crs,
    frame: &Frame,
    band: f32,
    size: f32,
    canvas: &mut Canvas<'_>,
) -> Result<String> {
    let to_degrees = Projector::new(crs, Crs::CGCS2000);
    let from_degrees = Projector::new(Crs::CGCS2000, crs);
    let area = frame.area();
    let mut lon = (f64::INFINITY, f64::NEG_INFINITY);
    let mut lat = lon;
    for i in 0..=8 {
        for j in 0..=8 {
            let (x, y) = frame.map(
                area[0] + frame.width * i as f32 / 8.0,
                area[1] + frame.height * j as f32 / 8.0,
            );
            let p = to_degrees.point(x, y);
            lon = (lon.0.min(p.0), lon.1.max(p.0));
            lat = (lat.0.min(p.1), lat.1.max(p.1));
        }
    }
    let span = (lon.1 - lon.0).max(lat.1 - lat.0) * 60.0;
    let step = STEPS
        .into_iter()
        .find(|s| span / s <= MOST)
        .unwrap_or(STEPS[STEPS.len() - 1]);
    let mut lines = String::new();
    let mut numbers: Vec<(Side, f32, String)> = Vec::new();
    for meridian in [true, false] {
        let (across, along) = if meridian { (lon, lat) } else { (lat, lon) };
        let first = (across.0 * 60.0 / step).ceil() as i64;
        let last = (across.1 * 60.0 / step).floor() as i64;
        for k in first..=last {
            let minutes = k as f64 * step;
            let path: Vec<(f32, f32)> = (0..=POINTS)
                .map(|i| {
                    // A little beyond the frame, so that every line reaches its sides.
                    let t = 1.04 * i as f64 / POINTS as f64 - 0.02;
                    let other = along.0 + t * (along.1 - along.0);
                    let (x, y) = if meridian {
                        from_degrees.point(minutes / 60.0, other)
                    } else {
                        from_degrees.point(other, minutes / 60.0)
                    };
                    frame.mm(x, y)
                })
                .collect();
            for (i, p) in path.iter().enumerate() {
                let command = if i == 0 { 'M' } else { 'L' };
                let _ = write!(lines, "{command}{:.2} {:.2}", p.0, p.1);
            }
            let text = degrees(minutes, meridian);
            let sides = if meridian {
                [Side::North, Side::South]
            } else {
                [Side::West, Side::East]
            };
            for side in sides {
                if let Some(at) = crossing(&path, side, &area) {
                    numbers.push((side, at, text.clone()));
                }
            }
        }
    }
    let lines = format!(
        "<path d=\"{lines}\" fill=\"none\" stroke=\"#6d7f8f\" stroke-width=\"0.1\" stroke-opacity=\"0.75\"/>"
    );
    let style = Style::new(size, "middle").colour("#333");
    let mut taken: Vec<[f32; 4]> = Vec::new();
    for (side, at, text) in numbers {
        let half = canvas.fonts.width(&text, size) / 2.0 + 0.6;
        let (low, high) = match side {
            Side::North | Side::South => (area[0], area[2]),
            _ => (area[1], area[3]),
        };
        let middle = band / 2.0;
        let (x, y) = match side {
            Side::North => (at, area[1] - middle),
            Side::South => (at, area[3] + middle),
            Side::West => (area[0] - middle, at),
            Side::East => (area[2] + middle, at),
        };
        let box_of = match side {
            Side::North | Side::South => [x - half, y - size / 2.0, x + half, y + size / 2.0],
            _ => [x - size / 2.0, y - half, x + size / 2.0, y + half],
        };
        if at - half < low || at + half > high || taken.iter().any(|t| overlap(t, &box_of)) {
            continue;
        }
        taken.push(box_of);
        match side {
            Side::North | Side::South => {
                canvas.text("graticule", x, y + 0.36 * size, style, &text)?;
            }
            _ => canvas.upright("graticule", x, y, style, &text)?,
        }
    }
    Ok(lines)
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    North,
    South,
    West,
    East,
}

/// Where a line crosses a side of the frame, along that side.
fn crossing(path: &[(f32, f32)], side: Side, area: &[f32; 4]) -> Option<f32> {
    let [w, n, e, s] = *area;
    path.windows(2).find_map(|pair| {
        let (a, b) = (pair[0], pair[1]);
        let (from, to, at, low, high) = match side {
            Side::North => (a.1, b.1, n, w, e),
            Side::South => (a.1, b.1, s, w, e),
            Side::West => (a.0, b.0, w, n, s),
            Side::East => (a.0, b.0, e, n, s),
        };
        if from == to || (from - at) * (to - at) > 0.0 {
            return None;
        }
        let t = (at - from) / (to - from);
        let along = match side {
            Side::North | Side::South => a.0 + t * (b.0 - a.0),
            _ => a.1 + t * (b.1 - a.1),
        };
        (along >= low && along <= high).then_some(along)
    })
}

fn degrees(minutes: f64, meridian: bool) -> String {
    let whole = minutes.abs().round() as i64;
    let side = match (meridian, minutes < 0.0) {
        (true, false) => "E",
        (true, true) => "W",
        (false, false) => "N",
        (false, true) => "S",
    };
    format!("{}°{:02}′{side}", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_cross_the_sides_where_they_meet_them() {
        let area = [10.0, 10.0, 110.0, 60.0];
        let path = [(20.0, 80.0), (40.0, 0.0)];
        // From (20, 80) to (40, 0): y = 60 at x = 25, y = 10 at x = 37.5.
        assert_eq!(crossing(&path, Side::South, &area), Some(25.0));
        assert_eq!(crossing(&path, Side::North, &area), Some(37.5));
        assert_eq!(crossing(&path, Side::West, &area), None);
        assert_eq!(degrees(119.0 * 60.0 + 30.0, true), "119°30′E");
        assert_eq!(degrees(-15.0, false), "0°15′S");
    }
}
