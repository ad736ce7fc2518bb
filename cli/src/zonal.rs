//! Arguments of `anlan zonal` and `anlan rasterize`, turned into the options of the library.

use anlan::engine::rasterize::Rule;
use anlan::engine::{Error, Fault};
use anlan::rasterize::RasterizeOptions;
use anlan::zonal::{Statistic, ZonalTableOptions};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `anlan zonal`.
#[derive(Args)]
pub struct ZonalArguments {
    /// GeoTIFF of values; it is read strip by strip.
    pub raster: PathBuf,
    /// Layer of polygons: GeoPackage, GeoJSON or Shapefile.
    pub zones: PathBuf,
    /// Table to write: .csv, .xlsx, .parquet or .gpkg.
    #[arg(long)]
    out: PathBuf,
    /// Statistics, separated by commas: count, sum, mean, min, max, stdev, variance, median, q0 to q100, majority,
    /// minority, variety; with --weights also weight, weighted_sum, weighted_mean, weighted_stdev.
    #[arg(long, value_delimiter = ',', default_value = "count,sum,mean,min,max")]
    stats: Vec<String>,
    /// Band of the raster.
    #[arg(long, default_value_t = 1)]
    band: usize,
    /// GeoTIFF of weights on the same cells.
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Band of the weights.
    #[arg(long, default_value_t = 1)]
    weights_band: usize,
    /// Table of the GeoPackage; the first by default.
    #[arg(long)]
    layer: Option<String>,
    /// Columns of the zones to keep, separated by commas; all by default.
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Column of division codes (行政区划代码): adds the units above the zones.
    #[arg(long)]
    code: Option<String>,
    /// Adds a table of the cells of each class (分类面积).
    #[arg(long)]
    classes: bool,
    /// Goes before the names of the statistics.
    #[arg(long, default_value = "")]
    prefix: String,
    /// Weight cells by their area in m² besides their covered share.
    #[arg(long)]
    area_weighted: bool,
    /// Leave out cells of which less than this share (0 to 1) is covered.
    #[arg(long, default_value_t = 0.0)]
    min_coverage: f64,
    /// Threads; all cores by default. The results do not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
}

impl ZonalArguments {
    /// The options of the library.
    pub fn options(&self, zh: bool) -> Result<ZonalTableOptions, Error> {
        let mut statistics: Vec<Statistic> = Vec::new();
        let mut faults = Vec::new();
        for name in self.stats.iter().filter(|name| !name.is_empty()) {
            match name.parse() {
                Ok(s) if statistics.contains(&s) => faults.push(Fault::new(
                    "--stats",
                    format!("`{name}` twice"),
                    "each statistic once",
                    "correct the option",
                )),
                Ok(s) => statistics.push(s),
                Err(found) => faults.push(Fault::new(
                    "--stats",
                    found,
                    format!("one of {}", Statistic::names()),
                    "correct the option",
                )),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        Ok(ZonalTableOptions {
            out: self.out.clone(),
            statistics,
            band: self.band,
            weights: self.weights.clone().map(|p| (p, self.weights_band)),
            layer: self.layer.clone(),
            columns: self.columns.clone(),
            code: self.code.clone(),
            classes: self.classes,
            prefix: self.prefix.clone(),
            area_weighted: self.area_weighted,
            min_coverage: self.min_coverage,
            zh,
        })
    }
}

/// Arguments of `anlan rasterize`.
#[derive(Args)]
pub struct RasterizeArguments {
    /// Layer of polygons: GeoPackage, GeoJSON or Shapefile.
    pub zones: PathBuf,
    /// GeoTIFF whose cells are to be painted.
    #[arg(long)]
    like: PathBuf,
    /// GeoTIFF of labels to write.
    #[arg(long)]
    out: PathBuf,
    /// Column of whole numbers to paint with; the features are numbered from 1 by default.
    #[arg(long)]
    value: Option<String>,
    /// Table of the GeoPackage; the first by default.
    #[arg(long)]
    layer: Option<String>,
    /// Paint every cell that a polygon meets, not those whose centre it holds.
    #[arg(long)]
    all_touched: bool,
    /// Threads; all cores by default. The results do not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
}

impl RasterizeArguments {
    /// The options of the library.
    pub fn options(&self) -> RasterizeOptions {
        RasterizeOptions {
            out: self.out.clone(),
            like: self.like.clone(),
            value: self.value.clone(),
            layer: self.layer.clone(),
            rule: if self.all_touched {
                Rule::AllTouched
            } else {
                Rule::Centre
            },
        }
    }
}
