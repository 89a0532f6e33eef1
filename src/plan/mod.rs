//! What a project asks for, held against the catalogue's facts, becomes a [`Plan`]. Pure.

mod accelerator;
mod applies;
mod clash;
mod demand;
mod image;
mod install;
mod remarks;
mod replica;
mod system;
mod target;
mod unfollowed;
mod variant;
mod wanted;
mod wish;

use std::collections::BTreeMap;

use pep440_rs::{Version, VersionSpecifiers};

use crate::catalogue::Catalogue;
use crate::model::{
    Builder, Choice, Error, Installer, Network, Note, Origin, Plan, PlannedIndex, Project, Result, TorchSource,
};
pub use replica::{ReplicaOptions, replica};

use applies::Selection;
use install::Installation;
use target::{Chosen, Target};
use variant::Question;
use wish::Verdict;

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
    /// The release of the base's accelerator, as `X.Y`; the one that goes with torch where nobody says.
    pub accelerator: Option<Asked<String>>,
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
    pub architecture: Option<Asked<String>>,
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
    /// How containers of the image run.
    pub image: ImageOptions,
}

/// What is asked of how containers of the image run.
#[derive(Debug, Clone, Default)]
pub struct ImageOptions {
    /// The user: a name, `UID` or `UID:GID`.
    pub user: Option<Asked<String>>,
    /// The folder that the project is copied to and processes start in.
    pub workdir: Option<Asked<String>>,
    /// The entry point, as words.
    pub entrypoint: Option<Asked<Vec<String>>>,
    /// The default command, as words.
    pub command: Option<Asked<Vec<String>>>,
    /// Ports, as `8000` or `8000/udp`.
    pub ports: Vec<Asked<String>>,
    /// Labels.
    pub labels: Vec<Asked<(String, String)>>,
    /// The shell command that tells whether a container is well.
    pub healthcheck: Option<Asked<String>>,
}

impl PlanOptions {
    fn architecture(&self) -> &str {
        self.architecture.as_ref().map_or("amd64", |asked| &asked.value)
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
    let options = &named(catalogue, options)?;
    let selection =
        Selection { extras: install::extras(project, options)?, groups: install::groups(project, options)? };
    install::check_conflicts(project, &selection)?;
    let Chosen { target, mut base, python, mut notes } = target::choose(project, catalogue, options, &selection)?;
    let Installation { installer, lock, notes: lock_notes } = install::installation(project, &target, options)?;
    notes.extend(lock_notes);
    let followed = lock.as_ref().map(|lock| &lock.value);
    let question =
        Question { project, target: &target, catalogue, options, installer: installer.value, lock: followed };
    let (torch, torch_notes) = variant::torch(question)?;
    notes.extend(torch_notes);
    let (reference, note) = accelerator::reference(&base.value.reference, &target, &torch.value, options)?;
    base.value.reference = reference;
    notes.extend(note);
    notes.extend(unfollowed::notes(project, &target, options, (installer.value, followed)));
    notes.extend(install::default_groups(project, &selection));
    let environment = install::makes_environment(installer.value);
    let unisolated = match &lock {
        Some(_) => Vec::new(),
        None if environment => Vec::new(),
        None => install::unisolated(project, &target, catalogue.packages()),
    };
    notes.extend(needs_compiler(&target, &unisolated));
    let indexes = install::indexes(project, &target, options, (installer.value, followed));
    let system = system::packages(project, &target, torch.value.source, catalogue.packages(), options)?;
    notes.extend(unfollowed::system(project, &target, &system));
    let folders = install::folders(project, followed);
    let mut files = install::files(project, installer.value, followed);
    // A folder that is copied whole brings its files.
    files.retain(|file| !folders.iter().any(|folder| file.starts_with(&format!("{}/", folder.value))));
    let (image, image_notes) = image::image(&options.image)?;
    notes.extend(image_notes);
    Ok(Plan {
        project: project.name.clone(),
        base,
        python,
        builder: options.builder.unwrap_or(Builder::Buildkit),
        architecture: architecture(options),
        constraints: if environment { Vec::new() } else { install::constraints(project, &target) },
        overrides: if environment { Vec::new() } else { install::overrides(project, &target) },
        groups: selection.groups.clone(),
        system,
        tools: system::tools(&target),
        manifests: project.manifests.clone(),
        dependencies: install::dependencies(project, &target, installer.value, &unisolated),
        build_needs: install::build_needs(project, &target, catalogue.packages(), &unisolated),
        hashed: project.hashed,
        files,
        folders,
        extras: selection.extras.iter().map(ToString::to_string).collect(),
        setuptools: setuptools(&target, catalogue),
        package: project.package.clone().filter(|_| installer.value != Installer::Pixi),
        extra_index: install::extra_index(project, &indexes).filter(|_| lock.is_none()),
        find_links: install::find_links(project, &target, followed),
        network: install::network(options)?,
        env: env(&target, torch.value.source, options),
        run: options.run.clone(),
        image,
        indexes,
        unisolated,
        lock,
        notes,
        installer,
        torch,
    })
}

/// The options with the base by its id, and with what a reference to its image says besides.
fn named(catalogue: &Catalogue, options: &PlanOptions) -> Result<PlanOptions> {
    let mut options = options.clone();
    let Some(asked) = &mut options.base else { return Ok(options) };
    let named = catalogue.named_base(&asked.value).map_err(|error| error.at(asked.origin.clone()))?;
    let said = asked.origin.clone();
    asked.value.clone_from(&named.base.id);
    if let Some(python) = named.python {
        options.python.get_or_insert(Asked { value: python, origin: said.clone() });
    }
    options.accelerator = named.accelerator.map(|value| Asked { value, origin: said }).or(options.accelerator);
    Ok(options)
}

/// What is compiled against torch may need the compiler of its accelerator.
fn needs_compiler(target: &Target, unisolated: &[Choice<String>]) -> Option<Note> {
    let first = unisolated.first().filter(|_| !target.base.accelerator.as_ref().is_some_and(|a| a.compiler))?;
    let names: Vec<String> = unisolated.iter().map(|one| format!("`{}`", one.value)).collect();
    let message = format!("built against torch while the image is built: {}", names.join(", "));
    let hint = format!(
        "where that compiles for a GPU, it needs its compiler (`nvcc`), which {} has not: `--base cuda-devel`",
        target.base.id
    );
    Some(Note::warning(message, first.requested.clone()).with_hint(hint))
}

/// The image's environment: what the distribution's torch needs, and over it what the user asked for.
fn env(target: &Target, source: TorchSource, options: &PlanOptions) -> BTreeMap<String, String> {
    let torch = target.base.torch.as_ref().filter(|_| source == TorchSource::Distribution);
    let mut env = torch.map(|torch| torch.env.clone()).unwrap_or_default();
    env.extend(options.env.clone());
    env
}

fn architecture(options: &PlanOptions) -> Choice<String> {
    match &options.architecture {
        Some(asked) => Choice::new(asked.value.clone(), asked.origin.clone(), "the image is to run there"),
        None => Choice::new("amd64".to_owned(), Origin::Default, "nobody asks for another"),
    }
}

/// What the torch that an installer would take, the newest that fits, needs of setuptools.
fn setuptools(target: &Target, catalogue: &Catalogue) -> VersionSpecifiers {
    let newest = match &target.verdict {
        // A newer one than the last that works here would need a newer Python.
        Verdict::Known { releases, .. } => releases.last().copied(),
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
