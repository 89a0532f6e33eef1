//! The settings of uv: `[tool.uv]`, and a `uv.toml` beside it, which has the same keys.
//! <https://docs.astral.sh/uv/concepts/configuration-files/>

use super::super::toml_file::{TomlFile, Value};
use crate::model::{Error, Origin, Result};

/// uv's own file.
pub(super) const UV_TOML: &str = "uv.toml";

const TABLE: [&str; 2] = ["tool", "uv"];

/// The settings of uv for a project. Where there is a `uv.toml`, uv takes them from there alone; what describes the
/// project itself, such as `sources` and `conflicts`, it takes from the `pyproject.toml` always.
#[derive(Clone, Copy)]
pub(super) struct Settings<'s, 't> {
    pub(super) project: &'s TomlFile<'t>,
    pub(super) uv_toml: Option<&'s TomlFile<'t>>,
}

/// A setting that is there.
pub(super) struct Setting<'s, 't> {
    pub(super) toml: &'s TomlFile<'t>,
    /// Its keys, for messages.
    pub(super) path: Vec<&'static str>,
    pub(super) value: &'s Value<'t>,
}

impl<'s, 't> Settings<'s, 't> {
    pub(super) fn of(project: &'s TomlFile<'t>, uv_toml: Option<&'s TomlFile<'t>>) -> Self {
        Self { project, uv_toml }
    }

    /// A setting of uv itself.
    pub(super) fn get(&self, key: &'static str) -> Option<Setting<'s, 't>> {
        match self.uv_toml {
            Some(toml) => {
                let path = vec![key];
                Some(Setting { toml, value: toml.get(&path)?, path })
            }
            None => self.of_project(key),
        }
    }

    /// Where a switch is on.
    pub(super) fn is_on(&self, key: &'static str) -> Result<Option<Origin>> {
        let Some(setting) = self.get(key) else { return Ok(None) };
        match setting.value.get_ref().as_bool() {
            Some(on) => Ok(on.then(|| setting.origin())),
            None => Err(setting.mistyped("a boolean")),
        }
    }

    /// A setting that describes the project.
    pub(super) fn of_project(&self, key: &'static str) -> Option<Setting<'s, 't>> {
        let path = vec![TABLE[0], TABLE[1], key];
        Some(Setting { toml: self.project, value: self.project.get(&path)?, path })
    }
}

impl<'s> Setting<'s, '_> {
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }

    pub(super) fn mistyped(&self, wanted: &str) -> Error {
        self.toml.mistyped(self.value, &self.path, wanted)
    }

    /// The strings of an array.
    pub(super) fn strings(&self) -> Result<Vec<(&'s str, Origin)>> {
        self.toml.strings(self.value, &self.path, false)
    }

    pub(super) fn origin(&self) -> Origin {
        self.toml.origin(self.value.span())
    }
}
