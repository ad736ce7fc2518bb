//! How far debris runs: the energy line (能量线) down the path of steepest descent.
//!
//! From the crown of the slide a line falls at the reach angle; debris runs on while the line is above the ground. The
//! height between the two is the energy head, and sqrt(2 g head) the velocity.
//!
//! # References
//! Heim (1932), Bergsturz und Menschenleben; Corominas (1996), The angle of reach as a mobility index for small and large
//! landslides, Can. Geotech. J. 33, doi:10.1139/t96-005.

use anlan_engine::Grid;

/// Column and row offsets of the eight flow directions: E, SE, S, SW, W, NW, N, NE.
const NEIGHBOURS: [(i64, i64); 8] = [
    (1, 0),
    (1, 1),
    (0, 1),
    (-1, 1),
    (-1, 0),
    (-1, -1),
    (0, -1),
    (1, -1),
];

/// Cells struck by a slide from `source`, from the crown downwards, with an intensity 0..=1: 1 until the debris is at its
/// fastest, then its velocity over the greatest. `dem_m` and `flow_dir` (0..=7 from east over south, other values end
/// the path) are row by row on `grid`; `tan_reach` is the tangent of the reach angle.
pub fn runout(
    grid: &Grid,
    dem_m: &[f32],
    flow_dir: &[u8],
    source: u32,
    tan_reach: f64,
    max_cells: usize,
) -> Vec<(u32, f32)> {
    let crown = f64::from(dem_m[source as usize]);
    let mut path = vec![(source, 1.0_f32)];
    let (row, col) = grid.row_col(source);
    let (mut row, mut col) = (row as i64, col as i64);
    let mut length_m = 0.0;
    let mut greatest_head: f64 = 0.0;
    let mut cell = source;
    while path.len() <= max_cells {
        let Some(&(dx, dy)) = NEIGHBOURS.get(usize::from(flow_dir[cell as usize])) else {
            break;
        };
        row += dy;
        col += dx;
        if row < 0 || col < 0 || row >= grid.rows as i64 || col >= grid.cols as i64 {
            break;
        }
        let (x_m, y_m) = (dx as f64 * grid.dx, dy as f64 * grid.dy);
        length_m += (x_m * x_m + y_m * y_m).sqrt();
        cell = grid.index(row as usize, col as usize);
        let head = crown - f64::from(dem_m[cell as usize]) - length_m * tan_reach;
        // Also ends at cells without elevation.
        if head.is_nan() || head <= 0.0 {
            break;
        }
        let intensity = if head >= greatest_head {
            greatest_head = head;
            1.0
        } else {
            (head / greatest_head).sqrt()
        };
        path.push((cell, intensity as f32));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Crs;

    #[test]
    fn stops_where_the_energy_line_meets_the_ground() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 0.0),
            (10.0, 10.0),
            (1, 12),
        )
        .unwrap();
        // Three cells down at 45°, then flat: crown 30 m above the plain, reach angle with tangent 0.5 gives 60 m.
        let mut dem = vec![0.0_f32; 12];
        dem[..3].copy_from_slice(&[30.0, 20.0, 10.0]);
        let dirs = vec![0_u8; 12];
        let path = runout(&grid, &dem, &dirs, 0, 0.5, 100);
        let cells: Vec<u32> = path.iter().map(|p| p.0).collect();
        assert_eq!(cells, [0, 1, 2, 3, 4, 5]);
        // Heads 5, 10, 15, 10, 5 m.
        assert_eq!(path[3].1, 1.0);
        assert!((path[5].1 - (5.0_f32 / 15.0).sqrt()).abs() < 1e-6);
        assert_eq!(runout(&grid, &dem, &dirs, 0, 0.5, 2).len(), 3);
        assert_eq!(runout(&grid, &dem, &[255; 12], 0, 0.5, 9).len(), 1);
    }
}
