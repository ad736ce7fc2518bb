//! The Thames at Buscot, December 1992: the case T001 of LISFLOOD-FP 8.1 (76 x 48 cells of 50 m, a steady 73 m³/s in a channel
//! of 20 m) against the extent that a radar satellite saw (Horritt and Bates 2001).
#![allow(clippy::print_stdout)] // figures are told to who runs the tests

use super::super::tests::{Ground, grid};
use super::super::{
    Boundary, BoundaryLaw, Case, Channels, Dyke, Inflow, Inundation, Scheme, Series, SolverOptions,
    simulate,
};
use super::{Frame, ascii_grid, assert_balanced, text};
use ndarray::Array2;

/// Cells that a line through the channel's vertices passes, each beside the last one, with the way along the channel.
fn channel_cells(frame: &Frame, line: &[[f64; 2]]) -> Vec<((usize, usize), f64)> {
    let mut cells: Vec<((usize, usize), f64)> = Vec::new();
    let mut way = 0.0;
    for pair in line.windows(2) {
        let ([x0, y0], [x1, y1]) = (pair[0], pair[1]);
        let length = libm::hypot(x1 - x0, y1 - y0);
        let steps = (length / 0.5).ceil();
        for k in 0..steps as usize {
            let w = k as f64 / steps;
            let (x, y) = (x0 + w * (x1 - x0), y0 + w * (y1 - y0));
            if x >= frame.west + frame.cols as f64 * frame.cell {
                return cells;
            }
            let at = frame.cell_at([x, y]);
            let here = way + w * length;
            match cells.last() {
                Some(&(last, _)) if last == at => {}
                // Through a corner: by way of the cell beside.
                Some(&(last, _)) if last.0 != at.0 && last.1 != at.1 => {
                    cells.push(((last.0, at.1), here));
                    cells.push((at, here));
                }
                _ => cells.push((at, here)),
            }
        }
        way += length;
    }
    cells
}

/// The channel, 20 m wide, below its cells: joined across corners, its n made smaller for the way from cell to cell, which
/// is longer or shorter than the channel's.
fn channels_below(
    frame: &Frame,
    cells: &[((usize, usize), f64)],
    ground: &Ground,
    n: f64,
    length: f64,
    bottom: impl Fn(f64) -> f64,
) -> Channels {
    let mut out = Channels::default();
    let mut joined = 0.0;
    let mut last = None;
    for (k, &(at, way)) in cells.iter().enumerate() {
        // Cells that are there for the sake of a shared side only.
        let corner = k > 0
            && k + 1 < cells.len()
            && cells[k - 1].0.0 != cells[k + 1].0.0
            && cells[k - 1].0.1 != cells[k + 1].0.1
            && cells[k + 1].1 == way;
        let number = frame.number(at);
        if corner || out.cells.contains(&number) {
            continue;
        }
        if let Some((row, col)) = last {
            let (dr, dc) = (at.0.abs_diff(row), at.1.abs_diff(col));
            joined += frame.cell * libm::hypot(dr as f64, dc as f64);
            let reach = out.cells.len() as u32;
            out.joints.push((reach - 1, reach));
        }
        last = Some(at);
        out.cells.push(number);
        out.width_m.push(20.0);
        let deep = f64::from(ground.bed.data[at]) - bottom(way);
        out.depth_m.push(deep.max(0.1) as f32);
    }
    out.manning_n = vec![(n * libm::sqrt(length / joined)) as f32; out.cells.len()];
    out
}

/// The reach: ground with the channel in it, what flows in, the level at the lower end and the weirs.
struct Reach {
    frame: Frame,
    ground: Ground,
    seen: Array2<f64>,
    inflow: Inflow,
    lower_end: Boundary,
    weirs: Dyke,
    /// The channel below the cells, where it is not made of cells.
    channels: Option<Channels>,
}

impl Reach {
    /// With Manning's n of the channel, which is made of cells, or lies `below` them at its own width.
    fn new(channel_n: f64, below: bool) -> Option<Reach> {
        let (frame, dem) = ascii_grid(&text("flood/buscot/buscot.dem.ascii")?);
        let (_, seen) = ascii_grid(&text("flood/buscot/sargrid.asc")?);
        let river = text("flood/buscot/buscot.river")?;
        let weirs = text("flood/buscot/buscot.weir")?;
        let line: Vec<[f64; 2]> = (river.lines().skip(2))
            .map(|l| l.split_whitespace().map(|v| v.parse().unwrap_or(f64::NAN)))
            .map(|mut v| [v.next().unwrap(), v.next().unwrap()])
            .collect();
        let length: f64 = (line.windows(2))
            .map(|p| libm::hypot(p[1][0] - p[0][0], p[1][1] - p[0][1]))
            .sum();
        // The channel is made of whole cells: its n is made greater for the width of a cell and
        // smaller for the way down the stairs of cells, so that its normal depth is that of the channel.
        let mut ground = Ground::new(grid(frame.rows, frame.cols, frame.cell), 0.06, |r, c| {
            dem[(r, c)]
        });
        let cells = channel_cells(&frame, &line);
        let stairs = libm::sqrt(length / (cells.len() as f64 * frame.cell));
        let bottom = |way: f64| 68.740_479 + (67.139 - 68.740_479) * way / length;
        let mut channels = None;
        if below {
            channels = Some(channels_below(
                &frame, &cells, &ground, channel_n, length, bottom,
            ));
        } else {
            for &(at, way) in &cells {
                ground.bed.data[at] = (bottom(way) as f32).min(ground.bed.data[at]);
                ground.manning.data[at] = (channel_n * frame.cell / 20.0 * stairs) as f32;
            }
        }
        let inflow = Inflow {
            cells: vec![frame.number(cells[0].0)],
            step_s: 1e6,
            rates_m_s: vec![(73.0 / (frame.cell * frame.cell)) as f32],
        };
        let lower_end = Boundary {
            cells: (0..frame.rows)
                .filter(|&r| frame.middle(r, 0)[1] > 197_650.0)
                .map(|r| frame.number((r, frame.cols - 1)))
                .collect(),
            law: BoundaryLaw::Level(Series {
                times_s: vec![0.0],
                values: vec![68.43],
            }),
        };
        // Weirs on the north sides of cells, named by their lower left corners.
        let faces: Vec<(u32, u32)> = (weirs.lines())
            .filter_map(|l| {
                let mut words = l.split_whitespace().map(str::parse::<f64>);
                let (Some(Ok(x)), Some(Ok(y))) = (words.next(), words.next()) else {
                    return None;
                };
                let (row, col) = frame.cell_at([x + 1.0, y + 1.0]);
                Some((frame.number((row - 1, col)), frame.number((row, col))))
            })
            .collect();
        let weirs = Dyke {
            crest_m: vec![72.0; faces.len()],
            faces,
            coefficient: 1.7,
            breaches: Vec::new(),
        };
        Some(Reach {
            frame,
            ground,
            seen,
            inflow,
            lower_end,
            weirs,
            channels,
        })
    }

    /// The steady state: 100,000 s, as in the file of the case.
    fn run(&self, scheme: Scheme) -> Inundation {
        let options = SolverOptions {
            scheme,
            end_s: 100_000.0,
            ..Default::default()
        };
        let case = Case {
            inflows: std::slice::from_ref(&self.inflow),
            boundaries: std::slice::from_ref(&self.lower_end),
            dykes: std::slice::from_ref(&self.weirs),
            channels: self.channels.as_ref(),
            ..Case::new(self.ground.domain())
        };
        simulate(&case, &options, &mut |_| {}).unwrap()
    }
}

/// Critical success index: cells that are wet in both, of those that are wet in either.
fn csi(reach: &Reach, end: &Inundation, wet_m: f32) -> f64 {
    let (mut both, mut either) = (0, 0);
    for (&cell, &depth) in end.cells.iter().zip(&end.depth_m) {
        let cell = cell as usize;
        let seen = reach.seen[(cell / reach.frame.cols, cell % reach.frame.cols)] == 1.0;
        both += u32::from(seen && depth > wet_m);
        either += u32::from(seen || depth > wet_m);
    }
    f64::from(both) / f64::from(either)
}

/// A cell is wet from 0.1 m. LISFLOOD-FP reached 0.84 as the best of 25 runs with different n (Horritt and Bates 2001). With
/// the n of the file of the case, 0.01, the channel carries the flood almost alone and little is wet; the best of five n of
/// the channel is 0.68. Both fall short of the published figure. Inertial equations and finite volumes agree, and so does
/// a channel at its own width below the cells (next test), so that neither scheme nor channel explains it. Asserted is
/// where it stands.
#[test]
fn the_thames_floods_at_buscot() {
    let mut best = 0.0f64;
    for n in [0.01, 0.02, 0.03, 0.04, 0.05] {
        let Some(reach) = Reach::new(n, false) else {
            return;
        };
        for scheme in [Scheme::Inertial, Scheme::Fv1] {
            if scheme == Scheme::Fv1 && n != 0.01 {
                continue;
            }
            let end = reach.run(scheme);
            let score = csi(&reach, &end, 0.1);
            println!(
                "Buscot, {scheme:?}, channel n {n}: CSI {score:.3} ({:.3} from 0.01 m)",
                csi(&reach, &end, 0.01)
            );
            assert_balanced(&end);
            if n == 0.01 {
                assert!(score > 0.35);
            }
            best = best.max(score);
        }
    }
    assert!(best > 0.65);
}

/// The same with the channel of 20 m below the cells of 50 m.
#[test]
fn the_thames_floods_at_buscot_from_a_channel_below_its_cells() {
    let mut best = 0.0f64;
    for n in [0.01, 0.02, 0.03, 0.04, 0.05] {
        let Some(reach) = Reach::new(n, true) else {
            return;
        };
        let end = reach.run(Scheme::Inertial);
        assert_balanced(&end);
        let score = csi(&reach, &end, 0.1);
        println!("Buscot, channel below cells, n {n}: CSI {score:.3}");
        best = best.max(score);
    }
    assert!(best > 0.65);
}
