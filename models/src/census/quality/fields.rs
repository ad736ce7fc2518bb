//! Checks of single cells by the type of their field: whole numbers, ranges, code lists, dates, numbers with check digits.

use super::cell;
use super::finding::{Said, said};
use super::numbers;
use super::rules::{Choice, FieldRule, FieldType};
use super::view::{Sink, State, View};

/// Last day of the census (普查标准时点), days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CensusDay {
    /// Days since 1970-01-01.
    pub day: f64,
    /// Its year.
    pub year: f64,
}

impl CensusDay {
    /// From year, month and day; `None` for a day that no calendar has.
    pub fn new(year: i64, month: u32, day: u32) -> Option<CensusDay> {
        Some(CensusDay {
            day: cell::days(year, month, day)?,
            year: year as f64,
        })
    }
}

/// Checks every cell that could be read.
pub fn check(view: &View<'_>, census: Option<CensusDay>, sink: &mut Sink<'_>) {
    for (f, rule) in view.rules.field.iter().enumerate() {
        if view.fields[f].column.is_none() {
            continue;
        }
        let rows: Vec<usize> = view
            .records()
            .filter(|&row| view.state(f, row) == State::Good)
            .collect();
        match rule.kind {
            FieldType::Count | FieldType::Real => {
                sink.judge("range", rows.len());
                for row in rows {
                    number(view, rule, f, row, sink);
                }
            }
            FieldType::Date | FieldType::Year => {
                sink.judge("future-date", rows.len());
                for row in rows {
                    date(view, rule, f, row, census, sink);
                }
            }
            FieldType::Choice => {
                sink.judge("unlisted", rows.len());
                for row in rows {
                    choice(view, rule, f, row, sink);
                }
            }
            FieldType::Identifier if !rule.lengths.is_empty() => {
                sink.judge("identifier", rows.len());
                for row in rows {
                    identifier(view, rule, f, row, sink);
                }
            }
            FieldType::Phone | FieldType::CitizenId | FieldType::CreditCode => {
                for row in rows {
                    checked_number(view, rule, f, row, sink);
                }
            }
            _ => {}
        }
    }
}

/// A number without needless decimals.
pub(super) fn short(v: f64) -> String {
    if v.fract() == 0.0 && v.abs() < 1e15 {
        return format!("{v:.0}");
    }
    let size = libm::floor(libm::log10(v.abs().max(1e-12)));
    let decimals = (5.0 - size).clamp(0.0, 8.0) as usize;
    let text = format!("{v:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn bounds(min: Option<f64>, max: Option<f64>, unit: &str) -> Said {
    match (min.map(short), max.map(short)) {
        (Some(a), Some(b)) => said!("{a} to {b} {unit}", "{a}至{b}{unit}"),
        (Some(a), None) => said!("{a} {unit} or more", "不小于{a}{unit}"),
        (None, Some(b)) => said!("{b} {unit} or less", "不大于{b}{unit}"),
        (None, None) => Said::default(),
    }
}

fn outside(v: f64, min: Option<f64>, max: Option<f64>) -> bool {
    min.is_some_and(|m| v < m) || max.is_some_and(|m| v > m)
}

fn number(view: &View<'_>, rule: &FieldRule, f: usize, row: usize, sink: &mut Sink<'_>) {
    let v = view.number(f, row);
    let min = match rule.kind {
        FieldType::Count => Some(rule.min.unwrap_or(0.0)),
        _ => rule.min,
    };
    let unit = rule.unit.as_str();
    if outside(v, min, rule.max) {
        let shown = short(v);
        let texts = [
            said!("{shown} {unit} is impossible", "{shown}{unit}超出可能范围"),
            bounds(min, rule.max, unit),
            said!(
                "check the unit and correct the figure",
                "核对单位并更正数值"
            ),
        ];
        sink.builtin(view, "range", row, f, texts);
    } else if rule.kind == FieldType::Count && v.fract() != 0.0 {
        let texts = [
            said!("a figure with decimals", "带小数"),
            said!("a whole number {unit}", "整数（{unit}）"),
            said!(
                "correct the figure; is the column in another unit?",
                "更正数值；该列是否用了别的单位"
            ),
        ];
        sink.builtin(view, "whole-number", row, f, texts);
    } else if outside(v, rule.likely_min, rule.likely_max) {
        let shown = short(v);
        let texts = [
            said!("{shown} {unit} is unusual", "{shown}{unit}少见"),
            bounds(rule.likely_min, rule.likely_max, unit),
            said!(
                "verify the figure; accept it where it is right",
                "核实；属实的列入核实名单"
            ),
        ];
        sink.builtin(view, "likely-range", row, f, texts);
    }
}

fn date(
    view: &View<'_>,
    rule: &FieldRule,
    f: usize,
    row: usize,
    census: Option<CensusDay>,
    sink: &mut Sink<'_>,
) {
    let v = view.number(f, row);
    let year = rule.kind == FieldType::Year;
    if year && v.fract() != 0.0 {
        let texts = [
            said!("a year with decimals", "年份带小数"),
            said!("a year", "年份"),
            said!("correct the year", "更正年份"),
        ];
        sink.builtin(view, "whole-number", row, f, texts);
        return;
    }
    let first = rule.earliest.as_deref().and_then(|text| match year {
        true => cell::parse(text),
        false => cell::date_parts(text).and_then(|(y, m, d)| cell::days(y, m, d)),
    });
    if let (Some(first), Some(text)) = (first, &rule.earliest)
        && v < first
    {
        let texts = [
            said!("too early to be right", "时间过早"),
            said!("{text} or later", "不早于{text}"),
            said!("check the digits of the year", "核对年份"),
        ];
        sink.builtin(view, "early-date", row, f, texts);
    }
    let Some(census) = census.filter(|_| !rule.may_be_future) else {
        return;
    };
    let last = if year { census.year } else { census.day };
    if v > last {
        let texts = [
            said!("after the census", "晚于普查时点"),
            said!("not after the day of the census", "不晚于普查标准时点"),
            said!("correct the date", "更正日期"),
        ];
        sink.builtin(view, "future-date", row, f, texts);
    }
}

/// The entry of a code list that a text names by Chinese or English name or code.
pub fn choice_of<'a>(choices: &'a [Choice], text: &str) -> Option<&'a Choice> {
    choices.iter().find(|c| {
        c.zh == text || (!c.code.is_empty() && c.code == text) || c.en.eq_ignore_ascii_case(text)
    })
}

fn choice(view: &View<'_>, rule: &FieldRule, f: usize, row: usize, sink: &mut Sink<'_>) {
    let text = view.text(f, row);
    if choice_of(&rule.choices, &text).is_some() {
        return;
    }
    let list = |name: fn(&Choice) -> &str, comma: &str| {
        let names: Vec<&str> = rule.choices.iter().map(name).collect();
        names.join(comma)
    };
    let (en, zh) = (list(|c| &c.en, ", "), list(|c| &c.zh, "、"));
    let texts = [
        said!("not in the code list", "不在代码表中"),
        said!("one of {en}", "{zh}之一", en = en, zh = zh),
        said!("choose an entry of the list", "改为代码表中的值"),
    ];
    sink.builtin(view, "unlisted", row, f, texts);
}

fn identifier(view: &View<'_>, rule: &FieldRule, f: usize, row: usize, sink: &mut Sink<'_>) {
    let text = view.text(f, row);
    let length = text.chars().count();
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if plain && rule.lengths.contains(&length) {
        return;
    }
    let lengths: Vec<String> = rule.lengths.iter().map(usize::to_string).collect();
    let (en, zh) = (lengths.join(" or "), lengths.join("或"));
    let texts = [
        said!("a code of {length} characters", "编码为{length}位"),
        said!(
            "{en} letters or digits",
            "{zh}位字母或数字",
            en = en,
            zh = zh
        ),
        said!("correct the code from its register", "按编码台账更正"),
    ];
    sink.builtin(view, "identifier", row, f, texts);
}

fn checked_number(view: &View<'_>, rule: &FieldRule, f: usize, row: usize, sink: &mut Sink<'_>) {
    let text = view.text(f, row);
    let (id, good, expected) = match rule.kind {
        FieldType::Phone => (
            "phone",
            numbers::phone(&text),
            said!(
                "a mobile of 11 digits, or a landline with area code",
                "11位手机号，或带区号的固定电话"
            ),
        ),
        FieldType::CitizenId => (
            "citizen-id",
            numbers::citizen_id(&text),
            said!(
                "18 characters with a right birthday and check digit",
                "18位，出生日期和校验位正确"
            ),
        ),
        _ => (
            "credit-code",
            numbers::credit_code(&text),
            said!(
                "18 characters with a right check character",
                "18位，校验位正确"
            ),
        ),
    };
    sink.judge(id, 1);
    if good {
        return;
    }
    let texts = [
        said!("digits that cannot be right", "号码有误"),
        expected,
        said!(
            "correct the number from its document",
            "按证件或登记资料更正"
        ),
    ];
    sink.builtin(view, id, row, f, texts);
}
