//! `hazard/flood`: the storm library with its error, return-period maps, expected annual depth.

use super::{Context, hazard, models, screening, store};
use crate::manifest::Draft;
use anlan_engine::io::table::{self, Table, write_csv};
use anlan_engine::io::{Value, geotiff};
use anlan_engine::{Raster, Result};
use anlan_models::flood::hillslope::{HillslopeTerrain, Hillslopes};
use anlan_models::flood::interpolation::{InterpolationError, interpolation_errors};
use anlan_models::flood::library::{DRY_PERIOD, LibraryStorm, SparseField};
use anlan_models::flood::rain::RainPatterns;
use anlan_models::flood::rivers::{
    RiverTables, ValleyOptions, channels_below, open_diagonals, valley_mask,
};
use anlan_models::flood::runoff::Roughness;
use anlan_models::flood::solver::{ACTIVE, Case, Domain, Edge, SolverOptions, simulate};
use anlan_models::flood::stack::expected_annual_depth;
use anlan_models::weather::WeatherModel;

/// Bins of the hillslopes' travel times and of the hyetographs, h.
const BIN_H: f64 = 1.0 / 6.0;
/// Cells less deep are not kept in the library, m.
pub(super) const LEAST_DEPTH_M: f32 = 0.05;

/// Flood: the storm library and the return-period maps.
pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let weather = store::weather_model(ctx)?;
    let storms = if ctx.project.project.screening {
        screening::flood_library(ctx, &weather)?
    } else {
        simulated_library(ctx, draft, &weather)?
    };
    for storm in &storms {
        let name = format!(
            "library/d{:04}min_rp{:04}_{}_{}.bin",
            storm.duration_h * 60.0,
            storm.return_period,
            storm.pattern,
            storm.wetness.name()
        );
        storm.save(&draft.file(&name)?)?;
    }
    interpolation_error(ctx, draft, &storms)?;
    ctx.step(0.92, "return-period maps");
    let grid = store::grid(ctx)?;
    let all: Vec<u32> = (0..grid.cells() as u32).collect();
    let model = models::flood_model(ctx, &storms, &all, weather.idf())?;
    let mut stack = Vec::new();
    for &period in store::return_periods(ctx.project) {
        let mut depth = Raster::filled(grid, 0.0_f32);
        let mut velocity = Raster::filled(grid, 0.0_f32);
        for &duration in &ctx.project.flood.durations_h {
            let footprint = model.design_footprint(duration, period);
            for (i, &cell) in footprint.cells.iter().enumerate() {
                let d = &mut depth.values_mut()[cell as usize];
                *d = d.max(footprint.values[0][i]);
                let v = &mut velocity.values_mut()[cell as usize];
                *v = v.max(footprint.values[1][i]);
            }
        }
        hazard::write(ctx, draft, "depth_m", period, &depth, "m")?;
        // Screening knows depths only.
        if !ctx.project.project.screening {
            hazard::write(ctx, draft, "velocity_m_s", period, &velocity, "m/s")?;
        }
        stack.push(depth);
    }
    return_period_stack(ctx, draft, &stack)
}

/// The depths of all return periods as bands of one file, and the expected annual depth of them.
fn return_period_stack(ctx: &Context<'_>, draft: &Draft, stack: &[Raster<f32>]) -> Result<()> {
    let periods = store::return_periods(ctx.project);
    let years: Vec<String> = periods.iter().map(ToString::to_string).collect();
    let tags = |what: &str| {
        let mut tags = ctx.tags(what, "m");
        tags.insert("ANLAN_RETURN_PERIOD_YEARS".into(), years.join(" "));
        screening_method(ctx, &mut tags);
        tags
    };
    let names: Vec<String> = periods.iter().map(|t| format!("rp{t:04}")).collect();
    let bands: Vec<(&str, &Raster<f32>)> = names.iter().map(String::as_str).zip(stack).collect();
    geotiff::write_bands_f32(&draft.file(store::DEPTH_STACK)?, &bands, &tags("depth_m"))?;
    let expected = expected_annual_depth(stack, periods, DRY_PERIOD)?;
    let mut tags = tags("expected_annual_depth");
    tags.insert(
        "ANLAN_INTEGRAL".into(),
        format!(
            "greatest depth of a year over its annual exceedance probability, linear in the logarithm of the return period, 0 m at {DRY_PERIOD} years"
        ),
    );
    tags.insert(
        "ANLAN_TAIL".into(),
        format!(
            "band with_tail: rarer floods are as deep as that of {} years; band without_tail: they are left out",
            years.last().map_or("", String::as_str)
        ),
    );
    geotiff::write_bands_f32(
        &draft.file(store::EXPECTED_DEPTH)?,
        &[
            ("without_tail", &expected.without_tail_m),
            ("with_tail", &expected.with_tail_m),
        ],
        &tags,
    )
}

/// `interpolation_error.csv`: what interpolating between the return periods of the library costs.
fn interpolation_error(ctx: &Context<'_>, draft: &Draft, storms: &[LibraryStorm]) -> Result<()> {
    let grid = store::grid(ctx)?;
    let km2 = |cells: usize| cells as f64 * grid.dx * grid.dy / 1e6;
    let mut table = Table::new(&store::INTERPOLATION_COLUMNS);
    let errors = interpolation_errors(storms, DRY_PERIOD, LEAST_DEPTH_M)?;
    for e in &errors {
        let area = e.area_error().map(|a| 100.0 * a);
        table.rows.push(vec![
            e.duration_h.into(),
            e.pattern.as_str().into(),
            e.wetness.name().into(),
            e.return_period.into(),
            e.between.0.into(),
            e.between.1.into(),
            km2(e.wet_cells).into(),
            e.rmse_m.into(),
            e.bias_m.into(),
            km2(e.simulated_cells).into(),
            km2(e.interpolated_cells).into(),
            area.map_or(Value::Null, Value::Real),
        ]);
    }
    let range = |of: &dyn Fn(&InterpolationError) -> Option<f64>| {
        errors.iter().filter_map(of).fold(None, |r, v| {
            Some(r.map_or([v, v], |[low, high]: [f64; 2]| [low.min(v), high.max(v)]))
        })
    };
    for (name, [low, high]) in [
        ("interpolation_rmse_m", range(&|e| Some(e.rmse_m))),
        ("interpolation_bias_m", range(&|e| Some(e.bias_m))),
        (
            "interpolation_area_error_percent",
            range(&|e| e.area_error().map(|a| 100.0 * a)),
        ),
    ]
    .into_iter()
    .filter_map(|(name, r)| r.map(|r| (name, r)))
    {
        draft.state(name, vec![low, high]);
    }
    write_csv(&draft.file(store::INTERPOLATION_ERROR)?, &table)
}

/// Says that depths of a screening are no simulation.
pub(super) fn screening_method(
    ctx: &Context<'_>,
    tags: &mut std::collections::BTreeMap<String, String>,
) {
    if ctx.project.project.screening {
        let method = "screening: height above the drainage and rating curve";
        tags.insert("ANLAN_METHOD".into(), method.into());
    }
}

/// One run of the 2-D solver per duration, pattern, wetness and return period: point rain on the whole region, hillslopes
/// routed to the valleys. The reduction of rain over area is applied when a storm is looked up, by the drainage area of each channel.
fn simulated_library(
    ctx: &Context<'_>,
    draft: &Draft,
    weather: &WeatherModel,
) -> Result<Vec<LibraryStorm>> {
    let options = &ctx.project.flood;
    let filled = store::raster(ctx, "layers", "filled_m.tif")?;
    let accumulation = store::raster(ctx, "layers", "accumulation_cells.tif")?;
    let hand = store::raster(ctx, "layers", "hand_m.tif")?;
    let directions = store::classes(ctx, "layers", "flow_direction.tif")?;
    let cover = store::classes(ctx, "layers", "land_cover.tif")?;
    let (numbers, _) = models::curve_numbers(ctx)?;
    let valley = ValleyOptions {
        channel_km2: options.channel_km2,
        hand_m: options.valley_hand_m as f32,
    };
    let mut kind = valley_mask(&hand, &accumulation, &valley);
    for (k, z) in kind.values_mut().iter_mut().zip(filled.values()) {
        if z.is_nan() {
            *k = anlan_models::flood::solver::WALL;
        }
    }
    let bed = open_diagonals(&filled, &directions, &mut kind);
    let roughness = Roughness::published();
    let manning = cover.map(|c| roughness.of(c).map_or(roughness.channel_n, |r| r.manning_n));
    // What a channel holds below its banks floods nobody: it lies below the cells.
    let channels = channels_below(
        &directions,
        &accumulation,
        &kind,
        &RiverTables::published().geometry,
        options.channel_km2,
        roughness.channel_n,
    );
    let hillslopes = Hillslopes::new(
        &HillslopeTerrain {
            flow_direction: &directions,
            dem_m: &filled,
            cover: &cover,
            curve_number: &numbers,
            kind: &kind,
        },
        &roughness,
        BIN_H,
    )?;
    let active = kind.values().iter().filter(|&&k| k == ACTIVE).count();
    let mut ledger = Table::new(&[
        "duration_h",
        "return_period_years",
        "pattern",
        "wetness",
        "rain_mm",
        "effective_m3",
        "delivered_m3",
        "on_hillslopes_m3",
        "unrouted_m3",
        "inflow_m3",
        "outflow_m3",
        "stored_m3",
        "mass_error",
        "steps",
        "active_cells",
    ]);
    let shapes = RainPatterns::published();
    let mut cases = Vec::new();
    for &duration in &options.durations_h {
        for pattern in &options.patterns {
            for ground in &options.wetness {
                let of = |&period| (duration, pattern, ground.state, period);
                cases.extend(options.return_periods.iter().map(of));
            }
        }
    }
    let branched = options.patterns.len() * options.wetness.len() > 1;
    let mut storms = Vec::new();
    for &(duration, pattern, wetness, period) in &cases {
        let done = 0.05 + 0.85 * storms.len() as f64 / cases.len() as f64;
        let (shape, ground) = (pattern.name(), wetness.name());
        let mut note = format!("storm of {duration} h once in {period} years, {active} cells");
        if branched {
            note = format!("{note}; pattern {shape}, {ground} ground");
        }
        ctx.step(done, &note);
        // A storm that a killed run had finished is not simulated again.
        let row_file = draft.part(&format!("d{duration}_rp{period}_{shape}_{ground}.csv"))?;
        let storm_file = draft.part(&format!("d{duration}_rp{period}_{shape}_{ground}.bin"))?;
        if row_file.exists() && storm_file.exists() {
            ledger.rows.extend(table::read(&row_file)?.rows);
            storms.push(LibraryStorm::load(&storm_file)?);
            continue;
        }
        let depth_mm = weather.idf().depth_mm(duration, period);
        let curve = |h| weather.idf().depth_mm(h, period);
        let rain = pattern.hyetograph(&shapes, curve, duration, BIN_H);
        let end_h = duration + options.recession_h;
        let delivery = hillslopes.deliver(&rain, wetness, end_h)?;
        let inflows = [delivery.inflow];
        let case = Case {
            inflows: &inflows,
            channels: Some(&channels),
            ..Case::new(Domain {
                bed_m: &bed,
                manning_n: &manning,
                kind: &kind,
            })
        };
        let run = simulate(
            &case,
            &SolverOptions {
                end_s: end_h * 3600.0,
                edge: Edge::Free,
                ..SolverOptions::default()
            },
            &mut |seconds| {
                ctx.step(
                    done + 0.85 / cases.len() as f64 * seconds / (end_h * 3600.0),
                    &note,
                )
            },
        )?;
        let l = run.ledger;
        let mut row = Table::new(&[]);
        row.columns = ledger.columns.clone();
        row.rows.push(vec![
            duration.into(),
            period.into(),
            shape.into(),
            ground.into(),
            depth_mm.into(),
            delivery.effective_m3.into(),
            delivery.delivered_m3.into(),
            delivery.tail_m3.into(),
            delivery.unrouted_m3.into(),
            l.inflow_m3.into(),
            l.outflow_m3.into(),
            l.stored_m3.into(),
            l.error().into(),
            (run.steps as i64).into(),
            (active as i64).into(),
        ]);
        let storm = LibraryStorm {
            return_period: period,
            duration_h: duration,
            pattern: shape.to_string(),
            wetness,
            field: SparseField::from_run(&run, LEAST_DEPTH_M),
        };
        write_csv(&row_file, &row)?;
        storm.save(&storm_file)?;
        ledger.rows.extend(row.rows);
        storms.push(storm);
    }
    write_csv(&draft.file("water_balance.csv")?, &ledger)?;
    Ok(storms)
}
