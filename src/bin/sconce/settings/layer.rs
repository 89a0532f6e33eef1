use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;
use sconce::inspect::InspectOptions;
use sconce::model::{Error, Origin, Result};
use sconce::ops::network::NetworkInputs;
use sconce::plan::{Asked, ImageOptions, PlanOptions};
use sconce::render::Templates;

use super::proof::Proof;
use super::value;
use crate::args;

/// What one source says, or several laid over each other: text with its origin, not yet understood.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    pub(super) tag: Option<Asked<String>>,
    pub(super) from: Vec<Asked<String>>,
    pub(super) python: Option<Asked<String>>,
    pub(super) base: Option<Asked<String>>,
    pub(super) variant: Option<Asked<String>>,
    pub(super) torch_source: Option<Asked<String>>,
    pub(super) installer: Option<Asked<String>>,
    pub(super) extras: Vec<Asked<String>>,
    pub(super) groups: Vec<Asked<String>>,
    pub(super) system_packages: Vec<Asked<String>>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) run: Vec<Asked<String>>,
    pub(super) build_network: Option<Asked<String>>,
    pub(super) ca_bundle: Option<Asked<PathBuf>>,
    pub(super) index_url: Option<Asked<String>>,
    pub(super) extra_index_urls: Vec<Asked<String>>,
    pub(super) platform: Option<Asked<String>>,
    pub(super) templates: Option<Asked<PathBuf>>,
    pub(super) user: Option<Asked<String>>,
    pub(super) workdir: Option<Asked<String>>,
    pub(super) entrypoint: Option<Asked<Vec<String>>>,
    pub(super) command: Option<Asked<Vec<String>>>,
    pub(super) ports: Vec<Asked<String>>,
    pub(super) labels: BTreeMap<String, Asked<String>>,
    pub(super) healthcheck: Option<Asked<String>>,
    pub(super) proof: Proof,
}

impl Layer {
    /// This layer laid over `below`: what it does not say, the other does. A list hides the list below it as a whole;
    /// variables of the image's environment and labels hide one another by name.
    pub(super) fn over(self, below: Self) -> Self {
        let list = |above: Vec<_>, below| if above.is_empty() { below } else { above };
        let mut env = below.env;
        env.extend(self.env);
        let mut labels = below.labels;
        labels.extend(self.labels);
        Self {
            tag: self.tag.or(below.tag),
            from: list(self.from, below.from),
            python: self.python.or(below.python),
            base: self.base.or(below.base),
            variant: self.variant.or(below.variant),
            torch_source: self.torch_source.or(below.torch_source),
            installer: self.installer.or(below.installer),
            extras: list(self.extras, below.extras),
            groups: list(self.groups, below.groups),
            system_packages: list(self.system_packages, below.system_packages),
            env,
            run: list(self.run, below.run),
            build_network: self.build_network.or(below.build_network),
            ca_bundle: self.ca_bundle.or(below.ca_bundle),
            index_url: self.index_url.or(below.index_url),
            extra_index_urls: list(self.extra_index_urls, below.extra_index_urls),
            platform: self.platform.or(below.platform),
            templates: self.templates.or(below.templates),
            user: self.user.or(below.user),
            workdir: self.workdir.or(below.workdir),
            entrypoint: self.entrypoint.or(below.entrypoint),
            command: self.command.or(below.command),
            ports: list(self.ports, below.ports),
            labels,
            healthcheck: self.healthcheck.or(below.healthcheck),
            proof: self.proof.over(below.proof),
        }
    }

    pub(super) fn inspect_options(&self) -> InspectOptions {
        InspectOptions { from: values(&self.from), name: None }
    }

    pub(super) fn plan_options(&self) -> Result<PlanOptions> {
        Ok(PlanOptions {
            base: self.base.clone(),
            python: understood(self.python.as_ref(), value::python)?,
            variant: self.variant.clone(),
            torch_source: understood(self.torch_source.as_ref(), value::torch_source)?,
            installer: understood(self.installer.as_ref(), value::installer)?,
            architecture: understood(self.platform.as_ref(), value::architecture)?,
            extras: values(&self.extras),
            groups: values(&self.groups),
            env: self.env.clone(),
            system: self.system_packages.clone(),
            run: values(&self.run),
            image: self.image_options(),
            ..PlanOptions::default()
        })
    }

    fn image_options(&self) -> ImageOptions {
        let label = |(key, asked): (&String, &Asked<String>)| Asked {
            value: (key.clone(), asked.value.clone()),
            origin: asked.origin.clone(),
        };
        ImageOptions {
            user: self.user.clone(),
            workdir: self.workdir.clone(),
            entrypoint: self.entrypoint.clone(),
            command: self.command.clone(),
            ports: self.ports.clone(),
            labels: self.labels.iter().map(label).collect(),
            healthcheck: self.healthcheck.clone(),
        }
    }

    /// The templates of the user's own, read.
    pub(super) fn templates(&self) -> Result<Templates> {
        let load = |asked: &Asked<PathBuf>| sconce::ops::templates::load(&asked.value, &asked.origin);
        self.templates.as_ref().map_or_else(|| Ok(Templates::default()), load)
    }

    pub(super) fn network(&self, environment: BTreeMap<String, String>) -> Result<NetworkInputs> {
        let host_network = understood(self.build_network.as_ref(), value::host_network)?;
        Ok(NetworkInputs {
            ca_bundle: self.ca_bundle.clone(),
            index_url: self.index_url.clone(),
            extra_index_urls: self.extra_index_urls.clone(),
            host_network: host_network.is_some_and(|asked| asked.value),
            environment,
        })
    }
}

fn values(asked: &[Asked<String>]) -> Vec<String> {
    asked.iter().map(|asked| asked.value.clone()).collect()
}

/// Gives a text its meaning; an error is located where the text stands.
pub(super) fn understood<T>(
    asked: Option<&Asked<String>>,
    parse: impl Fn(&str) -> Result<T>,
) -> Result<Option<Asked<T>>> {
    let located = |asked: &Asked<String>| match parse(&asked.value) {
        Ok(value) => Ok(Asked { value, origin: asked.origin.clone() }),
        Err(error) => Err(error.at(asked.origin.clone())),
    };
    asked.map(located).transpose()
}

/// The origin of what a flag says.
pub(super) fn flag(flag: &str) -> Origin {
    Origin::flag(flag)
}

/// What an argument says, and whether it was typed or came from the environment.
pub(super) fn asked<T: Clone>(matches: &ArgMatches, id: &str, name: &str, value: Option<&T>) -> Option<Asked<T>> {
    value.map(|value| Asked { value: value.clone(), origin: origin(matches, id, name) })
}

fn origin(matches: &ArgMatches, id: &str, name: &str) -> Origin {
    match matches.value_source(id) {
        Some(ValueSource::EnvVariable) => {
            Origin::Environment { variable: format!("SCONCE_{}", name[2..].replace('-', "_").to_uppercase()) }
        }
        _ => flag(name),
    }
}

fn list(matches: &ArgMatches, id: &str, name: &str, values: &[String]) -> Vec<Asked<String>> {
    values.iter().filter_map(|value| asked(matches, id, name, Some(value))).collect()
}

/// The layer of the flags that describe an image, and of their variables.
pub(super) fn plan(args: &args::Plan, matches: &ArgMatches) -> Result<Layer> {
    let one = |id: &str, name: &str, value: &Option<String>| asked(matches, id, name, value.as_ref());
    let env = args.env.iter().map(|pair| variable(pair).map_err(|error| error.at(flag("--env"))));
    Ok(Layer {
        python: one("python", "--python", &args.python),
        base: one("base", "--base", &args.base),
        variant: one("variant", "--variant", &args.variant),
        torch_source: one("torch_source", "--torch-source", &args.torch_source),
        installer: one("installer", "--installer", &args.installer),
        extras: list(matches, "extras", "--extra", &args.extras),
        groups: list(matches, "groups", "--group", &args.groups),
        system_packages: list(matches, "system_packages", "--system-package", &args.system_packages),
        env: env.collect::<Result<_>>()?,
        run: list(matches, "run", "--run", &args.run),
        platform: one("platform", "--platform", &args.platform),
        templates: asked(matches, "templates", "--templates", args.templates.as_ref()),
        ..network(&args.network, matches).over(container(&args.container, matches)?)
    })
}

/// The layer of the flags that say how a build reaches the network.
pub(super) fn network(args: &args::Network, matches: &ArgMatches) -> Layer {
    let one = |id: &str, name: &str, value: &Option<String>| asked(matches, id, name, value.as_ref());
    Layer {
        build_network: one("build_network", "--build-network", &args.build_network),
        ca_bundle: asked(matches, "ca_bundle", "--ca-bundle", args.ca_bundle.as_ref()),
        index_url: one("index_url", "--index-url", &args.index_url),
        extra_index_urls: list(matches, "extra_index_urls", "--extra-index-url", &args.extra_index_urls),
        ..Layer::default()
    }
}

/// The layer of the flags that say how containers run.
fn container(args: &args::Container, matches: &ArgMatches) -> Result<Layer> {
    let one = |id: &str, name: &str, value: &Option<String>| asked(matches, id, name, value.as_ref());
    let command = |name: &str, text: &Option<String>| {
        let words = text.as_ref().map(|text| value::words(text).map_err(|error| error.at(flag(name))));
        Ok::<_, Error>(words.transpose()?.map(|value| Asked { value, origin: flag(name) }))
    };
    let labels = args.labels.iter().map(|pair| label(pair).map_err(|error| error.at(flag("--label"))));
    Ok(Layer {
        user: one("user", "--user", &args.user),
        workdir: one("workdir", "--workdir", &args.workdir),
        entrypoint: command("--entrypoint", &args.entrypoint)?,
        command: command("--cmd", &args.command)?,
        ports: list(matches, "ports", "--expose", &args.ports),
        labels: labels.collect::<Result<_>>()?,
        healthcheck: one("healthcheck", "--healthcheck", &args.healthcheck),
        ..Layer::default()
    })
}

/// The files to read instead of those found.
pub(super) fn from(args: &args::Project, matches: &ArgMatches) -> Vec<Asked<String>> {
    list(matches, "from", "--from", &args.from)
}

pub(super) fn variable(pair: &str) -> Result<(String, String)> {
    let missing = || Error::usage(format!("`{pair}` has no `=`")).with_hint("as in `--env OMP_NUM_THREADS=4`");
    let (name, value) = pair.split_once('=').ok_or_else(missing)?;
    value::variable_name(name)?;
    Ok((name.to_owned(), value.to_owned()))
}

fn label(pair: &str) -> Result<(String, Asked<String>)> {
    let missing = || {
        Error::usage(format!("`{}` has no `=`", pair.escape_debug()))
            .with_hint("as in `--label org.opencontainers.image.vendor=Example`")
    };
    let (key, value) = pair.split_once('=').ok_or_else(missing)?;
    Ok((key.to_owned(), Asked { value: value.to_owned(), origin: flag("--label") }))
}
