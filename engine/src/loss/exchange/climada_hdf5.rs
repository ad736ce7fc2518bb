//! CLIMADA hazards in HDF5, through netCDF-C.

use super::climada::{Hazard, check_frequency_unit, description, event};
use crate::error::{Error, Fault, Result};
use crate::events::set::EventSetWriter;
use crate::io::netcdf::{check_kind, on_thread};
use netcdf::{AttributeValue, Group, NcTypeDescriptor};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Values of the sparse matrices that are in memory at a time.
const AT_ONCE: usize = 1 << 20;

/// Writes a hazard (`Hazard.write_hdf5`, CLIMADA 4 to 6) as an event-set file of one measure, f64, named by the user with
/// its unit, e.g. `gust_m_s`. Places are the numbers of the centroids from 0.
///
/// - The impact in CLIMADA is value × mdd × paa × fraction. A `fraction` without values counts as 1 everywhere; where
///   there are values, an intensity whose fraction is 0 or not there is left out, as its impact is 0.
/// - Intensities of 0 are left out: CLIMADA takes what is not there as 0.
/// - Centroids that are kept as arrays (CLIMADA 4) come back as coordinates; later files keep them as Python objects, and
///   the coordinates must come from `Centroids.write_csv` ([`super::climada::centroids`]).
///
/// # Errors
/// A file that is no HDF5, or without `intensity` in sparse form, `event_id` and `frequency`; lists of other lengths; a
/// frequency unit other than 1/year; fractions other than 0 and 1.
pub fn hazard(source: &Path, measure: &str, target: &Path) -> Result<Hazard> {
    check_kind(source)?;
    let copy = copy_of_rewritten(source, target)?;
    let read = copy.as_deref().unwrap_or(source).to_path_buf();
    let (source, target) = (source.to_path_buf(), target.to_path_buf());
    let measure = measure.to_string();
    on_thread(move || Reader { source }.convert(&read, &measure, &target))
}

/// What tells a file, and what tells that it was written anew.
#[cfg(unix)]
type Seen = BTreeMap<(u64, u64), (i64, i64, u64)>;

/// A copy, beside the target, of a file that was written anew in its place since this process read it.
///
/// netCDF-C 4.9 does not let go of files with a pandas store in them, and HDF5 then takes the new content for the old one:
/// it tells files by their numbers. A copy has another.
#[cfg(unix)]
fn copy_of_rewritten(source: &Path, target: &Path) -> Result<Option<tempfile::TempPath>> {
    use std::os::unix::fs::MetadataExt;
    static SEEN: Mutex<Seen> = Mutex::new(Seen::new());
    let failed = |e| Error::io("reading", source, e);
    let now = std::fs::metadata(source).map_err(failed)?;
    let state = (now.mtime(), now.mtime_nsec(), now.size());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if *seen.entry((now.dev(), now.ino())).or_insert(state) == state {
        return Ok(None);
    }
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let copy = tempfile::Builder::new()
        .prefix(".anlan-")
        .suffix(".h5")
        .tempfile_in(folder)
        .map_err(|e| Error::io("creating a file in", folder, e))?
        .into_temp_path();
    std::fs::copy(source, &copy).map_err(failed)?;
    Ok(Some(copy))
}

#[cfg(not(unix))]
fn copy_of_rewritten(_: &Path, _: &Path) -> Result<Option<tempfile::TempPath>> {
    Ok(None)
}

struct Reader {
    source: PathBuf,
}

/// A compressed sparse row matrix of a file.
struct Matrix<'a> {
    group: Group<'a>,
    rows: usize,
    columns: usize,
    first: Vec<i64>,
}

impl Reader {
    fn convert(&self, read: &Path, measure: &str, target: &Path) -> Result<Hazard> {
        let file = netcdf::open(read).map_err(|e| self.damaged(e))?;
        let root = file
            .root()
            .ok_or_else(|| self.damaged("a file without groups"))?;
        let intensity = self.matrix(&root, "intensity")?;
        let fraction = match root.group("fraction") {
            Some(_) => Some(self.matrix(&root, "fraction")?),
            None => None,
        };
        let fraction = fraction.filter(|f| f.first.last().is_some_and(|&n| n > 0));
        let ids: Vec<i64> = self.values(&root, "event_id")?;
        let rates: Vec<f64> = self.values(&root, "frequency")?;
        for (name, length) in [("event_id", ids.len()), ("frequency", rates.len())] {
            self.length(name, length, intensity.rows)?;
        }
        if let Some(f) = &fraction {
            self.length("fraction", f.rows, intensity.rows)?;
            self.length("fraction (columns)", f.columns, intensity.columns)?;
        }
        let text = |name: &str| self.texts(&root, name).unwrap_or_default();
        let unit = text("units").into_iter().next().unwrap_or_default();
        if let Some(per) = text("frequency_unit").first() {
            check_frequency_unit(&self.source, per)?;
        }
        let mut names = text("event_name");
        names.resize(ids.len(), String::new());

        let mut writer = EventSetWriter::create(target, description(measure))?;
        let mut start = 0;
        while start < intensity.rows {
            let most = intensity.first[start] + AT_ONCE as i64;
            let end = intensity.first.partition_point(|&f| f <= most) - 1;
            let end = end.clamp(start + 1, intensity.rows);
            let rows = self.rows(&intensity, "intensity", start, end)?;
            let shares = match &fraction {
                Some(f) => Some(self.rows(f, "fraction", start, end)?),
                None => None,
            };
            for (k, mut row) in rows.into_iter().enumerate() {
                let id = u64::try_from(ids[start + k]).map_err(|_| {
                    self.fault(
                        "event_id",
                        &format!("event {}", ids[start + k]),
                        "ids of 0 or more",
                        "number the events",
                    )
                })?;
                if let Some(shares) = &shares {
                    let share = &shares[k];
                    if let Some((place, value)) = share.iter().find(|s| s.1 != 0.0 && s.1 != 1.0) {
                        return Err(self.fault(
                            &format!("fraction of event {id}, centroid {place}"),
                            &value.to_string(),
                            "0 or 1",
                            "multiply the values or the share of assets affected by the fraction, and set it to 1",
                        ));
                    }
                    row.retain(|r| {
                        let at = share.binary_search_by_key(&r.0, |s| s.0);
                        at.is_ok_and(|i| share[i].1 == 1.0)
                    });
                }
                row.retain(|r| r.1 != 0.0);
                let place: Vec<u32> = row.iter().map(|r| r.0).collect();
                let value: Vec<f64> = row.iter().map(|r| r.1).collect();
                writer.push(&event(id, rates[start + k]), &place, &[&value])?;
            }
            start = end;
        }
        writer.finish()?;
        Ok(Hazard {
            unit,
            names,
            centroids: intensity.columns,
            coordinates: self.coordinates(&root, intensity.columns)?,
        })
    }

    fn fault(&self, place: &str, found: &str, expected: &str, remedy: &str) -> Error {
        Error::input(Fault::new(&self.source, found, expected, remedy).at(place))
    }

    fn damaged(&self, error: impl std::fmt::Display) -> Error {
        self.fault(
            "",
            &error.to_string(),
            "a whole, undamaged HDF5 file",
            "the file is cut short or damaged: write or copy it again",
        )
    }

    fn length(&self, name: &str, found: usize, wanted: usize) -> Result<()> {
        if found == wanted {
            return Ok(());
        }
        Err(self.fault(
            name,
            &format!("length {found}"),
            &format!("{wanted}, as the intensity has"),
            "write the hazard again, after Hazard.check()",
        ))
    }

    fn values<T: NcTypeDescriptor + Copy>(&self, group: &Group<'_>, name: &str) -> Result<Vec<T>> {
        let variable = group.variable(name).ok_or_else(|| {
            self.fault(
                "",
                &format!("no `{name}` in `{}`", group.name()),
                "a hazard as Hazard.write_hdf5 writes it, todense=False",
                "write the hazard with CLIMADA 4 or later",
            )
        })?;
        if variable.len() == 0 {
            return Ok(Vec::new());
        }
        variable.get_values(..).map_err(|e| self.damaged(e))
    }

    fn texts(&self, group: &Group<'_>, name: &str) -> Option<Vec<String>> {
        let variable = group.variable(name)?;
        (0..variable.len())
            .map(|i| variable.get_string(i).ok())
            .collect()
    }

    fn matrix<'a>(&self, root: &'a Group<'_>, name: &str) -> Result<Matrix<'a>> {
        let other = || {
            self.fault(
                "",
                &format!("no sparse matrix `{name}`"),
                "a group with data, indices, indptr and the attribute shape",
                "write the hazard with Hazard.write_hdf5(file, todense=False)",
            )
        };
        let group = root.group(name).ok_or_else(other)?;
        // By the list: to ask for one that is not there is an error that the library prints.
        let shape = group.attributes().find(|a| a.name() == "shape");
        let shape = shape.and_then(|a| a.value().ok()).ok_or_else(other)?;
        let shape: Vec<i64> = match shape {
            AttributeValue::Longlongs(v) => v,
            AttributeValue::Ints(v) => v.into_iter().map(i64::from).collect(),
            _ => return Err(other()),
        };
        let first: Vec<i64> = self.values(&group, "indptr")?;
        let &[rows, columns] = shape.as_slice() else {
            return Err(other());
        };
        let ascending = first.first() == Some(&0) && first.windows(2).all(|w| w[0] <= w[1]);
        let whole = i64::try_from(first.len()).is_ok_and(|n| n == rows + 1);
        let held = ["data", "indices"].map(|n| group.variable(n).map_or(0, |v| v.len()) as i64);
        let filled = first.last().is_some_and(|&n| held == [n, n]);
        let narrow = (0..=i64::from(u32::MAX)).contains(&columns);
        if !(ascending && whole && filled && narrow) {
            return Err(self.fault(
                name,
                &format!("shape {shape:?}, row pointers {first:?}, {held:?} values"),
                "row pointers from 0 to the number of values, one more than there are events",
                "write the hazard again",
            ));
        }
        Ok(Matrix {
            group,
            rows: rows as usize,
            columns: columns as usize,
            first,
        })
    }

    /// Rows `start..end` as (column, value), by ascending column.
    fn rows(
        &self,
        matrix: &Matrix<'_>,
        name: &str,
        start: usize,
        end: usize,
    ) -> Result<Vec<Vec<(u32, f64)>>> {
        let (from, to) = (matrix.first[start] as usize, matrix.first[end] as usize);
        let (mut data, mut indices): (Vec<f64>, Vec<i64>) = (Vec::new(), Vec::new());
        if to > from {
            let part = |n: &str| {
                let missing = || self.damaged(format!("no `{n}`"));
                matrix.group.variable(n).ok_or_else(missing)
            };
            let read = |e: netcdf::Error| self.damaged(e);
            data = part("data")?.get_values(from..to).map_err(read)?;
            indices = part("indices")?.get_values(from..to).map_err(read)?;
        }
        (start..end)
            .map(|row| {
                let of = matrix.first[row] as usize - from..matrix.first[row + 1] as usize - from;
                let mut cells = Vec::with_capacity(of.len());
                for (&column, &value) in indices[of.clone()].iter().zip(&data[of]) {
                    let known = usize::try_from(column).is_ok_and(|c| c < matrix.columns);
                    if !known {
                        return Err(self.fault(
                            &format!("{name}, event number {row}"),
                            &format!("centroid {column}"),
                            &format!("0 to {}", matrix.columns.saturating_sub(1)),
                            "write the hazard again",
                        ));
                    }
                    cells.push((column as u32, value));
                }
                cells.sort_by_key(|c| c.0);
                if let Some(w) = cells.windows(2).find(|w| w[0].0 == w[1].0) {
                    return Err(self.fault(
                        &format!("{name}, event number {row}"),
                        &format!("centroid {} twice", w[0].0),
                        "each centroid once",
                        "call sum_duplicates() on the matrix and write the hazard again",
                    ));
                }
                Ok(cells)
            })
            .collect()
    }

    /// Longitudes and latitudes, where the file keeps them as arrays.
    fn coordinates(&self, root: &Group<'_>, columns: usize) -> Result<Option<Vec<[f64; 2]>>> {
        let Some(group) = root.group("centroids") else {
            return Ok(None);
        };
        for (x, y) in [("lon", "lat"), ("longitude", "latitude")] {
            if group.variable(x).is_some_and(|v| v.len() > 0) && group.variable(y).is_some() {
                let (xs, ys): (Vec<f64>, Vec<f64>) =
                    (self.values(&group, x)?, self.values(&group, y)?);
                self.length("centroids", xs.len().min(ys.len()), columns)?;
                return Ok(Some(xs.into_iter().zip(ys).map(|(x, y)| [x, y]).collect()));
            }
        }
        Ok(None)
    }
}
