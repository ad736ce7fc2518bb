//! Screening of flood depth by height above drainage (筛查), for provinces at 30" where the 2-D solver cannot go.
//!
//! **Screening, not simulation**: maps made from it must say so. Per channel cell the peak discharge follows from its
//! drainage area and effective rain, the stage from Manning's normal depth in a compound section of regional geometry,
//! and the depth of a cell is the stage of its drainage cell less its height above it (HAND; Nobre et al. 2011, J.
//! Hydrol. 404:13, and Rodda 2005). Peak discharge is that of the SCS triangular unit hydrograph, q = 0.208 A Pe / tp,
//! m³/s, km², mm, h, tp = D/2 + 0.6 tc (USDA SCS 1972, NEH-4 ch. 16), tc by Kirpich's length-slope form.

use crate::flood::rivers::HydraulicGeometry;
use anlan_engine::{Footprint, Raster};

/// Time of concentration, h, by Kirpich (1940): 0.0663 L^0.77 S^-0.385, L in km.
pub fn concentration_h(length_km: f64, slope: f64) -> f64 {
    0.0663 * libm::pow(length_km, 0.77) * libm::pow(slope.max(1e-4), -0.385)
}

/// Peak discharge, m³/s, of an effective rain over `duration_h` on a catchment.
pub fn peak_discharge_m3_s(
    area_km2: f64,
    effective_mm: f64,
    duration_h: f64,
    concentration_h: f64,
) -> f64 {
    0.208 * area_km2 * effective_mm / (0.5 * duration_h + 0.6 * concentration_h)
}

/// A channel with its valley floor: a rectangle of bankfull size between flat floors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Section {
    /// Bankfull width, m.
    pub width_m: f64,
    /// Bankfull depth, m.
    pub depth_m: f64,
    /// Width of the valley floor, m, the channel included.
    pub floor_m: f64,
    /// Slope along the river.
    pub slope: f64,
    /// Manning's n of the channel.
    pub channel_n: f64,
    /// Manning's n of the floor.
    pub floor_n: f64,
}

impl Section {
    /// Discharge at a stage above the banks (negative: below), m³/s.
    pub fn discharge_m3_s(&self, stage_m: f64) -> f64 {
        let root = libm::sqrt(self.slope);
        let manning = |width: f64, depth: f64, n: f64| {
            if depth > 0.0 {
                width * libm::pow(depth, 5.0 / 3.0) * root / n
            } else {
                0.0
            }
        };
        manning(self.width_m, self.depth_m + stage_m, self.channel_n)
            + manning(
                (self.floor_m - self.width_m).max(0.0),
                stage_m,
                self.floor_n,
            )
    }

    /// Stage above the banks at a discharge, m; 0 within the banks. Bisection to 0.1 mm.
    pub fn stage_m(&self, discharge_m3_s: f64) -> f64 {
        if self.discharge_m3_s(0.0) >= discharge_m3_s {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        while self.discharge_m3_s(high) < discharge_m3_s && high < 1e4 {
            (low, high) = (high, 2.0 * high);
        }
        while high - low > 1e-4 {
            let middle = 0.5 * (low + high);
            if self.discharge_m3_s(middle) < discharge_m3_s {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }

    /// The section of a drainage area; the floor's width is the user's or measured from the HAND raster.
    pub fn regional(
        area_km2: f64,
        floor_m: f64,
        slope: f64,
        geometry: &HydraulicGeometry,
        n: (f64, f64),
    ) -> Section {
        Section {
            width_m: geometry.width_m(area_km2),
            depth_m: geometry.depth_m(area_km2),
            floor_m,
            slope,
            channel_n: n.0,
            floor_n: n.1,
        }
    }
}

/// Screening depths: stage of the cell's drainage cell less its height above it, cells at least `least_m` deep.
///
/// `hand_m`: height above nearest drainage, m; `drainage`: number of the drainage cell of each cell (`u32::MAX`: none);
/// `stage_m(cell)`: stage above the banks in a drainage cell. Two measures: depth_m and velocity_m_s; screening knows no
/// velocity and gives NaN.
pub fn screening_depths(
    hand_m: &Raster<f32>,
    drainage: &Raster<u32>,
    stage_m: impl Fn(u32) -> f64,
    least_m: f32,
) -> Footprint {
    assert_eq!(
        hand_m.grid.shape(),
        drainage.grid.shape(),
        "HAND and drainage differ in shape"
    );
    let mut out = Footprint::new(2);
    for (cell, (&hand, &to)) in hand_m.values().iter().zip(drainage.values()).enumerate() {
        if to == u32::MAX || hand.is_nan() {
            continue;
        }
        let depth = stage_m(to) as f32 - hand;
        if depth >= least_m {
            out.push(cell as u32, &[depth, f32::NAN]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flood::rivers::RiverTables;
    use anlan_engine::{Crs, Grid};
    use ndarray::arr2;

    #[test]
    fn stage_inverts_discharge() {
        let s = Section {
            width_m: 20.0,
            depth_m: 1.5,
            floor_m: 300.0,
            slope: 1e-3,
            channel_n: 0.035,
            floor_n: 0.06,
        };
        // Bankfull: 20 * 1.5^(5/3) * 0.031623 / 0.035 = 35.52 m³/s.
        assert!((s.discharge_m3_s(0.0) - 35.52).abs() < 0.01);
        assert_eq!(s.stage_m(30.0), 0.0);
        for stage in [0.3, 2.0, 7.7] {
            assert!((s.stage_m(s.discharge_m3_s(stage)) - stage).abs() < 1e-4);
        }
        let geometry = RiverTables::published().geometry;
        let regional = Section::regional(100.0, 300.0, 1e-3, &geometry, (0.035, 0.06));
        assert_eq!(regional.width_m, geometry.width_m(100.0));
        assert_eq!(regional.depth_m, geometry.depth_m(100.0));
    }

    #[test]
    fn discharge_and_time_by_hand() {
        // 10 km, 1 %: 0.0663 * 5.888 * 5.888 = 2.299 h; 50 km², 60 mm, 6 h: 0.208 * 3000 / (3 + 1.379) = 142.5 m³/s.
        let tc = concentration_h(10.0, 0.01);
        assert!((tc - 2.299).abs() < 2e-3, "{tc}");
        assert!((peak_discharge_m3_s(50.0, 60.0, 6.0, tc) - 142.5).abs() < 0.1);
    }

    #[test]
    fn only_ground_below_the_stage_is_wet() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (900.0, 900.0),
            (1, 4),
        )
        .unwrap();
        let hand = Raster::new(grid, arr2(&[[0.0, 1.2, 5.0, 0.0]]));
        let drainage = Raster::new(grid, arr2(&[[0, 0, 0, u32::MAX]]));
        let wet = screening_depths(&hand, &drainage, |_| 2.0, 0.05);
        assert_eq!(wet.cells, [0, 1]);
        assert!((wet.values[0][1] - 0.8).abs() < 1e-6 && wet.values[1][0].is_nan());
    }
}
