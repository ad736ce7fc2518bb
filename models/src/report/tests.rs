//! A report with everything in it, in all formats.

use super::*;
use crate::cartography::pdf::pdf_of_svgs;
use crate::cartography::{Colour, Fonts, SheetLanguage};
use resvg::{tiny_skia, usvg};
use std::io::Read as _;

fn picture(w: u32, h: u32) -> Vec<u8> {
    let mut pixmap = tiny_skia::Pixmap::new(w, h).unwrap();
    pixmap.fill(tiny_skia::Color::from_rgba8(30, 90, 180, 255));
    pixmap.encode_png().unwrap()
}

fn heading(level: u8, text: &str, numbered: bool) -> Block {
    Block::Heading {
        level,
        text: text.into(),
        numbered,
    }
}

fn table(rows: usize) -> Block {
    Block::Table(Table {
        caption: "各单元风险等级".into(),
        columns: vec![
            Column::text("单元", 1.0),
            Column::word("等级", 1.0),
            Column::number("年均损失（万元）", 1.0),
        ],
        rows: (0..rows)
            .map(|i| {
                vec![
                    format!("单元{i}").into(),
                    Cell {
                        text: "较高".into(),
                        fill: Some(Colour([255, 165, 0])),
                    },
                    format!("{i}").into(),
                ]
            })
            .collect(),
        note: "数据：risk/grades.csv".into(),
    })
}

fn document(contents: bool) -> Document {
    let paragraph = "全部灾种按同一时钟逐年模拟，金额为2020年价格人民币；区间只含抽样误差（95%），不含参数与方法的不确定性。".repeat(9);
    let mut blocks = vec![
        heading(1, "摘要", false),
        Block::Paragraph(paragraph.clone()),
    ];
    for k in 0..3 {
        blocks.extend([
            heading(1, "风险等级", true),
            Block::Paragraph(paragraph.clone()),
            table(if k == 1 { 90 } else { 4 }),
            Block::List {
                ordered: k == 0,
                items: vec!["一项 <a & b>".into(), paragraph.clone()],
            },
        ]);
        for i in 0..9 {
            blocks.push(heading(2, &format!("第{i}节"), true));
            blocks.push(Block::Paragraph(paragraph.clone()));
            blocks.push(Block::Note("数据：losses/average_annual.csv".into()));
        }
        blocks.push(Block::Figure(Figure {
            caption: "洪涝水深".into(),
            png: picture(234, 165),
            width: 0.94,
            note: "数据：products/maps".into(),
        }));
    }
    Document {
        language: SheetLanguage::Zh,
        title: "金华市自然灾害综合风险普查评估报告".into(),
        subtitle: "白皮书".into(),
        running_title: "金华市自然灾害综合风险普查评估报告".into(),
        cover: vec![("编制单位".into(), "安澜（示例）".into())],
        marks: vec!["含合成数据，不得用于实际决策".into()],
        contents,
        blocks,
    }
}

/// Texts of a page in order, with font size and colour.
fn texts(svg: &str) -> Vec<(f32, String, String)> {
    let xml = roxmltree::Document::parse(svg).unwrap();
    xml.descendants()
        .filter(|n| n.has_tag_name("text"))
        .map(|n| {
            let of = |a: &str| n.attribute(a).unwrap_or_default().to_string();
            (
                of("font-size").parse().unwrap(),
                of("fill"),
                n.text().unwrap_or_default().to_string(),
            )
        })
        .collect()
}

#[test]
fn pages_hold_all_text_inside_their_margins() {
    let fonts = Fonts::embedded();
    let document = document(true);
    let pages = svg_pages(&document, &fonts).unwrap();
    assert!(pages.len() > 10, "{} pages", pages.len());
    let all: String = pages.iter().flat_map(|p| texts(p)).map(|t| t.2).collect();
    for wanted in [
        "3.9",
        "第8节",
        "单元89",
        "一项 <a & b>",
        "表\u{a0}2-1",
        "图\u{a0}3-1",
    ] {
        assert!(all.contains(wanted), "{wanted}");
    }
    let scale = 210.0 / 25.4 * 96.0 / 595.28;
    for (i, page) in pages.iter().enumerate() {
        let tree = usvg::Tree::from_str(page, &fonts.options()).unwrap();
        fn leaves(group: &usvg::Group, out: &mut Vec<tiny_skia::Rect>) {
            for node in group.children() {
                match node {
                    usvg::Node::Group(g) => leaves(g, out),
                    usvg::Node::Text(t) => out.push(t.abs_bounding_box()),
                    _ => {}
                }
            }
        }
        let mut boxes = Vec::new();
        leaves(tree.root(), &mut boxes);
        assert!(boxes.len() > 3, "page {} is empty", i + 1);
        for b in boxes {
            let (left, right) = (b.left() / scale, b.right() / scale);
            assert!(
                left > 60.0 && right < 595.28 - 60.0,
                "page {}: {left} {right}",
                i + 1
            );
            assert!(
                b.top() / scale > 25.0 && b.bottom() / scale < 841.89 - 25.0,
                "page {}",
                i + 1
            );
        }
    }
}

#[test]
fn tables_repeat_their_heads_and_headings_never_end_a_page() {
    let pages = svg_pages(&document(true), &Fonts::embedded()).unwrap();
    let count = |what: &str| pages.iter().map(|p| p.matches(what).count()).sum::<usize>();
    let continued = count("续表\u{a0}2-1");
    assert!(continued >= 2, "{continued}");
    // A head for each of the three tables, and one more wherever a table goes on.
    assert_eq!(count(">年均损失（万元）<"), 3 + count("续表\u{a0}"));
    for page in &pages[2..] {
        let list = texts(page);
        // The last text is the page number, the one before it the end of the body.
        let (size, colour, text) = &list[list.len() - 2];
        assert!(
            !(colour == "#1f3a5f" && *size > 10.0),
            "ends with a heading: {text}"
        );
    }
    // The contents tell the page on which a heading stands.
    let line: Vec<String> = texts(&pages[1]).into_iter().map(|t| t.2).collect();
    let at = line
        .iter()
        .position(|t| t.ends_with("第4节") && t.starts_with("2."))
        .unwrap();
    let number: usize = line[at + 1].parse().unwrap();
    assert!(
        pages[1 + number].contains(&format!("{}<", line[at])),
        "{} on {number}",
        line[at]
    );
}

#[test]
fn a_short_report_has_neither_cover_nor_contents() {
    let fonts = Fonts::embedded();
    let pages = svg_pages(&document(false), &fonts).unwrap();
    assert!(pages[0].contains("第 1 页") && pages[0].contains(">摘要<"));
    let english = Document {
        language: SheetLanguage::En,
        ..document(false)
    };
    let pages = svg_pages(&english, &fonts).unwrap();
    assert!(pages[1].contains(&format!(">2 / {}<", pages.len())));
    let unknown = Document {
        blocks: vec![Block::Note("龘".into())],
        ..document(false)
    };
    assert!(
        svg_pages(&unknown, &fonts)
            .unwrap_err()
            .to_string()
            .contains("U+9F98")
    );
}

#[test]
fn the_pdf_is_the_same_every_time() {
    let fonts = Fonts::embedded();
    let mut document = document(false);
    document.blocks.truncate(12);
    let make = || pdf_of_svgs(&svg_pages(&document, &fonts).unwrap(), &fonts).unwrap();
    let pdf = make();
    assert!(pdf.starts_with(b"%PDF-") && pdf == make());
}

#[test]
fn html_is_one_file_with_everything_in_it() {
    let text = html(&document(true));
    assert!(text.starts_with("<!DOCTYPE html>\n<html lang=\"zh-CN\">"));
    for (tag, n) in [
        ("<table>", 3),
        ("</table>", 3),
        ("<figure>", 3),
        ("<thead>", 3),
        ("<h2 ", 4),
    ] {
        assert_eq!(text.matches(tag).count(), n, "{tag}");
    }
    assert_eq!(text.matches("<li>").count(), text.matches("</li>").count());
    assert_eq!(text.matches("<ol>").count(), text.matches("</ol>").count());
    assert!(text.contains("一项 &lt;a &amp; b&gt;") && text.contains("@media print"));
    // Nothing is fetched from elsewhere.
    assert!(!text.contains("http") && text.matches("src=\"data:image/png;base64,").count() == 3);
    let links: Vec<&str> = text.split("href=\"#").skip(1).collect();
    assert_eq!(links.len(), 4 + 27);
    for link in links {
        let id = &link[..link.find('"').unwrap()];
        assert!(text.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn docx_is_a_package_of_well_formed_parts() {
    let document = document(true);
    let bytes = docx(&document).unwrap();
    assert_eq!(bytes, docx(&document).unwrap());
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<String> = (archive.file_names())
        .map(|n| n.unwrap().into_owned())
        .collect();
    let mut body = String::new();
    for name in &names {
        let mut content = Vec::new();
        archive
            .by_name(name)
            .unwrap()
            .read_to_end(&mut content)
            .unwrap();
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let text = String::from_utf8(content).unwrap();
            roxmltree::Document::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            if name == "word/document.xml" {
                body = text;
            }
        }
    }
    assert!(names.contains(&"word/media/image3.png".to_string()));
    for (part, n) in [
        ("<w:tblHeader/>", 3),
        ("r:embed=", 3),
        ("w:val=\"Heading1\"", 4),
        ("w:val=\"Heading2\"", 27),
        ("TOC \\o", 1),
    ] {
        assert_eq!(body.matches(part).count(), n, "{part}");
    }
    assert!(body.contains("一项 &lt;a &amp; b&gt;"));
}
