//! What a run notes on its way: gauges, water balance, depths; and its state, from which a killed run goes on.

use super::file::Output;
use crate::manifest::Draft;
use anlan_engine::io::write_atomic;
use anlan_engine::{Error, Raster, Result};
use anlan_models::flood::solver::{Ledger, Probe, Simulation, State};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// Times that are so close are the same, s.
const NEAR_S: f64 = 1e-6;

/// Notes of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// Time of the run's begin, s.
    from_s: f64,
    now_s: f64,
    /// Times of the depths kept, s.
    pub frames_s: Vec<f64>,
    /// Times of the notes below, s.
    pub times_s: Vec<f64>,
    /// Per time: per gauge level, depth, velocity to the east and to the south.
    pub gauges: Vec<Vec<[f64; 4]>>,
    /// Per time: initial, inflow, rain, infiltrated, drained, outflow, stored, m³.
    pub balance: Vec<[f64; 7]>,
    /// Time of the last state saved, s.
    saved_s: f64,
}

impl Record {
    pub fn new(from_s: f64) -> Record {
        Record {
            from_s,
            now_s: from_s,
            saved_s: from_s,
            ..Record::default()
        }
    }

    /// Notes and state of a run of the same inputs that was killed.
    pub fn take_up(draft: &Draft) -> Result<Option<(Record, State)>> {
        let path = draft.part("saved.bin")?;
        let Ok(bytes) = fs::read(&path) else {
            return Ok(None);
        };
        let parts = bytes.split_first_chunk::<8>().and_then(|(len, rest)| {
            rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)
        });
        let Some((notes, state)) = parts else {
            return Ok(None);
        };
        // A part that cannot be read is none: the run starts anew.
        let record = serde_json::from_slice::<Record>(notes).ok();
        Ok(record.zip(State::from_bytes(state, &path).ok()))
    }

    /// The multiple of `every` after now; counted from the begin of the run's own time, so that it does not depend on
    /// where the run was taken up.
    fn after(&self, every: f64) -> f64 {
        if every == 0.0 {
            return f64::INFINITY;
        }
        (((self.now_s + NEAR_S) / every).floor() + 1.0) * every
    }

    fn is_due(&self, every: f64) -> bool {
        let k = (self.now_s / every).round();
        every > 0.0 && (k * every - self.now_s).abs() <= NEAR_S
    }

    /// When the run has to stop next, s.
    pub fn next_stop(&self, output: &Output) -> f64 {
        self.after(output.gauge_min * 60.0)
            .min(self.after(output.depth_min * 60.0))
            .min(self.after(output.save_h * 3600.0))
    }

    /// Notes what is due now; the begin and the end always are.
    pub fn look(
        &mut self,
        run: &Simulation<'_>,
        gauges: &[(String, u32)],
        output: &Output,
        draft: &Draft,
    ) -> Result<()> {
        self.now_s = run.now_s();
        let edge = self.now_s == self.from_s || self.now_s >= run.end_s();
        let new = |times: &[f64], now: f64| times.last().is_none_or(|&t| now > t + NEAR_S);
        if (edge || self.is_due(output.gauge_min * 60.0)) && new(&self.times_s, self.now_s) {
            self.times_s.push(self.now_s);
            let probe = |&(_, cell): &(String, u32)| {
                let p = run.probe(cell).unwrap_or(Probe {
                    depth_m: f64::NAN,
                    level_m: f64::NAN,
                    velocity_m_s: [f64::NAN; 2],
                });
                [p.level_m, p.depth_m, p.velocity_m_s[0], p.velocity_m_s[1]]
            };
            self.gauges.push(gauges.iter().map(probe).collect());
            let Ledger {
                initial_m3,
                inflow_m3,
                rain_m3,
                infiltrated_m3,
                drained_m3,
                outflow_m3,
                stored_m3,
            } = run.ledger();
            self.balance.push([
                initial_m3,
                inflow_m3,
                rain_m3,
                infiltrated_m3,
                drained_m3,
                outflow_m3,
                stored_m3,
            ]);
        }
        let framed = output.depth_min > 0.0;
        if framed
            && (edge || self.is_due(output.depth_min * 60.0))
            && new(&self.frames_s, self.now_s)
        {
            let depth = run.depth_m();
            let path = frame(draft, self.frames_s.len())?;
            let bytes: Vec<u8> = (depth.values().iter())
                .flat_map(|v| v.to_le_bytes())
                .collect();
            write(&path, &bytes)?;
            self.frames_s.push(self.now_s);
        }
        Ok(())
    }

    /// Saves the state where that is due.
    pub fn save(&mut self, run: &mut Simulation<'_>, output: &Output, draft: &Draft) -> Result<()> {
        if !self.is_due(output.save_h * 3600.0) || self.now_s >= run.end_s() {
            return Ok(());
        }
        self.saved_s = self.now_s;
        let notes = serde_json::to_vec(self)
            .map_err(|e| Error::Failed(format!("writing the notes of a run: {e}")))?;
        let mut bytes = (notes.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(&notes);
        bytes.extend_from_slice(&run.state().to_bytes());
        write(&draft.part("saved.bin")?, &bytes)
    }
}

/// Path of the depths of a time, until they are joined.
fn frame(draft: &Draft, number: usize) -> Result<PathBuf> {
    draft.part(&format!("depth{number:05}.f32"))
}

/// Depths as they were kept.
pub(super) fn frames(
    draft: &Draft,
    count: usize,
    grid: anlan_engine::Grid,
) -> Result<impl FnMut(usize) -> Result<Raster<f32>> + Send + 'static> {
    let paths = (0..count)
        .map(|k| frame(draft, k))
        .collect::<Result<Vec<_>>>()?;
    Ok(move |k: usize| {
        let bytes = fs::read(&paths[k]).map_err(|e| Error::io("reading", &paths[k], e))?;
        let (words, _) = bytes.as_chunks::<4>();
        let values = words.iter().map(|w| f32::from_le_bytes(*w)).collect();
        let data = ndarray::Array2::from_shape_vec(grid.shape(), values).map_err(|_| {
            Error::Failed(format!(
                "{}: not the depths of this run",
                paths[k].display()
            ))
        })?;
        Ok(Raster::new(grid, data))
    })
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |tmp| {
        fs::write(tmp, bytes).map_err(|e| Error::io("writing", path, e))
    })
}
