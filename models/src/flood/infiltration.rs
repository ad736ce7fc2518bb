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

use crate::flood::runoff::{Wetness, curve_number_for, parse_toml};
use crate::weather::Status;
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use serde::Deserialize;
use std::ops::Range;
use std::path::Path;

const MM_H: f64 = 1e-3 / 3600.0;

/// Rain of an interval.
#[derive(Debug, Clone, Copy)]
pub enum Rain<'a> {
    /// The same depth on all cells, m.
    Uniform(f64),
    /// Depth of every cell of the run, m.
    Cells(&'a [f32]),
}

/// What an interval brought and took, summed over the cells of a run; times the area of a cell these are volumes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wetting {
    /// Rain, m.
    pub rain_m: f64,
    /// Infiltrated, m.
    pub lost_m: f64,
}

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

/// A run of cells of an [`Infiltration`], for work in parallel.
#[derive(Debug)]
pub struct Soil<'a> {
    cells: usize,
    law: LawOf<'a>,
}

#[derive(Debug)]
enum LawOf<'a> {
    None,
    Constant {
        rate_m_s: &'a [f32],
    },
    CurveNumber {
        retention_m: &'a [f32],
        ia_ratio: f64,
        fallen_m: &'a mut [f64],
    },
    GreenAmpt {
        conductivity_m_s: &'a [f32],
        suction_m: &'a [f32],
        deficit: &'a [f32],
        ponded_head: bool,
        taken_m: &'a mut [f64],
    },
    Horton {
        initial_m_s: &'a [f32],
        final_m_s: &'a [f32],
        decay_per_s: &'a [f32],
        recovery: f64,
        dryness: &'a mut [f64],
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

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// True where nothing ever infiltrates, so that rain alone need be added.
    pub fn is_none(&self) -> bool {
        matches!(self.law, Law::None)
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

impl<'a> Soil<'a> {
    /// Cuts the run after its first `cells` cells, or at its end.
    #[must_use]
    pub fn split_at(self, cells: usize) -> (Soil<'a>, Soil<'a>) {
        let at = cells.min(self.cells);
        let (a, b) = match self.law {
            LawOf::None => (LawOf::None, LawOf::None),
            LawOf::Constant { rate_m_s } => {
                let (a, b) = rate_m_s.split_at(at);
                (
                    LawOf::Constant { rate_m_s: a },
                    LawOf::Constant { rate_m_s: b },
                )
            }
            LawOf::CurveNumber {
                retention_m,
                ia_ratio,
                fallen_m,
            } => {
                let (sa, sb) = retention_m.split_at(at);
                let (pa, pb) = fallen_m.split_at_mut(at);
                let law = |retention_m, fallen_m| LawOf::CurveNumber {
                    retention_m,
                    ia_ratio,
                    fallen_m,
                };
                (law(sa, pa), law(sb, pb))
            }
            LawOf::GreenAmpt {
                conductivity_m_s,
                suction_m,
                deficit,
                ponded_head,
                taken_m,
            } => {
                let (ka, kb) = conductivity_m_s.split_at(at);
                let (sa, sb) = suction_m.split_at(at);
                let (da, db) = deficit.split_at(at);
                let (ta, tb) = taken_m.split_at_mut(at);
                let law = |conductivity_m_s, suction_m, deficit, taken_m| LawOf::GreenAmpt {
                    conductivity_m_s,
                    suction_m,
                    deficit,
                    ponded_head,
                    taken_m,
                };
                (law(ka, sa, da, ta), law(kb, sb, db, tb))
            }
            LawOf::Horton {
                initial_m_s,
                final_m_s,
                decay_per_s,
                recovery,
                dryness,
            } => {
                let (ia, ib) = initial_m_s.split_at(at);
                let (fa, fb) = final_m_s.split_at(at);
                let (ka, kb) = decay_per_s.split_at(at);
                let (xa, xb) = dryness.split_at_mut(at);
                let law = |initial_m_s, final_m_s, decay_per_s, dryness| LawOf::Horton {
                    initial_m_s,
                    final_m_s,
                    decay_per_s,
                    recovery,
                    dryness,
                };
                (law(ia, fa, ka, xa), law(ib, fb, kb, xb))
            }
        };
        (
            Soil { cells: at, law: a },
            Soil {
                cells: self.cells - at,
                law: b,
            },
        )
    }

    /// Number of cells of the run.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Adds the rain of an interval of `dt_s` and takes out what infiltrates, never more than is there.
    ///
    /// The water of a cell is the unevaluated sum `depth_m + rest_m`; it is read and written as such, so that the least
    /// rain on deep water is kept. A cell whose sum is negative is left alone until rain fills it.
    ///
    /// # Panics
    /// Slices of another length than the run.
    pub fn apply(
        &mut self,
        rain: Rain<'_>,
        depth_m: &mut [f32],
        rest_m: &mut [f32],
        dt_s: f64,
    ) -> Wetting {
        match rain {
            Rain::Uniform(m) => self.wet(|_| m, depth_m, rest_m, dt_s),
            Rain::Cells(m) => {
                assert_eq!(m.len(), self.cells, "rain");
                self.wet(|i| f64::from(m[i]), depth_m, rest_m, dt_s)
            }
        }
    }

    fn wet(
        &mut self,
        rain: impl Fn(usize) -> f64,
        depth_m: &mut [f32],
        rest_m: &mut [f32],
        dt: f64,
    ) -> Wetting {
        assert_eq!(depth_m.len(), self.cells, "depth");
        assert_eq!(rest_m.len(), self.cells, "rest");
        match &mut self.law {
            LawOf::None => exchange(rain, depth_m, rest_m, |_, _, _| 0.0),
            LawOf::Constant { rate_m_s } => exchange(rain, depth_m, rest_m, |i, there, _| {
                there.min(f64::from(rate_m_s[i]) * dt)
            }),
            LawOf::CurveNumber {
                retention_m,
                ia_ratio,
                fallen_m,
            } => exchange(rain, depth_m, rest_m, |i, there, rain| {
                let s = f64::from(retention_m[i]);
                let before = fallen_m[i];
                fallen_m[i] = before + rain;
                let lost = kept(before + rain, s, *ia_ratio) - kept(before, s, *ia_ratio);
                lost.clamp(0.0, there)
            }),
            LawOf::GreenAmpt {
                conductivity_m_s,
                suction_m,
                deficit,
                ponded_head,
                taken_m,
            } => exchange(rain, depth_m, rest_m, |i, there, _| {
                let head = if *ponded_head { there } else { 0.0 };
                let s = (f64::from(suction_m[i]) + head) * f64::from(deficit[i]);
                let k_dt = f64::from(conductivity_m_s[i]) * dt;
                let x = ponded(k_dt, s, taken_m[i], there);
                taken_m[i] += x;
                x
            }),
            LawOf::Horton {
                initial_m_s,
                final_m_s,
                decay_per_s,
                recovery,
                dryness,
            } => exchange(rain, depth_m, rest_m, |i, there, _| {
                let k = f64::from(decay_per_s[i]);
                let x = dryness[i];
                if there <= 0.0 {
                    dryness[i] = 1.0 - (1.0 - x) * libm::exp(-*recovery * k * dt);
                    return 0.0;
                }
                let fc = f64::from(final_m_s[i]);
                let a = (f64::from(initial_m_s[i]) - fc) * x / k;
                let decayed = libm::expm1(-k * dt);
                let full = fc * dt - a * decayed;
                if there >= full {
                    dryness[i] = x * (1.0 + decayed);
                    return full;
                }
                dryness[i] = x * libm::exp(-k * time_to_take(there, fc, a, k, dt));
                there
            }),
        }
    }
}

/// Adds the rain of each cell and takes out what `take(cell, water there, rain)` says.
#[inline(always)]
pub(super) fn exchange(
    rain: impl Fn(usize) -> f64,
    depth_m: &mut [f32],
    rest_m: &mut [f32],
    mut take: impl FnMut(usize, f64, f64) -> f64,
) -> Wetting {
    let mut sum = Wetting::default();
    for (i, (h, rest)) in depth_m.iter_mut().zip(rest_m).enumerate() {
        let rain = rain(i);
        let water = f64::from(*h) + f64::from(*rest) + rain;
        let lost = take(i, water.max(0.0), rain);
        let water = water - lost;
        *h = water as f32;
        *rest = (water - f64::from(*h)) as f32;
        sum.rain_m += rain;
        sum.lost_m += lost;
    }
    sum
}

/// Loss, m, of a cumulative rain with retention `s`, m: the rain less its effective part.
fn kept(fallen: f64, s: f64, ia_ratio: f64) -> f64 {
    let over = fallen - ia_ratio * s;
    if over > 0.0 {
        ia_ratio * s + s * over / (over + s)
    } else {
        fallen
    }
}

/// What Green-Ampt takes of `there` with `k_dt` = K dt, `s` = suction times deficit, `f` taken before; all m.
fn ponded(k_dt: f64, s: f64, f: f64, there: f64) -> f64 {
    // The rate is never below K.
    if there <= k_dt {
        return there;
    }
    if s <= 0.0 || k_dt <= 0.0 {
        return k_dt.min(there);
    }
    // The implicit Euler step lies below the root; the function is convex, so that the first Newton step goes beyond it
    // and the others come back.
    let b = f - k_dt;
    let c = k_dt * (f + s);
    let root = (b * b + 4.0 * c).sqrt();
    let mut x = if b > 0.0 {
        2.0 * c / (b + root)
    } else {
        0.5 * (root - b)
    };
    if x >= there {
        return there;
    }
    for _ in 0..12 {
        let beyond = x - s * libm::log1p(x / (f + s)) - k_dt;
        let step = beyond * (f + s + x) / (f + x);
        x -= step;
        // The error that a step leaves is at most half its square, in units of f + x.
        if step.abs() <= 1e-7 * (f + x) {
            break;
        }
    }
    x.clamp(0.0, there)
}

/// Time, s, in which Horton's soil takes `water` at capacity: fc t + a (1 - exp(-k t)) = water, within 0..=dt.
fn time_to_take(water: f64, fc: f64, a: f64, k: f64, dt: f64) -> f64 {
    // The function is concave: Newton from the left stays on the left.
    let mut t = water / (fc + a * k);
    for _ in 0..20 {
        let decayed = libm::exp(-k * t);
        let step = (water - fc * t - a * (1.0 - decayed)) / (fc + a * k * decayed);
        t += step;
        if step.abs() <= 1e-13 * dt {
            break;
        }
    }
    t.clamp(0.0, dt)
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

/// Green-Ampt parameters of a texture class.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texture {
    /// Code of the texture raster (HWSD).
    pub code: u8,
    /// Name.
    pub name: String,
    /// Total porosity.
    pub porosity: f32,
    /// Porosity less residual moisture.
    pub effective_porosity: f32,
    /// Suction head at the wetting front, mm.
    pub suction_mm: f32,
    /// Hydraulic conductivity for Green-Ampt, mm/h.
    pub conductivity_mm_h: f32,
}

/// Green-Ampt parameters by texture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextureTable {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was read.
    pub status: Status,
    /// One row per texture.
    pub texture: Vec<Texture>,
}

/// Horton parameters of a soil group.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HortonGroup {
    /// A, B, C or D.
    pub name: String,
    /// Capacity of dry soil, mm/h.
    pub initial_mm_h: f32,
    /// Capacity after long rain, mm/h.
    pub final_mm_h: f32,
    /// Decay, 1/h.
    pub decay_per_h: f32,
}

/// Horton parameters by soil group.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HortonTable {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was read.
    pub status: Status,
    /// Pace of drying as a share of the decay.
    pub recovery: f64,
    /// Groups A, B, C, D.
    pub group: Vec<HortonGroup>,
}

/// Steady loss of a land cover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverLoss {
    /// Code of the land cover raster (IGBP).
    pub code: u8,
    /// Rate, mm/h.
    pub rate_mm_h: f32,
}

/// Steady losses by land cover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossTable {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was read.
    pub status: Status,
    /// One row per cover.
    pub cover: Vec<CoverLoss>,
}

/// The tables of `standards/infiltration.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfiltrationTables {
    /// Green-Ampt.
    pub green_ampt: TextureTable,
    /// Horton.
    pub horton: HortonTable,
    /// Constant losses.
    pub constant: LossTable,
}

impl InfiltrationTables {
    /// The tables that come with the program.
    ///
    /// # Panics
    /// Never: the compiled-in file is read by a test.
    pub fn published() -> InfiltrationTables {
        InfiltrationTables::parse(
            include_str!("../../standards/infiltration.toml"),
            Path::new("standards/infiltration.toml"),
        )
        .expect("the compiled-in table is read by a test")
    }

    /// Reads a user's file of the same form.
    ///
    /// # Errors
    /// Not TOML, fields missing or unknown, numbers out of range, a code twice, soil groups other than A, B, C, D.
    pub fn parse(text: &str, file: &Path) -> Result<InfiltrationTables> {
        let tables: InfiltrationTables = parse_toml(text, file)?;
        let mut faults = Vec::new();
        let mut fault = |place: String, found: String, expected: &str| {
            faults.push(Fault::new(file, found, expected, "correct the row").at(place));
        };
        let positive = |v: f32| v > 0.0 && v.is_finite();
        let textures = &tables.green_ampt.texture;
        for (k, t) in textures.iter().enumerate() {
            let shares = positive(t.effective_porosity)
                && t.effective_porosity <= t.porosity
                && t.porosity < 1.0;
            if !(shares && positive(t.suction_mm) && positive(t.conductivity_mm_h)) {
                fault(
                    format!("green_ampt.texture {}", t.code),
                    format!("{t:?}"),
                    "effective porosity above 0 and at most the porosity, which is below 1; suction and conductivity above 0",
                );
            }
            if textures[..k].iter().any(|u| u.code == t.code) {
                fault(
                    format!("green_ampt.texture {}", t.code),
                    "the code twice".into(),
                    "one row per code",
                );
            }
        }
        let names: Vec<&str> = tables
            .horton
            .group
            .iter()
            .map(|g| g.name.as_str())
            .collect();
        if names != ["A", "B", "C", "D"] || !(0.0..=1.0).contains(&tables.horton.recovery) {
            fault(
                "horton".into(),
                format!("groups {names:?}, recovery {}", tables.horton.recovery),
                "groups A, B, C, D in this order and a recovery from 0 to 1",
            );
        }
        for g in &tables.horton.group {
            if !(positive(g.initial_mm_h)
                && g.final_mm_h >= 0.0
                && g.final_mm_h <= g.initial_mm_h
                && positive(g.decay_per_h))
            {
                fault(
                    format!("horton.group {}", g.name),
                    format!("{g:?}"),
                    "a final capacity from 0 to the initial one, which is above 0; a decay above 0",
                );
            }
        }
        let covers = &tables.constant.cover;
        for (k, c) in covers.iter().enumerate() {
            if !(c.rate_mm_h >= 0.0 && c.rate_mm_h.is_finite())
                || covers[..k].iter().any(|d| d.code == c.code)
            {
                fault(
                    format!("constant.cover {}", c.code),
                    format!("{} mm/h", c.rate_mm_h),
                    "a rate of at least 0, and one row per code",
                );
            }
        }
        if faults.is_empty() {
            Ok(tables)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Green-Ampt from textures. `saturation`: effective saturation before the storm, 0..=1; the deficit is the effective
    /// porosity times what is missing. Cells of the raster's no-data value take nothing.
    ///
    /// # Errors
    /// A texture without a row, a saturation out of range.
    pub fn green_ampt(
        &self,
        texture: &Raster<u8>,
        saturation: f32,
        ponded_head: bool,
    ) -> Result<Infiltration> {
        if !(0.0..=1.0).contains(&saturation) {
            return Err(Error::input(Fault::new(
                "effective saturation",
                saturation.to_string(),
                "0 to 1",
                "correct the value",
            )));
        }
        let row = |code: u8| self.green_ampt.texture.iter().find(|t| t.code == code);
        known("soil texture", texture, |code| row(code).is_some())?;
        let of = |value: fn(&Texture) -> f32| {
            texture.map(|code| match row(code) {
                Some(t) if Some(code) != texture.nodata => value(t),
                _ => 0.0,
            })
        };
        let mut deficit = of(|t| t.effective_porosity);
        for d in deficit.values_mut() {
            *d *= 1.0 - saturation;
        }
        Infiltration::green_ampt(
            &of(|t| t.conductivity_mm_h),
            &of(|t| t.suction_mm),
            &deficit,
            ponded_head,
        )
    }

    /// Horton from soil groups (0 A .. 3 D). Cells of the raster's no-data value take nothing.
    ///
    /// # Errors
    /// A group above 3.
    pub fn horton(&self, soil_group: &Raster<u8>) -> Result<Infiltration> {
        known("soil group", soil_group, |code| code < 4)?;
        let of = |value: fn(&HortonGroup) -> f32, missing: f32| {
            soil_group.map(|code| match self.horton.group.get(usize::from(code)) {
                Some(g) if Some(code) != soil_group.nodata => value(g),
                _ => missing,
            })
        };
        Infiltration::horton(
            &of(|g| g.initial_mm_h, 0.0),
            &of(|g| g.final_mm_h, 0.0),
            &of(|g| g.decay_per_h, 1.0),
            self.horton.recovery,
        )
    }

    /// Constant losses from land cover. Cells of the raster's no-data value take nothing.
    ///
    /// # Errors
    /// A cover without a row.
    pub fn constant(&self, cover: &Raster<u8>) -> Result<Infiltration> {
        let row = |code: u8| self.constant.cover.iter().find(|c| c.code == code);
        known("land cover", cover, |code| row(code).is_some())?;
        Infiltration::constant(&cover.map(|code| match row(code) {
            Some(c) if Some(code) != cover.nodata => c.rate_mm_h,
            _ => 0.0,
        }))
    }
}

/// Refuses codes without a row; each is named once, with its first cell.
fn known(what: &str, raster: &Raster<u8>, is_known: impl Fn(u8) -> bool) -> Result<()> {
    let mut first = [None; 256];
    for (at, &code) in raster.values().iter().enumerate() {
        if Some(code) != raster.nodata {
            first[usize::from(code)].get_or_insert(at);
        }
    }
    let faults: Vec<Fault> = (0..=255u8)
        .filter(|&code| !is_known(code))
        .filter_map(|code| {
            let at = first[usize::from(code)]?;
            Some(
                Fault::new(
                    what,
                    format!("class {code}"),
                    "a class of the infiltration table",
                    "add a row to the table, reclassify the raster, or set its no-data value",
                )
                .at(place(&raster.grid, at)),
            )
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flood::runoff::effective_rain_mm;
    use anlan_engine::Crs;
    use proptest::prelude::*;

    fn grid(cells: usize) -> Grid {
        let crs = Crs::from_epsg(4549).unwrap();
        Grid::new(crs, (0.0, 0.0), (10.0, 10.0), (1, cells)).unwrap()
    }

    fn all(cells: usize, value: f32) -> Raster<f32> {
        Raster::filled(grid(cells), value)
    }

    /// Silt loam of Chow et al. at an effective saturation of 30 %: deficit 0.34, suction 167 mm, K 6.5 mm/h.
    fn silt_loam(cells: usize) -> Infiltration {
        Infiltration::green_ampt(
            &all(cells, 6.5),
            &all(cells, 167.0),
            &all(cells, 0.34),
            false,
        )
        .unwrap()
    }

    /// Total infiltration, m, after `hours` of rain (mm/h) or, without rain, under deep water.
    fn run(soil: &mut Infiltration, rain_mm_h: f64, hours: f64, steps: usize) -> f64 {
        let (mut h, mut rest) = ([0.0f32], [0.0f32]);
        if rain_mm_h == 0.0 {
            h[0] = 10.0;
        }
        let dt = hours * 3600.0 / steps as f64;
        (0..steps)
            .map(|_| {
                let rain = Rain::Uniform(rain_mm_h * MM_H * dt);
                soil.apply(0..1, rain, &mut h, &mut rest, dt).lost_m
            })
            .sum()
    }

    #[test]
    fn green_ampt_of_the_worked_examples() {
        // Chow, Maidment, Mays (1988), example 5.4.1: ponded silt loam, F 3.17 cm after 1 h, f 1.81 cm/h.
        for steps in [1, 7, 360] {
            let f = run(&mut silt_loam(1), 0.0, 1.0, steps);
            assert!((f - 0.031_7).abs() < 5e-5, "{steps}: {f}");
            // The ponded equation itself, whatever the step.
            let s = 0.167 * 0.34f32 as f64;
            let off = f - s * libm::log1p(f / s) - 6.5e-3;
            assert!(off.abs() < 1e-8, "{steps}: {off:e}");
        }
        let before = run(&mut silt_loam(1), 0.0, 1.0, 1);
        let rate = (run(&mut silt_loam(1), 0.0, 1.01, 1) - before) / 0.01;
        assert!((rate - 0.018_1).abs() < 1e-4, "{rate}");
        // Example 5.4.2: rain of 5 cm/h ponds after 0.17 h and 0.85 cm; at 1 cm/h after 10.5 h and 10.5 cm.
        for (rain_mm_h, time_h) in [(50.0, 0.17), (10.0, 10.5)] {
            let mut soil = silt_loam(1);
            let (mut h, mut rest) = ([0.0f32], [0.0f32]);
            let mut seconds = 0.0;
            while h[0] <= 0.0 {
                let rain = Rain::Uniform(rain_mm_h * MM_H);
                soil.apply(0..1, rain, &mut h, &mut rest, 1.0);
                seconds += 1.0;
            }
            assert!(
                (seconds / 3600.0 / time_h - 1.0f64).abs() < 0.01,
                "{seconds}"
            );
        }
        // Example 5.4.3: after 1 h of 5 cm/h F is 3.02 cm.
        let f = run(&mut silt_loam(1), 50.0, 1.0, 3600);
        assert!((f - 0.030_2).abs() < 1e-4, "{f}");
    }

    #[test]
    fn green_ampt_converges_with_the_step() {
        let fine = run(&mut silt_loam(1), 50.0, 1.0, 36_000);
        let errors: Vec<f64> = [15, 60, 240, 960]
            .map(|steps| (run(&mut silt_loam(1), 50.0, 1.0, steps) - fine).abs())
            .to_vec();
        assert!(errors[0] < 5e-4 && errors[3] < 1e-5, "{errors:?}");
        assert!(errors[3] < errors[0] / 16.0, "{errors:?}");
    }

    #[test]
    fn ponded_head_deepens_infiltration() {
        let with = |ponded| {
            let mut soil =
                Infiltration::green_ampt(&all(1, 6.5), &all(1, 167.0), &all(1, 0.34), ponded);
            run(soil.as_mut().unwrap(), 0.0, 1.0, 3600)
        };
        // 10 m of water: S is about 3.46 m, F about sqrt(2 K S t).
        let expected = libm::sqrt(2.0 * 0.0065 * (10.167 * 0.34));
        assert!((with(true) / expected - 1.0).abs() < 0.03, "{}", with(true));
        assert!(with(false) < 0.04);
    }

    #[test]
    fn horton_follows_its_integral() {
        let horton =
            || Infiltration::horton(&all(1, 75.0), &all(1, 12.0), &all(1, 4.0), 0.1).unwrap();
        let exact = |h: f64| (12.0 * h + (75.0 - 12.0) / 4.0 * (1.0 - libm::exp(-4.0 * h))) * 1e-3;
        for (hours, steps) in [(0.5, 1), (2.0, 1), (2.0, 777)] {
            let f = run(&mut horton(), 0.0, hours, steps);
            assert!((f / exact(hours) - 1.0).abs() < 1e-6, "{f}");
        }
        // Rain below the capacity infiltrates wholly and ages the soil by what it took: afterwards the ponded soil is
        // as far as one that has taken as much.
        let mut soil = horton();
        let taken = run(&mut soil, 10.0, 1.0, 60);
        assert!((taken - 0.01).abs() < 1e-9);
        let later = run(&mut soil, 0.0, 1.0, 1);
        let mut t = 0.0;
        while exact(t) < taken {
            t += 1e-5;
        }
        assert!((later - (exact(t + 1.0) - exact(t))).abs() < 1e-6);
        // Dry for long: as new.
        let mut soil = horton();
        run(&mut soil, 0.0, 3.0, 1);
        let (mut h, mut rest) = ([0.0f32], [0.0f32]);
        for hours in [1.0, 5.0, 30.0] {
            soil.apply(0..1, Rain::Uniform(0.0), &mut h, &mut rest, hours * 3600.0);
        }
        assert!((run(&mut soil, 0.0, 0.5, 1) / exact(0.5) - 1.0).abs() < 1e-6);
        assert!(soil.acts_on_dry_cells() && !silt_loam(1).acts_on_dry_cells());
    }

    #[test]
    fn curve_numbers_follow_the_closed_form() {
        let cn = Raster::filled(grid(1), 75u8);
        for steps in [1, 13, 1000] {
            let mut soil = Infiltration::curve_number(&cn, Wetness::Normal, 0.2).unwrap();
            let lost = run(&mut soil, 25.0, 4.0, steps);
            let expected = 0.1 - 1e-3 * effective_rain_mm(100.0, 75.0);
            assert!((lost - expected).abs() < 1e-8, "{lost} {expected}");
        }
        // Nothing is lost where the cover is not known, nothing of water that is no rain.
        let mut soil =
            Infiltration::curve_number(&Raster::filled(grid(1), 0u8), Wetness::Wet, 0.2).unwrap();
        assert_eq!(run(&mut soil, 25.0, 4.0, 9), 0.0);
        let mut soil = Infiltration::curve_number(&cn, Wetness::Dry, 0.2).unwrap();
        assert_eq!(run(&mut soil, 0.0, 4.0, 9), 0.0);
    }

    #[test]
    fn constant_losses_take_what_is_there() {
        let mut soil = Infiltration::constant(&all(1, 36.0)).unwrap();
        let (mut h, mut rest) = ([0.01f32], [0.0f32]);
        let first = soil.apply(0..1, Rain::Uniform(0.0), &mut h, &mut rest, 600.0);
        assert!((first.lost_m - 0.006).abs() < 1e-9);
        let second = soil.apply(0..1, Rain::Uniform(0.0), &mut h, &mut rest, 600.0);
        assert!((second.lost_m - 0.004).abs() < 1e-9);
        assert_eq!((h[0], rest[0]), (0.0, 0.0));
    }

    #[test]
    fn tables_are_complete_and_faults_are_named() {
        let tables = InfiltrationTables::published();
        assert_eq!(tables.green_ampt.texture.len(), 13);
        assert!((0..=17).all(|code| tables.constant.cover.iter().any(|c| c.code == code)));
        let texture = Raster::filled(grid(3), 7u8);
        // Silt loam at 30 % saturation is the worked example's soil (suction 166.8 mm, deficit 0.3402).
        let mut soil = tables.green_ampt(&texture, 0.3, false).unwrap();
        let mut run_one = soil.soil(1..2);
        let (mut h, mut rest) = ([1.0f32], [0.0f32]);
        let lost = run_one
            .apply(Rain::Uniform(0.0), &mut h, &mut rest, 3600.0)
            .lost_m;
        assert!((lost - 0.031_7).abs() < 5e-5, "{lost}");
        let mut strange = texture.clone();
        strange.values_mut()[2] = 99;
        let told = tables
            .green_ampt(&strange, 0.3, false)
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("row 0, column 2") && told.contains("class 99"),
            "{told}"
        );
        assert!(
            tables
                .green_ampt(&strange.with_nodata(99), 0.3, false)
                .is_ok()
        );
        let mut rate = all(3, 1.0);
        rate.values_mut()[1] = f32::NAN;
        let told = Infiltration::constant(&rate).unwrap_err().to_string();
        assert!(told.contains("row 0, column 1"), "{told}");
        assert!(Infiltration::horton(&all(1, 1.0), &all(1, 2.0), &all(1, 1.0), 0.1).is_err());
        let text = include_str!("../../standards/infiltration.toml");
        let broken = text.replacen("suction_mm = 316.3", "suction_mm = -1.0", 1);
        let told = InfiltrationTables::parse(&broken, Path::new("mine.toml"))
            .unwrap_err()
            .to_string();
        assert!(told.contains("mine.toml, green_ampt.texture 1"), "{told}");
    }

    fn laws(cells: usize) -> Vec<Infiltration> {
        let cn = Raster::filled(grid(cells), 80u8);
        vec![
            Infiltration::none(cells),
            Infiltration::constant(&all(cells, 5.0)).unwrap(),
            Infiltration::curve_number(&cn, Wetness::Normal, 0.2).unwrap(),
            silt_loam(cells),
            Infiltration::green_ampt(&all(cells, 3.0), &all(cells, 90.0), &all(cells, 0.2), true)
                .unwrap(),
            Infiltration::horton(&all(cells, 60.0), &all(cells, 5.0), &all(cells, 3.0), 0.1)
                .unwrap(),
        ]
    }

    proptest! {
        #[test]
        fn rain_is_water_or_loss(
            rain in prop::collection::vec(prop::collection::vec(0.0f32..2e-3, 7), 1..40),
            start in prop::collection::vec(0.0f32..3.0, 7), dt in 0.5f64..120.0, dry in any::<bool>(),
        ) {
            for mut soil in laws(7) {
                let mut whole = soil.clone();
                let mut h: Vec<f32> = start.iter().map(|&d| if dry { 0.0 } else { d }).collect();
                let mut rest = vec![0.0f32; 7];
                let (mut h2, mut rest2) = (h.clone(), rest.clone());
                let water = |h: &[f32], rest: &[f32]| -> f64 {
                    h.iter().zip(rest).map(|(&a, &b)| f64::from(a) + f64::from(b)).sum()
                };
                let before = water(&h, &rest);
                let mut sum = Wetting::default();
                for (k, rain) in rain.iter().enumerate() {
                    // Every third interval is dry.
                    let zero = vec![0.0; 7];
                    let rain = if k % 3 == 2 { &zero } else { rain };
                    let mut at = 0;
                    for mut run in soil.soils(3) {
                        let to = at + run.cells();
                        let w = run.apply(Rain::Cells(&rain[at..to]), &mut h[at..to], &mut rest[at..to], dt);
                        prop_assert!(w.lost_m >= 0.0);
                        sum.rain_m += w.rain_m;
                        sum.lost_m += w.lost_m;
                        at = to;
                    }
                    whole.apply(0..7, Rain::Cells(rain), &mut h2, &mut rest2, dt);
                    prop_assert!(h.iter().zip(&rest).all(|(&a, &b)| f64::from(a) + f64::from(b) >= 0.0));
                }
                let off = before + sum.rain_m - sum.lost_m - water(&h, &rest);
                prop_assert!(off.abs() < 1e-12, "{:e}", off);
                // The cut does not show.
                prop_assert_eq!(&h, &h2);
                prop_assert_eq!(&rest, &rest2);
                prop_assert_eq!(&soil, &whole);
            }
        }

        /// Newton finds the root of the ponded equation from any start.
        #[test]
        fn ponded_solution(k_dt in 1e-9f64..0.5, s in 1e-6f64..5.0, f in 0.0f64..2.0) {
            let x = ponded(k_dt, s, f, 1e3);
            let off = x - s * libm::log1p(x / (f + s)) - k_dt;
            prop_assert!(off.abs() <= 1e-12 * (1.0 + x), "{:e}", off);
        }
    }
}
