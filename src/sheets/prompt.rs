//! Warning prompt sheets (预警提示单): one a county. What, where, when, who is at risk, expected level, what to do, whom to call.

use super::scene::{PointRow, Scene, blank, people};
use super::{Contact, paper};
use crate::stages::lists::ground::Ground;
use crate::stages::lists::standards;
use crate::stages::lists::tables::response_zh;
use crate::stages::{Context, store};
use anlan_engine::Result;
use anlan_engine::io::Value;
use anlan_engine::io::table::{Table, write_xlsx};
use anlan_models::cartography::pdf::pdf_of_svgs;
use anlan_models::cartography::{Colour, SheetLanguage};
use anlan_models::lists::page::{Block, Document, pages};
use anlan_models::lists::{ListRules, Measures};
use anlan_models::relief::norm::Triggers;
use std::fmt::Write as _;
use std::path::Path;

/// What a sheet says of a county.
struct Prompt {
    code: String,
    name: String,
    level: Option<u8>,
    at_risk: f64,
    to_move: f64,
    rooms: Option<f64>,
    loss_yuan: Option<f64>,
    townships: Vec<usize>,
    hotspots: Vec<PointRow>,
    sites: Vec<PointRow>,
    places: Vec<PointRow>,
    measures: Vec<String>,
    contacts: Vec<Contact>,
}

pub(super) fn write(
    ctx: &Context<'_>,
    ground: &Ground,
    scene: &Scene,
    chosen: &[usize],
    folder: &Path,
) -> Result<()> {
    let rules = standards::rules(ctx)?;
    let measures = super::measures(ctx)?;
    let contacts = super::persons(ctx)?;
    std::fs::create_dir_all(folder).map_err(|e| anlan_engine::Error::io("creating", folder, e))?;
    let response = response(scene);
    let mut made = Vec::new();
    for &u in chosen {
        made.push(prompt(ground, scene, u, &measures, &contacts));
    }
    let mut all = Vec::new();
    for p in &made {
        let document = document(ctx, ground, scene, &rules, p, &response);
        let svgs = pages(&document, ctx.fonts)?;
        paper::pages(folder, &p.code, &svgs, ctx.fonts)?;
        all.extend(svgs);
    }
    paper::save(&folder.join("prompt.pdf"), &pdf_of_svgs(&all, ctx.fonts)?)?;
    write_xlsx(
        &folder.join("prompt.xlsx"),
        &[(
            "预警提示单",
            &table(ctx, ground, scene, &rules, &made, &response),
        )],
    )?;
    let summary = summary(ctx, scene, &rules, &made, &response);
    paper::save(&folder.join("summary.md"), summary.as_bytes())
}

/// Response level of the whole region in an event; not judged for a return period, whose maps hold everywhere at once.
fn response(scene: &Scene) -> String {
    let triggers = Triggers::builtin();
    match &scene.event {
        None => "逐区域情景，不作全域响应判定".into(),
        Some(e) => {
            let sum = |f: fn(&anlan_models::simulation::UnitLoss) -> f64| {
                e.losses.iter().map(f).sum::<f64>()
            };
            let level = triggers.level(0.0, sum(|l| l.relocated), sum(|l| l.collapsed_rooms));
            format!("{}（{}）", response_zh(&triggers, level), triggers.id)
        }
    }
}

fn prompt(
    ground: &Ground,
    scene: &Scene,
    unit: usize,
    measures: &Measures,
    contacts: &[Contact],
) -> Prompt {
    let here = &ground.units[unit];
    let lines = &scene.rules.lines;
    let mut townships: Vec<usize> = (0..ground.townships.len())
        .filter(|&t| ground.townships[t].unit == unit)
        .collect();
    let sum = |v: &[f64]| townships.iter().map(|&t| v[t]).sum::<f64>();
    let (at_risk, to_move) = (sum(&scene.at_risk), sum(&scene.to_move));
    let of_event = |f: fn(&anlan_models::simulation::UnitLoss) -> f64| {
        scene
            .event
            .as_ref()
            .map(|e| townships.iter().map(|&t| f(&e.losses[t])).sum::<f64>())
    };
    let rooms = of_event(|l| l.collapsed_rooms);
    let loss_yuan = of_event(|l| l.values()[..5].iter().sum());
    townships.sort_by(|&a, &b| {
        let key = |t: usize| (scene.to_move[t], scene.at_risk[t]);
        key(b)
            .partial_cmp(&key(a))
            .unwrap_or(std::cmp::Ordering::Equal)
            .then(a.cmp(&b))
    });
    townships.retain(|&t| scene.at_risk[t] >= 0.5);
    let level = scene.rules.level(at_risk, to_move, scene.return_period);
    let hazards = scene.hazards();
    let of = |kind: &str, hazard: &str| -> Vec<PointRow> {
        scene
            .points
            .iter()
            .filter(|p| {
                p.unit == here.code
                    && p.kind == kind
                    && p.hazard == hazard
                    && hazards.contains(&hazard)
            })
            .cloned()
            .collect()
    };
    let mut places = of("place", "flood");
    places.retain(|p| f64::from(p.depth_m) >= scene.rules.people.at_risk_m);
    places.extend(of("place", "geology"));
    let listed: Vec<String> = level.map_or_else(Vec::new, |level| {
        // Hazards in turn, so that a short list names something of each.
        let by_hazard: Vec<Vec<&str>> = hazards
            .iter()
            .map(|h| {
                measures
                    .warned(std::slice::from_ref(h), level)
                    .map(|m| m.zh.as_str())
                    .collect()
            })
            .collect();
        let most = by_hazard.iter().map(Vec::len).max().unwrap_or(0);
        (0..most)
            .flat_map(|k| by_hazard.iter().filter_map(move |list| list.get(k)))
            .take(lines.measures)
            .map(|text| (*text).to_owned())
            .collect()
    });
    // The county's own line, then those of the townships that are struck hardest.
    let mut lines_of = Vec::new();
    let wanted = std::iter::once(here.code.as_str()).chain(
        townships
            .iter()
            .take(lines.townships)
            .map(|&t| ground.townships[t].code.as_str()),
    );
    for code in wanted {
        lines_of.extend(contacts.iter().filter(|c| c.at == code).cloned());
    }
    lines_of.truncate(lines.persons);
    Prompt {
        code: here.code.clone(),
        name: here.name.clone(),
        level,
        at_risk,
        to_move,
        rooms,
        loss_yuan,
        townships,
        hotspots: of("hotspot", "flood"),
        sites: of("danger-site", "geology"),
        places,
        measures: listed,
        contacts: lines_of,
    }
}

pub(super) fn level_text(rules: &ListRules, level: Option<u8>) -> String {
    level.map_or_else(
        || "未达预警级别".to_owned(),
        |l| format!("{}色", rules.level_name(l, true)),
    )
}

fn scenario_text(ctx: &Context<'_>, scene: &Scene) -> (String, String) {
    match &scene.event {
        Some(e) => {
            let hazards: Vec<&str> = e.hazards.iter().map(|h| h.name_zh()).collect();
            (
                format!(
                    "模拟事件{}：{}，{}月，直接经济损失重现期约{:.0}年",
                    e.id,
                    hazards.join("、"),
                    e.month,
                    scene.return_period
                ),
                format!("发生月份：{}月；影响时段以实时预报为准", e.month),
            )
        }
        None => {
            let hours: Vec<String> = ctx
                .project
                .flood
                .durations_h
                .iter()
                .map(f64::to_string)
                .collect();
            (
                format!(
                    "{:.0}年一遇设计暴雨，洪涝淹没及暴雨诱发地质灾害",
                    scene.return_period
                ),
                format!(
                    "设计暴雨历时{}小时；影响时段以实时预报为准，雨停后仍需防范滞后洪水和滑坡",
                    hours.join("、")
                ),
            )
        }
    }
}

fn document(
    ctx: &Context<'_>,
    ground: &Ground,
    scene: &Scene,
    rules: &ListRules,
    p: &Prompt,
    response: &str,
) -> Document {
    let lines = &scene.rules.lines;
    let (what, when) = scenario_text(ctx, scene);
    let colour = p
        .level
        .and_then(|l| rules.levels.iter().find(|n| n.code == l))
        .map_or([235, 235, 235], |l| l.colour);
    let mut blocks = vec![
        Block::Banner {
            text: format!("建议预警级别：{}", level_text(rules, p.level)),
            colour: Colour(colour),
        },
        Block::Heading("一、情景与时段".into()),
        Block::Text(format!("情景：{what}。")),
        Block::Text(format!("时段：{when}。")),
        Block::Text(format!("响应：{response}。")),
        Block::Heading("二、影响范围与人员".into()),
    ];
    let (risk, moved) = if scene.event.is_some() {
        ("受灾人口", "需转移安置")
    } else {
        ("受威胁人口", "需转移人口")
    };
    // Maps are of return periods: an event takes the nearest below its own as a reference, and the sheet says so.
    let reference = store::return_periods(ctx.project)[scene.at];
    let depth = match scene.event {
        Some(_) => format!("参考水深（{reference}年一遇图，m）"),
        None => "水深（m）".to_owned(),
    };
    let mut who = format!(
        "{risk}{}人，{moved}{}人",
        people(p.at_risk),
        people(p.to_move)
    );
    if let (Some(rooms), Some(loss)) = (p.rooms, p.loss_yuan) {
        let _ = write!(
            who,
            "，倒塌房屋{}间，直接经济损失{:.0}万元",
            people(rooms),
            loss / 1e4
        );
    }
    blocks.push(Block::Text(format!("{who}。")));
    if scene.event.is_none() {
        blocks.push(Block::Text(format!(
            "口径：水深不小于{} m的居民为受威胁，不小于{} m的为需转移；不计堤防。",
            scene.rules.people.at_risk_m, scene.rules.people.to_move_m
        )));
    }
    if p.townships.is_empty() {
        blocks.push(Block::Text("各乡镇均无居民受影响。".into()));
    } else {
        let rows = p
            .townships
            .iter()
            .take(lines.townships)
            .map(|&t| {
                vec![
                    ground.townships[t].name.clone(),
                    people(scene.at_risk[t]),
                    people(scene.to_move[t]),
                    depth_text(scene.deepest[t]),
                ]
            })
            .collect();
        blocks.push(Block::Table {
            columns: heads(&[
                ("乡镇", 3.0),
                (risk, 1.3),
                (moved, 1.3),
                (&format!("居民区最大{depth}"), 1.9),
            ]),
            rows,
        });
        more(&mut blocks, "乡镇", p.townships.len(), lines.townships);
    }
    blocks.push(Block::Heading("三、重点部位".into()));
    points(
        &mut blocks,
        "易涝（淹没）点",
        &p.hotspots,
        lines.points,
        &depth,
        |r| depth_text(r.depth_m),
    );
    points(
        &mut blocks,
        "地质灾害隐患点",
        &p.sites,
        lines.points,
        "类型",
        |r| r.note.clone(),
    );
    points(
        &mut blocks,
        "重点场所",
        &p.places,
        lines.places,
        "说明",
        |r| {
            let kind = r.note.split('；').next().unwrap_or("").to_owned();
            if r.hazard == "flood" {
                format!("{kind}，{reference}年一遇水深{} m", depth_text(r.depth_m))
            } else {
                format!("{kind}，滑坡可达")
            }
        },
    );
    blocks.push(Block::Heading("四、防范应对措施".into()));
    if p.measures.is_empty() {
        blocks.push(Block::Text("未达预警级别，保持日常监测和值守。".into()));
    } else {
        blocks.push(Block::List(p.measures.clone()));
    }
    blocks.push(Block::Heading("五、责任人与联系方式".into()));
    let rows = p
        .contacts
        .iter()
        .map(|c| {
            let at = ground
                .townships
                .iter()
                .find(|t| t.code == c.at)
                .map_or_else(|| p.name.clone(), |t| t.name.clone());
            let person = if c.person.is_empty() {
                "未落实".to_owned()
            } else {
                c.person.clone()
            };
            vec![
                at,
                c.role_zh.clone(),
                person,
                c.post.clone(),
                c.phone.clone(),
            ]
        })
        .collect();
    blocks.push(Block::Table {
        columns: heads(&[
            ("责任区", 2.4),
            ("层级", 1.5),
            ("姓名", 1.0),
            ("职务", 1.5),
            ("电话", 1.5),
        ]),
        rows,
    });
    blocks.push(Block::Text(format!(
        "说明：模型情景，供会商参考，不代替有关部门的实时预警。规则{}（{}）、{}（{}）。",
        scene.rules.id, scene.rules.status, rules.id, rules.status
    )));
    Document {
        title: format!("{}灾害预警提示单", p.name),
        subtitle: format!("{}　{what}", ctx.project.project.name),
        marks: ctx
            .marks()
            .iter()
            .map(|m| m.text(SheetLanguage::Zh).to_owned())
            .collect(),
        blocks,
        foot: format!(
            "{}　{}",
            ctx.project.products.producer, ctx.project.products.date
        ),
    }
}

pub(super) fn heads(columns: &[(&str, f32)]) -> Vec<(String, f32)> {
    columns.iter().map(|(n, w)| ((*n).to_owned(), *w)).collect()
}

fn depth_text(d: f32) -> String {
    if d > 0.0 {
        format!("{d:.2}")
    } else {
        "–".to_owned()
    }
}

/// Says how many lines a table leaves out.
fn more(blocks: &mut Vec<Block>, what: &str, all: usize, most: usize) {
    if all > most {
        blocks.push(Block::Text(format!(
            "共{all}个{what}，表中列出前{most}个，其余见风险清单。"
        )));
    }
}

fn points(
    blocks: &mut Vec<Block>,
    what: &str,
    list: &[PointRow],
    most: usize,
    last: &str,
    text: impl Fn(&PointRow) -> String,
) {
    if list.is_empty() {
        blocks.push(Block::Text(format!("{what}：无。")));
        return;
    }
    let rows = list
        .iter()
        .take(most)
        .map(|r| vec![r.code.clone(), r.name.clone(), blank(r.people), text(r)])
        .collect();
    blocks.push(Block::Table {
        columns: heads(&[(what, 1.5), ("名称", 3.0), ("人数", 0.8), (last, 1.9)]),
        rows,
    });
    more(blocks, what, list.len(), most);
}

fn table(
    ctx: &Context<'_>,
    ground: &Ground,
    scene: &Scene,
    rules: &ListRules,
    made: &[Prompt],
    response: &str,
) -> Table {
    let mut table = Table::new(&[
        "县级代码",
        "县级名称",
        "情景",
        "时段",
        "建议预警级别",
        "响应等级",
        "受威胁（受灾）人口",
        "需转移人口",
        "倒塌房屋（间）",
        "直接经济损失（万元）",
        "主要影响乡镇",
        "易涝（淹没）点数",
        "地质灾害隐患点数",
        "受影响重点场所数",
        "措施",
        "责任人",
        "责任人未落实数",
        "标记",
    ]);
    let (what, when) = scenario_text(ctx, scene);
    let marks: Vec<&str> = ctx
        .marks()
        .iter()
        .map(|m| m.text(SheetLanguage::Zh))
        .collect();
    for p in made {
        let townships: Vec<String> = p
            .townships
            .iter()
            .take(scene.rules.lines.townships)
            .map(|&t| {
                format!(
                    "{}（{}人）",
                    ground.townships[t].name,
                    people(scene.at_risk[t])
                )
            })
            .collect();
        let named: Vec<String> = p
            .contacts
            .iter()
            .filter(|c| !c.person.is_empty())
            .map(|c| format!("{}{} {}", c.role_zh, c.person, c.phone))
            .collect();
        let whole = |n: usize| Value::Integer(n as i64);
        let real = |v: Option<f64>| v.map_or(Value::Null, |v| Value::Integer(v.round() as i64));
        table.rows.push(vec![
            p.code.clone().into(),
            p.name.clone().into(),
            what.clone().into(),
            when.clone().into(),
            level_text(rules, p.level).into(),
            response.into(),
            real(Some(p.at_risk)),
            real(Some(p.to_move)),
            real(p.rooms),
            real(p.loss_yuan.map(|l| l / 1e4)),
            townships.join("；").into(),
            whole(p.hotspots.len()),
            whole(p.sites.len()),
            whole(p.places.len()),
            p.measures.join("；").into(),
            named.join("；").into(),
            whole(p.contacts.iter().filter(|c| c.person.is_empty()).count()),
            marks.join("；").into(),
        ]);
    }
    table
}

fn summary(
    ctx: &Context<'_>,
    scene: &Scene,
    rules: &ListRules,
    made: &[Prompt],
    response: &str,
) -> String {
    let zh = ctx.project.products.language == SheetLanguage::Zh;
    let mut out = String::new();
    let (what, _) = scenario_text(ctx, scene);
    let _ = if zh {
        writeln!(
            out,
            "# 预警提示单：{what}\n\n响应：{response}\n\n| 单元 | 级别 | 受威胁（受灾）人口 | 需转移人口 | 易涝点 | 隐患点 |\n| --- | --- | --- | --- | --- | --- |"
        )
    } else {
        let hazards: Vec<&str> = scene.hazards();
        writeln!(
            out,
            "# Warning prompt sheets: {} ({:.0} years)\n\n| unit | level | at risk | to move | hotspots | sites |\n| --- | --- | --- | --- | --- | --- |",
            hazards.join(", "),
            scene.return_period
        )
    };
    for p in made {
        let level = match (p.level, zh) {
            (level, true) => level_text(rules, level),
            (Some(l), false) => rules.level_name(l, false).to_owned(),
            (None, false) => "none".into(),
        };
        let _ = writeln!(
            out,
            "| {} {} | {level} | {} | {} | {} | {} |",
            p.code,
            p.name,
            people(p.at_risk),
            people(p.to_move),
            p.hotspots.len(),
            p.sites.len()
        );
    }
    out
}
