//! Rule files (质检规则): what a table of the census should hold, as data that a team may edit.
//!
//! One file a kind of table: its fields with the names under which they stand in headers, types, units, ranges and code
//! lists, and its rules. `common.toml` holds what applies to all tables: the severity of each built-in rule, words, units,
//! tolerances. A file of a team with the `id` of a compiled-in one replaces it; one with another `id` adds a kind.

use super::super::code::Level;
use super::finding::Severity;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What a cell of a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Free text.
    #[default]
    Text,
    /// A whole number of 0 or more.
    Count,
    /// A number.
    Real,
    /// One of the `choices`.
    Choice,
    /// A code of an object: letters, digits, hyphens.
    Identifier,
    /// A division code (行政区划代码) of 6, 9 or 12 digits.
    Division,
    /// A date.
    Date,
    /// A year.
    Year,
    /// A longitude, degrees.
    Lon,
    /// A latitude, degrees.
    Lat,
    /// A telephone number.
    Phone,
    /// A citizen's number (公民身份号码, GB 11643): 18 characters with a check digit.
    CitizenId,
    /// A unified social credit code (统一社会信用代码, GB 32100): 18 characters with a check character.
    CreditCode,
}

impl FieldType {
    /// True for types that are kept as numbers (dates as days).
    pub fn is_number(self) -> bool {
        matches!(
            self,
            FieldType::Count
                | FieldType::Real
                | FieldType::Date
                | FieldType::Year
                | FieldType::Lon
                | FieldType::Lat
        )
    }
}

/// Must a table have a column?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It may lack it.
    #[default]
    Optional,
    /// It should have it, and every record a value.
    Required,
    /// It should have it; cells may be blank.
    Expected,
}

/// One entry of a code list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Code, which may stand in place of the name.
    #[serde(default)]
    pub code: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    #[serde(default)]
    pub en: String,
    /// Other names that mean the same: a certain fix writes the Chinese name for them.
    #[serde(default)]
    pub also: Vec<String>,
}

/// One field of a table.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The engine's name.
    pub field: String,
    /// Names in headers, Chinese and English; brackets with a unit may follow them.
    pub names: Vec<String>,
    /// What its cells hold.
    #[serde(default, rename = "type")]
    pub kind: FieldType,
    /// Unit of the values.
    #[serde(default)]
    pub unit: String,
    /// Must the table have it?
    #[serde(default)]
    pub presence: Presence,
    /// Least possible value.
    #[serde(default)]
    pub min: Option<f64>,
    /// Greatest possible value.
    #[serde(default)]
    pub max: Option<f64>,
    /// Least value that needs no second look.
    #[serde(default)]
    pub likely_min: Option<f64>,
    /// Greatest value that needs no second look.
    #[serde(default)]
    pub likely_max: Option<f64>,
    /// Code list.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Levels of division codes that may stand here; all where empty.
    #[serde(default)]
    pub levels: Vec<LevelName>,
    /// Numbers of characters that an identifier may have; any where empty.
    #[serde(default)]
    pub lengths: Vec<usize>,
    /// First day that a date may have, or first year.
    #[serde(default)]
    pub earliest: Option<String>,
    /// False where a date may lie after the census (plans, deadlines).
    #[serde(default)]
    pub may_be_future: bool,
}

impl FieldRule {
    /// The name in a language.
    pub fn label(&self, zh: bool) -> &str {
        match zh {
            true => self.names.first().map_or(&self.field, |n| n),
            false => &self.field,
        }
    }
}

/// Level of an administrative unit, as files name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LevelName {
    /// Province (省).
    Province,
    /// Prefecture (市).
    Prefecture,
    /// County (县).
    County,
    /// Township (乡镇).
    Township,
    /// Village (村).
    Village,
}

impl From<Level> for LevelName {
    fn from(level: Level) -> Self {
        match level {
            Level::Province => LevelName::Province,
            Level::Prefecture => LevelName::Prefecture,
            Level::County => LevelName::County,
            Level::Township => LevelName::Township,
            Level::Village => LevelName::Village,
        }
    }
}

impl LevelName {
    /// The name in a language.
    pub fn label(self, zh: bool) -> &'static str {
        match (self, zh) {
            (LevelName::Province, true) => "省级",
            (LevelName::Prefecture, true) => "地级",
            (LevelName::County, true) => "县级",
            (LevelName::Township, true) => "乡镇级",
            (LevelName::Village, true) => "村级",
            (LevelName::Province, false) => "province",
            (LevelName::Prefecture, false) => "prefecture",
            (LevelName::County, false) => "county",
            (LevelName::Township, false) => "township",
            (LevelName::Village, false) => "village",
        }
    }
}

/// `parts` together are not greater than `whole`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Fields that are added; blank cells count nothing.
    pub parts: Vec<String>,
    /// Field of the whole.
    pub whole: String,
    /// Excess that is allowed.
    #[serde(default)]
    pub tolerance: f64,
}

/// `parts` together are the `whole`; judged where no cell is blank.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// Fields that are added.
    pub parts: Vec<String>,
    /// Field of the whole.
    pub whole: String,
    /// Difference that is allowed.
    #[serde(default)]
    pub tolerance: f64,
}

/// The units below add up to their unit, in the same table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Children {
    /// Fields that are added.
    pub fields: Vec<String>,
    /// Rounding of each value: a sum of n children may be off by (n + 1) of it.
    #[serde(default)]
    pub rounding: f64,
}

/// A figure of a unit is the sum, or the number, of the records of another table in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Field of this table.
    pub field: String,
    /// Kind of the other table.
    pub table: String,
    /// Field that is added there; the number of records where none is named.
    #[serde(default)]
    pub sum: Option<String>,
    /// Difference that is allowed, a share of the figure.
    #[serde(default)]
    pub tolerance: f64,
}

/// A value of this table stands among those of another.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exists {
    /// Field of this table.
    pub field: String,
    /// Kind of the other table.
    pub table: String,
    /// Field there.
    pub in_field: String,
}

/// A quotient of two fields lies in a range.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// Field above.
    pub field: String,
    /// Field below; records where it is 0 are passed over.
    pub per: String,
    /// Least quotient.
    #[serde(default)]
    pub min: Option<f64>,
    /// Greatest quotient.
    #[serde(default)]
    pub max: Option<f64>,
}

/// A field is not after (not greater than) another.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Field that is less or equal.
    pub first: String,
    /// Field that is greater or equal.
    pub then: String,
}

/// Where a field has one of some values (or lies in a range), another must fit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Field that is looked at.
    pub field: String,
    /// Its values (Chinese names of choices, or texts).
    #[serde(default)]
    pub is: Vec<String>,
    /// At least this number.
    #[serde(default)]
    pub min: Option<f64>,
    /// At most this number.
    #[serde(default)]
    pub max: Option<f64>,
    /// Field that must fit.
    pub then: String,
    /// It is filled in.
    #[serde(default)]
    pub filled: bool,
    /// It is blank or zero.
    #[serde(default)]
    pub empty: bool,
    /// It is one of these.
    #[serde(default)]
    pub among: Vec<String>,
    /// It is at least this.
    #[serde(default)]
    pub then_min: Option<f64>,
    /// It is at most this.
    #[serde(default)]
    pub then_max: Option<f64>,
}

/// How outliers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutlierMethod {
    /// Distance from the median in median absolute deviations.
    #[default]
    Mad,
    /// Fences of the adjusted boxplot, for skewed values (Hubert and Vandervieren 2008).
    AdjustedBoxplot,
}

/// What values are compared on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Logarithms; zeros are not judged.
    #[default]
    Log,
    /// The values.
    Plain,
}

/// A slip of units that is looked for among outliers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// Factor by which the value is too great (below 1: too small).
    pub factor: f64,
    /// What happened.
    pub zh: String,
    /// What happened.
    pub en: String,
}

/// Values far from those of the like records.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outlier {
    /// Field that is judged.
    pub field: String,
    /// Fields whose product it is divided by before: ratios find what sizes hide.
    #[serde(default)]
    pub per: Vec<String>,
    /// Field whose values make the groups; `level` groups units by level. One group where none is named.
    #[serde(default)]
    pub group: Option<String>,
    /// What is compared.
    #[serde(default)]
    pub scale: Scale,
    /// How.
    #[serde(default)]
    pub method: OutlierMethod,
    /// False alarms that a table of this size without faults gives on average, were its values normal.
    #[serde(default = "one_in_a_hundred")]
    pub false_alarms: f64,
    /// A value must also differ from the median by this factor (log), or this amount (plain).
    #[serde(default)]
    pub least: f64,
    /// Groups smaller than this are not judged.
    #[serde(default = "twenty")]
    pub least_records: usize,
    /// Slips of units: an outlier that lies among the others once divided by the factor.
    #[serde(default)]
    pub slips: Vec<Slip>,
}

fn one_in_a_hundred() -> f64 {
    0.01
}

fn twenty() -> usize {
    20
}

/// Changes against the earlier year's table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Field that is judged.
    pub field: String,
    /// Least quotient of now to then.
    #[serde(default)]
    pub min: Option<f64>,
    /// Greatest quotient.
    #[serde(default)]
    pub max: Option<f64>,
    /// Changes of values below this are not judged.
    #[serde(default)]
    pub least_value: f64,
    /// True: it must not change at all.
    #[serde(default)]
    pub constant: bool,
}

/// A rule of a table: exactly one of its kinds.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id, unique in the file.
    pub id: String,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// How grave a breach is.
    pub severity: Severity,
    /// What to do, in English; a standing text where empty.
    #[serde(default)]
    pub remedy: String,
    /// What to do, in Chinese.
    #[serde(default)]
    pub remedy_zh: String,
    /// See [`Part`].
    #[serde(default)]
    pub part: Option<Part>,
    /// See [`Sum`].
    #[serde(default)]
    pub sum: Option<Sum>,
    /// See [`Children`].
    #[serde(default)]
    pub children: Option<Children>,
    /// See [`Total`].
    #[serde(default)]
    pub total: Option<Total>,
    /// See [`Exists`].
    #[serde(default)]
    pub exists: Option<Exists>,
    /// See [`Ratio`].
    #[serde(default)]
    pub ratio: Option<Ratio>,
    /// See [`Order`].
    #[serde(default)]
    pub order: Option<Order>,
    /// See [`When`].
    #[serde(default)]
    pub when: Option<When>,
    /// See [`Outlier`].
    #[serde(default)]
    pub outlier: Option<Outlier>,
    /// See [`Change`].
    #[serde(default)]
    pub change: Option<Change>,
}

/// Fields of the place of a record.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Longitude.
    pub lon: String,
    /// Latitude.
    pub lat: String,
    /// Records of one name within this distance are taken for one, m.
    #[serde(default = "hundred")]
    pub near_m: f64,
    /// True where several records may stand at one place.
    #[serde(default)]
    pub shared: bool,
    /// Records that moved further than this since the earlier year are told, m.
    #[serde(default = "two_thousand")]
    pub moved_m: f64,
}

fn hundred() -> f64 {
    100.0
}

fn two_thousand() -> f64 {
    2000.0
}

/// The rules of one kind of table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRules {
    /// Kind of table, e.g. `schools`.
    pub id: String,
    /// Version of the file.
    pub version: u32,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Where fields, lists and ranges come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Fields that tell records apart.
    #[serde(default)]
    pub key: Vec<String>,
    /// Field of the record's name.
    #[serde(default)]
    pub title: Option<String>,
    /// Field of the unit that the record lies in.
    #[serde(default)]
    pub division: Option<String>,
    /// Field of the code of the unit above, in tables of units.
    #[serde(default)]
    pub parent: Option<String>,
    /// True for tables of administrative units: codes are keys, parents must be there, borders must fit.
    #[serde(default)]
    pub units: bool,
    /// Coordinates.
    #[serde(default)]
    pub place: Option<Place>,
    /// The fields.
    pub field: Vec<FieldRule>,
    /// The rules.
    #[serde(default)]
    pub rule: Vec<Rule>,
}

impl TableRules {
    /// Index of a field.
    pub fn index(&self, field: &str) -> Option<usize> {
        self.field.iter().position(|f| f.field == field)
    }
}

/// A built-in rule: what applies to all tables by the types of their fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuiltIn {
    /// Its id.
    pub id: String,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// How grave a breach is.
    pub severity: Severity,
}

/// A unit that may stand in a header, with its size in the base of its kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitName {
    /// Names.
    pub names: Vec<String>,
    /// What it measures: only units of one kind are converted.
    pub of: String,
    /// Its size in the base of its kind.
    pub size: f64,
}

/// What applies to all tables.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// Always `common`.
    pub id: String,
    /// Version of the file.
    pub version: u32,
    /// Where the numbers come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Rows searched for a header.
    pub header_rows: usize,
    /// Columns that are known and not judged (备注 …).
    pub ignored_columns: Vec<String>,
    /// Texts that stand for no value.
    pub placeholders: Vec<String>,
    /// Texts that mark a row of totals.
    pub totals: Vec<String>,
    /// First two digits of division codes.
    pub provinces: Vec<String>,
    /// Third and fourth digits of counties directly below a province (省直辖县级行政区划).
    pub direct_counties: Vec<String>,
    /// West, south, east, north of the country, degrees.
    pub country: [f64; 4],
    /// Decimals of degrees below which a place is coarse.
    pub least_decimals: usize,
    /// Distance outside the polygon of its unit that is allowed (borders are generalised), m.
    pub border_tolerance_m: f64,
    /// Share of its length by which a displacement may differ from that of GCJ-02 or BD-09 to be taken for it.
    pub shift_match: f64,
    /// Points outside their units, of one table and county, that a shift of the county is told from.
    pub shift_least_points: usize,
    /// Share of them that must come inside without the shift.
    pub shift_share: f64,
    /// Distance from a polygon within which a shift may have moved a point, m.
    pub shift_reach_m: f64,
    /// Colours of marked cells, RRGGBB: error, warning, note.
    pub mark_colours: [String; 3],
    /// Built-in rules.
    pub rule: Vec<BuiltIn>,
    /// Units of headers.
    pub unit: Vec<UnitName>,
}

/// All rules of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleBook {
    /// What applies to all tables.
    pub common: Common,
    /// The kinds of tables, by id.
    pub tables: BTreeMap<String, TableRules>,
}

const BUILTIN: [(&str, &str); 13] = [
    (
        "units",
        include_str!("../../../standards/quality/units.toml"),
    ),
    (
        "buildings",
        include_str!("../../../standards/quality/buildings.toml"),
    ),
    (
        "schools",
        include_str!("../../../standards/quality/schools.toml"),
    ),
    (
        "hospitals",
        include_str!("../../../standards/quality/hospitals.toml"),
    ),
    (
        "homes",
        include_str!("../../../standards/quality/homes.toml"),
    ),
    (
        "shelters",
        include_str!("../../../standards/quality/shelters.toml"),
    ),
    (
        "depots",
        include_str!("../../../standards/quality/depots.toml"),
    ),
    (
        "sites",
        include_str!("../../../standards/quality/sites.toml"),
    ),
    (
        "disasters",
        include_str!("../../../standards/quality/disasters.toml"),
    ),
    (
        "roads",
        include_str!("../../../standards/quality/roads.toml"),
    ),
    (
        "bridges",
        include_str!("../../../standards/quality/bridges.toml"),
    ),
    (
        "reservoirs",
        include_str!("../../../standards/quality/reservoirs.toml"),
    ),
    (
        "dykes",
        include_str!("../../../standards/quality/dykes.toml"),
    ),
];

/// The compiled-in rule files: id and text, `common` last.
pub fn builtin_files() -> Vec<(&'static str, &'static str)> {
    let common = (
        "common",
        include_str!("../../../standards/quality/common.toml"),
    );
    BUILTIN.into_iter().chain([common]).collect()
}

impl RuleBook {
    /// The rules that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        let mut book = RuleBook {
            common: toml::from_str(include_str!("../../../standards/quality/common.toml"))
                .expect("the compiled-in rules are read by a test"),
            tables: BTreeMap::new(),
        };
        for (_, text) in BUILTIN {
            let table: TableRules =
                toml::from_str(text).expect("the compiled-in rules are read by a test");
            book.tables.insert(table.id.clone(), table);
        }
        book
    }

    /// Adds a team's file, or replaces the compiled-in one of its id.
    ///
    /// # Errors
    /// What is wrong in the file: syntax, unknown keys, rules of no kind or of several, fields that it does not have.
    pub fn add(&mut self, text: &str, file: &Path) -> Result<()> {
        let wrong = |e: toml::de::Error| {
            Error::input(Fault::new(
                file,
                e.message().to_string(),
                "a rule file as those in models/standards/quality",
                "correct the file; unknown keys are refused",
            ))
        };
        let head: toml::Table = toml::from_str(text).map_err(wrong)?;
        if head.get("id").and_then(toml::Value::as_str) == Some("common") {
            self.common = toml::from_str(text).map_err(wrong)?;
            return Ok(());
        }
        let table: TableRules = toml::from_str(text).map_err(wrong)?;
        let faults = faults_of(&table, file);
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        self.tables.insert(table.id.clone(), table);
        Ok(())
    }
}

/// What is wrong with a rule file that could be read.
pub fn faults_of(table: &TableRules, file: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |found: String, expected: &str, remedy: &str, place: &str| {
        faults.push(Fault::new(file, found, expected, remedy).at(place));
    };
    for rule in &table.rule {
        let fields = rule.fields();
        let Some(fields) = fields else {
            fault(
                format!("{} kinds", rule.kinds()),
                "one kind of rule (part, sum, children, total, exists, ratio, order, when, outlier or change)",
                "write one kind for each rule",
                &format!("rule {}", rule.id),
            );
            continue;
        };
        for name in fields {
            if table.index(name).is_none() && name != "level" {
                fault(
                    format!("field `{name}`"),
                    "a field of this file",
                    "correct the name, or add the field",
                    &format!("rule {}", rule.id),
                );
            }
        }
        if table.rule.iter().filter(|r| r.id == rule.id).count() > 1 {
            fault(
                format!("rule `{}` twice", rule.id),
                "each id once",
                "rename one of the rules",
                &format!("rule {}", rule.id),
            );
        }
    }
    let named = (table.key.iter().map(String::as_str))
        .chain(table.title.as_deref())
        .chain(table.division.as_deref())
        .chain(table.parent.as_deref())
        .chain(
            table
                .place
                .iter()
                .flat_map(|p| [p.lon.as_str(), p.lat.as_str()]),
        );
    for name in named {
        if table.index(name).is_none() {
            fault(
                format!("field `{name}`"),
                "a field of this file",
                "correct the name, or add the field",
                "key, title, division, parent or place",
            );
        }
    }
    faults
}

impl Rule {
    fn kinds(&self) -> usize {
        [
            self.part.is_some(),
            self.sum.is_some(),
            self.children.is_some(),
            self.total.is_some(),
            self.exists.is_some(),
            self.ratio.is_some(),
            self.order.is_some(),
            self.when.is_some(),
            self.outlier.is_some(),
            self.change.is_some(),
        ]
        .into_iter()
        .filter(|k| *k)
        .count()
    }

    /// Fields of its own table that it names; `None` unless it is of exactly one kind.
    fn fields(&self) -> Option<Vec<&str>> {
        if self.kinds() != 1 {
            return None;
        }
        let mut out: Vec<&str> = Vec::new();
        if let Some(p) = &self.part {
            out.extend(p.parts.iter().map(String::as_str).chain([p.whole.as_str()]));
        }
        if let Some(s) = &self.sum {
            out.extend(s.parts.iter().map(String::as_str).chain([s.whole.as_str()]));
        }
        if let Some(c) = &self.children {
            out.extend(c.fields.iter().map(String::as_str));
        }
        out.extend(self.total.iter().map(|t| t.field.as_str()));
        out.extend(self.exists.iter().map(|e| e.field.as_str()));
        if let Some(r) = &self.ratio {
            out.extend([r.field.as_str(), r.per.as_str()]);
        }
        if let Some(o) = &self.order {
            out.extend([o.first.as_str(), o.then.as_str()]);
        }
        if let Some(w) = &self.when {
            out.extend([w.field.as_str(), w.then.as_str()]);
        }
        if let Some(o) = &self.outlier {
            out.push(&o.field);
            out.extend(o.per.iter().map(String::as_str));
            out.extend(o.group.as_deref());
        }
        out.extend(self.change.iter().map(|c| c.field.as_str()));
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_compiled_in_rules_are_whole() {
        let book = RuleBook::builtin();
        assert_eq!(book.tables.len(), 13);
        let builtin: BTreeSet<&str> = book.common.rule.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(
            builtin.len(),
            book.common.rule.len(),
            "a built-in rule twice"
        );
        for table in book.tables.values() {
            let faults = faults_of(table, Path::new(&table.id));
            assert!(faults.is_empty(), "{faults:?}");
            assert!(["read", "unverified"].contains(&table.status.as_str()));
            let mut names = BTreeSet::new();
            for field in &table.field {
                for name in &field.names {
                    assert!(names.insert(name), "{}: {name} for two fields", table.id);
                }
                let coded = field.kind == FieldType::Choice;
                assert_eq!(
                    coded,
                    !field.choices.is_empty(),
                    "{} {}",
                    table.id,
                    field.field
                );
                if !field.unit.is_empty() {
                    let known = |u: &UnitName| u.names.contains(&field.unit);
                    assert!(
                        book.common.unit.iter().any(known),
                        "{} {}: unit {}",
                        table.id,
                        field.field,
                        field.unit
                    );
                }
            }
            for rule in &table.rule {
                assert!(
                    !builtin.contains(rule.id.as_str()),
                    "{} is built in",
                    rule.id
                );
                for other in (rule.total.iter().map(|t| (&t.table, t.sum.as_ref())))
                    .chain(rule.exists.iter().map(|e| (&e.table, Some(&e.in_field))))
                {
                    let table = &book.tables[other.0];
                    assert!(
                        other.1.is_none_or(|f| table.index(f).is_some()),
                        "{}",
                        rule.id
                    );
                }
            }
        }
    }

    #[test]
    fn a_file_with_faults_is_refused_with_all_of_them() {
        let text = r#"
            id = "wells"
            version = 1
            name = "Wells"
            name_zh = "水井"
            source = "test"
            status = "unverified"
            key = ["code"]
            [[field]]
            field = "depth"
            names = ["井深"]
            type = "real"
            [[rule]]
            id = "a"
            name = "A"
            name_zh = "甲"
            severity = "error"
            [[rule]]
            id = "b"
            name = "B"
            name_zh = "乙"
            severity = "error"
            order = { first = "depth", then = "height" }
        "#;
        let mut book = RuleBook::builtin();
        let error = book.add(text, Path::new("wells.toml")).unwrap_err();
        assert_eq!(error.faults().len(), 3, "{error}");
        let mended = text
            .replace("key = [\"code\"]", "")
            .replace("severity = \"error\"\n            [[rule]]\n            id = \"b\"", "severity = \"note\"\n            ratio = { field = \"depth\", per = \"depth\", max = 1.0 }\n            [[rule]]\n            id = \"b\"")
            .replace("\"height\"", "\"depth\"");
        book.add(&mended, Path::new("wells.toml")).unwrap();
        assert!(book.tables.contains_key("wells"));
        let unknown = mended.replace("version = 1", "version = 1\nfoo = 2");
        assert!(book.add(&unknown, Path::new("wells.toml")).is_err());
    }
}
