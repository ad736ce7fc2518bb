//! Laws of gale and hail swaths: drawing one, and its exceedance rate at a point in closed form.
//!
//! The area in which a swath of peak V0 exceeds v is 2 pi a b ln(V0/v), so with D swaths per area and year of uniform
//! centres a point exceeds v at the rate D 2 pi E\[ab\] E\[ln(V0/v)+\], and E\[ln(V0/v)+\] is the integral of S(x)/x from v to
//! the bound, S the chance that a peak exceeds x. Sizes and peaks are independent.

use super::parameters::SwathParameters;
use super::shape::Shape;
use crate::weather::quantile::{Count, Length, Season};
use anlan_engine::Bounds;
use anlan_engine::distributions::normal_quantile;

/// Generalised Pareto peak above a least intensity, bounded (shape below 0).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peak {
    pub(crate) least: f64,
    pub(crate) scale: f64,
    pub(crate) shape: f64,
}

impl Peak {
    /// Peak at the upper-tail probability `u`.
    pub(crate) fn quantile(&self, u: f64) -> f64 {
        self.least + self.scale * (libm::pow(u, -self.shape) - 1.0) / self.shape
    }

    /// Chance that a peak exceeds `x`.
    fn exceeds(&self, x: f64) -> f64 {
        let t = 1.0 + self.shape * (x - self.least).max(0.0) / self.scale;
        if t <= 0.0 {
            0.0
        } else {
            libm::pow(t, -1.0 / self.shape)
        }
    }

    /// Upper bound.
    pub(crate) fn most(&self) -> f64 {
        self.least - self.scale / self.shape
    }

    /// E\[ln(V0/v)+\] by Simpson's rule over 512 strips.
    fn mean_log_excess(&self, v: f64) -> f64 {
        const STRIPS: usize = 512;
        let most = self.most();
        if v >= most {
            return 0.0;
        }
        let step = (most - v) / STRIPS as f64;
        let sum: f64 = (0..=STRIPS)
            .map(|i| {
                let x = v + step * i as f64;
                let weight = match i {
                    0 | STRIPS => 1.0,
                    i if i % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                weight * self.exceeds(x) / x
            })
            .sum();
        sum * step / 3.0
    }
}

/// A law ready to draw.
#[derive(Debug, Clone)]
pub(crate) struct SwathLaw {
    measure: usize,
    peak: Peak,
    length: Length,
    aspect: f64,
    angle: (f64, f64),
    season: Season,
    pub(crate) with_storm: f64,
    pub(crate) duration_h: f32,
    /// Swaths per m² and year, with storms and dry.
    density: f64,
    /// Dry swaths are drawn here.
    domain: Bounds,
    pub(crate) dry: Count,
}

impl SwathLaw {
    /// `dry_density` per m² and year over the sites' bounds and the reach of a swath.
    pub(crate) fn new(
        p: &SwathParameters,
        measure: usize,
        least: f64,
        dry_density: f64,
        bounds: &Bounds,
    ) -> Self {
        let peak = Peak {
            least,
            scale: p.scale,
            shape: p.shape,
        };
        let length = Length::new(p.half_axis_m, p.half_axis_log_sd);
        let reach = (2.0 * libm::log(peak.most() / least)).sqrt() * length.most();
        let domain = bounds.expanded(reach);
        let area = (domain.east - domain.west) * (domain.north - domain.south);
        SwathLaw {
            measure,
            peak,
            length,
            aspect: p.aspect,
            angle: (p.angle_deg.to_radians(), p.angle_sd_deg.to_radians()),
            season: Season::new(p.mean_day, p.sd_days, p.first_day, p.last_day),
            with_storm: p.with_storm,
            duration_h: p.duration_h,
            density: p.per_10000_km2_year / 1e10,
            domain,
            dry: Count::new(dry_density * area, p.clustering),
        }
    }

    /// A swath at a centre from three uniforms: size, direction, peak.
    pub(crate) fn swath(&self, centre: (f64, f64), u: [f64; 3]) -> Shape {
        let a = self.length.quantile(u[0]);
        let angle = self.angle.0 + self.angle.1 * normal_quantile(u[1]);
        Shape::Swath {
            measure: self.measure,
            centre,
            half_axes_m: (a, a * self.aspect),
            angle: libm::sincos(angle),
            peak: self.peak.quantile(u[2]),
            least: self.peak.least,
        }
    }

    /// Place of a dry swath from two uniforms.
    pub(crate) fn place(&self, u: [f64; 2]) -> (f64, f64) {
        let d = &self.domain;
        (
            d.west + u[0] * (d.east - d.west),
            d.south + u[1] * (d.north - d.south),
        )
    }

    /// Day of a dry swath.
    pub(crate) fn day(&self, u: f64) -> u16 {
        self.season.quantile(u)
    }

    /// Exceedances of an intensity at a point a year, for intensities from the least one on.
    pub(crate) fn rate(&self, v: f64) -> f64 {
        let spread = std::f64::consts::TAU * self.length.mean_square() * self.aspect;
        self.density * spread * self.peak.mean_log_excess(v.max(self.peak.least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_excess_of_a_uniform_peak_by_hand() {
        // Shape -1: uniform on (10, 20). E[ln(V/10)] = 1/10 integral of ln(x/10) = 2 ln 2 - 1.
        let p = Peak {
            least: 10.0,
            scale: 10.0,
            shape: -1.0,
        };
        let exact = 2.0 * std::f64::consts::LN_2 - 1.0;
        assert!((p.mean_log_excess(10.0) - exact).abs() < 1e-9);
        assert!((p.quantile(0.25) - 17.5).abs() < 1e-12);
        assert_eq!(p.mean_log_excess(20.0), 0.0);
    }
}
