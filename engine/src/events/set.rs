//! The event-set file (事件集文件): footprints of many events, read through a memory map, block by block.
//!
//! Little-endian. Every part starts at a multiple of 64 bytes, every column of a block at a multiple of 8, gaps are zero.
//!
//! | part | content |
//! | --- | --- |
//! | head, 64 bytes | magic `ANLANEVS`; version u32 = 1; flags u32: bit 0 intensities are f64 (else f32), bit 1 a column of probabilities, bit 2 a column of spreads |
//! | blocks | whole events; columns one after another: `id` u64, `cause` u64, `rate_per_year` f64, `hazard` u32 (each one per event), `first_row` u32 (one per event and one more), `place` u32 (one per row), then the intensity measures, the probability and the spread in the precision of the file |
//! | directory | per block offset u64, bytes u64, events u64, rows u64, CRC-32 of the bytes u64; then the description as JSON |
//! | foot, 64 bytes | directory offset u64, its bytes u64, its CRC-32 u64, number of blocks, events, rows and places u64; magic |
//!
//! Rows of an event ascend by place. A place comes once, or, where there is a column of probabilities, once for each
//! intensity that it may see in the event; these probabilities add up to one. A spread is the standard deviation of the
//! logarithm of the intensity. Blocks are closed at [`ROWS_PER_BLOCK`] rows or [`EVENTS_PER_BLOCK`] events and are the
//! same however the file is read: what is added up over events is added up by blocks, in their order.

use super::Event;
use crate::error::{Error, Fault, Result};
use crate::io::Staged;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Rows after which a block is closed, at the end of an event.
pub const ROWS_PER_BLOCK: usize = 1 << 18;
/// Events after which a block is closed.
pub const EVENTS_PER_BLOCK: usize = 4096;

const MAGIC: &[u8; 8] = b"ANLANEVS";
const VERSION: u32 = 1;
const F64: u32 = 1;
const PROBABILITY: u32 = 2;
const SPREAD: u32 = 4;
/// Probabilities of one place add up to one within this: they are f32 in most files.
const PROBABILITY_SLACK: f64 = 1e-4;

/// What a file of events holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Names of the intensity measures with their units, e.g. `depth_m`, `gust_m_s`.
    pub measures: Vec<String>,
    /// True where intensities are kept as f64.
    pub double: bool,
    /// True where a place may see several intensities, each with its probability.
    pub probability: bool,
    /// True where intensities have a spread (standard deviation of their logarithm).
    pub spread: bool,
    /// Where it comes from, and what its places are; for people.
    pub note: String,
}

impl Description {
    fn columns(&self) -> usize {
        self.measures.len() + usize::from(self.probability) + usize::from(self.spread)
    }

    fn flags(&self) -> u32 {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        flag(self.double, F64) | flag(self.probability, PROBABILITY) | flag(self.spread, SPREAD)
    }

    fn width(&self) -> usize {
        if self.double { 8 } else { 4 }
    }
}

/// Bytes of the parts of a block, in order, and their sum.
fn layout(events: usize, rows: usize, columns: usize, width: usize) -> ([usize; 7], usize) {
    let mut offsets = [0; 7];
    let mut at = 0;
    let parts = [
        8 * events,
        8 * events,
        8 * events,
        4 * events,
        4 * (events + 1),
        4 * rows,
    ];
    for (offset, bytes) in offsets.iter_mut().zip(parts) {
        *offset = at;
        at += usize::next_multiple_of(bytes, 8);
    }
    offsets[6] = at;
    at += columns * usize::next_multiple_of(rows * width, 8);
    (offsets, at)
}

/// One column of intensities, in the precision of its file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Column<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

impl<'a> Column<'a> {
    /// Value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> f64 {
        match self {
            Column::F32(v) => f64::from(v[row]),
            Column::F64(v) => v[row],
        }
    }

    /// The rows of one event.
    #[inline]
    pub fn rows(self, rows: std::ops::Range<usize>) -> Column<'a> {
        match self {
            Column::F32(v) => Column::F32(&v[rows]),
            Column::F64(v) => Column::F64(&v[rows]),
        }
    }
}

/// One block of whole events, as slices of the file.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// Index of its first event within the file.
    pub first_event: usize,
    /// Numbers of the events.
    pub id: &'a [u64],
    /// Numbers of their causes.
    pub cause: &'a [u64],
    /// Mean numbers of occurrences per year.
    pub rate_per_year: &'a [f64],
    /// Codes of the hazards.
    pub hazard: &'a [u32],
    first_row: &'a [u32],
    /// Place of each row.
    pub place: &'a [u32],
    /// Intensity measures.
    pub measures: Vec<Column<'a>>,
    /// Probability of each row, where the file has one.
    pub probability: Option<Column<'a>>,
    /// Standard deviation of the logarithm of the intensity, where the file has one.
    pub spread: Option<Column<'a>>,
}

impl Block<'_> {
    /// Number of events.
    pub fn len(&self) -> usize {
        self.id.len()
    }

    /// True without events.
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// Rows of an event of the block.
    #[inline]
    pub fn rows(&self, event: usize) -> std::ops::Range<usize> {
        self.first_row[event] as usize..self.first_row[event + 1] as usize
    }

    /// An event of the block.
    pub fn event(&self, event: usize) -> Event {
        Event {
            id: self.id[event],
            cause: self.cause[event],
            hazard: self.hazard[event] as u16,
            rate_per_year: self.rate_per_year[event],
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: usize,
    bytes: usize,
    first_event: usize,
    events: usize,
    rows: usize,
    sum: u32,
}

#[allow(unsafe_code)]
fn map(file: &File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the map is read-only. A file that another program cuts while it is mapped would fault: files of the engine
    // are replaced by rename, never written in place.
    unsafe { memmap2::Mmap::map(file) }
}

/// An event-set file, open for reading. Its memory map is shared and read-only: the system drops what it needs no more.
#[derive(Debug)]
pub struct EventSet {
    path: PathBuf,
    map: memmap2::Mmap,
    description: Description,
    blocks: Vec<Entry>,
    events: usize,
    rows: usize,
    places: usize,
}

impl EventSet {
    /// Opens a file and checks its head, directory and foot; the blocks are checked when they are read.
    ///
    /// # Errors
    /// The file is missing, no event set, of another version, cut off, or damaged.
    pub fn open(path: &Path) -> Result<EventSet> {
        let file = File::open(path).map_err(|e| Error::io("reading", path, e))?;
        let map = map(&file).map_err(|e| Error::io("reading", path, e))?;
        let damaged = |found: &str| {
            Error::input(Fault::new(
                path,
                found,
                "a whole event-set file of version 1",
                "make or copy the file again",
            ))
        };
        if map.len() < 128 || &map[..8] != MAGIC {
            return Err(damaged("no event-set file"));
        }
        let word = |at: usize| -> usize {
            u64::from_le_bytes(map[at..at + 8].try_into().unwrap_or_default()) as usize
        };
        let half = |at: usize| u32::from_le_bytes(map[at..at + 4].try_into().unwrap_or_default());
        if half(8) != VERSION {
            return Err(damaged(&format!("version {}", half(8))));
        }
        let flags = half(12);
        let foot = map.len() - 64;
        if &map[foot + 56..] != MAGIC {
            return Err(damaged("a file without its end"));
        }
        let (at, bytes) = (word(foot), word(foot + 8));
        let count = word(foot + 24);
        if at.checked_add(bytes).is_none_or(|end| end > foot)
            || count.checked_mul(40).is_none_or(|head| head > bytes)
        {
            return Err(damaged("a directory outside the file"));
        }
        if crc32fast::hash(&map[at..at + bytes]) as usize != word(foot + 16) {
            return Err(damaged("a directory with another checksum"));
        }
        let description: Description = serde_json::from_slice(&map[at + 40 * count..at + bytes])
            .map_err(|e| damaged(&format!("a description that does not read ({e})")))?;
        if description.flags() != flags {
            return Err(damaged("flags that contradict the description"));
        }
        let mut blocks = Vec::with_capacity(count);
        let mut first_event = 0;
        for block in 0..count {
            let at = at + 40 * block;
            let entry = Entry {
                offset: word(at),
                bytes: word(at + 8),
                first_event,
                events: word(at + 16),
                rows: word(at + 24),
                sum: word(at + 32) as u32,
            };
            let (_, size) = layout(
                entry.events,
                entry.rows,
                description.columns(),
                description.width(),
            );
            if size != entry.bytes || entry.offset + size > foot || !entry.offset.is_multiple_of(64)
            {
                return Err(damaged(&format!("block {block} outside the file")));
            }
            first_event += entry.events;
            blocks.push(entry);
        }
        Ok(EventSet {
            path: path.to_path_buf(),
            description,
            blocks,
            events: word(foot + 32),
            rows: word(foot + 40),
            places: word(foot + 48),
            map,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Number of events.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Place in the set of the first event of a block.
    ///
    /// # Panics
    /// No such block.
    pub fn first_event(&self, block: usize) -> usize {
        self.blocks[block].first_event
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// One more than the greatest place.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Index of a measure by name.
    ///
    /// # Errors
    /// Lists the measures there are.
    pub fn measure(&self, name: &str) -> Result<usize> {
        let at = self.description.measures.iter().position(|m| m == name);
        at.ok_or_else(|| {
            Error::input(Fault::new(
                &self.path,
                format!("measures {}", self.description.measures.join(", ")),
                format!("a measure `{name}`"),
                "name one of the measures of the file",
            ))
        })
    }

    /// A block, after its checksum.
    ///
    /// # Errors
    /// The block is damaged.
    ///
    /// # Panics
    /// No such block.
    pub fn block(&self, block: usize) -> Result<Block<'_>> {
        let entry = &self.blocks[block];
        let bytes = &self.map[entry.offset..entry.offset + entry.bytes];
        let damaged = |found: &str| {
            Error::input(
                Fault::new(
                    &self.path,
                    found,
                    "the bytes as written",
                    "make or copy the file again",
                )
                .at(format!("block {block}")),
            )
        };
        if crc32fast::hash(bytes) != entry.sum {
            return Err(damaged("another checksum"));
        }
        let (events, rows) = (entry.events, entry.rows);
        let width = self.description.width();
        let (offset, _) = layout(events, rows, self.description.columns(), width);
        let part = |k: usize, bytes_of: usize| &bytes[offset[k]..offset[k] + bytes_of];
        let first_row: &[u32] = bytemuck::cast_slice(part(4, 4 * (events + 1)));
        if first_row[0] != 0
            || first_row[events] as usize != rows
            || first_row.windows(2).any(|w| w[0] > w[1])
        {
            return Err(damaged("events that do not fit their rows"));
        }
        let mut columns = (0..self.description.columns()).map(|column| {
            let at = offset[6] + column * usize::next_multiple_of(rows * width, 8);
            let bytes = &bytes[at..at + rows * width];
            if self.description.double {
                Column::F64(bytemuck::cast_slice(bytes))
            } else {
                Column::F32(bytemuck::cast_slice(bytes))
            }
        });
        let measures = columns
            .by_ref()
            .take(self.description.measures.len())
            .collect();
        Ok(Block {
            first_event: entry.first_event,
            id: bytemuck::cast_slice(part(0, 8 * events)),
            cause: bytemuck::cast_slice(part(1, 8 * events)),
            rate_per_year: bytemuck::cast_slice(part(2, 8 * events)),
            hazard: bytemuck::cast_slice(part(3, 4 * events)),
            first_row,
            place: bytemuck::cast_slice(part(5, 4 * rows)),
            measures,
            probability: columns
                .by_ref()
                .take(usize::from(self.description.probability))
                .next(),
            spread: columns.next(),
        })
    }
}

/// Writes an event-set file, event by event; memory for one block.
#[derive(Debug)]
pub struct EventSetWriter {
    staged: Staged,
    out: BufWriter<File>,
    description: Description,
    at: u64,
    directory: Vec<u8>,
    blocks: u64,
    events: u64,
    rows: u64,
    places: u64,
    // The open block.
    open: Vec<Event>,
    first_row: Vec<u32>,
    place: Vec<u32>,
    columns: Vec<Vec<f64>>,
}

impl EventSetWriter {
    /// Starts a file; nothing stands under its name before [`EventSetWriter::finish`].
    ///
    /// # Errors
    /// The file cannot be written; no measure.
    pub fn create(path: &Path, description: Description) -> Result<EventSetWriter> {
        if description.measures.is_empty() {
            return Err(Error::input(Fault::new(
                path,
                "no intensity measure",
                "one or more",
                "name the intensity measures",
            )));
        }
        let staged = Staged::new(path)?;
        let file = File::create(staged.path()).map_err(|e| Error::io("writing", path, e))?;
        let mut head = [0_u8; 64];
        head[..8].copy_from_slice(MAGIC);
        head[8..12].copy_from_slice(&VERSION.to_le_bytes());
        head[12..16].copy_from_slice(&description.flags().to_le_bytes());
        let mut writer = EventSetWriter {
            out: BufWriter::new(file),
            columns: vec![Vec::new(); description.columns()],
            staged,
            description,
            at: 0,
            directory: Vec::new(),
            blocks: 0,
            events: 0,
            rows: 0,
            places: 0,
            open: Vec::new(),
            first_row: vec![0],
            place: Vec::new(),
        };
        writer.write(&head)?;
        Ok(writer)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.at += bytes.len() as u64;
        let failed = |e| Error::io("writing", self.staged.target(), e);
        self.out.write_all(bytes).map_err(failed)
    }

    /// Adds an event with its rows: places, and one column per measure, then (where the file has them) probability and
    /// spread.
    ///
    /// # Errors
    /// A rate that is negative or not finite; places that do not ascend; intensities that are not finite; probabilities
    /// outside 0..=1 or that do not add up to one; negative spreads. Named by event and place.
    ///
    /// # Panics
    /// Columns of other number or length than the description says.
    pub fn push(&mut self, event: &Event, place: &[u32], columns: &[&[f64]]) -> Result<()> {
        assert_eq!(
            columns.len(),
            self.description.columns(),
            "columns as described"
        );
        assert!(
            columns.iter().all(|c| c.len() == place.len()),
            "one value per place"
        );
        self.check(event, place, columns)?;
        self.open.push(*event);
        self.place.extend(place);
        for (all, column) in self.columns.iter_mut().zip(columns) {
            all.extend(*column);
        }
        if self.place.len() > u32::MAX as usize {
            return Err(Error::Failed("more than 2^32 rows in one event".into()));
        }
        self.first_row.push(self.place.len() as u32);
        if self.place.len() >= ROWS_PER_BLOCK || self.open.len() >= EVENTS_PER_BLOCK {
            self.close_block()?;
        }
        Ok(())
    }

    fn check(&self, event: &Event, place: &[u32], columns: &[&[f64]]) -> Result<()> {
        let fault = |row: Option<usize>, found: String, expected: &str, remedy: &str| {
            let at = row.map_or_else(String::new, |r| format!(", place {}", place[r]));
            Err(Error::input(
                Fault::new(self.staged.target(), found, expected, remedy)
                    .at(format!("event {}{at}", event.id)),
            ))
        };
        if !(event.rate_per_year >= 0.0 && event.rate_per_year.is_finite()) {
            return fault(
                None,
                format!("rate {} per year", event.rate_per_year),
                "a finite rate of 0 or more",
                "correct the rate",
            );
        }
        let twice = self.description.probability;
        if let Some(i) = place
            .windows(2)
            .position(|w| w[0] > w[1] || (w[0] == w[1] && !twice))
        {
            return fault(
                Some(i + 1),
                format!("place {} after {}", place[i + 1], place[i]),
                "ascending places, each once unless rows have probabilities",
                "sort the rows of an event by place and join double ones",
            );
        }
        let measures = self.description.measures.len();
        for (k, column) in columns.iter().enumerate() {
            let name = match k.checked_sub(measures) {
                None => self.description.measures[k].as_str(),
                Some(0) if twice => "probability",
                Some(_) => "spread",
            };
            let bad = column.iter().position(|v| match k.checked_sub(measures) {
                None => !v.is_finite(),
                Some(0) if twice => !(0.0..=1.0).contains(v),
                Some(_) => !(*v >= 0.0 && v.is_finite()),
            });
            if let Some(row) = bad {
                return fault(
                    Some(row),
                    format!("{name} {}", column[row]),
                    "finite intensities, probabilities of 0 to 1, spreads of 0 or more",
                    "leave out the rows without a value",
                );
            }
        }
        if twice {
            let probability = columns[measures];
            let mut from = 0;
            for same in place.chunk_by(|a, b| a == b) {
                let sum: f64 = probability[from..from + same.len()].iter().sum();
                if (sum - 1.0).abs() > PROBABILITY_SLACK {
                    return fault(
                        Some(from),
                        format!("probabilities that add up to {sum}"),
                        "1 at each place",
                        "complete the intensities of the place (a place left unharmed has intensity 0)",
                    );
                }
                from += same.len();
            }
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<()> {
        let events = std::mem::take(&mut self.open);
        let rows = self.place.len();
        let width = self.description.width();
        let (offset, size) = layout(events.len(), rows, self.columns.len(), width);
        let mut bytes = vec![0_u8; size];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        let le =
            |values: &[u64]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        put(
            offset[0],
            &le(&events.iter().map(|e| e.id).collect::<Vec<_>>()),
        );
        put(
            offset[1],
            &le(&events.iter().map(|e| e.cause).collect::<Vec<_>>()),
        );
        let rates: Vec<u64> = events.iter().map(|e| e.rate_per_year.to_bits()).collect();
        put(offset[2], &le(&rates));
        let hazards: Vec<u8> = events
            .iter()
            .flat_map(|e| u32::from(e.hazard).to_le_bytes())
            .collect();
        put(offset[3], &hazards);
        let firsts: Vec<u8> = self
            .first_row
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        put(offset[4], &firsts);
        let places: Vec<u8> = self.place.iter().flat_map(|v| v.to_le_bytes()).collect();
        put(offset[5], &places);
        for (k, column) in self.columns.iter_mut().enumerate() {
            let at = offset[6] + k * usize::next_multiple_of(rows * width, 8);
            let out = &mut bytes[at..at + rows * width];
            for (out, v) in out.chunks_exact_mut(width).zip(column.drain(..)) {
                if width == 8 {
                    out.copy_from_slice(&v.to_le_bytes());
                } else {
                    out.copy_from_slice(&(v as f32).to_le_bytes());
                }
            }
        }
        for word in [
            self.at,
            size as u64,
            events.len() as u64,
            rows as u64,
            u64::from(crc32fast::hash(&bytes)),
        ] {
            self.directory.extend(word.to_le_bytes());
        }
        bytes.resize(size.next_multiple_of(64), 0);
        self.write(&bytes)?;
        self.blocks += 1;
        self.events += events.len() as u64;
        self.rows += rows as u64;
        if let Some(most) = self.place.iter().max() {
            self.places = self.places.max(u64::from(*most) + 1);
        }
        self.place.clear();
        self.first_row.truncate(1);
        Ok(())
    }

    /// Writes the last block, the directory and the foot, and gives the file its name.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<()> {
        if !self.open.is_empty() {
            self.close_block()?;
        }
        let mut directory = std::mem::take(&mut self.directory);
        let text = serde_json::to_vec(&self.description)
            .map_err(|e| Error::Failed(format!("describing an event set: {e}")))?;
        directory.extend(text);
        let foot: Vec<u8> = [
            self.at,
            directory.len() as u64,
            u64::from(crc32fast::hash(&directory)),
            self.blocks,
            self.events,
            self.rows,
            self.places,
        ]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .chain(*MAGIC)
        .collect();
        directory.resize(directory.len().next_multiple_of(64), 0);
        self.write(&directory)?;
        self.write(&foot)?;
        let target = self.staged.target().to_path_buf();
        let failed = |e| Error::io("writing", &target, e);
        self.out.flush().map_err(failed)?;
        self.staged.keep()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(double: bool) -> Description {
        Description {
            measures: vec!["depth_m".into(), "velocity_m_s".into()],
            double,
            probability: false,
            spread: false,
            note: "made up".into(),
        }
    }

    fn event(id: u64) -> Event {
        Event {
            id,
            cause: id / 2,
            hazard: 3,
            rate_per_year: 0.1 * id as f64,
        }
    }

    fn write(path: &Path, double: bool, events: u64) {
        let mut w = EventSetWriter::create(path, description(double)).unwrap();
        for id in 0..events {
            let n = id % 5;
            let place: Vec<u32> = (0..n as u32).map(|p| 10 * p + id as u32).collect();
            let depth: Vec<f64> = place.iter().map(|&p| 0.1 * f64::from(p)).collect();
            let velocity: Vec<f64> = depth.iter().map(|d| d / 3.0).collect();
            w.push(&event(id), &place, &[&depth, &velocity]).unwrap();
        }
        w.finish().unwrap();
    }

    #[test]
    fn files_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.events");
        for double in [false, true] {
            let n = EVENTS_PER_BLOCK as u64 + 7;
            write(&path, double, n);
            let set = EventSet::open(&path).unwrap();
            assert_eq!((set.blocks(), set.events()), (2, n as usize));
            // The last event with four rows ends at place 4099 + 30.
            assert_eq!(set.places(), 4130);
            assert_eq!(set.measure("velocity_m_s").unwrap(), 1);
            assert!(
                set.measure("gust_m_s")
                    .unwrap_err()
                    .to_string()
                    .contains("depth_m")
            );
            let mut seen = 0;
            for b in 0..set.blocks() {
                let block = set.block(b).unwrap();
                assert_eq!(block.first_event, seen);
                for e in 0..block.len() {
                    let id = (seen + e) as u64;
                    assert_eq!(block.event(e), event(id));
                    let rows = block.rows(e);
                    assert_eq!(rows.len() as u64, id % 5);
                    for i in rows {
                        let exact = 0.1 * f64::from(block.place[i]) / 3.0;
                        let found = block.measures[1].get(i);
                        assert_eq!(
                            found,
                            if double {
                                exact
                            } else {
                                f64::from(exact as f32)
                            }
                        );
                    }
                }
                seen += block.len();
            }
            assert_eq!(seen as u64, n);
        }
        // The same bytes again.
        let before = std::fs::read(&path).unwrap();
        write(&path, true, EVENTS_PER_BLOCK as u64 + 7);
        assert_eq!(before, std::fs::read(&path).unwrap());
    }

    #[test]
    fn damage_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.events");
        write(&path, false, 20);
        let whole = std::fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        bytes[64 + 9] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let e = EventSet::open(&path)
            .unwrap()
            .block(0)
            .unwrap_err()
            .to_string();
        assert!(e.contains("block 0") && e.contains("checksum"), "{e}");
        for cut in [whole.len() - 1, whole.len() / 2, 10, 0] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(EventSet::open(&path).is_err(), "{cut}");
        }
        bytes = whole.clone();
        let at = whole.windows(7).position(|w| w == b"made up").unwrap();
        bytes[at] ^= 4;
        std::fs::write(&path, &bytes).unwrap();
        assert!(EventSet::open(&path).unwrap_err().is_input());
    }

    #[test]
    fn bad_rows_are_named_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.events");
        let twice = Description {
            measures: vec!["bin".into()],
            probability: true,
            ..description(false)
        };
        let mut w = EventSetWriter::create(&path, twice).unwrap();
        w.push(&event(1), &[4, 4, 9], &[&[1.0, 2.0, 1.0], &[0.3, 0.7, 1.0]])
            .unwrap();
        let e = w
            .push(&event(2), &[4, 9], &[&[1.0, 2.0], &[0.3, 1.0]])
            .unwrap_err();
        assert!(e.to_string().contains("event 2, place 4"), "{e}");
        assert!(
            w.push(&event(2), &[9, 4], &[&[1.0, 2.0], &[1.0, 1.0]])
                .is_err()
        );
        drop(w);
        let mut w = EventSetWriter::create(&path, description(true)).unwrap();
        assert!(
            w.push(&event(1), &[3, 3], &[&[1.0, 1.0], &[1.0, 1.0]])
                .is_err()
        );
        assert!(w.push(&event(1), &[3], &[&[f64::NAN], &[1.0]]).is_err());
        let bad = Event {
            rate_per_year: f64::NAN,
            ..event(1)
        };
        assert!(w.push(&bad, &[3], &[&[1.0], &[1.0]]).is_err());
        drop(w);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
