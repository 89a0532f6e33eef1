//! What somebody reported, held against the catalogue's facts, becomes a [`Replica`]: the nearest image that can be built.
//!
//! Unlike a plan, it may be of a torch that does not compile there, and of an interpreter without headers: that may be what
//! is to be seen.

mod defect;
mod ground;
mod packages;
mod predicted;
mod torch;
mod variables;

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::Asked;
use crate::catalogue::{Catalogue, SystemPackage};
use crate::model::{
    BaseImage, Builder, Choice, Environment, Error, Network, Note, Origin, PlannedIndex, Replica, Result, TorchPlace,
};
use ground::Ground;

/// The user that programs of a replica run as.
const USER: &str = "reporter";

/// What is asked of a replica besides what the report says, each in place of the report's.
#[derive(Debug, Clone, Default)]
pub struct ReplicaOptions {
    /// A row of `images/bases.toml`, by id or by a reference to its image.
    pub base: Option<Asked<String>>,
    /// A Python version, as `X.Y` or `X.Y.Z`.
    pub python: Option<Asked<Version>>,
    /// A version of torch, without a local part.
    pub torch: Option<Asked<Version>>,
    /// A variant of torch as uv names its back ends: `cpu`, `cu128`, `rocm6.4`, …
    pub variant: Option<Asked<String>>,
    /// The architecture of the image as engines name it.
    pub architecture: Option<Asked<String>>,
    /// Package indexes.
    pub indexes: Vec<PlannedIndex>,
    /// What the build needs of the network.
    pub network: Network,
    /// Whether all reported packages are installed, not only those that matter to torch.
    pub all_packages: bool,
    /// What the Dockerfile may use; BuildKit where nobody says.
    pub builder: Option<Builder>,
}

/// What a replica is planned from, and what is found out on the way.
struct Draft<'a> {
    environment: &'a Environment,
    catalogue: &'a Catalogue,
    options: &'a ReplicaOptions,
    reasons: BTreeMap<String, String>,
    notes: Vec<Note>,
}

impl Draft<'_> {
    /// Says why something cannot be the same: `what` is a field of [`Environment`], or `package NAME`. The first reason stays.
    fn differs(&mut self, what: impl Into<String>, because: impl Into<String>) {
        self.reasons.entry(what.into()).or_insert_with(|| because.into());
    }
}

/// Plans the nearest image to `environment`, with the defect that makes `failure` (an id of `images/failures.toml`) where one
/// is to be reproduced and the catalogue knows how. What cannot be the same is in [`Replica::reasons`].
///
/// # Errors
///
/// A base, variant or version that is asked for and not known is wrong usage; the answer is no where nothing can be built:
/// no base for the architecture that was asked for, or a secret for a builder that cannot keep one.
pub fn replica(
    environment: &Environment,
    failure: Option<&str>,
    catalogue: &Catalogue,
    options: &ReplicaOptions,
) -> Result<Replica> {
    let mut draft = Draft { environment, catalogue, options, reasons: BTreeMap::new(), notes: Vec::new() };
    check_network(options)?;
    let ground = ground::ground(&mut draft)?;
    let torch = torch::torch(&mut draft, &ground)?;
    let place = place(&mut draft, &ground);
    let row = failure.and_then(|failure| defect::row(&mut draft, failure, &ground, place.value, &torch));
    let (interpreter, mut toolchain) = system(&ground, place.value);
    let requirements = packages::requirements(&mut draft, &torch, place.value);
    let mut env = ground
        .base
        .torch
        .as_ref()
        .filter(|_| place.value == TorchPlace::Distribution)
        .map(|torch| torch.env.clone())
        .unwrap_or_default();
    let (variables, compilers) = variables::variables(&mut draft, ground.base.package_manager);
    env.extend(variables);
    for compiler in compilers {
        if !toolchain.iter().any(|package| package.value == compiler.value) {
            toolchain.push(compiler);
        }
    }
    let texts = defect::Texts::new(&ground, place.value, &torch, catalogue);
    let defect = row.map(|row| defect::defect(row, &texts, ground.base.package_manager, &mut toolchain));
    let mut replica = Replica {
        base: ground.image(),
        python: ground.wanted.clone(),
        interpreter,
        tools: ground.python.tools.iter().map(|package| known(&ground, package)).collect(),
        place,
        torch: torch.choice.clone(),
        requirements,
        toolchain,
        architecture: ground.architecture.clone(),
        builder: options.builder.unwrap_or(Builder::Buildkit),
        env,
        user: USER.to_owned(),
        defect,
        indexes: options.indexes.clone(),
        network: options.network.clone(),
        predicted: Environment::default(),
        reasons: BTreeMap::new(),
        notes: Vec::new(),
    };
    replica.predicted = predicted::predicted(&replica, &ground, &torch, catalogue.replicas());
    (replica.reasons, replica.notes) = (draft.reasons, draft.notes);
    Ok(replica)
}

/// A package of the base's row, with its reason.
fn known(ground: &Ground, package: &SystemPackage) -> Choice<String> {
    let row = Origin::Catalogue { row: ground.base.id.clone() };
    Choice::new(package.name.clone(), row, package.because.clone())
}

/// Whether a system package is one with headers, as distributions name them.
fn is_development(package: &str) -> bool {
    package.ends_with("-dev") || package.ends_with("-devel")
}

/// The system packages that come before torch, and those that compiling needs.
fn system(ground: &Ground, place: TorchPlace) -> (Vec<Choice<String>>, Vec<Choice<String>>) {
    let (headers, mut interpreter): (Vec<_>, Vec<_>) =
        ground.python.packages.iter().map(|package| known(ground, package)).partition(|one| is_development(&one.value));
    let mut toolchain: Vec<_> = ground.base.packages.iter().map(|package| known(ground, package)).collect();
    toolchain.extend(headers);
    let own = ground.base.torch.as_ref().filter(|_| place == TorchPlace::Distribution);
    if let Some((torch, needed)) = own.and_then(|torch| torch.packages.split_first()) {
        // torch itself is the large one, which all defects share; what it needs to compile may be what is missing.
        interpreter.push(known(ground, torch));
        toolchain.extend(needed.iter().map(|package| known(ground, package)));
    }
    (interpreter, toolchain)
}

/// Where torch is installed.
fn place(draft: &mut Draft, ground: &Ground) -> Choice<TorchPlace> {
    if let Some(origin) = &ground.distribution_torch {
        return Choice::new(TorchPlace::Distribution, origin.clone(), "the distribution's own build was reported");
    }
    let stated = draft.environment.place.as_ref();
    if ground.is_conda() {
        let origin = stated.map_or(Origin::Default, |stated| stated.origin.clone());
        if stated.is_some_and(|stated| stated.value != TorchPlace::Conda) {
            draft.differs("place", "an environment of conda takes the place of a virtual one");
        }
        return Choice::new(TorchPlace::Conda, origin, "the interpreter is conda's");
    }
    match stated {
        Some(stated) if stated.value == TorchPlace::Conda => {
            draft.differs("place", format!("{} has no conda: torch is in a virtual environment", ground.base.id));
            Choice::new(TorchPlace::Environment, stated.origin.clone(), "there is no conda here")
        }
        Some(stated) if stated.value == TorchPlace::Distribution => {
            draft.differs("place", format!("{} has no torch of its own that compiles", ground.base.id));
            Choice::new(TorchPlace::Environment, stated.origin.clone(), "the distribution has no torch of its own")
        }
        Some(stated) => Choice::new(stated.value, stated.origin.clone(), "the report says so"),
        None => Choice::new(TorchPlace::Environment, Origin::Default, "the report does not say where torch is"),
    }
}

/// The classic builder can keep no secret out of the image.
fn check_network(options: &ReplicaOptions) -> Result<()> {
    for name in &options.network.secret_env {
        super::install::check_variable(name, &Origin::Default)?;
    }
    let secret = options.network.ca_bundle || !options.network.secret_env.is_empty();
    if secret && options.builder == Some(Builder::Classic) {
        return Err(Error::no("the classic builder cannot keep the CA bundle and credentials out of the image")
            .with_hint("use an engine with BuildKit (Docker 20.10 or later, without `DOCKER_BUILDKIT=0`)"));
    }
    let hostile = |index: &&PlannedIndex| !index.secret && index.url.chars().any(char::is_control);
    if let Some(index) = options.indexes.iter().find(hostile) {
        let message = format!("an index holds a control character: `{}`", index.url.escape_debug());
        return Err(Error::usage(message).at(index.origin.clone()));
    }
    Ok(())
}

impl Ground<'_> {
    /// The base as the model has it.
    fn image(&self) -> Choice<BaseImage> {
        let image = BaseImage {
            id: self.base.id.clone(),
            reference: self.base.reference_for(&self.python.minor(), None),
            bootstrapped: self.base.bootstrapped(),
            suite: self.base.suite.clone(),
            package_manager: self.base.package_manager,
            provider: self.python.provider,
            interpreter: self.python.interpreter.clone(),
            sets: self.base.sets.clone(),
        };
        Choice::new(image, self.requested.clone(), self.because.clone())
    }
}
