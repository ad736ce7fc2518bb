//! `chains.json`: what every chain was fitted to, so that any grade can be told step by step later.

use anlan_engine::{Error, Fault, Result};
use anlan_models::risk::{Fitted, RulePack};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the file in `risk`.
pub const FILE: &str = "chains.json";

/// One evaluated chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// `cell`, or the level of the units.
    pub level: String,
    /// Hazard, or `all`.
    pub hazard: String,
    /// Object, as in packs; for units that of the cells behind them.
    pub object: String,
    /// Pack.
    pub pack: String,
    /// What was fitted.
    pub fitted: Fitted,
    /// Raster of the grades in `risk`; empty for units.
    pub raster: String,
}

/// A unit of any level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Level.
    pub level: String,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Code of the unit above; empty at the top.
    pub parent: String,
}

/// A pack in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackRecord {
    /// Its hash.
    pub hash: String,
    /// The pack.
    pub pack: RulePack,
}

/// All chains of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Chains {
    /// Packs by name.
    pub packs: BTreeMap<String, PackRecord>,
    /// Units, lowest level first.
    pub units: Vec<Unit>,
    /// Chains.
    pub chains: Vec<Chain>,
}

impl Chains {
    /// Adds a chain with its pack.
    pub fn add(
        &mut self,
        (level, hazard, object): (&str, &str, &str),
        pack: &RulePack,
        mut fitted: Fitted,
        raster: &str,
    ) {
        // JSON knows no infinity: a class that no value reaches begins at the greatest number.
        let factors = fitted.factors.iter_mut().map(|f| &mut f.thresholds);
        for thresholds in factors.chain([&mut fitted.thresholds]) {
            for t in thresholds {
                *t = t.clamp(f64::MIN, f64::MAX);
            }
        }
        // One name may stand for two schemes of a pack: cells and units differ in the number of grades.
        let key = format!("{}/{}", pack.id, pack.scheme);
        self.packs.entry(key.clone()).or_insert_with(|| PackRecord {
            hash: pack.hash(),
            pack: pack.clone(),
        });
        self.chains.push(Chain {
            level: level.into(),
            hazard: hazard.into(),
            object: object.into(),
            pack: key,
            fitted,
            raster: raster.into(),
        });
    }

    /// Chain of a level, a hazard and an object.
    pub fn find(&self, level: &str, hazard: &str, object: &str) -> Option<&Chain> {
        self.chains
            .iter()
            .find(|c| c.level == level && c.hazard == hazard && c.object == object)
    }

    /// The pack of a chain.
    ///
    /// # Errors
    /// A file that lacks it.
    pub fn pack(&self, chain: &Chain) -> Result<&PackRecord> {
        self.packs
            .get(&chain.pack)
            .ok_or_else(|| Error::Failed(format!("{FILE}: pack {} is missing", chain.pack)))
    }

    /// Reads the file of a finished `risk` stage.
    ///
    /// # Errors
    /// No such file, or one of another release.
    pub fn read(out: &Path) -> Result<Chains> {
        let path = out.join("risk").join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::input(Fault::new(
                &path,
                "no such file",
                "an output folder in which the stage `risk` is finished",
                "run the project first",
            )),
            _ => Error::io("reading", &path, e),
        })?;
        serde_json::from_str(&text).map_err(|e| {
            Error::input(Fault::new(
                &path,
                e.to_string(),
                "chains as this release writes them",
                "delete the folder `risk` and run again",
            ))
        })
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: plain data.
    pub fn text(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|e| Error::Failed(format!("writing {FILE}: {e}")))
    }
}
