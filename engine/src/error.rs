//! What can go wrong, told so that a person can mend it: file, place, value, expectation, remedy.

use std::fmt;
use std::path::{Path, PathBuf};

/// One fault in the input: where it is, what was found, what was expected and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// File (or project field) at fault.
    pub file: PathBuf,
    /// Row, column, cell, band, feature or key; empty where the whole file is meant.
    pub place: String,
    /// The value found.
    pub found: String,
    /// What was expected instead.
    pub expected: String,
    /// What the user can do about it.
    pub remedy: String,
}

impl Fault {
    /// A fault of `file` as a whole; add a place with [`Fault::at`].
    pub fn new(
        file: impl AsRef<Path>,
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Fault {
            file: file.as_ref().to_path_buf(),
            place: String::new(),
            found: found.into(),
            expected: expected.into(),
            remedy: remedy.into(),
        }
    }

    /// Names the row, column, cell or key.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if !self.place.is_empty() {
            write!(f, ", {}", self.place)?;
        }
        write!(
            f,
            ": found {}, expected {}; {}",
            self.found, self.expected, self.remedy
        )
    }
}

/// Any failure of the engine or of the models.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is at fault; all faults found together.
    #[error("{}", list(.0))]
    Input(Vec<Fault>),
    /// The operating system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was being done, e.g. `reading`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's own word.
        source: std::io::Error,
    },
    /// A computation failed for a reason that is not the user's.
    #[error("{0}")]
    Failed(String),
    /// The caller asked to stop.
    #[error("stopped on request")]
    Cancelled,
}

/// Result of the engine and the models.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One fault of the input.
    pub fn input(fault: Fault) -> Self {
        Error::Input(vec![fault])
    }

    /// An operating-system failure while doing `action` on `path`. A missing file is the user's to mend, so it
    /// becomes an input fault.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        let path = path.as_ref();
        match source.kind() {
            std::io::ErrorKind::NotFound if action == "reading" => Error::input(Fault::new(
                path,
                "no such file",
                "a readable file",
                "check the path in the project file (paths are relative to it)",
            )),
            _ => Error::Io {
                action,
                path: path.to_path_buf(),
                source,
            },
        }
    }

    /// True where the user's input is at fault (exit code 2), false for a failure of ours or of the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        matches!(self, Error::Input(_))
    }

    /// The faults of the input; empty for other errors.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Error::Input(faults) => faults,
            _ => &[],
        }
    }
}

fn list(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(Fault::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
