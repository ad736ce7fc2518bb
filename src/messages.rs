//! Messages in Chinese: the texts of the library, with their figures, by the table `messages_zh.tsv` (English, tab,
//! Chinese). In the English, `{}` stands for anything, `{n}` for a number, `{w}` for a word, `{t}` for a text that is
//! translated in turn; in the Chinese, `{}` takes them in order and `{2}` by number. A text that the table does not
//! know stays English: nothing is lost.

/// One text: the parts around its figures, and the marks of the figures.
struct Pattern {
    parts: Vec<&'static str>,
    marks: Vec<&'static str>,
    zh: &'static str,
}

/// The table.
pub struct Messages {
    patterns: Vec<Pattern>,
}

impl Messages {
    /// The compiled-in table, the texts with most letters first: they say more than those that fit anything.
    pub fn builtin() -> Self {
        let mut patterns: Vec<Pattern> = include_str!("messages_zh.tsv")
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(en, zh)| {
                let (parts, marks) = split(en);
                Pattern { parts, marks, zh }
            })
            .collect();
        patterns.sort_by_key(|p| {
            std::cmp::Reverse(p.parts.iter().map(|part| part.len()).sum::<usize>())
        });
        Messages { patterns }
    }

    /// The Chinese of a text, or the text.
    pub fn translate(&self, text: &str) -> String {
        self.known(text).unwrap_or_else(|| text.to_owned())
    }

    fn known(&self, text: &str) -> Option<String> {
        if text.contains('\n') {
            let lines: Vec<String> = text.lines().map(|line| self.translate(line)).collect();
            return Some(lines.join("\n"));
        }
        self.patterns
            .iter()
            .find_map(|p| {
                let mut figures: Vec<String> = Vec::new();
                for (mark, figure) in p.marks.iter().zip(figures_of(p, text)?) {
                    figures.push(match *mark {
                        "t" => self.translate(figure),
                        _ => figure.to_owned(),
                    });
                }
                Some(fill(p.zh, &figures))
            })
            .or_else(|| self.list(text))
    }

    /// A list of known texts, among which may stand quoted names.
    fn list(&self, text: &str) -> Option<String> {
        let quoted = |part: &str| part.starts_with('`').then(|| part.to_owned());
        let parts = text.contains(", ").then(|| {
            text.split(", ")
                .map(|p| quoted(p).or_else(|| self.known(p)))
        })?;
        Some(parts.collect::<Option<Vec<_>>>()?.join("，"))
    }
}

/// The parts of a text around its marks `{}`, `{x}`, and what stands in these.
fn split(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut parts, mut marks) = (Vec::new(), Vec::new());
    let (mut from, mut at) = (0, 0);
    while let Some(open) = text[at..].find('{').map(|i| at + i) {
        match text[open..].find('}').map(|i| open + i) {
            Some(close) if close <= open + 2 => {
                parts.push(&text[from..open]);
                marks.push(&text[open + 1..close]);
                (from, at) = (close + 1, close + 1);
            }
            _ => at = open + 1,
        }
    }
    parts.push(&text[from..]);
    (parts, marks)
}

/// What stands between the parts of a pattern, if the text is made of them in order.
fn figures_of<'t>(pattern: &Pattern, text: &'t str) -> Option<Vec<&'t str>> {
    let (first, rest) = pattern.parts.split_first()?;
    let mut left = text.strip_prefix(first)?;
    let mut found = Vec::new();
    for (i, part) in rest.iter().enumerate() {
        let at = if i + 1 == rest.len() {
            // The last part ends the text; an empty one takes all that is left.
            left.ends_with(part).then(|| left.len() - part.len())?
        } else {
            left.find(part).filter(|_| !part.is_empty())?
        };
        let figure = &left[..at];
        let fits = match pattern.marks[i] {
            "n" => number(figure),
            "w" => !figure.is_empty() && !figure.contains(' '),
            _ => true,
        };
        if !fits {
            return None;
        }
        found.push(figure);
        left = &left[at + part.len()..];
    }
    left.is_empty().then_some(found)
}

fn number(text: &str) -> bool {
    let digits = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    (digits && !text.contains(' ')) || ["inf", "NaN"].contains(&text)
}

fn fill(zh: &str, figures: &[String]) -> String {
    let (parts, marks) = split(zh);
    let mut out = parts[0].to_owned();
    for (i, (part, mark)) in parts[1..].iter().zip(marks).enumerate() {
        let number = mark.parse().unwrap_or(i + 1);
        out.push_str(&figures[number - 1]);
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flood::{self, CaseFile};
    use crate::project::{self, Project};
    use anlan_engine::io::table::Table;
    use anlan_engine::{Crs, Error, Grid};
    use anlan_models::fire::fuels::FuelTable;
    use anlan_models::flood::library::{LibraryStorm, StormLibrary};
    use anlan_models::flood::stack::DepthWeights;
    use anlan_models::relief::read_depots;
    use anlan_models::risk::RulePacks;
    use anlan_models::weather::WeatherParameters;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn pattern(en: &'static str) -> Pattern {
        let (parts, marks) = split(en);
        Pattern {
            parts,
            marks,
            zh: "",
        }
    }

    #[test]
    fn figures_are_carried_over_and_unknown_texts_stay() {
        let figures = |en, text| figures_of(&pattern(en), text);
        assert_eq!(
            figures("a number of {n} to {}", "a number of 3 to 7.5"),
            Some(vec!["3", "7.5"])
        );
        assert_eq!(figures("{} bands", "12 bands"), Some(vec!["12"]));
        assert_eq!(figures("exactly", "exactly not"), None);
        assert_eq!(figures("{n} to {n}", "away to go"), None);
        assert_eq!(figures("{w} to {n}", "a way to 5"), None);
        let two = ["3".to_owned(), "7.5".to_owned()];
        assert_eq!(fill("{}至{}的数", &two), "3至7.5的数");
        assert_eq!(fill("到{2}，自{1}", &two), "到7.5，自3");
        let m = Messages::builtin();
        assert_eq!(m.translate("no such text"), "no such text");
        assert_eq!(
            m.translate("no such text, 5 bands"),
            "no such text, 5 bands"
        );
        assert_eq!(
            m.translate("losses from fire are not assessed in screening"),
            "筛查方法不评估森林火灾损失"
        );
    }

    /// Every line has a translation that uses every figure once, and no text stands twice.
    #[test]
    fn the_table_is_whole() {
        let lines: Vec<&str> = include_str!("messages_zh.tsv").lines().collect();
        let mut seen = BTreeSet::new();
        for (n, line) in lines.iter().enumerate() {
            let (en, zh) = line.split_once('\t').expect("two columns");
            let (parts, marks) = split(en);
            let mut used: Vec<usize> = split(zh)
                .1
                .iter()
                .enumerate()
                .map(|(i, mark)| match *mark {
                    "" => i + 1,
                    number => number.parse().expect("a number"),
                })
                .collect();
            used.sort_unstable();
            assert!(
                !zh.is_empty() && used.into_iter().eq(1..=marks.len()),
                "line {}: {line}",
                n + 1
            );
            assert!(
                marks.iter().all(|m| ["", "n", "w", "t"].contains(m)),
                "line {}: {line}",
                n + 1
            );
            assert!(
                parts.concat().trim().len() > 1,
                "line {} fits anything",
                n + 1
            );
            assert!(seen.insert(en), "line {} stands twice", n + 1);
        }
    }

    /// English words of a translation, but for quoted names, keys, paths, units and commands.
    fn english(zh: &str) -> Vec<String> {
        let (mut bare, mut depth, mut quoted) = (String::new(), 0, false);
        for c in zh.chars() {
            match c {
                '`' | '"' => quoted = !quoted,
                '“' | '[' => depth += 1,
                '”' | ']' => depth -= 1,
                _ if depth == 0 && !quoted => bare.push(c),
                _ => {}
            }
        }
        bare.split(|c: char| !(c.is_ascii_alphanumeric() || "._/:".contains(c)))
            .filter(|w| w.len() > 2 && w.bytes().all(|b| b.is_ascii_lowercase()))
            .map(str::to_owned)
            .collect()
    }

    fn all_chinese(text: &str) {
        let zh = Messages::builtin().translate(text);
        assert!(
            zh.contains(|c: char| !c.is_ascii()) && english(&zh).is_empty(),
            "{text}\n-> {zh}"
        );
    }

    /// A rule pack with most faults that one may have.
    const BAD_PACK: &str = r#"
        [[pack]]
        id = "mine"
        hazard = "flood"
        object = "cows"
        title_zh = "试"
        title_en = "a trial"
        issuer = "nobody"
        year = 2026
        status = "checked"
        source = "a test"
        names_zh = ["高"]
        names_en = ["high", "low"]
        colours = [[1, 2, 3], [4, 5, 6]]
        grading = { method = "fixed", from = [0.5, 0.7] }
        combine = { method = "product", exponents = { hazard = 1.0, exposure = 1.0 } }
        environment = [0.5, -0.3]
        [pack.factor.capacity]
        weights = { method = "expert", values = [0.5, 0.3] }
        [pack.factor.hazard]
        weights = { method = "expert", values = [0.5, 0.3] }
        [[pack.indicator]]
        id = "a"
        name_zh = "甲"
        name_en = "a"
        factor = "hazard"
        layer = "hand-m"
        direction = "negative"
        [[pack.indicator]]
        id = "a"
        name_zh = "甲"
        name_en = "a"
        factor = "vulnerability"
        layer = "hand-m"
    "#;

    /// What the library really says of bad input.
    #[test]
    fn faults_of_bad_input_are_all_chinese() {
        let cells = |row: &[&str]| row.iter().map(|v| (*v).into()).collect();
        let mut depots = Table::new(&[
            "code",
            "name",
            "unit",
            "lon",
            "lat",
            "capacity_m3",
            "people_served",
        ]);
        depots
            .rows
            .push(cells(&["A", "甲库", "330702", "29.1", "119.6", "-1", "x"]));
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let template = project::TEMPLATE;
        let storms = r#"
            wetness = [{ state = "dry" }, { state = "dry", probability = 0.5 }]
            patterns = [
                { shape = "chicago", probability = 0.5 },
                { shape = "uniform", peak = 0.4, percent = [1.0] },
                { shape = "chicago", peak = 4.0 },
                { shape = "percentages", name = "My_own", percent = [1.0] },
            ]"#;
        let errors: Vec<Error> = vec![
            Project::read(&file("a.toml", "[project]\nkode = 1\n")).unwrap_err(),
            Project::read(&file(
                "b.toml",
                &template.replace("epsg = ", "epsg = \"x\" # "),
            ))
            .unwrap_err(),
            Project::read(&file(
                "c.toml",
                &template.replace("epsg = ", "epsg = 4326 # "),
            ))
            .unwrap_err(),
            Project::read(&file(
                "d.toml",
                &template.replace("recession_h = 3.0", storms),
            ))
            .unwrap_err(),
            Project::read(&file(
                "e.toml",
                &template
                    .replace("seed = ", "screening = true\nseed = ")
                    .replace(
                        "recession_h = 3.0",
                        "patterns = [{ shape = \"huff-first\" }]",
                    ),
            ))
            .unwrap_err(),
            Project::read(&dir.path().join("none.toml")).unwrap_err(),
            LibraryStorm::from_bytes(&[0; 99], Path::new("l.bin")).unwrap_err(),
            StormLibrary::new(&[], &[], 2.0).unwrap_err(),
            DepthWeights::new(&[5.0, 2.0], 2.0).unwrap_err(),
            Crs::from_epsg(2436).unwrap_err(),
            Grid::new(Crs::CGCS2000, (118.0, 30.0), (0.0, 0.1), (3, 4)).unwrap_err(),
            anlan_engine::io::table::read(&file("t.csv", "a,b\n1,2\n3,4,5\n")).unwrap_err(),
            anlan_engine::io::table::read(&file("t.doc", "x")).unwrap_err(),
            anlan_engine::io::geotiff::read_f32(&file("t.tif", "x"), 1).unwrap_err(),
            anlan_engine::io::vector::read(&file("t.geojson", "{\"type\": ")).unwrap_err(),
            Table::new(&["代码", "名称"]).require("code").unwrap_err(),
            read_depots(&depots, &BTreeSet::new()).unwrap_err(),
            WeatherParameters::from_toml("region = 3", "w.toml").unwrap_err(),
            FuelTable::parse("number,code\nx,y\n", Path::new("f.csv")).unwrap_err(),
            RulePacks::parse(BAD_PACK, Path::new("p.toml")).unwrap_err(),
            RulePacks::builtin().select("nine").unwrap_err(),
            RulePacks::builtin()
                .check_layers(&["hand-m"], &["population"])
                .unwrap_err(),
        ];
        let text = flood::TEMPLATE
            .replace("end_h = 6.0", "end_h = -1.0")
            .replace("n = 0.04", "cover = \"a.tif\"\nn = 0.04")
            .replace("depth_mm = 150.0", "return_period = 0.01")
            .replace("depth_min = 30.0", "depth_min = 0.0001")
            .replace("gauge_min = 5.0", "gauge_min = -5.0");
        let flood = CaseFile::read(&file("flood.toml", &text)).unwrap_err();
        assert_eq!(flood.faults().len(), 6);
        for error in errors.into_iter().chain([flood]) {
            assert!(!error.faults().is_empty(), "{error}");
            for f in error.faults() {
                for text in [&f.found, &f.expected, &f.remedy] {
                    // Bare values stay, and so do the lines that a parser quotes.
                    let bare = |line: &str| line.contains('|') || line.starts_with('[');
                    let told = |line: &&str| line.contains(' ') && !bare(line);
                    text.lines().filter(told).for_each(all_chinese);
                }
            }
        }
    }

    /// Every entry of the case that `new --flood` writes is one that the case file knows.
    #[test]
    fn the_flood_template_is_whole() {
        let text: Vec<&str> = flood::TEMPLATE
            .lines()
            .skip_while(|line| !line.is_empty())
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .collect();
        let case: CaseFile = toml::from_str(&text.join("\n")).unwrap();
        assert!(case.start.is_some() && case.drains.is_some() && case.drainage.is_some());
        let counts = [
            case.channel.len(),
            case.inflow.len(),
            case.boundary.len(),
            case.dyke.len(),
            case.dam.len(),
            case.culvert.len(),
            case.bridge.len(),
            case.gate.len(),
            case.pump.len(),
            case.gauge.len(),
        ];
        assert_eq!(counts, [1; 10]);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("case.toml");
        std::fs::write(&file, flood::TEMPLATE).unwrap();
        CaseFile::read(&file).unwrap();
    }

    #[test]
    fn findings_notes_and_failures_are_all_chinese() {
        for text in [
            "census.csv, row 7: found 330300 温州市: its 12 units add up to 5, 3 short, expected 8 (population 常住人口 of \
             the unit itself); look for a zone without a code, or add a row without from_code to the crosswalk",
            "census.csv: found no census row for the border unit 330702, expected one row per border unit, or a \
             crosswalk row that leads to it; add the unit to the table, or the code change to the crosswalk",
            "row 9, column 区划代码 (A9): 开发区 has no code and is left out; its people show as a shortfall of its \
             prefecture",
            "row 9 330702 婺城区: no value for `gdp_100m_yuan`, taken as 0",
            "weather parameter `storm_formula` is unverified",
            "storm of 24 h once in 100 years, 5321 cells",
            "storm of 3 h once in 5 years, 5321 cells; pattern huff-first, wet ground",
            "writing out/a.gpkg: disk I/O error",
            "creating /data/out: Permission denied (os error 13)",
            "coordinate (29.1, 119.6) in 3 of 9 features: axes swapped: latitude stands where longitude is expected",
            "3 polygon, 2 multipolygon",
            "integers, 2 of 2, 330702 to 330703",
            "0.50 of 6.00 h simulated, 350 x real time, 57 s left",
            "taken up at 3.00 h",
            "dyke 左岸: the crest lies below the ground at 3 of 60 faces; there the ground rules",
            "flood: at 12.5 s the time step fell to 3.20e-7 s (at least 0.000001 s): 912.0 m of water over a bed of -9999.0 m, \
             waves of 94 m/s in row 7, column 9. Look for a pit or a no-data value in the terrain there, and for an inflow \
             or a level in another unit",
        ] {
            all_chinese(text);
        }
    }

    /// What the exposure says of bad input, and what it tells on the way.
    #[test]
    fn texts_of_the_exposure_are_all_chinese() {
        use anlan_engine::Projector;
        use anlan_engine::io::Value;
        use anlan_engine::io::vector::{Feature, Layer};
        use anlan_models::census::buildings::BuildingTable;
        use anlan_models::census::dasymetric::{Dasymetric, Quantity};
        use anlan_models::census::economy::{Economy, EconomyColumns};
        use anlan_models::census::lifelines::LifelineTable;
        use anlan_models::census::places::PlaceTable;

        let path = Path::new("d.toml");
        let weights = include_str!("../models/standards/dasymetric.toml")
            .replace("residents = \"settled\"", "residents = \"nobody\"")
            .replace("zero_at = 15.0", "zero_at = -15.0")
            .replace("13 = 12.0", "13 = -12.0")
            .replace("share = 0.6\n", "share = 1.6\n")
            .replace("exponent = 0.5", "exponent = 50.0")
            .replace("classes = \"farm\"", "classes = \"farms\"");
        let mut lacking = Dasymetric::builtin();
        lacking.chosen.insert(Quantity::Residents, "litpop".into());
        let table = |columns: &[&str], rows: &[&[Value]]| {
            let mut t = Table::new(columns);
            t.rows = rows.iter().map(|r| r.to_vec()).collect();
            t
        };
        let text = |t: &str| Value::from(t);
        let codes = BTreeSet::from(["330702".to_string()]);
        let houses = table(
            &["区划代码", "结构类型", "层数", "栋数", "建筑面积"],
            &[
                &[
                    text("330799"),
                    text("纸板"),
                    Value::Real(0.0),
                    Value::Real(3.0),
                    Value::Real(0.0),
                ],
                &[
                    text("330702"),
                    text("砖混"),
                    Value::Real(2.0),
                    Value::Real(-3.0),
                    text("many"),
                ],
            ],
        );
        let columns = [
            "编号",
            "名称",
            "类型",
            "经度",
            "纬度",
            "人数",
            "区划代码",
            "坐标系",
        ];
        let place =
            |code: &str, kind: &str, lon: f64, lat: f64, people: f64, unit: &str, datum: &str| {
                let head = [text(code), text("甲"), text(kind)];
                let tail = [
                    lon.into(),
                    lat.into(),
                    people.into(),
                    text(unit),
                    text(datum),
                ];
                [head.to_vec(), tail.to_vec()].concat()
            };
        let shifted: Vec<Vec<Value>> = (0..6)
            .map(|n| {
                place(
                    &format!("{n}"),
                    "小学",
                    119.6540,
                    29.1,
                    5.0,
                    "330702",
                    "CGCS2000",
                )
            })
            .collect();
        let rows = [
            place("a", "游乐园", 119.6, 29.1, -5.0, "330702", "GCJ-02"),
            place("a", "小学", 29.1, 119.6, 5.0, "330702", ""),
            place("b", "小学", 139.6, 29.1, 5.0, "330702", ""),
            place("c", "小学", 119.6, 29.1, 5.0, "330702", ""),
            place("d", "小学", 119.6, 29.1, 5.0, "330702", ""),
        ];
        let crs = Crs::from_epsg(4549).unwrap();
        let (there, back) = (
            Projector::new(Crs::CGCS2000, crs),
            Projector::new(crs, Crs::CGCS2000),
        );
        let unit_at = |x: f64, y: f64| {
            let lon = back.point(x, y).0;
            (lon > 119.0 && lon < 119.65).then(|| "330702".to_string())
        };
        let read = |rows: &[Vec<Value>]| {
            let rows: Vec<&[Value]> = rows.iter().map(Vec::as_slice).collect();
            PlaceTable::builtin().read(&table(&columns, &rows), &there, &unit_at)
        };
        let line = Layer {
            source: path.into(),
            crs,
            columns: vec!["类型".into()],
            features: vec![Feature {
                geometry: geo::Geometry::Point(geo::Point::new(0.0, 0.0)),
                values: vec![text("索道")],
            }],
        };
        let economy = table(
            &["区划代码", "公路里程(公里)"],
            &[&[text("330702"), Value::Real(-1.0)]],
        );
        let dir = tempfile::tempdir().unwrap();
        let errors = [
            Dasymetric::read(&weights, path).unwrap_err(),
            Error::Input(lacking.lacking(&[], path)),
            BuildingTable::builtin()
                .read_houses(&houses, &codes)
                .unwrap_err(),
            read(&rows).unwrap_err(),
            read(&shifted).unwrap_err(),
            LifelineTable::builtin().read(&line).unwrap_err(),
            Economy::read(&economy, &EconomyColumns::builtin(), &["区划代码".into()]).unwrap_err(),
            crate::export::exposure(dir.path(), dir.path(), Default::default()).unwrap_err(),
        ];
        for error in errors {
            assert!(!error.faults().is_empty(), "{error}");
            for f in error.faults() {
                for text in [&f.found, &f.expected, &f.remedy] {
                    let told = |line: &&str| line.contains(' ') && !line.contains('|');
                    text.lines().filter(told).for_each(all_chinese);
                }
            }
        }
        for text in [
            "unit 330702: no cell has a weight for residents; spread evenly over the cells outside the mask",
            "unit 330702: 12 m² of floor in the table of houses, 1200 m² by the census",
            "cross-validation of the weights",
            "weights of 0 or more",
        ] {
            let zh = Messages::builtin().translate(text);
            assert!(
                zh != text && english(&zh).iter().all(|w| w == "residents"),
                "{zh}"
            );
        }
    }
}
