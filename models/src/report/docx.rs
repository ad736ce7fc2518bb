//! WordprocessingML (DOCX, ISO/IEC 29500): the report as a text that a team may go on editing in Word or WPS.
//!
//! Written here, over the `zip` crate: docx-rs 0.4.22 was looked at and left, for it numbers headers and pictures by counters of
//! the process (a second report would have other bytes) and knows no repeated head rows of tables.

use super::document::{Align, Block, Document, Figure, Numbered, Table, png_size};
use crate::cartography::SheetLanguage;
use anlan_engine::{Error, Result};
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Width of the text, twentieths of a point: A4 with margins of 24 mm.
const TEXT_TWIPS: u32 = 9180;
/// English metric units in a twentieth of a point.
const EMU: u32 = 635;

/// The report as DOCX. Headings carry their numbers as text, so that numbers agree with the other formats; the contents are a
/// field with its entries in it, whose pages the program fills in when it opens the file.
///
/// # Errors
/// The archive cannot be written.
pub fn docx(document: &Document) -> Result<Vec<u8>> {
    let mut media = Vec::new();
    let body = body(document, &mut media);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // The least time that the format knows: the bytes must not tell when they were written.
    let options = |method| {
        SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::default())
    };
    let mut add = |name: &str, bytes: &[u8], method| -> Result<()> {
        let failed =
            |e: &dyn std::fmt::Display| Error::Failed(format!("writing {name} of a DOCX: {e}"));
        zip.start_file(name, options(method))
            .map_err(|e| failed(&e))?;
        zip.write_all(bytes).map_err(|e| failed(&e))
    };
    let deflated = CompressionMethod::Deflated;
    add("[Content_Types].xml", CONTENT_TYPES.as_bytes(), deflated)?;
    add("_rels/.rels", PACKAGE_RELATIONS.as_bytes(), deflated)?;
    add("docProps/core.xml", core(document).as_bytes(), deflated)?;
    add("word/document.xml", body.as_bytes(), deflated)?;
    add("word/styles.xml", styles(document).as_bytes(), deflated)?;
    add("word/numbering.xml", NUMBERING.as_bytes(), deflated)?;
    add("word/settings.xml", SETTINGS.as_bytes(), deflated)?;
    add("word/header1.xml", header(document).as_bytes(), deflated)?;
    add("word/footer1.xml", footer(document).as_bytes(), deflated)?;
    let relations = relations(media.len());
    add(
        "word/_rels/document.xml.rels",
        relations.as_bytes(),
        deflated,
    )?;
    for (k, png) in media.iter().enumerate() {
        let name = format!("word/media/image{}.png", k + 1);
        add(&name, png, CompressionMethod::Stored)?;
    }
    zip.finish()
        .map(Cursor::into_inner)
        .map_err(|e| Error::Failed(format!("writing a DOCX: {e}")))
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";

const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"png\" ContentType=\"image/png\"/><Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/><Override PartName=\"/word/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/><Override PartName=\"/word/numbering.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml\"/><Override PartName=\"/word/settings.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml\"/><Override PartName=\"/word/header1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml\"/><Override PartName=\"/word/footer1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml\"/><Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/></Types>";

const PACKAGE_RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/><Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties\" Target=\"docProps/core.xml\"/></Relationships>";

const SETTINGS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:settings xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:characterSpacingControl w:val=\"compressPunctuation\"/><w:updateFields w:val=\"true\"/></w:settings>";

const NUMBERING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:numbering xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:abstractNum w:abstractNumId=\"0\"><w:multiLevelType w:val=\"singleLevel\"/><w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"bullet\"/><w:lvlText w:val=\"\u{b7}\"/><w:lvlJc w:val=\"left\"/><w:pPr><w:ind w:left=\"400\" w:hanging=\"280\"/></w:pPr></w:lvl></w:abstractNum><w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>";

fn relations(pictures: usize) -> String {
    let base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut out = format!(
        "{XML}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
    );
    let parts = [
        ("styles", "styles.xml"),
        ("settings", "settings.xml"),
        ("numbering", "numbering.xml"),
        ("header", "header1.xml"),
        ("footer", "footer1.xml"),
    ];
    for (k, (kind, target)) in parts.iter().enumerate() {
        let _ = write!(
            out,
            "<Relationship Id=\"rId{}\" Type=\"{base}/{kind}\" Target=\"{target}\"/>",
            k + 1
        );
    }
    for k in 1..=pictures {
        let _ = write!(
            out,
            "<Relationship Id=\"pic{k}\" Type=\"{base}/image\" Target=\"media/image{k}.png\"/>"
        );
    }
    out.push_str("</Relationships>");
    out
}

fn core(document: &Document) -> String {
    let language = match document.language {
        SheetLanguage::Zh => "zh-CN",
        SheetLanguage::En => "en",
    };
    format!(
        "{XML}<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title><dc:subject>{}</dc:subject><dc:language>{language}</dc:language></cp:coreProperties>",
        escaped(&document.title),
        escaped(&document.subtitle)
    )
}

fn styles(document: &Document) -> String {
    let zh = document.language == SheetLanguage::Zh;
    let lang = if zh {
        "<w:lang w:val=\"en-US\" w:eastAsia=\"zh-CN\"/>"
    } else {
        "<w:lang w:val=\"en-GB\" w:eastAsia=\"zh-CN\"/>"
    };
    let mut out = format!(
        "{XML}<w:styles {W}><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii=\"Arial\" w:hAnsi=\"Arial\" w:eastAsia=\"Microsoft YaHei\" w:cs=\"Arial\"/><w:sz w:val=\"21\"/>{lang}</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:before=\"60\" w:after=\"60\" w:line=\"340\" w:lineRule=\"auto\"/></w:pPr></w:pPrDefault></w:docDefaults>"
    );
    let mut style = |id: &str, name: &str, paragraph: &str, run: &str| {
        let normal = if id == "Normal" {
            " w:default=\"1\""
        } else {
            ""
        };
        let based = if id == "Normal" {
            ""
        } else {
            "<w:basedOn w:val=\"Normal\"/>"
        };
        let _ = write!(
            out,
            "<w:style w:type=\"paragraph\"{normal} w:styleId=\"{id}\"><w:name w:val=\"{name}\"/>{based}<w:qFormat/><w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
        );
    };
    style("Normal", "Normal", "", "");
    let indent = if zh {
        "<w:ind w:firstLineChars=\"200\" w:firstLine=\"420\"/><w:jc w:val=\"both\"/>"
    } else {
        "<w:jc w:val=\"both\"/>"
    };
    style("BodyText", "Body Text", indent, "");
    style(
        "Title",
        "Title",
        "<w:spacing w:before=\"2400\" w:after=\"240\"/><w:jc w:val=\"center\"/>",
        "<w:color w:val=\"1F3A5F\"/><w:sz w:val=\"52\"/>",
    );
    style(
        "Subtitle",
        "Subtitle",
        "<w:jc w:val=\"center\"/>",
        "<w:sz w:val=\"28\"/>",
    );
    for (level, size, before) in [(1, 34, 360), (2, 26, 260), (3, 22, 180)] {
        let page = if level == 1 && document.contents {
            "<w:pageBreakBefore/>"
        } else {
            ""
        };
        style(
            &format!("Heading{level}"),
            &format!("heading {level}"),
            &format!(
                "<w:keepNext/>{page}<w:spacing w:before=\"{before}\" w:after=\"100\"/><w:outlineLvl w:val=\"{}\"/>",
                level - 1
            ),
            &format!("<w:b/><w:color w:val=\"1F3A5F\"/><w:sz w:val=\"{size}\"/>"),
        );
    }
    style(
        "Caption",
        "caption",
        "<w:spacing w:before=\"120\" w:after=\"60\"/><w:jc w:val=\"center\"/>",
        "<w:color w:val=\"1F3A5F\"/><w:sz w:val=\"19\"/>",
    );
    style(
        "Note",
        "Note",
        "<w:spacing w:before=\"20\" w:after=\"120\" w:line=\"240\" w:lineRule=\"auto\"/>",
        "<w:color w:val=\"555555\"/><w:sz w:val=\"16\"/>",
    );
    style(
        "Mark",
        "Mark",
        "<w:jc w:val=\"center\"/>",
        "<w:color w:val=\"B01818\"/><w:bdr w:val=\"single\" w:sz=\"8\" w:space=\"4\" w:color=\"B01818\"/>",
    );
    style(
        "Cell",
        "Table Text",
        "<w:spacing w:before=\"20\" w:after=\"20\" w:line=\"240\" w:lineRule=\"auto\"/>",
        "<w:sz w:val=\"17\"/>",
    );
    style(
        "TOC1",
        "toc 1",
        "<w:tabs><w:tab w:val=\"right\" w:leader=\"dot\" w:pos=\"9180\"/></w:tabs>",
        "",
    );
    style(
        "TOC2",
        "toc 2",
        "<w:tabs><w:tab w:val=\"right\" w:leader=\"dot\" w:pos=\"9180\"/></w:tabs><w:ind w:left=\"420\"/>",
        "",
    );
    out.push_str("</w:styles>");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Runs of a text; line breaks become breaks.
fn runs(text: &str) -> String {
    let mut out = String::from("<w:r>");
    for (k, line) in text.split('\n').enumerate() {
        if k > 0 {
            out.push_str("<w:br/>");
        }
        let _ = write!(out, "<w:t xml:space=\"preserve\">{}</w:t>", escaped(line));
    }
    out.push_str("</w:r>");
    out
}

fn paragraph(style: &str, text: &str) -> String {
    format!(
        "<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>{}</w:p>",
        runs(text)
    )
}

fn field(instruction: &str, shown: &str) -> String {
    format!(
        "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText xml:space=\"preserve\"> {instruction} </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>{shown}</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
    )
}

fn header(document: &Document) -> String {
    let marks = document.marks.join(" · ");
    let tab = format!("<w:tabs><w:tab w:val=\"right\" w:pos=\"{TEXT_TWIPS}\"/></w:tabs>");
    format!(
        "{XML}<w:hdr {W}><w:p><w:pPr><w:pBdr><w:bottom w:val=\"single\" w:sz=\"4\" w:space=\"1\" w:color=\"9AA7B8\"/></w:pBdr>{tab}</w:pPr><w:r><w:rPr><w:color w:val=\"555555\"/><w:sz w:val=\"17\"/></w:rPr><w:t>{}</w:t></w:r><w:r><w:tab/></w:r><w:r><w:rPr><w:color w:val=\"B01818\"/><w:sz w:val=\"17\"/></w:rPr><w:t>{}</w:t></w:r></w:p></w:hdr>",
        escaped(&document.running_title),
        escaped(&marks)
    )
}

fn footer(document: &Document) -> String {
    let (page, total) = (field("PAGE", "1"), field("NUMPAGES", "1"));
    let text = |t: &str| format!("<w:r><w:t xml:space=\"preserve\">{t}</w:t></w:r>");
    let line = if document.language == SheetLanguage::Zh {
        format!(
            "{}{page}{}{total}{}",
            text("第 "),
            text(" 页　共 "),
            text(" 页")
        )
    } else {
        format!("{page}{}{total}", text(" / "))
    };
    format!("{XML}<w:ftr {W}><w:p><w:pPr><w:jc w:val=\"center\"/></w:pPr>{line}</w:p></w:ftr>")
}

fn body(document: &Document, media: &mut Vec<Vec<u8>>) -> String {
    let numbered = document.numbered();
    let mut out = format!(
        "{XML}<w:document {W} xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><w:body>"
    );
    out.push_str(&paragraph("Title", &document.title));
    out.push_str(&paragraph("Subtitle", &document.subtitle));
    for mark in &document.marks {
        out.push_str(&paragraph("Mark", mark));
    }
    for (name, value) in &document.cover {
        let _ = write!(
            out,
            "<w:p><w:pPr><w:pStyle w:val=\"Cell\"/><w:jc w:val=\"center\"/></w:pPr>{}</w:p>",
            runs(&format!("{name}: {value}"))
        );
    }
    if document.contents {
        contents(&mut out, document, &numbered);
    }
    for (id, n) in numbered.iter().enumerate() {
        block(&mut out, id, n, media);
    }
    let margin = (11906 - TEXT_TWIPS) / 2;
    let _ = write!(
        out,
        "<w:sectPr><w:headerReference w:type=\"default\" r:id=\"rId4\"/><w:footerReference w:type=\"default\" r:id=\"rId5\"/><w:pgSz w:w=\"11906\" w:h=\"16838\"/><w:pgMar w:top=\"1440\" w:right=\"{margin}\" w:bottom=\"1300\" w:left=\"{margin}\" w:header=\"800\" w:footer=\"700\" w:gutter=\"0\"/></w:sectPr></w:body></w:document>"
    );
    out
}

fn contents(out: &mut String, document: &Document, numbered: &[Numbered<'_>]) {
    let name = if document.language == SheetLanguage::Zh {
        "目　录"
    } else {
        "Contents"
    };
    let _ = write!(
        out,
        "<w:p><w:pPr><w:pStyle w:val=\"Subtitle\"/><w:pageBreakBefore/></w:pPr>{}</w:p>",
        runs(name)
    );
    let begin = "<w:r><w:fldChar w:fldCharType=\"begin\" w:dirty=\"true\"/></w:r><w:r><w:instrText xml:space=\"preserve\"> TOC \\o &quot;1-2&quot; \\h \\z \\u </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r>";
    let mut first = true;
    for (id, n) in numbered.iter().enumerate() {
        if let Block::Heading { level, .. } = n.block
            && *level <= 2
        {
            let _ = write!(
                out,
                "<w:p><w:pPr><w:pStyle w:val=\"TOC{level}\"/></w:pPr>{}<w:hyperlink w:anchor=\"b{id}\">{}</w:hyperlink></w:p>",
                if first { begin } else { "" },
                runs(&n.title())
            );
            first = false;
        }
    }
    if !first {
        out.push_str("<w:p><w:r><w:fldChar w:fldCharType=\"end\"/></w:r></w:p>");
    }
}

fn block(out: &mut String, id: usize, n: &Numbered<'_>, media: &mut Vec<Vec<u8>>) {
    match n.block {
        Block::Heading { level, .. } => {
            let _ = write!(
                out,
                "<w:p><w:pPr><w:pStyle w:val=\"Heading{}\"/></w:pPr><w:bookmarkStart w:id=\"{id}\" w:name=\"b{id}\"/>{}<w:bookmarkEnd w:id=\"{id}\"/></w:p>",
                level.clamp(&1, &3),
                runs(&n.title())
            );
        }
        Block::Paragraph(text) => out.push_str(&paragraph("BodyText", text)),
        Block::Note(text) => out.push_str(&paragraph("Note", text)),
        Block::List { ordered, items } => {
            for (k, item) in items.iter().enumerate() {
                if *ordered {
                    let _ = write!(
                        out,
                        "<w:p><w:pPr><w:ind w:left=\"400\" w:hanging=\"400\"/></w:pPr>{}</w:p>",
                        runs(&format!("{}. {item}", k + 1))
                    );
                } else {
                    let _ = write!(
                        out,
                        "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr></w:pPr>{}</w:p>",
                        runs(item)
                    );
                }
            }
        }
        Block::Table(t) => table(out, t, &n.title()),
        Block::Figure(f) => figure(out, f, &n.title(), media),
        Block::PageBreak => out.push_str("<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>"),
    }
}

fn table(out: &mut String, table: &Table, title: &str) {
    let caption = paragraph("Caption", title).replace(
        "<w:pStyle w:val=\"Caption\"/>",
        "<w:pStyle w:val=\"Caption\"/><w:keepNext/>",
    );
    out.push_str(&caption);
    let total: f32 = table.columns.iter().map(|c| c.weight).sum();
    let widths: Vec<u32> = table
        .columns
        .iter()
        .map(|c| (TEXT_TWIPS as f32 * c.weight / total.max(1e-6)) as u32)
        .collect();
    let border = |name: &str, size: u32, colour: &str| {
        format!("<w:{name} w:val=\"single\" w:sz=\"{size}\" w:space=\"0\" w:color=\"{colour}\"/>")
    };
    let _ = write!(
        out,
        "<w:tbl><w:tblPr><w:tblW w:w=\"{TEXT_TWIPS}\" w:type=\"dxa\"/><w:tblBorders>{}{}{}</w:tblBorders><w:tblLayout w:type=\"autofit\"/><w:tblCellMar><w:left w:w=\"70\" w:type=\"dxa\"/><w:right w:w=\"70\" w:type=\"dxa\"/></w:tblCellMar></w:tblPr><w:tblGrid>",
        border("top", 12, "1F3A5F"),
        border("bottom", 12, "1F3A5F"),
        border("insideH", 4, "C9D1DB")
    );
    for w in &widths {
        let _ = write!(out, "<w:gridCol w:w=\"{w}\"/>");
    }
    out.push_str("</w:tblGrid><w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>");
    for (column, w) in table.columns.iter().zip(&widths) {
        cell(out, *w, column.align, Some("E9EEF5".into()), &column.head);
    }
    out.push_str("</w:tr>");
    for row in &table.rows {
        out.push_str("<w:tr><w:trPr><w:cantSplit/></w:trPr>");
        for ((c, column), w) in row.iter().zip(&table.columns).zip(&widths) {
            // The colour as 45 % of it shows on white, as the other formats print it.
            let fill = c.fill.map(|c| {
                let mixed = c.0.map(|v| 255 - (255 - u32::from(v)) * 45 / 100);
                format!("{:02X}{:02X}{:02X}", mixed[0], mixed[1], mixed[2])
            });
            cell(out, *w, column.align, fill, &c.text);
        }
        out.push_str("</w:tr>");
    }
    out.push_str("</w:tbl>");
    out.push_str(&paragraph("Note", &table.note));
}

fn cell(out: &mut String, width: u32, align: Align, fill: Option<String>, text: &str) {
    let jc = match align {
        Align::Left => "left",
        Align::Centre => "center",
        Align::Right => "right",
    };
    let shade = fill.map_or(String::new(), |f| {
        format!("<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"{f}\"/>")
    });
    let _ = write!(
        out,
        "<w:tc><w:tcPr><w:tcW w:w=\"{width}\" w:type=\"dxa\"/>{shade}<w:vAlign w:val=\"center\"/></w:tcPr><w:p><w:pPr><w:pStyle w:val=\"Cell\"/><w:jc w:val=\"{jc}\"/></w:pPr>{}</w:p></w:tc>",
        runs(text)
    );
}

fn figure(out: &mut String, figure: &Figure, title: &str, media: &mut Vec<Vec<u8>>) {
    let Some((w, h)) = png_size(&figure.png) else {
        return;
    };
    media.push(figure.png.clone());
    let k = media.len();
    // No taller than three quarters of the page.
    let wide = f64::from(TEXT_TWIPS * EMU) * f64::from(figure.width.clamp(0.1, 1.0));
    let scale = (wide / f64::from(w)).min(f64::from(10_000 * EMU) / f64::from(h));
    let (cx, cy) = ((f64::from(w) * scale) as u64, (f64::from(h) * scale) as u64);
    let alt = escaped(&figure.caption);
    let _ = write!(
        out,
        "<w:p><w:pPr><w:keepNext/><w:jc w:val=\"center\"/></w:pPr><w:r><w:drawing><wp:inline distT=\"0\" distB=\"0\" distL=\"0\" distR=\"0\"><wp:extent cx=\"{cx}\" cy=\"{cy}\"/><wp:docPr id=\"{k}\" name=\"{k}\" descr=\"{alt}\"/><a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic><pic:nvPicPr><pic:cNvPr id=\"{k}\" name=\"image{k}.png\" descr=\"{alt}\"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed=\"pic{k}\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"{cx}\" cy=\"{cy}\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    );
    out.push_str(&paragraph("Caption", title));
    if !figure.note.is_empty() {
        out.push_str(&paragraph("Note", &figure.note));
    }
}
