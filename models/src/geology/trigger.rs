//! Slides of a simulated year: storms wet the slopes, slopes fail with their probability, debris runs down.
//!
//! Per storm and tile of cells, the local rain and the antecedent wetness make an effective recharge; the failure
//! probabilities of the tile at that recharge, less those at the lowest level (slopes that fail without a storm are
//! rock or long gone), times a release density give the expected number of slides. The release density is one factor for
//! the region, chosen so that the mean annual number of slides over a climate equals the configured one: the infinite
//! slope ranks cells and storms, the records set the number. Counts are Poisson, places follow the cells' probabilities,
//! each slide runs out along an energy line with a sampled reach angle.
//!
//! Steady wetness stands in for the storm's transient infiltration, and the tile's rain is that at its centre.

use crate::geology::runout::runout;
use crate::geology::stability::{FailureTable, LEVELS, SoilTable};
use crate::hazard::{Hazard, HazardModel, Incident, Lattice, Sites, stream};
use crate::weather::{Storm, WeatherYear};
use anlan_engine::distributions::{poisson_quantile, triangular_quantile};
use anlan_engine::random::Stream;
use anlan_engine::{Error, Event, Fault, Footprint, Grid, Occurrence, Raster, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Slides of one storm that get numbers of their own: more than all slides of a year that a project may ask for.
const SLIDES_PER_STORM: u64 = 1 << 20;

/// Rasters of the geology model, on one projected grid.
#[derive(Debug, Clone)]
pub struct GeologyInputs {
    /// The compute grid.
    pub grid: Grid,
    /// Slope, degrees.
    pub slope_deg: Raster<f32>,
    /// Upslope area per unit of contour, m (flow accumulation times cell size).
    pub specific_area_m: Raster<f32>,
    /// Soil class; codes without a class do not fail.
    pub soil: Raster<u8>,
    /// Elevation without depressions, m.
    pub dem_m: Raster<f32>,
    /// Flow direction 0..=7 from east over south, 255 none.
    pub flow_dir: Raster<u8>,
}

/// Triggering and run-out. The default is the data file `standards/landslide_trigger.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerConfig {
    /// Where the figures come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Mean number of slides, 1/a, above 0 (calibration target).
    pub mean_slides_per_year: f64,
    /// Rising recharge levels, mm/d.
    pub recharge_levels_mm_d: [f64; LEVELS],
    /// Share of rain that infiltrates, 0..=1.
    pub infiltration_share: f64,
    /// Part of the antecedent index that counts as recharge of a day, 0..=1.
    pub antecedent_weight: f64,
    /// Samples of strength, 8..=255.
    pub samples: u32,
    /// Slopes below this do not fail, degrees, 0..=45.
    pub min_slope_deg: f64,
    /// Side of a tile, cells, 4..=256.
    pub tile_cells: usize,
    /// Reach angle: least, most likely, greatest, degrees, 2..=60.
    pub reach_angle_deg: [f64; 3],
    /// Longest run-out, cells, up to 1000.
    pub max_run_cells: usize,
}

impl Default for TriggerConfig {
    fn default() -> Self {
        TriggerConfig::parse(
            include_str!("../../standards/landslide_trigger.toml"),
            Path::new("standards/landslide_trigger.toml"),
        )
        .expect("the compiled-in trigger table is read by a test")
    }
}

impl TriggerConfig {
    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape, figures out of range.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let config: TriggerConfig = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.to_string(),
                "the keys of standards/landslide_trigger.toml",
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
        let a = self.reach_angle_deg;
        let number = |v: f64, lo: f64, hi: f64| v >= lo && v <= hi;
        let faults: Vec<Fault> = [
            (
                number(self.mean_slides_per_year, 1e-6, 1e5),
                "mean_slides_per_year",
                self.mean_slides_per_year.to_string(),
                "above 0, up to 100000",
            ),
            (
                number(self.infiltration_share, 0.0, 1.0),
                "infiltration_share",
                self.infiltration_share.to_string(),
                "0 to 1",
            ),
            (
                number(self.antecedent_weight, 0.0, 1.0),
                "antecedent_weight",
                self.antecedent_weight.to_string(),
                "0 to 1",
            ),
            (
                number(self.min_slope_deg, 0.0, 45.0),
                "min_slope_deg",
                self.min_slope_deg.to_string(),
                "0 to 45",
            ),
            (
                (4..=256).contains(&self.tile_cells),
                "tile_cells",
                self.tile_cells.to_string(),
                "4 to 256",
            ),
            (
                a[0] >= 2.0 && a[0] <= a[1] && a[1] <= a[2] && a[2] <= 60.0,
                "reach_angle_deg",
                format!("{a:?}"),
                "three rising angles, 2 to 60",
            ),
            (
                self.max_run_cells <= 1000,
                "max_run_cells",
                self.max_run_cells.to_string(),
                "up to 1000",
            ),
        ]
        .into_iter()
        .filter(|(ok, ..)| !ok)
        .map(|(_, key, found, expected)| {
            let remedy = "correct the figure or leave it out for the default";
            Fault::new(file, found, expected, remedy).at(key)
        })
        .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Effective recharge, mm/d, where `rain_mm` of a storm of `duration_h` falls on ground with an antecedent index.
    pub fn recharge_mm_d(&self, rain_mm: f64, duration_h: f64, antecedent_mm: f64) -> f64 {
        let rain_of_day = rain_mm * 24.0 / duration_h.max(24.0);
        self.infiltration_share * rain_of_day + self.antecedent_weight * antecedent_mm.max(0.0)
    }
}

/// A block of cells with uniform rain.
#[derive(Debug, Clone)]
struct Tile {
    row: usize,
    col: usize,
    rows: usize,
    cols: usize,
    centre: (f64, f64),
    /// Sum of failing samples over the cells, per level.
    sums: [u64; LEVELS],
}

/// Geological hazards in the year simulation: rain-triggered slides.
#[derive(Debug, Clone)]
pub struct GeologyModel {
    grid: Grid,
    config: TriggerConfig,
    failures: FailureTable,
    tiles: Vec<Tile>,
    dem_m: Raster<f32>,
    flow_dir: Raster<u8>,
    wanted: Vec<bool>,
    /// Slides per unit of failure probability and storm.
    release: f64,
    seed: u64,
}

impl GeologyModel {
    /// Precomputes failure probabilities and calibrates the release density on `climate`.
    ///
    /// # Errors
    /// Inputs that do not fit together, figures out of range, a climate in which no slope can fail.
    pub fn new(
        inputs: GeologyInputs,
        soils: &SoilTable,
        config: &TriggerConfig,
        climate: &[WeatherYear],
        sites: &Sites,
        seed: u64,
    ) -> Result<GeologyModel> {
        config.validate(Path::new("project"))?;
        let grid = inputs.grid;
        let others = [
            ("slope", inputs.slope_deg.grid),
            ("elevation", inputs.dem_m.grid),
            ("flow direction", inputs.flow_dir.grid),
            ("sites", sites.grid),
        ];
        let faults: Vec<Fault> = others
            .into_iter()
            .filter(|(_, g)| !grid.same_cells(g))
            .map(|(name, g)| {
                Fault::new(
                    "geology inputs",
                    format!("{} x {} cells", g.rows, g.cols),
                    format!(
                        "the {} x {} cells of the compute grid",
                        grid.rows, grid.cols
                    ),
                    "resample to the compute grid",
                )
                .at(name)
            })
            .collect();
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        let failures = FailureTable::new(
            &inputs.slope_deg,
            &inputs.specific_area_m,
            &inputs.soil,
            soils,
            config.recharge_levels_mm_d,
            config.samples,
            config.min_slope_deg,
            &Stream::new(seed, stream::GEOLOGY),
        )?;
        let tiles = tiles(&grid, config.tile_cells, &failures);
        let mut wanted = vec![false; grid.cells()];
        for &cell in &sites.cells {
            wanted[cell as usize] = true;
        }
        let mut model = GeologyModel {
            grid,
            config: config.clone(),
            failures,
            tiles,
            dem_m: inputs.dem_m,
            flow_dir: inputs.flow_dir,
            wanted,
            release: 1.0,
            seed,
        };
        // Years in fixed order: the sum does not depend on threads.
        let expected: Vec<f64> = climate
            .par_iter()
            .map(|year| {
                let storms = year.storms.iter();
                storms
                    .map(|s| model.expected(s).iter().map(|e| e.1).sum::<f64>())
                    .sum()
            })
            .collect();
        let mean = expected.iter().sum::<f64>() / climate.len().max(1) as f64;
        if mean.is_nan() || mean <= 0.0 {
            return Err(Error::input(Fault::new(
                "geology inputs",
                format!("no slope that fails in {} years of storms", climate.len()),
                "soil classes, slopes and storms under which some cells can fail",
                "check the soil raster's codes, the slope's unit (degrees) and the storms",
            )));
        }
        model.release = config.mean_slides_per_year / mean;
        Ok(model)
    }

    /// Slides per unit of failure probability and storm, as calibrated.
    pub fn release_density(&self) -> f64 {
        self.release
    }

    /// The failure probabilities behind it.
    pub fn failures(&self) -> &FailureTable {
        &self.failures
    }

    fn tile_recharge_mm_d(&self, storm: &Storm, tile: &Tile) -> f64 {
        let share = storm.share_at(tile.centre.0, tile.centre.1);
        if share <= 0.0 {
            return 0.0;
        }
        self.config.recharge_mm_d(
            share * storm.depth_mm,
            storm.duration_h,
            storm.antecedent_mm,
        )
    }

    /// Tiles with an expected number of slides above zero, their recharge, in order: (tile, expected, recharge mm/d).
    fn expected(&self, storm: &Storm) -> Vec<(usize, f64, f64)> {
        let mut out = Vec::new();
        for (i, tile) in self.tiles.iter().enumerate() {
            if tile.sums[LEVELS - 1] == tile.sums[0] {
                continue;
            }
            let recharge = self.tile_recharge_mm_d(storm, tile);
            if recharge <= self.failures.levels_mm_d[0] {
                continue;
            }
            let (lower, upper, weight) = self.failures.bracket(recharge);
            let sum = tile.sums[lower] as f64 * (1.0 - weight) + tile.sums[upper] as f64 * weight
                - tile.sums[0] as f64;
            if sum > 0.0 {
                let mean = self.release * sum / f64::from(self.failures.samples);
                out.push((i, mean, recharge));
            }
        }
        out
    }

    /// The cell of a tile at probability `u`, by the cells' excess probabilities at a recharge.
    fn place(&self, tile: &Tile, recharge_mm_d: f64, u: f64) -> u32 {
        let (lower, upper, weight) = self.failures.bracket(recharge_mm_d);
        let mut last = self.grid.index(tile.row, tile.col);
        let mut left = {
            let excess = tile.sums[lower] as f64 * (1.0 - weight)
                + tile.sums[upper] as f64 * weight
                - tile.sums[0] as f64;
            u * excess
        };
        for row in tile.row..tile.row + tile.rows {
            for col in tile.col..tile.col + tile.cols {
                let cell = self.grid.index(row, col);
                let c = &self.failures.counts[cell as usize];
                let excess = f64::from(c[lower]) * (1.0 - weight) + f64::from(c[upper]) * weight
                    - f64::from(c[0]);
                if excess > 0.0 {
                    last = cell;
                    left -= excess;
                    if left < 0.0 {
                        return cell;
                    }
                }
            }
        }
        last
    }

    /// Annual probability that a slide starts in the cell, straight from the storms of these years without sampling:
    /// 1 - exp(-mean number), for comparison with the event set and for maps. NaN nowhere; 0 on ground that cannot fail.
    pub fn annual_release_probability(&self, years: &[WeatherYear]) -> Raster<f32> {
        let mut out = Raster::filled(self.grid, 0.0_f32);
        let scale = self.release / f64::from(self.failures.samples) / years.len().max(1) as f64;
        let blocks: Vec<Vec<(u32, f32)>> = self
            .tiles
            .par_iter()
            .map(|tile| {
                // Weight of each level over all storms: cells then need eight products.
                let mut levels = [0.0_f64; LEVELS];
                for storm in years.iter().flat_map(|y| &y.storms) {
                    let recharge = self.tile_recharge_mm_d(storm, tile);
                    if recharge > self.failures.levels_mm_d[0] {
                        let (lower, upper, weight) = self.failures.bracket(recharge);
                        levels[lower] += 1.0 - weight;
                        levels[upper] += weight;
                        levels[0] -= 1.0;
                    }
                }
                let mut cells = Vec::new();
                for row in tile.row..tile.row + tile.rows {
                    for col in tile.col..tile.col + tile.cols {
                        let cell = self.grid.index(row, col);
                        let c = &self.failures.counts[cell as usize];
                        let mean: f64 = c.iter().zip(&levels).map(|(&c, l)| f64::from(c) * l).sum();
                        if mean > 0.0 {
                            cells.push((cell, -libm::expm1(-mean * scale) as f32));
                        }
                    }
                }
                cells
            })
            .collect();
        let values = out.values_mut();
        for (cell, p) in blocks.into_iter().flatten() {
            values[cell as usize] = p;
        }
        out
    }

    /// Annual probability that a slide strikes the cell: every cell's slides run down its way of water, for the middles of
    /// equal shares of the reach angles; slides of different cells are independent. `release`: as from
    /// [`GeologyModel::annual_release_probability`].
    pub fn annual_strike_probability(&self, release: &Raster<f32>) -> Raster<f32> {
        const SHARES: u32 = 5;
        let angle = self.config.reach_angle_deg;
        let tangents: Vec<f64> = (0..SHARES)
            .map(|k| {
                let u = (f64::from(k) + 0.5) / f64::from(SHARES);
                libm::tan(triangular_quantile(u, angle[0], angle[1], angle[2]).to_radians())
            })
            .collect();
        // Mean numbers of slides, added up in order of the sources.
        let mut mean = vec![0.0_f64; self.grid.cells()];
        for (source, &p) in release.values().iter().enumerate() {
            if p.is_nan() || p <= 0.0 {
                continue;
            }
            let slides = -libm::log1p(-f64::from(p)) / f64::from(SHARES);
            for &tangent in &tangents {
                let path = runout(
                    &self.grid,
                    self.dem_m.values(),
                    self.flow_dir.values(),
                    source as u32,
                    tangent,
                    self.config.max_run_cells,
                );
                for (cell, _) in path {
                    mean[cell as usize] += slides;
                }
            }
        }
        let data = ndarray::Array2::from_shape_fn(self.grid.shape(), |(row, col)| {
            -libm::expm1(-mean[row * self.grid.cols + col]) as f32
        });
        Raster::new(self.grid, data)
    }
}

fn tiles(grid: &Grid, side: usize, failures: &FailureTable) -> Vec<Tile> {
    let mut out = Vec::new();
    for row in (0..grid.rows).step_by(side) {
        for col in (0..grid.cols).step_by(side) {
            let (rows, cols) = (side.min(grid.rows - row), side.min(grid.cols - col));
            let mut sums = [0_u64; LEVELS];
            for r in row..row + rows {
                for cell in grid.index(r, col)..grid.index(r, col) + cols as u32 {
                    for (sum, &count) in sums.iter_mut().zip(&failures.counts[cell as usize]) {
                        *sum += u64::from(count);
                    }
                }
            }
            out.push(Tile {
                row,
                col,
                rows,
                cols,
                centre: (
                    0.5 * (grid.x(col) + grid.x(col + cols - 1)),
                    0.5 * (grid.y(row) + grid.y(row + rows - 1)),
                ),
                sums,
            });
        }
    }
    out
}

impl HazardModel for GeologyModel {
    fn hazard(&self) -> Hazard {
        Hazard::Geology
    }

    /// Slides of the year's storms. Slides that miss every site are left out. An event's rate is 0: it happens once in
    /// its simulated year and is weighted by the number of years.
    fn year(&self, weather: &WeatherYear) -> Vec<Incident> {
        let draws = Stream::new(self.seed, stream::GEOLOGY);
        let angle = self.config.reach_angle_deg;
        let mut incidents = Vec::new();
        for storm in &weather.storms {
            let mut number = 0_u64;
            for (i, mean, recharge) in self.expected(storm) {
                let tile = &self.tiles[i];
                let n = poisson_quantile(draws.uniform(storm.id, i as u32, 0), mean);
                for k in 1..=n {
                    if number == SLIDES_PER_STORM {
                        break;
                    }
                    let [u, v] = draws.uniform2(storm.id, i as u32, k);
                    let source = self.place(tile, recharge, u);
                    let reach = triangular_quantile(v, angle[0], angle[1], angle[2]).to_radians();
                    let mut path = runout(
                        &self.grid,
                        self.dem_m.values(),
                        self.flow_dir.values(),
                        source,
                        libm::tan(reach),
                        self.config.max_run_cells,
                    );
                    path.retain(|&(cell, _)| self.wanted[cell as usize]);
                    path.sort_unstable_by_key(|&(cell, _)| cell);
                    let id = storm.id * SLIDES_PER_STORM + number;
                    number += 1;
                    if path.is_empty() {
                        continue;
                    }
                    incidents.push(Incident {
                        lattice: Lattice::Cells,
                        event: Event {
                            id,
                            cause: storm.id,
                            hazard: Hazard::Geology.code(),
                            rate_per_year: 0.0,
                        },
                        occurrence: Occurrence {
                            year: weather.year,
                            day: storm.day,
                            duration_h: storm.duration_h as f32,
                            event: id,
                        },
                        footprint: Footprint {
                            cells: path.iter().map(|p| p.0).collect(),
                            values: vec![path.iter().map(|p| p.1).collect()],
                        },
                    });
                }
            }
        }
        incidents.sort_by_key(|i| (i.occurrence.day, i.event.id));
        incidents
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weather::StormKind;
    use anlan_engine::Crs;

    fn year(y: u32) -> WeatherYear {
        let draws = Stream::new(4, 98);
        let storms = (0..5_u32)
            .map(|k| {
                let u = draws.uniform4(u64::from(y), k, 0);
                Storm {
                    id: u64::from(y) * 1024 + u64::from(k),
                    day: 150 + 10 * k as u16,
                    kind: StormKind::Frontal,
                    duration_h: 24.0,
                    centre: (4000.0 * u[0], -4000.0 * u[1]),
                    half_axes_m: (2500.0, 1500.0),
                    angle_rad: 3.0 * u[2],
                    depth_mm: 50.0 + 300.0 * u[3],
                    peak_1h_mm: 40.0,
                    antecedent_mm: 40.0,
                }
            })
            .collect();
        WeatherYear {
            year: y,
            days: Vec::new(),
            storms,
        }
    }

    fn model() -> GeologyModel {
        let n = 100;
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (40.0, 40.0),
            (n, n),
        )
        .unwrap();
        // A slope of 31° to 40° that falls to the east, steeper in the north.
        let mut slope_deg = Raster::filled(grid, 0.0_f32);
        let mut dem_m = Raster::filled(grid, 0.0_f32);
        let mut soil = Raster::filled(grid, 1_u8);
        for row in 0..n {
            let deg = 40.0 - 9.0 * row as f32 / n as f32;
            for col in 0..n {
                slope_deg.data[(row, col)] = deg;
                dem_m.data[(row, col)] = (n - col) as f32 * 40.0 * libm::tanf(deg.to_radians());
                if col > 70 {
                    soil.data[(row, col)] = 0;
                }
            }
        }
        let inputs = GeologyInputs {
            grid,
            slope_deg,
            specific_area_m: Raster::filled(grid, 120.0),
            soil,
            dem_m,
            flow_dir: Raster::filled(grid, 0),
        };
        let climate: Vec<WeatherYear> = (0..200).map(year).collect();
        let config = TriggerConfig {
            mean_slides_per_year: 8.0,
            tile_cells: 16,
            ..TriggerConfig::default()
        };
        GeologyModel::new(
            inputs,
            &SoilTable::standard(),
            &config,
            &climate,
            &Sites::all(grid),
            21,
        )
        .unwrap()
    }

    #[test]
    fn event_set_agrees_with_the_direct_map() {
        let model = model();
        let years: Vec<WeatherYear> = (0..200).map(year).collect();
        let direct = model.annual_release_probability(&years);
        let mut sources = vec![0_u32; direct.grid.cells()];
        let mut slides = 0;
        for weather in &years {
            let incidents = model.year(weather);
            assert!(
                incidents
                    .iter()
                    .map(|i| (i.occurrence.day, i.event.id))
                    .is_sorted()
            );
            for i in incidents {
                assert!(i.footprint.cells.is_sorted_by(|a, b| a < b));
                assert_eq!(i.event.cause, i.event.id / SLIDES_PER_STORM);
                // On a slope that falls to the east the crown is the westernmost cell.
                sources[i.footprint.cells[0] as usize] += 1;
                slides += 1;
            }
        }
        // Poisson: 1600 slides expected by calibration; four standard errors.
        assert!((f64::from(slides) - 1600.0).abs() < 160.0, "{slides}");
        // The same in four quarters of the region.
        for (rows, cols) in [
            (0..50, 0..35),
            (0..50, 35..71),
            (50..100, 0..35),
            (50..100, 35..71),
        ] {
            let (mut got, mut expected) = (0.0, 0.0);
            for row in rows {
                for col in cols.clone() {
                    got += f64::from(sources[row * 100 + col]);
                    let p = f64::from(direct.data[(row, col)]);
                    expected -= 200.0 * libm::log1p(-p);
                }
            }
            let tolerance = 4.0 * f64::sqrt(expected.max(4.0));
            assert!((got - expected).abs() < tolerance, "{got} {expected}");
        }
        // Runout: cells struck by the event set against the mean of the strike map. A slide strikes up to a dozen cells, so
        // that the counts spread by at most twelve times a Poisson count; five shares of the angles cost 2 %.
        let strike = model.annual_strike_probability(&direct);
        let struck: usize = years
            .iter()
            .flat_map(|w| model.year(w))
            .map(|i| i.footprint.len())
            .sum();
        let expected: f64 = strike
            .values()
            .iter()
            .map(|&p| -200.0 * libm::log1p(-f64::from(p)))
            .sum();
        let tolerance = 4.0 * f64::sqrt(12.0 * expected) + 0.02 * expected;
        assert!(
            (struck as f64 - expected).abs() < tolerance,
            "{struck} {expected}"
        );
        assert!(expected > 1.2 * f64::from(slides));
        assert!(
            strike
                .values()
                .iter()
                .zip(direct.values())
                .all(|(s, r)| s >= r)
        );
        assert_eq!(direct.data[(10, 80)], 0.0);
        assert!(direct.data[(5, 30)] > direct.data[(95, 30)]);
    }

    #[test]
    fn the_same_for_any_thread_count() {
        let pool = |n| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(n)
                .build()
                .unwrap()
        };
        let (a, b) = (pool(1).install(model), pool(3).install(model));
        assert_eq!(a.release.to_bits(), b.release.to_bits());
        let (x, y) = (a.year(&year(3)), b.year(&year(3)));
        assert_eq!(x.len(), y.len());
        for (x, y) in x.iter().zip(&y) {
            assert_eq!(x.footprint, y.footprint);
        }
    }

    #[test]
    fn faults_are_listed_together() {
        let config = TriggerConfig {
            infiltration_share: 2.0,
            reach_angle_deg: [30.0, 20.0, 40.0],
            ..TriggerConfig::default()
        };
        assert_eq!(
            config.validate(Path::new("x")).unwrap_err().faults().len(),
            2
        );
    }
}
