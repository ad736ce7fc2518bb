//! Depression filling (填洼) by priority-flood.
//!
//! Water enters from the edge of the map and from cells without data and always advances at the lowest cell it has
//! reached (Barnes, Lehman & Mulla 2014, doi:10.1016/j.cageo.2013.04.024). Cells below the advancing level are
//! raised to it and spread by a plain queue; cells that rise from a flooded one cannot be raised at all, so they too
//! spread by a plain queue, and only those of them that overlook lower ground enter the priority queue (after Zhou, Sun &
//! Fu 2016, doi:10.1016/j.cageo.2016.02.021). The level of every cell is the least over all ways out of the highest
//! cell on the way; it does not depend on the order of equal cells.
//!
//! The queue is a radix heap on the bits of f32 (Ahuja et al. 1990, doi:10.1145/77600.77615): levels never
//! fall, so a level need only be compared with the last one taken.

use super::{STEPS, offsets};
use crate::raster::Raster;

/// Raises every depression to the level at which it spills over; flats remain where depressions were.
///
/// * Water leaves at the edge of the map and into cells without data, which stay without data.
/// * Filling never lowers a cell, and filling twice changes nothing.
pub fn fill_depressions(dem: &Raster<f32>) -> Raster<f32> {
    let mut flood = Flood::new(dem);
    let offsets = offsets(flood.cols);
    // Cells raised to the present level, and cells that rise from a flooded one.
    let (mut pool, mut slope): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    while let Some((_, cell)) = flood.queue.pop() {
        pool.push(cell);
        while let Some(cell) = pool.pop() {
            let at = cell as usize;
            let level = flood.level[at];
            for o in offsets {
                let n = at.wrapping_add_signed(o);
                if flood.reached[n] {
                    continue;
                }
                flood.reached[n] = true;
                if flood.level[n] <= level {
                    flood.level[n] = level;
                    pool.push(n as u32);
                } else {
                    slope.push(n as u32);
                }
            }
        }
        let mut next = 0;
        while let Some(&cell) = slope.get(next) {
            next += 1;
            let at = cell as usize;
            let level = flood.level[at];
            let mut overlooks = false;
            for o in offsets {
                let n = at.wrapping_add_signed(o);
                if flood.reached[n] {
                    continue;
                }
                if flood.level[n] >= level {
                    flood.reached[n] = true;
                    slope.push(n as u32);
                } else {
                    overlooks = true;
                }
            }
            if overlooks {
                flood.queue.push(sortable(level), cell);
            }
        }
        slope.clear();
    }
    flood.into_raster(dem)
}

/// As [`fill_depressions`], but every raised cell lies at least one unit in the last place of f32 (0.0002 m at 3,000 m)
/// above the one it drains to, so that no flats remain.
///
/// * Wide depressions are raised noticeably: prefer [`fill_depressions`] with [`super::flow_direction`], which finds its
///   way over flats.
pub fn fill_depressions_epsilon(dem: &Raster<f32>) -> Raster<f32> {
    let mut flood = Flood::new(dem);
    let offsets = offsets(flood.cols);
    while let Some((_, cell)) = flood.queue.pop() {
        let at = cell as usize;
        let least = flood.level[at].next_up();
        for o in offsets {
            let n = at.wrapping_add_signed(o);
            if flood.reached[n] {
                continue;
            }
            flood.reached[n] = true;
            // Written so that a missing level could never win.
            if flood.level[n] < least {
                flood.level[n] = least;
            }
            flood.queue.push(sortable(flood.level[n]), n as u32);
        }
    }
    flood.into_raster(dem)
}

/// The DEM with a ring of reached cells around it, so that neighbours need no bounds checks.
struct Flood {
    /// Columns with the ring.
    cols: usize,
    /// Elevation, then level.
    level: Vec<f32>,
    /// In a queue or done; true for cells without data.
    reached: Vec<bool>,
    queue: RadixHeap,
}

impl Flood {
    fn new(dem: &Raster<f32>) -> Flood {
        let (rows, cols) = dem.grid.shape();
        let wide = cols + 2;
        let mut level = vec![f32::NAN; (rows + 2) * wide];
        let mut reached = vec![true; (rows + 2) * wide];
        for (r, line) in dem.values().chunks_exact(cols).enumerate() {
            let at = (r + 1) * wide + 1;
            for (c, &z) in line.iter().enumerate() {
                // Adding zero turns -0 into +0, whose bits sort right.
                level[at + c] = z + 0.0;
                reached[at + c] = z.is_nan();
            }
        }
        let mut flood = Flood {
            cols: wide,
            level,
            reached,
            queue: RadixHeap::default(),
        };
        // Cells at the edge of the map or beside missing ones: water leaves there.
        for r in 1..=rows {
            for c in 1..=cols {
                let at = r * wide + c;
                let leaves = STEPS.iter().any(|&(dr, dc)| {
                    flood.level[at.wrapping_add_signed(dr * wide as isize + dc)].is_nan()
                });
                if leaves && !flood.level[at].is_nan() {
                    flood.reached[at] = true;
                    flood.queue.push(sortable(flood.level[at]), at as u32);
                }
            }
        }
        flood
    }

    fn into_raster(self, dem: &Raster<f32>) -> Raster<f32> {
        let cols = dem.grid.cols;
        let mut out = dem.clone();
        for (r, line) in out.values_mut().chunks_exact_mut(cols).enumerate() {
            let at = (r + 1) * self.cols + 1;
            line.copy_from_slice(&self.level[at..at + cols]);
        }
        out
    }
}

/// Bits of a number in the order of numbers.
#[inline(always)]
fn sortable(z: f32) -> u32 {
    let bits = z.to_bits();
    bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000)
}

/// A priority queue for keys that are never below the last one taken.
struct RadixHeap {
    last: u32,
    /// Bucket 0 holds keys equal to `last`, bucket i those that first differ from it in bit i - 1.
    buckets: [Vec<(u32, u32)>; 33],
    /// Bit i: bucket i holds something.
    filled: u64,
}

impl Default for RadixHeap {
    fn default() -> Self {
        RadixHeap {
            last: 0,
            buckets: [const { Vec::new() }; 33],
            filled: 0,
        }
    }
}

impl RadixHeap {
    #[inline]
    fn push(&mut self, key: u32, cell: u32) {
        debug_assert!(key >= self.last);
        let i = 32 - (key ^ self.last).leading_zeros() as usize;
        self.buckets[i].push((key, cell));
        self.filled |= 1 << i;
    }

    #[inline]
    fn pop(&mut self) -> Option<(u32, u32)> {
        if self.filled & 1 == 0 {
            if self.filled == 0 {
                return None;
            }
            let i = self.filled.trailing_zeros() as usize;
            let mut moving = std::mem::take(&mut self.buckets[i]);
            self.filled &= !(1 << i);
            self.last = moving.iter().map(|e| e.0).min().unwrap_or(self.last);
            for (key, cell) in moving.drain(..) {
                self.push(key, cell);
            }
            // The memory stays with its bucket: all entries have moved to lower ones.
            self.buckets[i] = moving;
        }
        let top = self.buckets[0].pop();
        if self.buckets[0].is_empty() {
            self.filled &= !1;
        }
        top
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::raster;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pit_fills_to_its_lowest_rim() {
        let dem = raster(
            5,
            5,
            &[
                9.0, 9.0, 9.0, 9.0, 9.0, //
                9.0, 2.0, 3.0, 8.0, 9.0, //
                9.0, 1.0, 4.0, 2.0, 6.0, //
                9.0, 9.0, 9.0, 9.0, 9.0, //
                9.0, 9.0, 9.0, 9.0, 9.0,
            ],
        );
        let filled = fill_depressions(&dem);
        let expected = [
            9.0, 9.0, 9.0, 9.0, 9.0, //
            9.0, 6.0, 6.0, 8.0, 9.0, //
            9.0, 6.0, 6.0, 6.0, 6.0, //
            9.0, 9.0, 9.0, 9.0, 9.0, //
            9.0, 9.0, 9.0, 9.0, 9.0,
        ];
        assert_eq!(filled.values(), expected);
        let up = |n: i32| (0..n).fold(6.0f32, |z, _| z.next_up());
        let steps = fill_depressions_epsilon(&dem);
        assert_eq!(steps.data[(2, 3)], up(1));
        assert_eq!(steps.data[(1, 2)], up(2));
        assert_eq!(steps.data[(2, 1)], up(3));
    }

    #[test]
    fn water_leaves_into_missing_cells() {
        let mut v = [5.0f32; 25];
        v[12] = 1.0;
        let closed = fill_depressions(&raster(5, 5, &v));
        assert!(closed.values().iter().all(|&z| z == 5.0));
        v[11] = f32::NAN;
        let open = fill_depressions(&raster(5, 5, &v));
        assert_eq!(open.values()[12], 1.0);
        assert!(open.values()[11].is_nan());
    }

    proptest! {
        #[test]
        fn the_heap_takes_in_order(start in prop::collection::vec(-50.0f32..50.0, 1..60), more in prop::collection::vec(0.0f32..9.0, 60)) {
            let mut heap = RadixHeap::default();
            for (i, &z) in start.iter().enumerate() {
                heap.push(sortable(z), i as u32);
            }
            let mut taken = 0;
            let mut last = 0;
            while let Some((key, _)) = heap.pop() {
                prop_assert!(key >= last);
                last = key;
                taken += 1;
                if let Some(rise) = more.get(taken) && taken % 2 == 0 {
                    heap.push(key.saturating_add((rise * 1e4) as u32), 0);
                }
            }
            let pushed = (1..more.len()).filter(|i| i % 2 == 0 && *i <= taken).count();
            prop_assert_eq!(taken, start.len() + pushed);
        }
    }
}
