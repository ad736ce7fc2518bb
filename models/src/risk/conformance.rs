//! Golden values of the census operators (standards page of this project, section 1.1), driven through the interpreter of
//! rule packs, and the edge rules of that page.

use super::chain::{Evaluated, evaluate};
use super::pack::{Factor, RulePack};
use super::packs::RulePacks;
use std::path::Path;

const X: [[f64; 5]; 3] = [
    [1.0, 2.0, 3.0, 5.0, 8.0],
    [10.0, 20.0, 15.0, 40.0, 12.0],
    [5.0, 5.5, 9.0, 7.0, 6.0],
];

/// A pack of hazard indicators, with what follows its head.
fn pack(names: &[&str], normalise: &str, rest: &str) -> RulePack {
    let mut text = format!(
        r#"
        [[pack]]
        id = "test"
        hazard = "flood"
        object = "hazard"
        title_zh = "试"
        title_en = "test"
        issuer = "test"
        year = 2026
        status = "unverified"
        source = "test"
        {rest}
        "#
    );
    for name in names {
        text += &format!(
            "\n[[pack.indicator]]\nid = \"{name}\"\nname_zh = \"指标\"\nname_en = \"{name}\"\nfactor = \"hazard\"\n\
             layer = \"{name}\"\nnormalise = \"{normalise}\"\n"
        );
    }
    RulePacks::parse(&text, Path::new("test.toml"))
        .unwrap()
        .pack
        .remove(0)
}

/// Head lines for grades of a number of classes.
fn grades(grading: &str, classes: usize) -> String {
    let names: Vec<String> = (1..=classes).map(|k| format!("\"{k}\"")).collect();
    let colours = vec!["[0, 0, 0]"; classes];
    format!(
        "grading = {grading}\nnames_zh = [{0}]\nnames_en = [{0}]\ncolours = [{1}]\n",
        names.join(", "),
        colours.join(", ")
    )
}

fn run(pack: &RulePack, columns: &[&[f64]]) -> Evaluated {
    let e = evaluate(pack, columns).unwrap();
    // Row by row the same numbers as column by column.
    for r in 0..columns[0].len() {
        let raw: Vec<f64> = columns.iter().map(|c| c[r]).collect();
        match e.fitted.invalid(pack, &raw) {
            Some(_) => assert!(e.index[r].is_nan() && e.grade[r] == 0),
            None => {
                let steps = e.fitted.steps(pack, &raw);
                assert_eq!((steps.index, steps.grade), (e.index[r], e.grade[r]));
            }
        }
    }
    e
}

/// The golden values are printed with six decimals.
fn near(found: &[f64], golden: &[f64]) {
    assert_eq!(found.len(), golden.len());
    for (a, b) in found.iter().zip(golden) {
        assert!((a - b).abs() < 5.1e-7, "{found:?} against {golden:?}");
    }
}

fn entropy_pack(normalise: &str) -> Evaluated {
    let head = grades("{ method = \"equal-shares\", classes = 2 }", 2)
        + "[pack.factor.hazard]\nweights = { method = \"entropy\" }";
    run(
        &pack(&["a", "b", "c"], normalise, &head),
        &[&X[0], &X[1], &X[2]],
    )
}

#[test]
fn min_max_with_entropy() {
    let e = entropy_pack("min-max");
    let of = |f: fn(&super::chain::FittedIndicator) -> f64| -> Vec<f64> {
        e.fitted.indicators.iter().map(f).collect()
    };
    near(
        &of(|i| i.entropy.unwrap()),
        &[0.727_581, 0.614_218, 0.706_406],
    );
    near(&of(|i| i.weight), &[0.286_216, 0.405_320, 0.308_464]);
    near(&e.index, &[0.0, 0.214_553, 0.457_793, 0.723_104, 0.390_353]);
}

#[test]
fn half_with_entropy() {
    let e = entropy_pack("half");
    let entropies: Vec<f64> = e
        .fitted
        .indicators
        .iter()
        .map(|i| i.entropy.unwrap())
        .collect();
    let weights: Vec<f64> = e.fitted.indicators.iter().map(|i| i.weight).collect();
    near(&entropies, &[0.980_741, 0.978_362, 0.980_428]);
    near(&weights, &[0.318_498, 0.357_840, 0.323_662]);
    near(&e.index, &[0.5, 0.602_619, 0.737_151, 0.850_835, 0.711_635]);
}

#[test]
fn hierarchy_process() {
    let head = grades("{ method = \"equal-shares\", classes = 2 }", 2)
        + "[pack.factor.hazard]\nweights = { method = \"ahp\", judgements = [[1.0, 2.0, 3.0], [0.5, 1.0, 2.0], \
           [0.3333333333333333, 0.5, 1.0]] }";
    let e = run(
        &pack(&["a", "b", "c"], "min-max", &head),
        &[&X[0], &X[1], &X[2]],
    );
    let ahp = e.fitted.factors[0].ahp.as_ref().unwrap();
    near(&ahp.weights, &[0.539_615, 0.296_961, 0.163_424]);
    near(
        &[ahp.lambda, ahp.consistency_index, ahp.consistency_ratio],
        &[3.009_203, 0.004_601, 0.007_933],
    );
}

#[test]
fn natural_breaks_and_mean_sigma() {
    let v = [
        4.1, 5.0, 5.2, 9.8, 10.1, 10.4, 15.9, 16.2, 22.5, 23.0, 23.1, 30.0,
    ];
    let jenks = pack(
        &["v"],
        "none",
        &grades("{ method = \"natural-breaks\", classes = 4 }", 4),
    );
    let e = run(&jenks, &[&v]);
    // Classes end at 5.2, 10.4, 16.2; a class begins above the end of the one below.
    let ends: Vec<f64> = e.fitted.thresholds.iter().map(|t| t.next_down()).collect();
    assert_eq!(ends, [16.2, 10.4, 5.2]);
    assert_eq!(e.grade, [4, 4, 4, 3, 3, 3, 2, 2, 1, 1, 1, 1]);
    let scale = &e.fitted.indicators[0].scale;
    near(&[scale.mean, scale.sigma], &[14.608_333, 8.156_435]);
    let sigma = pack(
        &["v"],
        "none",
        &grades("{ method = \"mean-sigma\", k = [1.0, 0.0, -1.0] }", 4),
    );
    near(
        &run(&sigma, &[&v]).fitted.thresholds,
        &[14.608_333 + 8.156_435, 14.608_333, 14.608_333 - 8.156_435],
    );
    let multiple = pack(
        &["v"],
        "none",
        &grades("{ method = \"mean-multiple\", k = [2.0, 1.0] }", 3),
    );
    near(
        &run(&multiple, &[&v]).fitted.thresholds,
        &[29.216_667, 14.608_333],
    );
}

#[test]
fn percentiles_own_their_lower_bound_and_the_top_is_closed() {
    let v: Vec<f64> = (0..=10).map(f64::from).collect();
    let p = pack(
        &["v"],
        "none",
        &grades("{ method = \"percentile\", from = [90.0, 70.0, 30.0] }", 4),
    );
    let e = run(&p, &[&v]);
    assert_eq!(e.fitted.thresholds, [9.0, 7.0, 3.0]);
    assert_eq!(e.grade, [4, 4, 4, 3, 3, 3, 3, 2, 2, 1, 1]);
    // Without a table: equal shares.
    let q = pack(
        &["v"],
        "none",
        &grades("{ method = \"equal-shares\", classes = 5 }", 5),
    );
    assert_eq!(run(&q, &[&v]).fitted.thresholds, [8.0, 6.0, 4.0, 2.0]);
}

#[test]
fn edge_rules() {
    let equal = grades("{ method = \"equal-shares\", classes = 2 }", 2);
    // max = min: 0 everywhere, or the constant that the pack chose; NaN takes no part.
    let level = [2.0, 2.0, f64::NAN];
    let e = run(&pack(&["v"], "min-max", &equal), &[&level]);
    assert_eq!((e.index[0], e.index[1], e.fitted.rows), (0.0, 0.0, 2));
    let mut chosen = pack(&["v"], "min-max", &equal);
    chosen.indicators[0].constant = Some(0.5);
    let e = run(&chosen, &[&level]);
    assert_eq!(
        (e.index[0], e.fitted.indicators[0].constant),
        (0.5, Some(0.5))
    );
    // Differences of less than the least contrast are none.
    chosen.indicators[0].least_contrast = 0.02;
    assert_eq!(run(&chosen, &[&[1.0, 1.01]]).index, [0.5, 0.5]);
    assert_eq!(run(&chosen, &[&[1.0, 1.03]]).index, [0.0, 1.0]);
    // One row: entropy is undefined, all weigh the same. A column of zeros weighs nothing.
    let entropy = equal.clone() + "[pack.factor.hazard]\nweights = { method = \"entropy\" }";
    let two = pack(&["a", "b"], "none", &entropy);
    let weights =
        |e: &Evaluated| -> Vec<f64> { e.fitted.indicators.iter().map(|i| i.weight).collect() };
    assert_eq!(weights(&run(&two, &[&[3.0], &[4.0]])), [0.5, 0.5]);
    assert_eq!(weights(&run(&two, &[&[0.0, 0.0], &[1.0, 2.0]])), [0.0, 1.0]);
    // No valid row: no thresholds, no grades.
    let none = run(&two, &[&[f64::NAN], &[1.0]]);
    assert!(none.grade == [0] && none.fitted.thresholds.is_empty());
    // Fewer values than classes + 2 are filled up with the mean 4 of 1, 2, 9; one value is of the lowest class.
    let jenks = pack(
        &["v"],
        "none",
        &grades("{ method = \"natural-breaks\", classes = 4 }", 4),
    );
    assert_eq!(run(&jenks, &[&[1.0, 2.0, 9.0]]).grade, [4, 3, 1]);
    assert_eq!(run(&jenks, &[&[7.0]]).grade, [4]);
    // A negative direction turns the scale round.
    let mut better = pack(&["v"], "half", &equal);
    better.indicators[0].direction = super::pack::Direction::Negative;
    assert_eq!(run(&better, &[&[1.0, 2.0, 3.0]]).index, [1.0, 0.75, 0.5]);
}

/// Terrain and river by entropy, rescaled to -0.3..0.3; H = (1 + coefficient) × index, worked by hand.
#[test]
fn environment_coefficient() {
    let head = grades("{ method = \"equal-shares\", classes = 2 }", 2);
    let mut p = pack(&["rain", "terrain", "river"], "min-max", &head);
    for i in &mut p.indicators[1..] {
        i.factor = Factor::Environment;
    }
    p.environment = Some([-0.3, 0.3]);
    p.indicators[0].normalise = anlan_engine::grade::Normalisation::None;
    let rule = super::pack::FactorRule {
        weights: super::pack::Weighting::Expert {
            values: vec![0.5, 0.5],
        },
        ..Default::default()
    };
    p.factors.insert(Factor::Environment, rule);
    let e = run(
        &p,
        &[&[10.0, 10.0, 10.0], &[0.0, 1.0, 2.0], &[0.0, 4.0, 4.0]],
    );
    // Environment 0, 0.75, 1 -> -0.3, 0.15, 0.3.
    near(&e.index, &[7.0, 11.5, 13.0]);
    let steps = e.fitted.steps(&p, &[10.0, 1.0, 4.0]);
    near(
        &[
            steps.factors[0].coefficient.unwrap(),
            steps.factors[0].index,
        ],
        &[0.15, 11.5],
    );
    // One factor alone needs no weights.
    let mut one = p.clone();
    one.indicators.pop();
    one.factors.insert(
        Factor::Environment,
        super::pack::FactorRule {
            weights: super::pack::Weighting::Entropy,
            ..Default::default()
        },
    );
    let e = run(&one, &[&[10.0, 10.0, 10.0], &[0.0, 1.0, 2.0]]);
    near(&e.index, &[7.0, 10.0, 13.0]);
}

/// H^a E^b V^c, weighted sums of factors, and the proposed matrix, worked by hand.
#[test]
fn combinations() {
    let packs = RulePacks::builtin();
    let flood = packs.get("flood-population").unwrap();
    // Rows: no hazard, nobody, and two that count.
    let e = run(
        flood,
        &[
            &[0.0, 1.0, 1.0, 3.0],
            &[4.0, 0.0, 4.0, 16.0],
            &[0.5, 0.5, 0.2, 0.2],
        ],
    );
    assert!(e.index[0].is_nan() && e.index[1].is_nan());
    // Each factor 0.5 or 1 over the two; the same share of weak rooms is 0.5 for both.
    assert_eq!(e.index[2..], [0.125, 0.5]);
    let mut squared = flood.clone();
    if let super::pack::Combine::Product { exponents } = &mut squared.combine {
        exponents.insert(Factor::Hazard, 2.0);
    }
    let columns: [&[f64]; 3] = [&[1.0, 3.0], &[4.0, 16.0], &[0.2, 0.2]];
    assert_eq!(run(&squared, &columns).index, [0.0625, 0.5]);

    let fire = packs.get("fire-gdp").unwrap();
    let e = run(fire, &[&[1.0, 3.0], &[4.0, 16.0], &[0.0, 100.0]]);
    // Weights 0.539615, 0.296961, 0.163424 of hazard, exposure, capacity; access by road is the better the more of it.
    near(&e.index, &[0.163_424, 0.836_576]);

    // EH EH H M / EH H H M / H H M L / M M L L.
    let geology = packs.get("geology-gdp").unwrap();
    let values: Vec<f64> = (0..=10).map(|v| f64::from(v * v) + 1.0).collect();
    let scores = vec![2.0; 11];
    let e = run(geology, &[&scores, &values]);
    // Hazard medium; vulnerability low below the third, medium to the seventh, high to the ninth.
    assert_eq!(e.grade, [4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2]);
    assert_eq!(e.index[10], 3.0);
    let table = [[1, 1, 2, 3], [1, 2, 2, 3], [2, 2, 3, 4], [3, 3, 4, 4]];
    for (row, score) in [4.0, 3.0, 2.0, 1.0].into_iter().enumerate() {
        let e = run(geology, &[&[score; 11], &values]);
        for (column, place) in [10, 7, 4, 0].into_iter().enumerate() {
            assert_eq!(e.grade[place], table[row][column]);
        }
    }
}

/// Methods of the comprehensive risk, worked by hand.
#[test]
fn comprehensive_methods() {
    let packs = RulePacks::builtin();
    let scores: [&[f64]; 4] = [
        &[3.0, 3.0, 1.0, 0.0],
        &[3.0, 2.0, 1.0, 0.0],
        &[1.0, 2.0, 1.0, 0.0],
        &[0.0; 4],
    ];
    let most = run(packs.get("comprehensive-maximum").unwrap(), &scores);
    assert_eq!(most.grade, [2, 2, 4, 4]);
    // Two of the second grade make one of the first; second and third stay second; all of the lowest stay lowest.
    let fold = run(packs.get("comprehensive-matrix").unwrap(), &scores);
    assert_eq!(fold.grade, [1, 2, 4, 4]);
    let index: [&[f64]; 4] = [&[0.0, 1.0], &[2.0, 1.0], &[5.0, 5.0], &[0.0, 4.0]];
    let expert = run(packs.get("comprehensive-expert").unwrap(), &index);
    near(&expert.index, &[0.2, 0.5]);
}
