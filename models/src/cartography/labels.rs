//! Names on the map: each takes the first free place near its point, then one farther off with a leader.
//!
//! Places are tried in the order of the labels, so the first label has the best choice (greedy point-feature placement with
//! fixed positions; Imhof 1975, Positioning names on maps).

use super::canvas::{ASCENT, Canvas, DESCENT, Style, overlap};
use super::frame::Frame;
use super::sheet::{Label, Sheet};
use anlan_engine::Result;
use std::fmt::Write as _;

/// Space kept around letters, mm.
const AIR: f32 = 0.5;
/// Directions in which a place is sought, the better ones first.
const SIDES: [(f32, f32); 8] = [
    (0.0, -1.0),
    (0.0, 1.0),
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.8, -0.8),
    (-0.8, -0.8),
    (0.8, 0.8),
    (-0.8, 0.8),
];

/// Lines of a label and where their middle stands.
struct Place {
    lines: Vec<String>,
    x: f32,
    y: f32,
    leader: bool,
}

/// Draws the labels clear of each other and of `taken`; returns the names that found no place.
pub(super) fn draw(
    sheet: &Sheet<'_>,
    frame: &Frame,
    px: f32,
    mut taken: Vec<[f32; 4]>,
    canvas: &mut Canvas<'_>,
) -> Result<Vec<String>> {
    let mut dropped = Vec::new();
    for label in &sheet.labels {
        canvas.fonts.require(&label.text)?;
        let (x, y) = frame.mm(label.x, label.y);
        if !frame.holds(x, y) {
            continue;
        }
        let size = label.size * px;
        match place(label, (x, y), size, frame, &taken, canvas) {
            Some(place) => {
                if place.leader {
                    leader(canvas, (x, y), &place, size);
                }
                let style = Style {
                    halo: 0.14 * size,
                    ..Style::new(size, "middle")
                };
                let top = place.y - 0.5 * size * place.lines.len() as f32;
                for (i, line) in place.lines.iter().enumerate() {
                    let base = top + size * (i as f32 + 0.5) + 0.5 * (ASCENT - DESCENT) * size;
                    taken.push(grown(canvas.area(place.x, base, &style, line)));
                    canvas.text("label", place.x, base, style, line)?;
                }
            }
            None => dropped.push(label.text.clone()),
        }
    }
    Ok(dropped)
}

fn grown(a: [f32; 4]) -> [f32; 4] {
    [a[0] - AIR, a[1] - 0.5 * AIR, a[2] + AIR, a[3] + 0.5 * AIR]
}

fn place(
    label: &Label,
    at: (f32, f32),
    size: f32,
    frame: &Frame,
    taken: &[[f32; 4]],
    canvas: &Canvas<'_>,
) -> Option<Place> {
    let inside = frame.area();
    let forms: Vec<(Vec<String>, f32)> = std::iter::once(vec![label.text.clone()])
        .chain(halves(&label.text))
        .map(|lines| {
            let half = half_width(&lines, size, canvas);
            (lines, half)
        })
        .collect();
    let free = |lines: usize, half: f32, x: f32, y: f32| {
        let tall = 0.5 * size * lines as f32 + 0.02 * size;
        let area = grown([x - half, y - tall, x + half, y + tall]);
        area[0] >= inside[0]
            && area[1] >= inside[1]
            && area[2] <= inside[2]
            && area[3] <= inside[3]
            && !taken.iter().any(|t| overlap(t, &area))
    };
    let found = |lines: &[String], x: f32, y: f32, leader: bool| {
        Some(Place {
            lines: lines.to_vec(),
            x,
            y,
            leader,
        })
    };
    for (lines, half) in &forms {
        if free(lines.len(), *half, at.0, at.1) {
            return found(lines, at.0, at.1, false);
        }
    }
    for step in 1..=14 {
        let reach = step as f32 * 0.6 * size;
        for (lines, half) in &forms {
            for (dx, dy) in SIDES {
                let x = at.0 + dx * (reach + half * dx.abs());
                let y = at.1 + dy * (reach + 0.5 * size * lines.len() as f32 * dy.abs());
                if free(lines.len(), *half, x, y) {
                    return found(lines, x, y, step > 2);
                }
            }
        }
    }
    None
}

fn half_width(lines: &[String], size: f32, canvas: &Canvas<'_>) -> f32 {
    let widths = lines.iter().map(|l| canvas.fonts.width(l, size));
    widths.fold(0.0, f32::max) / 2.0
}

/// A name in two lines, where it is long enough to be worth it: at a space near its middle, or between hanzi.
fn halves(text: &str) -> Option<Vec<String>> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 5 {
        return None;
    }
    let middle = chars.len().div_ceil(2);
    let cut = if chars.contains(&' ') {
        (0..chars.len())
            .filter(|&i| chars[i] == ' ')
            .min_by_key(|&i| i.abs_diff(middle))?
    } else if chars.iter().all(|&c| c as u32 >= 0x2E80) {
        middle
    } else {
        return None;
    };
    let line = |c: &[char]| c.iter().collect::<String>().trim().to_string();
    Some(vec![line(&chars[..cut]), line(&chars[cut..])])
}

/// A thin line from the point to the nearest edge of its name, with a dot on the point.
fn leader(canvas: &mut Canvas<'_>, at: (f32, f32), place: &Place, size: f32) {
    let half = half_width(&place.lines, size, canvas);
    let tall = 0.5 * size * place.lines.len() as f32;
    let end = (
        at.0.clamp(place.x - half, place.x + half),
        at.1.clamp(place.y - tall, place.y + tall),
    );
    canvas.line(at, end, "#333", 0.15, "");
    let _ = write!(
        canvas.out,
        "<circle cx=\"{:.2}\" cy=\"{:.2}\" r=\"0.35\" fill=\"#333\"/>",
        at.0, at.1
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_break_in_the_middle_or_at_a_space() {
        assert_eq!(halves("婺城区"), None);
        assert_eq!(
            halves("景宁畲族自治县").unwrap(),
            ["景宁畲族".to_string(), "自治县".to_string()]
        );
        assert_eq!(
            halves("Jinhua county").unwrap(),
            ["Jinhua".to_string(), "county".to_string()]
        );
        assert_eq!(halves("Wucheng"), None);
    }
}
