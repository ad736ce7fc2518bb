//! Grades of rain, wind, hail and tornadoes that warnings and reports quote, from `models/standards/weather_grades.toml`.

use super::parameters::{Check, Status, read_toml};
use anlan_engine::Result;
use serde::Deserialize;
use std::path::Path;

const SHIPPED: &str = include_str!("../../standards/weather_grades.toml");
const SHIPPED_FILE: &str = "models/standards/weather_grades.toml";

/// One scale of grades by rising thresholds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeScale {
    /// English names.
    pub names: Vec<String>,
    /// Chinese names.
    pub names_zh: Vec<String>,
    /// Least value of each grade, rising.
    pub from: Vec<f64>,
    /// Where the thresholds come from.
    pub source: String,
    /// Whether the source was opened.
    pub status: Status,
}

impl GradeScale {
    /// Number of the grade, from 0; `None` below the first threshold and for NaN.
    pub fn grade(&self, value: f64) -> Option<usize> {
        self.from.iter().rposition(|&f| value >= f)
    }
}

/// All scales.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grades {
    /// Rain of 24 hours (24小时雨量), mm.
    pub rain_24h_mm: GradeScale,
    /// Rain of 12 hours (12小时雨量), mm.
    pub rain_12h_mm: GradeScale,
    /// Short-duration heavy rain (短时强降水), mm in an hour.
    pub short_rain_1h_mm: GradeScale,
    /// Wind force (风力等级), m/s; the number of the grade is the force.
    pub wind_m_s: GradeScale,
    /// Greatest hail stone (冰雹), mm.
    pub hail_mm: GradeScale,
    /// Three-second gust of the EF scale, m/s.
    pub tornado_ef: GradeScale,
}

impl Grades {
    /// The shipped scales.
    ///
    /// # Errors
    /// None for the shipped table; a test reads it.
    pub fn shipped() -> Result<Self> {
        Self::from_toml(SHIPPED, SHIPPED_FILE)
    }

    /// Scales from the text of a table; `file` is named in errors.
    ///
    /// # Errors
    /// Keys missing or unknown, lists of unequal length, thresholds that do not rise.
    pub fn from_toml(text: &str, file: impl AsRef<Path>) -> Result<Self> {
        let g: Grades = read_toml(text, &file)?;
        let mut check = Check::new(file.as_ref());
        for (key, s) in [
            ("rain_24h_mm", &g.rain_24h_mm),
            ("rain_12h_mm", &g.rain_12h_mm),
            ("short_rain_1h_mm", &g.short_rain_1h_mm),
            ("wind_m_s", &g.wind_m_s),
            ("hail_mm", &g.hail_mm),
            ("tornado_ef", &g.tornado_ef),
        ] {
            let lengths = (s.names.len(), s.names_zh.len(), s.from.len());
            if lengths.0 != lengths.2 || lengths.1 != lengths.2 || s.from.is_empty() {
                check.fault(
                    key,
                    format!("lists of {lengths:?} entries"),
                    "as many names as thresholds, at least one",
                    "complete the lists",
                );
            }
            // `!(a < b)` also catches NaN.
            if s.from
                .windows(2)
                .any(|w| !matches!(w[0].partial_cmp(&w[1]), Some(std::cmp::Ordering::Less)))
            {
                check.fault(
                    key,
                    format!("{:?}", s.from),
                    "rising thresholds",
                    "sort the grades",
                );
            }
        }
        check.done()?;
        Ok(g)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_of_the_tables() {
        let g = Grades::shipped().unwrap();
        assert_eq!(g.rain_24h_mm.grade(0.05), None);
        for (mm, name) in [
            (9.9, "小雨"),
            (25.0, "大雨"),
            (99.9, "暴雨"),
            (250.0, "特大暴雨"),
        ] {
            assert_eq!(
                g.rain_24h_mm.names_zh[g.rain_24h_mm.grade(mm).unwrap()],
                name
            );
        }
        assert_eq!(g.wind_m_s.grade(17.1), Some(7));
        assert_eq!(g.wind_m_s.grade(17.2), Some(8));
        assert_eq!(g.wind_m_s.grade(f64::NAN), None);
        assert_eq!(g.hail_mm.grade(50.0), Some(3));
    }

    #[test]
    fn thresholds_that_fall_are_named() {
        let text = SHIPPED.replace(
            "from = [0.0, 5.0, 20.0, 50.0]",
            "from = [0.0, 50.0, 20.0, 5.0]",
        );
        let e = Grades::from_toml(&text, "mine.toml").unwrap_err();
        assert_eq!(e.faults()[0].place, "hail_mm");
    }
}
