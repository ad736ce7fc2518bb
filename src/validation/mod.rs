//! Validation of a user's own grades: a raster or a layer of units against recorded disasters.
//!
//! ```text
//! anlan validate grades.tif disasters.csv --grades            # cells at lon, lat against all other cells
//! anlan validate units.gpkg disasters.csv --column risk       # units with a record against the others, by code
//! ```
//!
//! Outputs: `skill.csv` (AUC with its errors), `roc.csv`, `warnings.csv` and `cells.csv` (grades), `roc.png`, `roc.svg`, `summary.md`.

pub(crate) mod skill;

use anlan_engine::io::table::{self, Table, write_csv};
use anlan_engine::io::{geotiff, vector, write_atomic};
use anlan_engine::{Crs, Error, Fault, Projector, Result};
use anlan_models::cartography::Fonts;
use anlan_models::cartography::diagnostic::Words;
use anlan_models::census::{HistoryDictionary, HistoryEvent, read_history};
use anlan_models::hazard::Hazard;
use anlan_models::risk::validation::Contingency;
use skill::{CLASSES, ROC, SKILL, Score, WARNINGS, class_rows, save_roc, skill, warning_row};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What is compared, and how.
#[derive(Debug, Clone, Default)]
pub struct ValidateOptions {
    /// Column of the score in a layer of units.
    pub column: Option<String>,
    /// Column of the code in a layer of units; `code` where `None`.
    pub code_column: Option<String>,
    /// Take events of this hazard only.
    pub hazard: Option<Hazard>,
    /// The values are grades, 1 the highest and 0 none.
    pub grades: bool,
    /// Grades that count as a warning, from the highest; 2 where 0.
    pub warned: u8,
    /// Dictionary of the columns of the history; the compiled-in one where `None`.
    pub dictionary: Option<PathBuf>,
    /// Output folder; `out` beside the history where `None`.
    pub out: Option<PathBuf>,
    /// Chinese texts.
    pub zh: bool,
    /// Further fonts for the plot.
    pub fonts: Vec<PathBuf>,
}

/// Places with their score, and which were struck.
struct Sample {
    values: Vec<f64>,
    struck: Vec<bool>,
    level: &'static str,
    /// Events that met no place.
    unplaced: usize,
}

/// Compares the scores of a raster or a layer of units with recorded disasters; gives the output folder.
///
/// # Errors
/// Faults of the files; a layer without the column; no event that meets a place with a score, or none without one.
pub fn run(scores: &Path, history: &Path, options: &ValidateOptions) -> Result<PathBuf> {
    let dictionary = match &options.dictionary {
        None => HistoryDictionary::builtin(),
        Some(path) => crate::stages::inputs::read_history_dictionary(path)?,
    };
    let events: Vec<HistoryEvent> = read_history(&table::read(history)?, &dictionary)?
        .into_iter()
        .filter(|e| options.hazard.is_none_or(|h| e.hazards.contains(&h)))
        .collect();
    let fonts: Vec<&Path> = options.fonts.iter().map(PathBuf::as_path).collect();
    let fonts = Fonts::with_files(&fonts)?;
    let is_raster = scores
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("tif") || e.eq_ignore_ascii_case("tiff"));
    let sample = if is_raster {
        cells(scores, &events)?
    } else {
        units(scores, &events, options)?
    };
    let hits = sample.struck.iter().filter(|s| **s).count();
    if hits == 0 || hits == sample.struck.len() {
        return Err(Error::input(Fault::new(
            history,
            format!(
                "{} events that strike {hits} of {} places",
                events.len(),
                sample.struck.len()
            ),
            "events that strike some places and not others",
            "give events with lon and lat for a raster, or with codes of the units; check --hazard",
        )));
    }
    let out = options.out.clone().unwrap_or_else(|| {
        let folder = history.parent().unwrap_or(Path::new(""));
        folder.join("out").join("validation")
    });
    std::fs::create_dir_all(&out).map_err(|e| Error::io("creating", &out, e))?;
    write(&out, &sample, options, &fonts)?;
    Ok(out)
}

fn cells(path: &Path, events: &[HistoryEvent]) -> Result<Sample> {
    let raster = geotiff::read_f32(path, 1)?.require_values(path)?;
    let grid = raster.grid;
    let projector = Projector::new(Crs::CGCS2000, grid.crs);
    let mut struck_cells = BTreeSet::new();
    let mut unplaced = 0;
    for event in events {
        let cell = event.position.and_then(|(lon, lat)| {
            let (x, y) = projector.point(lon, lat);
            let (row, col) = grid.cell_at(x, y)?;
            let cell = row * grid.cols + col;
            (!raster.values()[cell].is_nan()).then_some(cell)
        });
        match cell {
            Some(cell) => {
                struck_cells.insert(cell);
            }
            None => unplaced += 1,
        }
    }
    let kept: Vec<usize> = (0..grid.cells())
        .filter(|&c| !raster.values()[c].is_nan())
        .collect();
    Ok(Sample {
        values: kept
            .iter()
            .map(|&c| f64::from(raster.values()[c]))
            .collect(),
        struck: kept.iter().map(|c| struck_cells.contains(c)).collect(),
        level: "cell",
        unplaced,
    })
}

fn units(path: &Path, events: &[HistoryEvent], options: &ValidateOptions) -> Result<Sample> {
    let layer = vector::read(path)?;
    let Some(column) = &options.column else {
        return Err(Error::input(
            Fault::new(
                path,
                format!("columns {}", layer.columns.join(", ")),
                "the column that holds the score",
                "name it with --column",
            )
            .at("--column"),
        ));
    };
    let value = layer.require(column)?;
    let code = layer.require(options.code_column.as_deref().unwrap_or("code"))?;
    let (mut values, mut codes) = (Vec::new(), Vec::new());
    for feature in &layer.features {
        if let Some(v) = feature.values[value].as_f64().filter(|v| v.is_finite()) {
            values.push(v);
            codes.push(feature.values[code].to_string().trim().to_string());
        }
    }
    // A unit is struck by events of its very code; longer codes are cut to counties by the reader, so are those of the units.
    let county = |c: &str| c.get(..6).unwrap_or(c).to_string();
    let struck: Vec<bool> = codes
        .iter()
        .map(|c| events.iter().any(|e| e.code == county(c)))
        .collect();
    let unplaced = events
        .iter()
        .filter(|e| !codes.iter().any(|c| county(c) == e.code))
        .count();
    Ok(Sample {
        values,
        struck,
        level: "unit",
        unplaced,
    })
}

fn write(out: &Path, sample: &Sample, options: &ValidateOptions, fonts: &Fonts) -> Result<()> {
    let hazard = options.hazard.map_or("all", Hazard::name);
    let values = if options.grades {
        let rank = |v: &f64| if *v > 0.0 { -v } else { -1e9 };
        sample.values.iter().map(rank).collect()
    } else {
        sample.values.clone()
    };
    let say = |zh: &str, en: &str| if options.zh { zh } else { en }.to_string();
    let score = Score {
        key: if options.grades { "grade" } else { "score" }.into(),
        title: say("得分", "score"),
        values,
    };
    let (mut skill_table, mut roc_table) = (Table::new(&SKILL), Table::new(&ROC));
    let curves = skill(
        hazard,
        sample.level,
        &[score],
        &sample.struck,
        (&mut skill_table, &mut roc_table),
    );
    let hits = sample.struck.iter().filter(|s| **s).count();
    let (places, unplaced) = (sample.struck.len(), sample.unplaced);
    let row = &skill_table.rows[0];
    let number = |i: usize| row[i].as_f64().unwrap_or(f64::NAN);
    let (auc, low, high) = (number(5), number(8), number(9));
    let mut text = format!(
        "# {}\n\n",
        say("等级与历史灾害的对照", "Scores against recorded disasters")
    );
    let _ = writeln!(
        text,
        "{}",
        say(
            &format!(
                "{places}个位置中{hits}个有记录，{unplaced}个事件没有对应位置。AUC {auc:.3}，95%区间{low:.3}—{high:.3}（0.5等于随机）。"
            ),
            &format!(
                "{hits} of {places} places have a record; {unplaced} events met no place. AUC {auc:.3}, 95 % interval {low:.3} to {high:.3} (0.5 is chance)."
            ),
        )
    );
    let verdict = if high < 0.5 {
        Some(say(
            "区间低于0.5：有记录的位置得分反而偏低，请检查得分方向与坐标精度。",
            "The interval lies below 0.5: struck places score low; check the sense of the score and how exact the coordinates are.",
        ))
    } else if low <= 0.5 {
        Some(say(
            "区间包含0.5：按这些记录，不能断言得分优于随机。",
            "The interval holds 0.5: with these records the score cannot be said to be better than chance.",
        ))
    } else {
        None
    };
    if let Some(verdict) = verdict {
        let _ = writeln!(text, "\n{verdict}");
    }
    if options.grades {
        let warned = if options.warned == 0 {
            2
        } else {
            options.warned
        };
        let flags: Vec<bool> = (sample.values.iter())
            .map(|v| *v > 0.0 && *v <= f64::from(warned))
            .collect();
        let t = Contingency::of(&flags, &sample.struck);
        let mut warnings = Table::new(&WARNINGS);
        let rule = format!("grade<={warned}");
        warnings
            .rows
            .push(warning_row(hazard, sample.level, &rule, &t));
        write_csv(&out.join("warnings.csv"), &warnings)?;
        let mut classes = Table::new(&CLASSES);
        let grades: Vec<u8> = sample
            .values
            .iter()
            .map(|v| v.clamp(0.0, 255.0) as u8)
            .collect();
        classes.rows = class_rows(hazard, &grades, &sample.struck);
        write_csv(&out.join("cells.csv"), &classes)?;
        let (hit_low, hit_high) = t.hit_rate_interval(skill::CONFIDENCE);
        let (hit, false_alarms, csi) = (t.hit_rate(), t.false_alarm_ratio(), t.critical_success());
        let _ = writeln!(
            text,
            "\n{}",
            say(
                &format!(
                    "前{warned}级作为预警：命中率{hit:.3}（{hit_low:.3}—{hit_high:.3}），空报比{false_alarms:.3}，临界成功指数{csi:.3}。"
                ),
                &format!(
                    "The {warned} highest grades as warnings: hit rate {hit:.3} ({hit_low:.3} to {hit_high:.3}), false-alarm ratio {false_alarms:.3}, critical success index {csi:.3}."
                ),
            )
        );
    }
    write_csv(&out.join("skill.csv"), &skill_table)?;
    write_csv(&out.join("roc.csv"), &roc_table)?;
    let title = say(
        "有记录与无记录位置的判别（ROC）",
        "Recorded against other places (ROC)",
    );
    let (x, y) = (say("空报率", "false-alarm rate"), say("命中率", "hit rate"));
    let note = format!("{hits}/{places}");
    let words = Words {
        title: &title,
        x: &x,
        y: &y,
        note: &note,
    };
    save_roc(&out.join("roc.svg"), &words, &curves, fonts)?;
    let summary = out.join("summary.md");
    write_atomic(&summary, |tmp| {
        std::fs::write(tmp, &text).map_err(|e| Error::io("writing", &summary, e))
    })
}
