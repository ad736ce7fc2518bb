//! The stages of the pipeline, as tasks: what each reads, which options it depends on, and what it makes.
//!
//! ```text
//! inputs ─► layers ─► weather ─► hazard/{flood,convection,geology,fire,places} ─► losses ─► risk ─► relief ─► lists ─► products ─► validation, report
//! ```
//!
//! A task reads the inputs named in its row and the folders of the tasks named as upstream, and writes its own folder.

mod bilingual;
mod exposure;
pub mod exposure_inputs;
mod exposure_tables;
mod facilities;
pub(crate) mod finished;
mod flood;
mod hazard;
pub mod inputs;
mod layers;
pub(crate) mod lists;
pub(crate) mod losses;
mod models;
mod places;
mod products;
pub(crate) mod qml;
mod relief;
mod report;
pub(crate) mod risk;
mod screening;
pub(crate) mod store;
mod summary;
mod validation;
mod weather;

pub(crate) use models::Cache;
pub(crate) use store::read_ledger;

use crate::manifest::Draft;
use crate::progress::{Listener, News};
use crate::project::Project;
use anlan_engine::{Error, Result};
use anlan_models::cartography::{Fonts, Mark};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What every task is given.
pub(crate) struct Context<'a> {
    pub project: &'a Project,
    pub project_file: &'a Path,
    pub out: &'a Path,
    pub fonts: &'a Fonts,
    pub task: &'static str,
    pub listener: &'a Listener<'a>,
    pub cache: &'a models::Cache,
}

impl Context<'_> {
    /// Tells how far the task has come.
    pub fn step(&self, done: f64, note: &str) {
        (self.listener)(News::Step {
            task: self.task,
            done,
            note,
        });
    }

    /// Tells what must be known.
    pub fn warn(&self, text: &str) {
        (self.listener)(News::Warning {
            task: self.task,
            text,
        });
    }

    /// Folder of a finished task.
    pub fn folder(&self, task: &str) -> PathBuf {
        self.out.join(task)
    }

    /// Marks that everything made must carry.
    pub fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        if self.project.inputs.synthetic {
            marks.push(Mark::Synthetic);
        }
        if self.project.project.screening {
            marks.push(Mark::Screening);
        }
        marks
    }

    /// Metadata of every raster made.
    pub fn tags(&self, what: &str, unit: &str) -> std::collections::BTreeMap<String, String> {
        let mut tags = std::collections::BTreeMap::from([
            ("ANLAN_LAYER".to_string(), what.to_string()),
            ("ANLAN_UNIT".to_string(), unit.to_string()),
            (
                "ANLAN_RELEASE".to_string(),
                crate::manifest::RELEASE.to_string(),
            ),
            (
                "ANLAN_SEED".to_string(),
                self.project.project.seed.to_string(),
            ),
        ]);
        for mark in self.marks() {
            let (key, text) = match mark {
                Mark::Synthetic => (
                    "ANLAN_SYNTHETIC",
                    "contains synthetic layers; not for decisions",
                ),
                Mark::Screening => ("ANLAN_SCREENING", "screening method"),
            };
            tags.insert(key.to_string(), text.to_string());
        }
        tags
    }
}

/// One task of the pipeline.
pub(crate) struct Task {
    /// Name, which is also the folder of its outputs.
    pub name: &'static str,
    /// Fields of `[inputs]` it reads.
    pub inputs: &'static [&'static str],
    /// Tasks it builds on.
    pub upstream: &'static [&'static str],
    /// The options it depends on.
    pub options: fn(&Project) -> Value,
    /// Its work.
    pub run: fn(&Context<'_>, &Draft) -> Result<()>,
}

/// All tasks, in the order in which they run.
pub(crate) const TASKS: &[Task] = &[
    Task {
        name: "layers",
        inputs: &[
            "dem",
            "land_cover",
            "units",
            "townships",
            "region",
            "places",
            "census",
            "crosswalk",
            "columns",
            "danger_sites",
            "depots",
            "shelters",
            "dasymetric",
            "population_weight",
            "night_light",
            "building_density",
            "economy",
            "houses",
            "critical_places",
            "lifelines",
        ],
        upstream: &[],
        options: |p| json!({"project": common(p), "grid": p.grid, "terrain": p.terrain, "flood": p.flood.channel_km2, "exposure": p.exposure}),
        run: layers::run,
    },
    Task {
        name: "weather",
        inputs: &["temperature", "rain", "rain_rate", "weather"],
        upstream: &["layers"],
        options: |p| json!({"project": common(p)}),
        run: weather::run,
    },
    Task {
        name: "hazard/flood",
        inputs: &["weather"],
        upstream: &["layers", "weather"],
        options: |p| json!({"project": common(p), "flood": p.flood}),
        run: flood::run,
    },
    Task {
        name: "hazard/convection",
        inputs: &["weather", "convection"],
        upstream: &["layers", "weather"],
        options: |p| json!({"project": common(p), "periods": p.flood.return_periods}),
        run: hazard::convection,
    },
    Task {
        name: "hazard/geology",
        inputs: &["weather"],
        upstream: &["layers", "weather"],
        options: |p| json!({"project": common(p), "geology": p.geology}),
        run: hazard::geology,
    },
    Task {
        name: "hazard/fire",
        inputs: &["weather"],
        upstream: &["layers", "weather"],
        options: |p| json!({"project": common(p), "fire": p.fire}),
        run: hazard::fire,
    },
    Task {
        name: "hazard/places",
        inputs: &[],
        upstream: &[
            "layers",
            "hazard/flood",
            "hazard/convection",
            "hazard/geology",
            "hazard/fire",
        ],
        options: |p| {
            json!({"project": common(p), "flood": p.flood.return_periods, "geology": p.geology.return_periods,
                   "fire": p.fire.return_periods})
        },
        run: places::run,
    },
    Task {
        name: "losses",
        inputs: &["weather", "convection", "vulnerability"],
        upstream: &[
            "layers",
            "weather",
            "hazard/flood",
            "hazard/convection",
            "hazard/geology",
            "hazard/fire",
        ],
        options: |p| json!({"project": common(p), "losses": p.losses, "flood": p.flood, "geology": p.geology, "fire": p.fire}),
        run: losses::run,
    },
    Task {
        name: "risk",
        inputs: &["region", "rule_packs"],
        upstream: &[
            "layers",
            "hazard/flood",
            "hazard/convection",
            "hazard/geology",
            "hazard/fire",
            "losses",
        ],
        options: |p| json!({"project": common(p), "risk": p.risk, "flood": p.flood.return_periods}),
        run: risk::run,
    },
    Task {
        name: "relief",
        inputs: &["depots", "shelters"],
        upstream: &["layers", "losses"],
        options: |p| json!({"project": common(p), "relief": p.relief, "years": p.losses.years}),
        run: relief::run,
    },
    Task {
        name: "lists",
        inputs: &["responsible", "lists", "measures"],
        upstream: &[
            "layers",
            "hazard/flood",
            "hazard/convection",
            "hazard/geology",
            "hazard/fire",
            "losses",
            "risk",
        ],
        options: |p| {
            json!({"project": common(p), "products": p.products, "flood": p.flood.return_periods, "years": p.losses.years,
                   "name": p.project.name, "name_en": p.project.name_en})
        },
        run: lists::run,
    },
    Task {
        name: "products",
        inputs: &["region", "places", "overview", "map_styles", "rule_packs"],
        upstream: &[
            "layers",
            "hazard/flood",
            "hazard/convection",
            "hazard/geology",
            "hazard/fire",
            "losses",
            "risk",
            "relief",
        ],
        options: |p| {
            json!({"project": common(p), "products": p.products, "flood": p.flood, "losses": p.losses, "relief": p.relief,
                   "name": p.project.name, "name_en": p.project.name_en})
        },
        run: products::run,
    },
    Task {
        name: "validation",
        inputs: &["history", "history_columns"],
        upstream: &["layers", "losses", "risk"],
        options: |p| {
            json!({"project": common(p), "validation": p.validation, "losses": p.losses, "language": p.products.language,
                   "name": p.project.name, "name_en": p.project.name_en})
        },
        run: validation::run,
    },
    Task {
        name: "report",
        inputs: &["provenance"],
        upstream: &[
            "layers",
            "weather",
            "hazard/flood",
            "hazard/convection",
            "hazard/geology",
            "hazard/fire",
            "losses",
            "risk",
            "relief",
            "lists",
            "products",
            "validation",
        ],
        options: |p| json!({"project": p, "report": p.report}),
        run: report::run,
    },
];

/// The part of the project on which every task depends.
fn common(p: &Project) -> Value {
    json!({"code": p.project.code, "screening": p.project.screening, "synthetic": p.inputs.synthetic})
}

/// Stages by which a user selects tasks.
pub const STAGES: [&str; 10] = [
    "layers",
    "weather",
    "hazard",
    "losses",
    "risk",
    "relief",
    "lists",
    "products",
    "validation",
    "report",
];

/// A file of an upstream task that ought to be there.
pub(crate) fn missing(path: &Path) -> Error {
    Error::Failed(format!(
        "{} is missing although its stage is finished; delete the output folder and run again",
        path.display()
    ))
}
