//! Silent shifts of Chinese web maps: GCJ-02 ("Mars coordinates", 火星坐标) and BD-09 (百度坐标).
//!
//! Both are obfuscations of WGS 84, not coordinate systems: longitudes and latitudes that look right and lie 300-700 m
//! (GCJ-02) or about 1 km (BD-09) off. Data scraped from web maps carry them unsaid. This module knows the displacement
//! at a point and recognises it in a set of control points. It never corrects anything by itself.
//!
//! The formula was never published by its owner. What is used here is the reconstruction in common use, first posted in
//! 2010 and compared in Wikipedia, "Restrictions on geographic data in China", sections GCJ-02 and BD-09: a polynomial
//! with three sine series per axis, on the Krasovsky 1940 ellipsoid.

use crate::crs::{Crs, degree_lengths_m};
use libm::{atan2, cos, sin, sqrt};
use std::f64::consts::PI;

/// Krasovsky 1940, as the obfuscation uses it.
const SEMI_MAJOR_M: f64 = 6_378_245.0;
const ECCENTRICITY_SQUARED: f64 = 0.006_693_421_622_965_943;
/// A match explains the displacement to within this share of its length; leaves room for unlike centroids of
/// generalised outlines (some 100 m) and none for one shift taken for the other (they differ by about 1 km).
const MATCH_SHARE: f64 = 0.3;
/// A match must also leave at most this share of what stood without it.
const MATCH_GAIN: f64 = 0.5;
/// Below this median displacement (m) two sets of points agree: generalisation and rounding, not a datum.
const AGREE_M: f64 = 50.0;

/// How a candidate set of points lies against a reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shift {
    /// They agree, or differ without a common direction.
    None,
    /// The candidate carries the GCJ-02 offset.
    Gcj02,
    /// The candidate carries the BD-09 offset.
    Bd09,
    /// All points moved alike, by an amount that is neither of the two.
    Unknown {
        /// Median displacement towards the east, m.
        dx_m: f64,
        /// Median displacement towards the north, m.
        dy_m: f64,
    },
}

/// Displacement (Δlongitude, Δlatitude; degrees) of GCJ-02 from WGS 84 at a WGS 84 point in degrees; zero outside the
/// rectangle that the obfuscation covers (72.004-137.8347 E, 0.8293-55.8271 N).
pub fn gcj02_offset(lon: f64, lat: f64) -> (f64, f64) {
    if !((72.004..=137.8347).contains(&lon) && (0.8293..=55.8271).contains(&lat)) {
        return (0.0, 0.0);
    }
    let (x, y) = (lon - 105.0, lat - 35.0);
    let root = sqrt(x.abs());
    let wave = |a: f64, k: f64, t: f64| a * sin(k * t * PI);
    // The first pair of waves is common to both axes.
    let common = wave(20.0, 6.0, x) + wave(20.0, 2.0, x);
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + (common
            + wave(20.0, 1.0, y)
            + wave(40.0, 1.0 / 3.0, y)
            + wave(160.0, 1.0 / 12.0, y)
            + wave(320.0, 1.0 / 30.0, y))
            * 2.0
            / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + (common
            + wave(20.0, 1.0, x)
            + wave(40.0, 1.0 / 3.0, x)
            + wave(150.0, 1.0 / 12.0, x)
            + wave(300.0, 1.0 / 30.0, x))
            * 2.0
            / 3.0;
    let phi = lat.to_radians();
    let w2 = 1.0 - ECCENTRICITY_SQUARED * sin(phi) * sin(phi);
    let w = sqrt(w2);
    let meridian_m = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQUARED) / (w2 * w);
    let parallel_m = SEMI_MAJOR_M / w * cos(phi);
    (
        (east / parallel_m).to_degrees(),
        (north / meridian_m).to_degrees(),
    )
}

/// Displacement (Δlongitude, Δlatitude; degrees) of BD-09 from WGS 84 at a WGS 84 point in degrees: GCJ-02, then a
/// spiral turn about the origin and a constant.
pub fn bd09_offset(lon: f64, lat: f64) -> (f64, f64) {
    let (dlon, dlat) = gcj02_offset(lon, lat);
    let (x, y) = (lon + dlon, lat + dlat);
    let k = PI * 3000.0 / 180.0;
    let radius = sqrt(x * x + y * y) + 0.000_02 * sin(y * k);
    let angle = atan2(y, x) + 0.000_003 * cos(x * k);
    (
        radius * cos(angle) + 0.0065 - lon,
        radius * sin(angle) + 0.006 - lat,
    )
}

/// Recognises a silent shift from paired control points in degrees, e.g. the centroids of the same units in a trusted
/// layer (`reference`, on WGS 84 or CGCS2000) and in the layer under test (`candidate`).
///
/// - GCJ-02 or BD-09, where taking the expected displacement away leaves a median residual below 30 % of its length and
///   below half of what stood before; the better of the two where both do.
/// - Unknown, where the points moved alike: the median vector is longer than 50 m and longer than twice the median
///   deviation from it.
/// - None otherwise, also without points.
///
/// # Panics
/// Where the two slices differ in length.
pub fn detect_shift(reference: &[(f64, f64)], candidate: &[(f64, f64)]) -> Shift {
    assert_eq!(
        reference.len(),
        candidate.len(),
        "control points come in pairs"
    );
    // Displacement and the two expected ones per point, m east and north.
    let mut moved = Vec::with_capacity(reference.len());
    for (&(lon, lat), &(a, b)) in reference.iter().zip(candidate) {
        if !(lon.is_finite() && lat.is_finite() && a.is_finite() && b.is_finite()) {
            continue;
        }
        let (mx, my) = degree_lengths_m(lat, Crs::WGS84.flattening());
        let metres = |(dlon, dlat): (f64, f64)| (dlon * mx, dlat * my);
        moved.push([
            metres((a - lon, b - lat)),
            metres(gcj02_offset(lon, lat)),
            metres(bd09_offset(lon, lat)),
        ]);
    }
    if moved.is_empty() {
        return Shift::None;
    }
    let length = |(x, y): (f64, f64)| sqrt(x * x + y * y);
    let plain_m = median(moved.iter().map(|m| length(m[0])));
    let mut best: Option<(f64, Shift)> = None;
    for (k, shift) in [(1, Shift::Gcj02), (2, Shift::Bd09)] {
        let residual_m = median(
            moved
                .iter()
                .map(|m| length((m[0].0 - m[k].0, m[0].1 - m[k].1))),
        );
        let expected_m = median(moved.iter().map(|m| length(m[k])));
        if residual_m < MATCH_SHARE * expected_m
            && residual_m < MATCH_GAIN * plain_m
            && best.is_none_or(|(r, _)| residual_m < r)
        {
            best = Some((residual_m, shift));
        }
    }
    if let Some((_, shift)) = best {
        return shift;
    }
    let dx_m = median(moved.iter().map(|m| m[0].0));
    let dy_m = median(moved.iter().map(|m| m[0].1));
    let spread_m = median(moved.iter().map(|m| length((m[0].0 - dx_m, m[0].1 - dy_m))));
    let common_m = length((dx_m, dy_m));
    if common_m > AGREE_M && common_m > 2.0 * spread_m {
        Shift::Unknown { dx_m, dy_m }
    } else {
        Shift::None
    }
}

/// Middle value, the mean of the two middle ones for an even count; the input is not empty.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        0.5 * (sorted[half - 1] + sorted[half])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    /// eviltransform (Python, PyPI), `wgs2gcj` and `wgs2bd` at Beijing, Shanghai and Hangzhou. It takes the semi-major
    /// axis of WGS 84 instead of Krasovsky's, 1.7e-5 of the offset: below 1.5e-7 degree (2 cm).
    #[test]
    fn agrees_with_eviltransform() {
        for ((lon, lat), gcj, bd) in [
            (
                (116.391_275_7, 39.906_217),
                (0.006_241_111_023_697_954, 0.001_401_232_233_099_847_2),
                (0.012_615_050_173_806_708, 0.007_744_957_863_678_792),
            ),
            (
                (121.4737, 31.2304),
                (0.004_523_135_865_184_713, -0.001_942_295_310_755_071_1),
                (0.011_081_545_429_945_55, 0.003_910_559_473_126_796),
            ),
            (
                (120.1551, 30.2741),
                (0.004_694_558_787_250_003, -0.002_328_816_232_559_205_4),
                (0.011_258_428_374_119_944, 0.003_499_177_429_866_051_6),
            ),
        ] {
            for (ours, theirs) in [(gcj02_offset(lon, lat), gcj), (bd09_offset(lon, lat), bd)] {
                assert!(
                    (ours.0 - theirs.0).abs() < 1.5e-7 && (ours.1 - theirs.1).abs() < 1.5e-7,
                    "{ours:?} {theirs:?}"
                );
            }
        }
        assert_eq!(gcj02_offset(-0.1, 51.5), (0.0, 0.0));
    }

    fn scattered(n: u64) -> Vec<(f64, f64)> {
        (0..n)
            .map(|i| {
                let t = i as f64;
                (
                    118.0 + 4.0 * (t * 0.618_034).fract(),
                    27.5 + 3.5 * (t * 0.414_214).fract(),
                )
            })
            .collect()
    }

    #[test]
    fn shifts_are_recognised() {
        let reference = scattered(60);
        let moved = |f: fn(f64, f64) -> (f64, f64)| -> Vec<(f64, f64)> {
            reference
                .iter()
                .enumerate()
                .map(|(i, &(x, y))| {
                    let (dx, dy) = f(x, y);
                    // Unlike centroids: up to ±0.001 degree (100 m), by the house's own random stream.
                    let [u, v] = Stream::new(1, 2).uniform2(i as u64, 0, 0);
                    (x + dx + 0.002 * (u - 0.5), y + dy + 0.002 * (v - 0.5))
                })
                .collect()
        };
        assert_eq!(detect_shift(&reference, &moved(gcj02_offset)), Shift::Gcj02);
        assert_eq!(detect_shift(&reference, &moved(bd09_offset)), Shift::Bd09);
        assert_eq!(
            detect_shift(&reference, &moved(|_, _| (0.0, 0.0))),
            Shift::None
        );
        assert_eq!(detect_shift(&reference, &reference), Shift::None);
        assert_eq!(detect_shift(&[], &[]), Shift::None);
        match detect_shift(&reference, &moved(|_, _| (-0.002, 0.005))) {
            Shift::Unknown { dx_m, dy_m } => {
                // 0.005 degree of latitude is 554 m at 29 N.
                assert!(
                    (dy_m - 554.0).abs() < 30.0 && dx_m < -150.0,
                    "{dx_m} {dy_m}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
