//! Which values a zone holds, and how much of it each covers: for quantiles, the most and the least frequent class.

/// The different values of a zone, ascending, with the cells (sum of covered shares) that each covers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    entries: Vec<(f32, f64)>,
}

impl Tally {
    /// Values, ascending, and the cells of each.
    pub fn entries(&self) -> &[(f32, f64)] {
        &self.entries
    }

    /// Number of different values.
    pub fn variety(&self) -> usize {
        self.entries.len()
    }

    /// The value that covers most; of equals the greatest. None without a cell.
    pub fn majority(&self) -> Option<f32> {
        let by = |a: &&(f32, f64), b: &&(f32, f64)| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0));
        self.entries.iter().max_by(by).map(|e| e.0)
    }

    /// The value that covers least; of equals the smallest. None without a cell.
    pub fn minority(&self) -> Option<f32> {
        let by = |a: &&(f32, f64), b: &&(f32, f64)| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0));
        self.entries.iter().min_by(by).map(|e| e.0)
    }

    /// The weighted quantile `q` (0..=1), linear between values, as exactextract defines it: value i of n, ascending
    /// with weights w, stands at s(i) = i·w(i) + (n - 1)·(w(0) + … + w(i - 1)), the quantile at q·s of the whole weight
    /// times n - 1. With equal weights this is type 7 of Hyndman & Fan (1996). NaN without a cell.
    pub fn quantile(&self, q: f64) -> f64 {
        let n = self.entries.len();
        let whole: f64 = self.entries.iter().map(|e| e.1).sum();
        let wanted = q * whole * (n as f64 - 1.0);
        let (mut before, mut left): (f64, Option<(f64, f64)>) = (0.0, None);
        for (i, &(value, weight)) in self.entries.iter().enumerate() {
            let value = f64::from(value);
            let at = if i == 0 {
                0.0
            } else {
                i as f64 * weight + (n as f64 - 1.0) * before
            };
            if at > wanted {
                return match left {
                    Some((x, s)) => x + (wanted - s) * (value - x) / (at - s),
                    None => value,
                };
            }
            left = Some((value, at));
            before += weight;
        }
        left.map_or(f64::NAN, |l| l.0)
    }

    /// Adds another zone's cells.
    pub fn merge(&mut self, other: &Tally) {
        self.entries.extend_from_slice(&other.entries);
        compress(&mut self.entries);
    }
}

/// Sorts by value and adds up the cells of equal values, in the order in which they came.
fn compress(entries: &mut Vec<(f32, f64)>) {
    entries.sort_by(|a, b| a.0.total_cmp(&b.0));
    entries.dedup_by(|b, a| {
        let same = a.0 == b.0;
        if same {
            a.1 += b.1;
        }
        same
    });
}

/// Slots of a [`Counter`]'s table, a power of two.
const SLOTS: usize = 1024;
/// Different values that the table takes.
const TABLE_VALUES: usize = SLOTS / 2;

/// Counts the values of a block of cells: in a small table where they are classes, in a list to sort where they are not.
pub(super) struct Counter {
    keys: Box<[u32; SLOTS]>,
    cells: Box<[f64; SLOTS]>,
    used: usize,
    list: Vec<(f32, f64)>,
}

/// No value's bits: a NaN, which is no data.
const FREE: u32 = u32::MAX;

impl Counter {
    pub fn new() -> Self {
        Counter {
            keys: Box::new([FREE; SLOTS]),
            cells: Box::new([0.0; SLOTS]),
            used: 0,
            list: Vec::new(),
        }
    }

    /// Adds neighbouring cells of which the same share is covered.
    pub fn add(&mut self, values: &[f32], share: f64) {
        let mut rest = values;
        while let Some(&v) = rest.first() {
            let n = rest
                .iter()
                .take_while(|w| w.to_bits() == v.to_bits())
                .count();
            if !v.is_nan() {
                // -0 and 0 are one value.
                self.put(v + 0.0, share * n as f64);
            }
            rest = &rest[n..];
        }
    }

    fn put(&mut self, v: f32, cells: f64) {
        if self.used > TABLE_VALUES {
            self.list.push((v, cells));
            return;
        }
        let key = v.to_bits();
        let mut slot = (key.wrapping_mul(0x9E37_79B9) >> 22) as usize;
        while self.keys[slot] != key {
            if self.keys[slot] == FREE {
                self.keys[slot] = key;
                self.used += 1;
                break;
            }
            slot = (slot + 1) % SLOTS;
        }
        self.cells[slot] += cells;
    }

    pub fn finish(mut self) -> Tally {
        let table = self.keys.iter().zip(self.cells.iter());
        let mut entries: Vec<(f32, f64)> = table
            .filter(|(k, _)| **k != FREE)
            .map(|(k, c)| (f32::from_bits(*k), *c))
            .collect();
        entries.append(&mut self.list);
        compress(&mut entries);
        Tally { entries }
    }
}

/// Tallies of blocks that come one after the other, merged when as many entries wait as are merged already.
#[derive(Debug, Clone, Default)]
pub(super) struct Tallies {
    merged: Tally,
    waiting: Vec<(f32, f64)>,
}

impl Tallies {
    pub fn add(&mut self, block: Tally) {
        self.waiting.extend(block.entries);
        if self.waiting.len() >= self.merged.entries.len().max(1 << 12) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.merged.entries.append(&mut self.waiting);
        compress(&mut self.merged.entries);
    }

    pub fn finish(mut self) -> Tally {
        self.settle();
        self.merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(cells: &[(f32, f64)]) -> Tally {
        let mut counter = Counter::new();
        for &(v, share) in cells {
            counter.add(&[v], share);
        }
        counter.finish()
    }

    #[test]
    fn quantiles_on_paper() {
        // Equal weights: type 7. 1 2 3 4: the median is 2.5, the first quartile 1.75.
        let t = tally(&[(4.0, 1.0), (2.0, 1.0), (1.0, 1.0), (3.0, 1.0)]);
        assert_eq!((t.quantile(0.5), t.quantile(0.25)), (2.5, 1.75));
        assert_eq!((t.quantile(0.0), t.quantile(1.0)), (1.0, 4.0));
        // Weights 1 and 3: s = 0 and 1·3 + 1·1 = 4, of 4: the median stands at 2, half way.
        let t = tally(&[(0.0, 1.0), (10.0, 3.0)]);
        assert_eq!(t.quantile(0.5), 5.0);
        assert_eq!(tally(&[(7.0, 0.3)]).quantile(0.9), 7.0);
        assert!(Tally::default().quantile(0.5).is_nan());
    }

    #[test]
    fn classes_and_ties() {
        let t = tally(&[
            (3.0, 1.0),
            (1.0, 0.5),
            (2.0, 1.0),
            (1.0, 0.25),
            (f32::NAN, 9.0),
        ]);
        assert_eq!(t.entries(), [(1.0, 0.75), (2.0, 1.0), (3.0, 1.0)]);
        assert_eq!(
            (t.variety(), t.majority(), t.minority()),
            (3, Some(3.0), Some(1.0))
        );
        assert_eq!(tally(&[(0.0, 1.0), (-0.0, 1.0)]).entries(), [(0.0, 2.0)]);
        assert_eq!(Tally::default().majority(), None);
    }

    #[test]
    fn more_values_than_the_table_takes_are_counted_too() {
        let mut counter = Counter::new();
        for round in 0..3 {
            let values: Vec<f32> = (0..5000).map(|i| ((i * 7 + round) % 5000) as f32).collect();
            counter.add(&values, 0.5);
        }
        let t = counter.finish();
        assert_eq!(t.variety(), 5000);
        assert!(
            t.entries()
                .iter()
                .zip(0..)
                .all(|(e, i)| *e == (i as f32, 1.5))
        );
        let mut tallies = Tallies::default();
        for _ in 0..3 {
            tallies.add(t.clone());
        }
        assert!(tallies.finish().entries().iter().all(|e| e.1 == 4.5));
    }
}
