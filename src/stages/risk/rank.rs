//! `ranking.csv`: units by average annual loss, with what the simulated years can tell of their order.

use super::super::losses::{assessed, scope_name};
use super::super::{Context, store};
use super::units::{Levels, TOTALS};
use anlan_engine::io::Value;
use anlan_engine::io::parquet::{self, ColumnData};
use anlan_engine::io::table::Table;
use anlan_engine::random::Stream;
use anlan_engine::{Error, Result};
use anlan_models::hazard::{Hazard, stream};
use anlan_models::risk::levels::level_name;
use anlan_models::risk::ranking::{bootstrap_means, rank_intervals};

/// Yearly direct losses by (scope, unit), as the year loss table has them.
struct Years {
    scopes: Vec<usize>,
    /// Per scope, per unit, per year.
    loss: Vec<Vec<Vec<f32>>>,
}

fn read(ctx: &Context<'_>, units: usize) -> Result<Years> {
    let path = store::existing(ctx, "losses", "year_loss.parquet")?;
    let columns = parquet::read(&path)?;
    let find = |name: &str| {
        columns
            .iter()
            .find(|c| c.name == name)
            .map(|c| &c.data)
            .ok_or_else(|| Error::Failed(format!("{}: column {name} is missing", path.display())))
    };
    let (
        ColumnData::U32(unit),
        ColumnData::U32(hazard),
        ColumnData::U32(year),
        ColumnData::F32(loss),
    ) = (
        find("unit")?,
        find("hazard")?,
        find("year")?,
        find("direct_loss_yuan")?,
    )
    else {
        return Err(Error::Failed(format!(
            "{}: columns of other types",
            path.display()
        )));
    };
    let scopes: Vec<usize> = (0..5)
        .filter(|&s| s == 0 || assessed(ctx, Hazard::ALL[s - 1]))
        .collect();
    let years = year.iter().max().map_or(0, |y| *y as usize + 1);
    let mut table = vec![vec![vec![0.0_f32; years]; units]; scopes.len()];
    for i in 0..unit.len() {
        let place = scopes.iter().position(|&s| s == hazard[i] as usize);
        if let Some(s) = place
            && let Some(of) = table[s].get_mut(unit[i] as usize)
        {
            of[year[i] as usize] = loss[i];
        }
    }
    Ok(Years {
        scopes,
        loss: table,
    })
}

fn moments(series: &[f32]) -> (f64, f64) {
    let n = series.len() as f64;
    let mean = series.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let square: f64 = series
        .iter()
        .map(|&v| (f64::from(v) - mean) * (f64::from(v) - mean))
        .sum();
    (mean, (square / (n - 1.0) / n).sqrt())
}

/// Ranks of the units, and of those above them, by loss, loss per GDP and loss per area.
pub fn table(ctx: &Context<'_>, levels: &Levels, totals: &[Vec<Vec<f64>>]) -> Result<Table> {
    let mut table = Table::new(&[
        "level",
        "unit",
        "name",
        "hazard",
        "basis",
        "value",
        "standard_error",
        "rank",
        "expected_rank",
        "rank_low",
        "rank_high",
        "confidence",
        "p_first",
        "p_first_three",
        "p_above_next",
    ]);
    let options = &ctx.project.risk;
    let h = &levels.hierarchy;
    let mut years = read(ctx, h.levels[levels.of_units].codes.len())?;
    for k in levels.of_units..h.levels.len() {
        let level = &h.levels[k];
        if k > levels.of_units {
            for of in &mut years.loss {
                let mut sums =
                    vec![vec![0.0_f32; of.first().map_or(0, Vec::len)]; level.codes.len()];
                for (&p, series) in h.levels[k - 1].parent.iter().zip(of.iter()) {
                    for (s, v) in sums[p].iter_mut().zip(series) {
                        *s += v;
                    }
                }
                *of = sums;
            }
        }
        let n = level.codes.len();
        if n < 2 {
            continue;
        }
        // All scopes see the same years.
        let series: Vec<&[f32]> = years.loss.iter().flatten().map(Vec::as_slice).collect();
        let random = Stream::new(ctx.project.project.seed, stream::BOOTSTRAP);
        let drawn = bootstrap_means(&series, options.rank_replicates, &random);
        let ones = vec![1.0; n];
        let permille: Vec<f64> = totals[4][k].iter().map(|g| g / 1000.0).collect();
        let bases: [(&str, &[f64]); 3] = [
            ("yuan", &ones),
            ("permille_of_gdp", &permille),
            ("yuan_per_km2", &totals[TOTALS.len()][k]),
        ];
        for (s, &scope) in years.scopes.iter().enumerate() {
            for (basis, divisor) in bases {
                let per = |v: f64, u: usize| {
                    if divisor[u] > 0.0 {
                        v / divisor[u]
                    } else {
                        0.0
                    }
                };
                let exact: Vec<(f64, f64)> = (0..n).map(|u| moments(&years.loss[s][u])).collect();
                let means: Vec<f64> = (0..n).map(|u| per(exact[u].0, u)).collect();
                let replicates: Vec<Vec<f64>> = drawn
                    .iter()
                    .map(|r| (0..n).map(|u| per(r[s * n + u], u)).collect())
                    .collect();
                let ranks = rank_intervals(&means, &replicates, options.rank_confidence);
                for (u, r) in ranks.into_iter().enumerate() {
                    table.rows.push(vec![
                        level_name(level.level).into(),
                        level.codes[u].clone().into(),
                        level.names[u].clone().into(),
                        scope_name(scope).into(),
                        basis.into(),
                        means[u].into(),
                        per(exact[u].1, u).into(),
                        i64::from(r.rank).into(),
                        r.expected.into(),
                        i64::from(r.low).into(),
                        i64::from(r.high).into(),
                        options.rank_confidence.into(),
                        r.first.into(),
                        r.first_three.into(),
                        r.above_next.map_or(Value::Null, Value::Real),
                    ]);
                }
            }
        }
    }
    Ok(table)
}
