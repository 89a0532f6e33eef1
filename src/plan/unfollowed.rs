use std::collections::BTreeSet;

use super::PlanOptions;
use super::install::{is_spelt_out, makes_environment, overruled};
use super::target::Target;
use crate::model::{
    IndexBinding, IndexRole, Installer, Note, PlannedLock, Project, Requirement, RequirementRole, Source,
};

/// What the project says that the image will not follow: each is said once, so that nobody is surprised.
pub(super) fn notes(
    project: &Project,
    target: &Target,
    options: &PlanOptions,
    (installer, lock): (Installer, Option<&PlannedLock>),
) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    if lock.is_some() || makes_environment(installer) {
        return notes;
    }
    notes.extend(overruled_indexes(project, options));
    notes.extend(conda(project, target));
    if installer == Installer::Pip {
        notes.extend(overrides(project, target));
        notes.extend(bindings(project, target));
    }
    notes
}

/// Indexes that have torch in another build than the one asked for.
fn overruled_indexes(project: &Project, options: &PlanOptions) -> Vec<Note> {
    let Some(asked) = &options.variant else { return Vec::new() };
    let indexes = project.indexes.iter().filter(|index| overruled(index, options));
    indexes
        .map(|index| {
            let message = format!("nothing comes from `{}`: {} `{}` wins", index.url, asked.origin, asked.value);
            Note::warning(message, index.origin.clone())
        })
        .collect()
}

/// pip has nothing like uv's overrides.
fn overrides(project: &Project, target: &Target) -> Option<Note> {
    let of_role = project.requirements.iter().filter(|r| r.role == RequirementRole::Override);
    let of_role: Vec<&Requirement> =
        of_role.filter(|r| target.environment.applies(r) && is_spelt_out(project, r)).collect();
    let names: Vec<String> = of_role.iter().map(|r| format!("`{}`", r.text)).collect();
    let message = format!("pip knows no overrides, and these are not followed: {}", names.join(", "));
    Some(Note::warning(message, of_role.first()?.origin.clone()))
}

/// pip takes the best version of all indexes.
fn bindings(project: &Project, target: &Target) -> Option<Note> {
    let of_index = |role: IndexRole| matches!(role, IndexRole::Primary | IndexRole::Extra);
    let indexes = project.indexes.iter().filter(|index| of_index(index.role));
    let bound: Vec<&IndexBinding> =
        indexes.flat_map(|index| &index.bindings).filter(|binding| target.environment.binds(binding)).collect();
    let names: BTreeSet<String> = bound.iter().map(|binding| format!("`{}`", binding.package)).collect();
    let names: Vec<String> = names.into_iter().collect();
    let message = format!("pip binds nothing to one index, and takes the best version of all: {}", names.join(", "));
    Some(Note::warning(message, bound.first()?.origin.clone()))
}

/// What conda would install and pip cannot.
fn conda(project: &Project, target: &Target) -> Option<Note> {
    let asked = project.requirements.iter().filter(|r| target.environment.applies(r));
    let first = asked.clone().find(|r| matches!(r.source, Source::Conda { .. }))?;
    let system: BTreeSet<String> = project
        .system
        .iter()
        .filter(|hint| hint.manager == "conda")
        .map(|hint| format!("`{}`", hint.package))
        .collect();
    let message = "the packages of conda are taken from the package index, by their names there";
    let note = Note::warning(message, first.origin.clone());
    if system.is_empty() {
        return Some(note);
    }
    let system: Vec<String> = system.into_iter().collect();
    Some(
        note.with_hint(format!(
            "these are not on it, and `--system-package` brings what is needed: {}",
            system.join(", ")
        )),
    )
}
