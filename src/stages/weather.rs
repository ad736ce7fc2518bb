//! `weather`: the climate of the region, its rain frequency, and the first storms of the catalogue.

use super::{Context, store};
use crate::manifest::Draft;
use anlan_engine::io::geotiff;
use anlan_engine::io::table::{Table, write_csv};
use anlan_engine::resample::{Method, resample};
use anlan_engine::{Grid, Projector, Raster, Result};
use anlan_models::hazard::Blocks;
use anlan_models::weather::StormKind;
use std::path::Path;

/// Years of the catalogue that are written out for people to look at; the simulation makes its own years.
const SHOWN_YEARS: u32 = 100;
/// Cells on which rain rate and annual rain are kept, m.
const RATE_CELL_M: f64 = 900.0;

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let grid = store::grid(ctx)?;
    let base = ctx.project_file.parent().unwrap_or(Path::new(""));
    let mean = |raster: &Raster<f32>| region_mean(raster, &grid);
    let temperature = geotiff::read_bands_f32(&base.join(&ctx.project.inputs.temperature))?;
    let rain = geotiff::read_bands_f32(&base.join(&ctx.project.inputs.rain))?;
    let rate = geotiff::read_f32(&base.join(&ctx.project.inputs.rain_rate), 1)?;
    // The rain rate varies over tens of kilometres: cells of a kilometre hold it.
    let wide = Blocks::new(grid, RATE_CELL_M).grid;
    geotiff::write_f32(
        &draft.file("rain_rate_mm_h.tif")?,
        &resample(&rate, &wide, Method::Bilinear),
        &ctx.tags("rain_rate_exceeded_0.01_percent_of_the_year", "mm/h"),
    )?;
    let mut of_year = resample(&rain[0], &wide, Method::Bilinear);
    for month in &rain[1..] {
        let month = resample(month, &wide, Method::Bilinear);
        for (sum, v) in of_year.values_mut().iter_mut().zip(month.values()) {
            *sum += v;
        }
    }
    geotiff::write_f32(
        &draft.file("annual_rain_mm.tif")?,
        &of_year,
        &ctx.tags("annual_rain", "mm/a"),
    )?;
    let dem = store::raster(ctx, "layers", "dem_m.tif")?;
    let mut table = Table::new(&["quantity", "month", "value"]);
    let mut push = |name: &str, month: i64, value: f64| {
        table
            .rows
            .push(vec![name.into(), month.into(), value.into()]);
    };
    for (month, (t, p)) in temperature.iter().zip(&rain).enumerate() {
        push("temperature_c", month as i64 + 1, mean(t));
        push("rain_mm", month as i64 + 1, mean(p));
    }
    push("rain_rate_mm_h", 0, mean(&rate));
    push("elevation_m", 0, region_mean(&dem, &grid));
    write_csv(&draft.file("climate.csv")?, &table)?;

    // The model is built from the file just written, exactly as the tasks to the right build it.
    let parameters = store::parameters(ctx)?;
    let climate = store::climate(&draft.file("climate.csv")?, grid)?;
    let model = anlan_models::weather::WeatherModel::with_parameters(
        climate,
        &parameters,
        ctx.project.project.seed,
    )?;
    for name in parameters.unverified() {
        ctx.warn(&format!("weather parameter `{name}` is unverified"));
    }
    let mut idf = Table::new(&["duration_h", "return_period_years", "point_depth_mm"]);
    for duration in [0.5, 1.0, 3.0, 6.0, 12.0, 24.0, 72.0] {
        for period in [2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
            idf.rows.push(vec![
                duration.into(),
                period.into(),
                model.idf().depth_mm(duration, period).into(),
            ]);
        }
    }
    write_csv(&draft.file("rain_frequency.csv")?, &idf)?;
    let mut storms = Table::new(&[
        "year",
        "day",
        "kind",
        "duration_h",
        "x_m",
        "y_m",
        "half_axis_long_m",
        "half_axis_short_m",
        "depth_mm",
        "peak_1h_mm",
        "antecedent_mm",
        "return_period_years",
    ]);
    for year in 0..SHOWN_YEARS {
        for s in model.year(year).storms {
            let kind = match s.kind {
                StormKind::Frontal => "frontal",
                StormKind::Typhoon => "typhoon",
                StormKind::Convective => "convective",
            };
            storms.rows.push(vec![
                i64::from(year).into(),
                i64::from(s.day).into(),
                kind.into(),
                s.duration_h.into(),
                s.centre.0.into(),
                s.centre.1.into(),
                s.half_axes_m.0.into(),
                s.half_axes_m.1.into(),
                s.depth_mm.into(),
                s.peak_1h_mm.into(),
                s.antecedent_mm.into(),
                model
                    .idf()
                    .return_period_years(s.duration_h, s.depth_mm)
                    .into(),
            ]);
        }
    }
    write_csv(&draft.file("storms_first_100_years.csv")?, &storms)
}

/// Mean over a net of 64 x 64 points of the compute grid.
fn region_mean(raster: &Raster<f32>, grid: &Grid) -> f64 {
    let projector = Projector::new(grid.crs, raster.grid.crs);
    let (mut sum, mut n) = (0.0, 0.0);
    for i in 0..64 {
        for j in 0..64 {
            let (x, y) = (grid.x(j * grid.cols / 64), grid.y(i * grid.rows / 64));
            let (x, y) = projector.point(x, y);
            if let Some(v) = raster.at(x, y).filter(|v| !v.is_nan()) {
                sum += f64::from(v);
                n += 1.0;
            }
        }
    }
    sum / n
}
