//! The portfolio file: one TOML, unknown keys refused, paths relative to the file.

use crate::project::toml_fault;
use anlan_engine::loss::{Goal, Measure, Stop, Uncertainty};
use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// A portfolio as the user wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortfolioFile {
    /// Name, in the title of outputs.
    pub name: String,
    /// Event-set file.
    pub events: PathBuf,
    /// Exposure table: `item` (whole number, each once in a class), `place` (number in the event set), `class`, `value`,
    /// `unit`; optionally `group` (whole number) and `policy`.
    pub exposure: PathBuf,
    /// Vulnerabilities: TOML with `[[curve]]`, `[[matrix]]`, `[[fragility]]`.
    pub vulnerability: PathBuf,
    /// Occurrences: `event`, `year` (from 1), and optionally `day`; without it the years are drawn from the rates of the
    /// events (Poisson).
    #[serde(default)]
    pub occurrences: Option<PathBuf>,
    /// Simulated years: those of the occurrence table, or to be drawn. 1..=1,000,000.
    #[serde(default = "ten_thousand")]
    pub years: u32,
    /// Coordinates of the places: `place`, `x_m`, `y_m`; needed where correlation goes by distance.
    #[serde(default)]
    pub places: Option<PathBuf>,
    /// EPSG code of the plane system of the coordinates: losses of items are then written as points, too.
    #[serde(default)]
    pub places_epsg: Option<u32>,
    /// Policies: `policy`, `deductible`, `limit` (blank: none), `share`. Losses become payouts.
    #[serde(default)]
    pub policies: Option<PathBuf>,
    /// Classes of the exposure.
    pub classes: Vec<ClassEntry>,
    /// Samples.
    #[serde(default)]
    pub sampling: Sampling,
    /// What is uncertain.
    #[serde(default)]
    pub uncertainty: Uncertainty,
    /// What is reported.
    #[serde(default)]
    pub report: Report,
}

/// Years times samples of a round: 16 bytes for each, per thread.
const MOST_YEAR_SAMPLES: u64 = 50_000_000;

fn ten_thousand() -> u32 {
    10_000
}

/// A class of the exposure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassEntry {
    /// Code, as the exposure table has it.
    pub code: String,
    /// English name.
    #[serde(default)]
    pub name: String,
    /// Chinese name.
    #[serde(default)]
    pub name_zh: String,
    /// Code of its vulnerability.
    pub vulnerability: String,
    /// Currency of its values, e.g. `CNY`, with `price_year`; or a `count`.
    #[serde(default)]
    pub currency: Option<String>,
    /// Year of the prices.
    #[serde(default)]
    pub price_year: Option<u16>,
    /// What its values count, e.g. `person`, `room`.
    #[serde(default)]
    pub count: Option<String>,
}

/// Samples of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// Stratified samples per round, 2..=65,535.
    pub samples: u32,
    /// Seed.
    pub seed: u64,
    /// When to stop: `{ rounds = 4 }`, or `{ at = { goal = "average-annual", error = 0.01, most = 50 } }` with goals
    /// `"average-annual"`, `{ occurrence = 100.0 }` (OEP), `{ aggregate = 100.0 }` (AEP).
    pub stop: Stop,
    /// Sample some of the events only, those that matter more often (重要性抽样): `{ picks = 2000 }`. Not with a table of
    /// occurrences: the years are drawn anew in each round, from the rates that the picked events stand for.
    pub importance: Option<Importance>,
}

/// Importance sampling of rare events: which events are sampled in a round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importance {
    /// Picks a round, 10..=1,000,000; an event may be picked several times, and is sampled once.
    pub picks: u32,
    /// Events are picked in proportion to rate × (mean loss of the first total)^power, 0.1..=4: at 1 the average annual
    /// loss is known best, above 1 the tail.
    #[serde(default = "one")]
    pub power: f64,
}

fn one() -> f64 {
    1.0
}

impl Default for Sampling {
    fn default() -> Self {
        Sampling {
            samples: 20,
            seed: 1,
            stop: Stop::Rounds(4),
            importance: None,
        }
    }
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Report {
    /// Return periods, years, 1 or more.
    pub return_periods: Vec<f64>,
    /// Curves for each unit, beside the totals.
    pub units: bool,
    /// Curves for each class, beside the totals.
    pub classes: bool,
    /// Losses of each item: average annual, and by return period from the rates of the events.
    pub items: bool,
    /// Event, period and year loss tables as CSV, too; each is then once in memory.
    pub csv: bool,
}

impl Default for Report {
    fn default() -> Self {
        Report {
            return_periods: vec![2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0],
            units: true,
            classes: true,
            items: false,
            csv: false,
        }
    }
}

impl ClassEntry {
    /// What its values measure.
    pub(super) fn measure(&self, file: &Path) -> Result<Measure> {
        match (&self.currency, self.price_year, &self.count) {
            (Some(currency), Some(price_year), None) => Ok(Measure::Money {
                currency: currency.clone(),
                price_year,
            }),
            (None, None, Some(count)) => Ok(Measure::Count(count.clone())),
            _ => Err(Error::input(
                Fault::new(
                    file,
                    "a class without a measure, or with two",
                    "currency and price_year, or count",
                    "say what the values of the class measure",
                )
                .at(format!("class {}", self.code)),
            )),
        }
    }
}

impl PortfolioFile {
    /// Reads and checks a portfolio file.
    ///
    /// # Errors
    /// Not TOML, unknown keys, values out of range.
    pub fn read(path: &Path) -> Result<PortfolioFile> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
        let file: PortfolioFile = toml::from_str(&text).map_err(|e| toml_fault(path, &text, &e))?;
        let mut faults = Vec::new();
        let mut check = |holds: bool, at: &str, found: String, expected: &str| {
            if !holds {
                let remedy = "correct the value";
                faults.push(Fault::new(path, found, expected, remedy).at(at));
            }
        };
        let s = file.sampling;
        check(
            (2..=65_535).contains(&s.samples),
            "sampling.samples",
            s.samples.to_string(),
            "2 to 65,535",
        );
        check(
            (1..=1_000_000).contains(&file.years),
            "years",
            file.years.to_string(),
            "1 to 1,000,000",
        );
        if let Some(importance) = s.importance {
            check(
                (10..=1_000_000).contains(&importance.picks),
                "sampling.importance.picks",
                importance.picks.to_string(),
                "10 to 1,000,000 picks",
            );
            check(
                (0.1..=4.0).contains(&importance.power),
                "sampling.importance.power",
                importance.power.to_string(),
                "0.1 to 4",
            );
            check(
                file.occurrences.is_none(),
                "sampling.importance",
                "a table of occurrences beside it".into(),
                "years drawn from the rates of the events: leave `occurrences` out",
            );
        }
        let together = u64::from(file.years) * u64::from(s.samples);
        check(
            together <= MOST_YEAR_SAMPLES,
            "sampling.samples",
            format!("{} years x {} samples", file.years, s.samples),
            "at most 50,000,000 in a round: take fewer samples a round, and more rounds",
        );
        let most = s.stop.most();
        check(
            (1..=10_000).contains(&most),
            "sampling.stop",
            format!("{most} rounds"),
            "1 to 10,000 rounds",
        );
        if let Stop::At { error, goal, .. } = s.stop {
            check(
                error > 0.0 && error < 1.0,
                "sampling.stop.at.error",
                error.to_string(),
                "a relative standard error between 0 and 1",
            );
            if let Goal::Occurrence(t) | Goal::Aggregate(t) = goal {
                check(
                    t > 1.0 && t <= f64::from(file.years),
                    "sampling.stop.at.goal",
                    t.to_string(),
                    "a return period above 1 and within the simulated years",
                );
            }
        }
        for t in &file.report.return_periods {
            check(
                *t >= 1.0 && t.is_finite(),
                "report.return_periods",
                t.to_string(),
                "1 year or more",
            );
        }
        check(
            !file.classes.is_empty(),
            "classes",
            "no class".into(),
            "one or more",
        );
        if faults.is_empty() {
            Ok(file)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Return periods: those of the report, and the one that the run goes on for.
    pub(super) fn periods(&self) -> Vec<f64> {
        let mut periods = self.report.return_periods.clone();
        if let Stop::At {
            goal: Goal::Occurrence(t) | Goal::Aggregate(t),
            ..
        } = self.sampling.stop
        {
            periods.push(t);
        }
        periods.sort_unstable_by(f64::total_cmp);
        periods.dedup();
        periods
    }
}
