//! The XML that GDAL keeps in tag 42112: `<GDALMetadata><Item name="…" sample="0" role="…">value</Item>…`. GDAL escapes
//! values twice, once as its own and once as XML, and names once.

use super::Tags;

/// What tag 42112 says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Metadata {
    /// Items of the file as a whole.
    pub tags: Tags,
    /// Items with a role of some band: band from 0, role, value.
    pub roles: Vec<(usize, String, String)>,
}

impl Metadata {
    /// Value of a role (`description`, `scale`, `offset`) of a band, numbered from 0.
    pub fn role(&self, band: usize, role: &str) -> Option<&str> {
        self.roles
            .iter()
            .find(|(b, r, _)| *b == band && r == role)
            .map(|(_, _, value)| value.as_str())
    }

    /// Reads the XML; items it cannot make out are passed over, since metadata must not make a raster unreadable.
    pub fn parse(xml: &str) -> Metadata {
        let mut out = Metadata::default();
        let mut rest = xml;
        while let Some(start) = rest.find("<Item ") {
            rest = &rest[start + 6..];
            let Some(open_end) = rest.find('>') else {
                break;
            };
            let attributes = &rest[..open_end];
            rest = &rest[open_end + 1..];
            let text = if attributes.ends_with('/') {
                ""
            } else {
                let Some(close) = rest.find("</Item>") else {
                    break;
                };
                let text = &rest[..close];
                rest = &rest[close + 7..];
                text
            };
            let name = attribute(attributes, "name");
            let sample = attribute(attributes, "sample").and_then(|s| s.parse().ok());
            match (sample, attribute(attributes, "role"), name) {
                (Some(band), Some(role), _) => {
                    out.roles.push((band, role, unescape(&unescape(text))));
                }
                // Items of one band without a role (statistics, mostly) and of GDAL's own domains are not kept.
                (None, None, Some(name)) if attribute(attributes, "domain").is_none() => {
                    out.tags.insert(name, unescape(&unescape(text)));
                }
                _ => {}
            }
        }
        out
    }

    /// The XML; `None` where there is nothing to say.
    pub fn to_xml(&self) -> Option<String> {
        if self.tags.is_empty() && self.roles.is_empty() {
            return None;
        }
        let mut xml = String::from("<GDALMetadata>\n");
        for (name, value) in &self.tags {
            xml += &format!(
                "  <Item name=\"{}\">{}</Item>\n",
                escape(name),
                escape(&escape(value))
            );
        }
        for (band, role, value) in &self.roles {
            xml += &format!(
                "  <Item name=\"{}\" sample=\"{band}\" role=\"{role}\">{}</Item>\n",
                role.to_ascii_uppercase(),
                escape(&escape(value))
            );
        }
        xml += "</GDALMetadata>\n";
        Some(xml)
    }
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let key = format!("{name}=\"");
    let at = attributes
        .match_indices(&key)
        .find(|(i, _)| *i == 0 || attributes.as_bytes()[i - 1].is_ascii_whitespace())?;
    let value = &attributes[at.0 + key.len()..];
    value.find('"').map(|end| unescape(&value[..end]))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            // A NUL would end the tag's text early; XML has no way to write one.
            '\0' => {}
            c => out.push(c),
        }
    }
    out
}

fn unescape(text: &str) -> String {
    // The ampersand last, so that `&amp;lt;` stays `&lt;`.
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let metadata = Metadata {
            tags: Tags::from([
                ("ANLAN_SYNTHETIC".into(), "yes".into()),
                ("note".into(), "水深 < 0.5 m & \"wet\" &lt;".into()),
            ]),
            roles: vec![(0, "description".into(), "depth_m".into())],
        };
        let xml = metadata.to_xml().unwrap();
        assert_eq!(Metadata::parse(&xml), metadata);
        assert_eq!(metadata.role(0, "description"), Some("depth_m"));
        assert_eq!(Metadata::default().to_xml(), None);
    }

    #[test]
    fn values_are_escaped_as_gdal_escapes_them() {
        // As GDAL 3.10 writes this tag and this band name.
        let metadata = Metadata {
            tags: Tags::from([("B&<c".to_string(), "x <y> & \"z\"".to_string())]),
            roles: vec![(0, "description".into(), "d & e".into())],
        };
        assert_eq!(
            metadata.to_xml().unwrap(),
            "<GDALMetadata>\n  <Item name=\"B&amp;&lt;c\">x &amp;lt;y&amp;gt; &amp;amp; &amp;quot;z&amp;quot;</Item>\n  \
             <Item name=\"DESCRIPTION\" sample=\"0\" role=\"description\">d &amp;amp; e</Item>\n</GDALMetadata>\n"
        );
    }

    #[test]
    fn broken_xml_is_passed_over() {
        for xml in [
            "",
            "<Item name=\"a\"",
            "<Item name=\"a\">1",
            "<Item name=\"a\"/>",
            "<Item >",
        ] {
            assert!(Metadata::parse(xml).roles.is_empty());
        }
    }
}
