//! Tables, chart and summary of a portfolio's losses.

use super::Told;
use super::assemble::{Assembled, measure_text};
use crate::manifest::{Draft, RELEASE};
use anlan_engine::events::occurrences::Occurrences;
use anlan_engine::io::parquet::{self, Column, ColumnData};
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::vector::{Feature, Layer, write_gpkg};
use anlan_engine::io::{Value, write_atomic};
use anlan_engine::loss::{Curves, EventMoments, PeriodLosses, Round, over_rounds, total};
use anlan_engine::{Error, Occurrence, Result};
use anlan_models::cartography::chart::{Curve, exceedance_png};
use anlan_models::cartography::{Colour, Fonts};
use geo::Point;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Events listed by their share of the average annual loss.
const LISTED: usize = 1000;

/// Rows of a row group of the event loss table: cut by rows, so that shards do not show.
const ROWS: usize = 1 << 16;

pub(super) fn write(assembled: &Assembled, told: &Told, zh: bool, draft: &Draft) -> Result<()> {
    let average = average(assembled, told);
    let curves = curves(assembled, &told.rounds);
    let contributions = contributions(assembled, told);
    for (name, table) in [
        ("average", &average),
        ("curves", &curves),
        ("contributions", &contributions),
    ] {
        write_csv(&draft.file(&format!("{name}.csv"))?, table)?;
    }
    write_xlsx(
        &draft.file("losses.xlsx")?,
        &[
            ("average", &average),
            ("curves", &curves),
            ("contributions", &contributions),
        ],
    )?;
    if assembled.file.report.items {
        items(assembled, draft)?;
    }
    if assembled.file.report.csv {
        for name in ["events", "periods", "years"] {
            let table = parquet::read_table(&draft.file(&format!("{name}.parquet"))?)?;
            write_csv(&draft.file(&format!("{name}.csv"))?, &table)?;
        }
    }
    let chart = chart(assembled, &told.rounds, zh)?;
    save(draft, "exceedance.png", &chart)?;
    let text = summary(assembled, told, zh);
    save(draft, "summary.md", text.as_bytes())
}

fn save(draft: &Draft, name: &str, bytes: &[u8]) -> Result<()> {
    let path = draft.file(name)?;
    write_atomic(&path, |tmp| {
        std::fs::write(tmp, bytes).map_err(|e| Error::io("writing", &path, e))
    })
}

/// A row of the event loss table: event, rate, slot, mean and both deviations.
type EventRow = (u64, f64, u32, [f64; 3]);

/// Event loss table (事件损失表): moments of each event, unit and class (or policy), from the ground up, without sampling.
/// `next` gives the moments step by step.
pub(super) fn events(
    assembled: &Assembled,
    draft: &Draft,
    mut next: impl FnMut(usize) -> Result<Option<Vec<EventMoments>>>,
) -> Result<()> {
    let columns = |rows: &[EventRow]| {
        let slot = |r: &EventRow| &assembled.slots[r.2 as usize];
        let real = |of: &dyn Fn(&EventRow) -> f64| ColumnData::F64(rows.iter().map(of).collect());
        let by = if assembled.terms.is_empty() {
            "class"
        } else {
            "policy"
        };
        let unit = rows.iter().map(|r| slot(r).unit.clone()).collect();
        let class = rows.iter().map(|r| slot(r).class.clone()).collect();
        vec![
            Column::new("event", ColumnData::U64(rows.iter().map(|r| r.0).collect())),
            Column::new("rate_per_year", real(&|r| r.1)),
            Column::new("unit", ColumnData::Text(unit)),
            Column::new(by, ColumnData::Text(class)),
            Column::new("mean", real(&|r| r.3[0])),
            Column::new("sd_independent", real(&|r| r.3[1])),
            Column::new("sd_dependent", real(&|r| r.3[2])),
        ]
    };
    let mut held: Vec<EventRow> = Vec::new();
    let mut steps = 0;
    let mut done = false;
    parquet::write_blocks(&draft.file("events.parquet")?, &columns(&[]), || {
        while !done && held.len() < ROWS {
            match next(steps)? {
                Some(moments) => held.extend(moments.iter().flat_map(|m| {
                    let row = |s: &(u32, f64, f64, f64)| {
                        (m.event.id, m.event.rate_per_year, s.0, [s.1, s.2, s.3])
                    };
                    m.slots.iter().map(row)
                })),
                None => done = true,
            }
            steps += 1;
        }
        let rows: Vec<EventRow> = held.drain(..held.len().min(ROWS)).collect();
        Ok((!rows.is_empty()).then(|| columns(&rows)))
    })
}

/// A row of the period loss table: occurrence, group, sampled and mean loss.
type PeriodRow = (Occurrence, usize, f64, f64);

/// Period and year loss tables (逐次、逐年损失表): one sample of the first round, and the mean of its samples.
pub(super) fn periods(
    assembled: &Assembled,
    round: &Round,
    index: &BTreeMap<u64, usize>,
    occurrences: &Occurrences,
    draft: &Draft,
) -> Result<()> {
    let n = round.samples as f64;
    let years = occurrences.years as usize;
    let groups = &assembled.groups;
    let columns = |rows: &[PeriodRow]| {
        let real = |of: fn(&PeriodRow) -> f64| ColumnData::F64(rows.iter().map(of).collect());
        let group = rows.iter().map(|r| groups[r.1].name.clone()).collect();
        let year = rows.iter().map(|r| u64::from(r.0.year) + 1).collect();
        let day = rows.iter().map(|r| u32::from(r.0.day)).collect();
        vec![
            Column::new("year", ColumnData::U64(year)),
            Column::new("day", ColumnData::U32(day)),
            Column::new(
                "event",
                ColumnData::U64(rows.iter().map(|r| r.0.event).collect()),
            ),
            Column::new("group", ColumnData::Text(group)),
            Column::new("sampled_loss", real(|r| r.2)),
            Column::new("mean_loss", real(|r| r.3)),
        ]
    };
    // [group][year]: sum and greatest of the sample, sum of the means.
    let mut by_year = vec![[0.0_f64; 3]; groups.len() * years];
    let mut left = occurrences.rows.iter();
    parquet::write_blocks(&draft.file("periods.parquet")?, &columns(&[]), || {
        let mut rows: Vec<PeriodRow> = Vec::new();
        for o in left.by_ref() {
            let Some(&at) = index.get(&o.event) else {
                continue;
            };
            for g in 0..groups.len() {
                let losses = round.of(at, g);
                let average = total(losses.iter().copied()) / n;
                if average == 0.0 {
                    continue;
                }
                rows.push((*o, g, losses[0], average));
                let cell = &mut by_year[g * years + o.year as usize];
                cell[0] += losses[0];
                cell[1] = cell[1].max(losses[0]);
                cell[2] += average;
            }
            if rows.len() >= ROWS {
                break;
            }
        }
        Ok((!rows.is_empty()).then(|| columns(&rows)))
    })?;
    let rows = || {
        by_year
            .iter()
            .enumerate()
            .filter(|(_, cell)| cell[2] != 0.0)
    };
    parquet::write(
        &draft.file("years.parquet")?,
        &[
            Column::new(
                "year",
                ColumnData::U64(rows().map(|(i, _)| (i % years) as u64 + 1).collect()),
            ),
            Column::new(
                "group",
                ColumnData::Text(
                    rows()
                        .map(|(i, _)| assembled.groups[i / years].name.clone())
                        .collect(),
                ),
            ),
            Column::new(
                "sampled_sum",
                ColumnData::F64(rows().map(|(_, c)| c[0]).collect()),
            ),
            Column::new(
                "sampled_greatest",
                ColumnData::F64(rows().map(|(_, c)| c[1]).collect()),
            ),
            Column::new(
                "mean_sum",
                ColumnData::F64(rows().map(|(_, c)| c[2]).collect()),
            ),
        ],
    )
}

/// Average annual loss of a group without sampling, from mean losses `[event][group]`: from the ground up, or with the terms
/// applied to the mean loss of each event and policy (what Oasis LMF calls analytic; the mean of payouts is another number,
/// and needs samples).
fn analytic(assembled: &Assembled, told: &Told, means: &[f64], group: usize) -> f64 {
    let groups = assembled.groups.len();
    let events = told.events.iter().enumerate();
    total(events.map(|(e, event)| event.rate_per_year * means[e * groups + group]))
}

fn average(assembled: &Assembled, told: &Told) -> Table {
    let rounds = &told.rounds;
    let mut table = Table::new(&[
        "group",
        "measure",
        "exposed",
        "average_annual_mean",
        "average_annual_sampled",
        "standard_error_samples",
        "annual_standard_deviation",
        "standard_error_years",
        "share_of_total",
        "rounds",
    ]);
    let terms = !assembled.terms.is_empty();
    if terms {
        table.columns.push("average_annual_terms_on_means".into());
    }
    let values = assembled.portfolio.values();
    let totals: BTreeMap<&String, f64> = (0..assembled.groups.len())
        .filter(|&g| assembled.groups[g].name == "total")
        .map(|g| {
            (
                &assembled.measures[g],
                analytic(assembled, told, &told.means, g),
            )
        })
        .collect();
    for (g, group) in assembled.groups.iter().enumerate() {
        let sampled = over_rounds(rounds.iter().map(|r| r[g].average));
        let deviation = over_rounds(rounds.iter().map(|r| r[g].deviation)).value;
        let years = f64::from(assembled.occurrences.years);
        table.rows.push(vec![
            group.name.as_str().into(),
            assembled.measures[g].as_str().into(),
            group.slots.iter().map(|&s| values[s]).sum::<f64>().into(),
            analytic(assembled, told, &told.means, g).into(),
            sampled.value.into(),
            sampled.standard_error.into(),
            deviation.into(),
            (deviation / years.sqrt()).into(),
            (analytic(assembled, told, &told.means, g) / totals[&assembled.measures[g]]).into(),
            (rounds.len() as i64).into(),
        ]);
        if terms && let Some(row) = table.rows.last_mut() {
            row.push(analytic(assembled, told, &told.on_terms, g).into());
        }
    }
    table
}

/// Mean over the rounds of one figure of a group and return period, with its standard error.
fn figure(
    rounds: &[Vec<Curves>],
    group: usize,
    period: usize,
    of: fn(&PeriodLosses) -> f64,
) -> anlan_engine::loss::Estimate {
    over_rounds(rounds.iter().map(|r| of(&r[group].by_period[period])))
}

fn curves(assembled: &Assembled, rounds: &[Vec<Curves>]) -> Table {
    let mut table = Table::new(&[
        "group",
        "measure",
        "return_period_years",
        "oep_annual_maximum",
        "oep_standard_error_samples",
        "oep_low_95_years",
        "oep_high_95_years",
        "aep_annual_sum",
        "aep_standard_error_samples",
        "aep_low_95_years",
        "aep_high_95_years",
        "oep_tail_mean",
        "aep_tail_mean",
        "oep_by_event_rate",
    ]);
    for (g, group) in assembled.groups.iter().enumerate() {
        for (k, t) in assembled.file.periods().iter().enumerate() {
            let of = |f| figure(rounds, g, k, f);
            let (oep, aep) = (of(|p| p.occurrence), of(|p| p.aggregate));
            table.rows.push(vec![
                group.name.as_str().into(),
                assembled.measures[g].as_str().into(),
                (*t).into(),
                oep.value.into(),
                oep.standard_error.into(),
                of(|p| p.occurrence_95[0]).value.into(),
                of(|p| p.occurrence_95[1]).value.into(),
                aep.value.into(),
                aep.standard_error.into(),
                of(|p| p.aggregate_95[0]).value.into(),
                of(|p| p.aggregate_95[1]).value.into(),
                of(|p| p.occurrence_tail).value.into(),
                of(|p| p.aggregate_tail).value.into(),
                of(|p| p.by_rate).value.into(),
            ]);
        }
    }
    table
}

/// The events that carry the average annual loss, per total: greatest share first.
fn contributions(assembled: &Assembled, told: &Told) -> Table {
    let mut table = Table::new(&[
        "measure",
        "event",
        "rate_per_year",
        "mean_loss",
        "average_annual",
        "share",
        "cumulative_share",
    ]);
    for (g, group) in assembled.groups.iter().enumerate() {
        if group.name != "total" {
            continue;
        }
        let mut rows: Vec<(u64, f64, f64)> = told
            .events
            .iter()
            .enumerate()
            .map(|(e, event)| {
                let mean = told.means[e * assembled.groups.len() + g];
                (event.id, event.rate_per_year, mean)
            })
            .filter(|r| r.1 * r.2 > 0.0)
            .collect();
        rows.sort_by(|a, b| (b.1 * b.2).total_cmp(&(a.1 * a.2)).then(a.0.cmp(&b.0)));
        let all = total(rows.iter().map(|r| r.1 * r.2));
        let mut sum = 0.0;
        for (event, rate, mean) in rows.into_iter().take(LISTED) {
            sum += rate * mean;
            table.rows.push(vec![
                assembled.measures[g].as_str().into(),
                (event as i64).into(),
                rate.into(),
                mean.into(),
                (rate * mean).into(),
                (rate * mean / all).into(),
                (sum / all).into(),
            ]);
        }
    }
    table
}

/// Losses of each item, for maps: mean annual, and of the return periods by the rates of the events; as points, too, where the
/// coordinates have a system.
fn items(assembled: &Assembled, draft: &Draft) -> Result<()> {
    let periods = assembled.file.periods();
    let rows = assembled.run().by_row(&periods)?;
    let e = &assembled.exposure;
    let class = |i: usize| &e.classes[usize::from(e.class[i])];
    let count = e.place.len();
    let mut columns = vec![
        Column::new("item", ColumnData::U32(e.item.clone())),
        Column::new("place", ColumnData::U32(e.place.clone())),
        Column::new(
            "class",
            ColumnData::Text(
                (0..count)
                    .map(|i| assembled.file.classes[usize::from(e.class[i])].code.clone())
                    .collect(),
            ),
        ),
        Column::new(
            "measure",
            ColumnData::Text(
                (0..count)
                    .map(|i| measure_text(&class(i).measure))
                    .collect(),
            ),
        ),
        Column::new(
            "unit",
            ColumnData::Text(
                (0..count)
                    .map(|i| e.units[usize::from(e.unit[i])].clone())
                    .collect(),
            ),
        ),
        Column::new("value", ColumnData::F64(e.value.clone())),
        Column::new(
            "average_annual",
            ColumnData::F64(rows.iter().map(|r| r[0]).collect()),
        ),
    ];
    for (k, t) in periods.iter().enumerate() {
        columns.push(Column::new(
            &format!("loss_rp{t}"),
            ColumnData::F64(rows.iter().map(|r| r[k + 1]).collect()),
        ));
    }
    if let (Some(crs), false) = (assembled.crs, assembled.xy_m.is_empty()) {
        let names = columns.iter().map(|c| c.name.clone()).collect();
        let value = |column: &Column, i: usize| match &column.data {
            ColumnData::U32(v) => Value::from(i64::from(v[i])),
            ColumnData::F64(v) => v[i].into(),
            ColumnData::Text(v) => v[i].as_str().into(),
            _ => Value::Null,
        };
        let features = (0..count).map(|i| {
            let [x, y] = assembled.xy_m[e.place[i] as usize];
            Feature {
                geometry: Point::new(x, y).into(),
                values: columns.iter().map(|c| value(c, i)).collect(),
            }
        });
        let layer = Layer {
            source: PathBuf::new(),
            crs,
            columns: names,
            features: features.collect(),
        };
        write_gpkg(&draft.file("items.gpkg")?, &[("losses", &layer)])?;
    }
    parquet::write(&draft.file("items.parquet")?, &columns)
}

fn chart(assembled: &Assembled, rounds: &[Vec<Curves>], zh: bool) -> Result<Vec<u8>> {
    let greatest = rounds
        .iter()
        .flat_map(|r| &r[0].by_period)
        .flat_map(|p| [p.occurrence, p.aggregate])
        .fold(0.0, f64::max);
    let steps = if zh {
        [(1e8, "亿"), (1e4, "万")]
    } else {
        [(1e9, "billion "), (1e6, "million ")]
    };
    let (scale, word) = steps
        .into_iter()
        .find(|s| greatest >= s.0)
        .unwrap_or((1.0, ""));
    let points = |of: fn(&PeriodLosses) -> [f64; 3]| {
        let periods = assembled.file.periods();
        let rows = periods.iter().enumerate().map(|(k, &t)| {
            let [value, low, high] = [0, 1, 2]
                .map(|i| over_rounds(rounds.iter().map(|r| of(&r[0].by_period[k])[i])).value);
            let high = if high.is_finite() { high } else { value };
            (t, value / scale, low / scale, high / scale)
        });
        rows.filter(|p| p.1.is_finite()).collect::<Vec<_>>()
    };
    let named = |zh_name: &str, name: &str| if zh { zh_name } else { name }.to_string();
    let curves = [
        Curve {
            name: named("OEP（年最大一次）", "OEP (greatest event of the year)"),
            colour: Colour([200, 60, 40]),
            points: points(|p| [p.occurrence, p.occurrence_95[0], p.occurrence_95[1]]),
        },
        Curve {
            name: named("AEP（全年合计）", "AEP (sum of the year)"),
            colour: Colour([40, 90, 170]),
            points: points(|p| [p.aggregate, p.aggregate_95[0], p.aggregate_95[1]]),
        },
    ];
    exceedance_png(
        &named(
            &format!("{}：损失超越概率曲线", assembled.file.name),
            &format!("{}: loss exceedance", assembled.file.name),
        ),
        &named("重现期（年）", "return period (years)"),
        &format!(
            "{} ({word}{})",
            named("损失", "loss"),
            assembled.measures[0]
        ),
        &curves,
        &named(
            "阴影：模拟年数对应的95%置信区间",
            "shaded: 95 % interval for the number of simulated years",
        ),
        &Fonts::embedded(),
    )
}

fn summary(assembled: &Assembled, told: &Told, zh: bool) -> String {
    let rounds = &told.rounds;
    let mut out = String::new();
    let say = |out: &mut String, zh_text: String, text: String| {
        let _ = writeln!(out, "{}\n", if zh { zh_text } else { text });
    };
    let years = assembled.occurrences.years;
    let n = assembled.file.sampling.samples;
    let name = &assembled.file.name;
    say(
        &mut out,
        format!("# {name}：损失"),
        format!("# {name}: losses"),
    );
    say(
        &mut out,
        format!(
            "{}个事件，{}行承灾体，{years}个模拟年（{}），每轮{n}个分层样本，{}轮，种子{}。{RELEASE}。",
            told.events.len(),
            assembled.portfolio.len(),
            if assembled.drawn {
                "按事件年发生率抽取"
            } else {
                "发生年表给定"
            },
            rounds.len(),
            assembled.seed
        ),
        format!(
            "{} events, {} rows of exposure, {years} simulated years ({}), {n} stratified samples a round, {} rounds, seed {}. {RELEASE}.",
            told.events.len(),
            assembled.portfolio.len(),
            if assembled.drawn {
                "drawn from the rates of the events"
            } else {
                "given"
            },
            rounds.len(),
            assembled.seed
        ),
    );
    if let Some(importance) = assembled.file.sampling.importance {
        let (picks, power) = (importance.picks, importance.power);
        say(
            &mut out,
            format!(
                "重要性抽样：每轮按年发生率×均值损失^{power}抽取{picks}次，只对抽中的事件抽样，各轮另抽事件和年份；轮间误差已含抽取误差。"
            ),
            format!(
                "Importance sampling: {picks} picks a round by rate × mean loss^{power}; picked events alone are sampled, each round with picks and years of its own, so that errors between rounds hold those of the picks."
            ),
        );
    }
    if !assembled.terms.is_empty() {
        say(
            &mut out,
            "下列为扣除免赔额、限额和赔付比例后的保险赔付；“均值”列为地面损失。".into(),
            "Payouts after deductible, limit and share; the column of means is the loss from the ground up.".into(),
        );
    }
    let head = if zh {
        "| 汇总 | 计量 | 年均损失（均值，不抽样） | 年均损失（抽样） | ± 抽样误差 | ± 年份误差 | 百年一遇 OEP | 百年一遇 AEP |"
    } else {
        "| group | measure | average annual (mean) | average annual (sampled) | ± of samples | ± of years | OEP 100 years | AEP 100 years |"
    };
    let _ = writeln!(
        out,
        "{head}\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    let hundred = assembled.file.periods().iter().position(|t| *t == 100.0);
    for (g, group) in assembled.groups.iter().enumerate() {
        let sampled = over_rounds(rounds.iter().map(|r| r[g].average));
        let deviation = over_rounds(rounds.iter().map(|r| r[g].deviation)).value;
        let at = |of: fn(&PeriodLosses) -> f64| match hundred {
            Some(k) => number(figure(rounds, g, k, of).value),
            None => "–".to_string(),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            if zh {
                group_zh(&group.name)
            } else {
                group.name.clone()
            },
            assembled.measures[g],
            number(analytic(assembled, told, &told.means, g)),
            number(sampled.value),
            number(sampled.standard_error),
            number(deviation / f64::from(years).sqrt()),
            at(|p| p.occurrence),
            at(|p| p.aggregate),
        );
    }
    out.push('\n');
    say(
        &mut out,
        "OEP：一年中最大一次损失的超越概率（年最大法）；AEP：全年损失合计的超越概率。curves.csv 另列按事件发生率计算的 OEP。".into(),
        "OEP: the greatest loss of a year (annual maximum); AEP: the sum of a year. curves.csv holds the rate-based OEP, too."
            .into(),
    );
    out
}

/// A group's name for Chinese readers.
fn group_zh(name: &str) -> String {
    match name.split_once(' ') {
        Some(("unit", code)) => format!("单元 {code}"),
        Some(("class", code)) => format!("类别 {code}"),
        _ => "合计".to_string(),
    }
}

/// Two digits below a million, whole above, thousands apart, or a dash.
fn number(value: f64) -> String {
    if value.is_nan() {
        return "–".to_string();
    }
    let text = if value.abs() >= 1e6 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    };
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    out
}
