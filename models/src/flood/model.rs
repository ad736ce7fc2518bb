//! Flood in the year simulation: storms of a year become footprints through the storm library.
//!
//! Per storm and catchment: rain at the catchment's centroid within the duration of the library's storm nearest to it,
//! times the areal reduction of its area; effective rain on the storm's ground (SCS-CN); the *equivalent return period* is
//! that of the design storm of that duration which on the ground that the library was made for gives the same effective
//! rain. A long storm is so judged by its wettest hours, and every storm by the same
//! frequency curve: judged each by its own duration, storms would exceed the T-year depth of one or another duration far
//! more often than once in T years. The depth of
//! each site follows from the library at that return period. Work is per catchment first, then per wet cell: a storm costs
//! what it wets.
//!
//! Where the library has several temporal patterns, each storm draws one by their probabilities. Its ground is as wet as
//! the antecedent index of the weather says, or, where the states have probabilities, as drawn; the storms of the library
//! for that wetness are read, or of the nearest it has. Both draws have the address (seed, FLOOD, storm): they are the
//! storm's own in any year, block or thread, and the same in all catchments.
//!
//! Local convective storms flood like others; the `rain_mm_h` of the convection hazard is an intensity without a loss of its
//! own, so that no rain is booked twice.

use crate::flood::library::StormLibrary;
use crate::flood::rain::{ArealReduction, RainFrequency};
use crate::flood::runoff::{
    Antecedent, Wetness, curve_number_for, effective_rain_mm, rain_for_effective_mm,
};
use crate::hazard::{Hazard, HazardModel, Incident, Lattice, stream};
use crate::weather::{Storm, WeatherYear};
use anlan_engine::random::Stream;
use anlan_engine::{Error, Event, Fault, Footprint, Grid, Occurrence, Result};

/// A catchment (小流域): what drains to a set of cells of the library.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Catchment {
    /// Centroid of the drained area, m in the compute CRS.
    pub centroid: (f64, f64),
    /// Drained area, km².
    pub area_km2: f64,
    /// Mean curve number under normal wetness.
    pub curve_number: f64,
    /// Local design depth over that of the frequency table (1: the table holds here).
    pub rain_factor: f64,
}

/// Flood as a hazard of the year simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct FloodModel {
    library: StormLibrary,
    catchments: Vec<Catchment>,
    /// Positions in the library's cells, catchment by catchment, the least protected first.
    members: Vec<u32>,
    /// ln of the return period up to which dykes keep each member dry.
    protected: Vec<f32>,
    /// Members of catchment c: `start[c]..start[c + 1]`.
    start: Vec<usize>,
    frequency: RainFrequency,
    areal: ArealReduction,
    antecedent: Antecedent,
    /// Patterns of the library by position, the design pattern first, each with the sum of probabilities up to it.
    patterns: Vec<(usize, f64)>,
    options: FloodOptions,
}

/// Options of [`FloodModel`].
#[derive(Debug, Clone, PartialEq)]
pub struct FloodOptions {
    /// Cells less deep are dropped, m.
    pub least_m: f32,
    /// Years of the event set; the rate of an event is one in so many years.
    pub years: u32,
    /// Seed of the draws of pattern and wetness.
    pub seed: u64,
    /// Patterns of the library with their probabilities, sum 1; the first is that of the design storms. None where the
    /// library has one only.
    pub patterns: Vec<(String, f64)>,
    /// Wetness states with their probabilities, sum 1; where empty, the antecedent index of the weather decides.
    pub wetness: Vec<(Wetness, f64)>,
}

impl Default for FloodOptions {
    fn default() -> Self {
        FloodOptions {
            least_m: 0.05,
            years: 10_000,
            seed: 0,
            patterns: Vec::new(),
            wetness: Vec::new(),
        }
    }
}

impl FloodModel {
    /// `catchment_of[k]`: number of the catchment of the k-th library cell; `protection_years[k]`: return period of the
    /// flood up to which dykes keep it dry (防洪标准), any number below the library's dry period for none. A storm that
    /// exceeds it floods the cell as if there were no dyke.
    ///
    /// # Errors
    /// A cell without catchment or protection, a catchment with a curve number outside 1..=100 or without area or rain factor;
    /// patterns that are not those of the library, probabilities that do not sum to 1; all named together.
    pub fn new(
        library: StormLibrary,
        catchments: Vec<Catchment>,
        catchment_of: &[u32],
        protection_years: &[f32],
        frequency: RainFrequency,
        (areal, antecedent): (ArealReduction, Antecedent),
        options: FloodOptions,
    ) -> Result<FloodModel> {
        let mut faults = Vec::new();
        let mut fault = |found: String, expected: &str, place: String| {
            faults.push(
                Fault::new(
                    "flood catchments",
                    found,
                    expected,
                    "derive the catchments again from the terrain",
                )
                .at(place),
            );
        };
        for (c, k) in catchments.iter().enumerate() {
            let good = (1.0..=100.0).contains(&k.curve_number)
                && k.area_km2 > 0.0
                && k.rain_factor > 0.0
                && k.rain_factor.is_finite();
            if !good {
                fault(
                    format!("{k:?}"),
                    "a curve number from 1 to 100, an area and a rain factor above 0",
                    format!("catchment {c}"),
                );
            }
        }
        for (entries, what) in [
            (catchment_of.len(), "one catchment per cell of the library"),
            (
                protection_years.len(),
                "one protection standard per cell of the library",
            ),
        ] {
            if entries != library.cells.len() {
                fault(format!("{entries} entries"), what, String::new());
            }
        }
        if let Some(k) = protection_years.iter().position(|y| y.is_nan() || *y < 0.0) {
            fault(
                format!("{} years", protection_years[k]),
                "a protection standard of 0 years or more",
                format!("library cell {k}"),
            );
        }
        if let Some(k) = catchment_of
            .iter()
            .position(|&c| c as usize >= catchments.len())
        {
            fault(
                format!("catchment {}", catchment_of[k]),
                "a catchment of the list",
                format!("library cell {k}"),
            );
        }
        let mut named: Vec<&str> = options.patterns.iter().map(|p| p.0.as_str()).collect();
        named.sort_unstable();
        if !named.is_empty() && named != library.patterns
            || named.is_empty() && library.patterns.len() > 1
        {
            fault(
                format!("patterns {named:?}"),
                &format!("those of the library, {:?}", library.patterns),
                "patterns".into(),
            );
        }
        for (odds, place) in [
            (
                options.patterns.iter().map(|p| p.1).collect::<Vec<f64>>(),
                "patterns",
            ),
            (options.wetness.iter().map(|w| w.1).collect(), "wetness"),
        ] {
            let sum: f64 = odds.iter().sum();
            let good = (sum - 1.0).abs() < 1e-5 && odds.iter().all(|p| *p >= 0.0);
            if !(good || odds.is_empty()) {
                fault(
                    format!("probabilities {odds:?}, sum {sum}"),
                    "probabilities that sum to 1",
                    place.into(),
                );
            }
        }
        if options.years == 0 {
            fault(
                "0 years".into(),
                "at least one simulated year",
                "years".into(),
            );
        }
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        let mut members: Vec<u32> = (0..library.cells.len() as u32).collect();
        members.sort_by(|&a, &b| {
            let years = |k: u32| protection_years[k as usize];
            (catchment_of[a as usize].cmp(&catchment_of[b as usize]))
                .then(years(a).total_cmp(&years(b)))
                .then(a.cmp(&b))
        });
        let protected = members
            .iter()
            .map(|&k| libm::log(f64::from(protection_years[k as usize]).max(1e-3)) as f32)
            .collect();
        let start = (0..=catchments.len())
            .map(|c| members.partition_point(|&k| (catchment_of[k as usize] as usize) < c))
            .collect();
        let mut sum = 0.0;
        let mut patterns: Vec<(usize, f64)> = (options.patterns.iter())
            .map(|(name, p)| {
                sum += p;
                (library.patterns.partition_point(|other| other < name), sum)
            })
            .collect();
        if patterns.is_empty() {
            patterns.push((0, 1.0));
        }
        Ok(FloodModel {
            library,
            catchments,
            members,
            protected,
            start,
            frequency,
            areal,
            antecedent,
            patterns,
            options,
        })
    }

    /// Pattern of a storm, by its position in the library, and the wetness of its ground.
    pub fn pattern_and_ground(&self, storm: &Storm) -> (usize, Wetness) {
        let [p, w] = if self.patterns.len() > 1 || !self.options.wetness.is_empty() {
            Stream::new(self.options.seed, stream::FLOOD).uniform2(storm.id, 0, 0)
        } else {
            [0.0; 2]
        };
        let k = self.patterns.partition_point(|&(_, upto)| upto < p);
        let pattern = self.patterns[k.min(self.patterns.len() - 1)].0;
        let mut ground = self.antecedent.wetness(storm.antecedent_mm);
        let mut upto = 0.0;
        for &(state, probability) in &self.options.wetness {
            ground = state;
            upto += probability;
            if w <= upto {
                break;
            }
        }
        (pattern, ground)
    }

    /// ln of the equivalent return period of a storm on ground of a wetness in a catchment, for a duration and a wetness of
    /// the library (their positions); `None` where nothing runs off.
    pub fn log_equivalent_period(
        &self,
        storm: &Storm,
        ground: Wetness,
        catchment: &Catchment,
        (duration, wetness): (usize, usize),
    ) -> Option<f64> {
        let share = storm.share_at(catchment.centroid.0, catchment.centroid.1);
        if share <= 0.0 {
            return None;
        }
        let window_h = self.library.durations_h[duration];
        let rain = storm.depth_within_mm(window_h)
            * share
            * self.areal.factor(catchment.area_km2, window_h);
        let number = |wetness| curve_number_for(catchment.curve_number, wetness);
        let effective = effective_rain_mm(rain, number(ground));
        if effective <= 0.0 {
            return None;
        }
        let simulated = self.library.wetness[wetness];
        let design = rain_for_effective_mm(effective, number(simulated)) / catchment.rain_factor;
        Some(libm::log(self.frequency.return_period(window_h, design)))
    }

    /// Flood of a design storm: in every catchment the point rain of this duration and return period (years), reduced for the
    /// catchment's area, in the first of the patterns, on normal ground or the nearest to it that the library has.
    pub fn design_footprint(&self, duration_h: f64, return_period: f64) -> Footprint {
        let duration = self.library.nearest_duration(duration_h);
        let wetness = self.library.nearest_wetness(Wetness::Normal);
        let layer = self.library.layer(duration, self.patterns[0].0, wetness);
        let point = self.frequency.depth_mm(duration_h, return_period);
        let mut wet: Vec<(u32, f32, f32)> = Vec::new();
        for (c, catchment) in self.catchments.iter().enumerate() {
            let rain = point * self.areal.factor(catchment.area_km2, duration_h);
            let log_period = libm::log(self.frequency.return_period(duration_h, rain));
            for &k in &self.members[self.start[c]..self.start[c + 1]] {
                let (depth, velocity) = self.library.at(layer, k as usize, log_period);
                if depth >= self.options.least_m {
                    wet.push((self.library.cells[k as usize], depth, velocity));
                }
            }
        }
        wet.sort_unstable_by_key(|w| w.0);
        let mut out = Footprint::new(2);
        for (cell, depth, velocity) in wet {
            out.push(cell, &[depth, velocity]);
        }
        out
    }

    /// Footprint of a storm: depth_m and velocity_m_s of the wet sites, those behind dykes that hold left out.
    pub fn footprint(&self, storm: &Storm) -> Footprint {
        let duration = self.library.nearest_duration(storm.duration_h);
        let (pattern, ground) = self.pattern_and_ground(storm);
        let wetness = self.library.nearest_wetness(ground);
        let layer = self.library.layer(duration, pattern, wetness);
        let mut wet: Vec<(u32, f32, f32)> = Vec::new();
        for (c, catchment) in self.catchments.iter().enumerate() {
            let range = self.start[c]..self.start[c + 1];
            if range.is_empty() {
                continue;
            }
            let Some(log_period) =
                self.log_equivalent_period(storm, ground, catchment, (duration, wetness))
            else {
                continue;
            };
            if log_period <= self.library.log_dry() {
                continue;
            }
            let protected = &self.protected[range.clone()];
            let flooded = protected.partition_point(|&y| f64::from(y) < log_period);
            for &k in &self.members[range][..flooded] {
                let (depth, velocity) = self.library.at(layer, k as usize, log_period);
                if depth >= self.options.least_m {
                    wet.push((self.library.cells[k as usize], depth, velocity));
                }
            }
        }
        wet.sort_unstable_by_key(|w| w.0);
        let mut out = Footprint::new(2);
        for (cell, depth, velocity) in wet {
            out.push(cell, &[depth, velocity]);
        }
        out
    }
}

impl HazardModel for FloodModel {
    fn hazard(&self) -> Hazard {
        Hazard::Flood
    }

    fn year(&self, weather: &WeatherYear) -> Vec<Incident> {
        let mut incidents: Vec<Incident> = weather
            .storms
            .iter()
            .filter_map(|storm| {
                let footprint = self.footprint(storm);
                (!footprint.is_empty()).then(|| Incident {
                    lattice: Lattice::Cells,
                    event: Event {
                        id: storm.id,
                        cause: storm.id,
                        hazard: Hazard::Flood.code(),
                        rate_per_year: 1.0 / f64::from(self.options.years),
                    },
                    occurrence: Occurrence {
                        year: weather.year,
                        day: storm.day,
                        duration_h: storm.duration_h as f32,
                        event: storm.id,
                    },
                    footprint,
                })
            })
            .collect();
        incidents.sort_by_key(|i| (i.occurrence.day, i.event.id));
        incidents
    }
}

/// Square tiles of `tile` x `tile` cells as catchments, for regions whose catchments were not derived: each tile is its
/// own catchment with one curve number and the given drained area. Returns the catchments and the one of each cell.
pub fn tile_catchments(
    grid: &Grid,
    cells: &[u32],
    tile: usize,
    curve_number: f64,
    area_km2: f64,
) -> (Vec<Catchment>, Vec<u32>) {
    let tile_of = |cell: u32| {
        let (row, col) = grid.row_col(cell);
        (row / tile, col / tile)
    };
    let mut tiles: Vec<(usize, usize)> = cells.iter().map(|&c| tile_of(c)).collect();
    tiles.sort_unstable();
    tiles.dedup();
    let half = 0.5 * tile as f64;
    let catchments = tiles
        .iter()
        .map(|&(r, c)| Catchment {
            centroid: (
                grid.west + (c as f64 * tile as f64 + half) * grid.dx,
                grid.north - (r as f64 * tile as f64 + half) * grid.dy,
            ),
            area_km2,
            curve_number,
            rain_factor: 1.0,
        })
        .collect();
    let of = cells
        .iter()
        .map(|&c| tiles.partition_point(|t| *t < tile_of(c)) as u32)
        .collect();
    (catchments, of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flood::library::{DRY_PERIOD, LibraryStorm, SparseField};
    use crate::flood::rivers::RiverTables;
    use crate::flood::runoff::CurveNumbers;
    use crate::weather::StormKind;
    use anlan_engine::Crs;

    fn model() -> FloodModel {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 64_000.0),
            (1000.0, 1000.0),
            (64, 64),
        )
        .unwrap();
        let cells: Vec<u32> = (0..grid.cells() as u32).step_by(3).collect();
        let level = |t: f64, depth: f32| LibraryStorm {
            return_period: t,
            duration_h: 24.0,
            pattern: "uniform".into(),
            wetness: Wetness::Normal,
            field: SparseField {
                cells: cells.clone(),
                depth_m: vec![depth; cells.len()],
                velocity_m_s: vec![0.5 * depth; cells.len()],
            },
        };
        let library =
            StormLibrary::new(&[level(10.0, 1.0), level(100.0, 2.0)], &cells, DRY_PERIOD).unwrap();
        let (catchments, of) = tile_catchments(&grid, &library.cells, 16, 75.0, 1e-6);
        let frequency =
            RainFrequency::new(&[24.0], &[2.0, 10.0, 100.0], &[vec![80.0, 150.0, 260.0]]).unwrap();
        let tables = (
            RiverTables::published().areal_reduction,
            CurveNumbers::published().antecedent,
        );
        FloodModel::new(
            library,
            catchments,
            &of,
            &vec![0.0; of.len()],
            frequency,
            tables,
            FloodOptions::default(),
        )
        .unwrap()
    }

    fn storm(depth_mm: f64, antecedent_mm: f64) -> Storm {
        Storm {
            id: 1024,
            day: 180,
            kind: StormKind::Typhoon,
            duration_h: 24.0,
            centre: (8_000.0, 56_000.0),
            half_axes_m: (10_000.0, 8_000.0),
            angle_rad: 0.0,
            depth_mm,
            peak_1h_mm: 40.0,
            antecedent_mm,
        }
    }

    #[test]
    fn the_design_storm_gives_its_own_flood() {
        let model = model();
        // The centre lies on the centroid of the first tile: share 1; 150 mm on normal ground is the 10-year storm: 1 m.
        let f = model.footprint(&storm(150.0, 45.0));
        assert_eq!(f.cells[0], 0);
        assert!((f.values[0][0] - 1.0).abs() < 1e-4, "{}", f.values[0][0]);
        assert!((f.values[1][0] - 0.5).abs() < 1e-4);
        assert!(f.cells.windows(2).all(|w| w[0] < w[1]));
        // Wet ground floods deeper, dry ground less; far tiles get nothing.
        let first = |antecedent| {
            model.footprint(&storm(150.0, antecedent)).values[0]
                .first()
                .copied()
                .unwrap_or(0.0)
        };
        assert!(first(80.0) > 1.1 && first(10.0) < 0.9);
        assert!(f.values[0].iter().all(|&d| (0.05..=1.001).contains(&d)));
        assert!(
            f.cells.iter().all(|&c| c / 64 < 48),
            "no share beyond three half axes"
        );
        assert!(
            model.footprint(&storm(60.0, 45.0)).is_empty(),
            "less than the 2-year storm"
        );
    }

    #[test]
    fn dykes_hold_up_to_their_standard() {
        let m = model();
        let of: Vec<u32> = {
            let grid = Grid::new(
                Crs::from_epsg(4549).unwrap(),
                (0.0, 64_000.0),
                (1000.0, 1000.0),
                (64, 64),
            )
            .unwrap();
            tile_catchments(&grid, &m.library.cells, 16, 75.0, 1e-6).1
        };
        // Every second cell behind a dyke of 20 years.
        let years: Vec<f32> = (0..of.len())
            .map(|k| if k % 2 == 0 { 20.0 } else { 0.0 })
            .collect();
        let dyked = FloodModel::new(
            m.library.clone(),
            m.catchments.clone(),
            &of,
            &years,
            m.frequency.clone(),
            (m.areal.clone(), m.antecedent.clone()),
            m.options.clone(),
        )
        .unwrap();
        // 150 mm at the centre is the 10-year storm: the dykes hold; 260 mm is the 100-year storm: as without.
        let (ten, hundred) = (storm(150.0, 45.0), storm(260.0, 45.0));
        let open = m.footprint(&ten);
        let held = dyked.footprint(&ten);
        let low: Vec<u32> = open
            .cells
            .iter()
            .copied()
            .filter(|c| (c / 3) % 2 == 1)
            .collect();
        assert_eq!(held.cells, low);
        let centre = |f: &Footprint| f.values[0][0];
        assert_eq!(dyked.footprint(&hundred).cells[0], 0);
        assert_eq!(
            centre(&dyked.footprint(&hundred)),
            centre(&m.footprint(&hundred))
        );
    }

    /// The event set against the direct maps: at a point (no areal reduction, ground of normal wetness, no dykes) the
    /// depth of the library's T-year storm is reached once in T years. Within an hour and a day the catalogue keeps
    /// the formula's depths to 4 % (head of `weather::storms`), and 4 % of depth is up to 25 % of frequency at these
    /// return periods; the sampling error is added.
    #[test]
    fn the_event_set_meets_the_direct_maps() {
        let climate = crate::weather::jinhua();
        let bounds = climate.bounds;
        let weather = crate::weather::WeatherModel::new(climate, 11).unwrap();
        let cell = (bounds.east - bounds.west) / 8.0;
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (bounds.west, bounds.north),
            (cell, cell),
            (((bounds.north - bounds.south) / cell) as usize, 8),
        )
        .unwrap();
        let cells: Vec<u32> = (0..grid.cells() as u32).collect();
        let periods = [5.0, 10.0, 20.0, 50.0, 100.0];
        let storms = periods.map(|t| LibraryStorm {
            return_period: t,
            duration_h: 3.0,
            pattern: "uniform".into(),
            wetness: Wetness::Normal,
            field: SparseField {
                cells: cells.clone(),
                depth_m: vec![libm::log(t) as f32; cells.len()],
                velocity_m_s: vec![0.0; cells.len()],
            },
        });
        let library = StormLibrary::new(&storms, &cells, DRY_PERIOD).unwrap();
        let (catchments, of) = tile_catchments(&grid, &library.cells, 1, 75.0, 1e-6);
        let steps = [1.2, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];
        let row: Vec<f64> = steps
            .iter()
            .map(|&t| weather.idf().depth_mm(3.0, t))
            .collect();
        let model = FloodModel::new(
            library,
            catchments,
            &of,
            &vec![0.0; of.len()],
            RainFrequency::new(&[3.0], &steps, &[row]).unwrap(),
            (
                RiverTables::published().areal_reduction,
                CurveNumbers::published().antecedent,
            ),
            FloodOptions::default(),
        )
        .unwrap();
        let years = 3000_u32;
        let mut above = vec![vec![0.0_f64; years as usize]; 3];
        for y in 0..years {
            let mut year = weather.year(y);
            for s in &mut year.storms {
                s.antecedent_mm = 45.0;
            }
            let mut greatest = vec![0f32; grid.cells()];
            for i in model.year(&year) {
                for (&c, &d) in i.footprint.cells.iter().zip(&i.footprint.values[0]) {
                    greatest[c as usize] = greatest[c as usize].max(d);
                }
            }
            for (k, t) in [5.0, 10.0, 20.0_f64].into_iter().enumerate() {
                let level = libm::log(t) as f32 * (1.0 - 1e-6);
                above[k][y as usize] =
                    greatest.iter().filter(|d| **d >= level).count() as f64 / grid.cells() as f64;
            }
        }
        for (k, t) in [5.0, 10.0, 20.0].into_iter().enumerate() {
            let n = f64::from(years);
            let mean = above[k].iter().sum::<f64>() / n;
            let variance = above[k]
                .iter()
                .map(|p| (p - mean) * (p - mean))
                .sum::<f64>()
                / n;
            let error = 3.3 * (variance / n).sqrt();
            assert!(
                (mean * t - 1.0).abs() < 0.25 + error * t,
                "{t} years: reached in a share {mean} of the years, error {error}"
            );
        }
    }

    #[test]
    fn a_year_lists_its_floods_by_day() {
        let model = model();
        let (mut late, mut dry) = (storm(200.0, 60.0), storm(20.0, 0.0));
        (late.id, late.day, dry.id) = (1025, 200, 1026);
        let year = WeatherYear {
            year: 1,
            days: Vec::new(),
            storms: vec![late, storm(150.0, 45.0), dry],
        };
        let incidents = model.year(&year);
        assert_eq!(
            incidents.iter().map(|i| i.event.id).collect::<Vec<_>>(),
            [1024, 1025]
        );
        assert_eq!(incidents[0].event.hazard, 1);
    }

    #[test]
    fn faults_of_catchments_are_named() {
        let m = model();
        let mut catchments = m.catchments.clone();
        catchments[2].curve_number = 0.0;
        let tables = (m.areal.clone(), m.antecedent.clone());
        let error = FloodModel::new(
            m.library.clone(),
            catchments,
            &[7],
            &vec![0.0; m.library.cells.len()],
            m.frequency.clone(),
            tables,
            FloodOptions::default(),
        )
        .unwrap_err();
        assert_eq!(error.faults().len(), 2);
        assert!(error.to_string().contains("catchment 2"));
    }
    /// A library of two patterns on dry, normal and wet ground: 1, 2 and 3 m, in the late pattern half a metre more, at all
    /// return periods from 3 years on.
    fn branched(patterns: &[(&str, f64)], wetness: &[(Wetness, f64)]) -> Result<FloodModel> {
        let m = model();
        let mut storms = Vec::new();
        for (pattern, more) in [("early", 0.0), ("late", 0.5)] {
            for (k, wetness) in Wetness::ALL.into_iter().enumerate() {
                for t in [3.0, 100.0] {
                    storms.push(LibraryStorm {
                        return_period: t,
                        duration_h: 24.0,
                        pattern: pattern.into(),
                        wetness,
                        field: SparseField {
                            cells: m.library.cells.clone(),
                            depth_m: vec![1.0 + k as f32 + more; m.library.cells.len()],
                            velocity_m_s: vec![0.0; m.library.cells.len()],
                        },
                    });
                }
            }
        }
        let library = StormLibrary::new(&storms, &m.library.cells, DRY_PERIOD).unwrap();
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 64_000.0),
            (1000.0, 1000.0),
            (64, 64),
        )
        .unwrap();
        let (catchments, of) = tile_catchments(&grid, &library.cells, 16, 75.0, 1e-6);
        FloodModel::new(
            library,
            catchments,
            &of,
            &vec![0.0; of.len()],
            m.frequency.clone(),
            (m.areal.clone(), m.antecedent.clone()),
            FloodOptions {
                seed: 7,
                patterns: patterns.iter().map(|(n, p)| ((*n).into(), *p)).collect(),
                wetness: wetness.to_vec(),
                ..FloodOptions::default()
            },
        )
    }

    #[test]
    fn pattern_and_wetness_are_drawn_by_their_probabilities() {
        let odds = [
            (Wetness::Dry, 0.2),
            (Wetness::Normal, 0.5),
            (Wetness::Wet, 0.3),
        ];
        let m = branched(&[("late", 0.25), ("early", 0.75)], &odds).unwrap();
        let n = 40_000_u64;
        let mut counts = [[0_u32; 3]; 2];
        for id in 0..n {
            let (pattern, ground) = m.pattern_and_ground(&Storm {
                id,
                ..storm(200.0, 45.0)
            });
            counts[pattern][ground as usize] += 1;
        }
        // Six binomial standard errors; the two are independent.
        for (pattern, p) in [0.75, 0.25].into_iter().enumerate() {
            for (state, q) in odds {
                let found = f64::from(counts[pattern][state as usize]) / n as f64;
                let error = (p * q * (1.0 - p * q) / n as f64).sqrt();
                assert!((found - p * q).abs() < 6.0 * error, "{counts:?}");
            }
        }
        // Every storm reads the layer it drew: one of the six depths, the same whichever storms come before it.
        let deepest = |id| {
            let f = m.footprint(&Storm {
                id,
                ..storm(260.0, 45.0)
            });
            f.values[0].iter().fold(0f32, |a, &b| a.max(b))
        };
        for id in [5, 3, 900, 5] {
            let (pattern, ground) = m.pattern_and_ground(&Storm {
                id,
                ..storm(260.0, 45.0)
            });
            let wanted = 1.0 + f32::from(ground as u8) + 0.5 * pattern as f32;
            assert!((deepest(id) - wanted).abs() < 1e-6, "{id}");
        }
        // Design storms have the first pattern of the list on normal ground.
        let design = m.design_footprint(24.0, 100.0);
        assert!((design.values[0][0] - 2.5).abs() < 1e-6);
    }

    #[test]
    fn without_probabilities_the_weather_tells_the_wetness() {
        let m = branched(&[("early", 1.0 - 1e-7), ("late", 1e-7)], &[]).unwrap();
        for (antecedent, depth) in [(10.0, 1.0), (45.0, 2.0), (80.0, 3.0)] {
            let f = m.footprint(&storm(260.0, antecedent));
            assert!((f.values[0][0] - depth).abs() < 1e-6, "{antecedent}");
        }
        // Rain on ground that the library was made for has its own return period, dry or wet.
        let c = m.catchments[0];
        for (state, ground) in Wetness::ALL.into_iter().enumerate() {
            let log = m.log_equivalent_period(&storm(150.0, 0.0), ground, &c, (0, state));
            assert!((log.unwrap() - libm::log(10.0)).abs() < 1e-6, "{ground:?}");
        }
    }

    #[test]
    fn patterns_of_another_library_are_named() {
        let told = |patterns: &[(&str, f64)], wetness: &[(Wetness, f64)]| {
            branched(patterns, wetness).unwrap_err().to_string()
        };
        assert!(told(&[], &[]).contains("those of the library"));
        assert!(told(&[("early", 0.5), ("huff", 0.5)], &[]).contains("huff"));
        let told = told(&[("early", 0.5), ("late", 0.6)], &[(Wetness::Dry, 0.4)]);
        assert!(told.contains("patterns: found probabilities") && told.contains("wetness: found"));
    }
}
