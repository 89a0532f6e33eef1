use std::collections::BTreeSet;

use super::target::Target;
use crate::model::{IndexRole, ManifestKind, Note, Origin, Project, Requirement, RequirementRole, Source};

/// What the project says that the image will not follow: each is said once, so that nobody is surprised.
pub(super) fn notes(project: &Project, target: &Target) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    notes.extend(locks(project));
    notes.extend(rules(project));
    notes.extend(conda(project, target));
    notes.extend(pages(project));
    notes.extend(unisolated(project));
    notes
}

/// A lock beside a manifest: its versions are known, and the installer chooses anew.
fn locks(project: &Project) -> Vec<Note> {
    let alone = |path: &str| project.manifests.iter().any(|manifest| manifest.path == path);
    let locks = project.locks.iter().filter(|lock| !alone(&lock.path));
    locks
        .map(|lock| {
            let message =
                format!("`{}` is not followed: versions that the project leaves open are chosen anew", lock.path);
            let hint = "export it to a `requirements.txt`, and name that with `--from`, to keep its versions";
            Note::info(message, Origin::file(&lock.path, 1)).with_hint(hint)
        })
        .collect()
}

/// Constraints and overrides that stand in no requirements file, which alone installers read.
fn rules(project: &Project) -> Option<Note> {
    let elsewhere = |r: &&Requirement| {
        let Origin::File { file, .. } = &r.origin else { return false };
        project.manifests.iter().any(|m| m.kind != ManifestKind::Requirements && m.path == *file)
    };
    let of_role = project.requirements.iter().filter(|r| r.role != RequirementRole::Requirement).filter(elsewhere);
    let names: Vec<String> = of_role.clone().map(|r| format!("`{}`", r.text)).collect();
    let first = of_role.clone().next()?;
    let message = format!("constraints and overrides are not given to the installer: {}", names.join(", "));
    Some(Note::warning(message, first.origin.clone()))
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

/// Pages of archives that stand in no requirements file.
fn pages(project: &Project) -> Vec<Note> {
    let manifests =
        |file: &str| project.manifests.iter().any(|m| m.kind != ManifestKind::Requirements && m.path == file);
    let pages = project.indexes.iter().filter(|index| index.role == IndexRole::FindLinks);
    pages
        .filter(|index| matches!(&index.origin, Origin::File { file, .. } if manifests(file)))
        .map(|index| {
            Note::warning(format!("the page of archives `{}` is not followed", index.url), index.origin.clone())
        })
        .collect()
}

/// Distributions that want to be built against what is installed.
fn unisolated(project: &Project) -> Option<Note> {
    let first = project.isolation_exempt.first()?;
    let names: Vec<String> =
        project.isolation_exempt.iter().filter_map(|e| e.package.as_ref()).map(|name| format!("`{name}`")).collect();
    let what = if names.is_empty() { "any distribution".to_owned() } else { names.join(", ") };
    let message =
        format!("building {what} without isolation is not followed: each is built in an environment of its own");
    Some(Note::warning(message, first.origin.clone()))
}
