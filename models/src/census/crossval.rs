//! Cross-validation of dasymetric weights (交叉验证): the totals of the level above are spread over its cells by each set
//! of weights, summed by unit and held against what the census counted there.
//!
//! What the weights look at must not know the units: land cover and urbanity are refined with the totals of the level
//! above.

use super::dasymetric::{Covariates, Dasymetric, Quantity, UnitCells, WeightSet};
use super::spread::largest_remainder;
use super::table::Record;
use std::collections::BTreeMap;

/// Units of one parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Code of the parent.
    pub parent: String,
    /// Indices of the units.
    pub units: Vec<usize>,
}

/// Families of at least two units, by the code of the level above; one family of all where the codes have none.
pub fn families(records: &[Record]) -> Vec<Family> {
    let mut by: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, r) in records.iter().enumerate() {
        let parent = r
            .code
            .parent()
            .map_or_else(String::new, |p| p.as_str().to_string());
        by.entry(parent).or_default().push(i);
    }
    by.into_iter()
        .filter(|(_, units)| units.len() > 1)
        .map(|(parent, units)| Family { parent, units })
        .collect()
}

/// One unit as a set of weights predicts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Name of the set.
    pub set: String,
    /// What was spread.
    pub quantity: &'static str,
    /// Index of the unit.
    pub unit: usize,
    /// What the census counted.
    pub counted: f64,
    /// What the set gives.
    pub predicted: f64,
}

/// How well a set predicts the units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Skill {
    /// Units compared.
    pub units: usize,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean of |error| / counted.
    pub mean_relative_error: f64,
    /// Pearson's correlation of predicted and counted, about the mean of the unit's family.
    pub correlation: f64,
    /// Share of the total that lies in the wrong unit, 0..=1.
    pub misplaced: f64,
}

/// Spreads the residents, households and GDP of every family by every set that is made for residents (and GDP by those of
/// its sectors, `sector_shares` of the whole family) and that has all it needs. `cells` are the cells of each unit.
pub fn cross_validate(
    dasymetric: &Dasymetric,
    covariates: &Covariates<'_>,
    records: &[Record],
    cells: &[Vec<u32>],
    sector_shares: &dyn Fn(&Family) -> [f64; 3],
) -> Vec<Prediction> {
    let mut out = Vec::new();
    for family in families(records) {
        let own: Vec<&Record> = family.units.iter().map(|&u| &records[u]).collect();
        let mut all: Vec<(u32, usize)> = Vec::new();
        for (k, &u) in family.units.iter().enumerate() {
            all.extend(cells[u].iter().map(|&c| (c, k)));
        }
        all.sort_unstable();
        let numbers: Vec<u32> = all.iter().map(|a| a.0).collect();
        let sum = |f: fn(&Record) -> u64| own.iter().map(|r| f(r)).sum::<u64>();
        let (people, urban) = (sum(|r| r.population), sum(|r| r.urban_population));
        let homes = sum(|r| r.households);
        let gdp: f64 = own.iter().map(|r| r.gdp_yuan).sum();
        let place = UnitCells {
            cells: &numbers,
            urban: urban as f64 / people.max(1) as f64,
            residents: None,
        };
        let by_unit = |weights: &[f64], total: f64| -> Vec<f64> {
            let mut sums = vec![0.0; own.len()];
            for (w, (_, k)) in weights.iter().zip(&all) {
                sums[*k] += w;
            }
            let whole: f64 = sums.iter().sum();
            sums.iter().map(|s| total * s / whole).collect()
        };
        let mut tell = |set: &str,
                        quantity: &'static str,
                        predicted: Vec<f64>,
                        counted: &dyn Fn(&Record) -> f64| {
            for ((&unit, r), predicted) in family.units.iter().zip(&own).zip(predicted) {
                out.push(Prediction {
                    set: set.to_string(),
                    quantity,
                    unit,
                    counted: counted(r),
                    predicted,
                });
            }
        };
        let chosen = &dasymetric.set_of(Quantity::Residents).id;
        for set in usable(dasymetric, covariates, Quantity::Residents) {
            let w = dasymetric.weights(set, covariates, place).weights;
            tell(&set.id, "residents", by_unit(&w, people as f64), &|r| {
                r.population as f64
            });
            tell(&set.id, "households", by_unit(&w, homes as f64), &|r| {
                r.households as f64
            });
            if gdp > 0.0 {
                tell(&set.id, "gdp_yuan", by_unit(&w, gdp), &|r| r.gdp_yuan);
            }
            if set.id != *chosen || gdp <= 0.0 {
                continue;
            }
            // The sectors as the ledger spreads them, on the residents that this set gives.
            let residents: Vec<f64> = largest_remainder(people, &w)
                .into_iter()
                .map(|n| n as f64)
                .collect();
            let place = UnitCells {
                residents: Some(&residents),
                ..place
            };
            let shares = sector_shares(&family);
            let mut sums = vec![0.0; own.len()];
            for (q, share) in [
                Quantity::GdpPrimary,
                Quantity::GdpSecondary,
                Quantity::GdpTertiary,
            ]
            .into_iter()
            .zip(shares)
            {
                let w = dasymetric
                    .weights(dasymetric.set_of(q), covariates, place)
                    .weights;
                for (s, part) in sums.iter_mut().zip(by_unit(&w, gdp * share)) {
                    *s += part;
                }
            }
            tell("sectors", "gdp_yuan", sums, &|r| r.gdp_yuan);
        }
    }
    out
}

fn usable<'a>(
    dasymetric: &'a Dasymetric,
    covariates: &'a Covariates<'_>,
    quantity: Quantity,
) -> impl Iterator<Item = &'a WeightSet> {
    dasymetric
        .set
        .iter()
        .filter(move |s| s.quantity == quantity && covariates.suffice(s))
}

/// Skill of the predictions of one set and quantity. `family`: number of the family of a unit.
pub fn skill(predictions: &[&Prediction], family: &dyn Fn(usize) -> usize) -> Skill {
    let n = predictions.len() as f64;
    let error = |p: &Prediction| p.predicted - p.counted;
    let total: f64 = predictions.iter().map(|p| p.counted).sum();
    let squares: f64 = predictions.iter().map(|p| error(p) * error(p)).sum();
    let wrong: f64 = predictions.iter().map(|p| error(p).abs()).sum();
    let counted: Vec<&&Prediction> = predictions.iter().filter(|p| p.counted > 0.0).collect();
    let relative: f64 = counted.iter().map(|p| error(p).abs() / p.counted).sum();
    // About the mean of each family: between families the totals are given, not predicted.
    let mut means: BTreeMap<usize, (f64, f64, f64)> = BTreeMap::new();
    for p in predictions {
        let m = means.entry(family(p.unit)).or_default();
        *m = (m.0 + p.counted, m.1 + p.predicted, m.2 + 1.0);
    }
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for p in predictions {
        let m = means[&family(p.unit)];
        let (x, y) = (p.counted - m.0 / m.2, p.predicted - m.1 / m.2);
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    Skill {
        units: predictions.len(),
        rmse: libm::sqrt(squares / n.max(1.0)),
        mean_relative_error: relative / (counted.len() as f64).max(1.0),
        correlation: if xx > 0.0 && yy > 0.0 {
            xy / libm::sqrt(xx * yy)
        } else {
            f64::NAN
        },
        misplaced: if total > 0.0 {
            0.5 * wrong / total
        } else {
            0.0
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::DivisionCode;
    use anlan_engine::io::Value;
    use anlan_engine::{Crs, Grid, Raster};

    fn record(code: i64, population: u64) -> Record {
        Record {
            code: DivisionCode::parse(&Value::Integer(code)).unwrap().0,
            name: "甲".into(),
            place: "row 2".into(),
            population,
            households: population / 2,
            urban_population: population / 2,
            age_0_14: 0,
            age_65_plus: 0,
            rooms_per_household: 3.0,
            floor_m2_per_head: 40.0,
            lift_households_pct: 0.0,
            gdp_yuan: 0.0,
        }
    }

    #[test]
    fn skill_by_hand() {
        let p = |unit, counted, predicted| Prediction {
            set: "x".into(),
            quantity: "residents",
            unit,
            counted,
            predicted,
        };
        // Errors 10, -10, 30, -30 of 100, 300, 200, 200.
        let all = [
            p(0, 100.0, 110.0),
            p(1, 300.0, 290.0),
            p(2, 200.0, 230.0),
            p(3, 200.0, 170.0),
        ];
        let refs: Vec<&Prediction> = all.iter().collect();
        let s = skill(&refs, &|u| u / 2);
        assert!((s.rmse - libm::sqrt(500.0)).abs() < 1e-12);
        assert!((s.mean_relative_error - (0.1 + 1.0 / 30.0 + 0.15 + 0.15) / 4.0).abs() < 1e-15);
        assert_eq!(s.misplaced, 0.05);
        // Deviations from the means of the pairs: counted -100, 100, 0, 0; predicted -90, 90, 30, -30.
        let r = 18_000.0 / libm::sqrt(20_000.0 * 18_000.0);
        assert!((s.correlation - r).abs() < 1e-15);
    }

    #[test]
    fn area_predicts_by_area_and_light_by_light() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 100.0),
            (100.0, 100.0),
            (1, 5),
        )
        .unwrap();
        let cover = Raster::filled(grid, 12_u8);
        let mut light = Raster::filled(grid, 1.0_f32);
        light.values_mut()[4] = 16.0;
        let covariates = Covariates::new(&cover, &cover)
            .with(super::super::dasymetric::Covariate::NightLight, &light);
        let records = [
            record(330_702, 200),
            record(330_703, 800),
            record(330_802, 7),
        ];
        let cells = vec![vec![0, 1, 2, 3], vec![4], vec![]];
        let d = Dasymetric::builtin();
        let all = cross_validate(&d, &covariates, &records, &cells, &|_| [0.0, 0.5, 0.5]);
        let of = |set: &str| -> Vec<f64> {
            all.iter()
                .filter(|p| p.set == set && p.quantity == "residents")
                .map(|p| p.predicted)
                .collect()
        };
        // The unit without brothers is left out; 1000 people over five cells, or by light 4 to 16.
        assert_eq!(of("area"), [800.0, 200.0]);
        assert_eq!(of("night-light"), [200.0, 800.0]);
        assert!(of("settled").is_empty(), "its covariates are missing");
    }
}
