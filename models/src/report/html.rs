//! One HTML file that needs nothing else: semantic elements, pictures inside, rules for print.

use super::document::{Align, Block, Cell, Document, Figure, Numbered, Table};
use crate::cartography::SheetLanguage;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

const STYLE: &str = "\
:root{--ink:#1c1c1c;--blue:#1f3a5f;--faint:#555;--line:#c9d1db}\
*{box-sizing:border-box}\
body{margin:0;background:#f3f4f6;color:var(--ink);font-family:\"Noto Sans CJK SC\",\"Noto Sans SC\",\"Source Han Sans SC\",\"PingFang SC\",\"Microsoft YaHei\",\"Helvetica Neue\",Arial,sans-serif;line-height:1.7;font-size:16px}\
main{max-width:60rem;margin:0 auto;background:#fff;padding:2.5rem 3rem}\
header.cover{text-align:center;padding:3rem 0 2rem;border-bottom:3px solid var(--blue);margin-bottom:2rem}\
header.cover h1{color:var(--blue);font-size:2.1rem;line-height:1.35;margin:0 0 .6rem}\
header.cover p{margin:.2rem 0}\
.mark{display:inline-block;border:2px solid #b01818;color:#b01818;padding:.15rem .9rem;margin:.5rem .3rem}\
dl.facts{display:grid;grid-template-columns:auto 1fr;gap:.1rem 1rem;max-width:34rem;margin:1.5rem auto 0;text-align:left}\
dl.facts dt{color:var(--faint);text-align:right}dl.facts dd{margin:0;overflow-wrap:anywhere}\
nav{margin:0 0 2rem}nav ol{list-style:none;padding-left:0;margin:.3rem 0}nav ol ol{padding-left:1.6rem}nav a{color:var(--blue);text-decoration:none}nav a:hover{text-decoration:underline}\
h2,h3,h4{color:var(--blue);line-height:1.4;margin:2.2rem 0 .8rem}h2{border-bottom:2px solid var(--blue);padding-bottom:.25rem;font-size:1.5rem}h3{font-size:1.2rem}h4{font-size:1.05rem}\
p{margin:.6rem 0}:lang(zh) p.text{text-indent:2em;text-align:justify}\
p.note,figcaption small,.table small{color:var(--faint);font-size:.8rem;line-height:1.5;overflow-wrap:anywhere}\
.table{overflow-x:auto;margin:1.2rem 0}\
table{border-collapse:collapse;width:100%;font-size:.86rem;line-height:1.45;border-top:2px solid var(--blue);border-bottom:2px solid var(--blue)}\
caption{color:var(--blue);padding:.3rem 0;font-size:.95rem}\
th{background:#e9eef5;border-bottom:1px solid var(--blue);font-weight:600;padding:.3rem .5rem}\
td{border-bottom:1px solid var(--line);padding:.28rem .5rem;overflow-wrap:break-word}td.c{white-space:nowrap}td:first-child{min-width:4.5em}\
.c{text-align:center}.r{text-align:right;font-variant-numeric:tabular-nums}.l{text-align:left}td.r{white-space:nowrap}\
figure{margin:1.4rem 0;text-align:center}figure img{max-width:100%;height:auto;border:1px solid var(--line)}figcaption{color:var(--blue);font-size:.95rem}figcaption small{display:block}\
@page{size:A4;margin:22mm 20mm}\
@media print{body{background:#fff;font-size:10.5pt}main{max-width:none;padding:0}header.cover{break-after:page;padding-top:30%}nav{break-after:page}h2{break-before:page}h2,h3,h4,caption{break-after:avoid}figure,tr{break-inside:avoid}thead{display:table-header-group}.table{overflow:visible}td.r{white-space:normal}p{orphans:2;widows:2}}\
@media (max-width:40rem){main{padding:1.2rem}}";

/// The report as one HTML file.
pub fn html(document: &Document) -> String {
    let zh = document.language == SheetLanguage::Zh;
    let numbered = document.numbered();
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        if zh { "zh-CN" } else { "en" },
        escaped(&document.title)
    );
    cover(&mut out, document);
    if document.contents {
        contents(&mut out, &numbered, zh);
    }
    for (id, n) in numbered.iter().enumerate() {
        block(&mut out, id, n);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\n', "<br>")
}

fn cover(out: &mut String, document: &Document) {
    let _ = write!(
        out,
        "<header class=\"cover\">\n<h1>{}</h1>\n<p>{}</p>\n",
        escaped(&document.title),
        escaped(&document.subtitle)
    );
    for mark in &document.marks {
        let _ = writeln!(out, "<p class=\"mark\" role=\"note\">{}</p>", escaped(mark));
    }
    out.push_str("<dl class=\"facts\">\n");
    for (name, value) in &document.cover {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value));
    }
    out.push_str("</dl>\n</header>\n");
}

fn contents(out: &mut String, numbered: &[Numbered<'_>], zh: bool) {
    let name = if zh { "目录" } else { "Contents" };
    let _ = write!(out, "<nav aria-label=\"{name}\">\n<h2>{name}</h2>\n<ol>\n");
    let (mut chapter_open, mut sections_open) = (false, false);
    for (id, n) in numbered.iter().enumerate() {
        let Block::Heading { level, .. } = n.block else {
            continue;
        };
        let link = format!("<a href=\"#b{id}\">{}</a>", escaped(&n.title()));
        match level {
            1 => {
                if sections_open {
                    out.push_str("</ol>");
                }
                if chapter_open {
                    out.push_str("</li>\n");
                }
                let _ = write!(out, "<li>{link}");
                (chapter_open, sections_open) = (true, false);
            }
            2 if chapter_open => {
                if !sections_open {
                    out.push_str("\n<ol>\n");
                    sections_open = true;
                }
                let _ = writeln!(out, "<li>{link}</li>");
            }
            _ => {}
        }
    }
    if sections_open {
        out.push_str("</ol>");
    }
    if chapter_open {
        out.push_str("</li>\n");
    }
    out.push_str("</ol>\n</nav>\n");
}

fn block(out: &mut String, id: usize, n: &Numbered<'_>) {
    match n.block {
        Block::Heading { level, .. } => {
            let tag = level.clamp(&1, &3) + 1;
            let _ = writeln!(out, "<h{tag} id=\"b{id}\">{}</h{tag}>", escaped(&n.title()));
        }
        Block::Paragraph(text) => {
            let _ = writeln!(out, "<p class=\"text\">{}</p>", escaped(text));
        }
        Block::Note(text) => {
            let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(text));
        }
        Block::List { ordered, items } => {
            let tag = if *ordered { "ol" } else { "ul" };
            let _ = writeln!(out, "<{tag}>");
            for item in items {
                let _ = writeln!(out, "<li>{}</li>", escaped(item));
            }
            let _ = writeln!(out, "</{tag}>");
        }
        Block::Table(t) => table(out, t, &n.title()),
        Block::Figure(f) => figure(out, f, &n.title()),
        Block::PageBreak => {}
    }
}

fn class(align: Align) -> &'static str {
    match align {
        Align::Left => "l",
        Align::Centre => "c",
        Align::Right => "r",
    }
}

fn table(out: &mut String, table: &Table, title: &str) {
    let _ = write!(
        out,
        "<div class=\"table\">\n<table>\n<caption>{}</caption>\n<thead><tr>",
        escaped(title)
    );
    for column in &table.columns {
        let _ = write!(
            out,
            "<th scope=\"col\" class=\"{}\">{}</th>",
            class(column.align),
            escaped(&column.head)
        );
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (cell, column) in row.iter().zip(&table.columns) {
            let style = fill(cell);
            let _ = write!(
                out,
                "<td class=\"{}\"{style}>{}</td>",
                class(column.align),
                escaped(&cell.text)
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
    if !table.note.is_empty() {
        let _ = writeln!(out, "<small>{}</small>", escaped(&table.note));
    }
    out.push_str("</div>\n");
}

fn fill(cell: &Cell) -> String {
    cell.fill.map_or(String::new(), |c| {
        let [r, g, b] = c.0;
        format!(" style=\"background:rgba({r},{g},{b},.45)\"")
    })
}

fn figure(out: &mut String, figure: &Figure, title: &str) {
    let note = if figure.note.is_empty() {
        String::new()
    } else {
        format!("<small>{}</small>", escaped(&figure.note))
    };
    let _ = writeln!(
        out,
        "<figure><img alt=\"{}\" style=\"width:{:.0}%\" src=\"data:image/png;base64,{}\"><figcaption>{}{note}</figcaption></figure>",
        escaped(&figure.caption),
        100.0 * figure.width.clamp(0.1, 1.0),
        STANDARD.encode(&figure.png),
        escaped(title)
    );
}
