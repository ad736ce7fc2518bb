//! Frequency analysis of a station's series (水文频率分析): laws fitted to annual maxima or to peaks over a threshold, and
//! storm formulas (暴雨强度公式) fitted to annual maxima of rain by duration.
//!
//! | file | holds |
//! | --- | --- |
//! | `series` | series from tables, with every fault of a table named |
//! | `outputs` | tables, probability paper and summary of a frequency analysis |
//! | `idf` | intensity-duration-frequency and the storm formula |

mod idf;
mod outputs;
mod series;

pub use idf::{IdfOptions, RainUnit, run_idf};

use crate::manifest::{Draft, Manifest, record};
use anlan_engine::extremes::peaks::{Declustering, ThresholdCheck, threshold_checks};
use anlan_engine::extremes::{
    CurveFitting, Distribution, Fitted, Goodness, Interval, Method, Plotting, Sample, goodness,
};
use anlan_engine::random::Stream;
use anlan_engine::{Error, Fault, Result};
use series::Taken;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Stream of the bootstrap's random numbers: the same seed gives the same bands to all who use it.
pub const STREAM: u16 = 40;

/// What a table holds, and what is taken from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// One value a year.
    AnnualMaxima,
    /// One value a day: the greatest of each calendar year is taken.
    DailyMaxima,
    /// One value a day: independent peaks over a threshold are taken.
    DailyPeaks(Declustering),
}

/// How bands are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Band {
    /// Percentiles of parametric bootstrap samples.
    #[default]
    Bootstrap,
    /// Delta method.
    Delta,
}

/// Options of a frequency analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct FrequencyOptions {
    /// Column of values; the only one beside the time where none is named.
    pub column: Option<String>,
    /// Column of years or dates; one with a known name, else the first, where none is named.
    pub time: Option<String>,
    /// What the table holds.
    pub kind: Kind,
    /// Laws; none: Pearson III for annual maxima, generalised Pareto for peaks.
    pub distributions: Vec<Distribution>,
    /// Method; none: the customary one of each law.
    pub method: Option<Method>,
    /// Options of curve fitting (适线法).
    pub curve_fitting: CurveFitting,
    /// Plotting positions.
    pub plotting: Plotting,
    /// Historic floods (历史洪水) from before the record, in the unit of the series.
    pub historic: Vec<f64>,
    /// First year of the period (调查期) that the historic floods are the greatest of; it ends with the record.
    pub since: Option<i32>,
    /// Confidence of the bands, above 0 and below 1.
    pub confidence: f64,
    /// How the bands are made.
    pub band: Band,
    /// Bootstrap samples, 20..=100,000.
    pub replicates: u32,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Return periods, years, above 1.
    pub return_periods: Vec<f64>,
    /// Take a series with missing years or days as it is.
    pub gaps: bool,
    /// Name and unit of the values on the plot; the name of the column where empty.
    pub label: String,
    /// Output folder; `out` beside the table by default.
    pub out: Option<PathBuf>,
    /// True: plot and summary in Chinese.
    pub zh: bool,
    /// Further fonts for the plot.
    pub fonts: Vec<PathBuf>,
}

impl Default for FrequencyOptions {
    fn default() -> Self {
        FrequencyOptions {
            column: None,
            time: None,
            kind: Kind::AnnualMaxima,
            distributions: Vec::new(),
            method: None,
            curve_fitting: CurveFitting::default(),
            plotting: Plotting::default(),
            historic: Vec::new(),
            since: None,
            confidence: 0.9,
            band: Band::default(),
            replicates: 1000,
            seed: 1,
            return_periods: vec![
                2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 10_000.0,
            ],
            gaps: false,
            label: String::new(),
            out: None,
            zh: false,
            fonts: Vec::new(),
        }
    }
}

/// One fitted law and how well it fits.
struct Told {
    fitted: Fitted,
    goodness: Goodness,
    /// -ln L of the sample; infinite where a value lies outside the support. NaN with historic floods.
    negative_log_likelihood: f64,
}

impl Told {
    fn interval(&self, years: f64, options: &FrequencyOptions) -> Interval {
        match options.band {
            Band::Bootstrap => self.fitted.bootstrap_interval(years, options.confidence),
            Band::Delta => self.fitted.delta_interval(years, options.confidence),
        }
    }
}

/// Everything that the outputs tell.
struct Analysis {
    name: String,
    /// Label (year, date, or `historic`) and value.
    taken: Taken,
    sample: Sample,
    historic: usize,
    told: Vec<Told>,
    missing_years: Vec<i32>,
    checks: Vec<ThresholdCheck>,
}

/// Fits laws to a series and writes tables, plot and summary to `frequency/` in the output folder, which is returned.
///
/// # Errors
/// Faults of the table, all together; options out of range or at odds with each other; a sample too small or flat to fit.
pub fn run(path: &Path, options: &FrequencyOptions) -> Result<PathBuf> {
    check(options)?;
    let distributions = distributions(options)?;
    let (name, taken, missing_years) = take(path, options)?;
    let (sample, historic) = sample(path, &taken, options)?;
    if sample.values.len() < 10 {
        return Err(Error::input(Fault::new(
            path,
            format!("{} values", sample.values.len()),
            "10 or more",
            "take a longer series, or a lower threshold",
        )));
    }
    let mut told = Vec::new();
    for distribution in distributions {
        let method = options.method.unwrap_or(distribution.customary());
        let stream = Stream::new(options.seed, STREAM);
        let fitted = sample
            .fit_with_errors(
                distribution,
                method,
                &options.curve_fitting,
                options.replicates,
                stream,
            )
            .ok_or_else(|| {
                Error::input(Fault::new(
                    path,
                    format!(
                        "a series to which {} cannot be fitted",
                        outputs::law_name(distribution, false)
                    ),
                    "five or more different values, above zero on average",
                    "choose another law or method",
                ))
            })?;
        let law = fitted.law;
        told.push(Told {
            goodness: fit_of(&sample, &fitted, historic > 0),
            negative_log_likelihood: if historic > 0 {
                f64::NAN
            } else {
                law.negative_log_likelihood(&sample.values)
            },
            fitted,
        });
    }
    let checks = match options.kind {
        Kind::DailyPeaks(how) => threshold_table(path, options, &how)?,
        _ => Vec::new(),
    };
    let analysis = Analysis {
        name,
        taken,
        sample,
        historic,
        told,
        missing_years,
        checks,
    };
    let out = folder(path, options.out.as_deref());
    let manifest = manifest(
        "frequency",
        path,
        options.seed,
        format!("{:?}", stated(options)),
    )?;
    let draft = Draft::begin(&out, "frequency", &manifest.key)?;
    outputs::write(path, &analysis, options, &draft)?;
    draft.commit(manifest)?;
    Ok(out.join("frequency"))
}

/// Options that the numbers depend on: where they are written does not count.
fn stated(options: &FrequencyOptions) -> FrequencyOptions {
    FrequencyOptions {
        out: None,
        fonts: Vec::new(),
        ..options.clone()
    }
}

fn folder(path: &Path, out: Option<&Path>) -> PathBuf {
    let beside = || path.parent().unwrap_or_else(|| Path::new("")).join("out");
    out.map_or_else(beside, Path::to_path_buf)
}

fn manifest(task: &str, path: &Path, seed: u64, options: String) -> Result<Manifest> {
    let input = record(path, path.parent().unwrap_or_else(|| Path::new("")))?;
    Ok(Manifest::new(
        task,
        seed,
        serde_json::Value::String(options),
        vec![input],
        BTreeMap::new(),
    ))
}

fn option_fault(name: &str, found: String, expected: &str, remedy: &str) -> Fault {
    Fault::new(name, found, expected, remedy)
}

fn check_return_periods(periods: &[f64], faults: &mut Vec<Fault>) {
    for t in periods {
        if !(*t > 1.0 && *t <= 1e6) {
            faults.push(option_fault(
                "--return-periods",
                t.to_string(),
                "years above 1 and up to 1,000,000",
                "correct the value",
            ));
        }
    }
    if periods.is_empty() {
        faults.push(option_fault(
            "--return-periods",
            "none".into(),
            "one or more",
            "give some years",
        ));
    }
}

fn check(options: &FrequencyOptions) -> Result<()> {
    let mut faults = Vec::new();
    let mut expect = |holds: bool, name: &str, found: String, expected: &str| {
        if !holds {
            faults.push(option_fault(name, found, expected, "correct the value"));
        }
    };
    let c = options.confidence;
    expect(
        c > 0.0 && c < 1.0,
        "--confidence",
        c.to_string(),
        "a number between 0 and 1",
    );
    let n = options.replicates;
    expect(
        (20..=100_000).contains(&n),
        "--replicates",
        n.to_string(),
        "20 to 100,000",
    );
    if let Some(ratio) = options.curve_fitting.cs_cv_ratio {
        expect(
            (-10.0..=20.0).contains(&ratio),
            "--cs-cv",
            ratio.to_string(),
            "a ratio of -10 to 20",
        );
    }
    if let Kind::DailyPeaks(how) = options.kind {
        expect(
            how.threshold.is_finite() && how.threshold >= 0.0,
            "--threshold",
            how.threshold.to_string(),
            "a number of zero or more",
        );
    }
    for h in &options.historic {
        expect(
            h.is_finite() && *h > 0.0,
            "--historic",
            h.to_string(),
            "a number above zero",
        );
    }
    expect(
        options.historic.is_empty() == options.since.is_none(),
        "--historic, --since",
        "one without the other".into(),
        "historic floods and the first year of the period that they are the greatest of",
    );
    expect(
        options.historic.is_empty() || !matches!(options.kind, Kind::DailyPeaks(_)),
        "--historic",
        "historic floods beside peaks over a threshold".into(),
        "annual maxima",
    );
    expect(
        options.historic.is_empty() || options.plotting == Plotting::Weibull,
        "--plotting",
        "another formula".into(),
        "m/(n+1) with historic floods",
    );
    check_return_periods(&options.return_periods, &mut faults);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}

/// The laws to fit: those asked for, refused where they do not go with the sample or the method.
fn distributions(options: &FrequencyOptions) -> Result<Vec<Distribution>> {
    let peaks = matches!(options.kind, Kind::DailyPeaks(_));
    let mut chosen = options.distributions.clone();
    if chosen.is_empty() {
        chosen.push(if peaks {
            Distribution::Gpd
        } else {
            Distribution::Pearson3
        });
    }
    for d in &chosen {
        let name = outputs::law_name(*d, false);
        if (*d == Distribution::Gpd) != peaks {
            return Err(Error::input(option_fault(
                "--distribution",
                format!(
                    "{name} with {}",
                    if peaks {
                        "peaks over a threshold"
                    } else {
                        "annual maxima"
                    }
                ),
                if peaks {
                    "gpd"
                } else {
                    "pearson3, gev or gumbel"
                },
                "choose a law that goes with the series: gpd with --kind daily --threshold, the others with annual maxima",
            )));
        }
        let method = options.method.unwrap_or(d.customary());
        if !d.allows(method) {
            return Err(Error::input(option_fault(
                "--method",
                format!("{} for {name}", outputs::method_name(method, false)),
                if *d == Distribution::Gpd {
                    "l-moments or likelihood"
                } else {
                    "curve-fitting or l-moments"
                },
                "choose another method: the likelihood of Pearson III has no maximum for many samples, and curve fitting is not offered for peaks",
            )));
        }
        if !options.historic.is_empty() && method != Method::CurveFitting {
            return Err(Error::input(option_fault(
                "--historic",
                format!(
                    "historic floods with {}",
                    outputs::method_name(method, false)
                ),
                "curve fitting",
                "pass --method curve-fitting",
            )));
        }
    }
    Ok(chosen)
}

fn take(path: &Path, options: &FrequencyOptions) -> Result<(String, Taken, Vec<i32>)> {
    let (time, column) = (options.time.as_deref(), options.column.as_deref());
    if options.kind == Kind::AnnualMaxima {
        let mut read = series::annual(path, time, column, false, options.gaps)?;
        let years = read.years.iter().map(ToString::to_string);
        let taken = Taken {
            years: read.years.len() as f64,
            values: years.zip(read.values.remove(0)).collect(),
            left_out: Vec::new(),
            missing: 0,
        };
        return Ok((read.names.remove(0), taken, read.missing));
    }
    let read = series::daily(path, time, column, options.gaps)?;
    let taken = match &options.kind {
        Kind::DailyPeaks(how) => read.peaks(how),
        _ => read.annual_maxima(),
    };
    Ok((read.name, taken, Vec::new()))
}

fn sample(path: &Path, taken: &Taken, options: &FrequencyOptions) -> Result<(Sample, usize)> {
    let values: Vec<f64> = taken.values.iter().map(|v| v.1).collect();
    if let Kind::DailyPeaks(how) = options.kind {
        let sample = Sample::peaks(&values, how.threshold, taken.years, options.plotting);
        return Ok((sample, 0));
    }
    let Some(since) = options.since else {
        return Ok((Sample::annual(&values, options.plotting), 0));
    };
    let year = |t: Option<&(String, f64)>| t.and_then(|t| t.0.parse::<i32>().ok());
    let (first, last) = (year(taken.values.first()), year(taken.values.last()));
    let (first, last) = (first.unwrap_or(since), last.unwrap_or(since));
    let period = usize::try_from(last - since + 1).unwrap_or(0);
    let sample = (since < first)
        .then(|| Sample::with_history(&values, &options.historic, period))
        .flatten();
    match sample {
        Some(sample) => Ok((sample, options.historic.len())),
        None => Err(Error::input(
            Fault::new(
                path,
                format!("a record that begins in {first}, and historic floods since {since}"),
                "a period that begins before the record, with room for the historic floods",
                "correct --since, or add historic floods that lie in the record to the table",
            )
            .at("--since"),
        )),
    }
}

/// Root mean square and efficiency at the plotting positions that were used; Kolmogorov's distance where there is no history,
/// whose steps it does not know.
fn fit_of(sample: &Sample, fitted: &Fitted, history: bool) -> Goodness {
    let law = fitted.law;
    let n = sample.values.len() as f64;
    let mean = sample.values.iter().sum::<f64>() / n;
    let (mut squares, mut spread) = (0.0, 0.0);
    for (v, p) in sample.values.iter().zip(&sample.exceedance) {
        let d = v - law.exceeded(*p);
        squares += d * d;
        spread += (v - mean) * (v - mean);
    }
    let steps = goodness(&sample.values, |x| law.cdf(x), |p| law.exceeded(1.0 - p));
    Goodness {
        ks: if history { f64::NAN } else { steps.ks },
        rmse: (squares / n).sqrt(),
        efficiency: 1.0 - squares / spread,
    }
}

/// Checks of thresholds from half to one and a half times the chosen one, each declustered for itself.
fn threshold_table(
    path: &Path,
    options: &FrequencyOptions,
    how: &Declustering,
) -> Result<Vec<ThresholdCheck>> {
    let read = series::daily(
        path,
        options.time.as_deref(),
        options.column.as_deref(),
        options.gaps,
    )?;
    let thresholds = (10..=30).map(|k| how.threshold * f64::from(k) / 20.0);
    let at = |threshold: f64| {
        let values: Vec<f64> = read
            .peaks(&Declustering { threshold, ..*how })
            .values
            .iter()
            .map(|v| v.1)
            .collect();
        threshold_checks(&values, &[threshold])
    };
    Ok(thresholds.flat_map(at).filter(|c| c.count >= 10).collect())
}
