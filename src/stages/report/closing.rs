//! Limits, validation against recorded disasters, provenance.

use super::build::Build;
use super::data::{between, digits};
use anlan_engine::Result;
use anlan_engine::io::Value;
use anlan_engine::io::table::Table;
use anlan_models::hazard::Hazard;
use anlan_models::report::{Cell, Column};

/// Chapter 8.
pub fn limits(b: &mut Build<'_>) {
    let d = b.data;
    b.chapter("局限", "Limits");
    let items: Vec<String> = d
        .texts
        .limit
        .iter()
        .filter(|l| d.applies(&l.when))
        .map(|l| if b.say.zh { &l.zh } else { &l.en }.clone())
        .collect();
    b.list(items);
    let unverified: Vec<&str> = (d.packs.pack.iter())
        .filter(|p| p.status == "unverified")
        .map(|p| p.id.as_str())
        .collect();
    if !unverified.is_empty() {
        let ids = unverified.join(", ");
        b.note(b.t(
            &format!("未核实的规则包：{ids}。"),
            &format!("Unverified rule packs: {ids}."),
        ));
    }
}

/// Hazard of a table in the language of the report.
fn hazard_word(b: &Build<'_>, name: &str) -> String {
    let words: Vec<String> = name
        .split(' ')
        .map(|n| {
            let hazard = Hazard::ALL.into_iter().find(|h| h.name() == n);
            match hazard {
                Some(h) if b.say.zh => h.name_zh().to_string(),
                _ => n.to_string(),
            }
        })
        .collect();
    words.join(if b.say.zh { "、" } else { ", " })
}

fn score_word(b: &Build<'_>, key: &str) -> String {
    match key {
        "risk_index" => b.t("风险指数", "risk index"),
        "hazard_index" => b.t("危险性指数", "hazard index"),
        "aal_yuan" => b.t("年均损失", "average annual loss"),
        "grade" => b.t("风险等级", "risk grade"),
        "population" => b.t("常住人口（对照）", "residents (for comparison)"),
        other => other.to_string(),
    }
}

fn metric_word(b: &Build<'_>, key: &str) -> String {
    match key {
        "direct_loss_yuan" => b.t("直接经济损失", "direct loss"),
        "affected_people" => b.t("受灾人口", "people affected"),
        "relocated_people" => b.t("转移安置人口", "people relocated"),
        "collapsed_rooms" => b.t("倒塌房屋（间）", "rooms collapsed"),
        other => other.to_string(),
    }
}

fn shown(v: &Value) -> String {
    v.as_f64().map_or_else(|| "—".into(), digits)
}

fn shown_between(low: &Value, high: &Value) -> String {
    let value = |v: &Value, none: f64| v.as_f64().unwrap_or(none);
    between(value(low, 0.0), value(high, f64::INFINITY))
}

/// Chapter 9.
pub fn validation(b: &mut Build<'_>) -> Result<()> {
    b.chapter("历史灾害检验", "Validation against recorded disasters");
    let d = b.data;
    let table = |name: &str| d.validation.get(name).cloned().unwrap_or_default();
    let events = table("events");
    if events.rows.is_empty() {
        b.text(b.t(
            "项目未提供历史灾害表，等级与损失未经检验。补充历史灾害表（日期、区划代码、灾种，以及经纬度、死亡、受灾、转移、倒房、损失等已知项）后重新运行即可得到本章的检验。",
            "The project gives no table of historical disasters, so that grades and losses are not validated. With such a table (date, code, hazard, and coordinates, deaths, people and losses where known) this chapter holds the comparison.",
        ));
        return Ok(());
    }
    record(b, &events)?;
    b.section("等级的判别能力", "How well grades tell struck units");
    b.text(b.t(
        "以有历史记录的单元（或格网）为“正例”，比较其指数是否高于无记录者。AUC为随机一个有记录单元高于随机一个无记录单元的概率，0.5等于随机；区间为95%（Newcombe 2006第5法）。“常住人口（对照）”一行说明仅凭人口多少能判别到什么程度：灾情记录本身偏向人口多的地方，指数若不优于人口，则不能认为其反映了危险性。无记录不等于无灾害，空报率是上限。",
        "Units (or cells) with a record are held against those without. The AUC is the chance that a unit with a record scores above one without, 0.5 being chance; intervals are 95 % (Newcombe 2006, method 5). The line of residents tells what plain population achieves: records favour populous places, and an index that is no better than population cannot be said to show hazard. No record does not mean no disaster, so that false alarms are an upper bound.",
    ));
    skill(b, &table("skill"));
    warnings(b, &table("warnings"));
    for level in ["unit", "cell"] {
        for h in Hazard::ALL {
            let caption = b.t(
                &format!("{}的ROC曲线", h.name_zh()),
                &format!("ROC curves: {}", h.name()),
            );
            let note = b.source("validation/roc.csv");
            let file = format!("plots/roc_{level}_{}.png", h.name());
            b.picture("validation", &file, caption, 0.72, note)?;
        }
    }
    b.section("上报灾情的重现期", "Return periods of reported figures");
    b.text(b.t(
        "每个上报数字在模拟的年最大一次事件曲线上的位置，区间只反映模拟年数。上报损失为当年价，未按物价与资产增长折算，早年事件因此偏小；统计口径（初报或终报、是否含农业与基础设施）各不相同，宜比较数量级。",
        "Where each reported figure stands on the simulated curve of the greatest event of a year; the interval is that of the number of simulated years alone. Reported losses are money of their year, neither prices nor growth of assets being brought up to date, so that early events look small; what they count differs. Compare orders of magnitude.",
    ));
    positions(b, &table("losses"));
    beyond(b, &table("losses"));
    for k in 0..8 {
        let caption = b.t(
            "上报损失在模拟超越曲线上的位置",
            "Reported losses on the simulated curve",
        );
        let note = b.source("validation/losses.csv");
        b.picture(
            "validation",
            &format!("plots/reported_{k:02}.png"),
            caption,
            0.72,
            note,
        )?;
    }
    b.section("频次与校准", "Frequencies and calibration");
    rates(b, &table("rates"));
    calibration(b, &table("calibration"))?;
    b.section("少量事件能说明什么", "What so few events can tell");
    b.text(statement(b, &table("skill"), &events));
    Ok(())
}

fn record(b: &mut Build<'_>, events: &Table) -> Result<()> {
    b.section("历史灾害记录", "The record");
    let (Some(used), Some(note)) = (events.column("used"), events.column("note")) else {
        return Ok(());
    };
    let n = events.rows.len();
    let taken = events
        .rows
        .iter()
        .filter(|r| r[used].as_f64() == Some(1.0))
        .count();
    b.text(b.t(
        &format!("历史灾害表共{n}条，其中{taken}条落在本区域且灾种已建模，用于检验；其余为范围更大、区域之外或灾种未建模的记录。"),
        &format!("The table holds {n} disasters, {taken} of them within the region and of a hazard that is modelled; the others are wider, elsewhere, or of other hazards."),
    ));
    let at: Vec<usize> = ["date", "event", "place", "hazard", "units"]
        .iter()
        .filter_map(|c| events.column(c))
        .collect();
    if at.len() < 5 {
        return Ok(());
    }
    let rows: Vec<Vec<Cell>> = events
        .rows
        .iter()
        .filter(|r| r[used].as_f64() == Some(1.0))
        .map(|r| {
            vec![
                r[at[0]].to_string().into(),
                r[at[1]].to_string().into(),
                r[at[2]].to_string().into(),
                hazard_word(b, &r[at[3]].to_string()).into(),
                r[at[4]].to_string().into(),
            ]
        })
        .collect();
    let skipped = events.rows.iter().filter(|r| !r[note].is_null()).count();
    b.table(
        b.t("用于检验的历史灾害", "Recorded disasters in use"),
        vec![
            Column::word(b.t("日期", "Date"), 0.8),
            Column::text(b.t("事件", "Event"), 1.6),
            Column::text(b.t("地点", "Place"), 1.6),
            Column::word(b.t("对应灾种", "Hazard"), 0.9),
            Column::text(b.t("单元", "Units"), 0.9),
        ],
        rows,
        b.source(&format!(
            "validation/events.csv ({skipped}/{n} {})",
            b.t("条未用", "not used")
        )),
    );
    Ok(())
}

fn skill(b: &mut Build<'_>, skill: &Table) {
    let rows: Vec<Vec<Cell>> = skill
        .rows
        .iter()
        .map(|r| {
            vec![
                hazard_word(b, &r[0].to_string()).into(),
                if r[1].to_string() == "unit" {
                    b.t("单元", "unit")
                } else {
                    b.t("格网", "cell")
                }
                .into(),
                score_word(b, &r[2].to_string()).into(),
                format!("{}/{}", r[4], r[3]).into(),
                r[5].as_f64()
                    .map_or("—".into(), |v| format!("{v:.2}"))
                    .into(),
                format!(
                    "{:.2}–{:.2}",
                    r[8].as_f64().unwrap_or(0.0),
                    r[9].as_f64().unwrap_or(1.0)
                )
                .into(),
                r[6].as_f64()
                    .map_or("—".into(), |v| format!("{v:.3}"))
                    .into(),
            ]
        })
        .collect();
    b.table(
        b.t(
            "有记录与无记录的判别",
            "Telling places with records from others",
        ),
        vec![
            Column::word(b.t("灾种", "Hazard"), 0.9),
            Column::word(b.t("层级", "Level"), 0.6),
            Column::text(b.t("指标", "Score"), 1.4),
            Column::number(b.t("有记录/总数", "Struck / all"), 0.9),
            Column::number("AUC", 0.6),
            Column::number(b.t("95%区间", "95 % interval"), 1.0),
            Column::number(b.t("标准误（DeLong）", "SE (DeLong)"), 0.9),
        ],
        rows,
        b.source("validation/skill.csv: auc, low_95, high_95, auc_se_delong")
            + &b.t(
                "；正例少于2个时无DeLong标准误",
                "; no DeLong error with fewer than two records",
            ),
    );
}

fn warnings(b: &mut Build<'_>, warnings: &Table) {
    let rows: Vec<Vec<Cell>> = warnings
        .rows
        .iter()
        .map(|r| {
            let share = |k: usize| r[k].as_f64().map_or("—".into(), |v| format!("{v:.2}"));
            let interval = |k: usize| {
                let end = |i: usize, none: f64| r[i].as_f64().unwrap_or(none);
                format!(
                    "{} ({:.2}–{:.2})",
                    share(k),
                    end(k + 1, 0.0),
                    end(k + 2, 1.0)
                )
            };
            vec![
                hazard_word(b, &r[0].to_string()).into(),
                if r[1].to_string() == "unit" {
                    b.t("单元", "unit")
                } else {
                    b.t("格网", "cell")
                }
                .into(),
                format!("{}/{}/{}/{}", r[3], r[4], r[5], r[6]).into(),
                interval(7).into(),
                interval(10).into(),
                share(14).into(),
            ]
        })
        .collect();
    let most = b.data.ctx.project.validation.warned_grades;
    b.table(
        b.t(
            &format!("前{most}个等级作为预警的命中与空报"),
            &format!("The {most} highest grades as warnings: hits and false alarms"),
        ),
        vec![
            Column::word(b.t("灾种", "Hazard"), 0.9),
            Column::word(b.t("层级", "Level"), 0.6),
            Column::word(
                b.t(
                    "命中/漏报/空报/正确否定",
                    "Hits / misses / false alarms / neither",
                ),
                1.5,
            ),
            Column::number(b.t("命中率", "Hit rate"), 1.2),
            Column::number(b.t("空报比", "False-alarm ratio"), 1.2),
            Column::number(b.t("临界成功指数", "CSI"), 0.8),
        ],
        rows,
        b.source("validation/warnings.csv: hit_rate, false_alarm_ratio, critical_success_index")
            + &b.t(
                "；括号内为精确二项95%区间",
                "; exact binomial 95 % intervals in brackets",
            ),
    );
}

fn positions(b: &mut Build<'_>, losses: &Table) {
    let rows: Vec<Vec<Cell>> = losses
        .rows
        .iter()
        .map(|r| {
            let money = r[4].to_string() == "direct_loss_yuan";
            let value = r[5].as_f64().unwrap_or(f64::NAN);
            let period = match r[8].as_f64() {
                Some(t) => digits(t),
                None => format!("> {}", shown(&r[9])),
            };
            vec![
                r[0].to_string().into(),
                r[1].to_string().into(),
                metric_word(b, &r[4].to_string()).into(),
                if money {
                    b.say.money(value)
                } else {
                    digits(value)
                }
                .into(),
                period.into(),
                shown_between(&r[9], &r[10]).into(),
                format!("{}/{}", r[7], r[6]).into(),
            ]
        })
        .collect();
    b.table(
        b.t(
            "上报数字在模拟曲线上的重现期",
            "Return periods of reported figures on the simulated curve",
        ),
        vec![
            Column::word(b.t("日期", "Date"), 0.8),
            Column::text(b.t("事件", "Event"), 1.5),
            Column::text(b.t("指标", "Figure"), 1.1),
            Column::number(b.t("上报值", "Reported"), 1.0),
            Column::number(b.t("重现期（年）", "Return period (years)"), 0.9),
            Column::number(b.t("95%区间", "95 % interval"), 1.0),
            Column::number(
                b.t("达到的模拟年数", "Simulated years at least as high"),
                1.0,
            ),
        ],
        rows,
        b.source("validation/losses.csv: reported, return_period_years, low_95, high_95"),
    );
}

/// Reported figures that no simulated year reaches: what the model is too low in.
fn beyond(b: &mut Build<'_>, losses: &Table) {
    let mut metrics: Vec<String> = Vec::new();
    let mut n = 0;
    for r in losses.rows.iter().filter(|r| r[7].as_f64() == Some(0.0)) {
        n += 1;
        let word = metric_word(b, &r[4].to_string());
        if !metrics.contains(&word) {
            metrics.push(word);
        }
    }
    if n > 0 {
        let all = losses.rows.len();
        let list = metrics.join(if b.say.zh { "、" } else { ", " });
        b.text(b.t(
            &format!("{all}个上报数字中有{n}个超过全部模拟年（{list}）：模型对这些指标明显偏低，或统计口径不同（如上报含预防性转移、受灾含轻微影响），使用时须注意。"),
            &format!("{n} of {all} reported figures exceed every simulated year ({list}): in these the model is clearly low, or counts something else (reports hold people moved as a precaution, and slight effects); mind this in use."),
        ));
    }
}

fn rates(b: &mut Build<'_>, rates: &Table) {
    let rows: Vec<Vec<Cell>> = rates
        .rows
        .iter()
        .map(|r| {
            vec![
                hazard_word(b, &r[0].to_string()).into(),
                format!("{}–{}", r[1], r[2]).into(),
                b.say.money(r[3].as_f64().unwrap_or(f64::NAN)).into(),
                r[4].to_string().into(),
                shown_between(&r[5], &r[6]).into(),
                shown(&r[7]).into(),
            ]
        })
        .collect();
    b.table(
        b.t("记录与模拟的事件数", "Number of events, recorded and simulated"),
        vec![
            Column::word(b.t("灾种", "Hazard"), 0.9),
            Column::word(b.t("时段", "Years"), 0.9),
            Column::number(b.t("损失下限", "Least loss"), 1.0),
            Column::number(b.t("记录", "Recorded"), 0.7),
            Column::number(b.t("95%区间", "95 % interval"), 1.0),
            Column::number(b.t("模拟", "Simulated"), 0.8),
        ],
        rows,
        b.source("validation/rates.csv")
            + &b.t(
                "；记录只含公开报道中有损失数字的事件，不是全部灾害，数目偏少",
                "; the record holds events with a published figure of loss, not all disasters, and is low",
            ),
    );
}

fn calibration(b: &mut Build<'_>, calibration: &Table) -> Result<()> {
    let Some(first) = calibration.rows.first() else {
        return Ok(());
    };
    let (brier, uncertainty) = (shown(&first[7]), shown(&first[10]));
    let rows: Vec<Vec<Cell>> = calibration
        .rows
        .iter()
        .map(|r| {
            vec![
                r[1].to_string().into(),
                r[2].to_string().into(),
                r[3].as_f64()
                    .map_or("—".into(), |v| format!("{v:.2}"))
                    .into(),
                r[4].as_f64()
                    .map_or("—".into(), |v| format!("{v:.2}"))
                    .into(),
                format!(
                    "{:.2}–{:.2}",
                    r[5].as_f64().unwrap_or(0.0),
                    r[6].as_f64().unwrap_or(1.0)
                )
                .into(),
            ]
        })
        .collect();
    b.table(
        b.t(
            "模拟概率与有记录比例",
            "Simulated probability and share with a record",
        ),
        vec![
            Column::number(b.t("单元×灾种数", "Units × hazards"), 1.0),
            Column::number(b.t("有记录", "With a record"), 1.0),
            Column::number(b.t("平均模拟概率", "Mean simulated probability"), 1.0),
            Column::number(b.t("有记录比例", "Share with a record"), 1.0),
            Column::number(b.t("95%区间", "95 % interval"), 1.0),
        ],
        rows,
        b.source(&format!(
            "validation/calibration.csv: predicted, observed; Brier {brier}, {} {uncertainty}",
            b.t(
                "始终预报总比例时为",
                "of always predicting the overall share"
            )
        )),
    );
    let caption = b.t("校准图", "Calibration");
    let note = b.source("validation/calibration.csv");
    b.picture("validation", "plots/calibration.png", caption, 0.72, note)?;
    let sum = |f: &dyn Fn(&Vec<Value>) -> f64| calibration.rows.iter().map(f).sum::<f64>();
    let cell = |r: &Vec<Value>, i: usize| r[i].as_f64().unwrap_or(0.0);
    let expected = sum(&|r| cell(r, 1) * cell(r, 3));
    let found = sum(&|r| cell(r, 2));
    let (expected, found_text) = (digits(expected), digits(found));
    b.text(b.t(
        &format!("按模拟概率应有{expected}个单元×灾种留下记录，实有{found_text}个。模拟多于记录时，可能是模型高估，也可能是记录不全；在补齐全部灾情记录之前两者不能区分。"),
        &format!("By the simulated probabilities {expected} pairs of unit and hazard should have a record, {found_text} have one. Where more are simulated than recorded the model may be too high or the record incomplete; until all disasters are on record, the two cannot be told apart."),
    ));
    Ok(())
}

/// What the intervals allow to say.
fn statement(b: &Build<'_>, skill: &Table, events: &Table) -> String {
    let used = events.column("used").map_or(0, |c| {
        events
            .rows
            .iter()
            .filter(|r| r[c].as_f64() == Some(1.0))
            .count()
    });
    let better: Vec<String> = skill
        .rows
        .iter()
        .filter(|r| r[2].to_string() == "risk_index" && r[8].as_f64().is_some_and(|v| v > 0.5))
        .map(|r| hazard_word(b, &r[0].to_string()))
        .collect();
    let verdict = if better.is_empty() {
        b.t(
            "没有一个灾种的风险指数的AUC区间完全高于0.5：按现有记录，不能断言指数优于随机。",
            "For no hazard does the interval of the AUC of the risk index lie above 0.5 as a whole: with these records the index cannot be said to be better than chance.",
        )
    } else {
        let list = better.join(if b.say.zh { "、" } else { ", " });
        b.t(
            &format!("{list}的风险指数的AUC区间高于0.5，其余灾种按现有记录不能断言优于随机。"),
            &format!("For {list} the interval of the AUC of the risk index lies above 0.5; for the others these records allow no such claim."),
        )
    };
    b.t(
        &format!("用于检验的事件只有{used}个。{verdict}要把AUC的95%区间收窄到±0.1，有记录的单元一般需要30个以上；建议接入普查的年度历史灾害库（1978—2020年逐县）后重做本章。"),
        &format!("Only {used} events are in use. {verdict} An interval of ±0.1 on an AUC takes some 30 units with records; repeat this chapter with the yearly disaster records of the census (counties, 1978–2020)."),
    )
}

/// Appendix: every stage with its key, every input with its hash.
pub fn provenance(b: &mut Build<'_>) {
    let d = b.data;
    b.unnumbered("附录：溯源清单", "Appendix: provenance");
    b.text(b.t(
        "每个阶段的键由软件版本、选项、输入文件字节和上游阶段的键求得；键相同则成果逐字节相同。各成果文件的SHA-256见各目录的manifest.json。",
        "The key of a stage is a hash of release, options, input bytes and the keys upstream; the same key means the same bytes. The SHA-256 of every file stands in the manifest.json of its folder.",
    ));
    let rows: Vec<Vec<Cell>> = d
        .manifests
        .iter()
        .map(|m| {
            vec![
                m.task.clone().into(),
                m.key[..24.min(m.key.len())].to_string().into(),
                m.release.clone().into(),
                m.seed.to_string().into(),
                m.outputs.len().to_string().into(),
            ]
        })
        .collect();
    b.table(
        b.t("阶段", "Stages"),
        vec![
            Column::text(b.t("阶段", "Stage"), 1.0),
            Column::text(b.t("键（前24位）", "Key (first 24)"), 1.6),
            Column::word(b.t("软件", "Software"), 0.9),
            Column::word(b.t("种子", "Seed"), 0.9),
            Column::number(b.t("文件数", "Files"), 0.6),
        ],
        rows,
        b.source("manifest.json"),
    );
    let mut seen: Vec<&str> = Vec::new();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for f in d.manifests.iter().flat_map(|m| &m.inputs) {
        if !seen.contains(&f.path.as_str()) {
            seen.push(&f.path);
            rows.push(vec![
                f.path.clone().into(),
                f.bytes.to_string().into(),
                f.sha256.clone().into(),
            ]);
        }
    }
    b.table(
        b.t("输入文件校验值", "Hashes of the input files"),
        vec![
            Column::text(b.t("文件", "File"), 1.0),
            Column::number(b.t("字节", "Bytes"), 0.5),
            Column::text("SHA-256", 2.6),
        ],
        rows,
        b.source("manifest.json: tasks.inputs"),
    );
    let cited = [
        ("losses", "average_annual.csv"),
        ("losses", "exceedance.csv"),
        ("losses", "indicators.csv"),
        ("risk", "grades.csv"),
        ("relief", "reserve.csv"),
        ("relief", "shelter.csv"),
        ("validation", "skill.csv"),
        ("validation", "losses.csv"),
    ];
    let rows: Vec<Vec<Cell>> = cited
        .iter()
        .filter_map(|(task, file)| {
            let m = d.manifests.iter().find(|m| m.task == *task)?;
            let f = m.outputs.iter().find(|f| f.path == *file)?;
            Some(vec![
                format!("{task}/{file}").into(),
                f.sha256.clone().into(),
            ])
        })
        .collect();
    b.table(
        b.t("本报告引用的成果表", "Tables that this report cites"),
        vec![
            Column::text(b.t("文件", "File"), 1.0),
            Column::text("SHA-256", 2.6),
        ],
        rows,
        String::new(),
    );
}
