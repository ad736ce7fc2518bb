//! Sheets made from a finished run: warning prompt sheets (预警提示单) of a scenario, flood sheets of townships (乡镇、村级洪水风险图，
//! 山洪形势图), cards of hidden-danger sites (地质灾害明白卡).
//!
//! | file | holds |
//! | --- | --- |
//! | `scene` | what a scenario does: people and depths by township, hotspots, sites, places |
//! | `prompt` | one prompt sheet a county |
//! | `township` | one map sheet a township |
//! | `card` | one card a hidden-danger site |
//! | `paper` | pages to files: SVG, PNG |

mod card;
mod paper;
mod prompt;
mod scene;
mod township;

use crate::progress::Listener;
use crate::stages::finished::{self, Opening};
use crate::stages::lists::ground::Ground;
use crate::stages::lists::standards;
use anlan_engine::{Error, Fault, Result};
use std::path::{Path, PathBuf};

pub use scene::Scenario;

/// What is drawn and how.
#[derive(Debug, Clone)]
pub struct SheetOptions {
    /// How the run is opened.
    pub opening: Opening,
    /// The scenario.
    pub scenario: Scenario,
    /// Counties, or townships, by code; all where empty.
    pub codes: Vec<String>,
    /// Folder to write; `sheets` in the run's folder by default.
    pub to: Option<PathBuf>,
}

const TASKS: [&str; 5] = ["layers", "hazard/flood", "losses", "risk", "lists"];

/// Writes a prompt sheet for each county: pages as PNG and SVG, `prompt.xlsx` with a row a county, and
/// `summary.md`. Returns the folder.
///
/// # Errors
/// No finished run, an unknown scenario or county, a character that no font has.
pub fn prompts(out: &Path, options: &SheetOptions, listener: &Listener<'_>) -> Result<PathBuf> {
    finished::with(out, &options.opening, &TASKS, listener, |ctx| {
        let ground = Ground::read(ctx)?;
        let known: Vec<&str> = ground.units.iter().map(|u| u.code.as_str()).collect();
        let chosen = choose(&options.codes, &known, "--unit", "a county of the run")?;
        let scene = scene::Scene::read(ctx, &ground, &options.scenario)?;
        let folder = options
            .to
            .clone()
            .unwrap_or_else(|| out.join("sheets").join(format!("prompt-{}", scene.label())));
        prompt::write(ctx, &ground, &scene, &chosen, &folder)?;
        Ok(folder)
    })
}

/// Writes a flood sheet for each township: PNG, and `townships.csv` with their figures. Returns the folder.
///
/// # Errors
/// As [`prompts`]; a scenario that is no return period of the run's maps.
pub fn townships(out: &Path, options: &SheetOptions, listener: &Listener<'_>) -> Result<PathBuf> {
    finished::with(out, &options.opening, &TASKS, listener, |ctx| {
        let ground = Ground::read(ctx)?;
        let known: Vec<&str> = ground.townships.iter().map(|t| t.code.as_str()).collect();
        let mut codes = options.codes.clone();
        // The code of a county stands for all its townships.
        for (u, unit) in ground.units.iter().enumerate() {
            if let Some(at) = codes.iter().position(|c| *c == unit.code) {
                codes.remove(at);
                let of = ground.townships.iter().filter(|t| t.unit == u);
                codes.extend(of.map(|t| t.code.clone()));
            }
        }
        let chosen = choose(
            &codes,
            &known,
            "--township",
            "a township or county of the run",
        )?;
        let scene = scene::Scene::read(ctx, &ground, &options.scenario)?;
        let folder = options.to.clone().unwrap_or_else(|| {
            out.join("sheets")
                .join(format!("township-{}", scene.label()))
        });
        township::write(ctx, &ground, &scene, &chosen, &folder)?;
        Ok(folder)
    })
}

/// Writes a card for each hidden-danger site of the counties (all where `units` is empty): a PDF a county, `cards.xlsx`, `summary.md`.
/// Returns the folder, `sheets/cards` in the run's folder by default.
///
/// # Errors
/// No finished run, an unknown county, a character that no font has.
pub fn cards(
    out: &Path,
    opening: &Opening,
    units: &[String],
    to: Option<PathBuf>,
    listener: &Listener<'_>,
) -> Result<PathBuf> {
    finished::with(out, opening, &["layers", "lists"], listener, |ctx| {
        let ground = Ground::read(ctx)?;
        let known: Vec<&str> = ground.units.iter().map(|u| u.code.as_str()).collect();
        let chosen = choose(units, &known, "--unit", "a county of the run")?;
        let folder = to.unwrap_or_else(|| out.join("sheets/cards"));
        card::write(ctx, &ground, &chosen, &folder)?;
        Ok(folder)
    })
}

/// Positions of the codes among those known; all where none are named.
fn choose(codes: &[String], known: &[&str], option: &str, expected: &str) -> Result<Vec<usize>> {
    if codes.is_empty() {
        return Ok((0..known.len()).collect());
    }
    let mut faults = Vec::new();
    let mut out = Vec::new();
    for code in codes {
        match known.iter().position(|k| k == code) {
            Some(n) if out.contains(&n) => {}
            Some(n) => out.push(n),
            None => faults.push(
                Fault::new(
                    "command line",
                    format!("`{code}`"),
                    expected,
                    "take a code of lists/risk_list.csv",
                )
                .at(option),
            ),
        }
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(Error::Input(faults))
    }
}

/// Responsible persons of the run, as `lists` has joined them: (code at which they stand, role code) to their lines.
fn persons(ctx: &crate::stages::Context<'_>) -> Result<Vec<Contact>> {
    let table = anlan_engine::io::table::read_list(&crate::stages::store::existing(
        ctx,
        "lists",
        "responsibility.csv",
    )?)?;
    let [at, role, role_zh, person, post, phone] =
        ["at", "role", "role_zh", "person", "post", "phone"].map(|c| table.require(c));
    let (at, role, role_zh, person, post, phone) = (at?, role?, role_zh?, person?, post?, phone?);
    let mut out: Vec<Contact> = Vec::new();
    for row in &table.rows {
        let text = |c: usize| row[c].to_string();
        let contact = Contact {
            at: text(at),
            role: text(role),
            role_zh: text(role_zh),
            person: text(person),
            post: text(post),
            phone: text(phone),
        };
        if !out.contains(&contact) {
            out.push(contact);
        }
    }
    Ok(out)
}

/// A line of the responsibility list without its object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Contact {
    at: String,
    role: String,
    role_zh: String,
    person: String,
    post: String,
    phone: String,
}

/// Rules and measures, for the sheets.
fn measures(ctx: &crate::stages::Context<'_>) -> Result<anlan_models::lists::Measures> {
    standards::measures(ctx)
}
