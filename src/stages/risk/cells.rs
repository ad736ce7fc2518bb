//! Chains over cells: hazard by hazard, its own pack, then the packs of the objects on its index.

use super::super::{Context, losses};
use super::record::Chains;
use super::sources::{self, Values};
use super::write;
use crate::manifest::Draft;
use anlan_engine::{Grid, Result};
use anlan_models::hazard::Hazard;
use anlan_models::risk::levels::weighted;
use anlan_models::risk::{Evaluated, Factor, RulePack, RulePacks, evaluate, score};
use rayon::prelude::*;

/// Objects graded for each hazard; the comprehensive one is the risk that tables tell first.
pub const OBJECTS: [&str; 6] = [
    "comprehensive",
    "population",
    "gdp",
    "housing",
    "crops",
    "roads",
];

/// Cells of the units, what they hold, and where they belong.
pub struct Cells<'a> {
    pub grid: Grid,
    pub values: Values<'a>,
    /// Unit of the lowest level of each cell; `u32::MAX` for none.
    pub lowest: Vec<u32>,
    /// Number of units of the lowest level.
    pub units: usize,
    /// Area of each cell, km².
    pub area_km2: Vec<f64>,
}

/// Sums of one object's risk over the units of the lowest level: value × weight, and weight.
pub struct ObjectSums {
    pub object: &'static str,
    pub pack: RulePack,
    pub sums: Vec<[f64; 2]>,
}

/// What one hazard leaves for the units.
pub struct HazardSums {
    pub hazard: Hazard,
    /// The hazard pack's index, by area.
    pub hazard_pack: RulePack,
    pub by_area: Vec<[f64; 2]>,
    /// Hazard, exposure and vulnerability index, by residents, over the lowest level.
    pub factors: [Vec<[f64; 2]>; 3],
    /// Objects, the comprehensive first.
    pub objects: Vec<ObjectSums>,
    /// Comprehensive risk of each cell: index (NaN for none) and score.
    pub index: Vec<f64>,
    pub score: Vec<u8>,
    /// Classes of that score.
    pub classes: usize,
    /// Residents in cells of the two highest grades, by unit of the lowest level.
    pub people_at_risk: Vec<f64>,
}

/// Name of the pack by which a hazard is graded: that of the project, or the compiled-in choice. Rankings of the screening
/// have packs of their own: no bounds of probability or intensity fit them.
pub fn hazard_pack(ctx: &Context<'_>, hazard: Hazard) -> String {
    if let Some(chosen) = ctx.project.risk.hazards.get(hazard.name()) {
        return chosen.clone();
    }
    let ranked = ctx.project.project.screening && !losses::assessed(ctx, hazard);
    format!(
        "{}-{}",
        hazard.name(),
        if ranked { "screening" } else { "hazard" }
    )
}

/// The pack of an object: that of the hazard, or the one for any.
pub fn object_pack<'p>(packs: &'p RulePacks, hazard: Hazard, object: &str) -> Result<&'p RulePack> {
    let own = format!("{}-{object}", hazard.name());
    match packs.pack.iter().find(|p| p.id == own) {
        Some(pack) => Ok(pack),
        None if object == "comprehensive" => packs.get("risk"),
        None => packs.get(&own),
    }
}

/// Evaluates all chains of a hazard and writes their rasters.
pub fn hazard(
    ctx: &Context<'_>,
    draft: &Draft,
    packs: &RulePacks,
    cells: &mut Cells<'_>,
    hazard: Hazard,
    chains: &mut Chains,
) -> Result<HazardSums> {
    let name = hazard.name();
    let own = packs.get(&hazard_pack(ctx, hazard))?.clone();
    let of_hazard = run(&own, &mut cells.values)?;
    let raster = format!("{name}_hazard_grade");
    chains.add(("cell", name, "hazard"), &own, of_hazard.fitted, &raster);
    let known: Vec<f64> = of_hazard
        .index
        .iter()
        .map(|&v| if v.is_nan() { 0.0 } else { v })
        .collect();
    write::index(
        ctx,
        draft,
        cells,
        &format!("{name}_hazard_index"),
        &known,
        &own,
    )?;
    write::grades(ctx, draft, cells, &raster, &of_hazard.grade, &own)?;
    let area = &cells.area_km2;
    let by_area = weighted(&cells.lowest, &of_hazard.index, area, cells.units);
    let classes = own.classes();
    let scores = of_hazard.grade.iter().map(|&g| score(g, classes)).collect();
    cells.values.put("hazard-score", scores);
    cells.values.put("hazard-index", of_hazard.index);

    let chosen: Vec<(&'static str, RulePack)> = OBJECTS
        .into_iter()
        .map(|o| Ok((o, object_pack(packs, hazard, o)?.clone())))
        .collect::<Result<_>>()?;
    for (_, pack) in &chosen {
        load(pack, &mut cells.values)?;
        if pack.units.weight != sources::AREA {
            cells.values.load(&pack.units.weight, None)?;
        }
    }
    cells.values.load("population", None)?;
    let people = cells.values.get("population", None)?;
    let mut objects = Vec::new();
    let mut main = None;
    for pair in chosen.chunks(2) {
        // Two at a time: memory, not speed, sets the bound.
        let done: Vec<Evaluated> = pair
            .par_iter()
            .map(|(_, pack)| evaluated(pack, &cells.values))
            .collect::<Result<_>>()?;
        for (&(object, ref pack), e) in pair.iter().zip(done) {
            let file = match object {
                "comprehensive" => format!("{name}_risk"),
                _ => format!("{name}_{object}_risk"),
            };
            let raster = format!("{file}_grade");
            write::grades(ctx, draft, cells, &raster, &e.grade, pack)?;
            let weight = weight(cells, &pack.units.weight)?;
            objects.push(ObjectSums {
                object,
                pack: pack.clone(),
                sums: weighted(&cells.lowest, &e.index, weight, cells.units),
            });
            chains.add(("cell", name, object), pack, e.fitted.clone(), &raster);
            if object == "comprehensive" {
                write::index(ctx, draft, cells, &format!("{file}_index"), &e.index, pack)?;
                main = Some((pack.classes(), e));
            }
        }
    }
    let (classes, main) = main.ok_or_else(|| {
        anlan_engine::Error::Failed("a hazard without a comprehensive risk".into())
    })?;
    // As the tables have told them: hazard over all cells, a trace of weight where nobody lives.
    let traced: Vec<f64> = people.iter().map(|p| p + 1e-3).collect();
    let factor = |f: Factor| {
        let Some((_, values)) = main.factors.iter().find(|(x, _)| *x == f) else {
            return vec![[0.0, 0.0]; cells.units];
        };
        let weights: Vec<f64> = values
            .iter()
            .zip(&traced)
            .map(|(v, w)| if v.is_nan() { 0.0 } else { *w })
            .collect();
        weighted(&cells.lowest, values, &weights, cells.units)
    };
    let factors = [
        weighted(&cells.lowest, &known, &traced, cells.units),
        factor(Factor::Exposure),
        factor(Factor::Vulnerability),
    ];
    let mut people_at_risk = vec![0.0; cells.units];
    for ((&u, &g), p) in cells.lowest.iter().zip(&main.grade).zip(people) {
        if (1..=2).contains(&g)
            && let Some(sum) = people_at_risk.get_mut(u as usize)
        {
            *sum += p;
        }
    }
    let sums = HazardSums {
        hazard,
        hazard_pack: own,
        by_area,
        factors,
        objects,
        score: main
            .grade
            .iter()
            .map(|&g| score(g, classes) as u8)
            .collect(),
        index: main.index,
        classes,
        people_at_risk,
    };
    cells.values.forget();
    Ok(sums)
}

/// Weight of the cells in the mean of a unit.
pub fn weight<'c>(cells: &'c Cells<'_>, name: &str) -> Result<&'c [f64]> {
    if name == sources::AREA {
        Ok(&cells.area_km2)
    } else {
        cells.values.get(name, None)
    }
}

fn load(pack: &RulePack, values: &mut Values<'_>) -> Result<()> {
    for i in &pack.indicators {
        values.load(&i.layer, i.return_period)?;
    }
    Ok(())
}

fn evaluated(pack: &RulePack, values: &Values<'_>) -> Result<Evaluated> {
    let columns = pack
        .indicators
        .iter()
        .map(|i| values.get(&i.layer, i.return_period))
        .collect::<Result<Vec<_>>>()?;
    evaluate(pack, &columns)
}

/// A pack over the cells, its layers read as needed.
pub fn run(pack: &RulePack, values: &mut Values<'_>) -> Result<Evaluated> {
    load(pack, values)?;
    evaluated(pack, values)
}
