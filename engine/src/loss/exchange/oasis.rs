//! Oasis LMF: footprints, vulnerabilities, damage bins, occurrences, items and coverages.
//!
//! # References
//! Oasis LMF, ktools manual: core components and data conversion components (input file formats), v3; the CSV files carry
//! the names of the columns. Binary files are little-endian:
//!
//! | file | content |
//! | --- | --- |
//! | `footprint.bin` | i32 number of intensity bins, i32 1 where intensities are uncertain; rows (u32 areaperil, i32 bin, f32 probability) |
//! | `footprint.idx` | rows (i32 event, i64 offset, i64 bytes) |
//! | `vulnerability.bin` | i32 number of damage bins; rows (i32 vulnerability, i32 intensity bin, i32 damage bin, f32 probability) |
//! | `damage_bin_dict.bin` | rows (i32 bin, f32 from, f32 to, f32 interpolation, i32 kind) |
//! | `items.bin` | rows (i32 item, i32 coverage, u32 areaperil, i32 vulnerability, i32 group) |
//! | `coverages.bin` | f32 total insured value of coverages 1, 2, … |

use super::columns::Columns;
use crate::error::{Error, Fault, Result};
use crate::events::occurrences::Occurrences;
use crate::events::set::{Description, EventSetWriter};
use crate::events::{Event, Occurrence};
use crate::loss::{Matrix, Row};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Name of the measure of footprints: number of the intensity bin.
pub const MEASURE: &str = "intensity_bin";

/// Greatest bin number: intensities are kept as f32, which holds whole numbers up to 2^24.
const MOST_BIN: u64 = 1 << 24;
/// Most intensity bins of a vulnerability.
const MOST_BINS: u32 = 10_000;
const MOST_ID: u64 = i32::MAX as u64;
/// Probabilities of a place, and of a row of a vulnerability, add up to one within this: they are f32.
const SLACK: f64 = 1e-4;

/// Reads `occurrence.csv`: columns `event_id`, `period_no` (from 1) and, where there are dates, `occ_year`, `occ_month`,
/// `occ_day`; other columns are not read. Without dates the day is 1.
///
/// Periods become years from 0; `years` is their number, by default the greatest period.
///
/// # Errors
/// A missing column, a cell that is not what it should be, a period beyond `years`, no rows.
pub fn occurrences(source: &Path, years: Option<u32>) -> Result<Occurrences> {
    let mut columns = Columns::open(source)?;
    let [event, period] = columns.require([&["event_id"], &["period_no"]])?;
    let date = ["occ_year", "occ_month", "occ_day"].map(|name| columns.find(&[name]));
    let most = years.map_or(u64::from(u32::MAX), u64::from);
    let mut rows = Vec::new();
    while columns.next()? {
        let year = columns.whole(period, 1, most).max(1) as u32 - 1;
        let event = columns.whole(event, 0, MOST_ID);
        let day = match date {
            [Some(y), Some(m), Some(d)] => {
                let y = columns.whole(y, 0, 1_000_000);
                let month = columns.whole(m, 1, 12);
                let length = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
                let in_month = length.get(month.max(1) as usize - 1).map_or(31, |n| *n);
                day_of_year(y, month, columns.whole(d, 1, in_month))
            }
            _ => 1,
        };
        rows.push(Occurrence {
            year,
            day,
            duration_h: 0.0,
            event,
        });
    }
    columns.end()?;
    let greatest = rows.iter().map(|o| o.year + 1).max().unwrap_or(0);
    Occurrences::new(source, years.unwrap_or(greatest), rows)
}

/// Day of a year of the Gregorian calendar; 29 February of other than leap years counts as day 60.
fn day_of_year(year: u64, month: u64, day: u64) -> u16 {
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let shift = u64::from(leap && month > 2);
    (before[month.clamp(1, 12) as usize - 1] + shift + day).clamp(1, 366) as u16
}

/// Mean number of occurrences per year of each event.
fn rates(occurrences: &Occurrences) -> BTreeMap<u64, f64> {
    let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
    for o in &occurrences.rows {
        *counts.entry(o.event).or_default() += 1;
    }
    let years = f64::from(occurrences.years);
    counts
        .into_iter()
        .map(|(event, n)| (event, f64::from(n) / years))
        .collect()
}

/// One row of a footprint.
#[derive(Debug, Clone, Copy)]
struct Struck {
    areaperil: u64,
    bin: u32,
    probability: f64,
}

/// Writes a footprint, CSV (`.csv`, also gzipped) or binary (`footprint.bin` with `footprint.idx` beside it), as an
/// event-set file with the measure [`MEASURE`]. Returns the areaperil id of each place, ascending.
///
/// - An event occurs as often per year as `occurrences` say; one that never occurs has rate 0, and one that occurs
///   without a footprint strikes nothing.
/// - The file has a column of probabilities unless all are 1. Rows of one (event, areaperil) come by ascending bin; rows
///   of probability 0 are left out.
/// - The source is read twice; memory for the areaperil ids, and for one event.
///
/// # Errors
/// A file that is missing, cut off or of another form; events of a CSV that do not ascend; cells that are not what they
/// should be; a bin twice at a place; probabilities of a place that do not add up to 1.
pub fn footprint(source: &Path, occurrences: &Occurrences, target: &Path) -> Result<Vec<u64>> {
    let mut found: HashSet<u64> = HashSet::new();
    let mut uncertain = false;
    each_event(source, |_, rows| {
        found.extend(rows.iter().map(|r| r.areaperil));
        uncertain |= rows.iter().any(|r| r.probability != 1.0);
        Ok(())
    })?;
    let mut places: Vec<u64> = found.into_iter().collect();
    places.sort_unstable();

    let description = Description {
        measures: vec![MEASURE.into()],
        double: false,
        probability: uncertain,
        spread: false,
        note: "from an Oasis footprint; places are areaperil ids by rank".into(),
    };
    let mut writer = EventSetWriter::create(target, description)?;
    let width = 1 + usize::from(uncertain);
    let nothing: [&[f64]; 2] = [&[], &[]];
    let mut rates = rates(occurrences);
    let (mut place, mut bin, mut probability) = (Vec::new(), Vec::new(), Vec::new());
    each_event(source, |id, rows| {
        while let Some((&other, &rate)) = rates.first_key_value()
            && other < id
        {
            rates.remove(&other);
            writer.push(&event(other, rate), &[], &nothing[..width])?;
        }
        place.clear();
        bin.clear();
        probability.clear();
        for row in rows.iter() {
            // Found in the first pass: the file would have to change between the passes to lack it.
            let at = places.binary_search(&row.areaperil).map_err(|_| {
                Error::Failed(format!("{} changed while it was read", source.display()))
            })?;
            place.push(at as u32);
            bin.push(f64::from(row.bin));
            probability.push(row.probability);
        }
        let columns: [&[f64]; 2] = [&bin, &probability];
        let rate = rates.remove(&id).unwrap_or(0.0);
        writer.push(&event(id, rate), &place, &columns[..width])
    })?;
    for (other, rate) in rates {
        writer.push(&event(other, rate), &[], &nothing[..width])?;
    }
    writer.finish()?;
    Ok(places)
}

fn event(id: u64, rate_per_year: f64) -> Event {
    Event {
        id,
        cause: id,
        hazard: 0,
        rate_per_year,
    }
}

/// Hands over the events of a footprint by ascending id, their rows checked and sorted by areaperil and bin.
fn each_event(
    source: &Path,
    mut each: impl FnMut(u64, &mut Vec<Struck>) -> Result<()>,
) -> Result<()> {
    let mut ready = |id: u64, rows: &mut Vec<Struck>| -> Result<()> {
        check_event(source, id, rows)?;
        each(id, rows)
    };
    if source.extension().is_some_and(|e| e == "bin") {
        each_event_bin(source, &mut ready)
    } else {
        each_event_csv(source, &mut ready)
    }
}

fn each_event_csv(
    source: &Path,
    each: &mut impl FnMut(u64, &mut Vec<Struck>) -> Result<()>,
) -> Result<()> {
    let mut columns = Columns::open(source)?;
    let [event, areaperil, bin, probability] = columns.require([
        &["event_id"],
        &["areaperil_id"],
        &["intensity_bin_id", "intensity_bin_index"],
        &["probability", "prob"],
    ])?;
    let mut open: Option<u64> = None;
    let mut rows: Vec<Struck> = Vec::new();
    while columns.next()? {
        let id = columns.whole(event, 0, MOST_ID);
        let row = Struck {
            areaperil: columns.whole(areaperil, 0, u64::MAX),
            bin: columns.whole(bin, 0, MOST_BIN) as u32,
            probability: columns.number(probability),
        };
        if open != Some(id) {
            if open.is_some_and(|o| o > id) && columns.sound() {
                columns.fault(
                    Some(event),
                    format!("event {id} after event {}", open.unwrap_or_default()),
                    "rows by ascending event",
                    "sort the footprint by event_id",
                );
            }
            if let (Some(open), true) = (open, columns.sound()) {
                each(open, &mut rows)?;
            }
            rows.clear();
            open = Some(id);
        }
        rows.push(row);
    }
    columns.end()?;
    match open {
        Some(open) => each(open, &mut rows),
        None => Ok(()),
    }
}

fn each_event_bin(
    source: &Path,
    each: &mut impl FnMut(u64, &mut Vec<Struck>) -> Result<()>,
) -> Result<()> {
    let index_path = source.with_extension("idx");
    let mut index: Vec<(u64, u64, u64)> = Vec::new();
    let damaged = |path: &Path, place: String, found: String, expected: &str| {
        Error::input(Fault::new(path, found, expected, "make or copy both files again").at(place))
    };
    records::<20>(&index_path, 0, |row, b| {
        let (id, offset, bytes) = (i32_at(b, 0), i64_at(b, 4), i64_at(b, 12));
        match (
            u64::try_from(id),
            u64::try_from(offset),
            u64::try_from(bytes),
        ) {
            (Ok(id), Ok(offset), Ok(bytes)) if bytes % 12 == 0 => {
                index.push((id, offset, bytes));
                Ok(())
            }
            _ => Err(damaged(
                &index_path,
                format!("record {row}"),
                format!("event {id} with {bytes} bytes at {offset}"),
                "rows of 12 bytes (u32 areaperil, i32 bin, f32 probability) at an offset of 8 or more",
            )),
        }
    })?;
    index.sort_unstable();
    if let Some(w) = index.windows(2).find(|w| w[0].0 == w[1].0) {
        return Err(damaged(
            &index_path,
            format!("event {}", w[0].0),
            "the event twice".into(),
            "each event once",
        ));
    }
    let failed = |e| Error::io("reading", source, e);
    let file = File::open(source).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let mut file = BufReader::with_capacity(1 << 16, file);
    let mut at = 0_u64;
    let mut bytes = Vec::new();
    let mut rows: Vec<Struck> = Vec::new();
    for (id, offset, length) in index {
        if offset < 8 || offset.checked_add(length).is_none_or(|end| end > size) {
            return Err(damaged(
                source,
                format!("event {id}"),
                format!("{length} bytes at {offset} of {size}"),
                "rows within the file",
            ));
        }
        // A relative seek keeps the buffer where events lie one behind the other.
        file.seek_relative(offset as i64 - at as i64)
            .map_err(failed)?;
        bytes.resize(length as usize, 0);
        file.read_exact(&mut bytes).map_err(failed)?;
        at = offset + length;
        rows.clear();
        for (k, b) in bytes.as_chunks::<12>().0.iter().enumerate() {
            let bin = i32_at(b, 4);
            if !(0..=MOST_BIN as i32).contains(&bin) {
                return Err(damaged(
                    source,
                    format!("event {id}, row {}", k + 1),
                    format!("intensity bin {bin}"),
                    "a bin of 0 to 2^24",
                ));
            }
            rows.push(Struck {
                areaperil: u64::from(i32_at(b, 0) as u32),
                bin: bin as u32,
                probability: f64::from(f32_at(b, 8)),
            });
        }
        each(id, &mut rows)?;
    }
    Ok(())
}

fn check_event(source: &Path, id: u64, rows: &mut Vec<Struck>) -> Result<()> {
    let mut faults = Vec::new();
    let mut fault = |areaperil: u64, found: String, expected: &str, remedy: &str| {
        let place = format!("event {id}, areaperil {areaperil}");
        faults.push(Fault::new(source, found, expected, remedy).at(place));
    };
    for row in rows.iter() {
        if !(0.0..=1.0).contains(&row.probability) {
            fault(
                row.areaperil,
                format!("probability {} of bin {}", row.probability, row.bin),
                "a probability of 0 to 1",
                "correct the footprint",
            );
        }
    }
    rows.retain(|r| r.probability != 0.0);
    rows.sort_unstable_by_key(|r| (r.areaperil, r.bin));
    for same in rows.chunk_by(|a, b| a.areaperil == b.areaperil) {
        if let Some(w) = same.windows(2).find(|w| w[0].bin == w[1].bin) {
            fault(
                w[0].areaperil,
                format!("bin {} twice", w[0].bin),
                "each bin once at a place",
                "join the rows",
            );
        }
        let sum: f64 = same.iter().map(|r| r.probability).sum();
        if (sum - 1.0).abs() > SLACK {
            fault(
                same[0].areaperil,
                format!("probabilities that add up to {sum}"),
                "1",
                "complete the intensity bins of the place; unharmed is a bin, too",
            );
        }
    }
    faults.truncate(50);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}

/// Damage bins by number, from 1: one or two uniform parts (from, to, share).
type Bins = Vec<Vec<(f64, f64, f64)>>;

/// Reads vulnerabilities, CSV or binary (`.bin`), with their damage bins, CSV or binary: one matrix per vulnerability id,
/// ascending, its code the id, its measure [`MEASURE`].
///
/// - Intensity bin k lies between edges k - 0.5 and k + 0.5: matrices read footprints of bin numbers.
/// - An intensity bin without rows does no damage, as in Oasis: matrices go from the first to the last bin of the file
///   (of `intensity_bins`, where given).
/// - Oasis takes the mean of a damage bin from its `interpolation`. Where that is not in the middle, the bin is cut there
///   into two uniform parts whose mean it is.
///
/// # Errors
/// A file that is missing or of another form; a bin that `damage_bins` (or `intensity_bins`) does not hold, or twice;
/// probabilities that do not add up to 1; damage bins that are no ratios of 0 to 1.
pub fn matrices(
    vulnerability: &Path,
    damage_bins: &Path,
    intensity_bins: Option<&Path>,
) -> Result<Vec<Matrix>> {
    let bins = read_damage_bins(damage_bins)?;
    let known: Option<BTreeSet<u32>> = intensity_bins.map(intensity_bin_ids).transpose()?;
    // (vulnerability, intensity bin) -> probabilities by damage bin.
    let mut table: BTreeMap<u32, BTreeMap<u32, Vec<f64>>> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut add = |place: String, id: u64, intensity: u64, damage: u64, probability: f64| {
        let known_damage = (1..=bins.len() as u64).contains(&damage);
        let known_bin = known
            .as_ref()
            .is_none_or(|k| k.contains(&(intensity as u32)));
        if !(known_damage && known_bin && (0.0..=1.0).contains(&probability)) {
            if faults.len() < 50 {
                let found = format!(
                    "intensity bin {intensity}, damage bin {damage}, probability {probability}"
                );
                let expected = "bins of the tables of bins and a probability of 0 to 1";
                faults.push(
                    Fault::new(vulnerability, found, expected, "correct the tables").at(place),
                );
            }
            return;
        }
        let rows = table.entry(id as u32).or_default();
        let row = rows
            .entry(intensity as u32)
            .or_insert_with(|| vec![f64::NAN; bins.len()]);
        let cell = &mut row[damage as usize - 1];
        if !cell.is_nan() && faults.len() < 50 {
            let found = format!("damage bin {damage} of intensity bin {intensity} twice");
            faults.push(Fault::new(vulnerability, found, "once", "join the rows").at(place));
        }
        *cell = probability;
    };
    if vulnerability.extension().is_some_and(|e| e == "bin") {
        records::<16>(vulnerability, 4, |row, b| {
            let [id, intensity, damage] = [i32_at(b, 0), i32_at(b, 4), i32_at(b, 8)]
                .map(|v| u64::try_from(v).unwrap_or(u64::MAX));
            let id_place = format!("record {row}, vulnerability {id}");
            add(id_place, id, intensity, damage, f64::from(f32_at(b, 12)));
            Ok(())
        })?;
    } else {
        let mut columns = Columns::open(vulnerability)?;
        let [id, intensity, damage, probability] = columns.require([
            &["vulnerability_id"],
            &["intensity_bin_id", "intensity_bin_index"],
            &["damage_bin_id", "damage_bin_index"],
            &["probability", "prob"],
        ])?;
        while columns.next()? {
            let id = columns.whole(id, 0, MOST_ID);
            let intensity = columns.whole(intensity, 0, MOST_BIN);
            let damage = columns.whole(damage, 0, MOST_ID);
            let probability = columns.number(probability);
            if columns.sound() {
                add(
                    format!("vulnerability {id}"),
                    id,
                    intensity,
                    damage,
                    probability,
                );
            }
        }
        columns.end()?;
    }
    for (id, rows) in &mut table {
        for (intensity, row) in rows {
            for p in row.iter_mut().filter(|p| p.is_nan()) {
                *p = 0.0;
            }
            let sum: f64 = row.iter().sum();
            if (sum - 1.0).abs() > SLACK && faults.len() < 50 {
                let found = format!("probabilities that add up to {sum}");
                let place = format!("vulnerability {id}, intensity bin {intensity}");
                let remedy = "complete the damage bins: no damage is a bin, too";
                faults.push(Fault::new(vulnerability, found, "1", remedy).at(place));
            }
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let numbers = || {
        let of_rows = table.values().flat_map(|rows| rows.keys().copied());
        of_rows.chain(known.iter().flatten().copied())
    };
    let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else {
        return Err(Error::input(Fault::new(
            vulnerability,
            "no rows",
            "one or more vulnerabilities",
            "check that the file was saved whole",
        )));
    };
    if last - first >= MOST_BINS {
        return Err(Error::input(Fault::new(
            vulnerability,
            format!("intensity bins {first} to {last}"),
            format!("at most {MOST_BINS} bins"),
            "number the intensity bins one after another",
        )));
    }
    Ok(table
        .iter()
        .map(|(id, rows)| matrix(*id, rows, first..=last, &bins))
        .collect())
}

fn matrix(
    id: u32,
    rows: &BTreeMap<u32, Vec<f64>>,
    intensities: std::ops::RangeInclusive<u32>,
    bins: &Bins,
) -> Matrix {
    // The first part: no damage, for intensities without rows.
    let parts: Vec<(f64, f64)> = std::iter::once((0.0, 0.0))
        .chain(bins.iter().flatten().map(|p| (p.0, p.1)))
        .collect();
    let unharmed = || {
        let mut row = vec![0.0; parts.len()];
        row[0] = 1.0;
        row
    };
    let shared = |row: &Vec<f64>| -> Vec<f64> {
        let of_bins = row.iter().zip(bins);
        std::iter::once(0.0)
            .chain(of_bins.flat_map(|(p, parts)| parts.iter().map(move |part| p * part.2)))
            .collect()
    };
    let first = f64::from(*intensities.start());
    Matrix {
        code: id.to_string(),
        measure: MEASURE.into(),
        edges: std::iter::once(first - 0.5)
            .chain(intensities.clone().map(|k| f64::from(k) + 0.5))
            .collect(),
        probability: intensities
            .map(|k| rows.get(&k).map_or_else(unharmed, shared))
            .collect(),
        bins: parts,
    }
}

fn read_damage_bins(path: &Path) -> Result<Bins> {
    // (bin, from, to, interpolation, kind)
    let mut rows: Vec<(u64, f64, f64, f64, f64)> = Vec::new();
    if path.extension().is_some_and(|e| e == "bin") {
        records::<20>(path, 0, |_, b| {
            let number = u64::try_from(i32_at(b, 0)).unwrap_or(u64::MAX);
            let [from, to, middle] = [4, 8, 12].map(|at| f64::from(f32_at(b, at)));
            rows.push((number, from, to, middle, f64::from(i32_at(b, 16))));
            Ok(())
        })?;
    } else {
        let mut columns = Columns::open(path)?;
        let [number, from, to, middle] = columns.require([
            &["bin_index", "bin_id"],
            &["bin_from"],
            &["bin_to"],
            &["interpolation"],
        ])?;
        let kind = columns.find(&["damage_type"]);
        while columns.next()? {
            rows.push((
                columns.whole(number, 1, MOST_ID),
                columns.number(from),
                columns.number(to),
                columns.number(middle),
                columns.maybe(kind).unwrap_or(0.0),
            ));
        }
        columns.end()?;
    }
    let mut faults = Vec::new();
    let mut bins = Bins::new();
    for (i, &(number, from, to, middle, kind)) in rows.iter().enumerate() {
        if number != i as u64 + 1 {
            let found = format!("bin {number} in row {}", i + 1);
            faults.push(Fault::new(
                path,
                found,
                "bins numbered 1, 2, …",
                "sort the bins and number them",
            ));
        }
        // Kinds 2 and 3 of newer tables are amounts of money and durations.
        if !(0.0 <= from && from <= middle && middle <= to && to <= 1.0)
            || matches!(kind, 2.0 | 3.0)
        {
            let found = format!("{from} to {to}, interpolation {middle}, damage_type {kind}");
            let expected = "0 <= from <= interpolation <= to <= 1, a ratio of the value";
            let remedy = "write damage as fractions of the value";
            faults.push(Fault::new(path, found, expected, remedy).at(format!("bin {number}")));
        }
        let width = to - from;
        // Single precision cannot tell the middle of a bin more exactly.
        if (middle - 0.5 * (from + to)).abs() <= 1e-6 * width || width == 0.0 {
            bins.push(vec![(from, to, 1.0)]);
        } else {
            let share = (to - middle) / width;
            bins.push(vec![(from, middle, share), (middle, to, 1.0 - share)]);
        }
    }
    if faults.is_empty() {
        Ok(bins)
    } else {
        faults.truncate(50);
        Err(Error::Input(faults))
    }
}

fn intensity_bin_ids(path: &Path) -> Result<BTreeSet<u32>> {
    let mut columns = Columns::open(path)?;
    let [number] = columns.require([&["bin_index", "bin_id", "intensity_bin_id"]])?;
    let mut ids = BTreeSet::new();
    while columns.next()? {
        ids.insert(columns.whole(number, 0, MOST_BIN) as u32);
    }
    columns.end()?;
    Ok(ids)
}

/// One item of an Oasis portfolio: a coverage under one peril.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    /// Number of the item.
    pub item: u32,
    /// Number of its coverage; where several items share one, Oasis caps their sum at the insured value.
    pub coverage: u32,
    /// Areaperil id.
    pub areaperil: u64,
    /// Vulnerability id.
    pub vulnerability: u32,
    /// Group: its items are damaged alike as far as they are correlated.
    pub group: u32,
    /// Total insured value of the coverage, in the currency of the portfolio.
    pub value: f64,
}

/// Reads items with the insured values of their coverages, each CSV or binary (`.bin`), in the order of the file.
///
/// # Errors
/// A file that is missing or of another form; an item twice; a coverage without a value.
pub fn items(items: &Path, coverages: &Path) -> Result<Vec<Item>> {
    let mut values: BTreeMap<u32, f64> = BTreeMap::new();
    if coverages.extension().is_some_and(|e| e == "bin") {
        records::<4>(coverages, 0, |row, b| {
            values.insert(row as u32, f64::from(f32_at(b, 0)));
            Ok(())
        })?;
    } else {
        let mut columns = Columns::open(coverages)?;
        let [coverage, value] = columns.require([&["coverage_id"], &["tiv"]])?;
        while columns.next()? {
            let number = columns.whole(coverage, 1, MOST_ID) as u32;
            let value = columns.amount(value);
            if values.insert(number, value).is_some() {
                columns.fault(
                    Some(coverage),
                    format!("coverage {number} again"),
                    "each coverage once",
                    "join the rows",
                );
            }
        }
        columns.end()?;
    }
    let mut out: Vec<Item> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    if items.extension().is_some_and(|e| e == "bin") {
        records::<20>(items, 0, |row, b| {
            let word = |at| i32_at(b, at) as u32;
            lines.push(format!("record {row}"));
            out.push(Item {
                item: word(0),
                coverage: word(4),
                areaperil: u64::from(word(8)),
                vulnerability: word(12),
                group: word(16),
                value: f64::NAN,
            });
            Ok(())
        })?;
    } else {
        let mut columns = Columns::open(items)?;
        let [item, coverage, areaperil, vulnerability, group] = columns.require([
            &["item_id"],
            &["coverage_id"],
            &["areaperil_id"],
            &["vulnerability_id"],
            &["group_id"],
        ])?;
        while columns.next()? {
            lines.push(format!("row {}", out.len() + 1));
            out.push(Item {
                item: columns.whole(item, 0, MOST_ID) as u32,
                coverage: columns.whole(coverage, 0, MOST_ID) as u32,
                areaperil: columns.whole(areaperil, 0, u64::MAX),
                vulnerability: columns.whole(vulnerability, 0, MOST_ID) as u32,
                group: columns.whole(group, 0, u64::from(u32::MAX)) as u32,
                value: f64::NAN,
            });
        }
        columns.end()?;
    }
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    for (row, place) in out.iter_mut().zip(lines) {
        match values.get(&row.coverage) {
            Some(&value) if value >= 0.0 && value.is_finite() => row.value = value,
            other => faults.push(
                Fault::new(
                    items,
                    format!("coverage {} with value {other:?}", row.coverage),
                    format!(
                        "a coverage of {} with a value of 0 or more",
                        coverages.display()
                    ),
                    "complete the coverages",
                )
                .at(place.clone()),
            ),
        }
        if !seen.insert(row.item) {
            let found = format!("item {} again", row.item);
            faults.push(Fault::new(items, found, "each item once", "number the items").at(place));
        }
    }
    faults.truncate(50);
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(Error::Input(faults))
    }
}

/// Rows of the exposure for items: the class of a row is the index of its matrix, its unit is 0.
///
/// `places`: areaperil ids as [`footprint`] returns them. Items whose areaperil no event strikes get the place behind the
/// last.
///
/// # Errors
/// A vulnerability id without a matrix; more than 65,535 matrices.
pub fn rows(items: &[Item], places: &[u64], matrices: &[Matrix]) -> Result<Vec<Row>> {
    let classes: BTreeMap<&str, usize> = matrices
        .iter()
        .enumerate()
        .map(|(i, m)| (m.code.as_str(), i))
        .collect();
    let mut faults = Vec::new();
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let code = item.vulnerability.to_string();
        let class = classes.get(code.as_str()).map(|&c| u16::try_from(c));
        let Some(Ok(class)) = class else {
            if faults.len() < 50 {
                faults.push(
                    Fault::new(
                        "items",
                        format!("vulnerability {code}"),
                        "one of the vulnerabilities read, 65,535 at most",
                        "read the vulnerabilities that belong to the items",
                    )
                    .at(format!("item {}", item.item)),
                );
            }
            continue;
        };
        let place = places
            .binary_search(&item.areaperil)
            .unwrap_or(places.len());
        rows.push(Row {
            place: place as u32,
            class,
            value: item.value,
            unit: 0,
            item: item.item,
            group: item.group,
        });
    }
    if faults.is_empty() {
        Ok(rows)
    } else {
        Err(Error::Input(faults))
    }
}

/// Hands over the records of a binary file, numbered from 1, behind a head of some bytes.
fn records<const N: usize>(
    path: &Path,
    head: u64,
    mut each: impl FnMut(u64, &[u8; N]) -> Result<()>,
) -> Result<()> {
    let failed = |e| Error::io("reading", path, e);
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size < head || (size - head) % N as u64 != 0 {
        return Err(Error::input(Fault::new(
            path,
            format!("{size} bytes"),
            format!("{head} bytes and records of {N} bytes"),
            "the file is cut short or of another form (areaperil ids of 8 bytes are not read): copy it again, or \
             convert it to CSV",
        )));
    }
    let mut file = BufReader::with_capacity(1 << 16, file);
    file.seek(SeekFrom::Start(head)).map_err(failed)?;
    let mut record = [0_u8; N];
    for row in 1..=(size - head) / N as u64 {
        file.read_exact(&mut record).map_err(failed)?;
        each(row, &record)?;
    }
    Ok(())
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default())
}

fn f32_at(bytes: &[u8], at: usize) -> f32 {
    f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::tests::shared;
    use super::*;
    use crate::events::set::EventSet;
    use crate::loss::Vulnerability;
    use std::collections::HashMap;

    fn checked(matrices: &[Matrix]) -> Vec<Vulnerability> {
        matrices
            .iter()
            .map(|m| Vulnerability::from_matrix(Path::new("vulnerability"), m).unwrap())
            .collect()
    }

    /// Mean loss of each event, coverages capped at their value.
    fn mean_losses(set: &EventSet, rows: &[Row], items: &[Item], of: &[Vulnerability]) -> Vec<f64> {
        let mut by_place: HashMap<u32, Vec<usize>> = HashMap::new();
        for (i, row) in rows.iter().enumerate() {
            by_place.entry(row.place).or_default().push(i);
        }
        let mut losses = Vec::new();
        for b in 0..set.blocks() {
            let block = set.block(b).unwrap();
            for e in 0..block.len() {
                let mut of_coverage: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
                for i in block.rows(e) {
                    for &k in by_place.get(&block.place[i]).into_iter().flatten() {
                        let ratio = of[usize::from(rows[k].class)].mean(block.measures[0].get(i));
                        let share = block.probability.map_or(1.0, |p| p.get(i));
                        let sum = of_coverage
                            .entry(items[k].coverage)
                            .or_insert((0.0, rows[k].value));
                        sum.0 += share * ratio * rows[k].value;
                    }
                }
                losses.push(
                    of_coverage
                        .values()
                        .map(|(sum, value)| sum.min(*value))
                        .sum(),
                );
            }
        }
        losses
    }

    #[test]
    fn the_wind_model_of_the_control_set() {
        let Some(data) = shared("piwind") else {
            return;
        };
        let model = data.join("model_data/PiWind");
        let run = data.join("tests/ci/expected/control_set");
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("piwind.events");
        let years = occurrences(&model.join("occurrence_lt.csv"), None).unwrap();
        assert_eq!((years.years, years.rows.len()), (1000, 1448));
        let places = footprint(&model.join("footprint.csv"), &years, &target).unwrap();
        let set = EventSet::open(&target).unwrap();
        // One event of the occurrences, 1448, has no footprint.
        assert_eq!((set.events(), set.rows()), (1448, 39_997));
        assert!(!set.description().probability);
        let matrices = matrices(
            &model.join("vulnerability.csv"),
            &model.join("damage_bin_dict.csv"),
            Some(&model.join("intensity_bin_dict.csv")),
        )
        .unwrap();
        assert_eq!(matrices.len(), 12);
        let of = checked(&matrices);
        let input = run.join("input");
        let items = items(&input.join("items.csv"), &input.join("coverages.csv")).unwrap();
        assert_eq!(
            (items.len(), items[0].group, items[1].value),
            (20, 833_720_067, 790_000.0)
        );
        let rows = rows(&items, &places, &matrices).unwrap();
        let losses = mean_losses(&set, &rows, &items, &of);

        // Average annual loss, analytic: Oasis adds up in single precision, 1448 losses of up to 3.4e6: 1e-6.
        let mut aal = 0.0;
        let mut at = 0;
        let mut of_event: HashMap<u64, f64> = HashMap::new();
        for b in 0..set.blocks() {
            let block = set.block(b).unwrap();
            for e in 0..block.len() {
                aal += block.rate_per_year[e] * losses[at];
                of_event.insert(block.id[e], losses[at]);
                at += 1;
            }
        }
        assert!((aal / 235_819.234_375 - 1.0).abs() < 1e-6, "{aal}");
        // Mean losses of events, sample -1, written with two digits: half of the last one, and single precision.
        let mut table = Columns::open(&run.join("output/gul_S1_selt.csv")).unwrap();
        let mut compared = 0;
        while table.next().unwrap() {
            if table.cell(2) == "-1" {
                let (event, loss) = (table.whole(0, 0, MOST_ID), table.number(3));
                let found = of_event[&event];
                assert!(
                    (found - loss).abs() < 0.005 + 1e-6 * loss,
                    "{event}: {found} {loss}"
                );
                compared += 1;
            }
        }
        assert!(compared > 300, "{compared}");
    }

    fn write_footprint(path: &Path, uncertain: bool) {
        // Events 7 and 3, one behind the other; areaperils unsorted.
        let p: [f32; 2] = if uncertain { [0.25, 0.75] } else { [1.0, 1.0] };
        let first: Vec<(u32, i32, f32)> = if uncertain {
            vec![(900, 4, p[1]), (900, 2, p[0]), (12, 1, 1.0)]
        } else {
            vec![(900, 4, 1.0), (12, 1, 1.0)]
        };
        let mut bytes = vec![5, 0, 0, 0, u8::from(uncertain), 0, 0, 0];
        let mut index: Vec<u8> = Vec::new();
        for (id, rows) in [(7_i32, first), (3, vec![(40, 5, 1.0)])] {
            index.extend(id.to_le_bytes());
            index.extend((bytes.len() as i64).to_le_bytes());
            index.extend((12 * rows.len() as i64).to_le_bytes());
            for (a, b, p) in rows {
                bytes.extend(a.to_le_bytes());
                bytes.extend(b.to_le_bytes());
                bytes.extend(p.to_le_bytes());
            }
        }
        std::fs::write(path, bytes).unwrap();
        std::fs::write(path.with_extension("idx"), index).unwrap();
    }

    #[test]
    fn binary_and_text_footprints_are_one() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("footprint.bin");
        let text = dir.path().join("footprint.csv");
        let list = dir.path().join("occurrence.csv");
        std::fs::write(
            &list,
            "event_id,period_no,occ_year,occ_month,occ_day\n7,2,4,3,1\n7,1,1,12,31\n5,4,1,1,1\n",
        )
        .unwrap();
        let years = occurrences(&list, Some(10)).unwrap();
        assert_eq!((years.rows[0].day, years.rows[1].day), (365, 61));
        let (a, b) = (dir.path().join("a.events"), dir.path().join("b.events"));
        for uncertain in [false, true] {
            write_footprint(&binary, uncertain);
            let rows = if uncertain {
                "3,40,5,1\n7,900,4,0.75\n7,12,1,1\n7,900,2,0.25\n7,900,9,0\n"
            } else {
                "3,40,5,1\n7,900,4,1\n7,12,1,1\n"
            };
            std::fs::write(
                &text,
                format!("event_id,areaperil_id,intensity_bin_id,probability\n{rows}"),
            )
            .unwrap();
            for (source, target) in [(&binary, &a), (&text, &b)] {
                assert_eq!(footprint(source, &years, target).unwrap(), [12, 40, 900]);
                let set = EventSet::open(target).unwrap();
                let block = set.block(0).unwrap();
                assert_eq!(
                    (block.id, block.rate_per_year),
                    (&[3, 5, 7][..], &[0.0, 0.1, 0.2][..])
                );
                assert_eq!(set.description().probability, uncertain);
                if uncertain {
                    assert_eq!(block.place, [1, 0, 2, 2]);
                    assert_eq!(block.measures[0].get(2), 2.0);
                    assert_eq!(block.probability.unwrap().get(2), 0.25);
                }
            }
            assert_eq!(std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());
        }
    }

    #[test]
    fn binary_tables() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, words: &[[u8; 4]]| {
            let path = dir.path().join(name);
            std::fs::write(&path, words.concat()).unwrap();
            path
        };
        let (i, f) = (i32::to_le_bytes, f32::to_le_bytes);
        // The second bin has its mean at 0.2, not in its middle.
        let bins = write(
            "damage_bin_dict.bin",
            &[
                i(1),
                f(0.0),
                f(0.0),
                f(0.0),
                i(0),
                i(2),
                f(0.0),
                f(1.0),
                f(0.25),
                i(0),
            ],
        );
        let vulnerability = write(
            "vulnerability.bin",
            &[
                i(2),
                i(6),
                i(2),
                i(1),
                f(0.5),
                i(6),
                i(2),
                i(2),
                f(0.5),
                i(9),
                i(4),
                i(2),
                f(1.0),
            ],
        );
        let found = matrices(&vulnerability, &bins, None).unwrap();
        let codes: Vec<&str> = found.iter().map(|m| m.code.as_str()).collect();
        assert_eq!(codes, ["6", "9"]);
        assert_eq!(found[0].edges, [1.5, 2.5, 3.5, 4.5]);
        let of = checked(&found);
        assert_eq!(
            (of[0].mean(2.0), of[0].mean(3.0), of[1].mean(4.0)),
            (0.125, 0.0, 0.25)
        );
        let coverages = write("coverages.bin", &[f(10.0), f(20.5)]);
        let list = write("items.bin", &[i(4), i(2), i(900), i(9), i(77)]);
        let found = items(&list, &coverages).unwrap();
        assert_eq!(found[0].value, 20.5);
        let placed = rows(
            &found,
            &[12, 900],
            &matrices(&vulnerability, &bins, None).unwrap(),
        )
        .unwrap();
        assert_eq!(
            (placed[0].place, placed[0].class, placed[0].group),
            (1, 1, 77)
        );
        assert_eq!(
            rows(
                &found,
                &[12],
                &matrices(&vulnerability, &bins, None).unwrap()
            )
            .unwrap()[0]
                .place,
            1
        );
        // Cut off, and a coverage without a value.
        std::fs::write(&vulnerability, [0; 11]).unwrap();
        assert!(
            matrices(&vulnerability, &bins, None)
                .unwrap_err()
                .is_input()
        );
        let list = write("items.bin", &[i(4), i(3), i(900), i(9), i(77)]);
        let e = items(&list, &coverages).unwrap_err().to_string();
        assert!(e.contains("coverage 3"), "{e}");
    }

    #[test]
    fn bad_footprints_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().join("footprint.csv");
        let target = dir.path().join("a.events");
        let head = "event_id,areaperil_id,intensity_bin_id,probability\n";
        for (rows, faults, say) in [
            ("3,40,5,0.5\n3,41,5,1\n", 1, "event 3, areaperil 40"),
            ("3,40,5,0.5\n3,40,5,0.5\n", 1, "bin 5 twice"),
            ("3,40,5,1\n2,40,5,1\n", 1, "line 3, column event_id"),
            ("3,40,-5,x\n", 2, "line 2"),
        ] {
            std::fs::write(&text, format!("{head}{rows}")).unwrap();
            let e = footprint(&text, &Occurrences::default(), &target).unwrap_err();
            assert_eq!(e.faults().len(), faults, "{e}");
            assert!(e.to_string().contains(say), "{e}");
        }
        let binary = dir.path().join("footprint.bin");
        write_footprint(&binary, true);
        let whole = std::fs::read(&binary).unwrap();
        std::fs::write(&binary, &whole[..whole.len() - 4]).unwrap();
        let e = footprint(&binary, &Occurrences::default(), &target).unwrap_err();
        assert!(e.is_input() && e.to_string().contains("event 3"), "{e}");
        let list = dir.path().join("occurrence.csv");
        std::fs::write(&list, "event_id,period_no\n1,0\n2,11\n").unwrap();
        assert_eq!(occurrences(&list, Some(10)).unwrap_err().faults().len(), 2);
    }
}
