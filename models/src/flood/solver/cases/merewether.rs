//! Merewether (Newcastle, New South Wales), June 2007: a street between houses, after the validation case of ANUGA, with
//! levels of ANUGA and TUFLOW from the revision of Australian Rainfall and Runoff (project 15).
#![allow(clippy::print_stdout)] // figures are told to who runs the tests

use super::super::tests::{Ground, grid};
use super::super::{Case, Edge, Inflow, Scheme, Simulation, SolverOptions, WALL};
use super::{Frame, ascii_grid, assert_balanced, number, shared_file, table, text};
use std::io::Read;

/// Whether a point lies in a polygon (even-odd rule).
fn is_inside([x, y]: [f64; 2], polygon: &[[f64; 2]]) -> bool {
    let mut inside = false;
    for (k, &[x1, y1]) in polygon.iter().enumerate() {
        let [x0, y0] = polygon[(k + polygon.len() - 1) % polygon.len()];
        if (y0 > y) != (y1 > y) && x < x0 + (y - y0) / (y1 - y0) * (x1 - x0) {
            inside = !inside;
        }
    }
    inside
}

/// Text of the only file of a zip archive, deflated.
fn unzipped(archive: &[u8]) -> String {
    let short = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    // Local header: 30 bytes, of which the last four are the lengths of the name and of the extra field that follow.
    assert_eq!(&archive[..4], b"PK\x03\x04");
    let body = 30 + short(26) + short(28);
    let mut text = String::new();
    let mut inflate = flate2::read::DeflateDecoder::new(&archive[body..]);
    inflate.read_to_string(&mut text).unwrap();
    text
}

/// The street between houses, which are walls; the inflow's cells.
struct Merewether {
    frame: Frame,
    ground: Ground,
    inflow: Inflow,
}

impl Merewether {
    /// Cells of `by` x `by` metres of the 1 m model.
    fn new(by: usize) -> Option<Merewether> {
        let topography = unzipped(&shared_file("flood/merewether/topography1.zip")?);
        let houses = table("flood/merewether/houses.csv")?;
        let road = text("flood/merewether/RoadPolygon.csv")?;
        let road: Vec<[f64; 2]> = (road.lines().filter_map(|l| l.split_once(',')))
            .map(|(x, y)| [x.trim().parse().unwrap(), y.trim().parse().unwrap()])
            .collect();
        let mut polygons: Vec<Vec<[f64; 2]>> = Vec::new();
        for (k, row) in houses.iter().enumerate() {
            if k == 0 || row[0] != houses[k - 1][0] {
                polygons.push(Vec::new());
            }
            let last = polygons.len() - 1;
            polygons[last].push([number(row, 1), number(row, 2)]);
        }
        let (fine, dem) = ascii_grid(&topography);
        // Without the first column, which has no data: an even number of columns is left.
        let frame = Frame {
            west: fine.west + fine.cell,
            cell: fine.cell * by as f64,
            rows: fine.rows / by,
            cols: (fine.cols - 1) / by,
            ..fine
        };
        let inner = |row: usize, col: usize| {
            (0..by * by).map(move |k| (row * by + k / by, 1 + col * by + k % by))
        };
        let mut ground = Ground::new(grid(frame.rows, frame.cols, frame.cell), 0.04, |r, c| {
            let beds = inner(r, c).map(|rc| dem[rc]).filter(|z| z.is_finite());
            let (sum, count) = beds.fold((0.0, 0.0), |(s, n), z| (s + z, n + 1.0));
            sum / count
        });
        let mut cells = Vec::new();
        for (r, c) in (0..frame.rows).flat_map(|r| (0..frame.cols).map(move |c| (r, c))) {
            let middle = frame.middle(r, c);
            if is_inside(middle, &road) {
                ground.manning.data[(r, c)] = 0.02;
            }
            let built = |rc: (usize, usize)| {
                let at = fine.middle(rc.0, rc.1);
                polygons.iter().any(|p| is_inside(at, p))
            };
            let share = inner(r, c).filter(|&rc| built(rc)).count();
            if 2 * share >= by * by || !ground.bed.data[(r, c)].is_finite() {
                ground.kind.data[(r, c)] = WALL;
            } else if libm::hypot(middle[0] - 382_265.0, middle[1] - 6_354_280.0) <= 10.0 {
                cells.push(frame.number((r, c)));
            }
        }
        // Closed to the west and south, open to the north and east, as in the model of the data's source.
        for r in 0..frame.rows {
            ground.kind.data[(r, 0)] = WALL;
        }
        ground.kind.data.row_mut(frame.rows - 1).fill(WALL);
        let area = cells.len() as f64 * frame.cell * frame.cell;
        let inflow = Inflow {
            rates_m_s: vec![(19.7 / area) as f32; cells.len()],
            cells,
            step_s: 1e6,
        };
        Some(Merewether {
            frame,
            ground,
            inflow,
        })
    }
}

/// The published levels of one point differ by up to 0.24 m between the two models, so that 0.25 m of both is asked.
#[test]
fn merewethers_street_floods() {
    let Some(case) = Merewether::new(1) else {
        return;
    };
    let Some(points) = table("flood/merewether/ObservationPoints.csv") else {
        return;
    };
    for scheme in [Scheme::Inertial, Scheme::Fv1] {
        let options = SolverOptions {
            scheme,
            edge: Edge::Free,
            end_s: 800.0,
            ..Default::default()
        };
        let street = Case {
            inflows: std::slice::from_ref(&case.inflow),
            ..Case::new(case.ground.domain())
        };
        let mut run = Simulation::new(street, &options).unwrap();
        let levels = |run: &Simulation<'_>| -> Vec<f64> {
            let place = |row: &Vec<String>| case.frame.cell_at([number(row, 0), number(row, 1)]);
            let cells = points.iter().map(|row| case.frame.number(place(row)));
            cells.map(|c| run.probe(c).unwrap().level_m).collect()
        };
        run.advance(700.0).unwrap();
        let before = levels(&run);
        run.advance(800.0).unwrap();
        let after = levels(&run);
        let end = run.finish();
        println!(
            "Merewether, {scheme:?}, 1 m: {} steps, {} M cell-steps",
            end.steps,
            end.cell_steps / 1_000_000
        );
        assert_balanced(&end);
        for (k, row) in points.iter().enumerate() {
            let [anuga, tuflow] = [number(row, 4), number(row, 5)];
            println!(
                "  point {}: {:.2} m; ANUGA {anuga}, TUFLOW {tuflow}",
                row[2], after[k]
            );
            assert!((after[k] - before[k]).abs() < 0.01, "not yet steady");
            assert!((after[k] - anuga).abs() < 0.25 && (after[k] - tuflow).abs() < 0.25);
        }
    }
}
