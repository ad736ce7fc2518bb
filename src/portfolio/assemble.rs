//! Exposure, vulnerabilities, groups and policies from the files of a portfolio.

use super::file::PortfolioFile;
use crate::project::toml_fault;
use anlan_engine::events::occurrences::Occurrences;
use anlan_engine::events::set::EventSet;
use anlan_engine::io::Value;
use anlan_engine::io::table::{self, Table};
use anlan_engine::loss::{
    Curve, Exposure, ExposureBuilder, ExposureClass, Fragility, Group, Matrix, Measure, Portfolio,
    Row, Terms, Vulnerability,
};
use anlan_engine::{Crs, Error, Event, Fault, Occurrence, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// Faults of one table that are told in full.
const TOLD: usize = 50;

/// A portfolio, read and joined.
pub(super) struct Assembled {
    pub file: PortfolioFile,
    pub base: PathBuf,
    /// All input files, the portfolio file first.
    pub inputs: Vec<PathBuf>,
    pub seed: u64,
    pub set: EventSet,
    pub exposure: Exposure,
    pub portfolio: Portfolio,
    /// Coordinates of the places, and their system; empty and `None` where they are not given.
    pub xy_m: Vec<[f64; 2]>,
    pub crs: Option<Crs>,
    pub slots: Vec<Slot>,
    pub groups: Vec<Group>,
    /// Measure of the values of each group, as text.
    pub measures: Vec<String>,
    /// Terms per slot; empty without policies.
    pub terms: Vec<Terms>,
    pub occurrences: Occurrences,
    /// True where the years are drawn from the rates.
    pub drawn: bool,
}

/// What a slot of the outputs is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    pub unit: String,
    /// Class, or policy where there are policies.
    pub class: String,
}

/// A file of vulnerabilities.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct VulnerabilityFile {
    pub curve: Vec<Curve>,
    pub matrix: Vec<Matrix>,
    pub fragility: Vec<Fragility>,
}

impl Assembled {
    pub fn read(path: &Path, seed: Option<u64>) -> Result<Assembled> {
        let file = PortfolioFile::read(path)?;
        let base = path.parent().unwrap_or_else(|| Path::new("")).to_path_buf();
        let events = base.join(&file.events);
        let set = EventSet::open(&events)?;
        let (names, vulnerabilities) = vulnerabilities(&base.join(&file.vulnerability))?;
        let mut classes = Vec::new();
        let mut vulnerability_of = Vec::new();
        for (code, class) in file.classes.iter().enumerate() {
            let Some(&at) = names.get(&class.vulnerability) else {
                let known: Vec<&str> = names.keys().map(String::as_str).collect();
                return Err(Error::input(
                    Fault::new(
                        path,
                        format!("vulnerability `{}`", class.vulnerability),
                        format!("one of {}", known.join(", ")),
                        "name a vulnerability of the vulnerability file",
                    )
                    .at(format!("class {}", class.code)),
                ));
            };
            vulnerability_of.push(Some(at));
            classes.push(ExposureClass {
                code: code as u16,
                name: class.name.clone(),
                name_zh: class.name_zh.clone(),
                measure: class.measure(path)?,
            });
        }
        let policies = match &file.policies {
            Some(p) => policies(&base.join(p))?,
            None => BTreeMap::new(),
        };
        let table = table::read(&base.join(&file.exposure))?;
        let (exposure, policy_of) = exposure(&table, &file, classes, &policies)?;

        // Slots: class and unit, or the policies.
        let units = exposure.units.len();
        let by_policy = file.policies.is_some();
        let slot_of = |row: usize| {
            if by_policy {
                policy_of[&(exposure.class[row], exposure.item[row])]
            } else {
                usize::from(exposure.class[row]) * units + usize::from(exposure.unit[row])
            }
        };
        let mut portfolio = Portfolio::new(&exposure, vulnerabilities, &vulnerability_of, slot_of)?;
        let mut xy_m = Vec::new();
        if let Some(places) = &file.places {
            xy_m = coordinates(&base.join(places), set.places())?;
            portfolio = portfolio.with_places(xy_m.clone())?;
        }
        let crs = match file.places_epsg {
            Some(code) => Some(Crs::from_epsg(code)?),
            None => None,
        };
        let (slots, terms) = if by_policy {
            let mut unit_of = vec![String::new(); policies.len()];
            for row in 0..exposure.place.len() {
                unit_of[slot_of(row)] = exposure.units[usize::from(exposure.unit[row])].clone();
            }
            let slots = policies.keys().zip(unit_of).map(|(policy, unit)| Slot {
                unit,
                class: policy.clone(),
            });
            (slots.collect(), policies.values().copied().collect())
        } else {
            let slots = file.classes.iter().flat_map(|class| {
                exposure.units.iter().map(|unit| Slot {
                    unit: unit.clone(),
                    class: class.code.clone(),
                })
            });
            (slots.collect::<Vec<Slot>>(), Vec::new())
        };
        let (groups, measures) = groups(&file, &exposure, &slots, portfolio.slots());

        let seed = seed.unwrap_or(file.sampling.seed);
        let occurrences = match &file.occurrences {
            Some(p) => occurrences(&base.join(p), file.years)?,
            None => {
                let mut all: Vec<Event> = Vec::with_capacity(set.events());
                for block in 0..set.blocks() {
                    let block = set.block(block)?;
                    all.extend((0..block.len()).map(|e| block.event(e)));
                }
                Occurrences::poisson(&all, file.years, seed)
            }
        };
        let mut inputs = vec![path.to_path_buf(), events];
        inputs.extend([&file.exposure, &file.vulnerability].map(|p| base.join(p)));
        let optional = [&file.occurrences, &file.places, &file.policies];
        inputs.extend(optional.into_iter().flatten().map(|p| base.join(p)));
        Ok(Assembled {
            drawn: file.occurrences.is_none(),
            file,
            base,
            inputs,
            seed,
            set,
            exposure,
            portfolio,
            xy_m,
            crs,
            slots,
            groups,
            measures,
            terms,
            occurrences,
        })
    }
}

/// Text of a measure: the unit of the numbers.
pub(super) fn measure_text(measure: &Measure) -> String {
    match measure {
        Measure::Money {
            currency,
            price_year,
        } => format!("{currency} {price_year}"),
        Measure::Count(unit) => unit.clone(),
    }
}

/// Totals by measure, then units and classes where they are wanted. Values of different measures are never added.
fn groups(
    file: &PortfolioFile,
    exposure: &Exposure,
    slots: &[Slot],
    used: usize,
) -> (Vec<Group>, Vec<String>) {
    let mut groups = Vec::new();
    let mut measures = Vec::new();
    let class_of = |slot: usize| {
        // Policies cover money only: any class of it stands for them.
        let money = |c: &&ExposureClass| matches!(c.measure, Measure::Money { .. });
        if file.policies.is_some() {
            exposure.classes.iter().find(money)
        } else {
            exposure.classes.get(slot / exposure.units.len())
        }
    };
    let mut all: Vec<String> = Vec::new();
    for slot in 0..slots.len().min(used) {
        let text = class_of(slot).map_or_else(String::new, |c| measure_text(&c.measure));
        all.push(text);
    }
    let mut add = |name: String, wanted: &dyn Fn(&Slot) -> bool| {
        let mut by_measure: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (slot, measure) in all.iter().enumerate() {
            if wanted(&slots[slot]) {
                by_measure.entry(measure).or_default().push(slot);
            }
        }
        for (measure, slots) in by_measure {
            groups.push(Group {
                name: name.clone(),
                slots,
            });
            measures.push(measure.to_string());
        }
    };
    add("total".into(), &|_| true);
    if file.report.units {
        for unit in &exposure.units {
            add(format!("unit {unit}"), &|s| s.unit == *unit);
        }
    }
    if file.report.classes && file.policies.is_none() {
        for class in &file.classes {
            add(format!("class {}", class.code), &|s| s.class == class.code);
        }
    }
    (groups, measures)
}

fn vulnerabilities(path: &Path) -> Result<(BTreeMap<String, usize>, Vec<Vulnerability>)> {
    let text = fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
    let file: VulnerabilityFile = toml::from_str(&text).map_err(|e| toml_fault(path, &text, &e))?;
    let mut faults = Vec::new();
    let mut all = Vec::new();
    let mut keep = |one: Result<Vulnerability>| match one {
        Ok(v) => all.push(v),
        Err(Error::Input(more)) => faults.extend(more),
        Err(other) => faults.push(Fault::new(path, other.to_string(), "", "")),
    };
    for curve in &file.curve {
        keep(Vulnerability::from_curve(path, curve));
    }
    for matrix in &file.matrix {
        keep(Vulnerability::from_matrix(path, matrix));
    }
    for fragility in &file.fragility {
        keep(Vulnerability::from_fragility(path, fragility));
    }
    let mut names = BTreeMap::new();
    for (i, v) in all.iter().enumerate() {
        if names.insert(v.code().to_string(), i).is_some() {
            faults.push(
                Fault::new(path, "a code twice", "each code once", "rename one of them")
                    .at(format!("code {}", v.code())),
            );
        }
    }
    if faults.is_empty() {
        Ok((names, all))
    } else {
        Err(Error::Input(faults))
    }
}

/// Collects faults of a table.
struct Checked<'a> {
    table: &'a Table,
    faults: Vec<Fault>,
    more: usize,
}

impl<'a> Checked<'a> {
    fn new(table: &'a Table) -> Self {
        Checked {
            table,
            faults: Vec::new(),
            more: 0,
        }
    }

    fn add(&mut self, row: usize, column: usize, expected: &str, remedy: &str) {
        if self.faults.len() < TOLD {
            let found = match &self.table.rows[row][column] {
                Value::Null => "a blank cell".to_string(),
                value => format!("`{value}`"),
            };
            self.faults.push(
                Fault::new(&self.table.source, found, expected, remedy)
                    .at(self.table.place(row, column)),
            );
        } else {
            self.more += 1;
        }
    }

    fn number(&mut self, row: usize, column: usize, least: f64) -> f64 {
        let found = self.table.rows[row][column].as_f64();
        match found {
            Some(v) if v >= least && v.is_finite() => v,
            _ => {
                let expected = if least == 0.0 {
                    "a number of 0 or more"
                } else {
                    "a finite number"
                };
                self.add(row, column, expected, "correct the cell");
                0.0
            }
        }
    }

    fn whole(&mut self, row: usize, column: usize, most: u64) -> u64 {
        match self.table.rows[row][column].as_f64() {
            Some(v) if v >= 0.0 && v <= most as f64 && v.fract() == 0.0 => v as u64,
            _ => {
                self.add(
                    row,
                    column,
                    &format!("a whole number of 0 to {most}"),
                    "correct the cell",
                );
                0
            }
        }
    }

    fn text(&mut self, row: usize, column: usize) -> String {
        let text = self.table.rows[row][column].to_string().trim().to_string();
        if text.is_empty() {
            self.add(row, column, "a code", "fill the cell");
        }
        text
    }

    fn end(mut self) -> Result<()> {
        if self.faults.is_empty() {
            return Ok(());
        }
        if self.more > 0 {
            self.faults.push(Fault::new(
                &self.table.source,
                format!("{} more faults", self.more),
                "none",
                "mend those above first",
            ));
        }
        Err(Error::Input(self.faults))
    }
}

type PolicyOf = HashMap<(u16, u32), usize>;

fn exposure(
    table: &Table,
    file: &PortfolioFile,
    classes: Vec<ExposureClass>,
    policies: &BTreeMap<String, Terms>,
) -> Result<(Exposure, PolicyOf)> {
    let [item, place, class, value, unit] =
        ["item", "place", "class", "value", "unit"].map(|name| table.require(name));
    let (item, place, class, value, unit) = (item?, place?, class?, value?, unit?);
    let group = table.column("group");
    let policy = if file.policies.is_some() {
        Some(table.require("policy")?)
    } else {
        None
    };
    let class_of: HashMap<&str, u16> = file
        .classes
        .iter()
        .enumerate()
        .map(|(i, c)| (c.code.as_str(), i as u16))
        .collect();
    let number_of: HashMap<&str, usize> = policies
        .keys()
        .enumerate()
        .map(|(i, p)| (p.as_str(), i))
        .collect();
    let mut checked = Checked::new(table);
    let mut units: BTreeMap<String, u16> = BTreeMap::new();
    for row in 0..table.rows.len() {
        units.insert(checked.text(row, unit), 0);
    }
    if units.len() > usize::from(u16::MAX) {
        return Err(Error::input(Fault::new(
            &table.source,
            format!("{} units", units.len()),
            "at most 65,535",
            "report by larger units",
        )));
    }
    for (i, number) in units.values_mut().enumerate() {
        *number = i as u16;
    }
    let mut builder = ExposureBuilder::new(classes.clone(), units.keys().cloned().collect());
    let mut policy_of = HashMap::new();
    for row in 0..table.rows.len() {
        let code = table.rows[row][class].to_string();
        let Some(&class_number) = class_of.get(code.trim()) else {
            checked.add(
                row,
                class,
                "a class of the portfolio file",
                "add the class to the portfolio file, or correct the cell",
            );
            continue;
        };
        let number = checked.whole(row, item, u64::from(u32::MAX)) as u32;
        if let Some(column) = policy {
            let code = table.rows[row][column].to_string();
            match number_of.get(code.trim()) {
                Some(&p) => {
                    policy_of.insert((class_number, number), p);
                }
                None => checked.add(
                    row,
                    column,
                    "a policy of the policy table",
                    "add the policy",
                ),
            }
            if let Measure::Count(_) = classes[usize::from(class_number)].measure {
                checked.add(
                    row,
                    column,
                    "policies on money only",
                    "leave counts out of the exposure",
                );
            }
        }
        let unit_text = table.rows[row][unit].to_string();
        builder.push_row(Row {
            place: checked.whole(row, place, u64::from(u32::MAX)) as u32,
            class: class_number,
            value: checked.number(row, value, 0.0),
            unit: units.get(unit_text.trim()).copied().unwrap_or_default(),
            item: number,
            group: group.map_or(number, |g| {
                checked.whole(row, g, u64::from(u32::MAX)) as u32
            }),
        });
    }
    checked.end()?;
    Ok((builder.build()?, policy_of))
}

fn coordinates(path: &Path, places: usize) -> Result<Vec<[f64; 2]>> {
    let table = table::read(path)?;
    let (place, x, y) = (
        table.require("place")?,
        table.require("x_m")?,
        table.require("y_m")?,
    );
    let mut checked = Checked::new(&table);
    let mut xy = vec![[f64::NAN; 2]; places];
    for row in 0..table.rows.len() {
        let at = checked.whole(row, place, u64::from(u32::MAX)) as usize;
        let point = [x, y].map(|c| checked.number(row, c, f64::NEG_INFINITY));
        if at >= xy.len() {
            xy.resize(at + 1, [f64::NAN; 2]);
        }
        xy[at] = point;
    }
    checked.end()?;
    Ok(xy)
}

fn policies(path: &Path) -> Result<BTreeMap<String, Terms>> {
    let table = table::read(path)?;
    let columns = ["policy", "deductible", "limit", "share"].map(|name| table.require(name));
    let [policy, deductible, limit, share] = columns;
    let (policy, deductible, limit, share) = (policy?, deductible?, limit?, share?);
    let mut checked = Checked::new(&table);
    let mut all = BTreeMap::new();
    for row in 0..table.rows.len() {
        let code = checked.text(row, policy);
        let limit = if table.rows[row][limit].is_null() {
            f64::INFINITY
        } else {
            checked.number(row, limit, 0.0)
        };
        let terms = Terms {
            deductible: checked.number(row, deductible, 0.0),
            limit,
            share: checked.number(row, share, 0.0),
        };
        if terms.share > 1.0 {
            checked.add(row, share, "a share of 0 to 1", "write shares as fractions");
        }
        if all.insert(code, terms).is_some() {
            checked.add(
                row,
                policy,
                "each policy once",
                "join the rows of the policy",
            );
        }
    }
    checked.end()?;
    Ok(all)
}

fn occurrences(path: &Path, years: u32) -> Result<Occurrences> {
    let table = table::read(path)?;
    let (event, year) = (table.require("event")?, table.require("year")?);
    let day = table.column("day");
    let mut checked = Checked::new(&table);
    let mut rows = Vec::with_capacity(table.rows.len());
    for row in 0..table.rows.len() {
        let at = checked.whole(row, year, u64::from(years));
        if at == 0 {
            checked.add(
                row,
                year,
                &format!("a year of 1 to {years}"),
                "correct the cell, or `years` in the portfolio file",
            );
            continue;
        }
        rows.push(Occurrence {
            year: at as u32 - 1,
            day: day.map_or(1, |d| checked.whole(row, d, 366).max(1) as u16),
            duration_h: 0.0,
            event: checked.whole(row, event, (1 << 48) - 1),
        });
    }
    checked.end()?;
    Occurrences::new(path, years, rows)
}
