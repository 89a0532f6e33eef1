//! The values that flow through sconce, one struct an arrow of the architecture.
//!
//! Nothing here reads a file, talks to an engine or knows a command line. Every struct is total: a value of it means that
//! the stage that makes it has run. What went wrong *inside* a stage (a build that failed, a proof that did not hold) is
//! part of the value; [`Error`] means that the question itself could not be answered.

mod answer;
mod archive;
mod attestation;
mod base_row;
mod comparison;
mod diagnosis;
mod digest;
mod doctor;
mod environment;
mod error;
mod explained;
mod explanation;
mod facts;
mod freshness;
mod image;
mod learned;
mod lock;
mod marker;
mod nearest;
mod origin;
mod plain;
mod plan;
mod project;
mod replica;
mod report;
mod reported;
mod reproduction;
mod requirement;
mod sources;
mod time;
mod verification;

pub use answer::{Answer, Answers};
pub use archive::{ArchiveName, is_archive, wheel_python};
pub use attestation::{CLAIM_VERSION, Claim, ClaimCheck, PROOF_LABEL, Unreadable, Verdict};
pub use base_row::{BaseCheck, BasePythons, BaseRow};
pub use comparison::{Comparison, Difference, Fact, Fidelity, FidelityItem, Grade, Relevance, Side};
pub use diagnosis::{Confidence, Diagnosis, Doubt, Evidence, Remedy};
pub use digest::sha256_hex;
pub use doctor::{Checkup, CheckupSubject, Finding, FindingOutcome, Fix};
pub use environment::{
    Environment, EnvironmentVariable, Installation, Installed, Manager, Need, NeedState, Stated, System, SystemFamily,
    TorchPlace,
};
pub use error::{Error, ErrorKind, Result};
pub use explained::{Explained, KnownFailure, STANDARD_INPUT};
pub use explanation::{Circumstances, Explanation, Said};
pub use facts::{
    Alternative, BaseHint, Conflict, FileRead, IsolationExempt, Selectable, SelectableKind, Subproject, SystemHint,
    TorchFact, TorchVia,
};
pub use freshness::{CheckedFile, FileState, Refresh};
pub use image::{BuildFailure, BuiltBy, Content, Image, Layer, RuntimeConfig};
pub use lock::{Lock, LockedPackage};
pub use marker::marker_environment;
pub use nearest::nearest;
pub use origin::{Note, Origin, Severity};
pub use plain::{plain, printable};
pub use plan::{
    BaseImage, BaseOrigin, Builder, Choice, ImageConfig, ImageSetting, Installer, Network, PackageManager, Plan,
    PlannedIndex, PlannedLock, Prediction, PythonProvider, TorchBuild, TorchSource, Variant,
};
pub use project::{
    Index, IndexBinding, IndexRole, Manifest, ManifestKind, Package, PipOption, Project, PythonConstraint, Strength,
    VariableUse,
};
pub use replica::{Defect, DefectFix, Replica, ReplicaTorch, RunAs};
pub use report::{Outcome, Report, SCHEMA};
pub use reported::{Excerpt, Part, PartKind, Reported};
pub use reproduction::{
    Attempt, Faithful, Fixed, Program, ProgramRun, Reconstruction, Reproduction, ReproductionVerdict,
};
pub use requirement::{Requirement, RequirementRole, Source};
pub use sources::{CompileForm, CompileUse, DeviceUse, Import, Sources};
pub use time::seconds_since_1970;
pub use verification::{
    AS_BUILT, Check, CheckOutcome, Profile, Recalled, Same, Trial, TrialEnvironment, Untried, Verification,
};
