//! Zoning (区划) and priority prevention areas (重点防治区), from the risk of townships.

use super::cells::{Cells, HazardSums};
use super::tables::{grade_cells, number};
use super::units::{Graded, Levels, TOTALS, grade};
use super::write;
use anlan_engine::grade::{Normalisation, mean_sigma, normalise};
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::io::vector::{Feature, Layer};
use anlan_engine::{Grid, Result};
use anlan_models::hazard::Hazard;
use anlan_models::risk::RulePack;
use anlan_models::risk::priority::{PriorityRule, Threat};
use anlan_models::risk::zoning::{Places, ZoningRule, neighbours, zones};
use std::path::PathBuf;

fn known(v: &[f64]) -> Vec<f64> {
    v.iter()
        .map(|&x| if x.is_nan() { 0.0 } else { x })
        .collect()
}

/// Zones of like comprehensive risk: the table and the borders.
pub fn zoning(
    grid: &Grid,
    cells: &Cells<'_>,
    totals: &[Vec<Vec<f64>>],
    graded: &[Graded],
    all: &Graded,
) -> Result<(Table, Layer)> {
    let rule = ZoningRule::builtin();
    let n = cells.units;
    let risk: Vec<(&Graded, Vec<f64>)> = graded
        .iter()
        .filter(|g| g.object == "comprehensive")
        .map(|g| (g, known(&g.index[0])))
        .collect();
    // Each hazard in standard deviations of the townships: one that differs little there does not draw borders.
    let scaled: Vec<Vec<f64>> = risk
        .iter()
        .map(|(_, v)| normalise(v, Normalisation::ZScore))
        .collect();
    let features: Vec<Vec<f64>> = (0..n)
        .map(|t| scaled.iter().map(|c| c[t]).collect())
        .collect();
    let area = &totals[TOTALS.len()][0];
    let mut centres = vec![(0.0, 0.0, 0.0); n];
    for (&cell, &t) in cells.values.cells().iter().zip(&cells.lowest) {
        let (row, col) = grid.row_col(cell);
        let c = &mut centres[t as usize];
        *c = (c.0 + grid.x(col), c.1 + grid.y(row), c.2 + 1.0);
    }
    let centres: Vec<(f64, f64)> = centres
        .iter()
        .map(|c| (c.0 / f64::max(c.2, 1.0), c.1 / f64::max(c.2, 1.0)))
        .collect();
    let mut labels = vec![u32::MAX; grid.cells()];
    for (&cell, &t) in cells.values.cells().iter().zip(&cells.lowest) {
        labels[cell as usize] = t;
    }
    let found = zones(
        &Places {
            features: &features,
            area_km2: area,
            centres: &centres,
            neighbours: &neighbours(&labels, grid.cols),
        },
        &rule,
    );
    let of = |z: usize| -> Vec<usize> { (0..n).filter(|&t| found.zone[t] == z).collect() };
    let sum = |members: &[usize], v: &[f64]| members.iter().map(|&t| v[t]).sum::<f64>();
    let people = &totals[0][0];
    let mean = |members: &[usize], v: &[f64]| {
        let weight = sum(members, people);
        let total: f64 = members.iter().map(|&t| v[t] * people[t]).sum();
        if weight > 0.0 {
            total / weight
        } else {
            f64::NAN
        }
    };
    let comprehensive = known(&all.index[0]);
    let members: Vec<Vec<usize>> = (0..found.count).map(of).collect();
    let indices: Vec<f64> = members.iter().map(|m| mean(m, &comprehensive)).collect();
    let (grades, _) = grade(&all.unit_pack, &indices)?;
    let moments: Vec<(f64, f64)> = risk.iter().map(|(_, v)| mean_sigma(v)).collect();
    let mut columns: Vec<String> = [
        "zone",
        "name_zh",
        "name_en",
        "townships",
        "area_km2",
        "population",
        "gdp_yuan",
        "leading_hazards",
        "risk_index",
        "grade",
        "grade_zh",
        "grade_en",
    ]
    .map(String::from)
    .to_vec();
    columns.extend(risk.iter().map(|(g, _)| format!("{}_risk_index", g.hazard)));
    columns.extend(["explained_variance", "rule_status"].map(String::from));
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(&names);
    for (z, m) in members.iter().enumerate() {
        let mut leading: Vec<(f64, Hazard)> = Vec::new();
        for (k, (g, v)) in risk.iter().enumerate() {
            let above = m.iter().map(|&t| v[t]).sum::<f64>() / m.len() as f64 - moments[k].0;
            if moments[k].1 > 0.0 && above >= rule.leading_from * moments[k].1 {
                let hazard = Hazard::ALL.into_iter().find(|h| h.name() == g.hazard);
                leading.extend(hazard.map(|h| (above / moments[k].1, h)));
            }
        }
        leading.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let grade_of = |zh: bool| all.unit_pack.name(grades[z], zh).to_string();
        let name = |led: &str, plain: &str, zh: bool, names: Vec<&str>, and: &str| {
            let pattern = if leading.is_empty() { plain } else { led };
            pattern
                .replace("{hazards}", &names.join(and))
                .replace("{grade}", &grade_of(zh))
                .trim()
                .to_string()
        };
        let zh = leading.iter().map(|l| l.1.name_zh()).collect();
        let en: Vec<&str> = leading.iter().map(|l| l.1.name()).collect();
        let mut row: Vec<Value> = vec![
            format!("Z{:02}", z + 1).into(),
            name(&rule.name_zh, &rule.plain_zh, true, zh, "、").into(),
            name(&rule.name_en, &rule.plain_en, false, en.clone(), " and ").into(),
            Value::Integer(m.len() as i64),
            sum(m, area).into(),
            Value::Integer(sum(m, people) as i64),
            sum(m, &totals[4][0]).into(),
            en.join("+").into(),
            number(indices[z]),
        ];
        row.extend(grade_cells(&all.unit_pack, grades[z]));
        row.extend(risk.iter().map(|(_, v)| number(mean(m, v))));
        row.extend([found.explained.into(), rule.status.clone().into()]);
        table.rows.push(row);
    }
    let zone_of: Vec<u32> = cells
        .lowest
        .iter()
        .map(|&t| found.zone[t as usize] as u32)
        .collect();
    let borders = write::borders(grid, cells.values.cells(), &zone_of, found.count);
    let layer = Layer {
        source: PathBuf::new(),
        crs: grid.crs,
        columns: table.columns.clone(),
        features: table
            .rows
            .iter()
            .zip(borders)
            .map(|(row, border)| Feature {
                geometry: geo::Geometry::MultiPolygon(border),
                values: row.clone(),
            })
            .collect(),
    };
    Ok((table, layer))
}

/// `priority.csv`: each township in its class, with the reasons.
pub fn priority(
    levels: &Levels,
    totals: &[Vec<Vec<f64>>],
    hazards: &[HazardSums],
    graded: &[Graded],
    all: &Graded,
) -> Table {
    let rule = PriorityRule::builtin();
    let mut table = Table::new(&[
        "township",
        "name",
        "unit",
        "unit_name",
        "class",
        "class_zh",
        "class_en",
        "hazards",
        "reason_zh",
        "reason_en",
        "population",
        "people_at_risk",
        "comprehensive_grade",
        "flood_grade",
        "convection_grade",
        "geology_grade",
        "fire_grade",
        "rule_status",
    ]);
    let [lowest, above] = [&levels.hierarchy.levels[0], &levels.hierarchy.levels[1]];
    let grades = |hazard: &str| {
        graded
            .iter()
            .find(|g| g.hazard == hazard && g.object == "comprehensive")
            .map(|g| (&g.grade[0], &g.unit_pack))
    };
    for t in 0..lowest.codes.len() {
        let threat = Threat {
            all: all.grade[0][t],
            hazards: hazards
                .iter()
                .map(|h| {
                    let name = h.hazard.name();
                    let grade = grades(name).map_or(0, |(g, _)| g[t]);
                    (name, grade, h.people_at_risk[t])
                })
                .collect(),
        };
        let (class, why) = rule.classify(&threat);
        let class = &rule.class[class];
        let reason = |zh: bool| -> String {
            let told: Vec<String> = why
                .iter()
                .map(|&scope| {
                    let (grade, pack): (u8, &RulePack) = match grades(scope) {
                        Some((g, pack)) => (g[t], pack),
                        None => (threat.all, &all.unit_pack),
                    };
                    let hazard = Hazard::ALL.into_iter().find(|h| h.name() == scope);
                    match zh {
                        true => format!(
                            "{}{}",
                            hazard.map_or("综合", Hazard::name_zh),
                            pack.name(grade, true)
                        ),
                        false => format!(
                            "{} {}",
                            hazard.map_or("comprehensive", Hazard::name),
                            pack.name(grade, false)
                        ),
                    }
                })
                .collect();
            told.join(if zh { "、" } else { ", " })
        };
        let people = threat.hazards.iter().map(|h| h.2).fold(0.0, f64::max);
        let mut row: Vec<Value> = vec![
            lowest.codes[t].clone().into(),
            lowest.names[t].clone().into(),
            above.codes[lowest.parent[t]].clone().into(),
            above.names[lowest.parent[t]].clone().into(),
            class.id.clone().into(),
            class.name_zh.clone().into(),
            class.name_en.clone().into(),
            why.join("+").into(),
            reason(true).into(),
            reason(false).into(),
            Value::Integer(totals[0][0][t] as i64),
            Value::Integer(people as i64),
            i64::from(threat.all).into(),
        ];
        row.extend(
            threat
                .hazards
                .iter()
                .map(|h| Value::Integer(i64::from(h.1))),
        );
        row.push(rule.status.clone().into());
        table.rows.push(row);
    }
    table
}
