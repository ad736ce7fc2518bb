//! Lifelines (生命线工程): roads by class, railways, power lines, pipelines, by their length in each cell.

use anlan_engine::io::vector::Layer;
use anlan_engine::rasterize::line_lengths;
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use geo::{Geometry, LineString, MultiLineString};
use rayon::prelude::*;
use serde::Deserialize;

/// The file `standards/lifelines.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifelineTable {
    /// Name of the data set.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// `read` or `unverified`.
    pub status: String,
    /// Where the figures come from.
    pub source: String,
    /// Names under which the column of the kind may stand.
    pub columns: Vec<String>,
    /// The kinds.
    pub kind: Vec<LineKind>,
}

/// A kind of line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineKind {
    /// Name in tables.
    pub id: String,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Names in a team's layer.
    pub aliases: Vec<String>,
    /// True for roads.
    #[serde(default)]
    pub road: bool,
    /// Replacement, yuan per metre.
    pub yuan_m: f64,
}

/// Lines of one kind in one cell and unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LifelineRow {
    /// Cell number.
    pub cell: u32,
    /// Index of the unit.
    pub unit: u16,
    /// Index of the kind.
    pub kind: u8,
    /// Length, m.
    pub length_m: f64,
    /// Replacement value, yuan.
    pub value_yuan: f64,
}

impl LifelineTable {
    /// The kinds that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/lifelines.toml"))
            .expect("the compiled-in kinds are read by a test")
    }

    /// Lines of a layer with their kinds, in the layer's system.
    ///
    /// # Errors
    /// All faults together: no column of kinds, kinds that are not known, geometries that are no lines.
    pub fn read(&self, layer: &Layer) -> Result<Vec<(usize, MultiLineString<f64>)>> {
        let Some(column) = self.columns.iter().find_map(|c| layer.column(c)) else {
            return Err(Error::input(Fault::new(
                &layer.source,
                format!("columns {}", layer.columns.join(", ")),
                format!("a column {}", self.columns.join(" or ")),
                "add or rename the column",
            )));
        };
        let mut faults = Vec::new();
        let mut lines = Vec::new();
        for (i, feature) in layer.features.iter().enumerate() {
            let word = feature.values[column].to_string();
            let word = word.trim();
            let kind = self
                .kind
                .iter()
                .position(|k| k.id == word || k.aliases.iter().any(|a| a == word));
            if kind.is_none() {
                let known: Vec<&str> = self.kind.iter().map(|k| k.name_zh.as_str()).collect();
                faults.push(
                    Fault::new(
                        &layer.source,
                        format!("`{word}`"),
                        known.join(", "),
                        "name one of these kinds (线路类型)",
                    )
                    .at(format!("feature {}", i + 1)),
                );
            }
            let line = match &feature.geometry {
                Geometry::Line(l) => Some(MultiLineString(vec![LineString::from(vec![
                    (l.start.x, l.start.y),
                    (l.end.x, l.end.y),
                ])])),
                Geometry::LineString(l) => Some(MultiLineString(vec![l.clone()])),
                Geometry::MultiLineString(m) => Some(m.clone()),
                _ => None,
            };
            match (kind, line) {
                (Some(kind), Some(line)) => lines.push((kind, line)),
                (_, None) => faults.push(
                    Fault::new(
                        &layer.source,
                        "a geometry that is no line",
                        "lines",
                        "remove the feature",
                    )
                    .at(format!("feature {}", i + 1)),
                ),
                _ => {}
            }
        }
        if faults.is_empty() {
            Ok(lines)
        } else {
            Err(Error::Input(faults))
        }
    }
}

/// Lines of each kind by cell, rows by ascending (cell, kind); parts outside the units are left out. Lines are in the
/// system of the grid.
pub fn lifelines(
    table: &LifelineTable,
    lines: &[(usize, MultiLineString<f64>)],
    grid: &Grid,
    unit: &Raster<u16>,
) -> Vec<LifelineRow> {
    let parts: Vec<Vec<(u32, f64)>> = lines
        .par_iter()
        .map(|(_, line)| line_lengths(line, grid))
        .collect();
    let mut all: Vec<(u32, u8, f64)> = Vec::new();
    for ((kind, _), cells) in lines.iter().zip(parts) {
        all.extend(cells.into_iter().map(|(cell, m)| (cell, *kind as u8, m)));
    }
    // Stable: lengths of one cell and kind are added in the order of the layer.
    all.sort_by_key(|a| (a.0, a.1));
    let mut rows: Vec<LifelineRow> = Vec::new();
    for (cell, kind, m) in all {
        let unit = unit.values()[cell as usize];
        if unit == u16::MAX {
            continue;
        }
        match rows.last_mut() {
            Some(last) if (last.cell, last.kind) == (cell, kind) => last.length_m += m,
            _ => rows.push(LifelineRow {
                cell,
                unit,
                kind,
                length_m: m,
                value_yuan: 0.0,
            }),
        }
    }
    for row in &mut rows {
        row.value_yuan = row.length_m * table.kind[row.kind as usize].yuan_m;
    }
    rows
}

/// Length of roads of all classes in each cell, m.
pub fn road_lengths(table: &LifelineTable, rows: &[LifelineRow], grid: Grid) -> Raster<f32> {
    let mut out = vec![0.0_f64; grid.cells()];
    for row in rows.iter().filter(|r| table.kind[r.kind as usize].road) {
        out[row.cell as usize] += row.length_m;
    }
    let mut raster = Raster::filled(grid, 0.0_f32);
    for (to, from) in raster.values_mut().iter_mut().zip(out) {
        *to = from as f32;
    }
    raster
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Crs;
    use anlan_engine::io::Value;
    use anlan_engine::io::vector::Feature;
    use std::path::PathBuf;

    fn layer(kinds: &[&str], geometry: Geometry<f64>) -> Layer {
        Layer {
            source: PathBuf::from("lines.geojson"),
            crs: Crs::from_epsg(4549).unwrap(),
            columns: vec!["类型".into()],
            features: kinds
                .iter()
                .map(|k| Feature {
                    geometry: geometry.clone(),
                    values: vec![Value::from(*k)],
                })
                .collect(),
        }
    }

    #[test]
    fn lengths_go_to_cells_by_kind_and_units() {
        let t = LifelineTable::builtin();
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 100.0),
            (100.0, 100.0),
            (1, 3),
        )
        .unwrap();
        let mut unit = Raster::filled(grid, 0_u16);
        unit.values_mut()[2] = u16::MAX;
        let line = Geometry::LineString(LineString::from(vec![(50.0, 50.0), (250.0, 50.0)]));
        let lines = t
            .read(&layer(&["国道", "power-line", "国道"], line))
            .unwrap();
        let rows = lifelines(&t, &lines, &grid, &unit);
        let told: Vec<(u32, u8, f64)> = rows.iter().map(|r| (r.cell, r.kind, r.length_m)).collect();
        // Two national roads of 50 m and 100 m; the third cell lies in no unit.
        assert_eq!(
            told,
            [(0, 1, 100.0), (0, 7, 50.0), (1, 1, 200.0), (1, 7, 100.0)]
        );
        assert_eq!(rows[0].value_yuan, 2.5e6);
        assert_eq!(road_lengths(&t, &rows, grid).values(), [100.0, 200.0, 0.0]);
    }

    #[test]
    fn unknown_kinds_and_points_are_faults() {
        let t = LifelineTable::builtin();
        let point = Geometry::Point(geo::Point::new(1.0, 1.0));
        let error = t.read(&layer(&["索道"], point)).unwrap_err();
        assert_eq!(error.faults().len(), 2, "{error}");
    }
}
