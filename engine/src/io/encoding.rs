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

/// How the text of a file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextEncoding {
    /// UTF-8 without a mark.
    Utf8,
    /// UTF-8 with a mark, as spreadsheets want it.
    #[default]
    Utf8Marked,
    /// UTF-16, little-endian, with a mark.
    Utf16Le,
    /// UTF-16, big-endian, with a mark.
    Utf16Be,
    /// GBK, as GB 18030.
    Gb18030,
}

impl TextEncoding {
    /// The name by which users know it.
    pub fn name(self) -> &'static str {
        match self {
            TextEncoding::Utf8 => "UTF-8",
            TextEncoding::Utf8Marked => "UTF-8 (BOM)",
            TextEncoding::Utf16Le | TextEncoding::Utf16Be => "UTF-16",
            TextEncoding::Gb18030 => "GBK",
        }
    }

    /// The bytes of a text, with the mark where there is one; nothing is lost, whatever the text.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            TextEncoding::Utf8 => text.as_bytes().to_vec(),
            TextEncoding::Utf8Marked => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
            TextEncoding::Utf16Le => [0xFF, 0xFE]
                .into_iter()
                .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
                .collect(),
            TextEncoding::Utf16Be => [0xFE, 0xFF]
                .into_iter()
                .chain(text.encode_utf16().flat_map(u16::to_be_bytes))
                .collect(),
            TextEncoding::Gb18030 => GB18030.encode(text).0.into_owned(),
        }
    }
}

/// Decodes a whole text file and tells what it was in.
pub(crate) fn decode_told(bytes: &[u8]) -> Result<(Cow<'_, str>, TextEncoding), Undecodable> {
    for (mark, encoding, told) in [
        (&b"\xEF\xBB\xBF"[..], UTF_8, TextEncoding::Utf8Marked),
        (&b"\xFF\xFE"[..], UTF_16LE, TextEncoding::Utf16Le),
        (&b"\xFE\xFF"[..], UTF_16BE, TextEncoding::Utf16Be),
    ] {
        if let Some(body) = bytes.strip_prefix(mark) {
            return strict(encoding, body)
                .map(|text| (text, told))
                .ok_or_else(|| first_bad_line(body, encoding));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((Cow::Borrowed(text), TextEncoding::Utf8));
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
    strict(GB18030, bytes)
        .map(|text| (text, TextEncoding::Gb18030))
        .ok_or_else(|| first_bad_line(bytes, GB18030))
}

/// What a text was before a program read its bytes in the wrong encoding (乱码), where that can be told: UTF-8 read as GBK
/// or as Latin-1, GBK read as Latin-1. `None` for text that reads as it stands.
///
/// A text is called misread only where its bytes are whole text of Chinese characters in the other encoding, which
/// Chinese in common characters never is: the lead bytes of UTF-8 hanzi stand in GBK for rare ones.
pub fn misread(text: &str) -> Option<String> {
    let hanzi = |text: &str| {
        let all = text.chars().count();
        let found = (text.chars())
            .filter(|c| ('\u{4E00}'..='\u{9FFF}').contains(c))
            .count();
        all > 0 && 2 * found >= all && found > 0
    };
    let whole = |text: &str| !text.chars().any(|c| c.is_control() || c == '\u{FFFD}');
    if text.is_ascii() {
        return None;
    }
    // The last byte may have been lost on the way, with the mark for it in its place. Programs show the byte 0x80, which
    // GBK does not have, as a euro sign.
    let head = text.strip_suffix(['\u{FFFD}', '?']).unwrap_or(text);
    let mut body = Vec::new();
    for (i, part) in head.split('€').enumerate() {
        if i > 0 {
            body.push(0x80);
        }
        body.extend_from_slice(&GB18030.encode(part).0);
    }
    // Three bytes of UTF-8 to two of GBK: two characters make three, fewer prove nothing.
    if body.len() >= 6 {
        let valid = match std::str::from_utf8(&body) {
            Ok(found) => Some(found),
            Err(e) if e.valid_up_to() + 2 >= body.len() => {
                std::str::from_utf8(&body[..e.valid_up_to()]).ok()
            }
            Err(_) => None,
        };
        if let Some(found) = valid.filter(|t| t.chars().count() >= 2 && hanzi(t) && whole(t)) {
            return Some(found.to_owned());
        }
    }
    let narrow: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c as u32).ok()).collect();
    let bytes = narrow?;
    let high = bytes.iter().filter(|b| !b.is_ascii()).count();
    if high < 4 || 2 * high < bytes.len() {
        return None;
    }
    if let Ok(found) = std::str::from_utf8(&bytes) {
        return Some(found.to_owned()).filter(|t| hanzi(t) && whole(t));
    }
    strict(GB18030, &bytes)
        .map(Cow::into_owned)
        .filter(|t| hanzi(t) && whole(t))
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

    fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Undecodable> {
        decode_told(bytes).map(|(text, _)| text)
    }

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

    #[test]
    fn misread_text_is_told_from_rare_characters() {
        for text in ["合成中心小学", "第一人民医院", "养老院"] {
            let utf8_as_gbk = GB18030.decode_without_bom_handling(text.as_bytes()).0;
            if strict(GB18030, text.as_bytes()).is_some() {
                assert_eq!(misread(&utf8_as_gbk).as_deref(), Some(text));
            }
            let latin = |bytes: &[u8]| bytes.iter().map(|b| *b as char).collect::<String>();
            assert_eq!(misread(&latin(text.as_bytes())).as_deref(), Some(text));
            assert_eq!(
                misread(&latin(&GB18030.encode(text).0)).as_deref(),
                Some(text)
            );
            assert_eq!(misread(text), None);
        }
        assert_eq!(misread("鍚堟垚灏忓").as_deref(), Some("合成小"));
        // Rare characters, accents and signs that are right as they stand.
        for text in [
            "瑷珲镇",
            "鍙鑫鋆小学",
            "Café Señor",
            "±0.5 °C",
            "№3",
            "（甲）区",
            "",
            "abc",
        ] {
            assert_eq!(misread(text), None, "{text}");
        }
    }

    #[test]
    fn text_comes_back_in_its_encoding() {
        let text = "区划代码,名称\n330106,西湖区𠮷\n";
        for encoding in [
            TextEncoding::Utf8,
            TextEncoding::Utf8Marked,
            TextEncoding::Utf16Le,
            TextEncoding::Utf16Be,
            TextEncoding::Gb18030,
        ] {
            let bytes = encoding.encode(text);
            let (back, told) = decode_told(&bytes).unwrap();
            assert_eq!((back.as_ref(), told), (text, encoding));
        }
    }
}
