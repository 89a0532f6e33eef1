use std::path::PathBuf;

use pep440_rs::{VersionSpecifier, VersionSpecifiers};
use serde::Serialize;

use super::{ArchiveName, Note, Origin};

/// What a project folder asks for: every fact with the file and line it came from.
#[derive(Debug, Clone, Serialize)]
pub struct Project {
    /// The project's folder, absolute.
    pub root: PathBuf,
    /// Its name: the one it declares (PEP 621 `name`), else its folder's.
    pub name: String,
    /// Every constraint on the Python version that the project states.
    pub python: Vec<PythonConstraint>,
    /// The files that an installer is given, in order.
    pub manifests: Vec<Manifest>,
    /// Everything that the manifests ask for or constrain, in the order of the files, nested ones where they are named.
    pub requirements: Vec<Requirement>,
    /// The package indexes that the files name.
    pub indexes: Vec<Index>,
    /// The environment variables that the files use (`${NAME}`, as pip expands them).
    pub variables: Vec<VariableUse>,
    /// Options in the files that pip alone follows.
    pub pip_options: Vec<PipOption>,
    /// Every file that resolving the dependencies reads, relative to the root with `/`, sorted: manifests, nested
    /// requirements and constraints, local archives.
    pub files: Vec<String>,
    /// Whether any requirement carries `--hash`, which makes pip demand hashes for all of them.
    pub hashed: bool,
    /// The project as a package to install, where its files say that it is one (`[build-system]`, PEP 517).
    pub package: Option<Package>,
    /// What a reader should know.
    pub notes: Vec<Note>,
}

impl Project {
    /// The requirements (not constraints) on the distribution `name` (normalized as PEP 503 says).
    pub fn requirements_on<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Requirement> {
        self.requirements
            .iter()
            .filter(move |r| r.role == RequirementRole::Requirement && r.name.as_deref() == Some(name))
    }

    /// Everything, constraints included, that bears on the distribution `name`.
    pub fn bearing_on<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Requirement> {
        self.requirements.iter().filter(move |r| r.name.as_deref() == Some(name))
    }
}

/// A constraint on the Python version.
#[derive(Debug, Clone, Serialize)]
pub struct PythonConstraint {
    /// The constraint (PEP 440), such as `>=3.10`.
    pub specifiers: VersionSpecifiers,
    /// Where it stands.
    pub origin: Origin,
}

/// A file that an installer is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The file, relative to the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: ManifestKind,
}

/// The formats of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestKind {
    /// A pip requirements file.
    Requirements,
    /// A `pyproject.toml` with a `[project]` table (PEP 621).
    Pyproject,
}

/// The project as a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// The PEP 517 back end, such as `hatchling.build`.
    pub backend: String,
    /// Where it is declared.
    pub origin: Origin,
}

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
    /// The optional group (extra) that it belongs to, where it does; such a requirement is asked for only with it.
    pub extra: Option<String>,
    /// The requirement as written, without options, comments and credentials.
    pub text: String,
    /// Where it stands.
    pub origin: Origin,
}

impl Requirement {
    /// The versions that it allows: those of an index requirement, exactly one for an archive whose file name tells it,
    /// any for the rest.
    pub fn specifiers(&self) -> VersionSpecifiers {
        let archive = match &self.source {
            Source::Index { specifiers } => return specifiers.clone(),
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
    /// If it is installed, then in these versions (`-c`).
    Constraint,
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
}

/// A package index that a file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Index {
    /// Its URL, without credentials; variables stand as written.
    pub url: String,
    /// Which part it plays.
    pub role: IndexRole,
    /// Where it is named.
    pub origin: Origin,
}

/// The part that an index plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexRole {
    /// In place of the default index (`--index-url`).
    Primary,
    /// Besides it (`--extra-index-url`).
    Extra,
    /// A page or folder of archives (`--find-links`).
    FindLinks,
    /// No index at all (`--no-index`); the URL is empty.
    None,
}

/// A use of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VariableUse {
    /// The variable's name.
    pub name: String,
    /// Where it is used.
    pub origin: Origin,
}

/// An option in a requirements file that pip follows and uv passes over with a warning, such as `--pre`. Source: the
/// unsupported options of uv's own parser, <https://docs.astral.sh/uv/pip/compatibility/>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PipOption {
    /// The option with its value.
    pub text: String,
    /// Where it stands.
    pub origin: Origin,
}
