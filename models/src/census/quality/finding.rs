//! What a check of tables finds and mends, in both languages, with the cells as their files name them.

pub use super::super::check::Severity;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Said {
    /// The text in a language.
    pub fn get(&self, zh: bool) -> &str {
        if zh { &self.zh } else { &self.en }
    }
}

/// A text in both languages from two format strings. Names given behind them are bound first, so that each language may
/// use those that it needs.
macro_rules! said {
    ($en:literal, $zh:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        $(#[allow(unused_variables)] let $name = &$value;)*
        $crate::census::quality::finding::Said {
            en: format!($en),
            zh: format!($zh),
        }
    }};
}
pub(super) use said;

/// A cell of one of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellAt {
    /// Index of the table.
    pub table: usize,
    /// Row of the sheet, from 0; `None` for the table as a whole.
    pub row: Option<usize>,
    /// Column of the sheet, from 0; `None` for a whole row.
    pub column: Option<usize>,
}

/// A breach of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// How grave.
    pub severity: Severity,
    /// Where.
    pub at: CellAt,
    /// Field concerned; empty for whole rows and tables.
    pub field: String,
    /// Key of the record, e.g. its code; empty where it has none.
    pub key: String,
    /// Code of the county (6 digits) or higher unit that the record lies in; empty where it is not known.
    pub unit: String,
    /// What stands in the cell.
    pub value: String,
    /// What is wrong.
    pub found: Said,
    /// What was expected.
    pub expected: Said,
    /// What to do.
    pub remedy: Said,
    /// Other cells concerned.
    pub others: Vec<CellAt>,
    /// True where a certain fix mends it.
    pub fixed: bool,
    /// Why a person has accepted it as right.
    pub accepted: Option<String>,
}

/// A certain fix.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Id of the rule.
    pub rule: String,
    /// The cell; a whole row that is taken out has no column.
    pub at: CellAt,
    /// What stood there.
    pub old: String,
    /// What stands there now.
    pub new: String,
}
