//! Losses of a portfolio: a user's own exposure, events and vulnerability through the loss engine, without the pipeline.
//!
//! | file | holds |
//! | --- | --- |
//! | `file` | the portfolio file and the tables it names |
//! | `assemble` | exposure, vulnerabilities, groups and policies from them |
//! | `import` | portfolios of Oasis LMF, CLIMADA, OpenQuake |
//! | `part` | the part of one shard, as a file |
//! | `outputs` | tables, chart and summary |

mod assemble;
mod file;
mod import;
mod outputs;
mod part;

pub use file::{ClassEntry, PortfolioFile, Report, Sampling};
pub use import::{Said, Source, import};

use crate::manifest::{Draft, FileRecord, Manifest, record};
use crate::progress::{Listener, News};
use anlan_engine::loss::{Curves, EventMoments, Run, Stop, curves};
use anlan_engine::{Error, Event, Fault, Result};
use assemble::Assembled;
use part::Part;
use std::collections::BTreeMap;
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

/// Everything that a part or a whole run has computed before the curves are made.
struct Work {
    moments: Vec<EventMoments>,
    rounds: Vec<anlan_engine::loss::Round>,
}

/// Runs a portfolio and writes its tables, or with a shard the part of it. Returns the folder or the file written.
///
/// # Errors
/// Faults of the inputs, all of a table together; a shard of a run without a fixed number of rounds.
pub fn run(path: &Path, options: &PortfolioOptions, news: &Listener<'_>) -> Result<PathBuf> {
    let started = Instant::now();
    news(News::Started { task: TASK });
    let assembled = Assembled::read(path, options.seed)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| path.parent().unwrap_or_else(|| Path::new("")).join("out"));
    let run = assembled.run();
    let blocks = match options.shard {
        Some((index, count)) => {
            if index == 0 || index > count {
                return Err(Error::input(Fault::new(
                    "--shard",
                    format!("{index}/{count}"),
                    "i/n with i from 1 to n",
                    "number the shards from 1",
                )));
            }
            let Stop::Rounds(_) = assembled.file.sampling.stop else {
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
            run.shard(index - 1, count)
        }
        None => 0..run.set.blocks(),
    };

    let mut moments = Vec::new();
    let events = run.set.events().max(1);
    run.moments(blocks.clone(), |part| {
        moments.extend(part);
        let done = 0.3 * moments.len() as f64 / events as f64;
        news(News::Step {
            task: TASK,
            done,
            note: "means of the events",
        });
        Ok(())
    })?;
    let stop = assembled.file.sampling.stop;
    let whole = options.shard.is_none();
    let mut work = Work {
        moments,
        rounds: Vec::new(),
    };
    let mut told = Vec::new();
    let index = assembled.index(&work.moments);
    for round in 0..stop.most() {
        let done = 0.3 + 0.6 * f64::from(round) / f64::from(stop.most());
        news(News::Step {
            task: TASK,
            done,
            note: "rounds of samples",
        });
        let one = run.round(blocks.clone(), round)?;
        if whole {
            told.push(assembled.curves(&one, &work.moments, &index)?);
        }
        if !whole || round == 0 {
            work.rounds.push(one);
        }
        if whole && stop.reached(&told, &assembled.periods()) {
            break;
        }
    }
    let target = if let Some((index, count)) = options.shard {
        std::fs::create_dir_all(&out).map_err(|e| Error::io("creating", &out, e))?;
        let file = out.join(format!("part-{index:04}-of-{count:04}.anlanpart"));
        Part {
            key: assembled.manifest()?.key,
            shard: (index, count),
            work,
        }
        .write(&file)?;
        file
    } else {
        finish(&assembled, &work, &told, &out, options.zh, news)?;
        out.join(TASK)
    };
    news(News::Finished {
        task: TASK,
        seconds: started.elapsed().as_secs_f64(),
    });
    Ok(target)
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
    let started = Instant::now();
    news(News::Started { task: TASK });
    let assembled = Assembled::read(path, options.seed)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| path.parent().unwrap_or_else(|| Path::new("")).join("out"));
    let work = part::join(parts, &assembled.manifest()?.key)?;
    let index = assembled.index(&work.moments);
    let told = work
        .rounds
        .iter()
        .map(|round| assembled.curves(round, &work.moments, &index))
        .collect::<Result<Vec<_>>>()?;
    finish(&assembled, &work, &told, &out, options.zh, news)?;
    news(News::Finished {
        task: TASK,
        seconds: started.elapsed().as_secs_f64(),
    });
    Ok(out.join(TASK))
}

fn finish(
    assembled: &Assembled,
    work: &Work,
    rounds: &[Vec<Curves>],
    out: &Path,
    zh: bool,
    news: &Listener<'_>,
) -> Result<()> {
    news(News::Step {
        task: TASK,
        done: 0.9,
        note: "tables and summary",
    });
    let manifest = assembled.manifest()?;
    let draft = Draft::begin(out, TASK, &manifest.key)?;
    outputs::write(assembled, work, rounds, zh, &draft)?;
    draft.commit(manifest)?;
    Ok(())
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

    /// Place of each event of the set by its number.
    fn index(&self, moments: &[EventMoments]) -> BTreeMap<u64, usize> {
        moments
            .iter()
            .enumerate()
            .map(|(i, m)| (m.event.id, i))
            .collect()
    }

    /// Return periods: those of the report, and the one that the run goes on for.
    fn periods(&self) -> Vec<f64> {
        self.file.periods()
    }

    fn curves(
        &self,
        round: &anlan_engine::loss::Round,
        moments: &[EventMoments],
        index: &BTreeMap<u64, usize>,
    ) -> Result<Vec<Curves>> {
        let events: Vec<Event> = moments.iter().map(|m| m.event).collect();
        curves(round, &events, index, &self.occurrences, &self.periods())
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
