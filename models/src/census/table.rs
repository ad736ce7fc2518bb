//! The census table of a team: columns found by name, records typed, every fault told with its cell.

use super::code::DivisionCode;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;

/// Names under which the census fields may stand in a table (列名词典).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnDictionary {
    /// Name of the dictionary.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// The fields.
    pub field: Vec<Field>,
}

/// One field of the census.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The engine's name.
    pub field: String,
    /// Names in tables, tried in order.
    pub names: Vec<String>,
    /// Unit, for messages.
    #[serde(default)]
    pub unit: String,
    /// `count` for whole numbers; empty for real numbers.
    #[serde(default)]
    pub kind: String,
    /// True where a table without it is refused.
    #[serde(default)]
    pub required: bool,
    /// Least plausible value.
    #[serde(default)]
    pub min: Option<f64>,
    /// Greatest plausible value.
    #[serde(default)]
    pub max: Option<f64>,
}

impl ColumnDictionary {
    /// The dictionary that is compiled in.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/census_columns.toml"))
            .expect("the compiled-in dictionary is read by a test")
    }

    fn column(&self, field: &Field, table: &Table) -> Option<usize> {
        let plain = |s: &str| {
            s.chars()
                .filter(|c| !c.is_whitespace())
                .map(|c| match c {
                    '（' => '(',
                    '）' => ')',
                    '％' => '%',
                    c => c,
                })
                .collect::<String>()
                .to_lowercase()
        };
        field.names.iter().find_map(|name| {
            let name = plain(name);
            table.columns.iter().position(|c| plain(c) == name)
        })
    }
}

/// The census of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Division code.
    pub code: DivisionCode,
    /// Name of the unit.
    pub name: String,
    /// Row of the table, for messages, e.g. `row 12`.
    pub place: String,
    /// Usual residents (常住人口).
    pub population: u64,
    /// Family households (家庭户).
    pub households: u64,
    /// Residents of cities and towns (城镇人口).
    pub urban_population: u64,
    /// Residents of 0 to 14 years.
    pub age_0_14: u64,
    /// Residents of 65 years and more.
    pub age_65_plus: u64,
    /// Rooms per family household (平均每户住房间数).
    pub rooms_per_household: f64,
    /// Dwelling floor area per head, m² (人均住房建筑面积).
    pub floor_m2_per_head: f64,
    /// Households in buildings with a lift, %.
    pub lift_households_pct: f64,
    /// Gross domestic product, yuan of the census year.
    pub gdp_yuan: f64,
}

/// Reads the records of a table. All faults of the table are reported together.
///
/// Rows without a code (development zones) are left out with a note: [`super::check`] finds what then misses, the
/// crosswalk gives it back. Blank optional cells take the median of the table's other rows and are listed in the second value, as are
/// normalised codes; nothing else is changed.
///
/// # Errors
/// Missing columns, codes that are no division codes, counts that are negative or not whole, values out of range.
pub fn read_records(
    table: &Table,
    dictionary: &ColumnDictionary,
) -> Result<(Vec<Record>, Vec<String>)> {
    let mut faults = Vec::new();
    let mut notes = Vec::new();
    let mut columns = Vec::new();
    for field in &dictionary.field {
        let column = dictionary.column(field, table);
        if column.is_none() && field.required {
            faults.push(Fault::new(
                &table.source,
                format!("columns {}", table.columns.join(", ")),
                format!(
                    "a column {} (field `{}`)",
                    field.names.join(" or "),
                    field.field
                ),
                "rename the column, or add its name to the column dictionary",
            ));
        }
        columns.push((field, column));
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let lookup = |name: &str| columns.iter().find(|(f, _)| f.field == name);
    let mut reader = Reader {
        table,
        faults: &mut faults,
    };
    let mut records = Vec::new();
    let mut blanks: Vec<(usize, &str)> = Vec::new();
    for row in 0..table.rows.len() {
        if table.rows[row].iter().all(Value::is_null) {
            continue;
        }
        let code_column = lookup("code").and_then(|c| c.1).unwrap_or(0);
        if table.rows[row][code_column].is_null() {
            let name = lookup("name").and_then(|c| c.1).unwrap_or(0);
            notes.push(format!(
                "{}: {} has no code and is left out; its people show as a shortfall of its prefecture",
                table.place(row, code_column),
                table.rows[row][name]
            ));
            continue;
        }
        let code = match DivisionCode::parse(&table.rows[row][code_column]) {
            Ok((code, changed)) => {
                if changed {
                    notes.push(format!(
                        "{}: code {} read as {code}",
                        table.place(row, code_column),
                        table.rows[row][code_column]
                    ));
                }
                code
            }
            Err(expected) => {
                reader.fault(
                    row,
                    code_column,
                    expected,
                    "correct the code; codes of 6 digits name counties, 9 townships, 12 villages",
                );
                continue;
            }
        };
        let name_column = lookup("name").and_then(|c| c.1).unwrap_or(0);
        let mut number = |name: &'static str| -> f64 {
            let Some((field, Some(column))) = lookup(name) else {
                return f64::NAN;
            };
            match reader.number(row, *column, field) {
                Some(v) => v,
                None => {
                    blanks.push((records.len(), name));
                    f64::NAN
                }
            }
        };
        let population = number("population");
        let households = number("households");
        let urban = number("urban_population");
        let young = number("age_0_14");
        let old = number("age_65_plus");
        let record = Record {
            code,
            name: table.rows[row][name_column].to_string(),
            place: format!("row {}", table.first_row + row),
            population: count(population),
            households: count(households),
            urban_population: count(urban),
            age_0_14: count(young),
            age_65_plus: count(old),
            rooms_per_household: number("rooms_per_household"),
            floor_m2_per_head: number("floor_m2_per_head"),
            lift_households_pct: number("lift_households_pct"),
            gdp_yuan: number("gdp_100m_yuan") * 1e8,
        };
        records.push(record);
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    fill_blanks(&mut records, &mut notes);
    Ok((records, notes))
}

fn count(value: f64) -> u64 {
    if value.is_finite() { value as u64 } else { 0 }
}

/// Optional real fields that are blank take the median of the other rows, and a note says so.
fn fill_blanks(records: &mut [Record], notes: &mut Vec<String>) {
    type Access = (&'static str, fn(&mut Record) -> &mut f64);
    let fields: [Access; 4] = [
        ("rooms_per_household", |r| &mut r.rooms_per_household),
        ("floor_m2_per_head", |r| &mut r.floor_m2_per_head),
        ("lift_households_pct", |r| &mut r.lift_households_pct),
        ("gdp_100m_yuan", |r| &mut r.gdp_yuan),
    ];
    for (name, access) in fields {
        let mut known: Vec<f64> = records
            .iter_mut()
            .map(|r| *access(r))
            .filter(|v| v.is_finite())
            .collect();
        known.sort_by(f64::total_cmp);
        // GDP is no intensive quantity: a missing one stays unknown and counts as zero, with a note.
        let median = if name == "gdp_100m_yuan" || known.is_empty() {
            0.0
        } else {
            known[known.len() / 2]
        };
        for record in records.iter_mut() {
            if !access(record).is_finite() {
                *access(record) = median;
                notes.push(format!(
                    "{} {} {}: no value for `{name}`, taken as {median}",
                    record.place, record.code, record.name
                ));
            }
        }
    }
}

struct Reader<'a> {
    table: &'a Table,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, row: usize, column: usize, expected: impl Into<String>, remedy: &str) {
        self.faults.push(
            Fault::new(
                &self.table.source,
                format!("`{}`", self.table.rows[row][column]),
                expected,
                remedy,
            )
            .at(self.table.place(row, column)),
        );
    }

    /// The number in a cell; `None` where the cell is blank (a fault if the field is required).
    fn number(&mut self, row: usize, column: usize, field: &Field) -> Option<f64> {
        let value = &self.table.rows[row][column];
        if value.is_null() {
            if field.required {
                self.fault(
                    row,
                    column,
                    format!("a value of `{}`", field.field),
                    "fill the cell in",
                );
            }
            return None;
        }
        let Some(number) = value.as_f64().filter(|v| v.is_finite()) else {
            self.fault(
                row,
                column,
                format!("a number ({})", field.unit),
                "enter the figure without text or spaces",
            );
            return Some(0.0);
        };
        if field.kind == "count" && (number < 0.0 || number.fract() != 0.0 || number > 2e9) {
            self.fault(
                row,
                column,
                format!("a whole number of 0 or more ({})", field.unit),
                "correct the figure from its source",
            );
        }
        let below = field.min.is_some_and(|min| number < min);
        let above = field.max.is_some_and(|max| number > max);
        if below || above {
            self.fault(
                row,
                column,
                format!(
                    "a value of {} to {} {}",
                    field.min.unwrap_or(f64::NEG_INFINITY),
                    field.max.unwrap_or(f64::INFINITY),
                    field.unit
                ),
                "check the unit of the column and correct the figure",
            );
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn table(rows: &[[&str; 6]]) -> Table {
        let cell = |s: &&str| {
            if s.is_empty() {
                Value::Null
            } else if let Ok(i) = s.parse::<i64>() {
                Value::Integer(i)
            } else if let Ok(r) = s.parse::<f64>() {
                Value::Real(r)
            } else {
                Value::Text((*s).into())
            }
        };
        Table {
            source: PathBuf::from("census.csv"),
            columns: [
                "区划代码",
                "名称",
                "常住人口",
                "家庭户数",
                "平均每户住房间数",
                "GDP_亿元",
            ]
            .map(String::from)
            .to_vec(),
            rows: rows.iter().map(|r| r.iter().map(cell).collect()).collect(),
            first_row: 2,
        }
    }

    #[test]
    fn all_faults_of_a_table_are_told_together() {
        let t = table(&[
            ["33070200100", "甲", "100", "30", "3", "1"],
            ["330702", "乙", "-5", "30", "3", "1"],
            ["330703", "丙", "100.5", "many", "99", "1"],
        ]);
        let error = read_records(&t, &ColumnDictionary::builtin()).unwrap_err();
        let faults = error.faults();
        assert_eq!(faults.len(), 5, "{error}");
        assert!(faults[0].to_string().contains("33070200100"));
        assert!(faults[1].found.contains("-5"));
    }

    #[test]
    fn blanks_take_the_median_and_say_so() {
        let t = table(&[
            ["330702", "甲", "100", "30", "3", "1"],
            ["330703", "乙", "50", "20", "", "2"],
        ]);
        let (records, notes) = read_records(&t, &ColumnDictionary::builtin()).unwrap();
        assert_eq!(records[1].rooms_per_household, 3.0);
        assert_eq!(records[1].gdp_yuan, 2e8);
        assert!(notes.iter().any(|n| n.contains("rooms_per_household")));
    }

    #[test]
    fn a_missing_column_is_named() {
        let mut t = table(&[]);
        t.columns[2] = "人数".into();
        let error = read_records(&t, &ColumnDictionary::builtin()).unwrap_err();
        assert!(error.to_string().contains("常住人口"), "{error}");
    }
}
