//! One cell: what certain fixes make of it, and what it then says as a number, a date, a degree or a code.

use super::rules::{Common, FieldRule, FieldType};

/// What was mended in a cell, or is wrong with its text: ids of built-in rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slip {
    /// Spaces at the ends, or within a number or code.
    Spaces,
    /// Characters that do not print.
    NonPrinting,
    /// Full-width digits and letters.
    FullWidth,
    /// An apostrophe before digits.
    Apostrophe,
    /// Commas between thousands.
    Thousands,
    /// The field's own unit behind a number.
    UnitSuffix,
    /// A code stored as a number with decimals.
    FloatCode,
    /// A date in another form.
    DateForm,
    /// Another name of a choice.
    Alias,
    /// Degrees, minutes and seconds.
    DegreeText,
}

impl Slip {
    /// Id of the rule.
    pub fn rule(self) -> &'static str {
        match self {
            Slip::Spaces => "spaces",
            Slip::NonPrinting => "non-printing",
            Slip::FullWidth => "full-width",
            Slip::Apostrophe => "apostrophe",
            Slip::Thousands => "thousands-separator",
            Slip::UnitSuffix => "number-with-unit",
            Slip::FloatCode => "float-code",
            Slip::DateForm => "date-form",
            Slip::Alias => "alias",
            Slip::DegreeText => "degree-text",
        }
    }
}

/// The text of a cell after all certain fixes, and which were made, in order.
pub fn clean(text: &str, field: &FieldRule) -> (String, Vec<Slip>) {
    let mut slips = Vec::new();
    let plain = text.bytes().all(|b| (0x21..0x7F).contains(&b));
    let mut out = text.to_owned();
    if !plain {
        out = tidy(&out, field.kind, &mut slips);
    }
    match field.kind {
        FieldType::Count | FieldType::Real | FieldType::Year => number(&mut out, field, &mut slips),
        FieldType::Division | FieldType::Identifier => code(&mut out, field.kind, &mut slips),
        FieldType::Phone | FieldType::CitizenId | FieldType::CreditCode => {
            code(&mut out, field.kind, &mut slips)
        }
        FieldType::Date => {
            if let Some(iso) = iso_date(&out).filter(|iso| *iso != out) {
                out = iso;
                slips.push(Slip::DateForm);
            }
        }
        FieldType::Lon | FieldType::Lat => {
            if let Some(degrees) = degrees(&out) {
                out = degrees;
                slips.push(Slip::DegreeText);
            }
        }
        FieldType::Choice => {
            let other = field.choices.iter().find(|c| c.also.contains(&out));
            if let Some(choice) = other {
                out.clone_from(&choice.zh);
                slips.push(Slip::Alias);
            }
        }
        FieldType::Text => {}
    }
    (out, slips)
}

/// Spaces, full-width digits, characters that do not print.
fn tidy(text: &str, kind: FieldType, slips: &mut Vec<Slip>) -> String {
    let mut slip = |s: Slip| {
        if !slips.contains(&s) {
            slips.push(s);
        }
    };
    let words = matches!(kind, FieldType::Text | FieldType::Choice);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'
            | '\u{FEFF}'
            | '\u{AD}' => slip(Slip::NonPrinting),
            // Breaks and tabs between words are spaces; at the ends and in numbers they go below.
            '\t' | '\n' | '\r' => {
                slip(Slip::NonPrinting);
                out.push(' ');
            }
            c if c.is_control() => slip(Slip::NonPrinting),
            '\u{3000}' | '\u{A0}' => out.push(' '),
            '\u{FF10}'..='\u{FF19}' | '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}' => {
                slip(Slip::FullWidth);
                out.push(half_width(c));
            }
            // Brackets and commas of full width belong to Chinese text, not to numbers.
            '\u{FF01}'..='\u{FF5E}' if !words => {
                slip(Slip::FullWidth);
                out.push(half_width(c));
            }
            c => out.push(c),
        }
    }
    let trimmed = match words {
        true => out.trim().to_owned(),
        false => out.split_whitespace().collect::<Vec<_>>().join(match kind {
            // A date may have a time behind a space, a number of degrees its parts.
            FieldType::Date | FieldType::Lon | FieldType::Lat => " ",
            _ => "",
        }),
    };
    if trimmed != out {
        slip(Slip::Spaces);
    }
    trimmed
}

fn half_width(c: char) -> char {
    char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)
}

fn number(out: &mut String, field: &FieldRule, slips: &mut Vec<Slip>) {
    if out.bytes().all(|b| b.is_ascii_digit()) {
        return;
    }
    if let Some(rest) = out.strip_prefix('\'').filter(|r| parse(r).is_some()) {
        *out = rest.to_owned();
        slips.push(Slip::Apostrophe);
    }
    if !field.unit.is_empty()
        && let Some(rest) = out.strip_suffix(field.unit.as_str())
        && parse(&rest.replace(',', "")).is_some()
    {
        *out = rest.to_owned();
        slips.push(Slip::UnitSuffix);
    }
    if out.contains(',') && grouped(out) {
        *out = out.replace(',', "");
        slips.push(Slip::Thousands);
    }
}

/// Digits in groups of three with commas between, the first of one to three.
fn grouped(text: &str) -> bool {
    let body = text.strip_prefix('-').unwrap_or(text);
    let whole = body.split_once('.').map_or(body, |(w, _)| w);
    let decimals = body.split_once('.').map_or("", |(_, d)| d);
    let mut groups = whole.split(',');
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or("");
    (1..=3).contains(&first.len())
        && digits(first)
        && digits(decimals)
        && whole.contains(',')
        && groups.all(|g| g.len() == 3 && digits(g))
}

fn code(out: &mut String, kind: FieldType, slips: &mut Vec<Slip>) {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = out.strip_prefix('\'').filter(|r| digits(r)) {
        *out = rest.to_owned();
        slips.push(Slip::Apostrophe);
    }
    if let Some((whole, decimals)) = out.split_once('.')
        && digits(whole)
        && !decimals.is_empty()
        && decimals.bytes().all(|b| b == b'0')
    {
        *out = whole.to_owned();
        slips.push(Slip::FloatCode);
    }
    if kind == FieldType::CitizenId && out.ends_with('x') {
        out.make_ascii_uppercase();
    }
}

/// The number of a text: digits with a sign, a point and an exponent, nothing else.
pub fn parse(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.parse().ok().filter(|v: &f64| v.is_finite())
}

/// Days since 1970-01-01 of a civil date (proleptic Gregorian); `None` for a day that no calendar has.
pub fn days(year: i64, month: u32, day: u32) -> Option<f64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Howard Hinnant's days_from_civil: years from March, eras of 400 years.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some((era * 146_097 + of_era - 719_468) as f64)
}

/// Year, month and day of a text in any form whose order is certain: 2020-5-1, 2020/5/1, 2020.5.1, 2020年5月1日, 20200501,
/// with or without a time. `None` for other texts; the day may still be one that no calendar has.
pub fn date_parts(text: &str) -> Option<(i64, u32, u32)> {
    let day = text.split([' ', 'T']).next().unwrap_or("");
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if day.len() == 8 && digits(day) {
        return Some((
            day[..4].parse().ok()?,
            day[4..6].parse().ok()?,
            day[6..].parse().ok()?,
        ));
    }
    let chinese = day.contains('年');
    let tail = if chinese {
        day.strip_suffix('日')?
    } else {
        day
    };
    let separators: &[char] = match chinese {
        true => &['年', '月'],
        false => &['-', '/', '.'],
    };
    let parts: Vec<&str> = tail.split(separators).collect();
    let [y, m, d] = parts[..] else { return None };
    if y.len() != 4 || m.len() > 2 || d.len() > 2 || ![y, m, d].into_iter().all(digits) {
        return None;
    }
    Some((y.parse().ok()?, m.parse().ok()?, d.parse().ok()?))
}

/// The ISO form of a date that exists.
fn iso_date(text: &str) -> Option<String> {
    let (y, m, d) = date_parts(text)?;
    days(y, m, d)?;
    Some(format!("{y:04}-{m:02}-{d:02}"))
}

/// Decimal degrees of `101°38′12.5″E` and the like, 7 decimals; `None` for other texts.
fn degrees(text: &str) -> Option<String> {
    let text = text.trim();
    let body = text
        .strip_prefix(['E', 'N', '东', '北'])
        .map(|t| t.trim_start_matches(['经', '纬']))
        .unwrap_or(text)
        .trim_end_matches(['E', 'N']);
    let at = body.find(['°', '度'])?;
    let degree = body[..at].trim();
    let rest = body[at..].trim_start_matches(['°', '度']).trim();
    let (minute, rest) = match rest.find(['′', '\'', '’', '分']) {
        Some(i) => (
            rest[..i].trim(),
            rest[i..].trim_start_matches(['′', '\'', '’', '分']).trim(),
        ),
        None if rest.is_empty() => ("0", ""),
        None => return None,
    };
    let second = rest
        .trim_end_matches(['″', '"', '”', '秒', '\'', '′'])
        .trim();
    let second = if second.is_empty() { "0" } else { second };
    let (d, m, s) = (parse(degree)?, parse(minute)?, parse(second)?);
    ((0.0..60.0).contains(&m) && (0.0..60.0).contains(&s) && d >= 0.0)
        .then(|| format!("{:.7}", d + m / 60.0 + s / 3600.0))
}

/// Degrees of a number that reads ddd.mmss: the minutes and seconds packed behind the point; `None` where they cannot be.
pub fn packed_degrees(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.')?;
    if decimals.len() < 4 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let minutes: f64 = decimals[..2].parse().ok()?;
    let seconds: f64 = format!("{}.{}", &decimals[2..4], &decimals[4..])
        .trim_end_matches('.')
        .parse()
        .ok()?;
    (minutes < 60.0 && seconds < 60.0)
        .then_some(whole.parse::<f64>().ok()? + minutes / 60.0 + seconds / 3600.0)
}

/// Is a text one of those that stand for no value?
pub fn is_placeholder(text: &str, common: &Common) -> bool {
    common.placeholders.iter().any(|p| p == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldType) -> FieldRule {
        FieldRule {
            kind,
            unit: "人".into(),
            choices: vec![super::super::rules::Choice {
                code: "1".into(),
                zh: "钢筋混凝土结构".into(),
                en: String::new(),
                also: vec!["钢混".into()],
            }],
            ..FieldRule::default()
        }
    }

    fn cleaned(text: &str, kind: FieldType) -> (String, Vec<Slip>) {
        clean(text, &field(kind))
    }

    #[test]
    fn only_what_is_certain_is_mended() {
        for (text, kind, want, slips) in [
            (" 甲乡 ", FieldType::Text, "甲乡", vec![Slip::Spaces]),
            (
                "第３小学（东）",
                FieldType::Text,
                "第3小学（东）",
                vec![Slip::FullWidth],
            ),
            (
                "甲\u{200B}乡",
                FieldType::Text,
                "甲乡",
                vec![Slip::NonPrinting],
            ),
            ("１２３", FieldType::Count, "123", vec![Slip::FullWidth]),
            ("1 234", FieldType::Count, "1234", vec![Slip::Spaces]),
            (
                "1,234,567",
                FieldType::Count,
                "1234567",
                vec![Slip::Thousands],
            ),
            (
                "1，234",
                FieldType::Count,
                "1234",
                vec![Slip::FullWidth, Slip::Thousands],
            ),
            ("120人", FieldType::Count, "120", vec![Slip::UnitSuffix]),
            (
                "330702.0",
                FieldType::Division,
                "330702",
                vec![Slip::FloatCode],
            ),
            (
                "'330702",
                FieldType::Division,
                "330702",
                vec![Slip::Apostrophe],
            ),
            (
                "2020年5月1日",
                FieldType::Date,
                "2020-05-01",
                vec![Slip::DateForm],
            ),
            (
                "2020/5/1",
                FieldType::Date,
                "2020-05-01",
                vec![Slip::DateForm],
            ),
            (
                "20200229",
                FieldType::Date,
                "2020-02-29",
                vec![Slip::DateForm],
            ),
            (
                "钢混",
                FieldType::Choice,
                "钢筋混凝土结构",
                vec![Slip::Alias],
            ),
            (
                "101°38′12″",
                FieldType::Lon,
                "101.6366667",
                vec![Slip::DegreeText],
            ),
            (
                "101度30分E",
                FieldType::Lon,
                "101.5000000",
                vec![Slip::DegreeText],
            ),
        ] {
            assert_eq!(cleaned(text, kind), (want.to_string(), slips), "{text}");
        }
        // Left as they are: for a person to see.
        for (text, kind) in [
            ("12,34", FieldType::Count),
            ("约200", FieldType::Count),
            ("120户", FieldType::Count),
            ("2021-02-29", FieldType::Date),
            ("5/1/2020", FieldType::Date),
            ("2020-05-01", FieldType::Date),
            ("3.30702E+05", FieldType::Division),
            ("330702.5", FieldType::Division),
            ("砖", FieldType::Choice),
            ("甲（乙）", FieldType::Text),
            ("101.5", FieldType::Lon),
        ] {
            assert_eq!(
                cleaned(text, kind),
                (text.to_string(), Vec::new()),
                "{text}"
            );
        }
    }

    #[test]
    fn days_count_from_1970() {
        assert_eq!(days(1970, 1, 1), Some(0.0));
        assert_eq!(days(2000, 3, 1), Some(11_017.0));
        assert_eq!(days(1969, 12, 31), Some(-1.0));
        assert_eq!(days(2020, 2, 29), Some(18_321.0));
        assert_eq!((days(2021, 2, 29), days(1900, 2, 29)), (None, None));
        assert_eq!((days(2020, 13, 1), days(2020, 4, 31)), (None, None));
    }

    #[test]
    fn packed_degrees_are_unpacked() {
        let near = |text: &str, want: f64| (packed_degrees(text).unwrap() - want).abs() < 1e-9;
        assert!(near("101.3812", 101.0 + 38.0 / 60.0 + 12.0 / 3600.0));
        assert!(near("101.381250", 101.0 + 38.0 / 60.0 + 12.5 / 3600.0));
        assert_eq!(packed_degrees("101.6512"), None);
        assert_eq!(packed_degrees("101.38"), None);
    }

    #[test]
    fn numbers_are_only_numbers() {
        assert_eq!(parse("-1.5e3"), Some(-1500.0));
        for text in ["NaN", "inf", "", "1,2", "１", "1 2", "+-1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
