use pep440_rs::{Version, VersionSpecifiers};
use serde::Serialize;

use super::{ManifestKind, Origin};

/// One way in which torch arrives.
#[derive(Debug, Clone, Serialize)]
pub struct TorchFact {
    /// How.
    #[serde(flatten)]
    pub via: TorchVia,
    /// The versions that it allows.
    pub specifiers: VersionSpecifiers,
    /// The one version that it names, where it names one, without a local tag.
    pub version: Option<Version>,
    /// The local tag of that version, such as `cu128`.
    pub local: Option<String>,
    /// The build that it names, as uv names torch back ends (`cpu`, `cu128`, `rocm6.4`), by a local tag, an index, a wheel
    /// or conda's own packages.
    pub variant: Option<String>,
    /// The index that it comes from, where one is named for it.
    pub index: Option<String>,
    /// The extra with which it arrives.
    pub extra: Option<String>,
    /// The dependency group with which it arrives.
    pub group: Option<String>,
    /// Where it applies (PEP 508).
    pub marker: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// How torch arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "via", rename_all = "snake_case")]
pub enum TorchVia {
    /// The project asks for it by name.
    Requirement,
    /// The project constrains it, whoever asks for it.
    Constraint,
    /// A lock pins it.
    Lock,
    /// A requirement names one archive of it.
    Archive,
    /// An archive of another distribution names the torch that it was built for, in its file name.
    BuiltFor {
        /// The distribution.
        package: String,
    },
    /// Another distribution needs it.
    Package {
        /// The distribution, as the project asks for it.
        package: String,
    },
    /// Conda brings it.
    Conda {
        /// The package's name there.
        package: String,
    },
    /// The sources import it.
    Import,
}

/// An extra or a dependency group that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Selectable {
    /// What it is.
    pub kind: SelectableKind,
    /// Its name, normalized.
    pub name: String,
    /// Whether it is taken without being asked for (uv's `default-groups`, Poetry's groups that are not optional).
    pub default: bool,
    /// Where it stands.
    pub origin: Origin,
}

/// What can be asked for besides the requirements of a project itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectableKind {
    /// An extra (PEP 621): `--extra`.
    Extra,
    /// A dependency group (PEP 735): `--group`.
    Group,
}

/// Extras and groups that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// At most one of these, as `--extra cpu` or `--group dev`.
    pub members: Vec<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// A distribution that is built against what is installed already (uv's `no-build-isolation-package`), such as flash-attn
/// against torch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IsolationExempt {
    /// The distribution, normalized; `None` for all of them.
    pub package: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// A system package that a file of the project speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemHint {
    /// Its name there.
    pub package: String,
    /// Whose name it is: `apt`, `dnf`, `apk`, `conda`, `brew`, …
    pub manager: String,
    /// Where it stands.
    pub origin: Origin,
}

/// An image that a file of the project starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseHint {
    /// The reference, such as `nvidia/cuda:12.4.1-devel-ubuntu22.04`.
    pub image: String,
    /// The build of torch that it speaks of, as uv names torch back ends.
    pub variant: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// A file that asks for something, too, and was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alternative {
    /// The file, relative to the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: ManifestKind,
    /// How many requirements it has of its own, without those of extras and groups.
    pub requirements: usize,
    /// What it asks of torch, in the words of PEP 508.
    pub torch: Option<String>,
    /// What it asks of Python (PEP 440).
    pub python: Option<String>,
    /// Why it cannot be read, where it cannot.
    pub error: Option<String>,
}

/// A folder that is a project of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subproject {
    /// The folder, relative to the root, with `/`.
    pub path: String,
    /// Its manifests, by name.
    pub manifests: Vec<String>,
}

/// The account of a file that was read: each entry is a fact, or a note says why it is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRead {
    /// The file, relative to the root, with `/`.
    pub path: String,
    /// How many entries it has: logical lines of a requirements file, items of a list of dependencies, packages of a lock.
    pub entries: usize,
    /// How many became facts.
    pub facts: usize,
    /// How many are answered by a note.
    pub noted: usize,
}
