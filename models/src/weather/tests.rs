use super::daily::MONTH_DAYS;
use super::storms::{Drawn, Rates, Storms};
use super::*;
use anlan_engine::distributions::normal_quantile;

fn mean_and_error(x: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Two-sided normal quantile for `tests` comparisons at a total risk of one in a thousand (Bonferroni).
fn bonferroni(tests: f64) -> f64 {
    normal_quantile(1.0 - 0.001 / (2.0 * tests))
}

#[test]
fn monthly_means_are_those_of_the_climatology() {
    let climate = jinhua();
    let model = WeatherModel::new(climate.clone(), 20_260_101).unwrap();
    let years = 400;
    let mut temp = vec![Vec::new(); 12];
    let mut rain = vec![Vec::new(); 12];
    for y in 0..years {
        let w = model.year(y as u32);
        let mut start = 0;
        for m in 0..12 {
            let days = &w.days[start..start + MONTH_DAYS[m]];
            start += MONTH_DAYS[m];
            let t: f64 = days.iter().map(|d| f64::from(d.temp_mean_c)).sum();
            temp[m].push(t / MONTH_DAYS[m] as f64);
            rain[m].push(days.iter().map(|d| f64::from(d.rain_mm)).sum());
        }
    }
    let z = bonferroni(24.0);
    for m in 0..12 {
        let (t, se) = mean_and_error(&temp[m]);
        let expected = climate.temp_c[m] + 0.0065 * climate.elevation_m;
        assert!(
            (t - expected).abs() < z * se,
            "month {m}: {t} {expected} {se}"
        );
        let (r, se) = mean_and_error(&rain[m]);
        assert!(
            (r - climate.rain_mm[m]).abs() < z * se,
            "month {m}: {r} {} {se}",
            climate.rain_mm[m]
        );
    }
}

#[test]
fn a_year_hangs_together() {
    let model = WeatherModel::new(jinhua(), 5).unwrap();
    let mut kinds = [0; 3];
    for y in 0..60 {
        let w = model.year(y);
        assert_eq!(w.days.len(), 365);
        assert!(
            w.storms
                .windows(2)
                .all(|s| s[0].day <= s[1].day && s[0].id + 1 == s[1].id)
        );
        for (i, d) in w.days.iter().enumerate() {
            assert!(d.rh_min_pct > 0.0 && d.rh_min_pct < 100.0 && d.wind_max_m_s > 0.0);
            assert!((0.0..=360.0).contains(&d.wind_from_deg) && d.temp_max_c >= d.temp_mean_c);
            assert_eq!(d.dry_days == 0, d.rain_mm >= 0.3);
            if i > 0 {
                let before = &w.days[i - 1];
                let api = 0.85 * (before.antecedent_mm + before.rain_mm);
                assert!((d.antecedent_mm - api).abs() <= 1e-4 * api.max(1.0));
                assert!(d.dry_days == 0 || d.dry_days == before.dry_days + 1);
            }
        }
        for s in &w.storms {
            assert_eq!(s.id >> 10, u64::from(y));
            kinds[s.kind as usize] += 1;
            let n = (s.duration_h / 24.0).ceil().max(1.0) as usize;
            let share = (model.areal_mean_mm(s) / n as f64) as f32;
            let day = usize::from(s.day) - 1;
            for d in &w.days[day..day + n] {
                assert!(d.rain_mm >= share * 0.999_999);
            }
            assert_eq!(s.antecedent_mm, f64::from(w.days[day].antecedent_mm));
            assert!(s.peak_1h_mm <= s.depth_mm && s.half_axes_m.0 >= s.half_axes_m.1);
            assert!((s.depth_within_mm(s.duration_h * 0.999_999) / s.depth_mm - 1.0).abs() < 1e-5);
        }
    }
    assert!(kinds.iter().all(|&k| k > 30), "{kinds:?}");
}

#[test]
fn years_do_not_depend_on_order_or_threads() {
    use rayon::prelude::*;
    let model = WeatherModel::new(jinhua(), 11).unwrap();
    let forward: Vec<WeatherYear> = (0..24).map(|y| model.year(y)).collect();
    let parallel: Vec<WeatherYear> = (0..24_u32).into_par_iter().map(|y| model.year(y)).collect();
    assert_eq!(forward, parallel);
    assert_ne!(forward[0].days, forward[1].days);
    assert_ne!(
        forward[3].days,
        WeatherModel::new(jinhua(), 12).unwrap().year(3).days
    );
}

/// Annual maxima at points against the formula: the share of years above the T-year depth is a binomial count.
#[test]
fn catalogue_keeps_the_point_frequency_of_the_formula() {
    let climate = jinhua();
    let p = WeatherParameters::zhejiang().unwrap();
    let idf = Idf::new(&p.storm_formula, &p.long_durations).at_rain_rate(climate.rain_rate_mm_h);
    let storms = Storms::new(&p, &idf, climate.bounds, Stream::new(99, stream::STORM)).unwrap();
    let b = climate.bounds;
    let points = [
        (0.5 * (b.west + b.east), 0.5 * (b.south + b.north)),
        (b.west, b.south),
        (b.east, b.north - 20_000.0),
    ];
    let years = 6000;
    let (hours, periods) = ([1.0, 24.0], [5.0, 20.0, 100.0]);
    let mut above = [[[0_u32; 3]; 2]; 3];
    let mut drawn: Vec<Drawn> = Vec::new();
    // Formula counted on partial durations: growth exceeded in one year of T has rate -ln(1 - 1/T).
    let growth = periods.map(|t| idf.growth(-1.0 / libm::log1p(-1.0 / t)));
    for y in 0..years {
        storms.draw(y, &mut drawn);
        let mut most = [[0.0_f64; 2]; 3];
        for s in drawn.iter().filter(|d| d.kept).map(|d| d.storm) {
            for (point, most) in points.iter().zip(&mut most) {
                let share = s.share_at(point.0, point.1);
                if share > 0.0 {
                    for (h, m) in hours.iter().zip(most.iter_mut()) {
                        *m = m.max(share * s.depth_within_mm(*h));
                    }
                }
            }
        }
        for (m, a) in most.iter().zip(&mut above) {
            for (i, h) in hours.iter().enumerate() {
                for (j, g) in growth.iter().enumerate() {
                    a[i][j] += u32::from(m[i] > g * idf.unit_depth_mm(*h));
                }
            }
        }
    }
    // Counts that cluster lower the share of years with an exceedance: the exact share of the negative binomial.
    let rates = Rates::new(&idf, &p);
    let quiet = |rate: f64, k: f64| libm::exp(-libm::log1p(k * rate) / k);
    let s = &p.storms;
    let z = bonferroni(18.0);
    for (i, &h) in hours.iter().enumerate() {
        for (j, &g) in growth.iter().enumerate() {
            let long = |k: &StormParameters| {
                let at = if h == 1.0 { g / k.short_ratio } else { g };
                quiet(k.share * rates.long(at).0, k.clustering)
            };
            let short: f64 = if h == 1.0 {
                rates.convective(g).0
            } else {
                let day = idf.unit_depth_mm(24.0);
                s.convective
                    .durations_h
                    .iter()
                    .map(|d| d[1] * rates.convective(g * day / idf.unit_depth_mm(d[0])).0)
                    .sum()
            };
            let exact =
                1.0 - long(&s.frontal) * long(&s.typhoon) * quiet(short, s.convective.clustering);
            // Clustering alone moves the return level by less than 2 % of the depth.
            let level = -1.0 / libm::log1p(-exact);
            assert!(
                (idf.growth(level) / g - 1.0).abs() < 0.02,
                "{h} h, T = {}: {exact}",
                periods[j]
            );
            let se = (exact * (1.0 - exact) / f64::from(years)).sqrt();
            for (n, a) in above.iter().enumerate() {
                let share = f64::from(a[i][j]) / f64::from(years);
                assert!(
                    (share - exact).abs() < z * se,
                    "point {n}, {h} h, T = {}: {share} against {exact} +- {se}",
                    periods[j]
                );
            }
        }
    }
}

/// Between the two durations that are kept exactly, the power law of a storm is a model: 8 % of the depth.
#[test]
fn catalogue_is_near_the_formula_between_one_hour_and_a_day() {
    let model = WeatherModel::new(jinhua(), 7).unwrap();
    let b = model.bounds();
    let (x, y) = (0.5 * (b.west + b.east), 0.5 * (b.south + b.north));
    let years = 4000;
    let hours = [2.0, 3.0, 6.0, 12.0];
    let mut most = vec![[0.0_f64; 4]; years];
    let mut drawn = Vec::new();
    for (n, most) in most.iter_mut().enumerate() {
        model.storms.draw(n as u32, &mut drawn);
        for s in drawn.iter().filter(|d| d.kept).map(|d| d.storm) {
            let share = s.share_at(x, y);
            for (h, m) in hours.iter().zip(most.iter_mut()) {
                *m = m.max(share * s.depth_within_mm(*h));
            }
        }
    }
    for (i, &h) in hours.iter().enumerate() {
        // 4000 years hold 40 of the 100-year depth: its sampling error, 5 %, is added.
        for (t, room) in [(5.0, 1.08), (20.0, 1.08), (100.0, 1.13)] {
            let level = model.idf().depth_mm(h, -1.0 / libm::log1p(-1.0 / t));
            let above = |depth: f64| most.iter().filter(|m| m[i] > depth).count() as f64;
            let expected = years as f64 / t;
            assert!(above(level * room) < expected, "{h} h, T = {t}");
            assert!(above(level / room) > expected, "{h} h, T = {t}");
        }
    }
}

#[test]
fn formulas_counted_on_annual_maxima_work_too() {
    let mut p = WeatherParameters::zhejiang().unwrap();
    p.storm_formula.sampling = Sampling::AnnualMaximum;
    // Read as annual maxima the same numbers mean twice the rain of two-year storms: more than July has.
    assert!(WeatherModel::with_parameters(jinhua(), &p, 1).is_err());
    p.storms.least_return_period_years = 5.0;
    let model = WeatherModel::with_parameters(jinhua(), &p, 1).unwrap();
    let idf = model.idf();
    for t in [2.0, 10.0, 100.0] {
        let (rate, slope) = idf.rate(idf.growth(t));
        assert!((1.0 - libm::exp(-rate) - 1.0 / t).abs() < 1e-12);
        let step = 1e-6;
        let numeric = (idf.rate(idf.growth(t) + step).0 - rate) / step;
        assert!((numeric / slope - 1.0).abs() < 1e-4);
    }
}

#[test]
fn rates_of_the_kinds_add_up_to_the_formula() {
    let p = WeatherParameters::zhejiang().unwrap();
    let idf = Idf::new(&p.storm_formula, &p.long_durations);
    let rates = Rates::new(&idf, &p);
    let day = idf.unit_depth_mm(24.0);
    for k in 0..20 {
        let g = 1.2 + 0.15 * f64::from(k);
        let hour = rates.convective(g).0
            + [&p.storms.frontal, &p.storms.typhoon]
                .iter()
                .map(|s| s.share * rates.long(g / s.short_ratio).0)
                .sum::<f64>();
        let whole = rates.long(g).0
            + p.storms
                .convective
                .durations_h
                .iter()
                .map(|d| d[1] * rates.convective(g * day / idf.unit_depth_mm(d[0])).0)
                .sum::<f64>();
        for rate in [hour, whole] {
            assert!((rate / idf.rate(g).0 - 1.0).abs() < 1e-12);
        }
        let step = 1e-5;
        let slope = (rates.long(g + step).0 - rates.long(g - step).0) / (2.0 * step);
        assert!((slope / rates.long(g).1 - 1.0).abs() < 1e-6);
    }
}

#[test]
fn climates_out_of_range_and_impossible_months_are_named() {
    let mut c = jinhua();
    c.temp_c[2] = 285.0;
    c.bounds.east = c.bounds.west + 1.5;
    let e = WeatherModel::new(c, 1).unwrap_err();
    assert_eq!(e.faults().len(), 2);
    assert_eq!(e.faults()[0].place, "temp_c, month 3");
    let mut c = jinhua();
    c.rain_mm[6] = 40.0;
    let e = WeatherModel::new(c, 1).unwrap_err();
    assert!(e.is_input() && e.to_string().contains("month 7"), "{e}");
}
