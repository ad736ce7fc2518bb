//! What users of other loss engines have, in our own types (交换格式): exposure, vulnerability, footprints, occurrences.
//!
//! | file | reads |
//! | --- | --- |
//! | [`oasis`] | Oasis LMF: footprints, vulnerabilities, items and coverages as CSV or binary; occurrences |
//! | [`oed`] | OED exposure: locations with their coverages, deductibles and limits |
//! | [`climada`] | CLIMADA: hazards (HDF5, CSV), impact functions, exposures |
//! | [`openquake`], [`nrml`] | OpenQuake: ground motion, sites, taxonomy mapping; exposure, vulnerability, fragility, consequences |
//! | [`fiat`], [`jrc`] | Delft-FIAT: depth-damage curves, objects, flood maps; the JRC depth-damage table |
//!
//! Footprints become event-set files ([`crate::events::set`]), event by event. What a format says that ours cannot is
//! refused with a fault, not dropped. Text may be gzipped; it is UTF-8. The formats are taken from the documents and the
//! output of the engines named; no code of theirs is used.

#[cfg(feature = "netcdf")]
mod climada_hdf5;
mod columns;

pub mod climada;
#[cfg(feature = "netcdf")]
pub mod fiat;
pub mod jrc;
pub mod nrml;
pub mod oasis;
pub mod oed;
pub mod openquake;

/// Mean radius of the Earth, km (GRS80).
const EARTH_KM: f64 = 6371.0088;

/// Index of the place nearest to `at` and its distance, km, on a sphere; `None` where no place is within `most_km`.
///
/// Places and `at` are (longitude, latitude) in degrees. Of places at one distance the first is taken.
///
/// # Performance
/// Looks at every place; for many points against many places sort them on a grid first.
pub fn nearest(places: &[[f64; 2]], at: [f64; 2], most_km: f64) -> Option<(u32, f64)> {
    let mut best: Option<(u32, f64)> = None;
    for (i, place) in places.iter().enumerate() {
        let km = great_circle_km(*place, at);
        if km <= most_km && best.is_none_or(|(_, least)| km < least) {
            best = Some((i as u32, km));
        }
    }
    best
}

/// Distance on a sphere by the haversine, km; (longitude, latitude) in degrees.
fn great_circle_km(a: [f64; 2], b: [f64; 2]) -> f64 {
    let radians = std::f64::consts::PI / 180.0;
    let half = |d: f64| libm::pow(libm::sin(0.5 * d * radians), 2.0);
    let across = libm::cos(a[1] * radians) * libm::cos(b[1] * radians);
    let h = half(b[1] - a[1]) + across * half(b[0] - a[0]);
    2.0 * EARTH_KM * libm::asin(h.min(1.0).sqrt())
}

/// True where damage falls somewhere: tables of other engines may, ours must say so.
fn falls(mean: &[f64]) -> bool {
    mean.windows(2).any(|w| w[0] > w[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A folder of reference data; `None`, with a word, where it is not there.
    pub(super) fn shared(folder: &str) -> Option<PathBuf> {
        let root = std::env::var_os("ANLAN_SHARED_DATA").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
            PathBuf::from,
        );
        let path = root.join("loss").join(folder);
        if !path.exists() {
            println!("SKIPPED: no {}", path.display());
            return None;
        }
        Some(path)
    }

    #[test]
    fn nearest_places() {
        let places = [[0.0, 0.0], [1.0, 0.0], [179.9, 10.0]];
        let (i, km) = nearest(&places, [0.9, 0.0], 100.0).unwrap();
        assert!(i == 1 && (km - 11.1195).abs() < 1e-3, "{km}");
        // Across the date line.
        assert_eq!(nearest(&places, [-179.9, 10.0], 30.0).unwrap().0, 2);
        assert!(nearest(&places, [0.5, 50.0], 100.0).is_none());
    }
}
