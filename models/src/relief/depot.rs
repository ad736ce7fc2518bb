//! Depots, travel times, and the allocation of reserves to depots by travel time.

use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A depot (救灾物资储备库).
#[derive(Debug, Clone, PartialEq)]
pub struct Depot {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Code of the unit whose stock it holds.
    pub unit: String,
    /// Longitude, degrees (CGCS2000).
    pub lon: f64,
    /// Latitude, degrees (CGCS2000).
    pub lat: f64,
    /// Room for goods, m³.
    pub capacity_m3: f64,
    /// People whom its stock serves by the norms.
    pub people_served: f64,
    /// Where the record comes from.
    pub provenance: String,
}

impl Depot {
    /// Columns of the table of depots.
    pub const COLUMNS: [&'static str; 8] = [
        "code",
        "name",
        "unit",
        "lon",
        "lat",
        "capacity_m3",
        "people_served",
        "provenance",
    ];
}

/// Depots from a table with the columns of [`Depot::COLUMNS`]; the last may be missing.
///
/// # Errors
/// All faults together: columns missing, figures that are no numbers, negative or out of range, codes empty or given
/// twice, units that are none of `units`.
pub fn read_depots(table: &Table, units: &BTreeSet<String>) -> Result<Vec<Depot>> {
    let figures = [
        ("capacity_m3", 1e8, "a volume of 0 m³ or more"),
        ("people_served", 1e9, "a number of people, 0 or more"),
    ];
    let facilities = read_facilities(table, units, figures)?;
    Ok(facilities
        .into_iter()
        .map(|f| Depot {
            code: f.code,
            name: f.name,
            unit: f.unit,
            lon: f.lon,
            lat: f.lat,
            capacity_m3: f.figures[0],
            people_served: f.figures[1],
            provenance: f.provenance,
        })
        .collect())
}

/// A place of a unit with some figures.
pub(super) struct Facility<const N: usize> {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) lon: f64,
    pub(super) lat: f64,
    pub(super) figures: [f64; N],
    pub(super) provenance: String,
}

/// Rows with the columns code, name, unit, lon, lat, the figures (name, greatest value, expectation) and, if there is
/// one, provenance.
pub(super) fn read_facilities<const N: usize>(
    table: &Table,
    units: &BTreeSet<String>,
    figures: [(&str, f64, &str); N],
) -> Result<Vec<Facility<N>>> {
    let at = ["code", "name", "unit", "lon", "lat"]
        .into_iter()
        .map(|c| table.require(c))
        .collect::<Result<Vec<_>>>()?;
    let figure_at = figures
        .iter()
        .map(|f| table.require(f.0))
        .collect::<Result<Vec<_>>>()?;
    let provenance = table.column("provenance");
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let mut facilities = Vec::new();
    for (i, row) in table.rows.iter().enumerate() {
        if row.iter().all(|v| *v == Value::Null) {
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
        let text = |column: usize| row[column].to_string().trim().to_owned();
        if text(at[0]).is_empty() || !seen.insert(text(at[0])) {
            fault(
                at[0],
                "a code, each used once",
                "give every place a code of its own",
            );
        }
        if !units.contains(&text(at[2])) {
            fault(
                at[2],
                "the code of a unit of the borders",
                "correct the code",
            );
        }
        let mut number = |column: usize, low: f64, high: f64, expected: &str| {
            let value = row[column].as_f64().filter(|v| (low..=high).contains(v));
            if value.is_none() {
                fault(column, expected, "correct the cell");
            }
            value.unwrap_or(0.0)
        };
        let mut values = [0.0; N];
        for ((value, &column), &(_, most, expected)) in
            values.iter_mut().zip(&figure_at).zip(&figures)
        {
            *value = number(column, 0.0, most, expected);
        }
        facilities.push(Facility {
            lon: number(at[3], 70.0, 140.0, "a longitude in degrees, 70 to 140"),
            lat: number(at[4], 0.0, 55.0, "a latitude in degrees, 0 to 55"),
            code: text(at[0]),
            name: text(at[1]),
            unit: text(at[2]),
            figures: values,
            provenance: provenance.map_or_else(String::new, text),
        });
    }
    if faults.is_empty() {
        Ok(facilities)
    } else {
        Err(Error::Input(faults))
    }
}

/// Loading time, detour factor and speed that turn distances into minutes.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Travel {
    /// Minutes to load.
    pub loading_min: f64,
    /// Road length over straight line.
    pub detour: f64,
    /// Speed, km/h.
    pub speed_km_h: f64,
}

impl Travel {
    /// Minutes over a straight-line distance in metres.
    pub fn minutes(&self, distance_m: f64) -> f64 {
        self.loading_min + distance_m / 1000.0 * self.detour / self.speed_km_h * 60.0
    }
}

/// Depots of the showcase, which are synthetic.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyntheticDepots {
    /// Least share of a unit's residents whom the stock of its depot serves.
    pub least_share: f64,
    /// Greatest share; depots lie in between, by their random number.
    pub greatest_share: f64,
    /// Room per person served, m³.
    pub m3_per_person: f64,
}

/// The file `standards/relief_logistics.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistics {
    /// Where the numbers come from.
    pub source: String,
    /// Whether the source was opened: `read` or `unverified`.
    pub status: String,
    /// Travel times.
    pub travel: Travel,
    /// Made-up depots.
    pub synthetic: SyntheticDepots,
}

impl Logistics {
    /// The compiled-in file.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/relief_logistics.toml"))
            .expect("the compiled-in table is read by a test")
    }
}

/// A quantity of one item that a depot holds for a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Index of the unit.
    pub unit: usize,
    /// Index of the depot; `None` where no depot within the deadline has room left.
    pub depot: Option<usize>,
    /// Index of the item.
    pub item: usize,
    /// Quantity, units.
    pub quantity: f64,
    /// Travel time, minutes; 0 where there is no depot.
    pub minutes: f64,
}

/// Gives every unit's reserve of every item to the depots nearest in time that meet the item's deadline and have room.
///
/// Pairs are served in order of (item deadline, travel time, item, unit, depot), so the result is unique. What finds no
/// room is returned with `depot: None`: nothing is lost.
///
/// # Arguments
/// * `reserves` - `[unit][item]`, units
/// * `minutes` - `[unit][depot]`
/// * `volume_m3`, `deadline_h` - per item
pub fn allocate(
    reserves: &[Vec<f64>],
    minutes: &[Vec<f64>],
    capacity_m3: &[f64],
    volume_m3: &[f64],
    deadline_h: &[f64],
) -> Vec<Allocation> {
    let mut left: Vec<Vec<f64>> = reserves.to_vec();
    let mut room = capacity_m3.to_vec();
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for item in 0..volume_m3.len() {
        for (unit, times) in minutes.iter().enumerate() {
            for (depot, &t) in times.iter().enumerate() {
                if t <= deadline_h[item] * 60.0 {
                    pairs.push((item, unit, depot));
                }
            }
        }
    }
    pairs.sort_by(|&(i, u, d), &(j, v, e)| {
        deadline_h[i]
            .total_cmp(&deadline_h[j])
            .then(minutes[u][d].total_cmp(&minutes[v][e]))
            .then((i, u, d).cmp(&(j, v, e)))
    });
    let mut out = Vec::new();
    for (item, unit, depot) in pairs {
        let fits = room[depot] / volume_m3[item].max(1e-12);
        let quantity = left[unit][item].min(fits);
        if quantity <= 0.0 {
            continue;
        }
        left[unit][item] -= quantity;
        room[depot] = (room[depot] - quantity * volume_m3[item]).max(0.0);
        out.push(Allocation {
            unit,
            depot: Some(depot),
            item,
            quantity,
            minutes: minutes[unit][depot],
        });
    }
    for (unit, items) in left.iter().enumerate() {
        for (item, &quantity) in items.iter().enumerate() {
            if quantity > 0.0 {
                out.push(Allocation {
                    unit,
                    depot: None,
                    item,
                    quantity,
                    minutes: 0.0,
                });
            }
        }
    }
    out.sort_by_key(|a| (a.unit, a.item, a.depot.map_or(usize::MAX, |d| d)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_depot_serves_first_and_nothing_is_lost() {
        let reserves = vec![vec![10.0, 100.0], vec![10.0, 0.0]];
        let minutes = vec![vec![30.0, 90.0], vec![60.0, 20.0]];
        // Tents of 1 m³ within 3 h, water of 0.1 m³ within 1 h.
        let plan = allocate(&reserves, &minutes, &[8.0, 30.0], &[1.0, 0.1], &[3.0, 1.0]);
        let given: f64 = plan
            .iter()
            .filter(|a| a.item == 0)
            .map(|a| a.quantity)
            .sum();
        assert_eq!(given, 20.0);
        // Water comes first (shorter deadline): only depot 0 is within an hour and holds 80.
        let water: Vec<_> = plan.iter().filter(|a| a.item == 1).collect();
        assert_eq!((water[0].depot, water[0].quantity), (Some(0), 80.0));
        assert_eq!((water[1].depot, water[1].quantity), (None, 20.0));
        // All tents then go to depot 1.
        assert!(
            plan.iter()
                .filter(|a| a.item == 0)
                .all(|a| a.depot == Some(1))
        );
    }

    #[test]
    fn text_in_a_number_cell_is_named() {
        let mut table = Table::new(&Depot::COLUMNS);
        let row = |code: &str, unit: &str, people: Value| -> Vec<Value> {
            vec![
                code.into(),
                "库".into(),
                unit.into(),
                119.6.into(),
                29.1.into(),
                300.0.into(),
                people,
                "typed".into(),
            ]
        };
        table.rows.push(row("D1", "330702", 500.0.into()));
        let units: BTreeSet<String> = ["330702".to_owned()].into();
        assert_eq!(read_depots(&table, &units).unwrap()[0].people_served, 500.0);
        table.rows.push(row("D1", "330799", "about 400".into()));
        let error = read_depots(&table, &units).unwrap_err();
        assert_eq!(error.faults().len(), 3);
        assert!(error.to_string().contains("about 400"), "{error}");
    }

    #[test]
    fn an_hour_of_loading_and_the_way() {
        let travel = Logistics::builtin().travel;
        let expected = travel.loading_min + 20.0 * travel.detour / travel.speed_km_h * 60.0;
        assert_eq!(travel.minutes(20_000.0), expected);
    }
}
