//! The years in which events occur (发生年表).

use super::{Event, Occurrence};
use crate::distributions::poisson_quantile;
use crate::error::{Error, Fault, Result};
use crate::random::Stream;
use std::path::Path;

/// Occurrences of an event set over a number of simulated years.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Occurrences {
    /// Number of simulated years, years without events included.
    pub years: u32,
    /// Occurrences by ascending (year, day, event); `year` is below `years`.
    pub rows: Vec<Occurrence>,
}

/// Stream of the occurrences.
const STREAM: u16 = 0x4C05;

impl Occurrences {
    /// Sorts and checks occurrences; `source` is named in faults.
    ///
    /// # Errors
    /// No years; a year outside 0..years; a day outside 1..=366.
    pub fn new(source: &Path, years: u32, mut rows: Vec<Occurrence>) -> Result<Occurrences> {
        let bad = rows
            .iter()
            .find(|o| o.year >= years || !(1..=366).contains(&o.day));
        if years == 0 || bad.is_some() {
            return Err(Error::input(Fault::new(
                source,
                match bad {
                    Some(o) => format!("event {} on day {} of year {}", o.event, o.day, o.year),
                    None => "no years".to_string(),
                },
                format!("days 1 to 366 of years 0 to {}", years.saturating_sub(1)),
                "give the number of simulated years, and correct the dates",
            )));
        }
        rows.sort_by_key(|o| (o.year, o.day, o.event));
        Ok(Occurrences { years, rows })
    }

    /// Poisson years of events with rates: the number of events of a year, then each event by its share of the rates and a
    /// day of the year, all with addresses (seed, year).
    pub fn poisson(events: &[Event], years: u32, seed: u64) -> Occurrences {
        let mut cumulative = Vec::with_capacity(events.len());
        let mut sum = 0.0;
        for event in events {
            sum += event.rate_per_year;
            cumulative.push(sum);
        }
        let draws = Stream::new(seed, STREAM);
        let mut rows = Vec::new();
        for year in 0..years {
            let n = if sum > 0.0 {
                poisson_quantile(draws.uniform(u64::from(year), 0, 0), sum)
            } else {
                0
            };
            for k in 1..=n {
                let [pick, day] = draws.uniform2(u64::from(year), k, 0);
                let at = cumulative
                    .partition_point(|&c| c <= pick * sum)
                    .min(events.len() - 1);
                rows.push(Occurrence {
                    year,
                    day: 1 + (day * 365.0) as u16,
                    duration_h: 0.0,
                    event: events[at].id,
                });
            }
        }
        rows.sort_by_key(|o| (o.year, o.day, o.event));
        Occurrences { years, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_years_have_their_rates() {
        let events: Vec<Event> = [0.5, 0.0, 1.5]
            .iter()
            .enumerate()
            .map(|(i, &rate)| Event {
                id: 10 + i as u64,
                cause: 0,
                hazard: 0,
                rate_per_year: rate,
            })
            .collect();
        let years = 20_000;
        let o = Occurrences::poisson(&events, years, 4);
        for event in &events {
            let n = o.rows.iter().filter(|r| r.event == event.id).count() as f64;
            let mean = event.rate_per_year * f64::from(years);
            // Six standard deviations of a Poisson count.
            assert!((n - mean).abs() <= 6.0 * mean.sqrt(), "{n} {mean}");
        }
        assert!(
            o.rows
                .iter()
                .all(|r| (1..=365).contains(&r.day) && r.year < years)
        );
        // Fewer years are the first years of more.
        let few = Occurrences::poisson(&events, 100, 4);
        assert_eq!(few.rows[..], o.rows[..few.rows.len()]);
        assert!(Occurrences::poisson(&[], 10, 1).rows.is_empty());
    }

    #[test]
    fn dates_are_checked() {
        let at = |year, day| Occurrence {
            year,
            day,
            duration_h: 0.0,
            event: 1,
        };
        let path = Path::new("occurrence.csv");
        assert!(
            Occurrences::new(path, 10, vec![at(10, 1)])
                .unwrap_err()
                .is_input()
        );
        assert!(
            Occurrences::new(path, 10, vec![at(0, 0)])
                .unwrap_err()
                .is_input()
        );
        let o = Occurrences::new(path, 10, vec![at(3, 5), at(3, 2)]).unwrap();
        assert_eq!(o.rows[0].day, 2);
    }
}
