#![allow(clippy::print_stdout)]
use super::super::tests::{Ground, grid};
use super::super::{Inflow, OUTLET, Scheme, SolverOptions};
const SCHEMES: [Scheme; 3] = super::SCHEMES;

#[test]
fn exp_stairs() {
    // A channel one cell wide that runs straight, or down stairs of one cell; the same fall per cell of way.
    for (name, stairs, bank) in [("straight", false, 50.0), ("stairs in walls", true, 50.0), ("stairs, wet banks", true, 1.2)] {
        for (scheme, theta) in [(Scheme::Inertial, 0.9), (Scheme::Inertial, 1.0), (Scheme::Fv1, 0.9), (Scheme::Fv2, 0.9)] {
            let n = 61;
            let way = |r: usize, c: usize| -> Option<usize> {
                if stairs { (c == r || c == r + 1).then_some(r + c) } else { (r == 30).then_some(2 * c) }
            };
            let mut ground = Ground::new(grid(n, n, 50.0), 0.03, |r, c| {
                let along = if stairs { (r + c) as f64 } else { 2.0 * c as f64 };
                let fall = if stairs { 0.02 } else { 0.01 };
                100.0 - fall * along + way(r, c).map_or(bank, |_| 0.0)
            });
            let last = if stairs { (n - 1, n - 1) } else { (30, n - 1) };
            ground.kind.data[last] = OUTLET;
            let first = if stairs { 0 } else { 30 * n };
            let inflow = Inflow { cells: vec![first as u32], step_s: 1e7, rates_m_s: vec![1.46 / 50.0] };
            let end = ground.run(None, &[inflow], &SolverOptions { scheme, theta, end_s: 100_000.0, ..Default::default() });
            let slope = if stairs { 0.02 } else { 0.02 } / 50.0;
            let normal = libm::pow(1.46 * 0.03 / libm::sqrt(slope), 0.6);
            let at = |k: usize| f64::from(end.depth_m[if stairs { (k / 2) * n + k.div_ceil(2) } else { 30 * n + k }]) / normal;
            println!("{name} {scheme:?} theta {theta}: depth / normal ({normal:.3}) {:.3} {:.3} {:.3} out/in {:.3}", at(20), at(40), at(50), end.ledger.outflow_m3 / end.ledger.inflow_m3);
        }
    }
}

#[test]
fn exp_steep() {
    for slope in [0.002, 0.01, 0.05, 0.2] {
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
            let end = ground.run(
                None,
                &[inflow],
                &SolverOptions {
                    scheme,
                    end_s: 3600.0,
                    ..Default::default()
                },
            );
            let normal = libm::pow(0.5 * 0.03 / libm::sqrt(slope), 0.6);
            let front = end.arrival_s[80];
            let v = 0.5 / normal * 5.0 / 3.0;
            println!(
                "steep {slope} {scheme:?}: depth / normal {:.4} {:.4} (normal {normal:.3}, Fr {:.2}), arrival {front:.0} kinematic {:.0}..{:.0}",
                f64::from(end.depth_m[50]) / normal,
                f64::from(end.depth_m[90]) / normal,
                0.5 / libm::pow(normal, 1.5) / 3.13,
                1600.0 / v,
                1600.0 / v * 5.0 / 3.0
            );
        }
    }
}
