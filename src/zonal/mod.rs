//! Statistics of a raster over zones (分区统计): a GeoTIFF and a layer of polygons in, a table out.
//!
//! | file | holds |
//! | --- | --- |
//! | `statistic` | the statistics on offer |
//! | `levels` | zones added up to the units above them by division code (行政区划代码) |
//! | `outputs` | tables and files |

mod levels;
mod outputs;
mod statistic;

pub use statistic::Statistic;

use crate::progress::{Listener, News};
use anlan_engine::io::geotiff;
use anlan_engine::io::vector::{self, Layer};
use anlan_engine::zonal::{ZonalOptions, zonal_file};
use anlan_engine::{Error, Fault, Grid, Result};
use geo::{BoundingRect, MultiPolygon};
use outputs::{Form, Results};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Name of the task in its news.
const TASK: &str = "zonal";

/// Values that a table of classes lists for each zone: with more, the raster is no raster of classes.
const MOST_CLASSES: usize = 4096;

/// What to count, and where to write it.
#[derive(Debug, Clone, PartialEq)]
pub struct ZonalTableOptions {
    /// The table: `.csv`, `.xlsx`, `.parquet` or `.gpkg` by its ending.
    pub out: PathBuf,
    /// Statistics, one column each.
    pub statistics: Vec<Statistic>,
    /// Band of the raster, from 1.
    pub band: usize,
    /// Raster of weights on the same cells, and its band.
    pub weights: Option<(PathBuf, usize)>,
    /// Table of a GeoPackage of zones; the first where none is named.
    pub layer: Option<String>,
    /// Columns of the zones to keep; all where none is named.
    pub columns: Vec<String>,
    /// Column of division codes: zones are added up to the units above them as well.
    pub code: Option<String>,
    /// A table of the cells of each class (分类面积) as well.
    pub classes: bool,
    /// Goes before the names of the statistics.
    pub prefix: String,
    /// Weight each cell by its area in m² besides its covered share.
    pub area_weighted: bool,
    /// Leave out cells of which less than this share is covered, 0..=1.
    pub min_coverage: f64,
    /// True: headings of workbooks in Chinese.
    pub zh: bool,
}

impl Default for ZonalTableOptions {
    fn default() -> Self {
        ZonalTableOptions {
            out: PathBuf::from("zonal.csv"),
            statistics: vec![Statistic::Count, Statistic::Sum, Statistic::Mean],
            band: 1,
            weights: None,
            layer: None,
            columns: Vec::new(),
            code: None,
            classes: false,
            prefix: String::new(),
            area_weighted: false,
            min_coverage: 0.0,
            zh: false,
        }
    }
}

/// Statistics of a raster over the polygons of a layer, one row each in the order of the layer, written as a table. With
/// division codes a second table holds the units above, and where classes are asked for a third the cells of each: further
/// sheets of a workbook, layers of a GeoPackage, or files `..._levels` and `..._classes`. Gives the path of the table.
///
/// * Zones in another system than the raster are carried into the raster's, vertex by vertex; so is told.
/// * Zones without a cell that has data have blank statistics; how many there are is told, and how many reach beyond the
///   raster.
///
/// # Errors
/// Faults of the raster, the weights and the zones; options at odds with each other; a table of classes of a raster that
/// holds none. Nothing is written then.
pub fn run(
    raster: &Path,
    zones: &Path,
    options: &ZonalTableOptions,
    listen: &Listener<'_>,
) -> Result<PathBuf> {
    let start = Instant::now();
    listen(News::Started { task: TASK });
    check(options)?;
    let grid = geotiff::info(raster)?.grid;
    let layer = read_zones(zones, options.layer.as_deref())?;
    let kept = kept_columns(&layer, options)?;
    let codes = match &options.code {
        Some(column) => levels::codes(&layer, column)?,
        None => Vec::new(),
    };
    let shapes = in_system_of(&grid, &layer, TASK, listen)?;
    let refs: Vec<&MultiPolygon<f64>> = shapes.iter().collect();
    let counted = ZonalOptions {
        area_weighted: options.area_weighted,
        min_coverage: options.min_coverage,
        variance: options.statistics.iter().any(|s| s.needs_variance()),
        values: options.classes || options.statistics.iter().any(|s| s.needs_values()),
    };
    let weights = options
        .weights
        .as_ref()
        .map(|(p, band)| (p.as_path(), *band));
    let note = format!("{} zones", refs.len());
    let step = |done: f64| {
        listen(News::Step {
            task: TASK,
            done,
            note: &note,
        });
    };
    let sums = zonal_file((raster, options.band), weights, &refs, &counted, &step)?;
    let most = sums.iter().filter_map(|s| s.tally()).map(|t| t.variety());
    if let Some(most) = most.max().filter(|&n| options.classes && n > MOST_CLASSES) {
        return Err(Error::input(Fault::new(
            raster,
            format!("{most} different values in a zone"),
            format!("at most {MOST_CLASSES}, as a raster of classes has"),
            "leave out --classes, or group the values to classes first",
        )));
    }
    let empty = sums.iter().filter(|s| s.stats().count == 0.0).count();
    if empty > 0 {
        listen(News::Warning {
            task: TASK,
            text: &format!("{empty} zones have no cell with data; their statistics are blank"),
        });
    }
    let units = levels::above(&codes, &sums);
    outputs::write(
        &Results {
            zones: &layer,
            kept: &kept,
            sums: &sums,
            units: &units,
        },
        options,
    )?;
    listen(News::Finished {
        task: TASK,
        seconds: start.elapsed().as_secs_f64(),
    });
    Ok(options.out.clone())
}

fn check(options: &ZonalTableOptions) -> Result<()> {
    Form::of(&options.out)?;
    let mut faults = Vec::new();
    let weighted = options.statistics.iter().any(|s| s.needs_weights());
    if weighted && options.weights.is_none() {
        faults.push(Fault::new(
            "--stats",
            "statistics by weight, and no raster of weights",
            "a raster of weights on the same cells",
            "pass --weights, or leave these statistics out",
        ));
    }
    if options.statistics.is_empty() && !options.classes {
        faults.push(Fault::new(
            "--stats",
            "no statistic",
            "one or more",
            "name statistics, separated by commas",
        ));
    }
    if !(0.0..=1.0).contains(&options.min_coverage) {
        faults.push(Fault::new(
            "--min-coverage",
            options.min_coverage.to_string(),
            "a share from 0 to 1",
            "correct the option",
        ));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}

/// The columns of the zones that go into the table.
fn kept_columns(layer: &Layer, options: &ZonalTableOptions) -> Result<Vec<usize>> {
    let kept: Vec<usize> = if options.columns.is_empty() {
        (0..layer.columns.len()).collect()
    } else {
        let found = options.columns.iter().map(|c| layer.require(c));
        found.collect::<Result<_>>()?
    };
    for statistic in &options.statistics {
        let heading = format!("{}{}", options.prefix, statistic.heading(false));
        if kept.iter().any(|&c| layer.columns[c] == heading) {
            return Err(Error::input(Fault::new(
                &layer.source,
                format!("a column `{heading}`, as the statistic is called"),
                "columns with names of their own",
                "pass --prefix, or name the columns to keep with --columns",
            )));
        }
    }
    Ok(kept)
}

/// A layer of polygons: the table named, or the first.
pub(crate) fn read_zones(path: &Path, layer: Option<&str>) -> Result<Layer> {
    match layer {
        Some(name) => vector::read_gpkg(path, Some(name)).and_then(Layer::check_coordinates),
        None => vector::read(path),
    }
}

/// The polygons of a layer in the raster's system.
pub(crate) fn in_system_of(
    grid: &Grid,
    layer: &Layer,
    task: &str,
    listen: &Listener<'_>,
) -> Result<Vec<MultiPolygon<f64>>> {
    let carried;
    let layer = if layer.crs == grid.crs {
        layer
    } else {
        listen(News::Warning {
            task,
            text: &format!(
                "the zones are in {}, the raster in {}: their vertices are carried over",
                layer.crs, grid.crs
            ),
        });
        carried = layer.reprojected(grid.crs);
        &carried
    };
    let mut faults = Vec::new();
    let mut shapes = Vec::with_capacity(layer.features.len());
    for i in 0..layer.features.len() {
        match layer.polygons(i) {
            Some(shape) => shapes.push(shape),
            None => faults.push(
                Fault::new(
                    &layer.source,
                    "a geometry that is no polygon",
                    "polygons or multipolygons",
                    "leave out points and lines",
                )
                .at(format!("feature {}", i + 1)),
            ),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let b = grid.bounds();
    let beyond = shapes
        .iter()
        .filter_map(BoundingRect::bounding_rect)
        .filter(|r| {
            let (min, max) = (r.min(), r.max());
            min.x < b.west || max.x > b.east || min.y < b.south || max.y > b.north
        })
        .count();
    if beyond > 0 {
        listen(News::Warning {
            task,
            text: &format!(
                "{beyond} zones reach beyond the raster: what lies there is not counted"
            ),
        });
    }
    Ok(shapes)
}
