//! Values far from those of like records, by robust statistics, and slips of units among them.

use super::fields::short;
use super::finding::{CellAt, said};
use super::robust;
use super::rules::{LevelName, Outlier, OutlierMethod, Rule, Scale};
use super::view::{Sink, View};
use std::collections::BTreeMap;

/// Checks all rules of this kind.
pub fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    for rule in &view.rules.rule {
        if let Some(o) = &rule.outlier {
            outliers(view, rule, o, sink);
        }
    }
}

/// A record with its value on the scale of the comparison.
struct Judged {
    row: usize,
    value: f64,
}

fn outliers(view: &View<'_>, rule: &Rule, o: &Outlier, sink: &mut Sink<'_>) {
    let Some(field) = view.present(&o.field) else {
        return;
    };
    let per: Vec<usize> = o.per.iter().filter_map(|p| view.present(p)).collect();
    if per.len() != o.per.len() {
        return;
    }
    let mut groups: BTreeMap<String, Vec<Judged>> = BTreeMap::new();
    for row in view.records() {
        let below: f64 = per.iter().map(|p| view.number(*p, row)).product();
        let plain = view.number(field, row) / below;
        let value = match o.scale {
            Scale::Log if plain > 0.0 => libm::log(plain),
            Scale::Log => continue,
            Scale::Plain => plain,
        };
        if !value.is_finite() {
            continue;
        }
        let group = match o.group.as_deref() {
            None => String::new(),
            Some("level") => match view.code(row) {
                Some(code) => LevelName::from(code.level()).label(true).to_owned(),
                None => continue,
            },
            Some(name) => match view.present(name) {
                Some(f) => view.text(f, row).into_owned(),
                None => String::new(),
            },
        };
        groups.entry(group).or_default().push(Judged { row, value });
    }
    let large = |g: &&Vec<Judged>| g.len() >= o.least_records;
    let records: usize = groups.values().filter(large).map(Vec::len).sum();
    sink.judge(&rule.id, records);
    // So many false alarms in the whole table, were all values normal.
    let rate = o.false_alarms / records.max(1) as f64;
    for (name, group) in groups.iter().filter(|(_, g)| g.len() >= o.least_records) {
        judge(view, rule, o, (field, &per), name, group, rate, sink);
    }
}

fn judge(
    view: &View<'_>,
    rule: &Rule,
    o: &Outlier,
    (field, per): (usize, &[usize]),
    name: &str,
    group: &[Judged],
    rate: f64,
    sink: &mut Sink<'_>,
) {
    let mut sorted: Vec<f64> = group.iter().map(|j| j.value).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = robust::median(&sorted);
    let (low, high) = match o.method {
        OutlierMethod::Mad => {
            let reach = robust::mad_threshold(sorted.len(), rate) * robust::mad(&sorted);
            (middle - reach, middle + reach)
        }
        OutlierMethod::AdjustedBoxplot => robust::adjusted_fences(&sorted, rate),
    };
    // Values that hardly differ from the others are no outliers, however alike the others are.
    let least = match o.scale {
        Scale::Log => libm::log(o.least.max(1.0)),
        Scale::Plain => o.least,
    };
    let (low, high) = (low.min(middle - least), high.max(middle + least));
    let plain = |v: f64| match o.scale {
        Scale::Log => libm::exp(v),
        Scale::Plain => v,
    };
    let others: Vec<(String, String)> = per
        .iter()
        .map(|p| {
            let rule = &view.rules.field[*p];
            (rule.label(false).to_owned(), rule.label(true).to_owned())
        })
        .collect();
    let own = &view.rules.field[field];
    let chain = |zh: bool| {
        let mut out = own.label(zh).to_owned();
        for (en, zh_name) in &others {
            out.push_str(if zh { "/" } else { " / " });
            out.push_str(if zh { zh_name } else { en });
        }
        out
    };
    let (label, label_zh) = (chain(false), chain(true));
    let of = match name {
        "" => String::new(),
        name => format!("（{name}）"),
    };
    let (from, to, usual) = (short(plain(low)), short(plain(high)), short(plain(middle)));
    for j in group {
        if j.value >= low && j.value <= high {
            continue;
        }
        let shown = short(plain(j.value));
        let n = group.len();
        let slip = o.slips.iter().find(|s| {
            let mended = j.value - libm::log(s.factor);
            // Well among the others once divided by the factor: nearer to the middle than half the fence.
            o.scale == Scale::Log
                && mended > middle - 0.5 * (middle - low)
                && mended < middle + 0.5 * (high - middle)
        });
        let expected = said!(
            "{from} to {to} (median {usual} of {n} records)",
            "{from}至{to}（{n}条记录{of}的中位数{usual}）"
        );
        let texts = match slip {
            Some(s) => {
                let times = short(s.factor);
                [
                    said!(
                        "{label} is {shown}, {times} times what is usual: {why}?",
                        "{label_zh}为{shown}，约为常值的{times}倍：疑为{why_zh}",
                        why = s.en,
                        why_zh = s.zh
                    ),
                    expected,
                    said!("check the unit of the figure", "核对数值的单位"),
                ]
            }
            None => [
                said!("{label} is {shown}", "{label_zh}为{shown}"),
                expected,
                said!(
                    "verify the figure; accept it where it is right",
                    "核实；属实的列入核实名单"
                ),
            ],
        };
        let cells: Vec<CellAt> = per
            .iter()
            .map(|p| CellAt {
                table: view.index,
                row: Some(view.sheet_row(j.row)),
                column: view.fields[*p].column,
            })
            .collect();
        let told = match slip {
            Some(_) => sink.builtin(view, "unit-slip", j.row, field, texts),
            None => sink.rule(view, rule, j.row, field, texts),
        };
        if let Some(finding) = told {
            finding.others = cells;
        }
    }
}
