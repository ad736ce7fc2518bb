//! NRML, the XML of OpenQuake: exposure, vulnerability, fragility, consequences.
//!
//! # References
//! OpenQuake Engine 3.25 manual: exposure models, fragility models, consequence models, vulnerability models (NRML 0.4
//! exposures; 0.5 for the others).

pub use super::nrml_exposure::{Asset, Cost, exposure};

use super::columns::{Columns, read_text};
use super::falls;
use super::openquake::measure;
use crate::error::{Error, Fault, Result};
use crate::loss::{Curve, Family, Fragility, OutOfRange, Reach};
use roxmltree::{Document, Node};
use std::collections::BTreeMap;
use std::path::Path;

/// Consequences: per code of a function the limit states with their mean loss ratios.
pub type Consequences = BTreeMap<String, Vec<(String, f64)>>;

/// A document with its path; collects faults.
pub(super) struct Reader<'a> {
    path: &'a Path,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    pub(super) fn fault(
        &mut self,
        node: Node<'_, '_>,
        found: impl Into<String>,
        expected: &str,
        remedy: &str,
    ) {
        if self.faults.len() < 50 {
            let at = node.document().text_pos_at(node.range().start);
            let name = node.tag_name().name();
            let id = node
                .attribute("id")
                .map_or_else(String::new, |i| format!(" {i}"));
            let place = format!("line {}, {name}{id}", at.row);
            self.faults
                .push(Fault::new(self.path, found, expected, remedy).at(place));
        }
    }

    pub(super) fn attribute<'n>(&mut self, node: Node<'n, '_>, name: &str) -> &'n str {
        match node.attribute(name) {
            Some(text) => text.trim(),
            None => {
                let expected = format!("an attribute `{name}`");
                self.fault(node, "no such attribute", &expected, "complete the element");
                ""
            }
        }
    }

    pub(super) fn number(&mut self, node: Node<'_, '_>, name: &str) -> f64 {
        if node.attribute(name).is_none() {
            self.attribute(node, name);
            return f64::NAN;
        }
        self.optional(node, name).unwrap_or(f64::NAN)
    }

    pub(super) fn optional(&mut self, node: Node<'_, '_>, name: &str) -> Option<f64> {
        let text = node.attribute(name)?.trim();
        match text.parse::<f64>() {
            Ok(v) if v.is_finite() => Some(v),
            _ => {
                let found = format!("{name} `{text}`");
                self.fault(node, found, "a finite number", "correct the attribute");
                Some(f64::NAN)
            }
        }
    }

    fn list(&mut self, node: Node<'_, '_>) -> Vec<f64> {
        let mut out = Vec::new();
        for word in node.text().unwrap_or_default().split_whitespace() {
            match word.parse::<f64>() {
                Ok(v) if v.is_finite() => out.push(v),
                _ => self.fault(
                    node,
                    format!("`{word}`"),
                    "finite numbers",
                    "correct the list",
                ),
            }
        }
        out
    }

    pub(super) fn child<'n, 'i>(&mut self, node: Node<'n, 'i>, name: &str) -> Option<Node<'n, 'i>> {
        let found = child(node, name);
        if found.is_none() {
            let expected = format!("an element `{name}`");
            self.fault(node, "no such element", &expected, "complete the element");
        }
        found
    }

    fn end<T>(self, value: T) -> Result<T> {
        if self.faults.is_empty() {
            Ok(value)
        } else {
            Err(Error::Input(self.faults))
        }
    }
}

pub(super) fn child<'n, 'i>(node: Node<'n, 'i>, name: &str) -> Option<Node<'n, 'i>> {
    node.children().find(|n| n.tag_name().name() == name)
}

pub(super) fn children<'n, 'i>(
    node: Node<'n, 'i>,
    name: &'static str,
) -> impl Iterator<Item = Node<'n, 'i>> {
    node.children().filter(move |n| n.tag_name().name() == name)
}

/// Reads a document and hands over its model.
pub(super) fn with_model<T>(
    path: &Path,
    model: &str,
    read: impl FnOnce(&mut Reader<'_>, Node<'_, '_>) -> T,
) -> Result<T> {
    let text = read_text(path)?;
    let document = Document::parse(&text).map_err(|e| {
        Error::input(Fault::new(
            path,
            e.to_string(),
            "an XML document",
            "check that the file was saved whole",
        ))
    })?;
    let root = document.root_element();
    let found = root.descendants().find(|n| n.tag_name().name() == model);
    let Some(node) = found else {
        let names: Vec<&str> = root
            .children()
            .filter(Node::is_element)
            .map(|n| n.tag_name().name())
            .collect();
        return Err(Error::input(Fault::new(
            path,
            format!("{} with {}", root.tag_name().name(), names.join(", ")),
            format!("nrml with {model}"),
            "name the file of the model; files older than NRML 0.5 are brought up by `oq upgrade_nrml`",
        )));
    };
    let mut reader = Reader {
        path,
        faults: Vec::new(),
    };
    let value = read(&mut reader, node);
    reader.end(value)
}

/// Reads a vulnerability model (NRML 0.5): one curve per function, its code the id, its measure by
/// [`measure`].
///
/// - Below the first level there is no loss, above the last as at the last; between them mean and coefficient of variation
///   are linear, as in OpenQuake.
/// - `LN` and `BT` give lognormal and beta spreads, coefficients of 0 none. `PM` is refused.
/// - Functions that fall are marked so.
///
/// # Errors
/// No vulnerability model, numbers that are none, lists of other lengths, another distribution.
pub fn vulnerability(path: &Path) -> Result<Vec<Curve>> {
    with_model(path, "vulnerabilityModel", |r, model| {
        let functions = children(model, "vulnerabilityFunction");
        functions
            .filter_map(|f| vulnerability_function(r, f))
            .collect()
    })
}

fn vulnerability_function(r: &mut Reader<'_>, node: Node<'_, '_>) -> Option<Curve> {
    let family = match node.attribute("dist").unwrap_or("LN").trim() {
        "LN" => Family::Lognormal,
        "BT" => Family::Beta,
        other => {
            let remedy = "give means and coefficients of variation (LN, BT)";
            r.fault(node, format!("distribution {other}"), "LN or BT", remedy);
            return None;
        }
    };
    let imls = r.child(node, "imls")?;
    let means = r.child(node, "meanLRs")?;
    let covs = r.child(node, "covLRs")?;
    let (intensity, mdd, cv) = (r.list(imls), r.list(means), r.list(covs));
    if mdd.len() != intensity.len() || cv.len() != intensity.len() {
        let found = format!(
            "{} levels, {} means, {} covs",
            intensity.len(),
            mdd.len(),
            cv.len()
        );
        r.fault(node, found, "lists of one length", "complete the lists");
    }
    Some(Curve {
        code: r.attribute(node, "id").to_string(),
        measure: measure(r.attribute(imls, "imt")),
        cv: if cv.iter().all(|&v| v == 0.0) {
            Vec::new()
        } else {
            cv
        },
        may_fall: falls(&mdd),
        intensity,
        mdd,
        family,
        below: OutOfRange::Zero,
        above: OutOfRange::Hold,
        ..Curve::default()
    })
}

/// Reads a fragility model (NRML 0.5): one fragility per function, its code the id, its measure by [`measure`], its states
/// the limit states in their order.
///
/// - Discrete functions: lines between the levels, from (`noDamageLimit`, 0) where that is above 0 and below the first
///   level; above the last level as there.
/// - Continuous functions: `mean` and `stddev` are those of the intensity; they become the median mean / √(1 + v²) and the
///   standard deviation of the logarithm √ln(1 + v²), v = stddev / mean. The lognormal is taken everywhere above
///   `noDamageLimit`: OpenQuake holds it below `minIML` and above `maxIML`, which matters only outside that range.
/// - Loss ratios of the states come from `consequences`; without them all are 0, and the fragility is of use for counts of
///   damage states only.
///
/// # Errors
/// No fragility model, numbers that are none, limit states without a curve, or without a consequence.
pub fn fragility(path: &Path, consequences: Option<&Consequences>) -> Result<Vec<Fragility>> {
    with_model(path, "fragilityModel", |r, model| {
        let states: Vec<String> = child(model, "limitStates")
            .and_then(|n| n.text())
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_string)
            .collect();
        if states.is_empty() {
            r.fault(
                model,
                "no limit states",
                "an element `limitStates`",
                "name the limit states",
            );
        }
        let functions = children(model, "fragilityFunction");
        functions
            .filter_map(|f| fragility_function(r, f, &states, consequences))
            .collect()
    })
}

fn fragility_function(
    r: &mut Reader<'_>,
    node: Node<'_, '_>,
    states: &[String],
    consequences: Option<&Consequences>,
) -> Option<Fragility> {
    let imls = r.child(node, "imls")?;
    let least = r.optional(imls, "noDamageLimit").unwrap_or(0.0);
    let code = r.attribute(node, "id").to_string();
    let format = r.attribute(node, "format").to_string();
    let mut of_states = Vec::new();
    let tag = if format == "continuous" {
        "params"
    } else {
        "poes"
    };
    for state in states {
        let found = children(node, tag).find(|n| n.attribute("ls") == Some(state));
        if found.is_none() {
            let expected = format!("`{tag}` of limit state {state}");
            r.fault(node, "none", &expected, "complete the function");
        }
        of_states.push(found?);
    }
    let reach = match format.as_str() {
        "continuous" => {
            let (mut median, mut beta) = (Vec::new(), Vec::new());
            for params in of_states {
                let ratio = r.number(params, "stddev") / r.number(params, "mean");
                median.push(r.number(params, "mean") / (1.0 + ratio * ratio).sqrt());
                beta.push(libm::log1p(ratio * ratio).sqrt());
            }
            Reach::Lognormal { median, beta }
        }
        "discrete" => {
            let mut intensity = r.list(imls);
            let mut chance: Vec<Vec<f64>> = of_states.into_iter().map(|n| r.list(n)).collect();
            if let Some(list) = chance.iter().find(|c| c.len() != intensity.len()) {
                let found = format!("{} levels, {} chances", intensity.len(), list.len());
                r.fault(node, found, "lists of one length", "complete the lists");
            }
            if least > 0.0 && intensity.first().is_some_and(|first| least < *first) {
                intensity.insert(0, least);
                for list in &mut chance {
                    list.insert(0, 0.0);
                }
            }
            Reach::Points { intensity, chance }
        }
        other => {
            let found = format!("format `{other}`");
            r.fault(
                node,
                found,
                "discrete or continuous",
                "correct the attribute",
            );
            return None;
        }
    };
    let mut consequence = Vec::new();
    for state in states {
        let ratios = consequences.map(|c| c.get(&code));
        let ratio = match ratios {
            None => Some(0.0),
            Some(of) => of
                .and_then(|of| of.iter().find(|c| c.0 == *state))
                .map(|c| c.1),
        };
        if ratio.is_none() {
            let expected = format!("a consequence of {code} for limit state {state}");
            r.fault(node, "none", &expected, "complete the consequences");
        }
        consequence.push(ratio.unwrap_or(0.0));
    }
    Some(Fragility {
        may_fall: false,
        code,
        measure: measure(r.attribute(imls, "imt")),
        reach,
        least,
        consequence,
    })
}

/// Reads consequences: a consequence model (`.xml`, NRML 0.5; the means of its `params`), or a table (`.csv`: the code in
/// the first column, `consequence`, `loss_type`, then one column per limit state, of which the rows of `losses` are read).
/// `loss_type` picks the rows of a table; a model holds one loss type.
///
/// # Errors
/// A file of another form, numbers that are none, ratios outside 0..=1.
pub fn consequences(path: &Path, loss_type: &str) -> Result<Consequences> {
    if path.extension().is_some_and(|e| e == "xml") {
        return with_model(path, "consequenceModel", |r, model| {
            let mut out = Consequences::new();
            for function in children(model, "consequenceFunction") {
                let mut ratios = Vec::new();
                for params in children(function, "params") {
                    let mean = r.number(params, "mean");
                    if !(0.0..=1.0).contains(&mean) {
                        r.fault(
                            params,
                            format!("mean {mean}"),
                            "0 to 1",
                            "write ratios as fractions",
                        );
                    }
                    ratios.push((r.attribute(params, "ls").to_string(), mean));
                }
                out.insert(r.attribute(function, "id").to_string(), ratios);
            }
            out
        });
    }
    let mut columns = Columns::open(path)?;
    let [kind, loss] = columns.require([&["consequence"], &["loss_type"]])?;
    let states: Vec<(usize, String)> = columns
        .names()
        .iter()
        .enumerate()
        .filter(|(i, _)| ![0, kind, loss].contains(i))
        .map(|(i, name)| (i, name.clone()))
        .collect();
    let mut out = Consequences::new();
    while columns.next()? {
        if columns.cell(kind) != "losses" || columns.cell(loss) != loss_type {
            continue;
        }
        let mut ratios = Vec::new();
        for (column, state) in &states {
            let ratio = columns.amount(*column);
            if ratio > 1.0 {
                let remedy = "write ratios as fractions";
                columns.fault(Some(*column), ratio.to_string(), "0 to 1", remedy);
            }
            ratios.push((state.clone(), ratio));
        }
        out.insert(columns.cell(0).to_string(), ratios);
    }
    columns.end()?;
    Ok(out)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::loss::{MOST_STATES, Vulnerability};
    use std::path::PathBuf;

    pub fn written(dir: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    const FRAGILITY: &str = r#"<nrml xmlns="http://openquake.org/xmlns/nrml/0.5"><fragilityModel>
        <limitStates>slight complete</limitStates>
        <fragilityFunction id="A" format="continuous"><imls imt="SA(0.3)" noDamageLimit="0.05" minIML="0.1" maxIML="2"/>
        <params ls="slight" mean="0.2" stddev="0.1"/><params ls="complete" mean="0.5" stddev="0.25"/></fragilityFunction>
        <fragilityFunction id="B" format="discrete"><imls imt="PGA" noDamageLimit="0.05">0.1 0.2</imls>
        <poes ls="slight">0.2 0.6</poes><poes ls="complete">0.0 0.5</poes></fragilityFunction>
        </fragilityModel></nrml>"#;

    #[test]
    fn fragilities_with_consequences() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(&dir, "f.xml", FRAGILITY);
        let model = written(
            &dir,
            "c.xml",
            r#"<nrml><consequenceModel><consequenceFunction id="A" dist="LN"><params ls="slight" mean="0.1" stddev="0"/>
            <params ls="complete" mean="1" stddev="0"/></consequenceFunction></consequenceModel></nrml>"#,
        );
        let table = written(
            &dir,
            "c.csv",
            "taxonomy,consequence,loss_type,slight,complete\nB,losses,structural,0.2,0.9\nB,losses,contents,1,1\n",
        );
        let mut ratios = consequences(&model, "structural").unwrap();
        let e = fragility(&path, Some(&ratios)).unwrap_err();
        assert!(e.to_string().contains("a consequence of B"), "{e}");
        ratios.extend(consequences(&table, "structural").unwrap());
        let found = fragility(&path, Some(&ratios)).unwrap();
        let of: Vec<Vulnerability> = found
            .iter()
            .map(|f| Vulnerability::from_fragility(&path, f).unwrap())
            .collect();
        assert_eq!((of[0].measure(), of[1].measure()), ("sa(0.3)_g", "pga_g"));
        // The median of a lognormal of mean 0.2 and cv 0.5.
        let mut reach = [0.0; MOST_STATES];
        of[0]
            .fragility()
            .unwrap()
            .reaching(0.2 / 1.25_f64.sqrt(), &mut reach);
        assert!((reach[0] - 0.5).abs() < 1e-12, "{}", reach[0]);
        assert_eq!(of[0].mean(0.04), 0.0);
        // Discrete: a line from the no-damage limit, held above.
        of[1].fragility().unwrap().reaching(0.075, &mut reach);
        assert!((reach[0] - 0.1).abs() < 1e-15, "{}", reach[0]);
        assert!((of[1].mean(9.0) - (0.2 * 0.1 + 0.9 * 0.5)).abs() < 1e-15);
        assert_eq!(fragility(&path, None).unwrap()[0].consequence, [0.0, 0.0]);
    }

    #[test]
    fn vulnerabilities_outside_their_levels() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"<nrml><vulnerabilityModel><vulnerabilityFunction id="A" dist="LN"><imls imt="PGA">0.1 0.3</imls>
            <meanLRs>0.2 1.4</meanLRs><covLRs>0.3 0.1</covLRs></vulnerabilityFunction></vulnerabilityModel></nrml>"#;
        let path = written(&dir, "v.xml", text);
        let curve = &vulnerability(&path).unwrap()[0];
        let of = Vulnerability::from_curve(&path, curve).unwrap();
        assert_eq!((of.mean(0.09), of.mean(0.1)), (0.0, 0.2));
        assert!((of.mean(5.0) - 1.4).abs() < 1e-12 && (of.mean(0.2) - 0.8).abs() < 1e-12);
        for (from, to, say) in [
            (r#"dist="LN""#, r#"dist="PM""#, "distribution PM"),
            ("0.2 1.4", "0.2", "1 means"),
            ("0.1 0.3", "0.1 x", "`x`"),
            (
                "vulnerabilityModel",
                "discreteVulnerabilitySet",
                "upgrade_nrml",
            ),
            ("</nrml>", "", "XML"),
        ] {
            let bad = written(&dir, "bad.xml", &text.replace(from, to));
            let e = vulnerability(&bad).unwrap_err().to_string();
            assert!(e.contains(say), "{e}");
        }
    }
}
