//! What a card for the people below a hidden-danger site says of its kind (地质灾害明白卡), as data.

use crate::geology::sites::SiteKind;
use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

/// The texts of the cards.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardTable {
    /// Name of the table.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where it comes from.
    pub source: String,
    /// A text per kind of site.
    #[serde(rename = "kind")]
    pub kinds: Vec<CardText>,
}

/// Texts of a kind of site, in Chinese.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardText {
    /// The kind.
    pub kind: SiteKind,
    /// What sets it off (诱发因素).
    pub trigger: String,
    /// What announces it (临灾征兆).
    pub signs: Vec<String>,
    /// What to do (避险措施).
    pub act: Vec<String>,
    /// What not to do (禁忌).
    pub avoid: Vec<String>,
}

impl CardTable {
    /// The texts compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        CardTable::parse(
            include_str!("../../standards/danger_cards.toml"),
            Path::new("standards/danger_cards.toml"),
        )
        .expect("the compiled-in texts are read by a test")
    }

    /// From TOML text.
    ///
    /// # Errors
    /// Text of another shape; a kind of site that is missing or stands twice.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let fault = |found: String, expected: &str| {
            Error::input(Fault::new(
                file,
                found,
                expected,
                "compare with standards/danger_cards.toml",
            ))
        };
        let table: CardTable = toml::from_str(text)
            .map_err(|e| fault(e.message().to_string(), "texts of danger cards"))?;
        let mut kinds: Vec<SiteKind> = table.kinds.iter().map(|k| k.kind).collect();
        kinds.sort_unstable();
        if kinds
            != [
                SiteKind::Landslide,
                SiteKind::Collapse,
                SiteKind::DebrisFlow,
            ]
        {
            return Err(fault(
                format!("kinds {kinds:?}"),
                "landslide, collapse and debris-flow, once each",
            ));
        }
        Ok(table)
    }

    /// The text of a kind.
    pub fn of(&self, kind: SiteKind) -> &CardText {
        let found = self.kinds.iter().find(|k| k.kind == kind);
        found.expect("every kind has a text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cartography::Fonts;

    #[test]
    fn every_kind_has_its_text_and_every_letter_its_glyph() {
        let table = CardTable::builtin();
        let fonts = Fonts::embedded();
        for kind in [
            SiteKind::Landslide,
            SiteKind::Collapse,
            SiteKind::DebrisFlow,
        ] {
            let text = table.of(kind);
            let all = [&text.signs[..], &text.act, &text.avoid].concat();
            assert!(text.signs.len() >= 3 && text.act.len() >= 3 && text.avoid.len() >= 2);
            fonts.require(&(all.concat() + &text.trigger)).unwrap();
        }
        let twice = include_str!("../../standards/danger_cards.toml")
            .replace("kind = \"collapse\"", "kind = \"landslide\"");
        let error = CardTable::parse(&twice, Path::new("mine.toml")).unwrap_err();
        assert!(error.to_string().contains("once each"), "{error}");
    }
}
