//! Tables of historical disasters (历史灾害): columns by dictionary, dates and codes checked, every fault with its cell.

use crate::hazard::Hazard;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;

/// Names of columns, units of loss, and words of hazards.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryDictionary {
    /// Name of the dictionary.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Where the names come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    field: Vec<FieldNames>,
    loss: Vec<LossNames>,
    hazard: Vec<HazardWords>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldNames {
    field: String,
    names: Vec<String>,
    #[serde(default)]
    required: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LossNames {
    names: Vec<String>,
    yuan: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct HazardWords {
    hazard: Hazard,
    words: Vec<String>,
}

/// A recorded disaster.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEvent {
    /// Row of the table, for messages.
    pub place_in_table: String,
    /// Year, month, day.
    pub date: (i32, u32, u32),
    /// Division code, 6 digits; longer ones are cut to the county.
    pub code: String,
    /// Place as written.
    pub place: String,
    /// Name of the event as written.
    pub event: String,
    /// Hazard as written.
    pub hazard_text: String,
    /// Hazards of the model it stands for; empty where the model has none.
    pub hazards: Vec<Hazard>,
    /// Longitude and latitude, degrees, where known.
    pub position: Option<(f64, f64)>,
    /// Deaths.
    pub deaths: Option<f64>,
    /// People affected (受灾人口).
    pub affected: Option<f64>,
    /// People relocated (紧急转移安置人口).
    pub relocated: Option<f64>,
    /// Rooms collapsed (倒塌房屋).
    pub houses_collapsed: Option<f64>,
    /// Direct loss, yuan of the year of the event.
    pub loss_yuan: Option<f64>,
    /// Status of the record as written.
    pub status: String,
    /// Source as written.
    pub source: String,
}

impl HistoryDictionary {
    /// The compiled-in dictionary.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/history.toml"))
            .expect("the compiled-in dictionary is read by a test")
    }

    /// Hazards whose words a text holds.
    pub fn hazards(&self, text: &str) -> Vec<Hazard> {
        let text = text.to_lowercase();
        let named = |h: &&HazardWords| h.words.iter().any(|w| text.contains(&w.to_lowercase()));
        self.hazard.iter().filter(named).map(|h| h.hazard).collect()
    }

    fn column(&self, table: &Table, field: &str) -> Option<usize> {
        let names = &self.field.iter().find(|f| f.field == field)?.names;
        find(table, names)
    }
}

fn find(table: &Table, names: &[String]) -> Option<usize> {
    let plain = |s: &str| -> String {
        let tidy = s.chars().filter(|c| !c.is_whitespace());
        let narrow = tidy.map(|c| match c {
            '（' => '(',
            '）' => ')',
            c => c,
        });
        narrow.collect::<String>().to_lowercase()
    };
    names.iter().find_map(|name| {
        let name = plain(name);
        table.columns.iter().position(|c| plain(c) == name)
    })
}

/// The events of a table, in its order; blank rows are passed over.
///
/// # Errors
/// All faults together: columns missing, dates that are none, codes that are no division codes, negative or unreadable numbers,
/// coordinates outside China or with one half missing.
pub fn read_history(table: &Table, dictionary: &HistoryDictionary) -> Result<Vec<HistoryEvent>> {
    let mut faults: Vec<Fault> = Vec::new();
    for field in dictionary.field.iter().filter(|f| f.required) {
        if find(table, &field.names).is_none() {
            faults.push(Fault::new(
                &table.source,
                format!("columns {}", table.columns.join(", ")),
                format!("a column `{}`", field.names.join("`, `")),
                "add or rename the column",
            ));
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let column = |field: &str| dictionary.column(table, field);
    let losses: Vec<(usize, f64)> = dictionary
        .loss
        .iter()
        .filter_map(|l| Some((find(table, &l.names)?, l.yuan)))
        .collect();
    let mut out = Vec::new();
    for (i, row) in table.rows.iter().enumerate() {
        if row.iter().all(Value::is_null) {
            continue;
        }
        let mut fault = |at: usize, expected: &str, remedy: &str| {
            let found = format!("`{}`", row[at]);
            faults.push(Fault::new(&table.source, found, expected, remedy).at(table.place(i, at)));
        };
        let text = |field: &str| -> String {
            column(field).map_or(String::new(), |at| row[at].to_string().trim().to_string())
        };
        let date = column("date").and_then(|at| {
            let date = date_of(&row[at].to_string());
            if date.is_none() {
                fault(at, "a date such as 2019-08-10", "correct the cell");
            }
            date
        });
        let code = column("code").and_then(|at| {
            let code = row[at].to_string().trim().to_string();
            let good = matches!(code.len(), 6 | 9 | 12) && code.bytes().all(|b| b.is_ascii_digit());
            if !good {
                fault(
                    at,
                    "a division code of 6, 9 or 12 digits",
                    "correct the code",
                );
            }
            good.then(|| code[..6].to_string())
        });
        let mut number = |at: usize, low: f64, high: f64, expected: &str| -> Option<f64> {
            if row[at].is_null() {
                return None;
            }
            let value = row[at].as_f64().filter(|v| (low..=high).contains(v));
            if value.is_none() {
                fault(
                    at,
                    expected,
                    "correct the cell; leave it blank where the figure is not known",
                );
            }
            value
        };
        let mut count = |field: &str| number(column(field)?, 0.0, 1e10, "a number of 0 or more");
        let (deaths, affected) = (count("deaths"), count("affected"));
        let (relocated, houses_collapsed) = (count("relocated"), count("houses_collapsed"));
        let loss_yuan = losses
            .iter()
            .find_map(|&(at, yuan)| Some(number(at, 0.0, 1e15, "a number of 0 or more")? * yuan));
        let lon = column("lon").and_then(|at| number(at, 73.0, 136.0, "a longitude of 73 to 136"));
        let lat = column("lat").and_then(|at| number(at, 3.0, 54.0, "a latitude of 3 to 54"));
        let position = match (lon, lat) {
            (Some(lon), Some(lat)) => Some((lon, lat)),
            (None, None) => None,
            (known, _) => {
                let missing = if known.is_some() { "lat" } else { "lon" };
                if let Some(at) = column(missing) {
                    fault(
                        at,
                        "both coordinates or none",
                        "fill in the other coordinate",
                    );
                }
                None
            }
        };
        let hazard_text = text("hazard");
        if let (Some(date), Some(code)) = (date, code) {
            out.push(HistoryEvent {
                place_in_table: format!("row {}", table.first_row + i),
                date,
                code,
                place: text("place"),
                event: text("event"),
                hazards: dictionary.hazards(&hazard_text),
                hazard_text,
                position,
                deaths,
                affected,
                relocated,
                houses_collapsed,
                loss_yuan,
                status: text("status"),
                source: text("source"),
            });
        }
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(Error::Input(faults))
    }
}

/// Year, month and day of `2019-08-10`, `2019/8/10`, `2019年8月10日`, with or without a time behind.
fn date_of(text: &str) -> Option<(i32, u32, u32)> {
    let day = text.trim().split([' ', 'T']).next()?;
    let mut parts = day
        .split(['-', '/', '.', '年', '月', '日'])
        .filter(|p| !p.is_empty());
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, month, date): (i32, u32, u32) =
        (year.parse().ok()?, month.parse().ok()?, date.parse().ok()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [
        31,
        28 + u32::from(leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let of_month = days.get(month.checked_sub(1)? as usize)?;
    let good =
        parts.next().is_none() && (1000..=2200).contains(&year) && (1..=*of_month).contains(&date);
    good.then_some((year, month, date))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str], rows: &[&[&str]]) -> Table {
        let mut table = Table::new(columns);
        for row in rows {
            table.rows.push(row.iter().map(|v| (*v).into()).collect());
        }
        table
    }

    #[test]
    fn rows_in_chinese_and_english() {
        let d = HistoryDictionary::builtin();
        let zh = table(
            &[
                "发生日期",
                "区划代码",
                "灾种",
                "直接经济损失（万元）",
                "受灾人口",
                "经度",
                "纬度",
            ],
            &[
                &[
                    "2011年6月16日",
                    "330781003",
                    "洪涝、滑坡",
                    "113900",
                    "325000",
                    "119.46",
                    "29.21",
                ],
                &["2014/1/5", "330702", "低温冷冻", "", "", "", ""],
            ],
        );
        let events = read_history(&zh, &d).unwrap();
        assert_eq!(events[0].date, (2011, 6, 16));
        assert_eq!(events[0].code, "330781");
        assert_eq!(events[0].hazards, [Hazard::Flood, Hazard::Geology]);
        assert_eq!(events[0].loss_yuan, Some(1.139e9));
        assert_eq!(events[0].position, Some((119.46, 29.21)));
        assert!(events[1].hazards.is_empty() && events[1].loss_yuan.is_none());
        let en = table(
            &["date", "code", "hazard", "loss_yi_yuan"],
            &[&["2004-10-19", "330381", "Forest Fire", "0.5"]],
        );
        let event = &read_history(&en, &d).unwrap()[0];
        assert_eq!(
            (event.hazards.as_slice(), event.loss_yuan),
            ([Hazard::Fire].as_slice(), Some(5e7))
        );
        assert_eq!(d.hazards("typhoon and flood"), [Hazard::Flood]);
        assert_eq!(d.hazards("hail and gale"), [Hazard::Convection]);
        assert_eq!(
            d.hazards("龙卷（台风外围）"),
            [Hazard::Flood, Hazard::Convection]
        );
    }

    #[test]
    fn all_faults_are_told_together_with_their_cells() {
        let bad = table(
            &["date", "code", "hazard", "deaths", "lon", "lat"],
            &[
                &["2019-02-30", "33078", "flood", "-1", "29.2", "119.5"],
                &["2019-02-28", "330781", "flood", "x", "119.5", ""],
            ],
        );
        let error = read_history(&bad, &HistoryDictionary::builtin()).unwrap_err();
        let places: Vec<&str> = error.faults().iter().map(|f| f.place.as_str()).collect();
        assert_eq!(places.len(), 7, "{error}");
        for cell in ["A2", "B2", "D2", "E2", "F2", "D3", "F3"] {
            assert!(
                places.iter().any(|p| p.contains(cell)),
                "{cell}: {places:?}"
            );
        }
        let none = table(&["date", "kode"], &[&["2019-02-28", "330781"]]);
        let error = read_history(&none, &HistoryDictionary::builtin()).unwrap_err();
        assert_eq!(error.faults().len(), 2);
        assert!(error.faults()[0].expected.contains("行政区划代码"));
    }

    #[test]
    fn dates_are_days_of_the_calendar() {
        assert_eq!(date_of("2020-02-29 12:00"), Some((2020, 2, 29)));
        assert_eq!(date_of("2019-08-10T00:00:00"), Some((2019, 8, 10)));
        for bad in [
            "",
            "2019",
            "2019-13-01",
            "2019-00-10",
            "2021-02-29",
            "1-2-3-4",
            "八月",
        ] {
            assert_eq!(date_of(bad), None, "{bad}");
        }
    }
}
