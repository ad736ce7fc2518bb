//! The exposure of the `layers` task: covariates, ledger, buildings, critical places, people by day and on holidays,
//! lifelines, and the cross-validation of the weights; and the files that tell them.

use super::inputs::Inputs;
use super::{Context, exposure_tables};
use crate::manifest::Draft;
use anlan_engine::random::Stream;
use anlan_engine::resample::{ClassMethod, Method, resample, resample_classes};
use anlan_engine::{Crs, Projector, Raster, Result};
use anlan_models::census::buildings::{BuildingRow, BuildingTable, buildings, ledger_shares};
use anlan_models::census::crossval::{Family, Prediction, cross_validate, families};
use anlan_models::census::dasymetric::{Covariate, Covariates, Evenly, place_people};
use anlan_models::census::daytime::{Moves, PopulationTime, move_people};
use anlan_models::census::economy::Field;
use anlan_models::census::exposure::{CellLayers, ExposureValues, SpreadNote, cells_by_unit};
use anlan_models::census::lifelines::{LifelineRow, LifelineTable, lifelines, road_lengths};
use anlan_models::census::places::{CriticalPlace, PlaceTable};
use anlan_models::census::township::Township;
use anlan_models::census::{Ledger, LedgerRow, Record};
use anlan_models::hazard::stream;
use anlan_models::landcover::{Refine, Shares, Terrain, distance_to_cells, refine, shares};

/// What the exposure stands on.
pub struct Ground<'a> {
    pub terrain: Terrain<'a>,
    pub dem: &'a Raster<f32>,
    /// 1 where a channel runs.
    pub drainage: &'a Raster<u8>,
    /// Land cover on the compute grid.
    pub cover: &'a Raster<u8>,
    pub rules: &'a Refine,
}

/// The exposure.
pub struct Made {
    pub ledger: Ledger,
    /// Roads, m by cell.
    pub road_m: Raster<f32>,
    pub buildings: Vec<BuildingRow>,
    /// Places with cell and unit.
    pub places: Vec<(CriticalPlace, u32, u16)>,
    pub moves: Vec<Moves>,
    /// Lines, if given.
    pub lifelines: Option<Vec<LifelineRow>>,
    pub predictions: Vec<Prediction>,
}

pub fn make(
    ctx: &Context<'_>,
    inputs: &Inputs,
    ground: &Ground<'_>,
    synthetic_roads: impl Fn() -> Raster<f32>,
) -> Result<Made> {
    let given = &inputs.exposure;
    let grid = inputs.grid;
    let unit = ground.terrain.unit;
    let records: Vec<Record> = inputs.units.iter().map(|u| u.record.clone()).collect();
    let values = ExposureValues::builtin();
    let lines = LifelineTable::builtin();
    let rows = given
        .lifelines
        .as_ref()
        .map(|l| lifelines(&lines, l, &grid, unit));
    let has_roads = |rows: &[LifelineRow]| rows.iter().any(|r| lines.kind[r.kind as usize].road);
    let road_m = match &rows {
        Some(rows) if has_roads(rows) => road_lengths(&lines, rows, grid),
        _ => synthetic_roads(),
    };
    let land = shares(ground.cover, ground.terrain.settlement_m, ground.rules);
    let coarse = resample_classes(&inputs.land_cover, &grid, ClassMethod::Nearest);
    let road_d = distance_to_cells(&road_m.map(|r| u8::from(r > 0.0)));
    let river_d = distance_to_cells(ground.drainage);
    let settlements: Vec<(f64, f64, f64)> = inputs
        .places
        .iter()
        .map(|p| (p.x, p.y, p.population))
        .collect();
    let people_near = place_people(&grid, &settlements, given.dasymetric.place_people, &|i| {
        unit.values()[i] != u16::MAX
    });
    let own: Vec<(Covariate, Raster<f32>)> = given
        .rasters
        .iter()
        .map(|(covariate, raster)| (*covariate, on_grid(raster, inputs)))
        .collect();
    let common = Common {
        ground,
        coarse: &coarse,
        road_m: &road_m,
        road_d: &road_d,
        river_d: &river_d,
        people_near: &people_near,
        own: &own,
    };
    let covariates = common.covariates(ground.cover, &land);
    let structures = given
        .houses
        .iter()
        .map(|(code, houses)| (code.clone(), ledger_shares(houses)))
        .collect();
    let (mut ledger, notes) = Ledger::spread(
        &records,
        &CellLayers {
            unit,
            dasymetric: &given.dasymetric,
            covariates: &covariates,
            figures: &given.economy,
            structures: &structures,
            urbanity: &land.urbanity,
            crop_share: &land.crop_share,
            forest_share: &land.forest_share,
            road_m: &road_m,
        },
        &values,
    );
    tell(ctx, inputs, &notes);
    ctx.step(0.7, "critical places and people by day");
    let table = PlaceTable::builtin();
    let places = place_cells(ctx, inputs, &table, &ledger, unit);
    let moves = move_people(
        &mut ledger,
        &records,
        &given.economy,
        &values,
        &land.urbanity,
        &table.by_day(&places),
        &PopulationTime::builtin(),
    );
    ctx.step(0.74, "buildings");
    let buildings = buildings(
        &records,
        &ledger.rows,
        &land.urbanity,
        &given.houses,
        &BuildingTable::builtin(),
        &values,
    );
    ctx.step(0.76, "cross-validation of the weights");
    let predictions = validate(inputs, &records, &common, &values);
    Ok(Made {
        ledger,
        road_m,
        buildings,
        places,
        moves,
        lifelines: rows,
        predictions,
    })
}

/// A raster of weights on the compute grid: the mean over the cell where its own cells are finer, bilinear where coarser.
fn on_grid(raster: &Raster<f32>, inputs: &Inputs) -> Raster<f32> {
    let own = raster.grid.cell_size_m(raster.grid.rows / 2).1;
    let method = if own < inputs.grid.dy {
        Method::Average
    } else {
        Method::Bilinear
    };
    resample(raster, &inputs.grid, method)
}

/// What all sets of weights may look at, whatever the land cover.
struct Common<'a> {
    ground: &'a Ground<'a>,
    coarse: &'a Raster<u8>,
    road_m: &'a Raster<f32>,
    road_d: &'a Raster<f32>,
    river_d: &'a Raster<f32>,
    people_near: &'a Raster<f32>,
    own: &'a [(Covariate, Raster<f32>)],
}

impl<'a> Common<'a> {
    fn covariates(&self, cover: &'a Raster<u8>, land: &'a Shares) -> Covariates<'a> {
        let terrain = &self.ground.terrain;
        let mut out = Covariates::new(cover, self.coarse)
            .with(Covariate::Urbanity, &land.urbanity)
            .with(Covariate::SlopeDeg, terrain.slope_deg)
            .with(Covariate::ElevationM, self.ground.dem)
            .with(Covariate::HandM, terrain.hand_m)
            .with(Covariate::PlaceM, terrain.settlement_m)
            .with(Covariate::RoadM, self.road_d)
            .with(Covariate::RiverM, self.river_d)
            .with(Covariate::PlacePeople, self.people_near)
            .with(Covariate::CropShare, &land.crop_share)
            .with(Covariate::ForestShare, &land.forest_share)
            .with(Covariate::RoadLengthM, self.road_m);
        for (covariate, raster) in self.own {
            out = out.with(*covariate, raster);
        }
        out
    }
}

/// What a user must know of how totals were spread.
fn tell(ctx: &Context<'_>, inputs: &Inputs, notes: &[SpreadNote]) {
    for note in notes {
        let over = match note.evenly {
            Evenly::OutsideMask => "the cells outside the mask",
            Evenly::Everywhere => "all cells",
        };
        ctx.warn(&format!(
            "unit {}: no cell has a weight for {}; spread evenly over {over}",
            note.unit,
            note.quantity.name()
        ));
    }
    for u in &inputs.units {
        if let Some(houses) = inputs.exposure.houses.get(&u.code) {
            let floor: f64 = houses.iter().flatten().map(|h| h.1).sum();
            let census = u.record.population as f64 * u.record.floor_m2_per_head;
            // A tenth: the two count at different times.
            if (floor / census - 1.0).abs() > 0.1 {
                ctx.warn(&format!(
                    "unit {}: {floor:.0} m² of floor in the table of houses, {census:.0} m² by the census",
                    u.code
                ));
            }
        }
    }
}

/// Critical places with their cells and units: those given, or synthetic ones where people live.
fn place_cells(
    ctx: &Context<'_>,
    inputs: &Inputs,
    table: &PlaceTable,
    ledger: &Ledger,
    unit: &Raster<u16>,
) -> Vec<(CriticalPlace, u32, u16)> {
    let grid = inputs.grid;
    let list = match &inputs.exposure.places {
        Some(given) => given.clone(),
        None => {
            let random = Stream::new(ctx.project.project.seed, stream::EXPOSURE);
            let back = Projector::new(grid.crs, Crs::CGCS2000);
            let mut rows: Vec<Vec<LedgerRow>> = vec![Vec::new(); inputs.units.len()];
            for row in ledger.rows.iter().filter(|r| r.population > 0) {
                rows[row.unit as usize].push(*row);
            }
            inputs
                .units
                .iter()
                .zip(&rows)
                .enumerate()
                .flat_map(|(i, (u, rows))| {
                    let head = (i, u.code.as_str(), u.name.as_str());
                    table.synthetic(&random, head, rows, &grid, &back)
                })
                .collect()
        }
    };
    let projector = Projector::new(Crs::CGCS2000, grid.crs);
    list.into_iter()
        .filter_map(|p| {
            let (x, y) = projector.point(p.lon, p.lat);
            let (row, col) = grid.cell_at(x, y)?;
            // The cell's own unit: one cell is never booked in two.
            let here = unit.data[(row, col)];
            let named = inputs.units.iter().position(|u| u.code == p.unit)?;
            let of = if here == u16::MAX { named as u16 } else { here };
            Some((p, grid.index(row, col), of))
        })
        .collect()
}

/// Cross-validation with land cover that knows only the totals of the level above.
fn validate(
    inputs: &Inputs,
    records: &[Record],
    common: &Common<'_>,
    values: &ExposureValues,
) -> Vec<Prediction> {
    let families = families(records);
    if families.is_empty() {
        return Vec::new();
    }
    let unit = common.ground.terrain.unit;
    let mut family_of = vec![u16::MAX; records.len()];
    let mut urban = vec![0_u64; families.len()];
    for (f, family) in families.iter().enumerate() {
        for &u in &family.units {
            family_of[u] = f as u16;
            urban[f] += records[u].urban_population;
        }
    }
    let parents = unit.map(|u| family_of.get(u as usize).copied().unwrap_or(u16::MAX));
    let blind = Terrain {
        unit: &parents,
        ..common.ground.terrain
    };
    let rules = common.ground.rules;
    let cover = refine(&inputs.land_cover, &inputs.grid, &blind, &urban, rules);
    let land = shares(&cover, blind.settlement_m, rules);
    let covariates = common.covariates(&cover, &land);
    let cells = cells_by_unit(unit, records.len());
    let given = &inputs.exposure;
    let sectors = |family: &Family| -> [f64; 3] {
        let gdp: f64 = family.units.iter().map(|&u| records[u].gdp_yuan).sum();
        let mut out = [0.0; 3];
        for &u in &family.units {
            let own = values.sector_shares(records[u].code.as_str(), &given.economy);
            for (sum, share) in out.iter_mut().zip(own) {
                *sum += share * records[u].gdp_yuan / gdp;
            }
        }
        out
    };
    cross_validate(&given.dasymetric, &covariates, records, &cells, &sectors)
}

/// Writes all that is not the ledger itself.
pub fn write(
    ctx: &Context<'_>,
    draft: &Draft,
    inputs: &Inputs,
    made: &Made,
    (townships, township): &(Vec<Township>, Raster<u16>),
) -> Result<()> {
    let tables = [
        (
            "昼夜人口 people",
            exposure_tables::people(inputs, &made.moves),
        ),
        (
            "房屋 buildings",
            exposure_tables::buildings(inputs, &made.buildings),
        ),
        (
            "重点场所 places",
            exposure_tables::places(inputs, made, townships, township),
        ),
        ("生命线 lifelines", exposure_tables::lifelines(inputs, made)),
        (
            "权重检验 weights",
            exposure_tables::check(inputs, &made.predictions),
        ),
    ];
    let files = [
        "population_units.csv",
        "buildings_units.csv",
        "critical_places.csv",
        "lifelines_units.csv",
        "disaggregation_check.csv",
    ];
    exposure_tables::write(draft, &tables, &files)?;
    anlan_engine::io::table::write_csv(
        &draft.file("disaggregation_check_units.csv")?,
        &exposure_tables::check_units(inputs, &made.predictions),
    )?;
    exposure_tables::write_buildings(ctx, draft, inputs, &made.buildings)?;
    if let Some(rows) = &made.lifelines {
        exposure_tables::write_lifelines(draft, rows)?;
    }
    exposure_tables::write_places(draft, &tables[2].1)?;
    state(draft, made, inputs);
    Ok(())
}

/// Figures for the manifest: which weights were used, and whether the figures of the sectors are the census's own.
fn state(draft: &Draft, made: &Made, inputs: &Inputs) {
    let sets: serde_json::Map<String, serde_json::Value> = inputs
        .exposure
        .dasymetric
        .chosen
        .iter()
        .map(|(q, set)| (q.name().to_string(), set.clone().into()))
        .collect();
    draft.state("weight_sets", sets);
    let sectors = inputs
        .units
        .iter()
        .filter(|u| {
            let get = |f| inputs.exposure.economy.get(&u.code, f).is_some();
            get(Field::GdpPrimary) && get(Field::GdpSecondary) && get(Field::GdpTertiary)
        })
        .count();
    draft.state("units_with_output_by_sector", sectors);
    let outside: i64 = made.moves.iter().map(|m| m.from_outside).sum();
    draft.state("day_net_inflow_people", outside);
    let gone: u64 = made.moves.iter().map(|m| m.out_of_region).sum();
    draft.state("holiday_out_of_region_people", gone);
}
