//! What the user asked for, wherever they said it: command line > environment > the project's files > the user's file.

mod file;
mod layer;
mod limits;
mod proof;
mod reproduce;
mod subject;
mod value;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use pep440_rs::VersionSpecifiers;
use sconce::engine::Owner;
use sconce::inspect::InspectOptions;
use sconce::model::{Builder, Error, Origin, Result, Variant};
use sconce::ops::ProofStore;
use sconce::ops::build::BuildOptions;
use sconce::ops::collect::CollectOptions;
use sconce::ops::doctor::DoctorOptions;
use sconce::ops::network::NetworkInputs;
use sconce::ops::verify::VerifyOptions;
use sconce::plan::PlanOptions;
use sconce::render::Templates;
use sconce::verify::Expectation;

use crate::args::{Build, Doctor, Inspect, Render, Verify};
use crate::reference::{self, Reference};
use layer::Layer;
pub(crate) use reproduce::reproduce;
pub(crate) use subject::subjects;

/// The environment as the library is given it; names and values that are not UTF-8 cannot be meant for it.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What `sconce inspect` was asked.
pub(crate) fn inspect(args: &Inspect, matches: &ArgMatches) -> Result<InspectOptions> {
    let layer = Layer { from: layer::from(&args.project, matches), ..Layer::default() };
    Ok(layer.over(file::project_layers(&args.project.root)?).inspect_options())
}

/// How `sconce doctor` was asked to look.
pub(crate) fn doctor(args: &Doctor) -> Result<DoctorOptions> {
    let timeout = limits::timeout(&args.timeout).map_err(|error| error.at(Origin::flag("--timeout")))?;
    Ok(DoctorOptions { environment: environment(), python: args.python.clone(), timeout })
}

/// How an image is to be looked at.
pub(crate) fn collect(python: Option<&String>, pull: bool, timeout: &str) -> Result<CollectOptions> {
    let timeout = limits::timeout(timeout).map_err(|error| error.at(Origin::flag("--timeout")))?;
    Ok(CollectOptions { python: python.cloned(), pull, timeout })
}

/// What `sconce render` was asked.
pub(crate) struct RenderSettings {
    pub(crate) inspect: InspectOptions,
    pub(crate) plan: PlanOptions,
    pub(crate) network: NetworkInputs,
    pub(crate) templates: Templates,
}

/// What `sconce render` was asked.
pub(crate) fn render(args: &Render, matches: &ArgMatches) -> Result<RenderSettings> {
    let typed = Layer { from: layer::from(&args.project, matches), ..layer::plan(&args.plan, matches)? };
    let layer = typed.over(file::project_layers(&args.project.root)?);
    let builder = if args.builder == "classic" { Builder::Classic } else { Builder::Buildkit };
    Ok(RenderSettings {
        inspect: layer.inspect_options(),
        plan: PlanOptions { builder: Some(builder), ..layer.plan_options()? },
        network: layer.network(environment())?,
        templates: layer.templates()?,
    })
}

/// What `sconce build` was asked. Without a tag the image is named after the project, which is read for that.
pub(crate) fn build(args: &Build, matches: &ArgMatches, owner: Owner) -> Result<BuildOptions> {
    let typed = Layer {
        from: layer::from(&args.project, matches),
        tag: layer::asked(matches, "tag", "--tag", args.tag.as_ref()),
        ..proof::layer(&args.proof, matches)
    };
    let layer = typed.over(layer::plan(&args.plan, matches)?).over(file::project_layers(&args.project.root)?);
    let inspect = layer.inspect_options();
    let tag = match &layer.tag {
        Some(asked) => reference::tag(&asked.value).map_err(|error| error.at(asked.origin.clone()))?,
        None => default_tag(&args.project.root, &inspect)?,
    };
    Ok(BuildOptions {
        plan: layer.plan_options()?,
        templates: layer.templates()?,
        inspect,
        tag: tag.to_string(),
        no_cache: args.no_cache,
        owner,
        network: layer.network(environment())?,
        conditions: layer.proof.conditions()?,
        profile: layer.proof.profile()?,
        smoke: layer.proof.script()?,
        pull: args.pull,
        proofs: cache_folder().map(|folder| ProofStore::new(folder.join("proofs"))),
        reverify: args.reverify,
    })
}

/// Where what can be made again is kept (XDG Base Directory Specification); nowhere without a home.
fn cache_folder() -> Option<PathBuf> {
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")))?;
    Some(cache.join("sconce"))
}

/// The folder that a variable names; the specification has relative ones ignored.
fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn default_tag(root: &Path, options: &InspectOptions) -> Result<Reference> {
    let project = sconce::ops::inspect(root, options)?;
    reference::from_project(&project.name).ok_or_else(|| {
        Error::usage(format!("no tag can be made from the project's name `{}`", project.name))
            .with_hint("name the image yourself: `--tag NAME`")
    })
}

/// What `sconce verify` was asked. Besides the command the user's own file speaks, and where a project is named, its files.
pub(crate) fn verify(args: &Verify, matches: &ArgMatches) -> Result<VerifyOptions> {
    let below = match &args.project {
        Some(root) => file::project_layers(root)?,
        None => file::user_layer()?,
    };
    let layer = proof::layer(&args.proof, matches).over(below);
    let variant = match &args.variant {
        Some(variant) => value::variant(variant).map_err(|error| error.at(layer::flag("--variant")))?,
        None => Variant::Any,
    };
    let torch = match &args.torch {
        Some(text) => value::specifiers(text).map_err(|error| error.at(layer::flag("--torch")))?,
        None => VersionSpecifiers::empty(),
    };
    Ok(VerifyOptions {
        expectation: Expectation { variant, torch, python: args.python.clone() },
        conditions: proof::run_as(layer.proof.conditions()?, &args.run)?,
        profile: layer.proof.profile()?,
        smoke: layer.proof.script()?,
        project: args.project.clone().map(|root| (root, layer.inspect_options())),
        pull: args.pull,
    })
}

/// The user's home folder.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}
