//! Flooded hotspots (易涝点、淹没点；一点一策): clusters of deep cells where people live.

use anlan_engine::Raster;

/// What hotspots are found from, all on one grid.
#[derive(Debug, Clone, Copy)]
pub struct HotspotInput<'a> {
    /// Depths at the return periods, m, ascending period; NaN is dry.
    pub depths: &'a [Raster<f32>],
    /// Which of them decides.
    pub deciding: usize,
    /// Residents of each cell.
    pub people: &'a [f64],
    /// Township of each cell; `u32::MAX` outside. Clusters end at its borders: every point has one owner.
    pub township: &'a [u32],
    /// True for built-up cells.
    pub urban: &'a [bool],
    /// Least depth, m.
    pub least_depth_m: f32,
    /// Residents that a hotspot has at least.
    pub least_people: f64,
}

/// A hotspot.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotspot {
    /// Its cells, ascending.
    pub cells: Vec<u32>,
    /// Township.
    pub township: u32,
    /// Residents in its cells.
    pub people: f64,
    /// Share of built-up cells.
    pub urban_share: f64,
    /// Cell where the point is drawn: the deepest with residents; the first of equals.
    pub peak: u32,
    /// By return period: (greatest depth, mean depth over its cells, m; residents in cells at least so deep).
    pub by_period: Vec<(f32, f64, f64)>,
}

/// Clusters of cells at least so deep, with residents or beside a cell with residents; cells that touch by side or corner
/// belong together within a township. By ascending first cell.
pub fn hotspots(input: &HotspotInput<'_>) -> Vec<Hotspot> {
    let deciding = &input.depths[input.deciding];
    let (rows, cols) = deciding.grid.shape();
    let around = |cell: usize| {
        let (r, c) = (cell / cols, cell % cols);
        (r.saturating_sub(1)..(r + 2).min(rows))
            .flat_map(move |y| (c.saturating_sub(1)..(c + 2).min(cols)).map(move |x| y * cols + x))
    };
    let deep = |cell: usize| deciding.values()[cell] >= input.least_depth_m;
    let mut open: Vec<bool> = (0..rows * cols)
        .map(|cell| {
            deep(cell)
                && input.township[cell] != u32::MAX
                && around(cell).any(|n| input.people[n] > 0.0)
        })
        .collect();
    let mut out = Vec::new();
    for first in 0..rows * cols {
        if !open[first] {
            continue;
        }
        let township = input.township[first];
        let mut cells = Vec::new();
        let mut stack = vec![first];
        open[first] = false;
        while let Some(cell) = stack.pop() {
            cells.push(cell as u32);
            for n in around(cell) {
                if open[n] && input.township[n] == township {
                    open[n] = false;
                    stack.push(n);
                }
            }
        }
        cells.sort_unstable();
        let people: f64 = cells.iter().map(|&c| input.people[c as usize]).sum();
        if people >= input.least_people {
            out.push(describe(input, cells, township, people));
        }
    }
    out
}

fn describe(input: &HotspotInput<'_>, cells: Vec<u32>, township: u32, people: f64) -> Hotspot {
    let deciding = input.depths[input.deciding].values();
    let lived_in = |c: &u32| input.people[*c as usize] > 0.0;
    let mut peak = cells[0];
    for &c in &cells {
        let better =
            (lived_in(&c), deciding[c as usize]) > (lived_in(&peak), deciding[peak as usize]);
        if better {
            peak = c;
        }
    }
    let by_period = input
        .depths
        .iter()
        .map(|raster| {
            let (mut most, mut sum, mut wet) = (0.0_f32, 0.0_f64, 0.0);
            for &c in &cells {
                let d = raster.values()[c as usize];
                if d > 0.0 {
                    most = most.max(d);
                    sum += f64::from(d);
                }
                if d >= input.least_depth_m {
                    wet += input.people[c as usize];
                }
            }
            (most, sum / cells.len() as f64, wet)
        })
        .collect();
    let urban = cells.iter().filter(|&&c| input.urban[c as usize]).count();
    Hotspot {
        urban_share: urban as f64 / cells.len() as f64,
        cells,
        township,
        people,
        peak,
        by_period,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::{Crs, Grid};
    use ndarray::Array2;

    /// A 4 x 6 grid on paper: a pond of two townships in the middle, a lone cell without people, one with too few.
    #[test]
    fn clusters_end_at_townships_and_need_people() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (500_000.0, 3_200_000.0),
            (100.0, 100.0),
            (4, 6),
        )
        .unwrap();
        let raster = |v: [[f32; 6]; 4]| {
            Raster::new(grid, Array2::from_shape_vec((4, 6), v.concat()).unwrap())
        };
        let n = f32::NAN;
        let depths = [
            raster([
                [n, n, n, n, n, n],
                [n, 0.3, 0.6, n, n, n],
                [n, n, n, n, n, n],
                [n, n, n, n, n, n],
            ]),
            raster([
                [n, n, n, n, n, 0.9],
                [n, 0.6, 0.8, 0.7, n, n],
                [n, 0.4, 0.5, n, n, n],
                [0.9, n, n, n, n, n],
            ]),
        ];
        #[rustfmt::skip]
        let people = [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            0.0, 20.0, 5.0, 30.0, 0.0, 0.0,
            0.0, 9.0, 0.0, 0.0, 0.0, 0.0,
            3.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        ];
        let township: Vec<u32> = (0..24).map(|c| u32::from(c % 6 >= 3)).collect();
        let urban: Vec<bool> = (0..24).map(|c| c == 7).collect();
        let found = hotspots(&HotspotInput {
            depths: &depths,
            deciding: 1,
            people: &people,
            township: &township,
            urban: &urban,
            least_depth_m: 0.5,
            least_people: 10.0,
        });
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].cells, [7, 8, 14]);
        assert_eq!(
            (found[0].people, found[0].peak, found[0].township),
            (25.0, 8, 0)
        );
        assert_eq!(found[0].urban_share, 1.0 / 3.0);
        let (most, mean, wet) = found[0].by_period[0];
        assert_eq!((most, wet), (0.6, 5.0));
        assert!((mean - 0.3).abs() < 1e-7);
        assert_eq!(found[0].by_period[1].0, 0.8);
        assert_eq!(
            (found[1].cells.as_slice(), found[1].people),
            (&[9][..], 30.0)
        );
    }
}
