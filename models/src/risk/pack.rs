//! Rule packs (规则包): a whole chain from indicators to grades as data with provenance. Operators are code
//! ([`chain`](super::chain)); which of them, with which numbers, names and colours, is the pack's.

use super::scheme::SchemeUse;
use anlan_engine::grade::{Grading, Normalisation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Part of a risk that indicators belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Factor {
    /// Hazard (危险性, H).
    Hazard,
    /// Hazard-forming environment (孕灾环境): becomes a coefficient of the hazard.
    Environment,
    /// Exposure (暴露度, E).
    Exposure,
    /// Vulnerability (脆弱性, V).
    Vulnerability,
    /// Capacity to prevent and relieve (减灾能力, C): give its indicators the direction `negative`.
    Capacity,
}

impl Factor {
    /// All, in the order in which chains are told.
    pub const ALL: [Factor; 5] = [
        Factor::Hazard,
        Factor::Environment,
        Factor::Exposure,
        Factor::Vulnerability,
        Factor::Capacity,
    ];

    /// Name as packs write it.
    pub fn name(self) -> &'static str {
        match self {
            Factor::Hazard => "hazard",
            Factor::Environment => "environment",
            Factor::Exposure => "exposure",
            Factor::Vulnerability => "vulnerability",
            Factor::Capacity => "capacity",
        }
    }

    /// Chinese name.
    pub fn name_zh(self) -> &'static str {
        match self {
            Factor::Hazard => "危险性",
            Factor::Environment => "孕灾环境",
            Factor::Exposure => "暴露度",
            Factor::Vulnerability => "脆弱性",
            Factor::Capacity => "减灾能力",
        }
    }
}

/// What is done to raw values before they are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// Nothing.
    #[default]
    None,
    /// Square root: counts per cell are skew.
    Sqrt,
    /// ln(1 + x).
    Log1p,
}

impl Transform {
    /// The value transformed; negative values have no square root and stay missing.
    pub fn apply(self, v: f64) -> f64 {
        match self {
            Transform::None => v,
            Transform::Sqrt => v.sqrt(),
            Transform::Log1p => libm::log1p(v),
        }
    }
}

/// Whether more of an indicator means more risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More is worse (正向指标).
    #[default]
    Positive,
    /// More is better (负向指标).
    Negative,
}

/// One indicator (指标) of a chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Name within the pack.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Part of the risk that it belongs to.
    pub factor: Factor,
    /// Source layer, by the name that the caller's catalogue knows.
    pub layer: String,
    /// Return period, years, of layers that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_period: Option<f64>,
    /// What is done to raw values.
    #[serde(default)]
    pub transform: Transform,
    /// Whether more is worse.
    #[serde(default)]
    pub direction: Direction,
    /// How it is brought to a common scale, over the valid rows.
    #[serde(default = "as_it_is")]
    pub normalise: Normalisation,
    /// Least (max − min)/max for which differences count: stretched to 0..1 a difference that nobody could measure would
    /// look like one that matters.
    #[serde(default)]
    pub least_contrast: f64,
    /// Value of every row where there is no contrast; by default that of the normalisation (0, or 0.5 of its upper half).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<f64>,
    /// Rows in which all indicators of the factor that say so are 0 take no part.
    #[serde(default)]
    pub present: bool,
}

fn as_it_is() -> Normalisation {
    Normalisation::None
}

impl Indicator {
    /// The normalisation with the direction in it; `None` where the method has no negative form.
    pub fn scaling(&self) -> Option<Normalisation> {
        match self.direction {
            Direction::Positive => Some(self.normalise),
            Direction::Negative => self.normalise.negative(),
        }
    }
}

/// How the indicators of a factor, or factors, become one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Weighting {
    /// Weighted sum, all the same weight.
    #[default]
    Equal,
    /// Weighted sum by information entropy (熵权).
    Entropy,
    /// Weighted sum by experts' weights (专家打分), in the order of the indicators, adding up to 1.
    Expert {
        /// The weights.
        values: Vec<f64>,
    },
    /// Weighted sum by the analytic hierarchy process (层次分析法); its consistency ratio must stay below 0.1.
    Ahp {
        /// Pairwise judgements, in the order of the indicators.
        judgements: Vec<Vec<f64>>,
    },
    /// The greatest of them (最大值).
    Greatest,
    /// Scores of classes joined two by two through a matrix, from the highest down (矩阵): scores as of
    /// [`Grading::Matrix`], 0 for none.
    Fold {
        /// Class of two classes, rows and columns from the highest: one table for each number of grades that the pack may
        /// have by its schemes.
        tables: Vec<Vec<Vec<u8>>>,
    },
}

/// How a factor is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorRule {
    /// How its indicators are joined.
    #[serde(default)]
    pub weights: Weighting,
    /// Normalisation of the factor's index before it is combined.
    #[serde(default = "as_it_is")]
    pub rescale: Normalisation,
}

impl Default for FactorRule {
    fn default() -> Self {
        FactorRule {
            weights: Weighting::Equal,
            rescale: Normalisation::None,
        }
    }
}

/// One side of a matrix: a factor and how its index becomes classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The factor.
    pub factor: Factor,
    /// Classes of its index.
    pub grading: Grading,
}

/// How factors become the index.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Combine {
    /// The hazard alone (with its environment).
    #[default]
    Hazard,
    /// Weighted sum of the factors, in their order.
    WeightedSum {
        /// Weights of the factors.
        weights: Weighting,
    },
    /// H^a × E^b × V^c.
    Product {
        /// Exponent of each factor.
        exponents: BTreeMap<Factor, f64>,
    },
    /// Classes of two factors through a matrix; the index is the score of the class.
    Matrix {
        /// Rows.
        rows: Axis,
        /// Columns.
        columns: Axis,
        /// Class of (row class, column class), from the highest.
        table: Vec<Vec<u8>>,
    },
}

/// How cells become units (township, county, prefecture, province).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitRule {
    /// Weight of a cell in the mean of its unit: a layer, or `area`. Cells without a grade count as 0.
    pub weight: String,
    /// Pack by which the means of the units of one level are graded.
    pub pack: String,
}

impl Default for UnitRule {
    fn default() -> Self {
        UnitRule {
            weight: "area".into(),
            pack: "unit-risk".into(),
        }
    }
}

/// One rule pack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// Name.
    pub id: String,
    /// Hazard it grades, `any`, or `all` for several together.
    pub hazard: String,
    /// What it grades: `hazard`, `population`, `gdp`, `housing`, `crops`, `roads`, `comprehensive`, or `unit`.
    pub object: String,
    /// Chinese title of its maps.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Who issued the standard.
    pub issuer: String,
    /// Number of the standard; empty where unknown.
    #[serde(default)]
    pub standard: String,
    /// Year of the standard.
    pub year: u16,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the numbers come from.
    pub source: String,
    /// Indicators, those of a factor in the order of its weights.
    #[serde(default, rename = "indicator")]
    pub indicators: Vec<Indicator>,
    /// How each factor is made; equal weights and no rescaling where absent.
    #[serde(default, rename = "factor")]
    pub factors: BTreeMap<Factor, FactorRule>,
    /// Range to which the environment is rescaled; the hazard is multiplied by 1 + coefficient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<[f64; 2]>,
    /// How factors are combined.
    #[serde(default)]
    pub combine: Combine,
    /// Normalisation of the index before it is graded.
    #[serde(default = "as_it_is")]
    pub rescale: Normalisation,
    /// How cells become units.
    #[serde(default)]
    pub units: UnitRule,
    /// Schemes of grades that may be selected; the first is the default.
    #[serde(default)]
    pub schemes: Vec<SchemeUse>,
    /// Scheme in use; empty where grading, names and colours are the pack's own.
    #[serde(default)]
    pub scheme: String,
    /// How the index becomes grades.
    #[serde(default = "unset")]
    pub grading: Grading,
    /// Chinese names of the grades, highest first.
    #[serde(default)]
    pub names_zh: Vec<String>,
    /// English names.
    #[serde(default)]
    pub names_en: Vec<String>,
    /// Colours, red green blue, highest first.
    #[serde(default)]
    pub colours: Vec<[u8; 3]>,
}

/// A grading that a scheme will replace.
fn unset() -> Grading {
    Grading::Fixed { from: Vec::new() }
}

impl RulePack {
    /// Short hash (64 bits of FNV-1a, hexadecimal) of everything in the pack, stamped on what it made.
    ///
    /// # Panics
    /// Never: a pack is plain data with text keys.
    pub fn hash(&self) -> String {
        let text = serde_json::to_string(self).expect("plain data with text keys has a JSON form");
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// Name of a grade, 1 the highest; empty for 0, no grade.
    pub fn name(&self, grade: u8, zh: bool) -> &str {
        let names = if zh { &self.names_zh } else { &self.names_en };
        (grade as usize)
            .checked_sub(1)
            .and_then(|i| names.get(i))
            .map_or("", String::as_str)
    }

    /// Title in a language.
    pub fn title(&self, zh: bool) -> &str {
        if zh { &self.title_zh } else { &self.title_en }
    }

    /// Number of grades.
    pub fn classes(&self) -> usize {
        self.grading.classes()
    }

    /// The factors that have indicators, in order.
    pub fn used(&self) -> Vec<Factor> {
        Factor::ALL
            .into_iter()
            .filter(|f| self.indicators.iter().any(|i| i.factor == *f))
            .collect()
    }

    /// Indicators of a factor, with their place in the pack.
    pub fn of(&self, factor: Factor) -> impl Iterator<Item = (usize, &Indicator)> {
        self.indicators
            .iter()
            .enumerate()
            .filter(move |(_, i)| i.factor == factor)
    }

    /// How a factor is made.
    pub fn rule(&self, factor: Factor) -> FactorRule {
        self.factors.get(&factor).cloned().unwrap_or_default()
    }
}
