//! The hazard models, built from what the tasks to the left have left. Pure functions of those files, so that a resumed run
//! builds the same models again; within one run they are built once.

use super::{Context, store};
use anlan_engine::hydrology::topological_order;
use anlan_engine::{Crs, Error, Grid, Projector, Raster, Result};
use anlan_models::convection::{Activity, ConvectionParameters};
use anlan_models::fire::behaviour::BehaviourOptions;
use anlan_models::fire::fuels::{FuelByLandCover, FuelTable};
use anlan_models::fire::landscape::Canopy;
use anlan_models::fire::library::{FireInputs, FireLibrary, FireModel};
use anlan_models::fire::season::SeasonConfig;
use anlan_models::flood::library::{DRY_PERIOD, LibraryStorm, StormLibrary};
use anlan_models::flood::model::{Catchment, FloodModel, FloodOptions};
use anlan_models::flood::rain::RainFrequency;
use anlan_models::flood::rivers::RiverTables;
use anlan_models::flood::runoff::CurveNumbers;
use anlan_models::geology::stability::SoilTable;
use anlan_models::geology::trigger::{GeologyInputs, GeologyModel, TriggerConfig};
use anlan_models::hazard::Sites;
use anlan_models::weather::{Idf, WeatherModel, WeatherYear};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Models that were built in this run.
#[derive(Default)]
pub struct Cache {
    fire: OnceLock<Arc<FireModel>>,
    geology: OnceLock<Arc<GeologyModel>>,
}

/// Years of weather from which fires and slides are calibrated.
const CLIMATE_YEARS: u32 = 100;
/// Side of the tiles that stand for catchments, m.
const TILE_M: f64 = 6000.0;
/// Drainage areas, km², between which catchments of one tile are told apart.
const AREA_CLASSES: [f64; 3] = [20.0, 200.0, 2000.0];

/// Depth of point rain by duration and return period, as the flood model wants it.
pub fn rain_frequency(idf: &Idf) -> Result<RainFrequency> {
    let durations = [0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0, 72.0];
    let periods = [1.2, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
    let depth: Vec<Vec<f64>> = durations
        .iter()
        .map(|&d| periods.iter().map(|&t| idf.depth_mm(d, t)).collect())
        .collect();
    RainFrequency::new(&durations, &periods, &depth)
}

/// Curve numbers of normal wetness.
pub fn curve_numbers(ctx: &Context<'_>) -> Result<(Raster<u8>, CurveNumbers)> {
    let tables = CurveNumbers::published();
    let cover = store::classes(ctx, "layers", "land_cover.tif")?;
    // Soil group C, the usual one of red soils on granite and tuff; synthetic, as no soil map is among the inputs.
    Ok((tables.raster(&cover, None, 2)?, tables))
}

/// Catchments of the wet cells of a library: tiles, told apart by the drainage area of the channel each cell drains to.
pub fn catchments(ctx: &Context<'_>, cells: &[u32]) -> Result<(Vec<Catchment>, Vec<u32>)> {
    let accumulation = store::raster(ctx, "layers", "accumulation_cells.tif")?;
    let directions = store::classes(ctx, "layers", "flow_direction.tif")?;
    let (numbers, _) = curve_numbers(ctx)?;
    let grid = accumulation.grid;
    let cell_km2 = grid.dx * grid.dy / 1e6;
    let area = channel_area_km2(
        &directions,
        &accumulation,
        cell_km2,
        ctx.project.flood.channel_km2,
    );
    let tile = ((TILE_M / grid.dx).round() as usize).max(2);
    let key = |cell: u32| {
        let (row, col) = grid.row_col(cell);
        let class = AREA_CLASSES.partition_point(|&a| a <= f64::from(area[cell as usize]));
        (row / tile, col / tile, class)
    };
    let mut keys: Vec<_> = cells.iter().map(|&c| key(c)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut sums = vec![(0.0_f64, 0.0_f64, 0_u32); keys.len()];
    let of: Vec<u32> = cells
        .iter()
        .map(|&cell| {
            let k = keys.binary_search(&key(cell)).unwrap_or(0);
            sums[k].0 += f64::from(area[cell as usize]);
            sums[k].1 += f64::from(numbers.values()[cell as usize]);
            sums[k].2 += 1;
            k as u32
        })
        .collect();
    let mean_cn = mean_curve_number(&numbers, tile);
    let across = grid.cols.div_ceil(tile);
    let list = keys
        .iter()
        .zip(&sums)
        .map(|(&(r, c, _), &(area, _, n))| Catchment {
            centroid: (
                grid.west + ((c as f64 + 0.5) * tile as f64) * grid.dx,
                grid.north - ((r as f64 + 0.5) * tile as f64) * grid.dy,
            ),
            area_km2: (area / f64::from(n.max(1))).max(cell_km2),
            curve_number: mean_cn[r * across + c],
            rain_factor: 1.0,
        })
        .collect();
    Ok((list, of))
}

/// Mean curve number of each tile, row by row; 75 where a tile has none.
fn mean_curve_number(numbers: &Raster<u8>, tile: usize) -> Vec<f64> {
    let across = numbers.grid.cols.div_ceil(tile);
    let mut sums = vec![(0_u64, 0_u64); across * numbers.grid.rows.div_ceil(tile)];
    for ((row, col), &cn) in numbers.data.indexed_iter() {
        if cn > 0 {
            let s = &mut sums[row / tile * across + col / tile];
            s.0 += u64::from(cn);
            s.1 += 1;
        }
    }
    sums.iter()
        .map(|&(sum, n)| if n > 0 { sum as f64 / n as f64 } else { 75.0 })
        .collect()
}

/// Drainage area, km², of the channel that each cell drains to.
pub fn channel_area_km2(
    directions: &Raster<u8>,
    accumulation: &Raster<f32>,
    cell_km2: f64,
    channel_km2: f64,
) -> Vec<f32> {
    let cols = directions.grid.cols as isize;
    let step = [1, cols + 1, cols, cols - 1, -1, -cols - 1, -cols, -cols + 1];
    let mut area: Vec<f32> = accumulation
        .values()
        .iter()
        .map(|&a| (f64::from(a) * cell_km2) as f32)
        .collect();
    for &cell in topological_order(directions).iter().rev() {
        let code = directions.values()[cell as usize];
        if f64::from(area[cell as usize]) < channel_km2 && code < 8 {
            let down = (cell as isize + step[code as usize]) as usize;
            area[cell as usize] = area[down];
        }
    }
    area
}

/// The flood model on some sites, from the library that `hazard/flood` left.
pub fn flood(ctx: &Context<'_>, sites: &[u32], idf: &Idf) -> Result<FloodModel> {
    let folder = ctx.folder("hazard/flood").join("library");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .map_err(|e| Error::io("listing", &folder, e))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "bin"))
        .collect();
    files.sort();
    let storms = files
        .iter()
        .map(|f| LibraryStorm::load(f))
        .collect::<Result<Vec<_>>>()?;
    flood_model(ctx, &storms, sites, idf)
}

/// The flood model on some sites from the storms of a library.
pub fn flood_model(
    ctx: &Context<'_>,
    storms: &[LibraryStorm],
    sites: &[u32],
    idf: &Idf,
) -> Result<FloodModel> {
    let options = &ctx.project.flood;
    let library = StormLibrary::new(storms, sites, DRY_PERIOD)?;
    let (list, of) = catchments(ctx, &library.cells)?;
    let (_, numbers) = curve_numbers(ctx)?;
    let years = store::raster(ctx, "layers", "flood_protection_years.tif")?;
    let protection: Vec<f32> = library
        .cells
        .iter()
        .map(|&c| years.values()[c as usize])
        .collect();
    FloodModel::new(
        library,
        list,
        &of,
        &protection,
        rain_frequency(idf)?,
        (
            RiverTables::published().areal_reduction,
            numbers.antecedent.clone(),
        ),
        FloodOptions {
            years: ctx.project.losses.years,
            seed: ctx.project.project.seed,
            patterns: (options.patterns.iter())
                .map(|p| (p.name().to_string(), p.probability))
                .collect(),
            wetness: (options.wetness.iter())
                .filter_map(|w| w.probability.map(|p| (w.state, p)))
                .collect(),
            ..FloodOptions::default()
        },
    )
}

/// Parameters of convection: shipped, or those of the project.
pub fn convection_parameters(ctx: &Context<'_>) -> Result<ConvectionParameters> {
    let Some(file) = &ctx.project.inputs.convection else {
        return ConvectionParameters::shipped();
    };
    let path = ctx
        .project_file
        .parent()
        .unwrap_or(Path::new(""))
        .join(file);
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
    ConvectionParameters::from_toml(&text, &path)
}

/// Where convection is more frequent: from the rain rate that `weather` has laid on the blocks.
pub fn activity(ctx: &Context<'_>, p: &ConvectionParameters) -> Result<Activity> {
    let rate = store::raster(ctx, "weather", "rain_rate_mm_h.tif")?;
    Ok(Activity::from_field(&rate, p.activity_exponent))
}

/// Fuel models of the land cover.
pub fn fuel(ctx: &Context<'_>) -> Result<Raster<u8>> {
    let cover = store::classes(ctx, "layers", "land_cover.tif")?;
    let lookup = FuelByLandCover::standard().lookup();
    let mut fuel = cover.map(|c| lookup[c as usize]);
    fuel.nodata = None;
    Ok(fuel)
}

/// The fire model on all cells.
pub fn fire(ctx: &Context<'_>, weather: &WeatherModel) -> Result<Arc<FireModel>> {
    if let Some(model) = ctx.cache.fire.get() {
        return Ok(model.clone());
    }
    let fuel = fuel(ctx)?;
    let grid = fuel.grid;
    let inputs = FireInputs {
        grid,
        fuel,
        slope_deg: store::raster(ctx, "layers", "slope_deg.tif")?,
        aspect_deg: store::raster(ctx, "layers", "aspect_deg.tif")?,
        ignition_weight: store::raster(ctx, "layers", "ignition_weight.tif")?,
    };
    let mut config = SeasonConfig {
        fires_per_class: ctx.project.fire.fires_per_class,
        ..SeasonConfig::default()
    };
    config.mean_fires_per_year =
        (ctx.project.fire.fires_per_year_1000km2 * land_km2(&inputs.slope_deg) / 1000.0).max(1e-6);
    let library = FireLibrary::new(
        &inputs,
        &FuelTable::standard(),
        &config,
        &Canopy::default(),
        &BehaviourOptions::default(),
        &climate_years(weather),
        latitude_deg(&grid),
        ctx.project.project.seed,
    )?;
    let model = Arc::new(FireModel::new(
        library,
        &Sites::all(grid),
        ctx.project.project.seed,
    )?);
    Ok(ctx.cache.fire.get_or_init(|| model).clone())
}

/// The geology model on all cells.
pub fn geology(ctx: &Context<'_>, weather: &WeatherModel) -> Result<Arc<GeologyModel>> {
    if let Some(model) = ctx.cache.geology.get() {
        return Ok(model.clone());
    }
    let slope_deg = store::raster(ctx, "layers", "slope_deg.tif")?;
    let grid = slope_deg.grid;
    let cell_m = grid.dx as f32;
    let accumulation = store::raster(ctx, "layers", "accumulation_cells.tif")?;
    let land = land_km2(&slope_deg);
    let inputs = GeologyInputs {
        grid,
        slope_deg,
        specific_area_m: accumulation.map(|a| a * cell_m),
        soil: store::classes(ctx, "layers", "soil.tif")?,
        dem_m: store::raster(ctx, "layers", "filled_m.tif")?,
        flow_dir: store::classes(ctx, "layers", "flow_direction.tif")?,
    };
    let slides = ctx.project.geology.slides_per_year_1000km2 * land / 1000.0;
    let config = TriggerConfig {
        mean_slides_per_year: slides.max(1e-6),
        ..TriggerConfig::default()
    };
    let model = Arc::new(GeologyModel::new(
        inputs,
        &SoilTable::standard(),
        &config,
        &climate_years(weather),
        &Sites::all(grid),
        ctx.project.project.seed,
    )?);
    Ok(ctx.cache.geology.get_or_init(|| model).clone())
}

/// The years from which models are calibrated.
pub fn climate_years(weather: &WeatherModel) -> Vec<WeatherYear> {
    (0..CLIMATE_YEARS).map(|y| weather.year(y)).collect()
}

fn land_km2(slope: &Raster<f32>) -> f64 {
    let cells = slope.values().iter().filter(|s| !s.is_nan()).count();
    cells as f64 * slope.grid.dx * slope.grid.dy / 1e6
}

/// Latitude of the middle of a grid, degrees.
pub fn latitude_deg(grid: &Grid) -> f64 {
    Projector::new(grid.crs, Crs::CGCS2000)
        .point(grid.x(grid.cols / 2), grid.y(grid.rows / 2))
        .1
}

/// Number of the channel cell that each cell drains to, itself for channels; `u32::MAX` for none.
pub fn drainage_cell(
    directions: &Raster<u8>,
    accumulation: &Raster<f32>,
    channel_cells: f64,
) -> Raster<u32> {
    let cols = directions.grid.cols as isize;
    let step = [1, cols + 1, cols, cols - 1, -1, -cols - 1, -cols, -cols + 1];
    let mut out = Raster::filled(directions.grid, u32::MAX);
    for &cell in topological_order(directions).iter().rev() {
        let at = cell as usize;
        let code = directions.values()[at];
        out.values_mut()[at] = if f64::from(accumulation.values()[at]) >= channel_cells {
            cell
        } else if code < 8 {
            out.values()[(cell as isize + step[code as usize]) as usize]
        } else {
            u32::MAX
        };
    }
    out
}

/// Slope along the channel over the next ten cells downstream, at least 1e-4.
pub fn channel_slope(directions: &Raster<u8>, filled: &Raster<f32>) -> Raster<f32> {
    let grid = directions.grid;
    let cols = grid.cols as isize;
    let step = [1, cols + 1, cols, cols - 1, -1, -cols - 1, -cols, -cols + 1];
    let mut out = Raster::filled(grid, 1e-4_f32);
    for cell in 0..grid.cells() {
        let (mut at, mut length) = (cell, 0.0_f32);
        for _ in 0..10 {
            let code = directions.values()[at];
            if code >= 8 {
                break;
            }
            at = (at as isize + step[code as usize]) as usize;
            length += grid.dx as f32
                * if code % 2 == 1 {
                    std::f32::consts::SQRT_2
                } else {
                    1.0
                };
        }
        let drop = filled.values()[cell] - filled.values()[at];
        if length > 0.0 && drop > 0.0 {
            out.values_mut()[cell] = (drop / length).max(1e-4);
        }
    }
    out
}
