//! The schedule: all zones in one pass over the rows of a raster, strip by strip.
//!
//! Work is cut into blocks of [`ZonalPass::BLOCK_ROWS`] rows and one zone, which run in parallel and are merged in the
//! order of rows. The blocks lie where the grid has them, whatever strips the rows come in and whatever the number of
//! threads: the same bytes for a raster in memory and for one read from a file.

use super::sums::Sums;
use super::tally::{Counter, Tallies, Tally};
use super::{ZonalOptions, ZonalStats};
use crate::grid::Grid;
use crate::rasterize::Edges;
use geo::MultiPolygon;
use rayon::prelude::*;
use std::ops::Range;

/// Sums of one zone. Zones that have no cell in common can be merged: the sums of a county are those of its townships.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneSums {
    sums: Sums,
    tally: Option<Tally>,
    /// The spread was asked for.
    spread: bool,
    /// There is a raster of weights.
    has_weights: bool,
}

impl ZoneSums {
    /// Adds a zone that covers none of the same ground. Count and sums are the sums of the parts in the order of merging.
    pub fn merge(&mut self, other: &ZoneSums) {
        self.sums.merge(&other.sums);
        if let (Some(a), Some(b)) = (&mut self.tally, &other.tally) {
            a.merge(b);
        }
    }

    /// The statistics.
    pub fn stats(&self) -> ZonalStats {
        let s = &self.sums;
        if s.count <= 0.0 {
            return ZonalStats::EMPTY;
        }
        let spread = |m: &super::sums::Moments, wanted: bool| {
            if wanted {
                m.variance().sqrt()
            } else {
                f64::NAN
            }
        };
        let weighted = |v: f64| if self.has_weights { v } else { f64::NAN };
        ZonalStats {
            count: s.count,
            sum: s.values.sum,
            mean: s.values.mean(),
            min: s.min,
            max: s.max,
            stdev: spread(&s.values, self.spread),
            weight: weighted(s.weighted.weight),
            weighted_sum: weighted(s.weighted.sum),
            weighted_mean: weighted(s.weighted.mean()),
            weighted_stdev: spread(&s.weighted, self.spread && self.has_weights),
        }
    }

    /// Variance of the population; NaN without a cell, or where the spread was not asked for.
    pub fn variance(&self) -> f64 {
        if self.spread && self.sums.count > 0.0 {
            self.sums.values.variance()
        } else {
            f64::NAN
        }
    }

    /// The values and the cells of each, where asked for.
    pub fn tally(&self) -> Option<&Tally> {
        self.tally.as_ref()
    }
}

/// Zones and the sums of their cells in the rows that have been added so far.
pub struct ZonalPass {
    grid: Grid,
    options: ZonalOptions,
    zones: Vec<Edges>,
    sums: Vec<(Sums, Tallies)>,
    next_row: usize,
    has_weights: bool,
}

impl ZonalPass {
    /// Rows of a block of work.
    pub const BLOCK_ROWS: usize = 64;

    /// A pass over the rows of a grid. Zones are in the grid's system.
    pub fn new(grid: &Grid, zones: &[&MultiPolygon<f64>], options: &ZonalOptions) -> Self {
        ZonalPass {
            grid: *grid,
            options: *options,
            zones: zones.par_iter().map(|z| Edges::new(z, grid)).collect(),
            sums: vec![(Sums::EMPTY, Tallies::default()); zones.len()],
            next_row: 0,
            has_weights: false,
        }
    }

    /// Each value is weighed by one of a second raster as well.
    #[must_use]
    pub fn with_weights(self) -> Self {
        ZonalPass {
            has_weights: true,
            ..self
        }
    }

    /// The first row that has not been added.
    pub fn next_row(&self) -> usize {
        self.next_row
    }

    /// Rows that some zone reaches; the others need not be read.
    pub fn rows(&self) -> Range<usize> {
        let reached = || self.zones.iter().map(Edges::rows).filter(|r| !r.is_empty());
        let start = reached().map(|r| r.start).min().unwrap_or(0);
        let end = reached().map(|r| r.end).max().unwrap_or(0);
        start..end
    }

    /// Passes over rows that no zone reaches.
    ///
    /// # Panics
    /// As [`ZonalPass::add`].
    pub fn skip(&mut self, rows: usize) {
        assert!(
            rows.is_multiple_of(Self::BLOCK_ROWS),
            "whole blocks of rows"
        );
        self.next_row += rows;
    }

    /// Adds the next rows, `[rows, columns of the grid]`, and their weights where a second raster weighs the values.
    ///
    /// # Panics
    /// A number of rows that is no multiple of [`ZonalPass::BLOCK_ROWS`], but for the last of the grid; weights of
    /// another shape, or none where [`ZonalPass::with_weights`] promised them.
    pub fn add(&mut self, values: &[f32], weights: Option<&[f32]>) {
        let cols = self.grid.cols;
        let (first, end) = (self.next_row, self.next_row + values.len() / cols);
        assert!(
            values.len().is_multiple_of(cols)
                && end <= self.grid.rows
                && (end == self.grid.rows || end.is_multiple_of(Self::BLOCK_ROWS)),
            "whole blocks of rows of the grid"
        );
        assert!(
            weights.is_none_or(|w| w.len() == values.len())
                && self.has_weights == weights.is_some(),
            "a weight for every value"
        );
        let blocks = first / Self::BLOCK_ROWS..end.div_ceil(Self::BLOCK_ROWS);
        let mut jobs = Vec::new();
        for (zone, edges) in self.zones.iter().enumerate() {
            let rows = edges.rows();
            let reached = rows.start / Self::BLOCK_ROWS..rows.end.div_ceil(Self::BLOCK_ROWS);
            for block in blocks.start.max(reached.start)..blocks.end.min(reached.end) {
                jobs.push((zone, block));
            }
        }
        let part = Part {
            grid: &self.grid,
            options: &self.options,
            first,
            values,
            weights,
        };
        let done: Vec<(Sums, Option<Tally>)> = jobs
            .par_iter()
            .map(|&(zone, block)| {
                let start = block * Self::BLOCK_ROWS;
                part.sums(
                    &self.zones[zone],
                    start..(start + Self::BLOCK_ROWS).min(end),
                )
            })
            .collect();
        for ((zone, _), (sums, tally)) in jobs.into_iter().zip(done) {
            let of_zone = &mut self.sums[zone];
            of_zone.0.merge(&sums);
            if let Some(tally) = tally {
                of_zone.1.add(tally);
            }
        }
        self.next_row = end;
    }

    /// The sums of each zone, in the order of the zones.
    pub fn finish(self) -> Vec<ZoneSums> {
        let (options, has_weights) = (self.options, self.has_weights);
        self.sums
            .into_iter()
            .map(|(sums, tallies)| ZoneSums {
                sums,
                tally: options.values.then(|| tallies.finish()),
                spread: options.variance,
                has_weights,
            })
            .collect()
    }
}

/// Rows of a raster that are being added.
struct Part<'a> {
    grid: &'a Grid,
    options: &'a ZonalOptions,
    first: usize,
    values: &'a [f32],
    weights: Option<&'a [f32]>,
}

impl Part<'_> {
    /// Sums of a zone over some rows.
    fn sums(&self, zone: &Edges, rows: Range<usize>) -> (Sums, Option<Tally>) {
        let mut sums = Sums::EMPTY;
        let mut counter = self.options.values.then(Counter::new);
        let mut area_of = (u32::MAX, 1.0);
        for r in zone.runs(rows) {
            if r.fraction < self.options.min_coverage {
                continue;
            }
            if self.options.area_weighted && area_of.0 != r.row {
                area_of = (r.row, self.grid.cell_area_m2(r.row as usize));
            }
            let at = (r.row as usize - self.first) * self.grid.cols + r.col as usize;
            let cells = at..at + r.len as usize;
            let values = &self.values[cells.clone()];
            let spread = self.options.variance;
            sums.add(values, r.fraction, area_of.1, spread);
            if let Some(weights) = self.weights {
                sums.add_weighted(values, &weights[cells], r.fraction * area_of.1, spread);
            }
            if let Some(counter) = &mut counter {
                counter.add(values, r.fraction);
            }
        }
        (sums, counter.map(Counter::finish))
    }
}
