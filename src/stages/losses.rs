//! `losses`: the year simulation, block by block, and its tables.

use super::bilingual::bilingual;
use super::{Context, models, store};
use crate::manifest::Draft;
use anlan_engine::io::parquet::{Column, ColumnData, write_blocks};
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::{Value, geotiff};
use anlan_engine::{Error, Fault, Raster, Result};
use anlan_models::census::Ledger;
use anlan_models::census::exposure::ExposureValues;
use anlan_models::convection::ConvectionModel;
use anlan_models::hazard::{Blocks, Hazard, HazardModel, Sites};
use anlan_models::simulation::run::METRICS;
use anlan_models::simulation::{
    BLOCK_YEARS, LossRow, Simulator, Totals, UnitLoss, annual_average, return_loss, run_block,
};
use anlan_models::vulnerability::{HazardDamage, VulnerabilityFile};
use anlan_models::weather::WeatherModel;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Blocks simulated at one time; bounds the memory, not the result.
const WINDOW: u32 = 8;

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let grid = store::grid(ctx)?;
    let units = store::units(ctx)?;
    let ledger = store::ledger(ctx, grid, &units)?;
    simulate(ctx, &ledger, None, |simulator, weather| {
        write_losses(ctx, draft, &units, simulator, weather)
    })
}

/// Calls `work` with the simulator of a project over a ledger, and its weather. Units of the ledger draw their damage as parts
/// of those in `draws_as`, where given ([`Simulator::drawing_as`]).
pub fn simulate<T>(
    ctx: &Context<'_>,
    ledger: &Ledger,
    draws_as: Option<Vec<u16>>,
    work: impl FnOnce(&Simulator<'_>, &WeatherModel) -> Result<T>,
) -> Result<T> {
    let grid = ledger.grid;
    let values = ExposureValues::builtin();
    let exposure = ledger.exposure(&values, ctx.project.losses.people)?;
    let mut cells = exposure.place.clone();
    cells.dedup();
    let weather = store::weather_model(ctx)?;
    ctx.step(0.01, "hazard models");
    let flood = models::flood(ctx, &cells, weather.idf())?;
    let parameters = models::convection_parameters(ctx)?;
    let blocks = Blocks::new(grid, parameters.block_m);
    let convection = ConvectionModel::new(
        &parameters,
        &weather,
        Sites {
            grid,
            cells: cells.clone(),
        },
        Some(blocks.holding(&cells)),
        models::activity(ctx, &parameters)?,
        ctx.project.project.seed,
    )?;
    let (mut geology, mut fire) = (None, None);
    if assessed(ctx, Hazard::Geology) {
        geology = Some(models::geology(ctx, &weather)?);
    }
    if assessed(ctx, Hazard::Fire) {
        fire = Some(models::fire(ctx, &weather)?);
    }
    for hazard in Hazard::ALL.into_iter().filter(|h| !assessed(ctx, *h)) {
        ctx.warn(&format!(
            "losses from {} are not assessed in screening",
            hazard.name()
        ));
    }
    let mut hazards: Vec<&dyn HazardModel> = vec![&flood, &convection];
    hazards.extend(geology.as_deref().map(|g| g as &dyn HazardModel));
    hazards.extend(fire.as_deref().map(|f| f as &dyn HazardModel));
    let (file, path) = vulnerability(ctx)?;
    let damage = Hazard::ALL
        .into_iter()
        .map(|h| HazardDamage::new(&file, &path, h))
        .collect::<Result<Vec<_>>>()?;
    let damage: [HazardDamage; 4] = damage
        .try_into()
        .map_err(|_| Error::Failed("four hazards have four sets of curves".into()))?;
    let mut simulator = Simulator::new(
        &exposure,
        &blocks,
        hazards,
        damage,
        ctx.project.project.seed,
        (values.economy.crop_yuan_ha, values.economy.forest_yuan_ha),
    );
    if let Some(units) = draws_as {
        simulator = simulator.drawing_as(units);
    }
    work(&simulator, &weather)
}

fn write_losses(
    ctx: &Context<'_>,
    draft: &Draft,
    units: &[store::UnitRow],
    simulator: &Simulator<'_>,
    weather: &WeatherModel,
) -> Result<()> {
    let grid = store::grid(ctx)?;
    let years = ctx.project.losses.years;
    let mut totals = Totals::new(years, units.len());
    let mut places = simulator.places();
    let blocks = years.div_ceil(BLOCK_YEARS);
    let mut next = 0;
    let mut ready: VecDeque<Vec<LossRow>> = VecDeque::new();
    write_blocks(
        &draft.file("event_loss.parquet")?,
        &event_columns(&[]),
        || {
            if ready.is_empty() && next < blocks {
                let end = (next + WINDOW).min(blocks);
                let results: Vec<_> = (next..end)
                    .into_par_iter()
                    .map(|b| {
                        let last = ((b + 1) * BLOCK_YEARS).min(years);
                        run_block(simulator, &|y| weather.year(y), b * BLOCK_YEARS..last)
                    })
                    .collect();
                for result in results {
                    totals.book(&result.rows);
                    places.add(&result.places);
                    ready.push_back(result.rows);
                }
                next = end;
                ctx.step(
                    0.05 + 0.9 * f64::from(next) / f64::from(blocks),
                    "simulated years",
                );
            }
            Ok(ready.pop_front().map(|rows| event_columns(&rows)))
        },
    )?;
    let mut cell_loss = Raster::filled(grid, f32::NAN);
    let (exposed, losses) = simulator.cell_losses(&places);
    for (&cell, loss) in exposed.iter().zip(losses) {
        cell_loss.values_mut()[cell as usize] = (loss / f64::from(years)) as f32;
    }
    geotiff::write_f32(
        &draft.file("aal_yuan.tif")?,
        &cell_loss,
        &ctx.tags("average_annual_loss", "yuan/a"),
    )?;
    write_years(ctx, draft, &totals, units)?;
    write_tables(ctx, draft, &totals, units)
}

/// True where losses from a hazard are simulated. Screening only ranks places by geological hazards and fire, so tables
/// hold no rows of those: an absence, not a loss of zero.
pub fn assessed(ctx: &Context<'_>, hazard: Hazard) -> bool {
    !ctx.project.project.screening || matches!(hazard, Hazard::Flood | Hazard::Convection)
}

/// Scopes of the tables: all hazards, then those assessed.
fn scopes(ctx: &Context<'_>) -> impl Iterator<Item = usize> {
    (0..5).filter(|&s| s == 0 || assessed(ctx, Hazard::ALL[s - 1]))
}

fn vulnerability(ctx: &Context<'_>) -> Result<(VulnerabilityFile, PathBuf)> {
    let Some(file) = &ctx.project.inputs.vulnerability else {
        return Ok((
            VulnerabilityFile::builtin(),
            PathBuf::from("vulnerability.toml"),
        ));
    };
    let path = ctx
        .project_file
        .parent()
        .unwrap_or(Path::new(""))
        .join(file);
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
    let parsed = toml::from_str(&text).map_err(|e| {
        Error::input(Fault::new(
            &path,
            e.message().to_string(),
            "a file of vulnerability curves",
            "compare with the compiled-in one",
        ))
    })?;
    Ok((parsed, path))
}

/// The event loss table (事件损失表): one row per incident and unit.
fn event_columns(rows: &[LossRow]) -> Vec<Column> {
    let mut columns = vec![
        Column::new(
            "year",
            ColumnData::U32(rows.iter().map(|r| r.year).collect()),
        ),
        Column::new(
            "day",
            ColumnData::U32(rows.iter().map(|r| u32::from(r.day)).collect()),
        ),
        Column::new(
            "hazard",
            ColumnData::U32(rows.iter().map(|r| u32::from(r.hazard)).collect()),
        ),
        Column::new(
            "event",
            ColumnData::U64(rows.iter().map(|r| r.event).collect()),
        ),
        Column::new(
            "cause",
            ColumnData::U64(rows.iter().map(|r| r.cause).collect()),
        ),
        Column::new(
            "unit",
            ColumnData::U32(rows.iter().map(|r| u32::from(r.unit)).collect()),
        ),
    ];
    for (k, name) in UnitLoss::COLUMNS.iter().enumerate() {
        columns.push(Column::new(
            name,
            ColumnData::F64(rows.iter().map(|r| r.loss.values()[k]).collect()),
        ));
    }
    columns
}

/// The year loss table (年损失表): sums of each year by unit, all hazards together and hazard by hazard.
fn write_years(
    ctx: &Context<'_>,
    draft: &Draft,
    totals: &Totals,
    units: &[store::UnitRow],
) -> Result<()> {
    let years = ctx.project.losses.years;
    let scopes: Vec<u32> = scopes(ctx).map(|s| s as u32).collect();
    let schema = |unit: u32, scope: u32| -> Vec<Column> {
        let n = years as usize;
        let mut columns = vec![
            Column::new("unit", ColumnData::U32(vec![unit; n])),
            Column::new("hazard", ColumnData::U32(vec![scope; n])),
            Column::new("year", ColumnData::U32((0..years).collect())),
        ];
        for (k, name) in METRICS.iter().enumerate() {
            columns.push(Column::new(
                name,
                ColumnData::F32(totals.sums(scope as usize, unit as usize, k).to_vec()),
            ));
        }
        columns
    };
    let mut keys = (0..=units.len() as u32).flat_map(|u| scopes.iter().map(move |&s| (u, s)));
    write_blocks(&draft.file("year_loss.parquet")?, &schema(0, 0), || {
        Ok(keys.next().map(|(u, s)| schema(u, s)))
    })
}

/// Names of the scopes: all hazards, then the four.
pub fn scope_name(scope: usize) -> &'static str {
    match scope {
        0 => "all",
        s => Hazard::ALL[s - 1].name(),
    }
}

fn write_tables(
    ctx: &Context<'_>,
    draft: &Draft,
    totals: &Totals,
    units: &[store::UnitRow],
) -> Result<()> {
    let mut aal = Table::new(&["unit", "name", "hazard", "metric", "mean", "standard_error"]);
    let mut curve = Table::new(&[
        "unit",
        "name",
        "hazard",
        "metric",
        "curve",
        "return_period_years",
        "value",
        "low_95",
        "high_95",
    ]);
    let mut indicators = Table::new(&[
        "unit",
        "name",
        "aal_per_gdp_permille",
        "probability_loss_above_1_percent_of_gdp",
        "burned_forest_permille",
        "burned_forest_permille_standard_error",
    ]);
    let region = totals.region();
    let gdp_all: f64 = units.iter().map(|u| u.gdp_yuan).sum();
    let forest_all: f64 = units.iter().map(|u| u.forest_ha).sum();
    for u in 0..=region {
        let (code, name, gdp, forest) = if u < region {
            (
                units[u].code.as_str(),
                units[u].name.as_str(),
                units[u].gdp_yuan,
                units[u].forest_ha,
            )
        } else {
            (
                ctx.project.project.code.as_str(),
                ctx.project.project.name.as_str(),
                gdp_all,
                forest_all,
            )
        };
        for scope in scopes(ctx) {
            for (k, metric) in METRICS.iter().enumerate() {
                let mean = annual_average(totals.sums(scope, u, k));
                let head = || -> Vec<anlan_engine::io::Value> {
                    vec![
                        code.into(),
                        name.into(),
                        scope_name(scope).into(),
                        (*metric).into(),
                    ]
                };
                let mut row = head();
                row.extend([mean.mean.into(), mean.standard_error.into()]);
                aal.rows.push(row);
                for (kind, series) in [
                    ("aep", totals.sums(scope, u, k)),
                    ("oep", totals.greatest(scope, u, k)),
                ] {
                    for r in return_loss(series, &ctx.project.losses.return_periods) {
                        let mut row = head();
                        row.extend([
                            kind.into(),
                            r.return_period.into(),
                            r.value.into(),
                            r.low.into(),
                            r.high.into(),
                        ]);
                        curve.rows.push(row);
                    }
                }
            }
        }
        let sums = totals.sums(0, u, 0);
        let above =
            sums.iter().filter(|&&s| f64::from(s) > 0.01 * gdp).count() as f64 / sums.len() as f64;
        let burned = annual_average(totals.sums(4, u, 4));
        let permille = |hectares: f64| {
            if assessed(ctx, Hazard::Fire) {
                Value::Real(1000.0 * hectares / forest.max(1.0))
            } else {
                Value::Null
            }
        };
        indicators.rows.push(vec![
            code.into(),
            name.into(),
            (1000.0 * annual_average(sums).mean / gdp.max(1.0)).into(),
            above.into(),
            permille(burned.mean),
            permille(burned.standard_error),
        ]);
    }
    write_csv(&draft.file("average_annual.csv")?, &aal)?;
    write_csv(&draft.file("exceedance.csv")?, &curve)?;
    write_csv(&draft.file("indicators.csv")?, &indicators)?;
    let hazards = coverage(ctx);
    write_csv(&draft.file("hazards.csv")?, &hazards)?;
    write_xlsx(
        &draft.file("losses.xlsx")?,
        &[
            ("年均损失 AAL", &bilingual(&aal)),
            ("超越概率 EP", &bilingual(&curve)),
            ("指标 KPI", &bilingual(&indicators)),
            ("灾种 hazards", &bilingual(&hazards)),
        ],
    )
}

/// Which hazards the losses hold.
fn coverage(ctx: &Context<'_>) -> Table {
    let mut table = Table::new(&["hazard", "hazard_zh", "losses", "losses_zh"]);
    for hazard in Hazard::ALL {
        let (text, zh) = if assessed(ctx, hazard) {
            ("assessed", "已评估")
        } else {
            ("not assessed in screening", "筛查中未评估")
        };
        table.rows.push(vec![
            hazard.name().into(),
            hazard.name_zh().into(),
            text.into(),
            zh.into(),
        ]);
    }
    table
}
