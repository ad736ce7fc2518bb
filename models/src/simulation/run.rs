//! All years in global blocks, and what is kept of them.

use super::year::{LossRow, Places, Simulator, UnitLoss};
use crate::weather::WeatherYear;
use std::ops::Range;

/// What one block of years gives.
#[derive(Debug, Clone)]
pub struct BlockResult {
    /// Rows of the event loss table, by year and order within the year.
    pub rows: Vec<LossRow>,
    /// Money lost over the block, by place.
    pub places: Places,
}

/// Simulates the years of one block.
pub fn run_block(
    simulator: &Simulator<'_>,
    weather: &(dyn Fn(u32) -> WeatherYear + Sync),
    years: Range<u32>,
) -> BlockResult {
    let mut scratch = simulator.scratch();
    let mut result = BlockResult {
        rows: Vec::new(),
        places: simulator.places(),
    };
    for year in years {
        let weather = weather(year);
        simulator.year(&weather, &mut scratch, &mut result.places, &mut result.rows);
    }
    result
}

/// Metrics of which yearly tables are kept.
pub const METRICS: [&str; 5] = [
    "direct_loss_yuan",
    "affected_people",
    "relocated_people",
    "collapsed_rooms",
    "forest_ha",
];

/// Year tables: per scope (hazard or all) × unit (or region) × metric, the sum and the greatest event of every year.
///
/// Scope 0 is all hazards together, 1..=4 are the hazard codes; unit `units` (one past the last) is the whole region.
#[derive(Debug, Clone)]
pub struct Totals {
    years: usize,
    units: usize,
    sum: Vec<f32>,
    greatest: Vec<f32>,
}

impl Totals {
    /// Empty tables.
    pub fn new(years: u32, units: usize) -> Self {
        let cells = 5 * (units + 1) * METRICS.len() * years as usize;
        Totals {
            years: years as usize,
            units,
            sum: vec![0.0; cells],
            greatest: vec![0.0; cells],
        }
    }

    fn offset(&self, scope: usize, unit: usize, metric: usize) -> usize {
        ((scope * (self.units + 1) + unit) * METRICS.len() + metric) * self.years
    }

    /// Yearly sums of a metric, one value per year.
    pub fn sums(&self, scope: usize, unit: usize, metric: usize) -> &[f32] {
        let at = self.offset(scope, unit, metric);
        &self.sum[at..at + self.years]
    }

    /// Greatest event of each year.
    pub fn greatest(&self, scope: usize, unit: usize, metric: usize) -> &[f32] {
        let at = self.offset(scope, unit, metric);
        &self.greatest[at..at + self.years]
    }

    /// Number of units; this number itself stands for the region.
    pub fn region(&self) -> usize {
        self.units
    }

    /// Books rows that hold whole years (all rows of a year in one call). An event is all rows of one cause in a year;
    /// for one hazard, all rows of that hazard and cause.
    pub fn book(&mut self, rows: &[LossRow]) {
        let mut start = 0;
        while start < rows.len() {
            let year = rows[start].year;
            let end = start + rows[start..].iter().take_while(|r| r.year == year).count();
            self.book_year(year as usize, &rows[start..end]);
            start = end;
        }
    }

    fn book_year(&mut self, year: usize, rows: &[LossRow]) {
        let region = self.units;
        let mut keyed: Vec<(usize, usize, u64, [f64; 5])> = Vec::with_capacity(rows.len() * 4);
        for row in rows {
            let m = metrics(&row.loss);
            for scope in [0, row.hazard as usize] {
                for unit in [row.unit as usize, region] {
                    keyed.push((scope, unit, row.cause, m));
                }
            }
        }
        // Stable sort: equal keys keep the order of time, so sums do not depend on anything else.
        keyed.sort_by_key(|k| (k.0, k.1, k.2));
        let mut i = 0;
        while i < keyed.len() {
            let (scope, unit, _, _) = keyed[i];
            let mut sum = [0.0; 5];
            let mut greatest = [0.0_f64; 5];
            while i < keyed.len() && keyed[i].0 == scope && keyed[i].1 == unit {
                let cause = keyed[i].2;
                let mut event = [0.0; 5];
                while i < keyed.len()
                    && (keyed[i].0, keyed[i].1, keyed[i].2) == (scope, unit, cause)
                {
                    for k in 0..5 {
                        event[k] += keyed[i].3[k];
                    }
                    i += 1;
                }
                for k in 0..5 {
                    sum[k] += event[k];
                    greatest[k] = greatest[k].max(event[k]);
                }
            }
            for k in 0..5 {
                let at = self.offset(scope, unit, k) + year;
                self.sum[at] = sum[k] as f32;
                self.greatest[at] = greatest[k] as f32;
            }
        }
    }
}

fn metrics(loss: &UnitLoss) -> [f64; 5] {
    [
        loss.money_yuan(),
        loss.affected,
        loss.relocated,
        loss.collapsed_rooms,
        loss.forest_ha,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(year: u32, hazard: u16, cause: u64, unit: u16, money: f64) -> LossRow {
        LossRow {
            year,
            day: 1,
            hazard,
            event: 0,
            cause,
            unit,
            loss: UnitLoss {
                assets_yuan: money,
                ..UnitLoss::default()
            },
        }
    }

    #[test]
    fn an_event_is_all_that_one_cause_brings() {
        let mut t = Totals::new(2, 2);
        t.book(&[
            row(0, 1, 7, 0, 10.0),
            row(0, 1, 7, 1, 5.0),
            row(0, 3, 7, 0, 4.0),
            row(0, 1, 8, 0, 6.0),
            row(1, 1, 9, 1, 1.0),
        ]);
        assert_eq!(t.sums(0, t.region(), 0), &[25.0, 1.0]);
        // Storm 7 floods and slides: 19 together, more than storm 8.
        assert_eq!(t.greatest(0, t.region(), 0), &[19.0, 1.0]);
        assert_eq!(t.greatest(1, 0, 0), &[10.0, 0.0]);
        assert_eq!(t.sums(3, 0, 0), &[4.0, 0.0]);
    }
}
