//! What the lists and sheets stand on: units, townships, residents and assets, each row of the exposure in one township of its
//! own county.

use crate::stages::{Context, store};
use anlan_engine::io::table;
use anlan_engine::{Crs, Error, Grid, Projector, Raster, Result};
use anlan_models::census::Ledger;
use anlan_models::census::exposure::{AssetClass, ExposureValues, PeopleAt};
use anlan_models::lists::ListRules;
use std::path::Path;

/// A township.
#[derive(Debug, Clone, PartialEq)]
pub struct TownshipRow {
    pub code: String,
    pub name: String,
    /// Index of its county.
    pub unit: usize,
    pub population: f64,
    /// Middle of its cells, in the system of the project.
    pub middle: (f64, f64),
    /// Where the record comes from.
    pub provenance: String,
}

/// The ground.
pub struct Ground {
    pub grid: Grid,
    pub units: Vec<store::UnitRow>,
    pub townships: Vec<TownshipRow>,
    /// Township of each cell; `u32::MAX` outside.
    pub township_of: Vec<u32>,
    /// Unit of each cell; `u32::MAX` outside.
    pub unit_of: Vec<u32>,
    pub ledger: Ledger,
    /// Township of each row of the ledger: that of its cell, or the nearest of its county where the cell is another county's.
    pub township_of_row: Vec<u32>,
    /// Assets of each row, yuan.
    pub assets_of_row: Vec<f64>,
    /// Residents of each cell.
    pub people: Vec<f64>,
    /// Assets of each cell, yuan.
    pub assets: Vec<f64>,
    pub to_degrees: Projector,
    pub from_degrees: Projector,
}

impl Ground {
    /// From the `layers` of a run.
    pub fn read(ctx: &Context<'_>) -> Result<Self> {
        let grid = store::grid(ctx)?;
        let units = store::units(ctx)?;
        let ledger = store::ledger(ctx, grid, &units)?;
        let index = |raster: Raster<f32>| -> Vec<u32> {
            let of = |&v: &f32| if v.is_nan() { u32::MAX } else { v as u32 };
            raster.values().iter().map(of).collect()
        };
        let township_of = index(store::raster(ctx, "layers", "township.tif")?);
        let unit_of = index(store::raster(ctx, "layers", "unit.tif")?);
        let townships = townships(
            &store::existing(ctx, "layers", "townships.csv")?,
            &units,
            &grid,
            &township_of,
        )?;
        let township_of_row = ledger
            .rows
            .iter()
            .map(|row| {
                let here = township_of[row.cell as usize];
                let unit = usize::from(row.unit);
                match townships.get(here as usize) {
                    Some(t) if t.unit == unit => here,
                    _ => nearest(&townships, unit, &grid, row.cell),
                }
            })
            .collect();
        let mut people = vec![0.0; grid.cells()];
        for row in &ledger.rows {
            people[row.cell as usize] += f64::from(row.population);
        }
        let assets_of_row = assets(&ledger)?;
        let mut assets = vec![0.0; grid.cells()];
        for (row, value) in ledger.rows.iter().zip(&assets_of_row) {
            assets[row.cell as usize] += value;
        }
        Ok(Ground {
            grid,
            units,
            townships,
            township_of,
            unit_of,
            ledger,
            township_of_row,
            assets_of_row,
            people,
            assets,
            to_degrees: Projector::new(grid.crs, Crs::CGCS2000),
            from_degrees: Projector::new(Crs::CGCS2000, grid.crs),
        })
    }

    /// Cell of a point; none outside the grid.
    pub fn cell(&self, (x, y): (f64, f64)) -> Option<usize> {
        self.grid.cell_at(x, y).map(|(r, c)| r * self.grid.cols + c)
    }

    /// County and township of a cell.
    pub fn place(&self, cell: usize) -> (Option<usize>, Option<usize>) {
        let some = |v: u32| (v != u32::MAX).then_some(v as usize);
        (some(self.unit_of[cell]), some(self.township_of[cell]))
    }

    /// Middle of a cell.
    pub fn middle(&self, cell: u32) -> (f64, f64) {
        let (r, c) = self.grid.row_col(cell);
        (self.grid.x(c), self.grid.y(r))
    }

    /// Residents and assets of every township in cells where `hit` holds: (people, yuan). Added up over the townships of a
    /// county they are the county's.
    pub fn exposed(&self, hit: impl Fn(usize) -> bool) -> Vec<(u64, f64)> {
        let mut out = vec![(0_u64, 0.0_f64); self.townships.len()];
        for ((row, &t), &assets) in self
            .ledger
            .rows
            .iter()
            .zip(&self.township_of_row)
            .zip(&self.assets_of_row)
        {
            if hit(row.cell as usize)
                && let Some(sum) = out.get_mut(t as usize)
            {
                sum.0 += u64::from(row.population);
                sum.1 += assets;
            }
        }
        out
    }

    /// Sums over the townships of a county.
    pub fn of_unit(&self, unit: usize, townships: &[(u64, f64)]) -> (u64, f64) {
        self.townships
            .iter()
            .zip(townships)
            .filter(|(t, _)| t.unit == unit)
            .fold((0, 0.0), |(p, a), (_, v)| (p + v.0, a + v.1))
    }
}

/// Depths of all return periods of the project, ascending.
pub fn depths(ctx: &Context<'_>) -> Result<Vec<Raster<f32>>> {
    store::return_periods(ctx.project)
        .iter()
        .map(|&t| store::raster(ctx, "hazard/flood", &store::rp_file("depth_m", t)))
        .collect()
}

/// Position of the return period nearest below the wanted one.
pub fn period_at(ctx: &Context<'_>, wanted: f64) -> usize {
    let periods = store::return_periods(ctx.project);
    let chosen = ListRules::period(periods, wanted);
    periods.iter().position(|&t| t == chosen).unwrap_or(0)
}

fn townships(
    path: &Path,
    units: &[store::UnitRow],
    grid: &Grid,
    of: &[u32],
) -> Result<Vec<TownshipRow>> {
    let list = table::read(path)?;
    let (code, name, unit) = (
        list.require("code")?,
        list.require("name")?,
        list.require("unit")?,
    );
    let (population, provenance) = (list.require("population")?, list.column("provenance"));
    let mut sums = vec![(0.0_f64, 0.0_f64, 0_u32); list.rows.len()];
    for (cell, &t) in of.iter().enumerate() {
        if let Some(sum) = sums.get_mut(t as usize) {
            let (r, c) = grid.row_col(cell as u32);
            sum.0 += grid.x(c);
            sum.1 += grid.y(r);
            sum.2 += 1;
        }
    }
    list.rows
        .iter()
        .zip(sums)
        .map(|(row, (x, y, n))| {
            let owner = row[unit].to_string();
            let unit = units.iter().position(|u| u.code == owner).ok_or_else(|| {
                Error::Failed(format!(
                    "{}: unit {owner} is none of the run's",
                    path.display()
                ))
            })?;
            let n = f64::from(n.max(1));
            Ok(TownshipRow {
                code: row[code].to_string(),
                name: row[name].to_string(),
                unit,
                population: row[population].as_f64().unwrap_or(0.0),
                middle: (x / n, y / n),
                provenance: provenance.map_or_else(String::new, |p| row[p].to_string()),
            })
        })
        .collect()
}

/// The township of a county whose middle is nearest to a cell; `u32::MAX` where the county has none.
fn nearest(townships: &[TownshipRow], unit: usize, grid: &Grid, cell: u32) -> u32 {
    let (r, c) = grid.row_col(cell);
    let (x, y) = (grid.x(c), grid.y(r));
    let far = |t: &TownshipRow| {
        let (dx, dy) = (t.middle.0 - x, t.middle.1 - y);
        dx * dx + dy * dy
    };
    townships
        .iter()
        .enumerate()
        .filter(|(_, t)| t.unit == unit)
        .min_by(|a, b| far(a.1).total_cmp(&far(b.1)))
        .map_or(u32::MAX, |(n, _)| n as u32)
}

/// Dwellings, industry, crops, forest and roads of each row at their values, yuan: what the loss engine is given.
fn assets(ledger: &Ledger) -> Result<Vec<f64>> {
    let exposure = ledger.exposure(&ExposureValues::builtin(), PeopleAt::Night)?;
    let mut out = vec![0.0; ledger.rows.len()];
    for (i, &class) in exposure.class.iter().enumerate() {
        if AssetClass::is_rooms(class) || class == AssetClass::People as u16 {
            continue;
        }
        let key = (exposure.place[i], exposure.unit[i]);
        // Rows of a ledger stand by ascending cell and unit.
        if let Ok(n) = ledger.rows.binary_search_by_key(&key, |r| (r.cell, r.unit)) {
            out[n] += exposure.value[i];
        }
    }
    Ok(out)
}
