//! Channels one cell wide, the way rivers are burnt into a terrain: depth of a steady flow against Manning's.
#![allow(clippy::print_stdout)] // figures are told to who runs the tests

use super::super::tests::{Ground, grid};
use super::super::{Inflow, OUTLET, Scheme, SolverOptions};
use super::{SCHEMES, assert_balanced};

/// Normal depth, m, of a flow per width, m²/s.
fn normal_depth(q: f64, n: f64, slope: f64) -> f64 {
    libm::pow(q * n / libm::sqrt(slope), 0.6)
}

/// A channel down stairs of cells of 50 m, between walls: every side of a cell where the channel turns is shut. Finite
/// volumes lose the momentum of the flow at every turn and stand a third too deep: a limit of theirs.
#[test]
fn a_channel_turns_from_cell_to_cell() {
    let n = 61;
    let mut ground = Ground::new(grid(n, n, 50.0), 0.03, |r, c| {
        let bank = if c == r || c == r + 1 { 0.0 } else { 50.0 };
        100.0 - 0.02 * (r + c) as f64 + bank
    });
    ground.kind.data[(n - 1, n - 1)] = OUTLET;
    let wanted = normal_depth(1.46, 0.03, 0.02 / 50.0);
    for (scheme, most) in SCHEMES.into_iter().zip([0.05, 0.35, 0.35]) {
        let inflow = Inflow {
            cells: vec![0],
            step_s: 1e7,
            rates_m_s: vec![1.46 / 50.0],
        };
        let options = SolverOptions {
            scheme,
            end_s: 50_000.0,
            ..Default::default()
        };
        let end = ground.run(None, &[inflow], &options);
        let depth = f64::from(end.depth_m[20 * n + 20]) / wanted;
        println!("stairs, {scheme:?}: {depth:.3} of the normal depth");
        assert_balanced(&end);
        assert!((depth - 1.0).abs() < most);
    }
}

/// 2 km at slopes of 0.2 % to 20 %. The inertial scheme lets water flow at most at its critical speed: beyond a slope of
/// about 1 % it stands too deep, by a half at 5 %.
#[test]
fn a_steep_channel_has_its_normal_depth() {
    for slope in [0.002, 0.01, 0.05, 0.2] {
        let wanted = normal_depth(0.5, 0.03, slope);
        let froude = 0.5 / libm::sqrt(9.81 * wanted * wanted * wanted);
        for scheme in SCHEMES {
            let mut ground = Ground::new(grid(1, 100, 20.0), 0.03, |_, c| {
                500.0 - 20.0 * slope * c as f64
            });
            ground.kind.data[(0, 99)] = OUTLET;
            let inflow = Inflow {
                cells: vec![0],
                step_s: 1e6,
                rates_m_s: vec![0.5 / 20.0],
            };
            let options = SolverOptions {
                scheme,
                ..Default::default()
            };
            let end = ground.run(None, &[inflow], &options);
            let depth = f64::from(end.depth_m[50]) / wanted;
            println!(
                "slope {slope}, Froude number {froude:.2}, {scheme:?}: {depth:.3} of the normal depth"
            );
            assert_balanced(&end);
            if scheme != Scheme::Inertial || froude < 1.0 {
                assert!((depth - 1.0).abs() < 0.05);
            }
        }
    }
}
