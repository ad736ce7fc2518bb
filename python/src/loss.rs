//! Event sets from arrays, and portfolios through the loss engine.

use crate::errors::{argument, raise};
use anlan::engine::Event;
use anlan::engine::events::set::{Description, EventSetWriter};
use anlan::portfolio::{PortfolioOptions, run as run_portfolio};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use std::path::PathBuf;

#[pyfunction]
#[pyo3(signature = (path, measures, event, rate_per_year, first_row, place, values, double, probability=None, spread=None, note=""))]
pub fn write_events(
    py: Python<'_>,
    path: PathBuf,
    measures: Vec<String>,
    event: PyReadonlyArray1<'_, u64>,
    rate_per_year: PyReadonlyArray1<'_, f64>,
    first_row: PyReadonlyArray1<'_, i64>,
    place: PyReadonlyArray1<'_, u32>,
    values: Vec<PyReadonlyArray1<'_, f64>>,
    double: bool,
    probability: Option<PyReadonlyArray1<'_, f64>>,
    spread: Option<PyReadonlyArray1<'_, f64>>,
    note: &str,
) -> PyResult<()> {
    let (event, rate) = (event.as_slice()?, rate_per_year.as_slice()?);
    let (first, place) = (first_row.as_slice()?, place.as_slice()?);
    let mut columns = Vec::with_capacity(values.len() + 2);
    for column in values.iter().chain(&probability).chain(&spread) {
        columns.push(column.as_slice()?);
    }
    let rows = place.len();
    let sound = first.len() == event.len() + 1
        && rate.len() == event.len()
        && values.len() == measures.len()
        && first.first() == Some(&0)
        && first.last() == Some(&(rows as i64))
        && first.windows(2).all(|w| w[0] <= w[1])
        && columns.iter().all(|c| c.len() == rows);
    if !sound {
        return Err(argument(
            py,
            "events",
            format!(
                "{} events, {} rates, {} first rows, {rows} places, {} columns",
                event.len(),
                rate.len(),
                first.len(),
                columns.len()
            ),
            "one rate per event; first_row from 0 to the number of rows, one more than there are events; columns as long as place",
            "give the rows event by event, as a CSR matrix has them",
        ));
    }
    let description = Description {
        measures,
        double,
        probability: probability.is_some(),
        spread: spread.is_some(),
        note: note.to_string(),
    };
    py.detach(|| {
        let mut writer = EventSetWriter::create(&path, description)?;
        for (i, &id) in event.iter().enumerate() {
            let rows = first[i] as usize..first[i + 1] as usize;
            let columns: Vec<&[f64]> = columns.iter().map(|c| &c[rows.clone()]).collect();
            let event = Event {
                id,
                cause: id,
                hazard: 0,
                rate_per_year: rate[i],
            };
            writer.push(&event, &place[rows.clone()], &columns)?;
        }
        writer.finish()
    })
    .map_err(|e| raise(py, e))
}

#[pyfunction]
#[pyo3(signature = (portfolio, out=None, seed=None, threads=None))]
pub fn losses(
    py: Python<'_>,
    portfolio: PathBuf,
    out: Option<PathBuf>,
    seed: Option<u64>,
    threads: Option<usize>,
) -> PyResult<PathBuf> {
    let options = PortfolioOptions {
        out,
        seed,
        ..PortfolioOptions::default()
    };
    py.detach(|| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or(0))
            .build()
            .map_err(|e| anlan::engine::Error::Failed(format!("starting threads: {e}")))?
            .install(|| run_portfolio(&portfolio, &options, &|_| ()))
    })
    .map_err(|e| raise(py, e))
}
