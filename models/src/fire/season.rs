//! Danger classes of the days of a year, and what may be configured about the fires of a year.

use crate::fire::behaviour::Moisture;
use crate::fire::danger::{
    FireWeather, MoistureCodes, NoonWeather, fine_fuel_moisture, fire_weather, month_of,
};
use crate::weather::Day;
use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How many fires, on which days, how long. The default is the data file `standards/fire_season.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeasonConfig {
    /// Where the figures come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Mean number of fires, 1/a, above 0.
    pub mean_fires_per_year: f64,
    /// Rising lower bounds of the FWI of danger classes 2, 3, ...
    pub class_from_fwi: Vec<f64>,
    /// Relative ignitions per day in each class, one more than bounds, not negative.
    pub class_rate: Vec<f64>,
    /// Fires simulated per class, 1..=100000.
    pub fires_per_class: u32,
    /// Median duration of free spread, h, above 0.
    pub duration_median_h: f64,
    /// Standard deviation of the logarithm of the duration, 0..=3.
    pub duration_sigma: f64,
    /// Greatest duration, h.
    pub duration_max_h: f64,
    /// Wind at noon and during a fire over the greatest of the day, 0..=1.
    pub wind_share: f64,
    /// Moisture of 10-h fuel above that of 1-h fuel, fraction.
    pub moisture_10h_above_1h: f64,
    /// Moisture of 100-h fuel above that of 1-h fuel, fraction.
    pub moisture_100h_above_1h: f64,
    /// Moisture of live herbs by month, fraction.
    pub live_herb: [f64; 12],
    /// Moisture of live shrubs by month, fraction.
    pub live_woody: [f64; 12],
}

impl Default for SeasonConfig {
    fn default() -> Self {
        SeasonConfig::parse(
            include_str!("../../standards/fire_season.toml"),
            Path::new("standards/fire_season.toml"),
        )
        .expect("the compiled-in season table is read by a test")
    }
}

impl SeasonConfig {
    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape, figures out of range.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let config: SeasonConfig = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.to_string(),
                "the keys of standards/fire_season.toml",
                "compare with the standard file",
            ))
        })?;
        config.validate(file)?;
        Ok(config)
    }

    /// Refuses figures out of range, all together.
    ///
    /// # Errors
    /// One fault per figure.
    pub fn validate(&self, file: &Path) -> Result<()> {
        let mut faults = Vec::new();
        let mut check = |ok: bool, key: &str, found: String, expected: &str| {
            if !ok {
                let remedy = "correct the figure or leave it out for the default";
                faults.push(Fault::new(file, found, expected, remedy).at(key));
            }
        };
        let positive = |v: f64| v > 0.0 && v.is_finite();
        let v = self.mean_fires_per_year;
        check(
            positive(v),
            "mean_fires_per_year",
            v.to_string(),
            "a number above 0",
        );
        check(
            self.class_from_fwi.windows(2).all(|w| w[0] < w[1]),
            "class_from_fwi",
            format!("{:?}", self.class_from_fwi),
            "rising bounds",
        );
        check(
            self.class_rate.len() == self.class_from_fwi.len() + 1
                && self.class_rate.iter().all(|&r| r >= 0.0 && r.is_finite())
                && self.class_rate.iter().any(|&r| r > 0.0),
            "class_rate",
            format!("{:?}", self.class_rate),
            "one rate per class, none negative, one above 0",
        );
        let n = self.fires_per_class;
        check(
            (1..=100_000).contains(&n),
            "fires_per_class",
            n.to_string(),
            "1 to 100000",
        );
        let v = self.duration_median_h;
        check(
            positive(v),
            "duration_median_h",
            v.to_string(),
            "a number above 0",
        );
        let v = self.duration_sigma;
        check(
            (0.0..=3.0).contains(&v),
            "duration_sigma",
            v.to_string(),
            "0 to 3",
        );
        let v = self.duration_max_h;
        check(
            positive(v) && v <= 720.0,
            "duration_max_h",
            v.to_string(),
            "0 to 720",
        );
        let v = self.wind_share;
        check(
            (0.0..=1.0).contains(&v),
            "wind_share",
            v.to_string(),
            "0 to 1",
        );
        for (key, months) in [
            ("live_herb", &self.live_herb),
            ("live_woody", &self.live_woody),
        ] {
            let ok = months.iter().all(|m| (0.2..=3.0).contains(m));
            check(ok, key, format!("{months:?}"), "twelve fractions 0.2 to 3");
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Danger class of an FWI, from 0.
    pub fn class_of(&self, fwi: f64) -> usize {
        self.class_from_fwi
            .iter()
            .filter(|&&from| fwi >= from)
            .count()
    }

    pub(super) fn moisture(&self, ffmc: f64, month: usize) -> Moisture {
        // Below 2 % fuel does not dry in the open; above 40 % no model spreads.
        let dead_1h = fine_fuel_moisture(ffmc).clamp(0.02, 0.4);
        Moisture {
            dead_1h,
            dead_10h: dead_1h + self.moisture_10h_above_1h,
            dead_100h: dead_1h + self.moisture_100h_above_1h,
            live_herb: self.live_herb[month - 1],
            live_woody: self.live_woody[month - 1],
        }
    }
}

/// Fire weather of the days of a year at a latitude in degrees, from standard start values. Temperature and humidity are
/// those of the afternoon (maximum, minimum), so the FWI is somewhat above that of noon.
pub fn season_danger(days: &[Day], latitude_deg: f64, wind_share: f64) -> Vec<FireWeather> {
    let mut codes = MoistureCodes::default();
    days.iter()
        .enumerate()
        .map(|(i, day)| {
            let noon = NoonWeather {
                temp_c: f64::from(day.temp_max_c),
                rh_pct: f64::from(day.rh_min_pct).clamp(0.0, 100.0),
                wind_km_h: f64::from(day.wind_max_m_s).max(0.0) * wind_share * 3.6,
                rain_mm: f64::from(day.rain_mm).max(0.0),
                month: month_of(i as u16 + 1),
            };
            let weather = fire_weather(&codes, &noon, latitude_deg);
            codes = weather.codes;
            weather
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_season_are_listed_together() {
        let config = SeasonConfig {
            mean_fires_per_year: -1.0,
            class_rate: vec![1.0],
            ..SeasonConfig::default()
        };
        assert_eq!(
            config
                .validate(Path::new("x.toml"))
                .unwrap_err()
                .faults()
                .len(),
            2
        );
    }
}
