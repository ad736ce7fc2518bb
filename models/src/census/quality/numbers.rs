//! Numbers with a check digit, and telephone numbers.

/// Is this a citizen's number (GB 11643-1999): 17 digits and the check character of ISO 7064 MOD 11-2, with a birthday?
pub fn citizen_id(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let bytes = text.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(6..10), number(10..12), number(12..14));
    let sum: u32 = (bytes[..17].iter().zip(WEIGHTS))
        .map(|(b, w)| u32::from(b - b'0') * w)
        .sum();
    let check = b"10X98765432"[sum as usize % 11];
    year >= 1850
        && super::cell::days(i64::from(year), month, day).is_some()
        && bytes[17].eq_ignore_ascii_case(&check)
}

/// Is this a unified social credit code (GB 32100-2015): 18 characters of 31, the last a check by weights 3^i modulo 31?
pub fn credit_code(text: &str) -> bool {
    const CHARACTERS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let values: Option<Vec<usize>> = text
        .bytes()
        .map(|b| CHARACTERS.iter().position(|c| *c == b))
        .collect();
    let Some(values) = values.filter(|v| v.len() == 18) else {
        return false;
    };
    let mut weight = 1;
    let mut sum = 0;
    for value in &values[..17] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    values[17] == (31 - sum % 31) % 31
}

/// The credit code with these first 17 characters; `None` where one of them is not allowed.
pub fn with_check(head: &str) -> Option<String> {
    (b"0123456789ABCDEFGHJKLMNPQRTUWXY".iter())
        .map(|c| format!("{head}{}", *c as char))
        .find(|code| credit_code(code))
}

/// Is this a telephone number: a mobile of 11 digits, a landline of 7 or 8 with or without area code and extension, a
/// service number (400, 800), or an emergency number of three digits?
pub fn phone(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let text = text
        .strip_prefix("+86")
        .unwrap_or(text)
        .trim_start_matches('-');
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, '(' | ')' | ' '))
        .collect();
    let parts: Vec<&str> = plain.split('-').collect();
    if !parts.iter().all(|p| digits(p)) {
        return false;
    }
    let landline = |s: &str| (7..=8).contains(&s.len()) && !s.starts_with(['0', '1']);
    let area = |s: &str| {
        s.starts_with('0')
            && ((s.starts_with("01") || s.starts_with("02")) && s.len() == 3 || s.len() == 4)
    };
    let together = |s: &str| {
        [3, 4]
            .iter()
            .any(|n| s.len() > *n && area(&s[..*n]) && landline(&s[*n..]))
    };
    match parts[..] {
        [one] => {
            let mobile = one.len() == 11
                && one.starts_with('1')
                && (b'3'..=b'9').contains(&one.as_bytes()[1]);
            let service = one.len() == 10 && (one.starts_with("400") || one.starts_with("800"));
            let emergency = one.len() == 3 && one.starts_with('1');
            mobile || service || emergency || landline(one) || together(one)
        }
        [a, b] => {
            (area(a) && landline(b))
                || (landline(a) && b.len() <= 5)
                || (together(a) && b.len() <= 5)
        }
        [a, b, c] => {
            (area(a) && landline(b) && c.len() <= 5)
                || ((a == "400" || a == "800") && b.len() + c.len() == 7)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits() {
        // The examples of GB 11643 (from memory).
        assert!(citizen_id("11010519491231002X"));
        assert!(citizen_id("440524188001010014"));
        for bad in [
            "110105194912310021",
            "11010519491331002X",
            "1101051949123100",
            "A1010519491231002X",
        ] {
            assert!(!citizen_id(bad), "{bad}");
        }
        // The example that goes with GB 32100 (from memory).
        assert!(credit_code("91350100M000100Y43"));
        for bad in [
            "91350100M000100Y44",
            "91350100M000100Y4",
            "91350100I000100Y43",
        ] {
            assert!(!credit_code(bad), "{bad}");
        }
        assert_eq!(
            with_check("91350100M000100Y4").as_deref(),
            Some("91350100M000100Y43")
        );
        assert_eq!(with_check("O"), None);
    }

    #[test]
    fn telephone_numbers() {
        for good in [
            "13800138000",
            "0571-87654321",
            "(0571)87654321",
            "057187654321",
            "010-12345678".replace("-1", "-6").as_str(),
            "87654321",
            "0579-8765432-12",
            "400-820-8820",
            "4008208820",
            "+86-13800138000",
            "119",
        ] {
            assert!(phone(good), "{good}");
        }
        for bad in [
            "1380013800",
            "12800138000",
            "0571-0765432",
            "571-87654321",
            "无",
            "8765432a",
            "00571-87654321",
        ] {
            assert!(!phone(bad), "{bad}");
        }
    }
}
