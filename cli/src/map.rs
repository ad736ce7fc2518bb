//! Arguments of `anlan map`, turned into the options of the library.

use anlan::map::{MapOptions, Style};
use anlan::models::cartography::{Format, Orientation, Page, Paper, SheetLanguage};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum PaperArgument {
    A3,
    A4,
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum FormatArgument {
    Png,
    Svg,
    Pdf,
}

/// Arguments of `anlan map`.
#[derive(Args)]
pub struct MapArguments {
    /// Raster (GeoTIFF) of values, classes or grades.
    raster: PathBuf,
    /// Band, from 1.
    #[arg(long, default_value_t = 1)]
    band: usize,
    /// Scale of the map styles, e.g. flood-depth; by the name of the file where neither scale nor pack is given.
    #[arg(long, conflicts_with = "pack")]
    scale: Option<String>,
    /// Rule pack of a raster of grades (规则包), e.g. flood-hazard.
    #[arg(long)]
    pack: Option<String>,
    /// File of rule packs over the compiled-in ones.
    #[arg(long)]
    packs: Option<PathBuf>,
    /// File of map styles over the compiled-in ones.
    #[arg(long)]
    styles: Option<PathBuf>,
    /// Polygons of units with columns code and name.
    #[arg(long)]
    units: Option<PathBuf>,
    /// Polygons of the level above, same columns.
    #[arg(long)]
    region: Option<PathBuf>,
    /// Code or name of the one unit that the map is of: its neighbours pale.
    #[arg(long, requires = "units")]
    unit: Option<String>,
    /// Shading 0..=255 on the grid of the raster (GeoTIFF).
    #[arg(long)]
    hillshade: Option<PathBuf>,
    /// Title; the name of the file by default.
    #[arg(long, default_value = "")]
    title: String,
    /// Line below the title: period of the data.
    #[arg(long, default_value = "")]
    subtitle: String,
    /// Producer (制图单位).
    #[arg(long, default_value = "")]
    producer: String,
    /// Date.
    #[arg(long, default_value = "")]
    date: String,
    /// Approved-map number (审图号).
    #[arg(long, default_value = "")]
    approval: String,
    /// Height datum (高程基准).
    #[arg(long, default_value = "")]
    height_datum: String,
    /// Note beside the map; may be repeated.
    #[arg(long)]
    note: Vec<String>,
    /// Paper.
    #[arg(long, value_enum, default_value = "a4")]
    paper: PaperArgument,
    /// Higher than wide.
    #[arg(long)]
    portrait: bool,
    /// Pixels per inch of the PNG, 50 to 600.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(50..=600))]
    dpi: u32,
    /// Formats, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "png")]
    format: Vec<FormatArgument>,
    /// File to write, without extension; by default `NAME_map` in the current folder.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Further fonts.
    #[arg(long)]
    font: Vec<PathBuf>,
}

impl MapArguments {
    /// The options of the library.
    pub fn options(&self, zh: bool) -> MapOptions {
        let out = self.out.clone().unwrap_or_else(|| {
            let mut name = self.raster.file_stem().unwrap_or_default().to_os_string();
            name.push("_map");
            PathBuf::from(name)
        });
        MapOptions {
            raster: self.raster.clone(),
            band: self.band,
            style: match (&self.scale, &self.pack) {
                (Some(id), _) => Style::Scale(id.clone()),
                (None, Some(id)) => Style::Pack(id.clone()),
                (None, None) => Style::OfFile,
            },
            packs: self.packs.clone(),
            styles: self.styles.clone(),
            units: self.units.clone(),
            region: self.region.clone(),
            unit: self.unit.clone(),
            hillshade: self.hillshade.clone(),
            title: self.title.clone(),
            subtitle: self.subtitle.clone(),
            producer: self.producer.clone(),
            date: self.date.clone(),
            approval: self.approval.clone(),
            height_datum: self.height_datum.clone(),
            notes: self.note.clone(),
            page: Page {
                paper: match self.paper {
                    PaperArgument::A3 => Paper::A3,
                    PaperArgument::A4 => Paper::A4,
                },
                orientation: if self.portrait {
                    Orientation::Portrait
                } else {
                    Orientation::Landscape
                },
                dpi: self.dpi,
            },
            formats: self
                .format
                .iter()
                .map(|f| match f {
                    FormatArgument::Png => Format::Png,
                    FormatArgument::Svg => Format::Svg,
                    FormatArgument::Pdf => Format::Pdf,
                })
                .collect(),
            out,
            fonts: self.font.clone(),
            language: if zh {
                SheetLanguage::Zh
            } else {
                SheetLanguage::En
            },
        }
    }
}
