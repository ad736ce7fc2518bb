//! Text of unknown encoding: UTF-8 (with or without mark), UTF-16 with a mark, or GBK as Chinese office programs write
//! it, decoded as GB 18030, of which GBK is a subset. Strict: bytes that are neither are named, never replaced.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// A line that is in no encoding we know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Undecodable {
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// The first bytes that fail, as hexadecimal digits.
    pub(crate) bytes: String,
}

/// Decodes a whole text file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Undecodable> {
    for (mark, encoding) in [
        (&b"\xEF\xBB\xBF"[..], UTF_8),
        (&b"\xFF\xFE"[..], UTF_16LE),
        (&b"\xFE\xFF"[..], UTF_16BE),
    ] {
        if let Some(body) = bytes.strip_prefix(mark) {
            return strict(encoding, body).ok_or_else(|| first_bad_line(body, encoding));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    // A UTF-8 file with one damaged line often passes as GBK and would read as gibberish: the lines vote. A line of
    // Chinese in GBK is hardly ever valid UTF-8.
    let (mut utf8, mut other) = (0usize, 0usize);
    for line in bytes.split(|&b| b == b'\n').filter(|l| !l.is_ascii()) {
        if std::str::from_utf8(line).is_ok() {
            utf8 += 1;
        } else {
            other += 1;
        }
    }
    if utf8 > other {
        return Err(first_bad_line(bytes, UTF_8));
    }
    strict(GB18030, bytes).ok_or_else(|| first_bad_line(bytes, GB18030))
}

/// Decodes in one encoding, without replacement characters.
pub(crate) fn strict<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

/// The encoding that a `.cpg` file or a code-page name stands for.
#[cfg(feature = "vector")]
pub(crate) fn by_name(name: &str) -> Option<&'static Encoding> {
    let name = name
        .trim()
        .trim_start_matches('\u{feff}')
        .to_ascii_uppercase();
    match name.as_str() {
        "UTF-8" | "UTF8" | "65001" | "CP65001" => Some(UTF_8),
        "GBK" | "936" | "CP936" | "GB2312" | "GB18030" | "CP54936" | "54936" | "EUC-CN"
        | "ANSI 936" | "OEM 936" => Some(GB18030),
        other => Encoding::for_label(other.as_bytes()),
    }
}

fn first_bad_line(bytes: &[u8], encoding: &'static Encoding) -> Undecodable {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .take(4)
            .map(|b| format!("{b:02X}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (i, line) in bytes.split(|&b| b == b'\n').enumerate() {
        if encoding == UTF_8 {
            if let Err(e) = std::str::from_utf8(line) {
                return Undecodable {
                    line: i + 1,
                    bytes: hex(&line[e.valid_up_to()..]),
                };
            }
        } else if strict(encoding, line).is_none() {
            let start = line.iter().position(|b| !b.is_ascii()).unwrap_or(0);
            return Undecodable {
                line: i + 1,
                bytes: hex(&line[start..]),
            };
        }
    }
    Undecodable {
        line: 1,
        bytes: hex(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        let text = "区划代码,名称\n330106,西湖区\n";
        let gbk = encoding_rs::GBK.encode(text).0;
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
            gbk.to_vec(),
            [0xFF, 0xFE]
                .into_iter()
                .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
                .collect(),
        ] {
            assert_eq!(decode(&bytes).unwrap(), text);
        }
    }

    #[test]
    fn a_damaged_line_is_named_not_guessed() {
        let mut bytes = "名称\n西湖区\n".as_bytes().to_vec();
        // Half a character, which GB 18030 could read together with its neighbours.
        bytes.extend(&"余杭区".as_bytes()[..8]);
        bytes.extend(b"\n");
        bytes.extend("临安区\n".as_bytes());
        let bad = decode(&bytes).unwrap_err();
        assert_eq!(bad.line, 3);
        let bad = decode(b"a\nb\xFF\xFF\n").unwrap_err();
        assert_eq!((bad.line, bad.bytes.as_str()), (2, "FF FF"));
    }
}
