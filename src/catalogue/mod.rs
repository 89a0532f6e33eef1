//! The facts of `images/*.toml`, parsed, cross-checked and looked up. No decisions are made here.

mod bases;
mod compatibility;
mod failures;
mod packages;

pub use bases::{Base, BasePython, DistributionTorch, SystemPackage};
pub use compatibility::{PythonRange, TorchRelease};
pub use failures::{Failure, Failures};
pub use packages::{Module, Packages};

use serde::de::DeserializeOwned;

use crate::model::{Error, Result};

/// Every fact that sconce knows.
#[derive(Debug, Clone)]
pub struct Catalogue {
    bases: Vec<Base>,
    torch: Vec<TorchRelease>,
    failures: Failures,
    packages: Packages,
}

impl Catalogue {
    /// The catalogue that is compiled into this program.
    pub fn embedded() -> Result<Self> {
        Ok(Self {
            bases: bases::read(include_str!("../../images/bases.toml"))?,
            torch: compatibility::read(include_str!("../../images/compatibility.toml"))?,
            failures: failures::read(include_str!("../../images/failures.toml"))?,
            packages: Packages::embedded()?,
        })
    }

    /// The images to start from, the preferred one first.
    pub fn bases(&self) -> &[Base] {
        &self.bases
    }

    /// The releases of torch, the oldest first.
    pub fn torch(&self) -> &[TorchRelease] {
        &self.torch
    }

    /// The distributions that are known.
    pub fn packages(&self) -> &Packages {
        &self.packages
    }

    /// The failures that are known.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }
}

/// Parses a table of the catalogue.
fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| Error::usage(format!("`{file}` does not parse")).because(error))
}

/// Fails where a fact of the catalogue is not as it must be.
fn demand(holds: bool, file: &str, row: &str, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::usage(format!("`{file}`, row `{row}`: {what}"))) }
}
