//! Expected annual intensity.

use anlan_engine::Raster;

/// Expected annual intensity: the integral of intensity over exceedance probability by trapezoids between return periods,
/// with the rarest intensity taken for all rarer years where `tail` is set.
///
/// `return_periods` ascend; one raster each, NaN counted as 0.
///
/// # Panics
/// Not one raster per return period.
pub fn expected_annual(return_periods: &[f64], rasters: &[Raster<f32>], tail: bool) -> Raster<f32> {
    assert_eq!(
        return_periods.len(),
        rasters.len(),
        "one raster per return period"
    );
    let grid = rasters[0].grid;
    let mut out = Raster::filled(grid, 0.0_f32);
    for (i, v) in out.values_mut().iter_mut().enumerate() {
        let at = |k: usize| {
            let x = f64::from(rasters[k].values()[i]);
            if x.is_nan() { 0.0 } else { x }
        };
        let mut sum = 0.0;
        for k in 1..return_periods.len() {
            let dp = 1.0 / return_periods[k - 1] - 1.0 / return_periods[k];
            sum += dp * 0.5 * (at(k - 1) + at(k));
        }
        if tail {
            let last = return_periods.len() - 1;
            sum += at(last) / return_periods[last];
        }
        *v = sum as f32;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};

    #[test]
    fn the_expected_depth_of_the_standards_page() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 1.0),
            (1.0, 1.0),
            (1, 1),
        )
        .unwrap();
        let rasters: Vec<_> = [0.0, 0.3, 0.8, 1.5, 2.2]
            .iter()
            .map(|&h| Raster::filled(grid, h))
            .collect();
        let t = [5.0, 10.0, 20.0, 50.0, 100.0];
        // Golden values: 0.0955 m, and 0.022 more with the tail; f32 depths.
        let plain = expected_annual(&t, &rasters, false).data[(0, 0)];
        let tail = expected_annual(&t, &rasters, true).data[(0, 0)];
        assert!(
            (plain - 0.0955).abs() < 1e-6 && (tail - 0.1175).abs() < 1e-6,
            "{plain} {tail}"
        );
    }
}
