//! What is told of a place: plain data, as JSON has it.

use anlan_engine::grade::Ahp;
use anlan_models::risk::Factor;
use serde::Serialize;

/// Everything told of a place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Release that made the grades.
    pub release: String,
    /// The place.
    pub place: PlaceTold,
    /// Chains, in the order in which one builds on the other.
    pub chains: Vec<ChainTold>,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlaceTold {
    /// A cell.
    Cell {
        /// Row, from 0 in the north.
        row: usize,
        /// Column, from 0 in the west.
        col: usize,
        /// x of its centre, m.
        x: f64,
        /// y of its centre, m.
        y: f64,
        /// EPSG code of the compute system.
        epsg: u32,
        /// Longitude of its centre, degrees.
        lon: f64,
        /// Latitude, degrees.
        lat: f64,
        /// (level, code, name) of the units that it lies in, lowest first.
        units: Vec<(String, String, String)>,
    },
    /// A unit.
    Unit {
        /// Level.
        level: String,
        /// Code.
        code: String,
        /// Name.
        name: String,
        /// Cells in it.
        cells: usize,
    },
}

/// A file with its hash, as the manifest of its stage has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileTold {
    /// Path in the output folder.
    pub path: String,
    /// Band or column.
    pub part: String,
    /// SHA-256; empty where the manifest does not list it.
    pub sha256: String,
}

/// One indicator.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IndicatorTold {
    /// Name in the pack.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Factor it belongs to.
    pub factor: Factor,
    /// Layer.
    pub layer: String,
    /// Unit of measure.
    pub unit: String,
    /// Return period of the maps used, years.
    pub return_period: Option<f64>,
    /// Files.
    pub files: Vec<FileTold>,
    /// Value of the layer; in a unit the mean over its valid cells.
    pub raw: Option<f64>,
    /// Transform, `none` for nothing.
    pub transform: String,
    /// After it.
    pub transformed: Option<f64>,
    /// Normalisation, with the direction in it.
    pub normalisation: String,
    /// Least value over all valid cells.
    pub min: f64,
    /// Greatest.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Population standard deviation.
    pub sigma: f64,
    /// The one value where there is no contrast.
    pub constant: Option<f64>,
    /// On the common scale.
    pub normalised: Option<f64>,
    /// Weight within the factor.
    pub weight: f64,
    /// Information entropy behind it.
    pub entropy: Option<f64>,
}

/// One factor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FactorTold {
    /// The factor.
    pub factor: Factor,
    /// How its indicators are joined.
    pub weighting: String,
    /// The hierarchy process behind the weights.
    pub ahp: Option<Ahp>,
    /// Indicators joined.
    pub joined: Option<f64>,
    /// Environment coefficient.
    pub coefficient: Option<f64>,
    /// Index.
    pub index: Option<f64>,
    /// Normalisation before the combination, with least and greatest index.
    pub rescale: String,
    /// Least index of all valid cells.
    pub min: f64,
    /// Greatest.
    pub max: f64,
    /// Index rescaled.
    pub rescaled: Option<f64>,
    /// Weight or exponent in the combination.
    pub power: f64,
    /// Class in a matrix, with its thresholds.
    pub class: Option<u8>,
    /// Thresholds of the classes.
    pub thresholds: Vec<f64>,
}

/// How cells became a unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Aggregation {
    /// Weight of each cell.
    pub weight: String,
    /// Cells of the unit.
    pub cells: usize,
    /// Cells with a grade; the others count as 0.
    pub valid_cells: usize,
    /// Sum of weights of all cells.
    pub weight_sum: f64,
    /// Sum of index × weight.
    pub weighted_sum: f64,
    /// Their quotient.
    pub mean: Option<f64>,
    /// Cells that add most: (x, y, index, weight, share of the weighted sum).
    pub greatest: Vec<[f64; 5]>,
    /// The pack that grades units.
    pub pack: PackTold,
}

/// A rule pack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PackTold {
    /// Name.
    pub id: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Issuer.
    pub issuer: String,
    /// Standard number.
    pub standard: String,
    /// Year.
    pub year: u16,
    /// `read` or `unverified`.
    pub status: String,
    /// Hash.
    pub hash: String,
    /// Where its numbers come from.
    pub source: String,
}

/// One chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChainTold {
    /// `cell`, or the level of the unit.
    pub level: String,
    /// Hazard, or `all`.
    pub hazard: String,
    /// Object, or the method of the comprehensive risk.
    pub object: String,
    /// Pack of the chain.
    pub pack: PackTold,
    /// Number of valid cells (or units) to which it was fitted.
    pub rows: usize,
    /// True where values are means over the valid cells of a unit.
    pub means: bool,
    /// Indicators.
    pub indicators: Vec<IndicatorTold>,
    /// Range of the environment coefficient.
    pub environment: Option<[f64; 2]>,
    /// Factors.
    pub factors: Vec<FactorTold>,
    /// How factors are combined.
    pub combination: String,
    /// Combined.
    pub combined: Option<f64>,
    /// Index.
    pub index: Option<f64>,
    /// How cells became the unit; `None` for a cell.
    pub aggregation: Option<Aggregation>,
    /// Method of the grading.
    pub grading: String,
    /// Thresholds, highest first.
    pub thresholds: Vec<f64>,
    /// Grade, 1 the highest; 0 for none.
    pub grade: u8,
    /// Chinese name.
    pub grade_zh: String,
    /// English name.
    pub grade_en: String,
    /// Why there is no grade.
    pub reason: Option<Reason>,
    /// File of the grade that the stage wrote, and that grade.
    pub stored: Option<(String, u8)>,
}

/// Why a place has no grade.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// An indicator is not known here.
    Unknown(String),
    /// An indicator is 0 here: no hazard, or nothing exposed.
    Absent(String),
    /// A unit alone on its level is not ranked.
    Alone,
}
