//! `summary.md`: what a person reads first.

use super::losses::{self, scope_name};
use super::{Context, store};
use anlan_engine::Result;
use anlan_engine::io::Value;
use anlan_engine::io::table::{self, Table};
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
