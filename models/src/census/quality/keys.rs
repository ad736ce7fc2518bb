//! Records that stand twice: the same row, the same key, the same name at the same place, two records at one place.

use super::finding::{CellAt, Fix, said};
use super::geometry::{distance_m, in_country};
use super::schema::plain;
use super::view::{Role, Sink, View};
use std::collections::BTreeMap;

fn key_field(view: &View<'_>) -> Option<usize> {
    view.rules.key.first().and_then(|k| view.present(k))
}

fn cell(view: &View<'_>, row: usize, field: Option<usize>) -> CellAt {
    CellAt {
        table: view.index,
        row: Some(view.sheet_row(row)),
        column: field.and_then(|f| view.fields[f].column),
    }
}

/// Takes rows out that stand twice, cell for cell after mending, and tells keys that stand twice.
pub fn check(view: &mut View<'_>, sink: &mut Sink<'_>) {
    let field = key_field(view);
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in view.records() {
        let key = view.key(row);
        if !key.is_empty() {
            by_key.entry(key).or_default().push(row);
        }
    }
    let complete =
        !view.rules.key.is_empty() && view.rules.key.iter().all(|k| view.present(k).is_some());
    if !complete {
        return;
    }
    sink.judge("duplicate-key", by_key.values().map(Vec::len).sum());
    for (key, rows) in by_key.into_iter().filter(|(_, rows)| rows.len() > 1) {
        let mut kept: Vec<usize> = Vec::new();
        for row in rows {
            let number = |r: &usize| view.sheet_row(*r) + 1;
            if let Some(first) = kept.iter().find(|k| same(view, **k, row)) {
                let other = number(first);
                let texts = [
                    said!("the same record as row {other}", "与第{other}行完全相同"),
                    said!("each record once", "每条记录一行"),
                    said!(
                        "taken out of the corrected table; delete it in the source",
                        "修正表中已删；请在原表中删除"
                    ),
                ];
                let at = cell(view, *first, field);
                if let Some(finding) = sink.whole(view, "identical-row", Some(row), texts) {
                    finding.fixed = true;
                    finding.at.column = at.column;
                    finding.others.push(at);
                    finding.value.clone_from(&key);
                    let whole = CellAt {
                        column: None,
                        ..finding.at
                    };
                    sink.fixes.push(Fix {
                        rule: "identical-row".into(),
                        at: whole,
                        old: key.clone(),
                        new: String::new(),
                    });
                }
                view.roles[row] = Role::Identical;
                continue;
            }
            if let Some(first) = kept.first() {
                let other = number(first);
                let at = cell(view, *first, field);
                let texts = [
                    said!(
                        "key {key} also in row {other}",
                        "编码{key}与第{other}行重复"
                    ),
                    said!("each key once", "编码唯一"),
                    said!(
                        "correct one of the two codes, or join the records",
                        "更正其中一个编码，或合并记录"
                    ),
                ];
                let told = match field {
                    Some(f) => sink.builtin(view, "duplicate-key", row, f, texts),
                    None => sink.whole(view, "duplicate-key", Some(row), texts),
                };
                if let Some(finding) = told {
                    finding.others.push(at);
                }
            }
            kept.push(row);
        }
    }
}

/// Are two rows the same in every field that is read?
fn same(view: &View<'_>, a: usize, b: usize) -> bool {
    (0..view.fields.len()).all(|f| {
        view.fields[f].column.is_none()
            || (view.text(f, a) == view.text(f, b) && view.state(f, a) == view.state(f, b))
    })
}

/// Tells records of one name close together, and different records at one place.
pub fn places(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(place) = &view.rules.place else {
        return;
    };
    let located: Vec<(usize, (f64, f64))> = view
        .records()
        .filter_map(|row| view.place(row).map(|p| (row, p)))
        .filter(|(_, p)| in_country(view.common, *p))
        .collect();
    let title = view.rules.title.as_ref().and_then(|t| view.present(t));
    let mut paired = std::collections::BTreeSet::new();
    if let Some(title) = title {
        /// Rows of one name with their places.
        type Same = Vec<(usize, (f64, f64))>;
        let mut names: BTreeMap<String, Same> = BTreeMap::new();
        for &(row, p) in &located {
            let name = plain(&view.text(title, row));
            if !name.is_empty() {
                names.entry(name).or_default().push((row, p));
            }
        }
        sink.judge("near-duplicate", located.len());
        for same in names.values().filter(|s| s.len() > 1) {
            for (i, &(row, p)) in same.iter().enumerate() {
                let near = same[..i]
                    .iter()
                    .find(|(_, q)| distance_m(p, *q) <= place.near_m);
                let Some(&(first, q)) = near else { continue };
                // A key that stands twice is told already.
                if view.key(row) == view.key(first) && !view.key(row).is_empty() {
                    continue;
                }
                paired.insert(row);
                let (away, other) = (distance_m(p, q).round(), view.sheet_row(first) + 1);
                let texts = [
                    said!(
                        "the same name {away} m from row {other}",
                        "与第{other}行同名，相距{away}米"
                    ),
                    said!("each object once", "每个对象一条记录"),
                    said!(
                        "join the two records, or tell them apart by name",
                        "合并两条记录，或在名称中加以区分"
                    ),
                ];
                let at = cell(view, first, Some(title));
                if let Some(finding) = sink.builtin(view, "near-duplicate", row, title, texts) {
                    finding.others.push(at);
                }
            }
        }
    }
    if place.shared {
        return;
    }
    let Some(lon) = view.present(&place.lon) else {
        return;
    };
    sink.judge("same-place", located.len());
    // Ten-millionths of a degree: a centimetre.
    let unit = |v: f64| (v * 1e7).round() as i64;
    let mut at: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    for &(row, p) in &located {
        match at.entry((unit(p.0), unit(p.1))) {
            std::collections::btree_map::Entry::Vacant(e) => {
                e.insert(row);
            }
            std::collections::btree_map::Entry::Occupied(e) if !paired.contains(&row) => {
                let other = view.sheet_row(*e.get()) + 1;
                if view.key(row) == view.key(*e.get()) && !view.key(row).is_empty() {
                    continue;
                }
                let texts = [
                    said!(
                        "the very coordinates of row {other}",
                        "坐标与第{other}行完全相同"
                    ),
                    said!("a place of its own", "各自的坐标"),
                    said!(
                        "measure the place again; was the row copied?",
                        "重新采集坐标；是否复制了上一行"
                    ),
                ];
                let cell = cell(view, *e.get(), Some(lon));
                if let Some(finding) = sink.builtin(view, "same-place", row, lon, texts) {
                    finding.others.push(cell);
                }
            }
            std::collections::btree_map::Entry::Occupied(_) => {}
        }
    }
}
