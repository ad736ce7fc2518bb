//! The clean tables of depots, danger sites, disasters, roads, bridges, reservoirs and dykes, with their twins.

use super::tables::{day, home, phone, place};
use super::units::Township;
use super::{Dice, Made, Planted, rounded};
use anlan_engine::io::{TextEncoding, Value};
use anlan_models::census::quality::RuleBook;

pub(super) fn depots(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "name",
        "unit",
        "level",
        "floor_area",
        "volume",
        "tents",
        "quilts",
        "beds",
        "value",
        "opened",
        "phone",
        "lon",
        "lat",
    ];
    let mut out = Made::new(
        book,
        "depots",
        "depots.csv",
        "",
        TextEncoding::Utf8Marked,
        &fields,
    );
    let mut dice = Dice::new(20);
    for i in 0..n {
        let t = home(townships, i);
        let area = dice.around(700.0, 0.3);
        let year = dice.whole(1998, 2020);
        let opened = day(year, &mut dice);
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("K{:04}", i + 1)),
            Value::Text(format!("合成第{}储备库", i + 1)),
            t.code.as_str().into(),
            "县级".into(),
            rounded(area, 1),
            rounded(area * 5.2, 1),
            Value::Integer((area * 0.3) as i64),
            Value::Integer((area * 2.0) as i64),
            Value::Integer((area * 0.4) as i64),
            rounded(area * 0.25, 2),
            opened,
            phone(40_000 + i),
            lon,
            lat,
        ]);
    }
    out
}

pub(super) fn sites(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "name",
        "unit",
        "kind",
        "scale",
        "volume",
        "households",
        "people",
        "property",
        "found",
        "due",
        "closed",
        "status",
        "monitored",
        "warden",
        "phone",
        "lon",
        "lat",
    ];
    let mut out = Made::new(
        book,
        "sites",
        "sites.csv",
        "",
        TextEncoding::Gb18030,
        &fields,
    );
    let mut dice = Dice::new(21);
    for i in 0..n {
        let t = home(townships, i);
        let people = dice.around(35.0, 0.9).round().max(3.0) as i64;
        let scale = match people {
            p if p < 100 => "小型",
            p if p < 500 => "中型",
            _ => "大型",
        };
        let year = dice.whole(2005, 2018);
        let found = day(year, &mut dice);
        let done = i % 9 == 0;
        let closed = match done {
            true => day(2019, &mut dice),
            false => Value::Null,
        };
        let kinds = [
            ("滑坡", "01"),
            ("崩塌", "02"),
            ("泥石流", "03"),
            ("不稳定斜坡", "07"),
        ];
        let (kind, number) = kinds[i % 4];
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("{}{number}{:04}", &t.code[..6], i + 1)),
            Value::Text(format!("合成第{}号{kind}", i + 1)),
            t.code.as_str().into(),
            kind.into(),
            scale.into(),
            Value::Integer(dice.around(8000.0, 1.0) as i64),
            Value::Integer((people / 3).max(1)),
            Value::Integer(people),
            rounded(people as f64 * 8.0, 1),
            found,
            Value::Text("2022-06-30".into()),
            closed,
            if done { "已销号" } else { "在册" }.into(),
            if people > 100 { "是" } else { "否" }.into(),
            Value::Text(format!("合成人{}", i + 1)),
            phone(50_000 + i),
            lon,
            lat,
        ]);
    }
    out
}

pub(super) fn disasters(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "unit",
        "kind",
        "start",
        "end",
        "affected",
        "deaths",
        "missing",
        "relocated",
        "relocated_central",
        "relocated_dispersed",
        "collapsed",
        "severe",
        "slight",
        "crops",
        "crops_damaged",
        "crops_lost",
        "loss",
        "loss_housing",
        "loss_farming",
        "loss_industry",
        "loss_works",
        "loss_services",
    ];
    let mut out = Made::new(
        book,
        "disasters",
        "disasters.csv",
        "",
        TextEncoding::Utf8,
        &fields,
    );
    let mut dice = Dice::new(22);
    for i in 0..n {
        let t = home(townships, i);
        let year = dice.whole(1978, 2020);
        let (month, first) = (dice.whole(5, 10), dice.whole(1, 20));
        let affected = dice.around(2500.0, 0.6).round().max(50.0);
        let relocated = (affected * dice.between(0.0, 0.2)).floor();
        let central = (relocated * 0.4).floor();
        let crops = dice.around(120.0, 0.5);
        let total = affected * dice.around(0.08, 0.4);
        let cent = |v: f64| (v * 100.0).round() / 100.0;
        let parts = [0.3, 0.4, 0.1, 0.15, 0.05].map(|s| cent(total * s));
        let int = |v: f64| Value::Integer(v as i64);
        let mut row = vec![
            Value::Text(format!("D{:06}", i + 1)),
            t.code.as_str().into(),
            ["洪涝", "风雹", "台风", "崩塌滑坡泥石流"][i % 4].into(),
            Value::Text(format!("{year}-{month:02}-{first:02}")),
            Value::Text(format!("{year}-{month:02}-{:02}", first + dice.whole(0, 8))),
            int(affected),
            Value::Integer(i64::from(i % 40 == 0)),
            Value::Integer(0),
            int(relocated),
            int(central),
            int(relocated - central),
            Value::Integer(dice.whole(0, 30)),
            Value::Integer(dice.whole(0, 60)),
            Value::Integer(dice.whole(0, 200)),
            rounded(crops, 2),
            rounded(crops * 0.5, 2),
            rounded(crops * 0.1, 2),
            Value::Real(cent(parts.iter().sum())),
        ];
        row.extend(parts.map(Value::Real));
        out.rows.push(row);
    }
    out
}

pub(super) fn roads(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code", "name", "route", "unit", "grade", "from_km", "to_km", "length", "width", "lanes",
        "built",
    ];
    let mut out = Made::new(
        book,
        "roads",
        "works.xlsx",
        "公路",
        TextEncoding::Utf8,
        &fields,
    );
    out.titles = vec![vec!["公路调查表（合成）".into()]];
    let mut dice = Dice::new(23);
    for i in 0..n {
        let t = home(townships, i);
        let from = (dice.between(0.0, 80.0) * 1000.0).round() / 1000.0;
        let length = (dice.around(4.0, 0.5) * 1000.0).round() / 1000.0;
        let (grade, lanes, width) = match i % 10 {
            0 => ("高速公路", 4, 26.0),
            1 | 2 => ("二级公路", 2, 12.0),
            3..=5 => ("三级公路", 2, 8.5),
            _ => ("四级公路", 2, 6.5),
        };
        out.rows.push(vec![
            Value::Text(format!("R{:06}", i + 1)),
            Value::Text(format!("合成{}线", i + 1)),
            Value::Text(format!("X{:03}", i % 900)),
            t.code.as_str().into(),
            grade.into(),
            Value::Real(from),
            rounded(from + length, 3),
            Value::Real(length),
            Value::Real(width),
            Value::Integer(lanes),
            Value::Integer(dice.whole(1970, 2021)),
        ]);
    }
    out
}

pub(super) fn bridges(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code", "name", "unit", "class", "length", "span", "width", "rating", "built", "lon", "lat",
    ];
    let mut out = Made::new(
        book,
        "bridges",
        "works.xlsx",
        "桥梁",
        TextEncoding::Utf8,
        &fields,
    );
    let mut dice = Dice::new(24);
    for i in 0..n {
        let t = home(townships, i);
        let length = dice.around(45.0, 0.7).clamp(9.0, 900.0);
        let class = match length {
            l if l <= 30.0 => "小桥",
            l if l < 100.0 => "中桥",
            _ => "大桥",
        };
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("Q{:06}", i + 1)),
            Value::Text(format!("合成第{}桥", i + 1)),
            t.code.as_str().into(),
            class.into(),
            Value::Real((length * 10.0).floor() / 10.0),
            Value::Real((length * 4.0).floor() / 10.0),
            Value::Real(9.0),
            "二类".into(),
            Value::Integer(dice.whole(1975, 2021)),
            lon,
            lat,
        ]);
    }
    out
}

pub(super) fn reservoirs(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "name",
        "unit",
        "scale",
        "capacity",
        "useful",
        "dead",
        "dam_height",
        "catchment",
        "dead_level",
        "normal_level",
        "flood_level",
        "crest_level",
        "built",
        "lon",
        "lat",
    ];
    let mut out = Made::new(
        book,
        "reservoirs",
        "works.xlsx",
        "水库",
        TextEncoding::Utf8,
        &fields,
    );
    let mut dice = Dice::new(25);
    for i in 0..n {
        let t = home(townships, i);
        let capacity = (dice.around(80.0, 0.8).clamp(10.5, 900.0) * 10.0).floor() / 10.0;
        let ground = dice.between(200.0, 900.0);
        let height = dice.between(12.0, 45.0);
        let level = |share: f64| rounded(ground + share * height, 2);
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("W{:06}", i + 1)),
            Value::Text(format!("合成第{}水库", i + 1)),
            t.code.as_str().into(),
            if capacity < 100.0 {
                "小(2)型"
            } else {
                "小(1)型"
            }
            .into(),
            Value::Real(capacity),
            rounded(capacity * 0.7, 2),
            rounded(capacity * 0.05, 2),
            rounded(height, 1),
            rounded(capacity / 20.0, 2),
            level(0.3),
            level(0.8),
            level(0.93),
            level(1.0),
            Value::Integer(dice.whole(1956, 1985)),
            lon,
            lat,
        ]);
    }
    out
}

pub(super) fn dykes(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "name",
        "unit",
        "class",
        "standard",
        "length",
        "met_length",
        "height",
        "crest_width",
        "protected",
        "built",
    ];
    let mut out = Made::new(
        book,
        "dykes",
        "dykes.csv",
        "",
        TextEncoding::Utf8Marked,
        &fields,
    );
    let mut dice = Dice::new(26);
    for i in 0..n {
        let t = home(townships, i);
        let length = (dice.around(3.0, 0.5) * 1000.0).round() / 1000.0;
        let (class, standard) = [("5级", 10.0), ("4级", 20.0), ("3级", 50.0)][i % 3];
        out.rows.push(vec![
            Value::Text(format!("T{:06}", i + 1)),
            Value::Text(format!("合成第{}堤", i + 1)),
            t.code.as_str().into(),
            class.into(),
            Value::Real(standard),
            Value::Real(length),
            rounded(length * dice.between(0.3, 1.0) - 0.001, 3),
            rounded(dice.between(2.0, 7.0), 1),
            rounded(dice.between(3.0, 8.0), 1),
            Value::Integer(dice.whole(300, 30_000)),
            Value::Integer(dice.whole(1960, 2021)),
        ]);
    }
    out
}

/// Twins in these tables, which stand in the order of `tables::clean`.
pub(super) fn twins_of(tables: &mut [Made], twins: &mut Vec<Planted>) {
    let sites = &mut tables[5];
    sites.set(4, "due", "2025-12-31");
    twins.push(sites.place("a deadline after the census", "future-date", 4, "due"));
    sites.set(5, "people", 99_i64);
    sites.set(5, "households", 30_i64);
    sites.set(5, "scale", "小型");
    sites.set(5, "monitored", "否");
    twins.push(sites.place(
        "a small site just below its bound",
        "small-scale monitored-sites",
        5,
        "people",
    ));
    sites.set(6, "volume", 0_i64);
    twins.push(sites.place("a legal zero: no volume", "range", 6, "volume"));
    let d = &mut tables[6];
    let start = d.get(3, "start").clone();
    d.set(3, "end", start);
    twins.push(d.place("a disaster of one day", "start-end", 3, "end"));
    d.set(5, "start", "2016-02-29");
    d.set(5, "end", "2016-03-02");
    twins.push(d.place("a leap day", "impossible-date", 5, "start"));
    for field in [
        "loss",
        "loss_housing",
        "loss_farming",
        "loss_industry",
        "loss_works",
        "loss_services",
    ] {
        d.set(6, field, 0_i64);
    }
    twins.push(d.place("a legal zero: no loss", "range loss-per-head", 6, "loss"));
    let roads = &mut tables[7];
    let (from, length) = (roads.number(4, "from_km"), roads.number(4, "length"));
    roads.set(4, "to_km", rounded(from + length + 0.015, 3));
    twins.push(roads.place("a chain broken by 15 m", "stakes-length", 4, "to_km"));
    let bridges = &mut tables[8];
    let length = bridges.number(3, "length");
    bridges.set(3, "span", length);
    twins.push(bridges.place("a bridge of one span", "span-part", 3, "span"));
    let dykes = &mut tables[10];
    let length = dykes.number(3, "length");
    dykes.set(3, "met_length", length);
    twins.push(dykes.place(
        "a dyke up to standard in all its length",
        "met-part",
        3,
        "met_length",
    ));
}
