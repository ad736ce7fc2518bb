//! The clock of the simulation: per simulated year, daily weather and a dated catalogue of storms.

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
