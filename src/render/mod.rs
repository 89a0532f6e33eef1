//! A [`Plan`], written as a Dockerfile from the templates. Pure, and the only user of Tera.

mod account;
mod arguments;
mod devcontainer;
mod own;
mod quote;
mod reason;
mod replica;
mod view;
mod written;

use std::io;

use tera::{Context, Tera};

pub use devcontainer::devcontainer;
pub use own::Templates;
pub use replica::{Side, replica};

use crate::model::{Error, Plan, Result};
use view::View;

/// The template that the others are parts of.
const DOCKERFILE: &str = "Dockerfile.tera";

/// What stands before the name of a built-in template, so that a user's own of the same name can extend it.
const BUILT_IN: &str = "sconce/";

/// The longest Dockerfile, in bytes; a template that loops can write any number of lines.
const LONGEST: usize = 4 << 20;

/// The built-in templates, by name.
const TEMPLATES: [(&str, &str); 21] = [
    (DOCKERFILE, include_str!("../../templates/Dockerfile.tera")),
    ("Dockerfile.user.tera", include_str!("../../templates/Dockerfile.user.tera")),
    ("Dockerfile.apt.tera", include_str!("../../templates/Dockerfile.apt.tera")),
    ("Dockerfile.dnf.tera", include_str!("../../templates/Dockerfile.dnf.tera")),
    ("Dockerfile.stage.tera", include_str!("../../templates/Dockerfile.stage.tera")),
    ("Dockerfile.reset.tera", include_str!("../../templates/Dockerfile.reset.tera")),
    ("Dockerfile.prefix.tera", include_str!("../../templates/Dockerfile.prefix.tera")),
    ("Dockerfile.probe.tera", include_str!("../../templates/Dockerfile.probe.tera")),
    ("Dockerfile.python.tera", include_str!("../../templates/Dockerfile.python.tera")),
    ("Dockerfile.dependencies.tera", include_str!("../../templates/Dockerfile.dependencies.tera")),
    ("Dockerfile.package.tera", include_str!("../../templates/Dockerfile.package.tera")),
    ("Dockerfile.image.tera", include_str!("../../templates/Dockerfile.image.tera")),
    ("Dockerfile.install.tera", include_str!("../../templates/Dockerfile.install.tera")),
    ("Dockerfile.uv.tera", include_str!("../../templates/Dockerfile.uv.tera")),
    ("Dockerfile.pip.tera", include_str!("../../templates/Dockerfile.pip.tera")),
    ("Dockerfile.tool.tera", include_str!("../../templates/Dockerfile.tool.tera")),
    ("Dockerfile.poetry.tera", include_str!("../../templates/Dockerfile.poetry.tera")),
    ("Dockerfile.pdm.tera", include_str!("../../templates/Dockerfile.pdm.tera")),
    ("Dockerfile.pipenv.tera", include_str!("../../templates/Dockerfile.pipenv.tera")),
    ("Dockerfile.mounts.tera", include_str!("../../templates/Dockerfile.mounts.tera")),
    ("Dockerfile.trust.tera", include_str!("../../templates/Dockerfile.trust.tera")),
];

/// A rendered Dockerfile, ready for any builder that the plan named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// Its text.
    pub text: String,
}

/// The built-in templates, by name, each with its text.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEMPLATES.into_iter()
}

/// Renders the Dockerfile of `plan` with the built-in templates.
///
/// # Errors
///
/// A name or value that no quoting can carry into a Dockerfile, such as one with a newline in it, is wrong usage.
pub fn render(plan: &Plan) -> Result<Dockerfile> {
    render_with(plan, &Templates::default())
}

/// Renders the Dockerfile of `plan` with a user's `own` templates over the built-in ones.
///
/// # Errors
///
/// As [`render`]; besides, a template that is broken, that uses a name which it is not given (in a condition too), that
/// writes a value unquoted which needs quotes, or that nothing uses, is wrong usage at its file and line.
pub fn render_with(plan: &Plan, own: &Templates) -> Result<Dockerfile> {
    let view = View::new(plan);
    let mut text = Bounded(Vec::new());
    let tera = engine(own).map_err(|error| own.error(&error))?;
    if !own.files.is_empty() {
        let given =
            serde_json::to_value(&view).map_err(|error| Error::usage("the plan cannot be shown").because(error))?;
        own.check(&tera, given.as_object().unwrap_or(&serde_json::Map::new()))?;
    }
    let context = Context::from_serialize(&view).map_err(|error| own.error(&error))?;
    tera.render_to(DOCKERFILE, &context, &mut text).map_err(|error| own.writing_error(&error, &tera, &context))?;
    let text = String::from_utf8(text.0).map_err(|error| Error::usage("the templates write no text").because(error))?;
    Ok(Dockerfile { text })
}

fn engine(own: &Templates) -> tera::TeraResult<Tera> {
    let mut tera = Tera::new();
    quote::register(&mut tera);
    tera.set_fallback_prefixes([BUILT_IN])?;
    let built_in = TEMPLATES.map(|(name, text)| (format!("{BUILT_IN}{name}"), text));
    let own = own.files.iter().map(|(name, text)| (name.clone(), text.as_str()));
    tera.add_raw_templates(built_in.into_iter().chain(own))?;
    Ok(tera)
}

/// A text that ends at [`LONGEST`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use pep440_rs::{Version, VersionSpecifiers};

    use super::*;
    use crate::model::{
        BaseImage, Builder, Choice, Environment, ImageConfig, Installer, Network, Origin, PackageManager, Prediction,
        PythonProvider, Replica, ReplicaTorch, TorchBuild, TorchPlace, TorchSource, Variant,
    };

    fn plan() -> Plan {
        fn choice<T>(value: T) -> Choice<T> {
            Choice::new(value, Origin::Default, "a test asks for it")
        }
        Plan {
            project: "demo".to_owned(),
            base: choice(BaseImage {
                id: "base".to_owned(),
                reference: "base:1".to_owned(),
                bootstrapped: Some("localhost/base:1".to_owned()),
                suite: Some("suite".to_owned()),
                package_manager: PackageManager::Apt,
                provider: PythonProvider::Distribution,
                interpreter: "python3".to_owned(),
                sets: Vec::new(),
            }),
            python: choice(Version::new([3, 13])),
            torch: choice(TorchBuild {
                source: TorchSource::Index,
                specifiers: VersionSpecifiers::empty(),
                variant: Variant::Any,
                backend: None,
                prediction: Prediction::default(),
            }),
            installer: choice(Installer::Uv),
            builder: Builder::Buildkit,
            architecture: choice("amd64".to_owned()),
            lock: None,
            unisolated: Vec::new(),
            build_needs: Vec::new(),
            constraints: Vec::new(),
            overrides: Vec::new(),
            groups: Vec::new(),
            system: vec![choice("g++".to_owned())],
            tools: Vec::new(),
            manifests: Vec::new(),
            dependencies: Vec::new(),
            hashed: false,
            files: Vec::new(),
            folders: Vec::new(),
            extras: Vec::new(),
            setuptools: VersionSpecifiers::empty(),
            package: None,
            indexes: Vec::new(),
            find_links: Vec::new(),
            extra_index: None,
            network: Network::default(),
            env: BTreeMap::new(),
            run: Vec::new(),
            image: ImageConfig { user: "app".to_owned(), workdir: "/app".to_owned(), ..ImageConfig::default() },
            notes: Vec::new(),
        }
    }

    pub(super) fn replica() -> Replica {
        fn choice<T>(value: T) -> Choice<T> {
            Choice::new(value, Origin::Default, "a test asks for it")
        }
        let Plan { base, python, architecture, builder, network, .. } = plan();
        Replica {
            base,
            python,
            interpreter: vec![choice("python3.13".to_owned())],
            tools: Vec::new(),
            place: choice(TorchPlace::User),
            torch: choice(ReplicaTorch { version: None, variant: Variant::Any, index: None }),
            requirements: vec![choice("numpy==2.2.6".to_owned())],
            toolchain: vec![choice("g++".to_owned())],
            architecture,
            builder,
            env: BTreeMap::new(),
            user: "reporter".to_owned(),
            defect: None,
            indexes: Vec::new(),
            network,
            predicted: Environment::default(),
            reasons: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// A misspelt name in a condition is silently false in Tera, so the names are held against each other.
    #[test]
    fn templates_use_every_name_that_they_are_given_and_no_other() {
        let tera = engine(&Templates::default()).unwrap();
        let mut used: BTreeSet<String> = BTreeSet::new();
        for (name, _) in TEMPLATES {
            used.extend(tera.get_template_variables(name).unwrap().into_iter().map(ToOwned::to_owned));
        }
        // What a template sets for one that it includes.
        for name in TEMPLATES.iter().flat_map(|(_, text)| own::set(text)) {
            used.remove(&name);
        }
        let given = serde_json::to_value(View::new(&plan())).unwrap();
        let given: BTreeSet<String> = given.as_object().unwrap().keys().cloned().collect();
        assert_eq!(used, given);
        let described = include_str!("../../docs/templates.md");
        for name in given {
            assert!(described.contains(&format!("`{name}`")), "docs/templates.md does not describe `{name}`");
        }
    }

    #[test]
    fn a_value_with_a_newline_is_refused() {
        assert!(render(&plan()).is_ok());
        let hostile = "x\nRUN id".to_owned();
        for set in [
            |plan: &mut Plan, text: String| plan.project = text,
            |plan: &mut Plan, text: String| plan.files = vec![text],
            |plan: &mut Plan, text: String| plan.dependencies = vec![text],
            |plan: &mut Plan, text: String| plan.run = vec![text],
            |plan: &mut Plan, text: String| plan.env = BTreeMap::from([("A".to_owned(), text)]),
            |plan: &mut Plan, text: String| plan.env = BTreeMap::from([(text, "a".to_owned())]),
            |plan: &mut Plan, text: String| plan.system[0].value = text,
            |plan: &mut Plan, text: String| plan.image.user = text,
            |plan: &mut Plan, text: String| plan.image.workdir = text,
            |plan: &mut Plan, text: String| plan.image.entrypoint = vec![text],
            |plan: &mut Plan, text: String| plan.image.command = vec![text],
            |plan: &mut Plan, text: String| plan.image.ports = vec![text],
            |plan: &mut Plan, text: String| plan.image.labels = BTreeMap::from([("a".to_owned(), text)]),
            |plan: &mut Plan, text: String| plan.image.labels = BTreeMap::from([(text, "a".to_owned())]),
            |plan: &mut Plan, text: String| plan.image.healthcheck = Some(text),
            |plan: &mut Plan, text: String| plan.base.value.reference = text,
        ] {
            let mut plan = plan();
            set(&mut plan, hostile.clone());
            assert!(render(&plan).is_err());
        }
    }
}
