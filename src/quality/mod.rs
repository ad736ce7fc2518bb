//! Data quality of a census from files (普查数据质检): tables, borders and rules in; a marked workbook, lists and corrected
//! tables out. The originals are never touched.
//!
//! | file | holds |
//! | --- | --- |
//! | `file` | the case file |
//! | `read` | tables, borders, rules and accepted findings from their files |
//! | `outputs`, `workbook` | lists, summary and corrected tables; the workbook |
//! | `synthetic` | a made-up census with planted faults and clean twins, for tests and training |

mod file;
mod outputs;
mod read;
pub mod synthetic;
mod workbook;

pub use file::{BorderEntry, Output, QualityFile, SeverityName, TableEntry};

use crate::manifest::{Draft, Manifest, record};
use crate::progress::{Listener, News};
use anlan_engine::Result;
use anlan_models::census::quality::report::{self, Tally};
use anlan_models::census::quality::{Inspection, RuleBook, TableInput, inspect};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A commented case file, every entry in it.
pub const TEMPLATE: &str = include_str!("template.toml");

const TASK: &str = "quality";

/// Options of a run that are not in the case file.
#[derive(Debug, Clone, Default)]
pub struct QualityOptions {
    /// Output folder; `out` beside the case file by default.
    pub out: Option<PathBuf>,
    /// True: workbook, lists and summary in Chinese.
    pub zh: bool,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Folder of the outputs.
    pub folder: PathBuf,
    /// Records judged.
    pub records: usize,
    /// Findings by severity.
    pub tally: Tally,
    /// Findings by rule.
    pub rules: BTreeMap<String, Tally>,
    /// All that was found.
    pub inspection: Inspection,
}

impl Outcome {
    /// Folder and counts as one JSON object.
    pub fn json(&self) -> serde_json::Value {
        let counts = |t: &Tally| {
            serde_json::json!({
                "errors": t.errors, "warnings": t.warnings, "notes": t.notes, "fixed": t.fixed, "accepted": t.accepted,
            })
        };
        let mut out = counts(&self.tally);
        out["out"] = serde_json::json!(self.folder);
        out["records"] = self.records.into();
        let rules = self.rules.iter().map(|(rule, t)| (rule.clone(), counts(t)));
        out["rules"] = serde_json::Value::Object(rules.collect());
        out
    }
}

/// All that a run was given, read.
struct Given {
    file: QualityFile,
    tables: Vec<TableInput>,
    book: RuleBook,
    inputs: Vec<PathBuf>,
}

/// Checks the tables of a case and writes what was found to `quality/` in the output folder.
///
/// # Errors
/// Faults of the case file, of rule files, tables that cannot be read, all together; the system's. That tables have errors
/// is no error of this function: see [`Outcome::tally`].
pub fn run(path: &Path, options: &QualityOptions, news: &Listener<'_>) -> Result<Outcome> {
    let started = Instant::now();
    news(News::Started { task: TASK });
    let step = |done: f64, note: &str| {
        news(News::Step {
            task: TASK,
            done,
            note,
        });
    };
    step(0.0, "reading tables");
    let (given, borders, mut settings) = read::read(path)?;
    step(0.3, "checking");
    settings.accepted = read::accepted(path, &given.file)?;
    let inspection = inspect(&given.tables, &borders, &given.book, &settings)?;
    for idle in &inspection.idle {
        let text = format!(
            "the list of accepted findings names {} {} {}, which was not found",
            idle.rule, idle.table, idle.key
        );
        news(News::Warning {
            task: TASK,
            text: &text,
        });
    }
    step(0.6, "writing");
    let manifest = manifest(path, &given, options)?;
    let beside = || path.parent().unwrap_or_else(|| Path::new("")).join("out");
    let out = options.out.clone().unwrap_or_else(beside);
    let draft = Draft::begin(&out, TASK, &manifest.key)?;
    outputs::write(&given, &inspection, options.zh, &draft)?;
    draft.commit(manifest)?;
    news(News::Finished {
        task: TASK,
        seconds: started.elapsed().as_secs_f64(),
    });
    let records = (given.tables.iter().zip(&inspection.tables))
        .filter(|(t, _)| t.earlier_of.is_none())
        .map(|(_, facts)| facts.records)
        .sum();
    Ok(Outcome {
        folder: out.join(TASK),
        records,
        tally: report::overall(&inspection.findings),
        rules: report::by(&inspection.findings, |f| f.rule.clone()),
        inspection,
    })
}

fn manifest(path: &Path, given: &Given, options: &QualityOptions) -> Result<Manifest> {
    let base = path.parent().unwrap_or_else(|| Path::new(""));
    let inputs = (given.inputs.iter())
        .map(|input| record(input, base))
        .collect::<Result<_>>()?;
    let language = if options.zh { "zh" } else { "en" };
    let options = serde_json::json!({ "language": language });
    Ok(Manifest::new(TASK, 0, options, inputs, BTreeMap::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Messages;

    /// Every entry of the case that `new --quality` writes is one that the case file knows.
    #[test]
    fn the_template_is_whole() {
        let text: Vec<&str> = TEMPLATE
            .lines()
            .skip_while(|line| !line.is_empty())
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .collect();
        let file: QualityFile = toml::from_str(&text.join("\n")).unwrap();
        assert!(file.date.is_some() && file.accepted.is_some() && file.region == ["3307"]);
        assert!(file.table[0].earlier.is_some() && file.table[0].columns.len() == 1);
        assert_eq!(
            (file.borders.len(), file.severity.len(), file.rules.len()),
            (1, 1, 1)
        );
        let bare: QualityFile = toml::from_str(TEMPLATE).unwrap();
        assert_eq!(bare.table.len(), 1);
    }

    #[test]
    fn faults_of_a_case_are_all_chinese() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        write("t.csv", "a,b\n1,2\n");
        write("a.csv", "rule,table,key,field,reason\nrange,units,1,,\n");
        write(
            "r.toml",
            "id = \"x\"\nversion = 1\nname = \"X\"\nname_zh = \"某\"\nsource = \"\"\nstatus = \"read\"\nkey = [\"k\"]\nfield = []\n[[rule]]\nid = \"r\"\nname = \"\"\nname_zh = \"\"\nseverity = \"note\"\n",
        );
        let table = "[[table]]\nkind = \"units\"\nfile = \"t.csv\"\n";
        let cases = [
            "name = \"n\"\nregion = [\"x\"]\ndate = \"y\"\ntable = []\n".to_owned(),
            format!("name = \"n\"\nrules = [\"r.toml\"]\n{table}"),
            format!("name = \"n\"\n{table}"),
            format!("name = \"n\"\naccepted = \"a.csv\"\n{table}"),
            format!("name = \"n\"\n{}", table.replace("units", "huts")),
        ];
        let messages = Messages::builtin();
        let mut seen = 0;
        for (i, case) in cases.iter().enumerate() {
            let path = write(&format!("{i}.toml"), case);
            let error = run(&path, &QualityOptions::default(), &|_| {}).unwrap_err();
            for fault in error.faults() {
                // Bare values stay.
                let texts = [&fault.found, &fault.expected, &fault.remedy];
                for text in texts.into_iter().filter(|t| t.contains(' ')) {
                    let zh = messages.translate(text);
                    assert!(zh.contains(|c: char| !c.is_ascii()), "{text} -> {zh}");
                    seen += 1;
                }
            }
        }
        assert!(seen >= 20, "{seen}");
    }
}
