//! The exposure table: rows of (place, class, value, unit), sorted by place; money and counts never mixed.

use crate::error::{Error, Fault, Result};

/// What the values of a class measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// Money of one currency and price year.
    Money {
        /// Currency, e.g. `CNY`.
        currency: String,
        /// Price year.
        price_year: u16,
    },
    /// A count of things, e.g. `person` or `room`.
    Count(String),
}

/// One class of exposure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposureClass {
    /// Code; also the index of the class.
    pub code: u16,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// What its values measure.
    pub measure: Measure,
}

/// The exposure table, as columns of equal length, rows by ascending (place, class, unit, item).
#[derive(Debug, Clone, PartialEq)]
pub struct Exposure {
    /// Place of each row: number of a cell, or of a point in a list of points.
    pub place: Vec<u32>,
    /// Class index of each row.
    pub class: Vec<u16>,
    /// Value of each row, in the measure of its class.
    pub value: Vec<f64>,
    /// Unit index of each row.
    pub unit: Vec<u16>,
    /// Number of the item of each row: its random address, which it keeps when others are left out.
    pub item: Vec<u32>,
    /// Number of the group of each row: items of a group are damaged alike as far as they are correlated.
    pub group: Vec<u32>,
    /// The classes.
    pub classes: Vec<ExposureClass>,
    /// Codes of the units.
    pub units: Vec<String>,
}

impl Exposure {
    /// The total of a class.
    pub fn total(&self, class: u16) -> f64 {
        self.class
            .iter()
            .zip(&self.value)
            .filter(|(c, _)| **c == class)
            .map(|(_, v)| v)
            .sum()
    }
}

/// One row of the exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Place.
    pub place: u32,
    /// Class index.
    pub class: u16,
    /// Value in the measure of its class.
    pub value: f64,
    /// Unit index.
    pub unit: u16,
    /// Number of the item.
    pub item: u32,
    /// Number of its group.
    pub group: u32,
}

/// Collects rows in any order.
#[derive(Debug)]
pub struct ExposureBuilder {
    rows: Vec<Row>,
    classes: Vec<ExposureClass>,
    units: Vec<String>,
}

impl ExposureBuilder {
    /// A builder without rows.
    pub fn new(classes: Vec<ExposureClass>, units: Vec<String>) -> Self {
        ExposureBuilder {
            rows: Vec::new(),
            classes,
            units,
        }
    }

    /// Adds a row; its item and its group are numbered in the order of the calls.
    pub fn push(&mut self, place: u32, class: u16, value: f64, unit: u16) {
        let number = self.rows.len() as u32;
        self.push_row(Row {
            place,
            class,
            value,
            unit,
            item: number,
            group: number,
        });
    }

    /// Adds a row with numbers of its own for item and group.
    pub fn push_row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Sorts and checks the rows.
    ///
    /// # Errors
    /// Values that are negative or not finite; classes or units that do not exist; items numbered twice in a class; money
    /// of more than one currency or price year.
    pub fn build(mut self) -> Result<Exposure> {
        let mut faults = Vec::new();
        for &Row {
            place,
            class,
            value,
            unit,
            ..
        } in &self.rows
        {
            let known =
                usize::from(class) < self.classes.len() && usize::from(unit) < self.units.len();
            if !(known && value >= 0.0 && value.is_finite()) && faults.len() < 20 {
                faults.push(
                    Fault::new(
                        "exposure",
                        format!("value {value} of class {class} in unit {unit}"),
                        "a finite value of 0 or more in a known class and unit",
                        "correct the exposure table",
                    )
                    .at(format!("place {place}")),
                );
            }
        }
        let mut money = self.classes.iter().filter_map(|c| match &c.measure {
            Measure::Money {
                currency,
                price_year,
            } => Some((currency, price_year)),
            Measure::Count(_) => None,
        });
        if let Some(first) = money.next()
            && let Some(other) = money.find(|m| *m != first)
        {
            faults.push(Fault::new(
                "exposure",
                format!("{} of {} and {} of {}", first.0, first.1, other.0, other.1),
                "one currency and price year",
                "convert all values to one currency and price year",
            ));
        }
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        self.rows
            .sort_by_key(|r| (r.place, r.class, r.unit, r.item));
        let mut items: Vec<(u16, u32)> = self.rows.iter().map(|r| (r.class, r.item)).collect();
        items.sort_unstable();
        if let Some(twice) = items.windows(2).find(|w| w[0] == w[1]) {
            return Err(Error::input(
                Fault::new(
                    "exposure",
                    "an item twice",
                    "each item once in a class",
                    "number the items: two of one number would always be damaged alike",
                )
                .at(format!("item {} of class {}", twice[0].1, twice[0].0)),
            ));
        }
        let rows = &self.rows;
        Ok(Exposure {
            place: rows.iter().map(|r| r.place).collect(),
            class: rows.iter().map(|r| r.class).collect(),
            value: rows.iter().map(|r| r.value).collect(),
            unit: rows.iter().map(|r| r.unit).collect(),
            item: rows.iter().map(|r| r.item).collect(),
            group: rows.iter().map(|r| r.group).collect(),
            classes: self.classes,
            units: self.units,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: u16, measure: Measure) -> ExposureClass {
        ExposureClass {
            code,
            name: "x".into(),
            name_zh: "某".into(),
            measure,
        }
    }

    fn yuan(price_year: u16) -> Measure {
        Measure::Money {
            currency: "CNY".into(),
            price_year,
        }
    }

    #[test]
    fn rows_are_sorted_and_totals_add_up() {
        let mut b = ExposureBuilder::new(
            vec![
                class(0, yuan(2020)),
                class(1, Measure::Count("person".into())),
            ],
            vec!["330702".into()],
        );
        b.push(7, 0, 2.0, 0);
        b.push(3, 1, 5.0, 0);
        b.push(3, 0, 1.0, 0);
        let e = b.build().unwrap();
        assert_eq!(
            (e.place.as_slice(), e.class.as_slice()),
            ([3, 3, 7].as_slice(), [0, 1, 0].as_slice())
        );
        assert_eq!(e.total(0), 3.0);
    }

    #[test]
    fn currencies_are_never_mixed() {
        let b = ExposureBuilder::new(vec![class(0, yuan(2020)), class(1, yuan(2015))], vec![]);
        assert!(b.build().unwrap_err().to_string().contains("2015"));
        let mut b = ExposureBuilder::new(vec![class(0, yuan(2020))], vec!["330702".into()]);
        b.push(0, 0, f64::NAN, 0);
        assert!(b.build().unwrap_err().is_input());
    }
}
