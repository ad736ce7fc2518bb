//! Faces with a law of their own, cells into which water is poured, and cells beyond the domain.
//!
//! All of it is sparse and sorted by row, so that a sweep over rows takes up its share as it passes: faces after the
//! loops over all faces of a row, water and emptying after the row's balance.

use super::kernel::{self, GRAVITY, add, hi};

/// What flows through a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Law {
    /// Out at normal depth: sqrt(S0) / n, m^(1/3)/s.
    Normal { conveyance: f32 },
    /// To and from a water level: its depth over the bed of the inner cell, m; that bed and the number of the boundary.
    Level {
        depth: f32,
        bed: f32,
        boundary: usize,
    },
    /// Over a crest: its height above the beds of the inner and of the outer cell, m, and the discharge coefficient
    /// C of q = C H^1.5, m^(1/2)/s; those beds and the number of the dyke and of its face.
    Weir {
        crest: f32,
        crest_beyond: f32,
        coefficient: f32,
        beds: [f32; 2],
        dyke: (usize, usize),
    },
}

/// A face with its law. Positions are counted from the start of the row that holds the face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gate {
    pub face: usize,
    pub inner: isize,
    pub outer: isize,
    /// 1 where the inner cell lies before the face (west or north of it), -1 where it lies behind.
    pub sign: f32,
    pub law: Law,
}

/// Water given to a cell: column within the row (guards included) and depth per time, m/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Supply {
    pub col: usize,
    pub rate_m_s: f32,
}

/// Entries by row.
#[derive(Debug, Clone)]
struct ByRow<T> {
    entries: Vec<T>,
    start: Vec<usize>,
}

impl<T> ByRow<T> {
    fn new(rows: usize, mut entries: Vec<(usize, T)>) -> ByRow<T> {
        entries.sort_by_key(|e| e.0);
        let start = (0..=rows)
            .map(|row| entries.partition_point(|e| e.0 < row))
            .collect();
        ByRow {
            entries: entries.into_iter().map(|e| e.1).collect(),
            start,
        }
    }

    #[inline(always)]
    fn of(&self, row: isize) -> &[T] {
        match usize::try_from(row) {
            Ok(r) if r + 1 < self.start.len() => &self.entries[self.start[r]..self.start[r + 1]],
            _ => &[],
        }
    }
}

/// Everything sparse that a sweep takes up.
#[derive(Debug, Clone)]
pub(super) struct Faces {
    rows: usize,
    east: ByRow<Gate>,
    south: ByRow<Gate>,
    supplies: ByRow<Supply>,
    /// Columns of cells beyond the domain that a gate leads to.
    beyond: ByRow<usize>,
}

/// Sums over the rows of a band.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Settled {
    /// Greatest depth, m.
    pub deepest: f32,
    /// Greatest speed of a wave, m/s (finite volumes only).
    pub fastest: f32,
    /// Water given and water that left, m over one cell.
    pub given: f64,
    pub left: f64,
}

impl Settled {
    /// With the sums of the next band.
    pub fn join(self, next: Settled) -> Settled {
        Settled {
            deepest: hi(self.deepest, next.deepest),
            fastest: hi(self.fastest, next.fastest),
            given: self.given + next.given,
            left: self.left + next.left,
        }
    }
}

impl Faces {
    /// Entries with the row that holds them.
    pub fn new(
        rows: usize,
        east: Vec<(usize, Gate)>,
        south: Vec<(usize, Gate)>,
        beyond: Vec<(usize, usize)>,
    ) -> Faces {
        Faces {
            rows,
            east: ByRow::new(rows, east),
            south: ByRow::new(rows, south),
            supplies: ByRow::new(rows, Vec::new()),
            beyond: ByRow::new(rows, beyond),
        }
    }

    /// Replaces the supplies, given with their rows.
    pub fn supply(&mut self, supplies: Vec<(usize, Supply)>) {
        self.supplies = ByRow::new(self.rows, supplies);
    }

    /// All gates, to change their laws between steps.
    pub fn gates_mut(&mut self) -> impl Iterator<Item = &mut Gate> {
        (self.east.entries.iter_mut()).chain(self.south.entries.iter_mut())
    }

    #[inline(always)]
    pub fn east(&self, row: isize) -> &[Gate] {
        self.east.of(row)
    }

    #[inline(always)]
    pub fn south(&self, row: isize) -> &[Gate] {
        self.south.of(row)
    }

    /// The world beyond never runs short.
    #[inline(always)]
    pub fn free_shares(&self, row: isize, share: &mut [f32]) {
        for &col in self.beyond.of(row) {
            share[col] = 1.0;
        }
    }

    /// Empties the cells beyond without a word to the ledger: between the stages of one step.
    #[inline(always)]
    pub fn clear(&self, row: isize, h: &mut [f32]) {
        for &col in self.beyond.of(row) {
            h[col] = 0.0;
        }
    }

    /// Pours supplies into the cells of a row and empties the cells beyond. `h`, `rest`: the whole row.
    #[inline(always)]
    pub fn settle(&self, row: isize, dt: f32, h: &mut [f32], rest: &mut [f32], sum: &mut Settled) {
        for s in self.supplies.of(row) {
            let depth = s.rate_m_s * dt;
            (h[s.col], rest[s.col]) = add(h[s.col], rest[s.col], depth);
            sum.given += f64::from(depth);
            sum.deepest = hi(h[s.col], sum.deepest);
        }
        for &col in self.beyond.of(row) {
            sum.left += f64::from(h[col]) + f64::from(rest[col]);
            (h[col], rest[col]) = (0.0, 0.0);
        }
    }
}

/// Outflow at normal depth, m²/s: h^(5/3) sqrt(S0) / n, at most critical.
#[inline(always)]
pub(super) fn normal_flow(depth: f32, conveyance: f32, dry: f32) -> f32 {
    if depth <= dry {
        return 0.0;
    }
    let y = kernel::reciprocal_sixth_root(depth);
    let q = depth * depth * (y * y) * conveyance;
    kernel::lo(q, depth * (GRAVITY * depth).sqrt())
}

/// Flow over a crest from the first side to the second, m²/s: C H^1.5 of the higher side, drowned by the lower one after
/// Villemonte (1947, Eng. News Rec. 139:866): (1 - (H2/H1)^1.5)^0.385. Heads in m above the crest.
#[inline(always)]
pub(super) fn weir_flow(head: f32, head_beyond: f32, coefficient: f32) -> f32 {
    let (up, down) = (hi(head, head_beyond), kernel::lo(head, head_beyond));
    if up <= 0.0 {
        return 0.0;
    }
    let free = coefficient * up * up.sqrt();
    let ratio = hi(down, 0.0) / up;
    let drowned = 1.0 - f64::from(ratio * ratio.sqrt());
    let q = free * libm::pow(drowned.max(0.0), 0.385) as f32;
    if head >= head_beyond { q } else { -q }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weirs_flow_downhill_and_drown() {
        // C 1.7, head 0.5 m: 0.601 m²/s free; half drowned: (1 - 0.5^1.5)^0.385 = 0.8456.
        assert!((weir_flow(0.5, -1.0, 1.7) - 0.601_04).abs() < 1e-4);
        assert!((weir_flow(0.5, 0.25, 1.7) / 0.601_04 - 0.845_6).abs() < 1e-3);
        assert_eq!(weir_flow(0.5, 0.5, 1.7), 0.0);
        assert_eq!(weir_flow(-0.1, -0.2, 1.7), 0.0);
        assert!((weir_flow(0.2, 0.5, 1.7) + weir_flow(0.5, 0.2, 1.7)).abs() < 1e-7);
    }

    #[test]
    fn normal_flow_is_mannings() {
        let q = normal_flow(0.5, (libm::sqrt(1e-3) / 0.03) as f32, 1e-4);
        assert!(
            (f64::from(q) / (libm::pow(0.5, 5.0 / 3.0) * libm::sqrt(1e-3) / 0.03) - 1.0).abs()
                < 1e-5
        );
    }
}
