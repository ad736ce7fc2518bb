//! Losses of rain on the grid (降雨损失): infiltration by cell, applied to the water that stands there.
//!
//! One state per cell in flat slices. Every call covers one interval of the run: it adds the interval's rain, lets the
//! soil take what it can of what is there, and books in the soil exactly what was taken.
//!
//! | law | capacity over an interval dt | state |
//! | --- | --- | --- |
//! | constant | rate dt | none |
//! | curve number | ΔP - ΔPe of the interval's rain, Pe as in [`crate::flood::runoff`] | rain fallen |
//! | Green-Ampt | x of x - S ln(1 + x / (F + S)) = K dt, S = (ψ + h) Δθ: the ponded solution, not its rate | F, taken so far |
//! | Horton | ∫ f dt = fc dt + (f0 - fc) / k · X (1 - exp(-k dt)) | X = exp(-k · time of wetness) |
//!
//! * Green-Ampt's equation is solved by Newton's method from the closed form of its implicit Euler step: ponded water
//!   infiltrates right whatever dt is. Ponding that begins inside an interval is noticed at its end: an error of first
//!   order in dt, in that interval only.
//! * Horton's time of wetness runs at the pace at which the soil takes water: in rain below the capacity it advances by
//!   the time that the taken water would need at capacity. Where nothing is there to infiltrate, capacity recovers
//!   towards f0: 1 - X decays at `recovery` times k.
//! * Cells do not know each other: the bytes of depth and state do not depend on how cells are cut into runs. Sums do,
//!   in their last digits: cut runs at fixed places.
//!
//! # References
//! Green, Ampt (1911), J. Agric. Sci. 4:1-24, doi:10.1017/S0021859600001441. Mein, Larson (1973), Water Resour. Res.
//! 9:384-394, doi:10.1029/WR009i002p00384. Horton (1941), Soil Sci. Soc. Am. Proc. 5:399-417. Chow, Maidment, Mays
//! (1988), Applied Hydrology, sections 5.2-5.5.

mod soil;
mod tables;
#[cfg(test)]
mod tests;

pub(super) use soil::exchange;
pub use soil::{Rain, Soil, Wetting};
pub use tables::{
    CoverLoss, HortonGroup, HortonTable, InfiltrationTables, LossTable, Texture, TextureTable,
};

use crate::flood::runoff::{Wetness, curve_number_for};
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use soil::LawOf;
use std::ops::Range;

const MM_H: f64 = 1e-3 / 3600.0;

/// How soil takes water, with its state; one entry per cell.
///
/// # Examples
/// ```
/// use anlan_engine::{Crs, Grid, Raster};
/// use anlan_models::flood::infiltration::{InfiltrationTables, Rain};
///
/// let grid = Grid::new(Crs::from_epsg(4549)?, (0.0, 0.0), (10.0, 10.0), (2, 2))?;
/// let silt_loam = Raster::filled(grid, 7u8);
/// let mut soil = InfiltrationTables::published().green_ampt(&silt_loam, 0.3, false)?;
/// let (mut depth_m, mut rest_m) = ([0.0f32; 4], [0.0f32; 4]);
/// // 5 mm of rain in a minute on dry soil: a part of it stays on the ground.
/// let sum = soil.apply(0..4, Rain::Uniform(0.005), &mut depth_m, &mut rest_m, 60.0);
/// assert!((sum.rain_m - 0.02).abs() < 1e-12);
/// assert!(sum.lost_m > 0.0 && depth_m[0] > 0.0);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Infiltration {
    cells: usize,
    law: Law,
}

#[derive(Debug, Clone, PartialEq)]
enum Law {
    None,
    Constant {
        rate_m_s: Vec<f32>,
    },
    CurveNumber {
        /// S, m.
        retention_m: Vec<f32>,
        ia_ratio: f64,
        fallen_m: Vec<f64>,
    },
    GreenAmpt {
        conductivity_m_s: Vec<f32>,
        suction_m: Vec<f32>,
        deficit: Vec<f32>,
        ponded_head: bool,
        taken_m: Vec<f64>,
    },
    Horton {
        initial_m_s: Vec<f32>,
        final_m_s: Vec<f32>,
        decay_per_s: Vec<f32>,
        recovery: f64,
        dryness: Vec<f64>,
    },
}

impl Infiltration {
    /// Nothing infiltrates.
    pub fn none(cells: usize) -> Infiltration {
        Infiltration {
            cells,
            law: Law::None,
        }
    }

    /// A steady rate, mm/h, at least 0.
    ///
    /// # Errors
    /// Cells with a rate that is negative or no number, the first of them named.
    pub fn constant(rate_mm_h: &Raster<f32>) -> Result<Infiltration> {
        check("infiltration rate", "mm/h", rate_mm_h, 0.0, f32::MAX)?;
        Ok(Infiltration {
            cells: rate_mm_h.grid.cells(),
            law: Law::Constant {
                rate_m_s: scaled(rate_mm_h, MM_H),
            },
        })
    }

    /// SCS curve numbers of normal wetness, 1..=100, brought to `wetness`; 0 (cover not known): nothing is lost.
    ///
    /// `ia_ratio`: initial abstraction over retention S, 0.2 in the published method. It acts on rain alone, not on water
    /// that runs onto the cell, and knows no drying between storms.
    ///
    /// # Errors
    /// A curve number above 100, a ratio outside 0..=1.
    pub fn curve_number(
        normal: &Raster<u8>,
        wetness: Wetness,
        ia_ratio: f64,
    ) -> Result<Infiltration> {
        if let Some(at) = normal.values().iter().position(|&cn| cn > 100) {
            return Err(Error::input(
                Fault::new(
                    "curve number",
                    normal.values()[at].to_string(),
                    "1 to 100, or 0 where the cover is not known",
                    "correct the table or the raster",
                )
                .at(place(&normal.grid, at)),
            ));
        }
        if !(0.0..=1.0).contains(&ia_ratio) {
            return Err(Error::input(Fault::new(
                "initial abstraction",
                ia_ratio.to_string(),
                "a share of the retention from 0 to 1; 0.2 in the published method",
                "correct the ratio",
            )));
        }
        let retention = |cn: u8| match cn {
            0 => 0.0,
            cn => (25.4 / curve_number_for(f64::from(cn), wetness) - 0.254).max(0.0) as f32,
        };
        Ok(Infiltration {
            cells: normal.grid.cells(),
            law: Law::CurveNumber {
                retention_m: normal.values().iter().map(|&cn| retention(cn)).collect(),
                ia_ratio,
                fallen_m: vec![0.0; normal.grid.cells()],
            },
        })
    }

    /// Green-Ampt: conductivity, mm/h, at least 0; suction at the wetting front, mm, at least 0; deficit of moisture,
    /// 0..=1. With `ponded_head` the depth of the water that stands on the ground adds to the suction.
    ///
    /// # Errors
    /// Cells out of range or no number, the first of each kind named.
    ///
    /// # Panics
    /// Rasters of different shapes.
    pub fn green_ampt(
        conductivity_mm_h: &Raster<f32>,
        suction_mm: &Raster<f32>,
        deficit: &Raster<f32>,
        ponded_head: bool,
    ) -> Result<Infiltration> {
        let grid = conductivity_mm_h.grid;
        assert_eq!(suction_mm.grid.shape(), grid.shape(), "suction");
        assert_eq!(deficit.grid.shape(), grid.shape(), "deficit");
        let faults = [
            check("conductivity", "mm/h", conductivity_mm_h, 0.0, f32::MAX),
            check("suction", "mm", suction_mm, 0.0, f32::MAX),
            check("moisture deficit", "", deficit, 0.0, 1.0),
        ];
        together(faults)?;
        Ok(Infiltration {
            cells: grid.cells(),
            law: Law::GreenAmpt {
                conductivity_m_s: scaled(conductivity_mm_h, MM_H),
                suction_m: scaled(suction_mm, 1e-3),
                deficit: deficit.values().to_vec(),
                ponded_head,
                taken_m: vec![0.0; grid.cells()],
            },
        })
    }

    /// Horton: initial and final capacity, mm/h, at least 0 and not growing; decay, 1/h, above 0; `recovery`: pace of
    /// drying as a share of the decay, 0..=1.
    ///
    /// # Errors
    /// Cells out of range or no number, the first of each kind named.
    ///
    /// # Panics
    /// Rasters of different shapes.
    pub fn horton(
        initial_mm_h: &Raster<f32>,
        final_mm_h: &Raster<f32>,
        decay_per_h: &Raster<f32>,
        recovery: f64,
    ) -> Result<Infiltration> {
        let grid = initial_mm_h.grid;
        assert_eq!(final_mm_h.grid.shape(), grid.shape(), "final capacity");
        assert_eq!(decay_per_h.grid.shape(), grid.shape(), "decay");
        let falls = initial_mm_h
            .values()
            .iter()
            .zip(final_mm_h.values())
            .position(|(f0, fc)| f0 < fc)
            .map_or(Ok(()), |at| {
                Err(Error::input(
                    Fault::new(
                        "final capacity",
                        format!(
                            "{} mm/h after {} mm/h",
                            final_mm_h.values()[at],
                            initial_mm_h.values()[at]
                        ),
                        "a capacity that does not grow",
                        "exchange the two rasters or correct the cell",
                    )
                    .at(place(&grid, at)),
                ))
            });
        let pace = if (0.0..=1.0).contains(&recovery) {
            Ok(())
        } else {
            Err(Error::input(Fault::new(
                "recovery",
                recovery.to_string(),
                "a share of the decay from 0 to 1",
                "correct the share",
            )))
        };
        together([
            check("initial capacity", "mm/h", initial_mm_h, 0.0, f32::MAX),
            check("final capacity", "mm/h", final_mm_h, 0.0, f32::MAX),
            check("decay", "1/h", decay_per_h, 1e-6, 1e6),
            falls,
            pace,
        ])?;
        Ok(Infiltration {
            cells: grid.cells(),
            law: Law::Horton {
                initial_m_s: scaled(initial_mm_h, MM_H),
                final_m_s: scaled(final_mm_h, MM_H),
                decay_per_s: scaled(decay_per_h, 1.0 / 3600.0),
                recovery,
                dryness: vec![1.0; grid.cells()],
            },
        })
    }

    /// The same soil with its cells, and what they have taken so far, in another order (of tiles, of active cells only).
    /// Numbers beyond the cells (`u32::MAX` for padding) make cells that take nothing.
    #[must_use]
    pub fn in_order(&self, cells: &[u32]) -> Infiltration {
        fn pick<T: Copy>(values: &[T], cells: &[u32], padding: T) -> Vec<T> {
            let value = |&c: &u32| values.get(c as usize).copied().unwrap_or(padding);
            cells.iter().map(value).collect()
        }
        let law = match &self.law {
            Law::None => Law::None,
            Law::Constant { rate_m_s } => Law::Constant {
                rate_m_s: pick(rate_m_s, cells, 0.0),
            },
            Law::CurveNumber {
                retention_m,
                ia_ratio,
                fallen_m,
            } => Law::CurveNumber {
                retention_m: pick(retention_m, cells, 0.0),
                ia_ratio: *ia_ratio,
                fallen_m: pick(fallen_m, cells, 0.0),
            },
            Law::GreenAmpt {
                conductivity_m_s,
                suction_m,
                deficit,
                ponded_head,
                taken_m,
            } => Law::GreenAmpt {
                conductivity_m_s: pick(conductivity_m_s, cells, 0.0),
                suction_m: pick(suction_m, cells, 0.0),
                deficit: pick(deficit, cells, 0.0),
                ponded_head: *ponded_head,
                taken_m: pick(taken_m, cells, 0.0),
            },
            Law::Horton {
                initial_m_s,
                final_m_s,
                decay_per_s,
                recovery,
                dryness,
            } => Law::Horton {
                initial_m_s: pick(initial_m_s, cells, 0.0),
                final_m_s: pick(final_m_s, cells, 0.0),
                decay_per_s: pick(decay_per_s, cells, 1.0),
                recovery: *recovery,
                dryness: pick(dryness, cells, 1.0),
            },
        };
        Infiltration {
            cells: cells.len(),
            law,
        }
    }

    /// What changes in a run: rain fallen, water taken or wetness per cell; empty for laws without memory.
    pub(in crate::flood) fn state(&self) -> &[f64] {
        match &self.law {
            Law::None | Law::Constant { .. } => &[],
            Law::CurveNumber { fallen_m, .. } => fallen_m,
            Law::GreenAmpt { taken_m, .. } => taken_m,
            Law::Horton { dryness, .. } => dryness,
        }
    }

    /// Puts a state of as many cells.
    pub(in crate::flood) fn restore(&mut self, state: &[f64]) {
        match &mut self.law {
            Law::None | Law::Constant { .. } => {}
            Law::CurveNumber { fallen_m: own, .. }
            | Law::GreenAmpt { taken_m: own, .. }
            | Law::Horton { dryness: own, .. } => own.copy_from_slice(state),
        }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// True where nothing ever infiltrates, so that rain alone need be added.
    pub fn is_none(&self) -> bool {
        matches!(self.law, Law::None)
    }

    /// True where nothing is taken while no rain falls (curve numbers, which tell the share of the rain).
    pub fn takes_of_rain_only(&self) -> bool {
        matches!(self.law, Law::None | Law::CurveNumber { .. })
    }

    /// True where the soil changes while no water is on it (Horton's recovery): then dry cells must be visited as well.
    pub fn acts_on_dry_cells(&self) -> bool {
        matches!(self.law, Law::Horton { recovery, .. } if recovery > 0.0)
    }

    /// A run of cells.
    ///
    /// # Panics
    /// A range beyond the cells.
    pub fn soil(&mut self, cells: Range<usize>) -> Soil<'_> {
        self.whole().split_at(cells.end).0.split_at(cells.start).1
    }

    /// All cells in runs of `cells` each (the last may be shorter), in order.
    ///
    /// # Panics
    /// Runs of no cell.
    pub fn soils(&mut self, cells: usize) -> Vec<Soil<'_>> {
        assert!(cells > 0, "runs of no cell");
        let mut runs = Vec::with_capacity(self.cells.div_ceil(cells));
        let mut rest = self.whole();
        while rest.cells > 0 {
            let (first, more) = rest.split_at(cells);
            runs.push(first);
            rest = more;
        }
        runs
    }

    /// Adds the rain of an interval of `dt_s` to a run of cells and takes out what infiltrates; see [`Soil::apply`].
    ///
    /// # Panics
    /// A range beyond the cells, slices of another length.
    pub fn apply(
        &mut self,
        cells: Range<usize>,
        rain: Rain<'_>,
        depth_m: &mut [f32],
        rest_m: &mut [f32],
        dt_s: f64,
    ) -> Wetting {
        self.soil(cells).apply(rain, depth_m, rest_m, dt_s)
    }

    fn whole(&mut self) -> Soil<'_> {
        let law = match &mut self.law {
            Law::None => LawOf::None,
            Law::Constant { rate_m_s } => LawOf::Constant { rate_m_s },
            Law::CurveNumber {
                retention_m,
                ia_ratio,
                fallen_m,
            } => LawOf::CurveNumber {
                retention_m,
                ia_ratio: *ia_ratio,
                fallen_m,
            },
            Law::GreenAmpt {
                conductivity_m_s,
                suction_m,
                deficit,
                ponded_head,
                taken_m,
            } => LawOf::GreenAmpt {
                conductivity_m_s,
                suction_m,
                deficit,
                ponded_head: *ponded_head,
                taken_m,
            },
            Law::Horton {
                initial_m_s,
                final_m_s,
                decay_per_s,
                recovery,
                dryness,
            } => LawOf::Horton {
                initial_m_s,
                final_m_s,
                decay_per_s,
                recovery: *recovery,
                dryness,
            },
        };
        Soil {
            cells: self.cells,
            law,
        }
    }
}

fn scaled(raster: &Raster<f32>, factor: f64) -> Vec<f32> {
    raster
        .values()
        .iter()
        .map(|&v| (f64::from(v) * factor) as f32)
        .collect()
}

fn place(grid: &Grid, cell: usize) -> String {
    let (row, col) = grid.row_col(cell as u32);
    format!("row {row}, column {col}")
}

fn check(what: &str, unit: &str, raster: &Raster<f32>, least: f32, most: f32) -> Result<()> {
    let good = |v: &f32| v.is_finite() && (least..=most).contains(v);
    let Some(at) = raster.values().iter().position(|v| !good(v)) else {
        return Ok(());
    };
    let bad = raster.values().iter().filter(|v| !good(v)).count();
    let bound = if most == f32::MAX {
        format!("at least {least} {unit}")
    } else {
        format!("{least} to {most} {unit}")
    };
    Err(Error::input(
        Fault::new(
            what,
            format!("{} {unit} ({bad} such cells)", raster.values()[at]),
            bound.trim_end(),
            "fill the raster on all cells (0 where nothing infiltrates)",
        )
        .at(place(&raster.grid, at)),
    ))
}

/// All faults of several checks in one error.
fn together<const N: usize>(checks: [Result<()>; N]) -> Result<()> {
    let mut faults = Vec::new();
    for check in checks {
        match check {
            Err(Error::Input(more)) => faults.extend(more),
            other => other?,
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}
