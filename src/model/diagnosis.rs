use serde::{Deserialize, Serialize};

/// The root cause of a failure, with the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The id of the row of `images/failures.toml` that it is an instance of, such as `PYTHON_H_MISSING`.
    pub id: String,
    /// Its name, a few words in lower case.
    pub title: String,
    /// Where it happens: `build`, `install`, `import`, `start`, `compile`, `link`, `load`, `cache`, `triton`, `run` or
    /// `proof`.
    pub stage: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why it is only likely; `None` where it is not.
    #[serde(skip)]
    pub doubt: Option<Doubt>,
    /// The cause: one or two sentences.
    pub cause: String,
    /// The line that shows it.
    pub evidence: Evidence,
    /// What to do, platform by platform; the one that fits what the log says of its machine first.
    pub remedies: Vec<Remedy>,
    /// Commands that show whether it is mended.
    pub check: Vec<String>,
    /// What else to know: where the fix does not help, and where to search next. Paragraphs.
    pub further: Vec<String>,
    /// Where to read more.
    pub references: Vec<String>,
}

/// How sure a diagnosis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The log names the cause, and speaks of what the row is about.
    Certain,
    /// The log names it, but there is a [`Doubt`].
    Likely,
    /// The log names it in a warning; the program may have gone on without harm.
    Warning,
}

/// Why a diagnosis is only likely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing in the log says that torch.compile is what it befell.
    Unrelated,
    /// The program went on after it.
    Survived,
    /// The line only speaks of it, or sets what shows it.
    Mentioned,
}

/// The line that shows a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The line's number in the log, counted from 1.
    pub line: usize,
    /// The line, without escape sequences.
    pub text: String,
}

/// What to do on one platform. At least one of `note` and `commands` says something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// `apt`, `dnf`, `brew`, `conda`, `pyenv`, `uv`, `docker`, `windows` or `any`.
    pub platform: String,
    /// When it is the one to take, or what to do where no command does it: prose.
    #[serde(default)]
    pub note: Option<String>,
    /// The commands, as they are typed in a shell; for `docker`, lines of a Dockerfile or `docker` commands.
    #[serde(default)]
    pub commands: Vec<String>,
    /// What it is for alone, where its platform does not say it: values of `installation`, `system` and `container`, as
    /// [`Circumstances`](super::Circumstances) has them. It comes first where one of them holds, and last where others do.
    #[serde(default, skip_serializing)]
    pub fits: Vec<String>,
}
