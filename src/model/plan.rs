use std::collections::BTreeMap;
use std::fmt;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use serde::Serialize;

use super::{Manifest, ManifestKind, Note, Origin, Package};

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
    /// The architecture of the image as engines name it, such as `amd64`.
    pub architecture: Choice<String>,
    /// System packages to install, by the base's package manager, each with its reason, in order.
    pub system: Vec<Choice<String>>,
    /// System packages that are needed to fetch the interpreter, in a stage of their own, each with its reason, in order.
    pub tools: Vec<Choice<String>>,
    /// The manifests that the plan was made from, in order; requirements files are given to the installer as they are.
    pub manifests: Vec<Manifest>,
    /// The lock that the installer follows, where there is one that it reads: then it says what is installed, and the
    /// requirements below are for its reader only.
    pub lock: Option<Choice<PlannedLock>>,
    /// The requirements that no installer reads from a file itself, such as those of a `pyproject.toml`, as PEP 508 writes
    /// them.
    pub dependencies: Vec<String>,
    /// Those of them that are built against what is installed already (`--no-build-isolation`), after all the others, each
    /// with its reason.
    pub unisolated: Vec<Choice<String>>,
    /// The distributions that building those needs in the environment, as PEP 508 writes them.
    pub build_needs: Vec<String>,
    /// Constraints that no installer reads from a file itself, as PEP 508 writes them.
    pub constraints: Vec<String>,
    /// Overrides that no installer reads from a file itself, as PEP 508 writes them.
    pub overrides: Vec<String>,
    /// Whether the manifests carry hashes, which makes the installer demand one for everything that they bring.
    pub hashed: bool,
    /// The files that the installer itself reads, relative to the root.
    pub files: Vec<String>,
    /// The folders of the project that requirements name as packages, relative to the root (`.` for all of it), each with
    /// the requirement that does: the installer needs them whole.
    pub folders: Vec<Choice<String>>,
    /// The extras of the project that were asked for.
    pub extras: Vec<String>,
    /// The dependency groups of the project that were asked for.
    pub groups: Vec<String>,
    /// The constraint on setuptools that the chosen torch needs (it imports setuptools on every compile); may be empty.
    pub setuptools: VersionSpecifiers,
    /// The project as a package to install after its source is copied.
    pub package: Option<Package>,
    /// Package indexes given to the installer on top of those that the project's files name, without credentials.
    pub indexes: Vec<PlannedIndex>,
    /// Pages and folders of archives given to the installer (`--find-links`), on top of those that requirements files name.
    pub find_links: Vec<Choice<String>>,
    /// Who named an index besides the primary one, where anyone did: then the best version over all of them is taken, as
    /// pip does.
    pub extra_index: Option<Origin>,
    /// What the build needs of the network, by name only.
    pub network: Network,
    /// Environment variables of the image: those that torch needs and those that the user asked for.
    pub env: BTreeMap<String, String>,
    /// Shell commands that the user asked for, run as root after everything is installed.
    pub run: Vec<String>,
    /// How containers of the image run.
    pub image: ImageConfig,
    /// What a reader should know.
    pub notes: Vec<Note>,
}

/// A lock that the installer follows as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedLock {
    /// The file, relative to the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: ManifestKind,
    /// Whether it names folders or archives of the project, which come with the source.
    pub local: bool,
}

/// How containers of the image run (<https://github.com/opencontainers/image-spec/blob/main/config.md>).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImageConfig {
    /// The user: a name, which the image then has, or `UID` or `UID:GID`.
    pub user: String,
    /// The folder that the project is copied to and processes start in, absolute.
    pub workdir: String,
    /// The entry point, as words; empty for none.
    pub entrypoint: Vec<String>,
    /// The default command, or the default arguments of the entry point, as words.
    pub command: Vec<String>,
    /// The ports that it listens on, as `8000/tcp`.
    pub ports: Vec<String>,
    /// Labels besides sconce's own.
    pub labels: BTreeMap<String, String>,
    /// The shell command that tells whether a container is well.
    pub healthcheck: Option<String>,
}

/// An image to start from: a row of `images/bases.toml`, with what the plan needs of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseImage {
    /// The row's id, such as `debian-13`.
    pub id: String,
    /// The reference to look up and pull, such as `debian:trixie-slim`.
    pub reference: String,
    /// The reference that a bootstrapped stand-in has, where one can be made; its host is `localhost`, so that nothing ever
    /// pulls it.
    pub bootstrapped: Option<String>,
    /// The suite that a stand-in is bootstrapped from, such as `trixie`.
    pub suite: Option<String>,
    /// Its package manager.
    pub package_manager: PackageManager,
    /// Where the chosen Python comes from.
    pub provider: PythonProvider,
    /// The command that starts the chosen Python, such as `python3.13`.
    pub interpreter: String,
    /// What the image sets, and a Dockerfile on it sets back.
    pub sets: Vec<ImageSetting>,
}

/// What an image may set for the Dockerfiles that start from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageSetting {
    /// A user who is not root.
    User,
    /// A shell of its own for the steps.
    Shell,
    /// An entry point.
    Entrypoint,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageManager {
    /// Debian and Ubuntu.
    Apt,
    /// Fedora, and Red Hat's and Rocky's Enterprise Linux.
    Dnf,
}

/// How an interpreter with its headers comes into an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PythonProvider {
    /// The distribution's own packages.
    Distribution,
    /// The image has it already, headers included.
    Image,
    /// The deadsnakes archive of Ubuntu packages (<https://launchpad.net/~deadsnakes/+archive/ubuntu/ppa>).
    Deadsnakes,
    /// uv installs a stand-alone build (<https://docs.astral.sh/uv/concepts/python-versions/>).
    Uv,
    /// micromamba installs it from a conda channel, with the packages of the project's environment.
    Conda,
    /// pixi installs it from a conda channel, with the packages of the project's workspace.
    Pixi,
    /// It is compiled from source.
    Source,
}

/// The torch that will be installed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TorchBuild {
    /// Where it comes from.
    pub source: TorchSource,
    /// The versions that the project, or the lock that is followed, allows; empty where any will do.
    pub specifiers: VersionSpecifiers,
    /// What it is built for: what the proof is held against.
    pub variant: Variant,
    /// The variant that was asked for, as uv names its torch back ends (`cpu`, `cu128`); `None` leaves it to the indexes.
    pub backend: Option<String>,
    /// What will probably be installed.
    pub prediction: Prediction,
}

/// What an installer will probably bring, from what the project's files and the catalogue tell. Unlike the variant and the
/// versions of a [`TorchBuild`] nothing is held against it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Prediction {
    /// The version of torch, as `X.Y` where only its release is known; `None` where nothing is.
    pub version: Option<Version>,
    /// What it will be built for.
    pub variant: Variant,
    /// The size in GB (10⁹ bytes) of all that torch brings with it, where it is known.
    pub installed_gb: Option<f64>,
    /// The oldest driver of NVIDIA that the build runs with, such as `525.60.13`, where it is built for CUDA and that is
    /// known.
    pub driver: Option<String>,
    /// The driver that came with that version of CUDA, such as `570.26`: with it, all of CUDA works.
    pub full_driver: Option<String>,
}

impl TorchBuild {
    /// Whether the prediction is all that can come: one version, in one variant.
    pub fn is_certain(&self) -> bool {
        let exact =
            |specifier: &VersionSpecifier| matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual);
        let version = self.source == TorchSource::Distribution || self.specifiers.iter().any(exact);
        version && self.variant != Variant::Any && self.variant == self.prediction.variant
    }
}

impl Prediction {
    /// Whether nothing can be told.
    pub fn is_empty(&self) -> bool {
        self.version.is_none() && self.variant == Variant::Any
    }

    /// How large it is and which driver of NVIDIA it needs, as far as that is known.
    pub fn needs(&self) -> String {
        let size = self.installed_gb.map(|size| format!("about {size} GB"));
        let driver = self.driver.as_ref().map(|driver| format!("driver >= {driver}"));
        size.into_iter().chain(driver).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{version}")?,
            None => f.write_str("any version")?,
        }
        match &self.variant {
            Variant::Any => {}
            variant => write!(f, " for {variant}")?,
        }
        match self.needs() {
            needs if needs.is_empty() => Ok(()),
            needs => write!(f, " ({needs})"),
        }
    }
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
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
    /// Intel's GPUs.
    Xpu,
    /// Not known before it is installed; any will do.
    #[default]
    Any,
}

impl Variant {
    /// What the name of a torch back end, a local version tag or a folder of torch's own index speaks of: `cpu`, `cu128`,
    /// `rocm6.4`, `xpu`. The versions of CUDA and ROCm are taken as they come: a list of them would be out of date soon.
    pub fn named(name: &str) -> Option<Self> {
        let digits = |text: &str, least| text.len() >= least && text.bytes().all(|b| b.is_ascii_digit());
        // `cu128` is CUDA 12.8: the last digit is the minor version.
        if let Some(cuda) = name.strip_prefix("cu").filter(|cuda| digits(cuda, 2)) {
            let (major, minor) = cuda.split_at(cuda.len() - 1);
            return Some(Self::Cuda { version: Some(format!("{major}.{minor}")) });
        }
        if let Some(rocm) = name.strip_prefix("rocm").filter(|rocm| rocm.split('.').all(|part| digits(part, 1))) {
            let mut parts = rocm.split('.');
            let version = [parts.next()?, parts.next()?].join(".");
            return Some(Self::Rocm { version: Some(version) });
        }
        match name {
            "cpu" => Some(Self::Cpu),
            "xpu" => Some(Self::Xpu),
            _ => None,
        }
    }

    /// What the local part of torch's version says that it is built for: `cu124`, `rocm6.3`, `cpu.cxx11.abi`.
    pub fn of(torch: &Version) -> Option<Self> {
        let local: Vec<String> = torch.local().iter().map(ToString::to_string).collect();
        // The dot of `rocm6.3` separates segments, too.
        Self::named(&local.join(".")).or_else(|| local.iter().find_map(|segment| Self::named(segment)))
    }

    /// The name of a variant that an index's URL ends with, as `…/whl/cu128` does.
    pub fn name_in(url: &str) -> Option<&str> {
        let plain = url.split(['?', '#']).next().unwrap_or(url);
        plain.rsplit('/').find(|folder| Self::named(folder).is_some())
    }

    /// Whether a build for `other` is one for this, too.
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _)
            | (Self::Cuda { version: None }, Self::Cuda { .. })
            | (Self::Rocm { version: None }, Self::Rocm { .. }) => true,
            _ => self == other,
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("CPU"),
            Self::Cuda { version: Some(version) } => write!(f, "CUDA {version}"),
            Self::Cuda { version: None } => f.write_str("CUDA"),
            Self::Rocm { version: Some(version) } => write!(f, "ROCm {version}"),
            Self::Rocm { version: None } => f.write_str("ROCm"),
            Self::Xpu => f.write_str("XPU"),
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
    /// Poetry, at build time only.
    Poetry,
    /// PDM, at build time only.
    Pdm,
    /// Pipenv, at build time only.
    Pipenv,
    /// micromamba, for a conda environment.
    Micromamba,
    /// pixi, for a pixi workspace.
    Pixi,
}

impl fmt::Display for Installer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uv => "uv",
            Self::Pip => "pip",
            Self::Poetry => "Poetry",
            Self::Pdm => "PDM",
            Self::Pipenv => "Pipenv",
            Self::Micromamba => "micromamba",
            Self::Pixi => "pixi",
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
    /// The name that the project gives it.
    pub name: Option<String>,
    /// The distributions that come from it alone, normalized; where there are none, any may come from it.
    pub packages: Vec<String>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_part_tells_what_torch_is_built_for() {
        let of = |version: &str| Variant::of(&version.parse().unwrap());
        assert_eq!(of("2.7.0.dev20250310+cu126"), Some(Variant::Cuda { version: Some("12.6".to_owned()) }));
        assert_eq!(of("2.5.1+rocm6.2"), Some(Variant::Rocm { version: Some("6.2".to_owned()) }));
        assert_eq!(of("2.5.1+cpu.cxx11.abi"), Some(Variant::Cpu));
        assert_eq!(of("2.5.0a0+git1a2b3c"), None);
    }
}
