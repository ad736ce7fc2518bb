//! Where convection is more or less frequent than in the mean of a region.

use anlan_engine::Raster;

/// Relative frequency of convection over a region, mean 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    field: Option<Raster<f32>>,
    most: f64,
}

impl Activity {
    /// The same everywhere.
    pub fn uniform() -> Self {
        Activity {
            field: None,
            most: 1.0,
        }
    }

    /// In proportion to a field in the compute system, e.g. the rain rate exceeded in 0.01 % of the year, raised to
    /// `exponent`. Values that are not above 0 stand for 1.
    pub fn from_field(field: &Raster<f32>, exponent: f64) -> Self {
        let power = field.map(|v| {
            if v > 0.0 {
                libm::pow(f64::from(v), exponent)
            } else {
                f64::NAN
            }
        });
        let (sum, n) = power
            .values()
            .iter()
            .filter(|v| !v.is_nan())
            .fold((0.0, 0_u32), |(s, n), v| (s + v, n + 1));
        let mean = sum / f64::from(n.max(1));
        let field = power.map(|v| if v.is_nan() { 1.0 } else { (v / mean) as f32 });
        Activity {
            most: field.values().iter().fold(1.0, |m, &v| f64::from(v).max(m)),
            field: Some(field),
        }
    }

    /// The factor at a point; beyond the field that of its nearest cell.
    pub fn at(&self, (x, y): (f64, f64)) -> f64 {
        self.field.as_ref().map_or(1.0, |f| {
            let cell = |t: f64, n: usize| (t.max(0.0) as usize).min(n - 1);
            let g = &f.grid;
            let row = cell((g.north - y) / g.dy, g.rows);
            let col = cell((x - g.west) / g.dx, g.cols);
            f64::from(f.data[(row, col)])
        })
    }

    /// The greatest factor.
    pub(crate) fn most(&self) -> f64 {
        self.most
    }

    /// True for the share of the centres that belong to a place, of those drawn as often as where there are most.
    pub(crate) fn keeps(&self, centre: (f64, f64), u: f64) -> bool {
        u * self.most < self.at(centre)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};
    use ndarray::arr2;

    #[test]
    fn factors_have_mean_one_and_reach_beyond_the_edge() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 100.0),
            (100.0, 100.0),
            (1, 3),
        )
        .unwrap();
        let field = Raster::new(grid, arr2(&[[40.0_f32, f32::NAN, 80.0]]));
        let a = Activity::from_field(&field, 1.0);
        assert_eq!(
            [50.0, 150.0, 250.0].map(|x| (a.at((x, 50.0)) * 300.0).round()),
            [200.0, 300.0, 400.0]
        );
        assert_eq!(a.at((-500.0, 900.0)), a.at((50.0, 50.0)));
        assert!(a.keeps((50.0, 50.0), 0.499) && !a.keeps((50.0, 50.0), 0.501));
        assert_eq!(Activity::uniform().at((7.0, 7.0)), 1.0);
    }
}
