//! Events, their occurrences in simulated years, and their footprints on a grid; [`occurrences`]: the
//! years of an event set; [`set`]: files of events.

pub mod occurrences;
pub mod set;

/// Something that can happen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Number of the event, unique within its event set.
    pub id: u64,
    /// Number of the cause: all events of one storm, or of one dry spell, share it.
    pub cause: u64,
    /// Code of the hazard; the models give it meaning.
    pub hazard: u16,
    /// Mean number of occurrences per year.
    pub rate_per_year: f64,
}

/// An event at a date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurrence {
    /// Simulated year, from 0.
    pub year: u32,
    /// Day of the year, 1..=365.
    pub day: u16,
    /// Duration, h.
    pub duration_h: f32,
    /// Number of the event.
    pub event: u64,
}

/// Where an event strikes and how hard: sparse, cells in ascending order, one value per cell and intensity measure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Footprint {
    /// Cell numbers ([`crate::Grid::index`]), ascending, each once.
    pub cells: Vec<u32>,
    /// One column per intensity measure, in the order in which the hazard names them; same length as `cells`.
    pub values: Vec<Vec<f32>>,
}

impl Footprint {
    /// An empty footprint with this many intensity measures.
    pub fn new(measures: usize) -> Self {
        Footprint {
            cells: Vec::new(),
            values: vec![Vec::new(); measures],
        }
    }

    /// Adds a cell; cells must come in ascending order.
    pub fn push(&mut self, cell: u32, values: &[f32]) {
        debug_assert_eq!(values.len(), self.values.len());
        debug_assert!(self.cells.last().is_none_or(|&last| last < cell));
        self.cells.push(cell);
        for (column, &value) in self.values.iter_mut().zip(values) {
            column.push(value);
        }
    }

    /// Number of cells struck.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True where nothing is struck.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// Counts, per cell, the years in which an intensity reached each of some thresholds; return levels follow from the counts.
///
/// Counts are integers, so that the order in which years are booked does not matter.
#[derive(Debug, Clone)]
pub struct ExceedanceCounter {
    thresholds: Vec<f32>,
    cells: usize,
    counts: Vec<u32>,
    years: u32,
}

impl ExceedanceCounter {
    /// A counter for `cells` cells and ascending thresholds.
    ///
    /// # Panics
    /// No thresholds, or not ascending.
    pub fn new(cells: usize, thresholds: &[f32]) -> Self {
        assert!(
            !thresholds.is_empty() && thresholds.windows(2).all(|w| w[0] < w[1]),
            "thresholds ascend"
        );
        ExceedanceCounter {
            thresholds: thresholds.to_vec(),
            cells,
            counts: vec![0; cells * thresholds.len()],
            years: 0,
        }
    }

    /// Books one year: the greatest intensity of each cell that was struck, each cell once.
    pub fn book_year(&mut self, greatest: &[(u32, f32)]) {
        self.years += 1;
        let n = self.thresholds.len();
        for &(cell, value) in greatest {
            let reached = self.thresholds.partition_point(|t| *t <= value);
            for count in &mut self.counts[cell as usize * n..cell as usize * n + reached] {
                *count += 1;
            }
        }
    }

    /// Adds the counts of other years.
    ///
    /// # Panics
    /// Other cells or thresholds.
    pub fn merge(&mut self, other: &ExceedanceCounter) {
        assert!(
            self.cells == other.cells && self.thresholds == other.thresholds,
            "counters of one kind"
        );
        self.years += other.years;
        for (a, b) in self.counts.iter_mut().zip(&other.counts) {
            *a += b;
        }
    }

    /// Share of years in which threshold number `k` was reached, per cell.
    ///
    /// # Panics
    /// No such threshold.
    pub fn yearly_frequency(&self, k: usize) -> Vec<f32> {
        assert!(
            k < self.thresholds.len(),
            "threshold {k} of {}",
            self.thresholds.len()
        );
        self.counts
            .chunks_exact(self.thresholds.len())
            .map(|c| (f64::from(c[k]) / f64::from(self.years.max(1))) as f32)
            .collect()
    }

    /// Intensity reached once in `return_period` years, per cell: linear in the logarithm of the yearly frequency between
    /// thresholds; 0 where the lowest threshold is rarer, the highest threshold where that is more frequent.
    pub fn intensity_at(&self, return_period: f64) -> Vec<f32> {
        let wanted = f64::from(self.years) / return_period;
        let n = self.thresholds.len();
        self.counts
            .chunks_exact(n)
            .map(|counts| {
                let over = counts.partition_point(|&c| f64::from(c) >= wanted);
                if over == 0 {
                    return 0.0;
                }
                let (lower, upper) = (over - 1, over);
                if upper == n {
                    return self.thresholds[lower];
                }
                let (a, b) = (f64::from(counts[lower]), f64::from(counts[upper]).max(0.5));
                let t = libm::log(a / wanted) / libm::log(a / b);
                self.thresholds[lower]
                    + (self.thresholds[upper] - self.thresholds[lower]) * t.clamp(0.0, 1.0) as f32
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_levels_of_an_exponential_intensity_come_back() {
        // Yearly maxima -10 ln(u): the level of return period T is 10 ln T.
        let thresholds: Vec<f32> = (0..30).map(|i| i as f32 * 2.0).collect();
        let mut counter = ExceedanceCounter::new(2, &thresholds);
        let n = 10_000;
        for i in 0..n {
            let u = (f64::from(i) + 0.5) / f64::from(n);
            counter.book_year(&[(1, (-10.0 * libm::log(u)) as f32)]);
        }
        for t in [2.0, 10.0, 100.0] {
            let levels = counter.intensity_at(t);
            assert_eq!(levels[0], 0.0);
            // Stratified years; counts of whole years at T = 100 are good to 1 %, so the level to 0.1.
            assert!(
                (f64::from(levels[1]) - 10.0 * libm::log(t)).abs() < 0.1,
                "{t}: {}",
                levels[1]
            );
        }
    }
}
