use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerTree, VerbatimUrl};

use crate::model::{IndexBinding, Requirement, Result, TorchFact, marker_environment};

/// What of a project is asked for besides the project itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    pub(super) extras: Vec<ExtraName>,
    pub(super) groups: Vec<String>,
}

/// What decides whether a requirement applies to the image: its interpreter, its platform, and what is asked for.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    markers: MarkerEnvironment,
    selection: Selection,
}

impl Environment {
    /// The environment of `CPython` `python` (`X.Y.Z`) on Linux; `architecture` as engines name it (`amd64`, `arm64`).
    pub(super) fn new(python: &Version, architecture: &str, selection: &Selection) -> Result<Self> {
        Ok(Self { markers: marker_environment(python, architecture)?, selection: selection.clone() })
    }

    /// Whether `requirement` applies.
    pub(super) fn applies(&self, requirement: &Requirement) -> bool {
        self.holds(requirement.extra.as_deref(), requirement.group.as_deref(), requirement.marker.as_deref())
    }

    /// Whether a distribution is to come from an index.
    pub(super) fn binds(&self, binding: &IndexBinding) -> bool {
        self.holds(binding.extra.as_deref(), binding.group.as_deref(), binding.marker.as_deref())
    }

    /// Whether torch arrives as `fact` says.
    pub(super) fn brings(&self, fact: &TorchFact) -> bool {
        self.holds(fact.extra.as_deref(), fact.group.as_deref(), fact.marker.as_deref())
    }

    /// A marker that does not parse counts as one that holds: the installer will say so.
    pub(super) fn holds(&self, extra: Option<&str>, group: Option<&str>, marker: Option<&str>) -> bool {
        let asked = extra.is_none_or(|extra| self.has_extra(extra)) && group.is_none_or(|group| self.has_group(group));
        let marker = marker.map(MarkerTree::parse_str::<VerbatimUrl>);
        asked && marker.is_none_or(|m| m.map_or(true, |tree| tree.evaluate(&self.markers, &self.selection.extras)))
    }

    fn has_extra(&self, extra: &str) -> bool {
        ExtraName::from_str(extra).is_ok_and(|name| self.selection.extras.contains(&name))
    }

    fn has_group(&self, group: &str) -> bool {
        self.selection.groups.iter().any(|asked| asked == group)
    }
}
