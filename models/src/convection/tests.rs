use super::*;
use crate::weather::jinhua;
use anlan_engine::distributions::normal_quantile;
use anlan_engine::{Crs, Grid, Raster};

/// A region of 300 x 300 km, cells of 1 km; sites on the given rows and columns only.
fn region(pick: impl Fn(usize, usize) -> bool) -> (WeatherModel, Sites) {
    let mut climate = jinhua();
    climate.bounds.east = climate.bounds.west + 300_000.0;
    climate.bounds.north = climate.bounds.south + 300_000.0;
    let grid = Grid::new(
        Crs::from_epsg(4549).unwrap(),
        (climate.bounds.west, climate.bounds.north),
        (1000.0, 1000.0),
        (300, 300),
    )
    .unwrap();
    let mut sites = Sites::all(grid);
    sites.cells.retain(|&c| {
        let (r, c) = grid.row_col(c);
        pick(r, c)
    });
    (WeatherModel::new(climate, 3).unwrap(), sites)
}

/// Mean over years against a closed form, within the sampling error of the yearly counts.
fn agrees(name: &str, counts: &[f64], exact: f64, z: f64) {
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / (n - 1.0);
    let se = (variance / n).sqrt();
    assert!(
        (mean - exact).abs() < z * se,
        "{name}: {mean} against {exact} +- {se}"
    );
    // The check must be able to fail: a sampling error below 15 %.
    assert!(se < 0.15 * exact, "{name}: {se} of {exact}");
}

#[test]
fn event_sets_agree_with_the_closed_forms() {
    // Sites 60 km and more from the edge, where no storm of consequence is missing, 15 km apart.
    let inside = |k: usize| (60..240).contains(&k) && k.is_multiple_of(15);
    let (weather, sites) = region(|r, c| inside(r) && inside(c));
    let p = ConvectionParameters::shipped().unwrap();
    let n = sites.cells.len() as f64;
    let model = ConvectionModel::new(&p, &weather, sites, None, Activity::uniform(), 17).unwrap();
    let years = 300;
    let gusts = [17.2, 22.0, 28.0];
    let stones = [5.0, 12.0, 20.0];
    let mut gust = vec![vec![0.0; years]; 3];
    let mut hail = vec![vec![0.0; years]; 3];
    for y in 0..years {
        // Typhoon gale is no part of the closed form.
        let mut year = weather.year(y as u32);
        year.storms.retain(|s| s.kind == StormKind::Convective);
        for i in model.year(&year) {
            // Cells hold f32: a gust of 17.2 f64 may round below.
            let count = |column: usize, v: f64| {
                i.footprint.values[column]
                    .iter()
                    .filter(|&&x| x >= v as f32)
                    .count() as f64
                    / n
            };
            for k in 0..3 {
                gust[k][y] += count(GUST, gusts[k]);
                hail[k][y] += count(HAIL, stones[k]);
            }
        }
    }
    let z = normal_quantile(1.0 - 0.001 / 12.0);
    for k in 0..3 {
        agrees(
            &format!("gust {}", gusts[k]),
            &gust[k],
            model.gust_rate(gusts[k]),
            z,
        );
        agrees(
            &format!("hail {}", stones[k]),
            &hail[k],
            model.hail_rate(stones[k]),
            z,
        );
    }
}

#[test]
fn frequency_follows_the_activity() {
    let inside = |k: usize| (60..240).contains(&k) && k.is_multiple_of(15);
    let (weather, sites) = region(|r, c| inside(r) && inside(c));
    let grid = sites.grid;
    // A plane from 0.6 in the west to 1.4 in the east: no swath notices that it is not constant along its width.
    let field = Raster::new(
        grid,
        ndarray::Array2::from_shape_fn(grid.shape(), |(_, c)| {
            0.6 + 0.8 * (c as f32 + 0.5) / grid.cols as f32
        }),
    );
    let activity = Activity::from_field(&field, 1.0);
    let p = ConvectionParameters::shipped().unwrap();
    let model =
        ConvectionModel::new(&p, &weather, sites.clone(), None, activity.clone(), 31).unwrap();
    let years = 300;
    for (name, west) in [("west", true), ("east", false)] {
        let half: Vec<u32> = sites
            .cells
            .iter()
            .copied()
            .filter(|&c| (grid.row_col(c).1 < 150) == west)
            .collect();
        let n = half.len() as f64;
        let factor = half
            .iter()
            .map(|&c| {
                let (row, col) = grid.row_col(c);
                activity.at((grid.x(col), grid.y(row)))
            })
            .sum::<f64>()
            / n;
        let counts: Vec<f64> = (0..years)
            .map(|y| {
                let mut year = weather.year(y);
                year.storms.retain(|s| s.kind == StormKind::Convective);
                let strikes = model
                    .year(&year)
                    .iter()
                    .map(|i| {
                        let f = &i.footprint;
                        f.cells
                            .iter()
                            .zip(&f.values[GUST])
                            .filter(|(c, v)| half.binary_search(c).is_ok() && **v >= 20.0)
                            .count() as f64
                    })
                    .sum::<f64>();
                strikes / n
            })
            .collect();
        let z = normal_quantile(1.0 - 0.001 / 4.0);
        agrees(name, &counts, factor * model.gust_rate(20.0), z);
    }
}

#[test]
fn tornado_strikes_agree_with_density_times_path_area() {
    let (weather, sites) = region(|r, c| r.is_multiple_of(2) && c.is_multiple_of(2));
    let mut p = ConvectionParameters::shipped().unwrap();
    p.gale.clear();
    p.hail.clear();
    // Many tornadoes, so that a short run has strikes enough.
    p.tornado.outbreaks_per_10000_km2_year = 6.0;
    let n = sites.cells.len() as f64;
    let model = ConvectionModel::new(&p, &weather, sites, None, Activity::uniform(), 23).unwrap();
    let years = 400;
    let mut strikes = vec![vec![0.0; years]; 3];
    for y in 0..years {
        let quiet = WeatherYear {
            year: y as u32,
            days: Vec::new(),
            storms: Vec::new(),
        };
        for i in model.year(&quiet) {
            for (ef, s) in strikes.iter_mut().enumerate() {
                s[y] += i.footprint.values[2]
                    .iter()
                    .filter(|&&v| v >= ef as f32)
                    .count() as f64
                    / n;
            }
        }
    }
    // Tracks that cross within an outbreak count once in the footprint: below 1 % at these path areas.
    let z = normal_quantile(1.0 - 0.001 / 6.0);
    for (ef, s) in strikes.iter().enumerate() {
        agrees(&format!("EF{ef}"), s, model.tornado_rate(ef as u8), z);
    }
}

/// Mean path area of US tracks 2008-2016 (NOAA SPC, 10,954 tracks with length and width), km².
#[test]
fn mean_path_areas_are_those_of_the_tracks() {
    let p = ConvectionParameters::shipped().unwrap().tornado.paths;
    let read = [0.207_44, 1.787_52, 6.975_08, 24.576_5, 69.657_2, 133.656];
    for (ef, area) in read.into_iter().enumerate() {
        let model = p.mean_area_m2(ef) / 1e6;
        // Weibull margins and a Gaussian copula are a model of the tracks: 10 % in the mean of the product.
        assert!(
            (model / area - 1.0).abs() < 0.10,
            "EF{ef}: {model} against {area}"
        );
    }
}

#[test]
fn incidents_are_ordered_struck_and_tied_to_their_storms() {
    let (weather, sites) = region(|r, c| r.is_multiple_of(5) && c.is_multiple_of(5));
    let p = ConvectionParameters::shipped().unwrap();
    let model = ConvectionModel::new(&p, &weather, sites, None, Activity::uniform(), 4).unwrap();
    let (mut tied, mut typhoons, mut several) = (0, 0, 0);
    for y in 0..20 {
        let w = weather.year(y);
        let incidents = model.year(&w);
        assert!(
            incidents.windows(2).all(
                |i| i[0].occurrence.day <= i[1].occurrence.day && i[0].event.id < i[1].event.id
            )
        );
        for i in &incidents {
            let f = &i.footprint;
            assert!(!f.is_empty() && f.values.len() == 4);
            assert_eq!(i.event.id, i.occurrence.event);
            for k in 0..f.len() {
                let v: Vec<f32> = f.values.iter().map(|c| c[k]).collect();
                assert!(v[0] >= 17.19 || v[1] >= 4.99 || v[2] >= 0.0 || v[3] >= 19.99);
                assert!((v[0] == 0.0 || v[0] >= 17.19) && (v[3] == 0.0 || v[3] >= 19.99));
            }
            if let Some(s) = w.storms.iter().find(|s| s.id == i.event.cause) {
                assert_eq!(s.day, i.occurrence.day);
                tied += 1;
                typhoons += usize::from(s.kind == StormKind::Typhoon);
                let any = |m: usize| f.values[m].iter().any(|&v| v > 0.0);
                several += usize::from(any(GUST) && any(3));
            } else {
                assert!(i.event.cause >> 48 == 2);
            }
        }
        assert_eq!(incidents.len(), model.year(&w).len());
    }
    assert!(
        tied > 100 && typhoons > 0 && several > 10,
        "{tied} {typhoons} {several}"
    );
}

#[test]
fn a_law_with_more_storms_than_swaths_is_named() {
    let (weather, sites) = region(|r, c| r == 0 && c == 0);
    let mut p = ConvectionParameters::shipped().unwrap();
    p.hail[0].per_10000_km2_year = 0.01;
    p.hail[0].with_storm = 1.0;
    let e = ConvectionModel::new(&p, &weather, sites, None, Activity::uniform(), 1).unwrap_err();
    assert_eq!(e.faults()[0].place, "hail[0].per_10000_km2_year");
    let e = ConvectionParameters::from_toml("least_gust_m_s = 1", "mine.toml").unwrap_err();
    assert!(e.is_input());
}
