//! Checks across the rows of a census table and against the borders, and the crosswalk (代码对照表) that resolves what
//! changes of the division codes between census year and border year leave open.

use super::code::{DivisionCode, Level};
use super::spread::largest_remainder;
use super::table::Record;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_engine::{Error, Fault, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Told, and mended by a documented rule.
    Note,
    /// Told; the run goes on.
    #[default]
    Warning,
    /// The run stops.
    Error,
}

/// One finding of the census check.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// Rule that was broken, e.g. `children-sum`.
    pub rule: &'static str,
    /// Code of the unit concerned.
    pub unit: String,
    /// What was found, what was expected and what to do.
    pub fault: Fault,
}

/// One line of the crosswalk: a share of the unit `from` belongs to the border unit `to`.
#[derive(Debug, Clone, PartialEq)]
pub struct CrosswalkLine {
    /// Code in the census table.
    pub from: String,
    /// Code in the border file.
    pub to: String,
    /// Share of every figure, 0..=1.
    pub share: f64,
    /// Reason and source.
    pub source: String,
}

/// Shares between the units of the table and the units of the borders.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Crosswalk {
    /// The lines, in the order of the file.
    pub lines: Vec<CrosswalkLine>,
}

impl Crosswalk {
    /// Reads the columns `from_code`, `to_code`, `share` and `source` of a table. A row without `from_code` shares out what
    /// the prefecture of `to_code` has beyond its coded counties (rows of zones without a code).
    ///
    /// # Errors
    /// Missing columns, shares outside 0..=1, shares of one `from_code` that do not add up to 1.
    pub fn read(table: &Table) -> Result<Crosswalk> {
        let mut faults = Vec::new();
        let mut column = |name: &str| {
            table.column(name).unwrap_or_else(|| {
                faults.push(Fault::new(
                    &table.source,
                    format!("columns {}", table.columns.join(", ")),
                    format!("a column `{name}`"),
                    "a crosswalk has the columns from_code, to_code, share, source",
                ));
                0
            })
        };
        let (from, to, share, source) = (
            column("from_code"),
            column("to_code"),
            column("share"),
            column("source"),
        );
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        let mut lines = Vec::new();
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for (i, row) in table.rows.iter().enumerate() {
            let value = row[share].as_f64().unwrap_or(f64::NAN);
            if !(0.0..=1.0).contains(&value) {
                faults.push(
                    Fault::new(
                        &table.source,
                        row[share].to_string(),
                        "a share of 0 to 1",
                        "correct the share",
                    )
                    .at(table.place(i, share)),
                );
            }
            let text = |v: &Value| v.to_string().trim().to_string();
            let from = match text(&row[from]) {
                code if code.is_empty() => {
                    let prefecture: String = text(&row[to]).chars().take(4).collect();
                    format!("residual:{prefecture}00")
                }
                code => code,
            };
            *sums.entry(from.clone()).or_default() += value;
            lines.push(CrosswalkLine {
                from,
                to: text(&row[to]),
                share: value,
                source: text(&row[source]),
            });
        }
        for (code, sum) in sums {
            // Shares are typed with up to six decimals.
            if (sum - 1.0).abs() > 1e-5 {
                faults.push(Fault::new(
                    &table.source,
                    format!("shares of {code} that add up to {sum}"),
                    "a sum of 1",
                    "correct the shares so that nothing is lost or counted twice",
                ));
            }
        }
        if faults.is_empty() {
            Ok(Crosswalk { lines })
        } else {
            Err(Error::Input(faults))
        }
    }
}

/// Checks the rows against each other and against the codes of the borders.
pub fn check(
    records: &[Record],
    file: &Path,
    border_codes: &BTreeSet<String>,
    crosswalk: &Crosswalk,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut push = |severity, rule, unit: &str, fault| {
        findings.push(Finding {
            severity,
            rule,
            unit: unit.to_string(),
            fault,
        });
    };
    let mut seen: BTreeMap<&str, &Record> = BTreeMap::new();
    for r in records {
        if let Some(first) = seen.insert(r.code.as_str(), r) {
            push(
                Severity::Error,
                "duplicate-code",
                r.code.as_str(),
                Fault::new(
                    file,
                    format!("code {} also in {}", r.code, first.place),
                    "each code once",
                    "delete or correct one of the two rows",
                )
                .at(&r.place),
            );
        }
        for (rule, part, name) in [
            (
                "part-of-population",
                r.urban_population,
                "urban population (城镇人口)",
            ),
            (
                "part-of-population",
                r.age_0_14 + r.age_65_plus,
                "ages 0-14 and 65+ together",
            ),
            (
                "part-of-population",
                r.households,
                "number of households (家庭户数)",
            ),
        ] {
            if part > r.population {
                push(
                    Severity::Error,
                    rule,
                    r.code.as_str(),
                    Fault::new(
                        file,
                        format!("{name} {part} above the population {}", r.population),
                        "a part no greater than the whole",
                        "check whether the columns are swapped",
                    )
                    .at(&r.place),
                );
            }
        }
        let size = r.population as f64 / r.households.max(1) as f64;
        if r.population > 0 && !(1.2..=8.0).contains(&size) {
            push(
                Severity::Warning,
                "household-size",
                r.code.as_str(),
                Fault::new(
                    file,
                    format!("{size:.2} persons per household"),
                    "1.2 to 8 persons per household",
                    "check population and households (many collective households also raise the figure)",
                )
                .at(&r.place),
            );
        }
    }
    check_sums(records, file, crosswalk, &mut push);
    check_borders(records, file, border_codes, crosswalk, &mut push);
    findings
}

fn check_sums(
    records: &[Record],
    file: &Path,
    crosswalk: &Crosswalk,
    push: &mut impl FnMut(Severity, &'static str, &str, Fault),
) {
    let mut sums: BTreeMap<String, (u64, usize)> = BTreeMap::new();
    for r in records {
        if let Some(parent) = r.code.parent() {
            let sum = sums.entry(parent.as_str().to_string()).or_default();
            sum.0 += r.population;
            sum.1 += 1;
        }
    }
    for r in records {
        let Some(&(sum, rows)) = sums.get(r.code.as_str()) else {
            continue;
        };
        if sum == r.population {
            continue;
        }
        let resolved = crosswalk
            .lines
            .iter()
            .any(|l| l.from == format!("residual:{}", r.code));
        let (word, difference) = if sum < r.population {
            ("short", r.population - sum)
        } else {
            ("over", sum - r.population)
        };
        push(
            if resolved { Severity::Note } else { Severity::Warning },
            "children-sum",
            r.code.as_str(),
            Fault::new(
                file,
                format!("{} {}: its {rows} units add up to {sum}, {difference} {word}", r.code, r.name),
                format!("{} (population 常住人口 of the unit itself)", r.population),
                if resolved {
                    "the crosswalk shares the difference out (its row without from_code)"
                } else {
                    "look for a zone without a code, or add a row without from_code to the crosswalk"
                },
            )
            .at(&r.place),
        );
    }
}

fn check_borders(
    records: &[Record],
    file: &Path,
    border_codes: &BTreeSet<String>,
    crosswalk: &Crosswalk,
    push: &mut impl FnMut(Severity, &'static str, &str, Fault),
) {
    let mut covered: BTreeSet<&str> = BTreeSet::new();
    for r in records.iter().filter(|r| r.code.level() == Level::County) {
        let mut lines = crosswalk
            .lines
            .iter()
            .filter(|l| l.from == r.code.as_str())
            .peekable();
        if lines.peek().is_some() {
            let targets: Vec<&str> = lines.map(|l| l.to.as_str()).collect();
            if !border_codes.contains(r.code.as_str()) || targets != [r.code.as_str()] {
                push(
                    Severity::Note,
                    "code-changed",
                    r.code.as_str(),
                    Fault::new(
                        file,
                        format!("{} {} is not the border unit of this code", r.code, r.name),
                        "census and borders of one year",
                        format!("the crosswalk leads it to {}", targets.join(", ")),
                    )
                    .at(&r.place),
                );
            }
            covered.extend(targets);
        } else if border_codes.contains(r.code.as_str()) {
            covered.insert(r.code.as_str());
        } else {
            push(
                Severity::Error,
                "row-without-border",
                r.code.as_str(),
                Fault::new(
                    file,
                    format!("{} {} has no polygon in the border file", r.code, r.name),
                    "a polygon with this code, or a crosswalk row",
                    "census and borders are of different years: add the code change to the crosswalk",
                )
                .at(&r.place),
            );
        }
    }
    for code in border_codes {
        if !covered.contains(code.as_str()) {
            push(
                Severity::Error,
                "border-without-row",
                code,
                Fault::new(
                    file,
                    format!("no census row for the border unit {code}"),
                    "one row per border unit, or a crosswalk row that leads to it",
                    "add the unit to the table, or the code change to the crosswalk",
                ),
            );
        }
    }
}

/// The records of the border units: codes changed by the crosswalk, the excess of a prefecture shared out by its
/// `residual:` rows, the totals of every count kept to the last person.
///
/// Units are returned in order of code. Ratios of a unit made of several are weighted by population.
pub fn resolve(
    records: &[Record],
    border_codes: &BTreeSet<String>,
    crosswalk: &Crosswalk,
) -> Vec<Record> {
    let mut units: BTreeMap<String, Record> = BTreeMap::new();
    let counties = records.iter().filter(|r| r.code.level() == Level::County);
    for r in counties {
        let lines: Vec<_> = crosswalk
            .lines
            .iter()
            .filter(|l| l.from == r.code.as_str())
            .collect();
        if lines.is_empty() {
            if border_codes.contains(r.code.as_str()) {
                add(&mut units, r.code.as_str(), r.clone());
            }
            continue;
        }
        for (line, part) in lines.iter().zip(split(r, &lines)) {
            add(&mut units, &line.to, part);
        }
    }
    for r in records
        .iter()
        .filter(|r| r.code.level() == Level::Prefecture)
    {
        let key = format!("residual:{}", r.code);
        let lines: Vec<_> = crosswalk.lines.iter().filter(|l| l.from == key).collect();
        if lines.is_empty() {
            continue;
        }
        let children = records
            .iter()
            .filter(|c| c.code.parent().as_ref() == Some(&r.code));
        let mut rest = r.clone();
        for c in children {
            rest.population = rest.population.saturating_sub(c.population);
            rest.households = rest.households.saturating_sub(c.households);
            rest.urban_population = rest.urban_population.saturating_sub(c.urban_population);
            rest.age_0_14 = rest.age_0_14.saturating_sub(c.age_0_14);
            rest.age_65_plus = rest.age_65_plus.saturating_sub(c.age_65_plus);
            rest.gdp_yuan = (rest.gdp_yuan - c.gdp_yuan).max(0.0);
        }
        for (line, part) in lines.iter().zip(split(&rest, &lines)) {
            add(&mut units, &line.to, part);
        }
    }
    units.into_values().collect()
}

fn split(r: &Record, lines: &[&CrosswalkLine]) -> Vec<Record> {
    let shares: Vec<f64> = lines.iter().map(|l| l.share).collect();
    let population = largest_remainder(r.population, &shares);
    let households = largest_remainder(r.households, &shares);
    let urban = largest_remainder(r.urban_population, &shares);
    let young = largest_remainder(r.age_0_14, &shares);
    let old = largest_remainder(r.age_65_plus, &shares);
    (0..lines.len())
        .map(|i| Record {
            population: population[i],
            households: households[i],
            urban_population: urban[i],
            age_0_14: young[i],
            age_65_plus: old[i],
            gdp_yuan: r.gdp_yuan * shares[i],
            ..r.clone()
        })
        .collect()
}

fn add(units: &mut BTreeMap<String, Record>, code: &str, part: Record) {
    let Some(unit) = units.get_mut(code) else {
        let code_value = Value::Text(code.to_string());
        let parsed = DivisionCode::parse(&code_value).map_or_else(|_| part.code.clone(), |c| c.0);
        units.insert(
            code.to_string(),
            Record {
                code: parsed,
                ..part
            },
        );
        return;
    };
    let (a, b) = (unit.population as f64, part.population as f64);
    if a + b > 0.0 {
        let mean = |x: f64, y: f64| (x * a + y * b) / (a + b);
        unit.rooms_per_household = mean(unit.rooms_per_household, part.rooms_per_household);
        unit.floor_m2_per_head = mean(unit.floor_m2_per_head, part.floor_m2_per_head);
        unit.lift_households_pct = mean(unit.lift_households_pct, part.lift_households_pct);
    }
    unit.population += part.population;
    unit.households += part.households;
    unit.urban_population += part.urban_population;
    unit.age_0_14 += part.age_0_14;
    unit.age_65_plus += part.age_65_plus;
    unit.gdp_yuan += part.gdp_yuan;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(code: &str, population: u64) -> Record {
        Record {
            code: DivisionCode::parse(&Value::Text(code.into())).unwrap().0,
            name: code.into(),
            place: format!("row of {code}"),
            population,
            households: population / 3,
            urban_population: population / 2,
            age_0_14: population / 10,
            age_65_plus: population / 10,
            rooms_per_household: 3.0,
            floor_m2_per_head: 40.0,
            lift_households_pct: 10.0,
            gdp_yuan: population as f64 * 1e5,
        }
    }

    fn line(from: &str, to: &str, share: f64) -> CrosswalkLine {
        CrosswalkLine {
            from: from.into(),
            to: to.into(),
            share,
            source: "test".into(),
        }
    }

    #[test]
    fn shortfalls_and_code_changes_are_found_and_resolved_to_the_last_person() {
        let records = [
            record("330100", 1_001),
            record("330102", 333),
            record("330103", 333),
            record("330109", 335),
            record("330300", 500),
            record("330302", 300),
            record("330303", 101),
        ];
        let borders: BTreeSet<String> = ["330102", "330109", "330114", "330302", "330303"]
            .map(String::from)
            .into();
        let file = Path::new("census.csv");
        let open = check(&records, file, &borders, &Crosswalk::default());
        let rules: Vec<_> = open
            .iter()
            .map(|f| (f.rule, f.unit.as_str(), f.severity))
            .collect();
        assert_eq!(
            rules,
            [
                ("children-sum", "330300", Severity::Warning),
                ("row-without-border", "330103", Severity::Error),
                ("border-without-row", "330114", Severity::Error),
            ]
        );
        assert!(open[0].fault.found.contains("99 short"));

        let crosswalk = Crosswalk {
            lines: vec![
                line("330103", "330102", 0.4),
                line("330103", "330114", 0.6),
                line("residual:330300", "330302", 0.75),
                line("residual:330300", "330303", 0.25),
            ],
        };
        let left = check(&records, file, &borders, &crosswalk);
        assert!(
            left.iter().all(|f| f.severity == Severity::Note),
            "{left:?}"
        );
        let units = resolve(&records, &borders, &crosswalk);
        let total: u64 = units.iter().map(|u| u.population).sum();
        assert_eq!(total, 1_501);
        let of = |code: &str| {
            units
                .iter()
                .find(|u| u.code.as_str() == code)
                .unwrap()
                .population
        };
        assert_eq!(of("330102"), 333 + 133);
        assert_eq!(of("330302") + of("330303"), 500);
    }
}
