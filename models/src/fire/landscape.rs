//! What a fire spreads over: fuel and slope of every cell, and the behaviour of every fuel under the weather of an hour.

use crate::fire::behaviour::{
    BehaviourOptions, FuelBed, HeadFire, Moisture, wind_adjustment_open, wind_adjustment_sheltered,
};
use crate::fire::fuels::FuelTable;
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// 10-minute wind at 10 m over the wind at 20 ft above the vegetation (Andrews 2012; Lawson and Armitage 2008).
const WIND_10M_OVER_20FT: f64 = 1.15;

/// Fuel and slope of every cell.
#[derive(Debug, Clone)]
pub struct Landscape {
    grid: Grid,
    pub(super) cell_m: f64,
    pub(super) fuel: Vec<u8>,
    /// Vector uphill (east, north), its length the tangent of the slope.
    pub(super) uphill: Vec<[f32; 2]>,
}

impl Landscape {
    /// From rasters on one projected grid: fuel model numbers, slope in degrees, aspect (the direction in which the slope
    /// falls) in degrees clockwise from north; missing slope or aspect counts as flat.
    ///
    /// # Errors
    /// Rasters on different cells; a geographic grid; cells that are not square.
    pub fn new(
        fuel: &Raster<u8>,
        slope_deg: &Raster<f32>,
        aspect_deg: &Raster<f32>,
    ) -> Result<Landscape> {
        let grid = fuel.grid;
        let mut faults = Vec::new();
        for (name, other) in [("slope", &slope_deg.grid), ("aspect", &aspect_deg.grid)] {
            if !grid.same_cells(other) {
                faults.push(
                    Fault::new(
                        "fire inputs",
                        format!("{} x {} cells", other.rows, other.cols),
                        format!("the {} x {} cells of the fuel raster", grid.rows, grid.cols),
                        "resample both to the compute grid",
                    )
                    .at(name),
                );
            }
        }
        if grid.crs.is_geographic() || (grid.dx - grid.dy).abs() > 1e-6 * grid.dx {
            faults.push(
                Fault::new(
                    "fire inputs",
                    format!("cells of {} x {}", grid.dx, grid.dy),
                    "square cells in a projected system, m",
                    "choose a projected compute CRS for the project",
                )
                .at("fuel"),
            );
        }
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        let uphill = slope_deg
            .values()
            .par_iter()
            .zip(aspect_deg.values())
            .map(|(&slope, &aspect)| {
                if slope.is_nan() || slope <= 0.0 || aspect.is_nan() {
                    return [0.0; 2];
                }
                let tan = libm::tan(f64::from(slope).min(85.0).to_radians());
                let (s, c) = libm::sincos(f64::from(aspect).to_radians());
                [(-tan * s) as f32, (-tan * c) as f32]
            })
            .collect();
        Ok(Landscape {
            grid,
            cell_m: grid.dx,
            fuel: fuel.values().to_vec(),
            uphill,
        })
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }
}

/// The canopy that shelters the fuel models of forests from the wind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Canopy {
    /// Height, m, 2..=60.
    pub height_m: f64,
    /// Cover, fraction, above 0.05.
    pub cover: f64,
    /// Crown length over tree height, fraction, above 0.05.
    pub crown_ratio: f64,
}

impl Default for Canopy {
    /// A closed plantation of middle age: 12 m, 60 %, half of the tree in crown. An assumption, not a survey.
    fn default() -> Self {
        Canopy {
            height_m: 12.0,
            cover: 0.6,
            crown_ratio: 0.5,
        }
    }
}

/// Fire behaviour of every fuel under the weather of one hour.
#[derive(Debug, Clone)]
pub struct Conditions {
    beds: Vec<Option<(FuelBed, (f64, f64))>>,
    options: BehaviourOptions,
}

impl Conditions {
    /// From the fuel table, fuel moisture, and the 10-minute wind at 10 m (m/s, direction from which it blows in degrees
    /// clockwise from north).
    pub fn new(
        table: &FuelTable,
        moisture: &Moisture,
        wind_10m_m_s: f64,
        wind_from_deg: f64,
        canopy: &Canopy,
        options: &BehaviourOptions,
    ) -> Conditions {
        let (s, c) = libm::sincos(wind_from_deg.to_radians());
        let at_20ft = wind_10m_m_s.max(0.0) / WIND_10M_OVER_20FT;
        let sheltered =
            wind_adjustment_sheltered(canopy.height_m, canopy.cover, canopy.crown_ratio);
        let mut beds = vec![None; 256];
        for model in table.iter() {
            let open = wind_adjustment_open(model.depth_ft);
            let share = if model.sheltered {
                sheltered.min(open)
            } else {
                open
            };
            let wind = (-s * at_20ft * share, -c * at_20ft * share);
            beds[usize::from(model.number)] =
                FuelBed::new(model, moisture).map(|bed| (bed, bed.wind_effect(wind)));
        }
        Conditions {
            beds,
            options: *options,
        }
    }

    /// From beds and mid-flame winds given directly, per fuel number: (bed, wind vector east/north in m/s).
    pub fn from_beds(
        beds: impl IntoIterator<Item = (u8, FuelBed, (f64, f64))>,
        options: &BehaviourOptions,
    ) -> Conditions {
        let mut out = vec![None; 256];
        for (number, bed, wind) in beds {
            out[usize::from(number)] = Some((bed, bed.wind_effect(wind)));
        }
        Conditions {
            beds: out,
            options: *options,
        }
    }

    /// The head fire in a fuel on a slope (vector uphill, east and north, length the tangent); `None` where the fuel does
    /// not burn.
    pub fn head_fire(&self, fuel: u8, uphill: (f64, f64)) -> Option<HeadFire> {
        self.beds[usize::from(fuel)]
            .as_ref()
            .map(|(bed, wind)| bed.head_fire_with(*wind, uphill, &self.options))
    }

    /// True where the fuel carries fire.
    pub fn burns(&self, fuel: u8) -> bool {
        self.beds[usize::from(fuel)].is_some()
    }
}
