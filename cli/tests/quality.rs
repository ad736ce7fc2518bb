//! `anlan quality` from the command line: exit codes, one JSON object, a made-up census from `new`.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn anlan(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(arguments)
        .current_dir(dir)
        .output()
        .unwrap()
}

#[test]
fn errors_set_the_exit_code_and_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let new = |name: &str, more: &[&str]| {
        let arguments = [&["new", name, "--quality", "--synthetic", "2000"], more].concat();
        assert!(anlan(&arguments, dir.path()).status.success());
    };
    new("faulty", &[]);
    new("clean", &["--clean"]);
    let out = anlan(&["--json", "quality", "faulty/quality.toml"], dir.path());
    assert_eq!(out.status.code(), Some(2));
    let told: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(told["errors"].as_u64().unwrap() > 40 && told["rules"]["duplicate-key"]["errors"] == 1);
    let out = anlan(
        &["--lang", "zh", "quality", "faulty/quality.toml"],
        dir.path(),
    );
    assert_eq!(out.status.code(), Some(2));
    let error = String::from_utf8(out.stderr).unwrap();
    assert!(
        error.contains("处错误") && error.contains("核实属实"),
        "{error}"
    );
    let out = anlan(
        &["--lang", "en", "quality", "clean/quality.toml"],
        dir.path(),
    );
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(
        String::from_utf8(out.stdout)
            .unwrap()
            .contains("No errors stand")
    );

    // The commented case is read; its table is not there.
    assert!(
        anlan(&["new", "mine", "--quality"], dir.path())
            .status
            .success()
    );
    let out = anlan(
        &["--lang", "en", "quality", "mine/quality.toml"],
        dir.path(),
    );
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8(out.stderr).unwrap().contains("units.csv"));
}
