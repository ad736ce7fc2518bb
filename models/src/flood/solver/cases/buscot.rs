//! The Thames at Buscot, December 1992: the case T001 of LISFLOOD-FP 8.1 (76 x 48 cells of 50 m, a steady 73 m³/s in a channel
//! of 20 m) against the extent that a radar satellite saw (Horritt and Bates 2001).
#![allow(clippy::print_stdout)] // figures are told to who runs the tests

use super::super::tests::{Ground, grid};
use super::super::{
    Boundary, BoundaryLaw, Case, Dyke, Inflow, Inundation, Scheme, Series, SolverOptions, simulate,
};
use super::{Frame, SCHEMES, ascii_grid, assert_balanced, text};
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

/// The reach: ground with the channel in it, what flows in, the level at the lower end and the weirs.
struct Reach {
    frame: Frame,
    ground: Ground,
    seen: Array2<f64>,
    channel: Vec<(usize, usize)>,
    inflow: Inflow,
    lower_end: Boundary,
    weirs: Dyke,
}

impl Reach {
    fn new() -> Option<Reach> {
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
        // The channel is made of whole cells: its n is that of the file (0.01), made greater for the width of a cell and
        // smaller for the way down the stairs of cells, so that its normal depth is that of the channel.
        let mut ground = Ground::new(grid(frame.rows, frame.cols, frame.cell), 0.06, |r, c| {
            dem[(r, c)]
        });
        let cells = channel_cells(&frame, &line);
        let stairs = libm::sqrt(length / (cells.len() as f64 * frame.cell));
        for &(at, way) in &cells {
            let bed = 68.740_479 + (67.139 - 68.740_479) * way / length;
            ground.bed.data[at] = (bed as f32).min(ground.bed.data[at]);
            ground.manning.data[at] = (0.01 * frame.cell / 20.0 * stairs) as f32;
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
            channel: cells.iter().map(|c| c.0).collect(),
            inflow,
            lower_end,
            weirs,
        })
    }

    /// The steady state: 100,000 s, as in the file of the case.
    fn run(&self, scheme: Scheme, theta: f32) -> Inundation {
        let options = SolverOptions {
            scheme,
            theta,
            end_s: 100_000.0,
            ..Default::default()
        };
        let case = Case {
            inflows: std::slice::from_ref(&self.inflow),
            boundaries: std::slice::from_ref(&self.lower_end),
            dykes: std::slice::from_ref(&self.weirs),
            ..Case::new(self.ground.domain())
        };
        simulate(&case, &options, &mut |_| {}).unwrap()
    }
}

#[test]
fn the_thames_floods_at_buscot() {
    let Some(reach) = Reach::new() else {
        return;
    };
    println!("{} weirs {:?}", reach.weirs.faces.len(), reach.weirs.faces);
    for (scheme, theta) in [(Scheme::Inertial, 0.9), (Scheme::Inertial, 1.0), (Scheme::Fv1, 0.9), (Scheme::Fv2, 0.9)] {
        let begun = std::time::Instant::now();
        let end = reach.run(scheme, theta);
        for threshold in [0.01f32, 0.05, 0.1, 0.15, 0.2, 0.3] {
            let (mut both, mut ours, mut theirs) = (0, 0, 0);
            for (&cell, &h) in end.cells.iter().zip(&end.depth_m) {
                let rc = (cell as usize / reach.frame.cols, cell as usize % reach.frame.cols);
                match (h > threshold, reach.seen[rc] == 1.0) {
                    (true, true) => both += 1,
                    (true, false) => ours += 1,
                    (false, true) => theirs += 1,
                    _ => {}
                }
            }
            let csi = f64::from(both) / f64::from(both + ours + theirs);
            println!("Buscot, {scheme:?} {theta}, {threshold}: {csi:.3}, both {both} ours {ours} seen {theirs}");
        }
        let n = reach.channel.len();
        for k in [3, n / 4, n / 2, 3 * n / 4, n - 1] {
            let rc = reach.channel[k];
            let h = end.depth_m[rc.0 * reach.frame.cols + rc.1];
            print!(" {h:.2}/{:.2}", reach.ground.bed.data[rc] + h);
        }
        println!(" out/in {:.4} {:.1} s", end.ledger.outflow_m3 / end.ledger.inflow_m3, begun.elapsed().as_secs_f64());
        assert_balanced(&end);
    }
}
