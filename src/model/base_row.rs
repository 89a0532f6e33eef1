use serde::Serialize;

use super::{PackageManager, PythonProvider};

/// A base of the catalogue, as `sconce images` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseRow {
    /// Its id, such as `debian-13`: what `--base` and `sconce images bootstrap` take.
    pub id: String,
    /// The reference to look up and pull, such as `debian:trixie-slim`; `{python}` stands for the chosen Python,
    /// `{accelerator}` for the tag of the chosen release.
    pub reference: String,
    /// The reference that its bootstrapped stand-in has, where one can be made.
    pub bootstrapped: Option<String>,
    /// The suite that a stand-in is bootstrapped from, such as `trixie`.
    pub suite: Option<String>,
    /// Its package manager.
    pub package_manager: PackageManager,
    /// The architectures that there are images for, as engines name them.
    pub architectures: Vec<String>,
    /// The version of its C library.
    pub glibc: String,
    /// The size of the unpacked image in MB (10⁶ bytes), where it is known.
    pub size_mb: Option<u32>,
    /// The releases of CUDA or ROCm that it comes in, as `X.Y`, the oldest first; empty where it brings none.
    pub releases: Vec<String>,
    /// Whether it is taken only where it is asked for.
    pub on_request: bool,
    /// Whether its facts were read about only, and no image on it was ever built.
    pub unverified: bool,
    /// The Python versions that it has by itself, as `X.Y`, the preferred one first.
    pub pythons: Vec<String>,
    /// How each Python is had, those that uv brings last.
    pub ways: Vec<BasePythons>,
    /// Which references the engine has; `None` where no engine could be asked.
    pub present: Option<Vec<String>>,
}

/// Interpreters that come from one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BasePythons {
    /// Where they come from.
    pub provider: PythonProvider,
    /// Their versions, as `X.Y`, the preferred one first.
    pub versions: Vec<String>,
}

/// What holds of a base's row, and what does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseCheck {
    /// Its id.
    pub id: String,
    /// The interpreters that can be had on it; each has a release of torch that compiles.
    pub interpreters: usize,
    /// The packages that it names, each with its reason.
    pub packages: usize,
    /// The images that the row stands for.
    pub images: usize,
    /// The day the row was last held against its source.
    pub checked: String,
    /// What does not hold.
    pub problems: Vec<String>,
}
