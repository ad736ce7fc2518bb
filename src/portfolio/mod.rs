//! Losses of a portfolio: a user's own exposure, events and vulnerability through the loss engine, without the pipeline.
//!
//! | file | holds |
//! | --- | --- |
//! | `file` | the portfolio file and the tables it names |
//! | `assemble` | exposure, vulnerabilities, groups and policies from them |
//! | `import` | portfolios of Oasis LMF, CLIMADA, OpenQuake |
//! | `part` | the part of one shard, as a file |
//! | `picked` | the events of a round under importance sampling |
//! | `outputs` | tables, chart and summary |

mod assemble;
mod file;
mod import;
mod outputs;
mod part;
mod picked;

pub use file::{ClassEntry, Importance, PortfolioFile, Report, Sampling};
pub use import::{Said, Source, import};

use crate::manifest::{Draft, FileRecord, Manifest, record};
use crate::progress::{Listener, News};
use anlan_engine::loss::{Curves, EventMoments, Group, Round, Run, Stop, curves};
use anlan_engine::{Error, Event, Fault, Result};
use assemble::Assembled;
use part::Part;
use picked::Picked;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Options of a run that are not in the portfolio file.
#[derive(Debug, Clone, Default)]
pub struct PortfolioOptions {
    /// Output folder; `out` beside the portfolio file by default.
    pub out: Option<PathBuf>,
    /// Seed in place of the file's.
    pub seed: Option<u64>,
    /// True: chart and summary in Chinese.
    pub zh: bool,
    /// Shard (index from 1, count): only this part, for [`merge`].
    pub shard: Option<(usize, usize)>,
}

const TASK: &str = "loss";

/// Blocks of the event set whose moments are computed at a time.
const STEP: usize = 64;

/// Where moments and rounds come from: computed here, or read from the parts of all shards. One step of moments, or one
/// round, is in memory at a time.
enum Origin<'a> {
    Run(Run<'a>),
    Parts(Vec<PathBuf>),
}

impl Origin<'_> {
    /// The next moments, in the order of the events; `None` behind the last.
    fn moments(&self, step: usize) -> Result<Option<Vec<EventMoments>>> {
        match self {
            Origin::Run(run) => {
                let from = step * STEP;
                if from >= run.set.blocks() {
                    return Ok(None);
                }
                moments(run, from..(from + STEP).min(run.set.blocks())).map(Some)
            }
            Origin::Parts(paths) => match paths.get(step) {
                Some(path) => Ok(Some(Part::read(path)?.moments)),
                None => Ok(None),
            },
        }
    }

    /// Samples of the events of a round; the parts hold those alone.
    fn round(&self, round: u32, picked: Option<&Picked>) -> Result<Round> {
        match self {
            Origin::Run(run) => {
                let marks = picked.map(|p| p.marks.as_slice());
                run.round(0..run.set.blocks(), round, marks)
            }
            Origin::Parts(paths) => {
                let mut all = Round::default();
                for path in paths {
                    let part = Part::read(path)?.rounds.swap_remove(round as usize);
                    all.samples = part.samples;
                    all.groups = part.groups;
                    all.losses.extend(part.losses);
                }
                Ok(all)
            }
        }
    }
}

fn moments(run: &Run<'_>, blocks: Range<usize>) -> Result<Vec<EventMoments>> {
    let mut all = Vec::new();
    run.moments(blocks, |part| {
        all.extend(part);
        Ok(())
    })?;
    Ok(all)
}

/// What is kept of all events: small beside a round of samples.
#[derive(Default)]
struct Told {
    events: Vec<Event>,
    /// Mean losses from the ground up: `[event][group]`.
    means: Vec<f64>,
    /// Terms applied to the mean losses of the policies: `[event][group]`; empty without policies.
    on_terms: Vec<f64>,
    /// Curves of the groups, round by round.
    rounds: Vec<Vec<Curves>>,
}

/// Runs a portfolio and writes its tables, or with a shard the part of it. Returns the folder or the file written.
///
/// # Errors
/// Faults of the inputs, all of a table together; a shard of a run without a fixed number of rounds.
pub fn run(path: &Path, options: &PortfolioOptions, news: &Listener<'_>) -> Result<PathBuf> {
    let assembled = Assembled::read(path, options.seed)?;
    match options.shard {
        Some(shard) => timed(news, || run_shard(path, &assembled, shard, options)),
        None => timed(news, || {
            let origin = Origin::Run(assembled.run());
            finish(path, &assembled, &origin, options, news)
        }),
    }
}

/// Joins the parts of all shards of one run, in the order of the shards, and writes what one run would have written.
///
/// # Errors
/// Parts of another portfolio, other inputs or another seed; missing or double shards.
pub fn merge(
    path: &Path,
    parts: &[PathBuf],
    options: &PortfolioOptions,
    news: &Listener<'_>,
) -> Result<PathBuf> {
    let assembled = Assembled::read(path, options.seed)?;
    timed(news, || {
        let origin = Origin::Parts(part::in_order(parts, &assembled.manifest()?.key)?);
        finish(path, &assembled, &origin, options, news)
    })
}

fn timed(news: &Listener<'_>, work: impl FnOnce() -> Result<PathBuf>) -> Result<PathBuf> {
    let started = Instant::now();
    news(News::Started { task: TASK });
    let made = work()?;
    let seconds = started.elapsed().as_secs_f64();
    news(News::Finished {
        task: TASK,
        seconds,
    });
    Ok(made)
}

/// `out` beside the portfolio file where nothing else is said.
fn folder(path: &Path, options: &PortfolioOptions) -> PathBuf {
    let beside = || path.parent().unwrap_or_else(|| Path::new("")).join("out");
    options.out.clone().unwrap_or_else(beside)
}

fn run_shard(
    path: &Path,
    assembled: &Assembled,
    (index, count): (usize, usize),
    options: &PortfolioOptions,
) -> Result<PathBuf> {
    if index == 0 || index > count {
        return Err(Error::input(Fault::new(
            "--shard",
            format!("{index}/{count}"),
            "i/n with i from 1 to n",
            "number the shards from 1",
        )));
    }
    let Stop::Rounds(rounds) = assembled.file.sampling.stop else {
        return Err(Error::input(
            Fault::new(
                path,
                "a run that stops at an error",
                "a fixed number of rounds: stop = { rounds = 4 }",
                "shards cannot see each other's error: fix the rounds",
            )
            .at("sampling.stop"),
        ));
    };
    let run = assembled.run();
    let blocks = run.shard(index - 1, count);
    // Picks are made among all events, by their means: each shard goes through them once more.
    let mut told = Told::default();
    if assembled.file.sampling.importance.is_some() {
        run.moments(0..run.set.blocks(), |part| {
            assembled.keep(&part, &mut told);
            Ok(())
        })?;
    }
    let part = Part {
        key: assembled.manifest()?.key,
        shard: (index, count),
        moments: moments(&run, blocks.clone())?,
        rounds: (0..rounds)
            .map(|round| {
                let picked = Picked::of(assembled, &told, round);
                let marks = picked.as_ref().map(|p| p.marks.as_slice());
                run.round(blocks.clone(), round, marks)
            })
            .collect::<Result<_>>()?,
    };
    let out = folder(path, options);
    std::fs::create_dir_all(&out).map_err(|e| Error::io("creating", &out, e))?;
    let file = out.join(format!("part-{index:04}-of-{count:04}.anlanpart"));
    part.write(&file)?;
    Ok(file)
}

fn finish(
    path: &Path,
    assembled: &Assembled,
    origin: &Origin<'_>,
    options: &PortfolioOptions,
    news: &Listener<'_>,
) -> Result<PathBuf> {
    let out = folder(path, options);
    let manifest = assembled.manifest()?;
    let draft = Draft::begin(&out, TASK, &manifest.key)?;
    let step = |done, note| {
        news(News::Step {
            task: TASK,
            done,
            note,
        });
    };
    let mut told = Told::default();
    let all = assembled.set.events().max(1) as f64;
    outputs::events(assembled, &draft, |from| {
        let moments = origin.moments(from)?;
        if let Some(moments) = &moments {
            assembled.keep(moments, &mut told);
        }
        step(0.3 * told.events.len() as f64 / all, "means of the events");
        Ok(moments)
    })?;
    let index = index_of(&told.events);
    let stop = assembled.file.sampling.stop;
    let periods = assembled.file.periods();
    for round in 0..stop.most() {
        let done = f64::from(round) / f64::from(stop.most());
        step(0.3 + 0.6 * done, "rounds of samples");
        let picked = Picked::of(assembled, &told, round);
        let one = origin.round(round, picked.as_ref())?;
        let (events, index, years) = match &picked {
            Some(p) => (&p.events, &p.index, &p.occurrences),
            None => (&told.events, &index, &assembled.occurrences),
        };
        let found = curves(&one, events, index, years, &periods)?;
        if round == 0 {
            outputs::periods(assembled, &one, index, years, &draft)?;
        }
        told.rounds.push(found);
        if stop.reached(&told.rounds, &periods) {
            break;
        }
    }
    step(0.9, "tables and summary");
    outputs::write(assembled, &told, options.zh, &draft)?;
    draft.commit(manifest)?;
    Ok(out.join(TASK))
}

/// Place of each event by its number.
fn index_of(events: &[Event]) -> BTreeMap<u64, usize> {
    events.iter().enumerate().map(|(i, e)| (e.id, i)).collect()
}

impl Assembled {
    /// The run of this portfolio.
    fn run(&self) -> Run<'_> {
        Run {
            set: &self.set,
            portfolio: &self.portfolio,
            groups: &self.groups,
            terms: (!self.terms.is_empty()).then_some(&self.terms[..]),
            uncertainty: self.file.uncertainty,
            samples: self.file.sampling.samples,
            seed: self.seed,
        }
    }

    /// Keeps of some events what is needed until the end.
    fn keep(&self, moments: &[EventMoments], told: &mut Told) {
        let mut slots = vec![0.0; self.portfolio.slots()];
        for m in moments {
            told.events.push(m.event);
            slots.fill(0.0);
            for s in &m.slots {
                slots[s.0 as usize] = s.1;
            }
            let sum = |of: &dyn Fn(usize) -> f64, group: &Group| {
                anlan_engine::loss::total(group.slots.iter().map(|&s| of(s)))
            };
            for group in &self.groups {
                told.means.push(sum(&|s| slots[s], group));
                if !self.terms.is_empty() {
                    told.on_terms
                        .push(sum(&|s| self.terms[s].payout(slots[s]), group));
                }
            }
        }
    }

    fn manifest(&self) -> Result<Manifest> {
        let mut inputs: Vec<FileRecord> = Vec::new();
        for file in &self.inputs {
            inputs.push(record(file, &self.base)?);
        }
        let options = serde_json::to_value(&self.file)
            .map_err(|e| Error::Failed(format!("writing a manifest: {e}")))?;
        Ok(Manifest::new(
            TASK,
            self.seed,
            options,
            inputs,
            BTreeMap::new(),
        ))
    }
}
