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
//!
//! # Examples
//! A model and a portfolio of Oasis, ready for the kernels:
//! ```no_run
//! use anlan_engine::events::set::EventSet;
//! use anlan_engine::loss::{Vulnerability, exchange::oasis};
//! use std::path::Path;
//!
//! # fn main() -> anlan_engine::Result<()> {
//! let (model, input) = (Path::new("static"), Path::new("input"));
//! let years = oasis::occurrences(&input.join("occurrence.csv"), Some(10_000))?;
//! let target = Path::new("model.events");
//! let areaperils = oasis::footprint(&model.join("footprint.bin"), &years, target)?;
//! let events = EventSet::open(target)?;
//! let table = model.join("vulnerability.bin");
//! let matrices = oasis::matrices(&table, &model.join("damage_bin_dict.bin"), None)?;
//! let vulnerabilities: Vec<Vulnerability> = matrices
//!     .iter()
//!     .map(|m| Vulnerability::from_matrix(&table, m))
//!     .collect::<Result<_, _>>()?;
//! let items = oasis::items(&input.join("items.bin"), &input.join("coverages.bin"))?;
//! // Rows for an `ExposureBuilder`: class k suffers vulnerability k.
//! let rows = oasis::rows(&items, &areaperils, &matrices)?;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "netcdf")]
mod climada_hdf5;
mod columns;
mod nrml_exposure;
mod oasis_tables;

pub mod climada;
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
/// Looks at the latitude of every place, about 1 ns each; for millions of points against as many places sort them on a
/// grid first.
pub fn nearest(places: &[[f64; 2]], at: [f64; 2], most_km: f64) -> Option<(u32, f64)> {
    let mut best: Option<(u32, f64)> = None;
    // Degrees of latitude alone that are too far, with room for rounding.
    let reach = |km: f64| (km / EARTH_KM).to_degrees() * (1.0 + 1e-9) + 1e-9;
    let mut too_far = reach(most_km);
    for (i, place) in places.iter().enumerate() {
        if (place[1] - at[1]).abs() > too_far {
            continue;
        }
        let km = great_circle_km(*place, at);
        if km <= most_km && best.is_none_or(|(_, least)| km < least) {
            best = Some((i as u32, km));
            too_far = reach(km);
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
            eprintln!("SKIPPED: no {}", path.display());
            return None;
        }
        Some(path)
    }

    /// Files with single bytes changed, or cut off: faults, or other values, but no panic.
    #[test]
    fn mutilated_files_never_panic() {
        use crate::events::occurrences::Occurrences;
        use crate::loss::{Curve, Fragility, Vulnerability};
        use std::path::Path;

        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let target = at("target.events");
        let put = |name: &str, text: &[u8]| std::fs::write(at(name), text).unwrap();
        let check = |curves: &[Curve]| {
            for curve in curves {
                let _ = Vulnerability::from_curve(Path::new("x"), curve);
            }
        };
        let check_states = |list: &[Fragility]| {
            for f in list {
                let _ = Vulnerability::from_fragility(Path::new("x"), f);
            }
        };
        put(
            "footprint.idx",
            &[
                &3_i32.to_le_bytes()[..],
                &8_i64.to_le_bytes(),
                &24_i64.to_le_bytes(),
            ]
            .concat(),
        );
        put(
            "bins.csv",
            b"bin_index,bin_from,bin_to,interpolation\n1,0,0,0\n2,0,1,0.4\n",
        );
        put("list.csv", b"coverage_id,tiv\n1,100\n");
        put(
            "events.csv",
            b"event_index,event_id,frequency\n0,4,0.5\n1,5,1\n",
        );
        let sites = openquake::sites_of(&[[1.0, 2.0]]);
        let row = [7_u32, 2, 1.0_f32.to_bits()].map(u32::to_le_bytes).concat();
        let other = [9_u32, 1, 1.0_f32.to_bits()].map(u32::to_le_bytes).concat();
        let footprint = [&[5, 0, 0, 0, 0, 0, 0, 0], &row[..], &other].concat();
        let xml = |model: &str| format!("<nrml>{model}</nrml>").into_bytes();
        let vulnerability = xml(
            "<vulnerabilityModel><vulnerabilityFunction id='A' dist='BT'><imls imt='PGA'>0.1 0.3</imls><meanLRs>0.2 0.4\
             </meanLRs><covLRs>0.3 0.1</covLRs></vulnerabilityFunction></vulnerabilityModel>",
        );
        let fragility = xml(
            "<fragilityModel><limitStates>a b</limitStates><fragilityFunction id='A' format='continuous'><imls imt='PGA'/>\
             <params ls='a' mean='0.2' stddev='0.1'/><params ls='b' mean='0.5' stddev='0.2'/></fragilityFunction>\
             </fragilityModel>",
        );
        let exposure = xml(
            "<exposureModel><conversions><costTypes><costType name='s' type='per_asset' unit='CNY'/></costTypes>\
             </conversions><assets><asset id='a' taxonomy='T' number='3'><location lon='1' lat='2'/><costs><cost type='s' \
             value='2'/></costs></asset></assets></exposureModel>",
        );
        let target = &target;
        type Reading<'a> = (&'a str, Vec<u8>, Box<dyn Fn(&Path) + 'a>);
        let cases: Vec<Reading<'_>> = vec![
            ("o.csv", b"event_id,period_no,occ_year,occ_month,occ_day\n3,2,1,12,31\n".to_vec(), Box::new(|p| {
                let _ = oasis::occurrences(p, None);
            })),
            ("f.csv", b"event_id,areaperil_id,intensity_bin_id,probability\n3,4,5,0.5\n3,4,6,0.5\n".to_vec(), Box::new(|p| {
                let _ = oasis::footprint(p, &Occurrences::default(), target);
            })),
            ("footprint.bin", footprint, Box::new(|p| {
                let _ = oasis::footprint(p, &Occurrences::default(), target);
            })),
            ("v.csv", b"vulnerability_id,intensity_bin_id,damage_bin_id,probability\n1,1,1,0.5\n1,1,2,0.5\n".to_vec(), Box::new(|p| {
                for m in oasis::matrices(p, &at("bins.csv"), None).unwrap_or_default() {
                    let _ = Vulnerability::from_matrix(p, &m);
                }
            })),
            ("i.csv", b"item_id,coverage_id,areaperil_id,vulnerability_id,group_id\n1,1,4,1,9\n".to_vec(), Box::new(|p| {
                let _ = oasis::items(p, &at("list.csv"));
            })),
            ("l.csv", b"PortNumber,AccNumber,LocNumber,Latitude,Longitude,LocCurrency,BuildingTIV,OtherTIV,ContentsTIV,\
                BITIV,LocDed1Building\n1,A,1,30,120,CNY,100,0,50,0,5\n".to_vec(), Box::new(|p| {
                let _ = oed::locations(p);
            })),
            ("c.csv", b"event_index,centroid_index,wind\n0,3,20\n1,3,30\n".to_vec(), Box::new(|p| {
                let _ = climada::event_set(&at("events.csv"), p, "wind_m_s", target);
            })),
            ("w.csv", b"impf_id,intensity,mdd,paa\n1,0,0,1\n1,10,0.5,1\n".to_vec(), Box::new(|p| {
                check(&climada::impact_functions(p, "x").unwrap_or_default());
            })),
            ("g.csv", b"sid,eid,gmv_PGA\n0,0,0.1\n0,1,0.2\n".to_vec(), Box::new(|p| {
                let _ = openquake::ground_motion(p, &sites, 0.1, target);
            })),
            ("j.csv", b"Type,Flood depth [m],Asia_Mean,Asia_Std\nR,0,0,0\nR,1,0.5,0.2\n".to_vec(), Box::new(|p| {
                check(&jrc::curves(p).unwrap_or_default());
            })),
            ("v.xml", vulnerability, Box::new(|p| check(&nrml::vulnerability(p).unwrap_or_default()))),
            ("f.xml", fragility, Box::new(|p| check_states(&nrml::fragility(p, None).unwrap_or_default()))),
            ("e.xml", exposure, Box::new(|p| {
                let _ = nrml::exposure(p);
            })),
        ];
        for (name, whole, read) in &cases {
            read(&{
                put(name, whole);
                at(name)
            });
            let draws = crate::random::Stream::new(1, 0x7E57);
            for k in 0..150 {
                let [which, to] = draws.uniform2(k, 0, 0);
                let mut bytes = whole.clone();
                let i = (which * bytes.len() as f64) as usize;
                match k % 5 {
                    0 => bytes.truncate(i),
                    1 => bytes[i] = b"0,-.9e<\"\n"[(to * 9.0) as usize],
                    2 => bytes.insert(i, b"0,-.9e<\"\n"[(to * 9.0) as usize]),
                    3 => drop(bytes.remove(i)),
                    _ => bytes[i] = (to * 256.0) as u8,
                }
                put(name, &bytes);
                read(&at(name));
            }
        }
    }

    #[test]
    fn nearest_places() {
        let places = [[0.0, 0.0], [1.0, 0.0], [179.9, 10.0]];
        let (i, km) = nearest(&places, [0.9, 0.0], 100.0).unwrap();
        assert!(i == 1 && (km - 11.1195).abs() < 1e-3, "{km}");
        // Across the date line.
        assert_eq!(nearest(&places, [-179.9, 10.0], 30.0).unwrap().0, 2);
        assert!(nearest(&places, [0.5, 50.0], 100.0).is_none());
        // Of places at one distance the first, also where another of the same latitude comes later.
        let twice = [[0.0, 1.0], [5.0, 5.0], [0.0, 1.0], [0.0, -1.0]];
        assert_eq!(nearest(&twice, [0.0, 0.0], 1e9).unwrap().0, 0);
    }
}
