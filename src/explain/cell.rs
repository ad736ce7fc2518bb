//! Chains of one cell.

use super::{Case, ChainTold, PlaceTold, fill};
use crate::stages::risk::sources::Values;
use anlan_engine::io::{geotiff, table};
use anlan_engine::{Crs, Error, Fault, Projector, Result, Window};
use anlan_models::risk::score;

/// Tells the chains of the cell at a point.
pub(super) fn explain(case: &Case<'_>, at: (f64, f64)) -> Result<(PlaceTold, Vec<ChainTold>)> {
    let grid = case.grid;
    let degrees = at.0.abs() <= 180.0 && at.1.abs() <= 90.0;
    let (x, y) = if degrees {
        Projector::new(Crs::CGCS2000, grid.crs).point(at.0, at.1)
    } else {
        at
    };
    let outside = |what: &str| {
        Error::input(
            Fault::new(
                "command line",
                format!("{}, {}: {what}", at.0, at.1),
                "a point within the units",
                "give x,y of the compute system, or longitude,latitude in degrees",
            )
            .at("--at"),
        )
    };
    let (row, col) = grid
        .cell_at(x, y)
        .ok_or_else(|| outside("outside the compute grid"))?;
    let one = |file: &str| -> Result<f64> {
        let window = Window {
            row,
            col,
            rows: 1,
            cols: 1,
        };
        let raster = geotiff::read_window_f32(&case.out.join(file), 1, window)?;
        Ok(f64::from(raster.values()[0]))
    };
    let unit = one("layers/unit.tif")?;
    if unit.is_nan() {
        return Err(outside("outside the units"));
    }
    let township = one("layers/township.tif")?;
    let list = table::read(&case.out.join("layers/townships.csv"))?;
    let code = if township.is_nan() {
        let units = anlan_engine::io::vector::read(&case.out.join("layers/units.gpkg"))?;
        let column = units.require("code")?;
        format!("{}000", units.features[unit as usize].values[column])
    } else {
        list.rows[township as usize][list.require("code")?].to_string()
    };
    let mut units = Vec::new();
    let mut next = Some(code);
    while let Some(code) = next {
        let found = case.chains.units.iter().find(|u| u.code == code);
        next = found
            .filter(|u| !u.parent.is_empty())
            .map(|u| u.parent.clone());
        units.extend(found.map(|u| (u.level.clone(), u.code.clone(), u.name.clone())));
    }
    let (lon, lat) = Projector::new(grid.crs, Crs::CGCS2000).point(grid.x(col), grid.y(row));
    let place = PlaceTold::Cell {
        row,
        col,
        x: grid.x(col),
        y: grid.y(row),
        epsg: grid.crs.epsg(),
        lon,
        lat,
        units,
    };
    let mut values = Values::new(
        case.project,
        case.out,
        grid.cols,
        vec![grid.index(row, col)],
    );
    let mut chains = Vec::new();
    let mut results = Vec::new();
    for &hazard in &case.hazards {
        let name = hazard.name();
        let own = chain(case, &mut values, ("cell", name, "hazard"))?;
        let classes = case.pack(case.chain("cell", name, "hazard")?)?.0.classes();
        values.put("hazard-index", vec![own.index.unwrap_or(f64::NAN)]);
        values.put("hazard-score", vec![score(own.grade, classes)]);
        let mut objects = Vec::new();
        if case.object != "hazard" {
            objects.push(case.object);
        }
        if case.all && case.object != "comprehensive" {
            objects.push("comprehensive");
        }
        let mut of = vec![own];
        for object in objects {
            let told = chain(case, &mut values, ("cell", name, object))?;
            if object == "comprehensive" {
                let classes = case.pack(case.chain("cell", name, object)?)?.0.classes();
                results.push((name, told.index, score(told.grade, classes)));
            }
            of.push(told);
        }
        if case.told.as_deref() != Some("all") {
            chains.extend(of);
        }
        values.forget();
    }
    if case.all && case.object == "comprehensive" {
        let any = results.iter().any(|r| r.1.is_some());
        for (name, index, score) in &results {
            let or_zero = if any { 0.0 } else { f64::NAN };
            values.put(
                &format!("{name}-risk-index"),
                vec![index.unwrap_or(or_zero)],
            );
            values.put(
                &format!("{name}-risk-score"),
                vec![if any { *score } else { f64::NAN }],
            );
        }
        let methods = case.chains.chains.iter();
        for c in methods.filter(|c| c.level == "cell" && c.hazard == "all") {
            chains.push(chain(case, &mut values, ("cell", "all", &c.object))?);
        }
    }
    for told in &mut chains {
        let found = case.chain("cell", &told.hazard, &told.object)?;
        let file = format!("{}.tif", found.raster);
        let window = Window {
            row,
            col,
            rows: 1,
            cols: 1,
        };
        let path = case.out.join("risk").join(&file);
        let raster = geotiff::read_window_f32(&path, 1, window)?;
        let v = raster.values()[0];
        let grade = if v.is_nan() { 0 } else { v as u8 };
        told.stored = Some((format!("risk/{file}"), grade));
    }
    Ok((place, chains))
}

fn chain(case: &Case<'_>, values: &mut Values<'_>, key: (&str, &str, &str)) -> Result<ChainTold> {
    let found = case.chain(key.0, key.1, key.2)?;
    let mut told = case.told(found)?;
    let (pack, _) = case.pack(found)?;
    case.load(pack, values)?;
    let raw: Vec<f64> = pack
        .indicators
        .iter()
        .map(|i| Ok(values.get(&i.layer, i.return_period)?[0]))
        .collect::<Result<_>>()?;
    fill(&mut told, pack, &found.fitted, &raw);
    Ok(told)
}
