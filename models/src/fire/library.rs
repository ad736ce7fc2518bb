//! The fires of a simulated year: danger of each day from its weather, number of ignitions from the danger, fires from a
//! library simulated beforehand.
//!
//! The daily weather gives the FWI, the FWI a danger class, the class a mean number of ignitions; the counts are Poisson.
//! Each ignition takes a fire of its class from the library, whose fires start at places drawn by weight, in the weather of
//! days drawn from that class, and spread freely for a lognormal time that stands for initial attack. The moisture codes
//! start at their standard values on 1 January of each year, so that years are independent of one another; weather is
//! constant during a fire.
//!
//! # References
//! Van Wagner (1987) for the FWI; Finney and others (2011), A simulation of probabilistic wildfire risk components for the
//! continental United States, Stoch. Env. Res. Risk Assess. 25, doi:10.1007/s00477-011-0462-z, for the scheme.

use crate::fire::behaviour::BehaviourOptions;
use crate::fire::burn::{BurnRates, Ignitions, Start, simulate};
use crate::fire::danger::month_of;
use crate::fire::fuels::FuelTable;
use crate::fire::landscape::{Canopy, Conditions, Landscape};
use crate::fire::season::{SeasonConfig, season_danger};
use crate::hazard::{Hazard, HazardModel, Incident, Lattice, Sites, stream};
use crate::weather::WeatherYear;
use anlan_engine::distributions::{normal_quantile, poisson_quantile};
use anlan_engine::random::Stream;
use anlan_engine::{Error, Event, Fault, Footprint, Grid, Occurrence, Raster, Result};
use rayon::prelude::*;
use std::path::Path;

/// Dry spells are numbered from here, storms from 0: the cause of an incident is one or the other.
pub const DRY_SPELL_CAUSE: u64 = 1 << 40;

/// Rasters of the fire model, on one projected grid.
#[derive(Debug, Clone)]
pub struct FireInputs {
    /// The compute grid.
    pub grid: Grid,
    /// Number of the fuel model; numbers without a model do not burn.
    pub fuel: Raster<u8>,
    /// Slope, degrees.
    pub slope_deg: Raster<f32>,
    /// Aspect: direction in which the slope falls, degrees clockwise from north.
    pub aspect_deg: Raster<f32>,
    /// Relative number of ignitions per cell (roads, graves, settlements, fields...), any unit. Regional differences of
    /// the ignition rate belong in here.
    pub ignition_weight: Raster<f32>,
}

/// A fire of the library.
#[derive(Debug, Clone)]
pub struct LibraryFire {
    /// Danger class of its weather, from 0.
    pub class: usize,
    /// Ignition cell.
    pub ignition: u32,
    /// Duration of free spread, h.
    pub duration_h: f64,
    /// flame_m, arrival_h of all burned cells.
    pub footprint: Footprint,
}

/// First item of the draws that place feasts; those below are days.
const FEAST: u32 = 1000;

/// A day a library fire may take its weather from.
#[derive(Debug, Clone, Copy)]
struct FireDay {
    ffmc: f64,
    wind_m_s: f64,
    wind_from_deg: f64,
    month: usize,
    /// Ignitions on this day and the days before it in the pool, in those of a day without customs.
    ignitions: f64,
}

/// Fires simulated beforehand, by danger class, with the mean numbers per day.
#[derive(Debug, Clone)]
pub struct FireLibrary {
    grid: Grid,
    config: SeasonConfig,
    latitude_deg: f64,
    /// All fires, class by class.
    pub fires: Vec<LibraryFire>,
    /// First fire of each class, and the end.
    first: Vec<usize>,
    /// Mean number of fires on a day of each class without customs.
    rate_per_day: Vec<f64>,
    /// Mean number of days of each class in a year, a day with customs counted as often as it brings fires.
    days_per_year: Vec<f64>,
}

impl FireLibrary {
    /// Simulates the library. `climate` gives the days to draw weather from and to scale the rates with: some tens of
    /// years are enough.
    ///
    /// # Errors
    /// Inputs that do not fit together, no burnable ignition cell, no year of climate, figures out of range.
    pub fn new(
        inputs: &FireInputs,
        table: &FuelTable,
        config: &SeasonConfig,
        canopy: &Canopy,
        behaviour: &BehaviourOptions,
        climate: &[WeatherYear],
        latitude_deg: f64,
        seed: u64,
    ) -> Result<FireLibrary> {
        config.validate(Path::new("project"))?;
        behaviour.validate()?;
        if !inputs.fuel.grid.same_cells(&inputs.grid)
            || !inputs.ignition_weight.grid.same_cells(&inputs.grid)
            || climate.is_empty()
        {
            return Err(Error::input(Fault::new(
                "fire inputs",
                format!(
                    "{} years of climate, or rasters on other cells",
                    climate.len()
                ),
                "fuel and ignition weight on the compute grid, and one year of climate or more",
                "resample the rasters to the compute grid",
            )));
        }
        let land = Landscape::new(&inputs.fuel, &inputs.slope_deg, &inputs.aspect_deg)?;
        let fuel = inputs.fuel.values();
        let burnable: Vec<bool> = (0..=255)
            .map(|n| table.get(n).is_some_and(|m| m.burnable()))
            .collect();
        let places = Ignitions::new(&inputs.ignition_weight, |cell| {
            burnable[usize::from(fuel[cell as usize])]
        })?;

        let classes = config.class_rate.len();
        let mut pools: Vec<Vec<FireDay>> = vec![Vec::new(); classes];
        for year in climate {
            let danger = season_danger(&year.days, latitude_deg, config.wind_share);
            for (i, (day, weather)) in year.days.iter().zip(&danger).enumerate() {
                let pool = &mut pools[config.class_of(weather.fwi)];
                let before = pool.last().map_or(0.0, |d| d.ignitions);
                pool.push(FireDay {
                    ffmc: weather.codes.ffmc,
                    wind_m_s: f64::from(day.wind_max_m_s) * config.wind_share,
                    wind_from_deg: f64::from(day.wind_from_deg),
                    month: month_of(i as u16 + 1),
                    ignitions: before + config.expected_factor(i as u16 + 1),
                });
            }
        }
        let years = climate.len() as f64;
        let total = |pool: &[FireDay]| pool.last().map_or(0.0, |d| d.ignitions);
        let days_per_year: Vec<f64> = pools.iter().map(|p| total(p) / years).collect();
        let weighted: f64 = days_per_year
            .iter()
            .zip(&config.class_rate)
            .map(|(d, r)| d * r)
            .sum();
        let scale = if weighted > 0.0 {
            config.mean_fires_per_year / weighted
        } else {
            0.0
        };

        let mut first = vec![0];
        for (pool, &rate) in pools.iter().zip(&config.class_rate) {
            let n = if pool.is_empty() || rate <= 0.0 {
                0
            } else {
                config.fires_per_class as usize
            };
            first.push(first.last().copied().unwrap_or(0) + n);
        }
        let count = first.last().copied().unwrap_or(0);
        let class_of = |fire: usize| first.partition_point(|&f| f <= fire) - 1;
        let draws = Stream::new(seed, stream::FIRE);
        let duration_h = |fire: usize| {
            let u = draws.uniform(fire as u64, 1, 0);
            (config.duration_median_h * libm::exp(config.duration_sigma * normal_quantile(u)))
                .min(config.duration_max_h)
        };
        let start = |fire: usize| Start {
            cell: places.pick(draws.uniform(fire as u64, 0, 0)),
            duration_min: duration_h(fire) * 60.0,
        };
        let weather = |fire: usize| {
            let pool = &pools[class_of(fire)];
            let u = draws.uniform(fire as u64, 2, 0) * total(pool);
            let day = &pool[pool
                .partition_point(|d| d.ignitions <= u)
                .min(pool.len() - 1)];
            vec![Conditions::new(
                table,
                &config.moisture(day.ffmc, day.month),
                day.wind_m_s,
                day.wind_from_deg,
                canopy,
                behaviour,
            )]
        };
        let mut fires = Vec::with_capacity(count);
        simulate(&land, count, start, weather, |fire, burn| {
            let s = start(fire);
            let hours = burn.arrival_min.iter().map(|m| m / 60.0).collect();
            fires.push(LibraryFire {
                class: class_of(fire),
                ignition: s.cell,
                duration_h: s.duration_min / 60.0,
                footprint: Footprint {
                    cells: burn.cells,
                    values: vec![burn.flame_m, hours],
                },
            });
        });
        Ok(FireLibrary {
            grid: inputs.grid,
            config: config.clone(),
            latitude_deg,
            fires,
            first,
            rate_per_day: config.class_rate.iter().map(|r| r * scale).collect(),
            days_per_year,
        })
    }

    /// Mean number of occurrences of a fire of the library per year.
    pub fn rate_per_year(&self, fire: usize) -> f64 {
        let class = self.fires[fire].class;
        let n = (self.first[class + 1] - self.first[class]) as f64;
        self.days_per_year[class] * self.rate_per_day[class] / n
    }

    /// Flame length, m, that a cell sees once in `period` years: the greatest that the fires of the library which burn the
    /// cell with at least that flame bring together at a rate of -ln(1 - 1/period); 0 where it burns less often. A cell
    /// that few fires of the library burn is known no better than [`BurnRates::relative_error`] says.
    pub fn flame_at(&self, period: f64) -> Raster<f32> {
        let wanted = -libm::log1p(-1.0 / period);
        let mut struck: Vec<(u32, f32, f64)> = Vec::new();
        for (i, fire) in self.fires.iter().enumerate() {
            let rate = self.rate_per_year(i);
            let f = &fire.footprint;
            struck.extend(
                f.cells
                    .iter()
                    .zip(&f.values[0])
                    .map(|(&c, &m)| (c, m, rate)),
            );
        }
        // Per cell the longest flames first; equal flames in order of their rates, so that sums do not depend on anything.
        struck.sort_by(|a, b| {
            (a.0.cmp(&b.0))
                .then(b.1.total_cmp(&a.1))
                .then(a.2.total_cmp(&b.2))
        });
        let mut out = Raster::filled(self.grid, 0.0_f32);
        for fires in struck.chunk_by(|a, b| a.0 == b.0) {
            let mut sum = 0.0;
            for &(cell, flame, rate) in fires {
                sum += rate;
                if sum >= wanted {
                    out.values_mut()[cell as usize] = flame;
                    break;
                }
            }
        }
        out
    }

    /// Burns a year per cell straight from the library, with flame classes and sampling errors.
    pub fn burn_rates(&self) -> BurnRates {
        let mut rates = BurnRates::new(self.grid);
        for (class, range) in self.first.windows(2).enumerate() {
            let fires = &self.fires[range[0]..range[1]];
            if !fires.is_empty() {
                rates.add(
                    self.days_per_year[class] * self.rate_per_day[class],
                    fires
                        .iter()
                        .map(|f| (&f.footprint.cells[..], &f.footprint.values[0][..])),
                );
            }
        }
        rates
    }
}

/// Forest fire in the year simulation.
#[derive(Debug, Clone)]
pub struct FireModel {
    library: FireLibrary,
    /// Footprints of the library on the sites only.
    on_sites: Vec<Footprint>,
    seed: u64,
}

impl FireModel {
    /// A library of fires with the sites whose footprints are wanted.
    ///
    /// # Errors
    /// Sites on other cells than the library.
    pub fn new(library: FireLibrary, sites: &Sites, seed: u64) -> Result<FireModel> {
        if !sites.grid.same_cells(&library.grid) {
            return Err(Error::input(Fault::new(
                "fire inputs",
                "sites on other cells than the fuel raster",
                "one compute grid",
                "resample the rasters to the compute grid",
            )));
        }
        let mut wanted = vec![false; sites.grid.cells()];
        for &cell in &sites.cells {
            wanted[cell as usize] = true;
        }
        let on_sites = library
            .fires
            .par_iter()
            .map(|fire| {
                let mut out = Footprint::new(2);
                let f = &fire.footprint;
                for (i, &cell) in f.cells.iter().enumerate() {
                    if wanted[cell as usize] {
                        out.push(cell, &[f.values[0][i], f.values[1][i]]);
                    }
                }
                out
            })
            .collect();
        Ok(FireModel {
            library,
            on_sites,
            seed,
        })
    }

    /// The library behind it.
    pub fn library(&self) -> &FireLibrary {
        &self.library
    }
}

impl HazardModel for FireModel {
    fn hazard(&self) -> Hazard {
        Hazard::Fire
    }

    fn year(&self, weather: &WeatherYear) -> Vec<Incident> {
        let library = &self.library;
        let config = &library.config;
        let draws = Stream::new(self.seed, stream::IGNITION);
        let danger = season_danger(&weather.days, library.latitude_deg, config.wind_share);
        let mut incidents = Vec::new();
        for (i, today) in danger.iter().enumerate() {
            let class = config.class_of(today.fwi);
            let (from, to) = (library.first[class], library.first[class + 1]);
            if from == to {
                continue;
            }
            let u = draws.uniform(u64::from(weather.year), i as u32, 0);
            let feast = |k| draws.uniform(u64::from(weather.year), FEAST + k, 0);
            let factor = config.factor_on(i as u16 + 1, feast);
            let n = poisson_quantile(u, library.rate_per_day[class] * factor);
            let spell = (i as u64).saturating_sub(u64::from(weather.days[i].dry_days));
            let mut picks: Vec<usize> = (1..=n)
                .map(|k| {
                    let u = draws.uniform(u64::from(weather.year), i as u32, k);
                    from + ((u * (to - from) as f64) as usize).min(to - from - 1)
                })
                .collect();
            picks.sort_unstable();
            incidents.extend(picks.into_iter().map(|fire| Incident {
                lattice: Lattice::Cells,
                event: Event {
                    id: fire as u64,
                    cause: DRY_SPELL_CAUSE | (u64::from(weather.year) * 512 + spell),
                    hazard: Hazard::Fire.code(),
                    rate_per_year: library.rate_per_year(fire),
                },
                occurrence: Occurrence {
                    year: weather.year,
                    day: i as u16 + 1,
                    duration_h: library.fires[fire].duration_h as f32,
                    event: fire as u64,
                },
                footprint: self.on_sites[fire].clone(),
            }));
        }
        incidents
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weather::Day;
    use anlan_engine::Crs;

    /// Weather that turns with the seasons and with short wet spells; deterministic and made up.
    fn weather(year: u32) -> WeatherYear {
        let draws = Stream::new(3, 99);
        let mut dry_days = 0;
        let days = (0..365_u32)
            .map(|d| {
                let u = draws.uniform4(u64::from(year), d, 0);
                let rain_mm = if u[0] < 0.3 {
                    (30.0 * u[1] * u[1]) as f32
                } else {
                    0.0
                };
                dry_days = if rain_mm >= 0.3 { 0 } else { dry_days + 1 };
                let warm = 18.0 - 12.0 * libm::cos(f64::from(d) / 365.0 * std::f64::consts::TAU);
                Day {
                    temp_mean_c: warm as f32 - 4.0,
                    temp_max_c: warm as f32,
                    rh_min_pct: (30.0 + 50.0 * u[2]) as f32,
                    wind_max_m_s: (2.0 + 6.0 * u[3]) as f32,
                    wind_from_deg: (360.0 * u[1]) as f32,
                    rain_mm,
                    antecedent_mm: 0.0,
                    dry_days,
                }
            })
            .collect();
        WeatherYear {
            year,
            days,
            storms: Vec::new(),
        }
    }

    fn library() -> FireLibrary {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (60.0, 60.0),
            (80, 80),
        )
        .unwrap();
        let mut fuel = Raster::filled(grid, 188_u8);
        for row in 0..80 {
            fuel.data[(row, 40)] = 98;
        }
        let inputs = FireInputs {
            grid,
            fuel,
            slope_deg: Raster::filled(grid, 15.0),
            aspect_deg: Raster::filled(grid, 180.0),
            ignition_weight: Raster::filled(grid, 1.0),
        };
        let config = SeasonConfig {
            fires_per_class: 60,
            mean_fires_per_year: 12.0,
            ..SeasonConfig::default()
        };
        let climate: Vec<WeatherYear> = (0..10).map(weather).collect();
        FireLibrary::new(
            &inputs,
            &FuelTable::standard(),
            &config,
            &Canopy::default(),
            &BehaviourOptions::default(),
            &climate,
            29.0,
            11,
        )
        .unwrap()
    }

    #[test]
    fn flames_of_a_return_period_agree_with_the_burn_probability() {
        let library = library();
        let annual = library.burn_rates().annual_probability();
        for period in [20.0, 200.0] {
            let flame = library.flame_at(period);
            for (&f, &p) in flame.values().iter().zip(annual.values()) {
                // A cell has a flame of the period exactly where it burns at least so often; f32 probabilities.
                if (f64::from(p) * period - 1.0).abs() > 1e-5 {
                    assert_eq!(f > 0.0, f64::from(p) * period > 1.0, "{f} {p}");
                }
            }
        }
        let (often, seldom) = (library.flame_at(20.0), library.flame_at(200.0));
        assert!(
            often
                .values()
                .iter()
                .zip(seldom.values())
                .all(|(a, b)| a <= b)
        );
        assert!(seldom.values().iter().any(|f| *f > 0.0));
    }

    #[test]
    fn years_follow_the_library_for_any_thread_count() {
        let one = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap()
            .install(library);
        let three = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap()
            .install(library);
        assert_eq!(one.fires.len(), three.fires.len());
        for (a, b) in one.fires.iter().zip(&three.fires) {
            assert_eq!(a.footprint, b.footprint);
            assert!(!a.footprint.cells.contains(&40));
        }
        let sites = Sites {
            grid: one.grid,
            cells: (0..3200).collect(),
        };
        let annual = one.burn_rates().annual_probability();
        let model = FireModel::new(one, &sites, 11).unwrap();

        // The years of the climate: their number of fires has the calibrated mean (standard error sqrt(12/200)).
        let mut fires = 0;
        let mut burned = 0.0;
        // Fires at Qingming, and those that the days' classes let expect with and without the custom.
        let (mut at_feast, mut expected_then) = (0, [0.0; 2]);
        let config = &model.library.config;
        for y in 0..200 {
            let days = &weather(y % 10).days;
            let danger = season_danger(days, 29.0, config.wind_share);
            for day in 93..=96_usize {
                let rate = model.library.rate_per_day[config.class_of(danger[day - 1].fwi)];
                expected_then[0] += rate * config.custom[0].factor;
                expected_then[1] += rate;
            }
            let incidents = model.year(&WeatherYear {
                year: y,
                ..weather(y % 10)
            });
            fires += incidents.len();
            let then = |i: &&Incident| (93..=96).contains(&i.occurrence.day);
            at_feast += incidents.iter().filter(then).count();
            let order: Vec<(u16, u64)> = incidents
                .iter()
                .map(|i| (i.occurrence.day, i.event.id))
                .collect();
            assert!(order.is_sorted());
            for i in &incidents {
                assert!(i.footprint.cells.iter().all(|&c| c < 3200));
                burned += i.footprint.len() as f64;
            }
        }
        let mean = fires as f64 / 200.0;
        assert!(
            (mean - 12.0).abs() < 4.0 * (12.0_f64 / 200.0).sqrt(),
            "{mean}"
        );
        let [with, without] = expected_then;
        assert!(
            (at_feast as f64 - with).abs() < 4.0 * with.sqrt(),
            "{at_feast} {with}"
        );
        assert!(at_feast as f64 > without + 4.0 * without.sqrt());
        // Expected burned cells on the sites: the sum of annual rates. The sizes of fires vary by more than their mean,
        // so the tolerance is four standard errors at a coefficient of variation of 2.
        let expected: f64 = annual.values()[..3200]
            .iter()
            .map(|&p| -libm::log1p(-f64::from(p)))
            .sum();
        let got = burned / 200.0;
        assert!(
            (got / expected - 1.0).abs() < 4.0 * 5.0_f64.sqrt() / 2400.0_f64.sqrt(),
            "{got} {expected}"
        );
    }

    /// A region of 1.4 million cells of 90 m in rough terrain with 3000 fires.
    #[test]
    #[ignore = "slow: prints the time of a full-size library, for release builds"]
    fn time_of_a_full_library() {
        let n = 1200;
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (90.0, 90.0),
            (n, n),
        )
        .unwrap();
        let draws = Stream::new(9, 97);
        let fuels = [188_u8, 182, 162, 123, 105, 146, 186, 98];
        let mut inputs = FireInputs {
            grid,
            fuel: Raster::filled(grid, 188),
            slope_deg: Raster::filled(grid, 0.0),
            aspect_deg: Raster::filled(grid, 0.0),
            ignition_weight: Raster::filled(grid, 1.0),
        };
        for row in 0..n {
            for col in 0..n {
                let patch = draws.uniform((row / 6) as u64, (col / 6) as u32, 0);
                inputs.fuel.data[(row, col)] = fuels[(patch * 8.0) as usize];
                let u = draws.uniform2((row / 4) as u64, (col / 4) as u32, 1);
                inputs.slope_deg.data[(row, col)] = (35.0 * u[0]) as f32;
                inputs.aspect_deg.data[(row, col)] = (360.0 * u[1]) as f32;
            }
        }
        let climate: Vec<WeatherYear> = (0..30).map(weather).collect();
        for duration_median_h in [1.5, 30.0] {
            let config = SeasonConfig {
                duration_median_h,
                duration_max_h: 96.0,
                ..SeasonConfig::default()
            };
            let begin = std::time::Instant::now();
            let library = FireLibrary::new(
                &inputs,
                &FuelTable::standard(),
                &config,
                &Canopy::default(),
                &BehaviourOptions::default(),
                &climate,
                29.0,
                1,
            )
            .unwrap();
            let seconds = begin.elapsed().as_secs_f64();
            let sizes = library.fires.iter().map(|f| f.footprint.len());
            eprintln!(
                "median {duration_median_h} h: {} fires, {} cells, the largest {:?}, {seconds:.2} s",
                library.fires.len(),
                sizes.clone().sum::<usize>(),
                sizes.max(),
            );
            assert_eq!(library.fires.len(), 3000);
        }
    }
}
