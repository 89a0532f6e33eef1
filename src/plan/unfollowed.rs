use std::collections::BTreeSet;

use super::PlanOptions;
use super::install::{is_spelt_out, makes_environment, overruled};
use super::target::Target;
use crate::model::{
    Choice, Index, IndexBinding, IndexRole, Installer, Note, PackageManager, PlannedLock, Project, Requirement,
    RequirementRole, Source, SystemHint, Variant,
};

/// What the project says that the image will not follow: each is said once, so that nobody is surprised.
pub(super) fn notes(
    project: &Project,
    target: &Target,
    options: &PlanOptions,
    (installer, lock): (Installer, Option<&PlannedLock>),
) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    notes.extend(over_ssh(project, target));
    if lock.is_some() || makes_environment(installer) {
        return notes;
    }
    notes.extend(overruled_indexes(project, target, options));
    notes.extend(conda(project, target));
    if installer == Installer::Pip {
        notes.extend(overrides(project, target));
        notes.extend(bindings(project, target));
    }
    notes
}

/// System packages that files of the project install, and the image does not get.
pub(super) fn system(project: &Project, target: &Target, planned: &[Choice<String>]) -> Option<Note> {
    let manager = match target.base.package_manager {
        PackageManager::Apt => "apt",
        PackageManager::Dnf => "dnf",
    };
    let left = |hint: &&SystemHint| {
        let headers_of_python = hint.package.starts_with("python3") || hint.package == "build-essential";
        hint.manager == manager && !headers_of_python && planned.iter().all(|package| package.value != hint.package)
    };
    let left: Vec<&SystemHint> = project.system.iter().filter(left).collect();
    let names: BTreeSet<&str> = left.iter().map(|hint| hint.package.as_str()).collect();
    let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let flags: Vec<String> = names.iter().map(|name| format!("--system-package {name}")).collect();
    let message = format!("the project installs system packages that the image does not get: {}", shown.join(", "));
    Some(Note::info(message, left.first()?.origin.clone()).with_hint(format!("`{}` takes them", flags.join(" "))))
}

/// Repositories that are reached with a key, which no build has.
fn over_ssh(project: &Project, target: &Target) -> Option<Note> {
    let keyed = |r: &&Requirement| match &r.source {
        Source::Vcs { url, .. } => url.starts_with("ssh:") || url.starts_with("git@"),
        _ => false,
    };
    let requirement = project.requirements.iter().filter(|r| target.environment.applies(r)).find(keyed)?;
    let message = format!("`{}` comes over SSH, and the build has no key", requirement.text);
    let hint = "`https` with a token in a variable works: `git+https://${TOKEN}@…`, with `TOKEN` in the environment";
    Some(Note::warning(message, requirement.origin.clone()).with_hint(hint))
}

/// Indexes that have torch in another build than the one asked for.
fn overruled_indexes(project: &Project, target: &Target, options: &PlanOptions) -> Vec<Note> {
    let Some(asked) = &options.variant else { return Vec::new() };
    let holds = |index: &&Index| index.bindings.iter().any(|binding| target.environment.binds(binding));
    let same = |index: &&Index| Variant::name_in(&index.url) == Some(&asked.value);
    let indexes = project.indexes.iter().filter(|index| overruled(index, options) && holds(index) && !same(index));
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
