//! Times in files: the one that written files carry, and calendar dates of counted days and seconds.

/// Seconds since 1970 that files carry as their time: `SOURCE_DATE_EPOCH`, by default 2026-01-01.
pub fn source_date_epoch() -> i64 {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_767_225_600)
}

/// `2026-01-01` from days since 1970, in the Gregorian calendar (days to civil date after Hinnant's algorithm).
#[cfg(any(feature = "vector", feature = "table"))]
pub(crate) fn iso_date(days: i64) -> String {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-01-01T00:00:00.000` from units since 1970, `per_second` of them a second (a power of ten).
#[cfg(any(feature = "vector", feature = "table"))]
pub(crate) fn iso_time(units: i64, per_second: i64) -> String {
    let seconds = units.div_euclid(per_second);
    let date = iso_date(seconds.div_euclid(86_400));
    let digits = per_second.ilog10() as usize;
    format!(
        "{date}T{}.{:0digits$}",
        iso_clock(seconds.rem_euclid(86_400)),
        units.rem_euclid(per_second)
    )
}

/// `23:59:59` from seconds since midnight.
#[cfg(any(feature = "vector", feature = "table"))]
pub(crate) fn iso_clock(seconds: i64) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
#[cfg(any(feature = "vector", feature = "table"))]
mod tests {
    use super::*;

    #[test]
    fn times_are_civil() {
        assert_eq!(iso_time(1_767_225_600_000, 1000), "2026-01-01T00:00:00.000");
        // `date -u -d @951782400`
        assert_eq!(iso_date(951_782_400 / 86_400), "2000-02-29");
        assert_eq!(iso_time(-1, 1_000_000), "1969-12-31T23:59:59.999999");
        // No count of units leaves the calendar.
        for extreme in [i64::MIN, i64::MAX] {
            assert!(iso_time(extreme, 1000).contains('T'));
        }
    }
}
