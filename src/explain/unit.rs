//! Chains of a unit: the cells in it, their mean, and the grade of that mean among the units of its level.

use super::{Aggregation, Case, ChainTold, PlaceTold, Reason, fill, grade};
use crate::stages::risk::record::Unit;
use crate::stages::risk::sources::{self, Values};
use anlan_engine::grade::class_of;
use anlan_engine::io::{geotiff, table, vector};
use anlan_engine::{Error, Fault, Result};
use anlan_models::risk::{RulePack, score};
use std::collections::BTreeSet;

/// Cells told that add most to a unit.
const GREATEST: usize = 5;

/// Tells the chains of a unit.
pub(super) fn explain(case: &Case<'_>, code: &str) -> Result<(PlaceTold, Vec<ChainTold>)> {
    let unit = case
        .chains
        .units
        .iter()
        .find(|u| u.code == code)
        .ok_or_else(|| {
            Error::input(
                Fault::new(
                    "command line",
                    format!("`{code}`"),
                    "the code of a township, county, prefecture or province of the run",
                    "look the code up in risk/levels.csv",
                )
                .at("--unit"),
            )
        })?;
    let cells = cells_of(case, unit)?;
    let place = PlaceTold::Unit {
        level: unit.level.clone(),
        code: unit.code.clone(),
        name: unit.name.clone(),
        cells: cells.len(),
    };
    let mut chains = Vec::new();
    let mut values = Values::new(case.project, case.out, case.grid.cols, cells);
    if case.told.as_deref() != Some("all") {
        for &hazard in &case.hazards {
            let name = hazard.name();
            let (own, index, scores) = rows(case, &mut values, (name, "hazard"))?;
            if case.object == "hazard" {
                chains.push(joined(case, &mut values, unit, own, &index)?);
            } else {
                values.put("hazard-index", index);
                values.put("hazard-score", scores);
                let (told, index, _) = rows(case, &mut values, (name, case.object))?;
                chains.push(own);
                chains.push(joined(case, &mut values, unit, told, &index)?);
            }
            values.forget();
        }
    }
    if case.all {
        chains.extend(comprehensive(case, unit)?);
    }
    Ok((place, chains))
}

/// Cells of a unit, ascending.
fn cells_of(case: &Case<'_>, unit: &Unit) -> Result<Vec<u32>> {
    // Units of the lowest level below this one.
    let lowest = case.chains.units.first().map_or("", |u| u.level.as_str());
    let mut within: BTreeSet<&str> = [unit.code.as_str()].into();
    for _ in 0..4 {
        let below = case
            .chains
            .units
            .iter()
            .filter(|u| within.contains(u.parent.as_str()));
        let below: Vec<&str> = below.map(|u| u.code.as_str()).collect();
        within.extend(below);
    }
    let codes: BTreeSet<&str> = case
        .chains
        .units
        .iter()
        .filter(|u| u.level == lowest && within.contains(u.code.as_str()))
        .map(|u| u.code.as_str())
        .collect();
    let list = table::read(&case.out.join("layers/townships.csv"))?;
    let column = list.require("code")?;
    let own: Vec<bool> = list
        .rows
        .iter()
        .map(|r| codes.contains(r[column].to_string().as_str()))
        .collect();
    let units = vector::read(&case.out.join("layers/units.gpkg"))?;
    let column = units.require("code")?;
    let rest: Vec<bool> = units
        .features
        .iter()
        .map(|f| codes.contains(format!("{}000", f.values[column]).as_str()))
        .collect();
    let unit = geotiff::read_f32(&case.out.join("layers/unit.tif"), 1)?;
    let township = geotiff::read_f32(&case.out.join("layers/township.tif"), 1)?;
    Ok(unit
        .values()
        .iter()
        .zip(township.values())
        .enumerate()
        .filter(|(_, (u, t))| match (u.is_nan(), t.is_nan()) {
            (true, _) => false,
            (false, true) => rest[**u as usize],
            (false, false) => own[**t as usize],
        })
        .map(|(cell, _)| cell as u32)
        .collect())
}

/// A chain over the cells of the unit: told with means of the valid cells, and index and score of each cell.
fn rows(
    case: &Case<'_>,
    values: &mut Values<'_>,
    (hazard, object): (&str, &str),
) -> Result<(ChainTold, Vec<f64>, Vec<f64>)> {
    let chain = case.chain("cell", hazard, object)?;
    let (pack, _) = case.pack(chain)?;
    let mut told = case.told(chain)?;
    told.means = true;
    case.load(pack, values)?;
    let columns = pack
        .indicators
        .iter()
        .map(|i| values.get(&i.layer, i.return_period))
        .collect::<Result<Vec<_>>>()?;
    let n = values.cells().len();
    let (mut index, mut scores) = (vec![f64::NAN; n], vec![0.0; n]);
    let mut sums = vec![[0.0_f64; 3]; pack.indicators.len()];
    let mut factors = vec![[0.0_f64; 2]; told.factors.len()];
    let mut valid = 0.0;
    let mut raw = vec![0.0; columns.len()];
    for i in 0..n {
        for (r, c) in raw.iter_mut().zip(&columns) {
            *r = c[i];
        }
        if chain.fitted.invalid(pack, &raw).is_some() {
            continue;
        }
        let steps = chain.fitted.steps(pack, &raw);
        valid += 1.0;
        for (s, step) in sums.iter_mut().zip(&steps.indicators) {
            *s = [
                s[0] + step.raw,
                s[1] + step.transformed,
                s[2] + step.normalised,
            ];
        }
        for (f, step) in factors.iter_mut().zip(&steps.factors) {
            *f = [f[0] + step.index, f[1] + step.rescaled];
        }
        index[i] = steps.index;
        scores[i] = score(steps.grade, pack.classes());
    }
    if valid > 0.0 {
        for (t, s) in told.indicators.iter_mut().zip(&sums) {
            t.raw = Some(s[0] / valid);
            t.transformed = Some(s[1] / valid);
            t.normalised = Some(s[2] / valid);
        }
        for (t, f) in told.factors.iter_mut().zip(&factors) {
            t.index = Some(f[0] / valid);
            t.rescaled = Some(f[1] / valid);
        }
    }
    Ok((told, index, scores))
}

/// The mean of the cells, and its grade among the units of the level.
fn joined(
    case: &Case<'_>,
    values: &mut Values<'_>,
    unit: &Unit,
    mut told: ChainTold,
    index: &[f64],
) -> Result<ChainTold> {
    let cell_chain = case.chain("cell", &told.hazard, &told.object)?;
    let (pack, _) = case.pack(cell_chain)?;
    let name = pack.units.weight.clone();
    let weights: Vec<f64> = if name == sources::AREA {
        let area = |&c: &u32| case.grid.cell_area_m2(c as usize / case.grid.cols) / 1e6;
        values.cells().iter().map(area).collect()
    } else {
        values.load(&name, None)?;
        values.get(&name, None)?.to_vec()
    };
    let (mut sum, mut all, mut valid) = (0.0, 0.0, 0);
    for (&v, &w) in index.iter().zip(&weights) {
        all += w;
        if !v.is_nan() {
            sum += v * w;
            valid += 1;
        }
    }
    let mut order: Vec<usize> = (0..index.len()).filter(|&i| !index[i].is_nan()).collect();
    order.sort_by(|&a, &b| {
        (index[b] * weights[b])
            .total_cmp(&(index[a] * weights[a]))
            .then(a.cmp(&b))
    });
    let greatest = order
        .iter()
        .take(GREATEST)
        .map(|&i| {
            let (row, col) = case.grid.row_col(values.cells()[i]);
            let share = if sum > 0.0 {
                index[i] * weights[i] / sum
            } else {
                0.0
            };
            [
                case.grid.x(col),
                case.grid.y(row),
                index[i],
                weights[i],
                share,
            ]
        })
        .collect();
    let mean = (all > 0.0).then(|| sum / all);
    told.level.clone_from(&unit.level);
    told.index = mean;
    let graded = case.chains.find(&unit.level, &told.hazard, &told.object);
    let (unit_pack, head) = match graded {
        Some(c) => {
            let (pack, head) = case.pack(c)?;
            (Some(pack), Some(head))
        }
        None => (None, None),
    };
    told.aggregation = Some(Aggregation {
        weight: name,
        cells: index.len(),
        valid_cells: valid,
        weight_sum: all,
        weighted_sum: sum,
        mean,
        greatest,
        pack: head.unwrap_or_else(|| told.pack.clone()),
    });
    match (graded, unit_pack, mean) {
        (Some(c), Some(pack), Some(mean)) => {
            told.grading = super::grading(pack);
            told.thresholds.clone_from(&c.fitted.thresholds);
            grade(&mut told, pack, class_of(mean, &c.fitted.thresholds));
        }
        (None, ..) => told.reason = Some(Reason::Alone),
        _ => {
            told.reason = Some(Reason::Absent(
                told.indicators
                    .first()
                    .map_or_else(String::new, |i| i.id.clone()),
            ))
        }
    }
    told.stored = stored(case, unit, &told.hazard, &told.object)?;
    Ok(told)
}

/// Grade that the table of the stage has.
fn stored(
    case: &Case<'_>,
    unit: &Unit,
    hazard: &str,
    object: &str,
) -> Result<Option<(String, u8)>> {
    let table = table::read(&case.out.join("risk/object_grades.csv"))?;
    let [code, level, h, o, g] =
        ["unit", "level", "hazard", "object", "grade"].map(|n| table.require(n));
    let (code, level, h, o, g) = (code?, level?, h?, o?, g?);
    Ok(table
        .rows
        .iter()
        .find(|r| {
            r[code].to_string() == unit.code
                && r[level].to_string() == unit.level
                && r[h].to_string() == hazard
                && r[o].to_string() == object
        })
        .and_then(|r| Some(("risk/object_grades.csv".to_string(), r[g].as_f64()? as u8))))
}

/// The methods of the comprehensive risk, from what the tables hold of the unit.
fn comprehensive(case: &Case<'_>, unit: &Unit) -> Result<Vec<ChainTold>> {
    let objects = table::read(&case.out.join("risk/object_grades.csv"))?;
    let methods = table::read(&case.out.join("risk/comprehensive.csv"))?;
    let of = |t: &table::Table, row: &[anlan_engine::io::Value], name: &str| -> Result<String> {
        Ok(row[t.require(name)?].to_string())
    };
    let mut raw: Vec<(String, f64)> = Vec::new();
    let classes = case
        .chains
        .packs
        .values()
        .find(|p| p.pack.id == "unit-risk")
        .map_or(4, |p| p.pack.classes());
    for row in &objects.rows {
        if of(&objects, row, "unit")? == unit.code
            && of(&objects, row, "level")? == unit.level
            && of(&objects, row, "object")? == "comprehensive"
        {
            let hazard = of(&objects, row, "hazard")?;
            let number = |name: &str| -> Result<f64> {
                Ok(row[objects.require(name)?].as_f64().unwrap_or(0.0))
            };
            raw.push((format!("{hazard}-risk-index"), number("index")?));
            raw.push((
                format!("{hazard}-risk-score"),
                score(number("grade")? as u8, classes),
            ));
        }
    }
    let mut grades = Vec::new();
    for row in &methods.rows {
        if of(&methods, row, "unit")? == unit.code && of(&methods, row, "level")? == unit.level {
            let method = of(&methods, row, "method")?;
            let index = row[methods.require("index")?].as_f64().unwrap_or(f64::NAN);
            let layer = match method.as_str() {
                "loss" => Some("aal-yuan"),
                "loss-per-gdp" => Some("aal-per-gdp-permille"),
                "loss-per-km2" => Some("aal-yuan-km2"),
                _ => None,
            };
            raw.extend(layer.map(|l| (l.to_string(), index)));
            grades.push((
                method,
                row[methods.require("grade")?].as_f64().unwrap_or(0.0) as u8,
            ));
        }
    }
    let mut out = Vec::new();
    for chain in case
        .chains
        .chains
        .iter()
        .filter(|c| c.level == unit.level && c.hazard == "all")
    {
        let mut told = case.told(chain)?;
        let (pack, _): (&RulePack, _) = case.pack(chain)?;
        let row: Vec<f64> = pack
            .indicators
            .iter()
            .map(|i| {
                raw.iter()
                    .find(|(n, _)| *n == i.layer)
                    .map_or(f64::NAN, |r| r.1)
            })
            .collect();
        for i in &mut told.indicators {
            let path = if i.layer.starts_with("aal-") {
                "losses/average_annual.csv"
            } else {
                "risk/object_grades.csv"
            };
            i.files = vec![super::FileTold {
                path: path.into(),
                part: unit.code.clone(),
                sha256: case.hash(path),
            }];
        }
        fill(&mut told, pack, &chain.fitted, &row);
        told.stored = grades
            .iter()
            .find(|(m, _)| *m == chain.object)
            .map(|(_, g)| ("risk/comprehensive.csv".to_string(), *g));
        out.push(told);
    }
    Ok(out)
}
