//! `Grid`: where the cells of a raster lie. North-up, row 0 in the north, column 0 in the west.

use crate::crs::{Crs, Projector, degree_lengths_m, zone_area_per_radian};
use crate::error::{Error, Fault, Result};

/// A rectangle in the coordinates of some system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Least x.
    pub west: f64,
    /// Least y.
    pub south: f64,
    /// Greatest x.
    pub east: f64,
    /// Greatest y.
    pub north: f64,
}

impl Bounds {
    /// The empty rectangle, neutral for [`Bounds::union`].
    pub const EMPTY: Bounds = Bounds {
        west: f64::INFINITY,
        south: f64::INFINITY,
        east: f64::NEG_INFINITY,
        north: f64::NEG_INFINITY,
    };

    /// True where the two share an area.
    pub fn intersects(&self, other: &Bounds) -> bool {
        self.west < other.east
            && other.west < self.east
            && self.south < other.north
            && other.south < self.north
    }

    /// The smallest rectangle around both.
    #[must_use]
    pub fn union(&self, other: &Bounds) -> Bounds {
        Bounds {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }

    /// Grown to hold the point.
    #[must_use]
    pub fn with(&self, x: f64, y: f64) -> Bounds {
        self.union(&Bounds {
            west: x,
            south: y,
            east: x,
            north: y,
        })
    }

    /// Grown by `margin` on every side.
    #[must_use]
    pub fn expanded(&self, margin: f64) -> Bounds {
        Bounds {
            west: self.west - margin,
            south: self.south - margin,
            east: self.east + margin,
            north: self.north + margin,
        }
    }

    /// The rectangle around this one in another system, its edges followed at 32 points each.
    #[must_use]
    pub fn projected(&self, from: Crs, to: Crs) -> Bounds {
        let p = Projector::new(from, to);
        let mut out = Bounds::EMPTY;
        for i in 0..=32 {
            let t = f64::from(i) / 32.0;
            let x = self.west + t * (self.east - self.west);
            let y = self.south + t * (self.north - self.south);
            for (a, b) in [
                (x, self.south),
                (x, self.north),
                (self.west, y),
                (self.east, y),
            ] {
                let (u, v) = p.point(a, b);
                out = out.with(u, v);
            }
        }
        out
    }
}

/// A block of rows and columns of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First row.
    pub row: usize,
    /// First column.
    pub col: usize,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
}

/// System, origin, cell size and shape of a north-up raster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Coordinate reference system.
    pub crs: Crs,
    /// x of the western edge of column 0.
    pub west: f64,
    /// y of the northern edge of row 0.
    pub north: f64,
    /// Cell width, positive, in the unit of the system.
    pub dx: f64,
    /// Cell height, positive, in the unit of the system.
    pub dy: f64,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
}

impl Grid {
    /// A grid from its north-western corner.
    ///
    /// # Errors
    /// Cell sizes that are not positive and finite, an empty shape, or more cells than a u32 can number.
    pub fn new(
        crs: Crs,
        (west, north): (f64, f64),
        (dx, dy): (f64, f64),
        (rows, cols): (usize, usize),
    ) -> Result<Grid> {
        let sizes = dx > 0.0 && dy > 0.0 && dx.is_finite() && dy.is_finite();
        let cells = rows.saturating_mul(cols);
        if !(sizes
            && west.is_finite()
            && north.is_finite()
            && cells > 0
            && cells < u32::MAX as usize)
        {
            return Err(Error::input(Fault::new(
                "grid",
                format!("{rows} x {cols} cells of {dx} x {dy} at ({west}, {north})"),
                "a north-up grid with positive cell sizes and 1 to 4,294,967,294 cells",
                "check the affine transform and the shape of the raster",
            )));
        }
        Ok(Grid {
            crs,
            west,
            north,
            dx,
            dy,
            rows,
            cols,
        })
    }

    /// The grid of square cells that covers `bounds`, its edges on whole multiples of the cell size.
    ///
    /// # Errors
    /// As [`Grid::new`].
    pub fn covering(crs: Crs, bounds: &Bounds, cell: f64) -> Result<Grid> {
        let west = (bounds.west / cell).floor() * cell;
        let north = (bounds.north / cell).ceil() * cell;
        let cols = ((bounds.east - west) / cell).ceil().max(1.0) as usize;
        let rows = ((north - bounds.south) / cell).ceil().max(1.0) as usize;
        Grid::new(crs, (west, north), (cell, cell), (rows, cols))
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.rows * self.cols
    }

    /// Outer edges.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            west: self.west,
            south: self.north - self.dy * self.rows as f64,
            east: self.west + self.dx * self.cols as f64,
            north: self.north,
        }
    }

    /// x of the centre of a column.
    pub fn x(&self, col: usize) -> f64 {
        self.west + (col as f64 + 0.5) * self.dx
    }

    /// y of the centre of a row.
    pub fn y(&self, row: usize) -> f64 {
        self.north - (row as f64 + 0.5) * self.dy
    }

    /// Row and column of the cell that holds a point; `None` outside.
    pub fn cell_at(&self, x: f64, y: f64) -> Option<(usize, usize)> {
        let col = ((x - self.west) / self.dx).floor();
        let row = ((self.north - y) / self.dy).floor();
        (col >= 0.0 && row >= 0.0 && col < self.cols as f64 && row < self.rows as f64)
            .then_some((row as usize, col as usize))
    }

    /// Number of a cell, counted along rows from the north-western corner.
    pub fn index(&self, row: usize, col: usize) -> u32 {
        (row * self.cols + col) as u32
    }

    /// Row and column of a cell number.
    pub fn row_col(&self, cell: u32) -> (usize, usize) {
        (cell as usize / self.cols, cell as usize % self.cols)
    }

    /// Width and height in metres of the cells of a row: exact in projected systems (up to the projection's scale),
    /// on the ellipsoid at the row's centre in geographic ones.
    pub fn cell_size_m(&self, row: usize) -> (f64, f64) {
        if self.crs.is_geographic() {
            let (lon_m, lat_m) = degree_lengths_m(self.y(row), self.crs.flattening());
            (self.dx * lon_m, self.dy * lat_m)
        } else {
            (self.dx, self.dy)
        }
    }

    /// Area in m² of the cells of a row; on the ellipsoid in geographic systems.
    pub fn cell_area_m2(&self, row: usize) -> f64 {
        if self.crs.is_geographic() {
            let f = self.crs.flattening();
            let top = self.north - row as f64 * self.dy;
            let band = zone_area_per_radian(top, f) - zone_area_per_radian(top - self.dy, f);
            (band * self.dx.to_radians()).abs()
        } else {
            self.dx * self.dy
        }
    }

    /// The grid of a window.
    ///
    /// # Panics
    /// The window reaches beyond the grid.
    #[must_use]
    pub fn window(&self, w: Window) -> Grid {
        assert!(
            w.row + w.rows <= self.rows && w.col + w.cols <= self.cols,
            "window {w:?} reaches beyond {} x {} cells",
            self.rows,
            self.cols
        );
        Grid {
            west: self.west + w.col as f64 * self.dx,
            north: self.north - w.row as f64 * self.dy,
            rows: w.rows,
            cols: w.cols,
            ..*self
        }
    }

    /// The window of all cells that touch `bounds` (in this grid's system); `None` where they do not meet.
    pub fn window_of(&self, bounds: &Bounds) -> Option<Window> {
        if !self.bounds().intersects(bounds) {
            return None;
        }
        let col0 = ((bounds.west - self.west) / self.dx).floor().max(0.0) as usize;
        let row0 = ((self.north - bounds.north) / self.dy).floor().max(0.0) as usize;
        let col1 = (((bounds.east - self.west) / self.dx).ceil() as usize).min(self.cols);
        let row1 = (((self.north - bounds.south) / self.dy).ceil() as usize).min(self.rows);
        (col1 > col0 && row1 > row0).then(|| Window {
            row: row0,
            col: col0,
            rows: row1 - row0,
            cols: col1 - col0,
        })
    }

    /// True where two grids have the same cells (to a millionth of a cell).
    pub fn same_cells(&self, other: &Grid) -> bool {
        let near = |a: f64, b: f64, cell: f64| (a - b).abs() <= 1e-6 * cell;
        self.crs == other.crs
            && self.shape() == other.shape()
            && near(self.west, other.west, self.dx)
            && near(self.north, other.north, self.dy)
            && near(self.dx, other.dx, self.dx * 1e-3)
            && near(self.dy, other.dy, self.dy * 1e-3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_geographic_grid_cover_the_ellipsoid() {
        // The whole ellipsoid has 510,065,621.7 km² (GRS80, Moritz 1980).
        let g = Grid::new(Crs::CGCS2000, (-180.0, 90.0), (1.0, 1.0), (180, 360)).unwrap();
        let total: f64 = (0..180).map(|r| g.cell_area_m2(r) * 360.0).sum();
        assert!((total / 1e6 - 510_065_621.7).abs() < 0.1, "{total}");
    }

    #[test]
    fn points_find_their_cells() {
        let g = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 40.0),
            (10.0, 10.0),
            (4, 3),
        )
        .unwrap();
        assert_eq!(g.cell_at(0.0, 40.0), Some((0, 0)));
        assert_eq!(g.cell_at(29.9, 0.1), Some((3, 2)));
        assert_eq!(g.cell_at(30.0, 5.0), None);
        assert_eq!(g.row_col(g.index(2, 1)), (2, 1));
        let w = g
            .window_of(&Bounds {
                west: 5.0,
                south: 11.0,
                east: 15.0,
                north: 29.0,
            })
            .unwrap();
        assert_eq!(
            w,
            Window {
                row: 1,
                col: 0,
                rows: 2,
                cols: 2
            }
        );
    }
}
