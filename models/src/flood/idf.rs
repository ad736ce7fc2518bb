//! Intensity-duration-frequency of rain at a station (暴雨强度—历时—频率) and the storm formula (暴雨强度公式) through it.
//!
//! Annual maxima of each duration are fitted by one law, read off at the return periods, made consistent across durations
//! (depths do not fall and intensities do not rise with the duration) and fitted by q = 167 A1 (1 + C lg P) / (t + b)^n,
//! L/(s ha), t in minutes; as intensity i = q/167, mm/min.
//!
//! For given b and n the formula is linear in A1 and A1·C, so that least squares has two dimensions to search
//! (variable projection; Golub and Pereyra 1973, SIAM J. Numer. Anal. 10, 413-432, doi:10.1137/0710036).
//!
//! It stands beside [`super::rain`], which turns a formula into design storms.
//!
//! # References
//! 城市暴雨强度公式编制和设计暴雨雨型确定技术导则 (Ministry of Housing and China Meteorological Administration, 2014): annual
//! maxima, Pearson III among the laws, errors by return period. Its limits of error (`status = "unverified"`: written from
//! memory, the text was not to be had) are fields of [`Limits`].

use super::rain::StormFormula;
use anlan_engine::extremes::fitting::minimise;
use anlan_engine::extremes::{CurveFitting, Distribution, Method, Plotting, Sample};
use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};

/// Intensities by duration and return period.
#[derive(Debug, Clone, PartialEq)]
pub struct IdfTable {
    /// Durations, min, ascending.
    pub durations_min: Vec<f64>,
    /// Return periods, years, ascending, above 1.
    pub return_periods: Vec<f64>,
    /// Intensity, mm/min: `[duration][return period]`.
    pub intensity_mm_min: Vec<Vec<f64>>,
    /// Values that were moved to make the table consistent.
    pub mended: usize,
    /// Greatest relative change among them; 0 where there was none.
    pub greatest_change: f64,
}

/// What the formula's least squares weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighing {
    /// Errors in mm/min: short durations rule.
    #[default]
    Absolute,
    /// Errors as shares of the intensity: all durations alike.
    Relative,
}

/// Limits of the formula's error over return periods of `from_years` to `to_years`: one of the two should be kept.
/// `status = "unverified"`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Mean absolute root-mean-square error (平均绝对均方根误差), mm/min.
    pub absolute_mm_min: f64,
    /// Mean relative root-mean-square error (平均相对均方根误差), as a share; for places of strong rain.
    pub relative: f64,
    /// Least return period, years.
    pub from_years: f64,
    /// Greatest return period, years.
    pub to_years: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            absolute_mm_min: 0.05,
            relative: 0.05,
            from_years: 2.0,
            to_years: 20.0,
        }
    }
}

/// Errors of a formula against the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FormulaError {
    /// Root-mean-square error, mm/min.
    pub absolute_mm_min: f64,
    /// Root-mean-square of the relative error, as a share.
    pub relative: f64,
}

/// A formula with its errors.
#[derive(Debug, Clone, PartialEq)]
pub struct FormulaFit {
    /// The formula.
    pub formula: StormFormula,
    /// Errors of each return period of the table, over the durations fitted.
    pub by_period: Vec<FormulaError>,
    /// Mean of those of the return periods within the limits' span; NaN where none lies in it.
    pub mean: FormulaError,
    /// Durations fitted, min.
    pub durations_min: Vec<f64>,
}

impl FormulaFit {
    /// Does the formula keep one of the two limits?
    pub fn keeps(&self, limits: &Limits) -> bool {
        self.mean.absolute_mm_min <= limits.absolute_mm_min || self.mean.relative <= limits.relative
    }
}

/// A change of the table beyond this share is refused: the durations then contradict each other.
const MOST_CHANGE: f64 = 0.2;

impl IdfTable {
    /// Fits the annual maxima of each duration (`depth_mm[duration]`, any order of years, NaN where missing) and reads off
    /// the return periods.
    ///
    /// Where the laws of neighbouring durations cross, depths (which may not fall with the duration) and intensities (which
    /// may not rise) are moved by isotonic regression, return period by return period; isotonic regression keeps the order
    /// of the return periods. What was moved is counted.
    ///
    /// # Errors
    /// Durations or return periods not ascending; a duration that the law does not fit, or has fewer than ten years; a
    /// change of more than 20 %.
    pub fn from_maxima(
        durations_min: &[f64],
        depth_mm: &[Vec<f64>],
        return_periods: &[f64],
        law: (Distribution, Method),
        options: &CurveFitting,
        plotting: Plotting,
    ) -> Result<IdfTable> {
        assert_eq!(durations_min.len(), depth_mm.len(), "one sample a duration");
        let fault = |found: String, expected: &str, remedy: &str| {
            Error::input(Fault::new("rain by duration", found, expected, remedy))
        };
        let rising =
            |v: &[f64]| v.windows(2).all(|w| w[0] < w[1]) && v.iter().all(|x| x.is_finite());
        if durations_min.is_empty() || !rising(durations_min) || durations_min[0] <= 0.0 {
            return Err(fault(
                format!("durations {durations_min:?} min"),
                "ascending durations above zero",
                "sort the columns by duration",
            ));
        }
        if return_periods.is_empty() || !rising(return_periods) || return_periods[0] <= 1.0 {
            return Err(fault(
                format!("return periods {return_periods:?}"),
                "ascending years above 1",
                "sort the return periods",
            ));
        }
        let mut intensity_mm_min = Vec::with_capacity(durations_min.len());
        for (&t, depths) in durations_min.iter().zip(depth_mm) {
            let sample = Sample::annual(depths, plotting);
            let fitted = (sample.values.len() >= 10)
                .then(|| sample.fit(law.0, law.1, options))
                .flatten();
            let Some(fitted) = fitted else {
                return Err(fault(
                    format!(
                        "{} annual maxima of {t} min that the law does not fit",
                        sample.values.len()
                    ),
                    "ten or more different values of each duration",
                    "leave the duration out, or choose another law or method",
                ));
            };
            let row: Vec<f64> = return_periods
                .iter()
                .map(|p| fitted.exceeded(1.0 / p) / t)
                .collect();
            if let Some(bad) = row.iter().find(|i| !(**i > 0.0 && i.is_finite())) {
                return Err(fault(
                    format!("an intensity of {bad} mm/min over {t} min"),
                    "a law with rain above zero",
                    "choose another law or method",
                ));
            }
            intensity_mm_min.push(row);
        }
        let mut table = IdfTable {
            durations_min: durations_min.to_vec(),
            return_periods: return_periods.to_vec(),
            intensity_mm_min,
            mended: 0,
            greatest_change: 0.0,
        };
        table.mend();
        if table.greatest_change > MOST_CHANGE {
            return Err(fault(
                format!(
                    "laws of neighbouring durations that cross by {:.0} %",
                    100.0 * table.greatest_change
                ),
                "depths that do not fall, and intensities that do not rise, with the duration, to 20 %",
                "check the units and the columns; leave out durations with few years",
            ));
        }
        Ok(table)
    }

    fn mend(&mut self) {
        let before = self.intensity_mm_min.clone();
        let t = &self.durations_min;
        for p in 0..self.return_periods.len() {
            let mut column: Vec<f64> = self.intensity_mm_min.iter().map(|row| row[p]).collect();
            // Each pass may disturb the other's order a little; they meet within a few rounds.
            for _ in 0..100 {
                let depth: Vec<f64> = column.iter().zip(t).map(|(i, t)| i * t).collect();
                let falls = |v: &[f64]| v.windows(2).any(|w| w[1] < w[0] * (1.0 - 1e-12));
                let negative: Vec<f64> = column.iter().map(|i| -i).collect();
                let rises = column.windows(2).any(|w| w[1] > w[0] * (1.0 + 1e-12));
                if falls(&depth) {
                    let depth = isotonic(&depth);
                    column = depth.iter().zip(t).map(|(d, t)| d / t).collect();
                } else if rises {
                    column = isotonic(&negative).iter().map(|i| -i).collect();
                } else {
                    break;
                }
            }
            for (row, value) in self.intensity_mm_min.iter_mut().zip(column) {
                row[p] = value;
            }
        }
        for (old, new) in before
            .iter()
            .flatten()
            .zip(self.intensity_mm_min.iter().flatten())
        {
            let change = (new / old - 1.0).abs();
            if change > 1e-9 {
                self.mended += 1;
                self.greatest_change = self.greatest_change.max(change);
            }
        }
    }

    /// Depth, mm, of a duration and a return period by their places in the table.
    pub fn depth_mm(&self, duration: usize, period: usize) -> f64 {
        self.intensity_mm_min[duration][period] * self.durations_min[duration]
    }

    /// The storm formula of least squares through the durations up to `longest_min`; `None` for fewer than four durations,
    /// fewer than two return periods, or where the fit fails.
    ///
    /// b is kept at 0 or more, n within 0..2.
    pub fn fit_formula(
        &self,
        longest_min: f64,
        weighing: Weighing,
        limits: &Limits,
    ) -> Option<FormulaFit> {
        let durations: Vec<f64> = self
            .durations_min
            .iter()
            .copied()
            .filter(|&t| t <= longest_min)
            .collect();
        if durations.len() < 4 || self.return_periods.len() < 2 {
            return None;
        }
        let logs: Vec<f64> = self
            .return_periods
            .iter()
            .map(|&p| libm::log10(p))
            .collect();
        let solve = |b: f64, n: f64| -> (StormFormula, f64) {
            // Least squares of i = A g + B g lg P, g = (t + b)^-n.
            let (mut aa, mut ab, mut bb, mut ay, mut by) = (0.0, 0.0, 0.0, 0.0, 0.0);
            let each = |visit: &mut dyn FnMut(f64, f64, f64, f64)| {
                for (t, row) in durations.iter().zip(&self.intensity_mm_min) {
                    let g = libm::pow(t + b, -n);
                    for (lg, &i) in logs.iter().zip(row) {
                        let w = match weighing {
                            Weighing::Absolute => 1.0,
                            Weighing::Relative => 1.0 / (i * i),
                        };
                        visit(g, *lg, i, w);
                    }
                }
            };
            each(&mut |g, lg, i, w| {
                aa += w * g * g;
                ab += w * g * g * lg;
                bb += w * g * g * lg * lg;
                ay += w * g * i;
                by += w * g * lg * i;
            });
            let determinant = aa * bb - ab * ab;
            let a1 = (ay * bb - by * ab) / determinant;
            let c = (by * aa - ay * ab) / determinant / a1;
            let mut cost = 0.0;
            each(&mut |g, lg, i, w| {
                let d = a1 * g * (1.0 + c * lg) - i;
                cost += w * d * d;
            });
            (StormFormula { a1, c, n, b }, cost)
        };
        let inside = |b: f64, n: f64| (0.0..=500.0).contains(&b) && n > 0.0 && n < 2.0;
        let cost = |x: &[f64; 2]| {
            if inside(x[0], x[1]) {
                solve(x[0], x[1]).1
            } else {
                f64::INFINITY
            }
        };
        let mut best = ([f64::NAN; 2], f64::INFINITY);
        for b in [0.0, 5.0, 20.0] {
            for n in [0.5, 0.8, 1.1] {
                let found = minimise(cost, [b, n], [2.0, 0.1]);
                if found.1 < best.1 {
                    best = found;
                }
            }
        }
        if !best.1.is_finite() {
            return None;
        }
        let formula = solve(best.0[0], best.0[1]).0;
        if !(formula.a1 > 0.0 && formula.c.is_finite()) {
            return None;
        }
        let by_period: Vec<FormulaError> = (0..self.return_periods.len())
            .map(|p| {
                let (mut absolute, mut relative) = (0.0, 0.0);
                for (t, row) in durations.iter().zip(&self.intensity_mm_min) {
                    let d = formula.intensity_mm_min(t / 60.0, self.return_periods[p]) - row[p];
                    absolute += d * d;
                    relative += (d / row[p]) * (d / row[p]);
                }
                let n = durations.len() as f64;
                FormulaError {
                    absolute_mm_min: (absolute / n).sqrt(),
                    relative: (relative / n).sqrt(),
                }
            })
            .collect();
        let span: Vec<&FormulaError> = self
            .return_periods
            .iter()
            .zip(&by_period)
            .filter(|(p, _)| (limits.from_years..=limits.to_years).contains(*p))
            .map(|(_, e)| e)
            .collect();
        let mean = |of: fn(&FormulaError) -> f64| {
            span.iter().map(|e| of(e)).sum::<f64>() / span.len() as f64
        };
        Some(FormulaFit {
            formula,
            mean: FormulaError {
                absolute_mm_min: mean(|e| e.absolute_mm_min),
                relative: mean(|e| e.relative),
            },
            by_period,
            durations_min: durations,
        })
    }
}

/// Nearest ascending sequence in least squares: pools of adjacent violators take their mean (Ayer et al. 1955).
fn isotonic(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::with_capacity(values.len());
    for &v in values {
        pools.push((v, 1));
        while let [.., a, b] = pools[..]
            && a.0 > b.0
        {
            let n = a.1 + b.1;
            pools.pop();
            pools.pop();
            pools.push(((a.0 * a.1 as f64 + b.0 * b.1 as f64) / n as f64, n));
        }
    }
    pools
        .iter()
        .flat_map(|&(v, n)| std::iter::repeat_n(v, n))
        .collect()
}

/// Duration of a column heading, min: `5min`, `5 min`, `90`, `1h`, `24 h`, `5分钟`, `1小时`, also behind other words
/// (`max 5min`). A bare number counts as minutes. `None` where there is no number, or an unknown unit follows it.
pub fn duration_of_heading(heading: &str) -> Option<f64> {
    let start = heading.find(|c: char| c.is_ascii_digit())?;
    let rest = &heading[start..];
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(rest.len());
    let number: f64 = rest[..end].parse().ok()?;
    let unit = rest[end..].trim().to_lowercase();
    let unit = unit
        .split(['(', '（', '/', '_'])
        .next()
        .unwrap_or("")
        .trim();
    let minutes = match unit {
        "" | "min" | "mins" | "minute" | "minutes" | "m" | "分" | "分钟" => 1.0,
        "h" | "hr" | "hour" | "hours" | "小时" | "时" => 60.0,
        "d" | "day" | "日" | "天" => 1440.0,
        _ => return None,
    };
    (number > 0.0).then_some(number * minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toronto() -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
        let data = std::env::var("ANLAN_SHARED_DATA").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_string()
        });
        let path = format!("{data}/flood/frequency/idf_6158731.csv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("SKIPPED: {path} is not there");
            return None;
        };
        let mut lines = text.lines();
        let durations: Vec<f64> = lines
            .next()?
            .split(',')
            .skip(1)
            .map(|h| duration_of_heading(h).unwrap())
            .collect();
        let mut depth = vec![Vec::new(); durations.len()];
        for line in lines {
            for (k, cell) in line.split(',').skip(1).enumerate() {
                // Intensity in mm/h.
                depth[k].push(cell.trim().parse::<f64>().unwrap() * durations[k] / 60.0);
            }
        }
        Some((durations, depth))
    }

    const PERIODS: [f64; 6] = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

    #[test]
    fn headings() {
        for (heading, minutes) in [
            ("5min", Some(5.0)),
            ("90", Some(90.0)),
            ("1h", Some(60.0)),
            ("最大 1.5 小时", Some(90.0)),
            ("i10分钟 (mm)", Some(10.0)),
            ("24h_mm", Some(1440.0)),
            ("year", None),
            ("5 km", None),
        ] {
            assert_eq!(duration_of_heading(heading), minutes, "{heading}");
        }
    }

    #[test]
    fn isotonic_by_hand() {
        assert_eq!(isotonic(&[1.0, 3.0, 2.0, 4.0]), [1.0, 2.5, 2.5, 4.0]);
        assert_eq!(isotonic(&[3.0, 2.0, 1.0]), [2.0, 2.0, 2.0]);
        assert!(isotonic(&[]).is_empty());
    }

    /// A table made from a formula gives that formula back: the Hangzhou one, q = 10174 (1 + 0.844 lg P)/(t + 25)^1.038.
    #[test]
    fn a_formula_comes_back() {
        let truth = StormFormula {
            a1: 10_174.0 / 167.0,
            c: 0.844,
            n: 1.038,
            b: 25.0,
        };
        let durations = [
            5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 150.0, 180.0,
        ];
        let table = IdfTable {
            durations_min: durations.to_vec(),
            return_periods: PERIODS.to_vec(),
            intensity_mm_min: durations
                .iter()
                .map(|t| {
                    PERIODS
                        .iter()
                        .map(|&p| truth.intensity_mm_min(t / 60.0, p))
                        .collect()
                })
                .collect(),
            mended: 0,
            greatest_change: 0.0,
        };
        for weighing in [Weighing::Absolute, Weighing::Relative] {
            let fit = table
                .fit_formula(180.0, weighing, &Limits::default())
                .unwrap();
            let f = fit.formula;
            assert!((f.a1 / truth.a1 - 1.0).abs() < 1e-3, "{f:?}");
            assert!(
                (f.c - truth.c).abs() < 1e-6 && (f.n - truth.n).abs() < 1e-4,
                "{f:?}"
            );
            assert!((f.b - truth.b).abs() < 1e-2, "{f:?}");
            assert!(fit.mean.absolute_mm_min < 1e-6 && fit.keeps(&Limits::default()));
        }
        assert!(
            table
                .fit_formula(15.0, Weighing::Absolute, &Limits::default())
                .is_none()
        );
    }

    #[test]
    fn crossing_laws_are_mended_or_refused() {
        let mut table = IdfTable {
            durations_min: vec![10.0, 20.0, 40.0],
            return_periods: vec![2.0],
            // Depths 10, 9.8, 12 mm.
            intensity_mm_min: vec![vec![1.0], vec![0.49], vec![0.3]],
            mended: 0,
            greatest_change: 0.0,
        };
        table.mend();
        assert_eq!(table.mended, 2);
        assert!(
            (table.depth_mm(0, 0) - 9.9).abs() < 1e-12
                && (table.depth_mm(1, 0) - 9.9).abs() < 1e-12
        );
        let wave: Vec<f64> = (0..20).map(|i| f64::from(10 + i % 7)).collect();
        let half: Vec<f64> = wave.iter().map(|v| 0.5 * v).collect();
        let law = (Distribution::Gumbel, Method::LMoments);
        let plain = CurveFitting::default();
        let refused = IdfTable::from_maxima(
            &[5.0, 10.0],
            &[wave, half],
            &PERIODS,
            law,
            &plain,
            Plotting::Weibull,
        );
        assert!(refused.unwrap_err().to_string().contains("cross by"));
    }

    /// Toronto, 64 years: the table is consistent; the 10-year depth of an hour by three laws within 3 %; the formula over
    /// 5 min to 2 h.
    #[test]
    fn toronto_maxima() {
        let Some((durations, depth)) = toronto() else {
            return;
        };
        let plain = CurveFitting::default();
        let table = |d: Distribution, m: Method| {
            IdfTable::from_maxima(
                &durations,
                &depth,
                &PERIODS,
                (d, m),
                &plain,
                Plotting::Weibull,
            )
            .unwrap()
        };
        let pearson = table(Distribution::Pearson3, Method::LMoments);
        for w in pearson.intensity_mm_min.windows(2) {
            assert!(w[0].iter().zip(&w[1]).all(|(a, b)| a >= b));
        }
        for k in 1..durations.len() {
            for p in 0..PERIODS.len() {
                assert!(pearson.depth_mm(k, p) >= pearson.depth_mm(k - 1, p) * (1.0 - 1e-9));
            }
        }
        let gumbel = table(Distribution::Gumbel, Method::LMoments);
        let gev = table(Distribution::Gev, Method::Likelihood);
        let ten_years = pearson.depth_mm(4, 2);
        for other in [gumbel.depth_mm(4, 2), gev.depth_mm(4, 2)] {
            assert!(
                (other / ten_years - 1.0).abs() < 0.03,
                "{other} {ten_years}"
            );
        }
        let fit = pearson
            .fit_formula(120.0, Weighing::Relative, &Limits::default())
            .unwrap();
        eprintln!(
            "{:?} {:?} mended {} {}",
            fit.formula, fit.mean, pearson.mended, pearson.greatest_change
        );
        assert!(fit.mean.relative < 0.05 && fit.formula.n < 1.2, "{fit:?}");
    }
}
