//! A flood case of its own (洪水演进): a user's terrain, rain, rivers and works through the 2-D solver, without the pipeline.
//!
//! | file | holds |
//! | --- | --- |
//! | `file` | the case file |
//! | `tables` | series, rain and roughness tables |
//! | `assemble` | the case from them: rasters on the cells of the terrain, works in cells and faces |
//! | `record` | what a run notes on its way, and takes up again after it was killed |
//! | `outputs` | rasters, polygons, tables, map and summary |

mod assemble;
mod file;
mod outputs;
mod record;
mod tables;

pub use file::{
    BoundaryEntry, BreachEntry, BridgeEntry, Buildings, CaseFile, ChannelEntry, CulvertEntry,
    DamEntry, DamFormula, DrainageEntry, DrainsEntry, DykeEntry, EdgeName, FailureName, Field,
    Formula, GateEntry, GaugeEntry, InflowEntry, Line, Losses, Output, OverTime, Pattern,
    PumpEntry, RainEntry, RoughnessEntry, SchemeName, Start, WetnessName,
};

use crate::manifest::{Draft, Manifest, record as record_of};
use crate::progress::{Listener, News};
use anlan_engine::{Error, Result};
use anlan_models::flood::solver::Simulation;
use assemble::Assembled;
use record::Record;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A commented case file, every entry in it.
pub const TEMPLATE: &str = include_str!("template.toml");

const TASK: &str = "flood";

/// Error of the water balance that a run warns of, as a share of all water.
const BALANCE: f64 = 1e-4;

/// Options of a run that are not in the case file.
#[derive(Debug, Clone, Default)]
pub struct FloodOptions {
    /// Output folder; `out` beside the case file by default.
    pub out: Option<PathBuf>,
    /// True: map, chart and summary in Chinese.
    pub zh: bool,
    /// Further fonts for map and chart.
    pub fonts: Vec<PathBuf>,
}

/// Runs a flood case and writes its outputs to `flood/` in the output folder, which is returned. A finished run of the
/// same inputs is kept; one that was killed is taken up where it was last saved.
///
/// # Errors
/// Faults of the case file and its inputs; the solver's, when a run is given up.
pub fn run(path: &Path, options: &FloodOptions, news: &Listener<'_>) -> Result<PathBuf> {
    let assembled = Assembled::read(path)?;
    for text in &assembled.notes {
        news(News::Warning { task: TASK, text });
    }
    let beside = || path.parent().unwrap_or_else(|| Path::new("")).join("out");
    let out = options.out.clone().unwrap_or_else(beside);
    let manifest = manifest(path, &assembled, options)?;
    let folder = out.join(TASK);
    if manifest.is_done(&folder) {
        news(News::Kept { task: TASK });
        return Ok(folder);
    }
    let started = Instant::now();
    news(News::Started { task: TASK });
    let draft = Draft::begin(&out, TASK, &manifest.key)?;
    let case = assembled.case();
    let (mut record, mut simulation) = match Record::take_up(&draft)? {
        Some((record, state)) => {
            let text = format!("taken up at {:.2} h", state.now_s() / 3600.0);
            news(News::Warning {
                task: TASK,
                text: &text,
            });
            let simulation = Simulation::resume(case, &assembled.options, &state)?;
            (record, simulation)
        }
        None => {
            let simulation = match &assembled.restart {
                Some(state) => Simulation::resume(case, &assembled.options, state)?,
                None => Simulation::new(case, &assembled.options)?,
            };
            (Record::new(simulation.now_s()), simulation)
        }
    };
    let (from, end) = (simulation.now_s(), assembled.options.end_s);
    if from >= end {
        return Err(Error::input(anlan_engine::Fault::new(
            path,
            format!(
                "a start at {} h and an end at {} h",
                from / 3600.0,
                end / 3600.0
            ),
            "an end after the time of the restart file",
            "choose a later end_h",
        )));
    }
    let output = &assembled.file.output;
    record.look(&simulation, &assembled.gauges, output, &draft)?;
    while simulation.now_s() < end {
        simulation.advance(record.next_stop(output))?;
        record.look(&simulation, &assembled.gauges, output, &draft)?;
        record.save(&mut simulation, output, &draft)?;
        let (now, wall) = (simulation.now_s(), started.elapsed().as_secs_f64());
        let pace = (now - from) / wall.max(1e-9);
        let note = format!(
            "{:.2} of {:.2} h simulated, {pace:.0} x real time, {:.0} s left",
            now / 3600.0,
            end / 3600.0,
            (end - now) / pace
        );
        let done = 0.95 * now / end;
        news(News::Step {
            task: TASK,
            done,
            note: &note,
        });
    }
    if output.restart {
        let state = simulation.state().to_bytes();
        outputs::save(&draft, "restart.anlan", &state)?;
    }
    let inundation = simulation.finish();
    let error = inundation.ledger.error();
    if error.abs() > BALANCE {
        let text = format!("{:.2e} of the water is not accounted for", error.abs());
        news(News::Warning {
            task: TASK,
            text: &text,
        });
    }
    outputs::write(&assembled, &inundation, &record, options, &draft)?;
    draft.commit(manifest)?;
    let seconds = started.elapsed().as_secs_f64();
    news(News::Finished {
        task: TASK,
        seconds,
    });
    Ok(folder)
}

fn manifest(path: &Path, assembled: &Assembled, options: &FloodOptions) -> Result<Manifest> {
    let base = path.parent().unwrap_or_else(|| Path::new(""));
    let inputs = (assembled.inputs.iter())
        .map(|input| record_of(input, base))
        .collect::<Result<_>>()?;
    let language = if options.zh { "zh" } else { "en" };
    let options = serde_json::json!({ "case": assembled.file, "language": language });
    Ok(Manifest::new(TASK, 0, options, inputs, BTreeMap::new()))
}
