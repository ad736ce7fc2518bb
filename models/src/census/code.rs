//! Division codes (行政区划代码, GB/T 2260 and GB/T 10114): 6 digits to the county, 9 to the township, 12 to the village.

use anlan_engine::io::Value;
use std::fmt;

/// A division code of 6, 9 or 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DivisionCode(String);

/// Level of an administrative unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Province (省).
    Province,
    /// Prefecture (地级市).
    Prefecture,
    /// County (县区).
    County,
    /// Township (乡镇、街道).
    Township,
    /// Village (村、社区).
    Village,
}

impl DivisionCode {
    /// Reads a code as it stands in a cell: text, an integer, or the float that a spreadsheet made of it. Trailing
    /// zeros that only pad a code to 9 or 12 digits are dropped; the second value tells whether anything was changed.
    ///
    /// # Errors
    /// What was expected instead, for a fault that names the cell.
    pub fn parse(value: &Value) -> Result<(DivisionCode, bool), &'static str> {
        const EXPECTED: &str = "a division code of 6, 9 or 12 digits";
        let (digits, mut changed) = match value {
            Value::Text(text) => {
                let trimmed = text.trim();
                let plain = trimmed.strip_suffix(".0").unwrap_or(trimmed);
                (plain.to_string(), plain != text)
            }
            Value::Integer(i) => (i.to_string(), false),
            Value::Real(r) if *r >= 0.0 && *r < 1e15 && r.fract() == 0.0 => {
                (format!("{}", *r as u64), true)
            }
            _ => return Err(EXPECTED),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) || digits.starts_with('0') {
            return Err(EXPECTED);
        }
        let mut code = digits.as_str();
        match code.len() {
            6 | 9 | 12 => {}
            _ => return Err(EXPECTED),
        }
        while code.len() > 6 && code.ends_with("000") {
            code = &code[..code.len() - 3];
            changed = true;
        }
        Ok((DivisionCode(code.to_string()), changed))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Level of the unit.
    pub fn level(&self) -> Level {
        match self.0.len() {
            12 => Level::Village,
            9 => Level::Township,
            _ if self.0.ends_with("0000") => Level::Province,
            _ if self.0.ends_with("00") => Level::Prefecture,
            _ => Level::County,
        }
    }

    /// The unit above; `None` for a province.
    pub fn parent(&self) -> Option<DivisionCode> {
        let digits = match self.level() {
            Level::Province => return None,
            Level::Prefecture => format!("{}0000", &self.0[..2]),
            Level::County => format!("{}00", &self.0[..4]),
            Level::Township => self.0[..6].to_string(),
            Level::Village => self.0[..9].to_string(),
        };
        Some(DivisionCode(digits))
    }
}

impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(v: Value) -> Result<(String, bool), &'static str> {
        DivisionCode::parse(&v).map(|(c, changed)| (c.0, changed))
    }

    #[test]
    fn codes_are_normalised_and_the_change_is_told() {
        assert_eq!(parse(Value::Integer(330_702)), Ok(("330702".into(), false)));
        assert_eq!(parse(Value::Real(330_702.0)), Ok(("330702".into(), true)));
        assert_eq!(
            parse(Value::Text("330702.0".into())),
            Ok(("330702".into(), true))
        );
        assert_eq!(
            parse(Value::Text("330702000000".into())),
            Ok(("330702".into(), true))
        );
        assert_eq!(
            parse(Value::Text("330702001".into())),
            Ok(("330702001".into(), false))
        );
        assert_eq!(
            parse(Value::Text("330702001003".into())),
            Ok(("330702001003".into(), false))
        );
    }

    #[test]
    fn other_lengths_and_signs_are_refused() {
        for bad in ["33070200100", "3307", "33O702", "", "-330702", "0330702"] {
            assert!(parse(Value::Text(bad.into())).is_err(), "{bad}");
        }
        assert!(parse(Value::Real(330_702.5)).is_err());
        assert!(parse(Value::Null).is_err());
    }

    #[test]
    fn levels_and_parents() {
        let code = |s: &str| DivisionCode::parse(&Value::Text(s.into())).unwrap().0;
        assert_eq!(code("330000").level(), Level::Province);
        assert_eq!(code("330700").parent().unwrap().as_str(), "330000");
        assert_eq!(code("330702").parent().unwrap().as_str(), "330700");
        assert_eq!(code("330702001").parent().unwrap().as_str(), "330702");
        assert_eq!(code("330000").parent(), None);
    }
}
