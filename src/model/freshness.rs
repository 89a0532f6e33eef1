use serde::Serialize;

/// A file that sconce writes, held against what it would write now.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedFile {
    /// The file.
    pub path: String,
    /// What it is.
    pub state: FileState,
    /// The version of sconce that its label names, where that is another than this one. The label alone makes no file stale.
    pub written_by: Option<String>,
    /// What would change in it, as a unified diff; empty where nothing would, and where there is no file.
    pub diff: String,
    /// How many lines of the diff were left out.
    pub omitted: usize,
}

/// What a file is that was held against what sconce would write now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It is what would be written.
    Fresh,
    /// It is something else.
    Stale,
    /// It is not there.
    Missing,
}

/// The command that writes files anew.
#[derive(Debug, Clone, Serialize)]
pub struct Refresh {
    /// The command, to be pasted into a shell.
    pub command: String,
    /// The variables of the environment that it depends on.
    pub variables: Vec<String>,
}
