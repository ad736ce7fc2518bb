//! A finished run opened again, for what is made from it on demand: reports and sheets.

use super::{Cache, Context, TASKS};
use crate::manifest::Manifest;
use crate::progress::Listener;
use crate::project::Project;
use anlan_engine::{Error, Fault, Result};
use anlan_models::cartography::{Fonts, SheetLanguage};
use std::path::{Path, PathBuf};

/// How a finished run is opened.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// The project file, for tables that the project gives in place of compiled-in ones; found by the run's own record where
    /// it needs none.
    pub project: Option<PathBuf>,
    /// Language in place of the project's.
    pub language: Option<SheetLanguage>,
    /// Further font files.
    pub fonts: Vec<PathBuf>,
}

/// Calls `work` with the context of a finished run, all of whose `tasks` must be there.
///
/// # Errors
/// No run in the folder, tasks not finished, a project that asks for tables of its own without `--project`; those of `work`.
pub fn with<T>(
    out: &Path,
    opening: &Opening,
    tasks: &[&str],
    listener: &Listener<'_>,
    work: impl FnOnce(&Context<'_>) -> Result<T>,
) -> Result<T> {
    let record = out.join("manifest.json");
    let text = std::fs::read_to_string(&record).map_err(|e| Error::io("reading", &record, e))?;
    let fault = |found: String| {
        Error::input(Fault::new(
            &record,
            found,
            "the record of a finished run",
            "give the output folder of `anlan run`",
        ))
    };
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|e| fault(e.to_string()))?;
    let mut project: Project =
        serde_json::from_value(json["project"].clone()).map_err(|e| fault(e.to_string()))?;
    for task in TASKS.iter().filter(|t| tasks.contains(&t.name)) {
        if Manifest::read(&out.join(task.name)).is_none() {
            return Err(fault(format!("stage `{}` not finished", task.name)));
        }
    }
    let i = &project.inputs;
    let own = [
        &i.weather,
        &i.convection,
        &i.vulnerability,
        &i.lists,
        &i.measures,
    ];
    if opening.project.is_none() && own.iter().any(|f| f.is_some()) {
        return Err(Error::input(
            Fault::new(
                &record,
                "a project with tables of its own",
                "the project file",
                "add --project FILE",
            )
            .at("[inputs]"),
        ));
    }
    if let Some(language) = opening.language {
        project.products.language = language;
    }
    let files: Vec<&Path> = opening.fonts.iter().map(PathBuf::as_path).collect();
    let fonts = Fonts::with_files(&files)?;
    let project_file = opening
        .project
        .clone()
        .unwrap_or_else(|| out.join("project.toml"));
    let cache = Cache::default();
    work(&Context {
        project: &project,
        project_file: &project_file,
        out,
        fonts: &fonts,
        task: "finished",
        listener,
        cache: &cache,
    })
}
