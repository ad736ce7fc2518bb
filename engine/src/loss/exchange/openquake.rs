//! OpenQuake: ground-motion fields, sites, taxonomy mapping. Its XML files are read in [`super::nrml`].
//!
//! # References
//! OpenQuake Engine 3.25 manual: ground motion fields from CSV files, site models, taxonomy mapping. Accelerations are in
//! g, velocities in cm/s.

use super::columns::Columns;
use crate::error::{Error, Fault, Result};
use crate::events::Event;
use crate::events::set::{Description, EventSetWriter};
use std::collections::BTreeMap;
use std::path::Path;

/// One site.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its id in tables of ground motion.
    pub id: String,
    /// Longitude, degrees.
    pub lon: f64,
    /// Latitude, degrees.
    pub lat: f64,
}

/// Name of an intensity measure in event sets and curves: `PGA` is `pga_g`, `SA(0.3)` is `sa(0.3)_g`, `PGV` is
/// `pgv_cm_s`; others, which have no unit (`MMI`), stay as they are.
pub fn measure(imt: &str) -> String {
    let lower = imt.trim().to_lowercase();
    if lower == "pga" || lower.starts_with("sa(") || lower.starts_with("avgsa") {
        format!("{lower}_g")
    } else if lower == "pgv" {
        "pgv_cm_s".into()
    } else {
        imt.trim().to_string()
    }
}

/// Reads `sites.csv`: `lon`, `lat` (degrees) and `custom_site_id`, `site_id` or `sid`; without ids the sites are numbered
/// from 0. In the order of the file.
///
/// # Errors
/// A missing column, cells without a number, an id twice.
pub fn sites(path: &Path) -> Result<Vec<Site>> {
    let mut columns = Columns::open(path)?;
    let [lon, lat] = columns.require([&["lon"], &["lat"]])?;
    let id = columns.find(&["custom_site_id", "site_id", "sid"]);
    let mut out: Vec<Site> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    while columns.next()? {
        let id_text = id.map_or_else(|| out.len().to_string(), |c| columns.cell(c).to_string());
        if !seen.insert(id_text.clone()) {
            let found = format!("site {id_text} again");
            columns.fault(id, found, "each site once", "number the sites");
        }
        out.push(Site {
            id: id_text,
            lon: columns.number(lon),
            lat: columns.number(lat),
        });
    }
    columns.end()?;
    Ok(out)
}

/// Sites of a list of coordinates (`sites = …` of a job file), as OpenQuake numbers them: from 0, by longitude, then
/// latitude.
pub fn sites_of(coordinates: &[[f64; 2]]) -> Vec<Site> {
    let mut sorted = coordinates.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    sorted
        .into_iter()
        .enumerate()
        .map(|(i, [lon, lat])| Site {
            id: i.to_string(),
            lon,
            lat,
        })
        .collect()
}

/// Writes ground-motion fields as an event-set file, f32 as OpenQuake keeps them: columns `eid` or `event_id`; `sid`,
/// `site_id` or `custom_site_id`; and one `gmv_<IMT>` per measure, named by [`measure`]. Places are indices into `sites`;
/// every event gets the same rate. Returns the names of the measures.
///
/// - Rows may come in any order: they are sorted in memory, 16 bytes and 8 per measure for each row.
/// - A site whose values are all 0 is left out. Events ascend by id.
///
/// # Errors
/// A missing column, cells that are not what they should be, a site that is not in the list, a site twice in an event (as
/// where a table holds several realizations).
pub fn ground_motion(
    source: &Path,
    sites: &[Site],
    rate_per_year: f64,
    target: &Path,
) -> Result<Vec<String>> {
    let mut columns = Columns::open(source)?;
    let [event, site] =
        columns.require([&["eid", "event_id"], &["sid", "site_id", "custom_site_id"]])?;
    let of_measures: Vec<(usize, String)> = columns
        .names()
        .iter()
        .enumerate()
        .filter_map(|(i, n)| Some((i, measure(n.strip_prefix("gmv_")?))))
        .collect();
    if of_measures.is_empty() {
        return columns.require([&["gmv_<IMT>"]]).map(|_| Vec::new());
    }
    let places: BTreeMap<&str, u32> = sites
        .iter()
        .enumerate()
        .map(|(i, s)| (s.id.as_str(), i as u32))
        .collect();
    let mut keys: Vec<(u64, u32, u32)> = Vec::new();
    let mut values: Vec<f64> = Vec::new();
    while columns.next()? {
        let id = columns.whole(event, 0, u64::MAX);
        let place = places.get(columns.cell(site)).copied();
        if place.is_none() {
            let found = format!("site `{}`", columns.cell(site));
            let expected = format!("one of the {} sites", sites.len());
            columns.fault(
                Some(site),
                found,
                &expected,
                "use the sites that belong to the table",
            );
        }
        keys.push((id, place.unwrap_or_default(), keys.len() as u32));
        for (column, _) in &of_measures {
            values.push(columns.amount(*column));
        }
    }
    columns.end()?;
    keys.sort_unstable();
    let mut faults = Vec::new();
    for w in keys.windows(2) {
        if (w[0].0, w[0].1) == (w[1].0, w[1].1) && faults.len() < 50 {
            let found = format!("site {} twice", sites[w[0].1 as usize].id);
            let remedy = "give one realization, with event numbers of its own";
            let fault = Fault::new(source, found, "each site once in an event", remedy);
            faults.push(fault.at(format!("event {}", w[0].0)));
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults));
    }
    let names: Vec<String> = of_measures.into_iter().map(|m| m.1).collect();
    let description = Description {
        measures: names.clone(),
        double: false,
        probability: false,
        spread: false,
        note: "from OpenQuake ground-motion fields; places are sites".into(),
    };
    let mut writer = EventSetWriter::create(target, description)?;
    let n = names.len();
    let mut place = Vec::new();
    let mut lists = vec![Vec::new(); n];
    for same in keys.chunk_by(|a, b| a.0 == b.0) {
        place.clear();
        lists.iter_mut().for_each(Vec::clear);
        for &(_, at, row) in same {
            let of_row = &values[row as usize * n..(row as usize + 1) * n];
            if of_row.iter().any(|v| *v != 0.0) {
                place.push(at);
                for (list, v) in lists.iter_mut().zip(of_row) {
                    list.push(*v);
                }
            }
        }
        let event = Event {
            id: same[0].0,
            cause: same[0].0,
            hazard: 0,
            rate_per_year,
        };
        let lists: Vec<&[f64]> = lists.iter().map(Vec::as_slice).collect();
        writer.push(&event, &place, &lists)?;
    }
    writer.finish()?;
    Ok(names)
}

/// Reads a taxonomy mapping: `taxonomy`, `conversion` (or `risk_id`), `weight`. Returns, by taxonomy, the ids of risk
/// functions with their weights.
///
/// # Errors
/// A missing column, weights that are no numbers of 0 to 1 or do not add up to 1 for a taxonomy (within 1e-6).
pub fn taxonomy_mapping(path: &Path) -> Result<BTreeMap<String, Vec<(String, f64)>>> {
    let mut columns = Columns::open(path)?;
    let [taxonomy, risk, weight] =
        columns.require([&["taxonomy"], &["conversion", "risk_id"], &["weight"]])?;
    let mut map: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    while columns.next()? {
        let weight = columns.amount(weight);
        let risk = columns.cell(risk).to_string();
        let of = map.entry(columns.cell(taxonomy).to_string()).or_default();
        of.push((risk, weight));
    }
    columns.end()?;
    let mut faults = Vec::new();
    for (taxonomy, risks) in &map {
        let sum: f64 = risks.iter().map(|r| r.1).sum();
        if (sum - 1.0).abs() > 1e-6 {
            let found = format!("weights that add up to {sum}");
            let fault = Fault::new(path, found, "1", "complete the weights of the taxonomy");
            faults.push(fault.at(format!("taxonomy {taxonomy}")));
        }
    }
    if faults.is_empty() {
        Ok(map)
    } else {
        faults.truncate(50);
        Err(Error::Input(faults))
    }
}

#[cfg(test)]
mod tests {
    use super::super::nrml::{Asset, exposure, fragility, vulnerability};
    use super::super::tests::shared;
    use super::super::{columns, nearest};
    use super::*;
    use crate::events::set::EventSet;
    use crate::loss::{MOST_STATES, Vulnerability};

    fn place(sites: &[Site], asset: &Asset) -> Option<u32> {
        let at: Vec<[f64; 2]> = sites.iter().map(|s| [s.lon, s.lat]).collect();
        nearest(&at, [asset.lon, asset.lat], 5.0).map(|n| n.0)
    }

    /// Values of a measure at a place, event by event; 0 where the event does not reach it.
    fn at_place(set: &EventSet, measure: &str, place: u32) -> Vec<f64> {
        let measure = set.measure(measure).unwrap();
        let block = set.block(0).unwrap();
        (0..block.len())
            .map(|e| {
                let rows = block.rows(e);
                let at = block.place[rows.clone()].binary_search(&place);
                at.map_or(0.0, |i| block.measures[measure].get(rows.start + i))
            })
            .collect()
    }

    /// One building under ten ground motions; the engine leaves out losses below 200 (`minimum_asset_loss`).
    #[test]
    fn scenario_risk_1() {
        let Some(data) = shared("openquake/scenario_risk-case_1") else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.events");
        let sites = sites(&data.join("sites.csv")).unwrap();
        let names = ground_motion(&data.join("gmf_scenario.csv"), &sites, 0.1, &target).unwrap();
        assert_eq!(names, ["pga_g"]);
        let set = EventSet::open(&target).unwrap();
        let assets = exposure(&data.join("exposure_model.xml")).unwrap();
        assert_eq!(assets.len(), 3);
        assert_eq!(assets[1].costs[0].limit, Some(800.0));
        assert_eq!(assets[1].tags, [("OCC".to_string(), "res".to_string())]);
        let path = data.join("vulnerability.xml");
        let curves = vulnerability(&path).unwrap();
        let near: Vec<&Asset> = assets
            .iter()
            .filter(|a| place(&sites, a).is_some())
            .collect();
        assert_eq!(near.len(), 1);
        let asset = near[0];
        let curve = curves.iter().find(|c| c.code == asset.taxonomy).unwrap();
        let checked = Vulnerability::from_curve(&path, curve).unwrap();
        let losses: Vec<f64> = at_place(&set, "pga_g", 0)
            .iter()
            .map(|g| asset.costs[0].value * checked.mean(*g))
            .map(|loss| if loss < 200.0 { 0.0 } else { loss })
            .collect();
        // Six digits are written: half of the last one, and single precision.
        let near = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 6e-6, "{found} {expected}");
        };
        near(losses.iter().sum::<f64>() / 10.0, 412.367);
        let mut table = columns::Columns::open(&data.join("expected/risk_by_event.csv")).unwrap();
        let mut compared = 0;
        while table.next().unwrap() {
            let event = table.whole(0, 0, 9) as usize;
            near(losses[event], table.number(1));
            compared += 1;
        }
        assert_eq!((compared, losses[7]), (9, 0.0));
    }

    /// A table of assets, a taxonomy mapping, and a function with a beta spread, which the engine ignores here.
    #[test]
    fn scenario_risk_9() {
        let Some(data) = shared("openquake/scenario_risk-case_9") else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.events");
        let sites = sites(&data.join("sites.csv")).unwrap();
        let names = ground_motion(&data.join("gmf-data.csv"), &sites, 1.0, &target).unwrap();
        assert_eq!(names, ["sa(0.1)_g", "sa(0.3)_g"]);
        let assets = exposure(&data.join("exposure.xml")).unwrap();
        let asset = &assets[0];
        assert_eq!(
            (asset.id.as_str(), asset.number, asset.area),
            ("Res_3622", 7.0, 1090.9)
        );
        assert_eq!(asset.costs[0].value, 368_744.0);
        assert_eq!(asset.occupants[1], ("night".to_string(), 16.638));
        assert!(
            asset
                .tags
                .contains(&("NAME_1".to_string(), "Lisboa".to_string()))
        );
        let mapping = taxonomy_mapping(&data.join("taxonomy_mapping.csv")).unwrap();
        let path = data.join("vulnerability_structural.xml");
        let curves = vulnerability(&path).unwrap();
        let set = EventSet::open(&target).unwrap();
        let mut loss = 0.0;
        for (risk, weight) in &mapping[&asset.taxonomy] {
            let curve = curves.iter().find(|c| c.code == *risk).unwrap();
            let checked = Vulnerability::from_curve(&path, curve).unwrap();
            let at = at_place(&set, checked.measure(), place(&sites, asset).unwrap());
            loss += weight * asset.costs[0].value * checked.mean(at[0]);
        }
        // Six digits are written.
        assert!((loss / 2.046_92e5 - 1.0).abs() < 6e-6, "{loss}");
    }

    /// The likeliest state of each asset under one ground motion.
    #[test]
    fn scenario_damage_1() {
        let Some(data) = shared("openquake/scenario_damage-case_1") else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.events");
        let sites = sites_of(&[[15.48, 38.25], [15.56, 38.17], [15.48, 38.09]]);
        ground_motion(&data.join("gmf_scenario.csv"), &sites, 1.0, &target).unwrap();
        let set = EventSet::open(&target).unwrap();
        let path = data.join("fragility_discrete.xml");
        let functions = fragility(&path, None).unwrap();
        let mut found = Vec::new();
        for asset in exposure(&data.join("exposure_model.xml")).unwrap() {
            let f = functions.iter().find(|f| f.code == asset.taxonomy).unwrap();
            let f = Vulnerability::from_fragility(&path, f).unwrap();
            let g = at_place(&set, "pga_g", place(&sites, &asset).unwrap())[0];
            let mut reach = [0.0; MOST_STATES];
            f.fragility().unwrap().reaching(g, &mut reach);
            let shares = [1.0 - reach[0], reach[0] - reach[1], reach[1]];
            let most = (0..3)
                .max_by(|a, b| shares[*a].total_cmp(&shares[*b]))
                .unwrap();
            found.push((asset.id, ["no_damage", "LS1", "LS2"][most].to_string()));
        }
        let mut table = columns::Columns::open(&data.join("expected/dmg_by_asset.csv")).unwrap();
        while table.next().unwrap() {
            let row = (table.cell(0).to_string(), table.cell(6).to_string());
            assert!(found.contains(&row), "{row:?} {found:?}");
        }
    }

    /// Mean numbers of buildings by state under ten ground motions. The engine draws the state of each building
    /// (`discrete_damage_distribution`): its means are compared by their sampling error.
    #[test]
    fn scenario_damage_2() {
        let Some(data) = shared("openquake/scenario_damage-case_2") else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.events");
        let sites = sites_of(&[[15.48, 38.25], [15.56, 38.17], [15.48, 38.09]]);
        ground_motion(&data.join("gmf_scenario.csv"), &sites, 1.0, &target).unwrap();
        let set = EventSet::open(&target).unwrap();
        let path = data.join("fragility_continuous.xml");
        let functions = fragility(&path, None).unwrap();
        let assets = exposure(&data.join("exposure_model.xml")).unwrap();
        let mut table = columns::Columns::open(&data.join("expected/dmg_by_asset.csv")).unwrap();
        let mut squares = 0.0;
        while table.next().unwrap() {
            let asset = assets.iter().find(|a| a.id == table.cell(0)).unwrap();
            let f = functions.iter().find(|f| f.code == asset.taxonomy).unwrap();
            let f = Vulnerability::from_fragility(&path, f).unwrap();
            let motions = at_place(&set, "pga_g", place(&sites, asset).unwrap());
            let (mut mean, mut variance) = ([0.0; 3], [0.0; 3]);
            for g in &motions {
                let mut reach = [0.0; MOST_STATES];
                f.fragility().unwrap().reaching(*g, &mut reach);
                for (k, p) in [1.0 - reach[0], reach[0] - reach[1], reach[1]]
                    .iter()
                    .enumerate()
                {
                    mean[k] += asset.number * p / 10.0;
                    variance[k] += asset.number * p * (1.0 - p) / 100.0;
                }
            }
            for k in 0..3 {
                let error = (table.number(4 + k) - mean[k]) / variance[k].sqrt();
                // Nine comparisons: 4 standard deviations are passed once in 1700 runs of the engine.
                assert!(error.abs() < 4.0, "{} {k}: {error}", asset.id);
                squares += error * error;
            }
        }
        // Sum of nine squares of which six are free.
        assert!(squares < 30.0, "{squares}");
    }

    #[test]
    fn bad_tables_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let target = dir.path().join("a.events");
        let sites = sites(&write("s.csv", "lon,lat\n1,2\n3,4\n")).unwrap();
        assert_eq!(sites[1].id, "1");
        let e = ground_motion(
            &write("a.csv", "sid,eid,gmv_PGA\n7,0,0.1\n0,0,-1\n"),
            &sites,
            1.0,
            &target,
        );
        assert_eq!(e.unwrap_err().faults().len(), 2);
        let twice = write("b.csv", "rlzi,sid,eid,gmv_PGA\n0,1,4,0.1\n1,1,4,0.2\n");
        let e = ground_motion(&twice, &sites, 1.0, &target).unwrap_err();
        assert!(e.to_string().contains("event 4: found site 1 twice"), "{e}");
        let e = ground_motion(&write("c.csv", "sid,eid\n0,0\n"), &sites, 1.0, &target).unwrap_err();
        assert!(e.to_string().contains("gmv_"), "{e}");
        let e = taxonomy_mapping(&write(
            "t.csv",
            "taxonomy,risk_id,weight\nA,x,0.5\nA,y,0.4\n",
        ));
        assert!(e.unwrap_err().to_string().contains("taxonomy A"));
    }
}
