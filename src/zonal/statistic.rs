//! The statistics on offer: their names on the command line and in tables, and how they come from a zone's sums.

use anlan_engine::io::Value;
use anlan_engine::zonal::ZoneSums;
use std::str::FromStr;

/// One statistic of a zone (分区统计量).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// Cells with data, each by its covered share.
    Count,
    /// Sum of values by covered share.
    Sum,
    /// Mean by covered share.
    Mean,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Standard deviation of the population.
    Stdev,
    /// Variance of the population.
    Variance,
    /// Quantile, percent.
    Quantile(f64),
    /// The value that covers most.
    Majority,
    /// The value that covers least.
    Minority,
    /// Number of different values.
    Variety,
    /// Sum of the weights.
    Weight,
    /// Sum of values by covered share and weight.
    WeightedSum,
    /// Mean by covered share and weight.
    WeightedMean,
    /// Standard deviation by covered share and weight.
    WeightedStdev,
}

/// Names, Chinese headings and what they stand for.
const NAMES: [(&str, &str, Statistic); 15] = [
    ("count", "有效像元数", Statistic::Count),
    ("sum", "合计", Statistic::Sum),
    ("mean", "均值", Statistic::Mean),
    ("min", "最小值", Statistic::Min),
    ("max", "最大值", Statistic::Max),
    ("stdev", "标准差", Statistic::Stdev),
    ("variance", "方差", Statistic::Variance),
    ("median", "中位数", Statistic::Quantile(50.0)),
    ("majority", "众数", Statistic::Majority),
    ("minority", "最少数", Statistic::Minority),
    ("variety", "类别数", Statistic::Variety),
    ("weight", "权重合计", Statistic::Weight),
    ("weighted_sum", "加权合计", Statistic::WeightedSum),
    ("weighted_mean", "加权均值", Statistic::WeightedMean),
    ("weighted_stdev", "加权标准差", Statistic::WeightedStdev),
];

impl FromStr for Statistic {
    type Err = String;

    /// A name, or `q` and a percentage: `q25`, `q97.5`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(found) = NAMES.iter().find(|n| n.0 == text) {
            return Ok(found.2);
        }
        let percent = text.strip_prefix('q').and_then(|p| p.parse::<f64>().ok());
        match percent {
            Some(p) if (0.0..=100.0).contains(&p) => Ok(Statistic::Quantile(p)),
            _ => Err(format!("`{text}`")),
        }
    }
}

impl Statistic {
    /// All names, for messages.
    pub fn names() -> String {
        let names: Vec<&str> = NAMES.iter().map(|n| n.0).collect();
        format!("{}, q0 to q100", names.join(", "))
    }

    /// Heading of its column.
    pub fn heading(self, zh: bool) -> String {
        match NAMES.iter().find(|n| n.2 == self) {
            Some(n) => if zh { n.1 } else { n.0 }.to_string(),
            None => match self {
                Statistic::Quantile(p) if zh => format!("{p}%分位数"),
                Statistic::Quantile(p) => format!("q{p}"),
                _ => String::new(),
            },
        }
    }

    /// It needs the spread of the values.
    pub fn needs_variance(self) -> bool {
        matches!(
            self,
            Statistic::Stdev | Statistic::Variance | Statistic::WeightedStdev
        )
    }

    /// It needs to know which values there are.
    pub fn needs_values(self) -> bool {
        matches!(
            self,
            Statistic::Quantile(_) | Statistic::Majority | Statistic::Minority | Statistic::Variety
        )
    }

    /// It needs a raster of weights.
    pub fn needs_weights(self) -> bool {
        matches!(
            self,
            Statistic::Weight
                | Statistic::WeightedSum
                | Statistic::WeightedMean
                | Statistic::WeightedStdev
        )
    }

    /// Of a zone; blank where there is none.
    pub fn of(self, zone: &ZoneSums) -> Value {
        let stats = zone.stats();
        let tally = zone.tally();
        let class = |v: Option<f32>| v.map_or(f64::NAN, f64::from);
        let value = match self {
            Statistic::Count => stats.count,
            Statistic::Sum => stats.sum,
            Statistic::Mean => stats.mean,
            Statistic::Min => f64::from(stats.min),
            Statistic::Max => f64::from(stats.max),
            Statistic::Stdev => stats.stdev,
            Statistic::Variance => zone.variance(),
            Statistic::Quantile(p) => tally.map_or(f64::NAN, |t| t.quantile(p / 100.0)),
            Statistic::Majority => class(tally.and_then(|t| t.majority())),
            Statistic::Minority => class(tally.and_then(|t| t.minority())),
            Statistic::Variety => {
                return tally.map_or(Value::Null, |t| Value::Integer(t.variety() as i64));
            }
            Statistic::Weight => stats.weight,
            Statistic::WeightedSum => stats.weighted_sum,
            Statistic::WeightedMean => stats.weighted_mean,
            Statistic::WeightedStdev => stats.weighted_stdev,
        };
        if value.is_nan() {
            Value::Null
        } else {
            Value::Real(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_there_and_back() {
        for (name, _, statistic) in NAMES {
            assert_eq!(name.parse(), Ok(statistic));
            assert_eq!(statistic.heading(false), name);
        }
        assert_eq!("q25".parse(), Ok(Statistic::Quantile(25.0)));
        assert_eq!(Statistic::Quantile(97.5).heading(false), "q97.5");
        assert_eq!(Statistic::Quantile(25.0).heading(true), "25%分位数");
        for bad in ["q101", "q", "average", "qNaN"] {
            assert!(bad.parse::<Statistic>().is_err(), "{bad}");
        }
    }
}
