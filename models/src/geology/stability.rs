//! Stability of slopes: the infinite slope with steady wetness and uncertain strength.
//!
//! Wetness w = min(1, R a / (T sin θ)); factor of safety FS = C / (h ρ g sin θ) + cos θ tan φ (1 - w ρw/ρ) / sin θ. For a
//! given strength FS falls with w, so a sample fails from one critical recharge upwards; the probability of failure at all
//! recharge levels costs one division per sample.
//!
//! # References
//! Pack, Tarboton and Goodwin (1998), SINMAP; Strauch and others (2018), A hydroclimatological approach to predicting
//! regional landslide probability using Landlab, Earth Surf. Dynam. 6, doi:10.5194/esurf-6-49-2018, equations 1-3.
//! Iverson (2000) and Baum and others (2008), TRIGRS 2, USGS OFR 2008-1159, for FS with a pressure head.

use anlan_engine::distributions::triangular_quantile;
use anlan_engine::random::Stream;
use anlan_engine::{Error, Fault, Raster, Result};
use rayon::prelude::*;
use serde::Deserialize;
use std::path::Path;

/// Standard gravity, m/s².
pub const GRAVITY_M_S2: f64 = 9.806_65;
const WATER_KG_M3: f64 = 1000.0;

/// Number of recharge levels of the tables.
pub const LEVELS: usize = 8;

/// Random address of the strength samples: above all storm numbers.
const SAMPLE_EVENT: u64 = 1 << 47;

/// Strength and conductivity of one soil, or one sample of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// Cohesion of soil and roots, Pa.
    pub cohesion_pa: f64,
    /// Tangent of the friction angle.
    pub tan_friction: f64,
    /// Thickness of the soil normal to the slope, m.
    pub depth_m: f64,
    /// Transmissivity, m²/d.
    pub transmissivity_m2_d: f64,
    /// Density of the wet soil, kg/m³.
    pub density_kg_m3: f64,
}

/// Relative wetness 0..=1 at a steady recharge, with the specific contributing area in m and the sine of the slope.
pub fn wetness(strength: &Strength, recharge_m_d: f64, specific_area_m: f64, sin: f64) -> f64 {
    (recharge_m_d * specific_area_m / (strength.transmissivity_m2_d * sin)).min(1.0)
}

/// Factor of safety (安全系数) of an infinite slope at a relative wetness; sine and cosine of the slope angle.
pub fn factor_of_safety(strength: &Strength, wetness: f64, sin: f64, cos: f64) -> f64 {
    let weight = strength.depth_m * strength.density_kg_m3 * GRAVITY_M_S2;
    let buoyancy = 1.0 - wetness * WATER_KG_M3 / strength.density_kg_m3;
    (strength.cohesion_pa / weight + cos * strength.tan_friction * buoyancy) / sin
}

/// Steady recharge from which on a slope fails, m/d: 0 where it fails dry, infinity where it never does.
#[inline]
pub fn critical_recharge_m_d(strength: &Strength, specific_area_m: f64, sin: f64, cos: f64) -> f64 {
    let weight = strength.depth_m * strength.density_kg_m3 * GRAVITY_M_S2;
    let friction = cos * strength.tan_friction;
    let w = (strength.cohesion_pa / weight + friction - sin) * strength.density_kg_m3
        / (friction * WATER_KG_M3);
    if w <= 0.0 {
        0.0
    } else if w > 1.0 {
        f64::INFINITY
    } else {
        w * strength.transmissivity_m2_d * sin / specific_area_m
    }
}

/// Factor of safety at a depth with a pressure head (TRIGRS): slope in radians, unit weights in N/m³, vertical depth and
/// head in m. Negative heads count as zero; capped at 10, as TRIGRS does.
pub fn factor_of_safety_at_head(
    slope_rad: f64,
    cohesion_pa: f64,
    friction_rad: f64,
    soil_n_m3: f64,
    water_n_m3: f64,
    depth_m: f64,
    head_m: f64,
) -> f64 {
    let (sin, cos) = libm::sincos(slope_rad);
    let tan_friction = libm::tan(friction_rad);
    let resisting = cohesion_pa - head_m.max(0.0) * water_n_m3 * tan_friction;
    (tan_friction * cos / sin + resisting / (soil_n_m3 * depth_m * sin * cos)).min(10.0)
}

/// Uncertain strength of one soil: triangular laws as [least, most likely, greatest].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soil {
    /// Code in the soil raster.
    pub code: u8,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Cohesion, Pa, 0..=200000.
    pub cohesion_pa: [f64; 3],
    /// Friction angle, degrees, 1..=60.
    pub friction_deg: [f64; 3],
    /// Thickness, m, 0.05..=30.
    pub depth_m: [f64; 3],
    /// Hydraulic conductivity, m/d, above 0.
    pub conductivity_m_d: [f64; 3],
    /// Density of the wet soil, kg/m³, above that of water.
    pub density_kg_m3: f64,
}

/// All soils, with where they come from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoilTable {
    /// Where the figures come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// The soils.
    #[serde(rename = "class")]
    pub classes: Vec<Soil>,
}

impl SoilTable {
    /// The soils compiled in (status unverified).
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn standard() -> Self {
        SoilTable::parse(
            include_str!("../../standards/soil_strength.toml"),
            Path::new("standards/soil_strength.toml"),
        )
        .expect("the compiled-in soil table is read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; figures out of range, all together.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let table: SoilTable = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.to_string(),
                "the keys of standards/soil_strength.toml",
                "compare with the standard file",
            ))
        })?;
        let mut faults = Vec::new();
        for soil in &table.classes {
            for (key, v, lo, hi) in [
                ("cohesion_pa", soil.cohesion_pa, 0.0, 2e5),
                ("friction_deg", soil.friction_deg, 1.0, 60.0),
                ("depth_m", soil.depth_m, 0.05, 30.0),
                ("conductivity_m_d", soil.conductivity_m_d, 1e-6, 1e4),
                ("density_kg_m3", [soil.density_kg_m3; 3], 1001.0, 3000.0),
            ] {
                if !(v[0] >= lo && v[0] <= v[1] && v[1] <= v[2] && v[2] <= hi) {
                    faults.push(
                        Fault::new(
                            file,
                            format!("{v:?}"),
                            format!("rising figures from {lo} to {hi}"),
                            "correct the figures of this soil",
                        )
                        .at(format!("soil {}, {key}", soil.code)),
                    );
                }
            }
        }
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }
}

impl Soil {
    /// `n` samples of strength by Latin hypercube: each law's n equal strata hold one sample, in an order of their own.
    pub fn samples(&self, draws: &Stream, n: u32) -> Vec<Strength> {
        let strata = |variable: u32| {
            let address = SAMPLE_EVENT | u64::from(self.code);
            let mut order: Vec<(f64, u32)> = (0..n)
                .map(|i| (draws.uniform(address, 2 * variable, i), i))
                .collect();
            order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            order
                .iter()
                .enumerate()
                .map(|(i, &(_, stratum))| {
                    let inside = draws.uniform(address, 2 * variable + 1, i as u32);
                    (f64::from(stratum) + inside) / f64::from(n)
                })
                .collect::<Vec<f64>>()
        };
        let laws = [
            self.cohesion_pa,
            self.friction_deg,
            self.depth_m,
            self.conductivity_m_d,
        ];
        let columns: Vec<Vec<f64>> = laws
            .iter()
            .zip(0..)
            .map(|(law, v)| {
                strata(v)
                    .into_iter()
                    .map(|u| triangular_quantile(u, law[0], law[1], law[2]))
                    .collect()
            })
            .collect();
        (0..n as usize)
            .map(|i| Strength {
                cohesion_pa: columns[0][i],
                tan_friction: libm::tan(columns[1][i].to_radians()),
                depth_m: columns[2][i],
                transmissivity_m2_d: columns[2][i] * columns[3][i],
                density_kg_m3: self.density_kg_m3,
            })
            .collect()
    }
}

/// A strength with what does not change from cell to cell worked out, so that the loop over cells holds no division.
#[derive(Debug, Clone, Copy)]
struct Prepared {
    relative_cohesion: f64,
    tan_friction: f64,
    /// Density over that of water and the tangent of friction.
    buoyancy: f64,
    transmissivity_m2_d: f64,
}

impl Prepared {
    fn new(s: &Strength) -> Prepared {
        Prepared {
            relative_cohesion: s.cohesion_pa / (s.depth_m * s.density_kg_m3 * GRAVITY_M_S2),
            tan_friction: s.tan_friction,
            buoyancy: s.density_kg_m3 / (WATER_KG_M3 * s.tan_friction),
            transmissivity_m2_d: s.transmissivity_m2_d,
        }
    }

    /// As [`critical_recharge_m_d`], below zero where the slope fails dry.
    #[inline]
    fn critical_m_d(&self, sin: f64, cos: f64, inverse_cos: f64, sin_over_area: f64) -> f64 {
        let excess = self.relative_cohesion + cos * self.tan_friction - sin;
        let w = excess * self.buoyancy * inverse_cos;
        if w > 1.0 {
            f64::INFINITY
        } else {
            w * self.transmissivity_m2_d * sin_over_area
        }
    }
}

/// Probability of failure (失稳概率) of every cell at eight recharge levels, as counts of failing samples.
#[derive(Debug, Clone)]
pub struct FailureTable {
    /// Recharge levels, rising, mm/d.
    pub levels_mm_d: [f64; LEVELS],
    /// Number of samples.
    pub samples: u32,
    /// Failing samples per cell and level; zero where there is no soil or slope.
    pub counts: Vec<[u8; LEVELS]>,
}

impl FailureTable {
    /// Counts failures of `samples` (8..=255) strengths per soil in every cell. Cells without soil class in the table, without
    /// slope, or flatter than `min_slope_deg` do not fail. Slope in degrees, specific contributing area in m.
    ///
    /// # Errors
    /// Rasters on different cells, too few or too many samples, levels that do not rise.
    pub fn new(
        slope_deg: &Raster<f32>,
        specific_area_m: &Raster<f32>,
        soil: &Raster<u8>,
        table: &SoilTable,
        levels_mm_d: [f64; LEVELS],
        samples: u32,
        min_slope_deg: f64,
        draws: &Stream,
    ) -> Result<FailureTable> {
        let grid = &slope_deg.grid;
        if !grid.same_cells(&specific_area_m.grid)
            || !grid.same_cells(&soil.grid)
            || !(8..=255).contains(&samples)
            || levels_mm_d.iter().any(|l| !l.is_finite())
            || levels_mm_d[0] <= 0.0
            || levels_mm_d.windows(2).any(|w| w[0] >= w[1])
        {
            return Err(Error::input(Fault::new(
                "geology inputs",
                format!("{samples} samples, levels {levels_mm_d:?}, or rasters on other cells"),
                "8 to 255 samples, rising levels above 0, slope, area and soil on one grid",
                "correct the configuration or resample the rasters",
            )));
        }
        let mut strengths: Vec<Vec<Prepared>> = vec![Vec::new(); 256];
        for s in &table.classes {
            let samples = s.samples(draws, samples);
            strengths[usize::from(s.code)] = samples.iter().map(Prepared::new).collect();
        }
        let levels = levels_mm_d.map(|l| l / 1000.0);
        let min_slope = min_slope_deg as f32;
        let mut counts = vec![[0_u8; LEVELS]; grid.cells()];
        counts
            .par_chunks_mut(grid.cols)
            .enumerate()
            .for_each(|(row, out)| {
                let from = row * grid.cols;
                let slopes = &slope_deg.values()[from..from + grid.cols];
                let areas = &specific_area_m.values()[from..from + grid.cols];
                let soils = &soil.values()[from..from + grid.cols];
                for (((out, &slope), &area), &soil) in
                    out.iter_mut().zip(slopes).zip(areas).zip(soils)
                {
                    let fails = slope >= min_slope && slope > 0.0 && area > 0.0;
                    if !fails {
                        continue;
                    }
                    let (sin, cos) = libm::sincos(f64::from(slope).to_radians());
                    let (inverse_cos, sin_over_area) = (1.0 / cos, sin / f64::from(area));
                    for strength in &strengths[usize::from(soil)] {
                        let critical = strength.critical_m_d(sin, cos, inverse_cos, sin_over_area);
                        for (count, &level) in out.iter_mut().zip(&levels) {
                            *count += u8::from(critical <= level);
                        }
                    }
                }
            });
        Ok(FailureTable {
            levels_mm_d,
            samples,
            counts,
        })
    }

    /// The two levels around a recharge and the weight of the upper one (linear in the logarithm); the ends beyond them.
    pub fn bracket(&self, recharge_mm_d: f64) -> (usize, usize, f64) {
        let l = &self.levels_mm_d;
        let upper = l.partition_point(|&v| v < recharge_mm_d);
        match upper {
            0 => (0, 0, 0.0),
            LEVELS => (LEVELS - 1, LEVELS - 1, 0.0),
            u => {
                let weight = libm::log(recharge_mm_d / l[u - 1]) / libm::log(l[u] / l[u - 1]);
                (u - 1, u, weight)
            }
        }
    }

    /// Probability of failure of a cell at a recharge, 0..=1.
    pub fn probability(&self, cell: u32, recharge_mm_d: f64) -> f64 {
        let (lower, upper, weight) = self.bracket(recharge_mm_d);
        let c = &self.counts[cell as usize];
        (f64::from(c[lower]) * (1.0 - weight) + f64::from(c[upper]) * weight)
            / f64::from(self.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};

    #[test]
    fn critical_recharge_is_where_the_factor_of_safety_is_one() {
        let s = Strength {
            cohesion_pa: 4000.0,
            tan_friction: 0.6,
            depth_m: 1.5,
            transmissivity_m2_d: 6.0,
            density_kg_m3: 1900.0,
        };
        let (sin, cos) = libm::sincos(33.0_f64.to_radians());
        let critical = critical_recharge_m_d(&s, 40.0, sin, cos);
        let w = wetness(&s, critical, 40.0, sin);
        assert!(w > 0.0 && w < 1.0);
        assert!((factor_of_safety(&s, w, sin, cos) - 1.0).abs() < 1e-12);
        // Steeper than it can stand dry, and too flat to fail even when saturated.
        let (sin, cos) = libm::sincos(60.0_f64.to_radians());
        assert_eq!(critical_recharge_m_d(&s, 40.0, sin, cos), 0.0);
        let (sin, cos) = libm::sincos(15.0_f64.to_radians());
        assert_eq!(critical_recharge_m_d(&s, 40.0, sin, cos), f64::INFINITY);
    }

    /// USGS TRIGRS 2.1 tutorial, cells 1 and 2 at 172,800 and 216,000 s, depth 2 m, zone 1; printed to five digits.
    #[test]
    fn factors_of_safety_of_trigrs() {
        for (slope_deg, depth_m, head_m, expected) in [
            (16.7, 2.0, 0.615_37, 2.2742),
            (16.7, 2.0, 0.744_12, 2.2013),
            (16.7, 0.2, 0.085_364, 4.7403),
            (11.3, 2.0, 0.614_90, 3.4191),
            (11.3, 0.2, -0.001_275_4, 7.6440),
        ] {
            let fs = factor_of_safety_at_head(
                f64::to_radians(slope_deg),
                3500.0,
                35.0_f64.to_radians(),
                2.2e4,
                9.8e3,
                depth_m,
                head_m,
            );
            // The slope grid is given in tenths of a degree, FS with five digits.
            assert!((fs / expected - 1.0).abs() < 1e-4, "{fs} {expected}");
        }
    }

    #[test]
    fn cohesionless_probability_in_closed_form() {
        // Without cohesion and with a fixed soil depth and conductivity, failure at full wetness is
        // tan φ < tan θ / (1 - ρw/ρ): the share of the triangular law of φ below that angle.
        let soil = Soil {
            code: 1,
            name: String::new(),
            name_zh: String::new(),
            cohesion_pa: [0.0; 3],
            friction_deg: [20.0, 30.0, 40.0],
            depth_m: [1.0; 3],
            conductivity_m_d: [1.0; 3],
            density_kg_m3: 2000.0,
        };
        let table = SoilTable {
            source: String::new(),
            status: String::new(),
            classes: vec![soil],
        };
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (30.0, 30.0),
            (1, 3),
        )
        .unwrap();
        // Angles whose tangent is half of tan 25°, tan 30° and tan 37°: shares 0.125, 0.5 and 0.955.
        let mut slope = Raster::filled(grid, 0.0_f32);
        for (v, phi) in slope.values_mut().iter_mut().zip([25.0_f64, 30.0, 37.0]) {
            *v = libm::atan(0.5 * libm::tan(phi.to_radians())).to_degrees() as f32;
        }
        let levels = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1e6];
        let t = FailureTable::new(
            &slope,
            &Raster::filled(grid, 1000.0),
            &Raster::filled(grid, 1),
            &table,
            levels,
            200,
            1.0,
            &Stream::new(1, 8),
        )
        .unwrap();
        for (cell, share) in [(0, 0.125), (1, 0.5), (2, 0.955)] {
            let p = t.probability(cell, 1e6);
            // Latin hypercube in one variable: at most one stratum of 200 is astride.
            assert!((p - share).abs() <= 1.0 / 200.0 + 1e-9, "{p} {share}");
            assert!(t.counts[cell as usize].is_sorted());
        }
    }

    #[test]
    fn probabilities_of_landlab() {
        let folder = std::env::var("ANLAN_SHARED_DATA").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned()
        });
        let path = format!("{folder}/geology/landlab_mc/landlab_uniform_100k.csv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("SKIPPED: no geology/landlab_mc in {folder}");
            return;
        };
        let draws = Stream::new(5, 8);
        let n = 4000_u32;
        let mut worst: f64 = 0.0;
        for line in text.lines().skip(1) {
            let v: Vec<f64> = line.split(',').map(|x| x.parse().unwrap()).collect();
            let (sin, cos) = libm::sincos(libm::atan(v[1]));
            let node = v[0] as u64;
            let (mut failed, mut wet, mut wet2) = (0, 0.0, 0.0);
            for i in 0..n {
                let a = draws.uniform4(node, i, 0);
                let recharge = 0.02 + 0.1 * draws.uniform(node, i, 1);
                let depth_m = triangular_quantile(a[2], 0.7 * v[6], v[6], 1.1 * v[6]);
                // The note beside the table says that T itself is triangular. Its mean wetness, share of saturation and
                // probability of failure all agree with T = K h instead, K triangular about T/h, and all three
                // disagree (mean wetness by 8 %, the mean of 1/h) with T drawn by itself.
                let conductivity = triangular_quantile(a[3], 0.7, 1.0, 1.1) * v[3] / v[6];
                let s = Strength {
                    cohesion_pa: triangular_quantile(a[0], 0.7 * v[4], v[4], 1.3 * v[4]),
                    tan_friction: libm::tan(
                        triangular_quantile(a[1], 0.82 * v[5], v[5], 1.32 * v[5]).to_radians(),
                    ),
                    depth_m,
                    transmissivity_m2_d: conductivity * depth_m,
                    density_kg_m3: v[7],
                };
                let w = wetness(&s, recharge, v[2], sin);
                let fails = critical_recharge_m_d(&s, v[2], sin, cos) <= recharge;
                let fs = factor_of_safety(&s, w, sin, cos);
                assert!(fails == (fs <= 1.0) || (fs - 1.0).abs() < 1e-9);
                failed += u32::from(fails);
                wet += w;
                wet2 += w * w;
            }
            // Both sides are samples: 4000 here, 100,000 there; five standard errors over 100 nodes.
            let share = 1.0 / f64::from(n) + 1e-5;
            let p = f64::from(failed) / f64::from(n);
            let se = (v[8] * (1.0 - v[8]) * share).sqrt().max(1e-4);
            worst = worst.max((p - v[8]).abs() / se);
            let mean = wet / f64::from(n);
            let variance = (wet2 / f64::from(n) - mean * mean).max(0.0);
            let se = (variance * share).sqrt().max(1e-4);
            worst = worst.max((mean - v[9]).abs() / se);
        }
        eprintln!("greatest distance from landlab: {worst:.2} standard errors");
        assert!(worst < 5.0, "{worst}");
    }

    #[test]
    fn standard_soils() {
        let table = SoilTable::standard();
        assert_eq!(table.classes.len(), 3);
        let text = include_str!("../../standards/soil_strength.toml")
            .replace("cohesion_pa = [2000.0", "cohesion_pa = [7000.0")
            .replace("1950.0", "950.0");
        let e = SoilTable::parse(&text, Path::new("s.toml")).unwrap_err();
        assert_eq!(e.faults().len(), 2);
    }

    #[test]
    fn prepared_samples_give_the_same_critical_recharge() {
        for s in SoilTable::standard().classes[0].samples(&Stream::new(2, 8), 64) {
            for (deg, area) in [(12.0_f64, 60.0), (28.0, 300.0), (36.0, 900.0), (55.0, 30.0)] {
                let (sin, cos) = libm::sincos(deg.to_radians());
                let exact = critical_recharge_m_d(&s, area, sin, cos);
                let quick = Prepared::new(&s).critical_m_d(sin, cos, 1.0 / cos, sin / area);
                // Rounding only, at a wetness of order 1.
                let scale = s.transmissivity_m2_d * sin / area;
                assert!(exact == quick || (exact - quick.max(0.0)).abs() < 1e-13 * scale);
            }
        }
    }

    #[test]
    #[ignore = "slow: prints the time of 1.4 million cells, for release builds"]
    fn time_of_a_full_table() {
        let n = 1200;
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (90.0, 90.0),
            (n, n),
        )
        .unwrap();
        let draws = Stream::new(2, 96);
        let mut slope = Raster::filled(grid, 0.0_f32);
        for (i, v) in slope.values_mut().iter_mut().enumerate() {
            *v = (10.0 + 35.0 * draws.uniform(i as u64, 0, 0)) as f32;
        }
        let begin = std::time::Instant::now();
        let levels = [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0];
        let table = FailureTable::new(
            &slope,
            &Raster::filled(grid, 400.0),
            &Raster::filled(grid, 1),
            &SoilTable::standard(),
            levels,
            128,
            10.0,
            &Stream::new(1, 8),
        )
        .unwrap();
        eprintln!(
            "{} cells x 128 samples x 8 levels: {:.2} s",
            table.counts.len(),
            begin.elapsed().as_secs_f64()
        );
    }
}
