use pep440_rs::{VersionSpecifier, VersionSpecifiers};
use serde::Serialize;

use super::{ArchiveName, Origin};

/// One requirement or constraint.
#[derive(Debug, Clone, Serialize)]
pub struct Requirement {
    /// The distribution's name, normalized (PEP 503); `None` for a bare URL or path that does not tell it.
    pub name: Option<String>,
    /// Extras asked for, normalized.
    pub extras: Vec<String>,
    /// Where it comes from, and in which versions.
    #[serde(flatten)]
    pub source: Source,
    /// The environment marker (PEP 508), as written.
    pub marker: Option<String>,
    /// The hashes that it must match, as `sha256:…`.
    pub hashes: Vec<String>,
    /// Whether it is installed editable (`-e`).
    pub editable: bool,
    /// Whether it asks or only constrains.
    pub role: RequirementRole,
    /// The extra (PEP 621) that it belongs to, where it does; such a requirement is asked for only with it.
    pub extra: Option<String>,
    /// The dependency group (PEP 735) that it belongs to, where it does; such a requirement is asked for only with it.
    pub group: Option<String>,
    /// The requirement in the words of PEP 508: as written where the file writes it so, else translated; without options,
    /// comments and credentials.
    pub text: String,
    /// Where it stands.
    pub origin: Origin,
}

impl Requirement {
    /// The versions that it allows: those of an index requirement, exactly one for an archive whose file name tells it,
    /// any for the rest.
    pub fn specifiers(&self) -> VersionSpecifiers {
        let archive = match &self.source {
            Source::Index { specifiers } | Source::Conda { specifiers, .. } => return specifiers.clone(),
            Source::Url { url } => ArchiveName::of(url),
            Source::Path { path } => ArchiveName::of(path),
            Source::Vcs { .. } => None,
        };
        archive.map(|archive| VersionSpecifier::equals_version(archive.version).into()).unwrap_or_default()
    }
}

/// Whether a line asks for a distribution or only constrains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequirementRole {
    /// It is to be installed.
    Requirement,
    /// If it is installed, then in these versions (`-c`, uv's `constraint-dependencies`).
    Constraint,
    /// If it is installed, then in these versions, whatever others ask for (uv's `override-dependencies`).
    Override,
}

/// Where a distribution comes from. URLs are without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// A package index, in these versions (PEP 440).
    Index {
        /// The versions.
        specifiers: VersionSpecifiers,
    },
    /// An archive at a URL.
    Url {
        /// The URL, without credentials.
        url: String,
    },
    /// A version control system.
    Vcs {
        /// `git`, `hg`, `svn` or `bzr`.
        vcs: String,
        /// The repository's URL, without the `git+` prefix, reference, fragment and credentials.
        url: String,
        /// The branch, tag or commit.
        reference: Option<String>,
        /// The folder in the repository.
        subdirectory: Option<String>,
    },
    /// A file or folder of the project, relative to its root, with `/`.
    Path {
        /// The path.
        path: String,
    },
    /// A conda channel.
    Conda {
        /// The package's name there, such as `pytorch` for torch.
        package: String,
        /// The channel, where the requirement names one.
        channel: Option<String>,
        /// The versions, in the words of PEP 440.
        specifiers: VersionSpecifiers,
        /// The build string, such as `*cuda12*`, where the requirement names one.
        build: Option<String>,
    },
}
