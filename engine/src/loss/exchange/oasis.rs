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

pub use super::oasis_tables::{Item, items, matrices, rows};

use super::columns::Columns;
use super::oasis_tables::{f32_at, i32_at, i64_at, records};
use crate::error::{Error, Fault, Result};
use crate::events::occurrences::Occurrences;
use crate::events::set::{Description, EventSetWriter};
use crate::events::{Event, Occurrence};
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Name of the measure of footprints: number of the intensity bin.
pub const MEASURE: &str = "intensity_bin";

/// Greatest bin number: intensities are kept as f32, which holds whole numbers up to 2^24.
pub(super) const MOST_BIN: u64 = 1 << 24;
pub(super) const MOST_ID: u64 = i32::MAX as u64;
/// Probabilities of a place, and of a row of a vulnerability, add up to one within this: they are f32.
pub(super) const SLACK: f64 = 1e-4;

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

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::shared;
    use super::*;
    use crate::events::set::EventSet;
    use crate::loss::{Matrix, Row, Vulnerability};
    use std::collections::HashMap;

    pub fn checked(matrices: &[Matrix]) -> Vec<Vulnerability> {
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
