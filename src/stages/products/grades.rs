//! Maps of grades: by cell for each hazard, by unit for each hazard and all of them.

use super::super::losses::scope_name;
use super::super::{Context, risk, store};
use super::Job;
use crate::map::{pack_legend, pack_note};
use anlan_engine::io::table;
use anlan_engine::{Crs, Projector, Raster, Result};
use anlan_models::cartography::{Colour, PointSymbol};
use anlan_models::hazard::Hazard;
use anlan_models::risk::RulePack;

/// Share of graded cells below which a map would show specks that nobody sees.
const SPECKS: f64 = 0.005;

/// All maps of grades.
pub(super) fn all(ctx: &Context<'_>, zh: bool) -> Result<Vec<Job>> {
    let packs = risk::packs(ctx)?;
    let mut out = Vec::new();
    for hazard in Hazard::ALL {
        let pack = packs.get(&risk::hazard_pack(ctx, hazard))?;
        let subject = if zh {
            pack.title_zh.clone() + "图"
        } else {
            pack.title_en.clone()
        };
        out.push(by_cell(
            ctx,
            zh,
            &format!("{}_hazard_grade", hazard.name()),
            subject,
            pack,
        )?);
        let pack = packs.get("risk")?;
        let subject = if zh {
            format!("{}{}图", disaster_zh(hazard), pack.title_zh)
        } else {
            format!("{} risk grade", hazard.name())
        };
        out.push(by_cell(
            ctx,
            zh,
            &format!("{}_risk_grade", hazard.name()),
            subject,
            pack,
        )?);
    }
    by_unit(ctx, zh, packs.get("unit-risk")?, &mut out)?;
    Ok(out)
}

/// Name of a hazard with 灾害 behind it, unless it says so itself.
fn disaster_zh(hazard: Hazard) -> String {
    let name = hazard.name_zh();
    if name.ends_with("灾害") || name.ends_with('灾') {
        name.to_string()
    } else {
        format!("{name}灾害")
    }
}

fn by_cell(
    ctx: &Context<'_>,
    zh: bool,
    file: &str,
    subject: String,
    pack: &RulePack,
) -> Result<Job> {
    let classes = store::classes(ctx, "risk", &format!("{file}.tif"))?;
    let graded = classes.values().iter().filter(|&&c| c > 0).count();
    let specks = (graded as f64) < SPECKS * classes.grid.cells() as f64;
    let mut notes = vec![pack_note(pack, zh)];
    if specks {
        notes.push(
            if zh {
                "图斑外扩2格以便辨读，面积按原图斑统计。"
            } else {
                "Patches are drawn two cells wider, to be seen; areas are those of the patches."
            }
            .into(),
        );
    }
    Ok(Job {
        file: file.to_string(),
        subject,
        legend_title: if zh { "等级" } else { "grade" }.into(),
        counted: Some(classes.clone()),
        classes: if specks { enlarged(&classes) } else { classes },
        legend: pack_legend(pack, zh),
        points: Vec::new(),
        notes,
        grades: true,
    })
}

/// Maps of the units' grades, with the depots on the comprehensive one.
fn by_unit(ctx: &Context<'_>, zh: bool, pack: &RulePack, jobs: &mut Vec<Job>) -> Result<()> {
    let unit = store::raster(ctx, "layers", "unit.tif")?;
    let grades = table::read(&store::existing(ctx, "risk", "grades.csv")?)?;
    let (code, scope_column, grade) = (
        grades.require("unit")?,
        grades.require("hazard")?,
        grades.require("grade")?,
    );
    let units = store::units(ctx)?;
    for scope in 0..5 {
        let of: Vec<u8> = units
            .iter()
            .map(|u| {
                grades
                    .rows
                    .iter()
                    .find(|r| {
                        r[code].to_string() == u.code
                            && r[scope_column].to_string() == scope_name(scope)
                    })
                    .and_then(|r| r[grade].as_f64())
                    .unwrap_or(0.0) as u8
            })
            .collect();
        let mut classes = Raster::filled(unit.grid, 0_u8).with_nodata(0);
        for (c, &u) in classes.values_mut().iter_mut().zip(unit.values()) {
            if !u.is_nan() {
                *c = of[u as usize];
            }
        }
        let hazard_zh = if scope == 0 {
            "自然灾害综合"
        } else {
            Hazard::ALL[scope - 1].name_zh()
        };
        jobs.push(Job {
            file: format!("unit_{}_grade", scope_name(scope)),
            subject: if zh {
                format!("{hazard_zh}{}图", pack.title_zh)
            } else {
                format!("{} {}", scope_name(scope), pack.title_en)
            },
            legend_title: if zh { "等级" } else { "grade" }.into(),
            counted: Some(classes.clone()),
            classes,
            legend: pack_legend(pack, zh),
            points: if scope == 0 {
                depot_points(ctx, zh)?
            } else {
                Vec::new()
            },
            notes: vec![pack_note(pack, zh)],
            // One colour over a whole unit needs no sheet of that unit.
            grades: false,
        });
    }
    Ok(())
}

/// Classes drawn two cells wider: each cell takes the first class (the highest) within two cells.
fn enlarged(classes: &Raster<u8>) -> Raster<u8> {
    let (rows, cols) = classes.grid.shape();
    let mut out = classes.clone();
    for ((row, col), &class) in classes.data.indexed_iter() {
        if class == 0 {
            continue;
        }
        for r in row.saturating_sub(2)..(row + 3).min(rows) {
            for c in col.saturating_sub(2)..(col + 3).min(cols) {
                let here = &mut out.data[(r, c)];
                if *here == 0 || class < *here {
                    *here = class;
                }
            }
        }
    }
    out
}

fn depot_points(ctx: &Context<'_>, zh: bool) -> Result<Vec<PointSymbol>> {
    let table = table::read(&store::existing(ctx, "layers", "depots.csv")?)?;
    let grid = store::grid(ctx)?;
    let projector = Projector::new(Crs::CGCS2000, grid.crs);
    let (lon, lat) = (table.require("lon")?, table.require("lat")?);
    Ok(vec![PointSymbol {
        points: table
            .rows
            .iter()
            .filter_map(|r| Some(projector.point(r[lon].as_f64()?, r[lat].as_f64()?)))
            .collect(),
        colour: Colour([20, 20, 20]),
        radius: 9.0,
        name: if zh {
            "救灾物资储备库"
        } else {
            "relief depot"
        }
        .into(),
    }])
}
