//! What a case names, read: tables as they stand, borders, rule files, accepted findings. All faults together.

use super::Given;
use super::file::{BorderEntry, QualityFile};
use anlan_engine::io::table::{self, read_raw};
use anlan_engine::io::{Value, vector};
use anlan_engine::{Crs, Error, Fault, Result};
use anlan_models::census::DivisionCode;
use anlan_models::census::quality::{
    Accepted, Border, Borders, Options, Region, RuleBook, TableInput,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Gathers the faults of one thing after another.
struct Faults(Vec<Fault>);

impl Faults {
    /// The value, or none where the input is at fault; other failures go on.
    fn take<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Input(more)) => {
                self.0.extend(more);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<(Given, Borders, Options)> {
    let file = QualityFile::read(path)?;
    let base = path.parent().unwrap_or_else(|| Path::new(""));
    let mut inputs = vec![path.to_path_buf()];
    let mut faults = Faults(Vec::new());
    let mut book = RuleBook::builtin();
    for rules in &file.rules {
        let rules = base.join(rules);
        let added = fs::read_to_string(&rules)
            .map_err(|e| Error::io("reading", &rules, e))
            .and_then(|text| book.add(&text, &rules));
        faults.take(added)?;
        inputs.push(rules);
    }
    let mut tables = Vec::new();
    let mut earlier = Vec::new();
    for entry in &file.table {
        let source = base.join(&entry.file);
        let sheet = faults.take(read_raw(&source, entry.sheet.as_deref()))?;
        known(&mut inputs, source);
        if let Some(old) = &entry.earlier {
            let source = base.join(old);
            if let Some(sheet) = faults.take(read_raw(&source, entry.earlier_sheet.as_deref()))? {
                earlier.push(TableInput {
                    kind: entry.kind.clone(),
                    name: entry.name.clone(),
                    sheet,
                    columns: entry.columns.clone(),
                    earlier_of: Some(tables.len()),
                });
            }
            known(&mut inputs, source);
        }
        tables.push(TableInput {
            kind: entry.kind.clone(),
            name: entry.name.clone(),
            sheet: sheet.unwrap_or_default(),
            columns: entry.columns.clone(),
            earlier_of: None,
        });
    }
    tables.extend(earlier);
    let mut borders = Borders::default();
    for entry in &file.borders {
        let source = base.join(&entry.file);
        faults.take(add_borders(&mut borders, entry, &source))?;
        known(&mut inputs, source);
    }
    if let Some(accepted) = &file.accepted {
        known(&mut inputs, base.join(accepted));
    }
    if !faults.0.is_empty() {
        return Err(Error::Input(faults.0));
    }
    let options = Options {
        region: Region {
            prefixes: file.region.clone(),
        },
        census: file.census(),
        severity: (file.severity.iter())
            .map(|(rule, s)| (rule.clone(), s.severity()))
            .collect(),
        accepted: Vec::new(),
    };
    let given = Given {
        file,
        tables,
        book,
        inputs,
    };
    Ok((given, borders, options))
}

fn known(inputs: &mut Vec<PathBuf>, path: PathBuf) {
    if !inputs.contains(&path) {
        inputs.push(path);
    }
}

fn add_borders(borders: &mut Borders, entry: &BorderEntry, source: &Path) -> Result<()> {
    let (layer, _) = vector::read_noted(source, entry.layer.as_deref())?;
    let layer = layer.check_coordinates()?;
    let layer = match layer.crs.is_geographic() {
        true => layer,
        false => layer.reprojected(Crs::CGCS2000),
    };
    let code = layer.require(&entry.code)?;
    let name = layer.column(&entry.name);
    let mut faults = Vec::new();
    for (i, feature) in layer.features.iter().enumerate() {
        let parsed = DivisionCode::parse(&feature.values[code]);
        let Ok((code, _)) = parsed else {
            faults.push(
                Fault::new(
                    source,
                    format!("`{}`", feature.values[code]),
                    "a division code of 6, 9 or 12 digits",
                    "correct the code in the border file",
                )
                .at(format!("feature {}", i + 1)),
            );
            continue;
        };
        let Some(polygons) = layer.polygons(i) else {
            faults.push(
                Fault::new(
                    source,
                    "a shape that is no polygon",
                    "polygons",
                    "take the layer of areas",
                )
                .at(format!("feature {}", i + 1)),
            );
            continue;
        };
        let rings: Vec<Vec<(f64, f64)>> = polygons
            .iter()
            .flat_map(|p| std::iter::once(p.exterior()).chain(p.interiors()))
            .map(|ring| ring.coords().map(|c| (c.x, c.y)).collect::<Vec<_>>())
            .filter(|ring| !ring.is_empty())
            .collect();
        let name = name.map_or_else(String::new, |n| feature.values[n].to_string());
        let border = Border::new(code, name.trim().to_owned(), rings);
        match borders.units.entry(border.code.to_string()) {
            std::collections::btree_map::Entry::Vacant(e) => {
                e.insert(border);
            }
            // Parts of a unit as features of their own: one border.
            std::collections::btree_map::Entry::Occupied(mut e) => {
                let mut rings = std::mem::take(&mut e.get_mut().rings);
                rings.extend(border.rings);
                let (code, name) = (border.code, border.name);
                e.insert(Border::new(code, name, rings));
            }
        }
    }
    // Messages name the files that were searched.
    let own = source.file_name().unwrap_or_default().to_string_lossy();
    borders.file = match borders.file.as_os_str().is_empty() {
        true => own.into_owned().into(),
        false => format!("{} + {own}", borders.file.display()).into(),
    };
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::Input(faults)),
    }
}

/// The list of accepted findings.
pub(super) fn accepted(path: &Path, file: &QualityFile) -> Result<Vec<Accepted>> {
    let Some(name) = &file.accepted else {
        return Ok(Vec::new());
    };
    let base = path.parent().unwrap_or_else(|| Path::new(""));
    let list = table::read(&base.join(name))?;
    let column = |name: &str| list.require(name);
    let columns = [
        column("rule")?,
        column("table")?,
        column("key")?,
        column("field")?,
        column("reason")?,
    ];
    let mut faults = Vec::new();
    let mut out = Vec::new();
    for (i, row) in list.rows.iter().enumerate() {
        if row.iter().all(Value::is_null) {
            continue;
        }
        let [rule, table, key, field, reason] =
            columns.map(|c| row[c].to_string().trim().to_owned());
        if reason.is_empty() {
            faults.push(
                Fault::new(
                    &list.source,
                    "no reason",
                    "why the value is right",
                    "write who verified it and how",
                )
                .at(list.place(i, columns[4])),
            );
        }
        out.push(Accepted {
            rule,
            table,
            key,
            field,
            reason,
        });
    }
    match faults.is_empty() {
        true => Ok(out),
        false => Err(Error::Input(faults)),
    }
}
