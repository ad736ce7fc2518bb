//! What interpolating in a storm library costs (情景库插值误差): every return period but the last is left out in turn,
//! interpolated from its neighbours by the library itself, and compared with what was simulated.
//!
//! The first return period is interpolated between the dry period and the second, as the library does for storms between
//! them. The last has no neighbour beyond it: nothing is said of storms rarer than it.
//!
//! The gap that is bridged here is twice the library's, and the error of a linear interpolation grows with the square of
//! the gap: inside the library it is about a quarter of the figures told, which are so on the safe side. Leaving one out
//! is cross-validation (Stone 1974, J. R. Stat. Soc. B 36:111-147).

use crate::flood::library::{LibraryStorm, StormLibrary};
use crate::flood::runoff::Wetness;
use anlan_engine::{Error, Fault, Result};

/// Error of one interpolated storm of a library.
#[derive(Debug, Clone, PartialEq)]
pub struct InterpolationError {
    /// Duration, h.
    pub duration_h: f64,
    /// Name of the pattern.
    pub pattern: String,
    /// Wetness of the ground.
    pub wetness: Wetness,
    /// Return period that was left out, years.
    pub return_period: f64,
    /// Return periods between which it was interpolated, years.
    pub between: (f64, f64),
    /// Cells that are wet simulated, interpolated, or both.
    pub wet_cells: usize,
    /// Root of the mean square difference of depth over the wet cells, m; 0 without wet cells.
    pub rmse_m: f64,
    /// Mean of interpolated less simulated depth over the wet cells, m; 0 without wet cells.
    pub bias_m: f64,
    /// Cells wet when simulated.
    pub simulated_cells: usize,
    /// Cells wet when interpolated.
    pub interpolated_cells: usize,
}

impl InterpolationError {
    /// Interpolated over simulated flooded area, less 1; `None` where the simulation floods nothing.
    pub fn area_error(&self) -> Option<f64> {
        let simulated = self.simulated_cells as f64;
        (self.simulated_cells > 0).then(|| self.interpolated_cells as f64 / simulated - 1.0)
    }
}

/// Errors of all storms of a library but those of the greatest return periods, by duration, pattern, wetness and return
/// period. A cell is wet from `least_m` on; drier ones count as 0 m, as in footprints.
///
/// # Errors
/// As [`StormLibrary::new`].
pub fn interpolation_errors(
    storms: &[LibraryStorm],
    dry_period: f64,
    least_m: f32,
) -> Result<Vec<InterpolationError>> {
    let mut order: Vec<&LibraryStorm> = storms.iter().collect();
    order.sort_by(|a, b| {
        (a.duration_h.total_cmp(&b.duration_h))
            .then_with(|| a.pattern.cmp(&b.pattern))
            .then(a.wetness.cmp(&b.wetness))
            .then(a.return_period.total_cmp(&b.return_period))
    });
    if let Some(bad) = order.iter().find(|s| s.return_period <= dry_period) {
        return Err(Error::input(Fault::new(
            "flood library",
            format!("a storm once in {} years", bad.return_period),
            format!("return periods above {dry_period} years"),
            "correct the return periods of the library",
        )));
    }
    let mut out = Vec::new();
    for group in order.chunk_by(|a, b| {
        a.duration_h == b.duration_h && a.pattern == b.pattern && a.wetness == b.wetness
    }) {
        let mut cells: Vec<u32> = (group.iter().flat_map(|s| s.field.cells.iter()))
            .copied()
            .collect();
        cells.sort_unstable();
        cells.dedup();
        for (i, left_out) in group.iter().enumerate().take(group.len() - 1) {
            let others = (group.iter().enumerate().filter(|(k, _)| *k != i)).map(|(_, s)| *s);
            let library = StormLibrary::new(others, &cells, dry_period)?;
            let before = i
                .checked_sub(1)
                .map_or(dry_period, |k| group[k].return_period);
            out.push(compare(
                &library,
                left_out,
                (before, group[i + 1].return_period),
                least_m,
            ));
        }
    }
    Ok(out)
}

/// One storm against what a library of others makes of its return period.
fn compare(
    library: &StormLibrary,
    storm: &LibraryStorm,
    between: (f64, f64),
    least_m: f32,
) -> InterpolationError {
    let mut out = InterpolationError {
        duration_h: storm.duration_h,
        pattern: storm.pattern.clone(),
        wetness: storm.wetness,
        return_period: storm.return_period,
        between,
        wet_cells: 0,
        rmse_m: 0.0,
        bias_m: 0.0,
        simulated_cells: 0,
        interpolated_cells: 0,
    };
    let wet = |depth: f32| if depth >= least_m { depth } else { 0.0 };
    let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
    let mut add = |simulated: f32, interpolated: f32| {
        let (simulated, interpolated) = (wet(simulated), wet(interpolated));
        out.simulated_cells += usize::from(simulated > 0.0);
        out.interpolated_cells += usize::from(interpolated > 0.0);
        if simulated > 0.0 || interpolated > 0.0 {
            let difference = f64::from(interpolated) - f64::from(simulated);
            out.wet_cells += 1;
            sum += difference;
            squares += difference * difference;
        }
    };
    let log_period = libm::log(storm.return_period);
    let field = &storm.field;
    let mut k = 0;
    for (i, &cell) in library.cells.iter().enumerate() {
        // Cells that only the storm left out wets are none of the library's.
        while k < field.cells.len() && field.cells[k] < cell {
            add(field.depth_m[k], 0.0);
            k += 1;
        }
        let mut simulated = 0.0;
        if field.cells.get(k) == Some(&cell) {
            simulated = field.depth_m[k];
            k += 1;
        }
        add(simulated, library.at(0, i, log_period).0);
    }
    for &depth in &field.depth_m[k..] {
        add(depth, 0.0);
    }
    if out.wet_cells > 0 {
        let n = out.wet_cells as f64;
        out.rmse_m = libm::sqrt(squares / n);
        out.bias_m = sum / n;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flood::library::{DRY_PERIOD, SparseField};

    fn storm(return_period: f64, wetness: Wetness, depth: &[(u32, f32)]) -> LibraryStorm {
        LibraryStorm {
            return_period,
            duration_h: 3.0,
            pattern: "uniform".into(),
            wetness,
            field: SparseField {
                cells: depth.iter().map(|d| d.0).collect(),
                depth_m: depth.iter().map(|d| d.1).collect(),
                velocity_m_s: vec![0.0; depth.len()],
            },
        }
    }

    /// Return periods at equal steps of the logarithm, so that the middle is the mean of its neighbours.
    const STEPS: [f64; 4] = [4.0, 8.0, 16.0, 32.0];

    #[test]
    fn errors_that_are_known_are_told() {
        let storms = [
            // Dry ground: one cell grows evenly by 0.5 m a step, one stands 0.3 m above the line at 8 years, one is wet at
            // 8 years only, one at 16 years only and so 0.25 m deep at 8 years by interpolation.
            storm(4.0, Wetness::Dry, &[(2, 1.0), (3, 1.0)]),
            storm(8.0, Wetness::Dry, &[(2, 1.5), (3, 1.8), (5, 0.2)]),
            storm(16.0, Wetness::Dry, &[(2, 2.0), (3, 2.0), (7, 0.5)]),
            // Wet ground: nothing at all.
            storm(4.0, Wetness::Wet, &[]),
            storm(8.0, Wetness::Wet, &[]),
            storm(16.0, Wetness::Wet, &[]),
        ];
        let errors = interpolation_errors(&storms, DRY_PERIOD, 0.05).unwrap();
        assert_eq!(errors.len(), 4);
        let of = |k: usize| {
            (
                errors[k].wetness,
                errors[k].return_period,
                errors[k].between,
            )
        };
        assert_eq!(of(0), (Wetness::Dry, 4.0, (2.0, 8.0)));
        assert_eq!(of(1), (Wetness::Dry, 8.0, (4.0, 16.0)));
        assert_eq!(of(3), (Wetness::Wet, 8.0, (4.0, 16.0)));
        // 4 years between 2 and 8: half of 1.5 and of 1.8; cell 5 0.1 m deep that is dry.
        let e = &errors[0];
        assert_eq!(
            (e.wet_cells, e.simulated_cells, e.interpolated_cells),
            (3, 2, 3)
        );
        assert!((e.bias_m - (-0.25 - 0.1 + 0.1) / 3.0).abs() < 1e-6);
        let mean_square: f64 = (0.0625 + 0.01 + 0.01) / 3.0;
        assert!((e.rmse_m - mean_square.sqrt()).abs() < 1e-6);
        assert!((e.area_error().unwrap() - 0.5).abs() < 1e-12);
        // 8 years between 4 and 16: 0, -0.3, -0.2 and +0.25 m.
        let e = &errors[1];
        assert_eq!(
            (e.wet_cells, e.simulated_cells, e.interpolated_cells),
            (4, 3, 3)
        );
        assert!((e.bias_m + 0.25 / 4.0).abs() < 1e-6, "{e:?}");
        let mean_square: f64 = (0.09 + 0.04 + 0.0625) / 4.0;
        assert!((e.rmse_m - mean_square.sqrt()).abs() < 1e-6, "{e:?}");
        assert_eq!(e.area_error(), Some(0.0));
        let e = &errors[3];
        assert_eq!((e.wet_cells, e.rmse_m, e.area_error()), (0, 0.0, None));
        assert!(interpolation_errors(&storms, 4.0, 0.05).is_err());
    }

    #[test]
    fn the_error_falls_with_the_square_of_the_gap() {
        // Depth x² in x = log2 T: off the line between neighbours at distance h by h².
        let depth = |t: f64| {
            let x = libm::log2(t);
            (x * x) as f32
        };
        let library = |periods: &[f64]| -> Vec<LibraryStorm> {
            let cells = |t| -> Vec<(u32, f32)> { (0..9).map(|c| (c, depth(t))).collect() };
            (periods
                .iter()
                .map(|&t| storm(t, Wetness::Normal, &cells(t))))
            .collect()
        };
        let fine = interpolation_errors(&library(&STEPS), DRY_PERIOD, 0.05).unwrap();
        assert_eq!(fine.len(), 3);
        for e in &fine[1..] {
            assert!(
                (e.bias_m - 1.0).abs() < 1e-5 && (e.rmse_m - 1.0).abs() < 1e-5,
                "{e:?}"
            );
        }
        let coarse = interpolation_errors(&library(&[4.0, 16.0, 64.0]), DRY_PERIOD, 0.05).unwrap();
        assert!((coarse[1].rmse_m - 4.0).abs() < 1e-5);
        // Depth linear in ln T has none, and one storm alone tells nothing.
        let even: Vec<LibraryStorm> = (STEPS.iter())
            .map(|&t| storm(t, Wetness::Normal, &[(0, libm::log2(t / 2.0) as f32)]))
            .collect();
        let errors = interpolation_errors(&even, DRY_PERIOD, 0.05).unwrap();
        assert!(
            errors
                .iter()
                .all(|e| e.rmse_m < 1e-6 && e.area_error() == Some(0.0))
        );
        assert!(
            interpolation_errors(&even[..1], DRY_PERIOD, 0.05)
                .unwrap()
                .is_empty()
        );
    }
}
