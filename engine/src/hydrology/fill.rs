//! Depression filling (填洼) by priority-flood.
//!
//! Water enters from the edge of the map and from cells without data and always advances at the lowest cell it has
//! reached (Barnes, Lehman & Mulla 2014, doi:10.1016/j.cageo.2013.04.024). Cells below the advancing level are
//! raised to it and spread by a plain queue; cells that rise from a flooded one cannot be raised at all, so they too
//! spread by a plain queue, and only those of them that overlook lower ground enter the priority queue (after Zhou, Sun &
//! Fu 2016, doi:10.1016/j.cageo.2016.02.021), and of these only the few whose lower ground is still dry when the plain
//! queue has run out. The level of every cell is the least over all ways out of the highest cell on the way; it does not
//! depend on the order of equal cells.
//!
//! The queue is a radix heap on the bits of f32 (Ahuja et al. 1990, doi:10.1145/77600.77615): levels never
//! fall, so a level need only be compared with the last one taken.

use super::STEPS;
use crate::raster::Raster;

/// Raises every depression to the level at which it spills over; flats remain where depressions were.
///
/// * Water leaves at the edge of the map and into cells without data, which stay without data.
/// * Filling never lowers a cell, and filling twice changes nothing.
/// * Beside its result it needs an eighth of a byte per cell, and queues of about one byte per cell on hilly ground.
pub fn fill_depressions(dem: &Raster<f32>) -> Raster<f32> {
    let mut out = dem.clone();
    let cols = dem.grid.cols;
    let level = out.values_mut();
    let (mut reached, mut queue) = shore(level, cols);
    // Cells raised to the present level, and cells that rise from a flooded one: those in hand and those they lead to.
    let mut pool: Vec<u32> = Vec::new();
    let (mut slope, mut above): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    // Cells on the slope above lower ground that was not reached when they were looked at.
    let mut overlook: Vec<u32> = Vec::new();
    while let Some((_, cell)) = queue.pop() {
        pool.push(cell);
        while let Some(cell) = pool.pop() {
            let at = cell as usize;
            let here = level[at];
            for n in reached.open_around(at) {
                reached.set(n);
                if level[n] <= here {
                    level[n] = here;
                    pool.push(n as u32);
                } else {
                    slope.push(n as u32);
                }
            }
        }
        while !slope.is_empty() {
            for &cell in &slope {
                let at = cell as usize;
                let here = level[at];
                let mut lower = false;
                for n in reached.open_around(at) {
                    if level[n] >= here {
                        reached.set(n);
                        above.push(n as u32);
                    } else {
                        lower = true;
                    }
                }
                if lower {
                    overlook.push(cell);
                }
            }
            slope.clear();
            std::mem::swap(&mut slope, &mut above);
        }
        // Most of that ground has been reached another way by now: few cells are left for the queue.
        for cell in overlook.drain(..) {
            let at = cell as usize;
            if reached.open_around(at).next().is_some() {
                queue.push(sortable(level[at]), cell);
            }
        }
    }
    out
}

/// As [`fill_depressions`], but every raised cell lies at least one unit in the last place of f32 (0.0002 m at 3,000 m)
/// above the one it drains to, so that no flats remain.
///
/// * Wide depressions are raised noticeably: prefer [`fill_depressions`] with [`super::flow_direction`], which finds its
///   way over flats.
pub fn fill_depressions_epsilon(dem: &Raster<f32>) -> Raster<f32> {
    let mut out = dem.clone();
    let cols = dem.grid.cols;
    let level = out.values_mut();
    let (mut reached, mut queue) = shore(level, cols);
    while let Some((_, cell)) = queue.pop() {
        let at = cell as usize;
        let least = level[at].next_up();
        for n in reached.open_around(at) {
            reached.set(n);
            // Written so that a missing level could never win.
            if level[n] < least {
                level[n] = least;
            }
            queue.push(sortable(level[n]), n as u32);
        }
    }
    out
}

/// Where the water enters: the cells at the edge of the map and beside missing ones, reached and in the queue.
///
/// Turns -0 of `level` into +0, whose bits sort right.
fn shore(level: &mut [f32], cols: usize) -> (Reached, RadixHeap) {
    let rows = level.len() / cols;
    let mut reached = Reached::new(level.len(), cols);
    let mut queue = RadixHeap::default();
    for (cell, z) in level.iter_mut().enumerate() {
        *z += 0.0;
        if z.is_nan() {
            reached.set(cell);
        }
    }
    let mut enter = |cell: usize, reached: &mut Reached| {
        if !reached.has(cell) {
            reached.set(cell);
            queue.push(sortable(level[cell]), cell as u32);
        }
    };
    for r in 0..rows {
        let inside = r > 0 && r + 1 < rows;
        let step = if inside { (cols - 1).max(1) } else { 1 };
        for c in (0..cols).step_by(step) {
            enter(r * cols + c, &mut reached);
        }
        for c in 0..cols {
            if level[r * cols + c].is_nan() {
                for (dr, dc) in STEPS {
                    let (nr, nc) = (r.wrapping_add_signed(dr), c.wrapping_add_signed(dc));
                    if nr < rows && nc < cols {
                        enter(nr * cols + nc, &mut reached);
                    }
                }
            }
        }
    }
    (reached, queue)
}

/// One bit per cell: in a queue or done; set for cells without data.
///
/// Cells at the edge of the map are reached from the start. A neighbour that does not exist has, row by row, the number
/// of another cell at the edge or lies in the margin before the first or after the last cell: it always looks reached,
/// and neighbours need no bounds checks.
struct Reached {
    bits: Vec<u8>,
    cols: usize,
}

impl Reached {
    fn new(cells: usize, cols: usize) -> Reached {
        let mut bits = vec![0; (cells + 2 * (cols + 1)).div_ceil(8) + 1];
        // The margins, of a row and a cell each.
        for i in (0..=cols).chain(cells + cols + 1..bits.len() * 8) {
            bits[i / 8] |= 1 << (i % 8);
        }
        Reached { bits, cols }
    }

    #[inline(always)]
    fn has(&self, cell: usize) -> bool {
        let i = cell + self.cols + 1;
        self.bits[i / 8] >> (i % 8) & 1 == 1
    }

    #[inline(always)]
    fn set(&mut self, cell: usize) {
        let i = cell + self.cols + 1;
        self.bits[i / 8] |= 1 << (i % 8);
    }

    /// The neighbours of a cell that are not reached now.
    #[inline(always)]
    fn open_around(&self, cell: usize) -> Open {
        // Three bits from the one of the western neighbour on, of the row to the north, the cell's own, and to the south.
        let three = |i: usize| {
            let pair = [self.bits[i / 8], self.bits[i / 8 + 1]];
            u32::from(u16::from_le_bytes(pair)) >> (i % 8) & 0b111
        };
        let (north, here) = (three(cell), three(cell + self.cols));
        let south = three(cell + 2 * self.cols);
        Open {
            bits: !(north | here << 3 | south << 6) & 0b111_101_111,
            cell,
            cols: self.cols,
        }
    }
}

/// Cells around one, as bits of the three by three from the north-west on.
struct Open {
    bits: u32,
    cell: usize,
    cols: usize,
}

impl Iterator for Open {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.bits == 0 {
            return None;
        }
        let k = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        // Never negative: what lies before the first cell is reached.
        Some(self.cell + k / 3 * self.cols + k % 3 - self.cols - 1)
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
