//! Temporal patterns of storms (雨型) that a storm library is made for, and how often each falls.
//!
//! A pattern spreads the depth of a design storm over its duration; the depth itself stays that of duration and return
//! period. Shapes and their sources stand in [`crate::flood::rain`].

use crate::flood::rain::{Hyetograph, Quartile, RainPatterns};
use crate::flood::runoff::Wetness;
use anlan_engine::Fault;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How the rain is spread over the duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatternShape {
    /// The same intensity all the time.
    Uniform,
    /// Huff's median storm, heaviest in the first quarter.
    HuffFirst,
    /// Heaviest in the second quarter.
    HuffSecond,
    /// Heaviest in the third quarter.
    HuffThird,
    /// Heaviest in the fourth quarter.
    HuffFourth,
    /// Chicago hyetograph (芝加哥雨型) of the local depth-duration curve.
    Chicago,
    /// Alternating blocks of the local depth-duration curve.
    AlternatingBlock,
    /// A pattern of one's own: percent of the depth in equal parts of the duration.
    Percentages,
}

impl PatternShape {
    /// Name, as project files write it.
    pub fn name(self) -> &'static str {
        match self {
            PatternShape::Uniform => "uniform",
            PatternShape::HuffFirst => "huff-first",
            PatternShape::HuffSecond => "huff-second",
            PatternShape::HuffThird => "huff-third",
            PatternShape::HuffFourth => "huff-fourth",
            PatternShape::Chicago => "chicago",
            PatternShape::AlternatingBlock => "alternating-block",
            PatternShape::Percentages => "percentages",
        }
    }

    fn has_peak(self) -> bool {
        matches!(self, PatternShape::Chicago | PatternShape::AlternatingBlock)
    }
}

/// A temporal pattern of the storm library with its probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StormPattern {
    /// Shape.
    pub shape: PatternShape,
    /// Name in file names and tables, 1 to 32 of `a-z 0-9 -`; the shape's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Share of the duration before the peak (雨峰系数), 0..=1; for `chicago` and `alternating-block` only, which need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<f64>,
    /// Percent of the depth in equal parts of the duration, sum 100; for `percentages` only, which needs it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub percent: Vec<f64>,
    /// Probability that a storm has this pattern, above 0; those of all patterns sum to 1.
    #[serde(default = "one")]
    pub probability: f64,
}

fn one() -> f64 {
    1.0
}

/// A wetness of the ground that a storm library is made for, with its probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundWetness {
    /// Wetness: `dry` (AMC I), `normal` (AMC II) or `wet` (AMC III).
    pub state: Wetness,
    /// Probability that a storm finds this ground, above 0; those of all states sum to 1. Without any, the antecedent
    /// precipitation index of the simulated weather decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

impl StormPattern {
    /// A pattern of even rain that all storms have.
    pub fn uniform() -> StormPattern {
        StormPattern {
            shape: PatternShape::Uniform,
            name: None,
            peak: None,
            percent: Vec::new(),
            probability: 1.0,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.shape.name())
    }

    /// The storm of a duration whose depth-duration curve, mm over h, is `depth_mm`; its total is the curve's depth at the
    /// whole duration.
    ///
    /// # Panics
    /// Percentages that [`check`] refuses.
    pub fn hyetograph(
        &self,
        tables: &RainPatterns,
        depth_mm: impl Fn(f64) -> f64,
        duration_h: f64,
        step_h: f64,
    ) -> Hyetograph {
        let total = depth_mm(duration_h);
        let huff = |quartile| tables.huff(quartile, total, duration_h, step_h);
        let peak = self.peak.unwrap_or(0.5);
        match self.shape {
            PatternShape::Uniform => Hyetograph::uniform(total, duration_h, step_h),
            PatternShape::HuffFirst => huff(Quartile::First),
            PatternShape::HuffSecond => huff(Quartile::Second),
            PatternShape::HuffThird => huff(Quartile::Third),
            PatternShape::HuffFourth => huff(Quartile::Fourth),
            // A depth-duration curve of zero duration has no depth, whatever its formula says.
            PatternShape::Chicago => Hyetograph::chicago(
                |h| if h > 0.0 { depth_mm(h) } else { 0.0 },
                duration_h,
                peak,
                step_h,
            ),
            PatternShape::AlternatingBlock => {
                Hyetograph::alternating_block(depth_mm, duration_h, peak, step_h)
            }
            PatternShape::Percentages => {
                let all: f64 = self.percent.iter().sum();
                let mut sum = 0.0;
                let mut share: Vec<f64> = std::iter::once(0.0)
                    .chain(self.percent.iter().map(|p| {
                        sum += p;
                        sum / all
                    }))
                    .collect();
                if let Some(last) = share.last_mut() {
                    *last = 1.0;
                }
                Hyetograph::mass_curve(&share, total, duration_h, step_h)
            }
        }
    }
}

/// Sums of probabilities may miss 1 by so much.
const PROBABILITY_SLACK: f64 = 1e-6;

/// Faults of the patterns and the wetness states of a library, as the project file gives them: `patterns`, `wetness`.
pub fn check(patterns: &[StormPattern], wetness: &[GroundWetness], file: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |place: String, found: String, expected: &str, remedy: &str| {
        faults.push(Fault::new(file, found, expected, remedy).at(place));
    };
    for (k, p) in patterns.iter().enumerate() {
        let place = |field: &str| format!("[flood] patterns {}, {field}", k + 1);
        let name = p.name();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
            fault(
                place("name"),
                format!("`{name}`"),
                "1 to 32 of the letters a-z, digits and hyphens",
                "choose another name",
            );
        }
        if patterns[..k].iter().any(|other| other.name() == name) {
            fault(
                place("name"),
                format!("`{name}` twice"),
                "one pattern per name",
                "give one of them another `name`",
            );
        }
        let peaked = p.shape.has_peak();
        match p.peak {
            None if peaked => fault(
                place("peak"),
                "none".into(),
                "a share of the duration from 0 to 1 before the peak",
                "add `peak`, e.g. 0.4",
            ),
            Some(peak) if peaked && !(0.0..=1.0).contains(&peak) => fault(
                place("peak"),
                peak.to_string(),
                "a share of the duration from 0 to 1 before the peak",
                "correct `peak`",
            ),
            Some(peak) if !peaked => fault(
                place("peak"),
                peak.to_string(),
                "no `peak`: only `chicago` and `alternating-block` have one",
                "remove `peak`, or choose another shape",
            ),
            _ => {}
        }
        let sum: f64 = p.percent.iter().sum();
        let own = p.shape == PatternShape::Percentages;
        if own
            && !(p.percent.len() > 1
                && p.percent.iter().all(|v| *v >= 0.0)
                && (sum - 100.0).abs() <= 0.1)
        {
            fault(
                place("percent"),
                format!("{:?}", p.percent),
                "at least two percentages of 0 or more that sum to 100",
                "complete or correct the pattern",
            );
        } else if !own && !p.percent.is_empty() {
            fault(
                place("percent"),
                format!("{:?}", p.percent),
                "no `percent`: only `percentages` has them",
                "remove `percent`, or choose the shape `percentages`",
            );
        }
    }
    for (k, w) in wetness.iter().enumerate() {
        if wetness[..k].iter().any(|other| other.state == w.state) {
            fault(
                format!("[flood] wetness {}, state", k + 1),
                format!("`{}` twice", w.state.name()),
                "every state at most once",
                "remove one of them",
            );
        }
    }
    let odds: Vec<f64> = patterns.iter().map(|p| p.probability).collect();
    let mut shares = |key: &str, odds: &[f64]| {
        let sum: f64 = odds.iter().sum();
        let one = (sum - 1.0).abs() <= PROBABILITY_SLACK;
        if !one || !odds.iter().all(|p| *p > 0.0) {
            fault(
                format!("[flood] {key}, probability"),
                if odds.is_empty() {
                    "none".into()
                } else {
                    format!("{odds:?}, sum {sum}")
                },
                "probabilities above 0 that sum to 1",
                "correct the probabilities",
            );
        }
    };
    shares("patterns", &odds);
    let odds: Vec<f64> = wetness.iter().filter_map(|w| w.probability).collect();
    if !odds.is_empty() && odds.len() == wetness.len() {
        shares("wetness", &odds);
    } else if !odds.is_empty() || wetness.is_empty() {
        fault(
            "[flood] wetness".into(),
            format!("{} states, {} probabilities", wetness.len(), odds.len()),
            "at least one state, and a probability for all of them or for none",
            "complete the list",
        );
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(shape: PatternShape) -> StormPattern {
        StormPattern {
            shape,
            ..StormPattern::uniform()
        }
    }

    #[test]
    fn every_pattern_keeps_the_depth() {
        let tables = RainPatterns::published();
        // Depth grows with the root of the duration.
        let curve = |h: f64| 60.0 * libm::sqrt(h);
        let peaked = |s| StormPattern {
            peak: Some(0.4),
            ..shape(s)
        };
        let own = StormPattern {
            percent: vec![20.0, 50.0, 30.0],
            ..shape(PatternShape::Percentages)
        };
        let patterns = [
            shape(PatternShape::Uniform),
            shape(PatternShape::HuffFirst),
            shape(PatternShape::HuffSecond),
            shape(PatternShape::HuffThird),
            shape(PatternShape::HuffFourth),
            peaked(PatternShape::Chicago),
            peaked(PatternShape::AlternatingBlock),
            own.clone(),
        ];
        for p in &patterns {
            let rain = p.hyetograph(&tables, curve, 3.0, 1.0 / 6.0);
            assert_eq!(rain.depth_mm.len(), 18, "{}", p.name());
            assert!((rain.total_mm() - curve(3.0)).abs() < 1e-9, "{}", p.name());
            assert!(rain.depth_mm.iter().all(|d| *d >= 0.0), "{}", p.name());
        }
        let rain = own.hyetograph(&tables, |_| 100.0, 3.0, 0.5);
        assert!(
            rain.depth_mm
                .iter()
                .zip([10.0, 10.0, 25.0, 25.0, 15.0, 15.0])
                .all(|(a, b)| (a - b).abs() < 1e-9)
        );
        // Even rain is the same bytes as before there were patterns.
        assert_eq!(
            StormPattern::uniform().hyetograph(&tables, |_| 100.0, 3.0, 1.0 / 6.0),
            Hyetograph::uniform(100.0, 3.0, 1.0 / 6.0)
        );
    }

    #[test]
    fn faults_are_named_together() {
        let file = Path::new("p.toml");
        let normal = GroundWetness {
            state: Wetness::Normal,
            probability: None,
        };
        assert!(check(&[StormPattern::uniform()], &[normal], file).is_empty());
        let of = |patterns: &[StormPattern], wetness: &[GroundWetness]| -> Vec<String> {
            check(patterns, wetness, file)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        let told = of(
            &[
                shape(PatternShape::Chicago),
                StormPattern {
                    peak: Some(0.5),
                    name: Some("A b".into()),
                    ..shape(PatternShape::Uniform)
                },
                StormPattern {
                    percent: vec![60.0, 30.0],
                    ..shape(PatternShape::Percentages)
                },
            ],
            &[
                normal,
                GroundWetness {
                    probability: Some(1.0),
                    ..normal
                },
            ],
        );
        for part in [
            "patterns 1, peak",
            "patterns 2, name",
            "patterns 2, peak",
            "patterns 3, percent",
            "patterns, probability: found [1.0, 1.0, 1.0], sum 3",
            "wetness 2, state: found `normal` twice",
            "wetness: found 2 states, 1 probabilities",
        ] {
            assert!(told.iter().any(|t| t.contains(part)), "{part} in {told:?}");
        }
        assert_eq!(told.len(), 7);
        assert_eq!(of(&[], &[]).len(), 2);
        let drawn = |state, p| GroundWetness {
            state,
            probability: Some(p),
        };
        let three = [
            drawn(Wetness::Dry, 0.3),
            drawn(Wetness::Normal, 0.5),
            drawn(Wetness::Wet, 0.2),
        ];
        assert!(of(&[StormPattern::uniform()], &three).is_empty());
        assert!(of(&[StormPattern::uniform()], &three[..2])[0].contains("sum 0.8"));
        let twice = [shape(PatternShape::Uniform), shape(PatternShape::Uniform)];
        assert!(of(&twice, &[normal]).iter().any(|t| t.contains("twice")));
    }
}
