//! One map from a raster (`anlan map`): a raster of values by a scale of the map styles, or of grades by a rule pack, with
//! borders, on A3 or A4, as PNG, SVG and PDF. Marks of the raster (synthetic, screening) go onto the map.

use anlan_engine::io::vector::{self, Layer};
use anlan_engine::io::{geotiff, write_atomic};
use anlan_engine::{Bounds, Crs, Error, Fault, Raster, Result};
use anlan_models::cartography::styles::Level;
use anlan_models::cartography::{
    Border, Colour, Fonts, Format, Inset, Label, LegendEntry, MapStyles, Mark, Page, Setting,
    Sheet, SheetLanguage, SheetTable, draw as lay_out,
};
use anlan_models::risk::{RulePack, RulePacks};
use geo::{Area, BoundingRect, InteriorPoint, MultiPolygon};
use std::path::{Path, PathBuf};

/// How the values of a raster become colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Style {
    /// By the name of the file: a scale or the classes of the map styles.
    OfFile,
    /// A scale of the map styles, by its id.
    Scale(String),
    /// A rule pack, by its id: grades 1 (highest) and on.
    Pack(String),
}

/// What to draw.
#[derive(Debug, Clone)]
pub struct MapOptions {
    /// Raster (GeoTIFF).
    pub raster: PathBuf,
    /// Band, from 1.
    pub band: usize,
    /// Colours.
    pub style: Style,
    /// Rule packs over the compiled-in ones (TOML).
    pub packs: Option<PathBuf>,
    /// Map styles over the compiled-in ones (TOML).
    pub styles: Option<PathBuf>,
    /// Polygons of units with columns `code` and `name`.
    pub units: Option<PathBuf>,
    /// Polygons of the level above.
    pub region: Option<PathBuf>,
    /// Code or name of the one unit that the map is of.
    pub unit: Option<String>,
    /// Shading 0..=255 on the grid of the raster (GeoTIFF).
    pub hillshade: Option<PathBuf>,
    /// Title; the name of the file where empty.
    pub title: String,
    /// Line below the title: period of the data.
    pub subtitle: String,
    /// Producer (制图单位).
    pub producer: String,
    /// Date.
    pub date: String,
    /// Approved-map number (审图号).
    pub approval: String,
    /// Height datum (高程基准).
    pub height_datum: String,
    /// Further notes.
    pub notes: Vec<String>,
    /// Paper.
    pub page: Page,
    /// Formats; PNG where empty.
    pub formats: Vec<Format>,
    /// File to write, without extension.
    pub out: PathBuf,
    /// Further fonts.
    pub fonts: Vec<PathBuf>,
    /// Language.
    pub language: SheetLanguage,
}

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Files written.
    pub files: Vec<PathBuf>,
    /// Denominator of the scale on paper.
    pub ratio: u64,
    /// Names that found no place.
    pub dropped: Vec<String>,
}

/// Draws one map.
///
/// # Errors
/// A file that cannot be read; a raster that no style knows; a unit that is not there; a shading on another grid; a character that
/// no font has.
pub fn draw(options: &MapOptions) -> Result<Made> {
    let zh = options.language == SheetLanguage::Zh;
    let fonts: Vec<&Path> = options.fonts.iter().map(PathBuf::as_path).collect();
    let fonts = Fonts::with_files(&fonts)?;
    let mut styles = MapStyles::builtin();
    if let Some(file) = &options.styles {
        styles.extend(MapStyles::parse(&read(file)?, file)?);
    }
    let classed = classed(options, &styles, zh)?;
    let crs = classed.classes.grid.crs;
    let shade = match &options.hillshade {
        Some(file) => {
            let shade = geotiff::read_f32(file, 1)?;
            if !shade.grid.same_cells(&classed.classes.grid) {
                return Err(Error::input(Fault::new(
                    file,
                    format!("{} x {} cells", shade.grid.rows, shade.grid.cols),
                    "the grid of the raster",
                    "make the shading on the grid of the raster, or leave it out",
                )));
            }
            Some(shade)
        }
        None => None,
    };
    let units = match &options.units {
        Some(file) => Units::read(file, crs)?,
        None => Units::default(),
    };
    let region = match &options.region {
        Some(file) => Units::read(file, crs)?,
        None => Units::default(),
    };
    let focus = match &options.unit {
        Some(name) => Some(units.find(name, options)?),
        None => None,
    };
    let mut borders: Vec<Border<'_>> = Vec::new();
    for set in [&units, &region] {
        if !set.borders.is_empty() {
            let level = unit_level(set.codes.iter().map(String::as_str));
            borders.push(styles.border(level)?.of(set.borders.iter().collect(), zh));
        }
    }
    let labels: Vec<Label> = (0..units.borders.len())
        .filter_map(|k| {
            let (x, y) = interior(&units.borders[k])?;
            Some(Label {
                x,
                y,
                text: units.names[k].clone(),
                size: if units.names.len() > 30 { 18.0 } else { 30.0 },
            })
        })
        .collect();
    let mut notes = classed.notes.clone();
    notes.extend(options.notes.iter().cloned());
    let stem = stem(&options.raster);
    let title = match (&options.title, focus) {
        (t, _) if !t.is_empty() => t.clone(),
        (_, Some(k)) => format!("{} {stem}", units.names[k]),
        _ => stem.to_string(),
    };
    let mut setting = Setting {
        page: options.page,
        approval: options.approval.clone(),
        height_datum: options.height_datum.clone(),
        ..Setting::default()
    };
    if let Some(k) = focus {
        setting.window = Some(window_of(&units.borders[k], 0.04));
        setting.focus = Some(&units.borders[k]);
        if units.borders.len() > 1 {
            setting.inset = Some(Inset {
                title: if zh { "位置图" } else { "Location" }.into(),
                units: units.borders.iter().collect(),
                highlight: vec![&units.borders[k]],
                window: None,
                rectangle: true,
            });
        }
    }
    let sheet = Sheet {
        title,
        subtitle: options.subtitle.clone(),
        classes: &classed.classes,
        hillshade: shade.as_ref(),
        legend_title: classed.heading.clone(),
        legend: classed.legend.clone(),
        borders,
        labels,
        points: Vec::new(),
        notes,
        producer: options.producer.clone(),
        date: options.date.clone(),
        marks: classed.marks.clone(),
        language: options.language,
    };
    let drawing = lay_out(&sheet, &setting, &fonts)?;
    let formats = if options.formats.is_empty() {
        &[Format::Png][..]
    } else {
        &options.formats
    };
    let mut files = Vec::new();
    for &format in formats {
        let mut name = options.out.clone().into_os_string();
        name.push(".");
        name.push(format.extension());
        let path = PathBuf::from(name);
        let bytes = drawing.encoded(format, &fonts)?;
        write_atomic(&path, |tmp| {
            std::fs::write(tmp, &bytes).map_err(|e| Error::io("writing", &path, e))
        })?;
        files.push(path);
    }
    Ok(Made {
        files,
        ratio: drawing.ratio(),
        dropped: drawing.dropped().to_vec(),
    })
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).map_err(|e| Error::io("reading", file, e))
}

fn stem(file: &Path) -> &str {
    file.file_stem().and_then(|s| s.to_str()).unwrap_or("map")
}

/// A raster as classes with their legend.
struct Classed {
    classes: Raster<u8>,
    heading: String,
    legend: Vec<LegendEntry>,
    notes: Vec<String>,
    marks: Vec<Mark>,
}

fn classed(options: &MapOptions, styles: &MapStyles, zh: bool) -> Result<Classed> {
    let file = &options.raster;
    let tags = geotiff::info(file)?.tags;
    let mut marks = Vec::new();
    if tags.contains_key("ANLAN_SYNTHETIC") {
        marks.push(Mark::Synthetic);
    }
    if tags.contains_key("ANLAN_SCREENING") {
        marks.push(Mark::Screening);
    }
    let by_scale = |id: &str, marks: Vec<Mark>| -> Result<Classed> {
        let scale = styles.scale(id)?;
        let raster = geotiff::read_f32(file, options.band)?;
        Ok(Classed {
            classes: scale.classify(&raster, None),
            heading: scale.heading(zh),
            legend: scale.legend(),
            notes: Vec::new(),
            marks,
        })
    };
    match &options.style {
        Style::Scale(id) => by_scale(id, marks),
        Style::Pack(id) => {
            let mut packs = RulePacks::builtin();
            if let Some(file) = &options.packs {
                packs.extend(RulePacks::parse(&read(file)?, file)?, file)?;
            }
            let pack = packs.get(id)?;
            Ok(Classed {
                classes: geotiff::read_u8(file, options.band)?,
                heading: if zh { "等级" } else { "grade" }.into(),
                legend: pack_legend(pack, zh),
                notes: vec![pack_note(pack, zh)],
                marks,
            })
        }
        Style::OfFile => {
            if let Some(scale) = styles.scale_of_file(stem(file)) {
                return by_scale(&scale.id, marks);
            }
            let style = styles.classes_of_file(stem(file)).ok_or_else(|| {
                Error::input(Fault::new(
                    file,
                    "a name that no map style knows",
                    "a raster of the pipeline, or a style",
                    "give --scale ID or --pack ID",
                ))
            })?;
            let pick = |z: &str, e: &str| if zh { z.to_string() } else { e.to_string() };
            Ok(Classed {
                classes: geotiff::read_u8(file, options.band)?,
                heading: pick(&style.name_zh, &style.name_en),
                legend: style
                    .class
                    .iter()
                    .map(|c| LegendEntry {
                        code: c.code,
                        colour: Colour(c.colour),
                        name: pick(&c.zh, &c.en),
                    })
                    .collect(),
                notes: Vec::new(),
                marks,
            })
        }
    }
}

/// Units of a file.
#[derive(Default)]
struct Units {
    codes: Vec<String>,
    names: Vec<String>,
    borders: Vec<MultiPolygon<f64>>,
}

impl Units {
    fn read(file: &Path, crs: Crs) -> Result<Units> {
        let layer: Layer = vector::read(file)?.reprojected(crs);
        let (code, name) = (layer.require("code")?, layer.require("name")?);
        let mut out = Units::default();
        for (i, feature) in layer.features.iter().enumerate() {
            if let Some(border) = layer.polygons(i) {
                out.codes.push(feature.values[code].to_string());
                out.names.push(feature.values[name].to_string());
                out.borders.push(border);
            }
        }
        Ok(out)
    }

    fn find(&self, name: &str, options: &MapOptions) -> Result<usize> {
        (0..self.codes.len())
            .find(|&k| self.codes[k] == name || self.names[k] == name)
            .ok_or_else(|| {
                let known: Vec<String> = self
                    .codes
                    .iter()
                    .zip(&self.names)
                    .map(|(c, n)| format!("{c} {n}"))
                    .collect();
                let file = options.units.clone().unwrap_or_else(|| "--units".into());
                Error::input(
                    Fault::new(
                        file,
                        format!("no unit `{name}`"),
                        if known.is_empty() {
                            "a file of units".to_string()
                        } else {
                            known.join(", ")
                        },
                        "give the code or the name of a unit of --units",
                    )
                    .at("--unit"),
                )
            })
    }
}

/// Status of a rule as readers see it.
pub(crate) fn told_status(status: &str, zh: bool) -> &str {
    match (status, zh) {
        ("unverified", true) => "未核实",
        ("read", true) => "已核对原文",
        (status, _) => status,
    }
}

/// Note of a rule pack on a sheet: id, status and hash, so that a map can be traced to its rules.
pub fn pack_note(pack: &RulePack, zh: bool) -> String {
    let status = told_status(&pack.status, zh);
    if zh {
        format!("规则包：{}（{status}，{}）", pack.id, pack.hash())
    } else {
        format!("Rule pack: {} ({status}, {})", pack.id, pack.hash())
    }
}

/// Legend of a rule pack, high to low.
pub fn pack_legend(pack: &RulePack, zh: bool) -> Vec<LegendEntry> {
    (0..pack.grading.classes())
        .map(|k| LegendEntry {
            code: k as u8 + 1,
            colour: Colour(pack.colours[k]),
            name: pack.name(k as u8 + 1, zh).to_string(),
        })
        .collect()
}

/// Area and residents by class.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// By code: area, km².
    area_km2: Vec<f64>,
    /// By code: residents; empty where nobody was counted.
    people: Vec<f64>,
    /// All cells counted, km².
    all_km2: f64,
}

impl Counted {
    /// Counts the cells for which `inside` holds; class 0 and cells without residents count nothing.
    pub fn of(
        classes: &Raster<u8>,
        people: Option<&Raster<f32>>,
        inside: impl Fn(usize) -> bool,
    ) -> Counted {
        let mut out = Counted {
            area_km2: vec![0.0; 256],
            people: vec![0.0; if people.is_some() { 256 } else { 0 }],
            all_km2: 0.0,
        };
        let cols = classes.grid.cols;
        for row in 0..classes.grid.rows {
            let cell = classes.grid.cell_area_m2(row) / 1e6;
            for i in row * cols..(row + 1) * cols {
                if !inside(i) {
                    continue;
                }
                let class = classes.values()[i] as usize;
                out.all_km2 += cell;
                out.area_km2[class] += cell;
                if let Some(p) = people.map(|p| p.values()[i]).filter(|p| p.is_finite()) {
                    out.people[class] += f64::from(p);
                }
            }
        }
        out
    }

    /// The table beside the map, high to low, with a total of the graded ground.
    pub fn table(&self, legend: &[LegendEntry], zh: bool) -> SheetTable {
        let counted = !self.people.is_empty();
        let mut header: Vec<String> = if zh {
            vec!["等级", "面积（km²）", "占比（%）"]
        } else {
            vec!["class", "area (km²)", "share (%)"]
        }
        .into_iter()
        .map(String::from)
        .collect();
        if counted {
            header.push(
                if zh {
                    "常住人口（人）"
                } else {
                    "residents"
                }
                .into(),
            );
        }
        let row = |name: &str, km2: f64, people: Option<f64>| {
            let mut cells = vec![
                name.to_string(),
                format!("{km2:.1}"),
                format!("{:.1}", 100.0 * km2 / self.all_km2.max(1e-12)),
            ];
            cells.extend(people.map(|p| format!("{:.0}", p)));
            cells
        };
        let of = |code: u8| counted.then(|| self.people[code as usize]);
        let mut rows: Vec<Vec<String>> = legend
            .iter()
            .map(|e| row(&e.name, self.area_km2[e.code as usize], of(e.code)))
            .collect();
        let sum = |v: &[f64]| legend.iter().map(|e| v[e.code as usize]).sum::<f64>();
        rows.push(row(
            if zh { "合计" } else { "total" },
            sum(&self.area_km2),
            counted.then(|| sum(&self.people)),
        ));
        SheetTable {
            title: if zh {
                "分级统计"
            } else {
                "Area and residents by class"
            }
            .into(),
            header,
            rows,
        }
    }
}

/// Level of most units, by their codes; counties where there are none.
pub(crate) fn unit_level<'a>(codes: impl Iterator<Item = &'a str>) -> Level {
    codes.map(Level::of_code).min().unwrap_or(Level::County)
}

/// A point inside the largest part of a unit.
pub(crate) fn interior(border: &MultiPolygon<f64>) -> Option<(f64, f64)> {
    // Of a county of islands, the greatest.
    let main = border
        .iter()
        .max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()))?;
    let p = main.interior_point()?;
    Some((p.x(), p.y()))
}

/// Ground around a unit with a margin, as a share of its longer side.
pub(crate) fn window_of(border: &MultiPolygon<f64>, margin: f64) -> Bounds {
    let Some(r) = border.bounding_rect() else {
        return Bounds::EMPTY;
    };
    Bounds {
        west: r.min().x,
        south: r.min().y,
        east: r.max().x,
        north: r.max().y,
    }
    .expanded(margin * r.width().max(r.height()))
}

/// True for a text with hanzi.
pub(crate) fn has_hanzi(text: &str) -> bool {
    text.chars().any(|c| ('\u{3400}'..='\u{9fff}').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::Grid;

    #[test]
    fn classes_are_counted_by_area_and_residents() {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (5e5, 3.2e6),
            (1000.0, 1000.0),
            (1, 4),
        )
        .unwrap();
        let mut classes = Raster::filled(grid, 0_u8);
        classes.values_mut().copy_from_slice(&[1, 2, 2, 0]);
        let mut people = Raster::filled(grid, 0.0_f32);
        people
            .values_mut()
            .copy_from_slice(&[10.0, 5.0, f32::NAN, 7.0]);
        let counted = Counted::of(&classes, Some(&people), |i| i < 4);
        let legend = [(1, "高"), (2, "低")].map(|(code, name)| LegendEntry {
            code,
            colour: Colour([0, 0, 0]),
            name: name.into(),
        });
        let table = counted.table(&legend, true);
        assert_eq!(table.rows[0], ["高", "1.0", "25.0", "10"]);
        assert_eq!(table.rows[1], ["低", "2.0", "50.0", "5"]);
        assert_eq!(table.rows[2], ["合计", "3.0", "75.0", "15"]);
    }
}
