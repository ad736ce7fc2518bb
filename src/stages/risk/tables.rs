//! Tables and layers of units: grades by object, township, unit and level.

use super::super::bilingual::bilingual;
use super::super::store;
use super::cells::HazardSums;
use super::units::{AverageAnnual, Graded, Levels, TOTALS};
use anlan_engine::Grid;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::io::vector::{Feature, Layer};
use anlan_models::risk::RulePack;
use anlan_models::risk::levels::{level_name, means};
use std::path::PathBuf;

/// A number, blank where unknown.
pub fn number(v: f64) -> Value {
    if v.is_nan() {
        Value::Null
    } else {
        Value::Real(v)
    }
}

/// Grade with its names; blank names for 0.
pub fn grade_cells(pack: &RulePack, grade: u8) -> [Value; 3] {
    let name = |zh| match grade {
        0 => Value::Null,
        g => pack.name(g, zh).into(),
    };
    [i64::from(grade).into(), name(true), name(false)]
}

fn pack_cells(pack: &RulePack) -> [Value; 3] {
    [
        pack.id.clone().into(),
        pack.status.clone().into(),
        pack.hash().into(),
    ]
}

/// `object_grades.csv`: every unit of every level, hazard and object.
pub fn object_table(levels: &Levels, graded: &[Graded]) -> Table {
    let mut table = Table::new(&[
        "unit",
        "name",
        "level",
        "hazard",
        "object",
        "index",
        "grade",
        "grade_zh",
        "grade_en",
        "pack",
        "status",
        "hash",
        "unit_pack",
        "unit_pack_hash",
    ]);
    for g in graded {
        for (k, level) in levels.hierarchy.levels.iter().enumerate() {
            for (i, (code, name)) in level.codes.iter().zip(&level.names).enumerate() {
                let mut row: Vec<Value> = vec![
                    code.clone().into(),
                    name.clone().into(),
                    level_name(level.level).into(),
                    g.hazard.into(),
                    g.object.into(),
                    number(g.index[k][i]),
                ];
                row.extend(grade_cells(&g.unit_pack, g.grade[k][i]));
                row.extend(pack_cells(&g.pack));
                row.extend([g.unit_pack.id.clone().into(), g.unit_pack.hash().into()]);
                table.rows.push(row);
            }
        }
    }
    table
}

/// `townships.csv`: the comprehensive risk of each hazard by township, as relief and lists read it.
pub fn township_table(levels: &Levels, graded: &[Graded]) -> Table {
    let mut table = Table::new(&[
        "township",
        "name",
        "unit",
        "hazard",
        "risk_index",
        "grade",
        "grade_zh",
        "grade_en",
        "rule_pack",
        "rule_pack_status",
        "rule_pack_hash",
    ]);
    let [lowest, above] = [&levels.hierarchy.levels[0], &levels.hierarchy.levels[1]];
    for g in graded.iter().filter(|g| g.object == "comprehensive") {
        for i in 0..lowest.codes.len() {
            let mut row: Vec<Value> = vec![
                lowest.codes[i].clone().into(),
                lowest.names[i].clone().into(),
                above.codes[lowest.parent[i]].clone().into(),
                g.hazard.into(),
                number(g.index[0][i]),
            ];
            row.extend(grade_cells(&g.unit_pack, g.grade[0][i]));
            row.extend(pack_cells(&g.unit_pack));
            table.rows.push(row);
        }
    }
    table
}

/// `grades.csv`: the project's units, hazard by hazard and all together.
pub fn unit_table(
    levels: &Levels,
    hazards: &[HazardSums],
    graded: &[Graded],
    all: &Graded,
    aal: &AverageAnnual,
) -> Table {
    let mut table = Table::new(&[
        "unit",
        "name",
        "hazard",
        "hazard_index",
        "exposure_index",
        "vulnerability_index",
        "risk_index",
        "grade",
        "grade_zh",
        "grade_en",
        "aal_yuan",
        "aal_standard_error",
        "rule_pack",
        "rule_pack_status",
        "rule_pack_hash",
    ]);
    let k = levels.of_units;
    let level = &levels.hierarchy.levels[k];
    let mut push = |g: &Graded, factors: Option<&[Vec<f64>]>| {
        for (i, (code, name)) in level.codes.iter().zip(&level.names).enumerate() {
            let mut row: Vec<Value> =
                vec![code.clone().into(), name.clone().into(), g.hazard.into()];
            match factors {
                Some(f) => row.extend(f.iter().map(|v| number(v[i]))),
                None => row.extend([Value::Null, Value::Null, Value::Null]),
            }
            row.push(number(g.index[k][i]));
            row.extend(grade_cells(&g.unit_pack, g.grade[k][i]));
            let (mean, error) = aal.get(code, g.hazard);
            row.extend([number(mean), number(error)]);
            row.extend(pack_cells(&g.unit_pack));
            table.rows.push(row);
        }
    };
    for sums in hazards {
        let main = graded
            .iter()
            .find(|g| g.hazard == sums.hazard.name() && g.object == "comprehensive");
        if let Some(main) = main {
            let factors: Vec<Vec<f64>> = sums
                .factors
                .iter()
                .map(|f| means(&levels.hierarchy, f).swap_remove(k))
                .collect();
            push(main, Some(&factors));
        }
    }
    push(all, None);
    table
}

/// `levels.csv`: what every unit of every level holds, with its grades side by side.
pub fn level_table(levels: &Levels, totals: &[Vec<Vec<f64>>], graded: &[&Graded]) -> Table {
    let mut columns: Vec<String> = ["level", "code", "name", "parent"]
        .map(String::from)
        .to_vec();
    columns.extend(TOTALS.iter().map(|t| t.0.to_string()));
    columns.push("area_km2".into());
    for g in graded {
        columns.push(format!("{}_risk_index", g.hazard));
        columns.push(format!("{}_grade", g.hazard));
        columns.push(format!("{}_grade_zh", g.hazard));
    }
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(&names);
    for (k, level) in levels.hierarchy.levels.iter().enumerate() {
        for i in 0..level.codes.len() {
            let parent = level
                .parent
                .get(i)
                .map(|&p| levels.hierarchy.levels[k + 1].codes[p].clone());
            let mut row: Vec<Value> = vec![
                level_name(level.level).into(),
                level.codes[i].clone().into(),
                level.names[i].clone().into(),
                parent.map_or(Value::Null, Into::into),
            ];
            for (column, total) in totals.iter().enumerate() {
                let v = total[k][i];
                row.push(match TOTALS.get(column) {
                    Some((_, _, true)) => Value::Integer(v as i64),
                    _ => v.into(),
                });
            }
            for g in graded {
                let [grade, zh, _] = grade_cells(&g.unit_pack, g.grade[k][i]);
                row.extend([number(g.index[k][i]), grade, zh]);
            }
            table.rows.push(row);
        }
    }
    table
}

/// One layer per level, with the rows of the table of levels.
pub fn level_layers(grid: &Grid, levels: &Levels, table: &Table) -> Vec<(String, Layer)> {
    levels
        .hierarchy
        .levels
        .iter()
        .zip(&levels.borders)
        .map(|(level, borders)| {
            let name = level_name(level.level);
            let rows = table.rows.iter().filter(|r| r[0].to_string() == name);
            let features = rows
                .zip(borders)
                .map(|(row, border)| Feature {
                    geometry: geo::Geometry::MultiPolygon(border.clone()),
                    values: row[1..].to_vec(),
                })
                .collect();
            let layer = Layer {
                source: PathBuf::new(),
                crs: grid.crs,
                columns: table.columns[1..].to_vec(),
                features,
            };
            (name.to_string(), layer)
        })
        .collect()
}

/// One feature per unit with the grade of every hazard.
pub fn grades_layer(grid: &Grid, units: &[store::UnitRow], table: &Table) -> Layer {
    let scopes = ["flood", "convection", "geology", "fire", "all"];
    let mut columns = vec!["code".to_string(), "name".to_string()];
    for s in scopes {
        columns.push(format!("{s}_risk_index"));
        columns.push(format!("{s}_grade"));
    }
    let find = |code: &str, scope: &str, column: usize| {
        table
            .rows
            .iter()
            .find(|r| r[0].to_string() == code && r[2].to_string() == scope)
            .map_or(Value::Null, |r| r[column].clone())
    };
    Layer {
        source: PathBuf::new(),
        crs: grid.crs,
        columns,
        features: units
            .iter()
            .map(|u| {
                let mut values = vec![Value::Text(u.code.clone()), Value::Text(u.name.clone())];
                for s in scopes {
                    values.push(find(&u.code, s, 6));
                    values.push(find(&u.code, s, 7));
                }
                Feature {
                    geometry: geo::Geometry::MultiPolygon(u.border.clone()),
                    values,
                }
            })
            .collect(),
    }
}

/// Tables of the workbook, with both names of their columns.
pub fn sheets(tables: &[(&str, &Table)]) -> Vec<(String, Table)> {
    tables
        .iter()
        .map(|(name, t)| ((*name).to_string(), bilingual(t)))
        .collect()
}
