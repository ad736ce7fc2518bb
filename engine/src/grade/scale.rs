//! Bringing indicators to a common scale (归一化).

use serde::{Deserialize, Serialize};

/// How an indicator is brought to a common scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// (x − min)/(max − min); 0 everywhere where max = min.
    MinMax,
    /// (max − x)/(max − min) for indicators of which more is better; 0 everywhere where max = min.
    MinMaxNegative,
    /// 0.5 + 0.5 (x − min)/(max − min); 0.5 everywhere where max = min. Products of such factors never vanish.
    Half,
    /// 0.5 + 0.5 (max − x)/(max − min); 0.5 everywhere where max = min.
    HalfNegative,
    /// (x − mean)/σ with the population σ; 0 everywhere where σ = 0.
    ZScore,
    /// (mean − x)/σ.
    ZScoreNegative,
    /// As it is.
    None,
}

impl Normalisation {
    /// The same for an indicator of which more is better (负向指标); `None` has no such form.
    pub fn negative(self) -> Option<Normalisation> {
        match self {
            Normalisation::MinMax | Normalisation::MinMaxNegative => {
                Some(Normalisation::MinMaxNegative)
            }
            Normalisation::Half | Normalisation::HalfNegative => Some(Normalisation::HalfNegative),
            Normalisation::ZScore | Normalisation::ZScoreNegative => {
                Some(Normalisation::ZScoreNegative)
            }
            Normalisation::None => None,
        }
    }
}

/// A scale fitted to the values of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// What it does.
    pub method: Normalisation,
    /// Least value; 0 where there is none.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// Mean.
    pub mean: f64,
    /// Population standard deviation.
    pub sigma: f64,
}

impl Scale {
    /// Fits a scale to the values that are not NaN.
    pub fn of(values: &[f64], method: Normalisation) -> Scale {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &v in values.iter().filter(|v| !v.is_nan()) {
            low = low.min(v);
            high = high.max(v);
        }
        if low > high {
            (low, high) = (0.0, 0.0);
        }
        let (mean, sigma) = mean_sigma(values);
        let known = |v: f64| if v.is_nan() { 0.0 } else { v };
        Scale {
            method,
            low,
            high,
            mean: known(mean),
            sigma: known(sigma),
        }
    }

    /// A value on the scale; NaN stays NaN.
    pub fn apply(&self, v: f64) -> f64 {
        let span = self.high - self.low;
        let share = |from: f64, to: f64| {
            if v.is_nan() {
                f64::NAN
            } else if span > 0.0 {
                (to - from) / span
            } else {
                0.0
            }
        };
        let z = |d: f64| {
            if d.is_nan() || self.sigma > 0.0 {
                d / self.sigma
            } else {
                0.0
            }
        };
        match self.method {
            Normalisation::MinMax => share(self.low, v),
            Normalisation::MinMaxNegative => share(v, self.high),
            Normalisation::Half => 0.5 + 0.5 * share(self.low, v),
            Normalisation::HalfNegative => 0.5 + 0.5 * share(v, self.high),
            Normalisation::ZScore => z(v - self.mean),
            Normalisation::ZScoreNegative => z(self.mean - v),
            Normalisation::None => v,
        }
    }
}

/// Brings values to a common scale; NaN stays NaN.
pub fn normalise(values: &[f64], method: Normalisation) -> Vec<f64> {
    let scale = Scale::of(values, method);
    values.iter().map(|&v| scale.apply(v)).collect()
}

/// Mean and population standard deviation of the values that are not NaN.
pub fn mean_sigma(values: &[f64]) -> (f64, f64) {
    let (mut n, mut sum) = (0.0, 0.0);
    for &v in values.iter().filter(|v| !v.is_nan()) {
        n += 1.0;
        sum += v;
    }
    let mean = sum / n;
    let square: f64 = values
        .iter()
        .filter(|v| !v.is_nan())
        .map(|v| (v - mean) * (v - mean))
        .sum();
    (mean, (square / n).sqrt())
}
