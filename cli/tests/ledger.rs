//! `anlan ledger`: a danger from registration to cancelling, refusals with their exit code, in both languages.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn anlan(dir: &Path, lang: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anlan"))
        .current_dir(dir)
        .args(["--lang", lang])
        .args(arguments)
        .output()
        .unwrap()
}

fn done(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_danger_from_registration_to_cancelling() {
    let dir = tempfile::tempdir().unwrap();
    let run = |lang: &str, line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        anlan(dir.path(), lang, &words)
    };
    done(&run("en", "ledger l.jsonl new --department 应急局"));
    std::fs::write(
        dir.path().join("r.csv"),
        "编号,操作,日期,经办人,隐患名称,县级代码,级别\nA1,登记,2026-01-05,张三,坡脚民房,330702,红\n",
    )
    .unwrap();
    assert_eq!(done(&run("zh", "ledger l.jsonl batch r.csv")), "已办理1项");
    // Listing before the assessment: the rule is named, nothing changes.
    let before = std::fs::read(dir.path().join("l.jsonl")).unwrap();
    let e = refused(&run(
        "en",
        "ledger l.jsonl step A1 list --on 2026-01-06 --by 张三",
    ));
    assert!(
        e.contains("transition list")
            && e.contains("state registered (已登记)")
            && e.contains("assess (评估)"),
        "{e}"
    );
    let e = refused(&run(
        "zh",
        "ledger l.jsonl step A1 挂账 --on 2026-01-06 --by 张三",
    ));
    assert!(
        e.contains("操作list") && e.contains("目前允许的操作"),
        "{e}"
    );
    assert_eq!(std::fs::read(dir.path().join("l.jsonl")).unwrap(), before);
    for line in [
        "ledger l.jsonl step A1 assess --on 2026-01-06 --by 张三 --why 核查",
        "ledger l.jsonl step A1 list --on 2026-01-07 --by 张三 --responsible 王五",
        "ledger l.jsonl step A1 treat --on 2026-01-08 --by 张三",
        "ledger l.jsonl step A1 submit --on 2026-01-20 --by 张三 --evidence 照片",
    ] {
        done(&run("en", line));
    }
    let e = refused(&run(
        "en",
        "ledger l.jsonl step A1 cancel --on 2026-01-21 --by 张三 --evidence 验收单",
    ));
    assert!(e.contains("acceptance by somebody else"), "{e}");
    let told = done(&run(
        "en",
        "ledger l.jsonl step A1 cancel --on 2026-01-21 --by 李四 --evidence 验收单",
    ));
    assert_eq!(told, "A1: cancelled");
    assert_eq!(
        done(&run("en", "ledger l.jsonl check")),
        "sound: 1 items, 6 entries"
    );
    let told = done(&run(
        "zh",
        "ledger l.jsonl export --as-of 2026-02-01 --out out",
    ));
    assert!(
        told.contains("已销账") && dir.path().join("out/ledger.xlsx").exists(),
        "{told}"
    );
    let told = done(&run(
        "zh",
        "ledger l.jsonl handover --as-of 2026-02-28 --out h",
    ));
    assert!(
        told.contains("双月交办") && dir.path().join("h/handover.csv").exists(),
        "{told}"
    );
    // A date is asked for, never taken from a clock.
    let output = run("en", "ledger l.jsonl export --out out");
    assert_eq!(output.status.code(), Some(2));
}
