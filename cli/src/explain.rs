//! Arguments of `anlan explain`, turned into the options of the library.

use anlan::engine::{Error, Fault};
use anlan::explain::{ExplainOptions, Place};
use clap::{ArgGroup, Args};
use std::path::PathBuf;

/// Arguments of `anlan explain`.
#[derive(Args)]
#[command(group(ArgGroup::new("place").required(true).args(["at", "unit"])))]
pub struct ExplainArguments {
    /// Project file (TOML).
    pub project: PathBuf,
    /// Output folder of the run; `out` beside the project file by default.
    #[arg(long)]
    out: Option<PathBuf>,
    /// A cell: x,y of the compute system in m, or longitude,latitude in degrees.
    #[arg(long, allow_hyphen_values = true)]
    at: Option<String>,
    /// A unit: code of a township, county, prefecture or province.
    #[arg(long)]
    unit: Option<String>,
    /// flood, convection, geology, fire, or all for the comprehensive risk; every one by default.
    #[arg(long)]
    hazard: Option<String>,
    /// hazard, comprehensive, population, gdp, housing, crops or roads; the comprehensive risk by default.
    #[arg(long)]
    object: Option<String>,
}

impl ExplainArguments {
    /// The options of the library.
    pub fn options(&self) -> Result<ExplainOptions, Error> {
        let place = match (&self.at, &self.unit) {
            (Some(at), _) => point(at)?,
            (None, Some(code)) => Place::Unit(code.clone()),
            (None, None) => {
                return Err(Error::Failed("neither --at nor --unit was given".into()));
            }
        };
        Ok(ExplainOptions {
            out: self.out.clone(),
            place,
            hazard: self.hazard.clone(),
            object: self.object.clone(),
        })
    }
}

fn point(text: &str) -> Result<Place, Error> {
    let parsed = text.split_once(',').and_then(|(x, y)| {
        let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite());
        Some((number(x)?, number(y)?))
    });
    match parsed {
        Some((x, y)) => Ok(Place::At(x, y)),
        None => Err(Error::input(
            Fault::new(
                "command line",
                format!("`{text}`"),
                "two numbers with a comma between",
                "write e.g. --at 463275,3219615 or --at 119.65,29.08",
            )
            .at("--at"),
        )),
    }
}
