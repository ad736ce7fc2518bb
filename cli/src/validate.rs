//! Arguments of `anlan validate`, turned into the options of the library.

use anlan::models::hazard::Hazard;
use anlan::validation::ValidateOptions;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum HazardArgument {
    Flood,
    Convection,
    Geology,
    Fire,
}

/// Arguments of `anlan validate`.
#[derive(Args)]
pub struct ValidateArguments {
    /// Scores or grades: a GeoTIFF, or a layer of units (GeoPackage, GeoJSON, Shapefile).
    pub scores: PathBuf,
    /// Recorded disasters (CSV or Excel): date, code, hazard; lon and lat for a raster.
    pub history: PathBuf,
    /// Column of the score in a layer of units.
    #[arg(long)]
    column: Option<String>,
    /// Column of the division code in a layer of units.
    #[arg(long, default_value = "code")]
    code_column: String,
    /// Take events of this hazard only.
    #[arg(long, value_enum)]
    hazard: Option<HazardArgument>,
    /// The values are grades, 1 the highest and 0 none.
    #[arg(long)]
    grades: bool,
    /// Grades that count as a warning, from the highest.
    #[arg(long, default_value_t = 2)]
    warned: u8,
    /// Dictionary of the columns of the history (TOML).
    #[arg(long)]
    dictionary: Option<PathBuf>,
    /// Output folder; `out/validation` beside the history by default.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Further fonts for the plot.
    #[arg(long)]
    font: Vec<PathBuf>,
}

impl ValidateArguments {
    /// The options of the library.
    pub fn options(&self, zh: bool) -> ValidateOptions {
        ValidateOptions {
            column: self.column.clone(),
            code_column: Some(self.code_column.clone()),
            hazard: self.hazard.map(|h| match h {
                HazardArgument::Flood => Hazard::Flood,
                HazardArgument::Convection => Hazard::Convection,
                HazardArgument::Geology => Hazard::Geology,
                HazardArgument::Fire => Hazard::Fire,
            }),
            grades: self.grades,
            warned: self.warned,
            dictionary: self.dictionary.clone(),
            out: self.out.clone(),
            zh,
            fonts: self.font.clone(),
        }
    }
}
