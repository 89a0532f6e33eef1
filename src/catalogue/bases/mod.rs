//! The images to start from: `images/bases.toml`.

mod find;
mod read;

use std::collections::BTreeMap;

use pep440_rs::Version;
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use crate::model::{ImageSetting, PackageManager, PythonProvider};

pub use find::NamedBase;
pub(super) use find::find;
pub(super) use read::{problems, read};

/// An image to start from: a row of `images/bases.toml`, with what it takes over from others.
#[derive(Debug, Clone, Serialize)]
pub struct Base {
    /// Its id, such as `debian-13`.
    pub id: String,
    /// The reference to look up and pull; `{python}` stands for the chosen Python (`X.Y`), `{accelerator}` for the tag of the
    /// chosen release of [`Base::accelerator`].
    pub reference: String,
    /// Other references that mean the row, with the same placeholders.
    pub aliases: Vec<String>,
    /// The suite that a stand-in is bootstrapped from, where one can be.
    pub suite: Option<String>,
    /// Whether it is taken only where it is asked for.
    pub on_request: bool,
    /// The architectures that there are images for, as engines name them.
    pub architectures: Vec<String>,
    /// The size of the unpacked image in MB (10⁶ bytes), where it is known.
    pub size_mb: Option<u32>,
    /// What drives it, where the image brings libraries for an accelerator.
    pub accelerator: Option<Accelerator>,
    /// What the image sets, and a Dockerfile on it sets back.
    pub sets: Vec<ImageSetting>,
    /// Whether the row's facts were read only, never tried.
    pub unverified: bool,
    /// Its package manager.
    pub package_manager: PackageManager,
    /// The version of its C library.
    pub glibc: Version,
    /// Where the row's facts can be read.
    pub source: String,
    /// The day the row was last checked.
    pub checked: Datetime,
    /// What compiling needs besides Python.
    pub packages: Vec<SystemPackage>,
    /// The package that brings the program for each version control system.
    pub vcs: BTreeMap<String, String>,
    /// The interpreters that can be had on it, the preferred one first; those that uv brings come last.
    pub python: Vec<BasePython>,
    /// The distribution's own torch, where it has one that compiles.
    pub torch: Option<DistributionTorch>,
}

impl Base {
    /// Whether there are images of it for an architecture, as engines name it.
    pub fn is_for(&self, architecture: &str) -> bool {
        self.architectures.iter().any(|one| one == architecture)
    }

    /// The reference of a stand-in that was bootstrapped from the distribution's packages, where that can be done. Its host
    /// is `localhost`, so that nothing ever pulls it.
    pub fn bootstrapped(&self) -> Option<String> {
        self.suite.as_ref().map(|_| format!("localhost/sconce-base:{}", self.id))
    }

    /// Its reference for a Python (`X.Y`) and a release of its accelerator (`X.Y`, where it has one; the newest is taken
    /// where none is named).
    pub fn reference_for(&self, python: &Version, accelerator: Option<&str>) -> String {
        let tag = self.accelerator.as_ref().and_then(|one| match accelerator {
            Some(release) => one.releases.get(release),
            None => one.in_order().last().and_then(|newest| one.releases.get(*newest)),
        });
        let reference = self.reference.replace("{python}", &python.to_string());
        reference.replace("{accelerator}", tag.map_or("", String::as_str))
    }
}

/// What an image brings for an accelerator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accelerator {
    /// `cuda` or `rocm`.
    pub kind: String,
    /// Whether it brings the compiler (`nvcc`, `hipcc`), too.
    pub compiler: bool,
    /// The tag of the image for each version, as `X.Y`.
    pub releases: BTreeMap<String, String>,
}

impl Accelerator {
    /// The releases, the oldest first.
    pub fn in_order(&self) -> Vec<&String> {
        let mut releases: Vec<_> = self.releases.keys().collect();
        releases.sort_by_key(|release| release.parse::<Version>().ok());
        releases
    }
}

/// A system package, and why it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemPackage {
    /// Its name.
    pub name: String,
    /// What it is needed for.
    pub because: String,
}

/// An interpreter that can be had on a base, with its headers.
#[derive(Debug, Clone, Serialize)]
pub struct BasePython {
    /// Its version: `X.Y.Z` where it does not change within a release of the distribution, else `X.Y`.
    pub version: Version,
    /// Where it comes from.
    pub provider: PythonProvider,
    /// The command that starts it.
    pub interpreter: String,
    /// The packages with the interpreter, its `venv` module and its headers.
    pub packages: Vec<SystemPackage>,
    /// The packages that are needed to fetch it, and do not stay in the image.
    pub tools: Vec<SystemPackage>,
}

impl BasePython {
    /// Its version as `X.Y`.
    pub fn minor(&self) -> Version {
        Version::new(self.version.release().iter().take(2))
    }

    /// Whether it is taken only where its base, or nothing else, has the version that is asked for: uv fetches it from
    /// another place than all the rest comes from.
    pub fn on_request(&self) -> bool {
        self.provider == PythonProvider::Uv
    }
}

/// A distribution's own build of torch, for the CPU.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistributionTorch {
    /// Its version.
    pub version: Version,
    /// The interpreter that it is built for, as `X.Y`.
    pub python: Version,
    /// The packages that make it compile.
    pub packages: Vec<SystemPackage>,
    /// The environment variables that make it compile.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// Images that no base can be: a row of `images/bases.toml`.
#[derive(Debug, Clone)]
pub struct RefusedBase {
    /// What their references look like: a glob, whatever the case.
    pub pattern: String,
    /// Why: a clause in lower case that reads well after "because".
    pub because: String,
    /// The id of the nearest base.
    pub instead: String,
}
