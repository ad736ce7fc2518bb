//! Dwellings by structure and storeys (房屋：承重类型 × 建筑层数): whole buildings, their floor and replacement value per
//! (unit, cell), from the ledger's floor by structure or from a team's own table of houses.
//!
//! Where the ledger says how much floor of a structure a cell is expected to hold, this table says which buildings: the
//! buildings of a class are counted for the unit, given to cells by largest remainder, and share the unit's floor of
//! that class. Floors of a structure add up to those of the ledger in every unit, not in every cell: a cell holds whole
//! buildings.

use super::exposure::{ExposureValues, LedgerRow};
use super::spread::{largest_remainder, proportional};
use super::table::Record;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::{Error, Fault, Raster, Result};
use rayon::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Structures: concrete, masonry, brick and wood, other.
pub const STRUCTURES: usize = 4;
/// Classes of storeys.
pub const STOREYS: usize = 5;

/// The file `standards/buildings.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildingTable {
    /// Name of the data set.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the figures come from.
    pub source: String,
    /// Names of the classes of storeys.
    pub storeys: [String; STOREYS],
    /// In Chinese.
    pub storeys_zh: [String; STOREYS],
    /// Most storeys of each class but the last.
    pub most_storeys: [u32; STOREYS - 1],
    /// Shares of dwellings with lift by storeys.
    pub lift: [f64; STOREYS],
    /// The structures.
    pub structure: [StructureShares; STRUCTURES],
    /// The part of the ledger's third structure that is neither brick nor wood.
    pub other: OtherShare,
    /// What the shares are held against.
    pub published: Published,
}

/// One structure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StructureShares {
    /// Name in tables.
    pub id: String,
    /// Names in a team's table of houses.
    pub aliases: Vec<String>,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Shares of floor without lift by storeys, in towns.
    pub urban: [f64; STOREYS],
    /// Outside towns.
    pub rural: [f64; STOREYS],
    /// Floor of one building by storeys in towns, m².
    pub floor_m2_urban: [f64; STOREYS],
    /// Outside towns, m².
    pub floor_m2_rural: [f64; STOREYS],
}

/// A share with its source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherShare {
    /// The share.
    pub share: f64,
    /// `read` or `unverified`.
    pub status: String,
    /// Where it comes from.
    pub source: String,
}

/// A published table by storeys and by structure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Place and year.
    pub place: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Where it comes from.
    pub source: String,
    /// Households by storeys.
    pub storeys: [u64; STOREYS],
    /// Households by structure.
    pub structures: [u64; STRUCTURES],
    /// Assumed share of each structure in towns.
    pub assumed_urban: [f64; STRUCTURES],
    /// Assumed share of concrete dwellings with lift.
    pub assumed_lift: f64,
}

/// Buildings of one class in one cell and unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BuildingRow {
    /// Cell number.
    pub cell: u32,
    /// Index of the unit.
    pub unit: u16,
    /// Structure, 0..4: concrete, masonry, brick and wood, other.
    pub structure: u8,
    /// Class of storeys, 0..5.
    pub storeys: u8,
    /// Buildings (栋).
    pub count: u32,
    /// Their floor, m².
    pub floor_m2: f64,
    /// Their replacement value, yuan.
    pub value_yuan: f64,
}

/// Buildings and floor (m²) by structure and storeys.
pub type Houses = [[(u64, f64); STOREYS]; STRUCTURES];

impl BuildingTable {
    /// The table that is compiled in.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/buildings.toml"))
            .expect("the compiled-in table is read by a test")
    }

    /// Shares of a structure's floor by storeys in a cell that is this urban, of which `lift` has a lift.
    pub fn storey_shares(&self, structure: usize, urbanity: f64, lift: f64) -> [f64; STOREYS] {
        let s = &self.structure[structure];
        let mut out = [0.0; STOREYS];
        for (k, share) in out.iter_mut().enumerate() {
            *share = lift * self.lift[k]
                + (1.0 - lift) * (urbanity * s.urban[k] + (1.0 - urbanity) * s.rural[k]);
        }
        out
    }

    /// Reads a team's table of houses: 区划代码, 结构类型, 层数 (a number or a class), 栋数, 建筑面积(平方米); rows of one
    /// class are added.
    ///
    /// # Errors
    /// All faults together: columns missing, units that are none of `units`, unknown structures, figures out of range,
    /// floor without buildings or buildings without floor.
    pub fn read_houses(
        &self,
        table: &Table,
        units: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Houses>> {
        const COLUMNS: [&[&str]; 5] = [
            &["区划代码", "行政区划代码", "单位代码", "code", "unit"],
            &["结构类型", "房屋结构", "承重类型", "structure"],
            &["层数", "地上层数", "建筑层数", "storeys"],
            &["栋数", "幢数", "房屋栋数", "count"],
            &["建筑面积(平方米)", "建筑面积", "建筑面积_m2", "floor_m2"],
        ];
        let at: Vec<usize> = COLUMNS
            .iter()
            .map(|names| match names.iter().find_map(|n| table.column(n)) {
                Some(column) => Ok(column),
                None => table.require(names[0]),
            })
            .collect::<Result<_>>()?;
        let mut faults = Vec::new();
        let mut out: BTreeMap<String, Houses> = BTreeMap::new();
        for (i, row) in table.rows.iter().enumerate() {
            if row.iter().all(Value::is_null) {
                continue;
            }
            let mut fault = |column: usize, expected: &str, remedy: &str| {
                faults.push(
                    Fault::new(
                        &table.source,
                        format!("`{}`", row[column]),
                        expected,
                        remedy,
                    )
                    .at(table.place(i, column)),
                );
            };
            let code = super::DivisionCode::parse(&row[at[0]])
                .map(|c| c.0.as_str().to_string())
                .ok()
                .filter(|c| units.contains(c));
            if code.is_none() {
                fault(
                    at[0],
                    "the code of a unit of the borders",
                    "correct the code",
                );
            }
            let structure = self.structure_of(&row[at[1]].to_string());
            if structure.is_none() {
                let known: Vec<&str> = self.structure.iter().map(|s| s.name_zh.as_str()).collect();
                fault(
                    at[1],
                    &known.join(", "),
                    "name one of these structures (房屋结构)",
                );
            }
            let storeys = self.storeys_of(&row[at[2]]);
            if storeys.is_none() {
                fault(
                    at[2],
                    "a number of storeys of 1 or more, or a class as in 2-3",
                    "correct the cell",
                );
            }
            let mut number = |column: usize, most: f64, expected: &str| {
                let value = row[column].as_f64().filter(|v| (0.0..=most).contains(v));
                if value.is_none() {
                    fault(column, expected, "correct the cell");
                }
                value
            };
            let count = number(at[3], 1e7, "a number of buildings, 0 or more");
            let floor = number(at[4], 1e10, "floor in m², 0 or more");
            if let (Some(c), Some(f)) = (count, floor)
                && ((c > 0.0) != (f > 0.0) || c.fract() != 0.0)
            {
                fault(
                    at[3],
                    "whole buildings, and floor where there are buildings",
                    "correct count or floor",
                );
            }
            if let (Some(code), Some(s), Some(k), Some(c), Some(f)) =
                (code, structure, storeys, count, floor)
            {
                let cell = &mut out.entry(code).or_default()[s][k];
                cell.0 += c as u64;
                cell.1 += f;
            }
        }
        if faults.is_empty() {
            Ok(out)
        } else {
            Err(Error::Input(faults))
        }
    }

    fn structure_of(&self, text: &str) -> Option<usize> {
        let text = text.trim();
        self.structure
            .iter()
            .position(|s| s.id == text || s.aliases.iter().any(|a| a == text))
    }

    fn storeys_of(&self, value: &Value) -> Option<usize> {
        let text = value.to_string();
        let text = text.trim().trim_end_matches('层');
        if let Some(k) = self
            .storeys
            .iter()
            .zip(&self.storeys_zh)
            .position(|(a, b)| a == text || b.trim_end_matches('层') == text)
        {
            return Some(k);
        }
        let n = text
            .parse::<f64>()
            .ok()
            .filter(|n| *n >= 1.0 && n.fract() == 0.0)?;
        Some(
            self.most_storeys
                .iter()
                .position(|&most| n <= f64::from(most))
                .unwrap_or(STOREYS - 1),
        )
    }
}

/// Shares of the ledger's three structures (concrete, masonry, the rest) in a table of houses.
pub fn ledger_shares(houses: &Houses) -> [f64; 3] {
    let floor = |s: usize| houses[s].iter().map(|h| h.1).sum::<f64>();
    let parts = [floor(0), floor(1), floor(2) + floor(3)];
    let all: f64 = parts.iter().sum();
    if all > 0.0 {
        parts.map(|p| p / all)
    } else {
        [0.0, 1.0, 0.0]
    }
}

/// All buildings, rows by ascending (cell, unit, structure, storeys). `rows`: the ledger, by ascending cell; `houses`: what
/// a team's table says of the units that it holds.
pub fn buildings(
    records: &[Record],
    rows: &[LedgerRow],
    urbanity: &Raster<f32>,
    houses: &BTreeMap<String, Houses>,
    table: &BuildingTable,
    values: &ExposureValues,
) -> Vec<BuildingRow> {
    let mut of_unit: Vec<Vec<&LedgerRow>> = vec![Vec::new(); records.len()];
    for row in rows.iter().filter(|r| r.floor_m2.iter().any(|f| *f > 0.0)) {
        of_unit[row.unit as usize].push(row);
    }
    let mut out: Vec<BuildingRow> = records
        .par_iter()
        .zip(&of_unit)
        .flat_map_iter(|(record, rows)| {
            unit_buildings(
                record,
                rows,
                urbanity,
                houses.get(record.code.as_str()),
                table,
                values,
            )
        })
        .collect();
    out.sort_by_key(|r| (r.cell, r.unit, r.structure, r.storeys));
    out
}

fn unit_buildings(
    record: &Record,
    rows: &[&LedgerRow],
    urbanity: &Raster<f32>,
    given: Option<&Houses>,
    table: &BuildingTable,
    values: &ExposureValues,
) -> Vec<BuildingRow> {
    let costs = values.costs();
    let lift = values.lift_share(record);
    let urban: Vec<f64> = rows
        .iter()
        .map(|r| {
            let u = f64::from(urbanity.values()[r.cell as usize]);
            if u.is_nan() { 0.0 } else { u.clamp(0.0, 1.0) }
        })
        .collect();
    let mut out = Vec::new();
    for structure in 0..STRUCTURES {
        let ledger = structure.min(2);
        let part = match structure {
            2 => 1.0 - table.other.share,
            3 => table.other.share,
            _ => 1.0,
        };
        let floors: f64 = rows.iter().map(|r| r.floor_m2[ledger]).sum();
        let towns: f64 = rows
            .iter()
            .zip(&urban)
            .map(|(r, u)| r.floor_m2[ledger] * u)
            .sum();
        // Lifts stand in towns: more where the cell is more urban than the structure's mean.
        let lift = |u: f64| {
            if structure == 0 && towns > 0.0 {
                (lift * u * floors / towns).min(1.0)
            } else {
                0.0
            }
        };
        // Expected floor of each class in each cell.
        let mut expected: [Vec<f64>; STOREYS] = Default::default();
        for (row, &u) in rows.iter().zip(&urban) {
            let shares = table.storey_shares(structure, u, lift(u));
            for (class, share) in expected.iter_mut().zip(shares) {
                class.push(row.floor_m2[ledger] * part * share);
            }
        }
        let totals = match given {
            Some(houses) => houses[structure],
            None => unit_totals(table, structure, floors * part, &expected, &urban),
        };
        for (storeys, (count, floor)) in totals.into_iter().enumerate() {
            if count == 0 {
                continue;
            }
            // A class of the team's table where the ledger expects none goes where any dwelling stands.
            let weights = if expected[storeys].iter().any(|w| *w > 0.0) {
                expected[storeys].clone()
            } else {
                rows.iter().map(|r| r.floor_m2.iter().sum()).collect()
            };
            if weights.is_empty() {
                continue;
            }
            let counts = largest_remainder(count, &weights);
            let by_count: Vec<f64> = counts.iter().map(|&c| c as f64).collect();
            let floors = proportional(floor, &by_count);
            for ((row, &count), &floor_m2) in rows.iter().zip(&counts).zip(&floors) {
                if count > 0 {
                    out.push(BuildingRow {
                        cell: row.cell,
                        unit: row.unit,
                        structure: structure as u8,
                        storeys: storeys as u8,
                        count: count as u32,
                        floor_m2,
                        value_yuan: floor_m2 * costs[ledger],
                    });
                }
            }
        }
    }
    out
}

/// Buildings and floor of the classes of one structure: floors share the total, buildings follow from the floor of one.
/// A class with less floor than half a building gives it to the structure's greatest class.
fn unit_totals(
    table: &BuildingTable,
    structure: usize,
    total: f64,
    expected: &[Vec<f64>; STOREYS],
    urban: &[f64],
) -> [(u64, f64); STOREYS] {
    let mut out = [(0, 0.0); STOREYS];
    if total <= 0.0 {
        return out;
    }
    let sizes = &table.structure[structure];
    let sums: Vec<f64> = expected.iter().map(|c| c.iter().sum()).collect();
    let greatest = (0..STOREYS)
        .max_by(|&a, &b| sums[a].total_cmp(&sums[b]).then(b.cmp(&a)))
        .unwrap_or(0);
    let counts: Vec<u64> = (0..STOREYS)
        .map(|k| {
            let towns: f64 = expected[k].iter().zip(urban).map(|(f, u)| f * u).sum();
            let n = towns / sizes.floor_m2_urban[k] + (sums[k] - towns) / sizes.floor_m2_rural[k];
            let n = n.round().max(0.0) as u64;
            if k == greatest { n.max(1) } else { n }
        })
        .collect();
    let kept: Vec<f64> = (0..STOREYS)
        .map(|k| if counts[k] > 0 { sums[k] } else { 0.0 })
        .collect();
    // What the dropped classes held goes to the greatest.
    let mut weights = kept;
    weights[greatest] += sums.iter().sum::<f64>() - weights.iter().sum::<f64>();
    for (k, floor) in proportional(total, &weights).into_iter().enumerate() {
        out[k] = (counts[k], floor);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::DivisionCode;
    use anlan_engine::{Crs, Grid};

    fn record(population: u64, urban: u64, lift: f64) -> Record {
        Record {
            code: DivisionCode::parse(&Value::Integer(330_702)).unwrap().0,
            name: "甲".into(),
            place: "row 2".into(),
            population,
            households: population / 3,
            urban_population: urban,
            age_0_14: 0,
            age_65_plus: 0,
            rooms_per_household: 3.0,
            floor_m2_per_head: 40.0,
            lift_households_pct: lift,
            gdp_yuan: 0.0,
        }
    }

    #[test]
    fn shares_are_whole_and_give_the_published_table() {
        let t = BuildingTable::builtin();
        for s in &t.structure {
            for shares in [&s.urban, &s.rural, &t.lift] {
                assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{}", s.id);
            }
        }
        // Zhejiang 2010: the structures as published, the storeys as they follow from the shares.
        let p = &t.published;
        let households: u64 = p.storeys.iter().sum();
        assert_eq!(households, p.structures.iter().sum::<u64>());
        let mut modelled = [0.0; STOREYS];
        for s in 0..STRUCTURES {
            let lift = if s == 0 { p.assumed_lift } else { 0.0 };
            let shares = t.storey_shares(s, p.assumed_urban[s], lift);
            for (m, share) in modelled.iter_mut().zip(shares) {
                *m += share * p.structures[s] as f64 / households as f64;
            }
        }
        for (m, &n) in modelled.iter().zip(&p.storeys) {
            // The shares are stated in whole percent.
            let published = n as f64 / households as f64;
            assert!((m - published).abs() < 0.01, "{modelled:?}");
        }
    }

    #[test]
    fn buildings_are_whole_and_floors_add_up() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 100.0),
            (100.0, 100.0),
            (1, 40),
        )
        .unwrap();
        let mut urbanity = Raster::filled(grid, 0.1_f32);
        for c in 0..10 {
            urbanity.values_mut()[c] = 1.0;
        }
        let rows: Vec<LedgerRow> = (0..40)
            .map(|cell| LedgerRow {
                cell,
                floor_m2: [
                    if cell < 10 { 30_000.0 } else { 200.0 },
                    1000.0 + f64::from(cell) * 13.7,
                    300.0,
                ],
                ..LedgerRow::default()
            })
            .collect();
        let (t, v) = (BuildingTable::builtin(), ExposureValues::builtin());
        let r = record(20_000, 14_000, 30.0);
        let made = buildings(
            std::slice::from_ref(&r),
            &rows,
            &urbanity,
            &BTreeMap::new(),
            &t,
            &v,
        );
        for ledger in 0..3 {
            let floor: f64 = made
                .iter()
                .filter(|b| usize::from(b.structure).min(2) == ledger)
                .map(|b| b.floor_m2)
                .sum();
            let wanted: f64 = rows.iter().map(|r| r.floor_m2[ledger]).sum();
            assert!((floor / wanted - 1.0).abs() < 1e-13, "{floor} {wanted}");
        }
        // High houses stand in the town: every building of ten storeys, by the lift share of the urban cells.
        let high = |town: bool| -> u32 {
            made.iter()
                .filter(|b| b.storeys == 4 && (b.cell < 10) == town)
                .map(|b| b.count)
                .sum()
        };
        assert!(high(true) > 5 && high(false) == 0);
        assert!(made.iter().all(|b| b.count > 0 && b.floor_m2 > 0.0));

        // A team's own table: its counts and floors to the last.
        let mut houses: Houses = Default::default();
        houses[0][4] = (7, 70_000.5);
        houses[3][0] = (11, 900.25);
        let own = BTreeMap::from([("330702".to_string(), houses)]);
        let made = buildings(&[r], &rows, &urbanity, &own, &t, &v);
        let sum = |s: u8| -> (u32, f64) {
            made.iter()
                .filter(|b| b.structure == s)
                .fold((0, 0.0), |a, b| (a.0 + b.count, a.1 + b.floor_m2))
        };
        assert_eq!((sum(0).0, sum(3).0), (7, 11));
        assert!((sum(0).1 - 70_000.5).abs() < 1e-9 && (sum(3).1 - 900.25).abs() < 1e-9);
        assert_eq!(made.iter().map(|b| b.count).sum::<u32>(), 18);
        let shares = ledger_shares(&houses);
        assert!((shares[0] - 70_000.5 / 70_900.75).abs() < 1e-15);
    }

    #[test]
    fn a_table_of_houses_is_read_with_its_faults() {
        let t = BuildingTable::builtin();
        let mut table = Table::new(&["区划代码", "结构类型", "层数", "栋数", "建筑面积"]);
        let row = |v: [&str; 5]| v.map(Value::from).to_vec();
        table
            .rows
            .push(row(["330702", "砖混", "2-3", "4", "900"]).to_vec());
        for r in &mut table.rows {
            r[3] = Value::Integer(4);
            r[4] = Value::Real(900.0);
        }
        let units = BTreeSet::from(["330702".to_string()]);
        let houses = t.read_houses(&table, &units).unwrap();
        assert_eq!(houses["330702"][1][1], (4, 900.0));
        let mut bad = table.clone();
        bad.rows[0] = vec![
            "330799".into(),
            "纸板".into(),
            Value::Integer(0),
            Value::Integer(3),
            Value::Real(0.0),
        ];
        let error = t.read_houses(&bad, &units).unwrap_err();
        assert_eq!(error.faults().len(), 4, "{error}");
        assert_eq!(t.storeys_of(&Value::Integer(11)), Some(4));
        assert_eq!(t.storeys_of(&Value::from("平房")), Some(0));
    }
}
