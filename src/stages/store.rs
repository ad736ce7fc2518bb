//! What tasks leave for those to their right: names of files, and how to read them back.

use super::{Context, missing};
use crate::project::Project;
use anlan_engine::io::parquet::{self, Column, ColumnData};
use anlan_engine::io::{Value, geotiff, table, vector};
use anlan_engine::{Error, Grid, Raster, Result};
use anlan_models::census::{Ledger, LedgerRow};
use anlan_models::weather::{Climate, WeatherModel, WeatherParameters};
use geo::MultiPolygon;
use std::path::{Path, PathBuf};

/// A unit as the `layers` task leaves it.
#[derive(Debug, Clone)]
pub struct UnitRow {
    pub code: String,
    pub name: String,
    pub population: f64,
    pub households: f64,
    pub gdp_yuan: f64,
    pub forest_ha: f64,
    pub border: MultiPolygon<f64>,
}

/// A float raster of a finished task.
pub fn raster(ctx: &Context<'_>, task: &str, file: &str) -> Result<Raster<f32>> {
    geotiff::read_f32(&existing(ctx, task, file)?, 1)
}

/// A class raster of a finished task.
pub fn classes(ctx: &Context<'_>, task: &str, file: &str) -> Result<Raster<u8>> {
    geotiff::read_u8(&existing(ctx, task, file)?, 1)
}

/// True for the cells of the units.
pub fn inside(ctx: &Context<'_>) -> Result<Vec<bool>> {
    let unit = raster(ctx, "layers", "unit.tif")?;
    Ok(unit.values().iter().map(|u| !u.is_nan()).collect())
}

pub fn existing(ctx: &Context<'_>, task: &str, file: &str) -> Result<PathBuf> {
    let path = ctx.folder(task).join(file);
    if path.exists() {
        Ok(path)
    } else {
        Err(missing(&path))
    }
}

/// The compute grid, from the elevation the `layers` task wrote.
pub fn grid(ctx: &Context<'_>) -> Result<Grid> {
    geotiff::info(&existing(ctx, "layers", "dem_m.tif")?).map(|i| i.grid)
}

/// The units in order of code.
pub fn units(ctx: &Context<'_>) -> Result<Vec<UnitRow>> {
    let layer = vector::read(&existing(ctx, "layers", "units.gpkg")?)?;
    let number = |row: &[Value], name: &str| -> Result<f64> {
        Ok(row[layer.require(name)?].as_f64().unwrap_or(0.0))
    };
    let mut out = Vec::new();
    for (i, feature) in layer.features.iter().enumerate() {
        out.push(UnitRow {
            code: feature.values[layer.require("code")?].to_string(),
            name: feature.values[layer.require("name")?].to_string(),
            population: number(&feature.values, "population")?,
            households: number(&feature.values, "households")?,
            gdp_yuan: number(&feature.values, "gdp_yuan")?,
            forest_ha: number(&feature.values, "forest_ha")?,
            border: layer
                .polygons(i)
                .unwrap_or_else(|| MultiPolygon(Vec::new())),
        });
    }
    Ok(out)
}

/// Columns of GDP by sector in the ledger.
const SECTORS: [&str; 3] = [
    "gdp_primary_yuan",
    "gdp_secondary_yuan",
    "gdp_tertiary_yuan",
];

/// Writes the ledger as Parquet.
pub fn write_ledger(path: &Path, ledger: &Ledger) -> Result<()> {
    let u32s = |f: &dyn Fn(&LedgerRow) -> u32| ColumnData::U32(ledger.rows.iter().map(f).collect());
    let f64s = |f: &dyn Fn(&LedgerRow) -> f64| ColumnData::F64(ledger.rows.iter().map(f).collect());
    let mut columns = vec![
        Column::new("cell", u32s(&|r| r.cell)),
        Column::new("unit", u32s(&|r| u32::from(r.unit))),
        Column::new("population", u32s(&|r| r.population)),
        Column::new("population_day", u32s(&|r| r.population_day)),
        Column::new("population_holiday", u32s(&|r| r.population_holiday)),
        Column::new("households", u32s(&|r| r.households)),
    ];
    for (k, name) in ["concrete", "masonry", "brick_wood"].iter().enumerate() {
        columns.push(Column::new(&format!("rooms_{name}"), u32s(&|r| r.rooms[k])));
        columns.push(Column::new(
            &format!("floor_{name}_m2"),
            f64s(&|r| r.floor_m2[k]),
        ));
    }
    columns.push(Column::new("gdp_yuan", f64s(&|r| r.gdp_yuan)));
    for (k, name) in SECTORS.iter().enumerate() {
        columns.push(Column::new(name, f64s(&|r| r.sector_yuan[k])));
    }
    columns.push(Column::new("crop_ha", f64s(&|r| r.crop_ha)));
    columns.push(Column::new("forest_ha", f64s(&|r| r.forest_ha)));
    columns.push(Column::new("road_m", f64s(&|r| r.road_m)));
    parquet::write(path, &columns)
}

/// Reads the ledger back.
pub fn ledger(ctx: &Context<'_>, grid: Grid, units: &[UnitRow]) -> Result<Ledger> {
    let path = existing(ctx, "layers", "exposure.parquet")?;
    let codes = units.iter().map(|u| u.code.clone()).collect();
    read_ledger(&path, grid, codes)
}

/// The ledger of a file that [`write_ledger`] wrote.
pub fn read_ledger(path: &Path, grid: Grid, units: Vec<String>) -> Result<Ledger> {
    let columns = parquet::read(path)?;
    let find = |name: &str| {
        columns
            .iter()
            .find(|c| c.name == name)
            .map(|c| &c.data)
            .ok_or_else(|| Error::Failed(format!("{}: column {name} is missing", path.display())))
    };
    let u = |name: &str| -> Result<&Vec<u32>> {
        match find(name)? {
            ColumnData::U32(v) => Ok(v),
            _ => Err(Error::Failed(format!(
                "{}: column {name} is of another type",
                path.display()
            ))),
        }
    };
    let f = |name: &str| -> Result<&Vec<f64>> {
        match find(name)? {
            ColumnData::F64(v) => Ok(v),
            _ => Err(Error::Failed(format!(
                "{}: column {name} is of another type",
                path.display()
            ))),
        }
    };
    let rooms = [
        u("rooms_concrete")?,
        u("rooms_masonry")?,
        u("rooms_brick_wood")?,
    ];
    let floor = [
        f("floor_concrete_m2")?,
        f("floor_masonry_m2")?,
        f("floor_brick_wood_m2")?,
    ];
    let (cell, unit) = (u("cell")?, u("unit")?);
    let (population, households) = (u("population")?, u("households")?);
    let (day, holiday) = (u("population_day")?, u("population_holiday")?);
    let sector = [f(SECTORS[0])?, f(SECTORS[1])?, f(SECTORS[2])?];
    let (gdp, crop, forest, road) = (f("gdp_yuan")?, f("crop_ha")?, f("forest_ha")?, f("road_m")?);
    Ok(Ledger {
        grid,
        units,
        rows: (0..cell.len())
            .map(|i| LedgerRow {
                cell: cell[i],
                unit: unit[i] as u16,
                population: population[i],
                population_day: day[i],
                population_holiday: holiday[i],
                households: households[i],
                rooms: [rooms[0][i], rooms[1][i], rooms[2][i]],
                floor_m2: [floor[0][i], floor[1][i], floor[2][i]],
                gdp_yuan: gdp[i],
                sector_yuan: [sector[0][i], sector[1][i], sector[2][i]],
                crop_ha: crop[i],
                forest_ha: forest[i],
                road_m: road[i],
            })
            .collect(),
    })
}

/// The weather model, from the climate that the `weather` task wrote.
pub fn weather_model(ctx: &Context<'_>) -> Result<WeatherModel> {
    let climate = climate(&existing(ctx, "weather", "climate.csv")?, grid(ctx)?)?;
    WeatherModel::with_parameters(climate, &parameters(ctx)?, ctx.project.project.seed)
}

/// Weather parameters of the project.
pub fn parameters(ctx: &Context<'_>) -> Result<WeatherParameters> {
    match &ctx.project.inputs.weather {
        None => WeatherParameters::zhejiang(),
        Some(file) => {
            let path = ctx
                .project_file
                .parent()
                .unwrap_or(Path::new(""))
                .join(file);
            let text =
                std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
            WeatherParameters::from_toml(&text, &path)
        }
    }
}

/// Reads the table `climate.csv`: rows of (quantity, month, value).
pub fn climate(path: &Path, grid: Grid) -> Result<Climate> {
    let rows = table::read(path)?.rows;
    let value = |name: &str, month: i64| -> Result<f64> {
        rows.iter()
            .find(|r| r[0].to_string() == name && r[1] == Value::Integer(month))
            .and_then(|r| r[2].as_f64())
            .ok_or_else(|| {
                Error::Failed(format!(
                    "{}: {name} of month {month} is missing",
                    path.display()
                ))
            })
    };
    let mut out = Climate {
        temp_c: [0.0; 12],
        elevation_m: value("elevation_m", 0)?,
        rain_mm: [0.0; 12],
        rain_rate_mm_h: value("rain_rate_mm_h", 0)?,
        bounds: grid.bounds(),
    };
    for month in 1..=12 {
        out.temp_c[month - 1] = value("temperature_c", month as i64)?;
        out.rain_mm[month - 1] = value("rain_mm", month as i64)?;
    }
    Ok(out)
}

/// Return periods for which hazard maps are made.
pub fn return_periods(project: &Project) -> &[f64] {
    &project.flood.return_periods
}

/// File name of a return-period raster, e.g. `depth_m_rp0100.tif`.
pub fn rp_file(measure: &str, return_period: f64) -> String {
    format!("{measure}_rp{:04}.tif", return_period.round() as u64)
}

/// Depths of all return periods as bands of one file, in `hazard/flood`.
pub const DEPTH_STACK: &str = "depth_stack_m.tif";
/// Expected annual depth without and with the tail, two bands, in `hazard/flood`.
pub const EXPECTED_DEPTH: &str = "expected_annual_depth_m.tif";
/// Error of interpolating in the storm library, in `hazard/flood`.
pub const INTERPOLATION_ERROR: &str = "interpolation_error.csv";
/// Its columns.
pub const INTERPOLATION_COLUMNS: [&str; 12] = [
    "duration_h",
    "pattern",
    "wetness",
    "return_period_years",
    "between_low_years",
    "between_high_years",
    "wet_km2",
    "rmse_m",
    "bias_m",
    "simulated_km2",
    "interpolated_km2",
    "area_error_percent",
];
