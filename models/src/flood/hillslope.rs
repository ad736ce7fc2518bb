//! Routing of effective rain down hillslopes (坡面汇流) to the cells of the 2-D solver.
//!
//! * Each hillslope cell sends its effective rain along the steepest descent to the first cell of the solver. The travel
//!   time is the path's length over the speed of shallow concentrated flow, v = k sqrt(slope) (NEH 630 ch. 15).
//! * Per receiving cell the travel times are gathered into a time-area histogram by curve number; the inflow of a storm
//!   is its convolution with the effective rain. Every millimetre is delivered, or told as a tail beyond the end, or
//!   told as draining out of the domain.

use crate::flood::rain::Hyetograph;
use crate::flood::runoff::{Roughness, Wetness, curve_number_for, effective_hyetograph_mm};
use crate::flood::solver::{ACTIVE, Inflow};
use anlan_engine::{Error, Fault, Raster, Result};

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
                if kind[at] == ACTIVE {
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
    use crate::flood::runoff::effective_rain_mm;
    use anlan_engine::{Crs, Grid};
    use ndarray::Array2;

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
