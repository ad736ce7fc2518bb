//! The risk stage on the showcase with large cells: totals at every level, tables, options, and `explain` against a
//! calculation by hand from the raw rasters, which shares no code with the interpreter of rule packs.

use crate::region::Region;
use anlan::engine::io::parquet::{self, ColumnData};
use anlan::engine::io::{geotiff, table, vector};
use anlan::explain::{ChainTold, ExplainOptions, Explanation, Place, PlaceTold, explain, text};
use anlan::run::{RunOptions, run};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One run for everything in this file.
struct Case {
    region: Region,
    out: PathBuf,
}

#[test]
fn the_risk_stage_and_what_explains_it() {
    let region = Region::new();
    region.edit(|t| t.replace("cell_m = 450.0", "cell_m = 900.0"));
    let out = region.file("out");
    region.run_to(&out, 2).unwrap();
    let case = Case { region, out };
    three_cells_by_hand(&case);
    two_units_by_hand(&case);
    explanations_read_in_both_languages_and_say_what_is_missing(&case);
    every_level_adds_up_and_every_product_is_there(&case);
    schemes_and_packs_of_the_project_are_used(&case);
}

/// What the stages left, read plainly.
struct Raw {
    out: PathBuf,
    unit: Vec<f64>,
    township: Vec<f64>,
    ledger: BTreeMap<String, Vec<f64>>,
}

impl Raw {
    fn new(out: &Path) -> Raw {
        let unit = band(&out.join("layers/unit.tif"), 1);
        let columns = parquet::read(&out.join("layers/exposure.parquet")).unwrap();
        let ColumnData::U32(cell) = &columns.iter().find(|c| c.name == "cell").unwrap().data else {
            panic!("cells are numbers")
        };
        let mut ledger = BTreeMap::new();
        for c in &columns {
            let values: Vec<f64> = match &c.data {
                ColumnData::U32(v) => v.iter().map(|&x| f64::from(x)).collect(),
                ColumnData::F64(v) => v.clone(),
                _ => continue,
            };
            let mut all = vec![0.0; unit.len()];
            for (&c, v) in cell.iter().zip(values) {
                all[c as usize] += v;
            }
            ledger.insert(c.name.clone(), all);
        }
        Raw {
            out: out.to_path_buf(),
            township: band(&out.join("layers/township.tif"), 1),
            unit,
            ledger,
        }
    }

    fn raster(&self, file: &str, b: usize) -> Vec<f64> {
        band(&self.out.join(file), b)
    }

    fn sum(&self, names: &[&str]) -> Vec<f64> {
        (0..self.unit.len())
            .map(|i| names.iter().map(|n| self.ledger[*n][i]).sum())
            .collect()
    }

    fn weak(&self) -> Vec<f64> {
        let [a, b, c] =
            ["rooms_concrete", "rooms_masonry", "rooms_brick_wood"].map(|n| &self.ledger[n]);
        (0..self.unit.len())
            .map(|i| {
                let all = a[i] + b[i] + c[i];
                if all > 0.0 {
                    (c[i] + 0.5 * b[i]) / all
                } else {
                    0.5
                }
            })
            .collect()
    }
}

fn band(file: &Path, band: usize) -> Vec<f64> {
    let raster = geotiff::read_f32(file, band).unwrap();
    raster.values().iter().map(|&v| f64::from(v)).collect()
}

/// (x - min)/(max - min) over the chosen cells, 0 elsewhere.
fn min_max(v: &[f64], on: &[bool]) -> Vec<f64> {
    let of = || v.iter().zip(on).filter(|(_, k)| **k).map(|(x, _)| *x);
    let (low, high) = (of().fold(f64::MAX, f64::min), of().fold(f64::MIN, f64::max));
    v.iter()
        .map(|x| {
            if high > low {
                (x - low) / (high - low)
            } else {
                0.0
            }
        })
        .collect()
}

fn half(v: &[f64], on: &[bool]) -> Vec<f64> {
    min_max(v, on).iter().map(|x| 0.5 + 0.5 * x).collect()
}

/// Entropy weights by the formula of the standards page.
fn entropy(columns: &[&Vec<f64>], on: &[bool]) -> Vec<f64> {
    let n = on.iter().filter(|k| **k).count() as f64;
    let information: Vec<f64> = columns
        .iter()
        .map(|c| {
            let of = || c.iter().zip(on).filter(|(_, k)| **k).map(|(x, _)| *x);
            let sum: f64 = of().sum();
            let e: f64 = of()
                .map(|x| x / sum)
                .filter(|p| *p > 0.0)
                .map(|p| -p * libm::log(p))
                .sum();
            1.0 - e / libm::log(n)
        })
        .collect();
    let all: f64 = information.iter().sum();
    information.iter().map(|d| d / all).collect()
}

fn mean_sigma(v: &[f64], on: &[bool]) -> (f64, f64) {
    let of: Vec<f64> = v
        .iter()
        .zip(on)
        .filter(|(_, k)| **k)
        .map(|(x, _)| *x)
        .collect();
    let mean = of.iter().sum::<f64>() / of.len() as f64;
    let square = of.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / of.len() as f64;
    (mean, square.sqrt())
}

/// Class by natural breaks of four, by trying every partition.
fn jenks(values: &[f64], value: f64) -> u8 {
    let mut v: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    v.sort_by(f64::total_cmp);
    let n = v.len();
    let mut sums = vec![(0.0, 0.0)];
    for x in &v {
        let last = sums[sums.len() - 1];
        sums.push((last.0 + x, last.1 + x * x));
    }
    let cost = |a: usize, b: usize| {
        let s = sums[b].0 - sums[a].0;
        (sums[b].1 - sums[a].1) - s * s / (b - a) as f64
    };
    let mut best = (f64::MAX, [0; 3]);
    for a in 1..n - 2 {
        for b in a + 1..n - 1 {
            for c in b + 1..n {
                let all = cost(0, a) + cost(a, b) + cost(b, c) + cost(c, n);
                if all < best.0 {
                    best = (all, [a, b, c]);
                }
            }
        }
    }
    let above = best.1.iter().filter(|&&cut| value >= v[cut]).count();
    4 - above as u8
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-6), "{a} against {b}");
}

fn ask(case: &Case, place: Place, hazard: &str, object: &str) -> Explanation {
    let options = ExplainOptions {
        out: Some(case.out.clone()),
        place,
        hazard: Some(hazard.into()),
        object: Some(object.into()),
    };
    let told = explain(&case.region.project(), &options).unwrap();
    // What the stage wrote is what is told.
    for c in told.chains.iter().filter(|c| c.stored.is_some()) {
        assert_eq!(
            c.stored.as_ref().unwrap().1,
            c.grade,
            "{} {} {}",
            c.level,
            c.hazard,
            c.object
        );
    }
    told
}

fn at(case: &Case, cell: usize, hazard: &str, object: &str) -> ChainTold {
    let grid = geotiff::info(&case.out.join("layers/unit.tif"))
        .unwrap()
        .grid;
    let (row, col) = grid.row_col(cell as u32);
    let told = ask(case, Place::At(grid.x(col), grid.y(row)), hazard, object);
    let PlaceTold::Cell {
        row: r,
        col: c,
        units,
        ..
    } = &told.place
    else {
        panic!("a cell was asked for")
    };
    assert_eq!((*r, *c, units.len()), (row, col, 3));
    told.chains.into_iter().next_back().unwrap()
}

/// The valid cell whose index is the q-quantile.
fn pick(index: &[f64], on: &[bool], q: f64) -> usize {
    let mut cells: Vec<usize> = (0..index.len()).filter(|&i| on[i]).collect();
    cells.sort_by(|&a, &b| index[a].total_cmp(&index[b]));
    cells[((cells.len() - 1) as f64 * q) as usize]
}

/// Flood, comprehensive: hazard × exposure × vulnerability over the valid cells; (index, valid, thresholds).
fn flood_by_hand(raw: &Raw) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let depth = raw.raster("hazard/flood/expected_annual_depth_m.tif", 2);
    let people = raw.sum(&["population"]);
    let gdp = raw.sum(&["gdp_yuan"]);
    let on: Vec<bool> = (0..depth.len())
        .map(|i| !raw.unit[i].is_nan() && depth[i] > 0.0 && (people[i] > 0.0 || gdp[i] > 0.0))
        .collect();
    let root = |v: &[f64]| min_max(&v.iter().map(|x| x.sqrt()).collect::<Vec<_>>(), &on);
    let exposure: Vec<f64> = root(&people)
        .iter()
        .zip(root(&gdp))
        .map(|(a, b)| 0.5 * a + 0.5 * b)
        .collect();
    let (h, e, v) = (
        half(&depth, &on),
        half(&exposure, &on),
        half(&raw.weak(), &on),
    );
    let index: Vec<f64> = (0..h.len()).map(|i| h[i] * e[i] * v[i]).collect();
    let (mean, sigma) = mean_sigma(&index, &on);
    let thresholds = [1.0, 0.5, -0.5, -1.0].map(|k| mean + k * sigma).to_vec();
    (index, on, thresholds)
}

fn class(v: f64, thresholds: &[f64]) -> u8 {
    1 + thresholds.iter().filter(|t| v < **t).count() as u8
}

fn three_cells_by_hand(case: &Case) {
    let raw = Raw::new(&case.out);

    // 1. Flood, comprehensive, near the top.
    let (index, on, thresholds) = flood_by_hand(&raw);
    let cell = pick(&index, &on, 0.97);
    let told = at(case, cell, "flood", "comprehensive");
    assert_eq!(told.rows, on.iter().filter(|k| **k).count());
    near(told.index.unwrap(), index[cell]);
    for (a, b) in told.thresholds.iter().zip(&thresholds) {
        near(*a, *b);
    }
    assert_eq!(told.grade, class(index[cell], &thresholds));
    assert_eq!(
        (told.pack.id.as_str(), told.pack.status.as_str()),
        ("risk", "unverified")
    );
    let people = &told.indicators[1];
    near(people.raw.unwrap(), raw.ledger["population"][cell]);
    near(
        people.max,
        raw.sum(&["population"])
            .iter()
            .zip(&on)
            .filter(|(_, k)| **k)
            .map(|(p, _)| p.sqrt())
            .fold(0.0, f64::max),
    );
    assert_eq!(people.weight, 0.5);
    assert_eq!(people.files[0].sha256.len(), 64);

    // 2. Strong convection, the hazard itself: entropy of three indicators of which some may differ too little to count.
    let inside: Vec<bool> = raw.unit.iter().map(|u| !u.is_nan()).collect();
    let columns: Vec<Vec<f64>> = ["gust_m_s", "hail_mm", "rain_mm_h"]
        .iter()
        .map(|m| {
            let v = raw.raster(&format!("hazard/convection/{m}_rp0020.tif"), 1);
            let of = || v.iter().zip(&inside).filter(|(_, k)| **k).map(|(x, _)| *x);
            let (low, high) = (of().fold(f64::MAX, f64::min), of().fold(f64::MIN, f64::max));
            if high - low < 0.02 * high {
                vec![0.5; v.len()]
            } else {
                min_max(&v, &inside)
            }
        })
        .collect();
    let weights = entropy(&columns.iter().collect::<Vec<_>>(), &inside);
    let index: Vec<f64> = (0..inside.len())
        .map(|i| columns.iter().zip(&weights).map(|(c, w)| c[i] * w).sum())
        .collect();
    let (mean, sigma) = mean_sigma(&index, &inside);
    let cell = pick(&index, &inside, 0.4);
    let told = at(case, cell, "convection", "hazard");
    near(told.index.unwrap(), index[cell]);
    for (i, w) in told.indicators.iter().zip(&weights) {
        assert!((i.weight - w).abs() < 1e-9, "{} against {w}", i.weight);
        assert_eq!(i.return_period, Some(20.0));
    }
    assert_eq!(
        told.grade,
        class(index[cell], &[mean + sigma, mean, mean - sigma])
    );

    // 3. Forest fire, housing: four factors by the hierarchy process.
    let burn = raw.raster("hazard/fire/burn_probability.tif", 1);
    let flame = raw.raster("hazard/fire/conditional_flame_m.tif", 1);
    let fire: Vec<f64> = burn
        .iter()
        .zip(&flame)
        .map(|(p, f)| if *p > 0.0 && *f > 0.0 { p * f } else { 0.0 })
        .collect();
    let floor = raw.sum(&[
        "floor_concrete_m2",
        "floor_masonry_m2",
        "floor_brick_wood_m2",
    ]);
    let on: Vec<bool> = (0..fire.len())
        .map(|i| inside[i] && fire[i] > 0.0 && floor[i] > 0.0)
        .collect();
    let size = min_max(&floor.iter().map(|x| x.sqrt()).collect::<Vec<_>>(), &on);
    let (hazard, weak) = (min_max(&fire, &on), min_max(&raw.weak(), &on));
    let roads = min_max(&raw.sum(&["road_m"]), &on);
    let w = eigenvector(&[
        [1.0, 2.0, 3.0, 4.0],
        [0.5, 1.0, 2.0, 3.0],
        [1.0 / 3.0, 0.5, 1.0, 2.0],
        [0.25, 1.0 / 3.0, 0.5, 1.0],
    ]);
    // Roads give access: the more of them, the better.
    let index: Vec<f64> = (0..on.len())
        .map(|i| w[0] * hazard[i] + w[1] * size[i] + w[2] * weak[i] + w[3] * (1.0 - roads[i]))
        .collect();
    let mut sorted: Vec<f64> = index
        .iter()
        .zip(&on)
        .filter(|(_, k)| **k)
        .map(|(x, _)| *x)
        .collect();
    sorted.sort_by(f64::total_cmp);
    let percentile = |p: f64| {
        let at = p * (sorted.len() - 1) as f64;
        let low = at.floor() as usize;
        sorted[low] + (sorted[(low + 1).min(sorted.len() - 1)] - sorted[low]) * (at - at.floor())
    };
    let cell = pick(&index, &on, 0.83);
    let told = at(case, cell, "fire", "housing");
    // The judgements are written with nine digits.
    assert!((told.index.unwrap() - index[cell]).abs() < 1e-8);
    for (f, w) in told.factors.iter().zip(&w) {
        assert!((f.power - w).abs() < 1e-8, "{} against {w}", f.power);
    }
    near(told.indicators[0].raw.unwrap(), fire[cell]);
    near(told.factors[3].index.unwrap(), 1.0 - roads[cell]);
    assert_eq!(
        told.grade,
        class(index[cell], &[0.95, 0.8, 0.5, 0.2].map(percentile))
    );
    assert_eq!(told.grade, 2);
}

/// Principal eigenvector, adding up to 1.
fn eigenvector(matrix: &[[f64; 4]; 4]) -> [f64; 4] {
    let mut w = [0.25; 4];
    for _ in 0..200 {
        let next = matrix.map(|row| row.iter().zip(&w).map(|(a, b)| a * b).sum::<f64>());
        let all: f64 = next.iter().sum();
        w = next.map(|v| v / all);
    }
    w
}

fn two_units_by_hand(case: &Case) {
    let raw = Raw::new(&case.out);
    let layer = vector::read(&case.out.join("layers/units.gpkg")).unwrap();
    let code = layer.require("code").unwrap();
    let codes: Vec<String> = layer
        .features
        .iter()
        .map(|f| f.values[code].to_string())
        .collect();

    // 1. A county, flood: mean risk of its residents, ranked among the nine by natural breaks.
    let (index, on, _) = flood_by_hand(&raw);
    let people = raw.sum(&["population"]);
    let mean = |u: usize| {
        let cells = || (0..index.len()).filter(|&i| raw.unit[i] == u as f64);
        let risk: f64 = cells()
            .filter(|&i| on[i])
            .map(|i| index[i] * people[i])
            .sum();
        risk / cells().map(|i| people[i]).sum::<f64>()
    };
    let means: Vec<f64> = (0..codes.len()).map(mean).collect();
    let place = codes.iter().position(|c| c == "330702").unwrap();
    let told = ask(case, Place::Unit("330702".into()), "flood", "comprehensive");
    let told = told.chains.last().unwrap();
    let a = told.aggregation.as_ref().unwrap();
    near(told.index.unwrap(), means[place]);
    assert_eq!((a.weight.as_str(), a.weight_sum), ("population", 957_055.0));
    assert_eq!(told.grade, jenks(&means, means[place]));
    assert_eq!(a.greatest.len(), 5);
    assert!(a.greatest.windows(2).all(|w| w[0][4] >= w[1][4]));

    // 2. A township, GDP under strong convection: H × E over cells with GDP, weighted by GDP, among all townships.
    let hazard = raw.raster("risk/convection_hazard_index.tif", 1);
    let gdp = raw.sum(&["gdp_yuan"]);
    let on: Vec<bool> = (0..gdp.len())
        .map(|i| !raw.unit[i].is_nan() && gdp[i] > 0.0 && hazard[i] > 0.0)
        .collect();
    let exposure = min_max(&gdp.iter().map(|x| x.sqrt()).collect::<Vec<_>>(), &on);
    let (h, e) = (half(&hazard, &on), half(&exposure, &on));
    let list = table::read(&case.out.join("layers/townships.csv")).unwrap();
    let means: Vec<f64> = (0..list.rows.len())
        .map(|t| {
            let cells = || (0..gdp.len()).filter(|&i| raw.township[i] == t as f64);
            let risk: f64 = cells()
                .filter(|&i| on[i])
                .map(|i| h[i] * e[i] * gdp[i])
                .sum();
            risk / cells().map(|i| gdp[i]).sum::<f64>()
        })
        .collect();
    let place = list.rows.len() / 3;
    let code = list.rows[place][0].to_string();
    let told = ask(case, Place::Unit(code), "convection", "gdp");
    let told = told.chains.last().unwrap();
    // The raster of the hazard's index is f32.
    assert!((told.index.unwrap() / means[place] - 1.0).abs() < 1e-6);
    assert_eq!(told.level, "township");
    assert_eq!(told.grade, jenks(&means, means[place]));
}

fn explanations_read_in_both_languages_and_say_what_is_missing(case: &Case) {
    let raw = Raw::new(&case.out);
    let told = ask(case, Place::Unit("330702".into()), "flood", "population");
    let zh = text(&told, true);
    for part in [
        "县级: 330702 婺城区",
        "规则包: flood-population",
        "常住人口",
        "归一化",
        "阈值",
        "一致",
    ] {
        assert!(zh.contains(part), "{part}\n{zh}");
    }
    assert!(!zh.contains("不一致"), "{zh}");
    // The hazard on the way has means of cells and no grade of its own.
    assert!(
        told.chains[0].means && zh.matches("等级: ").count() == 1,
        "{zh}"
    );
    let en = text(&told, false);
    for part in [
        "rule pack: flood-population",
        "unverified",
        "layers/exposure.parquet, population, sha256",
        "thresholds",
    ] {
        assert!(en.contains(part), "{part}\n{en}");
    }
    // A dry cell has no flood risk, and the explanation says which indicator is 0.
    let depth = raw.raster("hazard/flood/expected_annual_depth_m.tif", 2);
    let dry = (0..depth.len())
        .find(|&i| !raw.unit[i].is_nan() && depth[i] <= 0.0)
        .unwrap();
    let told = at(case, dry, "flood", "population");
    assert_eq!((told.grade, told.index), (0, None));
    assert!(told.reason.is_some());
    // All methods of the comprehensive risk of a unit.
    let told = ask(case, Place::Unit("330702".into()), "all", "comprehensive");
    let methods: Vec<&str> = told.chains.iter().map(|c| c.object.as_str()).collect();
    assert_eq!(
        methods,
        [
            "weighted",
            "expert",
            "maximum",
            "matrix",
            "loss",
            "loss-per-gdp",
            "loss-per-km2"
        ]
    );
    let wrong = |place, hazard: &str| {
        let options = ExplainOptions {
            out: Some(case.out.clone()),
            place,
            hazard: Some(hazard.into()),
            object: None,
        };
        explain(&case.region.project(), &options).unwrap_err()
    };
    assert!(wrong(Place::Unit("999999".into()), "flood").is_input());
    assert!(wrong(Place::At(0.0, 0.0), "flood").is_input());
    assert!(
        wrong(Place::Unit("330702".into()), "locusts")
            .to_string()
            .contains("`flood`, `convection`")
    );
}

fn numbers(t: &table::Table, column: &str, level: &str) -> Vec<f64> {
    let (c, l) = (t.require(column).unwrap(), t.require("level").unwrap());
    t.rows
        .iter()
        .filter(|r| r[l].to_string() == level)
        .map(|r| r[c].as_f64().unwrap_or(f64::NAN))
        .collect()
}

fn every_level_adds_up_and_every_product_is_there(case: &Case) {
    let read = |name: &str| table::read(&case.out.join("risk").join(name)).unwrap();
    let levels = read("levels.csv");
    let townships = numbers(&levels, "population", "township").len();
    for level in ["township", "county", "prefecture"] {
        assert_eq!(
            numbers(&levels, "population", level).iter().sum::<f64>(),
            7_050_683.0,
            "{level}"
        );
        for column in ["households", "rooms"] {
            let of = |l: &str| numbers(&levels, column, l).iter().sum::<f64>();
            assert_eq!(of(level), of("prefecture"), "{column} {level}");
        }
    }
    assert_eq!(numbers(&levels, "population", "county").len(), 9);
    // Every unit, hazard and object has a row; grades are of units that could be ranked.
    let objects = read("object_grades.csv");
    assert_eq!(objects.rows.len(), (townships + 9 + 1) * 4 * 7);
    let (level, grade) = (
        objects.require("level").unwrap(),
        objects.require("grade").unwrap(),
    );
    for row in &objects.rows {
        let grade = row[grade].as_f64().unwrap();
        match row[level].to_string().as_str() {
            "prefecture" => assert_eq!(grade, 0.0),
            "county" => assert!((1.0..=4.0).contains(&grade), "{row:?}"),
            _ => assert!((0.0..=4.0).contains(&grade)),
        }
    }
    for hazard in ["flood", "convection", "geology", "fire"] {
        for object in ["population", "gdp", "housing", "crops", "roads"] {
            let file = case
                .out
                .join(format!("risk/{hazard}_{object}_risk_grade.tif"));
            let info = geotiff::info(&file).unwrap();
            assert_eq!(info.tags["ANLAN_RULE_PACK"], format!("{hazard}-{object}"));
            let classes = geotiff::read_u8(&file, 1).unwrap();
            // Cells of 900 m have no slope on which people live.
            let graded = hazard == "geology" || classes.values().iter().any(|&c| c > 0);
            assert!(graded, "{hazard} {object}");
        }
    }
    for method in ["weighted", "expert", "maximum", "matrix", "loss"] {
        assert!(
            case.out
                .join(format!("risk/comprehensive_{method}_grade.tif"))
                .exists()
        );
    }
    // Zones hold all townships and the whole area, and every zone has a name.
    let zones = read("zones.csv");
    let sum = |name: &str| -> f64 {
        let c = zones.require(name).unwrap();
        zones.rows.iter().map(|r| r[c].as_f64().unwrap()).sum()
    };
    assert!(zones.rows.len() >= 2, "{} zones", zones.rows.len());
    assert_eq!(
        (sum("townships"), sum("population")),
        (townships as f64, 7_050_683.0)
    );
    near(
        sum("area_km2"),
        numbers(&levels, "area_km2", "prefecture")[0],
    );
    let name = zones.require("name_zh").unwrap();
    assert!(
        zones
            .rows
            .iter()
            .all(|r| r[name].to_string().contains("风险区"))
    );
    assert_eq!(
        vector::read(&case.out.join("risk/zones.gpkg"))
            .unwrap()
            .features
            .len(),
        zones.rows.len()
    );
    assert_eq!(
        vector::layer_names(&case.out.join("risk/levels.gpkg"))
            .unwrap()
            .len(),
        3
    );
    // Each township has one class of priority; ranks lie in their intervals.
    let priority = read("priority.csv");
    assert_eq!(priority.rows.len(), townships);
    let ranking = read("ranking.csv");
    let of = |row: &[anlan::engine::io::Value], name: &str| {
        row[ranking.require(name).unwrap()].as_f64().unwrap()
    };
    assert_eq!(ranking.rows.len(), 9 * 5 * 3);
    for row in &ranking.rows {
        let (low, rank, high) = (of(row, "rank_low"), of(row, "rank"), of(row, "rank_high"));
        assert!(
            low >= 1.0 && low <= high && high <= 9.0 && (1.0..=9.0).contains(&rank),
            "{row:?}"
        );
        assert!((low - 1.0..=high + 1.0).contains(&of(row, "expected_rank")));
    }
    // Loss-based: the comprehensive table holds the AAL of the loss tables.
    let methods = read("comprehensive.csv");
    assert_eq!(methods.rows.len(), (townships + 10) * 7);
    let (unit, method, index) = (
        methods.require("unit").unwrap(),
        methods.require("method").unwrap(),
        methods.require("index").unwrap(),
    );
    let losses = table::read(&case.out.join("losses/average_annual.csv")).unwrap();
    let aal = |code: &str| {
        let row = losses.rows.iter().find(|r| {
            r[0].to_string() == code
                && r[2].to_string() == "all"
                && r[3].to_string() == "direct_loss_yuan"
        });
        row.unwrap()[4].as_f64().unwrap()
    };
    let told = methods
        .rows
        .iter()
        .find(|r| r[unit].to_string() == "330702" && r[method].to_string() == "loss");
    near(told.unwrap()[index].as_f64().unwrap(), aal("330702"));
    let agreement = read("agreement.csv");
    assert_eq!(
        agreement
            .rows
            .iter()
            .filter(|r| r[0].to_string() == "county")
            .count(),
        21
    );
    assert!(!read("disagreement.csv").columns.is_empty());
}

fn schemes_and_packs_of_the_project_are_used(case: &Case) {
    let project = case.region.project();
    let plain = std::fs::read_to_string(&project).unwrap();
    let options = RunOptions {
        out: Some(case.out.clone()),
        only: vec!["risk".into()],
        ..RunOptions::default()
    };
    // Rain with the hazard-forming environment, in four colours.
    std::fs::write(
        &project,
        format!("{plain}\n[risk]\nscheme = \"four-colour\"\nhazards = {{ flood = \"flood-rainstorm-hazard\" }}\n"),
    )
    .unwrap();
    assert_eq!(run(&project, &options, &|_| {}).unwrap().ran, ["risk"]);
    let info = geotiff::info(&case.out.join("risk/flood_hazard_grade.tif")).unwrap();
    assert_eq!(info.tags["ANLAN_RULE_PACK"], "flood-rainstorm-hazard");
    let raw = Raw::new(&case.out);
    let cell = (0..raw.unit.len())
        .find(|&i| !raw.unit[i].is_nan())
        .unwrap();
    let told = at(case, cell, "flood", "hazard");
    let k = told.factors[0].coefficient.unwrap();
    assert!((-0.3..=0.3).contains(&k));
    near(
        told.factors[0].index.unwrap(),
        told.factors[0].joined.unwrap() * (1.0 + k),
    );
    let index = raw.raster("risk/flood_hazard_index.tif", 1)[cell];
    assert!((told.index.unwrap() - index).abs() < 1e-6);
    let grades = geotiff::info(&case.out.join("risk/flood_population_risk_grade.tif"))
        .unwrap()
        .tags;
    assert!(grades.contains_key("ANLAN_GRADE_4") && !grades.contains_key("ANLAN_GRADE_5"));

    // A pack of the project: its bytes are part of the stage's key.
    let pack = |from: &str| {
        format!(
            "[[pack]]\nid = \"flood-hazard\"\nhazard = \"flood\"\nobject = \"hazard\"\ntitle_zh = \"洪涝灾害危险性等级\"\n\
             title_en = \"flood\"\nissuer = \"us\"\nyear = 2026\nstatus = \"unverified\"\nsource = \"a test\"\n\
             grading = {{ method = \"fixed\", from = [{from}] }}\nnames_zh = [\"高\", \"低\"]\nnames_en = [\"high\", \"low\"]\n\
             colours = [[255, 0, 0], [0, 0, 255]]\n"
        )
    };
    let file = case.region.file("mine.toml");
    std::fs::write(&file, pack("0.2")).unwrap();
    std::fs::write(
        &project,
        format!("{plain}\n[risk]\npacks = [\"mine.toml\"]\n"),
    )
    .unwrap();
    run(&project, &options, &|_| {}).unwrap();
    let graded = || {
        let classes = geotiff::read_u8(&case.out.join("risk/flood_hazard_grade.tif"), 1).unwrap();
        classes.values().iter().filter(|&&c| c == 1).count()
    };
    let few = graded();
    std::fs::write(&file, pack("0.02")).unwrap();
    assert_eq!(run(&project, &options, &|_| {}).unwrap().ran, ["risk"]);
    assert!(graded() > few, "{few} and {}", graded());
    // Faults of a pack are the user's, and nothing is written for them.
    std::fs::write(&file, pack("0.02").replace("\"flood-hazard\"", "\"new\"")).unwrap();
    let error = run(&project, &options, &|_| {}).unwrap_err();
    assert!(
        error.is_input() && error.to_string().contains("no indicator"),
        "{error}"
    );

    std::fs::write(&project, plain).unwrap();
    run(&project, &options, &|_| {}).unwrap();
}
