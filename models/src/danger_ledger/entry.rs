//! One line of the history.

use super::date::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What is known of a hidden danger when it is registered, and whenever that changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// Name (名称).
    pub name: String,
    /// Kind of object (类别): `danger-site`, `hotspot`, `place`, `unit`, `township`, or one of the user's.
    pub kind: String,
    /// Hazard (灾种).
    pub hazard: String,
    /// Division code of its county (行政区划代码).
    pub unit: String,
    /// Name of the county.
    pub unit_name: String,
    /// Code of its township; empty where unknown.
    pub township: String,
    /// Level of risk: 1 red, 2 orange, 3 yellow, 4 blue.
    pub level: u8,
    /// Longitude, degrees (CGCS2000); none where unknown.
    pub lon: Option<f64>,
    /// Latitude, degrees.
    pub lat: Option<f64>,
    /// People threatened (威胁人数).
    pub people: Option<f64>,
    /// Property threatened (威胁财产), yuan.
    pub assets_yuan: Option<f64>,
    /// What the danger is (隐患描述).
    pub description: String,
    /// File or survey it comes from (来源).
    pub source: String,
}

/// One entry: who did what to which item, when, why and on what evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Item (隐患编号).
    pub item: String,
    /// Number of the entry in the item's history, from 0.
    pub step: u32,
    /// Transition.
    pub action: String,
    /// State after it.
    pub to: String,
    /// Day.
    pub on: Date,
    /// Who (经办人).
    pub by: String,
    /// For which department (部门).
    pub department: String,
    /// Why (事由).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// On what evidence (佐证).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub evidence: String,
    /// Responsible person from here on (责任人).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub responsible: String,
    /// Deadline from here on (整改期限).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Date>,
    /// What is known of the danger, where this entry says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// Hash of the item's entry before this; empty for the first.
    pub previous: String,
    /// SHA-256 of the entry with this field empty, hexadecimal.
    pub hash: String,
}

impl Entry {
    /// The hash that the entry must have.
    pub fn digest(&self) -> String {
        let bare = Entry {
            hash: String::new(),
            ..self.clone()
        };
        // A struct of text and finite numbers always has a JSON text; an empty one would fail every comparison.
        let text = serde_json::to_string(&bare).unwrap_or_default();
        let mut out = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            let _ = write!(out, "{byte:02x}");
        }
        out
    }
}
