//! What a project asks for, held against the catalogue's facts, becomes a [`Plan`]. Pure.

mod applies;
mod clash;
mod install;
mod system;
mod target;
mod unfollowed;
mod variant;
mod wish;

use std::collections::BTreeMap;

use pep440_rs::{Version, VersionSpecifiers};

use crate::catalogue::Catalogue;
use crate::model::{Builder, Error, Installer, Network, Origin, Plan, PlannedIndex, Project, Result, TorchSource};
use applies::Selection;
use target::{Chosen, Target};
use wish::Verdict;

/// The user that images run as: not root, and known by name, since torch up to 2.12 asks for the name.
const USER: &str = "app";

/// Something that a user asked for, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<T> {
    /// What.
    pub value: T,
    /// Where.
    pub origin: Origin,
}

/// What the command line and the configuration ask for.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// A row of `images/bases.toml`, by id.
    pub base: Option<Asked<String>>,
    /// A Python version, as `X.Y`.
    pub python: Option<Asked<Version>>,
    /// A variant of torch as uv names its back ends: `cpu`, `cu128`, `rocm6.4`, …
    pub variant: Option<Asked<String>>,
    /// Where torch comes from.
    pub torch_source: Option<Asked<TorchSource>>,
    /// Who installs.
    pub installer: Option<Asked<Installer>>,
    /// What the Dockerfile may use; BuildKit where nobody says.
    pub builder: Option<Builder>,
    /// The architecture of the image as engines name it; `amd64` where nobody says.
    pub architecture: Option<String>,
    /// Extras of the project.
    pub extras: Vec<String>,
    /// Dependency groups of the project.
    pub groups: Vec<String>,
    /// Package indexes.
    pub indexes: Vec<PlannedIndex>,
    /// What the build needs of the network.
    pub network: Network,
    /// Environment variables of the image.
    pub env: BTreeMap<String, String>,
    /// System packages.
    pub system: Vec<Asked<String>>,
    /// Shell commands to run as root at the end.
    pub run: Vec<String>,
}

impl PlanOptions {
    fn architecture(&self) -> &str {
        self.architecture.as_deref().unwrap_or("amd64")
    }
}

/// Plans the image for `project`.
///
/// # Errors
///
/// The answer is no where no base and interpreter of the catalogue meet everything that is asked for; the error names
/// the demands that clash and the nearest change that would work. Names and values that cannot stand in a Dockerfile are
/// wrong usage.
pub fn plan(project: &Project, catalogue: &Catalogue, options: &PlanOptions) -> Result<Plan> {
    check_text(options)?;
    let selection =
        Selection { extras: install::extras(project, options)?, groups: install::groups(project, options)? };
    install::check_conflicts(project, &selection)?;
    let Chosen { target, base, python, mut notes } = target::choose(project, catalogue, options, &selection)?;
    let installer = install::installer(project, &target, options)?;
    let (torch, torch_notes) = variant::torch(project, &target, catalogue, options, installer.value)?;
    notes.extend(torch_notes);
    notes.extend(unfollowed::notes(project, &target));
    Ok(Plan {
        project: project.name.clone(),
        base,
        python,
        builder: options.builder.unwrap_or(Builder::Buildkit),
        system: system::packages(project, &target, torch.value.source, options)?,
        manifests: project.manifests.clone(),
        dependencies: install::dependencies(project, &target),
        hashed: project.hashed,
        files: install::files(project),
        folders: install::folders(project),
        extras: selection.extras.iter().map(ToString::to_string).collect(),
        setuptools: setuptools(&target, catalogue),
        package: project.package.clone(),
        indexes: install::indexes(project, &target, options),
        extra_index: install::extra_index(project, &target, options),
        network: install::network(options)?,
        env: env(&target, torch.value.source, options),
        run: options.run.clone(),
        user: USER.to_owned(),
        notes,
        installer,
        torch,
    })
}

/// The image's environment: what the distribution's torch needs, and over it what the user asked for.
fn env(target: &Target, source: TorchSource, options: &PlanOptions) -> BTreeMap<String, String> {
    let torch = target.base.torch.as_ref().filter(|_| source == TorchSource::Distribution);
    let mut env = torch.map(|torch| torch.env.clone()).unwrap_or_default();
    env.extend(options.env.clone());
    env
}

/// What the torch that an installer would take, the newest that fits, needs of setuptools.
fn setuptools(target: &Target, catalogue: &Catalogue) -> VersionSpecifiers {
    let newest = match &target.verdict {
        Verdict::Known { releases, newer: false } => releases.last().copied(),
        _ => catalogue.torch().last(),
    };
    newest.map(|release| release.setuptools.clone()).unwrap_or_default()
}

/// Fails on what cannot stand in a Dockerfile, however it is quoted.
fn check_text(options: &PlanOptions) -> Result<()> {
    let clean = |what: &str, text: &str, origin: Origin| {
        let error = || Error::usage(format!("{what} holds a control character: `{}`", text.escape_debug())).at(origin);
        if text.chars().any(char::is_control) { Err(error()) } else { Ok(()) }
    };
    for (name, value) in &options.env {
        install::check_variable(name, &Origin::flag("--env"))?;
        clean(&format!("the value of `{name}`"), value, Origin::flag("--env"))?;
    }
    for command in &options.run {
        clean("a command", command, Origin::flag("--run"))?;
    }
    for index in options.indexes.iter().filter(|index| !index.secret) {
        clean("an index", &index.url, index.origin.clone())?;
    }
    for name in &options.network.secret_env {
        install::check_variable(name, &Origin::Default)?;
    }
    Ok(())
}
