//! Series of measurements from a table: annual values by year, daily values by date. All faults of a file are told together.

use anlan_engine::extremes::peaks::{Declustering, peaks};
use anlan_engine::io::Value;
use anlan_engine::io::table::{Table, read};
use anlan_engine::{Error, Fault, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// Years of a table and the values of some of its columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Annual {
    /// Years, ascending.
    pub(super) years: Vec<i32>,
    /// Names of the columns.
    pub(super) names: Vec<String>,
    /// `[column][year]`.
    pub(super) values: Vec<Vec<f64>>,
    /// Years that are not in the table, between its first and its last.
    pub(super) missing: Vec<i32>,
}

/// A day and its value: days are counted from 1970-01-01.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Daily {
    /// The first day.
    first: i64,
    /// Values from the first to the last day; NaN for days that are not in the table.
    values: Vec<f64>,
    /// Name of the column.
    pub(super) name: String,
    missing: usize,
}

/// What is taken from a daily series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taken {
    /// Label (year, or date) and value, in the order of time.
    pub(super) values: Vec<(String, f64)>,
    /// Years observed.
    pub(super) years: f64,
    /// Calendar years left out because days are missing.
    pub(super) left_out: Vec<i32>,
    /// Days without a value.
    pub(super) missing: usize,
}

const TIME_NAMES: [&str; 12] = [
    "year",
    "date",
    "time",
    "day",
    "年",
    "年份",
    "年度",
    "日期",
    "时间",
    "年月日",
    "hydrological_year",
    "水文年",
];

/// Index of the column of time: the one named, one with a known name, else the first.
fn time_column(table: &Table, name: Option<&str>) -> Result<usize> {
    if let Some(name) = name {
        return table.require(name);
    }
    let known = |c: &String| TIME_NAMES.contains(&c.trim().to_lowercase().as_str());
    Ok(table.columns.iter().position(known).unwrap_or(0))
}

/// Index of the one column of values: the one named, or the only one beside the time.
fn value_column(table: &Table, time: usize, name: Option<&str>) -> Result<usize> {
    if let Some(name) = name {
        return table.require(name);
    }
    let others: Vec<usize> = (0..table.columns.len()).filter(|&c| c != time).collect();
    match others[..] {
        [one] => Ok(one),
        _ => Err(Error::input(Fault::new(
            &table.source,
            format!("columns {}", table.columns.join(", ")),
            "one column of values beside the time",
            "name the column with --column",
        ))),
    }
}

/// A value that is a number of zero or more.
fn value(table: &Table, row: usize, column: usize, faults: &mut Vec<Fault>) -> f64 {
    let cell = &table.rows[row][column];
    let mut fault = |found: String, expected: &str, remedy: &str| {
        faults
            .push(Fault::new(&table.source, found, expected, remedy).at(table.place(row, column)));
        f64::NAN
    };
    if cell.is_null() {
        return fault(
            "a blank cell".into(),
            "a number",
            "fill in the value, or delete the row and pass --gaps",
        );
    }
    match cell.as_f64() {
        Some(v) if v.is_finite() && v >= 0.0 => v,
        Some(v) => fault(
            v.to_string(),
            "a number of zero or more",
            "correct the value; a code for a missing value is none: delete the row and pass --gaps",
        ),
        None => fault(
            format!("`{cell}`"),
            "a number",
            "correct the value; units belong in the heading",
        ),
    }
}

/// Reads annual values. `columns`: the names wanted; none: the only one beside the year. `wide`: all beside the year.
///
/// # Errors
/// No such columns; years that are none or stand twice; values that are no numbers of zero or more; missing years where
/// `gaps` is not set.
pub(super) fn annual(
    path: &Path,
    time: Option<&str>,
    column: Option<&str>,
    wide: bool,
    gaps: bool,
) -> Result<Annual> {
    let table = read(path)?;
    let time = time_column(&table, time)?;
    let columns: Vec<usize> = if wide {
        (0..table.columns.len()).filter(|&c| c != time).collect()
    } else {
        vec![value_column(&table, time, column)?]
    };
    let mut faults = Vec::new();
    let mut rows: BTreeMap<i32, usize> = BTreeMap::new();
    for row in 0..table.rows.len() {
        let cell = &table.rows[row][time];
        let year = match cell {
            Value::Integer(y) => i32::try_from(*y).ok(),
            Value::Text(text) => text.trim().trim_end_matches('年').parse().ok(),
            _ => None,
        };
        let Some(year) = year.filter(|y| (1..=9999).contains(y)) else {
            faults.push(
                Fault::new(
                    &table.source,
                    format!("`{cell}`"),
                    "a year, 1 to 9999",
                    "correct the year; for dates pass --kind daily",
                )
                .at(table.place(row, time)),
            );
            continue;
        };
        if let Some(before) = rows.insert(year, row) {
            faults.push(
                Fault::new(
                    &table.source,
                    format!(
                        "{year}, which stands in row {}, too",
                        table.first_row + before
                    ),
                    "each year once",
                    "keep one of the rows",
                )
                .at(table.place(row, time)),
            );
        }
    }
    let mut cells = |c: usize| {
        rows.values()
            .map(|&r| value(&table, r, c, &mut faults))
            .collect()
    };
    let values: Vec<Vec<f64>> = columns.iter().map(|&c| cells(c)).collect();
    let years: Vec<i32> = rows.keys().copied().collect();
    let missing: Vec<i32> = match (years.first(), years.last()) {
        (Some(&a), Some(&b)) => (a..=b).filter(|y| !rows.contains_key(y)).collect(),
        _ => Vec::new(),
    };
    if !gaps && !missing.is_empty() {
        let place = years
            .windows(2)
            .find(|w| w[1] > w[0] + 1)
            .map_or_else(String::new, |w| table.place(rows[&w[1]], time));
        faults.push(
            Fault::new(
                &table.source,
                format!("no row for {}", spans(&missing)),
                "every year from the first to the last",
                "add the years, or pass --gaps to fit those there are",
            )
            .at(place),
        );
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    Ok(Annual {
        years,
        names: columns
            .iter()
            .map(|&c| table.columns[c].trim().to_string())
            .collect(),
        values,
        missing,
    })
}

/// Years as spans: `1952-1953, 1981`.
pub(super) fn spans(years: &[i32]) -> String {
    let mut out: Vec<(i32, i32)> = Vec::new();
    for &y in years {
        match out.last_mut() {
            Some(last) if last.1 + 1 == y => last.1 = y,
            _ => out.push((y, y)),
        }
    }
    let text = |&(a, b): &(i32, i32)| {
        if a == b {
            a.to_string()
        } else {
            format!("{a}-{b}")
        }
    };
    out.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Reads daily values.
///
/// # Errors
/// No such columns; dates that are none or stand twice; values that are no numbers of zero or more; missing days where
/// `gaps` is not set.
pub(super) fn daily(
    path: &Path,
    time: Option<&str>,
    column: Option<&str>,
    gaps: bool,
) -> Result<Daily> {
    let table = read(path)?;
    let time = time_column(&table, time)?;
    let column = value_column(&table, time, column)?;
    let mut faults = Vec::new();
    let mut days: BTreeMap<i64, (usize, f64)> = BTreeMap::new();
    for row in 0..table.rows.len() {
        let cell = &table.rows[row][time];
        let number = value(&table, row, column, &mut faults);
        let Some(day) = parse_date(&cell.to_string()) else {
            faults.push(
                Fault::new(
                    &table.source,
                    format!("`{cell}`"),
                    "a date such as 1998-07-21",
                    "correct the date; for years pass --kind annual-maxima",
                )
                .at(table.place(row, time)),
            );
            continue;
        };
        if let Some((before, _)) = days.insert(day, (row, number)) {
            faults.push(
                Fault::new(
                    &table.source,
                    format!(
                        "{}, which stands in row {}, too",
                        date_text(day),
                        table.first_row + before
                    ),
                    "each day once",
                    "keep one of the rows",
                )
                .at(table.place(row, time)),
            );
        }
    }
    let (Some((&first, _)), Some((&last, _))) = (days.first_key_value(), days.last_key_value())
    else {
        return Err(Error::Input(faults));
    };
    let span = (last - first + 1) as usize;
    let missing = span - days.len();
    // A wrong century would ask for gigabytes.
    if span > 1_000_000 || (!gaps && missing > 0) {
        let mut before = first - 1;
        let gap = days.keys().find(|&&d| {
            let found = d > before + 1;
            if !found {
                before = d;
            }
            found
        });
        if let Some(day) = gap {
            faults.push(
                Fault::new(
                    &table.source,
                    format!(
                        "no row for {} to {} ({missing} days missing in all)",
                        date_text(before + 1),
                        date_text(day - 1)
                    ),
                    "every day from the first to the last",
                    "add the days, or pass --gaps to take those there are",
                )
                .at(table.place(days[day].0, time)),
            );
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let mut values = vec![f64::NAN; span];
    for (day, (_, number)) in &days {
        values[(day - first) as usize] = *number;
    }
    Ok(Daily {
        first,
        values,
        name: table.columns[column].trim().to_string(),
        missing,
    })
}

impl Daily {
    /// Maxima of the calendar years. A year counts where nine tenths of its days have a value, or all where there are no
    /// gaps within the record; the others are left out and told.
    pub(super) fn annual_maxima(&self) -> Taken {
        let mut years: BTreeMap<i32, (usize, f64)> = BTreeMap::new();
        for (i, &v) in self.values.iter().enumerate() {
            let entry = years
                .entry(civil(self.first + i as i64).0)
                .or_insert((0, f64::NEG_INFINITY));
            if !v.is_nan() {
                *entry = (entry.0 + 1, entry.1.max(v));
            }
        }
        let days_of = |y: i32| (days(y + 1, 1, 1) - days(y, 1, 1)) as usize;
        let least = |y: i32| {
            if self.missing == 0 {
                days_of(y)
            } else {
                (days_of(y) * 9).div_ceil(10)
            }
        };
        let (kept, left): (Vec<_>, Vec<_>) = years.iter().partition(|(y, (n, _))| *n >= least(**y));
        Taken {
            values: kept.iter().map(|(y, (_, v))| (y.to_string(), *v)).collect(),
            years: kept.len() as f64,
            left_out: left.iter().map(|(y, _)| **y).collect(),
            missing: self.missing,
        }
    }

    /// Independent peaks; the years are the days with a value over 365.25.
    pub(super) fn peaks(&self, how: &Declustering) -> Taken {
        let found = peaks(&self.values, how);
        Taken {
            values: found
                .iter()
                .map(|p| (date_text(self.first + p.index as i64), p.value))
                .collect(),
            years: (self.values.len() - self.missing) as f64 / 365.25,
            left_out: Vec::new(),
            missing: self.missing,
        }
    }
}

/// A date as days from 1970-01-01: `1998-07-21`, `1998/7/21`, `1998.7.21`, `19980721`, `1998年7月21日`, also with a time
/// behind it.
fn parse_date(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.split(['T', ' ']).next()?;
    let (y, m, d) = if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        (
            text[..4].parse().ok()?,
            text[4..6].parse().ok()?,
            text[6..].parse().ok()?,
        )
    } else {
        let mut parts = text
            .trim_end_matches('日')
            .split(['-', '/', '.', '年', '月']);
        let date = (
            parts.next()?.parse().ok()?,
            parts.next()?.parse().ok()?,
            parts.next()?.parse().ok()?,
        );
        if parts.next().is_some() {
            return None;
        }
        date
    };
    let (y, m, d): (i32, u32, u32) = (y, m, d);
    let day = ((1..=9999).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d))
        .then(|| days(y, m, d))?;
    (civil(day) == (y, m, d)).then_some(day)
}

fn date_text(day: i64) -> String {
    let (y, m, d) = civil(day);
    format!("{y:04}-{m:02}-{d:02}")
}

/// Days from 1970-01-01 of a Gregorian date: years begin in March, so that the leap day ends them.
fn days(y: i32, m: u32, d: u32) -> i64 {
    let y = i64::from(y) - i64::from(m <= 2);
    let era = y.div_euclid(400);
    let year = y.rem_euclid(400);
    let month = (i64::from(m) + 9) % 12;
    let day = (153 * month + 2) / 5 + i64::from(d) - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

/// The Gregorian date of a day from 1970-01-01.
fn civil(day: i64) -> (i32, u32, u32) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let d = (of_year - (153 * month + 2) / 5 + 1) as u32;
    let m = (if month < 10 { month + 3 } else { month - 9 }) as u32;
    ((era * 400 + year + i64::from(m <= 2)) as i32, m, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_by_hand() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        for text in [
            "2000-02-29",
            "2000/2/29",
            "20000229",
            "2000年2月29日",
            "2000-02-29T00:00:00",
        ] {
            assert_eq!(parse_date(text), Some(11_016), "{text}");
        }
        for text in [
            "1900-02-29",
            "2000-13-01",
            "2000-02",
            "abc",
            "2000-01-01-01",
            "",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for day in [-200_000, -1, 0, 59, 60, 11_015, 11_016, 100_000] {
            let (y, m, d) = civil(day);
            assert_eq!(days(y, m, d), day);
        }
        assert_eq!(date_text(-1), "1969-12-31");
    }

    #[test]
    fn spans_of_years() {
        assert_eq!(spans(&[1952, 1953, 1981]), "1952-1953, 1981");
        assert_eq!(spans(&[]), "");
    }

    fn faults(text: &str, kind: &str, gaps: bool) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("series.csv");
        std::fs::write(&path, text).unwrap();
        let error = match kind {
            "annual" => annual(&path, None, None, false, gaps).map(|_| ()),
            _ => daily(&path, None, None, gaps).map(|_| ()),
        };
        match error {
            Ok(()) => Vec::new(),
            Err(e) => e.faults().iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn bad_cells_are_named_together() {
        let found = faults(
            "year,q\n1950,12\n1951,-9\n1952,n/a\n1952,3\n1953,\nx,1\n1956,2\n",
            "annual",
            false,
        );
        let all = found.join("\n");
        for part in [
            "row 3, column q (B3): found -9",
            "found 1952, which stands in row 4, too",
            "row 6, column q (B6): found a blank cell",
            "row 7, column year (A7): found `x`",
            "no row for 1954-1955",
        ] {
            assert!(all.contains(part), "{part} not in\n{all}");
        }
        assert!(faults("year,q\n1950,12\n1953,4\n", "annual", true).is_empty());
        assert!(faults("year,q,h\n1950,12,3\n", "annual", true)[0].contains("--column"));
        let found = faults(
            "date,mm\n2000-01-01,1\n2000-01-03,2\n2000-01-03,2\n2000-02-30,1\n",
            "daily",
            false,
        );
        let all = found.join("\n");
        for part in [
            "no row for 2000-01-02 to 2000-01-02",
            "stands in row 3, too",
            "`2000-02-30`",
        ] {
            assert!(all.contains(part), "{part} not in\n{all}");
        }
    }

    #[test]
    fn incomplete_years_are_left_out() {
        let from = days(1999, 12, 30);
        let until = days(2001, 1, 2);
        let series = Daily {
            first: from,
            values: (from..until).map(|d| (d - from) as f64).collect(),
            name: "mm".into(),
            missing: 0,
        };
        let taken = series.annual_maxima();
        assert_eq!(taken.values, [("2000".to_string(), 367.0)]);
        assert_eq!(taken.left_out, [1999, 2001]);
    }
}
