//! The units of the made-up province, their borders, and the earlier year's table.

use super::{Dice, Made, layer, rectangles, rounded};
use anlan_engine::io::vector::{Feature, Layer};
use anlan_engine::io::{TextEncoding, Value};
use anlan_models::census::quality::RuleBook;

/// Prefectures of the province, counties of each, townships of each of them.
pub(super) const TREE: (usize, usize, usize) = (2, 5, 10);

/// A township.
pub(super) struct Township {
    pub code: String,
    pub name: String,
    /// West, south, east, north, degrees.
    pub at: [f64; 4],
}

/// All townships in order of their codes.
pub(super) fn townships() -> Vec<Township> {
    let mut out = Vec::new();
    for p in 0..TREE.0 {
        for c in 0..TREE.1 {
            for t in 0..TREE.2 {
                let west = 100.0 + 0.4 * c as f64 + 0.08 * (t % 5) as f64;
                let south = 40.0 + 0.5 * p as f64 + 0.25 * (t / 5) as f64;
                // Ten-thousandths of a degree, as a person would draw it.
                let round = |v: f64| (v * 1e4).round() / 1e4;
                out.push(Township {
                    code: format!("99{:02}{:02}{:03}", p + 1, c + 1, t + 1),
                    name: format!("合成{}{}{}乡", p + 1, c + 1, t + 1),
                    at: [
                        round(west),
                        round(south),
                        round(west + 0.08),
                        round(south + 0.25),
                    ],
                });
            }
        }
    }
    out
}

/// The enclave (飞地) of a township within another county: (township, the township around it, its rectangle).
pub(super) const ENCLAVE: (usize, usize, [f64; 4]) = (3, 60, [100.42, 40.56, 100.44, 40.6]);

/// Borders of townships, counties and higher units; the enclave is cut out of the county around it.
pub(super) fn borders(townships: &[Township]) -> Layer {
    let mut out = layer();
    let mut push = |code: String, name: String, outer: &[[f64; 4]], holes: &[[f64; 4]]| {
        out.features.push(Feature {
            geometry: rectangles(outer, holes),
            values: vec![Value::Text(code), Value::Text(name)],
        });
    };
    let around = |of: &[Township]| {
        of.iter().fold(
            [
                f64::INFINITY,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NEG_INFINITY,
            ],
            |b, t| {
                [
                    b[0].min(t.at[0]),
                    b[1].min(t.at[1]),
                    b[2].max(t.at[2]),
                    b[3].max(t.at[3]),
                ]
            },
        )
    };
    for (i, t) in townships.iter().enumerate() {
        let mut outer = vec![t.at];
        if i == ENCLAVE.0 {
            outer.push(ENCLAVE.2);
        }
        let holes = if i == ENCLAVE.1 {
            vec![ENCLAVE.2]
        } else {
            Vec::new()
        };
        push(t.code.clone(), t.name.clone(), &outer, &holes);
    }
    for (k, group) in townships.chunks(TREE.2).enumerate() {
        let mut outer = vec![around(group)];
        if k == ENCLAVE.0 / TREE.2 {
            outer.push(ENCLAVE.2);
        }
        let holes = if k == ENCLAVE.1 / TREE.2 {
            vec![ENCLAVE.2]
        } else {
            Vec::new()
        };
        push(
            group[0].code[..6].into(),
            county_name(&group[0].code),
            &outer,
            &holes,
        );
    }
    for group in townships.chunks(TREE.2 * TREE.1) {
        let code = format!("{}00", &group[0].code[..4]);
        push(code, prefecture_name(&group[0].code), &[around(group)], &[]);
    }
    push("990000".into(), "合成省".into(), &[around(townships)], &[]);
    out
}

fn county_name(code: &str) -> String {
    format!("合成{}{}县", &code[3..4], &code[5..6])
}

fn prefecture_name(code: &str) -> String {
    format!("合成{}市", &code[3..4])
}

/// Fields of the table, in its order.
pub(super) const FIELDS: [&str; 19] = [
    "code",
    "name",
    "parent",
    "year",
    "area",
    "population",
    "male",
    "female",
    "urban",
    "rural",
    "age_0_14",
    "age_15_64",
    "age_65_plus",
    "households",
    "household_people",
    "gdp",
    "schools",
    "hospital_beds",
    "shelter_places",
];

/// A township twelve times as large as the others: people, area and product alike.
pub(super) const LARGE: usize = 24;
/// A township without townspeople.
pub(super) const RURAL: usize = 37;
/// A township that grew by half since the earlier year.
pub(super) const GROWN: usize = 51;

/// Row of a township in the table: after the province, its prefecture and its county and those before them.
pub(super) fn row_of(township: usize) -> usize {
    let county = township / TREE.2;
    let prefecture = county / TREE.1;
    1 + (prefecture + 1) + (county + 1) + township
}

/// The table of units. `counts` gives schools, beds and places in shelters of each township.
pub(super) fn table(book: &RuleBook, townships: &[Township], counts: &[[i64; 3]]) -> Made {
    let mut dice = Dice::new(1);
    let mut out = Made::new(
        book,
        "units",
        "units.csv",
        "",
        TextEncoding::Utf8Marked,
        &FIELDS,
    );
    let mut leaves: Vec<Vec<Value>> = Vec::new();
    for (i, t) in townships.iter().enumerate() {
        let size = if i == LARGE { 12.0 } else { 1.0 };
        let area = (dice.around(180.0, 0.15) * 10.0 * size).round() / 10.0;
        let people = (dice.around(120.0, 0.3) * area).round();
        let share = |s: f64| (people * s).floor();
        let male = share(dice.between(0.49, 0.53));
        let urban = if i == RURAL {
            0.0
        } else {
            share(dice.between(0.2, 0.7))
        };
        let young = share(dice.between(0.12, 0.18));
        let old = share(dice.between(0.12, 0.2));
        let households = (people / dice.between(2.4, 3.2)).round();
        let product = (people * dice.around(6.5, 0.25)).round();
        let int = |v: f64| Value::Integer(v as i64);
        leaves.push(vec![
            t.code.as_str().into(),
            t.name.as_str().into(),
            t.code[..6].into(),
            Value::Integer(2020),
            Value::Real(area),
            int(people),
            int(male),
            int(people - male),
            int(urban),
            int(people - urban),
            int(young),
            int(people - young - old),
            int(old),
            int(households),
            int(share(0.93)),
            int(product),
            Value::Integer(counts[i][0]),
            Value::Integer(counts[i][1]),
            Value::Integer(counts[i][2]),
        ]);
    }
    let head = |code: String, name: String, parent: Value, below: &[Vec<Value>]| {
        let mut row = vec![
            Value::Text(code),
            Value::Text(name),
            parent,
            Value::Integer(2020),
        ];
        for c in 4..FIELDS.len() {
            let sum: f64 = below.iter().filter_map(|r| r[c].as_f64()).sum();
            row.push(match c {
                4 => rounded(sum, 1),
                _ => Value::Integer(sum as i64),
            });
        }
        row
    };
    out.rows
        .push(head("990000".into(), "合成省".into(), Value::Null, &leaves));
    for (p, prefecture) in leaves.chunks(TREE.2 * TREE.1).enumerate() {
        let code = &townships[p * TREE.2 * TREE.1].code;
        let own = format!("{}00", &code[..4]);
        out.rows.push(head(
            own.clone(),
            prefecture_name(code),
            "990000".into(),
            prefecture,
        ));
        for county in prefecture.chunks(TREE.2) {
            let code = county[0][0].to_string();
            let parent = Value::Text(own.clone());
            out.rows
                .push(head(code[..6].into(), county_name(&code), parent, county));
            out.rows.extend(county.iter().cloned());
        }
    }
    out
}

/// The table of ten years before.
pub(super) fn earlier(book: &RuleBook, now: &Made) -> Made {
    let mut dice = Dice::new(2);
    let fields = ["code", "name", "year", "area", "population", "gdp"];
    let mut out = Made::new(
        book,
        "units",
        "units_2010.xlsx",
        "2010",
        TextEncoding::Utf8,
        &fields,
    );
    out.earlier = true;
    out.titles = vec![vec!["合成省行政单元基本情况（2010年）".into()]];
    for row in 0..now.rows.len() {
        let factor = match row == row_of(GROWN) {
            true => 1.0 / 1.5,
            false => dice.between(0.85, 1.1),
        };
        let people = (now.number(row, "population") * factor).round();
        let product = (now.number(row, "gdp") * dice.between(0.7, 0.95)).round();
        out.rows.push(vec![
            now.get(row, "code").clone(),
            now.get(row, "name").clone(),
            Value::Integer(2010),
            now.get(row, "area").clone(),
            Value::Integer(people as i64),
            Value::Integer(product as i64),
        ]);
    }
    out
}
