//! Tables of a case: values over time, rain of equal steps, stations.

use anlan_engine::io::table::{Table, read};
use anlan_engine::{Error, Fault, Result};
use anlan_models::flood::rainfall::Gauge;
use anlan_models::flood::solver::Series;
use std::path::Path;

const TIMES: [(&str, f64); 3] = [("time_s", 1.0), ("time_min", 60.0), ("time_h", 3600.0)];

/// Index of the column of time and its unit, s.
fn time_column(table: &Table) -> Result<(usize, f64)> {
    TIMES
        .iter()
        .find_map(|&(name, unit)| Some((table.column(name)?, unit)))
        .ok_or_else(|| {
            Error::input(Fault::new(
                &table.source,
                format!("columns {}", table.columns.join(", ")),
                "a column time_s, time_min or time_h",
                "name the column of time with its unit",
            ))
        })
}

/// Numbers of a column; NaN for blank cells where they are allowed.
fn numbers(table: &Table, column: usize, blanks: bool, faults: &mut Vec<Fault>) -> Vec<f64> {
    (0..table.rows.len())
        .map(|row| {
            let cell = &table.rows[row][column];
            if blanks && cell.is_null() {
                return f64::NAN;
            }
            match cell.as_f64() {
                Some(v) if v.is_finite() => v,
                _ => {
                    let found = if cell.is_null() {
                        "a blank cell".to_string()
                    } else {
                        format!("`{cell}`")
                    };
                    let remedy = "correct the value; units belong in the heading";
                    faults.push(
                        Fault::new(&table.source, found, "a number", remedy)
                            .at(table.place(row, column)),
                    );
                    f64::NAN
                }
            }
        })
        .collect()
}

/// Ascending times, s.
fn times(table: &Table, faults: &mut Vec<Fault>) -> Result<Vec<f64>> {
    let (column, unit) = time_column(table)?;
    let times: Vec<f64> = numbers(table, column, false, faults)
        .iter()
        .map(|t| t * unit)
        .collect();
    if let Some(row) = (1..times.len()).find(|&k| times[k] <= times[k - 1]) {
        faults.push(
            Fault::new(
                &table.source,
                format!("{} s after {} s", times[row], times[row - 1]),
                "times that ascend",
                "sort the rows, and remove those that stand twice",
            )
            .at(table.place(row, column)),
        );
    }
    Ok(times)
}

fn done<T>(value: T, faults: Vec<Fault>) -> Result<T> {
    if faults.is_empty() {
        Ok(value)
    } else {
        Err(Error::Input(faults))
    }
}

/// A series: the column of time, and the only other one.
pub(super) fn series(path: &Path) -> Result<Series> {
    let table = read(path)?;
    let mut faults = Vec::new();
    let times_s = times(&table, &mut faults)?;
    let time = time_column(&table)?.0;
    let others: Vec<usize> = (0..table.columns.len()).filter(|&c| c != time).collect();
    let [column] = others[..] else {
        return Err(Error::input(Fault::new(
            &table.source,
            format!("columns {}", table.columns.join(", ")),
            "one column of values beside the time",
            "keep one column of values in the table",
        )));
    };
    let values = numbers(&table, column, false, &mut faults);
    done(Series { times_s, values }, faults)
}

/// Length of the equal steps, s.
fn step(table: &Table, times_s: &[f64], faults: &mut Vec<Fault>) -> Result<f64> {
    let column = time_column(table)?.0;
    if times_s.len() < 2 {
        return Err(Error::input(Fault::new(
            &table.source,
            format!("{} rows", times_s.len()),
            "two rows or more",
            "give one row per step",
        )));
    }
    let step = times_s[1] - times_s[0];
    let uneven = (1..times_s.len())
        .find(|&k| (times_s[k] - times_s[k - 1] - step).abs() > 1e-6 * step.abs());
    if let (Some(row), true) = (uneven, faults.is_empty()) {
        faults.push(
            Fault::new(
                &table.source,
                format!("a step of {} s", times_s[row] - times_s[row - 1]),
                format!("equal steps of {step} s, as between the first two rows"),
                "fill in the missing rows, or bring the table to equal steps",
            )
            .at(table.place(row, column)),
        );
    }
    Ok(step)
}

fn not_negative(table: &Table, column: usize, values: &[f64], faults: &mut Vec<Fault>) {
    for (row, v) in values.iter().enumerate().filter(|(_, v)| **v < 0.0) {
        faults.push(
            Fault::new(
                &table.source,
                v.to_string(),
                "a depth of rain of 0 mm or more",
                "correct the value; a code for a missing value is none: leave the cell blank",
            )
            .at(table.place(row, column)),
        );
    }
}

/// Rain of equal steps that is the same everywhere: step, h, and depths, mm.
pub(super) fn rain(path: &Path) -> Result<(f64, Vec<f64>)> {
    let table = read(path)?;
    let mut faults = Vec::new();
    let times_s = times(&table, &mut faults)?;
    let step_s = step(&table, &times_s, &mut faults)?;
    let time = time_column(&table)?.0;
    let column = match (0..table.columns.len()).find(|&c| c != time) {
        Some(column) if table.columns.len() == 2 => column,
        _ => {
            return Err(Error::input(Fault::new(
                &table.source,
                format!("columns {}", table.columns.join(", ")),
                "one column of depths, mm, beside the time",
                "keep one column of values in the table; for several gauges take kind = \"gauges\"",
            )));
        }
    };
    let values = numbers(&table, column, false, &mut faults);
    not_negative(&table, column, &values, &mut faults);
    done((step_s / 3600.0, values), faults)
}

/// Gauges with their series: the step, h. The table of stations has `name`, `x`, `y`; that of rain a column per name.
pub(super) fn gauges(stations: &Path, rain: &Path) -> Result<(f64, Vec<Gauge>)> {
    let places = read(stations)?;
    let [name, x, y] = ["name", "x", "y"].map(|c| places.require(c));
    let (name, x, y) = (name?, x?, y?);
    let mut faults = Vec::new();
    let xs = numbers(&places, x, false, &mut faults);
    let ys = numbers(&places, y, false, &mut faults);
    let table = read(rain)?;
    let times_s = times(&table, &mut faults)?;
    let step_s = step(&table, &times_s, &mut faults)?;
    let mut gauges = Vec::new();
    for row in 0..places.rows.len() {
        let name = places.rows[row][name].to_string();
        let column = table.require(&name)?;
        let depth_mm = numbers(&table, column, true, &mut faults);
        not_negative(&table, column, &depth_mm, &mut faults);
        gauges.push(Gauge {
            name,
            x: xs[row],
            y: ys[row],
            depth_mm,
        });
    }
    done((step_s / 3600.0, gauges), faults)
}

/// Manning's n by class: columns `code` and `n`.
pub(super) fn roughness(path: &Path) -> Result<Vec<(u8, f32)>> {
    let table = read(path)?;
    let (code, n) = (table.require("code")?, table.require("n")?);
    let mut faults = Vec::new();
    let codes = numbers(&table, code, false, &mut faults);
    let ns = numbers(&table, n, false, &mut faults);
    for row in 0..codes.len() {
        let mut fault = |column: usize, found: f64, expected: &str| {
            let place = table.place(row, column);
            let remedy = "correct the value";
            let found = found.to_string();
            faults.push(Fault::new(&table.source, found, expected, remedy).at(place));
        };
        if !(0.0..=255.0).contains(&codes[row]) || codes[row].fract() != 0.0 {
            fault(code, codes[row], "a class from 0 to 255");
        }
        if codes[..row].contains(&codes[row]) {
            fault(code, codes[row], "one row per class");
        }
        if !(ns[row] > 0.0 && ns[row] <= 1.0) {
            fault(n, ns[row], "Manning's n above 0, at most 1");
        }
    }
    let rows = codes.iter().zip(&ns).map(|(&c, &n)| (c as u8, n as f32));
    done(rows.collect(), faults)
}
