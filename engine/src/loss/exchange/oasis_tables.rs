//! Oasis LMF: vulnerabilities with their bins, items and coverages; records of its binary files.

use super::columns::Columns;
use super::oasis::{MEASURE, MOST_BIN, MOST_ID, SLACK};
use crate::error::{Error, Fault, Result};
use crate::loss::{Matrix, Row};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Most intensity bins of a vulnerability.
const MOST_BINS: u32 = 10_000;

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
/// `places`: areaperil ids as [`super::oasis::footprint`] returns them. Items whose areaperil no event strikes get the place behind the
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
pub(super) fn records<const N: usize>(
    path: &Path,
    head: u64,
    mut each: impl FnMut(u64, &[u8; N]) -> Result<()>,
) -> Result<()> {
    let failed = |e| Error::io("reading", path, e);
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size < head || !(size - head).is_multiple_of(N as u64) {
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

pub(super) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}

pub(super) fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default())
}

pub(super) fn f32_at(bytes: &[u8], at: usize) -> f32 {
    f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::oasis::tests::checked;
    use super::*;

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
}
