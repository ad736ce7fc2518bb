//! What a census table may say of a unit beyond its people: output by sector, employment, areas, lengths of road.
//! Every column is optional; what is absent is `None`, never 0.

use super::check::Crosswalk;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A field of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Output of the primary sector, 亿元.
    GdpPrimary,
    /// Of the secondary sector, 亿元.
    GdpSecondary,
    /// Of the tertiary sector, 亿元.
    GdpTertiary,
    /// People at work.
    Employed,
    /// In farming, forestry and fishing.
    EmployedFarming,
    /// In manufacturing.
    EmployedManufacturing,
    /// In building.
    EmployedBuilding,
    /// Households of the long form, to which its employment belongs.
    LongFormHouseholds,
    /// Residents in family households (家庭户人口).
    HouseholdPopulation,
    /// Sown area, ha.
    CropHa,
    /// Forest, ha.
    ForestHa,
    /// Roads, km.
    RoadKm,
    /// Residents present on holidays over residents (节假日人口系数).
    HolidayFactor,
    /// People who come in by day from beyond the region less those who leave it.
    DayInflow,
}

/// Columns by name; same form as the column dictionary (列名词典).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EconomyColumns {
    /// Name of the dictionary.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// The fields.
    pub field: Vec<ColumnNames>,
}

/// One field of the dictionary.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnNames {
    /// The field.
    pub field: Field,
    /// Names in tables, tried in order.
    pub names: Vec<String>,
    /// Unit, for messages.
    pub unit: String,
}

impl EconomyColumns {
    /// The dictionary that is compiled in.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/economy_columns.toml"))
            .expect("the compiled-in dictionary is read by a test")
    }
}

/// Figures of the units by code; a field that is not given is absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Economy(BTreeMap<String, BTreeMap<Field, f64>>);

impl Economy {
    /// Reads the optional columns of a table that has a column of codes, named in `codes`.
    ///
    /// - Rows without a code and blank cells are passed over.
    ///
    /// # Errors
    /// Cells that are no number or below 0 (the inflow by day may be), all together.
    pub fn read(table: &Table, columns: &EconomyColumns, codes: &[String]) -> Result<Economy> {
        let mut faults = Vec::new();
        let mut units: BTreeMap<String, BTreeMap<Field, f64>> = BTreeMap::new();
        let Some(code) = codes.iter().find_map(|name| table.column(name)) else {
            return Err(Error::input(Fault::new(
                &table.source,
                format!("columns {}", table.columns.join(", ")),
                format!("a column {}", codes.join(" or ")),
                "add or rename the column",
            )));
        };
        for field in &columns.field {
            let Some(column) = field.names.iter().find_map(|n| table.column(n)) else {
                continue;
            };
            for (i, row) in table.rows.iter().enumerate() {
                if row[code].is_null() || row[column].is_null() {
                    continue;
                }
                let signed = field.field == Field::DayInflow;
                let value = row[column]
                    .as_f64()
                    .filter(|v| v.is_finite() && (signed || *v >= 0.0));
                match value {
                    Some(v) => {
                        units
                            .entry(digits(&row[code]))
                            .or_default()
                            .insert(field.field, v);
                    }
                    None => faults.push(
                        Fault::new(
                            &table.source,
                            format!("`{}`", row[column]),
                            format!("a number of 0 or more ({})", field.unit),
                            "correct the figure from its source, or leave the cell blank",
                        )
                        .at(table.place(i, column)),
                    ),
                }
            }
        }
        if faults.is_empty() {
            Ok(Economy(units))
        } else {
            Err(Error::Input(faults))
        }
    }

    /// The figures of another table in place of these where it has them.
    #[must_use]
    pub fn replaced_by(mut self, other: Economy) -> Economy {
        for (code, fields) in other.0 {
            self.0.entry(code).or_default().extend(fields);
        }
        self
    }

    /// The figures of the border units: codes changed by the crosswalk. A field is kept where every part of the unit has
    /// it; the factor of holidays is the mean of the parts.
    #[must_use]
    pub fn resolved(&self, crosswalk: &Crosswalk) -> Economy {
        /// Shares of the parts of a unit, each with its figures.
        type Parts<'a> = Vec<(f64, &'a BTreeMap<Field, f64>)>;
        let mut parts: BTreeMap<String, Parts<'_>> = BTreeMap::new();
        for (code, fields) in &self.0 {
            let lines: Vec<_> = crosswalk.lines.iter().filter(|l| l.from == *code).collect();
            if lines.is_empty() {
                parts.entry(code.clone()).or_default().push((1.0, fields));
            }
            for line in lines {
                parts
                    .entry(line.to.clone())
                    .or_default()
                    .push((line.share, fields));
            }
        }
        let unit = |parts: Parts<'_>| {
            let mut out = BTreeMap::new();
            for &field in parts[0].1.keys() {
                let values: Option<Vec<(f64, f64)>> = parts
                    .iter()
                    .map(|(share, fields)| fields.get(&field).map(|v| (*share, *v)))
                    .collect();
                let Some(values) = values else { continue };
                let sum: f64 = values.iter().map(|(share, v)| share * v).sum();
                let shares: f64 = values.iter().map(|(share, _)| share).sum();
                let mean = field == Field::HolidayFactor && shares > 0.0;
                out.insert(field, if mean { sum / shares } else { sum });
            }
            out
        };
        Economy(
            parts
                .into_iter()
                .map(|(code, parts)| (code, unit(parts)))
                .collect(),
        )
    }

    /// A figure of a unit.
    pub fn get(&self, code: &str, field: Field) -> Option<f64> {
        self.0.get(code)?.get(&field).copied()
    }
}

/// A code as its digits: a float loses its point, padding zeros go as in [`super::DivisionCode`].
fn digits(value: &Value) -> String {
    super::DivisionCode::parse(value).map_or_else(
        |_| value.to_string().trim().to_string(),
        |(code, _)| code.as_str().to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::check::CrosswalkLine;

    fn table(rows: &[[&str; 3]]) -> Table {
        let mut t = Table::new(&["区划代码", "总就业(长表)", "公路里程(公里)"]);
        let cell = |s: &&str| match s.parse::<f64>() {
            Ok(v) => Value::Real(v),
            Err(_) if s.is_empty() => Value::Null,
            Err(_) => Value::Text((*s).into()),
        };
        t.rows = rows.iter().map(|r| r.iter().map(cell).collect()).collect();
        t
    }

    fn line(from: &str, to: &str, share: f64) -> CrosswalkLine {
        CrosswalkLine {
            from: from.into(),
            to: to.into(),
            share,
            source: String::new(),
        }
    }

    #[test]
    fn parts_are_added_and_what_is_missing_stays_missing() {
        let codes = ["区划代码".to_string()];
        let t = table(&[
            ["330102", "100", "10"],
            ["330104", "200", ""],
            ["330105", "50", "5"],
        ]);
        let economy = Economy::read(&t, &EconomyColumns::builtin(), &codes).unwrap();
        let crosswalk = Crosswalk {
            lines: vec![
                line("330102", "330102", 1.0),
                line("330104", "330102", 0.75),
                line("330104", "330114", 0.25),
            ],
        };
        let units = economy.resolved(&crosswalk);
        assert_eq!(units.get("330102", Field::Employed), Some(250.0));
        assert_eq!(units.get("330114", Field::Employed), Some(50.0));
        assert_eq!(units.get("330102", Field::RoadKm), None);
        assert_eq!(units.get("330105", Field::RoadKm), Some(5.0));
    }

    #[test]
    fn bad_cells_are_named_together() {
        let codes = ["区划代码".to_string()];
        let t = table(&[["330102", "-1", "lots"]]);
        let error = Economy::read(&t, &EconomyColumns::builtin(), &codes).unwrap_err();
        assert_eq!(error.faults().len(), 2, "{error}");
        assert!(error.to_string().contains("公路里程"), "{error}");
    }
}
