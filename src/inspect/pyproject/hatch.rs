//! Hatch: <https://hatch.pypa.io/latest/>

use super::super::draft::Draft;
use super::super::text::shown;
use super::super::toml_file::{TomlFile, Value};
use super::Reader;
use super::tools::mention;
use crate::model::{Note, Result};

/// The table of the plugin `hatch-requirements-txt`: <https://github.com/repo-helper/hatch-requirements-txt>.
pub(super) const REQUIREMENTS_TXT: [&str; 5] = ["tool", "hatch", "metadata", "hooks", "requirements_txt"];

/// What the plugin reads where nothing is named.
const DEFAULT_FILE: &str = "requirements.txt";

impl Reader<'_, '_, '_> {
    /// Takes up the requirements files that the hook names for `field`; false where it names none.
    pub(super) fn requirements_txt(&mut self, hook: &Value<'_>, field: &str) -> Result<bool> {
        let toml = self.toml;
        let of = |key: &str| hook.get_ref().get(key);
        if field == "dependencies" {
            let Some((key, value)) = ["files", "filename"].iter().find_map(|key| Some((*key, of(key)?))) else {
                let origin = toml.origin(hook.span());
                self.file(DEFAULT_FILE, &origin, None)?;
                return Ok(true);
            };
            for (file, origin) in toml.strings(value, &[key], true)? {
                self.file(file, &origin, None)?;
            }
            return Ok(true);
        }
        let Some(table) = of(field) else { return Ok(false) };
        for (key, value) in toml.entries(table, &[field])? {
            let origin = toml.origin(value.span());
            let Some(section) = self.extra(key, &origin)? else { continue };
            let extra = section.extra.filter(|_| !section.own);
            for (file, origin) in toml.strings(value, &[field, key], false)? {
                self.file(file, &origin, extra.as_deref())?;
            }
        }
        Ok(true)
    }
}

/// Says which of Hatch's environments ask for torch: they are places to work in, not what the project is
/// (<https://hatch.pypa.io/latest/config/environment/overview/#dependencies>).
pub(super) fn note(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let path = ["tool", "hatch", "envs"];
    let Some(table) = toml.get(&path) else { return Ok(()) };
    let entries = toml.entries(table, &path)?;
    let asks = |value: &Value<'_>| {
        let lists = ["dependencies", "extra-dependencies"].into_iter().filter_map(|key| value.get_ref().get(key));
        lists.into_iter().find_map(|list| mention(toml, list))
    };
    let with_torch: Vec<String> = entries
        .iter()
        .filter(|(_, value)| asks(value).is_some())
        .map(|(name, _)| format!("`{}`", shown(name)))
        .collect();
    let Some(origin) = entries.iter().find_map(|(_, value)| asks(value)) else { return Ok(()) };
    let message = format!("environments of Hatch ask for torch and are not followed: {}", with_torch.join(", "));
    draft.note(Note::info(message, origin).with_hint("move what the project needs into `[project]`"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{notes, toml};

    #[test]
    fn environments_with_torch_are_named() {
        let project = toml(
            "[project]\nname = 'x'\ndependencies = []\n[tool.hatch.envs.default]\ndependencies = ['pytest']\n[tool.hatch.envs.gpu]\nextra-dependencies = [\n'torch']\n",
        );
        assert_eq!(notes(&project), ["environments of Hatch ask for torch and are not followed: `gpu`"]);
        assert_eq!(project.notes[0].origin.to_string(), "pyproject.toml:8");
        assert!(project.requirements.is_empty());
    }
}
