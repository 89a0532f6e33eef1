//! How the project is built: `[build-system]` (PEP 517, PEP 518), and the switches of tools that say that it is not.

use super::super::draft::Draft;
use super::super::pep508;
use super::super::text::shown;
use super::super::toml_file::TomlFile;
use super::super::url::without_credentials;
use crate::model::{Error, Note, Package, Result};

/// The back end where a file names none (PEP 517).
pub(super) const LEGACY_BACKEND: &str = "setuptools.build_meta:__legacy__";

/// The switches that say whether the project is a package at all:
/// <https://docs.astral.sh/uv/concepts/projects/config/#project-packaging>,
/// <https://pdm-project.org/latest/reference/pep621/>, <https://python-poetry.org/docs/pyproject/#package-mode>.
const SWITCHES: [[&str; 3]; 3] =
    [["tool", "uv", "package"], ["tool", "pdm", "distribution"], ["tool", "poetry", "package-mode"]];

/// The project as a package: it is one where the file says how it is built, unless a tool says otherwise.
pub(super) fn package(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<Option<Package>> {
    if let Some(table) = toml.get(&["build-system"]) {
        toml.entries(table, &["build-system"])?;
    }
    for switch in SWITCHES {
        let Some(value) = toml.get(&switch).filter(|value| value.get_ref().as_bool() == Some(false)) else { continue };
        let message = format!("the project itself is not installed: `{}` is off", switch.join("."));
        draft.note(Note::info(message, toml.origin(value.span())));
        return Ok(None);
    }
    let forced = toml.get(&SWITCHES[0]).filter(|value| value.get_ref().as_bool() == Some(true));
    let Some(table) = toml.get(&["build-system"]).or(forced) else { return Ok(None) };
    let declared = toml.string(&["build-system", "build-backend"])?;
    let (backend, origin) = declared.unwrap_or((LEGACY_BACKEND, toml.origin(table.span())));
    let is_object = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    if backend.is_empty() || !backend.chars().all(is_object) {
        return Err(Error::usage(format!("`{}` is not the name of a build back end", shown(backend))).at(origin));
    }
    Ok(Some(Package { backend: backend.to_owned(), origin }))
}

/// Says that building the project takes torch, as it does where it compiles extensions against it.
pub(super) fn note(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let path = ["build-system", "requires"];
    let requires = toml.get(&path).map(|value| toml.strings(value, &path, false)).transpose()?;
    for (text, origin) in requires.into_iter().flatten() {
        let text = without_credentials(text).text;
        if pep508::parse(&text).is_ok_and(|parsed| parsed.name == "torch") {
            let message = format!("building the project takes `{}`: it compiles against torch", shown(&text));
            let hint = "an isolated build takes a torch of its own, which must be the one that is installed";
            draft.note(Note::warning(message, origin).with_hint(hint));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{notes, refused, toml};

    #[test]
    fn a_switch_says_that_the_project_is_no_package() {
        let built =
            "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n[project]\nname = 'x'\n";
        assert_eq!(toml(built).package.unwrap().backend, "hatchling.build");
        let off = toml(&format!("{built}[tool.uv]\npackage = false"));
        assert!(off.package.is_none() && notes(&off)[0].contains("`tool.uv.package` is off"), "{:?}", off.notes);
        let forced = toml("[project]\nname = 'x'\n[tool.uv]\npackage = true");
        assert_eq!(forced.package.unwrap().backend, super::LEGACY_BACKEND);
    }

    #[test]
    fn wrong_types_are_errors() {
        for (text, expected) in [
            ("build-system = 7\n[project]\nname = 'x'\n", "1: `build-system` must be a table, not integer"),
            ("[build-system]\nrequires = [\n7]\n[project]", "3: `build-system.requires` must be an array of strings"),
            ("[project]\nname = 'x'\nversion = 7", "3: `project.version` must be a string, not integer"),
            ("project = 7\n", "1: `project` must be a table, not integer"),
            ("[project]\n[tool.uv]\nworkspace = 7", "3: `tool.uv.workspace` must be a table, not integer"),
        ] {
            let error = refused(text);
            assert!(error.starts_with(&format!("pyproject.toml:{expected}")), "{error}");
        }
    }

    #[test]
    fn a_build_against_torch_is_noted() {
        let project = toml("[build-system]\nrequires = [\n'setuptools',\n'torch>=2.1']\n[project]\nname = 'x'");
        assert_eq!(notes(&project), ["building the project takes `torch>=2.1`: it compiles against torch"]);
        assert_eq!(project.notes[0].origin.to_string(), "pyproject.toml:4");
    }
}
