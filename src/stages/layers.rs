//! `layers`: terrain, hydrology, land cover and exposure on the compute grid.

use super::inputs::{Inputs, read, units_layer};
use super::models::channel_area_km2;
use super::{Context, store};
use super::{exposure, facilities};
use crate::manifest::Draft;
use anlan_engine::hydrology::{
    breach_depressions, fill_depressions_epsilon, flow_accumulation, flow_direction, hand,
};
use anlan_engine::io::table::{Table, write_csv};
use anlan_engine::io::{Value, geotiff, vector};
use anlan_engine::rasterize::{Rule, rasterize, rasterize_lines};
use anlan_engine::resample::{Method, resample};
use anlan_engine::terrain::{Edge, aspect_deg, hillshade, slope_deg};
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use anlan_models::census::{Ledger, LedgerRow};
use anlan_models::downscale;
use anlan_models::flood::protection::ProtectionTable;
use anlan_models::landcover::{
    LandCover, Terrain, distance_to_cells, distance_to_points, igbp, refine,
};
use geo::{LineString, MultiLineString, MultiPolygon};
use ndarray::Array2;

/// Fall from cell to cell of a way cut through coarse terrain, m: little, so that long ways over plains stay near the ground.
const CUT_FALL_M: f32 = 0.001;

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let inputs = read(ctx.project, ctx.project_file)?;
    for finding in &inputs.findings {
        ctx.warn(&finding.fault.to_string());
    }
    let grid = inputs.grid;
    ctx.step(0.05, "terrain");
    let detailed =
        ctx.project.grid.cell_m < inputs.dem.grid.cell_size_m(inputs.dem.grid.rows / 2).1 * 0.6;
    let dem = if detailed {
        let (dem, kept) = downscale::terrain(
            &inputs.dem,
            &grid,
            &ctx.project.terrain,
            ctx.project.project.seed,
        );
        if kept.within_1_cm < 1.0 {
            ctx.warn(&format!(
                "terrain detail: {:.2} % of the coarse cells keep their mean height to 1 cm; drainage moves the others by up to {:.1} m (mean of all {:.3} m)",
                100.0 * kept.within_1_cm,
                kept.worst_m,
                kept.mean_m
            ));
        }
        dem
    } else {
        resample(&inputs.dem, &grid, Method::Bilinear)
    };
    ctx.step(0.35, "drainage");
    // Coarse cells close the gorges: filled, the basins above them were lakes a hundred metres deep. They are cut open.
    let filled = if detailed {
        fill_depressions_epsilon(&dem)
    } else {
        breach_depressions(&dem, CUT_FALL_M).dem
    };
    let surface = if detailed { &filled } else { &dem };
    let directions = flow_direction(&filled);
    let accumulation = flow_accumulation(&directions, None);
    let cell_km2 = grid.dx * grid.dy / 1e6;
    let channel_cells = (ctx.project.flood.channel_km2 / cell_km2).max(2.0) as f32;
    let drainage = accumulation.map(|a| u8::from(a >= channel_cells));
    let hand_m = hand(&filled, &directions, &drainage);
    let slope = slope_deg(surface, Edge::Replicate);
    let aspect = aspect_deg(surface, Edge::Replicate);
    let shade = hillshade(&dem, 315.0, 45.0, 1.0, Edge::Replicate);
    ctx.step(0.5, "units and land cover");
    let shapes: Vec<(&MultiPolygon<f64>, u16)> = inputs
        .units
        .iter()
        .enumerate()
        .map(|(i, u)| (&u.border, i as u16))
        .collect();
    let mut unit = rasterize(&shapes, &grid, Rule::Centre, u16::MAX);
    // Cells of a unit without terrain (sea) carry nobody.
    for (u, z) in unit.values_mut().iter_mut().zip(dem.values()) {
        if z.is_nan() {
            *u = u16::MAX;
        }
    }
    require_cells(&inputs, &unit)?;
    let points: Vec<(f64, f64)> = inputs.places.iter().map(|p| (p.x, p.y)).collect();
    if points.is_empty() {
        return Err(Error::input(Fault::new(
            "settlements",
            "none within the compute grid",
            "at least one settlement",
            "give a table of places of the region in [inputs] places",
        )));
    }
    let settlement_m = distance_to_points(&grid, &points);
    let terrain = Terrain {
        slope_deg: &slope,
        hand_m: &hand_m,
        settlement_m: &settlement_m,
        unit: &unit,
    };
    let tables = LandCover::builtin();
    let urban: Vec<u64> = inputs
        .units
        .iter()
        .map(|u| u.record.urban_population)
        .collect();
    let cover = refine(&inputs.land_cover, &grid, &terrain, &urban, &tables.refine);
    let table = ProtectionTable::shipped();
    let mut protection = Raster::filled(grid, 0.0_f32);
    let river_km2 = channel_area_km2(
        &directions,
        &accumulation,
        cell_km2,
        ctx.project.flood.channel_km2,
    );
    for (cell, years) in protection.values_mut().iter_mut().enumerate() {
        let residents = urban
            .get(unit.values()[cell] as usize)
            .copied()
            .unwrap_or(0);
        let river = f64::from(river_km2[cell]);
        *years = table.years(cover.values()[cell], residents, river) as f32;
    }
    ctx.step(0.65, "roads and exposure");
    let ground = exposure::Ground {
        terrain,
        dem: &dem,
        drainage: &drainage,
        cover: &cover,
        rules: &tables.refine,
    };
    let synthetic_roads = || roads(&inputs, &grid, &slope, &unit);
    let made = exposure::make(ctx, &inputs, &ground, synthetic_roads)?;
    let exposure::Made { ledger, road_m, .. } = &made;
    ctx.step(0.8, "writing");
    let soil = soil_classes(&slope, &cover);
    let ignition = ignition_weight(&cover, &settlement_m, road_m);
    let float = |name: &str, raster: &Raster<f32>, unit: &str| {
        geotiff::write_f32(
            &draft.file(&format!("{name}.tif"))?,
            raster,
            &ctx.tags(name, unit),
        )
    };
    float("dem_m", &dem, "m")?;
    float("filled_m", &filled, "m")?;
    float("slope_deg", &slope, "degree")?;
    float("aspect_deg", &aspect, "degree clockwise from north")?;
    float("hand_m", &hand_m, "m")?;
    float("accumulation_cells", &accumulation, "cells")?;
    float("flood_protection_years", &protection, "a")?;
    float("hillshade", &shade, "0..255")?;
    float("ignition_weight", &ignition, "relative")?;
    type Count = fn(&LedgerRow) -> u32;
    let people: [(&str, Count); 4] = [
        ("population", |r| r.population),
        ("population_night", |r| r.population),
        ("population_day", |r| r.population_day),
        ("population_holiday", |r| r.population_holiday),
    ];
    for (name, of) in people {
        float(name, &ledger.raster(|r| f64::from(of(r))), "person")?;
    }
    float("gdp_yuan", &ledger.raster(|r| r.gdp_yuan), "yuan")?;
    float(
        "unit",
        &unit.map(|u| {
            if u == u16::MAX {
                f32::NAN
            } else {
                f32::from(u)
            }
        }),
        "index of the unit",
    )?;
    let class = |name: &str, raster: &Raster<u8>| {
        geotiff::write_u8(
            &draft.file(&format!("{name}.tif"))?,
            raster,
            None,
            &ctx.tags(name, "class"),
        )
    };
    class("flow_direction", &directions)?;
    class("land_cover", &cover)?;
    class("soil", &soil)?;
    store::write_ledger(&draft.file("exposure.parquet")?, ledger)?;
    write_units(draft, &inputs, ledger)?;
    write_findings(draft, &inputs)?;
    facilities::write_depots(ctx, draft, &inputs)?;
    let townships = facilities::write_townships(ctx, draft, &inputs, &unit, ledger)?;
    exposure::write(ctx, draft, &inputs, &made, &townships)?;
    facilities::write_danger_sites(ctx, draft, &inputs, &slope, ledger)
}

fn require_cells(inputs: &Inputs, unit: &Raster<u16>) -> Result<()> {
    let mut cells = vec![0_u32; inputs.units.len()];
    for &u in unit.values() {
        if let Some(n) = cells.get_mut(u as usize) {
            *n += 1;
        }
    }
    let faults: Vec<Fault> = inputs
        .units
        .iter()
        .zip(&cells)
        .filter(|(u, n)| **n == 0 && u.record.population > 0)
        .map(|(u, _)| {
            Fault::new(
                "compute grid",
                format!("{} {} has people but no cell on land", u.code, u.name),
                "at least one cell per unit",
                "choose smaller cells, or check that the elevation covers the unit",
            )
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Input(faults))
    }
}

/// Synthetic roads: straight links from each settlement to its nearest larger one, drawn on the grid; m per cell.
fn roads(inputs: &Inputs, grid: &Grid, slope: &Raster<f32>, unit: &Raster<u16>) -> Raster<f32> {
    let places = &inputs.places;
    let rank = |i: usize| (places[i].population, std::cmp::Reverse(i));
    let mut lines = Vec::new();
    for i in 0..places.len() {
        let distance = |j: usize| {
            let (dx, dy) = (places[i].x - places[j].x, places[i].y - places[j].y);
            dx * dx + dy * dy
        };
        let mut others: Vec<usize> = (0..places.len())
            .filter(|&j| j != i && (rank(j).0, rank(j).1) > (rank(i).0, rank(i).1))
            .collect();
        others.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
        for &j in others.iter().take(2) {
            lines.push(MultiLineString(vec![LineString::from(vec![
                (places[i].x, places[i].y),
                (places[j].x, places[j].y),
            ])]));
        }
    }
    let shapes: Vec<(&MultiLineString<f64>, u8)> = lines.iter().map(|l| (l, 1)).collect();
    let mask = rasterize_lines(&shapes, grid, 0_u8);
    let data = Array2::from_shape_fn(grid.shape(), |rc| {
        let built = mask.data[rc] == 1 && unit.data[rc] != u16::MAX && slope.data[rc] < 45.0;
        if built { (1.1 * grid.dx) as f32 } else { 0.0 }
    });
    Raster::new(*grid, data)
}

/// Synthetic soil classes 1..=3 from slope and cover; 0 where nothing can slide.
fn soil_classes(slope: &Raster<f32>, cover: &Raster<u8>) -> Raster<u8> {
    let data = Array2::from_shape_fn(slope.grid.shape(), |rc| {
        match (slope.data[rc], cover.data[rc]) {
            (s, c) if s.is_nan() || c == igbp::WATER || c == igbp::NONE => 0,
            (s, _) if s >= 30.0 => 2,
            (s, _) if s >= 15.0 => 1,
            _ => 3,
        }
    });
    Raster::new(slope.grid, data)
}

/// Synthetic ignition weights: most fires start by people, near fields, roads and settlements at the forest's edge.
fn ignition_weight(
    cover: &Raster<u8>,
    settlement_m: &Raster<f32>,
    road_m: &Raster<f32>,
) -> Raster<f32> {
    let road_mask = road_m.map(|r| u8::from(r > 0.0));
    let road_distance = distance_to_cells(&road_mask);
    let fields = cover.map(|c| u8::from(c == igbp::CROPLAND || c == igbp::MOSAIC));
    let field_distance = distance_to_cells(&fields);
    let data = Array2::from_shape_fn(cover.grid.shape(), |rc| {
        let burnable = matches!(cover.data[rc], 1..=10 | igbp::CROPLAND | igbp::MOSAIC);
        if !burnable {
            return 0.0;
        }
        let near = |d: f32, scale: f32| {
            if d.is_finite() {
                libm::expf(-d / scale)
            } else {
                0.0
            }
        };
        0.05 + near(settlement_m.data[rc], 2000.0)
            + near(road_distance.data[rc], 500.0)
            + near(field_distance.data[rc], 300.0)
    });
    Raster::new(cover.grid, data)
}

fn write_units(draft: &Draft, inputs: &Inputs, ledger: &Ledger) -> Result<()> {
    let crop = ledger.totals(|r| r.crop_ha);
    let forest = ledger.totals(|r| r.forest_ha);
    let road = ledger.totals(|r| r.road_m);
    let columns = [
        "population",
        "households",
        "urban_population",
        "age_65_plus",
        "rooms",
        "floor_m2",
        "gdp_yuan",
        "crop_ha",
        "forest_ha",
        "road_m",
    ];
    let rooms = ledger.totals(|r| r.rooms.iter().map(|&n| f64::from(n)).sum());
    let layer = units_layer(&inputs.units, inputs.grid.crs, &columns, |i| {
        let r = &inputs.units[i].record;
        vec![
            Value::Integer(r.population as i64),
            Value::Integer(r.households as i64),
            Value::Integer(r.urban_population as i64),
            Value::Integer(r.age_65_plus as i64),
            Value::Integer(rooms[i] as i64),
            Value::Real(r.population as f64 * r.floor_m2_per_head),
            Value::Real(r.gdp_yuan),
            Value::Real(crop[i]),
            Value::Real(forest[i]),
            Value::Real(road[i]),
        ]
    });
    vector::write_gpkg(&draft.file("units.gpkg")?, &[("units", &layer)])
}

/// What the census check found and how it was resolved.
fn write_findings(draft: &Draft, inputs: &Inputs) -> Result<()> {
    let mut table = Table::new(&[
        "severity", "rule", "unit", "file", "place", "found", "expected", "remedy",
    ]);
    for f in &inputs.findings {
        let file = f
            .fault
            .file
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        table.rows.push(vec![
            format!("{:?}", f.severity).to_lowercase().into(),
            f.rule.into(),
            f.unit.clone().into(),
            file.into(),
            f.fault.place.clone().into(),
            f.fault.found.clone().into(),
            f.fault.expected.clone().into(),
            f.fault.remedy.clone().into(),
        ]);
    }
    for note in &inputs.notes {
        let mut row = vec![Value::Null; 8];
        row[0] = "note".into();
        row[1] = "normalised".into();
        row[5] = note.clone().into();
        table.rows.push(row);
    }
    write_csv(&draft.file("census_findings.csv")?, &table)
}
