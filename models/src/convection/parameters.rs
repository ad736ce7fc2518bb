//! Parameters of severe convection, from `models/standards/convection.toml`.

use crate::weather::{Check, Status, read_toml};
use anlan_engine::Result;
use serde::Deserialize;
use std::path::Path;

const SHIPPED: &str = include_str!("../../standards/convection.toml");
const SHIPPED_FILE: &str = "models/standards/convection.toml";

/// A law of elliptic swaths: of gale or of hail.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwathParameters {
    /// Name.
    pub name: String,
    /// Mean number of swaths per 10,000 km² and year, with storms and dry together.
    pub per_10000_km2_year: f64,
    /// Chance that a convective storm of the weather year brings one.
    pub with_storm: f64,
    /// Median of the greater half axis (intensity exp(-1/2) of the peak), m.
    pub half_axis_m: f64,
    /// Standard deviation of its logarithm; cut at 2.5.
    pub half_axis_log_sd: f64,
    /// Smaller over greater half axis.
    pub aspect: f64,
    /// Mean direction of the greater half axis, degrees counter-clockwise from east.
    pub angle_deg: f64,
    /// Its standard deviation, degrees.
    pub angle_sd_deg: f64,
    /// Scale of the generalised Pareto peak above the least intensity, in the measure's unit.
    pub scale: f64,
    /// Its shape, below 0: the peak is bounded.
    pub shape: f64,
    /// Mean day of the year before the cut, for dry swaths.
    pub mean_day: f64,
    /// Standard deviation before the cut, days.
    pub sd_days: f64,
    /// First day.
    pub first_day: u16,
    /// Last day.
    pub last_day: u16,
    /// Duration of a dry swath, h.
    pub duration_h: f32,
    /// Variance of the dry count = mean + clustering mean².
    pub clustering: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Gale of typhoon storms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TyphoonParameters {
    /// Least peak gust, m/s.
    pub threshold_m_s: f64,
    /// Scale of the generalised Pareto peak, m/s.
    pub scale: f64,
    /// Its shape, below 0.
    pub shape: f64,
    /// Median radius of the greatest gust, m.
    pub radius_m: f64,
    /// Standard deviation of its logarithm; cut at 2.5.
    pub radius_log_sd: f64,
    /// Exponent of the decay outside the radius.
    pub decay: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Tornado paths by EF class 0..=5.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathParameters {
    /// Share of tornadoes.
    pub share: [f64; 6],
    /// Weibull shape of the length.
    pub length_shape: [f64; 6],
    /// Weibull scale of the length, km.
    pub length_scale_km: [f64; 6],
    /// Weibull shape of the width.
    pub width_shape: [f64; 6],
    /// Weibull scale of the width, m.
    pub width_scale_m: [f64; 6],
    /// Correlation of the Gaussian copula of length and width.
    pub correlation: [f64; 6],
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Tornado outbreaks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TornadoParameters {
    /// Mean number of outbreaks per 10,000 km² and year.
    pub outbreaks_per_10000_km2_year: f64,
    /// Mean number of tornadoes of an outbreak, at least 1.
    pub mean_per_outbreak: f64,
    /// Standard deviation of a tornado's place about the outbreak's, each way, m.
    pub scatter_m: f64,
    /// Margin around the sites in which outbreaks are drawn, m.
    pub margin_m: f64,
    /// Mean direction of travel, degrees clockwise from north.
    pub towards_deg: f64,
    /// Concentration of the direction.
    pub kappa: f64,
    /// Mean day of the year before the cut.
    pub mean_day: f64,
    /// Standard deviation before the cut, days.
    pub sd_days: f64,
    /// First day.
    pub first_day: u16,
    /// Last day.
    pub last_day: u16,
    /// Duration, h.
    pub duration_h: f32,
    /// Variance of a year's outbreaks = mean + clustering mean².
    pub clustering: f64,
    /// Path sizes.
    pub paths: PathParameters,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// All parameters of severe convection.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvectionParameters {
    /// Side of the blocks of cells over which gale, hail and rain are taken as uniform, m.
    pub block_m: f64,
    /// Exponent of the relative rain rate (exceeded in 0.01 % of the year) to which the local frequency of convection is
    /// proportional; 0: the same everywhere.
    pub activity_exponent: f64,
    /// Gust from which a cell is struck (force 8), m/s.
    pub least_gust_m_s: f64,
    /// Hail stone from which a cell is struck, mm.
    pub least_hail_mm: f64,
    /// Hourly rain from which a cell is struck (短时强降水), mm/h.
    pub least_rain_mm_h: f64,
    /// Laws of gale swaths.
    pub gale: Vec<SwathParameters>,
    /// Laws of hail swaths.
    pub hail: Vec<SwathParameters>,
    /// Gale of typhoons.
    pub typhoon: TyphoonParameters,
    /// Tornadoes.
    pub tornado: TornadoParameters,
}

impl ConvectionParameters {
    /// The shipped parameters: rates unverified, tornado sizes of the United States.
    ///
    /// # Errors
    /// None for the shipped table; a test reads it.
    pub fn shipped() -> Result<Self> {
        Self::from_toml(SHIPPED, SHIPPED_FILE)
    }

    /// Parameters from the text of a table; `file` is named in errors.
    ///
    /// # Errors
    /// Keys missing or unknown, and every number outside its range, all named together.
    pub fn from_toml(text: &str, file: impl AsRef<Path>) -> Result<Self> {
        let p: ConvectionParameters = read_toml(text, &file)?;
        let mut c = Check::new(file.as_ref());
        c.number("activity_exponent", p.activity_exponent, 0.0, 5.0);
        c.number("block_m", p.block_m, 1.0, 5000.0);
        c.number("least_gust_m_s", p.least_gust_m_s, 1.0, 100.0);
        c.number("least_hail_mm", p.least_hail_mm, 0.1, 100.0);
        c.number("least_rain_mm_h", p.least_rain_mm_h, 1.0, 300.0);
        for (group, laws) in [("gale", &p.gale), ("hail", &p.hail)] {
            if laws.len() > 8 {
                c.fault(
                    group,
                    format!("{} laws", laws.len()),
                    "at most 8",
                    "join laws",
                );
            }
            for (i, s) in laws.iter().enumerate() {
                let key = |k: &str| format!("{group}[{i}].{k}");
                c.number(&key("per_10000_km2_year"), s.per_10000_km2_year, 0.0, 1e4);
                c.number(&key("with_storm"), s.with_storm, 0.0, 1.0);
                c.number(&key("half_axis_m"), s.half_axis_m, 50.0, 5e5);
                c.number(&key("half_axis_log_sd"), s.half_axis_log_sd, 0.0, 1.0);
                c.number(&key("aspect"), s.aspect, 0.01, 1.0);
                c.number(&key("angle_deg"), s.angle_deg, -360.0, 360.0);
                c.number(&key("angle_sd_deg"), s.angle_sd_deg, 0.0, 360.0);
                c.number(&key("scale"), s.scale, 0.01, 200.0);
                c.number(&key("shape"), s.shape, -1.0, -0.01);
                c.number(&key("clustering"), s.clustering, 0.0, 10.0);
                c.number(&key("duration_h"), f64::from(s.duration_h), 0.0, 24.0);
                season(
                    &mut c,
                    &key("season"),
                    s.mean_day,
                    s.sd_days,
                    s.first_day,
                    s.last_day,
                );
            }
        }
        let t = &p.typhoon;
        c.number("typhoon.threshold_m_s", t.threshold_m_s, 1.0, 100.0);
        c.number("typhoon.scale", t.scale, 0.01, 100.0);
        c.number("typhoon.shape", t.shape, -1.0, -0.01);
        c.number("typhoon.radius_m", t.radius_m, 1e3, 5e5);
        c.number("typhoon.radius_log_sd", t.radius_log_sd, 0.0, 1.0);
        c.number("typhoon.decay", t.decay, 0.1, 3.0);
        let t = &p.tornado;
        c.number(
            "tornado.outbreaks_per_10000_km2_year",
            t.outbreaks_per_10000_km2_year,
            0.0,
            1e3,
        );
        c.number("tornado.mean_per_outbreak", t.mean_per_outbreak, 1.0, 100.0);
        c.number("tornado.scatter_m", t.scatter_m, 0.0, 5e5);
        c.number("tornado.margin_m", t.margin_m, 0.0, 1e6);
        c.number("tornado.towards_deg", t.towards_deg, 0.0, 360.0);
        c.number("tornado.kappa", t.kappa, 0.0, 50.0);
        c.number("tornado.clustering", t.clustering, 0.0, 10.0);
        c.number("tornado.duration_h", f64::from(t.duration_h), 0.0, 24.0);
        season(
            &mut c,
            "tornado.season",
            t.mean_day,
            t.sd_days,
            t.first_day,
            t.last_day,
        );
        let w = &t.paths;
        for i in 0..6 {
            let key = |k: &str| format!("tornado.paths.{k}, EF{i}");
            c.number(&key("share"), w.share[i], 0.0, 1.0);
            c.number(&key("length_shape"), w.length_shape[i], 0.2, 20.0);
            c.number(&key("length_scale_km"), w.length_scale_km[i], 0.01, 500.0);
            c.number(&key("width_shape"), w.width_shape[i], 0.2, 20.0);
            c.number(&key("width_scale_m"), w.width_scale_m[i], 1.0, 5000.0);
            c.number(&key("correlation"), w.correlation[i], -0.99, 0.99);
        }
        let sum: f64 = w.share.iter().sum();
        if (sum - 1.0).abs() > 1e-9 {
            c.fault(
                "tornado.paths.share",
                format!("sum {sum}"),
                "sum 1",
                "scale the shares",
            );
        }
        c.done()?;
        Ok(p)
    }
}

fn season(c: &mut Check, key: &str, mean: f64, sd: f64, first: u16, last: u16) {
    c.number(key, mean, 1.0, 365.0);
    c.number(key, sd, 0.1, 400.0);
    if first < 1 || first > last || last > 365 {
        c.fault(
            key,
            format!("days {first} to {last}"),
            "1 <= first_day <= last_day <= 365",
            "give days of the year",
        );
    }
}
