//! The clock of the simulation: per simulated year, daily weather and a dated catalogue of storms.
//!
//! | file | holds |
//! | --- | --- |
//! | `daily` | rain, temperature, humidity, wind day by day |
//! | `storms` | the storm catalogue whose point frequencies are those of the storm formula |
//! | `frequency` | the storm formula (暴雨强度公式), its extension, areal reduction |
//! | `grades` | grades of rain, wind and hail |
//! | `parameters` | the data behind it |
//! | `quantile` | laws drawn by their inverse distribution functions |
//!
//! A year is a pure function of (climate, parameters, seed, year): see [`WeatherModel`].

mod daily;
mod frequency;
mod grades;
mod parameters;
pub(crate) mod quantile;
mod storms;

pub use frequency::{Idf, areal_reduction};
pub use grades::{GradeScale, Grades};
pub use parameters::{
    ArealReduction, HumidityParameters, LongDurations, RainParameters, Sampling, Status,
    StormFormula, StormParameters, StormsParameters, TemperatureParameters, WeatherParameters,
    WindParameters,
};
pub(crate) use parameters::{Check, read_toml};
pub(crate) use storms::MOST as MOST_STORMS;

use crate::hazard::stream;
use anlan_engine::random::Stream;
use anlan_engine::{Bounds, Result};

/// Rain of a day from which it counts as wet, mm.
const WET_MM: f64 = 0.3;

/// Daily weather of the region on one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Day {
    /// Mean temperature at sea level of the region, °C; lapse with height is the reader's.
    pub temp_mean_c: f32,
    /// Maximum temperature, °C.
    pub temp_max_c: f32,
    /// Minimum relative humidity (about 14 h), %.
    pub rh_min_pct: f32,
    /// Maximum 10-minute wind at 10 m, m/s.
    pub wind_max_m_s: f32,
    /// Direction the wind blows from, degrees clockwise from north.
    pub wind_from_deg: f32,
    /// Areal rain of the day, mm.
    pub rain_mm: f32,
    /// Antecedent precipitation index before this day, mm (k = 0.85 per day).
    pub antecedent_mm: f32,
    /// Days since the last day with at least 0.3 mm.
    pub dry_days: u16,
}

/// What kind of rain storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StormKind {
    /// Plum-rain front (梅雨).
    Frontal,
    /// Typhoon rain (台风雨).
    Typhoon,
    /// Local convection (局地强对流).
    Convective,
}

/// A rain storm: an ellipse of rain that falls off from its centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Storm {
    /// Number, unique over all years: year * 1024 + order in the year. It is the `cause` of all it brings about.
    pub id: u64,
    /// Day of the year, 1..=365.
    pub day: u16,
    /// Kind.
    pub kind: StormKind,
    /// Duration of the heavy rain, h.
    pub duration_h: f64,
    /// Centre, x and y in the compute CRS, m.
    pub centre: (f64, f64),
    /// Half axes of the ellipse at which depth has fallen to exp(-1/2) of the centre's, m.
    pub half_axes_m: (f64, f64),
    /// Direction of the long half axis, radians counter-clockwise from east.
    pub angle_rad: f64,
    /// Point depth at the centre over the duration, mm.
    pub depth_mm: f64,
    /// Greatest 1-hour depth at the centre, mm.
    pub peak_1h_mm: f64,
    /// Antecedent precipitation index before the storm, mm.
    pub antecedent_mm: f64,
}

impl Storm {
    /// Share of the centre's depth that falls at a point: exp(-r²/2), zero beyond three half axes.
    pub fn share_at(&self, x: f64, y: f64) -> f64 {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let (s, c) = libm::sincos(self.angle_rad);
        let u = (dx * c + dy * s) / self.half_axes_m.0;
        let v = (dy * c - dx * s) / self.half_axes_m.1;
        let r2 = u * u + v * v;
        if r2 > 9.0 { 0.0 } else { libm::exp(-0.5 * r2) }
    }

    /// Greatest depth at the centre within `hours`, mm: the power law through the wettest hour and the whole storm, all
    /// of it from the storm's duration on, proportional below an hour.
    pub fn depth_within_mm(&self, hours: f64) -> f64 {
        if hours >= self.duration_h {
            self.depth_mm
        } else if hours <= 1.0 {
            self.peak_1h_mm * hours
        } else {
            let slope = libm::log(self.depth_mm / self.peak_1h_mm) / libm::log(self.duration_h);
            self.peak_1h_mm * libm::pow(hours, slope)
        }
    }
}

/// One simulated year.
#[derive(Debug, Clone, PartialEq)]
pub struct WeatherYear {
    /// Number of the year, from 0.
    pub year: u32,
    /// 365 days.
    pub days: Vec<Day>,
    /// Storms in order of day.
    pub storms: Vec<Storm>,
}

/// What a region's weather is calibrated to.
#[derive(Debug, Clone, PartialEq)]
pub struct Climate {
    /// Monthly mean temperature, °C, January to December.
    pub temp_c: [f64; 12],
    /// Mean height of the land to which `temp_c` refers, m; days are given at sea level.
    pub elevation_m: f64,
    /// Monthly total rain, mm, January to December.
    pub rain_mm: [f64; 12],
    /// ITU-R P.837 rain rate exceeded 0.01 % of the year, mean of the region, mm/h.
    pub rain_rate_mm_h: f64,
    /// Rectangle around the region in the compute CRS, m.
    pub bounds: Bounds,
}

impl Climate {
    fn check(&self) -> Result<()> {
        let mut c = Check::new("climate".as_ref());
        c.months("temp_c", &self.temp_c, -40.0, 45.0);
        c.number("elevation_m", self.elevation_m, -500.0, 9000.0);
        c.months("rain_mm", &self.rain_mm, 0.1, 3000.0);
        c.number("rain_rate_mm_h", self.rain_rate_mm_h, 1.0, 250.0);
        let b = &self.bounds;
        let (width, height) = (b.east - b.west, b.north - b.south);
        // Degrees taken for metres make a region of a few metres.
        if !(width >= 1000.0 && height >= 1000.0 && width <= 5e6 && height <= 5e6) {
            c.fault(
                "bounds",
                format!("{width} x {height} m"),
                "a rectangle of 1 to 5000 km in metres of the compute CRS",
                "project the region's bounds to the compute CRS",
            );
        }
        c.done()
    }
}

/// The weather of any year of a region: daily weather and dated storms.
///
/// ```
/// use anlan_engine::Bounds;
/// use anlan_models::weather::{Climate, WeatherModel};
/// // ERA5 2000-2025 means of the Jinhua basin.
/// let climate = Climate {
///     temp_c: [5.9, 7.7, 12.1, 17.3, 21.8, 25.0, 28.9, 28.4, 24.8, 19.3, 13.7, 7.5],
///     elevation_m: 300.0,
///     rain_mm: [68., 96., 122., 152., 200., 311., 158., 162., 126., 70., 87., 58.],
///     rain_rate_mm_h: 64.2,
///     bounds: Bounds { west: 0.0, south: 0.0, east: 150_000.0, north: 130_000.0 },
/// };
/// let model = WeatherModel::new(climate, 42)?;
/// let year = model.year(7);
/// assert_eq!(year.days.len(), 365);
/// assert_eq!(year, model.year(7));
/// # Ok::<(), anlan_engine::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct WeatherModel {
    climate: Climate,
    idf: Idf,
    daily: daily::Daily,
    storms: storms::Storms,
}

impl WeatherModel {
    /// With the shipped parameters of Zhejiang.
    ///
    /// # Errors
    /// As [`WeatherModel::with_parameters`].
    pub fn new(climate: Climate, seed: u64) -> Result<Self> {
        Self::with_parameters(climate, &WeatherParameters::zhejiang()?, seed)
    }

    /// With parameters of one's own.
    ///
    /// # Errors
    /// A climate out of range; storms that expect more rain than a month has; storm kinds that cannot give the
    /// frequencies of the formula; more than 1024 storms a year.
    pub fn with_parameters(climate: Climate, p: &WeatherParameters, seed: u64) -> Result<Self> {
        climate.check()?;
        let idf =
            Idf::new(&p.storm_formula, &p.long_durations).at_rain_rate(climate.rain_rate_mm_h);
        let storms =
            storms::Storms::new(p, &idf, climate.bounds, Stream::new(seed, stream::STORM))?;
        let lapse = p.temperature.lapse_c_per_m * climate.elevation_m;
        let daily = daily::Daily::new(
            p,
            &climate.temp_c.map(|t| t + lapse),
            &climate.rain_mm,
            &storms.expected_daily_mm(),
            Stream::new(seed, stream::WEATHER),
        )?;
        Ok(WeatherModel {
            climate,
            idf,
            daily,
            storms,
        })
    }

    /// Rain frequency of the region, at its mean rain rate.
    pub fn idf(&self) -> &Idf {
        &self.idf
    }

    /// The region's rectangle.
    pub fn bounds(&self) -> Bounds {
        self.climate.bounds
    }

    /// Mean number of convective storms whose centre reaches the least return period, per m² and year.
    pub fn convective_storms_per_m2(&self) -> f64 {
        self.storms.convective_density()
    }

    /// Mean depth of a storm over the region, mm, as the daily rain takes it (a net of 8 x 8 points).
    pub fn areal_mean_mm(&self, storm: &Storm) -> f64 {
        storms::areal_mean_mm(storm, &self.climate.bounds)
    }

    /// The weather of a year: a pure function of the model and the number of the year.
    ///
    /// The areal rain of a storm is spread evenly over the days it lasts, and is part of those days' rain. Storm days are
    /// wet; a typhoon's wind is not in the daily wind (see the convection model).
    ///
    pub fn year(&self, year: u32) -> WeatherYear {
        let mut drawn = Vec::with_capacity(256);
        self.storms.draw(year, &mut drawn);
        let mut rain = [0.0; 365];
        for d in &drawn {
            if d.areal_mm > 0.0 {
                let n = storms::days_of(d.storm.duration_h);
                let first = usize::from(d.storm.day) - 1;
                for r in &mut rain[first..first + n] {
                    *r += d.areal_mm / n as f64;
                }
            }
        }
        let days = self.daily.year(year, &rain);
        let mut storms: Vec<Storm> = drawn.iter().filter(|d| d.kept).map(|d| d.storm).collect();
        // A stable sort: storms of a day stay in the order in which they were drawn.
        storms.sort_by_key(|s| s.day);
        // Ten bits of order: the constructor refuses regions that could come near.
        storms.truncate(storms::MOST);
        for (order, s) in storms.iter_mut().enumerate() {
            s.id = u64::from(year) * storms::MOST as u64 + order as u64;
            s.antecedent_mm = f64::from(days[usize::from(s.day) - 1].antecedent_mm);
        }
        WeatherYear { year, days, storms }
    }
}

/// A climate for tests: ERA5 2000-2025 means over 119.2-120.8 E, 28.5-29.7 N, ITU-R rain rate there.
#[cfg(test)]
pub(crate) fn jinhua() -> Climate {
    Climate {
        temp_c: [
            5.87, 7.68, 12.06, 17.31, 21.77, 24.95, 28.94, 28.43, 24.79, 19.34, 13.67, 7.50,
        ],
        elevation_m: 300.0,
        rain_mm: [
            67.88, 95.95, 122.30, 152.01, 200.01, 311.30, 158.13, 162.04, 126.33, 69.62, 87.20,
            57.55,
        ],
        rain_rate_mm_h: 64.24,
        bounds: Bounds {
            west: 500_000.0,
            south: 3_150_000.0,
            east: 650_000.0,
            north: 3_280_000.0,
        },
    }
}

#[cfg(test)]
mod tests;
