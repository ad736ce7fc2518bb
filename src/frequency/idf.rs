//! Intensity-duration-frequency of a station and the storm formula (暴雨强度公式) through it: from a table of annual maxima,
//! one column a duration.

use super::outputs::{fonts, law_name, method_name, save, save_picture, short};
use super::{check_return_periods, folder, manifest, option_fault, series};
use crate::manifest::{Draft, RELEASE};
use anlan_engine::extremes::{CurveFitting, Distribution, Method, Plotting};
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::{Error, Fault, Result};
use anlan_models::cartography::SheetLanguage;
use anlan_models::cartography::paper::{IntensityCurve, IntensityPlot, Picture, intensity_paper};
use anlan_models::flood::idf::{FormulaFit, IdfTable, Limits, Weighing, duration_of_heading};
use anlan_models::flood::rain::ArealReduction;
use anlan_models::flood::rivers::RiverTables;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Unit of the values of a table of maxima.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RainUnit {
    /// Depth in the duration, mm.
    #[default]
    Depth,
    /// Intensity, mm/h.
    PerHour,
    /// Intensity, mm/min.
    PerMinute,
}

/// Options of an intensity-duration-frequency analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct IdfOptions {
    /// Column of years; one with a known name, else the first, where none is named.
    pub time: Option<String>,
    /// Unit of the values.
    pub unit: RainUnit,
    /// Law of the annual maxima.
    pub distribution: Distribution,
    /// Method; none: the customary one of the law.
    pub method: Option<Method>,
    /// Options of curve fitting (适线法).
    pub curve_fitting: CurveFitting,
    /// Plotting positions.
    pub plotting: Plotting,
    /// Return periods, years, above 1, ascending.
    pub return_periods: Vec<f64>,
    /// Longest duration that the formula is fitted to, min.
    pub longest_min: f64,
    /// What the fit of the formula weighs.
    pub weighing: Weighing,
    /// Limits of the formula's error.
    pub limits: Limits,
    /// Areas, km², above 0, over which the depths of the station are reduced (点面折减).
    pub areas_km2: Vec<f64>,
    /// Take a series with missing years as it is.
    pub gaps: bool,
    /// Output folder; `out` beside the table by default.
    pub out: Option<PathBuf>,
    /// True: plot and summary in Chinese.
    pub zh: bool,
    /// Further fonts for the plot.
    pub fonts: Vec<PathBuf>,
}

impl Default for IdfOptions {
    fn default() -> Self {
        IdfOptions {
            time: None,
            unit: RainUnit::default(),
            distribution: Distribution::Pearson3,
            method: None,
            curve_fitting: CurveFitting::default(),
            plotting: Plotting::default(),
            return_periods: vec![2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0],
            longest_min: 180.0,
            weighing: Weighing::default(),
            limits: Limits::default(),
            areas_km2: Vec::new(),
            gaps: false,
            out: None,
            zh: false,
            fonts: Vec::new(),
        }
    }
}

struct Told {
    table: IdfTable,
    fit: FormulaFit,
    years: usize,
    missing: Vec<i32>,
    areal: ArealReduction,
}

/// Fits annual maxima of rain by duration and the storm formula through them; writes tables, plot and summary to `idf/` in
/// the output folder, which is returned. The headings of the columns are the durations (`5min`, `1h`, `24小时`; bare
/// numbers count as minutes).
///
/// # Errors
/// Faults of the table, all together; headings that are no durations; laws that cross by more than 20 %; fewer than four
/// durations for the formula; options out of range.
pub fn run_idf(path: &Path, options: &IdfOptions) -> Result<PathBuf> {
    let mut faults = Vec::new();
    check_return_periods(&options.return_periods, &mut faults);
    if options.return_periods.len() < 2 || options.return_periods.windows(2).any(|w| w[0] >= w[1]) {
        faults.push(option_fault(
            "--return-periods",
            format!("{:?}", options.return_periods),
            "two or more in ascending order",
            "sort the return periods",
        ));
    }
    if !options.areas_km2.iter().all(|a| *a > 0.0 && a.is_finite()) {
        faults.push(option_fault(
            "--areas",
            format!("{:?}", options.areas_km2),
            "areas above 0 km²",
            "correct the areas",
        ));
    }
    let method = options.method.unwrap_or(options.distribution.customary());
    if options.distribution == Distribution::Gpd || !options.distribution.allows(method) {
        faults.push(option_fault(
            "--distribution, --method",
            format!(
                "{} by {}",
                law_name(options.distribution, false),
                method_name(method, false)
            ),
            "pearson3 by curve-fitting or l-moments, gev or gumbel by any method",
            "choose another law or method",
        ));
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let read = series::annual(path, options.time.as_deref(), None, true, options.gaps)?;
    let mut columns: Vec<(f64, Vec<f64>)> = Vec::new();
    for (name, values) in read.names.iter().zip(read.values) {
        let Some(minutes) = duration_of_heading(name) else {
            faults.push(
                Fault::new(
                    path,
                    format!("`{name}`"),
                    "a duration such as 5min, 1h or 24小时",
                    "rename the column, or take it out of the table",
                )
                .at("headings"),
            );
            continue;
        };
        let hours = minutes / 60.0;
        let depth = |v: f64| match options.unit {
            RainUnit::Depth => v,
            RainUnit::PerHour => v * hours,
            RainUnit::PerMinute => v * minutes,
        };
        columns.push((minutes, values.into_iter().map(depth).collect()));
    }
    columns.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let Some(w) = columns.windows(2).find(|w| w[0].0 == w[1].0) {
        faults.push(
            Fault::new(
                path,
                format!("{} min twice", w[0].0),
                "each duration once",
                "keep one of the columns",
            )
            .at("headings"),
        );
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let (durations, depths): (Vec<f64>, Vec<Vec<f64>>) = columns.into_iter().unzip();
    let table = IdfTable::from_maxima(
        &durations,
        &depths,
        &options.return_periods,
        (options.distribution, method),
        &options.curve_fitting,
        options.plotting,
    )
    .map_err(|e| in_file(path, e))?;
    let fit = table
        .fit_formula(options.longest_min, options.weighing, &options.limits)
        .ok_or_else(|| {
            Error::input(
                Fault::new(
                    path,
                    format!(
                        "durations {durations:?} min, of which a formula up to {} min is wanted",
                        options.longest_min
                    ),
                    "four or more durations that a formula fits",
                    "add durations, or raise --longest",
                )
                .at("headings"),
            )
        })?;
    let told = Told {
        table,
        fit,
        years: read.years.len(),
        missing: read.missing,
        areal: RiverTables::published().areal_reduction,
    };
    let out = folder(path, options.out.as_deref());
    let stated = IdfOptions {
        out: None,
        fonts: Vec::new(),
        ..options.clone()
    };
    let manifest = manifest("idf", path, 0, format!("{stated:?}"))?;
    let draft = Draft::begin(&out, "idf", &manifest.key)?;
    write(path, &told, options, &draft)?;
    draft.commit(manifest)?;
    Ok(out.join("idf"))
}

/// Faults of the numbers, told of the file that they come from.
fn in_file(path: &Path, error: Error) -> Error {
    match error {
        Error::Input(faults) => Error::Input(
            faults
                .into_iter()
                .map(|f| {
                    let place = f.file.display().to_string();
                    Fault {
                        file: path.to_path_buf(),
                        ..f
                    }
                    .at(place)
                })
                .collect(),
        ),
        other => other,
    }
}

fn write(path: &Path, told: &Told, options: &IdfOptions, draft: &Draft) -> Result<()> {
    let mut tables = vec![
        ("idf", values(told)),
        ("formula", formula(told, options)),
        ("errors", errors(told)),
    ];
    if !options.areas_km2.is_empty() {
        tables.push(("areal", areal(told, options)));
    }
    for (name, table) in &tables {
        write_csv(&draft.file(&format!("{name}.csv"))?, table)?;
    }
    let sheets: Vec<(&str, &Table)> = tables.iter().map(|(n, t)| (*n, t)).collect();
    write_xlsx(&draft.file("idf.xlsx")?, &sheets)?;
    save_picture(draft, "idf", &plot(path, told, options)?)?;
    save(draft, "summary.md", summary(path, told, options).as_bytes())
}

fn values(told: &Told) -> Table {
    let mut table = Table::new(&[
        "duration_min",
        "return_period_years",
        "depth_mm",
        "intensity_mm_min",
        "formula_mm_min",
        "error_mm_min",
        "relative_error",
    ]);
    let t = &told.table;
    for (d, &minutes) in t.durations_min.iter().enumerate() {
        for (p, &years) in t.return_periods.iter().enumerate() {
            let i = t.intensity_mm_min[d][p];
            let mut row = vec![
                minutes.into(),
                years.into(),
                t.depth_mm(d, p).into(),
                i.into(),
            ];
            if told.fit.durations_min.contains(&minutes) {
                let f = told.fit.formula.intensity_mm_min(minutes / 60.0, years);
                row.extend([f.into(), (f - i).into(), (f / i - 1.0).into()]);
            } else {
                row.resize_with(7, Default::default);
            }
            table.rows.push(row);
        }
    }
    table
}

fn formula(told: &Told, options: &IdfOptions) -> Table {
    let mut table = Table::new(&["quantity", "value", "unit"]);
    let f = told.fit.formula;
    let longest = told.fit.durations_min.last().copied().unwrap_or(f64::NAN);
    for (name, value, unit) in [
        ("167 A1", 167.0 * f.a1, "L/(s ha)"),
        ("A1", f.a1, "mm/min"),
        ("C", f.c, ""),
        ("b", f.b, "min"),
        ("n", f.n, ""),
        ("longest duration", longest, "min"),
        (
            "mean absolute rms error",
            told.fit.mean.absolute_mm_min,
            "mm/min",
        ),
        ("mean relative rms error", told.fit.mean.relative, ""),
        (
            "limit of the absolute error (unverified)",
            options.limits.absolute_mm_min,
            "mm/min",
        ),
        (
            "limit of the relative error (unverified)",
            options.limits.relative,
            "",
        ),
    ] {
        table
            .rows
            .push(vec![name.into(), value.into(), unit.into()]);
    }
    table
}

fn errors(told: &Told) -> Table {
    let mut table = Table::new(&[
        "return_period_years",
        "rms_error_mm_min",
        "relative_rms_error",
    ]);
    for (t, e) in told.table.return_periods.iter().zip(&told.fit.by_period) {
        table.rows.push(vec![
            (*t).into(),
            e.absolute_mm_min.into(),
            e.relative.into(),
        ]);
    }
    table
}

/// Depths over areas: those of the station times the factor of each area and duration.
fn areal(told: &Told, options: &IdfOptions) -> Table {
    let mut table = Table::new(&[
        "area_km2",
        "duration_min",
        "return_period_years",
        "factor",
        "depth_mm",
    ]);
    let t = &told.table;
    for &area in &options.areas_km2 {
        for (d, &minutes) in t.durations_min.iter().enumerate() {
            let factor = told.areal.factor(area, minutes / 60.0);
            for (p, &years) in t.return_periods.iter().enumerate() {
                let depth = factor * t.depth_mm(d, p);
                table.rows.push(vec![
                    area.into(),
                    minutes.into(),
                    years.into(),
                    factor.into(),
                    depth.into(),
                ]);
            }
        }
    }
    table
}

/// The formula as it is printed.
fn formula_text(fit: &FormulaFit) -> String {
    let f = fit.formula;
    let sign = if f.c < 0.0 { "-" } else { "+" };
    format!(
        "q = {:.3} × (1 {sign} {:.3} lg P) / (t + {:.3})^{:.3}",
        167.0 * f.a1,
        f.c.abs(),
        f.b,
        f.n
    )
}

fn error_text(told: &Told, options: &IdfOptions, zh: bool) -> String {
    let (e, l) = (told.fit.mean, options.limits);
    let (absolute, relative) = (short(e.absolute_mm_min), 100.0 * e.relative);
    if zh {
        format!(
            "{}～{}年平均绝对均方根误差 {absolute} mm/min，平均相对均方根误差 {relative:.2}%",
            l.from_years, l.to_years
        )
    } else {
        format!(
            "Mean rms error over {} to {} years: {absolute} mm/min, relative {relative:.2} %",
            l.from_years, l.to_years
        )
    }
}

fn plot(path: &Path, told: &Told, options: &IdfOptions) -> Result<Picture> {
    let zh = options.zh;
    let t = &told.table;
    let fitted = &told.fit.durations_min;
    let (first, last) = (fitted[0], fitted[fitted.len() - 1]);
    let periods = t
        .return_periods
        .iter()
        .enumerate()
        .map(|(p, &years)| IntensityCurve {
            name: if zh {
                format!("{years}年一遇")
            } else {
                format!("{years} years")
            },
            curve: (0..=100)
                .map(|k| {
                    let minutes = first * libm::pow(last / first, f64::from(k) / 100.0);
                    (
                        minutes,
                        told.fit.formula.intensity_mm_min(minutes / 60.0, years),
                    )
                })
                .collect(),
            points: (0..t.durations_min.len())
                .map(|d| (t.durations_min[d], t.intensity_mm_min[d][p]))
                .collect(),
        })
        .collect();
    let stem = path
        .file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default();
    let (title, y_name) = if zh {
        ("暴雨强度公式".to_string(), "强度 i（mm/min）".to_string())
    } else {
        (
            "Storm formula".to_string(),
            "Intensity i (mm/min)".to_string(),
        )
    };
    let plot = IntensityPlot {
        title: format!("{title}: {stem}"),
        y_name,
        periods,
        parameters: {
            let errors = error_text(told, options, zh);
            let (first, second) = errors
                .split_once(if zh { "，" } else { ", " })
                .unwrap_or((&errors, ""));
            vec![formula_text(&told.fit), first.into(), second.into()]
        },
        note: format!("{stem} · {RELEASE}"),
        language: if zh {
            SheetLanguage::Zh
        } else {
            SheetLanguage::En
        },
    };
    intensity_paper(&plot, &fonts(&options.fonts)?)
}

fn summary(path: &Path, told: &Told, options: &IdfOptions) -> String {
    let zh = options.zh;
    let mut out = String::new();
    let mut say = |zh_text: String, text: String| {
        let _ = writeln!(out, "{}\n", if zh { zh_text } else { text });
    };
    let file = path
        .file_name()
        .map(|f| f.to_string_lossy().into_owned())
        .unwrap_or_default();
    let method = options.method.unwrap_or(options.distribution.customary());
    let (d, n) = (options.distribution, told.years);
    say(
        format!("# {file}：暴雨强度公式"),
        format!("# {file}: storm formula"),
    );
    say(
        format!(
            "{n}年年最大值，{}个历时，{}（{}）。{RELEASE}。",
            told.table.durations_min.len(),
            law_name(d, true),
            method_name(method, true)
        ),
        format!(
            "Annual maxima of {n} years, {} durations, {} by {}. {RELEASE}.",
            told.table.durations_min.len(),
            law_name(d, false),
            method_name(method, false)
        ),
    );
    if !told.missing.is_empty() {
        let years = series::spans(&told.missing);
        say(
            format!(
                "注意：缺{}年（{years}），按现有年份计算。",
                told.missing.len()
            ),
            format!(
                "Note: {} years are missing ({years}); fitted to those there are.",
                told.missing.len()
            ),
        );
    }
    if told.table.mended > 0 {
        let change = 100.0 * told.table.greatest_change;
        say(
            format!(
                "注意：相邻历时的曲线相交，已调整{}个值，最大{change:.1}%。",
                told.table.mended
            ),
            format!(
                "Note: laws of neighbouring durations cross; {} values were moved, by {change:.1} % at most.",
                told.table.mended
            ),
        );
    }
    let longest = told.fit.durations_min.last().copied().unwrap_or(f64::NAN);
    let text = formula_text(&told.fit);
    say(
        format!("**{text}**\n\nq：L/(s·ha)；P：重现期（年）；t：历时（分钟），至{longest}分钟。"),
        format!("**{text}**\n\nq in L/(s ha), P in years, t in minutes, up to {longest} min."),
    );
    let l = options.limits;
    let keeps = told.fit.keeps(&l);
    say(
        format!(
            "{}。限值{} mm/min或{:.0}%（未经核实）：{}。",
            error_text(told, options, true),
            l.absolute_mm_min,
            100.0 * l.relative,
            if keeps { "符合" } else { "不符合" }
        ),
        format!(
            "{}. Limits of {} mm/min or {:.0} % (unverified): {}.",
            error_text(told, options, false),
            l.absolute_mm_min,
            100.0 * l.relative,
            if keeps { "kept" } else { "exceeded" }
        ),
    );
    let mut table = String::from(if zh {
        "| 历时（分钟） |"
    } else {
        "| duration (min) |"
    });
    for t in &told.table.return_periods {
        let _ = write!(table, " {t}{} |", if zh { "年" } else { " years" });
    }
    let _ = write!(
        table,
        "\n|{}",
        " --- |".repeat(told.table.return_periods.len() + 1)
    );
    for (d, minutes) in told.table.durations_min.iter().enumerate() {
        let _ = write!(table, "\n| {minutes} |");
        for p in 0..told.table.return_periods.len() {
            let _ = write!(table, " {} |", short(told.table.depth_mm(d, p)));
        }
    }
    say(
        format!("设计雨量（mm）：\n\n{table}"),
        format!("Depths (mm):\n\n{table}"),
    );
    if !options.areas_km2.is_empty() {
        let (a, verified) = (&told.areal, told.areal.status == "read");
        say(
            format!(
                "面雨量见`areal.csv`：点雨量乘以点面折减系数（{}{}）。",
                a.source,
                if verified { "" } else { "；未经核实" }
            ),
            format!(
                "Depths over areas in `areal.csv`: those of the station times the areal reduction of {} ({}).",
                a.source, a.status
            ),
        );
    }
    out
}
