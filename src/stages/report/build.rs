//! A document in the making: short ways to its blocks.

use super::data::{Data, Say};
use anlan_engine::Result;
use anlan_models::cartography::{Colour, SheetLanguage};
use anlan_models::report::{Block, Cell, Column, Document, Figure, Table};

/// A report being written.
pub(super) struct Build<'a> {
    pub data: &'a Data<'a>,
    pub say: Say,
    blocks: Vec<Block>,
}

impl<'a> Build<'a> {
    pub fn new(data: &'a Data<'a>, say: Say) -> Self {
        Build {
            data,
            say,
            blocks: Vec::new(),
        }
    }

    /// The text in the language of the report.
    pub fn t(&self, zh: &str, en: &str) -> String {
        self.say.say(zh, en)
    }

    pub fn chapter(&mut self, zh: &str, en: &str) {
        self.heading(1, zh, en, true);
    }

    pub fn unnumbered(&mut self, zh: &str, en: &str) {
        self.heading(1, zh, en, false);
    }

    pub fn section(&mut self, zh: &str, en: &str) {
        self.heading(2, zh, en, true);
    }

    fn heading(&mut self, level: u8, zh: &str, en: &str, numbered: bool) {
        let text = self.t(zh, en);
        self.blocks.push(Block::Heading {
            level,
            text,
            numbered,
        });
    }

    pub fn text(&mut self, text: String) {
        self.blocks.push(Block::Paragraph(text));
    }

    pub fn note(&mut self, text: String) {
        self.blocks.push(Block::Note(text));
    }

    pub fn list(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::List {
                ordered: false,
                items,
            });
        }
    }

    pub fn table(
        &mut self,
        caption: String,
        columns: Vec<Column>,
        rows: Vec<Vec<Cell>>,
        note: String,
    ) {
        if !rows.is_empty() {
            self.blocks.push(Block::Table(Table {
                caption,
                columns,
                rows,
                note,
            }));
        }
    }

    /// A picture of an earlier task, if it is there. True where it is.
    pub fn picture(
        &mut self,
        task: &str,
        file: &str,
        caption: String,
        width: f32,
        note: String,
    ) -> Result<bool> {
        let path = self.data.ctx.folder(task).join(file);
        if !path.exists() {
            return Ok(false);
        }
        let png = std::fs::read(&path).map_err(|e| anlan_engine::Error::io("reading", &path, e))?;
        self.figure(caption, png, width, note);
        Ok(true)
    }

    pub fn figure(&mut self, caption: String, png: Vec<u8>, width: f32, note: String) {
        self.blocks.push(Block::Figure(Figure {
            caption,
            png,
            width,
            note,
        }));
    }

    /// Where figures come from: `file: columns`.
    pub fn source(&self, what: &str) -> String {
        format!("{}{what}", self.t("数据：", "Data: "))
    }

    /// The document with these words around it.
    pub fn finish(
        self,
        title: String,
        subtitle: String,
        running_title: String,
        cover: Vec<(String, String)>,
        contents: bool,
    ) -> Document {
        let language = if self.say.zh {
            SheetLanguage::Zh
        } else {
            SheetLanguage::En
        };
        let marks = self.data.ctx.marks();
        Document {
            language,
            title,
            subtitle,
            running_title,
            cover,
            marks: marks.iter().map(|m| m.text(language).to_string()).collect(),
            contents,
            blocks: self.blocks,
        }
    }
}

/// A cell with a colour behind its text.
pub(super) fn filled(text: String, fill: Option<[u8; 3]>) -> Cell {
    Cell {
        text,
        fill: fill.map(Colour),
    }
}
