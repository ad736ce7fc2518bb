use super::*;
use anlan_engine::Crs;
use ndarray::Array2;
use proptest::prelude::*;

fn grid(origin: (f64, f64), cell: f64, shape: (usize, usize)) -> Grid {
    let crs = Crs::from_epsg(4549).unwrap();
    Grid::new(crs, origin, (cell, cell), shape).unwrap()
}

fn compute() -> Grid {
    grid((0.0, 400.0), 10.0, (40, 30))
}

fn gauge(name: &str, x: f64, y: f64, depth_mm: &[f64]) -> Gauge {
    Gauge {
        name: name.into(),
        x,
        y,
        depth_mm: depth_mm.to_vec(),
    }
}

fn three() -> Vec<Gauge> {
    vec![
        gauge("上游", 20.0, 380.0, &[5.0, 10.0, 0.0, 20.0]),
        gauge("中游", 150.0, 200.0, &[0.0, 30.0, 2.0, 1.0]),
        gauge("下游", 280.0, 20.0, &[8.0, 3.0, 0.5, 0.0]),
    ]
}

fn all_of(field: &RainField, t0: f64, t1: f64) -> Vec<f32> {
    let mut out = vec![0.0; 1200];
    // In uneven runs of rows.
    for rows in [0..7, 7..8, 8..40] {
        field.depth_of_interval_m(
            t0,
            t1,
            rows.clone(),
            &mut out[rows.start * 30..rows.end * 30],
        );
    }
    out
}

fn frames() -> Vec<Raster<f32>> {
    let own = grid((-60.0, 460.0), 60.0, (9, 8));
    (0..4)
        .map(|k| {
            Raster::new(
                own,
                Array2::from_shape_fn(own.shape(), |(r, c)| ((r * 3 + c * 5 + k * 7) % 11) as f32),
            )
        })
        .collect()
}

fn fields() -> Vec<RainField> {
    let rain = Hyetograph {
        step_h: 0.5,
        depth_mm: vec![3.0, 0.0, 12.0, 7.0],
    };
    let spread = Spread::InverseDistance {
        power: 2.0,
        neighbours: 2,
    };
    let gridded = |sampling| {
        RainField::gridded(
            &frames(),
            0.5,
            Measure::IntensityMmH,
            &compute(),
            sampling,
            Gaps::Refuse,
        )
    };
    vec![
        RainField::uniform(&rain, &compute()),
        RainField::gauges(&three(), 0.5, &compute(), spread, Gaps::Refuse).unwrap(),
        gridded(Sampling::Nearest).unwrap(),
        gridded(Sampling::Bilinear).unwrap(),
    ]
}

#[test]
fn uniform_rain_is_its_hyetograph() {
    let f = &fields()[0];
    assert_eq!(f.end_s(), 7200.0);
    assert!((f.uniform_depth_m(900.0, 4500.0).unwrap() - (1.5 + 6.0) * 1e-3).abs() < 1e-15);
    assert!(all_of(f, 0.0, 1e6).iter().all(|&d| d == 0.022));
    assert!(all_of(f, 7200.0, 9000.0).iter().all(|&d| d == 0.0));
    assert!(fields()[1].uniform_depth_m(0.0, 1.0).is_none());
}

#[test]
fn gauges_keep_their_values_and_fill_gaps() {
    let thiessen =
        RainField::gauges(&three(), 1.0, &compute(), Spread::Thiessen, Gaps::Refuse).unwrap();
    let out = all_of(&thiessen, 0.0, 4.0 * 3600.0);
    for (row, col, mm) in [(0, 0, 35.0f32), (20, 15, 33.0), (39, 29, 11.5)] {
        assert!((out[row * 30 + col] - mm * 1e-3).abs() < 1e-7);
    }
    assert!(out.iter().all(|d| {
        [0.035f32, 0.033, 0.0115]
            .iter()
            .any(|e| (d - e).abs() < 1e-7)
    }));
    let mut gauges = three();
    gauges[0].depth_mm[1] = f64::NAN;
    let refuse = RainField::gauges(&gauges, 1.0, &compute(), Spread::Thiessen, Gaps::Refuse);
    let told = refuse.unwrap_err().to_string();
    assert!(
        told.contains("gauge 上游") && told.contains("the first 2"),
        "{told}"
    );
    let filled = RainField::gauges(&gauges, 1.0, &compute(), Spread::Thiessen, Gaps::Fill).unwrap();
    assert_eq!(filled.notes.len(), 1);
    // Squared distances 130² + 180² and 260² + 360²: weights 4 to 1.
    let fill = all_of(&filled, 3600.0, 7200.0)[0];
    assert!(
        (fill - (4.0 * 30.0 + 3.0) / 5.0 * 1e-3).abs() < 1e-7,
        "{fill}"
    );
    gauges.iter_mut().for_each(|g| g.depth_mm[1] = f64::NAN);
    assert!(RainField::gauges(&gauges, 1.0, &compute(), Spread::Thiessen, Gaps::Fill).is_err());
    // Faults are told together.
    let bad = [
        gauge("a", 0.0, 0.0, &[1.0, -2.0]),
        gauge("b", f64::NAN, 0.0, &[1.0]),
    ];
    let error = RainField::gauges(&bad, 1.0, &compute(), Spread::Thiessen, Gaps::Refuse);
    assert_eq!(error.unwrap_err().faults().len(), 3);
}

#[test]
fn frames_are_checked_and_sampled() {
    let ask = |frames: &[Raster<f32>], grid: &Grid, gaps| {
        RainField::gridded(
            frames,
            1.0,
            Measure::DepthMm,
            grid,
            Sampling::Bilinear,
            gaps,
        )
    };
    // A plane survives bilinear sampling.
    let own = frames()[0].grid;
    let plane = Raster::new(
        own,
        Array2::from_shape_fn(own.shape(), |(r, c)| {
            (own.x(c) + 2.0 * own.y(r) + 500.0) as f32
        }),
    );
    let field = ask(std::slice::from_ref(&plane), &compute(), Gaps::Refuse).unwrap();
    let out = all_of(&field, 0.0, 1800.0);
    for (at, d) in out.iter().enumerate() {
        let (row, col) = (at / 30, at % 30);
        let mm = compute().x(col) + 2.0 * compute().y(row) + 500.0;
        assert!((f64::from(*d) - 0.5e-3 * mm).abs() < 1e-6, "{d} {mm}");
    }
    // Missing values matter where the compute grid looks, and only there.
    let mut holed = plane.clone();
    holed.data[(0, 7)] = f32::NAN;
    assert!(ask(std::slice::from_ref(&holed), &compute(), Gaps::Refuse).is_ok());
    holed.data[(4, 3)] = f32::NAN;
    let told = ask(&[plane.clone(), holed.clone()], &compute(), Gaps::Refuse)
        .unwrap_err()
        .to_string();
    assert!(told.contains("frame 1, row 4, column 3"), "{told}");
    let filled = ask(&[holed], &compute(), Gaps::Fill).unwrap();
    assert!(
        filled.notes[0].contains("1 missing values"),
        "{:?}",
        filled.notes
    );
    let wide = grid((0.0, 400.0), 20.0, (40, 30));
    let told = ask(&[plane], &wide, Gaps::Refuse).unwrap_err().to_string();
    assert!(
        told.contains("compute cell row") && told.contains("larger section"),
        "{told}"
    );
    assert!(ask(&[], &compute(), Gaps::Refuse).is_err());
}

#[test]
fn netcdf_rain_has_units_and_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rain.nc");
    let seconds = [1800.0, 3600.0, 5400.0, 7200.0];
    let write = |units: &str, seconds: &[f64]| {
        let times = (seconds, "2026-06-20 00:00:00");
        let all = frames();
        let grid = all[0].grid;
        netcdf::write_series_f32(&path, "rain", units, times, &grid, move |k| {
            Ok(all[k].clone())
        })
        .unwrap();
        RainField::from_netcdf(&path, "rain", &compute(), Sampling::Nearest, Gaps::Refuse)
    };
    let (field, times) = write("mm h**-1", &seconds).unwrap();
    assert_eq!(
        (times.start_s(Stamp::End), times.start_s(Stamp::Start)),
        (0.0, 1800.0)
    );
    assert_eq!(
        all_of(&field, 100.0, 5000.0),
        all_of(&fields()[2], 100.0, 5000.0)
    );
    let (per_step, _) = write("kg m-2", &seconds).unwrap();
    let (a, b) = (all_of(&per_step, 0.0, 7200.0), all_of(&field, 0.0, 7200.0));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - 2.0 * b).abs() < 1e-7));
    let told = write("dBZ", &seconds).unwrap_err().to_string();
    assert!(told.contains("units `dBZ`"), "{told}");
    let told = write("mm", &[0.0, 1800.0, 3600.0, 9000.0])
        .unwrap_err()
        .to_string();
    assert!(told.contains("out of step"), "{told}");
}

proptest! {
    /// The sum over any steps is the whole.
    #[test]
    fn no_rain_is_lost(mut cuts in prop::collection::vec(0.0f64..8000.0, 0..60)) {
        cuts.extend([0.0, 8000.0]);
        cuts.sort_by(f64::total_cmp);
        for field in fields() {
            let whole = all_of(&field, 0.0, 8000.0);
            let mut sum = vec![0.0f64; 1200];
            for w in cuts.windows(2) {
                for (s, d) in sum.iter_mut().zip(all_of(&field, w[0], w[1])) {
                    prop_assert!(d >= 0.0);
                    *s += f64::from(d);
                }
            }
            for (s, w) in sum.iter().zip(&whole) {
                prop_assert!((s - f64::from(*w)).abs() <= 2e-7 * f64::from(*w) + 1e-15, "{} {}", s, w);
            }
        }
    }
}
