use serde::Serialize;

use super::{Explanation, Remedy};

/// What [`Explained::log`] is where no file was read.
pub const STANDARD_INPUT: &str = "standard input";

/// A log, and what it says of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The log, as its reader knows it: the path that was given, or [`STANDARD_INPUT`].
    pub log: String,
    /// Its path relative to the folder of the run, with `/`; `None` where it is no file, or lies elsewhere.
    pub file: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// Where no cause is known, how the program can be made to say more.
    pub more: Vec<Remedy>,
}

impl Explained {
    /// The log's name as it stands in a sentence.
    pub fn quoted(log: &str) -> String {
        if log == STANDARD_INPUT { log.to_owned() } else { format!("`{log}`") }
    }
}

/// A failure that the catalogue knows: a row of `images/failures.toml`, with the values that stand where no log names others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownFailure {
    /// Its id, such as `PYTHON_H_MISSING`.
    pub id: String,
    /// Its name, a few words in lower case.
    pub title: String,
    /// Where it happens, as in [`Diagnosis::stage`](super::Diagnosis::stage).
    pub stage: String,
    /// Whether what shows it is only a warning.
    pub warning: bool,
    /// The cause: one or two sentences.
    pub cause: String,
    /// The versions that it befalls, where not all.
    pub versions: Option<String>,
    /// What to do, platform by platform.
    pub remedies: Vec<Remedy>,
    /// Commands that show whether it is mended.
    pub check: Vec<String>,
    /// What else to know, paragraphs.
    pub further: Vec<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// What shows it: regular expressions of a line of a log.
    pub patterns: Vec<String>,
    /// How the row was checked.
    pub evidence: String,
    /// The day it was, as `2026-01-31`.
    pub checked: String,
}
