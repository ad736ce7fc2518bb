//! Files of rule packs: those compiled in, those of a project, and the checks on them.

use super::check::{check, quoted};
use super::pack::RulePack;
use super::scheme::Scheme;
use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Rule packs and the schemes of grades that they share.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePacks {
    /// The packs.
    #[serde(default)]
    pub pack: Vec<RulePack>,
    /// The schemes.
    #[serde(default)]
    pub scheme: Vec<Scheme>,
}

/// The compiled-in files, schemes first.
const FILES: [(&str, &str); 7] = [
    (
        "standards/packs/schemes.toml",
        include_str!("../../standards/packs/schemes.toml"),
    ),
    (
        "standards/packs/flood.toml",
        include_str!("../../standards/packs/flood.toml"),
    ),
    (
        "standards/packs/convection.toml",
        include_str!("../../standards/packs/convection.toml"),
    ),
    (
        "standards/packs/geology.toml",
        include_str!("../../standards/packs/geology.toml"),
    ),
    (
        "standards/packs/fire.toml",
        include_str!("../../standards/packs/fire.toml"),
    ),
    (
        "standards/packs/units.toml",
        include_str!("../../standards/packs/units.toml"),
    ),
    (
        "standards/packs/comprehensive.toml",
        include_str!("../../standards/packs/comprehensive.toml"),
    ),
];

impl RulePacks {
    /// The packs that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        let mut all = RulePacks::default();
        for (name, text) in FILES {
            let file = Path::new(name);
            let read = RulePacks::read(text, file, &all.scheme);
            let joined = read.and_then(|packs| all.extend(packs, file));
            joined.expect("the compiled-in packs are read by a test");
        }
        all
    }

    /// Packs from TOML text, with the compiled-in schemes and those of the text.
    ///
    /// # Errors
    /// Text of another shape; every fault of the packs in it, together.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        RulePacks::read(text, file, &RulePacks::builtin().scheme)
    }

    fn read(text: &str, file: &Path, schemes: &[Scheme]) -> Result<Self> {
        let mut packs: RulePacks = toml::from_str(text).map_err(|e| {
            let fault = Fault::new(
                file,
                e.message().to_string(),
                "a file of rule packs",
                "compare with the compiled-in packs",
            );
            let line = e
                .span()
                .map(|s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            Error::input(match line {
                Some(n) => fault.at(format!("line {n}")),
                None => fault,
            })
        })?;
        let known: Vec<Scheme> = packs.scheme.iter().chain(schemes).cloned().collect();
        let mut faults = Vec::new();
        for pack in &mut packs.pack {
            if let Some(first) = pack.schemes.first().map(|s| s.id.clone()) {
                let id = if pack.scheme.is_empty() {
                    first
                } else {
                    pack.scheme.clone()
                };
                if !pack.select(&id, &known) {
                    faults.push(
                        Fault::new(
                            file,
                            format!("`{id}`"),
                            "a scheme of grades that the pack and the files know",
                            "correct the name, or give names and colours with it",
                        )
                        .at(format!("pack {}, scheme", pack.id)),
                    );
                    continue;
                }
            }
            check(pack, file, &mut faults);
        }
        if faults.is_empty() {
            Ok(packs)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Replaces packs and schemes of the same id and adds the others. A pack without indicators takes the chain of the
    /// pack that it replaces: so thresholds, names and colours can be changed alone.
    ///
    /// # Errors
    /// A pack without indicators that replaces none.
    pub fn extend(&mut self, other: RulePacks, file: &Path) -> Result<()> {
        let mut faults = Vec::new();
        for scheme in other.scheme {
            match self.scheme.iter_mut().find(|s| s.id == scheme.id) {
                Some(old) => *old = scheme,
                None => self.scheme.push(scheme),
            }
        }
        for mut pack in other.pack {
            match self.pack.iter_mut().find(|p| p.id == pack.id) {
                Some(old) => {
                    if pack.indicators.is_empty() {
                        pack.indicators.clone_from(&old.indicators);
                        pack.factors.clone_from(&old.factors);
                        pack.environment = old.environment;
                        pack.combine = old.combine.clone();
                        pack.rescale = old.rescale;
                        pack.units = old.units.clone();
                    }
                    *old = pack;
                }
                None if pack.indicators.is_empty() => faults.push(
                    Fault::new(
                        file,
                        "no indicator",
                        "at least one indicator in a pack that replaces none",
                        "add indicators, or take the id of the pack whose chain is meant",
                    )
                    .at(format!("pack {}", pack.id)),
                ),
                None => self.pack.push(pack),
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Input(faults))
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

    /// Takes the grades of a scheme in every pack that has it.
    ///
    /// # Errors
    /// No pack has it.
    pub fn select(&mut self, scheme: &str) -> Result<()> {
        let mut found = false;
        for pack in &mut self.pack {
            found |= pack.select(scheme, &self.scheme);
        }
        if found {
            return Ok(());
        }
        let mut names: Vec<&str> = self
            .pack
            .iter()
            .flat_map(|p| p.schemes.iter().map(|s| s.id.as_str()))
            .collect();
        names.sort_unstable();
        names.dedup();
        Err(Error::input(
            Fault::new(
                "rule packs",
                format!("`{scheme}`"),
                quoted(&names),
                "name one of these schemes",
            )
            .at("[risk] scheme"),
        ))
    }

    /// Checks that every indicator's layer is known to the caller, that weights of units are, and that packs by which
    /// units are graded exist.
    ///
    /// # Errors
    /// All that are not, together.
    pub fn check_layers(&self, layers: &[&str], weights: &[&str]) -> Result<()> {
        let mut faults = Vec::new();
        for pack in &self.pack {
            for i in &pack.indicators {
                if !layers.contains(&i.layer.as_str()) {
                    faults.push(
                        Fault::new(
                            "rule packs",
                            format!("layer `{}`", i.layer),
                            quoted(layers),
                            "name one of these layers",
                        )
                        .at(format!("pack {}, indicator {}", pack.id, i.id)),
                    );
                }
            }
            if !weights.contains(&pack.units.weight.as_str()) {
                faults.push(
                    Fault::new(
                        "rule packs",
                        format!("`{}`", pack.units.weight),
                        quoted(weights),
                        "name one of these weights",
                    )
                    .at(format!("pack {}, units", pack.id)),
                );
            }
            if !self.pack.iter().any(|p| p.id == pack.units.pack) {
                faults.push(
                    Fault::new(
                        "rule packs",
                        format!("`{}`", pack.units.pack),
                        "a pack of this id",
                        "add the pack to the project",
                    )
                    .at(format!("pack {}, units", pack.id)),
                );
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Input(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"
        [[pack]]
        id = "mine"
        hazard = "flood"
        object = "population"
        title_zh = "试"
        title_en = "a trial"
        issuer = "nobody"
        year = 2026
        status = "unverified"
        source = "a test"
        names_zh = ["高", "低"]
        names_en = ["high", "low"]
        colours = [[1, 2, 3], [4, 5, 6]]
        grading = { method = "fixed", from = [0.5] }
    "#;

    const HAZARD: &str = r#"
        [[pack.indicator]]
        id = "h"
        name_zh = "甲"
        name_en = "h"
        factor = "hazard"
        layer = "hazard-index"
        normalise = "min-max"
    "#;

    fn faults(text: &str) -> Vec<String> {
        let error = RulePacks::parse(text, Path::new("mine.toml")).unwrap_err();
        assert!(error.is_input());
        error.faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_compiled_in_packs_are_whole() {
        let packs = RulePacks::builtin();
        let flood = packs.get("flood-hazard").unwrap();
        assert_eq!((flood.name(1, true), flood.name(0, true)), ("高", ""));
        let mut other = flood.clone();
        other.colours[0][0] ^= 1;
        assert_ne!(flood.hash(), other.hash());
        // One pack per hazard and object, and one of each hazard.
        for hazard in ["flood", "convection", "geology", "fire"] {
            assert!(packs.get(&format!("{hazard}-hazard")).is_ok(), "{hazard}");
            for object in ["population", "gdp", "housing", "crops", "roads"] {
                let pack = packs.get(&format!("{hazard}-{object}")).unwrap();
                assert_eq!(
                    (pack.hazard.as_str(), pack.object.as_str()),
                    (hazard, object)
                );
                assert!(pack.schemes.iter().any(|s| s.id == "four-colour"));
                assert!(!pack.source.is_empty() && !pack.indicators.is_empty());
            }
        }
        let mut four = packs.clone();
        four.select("four-colour").unwrap();
        assert_eq!(four.get("flood-population").unwrap().classes(), 4);
        assert_eq!(packs.get("flood-population").unwrap().classes(), 5);
        assert!(four.select("nine").unwrap_err().is_input());
    }

    #[test]
    fn a_pack_without_indicators_changes_thresholds_alone() {
        let text = HEAD
            .replace("\"mine\"", "\"flood-hazard\"")
            .replace("population", "hazard");
        let file = Path::new("mine.toml");
        let mine = RulePacks::parse(&text, file).unwrap();
        let mut packs = RulePacks::builtin();
        let chain = packs.get("flood-hazard").unwrap().indicators.clone();
        packs.extend(mine, file).unwrap();
        let pack = packs.get("flood-hazard").unwrap();
        assert_eq!((pack.classes(), &pack.indicators), (2, &chain));
        let lost = RulePacks::parse(HEAD, file).unwrap();
        assert!(
            packs
                .extend(lost, file)
                .unwrap_err()
                .to_string()
                .contains("no indicator")
        );
    }

    #[test]
    fn faults_are_told_together_with_their_place() {
        assert!(faults("[[pack]]\nid = 1")[0].contains("line 2"));
        let many = HEAD
            .replace("\"unverified\"", "\"checked\"")
            .replace("\"population\"", "\"cows\"")
            .replace("names_en = [\"high\", \"low\"]", "names_en = [\"high\"]")
            .replace("[0.5]", "[0.5, 0.7]");
        let told = faults(&many);
        assert!(told[0].contains("pack mine, status") && told[0].contains("`checked`"));
        assert!(told[1].contains("`cows`") && told[1].contains("`population`"));
        assert!(told[2].contains("one per grade") && told[3].contains("descending"));
        let experts = format!(
            "{HEAD}\n[pack.factor.hazard]\nweights = {{ method = \"expert\", values = [0.4, 0.5] }}\n{HAZARD}"
        );
        let told = faults(&experts);
        assert!(
            told[0].contains("1 weights, 0 or more, that add up to 1"),
            "{told:?}"
        );
        // a > b, b > c, c > a: a ratio far above 0.1.
        let second = HAZARD.replace("\"h\"", "\"i\"");
        let third = HAZARD.replace("\"h\"", "\"j\"");
        let circle = format!(
            "{HEAD}\n[pack.factor.hazard]\nweights = {{ method = \"ahp\", judgements = [[1, 5, 0.2], [0.2, 1, 5], [5, 0.2, 1]] }}\n{HAZARD}{second}{third}"
        );
        assert!(faults(&circle)[0].contains("consistency ratio"), "{circle}");
        let product = format!(
            "{HEAD}\ncombine = {{ method = \"product\", exponents = {{ hazard = 1.0, exposure = 1.0 }} }}\n{HAZARD}"
        );
        assert!(faults(&product)[0].contains("factor `exposure`"));
        let river = HAZARD
            .replace("\"hazard\"", "\"environment\"")
            .replace("\"h\"", "\"r\"");
        assert!(faults(&format!("{HEAD}{HAZARD}{river}"))[0].contains("environment coefficient"));
        let table = format!(
            "{HEAD}\ncombine = {{ method = \"matrix\", rows = {{ factor = \"hazard\", grading = {{ method = \"fixed\", from = [1.0] }} }}, columns = {{ factor = \"hazard\", grading = {{ method = \"fixed\", from = [1.0] }} }}, table = [[1, 3], [1]] }}\n{HAZARD}"
        );
        let told = faults(&table);
        assert!(
            told[0].contains("2 rows of 2 classes") && told[1].contains("matrix"),
            "{told:?}"
        );
        let packs = RulePacks::parse(&format!("{HEAD}{HAZARD}"), Path::new("m.toml")).unwrap();
        let error = packs.check_layers(&["depth"], &["area"]).unwrap_err();
        assert!(error.to_string().contains("layer `hazard-index`"));
        assert!(error.to_string().contains("`unit-risk`"));
    }
}
