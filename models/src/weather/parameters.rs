//! Parameters of the weather generator: what no open layer gives, as data with a source and a status.
//!
//! The shipped table is `models/standards/weather_zhejiang.toml`; a project may bring its own with the same keys.

use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

/// The shipped table for Zhejiang.
const ZHEJIANG: &str = include_str!("../../standards/weather_zhejiang.toml");
const ZHEJIANG_FILE: &str = "models/standards/weather_zhejiang.toml";

/// Whether a table's source was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The source was read.
    Read,
    /// From memory or judgement: replace before calling a result calibrated.
    Unverified,
}

/// How the return period P of a storm formula was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Several storms a year (年多个样法): 1/P is the mean number of exceedances a year.
    PartialDuration,
    /// Annual maxima (年最大值法): 1/P is the probability that a year's maximum exceeds.
    AnnualMaximum,
}

/// Storm-intensity formula (暴雨强度公式) of a station: i = A1 (1 + C lg P) / (t + b)^n, mm/min; q = 167 i, L/(s ha).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StormFormula {
    /// Station or city.
    pub name: String,
    /// A1, mm/min.
    pub a1_mm_min: f64,
    /// C.
    pub c: f64,
    /// b, min.
    pub b_min: f64,
    /// n.
    pub n: f64,
    /// How P was counted.
    pub sampling: Sampling,
    /// Longest duration for which the formula was fitted, h.
    pub longest_h: f64,
    /// ITU-R P.837 rain rate exceeded 0.01 % of the year at the station, mm/h.
    pub station_rain_rate_mm_h: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Growth of depth with duration beyond the formula: depth ~ t^(1 - exponent).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongDurations {
    /// Decay exponent up to 24 h (n2).
    pub exponent_to_24_h: f64,
    /// Decay exponent from 24 to 72 h (n3).
    pub exponent_to_72_h: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Areal reduction factor: max(least, 1 - coefficient A^(exponent - log_exponent ln A) / d^duration_exponent).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArealReduction {
    /// Coefficient.
    pub coefficient: f64,
    /// Exponent of the area in km².
    pub exponent: f64,
    /// What the exponent loses per unit of ln A.
    pub log_exponent: f64,
    /// Exponent of the duration in h.
    pub duration_exponent: f64,
    /// Least factor.
    pub least: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Daily rain apart from the dated storms. Lists run from January to December.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RainParameters {
    /// Probability that a day is wet.
    pub wet_probability: [f64; 12],
    /// p(wet after wet) - p(wet after dry).
    pub persistence: [f64; 12],
    /// Share of light days among the wet ones.
    pub light_share: f64,
    /// Mean amount of light days over the mean of all wet days.
    pub light_ratio: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Daily temperature about the monthly climatology.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemperatureParameters {
    /// Standard deviation about the wet or dry mean, °C.
    pub residual_sd_c: [f64; 12],
    /// Lag-1 correlation of the residual.
    pub lag1: f64,
    /// Mean of wet days less mean of dry days, °C.
    pub wet_shift_c: [f64; 12],
    /// Maximum less mean on a dry day, °C.
    pub rise_dry_c: [f64; 12],
    /// Maximum less mean on a wet day, °C.
    pub rise_wet_c: [f64; 12],
    /// Fall of temperature with height, °C/m.
    pub lapse_c_per_m: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Daily minimum relative humidity: logit-normal, AR(1).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HumidityParameters {
    /// Median of dry days, %.
    pub median_dry_pct: [f64; 12],
    /// Median of wet days, %.
    pub median_wet_pct: [f64; 12],
    /// Standard deviation of the logit.
    pub logit_sd: f64,
    /// Lag-1 correlation.
    pub lag1: f64,
    /// Correlation of its innovations with those of temperature.
    pub temperature_correlation: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// Daily maximum wind: lognormal, AR(1); direction: mixture of two von Mises laws, independent from day to day.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindParameters {
    /// Median, m/s.
    pub median_m_s: [f64; 12],
    /// Standard deviation of the natural logarithm.
    pub log_sd: f64,
    /// Lag-1 correlation.
    pub lag1: f64,
    /// Share of days with the summer monsoon.
    pub summer_share: [f64; 12],
    /// Direction the winter monsoon blows from, degrees clockwise from north.
    pub winter_from_deg: f64,
    /// Its concentration.
    pub winter_kappa: f64,
    /// Direction the summer monsoon blows from, degrees clockwise from north.
    pub summer_from_deg: f64,
    /// Its concentration.
    pub summer_kappa: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// One kind of storm.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StormParameters {
    /// Share of the 24-hour frequency (frontal, typhoon: together 1); 1 for convective storms.
    pub share: f64,
    /// 1-hour peak over the 1-hour depth of the formula at the same growth; 1 for convective storms.
    pub short_ratio: f64,
    /// Mean day of the year before the cut.
    pub mean_day: f64,
    /// Standard deviation before the cut, days.
    pub sd_days: f64,
    /// First day, 1..=365.
    pub first_day: u16,
    /// Last day on which a storm may begin.
    pub last_day: u16,
    /// Median of the greater half axis, m.
    pub half_axis_m: f64,
    /// Standard deviation of its logarithm.
    pub half_axis_log_sd: f64,
    /// Smaller over greater half axis.
    pub aspect: f64,
    /// Mean direction of the greater half axis, degrees counter-clockwise from east.
    pub angle_deg: f64,
    /// Its standard deviation, degrees.
    pub angle_sd_deg: f64,
    /// Durations and their shares: [h, share].
    pub durations_h: Vec<[f64; 2]>,
    /// Variance of a year's count = mean + clustering mean²; 0 for a Poisson count.
    pub clustering: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// The dated storms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StormsParameters {
    /// A storm enters the catalogue where it reaches this return period somewhere in the region, years.
    pub least_return_period_years: f64,
    /// Plum-rain front (梅雨).
    pub frontal: StormParameters,
    /// Typhoon rain (台风雨).
    pub typhoon: StormParameters,
    /// Local convection (局地强对流).
    pub convective: StormParameters,
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

/// All parameters of the weather generator.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeatherParameters {
    /// Region for which the numbers stand.
    pub region: String,
    /// Storm-intensity formula.
    pub storm_formula: StormFormula,
    /// Its extension to long durations.
    pub long_durations: LongDurations,
    /// Areal reduction factor.
    pub areal_reduction: ArealReduction,
    /// Daily rain.
    pub rain: RainParameters,
    /// Temperature.
    pub temperature: TemperatureParameters,
    /// Humidity.
    pub humidity: HumidityParameters,
    /// Wind.
    pub wind: WindParameters,
    /// Storms.
    pub storms: StormsParameters,
}

impl WeatherParameters {
    /// The shipped parameters of Zhejiang (浙江), mostly unverified: see the table.
    ///
    /// # Errors
    /// None for the shipped table; a test reads it.
    pub fn zhejiang() -> Result<Self> {
        Self::from_toml(ZHEJIANG, ZHEJIANG_FILE)
    }

    /// Parameters from the text of a table; `file` is named in errors.
    ///
    /// # Errors
    /// Keys missing or unknown, and every number outside its range, all named together.
    pub fn from_toml(text: &str, file: impl AsRef<Path>) -> Result<Self> {
        let p: WeatherParameters = read_toml(text, &file)?;
        let mut check = Check::new(file.as_ref());
        p.check(&mut check);
        check.done()?;
        Ok(p)
    }

    /// Names of the tables whose source was not opened.
    pub fn unverified(&self) -> Vec<&'static str> {
        [
            ("storm_formula", self.storm_formula.status),
            ("long_durations", self.long_durations.status),
            ("areal_reduction", self.areal_reduction.status),
            ("rain", self.rain.status),
            ("temperature", self.temperature.status),
            ("humidity", self.humidity.status),
            ("wind", self.wind.status),
            ("storms", self.storms.status),
            ("storms.frontal", self.storms.frontal.status),
            ("storms.typhoon", self.storms.typhoon.status),
            ("storms.convective", self.storms.convective.status),
        ]
        .into_iter()
        .filter(|(_, status)| *status == Status::Unverified)
        .map(|(name, _)| name)
        .collect()
    }

    fn check(&self, c: &mut Check) {
        let f = &self.storm_formula;
        c.number("storm_formula.a1_mm_min", f.a1_mm_min, 0.1, 1000.0);
        c.number("storm_formula.c", f.c, 0.05, 5.0);
        c.number("storm_formula.b_min", f.b_min, 0.0, 120.0);
        c.number("storm_formula.n", f.n, 0.2, 1.5);
        c.number("storm_formula.longest_h", f.longest_h, 1.0, 24.0);
        c.number(
            "storm_formula.station_rain_rate_mm_h",
            f.station_rain_rate_mm_h,
            1.0,
            250.0,
        );
        let l = &self.long_durations;
        c.number(
            "long_durations.exponent_to_24_h",
            l.exponent_to_24_h,
            0.0,
            0.99,
        );
        c.number(
            "long_durations.exponent_to_72_h",
            l.exponent_to_72_h,
            0.0,
            0.99,
        );
        let a = &self.areal_reduction;
        c.number("areal_reduction.coefficient", a.coefficient, 0.0, 1.0);
        c.number("areal_reduction.exponent", a.exponent, 0.0, 2.0);
        c.number("areal_reduction.log_exponent", a.log_exponent, 0.0, 0.1);
        c.number(
            "areal_reduction.duration_exponent",
            a.duration_exponent,
            0.0,
            2.0,
        );
        c.number("areal_reduction.least", a.least, 0.0, 1.0);
        let r = &self.rain;
        c.months("rain.wet_probability", &r.wet_probability, 0.01, 0.99);
        c.months("rain.persistence", &r.persistence, 0.0, 0.95);
        c.number("rain.light_share", r.light_share, 0.01, 0.99);
        c.number("rain.light_ratio", r.light_ratio, 0.01, 1.0);
        let t = &self.temperature;
        c.months("temperature.residual_sd_c", &t.residual_sd_c, 0.0, 15.0);
        c.number("temperature.lag1", t.lag1, 0.0, 0.99);
        c.months("temperature.wet_shift_c", &t.wet_shift_c, -15.0, 15.0);
        c.months("temperature.rise_dry_c", &t.rise_dry_c, 0.0, 20.0);
        c.months("temperature.rise_wet_c", &t.rise_wet_c, 0.0, 20.0);
        c.number("temperature.lapse_c_per_m", t.lapse_c_per_m, 0.0, 0.01);
        let h = &self.humidity;
        c.months("humidity.median_dry_pct", &h.median_dry_pct, 1.0, 99.0);
        c.months("humidity.median_wet_pct", &h.median_wet_pct, 1.0, 99.0);
        c.number("humidity.logit_sd", h.logit_sd, 0.0, 3.0);
        c.number("humidity.lag1", h.lag1, 0.0, 0.99);
        c.number(
            "humidity.temperature_correlation",
            h.temperature_correlation,
            -0.99,
            0.99,
        );
        let w = &self.wind;
        c.months("wind.median_m_s", &w.median_m_s, 0.1, 40.0);
        c.number("wind.log_sd", w.log_sd, 0.0, 1.5);
        c.number("wind.lag1", w.lag1, 0.0, 0.99);
        c.months("wind.summer_share", &w.summer_share, 0.0, 1.0);
        c.number("wind.winter_from_deg", w.winter_from_deg, 0.0, 360.0);
        c.number("wind.winter_kappa", w.winter_kappa, 0.0, 50.0);
        c.number("wind.summer_from_deg", w.summer_from_deg, 0.0, 360.0);
        c.number("wind.summer_kappa", w.summer_kappa, 0.0, 50.0);
        let s = &self.storms;
        c.number(
            "storms.least_return_period_years",
            s.least_return_period_years,
            1.1,
            100.0,
        );
        for (name, k, durations) in [
            ("storms.frontal", &s.frontal, [24.0, 72.0]),
            ("storms.typhoon", &s.typhoon, [24.0, 72.0]),
            ("storms.convective", &s.convective, [1.0, f.longest_h]),
        ] {
            k.check(c, name, durations);
        }
        let long = s.frontal.share + s.typhoon.share;
        if (long - 1.0).abs() > 1e-9 {
            c.fault(
                "storms.frontal.share, storms.typhoon.share",
                format!("{long} together"),
                "1 together",
                "frontal and typhoon storms share the whole 24-hour frequency",
            );
        }
        for (key, value) in [
            ("storms.convective.share", s.convective.share),
            ("storms.convective.short_ratio", s.convective.short_ratio),
        ] {
            if value != 1.0 {
                c.fault(
                    key,
                    value.to_string(),
                    "1",
                    "convective storms carry the full 1-hour depth of what long storms leave",
                );
            }
        }
    }
}

impl StormParameters {
    fn check(&self, c: &mut Check, name: &str, [shortest_h, longest_h]: [f64; 2]) {
        let key = |k: &str| format!("{name}.{k}");
        c.number(&key("share"), self.share, 0.0, 1.0);
        c.number(&key("short_ratio"), self.short_ratio, 0.05, 1.0);
        c.number(&key("mean_day"), self.mean_day, 1.0, 365.0);
        c.number(&key("sd_days"), self.sd_days, 0.1, 400.0);
        c.number(&key("half_axis_m"), self.half_axis_m, 100.0, 1e6);
        c.number(&key("half_axis_log_sd"), self.half_axis_log_sd, 0.0, 1.0);
        c.number(&key("aspect"), self.aspect, 0.05, 1.0);
        c.number(&key("angle_deg"), self.angle_deg, -360.0, 360.0);
        c.number(&key("angle_sd_deg"), self.angle_sd_deg, 0.0, 360.0);
        c.number(&key("clustering"), self.clustering, 0.0, 5.0);
        // A storm of 72 h that begins on the last day must end within the year.
        if self.first_day < 1 || self.first_day > self.last_day || self.last_day > 362 {
            c.fault(
                &key("first_day"),
                format!("{} to {}", self.first_day, self.last_day),
                "1 <= first_day <= last_day <= 362",
                "give days of the year on which storms begin",
            );
        }
        let total: f64 = self.durations_h.iter().map(|d| d[1]).sum();
        let bad = self
            .durations_h
            .iter()
            .any(|d| !(d[0] >= shortest_h && d[0] <= longest_h && d[1] >= 0.0));
        if bad || (total - 1.0).abs() > 1e-9 {
            c.fault(
                &key("durations_h"),
                format!("{:?}", self.durations_h),
                format!(
                    "[hours, share] with hours in {shortest_h}..={longest_h} and shares of sum 1"
                ),
                "mend the list",
            );
        }
    }
}

/// Parses a table; faults name file and line.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(
    text: &str,
    file: impl AsRef<Path>,
) -> Result<T> {
    toml::from_str(text).map_err(|e| {
        let line = e
            .span()
            .map(|s| text[..s.start.min(text.len())].lines().count().max(1));
        let fault = Fault::new(
            file,
            e.message().to_string(),
            "the keys of the shipped table",
            "compare with the table that ships with the release",
        );
        Error::input(match line {
            Some(line) => fault.at(format!("line {line}")),
            None => fault,
        })
    })
}

/// Gathers the faults of a table.
pub(crate) struct Check<'a> {
    file: &'a Path,
    faults: Vec<Fault>,
}

impl<'a> Check<'a> {
    pub(crate) fn new(file: &'a Path) -> Self {
        Check {
            file,
            faults: Vec::new(),
        }
    }

    pub(crate) fn fault(
        &mut self,
        key: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.faults
            .push(Fault::new(self.file, found, expected, remedy).at(key));
    }

    /// A number within `[least, most]`; NaN is outside.
    pub(crate) fn number(&mut self, key: &str, value: f64, least: f64, most: f64) {
        if !(value >= least && value <= most) {
            self.fault(
                key,
                value.to_string(),
                format!("a number from {least} to {most}"),
                "check the unit in the key's name",
            );
        }
    }

    pub(crate) fn months(&mut self, key: &str, values: &[f64; 12], least: f64, most: f64) {
        for (month, &value) in values.iter().enumerate() {
            self.number(&format!("{key}, month {}", month + 1), value, least, most);
        }
    }

    pub(crate) fn done(self) -> Result<()> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Input(self.faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_table_reads_and_says_what_is_unverified() {
        let p = WeatherParameters::zhejiang().unwrap();
        assert!(p.unverified().contains(&"storm_formula"));
    }

    #[test]
    fn all_faults_are_named_together() {
        let text = ZHEJIANG
            .replace("light_share = 0.60", "light_share = 60")
            .replace("aspect = 0.35", "aspect = -1.0");
        let e = WeatherParameters::from_toml(&text, "mine.toml").unwrap_err();
        assert_eq!(e.faults().len(), 2);
        assert_eq!(e.faults()[0].place, "rain.light_share");
        assert_eq!(e.faults()[1].place, "storms.frontal.aspect");
        let e = WeatherParameters::from_toml("region = 3", "mine.toml").unwrap_err();
        assert!(e.is_input() && e.to_string().contains("line 1"), "{e}");
    }
}
