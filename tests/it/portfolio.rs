//! Losses of a portfolio: threads, shards and rounds do not change a byte; what is wrong is named.

use anlan::engine::Event;
use anlan::engine::events::set::{Description, EventSet, EventSetWriter};
use anlan::engine::io::table;
use anlan::engine::random::Stream;
use anlan::portfolio::{PortfolioOptions, Said, Source, import, merge, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const EVENTS: u64 = 20_500;

const PORTFOLIO: &str = r#"
name = "made up"
events = "floods.events"
exposure = "exposure.csv"
vulnerability = "vulnerability.toml"
years = 2000
places = "places.csv"
places_epsg = 4549

[[classes]]
code = "house"
vulnerability = "house"
currency = "CNY"
price_year = 2020

[[classes]]
code = "people"
vulnerability = "people"
count = "person"

[sampling]
samples = 10
seed = 5
stop = { rounds = 2 }

[uncertainty.damage]
correlation = { group = 0.3 }

[report]
items = true
csv = true
"#;

const VULNERABILITY: &str = r#"
[[curve]]
code = "house"
measure = "depth_m"
intensity = [0.0, 1.0, 4.0]
mdd = [0.0, 0.4, 0.9]
cv = [0.0, 0.6, 0.2]

[[fragility]]
code = "people"
measure = "depth_m"
reach = { lognormal = { median = [0.8, 2.0], beta = [0.4, 0.4] } }
consequence = [0.5, 1.0]
"#;

struct Case {
    dir: TempDir,
}

impl Case {
    fn new() -> Case {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let description = Description {
            measures: vec!["depth_m".into()],
            double: false,
            probability: false,
            spread: false,
            note: "made up".into(),
        };
        let draws = Stream::new(1, 1);
        let mut writer = EventSetWriter::create(&at("floods.events"), description).unwrap();
        for id in 0..EVENTS {
            let places: Vec<u32> = (0..40).filter(|&p| draws.uniform(id, p, 0) < 0.1).collect();
            let depth: Vec<f64> = places
                .iter()
                .map(|&p| 3.0 * draws.uniform(id, p, 1))
                .collect();
            let event = Event {
                id,
                cause: id,
                hazard: 1,
                rate_per_year: 1e-4 * draws.uniform(id, 99, 0),
            };
            writer.push(&event, &places, &[&depth]).unwrap();
        }
        writer.finish().unwrap();
        let mut exposure = String::from("item,place,class,value,unit,group\n");
        for i in 0..60 {
            let class = if i % 3 == 0 { "people" } else { "house" };
            let unit = ["330702", "330703"][i % 2];
            exposure += &format!("{i},{},{class},{},{unit},{}\n", i * 2 / 3, 100 + i, i / 10);
        }
        fs::write(at("exposure.csv"), exposure).unwrap();
        let mut places = String::from("place,x_m,y_m\n");
        for p in 0..40 {
            places += &format!("{p},{},{}\n", 5e5 + 90.0 * f64::from(p), 3.2e6);
        }
        fs::write(at("places.csv"), places).unwrap();
        fs::write(at("vulnerability.toml"), VULNERABILITY).unwrap();
        fs::write(at("portfolio.toml"), PORTFOLIO).unwrap();
        Case { dir }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.file(name)).unwrap();
        assert!(text.contains(from));
        fs::write(self.file(name), text.replacen(from, to, 1)).unwrap();
    }

    fn run(
        &self,
        out: &str,
        threads: usize,
        shard: Option<(usize, usize)>,
    ) -> anlan::engine::Result<PathBuf> {
        let options = PortfolioOptions {
            out: Some(self.file(out)),
            shard,
            ..PortfolioOptions::default()
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(&self.file("portfolio.toml"), &options, &|_| ()))
    }

    fn fault(&self) -> String {
        let error = self.run("bad", 2, None).unwrap_err();
        assert!(error.is_input(), "{error}");
        assert!(!self.file("bad/loss").exists());
        error.to_string()
    }
}

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn threads_and_shards_do_not_change_a_byte() {
    let case = Case::new();
    assert!(
        EventSet::open(&case.file("floods.events"))
            .unwrap()
            .blocks()
            >= 5
    );
    let one = bytes(&case.run("one", 1, None).unwrap());
    for name in [
        "events.parquet",
        "years.parquet",
        "periods.parquet",
        "items.parquet",
        "items.gpkg",
        "events.csv",
        "curves.csv",
        "summary.md",
        "exceedance.png",
        "losses.xlsx",
    ] {
        assert!(one.contains_key(name), "{name}");
    }
    for threads in [2, 8] {
        assert_eq!(
            one,
            bytes(&case.run("many", threads, None).unwrap()),
            "{threads} threads"
        );
    }
    for shards in [1, 4, 7] {
        // Given in any order.
        let mut parts: Vec<PathBuf> = (1..=shards)
            .map(|i| {
                case.run(&format!("parts{shards}"), 2, Some((i, shards)))
                    .unwrap()
            })
            .collect();
        parts.reverse();
        let options = PortfolioOptions {
            out: Some(case.file("merged")),
            ..PortfolioOptions::default()
        };
        let made = merge(&case.file("portfolio.toml"), &parts, &options, &|_| ()).unwrap();
        assert_eq!(one, bytes(&made), "{shards} shards");
        if shards > 1 {
            let few = merge(&case.file("portfolio.toml"), &parts[1..], &options, &|_| ());
            assert!(few.unwrap_err().to_string().contains("each shard"));
        }
        let other = PortfolioOptions {
            seed: Some(6),
            ..options
        };
        let mixed = merge(&case.file("portfolio.toml"), &parts, &other, &|_| ());
        assert!(mixed.unwrap_err().to_string().contains("another run"));
    }
}

#[test]
fn sampled_averages_agree_with_the_means() {
    let case = Case::new();
    let error = 0.002;
    case.edit(
        "portfolio.toml",
        "stop = { rounds = 2 }",
        &format!("stop = {{ at = {{ goal = \"average-annual\", error = {error}, most = 60 }} }}"),
    );
    let made = case.run("out", 2, None).unwrap();
    let table = table::read(&made.join("average.csv")).unwrap();
    let number = |row: usize, name: &str| {
        table.rows[row][table.column(name).unwrap()]
            .as_f64()
            .unwrap()
    };
    let rounds = number(0, "rounds");
    assert!((4.0..60.0).contains(&rounds), "{rounds}");
    assert!(number(0, "standard_error_samples") <= error * number(0, "average_annual_sampled"));
    for row in 0..table.rows.len() {
        let (mean, sampled) = (
            number(row, "average_annual_mean"),
            number(row, "average_annual_sampled"),
        );
        // Student's t with three or more degrees of freedom: 1e-4 of it lies beyond 22.
        let slack = 22.0 * number(row, "standard_error_samples");
        assert!((sampled - mean).abs() < slack, "{:?}", table.rows[row]);
    }
    // Money and people are never added up.
    let totals: Vec<String> = table
        .rows
        .iter()
        .filter(|r| r[0].to_string() == "total")
        .map(|r| r[1].to_string())
        .collect();
    assert_eq!(totals, ["CNY 2020", "person"]);
}

/// Damage at its mean and events picked by rate × mean loss: the sampled average annual loss is the exact one, whichever the
/// picks (Picks::new); threads and shards change nothing.
#[test]
fn picked_events_stand_for_all() {
    let case = Case::new();
    case.edit(
        "portfolio.toml",
        "stop = { rounds = 2 }",
        "stop = { rounds = 3 }\nimportance = { picks = 200 }",
    );
    case.edit(
        "portfolio.toml",
        "correlation = { group = 0.3 }",
        "sampled = false",
    );
    let made = case.run("one", 1, None).unwrap();
    let average = table::read(&made.join("average.csv")).unwrap();
    let number = |row: usize, name: &str| {
        average.rows[row][average.column(name).unwrap()]
            .as_f64()
            .unwrap()
    };
    let (mean, sampled) = (
        number(0, "average_annual_mean"),
        number(0, "average_annual_sampled"),
    );
    assert_eq!(average.rows[0][0].to_string(), "total");
    assert!((sampled / mean - 1.0).abs() < 1e-12, "{sampled} {mean}");
    // Of another measure the picks say less, but agree within their own error (three rounds: Student's t, 1e-4 beyond 100).
    let people = average
        .rows
        .iter()
        .position(|r| r[0].to_string() == "total" && r[1].to_string() == "person")
        .unwrap();
    let off = number(people, "average_annual_sampled") - number(people, "average_annual_mean");
    let error = number(people, "standard_error_samples");
    assert!(error > 0.0 && off.abs() < 100.0 * error, "{off} {error}");
    // Each event comes at most once, and the years hold picked events alone.
    let periods = table::read(&made.join("periods.csv")).unwrap();
    let event = periods.column("event").unwrap();
    let drawn: std::collections::BTreeSet<String> =
        periods.rows.iter().map(|r| r[event].to_string()).collect();
    assert!((10..=200).contains(&drawn.len()), "{}", drawn.len());

    let one = bytes(&made);
    assert_eq!(one, bytes(&case.run("many", 8, None).unwrap()));
    let parts: Vec<PathBuf> = (1..=4)
        .map(|i| case.run("parts", 2, Some((i, 4))).unwrap())
        .collect();
    let options = PortfolioOptions {
        out: Some(case.file("merged")),
        ..PortfolioOptions::default()
    };
    let merged = merge(&case.file("portfolio.toml"), &parts, &options, &|_| ()).unwrap();
    assert_eq!(one, bytes(&merged));

    case.edit("portfolio.toml", "picks = 200", "picks = 2");
    assert!(case.fault().contains("10 to 1,000,000"));
}

#[test]
fn policies_pay_what_their_terms_say() {
    let case = Case::new();
    case.edit(
        "portfolio.toml",
        "years = 2000",
        "years = 2000\npolicies = \"policies.csv\"",
    );
    case.edit(
        "portfolio.toml",
        "correlation = { group = 0.3 }",
        "sampled = false",
    );
    // One house of value 100 at place 0, flooded by one event.
    let description = Description {
        measures: vec!["depth_m".into()],
        double: true,
        probability: false,
        spread: false,
        note: String::new(),
    };
    let mut writer = EventSetWriter::create(&case.file("floods.events"), description).unwrap();
    let event = |id| Event {
        id,
        cause: id,
        hazard: 1,
        rate_per_year: 0.1,
    };
    writer.push(&event(1), &[0], &[&[1.0]]).unwrap();
    writer.push(&event(2), &[0], &[&[4.0]]).unwrap();
    writer.finish().unwrap();
    fs::write(
        case.file("exposure.csv"),
        "item,place,class,value,unit,policy\n1,0,house,100,330702,村A\n",
    )
    .unwrap();
    fs::write(
        case.file("policies.csv"),
        "policy,deductible,limit,share\n村A,10,60,0.5\n",
    )
    .unwrap();
    let made = case.run("out", 1, None).unwrap();
    let table = table::read(&made.join("average.csv")).unwrap();
    let at = |name: &str| table.rows[0][table.column(name).unwrap()].as_f64().unwrap();
    // Losses 40 and 90: payouts 0.5 (40 - 10) = 15 and 0.5 min(80, 60) = 30.
    assert!((at("average_annual_mean") - 0.1 * (40.0 + 90.0)).abs() < 1e-12);
    assert!((at("average_annual_sampled") - 0.1 * (15.0 + 30.0)).abs() < 1e-12);

    fs::write(
        case.file("policies.csv"),
        "policy,deductible,limit,share\n村A,-1,60,1.5\n",
    )
    .unwrap();
    let text = case.fault();
    assert!(
        text.contains("-1") && text.contains("1.5") && text.contains("row 2"),
        "{text}"
    );
}

#[test]
fn faults_of_a_portfolio_are_named() {
    let case = Case::new();
    case.edit("exposure.csv", "1,0,house,101", "1,0,hous,101");
    case.edit("exposure.csv", "2,1,house,102", "2,1,house,-102");
    let text = case.fault();
    assert!(
        text.contains("`hous`")
            && text.contains("-102")
            && text.contains("row 3")
            && text.contains("row 4"),
        "{text}"
    );

    let case = Case::new();
    case.edit(
        "vulnerability.toml",
        "mdd = [0.0, 0.4, 0.9]",
        "mdd = [0.0, 40.0, 0.9]",
    );
    let text = case.fault();
    assert!(
        text.contains("curve house") && text.contains("mdd[1]"),
        "{text}"
    );

    let case = Case::new();
    case.edit(
        "portfolio.toml",
        "count = \"person\"",
        "currency = \"USD\"\nprice_year = 2015",
    );
    let text = case.fault();
    assert!(text.contains("USD of 2015"), "{text}");

    let case = Case::new();
    case.edit("portfolio.toml", "samples = 10", "sample = 10");
    assert!(case.fault().contains("sample"));

    let case = Case::new();
    case.edit(
        "vulnerability.toml",
        "measure = \"depth_m\"",
        "measure = \"gust_m_s\"",
    );
    let text = case.fault();
    assert!(
        text.contains("gust_m_s") && text.contains("depth_m"),
        "{text}"
    );

    let case = Case::new();
    case.edit(
        "portfolio.toml",
        "stop = { rounds = 2 }",
        "stop = { at = { goal = \"average-annual\", error = 0.01, most = 9 } }",
    );
    let text = case.run("bad", 1, Some((1, 2))).unwrap_err().to_string();
    assert!(text.contains("fixed number of rounds"), "{text}");
}

/// A folder of published cases; says so where it is not there.
#[allow(clippy::print_stdout)]
fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ANLAN_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = root.join("loss").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: no {}", path.display());
    None
}

/// Imports a portfolio of another engine, runs it and gives the figures of the first group of `average.csv`.
fn imported(
    source: Source,
    folders: &[PathBuf],
    edit: impl Fn(String) -> String,
) -> BTreeMap<String, f64> {
    let dir = tempfile::tempdir().unwrap();
    let said = Said {
        currency: "USD".into(),
        price_year: 2020,
        measure: "wind_m_s".into(),
    };
    let file = import(source, folders, &said, &dir.path().join("p")).unwrap();
    let again = import(source, folders, &said, &dir.path().join("p")).unwrap_err();
    assert!(again.is_input() && again.to_string().contains("existing portfolio"));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, edit(text)).unwrap();
    let options = PortfolioOptions {
        out: Some(dir.path().join("out")),
        ..PortfolioOptions::default()
    };
    let made = run(&file, &options, &|_| ()).unwrap();
    let table = table::read(&made.join("average.csv")).unwrap();
    let row = &table.rows[0];
    table
        .columns
        .iter()
        .zip(row)
        .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
        .collect()
}

/// Tropical cyclones of Florida, published by CLIMADA's own tests.
#[test]
fn climada_from_its_tables_to_the_average() {
    let Some(folder) = shared("climada_tc") else {
        return;
    };
    let found = imported(Source::Climada, &[folder], |t| t);
    // Sums in another order: 1e-12, as the case asks.
    let mean = found["average_annual_mean"];
    assert!(
        (mean / 6.512_201_157_564_421e9 - 1.0).abs() < 1e-12,
        "{mean}"
    );
    // No spread: sampled losses are the means.
    assert!((found["average_annual_sampled"] / mean - 1.0).abs() < 1e-12);
}

/// PiWind: items of two perils share a coverage, which caps their sum.
#[test]
fn oasis_from_its_files_to_the_average() {
    let Some(folder) = shared("piwind") else {
        return;
    };
    let folders = [
        folder.join("model_data/PiWind"),
        folder.join("tests/ci/expected/control_set/input"),
    ];
    let found = imported(Source::Oasis, &folders, |t| {
        t.replace("stop = { rounds = 4 }", "stop = { rounds = 8 }")
            .replace("samples = 20", "samples = 100")
    });
    // Oasis adds up 1,448 losses in single precision: 1e-6.
    let analytic = found["average_annual_terms_on_means"];
    assert!(
        (analytic / 235_819.234_375 - 1.0).abs() < 1e-6,
        "{analytic}"
    );
    // Ten samples of Oasis give 232,122.906. Two independent Monte Carlo estimates of one number differ by no more than
    // their errors: Oasis's ten samples of each of 1,448 occurrences of 1,000 years against our exact-to-0.1 % mean. The
    // spread between its samples is at most that of the years, 623,738 / sqrt(1,000 x 10).
    let sampled = found["average_annual_sampled"];
    assert!(
        (sampled - 232_122.906).abs() < 5.0 * 623_738.0 / 100.0,
        "{sampled}"
    );
    // A cap takes more from samples than from means, and never more than from the ground up.
    assert!(sampled < analytic && analytic < found["average_annual_mean"]);
    assert!(found["standard_error_samples"] < 1e-3 * sampled);
}

/// OpenQuake scenario risk, case 9: one asset, one ground motion, spreads switched off there (`ignore_covs`).
#[test]
fn openquake_from_its_files_to_the_loss() {
    let Some(folder) = shared("openquake/scenario_risk-case_9") else {
        return;
    };
    let found = imported(Source::OpenQuake, &[folder], |t| {
        t + "\n[uncertainty.damage]\nsampled = false\n"
    });
    // Written with six digits, computed there in single precision.
    let mean = found["average_annual_mean"];
    assert!((mean / 2.046_92e5 - 1.0).abs() < 5e-6, "{mean}");
}
