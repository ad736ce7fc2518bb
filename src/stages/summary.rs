//! `summary.md`: what a person reads first.

use super::flood::LEAST_DEPTH_M;
use super::losses::{self, scope_name};
use super::{Context, store};
use anlan_engine::io::table::{self, Table};
use anlan_engine::io::{Value, geotiff};
use anlan_engine::{Raster, Result};
use anlan_models::hazard::Hazard;
use anlan_models::relief::ReliefNorms;
use std::fmt::Write as _;

fn lookup<'t>(rows: &'t [Vec<Value>], keys: &[(usize, &str)]) -> Option<&'t Vec<Value>> {
    rows.iter()
        .find(|r| keys.iter().all(|(c, k)| r[*c].to_string() == *k))
}

/// `summary.md`: per unit the grades, AAL, 1-in-100-year loss, people with intervals, and the reserve list.
pub fn text(ctx: &Context<'_>, units: &[store::UnitRow], zh: bool) -> Result<String> {
    let read = |task: &str, file: &str| -> Result<Table> {
        table::read(&store::existing(ctx, task, file)?)
    };
    let aal = read("losses", "average_annual.csv")?;
    let curve = read("losses", "exceedance.csv")?;
    let grades = read("risk", "grades.csv")?;
    let reserve = read("relief", "reserve.csv")?;
    let kpi = read("losses", "indicators.csv")?;
    let p = ctx.project;
    let mut out = String::new();
    let name = if zh {
        &p.project.name
    } else {
        &p.project.name_en
    };
    let _ = writeln!(
        out,
        "# {name}: {}\n",
        if zh {
            "自然灾害风险普查摘要"
        } else {
            "natural-hazard risk summary"
        }
    );
    for mark in ctx.marks() {
        let _ = writeln!(out, "> **{}**\n", mark.text(p.products.language));
    }
    let _ = writeln!(
        out,
        "{}\n",
        if zh {
            format!(
                "模拟{}年，随机种子{}；金额为2020年价格人民币；区间为95%抽样误差，不含参数与方法的不确定性。",
                p.losses.years, p.project.seed
            )
        } else {
            format!(
                "{} simulated years, seed {}; money in 2020 CNY; intervals are 95 % sampling errors and hold nothing of the uncertainty of parameters and methods.",
                p.losses.years, p.project.seed
            )
        }
    );
    let left_out: Vec<&str> = Hazard::ALL
        .into_iter()
        .filter(|h| !losses::assessed(ctx, *h))
        .map(|h| if zh { h.name_zh() } else { h.name() })
        .collect();
    if !left_out.is_empty() {
        let _ = writeln!(
            out,
            "{}\n",
            if zh {
                format!(
                    "筛查：洪涝按相对水系高度（HAND）与水位流量关系估算；{}只作区域内排序，损失与人员未评估，不含在任何损失数字和“综合”损失中（空缺，不是零）。",
                    left_out.join("、")
                )
            } else {
                format!(
                    "Screening: flood depths by height above the drainage and rating curves; {} only rank places. Their losses and people are not assessed and are in no figure of loss, nor in those of all hazards: absent, not zero.",
                    left_out.join(" and ")
                )
            }
        );
    }
    let _ = writeln!(out, "## {}\n", if zh { "风险等级" } else { "Risk grades" });
    let _ = writeln!(
        out,
        "{}",
        if zh {
            "| 单元 | 洪涝 | 强对流 | 地质灾害 | 森林火灾 | 综合 |"
        } else {
            "| unit | flood | convection | geology | fire | all |"
        }
    );
    let _ = writeln!(out, "| --- | --- | --- | --- | --- | --- |");
    for u in units {
        let _ = write!(out, "| {} {} |", u.code, u.name);
        for scope in [1, 2, 3, 4, 0] {
            let grade = lookup(&grades.rows, &[(0, &u.code), (2, scope_name(scope))])
                .map_or(String::new(), |r| r[if zh { 8 } else { 9 }].to_string());
            let _ = write!(out, " {grade} |");
        }
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "\n## {}\n",
        if zh {
            "损失与人员"
        } else {
            "Losses and people"
        }
    );
    let _ = writeln!(
        out,
        "{}",
        if zh {
            "| 单元 | 年均损失 AAL（万元） | 百年一遇年损失（万元） | 百年一遇受灾人口 | 百年一遇转移安置人口 | 损失/GDP（‰） | 森林火灾受害率（‰） |"
        } else {
            "| unit | AAL (10⁴ yuan) | 1-in-100-year loss (10⁴ yuan) | 1-in-100 affected | 1-in-100 relocated | loss/GDP (permille) | burned forest (permille) |"
        }
    );
    let _ = writeln!(out, "| --- | --- | --- | --- | --- | --- | --- |");
    let not_assessed = if zh { "未评估" } else { "not assessed" };
    let region = (p.project.code.clone(), name.clone());
    let all = units
        .iter()
        .map(|u| (u.code.clone(), u.name.clone()))
        .chain([region]);
    for (code, label) in all {
        let mean = lookup(
            &aal.rows,
            &[(0, &code), (2, "all"), (3, "direct_loss_yuan")],
        );
        let mean = mean.map_or(String::new(), |r| {
            format!(
                "{:.0} ± {:.0}",
                r[4].as_f64().unwrap_or(f64::NAN) / 1e4,
                1.96 * r[5].as_f64().unwrap_or(f64::NAN) / 1e4
            )
        });
        let level = |metric: &str, kind: &str, scale: f64| {
            lookup(
                &curve.rows,
                &[(0, &code), (2, "all"), (3, metric), (4, kind), (5, "100")],
            )
            .map_or(String::new(), |r| {
                let v = |i: usize| r[i].as_f64().unwrap_or(f64::NAN) / scale;
                format!("{:.0} ({:.0}–{:.0})", v(6), v(7), v(8))
            })
        };
        let k = lookup(&kpi.rows, &[(0, &code)]);
        let cell = |i: usize| {
            k.and_then(|r| r[i].as_f64())
                .map_or_else(|| not_assessed.to_string(), |v| format!("{v:.3}"))
        };
        let _ = writeln!(
            out,
            "| {code} {label} | {mean} | {} | {} | {} | {} | {} |",
            level("direct_loss_yuan", "aep", 1e4),
            level("affected_people", "oep", 1.0),
            level("relocated_people", "oep", 1.0),
            cell(2),
            cell(4)
        );
    }
    flood_depths(&mut out, ctx, zh)?;
    let _ = writeln!(
        out,
        "\n## {}\n",
        if zh {
            "救灾物资储备"
        } else {
            "Relief reserve"
        }
    );
    let _ = writeln!(
        out,
        "{}\n",
        if zh {
            format!(
                "需求定额：{}（{}）；覆盖当年最大一次事件的概率{:.1}%；投亲靠友比例{:.0}%。",
                ReliefNorms::builtin().profile(&p.relief.profile)?.name_zh,
                p.relief.profile,
                100.0 * p.relief.confidence,
                100.0 * p.relief.elsewhere_share
            )
        } else {
            format!(
                "Norms: {}; probability that the greatest event of a year is covered {}; share housed by relatives {}.",
                p.relief.profile, p.relief.confidence, p.relief.elsewhere_share
            )
        }
    );
    reserve_tables(&mut out, &reserve, units, p, zh);
    shelter_table(&mut out, &read("relief", "shelter.csv")?, zh);
    Ok(out)
}

/// Flooded area by return period and expected annual depth: what summary and report say of the flood maps.
pub(super) struct Flooded {
    /// Return period in years, wet area in km², mean depth of it in m.
    pub by_period: Vec<(f64, f64, f64)>,
    /// Area that floods reach, km², and the mean expected annual depth over it without and with the tail, m.
    expected: (f64, f64, f64),
    rarest: f64,
}

/// Reads the depths of the finished flood task.
pub(super) fn flooded(ctx: &Context<'_>) -> Result<Flooded> {
    let bands = |file| geotiff::read_bands_f32(&store::existing(ctx, "hazard/flood", file)?);
    let inside = store::inside(ctx)?;
    let (stack, expected) = (bands(store::DEPTH_STACK)?, bands(store::EXPECTED_DEPTH)?);
    let grid = stack[0].grid;
    // Wet cells of a raster within the units, km², and their mean depth, m.
    let wet = |raster: &Raster<f32>, least: f32| {
        let (mut cells, mut sum) = (0_u64, 0.0_f64);
        for (&d, _) in raster.values().iter().zip(&inside).filter(|(_, u)| **u) {
            if d >= least {
                cells += 1;
                sum += f64::from(d);
            }
        }
        let km2 = cells as f64 * grid.dx * grid.dy / 1e6;
        (km2, sum / cells.max(1) as f64)
    };
    let periods = store::return_periods(ctx.project);
    let by_period = periods
        .iter()
        .zip(&stack)
        .map(|(&period, depth)| {
            let (km2, mean) = wet(depth, LEAST_DEPTH_M);
            (period, km2, mean)
        })
        .collect();
    let [a, b] = [0, 1].map(|band| wet(&expected[band], f32::MIN_POSITIVE));
    Ok(Flooded {
        by_period,
        expected: (b.0, a.1, b.1),
        rarest: periods.last().copied().unwrap_or(f64::NAN),
    })
}

impl Flooded {
    /// The expected annual depth in one sentence.
    pub(super) fn expected_text(&self, zh: bool) -> String {
        let ((km2, without, with), rarest) = (self.expected, self.rarest);
        if zh {
            format!(
                "年期望淹没水深（年最大水深的期望，不计堤防）：在会淹没的{km2:.1} km²内平均{without:.3} m（不含尾项），{with:.3} m（含尾项，即重现期超过{rarest}年的洪水按{rarest}年一遇水深计）。"
            )
        } else {
            format!(
                "Expected annual depth (mean of the year's greatest depth, no dykes): {without:.3} m without, {with:.3} m with the tail (floods rarer than {rarest} years as deep as that of {rarest} years), over the {km2:.1} km² that floods reach."
            )
        }
    }
}

/// What interpolating in the storm library costs, in one sentence.
pub(super) fn interpolation_of(ctx: &Context<'_>, zh: bool) -> Result<String> {
    let file = store::existing(ctx, "hazard/flood", store::INTERPOLATION_ERROR)?;
    Ok(interpolation_text(&table::read(&file)?, zh))
}

fn flood_depths(out: &mut String, ctx: &Context<'_>, zh: bool) -> Result<()> {
    let (title, head) = if zh {
        (
            "洪涝淹没",
            "| 重现期（年） | 淹没面积（km²） | 平均水深（m） |",
        )
    } else {
        (
            "Flood depths",
            "| return period (years) | flooded (km²) | mean depth (m) |",
        )
    };
    let _ = writeln!(out, "\n## {title}\n\n{head}\n| --- | --- | --- |");
    let flooded = flooded(ctx)?;
    for (period, km2, mean) in &flooded.by_period {
        let _ = writeln!(out, "| {period} | {km2:.1} | {mean:.2} |");
    }
    let _ = writeln!(out, "\n{}", flooded.expected_text(zh));
    let _ = writeln!(out, "\n{}", interpolation_of(ctx, zh)?);
    Ok(())
}

/// The greatest errors of interpolation in one sentence.
fn interpolation_text(errors: &Table, zh: bool) -> String {
    let column = |name: &str| -> Vec<f64> {
        let k = store::INTERPOLATION_COLUMNS.iter().position(|c| *c == name);
        let cells = errors.rows.iter().filter_map(|r| r[k?].as_f64());
        cells.collect()
    };
    let least = |v: &[f64]| v.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (rmse, bias, area) = (
        column("rmse_m"),
        column("bias_m"),
        column("area_error_percent"),
    );
    if rmse.is_empty() || area.is_empty() {
        return if zh {
            "情景库插值误差：不足两个重现期或无淹没，无法评定。".into()
        } else {
            "Error of interpolating in the storm library: not stated, with fewer than two return periods or no flood.".into()
        };
    }
    let (n, rmse) = (rmse.len(), most(&rmse));
    // To the digits printed, so that none reads "-0.0".
    let rounded = |v: f64, scale: f64| (v * scale).round() / scale + 0.0;
    let bias = [least(&bias), most(&bias)].map(|v| rounded(v, 1e3));
    let area = [least(&area), most(&area)].map(|v| rounded(v, 10.0));
    if zh {
        format!(
            "情景库插值误差（{n}个情景逐一剔除，由相邻重现期插值后与模拟比较；间距为库内的两倍，故偏大）：水深均方根误差至多{rmse:.3} m，平均偏差{:.3}至{:.3} m，淹没面积误差{:.1}%至{:.1}%。",
            bias[0], bias[1], area[0], area[1]
        )
    } else {
        format!(
            "Error of interpolating in the storm library ({n} storms left out in turn and interpolated from their neighbours, over twice the library's gap and so on the safe side): RMSE of depth at most {rmse:.3} m, bias {:.3} to {:.3} m, flooded area {:.1} to {:.1} %.",
            bias[0], bias[1], area[0], area[1]
        )
    }
}

/// People who need a place in a shelter against the places there are.
fn shelter_table(out: &mut String, shelters: &Table, zh: bool) {
    let (title, head) = if zh {
        ("避难场所", "| 单元 | 需安置人数 | 避难容量（人） | 缺口 |")
    } else {
        ("Shelters", "| unit | people in need | places | gap |")
    };
    let _ = writeln!(out, "\n## {title}\n\n{head}\n| --- | --- | --- | --- |");
    for r in &shelters.rows {
        let _ = writeln!(
            out,
            "| {} {} | {} ({}–{}) | {} | {} |",
            r[0], r[1], r[2], r[3], r[4], r[5], r[6]
        );
    }
}

fn reserve_tables(
    out: &mut String,
    reserve: &Table,
    units: &[store::UnitRow],
    p: &crate::project::Project,
    zh: bool,
) {
    let mut items: Vec<(String, String)> = Vec::new();
    for r in &reserve.rows {
        let item = (
            r[2].to_string(),
            if zh {
                format!("{}（{}）", r[3], r[4])
            } else {
                r[2].to_string()
            },
        );
        if !items.contains(&item) {
            items.push(item);
        }
    }
    let _ = write!(out, "| {} |", if zh { "单元" } else { "unit" });
    for (_, title) in &items {
        let _ = write!(out, " {title} |");
    }
    let _ = writeln!(out, "\n|{}", " --- |".repeat(items.len() + 1));
    let codes = units
        .iter()
        .map(|u| (u.code.clone(), u.name.clone()))
        .chain([(
            p.project.code.clone(),
            if zh {
                "统筹储备".to_string()
            } else {
                "pooled".to_string()
            },
        )]);
    for (code, name) in codes {
        let _ = write!(out, "| {code} {name} |");
        for (item, _) in &items {
            let text = lookup(&reserve.rows, &[(0, &code), (2, item)]).map_or(String::new(), |r| {
                format!(
                    "{} ({}–{})，{} {}",
                    r[5],
                    r[6],
                    r[7],
                    if zh { "缺" } else { "gap" },
                    r[9]
                )
            });
            let _ = write!(out, " {text} |");
        }
        out.push('\n');
    }
}
