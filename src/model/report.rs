use serde::Serialize;

use super::{BuildFailure, BuiltBy, Diagnosis, Image, Note, Plan, Project, Verification};

/// The version of the report's JSON form; it grows with every change that is not an addition.
pub const SCHEMA: u32 = 2;

/// What a run found out, whole.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of sconce that made it.
    pub sconce: String,
    /// What became of the question, with what only that outcome has.
    pub outcome: Outcome,
    /// What the failures in it mean; empty where nothing failed or nothing is known.
    pub diagnoses: Vec<Diagnosis>,
    /// What a reader should know.
    pub notes: Vec<Note>,
    /// The seconds that the whole run took.
    pub seconds: f64,
}

/// What became of a question. Each has exactly what was there to be had.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Outcome {
    /// `build`: built and proven, and the tag was moved.
    Built {
        /// What was asked for.
        project: Box<Project>,
        /// What was planned.
        plan: Box<Plan>,
        /// How it was built.
        built_by: BuiltBy,
        /// The image, after tagging.
        image: Image,
        /// The tag that was moved.
        tag: String,
        /// The id of the image that had the tag before, where another had it.
        replaced: Option<String>,
        /// The proof.
        verification: Verification,
    },
    /// `build`: a step of the Dockerfile failed; the tag was not touched.
    BuildFailed {
        /// What was asked for.
        project: Box<Project>,
        /// What was planned.
        plan: Box<Plan>,
        /// Which step failed, and how.
        failure: BuildFailure,
        /// The tag that was asked for.
        tag: String,
        /// The id of the image that the tag names, now as before; `None` where there is no such tag.
        unchanged: Option<String>,
    },
    /// `build`: built, but the proof failed; the tag was not touched, and the image is kept without a tag.
    Unproven {
        /// What was asked for.
        project: Box<Project>,
        /// What was planned.
        plan: Box<Plan>,
        /// How it was built.
        built_by: BuiltBy,
        /// The image, untagged.
        image: Image,
        /// The tag that was asked for.
        tag: String,
        /// The id of the image that the tag names, now as before; `None` where there is no such tag.
        unchanged: Option<String>,
        /// The proof that failed.
        verification: Verification,
    },
    /// `verify`: a step of the Dockerfile whose image was to be put to the proof failed.
    FileFailed {
        /// The Dockerfile.
        file: String,
        /// Which step failed, and how.
        failure: BuildFailure,
    },
    /// `verify`: an image was put to the proof.
    Verified {
        /// The image.
        image: Image,
        /// The reference it was asked for by.
        reference: String,
        /// The proof, held or failed.
        verification: Verification,
    },
}

impl Outcome {
    /// Whether the answer is yes.
    pub fn ok(&self) -> bool {
        match self {
            Self::Built { .. } => true,
            Self::BuildFailed { .. } | Self::FileFailed { .. } | Self::Unproven { .. } => false,
            Self::Verified { verification, .. } => verification.proven(),
        }
    }

    /// What the image is called: its tag, or the reference that it was asked for by.
    pub fn name(&self) -> &str {
        match self {
            Self::Built { tag, .. } | Self::BuildFailed { tag, .. } | Self::Unproven { tag, .. } => tag,
            Self::FileFailed { file, .. } => file,
            Self::Verified { reference, .. } => reference,
        }
    }

    /// The image, where there is one.
    pub fn image(&self) -> Option<&Image> {
        match self {
            Self::Built { image, .. } | Self::Unproven { image, .. } | Self::Verified { image, .. } => Some(image),
            Self::BuildFailed { .. } | Self::FileFailed { .. } => None,
        }
    }

    /// The proof, where it came to one.
    pub fn verification(&self) -> Option<&Verification> {
        match self {
            Self::Built { verification, .. }
            | Self::Unproven { verification, .. }
            | Self::Verified { verification, .. } => Some(verification),
            Self::BuildFailed { .. } | Self::FileFailed { .. } => None,
        }
    }

    /// What was asked for and what was planned, where something was built.
    pub fn planned(&self) -> Option<(&Project, &Plan)> {
        match self {
            Self::Built { project, plan, .. }
            | Self::Unproven { project, plan, .. }
            | Self::BuildFailed { project, plan, .. } => Some((project, plan)),
            Self::FileFailed { .. } | Self::Verified { .. } => None,
        }
    }
}
