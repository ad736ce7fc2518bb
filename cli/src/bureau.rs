//! Commands of a bureau's day: the hidden-danger ledger (隐患台账), loss fast report (灾情快报), prompt sheets (预警提示单), flood sheets of
//! townships (乡镇洪水风险图).

use anlan::danger_ledger::{self, Import};
use anlan::engine::Error;
use anlan::engine::io::table;
use anlan::fast_report::{ReportOptions, RunOpening, Wanted};
use anlan::models::cartography::SheetLanguage;
use anlan::models::danger_ledger::{Date, Step};
use anlan::sheets::{Scenario, SheetOptions};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `anlan ledger FILE ACTION`.
#[derive(Args)]
pub struct LedgerArguments {
    /// The ledger (JSON lines).
    pub file: PathBuf,
    #[command(subcommand)]
    pub action: LedgerAction,
}

#[derive(Subcommand)]
pub enum LedgerAction {
    /// Make an empty ledger (建账).
    New {
        /// Department that keeps it.
        #[arg(long)]
        department: String,
        /// Rules (TOML) in place of the compiled-in ones; they are written into the ledger.
        #[arg(long)]
        rules: Option<PathBuf>,
    },
    /// Register what a risk list names and the ledger does not know (由风险清单登记).
    Import {
        /// `lists/risk_list.csv` of a run.
        list: PathBuf,
        /// Kinds of objects: danger-site, hotspot, place, unit, township; all by default.
        #[arg(long, value_delimiter = ',')]
        kinds: Vec<String>,
        /// Levels from 1, red, to this one.
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=4))]
        level: u8,
        /// Day, e.g. 2026-03-15.
        #[arg(long, value_parser = date)]
        on: Date,
        /// Who registers.
        #[arg(long)]
        by: String,
    },
    /// Take one step: assess, list, treat, extend, submit, return, cancel, dismiss, reopen (评估、挂账、整改、延期、报验、退回、销账、排除、重新登记).
    Step {
        /// Item.
        item: String,
        /// Transition.
        action: String,
        /// Day.
        #[arg(long, value_parser = date)]
        on: Date,
        /// Who.
        #[arg(long)]
        by: String,
        /// Department, if not the ledger's.
        #[arg(long, default_value = "")]
        department: String,
        /// Why (事由).
        #[arg(long, default_value = "")]
        why: String,
        /// Evidence (佐证).
        #[arg(long, default_value = "")]
        evidence: String,
        /// Responsible person (责任人).
        #[arg(long, default_value = "")]
        responsible: String,
        /// Deadline (整改期限).
        #[arg(long, value_parser = date)]
        deadline: Option<Date>,
    },
    /// Take all steps of a table (CSV or Excel), or none: columns item, action, on, by and further ones (批量办理).
    Batch {
        /// The table.
        table: PathBuf,
    },
    /// Join with another department's ledger; conflicts are named (合并).
    Merge {
        /// The other ledger.
        other: PathBuf,
        /// Ledger to make.
        #[arg(long)]
        out: PathBuf,
    },
    /// Check rules and hashes of the whole history (校验).
    Check,
    /// Counts by unit and state on a date (统计).
    Statistics {
        /// Day.
        #[arg(long, value_parser = date)]
        as_of: Date,
    },
    /// Ledger, history and statistics on a date as Excel, CSV and GeoPackage (导出).
    Export {
        /// Day.
        #[arg(long, value_parser = date)]
        as_of: Date,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// The two-monthly hand-over of the period that ends on a date (双月交办).
    Handover {
        /// Day.
        #[arg(long, value_parser = date)]
        as_of: Date,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
    },
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "a date such as 2026-03-15".to_owned())
}

/// What a command has to say: a folder with a summary, or a line in English and Chinese.
pub enum Told {
    Folder(PathBuf),
    Line(String, String),
    Text(String),
}

impl LedgerArguments {
    /// Does what is asked.
    pub fn act(&self, zh: bool) -> Result<Told, Error> {
        let file = &self.file;
        match &self.action {
            LedgerAction::New { department, rules } => {
                danger_ledger::create(file, department, rules.as_deref())?;
                Ok(Told::Line(
                    format!("new ledger {}", file.display()),
                    format!("已建账：{}", file.display()),
                ))
            }
            LedgerAction::Import {
                list,
                kinds,
                level,
                on,
                by,
            } => {
                let told = danger_ledger::import(
                    file,
                    &Import {
                        list: list.clone(),
                        kinds: kinds.clone(),
                        up_to_level: *level,
                        on: *on,
                        by: by.clone(),
                    },
                )?;
                let (mut en, mut zh) = (
                    format!(
                        "{} items registered, {} known already",
                        told.registered, told.known
                    ),
                    format!("新登记{}项，已在账{}项", told.registered, told.known),
                );
                if !told.changed.is_empty() {
                    let list = told.changed.join(" ");
                    en.push_str(&format!(
                        "; of these {} have other figures now: {list}",
                        told.changed.len()
                    ));
                    zh.push_str(&format!(
                        "，其中{}项数据已有变化：{list}",
                        told.changed.len()
                    ));
                }
                Ok(Told::Line(en, zh))
            }
            LedgerAction::Step {
                item,
                action,
                on,
                by,
                department,
                why,
                evidence,
                responsible,
                deadline,
            } => {
                let step = Step {
                    item: item.clone(),
                    action: action.clone(),
                    on: Some(*on),
                    by: by.clone(),
                    department: department.clone(),
                    reason: why.clone(),
                    evidence: evidence.clone(),
                    responsible: responsible.clone(),
                    deadline: *deadline,
                    facts: None,
                };
                danger_ledger::take(file, vec![(String::new(), step)])?;
                let state = danger_ledger::load(file)?;
                let state = state.state(item).unwrap_or_default().to_owned();
                Ok(Told::Line(
                    format!("{item}: {state}"),
                    format!("{item}：{state}"),
                ))
            }
            LedgerAction::Batch { table } => {
                let steps = danger_ledger::read_steps(&table::read(table)?)?;
                let n = danger_ledger::take(file, steps)?;
                Ok(Told::Line(
                    format!("{n} steps taken"),
                    format!("已办理{n}项"),
                ))
            }
            LedgerAction::Merge { other, out } => {
                let n = danger_ledger::merge_files(file, other, out)?;
                Ok(Told::Line(
                    format!("{n} items in {}", out.display()),
                    format!("合并后{n}项：{}", out.display()),
                ))
            }
            LedgerAction::Check => {
                let ledger = danger_ledger::load(file)?;
                let (items, entries) = (ledger.codes().count(), ledger.entries().len());
                Ok(Told::Line(
                    format!("sound: {items} items, {entries} entries"),
                    format!("台账完好：{items}项，{entries}条记录"),
                ))
            }
            LedgerAction::Statistics { as_of } => {
                Ok(Told::Text(danger_ledger::summary(file, *as_of, zh)?))
            }
            LedgerAction::Export { as_of, out } => {
                danger_ledger::export(file, *as_of, out, zh)?;
                Ok(Told::Folder(out.clone()))
            }
            LedgerAction::Handover { as_of, out } => {
                danger_ledger::hand_over(file, *as_of, out, zh)?;
                Ok(Told::Folder(out.clone()))
            }
        }
    }
}

/// What the commands on a finished run share.
#[derive(Args)]
pub struct RunArguments {
    /// Output folder of a finished run.
    out: PathBuf,
    /// Project file; needed where the project gives tables of its own.
    #[arg(long)]
    project: Option<PathBuf>,
    /// Folder to write; within the run's folder by default.
    #[arg(long)]
    to: Option<PathBuf>,
    /// Further fonts.
    #[arg(long)]
    font: Vec<PathBuf>,
    /// Threads; all cores by default. The results do not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
}

impl RunArguments {
    fn opening(&self, language: Option<SheetLanguage>) -> RunOpening {
        RunOpening {
            project: self.project.clone(),
            language,
            fonts: self.font.clone(),
        }
    }
}

/// Which event or return period.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// Event of `lists/events.csv`, year-cause.
    #[arg(long)]
    event: Option<String>,
    /// Return period, years.
    #[arg(long)]
    return_period: Option<f64>,
}

/// `anlan fast-report OUT`.
#[derive(Args)]
pub struct ReportArguments {
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    which: Which,
    /// Reported figures to be set beside the modelled ones (CSV or Excel).
    #[arg(long)]
    reported: Option<PathBuf>,
    /// Response triggers of the jurisdiction (TOML).
    #[arg(long)]
    triggers: Option<PathBuf>,
    /// Form of the report (TOML).
    #[arg(long)]
    form: Option<PathBuf>,
}

impl ReportArguments {
    /// Writes the report; gives its folder.
    pub fn act(
        &self,
        language: Option<SheetLanguage>,
        zh: bool,
        listener: &anlan::progress::Listener<'_>,
    ) -> Result<PathBuf, Error> {
        let wanted = match (&self.which.event, self.which.return_period) {
            (Some(id), _) => Wanted::Event(id.clone()),
            (None, t) => Wanted::ReturnPeriod(t.unwrap_or_default()),
        };
        let options = ReportOptions {
            opening: self.run.opening(language),
            wanted,
            reported: self.reported.clone(),
            triggers: self.triggers.clone(),
            form: self.form.clone(),
            to: self.run.to.clone(),
            zh,
        };
        anlan::fast_report::run(&self.run.out, &options, listener)
    }
}

/// `anlan prompt OUT`.
#[derive(Args)]
pub struct PromptArguments {
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    which: Which,
    /// Counties by code; all by default.
    #[arg(long, value_delimiter = ',')]
    unit: Vec<String>,
}

/// `anlan township OUT`.
#[derive(Args)]
pub struct TownshipArguments {
    #[command(flatten)]
    pub run: RunArguments,
    /// Return period of the flood maps, years.
    #[arg(long)]
    return_period: f64,
    /// Townships by code, or counties for all of theirs; all by default.
    #[arg(long, value_delimiter = ',')]
    township: Vec<String>,
}

/// `anlan cards OUT`.
#[derive(Args)]
pub struct CardArguments {
    #[command(flatten)]
    pub run: RunArguments,
    /// Counties by code; all by default.
    #[arg(long, value_delimiter = ',')]
    unit: Vec<String>,
}

impl CardArguments {
    /// Writes the cards; gives their folder.
    pub fn act(
        &self,
        language: Option<SheetLanguage>,
        listener: &anlan::progress::Listener<'_>,
    ) -> Result<PathBuf, Error> {
        let opening = self.run.opening(language);
        let to = self.run.to.clone();
        anlan::sheets::cards(&self.run.out, &opening, &self.unit, to, listener)
    }
}

impl PromptArguments {
    /// Writes the sheets; gives their folder.
    pub fn act(
        &self,
        language: Option<SheetLanguage>,
        listener: &anlan::progress::Listener<'_>,
    ) -> Result<PathBuf, Error> {
        let scenario = match (&self.which.event, self.which.return_period) {
            (Some(id), _) => Scenario::Event(id.clone()),
            (None, t) => Scenario::ReturnPeriod(t.unwrap_or_default()),
        };
        let options = SheetOptions {
            opening: self.run.opening(language),
            scenario,
            codes: self.unit.clone(),
            to: self.run.to.clone(),
        };
        anlan::sheets::prompts(&self.run.out, &options, listener)
    }
}

impl TownshipArguments {
    /// Writes the sheets; gives their folder.
    pub fn act(
        &self,
        language: Option<SheetLanguage>,
        listener: &anlan::progress::Listener<'_>,
    ) -> Result<PathBuf, Error> {
        let options = SheetOptions {
            opening: self.run.opening(language),
            scenario: Scenario::ReturnPeriod(self.return_period),
            codes: self.township.clone(),
            to: self.run.to.clone(),
        };
        anlan::sheets::townships(&self.run.out, &options, listener)
    }
}
