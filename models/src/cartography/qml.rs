//! QGIS styles (QML) of rasters: QGIS finds `name.qml` beside `name.tif` and draws the raster with its colours and names.
//!
//! Elements and attributes as QGIS 3 writes them: `rasterrenderer` of type `paletted` with `paletteEntry`, or
//! `singlebandpseudocolor` with a `colorrampshader` of type `DISCRETE`, whose items carry the upper bound of their class.

use super::sheet::{Colour, LegendEntry};
use super::styles::Scale;
use super::text::escape;
use std::fmt::Write as _;

/// Style of a raster of classes: each code with its colour and name; codes without an entry are not drawn.
pub fn paletted(entries: &[LegendEntry]) -> String {
    let mut inner = String::from("      <colorPalette>\n");
    for e in entries {
        let _ = writeln!(
            inner,
            "        <paletteEntry value=\"{}\" color=\"{}\" alpha=\"255\" label=\"{}\"/>",
            e.code,
            e.colour.hex(),
            attribute(&e.name)
        );
    }
    inner.push_str("      </colorPalette>\n");
    document("paletted", "", &inner)
}

/// Style of a raster of values: the classes of a scale; values below the first are not drawn.
pub fn graduated(scale: &Scale) -> String {
    let n = scale.from.len();
    let mut rows = vec![(
        scale.from[0],
        [255, 255, 255],
        0,
        format!("< {}", scale.from[0]),
    )];
    for k in 0..n {
        let upper = scale.from.get(k + 1).copied().unwrap_or(f64::INFINITY);
        rows.push((
            upper,
            scale.colours[k],
            255,
            scale.class_name((n - k) as u8),
        ));
    }
    discrete(&rows)
}

/// Style of a raster of values that no scale knows: grey in five equal steps between its bounds.
pub fn grey(low: f64, high: f64) -> String {
    let step = (high - low) / 5.0;
    let rows: Vec<_> = (0..5_u8)
        .map(|k| {
            let (from, to) = (low + step * f64::from(k), low + step * f64::from(k + 1));
            let tone = 240 - 45 * k;
            let upper = if k == 4 { f64::INFINITY } else { to };
            (upper, [tone; 3], 255, format!("{from:.4} ~ {to:.4}"))
        })
        .collect();
    discrete(&rows)
}

/// Items: upper bound, colour, opacity 0..=255, name. QGIS gives a value the first item whose bound it does not pass, so that
/// a value on a bound belongs below it: bounds are drawn in by the least step of a single-precision raster.
fn discrete(rows: &[(f64, [u8; 3], u8, String)]) -> String {
    let finite = || rows.iter().map(|r| r.0).filter(|b| b.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let mut inner = format!(
        "      <rastershader>\n        <colorrampshader colorRampType=\"DISCRETE\" classificationMode=\"1\" clip=\"0\" labelPrecision=\"6\" minimumValue=\"{low}\" maximumValue=\"{high}\">\n"
    );
    for (upper, colour, alpha, name) in rows {
        let bound = if upper.is_finite() {
            format!("{}", (*upper as f32).next_down())
        } else {
            "inf".to_string()
        };
        let _ = writeln!(
            inner,
            "          <item value=\"{bound}\" color=\"{}\" alpha=\"{alpha}\" label=\"{}\"/>",
            Colour(*colour).hex(),
            attribute(name)
        );
    }
    inner.push_str("        </colorrampshader>\n      </rastershader>\n");
    document(
        "singlebandpseudocolor",
        &format!(" classificationMin=\"{low}\" classificationMax=\"{high}\""),
        &inner,
    )
}

fn document(kind: &str, more: &str, inner: &str) -> String {
    format!(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.34.0\" styleCategories=\"Symbology\" hasScaleBasedVisibilityFlag=\"0\" minScale=\"1e+08\" maxScale=\"0\">\n  <pipe>\n    <provider>\n      <resampling enabled=\"false\" zoomedInResamplingMethod=\"nearestNeighbour\" zoomedOutResamplingMethod=\"nearestNeighbour\" maxOversampling=\"2\"/>\n    </provider>\n    <rasterrenderer type=\"{kind}\" band=\"1\" opacity=\"1\" alphaBand=\"-1\" nodataColor=\"\"{more}>\n      <rasterTransparency/>\n      <minMaxOrigin>\n        <limits>None</limits>\n        <extent>WholeRaster</extent>\n        <statAccuracy>Estimated</statAccuracy>\n        <cumulativeCutLower>0.02</cumulativeCutLower>\n        <cumulativeCutUpper>0.98</cumulativeCutUpper>\n        <stdDevFactor>2</stdDevFactor>\n      </minMaxOrigin>\n{inner}    </rasterrenderer>\n    <brightnesscontrast brightness=\"0\" contrast=\"0\" gamma=\"1\"/>\n    <huesaturation saturation=\"0\" grayscaleMode=\"0\" invertColors=\"0\" colorizeOn=\"0\" colorizeRed=\"255\" colorizeGreen=\"128\" colorizeBlue=\"128\" colorizeStrength=\"100\"/>\n    <rasterresampler maxOversampling=\"2\"/>\n    <resamplingStage>resamplingFilter</resamplingStage>\n  </pipe>\n  <blendMode>0</blendMode>\n</qgis>\n"
    )
}

fn attribute(text: &str) -> String {
    escape(text).replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cartography::MapStyles;
    use resvg::usvg::roxmltree::{Document, ParsingOptions};

    fn parsed<'a>(text: &'a str) -> Document<'a> {
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        Document::parse_with_options(text, options).unwrap()
    }

    #[test]
    fn grades_are_a_palette_with_chinese_names() {
        let text = paletted(&[LegendEntry {
            code: 1,
            colour: Colour([200, 0, 16]),
            name: "高 <\"1级\">".into(),
        }]);
        let doc = parsed(&text);
        let renderer = doc
            .descendants()
            .find(|n| n.has_tag_name("rasterrenderer"))
            .unwrap();
        assert_eq!(renderer.parent().unwrap().tag_name().name(), "pipe");
        for (name, value) in [
            ("type", "paletted"),
            ("band", "1"),
            ("opacity", "1"),
            ("alphaBand", "-1"),
        ] {
            assert_eq!(renderer.attribute(name), Some(value));
        }
        let entry = doc
            .descendants()
            .find(|n| n.has_tag_name("paletteEntry"))
            .unwrap();
        assert_eq!(entry.attribute("value"), Some("1"));
        assert_eq!(entry.attribute("color"), Some("#c80010"));
        assert_eq!(entry.attribute("label"), Some("高 <\"1级\">"));
    }

    #[test]
    fn values_are_classes_with_upper_bounds() {
        let styles = MapStyles::builtin();
        let scale = styles.scale("flood-depth").unwrap();
        let text = graduated(scale);
        let doc = parsed(&text);
        let shader = doc
            .descendants()
            .find(|n| n.has_tag_name("colorrampshader"))
            .unwrap();
        assert_eq!(shader.attribute("colorRampType"), Some("DISCRETE"));
        let items: Vec<_> = shader.children().filter(|n| n.is_element()).collect();
        assert_eq!(items.len(), scale.from.len() + 1);
        assert_eq!(items[0].attribute("alpha"), Some("0"));
        assert_eq!(items[6].attribute("value"), Some("inf"));
        // 0.5 belongs to the class above: the bound of the one below is the number before it.
        let below: f32 = items[2].attribute("value").unwrap().parse().unwrap();
        assert!(below < 0.5 && below.next_up() == 0.5);
        let bounds: Vec<f64> = items
            .iter()
            .map(|i| i.attribute("value").unwrap().parse().unwrap())
            .collect();
        assert!(bounds.windows(2).all(|p| p[0] < p[1]));
        parsed(&grey(-1.0, 9.0));
    }
}
