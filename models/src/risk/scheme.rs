//! Schemes of grades (分级方案): names and colours that several packs share, four colours (红橙黄蓝) or five grades, and how
//! a pack uses them.

use super::pack::RulePack;
use anlan_engine::grade::Grading;
use serde::{Deserialize, Serialize};

/// Names and colours of grades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Name.
    pub id: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Where names and colours come from.
    pub source: String,
    /// Chinese names, highest first.
    pub names_zh: Vec<String>,
    /// English names.
    pub names_en: Vec<String>,
    /// Colours, red green blue.
    pub colours: Vec<[u8; 3]>,
}

/// A scheme as a pack uses it: with the pack's own thresholds, and its own names and colours where it gives any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemeUse {
    /// Name of the scheme.
    pub id: String,
    /// How the index becomes its grades.
    pub grading: Grading,
    /// Chinese names in place of the scheme's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names_zh: Vec<String>,
    /// English names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names_en: Vec<String>,
    /// Colours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub colours: Vec<[u8; 3]>,
}

impl RulePack {
    /// Takes grading, names and colours from one of the pack's schemes. False where the pack has none of this name, or
    /// nobody knows it; the pack then stays as it was.
    pub fn select(&mut self, id: &str, known: &[Scheme]) -> bool {
        let Some(usage) = self.schemes.iter().find(|s| s.id == id).cloned() else {
            return false;
        };
        let scheme = known.iter().find(|s| s.id == id);
        let own =
            !usage.names_zh.is_empty() && !usage.names_en.is_empty() && !usage.colours.is_empty();
        if scheme.is_none() && !own {
            return false;
        }
        fn or<T: Clone>(own: &[T], of_scheme: Option<&Vec<T>>) -> Vec<T> {
            if own.is_empty() {
                of_scheme.cloned().unwrap_or_default()
            } else {
                own.to_vec()
            }
        }
        self.names_zh = or(&usage.names_zh, scheme.map(|s| &s.names_zh));
        self.names_en = or(&usage.names_en, scheme.map(|s| &s.names_en));
        self.colours = or(&usage.colours, scheme.map(|s| &s.colours));
        self.grading = usage.grading;
        self.scheme = id.to_string();
        true
    }
}
