use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use super::{demand, parse};
use crate::model::{PackageManager, Result};

const FILE: &str = "images/bases.toml";

/// An image to start from: a row of `images/bases.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its id, such as `debian-13`.
    pub id: String,
    /// The reference to look up and pull.
    pub reference: String,
    /// The distribution's suite, which a stand-in is bootstrapped from.
    pub suite: String,
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
    /// The interpreters that its packages bring, the preferred one first.
    pub python: Vec<BasePython>,
    /// The distribution's own torch, where it has one that compiles.
    pub torch: Option<DistributionTorch>,
}

impl Base {
    /// The reference of a stand-in that was bootstrapped from the distribution's packages. Its host is `localhost`, so
    /// that nothing ever pulls it.
    pub fn bootstrapped(&self) -> String {
        format!("localhost/sconce-base:{}", self.id)
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

/// An interpreter that a base's packages bring.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasePython {
    /// Its full version, such as `3.13.5`; within a release of the distribution it does not change.
    pub version: Version,
    /// The command that starts it.
    pub interpreter: String,
    /// The packages with the interpreter, its `venv` module and its headers.
    pub packages: Vec<SystemPackage>,
}

impl BasePython {
    /// Its version as `X.Y`.
    pub fn minor(&self) -> Version {
        Version::new(self.version.release().iter().take(2))
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

/// Reads and checks the rows.
pub(super) fn read(text: &str) -> Result<Vec<Base>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        base: Vec<Base>,
    }
    let rows = parse::<File>(FILE, text)?.base;
    let mut seen = BTreeSet::new();
    for row in &rows {
        demand(seen.insert(&row.id), FILE, &row.id, "the id is not unique")?;
        check(row)?;
    }
    Ok(rows)
}

fn check(row: &Base) -> Result<()> {
    let demand = |holds, what| demand(holds, FILE, &row.id, what);
    demand(row.source.starts_with("https://"), "`source` is not a URL")?;
    demand(row.checked.date.is_some(), "`checked` is not a date")?;
    demand(!row.python.is_empty(), "no interpreter")?;
    for python in &row.python {
        demand(python.version.release().len() == 3, "`python.version` is not `X.Y.Z`")?;
    }
    if let Some(torch) = &row.torch {
        demand(
            row.python.iter().any(|p| p.minor() == torch.python),
            "`torch.python` is not an interpreter of the base",
        )?;
    }
    let interpreters = row.python.iter().flat_map(|python| &python.packages);
    let torch = row.torch.iter().flat_map(|torch| &torch.packages);
    let mut names = BTreeSet::new();
    for package in row.packages.iter().chain(interpreters).chain(torch) {
        demand(names.insert(&package.name), "a package is named twice")?;
        demand(!package.because.is_empty(), "a package does not say what it is for")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../images/bases.toml");

    #[test]
    fn the_embedded_rows_hold() {
        let rows = read(TEXT).unwrap();
        assert_eq!(rows[0].id, "debian-13", "the preferred base brings the default Python");
        assert_eq!(rows[0].python[0].minor().to_string(), "3.13");
    }

    #[test]
    fn a_broken_row_is_an_error() {
        for (from, to, says) in [
            ("id = \"debian-12\"", "id = \"debian-13\"", "not unique"),
            ("source = \"https://", "source = \"", "not a URL"),
            ("python = \"3.13\"", "python = \"3.12\"", "not an interpreter"),
            ("name = \"libgomp1\"", "name = \"g++\"", "named twice"),
            ("because = \"the interpreter\"", "because = \"\"", "what it is for"),
            ("version = \"3.13.5\"", "version = \"3.13\"", "not `X.Y.Z`"),
            ("checked = 2026-11-22", "checked = 10:00:00", "not a date"),
            ("suite =", "sweet =", "does not parse"),
        ] {
            let error = read(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(says), "{from} → {to}: {error}");
        }
    }
}
