//! `[tool.poetry.group.…]` and, from before Poetry 1.2, `[tool.poetry.dev-dependencies]`.
//! <https://python-poetry.org/docs/managing-dependencies/#dependency-groups>

use super::super::problems::Problems;
use super::super::text::shown;
use super::dependency::{self, Entry, Whose};
use super::extras::Extras;
use super::{Reader, enrich, normalized};
use crate::model::{Error, Origin, Requirement, Result, Selectable, SelectableKind};

const PATH: [&str; 3] = ["tool", "poetry", "group"];
const LEGACY: [&str; 3] = ["tool", "poetry", "dev-dependencies"];

/// Requirements that stand in a group only because it includes another; more of them mean mischief.
const MOST_INCLUDED: usize = 10_000;

/// What a group includes: its name, and the names of others with their places.
type Includes = Vec<(String, Vec<(String, Origin)>)>;

/// Takes up the groups of a file.
pub(super) fn read(reader: &mut Reader<'_, '_, '_>) -> Result<()> {
    let toml = reader.toml;
    let mut problems = Problems::default();
    let mut includes = Includes::new();
    if let Some(table) = toml.get(&PATH) {
        for (written, value) in toml.entries(table, &PATH)? {
            let path = ["tool", "poetry", "group", written];
            let origin = toml.origin(value.span());
            let name = name(written).map_err(|error| error.or_at(&origin))?;
            // The group that the dependencies of the project itself are in.
            let whose = if name == "main" { Whose::Project } else { Whose::Group(&name) };
            let keys = toml.entries(value, &path)?;
            let optional = value.get_ref().get("optional").and_then(|optional| optional.get_ref().as_bool());
            if name != "main" {
                select(reader, &name, !optional.unwrap_or(false), &origin);
            }
            for (key, value) in keys {
                let path = ["tool", "poetry", "group", written, key];
                match key {
                    "dependencies" => {
                        let entries = dependency::entries(toml, value, &path)?;
                        problems.note(take(reader, &entries, whose));
                    }
                    "include-groups" => {
                        let others = toml.strings(value, &path, false)?;
                        reader.draft.account(toml.file, others.len());
                        let others = others.into_iter().map(|(other, origin)| (other.to_owned(), origin));
                        includes.push((name.clone(), others.collect()));
                    }
                    _ => {}
                }
            }
        }
    }
    if let Some(table) = toml.get(&LEGACY) {
        select(reader, "dev", true, &toml.origin(table.span()));
        let entries = dependency::entries(toml, table, &LEGACY)?;
        problems.note(take(reader, &entries, Whose::Group("dev")));
    }
    problems.note(include(reader, &includes));
    problems.finish()
}

fn name(written: &str) -> Result<String> {
    normalized(written).ok_or_else(|| Error::usage(format!("`{}` is not a name for a group", shown(written))))
}

/// Takes up the entries of a group; those that a group of `[dependency-groups]` has already are enriched.
fn take(reader: &mut Reader<'_, '_, '_>, entries: &[Entry<'_, '_>], whose: Whose<'_>) -> Result<()> {
    let mut problems = Problems::default();
    for entry in entries {
        let entry = std::slice::from_ref(entry);
        problems.note(if enrich::known_in(reader, entry, whose) {
            enrich::entries(reader, entry, whose)
        } else {
            reader.entries(entry, whose, &Extras::default())
        });
    }
    problems.finish()
}

/// Makes a group one that can be asked for.
fn select(reader: &mut Reader<'_, '_, '_>, name: &str, default: bool, origin: &Origin) {
    let kind = SelectableKind::Group;
    let selectable = &mut reader.draft.project.selectable;
    match selectable.iter_mut().find(|known| known.kind == kind && known.name == name) {
        Some(known) => known.default = default,
        None => selectable.push(Selectable { kind, name: name.to_owned(), default, origin: origin.clone() }),
    }
}

/// Gives each group what those that it includes ask for.
fn include(reader: &mut Reader<'_, '_, '_>, includes: &Includes) -> Result<()> {
    let mut problems = Problems::default();
    let file = reader.toml.file;
    let mut added: Vec<Requirement> = Vec::new();
    for (group, others) in includes {
        let mut reached: Vec<String> = vec![group.clone()];
        for (written, origin) in others {
            let other = normalized(written).filter(|other| is_group(reader, other));
            let Some(other) = other else {
                let message = format!("the group `{}` includes `{}`, which there is not", shown(group), shown(written));
                problems.note(Err(Error::usage(message).at(origin.clone())));
                continue;
            };
            reach(includes, other, &mut reached);
            reader.draft.fact(file);
        }
        let of_others = reader.draft.project.requirements.iter().filter(|requirement| {
            requirement.group.as_ref().is_some_and(|other| other != group && reached.contains(other))
        });
        for requirement in of_others {
            if added.len() >= MOST_INCLUDED {
                let message = format!("groups include more than {MOST_INCLUDED} requirements of each other");
                return Err(Error::usage(message).at(requirement.origin.clone()));
            }
            added.push(Requirement { group: Some(group.clone()), ..requirement.clone() });
        }
    }
    reader.draft.project.requirements.extend(added);
    problems.finish()
}

fn is_group(reader: &Reader<'_, '_, '_>, name: &str) -> bool {
    let selectable = &reader.draft.project.selectable;
    selectable.iter().any(|known| known.kind == SelectableKind::Group && known.name == name)
}

/// Adds to `reached` the group `name` and all that it includes; each once, so that circles end.
fn reach(includes: &Includes, name: String, reached: &mut Vec<String>) {
    let mut waiting = vec![name];
    while let Some(name) = waiting.pop() {
        if reached.contains(&name) {
            continue;
        }
        let of_it = includes.iter().filter(|(group, _)| *group == name);
        waiting.extend(of_it.flat_map(|(_, others)| others).filter_map(|(other, _)| normalized(other)));
        reached.push(name);
    }
}
