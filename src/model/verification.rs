use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The evidence that `torch.compile` works in an image, or does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// How much was asked for.
    pub profile: Profile,
    /// One run of checks a way of running the image, never none; the first is that of the image as it is.
    pub trials: Vec<Trial>,
    /// What was not tried, so that nobody takes it for proven.
    pub untried: Vec<Untried>,
    /// Where the first trial was not made now: the earlier proof that it was taken from.
    pub recalled: Option<Recalled>,
}

impl Verification {
    /// Whether the image is proven: as it is, at least one check passed, and none failed in any trial.
    pub fn proven(&self) -> bool {
        let mut first = self.as_is().checks.iter();
        first.any(|check| check.outcome == CheckOutcome::Pass) && self.failed().next().is_none()
    }

    /// The trial of the image as it is.
    ///
    /// # Panics
    ///
    /// Where there is no trial, which nothing makes.
    pub fn as_is(&self) -> &Trial {
        self.trials.first().expect("a verification has the trial of the image as it is")
    }

    /// What the smoke test found itself in, in the image as it is.
    pub fn environment(&self) -> &TrialEnvironment {
        &self.as_is().environment
    }

    /// The trials of which nothing came: what they need was not there.
    pub fn skipped(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.outcome() == CheckOutcome::Skip)
    }

    /// The checks of every trial, in their order.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.trials.iter().flat_map(|trial| &trial.checks)
    }

    /// The checks that failed, in any trial.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks().filter(|check| check.outcome == CheckOutcome::Fail)
    }
}

/// How much a proof tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The image as it is, one cold compile.
    Quick,
    /// Every check, on the image as it is.
    #[default]
    Standard,
    /// Every check, and again in each of the ways that orchestrators run images.
    Thorough,
}

impl Profile {
    /// Its name, as it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Thorough => "thorough",
        }
    }
}

/// How the trial of the image as it is says that nothing of it was run otherwise.
pub const AS_BUILT: &str = "as the image is, by its own user";

/// Checks that every trial makes on its way to those that it is made for.
const COMMON: [&str; 4] = ["python", "torch", "version", "completed"];

/// The checks that were made in one way of running the image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// A stable id: `as-is`, `unknown-uid`, `read-only`, `one-cpu`, `small-memory`, `gpu`, `smoke`.
    pub id: String,
    /// How the image was run, a few words in lower case.
    pub title: String,
    /// Every check that was made, in the order they were made. A check that fails hides no other.
    pub checks: Vec<Check>,
    /// What the smoke test found itself in.
    pub environment: TrialEnvironment,
    /// The end of what was written on standard error, line by line, without escape sequences.
    pub log: Vec<String>,
    /// The seconds that the container ran.
    pub seconds: f64,
}

impl Trial {
    /// What came of it: it failed if a check did, and was skipped if every check was that it was made for.
    pub fn outcome(&self) -> CheckOutcome {
        let failed = self.checks.iter().any(|check| check.outcome == CheckOutcome::Fail);
        let own = |check: &&Check| !COMMON.contains(&check.id.as_str());
        let passed = self.checks.iter().filter(own).any(|check| check.outcome == CheckOutcome::Pass);
        match (failed, passed) {
            (true, _) => CheckOutcome::Fail,
            (false, true) => CheckOutcome::Pass,
            (false, false) => CheckOutcome::Skip,
        }
    }
}

/// A way of running the image, or a group of checks, that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untried {
    /// The id of the trial or check.
    pub id: String,
    /// What it would have shown, a few words in lower case.
    pub title: String,
    /// Why it was not tried.
    pub reason: String,
}

/// An earlier proof that still holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// When it was made, in seconds since 1970 (UTC).
    pub at: u64,
    /// What is the same as then.
    pub same: Same,
}

/// What two images have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Same {
    /// They are the very same.
    Image,
    /// They differ in the layers of the project's sources only.
    Environment,
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
    /// For a failed check, the ids of the diagnoses that explain it; else empty.
    #[serde(default)]
    pub causes: Vec<String>,
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
pub struct TrialEnvironment {
    /// The interpreter, such as `/opt/venv/bin/python`; empty where none with torch was found.
    #[serde(default)]
    pub executable: String,
    /// Other interpreters that have a torch of their own, and were not tried.
    #[serde(default)]
    pub others: Vec<String>,
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
