//! Exports of a finished run for other programs: the exposure (承灾体) as a portfolio of the loss engine.

use crate::stages::read_ledger;
use anlan_engine::io::parquet::{self, Column, ColumnData};
use anlan_engine::io::{geotiff, vector, write_atomic};
use anlan_engine::loss::Measure;
use anlan_engine::{Error, Fault, Grid, Result};
use anlan_models::census::buildings::BuildingTable;
use anlan_models::census::exposure::{AssetClass, ExposureValues, PeopleAt, classes};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExposureExport {
    /// When people are counted where they are.
    pub people: PeopleAt,
    /// Dwellings as buildings by structure and storeys in place of the ledger's floor by structure.
    pub buildings: bool,
    /// `exposure.csv` in place of `exposure.parquet`.
    pub csv: bool,
}

/// One row of the exposure: a value of a class at a place.
struct Item {
    place: u32,
    class: u32,
    value: f64,
    unit: usize,
}

/// Code of the first class of buildings; the others follow by structure, then storeys.
const FIRST_BUILDING: u32 = 100;

/// Writes the exposure of a finished `layers` task as a portfolio: items (`item`, `place`, `class`, `value`, `unit`), places
/// (`place`, `x_m`, `y_m`) and a portfolio file with the classes, which wants events and vulnerabilities. Returns the
/// portfolio file.
///
/// # Errors
/// No finished `layers` in the folder; the target cannot be written.
pub fn exposure(out: &Path, target: &Path, export: ExposureExport) -> Result<PathBuf> {
    let layers = out.join("layers");
    let (units, grid) = layers_of(&layers)?;
    let values = ExposureValues::builtin();
    let ledger = read_ledger(&layers.join("exposure.parquet"), grid, units.clone())?;
    let table = ledger.exposure(&values, export.people)?;
    let dwelling = |class: u16| AssetClass::DWELLINGS.iter().any(|d| *d as u16 == class);
    let mut items: Vec<Item> = (0..table.place.len())
        .filter(|&i| !(export.buildings && dwelling(table.class[i])))
        .map(|i| Item {
            place: table.place[i],
            class: u32::from(table.class[i]),
            value: table.value[i],
            unit: table.unit[i] as usize,
        })
        .collect();
    drop(table);
    if export.buildings {
        items.extend(building_items(&layers.join("buildings.parquet"))?);
        items.sort_by_key(|i| (i.place, i.class, i.unit));
    }
    fs::create_dir_all(target).map_err(|e| Error::io("creating", target, e))?;
    let name = if export.csv {
        "exposure.csv"
    } else {
        "exposure.parquet"
    };
    if export.csv {
        write_items_csv(&target.join(name), &items, &units)?;
    } else {
        write_items(&target.join(name), &items, &units)?;
    }
    write_places(&target.join("places.parquet"), &items, &grid)?;
    let file = target.join("portfolio.toml");
    let text = portfolio(name, &values, export.buildings, grid);
    write_atomic(&file, |tmp| {
        fs::write(tmp, &text).map_err(|e| Error::io("writing", tmp, e))
    })?;
    Ok(file)
}

/// Codes of the units and the grid of a finished `layers` task.
fn layers_of(layers: &Path) -> Result<(Vec<String>, Grid)> {
    for file in ["units.gpkg", "dem_m.tif", "exposure.parquet"] {
        if !layers.join(file).exists() {
            return Err(Error::input(Fault::new(
                layers.join(file),
                "no such file",
                "the output folder of a run with a finished stage `layers`",
                "run the project first, or name another folder",
            )));
        }
    }
    let borders = vector::read(&layers.join("units.gpkg"))?;
    let code = borders.require("code")?;
    let units = borders
        .features
        .iter()
        .map(|f| f.values[code].to_string())
        .collect();
    Ok((units, geotiff::info(&layers.join("dem_m.tif"))?.grid))
}

fn building_items(path: &Path) -> Result<Vec<Item>> {
    let columns = parquet::read(path)?;
    let wrong = |name: &str| Error::Failed(format!("{}: no column {name}", path.display()));
    let find = |name: &str| columns.iter().find(|c| c.name == name).map(|c| &c.data);
    let whole = |name: &str| match find(name) {
        Some(ColumnData::U32(v)) => Ok(v),
        _ => Err(wrong(name)),
    };
    let Some(ColumnData::F64(value)) = find("value_yuan") else {
        return Err(wrong("value_yuan"));
    };
    let (cell, unit) = (whole("cell")?, whole("unit")?);
    let (structure, storeys) = (whole("structure")?, whole("storeys")?);
    let classes = BuildingTable::builtin().storeys.len() as u32;
    Ok((0..cell.len())
        .map(|i| Item {
            place: cell[i],
            class: FIRST_BUILDING + structure[i] * classes + storeys[i],
            value: value[i],
            unit: unit[i] as usize,
        })
        .collect())
}

fn write_items(path: &Path, items: &[Item], units: &[String]) -> Result<()> {
    parquet::write(
        path,
        &[
            Column::new("item", ColumnData::U32((0..items.len() as u32).collect())),
            Column::new(
                "place",
                ColumnData::U32(items.iter().map(|i| i.place).collect()),
            ),
            Column::new(
                "class",
                ColumnData::U32(items.iter().map(|i| i.class).collect()),
            ),
            Column::new(
                "value",
                ColumnData::F64(items.iter().map(|i| i.value).collect()),
            ),
            Column::new(
                "unit",
                ColumnData::Text(items.iter().map(|i| units[i.unit].clone()).collect()),
            ),
        ],
    )
}

fn write_items_csv(path: &Path, items: &[Item], units: &[String]) -> Result<()> {
    use std::io::{BufWriter, Write as _};
    write_atomic(path, |tmp| {
        let failed = |e| Error::io("writing", path, e);
        let mut out = BufWriter::new(fs::File::create(tmp).map_err(failed)?);
        writeln!(out, "item,place,class,value,unit").map_err(failed)?;
        for (n, i) in items.iter().enumerate() {
            let line = writeln!(
                out,
                "{n},{},{},{},{}",
                i.place, i.class, i.value, units[i.unit]
            );
            line.map_err(failed)?;
        }
        out.flush().map_err(failed)
    })
}

fn write_places(path: &Path, items: &[Item], grid: &Grid) -> Result<()> {
    let mut places: Vec<u32> = items.iter().map(|i| i.place).collect();
    places.dedup();
    let at = |f: &dyn Fn((usize, usize)) -> f64| {
        ColumnData::F64(places.iter().map(|&p| f(grid.row_col(p))).collect())
    };
    let columns = [
        Column::new("x_m", at(&|rc| grid.x(rc.1))),
        Column::new("y_m", at(&|rc| grid.y(rc.0))),
    ];
    let [x, y] = columns;
    parquet::write(path, &[Column::new("place", ColumnData::U32(places)), x, y])
}

/// The portfolio file: classes with their measures; events and vulnerabilities are the user's to give.
fn portfolio(exposure: &str, values: &ExposureValues, buildings: bool, grid: Grid) -> String {
    let mut text = format!(
        "# Exposure of a census (普查承灾体). Give an event-set file and vulnerabilities of these names, then `anlan loss`.\n\
         name = \"census exposure\"\nevents = \"events.set\"\nexposure = \"{exposure}\"\nvulnerability = \"vulnerability.toml\"\n\
         places = \"places.parquet\"\nplaces_epsg = {}\n",
        grid.crs.epsg()
    );
    let mut class = |code: u32,
                     vulnerability: &str,
                     name: &str,
                     name_zh: &str,
                     measure: &Measure| {
        let measure = match measure {
            Measure::Money {
                currency,
                price_year,
            } => format!("currency = \"{currency}\"\nprice_year = {price_year}"),
            Measure::Count(what) => format!("count = \"{what}\""),
        };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n[[classes]]\ncode = \"{code}\"\nname = \"{name}\"\nname_zh = \"{name_zh}\"\nvulnerability = \"{vulnerability}\"\n{measure}\n"
        );
    };
    for (c, asset) in classes(values).iter().zip(AssetClass::ALL) {
        let dwelling = AssetClass::DWELLINGS.contains(&asset);
        if buildings && dwelling {
            continue;
        }
        let name = c.name.replace(", ", "-").replace(' ', "-");
        class(u32::from(c.code), &name, &c.name, &c.name_zh, &c.measure);
    }
    if buildings {
        let table = BuildingTable::builtin();
        let money = Measure::Money {
            currency: values.currency.clone(),
            price_year: values.price_year,
        };
        for (s, structure) in table.structure.iter().enumerate() {
            for (k, (storeys, zh)) in table.storeys.iter().zip(&table.storeys_zh).enumerate() {
                let code = FIRST_BUILDING + (s * table.storeys.len() + k) as u32;
                class(
                    code,
                    &format!("{}-{storeys}", structure.id),
                    &format!("{}, {storeys} storeys", structure.name),
                    &format!("{}·{zh}", structure.name_zh),
                    &money,
                );
            }
        }
    }
    text
}
