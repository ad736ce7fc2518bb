//! SVG pages as one PDF: vectors stay vectors, text stays text (the glyphs used are embedded), pictures are embedded as they
//! are. Nothing in the file comes from a clock or a random number: the same pages give the same bytes.

use super::text::Fonts;
use anlan_engine::{Error, Result};
use krilla::Document;
use krilla::SerializeSettings;
use krilla::geom::Size;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::usvg;

/// Points per CSS pixel: a PDF point is 1/72 inch, an SVG pixel 1/96.
const POINTS_PER_PX: f32 = 72.0 / 96.0;

/// A PDF with one page per SVG, each as large as its SVG says (`width="420mm" height="297mm"`; plain numbers are 1/96 inch).
///
/// - Text is set in `fonts` and no others, and can be searched and copied from the PDF.
/// - Embedded pictures (`data:` URLs) keep their pixels.
///
/// # Errors
/// No page; a page that is no SVG; a page of no size.
///
/// # Examples
/// ```
/// use anlan_models::cartography::{Fonts, pdf::pdf_of_svgs};
/// let page = r##"<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297"
///     font-family="Anlan Map Sans"><text x="20" y="30" font-size="6">洪涝灾害风险报告</text></svg>"##;
/// let pdf = pdf_of_svgs(&[page.to_string()], &Fonts::embedded()).unwrap();
/// assert!(pdf.starts_with(b"%PDF-"));
/// ```
pub fn pdf_of_svgs(pages: &[String], fonts: &Fonts) -> Result<Vec<u8>> {
    if pages.is_empty() {
        return Err(Error::Failed("a PDF without pages".into()));
    }
    let options = fonts.options();
    let mut document = Document::new_with(SerializeSettings {
        // XMP metadata would carry an identity of the file and times.
        xmp_metadata: false,
        // No structure is given, so none is claimed.
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    for (i, page) in pages.iter().enumerate() {
        let failed = |what: String| Error::Failed(format!("PDF page {}: {what}", i + 1));
        let tree = usvg::Tree::from_str(page, &options).map_err(|e| failed(e.to_string()))?;
        let (width, height) = (
            tree.size().width() * POINTS_PER_PX,
            tree.size().height() * POINTS_PER_PX,
        );
        let (Some(settings), Some(size)) = (
            PageSettings::from_wh(width, height),
            Size::from_wh(width, height),
        ) else {
            return Err(failed(format!("a size of {width} x {height} points")));
        };
        let mut sheet = document.start_page_with(settings);
        let mut surface = sheet.surface();
        if surface
            .draw_svg(&tree, size, SvgSettings::default())
            .is_none()
        {
            return Err(failed("it cannot be drawn".into()));
        }
        surface.finish();
        sheet.finish();
    }
    document
        .finish()
        .map_err(|e| Error::Failed(format!("writing a PDF: {e:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"420mm\" height=\"297mm\" viewBox=\"0 0 420 297\" font-family=\"Anlan Map Sans\"><rect width=\"100\" height=\"50\" fill=\"#c00\"/><text x=\"20\" y=\"30\" font-size=\"6\">{text}</text></svg>"
        )
    }

    fn count(pdf: &[u8], what: &[u8]) -> usize {
        pdf.windows(what.len()).filter(|w| *w == what).count()
    }

    #[test]
    fn pages_have_their_size_and_text_its_font() {
        let fonts = Fonts::embedded();
        let pages = [page("金华市洪涝灾害风险等级图"), page("第二页")];
        let pdf = pdf_of_svgs(&pages, &fonts).unwrap();
        assert_eq!(
            count(&pdf, b"/Type /Page\n") + count(&pdf, b"/Type/Page/"),
            2
        );
        // A3 in points: 420 / 25.4 * 72.
        assert!(count(&pdf, b"1190.55") >= 2 && count(&pdf, b"841.88") >= 2);
        assert!(count(&pdf, b"/FontFile3") > 0 && count(&pdf, b"/ToUnicode") > 0);
        // The subset holds the glyphs used, not the whole font of more than a megabyte.
        assert!(pdf.len() < 40_000, "{}", pdf.len());
    }

    #[test]
    fn the_same_pages_give_the_same_bytes() {
        let fonts = Fonts::embedded();
        let pages = [page("安澜")];
        let pdf = pdf_of_svgs(&pages, &fonts).unwrap();
        assert_eq!(pdf, pdf_of_svgs(&pages, &fonts).unwrap());
        assert_eq!(count(&pdf, b"CreationDate"), 0);
    }

    #[test]
    fn what_is_no_svg_is_refused_with_its_page() {
        let fonts = Fonts::embedded();
        let error = pdf_of_svgs(&[page("一"), "no svg".into()], &fonts).unwrap_err();
        assert!(error.to_string().contains("page 2"), "{error}");
        assert!(pdf_of_svgs(&[], &fonts).is_err());
    }
}
