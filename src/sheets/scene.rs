//! What a scenario does: people by township, depths, hotspots, sites and places, from the run's files.

use crate::fast_report::townships_of_event;
use crate::stages::lists::events::{self, EventTable, Wanted};
use crate::stages::lists::ground::{Ground, depths};
use crate::stages::{Context, store};
use anlan_engine::io::Value;
use anlan_engine::io::table::{self, Table};
use anlan_engine::{Error, Fault, Raster, Result};
use anlan_models::hazard::Hazard;
use anlan_models::lists::PromptRules;
use anlan_models::simulation::UnitLoss;

/// Which scenario.
#[derive(Debug, Clone, PartialEq)]
pub enum Scenario {
    /// The flood maps of a return period, years.
    ReturnPeriod(f64),
    /// An event of the event loss table.
    Event(String),
}

/// A scenario read from a run.
pub struct Scene {
    pub rules: PromptRules,
    /// Return period of the scenario, years.
    pub return_period: f64,
    /// The event, with its hazards, month and losses by township.
    pub event: Option<SceneEvent>,
    /// Depths of all return periods; of an event without flood maps none is drawn.
    pub depths: Vec<Raster<f32>>,
    /// Position of the return period whose depths stand for the scenario.
    pub at: usize,
    /// By township: residents at risk.
    pub at_risk: Vec<f64>,
    /// By township: residents to be moved.
    pub to_move: Vec<f64>,
    /// By township: greatest depth where people live, m.
    pub deepest: Vec<f32>,
    /// Rows of the risk list that belong to points.
    pub points: Vec<PointRow>,
}

/// An event as a scenario.
pub struct SceneEvent {
    pub id: String,
    pub month: usize,
    pub hazards: Vec<Hazard>,
    pub losses: Vec<UnitLoss>,
}

/// A point of the risk list.
#[derive(Debug, Clone, PartialEq)]
pub struct PointRow {
    pub kind: String,
    pub code: String,
    pub name: String,
    pub unit: String,
    pub township: String,
    pub hazard: String,
    pub level: u8,
    pub people: Option<f64>,
    pub at: (f64, f64),
    /// Depth in the scenario at the point, m.
    pub depth_m: f32,
    pub note: String,
}

impl Scene {
    pub fn read(ctx: &Context<'_>, ground: &Ground, scenario: &Scenario) -> Result<Self> {
        let rules = PromptRules::builtin();
        let depths = depths(ctx)?;
        let periods = store::return_periods(ctx.project);
        let (return_period, at, event) = match scenario {
            Scenario::ReturnPeriod(t) => {
                let at = periods.iter().position(|p| p == t).ok_or_else(|| {
                    let known: Vec<String> = periods.iter().map(f64::to_string).collect();
                    Error::input(
                        Fault::new(
                            "command line",
                            format!("{t} years"),
                            format!(
                                "a return period of the run's flood maps: {}",
                                known.join(", ")
                            ),
                            "choose one of these",
                        )
                        .at("--return-period"),
                    )
                })?;
                (*t, at, None)
            }
            Scenario::Event(id) => {
                let table = EventTable::read(ctx)?;
                let all = table.events();
                let years = ctx.project.losses.years;
                let (event, place) = events::choose(&all, &Wanted::Event(id.clone()), years)?;
                let t = events::return_period(years, place);
                let near = periods.iter().rposition(|p| *p <= t).unwrap_or(0);
                let made = SceneEvent {
                    id: id.clone(),
                    month: anlan_models::fire::danger::month_of(event.day as u16),
                    hazards: event.hazards.clone(),
                    losses: townships_of_event(ctx, ground, event)?,
                };
                (t, near, Some(made))
            }
        };
        let n = ground.townships.len();
        let (mut at_risk, mut to_move) = (vec![0.0; n], vec![0.0; n]);
        let mut deepest = vec![0.0_f32; n];
        let depth = depths[at].values();
        for (row, &t) in ground.ledger.rows.iter().zip(&ground.township_of_row) {
            let d = f64::from(depth[row.cell as usize]);
            let people = f64::from(row.population);
            if people > 0.0 && d >= rules.people.at_risk_m && (t as usize) < n {
                at_risk[t as usize] += people;
                deepest[t as usize] = deepest[t as usize].max(d as f32);
                if d >= rules.people.to_move_m {
                    to_move[t as usize] += people;
                }
            }
        }
        if let Some(e) = &event {
            // The event's own people: the loss table has counted them once per cause, over all hazards.
            for (t, loss) in e.losses.iter().enumerate() {
                (at_risk[t], to_move[t]) = (loss.affected, loss.relocated);
            }
        }
        let points = points(ctx, ground, &depths[at])?;
        Ok(Scene {
            rules,
            return_period,
            event,
            depths,
            at,
            at_risk,
            to_move,
            deepest,
            points,
        })
    }

    /// Name for folders.
    pub fn label(&self) -> String {
        match &self.event {
            Some(e) => format!("event-{}", e.id),
            None => format!("rp{:04}", self.return_period.round() as u64),
        }
    }

    /// Hazards of the scenario, as measures name them. A storm of a return period brings slides, too.
    pub fn hazards(&self) -> Vec<&'static str> {
        match &self.event {
            Some(e) => e.hazards.iter().map(|h| h.name()).collect(),
            None => vec![Hazard::Flood.name(), Hazard::Geology.name()],
        }
    }

    /// Depth of a return period by position, at a cell; 0 where dry.
    pub fn depth(&self, period: usize, cell: usize) -> f32 {
        let d = self.depths[period].values()[cell];
        if d > 0.0 { d } else { 0.0 }
    }
}

fn points(ctx: &Context<'_>, ground: &Ground, depth: &Raster<f32>) -> Result<Vec<PointRow>> {
    let table = table::read_list(&store::existing(ctx, "lists", "risk_list.csv")?)?;
    let names = [
        "kind", "code", "name", "unit", "township", "hazard", "level", "people", "lon", "lat",
        "note",
    ];
    let at = columns(&table, &names)?;
    Ok(table
        .rows
        .iter()
        .filter(|row| {
            ["danger-site", "hotspot", "place"].contains(&row[at[0]].to_string().as_str())
        })
        .filter_map(|row| {
            let text = |k: usize| row[at[k]].to_string();
            let number = |k: usize| row[at[k]].as_f64();
            let place = ground.from_degrees.point(number(8)?, number(9)?);
            let cell = ground.cell(place);
            let depth = cell.map_or(0.0, |c| depth.values()[c]);
            Some(PointRow {
                kind: text(0),
                code: text(1),
                name: text(2),
                unit: text(3),
                township: text(4),
                hazard: text(5),
                level: number(6)? as u8,
                people: number(7),
                at: place,
                depth_m: if depth > 0.0 { depth } else { 0.0 },
                note: text(10),
            })
        })
        .collect())
}

fn columns(table: &Table, names: &[&str]) -> Result<Vec<usize>> {
    names.iter().map(|n| table.require(n)).collect()
}

/// A figure of people as text.
pub fn people(v: f64) -> String {
    format!("{}", v.round())
}

/// A value as text, blank for none.
pub fn blank(v: Option<f64>) -> String {
    v.map_or_else(String::new, |v| {
        Value::Integer(v.round() as i64).to_string()
    })
}
