//! Cells to units: the levels, their totals, and the grades of each level.

use super::super::{Context, store};
use super::cells::{Cells, HazardSums};
use super::record::{Chains, Unit};
use super::write;
use anlan_engine::grade::Grading;
use anlan_engine::io::Value;
use anlan_engine::io::table;
use anlan_engine::io::vector;
use anlan_engine::{Error, Grid, Result};
use anlan_models::census::{DivisionCode, Level};
use anlan_models::risk::levels::{Hierarchy, LevelUnits, level_name, means};
use anlan_models::risk::{Fitted, RulePack, RulePacks, evaluate};
use geo::MultiPolygon;
use std::collections::BTreeMap;

/// The levels with their borders.
pub struct Levels {
    pub hierarchy: Hierarchy,
    /// Index of the level of the project's units: townships lie below it.
    pub of_units: usize,
    /// Borders of each unit of each level.
    pub borders: Vec<Vec<MultiPolygon<f64>>>,
}

/// Cells of the units with the unit of the lowest level that each lies in.
pub struct Placed {
    pub cells: Vec<u32>,
    pub lowest: Vec<u32>,
    pub area_km2: Vec<f64>,
}

/// Townships, units and what lies above them up to the project's own level, and where the cells lie.
pub fn levels(
    ctx: &Context<'_>,
    grid: &Grid,
    units: &[store::UnitRow],
) -> Result<(Levels, Placed)> {
    let unit = store::raster(ctx, "layers", "unit.tif")?;
    let township = store::raster(ctx, "layers", "township.tif")?;
    let list = table::read(&store::existing(ctx, "layers", "townships.csv")?)?;
    let text =
        |row: &[Value], name: &str| -> Result<String> { Ok(row[list.require(name)?].to_string()) };
    let place: BTreeMap<&str, usize> = units
        .iter()
        .enumerate()
        .map(|(i, u)| (u.code.as_str(), i))
        .collect();
    let mut lowest_level = LevelUnits {
        level: Level::Township,
        codes: Vec::new(),
        names: Vec::new(),
        parent: Vec::new(),
    };
    for row in &list.rows {
        let parent = text(row, "unit")?;
        let Some(&parent) = place.get(parent.as_str()) else {
            return Err(Error::Failed(format!(
                "layers/townships.csv: unit {parent} is not known"
            )));
        };
        lowest_level.codes.push(text(row, "code")?);
        lowest_level.names.push(text(row, "name")?);
        lowest_level.parent.push(parent);
    }
    let mut placed = Placed {
        cells: Vec::new(),
        lowest: Vec::new(),
        area_km2: Vec::new(),
    };
    // Cells of a unit that no township claims make one of their own: totals must hold them.
    let mut rest: Vec<Option<u32>> = vec![None; units.len()];
    for (cell, (&u, &t)) in unit.values().iter().zip(township.values()).enumerate() {
        if u.is_nan() {
            continue;
        }
        let of = if t.is_nan() {
            *rest[u as usize].get_or_insert_with(|| {
                let home = &units[u as usize];
                lowest_level.codes.push(format!("{}000", home.code));
                lowest_level.names.push(format!("{}其余", home.name));
                lowest_level.parent.push(u as usize);
                lowest_level.codes.len() as u32 - 1
            })
        } else {
            t as u32
        };
        placed.cells.push(cell as u32);
        placed.lowest.push(of);
        placed
            .area_km2
            .push(grid.cell_area_m2(cell / grid.cols) / 1e6);
    }
    let mut hierarchy = vec![lowest_level];
    let code = |text: &str| {
        DivisionCode::parse(&Value::Text(text.into()))
            .map(|(c, _)| c)
            .map_err(|e| Error::Failed(format!("unit {text}: {e}")))
    };
    let own = code(&ctx.project.project.code)?;
    let above = named_borders(ctx, grid)?;
    let mut codes: Vec<DivisionCode> =
        units.iter().map(|u| code(&u.code)).collect::<Result<_>>()?;
    let mut names: Vec<String> = units.iter().map(|u| u.name.clone()).collect();
    let level_of =
        |codes: &[DivisionCode]| codes.first().map_or(Level::County, DivisionCode::level);
    if level_of(&codes) >= Level::Township {
        hierarchy[0].level = Level::Village;
    }
    loop {
        let level = level_of(&codes);
        let mut next: Vec<DivisionCode> = Vec::new();
        let mut parent = Vec::new();
        // Up to the project's own level: a province with one prefecture in it would tell nothing of the province.
        if level > own.level() {
            let parents: Vec<DivisionCode> =
                codes.iter().filter_map(DivisionCode::parent).collect();
            next = parents.clone();
            next.sort();
            next.dedup();
            parent = parents
                .iter()
                .map(|p| next.iter().position(|n| n == p).unwrap_or(0))
                .collect();
        }
        hierarchy.push(LevelUnits {
            level,
            codes: codes.iter().map(ToString::to_string).collect(),
            names,
            parent,
        });
        if next.is_empty() {
            break;
        }
        names = next
            .iter()
            .map(|c| match above.get(c.as_str()) {
                _ if *c == own => ctx.project.project.name.clone(),
                Some((name, _)) => name.clone(),
                None => c.to_string(),
            })
            .collect();
        codes = next;
    }
    let hierarchy = Hierarchy { levels: hierarchy };
    let borders = borders(grid, &hierarchy, &placed, units, &above);
    Ok((
        Levels {
            hierarchy,
            of_units: 1,
            borders,
        },
        placed,
    ))
}

/// Names and borders of the region's file, by code.
fn named_borders(
    ctx: &Context<'_>,
    grid: &Grid,
) -> Result<BTreeMap<String, (String, MultiPolygon<f64>)>> {
    let files = ctx.project.files(ctx.project_file);
    let Some((_, path)) = files.into_iter().find(|(n, _)| *n == "region") else {
        return Ok(BTreeMap::new());
    };
    let layer = vector::read(&path)?.reprojected(grid.crs);
    let (code, name) = (layer.require("code")?, layer.require("name")?);
    Ok(layer
        .features
        .iter()
        .enumerate()
        .filter_map(|(i, f)| {
            let border = layer.polygons(i)?;
            Some((
                f.values[code].to_string(),
                (f.values[name].to_string(), border),
            ))
        })
        .collect())
}

/// Borders as given, or along the sides of cells where none are.
fn borders(
    grid: &Grid,
    hierarchy: &Hierarchy,
    placed: &Placed,
    units: &[store::UnitRow],
    above: &BTreeMap<String, (String, MultiPolygon<f64>)>,
) -> Vec<Vec<MultiPolygon<f64>>> {
    let mut label = placed.lowest.clone();
    let mut all = Vec::new();
    for (k, level) in hierarchy.levels.iter().enumerate() {
        if k > 0 {
            let parent = &hierarchy.levels[k - 1].parent;
            for l in &mut label {
                *l = parent[*l as usize] as u32;
            }
        }
        all.push(if k == 1 {
            units.iter().map(|u| u.border.clone()).collect()
        } else if level.codes.iter().all(|c| above.contains_key(c)) {
            level.codes.iter().map(|c| above[c].1.clone()).collect()
        } else {
            write::borders(grid, &placed.cells, &label, level.codes.len())
        });
    }
    all
}

/// Counts and amounts that a unit holds.
pub const TOTALS: [(&str, &str, bool); 8] = [
    ("population", "population", true),
    ("households", "households", true),
    ("rooms", "rooms", true),
    ("floor_m2", "floor-m2", false),
    ("gdp_yuan", "gdp-yuan", false),
    ("crop_ha", "crop-ha", false),
    ("forest_ha", "forest-ha", false),
    ("road_m", "road-m", false),
];

/// Totals of every level: per column, per level, per unit. Counts are proved equal at every level.
///
/// # Errors
/// Counts that are not.
pub fn totals(levels: &Levels, cells: &mut Cells<'_>) -> Result<Vec<Vec<Vec<f64>>>> {
    let h = &levels.hierarchy;
    let mut all = Vec::new();
    for (name, layer, count) in TOTALS {
        cells.values.load(layer, None)?;
        let values = cells.values.get(layer, None)?;
        let mut lowest = vec![0.0_f64; cells.units];
        for (&u, v) in cells.lowest.iter().zip(values) {
            lowest[u as usize] += v;
        }
        if count {
            // Whole numbers below 2^53: exact in f64, and told as integers here.
            let whole: u64 = values.iter().map(|&v| v as u64).sum();
            let sums = h.counts(name, lowest.iter().map(|&v| v as u64).collect(), whole)?;
            all.push(
                sums.iter()
                    .map(|s| s.iter().map(|&v| v as f64).collect())
                    .collect(),
            );
        } else {
            all.push(h.sums(lowest));
        }
    }
    let mut lowest = vec![0.0; cells.units];
    for (&u, a) in cells.lowest.iter().zip(&cells.area_km2) {
        lowest[u as usize] += a;
    }
    all.push(h.sums(lowest));
    Ok(all)
}

/// Grades of the units of one level; 0 where there is no mean, or nothing to rank it against.
pub fn grade(pack: &RulePack, means: &[f64]) -> Result<(Vec<u8>, Option<Fitted>)> {
    let known = means.iter().filter(|m| !m.is_nan()).count();
    if known == 0 || (known < 2 && pack.grading.is_relative()) {
        return Ok((vec![0; means.len()], None));
    }
    let e = evaluate(pack, &[means])?;
    Ok((e.grade, Some(e.fitted)))
}

/// Index and grade of every unit of every level.
pub struct Graded {
    pub hazard: &'static str,
    pub object: &'static str,
    /// Pack of the cells.
    pub pack: RulePack,
    /// Pack of the units.
    pub unit_pack: RulePack,
    /// Per level, per unit.
    pub index: Vec<Vec<f64>>,
    pub grade: Vec<Vec<u8>>,
}

/// Grades of one hazard at every level: the hazard itself and its objects.
pub fn graded(
    levels: &Levels,
    packs: &RulePacks,
    sums: &HazardSums,
    chains: &mut Chains,
) -> Result<Vec<Graded>> {
    let mut out = Vec::new();
    let own = (("hazard", &sums.hazard_pack), &sums.by_area);
    let objects = sums.objects.iter().map(|o| ((o.object, &o.pack), &o.sums));
    for ((object, pack), lowest) in std::iter::once(own).chain(objects) {
        let unit_pack = packs.get(&pack.units.pack)?;
        let index = means(&levels.hierarchy, lowest);
        let mut grades = Vec::new();
        for (level, means) in levels.hierarchy.levels.iter().zip(&index) {
            let (of, fitted) = grade(unit_pack, means)?;
            if let Some(fitted) = fitted {
                let key = (level_name(level.level), sums.hazard.name(), object);
                chains.add(key, unit_pack, fitted, "");
            }
            grades.push(of);
        }
        out.push(Graded {
            hazard: sums.hazard.name(),
            object,
            pack: pack.clone(),
            unit_pack: unit_pack.clone(),
            index,
            grade: grades,
        });
    }
    Ok(out)
}

/// The units of all levels, for `chains.json`.
pub fn recorded(levels: &Levels) -> Vec<Unit> {
    let mut out = Vec::new();
    for (k, level) in levels.hierarchy.levels.iter().enumerate() {
        for (i, (code, name)) in level.codes.iter().zip(&level.names).enumerate() {
            let parent = level
                .parent
                .get(i)
                .map(|&p| levels.hierarchy.levels[k + 1].codes[p].clone());
            out.push(Unit {
                level: level_name(level.level).into(),
                code: code.clone(),
                name: name.clone(),
                parent: parent.unwrap_or_default(),
            });
        }
    }
    out
}

/// Average annual losses by unit and hazard, from the `losses` task.
pub struct AverageAnnual(BTreeMap<(String, String), (f64, f64)>);

impl AverageAnnual {
    pub fn read(ctx: &Context<'_>) -> Result<Self> {
        let table = table::read(&store::existing(ctx, "losses", "average_annual.csv")?)?;
        let money = table
            .rows
            .iter()
            .filter(|r| r[3].to_string() == "direct_loss_yuan");
        let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
        Ok(AverageAnnual(
            money
                .map(|r| {
                    (
                        (r[0].to_string(), r[2].to_string()),
                        (number(&r[4]), number(&r[5])),
                    )
                })
                .collect(),
        ))
    }

    /// Mean and standard error; NaN where the losses are not assessed.
    pub fn get(&self, unit: &str, hazard: &str) -> (f64, f64) {
        let key = (unit.to_string(), hazard.to_string());
        self.0.get(&key).copied().unwrap_or((f64::NAN, f64::NAN))
    }
}

/// A value of every unit of the lowest level from values of cells.
pub fn lowest_sums(cells: &Cells<'_>, values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; cells.units];
    for (&u, &v) in cells.lowest.iter().zip(values) {
        if !v.is_nan() {
            sums[u as usize] += v;
        }
    }
    sums
}

/// The pack in its scheme of so many grades, so that methods side by side have the same. A pack that has none stays as it
/// is, unless its grades are the scores of so many: then there is nothing to tell.
pub fn with_classes(pack: &RulePack, packs: &RulePacks, classes: usize) -> Option<RulePack> {
    let mut other = pack.clone();
    if pack.classes() == classes {
        return Some(other);
    }
    let scheme = pack.schemes.iter().find(|s| s.grading.classes() == classes);
    match scheme.map(|s| s.id.clone()) {
        Some(id) => other.select(&id, &packs.scheme).then_some(other),
        None => (!matches!(pack.grading, Grading::Matrix { .. })).then_some(other),
    }
}
