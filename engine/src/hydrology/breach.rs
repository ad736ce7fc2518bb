//! Breaching: depressions drained by cutting a way out rather than by filling them.
//!
//! A priority flood that lets every cell in at its own height (not at the spill level) reaches a pit along the lowest way
//! from its outlet; walked back from the pit, that way is lowered until it falls all along (the complete breaching of
//! Lindsay 2016, doi:10.1002/hyp.10648). No cell is raised.

use super::STEPS;
use crate::raster::Raster;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A DEM from which water runs off everywhere, and the way it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Breached {
    /// Heights, nowhere above those given.
    pub dem: Raster<f32>,
    /// The cell that each cell drains to; its own number where it drains off the map or has no data.
    pub receiver: Vec<u32>,
    /// Cells with data, each after the cell that it drains to.
    pub order: Vec<u32>,
}

impl Breached {
    /// Number of cells that drain through each cell, itself included.
    pub fn accumulation(&self) -> Vec<u32> {
        let mut cells = vec![1_u32; self.receiver.len()];
        for &cell in self.order.iter().rev() {
            let to = self.receiver[cell as usize];
            if to != cell {
                cells[to as usize] += cells[cell as usize];
            }
        }
        cells
    }
}

/// Cuts every depression open so that each way falls by at least `fall_m` (>= 0, in metres) from cell to cell.
///
/// Cells at the edge of the map or beside a missing one drain off it. Equal heights are taken in the order in which they
/// were reached, so the result depends on nothing but the DEM. One thread; n log n.
pub fn breach_depressions(dem: &Raster<f32>, fall_m: f32) -> Breached {
    let (rows, cols) = dem.grid.shape();
    let z = dem.values();
    let mut receiver: Vec<u32> = (0..z.len() as u32).collect();
    let mut known: Vec<bool> = z.iter().map(|v| v.is_nan()).collect();
    let mut order = Vec::with_capacity(z.len());
    // Height in an order of bits, then arrival, then the cell.
    let mut queue: BinaryHeap<Reverse<(u32, u32, u32)>> = BinaryHeap::new();
    let mut arrived = 0_u32;
    let mut push = |queue: &mut BinaryHeap<_>, cell: usize| {
        queue.push(Reverse((ordered(z[cell]), arrived, cell as u32)));
        arrived += 1;
    };
    for r in 0..rows {
        for c in 0..cols {
            let cell = r * cols + c;
            let missing = |(dr, dc): (isize, isize)| {
                let (nr, nc) = (r.wrapping_add_signed(dr), c.wrapping_add_signed(dc));
                nr >= rows || nc >= cols || z[nr * cols + nc].is_nan()
            };
            if !known[cell] && STEPS.into_iter().any(missing) {
                known[cell] = true;
                push(&mut queue, cell);
            }
        }
    }
    while let Some(Reverse((_, _, cell))) = queue.pop() {
        order.push(cell);
        let (r, c) = (cell as usize / cols, cell as usize % cols);
        for (dr, dc) in STEPS {
            let (nr, nc) = (r.wrapping_add_signed(dr), c.wrapping_add_signed(dc));
            if nr < rows && nc < cols && !known[nr * cols + nc] {
                let next = nr * cols + nc;
                known[next] = true;
                receiver[next] = cell;
                push(&mut queue, next);
            }
        }
    }
    let mut dem = dem.clone();
    let z = dem.values_mut();
    for &cell in order.iter().rev() {
        let to = receiver[cell as usize] as usize;
        if to != cell as usize {
            z[to] = z[to].min(z[cell as usize] - fall_m);
        }
    }
    Breached {
        dem,
        receiver,
        order,
    }
}

/// Bits that order as the numbers do.
fn ordered(v: f32) -> u32 {
    let bits = v.to_bits();
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::raster;
    use super::*;
    use crate::hydrology::fill_depressions;

    #[test]
    fn a_pit_is_drained_through_its_lowest_rim() {
        let n = f32::NAN;
        #[rustfmt::skip]
        let dem = raster(5, 6, &[
            9., 9., 9., 9., 9., n,
            9., 2., 8., 5., 1., n,
            9., 3., 9., 9., 9., n,
            9., 9., 9., 9., 9., n,
            9., 9., 9., 9., 9., n,
        ]);
        let b = breach_depressions(&dem, 0.5);
        // From the pit of 2 m through 8 and 5 to the cell of 1 m beside missing ones.
        assert_eq!(b.dem.values()[7..11], [2.0, 1.5, 1.0, 0.5]);
        // The cell of 3 m falls into the pit already and keeps its height.
        assert_eq!(b.dem.values()[13], 3.0);
    }

    #[test]
    fn nothing_is_left_to_fill() {
        let mut state = 1_u32;
        let values: Vec<f32> = (0..40 * 50)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as f32
            })
            .collect();
        let b = breach_depressions(&raster(40, 50, &values), 0.0);
        assert_eq!(fill_depressions(&b.dem), b.dem);
        assert_eq!(b.order.len(), 2000);
        for (before, after) in values.iter().zip(b.dem.values()) {
            assert!(after <= before);
        }
        let off_map: u32 = (0..2000)
            .filter(|&c| b.receiver[c] == c as u32)
            .map(|c| b.accumulation()[c])
            .sum();
        assert_eq!(off_map, 2000);
    }
}
