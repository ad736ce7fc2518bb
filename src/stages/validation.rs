//! `validation`: modelled grades and losses against recorded disasters, with what so few events can tell.
//!
//! | file | holds |
//! | --- | --- |
//! | `events.csv` | every recorded event, its units, and what it is compared with |
//! | `skill.csv`, `roc.csv` | AUC with errors of indices, grades and plain population by unit, and of cells where events have coordinates |
//! | `warnings.csv` | hit rate, false-alarm ratio and critical success index of the higher grades |
//! | `cells.csv` | share of the events by grade against its share of the area |
//! | `losses.csv` | return period of each reported figure on the simulated curve |
//! | `rates.csv` | recorded against simulated number of events |
//! | `calibration.csv` | predicted probability of an event in the record against what was recorded |
//! | `plots/` | ROC, calibration, reported events on the curve (PNG, SVG) |

use super::bilingual::bilingual;
use super::losses::assessed;
use super::{Context, inputs, missing, store};
use crate::manifest::Draft;
use crate::validation::skill::{
    CLASSES, CONFIDENCE, ROC, SKILL, Score, WARNINGS, class_rows, number, save_plot, save_roc,
    skill, warning_row,
};
use anlan_engine::io::parquet::{self, ColumnData};
use anlan_engine::io::table::{self, Table, write_csv, write_xlsx};
use anlan_engine::io::{Value, geotiff};
use anlan_engine::{Crs, Error, Projector, Result};
use anlan_models::cartography::SheetLanguage;
use anlan_models::cartography::diagnostic::{
    CalibrationMark, Named, ReportedMark, Words, calibration_svg, reported_svg,
};
use anlan_models::census::HistoryEvent;
use anlan_models::hazard::Hazard;
use anlan_models::risk::validation::{
    Contingency, calibration, count_interval, equal_count_bounds, position, spearman,
};
use std::collections::{BTreeMap, BTreeSet};

/// Figures of an event that the model has, too: name in tables and columns of the event loss table that add up to it.
const METRICS: [(&str, &[&str]); 4] = [
    (
        "direct_loss_yuan",
        &[
            "dwellings_yuan",
            "assets_yuan",
            "crops_yuan",
            "forest_yuan",
            "roads_yuan",
        ],
    ),
    ("affected_people", &["affected_people"]),
    ("relocated_people", &["relocated_people"]),
    ("collapsed_rooms", &["collapsed_rooms"]),
];

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let file = |name: &str| {
        let files = ctx.project.files(ctx.project_file);
        let found = files.into_iter().find(|(n, _)| *n == name);
        found.map(|(_, p)| p).unwrap_or_default()
    };
    let history = inputs::read_history_file(ctx.project, &file)?;
    let units = store::units(ctx)?;
    let records = match &history {
        None => Vec::new(),
        Some(events) => events
            .iter()
            .map(|event| Record::of(ctx, event, &units))
            .collect(),
    };
    write_csv(&draft.file("events.csv")?, &event_table(&records, &units))?;
    if history.is_none() {
        ctx.warn("no table of historical disasters: nothing is validated");
    }
    let span = span(ctx, &records);
    let mut out = Tables::new();
    skill_of_units(ctx, draft, &units, &records, &mut out)?;
    skill_of_cells(ctx, draft, &records, &mut out)?;
    let simulated = Simulated::read(ctx, units.len())?;
    reported(ctx, draft, &units, &records, &simulated, &mut out)?;
    if let Some(span) = span {
        rates(ctx, &units, &records, &simulated, span, &mut out);
        calibrate(ctx, draft, &units, &records, &simulated, span, &mut out)?;
    }
    out.write(draft, &event_table(&records, &units))
}

/// Where a record stands to the region.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// In these units, by number.
    Within,
    /// A larger area, of which the region is a part.
    Wider,
    /// Elsewhere.
    Outside,
}

/// A recorded event with its units.
struct Record<'a> {
    event: &'a HistoryEvent,
    place: Place,
    units: Vec<usize>,
    /// Hazards of the event whose losses are simulated.
    hazards: Vec<Hazard>,
}

impl<'a> Record<'a> {
    fn of(ctx: &Context<'_>, event: &'a HistoryEvent, units: &[store::UnitRow]) -> Self {
        let code = event.code.as_str();
        // What the trailing zeros leave: province, prefecture or county.
        let stem = match (&code[2..], &code[4..]) {
            ("0000", _) => &code[..2],
            (_, "00") => &code[..4],
            _ => code,
        };
        let region = ctx.project.project.code.as_str();
        let wider = region != code && region.starts_with(stem);
        let members: Vec<usize> = (0..units.len())
            .filter(|&u| units[u].code.starts_with(stem))
            .collect();
        let place = if wider {
            Place::Wider
        } else if members.is_empty() {
            Place::Outside
        } else {
            Place::Within
        };
        Record {
            event,
            place,
            units: if place == Place::Within {
                members
            } else {
                Vec::new()
            },
            hazards: (event.hazards.iter().copied())
                .filter(|h| assessed(ctx, *h))
                .collect(),
        }
    }

    fn figure(&self, metric: usize) -> Option<f64> {
        let e = self.event;
        [e.loss_yuan, e.affected, e.relocated, e.houses_collapsed][metric]
    }

    fn name(&self) -> String {
        let (year, ..) = self.event.date;
        let what = if self.event.event.is_empty() {
            &self.event.hazard_text
        } else {
            &self.event.event
        };
        format!("{year} {what}")
    }
}

/// First and last year of the record, from the project or from the events used.
fn span(ctx: &Context<'_>, records: &[Record<'_>]) -> Option<(i32, i32)> {
    let options = &ctx.project.validation;
    let years = || records.iter().map(|r| r.event.date.0);
    let from = if options.from_year > 0 {
        options.from_year
    } else {
        years().min()?
    };
    let to = if options.to_year > 0 {
        options.to_year
    } else {
        years().max()?
    };
    Some((from, to.max(from)))
}

/// The tables in the making.
struct Tables {
    skill: Table,
    roc: Table,
    warnings: Table,
    cells: Table,
    losses: Table,
    rates: Table,
    calibration: Table,
    correlation: Table,
}

impl Tables {
    fn new() -> Self {
        Tables {
            skill: Table::new(&SKILL),
            roc: Table::new(&ROC),
            warnings: Table::new(&WARNINGS),
            cells: Table::new(&CLASSES),
            losses: Table::new(&[
                "date",
                "event",
                "code",
                "hazard",
                "metric",
                "reported",
                "simulated_years",
                "years_at_least",
                "return_period_years",
                "low_95",
                "high_95",
                "simulated_mean_greatest",
                "note",
            ]),
            rates: Table::new(&[
                "hazard",
                "from_year",
                "to_year",
                "least_loss_yuan",
                "recorded",
                "recorded_low_95",
                "recorded_high_95",
                "simulated",
            ]),
            calibration: Table::new(&[
                "class",
                "places",
                "struck",
                "predicted",
                "observed",
                "low_95",
                "high_95",
                "brier",
                "reliability",
                "resolution",
                "uncertainty",
            ]),
            correlation: Table::new(&[
                "hazard", "figure", "score", "units", "spearman", "low_95", "high_95",
            ]),
        }
    }

    fn write(&self, draft: &Draft, events: &Table) -> Result<()> {
        for (name, table) in [
            ("skill", &self.skill),
            ("roc", &self.roc),
            ("warnings", &self.warnings),
            ("cells", &self.cells),
            ("losses", &self.losses),
            ("rates", &self.rates),
            ("calibration", &self.calibration),
            ("correlation", &self.correlation),
        ] {
            write_csv(&draft.file(&format!("{name}.csv"))?, table)?;
        }
        write_xlsx(
            &draft.file("validation.xlsx")?,
            &[
                ("历史事件 events", &bilingual(events)),
                ("判别能力 skill", &bilingual(&self.skill)),
                ("命中与空报 warnings", &bilingual(&self.warnings)),
                ("分级占比 cells", &bilingual(&self.cells)),
                ("灾情重现期 losses", &bilingual(&self.losses)),
                ("频次 rates", &bilingual(&self.rates)),
                ("校准 calibration", &bilingual(&self.calibration)),
            ],
        )
    }
}

fn event_table(records: &[Record<'_>], units: &[store::UnitRow]) -> Table {
    let mut table = Table::new(&[
        "date",
        "event",
        "code",
        "place",
        "hazard_text",
        "hazard",
        "units",
        "used",
        "note",
        "status",
        "source",
    ]);
    for r in records {
        let e = r.event;
        let note = match r.place {
            Place::Wider => "wider than the region 范围大于本区域",
            Place::Outside => "outside the region 不在本区域",
            Place::Within if r.hazards.is_empty() => "hazard not modelled here 灾种未建模",
            Place::Within => "",
        };
        let names: Vec<&str> = r.hazards.iter().map(|h| h.name()).collect();
        let codes: Vec<&str> = r.units.iter().map(|&u| units[u].code.as_str()).collect();
        table.rows.push(vec![
            date_text(e).into(),
            e.event.clone().into(),
            e.code.clone().into(),
            e.place.clone().into(),
            e.hazard_text.clone().into(),
            names.join(" ").into(),
            if codes.len() > 12 {
                format!("{} units", codes.len()).into()
            } else {
                codes.join(" ").into()
            },
            i64::from(note.is_empty()).into(),
            note.into(),
            e.status.clone().into(),
            e.source.clone().into(),
        ]);
    }
    table
}

fn date_text(e: &HistoryEvent) -> String {
    let (y, m, d) = e.date;
    format!("{y:04}-{m:02}-{d:02}")
}

/// True for each unit in which a hazard is recorded; an event of several units marks none, for it does not say which.
fn struck_units(records: &[Record<'_>], hazard: Hazard, units: usize) -> Vec<bool> {
    let mut out = vec![false; units];
    for r in records.iter().filter(|r| r.hazards.contains(&hazard)) {
        if let [only] = r.units[..] {
            out[only] = true;
        }
    }
    out
}

fn zh(ctx: &Context<'_>) -> bool {
    ctx.project.products.language == SheetLanguage::Zh
}

fn hazard_title(ctx: &Context<'_>, hazard: Hazard) -> &'static str {
    if zh(ctx) {
        hazard.name_zh()
    } else {
        hazard.name()
    }
}

fn skill_of_units(
    ctx: &Context<'_>,
    draft: &Draft,
    units: &[store::UnitRow],
    records: &[Record<'_>],
    out: &mut Tables,
) -> Result<()> {
    let grades = table::read(&store::existing(ctx, "risk", "grades.csv")?)?;
    let column = |name: &str| grades.require(name);
    let (unit, of) = (column("unit")?, column("hazard")?);
    let (index, risk) = (column("hazard_index")?, column("risk_index")?);
    let (grade, aal) = (column("grade")?, column("aal_yuan")?);
    for hazard in Hazard::ALL {
        let struck = struck_units(records, hazard, units.len());
        if !struck.contains(&true) {
            continue;
        }
        let read = |at: usize| -> Vec<f64> {
            let value = |u: &store::UnitRow| {
                let row = grades
                    .rows
                    .iter()
                    .find(|r| r[unit].to_string() == u.code && r[of].to_string() == hazard.name());
                // A unit without an index has no such hazard: the lowest score there is.
                row.and_then(|r| r[at].as_f64()).unwrap_or(0.0)
            };
            units.iter().map(value).collect()
        };
        let grade_of = read(grade);
        let title = |z: &str, e: &str| if zh(ctx) { z } else { e }.to_string();
        let scores = [
            Score {
                key: "risk_index".into(),
                title: title("风险指数", "risk index"),
                values: read(risk),
            },
            Score {
                key: "hazard_index".into(),
                title: title("危险性指数", "hazard index"),
                values: read(index),
            },
            Score {
                key: "aal_yuan".into(),
                title: title("年均损失", "average annual loss"),
                values: read(aal),
            },
            Score {
                key: "grade".into(),
                title: title("风险等级", "risk grade"),
                // 0 is no grade; else 1 is the highest.
                values: (grade_of.iter())
                    .map(|g| if *g > 0.0 { -g } else { -99.0 })
                    .collect(),
            },
            Score {
                key: "population".into(),
                title: title("常住人口（对照）", "residents (for comparison)"),
                values: units.iter().map(|u| u.population).collect(),
            },
        ];
        let curves = skill(
            hazard.name(),
            "unit",
            &scores,
            &struck,
            (&mut out.skill, &mut out.roc),
        );
        let most = f64::from(ctx.project.validation.warned_grades);
        let warned: Vec<bool> = grade_of.iter().map(|g| *g > 0.0 && *g <= most).collect();
        let t = Contingency::of(&warned, &struck);
        let rule = format!("grade<={most}");
        out.warnings
            .rows
            .push(warning_row(hazard.name(), "unit", &rule, &t));
        roc_plot(ctx, draft, hazard, "unit", &struck, &curves)?;
        correlate(records, hazard, &scores, out);
    }
    Ok(())
}

/// Rank correlation of the losses recorded in single units (the greatest of each) with each score.
fn correlate(records: &[Record<'_>], hazard: Hazard, scores: &[Score], out: &mut Tables) {
    let mut greatest: BTreeMap<usize, f64> = BTreeMap::new();
    for r in records.iter().filter(|r| r.hazards.contains(&hazard)) {
        if let ([only], Some(loss)) = (&r.units[..], r.figure(0)) {
            let slot = greatest.entry(*only).or_default();
            *slot = slot.max(loss);
        }
    }
    let losses: Vec<f64> = greatest.values().copied().collect();
    for score in scores {
        let of: Vec<f64> = greatest.keys().map(|&u| score.values[u]).collect();
        if let Some((r, low, high)) = spearman(&losses, &of, CONFIDENCE) {
            out.correlation.rows.push(vec![
                hazard.name().into(),
                METRICS[0].0.into(),
                score.key.clone().into(),
                Value::Integer(losses.len() as i64),
                r.into(),
                low.into(),
                high.into(),
            ]);
        }
    }
}

fn roc_plot(
    ctx: &Context<'_>,
    draft: &Draft,
    hazard: Hazard,
    level: &str,
    struck: &[bool],
    curves: &[Named],
) -> Result<()> {
    if curves.is_empty() {
        return Ok(());
    }
    let events = struck.iter().filter(|s| **s).count();
    let n = struck.len();
    let (title, x, y, note) = if zh(ctx) {
        let of = if level == "unit" { "单元" } else { "格网" };
        (
            format!(
                "{}：有记录与无记录{of}的判别（ROC）",
                hazard_title(ctx, hazard)
            ),
            "空报率（无记录而被判高者的比例）",
            "命中率",
            format!("{n}个{of}中{events}个有记录；括号内为95%区间"),
        )
    } else {
        (
            format!("{}: recorded against other {level}s (ROC)", hazard.name()),
            "false-alarm rate",
            "hit rate",
            format!("{events} of {n} {level}s have records; 95 % intervals in brackets"),
        )
    };
    let words = Words {
        title: &title,
        x,
        y,
        note: &note,
    };
    let path = draft.file(&format!("plots/roc_{level}_{}.svg", hazard.name()))?;
    save_roc(&path, &words, curves, ctx.fonts)
}

/// Cells at the coordinates of events against all other cells of the units.
fn skill_of_cells(
    ctx: &Context<'_>,
    draft: &Draft,
    records: &[Record<'_>],
    out: &mut Tables,
) -> Result<()> {
    let located = |h: Hazard| {
        records
            .iter()
            .filter(move |r| r.hazards.contains(&h))
            .filter_map(|r| r.event.position)
    };
    if Hazard::ALL.into_iter().all(|h| located(h).next().is_none()) {
        return Ok(());
    }
    let grid = store::grid(ctx)?;
    let inside = store::inside(ctx)?;
    let projector = Projector::new(Crs::CGCS2000, grid.crs);
    for hazard in Hazard::ALL {
        let cells: BTreeSet<usize> = located(hazard)
            .filter_map(|(lon, lat)| {
                let (x, y) = projector.point(lon, lat);
                let (row, col) = grid.cell_at(x, y)?;
                Some(row * grid.cols + col)
            })
            .filter(|&cell| inside[cell])
            .collect();
        if cells.is_empty() {
            continue;
        }
        let name = hazard.name();
        let band = |file: String| geotiff::read_f32(&store::existing(ctx, "risk", &file)?, 1);
        let index = band(format!("{name}_hazard_index.tif"))?;
        let grade = store::classes(ctx, "risk", &format!("{name}_hazard_grade.tif"))?;
        let kept: Vec<usize> = (0..inside.len()).filter(|&c| inside[c]).collect();
        let struck: Vec<bool> = kept.iter().map(|c| cells.contains(c)).collect();
        let score = Score {
            key: "hazard_index".into(),
            title: if zh(ctx) {
                "危险性指数"
            } else {
                "hazard index"
            }
            .into(),
            values: (kept.iter().map(|&c| f64::from(index.values()[c])))
                .map(|v| if v.is_nan() { 0.0 } else { v })
                .collect(),
        };
        let curves = skill(
            name,
            "cell",
            &[score],
            &struck,
            (&mut out.skill, &mut out.roc),
        );
        let grades: Vec<u8> = kept.iter().map(|&c| grade.values()[c]).collect();
        out.cells.rows.extend(class_rows(name, &grades, &struck));
        let most = ctx.project.validation.warned_grades;
        let warned: Vec<bool> = grades.iter().map(|g| (1..=most).contains(g)).collect();
        let t = Contingency::of(&warned, &struck);
        let rule = format!("grade<={most}");
        out.warnings.rows.push(warning_row(name, "cell", &rule, &t));
        roc_plot(ctx, draft, hazard, "cell", &struck, &curves)?;
    }
    Ok(())
}

/// The simulated events: of each year, cause, hazard and unit the figures of [`METRICS`].
struct Simulated {
    years: usize,
    rows: Vec<(u32, u64, u8, u16, [f64; 4])>,
}

impl Simulated {
    fn read(ctx: &Context<'_>, units: usize) -> Result<Self> {
        let path = store::existing(ctx, "losses", "event_loss.parquet")?;
        let columns = parquet::read(&path)?;
        let column = |name: &str| {
            let found = columns.iter().find(|c| c.name == name).map(|c| &c.data);
            found.ok_or_else(|| missing(&path))
        };
        let other = |name: &str| {
            Error::Failed(format!(
                "{}: column {name} is of another type",
                path.display()
            ))
        };
        let u32s = |name: &str| match column(name)? {
            ColumnData::U32(v) => Ok(v),
            _ => Err(other(name)),
        };
        let f64s = |name: &str| match column(name)? {
            ColumnData::F64(v) => Ok(v),
            _ => Err(other(name)),
        };
        let ColumnData::U64(cause) = column("cause")? else {
            return Err(other("cause"));
        };
        let (year, hazard, unit) = (u32s("year")?, u32s("hazard")?, u32s("unit")?);
        let mut figures = vec![[0.0; 4]; year.len()];
        for (k, (_, parts)) in METRICS.iter().enumerate() {
            for part in *parts {
                for (row, v) in figures.iter_mut().zip(f64s(part)?) {
                    row[k] += v;
                }
            }
        }
        let rows = (0..year.len())
            .filter(|&i| (unit[i] as usize) < units)
            .map(|i| {
                (
                    year[i],
                    cause[i],
                    hazard[i] as u8,
                    unit[i] as u16,
                    figures[i],
                )
            })
            .collect();
        Ok(Simulated {
            years: ctx.project.losses.years as usize,
            rows,
        })
    }

    /// Greatest event of each year by a metric, summed over units and hazards; events of one cause count as one.
    fn greatest(&self, metric: usize, units: &[usize], hazards: &[Hazard]) -> Vec<f64> {
        let mut of_event: BTreeMap<(u32, u64), f64> = BTreeMap::new();
        let codes: Vec<u8> = hazards.iter().map(|h| h.code() as u8).collect();
        for (year, cause, hazard, unit, figures) in &self.rows {
            if codes.contains(hazard) && units.binary_search(&usize::from(*unit)).is_ok() {
                *of_event.entry((*year, *cause)).or_default() += figures[metric];
            }
        }
        let mut out = vec![0.0_f64; self.years];
        for ((year, _), v) in of_event {
            let slot = &mut out[year as usize];
            *slot = slot.max(v);
        }
        out
    }

    /// Number of simulated events with at least this figure.
    fn events(&self, metric: usize, units: &[usize], hazard: Hazard, least: f64) -> usize {
        let mut of_event: BTreeMap<(u32, u64), f64> = BTreeMap::new();
        for (year, cause, code, unit, figures) in &self.rows {
            if *code == hazard.code() as u8 && units.binary_search(&usize::from(*unit)).is_ok() {
                *of_event.entry((*year, *cause)).or_default() += figures[metric];
            }
        }
        of_event.values().filter(|v| **v >= least).count()
    }
}

/// Every reported figure on the simulated curve of the greatest event of a year.
fn reported(
    ctx: &Context<'_>,
    draft: &Draft,
    units: &[store::UnitRow],
    records: &[Record<'_>],
    simulated: &Simulated,
    out: &mut Tables,
) -> Result<()> {
    let mut marks: BTreeMap<(Vec<usize>, Vec<Hazard>), Vec<ReportedMark>> = BTreeMap::new();
    for r in records
        .iter()
        .filter(|r| !r.units.is_empty() && !r.hazards.is_empty())
    {
        for (metric, (name, _)) in METRICS.iter().enumerate() {
            let Some(value) = r.figure(metric).filter(|v| *v > 0.0) else {
                continue;
            };
            let yearly = simulated.greatest(metric, &r.units, &r.hazards);
            let p = position(&yearly, value, CONFIDENCE);
            let mean = yearly.iter().sum::<f64>() / yearly.len() as f64;
            let hazards: Vec<&str> = r.hazards.iter().map(|h| h.name()).collect();
            let note = if p.reached == 0 {
                "greater than every simulated year 超过全部模拟年"
            } else if metric == 0 {
                "money of its year, not deflated 当年价，未折算"
            } else {
                ""
            };
            out.losses.rows.push(vec![
                date_text(r.event).into(),
                r.event.event.clone().into(),
                r.event.code.clone().into(),
                hazards.join(" ").into(),
                (*name).into(),
                value.into(),
                i64::from(p.years).into(),
                i64::from(p.reached).into(),
                number(p.return_period),
                number(p.low),
                number(p.high),
                mean.into(),
                note.into(),
            ]);
            if metric == 0 {
                marks
                    .entry((r.units.clone(), r.hazards.clone()))
                    .or_default()
                    .push(ReportedMark {
                        name: r.name(),
                        return_period: p.return_period,
                        low: p.low,
                        high: p.high,
                        value: value / 1e8,
                    });
            }
        }
    }
    for (k, ((of, hazards), marks)) in marks.iter().enumerate() {
        let mut yearly = simulated.greatest(0, of, hazards);
        yearly.sort_by(f64::total_cmp);
        let n = yearly.len();
        let names: Vec<&str> = hazards.iter().map(|h| hazard_title(ctx, *h)).collect();
        let place = match of[..] {
            [only] => units[only].name.clone(),
            _ if of.len() == units.len() => ctx.project.project.name.clone(),
            _ => format!("{}…", units[of[0]].name),
        };
        let curve = Named {
            name: if zh(ctx) {
                "模拟：年最大一次事件"
            } else {
                "simulated: greatest event of a year"
            }
            .into(),
            // Ranks from the greatest, thinned out on the logarithmic axis.
            points: (1..=n)
                .rev()
                .filter(|&k| k <= 60 || k % (k / 60).max(1) == 0)
                .map(|k| (n as f64 / k as f64, yearly[n - k] / 1e8))
                .collect(),
        };
        let (title, x, y, note) = if zh(ctx) {
            (
                format!(
                    "{place}{}：上报损失在模拟超越曲线上的位置",
                    names.join("、")
                ),
                "重现期（年）",
                "一次事件直接经济损失（亿元）",
                format!("横线为{n}个模拟年的95%抽样区间；上报为当年价，未折算"),
            )
        } else {
            (
                format!(
                    "{place} {}: reported losses on the simulated curve",
                    names.join(", ")
                ),
                "return period (years)",
                "direct loss of an event (100 M yuan)",
                format!(
                    "bars: 95 % sampling interval of {n} simulated years; reported money of its year, not deflated"
                ),
            )
        };
        let words = Words {
            title: &title,
            x,
            y,
            note: &note,
        };
        let svg = reported_svg(&words, &[curve], marks, ctx.fonts)?;
        save_plot(
            &draft.file(&format!("plots/reported_{k:02}.svg"))?,
            &svg,
            ctx.fonts,
        )?;
    }
    Ok(())
}

/// Number of events with at least the stated loss in the years of the record, recorded and simulated.
fn rates(
    ctx: &Context<'_>,
    units: &[store::UnitRow],
    records: &[Record<'_>],
    simulated: &Simulated,
    (from, to): (i32, i32),
    out: &mut Tables,
) {
    let least = ctx.project.validation.event_loss_yuan;
    let all: Vec<usize> = (0..units.len()).collect();
    let years = f64::from(to - from + 1);
    for hazard in Hazard::ALL.into_iter().filter(|h| assessed(ctx, *h)) {
        let recorded = records
            .iter()
            .filter(|r| !r.units.is_empty() && r.hazards.contains(&hazard))
            .filter(|r| (from..=to).contains(&r.event.date.0))
            .filter(|r| r.figure(0).is_some_and(|v| v >= least))
            .count() as u32;
        let (low, high) = count_interval(recorded, CONFIDENCE);
        let modelled = simulated.events(0, &all, hazard, least) as f64 / simulated.years as f64;
        out.rates.rows.push(vec![
            hazard.name().into(),
            i64::from(from).into(),
            i64::from(to).into(),
            least.into(),
            i64::from(recorded).into(),
            low.into(),
            high.into(),
            (modelled * years).into(),
        ]);
    }
}

/// Probability that a unit has an event of at least the stated loss in the years of the record, against whether one is recorded.
fn calibrate(
    ctx: &Context<'_>,
    draft: &Draft,
    units: &[store::UnitRow],
    records: &[Record<'_>],
    simulated: &Simulated,
    (from, to): (i32, i32),
    out: &mut Tables,
) -> Result<()> {
    let least = ctx.project.validation.event_loss_yuan;
    let years = f64::from(to - from + 1);
    let (mut predicted, mut struck) = (Vec::new(), Vec::new());
    for hazard in Hazard::ALL.into_iter().filter(|h| assessed(ctx, *h)) {
        for u in 0..units.len() {
            let of_unit = || {
                (records.iter())
                    .filter(|r| r.units[..] == [u] && r.hazards.contains(&hazard))
                    .filter(|r| (from..=to).contains(&r.event.date.0))
            };
            let large = of_unit().any(|r| r.figure(0).is_some_and(|v| v >= least));
            // Recorded without a figure of loss: whether it reached the bound is not known.
            if !large && of_unit().any(|r| r.figure(0).is_none()) {
                continue;
            }
            let yearly = simulated.greatest(0, &[u], &[hazard]);
            let q = yearly.iter().filter(|v| **v >= least).count() as f64 / yearly.len() as f64;
            predicted.push(1.0 - libm::pow(1.0 - q, years));
            struck.push(large);
        }
    }
    if predicted.is_empty() || records.iter().all(|r| r.units.is_empty()) {
        return Ok(());
    }
    let bounds = equal_count_bounds(&predicted, 5);
    let c = calibration(&predicted, &struck, &bounds, CONFIDENCE);
    for (k, bin) in c.bins.iter().enumerate() {
        let whole = |v: f64| if k == 0 { Value::Real(v) } else { Value::Null };
        out.calibration.rows.push(vec![
            Value::Integer(k as i64 + 1),
            i64::from(bin.places).into(),
            i64::from(bin.struck).into(),
            bin.predicted.into(),
            bin.observed.into(),
            bin.low.into(),
            bin.high.into(),
            whole(c.brier),
            whole(c.reliability),
            whole(c.resolution),
            whole(c.uncertainty),
        ]);
    }
    let marks: Vec<CalibrationMark> = c
        .bins
        .iter()
        .map(|b| (b.predicted, b.observed, b.low, b.high, b.places))
        .collect();
    let money = least / 1e8;
    let (title, x, y, note) = if zh(ctx) {
        (
            format!("校准：{from}—{to}年各单元各灾种出现一次损失≥{money}亿元事件的概率"),
            "模拟概率",
            "有记录的比例",
            "n为单元×灾种数；竖线为95%区间；历史记录不全时点位偏低".to_string(),
        )
    } else {
        (
            format!("Calibration: an event of ≥ {money} × 100 M yuan in {from}–{to}, by unit and hazard"),
            "simulated probability",
            "share with a record",
            "n: pairs of unit and hazard; bars: 95 % intervals; an incomplete record pulls points down".to_string(),
        )
    };
    let words = Words {
        title: &title,
        x,
        y,
        note: &note,
    };
    let svg = calibration_svg(&words, &marks, ctx.fonts)?;
    save_plot(&draft.file("plots/calibration.svg")?, &svg, ctx.fonts)
}
