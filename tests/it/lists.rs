//! One map, three lists, and what is made from a finished run, on the Jinhua inputs with large cells.

use crate::region::Region;
use anlan::danger_ledger::{self, Import};
use anlan::engine::io::table::{self, Table};
use anlan::engine::io::vector;
use anlan::fast_report::{ReportOptions, RunOpening, Wanted};
use anlan::models::danger_ledger::Date;
use anlan::progress::News;
use anlan::run::{RunOptions, run};
use anlan::sheets::{Scenario, SheetOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const PERSONS: &str = "\
代码,责任层级,姓名,职务,联系电话
330702,县级责任人,甲,副区长,0579-82000001
330702001,乡镇级责任人,乙,镇长,0579-82000002
S00001,监测责任人,丙,村民小组长,13800000000
330799001,乡镇级责任人,丁,镇长,
";

fn texts(table: &Table, name: &str) -> Vec<String> {
    let c = table.require(name).unwrap();
    table.rows.iter().map(|r| r[c].to_string()).collect()
}

fn numbers(table: &Table, name: &str) -> Vec<Option<f64>> {
    let c = table.require(name).unwrap();
    table.rows.iter().map(|r| r[c].as_f64()).collect()
}

#[test]
fn lists_reports_and_sheets_of_a_run() {
    let region = Region::new();
    std::fs::write(region.file("persons.csv"), PERSONS).unwrap();
    region.edit(|t| {
        t.replace(
            "synthetic = true",
            "synthetic = true\nresponsible = \"persons.csv\"",
        )
    });
    let out = region.file("out");
    let options = RunOptions {
        out: Some(out.clone()),
        only: ["layers", "weather", "hazard", "losses", "risk", "lists"]
            .map(str::to_owned)
            .to_vec(),
        ..RunOptions::default()
    };
    let outcome = run(&region.project(), &options, &|_: News<'_>| {}).unwrap();
    assert!(outcome.ran.contains(&"lists".to_owned()));
    let stated = &outcome.manifests.last().unwrap().stated;
    let list = table::read(&out.join("lists/risk_list.csv")).unwrap();
    assert_eq!(stated["entries"], list.rows.len());
    the_risk_list(&out, &list);
    the_other_lists(&out, &list);
    the_fast_report(&out, &region);
    the_ledger(&out, &region, &list);
    the_sheets(&out);
}

fn the_risk_list(out: &Path, list: &Table) {
    let (ids, kinds) = (texts(list, "id"), texts(list, "kind"));
    assert_eq!(
        ids.iter().collect::<BTreeSet<_>>().len(),
        ids.len(),
        "numbers are unique"
    );
    let count = |k: &str| kinds.iter().filter(|x| *x == k).count();
    let rows = |f: &str| table::read(&out.join(f)).unwrap().rows.len();
    // Every unit and township under every hazard, every site, every place.
    assert_eq!(count("unit"), rows("risk/grades.csv"));
    assert_eq!(count("township"), rows("risk/townships.csv"));
    assert_eq!(count("danger-site"), rows("layers/danger_sites.csv"));
    let flood_places = kinds
        .iter()
        .zip(texts(list, "hazard"))
        .filter(|(k, h)| *k == "place" && h == "flood")
        .count();
    assert!(flood_places >= rows("layers/shelters.csv") + rows("layers/depots.csv"));
    assert_eq!(count("hotspot"), rows("lists/hotspots.csv"));
    assert!(count("hotspot") > 0);
    let spots = table::read(&out.join("lists/hotspots.csv")).unwrap();
    assert!(
        texts(&spots, "policy")
            .iter()
            .all(|p| p.contains("一点一策"))
    );
    // Ranked: levels do not fall, and within a level people do not rise.
    let levels = numbers(list, "level");
    let people = numbers(list, "people");
    for k in 1..levels.len() {
        let (a, b) = (levels[k - 1].unwrap(), levels[k].unwrap());
        assert!(a <= b);
        assert!(
            a < b || people[k - 1].unwrap_or(-1.0) >= people[k].unwrap_or(-1.0),
            "row {k}"
        );
    }
    // Townships of a county add up to it, person by person, hazard by hazard.
    let (units, hazards) = (texts(list, "unit"), texts(list, "hazard"));
    let mut sums: BTreeMap<(String, String), [f64; 2]> = BTreeMap::new();
    for k in 0..kinds.len() {
        let at = match kinds[k].as_str() {
            "unit" => 0,
            "township" => 1,
            _ => continue,
        };
        if hazards[k] != "all" || at == 0 {
            sums.entry((units[k].clone(), hazards[k].clone()))
                .or_default()[at] += people[k].unwrap();
        }
    }
    for ((unit, hazard), [county, townships]) in sums.iter().filter(|((_, h), _)| h != "all") {
        assert_eq!(county, townships, "{unit} {hazard}");
    }
    // People of a site are those of its record; more than 100 are monitored.
    let monitored = texts(list, "monitoring");
    for k in (0..kinds.len()).filter(|&k| kinds[k] == "danger-site") {
        assert_eq!(
            monitored[k] == "是",
            people[k].unwrap() > 100.0,
            "{}",
            ids[k]
        );
    }
    // Places on the ground: degrees within Jinhua.
    let (lon, lat) = (numbers(list, "lon"), numbers(list, "lat"));
    assert!(lon.iter().flatten().all(|v| (119.0..121.0).contains(v)));
    assert!(lat.iter().flatten().all(|v| (28.4..29.8).contains(v)));
    let book = table::read(&out.join("lists/lists.xlsx")).unwrap();
    assert_eq!(book.columns[..4], ["序号", "编号", "对象类别", "对象代码"]);
    let points = vector::read_gpkg(&out.join("lists/lists.gpkg"), Some("risk_points")).unwrap();
    assert_eq!(
        points.features.len(),
        ids.len() - count("unit") - count("township")
    );
    let areas = vector::read_gpkg(&out.join("lists/lists.gpkg"), Some("hotspots")).unwrap();
    assert_eq!(areas.features.len(), count("hotspot"));
}

fn the_other_lists(out: &Path, list: &Table) {
    let r = table::read(&out.join("lists/responsibility.csv")).unwrap();
    let (codes, roles, persons, state) = (
        texts(&r, "code"),
        texts(&r, "role"),
        texts(&r, "person"),
        texts(&r, "state"),
    );
    let of = |code: &str, role: &str| {
        let k = (0..codes.len())
            .find(|&k| codes[k] == code && roles[k] == role)
            .unwrap();
        (persons[k].clone(), state[k].clone())
    };
    assert_eq!(of("330702", "unit-lead"), ("甲".into(), "已落实".into()));
    assert_eq!(
        of("330702001", "township-lead"),
        ("乙".into(), "已落实".into())
    );
    assert_eq!(of("330703", "unit-lead"), (String::new(), "未落实".into()));
    assert_eq!(of("S00001", "site-monitor").0, "丙");
    assert_eq!(
        of("S00002", "site-monitor"),
        (String::new(), "未落实".into())
    );
    let left = table::read_sheet(&out.join("lists/lists.xlsx"), Some("未匹配")).unwrap();
    assert_eq!(texts(&left, "责任人"), ["丁"]);
    // Every entry of the risk list has a measure.
    let m = table::read(&out.join("lists/measures.csv")).unwrap();
    let with: BTreeSet<String> = texts(&m, "id").into_iter().collect();
    assert!(texts(list, "id").iter().all(|id| with.contains(id)));
    let events = table::read(&out.join("lists/events.csv")).unwrap();
    let loss = numbers(&events, "direct_loss_yuan");
    assert!(loss.windows(2).all(|w| w[0] >= w[1]));
    assert_eq!(numbers(&events, "return_period_years")[0], Some(100.0));
}

fn report(out: &Path, to: &Path, reported: Option<&Path>, threads: usize) -> Table {
    let options = ReportOptions {
        opening: RunOpening::default(),
        wanted: Wanted::ReturnPeriod(50.0),
        reported: reported.map(Path::to_path_buf),
        triggers: None,
        form: None,
        to: Some(to.to_path_buf()),
        zh: true,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| anlan::fast_report::run(out, &options, &|_: News<'_>| {}))
        .unwrap();
    table::read(&to.join("fast_report.csv")).unwrap()
}

fn the_fast_report(out: &Path, region: &Region) {
    let to = region.file("report");
    let t = report(out, &to, None, 2);
    let level = texts(&t, "level");
    assert_eq!(level.iter().filter(|l| *l == "county").count(), 9);
    for column in &t.columns[3..] {
        let v = numbers(&t, column);
        // Exact in hundredths, the step of the print.
        let sum = |l: &str| -> i64 {
            let of = level.iter().zip(&v).filter(|(x, _)| *x == l);
            of.map(|(_, v)| (v.unwrap_or(0.0) * 100.0).round() as i64)
                .sum()
        };
        assert_eq!(sum("region"), sum("county"), "{column}");
        assert_eq!(sum("region"), sum("township"), "{column}");
    }
    // The second greatest of 100 years, as the list of events has it.
    let events = table::read(&out.join("lists/events.csv")).unwrap();
    let second = numbers(&events, "direct_loss_yuan")[1].unwrap();
    let told = numbers(&t, "direct_loss")[0].unwrap();
    // Four sectors, each rounded to 0.01 of 10^4 yuan.
    assert!((told - second / 1e4).abs() < 0.03, "{told} {second}");
    assert!(numbers(&t, "deaths").iter().all(Option::is_none));
    let summary = std::fs::read_to_string(to.join("summary.md")).unwrap();
    assert!(
        summary.contains("留空") && summary.contains("不得用于实际决策"),
        "{summary}"
    );
    // Reported figures beside it; the same bytes on one thread.
    let reported = region.file("reported.csv");
    std::fs::write(
        &reported,
        format!("区划代码,受灾人口,因灾死亡人口\n330700,{},0\n", 1),
    )
    .unwrap();
    let again = region.file("report1");
    report(out, &again, Some(&reported), 1);
    let c = table::read(&again.join("comparison.csv")).unwrap();
    assert_eq!(texts(&c, "flagged"), ["差异大", "模型未估算"]);
    let bytes = |d: &Path| std::fs::read(d.join("fast_report.csv")).unwrap();
    assert_eq!(bytes(&to), bytes(&again));
}

fn the_ledger(out: &Path, region: &Region, list: &Table) {
    let path = region.file("ledger.jsonl");
    danger_ledger::create(&path, "应急局", None).unwrap();
    let import = Import {
        list: out.join("lists/risk_list.csv"),
        kinds: vec!["danger-site".into(), "hotspot".into()],
        up_to_level: 4,
        on: Date::parse("2026-03-01").unwrap(),
        by: "张三".into(),
    };
    let told = danger_ledger::import(&path, &import).unwrap();
    let wanted = texts(list, "kind")
        .iter()
        .filter(|k| ["danger-site", "hotspot"].contains(&k.as_str()))
        .count();
    assert_eq!((told.registered, told.known), (wanted, 0));
    let again = danger_ledger::import(&path, &import).unwrap();
    assert_eq!(
        (again.registered, again.known, again.changed.len()),
        (0, wanted, 0)
    );
    let e = danger_ledger::import(
        &path,
        &Import {
            kinds: vec!["volcano".into()],
            ..import
        },
    )
    .unwrap_err();
    assert!(e.to_string().contains("danger-site"), "{e}");
}

fn the_sheets(out: &Path) {
    let options = |scenario, codes: &[&str]| SheetOptions {
        opening: RunOpening::default(),
        scenario,
        codes: codes.iter().map(|c| (*c).to_owned()).collect(),
        to: None,
    };
    let quiet = |_: News<'_>| {};
    let made = anlan::sheets::prompts(
        out,
        &options(Scenario::ReturnPeriod(20.0), &["330702", "330703"]),
        &quiet,
    )
    .unwrap();
    let pdf = std::fs::read(made.join("prompt.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let t = table::read(&made.join("prompt.xlsx")).unwrap();
    assert_eq!(texts(&t, "县级名称"), ["婺城区", "金东区"]);
    assert!(made.join("330702-1.png").exists() && made.join("330702-1.svg").exists());
    let svg = std::fs::read_to_string(made.join("330702-1.svg")).unwrap();
    assert!(svg.contains("婺城区灾害预警提示单") && svg.contains("20年一遇"));
    let e = anlan::sheets::prompts(out, &options(Scenario::ReturnPeriod(7.0), &[]), &quiet)
        .unwrap_err();
    assert!(e.to_string().contains("5, 20"), "{e}");
    let made = anlan::sheets::townships(
        out,
        &options(Scenario::ReturnPeriod(20.0), &["330702001"]),
        &quiet,
    )
    .unwrap();
    assert!(made.join("330702001.png").exists());
    let t = table::read(&made.join("townships.csv")).unwrap();
    let (five, twenty) = (
        numbers(&t, "at_risk_rp0005")[0],
        numbers(&t, "at_risk_rp0020")[0],
    );
    assert!(five <= twenty);
    let e = anlan::sheets::townships(
        out,
        &options(Scenario::ReturnPeriod(20.0), &["330799"]),
        &quiet,
    )
    .unwrap_err();
    assert!(e.is_input());
}

#[test]
fn persons_at_fault_stop_before_anything_is_written() {
    let region = Region::new();
    std::fs::write(
        region.file("persons.csv"),
        "代码,责任层级,姓名,职务,联系电话\n330799,县级责任人,甲,,\n330702,省级责任人,乙,,\n",
    )
    .unwrap();
    region.edit(|t| {
        t.replace(
            "synthetic = true",
            "synthetic = true\nresponsible = \"persons.csv\"",
        )
    });
    let out = region.file("out");
    let e = region.run_to(&out, 2).unwrap_err();
    assert!(e.to_string().contains("省级责任人"), "{e}");
    assert!(!out.exists());
    std::fs::write(
        region.file("persons.csv"),
        "代码,责任层级,姓名,职务,联系电话\n330799,县级责任人,甲,,\n",
    )
    .unwrap();
    let e = region.run_to(&out, 2).unwrap_err();
    assert!(
        e.to_string().contains("330799") && e.to_string().contains("row 2"),
        "{e}"
    );
}
