//! Drainage over flats: towards lower and away from higher ground (Garbrecht & Martz 1997,
//! doi:10.1016/S0022-1694(96)03138-1, in the form of Barnes, Lehman & Mulla 2014, doi:10.1016/j.cageo.2013.01.009).
//!
//! Each cell of a flat gets its distance in steps to the nearest way out, doubled, plus the flat's greatest distance
//! from higher ground less the cell's own. A step towards the way out lowers the first by two and raises the second by
//! one at most, so that every cell has a lower neighbour and no water goes in circles.

use super::flow::UNDECIDED;
use super::{OUTLET, STEPS};
use crate::raster::Raster;

/// Not part of the flat in hand, whose cells have numbers from 1.
const ELSEWHERE: u32 = 0;

/// Neighbours are tried straight ones first, so that water crosses open flats in straight lines.
const STRAIGHT_FIRST: [u8; 8] = [0, 2, 4, 6, 1, 3, 5, 7];

/// Gives every undecided cell a direction; cells of flats without a way out become outlets.
pub(super) fn resolve_flats(dem: &Raster<f32>, dirs: &mut Raster<u8>) {
    let (rows, cols) = dem.grid.shape();
    let z = dem.values();
    let dirs = dirs.values_mut();
    if !dirs.contains(&UNDECIDED) {
        return;
    }
    // Number of a cell within its flat. All zero, so that only the memory pages that flats touch are ever used.
    let mut number = vec![ELSEWHERE; z.len()];
    let mut flat = Flat::default();
    for start in 0..z.len() {
        if dirs[start] != UNDECIDED {
            continue;
        }
        flat.gather(start, z, dirs, &mut number, (rows, cols));
        flat.measure(&number, (rows, cols));
        flat.drain(z, dirs, &number, (rows, cols));
        for &cell in &flat.cells {
            number[cell as usize] = ELSEWHERE;
        }
    }
}

/// One flat; its buffers serve all flats in turn.
#[derive(Default)]
struct Flat {
    cells: Vec<u32>,
    /// Places in `cells` of those beside a way out, and of those beside higher ground.
    exits: Vec<u32>,
    rims: Vec<u32>,
    /// Steps to the nearest way out and from the nearest higher ground, from 1; 0 where there is none.
    to_exit: Vec<u32>,
    from_rim: Vec<u32>,
    queue: Vec<u32>,
}

/// Cells around `cell` in the order of [`STRAIGHT_FIRST`]. Undecided cells never lie at the edge of the map.
fn around(cell: u32, cols: usize) -> impl Iterator<Item = (u8, usize)> {
    STRAIGHT_FIRST.into_iter().map(move |k| {
        let (dr, dc) = STEPS[k as usize];
        (
            k,
            (cell as usize).wrapping_add_signed(dr * cols as isize + dc),
        )
    })
}

impl Flat {
    /// All undecided cells connected with `start` at its level.
    fn gather(
        &mut self,
        start: usize,
        z: &[f32],
        dirs: &[u8],
        number: &mut [u32],
        (_, cols): (usize, usize),
    ) {
        self.cells.clear();
        self.exits.clear();
        self.rims.clear();
        self.cells.push(start as u32);
        number[start] = 1;
        let level = z[start];
        let mut i = 0;
        while i < self.cells.len() {
            let (mut exit, mut rim) = (false, false);
            for (_, n) in around(self.cells[i], cols) {
                if z[n] > level {
                    rim = true;
                } else if dirs[n] != UNDECIDED {
                    // At the same level, for lower neighbours give a direction at once.
                    exit = true;
                } else if number[n] == ELSEWHERE {
                    self.cells.push(n as u32);
                    number[n] = self.cells.len() as u32;
                }
            }
            if exit {
                self.exits.push(i as u32);
            }
            if rim {
                self.rims.push(i as u32);
            }
            i += 1;
        }
    }

    fn measure(&mut self, number: &[u32], (_, cols): (usize, usize)) {
        for (seeds, steps) in [
            (&self.exits, &mut self.to_exit),
            (&self.rims, &mut self.from_rim),
        ] {
            steps.clear();
            steps.resize(self.cells.len(), 0);
            self.queue.clear();
            self.queue.extend_from_slice(seeds);
            for &i in seeds {
                steps[i as usize] = 1;
            }
            let mut at = 0;
            while at < self.queue.len() {
                let i = self.queue[at] as usize;
                for (_, n) in around(self.cells[i], cols) {
                    if number[n] == ELSEWHERE {
                        continue;
                    }
                    let j = number[n] - 1;
                    if steps[j as usize] == 0 {
                        steps[j as usize] = steps[i] + 1;
                        self.queue.push(j);
                    }
                }
                at += 1;
            }
        }
    }

    fn drain(&self, z: &[f32], dirs: &mut [u8], number: &[u32], (_, cols): (usize, usize)) {
        let highest = self.from_rim.iter().copied().max().unwrap_or(0);
        let mask =
            |i: usize| 2 * u64::from(self.to_exit[i]) + u64::from(highest - self.from_rim[i]);
        for (i, &cell) in self.cells.iter().enumerate() {
            let level = z[cell as usize];
            dirs[cell as usize] = match self.to_exit[i] {
                0 => OUTLET,
                // Cells of this flat have numbers; others at its level are ways out.
                1 => around(cell, cols)
                    .find(|&(_, n)| number[n] == ELSEWHERE && z[n] == level)
                    .map_or(OUTLET, |(k, _)| k),
                _ => around(cell, cols)
                    .filter(|&(_, n)| number[n] != ELSEWHERE)
                    .min_by_key(|&(_, n)| mask(number[n] as usize - 1))
                    .map_or(OUTLET, |(k, _)| k),
            };
        }
    }
}
