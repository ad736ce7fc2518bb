//! Compaction of the solver's domain: only active cells are stored, as runs of columns per row.
//!
//! Most of a county is hillslope, which the 2-D solver never visits. Active cells of a row form *segments* (unbroken
//! runs of columns). All segments lie one after another in one flat array per field, each preceded by one *pad* element
//! that holds the segment's western boundary face. Where segments of two neighbouring rows overlap in columns, a *link*
//! joins them. All inner loops then run over contiguous slices and the cost is proportional to the active cells.
//! Rows are gathered into *bands* of about 16,000 cells, the unit of parallel work; bands depend on the domain only,
//! never on the number of threads.

use anlan_engine::Raster;
use std::ops::Range;

/// A cell outside the solver: hillslope or no data; a wall to the flow.
pub const WALL: u8 = 0;
/// A cell of the solver.
pub const ACTIVE: u8 = 1;
/// Sea, lake of fixed outlet or the world beyond: water that enters it has left the domain.
pub const OUTLET: u8 = 2;

/// An unbroken run of active cells in a row; `cells` are positions in the compact arrays, `cells.start - 1` is its pad.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    pub cells: Range<usize>,
    pub row: usize,
    pub col: usize,
}

/// `len` faces between the cells from `upper` and the cells from `lower`, one row to the south.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Link {
    pub upper: usize,
    pub lower: usize,
    pub len: usize,
    pub upper_segment: usize,
    pub lower_segment: usize,
}

/// A side of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    East,
    South,
    West,
    North,
}

/// A face through which water leaves the domain at normal depth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Opening {
    pub cell: usize,
    pub side: Side,
    /// sqrt(S0) / n, m^(1/3)/s.
    pub conveyance: f32,
}

/// Rows that one task works on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Band {
    /// Elements of the compact arrays, pads included.
    pub elements: Range<usize>,
    pub segments: Range<usize>,
    /// Links whose upper row is in the band.
    pub below: Range<usize>,
    /// Links whose lower row is in the band.
    pub above: Range<usize>,
    pub openings: Range<usize>,
}

/// The compacted domain.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub elements: usize,
    pub active: usize,
    pub segments: Vec<Segment>,
    pub links: Vec<Link>,
    pub openings: Vec<Opening>,
    pub bands: Vec<Band>,
    pub cols: usize,
}

const BAND_CELLS: usize = 16_384;

impl Layout {
    /// Segments, links and bands of the active cells; openings are added by [`Layout::open`].
    pub fn new(kind: &Raster<u8>) -> Layout {
        let (rows, cols) = kind.grid.shape();
        let values = kind.values();
        let mut segments: Vec<Segment> = Vec::new();
        let mut row_segments = Vec::with_capacity(rows + 1);
        let (mut at, mut active) = (0, 0);
        for row in 0..rows {
            row_segments.push(segments.len());
            let line = &values[row * cols..(row + 1) * cols];
            let mut col = 0;
            while col < cols {
                if line[col] != ACTIVE {
                    col += 1;
                    continue;
                }
                let len = line[col..].iter().take_while(|&&k| k == ACTIVE).count();
                segments.push(Segment {
                    cells: at + 1..at + 1 + len,
                    row,
                    col,
                });
                at += 1 + len;
                active += len;
                col += len;
            }
        }
        row_segments.push(segments.len());
        // One more pad, so that the face east of the last cell has a right-hand element.
        let elements = at + 1;

        let mut links = Vec::new();
        let mut row_links = vec![0; rows + 1];
        for row in 0..rows.saturating_sub(1) {
            row_links[row] = links.len();
            let (mut a, mut b) = (row_segments[row], row_segments[row + 1]);
            let (a_end, b_end) = (row_segments[row + 1], row_segments[row + 2]);
            while a < a_end && b < b_end {
                let (sa, sb) = (&segments[a], &segments[b]);
                let (ea, eb) = (sa.col + sa.cells.len(), sb.col + sb.cells.len());
                let (from, to) = (sa.col.max(sb.col), ea.min(eb));
                if from < to {
                    links.push(Link {
                        upper: sa.cells.start + from - sa.col,
                        lower: sb.cells.start + from - sb.col,
                        len: to - from,
                        upper_segment: a,
                        lower_segment: b,
                    });
                }
                if ea <= eb {
                    a += 1;
                } else {
                    b += 1;
                }
            }
        }
        for slot in &mut row_links[rows.saturating_sub(1)..] {
            *slot = links.len();
        }

        let mut bands = Vec::new();
        let mut row = 0;
        while row < rows {
            let first = row;
            let start = row_segments[row];
            let mut cells = 0;
            while row < rows && cells < BAND_CELLS {
                cells += segments[row_segments[row]..row_segments[row + 1]]
                    .iter()
                    .map(|s| s.cells.len())
                    .sum::<usize>();
                row += 1;
            }
            let end = row_segments[row];
            if start == end {
                continue;
            }
            bands.push(Band {
                elements: segments[start].cells.start - 1..segments[end - 1].cells.end,
                segments: start..end,
                below: row_links[first]..row_links[row],
                above: row_links[first.saturating_sub(1)]..row_links[row - 1],
                openings: 0..0,
            });
        }
        if let Some(last) = bands.last_mut() {
            last.elements.end = elements;
        }
        Layout {
            elements,
            active,
            segments,
            links,
            openings: Vec::new(),
            bands,
            cols,
        }
    }

    /// Calls `visit` with (position in the compact arrays, row, column) of each active cell, in order.
    pub fn for_each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        for s in &self.segments {
            for (k, cell) in s.cells.clone().enumerate() {
                visit(cell, s.row, s.col + k);
            }
        }
    }

    /// Position of a grid cell in the compact arrays; `None` where it is not active.
    pub fn position(&self, row: usize, col: usize) -> Option<usize> {
        let after = self
            .segments
            .partition_point(|s| (s.row, s.col) <= (row, col));
        let s = self.segments.get(after.checked_sub(1)?)?;
        (s.row == row && col < s.col + s.cells.len()).then(|| s.cells.start + col - s.col)
    }

    /// Values of the active cells, in the order of their cell numbers.
    pub fn expand(&self, field: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.active);
        for s in &self.segments {
            out.extend_from_slice(&field[s.cells.clone()]);
        }
        out
    }

    /// Cell numbers of the active cells, ascending.
    pub fn cell_numbers(&self) -> Vec<u32> {
        let mut out = Vec::with_capacity(self.active);
        self.for_each(|_, row, col| out.push((row * self.cols + col) as u32));
        out
    }

    /// Gives the layout its openings, ordered by cell, and hands each band its share.
    pub fn open(&mut self, openings: Vec<Opening>) {
        self.openings = openings;
        for band in &mut self.bands {
            let from = self
                .openings
                .partition_point(|o| o.cell < band.elements.start);
            let to = self
                .openings
                .partition_point(|o| o.cell < band.elements.end);
            band.openings = from..to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};
    use ndarray::arr2;

    fn kinds() -> Raster<u8> {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 30.0),
            (10.0, 10.0),
            (3, 5),
        )
        .unwrap();
        Raster::new(
            grid,
            arr2(&[[1, 1, 0, 1, 1], [0, 1, 1, 1, 0], [0, 0, 0, 0, 1]]),
        )
    }

    #[test]
    fn runs_and_their_overlaps() {
        let layout = Layout::new(&kinds());
        let runs: Vec<_> = layout
            .segments
            .iter()
            .map(|s| (s.row, s.col, s.cells.clone()))
            .collect();
        assert_eq!(
            runs,
            [(0, 0, 1..3), (0, 3, 4..6), (1, 1, 7..10), (2, 4, 11..12)]
        );
        let links: Vec<_> = layout
            .links
            .iter()
            .map(|l| (l.upper, l.lower, l.len))
            .collect();
        assert_eq!(links, [(2, 7, 1), (4, 9, 1)]);
        assert_eq!((layout.active, layout.elements), (8, 13));
        assert_eq!(layout.bands.len(), 1);
        assert_eq!(
            (layout.bands[0].below.clone(), layout.bands[0].above.clone()),
            (0..2, 0..2)
        );
        assert_eq!(layout.cell_numbers(), [0, 1, 3, 4, 6, 7, 8, 14]);
        assert_eq!(layout.position(1, 3), Some(9));
        assert_eq!(layout.position(1, 4), None);
        assert_eq!(layout.position(0, 2), None);
    }

    #[test]
    fn every_link_is_above_one_band_and_below_one() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (10.0, 10.0),
            (90, 700),
        )
        .unwrap();
        // Holes in a pattern, and some rows without any active cell.
        let kind = Raster::new(
            grid,
            ndarray::Array2::from_shape_fn((90, 700), |(r, c)| {
                u8::from(r % 41 != 40 && (r * 7 + c * 3) % 50 != 0)
            }),
        );
        let layout = Layout::new(&kind);
        assert!(layout.bands.len() > 2);
        for side in [|b: &Band| b.below.clone(), |b: &Band| b.above.clone()] {
            let listed: Vec<usize> = layout.bands.iter().flat_map(side).collect();
            assert_eq!(listed, (0..layout.links.len()).collect::<Vec<_>>());
        }
        for b in &layout.bands {
            assert!(
                layout.links[b.below.clone()]
                    .iter()
                    .all(|l| b.elements.contains(&l.upper))
            );
            assert!(
                layout.links[b.above.clone()]
                    .iter()
                    .all(|l| b.elements.contains(&l.lower))
            );
        }
    }
}
