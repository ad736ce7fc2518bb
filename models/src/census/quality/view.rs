//! A table as its rules see it: header found by the dictionary, columns by field, cells mended where certain and typed.

use super::super::code::DivisionCode;
use super::cell::{self, Slip};
use super::finding::{CellAt, Finding, Fix, Said, Severity, said};
use super::rules::{Common, FieldType, Presence, Rule, RuleBook, TableRules};
use super::schema::{self, Header};
use anlan_engine::io::Value;
use anlan_engine::io::table::RawSheet;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A table to check.
#[derive(Debug, Clone, Default)]
pub struct TableInput {
    /// Kind, the id of a rule file.
    pub kind: String,
    /// Name for people; the kind's where empty.
    pub name: String,
    /// Its cells.
    pub sheet: RawSheet,
    /// Headers by field, for columns that the dictionary does not know.
    pub columns: BTreeMap<String, String>,
    /// Index of the table that this one is the earlier year of; `None` for a table to check.
    pub earlier_of: Option<usize>,
}

/// What a row of a sheet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A record.
    Record,
    /// Blank.
    Blank,
    /// A row of totals (合计).
    Total,
    /// Column numbers, a header again, a remark under the table.
    Aside,
    /// The same record as one above.
    Identical,
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Blank, or a text that stands for nothing.
    Blank,
    /// Readable.
    Good,
    /// There, but not what the field holds.
    Bad,
}

/// One field of a table, a value a row.
#[derive(Debug, Clone, Default)]
pub struct FieldData {
    /// Column of the sheet; `None` where the table lacks the field.
    pub column: Option<usize>,
    /// Numbers in the field's unit (dates in days), NaN where there is none; empty for fields of text.
    pub numbers: Vec<f64>,
    /// Texts; empty for fields of numbers.
    pub texts: Vec<String>,
    /// Division codes.
    pub codes: Vec<Option<DivisionCode>>,
    /// What the cells are.
    pub states: Vec<State>,
}

/// A table with its rules.
#[derive(Debug)]
pub struct View<'a> {
    /// Index among the tables.
    pub index: usize,
    /// The table.
    pub input: &'a TableInput,
    /// Its rules.
    pub rules: &'a TableRules,
    /// What applies to all tables.
    pub common: &'a Common,
    /// Row of the header in the sheet, from 0.
    pub header: usize,
    /// The fields, in the order of the rules.
    pub fields: Vec<FieldData>,
    /// What the rows below the header are.
    pub roles: Vec<Role>,
}

/// Collects what is found.
#[derive(Debug)]
pub struct Sink<'a> {
    severities: BTreeMap<&'a str, Severity>,
    overrides: &'a BTreeMap<String, Option<Severity>>,
    /// Findings, in the order in which they are made.
    pub findings: Vec<Finding>,
    /// Certain fixes.
    pub fixes: Vec<Fix>,
    /// Records that each rule judged.
    pub judged: BTreeMap<String, u64>,
}

impl<'a> Sink<'a> {
    /// An empty one.
    pub fn new(book: &'a RuleBook, overrides: &'a BTreeMap<String, Option<Severity>>) -> Self {
        let severities = book.common.rule.iter().map(|r| (r.id.as_str(), r.severity));
        Sink {
            severities: severities.collect(),
            overrides,
            findings: Vec::new(),
            fixes: Vec::new(),
            judged: BTreeMap::new(),
        }
    }

    fn push(
        &mut self,
        view: &View<'_>,
        rule: &str,
        severity: Severity,
        (row, field): (Option<usize>, Option<usize>),
        [found, expected, remedy]: [Said; 3],
    ) -> Option<&mut Finding> {
        let severity = match self.overrides.get(rule) {
            Some(Some(other)) => *other,
            Some(None) => return None,
            None => severity,
        };
        let column = field.and_then(|f| view.fields[f].column);
        self.findings.push(Finding {
            rule: rule.to_owned(),
            severity,
            at: CellAt {
                table: view.index,
                row: row.map(|r| view.sheet_row(r)),
                column,
            },
            field: field.map_or_else(String::new, |f| view.rules.field[f].field.clone()),
            key: row.map_or_else(String::new, |r| view.key(r)),
            unit: row.map_or_else(String::new, |r| view.unit(r)),
            value: match (row, column) {
                (Some(r), Some(c)) => view.raw(r, c).to_string(),
                _ => String::new(),
            },
            found,
            expected,
            remedy,
            others: Vec::new(),
            fixed: false,
            accepted: None,
        });
        self.findings.last_mut()
    }

    /// A breach of a built-in rule at a cell.
    pub fn builtin(
        &mut self,
        view: &View<'_>,
        rule: &str,
        row: usize,
        field: usize,
        texts: [Said; 3],
    ) -> Option<&mut Finding> {
        let severity = self.severity(rule);
        self.push(view, rule, severity, (Some(row), Some(field)), texts)
    }

    /// A breach of a built-in rule by a row, or by the table where `row` is none.
    pub fn whole(
        &mut self,
        view: &View<'_>,
        rule: &str,
        row: Option<usize>,
        texts: [Said; 3],
    ) -> Option<&mut Finding> {
        let severity = self.severity(rule);
        self.push(view, rule, severity, (row, None), texts)
    }

    /// A breach of a built-in rule at a cell of the header.
    pub fn header(&mut self, view: &View<'_>, rule: &str, column: Option<usize>, texts: [Said; 3]) {
        let severity = self.severity(rule);
        let value = column.map_or_else(String::new, |c| view.header_text(c));
        let at = CellAt {
            table: view.index,
            row: Some(view.header),
            column,
        };
        if let Some(finding) = self.push(view, rule, severity, (None, None), texts) {
            (finding.at, finding.value) = (at, value);
        }
    }

    /// A breach of a rule of the table.
    pub fn rule(
        &mut self,
        view: &View<'_>,
        rule: &Rule,
        row: usize,
        field: usize,
        [found, expected, standing]: [Said; 3],
    ) -> Option<&mut Finding> {
        let remedy = Said {
            en: match rule.remedy.is_empty() {
                true => standing.en,
                false => rule.remedy.clone(),
            },
            zh: match rule.remedy_zh.is_empty() {
                true => standing.zh,
                false => rule.remedy_zh.clone(),
            },
        };
        let at = (Some(row), Some(field));
        self.push(view, &rule.id, rule.severity, at, [found, expected, remedy])
    }

    fn severity(&self, rule: &str) -> Severity {
        // An id that common.toml lacks is an error of a team's own file: nothing is hushed up.
        self.severities
            .get(rule)
            .copied()
            .unwrap_or(Severity::Error)
    }

    /// Counts records that a rule judged.
    pub fn judge(&mut self, rule: &str, records: usize) {
        match self.judged.get_mut(rule) {
            Some(n) => *n += records as u64,
            None => {
                self.judged.insert(rule.to_owned(), records as u64);
            }
        }
    }
}

static NOTHING: Value = Value::Null;

impl<'a> View<'a> {
    /// Row of the sheet of a record.
    pub fn sheet_row(&self, row: usize) -> usize {
        self.header + 1 + row
    }

    /// The cell as it stands in the file.
    pub fn raw(&self, row: usize, column: usize) -> &Value {
        let cells = &self.input.sheet.rows[self.sheet_row(row)];
        cells.get(column).unwrap_or(&NOTHING)
    }

    /// The text of a header.
    pub fn header_text(&self, column: usize) -> String {
        self.input.sheet.rows[self.header]
            .get(column)
            .map_or_else(String::new, Value::to_string)
    }

    /// Numbers of rows below the header.
    pub fn rows(&self) -> usize {
        self.roles.len()
    }

    /// Rows that are records.
    pub fn records(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.roles.len()).filter(|&r| self.roles[r] == Role::Record)
    }

    /// Index of a field of the rules that this table has a column for.
    pub fn present(&self, field: &str) -> Option<usize> {
        self.rules
            .index(field)
            .filter(|&f| self.fields[f].column.is_some())
    }

    /// The number in a field; NaN where there is none.
    pub fn number(&self, field: usize, row: usize) -> f64 {
        self.fields[field]
            .numbers
            .get(row)
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// The value of a field as text; empty where it is blank.
    pub fn text(&self, field: usize, row: usize) -> Cow<'_, str> {
        let data = &self.fields[field];
        match data.texts.get(row) {
            Some(text) => Cow::Borrowed(text),
            None => match data.numbers.get(row) {
                Some(v) if v.is_finite() => Cow::Owned(v.to_string()),
                _ => Cow::Borrowed(""),
            },
        }
    }

    /// What a cell is.
    pub fn state(&self, field: usize, row: usize) -> State {
        self.fields[field]
            .states
            .get(row)
            .copied()
            .unwrap_or(State::Blank)
    }

    /// Division code of the unit that a record lies in (or is).
    pub fn code(&self, row: usize) -> Option<&DivisionCode> {
        let field = self.rules.index(self.rules.division.as_deref()?)?;
        self.fields[field].codes.get(row)?.as_ref()
    }

    /// Key of a record, parts joined by a slash.
    pub fn key(&self, row: usize) -> String {
        let parts: Vec<Cow<'_, str>> = (self.rules.key.iter())
            .filter_map(|name| self.rules.index(name))
            .map(|f| match self.fields[f].codes.get(row) {
                Some(Some(code)) => Cow::Borrowed(code.as_str()),
                _ => self.text(f, row),
            })
            .collect();
        match parts.iter().all(|p| p.is_empty()) {
            true => String::new(),
            false => parts.join("/"),
        }
    }

    /// Code of the county, or of the higher unit, that a record lies in.
    pub fn unit(&self, row: usize) -> String {
        let Some(code) = self.code(row) else {
            return String::new();
        };
        code.as_str().chars().take(6).collect()
    }

    /// Name of a record.
    pub fn title(&self, row: usize) -> Cow<'_, str> {
        match self.rules.title.as_ref().and_then(|t| self.rules.index(t)) {
            Some(field) => self.text(field, row),
            None => Cow::Borrowed(""),
        }
    }

    /// Coordinates of a record, degrees, where both are there.
    pub fn place(&self, row: usize) -> Option<(f64, f64)> {
        let place = self.rules.place.as_ref()?;
        let lon = self.number(self.rules.index(&place.lon)?, row);
        let lat = self.number(self.rules.index(&place.lat)?, row);
        (lon.is_finite() && lat.is_finite()).then_some((lon, lat))
    }
}

/// The view of a table; what is wrong with its columns and with single texts goes to the sink.
///
/// # Errors
/// A sheet in which no header of this kind of table is found.
pub fn view<'a>(
    index: usize,
    input: &'a TableInput,
    book: &'a RuleBook,
    sink: &mut Sink<'_>,
) -> anlan_engine::Result<View<'a>> {
    let rules = &book.tables[&input.kind];
    let common = &book.common;
    let header = schema::find(input, rules, common)?;
    let body = &input.sheet.rows[header.row + 1..];
    let mut view = View {
        index,
        input,
        rules,
        common,
        header: header.row,
        fields: vec![FieldData::default(); rules.field.len()],
        roles: roles(body, &header, input, rules, common),
    };
    let mut slips: Vec<(usize, usize, Slip, String, String)> = Vec::new();
    for (f, column) in header.columns.iter().enumerate() {
        let Some(column) = *column else { continue };
        view.fields[f] = read_field(&view, f, column, header.scales[f], &mut slips);
    }
    if input.earlier_of.is_some() {
        return Ok(view);
    }
    schema::tell(&view, &header, sink);
    for (row, field, slip, old, new) in slips {
        tell_slip(&view, sink, row, field, slip, old, new);
    }
    tell_cells(&view, sink);
    Ok(view)
}

fn roles(
    body: &[Vec<Value>],
    header: &Header,
    input: &TableInput,
    rules: &TableRules,
    common: &Common,
) -> Vec<Role> {
    let names = &input.sheet.rows[header.row];
    let marks: Vec<usize> = (rules.key.iter().chain(&rules.title).chain(&rules.division))
        .filter_map(|name| header.columns[rules.index(name)?])
        .collect();
    body.iter()
        .enumerate()
        .map(|(i, row)| {
            let filled: Vec<&Value> = row.iter().filter(|v| !v.is_null()).collect();
            if filled.is_empty() {
                return Role::Blank;
            }
            let text = |c: &usize| row.get(*c).map_or_else(String::new, |v| schema::plain(&v.to_string()));
            if marks.iter().any(|c| common.totals.contains(&text(c))) {
                return Role::Total;
            }
            let again = names.len() > 1
                && filled.len() > 1
                && row.iter().zip(names).filter(|(a, b)| !a.is_null() && a == b).count() * 2 > filled.len();
            // 甲 乙 1 2 3: numbers of columns below the header.
            let numbering = i == 0
                && filled.len() > 2
                && row.iter().filter(|v| !v.is_null()).enumerate().all(|(n, v)| {
                    let t = v.to_string();
                    "甲乙丙丁戊己".contains(t.trim()) || t.trim().parse::<usize>().is_ok_and(|k| k <= n + 1)
                });
            let keyless = marks.iter().skip(1).all(|c| row.get(*c).is_none_or(Value::is_null));
            let remark = filled.len() <= 3
                && keyless
                && filled.iter().any(|v| matches!(v, Value::Text(t) if t.contains('：') || t.contains(':') || t.starts_with('注')));
            match again || numbering || remark {
                true => Role::Aside,
                false => Role::Record,
            }
        })
        .collect()
}

fn read_field(
    view: &View<'_>,
    f: usize,
    column: usize,
    scale: f64,
    slips: &mut Vec<(usize, usize, Slip, String, String)>,
) -> FieldData {
    let rule = &view.rules.field[f];
    let numeric = rule.kind.is_number();
    let rows = view.rows();
    let mut data = FieldData {
        column: Some(column),
        states: vec![State::Blank; rows],
        ..FieldData::default()
    };
    match numeric {
        true => data.numbers = vec![f64::NAN; rows],
        false => data.texts = vec![String::new(); rows],
    }
    if rule.kind == FieldType::Division {
        data.codes = vec![None; rows];
    }
    for row in 0..rows {
        if matches!(view.roles[row], Role::Blank | Role::Aside) {
            continue;
        }
        let raw = view.raw(row, column);
        if raw.is_null() {
            continue;
        }
        if numeric
            && rule.kind != FieldType::Date
            && let Value::Integer(_) | Value::Real(_) = raw
        {
            data.numbers[row] = raw.as_f64().unwrap_or(f64::NAN) * scale;
            data.states[row] = State::Good;
            continue;
        }
        let old = raw.to_string();
        let (text, found) = cell::clean(&old, rule);
        for slip in found {
            slips.push((row, f, slip, old.clone(), text.clone()));
        }
        if text.is_empty() || cell::is_placeholder(&text, view.common) {
            continue;
        }
        let good = match rule.kind {
            FieldType::Date => {
                let parts = cell::date_parts(&text).and_then(|(y, m, d)| cell::days(y, m, d));
                data.numbers[row] = parts.unwrap_or(f64::NAN);
                parts.is_some()
            }
            _ if numeric => {
                let number = cell::parse(&text);
                data.numbers[row] = number.map_or(f64::NAN, |v| v * scale);
                number.is_some()
            }
            FieldType::Division => {
                let code = DivisionCode::parse(&Value::Text(text.clone()))
                    .ok()
                    .map(|c| c.0);
                let good = code.is_some();
                data.codes[row] = code;
                data.texts[row] = text;
                good
            }
            _ => {
                data.texts[row] = text;
                true
            }
        };
        data.states[row] = if good { State::Good } else { State::Bad };
    }
    data
}

fn tell_slip(
    view: &View<'_>,
    sink: &mut Sink<'_>,
    row: usize,
    field: usize,
    slip: Slip,
    old: String,
    new: String,
) {
    let what = match slip {
        Slip::Spaces => said!("stray spaces", "多余空格"),
        Slip::NonPrinting => said!("characters that do not print", "不可见字符"),
        Slip::FullWidth => said!("full-width digits or letters", "全角数字或字母"),
        Slip::Apostrophe => said!("an apostrophe before the digits", "数字前有撇号"),
        Slip::Thousands => said!("commas between thousands", "数字带千位分隔符"),
        Slip::UnitSuffix => said!("a unit behind the number", "数字后带单位"),
        Slip::FloatCode => said!("a code stored as a decimal number", "编码被存成小数"),
        Slip::DateForm => said!("a date in another form", "日期格式不统一"),
        Slip::Alias => said!("another name of the same choice", "代码表中的别名"),
        Slip::DegreeText => said!("degrees, minutes and seconds", "度分秒格式的坐标"),
    };
    let expected = said!("`{new}`", "“{new}”");
    let remedy = said!(
        "mended in the corrected table; correct the source",
        "修正表中已改；请同时更正原表"
    );
    let told = sink.builtin(view, slip.rule(), row, field, [what, expected, remedy]);
    let Some(finding) = told else { return };
    finding.fixed = true;
    let at = finding.at;
    // One cell is mended once, whatever the number of slips in it.
    if sink.fixes.last().is_none_or(|f| f.at != at) {
        let rule = slip.rule().to_owned();
        sink.fixes.push(Fix { rule, at, old, new });
    } else if let Some(last) = sink.fixes.last_mut() {
        last.rule = format!("{}, {}", last.rule, slip.rule());
    }
}

/// Blank cells that must be filled, cells that are not what their field holds, texts that were misread.
fn tell_cells(view: &View<'_>, sink: &mut Sink<'_>) {
    for (f, rule) in view.rules.field.iter().enumerate() {
        let Some(column) = view.fields[f].column else {
            continue;
        };
        let mut judged = 0;
        for row in view.records() {
            judged += 1;
            let raw = view.raw(row, column);
            match view.state(f, row) {
                State::Good if matches!(rule.kind, FieldType::Text) => {
                    if let Some(was) = anlan_engine::io::misread(&view.text(f, row)) {
                        let texts = [
                            said!("text in the wrong encoding", "乱码"),
                            said!("perhaps `{was}`", "可能是“{was}”"),
                            said!("type the text again from its source", "按原始资料重新录入"),
                        ];
                        sink.builtin(view, "misread", row, f, texts);
                    } else if view.text(f, row).contains('\u{FFFD}')
                        || view.text(f, row).contains("锟斤拷")
                    {
                        let texts = [
                            said!("text that was lost in a wrong encoding", "乱码，原文已丢失"),
                            said!("readable text", "可读的文字"),
                            said!("type the text again from its source", "按原始资料重新录入"),
                        ];
                        sink.builtin(view, "misread", row, f, texts);
                    }
                }
                State::Good => {}
                State::Blank => {
                    let text = raw.to_string();
                    let shown = text.trim();
                    if !shown.is_empty()
                        && cell::is_placeholder(shown, view.common)
                        && rule.kind != FieldType::Text
                    {
                        let texts = [
                            said!("`{shown}` in place of a value", "以“{shown}”代替数值"),
                            said!("a value, or a blank cell", "数值或空白"),
                            said!(
                                "fill in 0 where there is none, leave unknown values blank",
                                "没有的填0，不详的留空"
                            ),
                        ];
                        sink.builtin(view, "placeholder", row, f, texts);
                    } else if rule.presence == Presence::Required {
                        let name = (rule.field.as_str(), rule.label(true));
                        let texts = [
                            said!("no value", "未填"),
                            said!(
                                "a value of `{n}`",
                                "应填写“{n_zh}”",
                                n = name.0,
                                n_zh = name.1
                            ),
                            said!("fill the cell in", "补填该项"),
                        ];
                        sink.builtin(view, "required", row, f, texts);
                    }
                }
                State::Bad => tell_bad(view, sink, row, f, &raw.to_string()),
            }
        }
        sink.judge("type", judged);
    }
}

fn tell_bad(view: &View<'_>, sink: &mut Sink<'_>, row: usize, f: usize, text: &str) {
    let kind = view.rules.field[f].kind;
    let text = text.trim();
    if text.starts_with('#') && text.ends_with(['!', '?', 'A', 'L', '0']) {
        let texts = [
            said!("Excel's error {text}", "Excel错误值{text}"),
            said!("a value", "有效值"),
            said!("correct the formula", "更正公式"),
        ];
        sink.builtin(view, "excel-error", row, f, texts);
        return;
    }
    match kind {
        FieldType::Date if cell::date_parts(text).is_some() => {
            let texts = [
                said!("a day that no calendar has", "不存在的日期"),
                said!("a date that exists", "真实存在的日期"),
                said!("correct the date from its source", "按原始资料更正日期"),
            ];
            sink.builtin(view, "impossible-date", row, f, texts);
        }
        FieldType::Date => {
            let texts = [
                said!("text that is no date", "不是日期"),
                said!(
                    "a date, year first: 2020-05-01",
                    "年在前的日期，如2020-05-01"
                ),
                said!("write the date as year-month-day", "按“年-月-日”填写"),
            ];
            sink.builtin(view, "type", row, f, texts);
        }
        FieldType::Division => {
            let scientific = text.contains(['E', 'e']) && cell::parse(text).is_some();
            let (rule, found) = match scientific {
                true => (
                    "scientific-code",
                    said!(
                        "a code in scientific notation: digits are lost",
                        "编码被存成科学计数法，末位已丢失"
                    ),
                ),
                false => (
                    "division-code",
                    said!("no division code", "不是行政区划代码"),
                ),
            };
            let texts = [
                found,
                said!(
                    "a division code of 6, 9 or 12 digits",
                    "6、9或12位行政区划代码"
                ),
                said!(
                    "take the code from the list of divisions; store it as text",
                    "按区划代码表更正，并以文本格式保存"
                ),
            ];
            sink.builtin(view, rule, row, f, texts);
        }
        _ => {
            let unit = &view.rules.field[f].unit;
            let texts = [
                said!("text that is no number", "不是数字"),
                said!("a number {unit}", "数字（{unit}）"),
                said!("enter the figure alone", "只填数字"),
            ];
            sink.builtin(view, "type", row, f, texts);
        }
    }
}
