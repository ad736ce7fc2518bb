//! Storm library (暴雨情景库): flood depth of a few design storms, simulated once, read many thousand times.
//!
//! For every (duration, temporal pattern, wetness of the ground, return period) the solver's greatest depth and velocity
//! are stored sparse. The depth of another return period is interpolated per cell, linear in log(T). Below the first level
//! the depth falls to zero at `dry_period` (2 years by default: a river in regime overtops its banks every 1.5 to 2
//! years); beyond the last level it stays at the last level's: the library says nothing about rarer storms than were
//! simulated. What the interpolation costs is told by [`crate::flood::interpolation`].
//!
//! File format (little endian): magic `ANLFLIB2`, return period f64, duration f64, wetness u32 (0 dry, 1 normal, 2 wet),
//! length of the pattern's name u32, cell count u64, the name in UTF-8, then the columns cells u32, depth f32, velocity
//! f32, then a 64-bit FNV-1a checksum of all before it. One file per storm, so that an interrupted library is resumed storm
//! by storm.

use crate::flood::runoff::Wetness;
use anlan_engine::{Error, Fault, Result};
use std::path::Path;

/// Depth and velocity where there is water; cells ascending.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SparseField {
    /// Cell numbers.
    pub cells: Vec<u32>,
    /// Greatest depth, m.
    pub depth_m: Vec<f32>,
    /// Greatest velocity, m/s.
    pub velocity_m_s: Vec<f32>,
}

impl SparseField {
    /// The cells of a run that were at least `least_m` deep.
    pub fn from_run(run: &super::solver::Inundation, least_m: f32) -> SparseField {
        let mut out = SparseField::default();
        for (k, &cell) in run.cells.iter().enumerate() {
            if run.max_depth_m[k] >= least_m {
                out.cells.push(cell);
                out.depth_m.push(run.max_depth_m[k]);
                out.velocity_m_s.push(run.max_velocity_m_s[k]);
            }
        }
        out
    }
}

/// One design storm of a library.
#[derive(Debug, Clone, PartialEq)]
pub struct LibraryStorm {
    /// Return period, years.
    pub return_period: f64,
    /// Duration, h.
    pub duration_h: f64,
    /// Name of the temporal pattern (雨型).
    pub pattern: String,
    /// Wetness of the ground before the storm.
    pub wetness: Wetness,
    /// The flood.
    pub field: SparseField,
}

const MAGIC: &[u8; 8] = b"ANLFLIB2";
const HEAD: usize = 8 + 8 + 8 + 4 + 4 + 8;

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl LibraryStorm {
    /// The storm as bytes of the library format.
    pub fn to_bytes(&self) -> Vec<u8> {
        let f = &self.field;
        let name = self.pattern.as_bytes();
        let mut out = Vec::with_capacity(HEAD + name.len() + 12 * f.cells.len() + 8);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.return_period.to_le_bytes());
        out.extend_from_slice(&self.duration_h.to_le_bytes());
        out.extend_from_slice(&(self.wetness as u32).to_le_bytes());
        out.extend_from_slice(&(name.len() as u32).to_le_bytes());
        out.extend_from_slice(&(f.cells.len() as u64).to_le_bytes());
        out.extend_from_slice(name);
        f.cells
            .iter()
            .for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
        f.depth_m
            .iter()
            .chain(&f.velocity_m_s)
            .for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
        let sum = fnv1a(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads the library format; `file` is named in faults.
    ///
    /// # Errors
    /// Another format or version, a truncated or changed file, cells out of order.
    pub fn from_bytes(bytes: &[u8], file: &Path) -> Result<LibraryStorm> {
        let fault = |found: String, expected: &str| {
            Error::input(Fault::new(
                file,
                found,
                expected,
                "delete the file; the storm is simulated again",
            ))
        };
        if bytes.len() < HEAD + 8 || &bytes[..8] != MAGIC {
            return Err(fault(
                "no storm of a flood library (or another version)".into(),
                "a file that begins with ANLFLIB2",
            ));
        }
        let (body, sum) = bytes.split_at(bytes.len() - 8);
        let eight = |b: &[u8]| -> [u8; 8] { b.try_into().expect("slices of eight bytes") };
        if fnv1a(body) != u64::from_le_bytes(eight(sum)) {
            return Err(fault(
                "a wrong checksum".into(),
                "the bytes that were written",
            ));
        }
        let four = |b: &[u8]| u32::from_le_bytes(b.try_into().expect("slices of four bytes"));
        let count = u64::from_le_bytes(eight(&body[32..40]));
        let (state, length) = (four(&body[24..28]), four(&body[28..32]) as usize);
        let wetness = Wetness::ALL.get(state as usize).copied();
        let Some(wetness) = wetness else {
            return Err(fault(
                format!("wetness {state}"),
                "0 (dry), 1 (normal) or 2 (wet)",
            ));
        };
        let rest = &body[HEAD..];
        let pattern = rest.get(..length).map(std::str::from_utf8);
        let Some(Ok(pattern)) = pattern else {
            return Err(fault(
                format!("no pattern's name of {length} bytes"),
                "a name in UTF-8",
            ));
        };
        let columns = &rest[length..];
        if count.checked_mul(12) != Some(columns.len() as u64) {
            return Err(fault(
                format!("{count} cells in {} bytes", columns.len()),
                "12 bytes per cell",
            ));
        }
        let n = count as usize;
        let words = |k: usize| {
            columns[4 * k * n..4 * (k + 1) * n]
                .chunks_exact(4)
                .map(|b| u32::from_le_bytes(b.try_into().expect("chunks of four bytes")))
        };
        let storm = LibraryStorm {
            return_period: f64::from_le_bytes(eight(&body[8..16])),
            duration_h: f64::from_le_bytes(eight(&body[16..24])),
            pattern: pattern.to_owned(),
            wetness,
            field: SparseField {
                cells: words(0).collect(),
                depth_m: words(1).map(f32::from_bits).collect(),
                velocity_m_s: words(2).map(f32::from_bits).collect(),
            },
        };
        if storm.field.cells.windows(2).any(|w| w[0] >= w[1]) {
            return Err(fault("cells out of order".into(), "ascending cell numbers"));
        }
        Ok(storm)
    }

    /// Writes the storm to a temporary file beside `path` and renames it.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let part = Path::new(&name);
        std::fs::write(part, self.to_bytes()).map_err(|e| Error::io("writing", part, e))?;
        std::fs::rename(part, path).map_err(|e| Error::io("renaming", path, e))
    }

    /// Reads a storm.
    ///
    /// # Errors
    /// As [`LibraryStorm::from_bytes`], or the file cannot be read.
    pub fn load(path: &Path) -> Result<LibraryStorm> {
        let bytes = std::fs::read(path).map_err(|e| Error::io("reading", path, e))?;
        LibraryStorm::from_bytes(&bytes, path)
    }
}

/// Storms of one duration, pattern and wetness on a common list of cells: level by level, ready to interpolate.
#[derive(Debug, Clone, PartialEq)]
struct Levels {
    /// ln of the return periods, ascending.
    log_periods: Vec<f64>,
    /// Depth `[cells of the library, levels]`, m.
    depth_m: Vec<f32>,
    /// Velocity `[cells of the library, levels]`, m/s.
    velocity_m_s: Vec<f32>,
}

/// The library: storms by duration, pattern, wetness and return period on the cells that any of them wets.
#[derive(Debug, Clone, PartialEq)]
pub struct StormLibrary {
    /// Cells that some storm wets, ascending; those of the wanted sites only.
    pub cells: Vec<u32>,
    /// Durations, h, ascending.
    pub durations_h: Vec<f64>,
    /// Names of the patterns, ascending.
    pub patterns: Vec<String>,
    /// Wetness states, ascending.
    pub wetness: Vec<Wetness>,
    /// By duration, then pattern, then wetness.
    layers: Vec<Levels>,
    /// ln of the return period at which nothing is flooded yet.
    log_dry: f64,
}

/// Return period, years, at which nothing is flooded yet.
pub const DRY_PERIOD: f64 = 2.0;

impl StormLibrary {
    /// Gathers storms on the cells of `sites` (ascending). Depth is made not to fall with the return period: two runs
    /// may differ by millimetres the other way.
    ///
    /// # Errors
    /// No storm; a storm twice; a return period not above `dry_period`; a combination of duration, pattern and wetness
    /// that has no storm although each of them occurs.
    pub fn new<'a>(
        storms: impl IntoIterator<Item = &'a LibraryStorm>,
        sites: &[u32],
        dry_period: f64,
    ) -> Result<StormLibrary> {
        let mut order: Vec<&LibraryStorm> = storms.into_iter().collect();
        order.sort_by(|a, b| {
            a.duration_h
                .total_cmp(&b.duration_h)
                .then_with(|| a.pattern.cmp(&b.pattern))
                .then(a.wetness.cmp(&b.wetness))
                .then(a.return_period.total_cmp(&b.return_period))
        });
        let layer = |a: &LibraryStorm, b: &LibraryStorm| {
            a.duration_h == b.duration_h && a.pattern == b.pattern && a.wetness == b.wetness
        };
        let mut patterns: Vec<String> = order.iter().map(|s| s.pattern.clone()).collect();
        patterns.sort_unstable();
        patterns.dedup();
        let mut wetness: Vec<Wetness> = order.iter().map(|s| s.wetness).collect();
        wetness.sort_unstable();
        wetness.dedup();
        let mut durations_h: Vec<f64> = order.iter().map(|s| s.duration_h).collect();
        durations_h.dedup();
        let groups: Vec<&[&LibraryStorm]> = order.chunk_by(|a, b| layer(a, b)).collect();
        if order.is_empty()
            || groups.len() != durations_h.len() * patterns.len() * wetness.len()
            || order
                .windows(2)
                .any(|w| layer(w[0], w[1]) && w[0].return_period == w[1].return_period)
            || order
                .iter()
                .any(|s| s.return_period.is_nan() || s.return_period <= dry_period)
            || dry_period.is_nan()
            || dry_period <= 0.0
        {
            return Err(Error::input(Fault::new(
                "flood library",
                format!(
                    "storms (h, pattern, ground, years) {}",
                    order
                        .iter()
                        .map(|s| format!(
                            "({}, {}, {}, {})",
                            s.duration_h,
                            s.pattern,
                            s.wetness.name(),
                            s.return_period
                        ))
                        .collect::<Vec<_>>()
                        .join(" ")
                ),
                format!(
                    "one storm per duration, pattern, wetness and return period, return periods above {dry_period} years"
                ),
                "correct the return periods of the library",
            )));
        }
        let mut cells: Vec<u32> = order
            .iter()
            .flat_map(|s| s.field.cells.iter().copied())
            .collect();
        cells.sort_unstable();
        cells.dedup();
        cells.retain(|c| sites.binary_search(c).is_ok());
        Ok(StormLibrary {
            layers: groups.into_iter().map(|g| levels(g, &cells)).collect(),
            cells,
            durations_h,
            patterns,
            wetness,
            log_dry: libm::log(dry_period),
        })
    }

    /// ln of the return period at which nothing is flooded yet.
    pub fn log_dry(&self) -> f64 {
        self.log_dry
    }

    /// The duration of the library nearest to a storm's (in ratio).
    pub fn nearest_duration(&self, duration_h: f64) -> usize {
        let away = |k: &usize| {
            let d = self.durations_h[*k];
            if d > duration_h {
                d / duration_h
            } else {
                duration_h / d
            }
        };
        (0..self.durations_h.len())
            .min_by(|a, b| away(a).total_cmp(&away(b)))
            .unwrap_or(0)
    }

    /// The wetness of the library nearest to that of the ground; of two as near, the wetter.
    pub fn nearest_wetness(&self, ground: Wetness) -> usize {
        let away = |k: &usize| (self.wetness[*k] as i32 - ground as i32).abs();
        (0..self.wetness.len()).rev().min_by_key(away).unwrap_or(0)
    }

    /// Number of the storms of a duration, a pattern and a wetness, each by its position in the lists of the library.
    pub fn layer(&self, duration: usize, pattern: usize, wetness: usize) -> usize {
        (duration * self.patterns.len() + pattern) * self.wetness.len() + wetness
    }

    /// Depth, m, and velocity, m/s, of the k-th cell for a layer and ln of a local return period.
    #[inline]
    pub fn at(&self, layer: usize, k: usize, log_period: f64) -> (f32, f32) {
        let d = &self.layers[layer];
        let levels = d.log_periods.len();
        let depth = &d.depth_m[k * levels..(k + 1) * levels];
        let velocity = &d.velocity_m_s[k * levels..(k + 1) * levels];
        let above = d.log_periods.partition_point(|&y| y <= log_period);
        if above == levels {
            return (depth[levels - 1], velocity[levels - 1]);
        }
        let (y0, low) = if above == 0 {
            (self.log_dry, (0.0, 0.0))
        } else {
            (
                d.log_periods[above - 1],
                (depth[above - 1], velocity[above - 1]),
            )
        };
        let w = ((log_period - y0) / (d.log_periods[above] - y0)).max(0.0) as f32;
        (
            low.0 + w * (depth[above] - low.0),
            low.1 + w * (velocity[above] - low.1),
        )
    }
}

/// The storms of one layer, by ascending return period, on the cells of the library.
fn levels(storms: &[&LibraryStorm], cells: &[u32]) -> Levels {
    let levels = storms.len();
    let mut depth_m = vec![0f32; cells.len() * levels];
    let mut velocity_m_s = depth_m.clone();
    for (level, storm) in storms.iter().enumerate() {
        let mut k = 0;
        for (i, cell) in storm.field.cells.iter().enumerate() {
            while k < cells.len() && cells[k] < *cell {
                k += 1;
            }
            if cells.get(k) == Some(cell) {
                depth_m[k * levels + level] = storm.field.depth_m[i];
                velocity_m_s[k * levels + level] = storm.field.velocity_m_s[i];
            }
        }
    }
    for row in depth_m
        .chunks_mut(levels)
        .chain(velocity_m_s.chunks_mut(levels))
    {
        for level in 1..levels {
            row[level] = row[level].max(row[level - 1]);
        }
    }
    Levels {
        log_periods: storms.iter().map(|s| libm::log(s.return_period)).collect(),
        depth_m,
        velocity_m_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storm(return_period: f64, cells: &[u32], depth: f32) -> LibraryStorm {
        LibraryStorm {
            return_period,
            duration_h: 24.0,
            pattern: "uniform".into(),
            wetness: Wetness::Normal,
            field: SparseField {
                cells: cells.to_vec(),
                depth_m: vec![depth; cells.len()],
                velocity_m_s: vec![depth / 2.0; cells.len()],
            },
        }
    }

    #[test]
    fn storms_survive_the_disk_and_damage_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t100.flood");
        let s = LibraryStorm {
            pattern: "huff-second".into(),
            wetness: Wetness::Wet,
            ..storm(100.0, &[3, 9, 40_000_000], 1.25)
        };
        s.save(&path).unwrap();
        assert_eq!(LibraryStorm::load(&path).unwrap(), s);
        let mut bytes = s.to_bytes();
        bytes[60] ^= 1;
        assert!(
            LibraryStorm::from_bytes(&bytes, &path)
                .unwrap_err()
                .to_string()
                .contains("checksum")
        );
        for cut in [0, 7, 39, 47, 51, bytes.len() - 1] {
            assert!(LibraryStorm::from_bytes(&bytes[..cut], &path).is_err());
        }
        // Headers that lie, under a checksum that holds.
        for (at, byte) in [(24, 3), (28, 255), (32, 4)] {
            let mut body = s.to_bytes();
            body.truncate(body.len() - 8);
            body[at] = byte;
            let sum = fnv1a(&body);
            body.extend_from_slice(&sum.to_le_bytes());
            assert!(LibraryStorm::from_bytes(&body, &path).is_err(), "{at}");
        }
        assert!(
            LibraryStorm::load(&dir.path().join("none"))
                .unwrap_err()
                .is_input()
        );
    }

    #[test]
    fn depths_between_levels_are_linear_in_log_t() {
        let storms = [storm(100.0, &[1, 2, 5], 2.0), storm(10.0, &[2, 5], 1.0)];
        let sites: Vec<u32> = (0..5).collect();
        let lib = StormLibrary::new(&storms, &sites, DRY_PERIOD).unwrap();
        assert_eq!(lib.cells, [1, 2], "cell 5 is no site");
        let depth = |k: usize, t: f64| lib.at(0, k, libm::log(t)).0;
        assert!((depth(1, 10.0) - 1.0).abs() < 1e-6);
        assert!((depth(1, libm::sqrt(1000.0)) - 1.5).abs() < 1e-6);
        assert!((depth(0, libm::sqrt(1000.0)) - 1.0).abs() < 1e-6);
        assert_eq!((depth(1, 2.0), depth(1, 1.1)), (0.0, 0.0));
        assert!((depth(1, libm::sqrt(20.0)) - 0.5).abs() < 1e-6);
        assert_eq!(depth(1, 5000.0), 2.0);
        assert!(StormLibrary::new(&[], &sites, DRY_PERIOD).is_err());
        assert!(StormLibrary::new(&[storm(2.0, &[1], 1.0)], &sites, DRY_PERIOD).is_err());
    }
    #[test]
    fn patterns_and_wetness_have_storms_of_their_own() {
        let of = |pattern: &str, wetness, t: f64, depth| LibraryStorm {
            pattern: pattern.into(),
            wetness,
            ..storm(t, &[1], depth)
        };
        let mut storms = Vec::new();
        for (p, pattern) in ["uniform", "late"].into_iter().enumerate() {
            for wetness in [Wetness::Wet, Wetness::Dry] {
                for (level, t) in [10.0, 100.0].into_iter().enumerate() {
                    let depth = 1.0 + p as f32 + 4.0 * f32::from(wetness as u8) + level as f32;
                    storms.push(of(pattern, wetness, t, depth));
                }
            }
        }
        let lib = StormLibrary::new(&storms, &[1], DRY_PERIOD).unwrap();
        assert_eq!(lib.patterns, ["late", "uniform"]);
        assert_eq!(lib.wetness, [Wetness::Dry, Wetness::Wet]);
        let depth = |pattern, wetness| {
            lib.at(lib.layer(0, pattern, wetness), 0, libm::log(10.0) + 1e-9)
                .0
        };
        let depths = [depth(0, 0), depth(0, 1), depth(1, 0), depth(1, 1)];
        for (found, wanted) in depths.into_iter().zip([2.0, 10.0, 1.0, 9.0]) {
            assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
        }
        assert_eq!(lib.nearest_wetness(Wetness::Dry), 0);
        assert_eq!(lib.nearest_wetness(Wetness::Normal), 1, "the wetter");
        // A storm twice, and a combination that is missing.
        let told = |storms: &[LibraryStorm]| {
            StormLibrary::new(storms, &[1], DRY_PERIOD)
                .unwrap_err()
                .to_string()
        };
        assert!(told(&storms[..6]).contains("one storm per duration, pattern, wetness"));
        storms.push(of("late", Wetness::Dry, 10.0, 1.0));
        assert!(told(&storms).contains("(24, late, dry, 10) (24, late, dry, 10)"));
    }
}
