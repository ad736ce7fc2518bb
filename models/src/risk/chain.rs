//! The chain of a rule pack, evaluated: indicators in as columns, index and grades out, with every number that was fitted
//! on the way, from which one row can be told step by step.
//!
//! A row is valid where every indicator is known and, in each factor that asks for presence, one of its indicators is above
//! 0. All statistics (least and greatest, means, entropies, thresholds) are those of the valid rows.
//!
//! 1. transform, normalise each indicator;
//! 2. join the indicators of each factor (entropy, AHP, experts, equal, greatest, matrix);
//! 3. rescale the environment to its range; hazard × (1 + coefficient);
//! 4. rescale each factor's index;
//! 5. combine the factors (weighted sum, product, matrix);
//! 6. rescale the index; grade it.

use super::pack::{Combine, Factor, Indicator, RulePack, Weighting};
use anlan_engine::Result;
use anlan_engine::grade::{Ahp, Scale, ahp, class_of, entropy, matrix_class};
use serde::{Deserialize, Serialize};

/// What was fitted for an indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedIndicator {
    /// Name.
    pub id: String,
    /// Its scale over the valid rows, after the transform.
    pub scale: Scale,
    /// The one value of all rows, where there is no contrast.
    pub constant: Option<f64>,
    /// Weight within its factor; 0 where the factor takes no weights.
    pub weight: f64,
    /// Information entropy, where weights come from it.
    pub entropy: Option<f64>,
}

/// What was fitted for a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedFactor {
    /// The factor.
    pub factor: Factor,
    /// The hierarchy process behind its weights.
    pub ahp: Option<Ahp>,
    /// Scale of its index.
    pub scale: Scale,
    /// Weight or exponent in the combination.
    pub power: f64,
    /// Thresholds of its classes, where a matrix combines.
    pub thresholds: Vec<f64>,
}

/// Everything that was fitted to the valid rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// Number of valid rows.
    pub rows: usize,
    /// The indicators, in the order of the pack.
    pub indicators: Vec<FittedIndicator>,
    /// The factors that have indicators.
    pub factors: Vec<FittedFactor>,
    /// The hierarchy process behind the weights of the factors.
    pub ahp: Option<Ahp>,
    /// Scale of the index.
    pub scale: Scale,
    /// Values from which the grades but the lowest begin, highest first; empty where no row is valid.
    pub thresholds: Vec<f64>,
}

/// Index and grade of every row.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Index; NaN where the row is not valid.
    pub index: Vec<f64>,
    /// Grade, 1 the highest; 0 where the row is not valid.
    pub grade: Vec<u8>,
    /// Index of each factor before it is rescaled, the hazard with its environment; NaN where the row is not valid.
    pub factors: Vec<(Factor, Vec<f64>)>,
    /// What was fitted.
    pub fitted: Fitted,
}

/// One indicator of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndicatorStep {
    /// Name.
    pub id: String,
    /// Value of the layer.
    pub raw: f64,
    /// After the transform.
    pub transformed: f64,
    /// On the common scale.
    pub normalised: f64,
    /// Weight within the factor.
    pub weight: f64,
}

/// One factor of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactorStep {
    /// The factor.
    pub factor: Factor,
    /// Its indicators joined.
    pub joined: f64,
    /// Environment coefficient by which it was changed (hazard), or which it became (environment).
    pub coefficient: Option<f64>,
    /// Index: joined × (1 + coefficient) for the hazard.
    pub index: f64,
    /// Index on the scale of the combination.
    pub rescaled: f64,
    /// Class, where a matrix combines.
    pub class: Option<u8>,
}

/// The chain of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// Indicators.
    pub indicators: Vec<IndicatorStep>,
    /// Factors.
    pub factors: Vec<FactorStep>,
    /// Factors combined.
    pub combined: f64,
    /// Combined, rescaled.
    pub index: f64,
    /// Grade, 1 the highest.
    pub grade: u8,
}

/// True where an indicator's rows without contrast are one value.
fn flat(rule: &Indicator, scale: &Scale) -> bool {
    let span = scale.high - scale.low;
    let greatest = scale.high.abs().max(scale.low.abs());
    span < rule.least_contrast * greatest || (span <= 0.0 && rule.constant.is_some())
}

/// Score of a class: as many as there are classes for the highest, 1 for the lowest, 0 for none.
pub fn score(class: u8, classes: usize) -> f64 {
    if class == 0 {
        0.0
    } else {
        (classes + 1 - class as usize) as f64
    }
}

/// Class of a score; 0 for a score of none.
fn class_of_score(score: f64, classes: usize) -> u8 {
    if score >= 1.0 {
        (classes as f64 + 1.0 - score.min(classes as f64)) as u8
    } else {
        0
    }
}

/// Joins the values of one row; `weights` in their order, scores of so many `classes`.
fn join(
    rule: &Weighting,
    classes: usize,
    weights: &[f64],
    values: impl Iterator<Item = f64> + Clone,
) -> f64 {
    match rule {
        Weighting::Greatest => values.fold(f64::NEG_INFINITY, f64::max),
        Weighting::Fold { tables } => {
            // A pack without a table for its grades is refused when it is read.
            let Some(table) = tables.iter().find(|t| t.len() == classes) else {
                return f64::NAN;
            };
            let mut found: Vec<u8> = values.map(|v| class_of_score(v, classes)).collect();
            found.retain(|c| *c > 0);
            found.sort_unstable();
            let joined = found
                .into_iter()
                .reduce(|a, b| matrix_class(table, a, b))
                .unwrap_or(0);
            score(joined, classes)
        }
        _ => values.zip(weights).map(|(v, w)| v * w).sum(),
    }
}

/// Weights of columns, with the entropies or the hierarchy process behind them.
type Weighed = (Vec<f64>, Vec<Option<f64>>, Option<Ahp>);

/// Weights of columns by a rule.
fn weigh(rule: &Weighting, columns: &[Vec<f64>]) -> Result<Weighed> {
    let n = columns.len();
    let none = vec![None; n];
    Ok(match rule {
        Weighting::Equal => (vec![1.0 / n as f64; n], none, None),
        Weighting::Expert { values } => (values.clone(), none, None),
        Weighting::Ahp { judgements } => {
            let found = ahp(judgements)?;
            (found.weights.clone(), none, Some(found))
        }
        // One indicator needs no weighting.
        Weighting::Entropy if n == 1 => (vec![1.0], none, None),
        Weighting::Entropy => {
            let found = entropy(columns);
            let entropies = found.entropy.into_iter().map(Some).collect();
            (found.weights, entropies, None)
        }
        Weighting::Greatest | Weighting::Fold { .. } => (vec![0.0; n], none, None),
    })
}

/// Coefficient of an environment's value.
fn coefficient(value: f64, scale: &Scale, [low, high]: [f64; 2]) -> f64 {
    let span = scale.high - scale.low;
    if span > 0.0 {
        low + (high - low) * (value - scale.low) / span
    } else {
        0.0
    }
}

/// Evaluates a pack over columns of raw values, one per indicator, NaN where unknown.
///
/// # Errors
/// Judgements that are no reciprocal matrix (packs are checked when read).
///
/// # Panics
/// Not one column per indicator, or columns of different lengths.
pub fn evaluate(pack: &RulePack, columns: &[&[f64]]) -> Result<Evaluated> {
    assert_eq!(
        columns.len(),
        pack.indicators.len(),
        "one column per indicator"
    );
    let rows = columns.first().map_or(0, |c| c.len());
    assert!(
        columns.iter().all(|c| c.len() == rows),
        "columns of the same rows"
    );
    let valid = valid_rows(pack, columns, rows);
    let used = pack.used();
    let mut indicators: Vec<Option<FittedIndicator>> = vec![None; pack.indicators.len()];
    let mut factors: Vec<FittedFactor> = Vec::new();
    let mut indices: Vec<Vec<f64>> = Vec::new();
    for &factor in &used {
        let rule = pack.rule(factor);
        let of: Vec<(usize, &Indicator)> = pack.of(factor).collect();
        let mut normalised = Vec::with_capacity(of.len());
        for &(k, indicator) in &of {
            let (fitted, column) = fit_indicator(indicator, columns[k], &valid);
            indicators[k] = Some(fitted);
            normalised.push(column);
        }
        let (weights, entropies, ahp) = weigh(&rule.weights, &normalised)?;
        for (j, &(k, _)) in of.iter().enumerate() {
            if let Some(fitted) = &mut indicators[k] {
                (fitted.weight, fitted.entropy) = (weights[j], entropies[j]);
            }
        }
        let joined = (0..valid.len())
            .map(|i| {
                join(
                    &rule.weights,
                    pack.classes(),
                    &weights,
                    normalised.iter().map(|c| c[i]),
                )
            })
            .collect::<Vec<f64>>();
        factors.push(FittedFactor {
            factor,
            ahp,
            scale: Scale::of(&joined, rule.rescale),
            power: 1.0,
            thresholds: Vec::new(),
        });
        indices.push(joined);
    }
    change_by_environment(pack, &mut factors, &mut indices);
    let ahp = combine_rules(pack, &mut factors, &indices)?;
    let combined: Vec<f64> = (0..valid.len())
        .map(|i| combine(pack, &factors, |f| indices[f][i]).0)
        .collect();
    let scale = Scale::of(&combined, pack.rescale);
    let index: Vec<f64> = combined.iter().map(|&v| scale.apply(v)).collect();
    let thresholds = if valid.is_empty() {
        Vec::new()
    } else {
        pack.grading.thresholds(&index)
    };
    let spread = |values: &[f64]| {
        let mut out = vec![f64::NAN; rows];
        for (&r, &v) in valid.iter().zip(values) {
            out[r as usize] = v;
        }
        out
    };
    let mut grade = vec![0; rows];
    for (&r, &v) in valid.iter().zip(&index) {
        grade[r as usize] = class_of(v, &thresholds);
    }
    Ok(Evaluated {
        index: spread(&index),
        grade,
        factors: used
            .iter()
            .zip(&indices)
            .map(|(&f, v)| (f, spread(v)))
            .collect(),
        fitted: Fitted {
            rows: valid.len(),
            indicators: indicators.into_iter().flatten().collect(),
            factors,
            ahp,
            scale,
            thresholds,
        },
    })
}

/// Rows where every indicator is known and every factor that asks for it is present.
fn valid_rows(pack: &RulePack, columns: &[&[f64]], rows: usize) -> Vec<u32> {
    let asked: Vec<Vec<usize>> = pack
        .used()
        .into_iter()
        .map(|f| {
            let of = pack.of(f).filter(|(_, i)| i.present);
            of.map(|(k, _)| k).collect::<Vec<_>>()
        })
        .filter(|asked| !asked.is_empty())
        .collect();
    (0..rows as u32)
        .filter(|&r| {
            let at = |k: usize| columns[k][r as usize];
            pack.indicators
                .iter()
                .enumerate()
                .all(|(k, i)| !i.transform.apply(at(k)).is_nan())
                && asked.iter().all(|of| of.iter().any(|&k| at(k) > 0.0))
        })
        .collect()
}

fn fit_indicator(rule: &Indicator, raw: &[f64], valid: &[u32]) -> (FittedIndicator, Vec<f64>) {
    let mut column: Vec<f64> = valid
        .iter()
        .map(|&r| rule.transform.apply(raw[r as usize]))
        .collect();
    // A pack whose direction has no form is refused when it is read.
    let method = rule.scaling().unwrap_or(rule.normalise);
    let scale = Scale::of(&column, method);
    let constant = flat(rule, &scale).then(|| rule.constant.unwrap_or_else(|| no_contrast(&scale)));
    for v in &mut column {
        *v = constant.unwrap_or_else(|| scale.apply(*v));
    }
    let fitted = FittedIndicator {
        id: rule.id.clone(),
        scale,
        constant,
        weight: 0.0,
        entropy: None,
    };
    (fitted, column)
}

/// What the normalisation gives where max = min.
fn no_contrast(scale: &Scale) -> f64 {
    let mut level = *scale;
    (level.low, level.high, level.sigma) = (scale.mean, scale.mean, 0.0);
    level.apply(scale.mean)
}

/// Hazard × (1 + coefficient), with the scale of the hazard fitted anew.
fn change_by_environment(pack: &RulePack, factors: &mut [FittedFactor], indices: &mut [Vec<f64>]) {
    let place = |f: Factor| factors.iter().position(|x| x.factor == f);
    let (Some(range), Some(h), Some(e)) = (
        pack.environment,
        place(Factor::Hazard),
        place(Factor::Environment),
    ) else {
        return;
    };
    let scale = factors[e].scale;
    let environment = std::mem::take(&mut indices[e]);
    for (v, &x) in indices[h].iter_mut().zip(&environment) {
        *v *= 1.0 + coefficient(x, &scale, range);
    }
    indices[e] = environment;
    factors[h].scale = Scale::of(&indices[h], factors[h].scale.method);
}

/// Weights, exponents or thresholds of the factors.
fn combine_rules(
    pack: &RulePack,
    factors: &mut [FittedFactor],
    indices: &[Vec<f64>],
) -> Result<Option<Ahp>> {
    match &pack.combine {
        Combine::Hazard => Ok(None),
        Combine::Product { exponents } => {
            for f in factors.iter_mut() {
                f.power = exponents.get(&f.factor).copied().unwrap_or(1.0);
            }
            Ok(None)
        }
        Combine::WeightedSum { weights } => {
            let of: Vec<usize> = (0..factors.len())
                .filter(|&k| factors[k].factor != Factor::Environment)
                .collect();
            let columns: Vec<Vec<f64>> = of
                .iter()
                .map(|&k| {
                    indices[k]
                        .iter()
                        .map(|&v| factors[k].scale.apply(v))
                        .collect()
                })
                .collect();
            let (found, _, ahp) = weigh(weights, &columns)?;
            for (&k, w) in of.iter().zip(found) {
                factors[k].power = w;
            }
            Ok(ahp)
        }
        Combine::Matrix { rows, columns, .. } => {
            for axis in [rows, columns] {
                for (f, v) in factors.iter_mut().zip(indices) {
                    if f.factor == axis.factor && !v.is_empty() {
                        let scaled: Vec<f64> = v.iter().map(|&x| f.scale.apply(x)).collect();
                        f.thresholds = axis.grading.thresholds(&scaled);
                    }
                }
            }
            Ok(None)
        }
    }
}

/// Factors of one row combined, with the classes of a matrix.
fn combine(
    pack: &RulePack,
    factors: &[FittedFactor],
    index: impl Fn(usize) -> f64,
) -> (f64, Option<(u8, u8)>) {
    let joined = || {
        factors
            .iter()
            .enumerate()
            .filter(|(_, f)| f.factor != Factor::Environment)
            .map(|(k, f)| (f, f.scale.apply(index(k))))
    };
    match &pack.combine {
        Combine::Hazard => (joined().map(|(_, v)| v).sum(), None),
        Combine::WeightedSum { weights } => {
            let powers: Vec<f64> = joined().map(|(f, _)| f.power).collect();
            (
                join(weights, pack.classes(), &powers, joined().map(|(_, v)| v)),
                None,
            )
        }
        Combine::Product { .. } => (
            joined()
                .map(|(f, v)| {
                    if f.power == 1.0 {
                        v
                    } else {
                        libm::pow(v, f.power)
                    }
                })
                .product(),
            None,
        ),
        Combine::Matrix {
            rows,
            columns,
            table,
        } => {
            let class = |factor: Factor| {
                joined()
                    .find(|(f, _)| f.factor == factor)
                    .map_or(0, |(f, v)| class_of(v, &f.thresholds))
            };
            let (r, c) = (class(rows.factor), class(columns.factor));
            let found = matrix_class(table, r, c);
            (score(found, pack.classes()), Some((r, c)))
        }
    }
}

impl Fitted {
    /// Why a row is not valid: the indicator that is unknown, or the factor that is absent; `None` for a valid row.
    pub fn invalid<'p>(&self, pack: &'p RulePack, raw: &[f64]) -> Option<(&'p Indicator, bool)> {
        for (i, &v) in pack.indicators.iter().zip(raw) {
            if i.transform.apply(v).is_nan() {
                return Some((i, false));
            }
        }
        for f in pack.used() {
            let mut asked = pack.of(f).filter(|(_, i)| i.present).peekable();
            if let Some(&(_, first)) = asked.peek()
                && asked.all(|(k, _)| raw[k] <= 0.0)
            {
                return Some((first, true));
            }
        }
        None
    }

    /// The chain of one valid row of raw values, one per indicator: the same numbers as in [`Evaluated`].
    pub fn steps(&self, pack: &RulePack, raw: &[f64]) -> Steps {
        let mut indicators = Vec::new();
        for ((rule, fitted), &raw) in pack.indicators.iter().zip(&self.indicators).zip(raw) {
            let transformed = rule.transform.apply(raw);
            indicators.push(IndicatorStep {
                id: rule.id.clone(),
                raw,
                transformed,
                normalised: fitted
                    .constant
                    .unwrap_or_else(|| fitted.scale.apply(transformed)),
                weight: fitted.weight,
            });
        }
        let mut factors: Vec<FactorStep> = self
            .factors
            .iter()
            .map(|f| {
                let of: Vec<&IndicatorStep> =
                    pack.of(f.factor).map(|(k, _)| &indicators[k]).collect();
                let weights: Vec<f64> = of.iter().map(|i| i.weight).collect();
                let joined = join(
                    &pack.rule(f.factor).weights,
                    pack.classes(),
                    &weights,
                    of.iter().map(|i| i.normalised),
                );
                FactorStep {
                    factor: f.factor,
                    joined,
                    coefficient: None,
                    index: joined,
                    rescaled: joined,
                    class: None,
                }
            })
            .collect();
        let place = |f: Factor| self.factors.iter().position(|x| x.factor == f);
        if let (Some(range), Some(h), Some(e)) = (
            pack.environment,
            place(Factor::Hazard),
            place(Factor::Environment),
        ) {
            let c = coefficient(factors[e].joined, &self.factors[e].scale, range);
            factors[e].coefficient = Some(c);
            factors[h].coefficient = Some(c);
            factors[h].index = factors[h].joined * (1.0 + c);
        }
        for (step, fitted) in factors.iter_mut().zip(&self.factors) {
            step.rescaled = fitted.scale.apply(step.index);
            if !fitted.thresholds.is_empty() {
                step.class = Some(class_of(step.rescaled, &fitted.thresholds));
            }
        }
        let (combined, _) = combine(pack, &self.factors, |k| factors[k].index);
        let index = self.scale.apply(combined);
        Steps {
            indicators,
            combined,
            index,
            grade: class_of(index, &self.thresholds),
            factors,
        }
    }
}
