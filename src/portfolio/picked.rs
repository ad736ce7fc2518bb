//! Importance sampling (重要性抽样): the events of one round, and the rates that they stand for.
//!
//! Each round picks anew, so that the spread between rounds holds the error of the picks. The picked events with their
//! weights as rates are an event set of their own: exceedance rates and the average annual loss of it are unbiased, years
//! are drawn from it as from any other.

use super::{Assembled, Told, index_of};
use anlan_engine::Event;
use anlan_engine::events::occurrences::Occurrences;
use anlan_engine::loss::Picks;
use std::collections::BTreeMap;

/// The events of one round.
pub(super) struct Picked {
    /// True for the picked events of the set.
    pub marks: Vec<bool>,
    /// The picked events in the order of the set, each with the rate that it stands for.
    pub events: Vec<Event>,
    /// Their places by number.
    pub index: BTreeMap<u64, usize>,
    /// Years drawn from them.
    pub occurrences: Occurrences,
}

impl Picked {
    /// The picks of a round, where the portfolio asks for them; `told` holds all events with their means.
    pub fn of(assembled: &Assembled, told: &Told, round: u32) -> Option<Picked> {
        let importance = assembled.file.sampling.importance?;
        let seed = assembled.seed.wrapping_add(u64::from(round));
        let rates: Vec<f64> = told.events.iter().map(|e| e.rate_per_year).collect();
        let groups = assembled.groups.len();
        let scores: Vec<f64> = (0..rates.len())
            .map(|e| libm::pow(told.means[e * groups], importance.power))
            .collect();
        let picks = Picks::new(&rates, &scores, importance.picks, seed);
        let mut stands_for = vec![0.0; rates.len()];
        for (&event, weight) in picks.events.iter().zip(&picks.weights) {
            stands_for[event] += weight;
        }
        let events: Vec<Event> = told
            .events
            .iter()
            .zip(&stands_for)
            .filter(|(_, rate)| **rate > 0.0)
            .map(|(event, &rate_per_year)| Event {
                rate_per_year,
                ..*event
            })
            .collect();
        Some(Picked {
            marks: stands_for.iter().map(|&rate| rate > 0.0).collect(),
            index: index_of(&events),
            occurrences: Occurrences::poisson(&events, assembled.file.years, seed),
            events,
        })
    }
}
