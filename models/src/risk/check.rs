//! Faults of a rule pack, found when it is read.

use super::pack::{Combine, Factor, RulePack, Weighting};
use anlan_engine::Fault;
use anlan_engine::grade::{Grading, Normalisation, ahp};
use std::path::Path;

/// Greatest consistency ratio of judgements (Saaty 1980).
const GREATEST_RATIO: f64 = 0.1;

/// What packs may grade.
pub const OBJECTS: [&str; 9] = [
    "hazard",
    "population",
    "gdp",
    "housing",
    "crops",
    "roads",
    "comprehensive",
    "risk",
    "unit",
];

/// Faults of one pack.
pub(super) fn check(pack: &RulePack, file: &Path, faults: &mut Vec<Fault>) {
    let n = pack.classes();
    let mut say = |place: &str, found: String, expected: String, remedy: &str| {
        let place = if place.is_empty() {
            format!("pack {}", pack.id)
        } else {
            format!("pack {}, {place}", pack.id)
        };
        faults.push(Fault::new(file, found, expected, remedy).at(place));
    };
    if !["read", "unverified"].contains(&pack.status.as_str()) {
        say(
            "status",
            format!("`{}`", pack.status),
            "`read` or `unverified`".into(),
            "write `read` only where the standard was opened",
        );
    }
    if !OBJECTS.contains(&pack.object.as_str()) {
        say(
            "object",
            format!("`{}`", pack.object),
            quoted(&OBJECTS),
            "name one of these objects",
        );
    }
    if pack.names_zh.len() != n || pack.names_en.len() != n || pack.colours.len() != n {
        say(
            "",
            format!(
                "{} names and {} colours",
                pack.names_zh.len(),
                pack.colours.len()
            ),
            format!("{n} of each, one per grade"),
            "add or remove names and colours",
        );
    }
    let grading = |place: &str, g: &Grading, say: &mut dyn FnMut(&str, String, String, &str)| {
        if let Some(found) = g.fault() {
            say(
                place,
                found,
                "descending thresholds, percentiles of 0 to 100, shares below 1, 2 to 20 classes"
                    .into(),
                "correct the grading",
            );
        }
    };
    grading("grading", &pack.grading, &mut say);
    for s in &pack.schemes {
        grading(&format!("scheme {}", s.id), &s.grading, &mut say);
    }
    if pack.indicators.is_empty() {
        return;
    }
    for (k, i) in pack.indicators.iter().enumerate() {
        if pack.indicators[..k].iter().any(|other| other.id == i.id) {
            say(
                &format!("indicator {}", i.id),
                format!("`{}`", i.id),
                "a name of its own".into(),
                "rename one of the two",
            );
        }
        let negative = matches!(
            i.normalise,
            Normalisation::MinMaxNegative
                | Normalisation::HalfNegative
                | Normalisation::ZScoreNegative
        );
        if negative || i.scaling().is_none() {
            say(
                &format!("indicator {}", i.id),
                "a negative normalisation, or none for a negative direction".into(),
                "min-max, half or z-score with the direction `negative`".into(),
                "write the direction apart from the normalisation",
            );
        }
    }
    let used = pack.used();
    for factor in pack.factors.keys() {
        if !used.contains(factor) {
            say(
                &format!("factor {}", factor.name()),
                "no indicator".into(),
                "indicators of the factors that the pack names".into(),
                "add an indicator, or remove the factor",
            );
        }
    }
    for &factor in &used {
        let count = pack.of(factor).count();
        weighting(
            &pack.rule(factor).weights,
            count,
            n,
            &format!("factor {}", factor.name()),
            &mut say,
        );
    }
    let has = |f: Factor| used.contains(&f);
    match pack.environment {
        Some([low, high]) if !(low < high && low > -1.0 && high < 1.0) => say(
            "environment",
            format!("[{low}, {high}]"),
            "a range within -1 to 1, the lower end first".into(),
            "correct the range, e.g. [-0.3, 0.3]",
        ),
        Some(_) if !has(Factor::Environment) || !has(Factor::Hazard) => say(
            "environment",
            "no indicator".into(),
            "indicators of the environment and of the hazard that it changes".into(),
            "add indicators, or remove the range",
        ),
        None if has(Factor::Environment) => say(
            "environment",
            "no range".into(),
            "the range of the environment coefficient".into(),
            "add e.g. environment = [-0.3, 0.3]",
        ),
        _ => {}
    }
    combination(pack, &used, n, &mut say);
}

type Say<'a> = dyn FnMut(&str, String, String, &str) + 'a;

fn weighting(weights: &Weighting, count: usize, classes: usize, place: &str, say: &mut Say<'_>) {
    match weights {
        Weighting::Expert { values } => {
            let sum: f64 = values.iter().sum();
            let bad = values.iter().any(|w| w.is_nan() || *w < 0.0);
            if values.len() != count || bad || (sum - 1.0).abs() > 1e-6 {
                say(
                    place,
                    format!("{} weights that add up to {sum}", values.len()),
                    format!("{count} weights, 0 or more, that add up to 1"),
                    "correct the weights",
                );
            }
        }
        Weighting::Ahp { judgements } => match ahp(judgements) {
            Err(e) => {
                for f in e.faults() {
                    say(place, f.found.clone(), f.expected.clone(), &f.remedy);
                }
            }
            Ok(_) if judgements.len() != count => say(
                place,
                format!("judgements of {} indicators", judgements.len()),
                format!("those of {count}"),
                "correct the judgements",
            ),
            Ok(a) if a.consistency_ratio >= GREATEST_RATIO => say(
                place,
                format!("judgements of consistency ratio {:.3}", a.consistency_ratio),
                format!("a ratio below {GREATEST_RATIO}"),
                "revise the judgements that contradict each other",
            ),
            Ok(_) => {}
        },
        Weighting::Fold { tables } => {
            for table in tables {
                matrix(table, table.len(), table.len(), table.len(), place, say);
            }
            if !tables.iter().any(|t| t.len() == classes) {
                say(
                    place,
                    format!("{} tables", tables.len()),
                    format!("one of {classes} rows, as many as grades"),
                    "add a table for this number of grades",
                );
            }
        }
        Weighting::Equal | Weighting::Entropy | Weighting::Greatest => {}
    }
}

/// Names in quotes: they are not translated.
pub(super) fn quoted<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(|n| format!("`{}`", n.as_ref())).collect();
    names.join(", ")
}

fn matrix(
    table: &[Vec<u8>],
    rows: usize,
    columns: usize,
    classes: usize,
    place: &str,
    say: &mut Say<'_>,
) {
    let whole = table.len() == rows && rows > 0 && table.iter().all(|r| r.len() == columns);
    if !whole
        || table
            .iter()
            .flatten()
            .any(|&c| c == 0 || c as usize > classes)
    {
        say(
            place,
            format!("{table:?}"),
            format!("{rows} rows of {columns} classes 1 to {classes}"),
            "correct the matrix",
        );
    }
}

fn combination(pack: &RulePack, used: &[Factor], classes: usize, say: &mut Say<'_>) {
    let scored = matches!(pack.grading, Grading::Matrix { .. });
    let joined: Vec<Factor> = used
        .iter()
        .copied()
        .filter(|f| *f != Factor::Environment)
        .collect();
    let missing = |f: Factor, say: &mut Say<'_>| {
        if !joined.contains(&f) {
            say(
                "combine",
                format!("factor `{}`", f.name()),
                quoted(&joined.iter().map(|f| f.name()).collect::<Vec<_>>()),
                "add indicators of the factor, or leave it out",
            );
        }
    };
    match &pack.combine {
        Combine::Hazard => {
            if joined != [Factor::Hazard] {
                say(
                    "combine",
                    format!("{} factors", joined.len()),
                    "the hazard alone, or a rule that combines the factors".into(),
                    "add `combine`",
                );
            }
        }
        Combine::WeightedSum { weights } => {
            weighting(weights, joined.len(), classes, "combine", say)
        }
        Combine::Product { exponents } => {
            for (&f, e) in exponents {
                missing(f, say);
                if !e.is_finite() {
                    say(
                        "combine",
                        e.to_string(),
                        "a finite exponent".into(),
                        "correct the exponent",
                    );
                }
            }
            for f in &joined {
                if !exponents.contains_key(f) {
                    say(
                        "combine",
                        format!("no exponent of factor `{}`", f.name()),
                        "one exponent per factor".into(),
                        "add the exponent, 1 by default",
                    );
                }
            }
        }
        Combine::Matrix {
            rows,
            columns,
            table,
        } => {
            missing(rows.factor, say);
            missing(columns.factor, say);
            let (r, c) = (rows.grading.classes(), columns.grading.classes());
            matrix(table, r, c, classes, "combine", say);
            if !scored {
                say(
                    "grading",
                    "a grading of an index".into(),
                    "`matrix` where a matrix combines".into(),
                    "write grading = { method = \"matrix\", classes = N }",
                );
            }
        }
    }
}
