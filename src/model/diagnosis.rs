use serde::{Deserialize, Serialize};

/// The root cause of a failure, with the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The id of the row of `images/failures.toml` that it is an instance of.
    pub id: String,
    /// The cause: one or two sentences.
    pub cause: String,
    /// The line that shows it.
    pub evidence: Evidence,
    /// What to do, platform by platform.
    pub remedies: Vec<Remedy>,
    /// Where to read more.
    pub references: Vec<String>,
}

/// The line that shows a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The line's number in the log, counted from 1.
    pub line: usize,
    /// The line, without escape sequences.
    pub text: String,
}

/// What to do on one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// `apt`, `dnf`, `brew`, `conda`, `pyenv`, `uv`, `docker` or `any`.
    pub platform: String,
    /// What to do, as a command where there is one.
    pub commands: Vec<String>,
}
