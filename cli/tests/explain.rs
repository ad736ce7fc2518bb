//! `anlan explain`: arguments and messages, without a run.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn anlan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anlan"))
        .arg("explain")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../data/jinhua/project.toml"
        ))
        .args(arguments)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_place_is_asked_for_and_a_finished_run() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    // Neither place nor both.
    assert_eq!(anlan(&["--out", out]).status.code(), Some(2));
    let both = anlan(&["--out", out, "--at", "1,2", "--unit", "330702"]);
    assert!(
        told(&both).contains("cannot be used with"),
        "{}",
        told(&both)
    );

    let point = anlan(&["--out", out, "--at", "119.6", "--lang", "zh"]);
    assert_eq!(point.status.code(), Some(2));
    assert!(
        told(&point).contains("以逗号分隔的两个数"),
        "{}",
        told(&point)
    );

    let empty = anlan(&["--out", out, "--unit", "330702", "--lang", "zh"]);
    assert_eq!(empty.status.code(), Some(2));
    assert!(told(&empty).contains("先运行该项目"), "{}", told(&empty));
    let json = anlan(&["--out", out, "--unit", "330702", "--json"]);
    let text = String::from_utf8_lossy(&json.stdout).into_owned();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["input"], true);
    assert!(
        value["faults"][0]["file"]
            .as_str()
            .unwrap()
            .ends_with("risk/chains.json")
    );
}
