//! Frames of rain on a grid of their own.

use super::{Measure, Sampling};
use anlan_engine::{Error, Fault, Grid, Projector, Result, Window};
use std::ops::Range;
use std::path::Path;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frames {
    pub(super) step_s: f64,
    /// Depth of each step, mm, row by row.
    pub(super) depth_mm: Vec<Vec<f32>>,
    /// Frame cells of each compute cell and their weights: one (nearest) or four.
    from: Vec<u32>,
    weight: Vec<f32>,
    per_cell: usize,
}

/// What a unit says of rain, with the factor to mm or mm/h.
pub(super) fn units(text: &str) -> Option<(Measure, f64)> {
    let plain: String = text
        .to_lowercase()
        .replace("**", "")
        .replace('^', "")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Some(match plain.as_str() {
        "mm" | "millimeter" | "millimetre" | "millimeters" | "millimetres" | "kg m-2" | "kg/m2" => {
            (Measure::DepthMm, 1.0)
        }
        "m" | "m of water equivalent" => (Measure::DepthMm, 1000.0),
        "mm/h" | "mm/hr" | "mm/hour" | "mm h-1" | "mm hr-1" | "mm hour-1" => {
            (Measure::IntensityMmH, 1.0)
        }
        "mm/s" | "mm s-1" | "kg m-2 s-1" | "kg/m2/s" | "kg/(m2 s)" => {
            (Measure::IntensityMmH, 3600.0)
        }
        "m s-1" | "m/s" => (Measure::IntensityMmH, 3.6e6),
        "mm/day" | "mm day-1" | "mm/d" | "mm d-1" => (Measure::IntensityMmH, 1.0 / 24.0),
        _ => return None,
    })
}

/// The cells of the frames around the compute grid.
pub(super) fn surroundings(own: &Grid, grid: &Grid, file: &Path) -> Result<Window> {
    let projector = Projector::new(grid.crs, own.crs);
    let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut top, mut bottom) = (f64::INFINITY, f64::NEG_INFINITY);
    for row in 0..grid.rows {
        for col in 0..grid.cols {
            // Extremes lie on the border.
            if row != 0 && row + 1 != grid.rows && col != 0 && col + 1 != grid.cols {
                continue;
            }
            let (x, y) = projector.point(grid.x(col), grid.y(row));
            let (u, v) = ((x - own.west) / own.dx, (own.north - y) / own.dy);
            if !(u >= 0.0 && v >= 0.0 && u <= own.cols as f64 && v <= own.rows as f64) {
                let b = own.bounds();
                return Err(Error::input(
                    Fault::new(
                        file,
                        format!(
                            "frames from {} to {} and from {} to {}",
                            b.west, b.east, b.south, b.north
                        ),
                        format!("cover of the cell centre at {x}, {y}"),
                        "take a larger section of the rain data, or a smaller compute grid",
                    )
                    .at(format!("compute cell row {row}, column {col}")),
                ));
            }
            (left, right) = (left.min(u), right.max(u));
            (top, bottom) = (top.min(v), bottom.max(v));
        }
    }
    // One cell more on each side for bilinear weights.
    let low = |v: f64| (v.floor() as usize).saturating_sub(1);
    let high = |v: f64, n: usize| (v.floor() as usize + 2).min(n);
    let (row, col) = (low(top), low(left));
    Ok(Window {
        row,
        col,
        rows: high(bottom, own.rows) - row,
        cols: high(right, own.cols) - col,
    })
}

impl Frames {
    pub(super) fn new(own: &Grid, grid: &Grid, sampling: Sampling) -> Frames {
        let projector = Projector::new(grid.crs, own.crs);
        let per_cell = match sampling {
            Sampling::Nearest => 1,
            Sampling::Bilinear => 4,
        };
        let mut from = Vec::with_capacity(grid.cells() * per_cell);
        let mut weight = Vec::with_capacity(grid.cells() * per_cell);
        let (rows, cols) = (own.rows as f64, own.cols as f64);
        for row in 0..grid.rows {
            for col in 0..grid.cols {
                let (x, y) = projector.point(grid.x(col), grid.y(row));
                let u = (x - own.west) / own.dx;
                let v = (own.north - y) / own.dy;
                if sampling == Sampling::Nearest {
                    // A centre on the far edge belongs to the last cell.
                    let r = (v as usize).min(own.rows - 1);
                    let c = (u as usize).min(own.cols - 1);
                    from.push((r * own.cols + c) as u32);
                    weight.push(1.0);
                    continue;
                }
                let (u, v) = (
                    (u - 0.5).clamp(0.0, cols - 1.0),
                    (v - 0.5).clamp(0.0, rows - 1.0),
                );
                let (c, r) = (u as usize, v as usize);
                let (fx, fy) = (u - c as f64, v - r as f64);
                let (c1, r1) = ((c + 1).min(own.cols - 1), (r + 1).min(own.rows - 1));
                for (r, wy) in [(r, 1.0 - fy), (r1, fy)] {
                    for (c, wx) in [(c, 1.0 - fx), (c1, fx)] {
                        from.push((r * own.cols + c) as u32);
                        weight.push((wx * wy) as f32);
                    }
                }
            }
        }
        Frames {
            step_s: 1.0,
            depth_mm: Vec::new(),
            from,
            weight,
            per_cell,
        }
    }

    /// Frame cells that some compute cell takes a share of.
    pub(super) fn used(&self, cells: usize) -> Vec<bool> {
        let mut used = vec![false; cells];
        for (&cell, &w) in self.from.iter().zip(&self.weight) {
            used[cell as usize] |= w > 0.0;
        }
        used
    }

    pub(super) fn depth_m(&self, t0_s: f64, t1_s: f64, cells: Range<usize>, out: &mut [f32]) {
        let steps = self.depth_mm.len() as f64;
        let a = (t0_s / self.step_s).clamp(0.0, steps);
        let b = (t1_s / self.step_s).clamp(0.0, steps);
        // Steps that the interval touches, with the share of each.
        let parts: Vec<(&[f32], f64)> = (a as usize..b.ceil() as usize)
            .map(|k| {
                let share = b.min((k + 1) as f64) - a.max(k as f64);
                (self.depth_mm[k].as_slice(), share * 1e-3)
            })
            .filter(|p| p.1 > 0.0)
            .collect();
        let at = cells.start * self.per_cell..cells.end * self.per_cell;
        let from = self.from[at.clone()].chunks_exact(self.per_cell);
        let weight = self.weight[at].chunks_exact(self.per_cell);
        for ((out, from), weight) in out.iter_mut().zip(from).zip(weight) {
            let mut sum = 0.0;
            for &(frame, share) in &parts {
                for (&cell, &w) in from.iter().zip(weight) {
                    sum += share * f64::from(w) * f64::from(frame[cell as usize]);
                }
            }
            *out = sum as f32;
        }
    }
}
