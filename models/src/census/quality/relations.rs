//! Rules within a record: parts and wholes, sums, quotients, order, conditions.

use super::fields::{choice_of, short};
use super::finding::said;
use super::rules::{FieldType, Order, Part, Ratio, Rule, Sum, When};
use super::view::{Sink, State, View};

/// Checks all rules of this kind.
pub fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    for rule in &view.rules.rule {
        if let Some(p) = &rule.part {
            part(view, rule, p, sink);
        }
        if let Some(s) = &rule.sum {
            sum(view, rule, s, sink);
        }
        if let Some(r) = &rule.ratio {
            ratio(view, rule, r, sink);
        }
        if let Some(o) = &rule.order {
            order(view, rule, o, sink);
        }
        if let Some(w) = &rule.when {
            when(view, rule, w, sink);
        }
    }
}

/// Names of fields in both languages, joined.
fn names(view: &View<'_>, fields: &[usize]) -> (String, String) {
    let list = |zh: bool, join: &str| {
        let names: Vec<&str> = fields
            .iter()
            .map(|f| view.rules.field[*f].label(zh))
            .collect();
        names.join(join)
    };
    (list(false, " + "), list(true, " + "))
}

fn others(view: &View<'_>, row: usize, fields: &[usize]) -> Vec<super::finding::CellAt> {
    fields
        .iter()
        .map(|f| super::finding::CellAt {
            table: view.index,
            row: Some(view.sheet_row(row)),
            column: view.fields[*f].column,
        })
        .collect()
}

fn part(view: &View<'_>, rule: &Rule, p: &Part, sink: &mut Sink<'_>) {
    let Some(whole) = view.present(&p.whole) else {
        return;
    };
    let parts: Vec<usize> = p.parts.iter().filter_map(|f| view.present(f)).collect();
    let Some(&first) = parts.first() else { return };
    let mut judged = 0;
    for row in view.records() {
        let all = view.number(whole, row);
        let known: Vec<f64> = parts
            .iter()
            .map(|f| view.number(*f, row))
            .filter(|v| v.is_finite())
            .collect();
        if !all.is_finite() || known.is_empty() {
            continue;
        }
        judged += 1;
        let total: f64 = known.iter().sum();
        if total <= all + p.tolerance {
            continue;
        }
        // The cell to look at is the part, where there is one; of several the greatest.
        let at = (parts.iter().copied())
            .max_by(|&a, &b| view.number(a, row).total_cmp(&view.number(b, row)))
            .filter(|f| view.number(*f, row).is_finite())
            .unwrap_or(first);
        let (en, zh) = names(view, &parts);
        let (total, all) = (short(total), short(all));
        let (n, n_zh) = (
            view.rules.field[whole].label(false),
            view.rules.field[whole].label(true),
        );
        let texts = [
            said!(
                "{en} is {total}, more than {n}",
                "{zh}为{total}，大于{n_zh}"
            ),
            said!("at most {n} {all}", "不大于{n_zh}{all}"),
            said!(
                "are columns swapped? Correct the part or the whole",
                "是否填反列？更正分项或总量"
            ),
        ];
        if let Some(finding) = sink.rule(view, rule, row, at, texts) {
            finding.others = others(view, row, &[whole]);
        }
    }
    sink.judge(&rule.id, judged);
}

fn sum(view: &View<'_>, rule: &Rule, s: &Sum, sink: &mut Sink<'_>) {
    let Some(whole) = view.present(&s.whole) else {
        return;
    };
    let parts: Vec<usize> = s.parts.iter().filter_map(|f| view.present(f)).collect();
    if parts.len() != s.parts.len() {
        return;
    }
    let (en, zh) = names(view, &parts);
    let (n, n_zh) = (
        view.rules.field[whole].label(false),
        view.rules.field[whole].label(true),
    );
    let mut judged = 0;
    for row in view.records() {
        let total: f64 = parts.iter().map(|f| view.number(*f, row)).sum();
        let all = view.number(whole, row);
        if !(total.is_finite() && all.is_finite()) {
            continue;
        }
        judged += 1;
        // Beyond rounding of the sum itself.
        if (total - all).abs() <= s.tolerance + 1e-9 * all.abs() {
            continue;
        }
        let (total, all, away) = (short(total), short(all), short(total - all));
        let texts = [
            said!(
                "{en} is {total}, {away} off {n}",
                "{zh}为{total}，与{n_zh}相差{away}",
                en = en,
                zh = zh,
                n = n,
                n_zh = n_zh
            ),
            said!("{n} {all}", "{n_zh}{all}", n = n, n_zh = n_zh),
            said!(
                "correct the part or the whole from its source",
                "按原始资料更正分项或总量"
            ),
        ];
        if let Some(finding) = sink.rule(view, rule, row, whole, texts) {
            finding.others = others(view, row, &parts);
        }
    }
    sink.judge(&rule.id, judged);
}

fn ratio(view: &View<'_>, rule: &Rule, r: &Ratio, sink: &mut Sink<'_>) {
    let (Some(above), Some(below)) = (view.present(&r.field), view.present(&r.per)) else {
        return;
    };
    let (a, b) = (&view.rules.field[above], &view.rules.field[below]);
    let mut judged = 0;
    for row in view.records() {
        let (x, y) = (view.number(above, row), view.number(below, row));
        if !(x.is_finite() && y.is_finite()) || y == 0.0 {
            continue;
        }
        judged += 1;
        let q = x / y;
        if r.min.is_none_or(|m| q >= m) && r.max.is_none_or(|m| q <= m) {
            continue;
        }
        let shown = short(q);
        let bound = |v: Option<f64>, none: &str| v.map_or_else(|| none.to_owned(), short);
        let (low, high) = (bound(r.min, "0"), bound(r.max, "∞"));
        let texts = [
            said!(
                "{n} / {m} is {shown}",
                "{n_zh}/{m_zh}为{shown}",
                n = a.label(false),
                m = b.label(false),
                n_zh = a.label(true),
                m_zh = b.label(true)
            ),
            said!("{low} to {high}", "{low}至{high}"),
            said!("check both figures and their units", "核对两个数值及其单位"),
        ];
        if let Some(finding) = sink.rule(view, rule, row, above, texts) {
            finding.others = others(view, row, &[below]);
        }
    }
    sink.judge(&rule.id, judged);
}

fn order(view: &View<'_>, rule: &Rule, o: &Order, sink: &mut Sink<'_>) {
    let (Some(first), Some(then)) = (view.present(&o.first), view.present(&o.then)) else {
        return;
    };
    let (a, b) = (&view.rules.field[first], &view.rules.field[then]);
    // A year beside a date: the year of the date is compared.
    let value = |f: usize, row: usize| {
        let v = view.number(f, row);
        let mixed = a.kind != b.kind && (a.kind == FieldType::Year || b.kind == FieldType::Year);
        match mixed && view.rules.field[f].kind == FieldType::Date {
            true => (1970.0 + (v + 0.5) / 365.242_5).floor(),
            false => v,
        }
    };
    let mut judged = 0;
    for row in view.records() {
        let (x, y) = (value(first, row), value(then, row));
        if !(x.is_finite() && y.is_finite()) {
            continue;
        }
        judged += 1;
        if x <= y {
            continue;
        }
        let raw = |f: usize| {
            view.fields[f]
                .column
                .map_or_else(String::new, |c| view.raw(row, c).to_string())
        };
        let (before, after) = (raw(first), raw(then));
        let texts = [
            said!(
                "{n} {after} comes before {m} {before}",
                "{n_zh}{after}早于（小于）{m_zh}{before}",
                n = b.label(false),
                m = a.label(false),
                n_zh = b.label(true),
                m_zh = a.label(true)
            ),
            said!(
                "{m} first",
                "{m_zh}在前",
                m = a.label(false),
                m_zh = a.label(true)
            ),
            said!("are the two swapped?", "核对两者是否填反"),
        ];
        if let Some(finding) = sink.rule(view, rule, row, then, texts) {
            finding.others = others(view, row, &[first]);
        }
    }
    sink.judge(&rule.id, judged);
}

fn when(view: &View<'_>, rule: &Rule, w: &When, sink: &mut Sink<'_>) {
    let (Some(field), Some(then)) = (view.present(&w.field), view.present(&w.then)) else {
        return;
    };
    let (a, b) = (&view.rules.field[field], &view.rules.field[then]);
    let value = |f: usize, row: usize| {
        let text = view.text(f, row);
        let choices = &view.rules.field[f].choices;
        choice_of(choices, &text).map_or_else(|| text.to_string(), |c| c.zh.clone())
    };
    let mut judged = 0;
    for row in view.records() {
        if view.state(field, row) != State::Good || view.state(then, row) == State::Bad {
            continue;
        }
        let x = view.number(field, row);
        let named = w.is.is_empty() || w.is.contains(&value(field, row));
        if !named || w.min.is_some_and(|m| x < m) || w.max.is_some_and(|m| x > m) {
            continue;
        }
        judged += 1;
        let y = view.number(then, row);
        let blank = view.state(then, row) == State::Blank;
        let (mut en, mut zh) = (Vec::new(), Vec::new());
        if w.filled && blank {
            en.push("a value".to_owned());
            zh.push("应填写".to_owned());
        }
        if w.empty && !blank && y != 0.0 {
            en.push("blank or 0".to_owned());
            zh.push("应为空或0".to_owned());
        }
        if !blank && !w.among.is_empty() && !w.among.contains(&value(then, row)) {
            let names: Vec<&str> = (w.among.iter())
                .map(|v| choice_of(&b.choices, v).map_or(v.as_str(), |c| c.en.as_str()))
                .collect();
            en.push(format!("one of {}", names.join(", ")));
            zh.push(format!("应为{}之一", w.among.join("、")));
        }
        if let Some(m) = w.then_min.filter(|m| y < *m) {
            en.push(format!("{} or more", short(m)));
            zh.push(format!("不小于{}", short(m)));
        }
        if let Some(m) = w.then_max.filter(|m| y > *m) {
            en.push(format!("{} or less", short(m)));
            zh.push(format!("不大于{}", short(m)));
        }
        if en.is_empty() {
            continue;
        }
        let (en, zh) = (en.join(", "), zh.join("，"));
        let given = value(field, row);
        let given_en = choice_of(&a.choices, &given).map_or(given.as_str(), |c| c.en.as_str());
        let texts = [
            said!(
                "does not fit {n} {g}",
                "与{n_zh}“{given}”不符",
                n = a.label(false),
                g = given_en,
                n_zh = a.label(true),
                given = given
            ),
            said!("{en}", "{zh}", en = en, zh = zh),
            said!("correct one of the two", "更正其中一项"),
        ];
        if let Some(finding) = sink.rule(view, rule, row, then, texts) {
            finding.others = others(view, row, &[field]);
        }
    }
    sink.judge(&rule.id, judged);
}
