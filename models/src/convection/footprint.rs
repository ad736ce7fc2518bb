//! Footprints of severe convection: the sites that an incident strikes, with the four measures.
//!
//! A site is judged at the centre of its cell. A tornado narrower than a cell so strikes the share of cells that is
//! right on average (chance = path area over cell area), though of one path a cell is struck wholly or not at all.

use super::shape::{NOTHING, Shape};
use crate::hazard::Sites;
use anlan_engine::{Bounds, Footprint};

/// Sites with the first of each row, so that an incident visits only the sites of its rectangle.
#[derive(Debug, Clone)]
pub(crate) struct SiteRows {
    pub(crate) sites: Sites,
    /// `first[r]..first[r + 1]` are the sites of row r.
    first: Vec<usize>,
}

impl SiteRows {
    pub(crate) fn new(sites: Sites) -> Self {
        let cols = sites.grid.cols;
        let mut first = Vec::with_capacity(sites.grid.rows + 1);
        let mut at = 0;
        for row in 0..=sites.grid.rows {
            while at < sites.cells.len() && (sites.cells[at] as usize) < row * cols {
                at += 1;
            }
            first.push(at);
        }
        SiteRows { sites, first }
    }

    /// What the shapes of an incident bring to the sites. Each measure is the greatest of all shapes: gust m/s, hail mm,
    /// tornado EF (-1 none), rain mm/h; 0 where a measure is not brought.
    pub(crate) fn footprint(&self, shapes: &[Shape]) -> Footprint {
        let mut out = Footprint::new(4);
        let bounds: Vec<Bounds> = shapes.iter().map(Shape::bounds).collect();
        let all = bounds.iter().fold(Bounds::EMPTY, |a, b| a.union(b));
        let grid = &self.sites.grid;
        let Some(window) = grid.window_of(&all) else {
            return out;
        };
        for row in window.row..window.row + window.rows {
            let (from, to) = (self.first[row], self.first[row + 1]);
            if from == to {
                continue;
            }
            let y = grid.y(row);
            let start = grid.index(row, window.col);
            let end = start + window.cols as u32;
            let cells = &self.sites.cells[from..to];
            let skip = cells.partition_point(|&c| c < start);
            for &cell in cells[skip..].iter().take_while(|&&c| c < end) {
                let x = grid.x((cell - start) as usize + window.col);
                let mut values = NOTHING;
                let mut struck = false;
                for (shape, b) in shapes.iter().zip(&bounds) {
                    if x >= b.west && x <= b.east && y >= b.south && y <= b.north {
                        struck |= shape.strike(x, y, &mut values);
                    }
                }
                if struck {
                    out.push(cell, &values.map(|v| v as f32));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};
    use proptest::prelude::*;

    fn grid() -> Grid {
        Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 20_000.0),
            (1000.0, 1000.0),
            (20, 30),
        )
        .unwrap()
    }

    #[test]
    fn a_path_strikes_the_cells_whose_centres_it_covers() {
        let rows = SiteRows::new(Sites::all(grid()));
        // Along row 9 (y = 10,500) from x = 3,000 to 9,000: centres 3,500 to 8,500.
        let path = Shape::Path {
            middle: (6000.0, 10_500.0),
            half_length_m: 3000.0,
            half_width_m: 100.0,
            angle: (0.0, 1.0),
            ef: 2,
        };
        let f = rows.footprint(&[path]);
        assert_eq!(f.cells, (3..9).map(|c| 9 * 30 + c).collect::<Vec<u32>>());
        assert!(f.values[2].iter().all(|&v| v == 2.0) && f.values[0].iter().all(|&v| v == 0.0));
    }

    proptest! {
        #[test]
        fn rectangles_lose_no_site(
            x in -5e3..35e3_f64, y in -5e3..25e3_f64, a in 500.0..9e3_f64,
            aspect in 0.1..1.0_f64, angle in 0.0..6.3_f64, peak in 17.3..60.0_f64, every in 1_usize..5,
        ) {
            let mut sites = Sites::all(grid());
            sites.cells.retain(|c| (*c as usize).is_multiple_of(every));
            let rows = SiteRows::new(sites.clone());
            let shape = Shape::Swath {
                measure: 0, centre: (x, y), half_axes_m: (a, a * aspect), angle: libm::sincos(angle),
                peak, least: 17.2,
            };
            let f = rows.footprint(&[shape]);
            let mut expected = Vec::new();
            for &c in &sites.cells {
                let (row, col) = sites.grid.row_col(c);
                if shape.strike(sites.grid.x(col), sites.grid.y(row), &mut NOTHING.clone()) {
                    expected.push(c);
                }
            }
            prop_assert_eq!(f.cells, expected);
        }
    }
}
