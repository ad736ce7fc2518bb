//! Line breaking: between hanzi and at spaces, with the rules of Chinese composition (禁则, GB/T 15834-2011 section 5.1.9;
//! W3C "Requirements for Chinese Text Layout", sections 3.1.3 and 3.1.4): closing signs never begin a line, opening signs
//! never end one, dashes and ellipses of two parts stay whole, and so do numbers and Latin words.

use crate::cartography::Fonts;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Signs that never begin a line.
const NOT_FIRST: &str = "，。；：、！？）》〉」』】〕’”…—·．％‰℃′″%°,.;:!?)]}²³㎡";
/// Signs that never end a line.
const NOT_LAST: &str = "（《〈「『【〔‘“([{￥±≥≤~";
/// Signs that stay with the number before them.
const OF_A_NUMBER: &str = "万亿元年月日时人户间次个种类级倍米";

/// Width of texts with the fonts of a report; each character is measured once.
#[derive(Debug)]
pub struct Measure<'a> {
    fonts: &'a Fonts,
    /// Advance of a character at size 1.
    known: RefCell<BTreeMap<char, f32>>,
}

/// A line of a paragraph.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its text, without a space at the end.
    pub text: String,
    /// Its width, in the unit of the font size.
    pub width: f32,
    /// True for the last line of a paragraph.
    pub last: bool,
}

impl<'a> Measure<'a> {
    /// With these fonts.
    pub fn new(fonts: &'a Fonts) -> Self {
        Measure {
            fonts,
            known: RefCell::default(),
        }
    }

    /// The fonts.
    pub fn fonts(&self) -> &'a Fonts {
        self.fonts
    }

    fn advance(&self, c: char) -> f32 {
        *self.known.borrow_mut().entry(c).or_insert_with(|| {
            let mut buffer = [0; 4];
            self.fonts.width(c.encode_utf8(&mut buffer), 1000.0) / 1000.0
        })
    }

    /// Width of a text at a font size.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.advance(c)).sum::<f32>() * size
    }

    /// Width of the widest part of a text that cannot be broken.
    pub fn widest_part(&self, text: &str, size: f32) -> f32 {
        let parts = text.split('\n').flat_map(parts);
        parts.fold(0.0, |m, p| f32::max(m, self.width(p.trim_end(), size)))
    }

    /// Breaks a text into lines no wider than `width`, the first line of each paragraph narrower by `indent`. A part wider than
    /// a line is broken behind `/`, `_` or `-`, or else where the line ends.
    pub fn wrap(&self, text: &str, size: f32, width: f32, indent: f32) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for paragraph in text.split('\n') {
            let mut line = String::new();
            let mut room = width - indent;
            let mut close = |line: &mut String, room: &mut f32, last: bool| {
                let text = line.trim_end().to_string();
                lines.push(Line {
                    width: self.width(&text, size),
                    text,
                    last,
                });
                line.clear();
                *room = width;
            };
            for part in parts(paragraph) {
                let mut part = part;
                let fits = |line: &str, part: &str, room: f32| {
                    self.width(line, size) + self.width(part.trim_end(), size) <= room + 1e-3
                };
                if !line.is_empty() && !fits(&line, part, room) {
                    close(&mut line, &mut room, false);
                }
                while !fits(&line, part, room) {
                    let Some(cut) = self.cut(part, size, room) else {
                        break;
                    };
                    line.push_str(&part[..cut]);
                    part = &part[cut..];
                    close(&mut line, &mut room, false);
                }
                line.push_str(part);
            }
            close(&mut line, &mut room, true);
        }
        lines
    }

    /// Where a part that is wider than the line is broken: the last soft place that fits, else the last character.
    fn cut(&self, part: &str, size: f32, room: f32) -> Option<usize> {
        let (mut used, mut soft, mut hard) = (0.0, None, None);
        for (at, c) in part.char_indices() {
            used += self.advance(c) * size;
            if used > room && at > 0 {
                break;
            }
            let end = at + c.len_utf8();
            if end < part.len() {
                hard = Some(end);
                if "/_-".contains(c) {
                    soft = hard;
                }
            }
        }
        soft.or(hard)
    }
}

/// Parts of a text between which a line may break; a part keeps the space behind it.
fn parts(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut previous: Option<char> = None;
    for (at, c) in text.char_indices() {
        if previous.is_some_and(|p| may_break(p, c)) {
            out.push(&text[start..at]);
            start = at;
        }
        previous = Some(c);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// True for hanzi and the signs of their width.
pub(super) fn is_wide(c: char) -> bool {
    c as u32 >= 0x2E80
}

fn may_break(p: char, c: char) -> bool {
    let bound = c == ' ' || NOT_FIRST.contains(c) || NOT_LAST.contains(p);
    let counted = p.is_ascii_digit() && OF_A_NUMBER.contains(c);
    !bound && !counted && (p == ' ' || is_wide(p) || is_wide(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(text: &str, width: f32) -> Vec<String> {
        let fonts = Fonts::embedded();
        let lines = Measure::new(&fonts).wrap(text, 10.0, width, 0.0);
        assert!(lines.iter().all(|l| l.width <= width + 1e-2), "{lines:?}");
        assert_eq!(lines.iter().filter(|l| l.last).count(), 1);
        lines.into_iter().map(|l| l.text).collect()
    }

    #[test]
    fn closing_signs_never_begin_a_line_and_opening_ones_never_end_it() {
        // Each hanzi is 10 wide: four on a line of 45.
        assert_eq!(wrap("洪涝灾害，损失", 45.0), ["洪涝灾", "害，损失"]);
        assert_eq!(wrap("洪涝灾（甲）损失", 45.0), ["洪涝灾", "（甲）损", "失"]);
        assert_eq!(wrap("甲乙丙——丁", 45.0), ["甲乙", "丙——丁"]);
        assert_eq!(wrap("洪涝年均损失", 25.0), ["洪涝", "年均", "损失"]);
        for width in [31.0, 42.0, 55.0, 73.0] {
            for line in wrap(
                "（一）模拟“百年一遇”洪水：水深、流速；见《规范》，详情……如下。",
                width,
            ) {
                let (first, last) = (line.chars().next(), line.chars().last());
                assert!(
                    first.is_none_or(|c| !"，。；：、）》”…".contains(c)),
                    "{line}"
                );
                assert!(last.is_none_or(|c| !"（《“".contains(c)), "{line}");
            }
        }
    }

    #[test]
    fn words_numbers_and_their_units_stay_whole() {
        assert_eq!(wrap("one two three", 45.0), ["one two", "three"]);
        let lines = wrap("重现期100年一遇水深12.5%以上", 55.0);
        assert!(
            lines.concat().contains("100年") && lines.iter().any(|l| l.contains("100年")),
            "{lines:?}"
        );
        assert!(lines.iter().any(|l| l.contains("12.5%")), "{lines:?}");
        assert_eq!(wrap("3.5\u{a0}km of road", 55.0)[0], "3.5\u{a0}km of");
    }

    #[test]
    fn long_paths_break_behind_their_signs() {
        let lines = wrap("losses/average_annual.csv", 60.0);
        assert!(
            lines.len() > 1 && lines[0].ends_with(['/', '_']),
            "{lines:?}"
        );
        assert_eq!(lines.concat(), "losses/average_annual.csv");
        assert_eq!(wrap("0123456789abcdef", 40.0).concat(), "0123456789abcdef");
        assert_eq!(wrap("", 40.0), [""]);
    }

    #[test]
    fn the_first_line_may_be_indented() {
        let fonts = Fonts::embedded();
        let lines = Measure::new(&fonts).wrap("洪涝灾害损失甲乙", 10.0, 45.0, 20.0);
        let texts: Vec<&str> = lines.iter().map(|l| l.text.as_str()).collect();
        assert_eq!(texts, ["洪涝", "灾害损失", "甲乙"]);
    }
}
