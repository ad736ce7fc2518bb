//! Rules, measures and persons: compiled in, or those of the project.

use crate::project::Project;
use crate::stages::Context;
use anlan_engine::io::table;
use anlan_engine::{Error, Fault, Result};
use anlan_models::lists::standards::At;
use anlan_models::lists::{ListRules, Measures, Person, read_persons};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn resolved(project_file: &Path, file: &Path) -> PathBuf {
    project_file.parent().unwrap_or(Path::new("")).join(file)
}

fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))
}

fn rules_of(project: &Project, project_file: &Path) -> Result<ListRules> {
    match &project.inputs.lists {
        None => Ok(ListRules::builtin()),
        Some(file) => {
            let path = resolved(project_file, file);
            ListRules::parse(&text_of(&path)?, &path)
        }
    }
}

fn measures_of(project: &Project, project_file: &Path) -> Result<Measures> {
    match &project.inputs.measures {
        None => Ok(Measures::builtin()),
        Some(file) => {
            let path = resolved(project_file, file);
            Measures::parse(&text_of(&path)?, &path)
        }
    }
}

fn persons_of(project: &Project, project_file: &Path, rules: &ListRules) -> Result<Vec<Person>> {
    match &project.inputs.responsible {
        None => Ok(Vec::new()),
        Some(file) => read_persons(&table::read(&resolved(project_file, file))?, rules),
    }
}

/// Rules of the lists.
pub fn rules(ctx: &Context<'_>) -> Result<ListRules> {
    rules_of(ctx.project, ctx.project_file)
}

/// Measures.
pub fn measures(ctx: &Context<'_>) -> Result<Measures> {
    measures_of(ctx.project, ctx.project_file)
}

/// Responsible persons; none where the project gives no table.
pub fn persons(ctx: &Context<'_>, rules: &ListRules) -> Result<Vec<Person>> {
    persons_of(ctx.project, ctx.project_file, rules)
}

/// Checks all three before anything is computed: shapes, ranges, and that persons of counties and of the region stand at codes
/// that there are. Codes of townships and objects are known later: what belongs to none is told by the list.
///
/// # Errors
/// All faults together.
pub fn check(project: &Project, project_file: &Path, units: &BTreeSet<String>) -> Result<()> {
    let mut faults = Vec::new();
    let mut take = |error: Error| match error {
        Error::Input(found) => {
            faults.extend(found);
            Ok(())
        }
        other => Err(other),
    };
    let rules = match rules_of(project, project_file) {
        Ok(rules) => rules,
        Err(e) => {
            take(e)?;
            ListRules::builtin()
        }
    };
    if let Err(e) = measures_of(project, project_file) {
        take(e)?;
    }
    match persons_of(project, project_file, &rules) {
        Err(e) => take(e)?,
        Ok(persons) => {
            let file = project
                .inputs
                .responsible
                .as_deref()
                .unwrap_or(Path::new(""));
            for person in persons {
                let at = rules
                    .roles
                    .iter()
                    .find(|r| r.code == person.role)
                    .map(|r| r.at);
                let (known, expected) = match at {
                    Some(At::Unit) => (
                        units.contains(&person.code),
                        "the code of a unit of the project",
                    ),
                    Some(At::Region) => (
                        person.code == project.project.code,
                        "the code of the region",
                    ),
                    _ => (true, ""),
                };
                if !known {
                    faults.push(
                        Fault::new(
                            resolved(project_file, file),
                            format!("`{}`", person.code),
                            expected,
                            "correct the code or the role",
                        )
                        .at(format!("row {}, code", person.row)),
                    );
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}
