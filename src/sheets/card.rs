//! Cards of hidden-danger sites (地质灾害明白卡): a page a site, for the people below it. What the run knows is filled in; households
//! are not in any table of a run, so their lines are left to be written in.

use super::prompt::{heads, level_text};
use super::{Contact, paper};
use crate::stages::lists::ground::Ground;
use crate::stages::lists::places::{CriticalPlace, critical_places, danger_sites};
use crate::stages::lists::standards;
use crate::stages::{Context, store};
use anlan_engine::Result;
use anlan_engine::io::Value;
use anlan_engine::io::table::{self, Table, write_xlsx};
use anlan_models::cartography::pdf::pdf_of_svgs;
use anlan_models::cartography::{Colour, SheetLanguage};
use anlan_models::geology::sites::{HiddenSite, ScaleTable};
use anlan_models::lists::page::{Block, Document, pages};
use anlan_models::lists::{CardTable, ListRules};
use std::collections::BTreeMap;
use std::path::Path;

/// Shelters, persons and household lines of a card, at most.
const SHELTERS: usize = 3;
const PERSONS: usize = 4;
const HOUSEHOLDS: usize = 6;

/// What a card says of its site.
struct Card {
    site: HiddenSite,
    unit: usize,
    township: Option<usize>,
    scale: String,
    level: u8,
    monitored: bool,
    /// Return period of a slide at the site, years, where the run has one.
    return_period: Option<f64>,
    /// Shelters of the county, the nearest first, with distance in metres and bearing.
    shelters: Vec<(CriticalPlace, f64, &'static str)>,
    contacts: Vec<Contact>,
}

/// Writes `CODE.pdf` for each county with sites, `cards.xlsx` with a row a site, and `summary.md`.
pub(super) fn write(
    ctx: &Context<'_>,
    ground: &Ground,
    chosen: &[usize],
    folder: &Path,
) -> Result<()> {
    let rules = standards::rules(ctx)?;
    let texts = CardTable::builtin();
    let cards = cards(ctx, ground, &rules, chosen)?;
    std::fs::create_dir_all(folder).map_err(|e| anlan_engine::Error::io("creating", folder, e))?;
    let mut summary = String::from(
        "# 地质灾害明白卡\n\n| 单元 | 隐患点 | 威胁人数 | 文件 |\n| --- | --- | --- | --- |\n",
    );
    for &u in chosen {
        let unit = &ground.units[u];
        let of: Vec<&Card> = cards.iter().filter(|c| c.unit == u).collect();
        let people: u64 = of.iter().map(|c| c.site.threatened_people).sum();
        let mut file = "无".to_owned();
        if !of.is_empty() {
            let mut all = Vec::new();
            for card in &of {
                all.extend(pages(
                    &document(ctx, ground, &rules, &texts, card),
                    ctx.fonts,
                )?);
            }
            file = format!("{}.pdf", unit.code);
            paper::save(&folder.join(&file), &pdf_of_svgs(&all, ctx.fonts)?)?;
        }
        summary += &format!(
            "| {} {} | {} | {people} | {file} |\n",
            unit.code,
            unit.name,
            of.len()
        );
    }
    write_xlsx(
        &folder.join("cards.xlsx"),
        &[("明白卡发放登记", &register(ground, &rules, &cards))],
    )?;
    paper::save(&folder.join("summary.md"), summary.as_bytes())
}

fn cards(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    chosen: &[usize],
) -> Result<Vec<Card>> {
    let contacts = super::persons(ctx)?;
    let shelters: Vec<CriticalPlace> = critical_places(ctx, ground)?
        .into_iter()
        .filter(|p| p.kind == "避难场所")
        .collect();
    let unit_of = |at| ground.cell(at).and_then(|c| ground.place(c).0);
    let periods = return_periods(ctx)?;
    let scale = ScaleTable::standard();
    let mut out = Vec::new();
    for site in danger_sites(ctx, ground)? {
        let at = (site.x, site.y);
        let Some(cell) = ground.cell(at) else {
            continue;
        };
        let (Some(unit), township) = ground.place(cell) else {
            continue;
        };
        if !chosen.contains(&unit) {
            continue;
        }
        let class = scale.class_of(&site);
        let position = scale.classes.iter().position(|c| c == class).unwrap_or(0) as u8 + 1;
        let mut near: Vec<(CriticalPlace, f64, &'static str)> = shelters
            .iter()
            .filter(|s| unit_of(s.at) == Some(unit))
            .map(|s| {
                let (dx, dy) = (s.at.0 - at.0, s.at.1 - at.1);
                (s.clone(), (dx * dx + dy * dy).sqrt(), bearing(dx, dy))
            })
            .collect();
        near.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.code.cmp(&b.0.code)));
        near.truncate(SHELTERS);
        // The site's own line first, then its township's and its county's.
        let places = [
            Some(site.code.as_str()),
            township.map(|t| ground.townships[t].code.as_str()),
            Some(ground.units[unit].code.as_str()),
        ];
        let mut persons: Vec<Contact> = Vec::new();
        for code in places.into_iter().flatten() {
            persons.extend(contacts.iter().filter(|c| c.at == code).cloned());
        }
        persons.truncate(PERSONS);
        out.push(Card {
            unit,
            township,
            scale: class.name_zh.clone(),
            level: rules.of_scale.of(position),
            monitored: scale.monitored(&site),
            return_period: periods.get(&site.code).copied(),
            shelters: near,
            contacts: persons,
            site,
        });
    }
    out.sort_by(|a, b| {
        (a.unit, b.site.threatened_people, &a.site.code).cmp(&(
            b.unit,
            a.site.threatened_people,
            &b.site.code,
        ))
    });
    Ok(out)
}

/// Return periods of sites, from the risk list.
fn return_periods(ctx: &Context<'_>) -> Result<BTreeMap<String, f64>> {
    let list = table::read_list(&store::existing(ctx, "lists", "risk_list.csv")?)?;
    let [kind, code, period] = ["kind", "code", "return_period_years"].map(|c| list.require(c));
    let (kind, code, period) = (kind?, code?, period?);
    Ok(list
        .rows
        .iter()
        .filter(|row| row[kind].to_string() == "danger-site")
        .filter_map(|row| Some((row[code].to_string(), row[period].as_f64()?)))
        .collect())
}

/// Direction of a way that leads east by `dx` and north by `dy`.
fn bearing(dx: f64, dy: f64) -> &'static str {
    const NAMES: [&str; 8] = ["北", "东北", "东", "东南", "南", "西南", "西", "西北"];
    let eighth = libm::atan2(dx, dy).to_degrees().rem_euclid(360.0) / 45.0;
    NAMES[(eighth.round() as usize) % 8]
}

fn document(
    ctx: &Context<'_>,
    ground: &Ground,
    rules: &ListRules,
    texts: &CardTable,
    card: &Card,
) -> Document {
    let (site, text) = (&card.site, texts.of(card.site.kind));
    let unit = &ground.units[card.unit];
    let township = card.township.map_or("", |t| &ground.townships[t].name);
    let colour =
        (rules.levels.iter().find(|n| n.code == card.level)).map_or([235; 3], |l| l.colour);
    let (lon, lat) = ground.to_degrees.point(site.x, site.y);
    let row = |a: &str, b: String, c: &str, d: String| vec![a.to_owned(), b, c.to_owned(), d];
    let often = card
        .return_period
        .map_or_else(|| "未评估".to_owned(), |t| format!("约{t:.0}年一遇"));
    let monitoring = if card.monitored {
        "应安装"
    } else {
        "群测群防"
    };
    let mut blocks = vec![
        Block::Banner {
            text: format!(
                "险情等级：{}（{}），威胁{}人",
                card.scale,
                level_text(rules, Some(card.level)),
                site.threatened_people
            ),
            colour: Colour(colour),
        },
        Block::Heading("一、隐患点".into()),
        Block::Table {
            columns: heads(&[("项目", 1.0), ("内容", 2.2), ("项目", 1.0), ("内容", 2.2)]),
            rows: vec![
                row("编号", site.code.clone(), "名称", site.name.clone()),
                row(
                    "类型",
                    site.kind.name_zh().into(),
                    "规模",
                    format!("{:.0} m³", site.volume_m3),
                ),
                row(
                    "位置",
                    format!("{}{township}", unit.name),
                    "经纬度",
                    format!("{lon:.5}°E，{lat:.5}°N"),
                ),
                row(
                    "威胁财产",
                    format!("{:.0}万元", site.threatened_yuan / 1e4),
                    "自动监测",
                    monitoring.into(),
                ),
                row("滑坡发生", often, "诱发因素", text.trigger.clone()),
            ],
        },
        Block::Heading("二、监测预警".into()),
        Block::Text("临灾征兆：".into()),
        Block::List(text.signs.clone()),
    ];
    let persons = (card.contacts.iter())
        .map(|c| {
            let person = if c.person.is_empty() {
                "未落实"
            } else {
                &c.person
            };
            vec![
                c.role_zh.clone(),
                person.to_owned(),
                c.post.clone(),
                c.phone.clone(),
            ]
        })
        .collect();
    blocks.push(Block::Table {
        columns: heads(&[
            ("责任层级", 1.5),
            ("姓名", 1.0),
            ("职务", 1.5),
            ("电话", 1.5),
        ]),
        rows: persons,
    });
    blocks.push(Block::Text(
        "预警信号（锣声、口哨、广播）：________________________".into(),
    ));
    blocks.push(Block::Heading("三、避险".into()));
    if card.shelters.is_empty() {
        blocks.push(Block::Text("本县区无登记的避难场所，须另行落实。".into()));
    } else {
        let rows = (card.shelters.iter())
            .map(|(s, far, way)| {
                vec![
                    s.name.clone(),
                    (*way).to_owned(),
                    format!("{:.1} km", far / 1000.0),
                    s.people
                        .map_or_else(|| "未知".into(), |p| format!("{p:.0}")),
                ]
            })
            .collect();
        blocks.push(Block::Table {
            columns: heads(&[
                ("避难场所", 3.2),
                ("方向", 0.8),
                ("直线距离", 1.0),
                ("可容纳（人）", 1.0),
            ]),
            rows,
        });
    }
    blocks.push(Block::Text(
        "撤离路线（由村、社区现场核定后填写，不得穿过滑坡体和沟道）：________________________"
            .into(),
    ));
    blocks.push(Block::List(text.act.clone()));
    blocks.push(Block::Text(format!("切记：{}。", text.avoid.join("；"))));
    blocks.push(Block::Heading("四、住户（由村、社区填写）".into()));
    blocks.push(Block::Table {
        columns: heads(&[
            ("户主", 1.2),
            ("人数", 0.7),
            ("电话", 1.5),
            ("房屋位置", 1.8),
            ("签收", 1.0),
        ]),
        rows: vec![vec!["　".to_owned(); 5]; HOUSEHOLDS],
    });
    blocks.push(Block::Text(format!(
        "说明：基本情况引自隐患点台账，概率由安澜模型估算，文字{}（{}）。",
        texts.id, texts.status
    )));
    Document {
        title: "地质灾害防灾避险明白卡".into(),
        subtitle: format!("{}{township}　{}", unit.name, site.name),
        marks: (ctx.marks().iter())
            .map(|m| m.text(SheetLanguage::Zh).to_owned())
            .collect(),
        blocks,
        foot: format!(
            "{}　{}",
            ctx.project.products.producer, ctx.project.products.date
        ),
    }
}

fn register(ground: &Ground, rules: &ListRules, cards: &[Card]) -> Table {
    let mut table = Table::new(&[
        "县级代码",
        "县级名称",
        "乡镇",
        "编号",
        "名称",
        "类型",
        "险情等级",
        "级别",
        "威胁人数",
        "威胁财产（万元）",
        "自动监测",
        "最近避难场所",
        "直线距离（km）",
        "方向",
        "责任人",
        "发放日期",
        "签收户数",
    ]);
    for c in cards {
        let nearest = c.shelters.first();
        let persons: Vec<String> = (c.contacts.iter().filter(|p| !p.person.is_empty()))
            .map(|p| format!("{}{} {}", p.role_zh, p.person, p.phone))
            .collect();
        table.rows.push(vec![
            ground.units[c.unit].code.clone().into(),
            ground.units[c.unit].name.clone().into(),
            c.township
                .map_or(Value::Null, |t| ground.townships[t].name.clone().into()),
            c.site.code.clone().into(),
            c.site.name.clone().into(),
            c.site.kind.name_zh().into(),
            c.scale.clone().into(),
            level_text(rules, Some(c.level)).into(),
            Value::Integer(c.site.threatened_people as i64),
            (c.site.threatened_yuan / 1e4).into(),
            if c.monitored {
                "应安装"
            } else {
                "群测群防"
            }
            .into(),
            nearest.map_or(Value::Null, |n| n.0.name.clone().into()),
            nearest.map_or(Value::Null, |n| ((n.1 / 100.0).round() / 10.0).into()),
            nearest.map_or(Value::Null, |n| n.2.into()),
            persons.join("；").into(),
            Value::Null,
            Value::Null,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_have_their_bearing() {
        for (dx, dy, name) in [
            (0.0, 5.0, "北"),
            (3.0, 3.1, "东北"),
            (9.0, 1.0, "东"),
            (-1.0, -1.0, "西南"),
            (-1.0, 9.0, "北"),
            (-5.0, 4.0, "西北"),
        ] {
            assert_eq!(bearing(dx, dy), name);
        }
    }
}
