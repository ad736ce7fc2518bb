//! Screening of forest fire (森林火险筛查) where cells are too coarse for spread: days of high danger a year, times the flame
//! length of a head fire on such a day.
//!
//! The danger of a day is its Fire Weather Index. It is worked out for a few heights and wetnesses of place (a day's
//! temperature falls with height, its rain is that of the region times the ratio of the place) and taken between
//! them; humidity and wind are those of the region. There is no ignition, spread or suppression in it: it orders places.

use crate::fire::behaviour::{Moisture, flame_length_m};
use crate::fire::danger::month_of;
use crate::fire::landscape::Conditions;
use crate::fire::season::{SeasonConfig, season_danger};
use crate::weather::{Day, WeatherYear};
use anlan_engine::Raster;
use rayon::prelude::*;

/// Days of high danger a year by height and wetness of place.
#[derive(Debug, Clone)]
pub struct DangerDays {
    heights_m: Vec<f64>,
    rain_ratios: Vec<f64>,
    /// `[height][ratio]`, row by row.
    days: Vec<f64>,
}

impl DangerDays {
    /// From the days of some years, whose temperature is that at sea level: mean number of days a year with an FWI of the
    /// highest class of `season`.
    ///
    /// `heights_m` and `rain_ratios` (rain of a place over that of the region) ascend; places beyond them count as at
    /// the nearest.
    ///
    /// # Panics
    /// No year, or no or unsorted heights or ratios.
    pub fn new(
        years: &[WeatherYear],
        latitude_deg: f64,
        season: &SeasonConfig,
        lapse_c_per_m: f64,
        heights_m: &[f64],
        rain_ratios: &[f64],
    ) -> Self {
        for nodes in [heights_m, rain_ratios] {
            let ascending = nodes.windows(2).all(|w| w[0] < w[1]);
            assert!(!nodes.is_empty() && ascending, "nodes must ascend");
        }
        assert!(!years.is_empty(), "no year");
        let from = high_danger_from(season);
        let places: Vec<(f64, f64)> = heights_m
            .iter()
            .flat_map(|&h| rain_ratios.iter().map(move |&r| (h, r)))
            .collect();
        let days = places
            .par_iter()
            .map(|&(height, ratio)| {
                let count: usize = years
                    .iter()
                    .map(|year| {
                        let days: Vec<Day> = year
                            .days
                            .iter()
                            .map(|d| at_place(d, lapse_c_per_m * height, ratio))
                            .collect();
                        season_danger(&days, latitude_deg, season.wind_share)
                            .iter()
                            .filter(|f| f.fwi >= from)
                            .count()
                    })
                    .sum();
                count as f64 / years.len() as f64
            })
            .collect();
        DangerDays {
            heights_m: heights_m.to_vec(),
            rain_ratios: rain_ratios.to_vec(),
            days,
        }
    }

    /// Days of high danger a year at a height in m and a rain ratio, linear between the nodes; NaN where one is NaN.
    pub fn at(&self, height_m: f64, rain_ratio: f64) -> f64 {
        if height_m.is_nan() || rain_ratio.is_nan() {
            return f64::NAN;
        }
        let (i, s) = between(&self.heights_m, height_m);
        let (j, t) = between(&self.rain_ratios, rain_ratio);
        let columns = self.rain_ratios.len();
        let row = |i: usize| {
            let (a, b) = (i * columns + j, i * columns + (j + 1).min(columns - 1));
            self.days[a] + t * (self.days[b] - self.days[a])
        };
        let (low, high) = (row(i), row((i + 1).min(self.heights_m.len() - 1)));
        low + s * (high - low)
    }
}

/// FWI from which a day is one of high danger: the highest class bound of the season table; 0 where it has one class.
pub fn high_danger_from(season: &SeasonConfig) -> f64 {
    season.class_from_fwi.last().copied().unwrap_or(0.0)
}

fn at_place(day: &Day, cooler_c: f64, rain_ratio: f64) -> Day {
    Day {
        temp_mean_c: day.temp_mean_c - cooler_c as f32,
        temp_max_c: day.temp_max_c - cooler_c as f32,
        rain_mm: day.rain_mm * rain_ratio as f32,
        ..*day
    }
}

/// Interval of a value among ascending nodes and its share of the way; beyond the ends that of the end.
fn between(nodes: &[f64], value: f64) -> (usize, f64) {
    let i = nodes
        .partition_point(|&n| n <= value)
        .saturating_sub(1)
        .min(nodes.len().saturating_sub(2));
    match nodes.get(i + 1) {
        Some(next) => {
            let t = (value - nodes[i]) / (next - nodes[i]);
            (i, t.clamp(0.0, 1.0))
        }
        None => (0, 0.0),
    }
}

/// Mean fuel moisture and mean wind (10 minutes, 10 m; m/s) over the days of high danger; over the days of the greatest
/// FWI where none is that high.
///
/// # Panics
/// No year.
pub fn high_danger_day(
    years: &[WeatherYear],
    latitude_deg: f64,
    season: &SeasonConfig,
) -> (Moisture, f64) {
    let dangers: Vec<_> = years
        .iter()
        .map(|y| season_danger(&y.days, latitude_deg, season.wind_share))
        .collect();
    let greatest = dangers
        .iter()
        .flatten()
        .fold(f64::NEG_INFINITY, |m, f| f.fwi.max(m));
    assert!(greatest > f64::NEG_INFINITY, "no year");
    let from = high_danger_from(season).min(greatest);
    let mut sums = [0.0; 6];
    let mut n = 0.0;
    for (year, days) in years.iter().zip(&dangers) {
        for (i, (day, danger)) in year.days.iter().zip(days).enumerate() {
            if danger.fwi >= from {
                let m = season.moisture(danger.codes.ffmc, month_of(i as u16 + 1));
                let wind = f64::from(day.wind_max_m_s).max(0.0) * season.wind_share;
                let parts = [
                    m.dead_1h,
                    m.dead_10h,
                    m.dead_100h,
                    m.live_herb,
                    m.live_woody,
                    wind,
                ];
                for (sum, part) in sums.iter_mut().zip(parts) {
                    *sum += part;
                }
                n += 1.0;
            }
        }
    }
    let [dead_1h, dead_10h, dead_100h, live_herb, live_woody, wind] = sums.map(|s| s / n);
    let moisture = Moisture {
        dead_1h,
        dead_10h,
        dead_100h,
        live_herb,
        live_woody,
    };
    (moisture, wind)
}

/// Flame length (火焰长度), m, of a head fire that runs up the slope with the wind behind it; 0 where nothing burns. A missing
/// slope counts as flat.
///
/// `conditions`: of a wind towards the east.
///
/// # Panics
/// Rasters of different shapes.
pub fn flame_lengths(
    fuel: &Raster<u8>,
    slope_deg: &Raster<f32>,
    conditions: &Conditions,
) -> Raster<f32> {
    assert_eq!(
        fuel.grid.shape(),
        slope_deg.grid.shape(),
        "fuel and slope differ in shape"
    );
    let mut out = Raster::filled(fuel.grid, 0.0_f32);
    out.values_mut()
        .par_iter_mut()
        .zip(fuel.values())
        .zip(slope_deg.values())
        .for_each(|((flame, &fuel), &slope)| {
            let slope = if slope > 0.0 { f64::from(slope) } else { 0.0 };
            let tangent = libm::tan(slope.min(85.0).to_radians());
            if let Some(head) = conditions.head_fire(fuel, (tangent, 0.0)) {
                *flame = flame_length_m(head.intensity_kw_m()) as f32;
            }
        });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fire::behaviour::BehaviourOptions;
    use crate::fire::fuels::FuelTable;
    use crate::fire::landscape::Canopy;
    use crate::weather::{WeatherModel, jinhua};
    use anlan_engine::{Crs, Grid};

    fn years() -> Vec<WeatherYear> {
        let model = WeatherModel::new(jinhua(), 5).unwrap();
        (0..10).map(|y| model.year(y)).collect()
    }

    #[test]
    fn danger_falls_with_height_and_with_rain() {
        let season = SeasonConfig::default();
        let (heights, ratios) = ([0.0, 500.0, 1500.0], [0.6, 1.0, 1.6]);
        let table = DangerDays::new(&years(), 29.0, &season, 0.0065, &heights, &ratios);
        assert!(table.days.iter().all(|d| (0.0..=365.0).contains(d)));
        for h in [0.0, 500.0, 1500.0] {
            assert!(table.at(h, 0.6) > table.at(h, 1.0) && table.at(h, 1.0) > table.at(h, 1.6));
        }
        assert!(table.at(0.0, 1.0) > table.at(1500.0, 1.0));
        // Between nodes the mean of both, beyond them the last.
        let middle = table.at(250.0, 1.0);
        assert!((middle - 0.5 * (table.at(0.0, 1.0) + table.at(500.0, 1.0))).abs() < 1e-12);
        assert_eq!(table.at(9000.0, 9.0), table.at(1500.0, 1.6));
        assert_eq!(table.at(-50.0, 0.1), table.at(0.0, 0.6));
        assert!(table.at(f64::NAN, 1.0).is_nan());
    }

    #[test]
    fn one_place_is_the_plain_count_of_days() {
        let (years, season) = (years(), SeasonConfig::default());
        let table = DangerDays::new(&years, 29.0, &season, 0.0065, &[0.0], &[1.0]);
        let count = years
            .iter()
            .flat_map(|y| season_danger(&y.days, 29.0, season.wind_share))
            .filter(|f| f.fwi >= 21.3)
            .count();
        assert_eq!(table.at(700.0, 2.0), count as f64 / 10.0);
    }

    #[test]
    fn steeper_and_windier_is_longer_and_rock_does_not_burn() {
        let (moisture, wind) = high_danger_day(&years(), 29.0, &SeasonConfig::default());
        assert!(
            moisture.dead_1h > 0.02 && moisture.dead_1h < 0.15,
            "{moisture:?}"
        );
        assert!(wind > 0.0 && wind < 20.0, "{wind}");
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (800.0, 800.0),
            (1, 4),
        )
        .unwrap();
        let mut fuel = Raster::filled(grid, 102_u8);
        fuel.values_mut()[3] = 99;
        let mut slope = Raster::filled(grid, 0.0_f32);
        slope
            .values_mut()
            .copy_from_slice(&[f32::NAN, 10.0, 25.0, 25.0]);
        let lengths = |wind: f64| {
            let conditions = Conditions::new(
                &FuelTable::standard(),
                &moisture,
                wind,
                270.0,
                &Canopy::default(),
                &BehaviourOptions::default(),
            );
            flame_lengths(&fuel, &slope, &conditions)
        };
        let (calm, windy) = (lengths(wind), lengths(2.0 * wind));
        let v = calm.values();
        assert!(v[0] > 0.0 && v[1] > v[0] && v[2] > v[1], "{v:?}");
        assert_eq!(v[3], 0.0);
        assert!(windy.values()[0] > v[0]);
    }
}
