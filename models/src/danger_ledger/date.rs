//! Dates of the Gregorian calendar as the ledger writes them: `2026-03-15`. Days to civil date and back after Hinnant's
//! algorithms.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(i32);

impl Date {
    /// The date of a year, month and day; `None` where the calendar has no such day, or outside the years 1900..=2999.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Date> {
        if !(1900..=2999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        let (y, m) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let era = y.div_euclid(400);
        let of_era = y.rem_euclid(400);
        let of_year = (153 * m as i32 + 2) / 5 + day as i32 - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        let date = Date(days);
        (date.parts() == (year, month, day)).then_some(date)
    }

    /// From `2026-03-15`, `2026/3/15`, `2026.3.15` or `2026年3月15日`; the time of a spreadsheet's date is ignored.
    pub fn parse(text: &str) -> Option<Date> {
        let text = text.trim().split('T').next()?.trim_end_matches('日');
        let mut parts = text.split(['-', '/', '.', '年', '月']);
        let mut next = |digits: usize| {
            let part = parts.next()?.trim();
            let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            (plain && part.len() <= digits).then(|| part.parse::<u32>().ok())?
        };
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        if parts.next().is_some() {
            return None;
        }
        Date::new(year as i32, month, day)
    }

    /// Year, month, day.
    pub fn parts(self) -> (i32, u32, u32) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z.rem_euclid(146_097);
        let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * years + years / 4 - years / 100);
        let m = (5 * of_year + 2) / 153;
        let day = of_year - (153 * m + 2) / 5 + 1;
        let month = if m < 10 { m + 3 } else { m - 9 };
        (
            years + era * 400 + i32::from(month <= 2),
            month as u32,
            day as u32,
        )
    }

    /// Days from this date to another; negative where the other is earlier.
    pub fn days_to(self, other: Date) -> i64 {
        i64::from(other.0) - i64::from(self.0)
    }

    /// So many days later.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Date {
        Date(self.0.saturating_add_unsigned(days))
    }

    /// So many months later or earlier; the last day of the month where it is shorter.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Date {
        let (year, month, day) = self.parts();
        let count = year * 12 + month as i32 - 1 + months;
        let (year, month) = (count.div_euclid(12), count.rem_euclid(12) as u32 + 1);
        (0..4)
            .find_map(|less| Date::new(year, month, day.saturating_sub(less).max(1)))
            .unwrap_or(self)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl From<Date> for String {
    fn from(date: Date) -> String {
        date.to_string()
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Date, String> {
        Date::parse(&text).ok_or_else(|| format!("`{text}` is no date such as 2026-03-15"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        let day = Date::new(2026, 3, 5).unwrap();
        for text in [
            "2026-03-05",
            "2026/3/5",
            "2026.3.5",
            "2026年3月5日",
            " 2026-03-05T08:00:00",
        ] {
            assert_eq!(Date::parse(text), Some(day), "{text}");
        }
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "26-3-5",
            "2026-3",
            "2026-3-5-1",
            "明天",
            "1-1-2026",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert_eq!(day.to_string(), "2026-03-05");
        assert_eq!(Date::parse("1970-01-01").unwrap().0, 0);
    }

    #[test]
    fn days_and_months() {
        let d = |t| Date::parse(t).unwrap();
        assert_eq!(d("2024-02-28").days_to(d("2024-03-01")), 2);
        assert_eq!(d("2023-12-31").plus_days(60), d("2024-02-29"));
        assert_eq!(d("2026-01-31").plus_months(1), d("2026-02-28"));
        assert_eq!(d("2026-01-15").plus_months(-2), d("2025-11-15"));
        // Every day of four centuries comes back.
        let (mut day, end) = (d("1900-01-01"), d("2300-01-01"));
        while day < end {
            let (y, m, dd) = day.parts();
            assert_eq!(Date::new(y, m, dd), Some(day));
            day = day.plus_days(1);
        }
    }
}
