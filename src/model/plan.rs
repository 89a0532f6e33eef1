use std::collections::BTreeMap;
use std::fmt;

use pep440_rs::{Version, VersionSpecifiers};
use serde::Serialize;

use super::{Manifest, Note, Origin, Package};

/// A decision, who asked for it, and why it won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice<T> {
    /// What was chosen.
    pub value: T,
    /// Who asked.
    pub requested: Origin,
    /// Why it won: a clause in lower case that reads well after "because".
    pub because: String,
}

impl<T> Choice<T> {
    /// A decision.
    pub fn new(value: T, requested: Origin, because: impl Into<String>) -> Self {
        Self { value, requested, because: because.into() }
    }
}

/// Everything that rendering and building need to know; the intermediate representation between inspection and Dockerfile.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The project's name.
    pub project: String,
    /// The image to start from.
    pub base: Choice<BaseImage>,
    /// The Python version, as `X.Y`.
    pub python: Choice<Version>,
    /// The torch that will be installed.
    pub torch: Choice<TorchBuild>,
    /// The program that installs distributions.
    pub installer: Choice<Installer>,
    /// What the rendered Dockerfile may use.
    pub builder: Builder,
    /// System packages to install, by the base's package manager, each with its reason, in order.
    pub system: Vec<Choice<String>>,
    /// The manifests that the plan was made from, in order; requirements files are given to the installer as they are.
    pub manifests: Vec<Manifest>,
    /// The requirements that no installer reads from a file itself, such as those of a `pyproject.toml`, as PEP 508 writes
    /// them.
    pub dependencies: Vec<String>,
    /// Whether the manifests carry hashes, which makes the installer demand one for everything that they bring.
    pub hashed: bool,
    /// The files that the installer itself reads, relative to the root.
    pub files: Vec<String>,
    /// The folders of the project that requirements name as packages, relative to the root (`.` for all of it), each with
    /// the requirement that does: the installer needs them whole.
    pub folders: Vec<Choice<String>>,
    /// The extras of the project that were asked for.
    pub extras: Vec<String>,
    /// The constraint on setuptools that the chosen torch needs (it imports setuptools on every compile); may be empty.
    pub setuptools: VersionSpecifiers,
    /// The project as a package to install after its source is copied.
    pub package: Option<Package>,
    /// Package indexes given to the installer on top of those that the project's files name, without credentials.
    pub indexes: Vec<PlannedIndex>,
    /// Who named an index besides the primary one, where anyone did: then the best version over all of them is taken, as
    /// pip does.
    pub extra_index: Option<Origin>,
    /// What the build needs of the network, by name only.
    pub network: Network,
    /// Environment variables of the image: those that torch needs and those that the user asked for.
    pub env: BTreeMap<String, String>,
    /// Shell commands that the user asked for, run as root after everything is installed.
    pub run: Vec<String>,
    /// The user that the image runs as.
    pub user: String,
    /// What a reader should know.
    pub notes: Vec<Note>,
}

/// An image to start from: a row of `images/bases.toml`, with what the plan needs of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseImage {
    /// The row's id, such as `debian-13`.
    pub id: String,
    /// The reference to look up and pull, such as `debian:trixie-slim`.
    pub reference: String,
    /// The reference that a bootstrapped stand-in has; its host is `localhost`, so that nothing ever pulls it.
    pub bootstrapped: String,
    /// The distribution's suite, such as `trixie`.
    pub suite: String,
    /// Its package manager.
    pub package_manager: PackageManager,
    /// The command that starts the chosen Python, such as `python3.13`.
    pub interpreter: String,
}

/// How an image came to be on the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseOrigin {
    /// It was there.
    Local,
    /// It was pulled from a registry.
    Pulled,
    /// It was made from the distribution's packages, without a registry.
    Bootstrapped,
}

/// A family of package managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageManager {
    /// Debian and Ubuntu.
    Apt,
}

/// The torch that will be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TorchBuild {
    /// Where it comes from.
    pub source: TorchSource,
    /// The versions that the project allows; empty where any will do.
    pub specifiers: VersionSpecifiers,
    /// What it is built for: what the proof is held against.
    pub variant: Variant,
    /// The variant that was asked for, as uv names its torch back ends (`cpu`, `cu128`); `None` leaves it to the indexes.
    pub backend: Option<String>,
}

/// Where torch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TorchSource {
    /// A package index, a URL or whatever else the project's files name: the installer decides, as it would without sconce.
    Index,
    /// The distribution's own package (Debian's `python3-torch`).
    Distribution,
}

/// What a torch build is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Variant {
    /// No accelerator.
    Cpu,
    /// CUDA, in this `major.minor` where it is known.
    Cuda {
        /// The version, such as `13.2`.
        version: Option<String>,
    },
    /// ROCm, in this `major.minor` where it is known.
    Rocm {
        /// The version.
        version: Option<String>,
    },
    /// Not known before it is installed; any will do.
    Any,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("CPU"),
            Self::Cuda { version: Some(version) } => write!(f, "CUDA {version}"),
            Self::Cuda { version: None } => f.write_str("CUDA"),
            Self::Rocm { version: Some(version) } => write!(f, "ROCm {version}"),
            Self::Rocm { version: None } => f.write_str("ROCm"),
            Self::Any => f.write_str("any variant"),
        }
    }
}

/// The program that installs distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Installer {
    /// uv, used at build time only: it does not stay in the image.
    Uv,
    /// pip, from the interpreter's own `ensurepip`.
    Pip,
}

impl fmt::Display for Installer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uv => "uv",
            Self::Pip => "pip",
        })
    }
}

/// What a rendered Dockerfile may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builder {
    /// `RUN --mount` (cache, secret, tmpfs), as the BuildKit of Docker 20.10 has it.
    Buildkit,
    /// No mounts: the classic builder.
    Classic,
}

/// A package index on top of those that the project's files name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedIndex {
    /// Its URL, without credentials.
    pub url: String,
    /// Whether it stands in place of the default index or besides it.
    pub primary: bool,
    /// Whether credentials for it come with the build's secret environment: then the Dockerfile does not name the URL.
    pub secret: bool,
    /// Who asked for it.
    pub origin: Origin,
}

/// What the build needs of the network. Names only: values travel as secrets, at build time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Extra certificate authorities are given as the build secret `sconce-ca`.
    pub ca_bundle: bool,
    /// Variables are given as the build secret `sconce-env`, a POSIX shell file of `export NAME='value'` lines: index URLs
    /// with credentials, and the variables that the project's files use. The names only.
    pub secret_env: Vec<String>,
}
