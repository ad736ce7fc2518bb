//! Paper sizes and formats of sheets (幅面).

use serde::{Deserialize, Serialize};

/// Millimetres of an inch.
pub const MM_PER_INCH: f32 = 25.4;

/// Paper of the ISO 216 A series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paper {
    /// 420 x 297 mm.
    A3,
    /// 297 x 210 mm.
    #[default]
    A4,
}

impl Paper {
    /// Name as printed beside the scale.
    pub fn name(self) -> &'static str {
        match self {
            Paper::A3 => "A3",
            Paper::A4 => "A4",
        }
    }
}

/// Which side of the paper is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Wider than high (横幅).
    #[default]
    Landscape,
    /// Higher than wide (竖幅).
    Portrait,
}

/// File format of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Pixels, with the resolution in the file.
    Png,
    /// Vectors over the embedded raster, letters as paths.
    Svg,
    /// Vectors over the embedded raster, letters as text.
    Pdf,
}

impl Format {
    /// Extension of the file name.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Svg => "svg",
            Format::Pdf => "pdf",
        }
    }
}

/// What a sheet is printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Paper.
    pub paper: Paper,
    /// Orientation.
    pub orientation: Orientation,
    /// Pixels per inch of the PNG, and the most that the raster in SVG and PDF is given; 50..=600.
    pub dpi: u32,
}

impl Default for Page {
    /// A4 landscape at 200 dpi.
    fn default() -> Self {
        Page {
            paper: Paper::A4,
            orientation: Orientation::Landscape,
            dpi: 200,
        }
    }
}

impl Page {
    /// Width and height, mm.
    pub fn size_mm(self) -> (f32, f32) {
        let (long, short) = match self.paper {
            Paper::A3 => (420.0, 297.0),
            Paper::A4 => (297.0, 210.0),
        };
        match self.orientation {
            Orientation::Landscape => (long, short),
            Orientation::Portrait => (short, long),
        }
    }

    /// Width and height of the PNG, px.
    pub fn size_px(self) -> (u32, u32) {
        let (width, height) = self.size_mm();
        let px = |mm: f32| (mm / MM_PER_INCH * self.dpi as f32).round() as u32;
        (px(width), px(height))
    }

    /// How much larger letters and margins are than on A4. The sides grow by 1.41; a reader holds the larger sheet nearly as close.
    pub(super) fn type_scale(self) -> f32 {
        match self.paper {
            Paper::A3 => 1.3,
            Paper::A4 => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a3_at_300_dpi_has_its_pixels() {
        let page = Page {
            paper: Paper::A3,
            orientation: Orientation::Portrait,
            dpi: 300,
        };
        assert_eq!(page.size_mm(), (297.0, 420.0));
        assert_eq!(page.size_px(), (3508, 4961));
        assert_eq!(Page::default().size_px(), (2339, 1654));
    }
}
