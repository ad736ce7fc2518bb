//! Inputs of the benches: made up, the same on every machine, any size.

use anlan_engine::{Crs, Grid, Raster};
use geo::{LineString, MultiPolygon, Polygon};
use ndarray::Array2;
use rayon::prelude::*;

/// A hash of a lattice point to 0..1 (SplitMix64's finaliser).
fn lattice(x: i64, y: i64, octave: u64) -> f64 {
    let mut h = (x as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (y as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
        ^ octave.wrapping_mul(0x1656_67B1_9E37_79F9);
    h = (h ^ (h >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (h ^ (h >> 31)) as f64 / u64::MAX as f64
}

fn noise(x: f64, y: f64, octave: u64) -> f64 {
    let (x0, y0) = (x.floor(), y.floor());
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (u, v) = (ease(x - x0), ease(y - y0));
    let (i, j) = (x0 as i64, y0 as i64);
    let at = |di, dj| lattice(i + di, j + dj, octave);
    let north = at(0, 0) * (1.0 - u) + at(1, 0) * u;
    let south = at(0, 1) * (1.0 - u) + at(1, 1) * u;
    north * (1.0 - v) + south * v
}

/// A valley that falls to the south between two ranges, roughened by nine octaves of noise: `size` x `size` cells of 10 m,
/// elevations in m. The noise leaves about as many small pits as a DEM from the air.
pub fn fractal_valley(size: usize) -> Raster<f32> {
    let grid = Grid::new(
        Crs::from_epsg(4549).expect("4549 is in the table"),
        (500_000.0, 3_300_000.0),
        (10.0, 10.0),
        (size, size),
    )
    .expect("a square of positive size");
    let mut z = vec![0.0f32; size * size];
    z.par_chunks_mut(size).enumerate().for_each(|(r, line)| {
        for (c, z) in line.iter_mut().enumerate() {
            let (x, y) = (c as f64 / size as f64, r as f64 / size as f64);
            let bend = 0.5 + 0.15 * noise(3.0 * y, 0.5, 99);
            let mut h = 900.0 * (x - bend) * (x - bend) * 4.0 + 200.0 * (1.0 - y);
            let (mut amplitude, mut cells) = (160.0, 4.0);
            for octave in 0..9 {
                h += amplitude * noise(x * cells, y * cells, octave);
                amplitude *= 0.5;
                cells *= 2.0;
            }
            *z = h as f32;
        }
    });
    Raster::new(
        grid,
        Array2::from_shape_vec((size, size), z).expect("as many values as cells"),
    )
}

/// `side` x `side` zones with wavy borders, about 4 x 25 vertices each, that share every border and fill the grid.
pub fn wavy_zones(grid: &Grid, side: usize) -> Vec<MultiPolygon<f64>> {
    const STEPS: usize = 25;
    let b = grid.bounds();
    let n = (side * STEPS) as f64;
    let point = |i: usize, j: usize| {
        let (x, y) = (i as f64 / n, j as f64 / n);
        // No wave on the rim, so that the zones fill the grid and no more.
        let calm = 16.0 * x * (1.0 - x) * y * (1.0 - y) / side as f64;
        let s = side as f64;
        let u = x + 0.3 * calm * (noise(3.0 * s * x, 3.0 * s * y, 7) - 0.5);
        let v = y + 0.3 * calm * (noise(3.0 * s * x, 3.0 * s * y, 8) - 0.5);
        (
            b.west + u * (b.east - b.west),
            b.south + v * (b.north - b.south),
        )
    };
    let mut zones = Vec::with_capacity(side * side);
    for zj in 0..side {
        for zi in 0..side {
            let (i0, j0) = (zi * STEPS, zj * STEPS);
            let (i1, j1) = (i0 + STEPS, j0 + STEPS);
            let mut ring = Vec::with_capacity(4 * STEPS);
            ring.extend((i0..i1).map(|i| point(i, j0)));
            ring.extend((j0..j1).map(|j| point(i1, j)));
            ring.extend((i0 + 1..=i1).rev().map(|i| point(i, j1)));
            ring.extend((j0 + 1..=j1).rev().map(|j| point(i0, j)));
            zones.push(MultiPolygon::from(Polygon::new(
                LineString::from(ring),
                vec![],
            )));
        }
    }
    zones
}
