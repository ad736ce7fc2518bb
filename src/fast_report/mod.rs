//! The loss fast report (灾情快报) of an event of the simulated set: by township, county and region, with the response level, the
//! share of the GDP, and reported figures beside it.
//!
//! Townships: the year of the event is simulated again over the townships, which draw their damage as their counties do, so that
//! their losses add up to those of the event loss table; where they do not, the report fails.

mod outputs;
mod reported;

use crate::progress::Listener;
use crate::stages::finished::{self, Opening};
use crate::stages::lists::events::{self, EventSum, EventTable};
use crate::stages::lists::ground::Ground;
use crate::stages::{Context, losses, store};
use anlan_engine::io::table;
use anlan_engine::{Error, Fault, Result};
use anlan_models::census::Ledger;
use anlan_models::lists::fast_report::{CountyLoss, Figures, ReportForm, fill};
use anlan_models::relief::norm::Triggers;
use anlan_models::simulation::{UnitLoss, run_block};
use std::path::{Path, PathBuf};

pub use crate::stages::finished::Opening as RunOpening;
pub use crate::stages::lists::events::Wanted;

/// What is reported and how.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// How the run is opened.
    pub opening: Opening,
    /// The event.
    pub wanted: Wanted,
    /// Reported figures (上报表) to be set beside the modelled ones.
    pub reported: Option<PathBuf>,
    /// Response triggers of the jurisdiction; the national ones where absent.
    pub triggers: Option<PathBuf>,
    /// The form; the compiled-in one where absent.
    pub form: Option<PathBuf>,
    /// Folder to write; `fast_report` in the run's folder by default.
    pub to: Option<PathBuf>,
    /// Chinese summary.
    pub zh: bool,
}

/// Everything that a report says.
pub(crate) struct Report {
    pub form: ReportForm,
    pub event: EventSum,
    pub return_period: f64,
    pub figures: Figures,
    /// Townships of each county, as positions in the ground's list.
    pub members: Vec<Vec<usize>>,
    pub triggers: Triggers,
    pub response: Option<u8>,
    /// Direct loss of counties and region over their GDP.
    pub per_gdp: Vec<f64>,
    /// Probability that the year's loss exceeds 1 % of the GDP, counties then region.
    pub above: Vec<Option<f64>>,
}

/// Writes the report of an event: `fast_report.xlsx`, `fast_report.csv`, `comparison.csv` where figures were reported, and
/// `summary.md`. Returns the folder.
///
/// # Errors
/// No finished run, an unknown event, a form, triggers or reported table at fault.
pub fn run(out: &Path, options: &ReportOptions, listener: &Listener<'_>) -> Result<PathBuf> {
    let form = parse(
        options.form.as_deref(),
        ReportForm::builtin,
        ReportForm::parse,
    )?;
    let triggers = parse(
        options.triggers.as_deref(),
        Triggers::builtin,
        read_triggers,
    )?;
    let tasks = [
        "layers",
        "weather",
        "hazard/flood",
        "hazard/convection",
        "hazard/geology",
        "hazard/fire",
        "losses",
    ];
    finished::with(out, &options.opening, &tasks, listener, |ctx| {
        let ground = Ground::read(ctx)?;
        let reported = options
            .reported
            .as_deref()
            .map(|file| reported::read(file, &form, &codes(ctx, &ground)))
            .transpose()?;
        let report = report(ctx, &ground, form, triggers, &options.wanted)?;
        let folder = options
            .to
            .clone()
            .unwrap_or_else(|| out.join("fast_report"));
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("creating", &folder, e))?;
        outputs::write(
            ctx,
            &ground,
            &report,
            reported.as_ref(),
            &folder,
            options.zh,
        )?;
        Ok(folder)
    })
}

fn parse<T>(
    file: Option<&Path>,
    builtin: impl FnOnce() -> T,
    parse: impl FnOnce(&str, &Path) -> Result<T>,
) -> Result<T> {
    match file {
        None => Ok(builtin()),
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|e| Error::io("reading", file, e))?;
            parse(&text, file)
        }
    }
}

fn read_triggers(text: &str, file: &Path) -> Result<Triggers> {
    let triggers: Triggers = toml::from_str(text).map_err(|e| {
        Error::input(Fault::new(
            file,
            e.message().to_string(),
            "a table of response triggers",
            "compare with standards/response_triggers.toml",
        ))
    })?;
    let grave = triggers.level.windows(2).all(|w| w[0].level < w[1].level);
    if triggers.level.is_empty() || !grave {
        return Err(Error::input(Fault::new(
            file,
            format!("{} levels out of order", triggers.level.len()),
            "levels from the gravest on",
            "sort the levels",
        )));
    }
    Ok(triggers)
}

/// Codes of region, counties and townships.
fn codes(ctx: &Context<'_>, ground: &Ground) -> Vec<String> {
    std::iter::once(&ctx.project.project.code)
        .chain(ground.units.iter().map(|u| &u.code))
        .chain(ground.townships.iter().map(|t| &t.code))
        .cloned()
        .collect()
}

/// The report of an event.
pub(crate) fn report(
    ctx: &Context<'_>,
    ground: &Ground,
    form: ReportForm,
    triggers: Triggers,
    wanted: &Wanted,
) -> Result<Report> {
    let table = EventTable::read(ctx)?;
    let years = ctx.project.losses.years;
    let all = table.events();
    let (event, place) = events::choose(&all, wanted, years)?;
    let townships = townships_of_event(ctx, ground, event)?;
    check(ground, &table, event, &townships)?;
    let members: Vec<Vec<usize>> = (0..ground.units.len())
        .map(|u| {
            (0..ground.townships.len())
                .filter(|&t| ground.townships[t].unit == u)
                .collect()
        })
        .collect();
    let mut rooms = vec![(0_u64, 0_u64); ground.units.len()];
    for row in &ground.ledger.rows {
        let sum = &mut rooms[usize::from(row.unit)];
        sum.0 += row.rooms.iter().map(|&r| u64::from(r)).sum::<u64>();
        sum.1 += u64::from(row.households);
    }
    let counties: Vec<CountyLoss> = members
        .iter()
        .zip(&rooms)
        .map(|(m, (rooms, households))| CountyLoss {
            townships: m.iter().map(|&t| townships[t]).collect(),
            rooms_per_household: *rooms as f64 / (*households).max(1) as f64,
        })
        .collect();
    let figures = fill(&form, &counties, ctx.project.relief.elsewhere_share);
    let total = |k: usize| event.loss[k];
    let response = triggers.level(0.0, total(6), total(7));
    let sum = |l: &UnitLoss| l.values()[..5].iter().sum::<f64>();
    let mut per_gdp: Vec<f64> = counties
        .iter()
        .zip(&ground.units)
        .map(|(c, u)| c.townships.iter().map(sum).sum::<f64>() / u.gdp_yuan.max(1.0))
        .collect();
    let gdp: f64 = ground.units.iter().map(|u| u.gdp_yuan).sum();
    per_gdp.push(event.direct_yuan() / gdp.max(1.0));
    Ok(Report {
        return_period: events::return_period(years, place),
        event: event.clone(),
        figures,
        members,
        response,
        triggers,
        per_gdp,
        above: above(ctx, ground)?,
        form,
    })
}

/// Probabilities of the `losses` stage that a year's loss exceeds 1 % of the GDP.
fn above(ctx: &Context<'_>, ground: &Ground) -> Result<Vec<Option<f64>>> {
    let table = table::read(&store::existing(ctx, "losses", "indicators.csv")?)?;
    let (unit, above) = (
        table.require("unit")?,
        table.require("probability_loss_above_1_percent_of_gdp")?,
    );
    let of = |code: &str| {
        let row = table.rows.iter().find(|r| r[unit].to_string() == code)?;
        row[above].as_f64()
    };
    let units = ground.units.iter().map(|u| of(&u.code));
    Ok(units.chain([of(&ctx.project.project.code)]).collect())
}

/// Losses of an event by township: its year is simulated again with the townships as units.
pub(crate) fn townships_of_event(
    ctx: &Context<'_>,
    ground: &Ground,
    event: &EventSum,
) -> Result<Vec<UnitLoss>> {
    let n = ground.townships.len();
    if n > usize::from(u16::MAX) || ground.township_of_row.iter().any(|&t| t as usize >= n) {
        return Err(Error::Failed(
            "some exposure lies in a county without townships".into(),
        ));
    }
    let mut rows = ground.ledger.rows.clone();
    for (row, &t) in rows.iter_mut().zip(&ground.township_of_row) {
        row.unit = t as u16;
    }
    let ledger = Ledger {
        grid: ground.grid,
        units: ground.townships.iter().map(|t| t.code.clone()).collect(),
        rows,
    };
    let counties = ground.townships.iter().map(|t| t.unit as u16).collect();
    losses::simulate(ctx, &ledger, Some(counties), |simulator, weather| {
        let result = run_block(simulator, &|y| weather.year(y), event.year..event.year + 1);
        let mut out = vec![[0.0_f64; 10]; n];
        for row in result.rows.iter().filter(|r| r.cause == event.cause) {
            for (sum, v) in out[usize::from(row.unit)].iter_mut().zip(row.loss.values()) {
                *sum += v;
            }
        }
        Ok(out.into_iter().map(of_values).collect())
    })
}

fn of_values(v: [f64; 10]) -> UnitLoss {
    UnitLoss {
        dwellings_yuan: v[0],
        assets_yuan: v[1],
        crops_yuan: v[2],
        forest_yuan: v[3],
        roads_yuan: v[4],
        affected: v[5],
        relocated: v[6],
        collapsed_rooms: v[7],
        crop_ha: v[8],
        forest_ha: v[9],
    }
}

/// Sums in another order differ by rounding; more is another event.
const TOLERANCE: f64 = 1e-6;

/// Losses of the townships must add up to those of the event loss table, county by county.
fn check(
    ground: &Ground,
    table: &EventTable,
    event: &EventSum,
    townships: &[UnitLoss],
) -> Result<()> {
    let mut sums = vec![[0.0_f64; 10]; ground.units.len()];
    for (t, loss) in ground.townships.iter().zip(townships) {
        for (sum, v) in sums[t.unit].iter_mut().zip(loss.values()) {
            *sum += v;
        }
    }
    let mut told = vec![[0.0_f64; 10]; ground.units.len()];
    for (_, unit, loss) in table.rows(event.year, event.cause) {
        for (sum, v) in told[unit as usize].iter_mut().zip(loss) {
            *sum += v;
        }
    }
    for (u, (sum, told)) in sums.iter().zip(&told).enumerate() {
        for (k, name) in UnitLoss::COLUMNS.iter().enumerate() {
            if (sum[k] - told[k]).abs() > TOLERANCE * told[k].abs().max(1.0) {
                return Err(Error::Failed(format!(
                    "event {}: {name} of {} is {} by townships and {} in the event loss table",
                    event.id(),
                    ground.units[u].code,
                    sum[k],
                    told[k]
                )));
            }
        }
    }
    Ok(())
}
