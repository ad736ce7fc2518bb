//! The case file: one TOML, unknown keys refused, paths relative to the file, coordinates in the system of the terrain.

use crate::project::toml_fault;
use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// A flood case as the user wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Name, in the title of outputs.
    pub name: String,
    /// Terrain: GeoTIFF in a projected system, m; the cells of the run. Cells without a value lie outside.
    pub terrain: PathBuf,
    /// Length of the simulation, h.
    pub end_h: f64,
    /// Equations: `auto`, `inertial`, `fv1` or `fv2`.
    #[serde(default)]
    pub scheme: SchemeName,
    /// What lies beyond the grid and in cells without a value: `free` (water leaves at normal depth) or `closed`.
    #[serde(default)]
    pub edge: EdgeName,
    /// Depth from which a cell counts as flooded, m: arrival, duration, extent.
    #[serde(default = "flooded")]
    pub flooded_m: f32,
    /// Manning's n (糙率).
    pub roughness: RoughnessEntry,
    /// Water at the start; dry without it.
    #[serde(default)]
    pub start: Option<Start>,
    /// Rain on the grid.
    #[serde(default)]
    pub rain: Option<RainEntry>,
    /// What the soil takes.
    #[serde(default)]
    pub losses: Option<Losses>,
    /// Storm drains (雨水管网).
    #[serde(default)]
    pub drains: Option<DrainsEntry>,
    /// Buildings that stand in the way.
    #[serde(default)]
    pub buildings: Option<Buildings>,
    /// Channels narrower than a cell (亚网格河道), along lines.
    #[serde(default)]
    pub channel: Vec<ChannelEntry>,
    /// Channels narrower than a cell wherever the terrain drains enough, by hydraulic geometry.
    #[serde(default)]
    pub drainage: Option<DrainageEntry>,
    /// Discharges (入流) that enter along lines.
    #[serde(default)]
    pub inflow: Vec<InflowEntry>,
    /// Water levels, tides or slopes at the edge.
    #[serde(default)]
    pub boundary: Vec<BoundaryEntry>,
    /// Dykes and walls (堤防).
    #[serde(default)]
    pub dyke: Vec<DykeEntry>,
    /// Dams that break (溃坝).
    #[serde(default)]
    pub dam: Vec<DamEntry>,
    /// Culverts (涵洞).
    #[serde(default)]
    pub culvert: Vec<CulvertEntry>,
    /// Bridges (桥).
    #[serde(default)]
    pub bridge: Vec<BridgeEntry>,
    /// Gates and orifices (闸).
    #[serde(default)]
    pub gate: Vec<GateEntry>,
    /// Pumps (泵站).
    #[serde(default)]
    pub pump: Vec<PumpEntry>,
    /// Points whose level and depth are told over time.
    #[serde(default)]
    pub gauge: Vec<GaugeEntry>,
    /// What is written, and how often.
    #[serde(default)]
    pub output: Output,
}

fn flooded() -> f32 {
    0.15
}

/// Equations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemeName {
    /// Local inertial until deep water runs too fast for it, then `fv2`.
    #[default]
    Auto,
    /// Local inertial.
    Inertial,
    /// Finite volumes of first order.
    Fv1,
    /// Finite volumes of second order.
    Fv2,
}

/// What lies beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeName {
    /// Water leaves at normal depth.
    #[default]
    Free,
    /// Walls.
    Closed,
}

/// A number, or the path of a raster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    /// The same everywhere.
    Number(f64),
    /// GeoTIFF; brought to the cells of the terrain.
    Raster(PathBuf),
}

/// A number, or the path of a table with a column of time (`time_s`, `time_min` or `time_h`) and one of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OverTime {
    /// Steady.
    Number(f64),
    /// Linear between the rows, the outer values kept.
    Table(PathBuf),
}

/// Points of a line, or the path of a vector file whose lines are all taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// Corners, x before y.
    Points(Vec<[f64; 2]>),
    /// GeoPackage, Shapefile or GeoJSON.
    File(PathBuf),
}

/// Manning's n.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoughnessEntry {
    /// n, s m^(-1/3): a number or a raster.
    #[serde(default)]
    pub n: Option<Field>,
    /// Raster of land-cover classes (IGBP) instead.
    #[serde(default)]
    pub cover: Option<PathBuf>,
    /// Table of n by class (`code`, `n`) in place of the published one.
    #[serde(default)]
    pub table: Option<PathBuf>,
}

/// Water at the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Raster of depths, m.
    #[serde(default)]
    pub depth: Option<PathBuf>,
    /// Water level, m, over the ground that lies lower, in `area`.
    #[serde(default)]
    pub level_m: Option<f64>,
    /// Polygons in which `level_m` holds; everywhere without them.
    #[serde(default)]
    pub area: Option<PathBuf>,
    /// Restart file of an earlier run of the same case.
    #[serde(default)]
    pub restart: Option<PathBuf>,
}

/// Rain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RainEntry {
    /// A design storm, the same everywhere.
    Design {
        /// Duration, h.
        duration_h: f64,
        /// Depth, mm; or `formula` with `return_period`.
        #[serde(default)]
        depth_mm: Option<f64>,
        /// Storm formula (暴雨强度公式).
        #[serde(default)]
        formula: Option<Formula>,
        /// Years.
        #[serde(default)]
        return_period: Option<f64>,
        /// Course in time.
        #[serde(default)]
        pattern: Pattern,
        /// Share of the duration before the peak (`chicago`, `alternating`).
        #[serde(default = "peak")]
        peak: f64,
        /// Steps, min.
        #[serde(default = "five")]
        step_min: f64,
        /// Area, km², over which the depth of a point is reduced (点面折减); the depth as it is without it.
        #[serde(default)]
        areal_km2: Option<f64>,
    },
    /// A measured series, the same everywhere: time at the beginning of each step, and its depth, mm.
    Series {
        /// Table.
        file: PathBuf,
    },
    /// Gauges with series.
    Gauges {
        /// Table of `name`, `x`, `y`.
        stations: PathBuf,
        /// Table of time, and depths of the step, mm, in one column per gauge.
        file: PathBuf,
        /// Nearest gauge in place of inverse distance.
        #[serde(default)]
        thiessen: bool,
        /// Fill gaps from the other gauges.
        #[serde(default)]
        fill: bool,
    },
    /// A gridded field (radar, satellite, reanalysis).
    Netcdf {
        /// File.
        file: PathBuf,
        /// Variable.
        variable: String,
        /// Bilinear between the cells of the field.
        #[serde(default)]
        bilinear: bool,
        /// No rain where values are missing.
        #[serde(default)]
        fill: bool,
    },
}

fn peak() -> f64 {
    0.4
}

fn five() -> f64 {
    5.0
}

/// Storm formula: i = a1 (1 + c lg P) / (t + b)^n, mm/min.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formula {
    /// A1, mm/min.
    pub a1: f64,
    /// C.
    pub c: f64,
    /// Exponent.
    pub n: f64,
    /// b, min.
    pub b: f64,
}

/// Course of a design storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Chicago (芝加哥雨型), from a formula.
    #[default]
    Chicago,
    /// Alternating blocks, from a formula.
    Alternating,
    /// Even.
    Uniform,
    /// Huff, heaviest in the first quarter.
    HuffFirst,
    /// In the second.
    HuffSecond,
    /// In the third.
    HuffThird,
    /// In the fourth.
    HuffFourth,
}

/// What the soil takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Losses {
    /// A steady rate.
    Constant {
        /// mm/h: a number or a raster; or `cover`.
        #[serde(default)]
        rate_mm_h: Option<Field>,
        /// Raster of land-cover classes (IGBP) with the published rates.
        #[serde(default)]
        cover: Option<PathBuf>,
    },
    /// SCS curve numbers (径流曲线数).
    CurveNumber {
        /// Curve number of normal wetness, 1 to 100: a number or a raster; or `cover`.
        #[serde(default)]
        number: Option<Field>,
        /// Raster of land-cover classes (IGBP) with the published numbers.
        #[serde(default)]
        cover: Option<PathBuf>,
        /// Raster of soil groups, 0 A to 3 D; B without it.
        #[serde(default)]
        soil_group: Option<PathBuf>,
        /// Wetness before the storm (前期土壤湿度).
        #[serde(default)]
        wetness: WetnessName,
        /// Initial abstraction over retention.
        #[serde(default = "fifth")]
        ia_ratio: f64,
    },
    /// Green-Ampt by soil texture.
    GreenAmpt {
        /// Raster of textures (codes of `standards/infiltration.toml`).
        texture: PathBuf,
        /// Effective saturation before the storm, 0 to 1.
        saturation: f32,
    },
    /// Horton by soil group.
    Horton {
        /// Raster of soil groups, 0 A to 3 D.
        soil_group: PathBuf,
    },
}

fn fifth() -> f64 {
    0.2
}

/// Wetness before a storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WetnessName {
    /// AMC I.
    Dry,
    /// AMC II.
    #[default]
    Normal,
    /// AMC III.
    Wet,
}

/// Storm drains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainsEntry {
    /// Capacity, mm/h; or the design by `formula`, `return_period`, `concentration_min`, `runoff`.
    #[serde(default)]
    pub capacity_mm_h: Option<f64>,
    /// Storm formula of the design.
    #[serde(default)]
    pub formula: Option<Formula>,
    /// Return period of the design, years.
    #[serde(default)]
    pub return_period: Option<f64>,
    /// Time of concentration of the design, min.
    #[serde(default)]
    pub concentration_min: Option<f64>,
    /// Runoff coefficient of the design, 0 to 1.
    #[serde(default)]
    pub runoff: Option<f64>,
    /// Polygons that are served; everywhere without them.
    #[serde(default)]
    pub area: Option<PathBuf>,
}

/// Buildings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buildings {
    /// Polygons.
    pub file: PathBuf,
    /// Manning's n inside; without it, cells more than half covered are walls.
    #[serde(default)]
    pub n: Option<f64>,
}

/// A river narrower than a cell, from its upper to its lower end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelEntry {
    /// Name, for messages.
    pub name: String,
    /// Its course; every line of a file downstream.
    pub line: Line,
    /// Width, m; wider than a cell counts as a cell.
    pub width_m: f64,
    /// Depth of the bottom below the ground of the cell, m.
    pub depth_m: f64,
    /// Manning's n.
    #[serde(default = "river")]
    pub n: f64,
}

/// Rivers from the drainage of the terrain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainageEntry {
    /// Drainage area from which there is a channel, km².
    pub channel_km2: f64,
    /// Manning's n.
    #[serde(default = "river")]
    pub n: f64,
}

fn river() -> f64 {
    0.035
}

/// A discharge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InflowEntry {
    /// Name, for messages.
    pub name: String,
    /// Where it enters: shared evenly by the cells on the line.
    pub line: Line,
    /// m³/s: a number or a table.
    pub discharge_m3_s: OverTime,
}

/// A law of part of the edge. One of `level_m` and `slope`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryEntry {
    /// Name, for messages.
    pub name: String,
    /// Along the edge: those cells on the line that lie at it.
    pub line: Line,
    /// Water level, m: a number or a table (tide).
    #[serde(default)]
    pub level_m: Option<OverTime>,
    /// Slope of normal depth.
    #[serde(default)]
    pub slope: Option<f64>,
}

/// A dyke or wall. One of `crest_m`, `height_m` and `column`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DykeEntry {
    /// Name, for messages.
    pub name: String,
    /// Its axis.
    pub line: Line,
    /// Crest, m above datum.
    #[serde(default)]
    pub crest_m: Option<f64>,
    /// Height above the higher ground beside it, m.
    #[serde(default)]
    pub height_m: Option<f64>,
    /// Column of crests, m above datum, in the vector file.
    #[serde(default)]
    pub column: Option<String>,
    /// Kind of weir when overtopped, a row of `standards/works.toml`.
    #[serde(default = "dyke_crest")]
    pub weir: String,
    /// Places where it fails (溃口).
    #[serde(default)]
    pub breach: Vec<BreachEntry>,
}

fn dyke_crest() -> String {
    "dyke crest".into()
}

/// A breach of a dyke.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreachEntry {
    /// Its middle.
    pub at: [f64; 2],
    /// Width, m.
    pub width_m: f64,
    /// Begin, h.
    pub start_h: f64,
    /// Time to the last form, h.
    pub duration_h: f64,
    /// Level to which it sinks, m; the ground without it.
    #[serde(default)]
    pub bottom_m: Option<f64>,
}

/// A dam that breaks between its reservoir and the valley.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DamEntry {
    /// Name, for messages.
    pub name: String,
    /// A point in the reservoir.
    pub from: [f64; 2],
    /// A point in the valley.
    pub to: [f64; 2],
    /// Crest, m above datum.
    pub crest_m: f64,
    /// Bottom of the last form, m above datum.
    pub bottom_m: f64,
    /// Begin, h.
    pub start_h: f64,
    /// Formula of width and time, from `volume_m3`, `water_m`, `dam_m` and `failure`; or `width_m`, `side_slope`, `formation_h`.
    #[serde(default)]
    pub formula: Option<DamFormula>,
    /// Water above the bottom of the breach, m³.
    #[serde(default)]
    pub volume_m3: Option<f64>,
    /// Its depth, m.
    #[serde(default)]
    pub water_m: Option<f64>,
    /// Height of the dam, m.
    #[serde(default)]
    pub dam_m: Option<f64>,
    /// How it fails.
    #[serde(default)]
    pub failure: FailureName,
    /// Mean width of the last form, m.
    #[serde(default)]
    pub width_m: Option<f64>,
    /// Run of its sides per rise.
    #[serde(default)]
    pub side_slope: Option<f64>,
    /// Time of formation, h.
    #[serde(default)]
    pub formation_h: Option<f64>,
}

/// Formulas of a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DamFormula {
    /// Froehlich (1995).
    #[serde(rename = "froehlich-1995")]
    Froehlich1995,
    /// Froehlich (2008).
    #[serde(rename = "froehlich-2008")]
    Froehlich2008,
    /// Von Thun & Gillette (1990), erodible fill.
    #[serde(rename = "von-thun-1990")]
    VonThun1990,
}

/// How a dam fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureName {
    /// 漫顶.
    #[default]
    Overtopping,
    /// 管涌.
    Piping,
}

/// A culvert. A pipe by `diameter_m`, or a box by `width_m` and `height_m`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CulvertEntry {
    /// Name, for messages.
    pub name: String,
    /// First end.
    pub from: [f64; 2],
    /// Other end.
    pub to: [f64; 2],
    /// Diameter, m.
    #[serde(default)]
    pub diameter_m: Option<f64>,
    /// Width, m.
    #[serde(default)]
    pub width_m: Option<f64>,
    /// Height, m.
    #[serde(default)]
    pub height_m: Option<f64>,
    /// Barrels side by side.
    #[serde(default = "one")]
    pub barrels: u32,
    /// Length, m; the distance of the ends without it.
    #[serde(default)]
    pub length_m: Option<f64>,
    /// Bottom at the two ends, m above datum.
    pub invert_m: [f64; 2],
    /// Manning's n.
    #[serde(default = "concrete")]
    pub n: f64,
    /// Kind of inlet, a row of `standards/works.toml`.
    pub inlet: String,
    /// True where water can only go from the first to the other end (拍门).
    #[serde(default)]
    pub one_way: bool,
}

fn one() -> u32 {
    1
}

fn concrete() -> f64 {
    0.013
}

/// A bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BridgeEntry {
    /// Name, for messages.
    pub name: String,
    /// One side.
    pub from: [f64; 2],
    /// The other.
    pub to: [f64; 2],
    /// Width under the deck, net of piers, m.
    pub width_m: f64,
    /// Bed under the deck, m above datum.
    pub sill_m: f64,
    /// Height under the deck, m.
    pub height_m: f64,
    /// Coefficient of discharge.
    #[serde(default = "opening")]
    pub discharge: f64,
    /// Level from which the road is overtopped, m above datum.
    pub deck_m: f64,
    /// Length of road that is overtopped, m.
    pub deck_length_m: f64,
}

/// A gate, flap or orifice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateEntry {
    /// Name, for messages.
    pub name: String,
    /// One side.
    pub from: [f64; 2],
    /// The other.
    pub to: [f64; 2],
    /// Width, m.
    pub width_m: f64,
    /// Sill, m above datum.
    pub sill_m: f64,
    /// Height of the opening, m.
    pub height_m: f64,
    /// Coefficient of discharge.
    #[serde(default = "opening")]
    pub discharge: f64,
    /// True where water can only go from the one to the other side.
    #[serde(default)]
    pub one_way: bool,
}

fn opening() -> f64 {
    0.8
}

/// A pump.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PumpEntry {
    /// Name, for messages.
    pub name: String,
    /// Intake.
    pub from: [f64; 2],
    /// Outfall; out of the case without it.
    #[serde(default)]
    pub to: Option<[f64; 2]>,
    /// Level at which it starts, m above datum.
    pub on_m: f64,
    /// Level at which it stops, m above datum.
    pub off_m: f64,
    /// Head, m, and flow, m³/s, ascending in the head.
    pub curve: Vec<[f64; 2]>,
}

/// A gauge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaugeEntry {
    /// Name.
    pub name: String,
    /// Place.
    pub at: [f64; 2],
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// Depths to NetCDF this often, min; 0 for none.
    pub depth_min: f64,
    /// Gauges and water balance this often, min.
    pub gauge_min: f64,
    /// The state is saved this often, h of simulated time, to be taken up if the run is killed; 0 for never.
    pub save_h: f64,
    /// Keep the state at the end as a restart file.
    pub restart: bool,
}

impl Default for Output {
    fn default() -> Self {
        Output {
            depth_min: 0.0,
            gauge_min: 1.0,
            save_h: 1.0,
            restart: false,
        }
    }
}

impl CaseFile {
    /// Reads a case file and checks what can be checked without its inputs.
    ///
    /// # Errors
    /// Not TOML, unknown keys, values out of range, entries that say too little or too much.
    pub fn read(path: &Path) -> Result<CaseFile> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
        let file: CaseFile = toml::from_str(&text).map_err(|e| toml_fault(path, &text, &e))?;
        let mut faults = Vec::new();
        let mut check = |holds: bool, at: &str, found: String, expected: &str| {
            if !holds {
                let remedy = "correct the value";
                faults.push(Fault::new(path, found, expected, remedy).at(at));
            }
        };
        check(
            file.end_h > 0.0 && file.end_h <= 24.0 * 366.0,
            "end_h",
            file.end_h.to_string(),
            "a time above 0 h, at most a year",
        );
        check(
            file.flooded_m > 0.0 && file.flooded_m.is_finite(),
            "flooded_m",
            file.flooded_m.to_string(),
            "a depth above 0 m",
        );
        let o = &file.output;
        let often = |v: f64| v >= 0.0 && v.is_finite();
        check(
            often(o.depth_min),
            "output.depth_min",
            o.depth_min.to_string(),
            "0 min (none) or more",
        );
        check(
            o.gauge_min > 0.0 && o.gauge_min.is_finite(),
            "output.gauge_min",
            o.gauge_min.to_string(),
            "above 0 min",
        );
        check(
            often(o.save_h),
            "output.save_h",
            o.save_h.to_string(),
            "0 h (never) or more",
        );
        let frames = file.end_h * 60.0 / o.depth_min;
        check(
            o.depth_min == 0.0 || frames <= 10_000.0,
            "output.depth_min",
            format!("{} times", frames as u64),
            "at most 10,000 times",
        );
        check(
            file.roughness.n.is_some() != file.roughness.cover.is_some(),
            "roughness",
            "both or none of n and cover".into(),
            "n (a number or a raster) or cover (a raster of classes)",
        );
        if let Some(start) = &file.start {
            let ways = [
                start.depth.is_some(),
                start.level_m.is_some(),
                start.restart.is_some(),
            ];
            check(
                ways.iter().filter(|w| **w).count() == 1,
                "start",
                "several or none of depth, level_m and restart".into(),
                "one of depth, level_m and restart",
            );
        }
        if let Some(RainEntry::Design {
            duration_h,
            depth_mm,
            formula,
            return_period,
            pattern,
            peak,
            step_min,
            areal_km2,
        }) = &file.rain
        {
            check(
                *duration_h > 0.0 && *step_min > 0.0 && *step_min <= 60.0 * duration_h,
                "rain",
                format!("{duration_h} h in steps of {step_min} min"),
                "a duration above 0 h, in steps no longer than it",
            );
            check(
                (0.0..=1.0).contains(peak),
                "rain.peak",
                peak.to_string(),
                "a share from 0 to 1",
            );
            check(
                depth_mm.is_none_or(|d| d > 0.0 && d.is_finite()),
                "rain.depth_mm",
                format!("{depth_mm:?}"),
                "a depth above 0 mm",
            );
            check(
                areal_km2.is_none_or(|a| a > 0.0 && a.is_finite()),
                "rain.areal_km2",
                format!("{areal_km2:?}"),
                "an area above 0 km²",
            );
            check(
                depth_mm.is_some() != formula.is_some(),
                "rain",
                "both or none of depth_mm and formula".into(),
                "depth_mm, or formula with return_period",
            );
            check(
                formula.is_some() == return_period.is_some(),
                "rain.return_period",
                format!("{return_period:?}"),
                "a return period with a formula, none with a depth",
            );
            check(
                return_period.is_none_or(|t| (0.1..=10_000.0).contains(&t)),
                "rain.return_period",
                format!("{return_period:?}"),
                "0.1 to 10,000 years",
            );
            check(
                formula.is_some() || !matches!(pattern, Pattern::Chicago | Pattern::Alternating),
                "rain.pattern",
                format!("{pattern:?} without a formula"),
                "a formula, or another pattern (uniform, huff-first, ...)",
            );
        }
        if let Some(d) = &file.drains {
            let design = [
                d.formula.is_some(),
                d.return_period.is_some(),
                d.concentration_min.is_some(),
                d.runoff.is_some(),
            ];
            let (any, all) = (design.contains(&true), !design.contains(&false));
            check(
                (d.capacity_mm_h.is_some() && !any) || (d.capacity_mm_h.is_none() && all),
                "drains",
                "both, or a part of a design".into(),
                "capacity_mm_h, or formula, return_period, concentration_min and runoff",
            );
        }
        let roughness = |n: f64| n > 0.0 && n <= 1.0;
        for c in &file.channel {
            check(
                c.width_m > 0.0 && c.depth_m > 0.0 && c.depth_m < 1000.0 && roughness(c.n),
                &format!("channel {}", c.name),
                format!("{} m wide, {} m deep, n {}", c.width_m, c.depth_m, c.n),
                "a width and a depth above 0 m, n above 0, at most 1",
            );
        }
        if let Some(d) = &file.drainage {
            check(
                d.channel_km2 > 0.0 && d.channel_km2.is_finite() && roughness(d.n),
                "drainage",
                format!("{} km², n {}", d.channel_km2, d.n),
                "a drainage area above 0 km², n above 0, at most 1",
            );
        }
        for b in &file.boundary {
            check(
                b.level_m.is_some() != b.slope.is_some(),
                &format!("boundary {}", b.name),
                "both or none of level_m and slope".into(),
                "level_m or slope",
            );
        }
        for d in &file.dyke {
            let ways = [
                d.crest_m.is_some(),
                d.height_m.is_some(),
                d.column.is_some(),
            ];
            check(
                ways.iter().filter(|w| **w).count() == 1,
                &format!("dyke {}", d.name),
                "several or none of crest_m, height_m and column".into(),
                "one of crest_m, height_m and column",
            );
            for b in &d.breach {
                check(
                    b.width_m > 0.0 && b.start_h >= 0.0 && b.duration_h >= 0.0,
                    &format!("dyke {}", d.name),
                    format!("{b:?}"),
                    "a width above 0 m, times of at least 0 h",
                );
            }
        }
        for d in &file.dam {
            let by_formula = [d.volume_m3, d.water_m, d.dam_m]
                .iter()
                .all(Option::is_some);
            let given = [d.width_m, d.side_slope, d.formation_h];
            check(
                if d.formula.is_some() {
                    by_formula && given.iter().all(Option::is_none)
                } else {
                    given.iter().all(Option::is_some)
                },
                &format!("dam {}", d.name),
                "too little or too much".into(),
                "formula with volume_m3, water_m and dam_m; or width_m, side_slope and formation_h",
            );
            check(
                d.bottom_m < d.crest_m && d.start_h >= 0.0,
                &format!("dam {}", d.name),
                format!(
                    "from {} m to {} m at {} h",
                    d.crest_m, d.bottom_m, d.start_h
                ),
                "a bottom below the crest, a begin of at least 0 h",
            );
        }
        for c in &file.culvert {
            check(
                c.diameter_m.is_some() != (c.width_m.is_some() && c.height_m.is_some()),
                &format!("culvert {}", c.name),
                "both or none of diameter_m, and width_m with height_m".into(),
                "diameter_m, or width_m and height_m",
            );
        }
        if faults.is_empty() {
            Ok(file)
        } else {
            Err(Error::Input(faults))
        }
    }
}
