//! The loss fast report (灾情快报): fields by township, county and region that add up to the last digit, and modelled beside
//! reported figures.
//!
//! Figures are rounded once, from the top: the region to the step of the field, counties by the largest remainder of the
//! region's, townships by that of the county's. A field that is a sum is added up from the rounded ones.

use crate::census::spread::largest_remainder;
use crate::simulation::UnitLoss;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The form of a report.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportForm {
    /// Name of the form.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where it comes from.
    pub source: String,
    /// Factor by which modelled and reported figures may differ without a flag.
    pub flag_factor: f64,
    /// Share of the GDP that losses are to stay below.
    pub gdp_share: f64,
    /// Fields, in order.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
}

/// Part of the relocated people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// In shelters (集中安置).
    Centralised,
    /// With relatives and elsewhere (分散安置).
    Dispersed,
}

/// What a figure is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Rooms of a household of the county.
    RoomsPerHousehold,
}

/// A field of the form.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Code.
    pub code: String,
    /// Chinese heading, with the printed unit.
    pub zh: String,
    /// English heading.
    pub en: String,
    /// Columns of the event loss table that it sums.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Part of them.
    #[serde(default)]
    pub share: Option<Share>,
    /// What they are divided by.
    #[serde(default)]
    pub per: Option<Per>,
    /// Fields that it adds up.
    #[serde(default)]
    pub sum_of: Vec<String>,
    /// Step of the figures, in the unit of the columns.
    #[serde(default)]
    pub quantum: f64,
    /// Units of the columns in one printed unit.
    #[serde(default = "one")]
    pub shown: f64,
    /// Why it is not modelled; empty where it is.
    #[serde(default)]
    pub unknown: String,
}

fn one() -> f64 {
    1.0
}

impl ReportForm {
    /// The form compiled in.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        ReportForm::parse(
            include_str!("../../standards/loss_report.toml"),
            Path::new("standards/loss_report.toml"),
        )
        .expect("the compiled-in form is read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; codes given twice; a field of several sources or of none, of unknown columns or fields, or
    /// without a step above 0.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let form: ReportForm = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.message().to_string(),
                "the form of a loss report",
                "compare with standards/loss_report.toml",
            ))
        })?;
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        for f in &form.fields {
            let mut check = |ok: bool, found: String, expected: &str| {
                if !ok {
                    faults.push(
                        Fault::new(
                            file,
                            found,
                            expected,
                            "compare with standards/loss_report.toml",
                        )
                        .at(format!("field {}", f.code)),
                    );
                }
            };
            check(
                seen.insert(f.code.as_str()),
                "the code twice".into(),
                "each code once",
            );
            let sources = usize::from(!f.columns.is_empty())
                + usize::from(!f.sum_of.is_empty())
                + usize::from(!f.unknown.is_empty());
            check(
                sources == 1,
                format!("{sources} sources"),
                "columns, sum_of or unknown, one of them",
            );
            check(
                f.columns.is_empty() || f.quantum > 0.0,
                format!("quantum {}", f.quantum),
                "a step above 0",
            );
            for c in &f.columns {
                check(
                    UnitLoss::COLUMNS.contains(&c.as_str()),
                    format!("column `{c}`"),
                    "a column of the event loss table",
                );
            }
            let parts: Vec<&Field> = form
                .fields
                .iter()
                .filter(|g| f.sum_of.contains(&g.code))
                .collect();
            check(
                parts.len() == f.sum_of.len() && parts.iter().all(|g| !g.columns.is_empty()),
                format!("sum_of {}", f.sum_of.join(", ")),
                "fields made from columns",
            );
            check(
                parts
                    .windows(2)
                    .all(|w| w[0].quantum == w[1].quantum && w[0].shown == w[1].shown),
                format!("sum_of {}", f.sum_of.join(", ")),
                "fields of one step and one printed unit",
            );
        }
        if faults.is_empty() {
            Ok(form)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Step and printed unit of a field.
    fn steps(&self, field: &Field) -> (f64, f64) {
        let of = self
            .fields
            .iter()
            .find(|g| field.sum_of.contains(&g.code))
            .unwrap_or(field);
        (of.quantum, of.shown)
    }
}

/// Losses of the townships of one county, by [`UnitLoss::COLUMNS`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CountyLoss {
    /// One for each township, in order.
    pub townships: Vec<UnitLoss>,
    /// Rooms of a household.
    pub rooms_per_household: f64,
}

/// Figures of a report, in steps of the fields; `None` for fields that are not modelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Of the region.
    pub region: Vec<Option<u64>>,
    /// Of the counties.
    pub counties: Vec<Vec<Option<u64>>>,
    /// Of the townships of each county.
    pub townships: Vec<Vec<Vec<Option<u64>>>>,
}

/// Fills a form. `dispersed` is the share of relocated people housed elsewhere, 0..=1.
pub fn fill(form: &ReportForm, counties: &[CountyLoss], dispersed: f64) -> Figures {
    let empty = || vec![None; form.fields.len()];
    let mut out = Figures {
        region: empty(),
        counties: vec![empty(); counties.len()],
        townships: counties
            .iter()
            .map(|c| vec![empty(); c.townships.len()])
            .collect(),
    };
    for (k, field) in form.fields.iter().enumerate() {
        if field.columns.is_empty() {
            continue;
        }
        let raw = |loss: &UnitLoss, county: &CountyLoss| {
            let values = loss.values();
            let sum: f64 = UnitLoss::COLUMNS
                .iter()
                .zip(values)
                .filter(|(name, _)| field.columns.iter().any(|c| c == *name))
                .map(|(_, v)| v)
                .sum();
            let part = match field.share {
                None => 1.0,
                Some(Share::Centralised) => 1.0 - dispersed,
                Some(Share::Dispersed) => dispersed,
            };
            let per = match field.per {
                None => 1.0,
                Some(Per::RoomsPerHousehold) => county.rooms_per_household.max(1.0),
            };
            sum * part / per / field.quantum
        };
        let townships: Vec<Vec<f64>> = counties
            .iter()
            .map(|c| c.townships.iter().map(|l| raw(l, c)).collect())
            .collect();
        let sums: Vec<f64> = townships.iter().map(|t| t.iter().sum()).collect();
        let total = sums.iter().sum::<f64>().round() as u64;
        out.region[k] = Some(total);
        if counties.is_empty() {
            continue;
        }
        for (c, of_county) in largest_remainder(total, &sums).into_iter().enumerate() {
            out.counties[c][k] = Some(of_county);
            if townships[c].is_empty() {
                continue;
            }
            for (t, v) in largest_remainder(of_county, &townships[c])
                .into_iter()
                .enumerate()
            {
                out.townships[c][t][k] = Some(v);
            }
        }
    }
    // Sums of rounded figures, so that what stands below a heading adds up to it.
    for (k, field) in form.fields.iter().enumerate() {
        if field.sum_of.is_empty() {
            continue;
        }
        let parts: Vec<usize> = (0..form.fields.len())
            .filter(|&j| field.sum_of.contains(&form.fields[j].code))
            .collect();
        let add = |row: &mut Vec<Option<u64>>| {
            row[k] = parts.iter().map(|&j| row[j]).sum::<Option<u64>>();
        };
        add(&mut out.region);
        out.counties.iter_mut().for_each(add);
        out.townships.iter_mut().flatten().for_each(add);
    }
    out
}

impl Figures {
    /// A figure in the printed unit of its field.
    pub fn shown(form: &ReportForm, field: usize, steps: u64) -> f64 {
        let (quantum, shown) = form.steps(&form.fields[field]);
        // Whole steps over a whole number of steps in the unit: exact to the digits that are printed.
        steps as f64 / (shown / quantum)
    }
}

/// A modelled figure beside the reported one.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Modelled, in the printed unit; none where not modelled.
    pub modelled: Option<f64>,
    /// Reported; none where the table is silent.
    pub reported: Option<f64>,
    /// Modelled less reported.
    pub difference: Option<f64>,
    /// Modelled over reported; none for a reported zero.
    pub ratio: Option<f64>,
    /// True where they differ by more than the factor of the form, or only one of them is zero.
    pub flagged: bool,
}

/// Compares a modelled figure with a reported one.
pub fn compare(modelled: Option<f64>, reported: Option<f64>, flag_factor: f64) -> Comparison {
    let both = modelled.zip(reported);
    let ratio = both.filter(|(_, r)| *r > 0.0).map(|(m, r)| m / r);
    Comparison {
        modelled,
        reported,
        difference: both.map(|(m, r)| m - r),
        ratio,
        flagged: match (both, ratio) {
            (Some(_), Some(q)) => q > flag_factor || q < 1.0 / flag_factor,
            (Some((m, _)), None) => m > 0.0,
            (None, _) => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(affected: f64, relocated: f64, rooms: f64, dwellings: f64, crops: f64) -> UnitLoss {
        UnitLoss {
            affected,
            relocated,
            collapsed_rooms: rooms,
            dwellings_yuan: dwellings,
            crops_yuan: crops,
            crop_ha: crops / 1000.0,
            ..UnitLoss::default()
        }
    }

    fn column(form: &ReportForm, code: &str) -> usize {
        form.fields.iter().position(|f| f.code == code).unwrap()
    }

    /// Three townships of two counties on paper: 1.5 + 1.25 + 0.5 = 3.25 people give 3; the county of the first two, 2.75, has
    /// the larger remainder and takes 3, the other 0; within it 1.5 and 1.25 share three: 1.64 and 1.36.
    #[test]
    fn totals_add_up_to_the_last_digit() {
        let form = ReportForm::builtin();
        let counties = [
            CountyLoss {
                townships: vec![
                    loss(1.5, 10.0, 4.4, 149.0, 26.0),
                    loss(1.25, 5.0, 0.0, 149.0, 0.0),
                ],
                rooms_per_household: 2.0,
            },
            CountyLoss {
                townships: vec![loss(0.5, 0.0, 3.0, 149.0, 1e7)],
                rooms_per_household: 3.0,
            },
        ];
        let f = fill(&form, &counties, 0.6);
        let affected = column(&form, "affected_people");
        assert_eq!(f.region[affected], Some(3));
        assert_eq!(
            [f.counties[0][affected], f.counties[1][affected]],
            [Some(3), Some(0)]
        );
        assert_eq!(
            [f.townships[0][0][affected], f.townships[0][1][affected]],
            [Some(2), Some(1)]
        );
        // 15 relocated: 6 in shelters, 9 elsewhere.
        let [all, central, apart] = [
            "relocated_people",
            "relocated_centralised",
            "relocated_dispersed",
        ]
        .map(|c| f.region[column(&form, c)]);
        assert_eq!((all, central, apart), (Some(15), Some(6), Some(9)));
        // 4.4 / 2 + 3 / 3 = 3.2 households.
        assert_eq!(f.region[column(&form, "collapsed_households")], Some(3));
        // Dwellings 447 yuan: 4 steps of 100 yuan; agriculture 100 000 steps and 26 yuan.
        let total = column(&form, "direct_loss");
        assert_eq!(f.region[total], Some(100_004));
        assert_eq!(Figures::shown(&form, total, 100_004), 1000.04);
        assert_eq!(f.region[column(&form, "deaths")], None);
        for k in 0..form.fields.len() {
            let counties: Option<u64> = f.counties.iter().map(|c| c[k]).sum();
            let townships: Option<u64> = f.townships.iter().flatten().map(|t| t[k]).sum();
            assert_eq!(
                (counties, townships),
                (f.region[k], f.region[k]),
                "{}",
                form.fields[k].code
            );
        }
    }

    #[test]
    fn figures_far_apart_are_flagged() {
        let c = compare(Some(30.0), Some(10.0), 2.0);
        assert_eq!(
            (c.difference, c.ratio, c.flagged),
            (Some(20.0), Some(3.0), true)
        );
        assert!(!compare(Some(10.0), Some(20.0), 2.0).flagged);
        assert!(compare(Some(1.0), Some(0.0), 2.0).flagged);
        assert!(compare(Some(0.0), Some(7.0), 2.0).flagged);
        assert!(!compare(Some(0.0), Some(0.0), 2.0).flagged);
        assert!(!compare(None, Some(7.0), 2.0).flagged);
    }

    #[test]
    fn forms_at_fault_are_named() {
        let text = include_str!("../../standards/loss_report.toml")
            .replacen("columns = [\"crop_ha\"]", "columns = [\"corn_ha\"]", 1)
            .replacen("quantum = 1.0", "quantum = 0.0", 1)
            .replace("\"loss_industry\", ", "\"deaths\", ");
        let e = ReportForm::parse(&text, Path::new("f.toml")).unwrap_err();
        assert!(e.faults().len() >= 3, "{e}");
    }
}
