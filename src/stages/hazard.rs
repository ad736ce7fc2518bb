//! `hazard/*` but flood: libraries, return-period maps, annual probabilities.

use super::{Context, flood, models, screening, store};
use crate::manifest::Draft;
use anlan_engine::io::geotiff;
use anlan_engine::io::table::{Table, write_csv};
use anlan_engine::resample::{Method, resample};
use anlan_engine::{ExceedanceCounter, Grid, Raster, Result};
use anlan_models::convection::{Activity, ConvectionModel, ConvectionParameters};
use anlan_models::fire::burn::FLAME_CLASS_TO_M;
use anlan_models::hazard::{Blocks, HazardModel, Sites};
use anlan_models::weather::WeatherModel;
use rayon::prelude::*;

/// A raster of one return period with its tags.
pub(super) fn write(
    ctx: &Context<'_>,
    draft: &Draft,
    measure: &str,
    period: f64,
    raster: &Raster<f32>,
    unit: &str,
) -> Result<()> {
    let mut tags = ctx.tags(measure, unit);
    tags.insert("ANLAN_RETURN_PERIOD_YEARS".into(), period.to_string());
    if measure == "depth_m" {
        flood::screening_method(ctx, &mut tags);
    }
    geotiff::write_f32(
        &draft.file(&store::rp_file(measure, period))?,
        raster,
        &tags,
    )
}

/// Years of the event set from which the typhoon part of the convection maps is counted.
const MAP_YEARS: u32 = 2000;
/// Every so many-th block each way is counted: one law holds at all of them.
const MAP_STEP: usize = 4;

/// Strong convection: return-period maps.
///
/// The gale and hail of swaths and the tornadoes have exceedance rates in closed form, the same at every point but for
/// the local activity. The gale of typhoons and hourly rain follow the storms of the weather, whose law is the same at
/// every point: they are counted over many points of the event set together, so that no map shows the chance of where
/// the simulated storms fell.
pub fn convection(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let weather = store::weather_model(ctx)?;
    let grid = store::grid(ctx)?;
    let parameters = models::convection_parameters(ctx)?;
    let activity = models::activity(ctx, &parameters)?;
    let coarse = Blocks::new(grid, parameters.block_m).grid;
    let mut points = Sites::all(coarse);
    points.cells.retain(|&cell| {
        let (row, col) = coarse.row_col(cell);
        row % MAP_STEP == MAP_STEP / 2 && col % MAP_STEP == MAP_STEP / 2
    });
    let model = |p: &ConvectionParameters, activity| {
        let seed = ctx.project.project.seed;
        ConvectionModel::new(p, &weather, points.clone(), None, activity, seed)
    };
    let closed = model(&parameters, activity.clone())?;
    let mut stormy = parameters.clone();
    stormy.gale.clear();
    stormy.hail.clear();
    let gust: Vec<f32> = (0..48).map(|i| 17.2 + 1.0 * i as f32).collect();
    let hail: Vec<f32> = (0..96).map(|i| 5.0 + 1.0 * i as f32).collect();
    let rain: Vec<f32> = (0..66).map(|i| 20.0 + 2.0 * i as f32).collect();
    let counters = count(
        ctx,
        &model(&stormy, Activity::uniform())?,
        &weather,
        &coarse,
        &[(0, gust.clone()), (3, rain.clone())],
    );
    let pooled = |counter: &ExceedanceCounter, k: usize| {
        let frequency = counter.yearly_frequency(k);
        let sum: f64 = points
            .cells
            .iter()
            .map(|&c| f64::from(frequency[c as usize]))
            .sum();
        // Years with one or more; as a rate.
        -libm::log1p(-(sum / points.cells.len() as f64).min(1.0 - 1e-9))
    };
    let typhoon: Vec<f64> = (0..gust.len()).map(|k| pooled(&counters[0], k)).collect();
    let hourly: Vec<f64> = (0..rain.len()).map(|k| pooled(&counters[1], k)).collect();
    let gale: Vec<f64> = gust
        .iter()
        .map(|&v| closed.gust_rate(f64::from(v)))
        .collect();
    let stones: Vec<f64> = hail
        .iter()
        .map(|&v| closed.hail_rate(f64::from(v)))
        .collect();
    let local = Raster::new(
        coarse,
        ndarray::Array2::from_shape_fn(coarse.shape(), |(row, col)| {
            activity.at((coarse.x(col), coarse.y(row))) as f32
        }),
    );
    let on_grid = |raster: &Raster<f32>| resample(raster, &grid, Method::Bilinear);
    for &period in store::return_periods(ctx.project) {
        let wanted = -libm::log1p(-1.0 / period);
        let gusts = local.map(|f| {
            let rate = |k: usize| f64::from(f) * gale[k] + typhoon[k];
            level(&gust, rate, wanted)
        });
        let stones = local.map(|f| level(&hail, |k| f64::from(f) * stones[k], wanted));
        let rains = local.map(|f| f * level(&rain, |k| hourly[k], wanted));
        for (name, unit, raster) in [
            ("gust_m_s", "m/s", gusts),
            ("hail_mm", "mm", stones),
            ("rain_mm_h", "mm/h", rains),
        ] {
            write(ctx, draft, name, period, &on_grid(&raster), unit)?;
        }
    }
    let strike_rate = closed.tornado_rate(0) as f32;
    let strikes = local.map(|f| f * strike_rate);
    geotiff::write_f32(
        &draft.file("tornado_strike_probability.tif")?,
        &on_grid(&strikes),
        &ctx.tags("tornado_strike_probability", "1/a"),
    )
}

/// The threshold that is reached at a rate, between thresholds linear in the logarithm of the rate; 0 where the first is
/// reached less often, the last where it is reached more often.
fn level(thresholds: &[f32], rate: impl Fn(usize) -> f64, wanted: f64) -> f32 {
    let Some(k) = (0..thresholds.len()).rposition(|k| rate(k) >= wanted) else {
        return 0.0;
    };
    if k + 1 == thresholds.len() {
        return thresholds[k];
    }
    let (high, low) = (libm::log(rate(k)), libm::log(rate(k + 1).max(1e-12)));
    let w = if high > low {
        (high - libm::log(wanted)) / (high - low)
    } else {
        0.0
    };
    thresholds[k] + (w as f32) * (thresholds[k + 1] - thresholds[k])
}

/// Threshold counts of several measures over the map years, in blocks of years that are merged in order.
fn count(
    ctx: &Context<'_>,
    model: &(dyn HazardModel + Sync),
    weather: &WeatherModel,
    grid: &Grid,
    measures: &[(usize, Vec<f32>)],
) -> Vec<ExceedanceCounter> {
    let new = || -> Vec<ExceedanceCounter> {
        measures
            .iter()
            .map(|(_, t)| ExceedanceCounter::new(grid.cells(), t))
            .collect()
    };
    let mut total = new();
    const BLOCK: u32 = 100;
    for block in 0..MAP_YEARS / BLOCK {
        ctx.step(f64::from(block * BLOCK) / f64::from(MAP_YEARS), "event set");
        let years: Vec<Vec<Vec<(u32, f32)>>> = (block * BLOCK..(block + 1) * BLOCK)
            .into_par_iter()
            .map(|y| {
                let incidents = model.year(&weather.year(y));
                measures
                    .iter()
                    .map(|&(column, _)| {
                        let mut all: Vec<(u32, f32)> = incidents
                            .iter()
                            .flat_map(|i| {
                                i.footprint
                                    .cells
                                    .iter()
                                    .copied()
                                    .zip(i.footprint.values[column].iter().copied())
                            })
                            .filter(|(_, v)| *v >= 0.0)
                            .collect();
                        all.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
                        all.dedup_by_key(|e| e.0);
                        all
                    })
                    .collect()
            })
            .collect();
        for year in years {
            for (counter, greatest) in total.iter_mut().zip(&year) {
                counter.book_year(greatest);
            }
        }
    }
    total
}

/// Geological hazards: annual probability that a slide starts in a cell, and that one strikes it.
pub fn geology(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let weather = store::weather_model(ctx)?;
    if ctx.project.project.screening {
        return screening::geology(ctx, draft);
    }
    ctx.step(0.1, "failure probabilities");
    let model = models::geology(ctx, &weather)?;
    ctx.step(0.7, "annual probability");
    let annual = model.annual_release_probability(&models::climate_years(&weather));
    geotiff::write_f32(
        &draft.file("annual_release_probability.tif")?,
        &annual,
        &ctx.tags("annual_release_probability", "1/a"),
    )?;
    let strike = model.annual_strike_probability(&annual);
    geotiff::write_f32(
        &draft.file("annual_strike_probability.tif")?,
        &strike,
        &ctx.tags("annual_strike_probability", "1/a"),
    )?;
    for &period in &ctx.project.geology.return_periods {
        // Intensity 1 where a slide strikes at least once in so many years.
        let struck = strike.map(|p| {
            if p.is_nan() {
                f32::NAN
            } else {
                f32::from(u8::from(f64::from(p) * period >= 1.0))
            }
        });
        write(ctx, draft, "landslide_intensity", period, &struck, "0 or 1")?;
    }
    let period = strike.map(|p| if p > 0.0 { 1.0 / p } else { f32::NAN });
    geotiff::write_f32(
        &draft.file("return_period_years.tif")?,
        &period,
        &ctx.tags("return_period_of_a_slide", "a"),
    )
}

/// Forest fire: annual burn probability, conditional flame length, flame-length classes.
pub fn fire(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let weather = store::weather_model(ctx)?;
    if ctx.project.project.screening {
        return screening::fire(ctx, draft, &weather);
    }
    ctx.step(0.1, "library of fires");
    let model = models::fire(ctx, &weather)?;
    ctx.step(0.8, "burn probability");
    let rates = model.library().burn_rates();
    let put = |name: &str, raster: &Raster<f32>, quantity: &str, unit: &str| {
        geotiff::write_f32(&draft.file(name)?, raster, &ctx.tags(quantity, unit))
    };
    put(
        "burn_probability.tif",
        &rates.annual_probability(),
        "annual_burn_probability",
        "1/a",
    )?;
    for class in 0..=FLAME_CLASS_TO_M.len() {
        put(
            &format!("burn_probability_flame_class_{}.tif", class + 1),
            &rates.class_probability(class),
            &flame_class_text(class),
            "1/a",
        )?;
    }
    put(
        "conditional_flame_m.tif",
        &rates.conditional_flame_m(),
        "conditional_flame_length",
        "m",
    )?;
    put(
        "relative_error.tif",
        &rates.relative_error(),
        "relative_sampling_error_of_burn_probability",
        "1",
    )?;
    for &period in &ctx.project.fire.return_periods {
        let flame = model.library().flame_at(period);
        write(ctx, draft, "flame_m", period, &flame, "m")?;
    }
    let mut table = Table::new(&[
        "class",
        "ignition_cell",
        "duration_h",
        "burned_cells",
        "rate_per_year",
    ]);
    for (i, fire) in model.library().fires.iter().enumerate() {
        table.rows.push(vec![
            (fire.class as i64 + 1).into(),
            i64::from(fire.ignition).into(),
            fire.duration_h.into(),
            (fire.footprint.len() as i64).into(),
            model.library().rate_per_year(i).into(),
        ]);
    }
    write_csv(&draft.file("library.csv")?, &table)
}

/// What a class of flame length means, for the tags of its raster.
fn flame_class_text(class: usize) -> String {
    let from = class.checked_sub(1).map_or(0.0, |i| FLAME_CLASS_TO_M[i]);
    match FLAME_CLASS_TO_M.get(class) {
        Some(to) => format!("annual_burn_probability_with_flames_of_{from}_to_{to}_m"),
        None => format!("annual_burn_probability_with_flames_above_{from}_m"),
    }
}
