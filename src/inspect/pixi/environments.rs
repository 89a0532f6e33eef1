//! pixi's environments: each is the default feature and some of the others, and can be chosen as a group
//! (<https://pixi.sh/latest/workspace/multi_environment/>).

use toml::de::DeValue;

use super::super::pep508;
use super::super::text::shown;
use super::super::toml_file::Value;
use super::{Groups, Reader};
use crate::model::{Note, Origin, Result, Selectable, SelectableKind};

/// What pixi takes where no environment is named, and the name of what is of no feature.
pub(super) const DEFAULT: &str = "default";

impl<'t> Reader<'_, '_, 't> {
    /// Takes up the environments; which of them each feature is in, the default one as no group.
    pub(super) fn environments(&mut self) -> Result<Groups> {
        let path = self.at(&["environments"]);
        let mut groups = Groups::new();
        let Some(table) = self.toml.get(&path) else { return Ok(groups) };
        let entries = self.toml.entries(table, &path)?;
        self.draft.account(self.toml.file, entries.len());
        for (name, value) in entries {
            let origin = self.toml.origin(value.span());
            let group = (name != DEFAULT).then(|| normalized(name));
            for feature in self.features(name, value)? {
                let of_feature = groups.entry(feature.to_owned()).or_default();
                if !of_feature.contains(&group) {
                    of_feature.push(group.clone());
                }
            }
            if let Some(group) = group {
                self.selectable(group, origin);
            }
            self.draft.fact(self.toml.file);
        }
        for of_feature in groups.values_mut().filter(|groups| groups.contains(&None)) {
            // What the default environment has is there in any case.
            of_feature.retain(Option::is_none);
        }
        Ok(groups)
    }

    fn features(&mut self, name: &'t str, value: &'t Value<'t>) -> Result<Vec<&'t str>> {
        let path = self.at(&["environments", name]);
        let listed = match value.get_ref() {
            DeValue::Table(table) => table.get("features"),
            _ => Some(value),
        };
        let features = listed.map(|listed| self.toml.strings(listed, &path, false)).transpose()?.unwrap_or_default();
        let alone = value.get_ref().get("no-default-feature").and_then(|value| value.get_ref().as_bool());
        if alone == Some(true) {
            let message = format!(
                "the environment `{}` leaves out what is not of its features; here it comes with it",
                shown(name)
            );
            self.draft.note(Note::info(message, self.toml.origin(value.span())));
        }
        for (feature, origin) in &features {
            if *feature != DEFAULT && self.toml.get(&self.at(&["feature", feature])).is_none() {
                let message =
                    format!("the feature `{}` of the environment `{}` is no table here", shown(feature), shown(name));
                // An extra or a dependency group of `[project]` is a feature, too.
                let hint = "`--extra` or `--group` takes it, where it is an extra or a dependency group";
                self.draft.note(Note::info(message, origin.clone()).with_hint(hint));
            }
        }
        Ok(features.into_iter().map(|(feature, _)| feature).collect())
    }

    /// The group of a feature that is in no environment.
    pub(super) fn feature_alone(&mut self, feature: &str, origin: Origin) -> Vec<Option<String>> {
        let group = normalized(feature);
        let message =
            format!("the feature `{}` is in no environment; `--group {}` takes it", shown(feature), shown(&group));
        self.draft.note(Note::info(message, origin.clone()));
        self.selectable(group.clone(), origin);
        vec![Some(group)]
    }

    fn selectable(&mut self, name: String, origin: Origin) {
        let kind = SelectableKind::Group;
        if !self.draft.project.selectable.iter().any(|known| known.kind == kind && known.name == name) {
            self.draft.project.selectable.push(Selectable { kind, name, default: false, origin });
        }
    }
}

fn normalized(name: &str) -> String {
    pep508::parse_name(name).map_or_else(|| name.to_owned(), |(name, _)| name)
}
