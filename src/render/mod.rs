//! A [`Plan`], written as a Dockerfile from the templates. Pure, and the only user of Tera.

mod arguments;
mod quote;
mod view;

use tera::{Context, Tera};

use crate::model::{Error, Plan, Result};
use view::View;

/// The template that the others are parts of.
const DOCKERFILE: &str = "Dockerfile.tera";

const TEMPLATES: [(&str, &str); 6] = [
    (DOCKERFILE, include_str!("../../templates/Dockerfile.tera")),
    ("Dockerfile.apt.tera", include_str!("../../templates/Dockerfile.apt.tera")),
    ("Dockerfile.uv.tera", include_str!("../../templates/Dockerfile.uv.tera")),
    ("Dockerfile.pip.tera", include_str!("../../templates/Dockerfile.pip.tera")),
    ("Dockerfile.mounts.tera", include_str!("../../templates/Dockerfile.mounts.tera")),
    ("Dockerfile.trust.tera", include_str!("../../templates/Dockerfile.trust.tera")),
];

/// A rendered Dockerfile, ready for any builder that the plan named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// Its text.
    pub text: String,
}

/// Renders the Dockerfile of `plan`.
///
/// # Errors
///
/// A name or value that no quoting can carry into a Dockerfile, such as one with a newline in it, is wrong usage.
pub fn render(plan: &Plan) -> Result<Dockerfile> {
    let context = Context::from_serialize(&View::new(plan)).map_err(failed)?;
    let text = engine().and_then(|tera| tera.render(DOCKERFILE, &context)).map_err(failed)?;
    Ok(Dockerfile { text })
}

fn engine() -> tera::TeraResult<Tera> {
    let mut tera = Tera::new();
    quote::register(&mut tera);
    tera.add_raw_templates(TEMPLATES)?;
    Ok(tera)
}

fn failed(error: tera::Error) -> Error {
    Error::usage("the plan cannot be written as a Dockerfile").because(error)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use pep440_rs::{Version, VersionSpecifiers};

    use super::*;
    use crate::model::{
        BaseImage, Builder, Choice, Installer, Network, Origin, PackageManager, TorchBuild, TorchSource, Variant,
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
                bootstrapped: "localhost/base:1".to_owned(),
                suite: "suite".to_owned(),
                package_manager: PackageManager::Apt,
                interpreter: "python3".to_owned(),
            }),
            python: choice(Version::new([3, 13])),
            torch: choice(TorchBuild {
                source: TorchSource::Index,
                specifiers: VersionSpecifiers::empty(),
                variant: Variant::Any,
                backend: None,
            }),
            installer: choice(Installer::Uv),
            builder: Builder::Buildkit,
            system: vec![choice("g++".to_owned())],
            manifests: Vec::new(),
            dependencies: Vec::new(),
            hashed: false,
            files: Vec::new(),
            folders: Vec::new(),
            extras: Vec::new(),
            setuptools: VersionSpecifiers::empty(),
            package: None,
            indexes: Vec::new(),
            extra_index: None,
            network: Network::default(),
            env: BTreeMap::new(),
            run: Vec::new(),
            user: "app".to_owned(),
            notes: Vec::new(),
        }
    }

    /// A misspelt name in a condition is silently false in Tera, so the names are held against each other.
    #[test]
    fn templates_use_every_name_that_they_are_given_and_no_other() {
        let tera = engine().unwrap();
        let mut used: BTreeSet<String> = BTreeSet::new();
        for (name, _) in TEMPLATES {
            used.extend(tera.get_template_variables(name).unwrap().into_iter().map(ToOwned::to_owned));
        }
        for set_by_the_templates in ["commands", "before"] {
            assert!(used.remove(set_by_the_templates), "{set_by_the_templates}");
        }
        let given = serde_json::to_value(View::new(&plan())).unwrap();
        let given: BTreeSet<String> = given.as_object().unwrap().keys().cloned().collect();
        assert_eq!(used, given);
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
            |plan: &mut Plan, text: String| plan.user = text,
            |plan: &mut Plan, text: String| plan.base.value.reference = text,
        ] {
            let mut plan = plan();
            set(&mut plan, hostile.clone());
            assert!(render(&plan).is_err());
        }
    }
}
