//! Styles of maps (地图样式) as data: `standards/map_styles.toml`, and a project's own file over it.

use super::sheet::{Border, Colour, LegendEntry};
use anlan_engine::{Error, Fault, Raster, Result};
use geo::MultiPolygon;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Millimetres of the unit of line widths on a sheet (1/200 inch).
const PX_MM: f32 = 25.4 / 200.0;

/// All styles.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MapStyles {
    /// Scales of values.
    pub scale: Vec<Scale>,
    /// Rasters of classes.
    pub classes: Vec<ClassStyle>,
    /// Schemes of grades.
    pub scheme: Vec<Scheme>,
    /// Borders by level.
    pub border: Vec<BorderStyle>,
}

/// A scale of values: classes with their least value and colour, low to high.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Name by which maps ask for it.
    pub id: String,
    /// Heading of the legend in Chinese.
    pub name_zh: String,
    /// Heading in English.
    pub name_en: String,
    /// Unit of the values; empty for none.
    pub unit: String,
    /// Unit in English, where it differs.
    #[serde(default)]
    pub unit_en: Option<String>,
    /// Least value of each class, ascending.
    pub from: Vec<f64>,
    /// Colour of each class.
    #[serde(default)]
    pub colours: Vec<[u8; 3]>,
    /// Colours as cyan, magenta, yellow and black in percent, in place of `colours`.
    #[serde(default)]
    pub cmyk: Vec<[f64; 4]>,
    /// Names of raster files without extension, `*` for any letters.
    #[serde(default)]
    pub files: Vec<String>,
    /// Where bounds and colours come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
}

/// A raster of classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassStyle {
    /// Names of raster files without extension, `*` for any letters.
    pub files: Vec<String>,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// The classes.
    pub class: Vec<NamedClass>,
    /// Where the classes come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
}

/// A class with its name and colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedClass {
    /// Code in the raster.
    pub code: u8,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// Colour.
    pub colour: [u8; 3],
}

/// Colours of grades, high to low.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Name.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Screen colours.
    #[serde(default)]
    pub colours: Vec<[u8; 3]>,
    /// Colours as cyan, magenta, yellow and black in percent, in place of `colours`.
    #[serde(default)]
    pub cmyk: Vec<[f64; 4]>,
    /// Where they come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
}

/// Level of a border, low to high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Village (村).
    Village,
    /// Township (乡级).
    Township,
    /// County (县级).
    County,
    /// Prefecture (地级).
    Prefecture,
    /// Province (省级).
    Province,
    /// Country.
    National,
}

impl Level {
    /// Level of the unit of a division code (行政区划代码) of 2, 4, 6, 9 or 12 digits, trailing zeros filled in or not.
    pub fn of_code(code: &str) -> Level {
        let code = code.trim();
        let meaning = code.trim_end_matches('0').len();
        // 100000 is the country; a prefecture such as 110100 keeps its zero.
        match (code.len(), meaning) {
            (_, 0) => Level::National,
            (6.., 1) if code.starts_with('1') => Level::National,
            (_, ..=2) => Level::Province,
            (_, ..=4) => Level::Prefecture,
            (_, ..=6) => Level::County,
            (_, ..=9) => Level::Township,
            _ => Level::Village,
        }
    }
}

/// Line of a border.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, from = "BorderRow", into = "BorderRow")]
pub struct BorderStyle {
    row: BorderRow,
    /// The dashes in the unit of the width of [`Border`].
    dash: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BorderRow {
    level: Level,
    name_zh: String,
    name_en: String,
    width_mm: f32,
    dash_mm: Vec<f32>,
    colour: [u8; 3],
    source: String,
    status: String,
}

impl From<BorderRow> for BorderStyle {
    fn from(row: BorderRow) -> Self {
        let dashes: Vec<String> = row
            .dash_mm
            .iter()
            .map(|d| format!("{:.3}", d / PX_MM))
            .collect();
        BorderStyle {
            dash: dashes.join(" "),
            row,
        }
    }
}

impl From<BorderStyle> for BorderRow {
    fn from(style: BorderStyle) -> Self {
        style.row
    }
}

impl BorderStyle {
    /// Borders of polygons in this style.
    pub fn of<'a>(&'a self, polygons: Vec<&'a MultiPolygon<f64>>, zh: bool) -> Border<'a> {
        Border {
            polygons,
            width: self.row.width_mm / PX_MM,
            colour: Colour(self.row.colour),
            dash: &self.dash,
            name: if zh {
                self.row.name_zh.clone()
            } else {
                self.row.name_en.clone()
            },
        }
    }
}

impl MapStyles {
    /// The styles that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn builtin() -> Self {
        MapStyles::parse(
            include_str!("../../standards/map_styles.toml"),
            Path::new("standards/map_styles.toml"),
        )
        .expect("the compiled-in styles are read by a test")
    }

    /// Styles from TOML text.
    ///
    /// # Errors
    /// Text of another shape; scales whose bounds do not ascend or whose colours are not as many as their classes.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let mut styles: MapStyles = toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.message().to_string(),
                "a file of map styles",
                "compare with the compiled-in map_styles.toml",
            ))
        })?;
        let mut faults = Vec::new();
        for scale in &mut styles.scale {
            let place = format!("scale {}", scale.id);
            if let Some(fault) = resolve(&mut scale.colours, &scale.cmyk, file) {
                faults.push(fault.at(place.clone()));
            }
            if scale.from.is_empty() || scale.from.windows(2).any(|p| p[0] >= p[1]) {
                faults.push(
                    Fault::new(
                        file,
                        format!("from = {:?}", scale.from),
                        "ascending bounds, at least one",
                        "put the least values of the classes in order",
                    )
                    .at(place.clone()),
                );
            }
            if scale.colours.len() != scale.from.len() || scale.from.len() > 254 {
                faults.push(
                    Fault::new(
                        file,
                        format!("{} colours", scale.colours.len()),
                        format!("{}, one per class, at most 254", scale.from.len()),
                        "add or remove colours",
                    )
                    .at(place),
                );
            }
        }
        for scheme in &mut styles.scheme {
            if let Some(fault) = resolve(&mut scheme.colours, &scheme.cmyk, file) {
                faults.push(fault.at(format!("scheme {}", scheme.id)));
            }
        }
        if faults.is_empty() {
            Ok(styles)
        } else {
            Err(Error::Input(faults))
        }
    }

    /// Replaces entries of the same name and adds the others; later rasters of classes are asked first.
    pub fn extend(&mut self, other: MapStyles) {
        fn merge<T>(into: &mut Vec<T>, from: Vec<T>, same: impl Fn(&T, &T) -> bool) {
            for item in from {
                match into.iter_mut().find(|old| same(old, &item)) {
                    Some(old) => *old = item,
                    None => into.push(item),
                }
            }
        }
        merge(&mut self.scale, other.scale, |a, b| a.id == b.id);
        merge(&mut self.scheme, other.scheme, |a, b| a.id == b.id);
        merge(&mut self.border, other.border, |a, b| {
            a.row.level == b.row.level
        });
        self.classes.splice(0..0, other.classes);
    }

    /// The scale of this name.
    ///
    /// # Errors
    /// No such scale.
    pub fn scale(&self, id: &str) -> Result<&Scale> {
        self.scale.iter().find(|s| s.id == id).ok_or_else(|| {
            let known: Vec<&str> = self.scale.iter().map(|s| s.id.as_str()).collect();
            Error::input(Fault::new(
                "map styles",
                format!("`{id}`"),
                known.join(", "),
                "name one of these scales, or add it to the project's styles",
            ))
        })
    }

    /// The scheme of this name.
    ///
    /// # Errors
    /// No such scheme.
    pub fn scheme(&self, id: &str) -> Result<&Scheme> {
        self.scheme.iter().find(|s| s.id == id).ok_or_else(|| {
            let known: Vec<&str> = self.scheme.iter().map(|s| s.id.as_str()).collect();
            Error::input(Fault::new(
                "map styles",
                format!("`{id}`"),
                known.join(", "),
                "name one of these schemes, or add it to the project's styles",
            ))
        })
    }

    /// The line of a level.
    ///
    /// # Errors
    /// No such line.
    pub fn border(&self, level: Level) -> Result<&BorderStyle> {
        self.border
            .iter()
            .find(|b| b.row.level == level)
            .ok_or_else(|| Error::Failed(format!("map styles without a border of level {level:?}")))
    }

    /// The scale of a raster file, by its name without extension; the longest fitting name counts.
    pub fn scale_of_file(&self, stem: &str) -> Option<&Scale> {
        best(&self.scale, |s| &s.files, stem)
    }

    /// The classes of a raster file, by its name without extension.
    pub fn classes_of_file(&self, stem: &str) -> Option<&ClassStyle> {
        best(&self.classes, |c| &c.files, stem)
    }
}

fn best<'a, T>(items: &'a [T], files: impl Fn(&T) -> &Vec<String>, stem: &str) -> Option<&'a T> {
    let mut found: Option<(usize, &T)> = None;
    for item in items {
        for pattern in files(item).iter().filter(|p| fits(p, stem)) {
            if found.is_none_or(|(length, _)| pattern.len() > length) {
                found = Some((pattern.len(), item));
            }
        }
    }
    found.map(|(_, item)| item)
}

/// True where a name fits a pattern with `*` for any letters.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Screen colours from printed ones, where those are given; a fault where they are no percentages or both are given.
fn resolve(colours: &mut Vec<[u8; 3]>, cmyk: &[[f64; 4]], file: &Path) -> Option<Fault> {
    if cmyk.is_empty() {
        return None;
    }
    if !colours.is_empty() || cmyk.iter().flatten().any(|p| !(0.0..=100.0).contains(p)) {
        return Some(Fault::new(
            file,
            format!("cmyk = {cmyk:?}"),
            "percentages 0..100, and no `colours` beside them",
            "give either colours or cmyk",
        ));
    }
    *colours = cmyk.iter().map(|&c| rgb_of_cmyk(c)).collect();
    None
}

/// Screen colour of inks in percent: R = 255 (1 - C/100) (1 - K/100), G and B likewise with M and Y.
pub fn rgb_of_cmyk([c, m, y, k]: [f64; 4]) -> [u8; 3] {
    [c, m, y].map(|ink| (255.0 * (1.0 - ink / 100.0) * (1.0 - k / 100.0)).round() as u8)
}

impl Scale {
    /// Class of a value: 1 the highest, 0 for values below the least bound and NaN.
    pub fn class(&self, value: f64) -> u8 {
        if value >= self.from[0] {
            (self.from.len() - self.from.partition_point(|b| *b <= value)) as u8 + 1
        } else {
            0
        }
    }

    /// Classes of a raster; cells where `inside` is NaN get 0.
    pub fn classify(&self, raster: &Raster<f32>, inside: Option<&Raster<f32>>) -> Raster<u8> {
        let mut out = Raster::filled(raster.grid, 0_u8).with_nodata(0);
        // Bounds are compared in the precision of the raster, so that a stored 0.15 reaches the bound 0.15.
        let from: Vec<f32> = self.from.iter().map(|b| *b as f32).collect();
        for (i, (class, &v)) in out.values_mut().iter_mut().zip(raster.values()).enumerate() {
            let shown = inside.is_none_or(|u| !u.values()[i].is_nan());
            if shown && v >= from[0] {
                *class = (from.len() - from.partition_point(|b| *b <= v)) as u8 + 1;
            }
        }
        out
    }

    /// Heading of the legend with its unit.
    pub fn heading(&self, zh: bool) -> String {
        let unit = self.unit(zh);
        match (zh, unit.is_empty()) {
            (true, true) => self.name_zh.clone(),
            (true, false) => format!("{}（{unit}）", self.name_zh),
            (false, true) => self.name_en.clone(),
            (false, false) if self.name_en.ends_with(unit) => self.name_en.clone(),
            (false, false) => format!("{} ({unit})", self.name_en),
        }
    }

    fn unit(&self, zh: bool) -> &str {
        match &self.unit_en {
            Some(unit) if !zh => unit,
            _ => &self.unit,
        }
    }

    /// Name of a class, 1 the highest.
    pub fn class_name(&self, class: u8) -> String {
        let k = self.from.len() - class as usize;
        match self.from.get(k + 1) {
            Some(next) => format!("{} ~ {next}", self.from[k]),
            None => format!("≥ {}", self.from[k]),
        }
    }

    /// Legend, high to low; codes as [`Scale::classify`] gives them.
    pub fn legend(&self) -> Vec<LegendEntry> {
        (1..=self.from.len() as u8)
            .map(|code| LegendEntry {
                code,
                colour: Colour(self.colours[self.from.len() - code as usize]),
                name: self.class_name(code),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_styles_are_whole() {
        let styles = MapStyles::builtin();
        assert!(
            styles.scale.iter().all(
                |s| !s.source.is_empty() && ["read", "unverified"].contains(&s.status.as_str())
            )
        );
        for level in [
            Level::Village,
            Level::Township,
            Level::County,
            Level::Prefecture,
            Level::Province,
            Level::National,
        ] {
            styles.border(level).unwrap();
        }
        assert!(
            styles
                .scale("no such")
                .unwrap_err()
                .to_string()
                .contains("flood-depth")
        );
    }

    #[test]
    fn inks_become_screen_colours() {
        // Population risk, highest: C 0, M 100, Y 100, K 25: 255 x 0.75 = 191.25.
        assert_eq!(rgb_of_cmyk([0.0, 100.0, 100.0, 25.0]), [191, 0, 0]);
        let styles = MapStyles::builtin();
        let scheme = styles.scheme("census-rainstorm-hazard").unwrap();
        // (100, 70, 40, 0): 0, 76.5, 153.
        assert_eq!(scheme.colours[0], [0, 77, 153]);
        assert_eq!(scheme.colours.len(), 4);
    }

    #[test]
    fn values_fall_into_classes_and_the_legend_runs_from_high_to_low() {
        let styles = MapStyles::builtin();
        let depth = styles.scale("flood-depth").unwrap();
        assert_eq!(depth.class(0.04), 0);
        assert_eq!(depth.class(f64::NAN), 0);
        assert_eq!(depth.class(0.05), 6);
        assert_eq!(depth.class(0.5), 4);
        assert_eq!(depth.class(9.0), 1);
        let names: Vec<String> = depth.legend().into_iter().map(|e| e.name).collect();
        assert_eq!(
            names,
            [
                "≥ 4",
                "2 ~ 4",
                "1 ~ 2",
                "0.5 ~ 1",
                "0.15 ~ 0.5",
                "0.05 ~ 0.15"
            ]
        );
        assert_eq!(depth.heading(true), "最大水深（m）");
        let slide = styles.scale("slide").unwrap();
        assert_eq!(slide.class_name(5), "0.000001 ~ 0.00001");
    }

    #[test]
    fn files_find_their_style() {
        let styles = MapStyles::builtin();
        let id = |stem: &str| styles.scale_of_file(stem).map(|s| s.id.as_str());
        assert_eq!(id("depth_m_rp0100"), Some("flood-depth"));
        assert_eq!(id("flood_risk_index"), Some("rank"));
        assert_eq!(id("gdp_yuan"), Some("money-cell"));
        assert_eq!(id("unit"), None);
        assert!(styles.classes_of_file("land_cover").is_some());
        assert!(fits("a*c*e", "abcde") && !fits("a*c*e", "abde") && !fits("abc", "abcd"));
    }

    #[test]
    fn codes_have_levels() {
        for (code, level) in [
            ("330000", Level::Province),
            ("330700", Level::Prefecture),
            ("330702", Level::County),
            ("330702001", Level::Township),
            ("330702001000", Level::Township),
            ("330702001003", Level::Village),
            ("100000", Level::National),
            ("110000", Level::Province),
        ] {
            assert_eq!(Level::of_code(code), level, "{code}");
        }
    }

    #[test]
    fn faults_of_a_file_are_told_together() {
        let text = "[[scale]]\nid=\"a\"\nname_zh=\"a\"\nname_en=\"a\"\nunit=\"\"\nfrom=[2.0,1.0]\ncolours=[[1,2,3]]\nsource=\"\"\nstatus=\"read\"\n";
        let error = MapStyles::parse(text, Path::new("s.toml")).unwrap_err();
        assert_eq!(error.faults().len(), 2);
        assert!(MapStyles::parse("[[scale]]\nid = 1", Path::new("s.toml")).is_err());
    }
}
