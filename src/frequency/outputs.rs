//! Tables, probability paper and summary of a frequency analysis.

use super::{Analysis, Band, FrequencyOptions, Kind, Told};
use crate::frequency::series::spans;
use crate::manifest::{Draft, RELEASE};
use anlan_engine::extremes::{Distribution, Law, Method, Plotting};
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::{Value, write_atomic};
use anlan_engine::{Error, Result};
use anlan_models::cartography::paper::{
    FrequencyCurve, FrequencyPlot, FrequencyPoints, Picture, probability_paper,
};
use anlan_models::cartography::{Colour, Fonts, SheetLanguage};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Name of a law.
pub(super) fn law_name(distribution: Distribution, zh: bool) -> &'static str {
    match (distribution, zh) {
        (Distribution::Pearson3, true) => "皮尔逊Ⅲ型",
        (Distribution::Pearson3, false) => "Pearson III",
        (Distribution::Gev, true) => "广义极值",
        (Distribution::Gev, false) => "GEV",
        (Distribution::Gumbel, true) => "耿贝尔",
        (Distribution::Gumbel, false) => "Gumbel",
        (Distribution::Gpd, true) => "广义帕累托",
        (Distribution::Gpd, false) => "generalised Pareto",
    }
}

/// Name of a method.
pub(super) fn method_name(method: Method, zh: bool) -> &'static str {
    match (method, zh) {
        (Method::CurveFitting, true) => "适线法",
        (Method::CurveFitting, false) => "curve fitting",
        (Method::LMoments, true) => "线性矩法",
        (Method::LMoments, false) => "L-moments",
        (Method::Likelihood, true) => "极大似然法",
        (Method::Likelihood, false) => "maximum likelihood",
    }
}

fn plotting_name(plotting: Plotting) -> &'static str {
    match plotting {
        Plotting::Weibull => "m/(n+1)",
        Plotting::Hazen => "(m-0.5)/n",
        Plotting::Gringorten => "(m-0.44)/(n+0.12)",
        Plotting::Cunnane => "(m-0.4)/(n+0.2)",
        Plotting::Blom => "(m-0.375)/(n+0.25)",
    }
}

/// Name of a parameter in a text.
fn parameter_name(name: &str, zh: bool) -> &str {
    match (name, zh) {
        ("mean", true) => "均值",
        ("cv", _) => "Cv",
        ("cs", _) => "Cs",
        ("location", true) => "位置参数",
        ("scale", true) => "尺度参数",
        ("shape", true) => "形状参数",
        _ => name,
    }
}

/// A number for a cell; blank where there is none.
fn cell(v: f64) -> Value {
    if v.is_finite() {
        Value::Real(v)
    } else {
        Value::Null
    }
}

/// Four significant digits, without exponents for customary sizes.
pub(super) fn short(v: f64) -> String {
    if !v.is_finite() {
        return "–".into();
    }
    let size = if v == 0.0 {
        0.0
    } else {
        libm::log10(v.abs()).floor()
    };
    let decimals = (3.0 - size).clamp(0.0, 8.0) as usize;
    format!("{v:.decimals$}")
}

pub(super) fn write(
    path: &Path,
    analysis: &Analysis,
    options: &FrequencyOptions,
    draft: &Draft,
) -> Result<()> {
    let mut tables = vec![
        ("parameters", parameters(analysis)),
        ("return_levels", return_levels(analysis, options)),
        ("positions", positions(analysis)),
    ];
    if !analysis.checks.is_empty() {
        tables.push(("thresholds", thresholds(analysis)));
    }
    for (name, table) in &tables {
        write_csv(&draft.file(&format!("{name}.csv"))?, table)?;
    }
    let sheets: Vec<(&str, &Table)> = tables.iter().map(|(n, t)| (*n, t)).collect();
    write_xlsx(&draft.file("frequency.xlsx")?, &sheets)?;
    let picture = plot(path, analysis, options)?;
    save_picture(draft, "frequency", &picture)?;
    save(
        draft,
        "summary.md",
        summary(path, analysis, options).as_bytes(),
    )
}

pub(super) fn save(draft: &Draft, name: &str, bytes: &[u8]) -> Result<()> {
    let path = draft.file(name)?;
    write_atomic(&path, |tmp| {
        std::fs::write(tmp, bytes).map_err(|e| Error::io("writing", &path, e))
    })
}

pub(super) fn save_picture(draft: &Draft, name: &str, picture: &Picture) -> Result<()> {
    save(draft, &format!("{name}.png"), &picture.png)?;
    save(draft, &format!("{name}.svg"), picture.svg.as_bytes())
}

pub(super) fn fonts(files: &[PathBuf]) -> Result<Fonts> {
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    Fonts::with_files(&files)
}

fn parameters(analysis: &Analysis) -> Table {
    let mut table = Table::new(&[
        "distribution",
        "method",
        "parameter",
        "value",
        "standard_error",
        "sample_size",
        "rate_per_year",
        "negative_log_likelihood",
        "aic",
        "kolmogorov_distance",
        "rmse",
        "efficiency",
    ]);
    for told in &analysis.told {
        let law = told.fitted.law;
        let d = law.distribution();
        let names = d.parameter_names();
        let errors = told.fitted.standard_errors();
        for (i, name) in names.iter().enumerate() {
            table.rows.push(vec![
                law_name(d, false).into(),
                method_name(told.fitted.method, false).into(),
                (*name).into(),
                cell(law.parameters()[i]),
                cell(errors[i]),
                (analysis.sample.values.len() as i64).into(),
                told.fitted.rate_per_year.map_or(Value::Null, Value::Real),
                cell(told.negative_log_likelihood),
                cell(2.0 * told.negative_log_likelihood + 2.0 * names.len() as f64),
                cell(told.goodness.ks),
                cell(told.goodness.rmse),
                cell(told.goodness.efficiency),
            ]);
        }
    }
    table
}

fn return_levels(analysis: &Analysis, options: &FrequencyOptions) -> Table {
    let mut table = Table::new(&[
        "distribution",
        "method",
        "return_period_years",
        "exceedance_percent",
        "value",
        "low",
        "high",
        "confidence",
        "band",
    ]);
    for told in &analysis.told {
        for &t in &options.return_periods {
            let i = told.interval(t, options);
            table.rows.push(vec![
                law_name(told.fitted.law.distribution(), false).into(),
                method_name(told.fitted.method, false).into(),
                t.into(),
                (100.0 * annual_exceedance(told, t)).into(),
                cell(i.value),
                cell(i.low),
                cell(i.high),
                options.confidence.into(),
                match options.band {
                    Band::Bootstrap => "bootstrap",
                    Band::Delta => "delta",
                }
                .into(),
            ]);
        }
    }
    table
}

/// Probability that the value of a return period is exceeded in a year.
fn annual_exceedance(told: &Told, years: f64) -> f64 {
    match told.fitted.rate_per_year {
        Some(_) => -libm::expm1(-1.0 / years),
        None => 1.0 / years,
    }
}

/// Probability that a plotted value is exceeded in a year: peaks come at the sample's rate (Poisson).
fn annual_position(analysis: &Analysis, exceedance: f64) -> f64 {
    match analysis.sample.rate_per_year() {
        Some(rate) => -libm::expm1(-rate * exceedance),
        None => exceedance,
    }
}

fn positions(analysis: &Analysis) -> Table {
    let mut table = Table::new(&[
        "rank",
        "label",
        "value",
        "exceedance_percent",
        "return_period_years",
    ]);
    for (i, (label, v, p)) in labelled(analysis).into_iter().enumerate() {
        let t = 1.0 / analysis.sample.rate_per_year().map_or(p, |r| r * p);
        table.rows.push(vec![
            (i as i64 + 1).into(),
            label.into(),
            v.into(),
            (100.0 * annual_position(analysis, p)).into(),
            t.into(),
        ]);
    }
    table
}

/// Label, value and exceedance probability of each value, greatest first; `historic` for floods before the record.
fn labelled(analysis: &Analysis) -> Vec<(String, f64, f64)> {
    let mut left: Vec<&(String, f64)> = analysis.taken.values.iter().collect();
    left.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut left = left.into_iter().peekable();
    let sample = &analysis.sample;
    let pairs = sample.values.iter().zip(&sample.exceedance);
    pairs
        .map(|(&v, &p)| {
            let label = left.next_if(|l| l.1 == v).map_or("historic", |l| &l.0);
            (label.to_string(), v, p)
        })
        .collect()
}

fn thresholds(analysis: &Analysis) -> Table {
    let mut table = Table::new(&[
        "threshold",
        "peaks",
        "mean_excess",
        "mean_excess_standard_error",
        "shape",
        "shape_standard_error",
        "modified_scale",
    ]);
    for c in &analysis.checks {
        table.rows.push(vec![
            c.threshold.into(),
            (c.count as i64).into(),
            cell(c.mean_excess),
            cell(c.mean_excess_error),
            cell(c.shape),
            cell(c.shape_error),
            cell(c.modified_scale),
        ]);
    }
    table
}

const COLOURS: [[u8; 3]; 4] = [[20, 80, 170], [190, 60, 40], [30, 130, 70], [130, 60, 150]];

/// Places of a curve on the paper, as annual exceedance probabilities: even steps of the normal quantile.
fn places() -> impl Iterator<Item = f64> {
    (0..=240).map(|k| anlan_engine::distributions::normal_cdf(-3.72 + 7.44 * f64::from(k) / 240.0))
}

/// Return period of an annual exceedance probability.
fn period(told: &Told, exceedance: f64) -> f64 {
    match told.fitted.rate_per_year {
        Some(_) => -1.0 / libm::log1p(-exceedance),
        None => 1.0 / exceedance,
    }
}

/// Parameters in the words of practice.
fn parameter_text(law: &Law, zh: bool) -> String {
    let p = law.parameters();
    // Words: the map font has no Greek.
    let [loc, scale, shape, threshold] = if zh {
        ["位置", "尺度", "形状", "门限"]
    } else {
        ["location", "scale", "shape", "threshold"]
    };
    match law {
        Law::Pearson3(_) => format!(
            "{} = {}, Cv = {:.3}, Cs = {:.3}, Cs/Cv = {:.2}",
            if zh { "均值" } else { "mean" },
            short(p[0]),
            p[1],
            p[2],
            p[2] / p[1]
        ),
        Law::Gev(_) => format!(
            "{loc} {}, {scale} {}, {shape} {:.4}",
            short(p[0]),
            short(p[1]),
            p[2]
        ),
        Law::Gumbel(_) => format!("{loc} {}, {scale} {}", short(p[0]), short(p[1])),
        Law::Gpd(c) => format!(
            "{threshold} {}, {scale} {}, {shape} {:.4}",
            short(c.threshold),
            short(p[0]),
            p[1]
        ),
    }
}

fn plot(path: &Path, analysis: &Analysis, options: &FrequencyOptions) -> Result<Picture> {
    let zh = options.zh;
    let label = if options.label.is_empty() {
        &analysis.name
    } else {
        &options.label
    };
    let mut curves = Vec::new();
    let mut parameters = Vec::new();
    for (k, told) in analysis.told.iter().enumerate() {
        let law = told.fitted.law;
        let points = places()
            .map(|p| {
                let i = told.interval(period(told, p), options);
                // Bands of several laws would hide each other.
                if analysis.told.len() > 1 {
                    (p, i.value, f64::NAN, f64::NAN)
                } else {
                    (p, i.value, i.low, i.high)
                }
            })
            .collect();
        let name = format!(
            "{}{}{}",
            law_name(law.distribution(), zh),
            if zh { "，" } else { ", " },
            method_name(told.fitted.method, zh)
        );
        parameters.push(if analysis.told.len() > 1 {
            format!(
                "{}: {}",
                law_name(law.distribution(), zh),
                parameter_text(&law, zh)
            )
        } else {
            parameter_text(&law, zh)
        });
        curves.push(FrequencyCurve {
            name,
            colour: Colour(COLOURS[k % COLOURS.len()]),
            points,
        });
    }
    let n = analysis.sample.values.len();
    let peaks = analysis.sample.rate_per_year();
    parameters.push(match (zh, peaks) {
        (true, None) => format!("n = {n}, 经验频率 {}", plotting_name(options.plotting)),
        (false, None) => format!("n = {n}, plotting {}", plotting_name(options.plotting)),
        (true, Some(r)) => format!("n = {n}, 年均{r:.2}次"),
        (false, Some(r)) => format!("n = {n}, {r:.2} a year"),
    });
    let kinds: [(&str, &str, bool); 2] = [
        ("实测系列", "Observed", false),
        ("历史洪水", "Historic floods", true),
    ];
    let points = kinds
        .iter()
        .map(|(name_zh, name, historic)| FrequencyPoints {
            name: (if zh { *name_zh } else { *name }).to_string(),
            diamonds: *historic,
            points: labelled(analysis)
                .iter()
                .filter(|(l, ..)| (l == "historic") == *historic)
                .map(|(_, v, p)| (annual_position(analysis, *p), *v))
                .collect(),
        })
        .filter(|s| !s.points.is_empty())
        .collect();
    let percent = short(100.0 * options.confidence);
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    let banded = analysis.told.len() == 1;
    let stem = path
        .file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default();
    let plot = FrequencyPlot {
        title: if zh {
            format!("{label}频率曲线")
        } else {
            format!("Frequency curve of {label}")
        },
        y_name: label.clone(),
        curves,
        points,
        band_name: match (banded, zh) {
            (false, _) => String::new(),
            (true, true) => format!("{percent}%置信区间"),
            (true, false) => format!("{percent} % confidence"),
        },
        parameters,
        note: format!("{stem} · {RELEASE}"),
        language: if zh {
            SheetLanguage::Zh
        } else {
            SheetLanguage::En
        },
    };
    probability_paper(&plot, &fonts(&options.fonts)?)
}

fn summary(path: &Path, analysis: &Analysis, options: &FrequencyOptions) -> String {
    let zh = options.zh;
    let mut out = String::new();
    let mut say = |zh_text: String, text: String| {
        let _ = writeln!(out, "{}\n", if zh { zh_text } else { text });
    };
    let name = &analysis.name;
    let file = path
        .file_name()
        .map(|f| f.to_string_lossy().into_owned())
        .unwrap_or_default();
    say(
        format!("# {name}：频率分析"),
        format!("# {name}: frequency analysis"),
    );
    let (n, taken) = (analysis.taken.values.len(), &analysis.taken);
    let first = taken.values.first().map_or("", |v| &v.0);
    let last = taken.values.last().map_or("", |v| &v.0);
    match (options.kind, analysis.sample.rate_per_year()) {
        (Kind::DailyPeaks(how), Some(rate)) => say(
            format!(
                "{file}：超过{}的独立洪峰（暴雨）{n}次，{first}至{last}，{:.1}年，年均{rate:.2}次。{RELEASE}。",
                how.threshold, taken.years
            ),
            format!(
                "{file}: {n} independent peaks above {}, {first} to {last}, {:.1} years, {rate:.2} a year. {RELEASE}.",
                how.threshold, taken.years
            ),
        ),
        _ => say(
            format!(
                "{file}：年最大值{n}个，{first}至{last}，历史洪水{}场，经验频率公式{}。{RELEASE}。",
                analysis.historic,
                plotting_name(options.plotting)
            ),
            format!(
                "{file}: {n} annual maxima, {first} to {last}, {} historic floods, plotting positions {}. {RELEASE}.",
                analysis.historic,
                plotting_name(options.plotting)
            ),
        ),
    }
    if !analysis.missing_years.is_empty() {
        let years = spans(&analysis.missing_years);
        say(
            format!(
                "注意：缺{}年（{years}），按现有年份计算。",
                analysis.missing_years.len()
            ),
            format!(
                "Note: {} years are missing ({years}); fitted to those there are.",
                analysis.missing_years.len()
            ),
        );
    }
    if taken.missing > 0 {
        say(
            format!("注意：缺{}天。", taken.missing),
            format!("Note: {} days are missing.", taken.missing),
        );
    }
    if !taken.left_out.is_empty() {
        let years = spans(&taken.left_out);
        say(
            format!("注意：不完整的年份未采用：{years}。"),
            format!("Note: incomplete years left out: {years}."),
        );
    }
    for told in &analysis.told {
        let law = told.fitted.law;
        let d = law.distribution();
        say(
            format!(
                "## {}（{}）",
                law_name(d, true),
                method_name(told.fitted.method, true)
            ),
            format!(
                "## {}, {}",
                law_name(d, false),
                method_name(told.fitted.method, false)
            ),
        );
        let errors = told.fitted.standard_errors();
        let listed: Vec<String> = d
            .parameter_names()
            .iter()
            .enumerate()
            .map(|(i, name)| {
                format!(
                    "{} {} ± {}",
                    parameter_name(name, zh),
                    short(law.parameters()[i]),
                    short(errors[i])
                )
            })
            .collect();
        let g = told.goodness;
        say(
            format!(
                "{}（± 标准误）；均方根误差{}，确定性系数{:.4}，K-S距离{}。",
                listed.join("，"),
                short(g.rmse),
                g.efficiency,
                short(g.ks)
            ),
            format!(
                "{} (± standard error); root mean square error {}, efficiency {:.4}, Kolmogorov distance {}.",
                listed.join(", "),
                short(g.rmse),
                g.efficiency,
                short(g.ks)
            ),
        );
        if told.fitted.failed > 0 {
            say(
                format!(
                    "注意：{}个自助样本无法拟合，未计入区间。",
                    told.fitted.failed
                ),
                format!(
                    "Note: {} bootstrap samples could not be fitted and are not in the bands.",
                    told.fitted.failed
                ),
            );
        }
        let mut table = if zh {
            "| 重现期（年） | 设计值 | 下限 | 上限 |\n| --- | --- | --- | --- |".to_string()
        } else {
            "| return period (years) | value | low | high |\n| --- | --- | --- | --- |".to_string()
        };
        for &t in &options.return_periods {
            let i = told.interval(t, options);
            let _ = write!(
                table,
                "\n| {t} | {} | {} | {} |",
                short(i.value),
                short(i.low),
                short(i.high)
            );
        }
        say(table.clone(), table);
    }
    let (percent, how) = (100.0 * options.confidence, options.band);
    say(
        format!(
            "上下限为{percent:.0}%置信区间（{}），只含抽样误差，不含系列代表性、线型选择和资料误差。",
            match how {
                Band::Bootstrap => format!("参数自助法，{}个样本", options.replicates),
                Band::Delta => "德尔塔法".into(),
            }
        ),
        format!(
            "Low and high: {percent:.0} % confidence ({}); sampling error only, not the choice of the law nor errors of the data.",
            match how {
                Band::Bootstrap => format!("parametric bootstrap, {} samples", options.replicates),
                Band::Delta => "delta method".into(),
            }
        ),
    );
    out
}
