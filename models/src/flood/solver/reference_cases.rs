//! The solver on floods that were surveyed, measured in a model or imaged: the table of VALIDATION.md.
#![allow(clippy::print_stdout)] // figures are told to who runs the tests

use super::tests::{Ground, grid, shared, shared_file};
use super::{
    ACTIVE, Boundary, BoundaryLaw, Case, Dyke, Edge, Inflow, Inundation, OUTLET, Scheme, Series,
    SolverOptions, WALL, simulate,
};
use anlan_engine::Raster;
use ndarray::Array2;
use std::io::Read;

const SCHEMES: [Scheme; 3] = [Scheme::Inertial, Scheme::Fv1, Scheme::Fv2];

/// Rectangle of square cells in the coordinates of a case: west and north edge, cell size, m; rows, columns.
#[derive(Debug, Clone, Copy)]
struct Frame {
    west: f64,
    north: f64,
    cell: f64,
    rows: usize,
    cols: usize,
}

impl Frame {
    fn middle(&self, row: usize, col: usize) -> [f64; 2] {
        [
            self.west + (col as f64 + 0.5) * self.cell,
            self.north - (row as f64 + 0.5) * self.cell,
        ]
    }

    fn cell_at(&self, [x, y]: [f64; 2]) -> (usize, usize) {
        let (col, row) = ((x - self.west) / self.cell, (self.north - y) / self.cell);
        assert!(row >= 0.0 && col >= 0.0 && row < self.rows as f64 && col < self.cols as f64);
        (row as usize, col as usize)
    }
}

fn number(row: &[String], column: usize) -> f64 {
    row[column].parse().unwrap()
}

/// Rows of a table of the shared data, without its heading; words and numbers.
fn table(path: &str) -> Option<Vec<Vec<String>>> {
    let text = String::from_utf8(shared_file(path)?).unwrap();
    let row = |l: &str| l.split(',').map(|v| v.trim().to_string()).collect();
    Some(text.lines().skip(1).map(row).collect())
}

/// An ESRI ASCII grid: its frame and values, north-up; no-data is NaN.
fn ascii_grid(text: &str) -> (Frame, Array2<f64>) {
    let mut words = text.split_whitespace();
    let mut head = [0.0f64; 6];
    for value in &mut head {
        words.next();
        *value = words.next().unwrap().parse().unwrap();
    }
    let [cols, rows, west, south, cell, none] = head;
    let (rows, cols) = (rows as usize, cols as usize);
    let values: Vec<f64> = (words.take(rows * cols))
        .map(|w| w.parse().unwrap())
        .map(|v| if v == none { f64::NAN } else { v })
        .collect();
    let north = south + rows as f64 * cell;
    let frame = Frame {
        west,
        north,
        cell,
        rows,
        cols,
    };
    (frame, Array2::from_shape_vec((rows, cols), values).unwrap())
}

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

fn rmse(errors: &[f64]) -> f64 {
    libm::sqrt(errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64)
}

/// Malpasset (1959): the valley on square cells, walls around the mesh, the reservoir full to 100 m, the sea at 0.
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

    fn run(&self, scheme: Scheme, end_s: f64) -> Inundation {
        let options = SolverOptions {
            scheme,
            end_s,
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

/// Errors of the greatest levels at points, and arrivals: in the cell of the point, or the nearest that was flooded.
fn at_points(case: &Malpasset, end: &Inundation, points: &[[f64; 2]]) -> Vec<(f64, f64, f64)> {
    let grid = &case.ground.bed.grid;
    let depth = end.raster(grid, &end.max_depth_m);
    let arrival = end.raster(grid, &end.arrival_s);
    let away = |row: usize, col: usize, [x, y]: [f64; 2]| {
        let [xc, yc] = case.frame.middle(row, col);
        libm::hypot(x - xc, y - yc)
    };
    let level = |&point: &[f64; 2]| {
        let (row, col) = case.frame.cell_at(point);
        let (r, c) = (row.saturating_sub(6)..row + 7)
            .flat_map(|r| (col.saturating_sub(6)..col + 7).map(move |c| (r, c)))
            .filter(|&rc| depth.data[rc] > 0.01)
            .min_by(|&a, &b| away(a.0, a.1, point).total_cmp(&away(b.0, b.1, point)))
            .unwrap();
        let z = f64::from(case.ground.bed.data[(r, c)]);
        (
            z + f64::from(depth.data[(r, c)]),
            f64::from(arrival.data[(r, c)]),
            away(r, c, point),
        )
    };
    points.iter().map(level).collect()
}

#[test]
fn malpassets_dam_breaks() {
    let cell = std::env::var("EXP_CELL").map_or(20.0, |v| v.parse().unwrap());
    let end_s = std::env::var("EXP_END").map_or(4000.0, |v| v.parse().unwrap());
    let Some(case) = Malpasset::new(cell) else {
        return;
    };
    let Some(gauges) = table("flood/malpasset/observed_model_gauges.csv") else {
        return;
    };
    let Some(police) = table("flood/malpasset/observed_police_points.csv") else {
        return;
    };
    let place = |row: &Vec<String>| [number(row, 1), number(row, 2)];
    let volume = case
        .start
        .values()
        .iter()
        .map(|&h| f64::from(h))
        .sum::<f64>()
        * cell
        * cell;
    println!("Malpasset: {cell} m, water {:.2} hm³", volume / 1e6);
    for scheme in SCHEMES {
        let begun = std::time::Instant::now();
        let end = case.run(scheme, end_s);
        let spent = begun.elapsed().as_secs_f64();
        dump(
            &format!("malpasset_{scheme:?}_{cell}"),
            &end.raster(&case.ground.bed.grid, &end.max_depth_m),
        );
        let found = at_points(&case, &end, &gauges.iter().map(place).collect::<Vec<_>>());
        for (row, f) in gauges.iter().zip(&found) {
            let (r, c) = case.frame.cell_at(place(row));
            println!(
                "  {} bed {:.2} (model {}) level {:.2} observed {} geoclaw {} arrival {:.0} observed {} off {:.0} m",
                row[0],
                case.ground.bed.data[(r, c)],
                row[3],
                f.0,
                row[4],
                row[6],
                f.1,
                row[5],
                f.2
            );
        }
        let levels: Vec<f64> = gauges
            .iter()
            .zip(&found)
            .map(|(row, f)| f.0 - number(row, 4))
            .collect();
        let late: Vec<f64> = gauges
            .iter()
            .zip(&found)
            .skip(1)
            .map(|(row, f)| f.1 - number(row, 5))
            .collect();
        let found = at_points(&case, &end, &police.iter().map(place).collect::<Vec<_>>());
        for (row, f) in police.iter().zip(&found) {
            println!(
                "  {} level {:.2} observed {} geoclaw {} off {:.0} m",
                row[0], f.0, row[3], row[4], f.2
            );
        }
        let marks: Vec<f64> = police
            .iter()
            .zip(&found)
            .map(|(row, f)| f.0 - number(row, 3))
            .collect();
        println!(
            "Malpasset {scheme:?}: gauges {:.2} m, police {:.2} m, arrival {:.1} s, ledger {:.1e}, {} steps, {} Mcs, {spent:.0} s",
            rmse(&levels),
            rmse(&marks),
            rmse(&late),
            end.ledger.error(),
            end.steps,
            end.cell_steps / 1_000_000
        );
    }
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

/// Merewether (2007): a street between houses, which are walls; the inflow's cells.
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
        let road = String::from_utf8(shared_file("flood/merewether/RoadPolygon.csv")?).unwrap();
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
                cells.push((r * frame.cols + c) as u32);
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

#[test]
fn merewethers_street_floods() {
    let by = std::env::var("EXP_CELL").map_or(2, |v| v.parse().unwrap());
    let end_s = std::env::var("EXP_END").map_or(1000.0, |v| v.parse().unwrap());
    let Some(case) = Merewether::new(by) else {
        return;
    };
    let Some(points) = table("flood/merewether/ObservationPoints.csv") else {
        return;
    };
    for scheme in SCHEMES {
        let begun = std::time::Instant::now();
        let options = SolverOptions {
            scheme,
            end_s,
            edge: Edge::Free,
            ..Default::default()
        };
        let end = case
            .ground
            .run(None, std::slice::from_ref(&case.inflow), &options);
        let spent = begun.elapsed().as_secs_f64();
        let depth = end.raster(&case.ground.bed.grid, &end.depth_m);
        dump(&format!("merewether_{scheme:?}_{by}"), &depth);
        for row in &points {
            let at = case.frame.cell_at([number(row, 0), number(row, 1)]);
            let z = f64::from(case.ground.bed.data[at]) + f64::from(depth.data[at]);
            println!(
                "  ID {} level {z:.3} depth {:.3} observed {} anuga {} tuflow {} errors {:.3} {:.3}",
                row[2],
                depth.data[at],
                row[3],
                row[4],
                row[5],
                z - number(row, 4),
                z - number(row, 5)
            );
        }
        println!(
            "Merewether {scheme:?} {by} m: out/in {:.4}, {} steps, {} Mcs, {spent:.0} s",
            end.ledger.outflow_m3 / end.ledger.inflow_m3,
            end.steps,
            end.cell_steps / 1_000_000
        );
    }
}

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

#[test]
fn the_thames_floods_at_buscot() {
    let text = |name: &str| {
        let bytes = shared_file(&format!("flood/buscot/{name}"))?;
        Some(String::from_utf8(bytes).unwrap())
    };
    let (Some(dem), Some(seen), Some(river), Some(weirs)) = (
        text("buscot.dem.ascii"),
        text("sargrid.asc"),
        text("buscot.river"),
        text("buscot.weir"),
    ) else {
        return;
    };
    let (frame, dem) = ascii_grid(&dem);
    let (_, seen) = ascii_grid(&seen);
    let line: Vec<[f64; 2]> = (river.lines().skip(2))
        .map(|l| l.split_whitespace().map(|v| v.parse().unwrap_or(f64::NAN)))
        .map(|mut v| [v.next().unwrap(), v.next().unwrap()])
        .collect();
    let length: f64 = (line.windows(2))
        .map(|p| libm::hypot(p[1][0] - p[0][0], p[1][1] - p[0][1]))
        .sum();
    let cells = channel_cells(&frame, &line);
    let stepped = cells.len() as f64 * frame.cell;
    let mut ns: Vec<f64> = vec![0.01];
    if let Ok(v) = std::env::var("EXP_N") {
        ns = v.split(',').map(|v| v.parse().unwrap()).collect();
    }
    println!(
        "Buscot: channel {length:.0} m, {} cells, {stepped:.0} m",
        cells.len()
    );
    let mut faces = Vec::new();
    for l in weirs.lines().skip(1) {
        let v: Vec<&str> = l.split_whitespace().collect();
        if v.len() < 6 {
            continue;
        }
        let (r, c) = frame.cell_at([
            v[0].parse::<f64>().unwrap() + 1.0,
            v[1].parse::<f64>().unwrap() + 1.0,
        ]);
        let at = (r * frame.cols + c) as u32;
        faces.push((at - frame.cols as u32, at));
    }
    for n in ns {
        for weir in [true, false] {
            let mut ground = Ground::new(grid(frame.rows, frame.cols, frame.cell), 0.06, |r, c| {
                dem[(r, c)]
            });
            let mut is_channel = Array2::from_elem((frame.rows, frame.cols), false);
            for &(at, way) in &cells {
                let bed = 68.740_479 + (67.139 - 68.740_479) * way / length;
                ground.bed.data[at] = (bed as f32).min(ground.bed.data[at]);
                ground.manning.data[at] = (n * 50.0 / 20.0 * libm::sqrt(length / stepped)) as f32;
                is_channel[at] = true;
            }
            let inflow = Inflow {
                cells: vec![(cells[0].0.0 * frame.cols + cells[0].0.1) as u32],
                step_s: 1e6,
                rates_m_s: vec![(73.0 / 2500.0) as f32],
            };
            let boundary = Boundary {
                cells: (0..frame.rows)
                    .filter(|&r| frame.middle(r, 0)[1] > 197_650.0)
                    .map(|r| (r * frame.cols + frame.cols - 1) as u32)
                    .collect(),
                law: BoundaryLaw::Level(Series {
                    times_s: vec![0.0],
                    values: vec![68.43],
                }),
            };
            let dyke = Dyke {
                crest_m: vec![72.0; faces.len()],
                faces: faces.clone(),
                coefficient: 1.7,
                breaches: Vec::new(),
            };
            for (scheme, theta) in [(Scheme::Inertial, 0.9), (Scheme::Inertial, 1.0), (Scheme::Fv1, 0.9), (Scheme::Fv2, 0.9)] {
                let options = SolverOptions {
                    scheme,
                    theta,
                    end_s: 100_000.0,
                    ..Default::default()
                };
                let dykes = [dyke.clone()];
                let case = Case {
                    inflows: std::slice::from_ref(&inflow),
                    boundaries: std::slice::from_ref(&boundary),
                    dykes: if weir { &dykes } else { &[] },
                    ..Case::new(ground.domain())
                };
                let end = simulate(&case, &options, &mut |_| {}).unwrap();
                for threshold in [0.01f32, 0.05, 0.1, 0.2] {
                    let (mut both, mut ours, mut theirs) = (0, 0, 0);
                    for (&cell, &h) in end.cells.iter().zip(&end.depth_m) {
                        let rc = (cell as usize / frame.cols, cell as usize % frame.cols);
                        match (h > threshold, seen[rc] == 1.0) {
                            (true, true) => both += 1,
                            (true, false) => ours += 1,
                            (false, true) => theirs += 1,
                            _ => {}
                        }
                    }
                    let csi = f64::from(both) / f64::from(both + ours + theirs);
                    let h = |k: usize| {
                        let rc = cells[k].0;
                        end.depth_m[rc.0 * frame.cols + rc.1]
                    };
                    println!(
                        "Buscot n {n} {scheme:?} theta {theta} weir {weir} > {threshold}: CSI {csi:.3} both {both} ours {ours} theirs {theirs}, out/in {:.4}, channel depth {:.2} {:.2} {:.2}",
                        end.ledger.outflow_m3 / end.ledger.inflow_m3,
                        h(3),
                        h(cells.len() / 2),
                        h(cells.len() - 1)
                    );
                }
                if weir && scheme == Scheme::Inertial {
                    dump(
                        &format!("buscot_{n}"),
                        &end.raster(&ground.bed.grid, &end.depth_m),
                    );
                }
            }
        }
    }
}

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

#[test]
fn a_wave_runs_up_a_planar_beach() {
    let (Some(dem), Some(tide)) = (
        shared_file("flood/planar_beach/planar_beach.dem.ascii"),
        shared_file("flood/planar_beach/planar_beach.bdy"),
    ) else {
        return;
    };
    let (frame, dem) = ascii_grid(&String::from_utf8(dem).unwrap());
    let tide = String::from_utf8(tide).unwrap();
    let knots: Vec<[f64; 2]> = (tide.lines().skip(3))
        .filter_map(|l| {
            l.split_whitespace()
                .map(|v| v.parse().ok())
                .collect::<Option<Vec<f64>>>()
        })
        .filter(|v| v.len() == 2)
        .map(|v| [v[1], v[0]])
        .collect();
    let (n, slope) = (0.06, (dem[(120, 0)] - dem[(0, 0)]) / (120.0 * 50.0));
    for k in [0, 100, 1000, 5000] {
        println!(
            "{k} {:.2}",
            behind_the_front(knots[k][1], slope, n) - knots[k][0]
        );
    }
    let head = behind_the_front(knots[0][1], slope, n);
    let worst = (knots.iter().step_by(50))
        .map(|&[t, h]| (depth_behind_the_front(t + head, slope, n) - h).abs())
        .fold(0.0, f64::max);
    println!(
        "planar beach: slope {slope:.6e}, front {head:.2} m at the start, series off by {worst:.5} m"
    );
    for scheme in SCHEMES {
        // The level of the first row of the file is imposed: the solver's grid begins behind it. Finite volumes see the
        // level at the side of the cell, half a cell further: 25 s later on a wave of 1 m/s.
        let (later, further) = if scheme == Scheme::Inertial {
            (0.0, 0.0)
        } else {
            (25.0, 25.0)
        };
        let ground = Ground::new(grid(frame.rows - 1, 4, 50.0), n as f32, |r, _| {
            slope * 50.0 * (r + 1) as f64
        });
        let boundary = Boundary {
            cells: (0..4).collect(),
            law: BoundaryLaw::Level(Series {
                times_s: knots.iter().map(|k| k[0] + later).collect(),
                values: knots.iter().map(|k| k[1] + slope * further).collect(),
            }),
        };
        for at in [2000.0, 4000.0, 5000.0] {
            let options = SolverOptions {
                scheme,
                end_s: at,
                ..Default::default()
            };
            let start =
                ground.depth(|r, _| depth_behind_the_front(head - 50.0 * (r + 1) as f64, slope, n));
            let case = Case {
                initial_depth_m: Some(&start),
                boundaries: std::slice::from_ref(&boundary),
                ..Case::new(ground.domain())
            };
            let end = simulate(&case, &options, &mut |_| {}).unwrap();
            let errors: Vec<f64> = (0..frame.rows - 1)
                .map(|r| {
                    f64::from(end.depth_m[r * 4])
                        - depth_behind_the_front(at + head - 50.0 * (r + 1) as f64, slope, n)
                })
                .collect();
            let inlet = depth_behind_the_front(at + head, slope, n);
            let front = (0..frame.rows - 1)
                .filter(|&r| end.depth_m[r * 4] > 0.01)
                .count() as f64
                * 50.0
                + 25.0;
            let bias = errors.iter().sum::<f64>() / errors.len() as f64;
            println!(
                "planar beach {scheme:?} {at} s: RMSE {:.4} m = {:.2} % of inlet {inlet:.3}, front {front} m exact {:.0}, bias {bias:.4}, first {:.4} ledger {:e}",
                rmse(&errors),
                100.0 * rmse(&errors) / inlet,
                at + head,
                errors[0],
                end.ledger.error()
            );
        }
    }
}

/// A flood from a gap in a dyke over a flat plain of 800 m x 500 m (after test 4 of Néelz & Pender 2013): 40 m wide, 20
/// m³/s at the most; greatest depth and arrival at points 50, 150 and 300 m from the gap.
fn plain(scheme: Scheme, cell: f64) -> Vec<[f64; 2]> {
    let (rows, cols) = ((500.0 / cell) as usize, (800.0 / cell) as usize);
    let ground = Ground::new(grid(rows, cols, cell), 0.05, |_, _| 0.0);
    let cells: Vec<u32> = (0..rows)
        .filter(|&r| ((r as f64 + 0.5) * cell - 250.0).abs() < 20.0)
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
        [100.0, 260.0],
        [200.0, 260.0],
        [200.0, 380.0],
        [300.0, 140.0],
    ]
    .iter()
    .map(|&[x, y]| [value(&end.max_depth_m, x, y), value(&end.arrival_s, x, y)])
    .collect()
}

#[test]
fn a_front_on_a_plain_converges() {
    for scheme in SCHEMES {
        for cell in [20.0, 10.0, 5.0, 2.5] {
            if cell < 3.0 && std::env::var_os("EXP_FINE").is_none() {
                continue;
            }
            println!("plain {scheme:?} {cell} m: {:.4?}", plain(scheme, cell));
        }
    }
}

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

fn dump(name: &str, raster: &Raster<f32>) {
    if let Some(dir) = std::env::var_os("EXP_DUMP") {
        let path = std::path::PathBuf::from(dir).join(format!("{name}.f32"));
        let bytes: Vec<u8> = raster
            .values()
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        std::fs::write(path, bytes).unwrap();
        println!("{name} {:?}", raster.grid.shape());
    }
}
