//! Shelters (应急避难场所): the places that relocated people find who have no relatives to go to.

use super::depot::read_facilities;
use anlan_engine::Result;
use anlan_engine::io::table::Table;
use std::collections::BTreeSet;

/// A shelter.
#[derive(Debug, Clone, PartialEq)]
pub struct Shelter {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Code of its unit.
    pub unit: String,
    /// Longitude, degrees (CGCS2000).
    pub lon: f64,
    /// Latitude, degrees (CGCS2000).
    pub lat: f64,
    /// Places for people.
    pub capacity_people: f64,
    /// Where the record comes from.
    pub provenance: String,
}

impl Shelter {
    /// Columns of the table of shelters.
    pub const COLUMNS: [&'static str; 7] = [
        "code",
        "name",
        "unit",
        "lon",
        "lat",
        "capacity_people",
        "provenance",
    ];
}

/// Shelters from a table with the columns of [`Shelter::COLUMNS`]; the last may be missing.
///
/// # Errors
/// As [`super::read_depots`].
pub fn read_shelters(table: &Table, units: &BTreeSet<String>) -> Result<Vec<Shelter>> {
    let figures = [("capacity_people", 1e7, "a number of places, 0 or more")];
    Ok(read_facilities(table, units, figures)?
        .into_iter()
        .map(|f| Shelter {
            code: f.code,
            name: f.name,
            unit: f.unit,
            lon: f.lon,
            lat: f.lat,
            capacity_people: f.figures[0],
            provenance: f.provenance,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelter_of_an_unknown_unit_is_named() {
        let mut table = Table::new(&Shelter::COLUMNS);
        table.rows.push(vec![
            "B1".into(),
            "小学".into(),
            "330702".into(),
            119.6.into(),
            29.1.into(),
            300.0.into(),
            "typed".into(),
        ]);
        let units = |code: &str| [code.to_owned()].into();
        assert_eq!(
            read_shelters(&table, &units("330702")).unwrap()[0].capacity_people,
            300.0
        );
        let error = read_shelters(&table, &units("330703")).unwrap_err();
        assert!(error.to_string().contains("330702"), "{error}");
    }
}
