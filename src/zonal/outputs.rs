//! Tables of zonal statistics and the files that they go to.

use super::levels::{Unit, level_name};
use super::{Statistic, ZonalTableOptions};
use anlan_engine::io::parquet::{self, Column, ColumnData};
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::vector::{Feature, Layer, write_gpkg};
use anlan_engine::io::{Value, vector};
use anlan_engine::zonal::ZoneSums;
use anlan_engine::{Error, Fault, Result};
use geo::{Geometry, GeometryCollection};
use std::path::{Path, PathBuf};

/// Kind of the output file, by its ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    Xlsx,
    Parquet,
    Gpkg,
}

impl Form {
    pub fn of(path: &Path) -> Result<Form> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("csv") => Ok(Form::Csv),
            Some("xlsx") => Ok(Form::Xlsx),
            Some("parquet") => Ok(Form::Parquet),
            Some("gpkg") => Ok(Form::Gpkg),
            _ => Err(Error::input(Fault::new(
                path,
                "a file of another kind",
                ".csv, .xlsx, .parquet or .gpkg",
                "choose one of these endings for --out",
            ))),
        }
    }
}

/// What is to be written.
pub(super) struct Results<'a> {
    pub zones: &'a Layer,
    /// Columns of the zones that are kept, by index.
    pub kept: &'a [usize],
    pub sums: &'a [ZoneSums],
    pub units: &'a [Unit],
}

pub(super) fn write(results: &Results<'_>, options: &ZonalTableOptions) -> Result<()> {
    let form = Form::of(&options.out)?;
    let zh = options.zh && form == Form::Xlsx;
    let mut tables = vec![("zones", by_zone(results, options, zh))];
    if !results.units.is_empty() {
        tables.push(("levels", by_unit(results, options, zh)));
    }
    if options.classes {
        tables.push(("classes", by_class(results, zh)));
    }
    match form {
        Form::Xlsx => {
            let names = if zh {
                ["分区统计", "上级汇总", "分类面积"]
            } else {
                ["zones", "levels", "classes"]
            };
            let name = |kind: &str| match kind {
                "zones" => names[0],
                "levels" => names[1],
                _ => names[2],
            };
            let sheets: Vec<(&str, &Table)> = tables.iter().map(|(k, t)| (name(k), t)).collect();
            write_xlsx(&options.out, &sheets)
        }
        Form::Csv => each_file(&tables, &options.out, write_csv),
        Form::Parquet => each_file(&tables, &options.out, |path, table| {
            parquet::write(path, &columns(table))
        }),
        Form::Gpkg => {
            let layers: Vec<(&str, Layer)> = tables
                .into_iter()
                .map(|(name, table)| (name, layer(results.zones, table, name == "zones")))
                .collect();
            let layers: Vec<(&str, &Layer)> = layers.iter().map(|(n, l)| (*n, l)).collect();
            write_gpkg(&options.out, &layers)
        }
    }
}

/// Where a further table goes: `out_levels.csv` beside `out.csv`.
pub(super) fn beside(out: &Path, name: &str) -> PathBuf {
    let part = |p: Option<&std::ffi::OsStr>| {
        p.map(|p| p.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    out.with_file_name(format!(
        "{}_{name}.{}",
        part(out.file_stem()),
        part(out.extension())
    ))
}

/// Writes the first table last: where it stands, all are there.
fn each_file(
    tables: &[(&str, Table)],
    out: &Path,
    write: impl Fn(&Path, &Table) -> Result<()>,
) -> Result<()> {
    for (name, table) in tables[1..].iter() {
        write(&beside(out, name), table)?;
    }
    write(out, &tables[0].1)
}

fn by_zone(results: &Results<'_>, options: &ZonalTableOptions, zh: bool) -> Table {
    let mut table = Table::new(&[]);
    let names = results
        .kept
        .iter()
        .map(|&c| results.zones.columns[c].clone());
    table.columns = names.chain(headings(options, zh)).collect();
    for (feature, sums) in results.zones.features.iter().zip(results.sums) {
        let kept = results.kept.iter().map(|&c| feature.values[c].clone());
        let values = options.statistics.iter().map(|s| s.of(sums));
        table.rows.push(kept.chain(values).collect());
    }
    table
}

fn by_unit(results: &Results<'_>, options: &ZonalTableOptions, zh: bool) -> Table {
    let own = if zh {
        ["级别", "行政区划代码", "分区数"]
    } else {
        ["level", "code", "zones"]
    };
    let mut table = Table::new(&own);
    table.columns.extend(headings(options, zh));
    for unit in results.units {
        let mut row: Vec<Value> = vec![
            level_name(unit.code.level(), zh).into(),
            unit.code.as_str().into(),
            (unit.zones as i64).into(),
        ];
        row.extend(options.statistics.iter().map(|s| s.of(&unit.sums)));
        table.rows.push(row);
    }
    table
}

fn by_class(results: &Results<'_>, zh: bool) -> Table {
    let own = if zh {
        ["类别值", "像元数", "占比"]
    } else {
        ["value", "cells", "share"]
    };
    let mut table = Table::new(&[]);
    let names = results
        .kept
        .iter()
        .map(|&c| results.zones.columns[c].clone());
    table.columns = names.chain(own.map(String::from)).collect();
    for (feature, sums) in results.zones.features.iter().zip(results.sums) {
        let entries = sums.tally().map_or(&[][..], |t| t.entries());
        let whole: f64 = entries.iter().map(|e| e.1).sum();
        for &(value, cells) in entries {
            let mut row: Vec<Value> = results
                .kept
                .iter()
                .map(|&c| feature.values[c].clone())
                .collect();
            row.extend([
                Value::Real(f64::from(value)),
                cells.into(),
                (cells / whole).into(),
            ]);
            table.rows.push(row);
        }
    }
    table
}

fn headings(options: &ZonalTableOptions, zh: bool) -> impl Iterator<Item = String> + '_ {
    options
        .statistics
        .iter()
        .map(move |s: &Statistic| format!("{}{}", options.prefix, s.heading(zh)))
}

/// Whole numbers stay such; a column with a real or a blank among numbers is real, the blank NaN; all others are text.
fn columns(table: &Table) -> Vec<Column> {
    let data = |c: usize| {
        let values = || table.rows.iter().map(move |r| &r[c]);
        if values().all(|v| matches!(v, Value::Integer(_))) {
            let whole = |v: &Value| match v {
                Value::Integer(i) => *i,
                _ => 0,
            };
            ColumnData::I64(values().map(whole).collect())
        } else if values().all(|v| !matches!(v, Value::Text(_))) {
            ColumnData::F64(values().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect())
        } else {
            ColumnData::Text(values().map(Value::to_string).collect())
        }
    };
    table
        .columns
        .iter()
        .enumerate()
        .map(|(c, name)| Column::new(name, data(c)))
        .collect()
}

/// A table as a layer: with the shapes of the zones, or without shapes.
fn layer(zones: &Layer, table: Table, shapes: bool) -> vector::Layer {
    let shape = |i: usize| match zones.features.get(i) {
        Some(f) if shapes => f.geometry.clone(),
        _ => Geometry::GeometryCollection(GeometryCollection(Vec::new())),
    };
    Layer {
        source: zones.source.clone(),
        crs: zones.crs,
        columns: table.columns,
        features: table
            .rows
            .into_iter()
            .enumerate()
            .map(|(i, values)| Feature {
                geometry: shape(i),
                values,
            })
            .collect(),
    }
}
