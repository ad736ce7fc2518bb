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
    /// Days on which customs bring more fires.
    #[serde(default)]
    pub custom: Vec<Custom>,
}

/// Days on which customs bring more fires, or fewer (祭祀用火、野外用火): graves are swept at Qingming, fireworks burn at the spring
/// festival. The days lie together within a window, in each year anew where the feast follows the moon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// Name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Month and day of the first day of the window.
    pub from: [u16; 2],
    /// Month and day of its last day, of the same year.
    pub to: [u16; 2],
    /// Number of days, at most those of the window.
    pub days: u16,
    /// Ignitions of a day over those of another day of the same danger class, 0..=100.
    pub factor: f64,
}

impl Custom {
    /// First day of the window, from 1, and the number of days on which the feast may begin.
    fn starts(&self) -> (u16, u16) {
        let first = day_of_year(self.from);
        let window = day_of_year(self.to) + 1 - first;
        (first, window + 1 - self.days)
    }

    /// The mean factor of a day of the year, from 1, over all years.
    fn expected(&self, day: u16) -> f64 {
        let (first, starts) = self.starts();
        let holds = (first..first + starts)
            .filter(|s| (*s..s + self.days).contains(&day))
            .count();
        1.0 + (self.factor - 1.0) * holds as f64 / f64::from(starts)
    }

    /// The factor of a day in the year whose feast is drawn by `u`.
    fn factor_on(&self, day: u16, u: f64) -> f64 {
        let (first, starts) = self.starts();
        let start = first + ((u * f64::from(starts)) as u16).min(starts - 1);
        if (start..start + self.days).contains(&day) {
            self.factor
        } else {
            1.0
        }
    }

    fn valid(&self) -> bool {
        let date = |[month, day]: [u16; 2]| {
            (1..=12).contains(&month)
                && day >= 1
                && month_of(day_of_year([month, day])) == usize::from(month)
        };
        date(self.from)
            && date(self.to)
            && day_of_year(self.from) <= day_of_year(self.to)
            && (1..=day_of_year(self.to) + 1 - day_of_year(self.from)).contains(&self.days)
            && (0.0..=100.0).contains(&self.factor)
    }
}

/// Day of a year of 365 days, from 1.
fn day_of_year([month, day]: [u16; 2]) -> u16 {
    let ends = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    ends[usize::from(month.clamp(1, 12)) - 1] + day
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
        for custom in &self.custom {
            let key = format!("custom {}", custom.name);
            let found = format!(
                "{:?} to {:?}, {} days, factor {}",
                custom.from, custom.to, custom.days, custom.factor
            );
            let expected = "[month, day] to a later one of the same year, days within them, a factor of 0 to 100";
            check(custom.valid(), &key, found, expected);
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Ignitions of a day of the year, from 1, over those of a day without customs, in the mean of all years.
    pub(super) fn expected_factor(&self, day: u16) -> f64 {
        self.custom.iter().map(|c| c.expected(day)).product()
    }

    /// The same in one year; `draw` gives the number in 0..1 that places the feast of each custom.
    pub(super) fn factor_on(&self, day: u16, draw: impl Fn(u32) -> f64) -> f64 {
        (self.custom.iter().zip(0..))
            .map(|(c, k)| c.factor_on(day, draw(k)))
            .product()
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
    fn feasts_bring_their_fires_and_no_others() {
        let config = SeasonConfig::default();
        let [qingming, spring] = &config.custom[..] else {
            panic!("two customs");
        };
        // 3 to 6 April are days 93 to 96, every year.
        for day in 90..100 {
            let on = (93..=96).contains(&day);
            let factor = if on { qingming.factor } else { 1.0 };
            assert_eq!(qingming.factor_on(day, 0.999), factor);
            assert_eq!(qingming.expected(day), factor);
        }
        // Seven days of every year; over all places of the feast in equal numbers the mean is the expected one.
        let (_, starts) = spring.starts();
        assert_eq!(starts, 31);
        let places: Vec<f64> = (0..starts)
            .map(|s| (f64::from(s) + 0.5) / f64::from(starts))
            .collect();
        for u in &places {
            let sum: f64 = (1..=365).map(|d| spring.factor_on(d, *u) - 1.0).sum();
            assert_eq!(sum, 7.0 * (spring.factor - 1.0));
        }
        for day in 1..=365 {
            let sum: f64 = places.iter().map(|u| spring.factor_on(day, *u)).sum();
            assert!((sum / f64::from(starts) - spring.expected(day)).abs() < 1e-12);
            let both = config.factor_on(day, |_| 0.5);
            assert_eq!(
                both,
                qingming.factor_on(day, 0.5) * spring.factor_on(day, 0.5)
            );
        }
        let mut wrong = config.clone();
        wrong.custom[0].from = [4, 31];
        wrong.custom[1].days = 60;
        let message = wrong.validate(Path::new("season.toml")).unwrap_err();
        let message = message.to_string();
        assert!(
            message.contains("custom Qingming") && message.contains("custom spring festival"),
            "{message}"
        );
    }

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
