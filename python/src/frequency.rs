//! Frequency analysis of arrays.

use crate::errors::argument;
use anlan::engine::extremes::{CurveFitting, Distribution, Method, Plotting, Sample};
use anlan::engine::random::Stream;
use anlan::frequency::STREAM;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

#[pyfunction]
#[pyo3(signature = (values, distribution, method=None, return_periods=vec![2.0, 10.0, 100.0], confidence=0.9, replicates=1000, seed=1, cs_cv=None, hold_mean=false, threshold=None, years=None))]
pub fn fit_frequency<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    distribution: &str,
    method: Option<&str>,
    return_periods: Vec<f64>,
    confidence: f64,
    replicates: u32,
    seed: u64,
    cs_cv: Option<f64>,
    hold_mean: bool,
    threshold: Option<f64>,
    years: Option<f64>,
) -> PyResult<Bound<'py, PyDict>> {
    let values = values.as_slice()?;
    let wrong = |name: &str, found: String, expected: &str| {
        argument(py, name, found, expected, "correct the argument")
    };
    let law = match distribution {
        "pearson3" => Distribution::Pearson3,
        "gev" => Distribution::Gev,
        "gumbel" => Distribution::Gumbel,
        "gpd" => Distribution::Gpd,
        other => {
            return Err(wrong(
                "distribution",
                other.into(),
                "pearson3, gev, gumbel or gpd",
            ));
        }
    };
    let method = match method {
        None => law.customary(),
        Some("curve-fitting") => Method::CurveFitting,
        Some("l-moments") => Method::LMoments,
        Some("likelihood") => Method::Likelihood,
        Some(other) => {
            return Err(wrong(
                "method",
                other.into(),
                "curve-fitting, l-moments or likelihood",
            ));
        }
    };
    if !law.allows(method) {
        return Err(wrong(
            "method",
            format!("{distribution} by this method"),
            "curve-fitting or l-moments for pearson3, l-moments or likelihood for gpd",
        ));
    }
    if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
        return Err(wrong("values", bad.to_string(), "finite numbers"));
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(wrong(
            "confidence",
            confidence.to_string(),
            "a number between 0 and 1",
        ));
    }
    if let Some(bad) = return_periods
        .iter()
        .find(|t| !(**t > 1.0 && t.is_finite()))
    {
        return Err(wrong("return_periods", bad.to_string(), "years above 1"));
    }
    if replicates > 100_000 {
        return Err(wrong(
            "replicates",
            replicates.to_string(),
            "at most 100,000",
        ));
    }
    let sample = match (law, threshold, years) {
        (Distribution::Gpd, Some(u), Some(y)) if u.is_finite() && y > 0.0 && y.is_finite() => {
            Sample::peaks(values, u, y, Plotting::default())
        }
        (Distribution::Gpd, ..) => {
            return Err(wrong(
                "threshold, years",
                format!("{threshold:?}, {years:?}"),
                "the threshold of the peaks and the years of the record, above zero",
            ));
        }
        (_, None, None) => Sample::annual(values, Plotting::default()),
        _ => {
            return Err(wrong(
                "threshold, years",
                "annual maxima".into(),
                "none of both; peaks go with gpd",
            ));
        }
    };
    let options = CurveFitting {
        cs_cv_ratio: cs_cv,
        hold_mean,
        ..CurveFitting::default()
    };
    let fitted = py
        .detach(|| {
            sample.fit_with_errors(law, method, &options, replicates, Stream::new(seed, STREAM))
        })
        .ok_or_else(|| {
            wrong(
                "values",
                format!("{} values that the law does not fit", sample.values.len()),
                "five or more different values, above zero on average",
            )
        })?;
    let (parameters, errors) = (PyDict::new(py), PyDict::new(py));
    for (i, name) in law.parameter_names().iter().enumerate() {
        parameters.set_item(name, fitted.law.parameters()[i])?;
        errors.set_item(name, fitted.standard_errors()[i])?;
    }
    let bands: Vec<_> = return_periods
        .iter()
        .map(|&t| fitted.bootstrap_interval(t, confidence))
        .collect();
    let out = PyDict::new(py);
    out.set_item("parameters", parameters)?;
    out.set_item("standard_errors", errors)?;
    out.set_item("return_periods", return_periods)?;
    out.set_item("values", bands.iter().map(|i| i.value).collect::<Vec<_>>())?;
    out.set_item("low", bands.iter().map(|i| i.low).collect::<Vec<_>>())?;
    out.set_item("high", bands.iter().map(|i| i.high).collect::<Vec<_>>())?;
    Ok(out)
}
