//! The map frame (图廓): which ground it shows, at what scale.

use anlan_engine::grid::Bounds;
use anlan_engine::{Crs, Grid};

/// Position of the map on the sheet, mm, and its ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
    /// Map units per mm of paper.
    pub scale: f64,
    pub west: f64,
    pub north: f64,
}

impl Frame {
    /// The ground in the middle of an area of the sheet, at the largest round scale at which all of it is seen.
    pub fn around(ground: &Bounds, crs: Crs, area: [f32; 4]) -> Frame {
        let (width, height) = (area[2] - area[0], area[3] - area[1]);
        let (w, h) = (ground.east - ground.west, ground.north - ground.south);
        let metres = metres_per_unit(crs, 0.5 * (ground.north + ground.south));
        let needed = (w / f64::from(width)).max(h / f64::from(height));
        // 1:N with two digits, so that a ruler and the sheet agree.
        let ratio = round_up(needed * metres * 1000.0);
        let scale = ratio / 1000.0 / metres;
        Frame {
            x: area[0],
            y: area[1],
            width,
            height,
            scale,
            west: 0.5 * (ground.west + ground.east) - 0.5 * f64::from(width) * scale,
            north: 0.5 * (ground.north + ground.south) + 0.5 * f64::from(height) * scale,
        }
    }

    /// Paper of a point of the map, mm.
    pub fn mm(&self, x: f64, y: f64) -> (f32, f32) {
        (
            self.x + ((x - self.west) / self.scale) as f32,
            self.y + ((self.north - y) / self.scale) as f32,
        )
    }

    /// Ground of a point of the paper.
    pub fn map(&self, x: f32, y: f32) -> (f64, f64) {
        (
            self.west + f64::from(x - self.x) * self.scale,
            self.north - f64::from(y - self.y) * self.scale,
        )
    }

    /// West, north, east and south edge on the paper.
    pub fn area(&self) -> [f32; 4] {
        [self.x, self.y, self.x + self.width, self.y + self.height]
    }

    pub fn holds(&self, x: f32, y: f32) -> bool {
        x >= self.x && x <= self.x + self.width && y >= self.y && y <= self.y + self.height
    }

    /// The ground shown.
    pub fn ground(&self) -> Bounds {
        Bounds {
            west: self.west,
            south: self.north - f64::from(self.height) * self.scale,
            east: self.west + f64::from(self.width) * self.scale,
            north: self.north,
        }
    }

    /// Denominator of the scale on paper.
    pub fn ratio(&self, crs: Crs) -> f64 {
        let middle = self.north - 0.5 * f64::from(self.height) * self.scale;
        self.scale * metres_per_unit(crs, middle) * 1000.0
    }

    /// Cells of a grid that the frame shows: rows and columns, half open.
    pub fn cells(&self, grid: &Grid) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
        let (b, g) = (grid.bounds(), self.ground());
        let range = |from: f64, to: f64, n: usize| {
            let a = from.floor().max(0.0) as usize;
            let z = (to.ceil().max(0.0) as usize).min(n);
            (a < z).then_some(a..z)
        };
        let rows = range(
            (b.north - g.north) / grid.dy,
            (b.north - g.south) / grid.dy,
            grid.rows,
        )?;
        let cols = range(
            (g.west - b.west) / grid.dx,
            (g.east - b.west) / grid.dx,
            grid.cols,
        )?;
        Some((rows, cols))
    }
}

/// Metres on the ground per map unit: degrees of a geographic system are those of a parallel at `lat`.
fn metres_per_unit(crs: Crs, lat: f64) -> f64 {
    if crs.is_geographic() {
        111_320.0 * libm::cos(lat.to_radians())
    } else {
        1.0
    }
}

/// The least number of two digits and zeros that is not below `n`.
fn round_up(n: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(n).floor() - 1.0);
    (n / power * (1.0 - 1e-12)).ceil() * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round_and_hold_the_ground() {
        let ground = Bounds {
            west: 400_000.0,
            south: 3_100_000.0,
            east: 483_000.0,
            north: 3_200_000.0,
        };
        let crs = Crs::from_epsg(4549).unwrap();
        let frame = Frame::around(&ground, crs, [10.0, 20.0, 170.0, 180.0]);
        // 100 km on 160 mm: 1:625 000, rounded up to 1:630 000.
        assert!((frame.ratio(crs) - 630_000.0).abs() < 1e-6);
        let (x, y) = frame.mm(400_000.0, 3_200_000.0);
        assert!(frame.holds(x, y));
        let back = frame.map(x, y);
        assert!((back.0 - 400_000.0).abs() < 0.1 && (back.1 - 3_200_000.0).abs() < 0.1);
        assert_eq!(round_up(250_000.0), 250_000.0);
        assert_eq!(round_up(1.01e6), 1.1e6);
    }
}
