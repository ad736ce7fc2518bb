//! Arguments of `anlan quality`, and what it tells.

use anlan::engine::{Error, Fault};
use anlan::quality::synthetic::make;
use anlan::quality::{Outcome, QualityOptions};
use clap::Args;
use std::path::{Path, PathBuf};

const NO_ERRORS: &str = "tables without errors";

/// Arguments of `anlan quality`.
#[derive(Args)]
pub struct QualityArguments {
    /// Case file (TOML).
    pub case: PathBuf,
    /// Threads; all cores by default. The results do not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Output folder; `out` beside the case file by default.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What `anlan new` writes for a quality check.
#[derive(Args)]
pub struct QualityNew {
    /// A data quality check in place of a project (数据质检).
    #[arg(long)]
    pub quality: bool,
    /// With --quality: a made-up census of so many records with planted faults and clean twins (合成普查数据).
    #[arg(long, value_name = "RECORDS", requires = "quality")]
    pub synthetic: Option<usize>,
    /// With --synthetic: without the faults.
    #[arg(long, requires = "synthetic")]
    pub clean: bool,
}

impl QualityArguments {
    /// The options of the library.
    pub fn options(&self, zh: bool) -> QualityOptions {
        QualityOptions {
            out: self.out.clone(),
            zh,
        }
    }
}

/// Errors that stand, as the fault that sets the exit code; nothing where there are none.
pub fn verdict(case: &Path, outcome: &Outcome) -> Result<(), Error> {
    match outcome.tally.errors {
        0 => Ok(()),
        n => Err(Error::input(Fault::new(
            case,
            format!("{n} errors in {} records", outcome.records),
            NO_ERRORS,
            "correct the marked cells, or list what was verified under `accepted`",
        ))),
    }
}

/// Is this what [`verdict`] says?
pub fn is_verdict(error: &Error) -> bool {
    matches!(error.faults(), [one] if one.expected == NO_ERRORS)
}

/// Writes a made-up census into a folder; its case file comes back.
pub fn write_synthetic(dir: &Path, records: usize, clean: bool) -> Result<PathBuf, Error> {
    make(records, !clean).write(dir)?;
    Ok(dir.join("quality.toml"))
}
