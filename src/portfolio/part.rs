//! The part of one shard, as a file: moments and samples of its blocks, bit for bit.
//!
//! Little-endian words of 8 bytes after the magic `ANLANPRT`, the key of the run (64 bytes of text) and a CRC-32 of what
//! follows.

use anlan_engine::io::write_atomic;
use anlan_engine::loss::{EventMoments, Round};
use anlan_engine::{Error, Event, Fault, Result};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"ANLANPRT";

/// What one shard computed.
pub(super) struct Part {
    /// Key of the run: what it was made from.
    pub key: String,
    /// Index from 1, and number of shards.
    pub shard: (usize, usize),
    /// Moments of its events.
    pub moments: Vec<EventMoments>,
    /// All rounds of its events.
    pub rounds: Vec<Round>,
}

struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Option<u64> {
        let word = self.bytes.get(self.at..self.at + 8)?;
        self.at += 8;
        Some(u64::from_le_bytes(word.try_into().ok()?))
    }

    fn real(&mut self) -> Option<f64> {
        self.next().map(f64::from_bits)
    }
}

impl Part {
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut words: Vec<u64> = vec![self.shard.0 as u64, self.shard.1 as u64];
        words.push(self.moments.len() as u64);
        for m in &self.moments {
            let e = m.event;
            words.extend([
                e.id,
                e.cause,
                u64::from(e.hazard),
                e.rate_per_year.to_bits(),
            ]);
            words.push(m.slots.len() as u64);
            for &(slot, mean, own, whole) in &m.slots {
                words.push(u64::from(slot));
                words.extend([mean, own, whole].map(f64::to_bits));
            }
        }
        words.push(self.rounds.len() as u64);
        for round in &self.rounds {
            words.extend([round.samples, round.groups, round.losses.len()].map(|v| v as u64));
            words.extend(round.losses.iter().map(|v| v.to_bits()));
        }
        let body: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.key.as_bytes());
        bytes.extend(u64::from(crc32fast::hash(&body)).to_le_bytes());
        bytes.extend(body);
        write_atomic(path, |tmp| {
            std::fs::write(tmp, &bytes).map_err(|e| Error::io("writing", path, e))
        })
    }

    pub fn read(path: &Path) -> Result<Part> {
        let bytes = std::fs::read(path).map_err(|e| Error::io("reading", path, e))?;
        parse(&bytes).ok_or_else(|| {
            Error::input(Fault::new(
                path,
                "no part of a loss run, or a damaged one",
                "a whole file as a run with --shard writes it",
                "run the shard again",
            ))
        })
    }
}

fn parse(bytes: &[u8]) -> Option<Part> {
    let body = bytes.get(80..)?;
    let sum = u64::from_le_bytes(bytes[72..80].try_into().ok()?);
    if &bytes[..8] != MAGIC || u64::from(crc32fast::hash(body)) != sum {
        return None;
    }
    let key = String::from_utf8(bytes[8..72].to_vec()).ok()?;
    let mut words = Words { bytes: body, at: 0 };
    let shard = (words.next()? as usize, words.next()? as usize);
    let mut moments = Vec::new();
    for _ in 0..words.next()? {
        let event = Event {
            id: words.next()?,
            cause: words.next()?,
            hazard: words.next()? as u16,
            rate_per_year: words.real()?,
        };
        let mut slots = Vec::new();
        for _ in 0..words.next()? {
            slots.push((
                words.next()? as u32,
                words.real()?,
                words.real()?,
                words.real()?,
            ));
        }
        moments.push(EventMoments { event, slots });
    }
    let mut rounds = Vec::new();
    for _ in 0..words.next()? {
        let (samples, groups) = (words.next()? as usize, words.next()? as usize);
        let n = words.next()? as usize;
        let losses = (0..n).map(|_| words.real()).collect::<Option<Vec<f64>>>()?;
        rounds.push(Round {
            samples,
            groups,
            losses,
        });
    }
    (words.at == body.len()).then_some(Part {
        key,
        shard,
        moments,
        rounds,
    })
}

/// The parts of a run in the order of their shards.
pub(super) fn in_order(paths: &[PathBuf], key: &str) -> Result<Vec<PathBuf>> {
    let mut parts: Vec<((usize, usize), &PathBuf)> = Vec::new();
    for path in paths {
        let part = Part::read(path)?;
        if part.key != key {
            return Err(Error::input(Fault::new(
                path,
                "a part of another run",
                "parts of this portfolio, its inputs, seed and release",
                "run all shards with the same inputs",
            )));
        }
        parts.push((part.shard, path));
    }
    parts.sort();
    let count = parts.first().map_or(0, |p| p.0.1);
    let found: Vec<usize> = parts.iter().map(|p| p.0.0).collect();
    if count == 0
        || parts.iter().any(|p| p.0.1 != count)
        || found != (1..=count).collect::<Vec<_>>()
    {
        return Err(Error::input(Fault::new(
            paths.first().map_or(Path::new("parts"), PathBuf::as_path),
            format!("shards {found:?} of {count}"),
            "each shard of one run once",
            "give the parts of all shards of one run",
        )));
    }
    Ok(parts.into_iter().map(|p| p.1.clone()).collect())
}
