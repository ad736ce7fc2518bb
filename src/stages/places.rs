//! `hazard/places`: what each hazard does at the critical places (重点场所), for each return period.

use super::exposure_tables::both;
use super::{Context, store};
use crate::manifest::Draft;
use crate::project::Project;
use anlan_engine::io::Value;
use anlan_engine::io::table::{self, Table, write_csv, write_xlsx};
use anlan_engine::{Error, Result};
use anlan_models::census::places::{PlaceTable, at_places};
use anlan_models::hazard::Hazard;
use std::collections::BTreeMap;

/// Columns of a place that the result repeats.
const OWN: [&str; 9] = [
    "code",
    "name",
    "kind",
    "kind_zh",
    "unit",
    "township",
    "capacity",
    "capacity_counts",
    "provenance",
];

/// Places, and those of them with a grade of 1 or more with the people in them, of one kind in one unit.
#[derive(Default)]
struct Count {
    places: usize,
    reached: usize,
    capacity: f64,
}

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let places = table::read_list(&store::existing(ctx, "layers", "critical_places.csv")?)?;
    let own = OWN
        .iter()
        .map(|c| places.require(c))
        .collect::<Result<Vec<_>>>()?;
    let cell_at = places.require("cell")?;
    let cells = places
        .rows
        .iter()
        .map(|row| match &row[cell_at] {
            Value::Integer(cell) => u32::try_from(*cell).ok(),
            _ => None,
        })
        .collect::<Option<Vec<u32>>>()
        .ok_or_else(|| Error::Failed("critical_places.csv: a cell that is no number".into()))?;
    let kinds = PlaceTable::builtin();
    let mut columns: Vec<&str> = OWN.to_vec();
    columns.extend([
        "hazard",
        "hazard_zh",
        "measure",
        "measure_zh",
        "measure_unit",
        "return_period_years",
        "intensity",
        "grade",
        "status",
    ]);
    let mut all = Table::new(&columns);
    let mut summary = Table::new(&[
        "unit",
        "kind",
        "kind_zh",
        "hazard",
        "hazard_zh",
        "measure",
        "return_period_years",
        "places",
        "places_reached",
        "capacity_reached",
    ]);
    for measure in &kinds.measure {
        let Some(hazard) = Hazard::ALL.into_iter().find(|h| h.name() == measure.hazard) else {
            return Err(Error::Failed(format!(
                "hazard `{}` of the critical places is none",
                measure.hazard
            )));
        };
        // Screening ranks slides and fires and gives them no intensity.
        let ranked =
            ctx.project.project.screening && matches!(hazard, Hazard::Geology | Hazard::Fire);
        if ranked {
            continue;
        }
        for &period in periods(ctx.project, hazard) {
            let file = store::rp_file(&measure.name, period);
            let raster = store::raster(ctx, &format!("hazard/{}", hazard.name()), &file)?;
            let mut counts: BTreeMap<(String, String, String), Count> = BTreeMap::new();
            for (row, found) in places.rows.iter().zip(at_places(measure, &raster, &cells)) {
                let text = |k: usize| row[own[k]].to_string();
                let count = counts.entry((text(4), text(2), text(3))).or_default();
                count.places += 1;
                let (value, grade) = match found {
                    Some((v, g)) => (Value::Real(v), g),
                    None => (Value::Null, 0),
                };
                if grade > 0 {
                    count.reached += 1;
                    count.capacity += row[own[6]].as_f64().unwrap_or(0.0);
                }
                let mut out: Vec<Value> = own.iter().map(|&c| row[c].clone()).collect();
                out.extend([
                    hazard.name().into(),
                    hazard.name_zh().into(),
                    measure.name.clone().into(),
                    measure.name_zh.clone().into(),
                    measure.unit.clone().into(),
                    period.into(),
                    value,
                    Value::Integer(grade as i64),
                    kinds.status.clone().into(),
                ]);
                all.rows.push(out);
            }
            for ((unit, kind, kind_zh), c) in counts {
                summary.rows.push(vec![
                    unit.into(),
                    kind.into(),
                    kind_zh.into(),
                    hazard.name().into(),
                    hazard.name_zh().into(),
                    measure.name.clone().into(),
                    period.into(),
                    Value::Integer(c.places as i64),
                    Value::Integer(c.reached as i64),
                    c.capacity.into(),
                ]);
            }
        }
    }
    write_csv(&draft.file("place_hazard.csv")?, &all)?;
    write_csv(&draft.file("place_hazard_units.csv")?, &summary)?;
    // The workbook holds what a hazard reaches: the whole is in the CSV.
    let grade = all.require("grade")?;
    let mut reached = all.clone();
    reached
        .rows
        .retain(|row| row[grade].as_f64().is_some_and(|g| g > 0.0));
    write_xlsx(
        &draft.file("place_hazard.xlsx")?,
        &[
            ("受影响场所 reached", &both(&reached)),
            ("按单元 units", &both(&summary)),
        ],
    )
}

/// Return periods of the maps of a hazard.
fn periods(project: &Project, hazard: Hazard) -> &[f64] {
    match hazard {
        Hazard::Flood | Hazard::Convection => store::return_periods(project),
        Hazard::Geology => &project.geology.return_periods,
        Hazard::Fire => &project.fire.return_periods,
    }
}
