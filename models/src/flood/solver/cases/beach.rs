//! A wave runs up a planar beach at 1 m/s: the case T010 of LISFLOOD-FP 8.1 (121 x 40 cells of 50 m, n 0.06), whose tide is
//! made so that the answer is known (Hunter et al. 2005, doi 10.1016/j.advwatres.2005.03.007, on a slope).
#![allow(clippy::print_stdout)] // figures are told to who runs the tests

use super::super::tests::{Ground, grid};
use super::super::{Boundary, BoundaryLaw, Case, Scheme, Series, SolverOptions, simulate};
use super::{SCHEMES, ascii_grid, assert_balanced, rmse, text};

/// Distance behind the front of a wave that runs at 1 m/s up a plane, at which it is `depth` deep: the full equations
/// with u = 1 everywhere leave dh/dx = -(slope + n² u² / h^(4/3)).
fn behind_the_front(depth: f64, slope: f64, n: f64) -> f64 {
    // Simpson's rule in s = h^(7/3), of which the integrand is smooth: dh / (slope + n² h^(-4/3)).
    let f = |s: f64| {
        let h = libm::pow(s, 3.0 / 7.0);
        3.0 / 7.0 / (slope * libm::pow(h, 4.0 / 3.0) + n * n)
    };
    let (top, parts) = (libm::pow(depth, 7.0 / 3.0), 200);
    let step = top / f64::from(parts);
    (0..parts)
        .map(|k| {
            let a = f64::from(k) * step;
            (f(a) + 4.0 * f(a + 0.5 * step) + f(a + step)) * step / 6.0
        })
        .sum()
}

/// Depth at a distance behind the front.
fn depth_behind_the_front(distance: f64, slope: f64, n: f64) -> f64 {
    if distance <= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if behind_the_front(middle, slope, n) < distance {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The tide of the case: pairs of time, s, and level, m.
fn tide() -> Option<Vec<[f64; 2]>> {
    let file = text("flood/planar_beach/planar_beach.bdy")?;
    let rows = file.lines().skip(3).filter_map(|line| {
        let values: Option<Vec<f64>> = line.split_whitespace().map(|v| v.parse().ok()).collect();
        match values?[..] {
            [level, time] => Some([time, level]),
            _ => None,
        }
    });
    Some(rows.collect())
}

/// What was wanted: 2 % of the depth at the inlet, and the front within two cells. First-order volumes smear the front of
/// the wave over eight cells and stand at 3.3 %.
#[test]
fn a_wave_runs_up_a_planar_beach() {
    let Some(dem) = text("flood/planar_beach/planar_beach.dem.ascii") else {
        return;
    };
    let Some(tide) = tide() else {
        return;
    };
    let (frame, dem) = ascii_grid(&dem);
    let (n, slope, end_s) = (0.06, (dem[(120, 0)] - dem[(0, 0)]) / (120.0 * 50.0), 5000.0);
    // The front at the start, and the answer; the tide is the answer at the first row of the file.
    let head = behind_the_front(tide[0][1], slope, n);
    let exact = |time_s: f64, x: f64| depth_behind_the_front(time_s + head - x, slope, n);
    let worst = (tide.iter().step_by(50))
        .map(|&[t, level]| (exact(t, 0.0) - level).abs())
        .fold(0.0, f64::max);
    println!("planar beach: the tide is the answer's to {worst:.4} m");
    for scheme in SCHEMES {
        // The level of the first row is imposed: the solver's grid begins behind it. Finite volumes see the level at the
        // side of the cell, half a cell further: 25 s later on a wave of 1 m/s.
        let (later, higher) = match scheme {
            Scheme::Inertial => (0.0, 0.0),
            _ => (25.0, 25.0 * slope),
        };
        let x = |row: usize| 50.0 * (row + 1) as f64;
        let rows = frame.rows - 1;
        let ground = Ground::new(grid(rows, 4, 50.0), n as f32, |r, _| slope * x(r));
        let start = ground.depth(|r, _| exact(0.0, x(r)));
        let boundary = Boundary {
            cells: (0..4).collect(),
            law: BoundaryLaw::Level(Series {
                times_s: tide.iter().map(|k| k[0] + later).collect(),
                values: tide.iter().map(|k| k[1] + higher).collect(),
            }),
        };
        let options = SolverOptions {
            scheme,
            end_s,
            ..Default::default()
        };
        let case = Case {
            initial_depth_m: Some(&start),
            boundaries: std::slice::from_ref(&boundary),
            ..Case::new(ground.domain())
        };
        let end = simulate(&case, &options, &mut |_| {}).unwrap();
        let depth = |r: usize| f64::from(end.depth_m[r * 4]);
        let errors: Vec<f64> = (0..rows).map(|r| depth(r) - exact(end_s, x(r))).collect();
        let wet = (0..rows).filter(|&r| depth(r) > 0.01).count();
        let share = rmse(&errors) / exact(end_s, 0.0);
        let (front, wanted) = (50.0 * wet as f64 + 25.0, end_s + head);
        println!(
            "planar beach, {scheme:?}: RMSE {:.2} % of the inlet's {:.2} m; front at {front:.0} m, exact {wanted:.0} m",
            100.0 * share,
            exact(end_s, 0.0)
        );
        assert_balanced(&end);
        let (share_most, cells_most) = match scheme {
            Scheme::Fv1 => (0.04, 8.0),
            _ => (0.02, 2.0),
        };
        assert!(share < share_most);
        assert!((front - wanted).abs() < cells_most * 50.0);
    }
}
