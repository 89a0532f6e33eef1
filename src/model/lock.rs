use pep440_rs::Version;
use serde::Serialize;

use super::{ManifestKind, Origin, Source};

/// What a tool has settled on.
#[derive(Debug, Clone, Serialize)]
pub struct Lock {
    /// The file, relative to the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: ManifestKind,
    /// The version of its format, as it states it.
    pub format: Option<String>,
    /// Every package in it, in its order; a name may stand there more than once, for other environments.
    pub packages: Vec<LockedPackage>,
}

/// A package that a lock pins.
#[derive(Debug, Clone, Serialize)]
pub struct LockedPackage {
    /// The distribution's name, normalized (PEP 503); of a conda package, that of the same distribution on a package index.
    pub name: String,
    /// Its version; `None` where the lock leaves it to the source.
    pub version: Option<Version>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: Source,
    /// The index that it comes from, without credentials, where the lock says so.
    pub index: Option<String>,
    /// Where it applies (PEP 508), as far as the lock says so: never narrower than exact.
    pub marker: Option<String>,
    /// The extras of the project that bring it, through whatever else, where the lock says so; none where it comes anyway.
    pub extras: Vec<String>,
    /// The dependency groups (categories, environments) that bring it, where the lock says so.
    pub groups: Vec<String>,
    /// How many hashes stand with it.
    pub hashes: usize,
    /// Where it stands.
    pub origin: Origin,
}
