//! Daily weather of a year: rain occurrence and amounts, temperature, humidity, wind.
//!
//! Method (Richardson 1981, doi:10.1029/WR017i001p00182): a first-order two-state Markov chain by month makes wet and
//! dry days; wet days get a mixed-exponential amount (Wilks 1999); temperature, the logit of minimum humidity and the
//! logarithm of wind are first-order autoregressive about means that depend on month and state. The rain of the dated
//! storms comes on top.
//!
//! Calibration is exact in expectation, not fitted: the chance of a wet day is followed through the year day by day, so
//! the mean amount of a wet day is (monthly rain - expected storm rain) / expected wet days, and the wet and dry
//! temperature shifts cancel. The climatology is linear between mid-months with knots chosen so that the monthly means
//! come out (Killworth 1996, doi:10.1175/1520-0485(1996)026<1280:TIOSFF>2.0.CO;2).
//!
//! A year stands alone: its chain begins 60 days before 1 January from the stationary law of that day, so antecedent
//! rain (0.85^60 = 6e-5) and dry days are warm on day 1; temperature, humidity and wind begin stationary. What
//! this leaves out: dry spells and warm spells that cross from December into January do not continue the year before,
//! and a dry spell is counted from at most 60 days before 1 January. Lists have 365 days; 29 February does not exist.

use super::parameters::WeatherParameters;
use super::quantile::Steps;
use super::{Day, WET_MM};
use anlan_engine::distributions::normal_quantile;
use anlan_engine::random::Stream;
use anlan_engine::{Error, Fault, Result};

/// Days of the months.
pub(crate) const MONTH_DAYS: [usize; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// Days before 1 January from which the rain chain runs.
const WARM_UP: usize = 60;
/// Recession of the antecedent precipitation index, per day.
const RECESSION: f64 = 0.85;
/// Share of a month's rain that must be left to ordinary wet days.
const LEAST_ORDINARY: f64 = 0.05;

/// Month, 0..12, of a day of the year, 0..365.
fn month_of(day: usize) -> usize {
    let mut end = 0;
    for (month, days) in MONTH_DAYS.iter().enumerate() {
        end += days;
        if day < end {
            return month;
        }
    }
    11
}

/// What a day needs, ready to use.
#[derive(Debug, Clone, Copy)]
struct Norms {
    month: usize,
    wet_after_dry: f64,
    wet_after_wet: f64,
    wet: f64,
    light_mm: f64,
    heavy_mm: f64,
    temp_c: f64,
    temp_sd_c: f64,
    wet_shift_c: f64,
    rise_dry_c: f64,
    rise_wet_c: f64,
    humidity_dry_logit: f64,
    humidity_wet_logit: f64,
    wind_log: f64,
}

/// Daily weather generator of a region.
#[derive(Debug, Clone)]
pub(crate) struct Daily {
    norms: Vec<Norms>,
    direction: Vec<Steps>,
    light_share: f64,
    temp_lag1: f64,
    humidity_lag1: f64,
    humidity_logit_sd: f64,
    correlation: f64,
    wind_lag1: f64,
    wind_log_sd: f64,
    stream: Stream,
}

impl Daily {
    /// `temp_c` monthly means at sea level, `rain_mm` monthly totals, `storm_mm` expected storm rain of each day.
    pub(crate) fn new(
        p: &WeatherParameters,
        temp_c: &[f64; 12],
        rain_mm: &[f64; 12],
        storm_mm: &[f64],
        stream: Stream,
    ) -> Result<Self> {
        let chain: Vec<(f64, f64)> = (0..12)
            .map(|m| {
                let (wet, persistence) = (p.rain.wet_probability[m], p.rain.persistence[m]);
                let wet_after_dry = wet * (1.0 - persistence);
                (wet_after_dry, wet_after_dry + persistence)
            })
            .collect();
        let wet = wet_through_the_year(&chain);
        let mut start = 0;
        let mut amount = [0.0; 12];
        let mut faults = Vec::new();
        for m in 0..12 {
            let days = start..start + MONTH_DAYS[m];
            let storms: f64 = storm_mm[days.clone()].iter().sum();
            let ordinary = rain_mm[m] - storms;
            if ordinary < LEAST_ORDINARY * rain_mm[m] {
                faults.push(
                    Fault::new(
                        "climate",
                        format!("{:.0} mm, of which dated storms expect {storms:.0} mm", rain_mm[m]),
                        "monthly rain above that of the storms",
                        "raise storms.least_return_period_years, or check monthly rain and the storm formula",
                    )
                    .at(format!("rain_mm, month {}", m + 1)),
                );
            }
            let wet_days: f64 = wet[days.clone()].iter().sum();
            amount[m] = ordinary / wet_days;
            start = days.end;
        }
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        let temp = through_the_year(temp_c);
        let r = &p.rain;
        let heavy_ratio = (1.0 - r.light_share * r.light_ratio) / (1.0 - r.light_share);
        let logit = |pct: f64| libm::log(pct / (100.0 - pct));
        let norms = (0..365)
            .map(|day| {
                let m = month_of(day);
                Norms {
                    month: m,
                    wet_after_dry: chain[m].0,
                    wet_after_wet: chain[m].1,
                    wet: wet[day],
                    light_mm: amount[m] * r.light_ratio,
                    heavy_mm: amount[m] * heavy_ratio,
                    temp_c: temp[day],
                    temp_sd_c: p.temperature.residual_sd_c[m],
                    wet_shift_c: p.temperature.wet_shift_c[m],
                    rise_dry_c: p.temperature.rise_dry_c[m],
                    rise_wet_c: p.temperature.rise_wet_c[m],
                    humidity_dry_logit: logit(p.humidity.median_dry_pct[m]),
                    humidity_wet_logit: logit(p.humidity.median_wet_pct[m]),
                    wind_log: libm::log(p.wind.median_m_s[m]),
                }
            })
            .collect();
        let w = &p.wind;
        let direction = (0..12)
            .map(|m| {
                let summer = w.summer_share[m];
                let winter_law = von_mises(w.winter_from_deg, w.winter_kappa);
                let summer_law = von_mises(w.summer_from_deg, w.summer_kappa);
                Steps::from_density(0.0, 360.0, |d| {
                    (1.0 - summer) * winter_law(d) + summer * summer_law(d)
                })
            })
            .collect();
        Ok(Daily {
            norms,
            direction,
            light_share: r.light_share,
            temp_lag1: p.temperature.lag1,
            humidity_lag1: p.humidity.lag1,
            humidity_logit_sd: p.humidity.logit_sd,
            correlation: p.humidity.temperature_correlation,
            wind_lag1: p.wind.lag1,
            wind_log_sd: p.wind.log_sd,
            stream,
        })
    }

    /// The 365 days of a year; `storm_mm` is the areal rain of the dated storms on each day.
    pub(crate) fn year(&self, year: u32, storm_mm: &[f64; 365]) -> Vec<Day> {
        let event = u64::from(year);
        let mut antecedent = 0.0;
        let mut dry_days: u16 = 0;
        let mut wet = false;
        for i in 0..WARM_UP {
            let n = &self.norms[365 - WARM_UP + i];
            let u = self.stream.uniform4(event, i as u32, 0);
            wet = u[0] < if i == 0 { n.wet } else { n.after(wet) };
            let rain = if wet { self.amount(n, u[1]) } else { 0.0 };
            antecedent = RECESSION * (antecedent + rain);
            dry_days = if rain >= WET_MM { 0 } else { dry_days + 1 };
        }
        let innovation = |lag1: f64| (1.0 - lag1 * lag1).sqrt();
        let (temp_new, humidity_new, wind_new) = (
            innovation(self.temp_lag1),
            innovation(self.humidity_lag1),
            innovation(self.wind_lag1),
        );
        let own = innovation(self.correlation);
        let (mut temp, mut humidity, mut wind) = (0.0, 0.0, 0.0);
        let mut days = Vec::with_capacity(365);
        for (i, n) in self.norms.iter().enumerate() {
            let item = (WARM_UP + i) as u32;
            let u = self.stream.uniform4(event, item, 0);
            let v = self.stream.uniform4(event, item, 1);
            wet = u[0] < n.after(wet);
            let ordinary = if wet { self.amount(n, u[1]) } else { 0.0 };
            let rain = ordinary + storm_mm[i];
            let z = normal_quantile(u[2]);
            let y = self.correlation * z + own * normal_quantile(u[3]);
            let x = normal_quantile(v[0]);
            if i == 0 {
                (temp, humidity, wind) = (z, y, x);
            } else {
                temp = self.temp_lag1 * temp + temp_new * z;
                humidity = self.humidity_lag1 * humidity + humidity_new * y;
                wind = self.wind_lag1 * wind + wind_new * x;
            }
            let state = if wet { 1.0 } else { 0.0 };
            let mean = n.temp_c + n.wet_shift_c * (state - n.wet) + n.temp_sd_c * temp;
            // A day with storm rain is damp and has a small range even where the chain says dry.
            let damp = wet || storm_mm[i] >= WET_MM;
            let (rise, logit) = if damp {
                (n.rise_wet_c, n.humidity_wet_logit)
            } else {
                (n.rise_dry_c, n.humidity_dry_logit)
            };
            dry_days = if rain >= WET_MM { 0 } else { dry_days + 1 };
            let odds = libm::exp(-(logit + self.humidity_logit_sd * humidity));
            days.push(Day {
                temp_mean_c: mean as f32,
                temp_max_c: (mean + rise) as f32,
                rh_min_pct: (100.0 / (1.0 + odds)) as f32,
                wind_max_m_s: libm::exp(n.wind_log + self.wind_log_sd * wind) as f32,
                wind_from_deg: self.direction[n.month].quantile(v[1]) as f32,
                rain_mm: rain as f32,
                antecedent_mm: antecedent as f32,
                dry_days,
            });
            antecedent = RECESSION * (antecedent + rain);
        }
        days
    }

    /// Amount of a wet day, mm: one uniform chooses the component and the amount.
    fn amount(&self, n: &Norms, u: f64) -> f64 {
        if u < self.light_share {
            -n.light_mm * libm::log(1.0 - u / self.light_share)
        } else {
            -n.heavy_mm * libm::log((1.0 - u) / (1.0 - self.light_share))
        }
    }
}

impl Norms {
    fn after(&self, wet: bool) -> f64 {
        if wet {
            self.wet_after_wet
        } else {
            self.wet_after_dry
        }
    }
}

/// Chance of a wet day on each day of the year in the stationary cycle of the monthly chain.
fn wet_through_the_year(chain: &[(f64, f64)]) -> Vec<f64> {
    let mut wet = vec![0.0; 365];
    let mut p = chain[11].0;
    // Memory fades by the persistence (at most 0.95) a day: two years leave 0.95^730 = 5e-17.
    for _ in 0..3 {
        for (day, w) in wet.iter_mut().enumerate() {
            let (dry, after_wet) = chain[month_of(day)];
            p = dry + p * (after_wet - dry);
            *w = p;
        }
    }
    wet
}

/// Daily values, linear between mid-months, whose monthly means are the given ones.
pub(crate) fn through_the_year(monthly: &[f64; 12]) -> Vec<f64> {
    // weights[day] = (knot before, its weight); the next knot has the rest.
    let mut middle = [0.0; 12];
    let mut start = 0.0;
    for (m, &days) in MONTH_DAYS.iter().enumerate() {
        middle[m] = start + 0.5 * days as f64;
        start += days as f64;
    }
    let weights: Vec<(usize, f64)> = (0..365)
        .map(|day| {
            let t = day as f64 + 0.5;
            let m = month_of(day);
            let before = if t < middle[m] { (m + 11) % 12 } else { m };
            let after = (before + 1) % 12;
            let span = (middle[after] - middle[before] + 365.0) % 365.0;
            let gone = (t - middle[before] + 365.0) % 365.0;
            (before, 1.0 - gone / span)
        })
        .collect();
    let mut system = [[0.0; 13]; 12];
    for (day, &(knot, w)) in weights.iter().enumerate() {
        let m = month_of(day);
        let share = 1.0 / MONTH_DAYS[m] as f64;
        system[m][knot] += w * share;
        system[m][(knot + 1) % 12] += (1.0 - w) * share;
    }
    for (row, &value) in system.iter_mut().zip(monthly) {
        row[12] = value;
    }
    // Elimination without pivots: the diagonal (about 3/4) exceeds the rest of its row (about 1/4).
    for k in 0..12 {
        for i in 0..12 {
            if i != k {
                let f = system[i][k] / system[k][k];
                for j in k..13 {
                    system[i][j] -= f * system[k][j];
                }
            }
        }
    }
    let knots: Vec<f64> = (0..12).map(|k| system[k][12] / system[k][k]).collect();
    weights
        .iter()
        .map(|&(k, w)| w * knots[k] + (1.0 - w) * knots[(k + 1) % 12])
        .collect()
}

/// von Mises density over degrees, integral 1 over 0..360.
fn von_mises(from_deg: f64, kappa: f64) -> impl Fn(f64) -> f64 {
    let raw = move |d: f64| libm::exp(kappa * (libm::cos((d - from_deg).to_radians()) - 1.0));
    // The trapezoid rule converges geometrically for a periodic function.
    let total: f64 = (0..1024)
        .map(|i| raw(f64::from(i) * 360.0 / 1024.0))
        .sum::<f64>()
        * 360.0
        / 1024.0;
    move |d| raw(d) / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_keep_their_means() {
        let t = [
            5.9, 7.7, 12.1, 17.3, 21.8, 25.0, 28.9, 28.4, 24.8, 19.3, 13.7, 7.5,
        ];
        let days = through_the_year(&t);
        let mut start = 0;
        for m in 0..12 {
            let mean =
                days[start..start + MONTH_DAYS[m]].iter().sum::<f64>() / MONTH_DAYS[m] as f64;
            assert!((mean - t[m]).abs() < 1e-10);
            start += MONTH_DAYS[m];
        }
        // No step at the turn of the year larger than the steepest month's slope.
        assert!((days[0] - days[364]).abs() < 0.3);
    }

    #[test]
    fn wet_chance_settles_on_the_stationary_one_within_a_month() {
        let p = WeatherParameters::zhejiang().unwrap();
        let chain: Vec<(f64, f64)> = (0..12)
            .map(|m| {
                let a = p.rain.wet_probability[m] * (1.0 - p.rain.persistence[m]);
                (a, a + p.rain.persistence[m])
            })
            .collect();
        let wet = wet_through_the_year(&chain);
        // After 31 days the memory of December is 0.36^31.
        assert!((wet[30] - p.rain.wet_probability[0]).abs() < 1e-12);
    }

    #[test]
    fn wind_directions_have_the_asked_mean() {
        let law = von_mises(30.0, 2.0);
        let steps = Steps::from_density(0.0, 360.0, &law);
        let n = 4000;
        let (mut s, mut c) = (0.0, 0.0);
        for i in 0..n {
            let d = steps
                .quantile((f64::from(i) + 0.5) / f64::from(n))
                .to_radians();
            s += libm::sin(d) / f64::from(n);
            c += libm::cos(d) / f64::from(n);
        }
        assert!((libm::atan2(s, c).to_degrees() - 30.0).abs() < 0.05);
        // Mean resultant length I1(2)/I0(2) = 0.697775 (Abramowitz and Stegun, table 9.8).
        assert!((libm::hypot(s, c) - 0.697_775).abs() < 1e-3);
    }
}
