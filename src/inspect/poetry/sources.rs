//! `[[tool.poetry.source]]`: the package indexes, and what is bound to them.
//! <https://python-poetry.org/docs/repositories/#package-sources>

use toml::de::DeValue;

use super::super::draft::Draft;
use super::super::text::shown;
use super::super::toml_file::{TomlFile, Value};
use super::super::url::{check, variables, without_credentials};
use crate::model::{Error, Index, IndexBinding, IndexRole, Note, Origin, Result, VariableUse};

const PATH: [&str; 3] = ["tool", "poetry", "source"];

/// The sources of a file.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Their names, each with its place among the indexes of the draft; none for the default index.
    places: Vec<(String, Option<usize>)>,
}

/// The parts that a source can play.
enum Priority {
    Default,
    Primary,
    Supplemental,
    Explicit,
}

/// Takes up the sources of a file.
pub(super) fn read(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<Sources> {
    let mut sources = Sources::default();
    let Some(value) = toml.get(&PATH) else { return Ok(sources) };
    let Some(tables) = value.get_ref().as_array() else {
        let error = Error::usage("`tool.poetry.source` must be an array of tables, `[[tool.poetry.source]]`");
        return Err(error.at(toml.origin(value.span())));
    };
    draft.account(toml.file, tables.len());
    let names_default = tables.iter().any(|table| string(table, "name").is_some_and(is_default_index));
    for table in tables {
        let origin = toml.origin(table.span());
        let (name, place) = one(draft, toml.file, table, &origin, names_default).map_err(|error| error.at(origin))?;
        sources.places.push((name, place));
    }
    Ok(sources)
}

fn one(
    draft: &mut Draft<'_>,
    file: &str,
    table: &Value<'_>,
    origin: &Origin,
    names_default: bool,
) -> Result<(String, Option<usize>)> {
    let name = string(table, "name").ok_or_else(|| Error::usage("a source of Poetry lacks its `name`"))?;
    let priority = priority(table)?;
    let Some(written) = string(table, "url").filter(|url| !url.trim().is_empty()) else {
        if !is_default_index(name) {
            return Err(Error::usage(format!("the source `{}` lacks its `url`", shown(name))));
        }
        let message = format!("`{}` is the default index, which stays among those that are asked", shown(name));
        draft.noted(file, Note::info(message, origin.clone()));
        return Ok((key(name), None));
    };
    for variable in variables(written) {
        draft.project.variables.push(VariableUse { name: variable, origin: origin.clone() });
    }
    let stripped = without_credentials(written.trim());
    if stripped.literal {
        draft.warn_of_credential(origin);
    }
    check(&stripped.text)?;
    if matches!(priority, Priority::Primary) && !names_default {
        let message = format!("`{}` is asked besides the default index, which Poetry 2 would leave out", shown(name));
        let hint = "name it `--index-url` if the default index is not to be asked";
        draft.note(Note::info(message, origin.clone()).with_hint(hint));
    }
    draft.project.indexes.push(Index {
        url: stripped.text,
        role: if matches!(priority, Priority::Default) { IndexRole::Primary } else { IndexRole::Extra },
        name: Some(name.to_owned()),
        explicit: matches!(priority, Priority::Explicit),
        bindings: Vec::new(),
        origin: origin.clone(),
    });
    draft.fact(file);
    Ok((key(name), Some(draft.project.indexes.len() - 1)))
}

/// The priority, or what the keys `default` and `secondary` said before Poetry 1.5.
fn priority(table: &Value<'_>) -> Result<Priority> {
    let is_set = |key| matches!(table.get_ref().get(key).map(toml::Spanned::get_ref), Some(DeValue::Boolean(true)));
    let Some(priority) = string(table, "priority") else {
        return Ok(match (is_set("default"), is_set("secondary")) {
            (true, _) => Priority::Default,
            (false, true) => Priority::Supplemental,
            (false, false) => Priority::Primary,
        });
    };
    match priority.to_ascii_lowercase().as_str() {
        "default" => Ok(Priority::Default),
        "primary" => Ok(Priority::Primary),
        "supplemental" | "secondary" => Ok(Priority::Supplemental),
        "explicit" => Ok(Priority::Explicit),
        _ => Err(Error::usage(format!("`{}` is not a priority of a source", shown(priority)))
            .with_hint("write `primary`, `supplemental` or `explicit`")),
    }
}

fn string<'v>(table: &'v Value<'_>, key: &str) -> Option<&'v str> {
    table.get_ref().get(key)?.get_ref().as_str()
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Whether a name is that of the index that Poetry knows by itself.
fn is_default_index(name: &str) -> bool {
    name.eq_ignore_ascii_case("pypi")
}

impl Sources {
    /// Binds a distribution to the source that it names.
    pub(super) fn bind(&self, draft: &mut Draft<'_>, name: &str, binding: IndexBinding) -> Result<()> {
        let known = self.places.iter().find(|(known, _)| *known == key(name));
        match known {
            Some((_, Some(place))) => {
                if let Some(index) = draft.project.indexes.get_mut(*place)
                    && !index.bindings.contains(&binding)
                {
                    index.bindings.push(binding);
                }
                Ok(())
            }
            Some((_, None)) => Ok(()),
            None if is_default_index(name) => Ok(()),
            None => Err(Error::usage(format!("the source `{}` is not among `[[tool.poetry.source]]`", shown(name)))
                .with_hint("add it with its `name` and `url`")),
        }
    }
}
