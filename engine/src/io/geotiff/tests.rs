use super::*;
use crate::crs::Crs;
use crate::error::{Error, Result};
use crate::grid::Window;
use crate::raster::Raster;
use ndarray::{Array2, array, s};
use std::path::{Path, PathBuf};

fn grid(epsg: u32, shape: (usize, usize)) -> Grid {
    let crs = Crs::from_epsg(epsg).unwrap();
    if crs.is_geographic() {
        Grid::new(crs, (118.0, 31.0), (0.001, 0.0012), shape).unwrap()
    } else {
        // Zone 37 writes its number before the easting.
        let west = if epsg == 4525 {
            37_450_000.0
        } else {
            450_000.0
        };
        Grid::new(crs, (west, 3_300_000.0), (30.0, 25.0), shape).unwrap()
    }
}

/// Values with structure and noise, some missing, none like its neighbour.
fn field(grid: Grid) -> Raster<f32> {
    let value = |(r, c): (usize, usize)| match (r * 31 + c * 17) % 23 {
        0 => f32::NAN,
        k => (r as f32 * 0.37 - c as f32 * 1.9) * (k as f32 - 11.0),
    };
    Raster::new(grid, Array2::from_shape_fn(grid.shape(), value))
}

pub(super) fn bits(raster: &Raster<f32>) -> Array2<u32> {
    // Every NaN counts as the same.
    raster
        .data
        .mapv(|v| if v.is_nan() { 0x7fc0_0000 } else { v.to_bits() })
}

pub(super) fn fault<T>(result: Result<T>) -> String {
    match result {
        Err(error @ Error::Input(_)) => {
            assert_eq!(error.faults().len(), 1);
            error.to_string()
        }
        Err(error) => panic!("not a fault of the input: {error}"),
        Ok(_) => panic!("no fault"),
    }
}

fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ANLAN_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there", path.display());
    None
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let tags = Tags::from([("ANLAN_NOTE".into(), "合成 <synthetic>".into())]);
    for epsg in [4490, 4326, 4549, 4525, 32650, 3857] {
        let raster = field(grid(epsg, (300, 517)));
        write_f32(&path, &raster, &tags).unwrap();
        let back = read_f32(&path, 1).unwrap();
        assert_eq!(back.grid, raster.grid);
        assert_eq!(bits(&back), bits(&raster));
        let info = info(&path).unwrap();
        assert_eq!((info.bands, info.sample.as_str()), (1, "f32"));
        assert!(info.nodata.unwrap().is_nan());
        assert_eq!(info.compression, "deflate");
        assert_eq!(info.tags, tags);
    }
    let window = Window {
        row: 250,
        col: 200,
        rows: 20,
        cols: 300,
    };
    let raster = field(grid(3857, (300, 517)));
    let part = read_window_f32(&path, 1, window).unwrap();
    assert_eq!(part.grid, raster.grid.window(window));
    assert_eq!(bits(&part), bits(&raster.window(window)));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let raster = field(grid(4549, (600, 600)));
    let with = |threads: usize| {
        let path = folder.path().join(format!("{threads}.tif"));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| write_f32(&path, &raster, &Tags::new()))
            .unwrap();
        std::fs::read(path).unwrap()
    };
    assert_eq!(with(1), with(4));
}

#[test]
fn rows_written_in_turn_are_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("a.tif"), folder.path().join("b.tif"));
    let raster = field(grid(4549, (530, 300)))
        .map(|v| v.to_bits() % 97)
        .with_nodata(0);
    write_u32(&one, &raster, &Tags::new()).unwrap();
    let mut rows = |rows: std::ops::Range<usize>, cells: &mut [u32]| {
        cells.copy_from_slice(&raster.values()[rows.start * 300..rows.end * 300]);
        Ok(())
    };
    write_rows_u32(&other, &raster.grid, Some(0), &Tags::new(), &mut rows).unwrap();
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&other).unwrap());
}

#[test]
fn bands_have_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let depth = field(grid(4549, (270, 300)));
    let speed = depth.map(|v| v * 0.5);
    write_bands_f32(
        &path,
        &[("depth_m", &depth), ("流速", &speed)],
        &Tags::new(),
    )
    .unwrap();
    let info = info(&path).unwrap();
    assert_eq!(info.descriptions, ["depth_m", "流速"]);
    let bands = read_bands_f32(&path).unwrap();
    assert_eq!(bits(&bands[0]), bits(&depth));
    assert_eq!(bits(&bands[1]), bits(&speed));
    assert_eq!(bits(&read_f32(&path, 2).unwrap()), bits(&speed));
    assert!(fault(read_f32(&path, 3)).contains("a band from 1 to 2"));
    assert!(fault(read_f32(&path, 0)).contains("band 0"));
    let window = Window {
        row: 200,
        col: 0,
        rows: 71,
        cols: 3,
    };
    assert!(fault(read_window_f32(&path, 1, window)).contains("within 270 rows"));
}

#[test]
fn classes_keep_their_colours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let raster = Raster::new(grid(4490, (2, 3)), array![[1u8, 2, 0], [255, 4, 9]]).with_nodata(0);
    let mut colours: ColourTable = [[0; 3]; 256];
    colours[1] = [215, 25, 28];
    colours[255] = [1, 2, 254];
    write_u8(&path, &raster, Some(&colours), &Tags::new()).unwrap();
    assert_eq!(read_u8(&path, 1).unwrap(), raster);
    assert_eq!(**info(&path).unwrap().colours.as_ref().unwrap(), colours);
    let floats = read_f32(&path, 1).unwrap();
    assert!(floats.data[(0, 2)].is_nan() && floats.data[(1, 0)] == 255.0);
}

#[test]
fn files_cut_short_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let raster = field(grid(4490, (600, 600)));
    write_f32(&path, &raster, &Tags::new()).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for part in [
        0,
        1,
        3,
        4,
        7,
        8,
        15,
        16,
        100,
        whole.len() / 2,
        whole.len() - 100,
        // The very last byte may be the padding of an odd block.
        whole.len() - 2,
    ] {
        std::fs::write(&path, &whole[..part]).unwrap();
        let message = fault(read_f32(&path, 1));
        assert!(message.contains("a.tif"), "{part}: {message}");
    }
    std::fs::write(&path, "PK zip").unwrap();
    assert!(fault(info(&path)).contains("does not begin as a TIFF"));
    assert!(fault(info(folder.path())).contains("a folder"));
    assert!(fault(info(&folder.path().join("none.tif"))).contains("no such file"));
}

/// A classic little-endian TIFF of one strip of u8 with these tags beside the necessary ones; each tag has a code, a
/// type (3 short, 12 double, 2 text), and its values as bytes.
fn hand_made(width: u32, height: u32, strip: (u32, u32), extra: &[(u16, u16, Vec<u8>)]) -> Vec<u8> {
    let long = |v: u32| (4u16, v.to_le_bytes().to_vec());
    let mut tags = vec![
        (256, long(width)),
        (257, long(height)),
        (258, long(8)),
        (259, long(1)),
        (262, long(1)),
        (273, long(strip.0)),
        (277, long(1)),
        (278, long(height)),
        (279, long(strip.1)),
    ];
    tags.extend(
        extra
            .iter()
            .map(|(code, kind, bytes)| (*code, (*kind, bytes.clone()))),
    );
    tags.sort_by_key(|t| t.0);
    let mut out = b"II\x2a\0\x08\0\0\0".to_vec();
    out.extend((tags.len() as u16).to_le_bytes());
    let mut place = 8 + 2 + 12 * tags.len() + 4;
    let mut tail = Vec::new();
    for (code, (kind, bytes)) in &tags {
        let size = match kind {
            2 => 1,
            3 => 2,
            4 => 4,
            _ => 8,
        };
        out.extend(code.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(((bytes.len() / size) as u32).to_le_bytes());
        if bytes.len() <= 4 {
            let mut inline = bytes.clone();
            inline.resize(4, 0);
            out.extend(inline);
        } else {
            out.extend((place as u32).to_le_bytes());
            place += bytes.len();
            tail.extend_from_slice(bytes);
        }
    }
    out.extend([0; 4]);
    out.extend(tail);
    out
}

fn shorts(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn doubles(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn georeference_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let scale = (33550, 12, doubles(&[0.1, 0.1, 0.0]));
    let tie = (33922, 12, doubles(&[0.0, 0.0, 0.0, 119.0, 30.0, 0.0]));
    let keys = |values: &[u16]| (34735, 3, shorts(values));
    let wgs84 = keys(&[1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326]);
    let matrix = |m: [f64; 6]| {
        let [a, b, c, d, e, f] = m;
        let rows = [
            a, b, 0.0, c, d, e, 0.0, f, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0,
        ];
        (34264, 12, doubles(&rows))
    };
    // Four cells of values, standing in the first bytes of the file.
    let check = |extra: &[(u16, u16, Vec<u8>)]| {
        std::fs::write(&path, hand_made(2, 2, (0, 4), extra)).unwrap();
        // Offset 0 marks a strip left out: point to the first bytes after the header instead.
        std::fs::write(&path, hand_made(2, 2, (4, 4), extra)).unwrap();
        read_u8(&path, 1)
    };
    let plain = check(&[scale.clone(), tie.clone(), wgs84.clone()]).unwrap();
    assert_eq!(plain.data, array![[8u8, 0], [0, 0]]);
    assert!(fault(check(&[])).contains("without georeference"));
    assert!(fault(check(&[scale.clone(), tie.clone()])).contains("no reference system"));
    let unknown = keys(&[1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 27700]);
    let message = fault(check(&[scale.clone(), tie.clone(), unknown]));
    assert!(
        message.contains("EPSG:27700") && message.contains("a.tif"),
        "{message}"
    );
    let custom = keys(&[
        1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 32767, 3073, 34737, 5, 0,
    ]);
    let citation = (34737, 2, b"Xi80|\0".to_vec());
    let message = fault(check(&[scale.clone(), tie.clone(), custom, citation]));
    assert!(
        message.contains("user-defined") && message.contains("`Xi80`"),
        "{message}"
    );
    let rotated = matrix([0.1, 0.02, 119.0, 0.02, -0.1, 30.0]);
    assert!(fault(check(&[rotated, wgs84.clone()])).contains("rotated"));
    let mirrored = matrix([-0.1, 0.0, 119.0, 0.0, -0.1, 30.0]);
    assert!(fault(check(&[mirrored, wgs84.clone()])).contains("mirrored"));
    let south_up = matrix([0.1, 0.0, 119.0, 0.0, 0.1, 29.8]);
    let turned = check(&[south_up, wgs84.clone()]).unwrap();
    assert_eq!(turned.data, array![[0u8, 0], [8, 0]]);
    assert!((turned.grid.north - 30.0).abs() < 1e-12);
    let swapped = (33922, 12, doubles(&[0.0, 0.0, 0.0, 30.0, 119.0, 0.0]));
    assert!(fault(check(&[scale.clone(), swapped, wgs84.clone()])).contains("swapped"));
    let nodata = (42113, 2, b"none\0".to_vec());
    assert!(fault(check(&[scale.clone(), tie.clone(), wgs84.clone(), nodata])).contains("`none`"));

    // Strips beyond the end, and strips left out.
    let extra = [scale.clone(), tie.clone(), wgs84.clone()];
    std::fs::write(&path, hand_made(2, 2, (4_000, 4), &extra)).unwrap();
    let message = fault(read_u8(&path, 1));
    assert!(
        message.contains("1 of 1 strips cut off") && message.contains("4004 bytes"),
        "{message}"
    );
    std::fs::write(&path, hand_made(2, 2, (0, 0), &extra)).unwrap();
    assert!(fault(read_u8(&path, 1)).contains("1 of 1 strips left out"));
    let nodata = (42113, 2, b"17\0".to_vec());
    std::fs::write(&path, hand_made(2, 2, (0, 0), &[scale, tie, wgs84, nodata])).unwrap();
    assert_eq!(
        read_u8(&path, 1).unwrap().data,
        array![[17u8, 17], [17, 17]]
    );
    assert!(read_f32(&path, 1).unwrap().range().is_none());
}

/// The `geotiff` crate, which shares no code with the reader.
#[test]
fn another_reader_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let raster = field(grid(4549, (300, 290)));
    write_f32(&path, &raster, &Tags::from([("A".into(), "b".into())])).unwrap();
    compare_with_oracle(&path);
    for name in [
        "region/zhejiang/dem_30s.tif",
        "region/zhejiang/landcover_igbp_3min.tif",
    ] {
        if let Some(path) = shared(name) {
            compare_with_oracle(&path);
        }
    }
}

fn compare_with_oracle(path: &Path) {
    let file = std::fs::File::open(path).unwrap();
    let oracle = geotiff::GeoTiff::read(file).unwrap();
    let ours = read_f32(path, 1).unwrap();
    let stored = info(path).unwrap();
    assert_eq!(
        (oracle.raster_height, oracle.raster_width),
        ours.grid.shape()
    );
    for ((r, c), &v) in ours.data.indexed_iter().step_by(7) {
        let point = geo::Coord {
            x: ours.grid.x(c),
            y: ours.grid.y(r),
        };
        let theirs: f64 = oracle.get_value_at(&point, 0).unwrap();
        let missing = theirs.is_nan() || Some(theirs) == stored.nodata;
        assert!(
            if missing {
                v.is_nan()
            } else {
                f64::from(v) == theirs
            },
            "{}: row {r}, column {c}: {v}, {theirs}",
            path.display()
        );
    }
}

/// Every GeoTIFF of the shared data can be read; its windows equal the whole.
#[test]
fn shared_files_are_read() {
    for folder in [
        "region/zhejiang",
        "region/jiangsu",
        "geology/flowpy",
        "fire/flammap_worcester",
    ] {
        let Some(folder) = shared(folder) else {
            return;
        };
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().path())
            .collect();
        files.sort();
        for path in files
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "tif"))
        {
            let values = match read_values_f32(path, 1) {
                Err(e) if e.to_string().contains("without georeference") => continue,
                values => values.unwrap_or_else(|e| panic!("{e}")),
            };
            let Ok(raster) = read_f32(path, 1) else {
                continue;
            };
            assert_eq!(bits(&raster), bits(&Raster::new(raster.grid, values)));
            let (rows, cols) = raster.grid.shape();
            let window = Window {
                row: rows / 3,
                col: cols / 4,
                rows: rows / 2,
                cols: cols / 2,
            };
            let part = read_window_f32(path, 1, window).unwrap();
            let of_whole = raster.data.slice(s![
                window.row..window.row + window.rows,
                window.col..window.col + window.cols
            ]);
            assert_eq!(
                bits(&part),
                bits(&Raster::new(part.grid, of_whole.to_owned()))
            );
        }
    }
}
