//! `risk`: indices and grades per hazard, by cell and by unit, and the comprehensive grade.

use super::bilingual::bilingual;
use super::{Context, store};
use crate::manifest::Draft;
use anlan_engine::grade::{
    Normalisation, class_of, entropy_weights, mean_sigma, normalise, weighted_sum,
};
use anlan_engine::io::table::{self, Table, write_csv, write_xlsx};
use anlan_engine::io::vector::{Feature, Layer, write_gpkg};
use anlan_engine::io::{Value, geotiff};
use anlan_engine::{Error, Grid, Raster, Result};
use anlan_models::hazard::Hazard;
use anlan_models::risk::{RulePack, RulePacks, expected_annual, risk_index};
use std::path::{Path, PathBuf};

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let packs = packs(ctx)?;
    let grid = store::grid(ctx)?;
    let units = store::units(ctx)?;
    let ledger = store::ledger(ctx, grid, &units)?;
    let unit = store::raster(ctx, "layers", "unit.tif")?;
    let inside: Vec<bool> = unit.values().iter().map(|u| !u.is_nan()).collect();
    // Exposure: residents and GDP per cell, each min-max, half and half. Vulnerability: share of rooms in weak structures.
    let people = dense(
        &grid,
        ledger
            .rows
            .iter()
            .map(|r| (r.cell, f64::from(r.population))),
    );
    let gdp = dense(&grid, ledger.rows.iter().map(|r| (r.cell, r.gdp_yuan)));
    let root = |v: &[f64]| {
        normalise(
            &v.iter().map(|x| x.sqrt()).collect::<Vec<_>>(),
            Normalisation::MinMax,
        )
    };
    let exposure = weighted_sum(&[root(&people), root(&gdp)], &[0.5, 0.5]);
    let weak = dense(
        &grid,
        ledger.rows.iter().map(|r| {
            let all: u32 = r.rooms.iter().sum();
            let weak = f64::from(r.rooms[2]) + 0.5 * f64::from(r.rooms[1]);
            (r.cell, if all > 0 { weak / f64::from(all) } else { 0.5 })
        }),
    );
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
    let aal = AverageAnnual::read(&store::existing(ctx, "losses", "average_annual.csv")?)?;
    let unit_pack = packs.get("unit-risk")?;
    let risk_pack = packs.get("risk")?;
    let mut unit_risk: Vec<Vec<f64>> = Vec::new();
    let townships = Townships::read(ctx)?;
    let mut township_table = Table::new(&[
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
    for (n, hazard) in Hazard::ALL.into_iter().enumerate() {
        ctx.step(n as f64 / 5.0, hazard.name());
        let index = hazard_index(ctx, hazard, &inside)?;
        let pack = packs.get(&hazard_pack(ctx, hazard))?;
        let grades = raster_grades(&grid, &index, pack);
        write_index(
            ctx,
            draft,
            &format!("{}_hazard_index", hazard.name()),
            &grid,
            &index,
            pack,
        )?;
        write_grades(
            ctx,
            draft,
            &format!("{}_hazard_grade", hazard.name()),
            &grades,
            pack,
        )?;
        let risk = risk_index(&index, &exposure, &weak);
        write_index(
            ctx,
            draft,
            &format!("{}_risk_index", hazard.name()),
            &grid,
            &risk,
            risk_pack,
        )?;
        write_grades(
            ctx,
            draft,
            &format!("{}_risk_grade", hazard.name()),
            &raster_grades(&grid, &risk, risk_pack),
            risk_pack,
        )?;
        townships.grade(
            &mut township_table,
            hazard.name(),
            &risk,
            &people,
            unit_pack,
        );
        let mut means = Vec::new();
        let mut rows = Vec::new();
        for u in 0..units.len() {
            let of_cell = unit.values();
            let people = people.as_slice();
            let cells = || (0..of_cell.len()).filter(move |&i| of_cell[i] == u as f32);
            let weighted = |v: &[f64]| {
                let (sum, weight) = cells()
                    .filter(|&i| !v[i].is_nan())
                    .fold((0.0, 0.0), |(s, w), i| {
                        (s + v[i] * (people[i] + 1e-3), w + people[i] + 1e-3)
                    });
                if weight > 0.0 { sum / weight } else { f64::NAN }
            };
            let hazard_mean = weighted(&index);
            // A unit's risk counts every resident: those in cells without hazard carry none.
            let (risk_sum, all) = cells().fold((0.0, 0.0), |(s, w), i| {
                (
                    s + if risk[i].is_nan() {
                        0.0
                    } else {
                        risk[i] * people[i]
                    },
                    w + people[i],
                )
            });
            let risk_mean = if all > 0.0 { risk_sum / all } else { f64::NAN };
            means.push(risk_mean);
            rows.push((hazard_mean, weighted(&exposure), weighted(&weak), risk_mean));
        }
        let thresholds = unit_pack.grading.thresholds(&means);
        for (u, (h, e, v, r)) in rows.into_iter().enumerate() {
            push_unit(
                &mut table,
                &units[u],
                hazard.name(),
                [h, e, v, r],
                class_of(r, &thresholds),
                aal.get(&units[u].code, hazard.name()),
                unit_pack,
            );
        }
        unit_risk.push(means);
    }
    comprehensive(&units, &unit_risk, &aal, unit_pack, &mut table);
    write_csv(&draft.file("grades.csv")?, &table)?;
    write_csv(&draft.file("townships.csv")?, &township_table)?;
    write_xlsx(
        &draft.file("grades.xlsx")?,
        &[
            ("风险等级 grades", &bilingual(&table)),
            ("乡镇 townships", &bilingual(&township_table)),
            ("规则包 packs", &bilingual(&pack_table(&packs))),
        ],
    )?;
    write_gpkg(
        &draft.file("grades.gpkg")?,
        &[("grades", &grades_layer(&grid, &units, &table))],
    )
}

/// Name of the pack by which a hazard is graded. Rankings of the screening have packs of their own: no bounds of probability
/// or intensity fit them.
pub fn hazard_pack(ctx: &Context<'_>, hazard: Hazard) -> String {
    let ranked = ctx.project.project.screening && !super::losses::assessed(ctx, hazard);
    format!(
        "{}-{}",
        hazard.name(),
        if ranked { "screening" } else { "hazard" }
    )
}

/// Least relative difference within the region from which an intensity of convection tells places apart.
const LEAST_CONTRAST: f64 = 0.02;

/// The township cells that `layers` has left.
struct Townships {
    cells: Raster<f32>,
    list: Table,
}

impl Townships {
    fn read(ctx: &Context<'_>) -> Result<Self> {
        Ok(Townships {
            cells: store::raster(ctx, "layers", "township.tif")?,
            list: table::read(&store::existing(ctx, "layers", "townships.csv")?)?,
        })
    }

    /// Risk of each township: the mean over its residents, those in cells without hazard at 0; grades among all townships.
    fn grade(&self, out: &mut Table, hazard: &str, risk: &[f64], people: &[f64], pack: &RulePack) {
        let mut sums = vec![(0.0_f64, 0.0_f64); self.list.rows.len()];
        for ((&t, &risk), &people) in self.cells.values().iter().zip(risk).zip(people) {
            if !t.is_nan() && people > 0.0 {
                let sum = &mut sums[t as usize];
                sum.0 += if risk.is_nan() { 0.0 } else { risk * people };
                sum.1 += people;
            }
        }
        let means: Vec<f64> = sums.iter().map(|&(risk, people)| risk / people).collect();
        let known: Vec<f64> = means.iter().copied().filter(|m| !m.is_nan()).collect();
        let thresholds = pack.grading.thresholds(&known);
        for (row, &mean) in self.list.rows.iter().zip(&means) {
            let grade = if mean.is_nan() {
                0
            } else {
                class_of(mean, &thresholds)
            };
            let name = |zh: bool| match grade {
                0 => Value::Null,
                g => pack.name(g, zh).into(),
            };
            out.rows.push(vec![
                row[0].clone(),
                row[1].clone(),
                row[2].clone(),
                hazard.into(),
                if mean.is_nan() {
                    Value::Null
                } else {
                    mean.into()
                },
                i64::from(grade).into(),
                name(true),
                name(false),
                pack.id.clone().into(),
                pack.status.clone().into(),
                pack.hash().into(),
            ]);
        }
    }
}

/// The compiled-in packs with those of the project.
pub fn packs(ctx: &Context<'_>) -> Result<RulePacks> {
    let mut packs = RulePacks::builtin();
    for file in &ctx.project.risk.packs {
        let path = ctx
            .project_file
            .parent()
            .unwrap_or(Path::new(""))
            .join(file);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
        packs.extend(RulePacks::parse(&text, &path)?);
    }
    Ok(packs)
}

/// Comprehensive risk: the hazards' unit indices, each min-max, by entropy weights; grades by the unit pack.
fn comprehensive(
    units: &[store::UnitRow],
    risk: &[Vec<f64>],
    aal: &AverageAnnual,
    pack: &RulePack,
    table: &mut Table,
) {
    let columns: Vec<Vec<f64>> = risk
        .iter()
        .map(|v| {
            let known: Vec<f64> = v
                .iter()
                .map(|x| if x.is_nan() { 0.0 } else { *x })
                .collect();
            normalise(&known, Normalisation::MinMax)
        })
        .collect();
    let weights = if units.len() > 1 {
        entropy_weights(&columns)
    } else {
        vec![0.25; 4]
    };
    let index = weighted_sum(&columns, &weights);
    let thresholds = pack.grading.thresholds(&index);
    for (u, unit) in units.iter().enumerate() {
        let grade = class_of(index[u], &thresholds);
        push_unit(
            table,
            unit,
            "all",
            [f64::NAN, f64::NAN, f64::NAN, index[u]],
            grade,
            aal.get(&unit.code, "all"),
            pack,
        );
    }
}

fn push_unit(
    table: &mut Table,
    unit: &store::UnitRow,
    hazard: &str,
    index: [f64; 4],
    grade: u8,
    (mean, error): (f64, f64),
    pack: &RulePack,
) {
    let mut row: Vec<Value> = vec![
        unit.code.clone().into(),
        unit.name.clone().into(),
        hazard.into(),
    ];
    let number = |v: f64| {
        if v.is_nan() {
            Value::Null
        } else {
            Value::Real(v)
        }
    };
    row.extend(index.map(number));
    let name = |zh: bool| {
        if grade == 0 {
            Value::Null
        } else {
            pack.name(grade, zh).into()
        }
    };
    row.extend([
        Value::Integer(i64::from(grade)),
        name(true),
        name(false),
        number(mean),
        number(error),
        pack.id.clone().into(),
        pack.status.clone().into(),
        pack.hash().into(),
    ]);
    table.rows.push(row);
}

fn dense(grid: &Grid, rows: impl Iterator<Item = (u32, f64)>) -> Vec<f64> {
    let mut out = vec![0.0; grid.cells()];
    for (cell, value) in rows {
        out[cell as usize] += value;
    }
    out
}

/// Hazard index of each cell; NaN outside the units, 0 where there is no hazard.
fn hazard_index(ctx: &Context<'_>, hazard: Hazard, inside: &[bool]) -> Result<Vec<f64>> {
    let task = format!("hazard/{}", hazard.name());
    let periods = store::return_periods(ctx.project);
    let screening = ctx.project.project.screening;
    let values: Vec<f64> = match hazard {
        Hazard::Flood => {
            let rasters = periods
                .iter()
                .map(|&t| store::raster(ctx, &task, &store::rp_file("depth_m", t)))
                .collect::<Result<Vec<_>>>()?;
            expected_annual(periods, &rasters, true)
                .values()
                .iter()
                .map(|&v| f64::from(v))
                .collect()
        }
        Hazard::Convection => {
            let period = *periods.iter().rfind(|&&t| t <= 50.0).unwrap_or(&periods[0]);
            let columns = ["gust_m_s", "hail_mm", "rain_mm_h"]
                .iter()
                .map(|m| {
                    let raster = store::raster(ctx, &task, &store::rp_file(m, period))?;
                    let masked: Vec<f64> = raster
                        .values()
                        .iter()
                        .zip(inside)
                        .map(|(&v, &ok)| if ok { f64::from(v) } else { f64::NAN })
                        .collect();
                    let (low, high) = masked
                        .iter()
                        .filter(|v| !v.is_nan())
                        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| {
                            (a.min(v), b.max(v))
                        });
                    // Stretched to 0..1 a difference that nobody could measure would look like one that matters.
                    Ok(if high - low < LEAST_CONTRAST * high {
                        masked
                            .iter()
                            .map(|v| if v.is_nan() { f64::NAN } else { 0.5 })
                            .collect()
                    } else {
                        normalise(&masked, Normalisation::MinMax)
                    })
                })
                .collect::<Result<Vec<_>>>()?;
            weighted_sum(&columns, &entropy_weights(&columns))
        }
        Hazard::Geology if screening => {
            floats(&store::raster(ctx, &task, "susceptibility_index.tif")?)
        }
        Hazard::Fire if screening => floats(&store::raster(ctx, &task, "fire_danger_index.tif")?),
        Hazard::Geology => floats(&store::raster(ctx, &task, "annual_strike_probability.tif")?),
        Hazard::Fire => {
            let burn = store::raster(ctx, &task, "burn_probability.tif")?;
            let flame = store::raster(ctx, &task, "conditional_flame_m.tif")?;
            burn.values()
                .iter()
                .zip(flame.values())
                .map(|(&p, &f)| {
                    if p > 0.0 && f > 0.0 {
                        f64::from(p) * f64::from(f)
                    } else {
                        0.0
                    }
                })
                .collect()
        }
    };
    Ok(values
        .into_iter()
        .zip(inside)
        .map(|(v, &ok)| if ok { v } else { f64::NAN })
        .collect())
}

fn floats(raster: &Raster<f32>) -> Vec<f64> {
    raster.values().iter().map(|&v| f64::from(v)).collect()
}

/// Grades of the cells with any hazard; 0 elsewhere.
fn raster_grades(grid: &Grid, values: &[f64], pack: &RulePack) -> Raster<u8> {
    let struck: Vec<f64> = values
        .iter()
        .map(|&v| if v > 0.0 { v } else { f64::NAN })
        .collect();
    let grades = pack.grading.grade(&struck);
    let data = ndarray::Array2::from_shape_vec(grid.shape(), grades)
        .expect("one grade per cell of the grid");
    Raster::new(*grid, data).with_nodata(0)
}

fn pack_tags(
    ctx: &Context<'_>,
    name: &str,
    pack: &RulePack,
) -> std::collections::BTreeMap<String, String> {
    let mut tags = ctx.tags(name, "index");
    tags.insert("ANLAN_RULE_PACK".into(), pack.id.clone());
    tags.insert("ANLAN_RULE_PACK_HASH".into(), pack.hash());
    tags.insert("ANLAN_RULE_PACK_STATUS".into(), pack.status.clone());
    tags
}

fn write_index(
    ctx: &Context<'_>,
    draft: &Draft,
    name: &str,
    grid: &Grid,
    values: &[f64],
    pack: &RulePack,
) -> Result<()> {
    let data =
        ndarray::Array2::from_shape_vec(grid.shape(), values.iter().map(|&v| v as f32).collect())
            .expect("one value per cell of the grid");
    let mut tags = pack_tags(ctx, name, pack);
    let (mean, sigma) = mean_sigma(values);
    tags.insert("ANLAN_MEAN".into(), mean.to_string());
    tags.insert("ANLAN_SIGMA".into(), sigma.to_string());
    geotiff::write_f32(
        &draft.file(&format!("{name}.tif"))?,
        &Raster::new(*grid, data),
        &tags,
    )
}

fn write_grades(
    ctx: &Context<'_>,
    draft: &Draft,
    name: &str,
    grades: &Raster<u8>,
    pack: &RulePack,
) -> Result<()> {
    let mut colours = [[255; 3]; 256];
    for (k, c) in pack.colours.iter().enumerate() {
        colours[k + 1] = *c;
    }
    let mut tags = pack_tags(ctx, name, pack);
    for (k, n) in pack.names_zh.iter().enumerate() {
        tags.insert(format!("ANLAN_GRADE_{}", k + 1), n.clone());
    }
    geotiff::write_u8(
        &draft.file(&format!("{name}.tif"))?,
        grades,
        Some(&colours),
        &tags,
    )
}

fn pack_table(packs: &RulePacks) -> Table {
    let mut table = Table::new(&[
        "id", "title_zh", "title_en", "issuer", "year", "status", "hash", "source",
    ]);
    for p in &packs.pack {
        table.rows.push(vec![
            p.id.clone().into(),
            p.title_zh.clone().into(),
            p.title_en.clone().into(),
            p.issuer.clone().into(),
            i64::from(p.year).into(),
            p.status.clone().into(),
            p.hash().into(),
            p.source.clone().into(),
        ]);
    }
    table
}

/// One feature per unit with the grade of every hazard.
fn grades_layer(grid: &Grid, units: &[store::UnitRow], table: &Table) -> Layer {
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

/// Average annual losses by unit and hazard, from the `losses` task.
struct AverageAnnual(Vec<(String, String, f64, f64)>);

impl AverageAnnual {
    fn read(path: &Path) -> Result<Self> {
        let table = anlan_engine::io::table::read(path)?;
        Ok(AverageAnnual(
            table
                .rows
                .iter()
                .filter(|r| r[3].to_string() == "direct_loss_yuan")
                .map(|r| {
                    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
                    (
                        r[0].to_string(),
                        r[2].to_string(),
                        number(&r[4]),
                        number(&r[5]),
                    )
                })
                .collect(),
        ))
    }

    fn get(&self, unit: &str, hazard: &str) -> (f64, f64) {
        self.0
            .iter()
            .find(|r| r.0 == unit && r.1 == hazard)
            .map_or((f64::NAN, f64::NAN), |r| (r.2, r.3))
    }
}
