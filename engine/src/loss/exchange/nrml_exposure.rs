//! NRML exposures: assets with their costs.

use super::columns::Columns;
use super::nrml::{Reader, child, children, with_model};
use crate::error::Result;
use roxmltree::Node;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One asset of an exposure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Asset {
    /// Its id.
    pub id: String,
    /// Taxonomy: leads to its risk functions.
    pub taxonomy: String,
    /// Longitude, degrees.
    pub lon: f64,
    /// Latitude, degrees.
    pub lat: f64,
    /// Number of buildings; 1 where it is not said.
    pub number: f64,
    /// Area as written; 1 where it is not said.
    pub area: f64,
    /// Costs, one per cost type that has a value.
    pub costs: Vec<Cost>,
    /// Occupants by period of the day.
    pub occupants: Vec<(String, f64)>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// One cost of an asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Cost type, e.g. `structural`.
    pub kind: String,
    /// Total of the asset, whatever its conversion: per asset, per area or aggregated.
    pub value: f64,
    /// Currency.
    pub unit: String,
    /// Deductible, money.
    pub deductible: Option<f64>,
    /// Insurance limit, money.
    pub limit: Option<f64>,
}

/// How a number of an exposure is to be taken.
#[derive(Clone, Copy, PartialEq)]
enum Per {
    Aggregated,
    Asset,
    Area,
}

/// The conversions of an exposure.
struct Conversions {
    /// Cost type, how it is written, unit.
    costs: Vec<(String, Per, String)>,
    area: Per,
    absolute: [bool; 2],
}

impl Conversions {
    fn total(&self, per: Per, value: f64, number: f64, area: f64) -> f64 {
        match per {
            Per::Aggregated => value,
            Per::Asset => value * number,
            Per::Area if self.area == Per::Asset => value * area * number,
            Per::Area => value * area,
        }
    }
}

/// Reads an exposure (NRML 0.4, 0.5), its assets written in it or in the tables that it names (CSV beside it, with or
/// without `exposureFields`), in their order.
///
/// Costs are totals of the asset: values per asset are multiplied by the number, those per area by the area. Deductibles
/// and limits are money: where the model says that they are relative, they are multiplied by the cost.
///
/// # Errors
/// No exposure model, numbers that are none, cost types that are not declared, tables with missing columns.
pub fn exposure(path: &Path) -> Result<Vec<Asset>> {
    let read = with_model(path, "exposureModel", |r, model| {
        let conversions = conversions(r, model);
        let assets_node = r.child(model, "assets");
        let inline = assets_node.is_some_and(|n| child(n, "asset").is_some());
        let mut assets = Vec::new();
        let mut tables: Vec<PathBuf> = Vec::new();
        if let Some(node) = assets_node {
            if inline {
                assets.extend(children(node, "asset").map(|n| asset(r, n, &conversions)));
            } else {
                let folder = path.parent().unwrap_or(Path::new("."));
                let names = node.text().unwrap_or_default().split_whitespace();
                tables.extend(names.map(|name| folder.join(name)));
            }
        }
        // What OpenQuake calls a field, and what the table calls it.
        let mut fields = BTreeMap::new();
        if let Some(node) = child(model, "exposureFields") {
            for field in children(node, "field") {
                let (oq, input) = (r.attribute(field, "oq"), r.attribute(field, "input"));
                fields.insert(oq.to_string(), input.to_string());
            }
        }
        let words = |name: &str| -> Vec<String> {
            let text = child(model, name)
                .and_then(|n| n.text())
                .unwrap_or_default();
            text.split_whitespace().map(str::to_string).collect()
        };
        let lists = [words("occupancyPeriods"), words("tagNames")];
        (conversions, assets, tables, fields, lists)
    })?;
    let (conversions, mut assets, tables, fields, lists) = read;
    for table in tables {
        read_assets(&table, &conversions, &fields, &lists, &mut assets)?;
    }
    Ok(assets)
}

fn conversions(r: &mut Reader<'_>, model: Node<'_, '_>) -> Conversions {
    let mut out = Conversions {
        costs: Vec::new(),
        area: Per::Aggregated,
        absolute: [true; 2],
    };
    let Some(node) = child(model, "conversions") else {
        return out;
    };
    let mut per = |n: Node<'_, '_>| match r.attribute(n, "type") {
        "aggregated" => Per::Aggregated,
        "per_asset" => Per::Asset,
        "per_area" => Per::Area,
        other => {
            let expected = "aggregated, per_asset or per_area";
            r.fault(
                n,
                format!("type `{other}`"),
                expected,
                "correct the attribute",
            );
            Per::Aggregated
        }
    };
    if let Some(area) = child(node, "area") {
        out.area = per(area);
    }
    for cost in child(node, "costTypes")
        .into_iter()
        .flat_map(|n| children(n, "costType"))
    {
        let text = |name| cost.attribute(name).unwrap_or_default().to_string();
        out.costs.push((text("name"), per(cost), text("unit")));
    }
    for (k, name) in ["deductible", "insuranceLimit"].into_iter().enumerate() {
        let relative = |n: Node<'_, '_>| n.attribute("isAbsolute") == Some("false");
        out.absolute[k] = !child(node, name).is_some_and(relative);
    }
    out
}

fn asset(r: &mut Reader<'_>, node: Node<'_, '_>, conversions: &Conversions) -> Asset {
    let mut out = Asset {
        id: r.attribute(node, "id").to_string(),
        taxonomy: r.attribute(node, "taxonomy").to_string(),
        number: r.optional(node, "number").unwrap_or(1.0),
        area: r.optional(node, "area").unwrap_or(1.0),
        ..Asset::default()
    };
    if let Some(at) = r.child(node, "location") {
        (out.lon, out.lat) = (r.number(at, "lon"), r.number(at, "lat"));
    }
    for cost in child(node, "costs")
        .into_iter()
        .flat_map(|n| children(n, "cost"))
    {
        let kind = r.attribute(cost, "type").to_string();
        let Some((_, per, unit)) = conversions.costs.iter().find(|c| c.0 == kind) else {
            let found = format!("cost type `{kind}`");
            r.fault(
                cost,
                found,
                "a cost type of the conversions",
                "declare the cost type",
            );
            continue;
        };
        let value = r.number(cost, "value");
        let value = conversions.total(*per, value, out.number, out.area);
        let mut money = |name: &str, absolute: bool| {
            let term = r.optional(cost, name);
            term.map(|v| if absolute { v } else { v * value })
        };
        let deductible = money("deductible", conversions.absolute[0]);
        let limit = money("insuranceLimit", conversions.absolute[1]);
        out.costs.push(Cost {
            kind,
            value,
            unit: unit.clone(),
            deductible,
            limit,
        });
    }
    for period in child(node, "occupancies")
        .into_iter()
        .flat_map(|n| children(n, "occupancy"))
    {
        let name = r.attribute(period, "period").to_string();
        out.occupants.push((name, r.number(period, "occupants")));
    }
    for tags in children(node, "tags") {
        out.tags.extend(
            tags.attributes()
                .map(|a| (a.name().to_string(), a.value().to_string())),
        );
    }
    out
}

fn read_assets(
    path: &Path,
    conversions: &Conversions,
    fields: &BTreeMap<String, String>,
    [periods, tags]: &[Vec<String>; 2],
    assets: &mut Vec<Asset>,
) -> Result<()> {
    let mut columns = Columns::open(path)?;
    let named = |oq: &str| fields.get(oq).map_or(oq, String::as_str).to_string();
    let wanted = ["id", "taxonomy", "lon", "lat"].map(named);
    let [id, taxonomy, lon, lat] = columns.require([
        &[wanted[0].as_str(), "asset_id"],
        &[wanted[1].as_str()],
        &[wanted[2].as_str()],
        &[wanted[3].as_str()],
    ])?;
    let column = |oq: &str| columns.find(&[&named(oq)]);
    let [number, area] = ["number", "area"].map(column);
    let mut costs = Vec::new();
    for (kind, per, unit) in &conversions.costs {
        let name = named(kind);
        let [value] = columns.require([&[name.as_str(), &format!("value-{kind}")]])?;
        costs.push((kind, *per, unit, value));
    }
    let people: Vec<_> = periods
        .iter()
        .filter_map(|p| Some((p, column(p)?)))
        .collect();
    let tagged: Vec<_> = tags.iter().filter_map(|t| Some((t, column(t)?))).collect();
    while columns.next()? {
        let mut out = Asset {
            id: columns.cell(id).to_string(),
            taxonomy: columns.cell(taxonomy).to_string(),
            lon: columns.number(lon),
            lat: columns.number(lat),
            number: columns.maybe(number).unwrap_or(1.0),
            area: columns.maybe(area).unwrap_or(1.0),
            ..Asset::default()
        };
        for (kind, per, unit, column) in &costs {
            let value = columns.amount(*column);
            out.costs.push(Cost {
                kind: (*kind).clone(),
                value: conversions.total(*per, value, out.number, out.area),
                unit: (*unit).clone(),
                deductible: None,
                limit: None,
            });
        }
        for (period, column) in &people {
            out.occupants
                .push(((*period).clone(), columns.amount(*column)));
        }
        for (tag, column) in &tagged {
            out.tags
                .push(((*tag).clone(), columns.cell(*column).to_string()));
        }
        assets.push(out);
    }
    columns.end()
}

#[cfg(test)]
mod tests {
    use super::super::nrml::tests::written;
    use super::*;

    #[test]
    fn costs_are_totals() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"<nrml><exposureModel><conversions><area type="per_asset" unit="SQM"/><deductible isAbsolute="false"/>
            <costTypes><costType name="structural" type="per_area" unit="CNY"/><costType name="contents" type="per_asset"
            unit="CNY"/></costTypes></conversions><assets><asset id="a" taxonomy="T" number="3" area="10"><location lon="120"
            lat="30"/><costs><cost type="structural" value="2" deductible="0.1"/><cost type="contents" value="5"/></costs>
            <occupancies><occupancy period="night" occupants="4"/></occupancies></asset></assets></exposureModel></nrml>"#;
        let path = written(&dir, "e.xml", text);
        let asset = &exposure(&path).unwrap()[0];
        assert_eq!((asset.costs[0].value, asset.costs[1].value), (60.0, 15.0));
        assert_eq!(asset.costs[0].deductible, Some(6.0));
        assert_eq!(asset.occupants, [("night".to_string(), 4.0)]);
        let bad = text.replace(r#"type="contents" value="5""#, r#"type="roof" value="5""#);
        let e = exposure(&written(&dir, "bad.xml", &bad.replace("lon=", "long="))).unwrap_err();
        assert_eq!(e.faults().len(), 2, "{e}");
    }
}
