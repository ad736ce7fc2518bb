//! Rule packs (规则包): operators are code, thresholds, names and colours are data with provenance.

use anlan_engine::grade::Grading;
use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One rule pack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// Name.
    pub id: String,
    /// Hazard it grades, or `any`.
    pub hazard: String,
    /// `hazard`, `risk` or `unit`.
    pub object: String,
    /// Chinese title of its maps.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Issuer and number of the standard.
    pub issuer: String,
    /// Year of the standard.
    pub year: u16,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the thresholds come from.
    pub source: String,
    /// How values become grades.
    pub grading: Grading,
    /// Chinese names of the grades, highest first.
    pub names_zh: Vec<String>,
    /// English names.
    pub names_en: Vec<String>,
    /// Colours, red green blue, highest first.
    pub colours: Vec<[u8; 3]>,
}

/// A file of rule packs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePacks {
    /// The packs.
    pub pack: Vec<RulePack>,
}

impl RulePacks {
    /// The packs that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        RulePacks::parse(
            include_str!("../../standards/packs/hazard.toml"),
            Path::new("standards/packs/hazard.toml"),
        )
        .expect("the compiled-in packs are read by a test")
    }

    /// Packs from TOML text.
    ///
    /// # Errors
    /// Text of another shape; a pack whose names or colours are not as many as its grades.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let packs: RulePacks = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.message().to_string(),
                "a file of rule packs",
                "compare with the compiled-in packs",
            ))
        })?;
        let faults: Vec<Fault> = packs
            .pack
            .iter()
            .filter(|p| {
                let n = p.grading.classes();
                p.names_zh.len() != n || p.names_en.len() != n || p.colours.len() != n
            })
            .map(|p| {
                Fault::new(
                    file,
                    format!("{} names and {} colours", p.names_zh.len(), p.colours.len()),
                    format!("{} of each, one per grade", p.grading.classes()),
                    "add or remove names and colours",
                )
                .at(format!("pack {}", p.id))
            })
            .collect();
        if faults.is_empty() {
            Ok(packs)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Replaces packs of the same id and adds the others.
    pub fn extend(&mut self, other: RulePacks) {
        for pack in other.pack {
            match self.pack.iter_mut().find(|p| p.id == pack.id) {
                Some(old) => *old = pack,
                None => self.pack.push(pack),
            }
        }
    }

    /// The pack of this name.
    ///
    /// # Errors
    /// No such pack.
    pub fn get(&self, id: &str) -> Result<&RulePack> {
        self.pack.iter().find(|p| p.id == id).ok_or_else(|| {
            Error::input(Fault::new(
                "rule packs",
                id,
                "a pack of this id",
                "add the pack to the project",
            ))
        })
    }
}

impl RulePack {
    /// Short hash (64 bits of FNV-1a, hexadecimal) of everything in the pack, stamped on what it made.
    pub fn hash(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// Name of a grade, 1 the highest.
    pub fn name(&self, grade: u8, zh: bool) -> &str {
        let names = if zh { &self.names_zh } else { &self.names_en };
        names.get(grade as usize - 1).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_whole_and_hashed() {
        let packs = RulePacks::builtin();
        let flood = packs.get("flood-hazard").unwrap();
        assert_eq!(flood.name(1, true), "高");
        let mut other = flood.clone();
        other.colours[0][0] ^= 1;
        assert_ne!(flood.hash(), other.hash());
        assert!(
            packs
                .pack
                .iter()
                .all(|p| p.status == "read" || p.status == "unverified")
        );
        assert!(
            RulePacks::parse("[[pack]]\nid = 1", Path::new("p.toml"))
                .unwrap_err()
                .is_input()
        );
    }
}
