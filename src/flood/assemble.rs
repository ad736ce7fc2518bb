//! The case of a file: rasters on the cells of the terrain, works in cells and faces.

use super::file::{
    BoundaryEntry, CaseFile, CulvertEntry, DamEntry, DamFormula, DykeEntry, EdgeName, FailureName,
    Field, Formula, Line, Losses, OverTime, Pattern, RainEntry, SchemeName, WetnessName,
};
use super::tables;
use anlan_engine::hydrology::{fill_depressions, flow_accumulation, flow_direction};
use anlan_engine::io::{geotiff, vector};
use anlan_engine::rasterize::{Rule, coverage_runs, rasterize, rasterize_lines};
use anlan_engine::resample::{ClassMethod, Method, resample, resample_classes};
use anlan_engine::{Error, Fault, Grid, Raster, Result};
use anlan_models::flood::infiltration::{Infiltration, InfiltrationTables};
use anlan_models::flood::rain::{ArealReduction, Hyetograph, Quartile, RainPatterns, StormFormula};
use anlan_models::flood::rainfall::{Gaps, RainField, Sampling, Spread};
use anlan_models::flood::rivers::{RiverTables, channels_below};
use anlan_models::flood::runoff::{CurveNumbers, Roughness, Wetness};
use anlan_models::flood::solver::{
    ACTIVE, Boundary, BoundaryLaw, Case, Channels, Domain, Dyke, Edge, Inflow, Link, OUTLET,
    Scheme, Series, SolverOptions, State, WALL, Work,
};
use anlan_models::flood::works::WorksTables;
use anlan_models::flood::works::breach::{BreachGrowth, Progress};
use anlan_models::flood::works::culverts::{Barrel, Culvert, CulvertData};
use anlan_models::flood::works::dams::{
    BreachEstimate, Failure, Reservoir, froehlich_1995, froehlich_2008, von_thun_1990,
};
use anlan_models::flood::works::drains::StormDrains;
use anlan_models::flood::works::pumps::Pump;
use anlan_models::flood::works::weirs::{Bridge, Opening};
use geo::{Geometry, LineString, MultiLineString, MultiPolygon};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Steps of discharges, s: each has the mean of its series.
const INFLOW_STEP_S: f64 = 60.0;
const GRAVITY: f64 = 9.81;

/// All that a run needs.
pub(super) struct Assembled {
    pub file: CaseFile,
    pub bed: Raster<f32>,
    pub manning: Raster<f32>,
    pub kind: Raster<u8>,
    pub start: Option<Raster<f32>>,
    pub restart: Option<State>,
    inflows: Vec<Inflow>,
    boundaries: Vec<Boundary>,
    dykes: Vec<Dyke>,
    links: Vec<Link>,
    channels: Option<Channels>,
    rain: Option<RainField>,
    soil: Option<Infiltration>,
    drains: Option<(StormDrains, Raster<f32>)>,
    /// Name and cell.
    pub gauges: Vec<(String, u32)>,
    pub options: SolverOptions,
    /// Files read.
    pub inputs: Vec<PathBuf>,
    /// What must be known of the inputs.
    pub notes: Vec<String>,
}

impl Assembled {
    /// Reads a case file and all that it names.
    pub fn read(path: &Path) -> Result<Assembled> {
        let file = CaseFile::read(path)?;
        let mut reader = Reader {
            path,
            base: path.parent().unwrap_or_else(|| Path::new("")).to_path_buf(),
            inputs: vec![path.to_path_buf()],
            notes: Vec::new(),
            faults: Vec::new(),
        };
        let terrain = reader.input(&file.terrain);
        let bed = geotiff::read_f32(&terrain, 1)?;
        check_terrain(&terrain, &bed.grid)?;
        let beyond = match file.edge {
            EdgeName::Free => OUTLET,
            EdgeName::Closed => WALL,
        };
        let mut kind = bed.map(|z| if z.is_finite() { ACTIVE } else { beyond });
        let mut manning = reader.manning(&file, &bed.grid)?;
        if let Some(buildings) = &file.buildings {
            reader.buildings(buildings, &mut kind, &mut manning)?;
        }
        let start = reader.start(&file, &bed)?;
        let restart = match file.start.as_ref().and_then(|s| s.restart.as_ref()) {
            Some(p) => {
                let p = reader.input(p);
                let bytes = fs::read(&p).map_err(|e| Error::io("reading", &p, e))?;
                Some(State::from_bytes(&bytes, &p)?)
            }
            None => None,
        };
        let rain = (file.rain.as_ref())
            .map(|r| reader.rain(r, &bed.grid))
            .transpose()?;
        if let Some(rain) = &rain {
            reader.notes.extend(rain.notes.iter().cloned());
        }
        let soil = (file.losses.as_ref())
            .map(|l| reader.losses(l, &bed.grid))
            .transpose()?;
        let drains = reader.drains(&file, &bed.grid)?;
        let mut inflows = Vec::new();
        for entry in &file.inflow {
            let at = format!("inflow {}", entry.name);
            let cells = reader.cells(&at, &entry.line, &kind)?;
            let series = reader.over_time(&entry.discharge_m3_s)?;
            inflows.extend(reader.inflow(&at, cells, &series, &bed.grid, file.end_h));
        }
        let boundaries = (file.boundary.iter())
            .map(|b| reader.boundary(b, &kind))
            .collect::<Result<_>>()?;
        let dykes = (file.dyke.iter())
            .map(|d| reader.dyke(d, &bed, &kind))
            .collect::<Result<_>>()?;
        let links = reader.links(&file, &kind)?;
        let channels = reader.channels(&file, &bed, &kind)?;
        let mut gauges = Vec::new();
        for gauge in &file.gauge {
            let at = format!("gauge {}", gauge.name);
            gauges.extend((reader.active(&at, gauge.at, &kind)).map(|c| (gauge.name.clone(), c)));
        }
        let options = SolverOptions {
            scheme: match file.scheme {
                SchemeName::Auto => Scheme::Auto,
                SchemeName::Inertial => Scheme::Inertial,
                SchemeName::Fv1 => Scheme::Fv1,
                SchemeName::Fv2 => Scheme::Fv2,
            },
            end_s: file.end_h * 3600.0,
            flooded_m: file.flooded_m,
            edge: match file.edge {
                EdgeName::Free => Edge::Free,
                EdgeName::Closed => Edge::Closed,
            },
            ..SolverOptions::default()
        };
        if !reader.faults.is_empty() {
            return Err(Error::Input(reader.faults));
        }
        Ok(Assembled {
            bed,
            manning,
            kind,
            start,
            restart,
            inflows,
            boundaries,
            dykes,
            links,
            channels,
            rain,
            soil,
            drains,
            gauges,
            options,
            inputs: reader.inputs,
            notes: reader.notes,
            file,
        })
    }

    /// The case for the solver.
    pub fn case(&self) -> Case<'_> {
        Case {
            initial_depth_m: self.start.as_ref(),
            inflows: &self.inflows,
            boundaries: &self.boundaries,
            dykes: &self.dykes,
            links: &self.links,
            channels: self.channels.as_ref(),
            rain: self.rain.as_ref(),
            soil: self.soil.as_ref(),
            drains: self.drains.as_ref().map(|(d, served)| (d, served)),
            ..Case::new(Domain {
                bed_m: &self.bed,
                manning_n: &self.manning,
                kind: &self.kind,
            })
        }
    }
}

fn check_terrain(path: &Path, grid: &Grid) -> Result<()> {
    let fault = |found: String, expected: &str, remedy: &str| {
        Err(Error::input(Fault::new(path, found, expected, remedy)))
    };
    if grid.crs.is_geographic() {
        return fault(
            format!("{} in degrees", grid.crs),
            "a projected system in metres",
            "reproject the terrain, e.g. to CGCS2000 / 3-degree Gauss-Kruger",
        );
    }
    if (grid.dx - grid.dy).abs() > 1e-6 * grid.dx {
        return fault(
            format!("cells of {} m x {} m", grid.dx, grid.dy),
            "square cells",
            "resample the terrain to square cells",
        );
    }
    Ok(())
}

/// Reads inputs and gathers the faults of the case file.
struct Reader<'a> {
    path: &'a Path,
    base: PathBuf,
    inputs: Vec<PathBuf>,
    notes: Vec<String>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn input(&mut self, path: &Path) -> PathBuf {
        let full = self.base.join(path);
        if !self.inputs.contains(&full) {
            self.inputs.push(full.clone());
        }
        full
    }

    fn fault(&mut self, at: &str, found: String, expected: &str, remedy: &str) {
        self.faults
            .push(Fault::new(self.path, found, expected, remedy).at(at));
    }

    fn classes(&mut self, path: &Path, grid: &Grid) -> Result<Raster<u8>> {
        let raster = geotiff::read_u8(&self.input(path), 1)?;
        Ok(resample_classes(&raster, grid, ClassMethod::Nearest))
    }

    /// A field on the cells of the terrain; `method` for rasters of other cells.
    fn field(&mut self, field: &Field, grid: &Grid, method: Method) -> Result<Raster<f32>> {
        Ok(match field {
            Field::Number(v) => Raster::filled(*grid, *v as f32),
            Field::Raster(path) => {
                resample(&geotiff::read_f32(&self.input(path), 1)?, grid, method)
            }
        })
    }

    fn over_time(&mut self, values: &OverTime) -> Result<Series> {
        match values {
            OverTime::Number(v) => Ok(Series {
                times_s: vec![0.0],
                values: vec![*v],
            }),
            OverTime::Table(path) => tables::series(&self.input(path)),
        }
    }

    fn polygons(&mut self, path: &Path, grid: &Grid) -> Result<Vec<MultiPolygon<f64>>> {
        let full = self.input(path);
        let layer = vector::read(&full)?.reprojected(grid.crs);
        let shapes: Vec<_> = (0..layer.features.len())
            .filter_map(|k| layer.polygons(k))
            .collect();
        if shapes.is_empty() {
            return Err(Error::input(Fault::new(
                &full,
                "no polygon",
                "polygons",
                "name a layer of polygons",
            )));
        }
        Ok(shapes)
    }

    /// Lines with their values of `column`.
    fn lines(
        &mut self,
        line: &Line,
        column: Option<&str>,
        grid: &Grid,
    ) -> Result<Vec<(MultiLineString<f64>, f64)>> {
        let path = match line {
            Line::Points(points) => {
                let points = points.iter().map(|&[x, y]| (x, y)).collect::<Vec<_>>();
                let line = MultiLineString::new(vec![LineString::from(points)]);
                return Ok(vec![(line, f64::NAN)]);
            }
            Line::File(path) => self.input(path),
        };
        let layer = vector::read(&path)?.reprojected(grid.crs);
        let column = column.map(|c| layer.require(c)).transpose()?;
        let mut lines = Vec::new();
        for (number, feature) in layer.features.iter().enumerate() {
            let shape = match &feature.geometry {
                Geometry::LineString(l) => MultiLineString::new(vec![l.clone()]),
                Geometry::MultiLineString(m) => m.clone(),
                _ => {
                    return Err(Error::input(
                        Fault::new(
                            &path,
                            "a feature that is no line",
                            "lines",
                            "name a layer of lines",
                        )
                        .at(format!("feature {}", number + 1)),
                    ));
                }
            };
            let value = match column.map(|c| (c, feature.values[c].as_f64())) {
                None => f64::NAN,
                Some((_, Some(v))) if v.is_finite() => v,
                Some((c, _)) => {
                    return Err(Error::input(
                        Fault::new(
                            &path,
                            format!("{:?}", feature.values[c]),
                            "a number",
                            "fill in the crest",
                        )
                        .at(format!(
                            "feature {}, column {}",
                            number + 1,
                            layer.columns[c]
                        )),
                    ));
                }
            };
            lines.push((shape, value));
        }
        Ok(lines)
    }

    /// Cells of the solver that a line passes through.
    fn cells(&mut self, at: &str, line: &Line, kind: &Raster<u8>) -> Result<Vec<u32>> {
        let lines = self.lines(line, None, &kind.grid)?;
        let shapes: Vec<_> = lines.iter().map(|(l, _)| (l, 1u8)).collect();
        let mask = rasterize_lines(&shapes, &kind.grid, 0);
        let cells: Vec<u32> = (0..mask.values().len() as u32)
            .filter(|&c| mask.values()[c as usize] == 1 && kind.values()[c as usize] == ACTIVE)
            .collect();
        if cells.is_empty() {
            self.fault(
                at,
                "a line through no cell of the terrain".into(),
                "a line over cells with a value",
                "correct the line; coordinates are in the system of the terrain, x before y",
            );
        }
        Ok(cells)
    }

    /// The cell of the solver at a point.
    fn active(&mut self, at: &str, [x, y]: [f64; 2], kind: &Raster<u8>) -> Option<u32> {
        let cell = (kind.grid.cell_at(x, y)).map(|(row, col)| kind.grid.index(row, col));
        let found = cell.filter(|&c| kind.values()[c as usize] == ACTIVE);
        if found.is_none() {
            self.fault(
                at,
                format!("({x}, {y})"),
                "a point on a cell of the terrain with a value, not in a building",
                "correct the point; coordinates are in the system of the terrain, x before y",
            );
        }
        found
    }

    fn manning(&mut self, file: &CaseFile, grid: &Grid) -> Result<Raster<f32>> {
        let entry = &file.roughness;
        let mut manning = match (&entry.n, &entry.cover) {
            (Some(n), _) => self.field(n, grid, Method::Nearest)?,
            (None, Some(cover)) => {
                let path = self.base.join(cover);
                let classes = self.classes(cover, grid)?;
                let rows = match &entry.table {
                    Some(table) => tables::roughness(&self.input(table))?,
                    None => (Roughness::published().cover.iter())
                        .map(|c| (c.code, c.manning_n))
                        .collect(),
                };
                let mut of = [f32::NAN; 256];
                for (code, n) in rows {
                    of[usize::from(code)] = n;
                }
                let known = |code: u8| !of[usize::from(code)].is_nan();
                let unknown: BTreeSet<u8> = (classes.values().iter().copied())
                    .filter(|&code| !known(code) && Some(code) != classes.nodata)
                    .collect();
                if !unknown.is_empty() {
                    let codes: Vec<String> = unknown.iter().map(ToString::to_string).collect();
                    return Err(Error::input(Fault::new(
                        path,
                        format!("classes {} without Manning's n", codes.join(", ")),
                        "a row of the roughness table for each class",
                        "add the rows (code, n) to a table and name it in roughness.table",
                    )));
                }
                classes.map(|code| of[usize::from(code)])
            }
            (None, None) => Raster::filled(*grid, f32::NAN),
        };
        // The solver refuses cells without a roughness: they take the median of the others, and it is told.
        let blanks = manning.values().iter().filter(|n| n.is_nan()).count();
        if blanks > 0 && blanks < manning.values().len() {
            let mut known: Vec<f32> = (manning.values().iter().copied())
                .filter(|n| !n.is_nan())
                .collect();
            known.sort_by(f32::total_cmp);
            let median = known[known.len() / 2];
            for n in manning.values_mut().iter_mut().filter(|n| n.is_nan()) {
                *n = median;
            }
            self.notes.push(format!(
                "roughness: {blanks} cells without a value take the median n of the others, {median}"
            ));
        }
        Ok(manning)
    }

    fn buildings(
        &mut self,
        entry: &super::file::Buildings,
        kind: &mut Raster<u8>,
        manning: &mut Raster<f32>,
    ) -> Result<()> {
        let shapes = self.polygons(&entry.file, &kind.grid)?;
        let grid = kind.grid;
        let mut covered = vec![0.0f64; grid.cells()];
        for shape in &shapes {
            for run in coverage_runs(shape, &grid) {
                let from = grid.index(run.row as usize, run.col as usize) as usize;
                for share in &mut covered[from..from + run.len as usize] {
                    *share += run.fraction;
                }
            }
        }
        match entry.n {
            Some(n) if !(n > 0.0 && n <= 1.0) => self.fault(
                "buildings.n",
                n.to_string(),
                "Manning's n above 0, at most 1",
                "correct the value; without it buildings are walls",
            ),
            Some(n) => {
                for (own, &share) in manning.values_mut().iter_mut().zip(&covered) {
                    let share = share.min(1.0) as f32;
                    *own += share * (n as f32 - *own);
                }
            }
            None => {
                for (kind, &share) in kind.values_mut().iter_mut().zip(&covered) {
                    if share > 0.5 && *kind == ACTIVE {
                        *kind = WALL;
                    }
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, file: &CaseFile, bed: &Raster<f32>) -> Result<Option<Raster<f32>>> {
        let Some(start) = &file.start else {
            return Ok(None);
        };
        if let Some(depth) = &start.depth {
            let raster = geotiff::read_f32(&self.input(depth), 1)?;
            return Ok(Some(resample(&raster, &bed.grid, Method::Nearest)));
        }
        let Some(level) = start.level_m else {
            return Ok(None);
        };
        let inside = match &start.area {
            Some(area) => {
                let shapes = self.polygons(area, &bed.grid)?;
                let shapes: Vec<_> = shapes.iter().map(|s| (s, 1u8)).collect();
                rasterize(&shapes, &bed.grid, Rule::Centre, 0)
            }
            None => Raster::filled(bed.grid, 1u8),
        };
        let mut depth = Raster::filled(bed.grid, 0.0f32);
        for ((depth, &z), &inside) in (depth.values_mut().iter_mut())
            .zip(bed.values())
            .zip(inside.values())
        {
            if inside == 1 && z.is_finite() {
                *depth = (level - f64::from(z)).max(0.0) as f32;
            }
        }
        Ok(Some(depth))
    }

    fn rain(&mut self, entry: &RainEntry, grid: &Grid) -> Result<RainField> {
        let gaps = |fill: bool| if fill { Gaps::Fill } else { Gaps::Refuse };
        match entry {
            RainEntry::Design {
                duration_h,
                areal_km2,
                ..
            } => {
                let areal = RiverTables::published().areal_reduction;
                if let Some(area) = areal_km2 {
                    self.notes.push(format!(
                        "rain: the depth at a point times {:.3} over {area} km² in {duration_h} h (areal reduction, {})",
                        areal.factor(*area, *duration_h),
                        areal.status
                    ));
                }
                Ok(RainField::uniform(&design_storm(entry, &areal), grid))
            }
            RainEntry::Series { file } => {
                let (step_h, depth_mm) = tables::rain(&self.input(file))?;
                Ok(RainField::uniform(&Hyetograph { step_h, depth_mm }, grid))
            }
            RainEntry::Gauges {
                stations,
                file,
                thiessen,
                fill,
            } => {
                let (stations, file) = (self.input(stations), self.input(file));
                let (step_h, gauges) = tables::gauges(&stations, &file)?;
                let spread = if *thiessen {
                    Spread::Thiessen
                } else {
                    Spread::InverseDistance {
                        power: 2.0,
                        neighbours: 0,
                    }
                };
                RainField::gauges(&gauges, step_h, grid, spread, gaps(*fill))
            }
            RainEntry::Netcdf {
                file,
                variable,
                bilinear,
                fill,
            } => {
                let sampling = if *bilinear {
                    Sampling::Bilinear
                } else {
                    Sampling::Nearest
                };
                let path = self.input(file);
                RainField::from_netcdf(&path, variable, grid, sampling, gaps(*fill))
                    .map(|(field, _)| field)
            }
        }
    }

    fn losses(&mut self, entry: &Losses, grid: &Grid) -> Result<Infiltration> {
        let tables = InfiltrationTables::published();
        match entry {
            Losses::Constant {
                rate_mm_h: Some(rate),
                cover: None,
            } => Infiltration::constant(&self.field(rate, grid, Method::Bilinear)?),
            Losses::Constant {
                rate_mm_h: None,
                cover: Some(cover),
            } => tables.constant(&self.classes(cover, grid)?),
            Losses::CurveNumber {
                number,
                cover,
                soil_group,
                wetness,
                ia_ratio,
            } if number.is_some() != cover.is_some() => {
                let numbers = match (number, cover) {
                    (Some(number), _) => self.field(number, grid, Method::Nearest)?.map(|v| {
                        if v.is_nan() {
                            0
                        } else {
                            v.round().clamp(0.0, 255.0) as u8
                        }
                    }),
                    (None, Some(cover)) => {
                        let cover = self.classes(cover, grid)?;
                        let group = soil_group
                            .as_ref()
                            .map(|g| self.classes(g, grid))
                            .transpose()?;
                        CurveNumbers::published().raster(&cover, group.as_ref(), 1)?
                    }
                    (None, None) => Raster::filled(*grid, 0),
                };
                let wetness = match wetness {
                    WetnessName::Dry => Wetness::Dry,
                    WetnessName::Normal => Wetness::Normal,
                    WetnessName::Wet => Wetness::Wet,
                };
                Infiltration::curve_number(&numbers, wetness, *ia_ratio)
            }
            Losses::GreenAmpt {
                texture,
                saturation,
            } => tables.green_ampt(&self.classes(texture, grid)?, *saturation, true),
            Losses::Horton { soil_group } => tables.horton(&self.classes(soil_group, grid)?),
            Losses::Constant { .. } | Losses::CurveNumber { .. } => Err(Error::input(
                Fault::new(
                    self.path,
                    "both or none of a value and cover",
                    "a value (a number or a raster), or cover (a raster of classes)",
                    "keep one of the two keys",
                )
                .at("losses"),
            )),
        }
    }

    fn drains(
        &mut self,
        file: &CaseFile,
        grid: &Grid,
    ) -> Result<Option<(StormDrains, Raster<f32>)>> {
        let Some(entry) = &file.drains else {
            return Ok(None);
        };
        let drains = match (
            entry.capacity_mm_h,
            &entry.formula,
            entry.return_period,
            entry.concentration_min,
            entry.runoff,
        ) {
            (None, Some(f), Some(years), Some(minutes), Some(runoff)) => {
                StormDrains::by_design(&formula(f), years, minutes / 60.0, runoff)?
            }
            (capacity, ..) => StormDrains::of_capacity(capacity.unwrap_or(0.0))?,
        };
        let mut served = Raster::filled(*grid, f32::from(u8::from(entry.area.is_none())));
        if let Some(area) = &entry.area {
            for shape in self.polygons(area, grid)? {
                for run in coverage_runs(&shape, grid) {
                    let from = grid.index(run.row as usize, run.col as usize) as usize;
                    for share in &mut served.values_mut()[from..from + run.len as usize] {
                        *share = (*share + run.fraction as f32).min(1.0);
                    }
                }
            }
        }
        Ok(Some((drains, served)))
    }

    /// A discharge shared by cells, in steps with the mean of its series.
    fn inflow(
        &mut self,
        at: &str,
        cells: Vec<u32>,
        series: &Series,
        grid: &Grid,
        end_h: f64,
    ) -> Option<Inflow> {
        if let Some(q) = series.values.iter().find(|q| **q < 0.0) {
            self.fault(
                at,
                format!("{q} m³/s"),
                "a discharge of 0 m³/s or more",
                "correct the value; for water that is taken out name a pump",
            );
            return None;
        }
        if cells.is_empty() {
            return None;
        }
        let area = grid.dx * grid.dx * cells.len() as f64;
        let steps = (end_h * 3600.0 / INFLOW_STEP_S).ceil() as usize;
        let mut rates_m_s = Vec::with_capacity(steps * cells.len());
        for k in 0..steps {
            let (from, to) = (k as f64 * INFLOW_STEP_S, (k + 1) as f64 * INFLOW_STEP_S);
            let rate = mean(series, from, to) / area;
            rates_m_s.extend(std::iter::repeat_n(rate as f32, cells.len()));
        }
        Some(Inflow {
            cells,
            step_s: INFLOW_STEP_S,
            rates_m_s,
        })
    }

    fn boundary(&mut self, entry: &BoundaryEntry, kind: &Raster<u8>) -> Result<Boundary> {
        let at = format!("boundary {}", entry.name);
        let on_line = self.cells(&at, &entry.line, kind)?;
        let (rows, cols) = kind.grid.shape();
        let is_at_edge = |cell: u32| {
            let (row, col) = kind.grid.row_col(cell);
            let beside = |dr: isize, dc: isize| {
                let (r, c) = (row.checked_add_signed(dr)?, col.checked_add_signed(dc)?);
                (r < rows && c < cols).then(|| kind.data[(r, c)])
            };
            [(0, 1), (1, 0), (0, -1), (-1, 0)]
                .iter()
                .any(|&(dr, dc)| beside(dr, dc).is_none_or(|k| k == OUTLET))
        };
        let cells: Vec<u32> = on_line.iter().copied().filter(|&c| is_at_edge(c)).collect();
        if cells.is_empty() && !on_line.is_empty() {
            self.fault(
                &at,
                "a line that passes no cell at the edge".into(),
                "a line along the edge of the grid, or along cells without a value (edge = \"free\")",
                "move the line to the outermost cells",
            );
        }
        let law = match (&entry.level_m, entry.slope) {
            (Some(level), _) => BoundaryLaw::Level(self.over_time(level)?),
            (None, slope) => BoundaryLaw::NormalDepth {
                slope: slope.unwrap_or(0.0),
            },
        };
        Ok(Boundary { cells, law })
    }

    fn dyke(&mut self, entry: &DykeEntry, bed: &Raster<f32>, kind: &Raster<u8>) -> Result<Dyke> {
        let at = format!("dyke {}", entry.name);
        let grid = bed.grid;
        let lines = self.lines(&entry.line, entry.column.as_deref(), &grid)?;
        let mut faces: Vec<((u32, u32), f64)> = Vec::new();
        for (line, crest) in &lines {
            for face in crossed(line, &grid) {
                faces.push((face, *crest));
            }
        }
        faces.retain(|((a, b), _)| [a, b].iter().all(|&&c| kind.values()[c as usize] == ACTIVE));
        // Where lines meet, the higher crest counts.
        faces.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        faces.dedup_by_key(|f| f.0);
        if faces.is_empty() {
            self.fault(
                &at,
                "a line between no cells of the terrain".into(),
                "a line over cells with a value",
                "correct the line; coordinates are in the system of the terrain, x before y",
            );
        }
        let beds = |(a, b): (u32, u32)| [a, b].map(|c| f64::from(bed.values()[c as usize]));
        let crest_m: Vec<f64> = (faces.iter())
            .map(|&(face, of_line)| {
                let [a, b] = beds(face);
                let ground = a.max(b);
                match (entry.crest_m, entry.height_m) {
                    (Some(crest), _) => crest,
                    (None, Some(height)) => ground + height,
                    (None, None) => of_line,
                }
            })
            .collect();
        let below = (0..faces.len())
            .filter(|&k| {
                let [a, b] = beds(faces[k].0);
                crest_m[k] < a.max(b)
            })
            .count();
        if below > 0 {
            self.notes.push(format!(
                "dyke {}: the crest lies below the ground at {below} of {} faces; there the ground rules",
                entry.name,
                faces.len()
            ));
        }
        let faces: Vec<(u32, u32)> = faces.into_iter().map(|f| f.0).collect();
        let mut breaches = Vec::new();
        for breach in &entry.breach {
            let middle = |(a, b): (u32, u32)| {
                let [(ra, ca), (rb, cb)] = [a, b].map(|c| grid.row_col(c));
                let x = 0.5 * (grid.x(ca) + grid.x(cb));
                let y = 0.5 * (grid.y(ra) + grid.y(rb));
                libm::hypot(x - breach.at[0], y - breach.at[1])
            };
            let reach = 0.5 * breach.width_m.max(grid.dx);
            let open: Vec<usize> = (0..faces.len())
                .filter(|&k| middle(faces[k]) <= reach)
                .collect();
            if open.is_empty() && !faces.is_empty() {
                self.fault(
                    &at,
                    format!("a breach at ({}, {})", breach.at[0], breach.at[1]),
                    "a place on the dyke",
                    "correct the place",
                );
            }
            for face in open {
                let [a, b] = beds(faces[face]);
                let bottom = breach.bottom_m.unwrap_or(a.min(b));
                let start = breach.start_h * 3600.0;
                // A breach at once takes a second: series ascend.
                let end = start + (breach.duration_h * 3600.0).max(1.0);
                let crest = Series {
                    times_s: vec![start, end],
                    values: vec![crest_m[face], bottom.min(crest_m[face])],
                };
                if breaches.iter().any(|(f, _)| *f == face) {
                    self.fault(
                        &at,
                        format!("two breaches near ({}, {})", breach.at[0], breach.at[1]),
                        "breaches that do not overlap",
                        "join them into one, or move them apart",
                    );
                    break;
                }
                breaches.push((face, crest));
            }
        }
        let weir = WorksTables::published().weir(&entry.weir)?;
        Ok(Dyke {
            faces,
            crest_m,
            coefficient: weir.discharge * 2.0 / 3.0 * libm::sqrt(2.0 * GRAVITY),
            breaches,
        })
    }

    fn links(&mut self, file: &CaseFile, kind: &Raster<u8>) -> Result<Vec<Link>> {
        let tables = WorksTables::published();
        let mut links = Vec::new();
        for c in &file.culvert {
            let at = format!("culvert {}", c.name);
            let ends = self.ends(&at, c.from, Some(c.to), kind);
            let work = Work::Culvert(Culvert::new(culvert(c, &tables)?)?);
            links.extend(ends.map(|(from, to)| Link { from, to, work }));
        }
        for b in &file.bridge {
            let at = format!("bridge {}", b.name);
            let ends = self.ends(&at, b.from, Some(b.to), kind);
            let bridge = Bridge {
                opening: Opening {
                    width_m: b.width_m,
                    sill_m: b.sill_m,
                    height_m: b.height_m,
                    discharge: b.discharge,
                    one_way: false,
                },
                deck_m: b.deck_m,
                deck_length_m: b.deck_length_m,
                weir: tables.weir("broad crest")?,
            };
            bridge.check()?;
            let work = Work::Bridge(bridge);
            links.extend(ends.map(|(from, to)| Link { from, to, work }));
        }
        for g in &file.gate {
            let at = format!("gate {}", g.name);
            let ends = self.ends(&at, g.from, Some(g.to), kind);
            let opening = Opening {
                width_m: g.width_m,
                sill_m: g.sill_m,
                height_m: g.height_m,
                discharge: g.discharge,
                one_way: g.one_way,
            };
            opening.check()?;
            let work = Work::Opening(opening);
            links.extend(ends.map(|(from, to)| Link { from, to, work }));
        }
        for p in &file.pump {
            let at = format!("pump {}", p.name);
            let ends = self.ends(&at, p.from, p.to, kind);
            let curve: Vec<(f64, f64)> = p.curve.iter().map(|&[h, q]| (h, q)).collect();
            let work = Work::Pump(Pump::new(p.on_m, p.off_m, &curve)?);
            links.extend(ends.map(|(from, to)| Link { from, to, work }));
        }
        for d in &file.dam {
            let at = format!("dam {}", d.name);
            let ends = self.ends(&at, d.from, Some(d.to), kind);
            let work = Work::Breach(tables.weir("breach")?, breach(d)?);
            links.extend(ends.map(|(from, to)| Link { from, to, work }));
        }
        Ok(links)
    }

    /// Channels along lines, and from the drainage of the terrain where no line has one.
    fn channels(
        &mut self,
        file: &CaseFile,
        bed: &Raster<f32>,
        kind: &Raster<u8>,
    ) -> Result<Option<Channels>> {
        if file.channel.is_empty() && file.drainage.is_none() {
            return Ok(None);
        }
        let grid = &bed.grid;
        let mut all = Channels::default();
        let mut reach_of = vec![u32::MAX; grid.cells()];
        for entry in &file.channel {
            let mut found = false;
            for (lines, _) in self.lines(&entry.line, None, grid)? {
                for line in &lines.0 {
                    let mut last = None;
                    for cell in course(line, grid) {
                        if kind.values()[cell as usize] != ACTIVE {
                            last = None;
                            continue;
                        }
                        found = true;
                        let reach = &mut reach_of[cell as usize];
                        let is_new = *reach == u32::MAX;
                        if is_new {
                            *reach = all.cells.len() as u32;
                            all.cells.push(cell);
                            all.width_m.push(entry.width_m.min(grid.dx) as f32);
                            all.depth_m.push(entry.depth_m as f32);
                            all.manning_n.push(entry.n as f32);
                        }
                        // A tributary ends in the first reach that it meets.
                        if let Some(last) = last.filter(|&l| l != *reach) {
                            all.joints.push((last, *reach));
                        }
                        last = is_new.then_some(*reach);
                    }
                }
            }
            if !found {
                self.fault(
                    &format!("channel {}", entry.name),
                    "a line through no cell of the terrain".into(),
                    "a line over cells with a value",
                    "correct the line; coordinates are in the system of the terrain, x before y",
                );
            }
        }
        if let Some(drainage) = &file.drainage {
            let directions = flow_direction(&fill_depressions(bed));
            let accumulation = flow_accumulation(&directions, None);
            let found = channels_below(
                &directions,
                &accumulation,
                kind,
                &RiverTables::published().geometry,
                drainage.channel_km2,
                drainage.n as f32,
            );
            let by_line = reach_of.clone();
            for (k, &cell) in found.cells.iter().enumerate() {
                if by_line[cell as usize] == u32::MAX {
                    reach_of[cell as usize] = all.cells.len() as u32;
                    all.cells.push(cell);
                    all.width_m.push(found.width_m[k]);
                    all.depth_m.push(found.depth_m[k]);
                    all.manning_n.push(found.manning_n[k]);
                }
            }
            for &(a, b) in &found.joints {
                let [a, b] = [a, b].map(|k| found.cells[k as usize] as usize);
                // Lines have joints of their own.
                if by_line[a] == u32::MAX {
                    all.joints.push((reach_of[a], reach_of[b]));
                }
            }
            self.notes.push(format!(
                "channels: {} reaches from drainage areas of at least {} km², width and depth by hydraulic geometry",
                found.cells.len(),
                drainage.channel_km2
            ));
        }
        Ok(Some(all))
    }

    /// Cells at the two ends of a work.
    fn ends(
        &mut self,
        at: &str,
        from: [f64; 2],
        to: Option<[f64; 2]>,
        kind: &Raster<u8>,
    ) -> Option<(u32, Option<u32>)> {
        let from = self.active(at, from, kind);
        let to = to.map(|to| self.active(at, to, kind));
        if from.is_some() && Some(from) == to {
            self.fault(
                at,
                "both ends in one cell".into(),
                "ends in two cells",
                "move one of the ends; works shorter than a cell cannot be told apart from the ground",
            );
        }
        match (from, to) {
            (Some(from), None) => Some((from, None)),
            (Some(from), Some(Some(to))) => Some((from, Some(to))),
            _ => None,
        }
    }
}

fn formula(f: &Formula) -> StormFormula {
    StormFormula {
        a1: f.a1,
        c: f.c,
        n: f.n,
        b: f.b,
    }
}

/// Hyetograph of a design storm; the file was checked.
fn design_storm(entry: &RainEntry, areal: &ArealReduction) -> Hyetograph {
    let RainEntry::Design {
        duration_h,
        depth_mm,
        formula: given,
        return_period,
        pattern,
        peak,
        step_min,
        areal_km2,
    } = entry
    else {
        unreachable!("called for design storms");
    };
    let (duration, step) = (*duration_h, step_min / 60.0);
    let curve = given
        .as_ref()
        .zip(*return_period)
        .map(|(f, t)| (formula(f), t));
    // Each duration by its own factor: the peak of a storm covers less ground than the whole of it.
    let reduced = |depth: f64, hours: f64| match areal_km2 {
        Some(area) => depth * areal.factor(*area, hours),
        None => depth,
    };
    let of = |hours: f64| match &curve {
        Some((f, t)) if hours > 0.0 => reduced(f.depth_mm(hours, *t), hours),
        _ => 0.0,
    };
    let total = depth_mm.map_or_else(|| of(duration), |depth| reduced(depth, duration));
    let huff = |quartile| RainPatterns::published().huff(quartile, total, duration, step);
    match pattern {
        Pattern::Chicago => Hyetograph::chicago(of, duration, *peak, step),
        Pattern::Alternating => Hyetograph::alternating_block(of, duration, *peak, step),
        Pattern::Uniform => Hyetograph::uniform(total, duration, step),
        Pattern::HuffFirst => huff(Quartile::First),
        Pattern::HuffSecond => huff(Quartile::Second),
        Pattern::HuffThird => huff(Quartile::Third),
        Pattern::HuffFourth => huff(Quartile::Fourth),
    }
}

/// Mean of a series over an interval: exact, from knot to knot.
fn mean(series: &Series, from: f64, to: f64) -> f64 {
    let mut knots = vec![from];
    knots.extend((series.times_s.iter().copied()).filter(|&t| t > from && t < to));
    knots.push(to);
    let sum: f64 = (knots.windows(2))
        .map(|w| 0.5 * (series.at(w[0]) + series.at(w[1])) * (w[1] - w[0]))
        .sum();
    sum / (to - from)
}

/// Pairs of neighbouring cells whose centres a line parts: together they are as tight as the line.
fn crossed(line: &MultiLineString<f64>, grid: &Grid) -> BTreeSet<(u32, u32)> {
    let mut faces = BTreeSet::new();
    let (rows, cols) = grid.shape();
    // In units of cells, from the centre of the first one: centres are whole numbers. Moved by less than a millionth of a
    // cell, so that a line through centres (a diagonal) leaves each on one of its sides.
    let place = |c: geo::Coord<f64>| {
        (
            (c.x - grid.west) / grid.dx - 0.5 + 1e-7,
            (grid.north - c.y) / grid.dy - 0.5 + 1.7e-7,
        )
    };
    for segment in line.0.iter().flat_map(LineString::lines) {
        let (a, b) = (place(segment.start), place(segment.end));
        // Between horizontal neighbours: where the segment crosses the line of a row's centres, at half-open ends, so
        // that a corner on a centre line counts once.
        let mut cross = |p: (f64, f64), q: (f64, f64), turned: bool| {
            let (low, high) = (p.1.min(q.1), p.1.max(q.1));
            let (lines, across) = if turned { (cols, rows) } else { (rows, cols) };
            let first = low.ceil().max(0.0);
            let mut k = first;
            while k < high && k < lines as f64 {
                let x = p.0 + (k - p.1) / (q.1 - p.1) * (q.0 - p.0);
                let left = x.floor();
                if left >= 0.0 && left + 1.0 < across as f64 {
                    let (k, left) = (k as usize, left as usize);
                    let pair = if turned {
                        (grid.index(left, k), grid.index(left + 1, k))
                    } else {
                        (grid.index(k, left), grid.index(k, left + 1))
                    };
                    faces.insert(pair);
                }
                k += 1.0;
            }
        };
        cross(a, b, false);
        cross((a.1, a.0), (b.1, b.0), true);
    }
    faces
}

/// Cells along a line in its order; neighbours touch at a side or a corner.
fn course(line: &LineString<f64>, grid: &Grid) -> Vec<u32> {
    let mut cells: Vec<u32> = Vec::new();
    for segment in line.lines() {
        let (dx, dy) = (
            segment.end.x - segment.start.x,
            segment.end.y - segment.start.y,
        );
        let steps = (4.0 * libm::hypot(dx, dy) / grid.dx).ceil().max(1.0) as usize;
        for k in 0..=steps {
            let share = k as f64 / steps as f64;
            let (x, y) = (segment.start.x + share * dx, segment.start.y + share * dy);
            if let Some((row, col)) = grid.cell_at(x, y) {
                let cell = grid.index(row, col);
                if cells.last() != Some(&cell) {
                    cells.push(cell);
                }
            }
        }
    }
    cells
}

fn culvert(c: &CulvertEntry, tables: &WorksTables) -> Result<CulvertData> {
    let inlet = tables.inlet(&c.inlet)?;
    let barrel = match (c.diameter_m, c.width_m, c.height_m) {
        (Some(diameter_m), ..) => Barrel::Pipe { diameter_m },
        (None, width, height) => Barrel::Box {
            width_m: width.unwrap_or(0.0),
            height_m: height.unwrap_or(0.0),
        },
    };
    let apart = libm::hypot(c.to[0] - c.from[0], c.to[1] - c.from[1]);
    Ok(CulvertData {
        barrel,
        barrels: c.barrels,
        length_m: c.length_m.unwrap_or(apart),
        invert_m: c.invert_m,
        manning_n: c.n,
        inlet: [inlet; 2],
        exit_loss: 1.0,
        one_way: c.one_way,
    })
}

fn breach(d: &DamEntry) -> Result<BreachGrowth> {
    let height = d.crest_m - d.bottom_m;
    let estimate = match d.formula {
        None => BreachEstimate {
            average_width_m: d.width_m.unwrap_or(0.0),
            side_slope: d.side_slope.unwrap_or(0.0),
            formation_h: d.formation_h.unwrap_or(0.0),
        },
        Some(which) => {
            let reservoir = Reservoir {
                volume_m3: d.volume_m3.unwrap_or(0.0),
                water_m: d.water_m.unwrap_or(0.0),
                breach_m: height,
                dam_m: d.dam_m.unwrap_or(0.0),
                failure: match d.failure {
                    FailureName::Overtopping => Failure::Overtopping,
                    FailureName::Piping => Failure::Piping,
                },
            };
            reservoir.check()?;
            match which {
                DamFormula::Froehlich1995 => froehlich_1995(&reservoir),
                DamFormula::Froehlich2008 => froehlich_2008(&reservoir),
                DamFormula::VonThun1990 => von_thun_1990(&reservoir, false),
            }
        }
    };
    let growth = estimate.growth(d.crest_m, height, d.start_h * 3600.0, Progress::Sine);
    growth.check()?;
    Ok(growth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Crs;

    #[test]
    fn design_storms_over_an_area_are_reduced() {
        let areal = RiverTables::published().areal_reduction;
        let storm = |pattern: Pattern, areal_km2: Option<f64>| {
            let formula = Formula {
                a1: 10.0,
                c: 0.8,
                n: 0.7,
                b: 10.0,
            };
            let by_formula = matches!(pattern, Pattern::Chicago);
            let entry = RainEntry::Design {
                duration_h: 3.0,
                depth_mm: (!by_formula).then_some(150.0),
                formula: by_formula.then_some(formula),
                return_period: by_formula.then_some(100.0),
                pattern,
                peak: 0.4,
                step_min: 5.0,
                areal_km2,
            };
            design_storm(&entry, &areal)
        };
        let most = |h: &Hyetograph| h.depth_mm.iter().fold(0.0f64, |m, &d| m.max(d));
        for pattern in [Pattern::Uniform, Pattern::HuffSecond, Pattern::Chicago] {
            let (point, over) = (storm(pattern, None), storm(pattern, Some(200.0)));
            let factor = areal.factor(200.0, 3.0);
            assert!(
                factor < 0.95 && (over.total_mm() / point.total_mm() / factor - 1.0).abs() < 1e-9
            );
            // The peak of a formula's storm is reduced by the factor of a short duration, that of a pattern by the whole.
            let peak = most(&over) / most(&point);
            match pattern {
                Pattern::Chicago => assert!(peak < 0.9 * factor, "{peak} {factor}"),
                _ => assert!((peak / factor - 1.0).abs() < 1e-9),
            }
            assert!(over.depth_mm.iter().all(|d| *d >= 0.0));
        }
    }

    #[test]
    fn a_line_of_any_shape_is_tight() {
        // A closed ring with slanted sides and corners on cell centres: no way leads out.
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, 300.0),
            (10.0, 10.0),
            (30, 30),
        )
        .unwrap();
        let ring = [
            (55.0, 55.0),
            (143.0, 31.0),
            (255.0, 155.0),
            (200.0, 200.0),
            (205.0, 245.0),
            (60.0, 210.0),
            (45.0, 75.0),
            (55.0, 55.0),
        ];
        let line = MultiLineString::new(vec![LineString::from(ring.to_vec())]);
        let walls = crossed(&line, &grid);
        let inside = grid.cell_at(150.0, 150.0).unwrap();
        let mut seen = BTreeSet::from([grid.index(inside.0, inside.1)]);
        let mut open: Vec<u32> = seen.iter().copied().collect();
        while let Some(cell) = open.pop() {
            let (row, col) = grid.row_col(cell);
            assert!(row > 0 && col > 0 && row < 29 && col < 29, "the ring leaks");
            for near in [cell - 30, cell + 30, cell - 1, cell + 1] {
                let face = (cell.min(near), cell.max(near));
                if !walls.contains(&face) && seen.insert(near) {
                    open.push(near);
                }
            }
        }
        // The area inside, by Gauss: centres within it.
        let area = 0.5
            * ring
                .windows(2)
                .map(|w| w[0].0 * w[1].1 - w[1].0 * w[0].1)
                .sum::<f64>();
        assert!((seen.len() as f64 * 100.0 - area).abs() < 0.05 * area);
    }

    #[test]
    fn means_of_series_keep_the_volume() {
        let series = Series {
            times_s: vec![0.0, 90.0, 100.0],
            values: vec![0.0, 9.0, 4.0],
        };
        let volume: f64 = (0..3)
            .map(|k| 60.0 * mean(&series, 60.0 * f64::from(k), 60.0 * f64::from(k + 1)))
            .sum();
        assert!((volume - (405.0 + 65.0 + 320.0)).abs() < 1e-9);
    }
}
