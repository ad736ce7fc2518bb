//! The project file: one TOML, every field with unit and range, unknown keys refused, paths relative to the file.

use anlan_engine::{Crs, Error, Fault, Result};
use anlan_models::cartography::{Format, Orientation, Paper, SheetLanguage};
use anlan_models::census::dasymetric::Quantity;
use anlan_models::census::exposure::PeopleAt;
use anlan_models::downscale::TerrainDetail;
use anlan_models::flood::pattern::{self, GroundWetness, PatternShape, StormPattern};
use anlan_models::flood::runoff::Wetness;
use anlan_models::hazard::Hazard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A commented project file.
pub const TEMPLATE: &str = include_str!("project_template.toml");

/// A project as the user wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// What the project is about.
    pub project: About,
    /// The compute grid.
    pub grid: GridOptions,
    /// Input files.
    pub inputs: Inputs,
    /// Synthetic terrain detail below the cells of the DEM.
    #[serde(default)]
    pub terrain: TerrainDetail,
    /// Exposure (承灾体).
    #[serde(default)]
    pub exposure: ExposureOptions,
    /// Flood (洪涝).
    #[serde(default)]
    pub flood: FloodOptions,
    /// Geological hazards (地质灾害).
    #[serde(default)]
    pub geology: GeologyOptions,
    /// Forest fire (森林火灾).
    #[serde(default)]
    pub fire: FireOptions,
    /// Year simulation and losses.
    #[serde(default)]
    pub losses: LossOptions,
    /// Grading.
    #[serde(default)]
    pub risk: RiskOptions,
    /// Relief material.
    #[serde(default)]
    pub relief: ReliefOptions,
    /// Maps and report.
    #[serde(default)]
    pub products: ProductOptions,
    /// Validation against historical disasters (历史灾害检验).
    #[serde(default)]
    pub validation: ValidationOptions,
    /// Report (白皮书).
    #[serde(default)]
    pub report: ReportOptions,
}

/// What the project is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Name of the region in Chinese, as titles print it.
    pub name: String,
    /// Name in English.
    pub name_en: String,
    /// Division code of the region (行政区划代码), 6 digits.
    pub code: String,
    /// Seed of all random numbers, 0..=2^63-1.
    #[serde(default)]
    pub seed: u64,
    /// True for coarse screening: HAND and rating curve instead of the 2-D flood solver, susceptibility instead of slope
    /// stability. Every product is then marked as screening.
    #[serde(default)]
    pub screening: bool,
}

/// The compute grid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridOptions {
    /// EPSG code of the compute system; projected, so that cells are square in metres (e.g. 4549).
    pub epsg: u32,
    /// Cell size, m, 10..=2000.
    pub cell_m: f64,
    /// Margin around the region's borders, m, 0..=50000: catchments may reach beyond the border.
    #[serde(default = "default_margin")]
    pub margin_m: f64,
}

fn default_margin() -> f64 {
    3000.0
}

/// Input files, relative to the project file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Elevation, m (GeoTIFF).
    pub dem: PathBuf,
    /// Land cover, IGBP classes 0..=16 (GeoTIFF).
    pub land_cover: PathBuf,
    /// Monthly mean temperature, °C, 12 bands (GeoTIFF).
    pub temperature: PathBuf,
    /// Monthly rain, mm per month, 12 bands (GeoTIFF).
    pub rain: PathBuf,
    /// Rain rate exceeded in 0.01 % of an average year, mm/h (GeoTIFF).
    pub rain_rate: PathBuf,
    /// Polygons of the statistical units with columns `code` and `name` (GeoJSON, GeoPackage or Shapefile).
    pub units: PathBuf,
    /// Polygons of townships (乡镇、街道), same columns, codes of 9 or 12 digits that begin with that of their unit; made up around the
    /// largest settlements where absent.
    #[serde(default)]
    pub townships: Option<PathBuf>,
    /// Polygons of the level above, same columns.
    pub region: PathBuf,
    /// Settlements: columns `name`, `lon`, `lat`, `population` (CSV or Excel).
    pub places: PathBuf,
    /// Census table (普查表), CSV or Excel; column names by the dictionary.
    pub census: PathBuf,
    /// Crosswalk between the codes of the census and of the borders: from_code, to_code, share, source.
    #[serde(default)]
    pub crosswalk: Option<PathBuf>,
    /// Column dictionary (列名词典), TOML; the compiled-in one where absent.
    #[serde(default)]
    pub columns: Option<PathBuf>,
    /// Hidden-danger sites (隐患点), CSV or Excel; synthetic ones where absent.
    #[serde(default)]
    pub danger_sites: Option<PathBuf>,
    /// Relief depots (救灾物资储备库) with their stock; synthetic ones where absent.
    #[serde(default)]
    pub depots: Option<PathBuf>,
    /// Shelters (应急避难场所): code, name, unit, lon, lat, capacity_people; synthetic ones where absent.
    #[serde(default)]
    pub shelters: Option<PathBuf>,
    /// Weather parameters with the local storm formula (暴雨强度公式), TOML; the compiled-in table of Zhejiang where absent.
    #[serde(default)]
    pub weather: Option<PathBuf>,
    /// Rates and sizes of gales, hail and tornadoes, TOML; the compiled-in table where absent.
    #[serde(default)]
    pub convection: Option<PathBuf>,
    /// Vulnerability curves (脆弱性曲线), TOML; the compiled-in ones where absent.
    #[serde(default)]
    pub vulnerability: Option<PathBuf>,
    /// Responsible persons (责任人): code, role, name, post, phone, CSV or Excel; without it the responsibility list tells who is
    /// missing.
    #[serde(default)]
    pub responsible: Option<PathBuf>,
    /// Rules of the three lists (一图三清单), TOML; the compiled-in ones where absent.
    #[serde(default)]
    pub lists: Option<PathBuf>,
    /// Measures (措施), TOML; the compiled-in ones where absent.
    #[serde(default)]
    pub measures: Option<PathBuf>,
    /// Historical disasters (历史灾害), CSV or Excel: date, code, hazard, optionally lon, lat, deaths, affected, relocated,
    /// houses_collapsed, loss; none are compared where absent.
    #[serde(default)]
    pub history: Option<PathBuf>,
    /// Dictionary of its columns and words (TOML); the compiled-in one where absent.
    #[serde(default)]
    pub history_columns: Option<PathBuf>,
    /// Provenance of the inputs (TOML, a table per file with `kind`, `licence`, `trap`), printed in the report.
    #[serde(default)]
    pub provenance: Option<PathBuf>,
    /// Sets of dasymetric weights (分区密度权重), TOML; the compiled-in sets where absent.
    #[serde(default)]
    pub dasymetric: Option<PathBuf>,
    /// People per area or per cell, e.g. a gridded population (人口栅格), 0 or more (GeoTIFF): the weight of residents, and
    /// a covariate of sets of one's own.
    #[serde(default)]
    pub population_weight: Option<PathBuf>,
    /// Light at night (夜间灯光), 0 or more (GeoTIFF): a covariate.
    #[serde(default)]
    pub night_light: Option<PathBuf>,
    /// Floor or footprint of buildings per area (建筑密度), 0 or more (GeoTIFF): a covariate.
    #[serde(default)]
    pub building_density: Option<PathBuf>,
    /// Output by sector, employment, areas and lengths of road by unit (经济社会表), CSV or Excel, in place of the columns
    /// of the census table; column names in `models/standards/economy_columns.toml`.
    #[serde(default)]
    pub economy: Option<PathBuf>,
    /// Houses by unit, structure and storeys (房屋建筑表), CSV or Excel: 区划代码, 结构类型, 层数, 栋数, 建筑面积.
    #[serde(default)]
    pub houses: Option<PathBuf>,
    /// Critical places (重点场所), CSV or Excel: 编号, 名称, 类型, 经度, 纬度, optionally 人数, 区划代码, 坐标系; synthetic ones
    /// where absent.
    #[serde(default)]
    pub critical_places: Option<PathBuf>,
    /// Lifelines (生命线工程): lines with a column of kinds (GeoJSON, GeoPackage or Shapefile); synthetic roads where absent.
    #[serde(default)]
    pub lifelines: Option<PathBuf>,
    /// True where the inputs themselves contain made-up layers: every product is then marked synthetic.
    #[serde(default)]
    pub synthetic: bool,
}

/// Exposure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExposureOptions {
    /// Sets of weights in place of those that the file of weights chooses, by quantity: `residents`, `dwellings`,
    /// `gdp_primary`, `gdp_secondary`, `gdp_tertiary`, `crops`, `forest`, `roads`.
    pub sets: BTreeMap<Quantity, String>,
}

/// Flood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FloodOptions {
    /// Return periods of the storm library and of the maps, years, ascending, 2..=1000.
    pub return_periods: Vec<f64>,
    /// Durations of the storms, h, ascending.
    pub durations_h: Vec<f64>,
    /// Temporal patterns (雨型) of the storms with their probabilities; the first is that of the maps. Even rain by default.
    /// Each further one simulates the library once more.
    pub patterns: Vec<StormPattern>,
    /// Wetness of the ground (前期土壤湿度) that the storms are simulated on: dry, normal, wet (AMC I, II, III), with
    /// probabilities of all or of none: then the antecedent rain of the simulated weather decides. Normal ground by default.
    pub wetness: Vec<GroundWetness>,
    /// Time simulated after the rain, h.
    pub recession_h: f64,
    /// Height above the drainage up to which the 2-D solver works, m.
    pub valley_hand_m: f64,
    /// Drainage area from which a cell counts as a channel, km².
    pub channel_km2: f64,
}

impl Default for FloodOptions {
    fn default() -> Self {
        FloodOptions {
            return_periods: vec![5.0, 10.0, 20.0, 50.0, 100.0],
            durations_h: vec![3.0],
            patterns: vec![StormPattern::uniform()],
            wetness: vec![GroundWetness {
                state: Wetness::Normal,
                probability: None,
            }],
            recession_h: 3.0,
            valley_hand_m: 12.0,
            channel_km2: 2.0,
        }
    }
}

/// Geological hazards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GeologyOptions {
    /// Mean number of slides per year in 1000 km², to which the model is calibrated.
    pub slides_per_year_1000km2: f64,
    /// Return periods of the intensity maps, years.
    pub return_periods: Vec<f64>,
}

impl Default for GeologyOptions {
    fn default() -> Self {
        GeologyOptions {
            slides_per_year_1000km2: 4.0,
            return_periods: vec![100.0, 1000.0],
        }
    }
}

/// Forest fire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FireOptions {
    /// Mean number of fires per year in 1000 km², to which ignitions are calibrated.
    pub fires_per_year_1000km2: f64,
    /// Fires simulated for the library, per danger class.
    pub fires_per_class: u32,
    /// Return periods of the flame-length maps, years.
    pub return_periods: Vec<f64>,
}

impl Default for FireOptions {
    fn default() -> Self {
        FireOptions {
            fires_per_year_1000km2: 2.0,
            fires_per_class: 20_000,
            return_periods: vec![100.0, 1000.0],
        }
    }
}

/// Year simulation and losses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossOptions {
    /// Simulated years, 100..=1000000.
    pub years: u32,
    /// Return periods of the loss tables, years.
    pub return_periods: Vec<f64>,
    /// When people are counted where they are: `night`, `day`, `mean` or `holiday`.
    pub people: PeopleAt,
}

impl Default for LossOptions {
    fn default() -> Self {
        LossOptions {
            years: 10_000,
            return_periods: vec![2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0],
            people: PeopleAt::Night,
        }
    }
}

/// Grading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RiskOptions {
    /// Rule-pack files that replace compiled-in packs of the same id.
    pub packs: Vec<PathBuf>,
    /// Scheme of grades in every pack that has it: `four-colour` (红橙黄蓝) or `five-grade`; each pack's first where absent.
    pub scheme: Option<String>,
    /// Pack by which a hazard is graded in place of the usual one, e.g. `flood = "flood-rainstorm-hazard"`.
    pub hazards: BTreeMap<String, String>,
    /// Times the simulated years are drawn anew for the ranks' intervals, 100..=100000.
    pub rank_replicates: u32,
    /// Confidence of those intervals, 0.5..=0.99.
    pub rank_confidence: f64,
}

impl Default for RiskOptions {
    fn default() -> Self {
        RiskOptions {
            packs: Vec::new(),
            scheme: None,
            hazards: BTreeMap::new(),
            rank_replicates: 1000,
            rank_confidence: 0.9,
        }
    }
}

/// Relief material.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReliefOptions {
    /// Profile of needs: `china-practice` or `bnpb`.
    pub profile: String,
    /// Probability that the greatest event of a year is covered, 0..1-10/years.
    pub confidence: f64,
    /// Share of relocated people housed by relatives (分散安置), 0..=1.
    pub elsewhere_share: f64,
}

impl Default for ReliefOptions {
    fn default() -> Self {
        ReliefOptions {
            profile: "china-practice".into(),
            confidence: 0.95,
            elsewhere_share: 0.6,
        }
    }
}

/// Maps and report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProductOptions {
    /// Language of maps and tables: `zh` or `en`.
    pub language: SheetLanguage,
    /// Producer (制图单位) printed on maps.
    pub producer: String,
    /// Date printed on maps; not the clock, so that the same inputs give the same bytes.
    pub date: String,
    /// Period of the data printed on maps.
    pub data_period: String,
    /// Approved-map number (审图号) of the borders.
    pub map_approval: String,
    /// Source of the borders, printed on maps; nothing is printed where empty.
    pub border_source: String,
    /// Height datum (高程基准) of the elevation, e.g. `1985国家高程基准`; printed as not stated where empty.
    pub height_datum: String,
    /// Paper (幅面): `a3` or `a4`.
    pub paper: Paper,
    /// `landscape` (横幅) or `portrait` (竖幅).
    pub orientation: Orientation,
    /// Pixels per inch of PNG maps, 50..=600.
    pub dpi: u32,
    /// Formats of maps and charts: `png`, `svg`, `pdf`; at least one.
    pub formats: Vec<Format>,
    /// Sheets of every unit (分县图): `none`, `grades` (hazard and risk grades) or `all` maps.
    pub unit_maps: UnitMaps,
    /// Polygons of the level above with a column `code`, for the small map that shows where the region lies; relative to the
    /// project file.
    pub overview: Option<PathBuf>,
    /// Map styles (地图样式), TOML, over the compiled-in `map_styles.toml`; relative to the project file.
    pub styles: Option<PathBuf>,
}

/// Which maps every unit gets on a sheet of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitMaps {
    /// None.
    #[default]
    None,
    /// Hazard and risk grades.
    Grades,
    /// All maps.
    All,
}

impl Default for ProductOptions {
    fn default() -> Self {
        ProductOptions {
            language: SheetLanguage::Zh,
            producer: "安澜".into(),
            date: "2026-01".into(),
            data_period: String::new(),
            map_approval: String::new(),
            border_source: String::new(),
            height_datum: String::new(),
            paper: Paper::A4,
            orientation: Orientation::Landscape,
            dpi: 200,
            formats: vec![Format::Png],
            unit_maps: UnitMaps::None,
            overview: None,
            styles: None,
        }
    }
}

/// Validation against historical disasters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidationOptions {
    /// First and last year of the record; those of its first and last event where 0.
    pub from_year: i32,
    /// Last year of the record.
    pub to_year: i32,
    /// Direct loss from which an event is held to be in the record of a unit, yuan, 1e4..=1e12.
    pub event_loss_yuan: f64,
    /// Grades that count as a warning, from the highest: 1..=4.
    pub warned_grades: u8,
}

impl Default for ValidationOptions {
    fn default() -> Self {
        ValidationOptions {
            from_year: 0,
            to_year: 0,
            event_loss_yuan: 1e8,
            warned_grades: 2,
        }
    }
}

/// Report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReportOptions {
    /// Languages; that of the products where empty.
    pub languages: Vec<SheetLanguage>,
    /// Title; that of the region and its kind where empty.
    pub title: String,
    /// Organisation (编制单位) on the cover; the producer of the products where empty.
    pub organisation: String,
    /// Chapters in print, of `data`, `methods`, `hazard`, `exposure`, `losses`, `grades`, `relief`, `limits`, `validation`,
    /// `provenance`; all where empty.
    pub chapters: Vec<String>,
    /// Maps in print, by file name without ending; a choice of one or two per hazard where empty.
    pub maps: Vec<String>,
    /// True for a short report of each unit besides.
    pub units: bool,
    /// Formats, of `pdf`, `html`, `docx`.
    pub formats: Vec<String>,
}

impl ReportOptions {
    /// All chapters, in order.
    pub const CHAPTERS: [&'static str; 10] = [
        "data",
        "methods",
        "hazard",
        "exposure",
        "losses",
        "grades",
        "relief",
        "limits",
        "validation",
        "provenance",
    ];
    /// All formats.
    pub const FORMATS: [&'static str; 3] = ["pdf", "html", "docx"];
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions {
            languages: Vec::new(),
            title: String::new(),
            organisation: String::new(),
            chapters: Vec::new(),
            maps: Vec::new(),
            units: false,
            formats: ReportOptions::FORMATS.map(String::from).to_vec(),
        }
    }
}

impl Project {
    /// Reads and checks a project file. Input paths come back absolute or relative to the current folder.
    ///
    /// # Errors
    /// The file is missing, is no TOML, has an unknown key or a value out of range; all range faults together.
    pub fn read(path: &Path) -> Result<Project> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
        let project: Project = toml::from_str(&text).map_err(|e| toml_fault(path, &text, &e))?;
        project.validate(path)?;
        Ok(project)
    }

    /// Input files by field, resolved against the project file's folder.
    pub fn files(&self, project_file: &Path) -> Vec<(&'static str, PathBuf)> {
        let base = project_file.parent().unwrap_or(Path::new(""));
        let i = &self.inputs;
        let mut files = vec![
            ("dem", &i.dem),
            ("land_cover", &i.land_cover),
            ("temperature", &i.temperature),
            ("rain", &i.rain),
            ("rain_rate", &i.rain_rate),
            ("units", &i.units),
            ("region", &i.region),
            ("places", &i.places),
            ("census", &i.census),
        ];
        let optional = [
            ("townships", &i.townships),
            ("crosswalk", &i.crosswalk),
            ("columns", &i.columns),
            ("danger_sites", &i.danger_sites),
            ("depots", &i.depots),
            ("shelters", &i.shelters),
            ("weather", &i.weather),
            ("convection", &i.convection),
            ("vulnerability", &i.vulnerability),
            ("overview", &self.products.overview),
            ("map_styles", &self.products.styles),
            ("responsible", &i.responsible),
            ("lists", &i.lists),
            ("measures", &i.measures),
            ("history", &i.history),
            ("history_columns", &i.history_columns),
            ("provenance", &i.provenance),
            ("dasymetric", &i.dasymetric),
            ("population_weight", &i.population_weight),
            ("night_light", &i.night_light),
            ("building_density", &i.building_density),
            ("economy", &i.economy),
            ("houses", &i.houses),
            ("critical_places", &i.critical_places),
            ("lifelines", &i.lifelines),
        ];
        files.extend(
            optional
                .iter()
                .filter_map(|(name, p)| p.as_ref().map(|p| (*name, p))),
        );
        // One name for all rule packs: a task that reads them depends on every one.
        files.extend(self.risk.packs.iter().map(|p| ("rule_packs", p)));
        files
            .into_iter()
            .map(|(name, p)| (name, base.join(p)))
            .collect()
    }

    fn validate(&self, path: &Path) -> Result<()> {
        let mut faults = Vec::new();
        let mut check = |ok: bool, key: &str, found: String, expected: &str, remedy: &str| {
            if !ok {
                faults.push(Fault::new(path, found, expected, remedy).at(key));
            }
        };
        let code = &self.project.code;
        check(
            code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
            "[project] code",
            format!("`{code}`"),
            "a division code of 6 digits",
            "write the code of the prefecture or province, e.g. \"330700\"",
        );
        let crs = Crs::from_epsg(self.grid.epsg);
        check(
            crs.as_ref().is_ok_and(|c| !c.is_geographic()),
            "[grid] epsg",
            self.grid.epsg.to_string(),
            "a projected system, e.g. 4534 to 4554 (CGCS2000 3-degree Gauss-Kruger)",
            "choose the zone whose central meridian is nearest to the region",
        );
        let mut range = |key: &str, value: f64, low: f64, high: f64| {
            check(
                value >= low && value <= high,
                key,
                value.to_string(),
                &format!("{low} to {high}"),
                "choose a value within the range",
            );
        };
        range("[grid] cell_m", self.grid.cell_m, 10.0, 2000.0);
        range("[grid] margin_m", self.grid.margin_m, 0.0, 50_000.0);
        range("[terrain] roughness", self.terrain.roughness, 0.0, 1.0);
        range("[terrain] hurst", self.terrain.hurst, 0.0, 1.0);
        range("[terrain] incision_m", self.terrain.incision_m, 0.0, 100.0);
        range("[flood] recession_h", self.flood.recession_h, 0.0, 240.0);
        range(
            "[flood] valley_hand_m",
            self.flood.valley_hand_m,
            1.0,
            100.0,
        );
        range("[flood] channel_km2", self.flood.channel_km2, 0.01, 1000.0);
        range(
            "[geology] slides_per_year_1000km2",
            self.geology.slides_per_year_1000km2,
            0.0,
            1000.0,
        );
        range(
            "[fire] fires_per_year_1000km2",
            self.fire.fires_per_year_1000km2,
            0.0,
            1000.0,
        );
        range(
            "[fire] fires_per_class",
            f64::from(self.fire.fires_per_class),
            10.0,
            100_000.0,
        );
        range(
            "[losses] years",
            f64::from(self.losses.years),
            100.0,
            1_000_000.0,
        );
        range(
            "[relief] elsewhere_share",
            self.relief.elsewhere_share,
            0.0,
            1.0,
        );
        range(
            "[validation] event_loss_yuan",
            self.validation.event_loss_yuan,
            1e4,
            1e12,
        );
        range(
            "[validation] warned_grades",
            f64::from(self.validation.warned_grades),
            1.0,
            4.0,
        );
        range(
            "[relief] confidence",
            self.relief.confidence,
            0.5,
            1.0 - 10.0 / f64::from(self.losses.years.max(100)),
        );
        range("[products] dpi", f64::from(self.products.dpi), 50.0, 600.0);
        range(
            "[risk] rank_replicates",
            f64::from(self.risk.rank_replicates),
            100.0,
            100_000.0,
        );
        range(
            "[risk] rank_confidence",
            self.risk.rank_confidence,
            0.5,
            0.99,
        );
        check(
            !self.products.formats.is_empty(),
            "[products] formats",
            "[]".into(),
            "at least one of `png`, `svg`, `pdf`",
            "write formats = [\"png\"]",
        );
        for hazard in self.risk.hazards.keys() {
            let known = Hazard::ALL.map(Hazard::name);
            check(
                known.contains(&hazard.as_str()),
                "[risk] hazards",
                format!("`{hazard}`"),
                &known.map(|k| format!("`{k}`")).join(", "),
                "name one of these hazards",
            );
        }
        let ascending = |v: &[f64], low: f64, high: f64| {
            !v.is_empty()
                && v.windows(2).all(|w| w[0] < w[1])
                && v.iter().all(|x| *x >= low && *x <= high)
        };
        for (key, values, low, high) in [
            (
                "[flood] return_periods",
                &self.flood.return_periods,
                2.0,
                1000.0,
            ),
            ("[flood] durations_h", &self.flood.durations_h, 0.5, 72.0),
            (
                "[geology] return_periods",
                &self.geology.return_periods,
                2.0,
                1e6,
            ),
            ("[fire] return_periods", &self.fire.return_periods, 2.0, 1e6),
            (
                "[losses] return_periods",
                &self.losses.return_periods,
                1.01,
                100_000.0,
            ),
        ] {
            check(
                ascending(values, low, high),
                key,
                format!("{values:?}"),
                &format!("ascending values of {low} to {high}"),
                "sort the list and remove repeated values",
            );
        }
        for (key, given, known) in [
            (
                "[report] chapters",
                &self.report.chapters,
                ReportOptions::CHAPTERS.as_slice(),
            ),
            (
                "[report] formats",
                &self.report.formats,
                ReportOptions::FORMATS.as_slice(),
            ),
        ] {
            for name in given.iter().filter(|n| !known.contains(&n.as_str())) {
                check(
                    false,
                    key,
                    format!("`{name}`"),
                    &known.join(", "),
                    "choose from these",
                );
            }
        }
        let years = (self.validation.from_year, self.validation.to_year);
        check(
            years.0 <= years.1 || years.1 == 0,
            "[validation] to_year",
            years.1.to_string(),
            "a year not before from_year, or 0",
            "correct the year",
        );
        let flood = &self.flood;
        faults.extend(pattern::check(&flood.patterns, &flood.wetness, path));
        if self.project.screening
            && flood
                .patterns
                .iter()
                .any(|p| p.shape != PatternShape::Uniform)
        {
            let found = flood.patterns.iter().map(|p| format!("`{}`", p.name()));
            faults.push(
                Fault::new(
                    path,
                    found.collect::<Vec<_>>().join(", "),
                    "`uniform` alone in a screening, whose rating curves know no pattern",
                    "remove `patterns`, or `screening = true`",
                )
                .at("[flood] patterns"),
            );
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Input(faults))
        }
    }
}

/// A TOML error as a fault that names the line.
pub(crate) fn toml_fault(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let message = error.message().to_string();
    let line = error
        .span()
        .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let snippet = line
        .and_then(|n| text.lines().nth(n - 1))
        .unwrap_or_default()
        .trim()
        .to_string();
    let mut fault = Fault::new(
        path,
        format!("`{snippet}`: {message}"),
        "a project file as `anlan new` writes it",
        "correct the key or the value; README lists every field",
    );
    if let Some(n) = line {
        fault = fault.at(format!("line {n}"));
    }
    Error::input(fault)
}
