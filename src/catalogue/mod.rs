//! The facts of `images/*.toml`, parsed, cross-checked and looked up. No decisions are made here.

mod bases;
mod compatibility;
mod defects;
mod failures;
mod layout;
mod manners;
mod marks;
mod packages;
mod patterns;
mod relevance;
mod replicas;

pub use bases::{Accelerator, Base, BasePython, DistributionTorch, NamedBase, RefusedBase, SystemPackage};
pub use compatibility::{CudaRelease, FreeThreaded, PythonRange, TorchRelease};
pub use defects::{DefectRow, FixRow};
pub use failures::{Failure, Failures, Filled};
pub use layout::{Layout, ProcessorWords};
pub use marks::{Fact, Landmark, Marks, Role, Sign};
pub use packages::{Module, Packages};
pub use patterns::Patterns;
pub use relevance::{Collecting, FactRelevance, FactRow, Known};
pub use replicas::{BaseSystem, KnownSystem, Replicas};

use std::sync::LazyLock;

use compatibility::Compatibility;
use pep440_rs::Version;
use serde::de::DeserializeOwned;

use crate::model::{Error, Result};

/// Their patterns take longer to make than all else here, and few runs have a failure to explain.
#[expect(clippy::unwrap_used, reason = "the text is fixed, and a test reads it")]
static FAILURES: LazyLock<Failures> = LazyLock::new(|| {
    failures::read(include_str!("../../images/failures.toml"), include_str!("../../images/circumstances.toml")).unwrap()
});

/// Every fact that sconce knows.
#[derive(Debug, Clone)]
pub struct Catalogue {
    bases: Vec<Base>,
    refused: Vec<RefusedBase>,
    compatibility: Compatibility,
    packages: Packages,
    replicas: Replicas,
    defects: Vec<DefectRow>,
    relevance: FactRelevance,
}

impl Catalogue {
    /// The catalogue that is compiled into this program.
    pub fn embedded() -> Result<Self> {
        let catalogue = Self::unchecked()?;
        for base in &catalogue.bases {
            if let Some(problem) = catalogue.problems(base).first() {
                return Err(Error::usage(format!("`images/bases.toml`, row `{}`: {problem}", base.id)));
            }
        }
        Ok(catalogue)
    }

    /// The same with bases whose facts may contradict each other, for [`Catalogue::problems`].
    pub fn unchecked() -> Result<Self> {
        let (bases, refused) = bases::read(include_str!("../../images/bases.toml"))?;
        Ok(Self {
            replicas: replicas::read(include_str!("../../images/replicas.toml"), &bases)?,
            defects: defects::read(include_str!("../../images/defects.toml"))?,
            bases,
            refused,
            compatibility: compatibility::read(include_str!("../../images/compatibility.toml"))?,
            packages: Packages::embedded()?,
            relevance: FactRelevance::embedded()?,
        })
    }

    /// The same catalogue with other bases.
    #[must_use]
    pub fn with_bases(self, bases: Vec<Base>) -> Self {
        Self { bases, ..self }
    }

    /// The images to start from, the preferred one first.
    pub fn bases(&self) -> &[Base] {
        &self.bases
    }

    /// The base that `asked` names, by its id or by a reference to its image, such as `ubuntu:24.04`.
    ///
    /// # Errors
    ///
    /// See [`Catalogue::named_base`].
    pub fn base(&self, asked: &str) -> Result<&Base> {
        self.named_base(asked).map(|named| named.base)
    }

    /// The same, with what the name says besides: `python:3.12-slim` asks for a Python, too.
    ///
    /// # Errors
    ///
    /// The answer is no for an image that cannot be a base; the error says why, and which is the nearest. Any other name
    /// is wrong usage, and the error names the one that is most alike.
    pub fn named_base(&self, asked: &str) -> Result<NamedBase<'_>> {
        bases::find(&self.bases, &self.refused, asked)
    }

    /// What does not hold of a base: by itself, and held against the releases of torch.
    pub fn problems(&self, base: &Base) -> Vec<String> {
        let mut problems: Vec<String> = bases::problems(base).into_iter().map(str::to_owned).collect();
        for python in &base.python {
            let fits = |torch: &&TorchRelease| torch.glibc.as_ref().is_none_or(|floor| *floor <= base.glibc);
            if !self.torch().iter().filter(fits).any(|torch| torch.compiles(&python.minor())) {
                problems.push(format!("no release of torch compiles there on Python {}", python.minor()));
            }
        }
        problems
    }

    /// The releases of torch, the oldest first.
    pub fn torch(&self) -> &[TorchRelease] {
        &self.compatibility.torch
    }

    /// The release of torch that `version` is one of, where it is known.
    pub fn torch_release(&self, version: &Version) -> Option<&TorchRelease> {
        self.torch().iter().find(|row| version.release().starts_with(row.release.release()))
    }

    /// The versions of CUDA that torch is built for, the oldest first.
    pub fn cuda(&self) -> &[CudaRelease] {
        &self.compatibility.cuda
    }

    /// The version of CUDA (`X.Y`), where it is known.
    pub fn cuda_release(&self, version: &Version) -> Option<&CudaRelease> {
        self.cuda().iter().find(|row| row.version == *version)
    }

    /// The distributions that are known.
    pub fn packages(&self) -> &Packages {
        &self.packages
    }

    /// What stands for what when an environment is built again.
    pub fn replicas(&self) -> &Replicas {
        &self.replicas
    }

    /// How failures are made, and mended; of the rows of one failure, the first that applies counts.
    pub fn defects(&self) -> &[DefectRow] {
        &self.defects
    }

    /// What the facts of environments are to `torch.compile`.
    pub fn relevance(&self) -> &FactRelevance {
        &self.relevance
    }

    /// The failures that are known.
    pub fn failures(&self) -> &Failures {
        Failures::embedded()
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
