//! Comprehensive multi-hazard risk (多灾种综合风险): methods side by side by unit and by cell, and where they disagree.

use super::super::{Context, losses};
use super::cells::{Cells, HazardSums, run};
use super::record::Chains;
use super::tables::{grade_cells, number};
use super::units::{AverageAnnual, Graded, Levels, lowest_sums, with_classes};
use super::write;
use crate::manifest::Draft;
use anlan_engine::Result;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_models::hazard::Hazard;
use anlan_models::risk::agreement::{kendall_tau, weighted_kappa};
use anlan_models::risk::levels::level_name;
use anlan_models::risk::{RulePack, RulePacks, evaluate, score};

/// A method: its name in tables, its pack, and whether it can be told of cells.
struct Method {
    name: &'static str,
    zh: &'static str,
    pack: &'static str,
    cells: bool,
}

const METHODS: [Method; 7] = [
    Method {
        name: "weighted",
        zh: "熵权加权",
        pack: "comprehensive-weighted",
        cells: true,
    },
    Method {
        name: "expert",
        zh: "专家权重",
        pack: "comprehensive-expert",
        cells: true,
    },
    Method {
        name: "maximum",
        zh: "最大值",
        pack: "comprehensive-maximum",
        cells: true,
    },
    Method {
        name: "matrix",
        zh: "矩阵",
        pack: "comprehensive-matrix",
        cells: true,
    },
    Method {
        name: "loss",
        zh: "年均损失",
        pack: "comprehensive-loss",
        cells: true,
    },
    Method {
        name: "loss-per-gdp",
        zh: "年均损失占GDP",
        pack: "comprehensive-loss-gdp",
        cells: false,
    },
    Method {
        name: "loss-per-km2",
        zh: "单位面积年均损失",
        pack: "comprehensive-loss-area",
        cells: false,
    },
];

/// Grades of one method at every level.
pub struct Told {
    name: &'static str,
    zh: &'static str,
    pub pack: RulePack,
    pub index: Vec<Vec<f64>>,
    pub grade: Vec<Vec<u8>>,
}

/// Average annual loss of all hazards assessed of every unit: that of the table for the project's units, sums of it above
/// them, sums of cells below. Rain that floods and slides is one event of the simulation; nothing is counted twice.
fn losses_of(levels: &Levels, cells: &Cells<'_>, aal: &AverageAnnual) -> Result<Vec<Vec<f64>>> {
    let h = &levels.hierarchy;
    let mut all = h.sums(lowest_sums(cells, cells.values.get("aal-yuan", None)?));
    for k in levels.of_units..h.levels.len() {
        all[k] = if k == levels.of_units {
            h.levels[k]
                .codes
                .iter()
                .map(|c| aal.get(c, "all").0)
                .collect()
        } else {
            let mut sums = vec![0.0; h.levels[k].codes.len()];
            for (&p, v) in h.levels[k - 1].parent.iter().zip(&all[k - 1]) {
                sums[p] += v;
            }
            sums
        };
    }
    Ok(all)
}

/// The columns that the packs of the methods name, of the units of one level.
fn columns(
    graded: &[Graded],
    k: usize,
    loss: &[f64],
    gdp: &[f64],
    km2: &[f64],
) -> Vec<(String, Vec<f64>)> {
    let mut out = Vec::new();
    for g in graded.iter().filter(|g| g.object == "comprehensive") {
        // No hazard in a unit is no risk from it.
        let index = g.index[k]
            .iter()
            .map(|&v| if v.is_nan() { 0.0 } else { v })
            .collect();
        let classes = g.unit_pack.classes();
        let scores = g.grade[k].iter().map(|&c| score(c, classes)).collect();
        out.push((format!("{}-risk-index", g.hazard), index));
        out.push((format!("{}-risk-score", g.hazard), scores));
    }
    let per = |by: &[f64], scale: f64| -> Vec<f64> {
        loss.iter()
            .zip(by)
            .map(|(l, b)| if *b > 0.0 { scale * l / b } else { f64::NAN })
            .collect()
    };
    out.push(("aal-yuan".into(), loss.to_vec()));
    out.push(("aal-per-gdp-permille".into(), per(gdp, 1000.0)));
    out.push(("aal-yuan-km2".into(), per(km2, 1.0)));
    out
}

/// All methods at every level.
pub fn units(
    packs: &RulePacks,
    levels: &Levels,
    cells: &mut Cells<'_>,
    graded: &[Graded],
    totals: &[Vec<Vec<f64>>],
    aal: &AverageAnnual,
    chains: &mut Chains,
) -> Result<Vec<Told>> {
    cells.values.load("aal-yuan", None)?;
    let loss = losses_of(levels, cells, aal)?;
    let (gdp, km2) = (&totals[4], &totals[super::units::TOTALS.len()]);
    let classes = packs.get("unit-risk")?.classes();
    let mut out = Vec::new();
    for method in &METHODS {
        let Some(pack) = with_classes(packs.get(method.pack)?, packs, classes) else {
            continue;
        };
        let mut told = Told {
            name: method.name,
            zh: method.zh,
            pack,
            index: Vec::new(),
            grade: Vec::new(),
        };
        for (k, level) in levels.hierarchy.levels.iter().enumerate() {
            let all = columns(graded, k, &loss[k], &gdp[k], &km2[k]);
            let of: Vec<&[f64]> = told
                .pack
                .indicators
                .iter()
                .map(|i| {
                    all.iter()
                        .find(|(n, _)| *n == i.layer)
                        .map(|(_, v)| v.as_slice())
                        .ok_or_else(|| {
                            anlan_engine::Error::Failed(format!(
                                "pack {}: layer `{}` is not one of units",
                                told.pack.id, i.layer
                            ))
                        })
                })
                .collect::<Result<_>>()?;
            let e = evaluate(&told.pack, &of)?;
            // One unit alone is not ranked.
            let ranked = e.fitted.rows > 1 || !told.pack.grading.is_relative();
            let grade = if ranked {
                e.grade
            } else {
                vec![0; e.index.len()]
            };
            if ranked {
                let key = (level_name(level.level), "all", method.name);
                chains.add(key, &told.pack, e.fitted, "");
            }
            told.index.push(e.index);
            told.grade.push(grade);
        }
        out.push(told);
    }
    Ok(out)
}

/// The methods that can be told of cells, as rasters `comprehensive_METHOD_grade.tif`.
pub fn rasters(
    ctx: &Context<'_>,
    draft: &Draft,
    packs: &RulePacks,
    cells: &mut Cells<'_>,
    hazards: &mut [HazardSums],
    chains: &mut Chains,
) -> Result<()> {
    let Some(classes) = hazards.first().map(|h| h.classes) else {
        return Ok(());
    };
    let threatened: Vec<bool> = (0..cells.lowest.len())
        .map(|i| hazards.iter().any(|h| !h.index[i].is_nan()))
        .collect();
    let or_zero = |v: f64, any: bool| match (v.is_nan(), any) {
        (false, _) => v,
        (true, true) => 0.0,
        (true, false) => f64::NAN,
    };
    for h in hazards.iter_mut() {
        let name = h.hazard.name();
        let index = std::mem::take(&mut h.index);
        let index = index
            .iter()
            .zip(&threatened)
            .map(|(&v, &any)| or_zero(v, any));
        cells
            .values
            .put(&format!("{name}-risk-index"), index.collect());
        let scores = std::mem::take(&mut h.score);
        let scores = scores
            .iter()
            .zip(&threatened)
            .map(|(&s, &any)| if any { f64::from(s) } else { f64::NAN });
        cells
            .values
            .put(&format!("{name}-risk-score"), scores.collect());
    }
    for method in METHODS.iter().filter(|m| m.cells) {
        let Some(pack) = with_classes(packs.get(method.pack)?, packs, classes) else {
            continue;
        };
        let e = run(&pack, &mut cells.values)?;
        let raster = format!("comprehensive_{}_grade", method.name);
        write::grades(ctx, draft, cells, &raster, &e.grade, &pack)?;
        chains.add(("cell", "all", method.name), &pack, e.fitted, &raster);
    }
    Ok(())
}

/// `comprehensive.csv`: every unit of every level by every method.
pub fn table(ctx: &Context<'_>, levels: &Levels, told: &[Told]) -> Table {
    let held: Vec<&str> = Hazard::ALL
        .into_iter()
        .filter(|h| losses::assessed(ctx, *h))
        .map(Hazard::name)
        .collect();
    let mut table = Table::new(&[
        "unit",
        "name",
        "level",
        "method",
        "method_zh",
        "index",
        "grade",
        "grade_zh",
        "grade_en",
        "hazards",
        "pack",
        "status",
        "hash",
    ]);
    for t in told {
        let hazards = if t.name.starts_with("loss") {
            held.join("+")
        } else {
            Hazard::ALL.map(Hazard::name).join("+")
        };
        for (k, level) in levels.hierarchy.levels.iter().enumerate() {
            for i in 0..level.codes.len() {
                let mut row: Vec<Value> = vec![
                    level.codes[i].clone().into(),
                    level.names[i].clone().into(),
                    level_name(level.level).into(),
                    t.name.into(),
                    t.zh.into(),
                    number(t.index[k][i]),
                ];
                row.extend(grade_cells(&t.pack, t.grade[k][i]));
                row.extend([
                    hazards.clone().into(),
                    t.pack.id.clone().into(),
                    t.pack.status.clone().into(),
                    t.pack.hash().into(),
                ]);
                table.rows.push(row);
            }
        }
    }
    table
}

/// `agreement.csv`: each pair of methods at each level.
pub fn agreement(levels: &Levels, told: &[Told]) -> Table {
    let mut table = Table::new(&[
        "level",
        "method_a",
        "method_b",
        "units",
        "kendall_tau",
        "weighted_kappa",
        "same_grade",
        "one_apart",
        "two_or_more_apart",
    ]);
    for (k, level) in levels.hierarchy.levels.iter().enumerate() {
        for (i, a) in told.iter().enumerate() {
            for b in &told[i + 1..] {
                let both: Vec<usize> = (0..level.codes.len())
                    .filter(|&u| a.grade[k][u] > 0 && b.grade[k][u] > 0)
                    .collect();
                if both.len() < 2 {
                    continue;
                }
                let index = |t: &Told| both.iter().map(|&u| t.index[k][u]).collect::<Vec<f64>>();
                let classes = a.pack.classes().max(b.pack.classes());
                let apart = |d: std::ops::RangeInclusive<u8>| {
                    let n = both
                        .iter()
                        .filter(|&&u| d.contains(&a.grade[k][u].abs_diff(b.grade[k][u])))
                        .count();
                    Value::Integer(n as i64)
                };
                table.rows.push(vec![
                    level_name(level.level).into(),
                    a.name.into(),
                    b.name.into(),
                    Value::Integer(both.len() as i64),
                    number(kendall_tau(&index(a), &index(b))),
                    number(weighted_kappa(&a.grade[k], &b.grade[k], classes)),
                    apart(0..=0),
                    apart(1..=1),
                    apart(2..=u8::MAX),
                ]);
            }
        }
    }
    table
}

/// `disagreement.csv`: units whose grades lie two or more apart, with the grade of every method.
pub fn disagreement(levels: &Levels, told: &[Told]) -> Table {
    let mut columns: Vec<String> = ["level", "unit", "name", "spread", "highest", "lowest"]
        .map(String::from)
        .to_vec();
    columns.extend(
        told.iter()
            .map(|t| format!("grade_{}", t.name.replace('-', "_"))),
    );
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(&names);
    for (k, level) in levels.hierarchy.levels.iter().enumerate() {
        for u in 0..level.codes.len() {
            let grades: Vec<u8> = told.iter().map(|t| t.grade[k][u]).collect();
            let known = || grades.iter().copied().filter(|g| *g > 0);
            let (Some(high), Some(low)) = (known().min(), known().max()) else {
                continue;
            };
            if low - high < 2 {
                continue;
            }
            let which = |g: u8| -> Value {
                let of = told.iter().zip(&grades).filter(|(_, x)| **x == g);
                of.map(|(t, _)| t.zh).collect::<Vec<_>>().join("、").into()
            };
            let mut row: Vec<Value> = vec![
                level_name(level.level).into(),
                level.codes[u].clone().into(),
                level.names[u].clone().into(),
                i64::from(low - high).into(),
                which(high),
                which(low),
            ];
            row.extend(grades.iter().map(|&g| match g {
                0 => Value::Null,
                g => i64::from(g).into(),
            }));
            table.rows.push(row);
        }
    }
    table
}

/// The method that tables tell as `all`.
pub fn first(told: &[Told], packs: &RulePacks) -> Result<Graded> {
    let t = told.iter().find(|t| t.name == "weighted").ok_or_else(|| {
        anlan_engine::Error::Failed("the comprehensive risk has no weighted method".into())
    })?;
    let unit_pack = packs.get("unit-risk")?.clone();
    Ok(Graded {
        hazard: "all",
        object: "comprehensive",
        pack: t.pack.clone(),
        unit_pack,
        index: t.index.clone(),
        grade: t.grade.clone(),
    })
}
