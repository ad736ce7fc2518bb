//! From rain to the solver: losses by the SCS curve-number method (径流曲线数法) and routing down hillslopes.
//!
//! * S = 25400 / CN - 254 mm, Ia = 0.2 S, Pe = (P - Ia)² / (P - Ia + S) for P > Ia (USDA SCS 1972, NEH-4 ch. 10);
//!   increments of Pe follow cumulative rain. Curve numbers of dry and wet ground by Chow, Maidment & Mays (1988),
//!   Applied Hydrology, eqs. 5.5.7-5.5.8.
//! * Each hillslope cell sends its effective rain along the steepest descent to the first cell of the solver. The travel
//!   time is the path's length over the speed of shallow concentrated flow, v = k sqrt(slope) (NEH 630 ch. 15).
//! * Per receiving cell the travel times are gathered into a time-area histogram by curve number; the inflow of a storm
//!   is its convolution with the effective rain. Every millimetre is delivered, or told as a tail beyond the end, or
//!   told as draining out of the domain.

use crate::flood::inertial::{CELL_ACTIVE, Inflow};
use crate::flood::rain::Hyetograph;
use anlan_engine::{Error, Fault, Raster, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Wetness of the ground before a storm (前期土壤湿度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wetness {
    /// AMC I.
    Dry,
    /// AMC II.
    Normal,
    /// AMC III.
    Wet,
}

/// Effective rain of a cumulative rain, mm; curve number 1..=100.
pub fn effective_rain_mm(rain_mm: f64, curve_number: f64) -> f64 {
    let s = 25_400.0 / curve_number - 254.0;
    let over = rain_mm - 0.2 * s;
    if over > 0.0 {
        over * over / (over + s)
    } else {
        0.0
    }
}

/// Rain that gives an effective rain, mm: the inverse of [`effective_rain_mm`]; Ia for none.
pub fn rain_for_effective_mm(effective_mm: f64, curve_number: f64) -> f64 {
    let s = 25_400.0 / curve_number - 254.0;
    0.2 * s
        + 0.5 * (effective_mm + libm::sqrt(effective_mm * effective_mm + 4.0 * effective_mm * s))
}

/// Curve number under another wetness than normal.
pub fn curve_number_for(normal: f64, wetness: Wetness) -> f64 {
    match wetness {
        Wetness::Dry => 4.2 * normal / (10.0 - 0.058 * normal),
        Wetness::Normal => normal,
        Wetness::Wet => 23.0 * normal / (10.0 + 0.13 * normal),
    }
}

/// Effective rain of every step of a hyetograph, mm.
pub fn effective_hyetograph_mm(rain: &Hyetograph, curve_number: f64) -> Vec<f64> {
    let (mut fallen, mut before) = (0.0, 0.0);
    rain.depth_mm
        .iter()
        .map(|d| {
            fallen += d;
            let total = effective_rain_mm(fallen, curve_number);
            let step = total - before;
            before = total;
            step
        })
        .collect()
}

/// Antecedent rain that makes ground dry or wet.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Antecedent {
    /// Where the numbers come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Antecedent precipitation index below which the ground is dry, mm.
    pub dry_below_mm: f64,
    /// Antecedent precipitation index above which the ground is wet, mm.
    pub wet_above_mm: f64,
}

impl Antecedent {
    /// Wetness at an antecedent precipitation index, mm.
    pub fn wetness(&self, index_mm: f64) -> Wetness {
        if index_mm < self.dry_below_mm {
            Wetness::Dry
        } else if index_mm > self.wet_above_mm {
            Wetness::Wet
        } else {
            Wetness::Normal
        }
    }
}

/// Curve numbers of one land cover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverCurve {
    /// Code of the land cover raster (IGBP).
    pub code: u8,
    /// Name.
    pub name: String,
    /// The cover of the published table that stands for it.
    #[serde(rename = "as")]
    pub stands_for: String,
    /// Curve numbers of soil groups A, B, C, D.
    pub cn: [u8; 4],
}

/// The tables of `standards/curve_numbers.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveNumbers {
    /// Where the numbers come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Wetness thresholds.
    pub antecedent: Antecedent,
    /// One row per land cover.
    pub cover: Vec<CoverCurve>,
}

impl CurveNumbers {
    /// The table that comes with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> CurveNumbers {
        CurveNumbers::parse(
            include_str!("../../standards/curve_numbers.toml"),
            Path::new("standards/curve_numbers.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, curve numbers outside 1..=100, a code twice.
    pub fn parse(text: &str, file: &Path) -> Result<CurveNumbers> {
        let table: CurveNumbers = parse_toml(text, file)?;
        let mut faults = Vec::new();
        for (k, cover) in table.cover.iter().enumerate() {
            if cover.cn.iter().any(|cn| !(1..=100).contains(cn)) {
                faults.push(
                    Fault::new(
                        file,
                        format!("{:?}", cover.cn),
                        "four curve numbers from 1 to 100",
                        "correct the row",
                    )
                    .at(format!("cover {}", cover.code)),
                );
            }
            if table.cover[..k].iter().any(|c| c.code == cover.code) {
                faults.push(Fault::new(
                    file,
                    format!("code {} twice", cover.code),
                    "one row per code",
                    "remove one of the rows",
                ));
            }
        }
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Curve number of a land cover on a soil group (0 A .. 3 D) under normal wetness; `None` for an unknown cover.
    pub fn curve_number(&self, code: u8, soil_group: u8) -> Option<u8> {
        let row = self.cover.iter().find(|c| c.code == code)?;
        row.cn.get(usize::from(soil_group)).copied()
    }

    /// Curve number per cell from land cover and soil group (0..=3; 0xFF and others: group `default_group`).
    ///
    /// # Errors
    /// A land cover without a row in the table; cells without cover (the raster's no-data value) get 0.
    pub fn raster(
        &self,
        cover: &Raster<u8>,
        soil_group: Option<&Raster<u8>>,
        default_group: u8,
    ) -> Result<Raster<u8>> {
        let mut table = [None; 256];
        for (code, slot) in table.iter_mut().enumerate() {
            *slot = self
                .cover
                .iter()
                .find(|c| usize::from(c.code) == code)
                .map(|c| c.cn);
        }
        let mut unknown = [false; 256];
        let mut out = Raster::filled(cover.grid, 0u8);
        for (at, (cn, &code)) in out.values_mut().iter_mut().zip(cover.values()).enumerate() {
            if Some(code) == cover.nodata {
                continue;
            }
            let group = soil_group.map_or(default_group, |g| g.values()[at]);
            let group = if group < 4 {
                group
            } else {
                default_group.min(3)
            };
            match table[usize::from(code)] {
                Some(row) => *cn = row[usize::from(group)],
                None => unknown[usize::from(code)] = true,
            }
        }
        let faults: Vec<Fault> = (0..256)
            .filter(|&c| unknown[c])
            .map(|c| {
                Fault::new(
                    "land cover",
                    format!("class {c}"),
                    "a class of the curve-number table",
                    "add a row to the table or reclassify the raster",
                )
            })
            .collect();
        if faults.is_empty() {
            Ok(out)
        } else {
            Err(Error::Input(faults))
        }
    }
}

/// Roughness of one land cover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverRoughness {
    /// Code of the land cover raster (IGBP).
    pub code: u8,
    /// Name.
    pub name: String,
    /// Manning's n, s m^(-1/3).
    pub manning_n: f32,
    /// Surface of the published table whose speed is used.
    pub surface: String,
    /// Speed of shallow concentrated flow at slope 1, m/s.
    pub k_m_s: f32,
}

/// The tables of `standards/roughness.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roughness {
    /// Where Manning's n comes from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the speeds come from.
    pub velocity_source: String,
    /// `read` or `unverified`.
    pub velocity_status: String,
    /// Least slope at which hillslope runoff moves.
    pub slope_min: f32,
    /// Manning's n of river cells.
    pub channel_n: f32,
    /// One row per land cover.
    pub cover: Vec<CoverRoughness>,
}

impl Roughness {
    /// The table that comes with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> Roughness {
        Roughness::parse(
            include_str!("../../standards/roughness.toml"),
            Path::new("standards/roughness.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, values not above zero.
    pub fn parse(text: &str, file: &Path) -> Result<Roughness> {
        let table: Roughness = parse_toml(text, file)?;
        let bad = |v: f32| !(v > 0.0 && v.is_finite());
        let faults: Vec<Fault> = table
            .cover
            .iter()
            .filter(|c| bad(c.manning_n) || c.manning_n > 1.0 || bad(c.k_m_s))
            .map(|c| {
                Fault::new(
                    file,
                    format!("n {}, k {} m/s", c.manning_n, c.k_m_s),
                    "n above 0, at most 1; k above 0",
                    "correct the row",
                )
                .at(format!("cover {}", c.code))
            })
            .chain((bad(table.slope_min) || bad(table.channel_n)).then(|| {
                Fault::new(
                    file,
                    format!(
                        "slope_min {}, channel_n {}",
                        table.slope_min, table.channel_n
                    ),
                    "both above 0",
                    "correct the values",
                )
            }))
            .collect();
        if faults.is_empty() {
            Ok(table)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// The row of a land cover; `None` for an unknown one.
    pub fn of(&self, code: u8) -> Option<&CoverRoughness> {
        self.cover.iter().find(|c| c.code == code)
    }
}

/// Reads a TOML table of ours and names file and place of what is wrong with it.
pub(super) fn parse_toml<T: DeserializeOwned>(text: &str, file: &Path) -> Result<T> {
    toml::from_str(text).map_err(|e| {
        let line = e
            .span()
            .map_or(0, |s| text[..s.start].matches('\n').count() + 1);
        Error::input(
            Fault::new(
                file,
                e.message().to_string(),
                "a table of the documented form",
                "compare it with the table that comes with the program",
            )
            .at(format!("line {line}")),
        )
    })
}

/// Hillslopes and how long their water takes to the cells of the solver.
#[derive(Debug, Clone, PartialEq)]
pub struct Hillslopes {
    /// Receiving cells, ascending.
    receivers: Vec<u32>,
    /// Entries of receiver k: `start[k]..start[k + 1]`.
    start: Vec<usize>,
    entries: Vec<Entry>,
    bin_h: f64,
    cell_area_m2: f64,
    /// Cells whose water leaves without meeting the solver, by curve number.
    unrouted: Vec<(u8, u32)>,
    longest_h: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    curve_number: u8,
    bin: u32,
    cells: u32,
}

/// Terrain and cover that route hillslope runoff; all on one projected grid.
#[derive(Debug, Clone, Copy)]
pub struct HillslopeTerrain<'a> {
    /// D8 codes 0..7 = E, SE, S, SW, W, NW, N, NE; others: none.
    pub flow_direction: &'a Raster<u8>,
    /// Elevation, m (filled).
    pub dem_m: &'a Raster<f32>,
    /// Land cover codes.
    pub cover: &'a Raster<u8>,
    /// Curve number of normal wetness; 0: no runoff counted.
    pub curve_number: &'a Raster<u8>,
    /// The solver's cells.
    pub kind: &'a Raster<u8>,
}

/// What a storm gives to the solver.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Inflow of the solver's cells.
    pub inflow: Inflow,
    /// Effective rain on all cells, m³.
    pub effective_m3: f64,
    /// Delivered until the end, m³.
    pub delivered_m3: f64,
    /// Still on the hillslopes at the end, m³.
    pub tail_m3: f64,
    /// Drained out of the grid or into pits without meeting the solver, m³.
    pub unrouted_m3: f64,
}

impl Hillslopes {
    /// Travel times of every cell to its solver cell, gathered in bins of `bin_h`.
    ///
    /// # Errors
    /// A land cover without a row in the roughness table.
    ///
    /// # Panics
    /// Rasters of different shapes.
    pub fn new(
        terrain: &HillslopeTerrain<'_>,
        roughness: &Roughness,
        bin_h: f64,
    ) -> Result<Hillslopes> {
        const STEP: [(isize, isize); 8] = [
            (0, 1),
            (1, 1),
            (1, 0),
            (1, -1),
            (0, -1),
            (-1, -1),
            (-1, 0),
            (-1, 1),
        ];
        const NOT_YET: u32 = u32::MAX;
        const NONE: u32 = u32::MAX - 1;
        let grid = terrain.flow_direction.grid;
        let shape = grid.shape();
        for other in [
            terrain.dem_m.grid.shape(),
            terrain.cover.grid.shape(),
            terrain.curve_number.grid.shape(),
            terrain.kind.grid.shape(),
        ] {
            assert_eq!(other, shape, "rasters of the hillslopes differ in shape");
        }
        let mut k = [None; 256];
        for row in &roughness.cover {
            k[usize::from(row.code)] = Some(row.k_m_s);
        }
        let (direction, dem) = (terrain.flow_direction.values(), terrain.dem_m.values());
        let (cover, cn, kind) = (
            terrain.cover.values(),
            terrain.curve_number.values(),
            terrain.kind.values(),
        );
        if let Some(at) =
            (0..cover.len()).find(|&c| cn[c] > 0 && k[usize::from(cover[c])].is_none())
        {
            let (row, col) = grid.row_col(at as u32);
            return Err(Error::input(
                Fault::new(
                    "land cover",
                    format!("class {}", cover[at]),
                    "a class of the roughness table",
                    "add a row to the table or reclassify the raster",
                )
                .at(format!("row {row}, column {col}")),
            ));
        }
        let next = |cell: usize| -> Option<usize> {
            let (dr, dc) = *STEP.get(usize::from(direction[cell]))?;
            let (row, col) = (cell / shape.1, cell % shape.1);
            let (row, col) = (row.checked_add_signed(dr)?, col.checked_add_signed(dc)?);
            (row < shape.0 && col < shape.1).then_some(row * shape.1 + col)
        };
        let mut receiver = vec![NOT_YET; kind.len()];
        let mut hours = vec![0f32; kind.len()];
        let mut path = Vec::new();
        for cell in 0..kind.len() {
            let mut at = cell;
            // Down to the solver, to a cell already known, or out; the path is at most all cells, cycles end in `NONE`.
            let mut end = loop {
                if receiver[at] != NOT_YET {
                    break (receiver[at], hours[at]);
                }
                if kind[at] == CELL_ACTIVE {
                    receiver[at] = at as u32;
                    break (at as u32, 0.0);
                }
                path.push(at);
                receiver[at] = NONE;
                match next(at) {
                    Some(below) => at = below,
                    None => break (NONE, 0.0),
                }
            };
            for &at in path.iter().rev() {
                if let (Some(below), true) = (next(at), end.0 != NONE) {
                    let straight =
                        at / shape.1 == below / shape.1 || at % shape.1 == below % shape.1;
                    let length = if straight {
                        grid.dx
                    } else {
                        grid.dx * std::f64::consts::SQRT_2
                    };
                    let slope = (f64::from(dem[at] - dem[below]) / length)
                        .max(f64::from(roughness.slope_min));
                    let speed =
                        f64::from(k[usize::from(cover[at])].unwrap_or(1.0)) * libm::sqrt(slope);
                    end.1 += (length / speed / 3600.0) as f32;
                }
                (receiver[at], hours[at]) = end;
            }
            path.clear();
        }

        let mut unrouted = vec![0u32; 256];
        let mut list: Vec<(u32, u8, u32)> = Vec::new();
        let mut longest_h = 0.0f64;
        for cell in 0..kind.len() {
            if cn[cell] == 0 {
                continue;
            }
            if receiver[cell] == NONE {
                unrouted[usize::from(cn[cell])] += 1;
                continue;
            }
            longest_h = longest_h.max(f64::from(hours[cell]));
            let bin = (f64::from(hours[cell]) / bin_h).round() as u32;
            list.push((receiver[cell], cn[cell], bin));
        }
        list.sort_unstable();
        let (mut receivers, mut start, mut entries) = (Vec::new(), Vec::new(), Vec::<Entry>::new());
        let mut last = None;
        for (to, curve_number, bin) in list {
            if receivers.last() != Some(&to) {
                receivers.push(to);
                start.push(entries.len());
            }
            if last == Some((to, curve_number, bin)) {
                entries
                    .last_mut()
                    .expect("the same key was pushed before")
                    .cells += 1;
            } else {
                entries.push(Entry {
                    curve_number,
                    bin,
                    cells: 1,
                });
                last = Some((to, curve_number, bin));
            }
        }
        start.push(entries.len());
        Ok(Hillslopes {
            receivers,
            start,
            entries,
            bin_h,
            cell_area_m2: grid.dx * grid.dy,
            unrouted: (1..=255u8)
                .filter(|&c| unrouted[usize::from(c)] > 0)
                .map(|c| (c, unrouted[usize::from(c)]))
                .collect(),
            longest_h,
        })
    }

    /// Longest travel time, h.
    pub fn longest_h(&self) -> f64 {
        self.longest_h
    }

    /// Inflow of the solver's cells from a storm, until `end_h`. The hyetograph's steps must be the bins.
    ///
    /// # Errors
    /// A hyetograph with another step.
    pub fn deliver(&self, rain: &Hyetograph, wetness: Wetness, end_h: f64) -> Result<Delivery> {
        if (rain.step_h - self.bin_h).abs() > 1e-9 * self.bin_h {
            return Err(Error::input(Fault::new(
                "hyetograph",
                format!("steps of {} h", rain.step_h),
                format!("steps of {} h, the bins of the travel times", self.bin_h),
                "make the hyetograph with that step",
            )));
        }
        let effective: Vec<Vec<f64>> = (0..=100u32)
            .map(|cn| {
                effective_hyetograph_mm(rain, curve_number_for(f64::from(cn.max(1)), wetness))
            })
            .collect();
        let total: Vec<f64> = effective.iter().map(|e| e.iter().sum()).collect();
        let steps = (end_h / self.bin_h - 1e-9).ceil().max(0.0) as usize;
        let n = self.receivers.len();
        let mut rates_m_s = vec![0f32; steps * n];
        let (mut asked, mut delivered) = (0.0, 0.0);
        let mut column = vec![0.0f64; steps];
        for r in 0..n {
            column.fill(0.0);
            for e in &self.entries[self.start[r]..self.start[r + 1]] {
                let cn = usize::from(e.curve_number).min(100);
                asked += f64::from(e.cells) * total[cn];
                for (slot, &mm) in column.iter_mut().skip(e.bin as usize).zip(&effective[cn]) {
                    *slot += f64::from(e.cells) * mm;
                }
            }
            for (step, &mm) in column.iter().enumerate() {
                delivered += mm;
                rates_m_s[step * n + r] = (mm * 1e-3 / (self.bin_h * 3600.0)) as f32;
            }
        }
        let lost: f64 = self
            .unrouted
            .iter()
            .map(|&(cn, cells)| f64::from(cells) * total[usize::from(cn).min(100)])
            .sum();
        let m3 = self.cell_area_m2 * 1e-3;
        Ok(Delivery {
            inflow: Inflow {
                cells: self.receivers.clone(),
                step_s: self.bin_h * 3600.0,
                rates_m_s,
            },
            effective_m3: (asked + lost) * m3,
            delivered_m3: delivered * m3,
            tail_m3: (asked - delivered).max(0.0) * m3,
            unrouted_m3: lost * m3,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};
    use ndarray::Array2;

    #[test]
    fn effective_rain_by_hand() {
        // CN 75: S = 84.667, Ia = 16.933; P 100: 83.0667² / 167.7333 = 41.1373.
        assert!((effective_rain_mm(100.0, 75.0) - 41.137_3).abs() < 1e-3);
        assert_eq!(effective_rain_mm(16.9, 75.0), 0.0);
        assert!((effective_rain_mm(80.0, 100.0) - 80.0).abs() < 1e-12);
        assert!((rain_for_effective_mm(41.137_3, 75.0) - 100.0).abs() < 1e-3);
        assert!((curve_number_for(75.0, Wetness::Dry) - 55.752).abs() < 1e-3);
        assert!((curve_number_for(75.0, Wetness::Wet) - 87.342).abs() < 1e-3);
    }

    #[test]
    fn tables_are_complete() {
        let curves = CurveNumbers::published();
        let roughness = Roughness::published();
        for code in 1..=17 {
            let row: Vec<u8> = (0..4)
                .filter_map(|g| curves.curve_number(code, g))
                .collect();
            assert!(
                row.len() == 4 && row.windows(2).all(|w| w[0] <= w[1]),
                "{code}"
            );
            assert!(roughness.of(code).is_some());
        }
        assert_eq!(curves.curve_number(12, 1), Some(78));
        assert_eq!(curves.antecedent.wetness(10.0), Wetness::Dry);
        assert_eq!(curves.antecedent.wetness(80.0), Wetness::Wet);
        let broken = "source = 1";
        assert!(
            CurveNumbers::parse(broken, Path::new("x.toml"))
                .unwrap_err()
                .to_string()
                .contains("x.toml, line 1")
        );
    }

    type Slope = (Raster<u8>, Raster<f32>, Raster<u8>, Raster<u8>, Raster<u8>);

    fn slope(rows: usize, cols: usize) -> Slope {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (100.0, 100.0),
            (rows, cols),
        )
        .unwrap();
        // All water runs east at 1 in 100; the last column is the solver; the last row runs off the southern edge.
        let direction = Raster::new(
            grid,
            Array2::from_shape_fn((rows, cols), |(r, _)| if r + 1 == rows { 2 } else { 0 }),
        );
        let dem = Raster::new(
            grid,
            Array2::from_shape_fn((rows, cols), |(_, c)| 50.0 - c as f32),
        );
        let cn = Raster::new(
            grid,
            Array2::from_shape_fn(
                (rows, cols),
                |(r, c)| if (r + c) % 2 == 0 { 75 } else { 60 },
            ),
        );
        let kind = Raster::new(
            grid,
            Array2::from_shape_fn((rows, cols), |(r, c)| {
                u8::from(c + 1 == cols && r + 1 < rows)
            }),
        );
        (direction, dem, Raster::filled(grid, 10), cn, kind)
    }

    #[test]
    fn every_drop_is_delivered_or_told() {
        let (direction, dem, cover, cn, kind) = slope(6, 30);
        let terrain = HillslopeTerrain {
            flow_direction: &direction,
            dem_m: &dem,
            cover: &cover,
            curve_number: &cn,
            kind: &kind,
        };
        let h = Hillslopes::new(&terrain, &Roughness::published(), 1.0 / 6.0).unwrap();
        // Grass, 2.122 sqrt(0.01) = 0.2122 m/s: 29 cells of 100 m take 3.796 h.
        assert!((h.longest_h() - 2900.0 / 0.2122 / 3600.0).abs() < 1e-3);
        let rain = Hyetograph::uniform(120.0, 3.0, 1.0 / 6.0);
        for end_h in [2.0, 4.0, 12.0] {
            let d = h.deliver(&rain, Wetness::Normal, end_h).unwrap();
            let sum = d.delivered_m3 + d.tail_m3 + d.unrouted_m3;
            assert!((sum / d.effective_m3 - 1.0).abs() < 1e-12);
            let booked: f64 = d
                .inflow
                .rates_m_s
                .iter()
                .map(|&r| f64::from(r))
                .sum::<f64>()
                * 600.0
                * 1e4;
            assert!((booked / d.delivered_m3 - 1.0).abs() < 1e-6);
        }
        let d = h.deliver(&rain, Wetness::Normal, 12.0).unwrap();
        assert!(d.tail_m3 < 1e-9 * d.effective_m3);
        // 5 rows of 15 cells of each curve number are routed, 1 row is not.
        let both = effective_rain_mm(120.0, 75.0) + effective_rain_mm(120.0, 60.0);
        assert!((d.delivered_m3 / (75.0 * 10.0 * both) - 1.0).abs() < 1e-9);
        assert!((d.unrouted_m3 / (15.0 * 10.0 * both) - 1.0).abs() < 1e-9);
        assert!(
            h.deliver(&Hyetograph::uniform(1.0, 1.0, 0.5), Wetness::Normal, 1.0)
                .is_err()
        );
    }
}
