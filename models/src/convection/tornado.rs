//! Tornado outbreaks: straight rectangular paths (Meyer, Brooks and Kay 2002, AMS preprint J3.6A), length and width
//! Weibull by class and joined by a Gaussian copula.
//!
//! With D tornadoes per area and year of uniform places, a point is struck at the rate D E\[L W\].

use super::parameters::{PathParameters, TornadoParameters};
use super::shape::Shape;
use crate::weather::quantile::{Count, Season, Steps};
use anlan_engine::Bounds;
use anlan_engine::distributions::{normal_cdf, normal_quantile};
use anlan_engine::random::Stream;

/// Most tornadoes of one outbreak.
const MOST: u32 = 64;
/// Numbers of draws per tornado and per outbreak.
const DRAWS: u32 = 4;

/// Outbreaks ready to draw.
#[derive(Debug, Clone)]
pub(crate) struct Outbreaks {
    pub(crate) count: Count,
    season: Season,
    domain: Bounds,
    scatter_m: f64,
    /// Chance that one more tornado follows.
    more: f64,
    direction: Steps,
    paths: PathParameters,
    /// Tornadoes per m² and year.
    density: f64,
    pub(crate) duration_h: f32,
}

impl Outbreaks {
    /// `most`: greatest activity of the region, for which outbreaks are drawn.
    pub(crate) fn new(p: &TornadoParameters, bounds: &Bounds, most: f64) -> Self {
        let domain = bounds.expanded(p.margin_m);
        let area = (domain.east - domain.west) * (domain.north - domain.south);
        let density = p.outbreaks_per_10000_km2_year / 1e10;
        let mean = density * area * most;
        // Compass to counter-clockwise from east.
        let towards = 90.0 - p.towards_deg;
        Outbreaks {
            count: Count::new(mean, p.clustering),
            season: Season::new(p.mean_day, p.sd_days, p.first_day, p.last_day),
            domain,
            scatter_m: p.scatter_m,
            more: 1.0 - 1.0 / p.mean_per_outbreak,
            direction: Steps::from_density(towards - 180.0, towards + 180.0, |d| {
                libm::exp(p.kappa * (libm::cos((d - towards).to_radians()) - 1.0))
            }),
            paths: p.paths.clone(),
            density: density * p.mean_per_outbreak,
            duration_h: p.duration_h,
        }
    }

    /// Day, place and paths of an outbreak; its draws are at `item`, samples from 0.
    pub(crate) fn draw(
        &self,
        stream: &Stream,
        event: u64,
        item: u32,
    ) -> (u16, (f64, f64), Vec<Shape>) {
        let place = stream.uniform2(event, item, 0);
        let when = stream.uniform2(event, item, 1);
        let d = &self.domain;
        let centre = (
            d.west + place[0] * (d.east - d.west),
            d.south + place[1] * (d.north - d.south),
        );
        // Geometric: n - 1 more with chance more^(n-1).
        let more = if self.more > 0.0 {
            libm::log(when[1]) / libm::log(self.more)
        } else {
            0.0
        };
        let tornadoes = 1 + more.min(f64::from(MOST - 1)) as u32;
        let paths = (0..tornadoes)
            .map(|k| {
                let sample = DRAWS * (k + 1);
                let at = stream.uniform4(event, item, sample);
                let size = stream.uniform2(event, item, sample + 1);
                let class = stream.uniform(event, item, sample + 2);
                let middle = (
                    centre.0 + self.scatter_m * normal_quantile(at[0]),
                    centre.1 + self.scatter_m * normal_quantile(at[1]),
                );
                let ef = self.class(class);
                let z = normal_quantile(size[0]);
                let (length, width) = self.paths.size_m(ef, z, normal_quantile(size[1]));
                Shape::Path {
                    middle,
                    half_length_m: 0.5 * length,
                    half_width_m: 0.5 * width,
                    angle: libm::sincos(self.direction.quantile(at[2]).to_radians()),
                    ef: ef as u8,
                }
            })
            .collect();
        (self.season.quantile(when[0]), centre, paths)
    }

    fn class(&self, u: f64) -> usize {
        let mut sum = 0.0;
        for (ef, share) in self.paths.share.iter().enumerate() {
            sum += share;
            if u < sum {
                return ef;
            }
        }
        // Rounding of the sum of shares: the last class that occurs.
        self.paths.share.iter().rposition(|&s| s > 0.0).unwrap_or(0)
    }

    /// Strikes at a point a year by tornadoes of class `ef` or more.
    pub(crate) fn strike_rate(&self, ef: usize) -> f64 {
        (ef..6)
            .map(|k| self.density * self.paths.share[k] * self.paths.mean_area_m2(k))
            .sum()
    }
}

impl PathParameters {
    /// Length and width in m of a class from two independent standard normals.
    fn size_m(&self, ef: usize, z1: f64, z2: f64) -> (f64, f64) {
        let r = self.correlation[ef];
        let w = r * z1 + (1.0 - r * r).sqrt() * z2;
        let weibull = |z: f64, shape: f64, scale: f64| {
            scale * libm::pow(-libm::log(normal_cdf(-z)), 1.0 / shape)
        };
        (
            1000.0 * weibull(z1, self.length_shape[ef], self.length_scale_km[ef]),
            weibull(w, self.width_shape[ef], self.width_scale_m[ef]),
        )
    }

    /// Mean of length times width, m²: the trapezoid rule over both normals to 8 deviations, which converges
    /// geometrically.
    pub(crate) fn mean_area_m2(&self, ef: usize) -> f64 {
        const STEP: f64 = 0.125;
        let weight = |z: f64| libm::exp(-0.5 * z * z);
        let mut sum = 0.0;
        for i in -64..=64 {
            let z1 = STEP * f64::from(i);
            for j in -64..=64 {
                let z2 = STEP * f64::from(j);
                let (l, w) = self.size_m(ef, z1, z2);
                sum += weight(z1) * weight(z2) * l * w;
            }
        }
        sum * STEP * STEP / std::f64::consts::TAU
    }
}
