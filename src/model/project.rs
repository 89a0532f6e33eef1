use std::path::PathBuf;

use pep440_rs::{Version, VersionSpecifiers};
use serde::Serialize;

use super::{
    Alternative, BaseHint, Conflict, FileRead, IsolationExempt, Lock, Note, Origin, Requirement, RequirementRole,
    Selectable, Sources, Subproject, SystemHint, TorchFact,
};

/// What a project folder asks for: every fact with the file and line it came from.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Project {
    /// The project's folder, absolute.
    pub root: PathBuf,
    /// Its name: the one it declares (PEP 621 `name`), else its folder's.
    pub name: String,
    /// Every constraint on the Python version that the project states.
    pub python: Vec<PythonConstraint>,
    /// The minor versions of `CPython` that all of them together allow, of those that there are or may soon be; empty where
    /// the constraints contradict each other.
    pub python_allows: Vec<Version>,
    /// How torch arrives: every way in which it is asked for, the most certain first.
    pub torch: Vec<TorchFact>,
    /// The files that an installer is given, in order.
    pub manifests: Vec<Manifest>,
    /// Everything that the manifests ask for or constrain, in the order of the files, nested ones where they are named.
    pub requirements: Vec<Requirement>,
    /// The versions that tools have settled on for the manifests.
    pub locks: Vec<Lock>,
    /// The extras and dependency groups that can be asked for.
    pub selectable: Vec<Selectable>,
    /// Those of them that exclude each other.
    pub conflicts: Vec<Conflict>,
    /// The package indexes that the files name.
    pub indexes: Vec<Index>,
    /// Distributions that are built without isolation, against what is installed already.
    pub isolation_exempt: Vec<IsolationExempt>,
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
    /// System packages that files of the project speak of.
    pub system: Vec<SystemHint>,
    /// Images that files of the project start from.
    pub bases: Vec<BaseHint>,
    /// What its Python sources tell.
    pub sources: Sources,
    /// Files that ask for something, too, and were not taken.
    pub alternatives: Vec<Alternative>,
    /// Folders that are projects of their own.
    pub subprojects: Vec<Subproject>,
    /// The account of every file that was read.
    pub read: Vec<FileRead>,
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
    /// How much it binds.
    pub strength: Strength,
    /// Where it stands.
    pub origin: Origin,
}

/// How much a constraint on the Python version binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// The project declares it (`requires-python` and its kin).
    Required,
    /// Somebody picked a version to work with (`.python-version` and its kin).
    Pinned,
    /// It follows from something else, such as a wheel that is for one interpreter.
    Implied,
    /// A remark that nothing follows, such as a classifier.
    Hint,
}

/// A file that an installer is given, or that stands for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The file, relative to the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: ManifestKind,
}

/// The formats of files that ask for distributions, or pin them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestKind {
    /// A pip requirements file.
    Requirements,
    /// A `pyproject.toml` with a `[project]` table (PEP 621) or dependency groups (PEP 735).
    Pyproject,
    /// A `pyproject.toml` with Poetry's own table of dependencies.
    Poetry,
    /// A `Pipfile` of Pipenv.
    Pipfile,
    /// A `pixi.toml`, or `[tool.pixi]` in a `pyproject.toml`.
    Pixi,
    /// A conda `environment.yml`.
    Conda,
    /// A `setup.cfg` of setuptools.
    SetupCfg,
    /// A `setup.py` of setuptools.
    SetupPy,
    /// A `pylock.toml` (PEP 751).
    Pylock,
    /// A `uv.lock`.
    UvLock,
    /// A `poetry.lock`.
    PoetryLock,
    /// A `pdm.lock`.
    PdmLock,
    /// A `Pipfile.lock`.
    PipfileLock,
    /// A `pixi.lock`.
    PixiLock,
    /// No manifest at all: the imports of the Python sources.
    PythonSources,
}

/// The project as a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// The PEP 517 back end, such as `hatchling.build`.
    pub backend: String,
    /// Where it is declared.
    pub origin: Origin,
}

/// A package index that a file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Index {
    /// Its URL, without credentials; variables stand as written.
    pub url: String,
    /// Which part it plays.
    pub role: IndexRole,
    /// The name that the file gives it, where it does.
    pub name: Option<String>,
    /// Whether it serves only the distributions that are bound to it (uv's `explicit`, Poetry's `explicit` priority).
    pub explicit: bool,
    /// The distributions that are to come from it.
    pub bindings: Vec<IndexBinding>,
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
    /// A conda channel, by name or URL.
    Channel,
}

/// A distribution that is to come from one index (uv's `[tool.uv.sources]`, the `source` of Poetry, `index` of Pipenv).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexBinding {
    /// The distribution, normalized.
    pub package: String,
    /// Where it applies (PEP 508).
    pub marker: Option<String>,
    /// The extra with which it applies.
    pub extra: Option<String>,
    /// The dependency group with which it applies.
    pub group: Option<String>,
    /// Where it stands.
    pub origin: Origin,
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
