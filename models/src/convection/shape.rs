//! Shapes of severe convection on the ground and what they bring to a point.

use crate::weather::Storm;
use anlan_engine::Bounds;

/// Position of an intensity measure in a footprint, as `Hazard::Convection` names them.
pub(crate) const GUST: usize = 0;
/// Hail.
pub(crate) const HAIL: usize = 1;
/// Tornado class.
pub(crate) const TORNADO: usize = 2;
/// Hourly rain.
pub(crate) const RAIN: usize = 3;
/// Nothing happens: what a cell holds where the incident does not bring a measure.
pub(crate) const NOTHING: [f64; 4] = [0.0, 0.0, -1.0, 0.0];

/// One part of an incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// Gale or hail swath: peak exp(-r²/2), r in half axes.
    Swath {
        measure: usize,
        centre: (f64, f64),
        half_axes_m: (f64, f64),
        /// Sine and cosine of the direction of the greater half axis, counter-clockwise from east.
        angle: (f64, f64),
        peak: f64,
        least: f64,
    },
    /// Typhoon gale: the peak within the radius, peak (R/r)^decay outside.
    Vortex {
        centre: (f64, f64),
        radius_m: f64,
        peak: f64,
        decay: f64,
        least: f64,
    },
    /// Tornado path: a rectangle of one class. Width is the greatest width, so the area is an upper bound.
    Path {
        middle: (f64, f64),
        half_length_m: f64,
        half_width_m: f64,
        /// Sine and cosine of the path's direction, counter-clockwise from east.
        angle: (f64, f64),
        ef: u8,
    },
    /// Hourly rain of a convective storm.
    Rain { storm: Storm, least: f64 },
}

impl Shape {
    /// Rectangle around the points that the shape strikes.
    pub(crate) fn bounds(&self) -> Bounds {
        let around = |(x, y): (f64, f64), dx: f64, dy: f64| Bounds {
            west: x - dx,
            south: y - dy,
            east: x + dx,
            north: y + dy,
        };
        match *self {
            Shape::Swath {
                centre,
                half_axes_m,
                angle,
                peak,
                least,
                ..
            } => {
                let r = (2.0 * libm::log(peak / least).max(0.0)).sqrt();
                let (dx, dy) = ellipse_reach(half_axes_m, angle);
                around(centre, r * dx, r * dy)
            }
            Shape::Vortex {
                centre,
                radius_m,
                peak,
                decay,
                least,
            } => {
                let r = radius_m * libm::pow((peak / least).max(1.0), 1.0 / decay);
                around(centre, r, r)
            }
            Shape::Path {
                middle,
                half_length_m: l,
                half_width_m: w,
                angle: (s, c),
                ..
            } => around(middle, l * c.abs() + w * s.abs(), l * s.abs() + w * c.abs()),
            Shape::Rain { storm, least } => {
                let (s, c) = libm::sincos(storm.angle_rad);
                let r2 = 2.0 * libm::log((storm.peak_1h_mm / least).max(1.0));
                let r = r2.min(9.0).sqrt();
                let (dx, dy) = ellipse_reach(storm.half_axes_m, (s, c));
                around(storm.centre, r * dx, r * dy)
            }
        }
    }

    /// Raises the measures of a point to what the shape brings there; below the least intensity it brings nothing.
    /// True where it strikes.
    #[inline]
    pub(crate) fn strike(&self, x: f64, y: f64, values: &mut [f64; 4]) -> bool {
        let (measure, value) = match *self {
            Shape::Swath {
                measure,
                centre,
                half_axes_m,
                angle: (s, c),
                peak,
                least,
            } => {
                let (dx, dy) = (x - centre.0, y - centre.1);
                let u = (dx * c + dy * s) / half_axes_m.0;
                let v = (dy * c - dx * s) / half_axes_m.1;
                let value = peak * libm::exp(-0.5 * (u * u + v * v));
                if value < least {
                    return false;
                }
                (measure, value)
            }
            Shape::Vortex {
                centre,
                radius_m,
                peak,
                decay,
                least,
            } => {
                let (dx, dy) = (x - centre.0, y - centre.1);
                let r = (dx * dx + dy * dy).sqrt();
                let value = if r <= radius_m {
                    peak
                } else {
                    peak * libm::pow(radius_m / r, decay)
                };
                if value < least {
                    return false;
                }
                (GUST, value)
            }
            Shape::Path {
                middle,
                half_length_m,
                half_width_m,
                angle: (s, c),
                ef,
            } => {
                let (dx, dy) = (x - middle.0, y - middle.1);
                let along = dx * c + dy * s;
                let across = dy * c - dx * s;
                if along.abs() > half_length_m || across.abs() > half_width_m {
                    return false;
                }
                (TORNADO, f64::from(ef))
            }
            Shape::Rain { storm, least } => {
                let value = storm.peak_1h_mm * storm.share_at(x, y);
                if value < least {
                    return false;
                }
                (RAIN, value)
            }
        };
        values[measure] = values[measure].max(value);
        true
    }
}

/// Half width and half height of the rectangle around an ellipse.
fn ellipse_reach((a, b): (f64, f64), (s, c): (f64, f64)) -> (f64, f64) {
    (
        (a * a * c * c + b * b * s * s).sqrt(),
        (a * a * s * s + b * b * c * c).sqrt(),
    )
}
