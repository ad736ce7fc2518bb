//! Fire danger of the day (森林火险): the Canadian Fire Weather Index system and the scores of LY/T 1172-95.
//!
//! # References
//! Van Wagner (1987), Development and structure of the Canadian Forest Fire Weather Index System, For. Tech. Rep. 35
//! (equation numbers below); Van Wagner and Pickett (1985), For. Tech. Rep. 33. The factor 250·59.5/101 of the fine fuel
//! moisture scale is used where the report rounds it to 147.2, as the maintained Canadian code does.

use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

const FFMC_SCALE: f64 = 250.0 * 59.5 / 101.0;

/// Effective day length for the duff moisture code, h, by month: rows from north of 30° N to south of 30° S.
const DUFF_DAY_LENGTH: [[f64; 12]; 5] = [
    [
        6.5, 7.5, 9.0, 12.8, 13.9, 13.9, 12.4, 10.9, 9.4, 8.0, 7.0, 6.0,
    ],
    [7.9, 8.4, 8.9, 9.5, 9.9, 10.2, 10.1, 9.7, 9.1, 8.6, 8.1, 7.8],
    [9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0],
    [10.1, 9.6, 9.1, 8.5, 8.1, 7.8, 7.9, 8.3, 8.9, 9.4, 9.9, 10.2],
    [
        11.5, 10.5, 9.2, 7.9, 6.8, 6.2, 6.5, 7.4, 8.7, 10.0, 11.2, 11.8,
    ],
];
/// Day-length factor for the drought code by month: north, tropics, south.
const DROUGHT_DAY_LENGTH: [[f64; 12]; 3] = [
    [
        -1.6, -1.6, -1.6, 0.9, 3.8, 5.8, 6.4, 5.0, 2.4, 0.4, -1.6, -1.6,
    ],
    [1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4],
    [
        6.4, 5.0, 2.4, 0.4, -1.6, -1.6, -1.6, -1.6, -1.6, 0.9, 3.8, 5.8,
    ],
];

/// Noon weather of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoonWeather {
    /// Temperature, °C.
    pub temp_c: f64,
    /// Relative humidity, %, 0..=100.
    pub rh_pct: f64,
    /// 10-minute wind at 10 m, km/h.
    pub wind_km_h: f64,
    /// Rain of the 24 h before, mm.
    pub rain_mm: f64,
    /// Month, 1..=12.
    pub month: usize,
}

/// The three moisture codes, carried from day to day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MoistureCodes {
    /// Fine Fuel Moisture Code, 0..=101.
    pub ffmc: f64,
    /// Duff Moisture Code.
    pub dmc: f64,
    /// Drought Code.
    pub dc: f64,
}

impl Default for MoistureCodes {
    /// The start-up values 85, 6, 15 of the Canadian system.
    fn default() -> Self {
        MoistureCodes {
            ffmc: 85.0,
            dmc: 6.0,
            dc: 15.0,
        }
    }
}

/// The indices of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FireWeather {
    /// Moisture codes of the day.
    pub codes: MoistureCodes,
    /// Initial Spread Index.
    pub isi: f64,
    /// Buildup Index.
    pub bui: f64,
    /// Fire Weather Index.
    pub fwi: f64,
    /// Daily Severity Rating.
    pub dsr: f64,
}

/// Indices of a day from its noon weather and the codes of the day before, at a latitude in degrees.
pub fn fire_weather(yesterday: &MoistureCodes, w: &NoonWeather, latitude_deg: f64) -> FireWeather {
    let codes = MoistureCodes {
        ffmc: fine_fuel_moisture_code(yesterday.ffmc, w),
        dmc: duff_moisture_code(yesterday.dmc, w, latitude_deg),
        dc: drought_code(yesterday.dc, w, latitude_deg),
    };
    let isi = initial_spread_index(codes.ffmc, w.wind_km_h);
    let bui = buildup_index(codes.dmc, codes.dc);
    let fwi = fire_weather_index(isi, bui);
    FireWeather {
        codes,
        isi,
        bui,
        fwi,
        dsr: 0.0272 * libm::pow(fwi, 1.77),
    }
}

/// Moisture of fine dead fuel, fraction of dry weight, that an FFMC stands for (equation 1).
pub fn fine_fuel_moisture(ffmc: f64) -> f64 {
    FFMC_SCALE * (101.0 - ffmc) / (59.5 + ffmc) / 100.0
}

fn fine_fuel_moisture_code(before: f64, w: &NoonWeather) -> f64 {
    let mut m = FFMC_SCALE * (101.0 - before) / (59.5 + before);
    if w.rain_mm > 0.5 {
        let r = w.rain_mm - 0.5;
        let wetter = m + 42.5 * r * libm::exp(-100.0 / (251.0 - m)) * (1.0 - libm::exp(-6.93 / r));
        let excess = (m - 150.0).max(0.0);
        m = (wetter + 0.0015 * excess * excess * r.sqrt()).min(250.0);
    }
    let h = w.rh_pct;
    let warm = 0.18 * (21.1 - w.temp_c) * (1.0 - libm::exp(-0.115 * h));
    let damp = libm::exp((h - 100.0) / 10.0);
    let drying_end = 0.942 * libm::pow(h, 0.679) + 11.0 * damp + warm;
    let wetting_end = 0.618 * libm::pow(h, 0.753) + 10.0 * damp + warm;
    let rate = |share: f64| {
        let s2 = share * share;
        let s8 = s2 * s2 * s2 * s2;
        (0.424 * (1.0 - libm::pow(share, 1.7)) + 0.0694 * w.wind_km_h.sqrt() * (1.0 - s8))
            * 0.581
            * libm::exp(0.0365 * w.temp_c)
    };
    if m > drying_end {
        m = drying_end + (m - drying_end) * libm::pow(10.0, -rate(h / 100.0));
    } else if m < wetting_end {
        m = wetting_end - (wetting_end - m) * libm::pow(10.0, -rate((100.0 - h) / 100.0));
    }
    (59.5 * (250.0 - m) / (FFMC_SCALE + m)).clamp(0.0, 101.0)
}

fn duff_moisture_code(before: f64, w: &NoonWeather, latitude_deg: f64) -> f64 {
    let row = match latitude_deg {
        l if l > 30.0 => 0,
        l if l > 10.0 => 1,
        l if l > -10.0 => 2,
        l if l > -30.0 => 3,
        _ => 4,
    };
    let day_length = DUFF_DAY_LENGTH[row][(w.month - 1).min(11)];
    let drying = 1.894 * (w.temp_c.max(-1.1) + 1.1) * (100.0 - w.rh_pct) * day_length * 1e-4;
    let mut code = before;
    if w.rain_mm > 1.5 {
        let effective = 0.92 * w.rain_mm - 1.27;
        let m0 = 20.0 + 280.0 * libm::exp(-0.023 * before);
        let b = if before <= 33.0 {
            100.0 / (0.5 + 0.3 * before)
        } else if before <= 65.0 {
            14.0 - 1.3 * libm::log(before)
        } else {
            6.2 * libm::log(before) - 17.2
        };
        let m = m0 + 1000.0 * effective / (48.77 + b * effective);
        code = (43.43 * (5.6348 - libm::log(m - 20.0))).max(0.0);
    }
    (code + drying).max(0.0)
}

fn drought_code(before: f64, w: &NoonWeather, latitude_deg: f64) -> f64 {
    let row = match latitude_deg {
        l if l > 20.0 => 0,
        l if l > -20.0 => 1,
        _ => 2,
    };
    let factor = DROUGHT_DAY_LENGTH[row][(w.month - 1).min(11)];
    let evaporation = (0.36 * (w.temp_c.max(-2.8) + 2.8) + factor).max(0.0) / 2.0;
    let mut code = before;
    if w.rain_mm > 2.8 {
        let effective = 0.83 * w.rain_mm - 1.27;
        let q = 800.0 * libm::exp(-before / 400.0);
        code = (before - 400.0 * libm::log(1.0 + 3.937 * effective / q)).max(0.0);
    }
    (code + evaporation).max(0.0)
}

/// Initial Spread Index from FFMC and wind in km/h.
pub fn initial_spread_index(ffmc: f64, wind_km_h: f64) -> f64 {
    let m = FFMC_SCALE * (101.0 - ffmc) / (59.5 + ffmc);
    let fine = 91.9 * libm::exp(-0.1386 * m) * (1.0 + libm::pow(m, 5.31) / 4.93e7);
    0.208 * libm::exp(0.050_39 * wind_km_h) * fine
}

/// Buildup Index from DMC and DC.
pub fn buildup_index(dmc: f64, dc: f64) -> f64 {
    if dmc <= 0.0 && dc <= 0.0 {
        return 0.0;
    }
    let mean = 0.8 * dmc * dc / (dmc + 0.4 * dc);
    if dmc <= 0.4 * dc {
        return mean;
    }
    let share = 1.0 - 0.8 * dc / (dmc + 0.4 * dc);
    (dmc - share * (0.92 + libm::pow(0.0114 * dmc, 1.7))).max(0.0)
}

/// Fire Weather Index from ISI and BUI.
pub fn fire_weather_index(isi: f64, bui: f64) -> f64 {
    let duff = if bui <= 80.0 {
        0.626 * libm::pow(bui, 0.809) + 2.0
    } else {
        1000.0 / (25.0 + 108.64 * libm::exp(-0.023 * bui))
    };
    let b = 0.1 * isi * duff;
    if b > 1.0 {
        libm::exp(2.72 * libm::pow(0.434 * libm::log(b), 0.647))
    } else {
        b
    }
}

/// Month (1..=12) of a day of a 365-day year (1..=365).
pub fn month_of(day: u16) -> usize {
    let ends = [31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    ends.iter().filter(|&&end| day > end).count() + 1
}

/// Scores of LY/T 1172-95 (森林火险天气等级).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HtzTable {
    /// Where the figures come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Lower bounds of grades II..V.
    pub grade_from: [f64; 4],
    /// A: maximum temperature, °C.
    pub temperature: Vec<Score>,
    /// B: least relative humidity, %.
    pub humidity: Vec<Score>,
    /// C: days since the last rain.
    pub dry_days: Vec<Score>,
    /// D: maximum wind, m/s.
    pub wind: Vec<Score>,
    /// Variant: deduction for the rain of the day, mm.
    pub rain_deduction: Vec<Score>,
}

/// The score of values up to and including `to`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Upper end; none for the last row.
    pub to: Option<f64>,
    /// Score.
    pub score: f64,
}

/// Weather of a day for [`HtzTable::index`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HtzDay {
    /// Maximum temperature, °C.
    pub temp_max_c: f64,
    /// Least relative humidity, %.
    pub rh_min_pct: f64,
    /// Days since the last rain.
    pub dry_days: u16,
    /// Maximum wind, m/s.
    pub wind_max_m_s: f64,
    /// Rain of the day, mm.
    pub rain_mm: f64,
    /// E: season correction by phenology and snow, score points.
    pub season: f64,
}

impl HtzTable {
    /// The tables compiled in (status unverified).
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn standard() -> Self {
        HtzTable::parse(
            include_str!("../../standards/fire_danger_htz.toml"),
            Path::new("standards/fire_danger_htz.toml"),
        )
        .expect("the compiled-in danger table is read by a test")
    }

    /// Tables from TOML text.
    ///
    /// # Errors
    /// Text of another shape; a table without an open last row or with bounds that do not rise.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let table: HtzTable = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.to_string(),
                "the keys of standards/fire_danger_htz.toml",
                "compare with the standard file",
            ))
        })?;
        let faults: Vec<Fault> = [
            ("temperature", &table.temperature),
            ("humidity", &table.humidity),
            ("dry_days", &table.dry_days),
            ("wind", &table.wind),
            ("rain_deduction", &table.rain_deduction),
        ]
        .into_iter()
        .filter(|(_, rows)| {
            let bounds: Vec<f64> = rows.iter().filter_map(|r| r.to).collect();
            rows.is_empty()
                || bounds.len() + 1 != rows.len()
                || rows.last().is_some_and(|r| r.to.is_some())
                || bounds.windows(2).any(|b| b[0] >= b[1])
        })
        .map(|(name, _)| {
            Fault::new(
                file,
                "rows out of order or without an open end",
                "rising upper ends `to`, none in the last row",
                "sort the rows and drop `to` from the last",
            )
            .at(name)
        })
        .collect();
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// HTZ = A + B + C + D - E; with `deduct_rain` the rain of the day is taken off too (a variant of the secondary
    /// source).
    pub fn index(&self, day: &HtzDay, deduct_rain: bool) -> f64 {
        let rain = if deduct_rain {
            score(&self.rain_deduction, day.rain_mm)
        } else {
            0.0
        };
        score(&self.temperature, day.temp_max_c)
            + score(&self.humidity, day.rh_min_pct)
            + score(&self.dry_days, f64::from(day.dry_days))
            + score(&self.wind, day.wind_max_m_s)
            - day.season
            - rain
    }

    /// Grade 1 (none) to 5 (extreme) of an index.
    pub fn grade(&self, index: f64) -> u8 {
        1 + self
            .grade_from
            .iter()
            .filter(|&&from| index >= from)
            .count() as u8
    }
}

fn score(rows: &[Score], value: f64) -> f64 {
    rows.iter()
        .find(|r| r.to.is_none_or(|to| value <= to))
        .map_or(0.0, |r| r.score)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equal to the four significant digits in which the value is stored.
    fn four_digits(got: f64, stored: f64) -> bool {
        if stored == 0.0 {
            return got.abs() < 5e-4;
        }
        let place = libm::pow(10.0, libm::floor(libm::log10(stored.abs())) - 3.0);
        (got - stored).abs() <= 0.5001 * place
    }

    #[test]
    fn first_days_of_the_calibration_set() {
        // Van Wagner and Pickett (1985), days 1 and 2, from the start-up values, 40° N.
        let mut codes = MoistureCodes::default();
        for (temp_c, rh_pct, wind_km_h, rain_mm, expected) in [
            (
                17.0,
                42.0,
                25.0,
                0.0,
                [87.65, 8.545, 19.01, 10.78, 8.49, 10.04, 1.612],
            ),
            (
                20.0,
                21.0,
                25.0,
                2.4,
                [86.2, 10.4, 23.57, 8.771, 10.36, 9.22, 1.387],
            ),
        ] {
            let w = NoonWeather {
                temp_c,
                rh_pct,
                wind_km_h,
                rain_mm,
                month: 4,
            };
            let f = fire_weather(&codes, &w, 40.0);
            codes = f.codes;
            let got = [codes.ffmc, codes.dmc, codes.dc, f.isi, f.bui, f.fwi, f.dsr];
            for (g, e) in got.into_iter().zip(expected) {
                assert!(four_digits(g, e), "{g} {e}");
            }
        }
    }

    #[test]
    fn the_whole_calibration_set() {
        let folder = std::env::var("ANLAN_SHARED_DATA").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned()
        });
        let read = |name: &str| std::fs::read_to_string(format!("{folder}/fire/fwi/{name}"));
        let (Ok(input), Ok(expected)) = (read("test_fwi_input.csv"), read("expected_default.csv"))
        else {
            eprintln!("SKIPPED: no fire/fwi in {folder}");
            return;
        };
        let mut codes = MoistureCodes::default();
        let mut days = 0;
        for (line, wanted) in input.lines().zip(expected.lines()).skip(1) {
            let v: Vec<f64> = line.split(';').map(|x| x.parse().unwrap()).collect();
            let e: Vec<f64> = wanted.split(',').map(|x| x.parse().unwrap()).collect();
            let w = NoonWeather {
                temp_c: v[5],
                rh_pct: v[6],
                wind_km_h: v[7],
                rain_mm: v[8],
                month: v[3] as usize,
            };
            let f = fire_weather(&codes, &w, v[1]);
            codes = f.codes;
            let got = [codes.ffmc, codes.dmc, codes.dc, f.isi, f.bui, f.fwi, f.dsr];
            for (g, e) in got.into_iter().zip(&e[9..16]) {
                assert!(four_digits(g, *e), "day {days}: {g} {e}");
            }
            days += 1;
        }
        assert_eq!(days, 48);
    }

    #[test]
    fn months() {
        let days = [
            (1, 1),
            (31, 1),
            (32, 2),
            (59, 2),
            (60, 3),
            (334, 11),
            (335, 12),
            (365, 12),
        ];
        for (day, month) in days {
            assert_eq!(month_of(day), month);
        }
    }

    #[test]
    fn danger_grades() {
        let table = HtzTable::standard();
        let mut day = HtzDay {
            temp_max_c: 22.0,
            rh_min_pct: 30.0,
            dry_days: 6,
            wind_max_m_s: 6.0,
            rain_mm: 0.0,
            season: 0.0,
        };
        // 16 + 16 + 30 + 20 = 82: grade IV.
        assert_eq!(table.index(&day, false), 82.0);
        assert_eq!(table.grade(82.0), 4);
        day.rain_mm = 12.0;
        assert_eq!(table.index(&day, true), 52.0);
        assert_eq!(
            [25.0, 26.0, 72.0, 73.0, 91.0].map(|h| table.grade(h)),
            [1, 2, 3, 4, 5]
        );
        assert_eq!(score(&table.humidity, 65.0), 0.0);
    }
}
