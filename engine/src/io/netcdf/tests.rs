use super::read::epsg_of_wkt;
use super::*;
use crate::crs::Crs;
use crate::grid::Grid;
use crate::raster::Raster;
use ndarray::array;

fn message(result: Result<Raster<f32>>) -> String {
    let error = result.unwrap_err();
    assert!(error.is_input(), "{error}");
    error.to_string()
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("降雨.nc");
    for (crs, origin, cell) in [
        (Crs::CGCS2000, (119.0, 30.0), (0.1, 0.2)),
        (
            Crs::from_epsg(4549).unwrap(),
            (450_000.0, 3_300_000.0),
            (30.0, 25.0),
        ),
    ] {
        let grid = Grid::new(crs, origin, cell, (2, 3)).unwrap();
        let raster = Raster::new(grid, array![[1.5f32, -2.0, f32::NAN], [0.0, 7.25, 1e-9]]);
        write_f32(&path, "rain_mm", "mm", &raster).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let back = read_f32(&path, "rain_mm", &[]).unwrap();
        assert!(back.grid.same_cells(&grid), "{:?}", back.grid);
        assert_eq!(back.data.mapv(f32::to_bits), raster.data.mapv(f32::to_bits));
        write_f32(&path, "rain_mm", "mm", &raster).unwrap();
        assert_eq!(bytes, std::fs::read(&path).unwrap(), "the same bytes again");
    }
}

#[test]
fn series_keep_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rain.nc");
    let grid = Grid::new(Crs::CGCS2000, (119.0, 30.0), (0.1, 0.1), (2, 3)).unwrap();
    let frame = |k: f32| Raster::filled(grid, k);
    let times = ([3600.0, 7200.0, 10_800.0], "2026-06-20 00:00:00");
    let frames = [frame(1.0), frame(2.0), frame(3.0)];
    let given = frames.clone();
    let along = (&times.0[..], times.1);
    write_series_f32(&path, "rain", "mm/h", along, &grid, move |k| {
        Ok(given[k].clone())
    })
    .unwrap();
    let axis = read_times(&path, "rain").unwrap();
    assert_eq!((axis.name.as_str(), axis.since.as_str()), ("time", times.1));
    assert_eq!(
        (axis.seconds.as_slice(), axis.units.as_str()),
        (&times.0[..], "mm/h")
    );
    for k in 0..3 {
        let back = read_f32(&path, "rain", &[("time", k)]).unwrap();
        assert_eq!(back.values(), frames[k].values());
    }
    write_f32(&path, "rain", "mm", &frames[0]).unwrap();
    let told = read_times(&path, "rain").unwrap_err().to_string();
    assert!(told.contains("without a time axis"), "{told}");
    assert!(read_times(&path, "snow").unwrap_err().is_input());
}

/// A file as climate archives write them: packed, south to north, 0 to 360 degrees, several times.
fn packed(path: &Path, lons: &[f64]) {
    let (path, lons) = (path.to_path_buf(), lons.to_vec());
    on_thread(move || {
        pack(&path, &lons);
        Ok(())
    })
    .unwrap();
}

fn pack(path: &Path, lons: &[f64]) {
    let mut file = netcdf::create(path).unwrap();
    file.add_dimension("time", 2).unwrap();
    file.add_dimension("latitude", 2).unwrap();
    file.add_dimension("longitude", lons.len()).unwrap();
    let mut lat = file.add_variable::<f64>("latitude", &["latitude"]).unwrap();
    lat.put_values(&[-45.0, 45.0], ..).unwrap();
    let mut lon = file
        .add_variable::<f64>("longitude", &["longitude"])
        .unwrap();
    lon.put_values(lons, ..).unwrap();
    let mut t2m = file
        .add_variable::<i16>("t2m", &["time", "latitude", "longitude"])
        .unwrap();
    t2m.put_attribute("scale_factor", 0.5f64).unwrap();
    t2m.put_attribute("add_offset", 10.0f64).unwrap();
    t2m.put_attribute("missing_value", -9i16).unwrap();
    let n = lons.len() as i16;
    let values: Vec<i16> = (0..4 * n)
        .map(|i| if i == 3 * n { -9 } else { i })
        .collect();
    t2m.put_values(&values, ..).unwrap();
}

#[test]
fn archives_are_turned_upright() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("era5.nc");
    packed(&path, &[0.0, 90.0, 180.0, 270.0]);
    let raster = read_f32(&path, "t2m", &[("time", 1)]).unwrap();
    assert_eq!(raster.grid.crs, Crs::WGS84);
    assert_eq!((raster.grid.x(0), raster.grid.y(0)), (-180.0, 45.0));
    // Packed 14, 15, (missing 12), 13 in the north; 10, 11, 8, 9 in the south.
    assert_eq!(raster.data.row(0).to_vec()[..2], [17.0, 17.5]);
    assert!(raster.data[(0, 2)].is_nan());
    assert_eq!(raster.data[(0, 3)], 16.5);
    assert_eq!(raster.data.row(1).to_vec(), [15.0, 15.5, 14.0, 14.5]);

    packed(&path, &[200.0, 210.0, 220.0]);
    assert_eq!(
        read_f32(&path, "t2m", &[("time", 0)]).unwrap().grid.x(0),
        -160.0
    );
    packed(&path, &[170.0, 180.0, 190.0]);
    assert!(message(read_f32(&path, "t2m", &[("time", 0)])).contains("across 180"));
    packed(&path, &[100.0, 110.0, 125.0]);
    assert!(message(read_f32(&path, "t2m", &[("time", 0)])).contains("even"));
}

#[test]
fn faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nc");
    assert!(message(read_f32(&path, "t2m", &[])).contains("no such file"));
    std::fs::write(&path, "GRIB....").unwrap();
    assert!(message(read_f32(&path, "t2m", &[])).contains("does not begin"));
    packed(&path, &[100.0, 110.0]);
    assert!(message(read_f32(&path, "tp", &[])).contains("latitude, longitude, t2m"));
    assert!(message(read_f32(&path, "t2m", &[])).contains("no index for the axis `time`"));
    assert!(message(read_f32(&path, "t2m", &[("time", 2)])).contains("0 to 1"));
    assert!(message(read_f32(&path, "t2m", &[("level", 0)])).contains("does not have"));
    assert!(message(read_f32(&path, "latitude", &[])).contains("longitude or x axis"));
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(message(read_f32(&path, "t2m", &[("time", 0)])).contains("cut short"));
}

#[test]
fn well_known_text_gives_the_outermost_code() {
    let wkt = r#"PROJCS["x",GEOGCS["y",AUTHORITY["EPSG","4490"]],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AUTHORITY["EPSG","4549"]]"#;
    assert_eq!(epsg_of_wkt(wkt), Some(4549));
    assert_eq!(
        epsg_of_wkt(r#"GEOGCRS["WGS 84",ID["EPSG",4326]]"#),
        Some(4326)
    );
    assert_eq!(
        epsg_of_wkt(r#"GEOGCS["y",UNIT["degree",AUTHORITY["EPSG","9122"]],X["a"]]"#),
        None
    );
    assert_eq!(epsg_of_wkt(""), None);
}

#[test]
fn contents_are_told_without_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nc");
    packed(&path, &[0.0, 90.0, 180.0, 270.0]);
    let info = super::info(&path).unwrap();
    let t2m = info.variables.iter().find(|v| v.name == "t2m").unwrap();
    assert_eq!(t2m.kind, "i16");
    let dims: Vec<(&str, usize)> = t2m
        .dimensions
        .iter()
        .map(|(n, l)| (n.as_str(), *l))
        .collect();
    assert_eq!(dims, [("time", 2), ("latitude", 2), ("longitude", 4)]);
    let frame = info.frame.unwrap().unwrap();
    assert_eq!((frame.crs, frame.variable.as_str()), (Crs::WGS84, "t2m"));
    assert_eq!((frame.shape, frame.cell), ((2, 4), (90.0, 90.0)));
    let b = frame.bounds;
    assert_eq!(
        (b.west, b.south, b.east, b.north),
        (-45.0, -90.0, 315.0, 90.0)
    );
    std::fs::write(&path, "GRIB....").unwrap();
    assert!(super::info(&path).unwrap_err().is_input());
}

/// A system told in words only.
#[test]
fn systems_are_recognised_by_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nc");
    let own = path.clone();
    on_thread(move || {
        let mut file = netcdf::create(&own).unwrap();
        for (name, values) in [
            ("y", [3_300_000.0, 3_300_030.0]),
            ("x", [450_000.0, 450_030.0]),
        ] {
            file.add_dimension(name, 2).unwrap();
            let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
            axis.put_attribute("units", "m").unwrap();
            axis.put_values(&values, ..).unwrap();
        }
        let mut mapping = file.add_variable::<i32>("crs", &[]).unwrap();
        let wkt = Crs::from_epsg(4549).unwrap().wkt();
        let wkt = wkt.replace(",AUTHORITY[\"EPSG\",\"4549\"]", "");
        mapping.put_attribute("crs_wkt", wkt).unwrap();
        let mut depth = file.add_variable::<f32>("depth", &["y", "x"]).unwrap();
        depth.put_attribute("grid_mapping", "crs").unwrap();
        depth.put_values(&[1.0, 2.0, 3.0, 4.0], ..).unwrap();
        Ok(())
    })
    .unwrap();
    let raster = read_f32(&path, "depth", &[]).unwrap();
    assert_eq!(raster.grid.crs.epsg(), 4549);
    assert_eq!(raster.data, array![[3.0, 4.0], [1.0, 2.0]]);
}
