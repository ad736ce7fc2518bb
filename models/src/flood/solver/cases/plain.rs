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


#[test]
fn a_front_on_a_plain_converges() {
    for scheme in SCHEMES {
        for cell in [20.0, 10.0, 5.0, 2.5] {
            let begun = std::time::Instant::now();
            println!("plain {scheme:?} {cell} m: {:.4?} {:.1}", plain(scheme, cell), begun.elapsed().as_secs_f64());
        }
    }
}
