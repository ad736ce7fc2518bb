//! `anlan`: the command line. It parses arguments, shows progress and messages, and sets the exit code; all work is the
//! library's.

use anlan::engine::Error;
use anlan::engine::io::{Value, describe};
use anlan::export::ExposureExport;
use anlan::flood::FloodOptions;
use anlan::messages::Messages;
use anlan::models::cartography::SheetLanguage;
use anlan::models::census::exposure::PeopleAt;
use anlan::portfolio::{PortfolioOptions, Said, Source, import};
use anlan::progress::News;
use anlan::run::{RunOptions, check, run};
use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod bureau;
mod explain;
mod frequency;
mod map;
mod quality;
mod validate;
mod zonal;

/// Natural-hazard risk census and simulation (安澜).
///
/// Exit codes: 0 done, 2 the input is at fault (nothing was written, but for what `quality` found), 1 any other failure.
#[derive(Parser)]
#[command(name = "anlan", version)]
struct Arguments {
    /// Language of messages and products.
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    /// No progress, errors only.
    #[arg(long, global = true)]
    quiet: bool,
    /// Results and errors as JSON on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum Lang {
    Zh,
    En,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum Engine {
    Oasis,
    Climada,
    Openquake,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum People {
    Night,
    Day,
    Mean,
    Holiday,
}

#[derive(Subcommand)]
enum Command {
    /// Run a project: finished stages are kept, the others run.
    Run {
        /// Project file (TOML).
        project: PathBuf,
        /// Stages to run: layers, weather, hazard, losses, risk, relief, lists, products, validation, report.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Threads; all cores by default. The results do not depend on it.
        #[arg(long)]
        threads: Option<usize>,
        /// Seed in place of the project's.
        #[arg(long)]
        seed: Option<u64>,
        /// Output folder; `out` beside the project file by default.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Further fonts for maps.
        #[arg(long)]
        font: Vec<PathBuf>,
    },
    /// Check a project and its inputs, write nothing.
    Check {
        /// Project file (TOML).
        project: PathBuf,
    },
    /// Compare grades or scores with recorded disasters: AUC with its error, hit rate, false alarms (历史灾害检验).
    Validate(validate::ValidateArguments),
    /// Write a commented project file into a new folder.
    New {
        /// Folder to make.
        dir: PathBuf,
        /// A flood case in place of a project (洪水演进).
        #[arg(long)]
        flood: bool,
        #[command(flatten)]
        quality: quality::QualityNew,
    },
    /// Losses of a portfolio: exposure, events and vulnerability given as files.
    Loss {
        /// Portfolio file (TOML).
        portfolio: PathBuf,
        /// Only one part of the work, `i/n` with i from 1: writes a part file for `merge`.
        #[arg(long)]
        shard: Option<String>,
        /// Threads; all cores by default. The results do not depend on it.
        #[arg(long)]
        threads: Option<usize>,
        /// Seed in place of the file's.
        #[arg(long)]
        seed: Option<u64>,
        /// Output folder; `out` beside the portfolio file by default.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Write a portfolio of another loss engine as ours: a folder with a portfolio file to run.
    Import {
        /// Where it comes from.
        #[arg(value_enum)]
        from: Engine,
        /// Folders that hold its files.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
        /// Currency of the values, e.g. CNY.
        #[arg(long)]
        currency: String,
        /// Year of the prices.
        #[arg(long)]
        price_year: u16,
        /// Name of the intensity measure with its unit (climada).
        #[arg(long, default_value = "intensity")]
        measure: String,
    },
    /// Join the parts of all shards of a loss run: the same bytes as one run.
    Merge {
        /// Portfolio file (TOML).
        portfolio: PathBuf,
        /// Part files, one of each shard.
        #[arg(required = true)]
        parts: Vec<PathBuf>,
        /// Seed in place of the file's, as the shards had it.
        #[arg(long)]
        seed: Option<u64>,
        /// Output folder; `out` beside the portfolio file by default.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// A flood case of its own (洪水演进): terrain, rain, rivers and works through the 2-D solver.
    Flood {
        /// Case file (TOML).
        case: PathBuf,
        /// Threads; all cores by default. The results do not depend on it.
        #[arg(long)]
        threads: Option<usize>,
        /// Output folder; `out` beside the case file by default.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Further fonts for map and chart.
        #[arg(long)]
        font: Vec<PathBuf>,
    },
    /// Frequency analysis of a station's series (频率分析): annual maxima, or peaks over a threshold of daily values.
    Frequency(frequency::FrequencyArguments),
    /// Intensity-duration-frequency of rain, and the storm formula (暴雨强度公式) through it.
    Idf(frequency::IdfArguments),
    /// Statistics of a raster over zones (分区统计), each cell by the share that the zone covers.
    Zonal(zonal::ZonalArguments),
    /// Check the tables of a census (普查数据质检): every fault with its cell, certain fixes, a marked workbook.
    Quality(quality::QualityArguments),
    /// Draw one map (单幅制图) of a raster: A3 or A4, as PNG, SVG and PDF.
    Map(map::MapArguments),
    /// Tell the whole chain behind a grade (等级溯源), of a cell or of a unit.
    Explain(explain::ExplainArguments),
    /// Hidden-danger ledger (隐患台账，挂账销账): registration, listing, treatment, acceptance, cancelling; history is only added to.
    Ledger(bureau::LedgerArguments),
    /// Loss fast report of an event of a finished run (灾情快报), by township, with response level and reported figures beside it.
    FastReport(bureau::ReportArguments),
    /// Warning prompt sheets of a scenario (预警提示单), one a county.
    Prompt(bureau::PromptArguments),
    /// Flood sheets of townships (乡镇、村级洪水风险图).
    Township(bureau::TownshipArguments),
    /// Cards of hidden-danger sites for the people below them (地质灾害明白卡), a PDF a county.
    Cards(bureau::CardArguments),
    /// Paint polygons onto the cells of a raster (栅格化): the same cells as GDAL paints.
    Rasterize(zonal::RasterizeArguments),
    /// Write the exposure of a finished run as a portfolio for `loss` or other programs (承灾体导出).
    Export {
        /// Output folder of the run.
        run: PathBuf,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
        /// When people are counted where they are.
        #[arg(long, value_enum, default_value = "night")]
        people: People,
        /// Dwellings as buildings by structure and storeys.
        #[arg(long)]
        buildings: bool,
        /// CSV in place of Parquet.
        #[arg(long)]
        csv: bool,
    },
    /// Tell what a raster, vector layer or table holds.
    Info {
        /// The file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let zh = arguments.lang.map_or_else(
        || std::env::var("LANG").is_ok_and(|l| l.starts_with("zh")),
        |l| l == Lang::Zh,
    );
    match act(&arguments, zh) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With --json the findings are the one object on standard output.
            let told = arguments.json
                && matches!(arguments.command, Command::Quality(_))
                && quality::is_verdict(&error);
            if !told {
                report(&error, arguments.json, zh);
            }
            ExitCode::from(if error.is_input() { 2 } else { 1 })
        }
    }
}

fn act(arguments: &Arguments, zh: bool) -> Result<(), Error> {
    match &arguments.command {
        Command::Run {
            project,
            only,
            threads,
            seed,
            out,
            font,
        } => {
            let options = RunOptions {
                out: out.clone(),
                only: only.clone(),
                seed: *seed,
                language: language(arguments),
                fonts: font.clone(),
            };
            let pool = pool_of(*threads)?;
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let outcome = pool.install(|| run(project, &options, &|news| shown.tell(&news)))?;
            if arguments.json {
                print(&serde_json::json!({"out": outcome.out, "ran": outcome.ran, "kept": outcome.kept}).to_string());
            } else if !arguments.quiet {
                // A summary of an earlier run does not speak for a run that stopped before the products.
                let summary = outcome.out.join("products/summary.md");
                let told = [&outcome.ran, &outcome.kept]
                    .iter()
                    .any(|tasks| tasks.iter().any(|t| t == "products"));
                if told && let Ok(text) = fs::read_to_string(&summary) {
                    print(&text);
                }
                let word = if zh { "输出目录" } else { "Outputs" };
                print(&format!("{word}: {}", outcome.out.display()));
            }
            Ok(())
        }
        Command::Check { project } => {
            let inputs = check(project)?;
            if arguments.json {
                let list: Vec<_> = inputs
                    .findings
                    .iter()
                    .map(|f| {
                        serde_json::json!({"severity": format!("{:?}", f.severity).to_lowercase(), "rule": f.rule, "unit": f.unit,
                            "message": f.fault.to_string()})
                    })
                    .collect();
                print(&serde_json::json!({"units": inputs.units.len(), "findings": list, "notes": inputs.notes}).to_string());
                return Ok(());
            }
            let told = told(zh);
            for f in &inputs.findings {
                let severity = told(&format!("{:?}", f.severity));
                print(&format!(
                    "{severity} [{}] {}",
                    f.rule,
                    told(&f.fault.to_string())
                ));
            }
            for note in &inputs.notes {
                print(&format!("{} [normalised] {}", told("Note"), told(note)));
            }
            let population: u64 = inputs.units.iter().map(|u| u.record.population).sum();
            print(&if zh {
                format!(
                    "检查通过：{}个单元，常住人口{population}，格网{}×{}",
                    inputs.units.len(),
                    inputs.grid.rows,
                    inputs.grid.cols
                )
            } else {
                format!(
                    "Inputs are sound: {} units, {population} residents, grid of {} x {} cells",
                    inputs.units.len(),
                    inputs.grid.rows,
                    inputs.grid.cols
                )
            });
            Ok(())
        }
        Command::Loss {
            portfolio,
            shard,
            threads,
            seed,
            out,
        } => {
            let options = PortfolioOptions {
                out: out.clone(),
                seed: *seed,
                zh,
                shard: shard.as_deref().map(parse_shard).transpose()?,
            };
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let made = pool_of(*threads)?.install(|| {
                anlan::portfolio::run(portfolio, &options, &|news| shown.tell(&news))
            })?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Import {
            from,
            folders,
            out,
            currency,
            price_year,
            measure,
        } => {
            let said = Said {
                currency: currency.clone(),
                price_year: *price_year,
                measure: measure.clone(),
            };
            let source = match from {
                Engine::Oasis => Source::Oasis,
                Engine::Climada => Source::Climada,
                Engine::Openquake => Source::OpenQuake,
            };
            let made = import(source, folders, &said, out)?;
            if arguments.json {
                print(&serde_json::json!({"portfolio": made}).to_string());
            } else if !arguments.quiet {
                let word = if zh { "已写入" } else { "written" };
                print(&format!("{word}: {}", made.display()));
            }
            Ok(())
        }
        Command::Merge {
            portfolio,
            parts,
            seed,
            out,
        } => {
            let options = PortfolioOptions {
                out: out.clone(),
                seed: *seed,
                zh,
                shard: None,
            };
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let listen = |news: News<'_>| shown.tell(&news);
            let made = anlan::portfolio::merge(portfolio, parts, &options, &listen)?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Flood {
            case,
            threads,
            out,
            font,
        } => {
            let options = FloodOptions {
                out: out.clone(),
                zh,
                fonts: font.clone(),
            };
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let made = pool_of(*threads)?
                .install(|| anlan::flood::run(case, &options, &|news| shown.tell(&news)))?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Frequency(given) => {
            let options = given.options(zh)?;
            let made =
                pool_of(given.threads)?.install(|| anlan::frequency::run(&given.file, &options))?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Idf(given) => {
            let made = anlan::frequency::run_idf(&given.file, &given.options(zh)?)?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Zonal(given) => {
            let options = given.options(zh)?;
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let made = pool_of(given.threads)?.install(|| {
                anlan::zonal::run(&given.raster, &given.zones, &options, &|news| {
                    shown.tell(&news);
                })
            })?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Quality(given) => {
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let outcome = pool_of(given.threads)?.install(|| {
                anlan::quality::run(&given.case, &given.options(zh), &|news| shown.tell(&news))
            })?;
            if arguments.json {
                print(&outcome.json().to_string());
            } else {
                tell_made(arguments, &outcome.folder, zh);
            }
            quality::verdict(&given.case, &outcome)
        }
        Command::New {
            dir,
            flood,
            quality,
        } => new_project(dir, *flood, quality, zh),
        Command::Map(given) => {
            let made = anlan::map::draw(&given.options(zh))?;
            if arguments.json {
                print(&serde_json::json!({"files": made.files, "ratio": made.ratio, "dropped": made.dropped}).to_string());
            } else if !arguments.quiet {
                for file in &made.files {
                    let word = if zh { "已写入" } else { "written" };
                    print(&format!("{word}: {}", file.display()));
                }
            }
            if !made.dropped.is_empty() && !arguments.json {
                let names = made.dropped.join(if zh { "、" } else { ", " });
                tell(&if zh {
                    format!("警告：图上放不下的名称：{names}")
                } else {
                    format!("Warning: no room on the map for the names {names}")
                });
            }
            Ok(())
        }
        Command::Explain(given) => {
            let told = anlan::explain::explain(&given.project, &given.options()?)?;
            if arguments.json {
                let json = serde_json::to_string_pretty(&told)
                    .map_err(|e| Error::Failed(format!("writing the explanation: {e}")))?;
                print(&json);
            } else {
                print(anlan::explain::text(&told, zh).trim_end());
            }
            Ok(())
        }
        Command::Ledger(given) => {
            match given.act(zh)? {
                bureau::Told::Folder(made) => tell_made(arguments, &made, zh),
                bureau::Told::Text(text) => print(text.trim_end()),
                bureau::Told::Line(en, chinese) => {
                    if arguments.json {
                        print(&serde_json::json!({"done": en}).to_string());
                    } else if !arguments.quiet {
                        print(if zh { &chinese } else { &en });
                    }
                }
            }
            Ok(())
        }
        Command::FastReport(given) => {
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let made = pool_of(given.run.threads)?
                .install(|| given.act(language(arguments), zh, &|news| shown.tell(&news)))?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Prompt(given) => {
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let made = pool_of(given.run.threads)?
                .install(|| given.act(language(arguments), &|news| shown.tell(&news)))?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Township(given) => {
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let made = pool_of(given.run.threads)?
                .install(|| given.act(language(arguments), &|news| shown.tell(&news)))?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Cards(given) => {
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let made = pool_of(given.run.threads)?
                .install(|| given.act(language(arguments), &|news| shown.tell(&news)))?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Validate(given) => {
            let made = anlan::validation::run(&given.scores, &given.history, &given.options(zh))?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Rasterize(given) => {
            let shown = Shown::new(arguments.quiet || arguments.json, zh);
            let made = pool_of(given.threads)?.install(|| {
                anlan::rasterize::run(&given.zones, &given.options(), &|news| shown.tell(&news))
            })?;
            tell_made(arguments, &made, zh);
            Ok(())
        }
        Command::Export {
            run,
            out,
            people,
            buildings,
            csv,
        } => {
            let export = ExposureExport {
                people: match people {
                    People::Night => PeopleAt::Night,
                    People::Day => PeopleAt::Day,
                    People::Mean => PeopleAt::Mean,
                    People::Holiday => PeopleAt::Holiday,
                },
                buildings: *buildings,
                csv: *csv,
            };
            let made = anlan::export::exposure(run, out, export)?;
            if arguments.json {
                print(&serde_json::json!({"portfolio": made}).to_string());
            } else if !arguments.quiet {
                let word = if zh { "已写入" } else { "written" };
                print(&format!("{word}: {}", made.display()));
            }
            Ok(())
        }
        Command::Info { file } => info(file, arguments.json, zh),
    }
}

/// Language of products, where the user says one.
fn language(arguments: &Arguments) -> Option<SheetLanguage> {
    arguments.lang.map(|l| match l {
        Lang::Zh => SheetLanguage::Zh,
        Lang::En => SheetLanguage::En,
    })
}

/// Texts of the library as they are told: in Chinese, or as they are.
fn told(zh: bool) -> impl Fn(&str) -> String {
    let messages = zh.then(Messages::builtin);
    move |text| match &messages {
        Some(m) => m.translate(text),
        None => text.to_owned(),
    }
}

fn pool_of(threads: Option<usize>) -> Result<rayon::ThreadPool, Error> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(n) = threads {
        pool = pool.num_threads(n.max(1));
    }
    pool.build()
        .map_err(|e| Error::Failed(format!("starting threads: {e}")))
}

fn parse_shard(text: &str) -> Result<(usize, usize), Error> {
    let parsed = text
        .split_once('/')
        .and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    parsed.ok_or_else(|| {
        Error::input(anlan::engine::Fault::new(
            "--shard",
            text,
            "i/n with i from 1 to n",
            "number the shards from 1, e.g. --shard 2/7",
        ))
    })
}

/// The summary in the folder that was made, or the part file that a shard made.
fn tell_made(arguments: &Arguments, made: &Path, zh: bool) {
    if arguments.json {
        print(&serde_json::json!({"out": made}).to_string());
    } else if !arguments.quiet {
        if let Ok(text) = fs::read_to_string(made.join("summary.md")) {
            print(&text);
        }
        let word = if zh { "输出" } else { "Outputs" };
        print(&format!("{word}: {}", made.display()));
    }
}

/// Standard output; a closed pipe is no failure.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Progress: a bar with an estimate on a terminal, plain lines otherwise.
struct Shown {
    bar: Option<ProgressBar>,
    silent: bool,
    zh: bool,
    messages: Option<Messages>,
}

impl Shown {
    fn new(silent: bool, zh: bool) -> Self {
        let bar = (!silent && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(1000);
            let style = ProgressStyle::with_template(
                "{prefix:20} {bar:30} {percent:>3}% {elapsed} ({eta}) {msg}",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Shown {
            bar,
            silent,
            zh,
            messages: zh.then(Messages::builtin),
        }
    }

    fn tell(&self, news: &News<'_>) {
        if self.silent {
            return;
        }
        let line = |text: &str| match &self.bar {
            Some(bar) => bar.println(text),
            None => tell(text),
        };
        match news {
            News::Started { task } => {
                if let Some(bar) = &self.bar {
                    bar.reset();
                    bar.set_prefix((*task).to_string());
                } else {
                    tell(&format!(
                        "{task}: {}",
                        if self.zh { "开始" } else { "started" }
                    ));
                }
            }
            News::Kept { task } => line(&format!(
                "{task}: {}",
                if self.zh {
                    "已完成，跳过"
                } else {
                    "finished before, kept"
                }
            )),
            News::Step { task, done, note } => {
                let note = match &self.messages {
                    Some(m) => m.translate(note),
                    None => (*note).to_owned(),
                };
                if let Some(bar) = &self.bar {
                    bar.set_position((done * 1000.0) as u64);
                    bar.set_message(note);
                } else if *done < 1.0 && (done * 20.0).fract() < 0.2 {
                    tell(&format!("{task}: {:>3.0}% {note}", done * 100.0));
                }
            }
            News::Warning { task, text } => match &self.messages {
                Some(m) => line(&format!("{task}: 注意: {}", m.translate(text))),
                None => line(&format!("{task}: note: {text}")),
            },
            News::Finished { task, seconds } => {
                line(&format!(
                    "{task}: {} {seconds:.1} s",
                    if self.zh {
                        "完成，用时"
                    } else {
                        "done in"
                    }
                ));
            }
        }
    }
}

fn report(error: &Error, json: bool, zh: bool) {
    if json {
        let faults: Vec<_> = error
            .faults()
            .iter()
            .map(|f| serde_json::json!({"file": f.file, "place": f.place, "found": f.found, "expected": f.expected, "remedy": f.remedy}))
            .collect();
        print(&serde_json::json!({"error": error.to_string(), "input": error.is_input(), "faults": faults}).to_string());
        return;
    }
    let told = told(zh);
    if error.faults().is_empty() {
        let word = if zh { "错误" } else { "error" };
        tell(&format!("{word}: {}", told(&error.to_string())));
        return;
    }
    let words = if zh {
        ["错误", "位置", "发现", "应为", "处理"]
    } else {
        ["error", "place", "found", "expected", "remedy"]
    };
    for f in error.faults() {
        let file = f.file.display().to_string();
        tell(&format!("{}: {}", words[0], told(&file)));
        if !f.place.is_empty() {
            tell(&format!("  {}: {}", words[1], told(&f.place)));
        }
        tell(&format!("  {}: {}", words[2], told(&f.found)));
        tell(&format!("  {}: {}", words[3], told(&f.expected)));
        tell(&format!("  {}: {}", words[4], told(&f.remedy)));
    }
}

fn new_project(
    dir: &Path,
    flood: bool,
    quality: &quality::QualityNew,
    zh: bool,
) -> Result<(), Error> {
    let (file, text) = if quality.quality {
        (dir.join("quality.toml"), anlan::quality::TEMPLATE)
    } else if flood {
        (dir.join("case.toml"), anlan::flood::TEMPLATE)
    } else {
        (dir.join("project.toml"), anlan::project::TEMPLATE)
    };
    if file.exists() {
        return Err(Error::input(anlan::engine::Fault::new(
            &file,
            "an existing file",
            "a folder without one",
            "choose another folder",
        )));
    }
    fs::create_dir_all(dir).map_err(|e| Error::io("creating", dir, e))?;
    if let Some(records) = quality.synthetic {
        quality::write_synthetic(dir, records, quality.clean)?;
    } else {
        fs::write(&file, text).map_err(|e| Error::io("writing", &file, e))?;
    }
    print(&format!(
        "{}: {}",
        if zh { "已写入" } else { "written" },
        file.display()
    ));
    Ok(())
}

fn info(file: &Path, json: bool, zh: bool) -> Result<(), Error> {
    let facts = describe(file)?;
    if json {
        let map: serde_json::Map<String, serde_json::Value> = facts
            .into_iter()
            .map(|(key, value)| {
                let value = match value {
                    Value::Null => serde_json::Value::Null,
                    Value::Integer(v) => v.into(),
                    Value::Real(v) => v.into(),
                    Value::Text(v) => v.into(),
                };
                (key, value)
            })
            .collect();
        print(&serde_json::Value::Object(map).to_string());
    } else {
        let told = told(zh);
        for (key, value) in facts {
            // The name of a layer may stand before that of the fact.
            let (layer, name) = match key.split_once(": ") {
                Some((layer, name)) => (format!("{layer}: "), name),
                None => (String::new(), key.as_str()),
            };
            let label = told(&format!("info.{name}"));
            let label = label.strip_prefix("info.").unwrap_or(&label);
            // Names and tags stay as the file has them.
            let own = ["layer", "sheet"].contains(&name) || name.starts_with("tag ");
            let value = value.to_string();
            let value = if own { value } else { told(&value) };
            print(&format!("{layer}{label}: {value}"));
        }
    }
    Ok(())
}
