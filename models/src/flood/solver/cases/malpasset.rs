//! Malpasset (Fréjus, 2 December 1959): a dam of 60 m breaks at once and empties 48 hm³ into a narrow valley. Bed, friction
//! and start as in TELEMAC-2D's example (Hervouet 2007); greatest levels of the 1:400 model of EDF and of the police's
//! survey; George (2011, doi 10.1002/fld.2298) gives GeoClaw's levels at the same points.
#![allow(clippy::print_stdout)] // figures are told to who runs the tests

use super::super::tests::{Ground, grid, shared};
use super::super::{
    ACTIVE, Boundary, BoundaryLaw, Case, Inundation, OUTLET, Scheme, Series, SolverOptions, WALL,
    simulate,
};
use super::{Frame, assert_balanced, number, rmse, table};
use anlan_engine::Raster;
use ndarray::Array2;

/// The valley on square cells, walls around the mesh, the reservoir full to 100 m, the sea at 0.
struct Malpasset {
    frame: Frame,
    ground: Ground,
    start: Raster<f32>,
    sea: Boundary,
}

impl Malpasset {
    fn new(cell: f64) -> Option<Malpasset> {
        let nodes = shared("flood/malpasset/nodes.csv")?;
        let triangles = shared("flood/malpasset/triangles.csv")?;
        let frame = Frame {
            west: 520.0,
            north: 6840.0,
            cell,
            rows: (9200.0 / cell).ceil() as usize,
            cols: (17_260.0 / cell).ceil() as usize,
        };
        let mut ground = Ground::new(grid(frame.rows, frame.cols, cell), 0.033, |_, _| 0.0);
        ground.kind.data.fill(WALL);
        for triangle in &triangles {
            let [a, b, c] = [0, 1, 2].map(|k| &nodes[triangle[k] as usize]);
            let twice = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
            let least = |k: usize| a[k].min(b[k]).min(c[k]);
            let most = |k: usize| a[k].max(b[k]).max(c[k]);
            let (north, west) = frame.cell_at([least(0), most(1)]);
            let (south, east) = frame.cell_at([most(0), least(1)]);
            for (row, col) in (north..=south).flat_map(|r| (west..=east).map(move |c| (r, c))) {
                let [x, y] = frame.middle(row, col);
                let wb = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / twice;
                let wc = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / twice;
                if wb >= 0.0 && wc >= 0.0 && wb + wc <= 1.0 {
                    let z = a[2] + wb * (b[2] - a[2]) + wc * (c[2] - a[2]);
                    ground.bed.data[(row, col)] = z as f32;
                    ground.kind.data[(row, col)] = ACTIVE;
                }
            }
        }
        // Cells beyond the mesh that touch the sea (bed below 0, east of the coast) stand for the open sea.
        let (kinds, beds) = (ground.kind.data.clone(), ground.bed.data.clone());
        let mut coast = Vec::new();
        for (row, col) in (1..frame.rows - 1).flat_map(|r| (1..frame.cols - 1).map(move |c| (r, c)))
        {
            if kinds[(row, col)] != ACTIVE || beds[(row, col)] >= 0.0 {
                continue;
            }
            let beside = [
                (row - 1, col),
                (row + 1, col),
                (row, col - 1),
                (row, col + 1),
            ];
            for at in beside.into_iter().filter(|&at| kinds[at] == WALL) {
                ground.kind.data[at] = OUTLET;
                coast.push((row * frame.cols + col) as u32);
            }
        }
        coast.dedup();
        let sea = Boundary {
            cells: coast,
            law: BoundaryLaw::Level(Series {
                times_s: vec![0.0],
                values: vec![0.0],
            }),
        };
        let reservoir = reservoir(&frame, &ground);
        let start = ground.depth(|r, c| {
            let bed = f64::from(ground.bed.data[(r, c)]);
            match (ground.kind.data[(r, c)] == ACTIVE, reservoir[(r, c)]) {
                (false, _) => 0.0,
                (true, true) => 100.0 - bed,
                (true, false) => (-bed).max(0.0),
            }
        });
        Some(Malpasset {
            frame,
            ground,
            start,
            sea,
        })
    }

    fn run(&self, scheme: Scheme) -> Inundation {
        let options = SolverOptions {
            scheme,
            end_s: 4000.0,
            watch_s: 0.0,
            ..Default::default()
        };
        let case = Case {
            initial_depth_m: Some(&self.start),
            boundaries: std::slice::from_ref(&self.sea),
            ..Case::new(self.ground.domain())
        };
        simulate(&case, &options, &mut |_| {}).unwrap()
    }
}

/// Cells behind the dam and below 100 m, by flooding them from a cell beside the middle of the dam.
fn reservoir(frame: &Frame, ground: &Ground) -> Array2<bool> {
    // The dam, and 30 m beyond each end.
    let (dam, along) = ([4678.34, 4267.755], [-45.68 / 252.85, 248.69 / 252.85]);
    let behind = |[x, y]: [f64; 2]| (x - dam[0]) * along[1] - (y - dam[1]) * along[0] < 0.0;
    let station = |[x, y]: [f64; 2]| ((x - dam[0]) * along[0] + (y - dam[1]) * along[1]).abs();
    let mut found = Array2::from_elem((frame.rows, frame.cols), false);
    let mut open = vec![frame.cell_at([dam[0] - 1.5 * frame.cell, dam[1]])];
    found[open[0]] = true;
    while let Some((row, col)) = open.pop() {
        let here = frame.middle(row, col);
        for (dr, dc) in [(0, 1), (1, 0), (0, -1), (-1, 0)] {
            let at = (row.wrapping_add_signed(dr), col.wrapping_add_signed(dc));
            let there = frame.middle(at.0, at.1);
            let through = behind(here) != behind(there) && station(there) < 160.0;
            let below = ground.kind.data[at] == ACTIVE && ground.bed.data[at] < 100.0;
            if below && !through && !found[at] {
                found[at] = true;
                open.push(at);
            }
        }
    }
    found
}

/// Greatest level, m, and arrival, s, at a point: in its cell or, as the banks of the mesh are not quite those that were
/// surveyed, in the nearest that was flooded, which must lie within 100 m.
fn at_point(case: &Malpasset, end: &Inundation, point: [f64; 2]) -> [f64; 2] {
    let mut nearest = (100.0, [f64::NAN; 2]);
    for (k, &cell) in end.cells.iter().enumerate() {
        let at = (
            cell as usize / case.frame.cols,
            cell as usize % case.frame.cols,
        );
        let [x, y] = case.frame.middle(at.0, at.1);
        let away = libm::hypot(x - point[0], y - point[1]);
        if end.max_depth_m[k] > 0.01 && away < nearest.0 {
            let level = f64::from(case.ground.bed.data[at]) + f64::from(end.max_depth_m[k]);
            nearest = (away, [level, f64::from(end.arrival_s[k])]);
        }
    }
    nearest.1
}

/// Root mean square errors: greatest level at the gauges of the model and at the police's points, m; arrival at the
/// gauges, s.
fn errors(case: &Malpasset, end: &Inundation, tables: &[Vec<Vec<String>>; 2]) -> [f64; 3] {
    let [gauges, police] = tables;
    let found = |rows: &[Vec<String>]| -> Vec<[f64; 2]> {
        (rows.iter().map(|row| [number(row, 1), number(row, 2)]))
            .map(|point| at_point(case, end, point))
            .collect()
    };
    let off = |rows: &[Vec<String>], found: &[[f64; 2]], column: usize, which: usize| {
        let pairs = rows.iter().zip(found);
        let off: Vec<f64> = pairs.map(|(r, f)| f[which] - number(r, column)).collect();
        rmse(&off)
    };
    let (at_gauges, at_police) = (found(gauges), found(police));
    for (row, f) in gauges.iter().zip(&at_gauges) {
        println!(
            "  {}: {:.1} m after {:.0} s; model {} m, {} s; GeoClaw {} m",
            row[0], f[0], f[1], row[4], row[5], row[6]
        );
    }
    for (row, f) in police.iter().zip(&at_police) {
        println!(
            "  {}: {:.1} m; police {} m; GeoClaw {} m",
            row[0], f[0], row[3], row[4]
        );
    }
    [
        off(gauges, &at_gauges, 4, 0),
        off(police, &at_police, 3, 0),
        off(gauges, &at_gauges, 5, 1),
    ]
}

/// Arrivals at the gauges by ANUGA 4.1.0 (DE0) on the triangles of the mesh itself, s: our run of it, with this bed,
/// friction and reservoir; first depth of 5 cm, looked at every 2 s.
const ANUGA_S: [f64; 9] = [
    10.0, 92.0, 212.0, 298.0, 464.0, 644.0, 894.0, 1022.0, 1336.0,
];

/// Root mean square difference of the arrivals at the gauges from ANUGA's, s.
fn off_anuga(case: &Malpasset, end: &Inundation, gauges: &[Vec<String>]) -> f64 {
    let off = |(row, s): (&Vec<String>, &f64)| {
        at_point(case, end, [number(row, 1), number(row, 2)])[1] - s
    };
    rmse(&gauges.iter().zip(&ANUGA_S).map(off).collect::<Vec<_>>())
}

/// Times of the front from transformer A to B and to C over those at which the lights went out in 1959, 1140 s and 1320 s.
fn between_transformers(case: &Malpasset, end: &Inundation) -> Option<[f64; 2]> {
    let rows = table("flood/malpasset/transformers.csv")?;
    let arrivals: Vec<f64> = (rows.iter().map(|row| [number(row, 1), number(row, 2)]))
        .map(|point| at_point(case, end, point)[1])
        .collect();
    Some([
        (arrivals[1] - arrivals[0]) / 1140.0,
        (arrivals[2] - arrivals[0]) / 1320.0,
    ])
}

/// Runs a scheme and holds its figures; `late_most`: bound of the error of arrivals, s. `None`: the case is not there.
///
/// Cells of 25 m: the gorge is three to six of them wide. Asked of finite volumes: smaller errors of level than those of
/// GeoClaw, 4.07 m and 3.09 m (from the columns of the tables). The inertial equations lack what holds such a flood down in
/// its bends: they must run and keep the water.
///
/// Of arrivals in the 1:400 model 60 s was wanted, and what is asserted is where they stand: with n = 0.033 the equations
/// themselves come later. Halving the cells to 12.5 m takes fv2 from 95 s to 82 s and to within 5 s of ANUGA at the first
/// six gauges; ANUGA is off the model by 76 s, of which the last gauge, on the plain 170 m off the
/// river of this mesh, makes 65 s alone. With n = 0.0286 (Strickler 35) fv2 is off by 53 s, with 0.025 by 27 s: the model's
/// floor was smoother than the valley is taken to be. What was measured in the valley itself, the times between the
/// transformers, is met.
fn check(scheme: Scheme, late_most: f64) -> Option<()> {
    let case = Malpasset::new(25.0)?;
    let tables = [
        table("flood/malpasset/observed_model_gauges.csv")?,
        table("flood/malpasset/observed_police_points.csv")?,
    ];
    let end = case.run(scheme);
    let [model, police, late] = errors(&case, &end, &tables);
    println!(
        "Malpasset, {scheme:?}, 25 m: RMSE of levels {model:.2} m in the model, {police:.2} m of the police, of arrivals {late:.0} s; {} steps, {} M cell-steps",
        end.steps,
        end.cell_steps / 1_000_000
    );
    assert_balanced(&end);
    assert!(late < late_most);
    let anuga = off_anuga(&case, &end, &tables[0]);
    let between = between_transformers(&case, &end)?;
    println!(
        "  arrivals off ANUGA's by {anuga:.0} s; from A to B and C {between:.3?} of the time in 1959"
    );
    if scheme == Scheme::Auto {
        assert_eq!(end.scheme, (Scheme::Fv2, 0.0));
        assert!(anuga < 30.0);
        assert!(between.iter().all(|share| (share - 1.0).abs() < 0.07));
    }
    if scheme != Scheme::Inertial {
        assert!(model <= 4.07 && police <= 3.09);
    }
    Some(())
}

#[test]
fn malpassets_dam_breaks() {
    check(Scheme::Auto, 100.0);
}

#[test]
fn malpassets_dam_breaks_without_advection() {
    check(Scheme::Inertial, 60.0);
}

#[test]
#[ignore = "slow: a minute"]
fn malpassets_dam_breaks_to_first_order() {
    check(Scheme::Fv1, 160.0);
}
