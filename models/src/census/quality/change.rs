//! This year's table against an earlier year's: jumps, values that must not change, records that are gone or moved.

use super::fields::short;
use super::finding::{CellAt, said};
use super::geometry::{self, distance_m, in_country};
use super::rules::{Change, Rule};
use super::view::{Sink, State, View};
use std::collections::BTreeMap;

/// Checks a table against its earlier one. Returns rows whose coordinates carry a known shift.
pub fn check(view: &View<'_>, earlier: &View<'_>, sink: &mut Sink<'_>) -> Vec<usize> {
    let mut then: BTreeMap<String, usize> = BTreeMap::new();
    for row in earlier.records() {
        let key = earlier.key(row);
        if !key.is_empty() {
            then.entry(key).or_insert(row);
        }
    }
    let mut pairs = Vec::new();
    let mut gone = then.clone();
    for row in view.records() {
        let key = view.key(row);
        gone.remove(&key);
        if let Some(&old) = then.get(&key) {
            pairs.push((row, old));
        }
    }
    for rule in &view.rules.rule {
        if let Some(c) = &rule.change {
            changes(view, earlier, rule, c, &pairs, sink);
        }
    }
    sink.judge("vanished", then.len());
    let field = view.rules.key.first().and_then(|k| earlier.present(k));
    for (key, old) in gone {
        let name = earlier.title(old).into_owned();
        let texts = [
            said!(
                "{key} {name} was in the earlier table and is gone",
                "{key}{name}在上一年度表中有，本年度没有"
            ),
            said!("the record, or a reason", "保留该记录，或说明原因"),
            said!(
                "add the record, or accept that it is closed or renamed",
                "补充记录；已撤销或更名的列入核实名单"
            ),
        ];
        if let Some(f) = field {
            sink.builtin(earlier, "vanished", old, f, texts);
        }
    }
    moved(view, earlier, &pairs, sink)
}

fn cell(view: &View<'_>, row: usize, field: usize) -> CellAt {
    CellAt {
        table: view.index,
        row: Some(view.sheet_row(row)),
        column: view.fields[field].column,
    }
}

fn changes(
    view: &View<'_>,
    earlier: &View<'_>,
    rule: &Rule,
    c: &Change,
    pairs: &[(usize, usize)],
    sink: &mut Sink<'_>,
) {
    let (Some(field), Some(_)) = (view.present(&c.field), earlier.present(&c.field)) else {
        return;
    };
    let mut judged = 0;
    for &(row, old) in pairs {
        if view.state(field, row) != State::Good || earlier.state(field, old) != State::Good {
            continue;
        }
        judged += 1;
        let (now, then) = (view.text(field, row), earlier.text(field, old));
        if c.constant {
            if now == then {
                continue;
            }
            let texts = [
                said!(
                    "{now}, but {then} in the earlier table",
                    "为{now}，上一年度为{then}"
                ),
                said!("no change: {then}", "不应变化：{then}"),
                said!("correct the one that is wrong", "更正有误的一处"),
            ];
            if let Some(finding) = sink.rule(view, rule, row, field, texts) {
                finding.others.push(cell(earlier, old, field));
            }
            continue;
        }
        let (a, b) = (view.number(field, row), earlier.number(field, old));
        if a.max(b) < c.least_value || a == b {
            continue;
        }
        let q = a / b;
        if c.min.is_none_or(|m| q >= m) && c.max.is_none_or(|m| q <= m) {
            continue;
        }
        let (a, b) = (short(a), short(b));
        let low = c.min.map_or_else(|| "0".into(), short);
        let high = c.max.map_or_else(|| "∞".into(), short);
        let texts = [
            said!("{a}, from {b} in the earlier table", "为{a}，上一年度为{b}"),
            said!(
                "{low} to {high} times the earlier value",
                "上一年度的{low}至{high}倍"
            ),
            said!(
                "verify the figure; accept it where it is right",
                "核实；属实的列入核实名单"
            ),
        ];
        if let Some(finding) = sink.rule(view, rule, row, field, texts) {
            finding.others.push(cell(earlier, old, field));
        }
    }
    sink.judge(&rule.id, judged);
}

fn moved(
    view: &View<'_>,
    earlier: &View<'_>,
    pairs: &[(usize, usize)],
    sink: &mut Sink<'_>,
) -> Vec<usize> {
    let mut shifted = Vec::new();
    let Some(place) = &view.rules.place else {
        return shifted;
    };
    let Some(lon) = view.present(&place.lon) else {
        return shifted;
    };
    let mut judged = 0;
    for &(row, old) in pairs {
        let (Some(now), Some(then)) = (view.place(row), earlier.place(old)) else {
            continue;
        };
        if !(in_country(view.common, now) && in_country(view.common, then)) {
            continue;
        }
        judged += 1;
        let away = distance_m(now, then);
        if let Some(name) = geometry::shift_between(view.common, then, now) {
            let texts = geometry::shift_texts(
                name,
                &said!(
                    "it lies where the earlier place would with that offset",
                    "与上一年度坐标之差恰为该偏移"
                ),
            );
            if let Some(finding) = sink.builtin(view, name.rule(), row, lon, texts) {
                finding.others.push(cell(earlier, old, lon));
            }
            shifted.push(row);
        } else if away > place.moved_m {
            let away = short(away.round());
            let most = short(place.moved_m);
            let texts = [
                said!(
                    "{away} m from its place in the earlier table",
                    "与上一年度位置相距{away}米"
                ),
                said!("at most {most} m", "不超过{most}米"),
                said!(
                    "measure the place again; accept it where the object was moved",
                    "重新采集坐标；确已迁址的列入核实名单"
                ),
            ];
            if let Some(finding) = sink.builtin(view, "moved", row, lon, texts) {
                finding.others.push(cell(earlier, old, lon));
            }
        }
    }
    sink.judge("moved", judged);
    shifted
}
