//! Events of the event loss table (事件损失表): what one cause does in one year, and how often so much is lost.

use crate::stages::{Context, missing, store};
use anlan_engine::io::parquet::{self, ColumnData};
use anlan_engine::{Error, Fault, Result};
use anlan_models::hazard::Hazard;
use anlan_models::simulation::UnitLoss;
use std::collections::BTreeMap;

/// An event: all incidents of one cause in one year.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSum {
    /// Simulated year.
    pub year: u32,
    /// Cause.
    pub cause: u64,
    /// First day of the year on which it strikes, 1 the first of January.
    pub day: u32,
    /// Hazards, in the order of the tables.
    pub hazards: Vec<Hazard>,
    /// Losses of the region, by [`UnitLoss::COLUMNS`].
    pub loss: [f64; 10],
}

impl EventSum {
    /// Number of the event, as tables and commands name it.
    pub fn id(&self) -> String {
        format!("{}-{}", self.year, self.cause)
    }

    /// Direct loss, yuan.
    pub fn direct_yuan(&self) -> f64 {
        self.loss[..5].iter().sum()
    }
}

/// Losses of one event by (hazard code, unit), in the order of the file.
pub type EventRows = Vec<(u32, u32, [f64; 10])>;

/// The event loss table, in columns.
pub struct EventTable {
    year: Vec<u32>,
    day: Vec<u32>,
    hazard: Vec<u32>,
    unit: Vec<u32>,
    cause: Vec<u64>,
    loss: Vec<Vec<f64>>,
}

impl EventTable {
    /// Reads it.
    pub fn read(ctx: &Context<'_>) -> Result<Self> {
        let path = store::existing(ctx, "losses", "event_loss.parquet")?;
        let mut columns = parquet::read(&path)?;
        let mut take = |name: &str| {
            let at = columns.iter().position(|c| c.name == name);
            at.map(|i| columns.swap_remove(i).data)
                .ok_or_else(|| missing(&path))
        };
        let mut u32s = |name: &str| match take(name)? {
            ColumnData::U32(v) => Ok(v),
            _ => Err(missing(&path)),
        };
        let (year, day, hazard, unit) =
            (u32s("year")?, u32s("day")?, u32s("hazard")?, u32s("unit")?);
        let ColumnData::U64(cause) = take("cause")? else {
            return Err(missing(&path));
        };
        let loss = UnitLoss::COLUMNS
            .iter()
            .map(|name| match take(name)? {
                ColumnData::F64(v) => Ok(v),
                _ => Err(missing(&path)),
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(EventTable {
            year,
            day,
            hazard,
            unit,
            cause,
            loss,
        })
    }

    /// All events, the greatest direct loss first; of equals the earlier.
    pub fn events(&self) -> Vec<EventSum> {
        let mut sums: BTreeMap<(u32, u64), EventSum> = BTreeMap::new();
        for i in 0..self.year.len() {
            let key = (self.year[i], self.cause[i]);
            let event = sums.entry(key).or_insert_with(|| EventSum {
                year: key.0,
                cause: key.1,
                day: self.day[i],
                hazards: Vec::new(),
                loss: [0.0; 10],
            });
            event.day = event.day.min(self.day[i]);
            let hazard = Hazard::ALL[self.hazard[i] as usize - 1];
            if !event.hazards.contains(&hazard) {
                event.hazards.push(hazard);
            }
            for (sum, column) in event.loss.iter_mut().zip(&self.loss) {
                *sum += column[i];
            }
        }
        let mut out: Vec<EventSum> = sums.into_values().collect();
        for event in &mut out {
            event.hazards.sort_unstable();
        }
        out.sort_by(|a, b| {
            b.direct_yuan()
                .total_cmp(&a.direct_yuan())
                .then((a.year, a.cause).cmp(&(b.year, b.cause)))
        });
        out
    }

    /// Rows of one event.
    pub fn rows(&self, year: u32, cause: u64) -> EventRows {
        (0..self.year.len())
            .filter(|&i| self.year[i] == year && self.cause[i] == cause)
            .map(|i| {
                let mut loss = [0.0; 10];
                for (l, column) in loss.iter_mut().zip(&self.loss) {
                    *l = column[i];
                }
                (self.hazard[i], self.unit[i], loss)
            })
            .collect()
    }
}

/// Years in which so great an event comes once on average: the simulated years over its place from the greatest.
pub fn return_period(years: u32, place: usize) -> f64 {
    f64::from(years) / (place + 1) as f64
}

/// Which event is meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// By its number, as `lists/events.csv` has it.
    Event(String),
    /// The one whose direct loss comes once in so many years.
    ReturnPeriod(f64),
}

/// The event that is meant, and its place from the greatest.
///
/// # Errors
/// An unknown number; a return period of less than one event or more than the simulated years.
pub fn choose<'e>(
    events: &'e [EventSum],
    wanted: &Wanted,
    years: u32,
) -> Result<(&'e EventSum, usize)> {
    match wanted {
        Wanted::Event(id) => events
            .iter()
            .position(|e| e.id() == *id)
            .map(|n| (&events[n], n))
            .ok_or_else(|| {
                Error::input(
                    Fault::new(
                        "command line",
                        format!("event `{id}`"),
                        "an event of the event loss table, year-cause",
                        "take one of lists/events.csv, or give --return-period",
                    )
                    .at("--event"),
                )
            }),
        Wanted::ReturnPeriod(t) => {
            let place = (f64::from(years) / t).round();
            if *t >= 1.0 && place >= 1.0 && place as usize <= events.len() {
                let n = place as usize - 1;
                return Ok((&events[n], n));
            }
            let least = f64::from(years) / events.len().max(1) as f64;
            Err(Error::input(
                Fault::new(
                    "command line",
                    format!("{t} years"),
                    format!("{} to {years} years", least.ceil().max(1.0)),
                    "choose a return period that the simulated years hold",
                )
                .at("--return-period"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> EventTable {
        let mut loss = vec![vec![0.0; 5]; 10];
        loss[0] = vec![1.0, 2.0, 30.0, 4.0, 5.0];
        loss[4] = vec![0.0, 0.0, 0.0, 0.0, 6.0];
        loss[5] = vec![7.0, 0.0, 0.0, 0.0, 0.0];
        EventTable {
            year: vec![3, 3, 3, 9, 9],
            day: vec![20, 19, 40, 5, 5],
            hazard: vec![3, 1, 1, 2, 1],
            unit: vec![0, 1, 0, 0, 0],
            cause: vec![7, 7, 8, 7, 7],
            loss,
        }
    }

    #[test]
    fn causes_of_a_year_are_events_ranked_by_loss() {
        let events = table().events();
        let told: Vec<(String, u32, f64)> = events
            .iter()
            .map(|e| (e.id(), e.day, e.direct_yuan()))
            .collect();
        assert_eq!(
            told,
            [
                ("3-8".into(), 40, 30.0),
                ("9-7".into(), 5, 15.0),
                ("3-7".into(), 19, 3.0)
            ]
        );
        assert_eq!(events[2].hazards, [Hazard::Flood, Hazard::Geology]);
        assert_eq!(table().rows(3, 7).len(), 2);
        // 12 years: the second greatest comes once in 6.
        assert_eq!(return_period(12, 1), 6.0);
        assert_eq!(
            choose(&events, &Wanted::ReturnPeriod(6.0), 12)
                .unwrap()
                .0
                .id(),
            "9-7"
        );
        assert_eq!(
            choose(&events, &Wanted::Event("3-7".into()), 12).unwrap().1,
            2
        );
        assert!(choose(&events, &Wanted::Event("3-9".into()), 12).is_err());
        assert!(choose(&events, &Wanted::ReturnPeriod(100.0), 12).is_err());
        assert!(choose(&events, &Wanted::ReturnPeriod(2.0), 12).is_err());
    }
}
