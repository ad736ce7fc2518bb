//! A run that is killed again and again: what is finished stays, nothing half-written lies under a final name, and the
//! end is the same to the byte.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The Jinhua inputs with 900 m cells and few years: seconds, not minutes.
fn small_project(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/jinhua");
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.join(path.file_name().unwrap())).unwrap();
    }
    let project = dir.join("project.toml");
    let text = fs::read_to_string(&project).unwrap();
    let years = text.lines().find(|l| l.starts_with("years = ")).unwrap();
    let text = text
        .replace("cell_m = 90.0", "cell_m = 900.0")
        .replace(years, "years = 100")
        .replace("units = true", "units = false")
        .replace(
            "return_periods = [5.0, 10.0, 20.0, 50.0, 100.0]",
            "return_periods = [5.0, 20.0]\nchannel_km2 = 20.0",
        )
        .replace(
            "[losses]",
            "[fire]\nfires_per_class = 20\n\n[losses]\nreturn_periods = [2.0, 5.0, 10.0]",
        )
        .replace("confidence = 0.95", "confidence = 0.85");
    // The region has no hidden-danger site: a list of nothing.
    let header = "编号,名称,灾害类型,经度或X,纬度或Y,体积_m3,威胁人数,威胁财产_元\n";
    fs::write(dir.join("sites.csv"), header).unwrap();
    let text = text.replace("[inputs]", "[inputs]\ndanger_sites = \"sites.csv\"");
    fs::write(&project, text).unwrap();
    project
}

fn anlan(project: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
    command
        .args(["--json", "run"])
        .arg(project)
        .arg("--out")
        .arg(out)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Every file below a folder with its bytes, but for drafts.
fn bytes(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut stack = vec![dir.to_path_buf()];
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.ends_with(".tmp") {
                continue;
            }
            if path.is_dir() {
                stack.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_path_buf();
                out.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    out
}

#[test]
fn a_run_killed_again_and_again_ends_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let project = small_project(dir.path());
    let whole = dir.path().join("whole");
    let begun = Instant::now();
    let output = anlan(&project, &whole).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    let length = begun.elapsed();
    let expected = bytes(&whole);

    // Killed at moments spread over the run by a low-discrepancy sequence. Each attempt starts where the one before left, and
    // afresh after one that came to its end: how often that happens depends on the machine.
    let out = dir.path().join("killed");
    let mut kills = 0;
    let mut finished = BTreeMap::new();
    let mut k = 0_u32;
    while kills < 6 || finished.is_empty() {
        k += 1;
        assert!(k <= 24, "only {kills} of 24 attempts were killed in time");
        let share = (f64::from(k) * 0.618_034).fract();
        let mut child = anlan(&project, &out).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs_f64(share * 0.5 * length.as_secs_f64());
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        // A child that ended by itself between the question and the signal is one that ended.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        let ended = status.success();
        assert!(ended || status.code().is_none(), "attempt {k}: {status}");
        kills += u32::from(!ended);
        let now = bytes(&out);
        for (name, content) in &now {
            assert_eq!(
                expected.get(name),
                Some(content),
                "{} after kill {k} is not what a whole run writes",
                name.display()
            );
        }
        // What was finished before is still there.
        for name in finished.keys() {
            assert!(now.contains_key(name), "{name:?} was lost by kill {k}");
        }
        if ended {
            assert_eq!(now, expected, "the run that attempt {k} ended");
            fs::remove_dir_all(&out).unwrap();
            finished.clear();
        } else {
            finished = now;
        }
    }

    let output = anlan(&project, &out).output().unwrap();
    assert!(output.status.success());
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let (ran, kept) = (
        told["ran"].as_array().unwrap(),
        told["kept"].as_array().unwrap(),
    );
    assert_eq!(ran.len() + kept.len(), 14);
    assert!(!kept.is_empty(), "no finished stage was kept");
    assert_eq!(bytes(&out), expected);
    assert!(!out.join(".tmp").exists() || fs::read_dir(out.join(".tmp")).unwrap().next().is_none());
}
