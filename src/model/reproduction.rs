use serde::Serialize;

use super::{BuildFailure, Diagnosis, Evidence, Explanation, Fidelity, Image, Note, Replica, Reported, Verification};

/// A report, read and planned: what it says, what failed, and how its environment is built again.
#[derive(Debug, Clone, Serialize)]
pub struct Reconstruction {
    /// What was pasted.
    pub reported: Reported,
    /// What its logs mean; `None` where it holds none.
    pub explanation: Option<Explanation>,
    /// The failure that is to be reproduced: an id of `images/failures.toml`; `None` where none is known.
    pub failure: Option<String>,
    /// How the environment is built again.
    pub replica: Replica,
    /// The program that is run in it.
    pub program: Program,
    /// The Dockerfile of the environment with its defect.
    pub faithful_dockerfile: String,
    /// The Dockerfile of the environment with the remedy.
    pub fixed_dockerfile: String,
    /// How true the replica is to what was reported.
    pub fidelity: Fidelity,
    /// What a reader should know.
    pub notes: Vec<Note>,
}

/// The program that is run in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Program {
    /// What it is, as in a sentence: `sconce's own program`, `repro.py`, `the program at issue.md:30`.
    pub title: String,
    /// The name that its tracebacks show.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Whether it is the reporter's, and not sconce's own.
    pub theirs: bool,
}

/// A reconstruction, and what became of it on an engine.
#[derive(Debug, Clone, Serialize)]
pub struct Reproduction {
    /// What was planned; its fidelity is that of an image, where one was built.
    #[serde(flatten)]
    pub reconstruction: Reconstruction,
    /// The environment with its defect, where it was asked for.
    pub faithful: Option<Faithful>,
    /// The environment with the remedy, where it was asked for.
    pub fixed: Option<Fixed>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Reproduction {
    /// Whether all that was asked for holds: the failure came again, and its remedy is proven.
    pub fn ok(&self) -> bool {
        let faithful = self.faithful.as_ref().is_none_or(|faithful| faithful.verdict.is_reproduced());
        faithful && self.fixed.as_ref().is_none_or(|fixed| fixed.proven)
    }
}

/// The environment with its defect, and what was seen in it.
#[derive(Debug, Clone, Serialize)]
pub struct Faithful {
    /// What became of it.
    pub attempt: Attempt,
    /// Whether the reporter's failure came again.
    pub verdict: ReproductionVerdict,
}

/// The environment with the remedy, and what was seen in it.
#[derive(Debug, Clone, Serialize)]
pub struct Fixed {
    /// What became of it.
    pub attempt: Attempt,
    /// Whether the program ran, and every check of the proof held.
    pub proven: bool,
}

/// An image that was built of an environment, and what was run in it.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// The image, and the tag that it has where all that was asked of it holds; `None` where it could not be built.
    pub image: Option<Image>,
    /// The tag.
    pub tag: Option<String>,
    /// The step that failed, where it could not be built.
    pub build_failure: Option<BuildFailure>,
    /// The program; `None` where there was no image to run it in.
    pub run: Option<ProgramRun>,
    /// The proof, where one was made.
    pub verification: Option<Verification>,
    /// What it all means, the most certain first: of the program's output, then of the proof.
    pub diagnoses: Vec<Diagnosis>,
}

/// What a program did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProgramRun {
    /// How it was run, as a command of `docker run` that does the same.
    pub command: String,
    /// Its exit code; `None` where it was stopped for its time, or could not be started.
    pub exit_code: Option<i64>,
    /// Whether it was stopped for its time.
    pub timed_out: bool,
    /// Whether it ran out of memory, as far as the engine can tell.
    pub out_of_memory: bool,
    /// The last lines of what it wrote.
    pub tail: Vec<String>,
    /// The line of it that proves the failure.
    pub evidence: Option<Evidence>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl ProgramRun {
    /// Whether it ended as a program does that worked.
    pub fn ok(&self) -> bool {
        self.exit_code == Some(0)
    }
}

/// Whether a failure came again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum ReproductionVerdict {
    /// The same diagnosis appeared in what the program wrote.
    Reproduced,
    /// The program did not say so, and a check of the proof did.
    ReproducedByProof {
        /// The id of the check.
        check: String,
    },
    /// Something else failed.
    Different {
        /// What it was diagnosed as, the most certain first; may be empty.
        shown: Vec<String>,
    },
    /// Nothing failed.
    NotReproduced,
    /// The image could not be built.
    NotBuilt,
    /// Nothing tells what to look for: the report names no failure that is known.
    NothingToCompare {
        /// What was diagnosed in the replica, the most certain first; may be empty.
        shown: Vec<String>,
    },
}

impl ReproductionVerdict {
    /// Whether the reporter's failure came again.
    pub fn is_reproduced(&self) -> bool {
        matches!(self, Self::Reproduced | Self::ReproducedByProof { .. })
    }
}
