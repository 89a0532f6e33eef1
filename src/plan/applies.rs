use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, VerbatimUrl};

use crate::model::{Error, Requirement, Result};

/// What decides whether a requirement applies to the image: its interpreter, its platform, and the extras asked for.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    markers: MarkerEnvironment,
    extras: Vec<ExtraName>,
}

impl Environment {
    /// The environment of `CPython` `python` (`X.Y.Z`) on Linux; `architecture` as engines name it (`amd64`, `arm64`).
    pub(super) fn new(python: &Version, architecture: &str, extras: &[ExtraName]) -> Result<Self> {
        let full = python.to_string();
        let minor = full.rsplit_once('.').map_or(full.as_str(), |(minor, _)| minor);
        let machine = match architecture {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            other => other,
        };
        let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &full,
            os_name: "posix",
            platform_machine: machine,
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "Linux",
            platform_version: "",
            python_full_version: &full,
            python_version: minor,
            sys_platform: "linux",
        })
        .map_err(|error| Error::usage(format!("`{full}` is not a Python version")).because(error))?;
        Ok(Self { markers, extras: extras.to_vec() })
    }

    /// Whether `requirement` applies. A marker that does not parse counts as one that holds: the installer will say so.
    pub(super) fn applies(&self, requirement: &Requirement) -> bool {
        let of_extra = requirement.extra.as_deref().is_none_or(|extra| self.has_extra(extra));
        let marker = requirement.marker.as_deref().map(MarkerTree::parse_str::<VerbatimUrl>);
        of_extra && marker.is_none_or(|m| m.map_or(true, |tree| tree.evaluate(&self.markers, &self.extras)))
    }

    fn has_extra(&self, extra: &str) -> bool {
        ExtraName::from_str(extra).is_ok_and(|name| self.extras.contains(&name))
    }
}
