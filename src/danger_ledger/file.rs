//! The ledger as JSON lines: plain text that any program reads, one line a step, oldest first.

use anlan_engine::io::write_atomic;
use anlan_engine::{Error, Fault, Result};
use anlan_models::danger_ledger::{DangerLedger, Entry, LedgerRules};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const FORMAT: &str = "anlan-danger-ledger";

/// First line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    version: u32,
    department: String,
    rules: LedgerRules,
}

/// Makes an empty ledger. Its rules are written into it, so that history is always judged by the rules it was made under.
///
/// # Errors
/// The file exists; rules at fault.
pub fn create(path: &Path, department: &str, rules: Option<&Path>) -> Result<()> {
    let rules = match rules {
        None => LedgerRules::builtin(),
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|e| Error::io("reading", file, e))?;
            LedgerRules::parse(&text, file)?
        }
    };
    if department.trim().is_empty() {
        return Err(Error::input(
            Fault::new(
                path,
                "no department",
                "the department that keeps the ledger",
                "name it",
            )
            .at("--department"),
        ));
    }
    save_new(path, &DangerLedger::new(rules, department.trim()))
}

/// Reads a ledger; every entry is checked against the rules and its hash.
///
/// # Errors
/// No such file, no ledger, lines that are no entries, entries that were altered or that the rules forbid: all together.
pub fn load(path: &Path) -> Result<DangerLedger> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
    let damaged = |line: usize, found: String, expected: &str| {
        Fault::new(path, found, expected, "take the ledger from a copy").at(format!("line {line}"))
    };
    let mut lines = text.lines().enumerate();
    let head: Head = lines
        .next()
        .and_then(|(_, line)| serde_json::from_str(line).ok())
        .filter(|h: &Head| h.format == FORMAT && h.version == 1)
        .ok_or_else(|| {
            Error::input(Fault::new(
                path,
                "no head of a ledger",
                "a file that `anlan ledger FILE new` made",
                "check the path",
            ))
        })?;
    let (mut entries, mut at, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for (n, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Entry>(line) {
            Ok(entry) => {
                entries.push(entry);
                at.push(n + 1);
            }
            Err(e) => faults.push(damaged(n + 1, e.to_string(), "an entry of the ledger")),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    DangerLedger::replay(head.rules, &head.department, entries).map_err(|refused| {
        Error::Input(
            refused
                .into_iter()
                .map(|(n, refusal)| refusal.fault(path, &format!("line {}", at[n])))
                .collect(),
        )
    })
}

/// Writes a ledger to a file that must not exist yet.
pub(super) fn save_new(path: &Path, ledger: &DangerLedger) -> Result<()> {
    if path.exists() {
        return Err(Error::input(Fault::new(
            path,
            "a file that exists",
            "a new file",
            "choose another name: a ledger is never written over",
        )));
    }
    save(path, ledger)
}

fn save(path: &Path, ledger: &DangerLedger) -> Result<()> {
    let head = Head {
        format: FORMAT.to_owned(),
        version: 1,
        department: ledger.department().to_owned(),
        rules: ledger.rules().clone(),
    };
    let failed = |e: std::io::Error| Error::io("writing", path, e);
    let json = |e: serde_json::Error| Error::Failed(format!("writing {}: {e}", path.display()));
    write_atomic(path, |tmp| {
        let mut out = BufWriter::new(File::create(tmp).map_err(failed)?);
        let mut line = |text: String| writeln!(out, "{text}").map_err(failed);
        line(serde_json::to_string(&head).map_err(json)?)?;
        for entry in ledger.entries() {
            line(serde_json::to_string(entry).map_err(json)?)?;
        }
        out.flush().map_err(failed)
    })
}

/// Reads a ledger, lets `work` add to it and writes it back whole, under a lock that keeps other writers out. On an error the
/// file stays as it was.
pub(super) fn update<T>(
    path: &Path,
    work: impl FnOnce(&mut DangerLedger) -> Result<T>,
) -> Result<T> {
    if !path.exists() {
        // No lock file beside a ledger that is not there.
        load(path)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|e| Error::io("creating", &lock_path, e))?;
    lock.lock()
        .map_err(|e| Error::io("locking", &lock_path, e))?;
    let mut ledger = load(path)?;
    let before = ledger.entries().len();
    let result = work(&mut ledger)?;
    if ledger.entries().len() > before {
        save(path, &ledger)?;
    }
    drop(lock);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::super::{steps::read_steps, take};
    use super::*;
    use anlan_engine::io::table::Table;
    use anlan_models::danger_ledger::{Date, Facts, Step};

    fn register(item: &str) -> (String, Step) {
        let step = Step {
            item: item.into(),
            action: "登记".into(),
            on: Date::parse("2026-01-05"),
            by: "张三".into(),
            facts: Some(Facts {
                name: "坡脚民房".into(),
                unit: "330702".into(),
                level: 2,
                lon: Some(119.653_217),
                ..Facts::default()
            }),
            ..Step::default()
        };
        (String::new(), step)
    }

    #[test]
    fn a_refused_batch_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        create(&path, "应急局", None).unwrap();
        assert!(
            create(&path, "应急局", None)
                .unwrap_err()
                .to_string()
                .contains("never written over")
        );
        assert_eq!(
            take(&path, vec![register("A1"), register("A2")]).unwrap(),
            2
        );
        let before = std::fs::read(&path).unwrap();
        let e = take(&path, vec![register("A3"), register("A1"), register("A2")]).unwrap_err();
        assert_eq!(e.faults().len(), 2, "{e}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(load(&path).unwrap().codes().count(), 2);
        assert!(
            take(&dir.path().join("none.jsonl"), vec![register("A1")])
                .unwrap_err()
                .is_input()
        );
    }

    #[test]
    fn altered_lines_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        create(&path, "应急局", None).unwrap();
        take(&path, vec![register("A1"), register("A2")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("119.653217", "119.753217")).unwrap();
        let e = load(&path).unwrap_err();
        assert_eq!(e.faults().len(), 2, "{e}");
        assert!(e.to_string().contains("line 2, item A1"), "{e}");
        std::fs::write(&path, text.replacen("\"item\"", "\"itm\"", 1)).unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("line 2"));
        std::fs::write(&path, "{}\n").unwrap();
        assert!(
            load(&path)
                .unwrap_err()
                .to_string()
                .contains("anlan ledger FILE new")
        );
    }

    #[test]
    fn steps_from_a_table_with_chinese_headings() {
        let mut table = Table::new(&[
            "编号",
            "操作",
            "日期",
            "经办人",
            "事由",
            "佐证",
            "责任人",
            "期限",
        ]);
        let row = |cells: [&str; 8]| cells.map(|c| c.into()).to_vec();
        table.rows = vec![
            row(["A1", "评估", "2026/1/6", "张三", "现场核查", "", "", ""]),
            row([
                "A1",
                "挂账",
                "2026-01-07",
                "张三",
                "",
                "",
                "王五",
                "2026年4月1日",
            ]),
        ];
        let steps = read_steps(&table).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        create(&path, "应急局", None).unwrap();
        take(&path, vec![register("A1")]).unwrap();
        take(&path, steps).unwrap();
        let s = &load(&path)
            .unwrap()
            .standing(Date::parse("2026-04-11").unwrap())[0];
        assert_eq!(
            (s.state.as_str(), s.overdue_days, s.responsible.as_str()),
            ("listed", 10, "王五")
        );
        table.rows[0][2] = "one day".into();
        table.rows[1][7] = "2026-02-30".into();
        assert_eq!(read_steps(&table).unwrap_err().faults().len(), 2);
    }
}
