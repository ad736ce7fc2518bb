//! A run over an event set: moments of all events, rounds of stratified samples, and what is made of them.
//!
//! Blocks of the file are the unit of work and of sharding: each is computed by one thread, and results are joined in the
//! order of the blocks. A shard is a range of blocks; joining the parts of all shards in order gives the very arrays that one
//! run makes.

use super::ep::{Estimate, ExceedanceCurve, rate_curve, total};
use super::kernel::{Portfolio, Sampler, Scratch, Uncertainty};
use crate::distributions::order_statistic_interval;
use crate::error::{Error, Fault, Result};
use crate::events::Event;
use crate::events::occurrences::Occurrences;
use crate::events::set::EventSet;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Blocks computed before their results are handed on.
const BATCH: usize = 64;
/// Losses of single rows held at a time.
const ROW_LOSSES: usize = 16_000_000;
/// Rounds before the first look at the error.
const FIRST_LOOK: u32 = 4;
/// Most bytes of one round's samples.
const MOST_BYTES: usize = 1 << 30;

/// Slots that are reported together, e.g. all classes of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Name in the outputs.
    pub name: String,
    /// Slots, ascending.
    pub slots: Vec<usize>,
}

/// Insurance terms of one policy (保单): of each event's loss, `share` of what exceeds the deductible, up to the limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Deductible (免赔额), in the measure of the exposure, 0 or more.
    pub deductible: f64,
    /// Limit (赔偿限额), of the loss above the deductible, 0 or more; `inf` without a limit.
    pub limit: f64,
    /// Share of the insurer (赔付比例), 0..=1.
    pub share: f64,
}

impl Terms {
    /// Payout for a loss.
    #[inline]
    pub fn payout(&self, loss: f64) -> f64 {
        self.share * (loss - self.deductible).clamp(0.0, self.limit)
    }

    /// Checks the terms; `source` and `policy` are named in the fault.
    ///
    /// # Errors
    /// Negative or missing numbers, a share outside 0..=1.
    pub fn validate(&self, source: &str, policy: &str) -> Result<()> {
        if self.deductible >= 0.0
            && self.deductible.is_finite()
            && self.limit >= 0.0
            && (0.0..=1.0).contains(&self.share)
        {
            return Ok(());
        }
        Err(Error::input(
            Fault::new(
                source,
                format!(
                    "deductible {}, limit {}, share {}",
                    self.deductible, self.limit, self.share
                ),
                "a deductible and a limit of 0 or more, a share of 0 to 1",
                "correct the terms",
            )
            .at(format!("policy {policy}")),
        ))
    }
}

/// One run: what is laid over what, and how it is sampled.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The events.
    pub set: &'a EventSet,
    /// What they strike.
    pub portfolio: &'a Portfolio,
    /// What is reported.
    pub groups: &'a [Group],
    /// Terms per slot: losses become payouts, event by event and sample by sample. Means and moments stay those of the
    /// losses from the ground up.
    pub terms: Option<&'a [Terms]>,
    /// What is uncertain.
    pub uncertainty: Uncertainty,
    /// Samples per round, 2 to 65,535.
    pub samples: u32,
    /// Seed.
    pub seed: u64,
}

/// Losses of one event, slot by slot: only slots with a loss.
#[derive(Debug, Clone, PartialEq)]
pub struct EventMoments {
    /// The event.
    pub event: Event,
    /// (slot, mean, standard deviation of independent items, standard deviation of fully dependent ones).
    pub slots: Vec<(u32, f64, f64, f64)>,
}

/// Samples of one round: `[event][group][sample]`, events in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Round {
    /// Samples per round.
    pub samples: usize,
    /// Number of groups.
    pub groups: usize,
    /// The losses.
    pub losses: Vec<f64>,
}

impl Round {
    /// Samples of one event and group.
    pub fn of(&self, event: usize, group: usize) -> &[f64] {
        let at = (event * self.groups + group) * self.samples;
        &self.losses[at..at + self.samples]
    }
}

impl Run<'_> {
    /// Blocks of shard `index` (from 0) of `count`.
    pub fn shard(&self, index: usize, count: usize) -> Range<usize> {
        let blocks = self.set.blocks();
        blocks * index / count..blocks * (index + 1) / count
    }

    /// Moments of the events of some blocks, in order, without sampling.
    ///
    /// # Errors
    /// A measure that the set does not hold, a damaged block, or what `each` returns.
    pub fn moments(
        &self,
        blocks: Range<usize>,
        mut each: impl FnMut(Vec<EventMoments>) -> Result<()>,
    ) -> Result<()> {
        let kernel = self.portfolio.with(self.set)?;
        self.in_order(
            blocks,
            |block| {
                let block = self.set.block(block)?;
                let mut events = Vec::with_capacity(block.len());
                kernel.moments(&block, |event, slots| {
                    let slots = slots.iter().enumerate().filter(|(_, m)| m[0] != 0.0);
                    events.push(EventMoments {
                        event: block.event(event),
                        slots: slots
                            .map(|(slot, m)| (slot as u32, m[0], m[1].sqrt(), m[2]))
                            .collect(),
                    });
                });
                Ok(events)
            },
            &mut each,
        )
    }

    /// One round of samples of the events of some blocks: of all of them, or of those that `picked` marks by their place in
    /// the set (importance sampling). The round holds the sampled events alone, in order.
    ///
    /// # Errors
    /// As [`Run::moments`], and those of [`Sampler::new`]; more than 1 GiB of samples.
    ///
    /// # Panics
    /// Marks for another number of events.
    pub fn round(
        &self,
        blocks: Range<usize>,
        round: u32,
        picked: Option<&[bool]>,
    ) -> Result<Round> {
        let (n, groups) = (self.samples as usize, self.groups.len());
        assert!(
            picked.is_none_or(|p| p.len() == self.set.events()),
            "one mark per event of the set"
        );
        let sampled = picked.map_or(self.set.events(), |p| p.iter().filter(|&&p| p).count());
        let bytes = sampled * groups * n * 8;
        if bytes > MOST_BYTES {
            return Err(Error::input(Fault::new(
                self.set.path(),
                format!(
                    "{sampled} events x {groups} groups x {n} samples: {} MiB in a round",
                    bytes >> 20
                ),
                format!("at most {} MiB", MOST_BYTES >> 20),
                "take fewer samples a round and more rounds, or fewer groups",
            )));
        }
        let kernel = self.portfolio.with(self.set)?;
        let sampler = Sampler::new(&kernel, self.uncertainty, self.samples, self.seed)?;
        let mut losses = Vec::new();
        self.in_order(
            blocks,
            |block| {
                let first = self.set.first_event(block);
                let block = self.set.block(block)?;
                let events: Vec<usize> = (0..block.len())
                    .filter(|e| picked.is_none_or(|p| p[first + e]))
                    .collect();
                let mut scratch = Scratch::default();
                let mut slots = vec![0.0; self.portfolio.slots() * n];
                let mut part = vec![0.0; events.len() * groups * n];
                for (&event, part) in events.iter().zip(part.chunks_exact_mut(groups * n)) {
                    sampler.losses(&block, event, round, &mut scratch, &mut slots);
                    if let Some(terms) = self.terms {
                        for (terms, losses) in terms.iter().zip(slots.chunks_exact_mut(n)) {
                            for loss in losses {
                                *loss = terms.payout(*loss);
                            }
                        }
                    }
                    for (group, out) in self.groups.iter().zip(part.chunks_exact_mut(n)) {
                        for &slot in &group.slots {
                            for (out, loss) in out.iter_mut().zip(&slots[slot * n..]) {
                                *out += loss;
                            }
                        }
                    }
                }
                Ok(part)
            },
            &mut |part: Vec<f64>| {
                losses.extend(part);
                Ok(())
            },
        )?;
        Ok(Round {
            samples: n,
            groups,
            losses,
        })
    }

    /// Computes blocks in parallel and hands their results on in order.
    fn in_order<P: Send>(
        &self,
        blocks: Range<usize>,
        one: impl Fn(usize) -> Result<P> + Sync,
        each: &mut impl FnMut(P) -> Result<()>,
    ) -> Result<()> {
        let mut from = blocks.start;
        while from < blocks.end {
            let to = (from + BATCH).min(blocks.end);
            let parts: Vec<Result<P>> = (from..to).into_par_iter().map(&one).collect();
            for part in parts {
                each(part?)?;
            }
            from = to;
        }
        Ok(())
    }

    /// All events of the set, in order.
    ///
    /// # Errors
    /// A damaged block.
    pub fn events(&self) -> Result<Vec<Event>> {
        let mut events = Vec::with_capacity(self.set.events());
        for block in 0..self.set.blocks() {
            let block = self.set.block(block)?;
            events.extend((0..block.len()).map(|e| block.event(e)));
        }
        Ok(events)
    }

    /// Of each row of the portfolio, in the order of the exposure: the mean annual loss, then the losses of the return
    /// periods by the rates of the events (mean losses; 0 where the row is struck more rarely): `[row][1 + period]`.
    ///
    /// The event set is read once for every 16 million losses, so that memory stays bounded.
    ///
    /// # Errors
    /// As [`Run::moments`].
    pub fn by_row(&self, periods: &[f64]) -> Result<Vec<Vec<f64>>> {
        let kernel = self.portfolio.with(self.set)?;
        let rows = self.portfolio.len();
        let mut struck = vec![0_u32; rows];
        for block in 0..self.set.blocks() {
            kernel.means_by_row(&self.set.block(block)?, 0..rows, |_, row, _| {
                struck[row] += 1
            });
        }
        let mut out = Vec::with_capacity(rows);
        let mut from = 0;
        while from < rows {
            let (mut to, mut held) = (from, 0);
            while to < rows && (to == from || held + struck[to] as usize <= ROW_LOSSES) {
                held += struck[to] as usize;
                to += 1;
            }
            let mut losses: Vec<Vec<(f64, f64)>> = struck[from..to]
                .iter()
                .map(|&n| Vec::with_capacity(n as usize))
                .collect();
            for block in 0..self.set.blocks() {
                let block = self.set.block(block)?;
                let mut last = (usize::MAX, usize::MAX);
                kernel.means_by_row(&block, from..to, |event, row, loss| {
                    let list = &mut losses[row - from];
                    if last == (event, row)
                        && let Some(same) = list.last_mut()
                    {
                        // Another intensity of the same place.
                        same.0 += loss;
                    } else {
                        list.push((loss, block.rate_per_year[event]));
                    }
                    last = (event, row);
                });
            }
            out.par_extend(losses.into_par_iter().map(|list| {
                let mean = total(list.iter().map(|(loss, rate)| loss * rate));
                let (losses, rates): (Vec<f64>, Vec<f64>) = list.into_iter().unzip();
                let curve = rate_curve(&losses, &rates);
                let at = |t: f64| {
                    let over = curve.partition_point(|r| r.1 * t < 1.0);
                    curve.get(over).map_or(0.0, |r| r.0)
                };
                std::iter::once(mean)
                    .chain(periods.iter().map(|&t| at(t)))
                    .collect()
            }));
            from = to;
        }
        Ok(out)
    }
}

/// Losses of one group in one round.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// Average annual loss by the rates of the events.
    pub average: f64,
    /// Standard deviation of the annual loss over simulated years and samples.
    pub deviation: f64,
    /// By return period: annual-maximum OEP, AEP, tail means of both, and the rate-based OEP.
    pub by_period: Vec<PeriodLosses>,
}

/// Losses of one return period T in years.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PeriodLosses {
    /// OEP: the greatest loss of a year, exceeded with probability 1/T (PML).
    pub occurrence: f64,
    /// AEP: the sum of a year, exceeded with probability 1/T.
    pub aggregate: f64,
    /// Mean of the greatest losses beyond (TVaR).
    pub occurrence_tail: f64,
    /// Mean of the sums beyond (TVaR).
    pub aggregate_tail: f64,
    /// Loss of one event that is exceeded 1/T times a year on average: by rates, without simulated years.
    pub by_rate: f64,
    /// 95 % interval of `occurrence` for the number of simulated years.
    pub occurrence_95: [f64; 2],
    /// 95 % interval of `aggregate` for the number of simulated years.
    pub aggregate_95: [f64; 2],
}

/// Makes the curves of each group from one round. `index` gives the place of an event in the round by its number.
///
/// The sample of an event is the same in all years of one sample, and moved on by one where it occurs again in the same year.
/// Return periods beyond the simulated years are NaN.
///
/// # Errors
/// An occurrence of an event that is not in the set.
pub fn curves(
    round: &Round,
    events: &[Event],
    index: &BTreeMap<u64, usize>,
    occurrences: &Occurrences,
    periods: &[f64],
) -> Result<Vec<Curves>> {
    let n = round.samples;
    let years = occurrences.years as usize;
    let mut at = Vec::with_capacity(occurrences.rows.len());
    let mut again: BTreeMap<(u32, u64), usize> = BTreeMap::new();
    for o in &occurrences.rows {
        let Some(&event) = index.get(&o.event) else {
            return Err(Error::input(
                Fault::new(
                    "occurrences",
                    format!("event {}", o.event),
                    "an event of the event set",
                    "use the occurrences that belong to the event set",
                )
                .at(format!("year {}, day {}", o.year, o.day)),
            ));
        };
        let times = again.entry((o.year, o.event)).or_default();
        at.push((o.year as usize, event, *times % n));
        *times += 1;
    }
    (0..round.groups)
        .into_par_iter()
        .map(|group| {
            let mut sums = vec![0.0; years * n];
            let mut greatest = vec![0.0_f64; years * n];
            for &(year, event, shift) in &at {
                let losses = round.of(event, group);
                for s in 0..n {
                    let loss = losses[(s + shift) % n];
                    sums[year * n + s] += loss;
                    let most = &mut greatest[year * n + s];
                    *most = most.max(loss);
                }
            }
            let average = total(events.iter().enumerate().map(|(e, event)| {
                event.rate_per_year * total(round.of(e, group).iter().copied()) / n as f64
            }));
            let mean = total(sums.iter().copied()) / sums.len() as f64;
            let squares = total(sums.iter().map(|v| (v - mean) * (v - mean)));
            let losses: Vec<f64> = (0..events.len())
                .flat_map(|e| round.of(e, group).iter().copied())
                .collect();
            let rates: Vec<f64> = events
                .iter()
                .flat_map(|e| std::iter::repeat_n(e.rate_per_year / n as f64, n))
                .collect();
            let by_rate = rate_curve(&losses, &rates);
            let (oep, aep) = (ExceedanceCurve::new(&greatest), ExceedanceCurve::new(&sums));
            let interval = |curve: &ExceedanceCurve, period: f64| {
                let p = 1.0 - 1.0 / period;
                let (low, high) = order_statistic_interval(years as u32, p, 0.95);
                // Rank r of the years, from below, is place (years - r) x samples of the pooled ones, from above.
                let pooled = |rank: u32, missing: f64| {
                    (years + 1)
                        .checked_sub(rank as usize)
                        .filter(|&place| place > 0)
                        .and_then(|place| curve.descending().get((place - 1) * n + n / 2))
                        .copied()
                        .unwrap_or(missing)
                };
                [pooled(low, 0.0), pooled(high, f64::INFINITY)]
            };
            let by_period = periods
                .iter()
                .map(|&t| {
                    // Beyond the simulated years more samples of the same years say nothing.
                    let known = |v: f64| if t <= years as f64 { v } else { f64::NAN };
                    let over = by_rate.partition_point(|r| r.1 * t < 1.0);
                    PeriodLosses {
                        occurrence: known(oep.loss(t)),
                        aggregate: known(aep.loss(t)),
                        occurrence_tail: known(oep.tail_mean(t)),
                        aggregate_tail: known(aep.tail_mean(t)),
                        by_rate: by_rate.get(over).map_or(0.0, |r| r.0),
                        occurrence_95: interval(&oep, t).map(known),
                        aggregate_95: interval(&aep, t).map(known),
                    }
                })
                .collect();
            Ok(Curves {
                average,
                deviation: (squares / (sums.len() as f64 - 1.0)).sqrt(),
                by_period,
            })
        })
        .collect()
}

/// What a run goes on for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The average annual loss.
    AverageAnnual,
    /// The OEP loss of a return period, years.
    Occurrence(f64),
    /// The AEP loss of a return period, years.
    Aggregate(f64),
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stop {
    /// After so many rounds: what a sharded run needs.
    Rounds(u32),
    /// When the relative standard error of the first group's goal, between rounds, is at most `error`; after `most` rounds
    /// in any case. Decided at the end of a round, from the fourth on.
    At {
        /// What is to be known.
        goal: Goal,
        /// Relative standard error.
        error: f64,
        /// Most rounds.
        most: u32,
    },
}

/// Mean over the rounds with its standard error between rounds (NaN for one round).
pub fn over_rounds(values: impl Iterator<Item = f64> + Clone) -> Estimate {
    let n = values.clone().count() as f64;
    let value = total(values.clone()) / n;
    let squares = total(values.map(|v| (v - value) * (v - value)));
    Estimate {
        value,
        standard_error: (squares / (n - 1.0) / n).sqrt(),
    }
}

impl Stop {
    /// Most rounds there will be.
    pub fn most(&self) -> u32 {
        match self {
            Stop::Rounds(n) => *n,
            Stop::At { most, .. } => *most,
        }
    }

    /// Whether the rounds so far are enough; `periods` as given to [`curves`].
    pub fn reached(&self, rounds: &[Vec<Curves>], periods: &[f64]) -> bool {
        let done = rounds.len() as u32;
        if done >= self.most() {
            return true;
        }
        match self {
            Stop::Rounds(_) => false,
            Stop::At { goal, error, .. } => {
                let found = goal.over(rounds, periods);
                done >= FIRST_LOOK && found.standard_error <= error * found.value.abs()
            }
        }
    }
}

impl Goal {
    /// The goal's estimate for the first group.
    pub fn over(&self, rounds: &[Vec<Curves>], periods: &[f64]) -> Estimate {
        let of = |curves: &Curves| {
            let at = |t: f64| periods.iter().position(|p| *p == t);
            let by = |t: f64, f: fn(&PeriodLosses) -> f64| {
                at(t).map_or(f64::NAN, |k| f(&curves.by_period[k]))
            };
            match *self {
                Goal::AverageAnnual => curves.average,
                Goal::Occurrence(t) => by(t, |p| p.occurrence),
                Goal::Aggregate(t) => by(t, |p| p.aggregate),
            }
        };
        over_rounds(rounds.iter().map(|groups| of(&groups[0])))
    }
}
