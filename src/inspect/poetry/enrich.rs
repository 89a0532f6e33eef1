//! Poetry's tables beside a `[project]` table.
//! <https://python-poetry.org/docs/dependency-specification/#projectdependencies-and-toolpoetrydependencies>

use toml::de::DeValue;

use super::super::draft::Draft;
use super::super::problems::Problems;
use super::super::tabled::conjunction;
use super::super::text::shown;
use super::super::toml_file::TomlFile;
use super::dependency::{self, Asked, Entry, Whose, bind};
use super::extras::Extras;
use super::{DEPENDENCIES, Reader, extras, facts, groups, normalized, sources};
use crate::model::{Note, Origin, Requirement, Result, Source};

/// Whether Poetry's own table supplies the `dependencies` that `[project]` lacks. Poetry asks so when it configures a
/// package (<https://github.com/python-poetry/poetry-core/blob/main/src/poetry/core/factory.py>).
pub(super) fn supplies(toml: &TomlFile<'_>) -> bool {
    let is_empty = |key| {
        let value = toml.get(&["project", key]).map(toml::Spanned::get_ref);
        value.is_none_or(|value| match value {
            DeValue::Array(items) => items.is_empty(),
            DeValue::Table(table) => table.is_empty(),
            _ => false,
        })
    };
    let dynamic = toml.get(&["project", "dynamic"]).and_then(|value| value.get_ref().as_array());
    let is_dynamic =
        dynamic.is_some_and(|fields| fields.iter().any(|field| field.get_ref().as_str() == Some("dependencies")));
    toml.get(&DEPENDENCIES).is_some() && is_empty("dependencies") && (is_dynamic || is_empty("optional-dependencies"))
}

/// Takes up Poetry's tables of a file whose `[project]` and `[dependency-groups]` are taken up already.
pub(in crate::inspect) fn enrich(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    if toml.get(&["tool", "poetry"]).is_none() {
        return Ok(());
    }
    facts(draft, toml)?;
    let sources = sources::read(draft, toml)?;
    let mut reader = Reader { draft, toml, sources, asked: None };
    let mut problems = Problems::default();
    if supplies(toml) {
        problems.note(reader.own());
    } else {
        problems.note(extras::note_superseded(reader.draft, toml));
        if let Some(table) = toml.get(&DEPENDENCIES) {
            let all = dependency::entries(toml, table, &DEPENDENCIES)?;
            problems.note(entries(&mut reader, &all, Whose::Project));
        }
    }
    problems.note(groups::read(&mut reader));
    problems.finish()
}

/// Whether the tables of standards ask for the entry already.
pub(super) fn known_in(reader: &Reader<'_, '_, '_>, entries: &[Entry<'_, '_>], whose: Whose<'_>) -> bool {
    let names: Vec<String> = entries.iter().filter_map(|entry| normalized(entry.name)).collect();
    let beside_project = reader.toml.get(&["dependency-groups"]).is_some() && whose != Whose::Project;
    beside_project
        && reader
            .draft
            .project
            .requirements
            .iter()
            .any(|known| names.iter().any(|name| is_of(known, reader.toml.file, name, whose)))
}

/// Whether a requirement is what an entry of the name `name` enriches.
fn is_of(known: &Requirement, file: &str, name: &str, whose: Whose<'_>) -> bool {
    let here = matches!(&known.origin, Origin::File { file: known, .. } if known == file);
    let asked = match whose {
        Whose::Project => known.group.is_none(),
        Whose::Group(group) => known.group.as_deref() == Some(group),
    };
    here && asked && known.name.as_deref() == Some(name)
}

/// Adds what entries say to the requirements that are there.
pub(super) fn entries(reader: &mut Reader<'_, '_, '_>, entries: &[Entry<'_, '_>], whose: Whose<'_>) -> Result<()> {
    let mut problems = Problems::default();
    for entry in entries {
        if entry.name.eq_ignore_ascii_case("python") {
            problems.note(reader.entries(std::slice::from_ref(entry), whose, &Extras::default()));
            continue;
        }
        reader.draft.account(reader.toml.file, 1);
        problems.note(one(reader, entry, whose).map_err(|error| error.or_at(&entry.origin)));
    }
    problems.finish()
}

fn one(reader: &mut Reader<'_, '_, '_>, entry: &Entry<'_, '_>, whose: Whose<'_>) -> Result<()> {
    let file = reader.toml.file;
    let asked = dependency::read(reader.draft, file, entry)?;
    let name = asked.requirement.name.clone().unwrap_or_default();
    let places: Vec<usize> = {
        let all = reader.draft.project.requirements.iter().enumerate();
        all.filter(|(_, known)| is_of(known, file, &name, whose)).map(|(place, _)| place).collect()
    };
    if places.is_empty() {
        let message =
            format!("`{}` is not among the dependencies of `[project]`, so Poetry ignores it", shown(entry.name));
        let note = Note::warning(message, entry.origin.clone());
        reader.draft.noted(file, note.with_hint("add it to the `dependencies` of `[project]`"));
        return Ok(());
    }
    for place in places {
        merge(reader, place, &asked, entry)?;
    }
    reader.draft.fact(file);
    Ok(())
}

/// Adds what an entry says to one requirement: where it comes from, and under which conditions.
fn merge(reader: &mut Reader<'_, '_, '_>, place: usize, asked: &Asked, entry: &Entry<'_, '_>) -> Result<()> {
    let Some(known) = reader.draft.project.requirements.get_mut(place) else { return Ok(()) };
    if asked.extra.is_some() && asked.extra != known.extra {
        return Ok(());
    }
    let other = &asked.requirement;
    known.editable |= other.editable;
    let narrowed = Requirement {
        marker: other.marker.clone().or_else(|| known.marker.clone()),
        origin: entry.origin.clone(),
        ..known.clone()
    };
    let is_direct = !matches!(other.source, Source::Index { .. });
    if is_direct && matches!(known.source, Source::Index { .. }) {
        known.marker = conjunction(&[&known.marker, &other.marker].map(|marker| marker.clone().unwrap_or_default()));
        known.text = direct_text(known, &other.text, entry.name);
        known.source = other.source.clone();
    } else if is_direct {
        let message = format!("`{}` has a source already, and keeps it", shown(&known.text));
        reader.draft.note(Note::warning(message, entry.origin.clone()));
    }
    bind(reader.draft, &reader.sources, asked.source.as_deref(), &narrowed)
}

/// The text of an entry, with the extras and the marker of the requirement that it gives a place.
fn direct_text(known: &Requirement, text: &str, name: &str) -> String {
    let head = text.split(" ; ").next().unwrap_or(text);
    let behind = head.strip_prefix(name).unwrap_or(head);
    let bare = known.extras.is_empty() || behind.starts_with('[');
    let extras = if bare { String::new() } else { format!("[{}]", known.extras.join(",")) };
    let marker = known.marker.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
    format!("{name}{extras}{behind}{marker}")
}
