//! Arguments of `anlan frequency` and `anlan idf`, turned into the options of the library.

use anlan::engine::extremes::peaks::Declustering;
use anlan::engine::extremes::{CurveFitting, Distribution, Method, Objective, Plotting};
use anlan::engine::{Error, Fault};
use anlan::frequency::{Band, FrequencyOptions, IdfOptions, Kind, RainUnit};
use anlan::models::flood::idf::Weighing;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum KindArgument {
    AnnualMaxima,
    Daily,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum DistributionArgument {
    Pearson3,
    Gev,
    Gumbel,
    Gpd,
    All,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum MethodArgument {
    CurveFitting,
    LMoments,
    Likelihood,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum ObjectiveArgument {
    Squared,
    Absolute,
    RelativeSquared,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum PlottingArgument {
    /// m/(n+1).
    Weibull,
    /// (m-0.5)/n.
    Hazen,
    /// (m-0.44)/(n+0.12).
    Gringorten,
    /// (m-0.4)/(n+0.2).
    Cunnane,
    /// (m-0.375)/(n+0.25).
    Blom,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum BandArgument {
    Bootstrap,
    Delta,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum UnitArgument {
    Mm,
    #[value(name = "mm/h")]
    MmPerHour,
    #[value(name = "mm/min")]
    MmPerMinute,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum WeighingArgument {
    Absolute,
    Relative,
}

/// How a law is fitted: shared by both commands.
#[derive(Args)]
struct Fitting {
    /// Method; by default curve fitting for Pearson III, else likelihood.
    #[arg(long, value_enum)]
    method: Option<MethodArgument>,
    /// What curve fitting minimises.
    #[arg(long, value_enum, default_value = "squared")]
    objective: ObjectiveArgument,
    /// Hold Cs at this multiple of Cv (curve fitting of Pearson III).
    #[arg(long, allow_negative_numbers = true)]
    cs_cv: Option<f64>,
    /// Hold the mean of the sample (curve fitting of Pearson III).
    #[arg(long)]
    hold_mean: bool,
    /// Plotting positions.
    #[arg(long, value_enum, default_value = "weibull")]
    plotting: PlottingArgument,
    /// Column of years or dates.
    #[arg(long)]
    time: Option<String>,
    /// Take a series with missing years or days as it is.
    #[arg(long)]
    gaps: bool,
    /// Output folder; `out` beside the table by default.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Further fonts for the plot.
    #[arg(long)]
    font: Vec<PathBuf>,
}

/// Arguments of `anlan frequency`.
#[derive(Args)]
pub struct FrequencyArguments {
    /// Table (CSV or Excel): years and annual maxima, or dates and daily values.
    pub file: PathBuf,
    /// Column of values.
    #[arg(long)]
    column: Option<String>,
    /// What the table holds.
    #[arg(long, value_enum, default_value = "annual-maxima")]
    kind: KindArgument,
    /// Daily values: take independent peaks over this threshold instead of annual maxima.
    #[arg(long)]
    threshold: Option<f64>,
    /// Least days between two peaks.
    #[arg(long, default_value_t = 1)]
    separation: usize,
    /// Days not above the threshold that end an event; 0: every day above it is an event of its own.
    #[arg(long, default_value_t = 1)]
    run_length: usize,
    /// Laws, separated by commas; by default pearson3, or gpd for peaks.
    #[arg(long, value_enum, value_delimiter = ',')]
    distribution: Vec<DistributionArgument>,
    /// Historic floods from before the record, separated by commas.
    #[arg(long, value_delimiter = ',')]
    historic: Vec<f64>,
    /// First year of the period that the historic floods are the greatest of.
    #[arg(long)]
    since: Option<i32>,
    /// Confidence of the bands.
    #[arg(long, default_value_t = 0.9)]
    confidence: f64,
    /// How the bands are made.
    #[arg(long, value_enum, default_value = "bootstrap")]
    band: BandArgument,
    /// Bootstrap samples.
    #[arg(long, default_value_t = 1000)]
    replicates: u32,
    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Return periods, years.
    #[arg(long, value_delimiter = ',')]
    return_periods: Vec<f64>,
    /// Name and unit of the values on the plot.
    #[arg(long, default_value = "")]
    label: String,
    /// Threads; all cores by default. The results do not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
    #[command(flatten)]
    fitting: Fitting,
}

/// Arguments of `anlan idf`.
#[derive(Args)]
pub struct IdfArguments {
    /// Table (CSV or Excel) of annual maxima: years, and one column a duration (5min, 1h, 24小时).
    pub file: PathBuf,
    /// Unit of the values.
    #[arg(long, value_enum, default_value = "mm")]
    unit: UnitArgument,
    /// Law of the annual maxima.
    #[arg(long, value_enum, default_value = "pearson3")]
    distribution: DistributionArgument,
    /// Return periods, years.
    #[arg(long, value_delimiter = ',')]
    return_periods: Vec<f64>,
    /// Longest duration that the formula is fitted to, min.
    #[arg(long, default_value_t = 180.0)]
    longest: f64,
    /// What the fit of the formula weighs.
    #[arg(long, value_enum, default_value = "absolute")]
    weighing: WeighingArgument,
    /// Areas, km², separated by commas, over which the depths are reduced (点面折减).
    #[arg(long, value_delimiter = ',')]
    areas: Vec<f64>,
    #[command(flatten)]
    fitting: Fitting,
}

impl Fitting {
    fn method(&self) -> Option<Method> {
        self.method.map(|m| match m {
            MethodArgument::CurveFitting => Method::CurveFitting,
            MethodArgument::LMoments => Method::LMoments,
            MethodArgument::Likelihood => Method::Likelihood,
        })
    }

    fn curve_fitting(&self) -> CurveFitting {
        CurveFitting {
            objective: match self.objective {
                ObjectiveArgument::Squared => Objective::Squared,
                ObjectiveArgument::Absolute => Objective::Absolute,
                ObjectiveArgument::RelativeSquared => Objective::RelativeSquared,
            },
            hold_mean: self.hold_mean,
            cs_cv_ratio: self.cs_cv,
        }
    }

    fn plotting(&self) -> Plotting {
        match self.plotting {
            PlottingArgument::Weibull => Plotting::Weibull,
            PlottingArgument::Hazen => Plotting::Hazen,
            PlottingArgument::Gringorten => Plotting::Gringorten,
            PlottingArgument::Cunnane => Plotting::Cunnane,
            PlottingArgument::Blom => Plotting::Blom,
        }
    }
}

fn law(argument: DistributionArgument) -> Option<Distribution> {
    match argument {
        DistributionArgument::Pearson3 => Some(Distribution::Pearson3),
        DistributionArgument::Gev => Some(Distribution::Gev),
        DistributionArgument::Gumbel => Some(Distribution::Gumbel),
        DistributionArgument::Gpd => Some(Distribution::Gpd),
        DistributionArgument::All => None,
    }
}

impl FrequencyArguments {
    /// The options of the library.
    pub fn options(&self, zh: bool) -> Result<FrequencyOptions, Error> {
        let kind = match (self.kind, self.threshold) {
            (KindArgument::AnnualMaxima, None) => Kind::AnnualMaxima,
            (KindArgument::Daily, None) => Kind::DailyMaxima,
            (KindArgument::Daily, Some(threshold)) => Kind::DailyPeaks(Declustering {
                threshold,
                run: self.run_length,
                separation: self.separation,
            }),
            (KindArgument::AnnualMaxima, Some(threshold)) => {
                return Err(Error::input(Fault::new(
                    "--threshold",
                    threshold.to_string(),
                    "a table of daily values",
                    "pass --kind daily, or no threshold",
                )));
            }
        };
        let mut distributions = Vec::new();
        for &d in &self.distribution {
            let all = [
                Distribution::Pearson3,
                Distribution::Gev,
                Distribution::Gumbel,
            ];
            match law(d) {
                Some(law) => distributions.push(law),
                None if self.threshold.is_some() => distributions.push(Distribution::Gpd),
                // All that the method fits: the likelihood of Pearson III is not on offer.
                None => distributions.extend(
                    all.into_iter()
                        .filter(|l| self.fitting.method().is_none_or(|m| l.allows(m))),
                ),
            }
        }
        let standard = FrequencyOptions::default();
        Ok(FrequencyOptions {
            column: self.column.clone(),
            time: self.fitting.time.clone(),
            kind,
            distributions,
            method: self.fitting.method(),
            curve_fitting: self.fitting.curve_fitting(),
            plotting: self.fitting.plotting(),
            historic: self.historic.clone(),
            since: self.since,
            confidence: self.confidence,
            band: match self.band {
                BandArgument::Bootstrap => Band::Bootstrap,
                BandArgument::Delta => Band::Delta,
            },
            replicates: self.replicates,
            seed: self.seed,
            return_periods: if self.return_periods.is_empty() {
                standard.return_periods
            } else {
                self.return_periods.clone()
            },
            gaps: self.fitting.gaps,
            label: self.label.clone(),
            out: self.fitting.out.clone(),
            zh,
            fonts: self.fitting.font.clone(),
        })
    }
}

impl IdfArguments {
    /// The options of the library.
    pub fn options(&self, zh: bool) -> Result<IdfOptions, Error> {
        let distribution = law(self.distribution).ok_or_else(|| {
            Error::input(Fault::new(
                "--distribution",
                "all",
                "one law",
                "choose pearson3, gev or gumbel",
            ))
        })?;
        let standard = IdfOptions::default();
        Ok(IdfOptions {
            time: self.fitting.time.clone(),
            unit: match self.unit {
                UnitArgument::Mm => RainUnit::Depth,
                UnitArgument::MmPerHour => RainUnit::PerHour,
                UnitArgument::MmPerMinute => RainUnit::PerMinute,
            },
            distribution,
            method: self.fitting.method(),
            curve_fitting: self.fitting.curve_fitting(),
            plotting: self.fitting.plotting(),
            return_periods: if self.return_periods.is_empty() {
                standard.return_periods.clone()
            } else {
                self.return_periods.clone()
            },
            longest_min: self.longest,
            weighing: match self.weighing {
                WeighingArgument::Absolute => Weighing::Absolute,
                WeighingArgument::Relative => Weighing::Relative,
            },
            areas_km2: self.areas.clone(),
            gaps: self.fitting.gaps,
            out: self.fitting.out.clone(),
            zh,
            fonts: self.fitting.font.clone(),
            ..standard
        })
    }
}
