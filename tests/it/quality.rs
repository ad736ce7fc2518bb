//! Data quality: every planted fault is found in its very cell, clean twins raise no alarm, and the known faults of the
//! Zhejiang census are told.

use anlan::engine::io::Value;
use anlan::engine::io::table::{read, read_raw, sheet_names};
use anlan::models::census::quality::{CellAt, Finding, Severity};
use anlan::quality::synthetic::{Planted, make};
use anlan::quality::{Outcome, QualityOptions, run};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn options(zh: bool) -> QualityOptions {
    QualityOptions { out: None, zh }
}

/// File, sheet and cell of a finding, as the lists of planted faults have them.
type Place = (String, String, Option<usize>, Option<usize>);

fn places(case: &Path, outcome: &Outcome) -> Vec<(Place, Finding)> {
    // The order of tables in the case file, those of the earlier year behind them.
    let text = fs::read_to_string(case).unwrap();
    let file: toml::Table = toml::from_str(&text).unwrap();
    let entry = |t: &toml::Value, key: &str| {
        t.get(key)
            .and_then(toml::Value::as_str)
            .unwrap_or("")
            .to_string()
    };
    let tables = file["table"].as_array().unwrap();
    let mut files: Vec<(String, String)> = tables
        .iter()
        .map(|t| (entry(t, "file"), entry(t, "sheet")))
        .collect();
    files.extend(
        (tables.iter().filter(|t| t.get("earlier").is_some()))
            .map(|t| (entry(t, "earlier"), entry(t, "earlier_sheet"))),
    );
    let of = |at: CellAt| {
        let (file, sheet) = files[at.table].clone();
        (file, sheet, at.row, at.column)
    };
    let findings = &outcome.inspection.findings;
    findings.iter().map(|f| (of(f.at), f.clone())).collect()
}

fn place_of(p: &Planted) -> Place {
    (p.file.clone(), p.sheet.clone(), p.row, p.column)
}

#[test]
fn every_planted_fault_is_found_in_its_cell() {
    let dir = tempfile::tempdir().unwrap();
    let census = make(4000, true);
    census.write(dir.path()).unwrap();
    let case = dir.path().join("quality.toml");
    let outcome = run(&case, &options(true), &|_| {}).unwrap();
    let found = places(&case, &outcome);
    let mut missed = Vec::new();
    for p in &census.planted {
        let place = place_of(p);
        if !found.iter().any(|(at, f)| *at == place && f.rule == p.rule) {
            let there: Vec<&str> = (found.iter().filter(|(at, _)| *at == place))
                .map(|(_, f)| f.rule.as_str())
                .collect();
            missed.push(format!(
                "{} ({}) at {place:?}, found there: {there:?}",
                p.what, p.rule
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let kinds: BTreeSet<&str> = census.planted.iter().map(|p| p.rule.as_str()).collect();
    assert!(kinds.len() >= 40, "{} kinds", kinds.len());
    // Nothing but the planted cells is named.
    let planted: BTreeSet<Place> = census.planted.iter().map(place_of).collect();
    let stray: Vec<String> = (found.iter().filter(|(at, _)| !planted.contains(at)))
        .map(|(at, f)| format!("{} at {at:?} `{}`: {}", f.rule, f.value, f.found.en))
        .collect();
    assert!(stray.is_empty(), "{}", stray.join("\n"));
    // No twin stands where something is found.
    for twin in &census.twins {
        let place = place_of(twin);
        let told: Vec<&str> = (found.iter().filter(|(at, _)| *at == place))
            .map(|(_, f)| f.rule.as_str())
            .collect();
        assert!(told.is_empty(), "{}: {told:?}", twin.what);
    }
    assert!(outcome.tally.errors > 40);

    // The workbook keeps rows and columns, so that its cells have the names of the source.
    let book = outcome.folder.join("质检结果.xlsx");
    let sheets = sheet_names(&book).unwrap();
    assert_eq!(
        sheets[..5],
        ["汇总", "按单元", "按规则", "问题清单", "修正记录"]
    );
    assert!(sheets.len() >= 5 + 13, "{sheets:?}");
    let schools = read_raw(&book, Some("学校")).unwrap();
    let source = read_raw(&dir.path().join("schools.xlsx"), None).unwrap();
    assert_eq!(schools.rows.len(), source.rows.len());
    assert_eq!(schools.rows[2], source.rows[2]);
    let list = read(&outcome.folder.join("findings.csv")).unwrap();
    assert_eq!(list.rows.len(), outcome.inspection.findings.len());

    // Certain fixes are made in copies, in the encoding of the source; the sources stay.
    let mended = read_raw(&outcome.folder.join("fixed/schools.xlsx"), Some("学校")).unwrap();
    let wide = census
        .planted
        .iter()
        .find(|p| p.rule == "full-width")
        .unwrap();
    let (row, column) = (wide.row.unwrap(), wide.column.unwrap());
    assert!(
        matches!(mended.rows[row][column], Value::Integer(_)),
        "{:?}",
        mended.rows[row][column]
    );
    assert!(matches!(source.rows[row][column], Value::Text(_)));
    let buildings = read_raw(&outcome.folder.join("fixed/buildings.csv"), None).unwrap();
    let was = read_raw(&dir.path().join("buildings.csv"), None).unwrap();
    assert_eq!(buildings.encoding, was.encoding);
    assert_eq!(buildings.rows.len(), was.rows.len());
    assert!(outcome.inspection.fixes.iter().all(|f| f.old != f.new));
}

#[test]
fn a_clean_census_raises_no_alarm() {
    let dir = tempfile::tempdir().unwrap();
    let census = make(4000, false);
    assert!(census.planted.is_empty() && census.twins.len() >= 30);
    census.write(dir.path()).unwrap();
    let case = dir.path().join("quality.toml");
    let outcome = run(&case, &options(false), &|_| {}).unwrap();
    let told: Vec<String> = (places(&case, &outcome).iter())
        .map(|(at, f)| format!("{} at {at:?} `{}`: {}", f.rule, f.value, f.found.en))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(outcome.records >= 4000);
    assert!(!outcome.folder.join("fixed").exists());
    // Each rule that could judge did so.
    for rule in [
        "density",
        "shifted-gcj02",
        "outside-unit",
        "schools-total",
        "population-jump",
    ] {
        let judged = outcome.inspection.judged.get(rule).copied().unwrap_or(0);
        assert!(judged > 0 || rule.starts_with("shifted"), "{rule}");
    }
}

#[test]
fn the_same_census_gives_the_same_bytes_on_any_number_of_threads() {
    let bytes = |threads: usize| -> BTreeMap<PathBuf, Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        make(2000, true).write(dir.path()).unwrap();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let case = dir.path().join("quality.toml");
        let outcome = pool
            .install(|| run(&case, &options(true), &|_| {}))
            .unwrap();
        let mut out = BTreeMap::new();
        for name in [
            "质检结果.xlsx",
            "findings.csv",
            "summary.md",
            "manifest.json",
        ] {
            out.insert(
                PathBuf::from(name),
                fs::read(outcome.folder.join(name)).unwrap(),
            );
        }
        out
    };
    assert_eq!(bytes(1), bytes(3));
}

#[test]
fn the_known_faults_of_the_zhejiang_census_are_told() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/zhejiang");
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("quality.toml");
    let data = data.display();
    let text = format!(
        "name = \"浙江\"\nregion = [\"33\"]\ndate = \"2020-12-31\"\n[[table]]\nkind = \"units\"\nfile = \"{data}/census.csv\"\n\
         [[borders]]\nfile = \"{data}/county.geojson\"\n[[borders]]\nfile = \"{data}/prefecture.geojson\"\n"
    );
    fs::write(&case, text).unwrap();
    let outcome = run(&case, &options(true), &|_| {}).unwrap();
    let findings = &outcome.inspection.findings;
    let told: BTreeSet<(&str, &str)> = findings
        .iter()
        .map(|f| (f.rule.as_str(), f.key.as_str()))
        .collect();
    for known in [
        ("row-without-border", "330103"),
        ("row-without-border", "330104"),
        ("border-without-row", "330113"),
        ("border-without-row", "330114"),
        ("children-counts", "330300"),
        ("children-product", "330000"),
    ] {
        assert!(told.contains(&known), "{known:?} not in {told:?}");
    }
    let of = |rule: &str, key: &str, field: &str| {
        let mut all = findings.iter();
        all.find(|f| f.rule == rule && f.key == key && f.field == field)
            .unwrap()
    };
    // The row of the zone without a code, and what misses of its prefecture.
    assert!(
        findings
            .iter()
            .any(|f| f.rule == "required" && f.field == "code" && f.at.row == Some(37))
    );
    let short = of("children-counts", "330300", "population");
    assert!(short.found.zh.contains("少249343") && short.severity == Severity::Error);
    let product = of("children-product", "330000", "gdp");
    assert!(
        product.found.zh.contains("多1418600"),
        "{}",
        product.found.zh
    );
}

#[test]
fn accepted_findings_and_severities_of_the_case_count() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "t.csv",
        "合成小学名单,,,,,\n学校代码,学校名称,区划代码,学校类别,学生数,住宿生数\n9900000001,甲,990101001,小学,50,60\n9900000002,乙,990101001,小学,－5,\n",
    );
    let case = dir.path().join("q.toml");
    let text = "name = \"t\"\nregion = [\"99\"]\naccepted = \"a.csv\"\n[[table]]\nkind = \"schools\"\nfile = \"t.csv\"\n[severity]\nmissing-expected-column = \"off\"\nrange = \"warning\"\n";
    write("q.toml", text);
    write(
        "a.csv",
        "rule,table,key,field,reason\nboarders-part,schools,9900000001,boarders,counted over two sites\nrange,schools,9900000009,,nobody\n",
    );
    let warnings = std::sync::Mutex::new(Vec::new());
    let outcome = run(&case, &options(false), &|news| {
        if let anlan::progress::News::Warning { text, .. } = news {
            warnings.lock().unwrap().push(text.to_string());
        }
    })
    .unwrap();
    let t = outcome.tally;
    // The full-width minus is mended; what it then says is out of range.
    assert_eq!(
        (t.errors, t.warnings, t.notes, t.accepted),
        (0, 1, 1, 1),
        "{:?}",
        outcome.inspection.findings
    );
    assert_eq!(warnings.lock().unwrap().len(), 1);
    // Faults of the case are told together, and nothing is written.
    write(
        "q.toml",
        &text
            .replace("t.csv", "none.csv")
            .replace("99\"]", "9x\"]")
            .replace("name", "date = \"x\"\nname"),
    );
    fs::remove_dir_all(dir.path().join("out")).unwrap();
    let error = run(&case, &options(false), &|_| {}).unwrap_err();
    assert_eq!(error.faults().len(), 2, "{error}");
    assert!(!dir.path().join("out").exists());
}

#[test]
fn a_team_adds_a_kind_of_table_by_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "wells.toml",
        "id = \"wells\"\nversion = 1\nname = \"Wells\"\nname_zh = \"水井\"\nsource = \"team\"\nstatus = \"unverified\"\nkey = [\"code\"]\n\
         field = [{ field = \"code\", names = [\"井号\"], type = \"identifier\", presence = \"required\" }, { field = \"depth\", names = [\"井深\"], type = \"real\", unit = \"米\", max = 500.0 }]\n",
    );
    write("w.csv", "井号,井深（厘米）\nA1,3000\nA2,80000\n");
    write(
        "q.toml",
        "name = \"t\"\nrules = [\"wells.toml\"]\n[[table]]\nkind = \"wells\"\nfile = \"w.csv\"\n",
    );
    let outcome = run(&dir.path().join("q.toml"), &options(true), &|_| {}).unwrap();
    let told: Vec<(&str, Option<usize>)> = outcome
        .inspection
        .findings
        .iter()
        .map(|f| (f.rule.as_str(), f.at.row))
        .collect();
    assert_eq!(told, [("column-unit", Some(0)), ("range", Some(2))]);
}
