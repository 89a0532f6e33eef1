//! `[tool.poetry.extras]`: which optional dependencies an extra brings.
//! <https://python-poetry.org/docs/pyproject/#extras>

use super::super::draft::Draft;
use super::super::text::shown;
use super::super::toml_file::TomlFile;
use super::{DEPENDENCIES, normalized};
use crate::model::{Error, Note, Origin, Result, Selectable, SelectableKind};

const PATH: [&str; 3] = ["tool", "poetry", "extras"];

/// The extras of a file, each with the names of what it brings, all normalized.
#[derive(Debug, Default)]
pub(super) struct Extras(Vec<(String, Vec<String>)>);

impl Extras {
    /// The extras with which a dependency arrives; `None` among them is without any.
    pub(super) fn belonging(
        &self,
        name: &str,
        optional: bool,
        by_marker: Option<&str>,
        asked: Option<&[String]>,
    ) -> Vec<Option<String>> {
        let brings = |(_, names): &&(String, Vec<String>)| names.iter().any(|known| known == name);
        let of_table = self.0.iter().filter(brings).map(|(extra, _)| extra.clone());
        let extras: Vec<String> = match by_marker {
            Some(extra) => vec![extra.to_owned()],
            None if optional => of_table.collect(),
            None => return vec![None],
        };
        match asked {
            None => extras.into_iter().map(Some).collect(),
            Some(asked) => extras.iter().any(|extra| asked.contains(extra)).then_some(None).into_iter().collect(),
        }
    }
}

/// Takes up the extras; as ones that can be asked for where they are those of the project.
pub(super) fn read(draft: &mut Draft<'_>, toml: &TomlFile<'_>, selectable: bool) -> Result<Extras> {
    let Some(table) = toml.get(&PATH) else { return Ok(Extras::default()) };
    let known = known_dependencies(toml)?;
    let mut extras = Vec::new();
    for (written, value) in toml.entries(table, &PATH)? {
        let origin = toml.origin(value.span());
        let extra = normalized(written)
            .ok_or_else(|| Error::usage(format!("`{}` is not a name for an extra", shown(written))))
            .map_err(|error| error.or_at(&origin))?;
        let items = toml.strings(value, &["tool", "poetry", "extras", written], false)?;
        draft.account(toml.file, items.len());
        let names = items.into_iter().filter_map(|(name, origin)| item(draft, toml.file, &known, name, &origin));
        extras.push((extra.clone(), names.collect()));
        if selectable {
            let kind = SelectableKind::Extra;
            draft.project.selectable.push(Selectable { kind, name: extra, default: false, origin });
        }
    }
    Ok(Extras(extras))
}

fn item(draft: &mut Draft<'_>, file: &str, known: &[String], name: &str, origin: &Origin) -> Option<String> {
    let brought = normalized(name).filter(|name| known.contains(name));
    if brought.is_some() {
        draft.fact(file);
    } else {
        let message = format!("`{}` is not among the dependencies that an extra could bring", shown(name));
        draft.noted(file, Note::warning(message, origin.clone()).with_hint("add it there with `optional = true`"));
    }
    brought
}

fn known_dependencies(toml: &TomlFile<'_>) -> Result<Vec<String>> {
    let Some(table) = toml.get(&DEPENDENCIES) else { return Ok(Vec::new()) };
    let entries = toml.entries(table, &DEPENDENCIES)?;
    Ok(entries.into_iter().filter_map(|(name, _)| normalized(name)).collect())
}

/// Says of each extra that `[project]` takes its place.
pub(super) fn note_superseded(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let Some(table) = toml.get(&PATH) else { return Ok(()) };
    for (name, value) in toml.entries(table, &PATH)? {
        draft.account(toml.file, 1);
        let message = format!("Poetry ignores its extra `{}`, since `[project]` has dependencies", shown(name));
        let note = Note::warning(message, toml.origin(value.span()));
        draft.noted(toml.file, note.with_hint("move it to `[project.optional-dependencies]`"));
    }
    Ok(())
}
