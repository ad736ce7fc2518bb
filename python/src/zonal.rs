//! Zones: statistics of rasters over polygons, and polygons onto cells.

use crate::errors::{argument, raise};
use crate::grid::PyGrid;
use crate::raster::raster;
use crate::vector::polygons;
use anlan::engine::Result;
use anlan::engine::rasterize::{self as paint, Rule};
use anlan::engine::zonal::{ZonalOptions, ZonalPass, ZonalStats, ZoneSums, zonal_file};
use geo::MultiPolygon;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// What is asked for beside the plain statistics.
struct Asked {
    options: ZonalOptions,
    quantiles: Vec<f64>,
    classes: bool,
    weighted: bool,
}

impl Asked {
    fn new(
        area_weighted: bool,
        min_coverage: f64,
        quantiles: Vec<f64>,
        classes: bool,
        weighted: bool,
    ) -> Self {
        Asked {
            options: ZonalOptions {
                area_weighted,
                min_coverage,
                variance: true,
                values: classes || !quantiles.is_empty(),
            },
            quantiles,
            classes,
            weighted,
        }
    }
}

#[pyfunction]
#[pyo3(signature = (array, grid, wkb, area_weighted=false, min_coverage=0.0, weights=None, quantiles=vec![], classes=false))]
pub fn zonal<'py>(
    py: Python<'py>,
    array: PyReadonlyArray2<'py, f32>,
    grid: &PyGrid,
    wkb: Vec<Vec<u8>>,
    area_weighted: bool,
    min_coverage: f64,
    weights: Option<PyReadonlyArray2<'py, f32>>,
    quantiles: Vec<f64>,
    classes: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let r = raster(py, &array, grid)?;
    let weights = weights.map(|w| raster(py, &w, grid)).transpose()?;
    let asked = Asked::new(
        area_weighted,
        min_coverage,
        quantiles,
        classes,
        weights.is_some(),
    );
    let sums = over_zones(py, &wkb, |zones| {
        let mut pass = ZonalPass::new(&r.grid, zones, &asked.options);
        if weights.is_some() {
            pass = pass.with_weights();
        }
        pass.add(r.values(), weights.as_ref().map(|w| w.values()));
        Ok(pass.finish())
    })?;
    told(py, &sums, &asked)
}

#[pyfunction]
#[pyo3(signature = (path, wkb, band=1, area_weighted=false, min_coverage=0.0, weights=None, weights_band=1, quantiles=vec![], classes=false))]
pub fn zonal_of_file<'py>(
    py: Python<'py>,
    path: PathBuf,
    wkb: Vec<Vec<u8>>,
    band: usize,
    area_weighted: bool,
    min_coverage: f64,
    weights: Option<PathBuf>,
    weights_band: usize,
    quantiles: Vec<f64>,
    classes: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let asked = Asked::new(
        area_weighted,
        min_coverage,
        quantiles,
        classes,
        weights.is_some(),
    );
    let sums = over_zones(py, &wkb, |zones| {
        let weights = weights.as_ref().map(|w| (w.as_path(), weights_band));
        zonal_file((&path, band), weights, zones, &asked.options, &|_| {})
    })?;
    told(py, &sums, &asked)
}

/// Does the work on the polygons of WKBs with the interpreter released.
fn over_zones(
    py: Python<'_>,
    wkb: &[Vec<u8>],
    work: impl FnOnce(&[&MultiPolygon<f64>]) -> Result<Vec<ZoneSums>> + Send,
) -> PyResult<Vec<ZoneSums>> {
    py.detach(|| {
        let shapes = polygons(wkb)?;
        let shapes: Vec<_> = shapes.iter().collect();
        work(&shapes)
    })
    .map_err(|e| raise(py, e))
}

fn told<'py>(py: Python<'py>, sums: &[ZoneSums], asked: &Asked) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let stats: Vec<ZonalStats> = sums.iter().map(ZoneSums::stats).collect();
    let put = |name: &str, of: fn(&ZonalStats) -> f64| {
        out.set_item(name, PyArray1::from_vec(py, stats.iter().map(of).collect()))
    };
    put("count", |s| s.count)?;
    put("sum", |s| s.sum)?;
    put("mean", |s| s.mean)?;
    put("min", |s| f64::from(s.min))?;
    put("max", |s| f64::from(s.max))?;
    put("stdev", |s| s.stdev)?;
    if asked.weighted {
        put("weight", |s| s.weight)?;
        put("weighted_sum", |s| s.weighted_sum)?;
        put("weighted_mean", |s| s.weighted_mean)?;
        put("weighted_stdev", |s| s.weighted_stdev)?;
    }
    let column = |of: &dyn Fn(&anlan::engine::zonal::Tally) -> f64| {
        let values = sums.iter().map(|s| s.tally().map_or(f64::NAN, of));
        PyArray1::from_vec(py, values.collect())
    };
    for &q in &asked.quantiles {
        out.set_item(format!("q{}", 100.0 * q), column(&|t| t.quantile(q)))?;
    }
    if asked.classes {
        let class = |v: Option<f32>| v.map_or(f64::NAN, f64::from);
        out.set_item("majority", column(&|t| class(t.majority())))?;
        out.set_item("minority", column(&|t| class(t.minority())))?;
        out.set_item("variety", column(&|t| t.variety() as f64))?;
        let (mut zone, mut value, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        for (i, s) in sums.iter().enumerate() {
            for &(v, c) in s.tally().map_or(&[][..], |t| t.entries()) {
                zone.push(i as u64);
                value.push(v);
                cells.push(c);
            }
        }
        let table = PyDict::new(py);
        table.set_item("zone", PyArray1::from_vec(py, zone))?;
        table.set_item("value", PyArray1::from_vec(py, value))?;
        table.set_item("cells", PyArray1::from_vec(py, cells))?;
        out.set_item("classes", table)?;
    }
    Ok(out)
}

#[pyfunction]
#[pyo3(signature = (wkb, values, grid, all_touched=false, background=0))]
pub fn rasterize<'py>(
    py: Python<'py>,
    wkb: Vec<Vec<u8>>,
    values: Vec<u32>,
    grid: &PyGrid,
    all_touched: bool,
    background: u32,
) -> PyResult<Bound<'py, PyArray2<u32>>> {
    if wkb.len() != values.len() {
        return Err(argument(
            py,
            "values",
            format!("{} values for {} polygons", values.len(), wkb.len()),
            "one value for each polygon",
            "leave values out to number the polygons from 1",
        ));
    }
    let rule = if all_touched {
        Rule::AllTouched
    } else {
        Rule::Centre
    };
    let grid = grid.0;
    let painted = py
        .detach(|| {
            let shapes = polygons(&wkb)?;
            let shapes: Vec<_> = shapes.iter().zip(values).collect();
            Ok(paint::rasterize(&shapes, &grid, rule, background))
        })
        .map_err(|e| raise(py, e))?;
    Ok(painted.data.into_pyarray(py))
}
