//! A flood from a gap in a dyke over a flat plain: test 4 of Néelz and Pender (2013) made smaller. Its published answers are
//! curves in a report; what is asked is that finer cells give the same flood.
#![allow(clippy::print_stdout)] // figures are told to who runs the tests

use super::super::tests::{Ground, grid};
use super::super::{Inflow, Scheme, SolverOptions};
use super::{SCHEMES, assert_balanced};

/// 800 m x 480 m, n 0.05, a gap 40 m wide that gives up to 20 m³/s: greatest depth, m, and arrival of 0.05 m, s, at four
/// points 100 to 320 m from it.
fn plain(scheme: Scheme, cell: f64) -> Vec<[f64; 2]> {
    let (rows, cols) = ((480.0 / cell) as usize, (800.0 / cell) as usize);
    let ground = Ground::new(grid(rows, cols, cell), 0.05, |_, _| 0.0);
    let cells: Vec<u32> = (0..rows)
        .filter(|&r| ((r as f64 + 0.5) * cell - 240.0).abs() < 20.0)
        .map(|r| (r * cols) as u32)
        .collect();
    let area = cells.len() as f64 * cell * cell;
    // Up in 20 minutes, down in 20, by minutes.
    let rates_m_s = (0..40)
        .flat_map(|k| {
            let q = 20.0 * (1.0 - (f64::from(k) + 0.5 - 20.0).abs() / 20.0);
            vec![(q / area) as f32; cells.len()]
        })
        .collect();
    let inflow = Inflow {
        cells,
        step_s: 60.0,
        rates_m_s,
    };
    let options = SolverOptions {
        scheme,
        end_s: 3600.0,
        watch_s: 0.0,
        flooded_m: 0.05,
        ..Default::default()
    };
    let end = ground.run(None, &[inflow], &options);
    assert_balanced(&end);
    let value = |field: &[f32], x: f64, y: f64| {
        // Points on corners of cells of all sizes: the mean of the four around.
        let (r, c) = ((y / cell).round() as usize, (x / cell).round() as usize);
        [(r - 1, c - 1), (r - 1, c), (r, c - 1), (r, c)]
            .iter()
            .map(|&(r, c)| f64::from(field[r * cols + c]))
            .sum::<f64>()
            / 4.0
    };
    [
        [100.0, 240.0],
        [200.0, 240.0],
        [200.0, 360.0],
        [300.0, 120.0],
    ]
    .iter()
    .map(|&[x, y]| [value(&end.max_depth_m, x, y), value(&end.arrival_s, x, y)])
    .collect()
}

/// Halving the cells must bring the depths closer, and three schemes with three fluxes must give one flood: depths and
/// arrivals within 5 % at 5 m.
#[test]
fn a_front_on_a_plain_converges() {
    let mut finest: Vec<Vec<[f64; 2]>> = Vec::new();
    for scheme in SCHEMES {
        let found = [20.0, 10.0, 5.0].map(|cell| plain(scheme, cell));
        for (cell, found) in [20.0, 10.0, 5.0].iter().zip(&found) {
            println!("plain, {scheme:?}, {cell} m: depth, m, and arrival, s: {found:.4?}");
        }
        for ((coarse, middle), fine) in found[0].iter().zip(&found[1]).zip(&found[2]) {
            assert!((middle[0] - fine[0]).abs() < (coarse[0] - middle[0]).abs());
        }
        finest.push(found[2].clone());
    }
    for other in &finest[1..] {
        for (a, b) in other.iter().zip(&finest[0]) {
            assert!((a[0] / b[0] - 1.0).abs() < 0.05);
            assert!((a[1] / b[1] - 1.0).abs() < 0.05);
        }
    }
}
