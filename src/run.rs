//! Running a project: which tasks must run, in which order, and what is told meanwhile.

use crate::manifest::{Draft, FileRecord, Manifest, record};
use crate::progress::{Listener, News};
use crate::project::Project;
use crate::stages::{self, Context, STAGES, TASKS, Task};
use anlan_engine::{Error, Fault, Result};
use anlan_models::cartography::{Fonts, SheetLanguage};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What the caller may change about a run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Output folder; `out` beside the project file where `None`.
    pub out: Option<PathBuf>,
    /// Stages to run; all where empty. Stages to the left must be finished already.
    pub only: Vec<String>,
    /// Seed in place of the project's.
    pub seed: Option<u64>,
    /// Language of products in place of the project's.
    pub language: Option<SheetLanguage>,
    /// Further font files for maps.
    pub fonts: Vec<PathBuf>,
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Output folder.
    pub out: PathBuf,
    /// Tasks that ran.
    pub ran: Vec<String>,
    /// Tasks that were found finished.
    pub kept: Vec<String>,
    /// Manifests of all finished tasks, in order.
    pub manifests: Vec<Manifest>,
}

/// Runs a project in the current rayon thread pool. All inputs are checked before anything is written.
///
/// # Errors
/// Faults of the input (nothing is written then), a stage to the left of `only` that is not finished, or a failure of the
/// machine.
pub fn run(project_file: &Path, options: &RunOptions, listener: &Listener<'_>) -> Result<Outcome> {
    let mut project = Project::read(project_file)?;
    if let Some(seed) = options.seed {
        project.project.seed = seed;
    }
    if let Some(language) = options.language {
        project.products.language = language;
    }
    let selected = select(&options.only)?;
    let fonts: Vec<&Path> = options.fonts.iter().map(PathBuf::as_path).collect();
    let fonts = Fonts::with_files(&fonts)?;
    let hashes = hash_inputs(&project, project_file)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| project_file.parent().unwrap_or(Path::new("")).join("out"));
    let manifests = plan(&project, &hashes);
    if manifests.iter().any(|m| !m.is_done(&out.join(&m.task))) {
        stages::inputs::read(&project, project_file)?;
    }
    let cache = stages::Cache::default();
    let mut outcome = Outcome {
        out: out.clone(),
        ran: Vec::new(),
        kept: Vec::new(),
        manifests: Vec::new(),
    };
    for (task, manifest) in TASKS.iter().zip(manifests) {
        let folder = out.join(task.name);
        if manifest.is_done(&folder) {
            listener(News::Kept { task: task.name });
            outcome.kept.push(task.name.to_string());
            outcome.manifests.extend(Manifest::read(&folder));
            continue;
        }
        if !selected.iter().any(|s| stage_of(task.name) == *s) {
            let needed = TASKS.iter().any(|t| {
                selected.iter().any(|s| stage_of(t.name) == *s) && t.upstream.contains(&task.name)
            });
            if needed {
                return Err(Error::input(
                    Fault::new(
                        project_file,
                        format!(
                            "stage `{}` not finished for these options",
                            stage_of(task.name)
                        ),
                        "finished stages to the left of those selected",
                        format!("add `{}` to --only, or run without it", stage_of(task.name)),
                    )
                    .at("--only"),
                ));
            }
            continue;
        }
        let manifest = run_task(
            task,
            manifest,
            &project,
            project_file,
            &out,
            &fonts,
            &cache,
            listener,
        )?;
        outcome.ran.push(task.name.to_string());
        outcome.manifests.push(manifest);
    }
    let finished: Vec<String> = [outcome.ran.as_slice(), &outcome.kept].concat();
    stages::qml::beside_rasters(&project, project_file, &out, &finished)?;
    write_root(&out, &project, &outcome)?;
    Ok(outcome)
}

#[allow(clippy::too_many_arguments)]
fn run_task(
    task: &Task,
    manifest: Manifest,
    project: &Project,
    project_file: &Path,
    out: &Path,
    fonts: &Fonts,
    cache: &stages::Cache,
    listener: &Listener<'_>,
) -> Result<Manifest> {
    listener(News::Started { task: task.name });
    let start = Instant::now();
    let draft = Draft::begin(out, task.name, &manifest.key)?;
    let ctx = Context {
        project,
        project_file,
        out,
        fonts,
        task: task.name,
        listener,
        cache,
    };
    (task.run)(&ctx, &draft)?;
    let manifest = draft.commit(manifest)?;
    listener(News::Finished {
        task: task.name,
        seconds: start.elapsed().as_secs_f64(),
    });
    Ok(manifest)
}

fn stage_of(task: &str) -> &str {
    task.split('/').next().unwrap_or(task)
}

fn select(only: &[String]) -> Result<Vec<&'static str>> {
    if only.is_empty() {
        return Ok(STAGES.to_vec());
    }
    only.iter()
        .map(|name| {
            STAGES.iter().find(|s| *s == name).copied().ok_or_else(|| {
                Error::input(
                    Fault::new(
                        "command line",
                        format!("`{name}`"),
                        STAGES.join(", "),
                        "name one of these stages",
                    )
                    .at("--only"),
                )
            })
        })
        .collect()
}

/// Hashes of the input files, by field.
fn hash_inputs(
    project: &Project,
    project_file: &Path,
) -> Result<BTreeMap<&'static str, Vec<FileRecord>>> {
    let base = project_file.parent().unwrap_or(Path::new(""));
    let mut out: BTreeMap<&'static str, Vec<FileRecord>> = BTreeMap::new();
    let mut faults = Vec::new();
    for (name, path) in project.files(project_file) {
        match record(&path, base) {
            Ok(mut file) => {
                // Inputs outside the project's folder are told by their name alone: paths of a machine stay out.
                if Path::new(&file.path).is_absolute() {
                    file.path = path
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned();
                }
                out.entry(name).or_default().push(file);
            }
            Err(Error::Input(found)) => {
                faults.extend(found.into_iter().map(|f| f.at(format!("[inputs] {name}"))))
            }
            Err(other) => return Err(other),
        }
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(Error::Input(faults))
    }
}

/// The manifest that each task must have, in order.
fn plan(project: &Project, hashes: &BTreeMap<&'static str, Vec<FileRecord>>) -> Vec<Manifest> {
    let mut keys: BTreeMap<&str, String> = BTreeMap::new();
    TASKS
        .iter()
        .map(|task| {
            let inputs = task
                .inputs
                .iter()
                .filter_map(|name| hashes.get(name))
                .flatten()
                .cloned()
                .collect();
            let upstream = task
                .upstream
                .iter()
                .map(|t| ((*t).to_string(), keys[t].clone()))
                .collect();
            let manifest = Manifest::new(
                task.name,
                project.project.seed,
                (task.options)(project),
                inputs,
                upstream,
            );
            keys.insert(task.name, manifest.key.clone());
            manifest
        })
        .collect()
}

/// `manifest.json` of the whole run.
fn write_root(out: &Path, project: &Project, outcome: &Outcome) -> Result<()> {
    let json = serde_json::json!({
        "release": crate::manifest::RELEASE,
        "seed": project.project.seed,
        "project": project,
        "tasks": outcome.manifests,
    });
    let text = serde_json::to_string_pretty(&json)
        .map_err(|e| Error::Failed(format!("writing the manifest: {e}")))?;
    fs::create_dir_all(out).map_err(|e| Error::io("creating", out, e))?;
    anlan_engine::io::write_atomic(&out.join("manifest.json"), |tmp| {
        fs::write(tmp, text + "\n").map_err(|e| Error::io("writing", tmp, e))
    })
}

/// Checks a project without computing anything: the findings of the census, and what was normalised.
///
/// # Errors
/// As [`run`], before anything is written.
pub fn check(project_file: &Path) -> Result<stages::inputs::Inputs> {
    let project = Project::read(project_file)?;
    hash_inputs(&project, project_file)?;
    stages::inputs::read(&project, project_file)
}
