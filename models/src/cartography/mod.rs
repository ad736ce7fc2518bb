//! Maps (制图): sheets with title, legend, scale bar, north arrow, graticule, borders, labels and notes, rendered to PNG.
//!
//! | file | holds |
//! | --- | --- |
//! | `sheet` | what is on a sheet: raster classes, legend, borders, labels, notes, marks |
//! | `layout` | where it stands: the SVG over the raster |
//! | `text` | the embedded font, widths, missing glyphs |
//! | `diagnostic` | plots of a validation: ROC, calibration, reported events on the curve |
//! | `chart` | exceedance curves and bars as charts |
//! | `paper` | probability paper (海森机率格纸) and logarithmic paper |
//!
//! Sheets are A4 landscape at 200 dpi. Made-up and screening layers carry a mark on the sheet itself.

pub mod chart;
pub mod diagnostic;
mod layout;
pub mod paper;
pub mod sheet;
pub mod text;

pub use layout::render_png;
pub use sheet::{Border, Colour, Label, LegendEntry, Mark, PointSymbol, Sheet, SheetLanguage};
pub use text::Fonts;
