//! Reports (报告、白皮书): a document of headings, paragraphs, tables and figures, and its writers. Pure: text and pictures in,
//! bytes out.
//!
//! | file | holds |
//! | --- | --- |
//! | `document` | what a report holds, numbering of headings, tables and figures |
//! | `lines` | line breaking with the rules of Chinese (禁则) |
//! | `flow` | blocks as pieces that stand on pages: lines, rows, figures |
//! | `page` | A4 pages with header, footer and contents, as SVG for the PDF writer |
//! | `html` | one self-contained HTML file |
//! | `docx` | WordprocessingML (DOCX) |
//!
//! The same document gives the same bytes: no clock, no counters that outlive a document.

pub mod document;
mod docx;
mod flow;
mod html;
pub mod lines;
mod page;

pub use document::{Align, Block, Cell, Column, Document, Figure, Table};
pub use docx::docx;
pub use html::html;
pub use page::svg_pages;

/// Texts of methods and limits in Chinese and English (`report.toml`).
pub const TEXTS: &str = include_str!("../../standards/report.toml");

#[cfg(test)]
mod tests;
