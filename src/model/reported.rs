use serde::Serialize;

use super::{Environment, Note};

/// What somebody pasted: a report of an environment, lists of packages, logs and code, whole or in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// The document, as its reader knows it: a path, or [`super::STANDARD_INPUT`].
    pub name: String,
    /// What was found in it, in order.
    pub parts: Vec<Part>,
    /// The environment that the parts tell of, all together.
    pub environment: Environment,
    /// The logs that it holds, in order: whatever may tell of a failure.
    pub logs: Vec<Excerpt>,
    /// The programs that it holds, in order.
    pub scripts: Vec<Excerpt>,
    /// What a reader should know: what was cut off, contradicts itself, or could not be read.
    pub notes: Vec<Note>,
}

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its first line, counted from 1.
    pub line: usize,
    /// Its lines.
    pub lines: usize,
}

/// The formats of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// What `python -m torch.utils.collect_env` writes.
    CollectEnv,
    /// What vLLM's `collect_env.py` (`vllm collect-env`) writes.
    VllmCollectEnv,
    /// What `python -m sglang.check_env` writes.
    CheckEnv,
    /// What `pip freeze` and `uv pip freeze` write; a requirements file of pins.
    PipFreeze,
    /// The table that `pip list` and `uv pip list` write.
    PipList,
    /// The JSON that `pip inspect` or `pip list --format json` writes.
    PipInspect,
    /// The table that `conda list` writes, or its `--export` or `--explicit`.
    CondaList,
    /// What `conda env export` writes.
    CondaExport,
    /// An environment file of sconce.
    EnvironmentFile,
    /// Whatever may tell of a failure.
    Log,
    /// A program in Python.
    Script,
}

impl PartKind {
    /// What it is, a few words that read well after an article-less "found".
    pub fn named(self) -> &'static str {
        match self {
            Self::CollectEnv => "output of collect_env",
            Self::VllmCollectEnv => "output of vLLM's collect_env",
            Self::CheckEnv => "output of sglang's check_env",
            Self::PipFreeze => "output of pip freeze",
            Self::PipList => "output of pip list",
            Self::PipInspect => "output of pip inspect",
            Self::CondaList => "output of conda list",
            Self::CondaExport => "output of conda env export",
            Self::EnvironmentFile => "an environment file",
            Self::Log => "a log",
            Self::Script => "a program in Python",
        }
    }
}

/// Lines of a document, without what they were wrapped in (quotes, indentation, HTML).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// The first line in the document, counted from 1.
    pub line: usize,
    /// The text.
    pub text: String,
}
