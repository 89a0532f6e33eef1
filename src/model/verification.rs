use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The evidence that `torch.compile` works in an image, or does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// Every check that was made, in the order they were made. A check that fails hides no other.
    pub checks: Vec<Check>,
    /// What the smoke test found itself in.
    pub environment: Environment,
    /// The end of what the smoke test wrote on standard error, line by line, without escape sequences.
    pub log: Vec<String>,
    /// The proof was made by an earlier run on the very same image: when, in seconds since 1970 (UTC).
    pub made_before: Option<u64>,
}

impl Verification {
    /// Whether the image is proven: at least one check passed and none failed.
    pub fn proven(&self) -> bool {
        self.checks.iter().any(|check| check.outcome == CheckOutcome::Pass) && self.failed().next().is_none()
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == CheckOutcome::Fail)
    }
}

/// One check with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// A stable id, such as `compiler`.
    pub id: String,
    /// What it asserts, as a short sentence in lower case.
    pub title: String,
    /// Whether it holds.
    pub outcome: CheckOutcome,
    /// What was seen: one line for people. For a skipped check, the reason.
    pub evidence: String,
    /// What was seen, for machines; keys are stable.
    #[serde(default)]
    pub facts: BTreeMap<String, serde_json::Value>,
    /// For a failed check, the error's text (a traceback, a compiler's output), for the diagnosis; else empty.
    #[serde(default)]
    pub error: String,
    /// The seconds it took.
    #[serde(default)]
    pub seconds: f64,
}

/// Whether a check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It could not be made; the evidence says why.
    Skip,
}

/// What the smoke test found itself in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The interpreter, such as `/opt/venv/bin/python`; empty where none with torch was found.
    #[serde(default)]
    pub executable: String,
    /// Its version, such as `3.13.5`.
    #[serde(default)]
    pub python: String,
    /// torch's version with its local part, such as `2.15.0+cu132`; empty where torch could not be imported.
    #[serde(default)]
    pub torch: String,
    /// `cpu`, `cuda 13.2` or `rocm 7.2`; empty where torch could not be imported.
    #[serde(default)]
    pub variant: String,
    /// The user, as `uid:gid (name)`.
    #[serde(default)]
    pub user: String,
    /// The processor's model.
    #[serde(default)]
    pub cpu: String,
    /// The processors that the container may use.
    #[serde(default)]
    pub cpus: usize,
    /// The C library, such as `glibc 2.41`.
    #[serde(default)]
    pub libc: String,
}
