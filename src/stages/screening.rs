//! The hazards of a screening (筛查): flood by height above the drainage, slides and fire as rankings of places.

use super::flood::LEAST_DEPTH_M;
use super::{Context, models, store};
use crate::manifest::Draft;
use anlan_engine::io::geotiff;
use anlan_engine::resample::{Method, resample};
use anlan_engine::{Raster, Result};
use anlan_models::fire::behaviour::BehaviourOptions;
use anlan_models::fire::fuels::FuelTable;
use anlan_models::fire::landscape::{Canopy, Conditions};
use anlan_models::fire::screening::{DangerDays, flame_lengths, high_danger_day, high_danger_from};
use anlan_models::fire::season::SeasonConfig;
use anlan_models::flood::library::{LibraryStorm, SparseField};
use anlan_models::flood::rivers::RiverTables;
use anlan_models::flood::runoff::{Roughness, curve_number_for, effective_rain_mm};
use anlan_models::flood::screening::{
    Section, concentration_h, peak_discharge_m3_s, screening_depths,
};
use anlan_models::geology::screening::{
    ScreeningTable, percentile_rank, screening_index, terrain_susceptibility,
};
use anlan_models::weather::WeatherModel;
use rayon::prelude::*;

/// Screening: stage of each channel from the peak of its catchment by Manning's formula, depth from the height above it.
pub fn flood_library(ctx: &Context<'_>, weather: &WeatherModel) -> Result<Vec<LibraryStorm>> {
    let filled = store::raster(ctx, "layers", "filled_m.tif")?;
    let accumulation = store::raster(ctx, "layers", "accumulation_cells.tif")?;
    let hand = store::raster(ctx, "layers", "hand_m.tif")?;
    let directions = store::classes(ctx, "layers", "flow_direction.tif")?;
    let (numbers, _) = models::curve_numbers(ctx)?;
    let grid = filled.grid;
    let cell_km2 = grid.dx * grid.dy / 1e6;
    let drainage = models::drainage_cell(
        &directions,
        &accumulation,
        ctx.project.flood.channel_km2 / cell_km2,
    );
    let slope = models::channel_slope(&directions, &filled);
    let tables = RiverTables::published();
    let roughness = Roughness::published();
    let mean_cn = {
        let (sum, n) = numbers
            .values()
            .iter()
            .filter(|&&c| c > 0)
            .fold((0_u64, 0_u64), |(s, n), &c| (s + u64::from(c), n + 1));
        sum as f64 / n.max(1) as f64
    };
    let mut storms = Vec::new();
    let options = &ctx.project.flood;
    for (&duration, ground) in
        (options.durations_h.iter()).flat_map(|d| options.wetness.iter().map(move |w| (d, w)))
    {
        let number = curve_number_for(mean_cn, ground.state);
        for &period in &options.return_periods {
            let rain = weather.idf().depth_mm(duration, period);
            let stages: Vec<f32> = (0..grid.cells())
                .into_par_iter()
                .map(|cell| {
                    if drainage.values()[cell] != cell as u32 {
                        return f32::NAN;
                    }
                    let area = f64::from(accumulation.values()[cell]) * cell_km2;
                    let effective = effective_rain_mm(rain, number);
                    let s = f64::from(slope.values()[cell]);
                    // Length of the main stream by Hack's law.
                    let length = 1.4 * libm::pow(area, 0.6);
                    let q =
                        peak_discharge_m3_s(effective, area, duration, concentration_h(length, s));
                    let width = tables.geometry.width_m(area);
                    let floor = (6.0 * width).max(0.5 * grid.dx);
                    let section = Section::regional(
                        area,
                        floor,
                        s,
                        &tables.geometry,
                        (f64::from(roughness.channel_n), 0.06),
                    );
                    section.stage_m(q).max(0.0) as f32
                })
                .collect();
            let footprint = screening_depths(
                &hand,
                &drainage,
                |cell| f64::from(stages[cell as usize]),
                LEAST_DEPTH_M,
            );
            storms.push(LibraryStorm {
                return_period: period,
                duration_h: duration,
                pattern: options.patterns[0].name().to_string(),
                wetness: ground.state,
                field: SparseField {
                    velocity_m_s: vec![0.0; footprint.cells.len()],
                    depth_m: footprint.values[0].clone(),
                    cells: footprint.cells,
                },
            });
        }
    }
    Ok(storms)
}

/// Screening: rank of the terrain times rank of the heavy rain. It orders places and is no probability: slopes of cells of a
/// kilometre are too flat for a factor of safety.
pub fn geology(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let grid = store::grid(ctx)?;
    let inside = store::inside(ctx)?;
    let susceptibility = terrain_susceptibility(
        &store::raster(ctx, "layers", "slope_deg.tif")?,
        &store::raster(ctx, "layers", "hand_m.tif")?,
        &store::classes(ctx, "layers", "land_cover.tif")?,
        &inside,
        &ScreeningTable::standard(),
    );
    let rate = store::raster(ctx, "weather", "rain_rate_mm_h.tif")?;
    let mut rate = resample(&rate, &grid, Method::Bilinear);
    for (v, &ok) in rate.values_mut().iter_mut().zip(&inside) {
        if !ok {
            *v = f32::NAN;
        }
    }
    let percentile = percentile_rank(&rate);
    let index = screening_index(&susceptibility, &percentile);
    for (name, raster, method) in [
        (
            "susceptibility",
            &susceptibility,
            "rank of slope, height above the drainage and land cover",
        ),
        (
            "rain_percentile",
            &percentile,
            "rank of the rain rate exceeded in 0.01 % of the year",
        ),
        (
            "susceptibility_index",
            &index,
            "susceptibility x rain percentile",
        ),
    ] {
        let tags = screening_tags(ctx, name, "0..1, a rank and no probability", method);
        geotiff::write_f32(&draft.file(&format!("{name}.tif"))?, raster, &tags)?;
    }
    Ok(())
}

/// Heights, m, and rain over that of the region, for which the danger of the days is worked out.
const DANGER_HEIGHTS_M: [f64; 6] = [0.0, 300.0, 600.0, 900.0, 1300.0, 1800.0];
const DANGER_RAIN: [f64; 6] = [0.4, 0.7, 0.9, 1.1, 1.4, 2.0];

/// Screening: days of high danger a year times the flame length of a head fire on such a day, where land cover burns.
pub fn fire(ctx: &Context<'_>, draft: &Draft, weather: &WeatherModel) -> Result<()> {
    let grid = store::grid(ctx)?;
    let inside = store::inside(ctx)?;
    let dem = store::raster(ctx, "layers", "dem_m.tif")?;
    let rain = store::raster(ctx, "weather", "annual_rain_mm.tif")?;
    let mut rain = resample(&rain, &grid, Method::Bilinear);
    let (sum, n) = rain
        .values()
        .iter()
        .zip(&inside)
        .filter(|(v, ok)| **ok && !v.is_nan())
        .fold((0.0, 0_u32), |(s, n), (&v, _)| (s + f64::from(v), n + 1));
    let mean = sum / f64::from(n.max(1));
    for v in rain.values_mut() {
        *v = (f64::from(*v) / mean) as f32;
    }
    let season = SeasonConfig::default();
    let years = models::climate_years(weather);
    let latitude = models::latitude_deg(&grid);
    ctx.step(0.2, "days of high danger");
    let table = DangerDays::new(
        &years,
        latitude,
        &season,
        store::parameters(ctx)?.temperature.lapse_c_per_m,
        &DANGER_HEIGHTS_M,
        &DANGER_RAIN,
    );
    ctx.step(0.8, "flame lengths");
    let (moisture, wind) = high_danger_day(&years, latitude, &season);
    // Blowing to the east: flame lengths are of fires that run up the slope before the wind.
    let conditions = Conditions::new(
        &FuelTable::standard(),
        &moisture,
        wind,
        270.0,
        &Canopy::default(),
        &BehaviourOptions::default(),
    );
    let flame = flame_lengths(
        &models::fuel(ctx)?,
        &store::raster(ctx, "layers", "slope_deg.tif")?,
        &conditions,
    );
    let mut days = Raster::filled(grid, f32::NAN);
    let mut index = Raster::filled(grid, f32::NAN);
    for cell in 0..grid.cells() {
        if !inside[cell] {
            continue;
        }
        let d = table.at(
            f64::from(dem.values()[cell]),
            f64::from(rain.values()[cell]),
        ) as f32;
        if flame.values()[cell] > 0.0 {
            days.values_mut()[cell] = d;
        }
        index.values_mut()[cell] = d * flame.values()[cell];
    }
    let from = high_danger_from(&season);
    for (name, unit, raster, method) in [
        (
            "high_danger_days",
            "d/a",
            &days,
            format!(
                "mean number of days a year with an FWI of {from} or more, where land cover burns"
            ),
        ),
        (
            "flame_m",
            "m",
            &flame,
            "flame length of a head fire up the slope on a day of high danger".to_string(),
        ),
        (
            "fire_danger_index",
            "m d/a, no probability",
            &index,
            "days of high danger x flame length".to_string(),
        ),
    ] {
        let tags = screening_tags(ctx, name, unit, &method);
        geotiff::write_f32(&draft.file(&format!("{name}.tif"))?, raster, &tags)?;
    }
    Ok(())
}

/// Tags of a layer of the screening, with its method.
fn screening_tags(ctx: &Context<'_>, name: &str, unit: &str, method: &str) -> geotiff::Tags {
    let mut tags = ctx.tags(name, unit);
    tags.insert("ANLAN_METHOD".into(), format!("screening: {method}"));
    tags
}
