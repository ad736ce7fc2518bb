//! The hidden-danger ledger as files: a golden small one, ten thousand items, two departments.

use anlan::danger_ledger::{create, export, hand_over, load, merge_files, read_steps, take};
use anlan::engine::io::table::{self, Table};
use anlan::engine::io::{Value, vector};
use anlan::models::danger_ledger::Date;
use std::path::Path;

const STEPS: &str = "\
编号,操作,日期,经办人,部门,事由,佐证材料,责任人,整改期限,隐患名称,类别,灾种,县级代码,县级名称,乡镇代码,级别,经度,纬度,威胁人数,威胁财产_元
A1,登记,2026-01-05,张三,,,,,,坡脚民房,danger-site,geology,330702,婺城区,330702001,红,119.65,29.08,12,1800000
A1,评估,2026-01-06,张三,,现场核查,,,,,,,,,,,,,,
A1,挂账,2026-01-07,张三,,,,王五,,,,,,,,,,,,
A1,整改,2026-01-20,张三,,,,,,,,,,,,,,,,
A1,报验,2026-02-01,张三,,,照片3张,,,,,,,,,,,,,
A1,退回,2026-02-03,李四,,排水沟未完成,,,,,,,,,,,,,,
A1,延期,2026-02-04,李四,,雨季施工,,,2026-04-01,,,,,,,,,,,
B1,登记,2026-02-10,赵六,水利局,,,,,河口低洼地,hotspot,flood,330703,金东区,330703002,橙,,,240,
";

fn golden(dir: &Path) -> std::path::PathBuf {
    let steps = dir.join("steps.csv");
    std::fs::write(&steps, STEPS).unwrap();
    let ledger = dir.join("ledger.jsonl");
    create(&ledger, "应急局", None).unwrap();
    take(&ledger, read_steps(&table::read(&steps).unwrap()).unwrap()).unwrap();
    ledger
}

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    let c = table.require(name).unwrap();
    table.rows.iter().map(|r| r[c].to_string()).collect()
}

/// The file of a small ledger, byte for byte: hashes included, since nothing in it depends on a clock or a machine.
#[test]
fn a_small_ledger_is_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(golden(dir.path())).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/danger_ledger/ledger.jsonl");
    if std::env::var_os("ANLAN_REWRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected, "ANLAN_REWRITE=1 writes the file anew");
    // It reads back, and stands as the steps say.
    let ledger = load(&path).unwrap();
    let s = &ledger.standing(date("2026-04-11"))[0];
    assert_eq!(
        (
            s.state.as_str(),
            s.overdue_days,
            s.extensions,
            s.returns,
            s.responsible.as_str()
        ),
        ("extended", 10, 1, 1, "王五")
    );
}

#[test]
fn exports_tell_what_stood_on_the_date() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = golden(dir.path());
    let out = dir.path().join("export");
    export(&ledger, date("2026-02-09"), &out, true).unwrap();
    let items = table::read(&out.join("ledger.csv")).unwrap();
    assert_eq!(
        texts(&items, "item"),
        ["A1"],
        "B1 was registered a day later"
    );
    assert_eq!(texts(&items, "state_zh"), ["延期整改"]);
    assert_eq!(texts(&items, "deadline"), ["2026-04-01"]);
    let history = table::read_sheet(&out.join("ledger.xlsx"), Some("历史")).unwrap();
    assert_eq!(
        texts(&history, "操作"),
        ["登记", "评估", "挂账", "整改", "报验", "退回", "延期"]
    );
    export(&ledger, date("2026-04-11"), &out, true).unwrap();
    let book = table::read(&out.join("ledger.xlsx")).unwrap();
    assert_eq!(texts(&book, "是否超期"), ["是", "否"]);
    assert_eq!(texts(&book, "超期天数"), ["10", "0"]);
    let layer = vector::read_gpkg(&out.join("ledger.gpkg"), Some("ledger"));
    // B1 has no coordinates: its shape is missing, which a strict reader says.
    assert!(layer.unwrap_err().to_string().contains("ledger"));
    let (layer, _) = vector::read_noted(&out.join("ledger.gpkg"), Some("ledger")).unwrap();
    assert_eq!(layer.features.len(), 2);
    let counts = table::read_sheet(&out.join("ledger.xlsx"), Some("统计")).unwrap();
    assert_eq!(texts(&counts, "隐患总数"), ["1", "1", "2"]);
    assert_eq!(texts(&counts, "超期"), ["1", "0", "1"]);
    hand_over(&ledger, date("2026-04-11"), &dir.path().join("h"), true).unwrap();
    let h = table::read(&dir.path().join("h/handover.csv")).unwrap();
    assert_eq!(texts(&h, "turn_zh"), ["超期", "未挂账"]);
    let md = std::fs::read_to_string(dir.path().join("h/summary.md")).unwrap();
    assert!(md.contains("2026-02-12至2026-04-11"), "{md}");
}

#[test]
fn departments_join_their_ledgers_or_are_told_where_they_differ() {
    let dir = tempfile::tempdir().unwrap();
    let one = golden(dir.path());
    let two = dir.path().join("two.jsonl");
    std::fs::copy(&one, &two).unwrap();
    let step = |ledger: &Path, item: &str, action: &str, reason: &str| {
        let mut t = Table::new(&["item", "action", "on", "by", "reason", "evidence"]);
        t.rows.push(
            [item, action, "2026-03-01", "孙七", reason, "照片"]
                .map(Value::from)
                .to_vec(),
        );
        take(ledger, read_steps(&t).unwrap()).unwrap();
    };
    step(&one, "A1", "submit", "");
    step(&two, "B1", "assess", "踏勘");
    let merged = dir.path().join("merged.jsonl");
    assert_eq!(merge_files(&one, &two, &merged).unwrap(), 2);
    let ledger = load(&merged).unwrap();
    assert_eq!(
        (ledger.state("A1"), ledger.state("B1")),
        (Some("submitted"), Some("assessed"))
    );
    assert!(
        merge_files(&one, &two, &merged)
            .unwrap_err()
            .to_string()
            .contains("never written over")
    );
    // The other department dismissed what this one assessed.
    step(&one, "B1", "dismiss", "重复登记");
    let e = merge_files(&one, &two, &dir.path().join("m2.jsonl")).unwrap_err();
    assert_eq!(e.faults().len(), 1, "{e}");
    let text = e.to_string();
    assert!(
        text.contains("item B1, step 1")
            && text.contains("dismiss")
            && text.contains("assess by 孙七"),
        "{text}"
    );
    assert!(!dir.path().join("m2.jsonl").exists());
}

/// Ten thousand items with three steps each: registered, assessed and listed from tables, exported and handed over.
#[test]
fn ten_thousand_items() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.jsonl");
    create(&path, "市安委办", None).unwrap();
    let n = 10_000_usize;
    let mut t = Table::new(&[
        "item",
        "action",
        "on",
        "by",
        "reason",
        "responsible",
        "name",
        "unit",
        "level",
        "lon",
        "lat",
        "people",
    ]);
    for k in 0..n {
        let unit = format!("3307{:02}", k % 9);
        let base = |action: &str| {
            vec![
                Value::from(format!("N{k:05}")),
                action.into(),
                format!("2026-01-{:02}", 1 + k % 28).into(),
                "张三".into(),
                "排查".into(),
                "王五".into(),
                format!("隐患{k}").into(),
                unit.clone().into(),
                Value::Integer(1 + (k % 4) as i64),
                Value::Real(119.0 + k as f64 * 1e-4),
                Value::Real(29.0),
                Value::Integer((k % 50) as i64),
            ]
        };
        t.rows.extend(["register", "assess", "list"].map(base));
    }
    assert_eq!(take(&path, read_steps(&t).unwrap()).unwrap(), 3 * n);
    let out = dir.path().join("out");
    export(&path, date("2026-04-30"), &out, true).unwrap();
    hand_over(&path, date("2026-04-30"), &out, true).unwrap();
    let ledger = load(&path).unwrap();
    let standing = ledger.standing(date("2026-04-30"));
    assert_eq!(standing.len(), n);
    // Red ones, 30 days, are all overdue on 30 April; orange ones, 90 days, where listed on 1 to 29 January: all of them.
    let overdue = standing.iter().filter(|s| s.overdue_days > 0).count();
    assert_eq!(overdue, n / 2);
    let rows = table::read(&out.join("ledger.xlsx")).unwrap().rows.len();
    assert_eq!(rows, n);
}
