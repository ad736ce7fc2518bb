//! The clean tables: buildings, schools, hospitals, homes, shelters, with their twins.

use super::units::{self, ENCLAVE, GROWN, LARGE, RURAL, Township};
use super::{Dice, Made, Planted, Synthetic, rounded, works};
use anlan_engine::io::{TextEncoding, Value};
use anlan_models::census::quality::RuleBook;
use anlan_models::census::quality::numbers::{citizen_id, with_check};

/// A place within a rectangle, six decimals, the last of them not 0.
pub(super) fn place(dice: &mut Dice, at: [f64; 4]) -> (Value, Value) {
    // Away from the border, which is drawn coarsely.
    let margin = 0.003;
    let micro = |v: f64| Value::Real(((v * 5e5).floor() * 2.0 + 1.0) / 1e6);
    let mut x = dice.between(at[0] + margin, at[2] - margin);
    let y = dice.between(at[1] + margin, at[3] - margin);
    // Not in the enclave of another township.
    let [west, south, east, north] = ENCLAVE.2;
    let within = |v: f64, low: f64, high: f64| v > low - margin && v < high + margin;
    if within(x, west, east) && within(y, south, north) {
        x += east - west + 2.0 * margin;
    }
    (micro(x), micro(y))
}

/// A township for a record: each in turn.
pub(super) fn home(townships: &[Township], n: usize) -> &Township {
    // A step that shares no factor with the number of townships.
    &townships[n * 37 % townships.len()]
}

pub(super) fn phone(n: usize) -> Value {
    // No area has this code.
    Value::Text(format!("0900-{:07}", 6_000_000 + n))
}

pub(super) fn day(year: i64, dice: &mut Dice) -> Value {
    let (month, day) = (dice.whole(1, 13), dice.whole(1, 29));
    Value::Text(format!("{year:04}-{month:02}-{day:02}"))
}

fn credit(code: &str, n: usize) -> Value {
    Value::Text(with_check(&format!("12{}{n:09}", &code[..6])).unwrap_or_default())
}

fn person(code: &str, n: usize) -> Value {
    let head = format!(
        "{}19{:02}{:02}{:02}{:03}",
        &code[..6],
        55 + n % 35,
        1 + n % 12,
        1 + n % 28,
        n % 1000
    );
    let id = "0123456789X"
        .chars()
        .map(|c| format!("{head}{c}"))
        .find(|id| citizen_id(id));
    Value::Text(id.unwrap_or_default())
}

pub(super) fn clean(records: usize) -> Synthetic {
    let book = RuleBook::builtin();
    let townships = units::townships();
    // Shares of the whole, in thousandths; the rest are buildings.
    let part = |percent: usize| (records * percent / 1000).max(110);
    let mut tables = vec![
        schools(&book, &townships, part(50)),
        hospitals(&book, &townships, part(27)),
        homes(&book, &townships, part(20)),
        shelters(&book, &townships, part(23)),
        works::depots(&book, &townships, part(4)),
        works::sites(&book, &townships, part(30)),
        works::disasters(&book, &townships, part(20)),
        works::roads(&book, &townships, part(14)),
        works::bridges(&book, &townships, part(10)),
        works::reservoirs(&book, &townships, part(5)),
        works::dykes(&book, &townships, part(7)),
    ];
    let mut twins = Vec::new();
    twins_of(&mut tables, &townships, &mut twins);
    works::twins_of(&mut tables, &mut twins);
    let counts = counts(&tables, &townships);
    let all = units::table(&book, &townships, &counts);
    for (what, rule, row, field) in [
        (
            "a truly large township",
            "density product-per-head",
            LARGE,
            "population",
        ),
        (
            "a legal zero: no townspeople",
            "urban-rural range",
            RURAL,
            "urban",
        ),
        (
            "a township that grew by half",
            "population-jump",
            GROWN,
            "population",
        ),
        (
            "a township with an enclave in another county",
            "outside-unit",
            ENCLAVE.0,
            "code",
        ),
    ] {
        twins.push(all.place(what, rule, units::row_of(row), field));
    }
    let old = units::earlier(&book, &all);
    let used: usize = tables.iter().map(|t| t.rows.len()).sum::<usize>() + all.rows.len();
    let mut buildings = buildings(&book, &townships, records.saturating_sub(used).max(200));
    building_twins(&mut buildings, &mut twins);
    add_totals(&mut tables);
    let earlier = [earlier_of(&book, &tables[0]), earlier_of(&book, &tables[1])];
    let mut tables: Vec<Made> = [all, buildings].into_iter().chain(tables).collect();
    tables.push(old);
    tables.extend(earlier);
    let mut out = Synthetic {
        tables,
        borders: units::borders(&townships),
        planted: Vec::new(),
        twins,
    };
    moved_twin(&mut out);
    out
}

fn counts(tables: &[Made], townships: &[Township]) -> Vec<[i64; 3]> {
    let mut counts = vec![[0; 3]; townships.len()];
    let mut add = |table: &Made, slot: usize, field: Option<&str>| {
        for row in 0..table.rows.len() {
            let code = table.get(row, "unit").to_string();
            let at = townships.iter().position(|t| t.code == code);
            if let Some(i) = at {
                counts[i][slot] += field.map_or(1, |f| table.number(row, f) as i64);
            }
        }
    };
    add(&tables[0], 0, None);
    add(&tables[1], 1, Some("beds"));
    add(&tables[3], 2, Some("capacity"));
    counts
}

fn buildings(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "unit",
        "address",
        "use",
        "structure",
        "storeys",
        "height",
        "ground_area",
        "floor_area",
        "households",
        "residents",
        "built",
        "retrofitted",
        "value",
        "lon",
        "lat",
    ];
    let mut out = Made::new(
        book,
        "buildings",
        "buildings.csv",
        "",
        TextEncoding::Gb18030,
        &fields,
    );
    let mut dice = Dice::new(3);
    for i in 0..n {
        let t = home(townships, i);
        let pick = dice.between(0.0, 1.0);
        let (usage, structure, most, size, price) = match pick {
            p if p < 0.55 => ("农村住宅", "砌体结构", 4, 110.0, 0.12),
            p if p < 0.6 => ("农村住宅", "木结构", 3, 110.0, 0.08),
            p if p < 0.85 => ("城镇住宅", "钢筋混凝土结构", 19, 420.0, 0.22),
            p if p < 0.93 => ("公共建筑", "钢筋混凝土结构", 7, 600.0, 0.22),
            _ => ("工业建筑", "钢结构", 3, 900.0, 0.16),
        };
        let storeys = dice.whole(1, most);
        let ground = (dice.around(size, 0.3) * 10.0).round() / 10.0;
        let floor = (ground * storeys as f64 * 10.0).round() / 10.0;
        let lives = usage.ends_with("住宅");
        let households = ((floor / 110.0).round() as i64).max(1);
        let built = dice.whole(1965, 2021);
        let retrofitted = match dice.between(0.0, 1.0) < 0.06 && built < 2005 {
            true => Value::Integer(built + dice.whole(8, 15)),
            false => Value::Null,
        };
        let value = floor * dice.around(price, 0.2);
        let height = storeys as f64 * dice.between(2.9, 4.2);
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("B{:08}", i + 1)),
            t.code.as_str().into(),
            Value::Text(format!("合成路{}号", i + 1)),
            usage.into(),
            structure.into(),
            Value::Integer(storeys),
            rounded(height, 1),
            Value::Real(ground),
            Value::Real(floor),
            if lives {
                Value::Integer(households)
            } else {
                Value::Null
            },
            if lives {
                Value::Integer(households * 3)
            } else {
                Value::Null
            },
            Value::Integer(built),
            retrofitted,
            rounded(value, 2),
            lon,
            lat,
        ]);
    }
    out
}

fn building_twins(b: &mut Made, twins: &mut Vec<Planted>) {
    let rc = (0..b.rows.len())
        .filter(|r| *b.get(*r, "use") == "城镇住宅".into())
        .collect::<Vec<_>>();
    // The tallest tower that the list allows, with the floor area that it has.
    let tower = rc[3];
    let ground = b.number(tower, "ground_area");
    b.set(tower, "storeys", 128_i64);
    b.set(tower, "height", 448.5);
    b.set(tower, "floor_area", (ground * 1280.0).round() / 10.0);
    b.set(tower, "value", (ground * 128.0 * 22.0).round() / 100.0);
    twins.push(b.place(
        "a tower of 128 storeys",
        "range storey-height floor-per-storey",
        tower,
        "storeys",
    ));
    b.set(5, "built", 1102_i64);
    twins.push(b.place("a house of the twelfth century", "early-date", 5, "built"));
    b.set(6, "height", Value::Text("6.0".into()));
    b.set(6, "storeys", 2_i64);
    let floor = b.number(6, "ground_area") * 2.0;
    b.set(6, "floor_area", (floor * 10.0).round() / 10.0);
    b.set(6, "value", (floor * 12.0).round() / 100.0);
    twins.push(b.place(
        "a height that ends in .0",
        "float-code whole-number",
        6,
        "height",
    ));
    b.set(7, "address", "合成大道（东）3人桥,甲座");
    twins.push(b.place(
        "brackets, a digit with 人 and a comma in an address",
        "full-width number-with-unit thousands-separator",
        7,
        "address",
    ));
    // The neighbour in the next house: other place, hardly away.
    let (lon, lat) = (b.number(8, "lon"), b.number(8, "lat"));
    let unit = b.get(8, "unit").clone();
    b.set(9, "unit", unit);
    b.set(9, "lon", ((lon + 0.000_02) * 1e6).round() / 1e6);
    b.set(9, "lat", lat);
    twins.push(b.place(
        "two houses two metres apart",
        "same-place near-duplicate",
        9,
        "lon",
    ));
}

fn schools(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "name",
        "unit",
        "kind",
        "students",
        "boarders",
        "staff",
        "buildings",
        "floor_area",
        "site_area",
        "founded",
        "opened",
        "credit_code",
        "phone",
        "lon",
        "lat",
    ];
    let mut out = Made::new(
        book,
        "schools",
        "schools.xlsx",
        "学校",
        TextEncoding::Utf8,
        &fields,
    );
    out.titles = vec![
        vec!["第一次全国自然灾害综合风险普查学校调查表（合成）".into()],
        vec!["填报单位：合成省".into()],
    ];
    let mut dice = Dice::new(4);
    for i in 0..n {
        let t = home(townships, i);
        let (kind, word, size, share) = match i % 5 {
            0 | 1 => ("小学", "小学", 420.0, 0.1),
            2 => ("幼儿园", "幼儿园", 150.0, 0.0),
            3 => ("初级中学", "初级中学", 800.0, 0.3),
            _ => ("高级中学", "高级中学", 1600.0, 0.6),
        };
        let students = dice.around(size, 0.35).round().max(40.0);
        let staff = (students / dice.around(14.0, 0.15)).round().max(3.0);
        let floor = students * dice.around(9.0, 0.2);
        let founded = dice.whole(1950, 2016);
        let opened = day(founded + dice.whole(0, 3), &mut dice);
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("99{:08}", i + 1)),
            Value::Text(format!("合成第{}{word}", i + 1)),
            t.code.as_str().into(),
            kind.into(),
            Value::Integer(students as i64),
            Value::Integer((students * share * dice.between(0.2, 0.9)) as i64),
            Value::Integer(staff as i64),
            Value::Integer(1 + students as i64 / 300),
            rounded(floor, 1),
            rounded(floor * dice.between(1.3, 2.5), 1),
            Value::Integer(founded),
            opened,
            credit(&t.code, i + 1),
            phone(i),
            lon,
            lat,
        ]);
    }
    out
}

fn hospitals(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code", "name", "unit", "grade", "kind", "beds", "icu_beds", "staff", "doctors", "nurses",
        "opened", "phone", "lon", "lat",
    ];
    let mut out = Made::new(
        book,
        "hospitals",
        "hospitals.csv",
        "",
        TextEncoding::Utf8,
        &fields,
    );
    let mut dice = Dice::new(5);
    for i in 0..n {
        let t = home(townships, i);
        let (kind, word, grade, size) = match i % 4 {
            0 => ("医院", "医院", "二级", 180.0),
            3 => ("社区卫生服务中心", "社区卫生服务中心", "一级", 30.0),
            _ => ("乡镇卫生院", "卫生院", "一级", 40.0),
        };
        let beds = dice.around(size, 0.3).round().max(5.0);
        let staff = (beds * dice.around(1.3, 0.2)).round().max(3.0);
        let year = dice.whole(1950, 2018);
        let opened = day(year, &mut dice);
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("H{:06}", i + 1)),
            Value::Text(format!("合成第{}{word}", i + 1)),
            t.code.as_str().into(),
            grade.into(),
            kind.into(),
            Value::Integer(beds as i64),
            Value::Integer((beds * 0.04) as i64),
            Value::Integer(staff as i64),
            Value::Integer((staff * 0.35) as i64),
            Value::Integer((staff * 0.45) as i64),
            opened,
            phone(10_000 + i),
            lon,
            lat,
        ]);
    }
    out
}

fn homes(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "name",
        "unit",
        "beds",
        "residents",
        "disabled",
        "staff",
        "floor_area",
        "opened",
        "head",
        "head_id",
        "phone",
        "lon",
        "lat",
    ];
    let mut out = Made::new(
        book,
        "homes",
        "homes.xlsx",
        "养老机构",
        TextEncoding::Utf8,
        &fields,
    );
    out.titles = vec![vec!["养老机构调查表（合成）".into()], Vec::new()];
    let mut dice = Dice::new(6);
    for i in 0..n {
        let t = home(townships, i);
        let beds = dice.around(80.0, 0.4).round().max(10.0);
        let residents = (beds * dice.between(0.3, 1.0)).floor().max(1.0);
        let year = dice.whole(1985, 2020);
        let opened = day(year, &mut dice);
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("Y{:06}", i + 1)),
            Value::Text(format!("合成第{}敬老院", i + 1)),
            t.code.as_str().into(),
            Value::Integer(beds as i64),
            Value::Integer(residents as i64),
            Value::Integer((residents * 0.3) as i64),
            Value::Integer(1 + residents as i64 / 6),
            rounded(beds * 32.0, 1),
            opened,
            Value::Text(format!("合成人{}", i + 1)),
            person(&t.code, i + 1),
            phone(20_000 + i),
            lon,
            lat,
        ]);
    }
    out.header.push("备注".into());
    out.fields.push("备注");
    for row in &mut out.rows {
        row.push(Value::Null);
    }
    out
}

fn shelters(book: &RuleBook, townships: &[Township], n: usize) -> Made {
    let fields = [
        "code",
        "name",
        "unit",
        "kind",
        "grade",
        "capacity",
        "area",
        "site_area",
        "built",
        "water",
        "power",
        "phone",
        "lon",
        "lat",
    ];
    let mut out = Made::new(
        book,
        "shelters",
        "shelters.csv",
        "",
        TextEncoding::Gb18030,
        &fields,
    );
    let mut dice = Dice::new(7);
    for i in 0..n {
        let t = home(townships, i);
        let capacity = dice.around(900.0, 0.6).round().max(20.0);
        let area = capacity * dice.between(1.5, 5.0);
        let (kind, grade) = match i % 3 {
            0 => ("室内", "短期"),
            1 => ("室外", "紧急"),
            _ => ("综合", "长期"),
        };
        let (lon, lat) = place(&mut dice, t.at);
        out.rows.push(vec![
            Value::Text(format!("S{:06}", i + 1)),
            Value::Text(format!("合成第{}避难场所", i + 1)),
            t.code.as_str().into(),
            kind.into(),
            grade.into(),
            Value::Integer(capacity as i64),
            rounded(area, 1),
            rounded(area * 1.4, 1),
            Value::Integer(dice.whole(2000, 2021)),
            "有".into(),
            if i % 2 == 0 { "有" } else { "没有" }.into(),
            phone(30_000 + i),
            lon,
            lat,
        ]);
    }
    out
}

/// Twins in schools, hospitals, homes and shelters.
fn twins_of(tables: &mut [Made], townships: &[Township], twins: &mut Vec<Planted>) {
    let s = &mut tables[0];
    let (a, b) = (1, 6);
    assert!(s.get(a, "unit").to_string()[..6] != s.get(b, "unit").to_string()[..6]);
    let name = s.get(a, "name").clone();
    s.set(b, "name", name);
    twins.push(s.place(
        "the same name in another county",
        "near-duplicate duplicate-key",
        b,
        "name",
    ));
    s.set(10, "boarders", 0_i64);
    twins.push(s.place(
        "a legal zero: no boarders",
        "range required",
        10,
        "boarders",
    ));
    s.set(11, "boarders", Value::Null);
    twins.push(s.place("an optional cell left blank", "required", 11, "boarders"));
    s.set(15, "founded", 1902_i64);
    s.set(15, "opened", "1904-02-29");
    twins.push(s.place(
        "an old school, opened on a leap day",
        "impossible-date early-date founded-opened",
        15,
        "opened",
    ));
    s.set(16, "name", "瑗瑷镇合成小学（东校区）");
    twins.push(s.place(
        "rare characters and full-width brackets in a name",
        "misread full-width",
        16,
        "name",
    ));
    s.set(20, "phone", "400-820-0000");
    s.set(21, "phone", "0900-6000021-803");
    twins.push(s.place("a service number", "phone", 20, "phone"));
    twins.push(s.place("a number with an extension", "phone", 21, "phone"));
    // Two decimals by chance, the other coordinate exact.
    let lat = townships
        .iter()
        .find(|t| *s.get(22, "unit") == t.code.as_str().into());
    if let Some(t) = lat {
        s.set(22, "lon", ((t.at[0] + 0.04) * 100.0).round() / 100.0);
        twins.push(s.place("a longitude that ends in zeros", "coarse-place", 22, "lon"));
    }
    let h = &mut tables[1];
    h.set(3, "kind", "村卫生室");
    h.set(3, "grade", "未定级");
    for field in ["beds", "icu_beds"] {
        h.set(3, field, 0_i64);
    }
    twins.push(h.place(
        "a legal zero: a clinic without beds",
        "range staff-per-bed",
        3,
        "beds",
    ));
    h.set(4, "opened", "2020-12-31");
    twins.push(h.place(
        "opened on the day of the census",
        "future-date",
        4,
        "opened",
    ));
    let (lon, lat, unit) = (
        h.get(5, "lon").clone(),
        h.get(5, "lat").clone(),
        h.get(5, "unit").clone(),
    );
    let y = &mut tables[2];
    y.set(5, "lon", lon);
    y.set(5, "lat", lat);
    y.set(5, "unit", unit);
    twins.push(y.place(
        "a home at the very place of a hospital",
        "same-place",
        5,
        "lon",
    ));
    let x = (30..y.rows.len()).find(|r| y.get(*r, "head_id").to_string().ends_with('X'));
    if let Some(x) = x {
        twins.push(y.place(
            "a citizen's number that ends in X",
            "citizen-id",
            x,
            "head_id",
        ));
    }
    y.set(8, "head", "无");
    twins.push(y.place("无 in a field of text", "placeholder", 8, "head"));
    y.set(9, "residents", y.number(9, "beds") as i64);
    twins.push(y.place("a home that is full", "residents-part", 9, "residents"));
    let e = &mut tables[3];
    let inside =
        (0..e.rows.len()).find(|r| *e.get(*r, "unit") == townships[ENCLAVE.0].code.as_str().into());
    if let Some(row) = inside {
        e.set(row, "lon", 100.431_537);
        e.set(row, "lat", 40.581_353);
        twins.push(e.place(
            "a shelter in the enclave of its township",
            "outside-unit",
            row,
            "lon",
        ));
    }
    // Sixty metres outside the border, which is generalised to that.
    let near = (0..e.rows.len()).find(|r| *e.get(*r, "unit") == townships[45].code.as_str().into());
    if let Some(row) = near {
        e.set(row, "lon", townships[45].at[2] + 0.000_703);
        e.set(row, "lat", townships[45].at[1] + 0.100_007);
        twins.push(e.place(
            "a shelter sixty metres outside a generalised border",
            "outside-unit shifted-gcj02",
            row,
            "lon",
        ));
    }
}

/// A row of totals below the homes and the shelters: right.
fn add_totals(tables: &mut [Made]) {
    for (at, fields) in [
        (2, &["beds", "residents", "disabled", "staff"][..]),
        (3, &["capacity"][..]),
    ] {
        let table = &mut tables[at];
        let mut row = vec![Value::Null; table.fields.len()];
        row[0] = "合计".into();
        for field in fields {
            let sum: f64 = (0..table.rows.len()).map(|r| table.number(r, field)).sum();
            row[table.column(field)] = Value::Integer(sum as i64);
        }
        table.rows.push(row);
    }
}

/// The same table a year before: figures a little less, places the same.
fn earlier_of(book: &RuleBook, now: &Made) -> Made {
    let mut dice = Dice::new(8);
    let schools = now.kind == "schools";
    let (file, figure, fields): (_, _, &[&'static str]) = match schools {
        true => (
            "schools_2019.csv",
            "students",
            &["code", "name", "unit", "students", "founded", "lon", "lat"],
        ),
        false => (
            "hospitals_2019.csv",
            "beds",
            &["code", "name", "unit", "beds", "lon", "lat"],
        ),
    };
    let mut out = Made::new(book, now.kind, file, "", TextEncoding::Utf8Marked, fields);
    out.earlier = true;
    for row in 0..now.rows.len() {
        let mut cells: Vec<Value> = fields.iter().map(|f| now.get(row, f).clone()).collect();
        let before = (now.number(row, figure) * dice.between(0.85, 1.1)).round();
        let at = out.column(figure);
        cells[at] = Value::Integer(before as i64);
        out.rows.push(cells);
    }
    out
}

/// A hospital that moved by 900 m to the north-west, which no shift does, and a school whose students halved.
fn moved_twin(out: &mut Synthetic) {
    let old = out.earlier("hospitals");
    let (lon, lat) = (old.number(12, "lon"), old.number(12, "lat"));
    old.set(12, "lon", ((lon + 0.0072) * 1e6).round() / 1e6);
    old.set(12, "lat", ((lat - 0.0057) * 1e6).round() / 1e6);
    let place = out.table("hospitals").place(
        "a hospital that moved 900 m",
        "moved shifted-gcj02",
        12,
        "lon",
    );
    out.twins.push(place);
    let now = out.table("schools").number(30, "students");
    out.earlier("schools")
        .set(30, "students", (now * 1.9) as i64);
    let place = out.table("schools").place(
        "a school that lost nearly half of its students",
        "students-jump",
        30,
        "students",
    );
    out.twins.push(place);
}
