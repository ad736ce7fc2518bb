//! An explanation as people read it, in Chinese or English.

use super::{ChainTold, Explanation, FactorTold, IndicatorTold, PlaceTold, Reason};
use anlan_models::hazard::Hazard;
use anlan_models::risk::Factor;
use std::fmt::Write as _;

/// The explanation as text.
pub fn text(told: &Explanation, zh: bool) -> String {
    let mut out = String::new();
    place(&mut out, &told.place, zh);
    let _ = writeln!(out, "{}: {}", pick(zh, "版本", "release"), told.release);
    for chain in &told.chains {
        let _ = writeln!(out);
        tell(&mut out, chain, zh);
    }
    out
}

fn pick<'t>(zh: bool, chinese: &'t str, english: &'t str) -> &'t str {
    if zh { chinese } else { english }
}

/// A number with what is worth reading of it.
fn num(v: f64) -> String {
    let size = v.abs();
    if v == 0.0 {
        "0".into()
    } else if (1e-3..1e9).contains(&size) {
        let text = format!("{v:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        format!("{v:.6e}")
    }
}

fn maybe(v: Option<f64>, zh: bool) -> String {
    v.map_or_else(|| pick(zh, "无", "none").to_string(), num)
}

fn place(out: &mut String, place: &PlaceTold, zh: bool) {
    match place {
        PlaceTold::Cell {
            row,
            col,
            x,
            y,
            epsg,
            lon,
            lat,
            units,
        } => {
            let _ = writeln!(
                out,
                "{}: {} {row}, {} {col}; {} {}, {} (EPSG:{epsg}); {} {lon:.5}, {lat:.5}",
                pick(zh, "单元格", "cell"),
                pick(zh, "行", "row"),
                pick(zh, "列", "column"),
                pick(zh, "中心", "centre"),
                num(*x),
                num(*y),
                pick(zh, "经纬度", "longitude, latitude"),
            );
            for (level, code, name) in units {
                let _ = writeln!(out, "  {}: {code} {name}", level_word(level, zh));
            }
        }
        PlaceTold::Unit {
            level,
            code,
            name,
            cells,
        } => {
            let _ = writeln!(
                out,
                "{}: {code} {name}, {cells} {}",
                level_word(level, zh),
                pick(zh, "个单元格", "cells")
            );
        }
    }
}

fn level_word(level: &str, zh: bool) -> &str {
    if !zh {
        return level;
    }
    match level {
        "village" => "村级",
        "township" => "乡镇级",
        "county" => "县级",
        "prefecture" => "地级",
        "province" => "省级",
        other => other,
    }
}

fn hazard_word(name: &str, zh: bool) -> String {
    let hazard = Hazard::ALL.into_iter().find(|h| h.name() == name);
    match (hazard, zh) {
        (Some(h), true) => h.name_zh().into(),
        (None, true) => "多灾种综合".into(),
        (Some(_), false) => name.into(),
        (None, false) => "all hazards".into(),
    }
}

fn factor_word(factor: Factor, zh: bool) -> &'static str {
    if zh { factor.name_zh() } else { factor.name() }
}

/// A word of packs in Chinese.
fn rule_word(word: &str, zh: bool) -> &str {
    if !zh {
        return word;
    }
    match word {
        "min-max" => "极差（正向）",
        "min-max-negative" => "极差（负向）",
        "half" => "0.5+0.5极差（正向）",
        "half-negative" => "0.5+0.5极差（负向）",
        "z-score" => "标准差（正向）",
        "z-score-negative" => "标准差（负向）",
        "none" => "无",
        "sqrt" => "平方根",
        "log1p" => "ln(1+x)",
        "equal" => "等权",
        "entropy" => "熵权",
        "expert" => "专家权重",
        "ahp" => "层次分析",
        "greatest" => "取最大",
        "fold" => "矩阵逐级合成",
        "hazard" => "仅危险性",
        "product" => "乘积",
        "matrix" => "矩阵",
        "weighted-sum, ahp" => "加权求和，层次分析",
        "weighted-sum, expert" => "加权求和，专家权重",
        "weighted-sum, equal" => "加权求和，等权",
        "weighted-sum, entropy" => "加权求和，熵权",
        other => other,
    }
}

fn tell(out: &mut String, c: &ChainTold, zh: bool) {
    let p = &c.pack;
    let title = if zh { &p.title_zh } else { &p.title_en };
    let object = match c.object.as_str() {
        "hazard" => pick(zh, "危险性", "hazard"),
        "comprehensive" => pick(zh, "综合风险", "comprehensive risk"),
        "population" => pick(zh, "人口", "people"),
        "gdp" => "GDP",
        "housing" => pick(zh, "房屋", "housing"),
        "crops" => pick(zh, "农作物", "crops"),
        "roads" => pick(zh, "道路", "roads"),
        method => method,
    };
    let _ = writeln!(out, "== {} / {object}: {title}", hazard_word(&c.hazard, zh));
    let _ = writeln!(
        out,
        "   {}: {}, {}{}{} {}, {} {}, {} {}",
        pick(zh, "规则包", "rule pack"),
        p.id,
        p.issuer,
        if p.standard.is_empty() { "" } else { " " },
        p.standard,
        p.year,
        pick(zh, "状态", "status"),
        p.status,
        pick(zh, "校验值", "hash"),
        p.hash
    );
    let _ = writeln!(out, "   {}: {}", pick(zh, "依据", "source"), p.source);
    let _ = writeln!(
        out,
        "   {}: {}",
        pick(zh, "参与拟合的有效行数", "valid rows fitted"),
        c.rows
    );
    for i in &c.indicators {
        indicator(out, i, c.means, zh);
    }
    for f in &c.factors {
        factor(out, f, c, zh);
    }
    if let Some(v) = c.combined {
        let parts: Vec<String> = c
            .factors
            .iter()
            .filter(|f| f.factor != Factor::Environment)
            .map(|f| match (c.combination.as_str(), f.class) {
                ("matrix", Some(class)) => format!("{} {class}", factor_word(f.factor, zh)),
                ("product", _) => format!("{}^{}", maybe(f.rescaled, zh), num(f.power)),
                ("hazard", _) => maybe(f.rescaled, zh),
                _ => format!("{} x {}", num(f.power), maybe(f.rescaled, zh)),
            })
            .collect();
        let sign = match c.combination.as_str() {
            "product" => " x ",
            "matrix" => ", ",
            _ => " + ",
        };
        let _ = writeln!(
            out,
            "   {} ({}): {} = {}",
            pick(zh, "合成", "combination"),
            rule_word(&c.combination, zh),
            parts.join(sign),
            num(v)
        );
    }
    if let Some(a) = &c.aggregation {
        let _ = writeln!(
            out,
            "   {} ({} {}): {} / {} = {}; {} {} / {}",
            pick(zh, "单元均值", "mean of the unit"),
            pick(zh, "权重", "weight"),
            a.weight,
            num(a.weighted_sum),
            num(a.weight_sum),
            maybe(a.mean, zh),
            pick(zh, "有等级的单元格", "cells with a grade"),
            a.valid_cells,
            a.cells
        );
        for g in &a.greatest {
            let _ = writeln!(
                out,
                "      {} {}, {}: {} x {} ({:.2} %)",
                pick(zh, "贡献最大的单元格", "greatest contribution"),
                num(g[0]),
                num(g[1]),
                num(g[2]),
                num(g[3]),
                100.0 * g[4]
            );
        }
        let _ = writeln!(
            out,
            "   {}: {}, {} {}, {} {}",
            pick(zh, "单元分级规则包", "pack that grades units"),
            a.pack.id,
            pick(zh, "状态", "status"),
            a.pack.status,
            pick(zh, "校验值", "hash"),
            a.pack.hash
        );
    }
    // On the way to a unit the cells have grades of their own, and their mean has none.
    if c.means && c.aggregation.is_none() {
        return;
    }
    let _ = writeln!(
        out,
        "   {}: {}",
        pick(zh, "指数", "index"),
        maybe(c.index, zh)
    );
    let thresholds: Vec<String> = c.thresholds.iter().map(|t| num(*t)).collect();
    let _ = writeln!(
        out,
        "   {} ({}): {} {}",
        pick(zh, "分级", "grading"),
        c.grading,
        pick(zh, "阈值", "thresholds"),
        thresholds.join(" | ")
    );
    let name = if zh { &c.grade_zh } else { &c.grade_en };
    match (&c.reason, c.grade) {
        (Some(reason), _) => {
            let why = match reason {
                Reason::Unknown(i) => format!(
                    "{} `{i}`",
                    pick(zh, "此处无值的指标", "no value here of indicator")
                ),
                Reason::Absent(i) => format!(
                    "{} `{i}`",
                    pick(zh, "此处为零的指标", "zero here: indicator")
                ),
                Reason::Alone => pick(
                    zh,
                    "该级仅一个单元，不排序",
                    "alone on its level, not ranked",
                )
                .into(),
            };
            let _ = writeln!(out, "   {}: {why}", pick(zh, "无等级", "no grade"));
        }
        (None, grade) => {
            let _ = writeln!(out, "   {}: {grade} {name}", pick(zh, "等级", "grade"));
        }
    }
    if let Some((file, grade)) = &c.stored {
        let same = *grade == c.grade;
        let _ = writeln!(
            out,
            "   {file}: {grade} ({})",
            match same {
                true => pick(zh, "一致", "the same"),
                false => pick(zh, "不一致", "differs"),
            }
        );
    }
}

fn indicator(out: &mut String, i: &IndicatorTold, mean: bool, zh: bool) {
    let name = if zh { &i.name_zh } else { &i.name_en };
    let period = i.return_period.map_or_else(String::new, |t| {
        format!(", {} {}", num(t), pick(zh, "年一遇", "years"))
    });
    let _ = writeln!(
        out,
        "   [{}] {name} ({}, {}{period})",
        factor_word(i.factor, zh),
        i.layer,
        i.unit
    );
    for f in &i.files {
        let hash = if f.sha256.is_empty() {
            String::new()
        } else {
            format!(", sha256 {}", f.sha256)
        };
        let _ = writeln!(
            out,
            "      {} {}, {}{hash}",
            pick(zh, "来源", "source"),
            f.path,
            f.part
        );
    }
    let raw = if mean {
        pick(zh, "有效单元格均值", "mean of valid cells")
    } else {
        pick(zh, "原值", "raw value")
    };
    let _ = write!(out, "      {raw} {}", maybe(i.raw, zh));
    if i.transform != "none" {
        let _ = write!(
            out,
            "; {} -> {}",
            rule_word(&i.transform, zh),
            maybe(i.transformed, zh)
        );
    }
    let _ = match i.constant {
        Some(v) => write!(
            out,
            "; {} {}",
            pick(zh, "无差异，取", "no contrast, taken as"),
            num(v)
        ),
        None => write!(
            out,
            "; {} {} ({} {}, {} {}) -> {}",
            pick(zh, "归一化", "normalisation"),
            rule_word(&i.normalisation, zh),
            pick(zh, "最小", "min"),
            num(i.min),
            pick(zh, "最大", "max"),
            num(i.max),
            maybe(i.normalised, zh)
        ),
    };
    let _ = write!(out, "; {} {}", pick(zh, "权重", "weight"), num(i.weight));
    if let Some(e) = i.entropy {
        let _ = write!(out, " ({} {})", pick(zh, "信息熵", "entropy"), num(e));
    }
    let _ = writeln!(out);
}

fn factor(out: &mut String, f: &FactorTold, c: &ChainTold, zh: bool) {
    let _ = write!(
        out,
        "   {} ({}): {}",
        factor_word(f.factor, zh),
        rule_word(&f.weighting, zh),
        maybe(f.joined.or(f.index), zh)
    );
    if let Some(a) = &f.ahp {
        let _ = write!(
            out,
            " (lambda {}, CI {}, CR {})",
            num(a.lambda),
            num(a.consistency_index),
            num(a.consistency_ratio)
        );
    }
    if let (Some(k), Some([low, high])) = (f.coefficient, c.environment) {
        let _ = match f.factor {
            Factor::Environment => write!(
                out,
                "; {} {}..{} -> [{}, {}] -> {}",
                pick(zh, "缩放", "rescaled"),
                num(f.min),
                num(f.max),
                num(low),
                num(high),
                num(k)
            ),
            _ => write!(out, "; x (1 + {}) = {}", num(k), maybe(f.index, zh)),
        };
    }
    if f.rescale != "none" {
        let _ = write!(
            out,
            "; {} {} ({} {}, {} {}) -> {}",
            pick(zh, "归一化", "normalisation"),
            rule_word(&f.rescale, zh),
            pick(zh, "最小", "min"),
            num(f.min),
            pick(zh, "最大", "max"),
            num(f.max),
            maybe(f.rescaled, zh)
        );
    }
    if let Some(class) = f.class {
        let thresholds: Vec<String> = f.thresholds.iter().map(|t| num(*t)).collect();
        let _ = write!(
            out,
            "; {} {class} ({} {})",
            pick(zh, "类别", "class"),
            pick(zh, "阈值", "thresholds"),
            thresholds.join(" | ")
        );
    }
    let _ = writeln!(out);
}
