//! Coordinate systems in words: the well-known text (WKT 1, OGC 01-009; WKT 2, ISO 19162) that GeoPackage and `.prj`
//! files carry, read leniently, as ESRI, GDAL and QGIS write it, and matched by parameters (datum, central meridian,
//! false easting, scale), since names differ from program to program.

use crate::crs::{Crs, Kind};

/// What a text that is not one of our systems lacks.
#[derive(Debug, PartialEq)]
pub(crate) struct Unknown {
    pub(crate) found: String,
    pub(crate) remedy: &'static str,
}

const REPROJECT: &str =
    "reproject the file to CGCS2000 (EPSG:4490) or one of its Gauss-Kruger zones";
const SHIFTED: &str =
    "get the data in CGCS2000 or WGS 84 from its keeper: the shift of web maps is no projection";
const OLD_DATUM: &str = "convert the data to CGCS2000 with your province's transformation parameters: the old datum lies some 100 m off and cannot be converted from the file alone";

/// The system that a WKT text describes.
pub(crate) fn recognise(text: &str) -> Result<Crs, Unknown> {
    let unknown = |found: String, remedy| Err(Unknown { found, remedy });
    let Some(root) = Node::parse(text) else {
        return unknown(
            "text that is not well-known text".into(),
            "write the coordinate system again with a GIS",
        );
    };
    let is = |node: &Node, words: &[&str]| words.contains(&node.word.as_str());
    // Of a system with heights, the part on the map.
    let root = if is(&root, &["COMPD_CS", "COMPOUNDCRS"]) {
        match root.children.into_iter().next() {
            Some(part) => part,
            None => return unknown("a compound system without parts".into(), REPROJECT),
        }
    } else {
        root
    };
    if let Some(crs) = root.authority().and_then(|code| Crs::from_epsg(code).ok()) {
        return Ok(crs);
    }
    let geographic = ["GEOGCS", "GEOGCRS", "GEODCRS", "BASEGEOGCRS", "BASEGEODCRS"];
    let projected = ["PROJCS", "PROJCRS"];
    let name = root.name().to_string();
    let Some(base) = root.find(&|n| is(n, &geographic)) else {
        return unknown(format!("{name:?}, not a map system"), REPROJECT);
    };
    let datum = base
        .find(&|n| is(n, &["DATUM", "ENSEMBLE"]))
        .map(|n| plain(n.name()))
        .unwrap_or_default();
    let base_name = plain(base.name());
    let on = |keys: &[&str]| {
        keys.iter()
            .any(|k| datum.contains(k) || base_name.contains(k))
    };
    if on(&[
        "beijing1954",
        "xian1980",
        "newbeijing",
        "xian80",
        "beijing54",
    ]) {
        return unknown(format!("{name:?} on an old Chinese datum"), OLD_DATUM);
    }
    if ["gcj", "bd09", "mars"]
        .iter()
        .any(|shifted| plain(&name).contains(shifted))
    {
        return unknown(
            format!("{name:?}, the shifted coordinates of web maps"),
            SHIFTED,
        );
    }
    let china = on(&["china2000", "cgcs2000", "chinageodetic"]);
    let wgs84 = on(&["wgs1984", "wgs84", "worldgeodeticsystem1984"]);
    if china == wgs84 {
        return unknown(format!("{name:?} on the datum {datum:?}"), REPROJECT);
    }
    let meridian = base
        .find(&|n| is(n, &["PRIMEM", "PRIMEMERIDIAN"]))
        .and_then(|n| n.numbers.first().copied())
        .unwrap_or(0.0);
    if meridian != 0.0 {
        return unknown(
            format!("{name:?} with a prime meridian of {meridian}"),
            REPROJECT,
        );
    }
    if is(&root, &geographic) {
        let degree = root
            .child(&["UNIT", "ANGLEUNIT"])
            .and_then(|n| n.numbers.first().copied())
            .unwrap_or(0.017_453_292_519_943_3);
        if (degree - 0.017_453_292_519_943_3).abs() > 1e-12 {
            return unknown(
                format!("{name:?} in a unit that is not the degree"),
                REPROJECT,
            );
        }
        return Ok(if china { Crs::CGCS2000 } else { Crs::WGS84 });
    }
    if !is(&root, &projected) {
        return unknown(format!("{name:?}, a compound or local system"), REPROJECT);
    }
    let metre = root
        .child(&["UNIT", "LENGTHUNIT"])
        .or_else(|| root.find(&|n| n.word == "LENGTHUNIT"))
        .and_then(|n| n.numbers.first().copied())
        .unwrap_or(1.0);
    if metre != 1.0 {
        return unknown(format!("{name:?} in a unit of {metre} m"), REPROJECT);
    }
    let method = root
        .find(&|n| is(n, &["PROJECTION", "METHOD"]))
        .map(|n| plain(n.name()))
        .unwrap_or_default();
    if wgs84
        && (method == "mercatorauxiliarysphere" || method == "popularvisualisationpseudomercator")
    {
        return Ok(Crs::from_epsg(3857).unwrap_or(Crs::WGS84));
    }
    if !["gausskruger", "transversemercator", "gausskrueger"].contains(&method.as_str()) {
        return unknown(format!("{name:?}, projection {method:?}"), REPROJECT);
    }
    let parameter = |keys: &[&str], default: f64| {
        root.find(&|n| n.word == "PARAMETER" && keys.contains(&plain(n.name()).as_str()))
            .and_then(|n| n.numbers.first().copied())
            .unwrap_or(default)
    };
    let central_meridian = parameter(&["centralmeridian", "longitudeofnaturalorigin"], 0.0);
    let scale_factor = parameter(&["scalefactor", "scalefactoratnaturalorigin"], 1.0);
    let easting = parameter(&["falseeasting"], 0.0);
    let northing = parameter(&["falsenorthing"], 0.0);
    let origin_deg = parameter(&["latitudeoforigin", "latitudeofnaturalorigin"], 0.0);
    // The 3-degree and 6-degree systems of one meridian without zone prefix are the same mathematics; the name decides
    // between the codes.
    let three_degrees = ["3degree", "3deg"].iter().any(|w| plain(&name).contains(w));
    let codes: Vec<u32> = if china && three_degrees {
        (4513..=4554).chain(4491..=4512).collect()
    } else if china {
        (4491..=4554).collect()
    } else {
        (32601..=32660).chain(32701..=32760).collect()
    };
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
    let matching = codes
        .into_iter()
        .filter_map(|code| Crs::from_epsg(code).ok())
        .find(|crs| match crs.kind() {
            Kind::TransverseMercator {
                central_meridian_deg,
                scale,
                false_easting_m,
                false_northing_m,
            } => {
                near(central_meridian, central_meridian_deg)
                    && near(scale_factor, scale)
                    && near(easting, false_easting_m)
                    && near(northing, false_northing_m)
            }
            _ => false,
        });
    match matching {
        Some(crs) if origin_deg == 0.0 => Ok(crs),
        _ => unknown(
            format!(
                "{name:?}: central meridian {}, scale {}, false easting {} m, false northing {} m on {}",
                central_meridian,
                scale_factor,
                easting,
                northing,
                if china { "CGCS2000" } else { "WGS 84" }
            ),
            REPROJECT,
        ),
    }
}

/// Lower-case letters and digits of a name: `D_China_2000` and `China 2000` meet.
fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// `WORD["name",number,CHILD[...],...]`.
#[derive(Debug, Default)]
struct Node {
    word: String,
    texts: Vec<String>,
    numbers: Vec<f64>,
    children: Vec<Node>,
}

/// Deeper nesting than this is not WKT of a coordinate system.
const NESTING: u32 = 32;

impl Node {
    fn parse(text: &str) -> Option<Node> {
        let mut rest = text.trim().trim_start_matches('\u{feff}').trim();
        let node = Node::read(&mut rest, 0)?;
        (node.word.len() > 2).then_some(node)
    }

    fn read(rest: &mut &str, depth: u32) -> Option<Node> {
        let open = rest.find(['[', '('])?;
        let mut node = Node {
            word: rest[..open].trim().to_ascii_uppercase(),
            ..Node::default()
        };
        if depth > NESTING
            || !node
                .word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            return None;
        }
        *rest = &rest[open + 1..];
        loop {
            *rest = rest.trim_start_matches([',', ' ', '\t', '\r', '\n']);
            if let Some(tail) = rest.strip_prefix([']', ')']) {
                *rest = tail;
                return Some(node);
            }
            if let Some(tail) = rest.strip_prefix('"') {
                let end = tail.find('"')?;
                node.texts.push(tail[..end].to_string());
                *rest = &tail[end + 1..];
                continue;
            }
            let end = rest.find(['[', '(', ',', ']', ')'])?;
            if rest[end..].starts_with(['[', '(']) {
                node.children.push(Node::read(rest, depth + 1)?);
            } else {
                // Bare words (axis directions) are passed over.
                if let Ok(number) = rest[..end].trim().parse() {
                    node.numbers.push(number);
                }
                *rest = &rest[end..];
            }
        }
    }

    fn name(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    fn child(&self, words: &[&str]) -> Option<&Node> {
        self.children
            .iter()
            .find(|n| words.contains(&n.word.as_str()))
    }

    /// This node or the first one below it that fits, in reading order.
    fn find(&self, fits: &dyn Fn(&Node) -> bool) -> Option<&Node> {
        if fits(self) {
            return Some(self);
        }
        self.children.iter().find_map(|n| n.find(fits))
    }

    /// The EPSG code of the whole system.
    fn authority(&self) -> Option<u32> {
        let node = self.child(&["AUTHORITY", "ID"])?;
        if !node.name().eq_ignore_ascii_case("EPSG") {
            return None;
        }
        match node.texts.get(1) {
            Some(code) => code.trim().parse().ok(),
            None => node.numbers.first().map(|&n| n as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Crs> {
        [4326, 3857]
            .into_iter()
            .chain(4490..=4554)
            .chain(32601..=32660)
            .chain(32701..=32760)
            .map(|code| Crs::from_epsg(code).unwrap())
            .collect()
    }

    #[test]
    fn every_system_is_recognised_again() {
        for crs in all() {
            let text = crs.wkt();
            assert_eq!(recognise(&text), Ok(crs), "{text}");
            // Without its code, by parameters alone.
            let end = text.rfind(",AUTHORITY").unwrap();
            let nameless = format!("{}]", &text[..end]);
            if crs.epsg() != 3857 {
                assert_eq!(recognise(&nameless), Ok(crs), "{nameless}");
            }
        }
    }

    #[test]
    fn texts_of_other_programs_are_read() {
        // As ArcGIS writes .prj files.
        let gk = |name: &str, datum: &str, cm: u32, easting: u32| {
            format!(
                r#"PROJCS["{name}",GEOGCS["GCS_{datum}",DATUM["D_{datum}",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",{easting}.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",{cm}.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#
            )
        };
        let code = |text: &str| recognise(text).map(Crs::epsg);
        assert_eq!(
            code(&gk(
                "CGCS2000_3_Degree_GK_CM_120E",
                "China_2000",
                120,
                500_000
            )),
            Ok(4549)
        );
        assert_eq!(
            code(&gk(
                "CGCS2000_3_Degree_GK_CM_117E",
                "China_2000",
                117,
                500_000
            )),
            Ok(4548)
        );
        assert_eq!(
            code(&gk("CGCS2000_GK_CM_117E", "China_2000", 117, 500_000)),
            Ok(4509)
        );
        assert_eq!(
            code(&gk(
                "CGCS2000_3_Degree_GK_Zone_40",
                "China_2000",
                120,
                40_500_000
            )),
            Ok(4528)
        );
        assert_eq!(
            code(
                r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#
            ),
            Ok(4326)
        );
        let old = recognise(&gk(
            "Xian_1980_3_Degree_GK_CM_120E",
            "Xian_1980",
            120,
            500_000,
        ));
        assert_eq!(old.unwrap_err().remedy, OLD_DATUM);
        let tall = format!(
            r#"COMPD_CS["x",{},VERT_CS["y",VERT_DATUM["z",2005]]]"#,
            Crs::CGCS2000.wkt()
        );
        assert_eq!(code(&tall), Ok(4490));
        let shifted = Crs::WGS84
            .wkt()
            .replace("GEOGCS[\"WGS 84\"", "GEOGCS[\"GCJ-02\"");
        let shifted = shifted.replace(",AUTHORITY[\"EPSG\",\"4326\"]", "");
        assert_eq!(recognise(&shifted).unwrap_err().remedy, SHIFTED);
        // A county's own meridian is nobody's EPSG code.
        let own = recognise(&gk("Own", "China_2000", 119, 500_000)).unwrap_err();
        assert!(own.found.contains("central meridian 119"));
        assert!(
            recognise("").is_err()
                && recognise("[[[[").is_err()
                && recognise("LOCAL_CS[\"x\"]").is_err()
        );
    }
}
