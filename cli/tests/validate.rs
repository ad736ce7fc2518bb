//! `anlan validate`: grades of a user's own units against recorded disasters.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn anlan(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(arguments)
        .current_dir(dir)
        .env("LANG", "C")
        .output()
        .unwrap()
}

/// Six units with grades 1 to 3 and two of them struck: one of grade 1, one of grade 2.
fn files(dir: &Path) {
    let unit = |i: usize, grade: u32| {
        let (west, east) = (119.0 + 0.1 * i as f64, 119.1 + 0.1 * i as f64);
        format!(
            "{{\"type\":\"Feature\",\"properties\":{{\"code\":\"33070{i}\",\"grade\":{grade}}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[[{west},29],[{east},29],[{east},29.1],[{west},29.1],[{west},29]]]}}}}"
        )
    };
    let features: Vec<String> = [1, 2, 2, 3, 3, 3]
        .into_iter()
        .enumerate()
        .map(|(i, g)| unit(i, g))
        .collect();
    let text = format!(
        "{{\"type\":\"FeatureCollection\",\"features\":[{}]}}",
        features.join(",")
    );
    std::fs::write(dir.join("units.geojson"), text).unwrap();
    std::fs::write(
        dir.join("history.csv"),
        "发生日期,区划代码,灾种\n2019-08-10,330700,洪涝\n2020-07-08,330701,洪涝\n2021-07-08,330799,洪涝\n",
    )
    .unwrap();
}

#[test]
fn grades_of_units_get_their_hit_rate_and_auc() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path());
    let out = anlan(
        dir.path(),
        &[
            "validate",
            "units.geojson",
            "history.csv",
            "--column",
            "grade",
            "--grades",
            "--warned",
            "1",
            "--out",
            "made",
            "--lang",
            "zh",
        ],
    );
    let (stdout, stderr) = (
        String::from_utf8_lossy(&out.stdout).into_owned(),
        String::from_utf8_lossy(&out.stderr).into_owned(),
    );
    assert!(out.status.success(), "{stderr}");
    // Struck 1 and 2 against 2, 3, 3, 3: 4 + 3.5 of 8 pairs; one hit, one miss, no false alarm.
    assert!(
        stdout.contains("AUC 0.938") && stdout.contains("命中率0.500"),
        "{stdout}"
    );
    assert!(
        stdout.contains("6个位置中2个有记录，1个事件没有对应位置"),
        "{stdout}"
    );
    for file in [
        "skill.csv",
        "roc.csv",
        "warnings.csv",
        "cells.csv",
        "roc.png",
        "roc.svg",
        "summary.md",
    ] {
        assert!(dir.path().join("made").join(file).exists(), "{file}");
    }
}

#[test]
fn a_missing_column_is_a_fault_of_the_input() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path());
    for arguments in [
        ["validate", "units.geojson", "history.csv"].as_slice(),
        &[
            "validate",
            "units.geojson",
            "history.csv",
            "--column",
            "none",
        ],
        &["validate", "units.geojson", "none.csv", "--column", "grade"],
    ] {
        let out = anlan(dir.path(), arguments);
        assert_eq!(
            out.status.code(),
            Some(2),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    assert!(!dir.path().join("out").exists(), "nothing is written");
}
