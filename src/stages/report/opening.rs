//! Summary, region and data, methods and rule packs.

use super::super::losses::assessed;
use super::build::Build;
use super::data::{Origin, between, digits, find, grouped, years};
use anlan_engine::Result;
use anlan_models::hazard::Hazard;
use anlan_models::report::{Cell, Column};

/// Names of a hazard in the language of the report.
pub(super) fn hazard_name(b: &Build<'_>, hazard: Hazard) -> String {
    b.t(hazard.name_zh(), hazard.name())
}

/// The key numbers, each with its interval and its source.
pub fn summary(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    let project = d.ctx.project;
    let code = project.project.code.as_str();
    let region = d.region(b.say).to_string();
    let people: f64 = d.units.iter().map(|u| u.population).sum();
    let gdp: f64 = d.units.iter().map(|u| u.gdp_yuan).sum();
    let simulated = project.losses.years;
    b.unnumbered("摘要", "Summary");
    let names: Vec<String> = (Hazard::ALL.into_iter())
        .filter(|h| assessed(d.ctx, *h))
        .map(|h| hazard_name(b, h))
        .collect();
    let units = d.units.len();
    let seed = project.project.seed;
    b.text(b.t(
        &format!(
            "本报告评估{region}{units}个县级单元的{}风险。评估区常住人口{}人，地区生产总值{}。全部灾种按同一时钟逐年模拟{}年（随机种子{seed}），金额为2020年价格人民币。",
            names.join("、"),
            grouped(people),
            b.say.money(gdp),
            grouped(f64::from(simulated)),
        ),
        &format!(
            "This report assesses the risk from {} in the {units} counties of {region}, with {} residents and a GDP of {}. All hazards are simulated on one clock for {} years (seed {seed}); money is in yuan of 2020.",
            names.join(", "),
            grouped(people),
            b.say.money(gdp),
            grouped(f64::from(simulated)),
        ),
    ));
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut push = |name: String, value: String, interval: String, source: &str| {
        rows.push(vec![
            name.into(),
            value.into(),
            interval.into(),
            source.into(),
        ]);
    };
    for hazard in std::iter::once(None).chain(Hazard::ALL.into_iter().map(Some)) {
        let key = hazard.map_or("all", Hazard::name);
        let Some((mean, error)) = d.mean(code, key, "direct_loss_yuan") else {
            continue;
        };
        let name = hazard.map_or_else(|| b.t("合计", "all hazards"), |h| hazard_name(b, h));
        push(
            b.t(
                &format!("年均直接经济损失：{name}"),
                &format!("Average annual loss: {name}"),
            ),
            b.say.money(mean),
            format!("± {}", b.say.money(1.96 * error)),
            "losses/average_annual.csv: mean, standard_error",
        );
    }
    let period = d.headline_period();
    let t = years(period);
    let of_period = |metric: &str, curve: &str| d.level(code, "all", metric, curve, period);
    if let Some([value, low, high]) = of_period("direct_loss_yuan", "aep") {
        push(
            b.t(
                &format!("{t}年一遇年损失"),
                &format!("Yearly loss, 1 in {t} years"),
            ),
            b.say.money(value),
            format!("{} – {}", b.say.money(low), b.say.money(high)),
            "losses/exceedance.csv: aep, value, low_95, high_95",
        );
    }
    for (metric, zh, en) in [
        ("affected_people", "受灾人口", "People affected"),
        ("relocated_people", "转移安置人口", "People relocated"),
    ] {
        if let Some([value, low, high]) = of_period(metric, "oep") {
            push(
                b.t(
                    &format!("{t}年一遇事件{zh}（人）"),
                    &format!("{en}, event of 1 in {t} years"),
                ),
                digits(value),
                between(low, high),
                "losses/exceedance.csv: oep, value, low_95, high_95",
            );
        }
    }
    if let Some(row) = find(&d.indicators, &[code]) {
        let cell = |i: usize| row[i].as_f64().map_or("—".into(), digits);
        push(
            b.t("年均损失/GDP（‰）", "Average annual loss / GDP (‰)"),
            cell(2),
            String::new(),
            "losses/indicators.csv: aal_per_gdp_permille",
        );
        push(
            b.t(
                "年损失超过GDP 1%的概率",
                "Probability that the loss of a year exceeds 1 % of GDP",
            ),
            cell(3),
            String::new(),
            "losses/indicators.csv: probability_loss_above_1_percent_of_gdp",
        );
        if let Some(v) = row[4].as_f64() {
            let error = row[5].as_f64().unwrap_or(f64::NAN);
            push(
                b.t("森林火灾受害率（‰）", "Forest burned a year (‰)"),
                digits(v),
                format!("± {}", digits(1.96 * error)),
                "losses/indicators.csv: burned_forest_permille",
            );
        }
    }
    let gap: f64 = d.shelter.rows.iter().filter_map(|r| r[6].as_f64()).sum();
    push(
        b.t("避难容量缺口合计（人）", "Places lacking in shelters"),
        grouped(gap),
        String::new(),
        "relief/shelter.csv: gap",
    );
    b.table(
        b.t("关键数字", "Key numbers"),
        vec![
            Column::text(b.t("指标", "Quantity"), 2.4),
            Column::number(b.t("数值", "Value"), 1.2),
            Column::number(b.t("95%抽样区间", "95 % sampling interval"), 1.6),
            Column::text(b.t("文件：列", "File: columns"), 2.2),
        ],
        rows,
        b.t(
            "区间只含模拟年数的抽样误差，不含参数与方法的不确定性。",
            "Intervals hold the sampling error of the simulated years, nothing of the uncertainty of parameters and methods.",
        ),
    );
    findings(b);
    Ok(())
}

/// Where risk is highest, what dominates, what is not assessed.
fn findings(b: &mut Build<'_>) {
    let d = b.data;
    let code = d.ctx.project.project.code.as_str();
    let mut items = Vec::new();
    let mut highest: Vec<(f64, &str)> = d
        .units
        .iter()
        .filter_map(|u| {
            let row = d.grade(&u.code, "all")?;
            (row[7].as_f64() == Some(1.0)).then_some((row[6].as_f64()?, u.name.as_str()))
        })
        .collect();
    highest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let list: Vec<&str> = highest.iter().map(|h| h.1).take(12).collect();
    if !list.is_empty() {
        items.push(b.t(
            &format!("综合风险等级为“高”的单元：{}。", list.join("、")),
            &format!(
                "Units of the highest comprehensive grade: {}.",
                list.join(", ")
            ),
        ));
    }
    let shares: Vec<(Hazard, f64)> = (Hazard::ALL.into_iter())
        .filter_map(|h| Some((h, d.mean(code, h.name(), "direct_loss_yuan")?.0)))
        .collect();
    let total: f64 = shares.iter().map(|s| s.1).sum();
    if let Some((hazard, loss)) = shares.iter().max_by(|a, b| a.1.total_cmp(&b.1))
        && total > 0.0
    {
        let (name, share) = (hazard_name(b, *hazard), digits(100.0 * loss / total));
        items.push(b.t(
            &format!("{name}占年均直接经济损失的{share}%，为各灾种之首。"),
            &format!("Of the average annual loss, {share} % is from {name}, the greatest share."),
        ));
    }
    let absent: Vec<String> = (Hazard::ALL.into_iter())
        .filter(|h| !assessed(d.ctx, *h))
        .map(|h| hazard_name(b, h))
        .collect();
    if !absent.is_empty() {
        items.push(b.t(
            &format!(
                "{}的损失未评估，不含在任何损失数字中（空缺不等于零）。",
                absent.join("、")
            ),
            &format!(
                "Losses from {} are not assessed and in no figure: absent, not zero.",
                absent.join(" and ")
            ),
        ));
    }
    if let Some(skill) = d.validation.get("skill") {
        items.push(if skill.rows.is_empty() {
            b.t(
                "没有可用于检验的历史灾害记录，等级与损失未经检验。",
                "No recorded disasters to hold the results against: grades and losses are not validated.",
            )
        } else {
            b.t(
                "与历史灾害的对照见“历史灾害检验”一章；可用事件很少，区间很宽，不能据此认定模型准确。",
                "For the comparison with recorded disasters see the chapter on validation; events are few, intervals wide, and no claim of accuracy follows.",
            )
        });
    }
    b.list(items);
}

/// Chapter 1: region, inputs with hashes, quality of the census.
pub fn data(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    let project = d.ctx.project;
    b.chapter("区域与数据", "Region and data");
    b.section("评估区域", "Region");
    let (epsg, cell) = (project.grid.epsg, project.grid.cell_m);
    let (rows, cols) = d.ledger.grid.shape();
    b.text(b.t(
        &format!(
            "计算坐标系为EPSG:{epsg}，格网边长{cell} m，共{rows}行×{cols}列，区域边界外延{} m以覆盖上游汇水区。统计单元为县级，乡镇结果见成果表。",
            project.grid.margin_m
        ),
        &format!(
            "The compute system is EPSG:{epsg} with cells of {cell} m, {rows} rows by {cols} columns, {} m beyond the borders for catchments upstream. Statistical units are counties; results by township stand in the tables.",
            project.grid.margin_m
        ),
    ));
    if !project.products.data_period.is_empty() {
        b.text(b.t(
            &format!("数据时段：{}。", project.products.data_period),
            &format!("Period of the data: {}.", project.products.data_period),
        ));
    }
    b.section("数据来源", "Sources");
    let mut seen: Vec<&str> = Vec::new();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for m in &d.manifests {
        for f in &m.inputs {
            if seen.contains(&f.path.as_str()) {
                continue;
            }
            seen.push(&f.path);
            let origin = d.origins.get(&f.path);
            let kind = origin.map_or_else(|| b.t("未注明", "not stated"), |o| kind_of(b, &o.kind));
            rows.push(vec![
                f.path.clone().into(),
                kind.into(),
                origin.map_or(String::new(), from_of).into(),
                origin.map_or(String::new(), |o| o.licence.clone()).into(),
                f.sha256[..16].to_string().into(),
            ]);
        }
    }
    b.table(
        b.t("输入数据", "Input files"),
        vec![
            Column::text(b.t("文件", "File"), 1.3),
            Column::word(b.t("性质", "Kind"), 0.6),
            Column::text(b.t("来源", "From"), 1.2),
            Column::text(b.t("许可", "Licence"), 1.4),
            Column::text(b.t("SHA-256（前16位）", "SHA-256 (first 16)"), 1.0),
        ],
        rows,
        b.source("manifest.json: tasks.inputs; PROVENANCE.toml: kind, package, table, licence"),
    );
    let traps: Vec<String> = seen
        .iter()
        .filter_map(|f| Some((f, d.origins.get(*f)?)))
        .filter(|(_, o)| !o.trap.is_empty())
        .map(|(f, o)| format!("{f}: {}", o.trap))
        .collect();
    if !traps.is_empty() {
        b.text(b.t(
            "数据使用须知（按数据来源说明原文）：",
            "What to know when using the data, as their provenance states:",
        ));
        b.list(traps);
    }
    quality(b)
}

fn kind_of(b: &Build<'_>, kind: &str) -> String {
    match kind {
        "real" => b.t("实测", "real"),
        "derived" => b.t("推算", "derived"),
        "typed" => b.t("录入", "typed in"),
        "synthetic" => b.t("合成", "synthetic"),
        other => other.to_string(),
    }
}

fn from_of(o: &Origin) -> String {
    match (o.package.is_empty(), o.version.is_empty()) {
        (true, _) => o.table.clone(),
        (false, true) => o.package.clone(),
        (false, false) => format!("{} {}", o.package, o.version),
    }
}

/// Findings of the census check, by severity and rule.
fn quality(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    b.section("普查数据质量", "Quality of the census");
    if d.findings.rows.is_empty() {
        b.text(b.t(
            "普查表通过全部检查规则（字段、单位、取值范围、代码与层级、合计、与界线匹配），无问题记录。",
            "The census table passed all rules (fields, units, ranges, codes and levels, sums, match with the borders); nothing was found.",
        ));
    } else {
        let n = d.findings.rows.len();
        b.text(b.t(
            &format!("普查表检查发现{n}条问题，逐条列出如下；未自动修改的数据保持原值。"),
            &format!("The check of the census found {n} issues, listed below; data not corrected by certain rules stay as they are."),
        ));
        let at = |name: &str| d.findings.column(name);
        let columns = [
            at("severity"),
            at("rule"),
            at("unit"),
            at("found"),
            at("expected"),
        ];
        let rows: Vec<Vec<Cell>> = d
            .findings
            .rows
            .iter()
            .take(40)
            .map(|r| {
                let cell = |c: &Option<usize>| c.map_or(String::new(), |c| r[c].to_string());
                columns.iter().map(|c| cell(c).into()).collect()
            })
            .collect();
        b.table(
            b.t("普查数据问题", "Findings of the census check"),
            vec![
                Column::word(b.t("级别", "Severity"), 0.5),
                Column::text(b.t("规则", "Rule"), 0.9),
                Column::word(b.t("单元", "Unit"), 0.6),
                Column::text(b.t("发现", "Found"), 2.0),
                Column::text(b.t("应为", "Expected"), 1.6),
            ],
            rows,
            b.source("layers/census_findings.csv")
                + &if n > 40 {
                    b.t("（列出前40条）", " (the first 40)")
                } else {
                    String::new()
                },
        );
    }
    Ok(())
}

/// Chapter 2: methods by hazard, rule packs.
pub fn methods(b: &mut Build<'_>) -> Result<()> {
    let d = b.data;
    b.chapter("方法", "Methods");
    for m in d.texts.method.iter().filter(|m| d.applies(&m.when)) {
        b.section(&m.title_zh, &m.title_en);
        for text in if b.say.zh { &m.text_zh } else { &m.text_en } {
            b.text(text.clone());
        }
        if !m.equations.is_empty() {
            let word = b.t("主要公式：", "Equations: ");
            b.note(format!("{word}{}", m.equations.join(";  ")));
        }
        if !m.references.is_empty() {
            let word = b.t("文献：", "References: ");
            b.note(format!("{word}{}", m.references.join("; ")));
        }
    }
    b.section("规则包与参数状态", "Rule packs and status of parameters");
    b.text(b.t(
        "等级阈值、名称与颜色由规则包给出。状态为“未核实”的规则包未与标准原文核对，其阈值为默认值，正式使用前应以核对过的规则包替换。",
        "Thresholds, names and colours of grades come from rule packs. Packs of status unverified were not checked against the standard; their thresholds are defaults, to be replaced by checked packs before official use.",
    ));
    let used = |hazard: Hazard| super::super::risk::hazard_pack(d.ctx, hazard);
    let used: Vec<String> = (Hazard::ALL.into_iter().map(used))
        .chain(["risk".into(), "unit-risk".into()])
        .collect();
    let rows: Vec<Vec<Cell>> = d
        .packs
        .pack
        .iter()
        .filter(|p| used.contains(&p.id))
        .map(|p| {
            vec![
                p.id.clone().into(),
                if b.say.zh { &p.title_zh } else { &p.title_en }
                    .clone()
                    .into(),
                p.issuer.clone().into(),
                p.year.to_string().into(),
                super::build::filled(
                    b.say.status(&p.status),
                    (p.status == "unverified").then_some([240, 200, 80]),
                ),
                p.hash().into(),
            ]
        })
        .collect();
    b.table(
        b.t("采用的规则包", "Rule packs in use"),
        vec![
            Column::text(b.t("编号", "Id"), 1.0),
            Column::text(b.t("名称", "Title"), 1.3),
            Column::text(b.t("发布单位与标准号", "Issuer and number"), 1.4),
            Column::word(b.t("年份", "Year"), 0.5),
            Column::word(b.t("状态", "Status"), 0.8),
            Column::text(b.t("校验值", "Hash"), 1.1),
        ],
        rows,
        b.source("risk/grades.xlsx: packs"),
    );
    Ok(())
}
