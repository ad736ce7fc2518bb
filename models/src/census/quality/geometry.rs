//! Coordinates: swapped, outside the country, in other units, coarse, outside the unit's border, shifted as web maps are.

use super::super::code::DivisionCode;
use super::cell;
use super::fields::short;
use super::finding::{CellAt, Said, said};
use super::hierarchy;
use super::rules::Common;
use super::schema::plain;
use super::view::{Sink, State, View};
use anlan_engine::datum::{bd09_offset, gcj02_offset};
use anlan_engine::{Crs, degree_lengths_m};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Border of a unit, longitude and latitude in degrees.
#[derive(Debug, Clone, PartialEq)]
pub struct Border {
    /// Division code.
    pub code: DivisionCode,
    /// Name, empty where the file has none.
    pub name: String,
    /// Rings, outer and inner alike: a point lies inside where a ray crosses them an odd number of times.
    pub rings: Vec<Vec<(f64, f64)>>,
    /// West, south, east, north.
    pub bounds: [f64; 4],
}

/// Borders of units (单元边界), of one level or several.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Borders {
    /// The file.
    pub file: PathBuf,
    /// By code.
    pub units: BTreeMap<String, Border>,
}

impl Border {
    /// A border from its rings.
    pub fn new(code: DivisionCode, name: String, rings: Vec<Vec<(f64, f64)>>) -> Self {
        let mut bounds = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        for &(x, y) in rings.iter().flatten() {
            bounds = [
                bounds[0].min(x),
                bounds[1].min(y),
                bounds[2].max(x),
                bounds[3].max(y),
            ];
        }
        Border {
            code,
            name,
            rings,
            bounds,
        }
    }

    /// Does a point lie inside?
    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        let [west, south, east, north] = self.bounds;
        if !(west..=east).contains(&x) || !(south..=north).contains(&y) {
            return false;
        }
        let mut inside = false;
        for ring in &self.rings {
            let mut last = ring[ring.len() - 1];
            for &point in ring {
                let crosses = (point.1 > y) != (last.1 > y);
                if crosses && x < (last.0 - point.0) * (y - point.1) / (last.1 - point.1) + point.0
                {
                    inside = !inside;
                }
                last = point;
            }
        }
        inside
    }

    /// Distance from a point to the border, m, on the plane that touches the ellipsoid there.
    pub fn distance_m(&self, (x, y): (f64, f64)) -> f64 {
        let (mx, my) = degree_lengths_m(y, Crs::WGS84.flattening());
        let at = |p: (f64, f64)| ((p.0 - x) * mx, (p.1 - y) * my);
        let mut best = f64::INFINITY;
        for ring in &self.rings {
            let mut last = at(ring[ring.len() - 1]);
            for &point in ring {
                let now = at(point);
                let (dx, dy) = (now.0 - last.0, now.1 - last.1);
                let length = dx * dx + dy * dy;
                let t = match length > 0.0 {
                    true => (-(last.0 * dx + last.1 * dy) / length).clamp(0.0, 1.0),
                    false => 0.0,
                };
                let (px, py) = (last.0 + t * dx, last.1 + t * dy);
                best = best.min(px * px + py * py);
                last = now;
            }
        }
        libm::sqrt(best)
    }
}

/// Distance of two near places, m.
pub fn distance_m(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (mx, my) = degree_lengths_m(0.5 * (a.1 + b.1), Crs::WGS84.flattening());
    let (dx, dy) = ((a.0 - b.0) * mx, (a.1 - b.1) * my);
    libm::sqrt(dx * dx + dy * dy)
}

/// Does a point lie within the rectangle of the country?
pub fn in_country(common: &Common, (lon, lat): (f64, f64)) -> bool {
    let [west, south, east, north] = common.country;
    (west..=east).contains(&lon) && (south..=north).contains(&lat)
}

/// A silent shift of web maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShiftName {
    /// GCJ-02 (火星坐标).
    Gcj02,
    /// BD-09 (百度坐标).
    Bd09,
}

impl ShiftName {
    /// Id of the rule.
    pub fn rule(self) -> &'static str {
        match self {
            ShiftName::Gcj02 => "shifted-gcj02",
            ShiftName::Bd09 => "shifted-bd09",
        }
    }

    fn offset(self, (lon, lat): (f64, f64)) -> (f64, f64) {
        match self {
            ShiftName::Gcj02 => gcj02_offset(lon, lat),
            ShiftName::Bd09 => bd09_offset(lon, lat),
        }
    }

    /// The place before the shift, to a centimetre: the offset hardly changes over its own length.
    fn undone(self, at: (f64, f64)) -> (f64, f64) {
        let mut before = at;
        for _ in 0..3 {
            let (dx, dy) = self.offset(before);
            before = (at.0 - dx, at.1 - dy);
        }
        before
    }
}

/// The shift that leads from one place to the other.
pub fn shift_between(common: &Common, from: (f64, f64), to: (f64, f64)) -> Option<ShiftName> {
    [ShiftName::Gcj02, ShiftName::Bd09].into_iter().find(|s| {
        let (dx, dy) = s.offset(from);
        let moved = (from.0 + dx, from.1 + dy);
        let length = distance_m(from, moved);
        length > 0.0 && distance_m(moved, to) <= common.shift_match * length
    })
}

/// The texts of a shift, with what it was told from.
pub fn shift_texts(shift: ShiftName, evidence: &Said) -> [Said; 3] {
    let (name, name_zh) = match shift {
        ShiftName::Gcj02 => ("GCJ-02", "GCJ-02（火星坐标）"),
        ShiftName::Bd09 => ("BD-09", "BD-09（百度坐标）"),
    };
    let (en, zh) = (&evidence.en, &evidence.zh);
    [
        said!(
            "coordinates of a web map ({name}): {en}",
            "疑为{name_zh}坐标：{zh}"
        ),
        said!("CGCS2000 or WGS 84", "CGCS2000（或WGS 84）坐标"),
        said!(
            "convert the coordinates, or measure them again",
            "转换坐标系，或重新采集坐标"
        ),
    ]
}

/// Decimals of a number as it stands.
fn decimals(text: &str) -> usize {
    text.trim().split_once('.').map_or(0, |(_, d)| d.len())
}

/// Checks the coordinates of a table by themselves and, where borders are given, against the border of each record's unit.
/// `told`: rows whose shift is told already.
pub fn check(view: &View<'_>, borders: &Borders, told: &[usize], sink: &mut Sink<'_>) {
    let Some(place) = &view.rules.place else {
        return;
    };
    let (Some(lon), Some(lat)) = (view.present(&place.lon), view.present(&place.lat)) else {
        return;
    };
    let told: BTreeSet<usize> = told.iter().copied().collect();
    let mut outside: Vec<Outside> = Vec::new();
    let mut within = 0;
    sink.judge("outside-country", view.records().count());
    for row in view.records() {
        if !plausible(view, (lon, lat), row, sink) {
            continue;
        }
        let Some(at) = view.place(row) else { continue };
        let Some(border) = view.code(row).and_then(|c| border_of(borders, c)) else {
            continue;
        };
        within += 1;
        if told.contains(&row) || border.contains(at) {
            continue;
        }
        let away_m = border.distance_m(at);
        if away_m > view.common.border_tolerance_m {
            let border = border.code.to_string();
            outside.push(Outside {
                row,
                at,
                border,
                away_m,
            });
        }
    }
    sink.judge("outside-unit", within);
    let shifts = shifts(view, borders, &outside);
    for o in outside {
        tell_outside(
            view,
            borders,
            (lon, lat),
            &o,
            shifts.get(&o.row).copied(),
            sink,
        );
    }
}

struct Outside {
    row: usize,
    at: (f64, f64),
    border: String,
    away_m: f64,
}

/// What can be told without borders; false where the place is of no use for further checks.
fn plausible(view: &View<'_>, (lon, lat): (usize, usize), row: usize, sink: &mut Sink<'_>) -> bool {
    let blank = |f: usize| view.state(f, row) == State::Blank;
    match (blank(lon), blank(lat)) {
        (true, true) => {
            let texts = [
                said!("a record without a place", "没有坐标"),
                said!("longitude and latitude", "经度和纬度"),
                said!("measure the place", "补采坐标"),
            ];
            sink.builtin(view, "missing-place", row, lon, texts);
            return false;
        }
        (true, false) | (false, true) => {
            let field = if blank(lon) { lon } else { lat };
            let texts = [
                said!("one coordinate without the other", "经纬度只填了一个"),
                said!("longitude and latitude", "经度和纬度"),
                said!("measure the place", "补采坐标"),
            ];
            sink.builtin(view, "half-place", row, field, texts);
            return false;
        }
        _ => {}
    }
    let Some((x, y)) = view.place(row) else {
        return false;
    };
    if in_country(view.common, (x, y)) {
        let raw = |f: usize| {
            view.fields[f]
                .column
                .map_or(0, |c| decimals(&view.raw(row, c).to_string()))
        };
        // One of two may end in zeros by chance, that a spreadsheet leaves out; hardly both.
        let digits = raw(lon).max(raw(lat));
        if digits < view.common.least_decimals {
            let least = view.common.least_decimals;
            let texts = [
                said!(
                    "both coordinates with {digits} decimals",
                    "经纬度均只有{digits}位小数"
                ),
                said!("{least} decimals or more", "至少{least}位小数"),
                said!(
                    "measure the place again: this one is right to a kilometre only",
                    "重新采集坐标：该精度仅到千米级"
                ),
            ];
            sink.builtin(view, "coarse-place", row, lon, texts);
        }
        return true;
    }
    let cell = |f: usize| CellAt {
        table: view.index,
        row: Some(view.sheet_row(row)),
        column: view.fields[f].column,
    };
    if in_country(view.common, (y, x)) {
        let texts = [
            said!("longitude and latitude swapped", "经纬度填反"),
            said!("longitude {y}, latitude {x}", "经度{y}、纬度{x}"),
            said!("swap the two", "对调经纬度"),
        ];
        if let Some(finding) = sink.builtin(view, "swapped-place", row, lon, texts) {
            finding.others.push(cell(lat));
        }
    } else if x.abs() > 360.0 || y.abs() > 360.0 {
        let field = if x.abs() > 360.0 { lon } else { lat };
        let texts = [
            said!("metres in place of degrees", "疑为平面坐标（米）"),
            said!("degrees", "经纬度（度）"),
            said!(
                "convert the projected coordinates to longitude and latitude",
                "将投影坐标转换为经纬度"
            ),
        ];
        sink.builtin(view, "projected-place", row, field, texts);
    } else {
        let [west, south, east, north] = view.common.country;
        let field = if (west..=east).contains(&x) { lat } else { lon };
        let texts = [
            said!("a place outside the country", "位置在国境以外"),
            said!(
                "longitude {west} to {east}, latitude {south} to {north}",
                "经度{west}至{east}、纬度{south}至{north}"
            ),
            said!("correct the digits of the coordinate", "更正坐标"),
        ];
        sink.builtin(view, "outside-country", row, field, texts);
    }
    false
}

/// Border of a unit, or of the nearest unit above that has one.
fn border_of<'b>(borders: &'b Borders, code: &DivisionCode) -> Option<&'b Border> {
    let mut at = Some(code.clone());
    while let Some(code) = at {
        if let Some(border) = borders.units.get(code.as_str()) {
            return Some(border);
        }
        at = code.parent();
    }
    None
}

/// Rows whose county has enough points outside their units that come inside once a shift is undone.
fn shifts(view: &View<'_>, borders: &Borders, outside: &[Outside]) -> BTreeMap<usize, ShiftName> {
    let mut counties: BTreeMap<String, Vec<&Outside>> = BTreeMap::new();
    for o in outside
        .iter()
        .filter(|o| o.away_m <= view.common.shift_reach_m)
    {
        counties.entry(view.unit(o.row)).or_default().push(o);
    }
    let mut out = BTreeMap::new();
    for points in counties.values() {
        if points.len() < view.common.shift_least_points {
            continue;
        }
        let inside = |s: ShiftName| -> Vec<usize> {
            points
                .iter()
                .filter(|o| borders.units[&o.border].contains(s.undone(o.at)))
                .map(|o| o.row)
                .collect()
        };
        let (gcj, bd) = (inside(ShiftName::Gcj02), inside(ShiftName::Bd09));
        let (name, rows) = match gcj.len() >= bd.len() {
            true => (ShiftName::Gcj02, gcj),
            false => (ShiftName::Bd09, bd),
        };
        if rows.len() as f64 >= view.common.shift_share * points.len() as f64 {
            out.extend(rows.into_iter().map(|row| (row, name)));
        }
    }
    out
}

fn tell_outside(
    view: &View<'_>,
    borders: &Borders,
    (lon, lat): (usize, usize),
    o: &Outside,
    shift: Option<ShiftName>,
    sink: &mut Sink<'_>,
) {
    let border = &borders.units[&o.border];
    let away = short(o.away_m.round());
    let (code, name) = (&o.border, &border.name);
    if let Some(shift) = shift {
        let texts = shift_texts(
            shift,
            &said!(
                "{away} m outside {code} {name}, inside once the offset is taken away, as others of its county",
                "在{code}{name}界外{away}米，去除偏移后落入界内，同县其他点亦然"
            ),
        );
        sink.builtin(view, shift.rule(), o.row, lon, texts);
        return;
    }
    let raw = |f: usize| {
        view.fields[f]
            .column
            .map_or_else(String::new, |c| view.raw(o.row, c).to_string())
    };
    let packed = cell::packed_degrees(raw(lon).trim()).zip(cell::packed_degrees(raw(lat).trim()));
    let (rule, texts) = match packed.filter(|p| border.contains(*p)) {
        Some((x, y)) => (
            "packed-degrees",
            [
                said!(
                    "minutes and seconds packed behind the point: {away} m outside {code} {name}, inside once unpacked",
                    "疑为度.分秒格式：在{code}{name}界外{away}米，换算后落入界内"
                ),
                said!(
                    "decimal degrees: {x:.6}, {y:.6}",
                    "十进制度：{x:.6}、{y:.6}",
                    x = x,
                    y = y
                ),
                said!(
                    "convert degrees, minutes and seconds to decimal degrees",
                    "将度分秒换算为十进制度"
                ),
            ],
        ),
        None => {
            let found = borders
                .units
                .values()
                .filter(|b| b.code.as_str().len() == border.code.as_str().len() && b.contains(o.at))
                .map(|b| format!("{} {}", b.code, b.name))
                .next();
            let lies = match &found {
                Some(unit) => said!(", in {unit}", "，落在{unit}"),
                None => Said::default(),
            };
            (
                "outside-unit",
                [
                    said!(
                        "{away} m outside {code} {name}{lies_en}",
                        "在{code}{name}界外{away}米{lies_zh}",
                        lies_en = lies.en,
                        lies_zh = lies.zh
                    ),
                    said!("a place within its unit", "位置在所属单元界内"),
                    said!(
                        "correct the coordinates or the code of the unit",
                        "更正坐标或单元代码"
                    ),
                ],
            )
        }
    };
    sink.builtin(view, rule, o.row, lon, texts);
}

/// Checks a table of units against the borders: each row has one, each border a row, names are alike.
pub fn borders(view: &View<'_>, borders: &Borders, sink: &mut Sink<'_>) {
    if !view.rules.units || borders.units.is_empty() {
        return;
    }
    let Some(field) = view.rules.division.as_ref().and_then(|d| view.present(d)) else {
        return;
    };
    let title = view.rules.title.as_ref().and_then(|t| view.present(t));
    let units = hierarchy::units(view);
    let levels: BTreeSet<_> = borders.units.values().map(|b| b.code.level()).collect();
    let file = borders
        .file
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    sink.judge("row-without-border", units.len());
    for (&code, &row) in &units {
        let Some(border) = borders.units.get(code) else {
            let level = view.code(row).map(DivisionCode::level);
            if level.is_some_and(|l| levels.contains(&l)) {
                let name = view.title(row).into_owned();
                let texts = [
                    said!(
                        "{code} {name} has no polygon in {file}",
                        "{code}{name}在{file}中没有面"
                    ),
                    said!("a polygon with this code", "边界文件中有该代码的面"),
                    said!(
                        "are table and borders of one year? Correct the code, or add the polygon",
                        "表与边界是否同一年份？更正代码或补充边界"
                    ),
                ];
                sink.builtin(view, "row-without-border", row, field, texts);
            }
            continue;
        };
        let Some(title) = title else { continue };
        let name = view.text(title, row);
        if border.name.is_empty() || name.is_empty() || plain(&name) == plain(&border.name) {
            continue;
        }
        let other = &border.name;
        let texts = [
            said!(
                "{code} is {name} here and {other} in {file}",
                "{code}在表中为{name}，在{file}中为{other}"
            ),
            said!("one name for one code", "一个代码一个名称"),
            said!(
                "is the code of another unit? Correct name or code",
                "代码是否属于另一单元？更正名称或代码"
            ),
        ];
        sink.builtin(view, "border-name", row, title, texts);
    }
    // Only where the table has units of this level at all: a table of townships says nothing of counties.
    let rows: BTreeSet<_> = view
        .records()
        .filter_map(|r| view.code(r))
        .map(DivisionCode::level)
        .collect();
    for (code, border) in &borders.units {
        if units.contains_key(code.as_str()) || !rows.contains(&border.code.level()) {
            continue;
        }
        let name = &border.name;
        let texts = [
            said!(
                "no row for {code} {name} of {file}",
                "{file}中的{code}{name}在表中没有记录"
            ),
            said!("a row for every polygon", "每个面一行记录"),
            said!(
                "add the unit to the table, or take borders of its year",
                "补充该单元，或换用同年份的边界"
            ),
        ];
        if let Some(finding) = sink.whole(view, "border-without-row", None, texts) {
            finding.unit = code.chars().take(6).collect();
            finding.key.clone_from(code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::RuleBook;
    use super::*;
    use anlan_engine::io::Value;

    fn square() -> Border {
        let code = DivisionCode::parse(&Value::Text("990101".into()))
            .unwrap()
            .0;
        let outer = vec![
            (100.0, 40.0),
            (101.0, 40.0),
            (101.0, 41.0),
            (100.0, 41.0),
            (100.0, 40.0),
        ];
        let hole = vec![
            (100.4, 40.4),
            (100.6, 40.4),
            (100.6, 40.6),
            (100.4, 40.6),
            (100.4, 40.4),
        ];
        let enclave = vec![
            (102.0, 40.0),
            (102.1, 40.0),
            (102.1, 40.1),
            (102.0, 40.1),
            (102.0, 40.0),
        ];
        Border::new(code, "甲县".into(), vec![outer, hole, enclave])
    }

    #[test]
    fn inside_outside_holes_and_enclaves() {
        let b = square();
        for (at, inside) in [
            ((100.5, 40.2), true),
            ((100.5, 40.5), false),
            ((102.05, 40.05), true),
            ((101.5, 40.5), false),
            ((90.0, 40.5), false),
        ] {
            assert_eq!(b.contains(at), inside, "{at:?}");
        }
        // A hundredth of a degree of longitude at 40.2 N: 852 m.
        let away = b.distance_m((101.01, 40.2));
        assert!((away - 852.0).abs() < 2.0, "{away}");
        // A hundredth of a degree of latitude at 40 N: 1110 m.
        assert!((b.distance_m((100.5, 39.99)) - 1110.0).abs() < 2.0);
    }

    #[test]
    fn shifts_are_told_from_moves() {
        let common = RuleBook::builtin().common;
        let at = (101.3, 40.7);
        for (shift, offset) in [
            (ShiftName::Gcj02, gcj02_offset(at.0, at.1)),
            (ShiftName::Bd09, bd09_offset(at.0, at.1)),
        ] {
            let to = (at.0 + offset.0, at.1 + offset.1);
            assert_eq!(shift_between(&common, at, to), Some(shift));
            let back = shift.undone(to);
            assert!(distance_m(back, at) < 0.02);
            // As far in another direction.
            let other = (at.0 - offset.0, at.1 + offset.1);
            assert_eq!(shift_between(&common, at, other), None);
        }
        assert_eq!(shift_between(&common, at, at), None);
    }
}
