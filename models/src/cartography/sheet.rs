//! What is on a map sheet.

use super::page::Page;
use anlan_engine::grid::Bounds;
use anlan_engine::{Crs, Grid, Raster};
use geo::MultiPolygon;
use serde::{Deserialize, Serialize};

/// A colour, red green blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// `#rrggbb`.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2])
    }
}

/// Language of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SheetLanguage {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// One class of the raster with its colour and name.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendEntry {
    /// Class code in the raster.
    pub code: u8,
    /// Colour.
    pub colour: Colour,
    /// Name, high to low.
    pub name: String,
}

/// A border.
#[derive(Debug, Clone)]
pub struct Border<'a> {
    /// Polygons in the system of the sheet.
    pub polygons: Vec<&'a MultiPolygon<f64>>,
    /// Stroke width on A4, px at 200 dpi (0.127 mm).
    pub width: f32,
    /// Colour.
    pub colour: Colour,
    /// Dash pattern, in the unit of the width, empty for solid. A dashed line hides what is drawn below it.
    pub dash: &'a str,
    /// Name in the legend.
    pub name: String,
}

/// A name on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// x in the system of the sheet.
    pub x: f64,
    /// y.
    pub y: f64,
    /// The name.
    pub text: String,
    /// Font size on A4, px at 200 dpi (0.127 mm).
    pub size: f32,
}

/// Points drawn with one symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct PointSymbol {
    /// Coordinates in the system of the sheet.
    pub points: Vec<(f64, f64)>,
    /// Colour.
    pub colour: Colour,
    /// Radius on A4, px at 200 dpi (0.127 mm).
    pub radius: f32,
    /// Name in the legend.
    pub name: String,
}

/// A mark that the sheet must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Made from synthetic layers.
    Synthetic,
    /// Made by a screening method.
    Screening,
}

impl Mark {
    /// Text on the sheet.
    pub fn text(self, language: SheetLanguage) -> &'static str {
        match (self, language) {
            (Mark::Synthetic, SheetLanguage::Zh) => "含合成数据，不得用于实际决策",
            (Mark::Synthetic, SheetLanguage::En) => "CONTAINS SYNTHETIC DATA",
            (Mark::Screening, SheetLanguage::Zh) => "筛查方法",
            (Mark::Screening, SheetLanguage::En) => "SCREENING METHOD",
        }
    }
}

/// A map sheet.
#[derive(Debug, Clone)]
pub struct Sheet<'a> {
    /// Title: unit, hazard, object, grade type.
    pub title: String,
    /// Line below the title.
    pub subtitle: String,
    /// Classes; cells of codes without a legend entry show the shading alone, or stay white without one.
    pub classes: &'a Raster<u8>,
    /// Shading 0..=255 under the classes, on the same grid; NaN where the sheet shall stay white.
    pub hillshade: Option<&'a Raster<f32>>,
    /// Heading of the legend.
    pub legend_title: String,
    /// Entries, high to low.
    pub legend: Vec<LegendEntry>,
    /// Borders, drawn in order.
    pub borders: Vec<Border<'a>>,
    /// Names, the more important ones first: each takes the first free place, near or with a leader; those without one are told
    /// by [`super::Drawing::dropped`].
    pub labels: Vec<Label>,
    /// Point symbols.
    pub points: Vec<PointSymbol>,
    /// Notes: period of the data, rule pack, provenance; wrapped in the right column.
    pub notes: Vec<String>,
    /// Producer.
    pub producer: String,
    /// Date of making.
    pub date: String,
    /// Marks.
    pub marks: Vec<Mark>,
    /// Language of the furniture.
    pub language: SheetLanguage,
}

/// A small map beside the main one (附图): where the unit lies in the level above, or the islands of the South China Sea
/// (南海诸岛).
#[derive(Debug, Clone)]
pub struct Inset<'a> {
    /// Its name.
    pub title: String,
    /// Borders shown, in the system of the sheet.
    pub units: Vec<&'a MultiPolygon<f64>>,
    /// Unit that the sheet is about: filled.
    pub highlight: Vec<&'a MultiPolygon<f64>>,
    /// Ground shown; that of all units where absent.
    pub window: Option<Bounds>,
    /// Draw the ground of the main map as a rectangle.
    pub rectangle: bool,
}

/// A table on the sheet, such as areas and residents by grade.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SheetTable {
    /// Its name.
    pub title: String,
    /// Names of the columns.
    pub header: Vec<String>,
    /// Rows, as many cells as columns each.
    pub rows: Vec<Vec<String>>,
}

/// How a sheet is set: paper, ground shown, and what stands beside the map.
#[derive(Debug, Clone, Default)]
pub struct Setting<'a> {
    /// Paper and resolution.
    pub page: Page,
    /// Ground shown; the whole grid where absent.
    pub window: Option<Bounds>,
    /// Unit that the sheet is about: ground outside it pales.
    pub focus: Option<&'a MultiPolygon<f64>>,
    /// Small map.
    pub inset: Option<Inset<'a>>,
    /// Tables, in order.
    pub tables: Vec<SheetTable>,
    /// Height datum (高程基准); told as not stated where empty.
    pub height_datum: String,
    /// Approved-map number (审图号) of the borders.
    pub approval: String,
}

impl Sheet<'_> {
    /// Grid of the map.
    pub fn grid(&self) -> &Grid {
        &self.classes.grid
    }

    /// System of the map.
    pub fn crs(&self) -> Crs {
        self.classes.grid.crs
    }
}
