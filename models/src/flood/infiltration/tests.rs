use super::soil::ponded;
use super::*;
use crate::flood::runoff::effective_rain_mm;
use anlan_engine::Crs;
use proptest::prelude::*;
use std::path::Path;

fn grid(cells: usize) -> Grid {
    let crs = Crs::from_epsg(4549).unwrap();
    Grid::new(crs, (0.0, 0.0), (10.0, 10.0), (1, cells)).unwrap()
}

fn all(cells: usize, value: f32) -> Raster<f32> {
    Raster::filled(grid(cells), value)
}

/// Silt loam of Chow et al. at an effective saturation of 30 %: deficit 0.34, suction 167 mm, K 6.5 mm/h.
fn silt_loam(cells: usize) -> Infiltration {
    Infiltration::green_ampt(
        &all(cells, 6.5),
        &all(cells, 167.0),
        &all(cells, 0.34),
        false,
    )
    .unwrap()
}

/// Total infiltration, m, after `hours` of rain (mm/h) or, without rain, under deep water.
fn run(soil: &mut Infiltration, rain_mm_h: f64, hours: f64, steps: usize) -> f64 {
    let (mut h, mut rest) = ([0.0f32], [0.0f32]);
    if rain_mm_h == 0.0 {
        h[0] = 10.0;
    }
    let dt = hours * 3600.0 / steps as f64;
    (0..steps)
        .map(|_| {
            let rain = Rain::Uniform(rain_mm_h * MM_H * dt);
            soil.apply(0..1, rain, &mut h, &mut rest, dt).lost_m
        })
        .sum()
}

#[test]
fn green_ampt_of_the_worked_examples() {
    // Chow, Maidment, Mays (1988), example 5.4.1: ponded silt loam, F 3.17 cm after 1 h, f 1.81 cm/h.
    for steps in [1, 7, 360] {
        let f = run(&mut silt_loam(1), 0.0, 1.0, steps);
        assert!((f - 0.031_7).abs() < 5e-5, "{steps}: {f}");
        // The ponded equation itself, whatever the step.
        let s = 0.167 * 0.34f32 as f64;
        let off = f - s * libm::log1p(f / s) - 6.5e-3;
        assert!(off.abs() < 1e-8, "{steps}: {off:e}");
    }
    let before = run(&mut silt_loam(1), 0.0, 1.0, 1);
    let rate = (run(&mut silt_loam(1), 0.0, 1.01, 1) - before) / 0.01;
    assert!((rate - 0.018_1).abs() < 1e-4, "{rate}");
    // Example 5.4.2: rain of 5 cm/h ponds after 0.17 h and 0.85 cm; at 1 cm/h after 10.5 h and 10.5 cm.
    for (rain_mm_h, time_h) in [(50.0, 0.17), (10.0, 10.5)] {
        let mut soil = silt_loam(1);
        let (mut h, mut rest) = ([0.0f32], [0.0f32]);
        let mut seconds = 0.0;
        while h[0] <= 0.0 {
            let rain = Rain::Uniform(rain_mm_h * MM_H);
            soil.apply(0..1, rain, &mut h, &mut rest, 1.0);
            seconds += 1.0;
        }
        assert!(
            (seconds / 3600.0 / time_h - 1.0f64).abs() < 0.01,
            "{seconds}"
        );
    }
    // Example 5.4.3: after 1 h of 5 cm/h F is 3.02 cm.
    let f = run(&mut silt_loam(1), 50.0, 1.0, 3600);
    assert!((f - 0.030_2).abs() < 1e-4, "{f}");
}

#[test]
fn green_ampt_converges_with_the_step() {
    let fine = run(&mut silt_loam(1), 50.0, 1.0, 36_000);
    let errors: Vec<f64> = [15, 60, 240, 960]
        .map(|steps| (run(&mut silt_loam(1), 50.0, 1.0, steps) - fine).abs())
        .to_vec();
    assert!(errors[0] < 5e-4 && errors[3] < 1e-5, "{errors:?}");
    assert!(errors[3] < errors[0] / 16.0, "{errors:?}");
}

#[test]
fn ponded_head_deepens_infiltration() {
    let with = |ponded| {
        let mut soil =
            Infiltration::green_ampt(&all(1, 6.5), &all(1, 167.0), &all(1, 0.34), ponded);
        run(soil.as_mut().unwrap(), 0.0, 1.0, 3600)
    };
    // 10 m of water: S is about 3.46 m, F about sqrt(2 K S t).
    let expected = libm::sqrt(2.0 * 0.0065 * (10.167 * 0.34));
    assert!((with(true) / expected - 1.0).abs() < 0.03, "{}", with(true));
    assert!(with(false) < 0.04);
}

#[test]
fn horton_follows_its_integral() {
    let horton = || Infiltration::horton(&all(1, 75.0), &all(1, 12.0), &all(1, 4.0), 0.1).unwrap();
    let exact = |h: f64| (12.0 * h + (75.0 - 12.0) / 4.0 * (1.0 - libm::exp(-4.0 * h))) * 1e-3;
    for (hours, steps) in [(0.5, 1), (2.0, 1), (2.0, 777)] {
        let f = run(&mut horton(), 0.0, hours, steps);
        assert!((f / exact(hours) - 1.0).abs() < 1e-6, "{f}");
    }
    // Rain below the capacity infiltrates wholly and ages the soil by what it took: afterwards the ponded soil is
    // as far as one that has taken as much.
    let mut soil = horton();
    let taken = run(&mut soil, 10.0, 1.0, 60);
    assert!((taken - 0.01).abs() < 1e-9);
    let later = run(&mut soil, 0.0, 1.0, 1);
    let mut t = 0.0;
    while exact(t) < taken {
        t += 1e-5;
    }
    assert!((later - (exact(t + 1.0) - exact(t))).abs() < 1e-6);
    // Dry for long: as new.
    let mut soil = horton();
    run(&mut soil, 0.0, 3.0, 1);
    let (mut h, mut rest) = ([0.0f32], [0.0f32]);
    for hours in [1.0, 5.0, 30.0] {
        soil.apply(0..1, Rain::Uniform(0.0), &mut h, &mut rest, hours * 3600.0);
    }
    assert!((run(&mut soil, 0.0, 0.5, 1) / exact(0.5) - 1.0).abs() < 1e-6);
    assert!(soil.acts_on_dry_cells() && !silt_loam(1).acts_on_dry_cells());
}

#[test]
fn curve_numbers_follow_the_closed_form() {
    let cn = Raster::filled(grid(1), 75u8);
    for steps in [1, 13, 1000] {
        let mut soil = Infiltration::curve_number(&cn, Wetness::Normal, 0.2).unwrap();
        let lost = run(&mut soil, 25.0, 4.0, steps);
        let expected = 0.1 - 1e-3 * effective_rain_mm(100.0, 75.0);
        assert!((lost - expected).abs() < 1e-8, "{lost} {expected}");
    }
    // Nothing is lost where the cover is not known, nothing of water that is no rain.
    let mut soil =
        Infiltration::curve_number(&Raster::filled(grid(1), 0u8), Wetness::Wet, 0.2).unwrap();
    assert_eq!(run(&mut soil, 25.0, 4.0, 9), 0.0);
    let mut soil = Infiltration::curve_number(&cn, Wetness::Dry, 0.2).unwrap();
    assert_eq!(run(&mut soil, 0.0, 4.0, 9), 0.0);
}

#[test]
fn constant_losses_take_what_is_there() {
    let mut soil = Infiltration::constant(&all(1, 36.0)).unwrap();
    let (mut h, mut rest) = ([0.01f32], [0.0f32]);
    let first = soil.apply(0..1, Rain::Uniform(0.0), &mut h, &mut rest, 600.0);
    assert!((first.lost_m - 0.006).abs() < 1e-9);
    let second = soil.apply(0..1, Rain::Uniform(0.0), &mut h, &mut rest, 600.0);
    assert!((second.lost_m - 0.004).abs() < 1e-9);
    assert_eq!((h[0], rest[0]), (0.0, 0.0));
}

#[test]
fn tables_are_complete_and_faults_are_named() {
    let tables = InfiltrationTables::published();
    assert_eq!(tables.green_ampt.texture.len(), 13);
    assert!((0..=17).all(|code| tables.constant.cover.iter().any(|c| c.code == code)));
    let texture = Raster::filled(grid(3), 7u8);
    // Silt loam at 30 % saturation is the worked example's soil (suction 166.8 mm, deficit 0.3402).
    let mut soil = tables.green_ampt(&texture, 0.3, false).unwrap();
    let mut run_one = soil.soil(1..2);
    let (mut h, mut rest) = ([1.0f32], [0.0f32]);
    let lost = run_one
        .apply(Rain::Uniform(0.0), &mut h, &mut rest, 3600.0)
        .lost_m;
    assert!((lost - 0.031_7).abs() < 5e-5, "{lost}");
    let mut strange = texture.clone();
    strange.values_mut()[2] = 99;
    let told = tables
        .green_ampt(&strange, 0.3, false)
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("row 0, column 2") && told.contains("class 99"),
        "{told}"
    );
    assert!(
        tables
            .green_ampt(&strange.with_nodata(99), 0.3, false)
            .is_ok()
    );
    let mut rate = all(3, 1.0);
    rate.values_mut()[1] = f32::NAN;
    let told = Infiltration::constant(&rate).unwrap_err().to_string();
    assert!(told.contains("row 0, column 1"), "{told}");
    assert!(Infiltration::horton(&all(1, 1.0), &all(1, 2.0), &all(1, 1.0), 0.1).is_err());
    let text = include_str!("../../../standards/infiltration.toml");
    let broken = text.replacen("suction_mm = 316.3", "suction_mm = -1.0", 1);
    let told = InfiltrationTables::parse(&broken, Path::new("mine.toml"))
        .unwrap_err()
        .to_string();
    assert!(told.contains("mine.toml, green_ampt.texture 1"), "{told}");
}

fn laws(cells: usize) -> Vec<Infiltration> {
    let cn = Raster::filled(grid(cells), 80u8);
    vec![
        Infiltration::none(cells),
        Infiltration::constant(&all(cells, 5.0)).unwrap(),
        Infiltration::curve_number(&cn, Wetness::Normal, 0.2).unwrap(),
        silt_loam(cells),
        Infiltration::green_ampt(&all(cells, 3.0), &all(cells, 90.0), &all(cells, 0.2), true)
            .unwrap(),
        Infiltration::horton(&all(cells, 60.0), &all(cells, 5.0), &all(cells, 3.0), 0.1).unwrap(),
    ]
}

#[test]
fn cells_in_another_order_take_the_same() {
    let order = [4u32, u32::MAX, 0, 2];
    for mut soil in laws(5) {
        // Cells of different history.
        for (cell, steps) in [(0usize, 3), (2, 1), (4, 7)] {
            for _ in 0..steps {
                let (mut h, mut rest) = ([0.0f32], [0.0f32]);
                soil.apply(cell..cell + 1, Rain::Uniform(2e-3), &mut h, &mut rest, 60.0);
            }
        }
        let mut picked = soil.in_order(&order);
        assert_eq!(picked.cells(), 4);
        let after = |soil: &mut Infiltration, cell: usize| {
            let (mut h, mut rest) = ([0.5f32], [0.0f32]);
            soil.apply(cell..cell + 1, Rain::Uniform(1e-3), &mut h, &mut rest, 60.0)
                .lost_m
        };
        for (at, &cell) in order.iter().enumerate() {
            let expected = if cell == u32::MAX {
                0.0
            } else {
                after(&mut soil, cell as usize)
            };
            assert_eq!(after(&mut picked, at), expected);
        }
    }
}

proptest! {
    #[test]
    fn rain_is_water_or_loss(
        rain in prop::collection::vec(prop::collection::vec(0.0f32..2e-3, 7), 1..40),
        start in prop::collection::vec(0.0f32..3.0, 7), dt in 0.5f64..120.0, dry in any::<bool>(),
    ) {
        for mut soil in laws(7) {
            let mut whole = soil.clone();
            let mut h: Vec<f32> = start.iter().map(|&d| if dry { 0.0 } else { d }).collect();
            let mut rest = vec![0.0f32; 7];
            let (mut h2, mut rest2) = (h.clone(), rest.clone());
            let water = |h: &[f32], rest: &[f32]| -> f64 {
                h.iter().zip(rest).map(|(&a, &b)| f64::from(a) + f64::from(b)).sum()
            };
            let before = water(&h, &rest);
            let mut sum = Wetting::default();
            for (k, rain) in rain.iter().enumerate() {
                // Every third interval is dry.
                let zero = vec![0.0; 7];
                let rain = if k % 3 == 2 { &zero } else { rain };
                let mut at = 0;
                for mut run in soil.soils(3) {
                    let to = at + run.cells();
                    let w = run.apply(Rain::Cells(&rain[at..to]), &mut h[at..to], &mut rest[at..to], dt);
                    prop_assert!(w.lost_m >= 0.0);
                    sum.rain_m += w.rain_m;
                    sum.lost_m += w.lost_m;
                    at = to;
                }
                whole.apply(0..7, Rain::Cells(rain), &mut h2, &mut rest2, dt);
                prop_assert!(h.iter().zip(&rest).all(|(&a, &b)| f64::from(a) + f64::from(b) >= 0.0));
            }
            let off = before + sum.rain_m - sum.lost_m - water(&h, &rest);
            prop_assert!(off.abs() < 1e-12, "{:e}", off);
            // The cut does not show.
            prop_assert_eq!(&h, &h2);
            prop_assert_eq!(&rest, &rest2);
            prop_assert_eq!(&soil, &whole);
        }
    }

    /// Newton finds the root of the ponded equation from any start.
    #[test]
    fn ponded_solution(k_dt in 1e-9f64..0.5, s in 1e-6f64..5.0, f in 0.0f64..2.0) {
        let x = ponded(k_dt, s, f, 1e3);
        let off = x - s * libm::log1p(x / (f + s)) - k_dt;
        prop_assert!(off.abs() <= 1e-12 * (1.0 + x), "{:e}", off);
    }
}
