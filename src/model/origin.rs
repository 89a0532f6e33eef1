use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a fact or a wish comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A line of a file of the project; `file` is relative to the project's root, with `/`, and `line` counts from 1.
    File {
        /// The file, relative to the root of the project.
        file: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// A flag of the command line, such as `--variant`.
    CommandLine {
        /// The flag, with its dashes.
        flag: String,
    },
    /// A variable of the environment, such as `SCONCE_INDEX_URL`.
    Environment {
        /// The variable's name, without a dollar sign.
        variable: String,
    },
    /// A row of the catalogue (`images/*.toml`).
    Catalogue {
        /// The row's id.
        row: String,
    },
    /// An image that was looked at.
    Image {
        /// Its reference or id.
        image: String,
    },
    /// The engine that builds.
    Engine,
    /// Nobody asked: sconce's own default.
    Default,
}

impl Origin {
    /// A line of a file of the project.
    pub fn file(file: impl Into<String>, line: usize) -> Self {
        Self::File { file: file.into(), line }
    }

    /// A flag of the command line, with its dashes.
    pub fn flag(flag: impl Into<String>) -> Self {
        Self::CommandLine { flag: flag.into() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::CommandLine { flag } => f.write_str(flag),
            Self::Environment { variable } => write!(f, "${variable}"),
            Self::Catalogue { row } => write!(f, "catalogue row {row}"),
            Self::Image { image } => write!(f, "image {image}"),
            Self::Engine => f.write_str("the engine"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// How much a note matters to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Probably not what was meant.
    Warning,
}

/// Something a reader of the report should know, which stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// How much it matters.
    pub severity: Severity,
    /// One sentence, in lower case, with literals in backticks.
    pub message: String,
    /// What to do about it, where there is something to do.
    pub hint: Option<String>,
    /// What it speaks of.
    pub origin: Origin,
}

impl Note {
    /// A note worth knowing.
    pub fn info(message: impl Into<String>, origin: Origin) -> Self {
        Self { severity: Severity::Info, message: message.into(), hint: None, origin }
    }

    /// A note on something that is probably not what was meant.
    pub fn warning(message: impl Into<String>, origin: Origin) -> Self {
        Self { severity: Severity::Warning, message: message.into(), hint: None, origin }
    }

    /// The same note with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
