//! Hidden-danger sites and critical places as points of the lists.

use super::ground::Ground;
use crate::stages::{Context, store};
use anlan_engine::Result;
use anlan_engine::io::table::{self, Table};
use anlan_models::geology::sites::{HiddenSite, read_sites};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A critical place (重点场所).
#[derive(Debug, Clone, PartialEq)]
pub struct CriticalPlace {
    pub code: String,
    pub name: String,
    /// Kind in Chinese, as the table or this file says: 学校, 医院, 避难场所, 救灾物资储备库.
    pub kind: String,
    /// In the system of the project.
    pub at: (f64, f64),
    /// People in it; none where the table does not say.
    pub people: Option<f64>,
    pub provenance: String,
    /// File of `layers` that it comes from.
    pub source: &'static str,
}

/// Critical places of a run: schools, hospitals, homes for the aged and others from `critical_places.csv` where `layers` has left
/// it (columns code, name, kind, lon, lat, and people, capacity_people or capacity if known), then shelters and depots, which are such
/// places in any case.
pub fn critical_places(ctx: &Context<'_>, ground: &Ground) -> Result<Vec<CriticalPlace>> {
    let mut out = Vec::new();
    let given = ctx.folder("layers").join("critical_places.csv");
    if given.exists() {
        out.extend(read(
            ground,
            &table::read_list(&given)?,
            "critical_places.csv",
            None,
        )?);
    }
    for (file, kind) in [
        ("shelters.csv", "避难场所"),
        ("depots.csv", "救灾物资储备库"),
    ] {
        let table = table::read_list(&store::existing(ctx, "layers", file)?)?;
        let more = read(ground, &table, file, Some(kind))?;
        // A shelter that the table of critical places holds already is told once.
        let known: BTreeSet<String> = out.iter().map(|p: &CriticalPlace| p.code.clone()).collect();
        out.extend(more.into_iter().filter(|p| !known.contains(&p.code)));
    }
    Ok(out)
}

fn read(
    ground: &Ground,
    table: &Table,
    source: &'static str,
    kind: Option<&str>,
) -> Result<Vec<CriticalPlace>> {
    let [code, name, lon, lat] = ["code", "name", "lon", "lat"].map(|c| table.require(c));
    let (code, name, lon, lat) = (code?, name?, lon?, lat?);
    let people = ["people", "capacity_people", "capacity"]
        .into_iter()
        .find_map(|name| table.column(name));
    let provenance = table.column("provenance");
    let kinds = match kind {
        None => Some(
            table
                .column("kind_zh")
                .map_or_else(|| table.require("kind"), Ok)?,
        ),
        Some(_) => None,
    };
    let text = |row: &[anlan_engine::io::Value], column: Option<usize>| {
        column.map_or_else(String::new, |c| row[c].to_string())
    };
    Ok(table
        .rows
        .iter()
        .filter_map(|row| {
            let (lon, lat) = (row[lon].as_f64()?, row[lat].as_f64()?);
            Some(CriticalPlace {
                code: row[code].to_string(),
                name: row[name].to_string(),
                kind: kind.map_or_else(|| text(row, kinds), str::to_owned),
                at: ground.from_degrees.point(lon, lat),
                people: people.and_then(|c| row[c].as_f64()),
                provenance: text(row, provenance),
                source,
            })
        })
        .collect())
}

/// Hidden-danger sites with their coordinates in the system of the project: what lies within ±180 and ±90 is degrees.
pub fn danger_sites(ctx: &Context<'_>, ground: &Ground) -> Result<Vec<HiddenSite>> {
    let path: PathBuf = store::existing(ctx, "layers", "danger_sites.csv")?;
    let table = table::read_list(&path)?;
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect();
    let mut sites = read_sites(&path, &table.columns, &rows, table.first_row)?;
    for site in &mut sites {
        if site.x.abs() <= 180.0 && site.y.abs() <= 90.0 {
            (site.x, site.y) = ground.from_degrees.point(site.x, site.y);
        }
    }
    Ok(sites)
}
