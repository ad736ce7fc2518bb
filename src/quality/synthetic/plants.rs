//! The planted faults. Each stands alone in its record, so that a check must name that very cell; what else it upsets (a sum,
//! a total) is planted with it by name.

use super::units::{self, row_of};
use super::{Made, Planted, Synthetic, rectangles};
use anlan_engine::datum::{bd09_offset, gcj02_offset};
use anlan_engine::io::Value;
use anlan_engine::io::vector::Feature;

/// A cell that another value is written into.
type Slip = (&'static str, &'static str, usize, &'static str, Value);

pub(super) fn plant(out: &mut Synthetic) {
    cells(out);
    columns(out);
    keys(out);
    sums(out);
    outliers(out);
    years(out);
    places(out);
    borders(out);
}

fn text(t: &str) -> Value {
    Value::Text(t.into())
}

impl Synthetic {
    fn planted_at(&mut self, kind: &str, what: &str, rule: &str, row: usize, field: &str) {
        let place = self.table(kind).place(what, rule, row, field);
        self.planted.push(place);
    }

    fn slip(&mut self, kind: &str, (what, rule, row, field, value): Slip) {
        self.table(kind).set(row, field, value);
        self.planted_at(kind, what, rule, row, field);
    }
}

/// What is wrong with one cell, whatever else stands in the record.
fn cells(out: &mut Synthetic) {
    let schools = out.table("schools");
    let (students, name) = (
        schools.get(50, "students").to_string(),
        schools.get(51, "name").to_string(),
    );
    let wide: String = students
        .chars()
        .map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap_or(c))
        .collect();
    let (unit, opened) = (
        schools.get(52, "unit").to_string(),
        schools.get(53, "opened").to_string(),
    );
    let thousands = "1,024";
    let split = format!("{}\u{200B}{}", &name[..6], &name[6..]);
    let year_first = opened.replacen('-', "年", 1).replacen('-', "月", 1) + "日";
    for slip in [
        (
            "full-width digits",
            "full-width",
            50,
            "students",
            Value::Text(wide),
        ),
        (
            "a zero-width space in a name",
            "non-printing",
            51,
            "name",
            Value::Text(split),
        ),
        (
            "a code stored as a float",
            "float-code",
            52,
            "unit",
            Value::Text(format!("{unit}.0")),
        ),
        (
            "a date in Chinese form",
            "date-form",
            53,
            "opened",
            Value::Text(year_first),
        ),
        (
            "an error of Excel",
            "excel-error",
            54,
            "floor_area",
            text("#DIV/0!"),
        ),
        (
            "a name read in the wrong encoding",
            "misread",
            55,
            "name",
            text("鍚堟垚灏忓"),
        ),
        ("text for a number", "type", 56, "students", text("约200")),
        (
            "a required cell left blank",
            "required",
            57,
            "students",
            Value::Null,
        ),
        (
            "a kind that is in no list",
            "unlisted",
            58,
            "kind",
            text("补习班"),
        ),
        (
            "a code one digit short",
            "identifier",
            59,
            "code",
            text("990000060"),
        ),
        (
            "a day that no calendar has",
            "impossible-date",
            60,
            "opened",
            text("2013-02-29"),
        ),
        (
            "a year of the eleventh century",
            "early-date",
            61,
            "opened",
            text("1018-09-01"),
        ),
        (
            "a credit code with a wrong check",
            "credit-code",
            63,
            "credit_code",
            text("129901010000000641"),
        ),
        (
            "more boarders than students",
            "boarders-part",
            65,
            "boarders",
            Value::Integer(9000),
        ),
        (
            "boarders of a kindergarten",
            "kindergarten-boarders",
            67,
            "boarders",
            Value::Integer(30),
        ),
        (
            "a school outside the region",
            "outside-region",
            68,
            "unit",
            text("330102001"),
        ),
        (
            "a unit that no table has",
            "school-unit",
            69,
            "unit",
            text("990101077"),
        ),
        (
            "a code in scientific notation",
            "scientific-code",
            70,
            "unit",
            text("9.90101E+08"),
        ),
        (
            "a code of eight digits",
            "division-code",
            71,
            "unit",
            text("99010100"),
        ),
        (
            "an apostrophe before a number",
            "apostrophe",
            72,
            "students",
            Value::Text(format!("'{students}")),
        ),
    ] {
        out.slip("schools", slip);
    }
    // Students that came from another row must not upset its quotients.
    for (row, field) in [(72, "floor_area"), (72, "staff"), (72, "boarders")] {
        let value = out.table("schools").get(50, field).clone();
        out.table("schools").set(row, field, value);
    }
    out.table("schools").set(61, "founded", 1017_i64);
    let kind = out.table("schools").get(50, "kind").clone();
    out.table("schools").set(72, "kind", kind);
    let before = students.parse::<i64>().unwrap_or(0);
    let old = out.earlier("schools");
    old.set(72, "students", before);
    old.set(59, "code", "990000060");
    // In its county, in no township.
    old.set(69, "lon", 100.213_701);
    old.set(69, "lat", 40.253_703);
    let schools = out.table("schools");
    schools.set(69, "lon", 100.213_701);
    schools.set(69, "lat", 40.253_703);
    out.planted_at(
        "units",
        "a school that its county has and no township",
        "children-counts",
        row_of(0) - 1,
        "schools",
    );
    out.earlier("schools").set(61, "founded", 1017_i64);
    let hospitals = out.table("hospitals");
    let name = hospitals.get(40, "name").to_string();
    hospitals.set(42, "staff", 1024_i64);
    hospitals.set(42, "beds", 800_i64);
    hospitals.set(42, "grade", "三级");
    hospitals.set(42, "kind", "医院");
    for slip in [
        (
            "spaces around a name",
            "spaces",
            40,
            "name",
            Value::Text(format!("  {name} ")),
        ),
        (
            "a dash in place of beds",
            "placeholder",
            41,
            "icu_beds",
            text("—"),
        ),
        (
            "commas between thousands",
            "thousands-separator",
            42,
            "staff",
            text(thousands),
        ),
        (
            "a date after the census",
            "future-date",
            43,
            "opened",
            text("2021-03-01"),
        ),
        (
            "a telephone number one digit short",
            "phone",
            44,
            "phone",
            text("1380013800"),
        ),
        (
            "more intensive care than beds",
            "icu-part",
            45,
            "icu_beds",
            Value::Integer(900),
        ),
        (
            "a grade that the beds do not bear out",
            "third-grade-beds",
            47,
            "beds",
            Value::Integer(21),
        ),
    ] {
        out.slip("hospitals", slip);
    }
    let hospitals = out.table("hospitals");
    hospitals.set(47, "grade", "三级");
    for (field, value) in [
        ("staff", 27),
        ("doctors", 9),
        ("nurses", 12),
        ("icu_beds", 0),
    ] {
        hospitals.set(47, field, i64::from(value));
    }
    out.earlier("hospitals").set(47, "beds", 20_i64);
    out.earlier("hospitals").set(42, "beds", 790_i64);
    let homes = out.table("homes");
    // The row of totals goes with the planted figures.
    let total = homes.rows.len() - 1;
    let disabled = homes.number(total, "disabled") - homes.number(22, "disabled") + 4000.0;
    let all_staff = homes.number(total, "staff") - homes.number(23, "staff");
    homes.set(total, "disabled", disabled as i64);
    homes.set(total, "staff", all_staff as i64);
    let staff = homes.get(20, "staff").to_string();
    let mut id = homes.get(21, "head_id").to_string();
    let last = id.pop();
    id.push(if last == Some('1') { '2' } else { '1' });
    for slip in [
        (
            "a unit behind a number",
            "number-with-unit",
            20,
            "staff",
            Value::Text(format!("{staff}人")),
        ),
        (
            "a citizen's number with a wrong check",
            "citizen-id",
            21,
            "head_id",
            Value::Text(id),
        ),
        (
            "more disabled than residents",
            "disabled-part",
            22,
            "disabled",
            Value::Integer(4000),
        ),
        (
            "residents without staff",
            "residents-staff",
            23,
            "staff",
            Value::Integer(0),
        ),
    ] {
        out.slip("homes", slip);
    }
    let b = out.table("buildings");
    let rows = |want: &str, b: &Made| -> Vec<usize> {
        (100..b.rows.len())
            .filter(|r| *b.get(*r, "use") == want.into())
            .collect()
    };
    let (rural, urban, works) = (
        rows("农村住宅", b),
        rows("城镇住宅", b),
        rows("工业建筑", b),
    );
    let built = b.get(urban[4], "built").as_f64().unwrap_or(2000.0) as i64;
    for slip in [
        (
            "storeys with decimals",
            "whole-number",
            rural[0],
            "storeys",
            Value::Real(2.5),
        ),
        (
            "three hundred storeys",
            "range",
            urban[0],
            "storeys",
            Value::Integer(300),
        ),
        (
            "storeys below zero",
            "range",
            rural[2],
            "storeys",
            Value::Integer(-2),
        ),
        (
            "another name of a structure",
            "alias",
            urban[1],
            "structure",
            text("钢混"),
        ),
        (
            "a house of earth with nine storeys",
            "earthen-storeys",
            rural[3],
            "storeys",
            Value::Integer(9),
        ),
        (
            "households in a factory",
            "dwelling-households",
            works[0],
            "households",
            Value::Integer(12),
        ),
        (
            "retrofitted before it was built",
            "retrofit-order",
            urban[4],
            "retrofitted",
            Value::Integer(built - 3),
        ),
        (
            "a building with the code of its county",
            "code-level",
            rural[5],
            "unit",
            text("990101"),
        ),
    ] {
        out.slip("buildings", slip);
    }
    let b = out.table("buildings");
    for (row, storeys) in [
        (rural[0], 2.5),
        (urban[0], 300.0),
        (rural[2], -2.0),
        (rural[3], 9.0),
    ] {
        // Height, floor area and value go with the storeys, so that they alone are wrong.
        b.set(row, "height", Value::Null);
        let ground = b.number(row, "ground_area");
        b.set(
            row,
            "floor_area",
            (ground * f64::max(storeys, 1.0) * 10.0).round() / 10.0,
        );
        b.set(row, "value", Value::Null);
    }
    b.set(rural[3], "structure", "土石结构");
    b.set(rural[5], "lon", 100.051_231);
    b.set(rural[5], "lat", 40.051_237);
    let e = out.table("shelters");
    let people = e.number(30, "capacity");
    for slip in [
        (
            "half a square metre for a person",
            "area-per-person",
            30,
            "area",
            Value::Real((people * 5.0).round() / 10.0),
        ),
        (
            "more effective area than ground",
            "effective-part",
            31,
            "area",
            Value::Real(e.number(31, "site_area") + 12.0),
        ),
        (
            "a long stay without water",
            "long-term-water",
            32,
            "water",
            text("没有"),
        ),
    ] {
        out.slip("shelters", slip);
    }
    out.table("shelters").set(31, "capacity", 3000_i64);
    out.table("shelters").set(31, "site_area", 9000.0);
    out.table("shelters").set(31, "area", 9012.0);
    for slip in [
        (
            "a small site with many people",
            "small-scale",
            30,
            "people",
            Value::Integer(180),
        ),
        (
            "open, with a day of closing",
            "open-status",
            31,
            "closed",
            text("2019-05-06"),
        ),
        (
            "closed, without a day",
            "closed-status",
            36,
            "closed",
            Value::Null,
        ),
        (
            "many people and no monitoring",
            "monitored-sites",
            32,
            "monitored",
            text("否"),
        ),
        (
            "due before it was found",
            "found-due",
            33,
            "due",
            text("1999-06-30"),
        ),
    ] {
        out.slip("sites", slip);
    }
    let s = out.table("sites");
    for (row, people, households, scale, monitored) in
        [(30, 180, 60, "小型", "是"), (32, 150, 50, "中型", "否")]
    {
        s.set(row, "people", i64::from(people));
        s.set(row, "households", i64::from(households));
        s.set(row, "scale", scale);
        s.set(row, "monitored", monitored);
    }
    for row in [31, 32, 33] {
        if s.get(row, "status").to_string() != "在册" {
            s.set(row, "status", "在册");
            if row != 31 {
                s.set(row, "closed", Value::Null);
            }
        }
    }
    s.set(36, "status", "已销号");
    let d = out.table("disasters");
    let (start, affected) = (
        d.get(20, "start").to_string(),
        d.number(21, "affected") as i64,
    );
    let before = format!("{}-01-05", &start[..4]);
    let loss = d.number(24, "loss");
    for slip in [
        (
            "ended before it began",
            "start-end",
            20,
            "end",
            Value::Text(before),
        ),
        (
            "more dead than affected",
            "casualties-part",
            21,
            "deaths",
            Value::Integer(affected + 5),
        ),
        (
            "more crops lost than damaged",
            "lost-crops",
            22,
            "crops_lost",
            Value::Real(9999.0),
        ),
        (
            "central and dispersed are not all",
            "relocated-sum",
            23,
            "relocated",
            Value::Integer(7),
        ),
        (
            "sectors do not add up to the loss",
            "loss-sum",
            24,
            "loss",
            Value::Real(((loss + 3.0) * 100.0).round() / 100.0),
        ),
    ] {
        out.slip("disasters", slip);
    }
    out.table("disasters").set(23, "relocated_central", 30_i64);
    out.table("disasters")
        .set(23, "relocated_dispersed", 11_i64);
    let (from, length) = (
        out.table("roads").number(10, "from_km"),
        out.table("roads").number(10, "length"),
    );
    out.slip(
        "roads",
        (
            "a length that the stakes do not bear out",
            "stakes-length",
            10,
            "to_km",
            Value::Real(((from + length + 0.5) * 1000.0).round() / 1000.0),
        ),
    );
    out.slip(
        "bridges",
        (
            "a span longer than the bridge",
            "span-part",
            10,
            "span",
            Value::Real(1200.0),
        ),
    );
    let crest = out.table("reservoirs").number(10, "crest_level");
    out.slip(
        "reservoirs",
        (
            "a flood above the crest",
            "levels-3",
            10,
            "crest_level",
            Value::Real(crest - 30.0),
        ),
    );
    out.slip(
        "reservoirs",
        (
            "more capacity than its class",
            "small-2-capacity",
            11,
            "capacity",
            Value::Real(640.0),
        ),
    );
    out.table("reservoirs").set(11, "scale", "小(2)型");
}

/// Columns that miss, stand twice, are unknown or in another unit.
fn columns(out: &mut Synthetic) {
    let header = |t: &Made, what: &str, rule: &str, column: Option<usize>| Planted {
        what: what.into(),
        rule: rule.into(),
        file: t.file.into(),
        sheet: t.sheet.into(),
        row: Some(t.titles.len()),
        column,
    };
    let dykes = out.table("dykes");
    let gone = dykes.column("length");
    dykes.header.remove(gone);
    dykes.fields.remove(gone);
    for row in &mut dykes.rows {
        row.remove(gone);
    }
    let place = header(
        dykes,
        "a required column is missing",
        "missing-column",
        None,
    );
    out.planted.push(place);
    let depots = out.table("depots");
    for (name, value) in [("幸福指数", "5"), ("建筑面积", "100")] {
        depots.header.push(name.into());
        depots.fields.push("");
        for row in &mut depots.rows {
            row.push(value.into());
        }
    }
    let n = depots.header.len();
    let unknown = header(
        depots,
        "a column that is not known",
        "unknown-column",
        Some(n - 2),
    );
    let twice = header(
        depots,
        "a column of a field for the second time",
        "duplicate-column",
        Some(n - 1),
    );
    let reservoirs = out.table("reservoirs");
    let column = reservoirs.column("catchment");
    reservoirs.header[column] = "集水面积（公顷）".into();
    for row in 0..reservoirs.rows.len() {
        let hectares = (reservoirs.number(row, "catchment") * 100.0).round();
        reservoirs.set(row, "catchment", hectares);
    }
    let unit = header(
        reservoirs,
        "a column in hectares",
        "column-unit",
        Some(column),
    );
    out.planted.extend([unknown, twice, unit]);
}

/// Records that stand twice, wrong parents, a wrong row of totals.
fn keys(out: &mut Synthetic) {
    let sites = out.table("sites");
    let code = sites.get(60, "code").clone();
    out.slip(
        "sites",
        (
            "a code that another record has",
            "duplicate-key",
            61,
            "code",
            code,
        ),
    );
    let bridges = out.table("bridges");
    let row = bridges.rows[15].clone();
    bridges.rows.push(row);
    let last = bridges.rows.len() - 1;
    out.planted_at("bridges", "a row twice", "identical-row", last, "code");
    let sites = out.table("sites");
    let mut again = sites.rows[62].clone();
    again[0] = Value::Text(format!("{}009901", &again[0].to_string()[..6]));
    let lat = sites.column("lat");
    again[lat] = Value::Real(((sites.number(62, "lat") + 0.000_36) * 1e6).round() / 1e6);
    sites.rows.push(again);
    let last = sites.rows.len() - 1;
    out.planted_at(
        "sites",
        "one object under two codes, 40 m apart",
        "near-duplicate",
        last,
        "name",
    );
    let shelters = out.table("shelters");
    let total = shelters.rows.len() - 1;
    let sum: f64 = (0..total).map(|r| shelters.number(r, "capacity")).sum();
    shelters.set(total, "capacity", (sum + 100.0) as i64);
    out.planted_at(
        "shelters",
        "a row of totals that is off",
        "total-row",
        total,
        "capacity",
    );
    // The places of shelters changed with the planted capacities: the units follow.
    for (row, value) in shelter_places(out) {
        out.table("units").set(row, "shelter_places", value);
    }
    out.slip(
        "units",
        (
            "the parent of another county",
            "parent-code",
            row_of(15),
            "parent",
            text("990105"),
        ),
    );
    let units = out.table("units");
    let width = units.fields.len();
    let mut stray = vec![Value::Integer(0); width];
    for (field, value) in [
        ("code", text("990109001")),
        ("name", text("合成无县乡")),
        ("parent", text("990109")),
        ("year", Value::Integer(2020)),
        ("area", Value::Null),
    ] {
        stray[units.column(field)] = value;
    }
    units.rows.push(stray);
    let last = units.rows.len() - 1;
    out.planted_at(
        "units",
        "a township whose county is not in the table",
        "parent-missing",
        last,
        "code",
    );
}

/// Places in shelters of every unit, by row of the table of units.
fn shelter_places(out: &Synthetic) -> Vec<(usize, i64)> {
    let shelters = &out.tables[out.index("shelters", false)];
    let units = &out.tables[out.index("units", false)];
    let stem = |code: &str| -> String {
        match code.len() {
            6 if code.ends_with("0000") => code[..2].into(),
            6 if code.ends_with("00") => code[..4].into(),
            _ => code.into(),
        }
    };
    (0..units.rows.len())
        .map(|row| {
            let stem = stem(&units.get(row, "code").to_string());
            let sum: f64 = (0..shelters.rows.len())
                .filter(|r| shelters.get(*r, "unit").to_string().starts_with(&stem))
                .map(|r| shelters.number(r, "capacity"))
                .sum();
            (row, sum as i64)
        })
        .collect()
}

/// Figures of the province that its parts do not bear out, and what they upset.
fn sums(out: &mut Synthetic) {
    // Schools and beds by the tables as they stand now, faults included: only the planted figure is off.
    let (mut schools, mut beds) = (Vec::new(), Vec::new());
    for (kind, field, list) in [
        ("schools", "", &mut schools),
        ("hospitals", "beds", &mut beds),
    ] {
        let table = &out.tables[out.index(kind, false)];
        let units = &out.tables[out.index("units", false)];
        for row in 0..units.rows.len() {
            let code = units.get(row, "code").to_string();
            let stem = match code.len() {
                6 if code.ends_with("0000") => &code[..2],
                6 if code.ends_with("00") => &code[..4],
                _ => &code[..],
            };
            let inside = (0..table.rows.len()).filter(|r| {
                let unit = table.get(*r, "unit").to_string();
                let unit = unit.trim_end_matches(".0");
                unit.starts_with(stem) && [6, 9, 12].contains(&unit.len())
            });
            list.push(match field {
                "" => inside.count() as i64,
                f => inside.map(|r| table.number(r, f) as i64).sum(),
            });
        }
    }
    // A record with a unit that no table has counts for the county above it only; its township's row does not exist.
    let units = out.table("units");
    for row in 0..units.rows.len() {
        units.set(row, "schools", schools[row]);
        units.set(row, "hospital_beds", beds[row]);
    }
    let add = |out: &mut Synthetic, field: &'static str, by: i64| {
        let value = out.table("units").number(0, field) as i64 + by;
        out.table("units").set(0, field, value);
    };
    add(out, "male", 100);
    out.planted_at(
        "units",
        "men and women are not all",
        "sexes",
        0,
        "population",
    );
    out.planted_at(
        "units",
        "men of the prefectures are not those of the province",
        "children-counts",
        0,
        "male",
    );
    add(out, "age_65_plus", 5000);
    out.planted_at("units", "ages are not all", "ages", 0, "population");
    out.planted_at(
        "units",
        "the old of the prefectures are not those of the province",
        "children-counts",
        0,
        "age_65_plus",
    );
    add(out, "hospital_beds", 77);
    out.planted_at(
        "units",
        "beds that the table of hospitals does not bear out",
        "beds-total",
        0,
        "hospital_beds",
    );
    let households = out.table("units").number(0, "households") as i64;
    out.table("units").set(0, "households", households * 10);
    out.planted_at(
        "units",
        "a third of a person in a household",
        "household-size",
        0,
        "population",
    );
    out.planted_at(
        "units",
        "households of the prefectures are not those of the province",
        "children-counts",
        0,
        "households",
    );
}

/// Slips of units and values far from all others.
fn outliers(out: &mut Synthetic) {
    let row = row_of(28);
    let product = out.table("units").number(row, "gdp") as i64;
    out.slip(
        "units",
        (
            "a product in yuan",
            "unit-slip",
            row,
            "gdp",
            Value::Integer(product * 10_000),
        ),
    );
    let county = row_of(20) - 1;
    out.planted_at(
        "units",
        "the product of the county is not that of its townships",
        "children-product",
        county,
        "gdp",
    );
    let b = out.table("buildings");
    let rural: Vec<usize> = (200..b.rows.len())
        .filter(|r| *b.get(*r, "use") == "农村住宅".into())
        .collect();
    let (area, value) = (
        b.number(rural[10], "floor_area"),
        b.number(rural[11], "value"),
    );
    b.set(rural[10], "value", Value::Null);
    out.slip(
        "buildings",
        (
            "an area a thousand times too great",
            "unit-slip",
            rural[10],
            "floor_area",
            Value::Real(area * 1000.0),
        ),
    );
    out.slip(
        "buildings",
        (
            "a value in yuan",
            "unit-slip",
            rural[11],
            "value",
            Value::Real(value * 10_000.0),
        ),
    );
    let h = out.table("hospitals");
    let row = (60..h.rows.len())
        .find(|r| *h.get(*r, "kind") == "乡镇卫生院".into())
        .unwrap_or(60);
    let beds = h.number(row, "beds") as i64;
    out.slip(
        "hospitals",
        (
            "forty times the staff of its beds",
            "staff-per-bed",
            row,
            "staff",
            Value::Integer(beds * 45),
        ),
    );
    let s = out.table("schools");
    let row = (90..s.rows.len())
        .find(|r| *s.get(*r, "kind") == "小学".into())
        .unwrap_or(90);
    let students = s.number(row, "students");
    out.slip(
        "schools",
        (
            "a hundred m² for a pupil",
            "area-per-student",
            row,
            "floor_area",
            Value::Real((students * 140.0).round()),
        ),
    );
    out.table("schools")
        .set(row, "site_area", (students * 300.0).round());
    let d = out.table("disasters");
    let affected = d.number(40, "affected");
    let parts: f64 = [
        "loss_housing",
        "loss_farming",
        "loss_industry",
        "loss_works",
    ]
    .iter()
    .map(|f| d.number(40, f))
    .sum();
    let services = (affected * 60.0).round();
    d.set(40, "loss_services", services);
    out.slip(
        "disasters",
        (
            "a loss of 600,000 yuan a head",
            "loss-per-head",
            40,
            "loss",
            Value::Real(((parts + services) * 100.0).round() / 100.0),
        ),
    );
}

/// Jumps and what is gone since the earlier year.
fn years(out: &mut Synthetic) {
    let row = row_of(42);
    let before = out.table("units").number(row, "population");
    out.earlier("units")
        .set(row, "population", (before * 0.3) as i64);
    out.planted_at(
        "units",
        "three times the people of ten years ago",
        "population-jump",
        row,
        "population",
    );
    let row = row_of(43);
    let area = out.table("units").number(row, "area");
    out.earlier("units")
        .set(row, "area", (area * 8.0).round() / 10.0);
    out.planted_at(
        "units",
        "an area that grew by a quarter",
        "area-changed",
        row,
        "area",
    );
    let students = out.table("schools").number(80, "students");
    out.earlier("schools")
        .set(80, "students", (students * 6.0) as i64);
    out.planted_at(
        "schools",
        "a sixth of last year's students",
        "students-jump",
        80,
        "students",
    );
    out.earlier("schools").set(81, "founded", 1951_i64);
    out.table("schools").set(81, "founded", 1961_i64);
    out.table("schools").set(81, "opened", "1970-09-01");
    out.planted_at(
        "schools",
        "another year of foundation than last year",
        "founded-changed",
        81,
        "founded",
    );
    let old = out.earlier("schools");
    let mut gone = old.rows[0].clone();
    let at = old.column("code");
    gone[at] = text("9900099999");
    let at = old.column("name");
    gone[at] = text("合成撤并小学");
    old.rows.push(gone);
    let place = old.place(
        "a school that is gone",
        "vanished",
        old.rows.len() - 1,
        "code",
    );
    out.planted.push(place);
    let h = out.table("hospitals");
    let (lon, lat) = (h.number(70, "lon"), h.number(70, "lat"));
    let (dx, dy) = bd09_offset(lon, lat);
    let micro = |v: f64| Value::Real((v * 1e6).round() / 1e6);
    h.set(70, "lon", micro(lon + dx));
    h.set(70, "lat", micro(lat + dy));
    out.planted_at(
        "hospitals",
        "last year's place with the offset of BD-09",
        "shifted-bd09",
        70,
        "lon",
    );
    let old = out.earlier("hospitals");
    let lat = old.number(71, "lat");
    // Within its township, which is 27 km high.
    old.set(
        71,
        "lat",
        ((lat
            + if (lat * 4.0).fract() < 0.5 {
                0.07
            } else {
                -0.07
            })
            * 1e6)
            .round()
            / 1e6,
    );
    out.planted_at(
        "hospitals",
        "8 km from last year's place",
        "moved",
        71,
        "lon",
    );
}

/// Coordinates.
fn places(out: &mut Synthetic) {
    let b = out.table("buildings");
    let n = b.rows.len();
    let rows: Vec<usize> = (n - 40..n).collect();
    let (lon, lat) = (b.get(rows[0], "lon").clone(), b.get(rows[0], "lat").clone());
    b.set(rows[0], "lat", lon);
    out.slip(
        "buildings",
        (
            "longitude and latitude swapped",
            "swapped-place",
            rows[0],
            "lon",
            lat,
        ),
    );
    out.table("buildings").set(rows[1], "lat", 4_435_219.0);
    out.slip(
        "buildings",
        (
            "metres in place of degrees",
            "projected-place",
            rows[1],
            "lon",
            Value::Real(463_275.0),
        ),
    );
    out.slip(
        "buildings",
        (
            "a digit of the longitude is missing",
            "outside-country",
            rows[2],
            "lon",
            Value::Real(10.051_237),
        ),
    );
    out.table("buildings").set(rows[3], "lat", Value::Null);
    out.slip(
        "buildings",
        (
            "no coordinates",
            "missing-place",
            rows[3],
            "lon",
            Value::Null,
        ),
    );
    out.slip(
        "buildings",
        (
            "one coordinate missing",
            "half-place",
            rows[4],
            "lat",
            Value::Null,
        ),
    );
    let townships = units::townships();
    let at = |out: &mut Synthetic, row: usize| {
        let code = out.table("buildings").get(row, "unit").to_string();
        let found = townships.iter().find(|t| t.code == code);
        found.map_or([0.0; 4], |t| t.at)
    };
    let box5 = at(out, rows[5]);
    out.table("buildings")
        .set(rows[5], "lat", ((box5[1] + 0.1) * 100.0).round() / 100.0);
    let middle = ((box5[0] + 0.04) * 100.0).round() / 100.0;
    out.slip(
        "buildings",
        (
            "two decimals of a degree",
            "coarse-place",
            rows[5],
            "lon",
            Value::Real(middle),
        ),
    );
    let box6 = at(out, rows[6]);
    let text_of = |v: f64| {
        let (d, rest) = (v.floor(), (v - v.floor()) * 60.0);
        let (m, s) = (
            rest.floor(),
            ((rest - rest.floor()) * 60.0).round().min(59.0),
        );
        (d, m, s)
    };
    let (d, m, s) = text_of(box6[0] + 0.041);
    out.slip(
        "buildings",
        (
            "degrees, minutes and seconds",
            "degree-text",
            rows[6],
            "lon",
            Value::Text(format!("{d}°{m:02}′{s:02}″")),
        ),
    );
    // Packed degrees must fall outside the township, unpacked ones inside: a fraction well above the minutes' sixtieth does.
    let t = &townships[68];
    let ((d, m, s), (e, k, l)) = (text_of(t.at[0] + 0.041), text_of(t.at[1] + 0.121));
    let row = rows[7];
    let b = out.table("buildings");
    b.set(row, "unit", t.code.as_str());
    b.set(row, "lat", Value::Text(format!("{e}.{k:02}{l:02}13")));
    out.slip(
        "buildings",
        (
            "minutes and seconds behind the point",
            "packed-degrees",
            row,
            "lon",
            Value::Text(format!("{d}.{m:02}{s:02}17")),
        ),
    );
    let row = rows[8];
    let b = out.table("buildings");
    b.set(row, "unit", townships[12].code.as_str());
    b.set(row, "lat", townships[80].at[1] + 0.100_003);
    out.slip(
        "buildings",
        (
            "a place in another county",
            "outside-unit",
            row,
            "lon",
            Value::Real(townships[80].at[0] + 0.041_237),
        ),
    );
    let (lon, lat, unit) = (
        out.table("buildings").get(rows[9], "lon").clone(),
        out.table("buildings").get(rows[9], "lat").clone(),
        out.table("buildings").get(rows[9], "unit").clone(),
    );
    out.table("buildings").set(rows[10], "lat", lat);
    out.table("buildings").set(rows[10], "unit", unit);
    out.slip(
        "buildings",
        (
            "the coordinates of the row above",
            "same-place",
            rows[10],
            "lon",
            lon,
        ),
    );
    // Depots of one county by a web map: those near the eastern border come out beyond it.
    let county: Vec<usize> = (0..townships.len())
        .filter(|i| townships[*i].code.starts_with("990204"))
        .collect();
    for (k, i) in county.into_iter().take(7).enumerate() {
        let row = rows[12 + k];
        let t = &townships[i];
        let (lon, lat) = (
            t.at[2] - 0.000_701 - 1e-5 * k as f64,
            t.at[1] + 0.12 + 0.011 * k as f64,
        );
        let (dx, dy) = gcj02_offset(lon, lat);
        let micro = |v: f64| Value::Real((v * 1e6).round() / 1e6);
        let b = out.table("buildings");
        b.set(row, "unit", t.code.as_str());
        b.set(row, "lat", micro(lat + dy));
        out.slip(
            "buildings",
            (
                "coordinates of a web map",
                "shifted-gcj02",
                row,
                "lon",
                micro(lon + dx),
            ),
        );
    }
}

/// Borders that do not fit the table.
fn borders(out: &mut Synthetic) {
    let code = |f: &Feature| f.values[0].to_string();
    let gone = units::townships()[88].code.clone();
    out.borders.features.retain(|f| code(f) != gone);
    out.planted_at(
        "units",
        "a township without a border",
        "row-without-border",
        row_of(88),
        "code",
    );
    out.borders.features.push(Feature {
        geometry: rectangles(&[[102.1, 40.0, 102.2, 40.2]], &[]),
        values: vec![text("990205099"), text("合成界外乡")],
    });
    let units = out.table("units");
    let place = Planted {
        what: "a border without a township".into(),
        rule: "border-without-row".into(),
        file: units.file.into(),
        sheet: String::new(),
        row: None,
        column: None,
    };
    out.planted.push(place);
    out.slip(
        "units",
        (
            "another name than the border's",
            "border-name",
            row_of(90),
            "name",
            text("合成改名乡"),
        ),
    );
}
