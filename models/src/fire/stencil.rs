//! Straight steps between cells, and rings of them around a cell: the geometry of the spread solver.

/// A cell crossed by a straight step: offset and share of the step inside it.
#[derive(Debug, Clone)]
pub(super) struct Crossed {
    pub(super) dx: i32,
    pub(super) dy: i32,
    pub(super) share: f32,
}

/// A straight step from the centre of one cell to that of another; y grows southwards, as rows do.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) dx: i32,
    pub(super) dy: i32,
    pub(super) length: f32,
    /// Cells between the first and the last.
    pub(super) between: Vec<Crossed>,
    /// Share of the step in the first cell; the last has the same.
    pub(super) end_share: f32,
    /// Pairs of cells that touch where the step goes through a corner.
    pub(super) corners: Vec<[(i32, i32); 2]>,
}

impl Step {
    pub(super) fn new(dx: i32, dy: i32) -> Step {
        let length = f64::from(dx * dx + dy * dy).sqrt();
        // Places along the step, in units of 1/(2 dx dy), where it crosses an edge between columns or rows.
        let scale = 2 * dx.abs().max(1) * dy.abs().max(1);
        let mut cuts: Vec<(i32, bool, bool)> = Vec::new();
        let mut cut = |at: i32, column: bool| match cuts.iter_mut().find(|c| c.0 == at) {
            Some(c) => {
                c.1 |= column;
                c.2 |= !column;
            }
            None => cuts.push((at, column, !column)),
        };
        for i in 0..dx.abs() {
            cut((2 * i + 1) * scale / (2 * dx.abs()), true);
        }
        for i in 0..dy.abs() {
            cut((2 * i + 1) * scale / (2 * dy.abs()), false);
        }
        cuts.sort_unstable();
        let (mut x, mut y, mut from) = (0, 0, 0);
        let mut between = Vec::new();
        let mut corners = Vec::new();
        let mut end_share = 1.0;
        for (i, &(at, column, row)) in cuts.iter().enumerate() {
            let share = f64::from(at - from) / f64::from(scale);
            if i == 0 {
                end_share = share;
            } else {
                between.push(Crossed {
                    dx: x,
                    dy: y,
                    share: share as f32,
                });
            }
            if column && row {
                corners.push([(x + dx.signum(), y), (x, y + dy.signum())]);
            }
            if column {
                x += dx.signum();
            }
            if row {
                y += dy.signum();
            }
            from = at;
        }
        Step {
            dx,
            dy,
            length: length as f32,
            between,
            end_share: end_share as f32,
            corners,
        }
    }
}

/// The segment from the start of a ring's step (z) to the start of the step next to it (y), seen from their common end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// Vector from the step of z to the step of y, and its length.
    pub(super) w: (f32, f32),
    pub(super) length: f32,
    /// Distance of the end from the line through y and z, and the position of z along it.
    pub(super) distance: f32,
    pub(super) start: f32,
}

/// Steps around a cell in order of angle, with the segments to the next and to the previous one.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    pub(super) steps: Vec<Step>,
    /// `[step][0: previous, 1: next]`.
    pub(super) segments: Vec<[Segment; 2]>,
}

impl Ring {
    /// 8 neighbours refined by mediants (Stern-Brocot) `depth` times: 8, 16, 32, 64, 128 steps.
    pub(super) fn new(depth: usize) -> Ring {
        let mut v = vec![
            (1, 0),
            (1, 1),
            (0, 1),
            (-1, 1),
            (-1, 0),
            (-1, -1),
            (0, -1),
            (1, -1),
        ];
        for _ in 0..depth {
            v = (0..v.len())
                .flat_map(|i| {
                    let (a, b): ((i32, i32), (i32, i32)) = (v[i], v[(i + 1) % v.len()]);
                    [a, (a.0 + b.0, a.1 + b.1)]
                })
                .collect();
        }
        let n = v.len();
        let segment = |y: (i32, i32), z: (i32, i32)| {
            let w = (f64::from(y.0 - z.0), f64::from(y.1 - z.1));
            let length = (w.0 * w.0 + w.1 * w.1).sqrt();
            let z = (f64::from(z.0), f64::from(z.1));
            Segment {
                w: (w.0 as f32, w.1 as f32),
                length: length as f32,
                distance: ((z.0 * w.1 - z.1 * w.0).abs() / length) as f32,
                start: ((z.0 * w.0 + z.1 * w.1) / length) as f32,
            }
        };
        Ring {
            segments: (0..n)
                .map(|k| {
                    [
                        segment(v[k], v[(k + n - 1) % n]),
                        segment(v[k], v[(k + 1) % n]),
                    ]
                })
                .collect(),
            steps: v.into_iter().map(|(dx, dy)| Step::new(dx, dy)).collect(),
        }
    }

    /// Number of the ring for a length to width.
    pub(super) fn class(length_to_width: f64) -> u8 {
        [1.4, 2.3, 3.3, 5.0]
            .iter()
            .filter(|&&bound| length_to_width > bound)
            .count() as u8
    }
}
