//! Tables of how well scores tell struck places from others: shared by the pipeline and by a user's own grades.

use anlan_engine::io::table::Table;
use anlan_engine::io::{Value, write_atomic};
use anlan_engine::{Error, Result};
use anlan_models::cartography::diagnostic::{self, Named, Words};
use anlan_models::cartography::{Fonts, outlined};
use anlan_models::risk::validation::{Contingency, auc, roc, share_interval};
use std::path::Path;

/// Confidence of every interval.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// Points of a ROC curve that a table keeps: of a million cells, every so many.
const MOST_POINTS: usize = 400;

/// A score of every place; higher is more dangerous.
pub(crate) struct Score {
    /// Name in tables.
    pub key: String,
    /// Name on plots.
    pub title: String,
    /// One value per place.
    pub values: Vec<f64>,
}

/// Columns of `skill.csv`.
pub(crate) const SKILL: [&str; 10] = [
    "hazard",
    "level",
    "score",
    "places",
    "struck",
    "auc",
    "auc_se_delong",
    "auc_se_hanley_mcneil",
    "low_95",
    "high_95",
];

/// Columns of `warnings.csv`.
pub(crate) const WARNINGS: [&str; 15] = [
    "hazard",
    "level",
    "warned",
    "hits",
    "misses",
    "false_alarms",
    "correct_negatives",
    "hit_rate",
    "hit_rate_low_95",
    "hit_rate_high_95",
    "false_alarm_ratio",
    "false_alarm_low_95",
    "false_alarm_high_95",
    "false_alarm_rate",
    "critical_success_index",
];

/// Columns of `roc.csv`.
pub(crate) const ROC: [&str; 6] = [
    "hazard",
    "level",
    "score",
    "threshold",
    "false_alarm_rate",
    "hit_rate",
];

/// Columns of `cells.csv`.
pub(crate) const CLASSES: [&str; 9] = [
    "hazard",
    "grade",
    "cells",
    "area_share",
    "events",
    "event_share",
    "event_share_low_95",
    "event_share_high_95",
    "share_ratio",
];

/// A number of a table; blank where it is none.
pub(crate) fn number(v: f64) -> Value {
    if v.is_finite() {
        Value::Real(v)
    } else {
        Value::Null
    }
}

/// Rows of `skill.csv` and `roc.csv` for one hazard, and its ROC curves with their names; none where all or no places were struck.
pub(crate) fn skill(
    hazard: &str,
    level: &str,
    scores: &[Score],
    struck: &[bool],
    tables: (&mut Table, &mut Table),
) -> Vec<Named> {
    let mut curves = Vec::new();
    for score in scores {
        let Some(area) = auc(&score.values, struck) else {
            continue;
        };
        let (low, high) = area.interval(CONFIDENCE);
        tables.0.rows.push(vec![
            hazard.into(),
            level.into(),
            score.key.clone().into(),
            Value::Integer(struck.len() as i64),
            i64::from(area.positives).into(),
            area.value.into(),
            number(area.delong),
            area.hanley_mcneil.into(),
            low.into(),
            high.into(),
        ]);
        let mut points = roc(&score.values, struck);
        let every = points.len().div_ceil(MOST_POINTS);
        let last = points.len() - 1;
        let mut at = 0;
        points.retain(|_| {
            at += 1;
            (at - 1) % every == 0 || at - 1 == last
        });
        for p in &points {
            tables.1.rows.push(vec![
                hazard.into(),
                level.into(),
                score.key.clone().into(),
                number(p.threshold),
                p.false_alarm_rate.into(),
                p.hit_rate.into(),
            ]);
        }
        curves.push(Named {
            name: format!("{} AUC {:.2} ({low:.2}–{high:.2})", score.title, area.value),
            points: points
                .iter()
                .map(|p| (p.false_alarm_rate, p.hit_rate))
                .collect(),
        });
    }
    curves
}

/// A row of `warnings.csv`.
pub(crate) fn warning_row(hazard: &str, level: &str, warned: &str, t: &Contingency) -> Vec<Value> {
    let (hit_low, hit_high) = t.hit_rate_interval(CONFIDENCE);
    let (far_low, far_high) = t.false_alarm_interval(CONFIDENCE);
    let count = |n: u32| Value::Integer(i64::from(n));
    vec![
        hazard.into(),
        level.into(),
        warned.into(),
        count(t.hits),
        count(t.misses),
        count(t.false_alarms),
        count(t.correct_negatives),
        number(t.hit_rate()),
        hit_low.into(),
        hit_high.into(),
        number(t.false_alarm_ratio()),
        far_low.into(),
        far_high.into(),
        number(t.false_alarm_rate()),
        number(t.critical_success()),
    ]
}

/// Rows of `cells.csv`: of each grade its share of the area and of the events, and their ratio (above 1: more events than area).
pub(crate) fn class_rows(hazard: &str, grades: &[u8], struck: &[bool]) -> Vec<Vec<Value>> {
    let all = grades.len() as f64;
    let events = struck.iter().filter(|s| **s).count() as u32;
    let greatest = grades.iter().copied().max().unwrap_or(0);
    (0..=greatest)
        .filter_map(|grade| {
            let of = || grades.iter().zip(struck).filter(|(g, _)| **g == grade);
            let cells = of().count();
            let hit = of().filter(|(_, s)| **s).count() as u32;
            if cells == 0 {
                return None;
            }
            let area = cells as f64 / all;
            let share = f64::from(hit) / f64::from(events.max(1));
            let (low, high) = share_interval(hit, events, CONFIDENCE);
            Some(vec![
                hazard.into(),
                i64::from(grade).into(),
                Value::Integer(cells as i64),
                area.into(),
                i64::from(hit).into(),
                number(if events > 0 { share } else { f64::NAN }),
                low.into(),
                high.into(),
                number(if events > 0 { share / area } else { f64::NAN }),
            ])
        })
        .collect()
}

/// Draws ROC curves to an SVG and a PNG of this name without ending.
pub(crate) fn save_roc(
    path: &Path,
    words: &Words<'_>,
    curves: &[Named],
    fonts: &Fonts,
) -> Result<()> {
    save_plot(path, &diagnostic::roc_svg(words, curves, fonts)?, fonts)
}

/// Writes a plot as SVG and PNG.
pub(crate) fn save_plot(path: &Path, svg: &str, fonts: &Fonts) -> Result<()> {
    let png = diagnostic::png(svg, fonts)?;
    // Letters as outlines: the file is read where the font is not.
    let outlined = outlined(svg, fonts)?;
    for (ending, bytes) in [("svg", outlined.as_bytes()), ("png", &png)] {
        let file = path.with_extension(ending);
        write_atomic(&file, |tmp| {
            std::fs::write(tmp, bytes).map_err(|e| Error::io("writing", &file, e))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_grades_and_curves_of_many_cells() {
        // 8 cells: grade 1 covers a quarter of the area and holds 2 of the 3 events.
        let grades = [1, 1, 2, 2, 2, 2, 3, 3];
        let struck = [true, true, true, false, false, false, false, false];
        let rows = class_rows("flood", &grades, &struck);
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0][3], Value::Real(0.25));
        assert!((rows[0][8].as_f64().unwrap() - (2.0 / 3.0) / 0.25).abs() < 1e-12);
        assert_eq!(rows[2][5], Value::Real(0.0));
        let scores = Score {
            key: "index".into(),
            title: "index".into(),
            values: (0..5000).map(f64::from).collect(),
        };
        let struck: Vec<bool> = (0..5000).map(|i| i >= 4990).collect();
        let (mut skill_table, mut roc_table) = (Table::new(&SKILL), Table::new(&ROC));
        let curves = skill(
            "flood",
            "cell",
            &[scores],
            &struck,
            (&mut skill_table, &mut roc_table),
        );
        assert_eq!(skill_table.rows[0][5], Value::Real(1.0));
        assert!(roc_table.rows.len() <= MOST_POINTS + 1);
        let points = &curves[0].points;
        assert_eq!(
            (points[0], points[points.len() - 1]),
            ((0.0, 0.0), (1.0, 1.0))
        );
    }
}
