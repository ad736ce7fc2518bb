//! The reader against files made by hand: every storage, no-data, scales, blocks left out, cuts.

use super::fixture::Spec;
use super::tests::{bits, fault};
use super::*;
use crate::grid::Window;
use ndarray::array;

/// What the sample type holds, with its extremes.
fn sample_value(sample: (u16, u16), seed: usize) -> f64 {
    let (low, high): (f64, f64) = match sample {
        (1, bits) => (0.0, 2.0_f64.powi_exact(bits) - 1.0),
        (2, bits) => (
            -2.0_f64.powi_exact(bits - 1),
            2.0_f64.powi_exact(bits - 1) - 1.0,
        ),
        _ => (-1e9, 1e9),
    };
    match seed % 11 {
        0 => low,
        1 => high,
        k => {
            let v = low + (high - low) * ((seed * 7919) % 997) as f64 / 997.0;
            if sample.0 == 3 {
                v / (k * k * k) as f64
            } else {
                v.floor()
            }
        }
    }
}

trait PowiExact {
    fn powi_exact(self, n: u16) -> f64;
}

impl PowiExact for f64 {
    fn powi_exact(self, n: u16) -> f64 {
        (0..n).map(|_| self).product()
    }
}

const SAMPLES: [(u16, u16); 8] = [
    (1, 8),
    (2, 8),
    (1, 16),
    (2, 16),
    (1, 32),
    (2, 32),
    (3, 32),
    (3, 64),
];

/// Every sample type x compression x predictor x strips or tiles x interleave x byte order, against the values that the
/// file was made of.
#[test]
fn every_storage_is_read_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let shape = (37, 45);
    let mut read = 0;
    for sample in SAMPLES {
        let value =
            |band: usize, row: usize, col: usize| sample_value(sample, band * 5 + row * 45 + col);
        for compression in [1, 5, 8, 32773, 50000] {
            for predictor in [1, 2, 3] {
                if predictor == 3 && sample.0 != 3 || predictor > 1 && compression == 1 {
                    continue;
                }
                for block in [(10, None), (16, Some(32))] {
                    for (bands, planar) in [(1, false), (3, false), (3, true)] {
                        for little_endian in [true, false] {
                            let spec = Spec {
                                bands,
                                compression,
                                predictor,
                                block,
                                planar,
                                little_endian,
                                ..Spec::new(shape, sample)
                            };
                            std::fs::write(&path, spec.bytes(value)).unwrap();
                            for band in 1..=bands {
                                let found = read_f64(&path, band)
                                    .unwrap_or_else(|e| panic!("{spec:?}: {e}"));
                                for ((r, c), v) in found.data.indexed_iter() {
                                    let expected = match sample {
                                        (3, 32) => f64::from(value(band - 1, r, c) as f32),
                                        _ => value(band - 1, r, c),
                                    };
                                    assert_eq!(*v, expected, "{spec:?} {band} {r} {c}");
                                }
                            }
                            read += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(read > 700, "{read}");
}

#[test]
fn windows_and_f32_follow_the_storage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for sample in SAMPLES {
        for (block, planar) in [((10, None), false), ((16, Some(16)), true)] {
            let spec = Spec {
                bands: 2,
                compression: 8,
                predictor: 2,
                block,
                planar,
                ..Spec::new((40, 50), sample)
            };
            let value = |b: usize, r: usize, c: usize| sample_value(sample, b + r * 50 + c);
            std::fs::write(&path, spec.bytes(value)).unwrap();
            let whole = read_f32(&path, 2).unwrap();
            assert_eq!(whole.data[(3, 4)], value(1, 3, 4) as f32);
            let window = Window {
                row: 9,
                col: 13,
                rows: 25,
                cols: 20,
            };
            let part = read_window_f32(&path, 2, window).unwrap();
            assert_eq!(part.grid, whole.grid.window(window));
            assert_eq!(bits(&part), bits(&whole.window(window)));
            assert_eq!(bits(&read_bands_f32(&path).unwrap()[1]), bits(&whole));
        }
    }
}

#[test]
fn no_data_scale_and_offset() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let write = |spec: &Spec, cells: &[f64]| {
        std::fs::write(&path, spec.bytes(|_, _, col| cells[col])).unwrap();
    };
    // The tag holds more digits than f32 does.
    let lowest = Spec {
        nodata: Some("-3.4028234663852886e+38"),
        ..Spec::new((1, 2), (3, 32))
    };
    write(&lowest, &[-3.402_823_466_385_288_6e38, 1.0]);
    assert!(read_f32(&path, 1).unwrap().data[(0, 0)].is_nan());
    let tenth = Spec {
        nodata: Some("-9999.9"),
        ..Spec::new((1, 2), (3, 32))
    };
    write(&tenth, &[-9999.9, 1.0]);
    assert!(read_f32(&path, 1).unwrap().data[(0, 0)].is_nan());
    assert!(read_f64(&path, 1).unwrap().data[(0, 0)].is_nan());
    // No cell of this type can have it, so it is none.
    let outside = Spec {
        nodata: Some("-9999"),
        ..Spec::new((1, 2), (1, 8))
    };
    write(&outside, &[241.0, 0.0]);
    assert_eq!(read_f32(&path, 1).unwrap().data, array![[241.0, 0.0]]);
    assert_eq!(read_u8(&path, 1).unwrap().nodata, None);
    // Decimetres as integers, missing cells told before scaling.
    let scaled = Spec {
        nodata: Some("-1"),
        metadata: Some(
            "<GDALMetadata><Item name=\"SCALE\" sample=\"0\" role=\"scale\">0.1</Item>\
             <Item name=\"OFFSET\" sample=\"0\" role=\"offset\">-50</Item></GDALMetadata>",
        ),
        ..Spec::new((1, 3), (2, 16))
    };
    write(&scaled, &[-1.0, 500.0, 1234.0]);
    let found = read_f64(&path, 1).unwrap();
    assert!(found.data[(0, 0)].is_nan());
    assert_eq!(found.data[(0, 2)], 1234.0 * 0.1 - 50.0);
    assert_eq!(read_f32(&path, 1).unwrap().data[(0, 1)], 0.0);
    assert_eq!(info(&path).unwrap().scales, [(0.1, -50.0)]);
    assert_eq!(read_i32(&path, 1).unwrap().data, array![[-1, 500, 1234]]);
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let integers = |nodata, cells: &[f64]| {
        let spec = Spec {
            nodata,
            ..Spec::new((1, cells.len()), (2, 32))
        };
        std::fs::write(&path, spec.bytes(|_, _, col| cells[col])).unwrap();
    };
    integers(Some("-1"), &[330_102.0, 16_777_217.0, -1.0]);
    assert_eq!(
        read_i32(&path, 1).unwrap().data,
        array![[330_102, 16_777_217, -1]]
    );
    assert_eq!(read_f64(&path, 1).unwrap().data[(0, 1)], 16_777_217.0);
    assert_eq!(read_f32(&path, 1).unwrap().data[(0, 1)], 16_777_216.0);
    assert!(fault(read_u8(&path, 1)).contains("330102"));

    integers(Some("-9999"), &[7.0, 254.0, -9999.0]);
    let narrow = read_u8(&path, 1).unwrap();
    assert_eq!(
        (narrow.data, narrow.nodata),
        (array![[7u8, 254, 255]], Some(255))
    );
    integers(Some("-9999"), &[255.0, -9999.0]);
    assert!(fault(read_u8(&path, 1)).contains("recode"));

    let floats = Spec::new((1, 2), (3, 64));
    std::fs::write(&path, floats.bytes(|_, _, c| [1e300, f64::NAN][c])).unwrap();
    assert_eq!(read_f64(&path, 1).unwrap().data[(0, 0)], 1e300);
    assert!(fault(read_f32(&path, 1)).contains("f32"));
    assert!(fault(read_u8(&path, 1)).contains("type f64"));
    assert!(fault(read_i32(&path, 1)).contains("type f64"));
}

#[test]
fn blocks_left_out_hold_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for (block, planar) in [
        ((8, Some(16)), false),
        ((8, Some(16)), true),
        ((8, None), true),
    ] {
        let spec = Spec {
            bands: 2,
            block,
            planar,
            compression: 8,
            nodata: Some("-9999"),
            absent: vec![1],
            ..Spec::new((20, 40), (3, 32))
        };
        std::fs::write(&path, spec.bytes(|b, r, c| (b * 800 + r * 40 + c) as f64)).unwrap();
        let missing = |r: usize, c: usize| match block.1 {
            Some(_) => r < 8 && (16..32).contains(&c),
            None => (8..16).contains(&r),
        };
        let band = read_f32(&path, 1).unwrap();
        for ((r, c), v) in band.data.indexed_iter() {
            assert_eq!(v.is_nan(), missing(r, c), "{r} {c}");
        }
        // Only the first plane lacks the block where bands are stored one after the other.
        let other = read_f32(&path, 2).unwrap();
        assert_eq!(other.data.iter().any(|v| v.is_nan()), !planar);
        let window = Window {
            row: 6,
            col: 20,
            rows: 6,
            cols: 15,
        };
        let part = read_window_f32(&path, 1, window).unwrap();
        assert_eq!(bits(&part), bits(&band.window(window)));
        let bare = Spec {
            nodata: None,
            ..spec
        };
        std::fs::write(&path, bare.bytes(|_, _, _| 1.0)).unwrap();
        assert!(fault(read_f32(&path, 1)).contains("left out"));
    }
}

/// Cut anywhere, a file is refused by name, or read as it was where only trailing bytes that nothing points to are gone.
#[test]
fn every_cut_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for (compression, block) in [(1, (4, None)), (8, (16, Some(16))), (50000, (16, Some(16)))] {
        let spec = Spec {
            compression,
            block,
            ..Spec::new((20, 20), (2, 16))
        };
        let whole = spec.bytes(|_, r, c| (r * 20 + c) as f64);
        for keep in (0..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..keep]).unwrap();
            let message = fault(read_f32(&path, 1));
            assert!(message.contains("a.tif"), "{keep}: {message}");
        }
        // Damaged, not cut: an answer or a fault, never a panic.
        for at in (0..whole.len()).step_by(3) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xA5;
            std::fs::write(&path, &bytes).unwrap();
            let _ = read_f32(&path, 1);
        }
    }
}

/// Rows read in turn are those of the whole, whatever the blocks, the strips asked for and the direction of the rows; the
/// blocks of a band are decoded one by one.
#[test]
fn rows_in_turn_are_those_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for (compression, block, planar) in [
        (8, (16, Some(16)), true),
        (8, (7, None), false),
        (5, (16, Some(32)), false),
        (1, (9, None), true),
    ] {
        let spec = Spec {
            bands: 2,
            compression,
            predictor: if compression == 1 { 1 } else { 3 },
            block,
            planar,
            nodata: Some("-9999"),
            absent: vec![1],
            ..Spec::new((53, 45), (3, 32))
        };
        let value = |b: usize, r: usize, c: usize| {
            if (r + c) % 9 == 4 {
                -9999.0
            } else {
                (b * 10_000 + r * 45 + c) as f64 / 3.0
            }
        };
        std::fs::write(&path, spec.bytes(value)).unwrap();
        let whole = read_f32(&path, 2).unwrap();
        let mut rows = Rows::open(&path, 2).unwrap();
        assert_eq!(rows.grid(), &whole.grid);
        assert!(rows.stride(8).is_multiple_of(8));
        for step in [1, 5, 16, 53] {
            let (mut first, mut strip, mut all) = (0, Vec::new(), Vec::new());
            while first < 53 {
                let end = (first + step).min(53);
                rows.read(first..end, &mut strip).unwrap();
                all.extend(strip.iter().map(|v| v.to_bits()));
                first = end;
            }
            let expected: Vec<u32> = bits(&whole).into_iter().collect();
            assert_eq!(all, expected, "{compression} {block:?}, {step} rows");
        }
    }
}

/// Damage within a Deflate block is told with its rows; nothing is made up in its place.
#[test]
fn damaged_deflate_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let spec = Spec {
        compression: 8,
        block: (16, None),
        ..Spec::new((37, 45), (2, 16))
    };
    let whole = spec.bytes(|_, r, c| ((r * 31 + c * 17) % 251) as f64);
    for at in [8, 40] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x3f;
        std::fs::write(&path, bytes).unwrap();
        let told = read_f32(&path, 1).unwrap_err();
        assert!(told.is_input(), "{told}");
        assert!(told.to_string().contains("band 1, rows 0 to 15"), "{told}");
    }
}
