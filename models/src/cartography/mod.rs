//! Maps (制图): sheets with title, legend, scale, north arrow, graticule, borders by level, labels, tables, a small map and notes,
//! on A3 or A4, as PNG, SVG and PDF from one layout.
//!
//! | file | holds |
//! | --- | --- |
//! | `page` | paper, orientation, formats |
//! | `sheet` | what is on a sheet: raster classes, legend, borders, labels, notes, marks; how it is set |
//! | `layout` | where it stands, in mm |
//! | `frame` | the map frame: ground and scale |
//! | `blocks` | legend, scale bar, tables, small map, notes |
//! | `graticule`, `labels` | meridians and parallels; names without collisions |
//! | `picture` | the raster as colours |
//! | `canvas` | an SVG in the making |
//! | `drawing`, `pdf` | the sheet as PNG, SVG, PDF; SVG pages as one PDF |
//! | `styles` | scales of colours and line styles, from `map_styles.toml` |
//! | `qml` | QGIS styles of rasters |
//! | `text` | the embedded font, widths, missing glyphs |
//! | `diagnostic` | plots of a validation: ROC, calibration, reported events on the curve |
//! | `chart` | exceedance curves and lines over time |
//! | `paper` | probability paper (海森机率格纸) and logarithmic paper |
//!
//! Made-up and screening layers carry a mark on the sheet itself.

mod blocks;
mod canvas;
pub mod chart;
pub mod diagnostic;
mod drawing;
mod frame;
mod graticule;
mod labels;
mod layout;
pub mod page;
pub mod paper;
pub mod pdf;
mod picture;
pub mod qml;
pub mod sheet;
pub mod styles;
pub mod text;

pub use canvas::TextBox;
pub use drawing::{Drawing, outlined, render_png};
pub use layout::draw;
pub use page::{Format, Orientation, Page, Paper};
pub use sheet::{
    Border, Colour, Inset, Label, LegendEntry, Mark, PointSymbol, Setting, Sheet, SheetLanguage,
    SheetTable,
};
pub use styles::MapStyles;
pub use text::Fonts;
