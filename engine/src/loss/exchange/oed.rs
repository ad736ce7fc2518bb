//! Open Exposure Data (OED): the locations of a portfolio, their coverages, deductibles and limits.
//!
//! # References
//! Open Data Standards, OED 3.4: input fields of the location file. Columns are found by name, letters of either case;
//! those that are not named here are not read.

use super::columns::Columns;
use crate::error::{Error, Fault, Result};
use crate::loss::Terms;
use std::path::Path;

/// What a value or a term covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cover {
    /// Building (1).
    Building,
    /// Other structures (2).
    Other,
    /// Contents (3).
    Contents,
    /// Business interruption (4).
    Interruption,
    /// Property damage: 1 to 3 together (5; of terms only).
    Property,
    /// All together (6; of terms only).
    All,
}

/// One coverage of one location.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// Number of the item, from 1, in the order of the file; coverages without a value have none.
    pub item: u32,
    /// `PortNumber/AccNumber/LocNumber`.
    pub id: String,
    /// Number of the location, from 1, in the order of the file.
    pub location: u32,
    /// What is covered.
    pub cover: Cover,
    /// Total insured value (BuildingTIV, OtherTIV, ContentsTIV, BITIV), in `currency`; greater than 0.
    pub value: f64,
    /// Longitude, degrees.
    pub lon: f64,
    /// Latitude, degrees.
    pub lat: f64,
    /// Currency (LocCurrency).
    pub currency: String,
    /// Occupancy code; empty where blank.
    pub occupancy: String,
    /// Construction code; empty where blank.
    pub construction: String,
}

/// Kind of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermKind {
    /// LocDed…: deductible.
    Deductible,
    /// LocMinDed…: least deductible.
    LeastDeductible,
    /// LocMaxDed…: greatest deductible.
    GreatestDeductible,
    /// LocLimit…: limit.
    Limit,
}

/// What the number of a term is (LocDedType…, LocLimitType…).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermBasis {
    /// Money (0).
    Amount,
    /// Fraction of the loss (1).
    OfLoss,
    /// Fraction of the insured value (2).
    OfValue,
}

/// One insurance term of one location; blank and zero terms are left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Number of the location, from 1.
    pub location: u32,
    /// Kind.
    pub kind: TermKind,
    /// What it covers.
    pub cover: Cover,
    /// Money in the currency of the location, or a fraction.
    pub number: f64,
    /// What the number is.
    pub basis: TermBasis,
}

const COVERS: [(&str, Cover); 6] = [
    ("1Building", Cover::Building),
    ("2Other", Cover::Other),
    ("3Contents", Cover::Contents),
    ("4BI", Cover::Interruption),
    ("5PD", Cover::Property),
    ("6All", Cover::All),
];

/// Reads a location file: one row per coverage with a value, in the order of the file, and the terms of the locations.
///
/// # Errors
/// A missing column; blank or impossible coordinates; values and terms that are negative; a type of a term other than 0, 1
/// and 2, a code other than 0 (regular); terms that are fractions greater than 1.
pub fn locations(path: &Path) -> Result<(Vec<Coverage>, Vec<Term>)> {
    let mut columns = Columns::open(path)?;
    let [port, account, location, lat, lon, currency] = columns.require([
        &["PortNumber"],
        &["AccNumber"],
        &["LocNumber"],
        &["Latitude"],
        &["Longitude"],
        &["LocCurrency"],
    ])?;
    let values = columns.require([
        &["BuildingTIV"],
        &["OtherTIV"],
        &["ContentsTIV"],
        &["BITIV"],
    ])?;
    let optional = ["OccupancyCode", "ConstructionCode"].map(|name| columns.find(&[name]));
    let kinds = [
        ("LocDed", "LocDed", TermKind::Deductible),
        ("LocMinDed", "", TermKind::LeastDeductible),
        ("LocMaxDed", "", TermKind::GreatestDeductible),
        ("LocLimit", "LocLimit", TermKind::Limit),
    ];
    // Column of the number, of its type, of its code.
    let mut terms_in = Vec::new();
    for (name, typed, kind) in kinds {
        for (suffix, cover) in COVERS {
            if let Some(number) = columns.find(&[&format!("{name}{suffix}")]) {
                let of = |what: &str| columns.find(&[&format!("{typed}{what}{suffix}")]);
                terms_in.push((number, of("Type"), of("Code"), kind, cover));
            }
        }
    }
    let (mut rows, mut terms) = (Vec::new(), Vec::new());
    let mut number = 0;
    while columns.next()? {
        number += 1;
        let at = [columns.number(lon), columns.number(lat)];
        if at[0].abs() > 180.0 || at[1].abs() > 90.0 {
            let found = format!("longitude {}, latitude {}", at[0], at[1]);
            let remedy = "check that they are not exchanged";
            columns.fault(Some(lat), found, "degrees", remedy);
        }
        let id = [port, account, location].map(|c| columns.cell(c).to_string());
        let text = |column: Option<usize>| column.map_or("", |c| columns.cell(c)).to_string();
        let [occupancy, construction] = optional.map(text);
        let currency = columns.cell(currency).to_string();
        for (column, (_, cover)) in values.into_iter().zip(COVERS) {
            let value = if columns.cell(column).is_empty() {
                0.0
            } else {
                columns.amount(column)
            };
            if value > 0.0 {
                rows.push(Coverage {
                    item: rows.len() as u32 + 1,
                    id: id.join("/"),
                    location: number,
                    cover,
                    value,
                    lon: at[0],
                    lat: at[1],
                    currency: currency.clone(),
                    occupancy: occupancy.clone(),
                    construction: construction.clone(),
                });
            }
        }
        for &(column, typed, code, kind, cover) in &terms_in {
            if columns.cell(column).is_empty() {
                continue;
            }
            let value = columns.amount(column);
            if value == 0.0 {
                continue;
            }
            let basis = match columns.maybe(typed).unwrap_or(0.0) {
                0.0 => TermBasis::Amount,
                1.0 => TermBasis::OfLoss,
                2.0 => TermBasis::OfValue,
                other => {
                    let remedy = "bring the term to one of these types";
                    columns.fault(typed, format!("type {other}"), "0, 1 or 2", remedy);
                    TermBasis::Amount
                }
            };
            if basis != TermBasis::Amount && value > 1.0 {
                let remedy = "write percentages as fractions";
                columns.fault(
                    Some(column),
                    value.to_string(),
                    "a fraction of 0 to 1",
                    remedy,
                );
            }
            if let Some(other) = columns.maybe(code).filter(|c| *c != 0.0) {
                let expected = "0, a regular term of one loss";
                let remedy =
                    "leave out special terms (aggregate, franchise, …): they are not computed";
                columns.fault(code, format!("code {other}"), expected, remedy);
            }
            terms.push(Term {
                location: number,
                kind,
                cover,
                number: value,
                basis,
            });
        }
    }
    columns.end()?;
    Ok((rows, terms))
}

/// The terms of one cover of a location, for a slot that holds its losses; `value` is its insured value. Without terms
/// everything is paid.
///
/// # Errors
/// Terms that are fractions of the loss, least and greatest deductibles: a deductible, a limit and a share do not say
/// them. A term twice.
pub fn terms(terms: &[Term], location: u32, cover: Cover, value: f64) -> Result<Terms> {
    let mut out = Terms {
        deductible: 0.0,
        limit: f64::INFINITY,
        share: 1.0,
    };
    let mut seen = [false; 2];
    for term in terms {
        if term.location != location || term.cover != cover {
            continue;
        }
        let amount = match term.basis {
            TermBasis::Amount => Some(term.number),
            TermBasis::OfValue => Some(term.number * value),
            TermBasis::OfLoss => None,
        };
        match (term.kind, amount) {
            (TermKind::Deductible, Some(amount)) if !seen[0] => {
                out.deductible = amount;
                seen[0] = true;
            }
            (TermKind::Limit, Some(amount)) if !seen[1] => {
                out.limit = amount;
                seen[1] = true;
            }
            _ => {
                return Err(Error::input(
                    Fault::new(
                        "terms",
                        format!("{:?} {} ({:?}) of {cover:?}", term.kind, term.number, term.basis),
                        "one deductible and one limit, as money or as fractions of the insured value",
                        "leave the term out, or bring it to this form",
                    )
                    .at(format!("location {location}")),
                ));
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::shared;
    use super::*;

    #[test]
    fn locations_of_the_wind_model() {
        let Some(data) = shared("piwind/exposure_data") else {
            return;
        };
        let (rows, terms) = locations(&data.join("SourceLocOEDPiWind10.csv")).unwrap();
        assert_eq!((rows.len(), terms.len()), (10, 0));
        assert_eq!(rows.iter().map(|r| r.value).sum::<f64>(), 3_400_000.0);
        let second = &rows[1];
        assert_eq!(second.id, "1/A11111/10002082047");
        assert_eq!((second.lon, second.lat), (-0.895_366_13, 52.766_979_56));
        assert_eq!((second.cover, second.item), (Cover::Building, 2));
        let codes = [&second.currency, &second.occupancy, &second.construction];
        assert_eq!(codes, ["GBP", "1050", "5000"]);
    }

    #[test]
    fn terms_and_faults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("loc.csv");
        let head = "PortNumber,AccNumber,LocNumber,Latitude,Longitude,LocCurrency,BuildingTIV,OtherTIV,ContentsTIV,\
                    BITIV,LocDed1Building,LocDedType1Building,LocLimit6All,LocMinDed3Contents\n";
        std::fs::write(
            &path,
            format!(
                "{head}1,A,1,30,120,CNY,100,,50,0,0.1,2,90,\n1,A,2,30,120,CNY,7,0,0,0,5,0,,3\n"
            ),
        )
        .unwrap();
        let (rows, found) = locations(&path).unwrap();
        assert_eq!((rows.len(), found.len()), (3, 4));
        assert_eq!((rows[1].cover, rows[2].location), (Cover::Contents, 2));
        let of = terms(&found, 1, Cover::Building, 100.0).unwrap();
        assert_eq!((of.deductible, of.limit), (10.0, f64::INFINITY));
        assert_eq!(of.payout(30.0), 20.0);
        assert_eq!(
            terms(&found, 1, Cover::All, 150.0).unwrap().payout(100.0),
            90.0
        );
        let e = terms(&found, 2, Cover::Contents, 0.0).unwrap_err();
        assert!(e.to_string().contains("location 2"), "{e}");
        std::fs::write(
            &path,
            format!("{head}1,A,1,95,120,CNY,-100,,50,0,20,2,90,\n1,A,2,,120,CNY,7,0,0,0,5,3,,3\n"),
        )
        .unwrap();
        let e = locations(&path).unwrap_err();
        assert_eq!(e.faults().len(), 5, "{e}");
    }
}
