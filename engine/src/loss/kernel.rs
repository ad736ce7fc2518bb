//! The kernels: one event laid over a portfolio, in the mean, in moments, and sampled.
//!
//! An event is the work of one thread, its rows in their order, so that sums do not depend on threads. What a row costs:
//! 8 bytes of footprint (12 in double precision) and 24 of portfolio read, one look-up in the curve; sampled, five
//! operations and two cached loads per sample more.

use super::correlation::{Address, Correlation, Streams, Waves, uniforms};
use super::exposure::Exposure;
use super::strata::Strata;
use super::vulnerability::{MOST_STATES, Segments, Shape, Vulnerability};
use crate::distributions::normal_quantile;
use crate::error::{Error, Fault, Result};
use crate::events::set::{Block, Column, EventSet};
use crate::random::Stream;
use serde::{Deserialize, Serialize};

/// One row of a portfolio.
#[derive(Debug, Clone, Copy)]
struct Row {
    value: f64,
    item: u32,
    group: u32,
    vulnerability: u16,
    slot: u16,
}

/// Exposure packed by place, with the vulnerability that each class suffers and the slot that its losses go to.
#[derive(Debug, Clone)]
pub struct Portfolio {
    /// First row of each place, and the end.
    first: Vec<u32>,
    rows: Vec<Row>,
    slots: usize,
    vulnerabilities: Vec<Vulnerability>,
    /// Coordinates of the places, m, where correlation goes by distance.
    xy_m: Vec<[f64; 2]>,
}

/// What is uncertain about a loss, and how it hangs together within one event.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Uncertainty {
    /// False: damage is its mean at the intensity.
    pub damage: Sampled,
    /// False: several intensities of a place stand side by side for each item (effective damageability), and an intensity
    /// with a spread is taken as it is.
    pub intensity: Sampled,
}

/// One source of uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampled {
    /// Whether it is sampled.
    pub sampled: bool,
    /// How items (damage) or places (intensity) hang together within an event.
    pub correlation: Correlation,
}

impl Default for Sampled {
    fn default() -> Self {
        Sampled {
            sampled: true,
            correlation: Correlation::Independent,
        }
    }
}

/// The index of the places takes 4 bytes for each: gaps beyond this are refused.
const PLACES_PER_ROW: usize = 1000;
const LEAST_PLACES: usize = 1 << 26;

impl Portfolio {
    /// Packs an exposure. `vulnerability_of[class]`: index into `vulnerabilities`, `None` where a class suffers nothing;
    /// `slot_of(row)`: the slot of the outputs that a row of the exposure goes to, below 65,535.
    ///
    /// # Errors
    /// More than 65,535 vulnerabilities or slots; places so far apart that their index would fill the memory.
    ///
    /// # Panics
    /// Not one entry of `vulnerability_of` per class, or an index that does not exist.
    pub fn new(
        exposure: &Exposure,
        vulnerabilities: Vec<Vulnerability>,
        vulnerability_of: &[Option<usize>],
        slot_of: impl Fn(usize) -> usize,
    ) -> Result<Portfolio> {
        assert_eq!(
            vulnerability_of.len(),
            exposure.classes.len(),
            "one per class"
        );
        let mut rows = Vec::with_capacity(exposure.place.len());
        let mut place = Vec::with_capacity(exposure.place.len());
        let mut slots = 0;
        for i in 0..exposure.place.len() {
            let class = exposure.class[i];
            let slot = slot_of(i);
            slots = slots.max(slot + 1);
            let Some(vulnerability) = vulnerability_of[usize::from(class)] else {
                continue;
            };
            assert!(
                vulnerability < vulnerabilities.len(),
                "a known vulnerability"
            );
            place.push(exposure.place[i]);
            rows.push(Row {
                value: exposure.value[i],
                item: exposure.item[i],
                group: exposure.group[i],
                vulnerability: vulnerability as u16,
                slot: slot as u16,
            });
        }
        let most = usize::from(u16::MAX);
        if slots > most || vulnerabilities.len() > most {
            return Err(Error::input(Fault::new(
                "portfolio",
                format!("{slots} slots, {} vulnerabilities", vulnerabilities.len()),
                format!("at most {most} of each"),
                "report by fewer units or classes",
            )));
        }
        let places = place.last().map_or(0, |p| *p as usize + 1);
        if places > PLACES_PER_ROW * rows.len() + LEAST_PLACES {
            return Err(Error::input(
                Fault::new(
                    "portfolio",
                    format!("place {} with {} rows in all", places - 1, rows.len()),
                    "places numbered from 0 without large gaps",
                    "number the places of the event set and of the exposure anew",
                )
                .at("exposure"),
            ));
        }
        let mut first = vec![0_u32; places + 1];
        for &p in &place {
            first[p as usize + 1] += 1;
        }
        for p in 0..places {
            first[p + 1] += first[p];
        }
        Ok(Portfolio {
            first,
            rows,
            slots,
            vulnerabilities,
            xy_m: Vec::new(),
        })
    }

    /// Gives the places their coordinates, m in a plane system: needed where correlation goes by distance.
    ///
    /// # Errors
    /// Fewer places than the exposure has, or coordinates that are not finite.
    pub fn with_places(mut self, xy_m: Vec<[f64; 2]>) -> Result<Portfolio> {
        let bad = xy_m.iter().position(|p| !p.iter().all(|v| v.is_finite()));
        if xy_m.len() + 1 < self.first.len() || bad.is_some() {
            return Err(Error::input(Fault::new(
                "places",
                match bad {
                    Some(place) => format!("coordinates {:?} of place {place}", xy_m[place]),
                    None => format!("{} coordinates", xy_m.len()),
                },
                format!("{} finite pairs", self.first.len().saturating_sub(1)),
                "give each place its coordinates",
            )));
        }
        self.xy_m = xy_m;
        Ok(self)
    }

    /// Number of slots of the outputs.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Number of rows that can suffer a loss.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True where nothing can suffer a loss.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The vulnerabilities.
    pub fn vulnerabilities(&self) -> &[Vulnerability] {
        &self.vulnerabilities
    }

    /// Sum of the values per slot.
    pub fn values(&self) -> Vec<f64> {
        let mut values = vec![0.0; self.slots];
        for row in &self.rows {
            values[usize::from(row.slot)] += row.value;
        }
        values
    }

    /// Joins the portfolio with an event set: the measure that drives each vulnerability is looked up once.
    ///
    /// # Errors
    /// A measure that the set does not hold.
    pub fn with<'a>(&'a self, set: &EventSet) -> Result<Kernel<'a>> {
        let drives = self
            .vulnerabilities
            .iter()
            .map(|v| set.measure(v.measure()))
            .collect::<Result<_>>()?;
        Ok(Kernel {
            portfolio: self,
            drives,
        })
    }

    #[inline]
    fn range_of(&self, place: u32) -> std::ops::Range<usize> {
        let place = place as usize;
        match self.first.get(place + 1) {
            Some(&end) => self.first[place] as usize..end as usize,
            None => 0..0,
        }
    }

    #[inline]
    fn rows_of(&self, place: u32) -> &[Row] {
        &self.rows[self.range_of(place)]
    }
}

/// A portfolio joined with an event set.
#[derive(Debug, Clone)]
pub struct Kernel<'a> {
    portfolio: &'a Portfolio,
    drives: Vec<usize>,
}

/// A sampler of one run: uncertainty, strata, streams, and the tables that depend on the number of samples.
#[derive(Debug)]
pub struct Sampler<'a> {
    kernel: &'a Kernel<'a>,
    uncertainty: Uncertainty,
    strata: Strata,
    damage: Streams,
    intensity: Streams,
    /// Per vulnerability: the piece in which each stratum starts, law by law.
    starts: Vec<Vec<u16>>,
}

/// Scratch of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    low: Vec<f64>,
    high: Vec<f64>,
    fixed: Vec<f64>,
    damage: Waves,
    intensity: Waves,
}

/// Columns of an event's rows in one precision.
macro_rules! by_precision {
    ($columns:expr, $columns_of:ident => $body:expr) => {
        match $columns {
            Columns::F32($columns_of) => $body,
            Columns::F64($columns_of) => $body,
        }
    };
}

enum Columns<'a> {
    F32(Vec<&'a [f32]>),
    F64(Vec<&'a [f64]>),
}

impl Kernel<'_> {
    /// The intensity column of each vulnerability.
    fn columns<'b>(&self, block: &Block<'b>) -> Columns<'b> {
        let single = matches!(block.measures[0], Column::F32(_));
        if single {
            Columns::F32(
                self.drives
                    .iter()
                    .map(|&m| single_of(block.measures[m]))
                    .collect(),
            )
        } else {
            Columns::F64(
                self.drives
                    .iter()
                    .map(|&m| double_of(block.measures[m]))
                    .collect(),
            )
        }
    }

    /// Mean losses of the events of a block, without sampling: per event one value per slot, in the order of the events.
    ///
    /// Several intensities of a place are weighted with their probabilities; a lognormal spread is integrated over.
    pub fn means(&self, block: &Block<'_>, mut each: impl FnMut(usize, &[f64])) {
        let mut out = vec![0.0; self.portfolio.slots];
        by_precision!(self.columns(block), columns => {
            for event in 0..block.len() {
                out.fill(0.0);
                self.add_means(block, event, &columns, &mut out);
                each(event, &out);
            }
        });
    }

    fn add_means<T: Copy + Into<f64>>(
        &self,
        block: &Block<'_>,
        event: usize,
        columns: &[&[T]],
        out: &mut [f64],
    ) {
        let portfolio = self.portfolio;
        let plain = block.probability.is_none() && block.spread.is_none();
        for i in block.rows(event) {
            for row in portfolio.rows_of(block.place[i]) {
                let k = usize::from(row.vulnerability);
                let vulnerability = &portfolio.vulnerabilities[k];
                let x: f64 = columns[k][i].into();
                let ratio = if plain {
                    vulnerability.mean(x)
                } else {
                    uncertain(block, i, x, |x| (vulnerability.mean(x), 0.0)).0
                };
                out[usize::from(row.slot)] += row.value * ratio;
            }
        }
    }

    /// Mean, variance of independent items, and standard deviation of fully dependent ones (the sum of theirs, an upper
    /// bound that is reached where all distributions have one shape) per slot: `[mean, variance, sum of deviations]`.
    pub fn moments(&self, block: &Block<'_>, mut each: impl FnMut(usize, &[[f64; 3]])) {
        let mut out = vec![[0.0; 3]; self.portfolio.slots];
        by_precision!(self.columns(block), columns => {
            for event in 0..block.len() {
                out.fill([0.0; 3]);
                self.add_moments(block, event, &columns, &mut out);
                each(event, &out);
            }
        });
    }

    fn add_moments<T: Copy + Into<f64>>(
        &self,
        block: &Block<'_>,
        event: usize,
        columns: &[&[T]],
        out: &mut [[f64; 3]],
    ) {
        let portfolio = self.portfolio;
        let rows = block.rows(event);
        let mut from = rows.start;
        for same in block.place[rows].chunk_by(|a, b| a == b) {
            for row in portfolio.rows_of(same[0]) {
                let k = usize::from(row.vulnerability);
                let vulnerability = &portfolio.vulnerabilities[k];
                let (mut mean, mut second) = (0.0, 0.0);
                for i in from..from + same.len() {
                    let x: f64 = columns[k][i].into();
                    let (m, s) = uncertain(block, i, x, |x| vulnerability.moments(x));
                    mean += m;
                    second += s;
                }
                let variance = (second - mean * mean).max(0.0) * row.value * row.value;
                let out = &mut out[usize::from(row.slot)];
                out[0] += row.value * mean;
                out[1] += variance;
                out[2] += variance.sqrt();
            }
            from += same.len();
        }
    }

    /// Mean losses row by row: `each(event of the block, row of the portfolio, mean loss)` for the rows within `rows` that an
    /// event strikes, events and rows in order; a place with several intensities calls once for each, with its share.
    pub fn means_by_row(
        &self,
        block: &Block<'_>,
        rows: std::ops::Range<usize>,
        each: impl FnMut(usize, usize, f64),
    ) {
        by_precision!(self.columns(block), columns => self.visit(block, &columns, rows, each));
    }

    fn visit<T: Copy + Into<f64>>(
        &self,
        block: &Block<'_>,
        columns: &[&[T]],
        rows: std::ops::Range<usize>,
        mut each: impl FnMut(usize, usize, f64),
    ) {
        let portfolio = self.portfolio;
        // Places that hold one of the rows.
        let from = portfolio
            .first
            .partition_point(|&f| f as usize <= rows.start);
        let least = from.saturating_sub(1) as u32;
        let most = portfolio
            .first
            .partition_point(|&f| (f as usize) < rows.end) as u32;
        for event in 0..block.len() {
            let struck = block.rows(event);
            let places = &block.place[struck.clone()];
            let first = struck.start + places.partition_point(|&p| p < least);
            let last = struck.start + places.partition_point(|&p| p < most);
            for i in first..last {
                for r in portfolio.range_of(block.place[i]) {
                    if !rows.contains(&r) {
                        continue;
                    }
                    let row = &portfolio.rows[r];
                    let k = usize::from(row.vulnerability);
                    let vulnerability = &portfolio.vulnerabilities[k];
                    let x: f64 = columns[k][i].into();
                    let ratio = uncertain(block, i, x, |x| (vulnerability.mean(x), 0.0)).0;
                    each(event, r, row.value * ratio);
                }
            }
        }
    }
}

fn single_of<'a>(column: Column<'a>) -> &'a [f32] {
    match column {
        Column::F32(v) => v,
        Column::F64(_) => &[],
    }
}

fn double_of<'a>(column: Column<'a>) -> &'a [f64] {
    match column {
        Column::F64(v) => v,
        Column::F32(_) => &[],
    }
}

/// Nodes of the trapezium rule over the normal score of an intensity with a spread, from -6 to 6: exact to 1e-8 for smooth
/// damages; a kink of a curve costs 1/768 of its change of slope (per score) times the density there.
const SCORES: i32 = 48;
const SCORE_STEP: f64 = 0.125;

/// A pair of moments over what is uncertain about the intensity of a row, times the row's probability.
#[inline]
fn uncertain(
    block: &Block<'_>,
    row: usize,
    intensity: f64,
    of: impl Fn(f64) -> (f64, f64),
) -> (f64, f64) {
    let weight = block.probability.map_or(1.0, |p| p.get(row));
    let spread = block.spread.map_or(0.0, |s| s.get(row));
    if spread == 0.0 {
        let (a, b) = of(intensity);
        return (weight * a, weight * b);
    }
    static NODES: std::sync::OnceLock<Vec<[f64; 2]>> = std::sync::OnceLock::new();
    let nodes = NODES.get_or_init(|| {
        let z = (-SCORES..=SCORES).map(|i| f64::from(i) * SCORE_STEP);
        let nodes: Vec<[f64; 2]> = z.map(|z| [z, libm::exp(-0.5 * z * z)]).collect();
        let sum: f64 = nodes.iter().map(|n| n[1]).sum();
        nodes.iter().map(|n| [n[0], n[1] / sum]).collect()
    });
    let (mut mean, mut second) = (0.0, 0.0);
    for [score, share] in nodes {
        let (a, b) = of(intensity * libm::exp(spread * score));
        mean += share * a;
        second += share * b;
    }
    (weight * mean, weight * second)
}

/// Streams of the kernel under a seed.
mod stream {
    pub const DAMAGE: u16 = 0x4C01;
    pub const DAMAGE_SHARED: u16 = 0x4C02;
    pub const INTENSITY: u16 = 0x4C03;
    pub const INTENSITY_SHARED: u16 = 0x4C04;
}

impl<'a> Sampler<'a> {
    /// A sampler with `samples` (2 to 65,535) per round.
    ///
    /// # Errors
    /// Correlation parameters out of range; correlation by distance without coordinates.
    ///
    /// # Panics
    /// Another number of samples.
    pub fn new(
        kernel: &'a Kernel<'a>,
        uncertainty: Uncertainty,
        samples: u32,
        seed: u64,
    ) -> Result<Sampler<'a>> {
        let portfolio = kernel.portfolio;
        for (name, sampled) in [
            ("uncertainty.damage", uncertainty.damage),
            ("uncertainty.intensity", uncertainty.intensity),
        ] {
            sampled.correlation.validate(name)?;
            let by_distance = matches!(sampled.correlation, Correlation::Distance(_));
            if sampled.sampled && by_distance && portfolio.xy_m.is_empty() && !portfolio.is_empty()
            {
                return Err(Error::input(Fault::new(
                    name,
                    "correlation by distance, but places without coordinates",
                    "coordinates of the places",
                    "give the places coordinates, or correlate by group",
                )));
            }
        }
        let starts = portfolio
            .vulnerabilities
            .iter()
            .map(|v| match &v.shape {
                Shape::Segments(s) if !s.certain => s
                    .laws
                    .iter()
                    .flat_map(|law| law.starts(samples as usize))
                    .collect(),
                _ => Vec::new(),
            })
            .collect();
        let streams = |own, shared| Streams {
            own: Stream::new(seed, own),
            shared: Stream::new(seed, shared),
        };
        Ok(Sampler {
            kernel,
            uncertainty,
            strata: Strata::new(samples),
            damage: streams(stream::DAMAGE, stream::DAMAGE_SHARED),
            intensity: streams(stream::INTENSITY, stream::INTENSITY_SHARED),
            starts,
        })
    }

    /// Samples per round.
    pub fn samples(&self) -> usize {
        self.strata.samples()
    }

    /// Losses of one event of a block in one round: `out[slot × samples + sample]`, overwritten.
    ///
    /// The draws have the address (seed, event id, item, round): a subset of items or of events, another order, other
    /// blocks change none of them.
    ///
    /// # Panics
    /// `out` is not of the length slots × samples.
    pub fn losses(
        &self,
        block: &Block<'_>,
        event: usize,
        round: u32,
        scratch: &mut Scratch,
        out: &mut [f64],
    ) {
        let n = self.samples();
        let slots = self.kernel.portfolio.slots;
        assert_eq!(out.len(), slots * n, "slots × samples");
        out.fill(0.0);
        scratch.low.resize(n, 0.0);
        scratch.high.resize(n, 0.0);
        scratch.fixed.clear();
        scratch.fixed.resize(slots, 0.0);
        let spreads = block.spread.is_some() && self.uncertainty.intensity.sampled;
        let plain = block.probability.is_none() && !spreads;
        let alone = self.uncertainty.damage.correlation == Correlation::Independent;
        by_precision!(self.kernel.columns(block), columns => {
            if plain && (alone || !self.uncertainty.damage.sampled) {
                self.independent(block, event, round, &columns, scratch, out);
            } else {
                self.dependent(block, event, round, &columns, scratch, out);
            }
        });
        for (slot, &fixed) in scratch.fixed.iter().enumerate() {
            if fixed != 0.0 {
                for loss in &mut out[slot * n..(slot + 1) * n] {
                    *loss += fixed;
                }
            }
        }
    }

    /// Certain intensities, independent damages: no sample needs another.
    fn independent<T: Copy + Into<f64>>(
        &self,
        block: &Block<'_>,
        event: usize,
        round: u32,
        columns: &[&[T]],
        scratch: &mut Scratch,
        out: &mut [f64],
    ) {
        let portfolio = self.kernel.portfolio;
        let n = self.samples();
        let id = block.id[event];
        for i in block.rows(event) {
            for row in portfolio.rows_of(block.place[i]) {
                let k = usize::from(row.vulnerability);
                let vulnerability = &portfolio.vulnerabilities[k];
                let slot = usize::from(row.slot);
                let x: f64 = columns[k][i].into();
                let draw = || self.strata.draw(self.damage.own, id, row.item, round);
                let losses = &mut out[slot * n..(slot + 1) * n];
                match &vulnerability.shape {
                    Shape::Segments(segments) if self.uncertainty.damage.sampled => {
                        match segments.known(x) {
                            Some(ratio) => scratch.fixed[slot] += row.value * ratio,
                            None => {
                                let draw = draw();
                                let u = |j: usize| draw.uniform(j);
                                self.quantiles(k, segments, x, u, scratch);
                                for (&s, ratio) in draw.samples().iter().zip(&scratch.low) {
                                    losses[usize::from(s)] += row.value * ratio;
                                }
                            }
                        }
                    }
                    Shape::States(fragility) if self.uncertainty.damage.sampled => {
                        let mut reach = [0.0; MOST_STATES];
                        fragility.reaching(x, &mut reach);
                        let draw = draw();
                        for j in 0..n {
                            let ratio = fragility.ratio(&reach, draw.uniform(j));
                            losses[draw.sample(j)] += row.value * ratio;
                        }
                    }
                    _ => scratch.fixed[slot] += row.value * vulnerability.mean(x),
                }
            }
        }
    }

    /// Ratios at ascending probabilities into `scratch.low`.
    #[inline]
    fn quantiles(
        &self,
        vulnerability: usize,
        segments: &Segments,
        x: f64,
        u: impl Fn(usize) -> f64,
        scratch: &mut Scratch,
    ) {
        let n = self.samples();
        let (k, w) = segments.place(x);
        let [low, high] = segments.ends[k].map(|i| i as usize);
        let starts = |law: usize| &self.starts[vulnerability][law * n..(law + 1) * n];
        segments.laws[low].quantiles(starts(low), &u, &mut scratch.low);
        if low != high && w != 0.0 {
            segments.laws[high].quantiles(starts(high), &u, &mut scratch.high);
            for (a, b) in scratch.low.iter_mut().zip(&scratch.high) {
                *a += (b - *a) * w;
            }
        }
    }

    /// The general way: uniform numbers by sample for intensity and damage, then one look-up per sample.
    fn dependent<T: Copy + Into<f64>>(
        &self,
        block: &Block<'_>,
        event: usize,
        round: u32,
        columns: &[&[T]],
        scratch: &mut Scratch,
        out: &mut [f64],
    ) {
        let portfolio = self.kernel.portfolio;
        let n = self.samples();
        let rows = block.rows(event);
        let mut from = rows.start;
        let intensity = self.uncertainty.intensity;
        for same in block.place[rows].chunk_by(|a, b| a == b) {
            let these = from..from + same.len();
            from = these.end;
            let place = same[0];
            let xy_m = portfolio
                .xy_m
                .get(place as usize)
                .copied()
                .unwrap_or_default();
            let mut by_place = Address {
                event: block.id[event],
                round,
                item: place,
                group: 0,
                xy_m,
            };
            let uncertain = same.len() > 1 || block.spread.is_some();
            if uncertain && intensity.sampled {
                let (waves, out) = (&mut scratch.intensity, &mut scratch.high);
                uniforms(
                    intensity.correlation,
                    self.intensity,
                    &self.strata,
                    by_place,
                    waves,
                    out,
                );
            }
            for row in portfolio.rows_of(place) {
                let k = usize::from(row.vulnerability);
                let vulnerability = &portfolio.vulnerabilities[k];
                if uncertain && !intensity.sampled {
                    // Every item draws the intensity for itself: the effective damage distribution.
                    by_place.item = row.item;
                    let (waves, out) = (&mut scratch.intensity, &mut scratch.high);
                    uniforms(
                        Correlation::Independent,
                        self.intensity,
                        &self.strata,
                        by_place,
                        waves,
                        out,
                    );
                }
                if self.uncertainty.damage.sampled {
                    let at = Address {
                        item: row.item,
                        group: row.group,
                        ..by_place
                    };
                    let (waves, out) = (&mut scratch.damage, &mut scratch.low);
                    let correlation = self.uncertainty.damage.correlation;
                    uniforms(correlation, self.damage, &self.strata, at, waves, out);
                }
                let losses = &mut out[usize::from(row.slot) * n..][..n];
                for s in 0..n {
                    let u = scratch.high[s];
                    let at = if same.len() > 1 {
                        pick(block, &these, u)
                    } else {
                        (these.start, u)
                    };
                    let mut x: f64 = columns[k][at.0].into();
                    if intensity.sampled
                        && let Some(spread) = block.spread
                    {
                        x *= libm::exp(spread.get(at.0) * normal_quantile(at.1));
                    }
                    let ratio = if self.uncertainty.damage.sampled {
                        vulnerability.quantile(x, scratch.low[s])
                    } else {
                        vulnerability.mean(x)
                    };
                    losses[s] += row.value * ratio;
                }
            }
        }
    }
}

/// The row of a place that a uniform number picks by the rows' probabilities, and what is left of the number, uniform again.
#[inline]
fn pick(block: &Block<'_>, rows: &std::ops::Range<usize>, u: f64) -> (usize, f64) {
    let mut below = 0.0;
    for row in rows.clone() {
        let p = block.probability.map_or(1.0, |p| p.get(row));
        if u < below + p || row + 1 == rows.end {
            let rest = ((u - below) / p).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
            return (row, rest);
        }
        below += p;
    }
    (rows.start, u)
}

#[cfg(test)]
mod tests {
    use super::super::exposure::{ExposureBuilder, ExposureClass, Measure, Row as ExposedRow};
    use super::super::vulnerability::tests::jrc_residential;
    use super::super::vulnerability::{Curve, Fragility, Matrix, Reach};
    use super::*;
    use crate::events::Event;
    use crate::events::set::{Description, EventSetWriter};
    use std::path::Path;

    /// Two-sided normal bound of one of a hundred checks at 1e-6 overall (Bonferroni).
    const Z: f64 = 5.73;

    pub(crate) fn exposure(classes: u16, units: usize, rows: &[ExposedRow]) -> Exposure {
        let classes = (0..classes)
            .map(|code| ExposureClass {
                code,
                name: code.to_string(),
                name_zh: "住宅".into(),
                measure: Measure::Count("room".into()),
            })
            .collect();
        let units = (0..units).map(|u| u.to_string()).collect();
        let mut builder = ExposureBuilder::new(classes, units);
        for row in rows {
            builder.push_row(*row);
        }
        builder.build().unwrap()
    }

    fn row(place: u32, class: u16, value: f64, item: u32) -> ExposedRow {
        ExposedRow {
            place,
            class,
            value,
            unit: 0,
            item,
            group: 0,
        }
    }

    /// Events given as rows of (place, intensity[, probability][, spread]).
    fn set(description: Description, events: &[Vec<Vec<f64>>]) -> EventSet {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.events");
        let columns = description.measures.len()
            + usize::from(description.probability)
            + usize::from(description.spread);
        let mut writer = EventSetWriter::create(&path, description).unwrap();
        for (id, rows) in events.iter().enumerate() {
            let event = Event {
                id: id as u64,
                cause: id as u64,
                hazard: 0,
                rate_per_year: 0.01,
            };
            let places: Vec<u32> = rows.iter().map(|r| r[0] as u32).collect();
            let values: Vec<Vec<f64>> = (1..=columns)
                .map(|c| rows.iter().map(|r| r[c]).collect())
                .collect();
            let values: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
            writer.push(&event, &places, &values).unwrap();
        }
        writer.finish().unwrap();
        EventSet::open(&path).unwrap()
    }

    fn depth(double: bool, probability: bool, spread: bool) -> Description {
        Description {
            measures: vec!["depth_m".into()],
            double,
            probability,
            spread,
            note: String::new(),
        }
    }

    fn jrc(cv: f64) -> Vulnerability {
        Vulnerability::from_curve(Path::new("t"), &jrc_residential(cv)).unwrap()
    }

    fn uniform_damage() -> Vulnerability {
        let matrix = Matrix {
            code: "u".into(),
            measure: "depth_m".into(),
            edges: vec![0.0, 10.0],
            bins: vec![(0.0, 1.0)],
            probability: vec![vec![1.0]],
        };
        Vulnerability::from_matrix(Path::new("t"), &matrix).unwrap()
    }

    /// Losses of one event over rounds, slot 0.
    fn sampled(
        kernel: &Kernel<'_>,
        set: &EventSet,
        how: Uncertainty,
        n: u32,
        rounds: u32,
        seed: u64,
    ) -> Vec<f64> {
        let sampler = Sampler::new(kernel, how, n, seed).unwrap();
        let block = set.block(0).unwrap();
        let mut scratch = Scratch::default();
        let mut out = vec![0.0; n as usize * kernel.portfolio.slots()];
        let mut all = Vec::new();
        for round in 0..rounds {
            sampler.losses(&block, 0, round, &mut scratch, &mut out);
            all.extend_from_slice(&out[..n as usize]);
        }
        all
    }

    fn moments_of(x: &[f64]) -> (f64, f64) {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        (
            mean,
            x.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n,
        )
    }

    fn both(portfolio: &Portfolio, set: &EventSet) -> Vec<(f64, [f64; 3])> {
        let kernel = portfolio.with(set).unwrap();
        let block = set.block(0).unwrap();
        let mut means = Vec::new();
        kernel.means(&block, |_, m| means.push(m[0]));
        let mut all = Vec::new();
        kernel.moments(&block, |e, m| all.push((means[e], m[0])));
        all
    }

    /// Reference case 3: n items have mean n·mu and variance n·sigma², sampled and analytic.
    #[test]
    fn independent_items_add_up() {
        let items = 40_u32;
        let rows: Vec<_> = (0..items).map(|i| row(i, 0, 2.0, i)).collect();
        let e = exposure(1, 1, &rows);
        let p = Portfolio::new(&e, vec![uniform_damage()], &[Some(0)], |_| 0).unwrap();
        let events = vec![(0..items).map(|i| vec![f64::from(i), 1.0]).collect()];
        let s = set(depth(false, false, false), &events);
        let kernel = p.with(&s).unwrap();
        let n = f64::from(items);
        let (mean, [again, variance, dependent]) = both(&p, &s)[0];
        assert!((mean - n).abs() < 1e-12 && (again - n).abs() < 1e-12);
        assert!((variance - n * 4.0 / 12.0).abs() < 1e-12);
        assert!((dependent - n * 2.0 / 12.0_f64.sqrt()).abs() < 1e-10);
        let (rounds, per) = (300_u32, 20_u32);
        let x = sampled(&kernel, &s, Uncertainty::default(), per, rounds, 3);
        let (found, spread) = moments_of(&x);
        let size = f64::from(rounds * per);
        // Rounds of strata are better than this independent bound.
        assert!((found - n).abs() < Z * (variance / size).sqrt());
        // In one sample the items are independent: over rounds that sample is an ordinary one. Kurtosis of a sum of 40
        // uniforms: 3 - 1.2/40.
        let third: Vec<f64> = x.iter().skip(7).step_by(per as usize).copied().collect();
        let (m, v) = moments_of(&third);
        let few = f64::from(rounds);
        assert!((m - n).abs() < Z * (variance / few).sqrt());
        assert!(
            (v / variance - 1.0).abs() < Z * (2.0 / few).sqrt(),
            "{v} {variance}"
        );
        assert!((spread / variance - 1.0).abs() < Z * (2.0 / few).sqrt());
        // Reference case 8: the variance of the mean of a round is below that of as many independent samples. For a
        // uniform law in 20 strata with antithetic offsets neighbours cancel.
        let of_rounds: Vec<f64> = x.chunks(per as usize).map(|c| moments_of(c).0).collect();
        let (_, v) = moments_of(&of_rounds);
        assert!(v < 1e-3 * variance / f64::from(per), "{v}");
    }

    /// Reference case 4: fully correlated items of one shape are one item of their size; half correlated ones lie between.
    #[test]
    fn correlated_items() {
        let rows: Vec<_> = (0..10).map(|i| row(0, 0, 3.0, i)).collect();
        let e = exposure(1, 1, &rows);
        let p = Portfolio::new(&e, vec![uniform_damage()], &[Some(0)], |_| 0)
            .unwrap()
            .with_places(vec![[0.0; 2]])
            .unwrap();
        let s = set(depth(true, false, false), &[vec![vec![0.0, 1.0]]]);
        let kernel = p.with(&s).unwrap();
        let how = |correlation| Uncertainty {
            damage: Sampled {
                sampled: true,
                correlation,
            },
            ..Uncertainty::default()
        };
        for whole in [Correlation::Group(1.0), Correlation::Distance(1e3)] {
            let x = sampled(&kernel, &s, how(whole), 50, 100, 5);
            let (mean, variance) = moments_of(&x);
            assert!((mean - 15.0).abs() < Z * (900.0 / 12.0 / 5_000_f64).sqrt());
            // Var((x-1/2)²) of a uniform is 1/80 - 1/144.
            let error = 900.0 * ((1.0 / 80.0 - 1.0 / 144.0) / 5_000.0_f64).sqrt();
            assert!(
                (variance - 900.0 / 12.0).abs() < Z * error,
                "{whole:?} {variance}"
            );
        }
        // Spearman's rho_s = 6/pi asin(rho/2) is the correlation of the uniform damages: n sigma² (1 + (n-1) rho_s).
        let rho_s = 6.0 / std::f64::consts::PI * libm::asin(0.25);
        let x = sampled(&kernel, &s, how(Correlation::Group(0.5)), 50, 200, 6);
        let (_, variance) = moments_of(&x);
        let exact = 10.0 * 9.0 / 12.0 * (1.0 + 9.0 * rho_s);
        assert!(
            (variance / exact - 1.0).abs() < Z * (2.0 / 10_000.0_f64).sqrt(),
            "{variance} {exact}"
        );
    }

    /// Reference case 5: uncertain intensity on top of damage, Var = E[Var] + Var[E]; shared by a place or drawn for each
    /// item, the mean is one, the joint law another.
    #[test]
    fn law_of_total_variance() {
        let rows: Vec<_> = (0..4).map(|i| row(0, 0, 1.0, i)).collect();
        let e = exposure(1, 1, &rows);
        let p = Portfolio::new(&e, vec![jrc(0.3)], &[Some(0)], |_| 0).unwrap();
        let rows = vec![vec![0.0, 0.5, 0.4], vec![0.0, 2.0, 0.6]];
        let s = set(depth(true, true, false), &[rows]);
        let kernel = p.with(&s).unwrap();
        let law = |d| jrc(0.3).moments(d);
        let ((m1, s1), (m2, s2)) = (law(0.5), law(2.0));
        let mean = 0.4 * m1 + 0.6 * m2;
        let own = 0.4 * s1 + 0.6 * s2 - mean * mean;
        let common = 0.4 * m1 * m1 + 0.6 * m2 * m2 - mean * mean;
        let (analytic, [_, variance, _]) = both(&p, &s)[0];
        assert!((analytic - 4.0 * mean).abs() < 1e-12 && (variance - 4.0 * own).abs() < 1e-12);
        for (shared, exact) in [(true, 4.0 * own + 12.0 * common), (false, 4.0 * own)] {
            let how = Uncertainty {
                intensity: Sampled {
                    sampled: shared,
                    correlation: Correlation::Independent,
                },
                ..Uncertainty::default()
            };
            let x = sampled(&kernel, &s, how, 40, 250, 5);
            let (found, variance) = moments_of(&x);
            let n = x.len() as f64;
            assert!((found - 4.0 * mean).abs() < Z * (exact / n).sqrt());
            // A variable on 0..=4 about its mean: its squared deviation is at most 16, its variance at most 16 times its
            // mean.
            assert!(
                (variance - exact).abs() < Z * (16.0 * exact / n).sqrt(),
                "{shared} {variance} {exact}"
            );
        }
        // Without damage uncertainty only the intensity is left.
        let how = Uncertainty {
            damage: Sampled {
                sampled: false,
                ..Sampled::default()
            },
            ..Uncertainty::default()
        };
        let x = sampled(&kernel, &s, how, 40, 50, 5);
        assert!(
            x.iter()
                .all(|v| (v - 4.0 * m1).abs() < 1e-12 || (v - 4.0 * m2).abs() < 1e-12)
        );
        let low = x.iter().filter(|v| (**v - 4.0 * m1).abs() < 1e-12).count();
        // 16 of 40 strata lie below 0.4.
        assert_eq!(low, 50 * 16);
    }

    /// A lognormal spread of the intensity: mean and variance of a linear damage are those of the lognormal.
    #[test]
    fn spread_of_an_intensity() {
        let line = Curve {
            intensity: vec![0.0, 1000.0],
            mdd: vec![0.0, 1.0],
            cv: vec![],
            ..jrc_residential(0.0)
        };
        let line = Vulnerability::from_curve(Path::new("t"), &line).unwrap();
        let e = exposure(1, 1, &[row(0, 0, 1000.0, 0), row(1, 0, 1000.0, 1)]);
        let p = Portfolio::new(&e, vec![line], &[Some(0)], |_| 0)
            .unwrap()
            .with_places(vec![[0.0, 0.0], [0.0, 700.0]])
            .unwrap();
        let (median, sigma) = (5.0, 0.5);
        let rows = vec![vec![0.0, median, sigma], vec![1.0, median, sigma]];
        let s = set(depth(true, false, true), &[rows]);
        let kernel = p.with(&s).unwrap();
        let mean = median * libm::exp(0.5 * sigma * sigma);
        let variance = mean * mean * libm::expm1(sigma * sigma);
        let (analytic, [_, independent, _]) = both(&p, &s)[0];
        // The trapezium rule on a smooth function, cut at six standard deviations.
        assert!((analytic / (2.0 * mean) - 1.0).abs() < 1e-7);
        assert!((independent / (2.0 * variance) - 1.0).abs() < 1e-6);
        for (correlation, rho) in [
            (Correlation::Independent, 0.0),
            (Correlation::Group(1.0), 1.0),
            (Correlation::Distance(1000.0), libm::exp(-0.7)),
        ] {
            let how = Uncertainty {
                intensity: Sampled {
                    sampled: true,
                    correlation,
                },
                ..Uncertainty::default()
            };
            let x = sampled(&kernel, &s, how, 100, 200, 9);
            let (found, spread) = moments_of(&x);
            let n = x.len() as f64;
            let cov = mean * mean * libm::expm1(rho * sigma * sigma);
            let exact = 2.0 * variance + 2.0 * cov;
            assert!(
                (found - 2.0 * mean).abs() < Z * (exact / n).sqrt(),
                "{found}"
            );
            // Kurtosis of a lognormal with sigma 0.5 is 8.9; a sum of two has no more.
            assert!(
                (spread / exact - 1.0).abs() < Z * (7.9 / n).sqrt() + 2e-3,
                "{correlation:?} {spread} {exact}"
            );
        }
    }

    /// Reference case 12: an item's draws do not depend on other items, on the order of events or on the block.
    #[test]
    fn draws_keep_their_addresses() {
        let rows: Vec<_> = (0..30)
            .map(|i| row(i / 3, (i % 2) as u16, 100.0 + f64::from(i), i))
            .collect();
        let all = exposure(2, 1, &rows);
        let events: Vec<Vec<Vec<f64>>> = (0..3)
            .map(|e| {
                (e..9)
                    .map(|p| vec![f64::from(p), 0.3 * f64::from(p + e)])
                    .collect()
            })
            .collect();
        let s = set(depth(false, false, false), &events);
        let run = |e: &Exposure, how| {
            let p = Portfolio::new(e, vec![jrc(0.4), jrc(0.2)], &[Some(0), Some(1)], |_| 0)
                .unwrap()
                .with_places((0..10).map(|i| [f64::from(i) * 90.0, 0.0]).collect())
                .unwrap();
            let kernel = p.with(&s).unwrap();
            let sampler = Sampler::new(&kernel, how, 16, 8).unwrap();
            let block = s.block(0).unwrap();
            let mut out = vec![0.0; 16];
            sampler.losses(&block, 2, 5, &mut Scratch::default(), &mut out);
            out
        };
        for correlation in [
            Correlation::Independent,
            Correlation::Group(0.4),
            Correlation::Distance(300.0),
        ] {
            let how = Uncertainty {
                damage: Sampled {
                    sampled: true,
                    correlation,
                },
                ..Uncertainty::default()
            };
            let whole = run(&all, how);
            let odd = run(
                &exposure(
                    2,
                    1,
                    &rows
                        .iter()
                        .copied()
                        .filter(|r| r.item % 2 == 1)
                        .collect::<Vec<_>>(),
                ),
                how,
            );
            let even = run(
                &exposure(
                    2,
                    1,
                    &rows
                        .iter()
                        .copied()
                        .filter(|r| r.item % 2 == 0)
                        .collect::<Vec<_>>(),
                ),
                how,
            );
            for s in 0..16 {
                assert!((whole[s] - odd[s] - even[s]).abs() < 1e-10 * whole[s]);
            }
        }
    }

    /// Reference case 13: totals of very many small losses keep their digits.
    #[test]
    fn small_losses_add_up() {
        let n = 400_000_u32;
        let rows: Vec<_> = (0..n).map(|i| row(i / 4, 0, 0.1, i)).collect();
        let e = exposure(1, 1, &rows);
        let line = Curve {
            intensity: vec![0.0, 1.0],
            mdd: vec![0.0, 1.0],
            cv: vec![],
            ..jrc_residential(0.0)
        };
        let line = Vulnerability::from_curve(Path::new("t"), &line).unwrap();
        let p = Portfolio::new(&e, vec![line], &[Some(0)], |_| 0).unwrap();
        let events = vec![(0..n / 4).map(|i| vec![f64::from(i), 0.25]).collect()];
        let s = set(depth(false, false, false), &events);
        let (mean, _) = both(&p, &s)[0];
        // n additions of like numbers in f64: n/2 roundings of 1.1e-16 at the very most, f32 would lose five digits.
        assert!(
            (mean / (0.025 * f64::from(n)) - 1.0).abs() < 1e-11,
            "{mean}"
        );
    }

    /// Rooms by damage state: one class per state, the same items, so that the same draws put each into one state.
    #[test]
    fn rooms_by_damage_state() {
        let state = |code: &str, consequence: Vec<f64>| {
            let fragility = Fragility {
                code: code.into(),
                measure: "depth_m".into(),
                reach: Reach::Lognormal {
                    median: vec![0.5, 1.0, 2.0],
                    beta: vec![0.5, 0.5, 0.5],
                },
                least: 0.0,
                consequence,
                may_fall: true,
            };
            Vulnerability::from_fragility(Path::new("t"), &fragility).unwrap()
        };
        let states = vec![
            state("generally damaged", vec![1.0, 0.0, 0.0]),
            state("severely damaged", vec![0.0, 1.0, 0.0]),
            state("collapsed", vec![0.0, 0.0, 1.0]),
            state("damaged at all", vec![1.0, 1.0, 1.0]),
        ];
        let rows: Vec<_> = (0..4)
            .flat_map(|class| (0..20).map(move |i| row(i, class, 5.0, i)))
            .collect();
        let e = exposure(4, 1, &rows);
        let of: Vec<_> = (0..4).map(Some).collect();
        let p = Portfolio::new(&e, states, &of, |r| usize::from(e.class[r])).unwrap();
        let events = vec![
            (0..20)
                .map(|i| vec![f64::from(i), 0.1 * f64::from(i)])
                .collect(),
        ];
        let s = set(depth(false, false, false), &events);
        let kernel = p.with(&s).unwrap();
        let n = 30;
        let sampler = Sampler::new(&kernel, Uncertainty::default(), n as u32, 2).unwrap();
        let mut out = vec![0.0; 4 * n];
        let block = s.block(0).unwrap();
        sampler.losses(&block, 0, 0, &mut Scratch::default(), &mut out);
        for k in 0..n {
            let [general, severe, collapsed, any] = [0, 1, 2, 3].map(|c| out[c * n + k]);
            assert_eq!(general + severe + collapsed, any);
            assert_eq!(any % 5.0, 0.0);
        }
        let mut means = Vec::new();
        kernel.means(&block, |_, m| means.extend_from_slice(m));
        assert!((means[0] + means[1] + means[2] - means[3]).abs() < 1e-12);
        assert!(out[..n].iter().any(|v| *v > 0.0) && means[2] > 0.0);
    }

    #[test]
    fn distance_needs_coordinates() {
        let e = exposure(1, 1, &[row(0, 0, 1.0, 0)]);
        let p = Portfolio::new(&e, vec![jrc(0.3)], &[Some(0)], |_| 0).unwrap();
        let s = set(depth(false, false, false), &[vec![vec![0.0, 1.0]]]);
        let kernel = p.with(&s).unwrap();
        let how = Uncertainty {
            damage: Sampled {
                sampled: true,
                correlation: Correlation::Distance(10.0),
            },
            ..Uncertainty::default()
        };
        let error = Sampler::new(&kernel, how, 10, 1).unwrap_err();
        assert!(error.to_string().contains("coordinates"));
        let how = Uncertainty {
            damage: Sampled {
                sampled: true,
                correlation: Correlation::Group(1.5),
            },
            ..Uncertainty::default()
        };
        assert!(Sampler::new(&kernel, how, 10, 1).unwrap_err().is_input());
    }
}
