use std::collections::BTreeMap;

use serde::Serialize;

use super::{Diagnosis, Remedy, TrialEnvironment};

/// What a quick look found: whether `torch.compile` would work, and whether the engine is fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checkup {
    /// What was looked at.
    pub subject: CheckupSubject,
    /// Each finding, in the order they were made.
    pub findings: Vec<Finding>,
    /// What the findings that are no good mean; the remedies that fit here come first.
    pub diagnoses: Vec<Diagnosis>,
    /// What the interpreter found itself in; empty where none was asked.
    pub environment: TrialEnvironment,
    /// The seconds that it took.
    pub seconds: f64,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CheckupSubject {
    /// This machine: its interpreter, and its engine.
    Machine,
    /// An image.
    Image {
        /// What it was called.
        reference: String,
        /// Its id.
        id: String,
    },
    /// The engine alone.
    Engine,
}

/// One thing that was looked at, and what was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// A stable id, such as `compiler` or `engine-disk`.
    pub id: String,
    /// What it asserts, as a short sentence in lower case.
    pub title: String,
    /// What came of it.
    pub outcome: FindingOutcome,
    /// What was seen: one line for people. Where it was skipped, the reason.
    pub evidence: String,
    /// What was seen, for machines; keys are stable.
    pub facts: BTreeMap<String, serde_json::Value>,
    /// What a tool said, where it is no good; mostly empty.
    pub error: String,
    /// The ids of the diagnoses that explain it.
    pub causes: Vec<String>,
    /// What to do about it here, the first one the best; also those of its diagnoses that fit here.
    pub remedies: Vec<Remedy>,
}

/// What came of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingOutcome {
    /// It is as it should be.
    Ok,
    /// It keeps nobody from compiling here, or not yet.
    Warn,
    /// It is not, and `torch.compile`, or the engine, would fail for it.
    Fail,
    /// Nobody could look; the evidence says why.
    Skip,
}

impl Checkup {
    /// Whether what was looked at is fit.
    pub fn ok(&self) -> bool {
        self.number(FindingOutcome::Fail) == 0
    }

    /// How many findings have this outcome.
    pub fn number(&self, outcome: FindingOutcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }
}

impl Finding {
    /// A finding without more to say.
    pub fn new(id: &str, title: &str, outcome: FindingOutcome, evidence: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            outcome,
            evidence: evidence.into(),
            facts: BTreeMap::new(),
            error: String::new(),
            causes: Vec::new(),
            remedies: Vec::new(),
        }
    }

    /// The same with this to do about it.
    #[must_use]
    pub fn with_remedy(mut self, note: impl Into<String>, commands: &[&str]) -> Self {
        let commands = commands.iter().map(|&command| command.to_owned()).collect();
        self.remedies.push(Remedy { platform: "any".to_owned(), note: Some(note.into()), commands, fits: Vec::new() });
        self
    }

    /// Whether something is to be done about it.
    pub fn is_bad(&self) -> bool {
        matches!(self.outcome, FindingOutcome::Warn | FindingOutcome::Fail)
    }
}

/// A command that would mend a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// The finding.
    pub finding: String,
    /// When it is the one to take.
    pub note: Option<String>,
    /// The command, as it is typed in a shell.
    pub command: String,
    /// Why it is not run but left to the user; `None` where it can be run.
    pub left: Option<&'static str>,
}
