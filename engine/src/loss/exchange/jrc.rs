//! The global flood depth-damage table of the Joint Research Centre.
//!
//! # References
//! Huizinga, de Moel and Szewczyk (2017), Global flood depth-damage functions, JRC105688, doi:10.2760/16510; the table
//! as CSV: `Type`, `Flood depth [m]`, then `<continent>_Mean` and `<continent>_Std`, fractions of the greatest damage.

use super::columns::Columns;
use super::falls;
use crate::error::{Error, Fault, Result};
use crate::loss::{Curve, OutOfRange};
use std::path::Path;

/// Reads the table: one curve per continent and class that has values, its code e.g. `asia-residential-buildings`, its
/// measure `depth_m`; no damage below the first depth, as at the last above it.
///
/// The spread is a beta with the standard deviation of the table; curves without one have none. Where the mean is 0 a
/// standard deviation is left out: no ratio lies below.
///
/// # Errors
/// Missing columns, cells without a number, a curve with gaps.
pub fn curves(path: &Path) -> Result<Vec<Curve>> {
    let mut columns = Columns::open(path)?;
    let [class, depth] = columns.require([&["Type"], &["Flood depth [m]"]])?;
    let continents: Vec<(String, usize, Option<usize>)> = columns
        .names()
        .iter()
        .enumerate()
        .filter_map(|(i, name)| {
            let continent = name.strip_suffix("_Mean")?;
            let spread = columns.find(&[&format!("{continent}_Std")]);
            Some((continent.to_string(), i, spread))
        })
        .collect();
    let mut classes: Vec<Class> = Vec::new();
    while columns.next()? {
        let name = columns.cell(class).to_string();
        if classes.last().is_none_or(|c| c.0 != name) {
            let empty = vec![[Vec::new(), Vec::new()]; continents.len()];
            classes.push((name, Vec::new(), empty));
        }
        let at = columns.number(depth);
        let cells: Vec<[Option<f64>; 2]> = continents
            .iter()
            .map(|c| [columns.maybe(Some(c.1)), columns.maybe(c.2)])
            .collect();
        if let Some((_, depths, lists)) = classes.last_mut() {
            depths.push(at);
            for (lists, cell) in lists.iter_mut().zip(cells) {
                lists[0].push(cell[0]);
                lists[1].push(cell[1]);
            }
        }
    }
    columns.end()?;
    let mut curves = Vec::new();
    let mut faults = Vec::new();
    for (class, depths, lists) in classes {
        for ((continent, ..), [means, spreads]) in continents.iter().zip(lists) {
            if means.iter().all(Option::is_none) {
                continue;
            }
            let code = code(&format!("{continent} {class}"));
            let mdd: Vec<f64> = means.iter().flatten().copied().collect();
            let sd: Vec<f64> = spreads.iter().flatten().copied().collect();
            if mdd.len() != depths.len() || !(sd.is_empty() || sd.len() == depths.len()) {
                let found = format!("{} means, {} deviations", mdd.len(), sd.len());
                let expected = format!("{}, one per depth, or no deviations", depths.len());
                let fault = Fault::new(path, found, expected, "complete the columns of the class");
                faults.push(fault.at(code));
                continue;
            }
            let ratio = |(s, m): (&f64, &f64)| if *m > 0.0 { s / m } else { 0.0 };
            curves.push(Curve {
                code,
                measure: "depth_m".into(),
                intensity: depths.clone(),
                cv: sd.iter().zip(&mdd).map(ratio).collect(),
                may_fall: falls(&mdd),
                mdd,
                above: OutOfRange::Hold,
                ..Curve::default()
            });
        }
    }
    if faults.is_empty() {
        Ok(curves)
    } else {
        Err(Error::Input(faults))
    }
}

/// A class of the table: its name, its depths, and per continent means and standard deviations.
type Class = (String, Vec<f64>, Vec<[Vec<Option<f64>>; 2]>);

/// Letters and digits in lower case, single hyphens between.
fn code(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words: Vec<String> = words
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::super::tests::shared;
    use super::*;
    use crate::loss::Vulnerability;

    #[test]
    fn all_continents_and_classes() {
        let Some(data) = shared("jrc") else {
            return;
        };
        let path = data.join("jrc_global_flood_depth_damage.csv");
        let curves = curves(&path).unwrap();
        // Residential, commercial and industrial 6 each, transport 4, roads 3, agriculture 5.
        assert_eq!(curves.len(), 30);
        for curve in &curves {
            let checked = Vulnerability::from_curve(&path, curve).unwrap();
            for (d, m) in curve.intensity.iter().zip(&curve.mdd) {
                // At its points a curve gives its own numbers, but for the rounding of a sum.
                assert!((checked.mean(*d) - m).abs() < 1e-14, "{}", curve.code);
            }
        }
        let of = |code: &str| curves.iter().find(|c| c.code == code).unwrap();
        let asia = of("asia-residential-buildings");
        let checked = Vulnerability::from_curve(&path, asia).unwrap();
        assert_eq!(asia.mdd[1], 0.326_556_502);
        assert!((checked.mean(0.75) - 0.5 * (0.326_556_502 + 0.494_050_324)).abs() < 1e-14);
        assert!((asia.cv[1] * asia.mdd[1] - 0.251_622_626).abs() < 1e-15);
        assert!(of("europe-residential-buildings").cv.is_empty());
        assert_eq!(of("oceania-residential-buildings").cv[0], 0.0);
        assert!(
            curves
                .iter()
                .any(|c| c.code == "central-south-america-transport")
        );
    }

    #[test]
    fn gaps_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j.csv");
        std::fs::write(
            &path,
            "Type,Flood depth [m],Asia_Mean,Asia_Std\nRoads,0,0,\nRoads,1,,\n",
        )
        .unwrap();
        let e = curves(&path).unwrap_err();
        assert!(e.to_string().contains("asia-roads"), "{e}");
    }
}
